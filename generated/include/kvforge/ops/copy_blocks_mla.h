/*
 * Generated from templates/table/op.h.j2 and generator/spec/copy_blocks_mla.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_COPY_BLOCKS_MLA_H
#define KVFORGE_OPS_COPY_BLOCKS_MLA_H

#include "kvforge/kvforge.h"
#include "kvforge/params/copy_blocks_mla.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::copy_blocks_mla: copies pages within the joint caches of all layers, in one launch.
 *
 * For every pair (source, target) = block_mapping[i] and every layer:
 *   kv_caches[layer][target] = kv_caches[layer][source]
 * Everything else is as in copy_blocks: pairs take effect in the order of the list, a pair with a
 * negative block is skipped, and the call can be captured in a CUDA graph.
 *
 * Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is written; CUDA:
 * that pair is skipped and counted once, see kvf_cuda_fault_count). KVF_CUDA_ERROR as in
 * copy_blocks.
 * Source of the rule: vLLM's op of the same name (until 2025), with the defects of copy_blocks
 * corrected.
 * Elsewhere: vLLM to 0.13 copy_blocks_mla.
 *
 * Arguments:
 *   kv_caches (Tensor(a!)[]): one per layer, [num_blocks, ...] each, any dtype of whole bytes;
 *       num_blocks is the same in all; a page has no gaps, but its dimensions may be in any order
 *       and pages any distance apart; no page of a tensor overlaps one of another
 *   block_mapping (Tensor): [num_pairs, 2], int64 or int32, any strides, on the device of the
 *       caches; source and target of each pair
 */
KVF_API kvf_status kvf_copy_blocks_mla(const kvf_exec *exec, const DLTensor *const *kv_caches,
                                       int64_t num_kv_caches, const DLTensor *block_mapping);
KVF_API kvf_status kvf_launch_copy_blocks_mla(const kvf_exec *exec, const kvf_variant *variant,
                                              const kvf_copy_blocks_mla_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_copy_blocks_mla;

#ifdef __cplusplus
}
#endif

#endif
