"""JAX arrays: read where they lie, mixed with others, and never written."""

from __future__ import annotations

from conftest import require

require("jax")

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from arrays import Numpy
from cases import CASES, reshape_and_cache_flash

import kvforge

ops = kvforge.ops._C_cache_ops
INPUTS = ("key", "value", "k_scale", "v_scale")


def as_jax(array: np.ndarray) -> jax.Array:
    return jax.device_put(jnp.asarray(array), jax.devices("cpu")[0])


def test_inputs_of_jax_and_a_cache_of_numpy() -> None:
    case = reshape_and_cache_flash(Numpy())
    for name in INPUTS:
        case.arguments[name] = as_jax(case.arguments[name])
    assert case.arguments["key"].dtype == jnp.bfloat16
    case.arguments["slot_mapping"] = as_jax(case.arguments["slot_mapping"].astype(np.int32))
    ops.reshape_and_cache_flash(*case.arguments.values())
    case.check(Numpy())


def test_fp8_of_jax() -> None:
    source = jnp.arange(12, dtype=jnp.float32).astype(jnp.float8_e4m3fn)
    target = np.zeros(12, np.float32)
    ops.convert_fp8(target, source, 2.0)
    np.testing.assert_array_equal(target, np.asarray(source).astype(np.float32) * 2)


def test_nothing_is_copied() -> None:
    """The op reads JAX's own memory: here a copy op tells addresses apart from copies."""
    array = as_jax(np.arange(64, dtype=np.uint8))
    address = array.unsafe_buffer_pointer()
    seen = np.zeros(64, np.uint8)
    ends = [np.array([n], np.int64) for n in (address, seen.ctypes.data, 64)]
    ops.swap_blocks_batch(ends[0], ends[1], ends[2])
    np.testing.assert_array_equal(seen, np.asarray(array))
    ops.swap_blocks(array, seen, 32, np.array([[1, 0]]))
    np.testing.assert_array_equal(seen[:32], np.arange(32, 64))


@pytest.mark.parametrize("name", ["key_cache", "value_cache"])
def test_an_output_of_jax_is_refused(name: str) -> None:
    case = reshape_and_cache_flash(Numpy())
    before = [array.copy() for array, _ in case.outputs]
    case.arguments[name] = as_jax(case.arguments[name])
    old = np.array(case.arguments[name])
    with pytest.raises(TypeError, match=f"flash: {name}: got a JAX array, which is immutable"):
        ops.reshape_and_cache_flash(*case.arguments.values())
    np.testing.assert_array_equal(case.arguments[name], old)
    for (array, _), was in zip(case.outputs, before, strict=True):
        np.testing.assert_array_equal(array, was)


def test_a_list_with_one_output_of_jax_is_refused() -> None:
    case = CASES["zero_blocks"](Numpy())
    case.arguments["caches"][1] = as_jax(case.arguments["caches"][1])
    before = case.arguments["caches"][0].copy()
    with pytest.raises(TypeError, match="zero_blocks: caches: got a JAX array"):
        ops.zero_blocks(*case.arguments.values())
    np.testing.assert_array_equal(case.arguments["caches"][0], before)
