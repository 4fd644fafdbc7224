/*
 * Rotary position embedding in the arithmetic of a scalar dtype: every product, sum and difference
 * is made in f32, never fused, and rounded to the scalar dtype. Shared by the CPU variants and the
 * CUDA kernels, which give the same bits; a NaN is 0x7FFF, or 0x7FFFFFFF in f32.
 *
 * Values are floats that the scalar dtype can hold. kvf_round_pair_<dtype>() brings the results of
 * two operations back to that.
 */
#ifndef KVFORGE_ROPE_H
#define KVFORGE_ROPE_H

#include "kvforge/float16.h"

KVF_INLINE float kvf_round_f32(float x) { return x; }

/* The end of a rotation, as it is stored. */
KVF_INLINE float kvf_rotated_f32(float x) { return x == x ? x : kvf_float(0x7FFFFFFFu); }
KVF_INLINE uint16_t kvf_rotated_f16(float x) { return kvf_f16_from_f32(x); }
KVF_INLINE uint16_t kvf_rotated_bf16(float x) { return kvf_bf16_from_f32(x); }

#if defined(__CUDA_ARCH__)

/* Two at a time are one conversion. */
KVF_INLINE uint32_t kvf_rotated_f16x2(float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  return __half_as_ushort(__low2half(pair)) | (uint32_t)__half_as_ushort(__high2half(pair)) << 16;
}
KVF_INLINE uint32_t kvf_rotated_bf16x2(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return __bfloat16_as_ushort(__low2bfloat16(pair)) |
         (uint32_t)__bfloat16_as_ushort(__high2bfloat16(pair)) << 16;
}

/* Contracted to one instruction, a product and a sum would round once where the rule says twice. */
KVF_INLINE float kvf_product(float a, float b) { return __fmul_rn(a, b); }
KVF_INLINE float kvf_sum(float a, float b) { return __fadd_rn(a, b); }

#else

/*
 * All in 32 bits, without a detour through 16: compilers make vector code of it. A NaN stays one:
 * what the scalar dtype can hold has zeros in its lower bits, and so have the NaNs that arithmetic
 * makes.
 */
KVF_INLINE float kvf_round_f16(float x) {
  const uint32_t magnitude = kvf_bits(x) & 0x7FFFFFFFu;
  const uint32_t sign = kvf_bits(x) & 0x80000000u;
  /* The last bit of 0.5 weighs 2^-24, as much as the smallest subnormal. */
  const uint32_t small = kvf_bits((kvf_float(magnitude) + 0.5f) - 0.5f);
  const uint32_t normal = (magnitude + 0xFFFu + ((magnitude >> 13) & 1u)) & 0xFFFFE000u;
  const uint32_t special = magnitude > 0x7F800000u ? magnitude : 0x7F800000u;
  const uint32_t value = magnitude < 0x38800000u   ? small
                         : magnitude < 0x477FF000u ? normal
                                                   : special;
  return kvf_float(value | sign);
}

KVF_INLINE float kvf_round_bf16(float x) {
  const uint32_t bits = kvf_bits(x);
  return kvf_float((bits + 0x7FFFu + ((bits >> 16) & 1u)) & 0xFFFF0000u);
}

KVF_INLINE uint32_t kvf_rotated_f16x2(float low, float high) {
  return kvf_rotated_f16(low) | (uint32_t)kvf_rotated_f16(high) << 16;
}
KVF_INLINE uint32_t kvf_rotated_bf16x2(float low, float high) {
  return kvf_rotated_bf16(low) | (uint32_t)kvf_rotated_bf16(high) << 16;
}

KVF_INLINE float kvf_product(float a, float b) { return a * b; }
KVF_INLINE float kvf_sum(float a, float b) { return a + b; }

#endif

/* Rounds two results. */
KVF_INLINE void kvf_round_pair_f32(float *a, float *b) {
  (void)a;
  (void)b;
}
KVF_INLINE void kvf_round_pair_f16(float *a, float *b) {
  const uint32_t pair = kvf_rotated_f16x2(*a, *b);
  *a = kvf_f32_from_f16((uint16_t)pair);
  *b = kvf_f32_from_f16((uint16_t)(pair >> 16));
}
KVF_INLINE void kvf_round_pair_bf16(float *a, float *b) {
  const uint32_t pair = kvf_rotated_bf16x2(*a, *b);
  *a = kvf_float(pair << 16);
  *b = kvf_float(pair & 0xFFFF0000u);
}

#endif
