/* What the CPU variants that read caches share: decoding of rows, and walks along the block table.
 */
#ifndef KVFORGE_CPU_DECODE_H
#define KVFORGE_CPU_DECODE_H

#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/cache/decode.h"

/*
 * Decoding through a table of what each of the 256 codes becomes: faster than the arithmetic with
 * AVX-512 and at the baseline, since the scale, the rounding and the NaNs are in the table (30
 * against 12 GB/s of bf16, 8 against 2). AVX2 has no such lookup: there codes are computed, see
 * cpu_spans.h.
 */
#if defined(__AVX512BW__)
/* Such a table in registers, which hold it for as many rows as there are. */
typedef struct kvf_table_16 {
  __m512i part[8];
} kvf_table_16;

KVF_INLINE kvf_table_16 kvf_load_table_16(const uint16_t table[256], int parts) {
  kvf_table_16 all;
  for (int k = 0; k < parts; ++k) {
    all.part[k] = _mm512_loadu_si512(table + 32 * k);
  }
  return all;
}

/* Looks the six low bits of codes up in two parts of four, which a permutation of two registers
 * does. */
KVF_INLINE __m512i kvf_look_up_half(const kvf_table_16 *all, int first, __m512i code,
                                    __mmask32 bit6) {
  const __m512i *part = all->part + first;
  return _mm512_mask_blend_epi16(bit6, _mm512_permutex2var_epi16(part[0], code, part[1]),
                                 _mm512_permutex2var_epi16(part[2], code, part[3]));
}

KVF_INLINE __m512i kvf_load_codes(const uint8_t *codes) {
  return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)codes));
}

KVF_INLINE __m512i kvf_look_up_32_codes(const kvf_table_16 *all, const uint8_t *codes) {
  const __m512i code = kvf_load_codes(codes);
  const __mmask32 bit6 = _mm512_movepi16_mask(_mm512_slli_epi16(code, 9));
  const __mmask32 bit7 = _mm512_movepi16_mask(_mm512_slli_epi16(code, 8));
  return _mm512_mask_blend_epi16(bit7, kvf_look_up_half(all, 0, code, bit6),
                                 kvf_look_up_half(all, 4, code, bit6));
}

KVF_INLINE __m512i kvf_look_up_32_signed_codes(const kvf_table_16 *all, const uint8_t *codes) {
  const __m512i nan = _mm512_set1_epi16(0x7FFF);
  const __m512i code = kvf_load_codes(codes);
  const __mmask32 bit6 = _mm512_movepi16_mask(_mm512_slli_epi16(code, 9));
  const __m512i low = kvf_look_up_half(all, 0, code, bit6);
  const __m512i sign = _mm512_andnot_si512(nan, _mm512_slli_epi16(code, 8));
  return _mm512_mask_mov_epi16(_mm512_xor_si512(low, sign), _mm512_cmpeq_epi16_mask(low, nan), nan);
}
#endif

/* Rows of codes, and of results, that lie so many elements apart. */
typedef struct kvf_code_rows {
  const uint8_t *codes;
  int64_t pitch;
  int64_t stride; /* of results */
  int64_t rows;
  int64_t count; /* elements of a row */
} kvf_code_rows;

/* Whether results are made in whole lines, which may go past the caches at once. */
#if defined(__AVX512BW__)
enum { KVF_LOOKS_UP_LINES = 1 };
#else
enum { KVF_LOOKS_UP_LINES = 0 };
#endif

KVF_INLINE void kvf_look_up_rows_16(uint16_t *__restrict to, const uint16_t table[256],
                                    kvf_code_rows from, bool streaming) {
#if defined(__AVX512BW__)
  const kvf_table_16 all = kvf_load_table_16(table, 8);
#endif
  (void)streaming;
  for (int64_t row = 0; row < from.rows; ++row, to += from.stride, from.codes += from.pitch) {
    int64_t i = 0;
#if defined(__AVX512BW__)
    for (; i + 32 <= from.count; i += 32) {
      const __m512i results = kvf_look_up_32_codes(&all, from.codes + i);
      kvf_store_lines(to + i, &results, sizeof results, streaming);
    }
#endif
    for (int64_t rest = from.count - i; rest > 0; --rest, ++i) {
      to[i] = table[from.codes[i]];
    }
  }
}

