/*
 * Generated from templates/cpu/gather_kv_cache.c.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cpu_attention.h"
#include "kvforge/cpu_fp4.h"
#include "kvforge/cache/nvfp4.h"

/* Rows that are done together, and elements of one that is not moved in whole: they are on the
 * stack. */
enum { ROWS = 8, SIZE = KVF_ATTENTION_HEAD_SIZE, ELEMENTS = ROWS * SIZE };

/* Keys or values. */
typedef struct side {
  const kvf_view *cache;
  const kvf_view *out;
  const kvf_view *scale;
  int64_t heads;
  int64_t size; /* of a head */
} side;

/* What a place in a page of a cache has: codes of a head of a token, and their block scales. */
typedef struct row_place {
  const uint8_t *codes;
  const uint8_t *scales; /* of the head, of the page's first token */
  int64_t token_stride;  /* of scales, in bytes */
  int64_t offset;        /* of the token in its page */
  bool swizzled;
} row_place;

static row_place find_row(const kvf_gather_kv_cache_params *p, const kvf_view *cache, int64_t size,
                          int64_t block, int64_t offset, int64_t kv_head) {
  const uint8_t *page = (const uint8_t *)cache->data + block * cache->stride[0];
  const int64_t code_bytes = p->table.block_size * p->num_kv_heads * (size / 2);
  return (row_place){.codes = page + offset * cache->stride[1] + kv_head * cache->stride[2],
                     .scales = page + code_bytes + kv_head * cache->stride[2] / 8,
                     .token_stride = cache->stride[1] / 8,
                     .offset = offset,
                     .swizzled = cache == &p->value_cache && p->swizzle_v_scales};
}

/* Parts of rows, times their block scales. */
static void load_rows(float *wide, int64_t pitch, int64_t size, const row_place *places,
                      int64_t count, int64_t at, int64_t length) {
  const int64_t groups = length / KVF_NVFP4_GROUP;
  uint8_t codes[ELEMENTS / KVF_NVFP4_GROUP];
  float scales[ELEMENTS / KVF_NVFP4_GROUP];
  for (int64_t row = 0; row < count; ++row) {
    const row_place *place = &places[row];
    for (int64_t group = 0; group < groups; ++group) {
      int64_t token = place->offset;
      int64_t from = at / KVF_NVFP4_GROUP + group;
      if (place->swizzled) {
        kvf_nvfp4_swizzle(&token, &from, size / KVF_NVFP4_GROUP);
      }
      codes[row * groups + group] = place->scales[token * place->token_stride + from];
    }
  }
  kvf_widen_fp8_e4m3(scales, codes, count * groups);
  for (int64_t row = 0; row < count; ++row) {
    kvf_decode_groups_of_16(wide + row * pitch, places[row].codes + at / 2, scales + row * groups,
                            groups);
  }
}

/* A head of a row, times the scale that all of it has. */
static void store_head(const side *s, float *wide, float scale, float *to, int32_t streaming) {
  float results[SIZE];
  for (int64_t i = 0; i < s->size; ++i) {
    wide[i] *= scale;
  }
  kvf_store_results_f32(results, wide, s->size);
  kvf_store_row(to, results, s->size * (int64_t)sizeof *to, streaming);
}

/* `rows` rows of one page, from its token `offset` on. */
static void gather_rows(const kvf_gather_kv_cache_params *p, const side *s, int64_t block,
                        int64_t offset, int64_t row, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    float *out = (float *)s->out->data + (row + i) * s->out->stride[0];
    for (int64_t first = 0; first < s->heads; first += ROWS) {
      const int64_t count = s->heads - first < ROWS ? s->heads - first : ROWS;
      row_place places[ROWS];
      float wide[ROWS][SIZE];
      for (int64_t h = 0; h < count; ++h) {
        places[h] = find_row(p, s->cache, s->size, block, offset + i, first + h);
      }
      load_rows(wide[0], SIZE, s->size, places, count, 0, s->size);
      for (int64_t h = 0; h < count; ++h) {
        const float scale = ((const float *)s->scale->data)[(first + h) * s->scale->stride[0]];
        store_head(s, wide[h], scale, out + (first + h) * s->out->stride[1], p->streaming);
      }
    }
  }
}

/* Rows [begin, end). */
static void gather_side(const kvf_gather_kv_cache_params *p, const side *s, int64_t begin,
                        int64_t end) {
  for (int64_t row = begin; row < end;) {
    int64_t block;
    int64_t offset;
    const int64_t rows = kvf_locate_run(&p->table, row, end, &block, &offset);
    if (block >= 0 && s->size > 0) {
      gather_rows(p, s, block, offset, row, rows);
    }
    row += rows;
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f32__nvfp4)(const void *params, int64_t begin,
                                                         int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f32__nvfp4)(const void *params, int64_t begin,
                                                         int64_t end) {
  const kvf_gather_kv_cache_params *p = params;
  const side key = {.cache = &p->key_cache,
                    .out = &p->key_out,
                    .scale = &p->k_scale,
                    .heads = p->key_heads,
                    .size = p->head_size};
  const side value = {.cache = &p->value_cache,
                      .out = &p->value_out,
                      .scale = &p->v_scale,
                      .heads = p->value_heads,
                      .size = p->value_head_size};
  gather_side(p, &key, begin, end);
  gather_side(p, &value, begin, end);
  if (p->streaming) {
    kvf_stream_fence();
  }
}
