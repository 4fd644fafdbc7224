"""rope_and_cache_flash in every format of the cache that has codes, against NumPy, byte by byte."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import numpy as np
import oracle
import pytest
from cases import ONE, SLOTS, noise, normal
from oracle import Array

import kvforge

ops = kvforge.ops._C_cache_ops

HEADS, SIZE, TURNED = 2, 64, 32  # sizes that nvfp4 takes
EPS = 1e-5


def finished(rows: Array, weight: Array, table: Array, positions: Array) -> Array:
    """Rows normed and rotated, each step rounded as an op of its own would."""
    return oracle.turn(oracle.norm(rows, weight, EPS), table, positions, neox=True)


def row_codes(rows: Array, kind: str) -> tuple[Array, Array]:
    """Codes of heads that have a scale each, and these scales."""
    if kind == "int4_per_token_head":
        return oracle.encode_int4(rows)
    wide = rows.astype(np.float32)
    most = np.float32(448 if kind == "fp8_per_token_head" else 127)
    scale = np.maximum(np.abs(wide).max(-1) / most, np.float32(1e-6))
    scaled = wide * (ONE / scale)[..., None]
    if kind == "fp8_per_token_head":
        return oracle.encode(scaled, ONE), scale
    if kind == "int8_per_token_head_even":
        return oracle.encode_int8(scaled, ONE).view(np.uint8), scale
    away = np.trunc(scaled + np.where(scaled >= 0, np.float32(0.5), np.float32(-0.5)))
    return np.clip(away, -128, 127).astype(np.int8).view(np.uint8), scale


def swizzled(scales: Array) -> Array:
    """Block scales [page, token, head, group] with 4 tokens x groups transposed in quarters."""
    pages, tokens, heads, groups = scales.shape
    quarters = scales.reshape(pages, tokens // 4, 4, heads, 4, groups // 4)
    return quarters.transpose(0, 1, 4, 3, 5, 2).reshape(scales.shape)


def unswizzled(scales: Array) -> Array:
    """The inverse."""
    pages, tokens, heads, groups = scales.shape
    quarters = scales.reshape(pages, tokens // 4, 4, heads, groups // 4, 4)
    return quarters.transpose(0, 1, 5, 3, 2, 4).reshape(scales.shape)


def nvfp4_pages(page: Array, rows: Array, scale: float, swizzles: bool, chooses: bool) -> Array:
    """Bytes of pages [page, all] of 4 tokens with rows at their slots."""
    codes, stored = oracle.encode_nvfp4(rows, scale, chooses)
    split = 4 * HEADS * SIZE // 2
    held = page[:, split:].reshape(-1, 4, HEADS, SIZE // 16)
    scales = oracle.scatter(unswizzled(held) if swizzles else held, SLOTS, stored)
    parts = [
        oracle.scatter(page[:, :split].reshape(-1, 4, HEADS, SIZE // 2), SLOTS, codes),
        swizzled(scales) if swizzles else scales,
    ]
    return np.concatenate([part.reshape(len(page), -1) for part in parts], axis=1)


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize(
    "kind",
    [
        "fp8_e4m3",
        "fp8_e5m2",
        "int8",
        "int8_per_token_head",
        "int8_per_token_head_even",
        "fp8_per_token_head",
        "int4_per_token_head",
        "nvfp4",
        "nvfp4_4over6",
    ],
)
def test_every_byte(kind: str, in_place: bool) -> None:
    query, key = normal(6, 3, SIZE), normal(6, HEADS, SIZE, seed=1)
    value = normal(6, HEADS, SIZE, seed=2)
    table = normal(9, TURNED, seed=3, dtype=np.float32)
    weights = [normal(SIZE, seed=4), normal(SIZE, seed=5)]
    positions = np.array([3, 8, 0, 1, 8, 2], np.int64)
    asked = finished(query, weights[0], table, positions)
    turned = finished(key, weights[1], table, positions)
    scales = [np.array([0.25, 0.03], np.float32), np.array(0.0625, np.float32)]
    fp4 = kind.startswith("nvfp4")
    if fp4:
        scales = [np.full(1, s, np.float32) for s in (0.01, 0.5)]
        caches = [noise(3, 4, HEADS, SIZE // 2 + SIZE // 16, seed=i) for i in (6, 7)]
    else:
        width = SIZE // 2 if kind == "int4_per_token_head" else SIZE
        caches = [noise(3, 4, HEADS, width, seed=i) for i in (6, 7)]
    row_scales = [normal(3, 4, HEADS, seed=i, dtype=np.float32) for i in (8, 9)]
    wants, wanted_scales = [], [held.copy() for held in row_scales]
    for side, rows in enumerate((turned, value)):
        if fp4:
            page = caches[side].reshape(3, -1)
            scale = float(scales[side][0])
            wants.append(nvfp4_pages(page, rows, scale, side == 1, kind == "nvfp4_4over6"))
        elif kind.endswith(("head", "even")):
            codes, made = row_codes(rows, kind)
            wants.append(oracle.scatter(caches[side], SLOTS, codes))
            wanted_scales[side] = oracle.scatter(row_scales[side], SLOTS, made)
        else:
            by = scales[side][:, None] if scales[side].ndim else scales[side]
            codes = (
                oracle.encode_int8(rows, by).view(np.uint8)
                if kind == "int8"
                else oracle.encode(rows, by, oracle.E4M3 if kind == "fp8_e4m3" else oracle.E5M2)
            )
            wants.append(oracle.scatter(caches[side], SLOTS, codes))
    has_scales = kind.endswith(("head", "even"))
    keys, queries, out = key.copy(), query.copy(), noise(6, 3, SIZE, seed=10)
    ops.rope_and_cache_flash(
        queries,
        keys,
        value,
        caches[0],
        caches[1],
        positions,
        table,
        SLOTS,
        kind,
        scales[0],
        scales[1],
        is_neox=True,
        q_weight=weights[0],
        k_weight=weights[1],
        eps=EPS,
        q_out=None if in_place else out,
        k_out=None if in_place else np.empty(0, key.dtype),
        k_scale_cache=row_scales[0] if has_scales else None,
        v_scale_cache=row_scales[1] if has_scales else None,
    )
    np.testing.assert_array_equal(
        queries.view(np.uint16), (asked if in_place else query).view(np.uint16)
    )
    np.testing.assert_array_equal(
        keys.view(np.uint16), (turned if in_place else key).view(np.uint16)
    )
    if not in_place:
        np.testing.assert_array_equal(out, oracle.encode(asked, ONE))
    for cache, want in zip(caches, wants, strict=True):
        np.testing.assert_array_equal(cache.reshape(-1), want.reshape(-1))
    for held, want in zip(row_scales, wanted_scales, strict=True):
        np.testing.assert_array_equal(held.view(np.uint32), want.view(np.uint32))
