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

/* Bytes from head to head. */
typedef struct head_step {
  int64_t codes;
  int64_t scales;
} head_step;

KVF_INLINE head_step step_of(const kvf_gather_kv_cache_params *p, const kvf_view *cache) {
  const kvf_view *scales = cache == &p->key_cache ? &p->k_scale : &p->v_scale;
  return (head_step){cache->stride[2], scales->stride[2] * (int64_t)sizeof(float)};
}

KVF_INLINE void next_head(row_place *place, head_step step) {
  place->codes += step.codes;
  place->word = (const float *)((const char *)place->word + step.scales);
}

/* A head of a token: its codes, and what makes floats of them. */
typedef struct head {
  const uint8_t *codes;
  kvf_numbers numbers;
  bool plain; /* kvf_int4_is_plain() */
} head;

KVF_INLINE head open_head(const side *s, row_place place, int64_t number) {
  (void)s;
  (void)number;
  return (head){place.codes, kvf_int4_numbers(*place.word), kvf_int4_is_plain(*place.word)};
}

/* Bytes of the codes of `count` elements. */
KVF_INLINE int64_t code_bytes(int64_t count) { return count / 2; }

/* A span of a head, from element `i` on, whose codes these are. Returns whether there is no NaN for
 * sure. */
KVF_INLINE bool decode_span(kvf_floats wide[KVF_SPAN_PARTS], const head *from, const uint8_t *codes,
                            int64_t i, int64_t size) {
  (void)i;
  (void)size;
  kvf_look_up_neighbours(wide, from->numbers, codes);
  kvf_look_up_neighbours(wide + KVF_SPAN_PARTS / 2, from->numbers, codes + 8);
  return from->plain;
}

/* Whole spans, of whole lines where they are streamed. `size` may be a number that a compiler
 * knows. */
KVF_INLINE void decode_spans(const head *from, uint16_t *to, int64_t size, bool streaming) {
  int64_t i = 0;
  for (; i < size; i += KVF_SPAN) {
    kvf_floats wide[KVF_SPAN_PARTS];
    uint16_t results[KVF_SPAN];
    const uint8_t *codes = from->codes + code_bytes(i);
    uint8_t last[KVF_SPAN] = {0};
    if (size - i < KVF_SPAN) {
      memcpy(last, codes, (size_t)code_bytes(size - i));
      codes = last;
    }
    if (decode_span(wide, from, codes, i, size)) {
      kvf_narrow_span_numbers_f16(results, wide);
    } else {
      kvf_narrow_span_f16(results, wide);
    }
    kvf_store_lines(to + i, results, sizeof results, streaming);
  }
}

/* A head that is to be rotated back. */
KVF_INLINE void decode_rotated(const head *from, uint16_t *to, int64_t size, int32_t streaming) {
  _Alignas(64) uint16_t results[SIZE];
  float row[SIZE];
  for (int64_t i = 0; i < size; i += KVF_SPAN) {
    kvf_floats wide[KVF_SPAN_PARTS];
    const uint8_t *codes = from->codes + code_bytes(i);
    uint8_t last[KVF_SPAN] = {0};
    if (size - i < KVF_SPAN) {
      memcpy(last, codes, (size_t)code_bytes(size - i));
      codes = last;
    }
    (void)decode_span(wide, from, codes, i, size);
    kvf_store_span(row + i, wide);
  }
  kvf_rotate_back(row, size, kvf_rotation_block((int32_t)size));
  kvf_store_results_f16(results, row, size);
  kvf_store_row(to, results, size * (int64_t)sizeof *to, streaming);
}

/* `size` may be a number that a compiler knows. */
KVF_INLINE void decode_head(const head *from, uint16_t *to, int64_t size, int32_t streaming) {
  const bool whole = size % KVF_SPAN == 0;
  if (whole && !streaming) {
    decode_spans(from, to, size, false);
  } else if (whole && kvf_begins_line(to)) {
    decode_spans(from, to, size, true);
  } else {
    _Alignas(64) uint16_t results[SIZE];
    decode_spans(from, results, size, false);
    kvf_store_row(to, results, size * (int64_t)sizeof *to, streaming);
  }
}

/* From head to head of a row of one page, and of a row ahead. */
typedef struct walk {
  row_place here;
  row_place there;
  bool asks; /* whether there is a row ahead */
  head_step step;
} walk;

