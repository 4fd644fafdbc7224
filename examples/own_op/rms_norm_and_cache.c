#include "kvforge/ops/rms_norm_and_cache.h"

#include <inttypes.h>
#include <math.h>

#include "kvforge/cache/op.h"

#define OP (&kvf_op_rms_norm_and_cache)

kvf_status kvf_rms_norm_and_cache(const kvf_exec *exec, const DLTensor *key, const DLTensor *value,
                                  const DLTensor *weight, DLTensor *key_cache,
                                  DLTensor *value_cache, const DLTensor *slot_mapping,
                                  const char *kv_cache_dtype, const DLTensor *k_scale,
                                  const DLTensor *v_scale, double epsilon) {
  kvf_rms_norm_and_cache_params params = {.epsilon = (float)epsilon};
  kvf_dim key_rows = KVF_DIM("num_rows");
  kvf_dim value_rows = KVF_DIM("num_rows");
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim head_size = KVF_DIM("head_size");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "key", key, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(&check, "key", key, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&key_rows, &num_heads, &head_size}, &params.key);
  kvf_check_tensor(&check, "value", value, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&value_rows, &num_heads, &head_size}, &params.value);
  kvf_check_tensor(&check, "weight", weight, KVF_ACCEPT(scalar), 1, (kvf_dim *const[]){&head_size},
                   &params.weight);
  kvf_check_slots(&check, "slot_mapping", slot_mapping, &params.slots);
  kvf_check_rows(&check, "key", &key_rows, "slot_mapping", &params.slots);
  kvf_check_rows(&check, "value", &value_rows, "slot_mapping", &params.slots);
  kvf_check_scale(&check, "k_scale", k_scale, &num_heads, &params.k_scale);
  kvf_check_scale(&check, "v_scale", v_scale, &num_heads, &params.v_scale);
  const kvf_variant *variant = kvf_check_variant(&check, kv_cache_dtype, scalar);
  if (variant == NULL) {
    return check.status;
  }
  kvf_dim *const shape[] = {&num_blocks, &block_size, &num_heads, &head_size};
  kvf_check_tensor(&check, "key_cache", key_cache, KVF_ACCEPT(kvf_cache_of(variant)), 4, shape,
                   &params.key_cache);
  kvf_check_tensor(&check, "value_cache", value_cache, KVF_ACCEPT(kvf_cache_of(variant)), 4, shape,
                   &params.value_cache);
  if (check.status == KVF_OK && num_heads.value > 0 &&
      head_size.value > INT32_MAX / num_heads.value) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "key",
                   "a row has %" PRId64 " x %" PRId64 " elements, want less than 2^31",
                   num_heads.value, head_size.value);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  params.num_heads = (int32_t)num_heads.value;
  params.head_size = (int32_t)head_size.value;
  return kvf_launch_rms_norm_and_cache(&check.exec, variant, &params);
}

enum { THREADS = 256, WARP = 32, MAX_BLOCK_Z = 64 };

/*
 * As many lanes share a head as it has vectors, up to a warp; heads and then tokens fill the block.
 * All three are powers of two, so that warps are whole and no head is in two of them.
 */
static kvf_grid grid_of(const kvf_rms_norm_and_cache_params *params) {
  uint32_t lanes = 1;
  while (lanes < WARP && (int32_t)lanes < params->head_size / params->vector_elements) {
    lanes *= 2;
  }
  uint32_t heads = 1;
  while (heads < THREADS / lanes && (int32_t)heads < params->num_heads) {
    heads *= 2;
  }
  const uint32_t rest = THREADS / lanes / heads;
  const uint32_t tokens = rest < MAX_BLOCK_Z ? rest : MAX_BLOCK_Z;
  const int64_t rows = (params->slots.num_tokens + tokens - 1) / tokens;
  const int64_t columns = (params->num_heads + (int64_t)heads - 1) / heads;
  return (kvf_grid){
      .grid = {(uint32_t)rows, (uint32_t)(columns < 65535 ? columns : 65535), 2},
      .block = {lanes, heads, tokens},
  };
}

kvf_status kvf_launch_rms_norm_and_cache(const kvf_exec *exec, const kvf_variant *variant,
                                         const kvf_rms_norm_and_cache_params *given) {
  kvf_rms_norm_and_cache_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_slots(&check, "slot_mapping", &params.slots);
  kvf_launch_at_least(&check, "num_heads", params.num_heads, 0);
  kvf_launch_at_least(&check, "head_size", params.head_size, 0);
  if (!(params.epsilon >= 0.0f) || isinf(params.epsilon)) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "epsilon", "got %g, want 0 or more",
                   (double)params.epsilon);
  }
  if (check.status != KVF_OK || params.slots.num_tokens == 0 || params.num_heads == 0 ||
      params.head_size == 0) {
    return check.status;
  }
  kvf_launch_pointer(&check, "key", params.key.data);
  kvf_launch_pointer(&check, "value", params.value.data);
  kvf_launch_pointer(&check, "weight", params.weight.data);
  if (params.slots.num_blocks > 0) {
    kvf_launch_pointer(&check, "key_cache", params.key_cache.data);
    kvf_launch_pointer(&check, "value_cache", params.value_cache.data);
  }
  if (kvf_scalar_of(variant) != kvf_cache_of(variant)) {
    kvf_launch_scales(&check, "k_scale", &params.k_scale, params.num_heads);
    kvf_launch_scales(&check, "v_scale", &params.v_scale, params.num_heads);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  if (check.exec.backend == KVF_CPU) {
    const int64_t elements = 2 * (int64_t)params.num_heads * params.head_size;
    return kvf_cpu_run(&check, variant, &params, params.slots.num_tokens,
                       elements * (scalar + cache));
  }
  const kvf_vector_side sides[] = {{&params.key, scalar, 2, 3},
                                   {&params.value, scalar, 2, 3},
                                   {&params.weight, scalar, 0, 1},
                                   {&params.key_cache, cache, 3, 4},
                                   {&params.value_cache, cache, 3, 4}};
  params.vector_elements =
      kvf_vector_elements(variant->vectors, params.head_size, sides, sizeof sides / sizeof *sides);
  const kvf_grid grid = grid_of(&params);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
