/*
 * The fp8 codec, shared by the CPU variants and the CUDA kernels.
 *
 * Encoding rounds to nearest, ties to even, saturates to the largest finite value, keeps the sign
 * of zero and of subnormals, and maps every NaN to 0x7F (OCP 8-bit floating point, E4M3 "fn" and
 * E5M2; the NaN code and the saturation of infinities are what NVIDIA's satfinite conversion
 * gives).
 *
 * One path, no branches: a compiler turns a loop over these into vector code. The trick: adding a
 * power of two whose last mantissa bit weighs as much as the last bit of the result makes the FPU
 * itself round to nearest even. No operand or result is a subnormal float that matters, so
 * flush-to- zero modes change nothing.
 */
#ifndef KVFORGE_FP8_H
#define KVFORGE_FP8_H

#include "kvforge/float16.h"

/*
 * E4M3: 1 sign, 4 exponent (bias 7), 3 mantissa bits; largest 448, no infinity.
 * The code is the low byte of the word; what the bytes above hold is not defined. Loops that work
 * on words and narrow at the end run faster than ones in which compilers narrow early. The constant
 * added to `magic` is the difference of the two formats' exponent biases, brought in with the
 * rounding addition itself (even, so that ties stay ties to even).
 */
KVF_INLINE uint32_t kvf_fp8_e4m3_word_from_f32(float x) {
  const uint32_t magnitude = kvf_bits(x) & 0x7FFFFFFFu;
  const uint32_t sign = (kvf_bits(x) >> 24) & 0x80u;
  const uint32_t limited = magnitude < 0x43E00000u ? magnitude : 0x43E00000u; /* 448 */
  const uint32_t exponent = limited & 0x7F800000u;
  const uint32_t scale = exponent > 0x3C800000u ? exponent : 0x3C800000u; /* 2^-6 */
  const uint32_t magic = scale + (20u << 23) + (-(121u << 3) & 0xFFu);
  const uint32_t code = kvf_bits(kvf_float(limited) + kvf_float(magic)) + (scale >> 20);
  return magnitude > 0x7F800000u ? 0x7Fu : code | sign;
}

/* E5M2: 1 sign, 5 exponent (bias 15), 2 mantissa bits; largest finite 57344. */
KVF_INLINE uint32_t kvf_fp8_e5m2_word_from_f32(float x) {
  const uint32_t magnitude = kvf_bits(x) & 0x7FFFFFFFu;
  const uint32_t sign = (kvf_bits(x) >> 24) & 0x80u;
  const uint32_t limited = magnitude < 0x47600000u ? magnitude : 0x47600000u; /* 57344 */
  const uint32_t exponent = limited & 0x7F800000u;
  const uint32_t scale = exponent > 0x38800000u ? exponent : 0x38800000u; /* 2^-14 */
  const uint32_t magic = scale + (21u << 23) + (-(113u << 2) & 0xFFu);
  const uint32_t code = kvf_bits(kvf_float(limited) + kvf_float(magic)) + (scale >> 21);
  return magnitude > 0x7F800000u ? 0x7Fu : code | sign;
}

KVF_INLINE uint8_t kvf_fp8_e4m3_from_f32(float x) { return (uint8_t)kvf_fp8_e4m3_word_from_f32(x); }
KVF_INLINE uint8_t kvf_fp8_e5m2_from_f32(float x) { return (uint8_t)kvf_fp8_e5m2_word_from_f32(x); }

/*
 * Decoding is exact: f16 holds every code of both formats. A NaN code becomes a NaN. Loops over
 * codes that are words already stay loops over words.
 */
KVF_INLINE float kvf_f32_from_fp8_e4m3_word(uint32_t code) {
  const uint32_t magnitude = code & 0x7Fu;
  const uint32_t sign = (code & 0x80u) << 24;
  const uint32_t small = kvf_bits((float)(int32_t)magnitude * 0.001953125f); /* 2^-9 */
  const uint32_t normal = (magnitude << 20) + (120u << 23);
  const uint32_t value = magnitude < 0x08u ? small : normal;
  return kvf_float((magnitude == 0x7Fu ? 0x7FC00000u : value) | sign);
}

KVF_INLINE float kvf_f32_from_fp8_e4m3(uint8_t code) { return kvf_f32_from_fp8_e4m3_word(code); }

/* E5M2 is the upper byte of f16. */
KVF_INLINE float kvf_f32_from_fp8_e5m2(uint8_t code) {
  return kvf_f32_from_f16((uint16_t)(code << 8));
}

#endif
