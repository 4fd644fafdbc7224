/* Vector arithmetic of the CPU attention kernels. Rows are padded to a multiple of KVF_LANES. */
#ifndef KVFORGE_CPU_ATTENTION_H
#define KVFORGE_CPU_ATTENTION_H

#include "kvforge/cache/cpu_attention_rows.h"
#include "kvforge/cache/cpu_decode.h"
#include "kvforge/cpu_floats.h"

enum { KVF_LANES = KVF_CPU_ATTENTION_PAD };

/*
 * A sum over a row is KVF_LANES partial sums, which are halved until one is left, whatever the
 * registers hold: isa levels differ by the rounding of products alone, which fused instructions
 * leave out.
 */
enum { KVF_PARTS = (int)KVF_LANES / (int)KVF_WIDTH };

typedef int32_t kvf_choices __attribute__((vector_size(4 * KVF_WIDTH))); /* of its floats */
typedef float kvf_4_floats __attribute__((vector_size(16)));

/* Asks for a row ahead of its use: only the block table knows where the next one is. */
KVF_INLINE void kvf_prefetch_to_read(const void *row, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) {
    __builtin_prefetch((const char *)row + i);
  }
}

KVF_INLINE kvf_floats kvf_multiply_add(kvf_floats a, kvf_floats b, kvf_floats sum) {
#if defined(__AVX512F__)
  return (kvf_floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
#elif defined(__FMA__)
  return (kvf_floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#else
  return a * b + sum;
#endif
}

/* Elements [i, i + KVF_WIDTH) of a row, as floats. */
typedef kvf_floats kvf_loader(const void *row, int64_t i);

KVF_INLINE kvf_floats kvf_load_f32(const void *row, int64_t i) {
  return kvf_load_floats((const float *)row + i);
}

#if defined(__AVX512F__)
KVF_INLINE kvf_floats kvf_load_bf16(const void *row, int64_t i) {
  const __m512i words = _mm512_cvtepu16_epi32(
      _mm256_loadu_si256((const __m256i *)(const void *)((const uint16_t *)row + i)));
  return (kvf_floats)_mm512_slli_epi32(words, 16);
}

KVF_INLINE kvf_floats kvf_load_f16(const void *row, int64_t i) {
  return (kvf_floats)_mm512_cvtph_ps(
      _mm256_loadu_si256((const __m256i *)(const void *)((const uint16_t *)row + i)));
}

KVF_INLINE kvf_floats kvf_load_fp8_e4m3(const void *row, int64_t i) {
  return (kvf_floats)kvf_16_from_fp8_e4m3(
      _mm_loadu_si128((const __m128i *)(const void *)((const uint8_t *)row + i)));
}

/* E5M2 is the upper byte of f16. */
KVF_INLINE kvf_floats kvf_load_fp8_e5m2(const void *row, int64_t i) {
  const __m256i codes = _mm256_cvtepu8_epi16(
      _mm_loadu_si128((const __m128i *)(const void *)((const uint8_t *)row + i)));
  return (kvf_floats)_mm512_cvtph_ps(_mm256_slli_epi16(codes, 8));
}

KVF_INLINE kvf_floats kvf_load_int8(const void *row, int64_t i) {
  const __m512i codes = _mm512_cvtepi8_epi32(
      _mm_loadu_si128((const __m128i *)(const void *)((const uint8_t *)row + i)));
  return (kvf_floats)_mm512_cvtepi32_ps(codes);
}
#endif

#if defined(__AVX512F__)
/* e^x for x <= 0 as kvf_exp_negative() has it, by instructions that round and scale. */
KVF_INLINE __m512 kvf_16_powers(__m512 x) {
  const __m512 limited = _mm512_max_ps(_mm512_set1_ps(-140.0f), x); /* a NaN stays */
  const __m512 bits = _mm512_mul_ps(limited, _mm512_set1_ps(1.44269504f));
  const __m512 whole = _mm512_roundscale_ps(bits, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 rest = _mm512_sub_ps(bits, whole);
  __m512 sum = _mm512_set1_ps(1.535336188e-4f);
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.339887440e-3f));
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(9.618437358e-3f));
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(5.550332471e-2f));
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(2.402264791e-1f));
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(6.931472029e-1f));
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(sum, whole);
}
#endif

