/*
 * Numbers to codes of fp8 on the CPU: of floats of which none is a NaN and none so large that it
 * may overflow, in half of the instructions that cpu_codes.h takes. The bits are the same.
 *
 * With the power of two of a number its quantum is known, and adding one that is as many times as
 * large as a register has bits to spare rounds it, in a float of the number's own sign: whose
 * exponent and last bits are those of the code. One multiplication of halves of words adds both.
 * Rounding to bf16 before that needs the same power of two. Divisors that are powers of two take
 * nothing: limits are multiplied by them instead.
 */
#ifndef KVFORGE_CPU_NUMBERS_H
#define KVFORGE_CPU_NUMBERS_H

#include "kvforge/cpu_codes.h"
#include "kvforge/cpu_floats.h"

#if defined(KVF_PAIR)

typedef struct kvf_fp8_encoding {
  float most;      /* that a code stands for */
  float least;     /* normal number */
  float magic;     /* a quantum is the last bit of so many times a power of two */
  int32_t factors; /* of the halves of a word */
  int32_t spare;   /* bits below a code */
} kvf_fp8_encoding;

/* Whether all is normal numbers still, and far from overflow, with this divisor. */
KVF_INLINE bool kvf_fp8_encoding_serves(float scale) {
  return scale >= 0x1p-40f && scale <= 0x1p40f;
}

/* Of codes with `bits` behind the point, a power of two as the scale; 127 + 20 is the exponent of
 * what has been added to a number of E4M3, and 6 or 14 that of its least normal one. */
KVF_INLINE kvf_fp8_encoding kvf_make_fp8_encoding(bool e4m3, float scale) {
  const int32_t bits = e4m3 ? 3 : 2;
  const int32_t exponent = (int32_t)(kvf_bits(scale) >> 23) - 127;
  const int32_t bias = e4m3 ? 127 + 20 - 6 : 127 + 21 - 14;
  kvf_fp8_encoding made;
  made.most = (e4m3 ? 448.0f : 57344.0f) * scale;
  made.least = (e4m3 ? 0x1p-6f : 0x1p-14f) * scale;
  made.magic =
      kvf_float((uint32_t)(((127 + 23 - bits) << 23) | (65536 - ((bias + exponent) << bits))));
  made.factors = 1 << 16 | 1 << (7 - bits);
  made.spare = 7 - bits;
  return made;
}

#if defined(__AVX512F__)

/* x / scale as far as a code can tell: kvf_near_quotient(). */
KVF_INLINE kvf_floats kvf_near_quotients(kvf_floats x, kvf_divisor by) {
  const kvf_floats inverse = _mm512_set1_ps(by.inverse);
  const kvf_floats q = _mm512_mul_ps(x, inverse);
  return _mm512_fnmadd_ps(_mm512_fmsub_ps(q, _mm512_set1_ps(by.scale), x), inverse, q);
}

/* The largest magnitude among so many registers of each of two rows, as the bits of a float. */
KVF_INLINE uint32_t kvf_largest_number(const kvf_floats *x, const kvf_floats *y, int count) {
  kvf_floats most = _mm512_range_ps(x[0], y[0], 0xB);
  for (int i = 1; i < count; ++i) {
    most = _mm512_range_ps(most, _mm512_range_ps(x[i], y[i], 0xB), 0xB);
  }
  return kvf_bits(_mm512_reduce_max_ps(most));
}

