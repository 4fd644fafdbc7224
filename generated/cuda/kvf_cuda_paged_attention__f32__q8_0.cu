/*
 * Generated from templates/cuda/paged_attention.cu.j2 and generator/spec/paged_attention.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/paged_attention.h"
#include "kvforge/cache/attention_tiles.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/cuda_ggml.cuh"

/* As runtime/ops/paged_attention.c launches it. */
enum { THREADS = 256, KEY_VECTOR = KVF_TOKEN_VECTOR, VALUE_VECTOR = 4 };

enum {
  WARP = 32,
  TILE = 128, /* positions */
  LANES = 8,  /* threads that share a position when scores are computed; as many as rows */
  GROUPS = THREADS / LANES,
  ROWS = KVF_ATTENTION_ROWS,
  SIZE = KVF_ATTENTION_HEAD_SIZE,
  SCORE_DEPTH = 2, /* positions whose keys a thread has in flight */
  ADD_DEPTH = 4,   /* positions whose values a thread has in flight */
  STORED_ROWS = 4, /* rows that are added up together */
  ROOM = ROWS * SIZE / STORED_ROWS,
  ASIDE = 64 * TILE,    /* positions after which what is summed up is put aside, */
  ASIDE_ELEMENTS = 4160 /* if the rows have no more of them: a block has 48 KiB */
};

/* The place of a position that is left out. */
#define NOWHERE INT64_MIN

#define LOG2_E 1.44269504f

/* What a thread block does. */
struct task {
  int64_t unit; /* that comes next */
  int64_t kv_head;
  int64_t split;
  bool counts; /* pages out of range */
  kvf_attention_tile tile;
};

/* A row of the tile, and what its scores are made of. */
struct row_of_tile {
  int64_t token;
  int64_t head;
  int32_t position;
  int32_t from; /* positions [from, to) are those that it sees */
  int32_t to;
  float slope; /* of the bias */
};

/* What the threads of a block share. */
struct __align__(16) working_set {
  float query[ROWS * SIZE];  /* scaled, in vectors; at the end partial outputs */
  float weights[TILE][ROWS]; /* scores, then weights */
  int64_t keys_at[2][TILE];  /* offsets in the caches, of two tiles in turn */
  int64_t values_at[2][TILE];
  task now;
  row_of_tile rows[ROWS];
  float largest[ROWS];         /* score so far */
  float totals[ROWS];          /* of the weights so far */
  float aside[ASIDE_ELEMENTS]; /* of each row the outputs so far, without what the threads have */
  float aside_totals[ROWS];    /* likewise */
  float aside_largest[ROWS];   /* score when they were put there */
  float factors[ROWS];         /* what the outputs so far are to be multiplied by */
};

/* What a thread has of the outputs. */
struct outputs {
  float v[ROWS][VALUE_VECTOR];
};

struct key_part {
  float v[KEY_VECTOR];
};

struct value_part {
  float v[VALUE_VECTOR];
};

/*
 * Elements as they lie in the cache. Those of several positions are fetched first and decoded then:
 * a position that is left out is a branch, and what is decoded within is waited for there.
 */
struct key_words {
  uint32_t v[2];
  uint32_t scale; /* f16 */
};

struct value_words {
  uint32_t v[1];
  uint32_t scale; /* f16 */
};

KVF_INLINE key_part decode(const key_words &words) {
  key_part decoded;
  const float scale = kvf_f32_from_f16((uint16_t)words.scale);
  const float2 pair0 = kvf_scaled_x2(kvf_f32x2_from_q8_0(words.v[0]), scale);
  const float2 pair1 = kvf_scaled_x2(kvf_f32x2_from_q8_0(words.v[0] >> 16), scale);
  const float2 pair2 = kvf_scaled_x2(kvf_f32x2_from_q8_0(words.v[1]), scale);
  const float2 pair3 = kvf_scaled_x2(kvf_f32x2_from_q8_0(words.v[1] >> 16), scale);
  decoded.v[0] = pair0.x;
  decoded.v[1] = pair0.y;
  decoded.v[2] = pair1.x;
  decoded.v[3] = pair1.y;
  decoded.v[4] = pair2.x;
  decoded.v[5] = pair2.y;
  decoded.v[6] = pair3.x;
  decoded.v[7] = pair3.y;
  return decoded;
}

