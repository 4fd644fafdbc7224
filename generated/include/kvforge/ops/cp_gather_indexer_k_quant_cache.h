/*
 * Generated from templates/table/op.h.j2 and generator/spec/cp_gather_indexer_k_quant_cache.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_CP_GATHER_INDEXER_K_QUANT_CACHE_H
#define KVFORGE_OPS_CP_GATHER_INDEXER_K_QUANT_CACHE_H

#include "kvforge/kvforge.h"
#include "kvforge/params/cp_gather_indexer_k_quant_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::cp_gather_indexer_k_quant_cache: gathers the quantised indexer keys of sequences,
 * and their scales, from pages.
 *
 * For row j of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with p = j - cu_seq_lens[b],
 * offset = p mod block_size, D = head_dim, n = scales of a token, and P the bytes of page
 * block_table[b, p div block_size]:
 *   dst_k[j, :]     = P[offset * D .. offset * D + D - 1]
 *   dst_scale[j, :] = P[block_size * D + 4 * offset * n ..], 4 * n bytes
 * Bytes are copied. Rows that no sequence has, in front of cu_seq_lens[0] or from the last element
 * of cu_seq_lens on, are left as they are. Zero rows are a successful no-op: no index is looked at
 * then.
 *
 * The group size is not an argument: dst_scale tells n, and head_dim must be a multiple of it.
 *
 * Errors: KVF_INVALID_VALUE for destination rows or pages whose bytes are not neighbours;
 * KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before anything is
 * written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's op of the same name, with its contiguous destinations, its groups of
 * 128 and more, its alignment and its bounds defects corrected.
 * Elsewhere: vLLM cp_gather_indexer_k_quant_cache.
 *
 * Arguments:
 *   kv_cache (Tensor): [num_blocks, block_size, head_dim + 4 * n], uint8 or float8_e4m3fn; any page
 *       stride, the bytes of a page dense
 *   dst_k (Tensor!): [num_rows, head_dim], uint8 or float8_e4m3fn; any row stride, rows dense
 *   dst_scale (Tensor!): [num_rows, 4 * n], uint8, or [num_rows, n], f32; any row stride, rows
 *       dense
 *   block_table (Tensor): [num_sequences, width], int32 or int64; any stride of sequences
 *   cu_seq_lens (Tensor): [num_sequences + 1], int32, ascending: the first row of each sequence
 */
KVF_API kvf_status kvf_cp_gather_indexer_k_quant_cache(const kvf_exec *exec,
                                                       const DLTensor *kv_cache, DLTensor *dst_k,
                                                       DLTensor *dst_scale,
                                                       const DLTensor *block_table,
                                                       const DLTensor *cu_seq_lens);
KVF_API kvf_status kvf_launch_cp_gather_indexer_k_quant_cache(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_cp_gather_indexer_k_quant_cache_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_cp_gather_indexer_k_quant_cache;

#ifdef __cplusplus
}
#endif

#endif
