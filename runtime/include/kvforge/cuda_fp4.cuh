/*
 * Many elements of one group as E2M1 codes on CUDA, in sums alone. fp4.h has one element, any.
 *
 * The code of a magnitude is how many steps it is from 0: four of 0.5 up to 2, two of 1 up to 4 and
 * one of 2 up to 6. Each part is cut out of the magnitude, and rounded by adding the float whose
 * last bit weighs one step: nearest, ties to even. A part begins at an even code, so that what is a
 * tie to even in it is one in the whole.
 */
#ifndef KVFORGE_CUDA_FP4_CUH
#define KVFORGE_CUDA_FP4_CUH

#include "kvforge/cuda_bits.cuh"
#include "kvforge/cuda_kernel.cuh"
#include "kvforge/fp4.h"

#if !defined(__CUDA_ARCH__)
/* The larger magnitudes of two pairs of numbers of 16 bits; bits of NaNs are above all others. */
KVF_INLINE uint32_t kvf_larger_halves(uint32_t largest, uint32_t pair) {
  const uint32_t low = pair & 0x7FFFu;
  const uint32_t high = pair & 0x7FFF0000u;
  return (low > (largest & 0xFFFFu) ? low : largest & 0xFFFFu) |
         (high > (largest & 0xFFFF0000u) ? high : largest & 0xFFFF0000u);
}
#endif

/* The larger magnitudes of two pairs of f16; a NaN where one is one. */
KVF_INLINE uint32_t kvf_larger_or_nan_x2_f16(uint32_t largest, uint32_t pair) {
#if defined(__CUDA_ARCH__)
  uint32_t result;
  asm("{\n .reg .b32 magnitude;\n abs.f16x2 magnitude, %2;\n max.NaN.f16x2 %0, %1, magnitude;\n}"
      : "=r"(result)
      : "r"(largest), "r"(pair));
  return result;
#else
  return kvf_larger_halves(largest, pair);
#endif
}

/* The larger magnitudes of two pairs of bf16; a NaN where one is one. */
KVF_INLINE uint32_t kvf_larger_or_nan_x2_bf16(uint32_t largest, uint32_t pair) {
#if defined(__CUDA_ARCH__)
  uint32_t result;
  asm("{\n .reg .b32 magnitude;\n abs.bf16x2 magnitude, %2;\n max.NaN.bf16x2 %0, %1, magnitude;\n}"
      : "=r"(result)
      : "r"(largest), "r"(pair));
  return result;
#else
  return kvf_larger_halves(largest, pair);
#endif
}

/* Between 0 and 1. */
KVF_INLINE float kvf_saturate(float x) {
#if defined(__CUDA_ARCH__)
  return __saturatef(x);
#else
  return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
#endif
}

/* The larger of a magnitude and that of x; a NaN if one is one. */
KVF_INLINE float kvf_larger_or_nan(float largest, float x) {
#if defined(__CUDA_ARCH__)
  float result;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(largest), "f"(__builtin_fabsf(x)));
  return result;
#else
  const uint32_t magnitude = kvf_bits(x) & 0x7FFFFFFFu;
  return kvf_float(magnitude > kvf_bits(largest) ? magnitude : kvf_bits(largest));
#endif
}

/* Whether kvf_e2m1_x8() serves elements without a NaN: products have none either. */
KVF_INLINE bool kvf_e2m1_is_quick(float multiplier) { return kvf_bits(multiplier) < 0x7F800000u; }

/*
 * Signs of eight elements where their codes have them. `pairs` have an element in each half, of 16
 * bits or of a wider one the upper 16, the first in the lower half.
 */
KVF_INLINE uint32_t kvf_e2m1_signs_x8(const uint32_t *pairs) {
#if defined(__CUDA_ARCH__)
  const uint32_t front = __byte_perm(pairs[0], pairs[1], 0x7351); /* firsts, then seconds */
  const uint32_t back = __byte_perm(pairs[2], pairs[3], 0x7351);
  const uint32_t firsts = __byte_perm(front, back, 0x5410);
  const uint32_t seconds = __byte_perm(front, back, 0x7632);
  return (firsts >> 4 & 0x08080808u) | (seconds & 0x80808080u);
#else
  uint32_t signs = 0;
  for (int32_t i = 0; i < 4; ++i) {
    signs |= (pairs[i] >> 12 & 0x8u) << 8 * i | (pairs[i] >> 24 & 0x80u) << 8 * i;
  }
  return signs;
#endif
}

/* Codes of eight products, the first in the lowest bits; kvf_e2m1_signs_x8() has `signs`. */
KVF_INLINE uint32_t kvf_e2m1_x8(const float *v, uint32_t signs, float multiplier) {
  const uint32_t magic[3] = {0x4A000000u, 0x4A800000u, 0x4B000000u}; /* 2^21, 2^22, 2^23 */
  const float half = multiplier * 0.5f;
  uint32_t codes = 0u - (magic[0] + magic[1] + magic[2]) * 0x11111111u;
#pragma unroll
  for (int32_t i = 0; i < 8; ++i) {
    const float x = __fmul_rn(__builtin_fabsf(v[i]), half); /* halved, so that parts end at 1 */
    codes += (kvf_bits(kvf_saturate(x) + kvf_float(magic[0])) +
              kvf_bits(kvf_saturate(x - 1.0f) + kvf_float(magic[1])) +
              kvf_bits(kvf_saturate(x - 2.0f) + kvf_float(magic[2])))
             << 4 * i;
  }
  return codes | signs;
}

#endif
