"""my_namespace::rms_norm_and_cache, built out of tree, against NumPy: every scalar and cache dtype."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

kvforge = pytest.importorskip("kvforge", exc_type=ImportError)

SCALARS = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}
FP8 = {"fp8_e4m3": ml_dtypes.float8_e4m3fn, "fp8_e5m2": ml_dtypes.float8_e5m2}
LARGEST = {"fp8_e4m3": 448.0, "fp8_e5m2": 57344.0}
BLOCKS, BLOCK, HEADS = 5, 4, 3
SLOTS = [7, -1, 0, 19, 12]


@pytest.fixture(scope="session")
def op(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The op, compiled by this very run."""
    cache = tmp_path_factory.mktemp("cache")
    return kvforge.load("own_op", Path(__file__).parent, build_directory=cache).rms_norm_and_cache


def normal(key: Any, weight: Any, epsilon: float) -> Any:
    """RMS norm in float64."""
    wide = key.astype(np.float64)
    return wide / np.sqrt((wide**2).mean(-1, keepdims=True) + epsilon) * weight.astype(np.float64)


def quantised(values: Any, scale: Any, cache: str) -> Any:
    """What the cache holds, as bytes: the bits, or saturated fp8 codes."""
    if cache not in FP8:
        return values
    scaled = values.astype(np.float32) / np.float32(scale).reshape(-1, 1)
    return np.clip(scaled, -LARGEST[cache], LARGEST[cache]).astype(FP8[cache]).view(np.uint8)


def ulps(left: Any, right: Any) -> int:
    """How many representable numbers lie between two arrays of one dtype, at most."""

    def order(values: Any) -> Any:
        bits = values.view(f"i{values.itemsize}").astype(np.int64)
        return np.where(bits < 0, -(bits & (2 ** (8 * values.itemsize - 1) - 1)), bits)

    return int(np.abs(order(left) - order(right)).max())


def tensors(scalar: str, head_size: int, cache: str = "auto", seed: int = 1) -> dict[str, Any]:
    """Arguments of a call, by name."""
    random = np.random.default_rng(seed)
    dtype = SCALARS[scalar]
    shape = (BLOCKS, BLOCK, HEADS, head_size)
    stored = np.uint8 if cache in FP8 else dtype
    return {
        "key": random.normal(0, 3, (len(SLOTS) + 1, HEADS, head_size)).astype(dtype),
        "value": random.normal(0, 3, (len(SLOTS), HEADS, head_size)).astype(dtype),
        "weight": random.normal(1, 0.2, head_size).astype(dtype),
        "key_cache": np.full(shape, 1, stored),
        "value_cache": np.full(shape, 1, stored),
        "slot_mapping": np.array(SLOTS),
        "kv_cache_dtype": cache,
        "k_scale": np.array([0.5, 0.013, 1.0], np.float32),
        "v_scale": np.array(0.25, np.float32),
    }


def rows(cache: Any) -> Any:
    """A cache as [slot, head, element]."""
    return cache.reshape(BLOCKS * BLOCK, *cache.shape[2:])


def untouched(before: Any, after: Any) -> None:
    """Slots that no token has are as they were."""
    rest = [slot for slot in range(BLOCKS * BLOCK) if slot not in SLOTS]
    assert (rows(after)[rest] == rows(before)[rest]).all()


@pytest.mark.parametrize("head_size", [1, 5, 64, 80, 128, 257, 576])
@pytest.mark.parametrize("scalar", SCALARS)
def test_keys_are_normalised(op: Any, scalar: str, head_size: int) -> None:
    call = tensors(scalar, head_size)
    before = call["key_cache"].copy()
    op(**call, epsilon=1e-3)
    for token, slot in enumerate(SLOTS):
        if slot >= 0:
            want = normal(call["key"][token], call["weight"], 1e-3).astype(SCALARS[scalar])
            assert ulps(rows(call["key_cache"])[slot], want) <= (8 if scalar == "f32" else 1)
            assert (rows(call["value_cache"])[slot] == call["value"][token]).all()
    untouched(before, call["key_cache"])
    untouched(before, call["value_cache"])


