/*
 * Generated from templates/table/op.h.j2 and generator/spec/cp_gather_cache.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_CP_GATHER_CACHE_H
#define KVFORGE_OPS_CP_GATHER_CACHE_H

#include "kvforge/kvforge.h"
#include "kvforge/params/cp_gather_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::cp_gather_cache: gathers the rows of sequences from pages, bits as they are.
 *
 * For row j of sequence b < batch_size, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with
 * p = j - cu_seq_lens[b] + seq_starts[b]:
 *   dst[j, ...] = src_cache[block_table[b, p div block_size], p mod block_size, ...]
 * The number of rows is dst's size; numbers of cu_seq_lens beyond it mean the same as it. Rows that
 * no sequence has, in front of cu_seq_lens[0] or from cu_seq_lens[batch_size] on, are left as they
 * are. Zero rows are a successful no-op. Any dtype of whole bytes and any entry size: bytes are
 * moved, 16 at a time where alignment allows, whole pages at once on the CPU where both sides are
 * dense.
 *
 * Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before
 * anything is written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's op of the same name, with its 32-bit offsets, its element widths, its
 * alignment and its bounds defects corrected.
 * Elsewhere: vLLM cp_gather_cache.
 *
 * Arguments:
 *   src_cache (Tensor): [num_blocks, block_size, ...], any dtype; dimensions from 2 on are
 *       contiguous
 *   dst (Tensor!): [num_rows, ...], dtype and bytes of a row as src_cache; dimensions from 1 on are
 *       contiguous; less than 2^31 rows
 *   block_table (Tensor): [>= batch_size, width], int32 or int64, stride of dimension 1 is 1: the
 *       page of each part of a sequence
 *   cu_seq_lens (Tensor): [>= batch_size + 1], int32, contiguous, ascending: first row of each
 *       sequence
 *   batch_size (int): sequences to gather
 *   seq_starts (Tensor?): [>= batch_size], int32, contiguous: position of a sequence's first row,
 *       in tokens, any number of them; None for 0
 */
KVF_API kvf_status kvf_cp_gather_cache(const kvf_exec *exec, const DLTensor *src_cache,
                                       DLTensor *dst, const DLTensor *block_table,
                                       const DLTensor *cu_seq_lens, int64_t batch_size,
                                       const DLTensor *seq_starts);
KVF_API kvf_status kvf_launch_cp_gather_cache(const kvf_exec *exec, const kvf_variant *variant,
                                              const kvf_cp_gather_cache_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_cp_gather_cache;

#ifdef __cplusplus
}
#endif

#endif
