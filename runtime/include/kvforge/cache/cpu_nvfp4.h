/* Groups of nvfp4 as bf16 on the CPU; kvforge/cache/nvfp4.h says what they are. */
#ifndef KVFORGE_CPU_NVFP4_H
#define KVFORGE_CPU_NVFP4_H

#include "kvforge/cache/cpu_spans.h"
#include "kvforge/cache/nvfp4.h"

#if defined(__AVX512BW__)
/*
 * A word in all lanes, which stays in a register: what gcc knows it makes again wherever it is
 * used, from an integer, which takes longer than to load it.
 */
KVF_INLINE __m512i kvf_kept(int32_t word) {
  __m512i all = _mm512_set1_epi32(word);
  __asm__("" : "+v"(all));
  return all;
}

typedef struct kvf_nvfp4_numbers {
  __m512i seven;
  __m512i sign;
  __m512i bias; /* of E4M3 in f32 */
  __m512 steps; /* 1 and 1.5 */
} kvf_nvfp4_numbers;

KVF_INLINE kvf_nvfp4_numbers kvf_make_nvfp4_numbers(void) {
  return (kvf_nvfp4_numbers){
      .seven = kvf_kept(0x00070007),
      .sign = kvf_kept((int32_t)0x80008000u),
      .bias = kvf_kept(120 << 23),
      .steps = _mm512_mask_mov_ps(_mm512_set1_ps(1.5f), 0x5555, _mm512_set1_ps(1.0f)),
  };
}

/*
 * What E2M1 times two scales is in bf16. Magnitudes are 1 and 1.5 times powers of two, and rounding
 * to nearest knows no exponents as long as there are no subnormals and nothing overflows: so two
 * products of each of 8 groups are rounded, and exponents added to them as integers.
 */
typedef struct kvf_bf16_of_groups {
  __m512i upper; /* 1 and 1.5 times the scales of each group, in upper halves */
  bool serves;   /* for these scales; above 0 all of them */
} kvf_bf16_of_groups;

/* Of block scales in E4M3, a byte each, that of the first group in the low one. */
KVF_INLINE kvf_bf16_of_groups kvf_bf16_of_8_groups(const kvf_nvfp4_numbers *n,
                                                   uint64_t block_scales, float scale) {
  const uint64_t ones = UINT64_C(0x0101010101010101);
  const uint64_t tops = 0x80 * ones;
  const __m128i codes = _mm_cvtsi64_si128((int64_t)block_scales);
  const __m512i words = _mm512_cvtepu8_epi32(_mm_unpacklo_epi8(codes, codes));
  const __m512i wide = _mm512_add_epi32(_mm512_slli_epi32(words, 20), n->bias);
  const __m512 products =
      _mm512_mul_ps(_mm512_mul_ps(_mm512_castsi512_ps(wide), n->steps), _mm512_set1_ps(scale));
  kvf_bf16_of_groups results;
  results.upper = kvf_round_numbers_to_upper(products);
  /* Neither negative, nor NaN, nor below the least normal number: no carry leaves its byte. */
  results.serves = ((block_scales | (block_scales + ones)) & tops) == 0 &&
                   ((block_scales + 0x78 * ones) & tops) == tops &&
                   kvf_bits(scale) >= kvf_bits(0x1p-80f) && kvf_bits(scale) <= kvf_bits(0x1p80f);
  return results;
}

/* 32 elements and those behind them: groups `first` to first + 3 of the 8, where first is 0 or 4.
 */
KVF_INLINE void kvf_decode_4_groups(uint16_t *to, uint16_t *behind, const kvf_nvfp4_numbers *n,
                                    kvf_bf16_of_groups results, int first, const uint8_t *codes) {
  /* Eight magnitudes of each group. Permutations look at the five low bits of an index. */
  const __m512i exponents = _mm512_set4_epi32(0x01000100, 0x00800080, 0, (int32_t)0xFF800000u);
  const __m128i place = _mm_setr_epi16(1, 1, 1, 3, 1, 3, 1, 3);
  const __m512i quarter =
      _mm512_setr_epi64(0, 0, 0x0004000400040004, 0x0004000400040004, 0x0008000800080008,
                        0x0008000800080008, 0x000C000C000C000C, 0x000C000C000C000C);
  const __m512i places = _mm512_add_epi16(_mm512_add_epi16(_mm512_broadcast_i32x4(place), quarter),
                                          _mm512_set1_epi16((short)(4 * first)));
  const __m512i magnitudes = _mm512_maskz_add_epi16(
      0xFEFEFEFEu, _mm512_permutexvar_epi16(places, results.upper), exponents);
  /* Both codes of a byte are looked up side by side. */
  const __m512i both =
      _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)codes));
  const __m512i of_group = _mm512_add_epi16(quarter, quarter);
  const __m512i low = _mm512_ternarylogic_epi32(both, n->seven, of_group, 0xEA); /* a & b | c */
  const __m512i high =
      _mm512_ternarylogic_epi32(_mm512_srli_epi16(both, 4), n->seven, of_group, 0xEA);
  const __m512i even = _mm512_ternarylogic_epi32(_mm512_permutexvar_epi16(low, magnitudes),
                                                 _mm512_slli_epi16(both, 12), n->sign, 0x78);
  const __m512i odd = _mm512_ternarylogic_epi32(_mm512_permutexvar_epi16(high, magnitudes),
                                                _mm512_slli_epi16(both, 8), n->sign, 0x78);
  const __m512i zipped =
      _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38, 6,
                       37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
  _mm512_storeu_si512(to, _mm512_permutex2var_epi16(even, zipped, odd));
  _mm512_storeu_si512(behind, _mm512_permutex2var_epi16(
                                  even, _mm512_add_epi16(zipped, _mm512_set1_epi16(16)), odd));
}
#endif

#endif
