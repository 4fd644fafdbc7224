/*
 * Generated from templates/table/op.h.j2 and
 * generator/spec/reshape_and_cache_flash_per_token_head.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#ifndef KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_PER_TOKEN_HEAD_H
#define KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_PER_TOKEN_HEAD_H

#include "kvforge/kvforge.h"
#include "kvforge/params/reshape_and_cache_flash_per_token_head.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::reshape_and_cache_flash_per_token_head: scatters keys and values, quantised with a
 * scale for each head of each token.
 *
 * With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, for keys
 *   k_scale_cache[block, offset, h] = S = max(amax / QMAX, 1e-6), amax = max_d |key[t, h, d]|
 *   key_cache[block, offset, h, d]  = Q(key[t, h, d] * (1 / S))
 * and the same for values; the size of a value's head may differ from that of a key's. A reader
 * multiplies: key = code * S. QMAX is 127 for int8 and 448 for fp8. Q saturates and rounds to
 * nearest, halves to even in fp8_per_token_head and int8_per_token_head_even; in
 * int8_per_token_head away from 0, by adding one half in f32 and truncating, so that the largest
 * float below one half becomes 1. Readers take both for int8_per_token_head. All arithmetic is f32,
 * division and reciprocal are IEEE, so scales and codes have the same bits on every backend. Tokens
 * with a negative slot are skipped. The number of tokens is the length of slot_mapping; key and
 * value may have more rows (graph padding), which are not read. Zero tokens are a successful no-op.
 * Two tokens with one slot race.
 *
 * NaNs do not count for amax; their code is 0x7F (NaN) in fp8 and 0 in int8. An infinite element
 * makes its scale infinite, and finite elements beside it become 0.
 *
 * int4_per_token_head rotates the head first, which spreads what is large in one element:
 *   y = rn(H (sign * key[t, h])), rounded to the dtype of key
 * with H the Walsh-Hadamard matrix in natural order, not normalised, for each block of b elements,
 * b the largest power of two that divides the head's size, and b fixed signs
 * (kvforge/cache/rotation.h). Its sums are f32, at distance 1 first, then 2, 4, ...: (a + b, a -
 * b). With lo = min(0, min y) and hi = max(0, max y)
 *   S = max((hi - lo) / 15, 1e-6), zero = C(-lo / S), code = C(y * (1 / S) + zero)
 * where C rounds to the nearest of 0 to 15, halves up. Byte i of a head is code[2 i] | code[2 i +
 * 1] << 4. The word in k_scale_cache is S, whose last four bits are replaced by zero. A reader
 * takes
 *   y = (code - zero) * (the word without these bits), key = sign * (H y) / b
 * so that the attention over a cache may rotate the query in its place. A NaN in a block makes all
 * of it NaN, which has no share in lo and hi and is stored as 0; a block with an infinity is read
 * as NaN.
 *
 * Layout is told by strides, as for reshape_and_cache_flash; the scale caches have any strides, so
 * a scale may also lie behind its head's codes, as in vLLM's pages of [K codes | K scale | V codes
 * | V scale] per token and head.
 *
 * Errors: KVF_INVALID_VALUE for int4 heads of an odd size, or of one that a power of two above 512
 * divides; KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
 * written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's Triton writers of the same formats, in 0.33. Older ones store int8 by
 * truncation towards zero, which biases every element towards zero and doubles the error. For int4
 * it takes lo and hi from the elements alone, so that a head of elements far from 0 is lost; where
 * 0 is between them, as it is after nearly every rotation, the bytes are the same. Its rotation
 * rounds to bf16 on the way.
 * Elsewhere: vLLM triton_reshape_and_cache_flash_per_token_head_quant.
 *
 * Arguments:
 *   key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
 *   value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
 *   key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size], int8 (or uint8) for int8,
 *       float8 (or uint8) for fp8, any strides; for int4_per_token_head [num_blocks, block_size,
 *       num_heads, head_size / 2], uint8, any strides but 1 in the last dimension
 *   value_cache (Tensor!): [num_blocks, block_size, num_heads, value_head_size], else as key_cache
 *   k_scale_cache (Tensor!): [num_blocks, block_size, num_heads], f32, any strides
 *   v_scale_cache (Tensor!): as k_scale_cache, with strides of its own
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
 *       token
 *   kv_cache_dtype (str): 'int8_per_token_head', 'int8_per_token_head_even', 'fp8_per_token_head'
 *       or 'int4_per_token_head'
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_reshape_and_cache_flash_per_token_head(
    const kvf_exec *exec, const DLTensor *key, const DLTensor *value, DLTensor *key_cache,
    DLTensor *value_cache, DLTensor *k_scale_cache, DLTensor *v_scale_cache,
    const DLTensor *slot_mapping, const char *kv_cache_dtype, const DLTensor *slot_remap);
KVF_API kvf_status kvf_launch_reshape_and_cache_flash_per_token_head(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_reshape_and_cache_flash_per_token_head_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_reshape_and_cache_flash_per_token_head;

#ifdef __cplusplus
}
#endif

#endif
