/*
 * Many x / scale with one scale, made into codes of 8 bits: the division's cost is paid once.
 *
 * q = x * inverse is off by less than 2 ulp, and a remainder corrects it. The result is not always
 * that of the division, but its code is: for those to differ, x / scale would have to lie within
 * 2^-22 ulp of the middle between a boundary of codes and its neighbour among floats. Boundaries
 * have 9 significant bits at most, so few scales can come that near, and tests/test_quotient.c
 * tries each of them, with every boundary and all x around.
 */
#ifndef KVFORGE_QUOTIENT_H
#define KVFORGE_QUOTIENT_H

#include <stdbool.h>

#include "kvforge/bits.h"

/* Whether the target multiplies and adds in one instruction; else dividing is faster. */
#if defined(__CUDA_ARCH__) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define KVF_HAS_FMA true
#else
#define KVF_HAS_FMA false
#endif

typedef struct kvf_divisor {
  float scale;
  float inverse; /* of scale */
  bool quick; /* kvf_quotient() serves; else divide: a scale that is no positive number, or extreme
               */
} kvf_divisor;

/*
 * Between 2^-80 and 2^126 the inverse is a normal number, and a remainder is exact unless the
 * quotient is so small that its code is 0 whatever it is.
 */
KVF_INLINE kvf_divisor kvf_divide_by(float scale) {
  kvf_divisor by;
  by.scale = scale;
#if defined(__CUDA_ARCH__)
  by.inverse = __frcp_rn(scale);
#else
  by.inverse = 1.0f / scale;
#endif
  by.quick = scale >= 0x1p-80f && scale <= 0x1p126f;
  return by;
}

/*
 * x / scale as far as a code of fp8 or int8 can tell, for a divisor that is quick and a quotient
 * below 2^16: a scale that was made of the largest x. Also of zeros of either sign and NaNs. The
 * remainder is taken with its sign turned, which keeps that of a zero.
 */
KVF_INLINE float kvf_near_quotient(float x, kvf_divisor by) {
#if defined(__CUDA_ARCH__)
  const float q = __fmul_rn(x, by.inverse);
  return __fmaf_rn(__fmaf_rn(q, by.scale, -x), -by.inverse, q);
#else
  const float q = x * by.inverse;
  return __builtin_fmaf(__builtin_fmaf(q, by.scale, -x), -by.inverse, q);
#endif
}

/* The same of any x, infinities too: from 2^16 on every code is the largest, and what overflows has
 * no remainder. A choice between two results: of one between two ways compilers make a branch. */
KVF_INLINE float kvf_quotient(float x, kvf_divisor by) {
#if defined(__CUDA_ARCH__)
  const float q = __fmul_rn(x, by.inverse);
#else
  const float q = x * by.inverse;
#endif
  const float near = kvf_near_quotient(x, by);
  return __builtin_fabsf(q) < 65536.0f ? near : q;
}

#endif
