/*
 * Elements to codes of 8 bits on the CPU, in pairs of vectors: widened, divided, encoded and packed
 * without a word of it in memory. Compilers make vector code of fp8.h and int8.h, too, but widen
 * through shuffles, take a minimum and a choice where one instruction does both, and keep the words
 * of a row on the stack. The bits are the same.
 *
 * KVF_PAIR is the number of elements in a pair; where it is not defined, plain code has to do.
 */
#ifndef KVFORGE_CPU_CODES_H
#define KVFORGE_CPU_CODES_H

#include "kvforge/cpu_kernel.h"

#if defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)

#define KVF_PAIR 32

typedef __m512 kvf_floats;
typedef __m512i kvf_words;

KVF_INLINE kvf_floats kvf_products(kvf_floats x, float factor) {
  return _mm512_mul_ps(x, _mm512_set1_ps(factor));
}

/*
 * x / scale as kvf_quotient() has it. Quotients are cut off at 2^16, where every code is the
 * largest, before a remainder is taken, which has the sign of what was cut off.
 */
KVF_INLINE kvf_floats kvf_quotients(kvf_floats x, kvf_divisor by) {
  const kvf_floats inverse = _mm512_set1_ps(by.inverse);
  const kvf_floats q = _mm512_range_ps(_mm512_mul_ps(x, inverse), _mm512_set1_ps(65536.0f), 0x2);
  return _mm512_fnmadd_ps(_mm512_fmsub_ps(q, _mm512_set1_ps(by.scale), x), inverse, q);
}

/* The lesser of |x| and `most`; `most` for a NaN. */
KVF_INLINE kvf_words kvf_limited_magnitudes(kvf_floats x, float most) {
  return _mm512_castps_si512(_mm512_range_ps(x, _mm512_set1_ps(most), 0xA));
}

KVF_INLINE kvf_words kvf_added(kvf_words x, kvf_words y) { /* as floats */
  return _mm512_castps_si512(_mm512_add_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(y)));
}

/* A code with the sign of x; that of a NaN if x is one. */
KVF_INLINE kvf_words kvf_signed_fp8(kvf_words code, kvf_floats x) {
  const kvf_words sign = _mm512_srli_epi32(_mm512_castps_si512(x), 24);
  const kvf_words nan_code = _mm512_set1_epi32(0x7F); /* and the bits that are not the sign */
  return _mm512_mask_mov_epi32(_mm512_ternarylogic_epi32(nan_code, code, sign, 0xCA),
                               _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan_code);
}

/* The codecs of fp8.h and int8.h. */
KVF_INLINE kvf_words kvf_fp8_e4m3_words(kvf_floats x) {
  const kvf_words limited = kvf_limited_magnitudes(x, 448.0f);
  const kvf_words exponent = _mm512_and_si512(limited, _mm512_set1_epi32(0x7F800000));
  const kvf_words scale = _mm512_max_epi32(exponent, _mm512_set1_epi32(0x3C800000)); /* 2^-6 */
  const kvf_words magic =
      _mm512_add_epi32(scale, _mm512_set1_epi32((20 << 23) + (-(121 << 3) & 0xFF)));
  const kvf_words sum = kvf_added(limited, magic);
  return kvf_signed_fp8(_mm512_add_epi32(sum, _mm512_srli_epi32(scale, 20)), x);
}

KVF_INLINE kvf_words kvf_fp8_e5m2_words(kvf_floats x) {
  const kvf_words limited = kvf_limited_magnitudes(x, 57344.0f);
  const kvf_words exponent = _mm512_and_si512(limited, _mm512_set1_epi32(0x7F800000));
  const kvf_words scale = _mm512_max_epi32(exponent, _mm512_set1_epi32(0x38800000)); /* 2^-14 */
  const kvf_words magic =
      _mm512_add_epi32(scale, _mm512_set1_epi32((21 << 23) + (-(113 << 2) & 0xFF)));
  const kvf_words sum = kvf_added(limited, magic);
  return kvf_signed_fp8(_mm512_add_epi32(sum, _mm512_srli_epi32(scale, 21)), x);
}

/* A NaN is always the second operand, which is what minimum and maximum then are. */
KVF_INLINE kvf_floats kvf_limited(kvf_floats x, float least, float most) {
  return _mm512_min_ps(_mm512_set1_ps(most), _mm512_max_ps(_mm512_set1_ps(least), x));
}

/* Adds what is nearly or just one half away from 0, and drops what is behind the point. */
KVF_INLINE kvf_words kvf_away_words(kvf_floats x, float half, float least, float most) {
  const kvf_words sign = _mm512_set1_epi32((int32_t)0x80000000u);
  const kvf_words addend = _mm512_ternarylogic_epi32(
      sign, _mm512_castps_si512(x), _mm512_castps_si512(_mm512_set1_ps(half)), 0xCA);
  return _mm512_cvttps_epi32(
      kvf_limited(_mm512_add_ps(x, _mm512_castsi512_ps(addend)), least, most));
}