KVF_INLINE value_part decode(const value_words &words) {
  value_part decoded;
  const float scale = kvf_f32_from_f16((uint16_t)words.scale);
  const float2 pair0 = kvf_scaled_x2(kvf_f32x2_from_q8_0(words.v[0]), scale);
  const float2 pair1 = kvf_scaled_x2(kvf_f32x2_from_q8_0(words.v[0] >> 16), scale);
  decoded.v[0] = pair0.x;
  decoded.v[1] = pair0.y;
  decoded.v[2] = pair1.x;
  decoded.v[3] = pair1.y;
  return decoded;
}

/* Vector `number` of a key. */
KVF_INLINE key_words fetch_key(const kvf_paged_attention_params &p, const uint8_t *key,
                               int32_t number) {
  key_words words;
#pragma unroll
  for (int32_t i = 0; i < 2; ++i) {
    words.v[i] = kvf_fetch_q8_0(key, number * KEY_VECTOR + 4 * i, p.whole_keys);
  }
  words.scale = kvf_fetch_q8_0_scale(key, number * KEY_VECTOR, p.whole_keys);
  return words;
}

/* 4 elements of a value from `first` on. */
KVF_INLINE value_words fetch_value(const kvf_paged_attention_params &p, const uint8_t *value,
                                   int32_t first) {
  const bool whole = p.whole_values == KVF_VALUES_BY_ELEMENT;
  value_words words;
  words.v[0] = kvf_fetch_q8_0(value, first, whole);
  words.scale = kvf_fetch_q8_0_scale(value, first, whole);
  return words;
}

/* Counts what is wrong with the numbers of a sequence. */
KVF_INLINE void check_sequence(const kvf_paged_attention_params &p, int64_t sequence) {
  const int64_t given = kvf_given_length(&p, sequence);
  const bool fits = kvf_length_of(&p, given) == given;
  const bool tokens =
      kvf_are_queries(&p, kvf_query_start(&p, sequence), kvf_query_start(&p, sequence + 1));
  if (!fits || !tokens) {
    atomicAdd(p.faults, (fits ? 0ULL : 1ULL) + (tokens ? 0ULL : 1ULL));
  }
}

/* One thread sets down what the block is to do. */
KVF_INLINE void begin(const kvf_paged_attention_params &p, task &t) {
  const kvf_attention_unit unit = kvf_find_unit(&p, t.unit, ROWS);
  t.kv_head = unit.kv_head;
  t.split = unit.split;
  t.tile = kvf_find_tile(&p, unit.sequence, unit.number, unit.split, ROWS);
  if (t.tile.num_tokens <= -p.few) {
    t.tile.rows = 0; /* another launch does it */
  }
  /* What a tile before the last one sees, that one does too, unless there is a window. */
  t.counts = unit.kv_head == 0 && (t.tile.last || p.window_left >= 0);
  if (p.few <= 0 && t.unit < p.num_seqs) { /* there are as many units, or more */
    check_sequence(p, t.unit);
  }
  t.unit += gridDim.x;
}

/* Counts a position whose page is out of range: the first of its page that a unit meets. */
KVF_INLINE void count_fault(const kvf_paged_attention_params &p, const task &t, int64_t position,
                            int64_t offset) {
  if (t.counts && (offset == 0 || (t.split == 0 && position == t.tile.first))) {
    atomicAdd(p.faults, 1ULL);
  }
}

