/* Rows of int4_per_token_head on the CPU. Compilers keep what they encode in words on the stack. */
#ifndef KVFORGE_CPU_INT4_H
#define KVFORGE_CPU_INT4_H

#include "kvforge/cache/cpu_rotation.h"
#include "kvforge/cache/cpu_spans.h"
#include "kvforge/cache/int4.h"

/* What codes stand for beside a word, rotated still. The word stays in registers of floats. */
KVF_INLINE kvf_numbers kvf_int4_numbers(float word) {
  static const float codes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  typedef int32_t integers __attribute__((vector_size(sizeof(kvf_floats))));
  const integers words = (integers){0} + (int32_t)kvf_bits(word);
  const kvf_floats zero = __builtin_convertvector(words & 15, kvf_floats);
  kvf_numbers all = kvf_load_numbers(codes);
  for (int i = 0; i < 16 / KVF_WIDTH; ++i) {
    all.of_codes[i] = (all.of_codes[i] - zero) * (kvf_floats)(words & ~15);
  }
  return all;
}

/*
 * Whether sums of all that codes stand for are finite, and no bit of them is below the least normal
 * number, whatever power of two near 1 they are divided by.
 */
KVF_INLINE bool kvf_int4_is_plain(float word) {
  const uint32_t magnitude = kvf_bits(word) & 0x7FFFFFFFu;
  return magnitude >= kvf_bits(0x1p-80f) && magnitude <= kvf_bits(0x1p80f);
}

/* Widens a row of codes and takes the code of 0 from each; `count` is even. */
KVF_INLINE void kvf_widen_int4(float *__restrict to, const uint8_t *__restrict codes, float zero,
                               int64_t count) {
  enum { WORDS = 256 };
  int64_t first = 0;
#if defined(__AVX512F__)
  /* A permutation of a register is a table that looks at the low bits of an index only. */
  const __m512 all = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512 numbers = _mm512_sub_ps(all, _mm512_set1_ps(zero));
  const __m512i half = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const __m512i place = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  for (; first + 16 <= count; first += 16) {
    const __m128i group = _mm_loadl_epi64((const __m128i *)(const void *)(codes + first / 2));
    const __m512i halves = _mm512_permutexvar_epi32(half, _mm512_castsi128_si512(group));
    _mm512_storeu_ps(to + first, _mm512_permutexvar_ps(_mm512_srlv_epi32(halves, place), numbers));
  }
#elif defined(__AVX2__)
  const __m256i place = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
  for (; first + 8 <= count; first += 8) {
    int32_t group;
    memcpy(&group, codes + first / 2, sizeof group);
    const __m256i codes_of = _mm256_srlv_epi32(_mm256_set1_epi32(group), place);
    const __m256i code = _mm256_and_si256(codes_of, _mm256_set1_epi32(15));
    _mm256_storeu_ps(to + first, _mm256_sub_ps(_mm256_cvtepi32_ps(code), _mm256_set1_ps(zero)));
  }
#endif
  for (; first < count; first += 2 * WORDS) {
    uint32_t words[WORDS]; /* both codes of a byte side by side */
    uint16_t halves[2 * WORDS];
    const int64_t length = (count - first) / 2 < WORDS ? (count - first) / 2 : (int64_t)WORDS;
    for (int64_t i = 0; i < length; ++i) {
      const uint32_t pair = codes[first / 2 + i];
      words[i] = (pair | pair << 12) & 0x000F000Fu;
    }
    memcpy(halves, words, (size_t)length * sizeof *words); /* little-endian, as DLPack is */
    for (int64_t i = 0; i < 2 * length; ++i) {
      to[first + i] = (float)halves[i] - zero;
    }
  }
}

/*
 * Raises the bits of the largest magnitudes below and above 0 to those of a row, NaNs left out.
 * Numbers above 0 compare as the integers that they are made of.
 */
KVF_INLINE void kvf_stretch_int4(uint32_t *lowest, uint32_t *highest, const float *wide,
                                 int64_t count) {
  int32_t below = (int32_t)*lowest;
  int32_t above = (int32_t)*highest;
  int64_t i = 0;
#if defined(__AVX512BW__)
  if (count >= 16) { /* of a NaN minimum and maximum are the second operand */
    __m512 least = _mm512_setzero_ps();
    __m512 most = _mm512_setzero_ps();
    for (; i + 16 <= count; i += 16) {
      const __m512 x = _mm512_loadu_ps(wide + i);
      least = _mm512_min_ps(x, least);
      most = _mm512_max_ps(x, most);
    }
    const int32_t row_below = (int32_t)kvf_bits(0.0f - _mm512_reduce_min_ps(least));
    const int32_t row_above = (int32_t)kvf_bits(_mm512_reduce_max_ps(most));
    below = row_below > below ? row_below : below;
    above = row_above > above ? row_above : above;
  }
#endif
  for (int64_t rest = count - i; rest > 0; --rest, ++i) {
    const int32_t positive = kvf_positive(kvf_bits(wide[i]));
    const int32_t negative = kvf_positive(kvf_bits(wide[i]) ^ 0x80000000u);
    above = positive > above ? positive : above;
    below = negative > below ? negative : below;
  }
  *lowest = (uint32_t)below;
  *highest = (uint32_t)above;
}

