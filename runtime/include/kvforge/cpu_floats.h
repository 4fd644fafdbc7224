/*
 * Registers of floats on the CPU, as wide as the isa level has them, for loops whose numbers are to
 * stay in registers between their steps: widened, multiplied, and narrowed as they are stored.
 */
#ifndef KVFORGE_CPU_FLOATS_H
#define KVFORGE_CPU_FLOATS_H

#include "kvforge/cpu_kernel.h"

#if defined(__AVX512F__)
enum { KVF_WIDTH = 16 };
#elif defined(__AVX2__)
enum { KVF_WIDTH = 8 };
#else
enum { KVF_WIDTH = 4 };
#endif

typedef float kvf_floats __attribute__((vector_size(4 * KVF_WIDTH)));
typedef uint32_t kvf_float_bits __attribute__((vector_size(4 * KVF_WIDTH)));

/* Elements that are worked on together: a whole register of 16-bit results on every level. */
enum { KVF_SPAN = 32, KVF_SPAN_PARTS = (int)KVF_SPAN / (int)KVF_WIDTH };

KVF_INLINE kvf_floats kvf_load_floats(const float *from) {
  kvf_floats floats;
  memcpy(&floats, from, sizeof floats);
  return floats;
}

KVF_INLINE void kvf_store_floats(float *to, kvf_floats floats) {
  memcpy(to, &floats, sizeof floats);
}

/* Registers one by one: what compilers copy as a whole goes in smaller parts than are read then. */
KVF_INLINE void kvf_load_span(kvf_floats wide[KVF_SPAN_PARTS], const float *from) {
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    wide[i] = kvf_load_floats(from + i * KVF_WIDTH);
  }
}

KVF_INLINE void kvf_store_span(float *to, const kvf_floats wide[KVF_SPAN_PARTS]) {
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    kvf_store_floats(to + i * KVF_WIDTH, wide[i]);
  }
}

/* Widens KVF_SPAN elements. */
KVF_INLINE void kvf_widen_span_f32(kvf_floats wide[KVF_SPAN_PARTS], const float *from) {
  kvf_load_span(wide, from);
}
KVF_INLINE void kvf_widen_span_f16(kvf_floats wide[KVF_SPAN_PARTS], const uint16_t *from) {
#if defined(__AVX512F__)
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    wide[i] = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(from + 16 * i)));
  }
#elif defined(__AVX2__) && defined(__F16C__)
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    wide[i] = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from + 8 * i)));
  }
#else
  float row[KVF_SPAN];
  kvf_widen_f16(row, from, KVF_SPAN);
  kvf_load_span(wide, row);
#endif
}
KVF_INLINE void kvf_widen_span_bf16(kvf_floats wide[KVF_SPAN_PARTS], const uint16_t *from) {
#if defined(__AVX512F__)
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    const __m256i part = _mm256_loadu_si256((const __m256i *)(from + 16 * i));
    wide[i] = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(part), 16));
  }
#elif defined(__AVX2__)
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    const __m128i part = _mm_loadu_si128((const __m128i *)(from + 8 * i));
    wide[i] = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(part), 16));
  }
#else
  float row[KVF_SPAN];
  for (int i = 0; i < KVF_SPAN; ++i) {
    row[i] = kvf_f32_from_bf16(from[i]);
  }
  kvf_load_span(wide, row);
#endif
}

/* Rounds KVF_SPAN floats to what a scalar dtype can hold, with the bits of the functions for rows.
 */
