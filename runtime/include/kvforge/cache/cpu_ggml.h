/* Rows of ggml's formats on the CPU; kvforge/cache/ggml.h says what they are. */
#ifndef KVFORGE_CPU_GGML_H
#define KVFORGE_CPU_GGML_H

#include "kvforge/cache/cpu_spans.h"
#include "kvforge/cache/ggml.h"
#include "kvforge/cpu_codes.h"
#include "kvforge/cpu_largest.h"

KVF_INLINE float kvf_ggml_block_scale(const uint8_t *block) {
  uint16_t bits;
  memcpy(&bits, block, sizeof bits);
#if defined(__F16C__)
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits)));
#else
  return kvf_f32_from_f16(bits);
#endif
}

/* Whether its scale is a number, as all elements are then. */
KVF_INLINE bool kvf_ggml_is_finite(const uint8_t *block) { return (block[1] & 0x7C) != 0x7C; }

/* Decode one block, which is a span. */
KVF_INLINE void kvf_decode_span_q8_0(kvf_floats wide[KVF_SPAN_PARTS], const uint8_t *block) {
  const float scale = kvf_ggml_block_scale(block);
  kvf_widen_span_int8(wide, block + 2);
  for (int i = 0; i < KVF_SPAN_PARTS; ++i) {
    wide[i] *= scale;
  }
}

KVF_INLINE void kvf_decode_span_q4_0(kvf_floats wide[KVF_SPAN_PARTS], const uint8_t *block) {
  static const float numbers[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};
  const kvf_numbers scaled =
      kvf_scaled_numbers(kvf_load_numbers(numbers), kvf_ggml_block_scale(block));
  kvf_look_up_halves(wide, scaled, block + 2);
}

/* Decode a row; `count` is a multiple of a block. */
KVF_INLINE void kvf_decode_q8_0(float *__restrict to, const uint8_t *__restrict row,
                                int64_t count) {
  for (int64_t i = 0; i < count; i += KVF_GGML_BLOCK, row += KVF_Q8_0_BYTES) {
    kvf_floats wide[KVF_SPAN_PARTS];
    kvf_decode_span_q8_0(wide, row);
    kvf_store_span(to + i, wide);
  }
}

KVF_INLINE void kvf_decode_q4_0(float *__restrict to, const uint8_t *__restrict row,
                                int64_t count) {
  for (int64_t i = 0; i < count; i += KVF_GGML_BLOCK, row += KVF_Q4_0_BYTES) {
    kvf_floats wide[KVF_SPAN_PARTS];
    kvf_decode_span_q4_0(wide, row);
    kvf_store_span(to + i, wide);
  }
}

KVF_INLINE void kvf_put_ggml_scale(uint8_t *block, float scale) {
#if defined(__F16C__)
  const __m128i half = _mm_cvtps_ph(_mm_set_ss(scale), _MM_FROUND_TO_NEAREST_INT); /* no NaN */
  const uint16_t bits = (uint16_t)_mm_extract_epi16(half, 0);
#else
  const uint16_t bits = kvf_f16_from_f32(scale);
#endif
  memcpy(block, &bits, sizeof bits);
}

#if defined(KVF_PAIR)
/* Halves away from 0; a little less than a half, which what is less than one does not reach. */
KVF_INLINE kvf_words kvf_q8_0_words(kvf_floats x) {
  return kvf_away_words(x, 0x1.fffffep-2f, -127.0f, 127.0f);
}
#endif

/* Encodes one block. */
KVF_INLINE void kvf_encode_q8_0(uint8_t *__restrict block, const float *__restrict wide) {
  const float scale = kvf_q8_0_scale(kvf_largest_f32(wide, KVF_GGML_BLOCK));
  const float inverse = kvf_ggml_inverse(scale);
  kvf_put_ggml_scale(block, scale);
#if defined(KVF_PAIR)
  for (int i = 0; i < KVF_GGML_BLOCK; i += KVF_PAIR) {
    kvf_floats x[2];
    kvf_load_pair_f32(x, wide + i);
    kvf_store_codes_f32(block + 2 + i, kvf_q8_0_words(kvf_products(x[0], inverse)),
                        kvf_q8_0_words(kvf_products(x[1], inverse)));
  }
#else
  for (int i = 0; i < KVF_GGML_BLOCK; ++i) {
    block[2 + i] = (uint8_t)kvf_q8_0_from_f32(wide[i], inverse);
  }
#endif
}

