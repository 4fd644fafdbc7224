/*
 * Generated from templates/cpu/paged_attention.c.j2 and generator/spec/paged_attention.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/paged_attention.h"
#include "kvforge/cache/cpu_attention.h"

#include "kvforge/cache/attention_tiles.h"
#include "kvforge/cache/merge.h"

#include <stdlib.h>

#include "kvforge/cpu_tiles.h"

/*
 * Positions whose weights are computed together and whose values are added up before they go into
 * the sums, query heads of query tokens that are done together, and what is widened together, if it
 * is not widened as it is used: elements of 8 keys, or of the values of all positions.
 */
enum {
  STEP = KVF_CPU_ATTENTION_STEP,
  HEADS = KVF_ATTENTION_ROWS,
  KEY_ROWS = 8,
  KEY_PART = KVF_DOT_ELEMENTS,
  VALUE_PART = 32,
  SIZE = KEY_PART, /* of a part at most */
  ELEMENTS = KEY_ROWS * KEY_PART
};

/* What one unit of work, up to HEADS rows of one KV head, has so far. Rows are padded with 0. */
typedef struct progress {
  _Alignas(64) float room[KVF_CPU_ATTENTION_FLOATS];
  _Alignas(64) float wide[ELEMENTS];     /* of the cache */
  _Alignas(64) uint8_t packed[ELEMENTS]; /* of the cache, one behind another */
  struct matrix_room *matrix;            /* memory for the matrix unit; NULL: none */
  kvf_attention_row heads_of[HEADS];
  float *query; /* in the room, by head, as what follows */
  float *sums;
  float *excesses;      /* of the sums; see kvf_add_compensated() */
  float *scores;        /* of a step */
  double total[HEADS];  /* of the weights */
  float largest[HEADS]; /* score */
  int32_t rows;         /* of a tile */
  int64_t heads;
  int64_t size;       /* of a head */
  int64_t padded;     /* of a row */
  int64_t value_size; /* likewise, of values */
  int64_t value_padded;
} progress;

/* What a place in a page of a cache has: the first element of a head of a token. */
typedef struct row_place {
  const uint8_t *elements;
} row_place;

static row_place find_row(const kvf_paged_attention_params *p, const kvf_view *cache, int64_t size,
                          int64_t block, int64_t offset, int64_t kv_head) {
  (void)p;
  (void)size;
  return (row_place){(const uint8_t *)cache->data + block * cache->stride[0] +
                     offset * cache->stride[1] + kv_head * cache->stride[2]};
}

KVF_INLINE void prefetch_row(const row_place *place, int64_t size) {
  kvf_prefetch_to_read(place->elements, size * (int64_t)sizeof *place->elements);
}

