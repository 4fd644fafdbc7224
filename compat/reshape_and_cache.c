/* Writing keys and values. */
#include "layout.h"
#include "shim.h"

static const char *const caches[] = {"key_cache", "value_cache"};

void reshape_and_cache(void *key, void *value, void *key_cache, void *value_cache,
                       int64_t *slot_mapping, int32_t num_tokens, int32_t num_heads,
                       int32_t head_size, int32_t block_size, int32_t x, int32_t key_stride,
                       int32_t value_stride, struct CUstream_st *stream, uint32_t dtype,
                       uint32_t cache_dtype, float *k_scale, float *v_scale) {
  kvf_shim shim = kvf_shim_begin(&kvf_op_reshape_and_cache, num_tokens, stream);
  const kvf_variant *variant = kvf_shim_variant(&shim, "dtype", dtype, cache_dtype);
  const kvf_shim_grouped at = kvf_shim_group(num_heads, head_size, block_size, x);
  kvf_reshape_and_cache_params params = {
      .key = {key, {key_stride, head_size, 1}},
      .value = {value, {value_stride, head_size, 1}},
      .key_cache = {key_cache, {at.key[0], at.key[1], at.key[2], at.key[3], at.key[4]}},
      .value_cache = {value_cache, {at.value[0], at.value[1], at.value[2], at.value[3]}},
      .k_scale = {.data = k_scale},
      .v_scale = {.data = v_scale},
      .slots = kvf_shim_slots(slot_mapping, num_tokens, block_size),
      .num_heads = num_heads,
      .head_size = head_size,
      .value_head_size = head_size,
      .x = x,
  };
  params.slots.num_blocks =
      kvf_shim_pages(&shim, variant, caches, (const void *[]){key_cache, value_cache},
                     (const int64_t[]){at.key[0], at.value[0]});
  kvf_shim_end(shim.check.status == KVF_OK
                   ? kvf_launch_reshape_and_cache(&shim.check.exec, variant, &params)
                   : shim.check.status);
}

void reshape_and_cache_flashinfer(void *key, void *value, void *key_cache, void *value_cache,
                                  int64_t *slot_mapping, int32_t num_tokens, int32_t num_heads,
                                  int32_t head_size, int32_t block_size, int32_t key_stride,
                                  int32_t value_stride, float k_scale, float v_scale,
                                  uint32_t dtype, uint32_t cache_dtype,
                                  struct CUstream_st *stream) {
  kvf_shim shim = kvf_shim_begin(&kvf_op_reshape_and_cache_flash, num_tokens, stream);
  const kvf_variant *variant = kvf_shim_variant(&shim, "dtype", dtype, cache_dtype);
  const kvf_shim_flat at = kvf_shim_flatten(&shim, num_heads, head_size, block_size);
  kvf_reshape_and_cache_flash_params params = {
      .key = {key, {key_stride, head_size, 1}},
      .value = {value, {value_stride, head_size, 1}},
      .key_cache = {key_cache, {at.page, at.token, at.head, 1}},
      .value_cache = {value_cache, {at.page, at.token, at.head, 1}},
      .k_scale_value = k_scale,
      .v_scale_value = v_scale,
      .slots = kvf_shim_slots(slot_mapping, num_tokens, block_size),
      .num_heads = num_heads,
      .head_size = head_size,
      .value_head_size = head_size,
  };
  kvf_shim_scales(&shim, variant, k_scale, v_scale);
  params.slots.num_blocks =
      kvf_shim_pages(&shim, variant, caches, (const void *[]){key_cache, value_cache},
                     (const int64_t[]){at.page, at.page});
  kvf_shim_end(shim.check.status == KVF_OK
                   ? kvf_launch_reshape_and_cache_flash(&shim.check.exec, variant, &params)
                   : shim.check.status);
}
