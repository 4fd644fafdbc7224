/*
 * Generated from templates/cpu/paged_attention.c.j2 and generator/spec/paged_attention.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/paged_attention.h"
#include "kvforge/cache/cpu_attention.h"
#include "kvforge/int8.h"

#include "kvforge/cache/attention_tiles.h"
#include "kvforge/cache/merge.h"

/* Positions whose weights are computed together, rows of the cache that are widened together, and
 * query heads of query tokens that are done together. */
enum { STEP = 32, ROWS = 16, HEADS = KVF_ATTENTION_ROWS, SIZE = KVF_ATTENTION_HEAD_SIZE };

/* What one unit of work, up to HEADS rows of one KV head, has so far. Rows are padded with 0. */
typedef struct progress {
  kvf_attention_row heads_of[HEADS];
  float query[HEADS][SIZE];
  float sums[HEADS][SIZE];
  float largest[HEADS];   /* score */
  float total[HEADS];     /* of the weights */
  float row[SIZE];        /* of results */
  float rows[ROWS][SIZE]; /* of the cache, widened */
  int64_t heads;
  int64_t size;   /* of a head */
  int64_t padded; /* of a row */
} progress;

/* What a place in a page of a cache has: the first element of a head of a token. */
typedef struct row_place {
  const int8_t *elements;
} row_place;

static row_place find_row(const kvf_paged_attention_params *p, const kvf_view *cache, int64_t size,
                          int64_t block, int64_t offset, int64_t kv_head) {
  (void)p;
  (void)size;
  return (row_place){(const int8_t *)cache->data + block * cache->stride[0] +
                     offset * cache->stride[1] + kv_head * cache->stride[2]};
}

static void prefetch_row(const row_place *place, int64_t size) {
  kvf_prefetch_to_read(place->elements, size * (int64_t)sizeof *place->elements);
}

/* `count` elements that lie one behind another. */
static void widen(float *restrict row, const int8_t *restrict from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    row[i] = kvf_f32_from_int8(from[i]);
  }
}

enum { VECTOR = 16 };

typedef int8_t vector __attribute__((vector_size(16)));

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

/* VECTOR rows that lie side by side. */
static void pack_columns(int8_t (*packed)[SIZE], const int8_t *from, int64_t stride, int64_t size) {
  int64_t i = 0;
  for (; i + VECTOR <= size; i += VECTOR) {
    vector square[VECTOR];
    for (int64_t k = 0; k < VECTOR; ++k) {
      memcpy(&square[k], from + (i + k) * stride, 16);
    }
    transpose_square(square);
    for (int64_t k = 0; k < VECTOR; ++k) {
      memcpy(&packed[k][i], &square[k], 16);
    }
  }
  for (; i < size; ++i) {
    for (int64_t k = 0; k < VECTOR; ++k) {
      packed[k][i] = from[i * stride + k];
    }
  }
}

