/*
 * The largest magnitude of a row on the CPU, NaNs left out, as the bits of a float. Magnitudes
 * compare as the integers that they are made of, which is done before anything is widened.
 */
#ifndef KVFORGE_CPU_LARGEST_H
#define KVFORGE_CPU_LARGEST_H

#include "kvforge/cpu_kernel.h"

/* Of elements of 16 bits, as they are; `infinite` is their infinity. Of a vector's lanes compilers
 * find the largest in many steps; one instruction does it for eight. */
KVF_INLINE uint16_t kvf_largest_half(const uint16_t *from, int64_t count, int16_t infinite) {
  int32_t largest = 0;
  int64_t i = 0;
#if defined(__AVX2__)
#if defined(__AVX512BW__)
  __m512i most = _mm512_setzero_si512();
  for (; i + 32 <= count; i += 32) {
    const __m512i bits = _mm512_loadu_si512(from + i);
    const __m512i magnitude = _mm512_and_si512(bits, _mm512_set1_epi16(0x7FFF));
    const __mmask32 number = _mm512_cmple_epi16_mask(magnitude, _mm512_set1_epi16(infinite));
    most = _mm512_mask_max_epi16(most, number, most, magnitude);
  }
  const __m256i of_16 =
      _mm256_max_epi16(_mm512_castsi512_si256(most), _mm512_extracti64x4_epi64(most, 1));
#else
  __m256i of_16 = _mm256_setzero_si256();
  for (; i + 16 <= count; i += 16) {
    const __m256i bits = _mm256_loadu_si256((const __m256i *)(const void *)(from + i));
    const __m256i magnitude = _mm256_and_si256(bits, _mm256_set1_epi16(0x7FFF));
    const __m256i nan = _mm256_cmpgt_epi16(magnitude, _mm256_set1_epi16(infinite));
    of_16 = _mm256_max_epi16(of_16, _mm256_andnot_si256(nan, magnitude));
  }
#endif
  const __m128i of_8 =
      _mm_max_epi16(_mm256_castsi256_si128(of_16), _mm256_extracti128_si256(of_16, 1));
  const __m128i least = _mm_minpos_epu16(_mm_xor_si128(of_8, _mm_set1_epi16(0x7FFF)));
  largest = 0x7FFF ^ _mm_extract_epi16(least, 0);
#endif
  int16_t rest = 0;
  for (; i < count; ++i) {
    const int16_t magnitude = (int16_t)(from[i] & 0x7FFF);
    const int16_t number = magnitude > infinite ? 0 : magnitude;
    rest = number > rest ? number : rest;
  }
  return (uint16_t)(rest > largest ? rest : largest);
}

KVF_INLINE uint32_t kvf_largest_bf16(const uint16_t *from, int64_t count) {
  return kvf_bits(kvf_f32_from_bf16(kvf_largest_half(from, count, 0x7F80)));
}

KVF_INLINE uint32_t kvf_largest_f16(const uint16_t *from, int64_t count) {
  return kvf_bits(kvf_f32_from_f16(kvf_largest_half(from, count, 0x7C00)));
}

KVF_INLINE uint32_t kvf_largest_f32(const float *from, int64_t count) {
  int32_t largest = 0;
  int64_t i = 0;
#if defined(__AVX2__)
#if defined(__AVX512BW__)
  __m512i most = _mm512_setzero_si512();
  for (; i + 16 <= count; i += 16) {
    const __m512i bits = _mm512_castps_si512(_mm512_loadu_ps(from + i));
    const __m512i magnitude = _mm512_and_si512(bits, _mm512_set1_epi32(0x7FFFFFFF));
    const __mmask16 number = _mm512_cmple_epi32_mask(magnitude, _mm512_set1_epi32(0x7F800000));
    most = _mm512_mask_max_epi32(most, number, most, magnitude);
  }
  const __m256i of_8 =
      _mm256_max_epi32(_mm512_castsi512_si256(most), _mm512_extracti64x4_epi64(most, 1));
#else
  __m256i of_8 = _mm256_setzero_si256();
  for (; i + 8 <= count; i += 8) {
    const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(from + i));
    const __m256i magnitude = _mm256_and_si256(bits, _mm256_set1_epi32(0x7FFFFFFF));
    const __m256i nan = _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7F800000));
    of_8 = _mm256_max_epi32(of_8, _mm256_andnot_si256(nan, magnitude));
  }
#endif
  const __m128i of_4 =
      _mm_max_epi32(_mm256_castsi256_si128(of_8), _mm256_extracti128_si256(of_8, 1));
  const __m128i of_2 = _mm_max_epi32(of_4, _mm_shuffle_epi32(of_4, 0x4E));
  largest = _mm_cvtsi128_si32(_mm_max_epi32(of_2, _mm_shuffle_epi32(of_2, 0xB1)));
#endif
  int32_t rest = 0;
  for (; i < count; ++i) {
    const int32_t magnitude = (int32_t)(kvf_bits(from[i]) & 0x7FFFFFFFu);
    const int32_t number = magnitude > 0x7F800000 ? 0 : magnitude;
    rest = number > rest ? number : rest;
  }
  return (uint32_t)(rest > largest ? rest : largest);
}

#endif