/* `count` elements that lie one behind another. */
static void widen(float *restrict row, const uint8_t *restrict from, int64_t count) {
  kvf_widen_fp8_e4m3(row, from, count);
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

static bool side_by_side(const row_place *places, int64_t count) {
  bool so = count >= VECTOR;
  for (int64_t i = 1; so && i < VECTOR; ++i) {
    so = places[i].elements == places[0].elements + i;
  }
  return so;
}

/* Elements [at, at + length) of rows, whose elements are in groups of x. Strides in elements. */
static void load_rows(progress *now, int64_t pitch, const row_place *places, int64_t count,
                      int64_t at, int64_t length, int64_t x, int64_t group_stride, int64_t stride) {
  float *wide = now->wide;
  const int64_t group = at / x;
  const int64_t skip = at - group * x;
  const int64_t start = group * group_stride + skip * stride;
  const bool one = skip + length <= x; /* group */
  if (one && stride == 1) {
    for (int64_t row = 0; row < count; ++row) {
      widen(wide + row * pitch, places[row].elements + start, length);
    }
    return;
  }
  const int64_t first =
      skip > 0 && !one ? x - skip : 0; /* that the first group has, if not from its start on */
  for (int64_t row = 0; row < count; ++row) {
    const uint8_t *from = places[row].elements + start;
    uint8_t *to = now->packed + row * pitch;
    if (one && side_by_side(places + row, count - row)) {
      pack_columns(to, pitch, from, stride, length);
      row += VECTOR - 1;
      continue;
    }
    if (first > 0) {
      pack_row(to, from, first, 0, stride, first);
      from += group_stride - skip * stride;
    }
    pack_row(to + first, from, x, group_stride, stride, length - first);
  }
  for (int64_t row = 0; row < count; ++row) {
    widen(wide + row * pitch, now->packed + row * pitch, length);
  }
}

/* Up to so many query heads widen rows that lie one element behind another as they use them. */
#if defined(__AVX512F__)
#define LOAD kvf_load_fp8_e4m3
enum { DIRECT = 4 };
#else
#define LOAD kvf_load_f32
enum { DIRECT = 0 };
#endif

static bool is_direct(const progress *now, int64_t size, int64_t padded, int64_t x,
                      int64_t stride) {
  return now->heads <= DIRECT && x >= size && stride == 1 && padded == size;
}

/* What the room is used for. */
static void arrange(progress *now) {
  const int64_t longer = now->padded > now->value_padded ? now->padded : now->value_padded;
  const int64_t held = kvf_cpu_attention_rows(longer) * longer;
  now->query = now->room;
  now->sums = now->query + held;
  now->excesses = now->sums + held;
  now->scores = now->excesses + held;
  memset(now->wide, 0, sizeof now->wide); /* what no row is read into is multiplied, too */
}

/* The query heads, times what their scores are to be multiplied by. */
static void load_query(progress *now, const kvf_paged_attention_params *p, float factor) {
  const uint16_t *query = (const uint16_t *)p->query.data;
  memset(now->sums, 0, (size_t)(now->scores - now->sums) * sizeof *now->sums); /* and excesses */
  for (int64_t h = 0; h < now->heads; ++h) {
    const uint16_t *from = query + now->heads_of[h].token * p->query.stride[0] +
                           now->heads_of[h].head * p->query.stride[1];
    float *to = now->query + h * now->padded;
    const int64_t stride = p->query.stride[2];
    for (int64_t i = 0; stride != 1 && i < now->size; ++i) {
      to[i] = kvf_f32_from_bf16(from[i * stride]) * factor;
    }
    for (int64_t i = 0; stride == 1 && i < now->size; ++i) { /* in vectors */
      to[i] = kvf_f32_from_bf16(from[i]) * factor;
    }
    for (int64_t i = now->size; i < now->padded; ++i) {
      to[i] = 0.0f;
    }
    now->largest[h] = KVF_NO_SCORE;
    now->total[h] = 0.0;
  }
}

/* Turns the scores of a step into weights, and brings what was summed so far to the same base. */
static void weigh(progress *now, int64_t h, float scores[STEP], int64_t count) {
  for (int64_t i = count; i < STEP; ++i) {
    scores[i] = KVF_NO_SCORE;
  }
  const float largest = kvf_largest(now->largest[h], scores, STEP);
  const float base = kvf_score_base(largest);
  for (int64_t i = 0; i < STEP; ++i) {
    scores[i] = kvf_exp_negative(scores[i] - base);
  }
  if (largest > now->largest[h]) {
    const float factor = kvf_exp_negative(now->largest[h] - base);
    kvf_multiply_row(now->sums + h * now->value_padded, factor, now->value_padded);
    kvf_multiply_row(now->excesses + h * now->value_padded, factor, now->value_padded);
    now->total[h] *= (double)factor;
    now->largest[h] = largest;
  }
  now->total[h] += (double)kvf_sum(scores, STEP);
}

/* Where positions of a sequence are. Those whose page is out of range are left out. */
typedef struct step {
  int64_t blocks[STEP];
  int32_t positions[STEP]; /* lengths are int32 */
  int32_t offsets[STEP];   /* in a page; of a page that is longer no more is used */
  int64_t count;
} step;

/*
 * The positions [first, end) of a sequence that are in the step of the first; what is behind
 * repeats the last. Steps are of the sequence, so that results do not depend on where a tile
 * begins.
 */
static void locate(step *where, const kvf_paged_attention_params *p, int64_t sequence,
                   int64_t first, int64_t end) {
  const int64_t row = sequence * p->block_table.stride[0];
  const int64_t whole = first / STEP * STEP + STEP;
  const int64_t last = end < whole ? end : whole;
  int64_t page = kvf_divide(first, p->by_block_size);
  int64_t offset = first - page * p->block_size;
  int64_t count = 0;
  where->blocks[0] = 0;
  where->offsets[0] = 0;
  for (int64_t position = first; position < last; offset = 0, ++page) {
    const int64_t block =
        kvf_index_at(p->block_table.data, p->index_bytes, row + page * p->block_table.stride[1]);
    const int64_t rest = p->block_size - offset;
    const int64_t stop = last - position < rest ? last : position + rest;
    const bool exists = block >= 0 && block < p->num_blocks;
    for (; exists && position < stop; ++position, ++offset, ++count) {
      where->positions[count] = (int32_t)position;
      where->blocks[count] = block;
      where->offsets[count] = (int32_t)offset;
    }
    position = stop;
  }
  where->count = count;
  for (int64_t i = count > 0 ? count : 1; i < STEP; ++i) {
    where->blocks[i] = where->blocks[i - 1];
    where->offsets[i] = where->offsets[i - 1];
  }
}

static void find_rows(row_place *places, const kvf_paged_attention_params *p, const kvf_view *cache,
                      int64_t size, const step *where, int64_t kv_head) {
  for (int64_t i = 0; i < STEP; ++i) {
    places[i] = find_row(p, cache, size, where->blocks[i], where->offsets[i], kv_head);
  }
}

/*
 * The view of what tokens ask for ahead of their use. Where rows are scattered over the page's part
 * of their head, each asks for as much of it as a row has.
 */
static kvf_view lines_of(const kvf_view *cache, bool scattered, int64_t size) {
  kvf_view lines = *cache;
  if (scattered) {
    lines.stride[1] = size;
  }
  return lines;
}

/* What softcap, the bias and the mask make of the scores of a row. */
static void adjust(const kvf_paged_attention_params *p, const kvf_attention_tile *tile,
                   const kvf_attention_row *row, const step *where, float scores[STEP]) {
  if (p->softcap != 0.0f) {
    for (int64_t i = 0; i < where->count; ++i) {
      const float x = scores[i] / p->softcap;
      scores[i] =
          p->softcap * kvf_tanh(x, kvf_exp_negative(-2.0f * kvf_float(kvf_bits(x) & 0x7FFFFFFFu)));
    }
  }
  if (p->alibi_slopes.data != NULL) {
    const float slope =
        ((const float *)p->alibi_slopes.data)[row->head * p->alibi_slopes.stride[0]];
    for (int64_t i = 0; i < where->count; ++i) {
      scores[i] += slope * (float)((int64_t)where->positions[i] - row->position);
    }
  }
  const int64_t from = kvf_seen_from(p, row->position);
  const int64_t to = kvf_seen_to(p, row->position, tile->length);
  if (where->positions[0] < from || where->positions[where->count - 1] >= to) {
    for (int64_t i = 0; i < where->count; ++i) {
      scores[i] =
          where->positions[i] >= from && where->positions[i] < to ? scores[i] : KVF_NO_SCORE;
    }
  }
}

/* What is behind the elements of a row, up to its padded end, is 0. */
static void pad_rows(float *wide, int64_t pitch, int64_t count, int64_t length, int64_t padded) {
  for (int64_t row = 0; length < padded && row < count; ++row) {
    memset(wide + row * pitch + length, 0, (size_t)(padded - length) * sizeof *wide);
  }
}

/* The scores of the positions at these places, but for what each has of its own; asks for what is
 * ahead. */
static void score(progress *now, const kvf_paged_attention_params *p, const row_place places[STEP],
                  const row_place ahead[STEP], int64_t count) {
  const void *rows_at[KEY_ROWS];
  const bool direct = is_direct(now, now->size, now->padded, p->x, p->key_cache.stride[4]);
  for (int64_t at = 0; at < now->padded; at += KEY_PART) {
    const int64_t part = now->padded - at < KEY_PART ? now->padded - at : KEY_PART;
    const int64_t length = now->size - at < part ? now->size - at : part;
    for (int64_t i = 0; i < count; i += KEY_ROWS) {
      const int64_t rows = count - i < KEY_ROWS ? count - i : KEY_ROWS;
      for (int64_t row = i; at == 0 && row < i + rows; ++row) {
        prefetch_row(&ahead[row], now->value_size);
      }
      if (direct) {
        for (int64_t row = 0; row < KEY_ROWS; ++row) {
          rows_at[row] = places[i + row].elements + at;
        }
        for (int64_t row = 0; row < rows; row += KVF_DOTS) {
          kvf_dots(now->scores + i + row, STEP, now->query + at, now->padded, now->heads,
                   rows_at + row, LOAD, part, at > 0);
        }
        continue;
      }
      load_rows(now, KEY_PART, places + i, rows, at, length, p->x, p->key_cache.stride[3],
                p->key_cache.stride[4]);
      pad_rows(now->wide, KEY_PART, rows, length, part);
      for (int64_t row = 0; row < KEY_ROWS; ++row) {
        rows_at[row] = now->wide + row * KEY_PART;
      }
      for (int64_t row = 0; row < rows; row += KVF_DOTS) {
        kvf_dots(now->scores + i + row, STEP, now->query + at, now->padded, now->heads,
                 rows_at + row, kvf_load_f32, part, at > 0);
      }
    }
  }
}

/* Adds the values at these places, times the weights; asks for what is ahead. */
static void add(progress *now, const kvf_paged_attention_params *p, const row_place places[STEP],
                const row_place ahead[STEP], int64_t count) {
  const void *rows_at[STEP];
  const int64_t each = STEP * VALUE_PART / now->value_padded + 1;
  int64_t asked = 0;
  const bool direct =
      is_direct(now, now->value_size, now->value_padded, now->value_size, p->value_cache.stride[3]);
  for (int64_t at = 0; at < now->value_padded; at += VALUE_PART) {
    const int64_t part = now->value_padded - at < VALUE_PART ? now->value_padded - at : VALUE_PART;
    const int64_t length = now->value_size - at < part ? now->value_size - at : part;
    for (int64_t row = 0; row < each && asked < STEP; ++row, ++asked) {
      prefetch_row(&ahead[asked], now->size);
    }
    if (direct) {
      for (int64_t row = 0; row < count; ++row) {
        rows_at[row] = places[row].elements + at;
      }
      kvf_add_weighted(now->sums + at, now->excesses + at, now->value_padded, now->scores, STEP,
                       now->heads, rows_at, LOAD, count, part);
      continue;
    }
    load_rows(now, VALUE_PART, places, count, at, length, now->value_size, 0,
              p->value_cache.stride[3]);
    pad_rows(now->wide, VALUE_PART, count, length, part);
    for (int64_t row = 0; row < count; ++row) {
      rows_at[row] = now->wide + row * VALUE_PART;
    }
    kvf_add_weighted(now->sums + at, now->excesses + at, now->value_padded, now->scores, STEP,
                     now->heads, rows_at, kvf_load_f32, count, part);
  }
}

/* A step of a tile; `next` is the one behind it. */
static void attend(progress *now, const kvf_paged_attention_params *p,
                   const kvf_attention_tile *tile, int64_t kv_head, const step *here,
                   const step *next) {
  row_place keys[STEP];
  row_place values[STEP];
  const int64_t count = here->count;
  if (count == 0) {
    return;
  }
  const kvf_view key_lines = lines_of(&p->key_cache, p->x < now->size, now->size);
  const kvf_view value_lines =
      lines_of(&p->value_cache, p->value_cache.stride[3] != 1, now->value_size);
  find_rows(keys, p, &p->key_cache, now->size, here, kv_head);
  find_rows(values, p, &value_lines, now->value_size, here, kv_head);
  score(now, p, keys, values, count);
  for (int64_t h = 0; h < now->heads; ++h) {
    float *scores = now->scores + h * STEP;
    adjust(p, tile, &now->heads_of[h], here, scores);
    weigh(now, h, scores, count);
  }
  find_rows(values, p, &p->value_cache, now->value_size, here, kv_head);
  find_rows(keys, p, &key_lines, now->size, next, kv_head);
  add(now, p, values, keys, count);
}

/* A row of the workspace: what a split of a row comes to. */
static float *split_row(const kvf_paged_attention_params *p, const kvf_attention_row *row,
                        int64_t split) {
  const int64_t *stride = p->workspace.stride;
  return (float *)p->workspace.data + row->token * stride[0] + row->head * stride[1] +
         split * stride[2];
}

static void store_split(const progress *now, const kvf_paged_attention_params *p, int64_t split) {
  const int64_t stride = p->workspace.stride[3];
  for (int64_t h = 0; h < now->heads; ++h) {
    float *row = split_row(p, &now->heads_of[h], split);
    for (int64_t i = 0; i < now->value_size; ++i) {
      row[i * stride] = now->sums[h * now->value_padded + i];
    }
    row[(now->value_size + KVF_SPLIT_LARGEST) * stride] = now->largest[h];
    row[(now->value_size + KVF_SPLIT_TOTAL) * stride] = (float)now->total[h];
  }
}

/* Adds up the splits of the first row, brought to the same base. */
static void combine(progress *now, const kvf_paged_attention_params *p, int64_t splits) {
  const int64_t stride = p->workspace.stride[3];
  const int64_t largest_at = (now->value_size + KVF_SPLIT_LARGEST) * stride;
  const int64_t total_at = (now->value_size + KVF_SPLIT_TOTAL) * stride;
  float largest = KVF_NO_SCORE;
  for (int64_t split = 0; split < splits; ++split) {
    const float score = split_row(p, &now->heads_of[0], split)[largest_at];
    largest = score > largest ? score : largest;
  }
  const float base = kvf_score_base(largest);
  memset(now->query, 0, (size_t)now->value_padded * sizeof *now->query); /* a part at a time */
  memset(now->sums, 0, (size_t)now->value_padded * sizeof *now->sums);
  memset(now->excesses, 0, (size_t)now->value_padded * sizeof *now->excesses);
  now->largest[0] = largest;
  now->total[0] = 0.0;
  for (int64_t split = 0; split < splits; ++split) {
    const float *row = split_row(p, &now->heads_of[0], split);
    const float factor = kvf_exp_negative(row[largest_at] - base);
    for (int64_t i = 0; i < now->value_size; ++i) {
      now->query[i] = factor * row[i * stride];
    }
    for (int64_t i = 0; i < now->value_padded; i += KVF_WIDTH) {
      kvf_add_compensated(now->sums + i, now->excesses + i, kvf_load_floats(now->query + i));
    }
    now->total[0] += (double)factor * (double)row[total_at];
  }
}

/* The end of a row that is whole. */
static kvf_row_end end_row(const progress *now, const kvf_paged_attention_params *p, int64_t h) {
  float sink = KVF_NO_SCORE;
  if (p->sinks.data != NULL) {
    const int64_t at = now->heads_of[h].head * p->sinks.stride[0];
    sink = p->sink_bytes == 4 ? ((const float *)p->sinks.data)[at]
                              : kvf_f32_from_bf16(((const uint16_t *)p->sinks.data)[at]);
  }
  const float largest = now->largest[h];
  const float base = kvf_score_base(largest > sink ? largest : sink);
  const float factor = kvf_exp_negative(largest - base);
  const double total = now->total[h] * (double)factor + (double)kvf_exp_negative(sink - base);
  return (kvf_row_end){base, factor, (float)total};
}

static void put_row_f32(const kvf_paged_attention_params *p, int64_t at, const float *row,
                        int64_t size) {
  float *to = (float *)p->out.data + at;
  float results[SIZE];
  for (int64_t first = 0; first < size; first += SIZE) {
    const int64_t count = size - first < SIZE ? size - first : SIZE;
    kvf_store_results_f32(results, row + first, count);
    if (p->out.stride[2] == 1) {
      memcpy(to + first, results, (size_t)count * sizeof *results);
      continue;
    }
    for (int64_t i = 0; i < count; ++i) {
      to[(first + i) * p->out.stride[2]] = results[i];
    }
  }
}

static void put_row_bf16(const kvf_paged_attention_params *p, int64_t at, const float *row,
                         int64_t size) {
  uint16_t *to = (uint16_t *)p->out.data + at;
  uint16_t results[SIZE];
  for (int64_t first = 0; first < size; first += SIZE) {
    const int64_t count = size - first < SIZE ? size - first : SIZE;
    kvf_store_results_bf16(results, row + first, count);
    if (p->out.stride[2] == 1) {
      memcpy(to + first, results, (size_t)count * sizeof *results);
      continue;
    }
    for (int64_t i = 0; i < count; ++i) {
      to[(first + i) * p->out.stride[2]] = results[i];
    }
  }
}

/* The results of a row, and what they were divided by. */
static void put_row(const kvf_paged_attention_params *p, const kvf_attention_row *row,
                    const float *results, int64_t size, kvf_row_end end) {
  const int64_t at = row->token * p->out.stride[0] + row->head * p->out.stride[1];
  (p->out_bytes == 4 ? put_row_f32 : put_row_bf16)(p, at, results, size);
  if (p->lse.data != NULL) {
    const kvf_merged all = {.largest = end.base, .total = end.total};
    ((float *)p->lse.data)[row->head * p->lse.stride[0] + row->token * p->lse.stride[1]] =
        kvf_merged_lse(all, 1.0);
  }
}

static void store(progress *now, const kvf_paged_attention_params *p, float scale) {
  for (int64_t h = 0; h < now->heads; ++h) {
    const kvf_row_end end = end_row(now, p, h);
    float *results = now->sums + h * now->value_padded;
    for (int64_t i = 0; i < now->value_size; ++i) {
      results[i] = kvf_attention_result(results[i], scale, end);
    }
    put_row(p, &now->heads_of[h], results, now->value_size, end);
  }
}

#if defined(__AVX512F__)
/* ---- by the matrix unit ------------------------------------------------------------------------
 */

typedef uint32_t pairs __attribute__((vector_size(64), may_alias)); /* of bf16, a row of a tile */

/*
 * Positions whose keys and values are brought into tiles for all rows of a unit, steps of them, and
 * positions after which sums are put aside. All are counted from the sequence's first, so that
 * results do not depend on where a unit begins.
 */
enum { CHUNK = 128, STEPS = CHUNK / STEP, ASIDE = 2048 };

enum { MOST = KVF_CPU_MATRIX_SIZE, LANES = KVF_TILE_ROWS };

#define LOG2_E 1.44269504f
#define LOG_2 0.693147182f

/* A tile of rows, and what it has so far. Powers are those of 2 here. */
typedef struct matrix_rows {
  _Alignas(64) float sums[MOST][LANES]; /* by element, since they were put aside */
  uint32_t query[MOST / 2][LANES];      /* in pairs of elements */
  float aside[MOST][LANES];
  float excesses[MOST][LANES]; /* of what is aside; see kvf_add_compensated() */
  double totals[LANES];        /* of the weights */
  float bases[LANES];          /* what scores are measured from */
  float aside_bases[LANES];
  float slopes[LANES];
  int32_t positions[LANES];
  int32_t seen_from[LANES];
  int32_t seen_to[LANES];
  kvf_attention_tile tile;
  bool has_aside;
} matrix_rows;

/* What a unit has, in memory of its own: a stack may be small. */
typedef struct matrix_room {
  uint32_t keys[CHUNK / LANES][MOST / 32][LANES][KVF_TILE_WORDS];
  uint32_t values[MOST / LANES][STEPS][LANES][KVF_TILE_WORDS]; /* elements of pairs of positions */
  float scores[2][CHUNK][LANES]; /* of two tiles of rows; their weights; results */
  uint32_t
      present[STEPS]; /* positions of a step that are in the cache, and of the unit: a bit each */
  int64_t size;       /* of a head */
  int32_t num_tiles;
  bool one;        /* whether a weight is one bf16, not two */
  kvf_tiles *host; /* in place of the unit, for tests */
  _Alignas(64) matrix_rows tiles[];
} matrix_room;

/* A NaN that stays one when its bits are rounded to the upper half of them. */
KVF_INLINE float quiet(float x) { return x == x ? x : kvf_float(0x7FC00000u); }

/* As kvf_16_powers(), of 2, within 2^-22; 0 where that would be subnormal. */
KVF_INLINE __m512 powers_of_2(__m512 x) {
  const __m512 rest = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 sum = _mm512_set1_ps(1.879318617e-3f);
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(8.990994655e-3f));
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(5.581867695e-2f));
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(2.401592731e-1f));
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(6.931517124e-1f));
  sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(1.0f));
  const __mmask16 normal = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-126.0f), _CMP_NLT_UQ);
  return _mm512_maskz_scalef_ps(normal, sum, x);
}

