/* Rows of ggml's formats on the CPU; kvforge/cache/ggml.h says what they are. */
#ifndef KVFORGE_CPU_GGML_H
#define KVFORGE_CPU_GGML_H

#include "kvforge/cache/ggml.h"
#include "kvforge/cpu_kernel.h"

KVF_INLINE float kvf_ggml_block_scale(const uint8_t *block) {
  uint16_t bits;
  memcpy(&bits, block, sizeof bits);
  return kvf_f32_from_f16(bits);
}

/* Decodes a row; `count` is a multiple of a block. */
KVF_INLINE void kvf_decode_q8_0(float *__restrict to, const uint8_t *__restrict row,
                                int64_t count) {
  for (int64_t i = 0; i < count; i += KVF_GGML_BLOCK, row += KVF_Q8_0_BYTES) {
    const float scale = kvf_ggml_block_scale(row);
    for (int k = 0; k < KVF_GGML_BLOCK; ++k) {
      to[i + k] = (float)(int8_t)row[2 + k] * scale;
    }
  }
}

KVF_INLINE void kvf_decode_q4_0(float *__restrict to, const uint8_t *__restrict row,
                                int64_t count) {
  enum { HALF = KVF_GGML_BLOCK / 2 };
  for (int64_t i = 0; i < count; i += KVF_GGML_BLOCK, row += KVF_Q4_0_BYTES) {
    const float scale = kvf_ggml_block_scale(row);
    for (int k = 0; k < HALF; ++k) {
      to[i + k] = (float)((row[2 + k] & 15) - 8) * scale;
      to[i + HALF + k] = (float)((row[2 + k] >> 4) - 8) * scale;
    }
  }
}

KVF_INLINE void kvf_put_ggml_scale(uint8_t *block, float scale) {
  const uint16_t bits = kvf_f16_from_f32(scale);
  memcpy(block, &bits, sizeof bits);
}

/* Encodes one block. */
KVF_INLINE void kvf_encode_q8_0(uint8_t *__restrict block, const float *__restrict wide) {
  uint32_t largest = 0;
  for (int i = 0; i < KVF_GGML_BLOCK; ++i) {
    const uint32_t magnitude = kvf_magnitude(wide[i]);
    largest = magnitude > largest ? magnitude : largest;
  }
  const float scale = kvf_q8_0_scale(largest);
  const float inverse = kvf_ggml_inverse(scale);
  kvf_put_ggml_scale(block, scale);
  for (int i = 0; i < KVF_GGML_BLOCK; ++i) {
    block[2 + i] = (uint8_t)kvf_q8_0_from_f32(wide[i], inverse);
  }
}

KVF_INLINE void kvf_encode_q4_0(uint8_t *__restrict block, const float *__restrict wide) {
  enum { HALF = KVF_GGML_BLOCK / 2 };
  float largest = 0.0f; /* the first one with the largest magnitude */
  for (int i = 0; i < KVF_GGML_BLOCK; ++i) {
    largest = kvf_magnitude(wide[i]) > kvf_magnitude(largest) ? wide[i] : largest;
  }
  const float scale = kvf_q4_0_scale(largest);
  const float inverse = kvf_ggml_inverse(scale);
  kvf_put_ggml_scale(block, scale);
  for (int i = 0; i < HALF; ++i) {
    block[2 + i] = (uint8_t)(kvf_q4_0_from_f32(wide[i], inverse) |
                             kvf_q4_0_from_f32(wide[HALF + i], inverse) << 4);
  }
}

#endif
