/*
 * Generated from templates/table/op.h.j2 and generator/spec/hisparse_gather_compact.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_HISPARSE_GATHER_COMPACT_H
#define KVFORGE_OPS_HISPARSE_GATHER_COMPACT_H

#include "kvforge/kvforge.h"
#include "kvforge/params/hisparse_gather_compact.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::hisparse_gather_compact: loads rows of a host pool into a device's hot buffer, by a
 * list for each request.
 *
 * For every request r and every column c below miss_counts[r] (at most num_columns):
 *   g, d = miss_global_indices[r, c], miss_hot_indices[r, c]
 *   hot_cache[d div block_size, d mod block_size] = host_cache[g], or zeros for a
 *                                                   g >= num_host_rows
 * A pair with a negative g or d, or with a d beyond the last row of hot_cache, is skipped. Where
 * two pairs have the same d, either may come last. Bits are copied. No requests, or no columns, are
 * a successful no-op.
 *
 * On CUDA the kernel reads host_cache across the link, 16 bytes at a time where rows and strides
 * allow it; nothing is waited for, and the call can be captured in a CUDA graph.
 *
 * Errors: KVF_INVALID_VALUE for a host_cache that is not pinned (CUDA), or rows with gaps.
 * Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and strides.
 * Elsewhere: vLLM hisparse_gather_compact.
 *
 * Arguments:
 *   host_cache (Tensor): [num_host_rows, ...], any dtype, rows without gaps, any row stride; in
 *       host memory, which a call on CUDA wants pinned
 *   hot_cache (Tensor!): [num_blocks, block_size, ...], the dtype and row size of host_cache, rows
 *       without gaps, any page and row strides
 *   miss_global_indices (Tensor): [num_requests, num_columns], int32, any strides: rows of the pool
 *   miss_hot_indices (Tensor): [num_requests, num_columns], int32, any strides: rows of hot_cache
 *   miss_counts (Tensor): [at least num_requests], int32, any stride: how many pairs a request has
 */
KVF_API kvf_status kvf_hisparse_gather_compact(const kvf_exec *exec, const DLTensor *host_cache,
                                               DLTensor *hot_cache,
                                               const DLTensor *miss_global_indices,
                                               const DLTensor *miss_hot_indices,
                                               const DLTensor *miss_counts);
KVF_API kvf_status
kvf_launch_hisparse_gather_compact(const kvf_exec *exec, const kvf_variant *variant,
                                   const kvf_hisparse_gather_compact_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_hisparse_gather_compact;

#ifdef __cplusplus
}
#endif

#endif
