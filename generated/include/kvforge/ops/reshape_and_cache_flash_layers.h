/*
 * Generated from templates/table/op.h.j2 and generator/spec/reshape_and_cache_flash_layers.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_LAYERS_H
#define KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_LAYERS_H

#include "kvforge/kvforge.h"
#include "kvforge/params/reshape_and_cache_flash_layers.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::reshape_and_cache_flash_layers: scatters the keys and values of all layers into
 * their paged caches, in one launch.
 *
 * With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, for every layer l:
 *   key_caches[l][block, offset, h, d]   = Q(keys[l, t, h, d],   k_scales[l, h])
 *   value_caches[l][block, offset, h, d] = Q(values[l, t, h, d], v_scales[l, h])
 * which is what reshape_and_cache_flash does for each layer by itself, with the same Q, the same
 * layouts told by strides and the same bits; the size of a value's head may differ from that of a
 * key's. All layers share slot_mapping, and the caches of all layers have the same sizes and
 * strides, those of keys and of values each for themselves. Tokens
 * with a negative slot are skipped. The number of tokens is the length of slot_mapping; keys and
 * values may have more rows (graph padding), which are not read. Zero tokens and zero layers are a
 * successful no-op. Two tokens with one slot race.
 *
 * CUDA: the addresses of the caches travel in the launch parameters, so nothing is allocated and
 * the call can be captured in a graph; a launch has up to 128 layers, and a call with more is
 * several launches. It pays where a launch costs more than its work, when speculative or draft
 * layers are written together, and when a prefill of all layers moves in from elsewhere.
 *
 * Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
 * written; CUDA: that token is skipped in all layers and counted once, see kvf_cuda_fault_count).
 * KVF_CUDA_ERROR when a launch fails; those before it stay on the stream, and the sentence says so
 * ("enqueued: 128 of 300 layers").
 * Source of the rule: vLLM's reshape_and_cache_flash and the grouped form of its MLA writer.
 *
 * Arguments:
 *   keys (Tensor): [num_layers, num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16,
 *       any strides
 *   values (Tensor): [num_layers, num_rows >= num_tokens, num_heads, value_head_size], as keys
 *       otherwise
 *   key_caches (Tensor(a!)[]): num_layers tensors of [num_blocks, block_size, num_heads,
 *       head_size], the cache dtype (uint8 or float8 for fp8, int8 or uint8 for int8), any strides,
 *       the same for all layers
 *   value_caches (Tensor(b!)[]): num_layers tensors of [num_blocks, block_size, num_heads,
 *       value_head_size], as key_caches, with strides of their own
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
 *       token
 *   kv_cache_dtype (str): 'auto' (the dtype of keys), 'fp8', 'fp8_e4m3', 'fp8_e5m2' or 'int8'
 *   k_scales (Tensor): f32, one element, [num_layers] or [num_layers, num_heads]; the cache holds
 *       key / scale; not read when the cache holds the scalar dtype
 *   v_scales (Tensor): as k_scales, for values
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_reshape_and_cache_flash_layers(
    const kvf_exec *exec, const DLTensor *keys, const DLTensor *values,
    const DLTensor *const *key_caches, int64_t num_key_caches, const DLTensor *const *value_caches,
    int64_t num_value_caches, const DLTensor *slot_mapping, const char *kv_cache_dtype,
    const DLTensor *k_scales, const DLTensor *v_scales, const DLTensor *slot_remap);
KVF_API kvf_status
kvf_launch_reshape_and_cache_flash_layers(const kvf_exec *exec, const kvf_variant *variant,
                                          const kvf_reshape_and_cache_flash_layers_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_reshape_and_cache_flash_layers;

#ifdef __cplusplus
}
#endif

#endif
