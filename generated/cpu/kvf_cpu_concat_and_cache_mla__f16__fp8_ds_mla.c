/*
 * Generated from templates/cpu/concat_and_cache_mla.c.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/concat_and_cache_mla.h"
#include "kvforge/cpu_codes.h"
#include "kvforge/cpu_largest.h"
#include "kvforge/cache/ds_mla.h"

/* `count` elements of a row. `stride` is the source's, in elements. */
static void widen(float *restrict wide, const uint16_t *restrict source, int64_t stride,
                  int64_t count) {
  if (stride == 1) {
    kvf_widen_f16(wide, source, count);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    wide[i] = kvf_f32_from_f16(source[i * stride]);
  }
}

/* One tile of 128 elements. */
static void write_tile(const float *restrict values, float scale, uint8_t *restrict codes) {
  const bool exact = kvf_has_exact_reciprocal(scale); /* it is a power of two, or infinity */
  const kvf_divisor by = kvf_divide_by(scale);
#if defined(KVF_PAIR)
  if (exact || by.quick) {
    for (int32_t i = 0; i < KVF_FP8_DS_MLA_TILE; i += KVF_PAIR) {
      kvf_floats x[2];
      kvf_load_pair_f32(x, values + i);
      for (int k = 0; k < 2; ++k) {
        x[k] = exact ? kvf_products(x[k], by.inverse) : kvf_quotients(x[k], by);
      }
      kvf_store_codes_f32(codes + i, kvf_fp8_e4m3_words(x[0]), kvf_fp8_e4m3_words(x[1]));
    }
    return;
  }
#endif
  uint32_t words[KVF_FP8_DS_MLA_TILE];
  if (exact) {
    for (int32_t i = 0; i < KVF_FP8_DS_MLA_TILE; ++i) {
      words[i] = kvf_fp8_e4m3_word_from_f32(values[i] * by.inverse);
    }
  } else {
    for (int32_t i = 0; i < KVF_FP8_DS_MLA_TILE; ++i) {
      words[i] = kvf_fp8_e4m3_word_from_f32(values[i] / scale);
    }
  }
  for (int32_t i = 0; i < KVF_FP8_DS_MLA_TILE; ++i) {
    codes[i] = (uint8_t)words[i];
  }
}

/* One token, of KVF_DS_MLA_ROPE rope elements or of none. Strides in elements. */
static void write_row(const uint16_t *kv_c, int64_t kv_c_stride, const uint16_t *k_pe,
                      int64_t k_pe_stride, int32_t rope_dim, uint8_t *row) {
  enum { TILES = KVF_DS_MLA_LATENT / KVF_FP8_DS_MLA_TILE };
  float latent[KVF_DS_MLA_LATENT];
  float scales[TILES];
  uint16_t rope[KVF_DS_MLA_ROPE] = {0};
  widen(latent, kv_c, kv_c_stride, KVF_DS_MLA_LATENT);
  for (int32_t tile = 0; tile < TILES; ++tile) {
    scales[tile] = kvf_fp8_ds_mla_scale(
        kvf_largest_f32(latent + tile * KVF_FP8_DS_MLA_TILE, KVF_FP8_DS_MLA_TILE));
  }
  for (int32_t tile = 0; tile < TILES; ++tile) {
    write_tile(latent + tile * KVF_FP8_DS_MLA_TILE, scales[tile], row + tile * KVF_FP8_DS_MLA_TILE);
  }
  for (int32_t i = 0; i < rope_dim; ++i) {
    rope[i] = k_pe[i * k_pe_stride];
  }
  memcpy(row + KVF_FP8_DS_MLA_SCALES_AT, scales, sizeof scales);
  memcpy(row + KVF_FP8_DS_MLA_ROPE_AT, rope, sizeof rope);
}

void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla__f16__fp8_ds_mla)(const void *params,
                                                                   int64_t begin, int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla__f16__fp8_ds_mla)(const void *params,
                                                                   int64_t begin, int64_t end) {
  const kvf_concat_and_cache_mla_params *p = params;
  for (int64_t token = begin; token < end; ++token) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(&p->slots, token, &block, &offset)) {
      continue;
    }
    const uint16_t *kv_c = (const uint16_t *)p->kv_c.data + token * p->kv_c.stride[0];
    const uint16_t *k_pe = (const uint16_t *)p->k_pe.data + token * p->k_pe.stride[0];
    uint8_t *row = (uint8_t *)p->kv_cache.data + block * p->kv_cache.stride[0] +
                   offset * p->kv_cache.stride[1];
    int64_t ahead_block;
    int64_t ahead_offset;
    if (token + p->rows_ahead < end &&
        kvf_locate(&p->slots, token + p->rows_ahead, &ahead_block, &ahead_offset)) {
      kvf_prefetch_row((uint8_t *)p->kv_cache.data + ahead_block * p->kv_cache.stride[0] +
                           ahead_offset * p->kv_cache.stride[1],
                       KVF_FP8_DS_MLA_BYTES);
    }
    kvf_prefetch_behind(kv_c, (uint64_t)(p->rows_ahead * p->kv_c.stride[0]) * sizeof *kv_c,
                        KVF_DS_MLA_LATENT * (int64_t)sizeof *kv_c);
    write_row(kv_c, p->kv_c.stride[1], k_pe, p->k_pe.stride[1], p->rope_dim, row);
  }
}
