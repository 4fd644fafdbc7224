#include "kvforge/cache/nvfp4.h"
#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/gather.h"
#include "ops/shared/nvfp4_pages.h"
#include "ops/shared/writer.h"

#define OP (&kvf_op_reshape_and_cache_flash_nvfp4)

/* Nothing is copied, so nothing is stored past the caches. */
#define WRITER(params)                                                                             \
  {.key = &(params)->key,                                                                          \
   .value = &(params)->value,                                                                      \
   .k_scale = &(params)->k_scale,                                                                  \
   .v_scale = &(params)->v_scale,                                                                  \
   .slots = &(params)->slots,                                                                      \
   .num_heads = &(params)->num_heads,                                                              \
   .head_size = &(params)->head_size,                                                              \
   .value_head_size = &(params)->value_head_size}

/* The strides of both tensors of a side whose block scales are elsewhere. */
static void check_separate(kvf_check *check, const char *const names[2], const DLTensor *codes,
                           const DLTensor *block_scales, kvf_dim *const sizes[3],
                           const kvf_dim *head_size, kvf_view *code_view, kvf_view *scale_view) {
  kvf_dim bytes = {"head_size / 2", head_size->value / 2, head_size->bound_by};
  kvf_dim groups = {"head_size / 16", head_size->value / KVF_NVFP4_GROUP, head_size->bound_by};
  kvf_check_tensor(check, names[0], codes, KVF_ACCEPT(KVF_NVFP4), 4,
                   (kvf_dim *const[]){sizes[0], sizes[1], sizes[2], &bytes}, code_view);
  kvf_check_tensor(check, names[1], block_scales, KVF_ACCEPT(KVF_FP8_E4M3), 4,
                   (kvf_dim *const[]){sizes[0], sizes[1], sizes[2], &groups}, scale_view);
  kvf_check_unit_stride(check, names[0], code_view, 3, &bytes);
  kvf_check_unit_stride(check, names[1], scale_view, 3, &groups);
}

kvf_status kvf_reshape_and_cache_flash_nvfp4(const kvf_exec *exec, const DLTensor *key,
                                             const DLTensor *value, DLTensor *key_cache,
                                             DLTensor *value_cache, const DLTensor *slot_mapping,
                                             const char *kv_cache_dtype, const DLTensor *k_scale,
                                             const DLTensor *v_scale, bool swizzle_v_scales,
                                             DLTensor *k_block_scales, DLTensor *v_block_scales,
                                             const DLTensor *slot_remap) {
  kvf_reshape_and_cache_flash_nvfp4_params params = {.swizzle_v_scales = swizzle_v_scales};
  const kvf_writer writer = WRITER(&params);
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim head_size = KVF_DIM("head_size");
  kvf_dim value_head_size = KVF_DIM("value_head_size");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_variant *variant =
      kvf_check_writer(&check,
                       &(kvf_writer_arguments){key, value, slot_mapping, kv_cache_dtype, k_scale,
                                               v_scale, slot_remap},
                       &writer, &num_heads, &head_size, &value_head_size);
  if (variant == NULL) {
    return check.status;
  }
  kvf_check_nvfp4_sizes(&check, "key", head_size.value, 0, false);
  kvf_check_nvfp4_sizes(&check, "value", value_head_size.value, 0, false);
  kvf_dim *const sizes[] = {&num_blocks, &block_size, &num_heads};
  if (k_block_scales != NULL || v_block_scales != NULL) {
    check_separate(&check, (const char *const[]){"key_cache", "k_block_scales"}, key_cache,
                   k_block_scales, sizes, &head_size, &params.key_cache, &params.k_block_scales);
    check_separate(&check, (const char *const[]){"value_cache", "v_block_scales"}, value_cache,
                   v_block_scales, sizes, &value_head_size, &params.value_cache,
                   &params.v_block_scales);
  } else {
    kvf_check_nvfp4_pages(&check, "key_cache", key_cache, &num_blocks, &block_size, &num_heads,
                          &head_size, &params.key_cache);
    kvf_check_nvfp4_pages(&check, "value_cache", value_cache, &num_blocks, &block_size, &num_heads,
                          &value_head_size, &params.value_cache);
    params.k_block_scales = kvf_nvfp4_block_scales(&params.key_cache, block_size.value,
                                                   num_heads.value, head_size.value);
    params.v_block_scales = kvf_nvfp4_block_scales(&params.value_cache, block_size.value,
                                                   num_heads.value, value_head_size.value);
  }
  kvf_check_nvfp4_sizes(&check, "value", value_head_size.value, block_size.value, swizzle_v_scales);
  const kvf_named caches[] = {{"key_cache", key_cache}, {"value_cache", value_cache}};
  const kvf_named block_scales[] = {{"k_block_scales", k_block_scales},
                                    {"v_block_scales", v_block_scales}};
  const kvf_named sources[] = {{"key", key}, {"value", value}};
  kvf_check_apart(&check, caches, 2, sources, 2);
  kvf_check_apart(&check, block_scales, 2, sources, 2);
  kvf_check_apart(&check, block_scales, 2, caches, 2);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  return kvf_launch_reshape_and_cache_flash_nvfp4(&check.exec, variant, &params);
}