/* One thread for each row sets down what it is. */
KVF_INLINE void find_rows(const kvf_paged_attention_params &p, const task &t,
                          row_of_tile (&rows)[ROWS]) {
  const int32_t number = (int32_t)threadIdx.x;
  if (number >= ROWS) {
    return;
  }
  row_of_tile row = {};
  if (number < t.tile.rows) {
    const kvf_attention_row found = kvf_find_row(&p, &t.tile, t.kv_head, number);
    row.token = found.token;
    row.head = found.head;
    row.position = (int32_t)found.position; /* lengths are int32 */
    row.from = (int32_t)kvf_seen_from(&p, found.position);
    row.to = (int32_t)kvf_seen_to(&p, found.position, t.tile.length);
    if (p.alibi_slopes.data != nullptr) {
      row.slope =
          static_cast<const float *>(p.alibi_slopes.data)[found.head * p.alibi_slopes.stride[0]] *
          LOG2_E;
    }
  }
  rows[number] = row;
}

/* What softcap and the bias make of a score. */
KVF_INLINE float adjust(const kvf_paged_attention_params &p, const row_of_tile &row,
                        int32_t position, float score) {
  if (p.softcap != 0.0f) {
    const float cap = p.softcap * LOG2_E;
    const float x = score / cap;
    score = cap * kvf_tanh(x, exp2f(-2.0f * LOG2_E * fabsf(x)));
  }
  return score + row.slope * (float)(position - row.position);
}

/* Where the positions of the tile from `first` on are. */
KVF_INLINE void locate(const kvf_paged_attention_params &p, working_set &w, int64_t first,
                       int32_t turn) {
  if (threadIdx.x >= TILE) {
    return;
  }
  const task &t = w.now;
  const int64_t position = first + threadIdx.x;
  int64_t key_at = NOWHERE;
  int64_t value_at = NOWHERE;
  if (position < t.tile.end) {
    const int64_t page = kvf_divide(position, p.by_block_size);
    const int64_t offset = position - page * p.block_size;
    const int64_t block =
        kvf_index_at(p.block_table.data, p.index_bytes,
                     t.tile.sequence * p.block_table.stride[0] + page * p.block_table.stride[1]);
    if (block >= 0 && block < p.num_blocks) {
      value_at = block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
      if (position >= t.tile.begin) {
        key_at = block * p.key_cache.stride[0] + offset * p.key_cache.stride[1];
      }
    } else {
      count_fault(p, t, position, offset);
    }
  }
  w.keys_at[turn][threadIdx.x] = key_at;
  w.values_at[turn][threadIdx.x] = value_at;
}

/* The query, times `factor`, in the order in which score() reads it: [row][half][vector][4]. */
KVF_INLINE void load_query(const kvf_paged_attention_params &p, working_set &w, float factor) {
  const task &t = w.now;
  const int32_t vectors = (p.head_size + KEY_VECTOR - 1) / KEY_VECTOR;
  for (int32_t i = (int32_t)threadIdx.x; i < vectors * KEY_VECTOR; i += THREADS) {
    const int32_t half = i / 4 % 2;
    for (int32_t row = 0; row < t.tile.rows; ++row) {
      const float *query = static_cast<const float *>(p.query.data) +
                           w.rows[row].token * p.query.stride[0] +
                           w.rows[row].head * p.query.stride[1];
      w.query[((2 * row + half) * vectors + i / KEY_VECTOR) * 4 + i % 4] =
          i < p.head_size ? kvf_f32_from_f32(query[i * p.query.stride[2]]) * factor : 0.0f;
    }
  }
}

/*
 * Adds up the scores of all rows over 8 lanes, of which each ends with that of one row: in every
 * round a lane gives away the half of the rows that it will not have.
 */
