#include <inttypes.h>

#include "kvforge/nvfp4.h"
#include "kvforge/op.h"
#include "writer.h"

#define OP (&kvf_op_reshape_and_cache_flash_nvfp4)

/* Nothing is copied, so nothing is stored past the caches. */
#define WRITER(params)                                                                             \
  {.key = &(params)->key,                                                                          \
   .value = &(params)->value,                                                                      \
   .k_scale = &(params)->k_scale,                                                                  \
   .v_scale = &(params)->v_scale,                                                                  \
   .slots = &(params)->slots,                                                                      \
   .num_heads = &(params)->num_heads,                                                              \
   .head_size = &(params)->head_size}

static void check_multiple(kvf_check *check, const char *argument, const char *name, int64_t value,
                           int64_t of, const char *why) {
  if (check->status == KVF_OK && value % of != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "%s is %" PRId64 ", want a multiple of %" PRId64 " (%s)", name, value, of, why);
  }
}

static void check_sizes(kvf_check *check, int64_t head_size, int64_t block_size, bool swizzle) {
  check_multiple(check, "key", "head_size", head_size, KVF_NVFP4_GROUP,
                 "elements of a block scale");
  if (swizzle) {
    check_multiple(check, "swizzle_v_scales", "head_size", head_size, 4 * KVF_NVFP4_GROUP,
                   "four block scales");
    check_multiple(check, "swizzle_v_scales", "block_size", block_size, 4, "tokens");
  }
}

/*
 * A side of the pages: NHD or HND, without gaps, since the scales are behind the codes of the whole
 * page and the strides of the tensor say nothing of them. Leaves the strides of codes, in bytes.
 */
static void check_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                        kvf_dim *num_blocks, kvf_dim *block_size, const kvf_dim *num_heads,
                        const kvf_dim *head_size, kvf_view *view) {
  const int64_t bytes = head_size->value / 2 + head_size->value / KVF_NVFP4_GROUP;
  kvf_dim heads = *num_heads;
  kvf_dim width = {"head_size / 2 + head_size / 16", bytes, "key"};
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(KVF_NVFP4), 4,
                   (kvf_dim *const[]){num_blocks, block_size, &heads, &width}, view);
  if (check->status != KVF_OK) {
    return;
  }
  const int64_t tokens = block_size->value;
  const int64_t *stride = view->stride;
  const bool one_token = tokens <= 1;
  const bool one_head = heads.value <= 1;
  const bool dense = bytes <= 1 || stride[3] == 1;
  const bool nhd =
      (one_head || stride[2] == bytes) && (one_token || stride[1] == heads.value * bytes);
  const bool hnd = (one_token || stride[1] == bytes) && (one_head || stride[2] == tokens * bytes);
  if (!dense || (!nhd && !hnd)) {
    kvf_check_fail(
        check, KVF_INVALID_VALUE, argument,
        "strides of dimensions 1 to 3 are %" PRId64 ", %" PRId64 ", %" PRId64 ", want %" PRId64
        ", %" PRId64 ", 1 (NHD) or %" PRId64 ", %" PRId64 ", 1 (HND), pages without gaps",
        stride[1], stride[2], stride[3], heads.value * bytes, bytes, bytes, tokens * bytes);
    return;
  }
  const int64_t page = tokens * heads.value * bytes;
  if (num_blocks->value > 1 && stride[0] < page && stride[0] > -page) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension 0 (num_blocks) is %" PRId64 ", want %" PRId64
                   " or more, pages that do not overlap",
                   stride[0], page);
    return;
  }
  const int64_t codes = head_size->value / 2;
  view->stride[1] = nhd ? heads.value * codes : codes;
  view->stride[2] = nhd ? codes : tokens * codes;
  view->stride[3] = 1;
}

kvf_status kvf_reshape_and_cache_flash_nvfp4(const kvf_exec *exec, const DLTensor *key,
                                             const DLTensor *value, DLTensor *key_cache,
                                             DLTensor *value_cache, const DLTensor *slot_mapping,
                                             const char *kv_cache_dtype, const DLTensor *k_scale,
                                             const DLTensor *v_scale, bool swizzle_v_scales) {
  kvf_reshape_and_cache_flash_nvfp4_params params = {.swizzle_v_scales = swizzle_v_scales};
  const kvf_writer writer = WRITER(&params);
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim head_size = KVF_DIM("head_size");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_variant *variant = kvf_check_writer(
      &check, &(kvf_writer_arguments){key, value, slot_mapping, kv_cache_dtype, k_scale, v_scale},
      &writer, &num_heads, &head_size);
  if (variant == NULL) {
    return check.status;
  }
  check_multiple(&check, "key", "head_size", head_size.value, KVF_NVFP4_GROUP,
                 "elements of a block scale");
  check_pages(&check, "key_cache", key_cache, &num_blocks, &block_size, &num_heads, &head_size,
              &params.key_cache);
  check_pages(&check, "value_cache", value_cache, &num_blocks, &block_size, &num_heads, &head_size,
              &params.value_cache);
  check_sizes(&check, head_size.value, block_size.value, swizzle_v_scales);
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
  return kvf_vector_elements(elements, params->head_size, sources, 2) > 1 &&
         kvf_vector_elements(bytes, params->head_size / 2, pages, 2) > 1;
}

/* Heads that follow each other at both ends and share their scales are one head. */
static void join_heads(kvf_reshape_and_cache_flash_nvfp4_params *params) {
  const int64_t size = params->head_size;
  if (!params->swizzle_v_scales && params->k_scale.stride[0] == 0 &&
      params->v_scale.stride[0] == 0 && params->key.stride[1] == size * params->key.stride[2] &&
      params->value.stride[1] == size * params->value.stride[2] &&
      params->key_cache.stride[2] == size / 2 && params->value_cache.stride[2] == size / 2) {
    params->head_size *= params->num_heads;
    params->num_heads = 1;
  }
}

kvf_status
kvf_launch_reshape_and_cache_flash_nvfp4(const kvf_exec *exec, const kvf_variant *variant,
                                         const kvf_reshape_and_cache_flash_nvfp4_params *given) {
  kvf_reshape_and_cache_flash_nvfp4_params params = *given;
  const kvf_writer writer = WRITER(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant);
  check_sizes(&check, params.head_size, params.slots.block_size, params.swizzle_v_scales);
  if (!kvf_launch_writer(&check, variant, &writer, &params.key_cache, &params.value_cache)) {
    return check.status;
  }
  const int32_t scalar = kvf_dtype_bits(variant->scalar) / 8;
  if (check.exec.backend == KVF_CPU) {
    join_heads(&params);
    const int64_t elements = 2 * (int64_t)params.num_heads * params.head_size;
    return kvf_cpu_run(&check, variant, &params, params.slots.num_tokens,
                       elements * scalar + elements / 2 + elements / KVF_NVFP4_GROUP);
  }
  params.vector_elements = moves_groups(&params, scalar) ? KVF_NVFP4_GROUP : 1;
  const int64_t groups = (int64_t)params.num_heads * (params.head_size / KVF_NVFP4_GROUP);
  const kvf_grid grid = kvf_writer_grid(params.slots.num_tokens, groups, 1);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
