/*
 * Generated from templates/cpu/cp_gather_and_upconvert_fp8_kv_cache.c.j2 and
 * generator/spec/cp_gather_and_upconvert_fp8_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/cp_gather_and_upconvert_fp8_kv_cache.h"
#include "kvforge/cache/cpu_decode.h"
#include "kvforge/cache/ds_mla.h"

/* What every E4M3 code is in f16, exactly. */
static void make_e4m3(uint16_t values[256]) {
  for (int32_t code = 0; code < 256; ++code) {
    values[code] = kvf_f16_from_f32(kvf_f32_from_fp8_e4m3((uint8_t)code));
  }
}

/* One row. */
static void decode_row(const uint8_t *row, float *to, const uint16_t e4m3[256]) {
  enum { TILE = KVF_FP8_DS_MLA_TILE, TILES = KVF_DS_MLA_LATENT / TILE };
  float wide[KVF_DS_MLA_LATENT];
  float scales[TILES];
  memcpy(scales, row + KVF_FP8_DS_MLA_SCALES_AT, sizeof scales);
  kvf_widen_codes(wide, row, e4m3, KVF_DS_MLA_LATENT);
  for (int32_t tile = 0; tile < TILES; ++tile) {
    for (int32_t i = 0; i < TILE; ++i) {
      wide[tile * TILE + i] *= scales[tile];
    }
  }
  kvf_store_results_f32(to, wide, KVF_DS_MLA_LATENT);
  uint16_t rope[KVF_DS_MLA_ROPE];
  memcpy(rope, row + KVF_FP8_DS_MLA_ROPE_AT, sizeof rope);
  for (int32_t i = 0; i < KVF_DS_MLA_ROPE; ++i) {
    to[KVF_DS_MLA_LATENT + i] = kvf_f32_from_bf16(rope[i]);
  }
}

/* One row to dst. */
static void put_row(const kvf_cp_gather_and_upconvert_fp8_kv_cache_params *p, const uint8_t *row,
                    float *to, const uint16_t e4m3[256]) {
  if (p->streaming) {
    float decoded[KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE];
    decode_row(row, decoded, e4m3);
    kvf_stream_row(to, decoded, sizeof decoded);
  } else {
    decode_row(row, to, e4m3);
  }
}

/* Where the row of a virtual number is, in a page or on the host; NULL when it is nowhere. */
static const uint8_t *find_row(const kvf_cp_gather_and_upconvert_fp8_kv_cache_params *p,
                               int64_t number) {
  if (number >= p->num_virtual_rows) {
    return NULL;
  }
  const int64_t row = kvf_index_at(p->device_row_ids, 4, number);
  if (row >= 0) {
    const int64_t page = kvf_divide(row, p->table.by_block_size);
    const int64_t offset = row - page * p->table.block_size;
    return page < p->num_pages ? (const uint8_t *)p->src_cache.data +
                                     page * p->src_cache.stride[0] + offset * p->src_cache.stride[1]
                               : NULL;
  }
  const int64_t other = kvf_index_at(p->host_row_ids, 4, number);
  return other >= 0 && other < p->num_host_rows
             ? (const uint8_t *)p->host_cache.data + other * p->host_cache.stride[0]
             : NULL;
}

/* Rows [begin, end) by the maps. */
static void gather_mapped(const kvf_cp_gather_and_upconvert_fp8_kv_cache_params *p, int64_t begin,
                          int64_t end, const uint16_t e4m3[256]) {
  for (int64_t row = begin; row < end;) {
    int64_t block;
    int64_t offset = 0; /* stays so without a block */
    const int64_t next = row + kvf_locate_run(&p->table, row, end, &block, &offset);
    for (; block >= 0 && row < next; ++row, ++offset) {
      const uint8_t *source = find_row(p, block * p->table.block_size + offset);
      if (source != NULL) {
        put_row(p, source, (float *)p->dst.data + row * p->dst.stride[0], e4m3);
      }
    }
    row = next;
  }
}

/* `rows` rows of one page. */
static void gather_rows(const kvf_cp_gather_and_upconvert_fp8_kv_cache_params *p,
                        const uint8_t *from, float *to, int64_t rows, const uint16_t e4m3[256]) {
  for (int64_t i = 0; i < rows; ++i) {
    put_row(p, from + i * p->src_cache.stride[1], to + i * p->dst.stride[0], e4m3);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_cp_gather_and_upconvert_fp8_kv_cache__f32__fp8_ds_mla)(
    const void *params, int64_t begin, int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_cp_gather_and_upconvert_fp8_kv_cache__f32__fp8_ds_mla)(
    const void *params, int64_t begin, int64_t end) {
  const kvf_cp_gather_and_upconvert_fp8_kv_cache_params *p = params;
  uint16_t e4m3[256];
  make_e4m3(e4m3);
  if (p->mapped) {
    gather_mapped(p, begin, end, e4m3);
    if (p->streaming) {
      kvf_stream_fence();
    }
    return;
  }
  for (int64_t row = begin; row < end;) {
    int64_t block;
    int64_t offset;
    const int64_t rows = kvf_locate_run(&p->table, row, end, &block, &offset);
    if (block >= 0) {
      const uint8_t *from = (const uint8_t *)p->src_cache.data + block * p->src_cache.stride[0] +
                            offset * p->src_cache.stride[1];
      float *to = (float *)p->dst.data + row * p->dst.stride[0];
      gather_rows(p, from, to, rows, e4m3);
    }
    row += rows;
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