@pytest.mark.parametrize("head_size", [1, 80, 128, 257])
@pytest.mark.parametrize("cache", FP8)
@pytest.mark.parametrize("scalar", SCALARS)
def test_fp8_holds_what_was_normalised(op: Any, scalar: str, cache: str, head_size: int) -> None:
    plain, coded = tensors(scalar, head_size), tensors(scalar, head_size, cache)
    op(**plain)
    op(**coded)
    for token, slot in enumerate(SLOTS):
        if slot >= 0:
            keys = rows(plain["key_cache"])[slot]
            assert (
                rows(coded["key_cache"])[slot] == quantised(keys, plain["k_scale"], cache)
            ).all()
            values = quantised(coded["value"][token], coded["v_scale"], cache)
            assert (rows(coded["value_cache"])[slot] == values).all()
    untouched(np.ones_like(coded["key_cache"]), coded["key_cache"])


@pytest.mark.parametrize("cache", ["auto", "fp8_e4m3"])
def test_any_strides(op: Any, cache: str) -> None:
    plain, strided = tensors("f16", 48, cache), tensors("f16", 48, cache)
    for name in ("key", "value", "weight", "key_cache", "value_cache"):
        array = strided[name]
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        strided[name] = wide[..., ::2]
    op(**plain)
    op(**strided)
    for name in ("key_cache", "value_cache"):
        assert (strided[name] == plain[name]).all()


def test_the_default_epsilon(op: Any) -> None:
    with_default, given = tensors("f32", 64), tensors("f32", 64)
    with_default["key"] *= 1e-4
    given["key"] *= 1e-4
    op(**with_default)
    op(**given, epsilon=1e-6)
    assert (with_default["key_cache"] == given["key_cache"]).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"weight": np.ones(63, np.float32)}, ValueError, "weight: .*63.*64"),
        ({"weight": np.ones(64, np.float16)}, TypeError, "weight: dtype is float16"),
        ({"slot_mapping": np.array([20, 0, 1, 2, 3])}, IndexError, "element 0 is 20, want less"),
        ({"kv_cache_dtype": "int8"}, NotImplementedError, "rms_norm_and_cache: .*int8"),
        ({"epsilon": -1.0}, ValueError, "epsilon: got -1, want 0 or more"),
        ({"epsilon": float("nan")}, ValueError, "epsilon: got nan"),
    ],
    ids=["size", "dtype", "slot", "cache dtype", "negative epsilon", "NaN epsilon"],
)
def test_bad_arguments(op: Any, change: dict[str, Any], error: type[Exception], words: str) -> None:
    call = {**tensors("f32", 64), **change}
    with pytest.raises(error, match=words):
        op(**call)
    assert (call["key_cache"] == 1).all() and (call["value_cache"] == 1).all()


def on_gpu(torch: Any, array: Any) -> Any:
    """A copy of a NumPy array as a CUDA tensor, bit for bit."""
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).cuda().view(torch.bfloat16)
    return torch.from_numpy(array).cuda()


def from_gpu(torch: Any, tensor: Any, like: Any) -> Any:
    """The same way back."""
    bits = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
    return bits.cpu().numpy().view(like.dtype)


@pytest.mark.parametrize("head_size", [1, 20, 80, 128, 257, 576])
@pytest.mark.parametrize("cache", ["auto", *FP8])
@pytest.mark.parametrize("scalar", SCALARS)
def test_on_a_gpu(op: Any, scalar: str, cache: str, head_size: int) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    here = tensors(scalar, head_size, cache)
    arrays = {name: value for name, value in here.items() if isinstance(value, np.ndarray)}
    there = {**here, **{name: on_gpu(torch, array) for name, array in arrays.items()}}
    op(**here)
    op(**there)
    torch.cuda.synchronize()
    values = from_gpu(torch, there["value_cache"], here["value_cache"])
    assert (values == here["value_cache"]).all()
    keys = from_gpu(torch, there["key_cache"], here["key_cache"])
    assert ulps(keys, here["key_cache"]) <= (8 if (scalar, cache) == ("f32", "auto") else 1)


def test_it_is_an_op_like_any_other(op: Any) -> None:
    assert kvforge.ops.my_namespace.rms_norm_and_cache is op
    rows_of_op = [row for row in kvforge.variants() if row.op == "rms_norm_and_cache"]
    assert len(rows_of_op) == 18 and all(row.built for row in rows_of_op if row.backend == "cpu")
    for words in ("my_namespace::rms_norm_and_cache(Tensor key", "weight (Tensor): [head_size]"):
        assert words in op.__doc__