/*
 * The same where the sign of a code is that of its result, which is all that the upper half of the
 * table has; of a NaN, which is 0x7FFF, it is left out.
 */
KVF_INLINE void kvf_look_up_rows_signed_16(uint16_t *__restrict to, const uint16_t table[256],
                                           kvf_code_rows from, bool streaming) {
#if defined(__AVX512BW__)
  const kvf_table_16 all = kvf_load_table_16(table, 4);
#endif
  (void)streaming;
  for (int64_t row = 0; row < from.rows; ++row, to += from.stride, from.codes += from.pitch) {
    int64_t i = 0;
#if defined(__AVX512BW__)
    for (; i + 32 <= from.count; i += 32) {
      const __m512i results = kvf_look_up_32_signed_codes(&all, from.codes + i);
      kvf_store_lines(to + i, &results, sizeof results, streaming);
    }
#endif
    for (int64_t rest = from.count - i; rest > 0; --rest, ++i) {
      to[i] = table[from.codes[i]];
    }
  }
}

KVF_INLINE void kvf_look_up_rows_32(float *__restrict to, const float table[256],
                                    kvf_code_rows from, bool streaming) {
  (void)streaming;
  for (int64_t row = 0; row < from.rows; ++row, to += from.stride, from.codes += from.pitch) {
    for (int64_t i = 0; i < from.count; ++i) {
      to[i] = table[from.codes[i]];
    }
  }
}

/* One row. */
KVF_INLINE void kvf_look_up_16(uint16_t *__restrict to, const uint8_t *__restrict codes,
                               const uint16_t table[256], int64_t count) {
  kvf_look_up_rows_16(to, table, (kvf_code_rows){codes, 0, 0, 1, count}, false);
}

/*
 * Widens a row of codes, given what they are in f16. Where scales differ from group to group, a
 * table of results would not pay.
 */
KVF_INLINE void kvf_widen_codes(float *__restrict to, const uint8_t *__restrict codes,
                                const uint16_t f16[256], int64_t count) {
  enum { WIDENED = 512 };
  uint16_t half[WIDENED];
  for (int64_t first = 0; first < count; first += WIDENED) {
    const int64_t length = count - first < WIDENED ? count - first : (int64_t)WIDENED;
    kvf_look_up_16(half, codes + first, f16, length);
    kvf_widen_f16(to + first, half, length);
  }
}

/*
 * E4M3 as f32. A NaN stays one, with any bits. Exponent and mantissa, moved to where f16 has them,
 * are the number times 2^-8, subnormal or not: the conversion instruction does the rest.
 */
#if defined(__F16C__) && defined(__AVX2__)
KVF_INLINE __m256i kvf_f16_of_fp8_e4m3(__m128i codes) {
  const __m256i number = _mm256_set1_epi16(0x3F80);
  const __m256i infinite = _mm256_set1_epi16(0x7C00);
  const __m256i sign = _mm256_set1_epi16((int16_t)0x8000);
  const __m256i code = _mm256_cvtepu8_epi16(codes);
  const __m256i magnitude = _mm256_and_si256(_mm256_slli_epi16(code, 7), number);
  const __m256i nan = _mm256_and_si256(_mm256_cmpeq_epi16(magnitude, number), infinite);
  return _mm256_or_si256(_mm256_or_si256(magnitude, nan),
                         _mm256_and_si256(_mm256_slli_epi16(code, 8), sign));
}
#endif
#if defined(__AVX512F__)
KVF_INLINE __m512 kvf_16_from_fp8_e4m3(__m128i codes) {
  return _mm512_mul_ps(_mm512_cvtph_ps(kvf_f16_of_fp8_e4m3(codes)), _mm512_set1_ps(256.0f));
}
#endif