#if defined(__AVX512BW__)
/* Where 16 floats lie among the codes, NaNs where 0 does. */
KVF_INLINE __m512 kvf_int4_places(__m512 x, kvf_int4_range range) {
  const __mmask16 number = _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q);
  const __m512 product = _mm512_maskz_mul_ps(number, x, _mm512_set1_ps(range.inverse));
  return _mm512_add_ps(product, _mm512_set1_ps(range.zero));
}

/* The codes of 16 floats, in words. */
KVF_INLINE __m512i kvf_int4_of_16(__m512 x, kvf_int4_range range) {
  const __m512 sum = kvf_int4_places(x, range);
  const __m512 above = _mm512_max_ps(sum, _mm512_setzero_ps()); /* 0 for a NaN */
  const __m512 half = _mm512_add_ps(above, _mm512_set1_ps(0.5f));
  return _mm512_cvttps_epi32(_mm512_min_ps(half, _mm512_set1_ps(15.0f)));
}

/* The same of floats that all lie among the codes: kvf_int4_fits(). */
KVF_INLINE __m512i kvf_int4_of_16_within(__m512 x, kvf_int4_range range) {
  return _mm512_cvttps_epi32(_mm512_add_ps(kvf_int4_places(x, range), _mm512_set1_ps(0.5f)));
}

/* The range of a head of the usual size in registers. Of a NaN a minimum is the second operand. */
KVF_INLINE kvf_int4_range kvf_int4_range_of_head(const kvf_floats head[KVF_HEAD_PARTS],
                                                 bool *fits) {
  __m512 least[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  __m512 most[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  for (int i = 0; i < KVF_HEAD_PARTS; ++i) {
    least[i % 2] = _mm512_min_ps(head[i], least[i % 2]);
    most[i % 2] = _mm512_max_ps(head[i], most[i % 2]);
  }
  const __m512 below = _mm512_sub_ps(_mm512_setzero_ps(), _mm512_min_ps(least[0], least[1]));
  const __m512 above = _mm512_max_ps(most[0], most[1]);
  /* Both at once: halves of each, which are made smaller until one number is left. */
  const __m512 pairs = _mm512_max_ps(_mm512_shuffle_f32x4(below, above, 0x44),
                                     _mm512_shuffle_f32x4(below, above, 0xEE));
  const __m512 quarters = _mm512_max_ps(pairs, _mm512_shuffle_f32x4(pairs, pairs, 0xB1));
  const __m512 halves = _mm512_max_ps(quarters, _mm512_permute_ps(quarters, 0x4E));
  const __m512 largest = _mm512_max_ps(halves, _mm512_permute_ps(halves, 0xB1));
  const float lowest = _mm512_cvtss_f32(largest);
  const float highest = _mm_cvtss_f32(_mm512_extractf32x4_ps(largest, 2));
  const kvf_int4_range range = kvf_make_int4_range(kvf_bits(lowest), kvf_bits(highest));
  *fits = kvf_int4_fits(lowest, highest, range);
  return range;
}

/* Narrows such a head, even elements to the low halves of bytes; returns its word. */
KVF_INLINE uint32_t kvf_narrow_int4_head(uint8_t *__restrict codes,
                                         const kvf_floats head[KVF_HEAD_PARTS]) {
  bool fits;
  const kvf_int4_range range = kvf_int4_range_of_head(head, &fits);
  for (int i = 0; i < KVF_HEAD_HALF; ++i) {
    const __m512 even = head[i];
    const __m512 odd = head[KVF_HEAD_HALF + i];
    const __m512i low = fits ? kvf_int4_of_16_within(even, range) : kvf_int4_of_16(even, range);
    const __m512i high = fits ? kvf_int4_of_16_within(odd, range) : kvf_int4_of_16(odd, range);
    const __m512i bytes = _mm512_or_si512(low, _mm512_slli_epi32(high, 4));
    _mm_storeu_si128((__m128i *)(void *)(codes + KVF_WIDTH * i), _mm512_cvtepi32_epi8(bytes));
  }
  return range.word;
}
#endif

/* Narrows a row, at most a block of a rotation; `count` is even. */
KVF_INLINE void kvf_narrow_int4(uint8_t *__restrict codes, const float *__restrict wide,
                                int64_t count, kvf_int4_range range) {
  int64_t first = 0;
#if defined(__AVX512BW__)
  /* Packing goes by quarters of a register, whose order is put right at the end. */
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (; first + 64 <= count; first += 64) {
    __m512i words[4];
    for (int i = 0; i < 4; ++i) {
      words[i] = kvf_int4_of_16(_mm512_loadu_ps(wide + first + 16 * i), range);
    }
    const __m512i low = _mm512_packs_epi32(words[0], words[1]);
    const __m512i high = _mm512_packs_epi32(words[2], words[3]);
    const __m512i bytes = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
    const __m512i pairs = _mm512_maddubs_epi16(bytes, _mm512_set1_epi16(16 << 8 | 1));
    _mm256_storeu_si256((__m256i *)(void *)(codes + first / 2), _mm512_cvtepi16_epi8(pairs));
  }
#endif
  uint32_t words[KVF_ROTATION_BLOCK];
  for (int64_t i = first; i < count; ++i) {
    words[i] = kvf_int4_from_f32(wide[i], range);
  }
  for (int64_t i = first / 2; i < count / 2; ++i) {
    codes[i] = (uint8_t)(words[2 * i] | words[2 * i + 1] << 4);
  }
}

#endif