KVF_INLINE float add_up_scores(const float (&scores)[ROWS], int32_t lane) {
  float four[4];
  float two[2];
  const bool upper4 = lane & 4;
  const bool upper2 = lane & 2;
  const bool upper1 = lane & 1;
#pragma unroll
  for (int32_t i = 0; i < 4; ++i) {
    const float given = upper4 ? scores[i] : scores[i + 4];
    four[i] = (upper4 ? scores[i + 4] : scores[i]) + __shfl_xor_sync(0xFFFFFFFFu, given, 4);
  }
#pragma unroll
  for (int32_t i = 0; i < 2; ++i) {
    const float given = upper2 ? four[i] : four[i + 2];
    two[i] = (upper2 ? four[i + 2] : four[i]) + __shfl_xor_sync(0xFFFFFFFFu, given, 2);
  }
  return (upper1 ? two[1] : two[0]) + __shfl_xor_sync(0xFFFFFFFFu, upper1 ? two[0] : two[1], 1);
}

/* The scores of `count` positions. */
KVF_INLINE void score(const kvf_paged_attention_params &p, working_set &w, const uint8_t *keys,
                      int32_t count, int32_t turn) {
  const int32_t vectors = (p.head_size + KEY_VECTOR - 1) / KEY_VECTOR;
  const int32_t lane = (int32_t)threadIdx.x % LANES;
  const int32_t rows = w.now.tile.rows;
  const float4 *query = reinterpret_cast<const float4 *>(w.query);
  for (int32_t first = (int32_t)threadIdx.x / LANES; first < TILE; first += SCORE_DEPTH * GROUPS) {
    if (first / (SCORE_DEPTH * GROUPS) * (SCORE_DEPTH * GROUPS) >= count) {
      break; /* all threads at once */
    }
    float scores[SCORE_DEPTH][ROWS] = {};
    int64_t at[SCORE_DEPTH];
#pragma unroll
    for (int32_t d = 0; d < SCORE_DEPTH; ++d) {
      at[d] = w.keys_at[turn][first + d * GROUPS];
    }
#pragma unroll 1
    for (int32_t vector = lane; vector < vectors; vector += LANES) {
      key_words words[SCORE_DEPTH];
#pragma unroll
      for (int32_t d = 0; d < SCORE_DEPTH; ++d) {
        words[d] = {};
        if (at[d] != NOWHERE) {
          words[d] = fetch_key(p, keys + at[d], vector);
        }
      }
      key_part key[SCORE_DEPTH];
#pragma unroll
      for (int32_t d = 0; d < SCORE_DEPTH; ++d) {
        key[d] = decode(words[d]);
      }
#pragma unroll
      for (int32_t h = 0; h < ROWS; ++h) {
        if (h < rows) {
          const float4 a = query[2 * h * vectors + vector];
          const float4 b = query[(2 * h + 1) * vectors + vector];
#pragma unroll
          for (int32_t d = 0; d < SCORE_DEPTH; ++d) {
            const float *k = key[d].v;
            scores[d][h] += a.x * k[0] + a.y * k[1] + a.z * k[2] + a.w * k[3] + b.x * k[4] +
                            b.y * k[5] + b.z * k[6] + b.w * k[7];
          }
        }
      }
    }
#pragma unroll
    for (int32_t d = 0; d < SCORE_DEPTH; ++d) {
      w.weights[first + d * GROUPS][lane] = add_up_scores(scores[d], lane);
    }
  }
}

