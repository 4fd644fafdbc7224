/*
 * Generated from templates/cpu/gather_kv_cache.c.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cpu_attention.h"
#include "kvforge/cache/cpu_int4.h"

/* Elements of a head that is not moved in whole: they are on the stack. */
enum { SIZE = KVF_ATTENTION_HEAD_SIZE };

/* Keys or values. */
typedef struct side {
  const kvf_view *cache;
  const kvf_view *out;
  const kvf_view *scale;
  int64_t heads;
  int64_t size; /* of a head */
} side;

/* Rows behind each other in one page. */
typedef struct run {
  int64_t row;  /* the first */
  int64_t rows; /* 0: there are none that are wanted */
  int64_t block;
  int64_t offset; /* in it */
} run;

/* What a place in a page of a cache has: codes of a head of a token, and their word. */
typedef struct row_place {
  const uint8_t *codes;
  const float *word;
} row_place;

static row_place find_row(const kvf_gather_kv_cache_params *p, const kvf_view *cache, int64_t size,
                          int64_t block, int64_t offset, int64_t kv_head) {
  const kvf_view *words = cache == &p->key_cache ? &p->k_scale : &p->v_scale;
  (void)size;
  return (row_place){.codes = (const uint8_t *)cache->data + block * cache->stride[0] +
                              offset * cache->stride[1] + kv_head * cache->stride[2],
                     .word = (const float *)words->data + block * words->stride[0] +
                             offset * words->stride[1] + kv_head * words->stride[2]};
}

KVF_INLINE void prefetch_row(const row_place *place, int64_t size) {
  kvf_prefetch_to_read(place->codes, size / 2);
  kvf_prefetch_to_read(place->word, 1);
}

/* A head of a token: its codes, and what makes floats of them. */
typedef struct head {
  const uint8_t *codes;
  kvf_numbers numbers;
  bool plain; /* kvf_int4_is_plain() */
} head;

KVF_INLINE head open_head(const kvf_gather_kv_cache_params *p, const side *s, const run *from,
                          int64_t token, int64_t number, int64_t size) {
  const row_place place = find_row(p, s->cache, size, from->block, from->offset + token, number);
  return (head){place.codes, kvf_int4_numbers(*place.word), kvf_int4_is_plain(*place.word)};
}

/* Bytes of the codes of `count` elements. */
KVF_INLINE int64_t code_bytes(int64_t count) { return count / 2; }

/* A span of a head, from element `i` on, whose codes these are. */
KVF_INLINE void decode_span(kvf_floats wide[KVF_SPAN_PARTS], const head *from, const uint8_t *codes,
                            int64_t i, int64_t size) {
  (void)i;
  (void)size;
  kvf_look_up_neighbours(wide, from->numbers, codes);
  kvf_look_up_neighbours(wide + KVF_SPAN_PARTS / 2, from->numbers, codes + 8);
}

/* `size` may be a number that a compiler knows. */
KVF_INLINE void decode_head(const head *from, float *to, int64_t size, int32_t streaming,
                            bool back) {
  _Alignas(64) float results[SIZE];
  float row[SIZE];
  int64_t i = 0;
  for (; i < size; i += KVF_SPAN) {
    kvf_floats wide[KVF_SPAN_PARTS];
    const uint8_t *codes = from->codes + code_bytes(i);
    uint8_t last[KVF_SPAN] = {0};
    if (size - i < KVF_SPAN) {
      memcpy(last, codes, (size_t)code_bytes(size - i));
      codes = last;
    }
    decode_span(wide, from, codes, i, size);
    if (back) {
      kvf_store_span(row + i, wide);
      continue;
    }
    kvf_narrow_span_f32(results + i, wide);
  }
  if (back) {
    kvf_rotate_back(row, size, kvf_rotation_block((int32_t)size));
    kvf_store_results_f32(results, row, size);
  }
  kvf_store_row(to, results, size * (int64_t)sizeof *to, streaming);
}

/* A head of row `i` of one page; that of the row `ahead` is asked for. */
KVF_INLINE head open_next(const kvf_gather_kv_cache_params *p, const side *s, const run *now,
                          const run *ahead, int64_t i, int64_t number, int64_t size) {
  if (i < ahead->rows) {
    const row_place place = find_row(p, s->cache, size, ahead->block, ahead->offset + i, number);
    prefetch_row(&place, size);
  }
  return open_head(p, s, now, i, number, size);
}

KVF_INLINE void gather_rows_of(const kvf_gather_kv_cache_params *p, const side *s, const run *now,
                               const run *ahead, int64_t size) {
  for (int64_t i = 0; i < now->rows; ++i) {
    float *out = (float *)s->out->data + (now->row + i) * s->out->stride[0];
    for (int64_t number = 0; number < s->heads; ++number) {
      head from = open_next(p, s, now, ahead, i, number, size);
      decode_head(&from, out + number * s->out->stride[1], size, p->streaming, p->inverse_rht);
    }
  }
}

