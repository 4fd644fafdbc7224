/* Rows of E2M1 codes on the CPU, two codes in a byte, the low half first, in groups of 16. */
#ifndef KVFORGE_CPU_FP4_H
#define KVFORGE_CPU_FP4_H

#include "kvforge/cpu_kernel.h"
#include "kvforge/fp4.h"

static const float kvf_e2m1_numbers[16] = {0.0f,  0.5f,  1.0f,  1.5f,  2.0f,  3.0f,  4.0f,  6.0f,
                                           -0.0f, -0.5f, -1.0f, -1.5f, -2.0f, -3.0f, -4.0f, -6.0f};

/* Multiplies a row by the scales of its groups of 16; it may become what it was made of. */
KVF_INLINE void kvf_scale_groups_of_16(float *to, const float *values, const float *scales,
                                       int64_t num_groups) {
  /* A vector by name: left to itself, gcc interleaves groups at great length. */
  typedef float group __attribute__((vector_size(64)));
  for (int64_t i = 0; i < num_groups; ++i) {
    group lanes;
    memcpy(&lanes, values + 16 * i, sizeof lanes);
    lanes *= scales[i];
    memcpy(to + 16 * i, &lanes, sizeof lanes);
  }
}

/*
 * Widens a row of codes; `count` is even. Both codes of a byte become f16 side by side in a word:
 * f16 holds all eight magnitudes.
 */
KVF_INLINE void kvf_widen_e2m1(float *__restrict to, const uint8_t *__restrict codes,
                               int64_t count) {
  enum { WORDS = 16 }; /* few: it is on the stack of attention, too */
  for (int64_t first = 0; first < count; first += 2 * WORDS) {
    uint32_t words[WORDS];
    uint16_t half[2 * WORDS];
    const int64_t length = (count - first) / 2 < WORDS ? (count - first) / 2 : (int64_t)WORDS;
    for (int64_t i = 0; i < length; ++i) {
      const uint32_t pair = codes[first / 2 + i];
      const uint32_t code = (pair | pair << 12) & 0x000F000Fu;
      const uint32_t magnitude = code & 0x00070007u;
      const uint32_t odd = magnitude & 0x00010001u;
      const uint32_t small = (odd << 14) - (odd << 11); /* 0 or 0.5, which is 0x3800 */
      const uint32_t normal = (magnitude << 9) + 0x38003800u;
      const uint32_t large = (magnitude + 0x00060006u) >> 3 & 0x00010001u; /* 1 or more */
      const uint32_t mask = (large << 16) - large;                         /* 0xFFFF in that half */
      words[i] = (normal & mask) | (small & ~mask) | (code & 0x00080008u) << 12;
    }
    memcpy(half, words, (size_t)length * sizeof *words); /* little-endian, as DLPack is */
    kvf_widen_f16(to + first, half, 2 * length);
  }
}

/*
 * Widens a row of codes and multiplies it by the scales of its groups. A permutation of a register
 * is a table that looks at the low bits of an index only.
 */
KVF_INLINE void kvf_decode_groups_of_16(float *__restrict to, const uint8_t *__restrict codes,
                                        const float *scales, int64_t num_groups) {
#if defined(__AVX512F__)
  const __m512 values = _mm512_loadu_ps(kvf_e2m1_numbers);
  const __m512i half = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const __m512i place = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  for (int64_t i = 0; i < num_groups; ++i) {
    const __m128i group = _mm_loadl_epi64((const __m128i *)(const void *)(codes + 8 * i));
    const __m512i halves = _mm512_permutexvar_epi32(half, _mm512_castsi128_si512(group));
    const __m512 wide = _mm512_permutexvar_ps(_mm512_srlv_epi32(halves, place), values);
    _mm512_storeu_ps(to + 16 * i, _mm512_mul_ps(wide, _mm512_set1_ps(scales[i])));
  }
#elif defined(__AVX2__)
  const __m256 values = _mm256_setr_ps(0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f);
  const __m256i place = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
  for (int64_t i = 0; i < 2 * num_groups; ++i) {
    int32_t half;
    memcpy(&half, codes + 4 * i, sizeof half);
    const __m256i code = _mm256_srlv_epi32(_mm256_set1_epi32(half), place);
    const __m256 sign =
        _mm256_and_ps(_mm256_castsi256_ps(_mm256_slli_epi32(code, 28)), _mm256_set1_ps(-0.0f));
    const __m256 wide = _mm256_or_ps(_mm256_permutevar8x32_ps(values, code), sign);
    _mm256_storeu_ps(to + 8 * i, _mm256_mul_ps(wide, _mm256_set1_ps(scales[i / 2])));
  }
#else
  kvf_widen_e2m1(to, codes, 16 * num_groups);
  kvf_scale_groups_of_16(to, to, scales, num_groups);
#endif
}

