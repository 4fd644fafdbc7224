/*
 * Generated from templates/table/op.h.j2 and generator/spec/copy_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_COPY_BLOCKS_H
#define KVFORGE_OPS_COPY_BLOCKS_H

#include "kvforge/kvforge.h"
#include "kvforge/params/copy_blocks.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::copy_blocks: copies pages within the key and value caches of all layers, in one
 * launch.
 *
 * For every pair (source, target) = block_mapping[i] and every layer:
 *   key_caches[layer][target]   = key_caches[layer][source]
 *   value_caches[layer][target] = value_caches[layer][source]
 * Pairs take effect in the order of the list, on both backends: with (0, 1), (1, 2) block 2 gets
 * what block 0 held, with (1, 2), (0, 1) what block 1 held, and of two pairs with one target the
 * last one wins. Pairs that have nothing to do with each other are copied side by side. A pair with
 * a negative block is skipped, so that a captured list can be padded. No pairs or no layers are a
 * successful no-op.
 *
 * On CUDA the addresses of up to 240 tensors travel in the launch parameters: nothing is allocated
 * or waited for, block_mapping is read on the device, and the call can be captured in a CUDA graph.
 * More tensors, pages of several sizes, or more than 16,384 pairs are several launches: 1,024 pairs
 * where there are more than 131,072 blocks, or an address, stride or page is no multiple of 16
 * bytes.
 *
 * Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is written; CUDA:
 * that pair is skipped and counted once, see kvf_cuda_fault_count), whatever the pair's other block
 * is. KVF_CUDA_ERROR when a launch fails; those before it stay on the stream, and the sentence says
 * so ("enqueued: 240 of 300 tensors").
 * Source of the rule: vLLM's op of the same name (until 2025), with its host synchronisation, its
 * race between chained pairs, its 32-bit sizes and its missing bounds checks corrected.
 * Elsewhere: vLLM to 0.13 copy_blocks; mistral.rs copy_blocks_bf16 to copy_blocks_u8.
 *
 * Arguments:
 *   key_caches (Tensor(a!)[]): one per layer, [num_blocks, ...] each, any dtype of whole bytes;
 *       num_blocks is the same in all; a page has no gaps, but its dimensions may be in any order
 *       and pages any distance apart; no page of a tensor overlaps one of another
 *   value_caches (Tensor[](b!)): as key_caches, as many; pages may have another size than those of
 *       keys
 *   block_mapping (Tensor): [num_pairs, 2], int64 or int32, any strides, on the device of the
 *       caches; source and target of each pair
 */
KVF_API kvf_status kvf_copy_blocks(const kvf_exec *exec, const DLTensor *const *key_caches,
                                   int64_t num_key_caches, const DLTensor *const *value_caches,
                                   int64_t num_value_caches, const DLTensor *block_mapping);
KVF_API kvf_status kvf_launch_copy_blocks(const kvf_exec *exec, const kvf_variant *variant,
                                          const kvf_copy_blocks_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_copy_blocks;

#ifdef __cplusplus
}
#endif

#endif
