#include <inttypes.h>

#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/writer.h"

#define OP (&kvf_op_reshape_and_cache)

static void check_groups(kvf_check *check, bool interleaved_v, int64_t block_size, int64_t x) {
  if (check->status == KVF_OK && interleaved_v && block_size % x != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "interleaved_v",
                   "block_size is %" PRId64 ", want a multiple of %" PRId64 " (x)", block_size, x);
  }
}

/* Groups of x tokens. Leaves the strides in the order of the params struct. */
static void check_interleaved(kvf_check *check, const DLTensor *value_cache, uint32_t accepted,
                              kvf_dim *num_blocks, kvf_dim *num_heads, kvf_dim *value_head_size,
                              kvf_dim *block_size, kvf_dim *x, kvf_view *view) {
  if (check->status == KVF_OK && value_cache != NULL && value_cache->ndim == 5) {
    kvf_dim groups = {"block_size / x", block_size->value / x->value, "key_cache"};
    kvf_check_tensor(check, "value_cache", value_cache, accepted, 5,
                     (kvf_dim *const[]){num_blocks, num_heads, &groups, value_head_size, x}, view);
    const int64_t *stride = view->stride;
    *view = (kvf_view){view->data, {stride[0], stride[1], stride[3], stride[4], stride[2]}};
    return;
  }
  kvf_check_tensor(check, "value_cache", value_cache, accepted, 4,
                   (kvf_dim *const[]){num_blocks, num_heads, value_head_size, block_size}, view);
  const bool dense = (block_size->value <= 1 || view->stride[3] == 1) &&
                     (value_head_size->value <= 1 || view->stride[2] == block_size->value);
  if (check->status == KVF_OK && !dense) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "value_cache",
                   "strides of dimensions 2 and 3 are %" PRId64 " and %" PRId64 ", want %" PRId64
                   " and 1 (no gaps), or rank 5, for interleaved_v",
                   view->stride[2], view->stride[3], block_size->value);
  }
  view->stride[2] = x->value;
  view->stride[3] = 1;
  view->stride[4] = kvf_saturating_product(value_head_size->value, x->value);
}

kvf_status kvf_reshape_and_cache(const kvf_exec *exec, const DLTensor *key, const DLTensor *value,
                                 DLTensor *key_cache, DLTensor *value_cache,
                                 const DLTensor *slot_mapping, const char *kv_cache_dtype,
                                 const DLTensor *k_scale, const DLTensor *v_scale,
                                 bool interleaved_v, const DLTensor *slot_remap) {
  kvf_reshape_and_cache_params params = {.interleaved_v = interleaved_v};
  const kvf_writer writer = {KVF_WRITER(&params), .value_head_size = &params.value_head_size};
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim head_size = KVF_DIM("head_size");
  kvf_dim value_head_size = KVF_DIM("value_head_size");
  kvf_dim groups = KVF_DIM("ceil(head_size / x)");
  kvf_dim x = KVF_DIM("x");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_variant *variant =
      kvf_check_writer(&check,
                       &(kvf_writer_arguments){key, value, slot_mapping, kv_cache_dtype, k_scale,
                                               v_scale, slot_remap},
                       &writer, &num_heads, &head_size, &value_head_size);
  if (variant == NULL) {
    return check.status;
  }
  kvf_check_tensor(&check, "key_cache", key_cache, KVF_ACCEPT(kvf_cache_of(variant)), 5,
                   (kvf_dim *const[]){&num_blocks, &num_heads, &groups, &block_size, &x},
                   &params.key_cache);
  if (check.status == KVF_OK && (x.value < 1 || x.value > INT32_MAX)) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "key_cache",
                   "x (dimension 4) is %" PRId64 ", want 1 or more", x.value);
  }
  if (check.status == KVF_OK && groups.value != kvf_quotient_up(head_size.value, x.value)) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "key_cache",
                   "size of dimension 2 is %" PRId64 ", want %" PRId64 " (head_size %" PRId64
                   " / x %" PRId64 ", rounded up)",
                   groups.value, kvf_quotient_up(head_size.value, x.value), head_size.value,
                   x.value);
  }
  check_groups(&check, interleaved_v, block_size.value, x.value);
  if (interleaved_v) {
    check_interleaved(&check, value_cache, KVF_ACCEPT(kvf_cache_of(variant)), &num_blocks,
                      &num_heads, &value_head_size, &block_size, &x, &params.value_cache);
  } else {
    kvf_check_tensor(&check, "value_cache", value_cache, KVF_ACCEPT(kvf_cache_of(variant)), 4,
                     (kvf_dim *const[]){&num_blocks, &num_heads, &value_head_size, &block_size},
                     &params.value_cache);
  }
  kvf_check_apart(&check,
                  (const kvf_named[]){{"key_cache", key_cache}, {"value_cache", value_cache}}, 2,
                  (const kvf_named[]){{"key", key}, {"value", value}}, 2);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  params.x = (int32_t)x.value;
  return kvf_launch_reshape_and_cache(&check.exec, variant, &params);
}

