/*
 * Generated from templates/cpu/paged_attention_decode.c.j2 and
 * generator/spec/paged_attention_decode.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cpu_kernel.h"
#include "kvforge/params/paged_attention_decode.h"
#include "kvforge/cpu_attention.h"

/* Positions whose weights are computed together. */
enum { TILE = 32, HEADS = KVF_ATTENTION_HEADS, SIZE = KVF_ATTENTION_HEAD_SIZE };

/* What one unit of work, up to HEADS query heads of one KV head, has so far. Rows are padded with
 * 0. */
typedef struct progress {
  float query[HEADS][SIZE];
  float sums[HEADS][SIZE];
  float largest[HEADS]; /* score */
  float total[HEADS];   /* of the weights */
  float row[SIZE];      /* of the cache, widened */
  int64_t heads;
  int64_t size;   /* of a head */
  int64_t padded; /* of a row */
} progress;

/* `count` elements that lie one behind another. */
static void widen(float *restrict row, const uint8_t *restrict from, int64_t count) {
  uint16_t halves[SIZE]; /* E5M2 is the upper byte of f16 */
  for (int64_t i = 0; i < count; ++i) {
    halves[i] = (uint16_t)(from[i] << 8);
  }
  kvf_widen_f16(row, halves, count);
}

/* `count` elements, in groups of x. Strides in elements. */
static void load_row(float *row, const uint8_t *from, int64_t x, int64_t group_stride,
                     int64_t stride, int64_t count) {
  enum { VECTOR = 16 / sizeof *from };
  if (stride == 1 && x >= count) {
    widen(row, from, count);
    return;
  }
  uint8_t packed[SIZE];
  if (stride == 1 && x == VECTOR && count % VECTOR == 0) {
    for (int64_t i = 0; i < count; i += VECTOR, from += group_stride) {
      memcpy(packed + i, from, 16);
    }
  } else {
    for (int64_t first = 0; first < count; first += x, from += group_stride) {
      const int64_t length = count - first < x ? count - first : x;
      for (int64_t i = 0; i < length; ++i) {
        packed[first + i] = from[i * stride];
      }
    }
  }
  widen(row, packed, count);
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
static void weigh(progress *now, int64_t h, float *scores, int64_t count) {
  float largest = now->largest[h];
  for (int64_t i = 0; i < count; ++i) {
    largest = scores[i] > largest ? scores[i] : largest;
  }
  const float base = kvf_score_base(largest);
  const float factor = kvf_exp_negative(now->largest[h] - base);
  for (int64_t i = 0; i < count; ++i) {
    scores[i] = kvf_exp_negative(scores[i] - base);
  }
  float total = now->total[h] * factor;
  for (int64_t i = 0; i < count; ++i) {
    total += scores[i];
  }
  if (largest > now->largest[h]) {
    kvf_multiply_row(now->sums[h], factor, now->padded);
  }
  now->largest[h] = largest;
  now->total[h] = total;
}

/* Positions [first, first + count) of a sequence of `length` tokens. */
static void attend(progress *now, const kvf_paged_attention_decode_params *p, int64_t sequence,
                   int64_t kv_head, int64_t first_head, int64_t first, int64_t count,
                   int64_t length) {
  float scores[HEADS][TILE];
  int64_t blocks[TILE];
  int64_t offsets[TILE];
  const int32_t *table =
      (const int32_t *)p->block_tables.data + sequence * p->block_tables.stride[0];
  for (int64_t i = 0; i < count; ++i) {
    const int64_t page = kvf_divide(first + i, p->by_block_size);
    blocks[i] = table[page * p->block_tables.stride[1]];
    offsets[i] = first + i - page * p->block_size;
  }
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t *key = (const uint8_t *)p->key_cache.data + blocks[i] * p->key_cache.stride[0] +
                         offsets[i] * p->key_cache.stride[1] + kv_head * p->key_cache.stride[2];
    load_row(now->row, key, p->x, p->key_cache.stride[3], p->key_cache.stride[4], now->size);
    for (int64_t h = 0; h < now->heads; ++h) {
      scores[h][i] = kvf_dot(now->query[h], now->row, now->padded);
    }
  }
  for (int64_t h = 0; h < now->heads; ++h) {
    if (p->alibi_slopes.data != NULL) {
      const float slope =
          ((const float *)p->alibi_slopes.data)[(first_head + h) * p->alibi_slopes.stride[0]];
      for (int64_t i = 0; i < count; ++i) {
        scores[h][i] += slope * (float)(first + i - (length - 1));
      }
    }
    weigh(now, h, scores[h], count);
  }
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t *value =
        (const uint8_t *)p->value_cache.data + blocks[i] * p->value_cache.stride[0] +
        offsets[i] * p->value_cache.stride[1] + kv_head * p->value_cache.stride[2];
    load_row(now->row, value, now->size, 0, p->value_cache.stride[3], now->size);
    for (int64_t h = 0; h < now->heads; ++h) {
      kvf_add_weighted(now->sums[h], now->row, scores[h][i], now->padded);
    }
  }
}

/* What a split of a sequence attends to: positions [first, end). */
typedef struct span {
  int64_t length; /* of the sequence */
  int64_t first;
  int64_t end;
  int64_t splits; /* that the sequence has; the result of an only one goes to out at once */
} span;

static span find_span(const kvf_paged_attention_decode_params *p, int64_t sequence, int64_t split) {
  const int64_t length = ((const int32_t *)p->seq_lens.data)[sequence * p->seq_lens.stride[0]];
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

static float head_scale(const kvf_view *scales, int64_t kv_head) {
  return ((const float *)scales->data)[kv_head * scales->stride[0]];
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
  load_query(now, p, sequence, first_head, p->scale * head_scale(&p->k_scale, kv_head));
  for (int64_t first = positions.first; first < positions.end; first += TILE) {
    const int64_t count = positions.end - first < TILE ? positions.end - first : TILE;
    attend(now, p, sequence, kv_head, first_head, first, count, positions.length);
  }
  if (positions.splits == 1) {
    store(now, p, sequence, first_head, head_scale(&p->v_scale, kv_head));
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
    store(now, p, sequence, head, head_scale(&p->v_scale, head / p->group));
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_paged_attention_decode__f16__fp8_e5m2)(const void *params,
                                                                   int64_t begin, int64_t end);

void KVF_CPU_SYMBOL(kvf_cpu_paged_attention_decode__f16__fp8_e5m2)(const void *params,
                                                                   int64_t begin, int64_t end) {
  const kvf_paged_attention_decode_params *p = params;
  progress now = {.size = p->head_size};
  now.padded = (now.size + KVF_LANES - 1) / KVF_LANES * KVF_LANES;
  for (int64_t unit = begin; unit < end; ++unit) {
    (p->combines ? combine_unit : attend_unit)(&now, p, unit);
  }
}
