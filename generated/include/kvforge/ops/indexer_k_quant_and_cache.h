/*
 * Generated from templates/table/op.h.j2 and generator/spec/indexer_k_quant_and_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_INDEXER_K_QUANT_AND_CACHE_H
#define KVFORGE_OPS_INDEXER_K_QUANT_AND_CACHE_H

#include "kvforge/kvforge.h"
#include "kvforge/params/indexer_k_quant_and_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::indexer_k_quant_and_cache: quantises the indexer keys of new tokens in groups and
 * scatters them into pages.
 *
 * With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, D = head_dim,
 * g = quant_block_size, and P the bytes of page `block`, all codes first and all scales behind
 * them:
 *   P[offset * D + d]                                        = Q(k[t, d], scale of group d div g)
 *   P[block_size * D + 4 * (offset * (D / g) + j)], 4 bytes  = scale of group j, f32
 *   scale = max(largest magnitude of the group, 1e-4) / 448
 * With kv_cache_dtype "ue8m0" the scale is rounded up to a power of two; it is stored as f32 all
 * the same. With "mxfp8" it is rounded so, too, and each of the 4 bytes holds its biased exponent
 * (E8M0: 2^(byte - 127) is the value; 255 is that of an infinite scale, and reads as NaN). Q
 * divides by the scale in f32, rounds to nearest even and saturates to E4M3. NaNs do not count for
 * the scale and get the code 0x7F; a group with an infinity has an infinite scale.
 * Tokens with a negative slot are skipped. The number of tokens is the length of slot_mapping; k
 * may have more rows (graph padding), which are not read. Zero tokens are a successful no-op. Two
 * tokens with one slot race.
 *
 * Any head_dim, and any power of two that divides it as the group size (usual: 32, 64, 128).
 *
 * Errors: KVF_INVALID_VALUE for a group size that is not a power of two or does not divide
 * head_dim, for a kv_cache_dtype that is not one of those named, or for a page whose bytes are not
 * neighbours; KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
 * written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's op of the same name, with its group size of 128 whatever the argument
 * says, its wrong f16 and f32 results, its ignored strides, and its plain scales for a string that
 * it does not know corrected. The power of two is found exactly, from the exponent bits. vLLM takes
 * f32 log2 and exp2, and so keeps the power below where a quotient is a few units in the last place
 * above it; the largest element then saturates.
 * Elsewhere: vLLM indexer_k_quant_and_cache.
 *
 * Arguments:
 *   k (Tensor): [num_rows >= num_tokens, head_dim], f32, f16 or bf16, any strides
 *   kv_cache (Tensor!): [num_blocks, block_size, head_dim + 4 * head_dim / quant_block_size], uint8
 *       or float8_e4m3fn; any page stride, the bytes of a page dense
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
 *       token
 *   quant_block_size (int): elements of a group, a power of two that divides head_dim
 *   kv_cache_dtype (str): the format of the scales: 'fp8_indexer', which 'auto', 'fp8' and
 *       'fp8_e4m3' name too, for plain ones; 'ue8m0' (or 'fp8_indexer_ue8m0') for powers of two;
 *       'mxfp8' (or 'fp8_indexer_mxfp8') for their exponents
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_indexer_k_quant_and_cache(const kvf_exec *exec, const DLTensor *k,
                                                 DLTensor *kv_cache, const DLTensor *slot_mapping,
                                                 int64_t quant_block_size,
                                                 const char *kv_cache_dtype,
                                                 const DLTensor *slot_remap);
KVF_API kvf_status
kvf_launch_indexer_k_quant_and_cache(const kvf_exec *exec, const kvf_variant *variant,
                                     const kvf_indexer_k_quant_and_cache_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_indexer_k_quant_and_cache;

#ifdef __cplusplus
}
#endif

#endif
