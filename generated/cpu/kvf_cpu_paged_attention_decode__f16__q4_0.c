/*
 * Generated from templates/cpu/paged_attention_decode.c.j2 and
 * generator/spec/paged_attention_decode.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/paged_attention_decode.h"
#include "kvforge/cache/cpu_attention.h"
#include "kvforge/cache/cpu_ggml.h"

/* Positions whose weights are computed together, and rows that are widened together. */
enum { TILE = 32, ROWS = 16, HEADS = KVF_ATTENTION_HEADS, SIZE = KVF_ATTENTION_HEAD_SIZE };

/* What one unit of work, up to HEADS query heads of one KV head, has so far. Rows are padded with
 * 0. */
typedef struct progress {
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

/* What a place in a page of a cache has: the blocks of a head of a token. */
typedef struct row_place {
  const uint8_t *blocks;
} row_place;

static row_place find_row(const kvf_paged_attention_decode_params *p, const kvf_view *cache,
                          int64_t size, int64_t block, int64_t offset, int64_t kv_head) {
  (void)p;
  (void)size;
  return (row_place){(const uint8_t *)cache->data + block * cache->stride[0] +
                     offset * cache->stride[1] + kv_head * cache->stride[2]};
}

static void prefetch_row(const row_place *place, int64_t size) {
  kvf_prefetch_to_read(place->blocks, size / KVF_GGML_BLOCK * KVF_Q4_0_BYTES);
}

/* Rows; asks for the rows `ahead` meanwhile. */
static void load_rows(float (*rows)[SIZE], int64_t size, const row_place *places,
                      const row_place *ahead, int64_t count) {
  for (int64_t row = 0; row < count; ++row) {
    prefetch_row(&ahead[row], size);
    kvf_decode_q4_0(rows[row], places[row].blocks, size);
  }
}

/* The query heads, times what their scores are to be multiplied by. */
static void load_query(progress *now, const kvf_paged_attention_decode_params *p, int64_t sequence,
                       int64_t first_head, float factor) {
  const uint16_t *query = (const uint16_t *)p->query.data + sequence * p->query.stride[0];
  for (int64_t h = 0; h < now->heads; ++h) {
    const uint16_t *from = query + (first_head + h) * p->query.stride[1];
    for (int64_t i = 0; i < now->padded; ++i) {
      now->query[h][i] =
          i < now->size ? kvf_f32_from_f16(from[i * p->query.stride[2]]) * factor : 0.0f;
      now->sums[h][i] = 0.0f;
    }
    now->largest[h] = KVF_NO_SCORE;
    now->total[h] = 0.0f;
  }
}

/* Turns the scores of a tile into weights, and brings what was summed so far to the same base. */
static void weigh(progress *now, int64_t h, float scores[TILE], int64_t count) {
  for (int64_t i = count; i < TILE; ++i) {
    scores[i] = KVF_NO_SCORE;
  }
  const float largest = kvf_largest(now->largest[h], scores, TILE);
  const float base = kvf_score_base(largest);
  const float factor = kvf_exp_negative(now->largest[h] - base);
  for (int64_t i = 0; i < TILE; ++i) {
    scores[i] = kvf_exp_negative(scores[i] - base);
  }
  if (largest > now->largest[h]) {
    kvf_multiply_row(now->sums[h], factor, now->padded);
  }
  now->largest[h] = largest;
  now->total[h] = now->total[h] * factor + kvf_sum(scores, TILE);
}

/* Where positions of a sequence are. Those whose page is out of range are left out. */
typedef struct tile {
  int64_t positions[TILE];
  int64_t blocks[TILE];
  int64_t offsets[TILE];
  int64_t count;
} tile;

/* Positions [first, end) of a sequence, but no more than a tile; what is behind repeats the last.
 */
static void locate(tile *where, const kvf_paged_attention_decode_params *p, int64_t sequence,
                   int64_t first, int64_t end) {
  const int64_t row = sequence * p->block_tables.stride[0];
  const int64_t last = end - first < TILE ? end : first + TILE;
  int64_t page = kvf_divide(first, p->by_block_size);
  int64_t offset = first - page * p->block_size;
  int64_t count = 0;
  where->blocks[0] = 0;
  where->offsets[0] = 0;
  for (int64_t position = first; position < last; offset = 0, ++page) {
    const int64_t block =
        kvf_index_at(p->block_tables.data, p->index_bytes, row + page * p->block_tables.stride[1]);
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
  for (int64_t i = count > 0 ? count : 1; i < TILE; ++i) {
    where->blocks[i] = where->blocks[i - 1];
    where->offsets[i] = where->offsets[i - 1];
  }
}

static void find_rows(row_place *places, const kvf_paged_attention_decode_params *p,
                      const kvf_view *cache, const tile *where, int64_t kv_head) {
  for (int64_t i = 0; i < TILE; ++i) {
    places[i] = find_row(p, cache, p->head_size, where->blocks[i], where->offsets[i], kv_head);
  }
}

/* Positions [first, end) of a sequence of `length` tokens, no more than a tile. */
static void attend(progress *now, const kvf_paged_attention_decode_params *p, int64_t sequence,
                   int64_t kv_head, int64_t first_head, int64_t first, int64_t end,
                   int64_t length) {
  float scores[HEADS][TILE];
  row_place places[TILE];
  row_place ahead[TILE];
  tile here;
  tile next;
  locate(&here, p, sequence, first, end);
  const int64_t count = here.count;
  if (count == 0) {
    return;
  }
  locate(&next, p, sequence, end < length ? end : first, length);
  find_rows(places, p, &p->key_cache, &here, kv_head);
  find_rows(ahead, p, &p->value_cache, &here, kv_head);
  for (int64_t i = 0; i < count; i += ROWS) {
    const int64_t rows = count - i < ROWS ? count - i : ROWS;
    load_rows(now->rows, now->size, places + i, ahead + i, rows);
    for (int64_t row = 0; row < rows; row += KVF_DOTS) {
      kvf_dots(scores[0] + i + row, TILE, now->query[0], now->heads, now->rows[row], SIZE,
               now->padded);
    }
  }
  for (int64_t h = 0; h < now->heads; ++h) {
    if (p->alibi_slopes.data != NULL) {
      const float slope =
          ((const float *)p->alibi_slopes.data)[(first_head + h) * p->alibi_slopes.stride[0]];
      for (int64_t i = 0; i < count; ++i) {
        scores[h][i] += slope * (float)(here.positions[i] - (length - 1));
      }
    }
    weigh(now, h, scores[h], count);
  }
  find_rows(places, p, &p->value_cache, &here, kv_head);
  find_rows(ahead, p, &p->key_cache, &next, kv_head);
  for (int64_t i = 0; i < count; i += ROWS) {
    const int64_t rows = count - i < ROWS ? count - i : ROWS;
    load_rows(now->rows, now->size, places + i, ahead + i, rows);
    kvf_add_weighted(now->sums[0], scores[0] + i, TILE, now->heads, now->rows[0], rows, SIZE,
                     now->padded);
  }
}

/* What a split of a sequence attends to: positions [first, end). */
typedef struct span {
  int64_t length; /* of the sequence */
  int64_t first;
  int64_t end;
  int64_t splits; /* that the sequence has; the result of an only one goes to out at once */
} span;

/* The length of a sequence, at most what its pages hold. */
static int64_t find_length(const kvf_paged_attention_decode_params *p, int64_t sequence) {
  const int64_t length = kvf_index_at(p->seq_lens.data, 4, sequence * p->seq_lens.stride[0]);
  if (length <= 0) {
    return 0;
  }
  return kvf_divide(length - 1, p->by_block_size) < p->width ? length : p->width * p->block_size;
}

static span find_span(const kvf_paged_attention_decode_params *p, int64_t sequence, int64_t split) {
  const int64_t length = find_length(p, sequence);
  const bool windowed = p->sliding_window > 0 && p->sliding_window < length;
  const int64_t begin = windowed ? length - p->sliding_window : 0;
  const int64_t each = kvf_split_positions(length - begin, p->splits);
  const int64_t splits = length - begin > each ? (length - begin + each - 1) / each : 1;
  return (span){.length = length,
                .first = begin + split * each,
                .end = split + 1 < splits ? begin + (split + 1) * each : length,
                .splits = splits};
}

/* A row of the workspace: what a head of a split comes to. */
static float *split_row(const kvf_paged_attention_decode_params *p, int64_t sequence, int64_t head,
                        int64_t split) {
  const int64_t *stride = p->workspace.stride;
  return (float *)p->workspace.data + sequence * stride[0] + head * stride[1] + split * stride[2];
}

static void store_split(const progress *now, const kvf_paged_attention_decode_params *p,
                        int64_t sequence, int64_t first_head, int64_t split) {
  const int64_t stride = p->workspace.stride[3];
  for (int64_t h = 0; h < now->heads; ++h) {
    float *row = split_row(p, sequence, first_head + h, split);
    for (int64_t i = 0; i < now->size; ++i) {
      row[i * stride] = now->sums[h][i];
    }
    row[(now->size + KVF_SPLIT_LARGEST) * stride] = now->largest[h];
    row[(now->size + KVF_SPLIT_TOTAL) * stride] = now->total[h];
  }
}

/* Adds up the splits of a head, brought to the same base. */
static void combine(progress *now, const kvf_paged_attention_decode_params *p, int64_t sequence,
                    int64_t head, int64_t splits) {
  const int64_t stride = p->workspace.stride[3];
  const int64_t largest_at = (now->size + KVF_SPLIT_LARGEST) * stride;
  const int64_t total_at = (now->size + KVF_SPLIT_TOTAL) * stride;
  float largest = KVF_NO_SCORE;
  for (int64_t split = 0; split < splits; ++split) {
    const float score = split_row(p, sequence, head, split)[largest_at];
    largest = score > largest ? score : largest;
  }
  const float base = kvf_score_base(largest);
  memset(now->sums[0], 0, sizeof now->sums[0]);
  now->total[0] = 0.0f;
  for (int64_t split = 0; split < splits; ++split) {
    const float *row = split_row(p, sequence, head, split);
    const float factor = kvf_exp_negative(row[largest_at] - base);
    for (int64_t i = 0; i < now->size; ++i) {
      now->sums[0][i] += factor * row[i * stride];
    }
    now->total[0] += factor * row[total_at];
  }
}

static void store(progress *now, const kvf_paged_attention_decode_params *p, int64_t sequence,
                  int64_t first_head, float scale) {
  uint16_t *out = (uint16_t *)p->out.data + sequence * p->out.stride[0];
  for (int64_t h = 0; h < now->heads; ++h) {
    uint16_t *to = out + (first_head + h) * p->out.stride[1];
    uint16_t results[SIZE];
    for (int64_t i = 0; i < now->size; ++i) {
      now->row[i] = kvf_attention_result(now->sums[h][i], scale, now->total[h]);
    }
    kvf_store_results_f16(results, now->row, now->size);
    for (int64_t i = 0; i < now->size; ++i) {
      to[i * p->out.stride[2]] = results[i];
    }
  }
}

/* Units: sequences, of each its splits, of each the KV heads, of each the parts of its group. */
static void attend_unit(progress *now, const kvf_paged_attention_decode_params *p, int64_t unit) {
  const int64_t part = unit % p->parts;
  const int64_t kv_head = unit / p->parts % p->num_kv_heads;
  const int64_t split = unit / p->parts / p->num_kv_heads % p->splits;
  const int64_t sequence = unit / p->parts / p->num_kv_heads / p->splits;
  const span positions = find_span(p, sequence, split);
  if (split >= positions.splits) {
    return;
  }
  const int64_t first_head = kv_head * p->group + part * HEADS;
  const int64_t rest = p->group - part * HEADS;
  now->heads = rest < HEADS ? rest : HEADS;
  load_query(now, p, sequence, first_head, p->scale);
  for (int64_t first = positions.first; first < positions.end; first += TILE) {
    const int64_t end = positions.end - first < TILE ? positions.end : first + TILE;
    attend(now, p, sequence, kv_head, first_head, first, end, positions.length);
  }
  if (positions.splits == 1) {
    store(now, p, sequence, first_head, 1.0f);
  } else {
    store_split(now, p, sequence, first_head, split);
  }
}

/* Units: sequences, of each the query heads. */
static void combine_unit(progress *now, const kvf_paged_attention_decode_params *p, int64_t unit) {
  const int64_t sequence = unit / p->num_q_heads;
  const int64_t head = unit % p->num_q_heads;
  const int64_t splits = find_span(p, sequence, 0).splits;
  if (splits > 1) {
    now->heads = 1;
    combine(now, p, sequence, head, splits);
    store(now, p, sequence, head, 1.0f);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_paged_attention_decode__f16__q4_0)(const void *params, int64_t begin,
                                                               int64_t end);

/* Units [begin, end) of attention, or of what combines its parts. */
void KVF_CPU_SYMBOL(kvf_cpu_paged_attention_decode__f16__q4_0)(const void *params, int64_t begin,
                                                               int64_t end) {
  const kvf_paged_attention_decode_params *p = params;
  progress now = {.size = p->head_size};
  now.padded = (now.size + KVF_LANES - 1) / KVF_LANES * KVF_LANES;
  for (int64_t unit = begin; unit < end; ++unit) {
    (p->combines ? combine_unit : attend_unit)(&now, p, unit);
  }
}
