/*
 * Generated from templates/table/op.h.j2 and
 * generator/spec/cp_gather_and_upconvert_nvfp4_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#ifndef KVFORGE_OPS_CP_GATHER_AND_UPCONVERT_NVFP4_KV_CACHE_H
#define KVFORGE_OPS_CP_GATHER_AND_UPCONVERT_NVFP4_KV_CACHE_H

#include "kvforge/kvforge.h"
#include "kvforge/params/cp_gather_and_upconvert_nvfp4_kv_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::cp_gather_and_upconvert_nvfp4_kv_cache: gathers nvfp4_ds_mla rows of sequences from
 * pages and turns them into floats.
 *
 * Sequence b < batch_size has the rows from workspace_starts[b] up to workspace_starts[b + 1], the
 * last one up to the end of dst. For row j of it, with p = j - workspace_starts[b] and r = row p
 * mod block_size of page block_table[b, p div block_size]:
 *   dst[j, i] = E2M1(r, i) * E4M3(r[320 + 8 * (g mod 4) + g div 4])    0 <= i < 512, g = i div 16
 *   dst[j, i] = E4M3(r[256 + i - 512])                                 512 <= i < 576
 * Code i < 512 is the low half of byte i div 2 for even i, else the high half. No result needs
 * rounding in any of the three dtypes; a NaN is 0x7FFFFFFF or 0x7FFF. Rows in front of
 * workspace_starts[0] are left as they are. Zero rows are a successful no-op.
 *
 * Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before
 * anything is written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's op of the same name, on every GPU and the CPU, with its destinations,
 * its alignment and its bounds defects corrected.
 * Elsewhere: vLLM cp_gather_and_upconvert_nvfp4_kv_cache.
 *
 * Arguments:
 *   src_cache (Tensor): [num_blocks, block_size, 352], uint8; stride of dimension 2 is 1
 *   dst (Tensor!): [num_rows, 576], f32, f16 or bf16; stride of dimension 1 is 1; less than 2^31
 *       rows
 *   block_table (Tensor): [>= batch_size, width], int32 or int64, stride of dimension 1 is 1: the
 *       page of each part of a sequence
 *   workspace_starts (Tensor): [>= batch_size], int32, contiguous, ascending: first row of each
 *       sequence
 *   batch_size (int): sequences to gather
 */
KVF_API kvf_status kvf_cp_gather_and_upconvert_nvfp4_kv_cache(
    const kvf_exec *exec, const DLTensor *src_cache, DLTensor *dst, const DLTensor *block_table,
    const DLTensor *workspace_starts, int64_t batch_size);
KVF_API kvf_status kvf_launch_cp_gather_and_upconvert_nvfp4_kv_cache(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache;

#ifdef __cplusplus
}
#endif

#endif
