/*
 * Generated from templates/cpu/gather_kv_cache.c.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cpu_attention.h"
#include "kvforge/cpu_fp4.h"
#include "kvforge/cache/nvfp4.h"

#include "kvforge/cache/cpu_nvfp4.h"

/* Elements of a head that is not moved in whole: they are on the stack. */
enum { SIZE = KVF_ATTENTION_HEAD_SIZE };

/* Keys or values. */
typedef struct side {
  const kvf_view *cache;
  const kvf_view *out;
  const kvf_view *scale;
  int64_t heads;
  int64_t size;              /* of a head */
  const float *block_scales; /* what their codes stand for */
} side;

/* Rows behind each other in one page. */
typedef struct run {
  int64_t row;  /* the first */
  int64_t rows; /* 0: there are none that are wanted */
  int64_t block;
  int64_t offset; /* in it */
} run;

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

KVF_INLINE void prefetch_row(const row_place *place, int64_t size) {
  kvf_prefetch_to_read(place->codes, size / 2);
  kvf_prefetch_to_read(place->scales + place->offset * place->token_stride, 1);
}

/* Bytes from head to head. */
typedef struct head_step {
  int64_t codes;
  int64_t scales;
} head_step;

KVF_INLINE head_step step_of(const kvf_gather_kv_cache_params *p, const kvf_view *cache) {
  (void)p;
  return (head_step){cache->stride[2], cache->stride[2] / 8};
}

KVF_INLINE void next_head(row_place *place, head_step step) {
  place->codes += step.codes;
  place->scales += step.scales;
}

/* A head of a token: its codes, and what makes floats of them. */
typedef struct head {
  const uint8_t *codes;
  row_place place;
  float scale;               /* that all of it has */
  const float *block_scales; /* of all codes */
#if defined(__AVX512BW__)
  const kvf_nvfp4_numbers *kept;
#endif
} head;

KVF_INLINE head open_head(const side *s, row_place place, int64_t number) {
  return (head){.codes = place.codes,
                .place = place,
                .scale = ((const float *)s->scale->data)[number * s->scale->stride[0]],
                .block_scales = s->block_scales};
}

/* Bytes of the codes of `count` elements. */
KVF_INLINE int64_t code_bytes(int64_t count) { return count / 2; }

/* What the codes of a group of a head stand for. */
KVF_INLINE kvf_numbers numbers_of(const head *from, int64_t group, int64_t size) {
  int64_t row = from->place.offset;
  if (from->place.swizzled) {
    kvf_nvfp4_swizzle(&row, &group, size / KVF_NVFP4_GROUP);
  }
  const float block_scale =
      from->block_scales[from->place.scales[row * from->place.token_stride + group]];
  return kvf_scaled_numbers(kvf_scaled_numbers(kvf_load_numbers(kvf_e2m1_numbers), block_scale),
                            from->scale);
}

/* A span of a head, from element `i` on, whose codes these are. Returns whether there is no NaN for
 * sure. */
KVF_INLINE bool decode_span(kvf_floats wide[KVF_SPAN_PARTS], const head *from, const uint8_t *codes,
                            int64_t i, int64_t size) {
  const int64_t group = i / KVF_NVFP4_GROUP;
  const int64_t next =
      i + KVF_NVFP4_GROUP < size ? group + 1 : group; /* any, where there is none */
  kvf_look_up_neighbours(wide, numbers_of(from, group, size), codes);
  kvf_look_up_neighbours(wide + KVF_SPAN_PARTS / 2, numbers_of(from, next, size), codes + 8);
  return false;
}

#if defined(__AVX512BW__)
/* The block scales of eight groups, or of four of them twice. */
KVF_INLINE uint64_t block_scales_of(const head *from, int64_t first, int64_t count, int64_t size) {
  const uint8_t *scales = from->place.scales;
  if (!from->place.swizzled) {
    uint32_t halves[2];
    scales += from->place.offset * from->place.token_stride + first;
    memcpy(&halves[0], scales, sizeof halves[0]);
    memcpy(&halves[1], scales + count - 4, sizeof halves[1]);
    return (uint64_t)halves[1] << 32 | halves[0];
  }
  uint64_t all = 0;
  for (int i = 0; i < 8; ++i) {
    int64_t row = from->place.offset;
    int64_t group = first + i % count;
    kvf_nvfp4_swizzle(&row, &group, size / KVF_NVFP4_GROUP);
    all |= (uint64_t)scales[row * from->place.token_stride + group] << 8 * i;
  }
  return all;
}

#endif
/* Whole spans, of whole lines where they are streamed. `size` may be a number that a compiler
 * knows. */
KVF_INLINE void decode_spans(const head *from, uint16_t *to, int64_t size, bool streaming) {
  int64_t i = 0;
#if defined(__AVX512BW__)
  enum { TOGETHER = 4 * KVF_NVFP4_GROUP };
  while (i + TOGETHER <= size) {
    const int64_t groups = i + 2 * TOGETHER <= size ? 8 : 4;
    const kvf_bf16_of_groups numbers = kvf_bf16_of_8_groups(
        from->kept, block_scales_of(from, i / KVF_NVFP4_GROUP, groups, size), from->scale);
    if (!numbers.serves) {
      break;
    }
    for (int group = 0; group < groups; group += 4, i += TOGETHER) {
      uint16_t results[2][KVF_SPAN];
      kvf_decode_4_groups(results[0], results[1], from->kept, numbers, group,
                          from->codes + code_bytes(i));
      kvf_store_lines(to + i, results[0], sizeof results[0], streaming);
      kvf_store_lines(to + i + KVF_SPAN, results[1], sizeof results[1], streaming);
    }
  }
#endif
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
      kvf_narrow_span_numbers_bf16(results, wide);
    } else {
      kvf_narrow_span_bf16(results, wide);
    }
    kvf_store_lines(to + i, results, sizeof results, streaming);
  }
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
#if defined(__AVX512BW__)
  const kvf_nvfp4_numbers kept = kvf_make_nvfp4_numbers();
#endif
  const int64_t heads = s->heads;
  const int64_t step = s->out->stride[1];
  for (int64_t i = 0; i < now->rows; ++i) {
    uint16_t *to = (uint16_t *)s->out->data + (now->row + i) * s->out->stride[0];
    walk w = begin_walk(p, s, now, ahead, i, size);
    for (int64_t number = 0; number < heads; ++number, to += step) {
      head from = open_next(&w, s, number, size);
#if defined(__AVX512BW__)
      from.kept = &kept;
#endif
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

void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__bf16__nvfp4)(const void *params, int64_t begin,
                                                          int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__bf16__nvfp4)(const void *params, int64_t begin,
                                                          int64_t end) {
  const kvf_gather_kv_cache_params *p = params;
  float block_scales[256];
  kvf_widen_all_fp8_e4m3(block_scales);
  const side key = {.cache = &p->key_cache,
                    .out = &p->key_out,
                    .scale = &p->k_scale,
                    .heads = p->key_heads,
                    .block_scales = block_scales,
                    .size = p->head_size};
  const side value = {.cache = &p->value_cache,
                      .out = &p->value_out,
                      .scale = &p->v_scale,
                      .heads = p->value_heads,
                      .block_scales = block_scales,
                      .size = p->value_head_size};
  gather_side(p, &key, begin, end);
  gather_side(p, &value, begin, end);
  if (p->streaming) {
    kvf_stream_fence();
  }
}
