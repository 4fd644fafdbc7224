/* Elements of the row formats of sparse MLA caches, one at a time and of rows at any address. */
#ifndef KVFORGE_CUDA_DS_MLA_CUH
#define KVFORGE_CUDA_DS_MLA_CUH

#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/ds_mla.h"

KVF_INLINE float kvf_fp8_ds_mla_latent(const uint8_t *row, int32_t element) {
  const uint8_t *scale = row + KVF_FP8_DS_MLA_SCALES_AT + element / KVF_FP8_DS_MLA_TILE * 4;
  const uint32_t bits = (uint32_t)scale[0] | (uint32_t)scale[1] << 8 | (uint32_t)scale[2] << 16 |
                        (uint32_t)scale[3] << 24;
  return __fmul_rn(kvf_f32_from_fp8_e4m3(row[element]), kvf_float(bits));
}

/* The 16 bits of an element of the rope part. */
KVF_INLINE uint16_t kvf_fp8_ds_mla_rope(const uint8_t *row, int32_t element) {
  const uint8_t *rope = row + KVF_FP8_DS_MLA_ROPE_AT + (element - KVF_DS_MLA_LATENT) * 2;
  return (uint16_t)((uint32_t)rope[0] | (uint32_t)rope[1] << 8);
}

KVF_INLINE float kvf_fp8_ds_mla_element_f16(const uint8_t *row, int32_t element) {
  return element < KVF_DS_MLA_LATENT ? kvf_fp8_ds_mla_latent(row, element)
                                     : kvf_f32_from_f16(kvf_fp8_ds_mla_rope(row, element));
}
KVF_INLINE float kvf_fp8_ds_mla_element_bf16(const uint8_t *row, int32_t element) {
  return element < KVF_DS_MLA_LATENT ? kvf_fp8_ds_mla_latent(row, element)
                                     : kvf_f32_from_bf16(kvf_fp8_ds_mla_rope(row, element));
}

KVF_INLINE float kvf_nvfp4_ds_mla_element(const uint8_t *row, int32_t element) {
  if (element >= KVF_DS_MLA_LATENT) {
    return kvf_f32_from_fp8_e4m3(row[KVF_NVFP4_DS_MLA_ROPE_AT + element - KVF_DS_MLA_LATENT]);
  }
  const uint32_t code = (uint32_t)row[element / 2] >> (element % 2 * 4);
  const uint8_t scale = row[kvf_nvfp4_ds_mla_scale_at(element / KVF_NVFP4_DS_MLA_GROUP)];
  return __fmul_rn(kvf_f32_from_e2m1(code), kvf_f32_from_fp8_e4m3(scale));
}

#endif
