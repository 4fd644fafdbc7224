/*
 * Rotary position embedding in the arithmetic of a scalar dtype: every product, sum and difference
 * is made in f32, never fused, and rounded to the scalar dtype. A NaN is 0x7FFF, or 0x7FFFFFFF in
 * f32. The CPU variants do just that; cuda_rope.cuh gets the same bits from the GPU's own
 * instructions.
 */
#ifndef KVFORGE_ROPE_H
#define KVFORGE_ROPE_H

#include "kvforge/float16.h"

KVF_INLINE float kvf_round_f32(float x) { return x; }

/* The end of a rotation, as it is stored. */
KVF_INLINE float kvf_rotated_f32(float x) { return x == x ? x : kvf_float(0x7FFFFFFFu); }
KVF_INLINE uint16_t kvf_rotated_bf16(float x) { return kvf_bf16_from_f32(x); }

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

#endif
