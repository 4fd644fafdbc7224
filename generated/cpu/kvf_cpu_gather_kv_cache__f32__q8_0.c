/*
 * Generated from templates/cpu/gather_kv_cache.c.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cpu_attention.h"
#include "kvforge/cache/cpu_ggml.h"

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

/* What a place in a page of a cache has: the blocks of a head of a token. */
typedef struct row_place {
  const uint8_t *blocks;
} row_place;

static row_place find_row(const kvf_gather_kv_cache_params *p, const kvf_view *cache, int64_t size,
                          int64_t block, int64_t offset, int64_t kv_head) {
  (void)p;
  (void)size;
  return (row_place){(const uint8_t *)cache->data + block * cache->stride[0] +
                     offset * cache->stride[1] + kv_head * cache->stride[2]};
}

KVF_INLINE void prefetch_row(const row_place *place, int64_t size) {
  kvf_prefetch_to_read(place->blocks, size / KVF_GGML_BLOCK * KVF_Q8_0_BYTES);
}

/* Bytes from head to head. */
typedef struct head_step {
  int64_t codes;
} head_step;

KVF_INLINE head_step step_of(const kvf_gather_kv_cache_params *p, const kvf_view *cache) {
  (void)p;
  return (head_step){cache->stride[2]};
}

KVF_INLINE void next_head(row_place *place, head_step step) { place->blocks += step.codes; }

/* A head of a token: its codes, and what makes floats of them. */
typedef struct head {
  const uint8_t *codes;
} head;

KVF_INLINE head open_head(const side *s, row_place place, int64_t number) {
  (void)s;
  (void)number;
  return (head){place.blocks};
}

/* Bytes of the codes of `count` elements. */
KVF_INLINE int64_t code_bytes(int64_t count) { return count / KVF_GGML_BLOCK * KVF_Q8_0_BYTES; }

/* A span of a head, from element `i` on, whose codes these are. Returns whether there is no NaN for
 * sure. */
KVF_INLINE bool decode_span(kvf_floats wide[KVF_SPAN_PARTS], const head *from, const uint8_t *codes,
                            int64_t i, int64_t size) {
  (void)from;
  (void)i;
  (void)size;
  kvf_decode_span_q8_0(wide, codes);
  return kvf_ggml_is_finite(codes);
}

/* Whole spans, of whole lines where they are streamed. `size` may be a number that a compiler
 * knows. */
KVF_INLINE void decode_spans(const head *from, float *to, int64_t size, bool streaming) {
  int64_t i = 0;
  for (; i < size; i += KVF_SPAN) {
    kvf_floats wide[KVF_SPAN_PARTS];
    float results[KVF_SPAN];
    const uint8_t *codes = from->codes + code_bytes(i);
    if (decode_span(wide, from, codes, i, size)) {
      kvf_narrow_span_numbers_f32(results, wide);
    } else {
      kvf_narrow_span_f32(results, wide);
    }
    kvf_store_lines(to + i, results, sizeof results, streaming);
  }
}

/* `size` may be a number that a compiler knows. */
KVF_INLINE void decode_head(const head *from, float *to, int64_t size, int32_t streaming) {
  const bool whole = size % KVF_SPAN == 0;
  if (whole && !streaming) {
    decode_spans(from, to, size, false);
  } else if (whole && kvf_begins_line(to)) {
    decode_spans(from, to, size, true);
  } else {
    _Alignas(64) float results[SIZE];
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
    float *to = (float *)s->out->data + (now->row + i) * s->out->stride[0];
    walk w = begin_walk(p, s, now, ahead, i, size);
    for (int64_t number = 0; number < heads; ++number, to += step) {
      head from = open_next(&w, s, number, size);
      decode_head(&from, to, size, p->streaming);
    }
  }
}

/* Rows of one page. Those `ahead` are asked for. */
static void gather_rows(const kvf_gather_kv_cache_params *p, const side *s, const run *now,
                        const run *ahead) {
  enum { USUAL = 128 };
  if (s->size == USUAL) {
    gather_rows_of(p, s, now, ahead, USUAL);
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

void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f32__q8_0)(const void *params, int64_t begin,
                                                        int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f32__q8_0)(const void *params, int64_t begin,
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