/* Widens a row of E4M3. */
KVF_INLINE void kvf_widen_fp8_e4m3(float *__restrict to, const uint8_t *__restrict codes,
                                   int64_t count) {
  int64_t i = 0;
#if defined(__F16C__) && defined(__AVX2__)
  for (; i + 16 <= count; i += 16) {
    const __m128i sixteen = _mm_loadu_si128((const __m128i *)(const void *)(codes + i));
#if defined(__AVX512F__)
    _mm512_storeu_ps(to + i, kvf_16_from_fp8_e4m3(sixteen));
#else
    const __m256i half = kvf_f16_of_fp8_e4m3(sixteen);
    const __m256 scale = _mm256_set1_ps(256.0f);
    _mm256_storeu_ps(to + i, _mm256_mul_ps(_mm256_cvtph_ps(_mm256_castsi256_si128(half)), scale));
    _mm256_storeu_ps(to + i + 8,
                     _mm256_mul_ps(_mm256_cvtph_ps(_mm256_extracti128_si256(half, 1)), scale));
#endif
  }
#endif
  for (int64_t rest = count - i; rest > 0; --rest, ++i) {
    to[i] = kvf_f32_from_fp8_e4m3(codes[i]);
  }
}

/* Stores a row of results; see kvforge/cache/decode.h. */
KVF_INLINE void kvf_store_results_f32(float *__restrict to, const float *__restrict from,
                                      int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    to[i] = kvf_f32_result(from[i]);
  }
}
KVF_INLINE void kvf_store_results_f16(uint16_t *__restrict to, const float *__restrict from,
                                      int64_t count) {
  kvf_narrow_f16(to, from, count);
}
KVF_INLINE void kvf_store_results_bf16(uint16_t *__restrict to, const float *__restrict from,
                                       int64_t count) {
  kvf_narrow_bf16(to, from, count);
}

/*
 * Four pieces of 16 bytes that are `apart`, one behind another. Joined in registers: what is stored
 * in pieces and loaded as a whole soon after is waited for.
 */
KVF_INLINE void kvf_join_4(void *to, const void *pieces, int64_t apart) {
  const char *from = (const char *)pieces;
#if defined(__AVX2__)
  __m256i halves[2];
  for (int i = 0; i < 2; ++i, from += 2 * apart) {
    halves[i] = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)from)),
        _mm_loadu_si128((const __m128i *)(const void *)(from + apart)), 1);
  }
#if defined(__AVX512F__)
  _mm512_storeu_si512(to, _mm512_inserti64x4(_mm512_castsi256_si512(halves[0]), halves[1], 1));
#else
  _mm256_storeu_si256((__m256i *)to, halves[0]);
  _mm256_storeu_si256((__m256i *)to + 1, halves[1]);
#endif
#else
  for (int i = 0; i < 4; ++i, from += apart) {
    memcpy((char *)to + 16 * i, from, 16);
  }
#endif
}

/*
 * How many rows from `row` on, none from `end` on, lie one behind another in one page, which begins
 * with *block and *offset; or how many are skipped, *block is -1 then. At least one, whatever the
 * table says by now.
 */
KVF_INLINE int64_t kvf_locate_run(const kvf_block_table *table, int64_t row, int64_t end,
                                  int64_t *block, int64_t *offset) {
  *block = -1;
  const int64_t sequence = kvf_find_sequence(table, row);
  if (sequence == table->num_sequences) {
    return end - row;
  }
  const bool open = table->open_ended && sequence + 1 == table->num_sequences;
  const int64_t first = kvf_index_at(table->starts, 4, sequence);
  int64_t next = open ? end : kvf_index_at(table->starts, 4, sequence + 1);
  next = next < end ? next : end;
  if (next <= row) { /* not when the sequence was looked for */
    return 1;
  }
  if (row < first) { /* before the first sequence */
    return (first < end ? first : end) - row;
  }
  int64_t length = next - row;
  if (table->lengths != NULL) {
    const int64_t rest = first + kvf_index_at(table->lengths, 4, sequence) - row;
    if (rest <= 0) {
      return length;
    }
    length = rest < length ? rest : length;
  }
  const int64_t start = table->offsets != NULL ? kvf_index_at(table->offsets, 4, sequence) : 0;
  const int64_t position = row - first + start;
  if (position < 0) {
    return 1;
  }
  const int64_t page = kvf_divide(position, table->by_block_size);
  *offset = position - page * table->block_size;
  if (page < table->width) {
    *block = kvf_index_at(table->entries, table->index_bytes, sequence * table->stride + page);
  }
  if (*block < 0 || *block >= table->num_blocks) {
    *block = -1;
  }
  return length < table->block_size - *offset ? length : table->block_size - *offset;
}

#endif
