# Generated from templates/python/namespace.py.j2 and generator/spec/. Do not edit.
# Regenerate: python3 -m generator
"""The ops of namespace _C_cache_ops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kvforge import _arrays
from kvforge._arrays import LISTS
from kvforge._library import function

__all__ = [
    "concat_and_cache_mla",
    "concat_and_cache_mla_grouped",
    "concat_and_cache_mla_rope_fused",
    "concat_mla_q",
    "convert_fp8",
    "copy_blocks",
    "copy_blocks_mla",
    "cp_gather_and_upconvert_fp8_kv_cache",
    "cp_gather_and_upconvert_nvfp4_kv_cache",
    "cp_gather_cache",
    "cp_gather_indexer_k_quant_cache",
    "gather_and_maybe_dequant_cache",
    "gather_kv_cache",
    "hisparse_gather_compact",
    "hisparse_gather_plan",
    "hisparse_invalidate_written_slots",
    "hisparse_resolve_residency",
    "indexer_k_quant_and_cache",
    "kv_checksum",
    "kv_pack",
    "kv_relayout",
    "kv_unpack",
    "paged_attention",
    "paged_mla_decode",
    "reshape_and_cache",
    "reshape_and_cache_flash",
    "reshape_and_cache_flash_ggml",
    "reshape_and_cache_flash_layers",
    "reshape_and_cache_flash_nvfp4",
    "reshape_and_cache_flash_per_token_head",
    "rope_and_cache_flash",
    "swap_blocks",
    "swap_blocks_batch",
    "update_kv_scales",
    "zero_blocks",
]

# Any array with __dlpack__: torch.Tensor, numpy.ndarray, cupy.ndarray, jax.Array, tvm_ffi.Tensor.
Tensor = Any

_concat_and_cache_mla = function("_C_cache_ops__concat_and_cache_mla")


def concat_and_cache_mla(
    kv_c: Tensor,
    k_pe: Tensor,
    kv_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    scale: Tensor,
    skip_scale: bool = False,
    kpe_cache: Tensor | None = None,
    kpe_scale: Tensor | None = None,
    slot_remap: Tensor | None = None,
) -> None:
    """Writes the latent and the rope part of new tokens, one behind the other, to MLA pages.

    With L = kv_lora_rank, R = rope_dim, s = slot_mapping[t], block = s div block_size and
    offset = s mod block_size:
      kv_cache[block, offset, i]     = Q(kv_c[t, i], scale)  for i in [0, L)
      kv_cache[block, offset, L + j] = Q(k_pe[t, j], scale)  for j in [0, R)
    Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale in
    f32, rounds to nearest even and saturates. With skip_scale it divides by 1, and the scale is
    not read: elements that were divided by it elsewhere. With a kpe_cache, k_pe goes to a cache of
    its own:
      kv_cache[block, offset, i]  = Q(kv_c[t, i], scale)      for i in [0, L)
      kpe_cache[block, offset, j] = Q(k_pe[t, j], kpe_scale)  for j in [0, R)
    gather_and_maybe_dequant_cache reads each of the two, into slices of one tensor if that is
    wanted.

    Any L and R, 0 included. Tokens with a negative slot are skipped. The number of tokens is the
    length of slot_mapping; kv_c and k_pe may have more rows (graph padding), which are not read.
    CUDA kernels may read the rows of skipped tokens. Zero tokens are a successful no-op. Two
    tokens with one slot race.

    Three cache dtypes are row formats of their own, with L = 512, R = 64 and no kpe_cache. They
    make their scales from the elements; `scale` is not read, and skip_scale is without effect.
    amax is the largest magnitude of a group; NaNs do not count for it. All divisions are IEEE f32,
    so the CPU and CUDA give the same bits.

    fp8_ds_mla, 656 bytes, from f16 or bf16:
      bytes 0 to 511    E4M3 codes of kv_c, element / scale of its tile of 128
      bytes 512 to 527  the 4 tile scales, f32, little-endian: max(amax / 448, 1e-4), rounded
                        up to a power of two, so that readers may narrow them to bf16, or to an
                        exponent
      bytes 528 to 655  k_pe as it is, 16 bits an element; zeros for a k_pe of [num_rows, 0]
    fp8_ds_mla_f32: the same layout with max(amax / 448, 2^-126) for scales, as vLLM had it before.
    The power of two is found by the bits of the quotient. (log2 and exp2 in f32, as upstream has
    it, give the lower power for quotients a few ulp above one.)
    nvfp4_ds_mla, 352 bytes, from f32, f16 or bf16:
      bytes 0 to 255    E2M1 codes of kv_c, the even element in the low half: element *
                        (1 / scale), an IEEE division where upstream has the hardware's estimate;
                        to nearest even, saturated at 6, NaN as 6
      bytes 256 to 319  E4M3 codes of k_pe, without a scale
      bytes 320 to 351  the scales of groups of 16, E4M3: a = max(amax / 6, 2^-9), to nearest even,
                        one code up if that is below a; at most 448. Group g is byte
                        8 (g mod 4) + g div 4.

    Errors: IndexError for a slot beyond num_blocks * block_size (CPU: before anything is
    written; CUDA: that token is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's op of the same name, with its 32-bit strides, its amax over the raw
    bits of f16, and its alignment, empty-input and bounds defects corrected.
    Elsewhere: vLLM concat_and_cache_mla; mistral.rs concat_and_cache_mla; FlashInfer
    append_paged_mla_kv_cache.

    Args:
        kv_c (Tensor): [num_rows >= num_tokens, kv_lora_rank], f32, f16 or bf16, any strides
        k_pe (Tensor): [num_rows >= num_tokens, rope_dim], the dtype of kv_c, any strides; rope_dim
            may be 0, but for nvfp4_ds_mla
        kv_cache (Tensor!): [num_blocks, block_size, kv_lora_rank + rope_dim], the cache dtype
            (uint8 or float8 for fp8), any strides; beside a kpe_cache [num_blocks, block_size,
            kv_lora_rank]; for a row format [num_blocks, block_size, 656 or 352], uint8, rows
            without gaps
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
            token
        kv_cache_dtype (str): 'auto' (the dtype of kv_c), 'fp8', 'fp8_e4m3', 'fp8_e5m2',
            'fp8_ds_mla', 'fp8_ds_mla_f32' or 'nvfp4_ds_mla'
        scale (Tensor): f32, one element; the cache holds element / scale, for kv_c and k_pe alike;
            not read unless the cache is fp8_e4m3 or fp8_e5m2
        skip_scale (bool): whether elements are stored as they are, not divided; the scale is not
            read
        kpe_cache (Tensor!?): [num_blocks, block_size, rope_dim], the dtype of kv_cache, any
            strides; both may be slices of one tensor; None: k_pe goes behind kv_c, into kv_cache
        kpe_scale (Tensor?): as scale, for kpe_cache; None: scale
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor
            slot_mapping, str kv_cache_dtype, Tensor scale, bool skip_scale=False, Tensor!?
            kpe_cache=None, Tensor? kpe_scale=None, Tensor? slot_remap=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("concat_and_cache_mla: kv_cache_dtype", kv_cache_dtype)
    if (
        type(kv_c) is type(k_pe) is type(kv_cache) is type(slot_mapping) is type(scale) is
        _arrays.TENSOR and (kpe_cache is None or type(kpe_cache) is _arrays.TENSOR) and (kpe_scale
        is None or type(kpe_scale) is _arrays.TENSOR) and (slot_remap is None or type(slot_remap)
        is _arrays.TENSOR)
    ) and _concat_and_cache_mla(
        kv_c._cdata, k_pe._cdata, kv_cache._cdata, slot_mapping._cdata, kv_cache_dtype,
        scale._cdata, skip_scale, None if kpe_cache is None else kpe_cache._cdata, None if
        kpe_scale is None else kpe_scale._cdata, None if slot_remap is None else slot_remap._cdata,
        True,
    ) is None:
        return
    _arrays.adapt(
        concat_and_cache_mla,
        _concat_and_cache_mla,
        ("kv_cache", "kpe_cache"),
        ("kv_cache", "kpe_cache"),
        (
            kv_c, k_pe, kv_cache, slot_mapping, kv_cache_dtype, scale, skip_scale, kpe_cache,
            kpe_scale, slot_remap,
        ),
    )


_concat_and_cache_mla_grouped = function("_C_cache_ops__concat_and_cache_mla_grouped")


def concat_and_cache_mla_grouped(
    kv_c: Tensor,
    k_pe: Tensor,
    kv_cache_ptrs: Tensor,
    slot_mapping: Tensor,
    block_size: int,
    block_stride: int,
    entry_stride: int,
    kv_scales: Tensor | None = None,
    kv_cache_dtype: str = 'auto',
    num_blocks: int = -1,
    slot_remap: Tensor | None = None,
) -> None:
    """Writes the latent and the rope part of new tokens to the MLA pages of several layers.

    With L = kv_lora_rank, R = rope_dim, s = slot_mapping[n, t], row the address kv_cache_ptrs[n]
    plus (s div block_size) * block_stride + (s mod block_size) * entry_stride cache elements:
      row[i]     = Q(kv_c[n, t, i], kv_scales[n])  for i in [0, L)
      row[L + j] = Q(k_pe[n, t, j], kv_scales[n])  for j in [0, R)
    Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale in
    f32, rounds to nearest even and saturates. All layers share block_size and strides, and are
    written in one launch. Any L and R, 0 included. Tokens with a negative slot are skipped. The
    number of tokens is that of slot_mapping; kv_c and k_pe may have more rows, which are not read.
    CUDA kernels may read the rows of skipped tokens. Zero layers or tokens are a successful no-op.
    Two tokens of a layer with one slot race.

    The caches are known by address alone, so only the caller can say how many pages they have:
    with num_blocks, slots are checked as in concat_and_cache_mla; with -1 they are trusted.

    Errors: IndexError for a slot beyond num_blocks * block_size (CPU: before anything is
    written; CUDA: that token is skipped and counted, see kvforge.faults). An address that is 0 or
    no multiple of the element size is refused on the CPU; on CUDA each token of that layer is
    skipped and counted, unless its slot is negative.
    Source of the rule: vLLM's op of the same name, with every scalar dtype and num_blocks added.
    Elsewhere: vLLM concat_and_cache_mla_grouped.

    Args:
        kv_c (Tensor): [num_layers, num_rows >= num_tokens, kv_lora_rank], f32, f16 or bf16, any
            strides
        k_pe (Tensor): [num_layers, num_rows >= num_tokens, rope_dim], the dtype of kv_c, any
            strides
        kv_cache_ptrs (Tensor): [num_layers], int64, any stride: address of each layer's cache, in
            the memory that the other tensors are in
        slot_mapping (Tensor): [num_layers, num_tokens], int64 or int32, any strides (0 for one row
            that all layers share); a negative slot skips its token
        block_size (int): tokens in a page
        block_stride (int): distance of two pages, in cache elements; at least kv_lora_rank +
            rope_dim
        entry_stride (int): distance of two tokens, likewise
        kv_scales (Tensor?): [num_layers], f32, any stride; layer n holds element / kv_scales[n];
            required for fp8 and absent otherwise
        kv_cache_dtype (str): 'auto' (the dtype of kv_c), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'
        num_blocks (int): pages in each cache; -1 when slots need no check
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::concat_and_cache_mla_grouped(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs,
            Tensor slot_mapping, int block_size, int block_stride, int entry_stride, Tensor?
            kv_scales=None, str kv_cache_dtype='auto', int num_blocks=-1, Tensor? slot_remap=None)
            -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("concat_and_cache_mla_grouped: kv_cache_dtype", kv_cache_dtype)
    if (
        type(kv_c) is type(k_pe) is type(kv_cache_ptrs) is type(slot_mapping) is _arrays.TENSOR and
        (kv_scales is None or type(kv_scales) is _arrays.TENSOR) and (slot_remap is None or
        type(slot_remap) is _arrays.TENSOR)
    ) and _concat_and_cache_mla_grouped(
        kv_c._cdata, k_pe._cdata, kv_cache_ptrs._cdata, slot_mapping._cdata, block_size,
        block_stride, entry_stride, None if kv_scales is None else kv_scales._cdata,
        kv_cache_dtype, num_blocks, None if slot_remap is None else slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        concat_and_cache_mla_grouped,
        _concat_and_cache_mla_grouped,
        (),
        ("kv_c",),
        (
            kv_c, k_pe, kv_cache_ptrs, slot_mapping, block_size, block_stride, entry_stride,
            kv_scales, kv_cache_dtype, num_blocks, slot_remap,
        ),
    )


_concat_and_cache_mla_rope_fused = function("_C_cache_ops__concat_and_cache_mla_rope_fused")


def concat_and_cache_mla_rope_fused(
    positions: Tensor,
    q_pe: Tensor,
    k_pe: Tensor,
    kv_c: Tensor,
    cos_sin_cache: Tensor,
    is_neox: bool,
    slot_mapping: Tensor,
    kv_cache: Tensor,
    kv_cache_dtype: str,
    kv_cache_scale: Tensor,
    rotate_skipped: bool = False,
    slot_remap: Tensor | None = None,
) -> None:
    """Rotates queries and keys by their positions and writes the keys to MLA pages.

    With L = kv_lora_rank, R = rope_dim, cos = cos_sin_cache[positions[t], i] and
    sin = cos_sin_cache[positions[t], R / 2 + i], for i in [0, R / 2):
      (x, y) are elements i and R / 2 + i of a row if is_neox, else 2 i and 2 i + 1, and become
      x' = x * cos - y * sin
      y' = y * cos + x * sin
    Products, sums and differences are made in f32, none of them fused, so the CPU and CUDA give
    the same bits. With cos_sin_cache of the scalar dtype each is rounded to it (three roundings
    for an element of f16 or bf16); with one of f32 next to f16 or bf16 the end alone is. A NaN is
    0x7FFF, or 0x7FFFFFFF in f32.

    q_pe and k_pe are rotated in place, and k_pe is written behind kv_c, with s = slot_mapping[t],
    block = s div block_size and offset = s mod block_size:
      kv_cache[block, offset, i]     = Q(kv_c[t, i], kv_cache_scale)  for i in [0, L)
      kv_cache[block, offset, L + j] = Q(k_pe[t, j], kv_cache_scale)  for j in [0, R), rotated
    Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale in
    f32, rounds to nearest even and saturates. A token with a negative slot is left alone, and its
    position is not looked at (graph padding); with rotate_skipped its queries are rotated all the
    same, as a rank needs that keeps the keys of some tokens alone. The number of tokens is the
    length of slot_mapping; the other tensors may have more rows, which are left alone. CUDA
    kernels may read the rows of skipped tokens. Any L, any even R, any number of heads, 0
    included. Zero tokens are a successful no-op. Two tokens with one slot race.

    Errors: IndexError for a position that is looked at and no row of cos_sin_cache, and for a
    slot beyond num_blocks * block_size (CPU: before anything is written; CUDA: counted, see
    kvforge.faults, and the token is treated as one with a negative slot, or left alone for its
    position).
    Source of the rule: vLLM's op of the same name, with its 32-bit strides and its empty-input and
    bounds defects corrected. Before 0.33 it rotated the queries of all tokens.
    Elsewhere: vLLM concat_and_cache_mla_rope_fused.

    Args:
        positions (Tensor): [>= num_tokens], int64 or int32, any stride
        q_pe (Tensor!): [num_rows >= num_tokens, num_heads, rope_dim], f32, f16 or bf16, any
            strides
        k_pe (Tensor!): [num_rows, rope_dim], the dtype of q_pe, any strides
        kv_c (Tensor): [num_rows, kv_lora_rank], the dtype of q_pe, any strides
        cos_sin_cache (Tensor): [num_positions, rope_dim], the dtype of q_pe or f32, any strides; a
            row is the cosines of all pairs and behind them the sines
        is_neox (bool): pairs are halves of a row (GPT-NeoX), else neighbours (GPT-J)
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
            token
        kv_cache (Tensor!): [num_blocks, block_size, kv_lora_rank + rope_dim], the cache dtype
            (uint8 or float8 for fp8), any strides
        kv_cache_dtype (str): 'auto' (the dtype of q_pe), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'
        kv_cache_scale (Tensor): f32, one element; the cache holds element / scale, for kv_c and
            k_pe alike; not read when the cache holds the scalar dtype
        rotate_skipped (bool): whether queries of tokens with a negative slot are rotated, too
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::concat_and_cache_mla_rope_fused(Tensor positions, Tensor! q_pe, Tensor! k_pe,
            Tensor kv_c, Tensor cos_sin_cache, bool is_neox, Tensor slot_mapping, Tensor! kv_cache,
            str kv_cache_dtype, Tensor kv_cache_scale, bool rotate_skipped=False, Tensor?
            slot_remap=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("concat_and_cache_mla_rope_fused: kv_cache_dtype", kv_cache_dtype)
    if (
        type(positions) is type(q_pe) is type(k_pe) is type(kv_c) is type(cos_sin_cache) is
        type(slot_mapping) is type(kv_cache) is type(kv_cache_scale) is _arrays.TENSOR and
        (slot_remap is None or type(slot_remap) is _arrays.TENSOR)
    ) and _concat_and_cache_mla_rope_fused(
        positions._cdata, q_pe._cdata, k_pe._cdata, kv_c._cdata, cos_sin_cache._cdata, is_neox,
        slot_mapping._cdata, kv_cache._cdata, kv_cache_dtype, kv_cache_scale._cdata,
        rotate_skipped, None if slot_remap is None else slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        concat_and_cache_mla_rope_fused,
        _concat_and_cache_mla_rope_fused,
        ("q_pe", "k_pe", "kv_cache"),
        ("q_pe", "k_pe", "kv_cache"),
        (
            positions, q_pe, k_pe, kv_c, cos_sin_cache, is_neox, slot_mapping, kv_cache,
            kv_cache_dtype, kv_cache_scale, rotate_skipped, slot_remap,
        ),
    )


_concat_mla_q = function("_C_cache_ops__concat_mla_q")


def concat_mla_q(
    ql_nope: Tensor,
    q_pe: Tensor,
    q_out: Tensor,
) -> None:
    """Joins the latent and the rope half of MLA queries, head by head.

    For every token t and head h, with N = nope_dim and R = rope_dim:
      q_out[t, h, 0 .. N - 1]     = ql_nope[t, h, :]
      q_out[t, h, N .. N + R - 1] = q_pe[t, h, :]
    Bits are copied, NaN payloads too. Any N and R, either of which may be 0, and any token and
    head strides, each tensor with its own (a transposed ql_nope, or a q_pe that is cut out of
    longer rows, needs no copy). q_out may have more heads than the other two, as attention kernels
    want that are built for a number of heads; those behind are left as they are. q_out must not
    overlap
    the others. Zero tokens are a successful no-op.

    Errors: ValueError for elements of a head that are not neighbours.
    Source of the rule: vLLM's op of the same name, without its limits on N and R (and the wrong
    result for N = 1024), on the dtype and on alignment.
    Elsewhere: vLLM concat_mla_q.

    Args:
        ql_nope (Tensor): [num_tokens, num_heads, nope_dim], f32, f16 or bf16; stride of dimension
            2 is 1
        q_pe (Tensor): [num_tokens, num_heads, rope_dim], the dtype of ql_nope; stride of dimension
            2 is 1
        q_out (Tensor!): [num_tokens, >= num_heads, nope_dim + rope_dim], the dtype of ql_nope;
            stride of dimension 2 is 1

    Schema:
        _C_cache_ops::concat_mla_q(Tensor ql_nope, Tensor q_pe, Tensor! q_out) -> ()
    """
    if (
        type(ql_nope) is type(q_pe) is type(q_out) is _arrays.TENSOR
    ) and _concat_mla_q(
        ql_nope._cdata, q_pe._cdata, q_out._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        concat_mla_q,
        _concat_mla_q,
        ("q_out",),
        ("q_out",),
        (
            ql_nope, q_pe, q_out,
        ),
    )


_convert_fp8 = function("_C_cache_ops__convert_fp8")


def convert_fp8(
    dst_cache: Tensor,
    src_cache: Tensor,
    scale: float = 1.0,
    kv_cache_dtype: str = 'fp8',
) -> None:
    """Converts a tensor of any shape to fp8, from fp8, or from one float dtype to another.

    For every i, with the elements of both tensors numbered from the last dimension on:
      floats to fp8:    dst[i] = Q(src[i] / scale)
      fp8 to floats:    dst[i] = float(src[i]) * scale
      floats to floats: dst[i] = src[i] in the other dtype
    Q rounds to nearest even and saturates, and every NaN becomes 0x7F. Everything else rounds to
    nearest even once, from f32, overflows to infinity, and has one NaN per dtype: 0x7FFFFFFF,
    0x7FFF. Division and product are those of f32, so the scale is narrowed to f32 first. In the
    dispatch table the scalar dtype is the source's, the cache dtype the destination's.

    kv_cache_dtype names the format of the side that holds codes: 'fp8' and 'fp8_e4m3' E4M3,
    'fp8_e5m2' E5M2; a side whose dtype is float8 must agree with it. 'auto' names none and is
    refused. Between float dtypes there are no codes: kv_cache_dtype is 'auto' or names the
    destination's dtype, and scale must be 1.

    The shapes may differ, with equally many elements: both are cut into pieces that they have in
    common, which there always are if one of them has no gaps. Any strides, of up to 5 such pieces
    that neither are of size 1 nor can be joined with another one, in both tensors alike; permuted
    tensors are as fast as contiguous ones. Empty tensors are a successful no-op. The tensors must
    not overlap.

    Errors: TypeError when neither side holds floats, NotImplementedError for too many pieces, or
    none in common.
    Source of the rule: vLLM's op of the same name, with 'auto' refused, E5M2 added, numbers of
    elements compared and strides honoured.
    Elsewhere: vLLM convert_fp8.

    Args:
        dst_cache (Tensor!): as many elements as src_cache; f32, f16, bf16, or codes as uint8 or
            float8; any strides
        src_cache (Tensor): any shape; f32, f16, bf16, or codes as uint8 or float8; any strides
        scale (float): what codes are multiplied with to become values; positive, finite and normal
            as f32 (2^-126 to 3.4e38)
        kv_cache_dtype (str): 'fp8', 'fp8_e4m3' or 'fp8_e5m2'; between floats 'auto' or the name of
            the dtype of dst_cache

    Schema:
        _C_cache_ops::convert_fp8(Tensor! dst_cache, Tensor src_cache, float scale=1.0, str
            kv_cache_dtype='fp8') -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("convert_fp8: kv_cache_dtype", kv_cache_dtype)
    if (
        type(dst_cache) is type(src_cache) is _arrays.TENSOR
    ) and _convert_fp8(
        dst_cache._cdata, src_cache._cdata, scale, kv_cache_dtype, True,
    ) is None:
        return
    _arrays.adapt(
        convert_fp8,
        _convert_fp8,
        ("dst_cache",),
        ("dst_cache",),
        (
            dst_cache, src_cache, scale, kv_cache_dtype,
        ),
    )


_copy_blocks = function("_C_cache_ops__copy_blocks")


def copy_blocks(
    key_caches: Sequence[Tensor],
    value_caches: Sequence[Tensor],
    block_mapping: Tensor,
) -> None:
    """Copies pages within the key and value caches of all layers, in one launch.

    For every pair (source, target) = block_mapping[i] and every layer:
      key_caches[layer][target]   = key_caches[layer][source]
      value_caches[layer][target] = value_caches[layer][source]
    Pairs take effect in the order of the list, on both backends: with (0, 1), (1, 2) block 2 gets
    what block 0 held, with (1, 2), (0, 1) what block 1 held, and of two pairs with one target the
    last one wins. Pairs that have nothing to do with each other are copied side by side. A pair
    with a negative block is skipped, so that a captured list can be padded. No pairs or no layers
    are a successful no-op.

    On CUDA the addresses of up to 240 tensors travel in the launch parameters: nothing is
    allocated or waited for, block_mapping is read on the device, and the call can be captured in a
    CUDA graph. More tensors, pages of several sizes, or more than 16,384 pairs are several
    launches: 1,024 pairs where there are more than 131,072 blocks, or an address, stride or page
    is no multiple of 16 bytes.

    Errors: IndexError for a block beyond num_blocks (CPU: before anything is written; CUDA: that
    pair is skipped and counted once, see kvforge.faults), whatever the pair's other block is.
    RuntimeError when a launch fails; those before it stay on the stream, and the sentence says so
    ("enqueued: 240 of 300 tensors").
    Source of the rule: vLLM's op of the same name (until 2025), with its host synchronisation, its
    race between chained pairs, its 32-bit sizes and its missing bounds checks corrected.
    Elsewhere: vLLM to 0.13 copy_blocks; mistral.rs copy_blocks_bf16 to copy_blocks_u8.

    Args:
        key_caches (Tensor(a!)[]): one per layer, [num_blocks, ...] each, any dtype of whole bytes;
            num_blocks is the same in all; a page has no gaps, but its dimensions may be in any
            order and pages any distance apart; no page of a tensor overlaps one of another
        value_caches (Tensor[](b!)): as key_caches, as many; pages may have another size than those
            of keys
        block_mapping (Tensor): [num_pairs, 2], int64 or int32, any strides, on the device of the
            caches; source and target of each pair

    Schema:
        _C_cache_ops::copy_blocks(Tensor(a!)[] key_caches, Tensor[](b!) value_caches, Tensor
            block_mapping) -> ()
    """
    if type(key_caches) not in LISTS:
        _arrays.check_list("copy_blocks: key_caches", key_caches)
    if type(value_caches) not in LISTS:
        _arrays.check_list("copy_blocks: value_caches", value_caches)
    if (
        type(block_mapping) is _arrays.TENSOR
    ) and _copy_blocks(
        _arrays.handles(key_caches), _arrays.handles(value_caches), block_mapping._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        copy_blocks,
        _copy_blocks,
        ("key_caches", "value_caches"),
        ("key_caches", "value_caches"),
        (
            key_caches, value_caches, block_mapping,
        ),
    )


_copy_blocks_mla = function("_C_cache_ops__copy_blocks_mla")


def copy_blocks_mla(
    kv_caches: Sequence[Tensor],
    block_mapping: Tensor,
) -> None:
    """Copies pages within the joint caches of all layers, in one launch.

    For every pair (source, target) = block_mapping[i] and every layer:
      kv_caches[layer][target] = kv_caches[layer][source]
    Everything else is as in copy_blocks: pairs take effect in the order of the list, a pair with a
    negative block is skipped, and the call can be captured in a CUDA graph.

    Errors: IndexError for a block beyond num_blocks (CPU: before anything is written; CUDA: that
    pair is skipped and counted once, see kvforge.faults). RuntimeError as in
    copy_blocks.
    Source of the rule: vLLM's op of the same name (until 2025), with the defects of copy_blocks
    corrected.
    Elsewhere: vLLM to 0.13 copy_blocks_mla.

    Args:
        kv_caches (Tensor(a!)[]): one per layer, [num_blocks, ...] each, any dtype of whole bytes;
            num_blocks is the same in all; a page has no gaps, but its dimensions may be in any
            order and pages any distance apart; no page of a tensor overlaps one of another
        block_mapping (Tensor): [num_pairs, 2], int64 or int32, any strides, on the device of the
            caches; source and target of each pair

    Schema:
        _C_cache_ops::copy_blocks_mla(Tensor(a!)[] kv_caches, Tensor block_mapping) -> ()
    """
    if type(kv_caches) not in LISTS:
        _arrays.check_list("copy_blocks_mla: kv_caches", kv_caches)
    if (
        type(block_mapping) is _arrays.TENSOR
    ) and _copy_blocks_mla(
        _arrays.handles(kv_caches), block_mapping._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        copy_blocks_mla,
        _copy_blocks_mla,
        ("kv_caches",),
        ("kv_caches",),
        (
            kv_caches, block_mapping,
        ),
    )


_cp_gather_and_upconvert_fp8_kv_cache = function("_C_cache_ops__cp_gather_and_upconvert_fp8_kv_cache")


def cp_gather_and_upconvert_fp8_kv_cache(
    src_cache: Tensor,
    dst: Tensor,
    block_table: Tensor,
    workspace_starts: Tensor,
    batch_size: int,
    seq_starts: Tensor | None = None,
    host_cache: Tensor | None = None,
    host_row_ids: Tensor | None = None,
    device_row_ids: Tensor | None = None,
    seq_lens: Tensor | None = None,
) -> None:
    """Gathers fp8_ds_mla rows of sequences from pages and turns them into floats.

    Sequence b < batch_size has the rows from workspace_starts[b] up to workspace_starts[b + 1],
    the last one up to the end of dst; no more than seq_lens[b] of them, if there is a seq_lens.
    For row j of it, with p = j - workspace_starts[b] + seq_starts[b] and r = row p mod block_size
    of page
    block_table[b, p div block_size]:
      dst[j, i] = E4M3(r[i]) * scale(r, i div 128)       0 <= i < 512, scales: 4 f32 at byte 512
      dst[j, i] = 16 bits at byte 528 + 2 * (i - 512)    512 <= i < 576
    The product is one of f32, rounded to nearest even once, overflows to infinity, and has one NaN
    per dtype: 0x7FFFFFFF, 0x7FFF. The 16 bits of the rope part are copied into f16 and bf16, so
    the cache must have been filled from that dtype; for f32 they are taken as bf16 and widened.
    Scales may be any f32, so caches of either scale contract (fp8_ds_mla, fp8_ds_mla_f32) are
    read. Other rows, in front of workspace_starts[0] and between sequences, are left as they are.
    Zero rows are a successful no-op.

    With a host_cache, pages of block_table are virtual: with v = block_table[b, p div block_size]
    * block_size + p mod block_size, the row r is that of src_cache at d = device_row_ids[v], which
    is row d mod block_size of page d div block_size, or where d is negative row host_row_ids[v] of
    host_cache. On CUDA the kernel reads host_cache where it is, over the bus; so it must be
    pinned.

    Upstream's schema has no seq_lens since late 2026; before, it had seq_lens in front of
    workspace_starts, and no seq_starts. Here they are one op, and a binding to torch can register
    the one signature or the other.

    Errors: IndexError for a page that is not in the cache or not in the table (CPU: before
    anything is written; CUDA: that row is skipped and counted, see kvforge.faults).
    The same for a v, d or row of the host that is not there (CUDA: the row of dst is cleared, as
    it is with a host_cache for a page that is not in the table or beyond the maps). ValueError for
    some of host_cache, host_row_ids and device_row_ids without the others.
    Source of the rule: vLLM's op of the same name, with E5M2 tensors refused and its destinations,
    its 32-bit offsets, its alignment and its bounds defects corrected.
    Elsewhere: vLLM cp_gather_and_upconvert_fp8_kv_cache.

    Args:
        src_cache (Tensor): [num_blocks, block_size, 656], uint8 or float8_e4m3fn; stride of
            dimension 2 is 1
        dst (Tensor!): [num_rows, 576], f32, f16 or bf16; stride of dimension 1 is 1; less than
            2^31 rows
        block_table (Tensor): [>= batch_size, width], int32 or int64, stride of dimension 1 is 1:
            the page of each part of a sequence
        workspace_starts (Tensor): [>= batch_size], int32, contiguous, ascending: first row of each
            sequence
        batch_size (int): sequences to gather
        seq_starts (Tensor?): [>= batch_size], int32, contiguous: position of a sequence's first
            row, in tokens, any number of them; None for 0
        host_cache (Tensor?): [num_host_rows, 656], uint8 or float8_e4m3fn, in host memory, pinned
            for CUDA; stride of dimension 1 is 1; None: all rows are in src_cache
        host_row_ids (Tensor?): [num_virtual_rows], of rank 1 or 2, int32, contiguous: row of
            host_cache; looked at where device_row_ids is negative
        device_row_ids (Tensor?): as host_row_ids: row of src_cache, or a negative number for none
        seq_lens (Tensor?): [>= batch_size], int32, contiguous: rows of a sequence at most; None
            for all

    Schema:
        _C_cache_ops::cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, Tensor
            block_table, Tensor workspace_starts, int batch_size, Tensor? seq_starts=None, Tensor?
            host_cache=None, Tensor? host_row_ids=None, Tensor? device_row_ids=None, Tensor?
            seq_lens=None) -> ()
    """
    if (
        type(src_cache) is type(dst) is type(block_table) is type(workspace_starts) is
        _arrays.TENSOR and (seq_starts is None or type(seq_starts) is _arrays.TENSOR) and
        (host_cache is None or type(host_cache) is _arrays.TENSOR) and (host_row_ids is None or
        type(host_row_ids) is _arrays.TENSOR) and (device_row_ids is None or type(device_row_ids)
        is _arrays.TENSOR) and (seq_lens is None or type(seq_lens) is _arrays.TENSOR)
    ) and _cp_gather_and_upconvert_fp8_kv_cache(
        src_cache._cdata, dst._cdata, block_table._cdata, workspace_starts._cdata, batch_size, None
        if seq_starts is None else seq_starts._cdata, None if host_cache is None else
        host_cache._cdata, None if host_row_ids is None else host_row_ids._cdata, None if
        device_row_ids is None else device_row_ids._cdata, None if seq_lens is None else
        seq_lens._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        cp_gather_and_upconvert_fp8_kv_cache,
        _cp_gather_and_upconvert_fp8_kv_cache,
        ("dst",),
        ("dst",),
        (
            src_cache, dst, block_table, workspace_starts, batch_size, seq_starts, host_cache,
            host_row_ids, device_row_ids, seq_lens,
        ),
    )


_cp_gather_and_upconvert_nvfp4_kv_cache = function("_C_cache_ops__cp_gather_and_upconvert_nvfp4_kv_cache")


def cp_gather_and_upconvert_nvfp4_kv_cache(
    src_cache: Tensor,
    dst: Tensor,
    block_table: Tensor,
    workspace_starts: Tensor,
    batch_size: int,
) -> None:
    """Gathers nvfp4_ds_mla rows of sequences from pages and turns them into floats.

    Sequence b < batch_size has the rows from workspace_starts[b] up to workspace_starts[b + 1],
    the last one up to the end of dst. For row j of it, with p = j - workspace_starts[b] and r =
    row p mod block_size of page block_table[b, p div block_size]:
      dst[j, i] = E2M1(r, i) * E4M3(r[320 + 8 * (g mod 4) + g div 4])    0 <= i < 512, g = i div 16
      dst[j, i] = E4M3(r[256 + i - 512])                                 512 <= i < 576
    Code i < 512 is the low half of byte i div 2 for even i, else the high half. No result needs
    rounding in any of the three dtypes; a NaN is 0x7FFFFFFF or 0x7FFF. Rows in front of
    workspace_starts[0] are left as they are. Zero rows are a successful no-op.

    Errors: IndexError for a page that is not in the cache or not in the table (CPU: before
    anything is written; CUDA: that row is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's op of the same name, on every GPU and the CPU, with its
    destinations, its alignment and its bounds defects corrected.
    Elsewhere: vLLM cp_gather_and_upconvert_nvfp4_kv_cache.

    Args:
        src_cache (Tensor): [num_blocks, block_size, 352], uint8; stride of dimension 2 is 1
        dst (Tensor!): [num_rows, 576], f32, f16 or bf16; stride of dimension 1 is 1; less than
            2^31 rows
        block_table (Tensor): [>= batch_size, width], int32 or int64, stride of dimension 1 is 1:
            the page of each part of a sequence
        workspace_starts (Tensor): [>= batch_size], int32, contiguous, ascending: first row of each
            sequence
        batch_size (int): sequences to gather

    Schema:
        _C_cache_ops::cp_gather_and_upconvert_nvfp4_kv_cache(Tensor src_cache, Tensor! dst, Tensor
            block_table, Tensor workspace_starts, int batch_size) -> ()
    """
    if (
        type(src_cache) is type(dst) is type(block_table) is type(workspace_starts) is
        _arrays.TENSOR
    ) and _cp_gather_and_upconvert_nvfp4_kv_cache(
        src_cache._cdata, dst._cdata, block_table._cdata, workspace_starts._cdata, batch_size,
        True,
    ) is None:
        return
    _arrays.adapt(
        cp_gather_and_upconvert_nvfp4_kv_cache,
        _cp_gather_and_upconvert_nvfp4_kv_cache,
        ("dst",),
        ("dst",),
        (
            src_cache, dst, block_table, workspace_starts, batch_size,
        ),
    )


_cp_gather_cache = function("_C_cache_ops__cp_gather_cache")


def cp_gather_cache(
    src_cache: Tensor,
    dst: Tensor,
    block_table: Tensor,
    cu_seq_lens: Tensor,
    batch_size: int,
    seq_starts: Tensor | None = None,
) -> None:
    """Gathers the rows of sequences from pages, bits as they are.

    For row j of sequence b < batch_size, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with
    p = j - cu_seq_lens[b] + seq_starts[b]:
      dst[j, ...] = src_cache[block_table[b, p div block_size], p mod block_size, ...]
    The number of rows is dst's size; numbers of cu_seq_lens beyond it mean the same as it. Rows
    that no sequence has, in front of cu_seq_lens[0] or from cu_seq_lens[batch_size] on, are left
    as they are. Zero rows are a successful no-op. Any dtype of whole bytes and any entry size:
    bytes are moved, 16 at a time where alignment allows, whole pages at once on the CPU where both
    sides are dense.

    Errors: IndexError for a page that is not in the cache or not in the table (CPU: before
    anything is written; CUDA: that row is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's op of the same name, with its 32-bit offsets, its element widths,
    its alignment and its bounds defects corrected.
    Elsewhere: vLLM cp_gather_cache.

    Args:
        src_cache (Tensor): [num_blocks, block_size, ...], any dtype; dimensions from 2 on are
            contiguous
        dst (Tensor!): [num_rows, ...], dtype and bytes of a row as src_cache; dimensions from 1 on
            are contiguous; less than 2^31 rows
        block_table (Tensor): [>= batch_size, width], int32 or int64, stride of dimension 1 is 1:
            the page of each part of a sequence
        cu_seq_lens (Tensor): [>= batch_size + 1], int32, contiguous, ascending: first row of each
            sequence
        batch_size (int): sequences to gather
        seq_starts (Tensor?): [>= batch_size], int32, contiguous: position of a sequence's first
            row, in tokens, any number of them; None for 0

    Schema:
        _C_cache_ops::cp_gather_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor
            cu_seq_lens, int batch_size, Tensor? seq_starts=None) -> ()
    """
    if (
        type(src_cache) is type(dst) is type(block_table) is type(cu_seq_lens) is _arrays.TENSOR
        and (seq_starts is None or type(seq_starts) is _arrays.TENSOR)
    ) and _cp_gather_cache(
        src_cache._cdata, dst._cdata, block_table._cdata, cu_seq_lens._cdata, batch_size, None if
        seq_starts is None else seq_starts._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        cp_gather_cache,
        _cp_gather_cache,
        ("dst",),
        ("dst",),
        (
            src_cache, dst, block_table, cu_seq_lens, batch_size, seq_starts,
        ),
    )


_cp_gather_indexer_k_quant_cache = function("_C_cache_ops__cp_gather_indexer_k_quant_cache")


def cp_gather_indexer_k_quant_cache(
    kv_cache: Tensor,
    dst_k: Tensor,
    dst_scale: Tensor,
    block_table: Tensor,
    cu_seq_lens: Tensor,
) -> None:
    """Gathers the quantised indexer keys of sequences, and their scales, from pages.

    For row j of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with p = j - cu_seq_lens[b],
    offset = p mod block_size, D = head_dim, n = scales of a token, and P the bytes of page
    block_table[b, p div block_size]:
      dst_k[j, :]     = P[offset * D .. offset * D + D - 1]
      dst_scale[j, :] = P[block_size * D + 4 * offset * n ..], 4 * n bytes
    Bytes are copied. Rows that no sequence has, in front of cu_seq_lens[0] or from the last
    element of cu_seq_lens on, are left as they are. Zero rows are a successful no-op: no index is
    looked at then.

    The group size is not an argument: dst_scale tells n, and head_dim must be a multiple of it.

    Errors: ValueError for destination rows or pages whose bytes are not neighbours;
    IndexError for a page that is not in the cache or not in the table (CPU: before anything is
    written; CUDA: that row is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's op of the same name, with its contiguous destinations, its groups of
    128 and more, its alignment and its bounds defects corrected.
    Elsewhere: vLLM cp_gather_indexer_k_quant_cache.

    Args:
        kv_cache (Tensor): [num_blocks, block_size, head_dim + 4 * n], uint8 or float8_e4m3fn; any
            page stride, the bytes of a page dense
        dst_k (Tensor!): [num_rows, head_dim], uint8 or float8_e4m3fn; any row stride, rows dense
        dst_scale (Tensor!): [num_rows, 4 * n], uint8, or [num_rows, n], f32; any row stride, rows
            dense
        block_table (Tensor): [num_sequences, width], int32 or int64; any stride of sequences
        cu_seq_lens (Tensor): [num_sequences + 1], int32, ascending: the first row of each sequence

    Schema:
        _C_cache_ops::cp_gather_indexer_k_quant_cache(Tensor kv_cache, Tensor! dst_k, Tensor!
            dst_scale, Tensor block_table, Tensor cu_seq_lens) -> ()
    """
    if (
        type(kv_cache) is type(dst_k) is type(dst_scale) is type(block_table) is type(cu_seq_lens)
        is _arrays.TENSOR
    ) and _cp_gather_indexer_k_quant_cache(
        kv_cache._cdata, dst_k._cdata, dst_scale._cdata, block_table._cdata, cu_seq_lens._cdata,
        True,
    ) is None:
        return
    _arrays.adapt(
        cp_gather_indexer_k_quant_cache,
        _cp_gather_indexer_k_quant_cache,
        ("dst_k", "dst_scale"),
        ("dst_k", "dst_scale"),
        (
            kv_cache, dst_k, dst_scale, block_table, cu_seq_lens,
        ),
    )


_gather_and_maybe_dequant_cache = function("_C_cache_ops__gather_and_maybe_dequant_cache")


def gather_and_maybe_dequant_cache(
    src_cache: Tensor,
    dst: Tensor,
    block_table: Tensor,
    cu_seq_lens: Tensor,
    token_to_seq: Tensor,
    num_tokens: int,
    kv_cache_dtype: str,
    scale: Tensor,
    seq_starts: Tensor | None = None,
) -> None:
    """Gathers the rows of sequences from pages and turns fp8 codes back into floats.

    For row j < num_tokens of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with
    p = j - cu_seq_lens[b] + seq_starts[b]:
      dst[j, :] = DQ(src_cache[block_table[b, p div block_size], p mod block_size, :], scale)
    DQ copies the bits when the cache holds the dtype of dst; fp8 is multiplied by the scale in f32
    and rounded to nearest even once, overflows to infinity, and has one NaN per dtype: 0x7FFFFFFF,
    0x7FFF. Rows that no sequence has, in front of cu_seq_lens[0] or from the last element of
    cu_seq_lens on, are left as they are. Zero tokens are a successful no-op. Any entry_size and
    any alignment.

    token_to_seq saves the search for a row's sequence and is no more than a hint: where it does
    not name the sequence that cu_seq_lens gives, the search is done.

    Errors: IndexError for a page that is not in the cache or not in the table (CPU: before
    anything is written; CUDA: that row is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's op of the same name, with its limits on the entry size, its
    alignment, its bounds and its empty-input defects corrected.
    Elsewhere: vLLM gather_and_maybe_dequant_cache; mistral.rs gather_mla_cache.

    Args:
        src_cache (Tensor): [num_blocks, block_size, entry_size], the cache dtype (uint8 or float8
            for fp8); stride of dimension 2 is 1
        dst (Tensor!): [>= num_tokens, entry_size], f32, f16 or bf16; stride of dimension 1 is 1
        block_table (Tensor): [>= num_sequences, width], int32 or int64, stride of dimension 1 is
            1: the page of each part of a sequence
        cu_seq_lens (Tensor): [num_sequences + 1], int32, contiguous, ascending: first row of each
            sequence
        token_to_seq (Tensor): [>= num_tokens], int32, contiguous: sequence of each row
        num_tokens (int): rows to write, less than 2^31
        kv_cache_dtype (str): 'auto' (the dtype of dst), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'
        scale (Tensor): f32, one element; not read when the cache holds the dtype of dst
        seq_starts (Tensor?): [>= num_sequences], int32, contiguous: position of a sequence's first
            row, in tokens, any number of them; None for 0

    Schema:
        _C_cache_ops::gather_and_maybe_dequant_cache(Tensor src_cache, Tensor! dst, Tensor
            block_table, Tensor cu_seq_lens, Tensor token_to_seq, int num_tokens, str
            kv_cache_dtype, Tensor scale, Tensor? seq_starts=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("gather_and_maybe_dequant_cache: kv_cache_dtype", kv_cache_dtype)
    if (
        type(src_cache) is type(dst) is type(block_table) is type(cu_seq_lens) is
        type(token_to_seq) is type(scale) is _arrays.TENSOR and (seq_starts is None or
        type(seq_starts) is _arrays.TENSOR)
    ) and _gather_and_maybe_dequant_cache(
        src_cache._cdata, dst._cdata, block_table._cdata, cu_seq_lens._cdata, token_to_seq._cdata,
        num_tokens, kv_cache_dtype, scale._cdata, None if seq_starts is None else
        seq_starts._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        gather_and_maybe_dequant_cache,
        _gather_and_maybe_dequant_cache,
        ("dst",),
        ("dst",),
        (
            src_cache, dst, block_table, cu_seq_lens, token_to_seq, num_tokens, kv_cache_dtype,
            scale, seq_starts,
        ),
    )


_gather_kv_cache = function("_C_cache_ops__gather_kv_cache")


def gather_kv_cache(
    key_cache: Tensor,
    value_cache: Tensor,
    key_out: Tensor,
    value_out: Tensor,
    block_table: Tensor,
    cu_seq_lens: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    seq_starts: Tensor | None = None,
    interleaved_v: bool = False,
    swizzle_v_scales: bool = True,
    k_scale_cache: Tensor | None = None,
    v_scale_cache: Tensor | None = None,
    inverse_rht: bool = True,
) -> None:
    """Gathers keys and values of sequences from pages and decodes them.

    For row j of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with
    p = j - cu_seq_lens[b] + seq_starts[b], page = block_table[b, p div block_size], t = p mod
    block_size:
      key_out[j, h, :] = DQ(key of token t and head h of that page), value_out[j, h, :] likewise
    DQ copies the bits where the cache holds the dtype of key_out. Codes are widened and multiplied
    in f32 and rounded to nearest even once, overflow to infinity, and have one NaN per dtype,
    0x7FFFFFFF or 0x7FFF:
      fp8, int8             code * scale, k_scale or v_scale, one or one for each head
      ... per token, head   code * the scale of that token and head, in the scale cache
      int4_per_token_head   (code - zero) * scale of the word in k_scale_cache, rotated back unless
                            inverse_rht is False: sign * (H y) / b, as
                            reshape_and_cache_flash_per_token_head has it, whose zeros are +0
      nvfp4                 (code * block scale) * scale, the first product exact
      q8_0, q4_0            code * d or (code - 8) * d, as reshape_and_cache_flash_ggml has it
    Rows that no sequence has, in front of cu_seq_lens[0] or from the last element of cu_seq_lens
    on, are left as they are. Zero rows are a successful no-op. Keys and values may have heads of
    different sizes; both may be views of one tensor. Formats with scales of their own have heads
    of at most 576 elements.

    The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its kin
    write (NHD, or HND by strides), 5 what reshape_and_cache writes; with interleaved_v values are
    then in groups of x tokens, [num_blocks, num_heads, block_size / x, value_head_size, x].

    Errors: IndexError for a page that is not in the cache or not in the table (CPU: before
    anything is written; CUDA: that row becomes 0 and is counted, see kvforge.faults).
    Source of the rule: this project; the ops of this purpose in other engines know one layout and
    one or two formats each.
    Elsewhere: vLLM cp_mha_gather_cache; mistral.rs gather_kv_cache and gather_kv_cache_flashinfer;
    FlashInfer nvfp4_kv_dequantize_paged; LMDeploy flatten_kv_cache.

    Args:
        key_cache (Tensor): [num_blocks, block_size, num_heads, head_size], or [num_blocks,
            num_heads, ceil(head_size / x), block_size, x]; the cache dtype (uint8 or float8 for
            fp8, int8 or uint8 for int8), any strides; int4: head_size / 2 bytes, without gaps in
            the last dimension; q8_0 and q4_0: head_size / 32 * 34 or 18 bytes, likewise; nvfp4:
            [num_blocks, block_size, num_heads, head_size / 2 + head_size / 16], uint8, pages
            without gaps
        value_cache (Tensor): as key_cache of rank 4, with strides and a head size of its own; next
            to one of rank 5 [num_blocks, num_heads, value_head_size, block_size], or [num_blocks,
            num_heads, block_size / x, value_head_size, x] with interleaved_v
        key_out (Tensor!): [num_rows, num_heads, head_size], f32, f16 or bf16; stride of dimension
            2 is 1; less than 2^31 rows
        value_out (Tensor!): [num_rows, num_heads, value_head_size], else as key_out
        block_table (Tensor): [>= num_sequences, width], int32 or int64, stride of dimension 1 is
            1: the page of each part of a sequence
        cu_seq_lens (Tensor): [num_sequences + 1], int32, contiguous, ascending: first row of each
            sequence
        kv_cache_dtype (str): 'auto' (the dtype of key_out), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8',
            'nvfp4', 'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even',
            'fp8_per_token_head', 'int4_per_token_head', 'q8_0' or 'q4_0'
        k_scale (Tensor): f32, one element or [num_heads]; not read when the cache holds the dtype
            of key_out or has a scale per token and head, or one in each block of ggml
        v_scale (Tensor): as k_scale, for values
        seq_starts (Tensor?): [>= num_sequences], int32, contiguous: position of a sequence's first
            row, in tokens, any number of them; None for 0
        interleaved_v (bool): whether value_cache is in groups of tokens; needs a key_cache of rank
            5
        swizzle_v_scales (bool): nvfp4: whether block scales of values are stored for sm_100
        k_scale_cache (Tensor?): [num_blocks, block_size, num_heads], f32, any strides: scales per
            token and head; None for other formats
        v_scale_cache (Tensor?): as k_scale_cache, for values
        inverse_rht (bool): int4: whether heads are rotated back

    Schema:
        _C_cache_ops::gather_kv_cache(Tensor key_cache, Tensor value_cache, Tensor! key_out,
            Tensor! value_out, Tensor block_table, Tensor cu_seq_lens, str kv_cache_dtype, Tensor
            k_scale, Tensor v_scale, Tensor? seq_starts=None, bool interleaved_v=False, bool
            swizzle_v_scales=True, Tensor? k_scale_cache=None, Tensor? v_scale_cache=None, bool
            inverse_rht=True) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("gather_kv_cache: kv_cache_dtype", kv_cache_dtype)
    if (
        type(key_cache) is type(value_cache) is type(key_out) is type(value_out) is
        type(block_table) is type(cu_seq_lens) is type(k_scale) is type(v_scale) is _arrays.TENSOR
        and (seq_starts is None or type(seq_starts) is _arrays.TENSOR) and (k_scale_cache is None
        or type(k_scale_cache) is _arrays.TENSOR) and (v_scale_cache is None or type(v_scale_cache)
        is _arrays.TENSOR)
    ) and _gather_kv_cache(
        key_cache._cdata, value_cache._cdata, key_out._cdata, value_out._cdata, block_table._cdata,
        cu_seq_lens._cdata, kv_cache_dtype, k_scale._cdata, v_scale._cdata, None if seq_starts is
        None else seq_starts._cdata, interleaved_v, swizzle_v_scales, None if k_scale_cache is None
        else k_scale_cache._cdata, None if v_scale_cache is None else v_scale_cache._cdata,
        inverse_rht, True,
    ) is None:
        return
    _arrays.adapt(
        gather_kv_cache,
        _gather_kv_cache,
        ("key_out", "value_out"),
        ("key_out", "value_out"),
        (
            key_cache, value_cache, key_out, value_out, block_table, cu_seq_lens, kv_cache_dtype,
            k_scale, v_scale, seq_starts, interleaved_v, swizzle_v_scales, k_scale_cache,
            v_scale_cache, inverse_rht,
        ),
    )


_hisparse_gather_compact = function("_C_cache_ops__hisparse_gather_compact")


def hisparse_gather_compact(
    host_cache: Tensor,
    hot_cache: Tensor,
    miss_global_indices: Tensor,
    miss_hot_indices: Tensor,
    miss_counts: Tensor,
) -> None:
    """Loads rows of a host pool into a device's hot buffer, by a list for each request.

    For every request r and every column c below miss_counts[r] (at most num_columns):
      g, d = miss_global_indices[r, c], miss_hot_indices[r, c]
      hot_cache[d div block_size, d mod block_size] = host_cache[g], or zeros for a
                                                      g >= num_host_rows
    A pair with a negative g or d, or with a d beyond the last row of hot_cache, is skipped. Where
    two pairs have the same d, either may come last. Bits are copied. No requests, or no columns,
    are a successful no-op.

    On CUDA the kernel reads host_cache across the link, 16 bytes at a time where rows and strides
    allow it; nothing is waited for, and the call can be captured in a CUDA graph.

    Errors: ValueError for a host_cache that is not pinned (CUDA), or rows with gaps.
    Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and strides.
    Elsewhere: vLLM hisparse_gather_compact.

    Args:
        host_cache (Tensor): [num_host_rows, ...], any dtype, rows without gaps, any row stride; in
            host memory, which a call on CUDA wants pinned
        hot_cache (Tensor!): [num_blocks, block_size, ...], the dtype and row size of host_cache,
            rows without gaps, any page and row strides
        miss_global_indices (Tensor): [num_requests, num_columns], int32, any strides: rows of the
            pool
        miss_hot_indices (Tensor): [num_requests, num_columns], int32, any strides: rows of
            hot_cache
        miss_counts (Tensor): [at least num_requests], int32, any stride: how many pairs a request
            has

    Schema:
        _C_cache_ops::hisparse_gather_compact(Tensor host_cache, Tensor! hot_cache, Tensor
            miss_global_indices, Tensor miss_hot_indices, Tensor miss_counts) -> ()
    """
    if (
        type(host_cache) is type(hot_cache) is type(miss_global_indices) is type(miss_hot_indices)
        is type(miss_counts) is _arrays.TENSOR
    ) and _hisparse_gather_compact(
        host_cache._cdata, hot_cache._cdata, miss_global_indices._cdata, miss_hot_indices._cdata,
        miss_counts._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        hisparse_gather_compact,
        _hisparse_gather_compact,
        ("hot_cache",),
        ("hot_cache",),
        (
            host_cache, hot_cache, miss_global_indices, miss_hot_indices, miss_counts,
        ),
    )


_hisparse_gather_plan = function("_C_cache_ops__hisparse_gather_plan")


def hisparse_gather_plan(
    host_cache: Tensor,
    hot_cache: Tensor,
    global_indices: Tensor,
    hot_indices: Tensor,
    miss_mask: Tensor,
    request_state_indices: Tensor | None,
    attention_indices: Tensor | None = None,
    attention_block_stride: int = 0,
) -> None:
    """Loads the rows of a host pool that a plan marks as missing, and tells where they lie.

    For every row r of the plan and every column c, unless the row is padding:
      g, d = global_indices[r, c], hot_indices[r, c]
      where miss_mask[r, c] != 0:
        hot_cache[d div block_size, d mod block_size] = host_cache[g], or zeros for a
                                                        g >= num_host_rows
      attention_indices[r, c] = (d div block_size) * attention_block_stride + d mod block_size,
                                or -1 where d < 0
    Row r is padding where request_state_indices[r] < 0: nothing is loaded, and its
    attention_indices are -1. A marked pair with a negative g or d, or with a d beyond the last row
    of hot_cache, loads nothing; attention_indices are -1 for such a d too. Where two pairs have
    the same d, either may come last. Bits are copied. No rows, or no columns, are a successful
    no-op.

    The plan is what hisparse_resolve_residency made for the first layer; this replays it for
    another. On CUDA the kernel reads host_cache across the link; nothing is waited for, and the
    call can be captured in a CUDA graph.

    Errors: ValueError for a host_cache that is not pinned (CUDA), rows with gaps, or an
    attention_block_stride that is less than block_size or gives an index beyond int32.
    Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and strides.
    Elsewhere: vLLM hisparse_gather_plan.

    Args:
        host_cache (Tensor): [num_host_rows, ...], any dtype, rows without gaps, any row stride; in
            host memory, which a call on CUDA wants pinned
        hot_cache (Tensor!): [num_blocks, block_size, ...], the dtype and row size of host_cache,
            rows without gaps, any page and row strides; or [num_rows, ...] of rank 2, pages of one
            row
        global_indices (Tensor): [num_requests, num_columns], int32, any strides: rows of the pool
        hot_indices (Tensor): [num_requests, num_columns], int32, any strides: rows of hot_cache
        miss_mask (Tensor): [num_requests, num_columns], int32, any strides: 1 where the row is to
            be loaded
        request_state_indices (Tensor?): [at least num_requests], int32, any stride: negative for
            padding; None: no padding
        attention_indices (Tensor(a!)?): [num_requests, num_columns], int32, any strides; None: not
            wanted
        attention_block_stride (int): rows from a page to the next, as attention counts them

    Schema:
        _C_cache_ops::hisparse_gather_plan(Tensor host_cache, Tensor! hot_cache, Tensor
            global_indices, Tensor hot_indices, Tensor miss_mask, Tensor? request_state_indices,
            Tensor(a!)? attention_indices=None, int attention_block_stride=0) -> ()
    """
    if (
        type(host_cache) is type(hot_cache) is type(global_indices) is type(hot_indices) is
        type(miss_mask) is _arrays.TENSOR and (request_state_indices is None or
        type(request_state_indices) is _arrays.TENSOR) and (attention_indices is None or
        type(attention_indices) is _arrays.TENSOR)
    ) and _hisparse_gather_plan(
        host_cache._cdata, hot_cache._cdata, global_indices._cdata, hot_indices._cdata,
        miss_mask._cdata, None if request_state_indices is None else request_state_indices._cdata,
        None if attention_indices is None else attention_indices._cdata, attention_block_stride,
        True,
    ) is None:
        return
    _arrays.adapt(
        hisparse_gather_plan,
        _hisparse_gather_plan,
        ("hot_cache", "attention_indices"),
        ("hot_cache", "attention_indices"),
        (
            host_cache, hot_cache, global_indices, hot_indices, miss_mask, request_state_indices,
            attention_indices, attention_block_stride,
        ),
    )


_hisparse_invalidate_written_slots = function("_C_cache_ops__hisparse_invalidate_written_slots")


def hisparse_invalidate_written_slots(
    device_global_indices: Tensor,
    request_state_indices: Tensor,
    req_id_per_token: Tensor,
    written_slots: Tensor,
) -> None:
    """Marks hot slots empty whose host row has been written.

    For every token t, with q = req_id_per_token[t], s = request_state_indices[q] and w =
    written_slots[t]: every element of device_global_indices[s, :] that is w becomes -1. A token
    with a q outside [0, num_requests), an s outside [0, num_states) or a negative w is skipped.
    Tokens may repeat. No tokens, states or slots are a successful no-op.

    Errors: those of wrong shapes and dtypes.
    Source of the rule: vLLM's op of the same name (0.31 and newer).
    Elsewhere: vLLM hisparse_invalidate_written_slots.

    Args:
        device_global_indices (Tensor!): [num_states, hot_size], int32, any strides: the host row
            that each hot slot holds, -1 none
        request_state_indices (Tensor): [num_requests], int32, any stride: the state of each
            request
        req_id_per_token (Tensor): [num_tokens], int32, any stride: the request of each token
        written_slots (Tensor): [num_tokens], int64, any stride: the host row that each token was
            written to

    Schema:
        _C_cache_ops::hisparse_invalidate_written_slots(Tensor! device_global_indices, Tensor
            request_state_indices, Tensor req_id_per_token, Tensor written_slots) -> ()
    """
    if (
        type(device_global_indices) is type(request_state_indices) is type(req_id_per_token) is
        type(written_slots) is _arrays.TENSOR
    ) and _hisparse_invalidate_written_slots(
        device_global_indices._cdata, request_state_indices._cdata, req_id_per_token._cdata,
        written_slots._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        hisparse_invalidate_written_slots,
        _hisparse_invalidate_written_slots,
        ("device_global_indices",),
        ("device_global_indices",),
        (
            device_global_indices, request_state_indices, req_id_per_token, written_slots,
        ),
    )


_hisparse_resolve_residency = function("_C_cache_ops__hisparse_resolve_residency")


def hisparse_resolve_residency(
    host_cache: Tensor,
    hot_cache: Tensor,
    hot_block_table: Tensor,
    global_indices: Tensor,
    hot_indices: Tensor,
    device_global_indices: Tensor,
    lru_slots: Tensor,
    request_state_indices: Tensor | None,
    region_stride: int,
    max_union_rows: int,
    miss_mask: Tensor | None = None,
    stats: Tensor | None = None,
    attention_indices: Tensor | None = None,
    attention_block_stride: int = 0,
    request_ids: Tensor | None = None,
    source_block_table: Tensor | None = None,
    source_block_size: int = 0,
    resolved_global_indices: Tensor | None = None,
    valid_counts: Tensor | None = None,
    swap_host_physical_rows: Tensor | None = None,
    swap_device_physical_rows: Tensor | None = None,
    swap_counts: Tensor | None = None,
    resident_block_table: Tensor | None = None,
    resident_block_size: int = 0,
    resident_null_block: int = 0,
) -> None:
    """Finds rows of a host pool among a request's hot slots, and slots for those that are not.

    A request has hot_size slots on the device. Slot k of request q is row
    hot_block_table[q, k div block_size] * block_size + k mod block_size of hot_cache: its place.
    State s of the request holds, in device_global_indices[s, k], which row of the pool slot k has
    (-1: none), and in lru_slots[s, :] the slots from the one that was not used for longest to the
    latest; both begin as -1 and as 0, 1, 2, ... The call decides and moves no rows:
    hisparse_gather_plan and hisparse_gather_compact do.

    Rows of global_indices that follow each other and are of one request q = request_ids[row] (or
    the row itself) make a run, which is resolved as one; s = request_state_indices[q], or q. A run
    with a q outside [0, elements of request_state_indices) or a negative s is padding: -1 in
    hot_indices, attention_indices and resolved_global_indices, 0 in miss_mask, valid_counts and
    swap_counts. For every other run:
     1. A reference p = global_indices[row, column] is to row g of the pool: p, or with a
        source_block_table source_block_table[q, p div source_block_size] * source_block_size +
        p mod source_block_size if p is not negative, the table has that entry and it is above 0.
        A g that the pool does not have is none. The row is resident if
        resident_block_table[s, p div block_size] is there, is a page of hot_cache and not
        resident_null_block: it lies at p mod block_size of that page, whatever g is.
     2. The union is every g of a reference that is not resident. Without any, the state stays.
     3. A slot is a hit if the row of the pool that it has is in the union. All others can be
        evicted.
     4. In the order of references, the first one to a g of the union that no slot has is a miss:
        miss m takes the m-th oldest slot that can be evicted, and device_global_indices has g for
        it. Entry m of the run's list, which runs on from row to row, is
        swap_host_physical_rows = g and swap_device_physical_rows = the place of the slot;
        swap_counts has how many entries are in a row.
     5. hot_indices is the place of the slot of g, or the resident row, or -1. attention_indices
        is the same as (place div block_size) * attention_block_stride + place mod block_size.
        miss_mask is 1 for the misses, else 0. resolved_global_indices is g or -1; valid_counts is
        how many references of a row have a g or are resident. Of stats the first grows by the
        references that got the place of a slot and are no misses, the second by the misses.
     6. lru_slots becomes the slots that could be evicted and were not, in their old order, those
        that were filled, in the order of misses, and the hits, in their old order and not that of
        their use.

    Where a reference that needs a slot cannot have one, its hot_indices and attention_indices are
    -1, its miss_mask is 0, and a CUDA device counts a fault: for a g that is not among the first
    max_union_rows distinct ones, in the order of references, which are all of the union then; for
    a slot that lies in a page which hot_cache does not have, or a number in lru_slots that is no
    slot (device_global_indices stays and swap_device_physical_rows is -1 then); and for the
    references of a run whose state an earlier run has used. On the CPU such a run, and a page of
    hot_block_table out of range, are errors. A state of num_states and more, or a request that
    hot_block_table does not have, is padding and a fault of each row on CUDA, and an error on the
    CPU. lru_slots has to have every slot once, and no two slots the same row: of others the slot
    with the lowest number is taken.

    All of a run is the work of one thread block, whose shared memory holds the union: about
    9 * max_union_rows + 2 * hot_size + 6 KiB bytes. No columns: the counts become 0. No rows are a
    successful no-op.

    Errors: ValueError for numbers that do not fit together, for some of the swap tensors without
    the others, and for a state that two runs use (CPU); IndexError for pages, states and requests
    (CPU); NotImplementedError where a device has too little shared memory.
    Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and strides,
    without its requirement that the references of a row are distinct, and with its unchecked
    indices checked.
    Elsewhere: vLLM hisparse_resolve_residency.

    Args:
        host_cache (Tensor): [num_host_rows, ...], any dtype, rows without gaps, any row stride; in
            host memory. Not read
        hot_cache (Tensor!): [num_blocks, block_size, ...], the dtype and row size of host_cache,
            rows without gaps, any page and row strides. Not written
        hot_block_table (Tensor): [>= num_rows, >= ceil(hot_size / block_size)], int32, any
            strides: pages of a request's slots; with request_ids as many rows as there are
            requests
        global_indices (Tensor): [num_rows, num_columns], int32, any strides: positions of a
            request, or without source_block_table rows of the pool; negative for none. At most
            hot_size columns
        hot_indices (Tensor!): [num_rows, num_columns], int32, any strides: rows of hot_cache
        device_global_indices (Tensor!): [num_states, hot_size], int32, any strides: rows of the
            pool
        lru_slots (Tensor!): [num_states, hot_size], int16, any strides: slots, the oldest first
        request_state_indices (Tensor?): [num_requests], int32, any stride: the state of each
            request; None: its own number, and num_states is num_rows or more
        region_stride (int): hot_size, which is at most 32768
        max_union_rows (int): distinct rows of the pool that a run may refer to, 1 to hot_size
        miss_mask (Tensor(a!)?): [num_rows, num_columns], int32, any strides; None: not wanted
        stats (Tensor(b!)?): [2], uint64, any stride: hits and misses, which grow; None: not wanted
        attention_indices (Tensor(c!)?): [num_rows, num_columns], int32, any strides; None: not
            wanted
        attention_block_stride (int): rows from a page to the next, as attention counts them:
            block_size or more
        request_ids (Tensor?): [>= num_rows], int32, any stride: the request of each row; goes with
            source_block_table. None: the row
        source_block_table (Tensor?): [num_requests, width], int32, any strides: pages of the pool;
            goes with request_ids. None: global_indices are rows of the pool
        source_block_size (int): rows of the pool in a page of source_block_table; not looked at
            without
        resolved_global_indices (Tensor(d!)?): [num_rows, num_columns], int32, any strides: rows of
            the pool; None: not wanted
        valid_counts (Tensor(e!)?): [num_rows], int32, any stride; None: not wanted
        swap_host_physical_rows (Tensor(f!)?): [num_rows, num_columns], int32, any strides: rows of
            the pool; None: not wanted
        swap_device_physical_rows (Tensor(g!)?): [num_rows, num_columns], int32, any strides: rows
            of hot_cache; goes with swap_host_physical_rows
        swap_counts (Tensor(h!)?): [>= num_rows], int32, any stride: entries; goes with
            swap_host_physical_rows
        resident_block_table (Tensor?): [num_resident_states, width], int32, any strides: pages of
            hot_cache that hold pages of a request whole, by its state; goes with
            source_block_table, which is there without it too
        resident_block_size (int): block_size; not looked at without resident_block_table
        resident_null_block (int): the page that stands for none, 0 or more

    Schema:
        _C_cache_ops::hisparse_resolve_residency(Tensor host_cache, Tensor! hot_cache, Tensor
            hot_block_table, Tensor global_indices, Tensor! hot_indices, Tensor!
            device_global_indices, Tensor! lru_slots, Tensor? request_state_indices, int
            region_stride, int max_union_rows, Tensor(a!)? miss_mask=None, Tensor(b!)? stats=None,
            Tensor(c!)? attention_indices=None, int attention_block_stride=0, Tensor?
            request_ids=None, Tensor? source_block_table=None, int source_block_size=0, Tensor(d!)?
            resolved_global_indices=None, Tensor(e!)? valid_counts=None, Tensor(f!)?
            swap_host_physical_rows=None, Tensor(g!)? swap_device_physical_rows=None, Tensor(h!)?
            swap_counts=None, Tensor? resident_block_table=None, int resident_block_size=0, int
            resident_null_block=0) -> ()
    """
    if (
        type(host_cache) is type(hot_cache) is type(hot_block_table) is type(global_indices) is
        type(hot_indices) is type(device_global_indices) is type(lru_slots) is _arrays.TENSOR and
        (request_state_indices is None or type(request_state_indices) is _arrays.TENSOR) and
        (miss_mask is None or type(miss_mask) is _arrays.TENSOR) and (stats is None or type(stats)
        is _arrays.TENSOR) and (attention_indices is None or type(attention_indices) is
        _arrays.TENSOR) and (request_ids is None or type(request_ids) is _arrays.TENSOR) and
        (source_block_table is None or type(source_block_table) is _arrays.TENSOR) and
        (resolved_global_indices is None or type(resolved_global_indices) is _arrays.TENSOR) and
        (valid_counts is None or type(valid_counts) is _arrays.TENSOR) and (swap_host_physical_rows
        is None or type(swap_host_physical_rows) is _arrays.TENSOR) and (swap_device_physical_rows
        is None or type(swap_device_physical_rows) is _arrays.TENSOR) and (swap_counts is None or
        type(swap_counts) is _arrays.TENSOR) and (resident_block_table is None or
        type(resident_block_table) is _arrays.TENSOR)
    ) and _hisparse_resolve_residency(
        host_cache._cdata, hot_cache._cdata, hot_block_table._cdata, global_indices._cdata,
        hot_indices._cdata, device_global_indices._cdata, lru_slots._cdata, None if
        request_state_indices is None else request_state_indices._cdata, region_stride,
        max_union_rows, None if miss_mask is None else miss_mask._cdata, None if stats is None else
        stats._cdata, None if attention_indices is None else attention_indices._cdata,
        attention_block_stride, None if request_ids is None else request_ids._cdata, None if
        source_block_table is None else source_block_table._cdata, source_block_size, None if
        resolved_global_indices is None else resolved_global_indices._cdata, None if valid_counts
        is None else valid_counts._cdata, None if swap_host_physical_rows is None else
        swap_host_physical_rows._cdata, None if swap_device_physical_rows is None else
        swap_device_physical_rows._cdata, None if swap_counts is None else swap_counts._cdata, None
        if resident_block_table is None else resident_block_table._cdata, resident_block_size,
        resident_null_block, True,
    ) is None:
        return
    _arrays.adapt(
        hisparse_resolve_residency,
        _hisparse_resolve_residency,
        ("hot_cache", "hot_indices", "device_global_indices", "lru_slots", "miss_mask", "stats", "attention_indices", "resolved_global_indices", "valid_counts", "swap_host_physical_rows", "swap_device_physical_rows", "swap_counts"),
        ("hot_cache", "hot_indices", "device_global_indices", "lru_slots", "miss_mask", "stats", "attention_indices", "resolved_global_indices", "valid_counts", "swap_host_physical_rows", "swap_device_physical_rows", "swap_counts"),
        (
            host_cache, hot_cache, hot_block_table, global_indices, hot_indices,
            device_global_indices, lru_slots, request_state_indices, region_stride, max_union_rows,
            miss_mask, stats, attention_indices, attention_block_stride, request_ids,
            source_block_table, source_block_size, resolved_global_indices, valid_counts,
            swap_host_physical_rows, swap_device_physical_rows, swap_counts, resident_block_table,
            resident_block_size, resident_null_block,
        ),
    )


_indexer_k_quant_and_cache = function("_C_cache_ops__indexer_k_quant_and_cache")


def indexer_k_quant_and_cache(
    k: Tensor,
    kv_cache: Tensor,
    slot_mapping: Tensor,
    quant_block_size: int,
    kv_cache_dtype: str,
    slot_remap: Tensor | None = None,
) -> None:
    """Quantises the indexer keys of new tokens in groups and scatters them into pages.

    With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, D = head_dim,
    g = quant_block_size, and P the bytes of page `block`, all codes first and all scales behind
    them:
      P[offset * D + d]                                        = Q(k[t, d], scale of group d div g)
      P[block_size * D + 4 * (offset * (D / g) + j)], 4 bytes  = scale of group j, f32
      scale = max(largest magnitude of the group, 1e-4) / 448
    With kv_cache_dtype "ue8m0" the scale is rounded up to a power of two; it is stored as f32 all
    the same. With "mxfp8" it is rounded so, too, and each of the 4 bytes holds its biased exponent
    (E8M0: 2^(byte - 127) is the value; 255 is that of an infinite scale, and reads as NaN). Q
    divides by the scale in f32, rounds to nearest even and saturates to E4M3. NaNs do not count
    for the scale and get the code 0x7F; a group with an infinity has an infinite scale.
    Tokens with a negative slot are skipped. The number of tokens is the length of slot_mapping; k
    may have more rows (graph padding), which are not read. Zero tokens are a successful no-op. Two
    tokens with one slot race.

    Any head_dim, and any power of two that divides it as the group size (usual: 32, 64, 128).

    Errors: ValueError for a group size that is not a power of two or does not divide head_dim,
    for a kv_cache_dtype that is not one of those named, or for a page whose bytes are not
    neighbours; IndexError for a slot beyond num_blocks * block_size (CPU: before anything is
    written; CUDA: that token is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's op of the same name, with its group size of 128 whatever the
    argument says, its wrong f16 and f32 results, its ignored strides, and its plain scales for a
    string that it does not know corrected. The power of two is found exactly, from the exponent
    bits. vLLM takes f32 log2 and exp2, and so keeps the power below where a quotient is a few
    units in the last place above it; the largest element then saturates.
    Elsewhere: vLLM indexer_k_quant_and_cache.

    Args:
        k (Tensor): [num_rows >= num_tokens, head_dim], f32, f16 or bf16, any strides
        kv_cache (Tensor!): [num_blocks, block_size, head_dim + 4 * head_dim / quant_block_size],
            uint8 or float8_e4m3fn; any page stride, the bytes of a page dense
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
            token
        quant_block_size (int): elements of a group, a power of two that divides head_dim
        kv_cache_dtype (str): the format of the scales: 'fp8_indexer', which 'auto', 'fp8' and
            'fp8_e4m3' name too, for plain ones; 'ue8m0' (or 'fp8_indexer_ue8m0') for powers of
            two; 'mxfp8' (or 'fp8_indexer_mxfp8') for their exponents
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::indexer_k_quant_and_cache(Tensor k, Tensor! kv_cache, Tensor slot_mapping,
            int quant_block_size, str kv_cache_dtype, Tensor? slot_remap=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("indexer_k_quant_and_cache: kv_cache_dtype", kv_cache_dtype)
    if (
        type(k) is type(kv_cache) is type(slot_mapping) is _arrays.TENSOR and (slot_remap is None
        or type(slot_remap) is _arrays.TENSOR)
    ) and _indexer_k_quant_and_cache(
        k._cdata, kv_cache._cdata, slot_mapping._cdata, quant_block_size, kv_cache_dtype, None if
        slot_remap is None else slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        indexer_k_quant_and_cache,
        _indexer_k_quant_and_cache,
        ("kv_cache",),
        ("kv_cache",),
        (
            k, kv_cache, slot_mapping, quant_block_size, kv_cache_dtype, slot_remap,
        ),
    )


_kv_checksum = function("_C_cache_ops__kv_checksum")


def kv_checksum(
    wire: Tensor,
    unit_bytes: int,
    sums: Tensor,
    expected: Tensor | None = None,
    mismatches: Tensor | None = None,
) -> None:
    """Makes the XXH3 digests of a wire buffer, and compares them with those expected.

    Unit u is bytes [u * unit_bytes, (u + 1) * unit_bytes) of wire, the last one what is left:
      sums[u] = XXH3_64bits(unit u), with seed 0 and the default secret, as the 64 bits of an int64
    With expected and mismatches, mismatches[0] grows by the number of units with sums[u] !=
    expected[u], so the caller sets it to 0 before: what it then counts is not what its sender
    made. An empty wire is a successful no-op.

    On CUDA nothing is allocated or waited for, and the call can be captured in a graph.

    Errors: ValueError for sizes that are no multiple of 1024, for a wire whose address is not one
    of 16 or whose bytes do not lie one behind another, and for expected without mismatches or the
    other way round.
    Source of the rule: XXH3 of xxHash, whose output is fixed since its version 0.8.0; of its paths
    the one for more than 240 bytes, since a unit is a multiple of 1024.
    Elsewhere: xxHash XXH3_64bits.

    Args:
        wire (Tensor): [1024 * num_kibibytes], uint8, stride 1, its address a multiple of 16
        unit_bytes (int): bytes of a unit, a multiple of 1024; 16384 is usual: 8 bytes for 16 KiB
        sums (Tensor!): [ceil(1024 * num_kibibytes / unit_bytes)], int64, any stride
        expected (Tensor?): as sums, not the same memory
        mismatches (Tensor!?): [1], int32; goes with expected

    Schema:
        _C_cache_ops::kv_checksum(Tensor wire, int unit_bytes, Tensor! sums, Tensor? expected=None,
            Tensor!? mismatches=None) -> ()
    """
    if (
        type(wire) is type(sums) is _arrays.TENSOR and (expected is None or type(expected) is
        _arrays.TENSOR) and (mismatches is None or type(mismatches) is _arrays.TENSOR)
    ) and _kv_checksum(
        wire._cdata, unit_bytes, sums._cdata, None if expected is None else expected._cdata, None
        if mismatches is None else mismatches._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        kv_checksum,
        _kv_checksum,
        ("sums", "mismatches"),
        ("sums", "mismatches"),
        (
            wire, unit_bytes, sums, expected, mismatches,
        ),
    )


_kv_pack = function("_C_cache_ops__kv_pack")


def kv_pack(
    pages: Sequence[Tensor],
    wire: Tensor,
    slot_mapping: Tensor,
    wire_layout: str,
    wire_block_size: int,
    page_dtype: str,
    wire_dtype: str,
    page_scales: Sequence[Tensor],
    wire_scales: Tensor | None = None,
    num_layers: int = 0,
    heads_per_group: int = 0,
) -> None:
    """Gathers tokens of all layers from their pages into a wire buffer, in one launch.

    For every plane p, layer l, token j, head h and element d, with s = slot_mapping[j]:
      wire(l, p, j, h, d) = pages[p * num_layers + l][s div block_size, s mod block_size, h, d]
    as it is or converted. A token with a negative slot is zeros, and so is what a wire has of no
    token: the rest of the last block, and what is behind rows. So the bytes, and their digests
    (kv_checksum), are functions of the tokens alone. What the tensor has behind the wire's bytes
    stays. No tokens are a successful no-op, which leaves the wire as it is.

    What becomes of elements is said by the words of the two sides:
      same dtype              bits are copied; elements may have any size, planes may differ in it
      float to float          rounded to nearest even, overflow to infinity
      float to codes          code = Q(x / scale), with scales that the call is given
      codes to float          x = code * scale
      float to codes of rows  S = max(amax / QMAX, 1e-6), code = Q(x * (1 / S)), with S beside them
      codes of rows to float  x = code * S
      fp8 to fp8              code = Q(code * scale / scale of the other side)
    Floats are float32, float16 and bfloat16, codes fp8 (fp8_e4m3), fp8_e5m2 and int8, codes of
    rows, with a scale per token and head, fp8_per_token_head, int8_per_token_head and
    int8_per_token_head_even. 'auto' is the dtype of pages of floats. All arithmetic is f32; Q
    saturates and rounds as the op does that writes caches of these words, and the only NaN of a
    float is 0x7FFFFFFF or 0x7FFF. So codes are those that the writers would have made of the same
    values, and floats those that gather_kv_cache reads, on every backend. Where both words are one
    with a scale per token and head, int4_per_token_head too, and scales are given, these are
    copied along with the codes; without scales the codes are copied alone. Any other pair is
    NotImplementedError.

    The wire is made of blocks of W = wire_block_size tokens: wire block w holds tokens [w * W, (w
    + 1) * W) of slot_mapping. Within a block the axes lie without gaps in the order of
    wire_layout, outermost first, of layer L, plane K, token N, head H, element C and, in 'GLKNHC',
    group G of heads_per_group heads:
      'LKNHC' layer by layer; any range of layers is one run
      'KLNHC' what LMCache's objects have, [2, layers, tokens, heads * elements]
      'LKHNC' pages with their heads outside
      'HLKNC' head by head: a part of the heads is one run, whatever number of ranks reads it
      'GLKNHC' the same for groups of heads: SGLang's page_unified
    Planes may differ in the size of a row; each has its rows together. Where wire_dtype has a
    scale per token and head, each plane is followed by one of its scales, of rows of one f32. A
    block takes as many bytes as its rows, rounded up to a multiple of 64; the wire of T tokens
    ceil(T / W) blocks, rounded up to one of 1024.

    Layouts of pages are told by strides: [block, head, token, element] in memory is a permuted
    view, a part of the heads a slice, keys and values in one row two slices, layers within blocks
    views with the stride of a block.

    On CUDA the addresses of up to 240 tensors of up to 8 planes travel in the launch parameters:
    nothing is allocated or waited for, and the call can be captured in a graph. More tensors are
    several launches, and with a scale per token and head half as many fit into one.

    Errors: IndexError for a slot beyond num_blocks * block_size (CPU: before anything is
    written; CUDA: that token is zeros and counted once, see kvforge.faults). ValueError for
    tensors that differ in what they share, a wire that is too small, or one in the memory of
    pages. RuntimeError when a launch fails; those before it stay on the stream, and the sentence
    says so ("enqueued: 240 of 300 tensors").
    Source of the rule: new here; the layouts are those of the systems named.
    Elsewhere: LMCache multi_layer_kv_transfer (D2H); dynamo universal_from_block.

    Args:
        pages (Tensor[]): num_planes * num_layers tensors of [num_blocks, block_size, num_heads,
            elements], any dtype of whole bytes, any strides, the same for all layers of a plane;
            those of plane 0 first. Sizes of elements may differ between planes
        wire (Tensor!): [wire_bytes] or more, uint8, stride 1, its address a multiple of 16
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride, on the device of pages:
            token j lies in block slot_mapping[j] div block_size, at slot_mapping[j] mod
            block_size; a negative one is of no token
        wire_layout (str): 'LKNHC', 'KLNHC', 'LKHNC', 'HLKNC' or 'GLKNHC'
        wire_block_size (int): tokens of a wire block, 1 or more
        page_dtype (str): what pages hold, for example 'auto' or 'fp8'
        wire_dtype (str): as page_dtype, what the wire is to hold
        page_scales (Tensor[]): none, but of codes that become floats or were such: for scales that
            the call knows one tensor for each plane, f32, one element, [num_layers] or
            [num_layers, num_heads]; with a scale per token and head as many as pages, [num_blocks,
            block_size, num_heads], f32, any strides, the same for all layers of a plane
        wire_scales (Tensor?): none, but of fp8 or int8 codes on the wire that become floats or
            were such: f32, [num_planes], [num_planes, num_layers] or [num_planes, num_layers,
            num_heads], on the device of pages
        num_layers (int): layers; 0: pages are those of one plane
        heads_per_group (int): of 'GLKNHC', which alone reads it: heads of a group; divides
            num_heads; 0: all

    Schema:
        _C_cache_ops::kv_pack(Tensor[] pages, Tensor! wire, Tensor slot_mapping, str wire_layout,
            int wire_block_size, str page_dtype, str wire_dtype, Tensor[] page_scales, Tensor?
            wire_scales=None, int num_layers=0, int heads_per_group=0) -> ()
    """
    if type(wire_layout) is not str:
        wire_layout = _arrays.text("kv_pack: wire_layout", wire_layout)
    if type(page_dtype) is not str:
        page_dtype = _arrays.text("kv_pack: page_dtype", page_dtype)
    if type(wire_dtype) is not str:
        wire_dtype = _arrays.text("kv_pack: wire_dtype", wire_dtype)
    if (
        type(wire) is type(slot_mapping) is _arrays.TENSOR and (wire_scales is None or
        type(wire_scales) is _arrays.TENSOR)
    ) and _kv_pack(
        _arrays.handles(pages), wire._cdata, slot_mapping._cdata, wire_layout, wire_block_size,
        page_dtype, wire_dtype, _arrays.handles(page_scales), None if wire_scales is None else
        wire_scales._cdata, num_layers, heads_per_group, True,
    ) is None:
        return
    _arrays.adapt(
        kv_pack,
        _kv_pack,
        ("wire",),
        ("wire",),
        (
            pages, wire, slot_mapping, wire_layout, wire_block_size, page_dtype, wire_dtype,
            page_scales, wire_scales, num_layers, heads_per_group,
        ),
    )


_kv_relayout = function("_C_cache_ops__kv_relayout")


def kv_relayout(
    src_pages: Sequence[Tensor],
    dst_pages: Sequence[Tensor],
    src_slots: Tensor,
    dst_slots: Tensor,
    src_dtype: str,
    dst_dtype: str,
    src_scales: Sequence[Tensor],
    dst_scales: Sequence[Tensor],
    num_layers: int = 0,
) -> None:
    """Copies tokens of all layers to pages of another layout or block size, in one launch.

    For every plane p, layer l, token j, head h and element d, with s = src_slots[j], t =
    dst_slots[j], N and M the tokens of a block of src_pages and of dst_pages:
      dst_pages[p * num_layers + l][t div M, t mod M, h, d] =
          src_pages[p * num_layers + l][s div N, s mod N, h, d]
    A token with a negative slot on either side is skipped; nothing else in dst_pages is written.
    It is what kv_pack and kv_unpack do one behind the other, without the buffer between them. No
    tokens are a successful no-op. Two tokens with one slot of dst_pages race.

    What becomes of elements is said by the words of the two sides:
      same dtype              bits are copied; elements may have any size, planes may differ in it
      float to float          rounded to nearest even, overflow to infinity
      float to codes          code = Q(x / scale), with scales that the call is given
      codes to float          x = code * scale
      float to codes of rows  S = max(amax / QMAX, 1e-6), code = Q(x * (1 / S)), with S beside them
      codes of rows to float  x = code * S
      fp8 to fp8              code = Q(code * scale / scale of the other side)
    Floats are float32, float16 and bfloat16, codes fp8 (fp8_e4m3), fp8_e5m2 and int8, codes of
    rows, with a scale per token and head, fp8_per_token_head, int8_per_token_head and
    int8_per_token_head_even. 'auto' is the dtype of pages of floats. All arithmetic is f32; Q
    saturates and rounds as the op does that writes caches of these words, and the only NaN of a
    float is 0x7FFFFFFF or 0x7FFF. So codes are those that the writers would have made of the same
    values, and floats those that gather_kv_cache reads, on every backend. Where both words are one
    with a scale per token and head, int4_per_token_head too, and scales are given, these are
    copied along with the codes; without scales the codes are copied alone. Any other pair is
    NotImplementedError.


    On CUDA the addresses of up to 120 pairs of tensors of up to 8 planes travel in the launch
    parameters: nothing is allocated or waited for, and the call can be captured in a graph. More
    are several launches, and with a scale per token and head half as many fit into one.

    Errors: IndexError for a slot beyond its pages (CPU: before anything is written; CUDA: that
    token is skipped, and each of its two slots that is out of range counted once, see
    kvforge.faults). ValueError for tensors that differ in what they share, and for dst_pages in
    the memory of src_pages: a block size cannot be changed in place. RuntimeError when a launch
    fails; those before it stay on the stream, and the sentence says so ("enqueued: 120 of 300
    tensors").
    Source of the rule: new here.

    Args:
        src_pages (Tensor[]): num_planes * num_layers tensors of [num_blocks, block_size,
            num_heads, elements], any dtype of whole bytes, any strides, the same for all layers of
            a plane; those of plane 0 first. Sizes of elements may differ between planes
        dst_pages (Tensor(a!)[]): num_planes * num_layers tensors of [dst_num_blocks,
            dst_block_size, num_heads, elements], as src_pages, memory of their own, any strides of
            their own
        src_slots (Tensor): [num_tokens], int64 or int32, any stride, on the device of src_pages
        dst_slots (Tensor): as src_slots, as many, of dst_pages
        src_dtype (str): what src_pages hold, for example 'auto' or 'fp8'
        dst_dtype (str): as src_dtype, what dst_pages are to hold
        src_scales (Tensor[]): none, but of codes that become floats or were such: for scales that
            the call knows one tensor for each plane, f32, one element, [num_layers] or
            [num_layers, num_heads]; with a scale per token and head as many as pages, [num_blocks,
            block_size, num_heads], f32, any strides, the same for all layers of a plane
        dst_scales (Tensor(b!)[]): none, but as src_scales, of dst_pages; those per token and head
            are written
        num_layers (int): layers; 0: src_pages are those of one plane

    Schema:
        _C_cache_ops::kv_relayout(Tensor[] src_pages, Tensor(a!)[] dst_pages, Tensor src_slots,
            Tensor dst_slots, str src_dtype, str dst_dtype, Tensor[] src_scales, Tensor(b!)[]
            dst_scales, int num_layers=0) -> ()
    """
    if type(dst_pages) not in LISTS:
        _arrays.check_list("kv_relayout: dst_pages", dst_pages)
    if type(src_dtype) is not str:
        src_dtype = _arrays.text("kv_relayout: src_dtype", src_dtype)
    if type(dst_dtype) is not str:
        dst_dtype = _arrays.text("kv_relayout: dst_dtype", dst_dtype)
    if type(dst_scales) not in LISTS:
        _arrays.check_list("kv_relayout: dst_scales", dst_scales)
    if (
        type(src_slots) is type(dst_slots) is _arrays.TENSOR
    ) and _kv_relayout(
        _arrays.handles(src_pages), _arrays.handles(dst_pages), src_slots._cdata, dst_slots._cdata,
        src_dtype, dst_dtype, _arrays.handles(src_scales), _arrays.handles(dst_scales), num_layers,
        True,
    ) is None:
        return
    _arrays.adapt(
        kv_relayout,
        _kv_relayout,
        ("dst_pages", "dst_scales"),
        ("dst_pages", "dst_scales"),
        (
            src_pages, dst_pages, src_slots, dst_slots, src_dtype, dst_dtype, src_scales,
            dst_scales, num_layers,
        ),
    )


_kv_unpack = function("_C_cache_ops__kv_unpack")


def kv_unpack(
    wire: Tensor,
    pages: Sequence[Tensor],
    slot_mapping: Tensor,
    wire_layout: str,
    wire_block_size: int,
    wire_dtype: str,
    page_dtype: str,
    wire_scales: Tensor | None,
    page_scales: Sequence[Tensor],
    gate: Tensor | None = None,
    num_layers: int = 0,
    heads_per_group: int = 0,
) -> None:
    """Scatters the tokens of a wire buffer into the pages of all layers, in one launch.

    For every plane p, layer l, token j, head h and element d, with s = slot_mapping[j]:
      pages[p * num_layers + l][s div block_size, s mod block_size, h, d] = wire(l, p, j, h, d)
    as it is or converted. A token with a negative slot is skipped; nothing else in pages is
    written. Block size, layout and, by views of fewer heads, number of ranks need not be those of
    the sender: wire_layout and wire_block_size are what the two agree on. With a gate that is not
    0 nothing is written: on the device of pages, it may be the mismatches of kv_checksum, so that
    a buffer is checked and unpacked without the host looking on. No tokens are a successful no-op.
    Two tokens with one slot race.

    What becomes of elements is said by the words of the two sides:
      same dtype              bits are copied; elements may have any size, planes may differ in it
      float to float          rounded to nearest even, overflow to infinity
      float to codes          code = Q(x / scale), with scales that the call is given
      codes to float          x = code * scale
      float to codes of rows  S = max(amax / QMAX, 1e-6), code = Q(x * (1 / S)), with S beside them
      codes of rows to float  x = code * S
      fp8 to fp8              code = Q(code * scale / scale of the other side)
    Floats are float32, float16 and bfloat16, codes fp8 (fp8_e4m3), fp8_e5m2 and int8, codes of
    rows, with a scale per token and head, fp8_per_token_head, int8_per_token_head and
    int8_per_token_head_even. 'auto' is the dtype of pages of floats. All arithmetic is f32; Q
    saturates and rounds as the op does that writes caches of these words, and the only NaN of a
    float is 0x7FFFFFFF or 0x7FFF. So codes are those that the writers would have made of the same
    values, and floats those that gather_kv_cache reads, on every backend. Where both words are one
    with a scale per token and head, int4_per_token_head too, and scales are given, these are
    copied along with the codes; without scales the codes are copied alone. Any other pair is
    NotImplementedError.

    The wire is made of blocks of W = wire_block_size tokens: wire block w holds tokens [w * W, (w
    + 1) * W) of slot_mapping. Within a block the axes lie without gaps in the order of
    wire_layout, outermost first, of layer L, plane K, token N, head H, element C and, in 'GLKNHC',
    group G of heads_per_group heads:
      'LKNHC' layer by layer; any range of layers is one run
      'KLNHC' what LMCache's objects have, [2, layers, tokens, heads * elements]
      'LKHNC' pages with their heads outside
      'HLKNC' head by head: a part of the heads is one run, whatever number of ranks reads it
      'GLKNHC' the same for groups of heads: SGLang's page_unified
    Planes may differ in the size of a row; each has its rows together. Where wire_dtype has a
    scale per token and head, each plane is followed by one of its scales, of rows of one f32. A
    block takes as many bytes as its rows, rounded up to a multiple of 64; the wire of T tokens
    ceil(T / W) blocks, rounded up to one of 1024.

    On CUDA the addresses of up to 240 tensors of up to 8 planes travel in the launch parameters:
    nothing is allocated or waited for, and the call can be captured in a graph. More tensors are
    several launches, and with a scale per token and head half as many fit into one.
    gate is read by the kernel there, on the CPU by the call.

    Errors: IndexError for a slot beyond num_blocks * block_size (CPU: before anything is
    written; CUDA: that token is skipped and counted once, see kvforge.faults; a gate that is shut
    counts none). ValueError for tensors that differ in what they share, a wire that is too small,
    or one in the memory of pages. RuntimeError when a launch fails; those before it stay on the
    stream, and the sentence says so ("enqueued: 240 of 300 tensors").
    Source of the rule: new here; the layouts are those of the systems named.
    Elsewhere: LMCache multi_layer_kv_transfer (H2D); dynamo block_from_universal.

    Args:
        wire (Tensor): [wire_bytes] or more, uint8, stride 1, its address a multiple of 16
        pages (Tensor(a!)[]): num_planes * num_layers tensors of [num_blocks, block_size,
            num_heads, elements], any dtype of whole bytes, any strides, the same for all layers of
            a plane; those of plane 0 first. Sizes of elements may differ between planes
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride, on the device of pages:
            token j lies in block slot_mapping[j] div block_size, at slot_mapping[j] mod
            block_size; a negative one is of no token
        wire_layout (str): 'LKNHC', 'KLNHC', 'LKHNC', 'HLKNC' or 'GLKNHC'
        wire_block_size (int): tokens of a wire block, 1 or more
        wire_dtype (str): what the wire holds, for example 'auto' or 'fp8'
        page_dtype (str): as wire_dtype, what pages are to hold
        wire_scales (Tensor?): none, but of fp8 or int8 codes on the wire that become floats or
            were such: f32, [num_planes], [num_planes, num_layers] or [num_planes, num_layers,
            num_heads], on the device of pages
        page_scales (Tensor(b!)[]): none, but of codes that become floats or were such: for scales
            that the call knows one tensor for each plane, f32, one element, [num_layers] or
            [num_layers, num_heads]; with a scale per token and head as many as pages, [num_blocks,
            block_size, num_heads], f32, any strides, the same for all layers of a plane; those per
            token and head are written
        gate (Tensor?): [1], int32, on the device of pages: not 0 keeps pages as they are
        num_layers (int): layers; 0: pages are those of one plane
        heads_per_group (int): of 'GLKNHC', which alone reads it: heads of a group; divides
            num_heads; 0: all

    Schema:
        _C_cache_ops::kv_unpack(Tensor wire, Tensor(a!)[] pages, Tensor slot_mapping, str
            wire_layout, int wire_block_size, str wire_dtype, str page_dtype, Tensor? wire_scales,
            Tensor(b!)[] page_scales, Tensor? gate=None, int num_layers=0, int heads_per_group=0)
            -> ()
    """
    if type(pages) not in LISTS:
        _arrays.check_list("kv_unpack: pages", pages)
    if type(wire_layout) is not str:
        wire_layout = _arrays.text("kv_unpack: wire_layout", wire_layout)
    if type(wire_dtype) is not str:
        wire_dtype = _arrays.text("kv_unpack: wire_dtype", wire_dtype)
    if type(page_dtype) is not str:
        page_dtype = _arrays.text("kv_unpack: page_dtype", page_dtype)
    if type(page_scales) not in LISTS:
        _arrays.check_list("kv_unpack: page_scales", page_scales)
    if (
        type(wire) is type(slot_mapping) is _arrays.TENSOR and (wire_scales is None or
        type(wire_scales) is _arrays.TENSOR) and (gate is None or type(gate) is _arrays.TENSOR)
    ) and _kv_unpack(
        wire._cdata, _arrays.handles(pages), slot_mapping._cdata, wire_layout, wire_block_size,
        wire_dtype, page_dtype, None if wire_scales is None else wire_scales._cdata,
        _arrays.handles(page_scales), None if gate is None else gate._cdata, num_layers,
        heads_per_group, True,
    ) is None:
        return
    _arrays.adapt(
        kv_unpack,
        _kv_unpack,
        ("pages", "page_scales"),
        ("pages", "page_scales"),
        (
            wire, pages, slot_mapping, wire_layout, wire_block_size, wire_dtype, page_dtype,
            wire_scales, page_scales, gate, num_layers, heads_per_group,
        ),
    )


_paged_attention = function("_C_cache_ops__paged_attention")


def paged_attention(
    out: Tensor,
    query: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    query_start_loc: Tensor,
    seq_lens: Tensor,
    block_table: Tensor,
    scale: float,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    causal: bool = True,
    window_left: int = -1,
    window_right: int = -1,
    softcap: float = 0.0,
    alibi_slopes: Tensor | None = None,
    sinks: Tensor | None = None,
    swizzle_v_scales: bool = True,
    max_query_len: int = 0,
    lse: Tensor | None = None,
    workspace: Tensor | None = None,
) -> None:
    """Attends over the pages that the cache writers fill: prefill, decode and what is between.

    Sequence s has the tokens t from query_start_loc[s] to query_start_loc[s + 1] - 1, q of them,
    which are the last of its n = seq_lens[s] positions, all in the cache already: token t is at
    position
      i = n - q + (t - query_start_loc[s])
    and sees the positions p of 0 to n - 1 with p >= i - window_left and p <= i + window_right, a
    window below 0 being none, and with causal p <= i. For query head h, and the KV head
    g = h div (num_q_heads / num_kv_heads):
      K, V   = DQ(key_cache, k_scale), DQ(value_cache, v_scale) at head g of position p,
               which is in page block_table[s, p div block_size], at p mod block_size
      a[p]   = scale * (query[t, h] . K[p]); with softcap above 0, softcap * tanh(a[p] / softcap)
      a[p]   = a[p] + alibi_slopes[h] * (p - i)
      total  = sum over p of e^a[p], and e^sinks[h] once more
      out[t, h] = sum over p of e^a[p] / total * V[p]
      lse[h, t] = log(total)
    DQ widens to f32 and multiplies codes by their scale: that of head g for fp8 and int8, that of
    head g of the very token for the formats per token and head, and for nvfp4 that of head g and
    the block scale of every 16 elements. Heads of int4_per_token_head are stored rotated; the
    query is rotated in their place, and the sum rotated back. A token that sees nothing, as every
    one of a sequence with n = 0 does, gets zeros, and an lse of sinks[h], or -infinity without
    sinks. Decode is q = 1; sequences of any q, of 0 too, may be mixed. Tokens of query and out
    that no sequence has (graph padding) are left as they are. No tokens are a successful no-op.
    Only the pages of the positions that a sequence's tokens see are read, and of the last page
    only the tokens that are there, so fresh pages may hold anything. Positions that a token does
    not see but one close to it does are read along with it: an infinite or NaN value there may
    make NaN of its output. out, lse and workspace must not overlap each other or the other
    tensors.

    The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its kin
    write (NHD, or HND by strides), 5 what reshape_and_cache writes. K and V have strides of their
    own. nvfp4 pages are those of reshape_and_cache_flash_nvfp4, with the same swizzle_v_scales.

    Two results over different positions of the same tokens are put together by merge_attn_states,
    which takes out and lse as they are here; sinks are to be given to one of the two.

    Arithmetic is f32: products are summed in parts, and the softmax is rescaled as it goes
    (online), so results are not those of a fixed order. On the CPU the sums of every 32 positions
    are added up with compensation (Kahan), and weights in f64, so that the error does not grow
    with the positions: equal weights over 10,485,760 are within 10^-6 of the largest value. A
    sequence has the same bits in every batch, on any number of threads, if it is split the same:
    with KVFORGE_BATCH_INVARIANT=1 in the environment and without a workspace, or with one of
    always as many splits that has room for all tokens. On CUDA max_query_len has to be the same
    too: how many rows a tile has depends on it. Cut into other splits it differs by less than
    2^-18 of its largest value (CPU). On the CPU, and not split, a token has the same bits whatever
    other tokens of its sequence are in the call, by a matrix unit with KVFORGE_BATCH_INVARIANT=1
    alone.

    On a CPU with AMX heads of 32, 64, 96 or 128 bf16 elements, or codes of 8 bits for queries of
    bf16, go by its matrix unit where elements of a head lie side by side and a sequence has more
    than 8 rows in the call for a KV head, with KVFORGE_BATCH_INVARIANT=1 however few: products are
    exact and sums are f32, which are put aside every 2,048 positions, but that the unit takes
    numbers below 2^-126 for 0, and for an out of f32 a weight is two bf16, whose sum is off by
    2^-17 of it at most. For an out of bf16 it is one, as in FlashAttention: out is then off by up
    to 2^-8 of the sum over p of e^a[p] / total * |V[p]|, besides. The first such call asks Linux
    for the unit, for the whole process: from then on a stack for signal handlers needs room for
    another 8 KiB. While it is at work a thread has 128 to 576 KiB of memory from aligned_alloc()
    besides; one that gets none goes without the unit. KVFORGE_ISA=avx512 leaves the unit out.

    On CUDA from compute capability 8.0 on, heads of 64, 128 or 256 f16 or bf16
    elements, or codes of 8 bits for queries of those (of 256: fp8_e4m3), or nvfp4 of 128 in tiles
    of 8 or 16 rows, go by tiles on the tensor cores where elements of a head lie side by side and
    16 bytes can be read at once, of many rows where those of query and out can, too: products are
    exact, sums are f32, and a weight is two numbers of 16 bits, of which the second is what
    rounding the first leaves. With tiles of many rows, and no scale per token and head, it is the
    first alone, as in FlashAttention: out is then off by up to 2^-8 (caches of bf16) or 2^-11
    (others, whose weights are f16) of the sum over p of e^a[p] / total * |V[p]|, besides. With one
    position out is exactly DQ(V), rounded to the dtype of out (zeros are +0). Scores may use exp2
    of scores times log2(e). Scales of a head are applied to the query and to the sum, those of a
    token to its score and its weight, which gives the same but for rounding.

    Heads of keys and heads of values have at most 576 elements each, and need not have as many as
    each other (MLA before its latent rows has 192 and 128); where they do not, CUDA goes without
    tiles, and the CPU without its matrix unit. No elements of either are a successful no-op. A row
    is one query head of one token. One thread block (CUDA), or one thread (CPU), does a tile of up
    to 8 rows of one sequence and KV head, token by token, on the tensor cores 8, 16 or 128, of
    heads of 256 8 or 64, by a CPU's matrix unit 16 to 256, and reads keys and values once for all
    of them. What a thread of the CPU keeps is on its stack, which a call takes 32 KiB of at most:
    rows of more than 128 elements are fewer. With a workspace the positions of the tiles of
    sequences whose tokens are all below split_tokens are cut into at most `splits` parts, of
    ceil(positions / splits) positions rounded up to a multiple of 128. (Give room for the tokens
    that decode, and have them first.) What the parts come to is put into workspace, and added up
    in a second launch (CUDA) or a second pass of the threads (CPU). The only part of a short tile
    goes straight to out: with splits = 1 nothing is split. workspace needs no initial value, and
    what it holds afterwards is not defined.

    Without a workspace, and unless KVFORGE_BATCH_INVARIANT is 1, a call splits by itself. On CUDA
    it takes a workspace of the library's own (kvforge.free_workspaces() says which, and what that
    asks of graphs), and as many splits as the device runs at once, by what the host knows: the
    tiles that there can be and the width of block_table. A call that is prepared has none, as its
    stream is not known yet: give it a workspace. On the CPU, where threads are left, a call that
    finds the library's own memory free splits sequences of 1,024 positions and more.

    On CUDA what is summed up is put aside after some thousand positions, so that no weight is
    added to a sum that is very much larger; but not, without the tensor cores, where the heads of
    a tile's rows together have more than 3,584 elements, and not in tiles of many rows, which are
    not chosen where block_table has room for more than 2^20 positions.

    Where tiles of many rows are taken and some sequences may have few tokens, as where prompts and
    decodes are mixed, these go by tiles of few rows, in a launch of their own before that of the
    others: they are read and split as where all decode, wherever in the batch they are.

    max_query_len is a promise that lets the host launch fewer thread blocks, as for q = 1
    everywhere. What is launched depends on shapes and on it alone: a captured graph stays right
    when query_start_loc, seq_lens and block_table change under it.

    Errors: ValueError for a head_size or value_head_size above 576, num_q_heads that is no
    multiple of num_kv_heads, an int4 head_size that is odd or one that 1024 divides, a q8_0 or
    q4_0 head_size that is no multiple of 32, or an nvfp4 head_size that is no multiple of 16, a
    value_head_size likewise, and with swizzle_v_scales for a value_head_size that is no multiple
    of 64 or a block_size that is no multiple of 4; IndexError for a query_start_loc that descends,
    leaves query, or has a sequence of more than max_query_len tokens, a length below 0 or beyond
    width * block_size, or a page that is not in the cache (CPU: before anything is written; CUDA:
    tokens of that sequence are left as they are, that length is cut off, the tokens of that page
    are left out, and each is counted once, that page with window_left by every tile that meets it,
    see kvforge.faults). RuntimeError at a launch behind the first leaves what those before it did:
    workspace written, and out of tokens that were split untouched. A launch of raw params wants a
    variant that fits them: ValueError where the heads of a tensor cores' variant have another size
    or cannot be read so.
    Source of the rule: what vLLM's cpu_attention_with_kv_cache does, and windows as in
    FlashAttention.
    Elsewhere: vLLM to 0.24 paged_attention_v1 and _v2.

    Args:
        out (Tensor!): [num_tokens, num_q_heads, value_head_size], f32 or the dtype of query, any
            strides
        query (Tensor): [num_tokens, num_q_heads, head_size], f32, f16 or bf16, any strides
        key_cache (Tensor): [num_blocks, block_size, num_kv_heads, head_size], or [num_blocks,
            num_kv_heads, ceil(head_size / x), block_size, x]; the cache dtype (uint8 or float8 for
            fp8, int8 or uint8 for int8), any strides; for nvfp4 [num_blocks, block_size,
            num_kv_heads, head_size / 2 + head_size / 16], uint8, pages without gaps; for
            int4_per_token_head [num_blocks, block_size, num_kv_heads, head_size / 2], uint8, any
            strides but 1 in the last dimension; for q8_0 and q4_0 head_size / 32 * 34 or 18 bytes,
            likewise
        value_cache (Tensor): as key_cache of rank 4, with heads of value_head_size elements; next
            to one of rank 5 [num_blocks, num_kv_heads, value_head_size, block_size]; any strides
        query_start_loc (Tensor): [num_seqs + 1], int32, any stride, ascending: the first token of
            each sequence, and the end
        seq_lens (Tensor): [num_seqs], int32, any stride: positions of each sequence, those of its
            tokens included
        block_table (Tensor): [num_seqs, width], int32 or int64, any strides: the pages of each
            sequence
        scale (float): what query . key is multiplied by, usually 1 / sqrt(head_size); any number
            that f32 holds: 0, or a finite one of 2^-126 or more, of any sign
        kv_cache_dtype (str): 'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8',
            'nvfp4', 'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even',
            'fp8_per_token_head', 'int4_per_token_head', 'q8_0' or 'q4_0'
        k_scale (Tensor): f32, one element or [num_kv_heads]; keys are code * k_scale; not read
            when the cache holds the scalar dtype, q8_0 or q4_0; for formats per token and head the
            k_scale_cache, [num_blocks, block_size, num_kv_heads], any strides
        v_scale (Tensor): as k_scale, for values
        causal (bool): whether a token sees no position behind its own
        window_left (int): positions before its own that a token sees; below 0: all
        window_right (int): positions behind its own that a token sees; below 0: all
        softcap (float): what scores are kept within, 2^-126 or more; 0: as they are
        alibi_slopes (Tensor?): [num_q_heads], f32, any stride; None: no bias
        sinks (Tensor?): [num_q_heads], f32 or the dtype of query, any stride: a score of no
            position; None: none
        swizzle_v_scales (bool): nvfp4: whether block scales of values are stored for sm_100
        max_query_len (int): tokens that a sequence has at most; 0 or less: not known
        lse (Tensor!?): [num_q_heads, num_tokens], f32, any strides: natural logarithms of what
            weights were divided by; None: not wanted
        workspace (Tensor!?): [split_tokens, num_q_heads, splits, value_head_size + 2], f32, any
            strides, splits 1 or more: room for the parts of long sequences whose tokens are all
            below split_tokens, any number; None: room of the library's own

    Schema:
        _C_cache_ops::paged_attention(Tensor! out, Tensor query, Tensor key_cache, Tensor
            value_cache, Tensor query_start_loc, Tensor seq_lens, Tensor block_table, float scale,
            str kv_cache_dtype, Tensor k_scale, Tensor v_scale, bool causal=True, int
            window_left=-1, int window_right=-1, float softcap=0.0, Tensor? alibi_slopes=None,
            Tensor? sinks=None, bool swizzle_v_scales=True, int max_query_len=0, Tensor!? lse=None,
            Tensor!? workspace=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("paged_attention: kv_cache_dtype", kv_cache_dtype)
    if (
        type(out) is type(query) is type(key_cache) is type(value_cache) is type(query_start_loc)
        is type(seq_lens) is type(block_table) is type(k_scale) is type(v_scale) is _arrays.TENSOR
        and (alibi_slopes is None or type(alibi_slopes) is _arrays.TENSOR) and (sinks is None or
        type(sinks) is _arrays.TENSOR) and (lse is None or type(lse) is _arrays.TENSOR) and
        (workspace is None or type(workspace) is _arrays.TENSOR)
    ) and _paged_attention(
        out._cdata, query._cdata, key_cache._cdata, value_cache._cdata, query_start_loc._cdata,
        seq_lens._cdata, block_table._cdata, scale, kv_cache_dtype, k_scale._cdata, v_scale._cdata,
        causal, window_left, window_right, softcap, None if alibi_slopes is None else
        alibi_slopes._cdata, None if sinks is None else sinks._cdata, swizzle_v_scales,
        max_query_len, None if lse is None else lse._cdata, None if workspace is None else
        workspace._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        paged_attention,
        _paged_attention,
        ("out", "lse", "workspace"),
        ("out", "lse", "workspace"),
        (
            out, query, key_cache, value_cache, query_start_loc, seq_lens, block_table, scale,
            kv_cache_dtype, k_scale, v_scale, causal, window_left, window_right, softcap,
            alibi_slopes, sinks, swizzle_v_scales, max_query_len, lse, workspace,
        ),
    )


_paged_mla_decode = function("_C_cache_ops__paged_mla_decode")


def paged_mla_decode(
    out: Tensor,
    query: Tensor,
    kv_cache: Tensor,
    query_start_loc: Tensor,
    seq_lens: Tensor,
    block_table: Tensor,
    scale: float,
    kv_cache_dtype: str,
    kv_scale: Tensor,
    max_query_len: int = 0,
    lse: Tensor | None = None,
    workspace: Tensor | None = None,
) -> None:
    """Attends over the MLA pages that concat_and_cache_mla fills: all heads share a row.

    Sequence s has the tokens t from query_start_loc[s] to query_start_loc[s + 1] - 1, q of them,
    which are the last of its n = seq_lens[s] positions, all in the cache already: token t is at
    position
      i = n - q + (t - query_start_loc[s])
    and sees the positions p <= i. For query head h:
      R[p]      = DQ(kv_cache) at position p,
                  which is in page block_table[s, p div block_size], at p mod block_size
      a[p]      = scale * (query[t, h] . R[p]), over all 576 elements
      total     = sum over p of e^a[p]
      out[t, h] = sum over p of e^a[p] / total * R[p], the first 512 elements of it
      lse[h, t] = log(total)
    A row is 512 latent elements and behind them 64 rope elements; queries are those that were
    brought to the latent space ("absorbed"), with their rope part behind, as concat_mla_q puts
    them. DQ widens to f32; fp8 codes are multiplied by kv_scale, elements of fp8_ds_mla and
    nvfp4_ds_mla by the scales of their row. The rope part of fp8_ds_mla is of the dtype of query,
    next to queries in f32 bf16. A token that sees nothing, as every one of a sequence with n = 0
    does, gets zeros, and an lse of -infinity. Sequences of any q, of 0 too, may be mixed; it is
    made for 1 to 8, and 16 to 128 heads. Tokens of query and out that no sequence has (graph
    padding) are left as they are. No tokens are a successful no-op. Only the pages of the
    positions that a sequence's tokens see are read, and of the last page only the tokens that are
    there. Positions that a token does not see but one close to it does are read along with it: an
    infinite or NaN element there may make NaN of its output. out, lse and workspace must not
    overlap each other or the other tensors. Two results over different positions are put together
    by merge_attn_states.

    Arithmetic is f32 and the softmax is rescaled as it goes (online), as that of paged_attention,
    with the same bounds: on the CPU sums of every 32 positions are added up with compensation. A
    sequence has the same bits in every batch, on any number of threads, if it is split the same:
    with KVFORGE_BATCH_INVARIANT=1 in the environment and without a workspace, or with one of
    always as many splits that has room for all tokens; on CUDA max_query_len has to be the same
    too.

    On CUDA from compute capability 8.0 on, f16 and bf16 queries go by tiles on the tensor cores
    where rows of the cache are whole vectors of 16 bytes: elements are rounded to the dtype of
    query, which changes none but those of fp8_ds_mla_f32 (and of fp8_ds_mla beyond the range of
    f16); products are exact, sums are f32, and so are the weights that are added up, but each is
    rounded to the dtype of query before it is multiplied by its values. With one position out is
    exactly DQ, rounded to the dtype of out (zeros are +0).

    A row of a tile is one head of one token. A tile is up to 8 rows, 16 or 64 on the tensor cores,
    and on the CPU as many as 32 KiB of stack have room for. A row of the cache is read once for a
    tile, and its values are the keys' first elements. With a workspace the positions of the tiles
    of sequences whose tokens are all below split_tokens are cut into at most `splits` parts, of
    ceil(positions / splits) positions rounded up to a multiple of 128; what they come to is put
    into workspace, and added up in a second launch (CUDA) or a second pass of the threads (CPU).
    workspace needs no initial value, and what it holds afterwards is not defined. Without one,
    and unless KVFORGE_BATCH_INVARIANT is 1, a call splits by itself, as paged_attention does: on
    CUDA in memory of the library's own (kvforge.free_workspaces() says which, and what that asks
    of graphs). A call that is prepared has none: give it a workspace.

    max_query_len is a promise that lets the host launch fewer thread blocks. What is launched
    depends on shapes and on it alone: a captured graph stays right when query_start_loc, seq_lens
    and block_table change under it.

    Errors: IndexError for a query_start_loc that descends, leaves query, or has a sequence of more
    than max_query_len tokens, a length below 0 or beyond width * block_size, or a page that is not
    in the cache (CPU: before anything is written; CUDA: tokens of that sequence are left as they
    are, that length is cut off, the tokens of that page are left out, and each is counted once,
    see kvforge.faults). RuntimeError at the second of two launches leaves workspace written and
    out of the tokens that were split untouched.
    Source of the rule: what FlashMLA and vLLM's MLA backends compute, for rows of DeepSeek's
    sizes.
    Elsewhere: FlashMLA flash_mla_with_kvcache; SGLang cutlass_mla_decode.

    Args:
        out (Tensor!): [num_tokens, num_heads, 512], f32 or the dtype of query, any strides
        query (Tensor): [num_tokens, num_heads, 576], f32, f16 or bf16, any strides
        kv_cache (Tensor): [num_blocks, block_size, 576], the cache dtype (uint8 or float8 for
            fp8), any strides; for a row format [num_blocks, block_size, 656 or 352], uint8, rows
            without gaps
        query_start_loc (Tensor): [num_seqs + 1], int32, any stride, ascending: the first token of
            each sequence, and the end
        seq_lens (Tensor): [num_seqs], int32, any stride: positions of each sequence, those of its
            tokens included
        block_table (Tensor): [num_seqs, width], int32 or int64, any strides: the pages of each
            sequence
        scale (float): what query . row is multiplied by, usually 1 / sqrt(192); any number that
            f32 holds: 0, or a finite one of 2^-126 or more, of any sign
        kv_cache_dtype (str): 'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2',
            'fp8_ds_mla', 'fp8_ds_mla_f32' or 'nvfp4_ds_mla'
        kv_scale (Tensor): f32, one element; elements are code * kv_scale; not read unless the
            cache is fp8
        max_query_len (int): tokens that a sequence has at most; 0 or less: not known
        lse (Tensor!?): [num_heads, num_tokens], f32, any strides: natural logarithms of what
            weights were divided by; None: not wanted
        workspace (Tensor!?): [split_tokens, num_heads, splits, 514], f32, any strides, splits 1 or
            more: room for the parts of long sequences whose tokens are all below split_tokens, any
            number; None: room of the library's own

    Schema:
        _C_cache_ops::paged_mla_decode(Tensor! out, Tensor query, Tensor kv_cache, Tensor
            query_start_loc, Tensor seq_lens, Tensor block_table, float scale, str kv_cache_dtype,
            Tensor kv_scale, int max_query_len=0, Tensor!? lse=None, Tensor!? workspace=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("paged_mla_decode: kv_cache_dtype", kv_cache_dtype)
    if (
        type(out) is type(query) is type(kv_cache) is type(query_start_loc) is type(seq_lens) is
        type(block_table) is type(kv_scale) is _arrays.TENSOR and (lse is None or type(lse) is
        _arrays.TENSOR) and (workspace is None or type(workspace) is _arrays.TENSOR)
    ) and _paged_mla_decode(
        out._cdata, query._cdata, kv_cache._cdata, query_start_loc._cdata, seq_lens._cdata,
        block_table._cdata, scale, kv_cache_dtype, kv_scale._cdata, max_query_len, None if lse is
        None else lse._cdata, None if workspace is None else workspace._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        paged_mla_decode,
        _paged_mla_decode,
        ("out", "lse", "workspace"),
        ("out", "lse", "workspace"),
        (
            out, query, kv_cache, query_start_loc, seq_lens, block_table, scale, kv_cache_dtype,
            kv_scale, max_query_len, lse, workspace,
        ),
    )


_reshape_and_cache = function("_C_cache_ops__reshape_and_cache")


def reshape_and_cache(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    interleaved_v: bool = False,
    slot_remap: Tensor | None = None,
) -> None:
    """Scatters the keys and values of new tokens into 5-D key pages and 4-D value pages.

    With s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
      key_cache[block, h, d div x, offset, d mod x] = Q(key[t, h, d],   k_scale)
      value_cache[block, h, d, offset]              = Q(value[t, h, d], v_scale)
    Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by the
    scale in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens
    with a negative slot are skipped. The number of tokens is the length of slot_mapping; key and
    value may have more rows (graph padding), which are not read. Zero tokens are a successful
    no-op. Two tokens with one slot race.

    The size of a value's head may differ from that of a key's. Any x >= 1. When x does not divide
    head_size, dimension 2 of key_cache is head_size / x rounded up, and the surplus elements of
    the last group are not written.

    With interleaved_v values lie in groups of x tokens, which is what ROCm's attention reads:
      value_cache[block, h, offset div x, d, offset mod x] = Q(value[t, h, d], v_scale)
    It may also be given as [num_blocks, num_heads, value_head_size, block_size] without gaps
    within a head, whose memory is then taken for this.

    Errors: ValueError for interleaved_v with a block_size that is no multiple of x;
    IndexError for a slot beyond num_blocks * block_size (CPU: before anything is written; CUDA:
    that token is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's op of the same name, with its dropped heads, dropped tail elements,
    alignment, stride, empty-input and bounds defects corrected.
    Elsewhere: vLLM reshape_and_cache; mistral.rs reshape_and_cache.

    Args:
        key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
        value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
        key_cache (Tensor!): [num_blocks, num_heads, ceil(head_size / x), block_size, x], the cache
            dtype (uint8 or float8 for fp8, int8 or uint8 for int8), any strides
        value_cache (Tensor!): [num_blocks, num_heads, value_head_size, block_size], the dtype of
            key_cache, any strides; with interleaved_v [num_blocks, num_heads, block_size / x,
            value_head_size, x]
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
            token
        kv_cache_dtype (str): 'auto' (the dtype of key), 'fp8', 'fp8_e4m3', 'fp8_e5m2' or 'int8'
        k_scale (Tensor): f32, one element or [num_heads]; the cache holds key / k_scale; not read
            when the cache holds the scalar dtype
        v_scale (Tensor): as k_scale, for value
        interleaved_v (bool): whether values lie in groups of x tokens
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor!
            value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale,
            bool interleaved_v=False, Tensor? slot_remap=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("reshape_and_cache: kv_cache_dtype", kv_cache_dtype)
    if (
        type(key) is type(value) is type(key_cache) is type(value_cache) is type(slot_mapping) is
        type(k_scale) is type(v_scale) is _arrays.TENSOR and (slot_remap is None or
        type(slot_remap) is _arrays.TENSOR)
    ) and _reshape_and_cache(
        key._cdata, value._cdata, key_cache._cdata, value_cache._cdata, slot_mapping._cdata,
        kv_cache_dtype, k_scale._cdata, v_scale._cdata, interleaved_v, None if slot_remap is None
        else slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        reshape_and_cache,
        _reshape_and_cache,
        ("key_cache", "value_cache"),
        ("key_cache", "value_cache"),
        (
            key, value, key_cache, value_cache, slot_mapping, kv_cache_dtype, k_scale, v_scale,
            interleaved_v, slot_remap,
        ),
    )


_reshape_and_cache_flash = function("_C_cache_ops__reshape_and_cache_flash")


def reshape_and_cache_flash(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    slot_remap: Tensor | None = None,
) -> None:
    """Scatters keys and values of new tokens into a paged cache of [block, token, head].

    With s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
      key_cache[block, offset, h, d]   = Q(key[t, h, d],   k_scale[h])
      value_cache[block, offset, h, d] = Q(value[t, h, d], v_scale[h])
    Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by the
    scale in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens
    with a negative slot are skipped. The number of tokens is the length of slot_mapping; key and
    value may have more rows (graph padding), which are not read. Zero tokens are a successful
    no-op. Two tokens with one slot race.

    Layout is told by strides, and K and V have their own: NHD is a contiguous cache, HND one that
    is permuted from [num_blocks, num_heads, block_size, head_size]; packed K/V and padded pages
    work. Heads of values may have another size than those of keys, also behind them in one tensor,
    as two views of it (diff-KV).

    kv_cache_dtype 'nvfp4' or 'nvfp4_4over6' is reshape_and_cache_flash_nvfp4 with its default,
    swizzle_v_scales, by upstream's name, which is the readers' default too: the caches are then
    uint8, [num_blocks, block_size, num_heads, head_size / 2 + head_size / 16].

    Errors: IndexError for a slot beyond num_blocks * block_size (CPU: before anything is
    written; CUDA: that token is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's op of the same name, with its K/V stride, alignment, empty-input and
    bounds defects corrected.
    Elsewhere: vLLM reshape_and_cache_flash; mistral.rs reshape_and_cache_flashinfer; FlashInfer
    append_paged_kv_cache.

    Args:
        key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
        value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
        key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size], the cache dtype (uint8
            or float8 for fp8, int8 or uint8 for int8), any strides
        value_cache (Tensor!): [num_blocks, block_size, num_heads, value_head_size], as key_cache,
            with strides of its own
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
            token
        kv_cache_dtype (str): 'auto' (the dtype of key), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8',
            'nvfp4' or 'nvfp4_4over6'
        k_scale (Tensor): f32, one element or [num_heads]; the cache holds key / k_scale; not read
            when the cache holds the scalar dtype
        v_scale (Tensor): as k_scale, for value
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::reshape_and_cache_flash(Tensor key, Tensor value, Tensor! key_cache, Tensor!
            value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale,
            Tensor? slot_remap=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("reshape_and_cache_flash: kv_cache_dtype", kv_cache_dtype)
    if (
        type(key) is type(value) is type(key_cache) is type(value_cache) is type(slot_mapping) is
        type(k_scale) is type(v_scale) is _arrays.TENSOR and (slot_remap is None or
        type(slot_remap) is _arrays.TENSOR)
    ) and _reshape_and_cache_flash(
        key._cdata, value._cdata, key_cache._cdata, value_cache._cdata, slot_mapping._cdata,
        kv_cache_dtype, k_scale._cdata, v_scale._cdata, None if slot_remap is None else
        slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        reshape_and_cache_flash,
        _reshape_and_cache_flash,
        ("key_cache", "value_cache"),
        ("key_cache", "value_cache"),
        (
            key, value, key_cache, value_cache, slot_mapping, kv_cache_dtype, k_scale, v_scale,
            slot_remap,
        ),
    )


_reshape_and_cache_flash_ggml = function("_C_cache_ops__reshape_and_cache_flash_ggml")


def reshape_and_cache_flash_ggml(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    slot_remap: Tensor | None = None,
) -> None:
    """Scatters keys and values into pages of ggml's q8_0 or q4_0 rows.

    With s = slot_mapping[t], block = s div block_size, offset = s mod block_size,
      key_cache[block, offset, h, :] = row(key[t, h, :])
    and the same for values. A row has a block for every 32 elements: a scale d of f16, and codes.
    With amax = max |v| and m the first v of that magnitude, all arithmetic f32, id = 1 / df, or 0
    if df is 0:
      q8_0  df = amax / 127, code = v * id rounded, halves away from 0; 32 bytes of codes
      q4_0  df = m / -8, code = min(15, floor(v * id + 8.5)); byte i is code[i] | code[i + 16] << 4
    Codes are made with df, d is df rounded to f16, infinite where f16 has no such number. A reader
    takes code * d, or (code - 8) * d. NaNs do not count for amax and m; their code is that of 0.

    Where the heads of a token lie one behind another, a token is a row of ggml's K cache, and of
    its V cache with flash attention. Tokens with a negative slot are skipped. The number of tokens
    is the length of slot_mapping; key and value may have more rows (graph padding), which are not
    read. Zero tokens are a successful no-op. Two tokens with one slot race.

    Errors: ValueError for a head size that is no multiple of 32; IndexError for a slot beyond
    num_blocks * block_size (CPU: before anything is written; CUDA: that token is skipped and
    counted, see kvforge.faults).
    Source of the rule: quantize_row_q8_0_ref and quantize_row_q4_0_ref of llama.cpp. Its vector
    code rounds halves of q8_0 to even.
    Elsewhere: llama.cpp quantize_row_q8_0 and quantize_row_q4_0.

    Args:
        key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
        value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
        key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size / 32 * 34] for q8_0, *
            18 for q4_0, uint8, any strides but 1 in the last dimension
        value_cache (Tensor!): [num_blocks, block_size, num_heads, value_head_size / 32 * 34] for
            q8_0, * 18 for q4_0, uint8, any strides but 1 in the last dimension
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
            token
        kv_cache_dtype (str): 'q8_0' or 'q4_0'
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::reshape_and_cache_flash_ggml(Tensor key, Tensor value, Tensor! key_cache,
            Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor? slot_remap=None)
            -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("reshape_and_cache_flash_ggml: kv_cache_dtype", kv_cache_dtype)
    if (
        type(key) is type(value) is type(key_cache) is type(value_cache) is type(slot_mapping) is
        _arrays.TENSOR and (slot_remap is None or type(slot_remap) is _arrays.TENSOR)
    ) and _reshape_and_cache_flash_ggml(
        key._cdata, value._cdata, key_cache._cdata, value_cache._cdata, slot_mapping._cdata,
        kv_cache_dtype, None if slot_remap is None else slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        reshape_and_cache_flash_ggml,
        _reshape_and_cache_flash_ggml,
        ("key_cache", "value_cache"),
        ("key_cache", "value_cache"),
        (
            key, value, key_cache, value_cache, slot_mapping, kv_cache_dtype, slot_remap,
        ),
    )


_reshape_and_cache_flash_layers = function("_C_cache_ops__reshape_and_cache_flash_layers")


def reshape_and_cache_flash_layers(
    keys: Tensor,
    values: Tensor,
    key_caches: Sequence[Tensor],
    value_caches: Sequence[Tensor],
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scales: Tensor,
    v_scales: Tensor,
    slot_remap: Tensor | None = None,
) -> None:
    """Scatters the keys and values of all layers into their paged caches, in one launch.

    With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, for every layer
    l:
      key_caches[l][block, offset, h, d]   = Q(keys[l, t, h, d],   k_scales[l, h])
      value_caches[l][block, offset, h, d] = Q(values[l, t, h, d], v_scales[l, h])
    which is what reshape_and_cache_flash does for each layer by itself, with the same Q, the same
    layouts told by strides and the same bits; the size of a value's head may differ from that of a
    key's. All layers share slot_mapping, and the caches of all layers have the same sizes and
    strides, those of keys and of values each for themselves. Tokens
    with a negative slot are skipped. The number of tokens is the length of slot_mapping; keys and
    values may have more rows (graph padding), which are not read. Zero tokens and zero layers are
    a successful no-op. Two tokens with one slot race.

    CUDA: the addresses of the caches travel in the launch parameters, so nothing is allocated and
    the call can be captured in a graph; a launch has up to 128 layers, and a call with more is
    several launches. It pays where a launch costs more than its work, when speculative or draft
    layers are written together, and when a prefill of all layers moves in from elsewhere.

    Errors: IndexError for a slot beyond num_blocks * block_size (CPU: before anything is
    written; CUDA: that token is skipped in all layers and counted once, see kvforge.faults).
    RuntimeError when a launch fails; those before it stay on the stream, and the sentence says so
    ("enqueued: 128 of 300 layers").
    Source of the rule: vLLM's reshape_and_cache_flash and the grouped form of its MLA writer.

    Args:
        keys (Tensor): [num_layers, num_rows >= num_tokens, num_heads, head_size], f32, f16 or
            bf16, any strides
        values (Tensor): [num_layers, num_rows >= num_tokens, num_heads, value_head_size], as keys
            otherwise
        key_caches (Tensor(a!)[]): num_layers tensors of [num_blocks, block_size, num_heads,
            head_size], the cache dtype (uint8 or float8 for fp8, int8 or uint8 for int8), any
            strides, the same for all layers
        value_caches (Tensor(b!)[]): num_layers tensors of [num_blocks, block_size, num_heads,
            value_head_size], as key_caches, with strides of their own
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
            token
        kv_cache_dtype (str): 'auto' (the dtype of keys), 'fp8', 'fp8_e4m3', 'fp8_e5m2' or 'int8'
        k_scales (Tensor): f32, one element, [num_layers] or [num_layers, num_heads]; the cache
            holds key / scale; not read when the cache holds the scalar dtype
        v_scales (Tensor): as k_scales, for values
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::reshape_and_cache_flash_layers(Tensor keys, Tensor values, Tensor(a!)[]
            key_caches, Tensor(b!)[] value_caches, Tensor slot_mapping, str kv_cache_dtype, Tensor
            k_scales, Tensor v_scales, Tensor? slot_remap=None) -> ()
    """
    if type(key_caches) not in LISTS:
        _arrays.check_list("reshape_and_cache_flash_layers: key_caches", key_caches)
    if type(value_caches) not in LISTS:
        _arrays.check_list("reshape_and_cache_flash_layers: value_caches", value_caches)
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("reshape_and_cache_flash_layers: kv_cache_dtype", kv_cache_dtype)
    if (
        type(keys) is type(values) is type(slot_mapping) is type(k_scales) is type(v_scales) is
        _arrays.TENSOR and (slot_remap is None or type(slot_remap) is _arrays.TENSOR)
    ) and _reshape_and_cache_flash_layers(
        keys._cdata, values._cdata, _arrays.handles(key_caches), _arrays.handles(value_caches),
        slot_mapping._cdata, kv_cache_dtype, k_scales._cdata, v_scales._cdata, None if slot_remap
        is None else slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        reshape_and_cache_flash_layers,
        _reshape_and_cache_flash_layers,
        ("key_caches", "value_caches"),
        ("key_caches", "value_caches"),
        (
            keys, values, key_caches, value_caches, slot_mapping, kv_cache_dtype, k_scales,
            v_scales, slot_remap,
        ),
    )


_reshape_and_cache_flash_nvfp4 = function("_C_cache_ops__reshape_and_cache_flash_nvfp4")


def reshape_and_cache_flash_nvfp4(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    swizzle_v_scales: bool = True,
    k_block_scales: Tensor | None = None,
    v_block_scales: Tensor | None = None,
    slot_remap: Tensor | None = None,
) -> None:
    """Scatters keys and values into pages of nvfp4: E2M1 codes and E4M3 block scales.

    With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, and D =
    head_size, or value_head_size for values, each side of a page holds the codes of all its tokens
    and heads first and their block scales behind:
      NHD  codes at (offset * num_heads + h) * D / 2,  scales at the same * 1 / 8, behind the codes
      HND  codes at (h * block_size + offset) * D / 2,  scales likewise
    Which of the two it is, strides 1 and 2 of the cache tell, whose last dimension counts bytes
    only. A packed page [K codes | K scales | V codes | V scales] is two views with the same block
    stride. With k_block_scales and v_block_scales, which FlashInfer's pages have, block scales go
    there, in the same order of groups, and the caches hold codes alone.

    For every 16 neighbouring elements v of a head, with g = 1 / k_scale and amax = max |v|:
      block scale S = E4M3(g * (amax / 6)), code = E2M1(v * m), m = 1 / (S / g), or 0 if S is 0
    and the same for values. A reader multiplies: v = code * S * k_scale. Two codes share a byte,
    the even element in the low half. Both formats round to nearest even and saturate.

    With 'nvfp4_4over6' every group is encoded a second time, with amax / 4 in place of amax / 6,
    and what is stored is the one of the two with the smaller sum of (v - code * (S / g))^2, the
    first if they are equal. Squares are added in pairs of neighbours, those sums in pairs, and so
    on. Readers need not know which it was.

    All arithmetic is f32 with IEEE quotients, so bytes are the same on every backend; kernels with
    the approximate reciprocals of the hardware differ in a code now and then, at ties. NaNs do not
    count for amax, their code is 6.

    swizzle_v_scales stores the block scales of values as the attention kernels for sm_100 want
    them: with S = D / 16, the scale of group i of the token at `offset` lies where that of group
    4 * (i mod (S / 4)) + offset mod 4 of the token at 4 * (offset div 4) + i div (S / 4) would.
    Scales of keys are always in order. Readers take the same default; FlashInfer's want none
    swizzled.

    Tokens with a negative slot are skipped. The number of tokens is the length of slot_mapping;
    key and value may have more rows (graph padding), which are not read. Zero tokens are a
    successful no-op. Two tokens with one slot race.

    Errors: ValueError for heads whose size is no multiple of 16, and with swizzle_v_scales for
    heads of value whose size is no multiple of 64 or a block_size that is no multiple of 4;
    IndexError for a slot beyond num_blocks * block_size (CPU: before anything is written; CUDA:
    that token is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's reshape_and_cache_flash with an nvfp4 cache, on any architecture,
    and with the layout taken from strides that are checked.
    Elsewhere: vLLM reshape_and_cache_flash; FlashInfer
    nvfp4_quantize_append_paged_kv_cache_with_slot_mapping.

    Args:
        key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
        value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
        key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size / 2 + head_size / 16],
            uint8; the last three dimensions without gaps, as NHD or HND, any block stride; with
            block scales elsewhere [num_blocks, block_size, num_heads, head_size / 2], any strides,
            that of the last dimension 1
        value_cache (Tensor!): as key_cache of value_head_size, with a block stride and an order of
            its own
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
            token
        kv_cache_dtype (str): 'nvfp4' or 'nvfp4_4over6'
        k_scale (Tensor): f32, one element or [num_heads]; amax / 2688 of the whole tensor uses the
            range of both formats, engines take amax / 448 or 1
        v_scale (Tensor): as k_scale, for value
        swizzle_v_scales (bool): whether block scales of values are stored for sm_100
        k_block_scales (Tensor!?): [num_blocks, block_size, num_heads, head_size / 16], uint8 or
            float8_e4m3fn, any strides, that of the last dimension 1; None: behind the codes of a
            page
        v_block_scales (Tensor!?): as k_block_scales, and given if that is
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::reshape_and_cache_flash_nvfp4(Tensor key, Tensor value, Tensor! key_cache,
            Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor
            v_scale, bool swizzle_v_scales=True, Tensor!? k_block_scales=None, Tensor!?
            v_block_scales=None, Tensor? slot_remap=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("reshape_and_cache_flash_nvfp4: kv_cache_dtype", kv_cache_dtype)
    if (
        type(key) is type(value) is type(key_cache) is type(value_cache) is type(slot_mapping) is
        type(k_scale) is type(v_scale) is _arrays.TENSOR and (k_block_scales is None or
        type(k_block_scales) is _arrays.TENSOR) and (v_block_scales is None or type(v_block_scales)
        is _arrays.TENSOR) and (slot_remap is None or type(slot_remap) is _arrays.TENSOR)
    ) and _reshape_and_cache_flash_nvfp4(
        key._cdata, value._cdata, key_cache._cdata, value_cache._cdata, slot_mapping._cdata,
        kv_cache_dtype, k_scale._cdata, v_scale._cdata, swizzle_v_scales, None if k_block_scales is
        None else k_block_scales._cdata, None if v_block_scales is None else v_block_scales._cdata,
        None if slot_remap is None else slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        reshape_and_cache_flash_nvfp4,
        _reshape_and_cache_flash_nvfp4,
        ("key_cache", "value_cache", "k_block_scales", "v_block_scales"),
        ("key_cache", "value_cache", "k_block_scales", "v_block_scales"),
        (
            key, value, key_cache, value_cache, slot_mapping, kv_cache_dtype, k_scale, v_scale,
            swizzle_v_scales, k_block_scales, v_block_scales, slot_remap,
        ),
    )


_reshape_and_cache_flash_per_token_head = function("_C_cache_ops__reshape_and_cache_flash_per_token_head")


def reshape_and_cache_flash_per_token_head(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    k_scale_cache: Tensor,
    v_scale_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    slot_remap: Tensor | None = None,
) -> None:
    """Scatters keys and values, quantised with a scale for each head of each token.

    With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, for keys
      k_scale_cache[block, offset, h] = S = max(amax / QMAX, 1e-6), amax = max_d |key[t, h, d]|
      key_cache[block, offset, h, d]  = Q(key[t, h, d] * (1 / S))
    and the same for values; the size of a value's head may differ from that of a key's. A reader
    multiplies: key = code * S. QMAX is 127 for int8 and 448 for fp8. Q saturates and rounds to
    nearest, halves to even in fp8_per_token_head and int8_per_token_head_even; in
    int8_per_token_head away from 0, by adding one half in f32 and truncating, so that the largest
    float below one half becomes 1. Readers take both for int8_per_token_head. All arithmetic is
    f32, division and reciprocal are IEEE, so scales and codes have the same bits on every backend.
    Tokens with a negative slot are skipped. The number of tokens is the length of slot_mapping;
    key and value may have more rows (graph padding), which are not read. Zero tokens are a
    successful no-op. Two tokens with one slot race.

    NaNs do not count for amax; their code is 0x7F (NaN) in fp8 and 0 in int8. An infinite element
    makes its scale infinite, and finite elements beside it become 0.

    int4_per_token_head rotates the head first, which spreads what is large in one element:
      y = rn(H (sign * key[t, h])), rounded to the dtype of key
    with H the Walsh-Hadamard matrix in natural order, not normalised, for each block of b
    elements, b the largest power of two that divides the head's size, and b fixed signs
    (kvforge/cache/rotation.h). Its sums are f32, at distance 1 first, then 2, 4, ...: (a + b, a -
    b). With lo = min(0, min y) and hi = max(0, max y)
      S = max((hi - lo) / 15, 1e-6), zero = C(-lo / S), code = C(y * (1 / S) + zero)
    where C rounds to the nearest of 0 to 15, halves up. Byte i of a head is code[2 i] | code[2 i +
    1] << 4. The word in k_scale_cache is S, whose last four bits are replaced by zero. A reader
    takes
      y = (code - zero) * (the word without these bits), key = sign * (H y) / b
    so that the attention over a cache may rotate the query in its place. A NaN in a block makes
    all of it NaN, which has no share in lo and hi and is stored as 0; a block with an infinity is
    read as NaN.

    Layout is told by strides, as for reshape_and_cache_flash; the scale caches have any strides,
    so a scale may also lie behind its head's codes, as in vLLM's pages of [K codes | K scale | V
    codes | V scale] per token and head.

    Errors: ValueError for int4 heads of an odd size, or of one that a power of two above 512
    divides; IndexError for a slot beyond num_blocks * block_size (CPU: before anything is
    written; CUDA: that token is skipped and counted, see kvforge.faults).
    Source of the rule: vLLM's Triton writers of the same formats, in 0.33. Older ones store int8
    by truncation towards zero, which biases every element towards zero and doubles the error. For
    int4 it takes lo and hi from the elements alone, so that a head of elements far from 0 is lost;
    where 0 is between them, as it is after nearly every rotation, the bytes are the same. Its
    rotation rounds to bf16 on the way.
    Elsewhere: vLLM triton_reshape_and_cache_flash_per_token_head_quant.

    Args:
        key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
        value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
        key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size], int8 (or uint8) for
            int8, float8 (or uint8) for fp8, any strides; for int4_per_token_head [num_blocks,
            block_size, num_heads, head_size / 2], uint8, any strides but 1 in the last dimension
        value_cache (Tensor!): [num_blocks, block_size, num_heads, value_head_size], else as
            key_cache
        k_scale_cache (Tensor!): [num_blocks, block_size, num_heads], f32, any strides
        v_scale_cache (Tensor!): as k_scale_cache, with strides of its own
        slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
            token
        kv_cache_dtype (str): 'int8_per_token_head', 'int8_per_token_head_even',
            'fp8_per_token_head' or 'int4_per_token_head'
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::reshape_and_cache_flash_per_token_head(Tensor key, Tensor value, Tensor!
            key_cache, Tensor! value_cache, Tensor! k_scale_cache, Tensor! v_scale_cache, Tensor
            slot_mapping, str kv_cache_dtype, Tensor? slot_remap=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("reshape_and_cache_flash_per_token_head: kv_cache_dtype", kv_cache_dtype)
    if (
        type(key) is type(value) is type(key_cache) is type(value_cache) is type(k_scale_cache) is
        type(v_scale_cache) is type(slot_mapping) is _arrays.TENSOR and (slot_remap is None or
        type(slot_remap) is _arrays.TENSOR)
    ) and _reshape_and_cache_flash_per_token_head(
        key._cdata, value._cdata, key_cache._cdata, value_cache._cdata, k_scale_cache._cdata,
        v_scale_cache._cdata, slot_mapping._cdata, kv_cache_dtype, None if slot_remap is None else
        slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        reshape_and_cache_flash_per_token_head,
        _reshape_and_cache_flash_per_token_head,
        ("key_cache", "value_cache", "k_scale_cache", "v_scale_cache"),
        ("key_cache", "value_cache", "k_scale_cache", "v_scale_cache"),
        (
            key, value, key_cache, value_cache, k_scale_cache, v_scale_cache, slot_mapping,
            kv_cache_dtype, slot_remap,
        ),
    )


_rope_and_cache_flash = function("_C_cache_ops__rope_and_cache_flash")


def rope_and_cache_flash(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    positions: Tensor,
    cos_sin_cache: Tensor | None,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    is_neox: bool = True,
    q_weight: Tensor | None = None,
    k_weight: Tensor | None = None,
    eps: float = 1e-6,
    weight_bias: float = 0.0,
    norm: str = 'auto',
    rounding: str = 'unfused',
    q_out: Tensor | None = None,
    q_scale: Tensor | None = None,
    k_out: Tensor | None = None,
    k_scale_cache: Tensor | None = None,
    v_scale_cache: Tensor | None = None,
    slot_remap: Tensor | None = None,
) -> None:
    """Norms and rotates queries and keys and writes keys and values to pages, in one pass.

    With D = head_size, R = rotary_dim, cos = cos_sin_cache[positions[t], i] and
    sin = cos_sin_cache[positions[t], R / 2 + i] for i in [0, R / 2), a head of query or key
    becomes:
      n[d] = (x[d] * r) * (weight[d] + weight_bias), r = 1 / sqrt(sum of x^2 / D + eps)
      (a, b) are elements i and R / 2 + i of n if is_neox, else 2 i and 2 i + 1, and become
      a' = a * cos - b * sin
      b' = b * cos + a * sin
    Elements from R on keep n. Without a norm n is x; without cos_sin_cache, or with R = 0, nothing
    is rotated and positions are not looked at. Any D and any even R up to D.

    All arithmetic is f32, every operation rounded by itself, none fused, the squares added in the
    order of kvforge/cache/norm.h, so that the CPU and CUDA give the same bits. rounding says where
    a value is rounded to the dtype of query besides:
      'unfused'  n, and the result: as three ops for norm, rotation and write leave it
      'once'     the result
      'none'     nothing: codes are made of f32, all else is rounded as it is stored
    A NaN of a query or key is 0x7FFF, or 0x7FFFFFFF in f32.

    All rows of query and key are treated so, whatever their slots are, and are stored in place, or
    to q_out and k_out where these are given; with an empty k_out keys go nowhere but to the cache.
    In a q_out of fp8 codes are Q(query, q_scale), q_scale of the head. Then, for the tokens of
    slot_mapping, with
    s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
      key_cache[block, offset, h, d]   = Q(key as above, k_scale[h])
      value_cache[block, offset, h, d] = Q(value[t, h, d], v_scale[h])
    Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by the
    scale in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens
    with a negative slot, and those behind the end of slot_mapping, are not written. Zero tokens
    are a successful no-op. Two tokens with one slot race.

    kv_cache_dtype 'nvfp4' or 'nvfp4_4over6' is as for reshape_and_cache_flash: pages are those of
    reshape_and_cache_flash_nvfp4 with swizzle_v_scales, of value_head_size for values; R is then a
    multiple of 32, and a group of 16 elements is encoded from the values that Q would be given.
    kv_cache_dtype 'int8_per_token_head', 'int8_per_token_head_even' or 'fp8_per_token_head' is as
    for reshape_and_cache_flash_per_token_head: the scale of a head, made of the values that Q
    would be given, goes to k_scale_cache or v_scale_cache, and heads are not empty.
    'int4_per_token_head' is so, too: what Q would be given is rotated by H as that op does it, and
    then rounded to the dtype of query, but for keys with rounding 'none', whose codes are made of
    f32; sizes are even, and byte i of a head of the cache is of elements 2 i and 2 i + 1.

    Layout is told by strides, and K and V have their own: NHD is a contiguous cache, HND one
    that is permuted from [num_blocks, num_heads, block_size, head_size]; packed K/V, values of
    another size than keys in one tensor, and padded pages work. query, key and value may be slices
    of one qkv.

    Errors: IndexError for a position that is no row of cos_sin_cache, whatever its token's slot,
    and for a slot beyond num_blocks * block_size (CPU: before anything is written; CUDA: counted,
    see kvforge.faults: a token with such a position is left alone, one with such a slot is not
    written to the cache).
    Source of the rule: vLLM's fused_qknorm_rope_cache ('unfused'),
    fused_muse_spark_qknorm_rope_kv_insert ('once') and fused_minimax_m3_qknorm_rope_kv_insert
    ('none'), SGLang's fused rope and store, and FlashInfer's
    rope_quantize_fp8_append_paged_kv_cache, with scales, bounds, and strides of its own for every
    tensor where these have none.
    Elsewhere: vLLM fused_qknorm_rope_cache; SGLang apply_rope_inplace_with_kvcache; FlashInfer
    rope_quantize_fp8_append_paged_kv_cache.

    Args:
        query (Tensor!): [num_tokens, num_q_heads, head_size], f32, f16 or bf16, any strides
        key (Tensor!): [num_tokens, num_heads, head_size], the dtype of query, any strides
        value (Tensor): [num_tokens, num_heads, value_head_size], the dtype of query, any strides
        key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size], the cache dtype (uint8
            or float8 for fp8, int8 or uint8 for int8), any strides; of nvfp4 [num_blocks,
            block_size, num_heads, head_size / 2 + head_size / 16] uint8, the last three without
            gaps, as NHD or HND; of int4_per_token_head [num_blocks, block_size, num_heads,
            head_size / 2] uint8, any strides but 1 in the last dimension
        value_cache (Tensor!): [num_blocks, block_size, num_heads, value_head_size], else as
            key_cache
        positions (Tensor): [num_tokens], int64 or int32, any stride
        cos_sin_cache (Tensor?): [num_positions, rotary_dim], f32 or the dtype of query, any
            strides; a row is the cosines of all pairs and behind them the sines; None: nothing is
            rotated
        slot_mapping (Tensor): [at most num_tokens], int64 or int32, any stride; a negative slot
            writes nothing
        kv_cache_dtype (str): 'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8',
            'nvfp4', 'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even',
            'fp8_per_token_head' or 'int4_per_token_head'
        k_scale (Tensor): f32, one element or [num_heads]; the cache holds key / k_scale; not read
            when the cache holds the scalar dtype, or a scale per token and head
        v_scale (Tensor): as k_scale, for value
        is_neox (bool): pairs are halves of rotary_dim (GPT-NeoX), else neighbours (GPT-J)
        q_weight (Tensor?): [head_size], f32 or the dtype of query, any stride; None: as ones
        k_weight (Tensor?): as q_weight, for key
        eps (float): added to the mean of the squares; finite, 0 or more
        weight_bias (float): added to every weight, 1 for Gemma; finite
        norm (str): 'auto': query is normed if there is a q_weight, key if a k_weight; 'on': both
            are
        rounding (str): 'unfused', 'once' or 'none'
        q_out (Tensor!?): as query, or fp8 codes (float8_e4m3fn, float8_e5m2; uint8 is the former),
            with strides of its own: query stays as it is; None: in place
        q_scale (Tensor?): f32, one element or [num_q_heads]; q_out holds query / q_scale; not read
            unless q_out is fp8; None: 1
        k_out (Tensor!?): as key, with strides of its own: key stays as it is; without elements:
            keys go to the cache alone; None: in place
        k_scale_cache (Tensor!?): [num_blocks, block_size, num_heads], f32, any strides: scales per
            token and head, of int4_per_token_head its words; None for other formats
        v_scale_cache (Tensor!?): as k_scale_cache, for values
        slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one
            of another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of
            which writes nothing either; one from `size` on is out of range; None: slots are page
            slots

    Schema:
        _C_cache_ops::rope_and_cache_flash(Tensor! query, Tensor! key, Tensor value, Tensor!
            key_cache, Tensor! value_cache, Tensor positions, Tensor? cos_sin_cache, Tensor
            slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale, bool is_neox=True,
            Tensor? q_weight=None, Tensor? k_weight=None, float eps=1e-6, float weight_bias=0.0,
            str norm='auto', str rounding='unfused', Tensor!? q_out=None, Tensor? q_scale=None,
            Tensor!? k_out=None, Tensor!? k_scale_cache=None, Tensor!? v_scale_cache=None, Tensor?
            slot_remap=None) -> ()
    """
    if type(kv_cache_dtype) is not str:
        kv_cache_dtype = _arrays.text("rope_and_cache_flash: kv_cache_dtype", kv_cache_dtype)
    if type(norm) is not str:
        norm = _arrays.text("rope_and_cache_flash: norm", norm)
    if type(rounding) is not str:
        rounding = _arrays.text("rope_and_cache_flash: rounding", rounding)
    if (
        type(query) is type(key) is type(value) is type(key_cache) is type(value_cache) is
        type(positions) is type(slot_mapping) is type(k_scale) is type(v_scale) is _arrays.TENSOR
        and (cos_sin_cache is None or type(cos_sin_cache) is _arrays.TENSOR) and (q_weight is None
        or type(q_weight) is _arrays.TENSOR) and (k_weight is None or type(k_weight) is
        _arrays.TENSOR) and (q_out is None or type(q_out) is _arrays.TENSOR) and (q_scale is None
        or type(q_scale) is _arrays.TENSOR) and (k_out is None or type(k_out) is _arrays.TENSOR)
        and (k_scale_cache is None or type(k_scale_cache) is _arrays.TENSOR) and (v_scale_cache is
        None or type(v_scale_cache) is _arrays.TENSOR) and (slot_remap is None or type(slot_remap)
        is _arrays.TENSOR)
    ) and _rope_and_cache_flash(
        query._cdata, key._cdata, value._cdata, key_cache._cdata, value_cache._cdata,
        positions._cdata, None if cos_sin_cache is None else cos_sin_cache._cdata,
        slot_mapping._cdata, kv_cache_dtype, k_scale._cdata, v_scale._cdata, is_neox, None if
        q_weight is None else q_weight._cdata, None if k_weight is None else k_weight._cdata, eps,
        weight_bias, norm, rounding, None if q_out is None else q_out._cdata, None if q_scale is
        None else q_scale._cdata, None if k_out is None else k_out._cdata, None if k_scale_cache is
        None else k_scale_cache._cdata, None if v_scale_cache is None else v_scale_cache._cdata,
        None if slot_remap is None else slot_remap._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        rope_and_cache_flash,
        _rope_and_cache_flash,
        ("query", "key", "key_cache", "value_cache", "q_out", "k_out", "k_scale_cache", "v_scale_cache"),
        ("query", "key", "key_cache", "value_cache", "q_out", "k_out", "k_scale_cache", "v_scale_cache"),
        (
            query, key, value, key_cache, value_cache, positions, cos_sin_cache, slot_mapping,
            kv_cache_dtype, k_scale, v_scale, is_neox, q_weight, k_weight, eps, weight_bias, norm,
            rounding, q_out, q_scale, k_out, k_scale_cache, v_scale_cache, slot_remap,
        ),
    )


_swap_blocks = function("_C_cache_ops__swap_blocks")


def swap_blocks(
    src: Tensor,
    dst: Tensor,
    block_size_in_bytes: int,
    block_mapping: Tensor,
) -> None:
    """Copies pages between two caches, on devices or the host.

    For every pair (s, d) = block_mapping[i], in the order of the list:
      page d of dst = page s of src
    A tensor without gaps is flat memory, of which page i has the bytes from i *
    block_size_in_bytes on. Where there are gaps between the indices of dimension 0, as in a
    layer's slice of a pool of all layers, pool[:, layer], each index is a page: it lies where its
    stride says, and only its own bytes are copied. src and dst may be the same memory: a pair then
    reads what pairs before it have written. Otherwise their pages must not overlap; those of two
    layers of a pool do not. No pairs are a successful no-op.

    The call runs on CUDA when src or dst is in device memory or exec says so, else on the CPU. On
    CUDA the driver copies on exec's stream: from host to device, back, or within a device. Pages
    that follow each other in both caches are one copy; copies that have nothing to do with each
    other go to the driver as one batch where it has that (CUDA 12.8) and the stream is neither the
    legacy default stream nor captured, else one by one. Within a device a kernel makes the copies,
    up to 4,096 pages in a launch, where the driver has CUDA 12.1 and neither side has more than
    2^28 pages; pages that all follow each other are one copy of the driver. Host memory must stay
    as it is until the stream has come past the call, and should be pinned; copies of pageable
    memory may wait. block_mapping is no longer needed when the call returns.

    Errors: IndexError, on both backends before anything is copied, for a block that is negative
    or does not lie in its tensor from end to end. RuntimeError when the driver refuses a copy: the
    pairs before it may be on the stream already, and the sentence says which ("enqueued: elements
    0 to 41 of block_mapping"). Those are copied, none after them is, but for a batch that fails as
    a whole, of which the driver does not say what it has taken; the sentence then names its
    elements too.
    Source of the rule: vLLM's op of the same name, with CPU to CPU added, and with its unchecked
    indices and return codes and its ignored strides corrected.
    Elsewhere: vLLM swap_blocks.

    Args:
        src (Tensor): any dtype, no negative strides; any shape without gaps, or with gaps between
            the indices of dimension 0 alone
        dst (Tensor!): the same; on the device of src, or one of the two on the host
        block_size_in_bytes (int): bytes of a page, 1 or more; where there are gaps, those from one
            page to the next will do
        block_mapping (Tensor): [num_pairs, 2], int64 or int32, on the CPU, any strides; a page of
            src and one of dst

    Schema:
        _C_cache_ops::swap_blocks(Tensor src, Tensor! dst, int block_size_in_bytes, Tensor
            block_mapping) -> ()
    """
    if (
        type(src) is type(dst) is type(block_mapping) is _arrays.TENSOR
    ) and _swap_blocks(
        src._cdata, dst._cdata, block_size_in_bytes, block_mapping._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        swap_blocks,
        _swap_blocks,
        ("dst",),
        ("dst",),
        (
            src, dst, block_size_in_bytes, block_mapping,
        ),
    )


_swap_blocks_batch = function("_C_cache_ops__swap_blocks_batch")


def swap_blocks_batch(
    src_ptrs: Tensor,
    dst_ptrs: Tensor,
    sizes: Tensor,
    is_src_access_order_any: bool = False,
    *,
    device: int | None = None,
) -> None:
    """Copies ranges of bytes between addresses, on devices or the host.

    For every i: copies sizes[i] bytes from address src_ptrs[i] to address dst_ptrs[i]. The copies
    may be made in any order, so what one writes must not be read or written by another. A size of
    0 is skipped. No copies are a successful no-op.

    The tensors are on the CPU, so exec says where the call runs: without it on the CPU, where
    every address is the host's. On CUDA the driver copies on exec's stream and finds out itself
    what memory an address belongs to. It gets up to 2048 copies at a time as one batch where it
    has that (CUDA 12.8) and the stream is neither the legacy default stream nor captured, else one
    by one. Where all copies are of one size and lie in memory of exec's device, as the driver
    knows its allocations, the kernel of swap_blocks makes them if it is built in, up to 4,096 in a
    launch. Host memory must stay as it is until the stream has come past the call, and should be
    pinned; copies of pageable memory may wait. The three vectors are no longer needed when the
    call returns.

    is_src_access_order_any lets a batch read its sources ahead of work that is on the stream
    already; only for sources that no such work writes.

    Errors: ValueError for a negative size or an address of 0, before anything is copied. No
    other mistake in an address can be found but by the driver. RuntimeError when that refuses a
    copy: those before it may be on the stream already, and the sentence says which ("enqueued:
    elements 0 to 41 of src_ptrs"). Those are made, none after them is, but for a batch that fails
    as a whole, of which the driver does not say what it has taken; the sentence then names its
    elements too.
    Source of the rule: vLLM's op of the same name, with its unchecked sizes and return codes
    corrected.
    Elsewhere: vLLM swap_blocks_batch.

    Args:
        src_ptrs (Tensor): [num_copies], int64, on the CPU, any stride; addresses
        dst_ptrs (Tensor): as src_ptrs
        sizes (Tensor): as src_ptrs; bytes, 0 or more
        is_src_access_order_any (bool): whether sources may be read before the stream gets to the
            call
        device: the CUDA device whose current stream the copies go to; None for the CPU

    Schema:
        _C_cache_ops::swap_blocks_batch(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes, bool
            is_src_access_order_any=False) -> ()
    """
    _arrays.adapt(
        swap_blocks_batch,
        _swap_blocks_batch,
        (),
        (),
        (
            src_ptrs, dst_ptrs, sizes, is_src_access_order_any,
        ),
        device,
    )


_update_kv_scales = function("_C_cache_ops__update_kv_scales")


def update_kv_scales(
    key: Tensor,
    value: Tensor,
    k_scale: Tensor,
    v_scale: Tensor,
    divisor: float = 240.0,
) -> None:
    """Raises the scales of keys and values to what new ones need.

    With amax the largest magnitude of an element, NaNs left out:
      k_scale = max(k_scale, amax of key / divisor)
      v_scale = max(v_scale, amax of value / divisor)
    The quotient is that of f32, to nearest even, and infinite for an infinite element; one of 0
    changes nothing. Scales are compared as the signed integers that their bits are: a negative one
    is less than any, and a NaN without a sign stays. Start with 0, or with the least that a scale
    may be. No elements are a successful no-op. On CUDA a graph can capture the call.

    448 as the divisor would let the largest element be the largest code of E4M3; 240, the default,
    leaves room for elements that are larger than those seen so far.

    Errors: ValueError for a divisor that is no positive, finite, normal f32.
    Source of the rule: mistral.rs and attention.rs, whose functions of this name have 240 built
    in.
    Elsewhere: mistral.rs update_kv_scales_f32 to update_kv_scales_bf16.

    Args:
        key (Tensor): [num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
        value (Tensor): [num_tokens, num_heads, value_head_size], as key otherwise
        k_scale (Tensor!): f32, one element
        v_scale (Tensor!): as k_scale
        divisor (float): magnitude of a code that the largest element has; positive, finite and
            normal as f32

    Schema:
        _C_cache_ops::update_kv_scales(Tensor key, Tensor value, Tensor! k_scale, Tensor! v_scale,
            float divisor=240.0) -> ()
    """
    if (
        type(key) is type(value) is type(k_scale) is type(v_scale) is _arrays.TENSOR
    ) and _update_kv_scales(
        key._cdata, value._cdata, k_scale._cdata, v_scale._cdata, divisor, True,
    ) is None:
        return
    _arrays.adapt(
        update_kv_scales,
        _update_kv_scales,
        ("k_scale", "v_scale"),
        ("k_scale", "v_scale"),
        (
            key, value, k_scale, v_scale, divisor,
        ),
    )


_zero_blocks = function("_C_cache_ops__zero_blocks")


def zero_blocks(
    caches: Sequence[Tensor],
    block_ids: Tensor,
) -> None:
    """Clears the given pages of all layers, in one launch.

    For every block = block_ids[i] and every tensor: all bytes of caches[layer][block] become 0.
    A negative block is skipped; a block may occur more than once. No blocks or no tensors are a
    successful no-op.

    Fresh memory may hold NaN, and 0 * NaN is NaN: an attention kernel that masks the unused tail
    of a page by multiplying needs pages that were cleared once.

    On CUDA the addresses of up to 240 tensors travel in the launch parameters: nothing is
    allocated or waited for, block_ids is read on the device, and the call can be captured in a
    CUDA graph. More tensors, or pages of several sizes, are several launches.

    Errors: IndexError for a block beyond num_blocks (CPU: before anything is written; CUDA: that
    block is skipped and counted once, see kvforge.faults). RuntimeError when a
    launch fails; those before it stay on the stream, and the sentence says so ("enqueued: 240 of
    300 tensors").
    Source of the rule: new here.
    Elsewhere: vLLM _zero_kv_blocks_kernel.

    Args:
        caches (Tensor(a!)[]): one per layer, [num_blocks, ...] each, any dtype of whole bytes;
            num_blocks is the same in all; a page has no gaps, but its dimensions may be in any
            order and pages any distance apart; no page of a tensor overlaps one of another
        block_ids (Tensor): [num_ids], int64 or int32, any stride, on the device of the caches

    Schema:
        _C_cache_ops::zero_blocks(Tensor(a!)[] caches, Tensor block_ids) -> ()
    """
    if type(caches) not in LISTS:
        _arrays.check_list("zero_blocks: caches", caches)
    if (
        type(block_ids) is _arrays.TENSOR
    ) and _zero_blocks(
        _arrays.handles(caches), block_ids._cdata, True,
    ) is None:
        return
    _arrays.adapt(
        zero_blocks,
        _zero_blocks,
        ("caches",),
        ("caches",),
        (
            caches, block_ids,
        ),
    )
