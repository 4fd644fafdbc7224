/*
 * Generated from templates/table/op.h.j2 and generator/spec/gather_and_maybe_dequant_cache.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_GATHER_AND_MAYBE_DEQUANT_CACHE_H
#define KVFORGE_OPS_GATHER_AND_MAYBE_DEQUANT_CACHE_H

#include "kvforge/kvforge.h"
#include "kvforge/params/gather_and_maybe_dequant_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::gather_and_maybe_dequant_cache: gathers the rows of sequences from pages and turns
 * fp8 codes back into floats.
 *
 * For row j < num_tokens of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with
 * p = j - cu_seq_lens[b] + seq_starts[b]:
 *   dst[j, :] = DQ(src_cache[block_table[b, p div block_size], p mod block_size, :], scale)
 * DQ copies the bits when the cache holds the dtype of dst; fp8 is multiplied by the scale in f32
 * and rounded to nearest even once, overflows to infinity, and has one NaN per dtype: 0x7FFFFFFF,
 * 0x7FFF. Rows that no sequence has, in front of cu_seq_lens[0] or from the last element of
 * cu_seq_lens on, are left as they are. Zero tokens are a successful no-op. Any entry_size and any
 * alignment.
 *
 * token_to_seq saves the search for a row's sequence and is no more than a hint: where it does not
 * name the sequence that cu_seq_lens gives, the search is done.
 *
 * Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before
 * anything is written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's op of the same name, with its limits on the entry size, its alignment,
 * its bounds and its empty-input defects corrected.
 * Elsewhere: vLLM gather_and_maybe_dequant_cache; mistral.rs gather_mla_cache.
 *
 * Arguments:
 *   src_cache (Tensor): [num_blocks, block_size, entry_size], the cache dtype (uint8 or float8 for
 *       fp8); stride of dimension 2 is 1
 *   dst (Tensor!): [>= num_tokens, entry_size], f32, f16 or bf16; stride of dimension 1 is 1
 *   block_table (Tensor): [>= num_sequences, width], int32 or int64, stride of dimension 1 is 1:
 *       the page of each part of a sequence
 *   cu_seq_lens (Tensor): [num_sequences + 1], int32, contiguous, ascending: first row of each
 *       sequence
 *   token_to_seq (Tensor): [>= num_tokens], int32, contiguous: sequence of each row
 *   num_tokens (int): rows to write, less than 2^31
 *   kv_cache_dtype (str): 'auto' (the dtype of dst), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'
 *   scale (Tensor): f32, one element; not read when the cache holds the dtype of dst
 *   seq_starts (Tensor?): [>= num_sequences], int32, contiguous: position of a sequence's first
 *       row, in tokens, any number of them; None for 0
 */
KVF_API kvf_status kvf_gather_and_maybe_dequant_cache(
    const kvf_exec *exec, const DLTensor *src_cache, DLTensor *dst, const DLTensor *block_table,
    const DLTensor *cu_seq_lens, const DLTensor *token_to_seq, int64_t num_tokens,
    const char *kv_cache_dtype, const DLTensor *scale, const DLTensor *seq_starts);
KVF_API kvf_status
kvf_launch_gather_and_maybe_dequant_cache(const kvf_exec *exec, const kvf_variant *variant,
                                          const kvf_gather_and_maybe_dequant_cache_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_gather_and_maybe_dequant_cache;

#ifdef __cplusplus
}
#endif

#endif