KVF_INLINE void kvf_round_span_f32(kvf_floats wide[KVF_SPAN_PARTS]) { (void)wide; }
KVF_INLINE void kvf_round_span_f16(kvf_floats wide[KVF_SPAN_PARTS]) {
#if defined(__AVX512F__)
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    wide[i] =
        _mm512_cvtph_ps(_mm512_cvtps_ph(wide[i], _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
#elif defined(__AVX2__) && defined(__F16C__)
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    wide[i] =
        _mm256_cvtph_ps(_mm256_cvtps_ph(wide[i], _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
#else
  float row[KVF_SPAN];
  kvf_store_span(row, wide);
  kvf_round_row_f16(row, KVF_SPAN);
  kvf_load_span(wide, row);
#endif
}
KVF_INLINE void kvf_round_span_bf16(kvf_floats wide[KVF_SPAN_PARTS]) {
#if defined(__AVX2__)
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    wide[i] = (kvf_floats)((kvf_float_bits)kvf_round_to_upper(wide[i]) & 0xFFFF0000u);
  }
#else
  float row[KVF_SPAN];
  kvf_store_span(row, wide);
  kvf_round_row_bf16(row, KVF_SPAN);
  kvf_load_span(wide, row);
#endif
}

/* The same of numbers, NaNs being none. */
KVF_INLINE void kvf_round_numbers_f32(kvf_floats wide[KVF_SPAN_PARTS]) { (void)wide; }
KVF_INLINE void kvf_round_numbers_f16(kvf_floats wide[KVF_SPAN_PARTS]) { kvf_round_span_f16(wide); }
KVF_INLINE void kvf_round_numbers_bf16(kvf_floats wide[KVF_SPAN_PARTS]) {
#if defined(__AVX2__)
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    wide[i] = (kvf_floats)((kvf_float_bits)kvf_round_numbers_to_upper(wide[i]) & 0xFFFF0000u);
  }
#else
  kvf_round_span_bf16(wide);
#endif
}

/* Narrows KVF_SPAN floats, with the bits of the functions for rows. */
KVF_INLINE void kvf_narrow_span_f16(uint16_t *to, const kvf_floats wide[KVF_SPAN_PARTS]) {
#if defined(__AVX512BW__)
  enum { NEAREST = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
  const __m512i bits = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtps_ph(wide[0], NEAREST)),
                                          _mm512_cvtps_ph(wide[1], NEAREST), 1);
  const __mmask16 low = _mm512_cmp_ps_mask(wide[0], wide[0], _CMP_UNORD_Q);
  const __mmask16 high = _mm512_cmp_ps_mask(wide[1], wide[1], _CMP_UNORD_Q);
  const __mmask32 nan = _mm512_kunpackw(high, low);
  _mm512_storeu_si512(to, _mm512_mask_mov_epi16(bits, nan, _mm512_set1_epi16(0x7FFF)));
#else
  float row[KVF_SPAN];
  kvf_store_span(row, wide);
  kvf_narrow_f16(to, row, KVF_SPAN);
#endif
}

KVF_INLINE void kvf_narrow_span_bf16(uint16_t *to, const kvf_floats wide[KVF_SPAN_PARTS]) {
#if defined(__AVX512BW__)
  _mm512_storeu_si512(to, kvf_bf16_of_32(wide[0], wide[1]));
#elif defined(__AVX2__)
  for (int i = 0; i < 2; ++i) {
    _mm256_storeu_si256((__m256i *)(void *)(to + 16 * i),
                        kvf_bf16_of_16(wide[2 * i], wide[2 * i + 1]));
  }
#else
  float row[KVF_SPAN];
  kvf_store_span(row, wide);
  kvf_narrow_bf16(to, row, KVF_SPAN);
#endif
}

/* The only NaN is 0x7FFFFFFF, as of all functions that narrow. */
KVF_INLINE void kvf_narrow_span_f32(float *to, const kvf_floats wide[KVF_SPAN_PARTS]) {
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    const kvf_float_bits nan = (kvf_float_bits)(wide[i] != wide[i]);
    const kvf_float_bits bits = ((kvf_float_bits)wide[i] & ~nan) | (nan & 0x7FFFFFFFu);
    memcpy(to + i * KVF_WIDTH, &bits, sizeof bits);
  }
}

/* The same of numbers, NaNs being none. */
KVF_INLINE void kvf_narrow_span_numbers_f32(float *to, const kvf_floats wide[KVF_SPAN_PARTS]) {
  kvf_store_span(to, wide);
}

KVF_INLINE void kvf_narrow_span_numbers_f16(uint16_t *to, const kvf_floats wide[KVF_SPAN_PARTS]) {
#if defined(__AVX2__) && defined(__F16C__)
  enum { NEAREST = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
#if defined(__AVX512F__)
    _mm256_storeu_si256((__m256i *)(void *)(to + 16 * i), _mm512_cvtps_ph(wide[i], NEAREST));
#else
    _mm_storeu_si128((__m128i *)(void *)(to + 8 * i), _mm256_cvtps_ph(wide[i], NEAREST));
#endif
  }
#else
  kvf_narrow_span_f16(to, wide);
#endif
}

KVF_INLINE void kvf_narrow_span_numbers_bf16(uint16_t *to, const kvf_floats wide[KVF_SPAN_PARTS]) {
#if defined(__AVX512BW__)
  _mm512_storeu_si512(to, kvf_upper_halves(kvf_round_numbers_to_upper(wide[0]),
                                           kvf_round_numbers_to_upper(wide[1])));
#elif defined(__AVX2__)
  for (int i = 0; i < 2; ++i) {
    _mm256_storeu_si256((__m256i *)(void *)(to + 16 * i),
                        kvf_upper_halves(kvf_round_numbers_to_upper(wide[2 * i]),
                                         kvf_round_numbers_to_upper(wide[2 * i + 1])));
  }
#else
  kvf_narrow_span_bf16(to, wide);
#endif
}