/* to[i] is the larger one of from[2 i] and from[2 i + 1]. */
KVF_INLINE void kvf_larger_of_pairs(uint32_t *__restrict to, const uint32_t *__restrict from,
                                    int64_t count) {
  KVF_VECTORISE
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t even = from[2 * i];
    const uint32_t odd = from[2 * i + 1];
    to[i] = even > odd ? even : odd;
  }
}

#if defined(__AVX512BW__)
/* The larger ones of lanes at even and at odd places of two vectors, within quarters of them. */
KVF_INLINE __m512 kvf_larger_lanes(__m512 a, __m512 b) {
  const __m512i even = _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0x88));
  const __m512i odd = _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0xDD));
  return _mm512_castsi512_ps(_mm512_max_epi32(even, odd));
}

/* The same of quarters. */
KVF_INLINE __m512 kvf_larger_quarters(__m512 a, __m512 b) {
  const __m512i even = _mm512_castps_si512(_mm512_shuffle_f32x4(a, b, 0x88));
  const __m512i odd = _mm512_castps_si512(_mm512_shuffle_f32x4(a, b, 0xDD));
  return _mm512_castsi512_ps(_mm512_max_epi32(even, odd));
}

/* Their sums. */
KVF_INLINE __m512 kvf_added_lanes(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xDD));
}

KVF_INLINE __m512 kvf_added_quarters(__m512 a, __m512 b) {
  return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xDD));
}

/* The largest magnitude of each of 8 groups, NaNs left out. */
KVF_INLINE __m256i kvf_largest_of_8_groups(const float *values) {
  __m512 v[8];
  for (int i = 0; i < 8; ++i) {
    const __m512 magnitude = _mm512_abs_ps(_mm512_loadu_ps(values + 16 * i));
    v[i] = _mm512_max_ps(magnitude, _mm512_setzero_ps()); /* 0 for a NaN */
  }
  const __m512 low = kvf_larger_lanes(kvf_larger_lanes(v[0], v[1]), kvf_larger_lanes(v[2], v[3]));
  const __m512 high = kvf_larger_lanes(kvf_larger_lanes(v[4], v[5]), kvf_larger_lanes(v[6], v[7]));
  const __m512 both = kvf_larger_quarters(low, high);
  return _mm512_castsi512_si256(_mm512_castps_si512(kvf_larger_quarters(both, both)));
}

/* The sums of squares of what 8 groups differ by, of pairs of neighbours first. */
KVF_INLINE __m256 kvf_errors_of_8_groups(const float *values, const float *others) {
  __m512 v[8];
  for (int i = 0; i < 8; ++i) {
    const __m512 difference =
        _mm512_sub_ps(_mm512_loadu_ps(values + 16 * i), _mm512_loadu_ps(others + 16 * i));
    v[i] = _mm512_mul_ps(difference, difference);
  }
  const __m512 low = kvf_added_lanes(kvf_added_lanes(v[0], v[1]), kvf_added_lanes(v[2], v[3]));
  const __m512 high = kvf_added_lanes(kvf_added_lanes(v[4], v[5]), kvf_added_lanes(v[6], v[7]));
  const __m512 both = kvf_added_quarters(low, high);
  return _mm512_castps512_ps256(kvf_added_quarters(both, both));
}
#endif

/*
 * The largest magnitude of each group, NaNs left out, as the bits of a float. All groups at once,
 * by halves: of a maximum within 16 elements little vector code can be made. At most 32 groups.
 */
