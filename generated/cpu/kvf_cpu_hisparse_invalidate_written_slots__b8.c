/*
 * Generated from templates/cpu/hisparse_invalidate_written_slots.c.j2 and
 * generator/spec/hisparse_invalidate_written_slots.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/hisparse_invalidate_written_slots.h"

void KVF_CPU_SYMBOL(kvf_cpu_hisparse_invalidate_written_slots__b8)(const void *params,
                                                                   int64_t begin, int64_t end);

/* Tokens [begin, end). Those of one request write to the same state, atomically. */
void KVF_CPU_SYMBOL(kvf_cpu_hisparse_invalidate_written_slots__b8)(const void *params,
                                                                   int64_t begin, int64_t end) {
  const kvf_hisparse_invalidate_written_slots_params *p = params;
  for (int64_t token = begin; token < end; ++token) {
    const int64_t request =
        kvf_index_at(p->req_id_per_token.data, 4, token * p->req_id_per_token.stride[0]);
    const int64_t written =
        kvf_index_at(p->written_slots.data, 8, token * p->written_slots.stride[0]);
    if (request < 0 || request >= p->num_requests || written < 0) {
      continue;
    }
    const int64_t state = kvf_index_at(p->request_state_indices.data, 4,
                                       request * p->request_state_indices.stride[0]);
    if (state < 0 || state >= p->num_states) {
      continue;
    }
    int32_t *slots =
        (int32_t *)p->device_global_indices.data + state * p->device_global_indices.stride[0];
    for (int64_t slot = 0; slot < p->hot_size; ++slot) {
      int32_t *held = slots + slot * p->device_global_indices.stride[1];
      if (__atomic_load_n(held, __ATOMIC_RELAXED) == written) {
        __atomic_store_n(held, -1, __ATOMIC_RELAXED);
      }
    }
  }
}
