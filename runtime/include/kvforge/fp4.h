/*
 * The fp4 codec (OCP E2M1: 1 sign, 2 exponent, 1 mantissa bit; magnitudes 0, 0.5, 1, 1.5, 2, 3, 4,
 * 6), shared by the CPU variants and the CUDA kernels. A code is the low four bits.
 */
#ifndef KVFORGE_FP4_H
#define KVFORGE_FP4_H

#include "kvforge/bits.h"

/* Rounds to nearest, ties to even, saturates at 6; NaN becomes 6 with its sign dropped. */
KVF_INLINE uint32_t kvf_e2m1_from_f32(float x) {
  const uint32_t magnitude = kvf_bits(x) & 0x7FFFFFFFu;
  const uint32_t sign = (kvf_bits(x) >> 28) & 0x8u;
  const uint32_t limited = magnitude < 0x40C00000u ? magnitude : 0x40C00000u; /* 6 */
  const uint32_t exponent = limited & 0x7F800000u;
  const uint32_t scale = exponent > 0x3F800000u ? exponent : 0x3F800000u; /* 1 */
  const uint32_t magic = scale + (22u << 23);
  const uint32_t steps = kvf_bits(kvf_float(limited) + kvf_float(magic)) - magic;
  const uint32_t code = ((scale >> 23) - 127u) * 2u + steps;
  return magnitude > 0x7F800000u ? 0x7u : code | sign;
}

KVF_INLINE float kvf_f32_from_e2m1(uint32_t code) {
  const uint32_t magnitude = code & 0x7u;
  const uint32_t sign = (code & 0x8u) << 28;
  const uint32_t normal = (magnitude << 22) + (126u << 23);
  const uint32_t small = magnitude * 0x3F000000u; /* 0 or 0.5 */
  return kvf_float((magnitude < 2 ? small : normal) | sign);
}

#endif