KVF_INLINE walk begin_walk(const kvf_gather_kv_cache_params *p, const side *s, const run *now,
                           const run *ahead, int64_t i, int64_t size) {
  walk w = {.here = find_row(p, s->cache, size, now->block, now->offset + i, 0),
            .asks = i < ahead->rows,
            .step = step_of(p, s->cache)};
  if (w.asks) {
    w.there = find_row(p, s->cache, size, ahead->block, ahead->offset + i, 0);
  }
  return w;
}

/* The next head, which has this number. That of the row ahead is asked for. */
KVF_INLINE head open_next(walk *w, const side *s, int64_t number, int64_t size) {
  const head next = open_head(s, w->here, number);
  next_head(&w->here, w->step);
  if (w->asks) {
    prefetch_row(&w->there, size);
    next_head(&w->there, w->step);
  }
  return next;
}

KVF_INLINE void gather_rows_of(const kvf_gather_kv_cache_params *p, const side *s, const run *now,
                               const run *ahead, int64_t size) {
  const int64_t heads = s->heads;
  const int64_t step = s->out->stride[1];
  for (int64_t i = 0; i < now->rows; ++i) {
    uint16_t *to = (uint16_t *)s->out->data + (now->row + i) * s->out->stride[0];
    walk w = begin_walk(p, s, now, ahead, i, size);
    for (int64_t number = 0; number < heads; ++number, to += step) {
      head from = open_next(&w, s, number, size);
      if (p->inverse_rht) {
        decode_rotated(&from, to, size, p->streaming);
        continue;
      }
      decode_head(&from, to, size, p->streaming);
    }
  }
}

/* A head of the usual size with any scale, rotated back. */
static void decode_usual_head(const head *from, uint16_t *to, int32_t streaming) {
  decode_rotated(from, to, KVF_USUAL_HEAD, streaming);
}

/* Heads in registers as results; in whole lines where they are streamed. */
KVF_INLINE void store_heads(const kvf_floats *numbers, uint16_t *to, int64_t step, int count,
                            bool streaming) {
  for (int k = 0; k < count; ++k, numbers += KVF_HEAD_PARTS, to += step) {
    for (int part = 0; part < KVF_HEAD_HALF; part += KVF_HALF_PARTS) {
      uint16_t results[KVF_SPAN];
      kvf_narrow_zipped_f16(results, numbers + part, numbers + KVF_HEAD_HALF + part);
      kvf_store_lines(to + 2 * KVF_WIDTH * part, results, sizeof results, streaming);
    }
  }
}

/* Heads of the usual size that lie one behind another in a page, rotated back without a way through
 * memory. */
KVF_INLINE void gather_heads(walk *w, const side *s, uint16_t *to, int64_t step, int64_t first,
                             int count, int32_t streaming) {
  enum { HALF = KVF_HALF_PARTS };
  const bool past = streaming && kvf_begins_line(to) && step * (int64_t)sizeof *to % 64 == 0;
  kvf_floats numbers[KVF_HEADS_TOGETHER * KVF_HEAD_PARTS];
  head heads[KVF_HEADS_TOGETHER];
  bool plain = true;
  for (int k = 0; k < count; ++k) {
    heads[k] = open_next(w, s, first + k, KVF_USUAL_HEAD);
    plain = plain && heads[k].plain;
  }
  for (int k = 0; k < count && !plain; ++k) {
    decode_usual_head(&heads[k], to + k * step, streaming);
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
  if (past) {
    store_heads(numbers, to, step, count, true);
  } else {
    store_heads(numbers, to, step, count, false);
  }
}

static void gather_usual_rows(const kvf_gather_kv_cache_params *p, const side *s, const run *now,
                              const run *ahead) {
  enum { TOGETHER = KVF_HEADS_TOGETHER };
  const int64_t heads = s->heads;
  const int64_t step = s->out->stride[1];
  for (int64_t i = 0; i < now->rows; ++i) {
    uint16_t *to = (uint16_t *)s->out->data + (now->row + i) * s->out->stride[0];
    walk w = begin_walk(p, s, now, ahead, i, KVF_USUAL_HEAD);
    int64_t number = 0;
    for (; number + TOGETHER <= heads; number += TOGETHER, to += TOGETHER * step) {
      gather_heads(&w, s, to, step, number, TOGETHER, p->streaming);
    }
    for (; number < heads; ++number, to += step) {
      gather_heads(&w, s, to, step, number, 1, p->streaming);
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

void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f16__int4_per_token_head)(const void *params,
                                                                       int64_t begin, int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f16__int4_per_token_head)(const void *params,
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
