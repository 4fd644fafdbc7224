#include "core/prepared.h"
#include "kvforge/cache/op.h"
#include "ops/shared/narrow.h"
#include "ops/shared/nvfp4_pages.h"
#include "ops/shared/writer.h"

#define OP (&kvf_op_reshape_and_cache_flash)

typedef kvf_reshape_and_cache_flash_params params_type;

static inline kvf_writer writer_of(params_type *params) {
  return (kvf_writer){KVF_WRITER(params), KVF_WRITER_SCALE_VALUES(params),
                      .value_head_size = &params->value_head_size};
}

/* Rows of one head of which each thread has a vector of either side may have a narrow form. */
static void fit_narrow(const kvf_variant *variant, params_type *params, int32_t scalar,
                       int32_t cache, int64_t vectors, const kvf_grid *grid) {
  const bool copies = kvf_scalar_of(variant) == kvf_cache_of(variant);
  const kvf_narrow_rows rows[] = {
      {&params->key, &params->key_cache, copies ? NULL : &params->k_scale, vectors},
      {&params->value, &params->value_cache, copies ? NULL : &params->v_scale, vectors},
  };
  if (params->num_heads != 1 || params->head_size != params->value_head_size ||
      (int64_t)grid->grid[1] * grid->block[0] < vectors ||
      !kvf_narrow_fit(variant, &params->slots, rows, scalar, cache, params->vector_elements,
                      &params->narrow)) {
    params->narrow = (kvf_narrow_write){.num_rows = 0};
  }
}

/* With params that are this library's own. */
static kvf_status launch(kvf_check *check, const kvf_variant *variant, params_type *params,
                         const kvf_writer *writer) {
  if (!kvf_launch_writer(check, variant, writer, &params->key_cache, &params->value_cache)) {
    return check->status;
  }
  kvf_join_heads(writer, &params->key_cache, &params->value_cache);
  if (check->exec.backend == KVF_CPU) {
    return kvf_run_writer(check, variant, params, writer, 1);
  }
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const kvf_vector_side keys[] = {{&params->key, scalar, 2, 3}, {&params->key_cache, cache, 3, 4}};
  const kvf_vector_side values[] = {{&params->value, scalar, 2, 3},
                                    {&params->value_cache, cache, 3, 4}};
  const int64_t vectors =
      kvf_writer_vectors(variant, writer, 1, keys, values, &params->vector_elements);
  const kvf_grid grid = kvf_writer_grid(check, params->slots.num_tokens, vectors, 1);
  fit_narrow(variant, params, scalar, cache, vectors, &grid);
  return kvf_cuda_run(check, variant, params, &grid);
}

kvf_status kvf_reshape_and_cache_flash(const kvf_exec *exec, const DLTensor *key,
                                       const DLTensor *value, DLTensor *key_cache,
                                       DLTensor *value_cache, const DLTensor *slot_mapping,
                                       const char *kv_cache_dtype, const DLTensor *k_scale,
                                       const DLTensor *v_scale, const DLTensor *slot_remap) {
  if (kvf_names_nvfp4_pages(kv_cache_dtype)) {
    return kvf_reshape_and_cache_flash_nvfp4(exec, key, value, key_cache, value_cache, slot_mapping,
                                             kv_cache_dtype, k_scale, v_scale, true, NULL, NULL,
                                             slot_remap);
  }
  params_type params;
  kvf_begin_params(&params, sizeof params);
  const kvf_writer writer = writer_of(&params);
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
  kvf_check_tensor(&check, "key_cache", key_cache, KVF_ACCEPT(kvf_cache_of(variant)), 4,
                   (kvf_dim *const[]){&num_blocks, &block_size, &num_heads, &head_size},
                   &params.key_cache);
  kvf_check_tensor(&check, "value_cache", value_cache, KVF_ACCEPT(kvf_cache_of(variant)), 4,
                   (kvf_dim *const[]){&num_blocks, &block_size, &num_heads, &value_head_size},
                   &params.value_cache);
  kvf_check_apart(&check,
                  (const kvf_named[]){{"key_cache", key_cache}, {"value_cache", value_cache}}, 2,
                  (const kvf_named[]){{"key", key}, {"value", value}}, 2);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  return launch(&check, variant, &params, &writer);
}

kvf_status kvf_launch_reshape_and_cache_flash(const kvf_exec *exec, const kvf_variant *variant,
                                              const params_type *given) {
  params_type params;
  const kvf_writer writer = writer_of(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  return launch(&check, variant, &params, &writer);
}