/* Elements of a span of which even and odd ones are in registers of their own, in their order. */
enum { KVF_HALF_PARTS = (int)KVF_SPAN_PARTS / 2 };
KVF_INLINE void kvf_zip_span(kvf_floats wide[KVF_SPAN_PARTS], const kvf_floats even[KVF_HALF_PARTS],
                             const kvf_floats odd[KVF_HALF_PARTS]) {
#if defined(__AVX512F__)
#define KVF_ZIPPED_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define KVF_ZIPPED_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif defined(__AVX2__)
#define KVF_ZIPPED_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define KVF_ZIPPED_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define KVF_ZIPPED_LOW 0, 4, 1, 5
#define KVF_ZIPPED_HIGH 2, 6, 3, 7
#endif
  for (int i = 0; i < KVF_HALF_PARTS; ++i) {
    wide[2 * i] = __builtin_shufflevector(even[i], odd[i], KVF_ZIPPED_LOW);
    wide[2 * i + 1] = __builtin_shufflevector(even[i], odd[i], KVF_ZIPPED_HIGH);
  }
}

KVF_INLINE void kvf_store_zipped(float *to, const kvf_floats even[KVF_HALF_PARTS],
                                 const kvf_floats odd[KVF_HALF_PARTS]) {
  kvf_floats wide[KVF_SPAN_PARTS];
  kvf_zip_span(wide, even, odd);
  kvf_store_span(to, wide);
}

/* Narrows such a span. */
KVF_INLINE void kvf_narrow_zipped_f32(float *to, const kvf_floats even[KVF_HALF_PARTS],
                                      const kvf_floats odd[KVF_HALF_PARTS]) {
  kvf_floats wide[KVF_SPAN_PARTS];
  kvf_zip_span(wide, even, odd);
  kvf_narrow_span_f32(to, wide);
}

KVF_INLINE void kvf_narrow_zipped_f16(uint16_t *to, const kvf_floats even[KVF_HALF_PARTS],
                                      const kvf_floats odd[KVF_HALF_PARTS]) {
  kvf_floats wide[KVF_SPAN_PARTS];
  kvf_zip_span(wide, even, odd);
  kvf_narrow_span_f16(to, wide);
}

KVF_INLINE void kvf_narrow_zipped_bf16(uint16_t *to, const kvf_floats even[KVF_HALF_PARTS],
                                       const kvf_floats odd[KVF_HALF_PARTS]) {
#if defined(__AVX2__) /* an odd element is the upper half of a word */
  for (int i = 0; i < KVF_HALF_PARTS; ++i) {
    const kvf_float_bits low = (kvf_float_bits)kvf_round_to_upper(even[i]) >> 16;
    const kvf_float_bits high = (kvf_float_bits)kvf_round_to_upper(odd[i]) & 0xFFFF0000u;
    const kvf_float_bits words = low | high;
    memcpy(to + 2 * KVF_WIDTH * i, &words, sizeof words);
  }
#else
  kvf_floats wide[KVF_SPAN_PARTS];
  kvf_zip_span(wide, even, odd);
  kvf_narrow_span_bf16(to, wide);
#endif
}

/* The same of numbers, NaNs being none. */
KVF_INLINE void kvf_narrow_zipped_numbers_bf16(uint16_t *to, const kvf_floats even[KVF_HALF_PARTS],
                                               const kvf_floats odd[KVF_HALF_PARTS]) {
#if defined(__AVX512BW__)
  const __m512i upper =
      _mm512_set_epi16(63, 31, 61, 29, 59, 27, 57, 25, 55, 23, 53, 21, 51, 19, 49, 17, 47, 15, 45,
                       13, 43, 11, 41, 9, 39, 7, 37, 5, 35, 3, 33, 1);
  _mm512_storeu_si512(to, _mm512_permutex2var_epi16(kvf_round_numbers_to_upper(even[0]), upper,
                                                    kvf_round_numbers_to_upper(odd[0])));
#else
  for (int i = 0; i < KVF_HALF_PARTS; ++i) {
#if defined(__AVX2__)
    const kvf_float_bits low = (kvf_float_bits)kvf_round_numbers_to_upper(even[i]) >> 16;
    const kvf_float_bits high = (kvf_float_bits)kvf_round_numbers_to_upper(odd[i]) & 0xFFFF0000u;
    const kvf_float_bits words = low | high;
#else
    const kvf_float_bits low = (kvf_float_bits)even[i];
    const kvf_float_bits high = (kvf_float_bits)odd[i];
    const kvf_float_bits words = (low + 0x7FFFu + (low >> 16 & 1)) >> 16 |
                                 ((high + 0x7FFFu + (high >> 16 & 1)) & 0xFFFF0000u);
#endif
    memcpy(to + 2 * KVF_WIDTH * i, &words, sizeof words);
  }
#endif
}