/* A warp turns the scores of its row into weights: of `count` positions from `first` on. */
KVF_INLINE void weigh(const kvf_paged_attention_params &p, working_set &w, int32_t first,
                      int32_t count, int32_t turn) {
  const int32_t number = (int32_t)threadIdx.x / WARP;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  if (number >= w.now.tile.rows) {
    return;
  }
  const row_of_tile &row = w.rows[number];
  const float before = w.largest[number];
  float scores[TILE / WARP];
  float largest = before;
#pragma unroll
  for (int32_t i = 0; i < TILE / WARP; ++i) {
    const int32_t at = i * WARP + lane;
    const int32_t position = first + at;
    const bool seen =
        at < count && position >= row.from && position < row.to && w.keys_at[turn][at] != NOWHERE;
    scores[i] = seen ? adjust(p, row, position, w.weights[at][number]) : KVF_NO_SCORE;
    largest = fmaxf(largest, scores[i]);
  }
#pragma unroll
  for (int32_t distance = WARP / 2; distance > 0; distance /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
  }
  const float base = kvf_score_base(largest);
  float sum = 0.0f;
#pragma unroll
  for (int32_t i = 0; i < TILE / WARP; ++i) {
    const float weight = exp2f(scores[i] - base);
    w.weights[i * WARP + lane][number] = weight;
    sum += weight;
  }
#pragma unroll
  for (int32_t distance = WARP / 2; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(0xFFFFFFFFu, sum, distance);
  }
  __syncwarp(); /* all lanes have read `before` */
  if (lane == 0) {
    const float factor = exp2f(before - base);
    w.largest[number] = largest;
    w.factors[number] = factor;
    w.totals[number] = w.totals[number] * factor + sum;
  }
}

/* Adds weighted values, 4 elements of each position. Of `subsets` threads each takes its share. */
KVF_INLINE void add_elements(const kvf_paged_attention_params &p, const working_set &w,
                             const uint8_t *values, int32_t element, int32_t subset,
                             int32_t subsets, int32_t count, int32_t turn, outputs &sums) {
  const int32_t rows = w.now.tile.rows;
#pragma unroll 1
  for (int32_t first = subset; first < count; first += ADD_DEPTH * subsets) {
    value_words words[ADD_DEPTH];
#pragma unroll
    for (int32_t d = 0; d < ADD_DEPTH; ++d) {
      const int32_t position = first + d * subsets;
      const int64_t at = position < count ? w.values_at[turn][position] : NOWHERE;
      words[d] = {};
      if (at != NOWHERE) {
        words[d] = fetch_value(p, values + at, element);
      }
    }
#pragma unroll
    for (int32_t d = 0; d < ADD_DEPTH; ++d) {
      const value_part value = decode(words[d]);
      const int32_t position = min(first + d * subsets, TILE - 1); /* beyond `count` values are 0 */
#pragma unroll
      for (int32_t h = 0; h < ROWS; ++h) {
        if (h < rows) {
          const float weight = w.weights[position][h];
#pragma unroll
          for (int32_t i = 0; i < VALUE_VECTOR; ++i) {
            sums.v[h][i] += weight * value.v[i];
          }
        }
      }
    }
  }
}

KVF_INLINE void put_result(const kvf_paged_attention_params &p, int64_t token, int64_t head,
                           int32_t element, float result) {
  const int64_t at = token * p.out.stride[0] + head * p.out.stride[1] + element * p.out.stride[2];
  static_cast<float *>(p.out.data)[at] = kvf_f32_result(result);
}

/* A row of the tensor `workspace`: what a split of a row comes to. */
KVF_INLINE float *split_row(const kvf_paged_attention_params &p, const kvf_attention_tile &tile,
                            int64_t token, int64_t head, int64_t split) {
  const int64_t *stride = p.workspace.stride;
  if (p.split_tokens > p.num_tokens) { /* it has room for so many of each sequence */
    token += tile.sequence * p.few - tile.first_token;
  }
  return static_cast<float *>(p.workspace.data) + token * stride[0] + head * stride[1] +
         split * stride[2];
}

/* What the workspace has of a split of a row beside its sums. */
KVF_INLINE void put_split(const kvf_paged_attention_params &p, const kvf_attention_tile &tile,
                          const row_of_tile &row, int64_t split, float largest, float total) {
  float *to =
      split_row(p, tile, row.token, row.head, split) + p.value_head_size * p.workspace.stride[3];
  to[KVF_SPLIT_LARGEST * p.workspace.stride[3]] = largest;
  to[KVF_SPLIT_TOTAL * p.workspace.stride[3]] = total;
}

