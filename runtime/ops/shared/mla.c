#include "ops/shared/mla.h"

#include <inttypes.h>

void kvf_check_mla_sizes(kvf_check *check, const kvf_dim *kv_lora_rank, const kvf_dim *rope_dim,
                         int32_t *params_kv_lora_rank, int32_t *params_rope_dim) {
  if (check->status != KVF_OK) {
    return;
  }
  if (kv_lora_rank->value > INT32_MAX || rope_dim->value > INT32_MAX - kv_lora_rank->value) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "kv_c",
                   "a row of the cache has %" PRId64 " + %" PRId64 " elements, want less than 2^31",
                   kv_lora_rank->value, rope_dim->value);
    return;
  }
  *params_kv_lora_rank = (int32_t)kv_lora_rank->value;
  *params_rope_dim = (int32_t)rope_dim->value;
}

void kvf_launch_mla_sizes(kvf_check *check, int64_t num_tokens, int32_t kv_lora_rank,
                          int32_t rope_dim) {
  if (check->status == KVF_OK && check->exec.backend == KVF_CUDA && num_tokens > INT32_MAX) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_tokens",
                   "got %" PRId64 ", want less than 2^31 on CUDA", num_tokens);
  }
  kvf_launch_at_least(check, "kv_lora_rank", kv_lora_rank, 0);
  kvf_launch_at_least(check, "rope_dim", rope_dim, 0);
  if (check->status == KVF_OK && rope_dim > INT32_MAX - kv_lora_rank) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "rope_dim",
                   "a row has %d + %d elements, want less than 2^31", kv_lora_rank, rope_dim);
  }
}

void kvf_mla_fill_empty(int32_t kv_lora_rank, kvf_view *kv_c, int32_t rope_dim, kvf_view *k_pe) {
  if (kv_lora_rank == 0) {
    *kv_c = *k_pe;
  }
  if (rope_dim == 0) {
    *k_pe = *kv_c;
  }
}

void kvf_check_one_scale(kvf_check *check, const char *argument, const DLTensor *tensor,
                         kvf_view *view) {
  kvf_dim one = {"scales", 1, NULL};
  const int32_t rank = tensor != NULL && tensor->ndim == 0 ? 0 : 1;
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(KVF_F32), rank, (kvf_dim *const[]){&one},
                   view);
}

int64_t kvf_lanes(int64_t elements, int32_t vector, int32_t bytes) {
  return (elements / vector - 1) / KVF_VECTORS_AHEAD(vector * bytes) + 1;
}

kvf_grid kvf_token_grid(const kvf_check *check, int64_t lanes, int64_t tokens) {
  enum { MAX_COLUMNS = 65535 };
  const int64_t threads = *kvf_tuned_values(check, tokens);
  const int64_t columns = (lanes + threads - 1) / threads;
  const int64_t x = (lanes + columns - 1) / columns; /* the parts of a row are equally long */
  const int64_t y = threads / x < tokens ? threads / x : tokens;
  const int64_t rows = (tokens - 1) / y + 1;
  return (kvf_grid){
      .grid = {(uint32_t)rows, (uint32_t)(columns < MAX_COLUMNS ? columns : MAX_COLUMNS), 1},
      .block = {(uint32_t)x, (uint32_t)y, 1},
  };
}
