/*
 * Generated from templates/cpu/gather_kv_cache.c.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cpu_attention.h"
#include "kvforge/int8.h"

/* Rows that are done together, and elements of one that is not moved in whole: they are on the
 * stack. */
enum { ROWS = 8, SIZE = KVF_ATTENTION_HEAD_SIZE };

/* Keys or values. */
typedef struct side {
  const kvf_view *cache;
  const kvf_view *out;
  const kvf_view *scale;
  int64_t heads;
  int64_t size;   /* of a head */
  int64_t stride; /* of elements */
} side;

/* `count` elements that lie one behind another. */
static void widen(float *restrict row, const int8_t *restrict from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    row[i] = kvf_f32_from_int8(from[i]);
  }
}

/* A head of a row, times the scale that all of it has. */
static void store_head(const side *s, float *wide, float scale, uint16_t *to, int32_t streaming) {
  uint16_t results[SIZE];
  for (int64_t i = 0; i < s->size; ++i) {
    wide[i] *= scale;
  }
  kvf_store_results_f16(results, wide, s->size);
  kvf_store_row(to, results, s->size * (int64_t)sizeof *to, streaming);
}

/* `rows` rows of one page, from its token `offset` on. */
static void gather_rows(const kvf_gather_kv_cache_params *p, const side *s, int64_t block,
                        int64_t offset, int64_t row, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    uint16_t *out = (uint16_t *)s->out->data + (row + i) * s->out->stride[0];
    const int8_t *token = (const int8_t *)s->cache->data + block * s->cache->stride[0] +
                          (offset + i) * s->cache->stride[1];
    const float *scales = (const float *)s->scale->data + block * s->scale->stride[0] +
                          (offset + i) * s->scale->stride[1];
    for (int64_t h = 0; h < s->heads; ++h) {
      const int8_t *codes = token + h * s->cache->stride[2];
      int8_t dense[SIZE];
      float wide[SIZE];
      for (int64_t k = 0; s->stride != 1 && k < s->size; ++k) {
        dense[k] = codes[k * s->stride];
      }
      widen(wide, s->stride == 1 ? codes : dense, s->size);
      store_head(s, wide, scales[h * s->scale->stride[2]], out + h * s->out->stride[1],
                 p->streaming);
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

void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f16__int8_per_token_head)(const void *params,
                                                                       int64_t begin, int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f16__int8_per_token_head)(const void *params,
                                                                       int64_t begin, int64_t end) {
  const kvf_gather_kv_cache_params *p = params;
  const side key = {.cache = &p->key_cache,
                    .out = &p->key_out,
                    .scale = &p->k_scale,
                    .heads = p->key_heads,
                    .stride = p->key_cache.stride[4],
                    .size = p->head_size};
  const side value = {.cache = &p->value_cache,
                      .out = &p->value_out,
                      .scale = &p->v_scale,
                      .heads = p->value_heads,
                      .stride = p->value_cache.stride[3],
                      .size = p->value_head_size};
  gather_side(p, &key, begin, end);
  gather_side(p, &value, begin, end);
  if (p->streaming) {
    kvf_stream_fence();
  }
}