/* The end of a row that is whole, and its lse. */
KVF_INLINE kvf_row_end end_row(const kvf_paged_attention_params &p, int64_t head, float largest,
                               float total) {
  float sink = KVF_NO_SCORE;
  if (p.sinks.data != nullptr) {
    sink = LOG2_E * static_cast<const float *>(p.sinks.data)[head * p.sinks.stride[0]];
  }
  kvf_row_end end;
  end.base = kvf_score_base(fmaxf(largest, sink));
  end.factor = exp2f(largest - end.base);
  end.total = total * end.factor + exp2f(sink - end.base);
  return end;
}

KVF_INLINE void put_lse(const kvf_paged_attention_params &p, int64_t token, int64_t head,
                        const kvf_row_end &end) {
  if (p.lse.data != nullptr) {
    static_cast<float *>(p.lse.data)[head * p.lse.stride[0] + token * p.lse.stride[1]] =
        (end.base + log2f(end.total)) * 0.693147182f;
  }
}

/*
 * Adds what the threads have to what is put aside, or puts it there the `first` time; they begin
 * anew. So no number is added to a sum that is very much larger.
 */
KVF_INLINE void put_aside(const kvf_paged_attention_params &p, working_set &w, int32_t element,
                          int32_t elements, int32_t subset, int32_t subsets, bool first,
                          outputs &sums) {
  const int32_t rows = w.now.tile.rows;
  for (int32_t s = 0; s < subsets; ++s) {
    if (subset == s) {
#pragma unroll
      for (int32_t h = 0; h < ROWS; ++h) {
        const float factor =
            h < rows ? exp2f(w.aside_largest[h] - kvf_score_base(w.largest[h])) : 0.0f;
#pragma unroll
        for (int32_t i = 0; i < VALUE_VECTOR; ++i) {
          if (h < rows && i < elements && element + i < p.value_head_size) {
            float &to = w.aside[h * p.value_head_size + element + i];
            to = (s > 0 ? to : first ? 0.0f : to * factor) + sums.v[h][i];
          }
        }
      }
    }
    __syncthreads();
  }
  const int32_t number = (int32_t)threadIdx.x;
  if (number < rows) {
    const float before = first ? 0.0f
                               : w.aside_totals[number] * exp2f(w.aside_largest[number] -
                                                                kvf_score_base(w.largest[number]));
    w.aside_totals[number] = before + w.totals[number];
    w.totals[number] = 0.0f;
    w.aside_largest[number] = w.largest[number];
  }
  sums = {};
}

