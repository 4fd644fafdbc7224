/*
 * Generated from templates/table/op.h.j2 and
 * generator/spec/cp_gather_and_upconvert_fp8_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#ifndef KVFORGE_OPS_CP_GATHER_AND_UPCONVERT_FP8_KV_CACHE_H
#define KVFORGE_OPS_CP_GATHER_AND_UPCONVERT_FP8_KV_CACHE_H

#include "kvforge/kvforge.h"
#include "kvforge/params/cp_gather_and_upconvert_fp8_kv_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::cp_gather_and_upconvert_fp8_kv_cache: gathers fp8_ds_mla rows of sequences from
 * pages and turns them into floats.
 *
 * Sequence b < batch_size has the rows from workspace_starts[b] up to workspace_starts[b + 1], the
 * last one up to the end of dst; no more than seq_lens[b] of them, if there is a seq_lens. For row
 * j of it, with p = j - workspace_starts[b] + seq_starts[b] and r = row p mod block_size of page
 * block_table[b, p div block_size]:
 *   dst[j, i] = E4M3(r[i]) * scale(r, i div 128)       0 <= i < 512, scales: 4 f32 at byte 512
 *   dst[j, i] = 16 bits at byte 528 + 2 * (i - 512)    512 <= i < 576
 * The product is one of f32, rounded to nearest even once, overflows to infinity, and has one NaN
 * per dtype: 0x7FFFFFFF, 0x7FFF. The 16 bits of the rope part are copied into f16 and bf16, so the
 * cache must have been filled from that dtype; for f32 they are taken as bf16 and widened. Scales
 * may be any f32, so caches of either scale contract (fp8_ds_mla, fp8_ds_mla_f32) are read. Other
 * rows, in front of workspace_starts[0] and between sequences, are left as they are. Zero rows are
 * a successful no-op.
 *
 * With a host_cache, pages of block_table are virtual: with v = block_table[b, p div block_size] *
 * block_size + p mod block_size, the row r is that of src_cache at d = device_row_ids[v], which is
 * row d mod block_size of page d div block_size, or where d is negative row host_row_ids[v] of
 * host_cache. On CUDA the kernel reads host_cache where it is, over the bus; so it must be pinned.
 *
 * Upstream's schema has no seq_lens since late 2026; before, it had seq_lens in front of
 * workspace_starts, and no seq_starts. Here they are one op, and a binding to torch can register
 * the one signature or the other.
 *
 * Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before
 * anything is written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).
 * The same for a v, d or row of the host that is not there (CUDA: the row of dst is cleared, as it
 * is with a host_cache for a page that is not in the table or beyond the maps). KVF_INVALID_VALUE
 * for some of host_cache, host_row_ids and device_row_ids without the others.
 * Source of the rule: vLLM's op of the same name, with E5M2 tensors refused and its destinations,
 * its 32-bit offsets, its alignment and its bounds defects corrected.
 * Elsewhere: vLLM cp_gather_and_upconvert_fp8_kv_cache.
 *
 * Arguments:
 *   src_cache (Tensor): [num_blocks, block_size, 656], uint8 or float8_e4m3fn; stride of dimension
 *       2 is 1
 *   dst (Tensor!): [num_rows, 576], f32, f16 or bf16; stride of dimension 1 is 1; less than 2^31
 *       rows
 *   block_table (Tensor): [>= batch_size, width], int32 or int64, stride of dimension 1 is 1: the
 *       page of each part of a sequence
 *   workspace_starts (Tensor): [>= batch_size], int32, contiguous, ascending: first row of each
 *       sequence
 *   batch_size (int): sequences to gather
 *   seq_starts (Tensor?): [>= batch_size], int32, contiguous: position of a sequence's first row,
 *       in tokens, any number of them; None for 0
 *   host_cache (Tensor?): [num_host_rows, 656], uint8 or float8_e4m3fn, in host memory, pinned for
 *       CUDA; stride of dimension 1 is 1; None: all rows are in src_cache
 *   host_row_ids (Tensor?): [num_virtual_rows], of rank 1 or 2, int32, contiguous: row of
 *       host_cache; looked at where device_row_ids is negative
 *   device_row_ids (Tensor?): as host_row_ids: row of src_cache, or a negative number for none
 *   seq_lens (Tensor?): [>= batch_size], int32, contiguous: rows of a sequence at most; None for
 *       all
 */
KVF_API kvf_status kvf_cp_gather_and_upconvert_fp8_kv_cache(
    const kvf_exec *exec, const DLTensor *src_cache, DLTensor *dst, const DLTensor *block_table,
    const DLTensor *workspace_starts, int64_t batch_size, const DLTensor *seq_starts,
    const DLTensor *host_cache, const DLTensor *host_row_ids, const DLTensor *device_row_ids,
    const DLTensor *seq_lens);
KVF_API kvf_status kvf_launch_cp_gather_and_upconvert_fp8_kv_cache(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_cp_gather_and_upconvert_fp8_kv_cache_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_cp_gather_and_upconvert_fp8_kv_cache;

#ifdef __cplusplus
}
#endif

#endif
