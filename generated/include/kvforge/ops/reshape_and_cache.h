/*
 * Generated from templates/table/op.h.j2 and generator/spec/reshape_and_cache.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_RESHAPE_AND_CACHE_H
#define KVFORGE_OPS_RESHAPE_AND_CACHE_H

#include "kvforge/kvforge.h"
#include "kvforge/params/reshape_and_cache.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::reshape_and_cache: scatters the keys and values of new tokens into 5-D key pages
 * and 4-D value pages.
 *
 * With s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
 *   key_cache[block, h, d div x, offset, d mod x] = Q(key[t, h, d],   k_scale)
 *   value_cache[block, h, d, offset]              = Q(value[t, h, d], v_scale)
 * Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by the scale
 * in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens with a
 * negative slot are skipped. The number of tokens is the length of slot_mapping; key and value may
 * have more rows (graph padding), which are not read. Zero tokens are a successful no-op. Two
 * tokens with one slot race.
 *
 * The size of a value's head may differ from that of a key's. Any x >= 1. When x does not divide
 * head_size, dimension 2 of key_cache is head_size / x rounded up, and the surplus elements of the
 * last group are not written.
 *
 * With interleaved_v values lie in groups of x tokens, which is what ROCm's attention reads:
 *   value_cache[block, h, offset div x, d, offset mod x] = Q(value[t, h, d], v_scale)
 * It may also be given as [num_blocks, num_heads, value_head_size, block_size] without gaps within
 * a head, whose memory is then taken for this.
 *
 * Errors: KVF_INVALID_VALUE for interleaved_v with a block_size that is no multiple of x;
 * KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is written;
 * CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's op of the same name, with its dropped heads, dropped tail elements,
 * alignment, stride, empty-input and bounds defects corrected.
 * Elsewhere: vLLM reshape_and_cache; mistral.rs reshape_and_cache.
 *
 * Arguments:
 *   key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
 *   value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
 *   key_cache (Tensor!): [num_blocks, num_heads, ceil(head_size / x), block_size, x], the cache
 *       dtype (uint8 or float8 for fp8, int8 or uint8 for int8), any strides
 *   value_cache (Tensor!): [num_blocks, num_heads, value_head_size, block_size], the dtype of
 *       key_cache, any strides; with interleaved_v [num_blocks, num_heads, block_size / x,
 *       value_head_size, x]
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
 *       token
 *   kv_cache_dtype (str): 'auto' (the dtype of key), 'fp8', 'fp8_e4m3', 'fp8_e5m2' or 'int8'
 *   k_scale (Tensor): f32, one element or [num_heads]; the cache holds key / k_scale; not read when
 *       the cache holds the scalar dtype
 *   v_scale (Tensor): as k_scale, for value
 *   interleaved_v (bool): whether values lie in groups of x tokens
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_reshape_and_cache(const kvf_exec *exec, const DLTensor *key,
                                         const DLTensor *value, DLTensor *key_cache,
                                         DLTensor *value_cache, const DLTensor *slot_mapping,
                                         const char *kv_cache_dtype, const DLTensor *k_scale,
                                         const DLTensor *v_scale, bool interleaved_v,
                                         const DLTensor *slot_remap);
KVF_API kvf_status kvf_launch_reshape_and_cache(const kvf_exec *exec, const kvf_variant *variant,
                                                const kvf_reshape_and_cache_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_reshape_and_cache;

#ifdef __cplusplus
}
#endif

#endif