/* Words whose low halves have a code and, in the highest bit, its sign. `rounds`: to bf16 first. */
KVF_INLINE kvf_words kvf_fp8_halves(kvf_floats x, kvf_fp8_encoding as, bool rounds) {
  const kvf_floats spread = _mm512_set1_ps(65536.0f); /* a last bit of bf16 weighs as much less */
  const kvf_floats limited = _mm512_range_ps(x, _mm512_set1_ps(as.most), 0x2);
  const kvf_floats power = _mm512_castsi512_ps(
      _mm512_and_si512(_mm512_castps_si512(limited), _mm512_set1_epi32((int32_t)0xFF800000u)));
  kvf_floats number = limited;
  if (rounds) {
    number = _mm512_fnmadd_ps(power, spread, _mm512_fmadd_ps(power, spread, limited));
  }
  const kvf_floats scale = _mm512_range_ps(power, _mm512_set1_ps(as.least), 0x3);
  const kvf_floats sum = _mm512_fmadd_ps(scale, _mm512_set1_ps(as.magic), number);
  return _mm512_madd_epi16(_mm512_castps_si512(sum), _mm512_set1_epi32(as.factors));
}

/* Halves as codes in their low bytes. */
KVF_INLINE kvf_words kvf_fp8_of_halves(kvf_words halves, kvf_fp8_encoding as) {
  const kvf_words code = _mm512_srlv_epi16(halves, _mm512_set1_epi16((int16_t)as.spare));
  const kvf_words sign = _mm512_srli_epi16(halves, 8);
  return _mm512_ternarylogic_epi32(_mm512_set1_epi32(0x007F007F), code, sign, 0xCA);
}

/* 32 codes to each of two places, of even and odd elements that have registers of their own. */
KVF_INLINE void kvf_store_zipped_fp8(void *first, void *second, const kvf_words *first_even,
                                     const kvf_words *first_odd, const kvf_words *second_even,
                                     const kvf_words *second_odd, kvf_fp8_encoding as) {
  const kvf_words even = _mm512_packs_epi32(*first_even, *second_even);
  const kvf_words odd = _mm512_packs_epi32(*first_odd, *second_odd);
  const kvf_words in_quarters =
      _mm512_packus_epi16(kvf_fp8_of_halves(even, as), kvf_fp8_of_halves(odd, as));
  const __m128i zipped = _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  const kvf_words pairs = _mm512_shuffle_epi8(in_quarters, _mm512_broadcast_i32x4(zipped));
  const kvf_words order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  const kvf_words codes = _mm512_permutexvar_epi64(order, pairs);
  _mm256_storeu_si256((__m256i *)first, _mm512_castsi512_si256(codes));
  _mm256_storeu_si256((__m256i *)second, _mm512_extracti64x4_epi64(codes, 1));
}

/* The same of elements in their order. */
KVF_INLINE void kvf_store_fp8(void *first, void *second, const kvf_words *x, const kvf_words *y,
                              kvf_fp8_encoding as) {
  const kvf_words in_quarters =
      _mm512_packus_epi16(kvf_fp8_of_halves(_mm512_packs_epi32(x[0], x[1]), as),
                          kvf_fp8_of_halves(_mm512_packs_epi32(y[0], y[1]), as));
  const kvf_words order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const kvf_words codes = _mm512_permutexvar_epi32(order, in_quarters);
  _mm256_storeu_si256((__m256i *)first, _mm512_castsi512_si256(codes));
  _mm256_storeu_si256((__m256i *)second, _mm512_extracti64x4_epi64(codes, 1));
}

#else

KVF_INLINE kvf_floats kvf_near_quotients(kvf_floats x, kvf_divisor by) {
  const kvf_floats inverse = _mm256_set1_ps(by.inverse);
  const kvf_floats q = _mm256_mul_ps(x, inverse);
  return _mm256_fnmadd_ps(_mm256_fmsub_ps(q, _mm256_set1_ps(by.scale), x), inverse, q);
}

KVF_INLINE uint32_t kvf_largest_number(const kvf_floats *x, const kvf_floats *y, int count) {
  const kvf_floats sign = _mm256_set1_ps(-0.0f);
  kvf_floats most = _mm256_setzero_ps();
  for (int i = 0; i < count; ++i) {
    const kvf_floats larger =
        _mm256_max_ps(_mm256_andnot_ps(sign, x[i]), _mm256_andnot_ps(sign, y[i]));
    most = _mm256_max_ps(most, larger);
  }
  const __m128 of_4 = _mm_max_ps(_mm256_castps256_ps128(most), _mm256_extractf128_ps(most, 1));
  const __m128 of_2 = _mm_max_ps(of_4, _mm_movehl_ps(of_4, of_4));
  return kvf_bits(_mm_cvtss_f32(_mm_max_ss(of_2, _mm_movehdup_ps(of_2))));
}

