/*
 * Generated from templates/table/op.h.j2 and generator/spec/gather_kv_cache.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_GATHER_KV_CACHE_H
#define KVFORGE_OPS_GATHER_KV_CACHE_H

#include "kvforge/kvforge.h"
#include "kvforge/params/gather_kv_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::gather_kv_cache: gathers keys and values of sequences from pages and decodes them.
 *
 * For row j of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with
 * p = j - cu_seq_lens[b] + seq_starts[b], page = block_table[b, p div block_size], t = p mod
 * block_size:
 *   key_out[j, h, :] = DQ(key of token t and head h of that page), value_out[j, h, :] likewise
 * DQ copies the bits where the cache holds the dtype of key_out. Codes are widened and multiplied
 * in f32 and rounded to nearest even once, overflow to infinity, and have one NaN per dtype,
 * 0x7FFFFFFF or 0x7FFF:
 *   fp8, int8             code * scale, k_scale or v_scale, one or one for each head
 *   ... per token, head   code * the scale of that token and head, in the scale cache
 *   int4_per_token_head   (code - zero) * scale of the word in k_scale_cache, rotated back unless
 *                         inverse_rht is False: sign * (H y) / b, as
 *                         reshape_and_cache_flash_per_token_head has it, whose zeros are +0
 *   nvfp4                 (code * block scale) * scale, the first product exact
 *   q8_0, q4_0            code * d or (code - 8) * d, as reshape_and_cache_flash_ggml has it
 * Rows that no sequence has, in front of cu_seq_lens[0] or from the last element of cu_seq_lens on,
 * are left as they are. Zero rows are a successful no-op. Keys and values may have heads of
 * different sizes; both may be views of one tensor. Formats with scales of their own have heads of
 * at most 576 elements.
 *
 * The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its kin write
 * (NHD, or HND by strides), 5 what reshape_and_cache writes; with interleaved_v values are then in
 * groups of x tokens, [num_blocks, num_heads, block_size / x, value_head_size, x].
 *
 * Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before
 * anything is written; CUDA: that row becomes 0 and is counted, see kvf_cuda_fault_count).
 * Source of the rule: this project; the ops of this purpose in other engines know one layout and
 * one or two formats each.
 * Elsewhere: vLLM cp_mha_gather_cache; mistral.rs gather_kv_cache and gather_kv_cache_flashinfer;
 * FlashInfer nvfp4_kv_dequantize_paged; LMDeploy flatten_kv_cache.
 *
 * Arguments:
 *   key_cache (Tensor): [num_blocks, block_size, num_heads, head_size], or [num_blocks, num_heads,
 *       ceil(head_size / x), block_size, x]; the cache dtype (uint8 or float8 for fp8, int8 or
 *       uint8 for int8), any strides; int4: head_size / 2 bytes, without gaps in the last
 *       dimension; q8_0 and q4_0: head_size / 32 * 34 or 18 bytes, likewise; nvfp4: [num_blocks,
 *       block_size, num_heads, head_size / 2 + head_size / 16], uint8, pages without gaps
 *   value_cache (Tensor): as key_cache of rank 4, with strides and a head size of its own; next to
 *       one of rank 5 [num_blocks, num_heads, value_head_size, block_size], or [num_blocks,
 *       num_heads, block_size / x, value_head_size, x] with interleaved_v
 *   key_out (Tensor!): [num_rows, num_heads, head_size], f32, f16 or bf16; stride of dimension 2 is
 *       1; less than 2^31 rows
 *   value_out (Tensor!): [num_rows, num_heads, value_head_size], else as key_out
 *   block_table (Tensor): [>= num_sequences, width], int32 or int64, stride of dimension 1 is 1:
 *       the page of each part of a sequence
 *   cu_seq_lens (Tensor): [num_sequences + 1], int32, contiguous, ascending: first row of each
 *       sequence
 *   kv_cache_dtype (str): 'auto' (the dtype of key_out), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8',
 *       'nvfp4', 'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even',
 *       'fp8_per_token_head', 'int4_per_token_head', 'q8_0' or 'q4_0'
 *   k_scale (Tensor): f32, one element or [num_heads]; not read when the cache holds the dtype of
 *       key_out or has a scale per token and head, or one in each block of ggml
 *   v_scale (Tensor): as k_scale, for values
 *   seq_starts (Tensor?): [>= num_sequences], int32, contiguous: position of a sequence's first
 *       row, in tokens, any number of them; None for 0
 *   interleaved_v (bool): whether value_cache is in groups of tokens; needs a key_cache of rank 5
 *   swizzle_v_scales (bool): nvfp4: whether block scales of values are stored for sm_100
 *   k_scale_cache (Tensor?): [num_blocks, block_size, num_heads], f32, any strides: scales per
 *       token and head; None for other formats
 *   v_scale_cache (Tensor?): as k_scale_cache, for values
 *   inverse_rht (bool): int4: whether heads are rotated back
 */
KVF_API kvf_status kvf_gather_kv_cache(const kvf_exec *exec, const DLTensor *key_cache,
                                       const DLTensor *value_cache, DLTensor *key_out,
                                       DLTensor *value_out, const DLTensor *block_table,
                                       const DLTensor *cu_seq_lens, const char *kv_cache_dtype,
                                       const DLTensor *k_scale, const DLTensor *v_scale,
                                       const DLTensor *seq_starts, bool interleaved_v,
                                       bool swizzle_v_scales, const DLTensor *k_scale_cache,
                                       const DLTensor *v_scale_cache, bool inverse_rht);
KVF_API kvf_status kvf_launch_gather_kv_cache(const kvf_exec *exec, const kvf_variant *variant,
                                              const kvf_gather_kv_cache_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_gather_kv_cache;

#ifdef __cplusplus
}
#endif

#endif