/* Adds up what the threads have, a few rows at a time, and stores it. */
KVF_INLINE void store(const kvf_paged_attention_params &p, working_set &w, int32_t element,
                      int32_t elements, int32_t subset, int32_t subsets, float scale, bool aside,
                      const outputs &sums) {
  const task &t = w.now;
  const bool whole = t.tile.splits == 1;
  if (aside && (int32_t)threadIdx.x < t.tile.rows) {
    const int32_t number = (int32_t)threadIdx.x;
    w.totals[number] +=
        w.aside_totals[number] * exp2f(w.aside_largest[number] - kvf_score_base(w.largest[number]));
  }
#pragma unroll
  for (int32_t first = 0; first < ROWS; first += STORED_ROWS) {
    if (first >= t.tile.rows) {
      break;
    }
    __syncthreads();
    if (subset < subsets) {
#pragma unroll
      for (int32_t i = 0; i < VALUE_VECTOR; ++i) {
        const int32_t at = element + i;
#pragma unroll
        for (int32_t h = 0; h < STORED_ROWS; ++h) {
          if (i < elements && at < p.value_head_size) {
            w.query[h * ROOM + subset * p.value_head_size + at] = sums.v[first + h][i];
          }
        }
      }
    }
    __syncthreads();
    const int32_t rows = min(t.tile.rows - first, (int32_t)STORED_ROWS);
    for (int32_t i = (int32_t)threadIdx.x; i < rows * p.value_head_size; i += THREADS) {
      const int32_t h = i / p.value_head_size;
      const int32_t at = i - h * p.value_head_size;
      const row_of_tile &row = w.rows[first + h];
      float sum = 0.0f;
      if (aside) {
        const float factor =
            exp2f(w.aside_largest[first + h] - kvf_score_base(w.largest[first + h]));
        sum = w.aside[(first + h) * p.value_head_size + at] * factor;
      }
      for (int32_t s = 0; s < subsets; ++s) {
        sum += w.query[h * ROOM + s * p.value_head_size + at];
      }
      if (whole) {
        const kvf_row_end end = end_row(p, row.head, w.largest[first + h], w.totals[first + h]);
        put_result(p, row.token, row.head, at, kvf_attention_result(sum, scale, end));
      } else {
        split_row(p, t.tile, row.token, row.head, t.split)[at * p.workspace.stride[3]] = sum;
      }
    }
  }
  if ((int32_t)threadIdx.x >= t.tile.rows) {
    return;
  }
  const row_of_tile &row = w.rows[threadIdx.x];
  const float largest = w.largest[threadIdx.x];
  const float total = w.totals[threadIdx.x];
  if (whole) {
    put_lse(p, row.token, row.head, end_row(p, row.head, largest, total));
  } else {
    put_split(p, t.tile, row, t.split, largest, total);
  }
}

/* One unit of work. */
KVF_INLINE void attend(const kvf_paged_attention_params &p, working_set &w) {
  const task &t = w.now;
  const bool by_token = false;
  /* Threads that have the same elements and take different positions are subsets. */
  const int32_t columns =
      by_token ? p.value_head_size : (p.value_head_size + VALUE_VECTOR - 1) / VALUE_VECTOR;
  const int32_t subsets = THREADS / columns;
  const int32_t subset = (int32_t)threadIdx.x / columns;
  const int32_t elements = by_token ? 1 : VALUE_VECTOR; /* of a thread */
  const int32_t element = ((int32_t)threadIdx.x - subset * columns) * elements;
  const uint8_t *keys =
      static_cast<const uint8_t *>(p.key_cache.data) + t.kv_head * p.key_cache.stride[2];
  const float k_scale = 1.0f;
  const uint8_t *values =
      static_cast<const uint8_t *>(p.value_cache.data) + t.kv_head * p.value_cache.stride[2];
  const float v_scale = 1.0f;
  outputs sums = {};
  find_rows(p, t, w.rows);
  __syncthreads();
  load_query(p, w, p.scale * k_scale * LOG2_E);
  if (threadIdx.x < ROWS) {
    w.largest[threadIdx.x] = KVF_NO_SCORE;
    w.totals[threadIdx.x] = 0.0f;
  }
  locate(p, w, t.tile.first, 0);
  __syncthreads();
  int32_t turn = 0;
  const bool fits = t.tile.rows * p.value_head_size <= ASIDE_ELEMENTS;
  int64_t limit = fits ? t.tile.first + ASIDE : INT64_MAX;
  bool aside = false;
#pragma unroll 1
  for (int64_t first = t.tile.first; first < t.tile.end; first += TILE) {
    if (first == limit) {
      put_aside(p, w, element, elements, subset, subsets, !aside, sums);
      limit += ASIDE;
      aside = true;
    }
    const int32_t count = t.tile.end - first < TILE ? (int32_t)(t.tile.end - first) : (int32_t)TILE;
    score(p, w, keys, count, turn);
    __syncthreads();
    weigh(p, w, (int32_t)first, count, turn);
    locate(p, w, first + TILE, turn ^ 1);
    __syncthreads();
#pragma unroll
    for (int32_t h = 0; h < ROWS; ++h) {
      const float factor = h < t.tile.rows ? w.factors[h] : 0.0f;
#pragma unroll
      for (int32_t i = 0; i < VALUE_VECTOR; ++i) {
        sums.v[h][i] *= factor;
      }
    }
    if (subset < subsets) {
      add_elements(p, w, values, element, subset, subsets, count, turn, sums);
    }
    turn ^= 1;
    __syncthreads();
  }
  store(p, w, element, elements, subset, subsets, v_scale, aside, sums);
}