static void pack_row(int8_t *packed, const int8_t *from, int64_t x, int64_t group_stride,
                     int64_t stride, int64_t size) {
  if (stride == 1 && x == VECTOR && size % VECTOR == 0) {
    for (int64_t i = 0; i < size; i += VECTOR, from += group_stride) {
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

/* Rows, whose elements are in groups of x; asks for the rows `ahead` meanwhile. Strides in
 * elements. */
static void load_rows(float (*rows)[SIZE], int64_t size, const row_place *places,
                      const row_place *ahead, int64_t x, int64_t group_stride, int64_t stride,
                      int64_t count) {
  const bool whole = stride == 1 && x >= size;
  int8_t packed[ROWS][SIZE];
  for (int64_t row = 0; !whole && row < count; ++row) {
    if (x >= size && side_by_side(places + row, count - row)) {
      pack_columns(packed + row, places[row].elements, stride, size);
      row += VECTOR - 1;
      continue;
    }
    pack_row(packed[row], places[row].elements, x, group_stride, stride, size);
  }
  for (int64_t row = 0; row < count; ++row) {
    prefetch_row(&ahead[row], size);
    widen(rows[row], whole ? places[row].elements : packed[row], size);
  }
}

/* The query heads, times what their scores are to be multiplied by. */
static void load_query(progress *now, const kvf_paged_attention_params *p, float factor) {
  const uint16_t *query = (const uint16_t *)p->query.data;
  for (int64_t h = 0; h < now->heads; ++h) {
    const uint16_t *from = query + now->heads_of[h].token * p->query.stride[0] +
                           now->heads_of[h].head * p->query.stride[1];
    for (int64_t i = 0; i < now->padded; ++i) {
      now->query[h][i] =
          i < now->size ? kvf_f32_from_bf16(from[i * p->query.stride[2]]) * factor : 0.0f;
      now->sums[h][i] = 0.0f;
    }
    now->largest[h] = KVF_NO_SCORE;
    now->total[h] = 0.0f;
  }
}

/* Turns the scores of a step into weights, and brings what was summed so far to the same base. */
static void weigh(progress *now, int64_t h, float scores[STEP], int64_t count) {
  for (int64_t i = count; i < STEP; ++i) {
    scores[i] = KVF_NO_SCORE;
  }
  const float largest = kvf_largest(now->largest[h], scores, STEP);
  const float base = kvf_score_base(largest);
  const float factor = kvf_exp_negative(now->largest[h] - base);
  for (int64_t i = 0; i < STEP; ++i) {
    scores[i] = kvf_exp_negative(scores[i] - base);
  }
  if (largest > now->largest[h]) {
    kvf_multiply_row(now->sums[h], factor, now->padded);
  }
  now->largest[h] = largest;
  now->total[h] = now->total[h] * factor + kvf_sum(scores, STEP);
}

static float token_scale(const kvf_view *scales, int64_t block, int64_t offset, int64_t kv_head) {
  return ((const float *)scales->data)[block * scales->stride[0] + offset * scales->stride[1] +
                                       kv_head * scales->stride[2]];
}

/* Where positions of a sequence are. Those whose page is out of range are left out. */
typedef struct step {
  int64_t positions[STEP];
  int64_t blocks[STEP];
  int64_t offsets[STEP];
  int64_t count;
} step;

/* Positions [first, end) of a sequence, but no more than a step; what is behind repeats the last.
 */
static void locate(step *where, const kvf_paged_attention_params *p, int64_t sequence,
                   int64_t first, int64_t end) {
  const int64_t row = sequence * p->block_table.stride[0];
  const int64_t last = end - first < STEP ? end : first + STEP;
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
      where->positions[count] = position;
      where->blocks[count] = block;
      where->offsets[count] = offset;
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
                      const step *where, int64_t kv_head) {
  for (int64_t i = 0; i < STEP; ++i) {
    places[i] = find_row(p, cache, p->head_size, where->blocks[i], where->offsets[i], kv_head);
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
      scores[i] += slope * (float)(where->positions[i] - row->position);
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

/* Positions [first, end) of a tile's sequence, no more than a step. */
static void attend(progress *now, const kvf_paged_attention_params *p,
                   const kvf_attention_tile *tile, int64_t kv_head, int64_t first, int64_t end) {
  float scores[HEADS][STEP];
  row_place places[STEP];
  row_place ahead[STEP];
  step here;
  step next;
  const kvf_view key_lines = lines_of(&p->key_cache, p->x < now->size, now->size);
  const kvf_view value_lines = lines_of(&p->value_cache, p->value_cache.stride[3] != 1, now->size);
  locate(&here, p, tile->sequence, first, end);
  const int64_t count = here.count;
  if (count == 0) {
    return;
  }
  locate(&next, p, tile->sequence, end < tile->end ? end : first, tile->end);
  find_rows(places, p, &p->key_cache, &here, kv_head);
  find_rows(ahead, p, &value_lines, &here, kv_head);
  for (int64_t i = 0; i < count; i += ROWS) {
    const int64_t rows = count - i < ROWS ? count - i : ROWS;
    load_rows(now->rows, now->size, places + i, ahead + i, p->x, p->key_cache.stride[3],
              p->key_cache.stride[4], rows);
    for (int64_t row = 0; row < rows; row += KVF_DOTS) {
      kvf_dots(scores[0] + i + row, STEP, now->query[0], now->heads, now->rows[row], SIZE,
               now->padded);
    }
  }
  for (int64_t h = 0; h < now->heads; ++h) {
    for (int64_t i = 0; i < count; ++i) {
      scores[h][i] *= token_scale(&p->k_scale, here.blocks[i], here.offsets[i], kv_head);
    }
    adjust(p, tile, &now->heads_of[h], &here, scores[h]);
    weigh(now, h, scores[h], count);
    for (int64_t i = 0; i < count; ++i) {
      scores[h][i] *= token_scale(&p->v_scale, here.blocks[i], here.offsets[i], kv_head);
    }
  }
  find_rows(places, p, &p->value_cache, &here, kv_head);
  find_rows(ahead, p, &key_lines, &next, kv_head);
  for (int64_t i = 0; i < count; i += ROWS) {
    const int64_t rows = count - i < ROWS ? count - i : ROWS;
    load_rows(now->rows, now->size, places + i, ahead + i, now->size, 0, p->value_cache.stride[3],
              rows);
    kvf_add_weighted(now->sums[0], scores[0] + i, STEP, now->heads, now->rows[0], rows, SIZE,
                     now->padded);
  }
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
    for (int64_t i = 0; i < now->size; ++i) {
      row[i * stride] = now->sums[h][i];
    }
    row[(now->size + KVF_SPLIT_LARGEST) * stride] = now->largest[h];
    row[(now->size + KVF_SPLIT_TOTAL) * stride] = now->total[h];
  }
}

/* Adds up the splits of the first row, brought to the same base. */
static void combine(progress *now, const kvf_paged_attention_params *p, int64_t splits) {
  const int64_t stride = p->workspace.stride[3];
  const int64_t largest_at = (now->size + KVF_SPLIT_LARGEST) * stride;
  const int64_t total_at = (now->size + KVF_SPLIT_TOTAL) * stride;
  float largest = KVF_NO_SCORE;
  for (int64_t split = 0; split < splits; ++split) {
    const float score = split_row(p, &now->heads_of[0], split)[largest_at];
    largest = score > largest ? score : largest;
  }
  const float base = kvf_score_base(largest);
  memset(now->sums[0], 0, sizeof now->sums[0]);
  now->largest[0] = largest;
  now->total[0] = 0.0f;
  for (int64_t split = 0; split < splits; ++split) {
    const float *row = split_row(p, &now->heads_of[0], split);
    const float factor = kvf_exp_negative(row[largest_at] - base);
    for (int64_t i = 0; i < now->size; ++i) {
      now->sums[0][i] += factor * row[i * stride];
    }
    now->total[0] += factor * row[total_at];
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
  return (kvf_row_end){base, factor, now->total[h] * factor + kvf_exp_negative(sink - base)};
}

static void put_row_f32(const kvf_paged_attention_params *p, int64_t at, const float *row,
                        int64_t size) {
  float *to = (float *)p->out.data + at;
  float results[SIZE];
  kvf_store_results_f32(results, row, size);
  for (int64_t i = 0; i < size; ++i) {
    to[i * p->out.stride[2]] = results[i];
  }
}

static void put_row_bf16(const kvf_paged_attention_params *p, int64_t at, const float *row,
                         int64_t size) {
  uint16_t *to = (uint16_t *)p->out.data + at;
  uint16_t results[SIZE];
  kvf_store_results_bf16(results, row, size);
  for (int64_t i = 0; i < size; ++i) {
    to[i * p->out.stride[2]] = results[i];
  }
}

static void store(progress *now, const kvf_paged_attention_params *p, float scale) {
  for (int64_t h = 0; h < now->heads; ++h) {
    const kvf_attention_row *row = &now->heads_of[h];
    const kvf_row_end end = end_row(now, p, h);
    const int64_t at = row->token * p->out.stride[0] + row->head * p->out.stride[1];
    for (int64_t i = 0; i < now->size; ++i) {
      now->row[i] = kvf_attention_result(now->sums[h][i], scale, end);
    }
    (p->out_bytes == 4 ? put_row_f32 : put_row_bf16)(p, at, now->row, now->size);
    if (p->lse.data != NULL) {
      const kvf_merged all = {.largest = end.base, .total = end.total};
      ((float *)p->lse.data)[row->head * p->lse.stride[0] + row->token * p->lse.stride[1]] =
          kvf_merged_lse(all, 1.0);
    }
  }
}

/* Units: see kvforge/cache/attention_tiles.h. */
static void attend_unit(progress *now, const kvf_paged_attention_params *p, int64_t number) {
  const kvf_attention_unit unit = kvf_find_unit(p, number, HEADS);
  const kvf_attention_tile tile = kvf_find_tile(p, unit.sequence, unit.number, unit.split, HEADS);
  if (unit.split >= tile.splits) {
    return;
  }
  now->heads = tile.rows;
  for (int32_t h = 0; h < tile.rows; ++h) {
    now->heads_of[h] = kvf_find_row(p, &tile, unit.kv_head, h);
  }
  load_query(now, p, p->scale);
  for (int64_t first = tile.begin; tile.rows > 0 && first < tile.end; first += STEP) {
    attend(now, p, &tile, unit.kv_head, first, tile.end - first < STEP ? tile.end : first + STEP);
  }
  if (tile.splits == 1) {
    store(now, p, 1.0f);
  } else {
    store_split(now, p, unit.split);
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
  const kvf_attention_tile tile =
      kvf_find_tile(p, sequence, (within * p->group + head - kv_head * p->group) / HEADS, 0, HEADS);
  if (within < tile.num_tokens && tile.splits > 1) {
    now->heads = 1;
    now->heads_of[0] = (kvf_attention_row){token, head, 0};
    combine(now, p, tile.splits);
    store(now, p, 1.0f);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_paged_attention__bf16__int8_per_token_head)(const void *params,
                                                                        int64_t begin, int64_t end);

/* Units [begin, end) of attention, or of what combines its parts. */
void KVF_CPU_SYMBOL(kvf_cpu_paged_attention__bf16__int8_per_token_head)(const void *params,
                                                                        int64_t begin,
                                                                        int64_t end) {
  const kvf_paged_attention_params *p = params;
  progress now = {.size = p->head_size};
  now.padded = (now.size + KVF_LANES - 1) / KVF_LANES * KVF_LANES;
  for (int64_t unit = begin; unit < end; ++unit) {
    (p->combines ? combine_unit : attend_unit)(&now, p, unit);
  }
}
