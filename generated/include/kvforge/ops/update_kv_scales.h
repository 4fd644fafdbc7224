/*
 * Generated from templates/table/op.h.j2 and generator/spec/update_kv_scales.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_UPDATE_KV_SCALES_H
#define KVFORGE_OPS_UPDATE_KV_SCALES_H

#include "kvforge/kvforge.h"
#include "kvforge/params/update_kv_scales.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::update_kv_scales: raises the scales of keys and values to what new ones need.
 *
 * With amax the largest magnitude of an element, NaNs left out:
 *   k_scale = max(k_scale, amax of key / divisor)
 *   v_scale = max(v_scale, amax of value / divisor)
 * The quotient is that of f32, to nearest even, and infinite for an infinite element; one of 0
 * changes nothing. Scales are compared as the signed integers that their bits are: a negative one
 * is less than any, and a NaN without a sign stays. Start with 0, or with the least that a scale
 * may be. No elements are a successful no-op. On CUDA a graph can capture the call.
 *
 * 448 as the divisor would let the largest element be the largest code of E4M3; 240, the default,
 * leaves room for elements that are larger than those seen so far.
 *
 * Errors: KVF_INVALID_VALUE for a divisor that is no positive, finite, normal f32.
 * Source of the rule: mistral.rs and attention.rs, whose functions of this name have 240 built in.
 * Elsewhere: mistral.rs update_kv_scales_f32 to update_kv_scales_bf16.
 *
 * Arguments:
 *   key (Tensor): [num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
 *   value (Tensor): [num_tokens, num_heads, value_head_size], as key otherwise
 *   k_scale (Tensor!): f32, one element
 *   v_scale (Tensor!): as k_scale
 *   divisor (float): magnitude of a code that the largest element has; positive, finite and normal
 *       as f32
 */
KVF_API kvf_status kvf_update_kv_scales(const kvf_exec *exec, const DLTensor *key,
                                        const DLTensor *value, DLTensor *k_scale, DLTensor *v_scale,
                                        double divisor);
KVF_API kvf_status kvf_launch_update_kv_scales(const kvf_exec *exec, const kvf_variant *variant,
                                               const kvf_update_kv_scales_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_update_kv_scales;

#ifdef __cplusplus
}
#endif

#endif