/* A head of the usual size with any scale, rotated back. */
static void decode_usual_head(const head *from, float *to, int32_t streaming) {
  decode_head(from, to, KVF_USUAL_HEAD, streaming, true);
}

/* Heads of the usual size that lie one behind another in a page, rotated back without a way through
 * memory. */
KVF_INLINE void gather_heads(const kvf_gather_kv_cache_params *p, const side *s, const run *now,
                             const run *ahead, int64_t i, int64_t first, int count) {
  enum { HALF = KVF_HALF_PARTS };
  float *out = (float *)s->out->data + (now->row + i) * s->out->stride[0];
  _Alignas(64) float results[KVF_HEADS_TOGETHER][KVF_USUAL_HEAD];
  kvf_floats numbers[KVF_HEADS_TOGETHER * KVF_HEAD_PARTS];
  head heads[KVF_HEADS_TOGETHER];
  bool plain = true;
  for (int k = 0; k < count; ++k) {
    heads[k] = open_next(p, s, now, ahead, i, first + k, KVF_USUAL_HEAD);
    plain = plain && heads[k].plain;
  }
  for (int k = 0; k < count && !plain; ++k) {
    decode_usual_head(&heads[k], out + (first + k) * s->out->stride[1], p->streaming);
  }
  if (!plain) {
    return;
  }
  for (int k = 0; k < count; ++k) {
    const kvf_numbers divided = kvf_scaled_numbers(heads[k].numbers, 1.0f / (float)KVF_USUAL_HEAD);
    kvf_floats *even = numbers + k * KVF_HEAD_PARTS;
    for (int part = 0; part < KVF_HEAD_HALF; part += HALF) {
      kvf_floats wide[KVF_SPAN_PARTS];
      kvf_look_up_halves(wide, divided, heads[k].codes + part * KVF_WIDTH);
      for (int n = 0; n < HALF; ++n) {
        even[part + n] = wide[n];
        even[KVF_HEAD_HALF + part + n] = wide[HALF + n];
      }
    }
  }
  kvf_rotate_heads_back(numbers, count);
  for (int k = 0; k < count; ++k) {
    const kvf_floats *even = numbers + k * KVF_HEAD_PARTS;
    for (int part = 0; part < KVF_HEAD_HALF; part += HALF) {
      kvf_narrow_zipped_f32(results[k] + 2 * KVF_WIDTH * part, even + part,
                            even + KVF_HEAD_HALF + part);
    }
    kvf_store_row(out + (first + k) * s->out->stride[1], results[k], (int64_t)sizeof results[k],
                  p->streaming);
  }
}

static void gather_usual_rows(const kvf_gather_kv_cache_params *p, const side *s, const run *now,
                              const run *ahead) {
  enum { TOGETHER = KVF_HEADS_TOGETHER };
  for (int64_t i = 0; i < now->rows; ++i) {
    int64_t number = 0;
    for (; number + TOGETHER <= s->heads; number += TOGETHER) {
      gather_heads(p, s, now, ahead, i, number, TOGETHER);
    }
    for (; number < s->heads; ++number) {
      gather_heads(p, s, now, ahead, i, number, 1);
    }
  }
}

/* Rows of one page. Those `ahead` are asked for. */
static void gather_rows(const kvf_gather_kv_cache_params *p, const side *s, const run *now,
                        const run *ahead) {
  if (s->size == KVF_USUAL_HEAD && p->inverse_rht) {
    gather_usual_rows(p, s, now, ahead);
  } else {
    gather_rows_of(p, s, now, ahead, s->size);
  }
}

/* The run from `row` on; its rows are in no page where its block is negative. */
static run find_run(const kvf_gather_kv_cache_params *p, int64_t row, int64_t end) {
  run found = {.row = row};
  if (row < end) {
    found.rows = kvf_locate_run(&p->table, row, end, &found.block, &found.offset);
  }
  return found;
}

/* Rows [begin, end). */
static void gather_side(const kvf_gather_kv_cache_params *p, const side *s, int64_t begin,
                        int64_t end) {
  run now = find_run(p, begin, end);
  while (now.rows > 0) {
    run ahead = find_run(p, now.row + now.rows, end);
    const run next = ahead;
    if (ahead.block < 0) {
      ahead = (run){0};
    }
    if (now.block >= 0 && s->size > 0) {
      gather_rows(p, s, &now, &ahead);
    }
    now = next;
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f32__int4_per_token_head)(const void *params,
                                                                       int64_t begin, int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f32__int4_per_token_head)(const void *params,
                                                                       int64_t begin, int64_t end) {
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
