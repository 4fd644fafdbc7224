/*
 * Generated from templates/cpu/gather_kv_cache.c.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cpu_attention.h"

#include "kvforge/cache/cpu_spans.h"

/* Elements of a head that is not moved in whole: they are on the stack. */
enum { SIZE = KVF_ATTENTION_HEAD_SIZE };

/* Keys or values. */
typedef struct side {
  const kvf_view *cache;
  const kvf_view *out;
  const kvf_view *scale;
  int64_t heads;
  int64_t size;          /* of a head */
  int64_t x;             /* elements of a group */
  int64_t group_stride;  /* of these */
  int64_t stride;        /* of elements */
  int64_t tokens;        /* of a group of tokens; 0: there are none */
  int64_t tokens_stride; /* of these */
} side;

/* Rows behind each other in one page. */
typedef struct run {
  int64_t row;  /* the first */
  int64_t rows; /* 0: there are none that are wanted */
  int64_t block;
  int64_t offset; /* in it */
} run;

/* What every code becomes with this scale. */
typedef struct codes_of_scale {
  uint16_t results[256];
  float scale;
} codes_of_scale;

/* Multiplied in f32, rounded once. */
static void make_codes(codes_of_scale *all, float scale) {
  float wide[256];
  for (int32_t code = 0; code < 256; ++code) {
    wide[code] = kvf_f32_from_fp8_e5m2((uint8_t)code) * scale;
  }
  kvf_store_results_f16(all->results, wide, 256);
  all->scale = scale;
}

/* Rows, which are streamed only where all of their results are whole lines. */
KVF_INLINE void decode(uint16_t *to, const codes_of_scale *all, kvf_code_rows from,
                       bool streaming) {
#if KVF_COMPUTES_CODES
  const float scale = all->scale;
  const float number_scale = kvf_number_scale_fp8_e5m2(scale);
  const bool finite = (kvf_bits(number_scale) & 0x7F800000u) != 0x7F800000u;
  for (; from.rows > 0; --from.rows, to += from.stride, from.codes += from.pitch) {
    int64_t i = 0;
    for (; i + KVF_SPAN <= from.count; i += KVF_SPAN) {
      kvf_floats wide[KVF_SPAN_PARTS];
      uint16_t results[KVF_SPAN];
      if (finite && kvf_are_numbers_fp8_e5m2(from.codes + i)) {
        kvf_widen_numbers_fp8_e5m2(wide, from.codes + i);
        for (int k = 0; k < KVF_SPAN_PARTS; ++k) {
          wide[k] *= number_scale;
        }
        kvf_narrow_span_numbers_f16(results, wide);
      } else {
        kvf_widen_span_fp8_e5m2(wide, from.codes + i);
        for (int k = 0; k < KVF_SPAN_PARTS; ++k) {
          wide[k] *= scale;
        }
        kvf_narrow_span_f16(results, wide);
      }
      kvf_store_lines(to + i, results, sizeof results, streaming);
    }
    for (; i < from.count; ++i) {
      to[i] = all->results[from.codes[i]];
    }
  }
#else
  kvf_look_up_rows_signed_16(to, all->results, from, streaming);
#endif
}

/* Rows; several of one that lie one behind another on both sides are a row, too. */
static void decode_rows(uint16_t *to, const codes_of_scale *all, kvf_code_rows from,
                        int32_t streaming) {
  enum { PART = 1024, LINE = 64 / (int)sizeof *to };
  const bool lines = (KVF_COMPUTES_CODES || KVF_LOOKS_UP_LINES) && kvf_begins_line(to) &&
                     from.count % KVF_SPAN == 0 && from.stride % LINE == 0;
  if (!streaming || lines) {
    decode(to, all, from, streaming);
    return;
  }
  for (int64_t row = 0; row < from.rows; ++row, to += from.stride, from.codes += from.pitch) {
    for (int64_t first = 0; first < from.count; first += PART) {
      uint16_t results[PART];
      const int64_t length = from.count - first < PART ? from.count - first : PART;
      decode(results, all, (kvf_code_rows){from.codes + first, 0, 0, 1, length}, false);
      kvf_stream_row(to + first, results, length * (int64_t)sizeof *results);
    }
  }
}

