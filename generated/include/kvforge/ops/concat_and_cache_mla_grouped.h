/*
 * Generated from templates/table/op.h.j2 and generator/spec/concat_and_cache_mla_grouped.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_CONCAT_AND_CACHE_MLA_GROUPED_H
#define KVFORGE_OPS_CONCAT_AND_CACHE_MLA_GROUPED_H

#include "kvforge/kvforge.h"
#include "kvforge/params/concat_and_cache_mla_grouped.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::concat_and_cache_mla_grouped: writes the latent and the rope part of new tokens to
 * the MLA pages of several layers.
 *
 * With L = kv_lora_rank, R = rope_dim, s = slot_mapping[n, t], row the address kv_cache_ptrs[n]
 * plus (s div block_size) * block_stride + (s mod block_size) * entry_stride cache elements:
 *   row[i]     = Q(kv_c[n, t, i], kv_scales[n])  for i in [0, L)
 *   row[L + j] = Q(k_pe[n, t, j], kv_scales[n])  for j in [0, R)
 * Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale in f32,
 * rounds to nearest even and saturates. All layers share block_size and strides, and are written in
 * one launch. Any L and R, 0 included. Tokens with a negative slot are skipped. The number of
 * tokens is that of slot_mapping; kv_c and k_pe may have more rows, which are not read. CUDA
 * kernels may read the rows of skipped tokens. Zero layers or tokens are a successful no-op. Two
 * tokens of a layer with one slot race.
 *
 * The caches are known by address alone, so only the caller can say how many pages they have: with
 * num_blocks, slots are checked as in concat_and_cache_mla; with -1 they are trusted.
 *
 * Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
 * written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count). An address that is 0
 * or no multiple of the element size is refused on the CPU; on CUDA each token of that layer is
 * skipped and counted, unless its slot is negative.
 * Source of the rule: vLLM's op of the same name, with every scalar dtype and num_blocks added.
 * Elsewhere: vLLM concat_and_cache_mla_grouped.
 *
 * Arguments:
 *   kv_c (Tensor): [num_layers, num_rows >= num_tokens, kv_lora_rank], f32, f16 or bf16, any
 *       strides
 *   k_pe (Tensor): [num_layers, num_rows >= num_tokens, rope_dim], the dtype of kv_c, any strides
 *   kv_cache_ptrs (Tensor): [num_layers], int64, any stride: address of each layer's cache, in the
 *       memory that the other tensors are in
 *   slot_mapping (Tensor): [num_layers, num_tokens], int64 or int32, any strides (0 for one row
 *       that all layers share); a negative slot skips its token
 *   block_size (int): tokens in a page
 *   block_stride (int): distance of two pages, in cache elements; at least kv_lora_rank + rope_dim
 *   entry_stride (int): distance of two tokens, likewise
 *   kv_scales (Tensor?): [num_layers], f32, any stride; layer n holds element / kv_scales[n];
 *       required for fp8 and absent otherwise
 *   kv_cache_dtype (str): 'auto' (the dtype of kv_c), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'
 *   num_blocks (int): pages in each cache; -1 when slots need no check
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_concat_and_cache_mla_grouped(
    const kvf_exec *exec, const DLTensor *kv_c, const DLTensor *k_pe, const DLTensor *kv_cache_ptrs,
    const DLTensor *slot_mapping, int64_t block_size, int64_t block_stride, int64_t entry_stride,
    const DLTensor *kv_scales, const char *kv_cache_dtype, int64_t num_blocks,
    const DLTensor *slot_remap);
KVF_API kvf_status
kvf_launch_concat_and_cache_mla_grouped(const kvf_exec *exec, const kvf_variant *variant,
                                        const kvf_concat_and_cache_mla_grouped_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_concat_and_cache_mla_grouped;

#ifdef __cplusplus
}
#endif

#endif