KVF_INLINE void kvf_largest_of_16(uint32_t *largest, const float *values, int64_t num_groups) {
#if defined(__AVX512BW__)
  /* What is stored in one piece can be loaded in one before it has reached the cache. */
  for (; num_groups >= 16; num_groups -= 16, largest += 16, values += 16 * 16) {
    const __m512i low = _mm512_castsi256_si512(kvf_largest_of_8_groups(values));
    const __m256i high = kvf_largest_of_8_groups(values + 16 * 8);
    _mm512_storeu_si512(largest, _mm512_inserti64x4(low, high, 1));
  }
  for (; num_groups >= 8; num_groups -= 8, largest += 8, values += 16 * 8) {
    _mm256_storeu_si256((__m256i *)(void *)largest, kvf_largest_of_8_groups(values));
  }
#endif
  enum { GROUPS = 32 };
  uint32_t of_1[16 * GROUPS];
  uint32_t of_2[8 * GROUPS];
  uint32_t of_4[4 * GROUPS];
  uint32_t of_8[2 * GROUPS];
  for (int64_t i = 0; i < 16 * num_groups; ++i) {
    of_1[i] = kvf_magnitude(values[i]);
  }
  kvf_larger_of_pairs(of_2, of_1, 8 * num_groups);
  kvf_larger_of_pairs(of_4, of_2, 4 * num_groups);
  kvf_larger_of_pairs(of_8, of_4, 2 * num_groups);
  kvf_larger_of_pairs(largest, of_8, num_groups);
}

#if defined(__AVX512BW__)
/*
 * The codes of 16 floats, in words, with the bits of kvf_e2m1_from_f32(). A code is the least of
 * three: x in steps of 0.5, 2 more than x in steps of 1, and 4 more than x in steps of 2. Adding
 * 2^23 rounds all of them, ties to even.
 */
KVF_INLINE __m512i kvf_e2m1_of_16(__m512 x) {
  const __m512 limited = _mm512_min_ps(x, _mm512_set1_ps(6.0f)); /* 6 for a NaN */
  const __m512 magnitude = _mm512_range_ps(limited, _mm512_set1_ps(6.0f), 0xA);
  const __m512i halves = _mm512_castps_si512(
      _mm512_fmadd_ps(magnitude, _mm512_set1_ps(2.0f), _mm512_set1_ps(8388608.0f)));
  const __m512i ones = _mm512_castps_si512(_mm512_add_ps(magnitude, _mm512_set1_ps(8388610.0f)));
  const __m512i twos = _mm512_castps_si512(
      _mm512_fmadd_ps(magnitude, _mm512_set1_ps(0.5f), _mm512_set1_ps(8388612.0f)));
  const __m512i least = _mm512_min_epi32(_mm512_min_epi32(halves, ones), twos);
  const __m512i sign = _mm512_srli_epi32(_mm512_castps_si512(limited), 28);
  return _mm512_ternarylogic_epi32(_mm512_set1_epi32(7), least, sign, 0xCA); /* 7 ? least : sign */
}

/* Four groups, multiplied: 64 floats become 32 bytes. */
KVF_INLINE void kvf_narrow_4_groups(uint8_t *codes, const float *values, const float *multipliers) {
  /* Packing goes by quarters of a register, whose order is put right at the end. */
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512i words[4];
  for (int i = 0; i < 4; ++i) {
    words[i] = kvf_e2m1_of_16(
        _mm512_mul_ps(_mm512_loadu_ps(values + 16 * i), _mm512_set1_ps(multipliers[i])));
  }
  const __m512i halves_low = _mm512_packs_epi32(words[0], words[1]);
  const __m512i halves_high = _mm512_packs_epi32(words[2], words[3]);
  const __m512i bytes =
      _mm512_permutexvar_epi32(order, _mm512_packus_epi16(halves_low, halves_high));
  const __m512i pairs = _mm512_maddubs_epi16(bytes, _mm512_set1_epi16(16 << 8 | 1));
  _mm256_storeu_si256((__m256i *)(void *)codes, _mm512_cvtepi16_epi8(pairs));
}
#endif

KVF_INLINE void kvf_add_pairs(float *__restrict sums, const float *__restrict from, int64_t count) {
  KVF_VECTORISE
  for (int64_t i = 0; i < count; ++i) {
    sums[i] = from[2 * i] + from[2 * i + 1];
  }
}

