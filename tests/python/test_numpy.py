"""kvforge.ops with NumPy arrays: every op, to the bit, and what NumPy itself does not export."""

from __future__ import annotations

from conftest import require

require("python", __name__)

from typing import Any

import ml_dtypes
import numpy as np
import oracle
import pytest
from arrays import Numpy
from cases import (
    CASES,
    SLOTS,
    function,
    noise,
    normal,
    paged_attention,
    reshape_and_cache_flash,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import kvforge

ops = kvforge.ops._C_cache_ops


def test_there_is_a_case_for_every_op() -> None:
    listed = {*kvforge.ops._C.__all__, *ops.__all__}
    assert set(CASES) == {row.op for row in kvforge.variants()} == listed


@pytest.mark.parametrize("op", CASES)
def test_every_op(op: str) -> None:
    put = Numpy()
    case = CASES[op](put)
    written = {id(array) for array in [*(output for output, _ in case.outputs), *case.scratch]}
    read = [
        a for a in case.arguments.values() if isinstance(a, np.ndarray) and id(a) not in written
    ]
    before = [put.bytes(a).copy() for a in read]
    assert function(kvforge.ops, op)(*case.arguments.values()) is None
    case.check(put)
    for array, old in zip(read, before, strict=True):
        np.testing.assert_array_equal(put.bytes(array), old)


@pytest.mark.parametrize("fp8", [oracle.E4M3, oracle.E5M2])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("typed", [False, True])
def test_caches_of_ml_dtypes_or_bytes(fp8: Any, dtype: Any, typed: bool) -> None:
    case = reshape_and_cache_flash(Numpy(), fp8, dtype)
    if typed:
        for name in ("key_cache", "value_cache"):
            case.arguments[name] = case.arguments[name].view(fp8)  # the same memory
    ops.reshape_and_cache_flash(*case.arguments.values())
    case.check(Numpy())


def test_lists_of_ml_dtypes() -> None:
    caches = [normal(3, 4, seed=n) for n in (0, 1)]
    want = [oracle.copy_pages(c, [(0, 2)]) for c in caches]
    ops.copy_blocks_mla(caches, np.array([[0, 2]]))
    for cache, wanted in zip(caches, want, strict=True):
        np.testing.assert_array_equal(cache.view(np.uint16), wanted.view(np.uint16))


def test_what_one_writes_by_default_the_other_reads_by_default() -> None:
    """Pages of nvfp4 by upstream's name, and the same with the order of scales named on both sides."""
    key, value = normal(8, 2, 64), normal(8, 2, 64, seed=1)
    query, one = normal(1, 2, 64, seed=2), np.ones(1, np.float32)
    tables, lengths = np.array([[1, 0]], np.int32), np.array([8], np.int32)
    slots = np.array([4, 5, 6, 7, 0, 1, 2, 3])
    outs, gathered = [], []
    for swizzled in (None, True, False):
        caches = [np.zeros((2, 4, 2, 36), np.uint8) for _ in range(2)]
        named: dict[str, Any] = {} if swizzled is None else {"swizzle_v_scales": swizzled}
        writer = ops.reshape_and_cache_flash_nvfp4 if named else ops.reshape_and_cache_flash
        pages: list[Any] = [key, value, *caches, slots, "nvfp4", one, one]
        writer(*pages, **named)
        outs.append(np.zeros_like(query))
        first = np.array([0, 1], np.int32)
        read: list[Any] = [outs[-1], query, *caches, first, lengths, tables]
        read += [0.125, "nvfp4", one, one]
        ops.paged_attention(*read, **named)
        gathered.append(np.zeros((2, 8, 2, 64), ml_dtypes.bfloat16))
        starts = np.array([0, 8], np.int32)
        read = [*caches, *gathered[-1], tables, starts, "nvfp4", one, one]
        ops.gather_kv_cache(*read, **named)
    for out in outs:
        assert np.abs(out.astype(np.float32)).max() > 0.01
        np.testing.assert_array_equal(out.view(np.uint16), outs[0].view(np.uint16))
    for rows in gathered:
        assert np.abs(rows.astype(np.float32)).max() > 0.1
        np.testing.assert_array_equal(rows.view(np.uint16), gathered[0].view(np.uint16))


def test_pages_of_nvfp4_are_read_with_the_sizes_they_were_written_with() -> None:
    """Keys of 192 and values of 128 elements, by gather and by attention."""
    key, value, one = normal(4, 2, 192), normal(4, 2, 128, seed=1), np.ones(1, np.float32)
    keys, values = (np.zeros((1, 4, 2, width), np.uint8) for width in (108, 72))
    ops.reshape_and_cache_flash_nvfp4(key, value, keys, values, np.arange(4), "nvfp4", one, one)
    tables, starts = np.array([[0]], np.int32), np.array([0, 4], np.int32)
    k_out, v_out = np.zeros_like(key), np.zeros_like(value)
    ops.gather_kv_cache(keys, values, k_out, v_out, tables, starts, "nvfp4", one, one)
    for rows, out in ((key, k_out), (value, v_out)):
        codes, stored = oracle.encode_nvfp4(rows, 1.0)
        pairs = np.stack([codes & 15, codes >> 4], axis=-1).reshape(rows.shape)
        steps = oracle.decode(stored, one).repeat(16, axis=-1)
        numbers = pairs.view(ml_dtypes.float4_e2m1fn).astype(np.float32) * steps
        np.testing.assert_array_equal(out, numbers.astype(out.dtype))
    query, lengths = normal(1, 2, 192, seed=2), np.array([4], np.int32)
    out, first = np.zeros((1, 2, 128), np.float32), np.array([0, 1], np.int32)
    ops.paged_attention(out, query, keys, values, first, lengths, tables, 0.1, "nvfp4", one, one)
    want, _ = oracle.attend_from(3, query[0], k_out, v_out, 0.1, right=0)
    np.testing.assert_allclose(out[0], want, atol=1e-5)
    with pytest.raises(ValueError, match=r"value_cache: .* is 72, want 108 as in out"):
        ops.paged_attention(
            np.zeros_like(query),
            query,
            keys,
            values,
            first,
            lengths,
            tables,
            0.1,
            "nvfp4",
            one,
            one,
        )


def test_views_are_used_where_they_lie() -> None:
    whole = np.zeros((3, 4, 2, 40), np.float32)
    key = normal(5, 2, 60, dtype=np.float32)[:, :, 20:40]  # rows with gaps
    cache = whole[..., 10:30]
    one = np.ones(1, np.float32)
    other = np.zeros((3, 4, 2, 20), np.float32)
    ops.reshape_and_cache_flash(key, key, cache, other, SLOTS, "auto", one, one)
    np.testing.assert_array_equal(cache, oracle.scatter(np.zeros_like(cache), SLOTS, key))
    assert not whole[..., :10].any() and not whole[..., 30:].any()


def test_read_only_arrays_are_inputs_and_no_outputs() -> None:
    case = reshape_and_cache_flash(Numpy())
    for name in ("key", "slot_mapping", "k_scale"):
        case.arguments[name].flags.writeable = False
    ops.reshape_and_cache_flash(*case.arguments.values())
    case.check(Numpy())

    case = reshape_and_cache_flash(Numpy())
    cache = case.arguments["value_cache"]
    before = cache.copy()
    cache.flags.writeable = False
    with pytest.raises(ValueError, match=r"reshape_and_cache_flash: value_cache: got a read-only"):
        ops.reshape_and_cache_flash(*case.arguments.values())
    np.testing.assert_array_equal(cache, before)

    case = paged_attention(Numpy())
    case.arguments["workspace"].flags.writeable = False
    with pytest.raises(ValueError, match=r"paged_attention: workspace: got a read-only"):
        ops.paged_attention(*case.arguments.values())

    caches = [noise(3, 4), noise(3, 4)]
    caches[1].flags.writeable = False
    before = caches[0].copy()
    with pytest.raises(ValueError, match=r"zero_blocks: caches: got a read-only NumPy array"):
        ops.zero_blocks(caches, np.array([0]))
    np.testing.assert_array_equal(caches[0], before)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_bits_shapes_and_slots(data: st.DataObject) -> None:
    tokens, heads, size = (data.draw(st.integers(0, 5)) for _ in range(3))
    pages, tokens_in_page = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    slots = data.draw(st.permutations(range(pages * tokens_in_page)))[:tokens]
    slots = [slot if data.draw(st.booleans()) else -1 for slot in slots]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    rows = rng.integers(0, 65536, (2, len(slots), heads, size), dtype=np.uint16)
    key, value = rows.view(ml_dtypes.bfloat16)
    old = [noise(pages, tokens_in_page, heads, size, seed=n) for n in (0, 1)]
    caches = [cache.copy() for cache in old]
    scale = np.float32(data.draw(st.sampled_from([0.5, 1.0, 3.0, 1e-30])))
    with np.errstate(over="ignore", invalid="ignore"):
        wants = [oracle.encode(side, scale) for side in (key, value)]
    slot_mapping = np.array(slots, np.int64)
    divisor = np.array([scale], np.float32)
    ops.reshape_and_cache_flash(
        key, value, caches[0], caches[1], slot_mapping, "fp8", divisor, divisor
    )
    for cache, before, want in zip(caches, old, wants, strict=True):
        np.testing.assert_array_equal(cache, oracle.scatter(before, slots, want))
