#include "kvforge/cache/op.h"
#include "kvforge/cache/rotation.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/packed_heads.h"
#include "ops/shared/writer.h"

#define OP (&kvf_op_reshape_and_cache_flash_per_token_head)

/* The scales are made here, and nothing is copied past the caches. */
#define WRITER(params)                                                                             \
  {.key = &(params)->key,                                                                          \
   .value = &(params)->value,                                                                      \
   .slots = &(params)->slots,                                                                      \
   .num_heads = &(params)->num_heads,                                                              \
   .head_size = &(params)->head_size}

static bool is_int4(const kvf_variant *variant) {
  return kvf_cache_of(variant) == KVF_INT4_PER_TOKEN_HEAD;
}

/* [num_blocks, block_size, num_heads, head_size], two elements in a byte for int4. */
static void check_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                        const kvf_variant *variant, kvf_dim *const *places, kvf_dim *head_size,
                        kvf_view *view) {
  if (is_int4(variant)) {
    kvf_check_packed_pages(check, argument, tensor, kvf_cache_of(variant), places, head_size, view);
    return;
  }
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(kvf_cache_of(variant)), 4,
                   (kvf_dim *const[]){places[0], places[1], places[2], head_size}, view);
}

kvf_status kvf_reshape_and_cache_flash_per_token_head(
    const kvf_exec *exec, const DLTensor *key, const DLTensor *value, DLTensor *key_cache,
    DLTensor *value_cache, DLTensor *k_scale_cache, DLTensor *v_scale_cache,
    const DLTensor *slot_mapping, const char *kv_cache_dtype, const DLTensor *slot_remap) {
  kvf_reshape_and_cache_flash_per_token_head_params params = {.num_heads = 0};
  const kvf_writer writer = WRITER(&params);
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim head_size = KVF_DIM("head_size");
  kvf_dim value_head_size = KVF_DIM("value_head_size");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_sources(&check, key, value, slot_mapping, &writer, &num_heads,
                                             &head_size, &value_head_size);
  kvf_check_remap(&check, slot_remap, &params.slots);
  kvf_check_row_size(&check, "key", &num_heads, &head_size);
  kvf_check_row_size(&check, "value", &num_heads, &value_head_size);
  const kvf_variant *variant = kvf_check_variant(&check, kv_cache_dtype, scalar);
  if (variant == NULL) {
    return check.status;
  }
  kvf_dim *const places[] = {&num_blocks, &block_size, &num_heads};
  check_pages(&check, "key_cache", key_cache, variant, places, &head_size, &params.key_cache);
  check_pages(&check, "value_cache", value_cache, variant, places, &value_head_size,
              &params.value_cache);
  kvf_check_tensor(&check, "k_scale_cache", k_scale_cache, KVF_ACCEPT(KVF_F32), 3, places,
                   &params.k_scale_cache);
  kvf_check_tensor(&check, "v_scale_cache", v_scale_cache, KVF_ACCEPT(KVF_F32), 3, places,
                   &params.v_scale_cache);
  kvf_check_apart(&check,
                  (const kvf_named[]){{"key_cache", key_cache},
                                      {"value_cache", value_cache},
                                      {"k_scale_cache", k_scale_cache},
                                      {"v_scale_cache", v_scale_cache}},
                  4, (const kvf_named[]){{"key", key}, {"value", value}}, 2);
  kvf_check_apart(
      &check,
      (const kvf_named[]){{"k_scale_cache", k_scale_cache}, {"v_scale_cache", v_scale_cache}}, 2,
      (const kvf_named[]){{"key_cache", key_cache}, {"value_cache", value_cache}}, 2);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  params.num_heads = (int32_t)num_heads.value;
  params.head_size = (int32_t)head_size.value;
  params.value_head_size = (int32_t)value_head_size.value;
  return kvf_launch_reshape_and_cache_flash_per_token_head(&check.exec, variant, &params);
}

/* The vectors that both ends of a source's heads can be moved in. */
static int32_t vectors_of(const kvf_variant *variant, const kvf_view *source, const kvf_view *cache,
                          int32_t head_size) {
  const kvf_vector_side sides[] = {{source, kvf_dtype_bits(kvf_scalar_of(variant)) / 8, 2, 3},
                                   {cache, kvf_dtype_bits(kvf_cache_of(variant)) / 8, 3, 4}};
  return kvf_vector_elements(variant->vectors, head_size, sides, 2);
}

/*
 * More than 1 where the lanes have whole groups of a head, accesses of 16 bytes here and of 4
 * there: KVF_LANE_PART where they have equal parts of it, too, and it is rotated as a whole.
 */
static int32_t groups_of(const kvf_variant *variant, const kvf_view *source, const kvf_view *cache,
                         int32_t head_size) {
  const int32_t bytes = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t elements[] = {16 / bytes, 1};
  const int32_t codes[] = {4, 1};
  const kvf_vector_side from = {source, bytes, 2, 3};
  const kvf_vector_side to = {cache, 1, 3, 4};
  const bool whole = head_size % KVF_ROTATION_GROUP == 0 &&
                     kvf_vector_elements(elements, head_size, &from, 1) > 1 &&
                     kvf_vector_elements(codes, head_size / 2, &to, 1) > 1;
  const bool equal = head_size >= KVF_LANE_PART && kvf_rotation_block(head_size) == head_size;
  return !whole ? 1 : equal ? KVF_LANE_PART : KVF_ROTATION_GROUP;
}

