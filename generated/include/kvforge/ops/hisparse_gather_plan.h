/*
 * Generated from templates/table/op.h.j2 and generator/spec/hisparse_gather_plan.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_HISPARSE_GATHER_PLAN_H
#define KVFORGE_OPS_HISPARSE_GATHER_PLAN_H

#include "kvforge/kvforge.h"
#include "kvforge/params/hisparse_gather_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::hisparse_gather_plan: loads the rows of a host pool that a plan marks as missing,
 * and tells where they lie.
 *
 * For every row r of the plan and every column c, unless the row is padding:
 *   g, d = global_indices[r, c], hot_indices[r, c]
 *   where miss_mask[r, c] != 0:
 *     hot_cache[d div block_size, d mod block_size] = host_cache[g], or zeros for a
 *                                                     g >= num_host_rows
 *   attention_indices[r, c] = (d div block_size) * attention_block_stride + d mod block_size,
 *                             or -1 where d < 0
 * Row r is padding where request_state_indices[r] < 0: nothing is loaded, and its attention_indices
 * are -1. A marked pair with a negative g or d, or with a d beyond the last row of hot_cache, loads
 * nothing; attention_indices are -1 for such a d too. Where two pairs have the same d, either may
 * come last. Bits are copied. No rows, or no columns, are a successful no-op.
 *
 * The plan is what hisparse_resolve_residency made for the first layer; this replays it for
 * another. On CUDA the kernel reads host_cache across the link; nothing is waited for, and the call
 * can be captured in a CUDA graph.
 *
 * Errors: KVF_INVALID_VALUE for a host_cache that is not pinned (CUDA), rows with gaps, or an
 * attention_block_stride that is less than block_size or gives an index beyond int32.
 * Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and strides.
 * Elsewhere: vLLM hisparse_gather_plan.
 *
 * Arguments:
 *   host_cache (Tensor): [num_host_rows, ...], any dtype, rows without gaps, any row stride; in
 *       host memory, which a call on CUDA wants pinned
 *   hot_cache (Tensor!): [num_blocks, block_size, ...], the dtype and row size of host_cache, rows
 *       without gaps, any page and row strides; or [num_rows, ...] of rank 2, pages of one row
 *   global_indices (Tensor): [num_requests, num_columns], int32, any strides: rows of the pool
 *   hot_indices (Tensor): [num_requests, num_columns], int32, any strides: rows of hot_cache
 *   miss_mask (Tensor): [num_requests, num_columns], int32, any strides: 1 where the row is to be
 *       loaded
 *   request_state_indices (Tensor?): [at least num_requests], int32, any stride: negative for
 *       padding; None: no padding
 *   attention_indices (Tensor(a!)?): [num_requests, num_columns], int32, any strides; None: not
 *       wanted
 *   attention_block_stride (int): rows from a page to the next, as attention counts them
 */
KVF_API kvf_status kvf_hisparse_gather_plan(const kvf_exec *exec, const DLTensor *host_cache,
                                            DLTensor *hot_cache, const DLTensor *global_indices,
                                            const DLTensor *hot_indices, const DLTensor *miss_mask,
                                            const DLTensor *request_state_indices,
                                            DLTensor *attention_indices,
                                            int64_t attention_block_stride);
KVF_API kvf_status kvf_launch_hisparse_gather_plan(const kvf_exec *exec, const kvf_variant *variant,
                                                   const kvf_hisparse_gather_plan_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_hisparse_gather_plan;

#ifdef __cplusplus
}
#endif

#endif
