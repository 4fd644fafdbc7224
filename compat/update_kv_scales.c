/* Running scales of keys and values. */
#include "shim.h"

enum { DIVISOR = 240 }; /* as engines have it */

static void update(kvf_dtype dtype, void *k, void *v, int64_t elements, float *k_scales,
                   float *v_scales, int64_t stream) {
  kvf_shim shim =
      kvf_shim_begin(&kvf_op_update_kv_scales, elements, (struct CUstream_st *)(uintptr_t)stream);
  kvf_check *check = &shim.check;
  kvf_launch_at_least(check, "elements", elements, 0);
  (void)kvf_shim_items(&shim, "k_scales", k_scales, sizeof *k_scales);
  (void)kvf_shim_items(&shim, "v_scales", v_scales, sizeof *v_scales);
  const kvf_variant *variant = NULL;
  if (check->status == KVF_OK) {
    variant = kvf_select(check->op, KVF_CUDA, dtype);
    check->status = kvf_select_status(check->op, KVF_CUDA, dtype);
  }
  const kvf_update_kv_scales_params params = {
      .key = {k, {elements, elements, 1}},
      .value = {v, {elements, elements, 1}},
      .k_scale = {.data = k_scales},
      .v_scale = {.data = v_scales},
      .num_tokens = 1,
      .num_heads = 1,
      .head_size = elements,
      .value_head_size = elements,
      .divisor = DIVISOR,
  };
  kvf_shim_end(check->status == KVF_OK ? kvf_launch_update_kv_scales(&check->exec, variant, &params)
                                       : check->status);
}

#define UPDATE_KV_SCALES(suffix, dtype)                                                            \
  void update_kv_scales_##suffix(void *k, void *v, long elements, float *k_scales,                 \
                                 float *v_scales, int64_t stream) {                                \
    update(dtype, k, v, elements, k_scales, v_scales, stream);                                     \
  }

UPDATE_KV_SCALES(f32, KVF_F32)
UPDATE_KV_SCALES(f16, KVF_F16)
UPDATE_KV_SCALES(bf16, KVF_BF16)
