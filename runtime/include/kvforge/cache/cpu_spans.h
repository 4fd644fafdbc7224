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
#elif defined(__AVX2__) && defined(__F16C__)
  const kvf_floats scale = (kvf_floats){0} + 256.0f;
  for (int i = 0; i < KVF_SPAN_PARTS; i += 2) {
    const __m128i *from = (const __m128i *)(const void *)((const uint8_t *)codes + 8 * i);
    const __m256i half = kvf_f16_of_fp8_e4m3(_mm_loadu_si128(from));
    wide[i] = _mm256_cvtph_ps(_mm256_castsi256_si128(half)) * scale;
    wide[i + 1] = _mm256_cvtph_ps(_mm256_extracti128_si256(half, 1)) * scale;
  }
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
#if defined(__AVX2__) && defined(__F16C__) && !defined(__AVX512F__)
  const __m128i zero = _mm_setzero_si128();
  for (int i = 0; i < KVF_SPAN_PARTS; i += 2) {
    const __m128i *from = (const __m128i *)(const void *)((const uint8_t *)codes + 8 * i);
    const __m128i code = _mm_loadu_si128(from);
    wide[i] = _mm256_cvtph_ps(_mm_unpacklo_epi8(zero, code));
    wide[i + 1] = _mm256_cvtph_ps(_mm_unpackhi_epi8(zero, code));
  }
#else
  uint16_t halves[KVF_SPAN];
  for (int i = 0; i < KVF_SPAN; ++i) {
    halves[i] = (uint16_t)(((const uint8_t *)codes)[i] << 8);
  }
  kvf_widen_span_f16(wide, halves);
#endif
}

#if defined(__AVX2__) && defined(__F16C__) && !defined(__AVX512F__)
/*
 * Codes that are computed where AVX2 has no table of them: with a scale for which that holds, and
 * where kvf_are_numbers_...() does, no product is a NaN. Numbers of E4M3 are without their factor
 * of 256, which the scale takes without rounding unless it becomes infinite.
 */
#define KVF_COMPUTES_CODES 1

KVF_INLINE bool kvf_are_below(const void *codes, int limit) {
  const __m256i all = _mm256_loadu_si256((const __m256i *)codes);
  const __m256i magnitude = _mm256_and_si256(all, _mm256_set1_epi8(0x7F));
  const __m256i above = _mm256_cmpgt_epi8(magnitude, _mm256_set1_epi8((char)(limit - 1)));
  return _mm256_testz_si256(above, above);
}

/* Whether codes of a span are those of finite numbers. */
KVF_INLINE bool kvf_are_numbers_fp8_e4m3(const void *codes) { return kvf_are_below(codes, 0x7F); }
KVF_INLINE bool kvf_are_numbers_fp8_e5m2(const void *codes) { return kvf_are_below(codes, 0x7C); }
KVF_INLINE bool kvf_are_numbers_int8(const void *codes) {
  (void)codes;
  return true;
}

KVF_INLINE float kvf_number_scale_fp8_e4m3(float scale) { return scale * 256.0f; }
KVF_INLINE float kvf_number_scale_fp8_e5m2(float scale) { return scale; }
KVF_INLINE float kvf_number_scale_int8(float scale) { return scale; }

/* Widens a span of such codes. */
KVF_INLINE void kvf_widen_numbers_fp8_e4m3(kvf_floats wide[KVF_SPAN_PARTS], const void *codes) {
  for (int i = 0; i < KVF_SPAN_PARTS; i += 2) {
    const __m128i *from = (const __m128i *)(const void *)((const uint8_t *)codes + 8 * i);
    const __m256i code = _mm256_cvtepi8_epi16(_mm_loadu_si128(from));
    const __m256i half =
        _mm256_and_si256(_mm256_slli_epi16(code, 7), _mm256_set1_epi16((int16_t)0xBF80));
    wide[i] = _mm256_cvtph_ps(_mm256_castsi256_si128(half));
    wide[i + 1] = _mm256_cvtph_ps(_mm256_extracti128_si256(half, 1));
  }
}
KVF_INLINE void kvf_widen_numbers_fp8_e5m2(kvf_floats wide[KVF_SPAN_PARTS], const void *codes) {
  kvf_widen_span_fp8_e5m2(wide, codes);
}
KVF_INLINE void kvf_widen_numbers_int8(kvf_floats wide[KVF_SPAN_PARTS], const void *codes) {
  kvf_widen_span_int8(wide, codes);
}
#else
#define KVF_COMPUTES_CODES 0
#endif

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

#if defined(__AVX512BW__)
/*
 * E4M3 times a scale as bf16, 32 codes at a time. Rounding to nearest knows no exponents as long as
 * there are no subnormals and nothing overflows: so eight mantissas are multiplied and rounded, and
 * the codes' exponents added to them as integers; and the eight that have none.
 */
typedef struct kvf_bf16_of_fp8 {
  __m512i normal; /* of the three low bits of a code, as if its exponent were 0 */
  __m512i small;
  bool serves; /* for this scale */
} kvf_bf16_of_fp8;

KVF_INLINE kvf_bf16_of_fp8 kvf_bf16_of_fp8_e4m3(float scale) {
  const __m512 numbers =
      _mm512_setr_ps(0x8p-10f, 0x9p-10f, 0xAp-10f, 0xBp-10f, 0xCp-10f, 0xDp-10f, 0xEp-10f, 0xFp-10f,
                     0.0f, 0x1p-9f, 0x2p-9f, 0x3p-9f, 0x4p-9f, 0x5p-9f, 0x6p-9f, 0x7p-9f);
  const __m512i upper = kvf_round_to_upper(_mm512_mul_ps(numbers, _mm512_set1_ps(scale)));
  const __m256i words = _mm512_cvtepi32_epi16(_mm512_srli_epi32(upper, 16));
  kvf_bf16_of_fp8 results;
  results.normal = _mm512_broadcast_i32x4(_mm256_castsi256_si128(words));
  results.small = _mm512_broadcast_i32x4(_mm256_extracti128_si256(words, 1));
  const uint32_t magnitude = kvf_bits(scale) & 0x7FFFFFFFu;
  results.serves = magnitude >= kvf_bits(0x1p-100f) && magnitude <= kvf_bits(0x1p100f);
  return results;
}

KVF_INLINE void kvf_decode_fp8_e4m3_bf16(uint16_t *to, kvf_bf16_of_fp8 results, const void *codes) {
  const __m512i code = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)codes));
  const __mmask32 small = _mm512_testn_epi16_mask(code, _mm512_set1_epi16(0x78));
  /* A permutation looks at the five low bits of an index. */
  const __m512i mantissa = _mm512_mask_permutexvar_epi16(
      _mm512_permutexvar_epi16(code, results.normal), small, code, results.small);
  const __m512i exponent = _mm512_and_si512(_mm512_slli_epi16(code, 4), _mm512_set1_epi16(0x780));
  const __m512i number = _mm512_ternarylogic_epi32(_mm512_add_epi16(mantissa, exponent), code,
                                                   _mm512_set1_epi16((int16_t)0x8000), 0x78);
  const __mmask32 nan = _mm512_testn_epi16_mask(_mm512_sub_epi16(code, _mm512_set1_epi16(-1)),
                                                _mm512_set1_epi16(0x7F));
  _mm512_storeu_si512(to, _mm512_mask_mov_epi16(number, nan, _mm512_set1_epi16(0x7FFF)));
}
#endif

#endif
