/* Norms of heads on the CPU. */
#ifndef KVFORGE_CPU_NORM_H
#define KVFORGE_CPU_NORM_H

#include "kvforge/cache/norm.h"
#include "kvforge/cpu_floats.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#endif

/*
 * The sum of the squares of a group: of `count` elements of the lower half, a multiple of
 * KVF_SUM_PART, each with that of its partner.
 */
KVF_INLINE float kvf_sum_squares(const float *squares, int64_t count) {
  float sums[KVF_SUM_GROUP] = {0};
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

KVF_INLINE float kvf_sum_group(const float *__restrict low, const float *__restrict high,
                               int64_t count) {
  float squares[KVF_SUM_HALF];
  for (int64_t i = 0; i < count; ++i) {
    squares[i] = low[i] * low[i] + high[i] * high[i];
  }
  return kvf_sum_squares(squares, count);
}

#if defined(__AVX2__)
/*
 * The same for the usual count. Sums of both halves of a group of lanes are the same number, so
 * that those of two registers take one after the first step, of four after the second, and so on:
 * which they are in the order in which the last steps add them.
 */
#if defined(__AVX512F__)
KVF_INLINE __m512 kvf_fold_4(__m512 x) {
  return _mm512_add_ps(x, _mm512_shuffle_f32x4(x, x, 0xB1));
}
KVF_INLINE __m512 kvf_fold_2(__m512 x) { return _mm512_add_ps(x, _mm512_permute_ps(x, 0x4E)); }
KVF_INLINE __m512 kvf_fold_1(__m512 x) { return _mm512_add_ps(x, _mm512_permute_ps(x, 0xB1)); }

KVF_INLINE float kvf_sum_64(const kvf_floats squares[4]) {
  const __m512 even = _mm512_mask_blend_ps(0xF0F0, kvf_fold_4(squares[0]), kvf_fold_4(squares[1]));
  const __m512 odd = _mm512_mask_blend_ps(0xF0F0, kvf_fold_4(squares[2]), kvf_fold_4(squares[3]));
  const __m512 all = kvf_fold_1(_mm512_mask_blend_ps(0xCCCC, kvf_fold_2(even), kvf_fold_2(odd)));
  const __m512 sums = kvf_fold_4(kvf_fold_2(all)); /* of parts 0 4 2 6 and of 1 5 3 7 */
  return _mm_cvtss_f32(_mm_add_ss(_mm512_castps512_ps128(sums), _mm512_extractf32x4_ps(sums, 2)));
}
#else
KVF_INLINE __m256 kvf_fold_4(__m256 x) { return _mm256_add_ps(x, _mm256_permute2f128_ps(x, x, 1)); }
KVF_INLINE __m256 kvf_fold_2(__m256 x) { return _mm256_add_ps(x, _mm256_permute_ps(x, 0x4E)); }
KVF_INLINE __m256 kvf_fold_1(__m256 x) { return _mm256_add_ps(x, _mm256_permute_ps(x, 0xB1)); }

KVF_INLINE float kvf_sum_64(const kvf_floats squares[8]) {
  __m256 pairs[4];
  for (int i = 0; i < 4; ++i) {
    pairs[i] = _mm256_blend_ps(kvf_fold_4(squares[i]), kvf_fold_4(squares[i + 4]), 0xF0);
  }
  const __m256 even = _mm256_blend_ps(kvf_fold_2(pairs[0]), kvf_fold_2(pairs[2]), 0xCC);
  const __m256 odd = _mm256_blend_ps(kvf_fold_2(pairs[1]), kvf_fold_2(pairs[3]), 0xCC);
  const __m256 all = _mm256_blend_ps(kvf_fold_1(even), kvf_fold_1(odd), 0xAA); /* in order */
  return _mm256_cvtss_f32(kvf_fold_1(kvf_fold_2(kvf_fold_4(all))));
}
#endif
#else
KVF_INLINE float kvf_sum_64(const kvf_floats squares[64 / KVF_WIDTH]) {
  float row[64];
  memcpy(row, squares, sizeof row);
  return kvf_sum_squares(row, 64);
}
#endif

/*
 * The same of squares in the order of kvf_take_span_bf16(): even and odd ones of each 8 neighbours
 * are apart, and are added first. So many rows at once, which share the steps that follow.
 */
#if defined(__AVX512F__)
enum { KVF_SUMS_TOGETHER = 4 };

/* Of two registers sums at a distance of two lanes; then of neighbours. */
KVF_INLINE __m512 kvf_fold_pairs(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x44), _mm512_shuffle_ps(a, b, 0xEE));
}
KVF_INLINE __m512 kvf_fold_lanes(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xDD));
}

