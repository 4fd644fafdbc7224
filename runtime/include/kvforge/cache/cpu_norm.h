/* Norms of heads on the CPU. */
#ifndef KVFORGE_CPU_NORM_H
#define KVFORGE_CPU_NORM_H

#include "kvforge/cache/norm.h"
#include "kvforge/cpu_kernel.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#endif

/*
 * The sum of the squares of a group: `count` elements of the lower half, a multiple of
 * KVF_SUM_PART, and their partners. Always inlined, so that the usual count is a number that a
 * compiler knows.
 */
KVF_INLINE float kvf_sum_group(const float *__restrict low, const float *__restrict high,
                               int64_t count) {
  float squares[KVF_SUM_HALF];
  float sums[KVF_SUM_GROUP] = {0};
  for (int64_t i = 0; i < count; ++i) {
    squares[i] = low[i] * low[i] + high[i] * high[i];
  }
  const int64_t parts = count / KVF_SUM_PART;
  for (int64_t l = 0; l < parts; ++l) {
    const float *t = squares + l * KVF_SUM_PART;
    sums[l] = ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] + t[5]) + (t[3] + t[7]));
  }
  int64_t width = KVF_SUM_GROUP;
  while (width / 2 >= parts) { /* zeros change nothing */
    width /= 2;
  }
  for (width /= 2; width > 0; width /= 2) {
    for (int64_t i = 0; i < width; ++i) {
      sums[i] += sums[i + width];
    }
  }
  return sums[0];
}

/* The instruction alone: sqrtf() is a call of libm, for the sake of errno. */
KVF_INLINE float kvf_square_root(float x) {
#if defined(__SSE2__)
  return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
#elif defined(__aarch64__)
  return vget_lane_f32(vsqrt_f32(vdup_n_f32(x)), 0);
#else
  return __builtin_sqrtf(x);
#endif
}

/* What elements are multiplied by: 1 / sqrt(sum / size + eps). */
KVF_INLINE float kvf_norm_factor(float sum, int32_t size, float eps) {
  return 1.0f / kvf_square_root(sum / (float)size + eps);
}

#endif