/* Of a NaN these conversions make 0x80000000. */
KVF_INLINE kvf_words kvf_int8_words(kvf_floats x) {
  return _mm512_cvtps_epi32(kvf_limited(x, -128.0f, 127.0f));
}

KVF_INLINE kvf_words kvf_int8_away_words(kvf_floats x) {
  return kvf_away_words(x, 0.5f, -128.0f, 127.0f);
}

/* A pair: of bf16 the elements at even places and those at odd ones, else one half and the other.
 */
KVF_INLINE void kvf_load_pair_bf16(kvf_floats pair[2], const uint16_t *from) {
  const kvf_words both = _mm512_loadu_si512(from);
  const kvf_words odd = _mm512_set1_epi32((int32_t)0xFFFF0000u);
  pair[0] = _mm512_castsi512_ps(_mm512_slli_epi32(both, 16));
  pair[1] = _mm512_castsi512_ps(_mm512_and_si512(both, odd));
}

KVF_INLINE void kvf_load_pair_f16(kvf_floats pair[2], const uint16_t *from) {
  const __m256i *const halves = (const __m256i *)(const void *)from;
  pair[0] = _mm512_cvtph_ps(_mm256_loadu_si256(halves));
  pair[1] = _mm512_cvtph_ps(_mm256_loadu_si256(halves + 1));
}

KVF_INLINE void kvf_load_pair_f32(kvf_floats pair[2], const float *from) {
  pair[0] = _mm512_loadu_ps(from);
  pair[1] = _mm512_loadu_ps(from + 16);
}

/* Words of bf16 as codes. */
KVF_INLINE void kvf_store_codes_bf16(void *to, kvf_words even, kvf_words odd) {
  const kvf_words low = _mm512_set1_epi32(0xFF);
  const kvf_words both = _mm512_ternarylogic_epi32(low, even, _mm512_slli_epi32(odd, 8), 0xCA);
  _mm256_storeu_si256((__m256i *)to, _mm512_cvtepi32_epi16(both));
}

/* Packing goes by quarters of a register, whose order is put right. */
KVF_INLINE void kvf_store_codes_f32(void *to, kvf_words low, kvf_words high) {
  const kvf_words order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  const kvf_words both = _mm512_permutexvar_epi64(order, _mm512_packs_epi32(low, high));
  _mm256_storeu_si256((__m256i *)to, _mm512_cvtepi16_epi8(both));
}

KVF_INLINE void kvf_store_codes_f16(void *to, kvf_words low, kvf_words high) {
  kvf_store_codes_f32(to, low, high);
}

#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)

#define KVF_PAIR 16

typedef __m256 kvf_floats;
typedef __m256i kvf_words;

KVF_INLINE kvf_floats kvf_products(kvf_floats x, float factor) {
  return _mm256_mul_ps(x, _mm256_set1_ps(factor));
}

/* The same. A NaN is always the second operand, which is what minimum and maximum then are. */
KVF_INLINE kvf_floats kvf_quotients(kvf_floats x, kvf_divisor by) {
  const kvf_floats inverse = _mm256_set1_ps(by.inverse);
  const kvf_floats below = _mm256_min_ps(_mm256_set1_ps(65536.0f), _mm256_mul_ps(x, inverse));
  const kvf_floats q = _mm256_max_ps(_mm256_set1_ps(-65536.0f), below);
  return _mm256_fnmadd_ps(_mm256_fmsub_ps(q, _mm256_set1_ps(by.scale), x), inverse, q);
}

/* The lesser of |x| and `most`; `most` for a NaN. */
KVF_INLINE kvf_words kvf_limited_magnitudes(kvf_floats x, float most) {
  const kvf_floats magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
  return _mm256_castps_si256(_mm256_min_ps(magnitude, _mm256_set1_ps(most)));
}

KVF_INLINE kvf_words kvf_added(kvf_words x, kvf_words y) { /* as floats */
  return _mm256_castps_si256(_mm256_add_ps(_mm256_castsi256_ps(x), _mm256_castsi256_ps(y)));
}

/* A code with the sign of x; that of a NaN if x is one. */
KVF_INLINE kvf_words kvf_signed_fp8(kvf_words code, kvf_floats x) {
  const kvf_words sign =
      _mm256_and_si256(_mm256_srli_epi32(_mm256_castps_si256(x), 24), _mm256_set1_epi32(0x80));
  const kvf_words nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  return _mm256_blendv_epi8(_mm256_or_si256(code, sign), _mm256_set1_epi32(0x7F), nan);
}