enum { VECTOR = 16 };

typedef uint8_t vector __attribute__((vector_size(16)));

/*
 * Interleaving row i with row i + n/2 turns an n x n square into its transpose after log2(n)
 * rounds.
 */
static inline void transpose_square(vector square[16]) {
  for (int round = 1; round < 16; round *= 2) {
    vector mixed[16];
    for (int64_t i = 0; i < 8; ++i) {
      mixed[2 * i] = __builtin_shufflevector(square[i], square[i + 8], 0, 16, 1, 17, 2, 18, 3, 19,
                                             4, 20, 5, 21, 6, 22, 7, 23);
      mixed[2 * i + 1] = __builtin_shufflevector(square[i], square[i + 8], 8, 24, 9, 25, 10, 26, 11,
                                                 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    memcpy(square, mixed, sizeof mixed);
  }
}

#if defined(__AVX512BW__)
typedef uint8_t wide_vector __attribute__((vector_size(64)));

/*
 * Interleaving row i with row i + n/2 turns an n x n square into its transpose after log2(n)
 * rounds.
 */
static inline void transpose_squares(wide_vector square[16]) {
  for (int round = 1; round < 16; round *= 2) {
    wide_vector mixed[16];
    for (int64_t i = 0; i < 8; ++i) {
      mixed[2 * i] = __builtin_shufflevector(
          square[i], square[i + 8], 0, 64, 1, 65, 2, 66, 3, 67, 4, 68, 5, 69, 6, 70, 7, 71, 16, 80,
          17, 81, 18, 82, 19, 83, 20, 84, 21, 85, 22, 86, 23, 87, 32, 96, 33, 97, 34, 98, 35, 99,
          36, 100, 37, 101, 38, 102, 39, 103, 48, 112, 49, 113, 50, 114, 51, 115, 52, 116, 53, 117,
          54, 118, 55, 119);
      mixed[2 * i + 1] = __builtin_shufflevector(
          square[i], square[i + 8], 8, 72, 9, 73, 10, 74, 11, 75, 12, 76, 13, 77, 14, 78, 15, 79,
          24, 88, 25, 89, 26, 90, 27, 91, 28, 92, 29, 93, 30, 94, 31, 95, 40, 104, 41, 105, 42, 106,
          43, 107, 44, 108, 45, 109, 46, 110, 47, 111, 56, 120, 57, 121, 58, 122, 59, 123, 60, 124,
          61, 125, 62, 126, 63, 127);
    }
    memcpy(square, mixed, sizeof mixed);
  }
}
#endif

/* VECTOR rows that lie side by side. */
static void pack_columns(uint8_t *packed, int64_t pitch, const uint8_t *from, int64_t stride,
                         int64_t size) {
  int64_t i = 0;
#if defined(__AVX512BW__)
  for (; i + 4 * VECTOR <= size; i += 4 * VECTOR) {
    wide_vector squares[VECTOR];
    for (int64_t k = 0; k < VECTOR; ++k) {
      kvf_join_4(&squares[k], from + (i + k) * stride, VECTOR * stride * (int64_t)sizeof *from);
    }
    transpose_squares(squares);
    for (int64_t k = 0; k < VECTOR; ++k) {
      memcpy(&packed[k * pitch + i], &squares[k], sizeof squares[k]);
    }
  }
#endif
  for (; i + VECTOR <= size; i += VECTOR) {
    vector square[VECTOR];
    for (int64_t k = 0; k < VECTOR; ++k) {
      memcpy(&square[k], from + (i + k) * stride, 16);
    }
    transpose_square(square);
    for (int64_t k = 0; k < VECTOR; ++k) {
      memcpy(&packed[k * pitch + i], &square[k], 16);
    }
  }
  for (; i < size; ++i) {
    for (int64_t k = 0; k < VECTOR; ++k) {
      packed[k * pitch + i] = from[i * stride + k];
    }
  }
}

static void pack_row(uint8_t *packed, const uint8_t *from, int64_t x, int64_t group_stride,
                     int64_t stride, int64_t size) {
  if (stride == 1 && x == VECTOR && size % VECTOR == 0) {
    int64_t i = 0;
    for (; i + 4 * VECTOR <= size; i += 4 * VECTOR, from += 4 * group_stride) {
      kvf_join_4(packed + i, from, group_stride * (int64_t)sizeof *from);
    }
    for (; i < size; i += VECTOR, from += group_stride) {
      memcpy(packed + i, from, 16);
    }
    return;
  }
  for (int64_t first = 0; first < size; first += x, from += group_stride) {
    const int64_t length = size - first < x ? size - first : x;
    for (int64_t i = 0; i < length; ++i) {
      packed[first + i] = from[i * stride];
    }
  }
}

/* Rows of so many elements, which may be heads that lie one behind another on both sides. */
static void move(const uint8_t *from, int64_t pitch, uint16_t *to, int64_t stride, int64_t rows,
                 int64_t count, int32_t streaming, const codes_of_scale *codes) {
  decode_rows(to, codes, (kvf_code_rows){(const uint8_t *)from, pitch, stride, rows, count},
              streaming);
}

/* Where the first element of a token of a page is. */
static const uint8_t *token_at(const side *s, int64_t block, int64_t offset) {
  const uint8_t *page = (const uint8_t *)s->cache->data + block * s->cache->stride[0];
  if (s->tokens == 0) {
    return page + offset * s->cache->stride[1];
  }
  const int64_t group = offset / s->tokens;
  return page + group * s->tokens_stride + (offset - group * s->tokens) * s->cache->stride[1];
}

/* A head whose elements are apart, one element after another. */
static void move_elements(const side *s, const uint8_t *from, uint16_t *to,
                          const codes_of_scale *codes) {
  for (int64_t first = 0; first < s->size; first += s->x, from += s->group_stride) {
    const int64_t length = s->size - first < s->x ? s->size - first : s->x;
    for (int64_t i = 0; i < length; ++i) {
      to[first + i] = codes->results[(uint8_t)from[i * s->stride]];
    }
  }
}

/* One head of `rows` rows of one page, whose elements are apart. Of `next`, where the next head
 * begins, as many are asked for. */
static void gather_apart(const side *s, int64_t block, int64_t offset, int64_t head,
                         const uint8_t *next, uint16_t *to, int64_t rows, int32_t streaming,
                         const codes_of_scale *codes) {
  _Alignas(64) uint8_t dense[VECTOR][SIZE];
  for (int64_t i = 0; i < rows;) {
    const uint8_t *from = token_at(s, block, offset + i) + head * s->cache->stride[2];
    int64_t count = 1;
    if (s->size > SIZE) {
      move_elements(s, from, to + i * s->out->stride[0], codes);
      ++i;
      continue;
    }
    const int64_t neighbours = s->tokens == 0 ? rows - i : s->tokens - (offset + i) % s->tokens;
    const bool together = neighbours >= VECTOR && rows - i >= VECTOR;
    if (together && s->x >= s->size && s->cache->stride[1] == 1) {
      pack_columns(dense[0], SIZE, from, s->stride, s->size);
      count = VECTOR;
    } else {
      count = together ? VECTOR : 1;
      for (int64_t k = 0; k < count; ++k) {
        pack_row(dense[k], from + k * s->cache->stride[1], s->x, s->group_stride, s->stride,
                 s->size);
      }
    }
    kvf_prefetch_to_read(next + i * s->size, count * s->size * (int64_t)sizeof *next);
    move(dense[0], SIZE, to + i * s->out->stride[0], s->out->stride[0], count, s->size, streaming,
         codes);
    i += count;
  }
}

/* Heads [first, end) of rows of one page. Those `ahead` are asked for. */
static void gather_rows(const kvf_gather_kv_cache_params *p, const side *s, int64_t first,
                        int64_t end, const run *now, const run *ahead,
                        const codes_of_scale *codes) {
  enum { PART = 512 }; /* elements that are done together at least, where they can be */
  const int64_t block = now->block;
  const int64_t offset = now->offset;
  const int64_t rows = now->rows;
  uint16_t *to = (uint16_t *)s->out->data + now->row * s->out->stride[0];
  if (s->stride != 1 || s->x < s->size) {
    for (int64_t head = first; head < end; ++head) {
      const bool more = head + 1 < end;
      const uint8_t *next = token_at(s, more ? block : ahead->block, 0) +
                            (more ? head + 1 : first) * s->cache->stride[2];
      gather_apart(s, block, offset, head, next, to + head * s->out->stride[1], rows, p->streaming,
                   codes);
    }
    return;
  }
  /* Heads that lie one behind another on both sides are one. */
  int64_t heads = end - first;
  int64_t size = s->size;
  if (s->cache->stride[2] == size && s->out->stride[1] == size) {
    size *= heads;
    heads = 1;
  }
  int64_t together = 1; /* rows */
  if (heads == 1 && s->tokens == 0 && s->cache->stride[1] == size && s->out->stride[0] == size) {
    together += PART / size;
  }
  for (int64_t i = 0; i < rows; i += together) {
    const int64_t count = rows - i < together ? rows - i : together;
    const int64_t asked = ahead->rows - i < count ? ahead->rows - i : count;
    const uint8_t *from = token_at(s, block, offset + i) + first * s->cache->stride[2];
    const uint8_t *next =
        token_at(s, ahead->block, ahead->offset + i) + first * s->cache->stride[2];
    uint16_t *out = to + i * s->out->stride[0] + first * s->out->stride[1];
    for (int64_t head = 0; head < heads; ++head) {
      kvf_prefetch_to_read(next + head * s->cache->stride[2], asked * size * (int64_t)sizeof *next);
      move(from + head * s->cache->stride[2], 0, out + head * s->out->stride[1], 0, 1, count * size,
           p->streaming, codes);
    }
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

/* Rows [begin, end) of heads [first, last). */
static void gather_heads(const kvf_gather_kv_cache_params *p, const side *s, int64_t begin,
                         int64_t end, int64_t first, int64_t last, const codes_of_scale *codes) {
  run now = find_run(p, begin, end);
  while (now.rows > 0) {
    run ahead = find_run(p, now.row + now.rows, end);
    const run next = ahead;
    if (ahead.block < 0) {
      ahead = (run){0};
    }
    if (now.block >= 0 && s->size > 0) {
      gather_rows(p, s, first, last, &now, &ahead, codes);
    }
    now = next;
  }
}

/* Rows [begin, end). What codes become serves as many heads as share a scale. */
static void gather_side(const kvf_gather_kv_cache_params *p, const side *s, int64_t begin,
                        int64_t end) {
  const int64_t step = s->scale->stride[0] == 0 ? s->heads : 1;
  for (int64_t head = 0; head < s->heads; head += step) {
    codes_of_scale codes;
    make_codes(&codes, ((const float *)s->scale->data)[head * s->scale->stride[0]]);
    gather_heads(p, s, begin, end, head, head + step, &codes);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f16__fp8_e5m2)(const void *params, int64_t begin,
                                                            int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_gather_kv_cache__f16__fp8_e5m2)(const void *params, int64_t begin,
                                                            int64_t end) {
  const kvf_gather_kv_cache_params *p = params;
  const side key = {.cache = &p->key_cache,
                    .out = &p->key_out,
                    .scale = &p->k_scale,
                    .heads = p->key_heads,
                    .x = p->x,
                    .group_stride = p->key_cache.stride[3],
                    .stride = p->key_cache.stride[4],
                    .size = p->head_size};
  const side value = {.cache = &p->value_cache,
                      .out = &p->value_out,
                      .scale = &p->v_scale,
                      .heads = p->value_heads,
                      .x = p->value_head_size,
                      .tokens = p->value_tokens,
                      .tokens_stride = p->value_tokens_stride,
                      .stride = p->value_cache.stride[3],
                      .size = p->value_head_size};
  gather_side(p, &key, begin, end);
  gather_side(p, &value, begin, end);
  if (p->streaming) {
    kvf_stream_fence();
  }
}
