/*
 * Generated from templates/cpu/paged_attention.c.j2 and generator/spec/paged_attention.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/paged_attention.h"
#include "kvforge/cache/cpu_attention.h"
#include "kvforge/cache/cpu_ggml.h"

#include "kvforge/cache/attention_tiles.h"
#include "kvforge/cache/merge.h"

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
  _Alignas(64) float wide[ELEMENTS]; /* of the cache */
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

/* What a place in a page of a cache has: the blocks of a head of a token. */
typedef struct row_place {
  const uint8_t *blocks;
} row_place;

static row_place find_row(const kvf_paged_attention_params *p, const kvf_view *cache, int64_t size,
                          int64_t block, int64_t offset, int64_t kv_head) {
  (void)p;
  (void)size;
  return (row_place){(const uint8_t *)cache->data + block * cache->stride[0] +
                     offset * cache->stride[1] + kv_head * cache->stride[2]};
}

/* Parts of rows. */
static void load_rows(float *wide, int64_t pitch, int64_t size, const row_place *places,
                      int64_t count, int64_t at, int64_t length) {
  const int64_t start = at / KVF_GGML_BLOCK * KVF_Q4_0_BYTES;
  (void)size;
  for (int64_t row = 0; row < count; ++row) {
    kvf_decode_q4_0(wide + row * pitch, places[row].blocks + start, length);
  }
}

KVF_INLINE void prefetch_row(const row_place *place, int64_t size) {
  kvf_prefetch_to_read(place->blocks, size / KVF_GGML_BLOCK * KVF_Q4_0_BYTES);
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
  (void)p;
  for (int64_t at = 0; at < now->padded; at += KEY_PART) {
    const int64_t part = now->padded - at < KEY_PART ? now->padded - at : KEY_PART;
    const int64_t length = now->size - at < part ? now->size - at : part;
    for (int64_t i = 0; i < count; i += KEY_ROWS) {
      const int64_t rows = count - i < KEY_ROWS ? count - i : KEY_ROWS;
      for (int64_t row = i; at == 0 && row < i + rows; ++row) {
        prefetch_row(&ahead[row], now->value_size);
      }
      load_rows(now->wide, KEY_PART, now->size, places + i, rows, at, length);
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
  (void)p;
  for (int64_t at = 0; at < now->value_padded; at += VALUE_PART) {
    const int64_t part = now->value_padded - at < VALUE_PART ? now->value_padded - at : VALUE_PART;
    const int64_t length = now->value_size - at < part ? now->value_size - at : part;
    for (int64_t row = 0; row < each && asked < STEP; ++row, ++asked) {
      prefetch_row(&ahead[asked], now->size);
    }
    load_rows(now->wide, VALUE_PART, now->value_size, places, count, at, length);
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
  find_rows(keys, p, &p->key_cache, now->size, here, kv_head);
  find_rows(values, p, &p->value_cache, now->value_size, here, kv_head);
  score(now, p, keys, values, count);
  for (int64_t h = 0; h < now->heads; ++h) {
    float *scores = now->scores + h * STEP;
    adjust(p, tile, &now->heads_of[h], here, scores);
    weigh(now, h, scores, count);
  }
  find_rows(keys, p, &p->key_cache, now->size, next, kv_head);
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
  const float factor = p->scale;
  const float scale = 1.0f;
  attend_tile(now, p, &unit, &tile, factor, scale);
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
    store(now, p, 1.0f);
  }
}

static void run_units(progress *now, const kvf_paged_attention_params *p, int64_t begin,
                      int64_t end) {
  for (int64_t unit = begin; unit < end; ++unit) {
    (p->combines ? combine_unit : attend_unit)(now, p, unit);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_paged_attention__bf16__q4_0)(const void *params, int64_t begin,
                                                         int64_t end);

/* Units [begin, end) of attention, or of what combines its parts. */
void KVF_CPU_SYMBOL(kvf_cpu_paged_attention__bf16__q4_0)(const void *params, int64_t begin,
                                                         int64_t end) {
  const kvf_paged_attention_params *p = params;
  progress now;
  now.size = p->head_size;
  now.padded = (now.size + KVF_LANES - 1) / KVF_LANES * KVF_LANES;
  now.value_size = p->value_head_size;
  now.value_padded = (now.value_size + KVF_LANES - 1) / KVF_LANES * KVF_LANES;
  now.rows = kvf_cpu_attention_rows(now.size > now.value_size ? now.size : now.value_size);
  arrange(&now);
  run_units(&now, p, begin, end);
}