/*
 * What groups lose in codes and scales: sums of squares of differences, made of pairs of
 * neighbours, then of pairs of pairs and so on. At most 32 groups.
 */
KVF_INLINE void kvf_errors_of_16(float *errors, const float *__restrict values,
                                 const uint8_t *codes, const float *scales, int64_t num_groups) {
  enum { ELEMENTS = 16 * 32 };
  float of_1[ELEMENTS];
  kvf_decode_groups_of_16(of_1, codes, scales, num_groups);
  int64_t first = 0;
#if defined(__AVX512BW__)
  for (; first + 8 <= num_groups; first += 8) {
    _mm256_storeu_ps(errors + first,
                     kvf_errors_of_8_groups(values + 16 * first, of_1 + 16 * first));
  }
#endif
  float of_2[ELEMENTS / 2];
  float of_4[ELEMENTS / 4];
  float of_8[ELEMENTS / 8];
  KVF_VECTORISE
  for (int64_t i = 16 * first; i < 16 * num_groups; ++i) {
    const float difference = values[i] - of_1[i];
    of_1[i] = difference * difference;
  }
  kvf_add_pairs(of_2, of_1 + 16 * first, 8 * (num_groups - first));
  kvf_add_pairs(of_4, of_2, 4 * (num_groups - first));
  kvf_add_pairs(of_8, of_4, 2 * (num_groups - first));
  kvf_add_pairs(errors + first, of_8, num_groups - first);
}

/*
 * Of each group the codes and the block scale of the second choice where that has less of an error,
 * else those of the first.
 */
KVF_INLINE void kvf_choose_groups(uint8_t *__restrict codes, uint32_t *__restrict scales,
                                  const uint8_t *const choices[2],
                                  const uint32_t *const choice_scales[2],
                                  const float *const errors[2], int64_t num_groups) {
  int64_t i = 0;
#if defined(__AVX512BW__)
  for (; i + 8 <= num_groups; i += 8) {
    const __mmask8 second = _mm256_cmp_ps_mask(_mm256_loadu_ps(errors[1] + i),
                                               _mm256_loadu_ps(errors[0] + i), _CMP_LT_OQ);
    const __m512i chosen =
        _mm512_mask_loadu_epi64(_mm512_loadu_si512(choices[0] + 8 * i), second, choices[1] + 8 * i);
    const __m256i first_scales =
        _mm256_loadu_si256((const __m256i *)(const void *)(choice_scales[0] + i));
    _mm512_storeu_si512(codes + 8 * i, chosen);
    _mm256_storeu_si256((__m256i *)(void *)(scales + i),
                        _mm256_mask_loadu_epi32(first_scales, second, choice_scales[1] + i));
  }
#endif
  for (int64_t rest = num_groups - i; rest > 0; --rest, ++i) { /* gcc 12 warns of an upward loop */
    const int choice = errors[1][i] < errors[0][i];
    memcpy(codes + 8 * i, choices[choice] + 8 * i, 8);
    scales[i] = choice_scales[choice][i];
  }
}

/* Multiplies groups, at most 32 of them, and narrows them to codes, 8 bytes each. */
KVF_INLINE void kvf_narrow_e2m1(uint8_t *__restrict codes, const float *__restrict values,
                                const float *__restrict multipliers, int64_t num_groups) {
  int64_t first = 0;
#if defined(__AVX512BW__)
  for (; first + 4 <= num_groups; first += 4) {
    kvf_narrow_4_groups(codes + 8 * first, values + 16 * first, multipliers + first);
  }
#endif
  enum { ELEMENTS = 16 * 32 };
  float scaled[ELEMENTS];
  uint32_t words[ELEMENTS];
  kvf_scale_groups_of_16(scaled + 16 * first, values + 16 * first, multipliers + first,
                         num_groups - first);
  for (int64_t i = 16 * first; i < 16 * num_groups; ++i) {
    words[i] = kvf_e2m1_from_f32(scaled[i]);
  }
  for (int64_t i = 8 * first; i < 8 * num_groups; ++i) {
    codes[i] = (uint8_t)(words[2 * i] | words[2 * i + 1] << 4);
  }
}

#endif
