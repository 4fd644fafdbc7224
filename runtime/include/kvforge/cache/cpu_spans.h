/* Codes of caches as KVF_SPAN floats in registers. What is read are the codes of whole spans. */
#ifndef KVFORGE_CPU_SPANS_H
#define KVFORGE_CPU_SPANS_H

#include "kvforge/cache/cpu_decode.h"
#include "kvforge/cpu_floats.h"

KVF_INLINE void kvf_widen_span_int8(kvf_floats wide[KVF_SPAN_PARTS], const void *codes) {
#if defined(__AVX512F__)
  const __m128i *from = (const __m128i *)codes;
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    wide[i] = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from + i)));
  }
#elif defined(__AVX2__)
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    const __m128i *from = (const __m128i *)(const void *)((const int8_t *)codes + 8 * i);
    wide[i] = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from)));
  }
#else
  float row[KVF_SPAN];
  for (int i = 0; i < KVF_SPAN; ++i) {
    row[i] = (float)((const int8_t *)codes)[i];
  }
  kvf_load_span(wide, row);
#endif
}

/* A NaN stays one, with any bits. */
KVF_INLINE void kvf_widen_span_fp8_e4m3(kvf_floats wide[KVF_SPAN_PARTS], const void *codes) {
#if defined(__AVX512BW__)
  /* As kvf_f16_of_fp8_e4m3() has it, of twice as many; the sign is extended to where it goes. */
  const __m512i code = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)codes));
  const __m512i number =
      _mm512_and_si512(_mm512_slli_epi16(code, 7), _mm512_set1_epi16((int16_t)0xBF80));
  const __mmask32 nan = _mm512_testn_epi16_mask(_mm512_sub_epi16(code, _mm512_set1_epi16(-1)),
                                                _mm512_set1_epi16(0x7F));
  const __m512i half = _mm512_mask_mov_epi16(number, nan, _mm512_set1_epi16(0x7FFF));
  const kvf_floats scale = (kvf_floats){0} + 256.0f;
  wide[0] = _mm512_cvtph_ps(_mm512_castsi512_si256(half)) * scale;
  wide[1] = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(half, 1)) * scale;
#else
  float row[KVF_SPAN];
  kvf_widen_fp8_e4m3(row, (const uint8_t *)codes, KVF_SPAN);
  kvf_load_span(wide, row);
#endif
}

/* What every code of E4M3 stands for. */
KVF_INLINE void kvf_widen_all_fp8_e4m3(float numbers[256]) {
  uint8_t codes[256];
  for (int i = 0; i < 256; ++i) {
    codes[i] = (uint8_t)i;
  }
  kvf_widen_fp8_e4m3(numbers, codes, 256);
}

/* E5M2 is the upper byte of f16. */
KVF_INLINE void kvf_widen_span_fp8_e5m2(kvf_floats wide[KVF_SPAN_PARTS], const void *codes) {
  uint16_t halves[KVF_SPAN];
  for (int i = 0; i < KVF_SPAN; ++i) {
    halves[i] = (uint16_t)(((const uint8_t *)codes)[i] << 8);
  }
  kvf_widen_span_f16(wide, halves);
}

/* What the 16 codes of four bits stand for. A permutation of registers is a table of them. */
typedef struct kvf_numbers {
  kvf_floats of_codes[16 / KVF_WIDTH];
} kvf_numbers;

KVF_INLINE kvf_numbers kvf_load_numbers(const float numbers[16]) {
  kvf_numbers all;
  for (int i = 0; i < 16 / KVF_WIDTH; ++i) {
    all.of_codes[i] = kvf_load_floats(numbers + i * KVF_WIDTH);
  }
  return all;
}

KVF_INLINE kvf_numbers kvf_scaled_numbers(kvf_numbers all, float scale) {
  for (int i = 0; i < 16 / KVF_WIDTH; ++i) {
    all.of_codes[i] *= scale;
  }
  return all;
}

#if defined(__AVX512F__)
/* Looks the low bits of words up. */
KVF_INLINE kvf_floats kvf_look_up_words(kvf_numbers all, __m512i words) {
  return _mm512_permutexvar_ps(words, all.of_codes[0]);
}
#elif defined(__AVX2__)
KVF_INLINE kvf_floats kvf_look_up_words(kvf_numbers all, __m256i words) {
  const __m256 low = _mm256_permutevar8x32_ps(all.of_codes[0], words);
  const __m256 high = _mm256_permutevar8x32_ps(all.of_codes[1], words);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(words, 28)));
}
#endif

/* 16 codes, of which two neighbours are in a byte, the even one in its low half. */
KVF_INLINE void kvf_look_up_neighbours(kvf_floats *wide, kvf_numbers all, const uint8_t *codes) {
#if defined(__AVX512F__)
  const __m512i half = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const __m512i place = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  const __m128i group = _mm_loadl_epi64((const __m128i *)(const void *)codes);
  const __m512i halves = _mm512_permutexvar_epi32(half, _mm512_castsi128_si512(group));
  wide[0] = kvf_look_up_words(all, _mm512_srlv_epi32(halves, place));
#elif defined(__AVX2__)
  const __m256i place = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
  for (int i = 0; i < 2; ++i) {
    int32_t half;
    memcpy(&half, codes + 4 * i, sizeof half);
    wide[i] = kvf_look_up_words(all, _mm256_srlv_epi32(_mm256_set1_epi32(half), place));
  }
#else
  float numbers[16];
  float row[16];
  memcpy(numbers, all.of_codes, sizeof numbers);
  for (int i = 0; i < 8; ++i) {
    row[2 * i] = numbers[codes[i] & 15];
    row[2 * i + 1] = numbers[codes[i] >> 4];
  }
  memcpy(wide, row, sizeof row);
#endif
}

/* 32 codes: the low halves of 16 bytes, and the high ones behind them. */
KVF_INLINE void kvf_look_up_halves(kvf_floats *wide, kvf_numbers all, const uint8_t *codes) {
#if defined(__AVX512F__)
  const __m512i words = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)codes));
  wide[0] = kvf_look_up_words(all, words);
  wide[1] = kvf_look_up_words(all, _mm512_srli_epi32(words, 4));
#elif defined(__AVX2__)
  for (int i = 0; i < 2; ++i) {
    const __m128i *from = (const __m128i *)(const void *)(codes + 8 * i);
    const __m256i words = _mm256_cvtepu8_epi32(_mm_loadl_epi64(from));
    wide[i] = kvf_look_up_words(all, words);
    wide[2 + i] = kvf_look_up_words(all, _mm256_srli_epi32(words, 4));
  }
#else
  float numbers[16];
  float row[KVF_SPAN];
  memcpy(numbers, all.of_codes, sizeof numbers);
  for (int i = 0; i < 16; ++i) {
    row[i] = numbers[codes[i] & 15];
    row[16 + i] = numbers[codes[i] >> 4];
  }
  kvf_load_span(wide, row);
#endif
}

#endif
