/* Vector arithmetic of the CPU attention kernels. Rows are padded to a multiple of KVF_LANES. */
#ifndef KVFORGE_CPU_ATTENTION_H
#define KVFORGE_CPU_ATTENTION_H

#include "kvforge/cache/attention.h"
#include "kvforge/cache/cpu_decode.h"

enum { KVF_LANES = 16 };

/*
 * A sum over a row is KVF_LANES partial sums, which are halved until one is left, whatever the
 * registers hold: results are the same bits on every isa level.
 */
#if defined(__AVX512F__)
enum { KVF_WIDTH = 16 };
#elif defined(__AVX__)
enum { KVF_WIDTH = 8 };
#else
enum { KVF_WIDTH = 4 };
#endif
enum { KVF_PARTS = (int)KVF_LANES / (int)KVF_WIDTH };

typedef float kvf_floats __attribute__((vector_size(4 * KVF_WIDTH))); /* a register */
typedef float kvf_4_floats __attribute__((vector_size(16)));

KVF_INLINE kvf_floats kvf_load_floats(const float *from) {
  kvf_floats floats;
  memcpy(&floats, from, sizeof floats);
  return floats;
}

KVF_INLINE void kvf_store_floats(float *to, kvf_floats floats) {
  memcpy(to, &floats, sizeof floats);
}

/* Asks for a row ahead of its use: only the block table knows where the next one is. */
KVF_INLINE void kvf_prefetch_to_read(const void *row, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) {
    __builtin_prefetch((const char *)row + i);
  }
}

/* Halves KVF_LANES partial sums until four are left. */
KVF_INLINE kvf_4_floats kvf_halve(const kvf_floats parts[KVF_PARTS]) {
#if defined(__AVX512F__)
  typedef float half __attribute__((vector_size(32)));
  const half sums = __builtin_shufflevector(parts[0], parts[0], 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(parts[0], parts[0], 8, 9, 10, 11, 12, 13, 14, 15);
#elif defined(__AVX__)
  const kvf_floats sums = parts[0] + parts[1];
#endif
#if defined(__AVX__)
  return __builtin_shufflevector(sums, sums, 0, 1, 2, 3) +
         __builtin_shufflevector(sums, sums, 4, 5, 6, 7);
#else
  return (parts[0] + parts[2]) + (parts[1] + parts[3]);
#endif
}

/*
 * What follows comes in two steps: an inner function whose `heads` and `vectors` are numbers where
 * it is called, so that its sums stay in registers, and an outer one that takes any number of
 * heads. More than two heads at a time would gain nothing: arithmetic outweighs loads already.
 */
enum { KVF_DOTS = 4 /* rows that a query is multiplied by together */ };

KVF_INLINE void kvf_dots_of(float *scores, int64_t score_pitch, const float *queries,
                            const int heads, const float *rows, int64_t pitch, int64_t count) {
  kvf_floats parts[2][KVF_DOTS][KVF_PARTS];
#pragma GCC unroll 4
  for (int part = 0; part < KVF_PARTS; ++part) {
    kvf_floats sums[2][KVF_DOTS] = {{{0}}};
    for (int64_t i = part * KVF_WIDTH; i < count; i += KVF_LANES) {
      kvf_floats row[KVF_DOTS];
#pragma GCC unroll 4
      for (int r = 0; r < KVF_DOTS; ++r) {
        row[r] = kvf_load_floats(rows + r * pitch + i);
      }
#pragma GCC unroll 2
      for (int h = 0; h < heads; ++h) {
        const kvf_floats query = kvf_load_floats(queries + h * pitch + i);
#pragma GCC unroll 4
        for (int r = 0; r < KVF_DOTS; ++r) {
          sums[h][r] += row[r] * query;
        }
      }
    }
#pragma GCC unroll 2
    for (int h = 0; h < heads; ++h) {
#pragma GCC unroll 4
      for (int r = 0; r < KVF_DOTS; ++r) {
        parts[h][r][part] = sums[h][r];
      }
    }
  }
#pragma GCC unroll 2
  for (int h = 0; h < heads; ++h) {
    const kvf_4_floats a = kvf_halve(parts[h][0]);
    const kvf_4_floats b = kvf_halve(parts[h][1]);
    const kvf_4_floats c = kvf_halve(parts[h][2]);
    const kvf_4_floats d = kvf_halve(parts[h][3]);
    const kvf_4_floats ab =
        __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
    const kvf_4_floats cd =
        __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
    const kvf_4_floats all =
        __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
    memcpy(scores + h * score_pitch, &all, sizeof all);
  }
}

/* scores[h][r] is the dot product of queries[h] and rows[r], for KVF_DOTS rows. */
KVF_INLINE void kvf_dots(float *scores, int64_t score_pitch, const float *queries, int64_t heads,
                         const float *rows, int64_t pitch, int64_t count) {
  int64_t h = 0;
  for (; h + 2 <= heads; h += 2) {
    kvf_dots_of(scores + h * score_pitch, score_pitch, queries + h * pitch, 2, rows, pitch, count);
  }
  if (h < heads) {
    kvf_dots_of(scores + h * score_pitch, score_pitch, queries + h * pitch, 1, rows, pitch, count);
  }
}

KVF_INLINE void kvf_add_columns(float *sums, const float *weights, int64_t weight_pitch,
                                const int heads, const float *rows, int64_t num_rows, int64_t pitch,
                                const int vectors) {
  kvf_floats now[2][4];
#pragma GCC unroll 2
  for (int h = 0; h < heads; ++h) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      now[h][v] = kvf_load_floats(sums + h * pitch + v * KVF_WIDTH);
    }
  }
  for (int64_t r = 0; r < num_rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const kvf_floats row = kvf_load_floats(rows + r * pitch + v * KVF_WIDTH);
#pragma GCC unroll 2
      for (int h = 0; h < heads; ++h) {
        now[h][v] += weights[h * weight_pitch + r] * row;
      }
    }
  }
#pragma GCC unroll 2
  for (int h = 0; h < heads; ++h) {
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      kvf_store_floats(sums + h * pitch + v * KVF_WIDTH, now[h][v]);
    }
  }
}

KVF_INLINE void kvf_add_weighted_of(float *sums, const float *weights, int64_t weight_pitch,
                                    const int heads, const float *rows, int64_t num_rows,
                                    int64_t pitch, int64_t count) {
  int64_t i = 0;
  for (; i + 4 * KVF_WIDTH <= count; i += 4 * KVF_WIDTH) {
    kvf_add_columns(sums + i, weights, weight_pitch, heads, rows + i, num_rows, pitch, 4);
  }
  for (; i < count; i += KVF_WIDTH) {
    kvf_add_columns(sums + i, weights, weight_pitch, heads, rows + i, num_rows, pitch, 1);
  }
}

/* sums[h] += weights[h][r] * rows[r], one row after another. */
KVF_INLINE void kvf_add_weighted(float *sums, const float *weights, int64_t weight_pitch,
                                 int64_t heads, const float *rows, int64_t num_rows, int64_t pitch,
                                 int64_t count) {
  int64_t h = 0;
  for (; h + 2 <= heads; h += 2) {
    kvf_add_weighted_of(sums + h * pitch, weights + h * weight_pitch, weight_pitch, 2, rows,
                        num_rows, pitch, count);
  }
  if (h < heads) {
    kvf_add_weighted_of(sums + h * pitch, weights + h * weight_pitch, weight_pitch, 1, rows,
                        num_rows, pitch, count);
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