KVF_INLINE void kvf_sum_64_apart(float *sums, const kvf_floats (*squares)[4]) {
  __m512 of[4]; /* even and odd ones of groups 0 to 3, and those of groups 4 to 7 */
  for (int i = 0; i < 4; ++i) {
    of[i] = kvf_fold_lanes(kvf_fold_pairs(squares[0][i], squares[1][i]),
                           kvf_fold_pairs(squares[2][i], squares[3][i]));
  }
  const __m512 all = _mm512_add_ps(_mm512_add_ps(of[0], of[1]), _mm512_add_ps(of[2], of[3]));
  const __m512 by_2 = _mm512_add_ps(all, _mm512_shuffle_f32x4(all, all, 0x4E));
  _mm_storeu_ps(sums, _mm_add_ps(_mm512_castps512_ps128(by_2), _mm512_extractf32x4_ps(by_2, 1)));
}
#elif defined(__AVX2__)
enum { KVF_SUMS_TOGETHER = 1 };

KVF_INLINE __m256 kvf_fold_pairs(__m256 a, __m256 b) {
  return _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x44), _mm256_shuffle_ps(a, b, 0xEE));
}
KVF_INLINE __m256 kvf_fold_lanes(__m256 a, __m256 b) {
  return _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xDD));
}

KVF_INLINE void kvf_sum_64_apart(float *sums, const kvf_floats (*squares)[8]) {
  const kvf_floats *of = *squares;
  const __m256 even = kvf_fold_lanes(kvf_fold_pairs(of[0], of[1]), kvf_fold_pairs(of[4], of[5]));
  const __m256 odd = kvf_fold_lanes(kvf_fold_pairs(of[2], of[3]), kvf_fold_pairs(of[6], of[7]));
  /* Groups 0 2 4 6, and behind them 1 3 5 7. */
  *sums = _mm256_cvtss_f32(kvf_fold_4(kvf_fold_1(kvf_fold_2(_mm256_add_ps(even, odd)))));
}
#else
enum { KVF_SUMS_TOGETHER = 1 };

KVF_INLINE void kvf_sum_64_apart(float *sums, const kvf_floats (*squares)[64 / KVF_WIDTH]) {
  float row[64];
  for (int i = 0; i < 2; ++i) {
    const kvf_floats *of = *squares + i * KVF_SPAN_PARTS;
    kvf_store_zipped(row + i * KVF_SPAN, of, of + KVF_HALF_PARTS);
  }
  *sums = kvf_sum_squares(row, 64);
}
#endif

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

/* From sums of squares to what elements are multiplied by, 1 / sqrt(sum / size + eps), in place. */
KVF_INLINE void kvf_norm_factors(float *sums, int64_t count, int32_t size, float eps) {
  int64_t i = 0;
#if defined(__AVX2__)
  for (; i + KVF_WIDTH <= count; i += KVF_WIDTH) {
    const kvf_floats mean = kvf_load_floats(sums + i) / (float)size + eps;
#if defined(__AVX512F__)
    kvf_store_floats(sums + i, 1.0f / _mm512_sqrt_ps(mean));
#else
    kvf_store_floats(sums + i, 1.0f / _mm256_sqrt_ps(mean));
#endif
  }
#endif
  for (; i < count; ++i) {
    sums[i] = 1.0f / kvf_square_root(sums[i] / (float)size + eps);
  }
}

#endif
