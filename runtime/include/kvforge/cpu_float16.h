/*
 * Rows of f16 and bf16 on the CPU. The conversion instructions are faster than the arithmetic of
 * float16.h (widening 1.7 times), and compilers do not find them in it; nor do they find how few
 * instructions bf16 takes, which has conversions of its own only where subnormals count as zeros.
 * The bits are the same.
 */
#ifndef KVFORGE_CPU_FLOAT16_H
#define KVFORGE_CPU_FLOAT16_H

#include "kvforge/cpu_intrinsics.h"
#include "kvforge/float16.h"

/* Widens a row. */
KVF_INLINE void kvf_widen_f16(float *__restrict to, const uint16_t *__restrict from,
                              int64_t count) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16) {
    _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(from + i))));
  }
#elif defined(__F16C__)
  for (; i + 8 <= count; i += 8) {
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from + i))));
  }
#endif
  /* Counted down: of an upward loop after a count that is known gcc 12 warns that it would
   * overflow. */
  for (int64_t rest = count - i; rest > 0; --rest, ++i) {
    to[i] = kvf_f32_from_f16(from[i]);
  }
}

/* Narrows a row, with the bits of kvf_f16_from_f32(). */
KVF_INLINE void kvf_narrow_f16(uint16_t *__restrict to, const float *__restrict from,
                               int64_t count) {
  int64_t i = 0;
#if defined(__AVX512F__) && defined(__AVX512VL__)
  for (; i + 16 <= count; i += 16) {
    const __m512 x = _mm512_loadu_ps(from + i);
    const __m256i bits = _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    _mm256_storeu_si256((__m256i *)(void *)(to + i),
                        _mm256_mask_mov_epi16(bits, nan, _mm256_set1_epi16(0x7FFF)));
  }
#elif defined(__F16C__)
  for (; i + 8 <= count; i += 8) {
    const __m256 x = _mm256_loadu_ps(from + i);
    const __m128i bits = _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m256i wide = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m128i nan =
        _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storeu_si128((__m128i *)(void *)(to + i),
                     _mm_blendv_epi8(bits, _mm_set1_epi16(0x7FFF), nan));
  }
#endif
  for (int64_t rest = count - i; rest > 0; --rest, ++i) {
    to[i] = kvf_f16_from_f32(from[i]);
  }
}

/* Rounds a row of floats to what f16 can hold, in place. A NaN stays one, with any bits. */
KVF_INLINE void kvf_round_row_f16(float *row, int64_t count) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16) {
    const __m256i bits =
        _mm512_cvtps_ph(_mm512_loadu_ps(row + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm512_storeu_ps(row + i, _mm512_cvtph_ps(bits));
  }
#elif defined(__F16C__)
  for (; i + 8 <= count; i += 8) {
    const __m128i bits =
        _mm256_cvtps_ph(_mm256_loadu_ps(row + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    _mm256_storeu_ps(row + i, _mm256_cvtph_ps(bits));
  }
#endif
  for (int64_t rest = count - i; rest > 0; --rest, ++i) {
    row[i] = kvf_round_f16(row[i]);
  }
}

#if defined(__AVX512F__)
/* Rounds to the upper half of each word, NaNs being none; what the lower ones hold then is not
 * defined. */
KVF_INLINE __m512i kvf_round_numbers_to_upper(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
  const __m512i even = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF));
  return _mm512_mask_add_epi32(even, odd, bits, _mm512_set1_epi32(0x8000));
}

/* The same of all floats: one instruction puts another number in place of a NaN, 1 of a class takes
 * x. */
KVF_INLINE __m512i kvf_round_to_upper(__m512 x) {
  const __m512 nan = _mm512_castsi512_ps(_mm512_set1_epi32(0x7FFF0000));
  const __m512i classes = _mm512_set1_epi32(0x11111100);
  return kvf_round_numbers_to_upper(_mm512_fixupimm_ps(nan, x, classes, 0));
}

#if defined(__AVX512BW__)
/* The upper halves of the words of two registers. */
KVF_INLINE __m512i kvf_upper_halves(__m512i low, __m512i high) {
  const __m512i upper =
      _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27,
                       25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  return _mm512_permutex2var_epi16(low, upper, high);
}

KVF_INLINE __m512i kvf_bf16_of_32(__m512 low, __m512 high) {
  return kvf_upper_halves(kvf_round_to_upper(low), kvf_round_to_upper(high));
}
#endif
#elif defined(__AVX2__)
KVF_INLINE __m256i kvf_round_numbers_to_upper(__m256 x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  return _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7FFF)), odd);
}

