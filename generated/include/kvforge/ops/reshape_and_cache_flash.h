/*
 * Generated from templates/table/op.h.j2 and generator/spec/reshape_and_cache_flash.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_H
#define KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_H

#include "kvforge/kvforge.h"
#include "kvforge/params/reshape_and_cache_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::reshape_and_cache_flash: scatters keys and values of new tokens into a paged cache
 * of [block, token, head].
 *
 * With s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
 *   key_cache[block, offset, h, d]   = Q(key[t, h, d],   k_scale[h])
 *   value_cache[block, offset, h, d] = Q(value[t, h, d], v_scale[h])
 * Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by the scale
 * in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens with a
 * negative slot are skipped. The number of tokens is the length of slot_mapping; key and value may
 * have more rows (graph padding), which are not read. Zero tokens are a successful no-op. Two
 * tokens with one slot race.
 *
 * Layout is told by strides, and K and V have their own: NHD is a contiguous cache, HND one that is
 * permuted from [num_blocks, num_heads, block_size, head_size]; packed K/V and padded pages work.
 * Heads of values may have another size than those of keys, also behind them in one tensor, as two
 * views of it (diff-KV).
 *
 * kv_cache_dtype 'nvfp4' or 'nvfp4_4over6' is reshape_and_cache_flash_nvfp4 with its default,
 * swizzle_v_scales, by upstream's name, which is the readers' default too: the caches are then
 * uint8, [num_blocks, block_size, num_heads, head_size / 2 + head_size / 16].
 *
 * Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
 * written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's op of the same name, with its K/V stride, alignment, empty-input and
 * bounds defects corrected.
 * Elsewhere: vLLM reshape_and_cache_flash; mistral.rs reshape_and_cache_flashinfer; FlashInfer
 * append_paged_kv_cache.
 *
 * Arguments:
 *   key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
 *   value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
 *   key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size], the cache dtype (uint8 or
 *       float8 for fp8, int8 or uint8 for int8), any strides
 *   value_cache (Tensor!): [num_blocks, block_size, num_heads, value_head_size], as key_cache, with
 *       strides of its own
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
 *       token
 *   kv_cache_dtype (str): 'auto' (the dtype of key), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8', 'nvfp4'
 *       or 'nvfp4_4over6'
 *   k_scale (Tensor): f32, one element or [num_heads]; the cache holds key / k_scale; not read when
 *       the cache holds the scalar dtype
 *   v_scale (Tensor): as k_scale, for value
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_reshape_and_cache_flash(const kvf_exec *exec, const DLTensor *key,
                                               const DLTensor *value, DLTensor *key_cache,
                                               DLTensor *value_cache, const DLTensor *slot_mapping,
                                               const char *kv_cache_dtype, const DLTensor *k_scale,
                                               const DLTensor *v_scale, const DLTensor *slot_remap);
KVF_API kvf_status
kvf_launch_reshape_and_cache_flash(const kvf_exec *exec, const kvf_variant *variant,
                                   const kvf_reshape_and_cache_flash_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_reshape_and_cache_flash;

#ifdef __cplusplus
}
#endif

#endif
