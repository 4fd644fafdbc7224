#include "ops/shared/copies.h"
#include "ops/shared/hot_rows.h"

#define OP (&kvf_op_hisparse_invalidate_written_slots)

typedef kvf_hisparse_invalidate_written_slots_params params_type;

kvf_status kvf_hisparse_invalidate_written_slots(const kvf_exec *exec,
                                                 DLTensor *device_global_indices,
                                                 const DLTensor *request_state_indices,
                                                 const DLTensor *req_id_per_token,
                                                 const DLTensor *written_slots) {
  params_type params = {.num_tokens = 0};
  kvf_dim num_states = KVF_DIM("num_states");
  kvf_dim hot_size = KVF_DIM("hot_size");
  kvf_dim num_requests = KVF_DIM("num_requests");
  kvf_dim num_tokens = KVF_DIM("num_tokens");
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_plan(&check, "device_global_indices", device_global_indices, &num_states, &hot_size,
                 &params.device_global_indices);
  kvf_check_tensor(&check, "request_state_indices", request_state_indices, KVF_ACCEPT_INT32, 1,
                   (kvf_dim *const[]){&num_requests}, &params.request_state_indices);
  kvf_check_tensor(&check, "req_id_per_token", req_id_per_token, KVF_ACCEPT_INT32, 1,
                   (kvf_dim *const[]){&num_tokens}, &params.req_id_per_token);
  kvf_check_tensor(&check, "written_slots", written_slots, KVF_ACCEPT_INT64, 1,
                   (kvf_dim *const[]){&num_tokens}, &params.written_slots);
  kvf_check_apart(&check, (const kvf_named[]){{"device_global_indices", device_global_indices}}, 1,
                  (const kvf_named[]){{"request_state_indices", request_state_indices},
                                      {"req_id_per_token", req_id_per_token},
                                      {"written_slots", written_slots}},
                  3);
  const kvf_variant *variant = kvf_check_bytes_variant(&check);
  if (variant == NULL) {
    return check.status;
  }
  params.num_states = num_states.value;
  params.hot_size = hot_size.value;
  params.num_requests = num_requests.value;
  params.num_tokens = num_tokens.value;
  return kvf_launch_hisparse_invalidate_written_slots(&check.exec, variant, &params);
}

enum { THREADS = 256 };

kvf_status kvf_launch_hisparse_invalidate_written_slots(const kvf_exec *exec,
                                                        const kvf_variant *variant,
                                                        const params_type *given) {
  params_type params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_states", params.num_states, 0);
  kvf_launch_at_least(&check, "hot_size", params.hot_size, 0);
  kvf_launch_at_least(&check, "num_requests", params.num_requests, 0);
  kvf_launch_at_least(&check, "num_tokens", params.num_tokens, 0);
  if (check.status != KVF_OK || params.num_tokens == 0 || params.num_states == 0 ||
      params.hot_size == 0 || params.num_requests == 0) {
    return check.status;
  }
  kvf_launch_pointer(&check, "device_global_indices", params.device_global_indices.data);
  kvf_launch_pointer(&check, "request_state_indices", params.request_state_indices.data);
  kvf_launch_pointer(&check, "req_id_per_token", params.req_id_per_token.data);
  kvf_launch_pointer(&check, "written_slots", params.written_slots.data);
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (check.exec.backend == KVF_CPU) {
    return kvf_cpu_run(&check, variant, &params, params.num_tokens, 4 * params.hot_size);
  }
  const int64_t tokens = params.num_tokens;
  const kvf_grid grid = {.grid = {(uint32_t)(tokens < INT32_MAX ? tokens : INT32_MAX), 1, 1},
                         .block = {THREADS, 1, 1}};
  return kvf_cuda_run(&check, variant, &params, &grid);
}
