/*
 * Rows of f16 on the CPU. The conversion instructions are faster than the arithmetic of float16.h
 * (widening 1.7 times), and compilers do not find them in it. The bits are the same.
 */
#ifndef KVFORGE_CPU_FLOAT16_H
#define KVFORGE_CPU_FLOAT16_H

#if defined(__SSE2__)
#include <immintrin.h>
#endif

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

#endif