enum { WARP = 32, MAX_BLOCK_Z = 64 };

/*
 * As many lanes share a head as it has vectors, up to a warp; heads and then tokens fill the block.
 * All three are powers of two, so that warps are whole and no head is in two of them. What a thread
 * does for its token is long beside a head: where there are blocks enough, it has several heads.
 */
static kvf_grid grid_of(const kvf_check *check,
                        const kvf_reshape_and_cache_flash_per_token_head_params *params,
                        int32_t elements) {
  enum { THREADS, HEADS, BLOCKS }; /* positions of tuned constants */
  const int32_t *tuned = kvf_tuned_values(check, params->slots.num_tokens);
  const uint32_t threads = (uint32_t)tuned[THREADS];
  const int32_t longest =
      params->head_size > params->value_head_size ? params->head_size : params->value_head_size;
  const int64_t vectors = ((int64_t)longest + elements - 1) / elements;
  uint32_t lanes = 1;
  while (lanes < WARP && lanes < vectors) {
    lanes *= 2;
  }
  uint32_t heads = 1;
  while (heads < threads / lanes && (int64_t)heads < params->num_heads) {
    heads *= 2;
  }
  int64_t blocks =
      kvf_saturating_product(params->slots.num_tokens, 2 * (int64_t)params->num_heads) /
      (threads / lanes);
  int64_t columns = (params->num_heads + (int64_t)heads - 1) / heads;
  for (int32_t joined = 2; columns == 1 && joined <= tuned[HEADS] && heads > 1; joined *= 2) {
    blocks /= 2;
    if (blocks < tuned[BLOCKS]) {
      break;
    }
    heads /= 2;
  }
  const uint32_t rest = threads / lanes / heads;
  const uint32_t tokens = rest < MAX_BLOCK_Z ? rest : MAX_BLOCK_Z;
  const int64_t rows = (params->slots.num_tokens + tokens - 1) / tokens;
  columns = columns < 65535 ? columns : 65535;
  return (kvf_grid){
      .grid = {(uint32_t)rows, (uint32_t)columns, 2},
      .block = {lanes, heads, tokens},
  };
}

kvf_status kvf_launch_reshape_and_cache_flash_per_token_head(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_reshape_and_cache_flash_per_token_head_params *given) {
  kvf_reshape_and_cache_flash_per_token_head_params params;
  const kvf_writer writer = WRITER(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (params.slots.num_tokens > 0 && params.num_heads > 0) {
    /* A head of no elements would have a scale, but no code to hold it for. */
    kvf_launch_at_least(&check, "head_size", params.head_size, 1);
    kvf_launch_at_least(&check, "value_head_size", params.value_head_size, 1);
  }
  if (variant != NULL && is_int4(variant)) {
    kvf_check_packed_size(&check, "head_size", kvf_cache_of(variant), params.head_size);
    kvf_check_packed_size(&check, "value_head_size", kvf_cache_of(variant), params.value_head_size);
    params.key_cache.stride[3] = params.value_cache.stride[3] = 1;
  }
  if (!kvf_launch_writer(&check, variant, &writer, &params.key_cache, &params.value_cache)) {
    return check.status;
  }
  if (params.value_head_size > INT32_MAX / params.num_heads) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "value_head_size",
                   "a token has %d x %d elements, want less than 2^31", params.num_heads,
                   params.value_head_size);
  }
  if (params.slots.num_blocks > 0) {
    kvf_launch_pointer(&check, "k_scale_cache", params.k_scale_cache.data);
    kvf_launch_pointer(&check, "v_scale_cache", params.v_scale_cache.data);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (check.exec.backend == KVF_CPU) {
    const int64_t elements =
        (int64_t)params.num_heads * ((int64_t)params.head_size + params.value_head_size);
    const int64_t bytes =
        kvf_dtype_bits(kvf_scalar_of(variant)) / 8 + kvf_dtype_bits(kvf_cache_of(variant)) / 8;
    return kvf_cpu_run(&check, variant, &params, params.slots.num_tokens, elements * bytes);
  }
  int32_t (*const choose)(const kvf_variant *, const kvf_view *, const kvf_view *, int32_t) =
      is_int4(variant) ? groups_of : vectors_of;
  const int32_t of_key = choose(variant, &params.key, &params.key_cache, params.head_size);
  const int32_t of_value =
      choose(variant, &params.value, &params.value_cache, params.value_head_size);
  params.vector_elements = of_key < of_value ? of_key : of_value;
  if (is_int4(variant) && params.vector_elements == KVF_LANE_PART &&
      params.head_size != params.value_head_size) {
    params.vector_elements = KVF_ROTATION_GROUP; /* heads share the lanes of the longer ones */
  }
  const bool single = is_int4(variant) && params.vector_elements == 1;
  const kvf_grid grid =
      grid_of(&check, &params, single ? KVF_ROTATION_GROUP : params.vector_elements);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
