#include <inttypes.h>

#include "core/float_mode.h"
#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/mla.h"

#define OP (&kvf_op_update_kv_scales)

typedef kvf_update_kv_scales_params params_type;

kvf_status kvf_update_kv_scales(const kvf_exec *exec, const DLTensor *key, const DLTensor *value,
                                DLTensor *k_scale, DLTensor *v_scale, double divisor) {
  params_type params = {.num_tokens = 0};
  kvf_dim num_tokens = KVF_DIM("num_tokens");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim head_size = KVF_DIM("head_size");
  kvf_dim value_head_size = KVF_DIM("value_head_size");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "key", key, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(&check, "key", key, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&num_tokens, &num_heads, &head_size}, &params.key);
  kvf_check_tensor(&check, "value", value, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&num_tokens, &num_heads, &value_head_size}, &params.value);
  kvf_check_one_scale(&check, "k_scale", k_scale, &params.k_scale);
  kvf_check_one_scale(&check, "v_scale", v_scale, &params.v_scale);
  kvf_check_scale_value(&check, "divisor", divisor);
  const kvf_named scales[] = {{"k_scale", k_scale}, {"v_scale", v_scale}};
  kvf_check_apart(&check, scales, 2, (const kvf_named[]){{"key", key}, {"value", value}}, 2);
  kvf_check_apart(&check, scales + 1, 1, scales, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  const kvf_variant *variant = kvf_select(OP, check.exec.backend, scalar);
  if (variant == NULL) {
    return kvf_select_status(OP, check.exec.backend, scalar);
  }
  params.divisor = kvf_nearest_float(divisor);
  params.num_tokens = num_tokens.value;
  params.num_heads = num_heads.value;
  params.head_size = head_size.value;
  params.value_head_size = value_head_size.value;
  return kvf_launch_update_kv_scales(&check.exec, variant, &params);
}

/* Heads that lie one behind another are one long head, and tokens of one head one long row. */
static void join(params_type *params, int side, const kvf_view *source, int64_t size) {
  int64_t tokens = params->num_tokens;
  int64_t heads = params->num_heads;
  if (heads == 1 || kvf_is_product(source->stride[1], size, source->stride[2])) {
    size *= heads;
    heads = 1;
  }
  if (heads == 1 && (tokens == 1 || kvf_is_product(source->stride[0], size, source->stride[2]))) {
    size *= tokens;
    tokens = 1;
  }
  params->heads[side] = heads;
  params->size[side] = size;
  params->rows[side] = size > 0 ? tokens * heads : 0;
  params->by_heads[side] = kvf_make_divider(heads);
}

enum { PIECE = 4096 }; /* as the CPU template has it */

kvf_status kvf_launch_update_kv_scales(const kvf_exec *exec, const kvf_variant *variant,
                                       const params_type *given) {
  params_type params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_tokens", params.num_tokens, 0);
  kvf_launch_at_least(&check, "num_heads", params.num_heads, 0);
  kvf_launch_at_least(&check, "head_size", params.head_size, 0);
  kvf_launch_at_least(&check, "value_head_size", params.value_head_size, 0);
  kvf_check_scale_value(&check, "divisor", (double)params.divisor);
  const int64_t longest =
      params.head_size > params.value_head_size ? params.head_size : params.value_head_size;
  const int64_t elements =
      kvf_saturating_product(kvf_saturating_product(params.num_tokens, params.num_heads), longest);
  if (check.status != KVF_OK || elements == 0) {
    return check.status;
  }
  if (elements == KVF_TOO_LARGE) {
    return kvf_check_fail(&check, KVF_INVALID_VALUE, "num_tokens",
                          "got %" PRId64 " x %" PRId64 " x %" PRId64
                          " elements, want less than 2^62",
                          params.num_tokens, params.num_heads, longest);
  }
  /* A side without elements is never read; its address may be NULL. */
  if (params.head_size > 0) {
    kvf_launch_pointer(&check, "key", params.key.data);
  } else {
    params.key = params.value;
  }
  if (params.value_head_size > 0) {
    kvf_launch_pointer(&check, "value", params.value.data);
  } else {
    params.value = params.key;
  }
  kvf_launch_pointer(&check, "k_scale", params.k_scale.data);
  kvf_launch_pointer(&check, "v_scale", params.v_scale.data);
  if (check.status != KVF_OK) {
    return check.status;
  }
  join(&params, 0, &params.key, params.head_size);
  join(&params, 1, &params.value, params.value_head_size);
  const int32_t bytes = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  params.vector_elements = 1;
  if (check.exec.backend == KVF_CUDA) {
    const kvf_vector_side sides[] = {{&params.key, bytes, 2, 3}, {&params.value, bytes, 2, 3}};
    params.vector_elements =
        kvf_vector_elements(variant->vectors, params.size[0] | params.size[1], sides, 2);
  }
  int64_t units[2];
  for (int side = 0; side < 2; ++side) {
    const int64_t of_row = check.exec.backend == KVF_CPU
                               ? kvf_quotient_up(params.size[side], PIECE)
                               : params.size[side] / params.vector_elements;
    params.by_units[side] = kvf_make_divider(of_row > 0 ? of_row : 1);
    units[side] = params.rows[side] * of_row;
  }
  if (check.exec.backend == KVF_CPU) {
    const int64_t piece = longest < PIECE ? longest : PIECE;
    return kvf_cpu_run(&check, variant, &params, units[0] + units[1], piece * bytes);
  }
  enum { THREADS, BLOCKS }; /* positions of tuned constants */
  const int32_t *tuned = kvf_tuned_values(&check, elements);
  const int64_t most = units[0] > units[1] ? units[0] : units[1];
  const int64_t blocks = kvf_quotient_up(most, tuned[THREADS]);
  const kvf_grid grid = {
      .grid = {(uint32_t)(blocks < tuned[BLOCKS] ? blocks : tuned[BLOCKS]), 1, 2},
      .block = {(uint32_t)tuned[THREADS], 1, 1}};
  return kvf_cuda_run(&check, variant, &params, &grid);
}