KVF_INLINE kvf_words kvf_fp8_halves(kvf_floats x, kvf_fp8_encoding as, bool rounds) {
  const kvf_floats spread = _mm256_set1_ps(65536.0f);
  const kvf_floats sign = _mm256_and_ps(x, _mm256_set1_ps(-0.0f));
  const kvf_floats magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
  const kvf_floats limited = _mm256_min_ps(magnitude, _mm256_set1_ps(as.most));
  const kvf_floats power =
      _mm256_and_ps(limited, _mm256_castsi256_ps(_mm256_set1_epi32(0x7F800000)));
  kvf_floats number = limited;
  if (rounds) {
    number = _mm256_fnmadd_ps(power, spread, _mm256_fmadd_ps(power, spread, limited));
  }
  const kvf_floats scale = _mm256_max_ps(power, _mm256_set1_ps(as.least));
  const kvf_floats sum = _mm256_fmadd_ps(scale, _mm256_set1_ps(as.magic), number);
  return _mm256_madd_epi16(_mm256_castps_si256(_mm256_or_ps(sum, sign)),
                           _mm256_set1_epi32(as.factors));
}

KVF_INLINE kvf_words kvf_fp8_of_halves(kvf_words halves, kvf_fp8_encoding as) {
  const kvf_words code = _mm256_srl_epi16(halves, _mm_cvtsi32_si128(as.spare));
  const kvf_words sign = _mm256_srli_epi16(halves, 8);
  return _mm256_or_si256(_mm256_and_si256(code, _mm256_set1_epi16(0x7F)),
                         _mm256_and_si256(sign, _mm256_set1_epi16(0x80)));
}

KVF_INLINE void kvf_store_32_zipped(void *to, const kvf_words *even, const kvf_words *odd,
                                    kvf_fp8_encoding as) {
  const kvf_words in_lanes =
      _mm256_packus_epi16(kvf_fp8_of_halves(_mm256_packs_epi32(even[0], even[1]), as),
                          kvf_fp8_of_halves(_mm256_packs_epi32(odd[0], odd[1]), as));
  const __m128i zipped = _mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  const kvf_words pairs = _mm256_shuffle_epi8(in_lanes, _mm256_broadcastsi128_si256(zipped));
  _mm256_storeu_si256((__m256i *)to, _mm256_permute4x64_epi64(pairs, 0xD8));
}

KVF_INLINE void kvf_store_zipped_fp8(void *first, void *second, const kvf_words *first_even,
                                     const kvf_words *first_odd, const kvf_words *second_even,
                                     const kvf_words *second_odd, kvf_fp8_encoding as) {
  kvf_store_32_zipped(first, first_even, first_odd, as);
  kvf_store_32_zipped(second, second_even, second_odd, as);
}

KVF_INLINE void kvf_store_32(void *to, const kvf_words *x, kvf_fp8_encoding as) {
  const kvf_words in_lanes =
      _mm256_packus_epi16(kvf_fp8_of_halves(_mm256_packs_epi32(x[0], x[1]), as),
                          kvf_fp8_of_halves(_mm256_packs_epi32(x[2], x[3]), as));
  const kvf_words order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  _mm256_storeu_si256((__m256i *)to, _mm256_permutevar8x32_epi32(in_lanes, order));
}

KVF_INLINE void kvf_store_fp8(void *first, void *second, const kvf_words *x, const kvf_words *y,
                              kvf_fp8_encoding as) {
  kvf_store_32(first, x, as);
  kvf_store_32(second, y, as);
}

#endif
#endif

#endif