enum { THREADS, ELEMENTS, TOKENS }; /* positions of tuned constants, which are powers of two */

static int32_t longest_of(const kvf_reshape_and_cache_params *params) {
  return params->head_size > params->value_head_size ? params->head_size : params->value_head_size;
}

/* x: tiles of tokens; y: tiles of a token's heads and elements; z: keys, values. */
static kvf_grid grid_of(const kvf_reshape_and_cache_params *params, const int32_t *tuned) {
  const int64_t elements = INT64_C(1) << params->tile_shift;
  const int64_t tokens = INT64_C(1) << params->token_shift;
  const int64_t tiles = (params->slots.num_tokens + tokens - 1) / tokens;
  const int64_t columns =
      (int64_t)params->num_heads * ((longest_of(params) + elements - 1) / elements);
  return (kvf_grid){
      .grid = {(uint32_t)tiles, (uint32_t)(columns < 65535 ? columns : 65535), 2},
      .block = {(uint32_t)tuned[THREADS], 1, 1},
  };
}

kvf_status kvf_launch_reshape_and_cache(const kvf_exec *exec, const kvf_variant *variant,
                                        const kvf_reshape_and_cache_params *given) {
  kvf_reshape_and_cache_params params;
  const kvf_writer writer = {KVF_WRITER(&params), .value_head_size = &params.value_head_size};
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "x", params.x, 1);
  check_groups(&check, params.interleaved_v, params.slots.block_size, params.x);
  if (!kvf_launch_writer(&check, variant, &writer, &params.key_cache, &params.value_cache)) {
    return check.status;
  }
  if (!params.interleaved_v) {
    params.value_cache.stride[4] = 0;
  }
  params.by_value_group =
      kvf_make_divider(params.interleaved_v ? params.x : params.slots.block_size);
  if (check.exec.backend == KVF_CPU) {
    return kvf_run_writer(&check, variant, &params, &writer, 1);
  }
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const int32_t vectors[] = {16 / cache, 1};
  const int64_t row =
      kvf_saturating_product(params.num_heads, (int64_t)params.head_size + params.value_head_size);
  const int32_t *tuned =
      kvf_tuned_values(&check, kvf_saturating_product(params.slots.num_tokens, row) / 2048);
  const int32_t tokens = tuned[TOKENS] > vectors[0] ? tuned[TOKENS] : vectors[0];
  params.token_shift = __builtin_ctz((unsigned)tokens);
  params.tile_shift = __builtin_ctz((unsigned)tuned[ELEMENTS]);
  /* A tile has one head's elements, and no less than a warp stores at a time. */
  while (params.tile_shift > 5 && longest_of(&params) <= 1 << (params.tile_shift - 1)) {
    --params.tile_shift;
  }
  /* Where most threads have no vector of the tile these are narrower. */
  const int32_t *choices = variant->vectors;
  choices += choices[1] > 1 && 2 * tokens << params.tile_shift < tuned[THREADS] * *choices;
  const kvf_vector_side key = {&params.key, scalar, 2, 3};
  const kvf_vector_side value = {&params.value, scalar, 2, 3};
  const int32_t of_key = kvf_vector_elements(choices, params.head_size, &key, 1);
  const int32_t of_value = kvf_vector_elements(choices, params.value_head_size, &value, 1);
  params.vector_elements = of_key < of_value ? of_key : of_value;
  const kvf_vector_side key_pages = {&params.key_cache, cache, 4, 5};
  const kvf_vector_side value_pages = {&params.value_cache, cache, 3, 5};
  const bool whole = params.head_size % vectors[0] == 0;
  params.key_vector_elements = whole ? kvf_vector_elements(vectors, params.x, &key_pages, 1) : 1;
  params.value_vectors = kvf_vector_elements(vectors, vectors[0], &value_pages, 1) > 1;
  const kvf_grid grid = grid_of(&params, tuned);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
