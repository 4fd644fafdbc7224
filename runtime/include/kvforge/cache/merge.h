/*
 * Weights of attention states, in double on both backends: one of f32 would be off by as many ulp
 * as its logarithm is large.
 */
#ifndef KVFORGE_MERGE_H
#define KVFORGE_MERGE_H

#include <stdbool.h>

#include "kvforge/bits.h"

enum {
  KVF_MERGE_PARTS = 1024,  /* states that are joined at once, at most */
  KVF_MERGE_WEIGHTS = 2048 /* weights that a thread block of CUDA has room for */
};

#define KVF_LN_2 0.69314718055994530942
#define KVF_LOG2_E 1.4426950408889634074

/* The lse of a state without keys: it has no weight. Some kernels write +infinity for it. */
#define KVF_NO_LSE kvf_float(0xFF800000u) /* -infinity */
KVF_INLINE float kvf_lse(float lse) { return kvf_bits(lse) == 0x7F800000u ? KVF_NO_LSE : lse; }
KVF_INLINE bool kvf_is_empty(float lse) { return kvf_bits(lse) == 0xFF800000u; }

/* What the log-sum-exp of all states is made of. */
typedef struct kvf_merged {
  float largest;
  double total; /* of the weights next to the largest; 0 if all are empty */
} kvf_merged;

/* e^x for x <= 0, to 35 bits; NaN for NaN. What no f32 holds is 0. */
KVF_INLINE double kvf_weight_exp(double x) {
  if (!(x > -104.0)) {
    return x <= -104.0 ? 0.0 : x;
  }
  const int32_t n = (int32_t)(x * KVF_LOG2_E - 0.5); /* rounds: towards zero is upwards here */
  const double r = x - n * KVF_LN_2;
  double series = 1.0 / 3628800;
  series = series * r + 1.0 / 362880;
  series = series * r + 1.0 / 40320;
  series = series * r + 1.0 / 5040;
  series = series * r + 1.0 / 720;
  series = series * r + 1.0 / 120;
  series = series * r + 1.0 / 24;
  series = series * r + 1.0 / 6;
  series = series * r + 0.5;
  series = series * r + 1.0;
  series = series * r + 1.0;
  /* 2^n in two steps, since the least is below what one f32 holds. */
  const double half = (double)kvf_float((uint32_t)(n / 2 + 127) << 23);
  const double rest = (double)kvf_float((uint32_t)(n - n / 2 + 127) << 23);
  return series * half * rest;
}

/* ln(x) for x from 1 to KVF_MERGE_PARTS, to 35 bits; NaN for NaN. */
KVF_INLINE double kvf_weight_log(double x) {
  int32_t exponent = 0;
  while (x > 1.41421356) {
    x *= 0.5;
    ++exponent;
  }
  const double s = (x - 1.0) / (x + 1.0);
  const double square = s * s;
  double series = 1.0 / 15;
  series = series * square + 1.0 / 13;
  series = series * square + 1.0 / 11;
  series = series * square + 1.0 / 9;
  series = series * square + 1.0 / 7;
  series = series * square + 1.0 / 5;
  series = series * square + 1.0 / 3;
  series = series * square + 1.0;
  return exponent * KVF_LN_2 + 2.0 * s * series;
}

/* The log-sum-exp, in units of `unit`: 1, or ln(2) for base 2. */
KVF_INLINE float kvf_merged_lse(kvf_merged of, double unit) {
  return of.total == 0.0 ? KVF_NO_LSE
                         : (float)((double)of.largest + kvf_weight_log(of.total) / unit);
}

#endif