/* The codecs of fp8.h and int8.h. What words have above their low byte is not defined. */
KVF_INLINE kvf_words kvf_fp8_e4m3_words(kvf_floats x) {
  const kvf_words limited = kvf_limited_magnitudes(x, 448.0f);
  const kvf_words exponent = _mm256_and_si256(limited, _mm256_set1_epi32(0x7F800000));
  const kvf_words scale = _mm256_max_epi32(exponent, _mm256_set1_epi32(0x3C800000)); /* 2^-6 */
  const kvf_words magic =
      _mm256_add_epi32(scale, _mm256_set1_epi32((20 << 23) + (-(121 << 3) & 0xFF)));
  const kvf_words sum = kvf_added(limited, magic);
  return kvf_signed_fp8(_mm256_add_epi32(sum, _mm256_srli_epi32(scale, 20)), x);
}

KVF_INLINE kvf_words kvf_fp8_e5m2_words(kvf_floats x) {
  const kvf_words limited = kvf_limited_magnitudes(x, 57344.0f);
  const kvf_words exponent = _mm256_and_si256(limited, _mm256_set1_epi32(0x7F800000));
  const kvf_words scale = _mm256_max_epi32(exponent, _mm256_set1_epi32(0x38800000)); /* 2^-14 */
  const kvf_words magic =
      _mm256_add_epi32(scale, _mm256_set1_epi32((21 << 23) + (-(113 << 2) & 0xFF)));
  const kvf_words sum = kvf_added(limited, magic);
  return kvf_signed_fp8(_mm256_add_epi32(sum, _mm256_srli_epi32(scale, 21)), x);
}

KVF_INLINE kvf_floats kvf_limited(kvf_floats x, float least, float most) {
  return _mm256_min_ps(_mm256_set1_ps(most), _mm256_max_ps(_mm256_set1_ps(least), x));
}

/* Adds what is nearly or just one half away from 0, and drops what is behind the point. */
KVF_INLINE kvf_words kvf_away_words(kvf_floats x, float half, float least, float most) {
  const kvf_floats sign = _mm256_and_ps(x, _mm256_set1_ps(-0.0f));
  const kvf_floats addend = _mm256_or_ps(sign, _mm256_set1_ps(half));
  return _mm256_cvttps_epi32(kvf_limited(_mm256_add_ps(x, addend), least, most));
}

/* Of a NaN these conversions make 0x80000000. */
KVF_INLINE kvf_words kvf_int8_words(kvf_floats x) {
  return _mm256_cvtps_epi32(kvf_limited(x, -128.0f, 127.0f));
}

KVF_INLINE kvf_words kvf_int8_away_words(kvf_floats x) {
  return kvf_away_words(x, 0.5f, -128.0f, 127.0f);
}

/* A pair: of bf16 the elements at even places and those at odd ones, else one half and the other.
 */
KVF_INLINE void kvf_load_pair_bf16(kvf_floats pair[2], const uint16_t *from) {
  const kvf_words both = _mm256_loadu_si256((const __m256i *)(const void *)from);
  const kvf_words odd = _mm256_set1_epi32((int32_t)0xFFFF0000u);
  pair[0] = _mm256_castsi256_ps(_mm256_slli_epi32(both, 16));
  pair[1] = _mm256_castsi256_ps(_mm256_and_si256(both, odd));
}

KVF_INLINE void kvf_load_pair_f16(kvf_floats pair[2], const uint16_t *from) {
  const __m128i *const halves = (const __m128i *)(const void *)from;
  pair[0] = _mm256_cvtph_ps(_mm_loadu_si128(halves));
  pair[1] = _mm256_cvtph_ps(_mm_loadu_si128(halves + 1));
}

KVF_INLINE void kvf_load_pair_f32(kvf_floats pair[2], const float *from) {
  pair[0] = _mm256_loadu_ps(from);
  pair[1] = _mm256_loadu_ps(from + 8);
}

/* Words of bf16 as codes. */
KVF_INLINE void kvf_store_codes_bf16(void *to, kvf_words even, kvf_words odd) {
  const kvf_words low = _mm256_and_si256(even, _mm256_set1_epi32(0xFF));
  const kvf_words high = _mm256_slli_epi32(_mm256_and_si256(odd, _mm256_set1_epi32(0xFF)), 8);
  const kvf_words both = _mm256_or_si256(low, high);
  const __m128i codes =
      _mm_packus_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  _mm_storeu_si128((__m128i *)to, codes);
}

KVF_INLINE void kvf_store_codes_f32(void *to, kvf_words low, kvf_words high) {
  const kvf_words byte = _mm256_set1_epi32(0xFF);
  const kvf_words both = _mm256_permute4x64_epi64(
      _mm256_packus_epi32(_mm256_and_si256(low, byte), _mm256_and_si256(high, byte)), 0xD8);
  const __m128i codes =
      _mm_packus_epi16(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  _mm_storeu_si128((__m128i *)to, codes);
}

KVF_INLINE void kvf_store_codes_f16(void *to, kvf_words low, kvf_words high) {
  kvf_store_codes_f32(to, low, high);
}

#endif

#endif
