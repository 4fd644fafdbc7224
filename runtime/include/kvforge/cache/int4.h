/*
 * int4_per_token_head, shared by the CPU variants and the CUDA kernels: codes from 0 to 15, two in
 * a byte, the even element in the low half, and one word for a head of a token, which is a float
 * scale whose last four bits are the code that stands for 0.
 *
 *   stored = (code - zero) * scale, scale = the word without its last four bits
 *
 * What is stored is the rotated head, see kvforge/cache/rotation.h.
 */
#ifndef KVFORGE_INT4_H
#define KVFORGE_INT4_H

#include <stdbool.h>

#include "kvforge/bits.h"

/* How the elements of a head are encoded. */
typedef struct kvf_int4_range {
  float inverse; /* of the scale, before it lost its last bits */
  float zero;    /* the code of 0 */
  uint32_t word;
} kvf_int4_range;

enum { KVF_CUT_OFF_0 = 0x4B000000 };

/* A number of 0 or more without what is behind the point, as the bits of a float that is 2^23 more,
 * of which the last bit weighs 1. On CUDA a conversion takes several times as long as the sum. */
KVF_INLINE uint32_t kvf_cut_off(float x) {
#if defined(__CUDA_ARCH__)
  return kvf_bits(__fadd_rz(x, 8388608.0f));
#else
  return KVF_CUT_OFF_0 + (uint32_t)(int32_t)x;
#endif
}

/* The nearest code, halves up; 0 for a NaN. */
KVF_INLINE uint32_t kvf_int4_round(float x) {
#if defined(__CUDA_ARCH__)
  const float above = __fadd_rn(fmaxf(x, 0.0f), 0.5f);
  return kvf_cut_off(fminf(above, 15.0f)) - KVF_CUT_OFF_0;
#else
  const float above = (x > 0.0f ? x : 0.0f) + 0.5f;
  return (uint32_t)(int32_t)(above < 15.0f ? above : 15.0f);
#endif
}

/*
 * The range of a head whose elements lie between -lowest and highest, of which these are the bits:
 * 0 and infinity included, NaN not. 0 is always in it, so that it has a code.
 */
KVF_INLINE kvf_int4_range kvf_make_int4_range(uint32_t lowest, uint32_t highest) {
  const float quotient = (kvf_float(highest) + kvf_float(lowest)) / 15.0f;
  const float scale = quotient > 1e-6f ? quotient : 1e-6f;
  const uint32_t zero = kvf_int4_round(kvf_float(lowest) / scale);
  kvf_int4_range range;
  range.inverse = 1.0f / scale;
  range.zero = (float)(int32_t)zero;
  range.word = (kvf_bits(scale) & ~15u) | zero;
  return range;
}

/* Where an element lies among the codes. Product and sum are rounded one after the other. */
KVF_INLINE float kvf_int4_place(float x, kvf_int4_range range) {
#if defined(__CUDA_ARCH__)
  return __fadd_rn(__fmul_rn(x, range.inverse), range.zero);
#else
  return x * range.inverse + range.zero;
#endif
}

/* The code of an element; that of 0 for a NaN. */
KVF_INLINE uint32_t kvf_int4_from_f32(float x, kvf_int4_range range) {
#if defined(__CUDA_ARCH__)
  return kvf_int4_round(kvf_int4_place(x == x ? x : 0.0f, range));
#else
  return kvf_int4_round(
      kvf_int4_place((kvf_bits(x) & 0x7FFFFFFFu) <= 0x7F800000u ? x : 0.0f, range));
#endif
}

/*
 * Whether elements between -lowest and highest all lie among the codes as they are: nearly always.
 * What is rounded twice may be beyond an end.
 */
KVF_INLINE bool kvf_int4_fits(float lowest, float highest, kvf_int4_range range) {
  return kvf_int4_place(-lowest, range) >= -0.5f && kvf_int4_place(highest, range) < 15.5f;
}

/* The bits of a positive number, 0 for any other. */
KVF_INLINE int32_t kvf_positive(uint32_t bits) {
  return (int32_t)bits > 0x7F800000 || (int32_t)bits < 0 ? 0 : (int32_t)bits;
}

/* The two parts of a word. */
KVF_INLINE float kvf_int4_scale(float word) { return kvf_float(kvf_bits(word) & ~15u); }
KVF_INLINE float kvf_int4_zero(float word) { return (float)(int32_t)(kvf_bits(word) & 15u); }

#endif
