/*
 * The int8 codec, shared by the CPU variants and the CUDA kernels.
 *
 * Encoding rounds to nearest, ties to even, clamps to -128 and 127 and maps every NaN to 0, in one
 * path without branches: 1.5 * 2^23 is the float whose last bit weighs 1, so adding it makes the
 * FPU itself round to an integer, whose two's complement is then in the sum's low bits.
 *
 * The other one, "away", adds one half away from 0 and drops what is behind the point. The sum is
 * rounded too, so that the largest float below one half becomes 1.
 */
#ifndef KVFORGE_INT8_H
#define KVFORGE_INT8_H

#include "kvforge/float16.h"

/* The code is the low byte of the word; what the bytes above hold is not defined. */
KVF_INLINE uint32_t kvf_int8_word_from_f32(float x) {
  const float above = x > -128.0f ? x : -128.0f;
  const float limited = above < 127.0f ? above : 127.0f;
  const uint32_t word = kvf_bits(limited + 12582912.0f);
  return (kvf_bits(x) & 0x7FFFFFFFu) > 0x7F800000u ? 0 : word;
}

KVF_INLINE uint32_t kvf_int8_away_word_from_f32(float x) {
  const float sum = x + kvf_float(0x3F000000u | (kvf_bits(x) & 0x80000000u));
  const float above = sum > -128.0f ? sum : -128.0f;
  const float limited = above < 127.0f ? above : 127.0f;
  const uint32_t word = (uint32_t)(int32_t)limited;
  return (kvf_bits(x) & 0x7FFFFFFFu) > 0x7F800000u ? 0 : word;
}

KVF_INLINE int8_t kvf_int8_away_from_f32(float x) {
  return (int8_t)(uint8_t)kvf_int8_away_word_from_f32(x);
}

KVF_INLINE int8_t kvf_int8_from_f32(float x) { return (int8_t)(uint8_t)kvf_int8_word_from_f32(x); }

KVF_INLINE float kvf_f32_from_int8(int8_t code) { return (float)code; }

#endif