/* Whether groups can be read and written in whole: 16 elements of a source, 8 bytes of codes. */
static bool moves_groups(const kvf_reshape_and_cache_flash_nvfp4_params *params, int32_t scalar) {
  static const int32_t elements[] = {KVF_NVFP4_GROUP, 1};
  static const int32_t bytes[] = {KVF_NVFP4_GROUP / 2, 1};
  kvf_view key_cache = params->key_cache;
  kvf_view value_cache = params->value_cache;
  key_cache.stride[3] = value_cache.stride[3] = 1;
  const kvf_vector_side sources[] = {{&params->key, scalar, 2, 3}, {&params->value, scalar, 2, 3}};
  const kvf_vector_side pages[] = {{&key_cache, 1, 3, 4}, {&value_cache, 1, 3, 4}};
  const int32_t sizes[] = {params->head_size, params->value_head_size};
  for (int side = 0; side < 2; ++side) {
    if (sizes[side] > 0 && (kvf_vector_elements(elements, sizes[side], &sources[side], 1) == 1 ||
                            kvf_vector_elements(bytes, sizes[side] / 2, &pages[side], 1) == 1)) {
      return false;
    }
  }
  return true;
}

/* Heads that follow each other at both ends and share their scales are one head. */
static void join_heads(kvf_reshape_and_cache_flash_nvfp4_params *params) {
  const int64_t size = params->head_size;
  const int64_t value_size = params->value_head_size;
  if (params->k_scale.stride[0] == 0 && params->v_scale.stride[0] == 0 &&
      kvf_is_product(params->key.stride[1], size, params->key.stride[2]) &&
      kvf_is_product(params->value.stride[1], value_size, params->value.stride[2]) &&
      params->key_cache.stride[2] == size / 2 && params->value_cache.stride[2] == value_size / 2 &&
      params->k_block_scales.stride[2] == size / KVF_NVFP4_GROUP &&
      params->v_block_scales.stride[2] == value_size / KVF_NVFP4_GROUP) {
    params->head_size *= params->num_heads;
    params->value_head_size *= params->num_heads;
    params->num_heads = 1;
  }
}

kvf_status
kvf_launch_reshape_and_cache_flash_nvfp4(const kvf_exec *exec, const kvf_variant *variant,
                                         const kvf_reshape_and_cache_flash_nvfp4_params *given) {
  kvf_reshape_and_cache_flash_nvfp4_params params;
  const kvf_writer writer = WRITER(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_check_nvfp4_sizes(&check, "key", params.head_size, 0, false);
  kvf_check_nvfp4_sizes(&check, "value", params.value_head_size, params.slots.block_size,
                        params.swizzle_v_scales);
  if (!kvf_launch_writer(&check, variant, &writer, &params.key_cache, &params.value_cache)) {
    return check.status;
  }
  if (params.slots.num_blocks > 0 && params.head_size > 0) {
    kvf_launch_pointer(&check, "k_block_scales", params.k_block_scales.data);
  }
  if (params.slots.num_blocks > 0 && params.value_head_size > 0) {
    kvf_launch_pointer(&check, "v_block_scales", params.v_block_scales.data);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  params.value_groups = params.value_head_size / KVF_NVFP4_GROUP;
  if (check.exec.backend == KVF_CPU) {
    join_heads(&params);
    const int64_t elements =
        params.num_heads * ((int64_t)params.head_size + params.value_head_size);
    return kvf_cpu_run(&check, variant, &params, params.slots.num_tokens,
                       elements * scalar + elements / 2 + elements / KVF_NVFP4_GROUP);
  }
  params.vector_elements = moves_groups(&params, scalar) ? KVF_NVFP4_GROUP : 1;
  const int32_t longest =
      params.head_size > params.value_head_size ? params.head_size : params.value_head_size;
  const int64_t groups = (int64_t)params.num_heads * (longest / KVF_NVFP4_GROUP);
  enum { THREADS, GROUPS }; /* positions of tuned constants */
  const int64_t each = kvf_tuned_values(&check, params.slots.num_tokens)[GROUPS];
  const kvf_grid grid =
      kvf_writer_grid(&check, params.slots.num_tokens, (groups + each - 1) / each, 1);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
