/*
 * Generated from templates/table/op.h.j2 and generator/spec/paged_attention_decode.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_PAGED_ATTENTION_DECODE_H
#define KVFORGE_OPS_PAGED_ATTENTION_DECODE_H

#include "kvforge/kvforge.h"
#include "kvforge/params/paged_attention_decode.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::paged_attention_decode: reads the pages that the cache writers fill: attention of
 * one token per sequence.
 *
 * For every sequence s, query head h and the KV head g = h div (num_q_heads / num_kv_heads), over
 * positions p from max(0, n - sliding_window) (from 0 without a window) to n - 1, n = seq_lens[s]:
 *   K, V   = DQ(key_cache, k_scale), DQ(value_cache, v_scale) at head g of position p,
 *            which is in page block_tables[s, p div block_size], at p mod block_size
 *   a[p]   = scale * (query[s, h] . K[p]) + alibi_slopes[h] * (p - (n - 1))
 *   out[s, h] = sum over p of softmax(a)[p] * V[p]
 * DQ widens to f32 and multiplies codes by their scale: that of head g for fp8 and int8, that of
 * head g of the very token for the formats per token and head, and for nvfp4 that of head g and the
 * block scale of every 16 elements. Heads of int4_per_token_head are stored rotated; the query is
 * rotated in their place, and the sum rotated back. The query is the token at position n - 1, which
 * is in the cache already. A sequence with n = 0 gets zeros. Zero sequences are a successful no-op.
 * Only the pages of the positions above are read, and of the last page only the tokens that are
 * there, so fresh pages may hold anything. out and workspace must not overlap each other or the
 * other tensors.
 *
 * The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its kin write
 * (NHD, or HND by strides), 5 what reshape_and_cache writes. K and V have strides of their own.
 * nvfp4 pages are those of reshape_and_cache_flash_nvfp4, with the same swizzle_v_scales.
 *
 * Arithmetic is f32: products are summed in parts, and the softmax is rescaled as it goes (online),
 * so results are not those of a fixed order. On CUDA from compute capability 8.0 on, heads of 64 or
 * 128 f16 or bf16 elements, or codes of 8 bits for queries of those, go by tiles on the tensor
 * cores where elements of a head lie side by side and 16 bytes can be read at once: products are
 * exact, sums are f32, and a weight is two numbers of 16 bits, of which the second is what rounding
 * the first leaves. With one position out is exactly DQ(V), rounded to the dtype of out (zeros are
 * +0). Scores may use exp2 of scores times log2(e). Scales of a head are applied to the query and
 * to the sum, those of a token to its score and its weight, which gives the same but for rounding.
 *
 * head_size is at most 576. One thread block (CUDA), or one thread (CPU), does up to 8 query heads
 * of one KV head of one part of a sequence, on the tensor cores up to 16. Without a workspace a
 * sequence is one part, so that a few long ones leave most of a GPU idle. With one, the positions
 * above are cut into at most `splits` parts, of ceil(positions / splits) positions rounded up to a
 * multiple of 128. What the parts come to is put into workspace, and added up in a second launch
 * (CUDA) or a second pass of the threads (CPU). The only part of a short sequence goes straight to
 * out: splits = 1 is as no workspace. As many splits as keep a GPU busy will do: two thread blocks
 * for each of its SMs. workspace needs no initial value, and what it holds afterwards is not
 * defined.
 *
 * Errors: KVF_INVALID_VALUE for a head_size above 576, num_q_heads that is no multiple of
 * num_kv_heads, an int4 head_size that is odd or one that 1024 divides, a q8_0 or q4_0 head_size
 * that is no multiple of 32, or an nvfp4 head_size that is no multiple of 16, and with
 * swizzle_v_scales for one that is no multiple of 64 or a block_size that is no multiple of 4;
 * KVF_OUT_OF_RANGE for a length below 0 or beyond width * block_size, or a page that is not in the
 * cache (CPU: before anything is written; CUDA: that length is cut off, the tokens of that page are
 * left out, and each is counted once, see kvf_cuda_fault_count). KVF_CUDA_ERROR at the second of
 * two launches leaves workspace written and out untouched. A launch of raw params wants a variant
 * that fits them: KVF_INVALID_VALUE where the heads of a tensor cores' variant have another size or
 * cannot be read so.
 * Source of the rule: this project; arguments as in vLLM's paged_attention_v1.
 * Elsewhere: vLLM to 0.24 paged_attention_v1 and _v2.
 *
 * Arguments:
 *   out (Tensor!): [num_seqs, num_q_heads, head_size], the dtype of query, any strides
 *   query (Tensor): [num_seqs, num_q_heads, head_size], f32, f16 or bf16, any strides
 *   key_cache (Tensor): [num_blocks, block_size, num_kv_heads, head_size], or [num_blocks,
 *       num_kv_heads, ceil(head_size / x), block_size, x]; the cache dtype (uint8 or float8 for
 *       fp8, int8 or uint8 for int8), any strides; for nvfp4 [num_blocks, block_size, num_kv_heads,
 *       head_size / 2 + head_size / 16], uint8, pages without gaps; for int4_per_token_head
 *       [num_blocks, block_size, num_kv_heads, head_size / 2], uint8, any strides but 1 in the last
 *       dimension; for q8_0 and q4_0 head_size / 32 * 34 or 18 bytes, likewise
 *   value_cache (Tensor): as key_cache of rank 4; next to one of rank 5 [num_blocks, num_kv_heads,
 *       head_size, block_size]; any strides
 *   block_tables (Tensor): [num_seqs, width], int32 or int64, any strides: the pages of each
 *       sequence
 *   seq_lens (Tensor): [num_seqs], int32, any stride: tokens of each sequence, the query's included
 *   scale (float): what query . key is multiplied by, usually 1 / sqrt(head_size); any number that
 *       f32 holds: 0, or a finite one of 2^-126 or more, of any sign
 *   kv_cache_dtype (str): 'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8',
 *       'nvfp4', 'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even',
 *       'fp8_per_token_head', 'int4_per_token_head', 'q8_0' or 'q4_0'
 *   k_scale (Tensor): f32, one element or [num_kv_heads]; keys are code * k_scale; not read when
 *       the cache holds the scalar dtype, q8_0 or q4_0; for formats per token and head the
 *       k_scale_cache, [num_blocks, block_size, num_kv_heads], any strides
 *   v_scale (Tensor): as k_scale, for values
 *   alibi_slopes (Tensor?): [num_q_heads], f32, any stride; None: no bias
 *   sliding_window (int): positions that are attended to, the query's own included; 0 or less: all
 *   swizzle_v_scales (bool): nvfp4: whether block scales of values are stored for sm_100
 *   workspace (Tensor!?): [num_seqs, num_q_heads, splits, head_size + 2], f32, any strides, splits
 *       1 or more: room for the parts of long sequences; None: they are not split
 */
KVF_API kvf_status kvf_paged_attention_decode(
    const kvf_exec *exec, DLTensor *out, const DLTensor *query, const DLTensor *key_cache,
    const DLTensor *value_cache, const DLTensor *block_tables, const DLTensor *seq_lens,
    double scale, const char *kv_cache_dtype, const DLTensor *k_scale, const DLTensor *v_scale,
    const DLTensor *alibi_slopes, int64_t sliding_window, bool swizzle_v_scales,
    DLTensor *workspace);
KVF_API kvf_status
kvf_launch_paged_attention_decode(const kvf_exec *exec, const kvf_variant *variant,
                                  const kvf_paged_attention_decode_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_paged_attention_decode;

#ifdef __cplusplus
}
#endif

#endif
