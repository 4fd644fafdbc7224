/*
 * Generated from templates/table/op.h.j2 and generator/spec/zero_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_ZERO_BLOCKS_H
#define KVFORGE_OPS_ZERO_BLOCKS_H

#include "kvforge/kvforge.h"
#include "kvforge/params/zero_blocks.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::zero_blocks: clears the given pages of all layers, in one launch.
 *
 * For every block = block_ids[i] and every tensor: all bytes of caches[layer][block] become 0.
 * A negative block is skipped; a block may occur more than once. No blocks or no tensors are a
 * successful no-op.
 *
 * Fresh memory may hold NaN, and 0 * NaN is NaN: an attention kernel that masks the unused tail of
 * a page by multiplying needs pages that were cleared once.
 *
 * On CUDA the addresses of up to 240 tensors travel in the launch parameters: nothing is allocated
 * or waited for, block_ids is read on the device, and the call can be captured in a CUDA graph.
 * More tensors, or pages of several sizes, are several launches.
 *
 * Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is written; CUDA:
 * that block is skipped and counted once, see kvf_cuda_fault_count). KVF_CUDA_ERROR when a
 * launch fails; those before it stay on the stream, and the sentence says so ("enqueued: 240 of 300
 * tensors").
 * Source of the rule: new here.
 * Elsewhere: vLLM _zero_kv_blocks_kernel.
 *
 * Arguments:
 *   caches (Tensor(a!)[]): one per layer, [num_blocks, ...] each, any dtype of whole bytes;
 *       num_blocks is the same in all; a page has no gaps, but its dimensions may be in any order
 *       and pages any distance apart; no page of a tensor overlaps one of another
 *   block_ids (Tensor): [num_ids], int64 or int32, any stride, on the device of the caches
 */
KVF_API kvf_status kvf_zero_blocks(const kvf_exec *exec, const DLTensor *const *caches,
                                   int64_t num_caches, const DLTensor *block_ids);
KVF_API kvf_status kvf_launch_zero_blocks(const kvf_exec *exec, const kvf_variant *variant,
                                          const kvf_zero_blocks_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_zero_blocks;

#ifdef __cplusplus
}
#endif

#endif
