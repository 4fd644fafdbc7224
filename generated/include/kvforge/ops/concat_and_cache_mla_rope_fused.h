/*
 * Generated from templates/table/op.h.j2 and generator/spec/concat_and_cache_mla_rope_fused.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_CONCAT_AND_CACHE_MLA_ROPE_FUSED_H
#define KVFORGE_OPS_CONCAT_AND_CACHE_MLA_ROPE_FUSED_H

#include "kvforge/kvforge.h"
#include "kvforge/params/concat_and_cache_mla_rope_fused.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::concat_and_cache_mla_rope_fused: rotates queries and keys by their positions and
 * writes the keys to MLA pages.
 *
 * With L = kv_lora_rank, R = rope_dim, cos = cos_sin_cache[positions[t], i] and
 * sin = cos_sin_cache[positions[t], R / 2 + i], for i in [0, R / 2):
 *   (x, y) are elements i and R / 2 + i of a row if is_neox, else 2 i and 2 i + 1, and become
 *   x' = x * cos - y * sin
 *   y' = y * cos + x * sin
 * Products, sums and differences are made in f32, none of them fused, so the CPU and CUDA give the
 * same bits. With cos_sin_cache of the scalar dtype each is rounded to it (three roundings for an
 * element of f16 or bf16); with one of f32 next to f16 or bf16 the end alone is. A NaN is 0x7FFF,
 * or 0x7FFFFFFF in f32.
 *
 * q_pe and k_pe are rotated in place, and k_pe is written behind kv_c, with s = slot_mapping[t],
 * block = s div block_size and offset = s mod block_size:
 *   kv_cache[block, offset, i]     = Q(kv_c[t, i], kv_cache_scale)  for i in [0, L)
 *   kv_cache[block, offset, L + j] = Q(k_pe[t, j], kv_cache_scale)  for j in [0, R), rotated
 * Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale in f32,
 * rounds to nearest even and saturates. A token with a negative slot is left alone, and its
 * position is not looked at (graph padding); with rotate_skipped its queries are rotated all the
 * same, as a rank needs that keeps the keys of some tokens alone. The number of tokens is the
 * length of slot_mapping; the other tensors may have more rows, which are left alone. CUDA kernels
 * may read the rows of skipped tokens. Any L, any even R, any number of heads, 0 included. Zero
 * tokens are a successful no-op. Two tokens with one slot race.
 *
 * Errors: KVF_OUT_OF_RANGE for a position that is looked at and no row of cos_sin_cache, and for a
 * slot beyond num_blocks * block_size (CPU: before anything is written; CUDA: counted, see
 * kvf_cuda_fault_count, and the token is treated as one with a negative slot, or left alone for its
 * position).
 * Source of the rule: vLLM's op of the same name, with its 32-bit strides and its empty-input and
 * bounds defects corrected. Before 0.33 it rotated the queries of all tokens.
 * Elsewhere: vLLM concat_and_cache_mla_rope_fused.
 *
 * Arguments:
 *   positions (Tensor): [>= num_tokens], int64 or int32, any stride
 *   q_pe (Tensor!): [num_rows >= num_tokens, num_heads, rope_dim], f32, f16 or bf16, any strides
 *   k_pe (Tensor!): [num_rows, rope_dim], the dtype of q_pe, any strides
 *   kv_c (Tensor): [num_rows, kv_lora_rank], the dtype of q_pe, any strides
 *   cos_sin_cache (Tensor): [num_positions, rope_dim], the dtype of q_pe or f32, any strides; a row
 *       is the cosines of all pairs and behind them the sines
 *   is_neox (bool): pairs are halves of a row (GPT-NeoX), else neighbours (GPT-J)
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
 *       token
 *   kv_cache (Tensor!): [num_blocks, block_size, kv_lora_rank + rope_dim], the cache dtype (uint8
 *       or float8 for fp8), any strides
 *   kv_cache_dtype (str): 'auto' (the dtype of q_pe), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'
 *   kv_cache_scale (Tensor): f32, one element; the cache holds element / scale, for kv_c and k_pe
 *       alike; not read when the cache holds the scalar dtype
 *   rotate_skipped (bool): whether queries of tokens with a negative slot are rotated, too
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_concat_and_cache_mla_rope_fused(
    const kvf_exec *exec, const DLTensor *positions, DLTensor *q_pe, DLTensor *k_pe,
    const DLTensor *kv_c, const DLTensor *cos_sin_cache, bool is_neox, const DLTensor *slot_mapping,
    DLTensor *kv_cache, const char *kv_cache_dtype, const DLTensor *kv_cache_scale,
    bool rotate_skipped, const DLTensor *slot_remap);
KVF_API kvf_status kvf_launch_concat_and_cache_mla_rope_fused(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_concat_and_cache_mla_rope_fused_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_concat_and_cache_mla_rope_fused;

#ifdef __cplusplus
}
#endif

#endif
