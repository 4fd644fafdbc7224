/*
 * f16 and bf16, as bits, to and from f32: shared by the CPU variants and the CUDA kernels.
 *
 * Widening is exact. Narrowing rounds to nearest, ties to even, overflows to infinity and maps
 * every NaN to 0x7FFF, as the conversion instructions of CUDA do; the arithmetic for the host is
 * branch-free and has no subnormal float among its operands, so flush-to-zero modes change nothing.
 */
#ifndef KVFORGE_FLOAT16_H
#define KVFORGE_FLOAT16_H

#include "kvforge/bits.h"

KVF_INLINE float kvf_f32_from_f32(float x) { return x; }
KVF_INLINE float kvf_f32_from_bf16(uint16_t bits) { return kvf_float((uint32_t)bits << 16); }

#if defined(__CUDA_ARCH__)

KVF_INLINE float kvf_f32_from_f16(uint16_t bits) {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
  return x;
}
KVF_INLINE uint16_t kvf_f16_from_f32(float x) {
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}

#else

KVF_INLINE float kvf_f32_from_f16(uint16_t bits) {
  const uint32_t sign = ((uint32_t)bits & 0x8000u) << 16;
  const uint32_t magnitude = bits & 0x7FFFu;
  const uint32_t small = kvf_bits((float)(int32_t)magnitude * 5.9604644775390625e-8f); /* 2^-24 */
  const uint32_t normal = (magnitude << 13) + (112u << 23);
  const uint32_t special = (magnitude << 13) | 0x7F800000u;
  const uint32_t value = magnitude < 0x0400u ? small : magnitude < 0x7C00u ? normal : special;
  return kvf_float(value | sign);
}

KVF_INLINE uint16_t kvf_f16_from_f32(float x) {
  const uint32_t magnitude = kvf_bits(x) & 0x7FFFFFFFu;
  const uint32_t sign = (kvf_bits(x) >> 16) & 0x8000u;
  /* Adding 0.5, whose last bit weighs 2^-24, rounds to a multiple of the smallest subnormal. */
  const uint32_t small = kvf_bits(kvf_float(magnitude) + 0.5f) - 0x3F000000u;
  const uint32_t normal = (magnitude + 0xFFFu + ((magnitude >> 13) & 1u) - (112u << 23)) >> 13;
  const uint32_t value = magnitude < 0x38800000u   ? small
                         : magnitude < 0x477FF000u ? normal
                                                   : 0x7C00u;
  return (uint16_t)(magnitude > 0x7F800000u ? 0x7FFFu : value | sign);
}

#endif

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800

KVF_INLINE uint16_t kvf_bf16_from_f32(float x) {
  uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}

#else

KVF_INLINE uint16_t kvf_bf16_from_f32(float x) {
  const uint32_t bits = kvf_bits(x);
  const uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  return (uint16_t)((bits & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FFFu : rounded);
}

#endif

/* ---- what a dtype can hold, as a float
 * ------------------------------------------------------------------ */

KVF_INLINE float kvf_round_f32(float x) { return x; }

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
