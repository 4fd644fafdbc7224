/*
 * Generated from templates/cpu/cp_gather_and_upconvert_nvfp4_kv_cache.c.j2 and
 * generator/spec/cp_gather_and_upconvert_nvfp4_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cpu_kernel.h"
#include "kvforge/params/cp_gather_and_upconvert_nvfp4_kv_cache.h"
#include "kvforge/cpu_decode.h"
#include "kvforge/ds_mla.h"

/* The f16 values of all E4M3 codes, and those of the two E2M1 codes in a byte, the low one first.
 */
typedef struct tables {
  uint16_t e4m3[256];
  uint16_t e2m1[256][2];
} tables;

static void make_e4m3(uint16_t values[256]) {
  for (int32_t code = 0; code < 256; ++code) {
    values[code] = kvf_f16_from_f32(kvf_f32_from_fp8_e4m3((uint8_t)code));
  }
}

static void make_tables(tables *made) {
  make_e4m3(made->e4m3);
  for (int32_t pair = 0; pair < 256; ++pair) {
    made->e2m1[pair][0] = kvf_f16_from_f32(kvf_f32_from_e2m1((uint32_t)pair & 15u));
    made->e2m1[pair][1] = kvf_f16_from_f32(kvf_f32_from_e2m1((uint32_t)pair >> 4));
  }
}

/* One row. */
static void decode_row(const uint8_t *row, uint16_t *to, const tables *known) {
  enum { GROUP = KVF_NVFP4_DS_MLA_GROUP, GROUPS = KVF_DS_MLA_LATENT / GROUP };
  uint16_t latent[KVF_DS_MLA_LATENT];
  float wide[KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE];
  float scales[GROUPS];
  for (int32_t i = 0; i < KVF_DS_MLA_LATENT / 2; ++i) {
    memcpy(latent + 2 * i, known->e2m1[row[i]], sizeof known->e2m1[0]);
  }
  kvf_widen_f16(wide, latent, KVF_DS_MLA_LATENT);
  for (int32_t group = 0; group < GROUPS; ++group) {
    scales[group] = kvf_f32_from_fp8_e4m3(row[kvf_nvfp4_ds_mla_scale_at(group)]);
  }
  for (int32_t group = 0; group < GROUPS; ++group) {
    for (int32_t i = 0; i < GROUP; ++i) {
      wide[group * GROUP + i] *= scales[group];
    }
  }
  kvf_widen_codes(wide + KVF_DS_MLA_LATENT, row + KVF_NVFP4_DS_MLA_ROPE_AT, known->e4m3,
                  KVF_DS_MLA_ROPE);
  kvf_store_results_f16(to, wide, KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE);
}

/* `rows` rows of one page. */
static void gather_rows(const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params *p,
                        const uint8_t *from, uint16_t *to, int64_t rows, const tables *known) {
  for (int64_t i = 0; i < rows; ++i) {
    const uint8_t *row = from + i * p->src_cache.stride[1];
    uint16_t *results = to + i * p->dst.stride[0];
    if (p->streaming) {
      uint16_t decoded[KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE];
      decode_row(row, decoded, known);
      kvf_stream_row(results, decoded, sizeof decoded);
    } else {
      decode_row(row, results, known);
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__f16__nvfp4_ds_mla)(
    const void *params, int64_t begin, int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__f16__nvfp4_ds_mla)(
    const void *params, int64_t begin, int64_t end) {
  const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params *p = params;
  tables known;
  make_tables(&known);
  for (int64_t row = begin; row < end;) {
    int64_t block;
    int64_t offset;
    const int64_t rows = kvf_locate_run(&p->table, row, end, &block, &offset);
    if (block >= 0) {
      const uint8_t *from = (const uint8_t *)p->src_cache.data + block * p->src_cache.stride[0] +
                            offset * p->src_cache.stride[1];
      uint16_t *to = (uint16_t *)p->dst.data + row * p->dst.stride[0];
      gather_rows(p, from, to, rows, &known);
    }
    row += rows;
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