/* Adds up the splits of a row, brought to the same base: token `number` of all, or of the
 * few that each sequence may have. */
KVF_INLINE void combine(const kvf_paged_attention_params &p, int64_t number, int64_t head) {
  const int64_t kv_head = head / p.group;
  const int64_t sequence = p.few > 0 ? number / p.few : kvf_sequence_of_token(&p, number);
  const int64_t start = kvf_query_start(&p, sequence);
  const int64_t within = p.few > 0 ? number - sequence * p.few : number - start;
  if (within < 0) {
    return;
  }
  const int64_t token = start + within;
  const int64_t row = within * p.group + head - kv_head * p.group;
  const kvf_attention_tile tile = kvf_find_tile(&p, sequence, row / ROWS, 0, ROWS);
  const int64_t splits = tile.splits;
  if (within >= tile.num_tokens || tile.num_tokens <= -p.few || splits == 1) {
    return;
  }
  const int64_t stride = p.workspace.stride[2];
  const float *sums = split_row(p, tile, token, head, 0);
  const float *scores = sums + (p.value_head_size + KVF_SPLIT_LARGEST) * p.workspace.stride[3];
  const float *totals = sums + (p.value_head_size + KVF_SPLIT_TOTAL) * p.workspace.stride[3];
  float largest = KVF_NO_SCORE;
#pragma unroll 8
  for (int64_t split = 0; split < splits; ++split) {
    largest = fmaxf(largest, scores[split * stride]);
  }
  const float base = kvf_score_base(largest);
  const float v_scale = 1.0f;
  for (int32_t i = (int32_t)threadIdx.x; i < p.value_head_size; i += THREADS) {
    float sum = 0.0f;
    float total = 0.0f;
#pragma unroll 8
    for (int64_t split = 0; split < splits; ++split) {
      const float factor = exp2f(scores[split * stride] - base);
      sum += factor * sums[split * stride + i * p.workspace.stride[3]];
      total += factor * totals[split * stride];
    }
    const kvf_row_end end = end_row(p, head, largest, total);
    if (i == 0) {
      put_lse(p, token, head, end);
    }
    put_result(p, token, head, i, kvf_attention_result(sum, v_scale, end));
  }
}

/*
 * Grid: x units, as kvforge/cache/attention_tiles.h counts them. When splits are combined: tokens,
 * of each the query heads.
 */
extern "C" __global__ void __launch_bounds__(THREADS)
    kvf_cuda_paged_attention__f32__q8_0(const __grid_constant__ kvf_paged_attention_params p) {
  kvf_begin_kernel();
  __shared__ working_set w;
  if (p.combines) {
    const int64_t tokens = p.few > 0 ? p.num_seqs * p.few : p.split_tokens;
    for (int64_t unit = blockIdx.x; unit < tokens * p.num_q_heads; unit += gridDim.x) {
      combine(p, unit / p.num_q_heads, unit % p.num_q_heads);
    }
    return;
  }
  if (threadIdx.x == 0) {
    w.now.unit = blockIdx.x;
  }
  bool more = true;
  while (more) {
    if (threadIdx.x == 0) {
      begin(p, w.now);
    }
    __syncthreads();
    if (w.now.tile.rows > 0 && w.now.split < w.now.tile.splits) {
      attend(p, w);
    }
    more = w.now.unit < p.num_units;
    __syncthreads();
  }
}
