"""What the ops must give, in NumPy: written from the ops' documents, not from their code."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

Array = Any  # numpy.ndarray of any dtype, those of ml_dtypes included

BF16 = np.dtype(ml_dtypes.bfloat16)
E4M3 = np.dtype(ml_dtypes.float8_e4m3fn)
E5M2 = np.dtype(ml_dtypes.float8_e5m2)
LARGEST = {E4M3: 448.0, E5M2: 57344.0}


def encode(values: Array, scale: Any, dtype: Any = E4M3) -> Array:
    """fp8 codes of values / scale: f32 division, nearest even, saturated, one NaN."""
    quotient = values.astype(np.float32) / np.asarray(scale, np.float32)
    largest = LARGEST[np.dtype(dtype)]
    codes = np.clip(quotient, -largest, largest).astype(dtype).view(np.uint8)
    return np.where(np.isnan(quotient), np.uint8(0x7F), codes)


def decode(codes: Array, scale: Any, dtype: Any = E4M3) -> Array:
    """f32 values of fp8 codes."""
    return codes.view(dtype).astype(np.float32) * np.asarray(scale, np.float32)


def encode_int8(values: Array, scale: Any) -> Array:
    """int8 codes of values / scale."""
    quotient = values.astype(np.float32) / np.asarray(scale, np.float32)
    return np.clip(np.rint(quotient), -128, 127).astype(np.int8)


def scatter(pages: Array, slots: Array, rows: Array) -> Array:
    """A copy of pages [block, token, ...] with rows at their slots; a negative slot has none."""
    out = pages.copy()
    for row, slot in zip(rows, slots, strict=False):
        if slot >= 0:
            out[slot // pages.shape[1], slot % pages.shape[1]] = row
    return out


def gather(pages: Array, table: Array, starts: Array, first: Array | None, out: Array) -> Array:
    """A copy of out with the rows of sequences, starts[b] to starts[b + 1], from their pages."""
    out = out.copy()
    for b in range(len(starts) - 1):
        for j in range(starts[b], starts[b + 1]):
            p = j - starts[b] + (0 if first is None else first[b])
            out[j] = pages[table[b, p // pages.shape[1]], p % pages.shape[1]]
    return out


def copy_pages(pages: Array, pairs: Array) -> Array:
    """A copy of pages after the pairs, in their order."""
    out = pages.copy()
    for source, target in pairs:
        if source >= 0 and target >= 0:
            out[target] = out[source]
    return out


def squares(rows: Array) -> Array:
    """Sums of the squares of the last dimension in f32, in the order that kvforge's norms have: halves
    onto each other, then 8 neighbours, then all of these, the upper half onto the lower each time. Of
    up to 512 elements."""
    size = rows.shape[-1]
    half = -(-size // 16) * 8
    padded = np.zeros((*rows.shape[:-1], 2 * half), np.float32)
    padded[..., :size] = rows.astype(np.float32) ** 2
    parts = (padded[..., :half] + padded[..., half:]).reshape(*rows.shape[:-1], -1, 8)
    for width in (4, 2, 1):
        parts = parts[..., :width] + parts[..., width : 2 * width]
    sums = np.zeros((*rows.shape[:-1], 32), np.float32)
    sums[..., : parts.shape[-2]] = parts[..., 0]
    for width in (16, 8, 4, 2, 1):
        sums = sums[..., :width] + sums[..., width : 2 * width]
    return sums[..., 0]


def norm(rows: Array, weight: Array, eps: float) -> Array:
    """Rows over the root of their mean square, times a weight, rounded to the dtype of the rows."""
    mean = squares(rows) / np.float32(rows.shape[-1])
    factor = np.float32(1) / np.sqrt(mean + np.float32(eps))
    return (rows.astype(np.float32) * factor[..., None] * weight.astype(np.float32)).astype(
        rows.dtype
    )


def turn(rows: Array, table: Array, positions: Array, neox: bool) -> Array:
    """Rows [token, head, D] whose first R elements are rotated by table[position] in f32, rounded once."""
    half = table.shape[1] // 2
    angles = table[positions].astype(np.float32)[:, None]
    cos, sin = angles[..., :half], angles[..., half:]
    out = rows.astype(np.float32)
    first = slice(0, half) if neox else slice(0, 2 * half, 2)
    second = slice(half, 2 * half) if neox else slice(1, 2 * half, 2)
    x, y = out[..., first].copy(), out[..., second].copy()
    out[..., first] = x * cos - y * sin
    out[..., second] = y * cos + x * sin
    return out.astype(rows.dtype)


def rotate(rows: Array, table: Array, positions: Array, neox: bool) -> Array:
    """Rows [token, ..., R] rotated by table[position], every product and sum rounded."""
    dtype, half = rows.dtype, rows.shape[-1] // 2
    angles = table[positions].reshape(len(positions), *[1] * (rows.ndim - 2), 2 * half)
    cos, sin = angles[..., :half], angles[..., half:]
    x, y = (rows[..., :half], rows[..., half:]) if neox else (rows[..., 0::2], rows[..., 1::2])

    def product(a: Array, b: Array) -> Array:
        return (a.astype(np.float32) * b.astype(np.float32)).astype(dtype).astype(np.float32)

    out = np.empty_like(rows)
    first = (product(x, cos) - product(y, sin)).astype(dtype)
    second = (product(y, cos) + product(x, sin)).astype(dtype)
    if neox:
        out[..., :half], out[..., half:] = first, second
    else:
        out[..., 0::2], out[..., 1::2] = first, second
    return out


def encode_groups(groups: Array, top: float, scale: float) -> tuple[Array, Array, Array]:
    """E2M1 codes of groups [..., 16] whose largest elements become top, their block scales, and what
    they lose: sums of squares, of neighbours, then of pairs, and so on."""
    one = np.float32(1)
    g = one / np.float32(scale)
    stored = encode(g * (np.abs(groups).max(-1) / np.float32(top)), one)
    values = decode(stored, one)
    with np.errstate(divide="ignore"):
        m = np.where(values == 0, np.float32(0), one / (values / g))
    codes = np.clip(groups * m[..., None], -6, 6).astype(ml_dtypes.float4_e2m1fn)
    lost = (groups - codes.astype(np.float32) * (values / g)[..., None]) ** 2
    while lost.shape[-1] > 1:
        lost = lost[..., 0::2] + lost[..., 1::2]
    return codes.view(np.uint8) & 15, stored, lost[..., 0]


def encode_nvfp4(heads: Array, scale: float, chooses: bool = False) -> tuple[Array, Array]:
    """Packed E2M1 codes [..., D / 2] and E4M3 block scales [..., D / 16] of heads [..., D]; chooses:
    nvfp4_4over6."""
    groups = heads.astype(np.float32).reshape(*heads.shape[:-1], -1, 16)
    codes, stored, lost = encode_groups(groups, 6, scale)
    if chooses:
        of_4, stored_of_4, lost_of_4 = encode_groups(groups, 4, scale)
        less = lost_of_4 < lost
        codes = np.where(less[..., None], of_4, codes)
        stored = np.where(less, stored_of_4, stored)
    codes = codes.reshape(heads.shape)
    return codes[..., 0::2] | codes[..., 1::2] << 4, stored


def signs(count: int) -> Array:
    """The first of int4's signs, -1 or 1: of a Mersenne twister's words, 24 bits below one half."""
    twister = np.random.RandomState(0x9E3779B9)
    words = twister.randint(0, 1 << 32, count, dtype=np.uint32)
    return np.where(words & 0xFFFFFF < 1 << 23, np.float32(1), np.float32(-1))


def encode_int4(heads: Array) -> tuple[Array, Array]:
    """Packed codes [..., D / 2] of int4_per_token_head, and the words, of heads [..., D]."""
    size = heads.shape[-1]
    block = size & -size
    x = heads.astype(np.float32).reshape(*heads.shape[:-1], -1, block) * signs(block)
    distance = 1
    while distance < block:
        pairs = x.reshape(*x.shape[:-1], -1, 2, distance)
        low, high = pairs[..., 0, :], pairs[..., 1, :]
        x = np.stack([low + high, low - high], axis=-2).reshape(x.shape)
        distance *= 2
    y = x.reshape(heads.shape).astype(heads.dtype).astype(np.float32)
    half, last = np.float32(0.5), np.float32(15)
    low, high = np.minimum(y.min(-1), 0), np.maximum(y.max(-1), 0)
    scale = np.maximum((high - low) / last, np.float32(1e-6))
    zero = np.trunc(np.clip(-low / scale + half, 0, last))
    scaled = y * (np.float32(1) / scale)[..., None] + zero[..., None]
    codes = np.trunc(np.clip(np.maximum(scaled, 0) + half, 0, last)).astype(np.uint8)
    words = scale.view(np.uint32) & ~np.uint32(15) | zero.astype(np.uint32)
    return codes[..., 0::2] | codes[..., 1::2] << 4, words.view(np.float32)


def encode_q8_0(heads: Array) -> Array:
    """Rows [..., D / 32 * 34] of ggml's q8_0 of heads [..., D]."""
    blocks = heads.astype(np.float32).reshape(*heads.shape[:-1], -1, 32)
    scale = np.abs(blocks).max(-1, keepdims=True) / np.float32(127)
    scaled = (blocks * (np.float32(1) / scale)).astype(np.float64)
    codes = (np.sign(scaled) * np.floor(np.abs(scaled) + 0.5)).astype(np.int8)
    rows = np.concatenate([scale.astype(np.float16).view(np.uint8), codes.view(np.uint8)], axis=-1)
    return rows.reshape(*heads.shape[:-1], -1)