/* Halves KVF_LANES partial sums until four are left. */
KVF_INLINE kvf_4_floats kvf_halve(const kvf_floats parts[KVF_PARTS]) {
#if defined(__AVX512F__)
  typedef float half __attribute__((vector_size(32)));
  const half sums = __builtin_shufflevector(parts[0], parts[0], 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(parts[0], parts[0], 8, 9, 10, 11, 12, 13, 14, 15);
#elif defined(__AVX2__)
  const kvf_floats sums = parts[0] + parts[1];
#endif
#if defined(__AVX2__)
  return __builtin_shufflevector(sums, sums, 0, 1, 2, 3) +
         __builtin_shufflevector(sums, sums, 4, 5, 6, 7);
#else
  return (parts[0] + parts[2]) + (parts[1] + parts[3]);
#endif
}

/*
 * What follows comes in two steps: an inner function whose `heads` and `vectors` are numbers where
 * it is called, so that its sums stay in registers, and an outer one that takes any number of
 * heads: as many at a time as there are registers for.
 */
enum { KVF_DOTS = 4 /* rows that a query is multiplied by together */ };
#if defined(__AVX512F__)
enum { KVF_TOGETHER = 4, KVF_COLUMNS = 2 };
#else
enum { KVF_TOGETHER = 2, KVF_COLUMNS = 4 };
#endif

/* Elements whose products are added up before they go into a score. */
enum { KVF_DOT_ELEMENTS = 128 };

/* The partial sums of a head by KVF_DOTS rows, added up. */
KVF_INLINE kvf_4_floats kvf_add_up(kvf_floats parts[KVF_DOTS][KVF_PARTS]) {
  const kvf_4_floats a = kvf_halve(parts[0]);
  const kvf_4_floats b = kvf_halve(parts[1]);
  const kvf_4_floats c = kvf_halve(parts[2]);
  const kvf_4_floats d = kvf_halve(parts[3]);
  const kvf_4_floats ab =
      __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
  const kvf_4_floats cd =
      __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
  return __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
}

#if defined(__AVX512F__)
/* The same of 4 heads, in the same order, with a third of the instructions. */
KVF_INLINE void kvf_add_up_4(kvf_4_floats sums[4], kvf_floats parts[4][KVF_DOTS][KVF_PARTS]) {
  __m512 fours[4];
#pragma GCC unroll 4
  for (int h = 0; h < 4; ++h) {
    const __m512 a = (__m512)parts[h][0][0];
    const __m512 b = (__m512)parts[h][1][0];
    const __m512 c = (__m512)parts[h][2][0];
    const __m512 d = (__m512)parts[h][3][0];
    const __m512 ab = _mm512_shuffle_f32x4(a, b, 0x44) + _mm512_shuffle_f32x4(a, b, 0xEE);
    const __m512 cd = _mm512_shuffle_f32x4(c, d, 0x44) + _mm512_shuffle_f32x4(c, d, 0xEE);
    fours[h] = _mm512_shuffle_f32x4(ab, cd, 0x88) + _mm512_shuffle_f32x4(ab, cd, 0xDD);
  }
  const __m512 near =
      _mm512_shuffle_ps(fours[0], fours[1], 0x44) + _mm512_shuffle_ps(fours[0], fours[1], 0xEE);
  const __m512 far =
      _mm512_shuffle_ps(fours[2], fours[3], 0x44) + _mm512_shuffle_ps(fours[2], fours[3], 0xEE);
  const __m512 by_row = _mm512_shuffle_ps(near, far, 0x88) + _mm512_shuffle_ps(near, far, 0xDD);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512 by_head = _mm512_permutexvar_ps(order, by_row);
  memcpy(sums, &by_head, sizeof by_head);
}
#endif

KVF_INLINE void kvf_dots_of(float *scores, int64_t score_pitch, const float *queries, int64_t pitch,
                            const int heads, const void *const rows[KVF_DOTS], kvf_loader *load,
                            int64_t count, bool more) {
  kvf_floats parts[KVF_TOGETHER][KVF_DOTS][KVF_PARTS];
#pragma GCC unroll 4
  for (int part = 0; part < KVF_PARTS; ++part) {
    kvf_floats sums[KVF_TOGETHER][KVF_DOTS] = {{{0}}};
    for (int64_t i = part * KVF_WIDTH; i < count; i += KVF_LANES) {
      kvf_floats row[KVF_DOTS];
#pragma GCC unroll 4
      for (int r = 0; r < KVF_DOTS; ++r) {
        row[r] = load(rows[r], i);
      }
#pragma GCC unroll 4
      for (int h = 0; h < heads; ++h) {
        const kvf_floats query = kvf_load_floats(queries + h * pitch + i);
#pragma GCC unroll 4
        for (int r = 0; r < KVF_DOTS; ++r) {
          sums[h][r] = kvf_multiply_add(row[r], query, sums[h][r]);
        }
      }
    }
#pragma GCC unroll 4
    for (int h = 0; h < heads; ++h) {
#pragma GCC unroll 4
      for (int r = 0; r < KVF_DOTS; ++r) {
        parts[h][r][part] = sums[h][r];
      }
    }
  }
  kvf_4_floats all[KVF_TOGETHER];
#if defined(__AVX512F__)
  if (heads == 4) {
    kvf_add_up_4(all, parts);
  } else
#endif
  {
#pragma GCC unroll 4
    for (int h = 0; h < heads; ++h) {
      all[h] = kvf_add_up(parts[h]);
    }
  }
#pragma GCC unroll 4
  for (int h = 0; h < heads; ++h) {
    if (more) {
      kvf_4_floats before;
      memcpy(&before, scores + h * score_pitch, sizeof before);
      all[h] = before + all[h];
    }
    memcpy(scores + h * score_pitch, &all[h], sizeof all[h]);
  }
}

/*
 * scores[h][r] is the dot product of queries[h] and row r, for KVF_DOTS rows, or what it is by then
 * and `more`. A query and a row have `count` elements here.
 */
KVF_INLINE void kvf_dots(float *scores, int64_t score_pitch, const float *queries, int64_t pitch,
                         int64_t heads, const void *const rows[KVF_DOTS], kvf_loader *load,
                         int64_t count, bool more) {
  int64_t h = 0;
#if defined(__AVX512F__)
  for (; h + 4 <= heads; h += 4) {
    kvf_dots_of(scores + h * score_pitch, score_pitch, queries + h * pitch, pitch, 4, rows, load,
                count, more);
  }
#endif
  for (; h + 2 <= heads; h += 2) {
    kvf_dots_of(scores + h * score_pitch, score_pitch, queries + h * pitch, pitch, 2, rows, load,
                count, more);
  }
  if (h < heads) {
    kvf_dots_of(scores + h * score_pitch, score_pitch, queries + h * pitch, pitch, 1, rows, load,
                count, more);
  }
}

/*
 * A sum of very many numbers: what rounding has added too much is kept beside it (Kahan), until it
 * is infinite or no number.
 */
KVF_INLINE void kvf_add_compensated(float *sum, float *excess, kvf_floats term) {
  const kvf_floats before = kvf_load_floats(sum);
  const kvf_floats wanted = term - kvf_load_floats(excess);
  const kvf_floats after = before + wanted;
  const kvf_floats over = (after - before) - wanted;
  kvf_store_floats(sum, after);
  kvf_store_floats(excess, (kvf_floats)((kvf_choices)over & (over == over)));
}

KVF_INLINE void kvf_add_columns(float *sums, float *excesses, int64_t pitch, const float *weights,
                                int64_t weight_pitch, const int heads, const void *const *rows,
                                kvf_loader *load, int64_t num_rows, int64_t at, const int vectors) {
  kvf_floats now[KVF_TOGETHER][KVF_COLUMNS] = {{{0}}};
  for (int64_t r = 0; r < num_rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const kvf_floats row = load(rows[r], at + v * KVF_WIDTH);
#pragma GCC unroll 4
      for (int h = 0; h < heads; ++h) {
        const kvf_floats weight = weights[h * weight_pitch + r] - (kvf_floats){0};
        now[h][v] = kvf_multiply_add(weight, row, now[h][v]);
      }
    }
  }
#pragma GCC unroll 4
  for (int h = 0; h < heads; ++h) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const int64_t place = h * pitch + at + v * KVF_WIDTH;
      kvf_add_compensated(sums + place, excesses + place, now[h][v]);
    }
  }
}

