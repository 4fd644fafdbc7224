/*
 * Generated from templates/table/op.h.j2 and generator/spec/hisparse_invalidate_written_slots.py.
 * Do not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_HISPARSE_INVALIDATE_WRITTEN_SLOTS_H
#define KVFORGE_OPS_HISPARSE_INVALIDATE_WRITTEN_SLOTS_H

#include "kvforge/kvforge.h"
#include "kvforge/params/hisparse_invalidate_written_slots.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::hisparse_invalidate_written_slots: marks hot slots empty whose host row has been
 * written.
 *
 * For every token t, with q = req_id_per_token[t], s = request_state_indices[q] and w =
 * written_slots[t]: every element of device_global_indices[s, :] that is w becomes -1. A token with
 * a q outside [0, num_requests), an s outside [0, num_states) or a negative w is skipped. Tokens
 * may repeat. No tokens, states or slots are a successful no-op.
 *
 * Errors: those of wrong shapes and dtypes.
 * Source of the rule: vLLM's op of the same name (0.31 and newer).
 * Elsewhere: vLLM hisparse_invalidate_written_slots.
 *
 * Arguments:
 *   device_global_indices (Tensor!): [num_states, hot_size], int32, any strides: the host row that
 *       each hot slot holds, -1 none
 *   request_state_indices (Tensor): [num_requests], int32, any stride: the state of each request
 *   req_id_per_token (Tensor): [num_tokens], int32, any stride: the request of each token
 *   written_slots (Tensor): [num_tokens], int64, any stride: the host row that each token was
 *       written to
 */
KVF_API kvf_status kvf_hisparse_invalidate_written_slots(const kvf_exec *exec,
                                                         DLTensor *device_global_indices,
                                                         const DLTensor *request_state_indices,
                                                         const DLTensor *req_id_per_token,
                                                         const DLTensor *written_slots);
KVF_API kvf_status kvf_launch_hisparse_invalidate_written_slots(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_hisparse_invalidate_written_slots_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_hisparse_invalidate_written_slots;

#ifdef __cplusplus
}
#endif

#endif
