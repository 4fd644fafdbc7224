/*
 * Generated from templates/cpu/cp_gather_and_upconvert_nvfp4_kv_cache.c.j2 and
 * generator/spec/cp_gather_and_upconvert_nvfp4_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/cp_gather_and_upconvert_nvfp4_kv_cache.h"
#include "kvforge/cache/cpu_decode.h"
#include "kvforge/cpu_fp4.h"
#include "kvforge/cache/ds_mla.h"

/* What every E4M3 code is in f16, exactly. */
static void make_e4m3(uint16_t values[256]) {
  for (int32_t code = 0; code < 256; ++code) {
    values[code] = kvf_f16_from_f32(kvf_f32_from_fp8_e4m3((uint8_t)code));
  }
}

/* One row. Its scales are right behind its rope elements, in E4M3 too. */
static void decode_row(const uint8_t *row, uint16_t *to, const uint16_t e4m3[256]) {
  enum {
    GROUPS = KVF_DS_MLA_LATENT / KVF_NVFP4_DS_MLA_GROUP,
    RESULTS = KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE
  };
  float wide[RESULTS + GROUPS];
  const float *stored = wide + RESULTS;
  float scales[GROUPS];
  kvf_widen_codes(wide + KVF_DS_MLA_LATENT, row + KVF_NVFP4_DS_MLA_ROPE_AT, e4m3,
                  KVF_DS_MLA_ROPE + GROUPS);
  for (int32_t i = 0; i < GROUPS / 4; ++i) { /* the order of kvf_nvfp4_ds_mla_scale_at() */
    for (int32_t quarter = 0; quarter < 4; ++quarter) {
      scales[4 * i + quarter] = stored[GROUPS / 4 * quarter + i];
    }
  }
  kvf_decode_groups_of_16(wide, row, scales, GROUPS);
  kvf_store_results_f16(to, wide, RESULTS);
}

/* One row to dst. */
static void put_row(const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params *p, const uint8_t *row,
                    uint16_t *to, const uint16_t e4m3[256]) {
  if (p->streaming) {
    uint16_t decoded[KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE];
    decode_row(row, decoded, e4m3);
    kvf_stream_row(to, decoded, sizeof decoded);
  } else {
    decode_row(row, to, e4m3);
  }
}

/* `rows` rows of one page. */
static void gather_rows(const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params *p,
                        const uint8_t *from, uint16_t *to, int64_t rows, const uint16_t e4m3[256]) {
  for (int64_t i = 0; i < rows; ++i) {
    put_row(p, from + i * p->src_cache.stride[1], to + i * p->dst.stride[0], e4m3);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__f16__nvfp4_ds_mla)(
    const void *params, int64_t begin, int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__f16__nvfp4_ds_mla)(
    const void *params, int64_t begin, int64_t end) {
  const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params *p = params;
  uint16_t e4m3[256];
  make_e4m3(e4m3);

  for (int64_t row = begin; row < end;) {
    int64_t block;
    int64_t offset;
    const int64_t rows = kvf_locate_run(&p->table, row, end, &block, &offset);
    if (block >= 0) {
      const uint8_t *from = (const uint8_t *)p->src_cache.data + block * p->src_cache.stride[0] +
                            offset * p->src_cache.stride[1];
      uint16_t *to = (uint16_t *)p->dst.data + row * p->dst.stride[0];
      gather_rows(p, from, to, rows, e4m3);
    }
    row += rows;
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