KVF_INLINE void kvf_add_weighted_of(float *sums, float *excesses, int64_t pitch,
                                    const float *weights, int64_t weight_pitch, const int heads,
                                    const void *const *rows, kvf_loader *load, int64_t num_rows,
                                    int64_t count) {
  const int64_t step = (int64_t)KVF_COLUMNS * (int64_t)KVF_WIDTH;
  int64_t i = 0;
  for (; i + step <= count; i += step) {
    kvf_add_columns(sums, excesses, pitch, weights, weight_pitch, heads, rows, load, num_rows, i,
                    KVF_COLUMNS);
  }
  for (; i < count; i += KVF_WIDTH) {
    kvf_add_columns(sums, excesses, pitch, weights, weight_pitch, heads, rows, load, num_rows, i,
                    1);
  }
}

/* sums[h] += the sum of weights[h][r] * row r, one row after another, compensated. */
KVF_INLINE void kvf_add_weighted(float *sums, float *excesses, int64_t pitch, const float *weights,
                                 int64_t weight_pitch, int64_t heads, const void *const *rows,
                                 kvf_loader *load, int64_t num_rows, int64_t count) {
  int64_t h = 0;
#if defined(__AVX512F__)
  for (; h + 4 <= heads; h += 4) {
    kvf_add_weighted_of(sums + h * pitch, excesses + h * pitch, pitch, weights + h * weight_pitch,
                        weight_pitch, 4, rows, load, num_rows, count);
  }
#endif
  for (; h + 2 <= heads; h += 2) {
    kvf_add_weighted_of(sums + h * pitch, excesses + h * pitch, pitch, weights + h * weight_pitch,
                        weight_pitch, 2, rows, load, num_rows, count);
  }
  if (h < heads) {
    kvf_add_weighted_of(sums + h * pitch, excesses + h * pitch, pitch, weights + h * weight_pitch,
                        weight_pitch, 1, rows, load, num_rows, count);
  }
}

