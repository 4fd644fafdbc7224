/*
 * Generated from templates/cuda/hisparse_invalidate_written_slots.cu.j2 and
 * generator/spec/hisparse_invalidate_written_slots.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/hisparse_invalidate_written_slots.h"

/* Grid: x tokens. Block: x slots of the token's state. */
extern "C" __global__ void __launch_bounds__(256) kvf_cuda_hisparse_invalidate_written_slots__b8(
    const __grid_constant__ kvf_hisparse_invalidate_written_slots_params p) {
  kvf_begin_kernel();
  for (int64_t token = blockIdx.x; token < p.num_tokens; token += gridDim.x) {
    const int64_t request =
        kvf_index_at(p.req_id_per_token.data, 4, token * p.req_id_per_token.stride[0]);
    const int64_t written =
        kvf_index_at(p.written_slots.data, 8, token * p.written_slots.stride[0]);
    if (request < 0 || request >= p.num_requests || written < 0) {
      continue;
    }
    const int64_t state =
        kvf_index_at(p.request_state_indices.data, 4, request * p.request_state_indices.stride[0]);
    if (state < 0 || state >= p.num_states) {
      continue;
    }
    /* Tokens of one state write -1 alone, so that it does not matter who reads or writes first. */
    int32_t *slots = static_cast<int32_t *>(p.device_global_indices.data) +
                     state * p.device_global_indices.stride[0];
    for (int64_t slot = threadIdx.x; slot < p.hot_size; slot += blockDim.x) {
      int32_t *held = slots + slot * p.device_global_indices.stride[1];
      if (*held == written) {
        *held = -1;
      }
    }
  }
}
