/*
 * Generated from templates/table/params_op.h.j2 and
 * generator/spec/hisparse_invalidate_written_slots.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#ifndef KVFORGE_PARAMS_HISPARSE_INVALIDATE_WRITTEN_SLOTS_H
#define KVFORGE_PARAMS_HISPARSE_INVALIDATE_WRITTEN_SLOTS_H

#include "kvforge/cache/kernel_types.h"

/*
 * marks hot slots empty whose host row has been written.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_hisparse_invalidate_written_slots_params {
  kvf_view device_global_indices; /* int32; stride[0..1]: state, slot */
  kvf_view request_state_indices; /* int32; stride[0]: request */
  kvf_view req_id_per_token;      /* int32; stride[0]: token */
  kvf_view written_slots;         /* int64; stride[0]: token */
  int64_t num_states;             /* states */
  int64_t hot_size;               /* hot slots of a state */
  int64_t num_requests;           /* requests */
  int64_t num_tokens;             /* tokens */
} kvf_hisparse_invalidate_written_slots_params;

#endif