/* The sum of a multiple of KVF_LANES numbers. */
KVF_INLINE float kvf_sum(const float *from, int64_t count) {
  float lanes[KVF_LANES] = {0};
  for (int64_t i = 0; i < count; i += KVF_LANES) {
    KVF_VECTORISE
    for (int k = 0; k < KVF_LANES; ++k) {
      lanes[k] += from[i + k];
    }
  }
  for (int width = KVF_LANES / 2; width > 0; width /= 2) {
    KVF_VECTORISE
    for (int k = 0; k < width; ++k) {
      lanes[k] += lanes[k + width];
    }
  }
  return lanes[0];
}

/* The largest of `least` and a multiple of KVF_LANES numbers; NaNs are left out. */
KVF_INLINE float kvf_largest(float least, const float *from, int64_t count) {
  float lanes[KVF_LANES];
  for (int k = 0; k < KVF_LANES; ++k) {
    lanes[k] = least;
  }
  for (int64_t i = 0; i < count; i += KVF_LANES) {
    KVF_VECTORISE
    for (int k = 0; k < KVF_LANES; ++k) {
      lanes[k] = from[i + k] > lanes[k] ? from[i + k] : lanes[k];
    }
  }
  for (int width = KVF_LANES / 2; width > 0; width /= 2) {
    KVF_VECTORISE
    for (int k = 0; k < width; ++k) {
      lanes[k] = lanes[k + width] > lanes[k] ? lanes[k + width] : lanes[k];
    }
  }
  return lanes[0];
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
