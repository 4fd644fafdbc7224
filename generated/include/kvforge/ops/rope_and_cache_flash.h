/*
 * Generated from templates/table/op.h.j2 and generator/spec/rope_and_cache_flash.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_ROPE_AND_CACHE_FLASH_H
#define KVFORGE_OPS_ROPE_AND_CACHE_FLASH_H

#include "kvforge/kvforge.h"
#include "kvforge/params/rope_and_cache_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::rope_and_cache_flash: norms and rotates queries and keys and writes keys and values
 * to pages, in one pass.
 *
 * With D = head_size, R = rotary_dim, cos = cos_sin_cache[positions[t], i] and
 * sin = cos_sin_cache[positions[t], R / 2 + i] for i in [0, R / 2), a head of query or key becomes:
 *   n[d] = (x[d] * r) * (weight[d] + weight_bias), r = 1 / sqrt(sum of x^2 / D + eps)
 *   (a, b) are elements i and R / 2 + i of n if is_neox, else 2 i and 2 i + 1, and become
 *   a' = a * cos - b * sin
 *   b' = b * cos + a * sin
 * Elements from R on keep n. Without a norm n is x; without cos_sin_cache, or with R = 0, nothing
 * is rotated and positions are not looked at. Any D and any even R up to D.
 *
 * All arithmetic is f32, every operation rounded by itself, none fused, the squares added in the
 * order of kvforge/cache/norm.h, so that the CPU and CUDA give the same bits. rounding says where a
 * value is rounded to the dtype of query besides:
 *   'unfused'  n, and the result: as three ops for norm, rotation and write leave it
 *   'once'     the result
 *   'none'     nothing: codes are made of f32, all else is rounded as it is stored
 * A NaN of a query or key is 0x7FFF, or 0x7FFFFFFF in f32.
 *
 * All rows of query and key are treated so, whatever their slots are, and are stored in place, or
 * to q_out and k_out where these are given; with an empty k_out keys go nowhere but to the cache.
 * In a q_out of fp8 codes are Q(query, q_scale), q_scale of the head. Then, for the tokens of
 * slot_mapping, with
 * s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
 *   key_cache[block, offset, h, d]   = Q(key as above, k_scale[h])
 *   value_cache[block, offset, h, d] = Q(value[t, h, d], v_scale[h])
 * Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by the scale
 * in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens with a
 * negative slot, and those behind the end of slot_mapping, are not written. Zero tokens are a
 * successful no-op. Two tokens with one slot race.
 *
 * kv_cache_dtype 'nvfp4' or 'nvfp4_4over6' is as for reshape_and_cache_flash: pages are those of
 * reshape_and_cache_flash_nvfp4 with swizzle_v_scales, of value_head_size for values; R is then a
 * multiple of 32, and a group of 16 elements is encoded from the values that Q would be given.
 * kv_cache_dtype 'int8_per_token_head', 'int8_per_token_head_even' or 'fp8_per_token_head' is as
 * for reshape_and_cache_flash_per_token_head: the scale of a head, made of the values that Q would
 * be given, goes to k_scale_cache or v_scale_cache, and heads are not empty. 'int4_per_token_head'
 * is so, too: what Q would be given is rotated by H as that op does it, and then rounded to the
 * dtype of query, but for keys with rounding 'none', whose codes are made of f32; sizes are even,
 * and byte i of a head of the cache is of elements 2 i and 2 i + 1.
 *
 * Layout is told by strides, and K and V have their own: NHD is a contiguous cache, HND one
 * that is permuted from [num_blocks, num_heads, block_size, head_size]; packed K/V, values of
 * another size than keys in one tensor, and padded pages work. query, key and value may be slices
 * of one qkv.
 *
 * Errors: KVF_OUT_OF_RANGE for a position that is no row of cos_sin_cache, whatever its token's
 * slot, and for a slot beyond num_blocks * block_size (CPU: before anything is written; CUDA:
 * counted, see kvf_cuda_fault_count: a token with such a position is left alone, one with such a
 * slot is not written to the cache).
 * Source of the rule: vLLM's fused_qknorm_rope_cache ('unfused'),
 * fused_muse_spark_qknorm_rope_kv_insert ('once') and fused_minimax_m3_qknorm_rope_kv_insert
 * ('none'), SGLang's fused rope and store, and FlashInfer's
 * rope_quantize_fp8_append_paged_kv_cache, with scales, bounds, and strides of its own for every
 * tensor where these have none.
 * Elsewhere: vLLM fused_qknorm_rope_cache; SGLang apply_rope_inplace_with_kvcache; FlashInfer
 * rope_quantize_fp8_append_paged_kv_cache.
 *
 * Arguments:
 *   query (Tensor!): [num_tokens, num_q_heads, head_size], f32, f16 or bf16, any strides
 *   key (Tensor!): [num_tokens, num_heads, head_size], the dtype of query, any strides
 *   value (Tensor): [num_tokens, num_heads, value_head_size], the dtype of query, any strides
 *   key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size], the cache dtype (uint8 or
 *       float8 for fp8, int8 or uint8 for int8), any strides; of nvfp4 [num_blocks, block_size,
 *       num_heads, head_size / 2 + head_size / 16] uint8, the last three without gaps, as NHD or
 *       HND; of int4_per_token_head [num_blocks, block_size, num_heads, head_size / 2] uint8, any
 *       strides but 1 in the last dimension
 *   value_cache (Tensor!): [num_blocks, block_size, num_heads, value_head_size], else as key_cache
 *   positions (Tensor): [num_tokens], int64 or int32, any stride
 *   cos_sin_cache (Tensor?): [num_positions, rotary_dim], f32 or the dtype of query, any strides; a
 *       row is the cosines of all pairs and behind them the sines; None: nothing is rotated
 *   slot_mapping (Tensor): [at most num_tokens], int64 or int32, any stride; a negative slot writes
 *       nothing
 *   kv_cache_dtype (str): 'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8',
 *       'nvfp4', 'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even',
 *       'fp8_per_token_head' or 'int4_per_token_head'
 *   k_scale (Tensor): f32, one element or [num_heads]; the cache holds key / k_scale; not read when
 *       the cache holds the scalar dtype, or a scale per token and head
 *   v_scale (Tensor): as k_scale, for value
 *   is_neox (bool): pairs are halves of rotary_dim (GPT-NeoX), else neighbours (GPT-J)
 *   q_weight (Tensor?): [head_size], f32 or the dtype of query, any stride; None: as ones
 *   k_weight (Tensor?): as q_weight, for key
 *   eps (float): added to the mean of the squares; finite, 0 or more
 *   weight_bias (float): added to every weight, 1 for Gemma; finite
 *   norm (str): 'auto': query is normed if there is a q_weight, key if a k_weight; 'on': both are
 *   rounding (str): 'unfused', 'once' or 'none'
 *   q_out (Tensor!?): as query, or fp8 codes (float8_e4m3fn, float8_e5m2; uint8 is the former),
 *       with strides of its own: query stays as it is; None: in place
 *   q_scale (Tensor?): f32, one element or [num_q_heads]; q_out holds query / q_scale; not read
 *       unless q_out is fp8; None: 1
 *   k_out (Tensor!?): as key, with strides of its own: key stays as it is; without elements: keys
 *       go to the cache alone; None: in place
 *   k_scale_cache (Tensor!?): [num_blocks, block_size, num_heads], f32, any strides: scales per
 *       token and head, of int4_per_token_head its words; None for other formats
 *   v_scale_cache (Tensor!?): as k_scale_cache, for values
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_rope_and_cache_flash(
    const kvf_exec *exec, DLTensor *query, DLTensor *key, const DLTensor *value,
    DLTensor *key_cache, DLTensor *value_cache, const DLTensor *positions,
    const DLTensor *cos_sin_cache, const DLTensor *slot_mapping, const char *kv_cache_dtype,
    const DLTensor *k_scale, const DLTensor *v_scale, bool is_neox, const DLTensor *q_weight,
    const DLTensor *k_weight, double eps, double weight_bias, const char *norm,
    const char *rounding, DLTensor *q_out, const DLTensor *q_scale, DLTensor *k_out,
    DLTensor *k_scale_cache, DLTensor *v_scale_cache, const DLTensor *slot_remap);
KVF_API kvf_status kvf_launch_rope_and_cache_flash(const kvf_exec *exec, const kvf_variant *variant,
                                                   const kvf_rope_and_cache_flash_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_rope_and_cache_flash;

#ifdef __cplusplus
}
#endif

#endif