/* The transpose of 16 rows of 16 words. */
KVF_INLINE void transpose_words(__m512i rows[LANES]) {
  __m512i mixed[LANES];
#pragma GCC unroll 8
  for (int i = 0; i < LANES; i += 2) {
    mixed[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    mixed[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < LANES; i += 4) { /* row i + k now has words k, k + 4, k + 8, k + 12 of four */
    rows[i] = _mm512_unpacklo_epi64(mixed[i], mixed[i + 2]);
    rows[i + 1] = _mm512_unpackhi_epi64(mixed[i], mixed[i + 2]);
    rows[i + 2] = _mm512_unpacklo_epi64(mixed[i + 1], mixed[i + 3]);
    rows[i + 3] = _mm512_unpackhi_epi64(mixed[i + 1], mixed[i + 3]);
  }
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    const __m512i a = _mm512_shuffle_i32x4(rows[k], rows[4 + k], 0x88);
    const __m512i b = _mm512_shuffle_i32x4(rows[8 + k], rows[12 + k], 0x88);
    const __m512i c = _mm512_shuffle_i32x4(rows[k], rows[4 + k], 0xDD);
    const __m512i d = _mm512_shuffle_i32x4(rows[8 + k], rows[12 + k], 0xDD);
    mixed[k] = _mm512_shuffle_i32x4(a, b, 0x88);
    mixed[4 + k] = _mm512_shuffle_i32x4(c, d, 0x88);
    mixed[8 + k] = _mm512_shuffle_i32x4(a, b, 0xDD);
    mixed[12 + k] = _mm512_shuffle_i32x4(c, d, 0xDD);
  }
#pragma GCC unroll 16
  for (int i = 0; i < LANES; ++i) {
    rows[i] = mixed[i];
  }
}

/* 32 elements as bf16. */
KVF_INLINE __m512i load_32(const row_place *place, int64_t at) {
  const __m512i codes = _mm512_cvtepu8_epi16(
      _mm256_loadu_si256((const __m256i *)(const void *)(place->elements + at)));
  const __m512i below_normal =
      _mm512_set_epi16(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                       0x3C60, 0x3C40, 0x3C20, 0x3C00, 0x3BC0, 0x3B80, 0x3B00, 0);
  const __m512i size = _mm512_and_si512(codes, _mm512_set1_epi16(0x7F));
  const __m512i normal = _mm512_add_epi16(_mm512_slli_epi16(size, 4), _mm512_set1_epi16(120 << 7));
  const __mmask32 below = _mm512_cmplt_epu16_mask(size, _mm512_set1_epi16(8));
  const __mmask32 none = _mm512_cmpeq_epi16_mask(size, _mm512_set1_epi16(0x7F));
  const __m512i finite = _mm512_mask_permutexvar_epi16(normal, below, size, below_normal);
  const __m512i result = _mm512_mask_mov_epi16(finite, none, _mm512_set1_epi16(0x7FC0));
  return _mm512_or_si512(result,
                         _mm512_slli_epi16(_mm512_andnot_si512(_mm512_set1_epi16(0x7F), codes), 8));
}

/* The keys of a step, as rows of tiles. */
static void pack_keys(matrix_room *room, int64_t number, const row_place places[STEP]) {
  for (int64_t row = 0; row < STEP; ++row) {
    for (int64_t at = 0; at < room->size; at += 32) {
      _mm512_store_si512(room->keys[number * 2 + row / LANES][at / 32][row % LANES],
                         load_32(&places[row], at));
    }
  }
}

/* The values of a step, transposed. */
static void pack_values(matrix_room *room, int64_t number, const row_place places[STEP]) {
  for (int64_t at = 0; at < room->size; at += 32) {
#pragma GCC unroll 1
    for (int side = 0; side < 2; ++side) { /* elements 0 to 3 of every 8, or 4 to 7 */
      __m512i rows[LANES];
#pragma GCC unroll 16
      for (int i = 0; i < LANES; ++i) {
        const __m512i first = load_32(&places[2 * i], at);
        const __m512i second = load_32(&places[2 * i + 1], at);
        rows[i] =
            side == 0 ? _mm512_unpacklo_epi16(first, second) : _mm512_unpackhi_epi16(first, second);
      }
      transpose_words(rows);
#pragma GCC unroll 16
      for (int i = 0; i < LANES; ++i) {
        const int64_t element = at + i / 4 * 8 + side * 4 + i % 4;
        _mm512_store_si512(room->values[element / LANES][number][element % LANES], rows[i]);
      }
    }
  }
}

/* The query heads of a tile of rows, and what each may see. */
static void load_query_pairs(matrix_rows *rows, const kvf_paged_attention_params *p,
                             int64_t kv_head, int64_t size) {
  const uint16_t *query = (const uint16_t *)p->query.data;
  const int64_t stride = p->query.stride[2];
  const uint16_t *from[LANES];
  memset(rows->sums, 0, (size_t)size * sizeof rows->sums[0]);
  memset(rows->query, 0, sizeof rows->query);
  memset(rows->slopes, 0, sizeof rows->slopes);
  memset(rows->positions, 0, sizeof rows->positions);
  memset(rows->seen_from, 0, sizeof rows->seen_from);
  memset(rows->seen_to, 0, sizeof rows->seen_to); /* rows that are not there see nothing */
  rows->has_aside = false;
  for (int h = 0; h < LANES; ++h) {
    rows->bases[h] = KVF_NO_SCORE;
    rows->totals[h] = 0.0;
  }
  for (int32_t h = 0; h < rows->tile.rows; ++h) {
    const kvf_attention_row row = kvf_find_row(p, &rows->tile, kv_head, h);
    from[h] = query + row.token * p->query.stride[0] + row.head * p->query.stride[1];
    rows->positions[h] = (int32_t)row.position;
    rows->seen_from[h] = (int32_t)kvf_seen_from(p, row.position);
    rows->seen_to[h] = (int32_t)kvf_seen_to(p, row.position, rows->tile.length);
    if (p->alibi_slopes.data != NULL) {
      rows->slopes[h] =
          quiet(((const float *)p->alibi_slopes.data)[row.head * p->alibi_slopes.stride[0]]);
    }
    for (int64_t i = 0; stride != 1 && i < size; i += 2) {
      rows->query[i / 2][h] = from[h][i * stride] | (uint32_t)from[h][(i + 1) * stride] << 16;
    }
  }
  for (int64_t at = 0; stride == 1 && at < size; at += 32) {
    __m512i words[LANES];
    for (int32_t h = 0; h < LANES; ++h) {
      words[h] = h < rows->tile.rows ? _mm512_loadu_si512(from[h] + at) : _mm512_setzero_si512();
    }
    transpose_words(words);
    for (int i = 0; i < LANES; ++i) {
      _mm512_store_si512(rows->query[at / 2 + i], words[i]);
    }
  }
}

/* The products of one or two tiles of rows and the keys of a step. */
KVF_INLINE void score_by_matrix(matrix_room *room, const matrix_rows *rows, const int tiles,
                                int64_t number) {
  kvf_tiles *const host = room->host;
  KVF_TILE_ZERO(host, 0);
  KVF_TILE_ZERO(host, 1);
  if (tiles == 2) {
    KVF_TILE_ZERO(host, 2);
    KVF_TILE_ZERO(host, 3);
  }
  for (int64_t part = 0; part < room->size / 32; ++part) {
    KVF_TILE_LOAD(host, 4, room->keys[2 * number][part], KVF_TILE_BYTES);
    KVF_TILE_LOAD(host, 6, rows[0].query[part * KVF_TILE_WORDS], KVF_TILE_BYTES);
    KVF_TILE_MULTIPLY(host, 0, 4, 6);
    KVF_TILE_LOAD(host, 5, room->keys[2 * number + 1][part], KVF_TILE_BYTES);
    KVF_TILE_MULTIPLY(host, 1, 5, 6);
    if (tiles == 2) {
      KVF_TILE_LOAD(host, 7, rows[1].query[part * KVF_TILE_WORDS], KVF_TILE_BYTES);
      KVF_TILE_MULTIPLY(host, 2, 4, 7);
      KVF_TILE_MULTIPLY(host, 3, 5, 7);
    }
  }
  KVF_TILE_STORE(host, 0, room->scores[0][number * STEP], KVF_TILE_BYTES);
  KVF_TILE_STORE(host, 1, room->scores[0][number * STEP + LANES], KVF_TILE_BYTES);
  if (tiles == 2) {
    KVF_TILE_STORE(host, 2, room->scores[1][number * STEP], KVF_TILE_BYTES);
    KVF_TILE_STORE(host, 3, room->scores[1][number * STEP + LANES], KVF_TILE_BYTES);
  }
}

/* Adds the values of steps [begin, end), times the weights, to the sums of one or two tiles of
 * rows. */
KVF_INLINE void add_by_matrix(matrix_room *room, matrix_rows *rows, const int tiles, int64_t begin,
                              int64_t end) {
  kvf_tiles *const host = room->host;
  const int64_t stride = 2 * (int64_t)KVF_TILE_BYTES;
  for (int64_t at = 0; at < room->size; at += 2 * LANES) {
    KVF_TILE_LOAD(host, 0, rows[0].sums[at], KVF_TILE_BYTES);
    KVF_TILE_LOAD(host, 1, rows[0].sums[at + LANES], KVF_TILE_BYTES);
    if (tiles == 2) {
      KVF_TILE_LOAD(host, 2, rows[1].sums[at], KVF_TILE_BYTES);
      KVF_TILE_LOAD(host, 3, rows[1].sums[at + LANES], KVF_TILE_BYTES);
    }
    for (int64_t number = begin; number < end; ++number) {
      KVF_TILE_LOAD(host, 4, room->values[at / LANES][number], KVF_TILE_BYTES);
      KVF_TILE_LOAD(host, 5, room->values[at / LANES + 1][number], KVF_TILE_BYTES);
      for (int64_t half = 0; half < (room->one ? 1 : 2); ++half) {
        KVF_TILE_LOAD(host, 6, room->scores[0][number * STEP + half], stride);
        KVF_TILE_MULTIPLY(host, 0, 4, 6);
        KVF_TILE_MULTIPLY(host, 1, 5, 6);
        if (tiles == 2) {
          KVF_TILE_LOAD(host, 7, room->scores[1][number * STEP + half], stride);
          KVF_TILE_MULTIPLY(host, 2, 4, 7);
          KVF_TILE_MULTIPLY(host, 3, 5, 7);
        }
      }
    }
    KVF_TILE_STORE(host, 0, rows[0].sums[at], KVF_TILE_BYTES);
    KVF_TILE_STORE(host, 1, rows[0].sums[at + LANES], KVF_TILE_BYTES);
    if (tiles == 2) {
      KVF_TILE_STORE(host, 2, rows[1].sums[at], KVF_TILE_BYTES);
      KVF_TILE_STORE(host, 3, rows[1].sums[at + LANES], KVF_TILE_BYTES);
    }
  }
}

/* What softcap and the bias make of the scores of a position, times log2(e). */
static __attribute__((noinline)) void bend_lanes(const matrix_rows *rows,
                                                 const kvf_paged_attention_params *p,
                                                 int32_t position, float scores[LANES]) {
  if (p->softcap != 0.0f) {
    for (int h = 0; h < LANES; ++h) {
      const float x = scores[h] / p->softcap;
      scores[h] =
          p->softcap * kvf_tanh(x, kvf_exp_negative(-2.0f * kvf_float(kvf_bits(x) & 0x7FFFFFFFu)));
    }
  }
  KVF_VECTORISE
  for (int h = 0; h < LANES; ++h) { /* a row's token is less than 2^31 positions away */
    const float away = (float)(int32_t)((uint32_t)position - (uint32_t)rows->positions[h]);
    scores[h] =
        (p->alibi_slopes.data != NULL ? scores[h] + rows->slopes[h] * away : scores[h]) * LOG2_E;
  }
}

/* Products of the step from `first` on times `factor`, bent and masked; returns the largest score
 * of each row, which is no NaN. */
KVF_INLINE __m512 scale_lanes(const matrix_rows *rows, const kvf_paged_attention_params *p,
                              int64_t first, uint32_t present, float scores[STEP][LANES],
                              float factor, __m512 largest) {
  const __m512 by = _mm512_set1_ps(factor);
  const bool bends = p->softcap != 0.0f || p->alibi_slopes.data != NULL;
  if (!bends && present == UINT32_MAX && first >= rows->tile.all_begin &&
      first + STEP <= rows->tile.all_end) {
    for (int i = 0; i < STEP; ++i) {
      const __m512 scaled = _mm512_mul_ps(_mm512_load_ps(scores[i]), by);
      _mm512_store_ps(scores[i], scaled);
      largest = _mm512_max_ps(scaled, largest);
    }
    return largest;
  }
  const __m512i from = _mm512_load_si512(rows->seen_from);
  const __m512i to = _mm512_load_si512(rows->seen_to);
  for (int i = 0; i < STEP; ++i) {
    _mm512_store_ps(scores[i], _mm512_mul_ps(_mm512_load_ps(scores[i]), by));
    if (bends) {
      bend_lanes(rows, p, (int32_t)first + i, scores[i]);
    }
    const __m512i position = _mm512_set1_epi32((int32_t)first + i);
    const __mmask16 seen =
        _mm512_cmple_epi32_mask(from, position) & _mm512_cmpgt_epi32_mask(to, position);
    const __mmask16 kept = (present >> i & 1) != 0 ? seen : 0;
    const __m512 score =
        _mm512_mask_mov_ps(_mm512_set1_ps(KVF_NO_SCORE), kept, _mm512_load_ps(scores[i]));
    _mm512_store_ps(scores[i], score);
    largest = _mm512_max_ps(score, largest);
  }
  return largest;
}

/* Moves what scores are measured from to where weights are at most 2^SLACK. */
static void move_bases(matrix_rows *rows, __m512 largest, int64_t size) {
  enum { SLACK = 8 };
  const __m512 before = _mm512_load_ps(rows->bases);
  const __mmask16 moved =
      _mm512_cmp_ps_mask(largest, _mm512_add_ps(before, _mm512_set1_ps(SLACK)), _CMP_GT_OQ);
  if (moved == 0) {
    return;
  }
  const __m512 after = _mm512_mask_mov_ps(before, moved, largest);
  const __m512 less =
      _mm512_mask_mov_ps(_mm512_set1_ps(1.0f), moved, powers_of_2(_mm512_sub_ps(before, after)));
  _mm512_store_ps(rows->bases, after);
  if (_mm512_mask_cmp_ps_mask(moved, before, _mm512_set1_ps(KVF_NO_SCORE), _CMP_NEQ_UQ) == 0) {
    return; /* there is nothing yet */
  }
  for (int64_t i = 0; i < size; ++i) {
    _mm512_store_ps(rows->sums[i], _mm512_mul_ps(_mm512_load_ps(rows->sums[i]), less));
  }
  for (int h = 0; h < LANES; h += 8) {
    const __m256 eight = h == 0 ? _mm512_castps512_ps256(less) : _mm512_extractf32x8_ps(less, 1);
    _mm512_storeu_pd(rows->totals + h,
                     _mm512_mul_pd(_mm512_loadu_pd(rows->totals + h), _mm512_cvtps_pd(eight)));
  }
}

/*
 * Turns the scores of steps [begin, end) into weights, in pairs of positions, as bf16 that lie
 * where the first score of a pair was: the nearest; or their upper halves, and the nearest of what
 * is left where the second was. The sum of these two is a weight but for 2^-17 of it.
 */
static void weigh_lanes(const matrix_room *room, matrix_rows *rows,
                        const kvf_paged_attention_params *p, float scores[CHUNK][LANES],
                        int64_t first_position, int64_t begin, int64_t end, float factor) {
  const __m512i half = _mm512_set1_epi32(0x8000);
  const __m512i upper = _mm512_set1_epi32((int)0xFFFF0000u);
  __m512 largest = _mm512_set1_ps(KVF_NO_SCORE);
  for (int64_t number = begin; number < end; ++number) {
    largest = scale_lanes(rows, p, first_position + number * STEP, room->present[number],
                          scores + number * STEP, factor, largest);
  }
  move_bases(rows, largest, room->size);
  const __m512 given = _mm512_load_ps(rows->bases);
  const __mmask16 some = _mm512_cmp_ps_mask(given, _mm512_set1_ps(KVF_NO_SCORE), _CMP_NEQ_UQ);
  const __m512 base = _mm512_maskz_mov_ps(some, given); /* kvf_score_base() */
  __m512d totals[2] = {_mm512_loadu_pd(rows->totals), _mm512_loadu_pd(rows->totals + 8)};
  for (int64_t number = begin; number < end; ++number) {
    __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    for (int64_t i = number * STEP; i < number * STEP + STEP; i += 2) {
      const __m512 first = powers_of_2(_mm512_sub_ps(_mm512_load_ps(scores[i]), base));
      const __m512 second = powers_of_2(_mm512_sub_ps(_mm512_load_ps(scores[i + 1]), base));
      sums[0] = _mm512_add_ps(sums[0], first);
      sums[1] = _mm512_add_ps(sums[1], second);
      if (room->one) {
        const __m512i low = _mm512_add_epi32((__m512i)first, half);
        const __m512i high = _mm512_and_si512(_mm512_add_epi32((__m512i)second, half), upper);
        _mm512_store_si512(scores[i], _mm512_or_si512(_mm512_srli_epi32(low, 16), high));
        continue;
      }
      const __m512i low = _mm512_and_si512((__m512i)first, upper);
      const __m512i high = _mm512_and_si512((__m512i)second, upper);
      const __m512i rest = _mm512_add_epi32((__m512i)_mm512_sub_ps(first, (__m512)low), half);
      const __m512i other = _mm512_add_epi32((__m512i)_mm512_sub_ps(second, (__m512)high), half);
      _mm512_store_si512(scores[i], _mm512_or_si512(_mm512_srli_epi32(low, 16), high));
      _mm512_store_si512(scores[i + 1], _mm512_or_si512(_mm512_srli_epi32(rest, 16),
                                                        _mm512_and_si512(other, upper)));
    }
    const __m512 sum = _mm512_add_ps(sums[0], sums[1]);
    totals[0] = _mm512_add_pd(totals[0], _mm512_cvtps_pd(_mm512_castps512_ps256(sum)));
    totals[1] = _mm512_add_pd(totals[1], _mm512_cvtps_pd(_mm512_extractf32x8_ps(sum, 1)));
  }
  _mm512_storeu_pd(rows->totals, totals[0]);
  _mm512_storeu_pd(rows->totals + 8, totals[1]);
}

/* Brings what is aside to the base of now, and adds the sums of the rows that see a position and
 * one before it. */
static void put_aside(matrix_rows *rows, int64_t position, int64_t size) {
  if (!rows->has_aside) {
    memset(rows->aside, 0, (size_t)size * sizeof rows->aside[0]);
    memset(rows->excesses, 0, (size_t)size * sizeof rows->excesses[0]);
    memcpy(rows->aside_bases, rows->bases, sizeof rows->aside_bases);
    rows->has_aside = true;
  }
  const __m512 now = _mm512_load_ps(rows->bases);
  const __m512 then = _mm512_load_ps(rows->aside_bases);
  const __mmask16 moved = _mm512_cmp_ps_mask(now, then, _CMP_NEQ_UQ);
  const __m512 less =
      _mm512_mask_mov_ps(_mm512_set1_ps(1.0f), moved, powers_of_2(_mm512_sub_ps(then, now)));
  const __m512i at = _mm512_set1_epi32((int32_t)position);
  const __mmask16 goes_on = _mm512_cmplt_epi32_mask(_mm512_load_si512(rows->seen_from), at) &
                            _mm512_cmpgt_epi32_mask(_mm512_load_si512(rows->seen_to), at);
  for (int64_t i = 0; i < size; ++i) {
    const __m512 sum = _mm512_load_ps(rows->sums[i]);
    const __m512 before = _mm512_mul_ps(_mm512_load_ps(rows->aside[i]), less);
    const __m512 excess = _mm512_mul_ps(_mm512_load_ps(rows->excesses[i]), less);
    const __m512 wanted = _mm512_sub_ps(sum, excess);
    const __m512 after = _mm512_add_ps(before, wanted);
    const __m512 over = _mm512_sub_ps(_mm512_sub_ps(after, before), wanted);
    const __mmask16 finite = _mm512_cmp_ps_mask(over, over, _CMP_ORD_Q);
    _mm512_store_ps(rows->aside[i], _mm512_mask_mov_ps(before, goes_on, after));
    _mm512_store_ps(rows->excesses[i],
                    _mm512_mask_mov_ps(excess, goes_on, _mm512_maskz_mov_ps(finite, over)));
    _mm512_store_ps(rows->sums[i], _mm512_mask_mov_ps(sum, goes_on, _mm512_setzero_ps()));
  }
  memcpy(rows->aside_bases, rows->bases, sizeof rows->aside_bases);
}

/* Takes what is aside into the sums again, at the end. */
static void add_aside(matrix_rows *rows, int64_t size) {
  put_aside(rows, -1, size); /* of no rows: what is aside has the base of now */
  for (int64_t i = 0; i < size; ++i) {
    const __m512 rest =
        _mm512_sub_ps(_mm512_load_ps(rows->sums[i]), _mm512_load_ps(rows->excesses[i]));
    _mm512_store_ps(rows->sums[i], _mm512_add_ps(_mm512_load_ps(rows->aside[i]), rest));
  }
}

/* The steps [begin, end) of a chunk that a tile of rows sees some of. */
typedef struct steps_seen {
  int64_t begin;
  int64_t end;
} steps_seen;

static steps_seen steps_of(const matrix_rows *rows, int64_t first) {
  const int64_t begin = rows->tile.begin - first;
  const int64_t end = rows->tile.end - first;
  const int64_t last = end < CHUNK ? end : CHUNK;
  return (steps_seen){begin > 0 ? begin / STEP : 0,
                      rows->tile.rows == 0 || end <= 0 ? 0 : (last + STEP - 1) / STEP};
}

/* One or two tiles of rows and a chunk. */
KVF_INLINE void attend_chunk(matrix_room *room, matrix_rows *rows, const int tiles,
                             const kvf_paged_attention_params *p, int64_t first, float factor) {
  steps_seen seen = steps_of(rows, first);
  if (tiles == 2) {
    const steps_seen other = steps_of(&rows[1], first);
    const bool both = seen.begin < seen.end && other.begin < other.end;
    seen = both ? (steps_seen){seen.begin < other.begin ? seen.begin : other.begin,
                               seen.end > other.end ? seen.end : other.end}
           : seen.begin < seen.end ? seen
                                   : other;
  }
  if (seen.begin >= seen.end) {
    return;
  }
  for (int64_t number = seen.begin; number < seen.end; ++number) {
    score_by_matrix(room, rows, tiles, number);
  }
  for (int tile = 0; tile < tiles; ++tile) {
    weigh_lanes(room, &rows[tile], p, room->scores[tile], first, seen.begin, seen.end, factor);
  }
  add_by_matrix(room, rows, tiles, seen.begin, seen.end);
}

static __attribute__((noinline)) void attend_chunk_of_two(matrix_room *room, matrix_rows *rows,
                                                          const kvf_paged_attention_params *p,
                                                          int64_t first, float factor) {
  attend_chunk(room, rows, 2, p, first, factor);
}

static __attribute__((noinline)) void attend_chunk_of_one(matrix_room *room, matrix_rows *rows,
                                                          const kvf_paged_attention_params *p,
                                                          int64_t first, float factor) {
  attend_chunk(room, rows, 1, p, first, factor);
}

/* Brings a chunk's positions [begin, end) into tiles. */
static void pack_chunk(matrix_room *room, const kvf_paged_attention_params *p,
                       const kvf_attention_tile *tile, int64_t kv_head, int64_t first) {
  static const uint8_t nothing[MOST]; /* what is not there, which has no weight */
  row_place places[STEP];
  step where;
  for (int64_t number = 0; number < STEPS; ++number) {
    const int64_t from = first + number * STEP;
    const int64_t begin = tile->begin > from ? tile->begin : from;
    const int64_t end = tile->end < from + STEP ? tile->end : from + STEP;
    room->present[number] = 0;
    if (begin >= end) {
      continue;
    }
    locate(&where, p, tile->sequence, begin, end);
    for (int64_t i = 0; i < where.count; ++i) {
      room->present[number] |= 1u << (where.positions[i] - from);
    }
    for (int side = 0; side < 2; ++side) {
      const kvf_view *side_of = side == 0 ? &p->key_cache : &p->value_cache;
      for (int64_t i = 0; i < STEP; ++i) {
        places[i].elements = nothing;
      }
      for (int64_t i = 0; i < where.count;
           ++i) { /* a position has its place in a step, wherever the unit begins */
        places[where.positions[i] - from] =
            find_row(p, side_of, room->size, where.blocks[i], where.offsets[i], kv_head);
      }
      (side == 0 ? pack_keys : pack_values)(room, number, places);
    }
  }
}

/* Sums as they are, or divided by the weights; by row, where the scores were. */
static float *rows_of_results(matrix_room *room, matrix_rows *rows, const __m512 *factors,
                              const __m512 *totals) {
  float *to = room->scores[0][0];
  __m512 nearest = _mm512_setzero_ps();
  __mmask16 some = 0xFFFF;
  if (totals != NULL) {
    nearest = _mm512_div_ps(_mm512_set1_ps(1.0f), *totals);
    some = _mm512_cmp_ps_mask(*totals, _mm512_setzero_ps(), _CMP_NEQ_UQ);
  }
  for (int64_t at = 0; at < room->size; at += LANES) {
    __m512i results[LANES];
    for (int i = 0; i < LANES; ++i) {
      __m512 sum = _mm512_load_ps(rows->sums[at + i]);
      if (totals != NULL) { /* the quotient of kvf_attention_result(), by its remainder */
        const __m512 scaled = _mm512_mul_ps(_mm512_mul_ps(sum, factors[0]), factors[1]);
        const __m512 about = _mm512_mul_ps(scaled, nearest);
        const __m512 rest = _mm512_fnmadd_ps(about, *totals, scaled);
        const __mmask16 finite = _mm512_cmp_ps_mask(rest, rest, _CMP_ORD_Q);
        sum = _mm512_maskz_mov_ps(some, _mm512_mask3_fmadd_ps(rest, nearest, about, finite));
      }
      results[i] = (__m512i)sum;
    }
    transpose_words(results);
    for (int i = 0; i < LANES; ++i) {
      _mm512_store_si512(to + i * room->size + at, results[i]);
    }
  }
  return to;
}

/* The end of a tile of rows: out and lse, or a split. */
static void end_rows(progress *now, matrix_room *room, matrix_rows *rows,
                     const kvf_paged_attention_params *p, int64_t kv_head, int64_t split,
                     float scale) {
  const int64_t size = room->size;
  const bool whole = rows->tile.splits == 1;
  float factors[LANES] = {0};
  float totals[LANES] = {0};
  float bases[LANES];
  if (rows->has_aside) {
    add_aside(rows, size);
  }
  now->heads = 1;
  for (int32_t h = 0; h < rows->tile.rows; ++h) {
    now->heads_of[0] = kvf_find_row(p, &rows->tile, kv_head, h);
    now->largest[0] = rows->bases[h] * LOG_2;
    now->total[0] = rows->totals[h];
    const kvf_row_end end = end_row(now, p, 0);
    factors[h] = end.factor;
    totals[h] = end.total;
    bases[h] = end.base;
  }
  const __m512 parts[] = {_mm512_loadu_ps(factors), _mm512_set1_ps(scale)};
  const __m512 divisors = _mm512_loadu_ps(totals);
  float *results = rows_of_results(room, rows, parts, whole ? &divisors : NULL);
  for (int32_t h = 0; h < rows->tile.rows; ++h, results += size) {
    now->heads_of[0] = kvf_find_row(p, &rows->tile, kv_head, h);
    if (whole) {
      put_row(p, &now->heads_of[0], results, size, (kvf_row_end){bases[h], factors[h], totals[h]});
    } else {
      now->largest[0] = rows->bases[h] * LOG_2;
      now->total[0] = rows->totals[h];
      memcpy(now->sums, results, (size_t)size * sizeof *results);
      store_split(now, p, split);
    }
  }
}

/* A unit. */
static __attribute__((noinline)) void
attend_by_matrix(progress *now, const kvf_paged_attention_params *p, const kvf_attention_unit *unit,
                 const kvf_attention_tile *tile, float factor, float scale) {
  matrix_room *const room = now->matrix;
  const bool bends = p->softcap != 0.0f || p->alibi_slopes.data != NULL;
  const float by = quiet(bends ? factor : factor * LOG2_E);
  const int32_t each = now->rows / LANES;
  room->size = now->size;
  room->num_tiles = (tile->rows + LANES - 1) / LANES;
  room->one = p->out_bytes == 2;
  for (int32_t i = 0; i < room->num_tiles; ++i) {
    matrix_rows *rows = &room->tiles[i];
    rows->tile =
        each == 1 ? *tile
                  : kvf_find_tile(p, unit->sequence, unit->number * each + i, unit->split, LANES);
    load_query_pairs(rows, p, unit->kv_head, room->size);
  }
  for (int64_t first = tile->begin / CHUNK * CHUNK; tile->rows > 0 && first < tile->end;
       first += CHUNK) {
    pack_chunk(room, p, tile, unit->kv_head, first);
    for (int32_t i = 0; first > tile->begin && first % ASIDE == 0 && i < room->num_tiles; ++i) {
      put_aside(&room->tiles[i], first, room->size);
    }
    int32_t i = 0;
    for (; i + 2 <= room->num_tiles; i += 2) {
      attend_chunk_of_two(room, &room->tiles[i], p, first, by);
    }
    if (i < room->num_tiles) {
      attend_chunk_of_one(room, &room->tiles[i], p, first, by);
    }
  }
  for (int32_t i = 0; i < room->num_tiles; ++i) {
    end_rows(now, room, &room->tiles[i], p, unit->kv_head, unit->split, scale);
  }
}

#endif

static float head_scale(const kvf_view *scales, int64_t kv_head) {
  return ((const float *)scales->data)[kv_head * scales->stride[0]];
}

/* A tile of up to HEADS rows, or such a part of one. */
static void attend_tile(progress *now, const kvf_paged_attention_params *p,
                        const kvf_attention_unit *unit, const kvf_attention_tile *tile,
                        float factor, float scale) {
  step steps[2]; /* in turn */
  now->heads = tile->rows;
  for (int32_t h = 0; h < tile->rows; ++h) {
    now->heads_of[h] = kvf_find_row(p, tile, unit->kv_head, h);
  }
  load_query(now, p, factor);
  locate(&steps[0], p, tile->sequence, tile->begin, tile->end);
  int turn = 0;
  for (int64_t first = tile->begin; tile->rows > 0 && first < tile->end; turn ^= 1) {
    first = first / STEP * STEP + STEP;
    locate(&steps[turn ^ 1], p, tile->sequence, first < tile->end ? first : tile->begin, tile->end);
    attend(now, p, tile, unit->kv_head, &steps[turn], &steps[turn ^ 1]);
  }
  if (tile->splits == 1) {
    store(now, p, scale);
  } else {
    store_split(now, p, unit->split);
  }
}

/* Units: see kvforge/cache/attention_tiles.h. */
static void attend_unit(progress *now, const kvf_paged_attention_params *p, int64_t number) {
  const kvf_attention_unit unit = kvf_find_unit(p, number, now->rows);
  const kvf_attention_tile tile =
      kvf_find_tile(p, unit.sequence, unit.number, unit.split, now->rows);
  if (unit.split >= tile.splits) {
    return;
  }
  const float factor = p->scale * head_scale(&p->k_scale, unit.kv_head);
  const float scale = head_scale(&p->v_scale, unit.kv_head);
#if defined(__AVX512F__)
  const bool many =
      tile.num_tokens * p->group > KVF_ATTENTION_ROWS || (p->whole_keys & KVF_MATRIX_ALWAYS) != 0;
  if (many && now->matrix != NULL) {
    attend_by_matrix(now, p, &unit, &tile, factor, scale);
    return;
  }
#endif
  kvf_attention_tile part = tile; /* of one for the matrix unit */
  for (int32_t row = 0; row < tile.rows; row += HEADS) {
    part.first_row = tile.first_row + row;
    part.rows = tile.rows - row < HEADS ? tile.rows - row : HEADS;
    attend_tile(now, p, &unit, &part, factor, scale);
  }
}

/* Units: tokens, of each the query heads. */
static void combine_unit(progress *now, const kvf_paged_attention_params *p, int64_t unit) {
  const int64_t token = unit / p->num_q_heads;
  const int64_t head = unit % p->num_q_heads;
  const int64_t kv_head = head / p->group;
  const int64_t sequence = kvf_sequence_of_token(p, token);
  const int64_t within = token - kvf_query_start(p, sequence);
  if (within < 0) {
    return;
  }
  const kvf_attention_tile tile = kvf_find_tile(
      p, sequence, (within * p->group + head - kv_head * p->group) / now->rows, 0, now->rows);
  if (within < tile.num_tokens && tile.splits > 1) {
    now->heads = 1;
    now->heads_of[0] = (kvf_attention_row){token, head, 0};
    combine(now, p, tile.splits);
    store(now, p, head_scale(&p->v_scale, kv_head));
  }
}

static void run_units(progress *now, const kvf_paged_attention_params *p, int64_t begin,
                      int64_t end) {
  for (int64_t unit = begin; unit < end; ++unit) {
    (p->combines ? combine_unit : attend_unit)(now, p, unit);
  }
}

#if defined(__AVX512F__)
/* By the matrix unit, or `host`, where there is memory for it. */
static __attribute__((noinline)) void run_units_by_matrix(progress *now,
                                                          const kvf_paged_attention_params *p,
                                                          int64_t begin, int64_t end,
                                                          kvf_tiles *host) {
  const size_t tiles = (size_t)now->rows / KVF_CPU_MATRIX_ROWS;
  now->matrix = aligned_alloc(64, sizeof *now->matrix + tiles * sizeof now->matrix->tiles[0]);
  if (now->matrix != NULL) {
    now->matrix->host = host;
  }
  run_units(now, p, begin, end);
  free(now->matrix);
}

static __attribute__((noinline)) void
run_units_on_host(progress *now, const kvf_paged_attention_params *p, int64_t begin, int64_t end) {
  kvf_tiles tiles;
  run_units_by_matrix(now, p, begin, end, &tiles);
}

#endif

void KVF_CPU_SYMBOL(kvf_cpu_paged_attention__bf16__fp8_e4m3)(const void *params, int64_t begin,
                                                             int64_t end);

/* Units [begin, end) of attention, or of what combines its parts. */
void KVF_CPU_SYMBOL(kvf_cpu_paged_attention__bf16__fp8_e4m3)(const void *params, int64_t begin,
                                                             int64_t end) {
  const kvf_paged_attention_params *p = params;
  progress now;
  now.size = p->head_size;
  now.padded = (now.size + KVF_LANES - 1) / KVF_LANES * KVF_LANES;
  now.value_size = p->value_head_size;
  now.value_padded = (now.value_size + KVF_LANES - 1) / KVF_LANES * KVF_LANES;
  now.rows = kvf_cpu_attention_rows(now.size > now.value_size ? now.size : now.value_size);
  arrange(&now);
  now.matrix = NULL;
#if defined(__AVX512F__)
  if (p->whole_keys != KVF_NO_MATRIX) {
    now.rows = KVF_MATRIX_ROWS_OF(
        p->whole_keys); /* of a tile, whether few of them go by the unit or not */
  }
  if (p->whole_keys != KVF_NO_MATRIX && p->combines == 0) {
    if ((p->whole_keys & KVF_MATRIX_IN_C) != 0) {
      run_units_on_host(&now, p, begin, end);
      return;
    }
    kvf_tiles_begin();
    run_units_by_matrix(&now, p, begin, end, NULL);
    kvf_tiles_end();
    return;
  }
#endif
  run_units(&now, p, begin, end);
}