/* Widens two spans of which even and odd elements go to registers of their own. */
KVF_INLINE void kvf_unzip_spans(kvf_floats even[KVF_SPAN_PARTS], kvf_floats odd[KVF_SPAN_PARTS],
                                const kvf_floats wide[2 * KVF_SPAN_PARTS]) {
#if defined(__AVX512F__)
#define KVF_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define KVF_ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#elif defined(__AVX2__)
#define KVF_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define KVF_ODD 1, 3, 5, 7, 9, 11, 13, 15
#else
#define KVF_EVEN 0, 2, 4, 6
#define KVF_ODD 1, 3, 5, 7
#endif
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    even[i] = __builtin_shufflevector(wide[2 * i], wide[2 * i + 1], KVF_EVEN);
    odd[i] = __builtin_shufflevector(wide[2 * i], wide[2 * i + 1], KVF_ODD);
  }
}

KVF_INLINE void kvf_unzip_span_f32(kvf_floats even[KVF_SPAN_PARTS], kvf_floats odd[KVF_SPAN_PARTS],
                                   const float *from) {
  kvf_floats wide[2 * KVF_SPAN_PARTS];
  kvf_widen_span_f32(wide, from);
  kvf_widen_span_f32(wide + KVF_SPAN_PARTS, from + KVF_SPAN);
  kvf_unzip_spans(even, odd, wide);
}

KVF_INLINE void kvf_unzip_span_f16(kvf_floats even[KVF_SPAN_PARTS], kvf_floats odd[KVF_SPAN_PARTS],
                                   const uint16_t *from) {
  kvf_floats wide[2 * KVF_SPAN_PARTS];
  kvf_widen_span_f16(wide, from);
  kvf_widen_span_f16(wide + KVF_SPAN_PARTS, from + KVF_SPAN);
  kvf_unzip_spans(even, odd, wide);
}

KVF_INLINE void kvf_unzip_span_bf16(kvf_floats even[KVF_SPAN_PARTS], kvf_floats odd[KVF_SPAN_PARTS],
                                    const uint16_t *from) {
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) { /* an odd element is the upper half of a word */
    kvf_float_bits words;
    memcpy(&words, from + 2 * KVF_WIDTH * i, sizeof words);
    even[i] = (kvf_floats)(words << 16);
    odd[i] = (kvf_floats)(words & 0xFFFF0000u);
  }
}

/*
 * A span whose elements may be in any order, as long as all that goes with them is: that in which
 * they are loaded and stored fastest, of bf16 the even ones first, for functions of what is zipped.
 */
KVF_INLINE void kvf_take_span_f32(kvf_floats wide[KVF_SPAN_PARTS], const float *from) {
  kvf_widen_span_f32(wide, from);
}
KVF_INLINE void kvf_take_span_f16(kvf_floats wide[KVF_SPAN_PARTS], const uint16_t *from) {
  kvf_widen_span_f16(wide, from);
}
KVF_INLINE void kvf_take_span_bf16(kvf_floats wide[KVF_SPAN_PARTS], const uint16_t *from) {
  for (int i = 0; i < KVF_HALF_PARTS; ++i) {
    kvf_float_bits words;
    memcpy(&words, from + 2 * KVF_WIDTH * i, sizeof words);
    wide[i] = (kvf_floats)(words << 16);
    wide[KVF_HALF_PARTS + i] = (kvf_floats)(words & 0xFFFF0000u);
  }
}

/* Brings what goes with the elements of such a span into their order. */
KVF_INLINE void kvf_order_span_bf16(float *numbers) {
  kvf_floats wide[KVF_SPAN_PARTS];
  kvf_load_span(wide, numbers);
  for (int i = 0; i < KVF_HALF_PARTS; ++i) {
    const kvf_floats even = __builtin_shufflevector(wide[2 * i], wide[2 * i + 1], KVF_EVEN);
    const kvf_floats odd = __builtin_shufflevector(wide[2 * i], wide[2 * i + 1], KVF_ODD);
    kvf_store_floats(numbers + i * KVF_WIDTH, even);
    kvf_store_floats(numbers + (KVF_HALF_PARTS + i) * KVF_WIDTH, odd);
  }
}

#endif