def attend_from(
    position: int,
    query: Array,
    keys: Array,
    values: Array,
    scale: float,
    *,
    left: int = -1,
    right: int = -1,
    softcap: float = 0.0,
    slopes: Array | None = None,
    sinks: Array | None = None,
) -> tuple[Array, Array]:
    """Attention of query [head, D], which is at `position`, over keys and values [position, kv head,
    D], in f64: [head, D], and the logarithms of what weights are divided by, [head]."""
    at = np.arange(len(keys))
    seen = np.ones(len(keys), bool)
    seen &= at >= position - left if left >= 0 else True
    seen &= at <= position + right if right >= 0 else True
    group = query.shape[0] // keys.shape[1]
    keys, values = (np.repeat(x[seen].astype(np.float64), group, axis=1) for x in (keys, values))
    scores = scale * np.einsum("hd,phd->hp", query.astype(np.float64), keys)
    if softcap:
        scores = softcap * np.tanh(scores / softcap)
    if slopes is not None:
        scores += slopes.astype(np.float64)[:, None] * (at[seen] - position)
    extra = (
        np.full((len(query), 1), -np.inf) if sinks is None else sinks.astype(np.float64)[:, None]
    )
    largest = np.concatenate([scores, extra], -1).max(-1, keepdims=True)
    largest[np.isinf(largest)] = 0
    weights = np.exp(scores - largest)
    total = weights.sum(-1, keepdims=True) + np.exp(extra - largest)
    with np.errstate(divide="ignore"):
        lse = (largest + np.log(total))[:, 0]
    total[total == 0] = 1
    return np.einsum("hp,phd->hd", weights / total, values), lse


def attend(query: Array, keys: Array, values: Array, scale: float) -> Array:
    """Attention of query [head, D] over all of keys and values [position, kv head, D], in f64."""
    return attend_from(0, query, keys, values, scale)[0]
