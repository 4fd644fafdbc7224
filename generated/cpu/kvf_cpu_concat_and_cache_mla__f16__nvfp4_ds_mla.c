/*
 * Generated from templates/cpu/concat_and_cache_mla.c.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/concat_and_cache_mla.h"
#include "kvforge/cpu_fp4.h"
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

/* The scales of all groups, in the order of kvf_nvfp4_ds_mla_scale_at(). */
static inline void put_scales(uint8_t *row, const uint32_t *scales) {
  enum { QUARTERS = 4, IN_QUARTER = 8 };
  for (int32_t quarter = 0; quarter < QUARTERS; ++quarter) {
    for (int32_t i = 0; i < IN_QUARTER; ++i) {
      row[KVF_NVFP4_DS_MLA_SCALES_AT + IN_QUARTER * quarter + i] =
          (uint8_t)scales[QUARTERS * i + quarter];
    }
  }
}

/* One token. Strides in elements. */
static void write_row(const uint16_t *kv_c, int64_t kv_c_stride, const uint16_t *k_pe,
                      int64_t k_pe_stride, uint8_t *row) {
  enum { GROUPS = KVF_DS_MLA_LATENT / KVF_NVFP4_DS_MLA_GROUP };
  float latent[KVF_DS_MLA_LATENT];
  uint32_t largest[GROUPS];
  uint32_t scales[GROUPS];
  float inverse[GROUPS];
  widen(latent, kv_c, kv_c_stride, KVF_DS_MLA_LATENT);
  kvf_largest_of_16(largest, latent, GROUPS);
  KVF_VECTORISE
  for (int32_t group = 0; group < GROUPS; ++group) {
    scales[group] = kvf_nvfp4_ds_mla_scale(largest[group]);
  }
  KVF_VECTORISE
  for (int32_t group = 0; group < GROUPS; ++group) {
    inverse[group] = 1.0f / kvf_f32_from_fp8_e4m3_word(scales[group]);
  }
  kvf_narrow_e2m1(row, latent, inverse, GROUPS);
  put_scales(row, scales);
  float rope[KVF_DS_MLA_ROPE];
  uint32_t words[KVF_DS_MLA_ROPE];
  widen(rope, k_pe, k_pe_stride, KVF_DS_MLA_ROPE);
  for (int32_t i = 0; i < KVF_DS_MLA_ROPE; ++i) {
    words[i] = kvf_fp8_e4m3_word_from_f32(rope[i]);
  }
  for (int32_t i = 0; i < KVF_DS_MLA_ROPE; ++i) {
    row[KVF_NVFP4_DS_MLA_ROPE_AT + i] = (uint8_t)words[i];
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla__f16__nvfp4_ds_mla)(const void *params,
                                                                     int64_t begin, int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla__f16__nvfp4_ds_mla)(const void *params,
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
                       KVF_NVFP4_DS_MLA_BYTES);
    }
    kvf_prefetch_behind(kv_c, (uint64_t)(p->rows_ahead * p->kv_c.stride[0]) * sizeof *kv_c,
                        KVF_DS_MLA_LATENT * (int64_t)sizeof *kv_c);
    write_row(kv_c, p->kv_c.stride[1], k_pe, p->k_pe.stride[1], row);
  }
}
