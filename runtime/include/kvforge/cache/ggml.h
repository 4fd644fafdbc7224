/*
 * Rows of ggml's q8_0 and q4_0, shared by the CPU variants and the CUDA kernels: blocks of 32
 * elements, each a scale of f16 and codes.
 *
 *   q8_0, 34 bytes: scale, 32 codes from -127 to 127;           element = code * scale
 *   q4_0, 18 bytes: scale, 16 bytes of code[i] | code[i + 16] << 4; element = (code - 8) * scale
 *
 * Codes are made with the scale before it was rounded to f16. Blocks begin at even addresses.
 */
#ifndef KVFORGE_GGML_H
#define KVFORGE_GGML_H

#include "kvforge/float16.h"

enum { KVF_GGML_BLOCK = 32, KVF_Q8_0_BYTES = 34, KVF_Q4_0_BYTES = 18 };

/* A product that is rounded before anything is added to it, and such a sum. */
#if defined(__CUDA_ARCH__)
KVF_INLINE float kvf_rounded_product(float a, float b) { return __fmul_rn(a, b); }
KVF_INLINE float kvf_rounded_sum(float a, float b) { return __fadd_rn(a, b); }
#else
KVF_INLINE float kvf_rounded_product(float a, float b) { return a * b; }
KVF_INLINE float kvf_rounded_sum(float a, float b) { return a + b; }
#endif

/* What a code of 1 stands for, given the bits of the largest magnitude; NaNs do not count. */
KVF_INLINE float kvf_q8_0_scale(uint32_t largest) { return kvf_float(largest) / 127.0f; }

/*
 * The same, given the element of the largest magnitude with its sign. Of 0 it is -0.
 */
KVF_INLINE float kvf_q4_0_scale(float largest) { return largest / -8.0f; }

/* What elements are multiplied with: 0 for a scale of 0. */
KVF_INLINE float kvf_ggml_inverse(float scale) { return scale != 0.0f ? 1.0f / scale : 0.0f; }

/* The nearest code, halves away from 0; 0 for a NaN. */
KVF_INLINE int32_t kvf_q8_0_from_f32(float x, float inverse) {
  const float product = kvf_rounded_product(x, inverse);
  const float above = product > -127.0f ? product : -127.0f;
  const float limited = above < 127.0f ? above : 127.0f;
  const int32_t whole = (int32_t)limited;
  const float rest = limited - (float)whole;
  const int32_t code = whole + (rest >= 0.5f) - (rest <= -0.5f);
  return (kvf_bits(product) & 0x7FFFFFFFu) > 0x7F800000u ? 0 : code;
}

/* The nearest code, halves up; that of 0 for a NaN. */
KVF_INLINE uint32_t kvf_q4_0_from_f32(float x, float inverse) {
  const float product = kvf_rounded_product(x, inverse);
  const float sum = kvf_rounded_sum(product, 8.5f);
  const float above = sum > 0.0f ? sum : 0.0f;
  const uint32_t code = (uint32_t)(int32_t)(above < 15.0f ? above : 15.0f);
  return (kvf_bits(product) & 0x7FFFFFFFu) > 0x7F800000u ? 8u : code;
}

#endif
