/*
 * Generated from templates/table/op.h.j2 and generator/spec/concat_and_cache_mla.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_CONCAT_AND_CACHE_MLA_H
#define KVFORGE_OPS_CONCAT_AND_CACHE_MLA_H

#include "kvforge/kvforge.h"
#include "kvforge/params/concat_and_cache_mla.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::concat_and_cache_mla: writes the latent and the rope part of new tokens, one behind
 * the other, to MLA pages.
 *
 * With L = kv_lora_rank, R = rope_dim, s = slot_mapping[t], block = s div block_size and
 * offset = s mod block_size:
 *   kv_cache[block, offset, i]     = Q(kv_c[t, i], scale)  for i in [0, L)
 *   kv_cache[block, offset, L + j] = Q(k_pe[t, j], scale)  for j in [0, R)
 * Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale in f32,
 * rounds to nearest even and saturates. With skip_scale it divides by 1, and the scale is not read:
 * elements that were divided by it elsewhere. With a kpe_cache, k_pe goes to a cache of its own:
 *   kv_cache[block, offset, i]  = Q(kv_c[t, i], scale)      for i in [0, L)
 *   kpe_cache[block, offset, j] = Q(k_pe[t, j], kpe_scale)  for j in [0, R)
 * gather_and_maybe_dequant_cache reads each of the two, into slices of one tensor if that is
 * wanted.
 *
 * Any L and R, 0 included. Tokens with a negative slot are skipped. The number of tokens is the
 * length of slot_mapping; kv_c and k_pe may have more rows (graph padding), which are not read.
 * CUDA kernels may read the rows of skipped tokens. Zero tokens are a successful no-op. Two tokens
 * with one slot race.
 *
 * Three cache dtypes are row formats of their own, with L = 512, R = 64 and no kpe_cache. They make
 * their scales from the elements; `scale` is not read, and skip_scale is without effect. amax is
 * the largest magnitude of a group; NaNs do not count for it. All divisions are IEEE f32, so the
 * CPU and CUDA give the same bits.
 *
 * fp8_ds_mla, 656 bytes, from f16 or bf16:
 *   bytes 0 to 511    E4M3 codes of kv_c, element / scale of its tile of 128
 *   bytes 512 to 527  the 4 tile scales, f32, little-endian: max(amax / 448, 1e-4), rounded
 *                     up to a power of two, so that readers may narrow them to bf16, or to an
 *                     exponent
 *   bytes 528 to 655  k_pe as it is, 16 bits an element; zeros for a k_pe of [num_rows, 0]
 * fp8_ds_mla_f32: the same layout with max(amax / 448, 2^-126) for scales, as vLLM had it before.
 * The power of two is found by the bits of the quotient. (log2 and exp2 in f32, as upstream has it,
 * give the lower power for quotients a few ulp above one.)
 * nvfp4_ds_mla, 352 bytes, from f32, f16 or bf16:
 *   bytes 0 to 255    E2M1 codes of kv_c, the even element in the low half: element *
 *                     (1 / scale), an IEEE division where upstream has the hardware's estimate;
 *                     to nearest even, saturated at 6, NaN as 6
 *   bytes 256 to 319  E4M3 codes of k_pe, without a scale
 *   bytes 320 to 351  the scales of groups of 16, E4M3: a = max(amax / 6, 2^-9), to nearest even,
 *                     one code up if that is below a; at most 448. Group g is byte
 *                     8 (g mod 4) + g div 4.
 *
 * Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
 * written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's op of the same name, with its 32-bit strides, its amax over the raw
 * bits of f16, and its alignment, empty-input and bounds defects corrected.
 * Elsewhere: vLLM concat_and_cache_mla; mistral.rs concat_and_cache_mla; FlashInfer
 * append_paged_mla_kv_cache.
 *
 * Arguments:
 *   kv_c (Tensor): [num_rows >= num_tokens, kv_lora_rank], f32, f16 or bf16, any strides
 *   k_pe (Tensor): [num_rows >= num_tokens, rope_dim], the dtype of kv_c, any strides; rope_dim may
 *       be 0, but for nvfp4_ds_mla
 *   kv_cache (Tensor!): [num_blocks, block_size, kv_lora_rank + rope_dim], the cache dtype (uint8
 *       or float8 for fp8), any strides; beside a kpe_cache [num_blocks, block_size, kv_lora_rank];
 *       for a row format [num_blocks, block_size, 656 or 352], uint8, rows without gaps
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
 *       token
 *   kv_cache_dtype (str): 'auto' (the dtype of kv_c), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'fp8_ds_mla',
 *       'fp8_ds_mla_f32' or 'nvfp4_ds_mla'
 *   scale (Tensor): f32, one element; the cache holds element / scale, for kv_c and k_pe alike; not
 *       read unless the cache is fp8_e4m3 or fp8_e5m2
 *   skip_scale (bool): whether elements are stored as they are, not divided; the scale is not read
 *   kpe_cache (Tensor!?): [num_blocks, block_size, rope_dim], the dtype of kv_cache, any strides;
 *       both may be slices of one tensor; None: k_pe goes behind kv_c, into kv_cache
 *   kpe_scale (Tensor?): as scale, for kpe_cache; None: scale
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_concat_and_cache_mla(const kvf_exec *exec, const DLTensor *kv_c,
                                            const DLTensor *k_pe, DLTensor *kv_cache,
                                            const DLTensor *slot_mapping,
                                            const char *kv_cache_dtype, const DLTensor *scale,
                                            bool skip_scale, DLTensor *kpe_cache,
                                            const DLTensor *kpe_scale, const DLTensor *slot_remap);
KVF_API kvf_status kvf_launch_concat_and_cache_mla(const kvf_exec *exec, const kvf_variant *variant,
                                                   const kvf_concat_and_cache_mla_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_concat_and_cache_mla;

#ifdef __cplusplus
}
#endif

#endif