KVF_INLINE __m256i kvf_round_to_upper(__m256 x) {
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  return _mm256_blendv_epi8(kvf_round_numbers_to_upper(x), _mm256_set1_epi32(0x7FFF0000), nan);
}

/* The upper halves of the words of two registers. */
KVF_INLINE __m256i kvf_upper_halves(__m256i low, __m256i high) {
  const __m256i quarters =
      _mm256_packus_epi32(_mm256_srli_epi32(low, 16), _mm256_srli_epi32(high, 16));
  return _mm256_permute4x64_epi64(quarters, 0xD8);
}

KVF_INLINE __m256i kvf_bf16_of_16(__m256 low, __m256 high) {
  return kvf_upper_halves(kvf_round_to_upper(low), kvf_round_to_upper(high));
}
#endif

/* Narrows a row, with the bits of kvf_bf16_from_f32(). */
KVF_INLINE void kvf_narrow_bf16(uint16_t *__restrict to, const float *__restrict from,
                                int64_t count) {
  int64_t i = 0;
#if defined(__AVX512BW__)
  for (; i + 32 <= count; i += 32) {
    _mm512_storeu_si512(to + i,
                        kvf_bf16_of_32(_mm512_loadu_ps(from + i), _mm512_loadu_ps(from + i + 16)));
  }
#elif defined(__AVX2__)
  for (; i + 16 <= count; i += 16) {
    _mm256_storeu_si256((__m256i *)(void *)(to + i),
                        kvf_bf16_of_16(_mm256_loadu_ps(from + i), _mm256_loadu_ps(from + i + 8)));
  }
#endif
  uint32_t words[32];
  while (i < count) {
    const int64_t length = count - i < 32 ? count - i : 32;
    for (int64_t k = 0; k < length; ++k) {
      words[k] = kvf_bf16_from_f32(from[i + k]);
    }
    for (int64_t k = 0; k < length; ++k) {
      to[i + k] = (uint16_t)words[k];
    }
    i += length;
  }
}

/* Rounds a row of floats to what bf16 can hold, in place. A NaN becomes 0x7FFF. */
KVF_INLINE void kvf_round_row_bf16(float *row, int64_t count) {
  int64_t i = 0;
#if defined(__AVX512BW__)
  for (; i + 16 <= count; i += 16) {
    const __m512i bits = _mm512_and_si512(kvf_round_to_upper(_mm512_loadu_ps(row + i)),
                                          _mm512_set1_epi32((int32_t)0xFFFF0000u));
    _mm512_storeu_si512(row + i, bits);
  }
#elif defined(__AVX2__)
  for (; i + 8 <= count; i += 8) {
    const __m256i bits = _mm256_and_si256(kvf_round_to_upper(_mm256_loadu_ps(row + i)),
                                          _mm256_set1_epi32((int32_t)0xFFFF0000u));
    _mm256_storeu_si256((__m256i *)(void *)(row + i), bits);
  }
#endif
  for (int64_t rest = count - i; rest > 0; --rest, ++i) {
    row[i] = row[i] == row[i] ? kvf_round_bf16(row[i]) : kvf_float(0x7FFF0000u);
  }
}

#endif