/* The first element of a block with the largest magnitude; 0 if all of them are 0 or NaN. */
KVF_INLINE float kvf_first_largest(const float *wide) {
#if defined(__AVX2__)
  const uint32_t largest = kvf_largest_f32(wide, KVF_GGML_BLOCK);
  uint32_t found = 0;
  uint32_t negative = 0;
  for (int i = 0; i < KVF_GGML_BLOCK; i += 8) {
    const __m256 x = _mm256_loadu_ps(wide + i);
    const __m256i magnitude = _mm256_castps_si256(_mm256_andnot_ps(_mm256_set1_ps(-0.0f), x));
    const __m256i same = _mm256_cmpeq_epi32(magnitude, _mm256_set1_epi32((int32_t)largest));
    found |= (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(same)) << i;
    negative |= (uint32_t)_mm256_movemask_ps(x) << i;
  }
  const uint32_t first = found & -found;
  return largest == 0 ? 0.0f : kvf_float(largest | ((negative & first) != 0 ? 0x80000000u : 0));
#else
  float largest = 0.0f;
  for (int i = 0; i < KVF_GGML_BLOCK; ++i) {
    largest = kvf_magnitude(wide[i]) > kvf_magnitude(largest) ? wide[i] : largest;
  }
  return largest;
#endif
}

#if defined(__AVX512BW__) && defined(KVF_PAIR)
/* Halves up; that of 0 for a NaN. */
KVF_INLINE kvf_words kvf_q4_0_words(kvf_floats x) {
  const kvf_floats number = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, x, _CMP_ORD_Q), x);
  const kvf_floats sum = _mm512_add_ps(number, _mm512_set1_ps(8.5f));
  return _mm512_cvttps_epi32(kvf_limited(sum, 0.0f, 15.0f));
}
#elif defined(KVF_PAIR)
KVF_INLINE kvf_words kvf_q4_0_words(kvf_floats x) {
  const kvf_floats number = _mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q));
  const kvf_floats sum = _mm256_add_ps(number, _mm256_set1_ps(8.5f));
  return _mm256_cvttps_epi32(kvf_limited(sum, 0.0f, 15.0f));
}
#endif

KVF_INLINE void kvf_encode_q4_0(uint8_t *__restrict block, const float *__restrict wide) {
  enum { HALF = KVF_GGML_BLOCK / 2 };
  const float scale = kvf_q4_0_scale(kvf_first_largest(wide));
  const float inverse = kvf_ggml_inverse(scale);
  kvf_put_ggml_scale(block, scale);
#if defined(__AVX512BW__) && defined(KVF_PAIR)
  kvf_floats x[2];
  kvf_load_pair_f32(x, wide);
  const kvf_words low = kvf_q4_0_words(kvf_products(x[0], inverse));
  const kvf_words high = kvf_q4_0_words(kvf_products(x[1], inverse));
  const kvf_words both = _mm512_or_si512(low, _mm512_slli_epi32(high, 4));
  _mm_storeu_si128((__m128i *)(void *)(block + 2), _mm512_cvtepi32_epi8(both));
#elif defined(KVF_PAIR)
  kvf_words both[2];
  for (int i = 0; i < 2; ++i) {
    const kvf_floats x = _mm256_loadu_ps(wide + 8 * i);
    const kvf_floats y = _mm256_loadu_ps(wide + HALF + 8 * i);
    const kvf_words high = kvf_q4_0_words(kvf_products(y, inverse));
    both[i] = _mm256_or_si256(kvf_q4_0_words(kvf_products(x, inverse)), _mm256_slli_epi32(high, 4));
  }
  kvf_store_codes_f32(block + 2, both[0], both[1]);
#else
  for (int i = 0; i < HALF; ++i) {
    block[2 + i] = (uint8_t)(kvf_q4_0_from_f32(wide[i], inverse) |
                             kvf_q4_0_from_f32(wide[HALF + i], inverse) << 4);
  }
#endif
}

#endif
