#include "kvforge/cache/ggml.h"
#include "kvforge/cache/op.h"
#include "ops/shared/packed_heads.h"
#include "ops/shared/writer.h"

#define OP (&kvf_op_reshape_and_cache_flash_ggml)

/* Scales are part of the rows, and nothing is copied past the caches. */
#define WRITER(params)                                                                             \
  {.key = &(params)->key,                                                                          \
   .value = &(params)->value,                                                                      \
   .slots = &(params)->slots,                                                                      \
   .num_heads = &(params)->num_heads,                                                              \
   .head_size = &(params)->head_size}

kvf_status kvf_reshape_and_cache_flash_ggml(const kvf_exec *exec, const DLTensor *key,
                                            const DLTensor *value, DLTensor *key_cache,
                                            DLTensor *value_cache, const DLTensor *slot_mapping,
                                            const char *kv_cache_dtype,
                                            const DLTensor *slot_remap) {
  kvf_reshape_and_cache_flash_ggml_params params = {.num_heads = 0};
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
  kvf_check_packed_pages(&check, "key_cache", key_cache, kvf_cache_of(variant), places, &head_size,
                         &params.key_cache);
  kvf_check_packed_pages(&check, "value_cache", value_cache, kvf_cache_of(variant), places,
                         &value_head_size, &params.value_cache);
  kvf_check_apart(&check,
                  (const kvf_named[]){{"key_cache", key_cache}, {"value_cache", value_cache}}, 2,
                  (const kvf_named[]){{"key", key}, {"value", value}}, 2);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  params.num_heads = (int32_t)num_heads.value;
  params.head_size = (int32_t)head_size.value;
  params.value_head_size = (int32_t)value_head_size.value;
  return kvf_launch_reshape_and_cache_flash_ggml(&check.exec, variant, &params);
}

/* Whether blocks can be read in vectors of 16 bytes and written in words of 2. */
static bool moves_words(const kvf_view *source, const kvf_view *cache, int32_t scalar) {
  const int32_t elements[] = {16 / scalar, 1};
  const int32_t bytes[] = {2, 1};
  kvf_view rows = *cache;
  rows.stride[3] = 1;
  const kvf_vector_side from = {source, scalar, 2, 3};
  const kvf_vector_side to = {&rows, 1, 3, 4};
  return kvf_vector_elements(elements, KVF_GGML_BLOCK, &from, 1) > 1 &&
         kvf_vector_elements(bytes, KVF_GGML_BLOCK, &to, 1) > 1;
}

kvf_status
kvf_launch_reshape_and_cache_flash_ggml(const kvf_exec *exec, const kvf_variant *variant,
                                        const kvf_reshape_and_cache_flash_ggml_params *given) {
  kvf_reshape_and_cache_flash_ggml_params params;
  const kvf_writer writer = WRITER(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (params.slots.num_tokens > 0 && params.num_heads > 0) {
    kvf_launch_at_least(&check, "head_size", params.head_size, KVF_GGML_BLOCK);
    kvf_launch_at_least(&check, "value_head_size", params.value_head_size, KVF_GGML_BLOCK);
  }
  if (variant != NULL) {
    kvf_check_packed_size(&check, "head_size", kvf_cache_of(variant), params.head_size);
    kvf_check_packed_size(&check, "value_head_size", kvf_cache_of(variant), params.value_head_size);
  }
  if (!kvf_launch_writer(&check, variant, &writer, &params.key_cache, &params.value_cache)) {
    return check.status;
  }
  if (params.value_head_size > INT32_MAX / params.num_heads) {
    return kvf_check_fail(&check, KVF_INVALID_VALUE, "value_head_size",
                          "a token has %d x %d elements, want less than 2^31", params.num_heads,
                          params.value_head_size);
  }
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  if (check.exec.backend == KVF_CPU) {
    const int64_t elements =
        (int64_t)params.num_heads * ((int64_t)params.head_size + params.value_head_size);
    return kvf_cpu_run(&check, variant, &params, params.slots.num_tokens, elements * (scalar + 1));
  }
  params.vector_elements = moves_words(&params.key, &params.key_cache, scalar) &&
                                   moves_words(&params.value, &params.value_cache, scalar)
                               ? KVF_GGML_BLOCK
                               : 1;
  const int32_t longest =
      params.head_size > params.value_head_size ? params.head_size : params.value_head_size;
  const int64_t blocks = (int64_t)params.num_heads * (longest / KVF_GGML_BLOCK);
  const kvf_grid grid = kvf_writer_grid(&check, params.slots.num_tokens, blocks, 1);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
