/*
 * Generated from templates/cpu/indexer_k_quant_and_cache.c.j2 and
 * generator/spec/indexer_k_quant_and_cache.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/indexer_k_quant_and_cache.h"
#include "kvforge/cpu_codes.h"
#include "kvforge/cpu_largest.h"
#include "kvforge/cache/indexer.h"

/* The largest magnitude of a row, NaNs left out, as the bits of a float. `stride` is the source's,
 * in elements. */
static uint32_t largest_of(const uint16_t *source, int64_t stride, int64_t count) {
  if (stride == 1) {
    return kvf_largest_bf16(source, count);
  }
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t number = kvf_magnitude(kvf_f32_from_bf16(source[i * stride]));
    largest = number > largest ? number : largest;
  }
  return largest;
}

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert(const uint16_t *restrict source, int64_t stride, uint8_t *restrict codes,
                    int64_t count, float scale) {
  enum { PART = 256 };
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_fp8_e4m3_from_f32(kvf_f32_from_bf16(source[i * stride]) / scale);
    }
    return;
  }
  const bool exact = kvf_has_exact_reciprocal(scale);
  const kvf_divisor by = kvf_divide_by(scale);
  int64_t first = 0;
#if defined(KVF_PAIR)
  for (; first + KVF_PAIR <= count && (exact || by.quick); first += KVF_PAIR) {
    kvf_floats x[2];
    kvf_load_pair_bf16(x, source + first);
    for (int i = 0; i < 2; ++i) {
      x[i] = exact ? kvf_products(x[i], by.inverse) : kvf_quotients(x[i], by);
    }
    kvf_store_codes_bf16(codes + first, kvf_fp8_e4m3_words(x[0]), kvf_fp8_e4m3_words(x[1]));
  }
#endif
  for (; first < count; first += PART) {
    const int64_t length = count - first < PART ? count - first : PART;
    uint32_t words[PART];
    if (exact) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e4m3_word_from_f32(kvf_f32_from_bf16(source[first + i]) * by.inverse);
      }
    } else if (KVF_HAS_FMA && by.quick) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] =
            kvf_fp8_e4m3_word_from_f32(kvf_quotient(kvf_f32_from_bf16(source[first + i]), by));
      }
    } else {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e4m3_word_from_f32(kvf_f32_from_bf16(source[first + i]) / scale);
      }
    }
    for (int64_t i = 0; i < length; ++i) {
      codes[first + i] = (uint8_t)words[i];
    }
  }
}

/* A group of a token, and where it goes. */
typedef struct piece {
  const uint16_t *source;
  uint8_t *codes;
  uint8_t *scale_at;
  float scale;
} piece;

/* Groups whose scales are made before the first of them is encoded: a scale is a chain of steps
 * that wait for each other, and those of several groups overlap. */
enum { PIECES = 16 };

static void write_pieces(const kvf_indexer_k_quant_and_cache_params *p, const piece *pieces,
                         int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float scale = pieces[i].scale;
    convert(pieces[i].source, p->k.stride[1], pieces[i].codes, p->group_size, scale);
    memcpy(pieces[i].scale_at, &scale, sizeof scale);
  }
}

/* Asks for what a later token will read and write. */
static inline void prefetch_ahead(const kvf_indexer_k_quant_and_cache_params *p, int64_t token,
                                  int64_t end, int64_t groups) {
  int64_t block;
  int64_t offset;
  const uint16_t *k = (const uint16_t *)p->k.data + token * p->k.stride[0];
  kvf_prefetch_behind(k, (uint64_t)(p->rows_ahead * p->k.stride[0]) * sizeof *k,
                      p->head_dim * (int64_t)sizeof *k);
  if (token + p->rows_ahead < end &&
      kvf_locate(&p->slots, token + p->rows_ahead, &block, &offset)) {
    const uint8_t *page = (const uint8_t *)p->kv_cache.data + block * p->kv_cache.stride[0];
    kvf_prefetch_row(page + offset * p->head_dim, p->head_dim);
    kvf_prefetch_row(page + kvf_indexer_scales_at(p->slots.block_size, p->head_dim, groups, offset),
                     4 * groups);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_indexer_k_quant_and_cache__bf16__fp8_indexer)(const void *params,
                                                                          int64_t begin,
                                                                          int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_indexer_k_quant_and_cache__bf16__fp8_indexer)(const void *params,
                                                                          int64_t begin,
                                                                          int64_t end) {
  const kvf_indexer_k_quant_and_cache_params *p = params;
  const int64_t groups = p->by_groups.value;
  piece pieces[PIECES];
  int64_t count = 0;
  for (int64_t token = begin; token < end; ++token) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(&p->slots, token, &block, &offset)) {
      continue;
    }
    prefetch_ahead(p, token, end, groups);
    const uint16_t *k = (const uint16_t *)p->k.data + token * p->k.stride[0];
    uint8_t *page = (uint8_t *)p->kv_cache.data + block * p->kv_cache.stride[0];
    uint8_t *codes = page + offset * p->head_dim;
    uint8_t *scales =
        page + kvf_indexer_scales_at(p->slots.block_size, p->head_dim, groups, offset);
    for (int64_t group = 0; group < groups; ++group) {
      const uint16_t *source = k + group * p->group_size * p->k.stride[1];
      const uint32_t largest = largest_of(source, p->k.stride[1], p->group_size);
      pieces[count++] = (piece){source, codes + group * p->group_size, scales + 4 * group,
                                kvf_fp8_indexer_scale(largest)};
      if (count == PIECES) {
        write_pieces(p, pieces, count);
        count = 0;
      }
    }
  }
  write_pieces(p, pieces, count);
}
