/*
 * The row formats of sparse MLA caches (DeepSeek-V3.2), shared by the CPU variants and the CUDA
 * kernels: a row is 512 latent elements, quantised in groups, and 64 rope elements.
 *
 *   fp8_ds_mla, fp8_ds_mla_f32: 656 bytes
 *     0     512 E4M3 codes, element / scale of its tile
 *     512   4 scales, f32: tile i is elements [128 i, 128 i + 128)
 *     528   64 rope elements, 16 bits each, as they are in the source, or zeros if it has none
 *   nvfp4_ds_mla: 352 bytes
 *     0     512 E2M1 codes, two in a byte, the even element in the low half
 *     256   64 rope elements, E4M3, without a scale
 *     320   32 scales, E4M3: group i is elements [16 i, 16 i + 16); its scale is byte
 *           8 (i mod 4) + i div 4
 *
 * What a group's scale is made of is its largest magnitude, NaNs left out, as the bits of a float:
 * integers compare as the magnitudes do, and loops over them become vector code.
 */
#ifndef KVFORGE_DS_MLA_H
#define KVFORGE_DS_MLA_H

#include <stdbool.h>

#include "kvforge/fp4.h"
#include "kvforge/fp8.h"

enum {
  KVF_DS_MLA_LATENT = 512, /* elements */
  KVF_DS_MLA_ROPE = 64,    /* elements */
  KVF_DS_MLA_ROW = KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE,

  KVF_FP8_DS_MLA_TILE = 128, /* elements of a scale */
  KVF_FP8_DS_MLA_SCALES_AT = 512,
  KVF_FP8_DS_MLA_ROPE_AT = 528,
  KVF_FP8_DS_MLA_BYTES = 656,

  KVF_NVFP4_DS_MLA_GROUP = 16, /* elements of a scale */
  KVF_NVFP4_DS_MLA_ROPE_AT = 256,
  KVF_NVFP4_DS_MLA_SCALES_AT = 320,
  KVF_NVFP4_DS_MLA_BYTES = 352
};

/* Where the scale of a group of 16 is. */
KVF_INLINE int32_t kvf_nvfp4_ds_mla_scale_at(int32_t group) {
  return KVF_NVFP4_DS_MLA_SCALES_AT + 8 * (group % 4) + group / 4;
}

/* Any f32: the largest element becomes 448, the largest E4M3; a tile of zeros has the smallest
 * normal float. */
KVF_INLINE float kvf_fp8_ds_mla_f32_scale(uint32_t largest) {
  const float scale = kvf_float(largest) / 448.0f;
  return scale > 1.17549435e-38f ? scale : 1.17549435e-38f;
}

/* The next power of two, so that readers may keep no more of the scale than its exponent. Made from
 * bits: log2 and exp2 would round in ways of their own. */
KVF_INLINE float kvf_fp8_ds_mla_scale(uint32_t largest) {
  const float least = kvf_float(largest) / 448.0f;
  const float scale = least > 1e-4f ? least : 1e-4f;
  return kvf_float((kvf_bits(scale) + 0x007FFFFFu) & 0xFF800000u);
}

/* The smallest E4M3 that brings the largest element down to 6, the largest E2M1, or 448. Below 2^-6
 * E4M3 has steps of 2^-9. */
KVF_INLINE uint32_t kvf_nvfp4_ds_mla_scale(uint32_t largest) {
  const float quotient = kvf_float(largest) / 6.0f;
  const float least =
      quotient > 0.001953125f ? quotient : 0.001953125f; /* 2^-9, the smallest code */
  const float steps = least * 512.0f;
  const uint32_t whole = (uint32_t)(int32_t)(steps < 8.0f ? steps : 8.0f);
  const uint32_t small = whole + ((float)(int32_t)whole < steps ? 1u : 0u);
  const uint32_t normal = ((kvf_bits(least) + 0x000FFFFFu) >> 20) - (120u << 3);
  const uint32_t code = least < 0.015625f ? small : normal;
  return code < 0x7Eu ? code : 0x7Eu;
}

#endif
