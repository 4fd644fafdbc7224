/* Vector arithmetic of the CPU attention kernels. Rows are padded to a multiple of KVF_LANES. */
#ifndef KVFORGE_CPU_ATTENTION_H
#define KVFORGE_CPU_ATTENTION_H

#include "kvforge/attention.h"
#include "kvforge/cpu_decode.h"

enum { KVF_LANES = 16 };

typedef float kvf_lanes __attribute__((vector_size(64)));

/* The dot product of two rows. */
KVF_INLINE float kvf_dot(const float *a, const float *b, int64_t count) {
  kvf_lanes sums[2] = {{0}, {0}};
  int64_t i = 0;
  for (; i + 2 * KVF_LANES <= count; i += 2 * KVF_LANES) {
    kvf_lanes x[2];
    kvf_lanes y[2];
    memcpy(x, a + i, sizeof x);
    memcpy(y, b + i, sizeof y);
    sums[0] += x[0] * y[0];
    sums[1] += x[1] * y[1];
  }
  if (i < count) {
    kvf_lanes x;
    kvf_lanes y;
    memcpy(&x, a + i, sizeof x);
    memcpy(&y, b + i, sizeof y);
    sums[0] += x * y;
  }
  float lanes[KVF_LANES];
  sums[0] += sums[1];
  memcpy(lanes, sums, sizeof lanes);
  for (int width = KVF_LANES / 2; width > 0; width /= 2) {
    for (int k = 0; k < width; ++k) {
      lanes[k] += lanes[k + width];
    }
  }
  return lanes[0];
}

/* sums += weight * row. */
KVF_INLINE void kvf_add_weighted(float *restrict sums, const float *restrict row, float weight,
                                 int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    sums[i] += weight * row[i];
  }
}

KVF_INLINE void kvf_multiply_row(float *row, float factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    row[i] *= factor;
  }
}

/*
 * e^x for x <= 0, within 2 units in the last place; 0 where that would be subnormal, 1 at 0, NaN
 * for a NaN. x = n log 2 + r, and a polynomial for e^r. Adding 1.5 * 2^23 rounds to an integer,
 * which is then in the low bits. No branches, so that loops over it become vector code; libm's expf
 * would not.
 */
KVF_INLINE float kvf_exp_negative(float x) {
  const float limited = x < -87.0f ? -87.0f : x;
  const float shifted = limited * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  /* log 2 in two parts, of which n times the first is exact. */
  const float r = (limited - n * 0.693359375f) - n * -2.12194440e-4f;
  float sum = 1.9875691500e-4f;
  sum = sum * r + 1.3981999507e-3f;
  sum = sum * r + 8.3334519073e-3f;
  sum = sum * r + 4.1665795894e-2f;
  sum = sum * r + 1.6666665459e-1f;
  sum = sum * r + 5.0000001201e-1f;
  sum = sum * (r * r) + r + 1.0f;
  const float power = kvf_float((kvf_bits(shifted) - 0x4B400000u + 127u) << 23);
  return x < -87.0f ? 0.0f : sum * power;
}

#endif
