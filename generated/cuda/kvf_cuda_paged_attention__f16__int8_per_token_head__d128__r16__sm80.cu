/*
 * Generated from templates/cuda/paged_attention.cu.j2 and generator/spec/paged_attention.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/paged_attention.h"
#include "kvforge/cache/attention_tiles.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cuda_memory.cuh"
#include "kvforge/cuda_mma.cuh"

/* As runtime/ops/paged_attention.c launches it. */
enum { THREADS = KVF_ATTENTION_TILE_THREADS, ROWS = 16 };

enum {
  WARP = 32,
  WARPS = THREADS / WARP,
  STEP = 16, /* positions that a warp does at a time */
  /* Positions whose pages are found together. */
  CHUNK = 2 * STEP,
  STEPS = CHUNK / STEP,
  SIZE = 128,
  KEY_VECTOR = 16,                     /* elements */
  KEY_LOADS = SIZE / (4 * KEY_VECTOR), /* of a lane and a position; 4 lanes share it */
  VALUE_VECTOR = 16,
  PARTS = SIZE / (8 * VALUE_VECTOR), /* loads of a lane and a position; 8 lanes share it */
  KEY_PART = KEY_LOADS / PARTS,
  VALUE_WORDS = 4,
  QUERY_ROW = SIZE / 2 + 4, /* words; likewise 8 lanes */
  SUMS_ROW = SIZE + 8,
  ASIDE = 128 * WARPS * CHUNK, /* positions after which what is summed up is put aside */
  HALVES = 2,                  /* rows of a lane's scores */
  SUMS = HALVES * SIZE / 16,   /* products whose sums a lane has */
  COLUMNS = 4                  /* scores of a lane and row */
};

/* Blocks of a multiprocessor that the registers are shared out for: as many as need no spills. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
enum { BLOCKS = 2 };
#else
enum { BLOCKS = 2 };
#endif

#define ALL_LANES 0xFFFFFFFFu
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

/* The head of a position that is left out. */
static __device__ const uint4 nothing[SIZE * 1 / 16] = {};

/* Where the head of a position is. */
struct place {
  const int8_t *key;
  const int8_t *value;
};

/* How a warp goes from chunk to chunk. */
struct walk {
  place heads;    /* the KV head in the first page */
  int64_t table;  /* the sequence's, in block_table */
  uint32_t pages; /* that the chunks of all warps are, and positions that are left of them */
  uint32_t positions;
  uint32_t page_size; /* positions */
};

/* What the threads of a block share. */
struct __align__(16) working_set {
  uint32_t query[ROWS][QUERY_ROW];   /* two elements in a word; rows that there are not are 0 */
  float sums[WARPS][ROWS][SUMS_ROW]; /* at the end: by column of the product */
  float largest[WARPS][ROWS];        /* score */
  float totals[WARPS][ROWS];         /* of the weights */
  row_of_tile rows[ROWS];
  kvf_row_end ends[ROWS];
  float factors[ROWS];            /* what the scores of a row are to be multiplied by */
  place places[WARPS][2][CHUNK];  /* of two chunks in turn */
  float2 scales[WARPS][2][CHUNK]; /* of keys and values */
  walk by;
  task now;
};

/*
 * A lane's share of a part of the keys of a step: with g its number div 4 those of positions g and
 * g + 8. Keys and values are fetched and used in parts, so that as many registers as one of both
 * has are enough.
 */
struct key_words {
  uint32_t v[2][KEY_PART][4];
};

/* Of the values: with t its number mod 4 those of positions 2t, 2t + 1, 2t + 8 and 2t + 9. */
struct value_words {
  uint32_t v[4][VALUE_WORDS];
};

/* What a lane has so far, of the rows g and g + 8 of the tile. */
struct progress {
  float sums[SUMS][4]; /* as the matrix product has them */
  float largest[HALVES];
  float totals[HALVES]; /* of the weights of its own columns */
};

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

KVF_INLINE void put_result(const kvf_paged_attention_params &p, int64_t token, int64_t head,
                           int32_t element, float result) {
  const int64_t at = token * p.out.stride[0] + head * p.out.stride[1] + element * p.out.stride[2];
  if (p.out_bytes == 4) {
    static_cast<float *>(p.out.data)[at] = kvf_f32_result(result);
    return;
  }
  static_cast<uint16_t *>(p.out.data)[at] = kvf_f16_result(result);
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
    sink = LOG2_E * (p.sink_bytes == 4
                         ? static_cast<const float *>(p.sinks.data)[head * p.sinks.stride[0]]
                         : kvf_f32_from_f16(static_cast<const uint16_t *>(
                               p.sinks.data)[head * p.sinks.stride[0]]));
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

KVF_INLINE const uint16_t *query_of(const kvf_paged_attention_params &p, const row_of_tile &row) {
  return static_cast<const uint16_t *>(p.query.data) + row.token * p.query.stride[0] +
         row.head * p.query.stride[1];
}

/* Where a word of the query is in its row. */
KVF_INLINE int32_t in_banks(int32_t word) { return word; }

KVF_INLINE void load_query(const kvf_paged_attention_params &p, working_set &w, float factor) {
  const uint32_t thread = threadIdx.x;
  const task &t = w.now;
  const int32_t lane = (int32_t)thread % WARP;
#pragma unroll
  for (int32_t row = (int32_t)thread / WARP; row < ROWS; row += WARPS) {
    const uint16_t *from = query_of(p, w.rows[row]);
#pragma unroll
    for (int32_t i = 0; i < SIZE / 2 / WARP; ++i) {
      const int64_t at = 2 * (i * WARP + lane) * p.query.stride[2];
      w.query[row][in_banks(i * WARP + lane)] =
          row < t.tile.rows ? (uint32_t)from[at] | (uint32_t)from[at + p.query.stride[2]] << 16 : 0;
    }
  }
  if (thread < ROWS) {
    w.factors[thread] = factor;
  }
}

/* How far a position is into its page, of the sequence. */
KVF_INLINE uint32_t offset_in(const kvf_paged_attention_params &p, uint32_t position,
                              uint32_t page) {
  return position - page * (uint32_t)p.block_size;
}

/* The page of the position that is the lane's in the warp's next chunk. */
KVF_INLINE uint32_t next_page(const kvf_paged_attention_params &p, const working_set &w,
                              uint32_t position, uint32_t page) {
  const uint32_t offset = offset_in(p, position, page) + w.by.positions;
  return page + w.by.pages + (offset >= w.by.page_size ? 1 : 0);
}

/* Asks for the block of a position, for a place that is wanted later: in the lower half, whatever
 * its sign, if the numbers have 4 bytes, so that nothing waits for it here. */
KVF_INLINE int64_t ask(const kvf_paged_attention_params &p, const working_set &w, uint32_t position,
                       uint32_t page) {
  if (position >= (uint32_t)w.now.tile.end) {
    return 0;
  }
  const int64_t at = w.by.table + page * p.block_table.stride[1];
  return p.index_bytes == 8 ? kvf_index_at(p.block_table.data, 8, at)
                            : (uint32_t)kvf_index_at(p.block_table.data, 4, at);
}

KVF_INLINE int64_t answer(const kvf_paged_attention_params &p, int64_t asked) {
  return p.index_bytes == 8 ? asked : (int32_t)asked;
}

KVF_INLINE place find_place(const kvf_paged_attention_params &p, const working_set &w,
                            uint32_t position, uint32_t page, int64_t asked) {
  place found = {reinterpret_cast<const int8_t *>(nothing),
                 reinterpret_cast<const int8_t *>(nothing)};
  const task &t = w.now;
  const uint32_t offset = offset_in(p, position, page);
  const int64_t block = answer(p, asked);
  const bool seen = position < (uint32_t)t.tile.end;
  if (seen) {
    if (block >= 0 && block < p.num_blocks) {
      found.key = w.by.heads.key + block * p.key_cache.stride[0] + offset * p.key_cache.stride[1];
      found.value =
          w.by.heads.value + block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    } else {
      count_fault(p, t, position, offset);
    }
  }
  return found;
}

KVF_INLINE bool is_there(const place &at) {
  return at.key != reinterpret_cast<const int8_t *>(nothing);
}

/* Scales of the head of a position that is there. */
KVF_INLINE float2 find_scales(const kvf_paged_attention_params &p, const task &t, uint32_t offset,
                              int64_t asked) {
  const int64_t block = answer(p, asked);
  return make_float2(
      static_cast<const float *>(
          p.k_scale.data)[block * p.k_scale.stride[0] + offset * p.k_scale.stride[1] +
                          t.kv_head * p.k_scale.stride[2]],
      static_cast<const float *>(
          p.v_scale.data)[block * p.v_scale.stride[0] + offset * p.v_scale.stride[1] +
                          t.kv_head * p.v_scale.stride[2]]);
}

/* The position of a step that is the lane's i-th. */
KVF_INLINE int32_t column_of(int32_t lane, int32_t i) { return 2 * (lane % 4) + i % 2 + i / 2 * 8; }

KVF_INLINE key_words fetch_keys(const place *places, int32_t lane, int32_t part) {
  key_words words;
#pragma unroll
  for (int32_t i = 0; i < 2; ++i) {
    const int8_t *key = places[8 * i + lane / 4].key;
#pragma unroll
    for (int32_t load = 0; load < KEY_PART; ++load) {
      const uint4 four = kvf_read_once(reinterpret_cast<const uint4 *>(
          key + (4 * (part * KEY_PART + load) + lane % 4) * KEY_VECTOR));
      words.v[i][load][0] = four.x;
      words.v[i][load][1] = four.y;
      words.v[i][load][2] = four.z;
      words.v[i][load][3] = four.w;
    }
  }
  return words;
}

KVF_INLINE value_words fetch_values(const place *places, int32_t lane, int32_t part) {
  value_words words;
#pragma unroll
  for (int32_t i = 0; i < 4; ++i) {
    const int8_t *value = places[column_of(lane, i)].value;
    const uint4 loaded = kvf_read_once(
        reinterpret_cast<const uint4 *>(value + (8 * part + lane / 4) * VALUE_VECTOR));
    words.v[i][0] = loaded.x;
    words.v[i][1] = loaded.y;
    words.v[i][2] = loaded.z;
    words.v[i][3] = loaded.w;
  }
  return words;
}

/* Adds the query by a part of the keys: scores[i] is the product of the positions 8 i and on. */
KVF_INLINE void score(const working_set &w, const key_words &keys, int32_t lane, int32_t part,
                      float (&scores)[COLUMNS / 2 * (16 / ROWS)][4]) {
#pragma unroll
  for (int32_t load = 0; load < KEY_PART; ++load) {
#pragma unroll
    for (int32_t eight = 0; eight < KEY_VECTOR / 8; ++eight) {
      const int32_t word = ((4 * (part * KEY_PART + load) + lane % 4) * KEY_VECTOR + 8 * eight) / 2;
      const uint4 upper = *reinterpret_cast<const uint4 *>(&w.query[lane / 4][in_banks(word)]);
      const uint4 lower = *reinterpret_cast<const uint4 *>(&w.query[lane / 4 + 8][in_banks(word)]);
      const uint32_t near[4] = {upper.x, lower.x, upper.y, lower.y};
      const uint32_t far[4] = {upper.z, lower.z, upper.w, lower.w};
#pragma unroll
      for (int32_t i = 0; i < 2; ++i) {
        const uint32_t *key = keys.v[i][load];
        const uint32_t first_half[2] = {kvf_f16x2_from_int8(key[2 * eight]),
                                        kvf_f16x2_from_int8(key[2 * eight] >> 16)};
        const uint32_t second_half[2] = {kvf_f16x2_from_int8(key[2 * eight + 1]),
                                         kvf_f16x2_from_int8(key[2 * eight + 1] >> 16)};
        kvf_mma_f16(scores[i], near, first_half);
        kvf_mma_f16(scores[i], far, second_half);
      }
    }
  }
}

/*
 * Turns the scores of a lane into weights, by row, and brings what was summed so far to the same
 * base. `first` is the first position of the step; unless `plain` some are not there, some rows do
 * not see some, or scores want more than their factor.
 */
KVF_INLINE void weigh(const kvf_paged_attention_params &p, const working_set &w,
                      const place *places, const float2 *scales,
                      const float (&scores)[COLUMNS / 2 * (16 / ROWS)][4], int32_t first,
                      int32_t lane, bool plain, progress &now, float (&weights)[HALVES][COLUMNS]) {
  const int32_t mine = lane / 4; /* the first of its rows */
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    const float factor = w.factors[mine + 8 * row];
#pragma unroll
    for (int32_t i = 0; i < COLUMNS; ++i) {
      weights[row][i] = scores[i / 2][2 * row + i % 2] * factor * scales[column_of(lane, i)].x;
    }
  }
  if (!plain) {
#pragma unroll
    for (int32_t row = 0; row < HALVES; ++row) {
      const row_of_tile &own = w.rows[mine + 8 * row];
#pragma unroll
      for (int32_t i = 0; i < COLUMNS; ++i) {
        const int32_t position = first + column_of(lane, i);
        const float score = adjust(p, own, position, weights[row][i]);
        const bool seen =
            position >= own.from && position < own.to && is_there(places[column_of(lane, i)]);
        weights[row][i] = seen ? score : KVF_NO_SCORE;
      }
    }
  }
  float factors[HALVES];
  bool moved = false;
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    float largest = now.largest[row];
#pragma unroll
    for (int32_t i = 0; i < COLUMNS; ++i) {
      largest = fmaxf(largest, weights[row][i]);
    }
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, 2));
    const float base = kvf_score_base(largest);
    factors[row] = kvf_quick_exp2(now.largest[row] - base);
    moved |= largest != now.largest[row];
    now.largest[row] = largest;
    now.totals[row] *= factors[row];
#pragma unroll
    for (int32_t i = 0; i < COLUMNS; ++i) {
      weights[row][i] = kvf_quick_exp2(weights[row][i] - base);
      now.totals[row] += weights[row][i];
      weights[row][i] *= scales[column_of(lane, i)].y;
    }
  }
  if (__any_sync(ALL_LANES, moved)) {
    const float by[2] = {factors[0], factors[1]};
#pragma unroll
    for (int32_t column = 0; column < SUMS; ++column) {
#pragma unroll
      for (int32_t i = 0; i < 4; ++i) {
        now.sums[column][i] *= by[i / 2];
      }
    }
  }
}

/* Weights as the matrix product takes them, rounded, and what is left of them. */
struct weight_words {
  uint32_t rounded[2 * HALVES];
  uint32_t rest[2 * HALVES];
};

/* Those of 16 positions, from a lane's `first` on. */
KVF_INLINE weight_words pack(const float (&weights)[HALVES][COLUMNS], int32_t first) {
  weight_words words;
#pragma unroll
  for (int32_t i = 0; i < 2 * HALVES; ++i) {
    const float *two = &weights[i % HALVES][first + i / HALVES * 2];
    words.rounded[i] = kvf_bf16x2_result(make_float2(two[0], two[1]));
    const float2 taken = kvf_f32x2_from_bf16(words.rounded[i]);
    words.rest[i] = kvf_bf16x2_result(make_float2(two[0] - taken.x, two[1] - taken.y));
  }
  return words;
}

/* The same eight elements of a load of two positions, as the matrix product takes them. */
KVF_INLINE void value_pairs(const uint32_t (&first)[VALUE_WORDS],
                            const uint32_t (&second)[VALUE_WORDS], int32_t number,
                            uint32_t (&pairs)[8]) {
#pragma unroll
  for (int32_t i = 0; i < 8; ++i) {
    const int32_t element = 8 * number + i;
    pairs[i] = kvf_bf16x2_from_int8(
        __byte_perm(first[element / 4], second[element / 4], 0x40 + 0x11 * (element % 4)));
  }
}

/* Adds the weights by a part of the values. */
KVF_INLINE void add(const weight_words &weights, const value_words &values, int32_t part,
                    progress &now) {
#pragma unroll
  for (int32_t number = 0; number < VALUE_VECTOR / 8; ++number) {
    uint32_t near[8];
    uint32_t far[8];
    value_pairs(values.v[0], values.v[1], number, near);
    value_pairs(values.v[2], values.v[3], number, far);
#pragma unroll
    for (int32_t i = 0; i < 8; ++i) {
      const uint32_t pairs[2] = {near[i], far[i]};
      float (&sums)[4] = now.sums[part * VALUE_VECTOR + 8 * number + i];
      kvf_mma_bf16(sums, weights.rounded, pairs);
      kvf_mma_bf16(sums, weights.rest, pairs);
    }
  }
}

/* The column of the product that an element of the output is. */
KVF_INLINE int32_t column_of_element(int32_t element) {
  const int32_t load = element / (8 * VALUE_VECTOR);
  const int32_t within = element % (8 * VALUE_VECTOR);
  return (load * VALUE_VECTOR + within % VALUE_VECTOR) * 8 + within / VALUE_VECTOR;
}

/*
 * What a lane has so far is put aside now and then, where the sums of its warp lie at the end: so
 * no product is added to a sum that is very much larger, of which the tensor cores cut off, always
 * in the same direction, what has no room.
 */
KVF_INLINE float *aside_of(working_set &w) {
  static_assert(ROWS * SUMS_ROW >= WARP * (4 * SUMS + 2 * HALVES), "the room of a warp");
  const uint32_t thread = kvf_thread_anew();
  return &w.sums[thread / WARP][0][0] + thread % WARP;
}

/* Adds what is put aside. */
KVF_INLINE void take_back(working_set &w, progress &now) {
  const float *aside = aside_of(w);
  float factors[HALVES];
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    factors[row] =
        kvf_quick_exp2(aside[WARP * (4 * SUMS + row)] - kvf_score_base(now.largest[row]));
    now.totals[row] += aside[WARP * (4 * SUMS + HALVES + row)] * factors[row];
  }
#pragma unroll
  for (int32_t i = 0; i < 4 * SUMS; ++i) {
    now.sums[i / 4][i % 4] += aside[WARP * i] * factors[i % 4 / 2];
  }
}

/* Puts aside what there is, with what is `there` already. */
KVF_INLINE void put_aside(working_set &w, bool there, progress &now) {
  if (there) {
    take_back(w, now);
  }
  float *aside = aside_of(w);
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    aside[WARP * (4 * SUMS + row)] = now.largest[row];
    aside[WARP * (4 * SUMS + HALVES + row)] = now.totals[row];
    now.totals[row] = 0.0f;
  }
#pragma unroll
  for (int32_t i = 0; i < 4 * SUMS; ++i) {
    aside[WARP * i] = now.sums[i / 4][i % 4];
    now.sums[i / 4][i % 4] = 0.0f;
  }
}

/* Adds up what the warps have and stores it. */
KVF_INLINE void store(const kvf_paged_attention_params &p, working_set &w, progress &now,
                      float scale) {
  const task &t = w.now;
  const int32_t lane = (int32_t)kvf_thread_anew() % WARP;
  const int32_t warp = (int32_t)kvf_thread_anew() / WARP;
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    float total = now.totals[row];
    total += __shfl_xor_sync(ALL_LANES, total, 1);
    total += __shfl_xor_sync(ALL_LANES, total, 2);
    if (lane % 4 == 0) {
      w.largest[warp][lane / 4 + 8 * row] = now.largest[row];
      w.totals[warp][lane / 4 + 8 * row] = total;
    }
  }
  __syncthreads();
#pragma unroll
  for (int32_t i = 0; i < 2; ++i) {
    const int32_t row = lane / 4 + 8 * i;
    float largest = KVF_NO_SCORE;
#pragma unroll
    for (int32_t other = 0; other < WARPS; ++other) {
      largest = fmaxf(largest, w.largest[other][row]);
    }
    const float factor = kvf_quick_exp2(w.largest[warp][row] - kvf_score_base(largest));
#pragma unroll
    for (int32_t column = 0; column < SUMS; ++column) {
      *reinterpret_cast<float2 *>(&w.sums[warp][row][8 * column + 2 * (lane % 4)]) =
          make_float2(now.sums[column][2 * i] * factor, now.sums[column][2 * i + 1] * factor);
    }
  }
  __syncthreads();
  const bool whole = t.tile.splits == 1;
  if (const int32_t number = (int32_t)kvf_thread_anew(); number < t.tile.rows) {
    const row_of_tile &row = w.rows[number];
    float largest = KVF_NO_SCORE;
    float total = 0.0f;
#pragma unroll
    for (int32_t i = 0; i < WARPS; ++i) {
      largest = fmaxf(largest, w.largest[i][number]);
    }
#pragma unroll
    for (int32_t i = 0; i < WARPS; ++i) {
      total += w.totals[i][number] * kvf_quick_exp2(w.largest[i][number] - kvf_score_base(largest));
    }
    if (whole) {
      w.ends[number] = end_row(p, row.head, largest, total);
      put_lse(p, row.token, row.head, w.ends[number]);
    } else {
      put_split(p, t.tile, row, t.split, largest, total);
    }
  }
  __syncthreads();
#pragma unroll 1
  for (int32_t i = (int32_t)kvf_thread_anew(); i < t.tile.rows * SIZE; i += THREADS) {
    const int32_t number = i / SIZE;
    const int32_t element = i % SIZE;
    const row_of_tile &row = w.rows[number];
    float sum = 0.0f;
#pragma unroll
    for (int32_t from = 0; from < WARPS; ++from) {
      sum += w.sums[from][number][column_of_element(element)];
    }
    if (whole) {
      put_result(p, row.token, row.head, element, kvf_attention_result(sum, scale, w.ends[number]));
    } else {
      split_row(p, t.tile, row.token, row.head, t.split)[element * p.workspace.stride[3]] = sum;
    }
  }
}

/* One step: `here` are its places, `next` those of the one after. */
KVF_INLINE void step(const kvf_paged_attention_params &p, const working_set &w, const place *here,
                     const place *next, const float2 *scales, int32_t first, int32_t lane,
                     bool plain, key_words (&ahead)[PARTS], progress &now) {
  float scores[COLUMNS / 2 * (16 / ROWS)][4] = {};
  value_words fetched[PARTS];
#pragma unroll
  for (int32_t part = 0; part < PARTS; ++part) {
    fetched[part] = fetch_values(here, lane, part);
  }
#pragma unroll
  for (int32_t part = 0; part < PARTS; ++part) {
    score(w, ahead[part], lane, part, scores);
    if (plain) {
      ahead[part] = fetch_keys(next, lane, part);
    }
  }
  float weights[HALVES][COLUMNS];
  weigh(p, w, here, scales, scores, first, lane, plain, now, weights);
  const weight_words words = pack(weights, 0);
#pragma unroll
  for (int32_t part = 0; part < PARTS; ++part) {
    if (!plain) { /* whose weights want more registers */
      ahead[part] = fetch_keys(next, lane, part);
    }
    add(words, fetched[part], part, now);
  }
}

/* One thread sets down how the warps go from chunk to chunk. */
KVF_INLINE void set_walk(const kvf_paged_attention_params &p, const task &t, walk &by) {
  by.table = t.tile.sequence * p.block_table.stride[0];
  by.pages = (uint32_t)kvf_divide(WARPS * CHUNK, p.by_block_size);
  by.positions = (uint32_t)(WARPS * CHUNK - by.pages * p.block_size);
  by.page_size = (uint32_t)min(p.block_size, (int64_t)UINT32_MAX);
  by.heads.key = static_cast<const int8_t *>(p.key_cache.data) + t.kv_head * p.key_cache.stride[2];
  by.heads.value =
      static_cast<const int8_t *>(p.value_cache.data) + t.kv_head * p.value_cache.stride[2];
}

/* The first position of a warp. */
KVF_INLINE uint32_t start_of(const task &t) {
  return (uint32_t)t.tile.begin + kvf_thread_anew() / WARP * CHUNK;
}

/* One unit of work. */
KVF_INLINE void attend(const kvf_paged_attention_params &p, working_set &w) {
  const task &t = w.now;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  const int32_t warp = (int32_t)threadIdx.x / WARP;
  uint32_t first = start_of(t);
  uint32_t page = (uint32_t)kvf_divide((int64_t)first + lane, p.by_block_size);
  if (threadIdx.x == 0) {
    set_walk(p, t, w.by);
  }
  __syncthreads();
  int64_t block = ask(p, w, first + lane, page);
  find_rows(p, t, w.rows);
  int32_t turn = 0;
  place found = find_place(p, w, first + lane, page, block);
  w.places[warp][0][lane] = found;
  float2 scales = is_there(found) ? find_scales(p, t, offset_in(p, first + lane, page), block)
                                  : make_float2(0.0f, 0.0f);
  w.scales[warp][0][lane] = scales;
  bool there = __all_sync(ALL_LANES, is_there(found));
  __syncwarp();
  page = next_page(p, w, first + lane, page);
  block = ask(p, w, first + WARPS * CHUNK + lane, page);
  key_words ahead[PARTS];
#pragma unroll
  for (int32_t part = 0; part < PARTS; ++part) {
    ahead[part] = fetch_keys(w.places[warp][0], lane, part);
  }
  __syncthreads();
  load_query(p, w, p.scale * LOG2_E);
  __syncthreads();
  progress now = {};
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    now.largest[row] = KVF_NO_SCORE;
  }
  for (;;) { /* lengths are int32 */
    const uint32_t stop = min(first + ASIDE, (uint32_t)t.tile.end);
#pragma unroll 1
    while (first < stop) {
      /* Whether all rows see all positions, whose scores want nothing but their factor. */
      const bool plain = there && !p.adjusts && (int32_t)first >= (int32_t)t.tile.all_begin &&
                         first + CHUNK <= (uint32_t)t.tile.all_end;
      const place *here = w.places[warp][turn];
      place *next = w.places[warp][turn ^ 1];
      const uint32_t following = first + WARPS * CHUNK;
      __syncwarp(); /* what was there is used */
      found = find_place(p, w, following + lane, page, block);
      next[lane] = found;
      there = __all_sync(ALL_LANES, is_there(found));
      const float2 *by = w.scales[warp][turn];
      scales = is_there(found) ? find_scales(p, t, offset_in(p, following + lane, page), block)
                               : make_float2(0.0f, 0.0f);
      page = next_page(p, w, following + lane, page);
      block = ask(p, w, following + WARPS * CHUNK + lane, page);
      __syncwarp();
      if (plain) {
#pragma unroll 1
        for (int32_t i = 0; i < CHUNK; i += STEP) {
          step(p, w, here + i, i + STEP < CHUNK ? here + i + STEP : next, by + i,
               (int32_t)first + i, lane, true, ahead, now);
        }
      } else {
#pragma unroll 1
        for (int32_t i = 0; i < CHUNK; i += STEP) {
          step(p, w, here + i, i + STEP < CHUNK ? here + i + STEP : next, by + i,
               (int32_t)first + i, lane, false, ahead, now);
        }
      }
      w.scales[warp][turn ^ 1][lane] = scales; /* asked for two steps ago */
      first = following;
      turn ^= 1;
    }
    if (first >= (uint32_t)t.tile.end) {
      break;
    }
    put_aside(w, first >= start_of(t) + 2 * ASIDE, now);
  }
  if (first > start_of(t) + ASIDE) {
    take_back(w, now);
  }
  store(p, w, now, 1.0f);
}

/* The largest score of all splits. */
KVF_INLINE float largest_of(const float *scores, int64_t stride, int32_t splits, int32_t lane,
                            float largest) {
  for (int32_t split = lane + WARP; split < splits; split += WARP) {
    largest = fmaxf(largest, scores[split * stride]);
  }
#pragma unroll
  for (int32_t distance = WARP / 2; distance > 0; distance /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, distance));
  }
  return largest;
}

/* A warp adds up its elements of the splits of a row, brought to the same base: token `number` of
 * all, or of the few that each sequence may have. */
template <int32_t ROW_WARPS>
KVF_INLINE void combine(const kvf_paged_attention_params &p, int64_t number, int64_t head,
                        int32_t part) {
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
  const int32_t splits = (int32_t)tile.splits;
  if (within >= tile.num_tokens || tile.num_tokens <= -p.few || splits == 1) {
    return;
  }
  enum {
    EACH = SIZE / ROW_WARPS / WARP, /* elements of a lane */
    TOGETHER = 8                    /* splits that are asked for at a time */
  };
  const int32_t lane = (int32_t)(kvf_thread_anew() % WARP);
  const int32_t first = part * EACH * WARP + lane;
  const int64_t stride = p.workspace.stride[2];
  const int64_t step = WARP * p.workspace.stride[3];
  const float *from = split_row(p, tile, token, head, 0);
  const float *scores = from + (SIZE + KVF_SPLIT_LARGEST) * p.workspace.stride[3];
  const float *totals = from + (SIZE + KVF_SPLIT_TOTAL) * p.workspace.stride[3];
  from += first * p.workspace.stride[3];
  float sums[EACH] = {};
  float total = 0.0f;
  float largest = KVF_NO_SCORE;
  float factors = lane < splits ? scores[lane * stride]
                                : KVF_NO_SCORE; /* a lane has those of one of so many splits */
  float parts = lane < splits ? totals[lane * stride] : 0.0f;
#pragma unroll 1
  for (int32_t near = 0; near < splits; near += TOGETHER) {
    float values[TOGETHER][EACH];
#pragma unroll
    for (int32_t k = 0; k < TOGETHER; ++k) {
      const float *at = from;
#pragma unroll
      for (int32_t i = 0; i < EACH; ++i) {
        values[k][i] = near + k < splits ? *at : 0.0f;
        at += step; /* one address that moves: as many as there are sums would take twice the
                       registers */
      }
      from += stride;
    }
    kvf_loads_are_made(); /* before any score is waited for */
    if (near == 0) {
      largest = largest_of(scores, stride, splits, lane, factors);
      factors = lane < splits ? exp2f(factors - kvf_score_base(largest)) : 0.0f;
    } else if (near % WARP == 0) {
      const bool has = near + lane < splits;
      factors = has ? exp2f(scores[(near + lane) * stride] - kvf_score_base(largest)) : 0.0f;
      parts = has ? totals[(near + lane) * stride] : 0.0f;
    }
#pragma unroll
    for (int32_t k = 0; k < TOGETHER;
         ++k) { /* in the order of splits; those behind the last add 0 */
      const float factor = __shfl_sync(ALL_LANES, factors, (near + k) % WARP);
      total += factor * __shfl_sync(ALL_LANES, parts, (near + k) % WARP);
#pragma unroll
      for (int32_t i = 0; i < EACH; ++i) {
        sums[i] += factor * values[k][i];
      }
    }
  }
  const kvf_row_end end = end_row(p, head, largest, total);
  if (first == 0) {
    put_lse(p, token, head, end);
  }
  const float v_scale = 1.0f;
#pragma unroll
  for (int32_t i = 0; i < EACH; ++i) {
    put_result(p, token, head, first + i * WARP, kvf_attention_result(sums[i], v_scale, end));
  }
}

/*
 * Grid: x units, as kvforge/cache/attention_tiles.h counts them. When splits are combined: tokens,
 * of each the query heads, with warps for each.
 */
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    kvf_cuda_paged_attention__f16__int8_per_token_head__d128__r16__sm80(
        const __grid_constant__ kvf_paged_attention_params p) {
  kvf_begin_kernel();
  __shared__ working_set w;
  if (p.combines) {
    const int64_t tokens = p.few > 0 ? p.num_seqs * p.few : p.split_tokens;
    /* A launch has warps for each: no memory has room for the splits of more rows than it can have.
     */
    const int64_t warp = (int64_t)blockIdx.x * WARPS + kvf_thread_anew() / WARP;
    const int64_t rows = tokens * p.num_q_heads;
    if (kvf_adding_warps(rows, SIZE) == 1) {
      if (warp < rows) {
        combine<1>(p, warp / p.num_q_heads, warp % p.num_q_heads, 0);
      }
    } else if (const int32_t row = (int32_t)warp / KVF_ADDING_WARPS(SIZE); row < rows) {
      combine<KVF_ADDING_WARPS(SIZE)>(p, row / p.num_q_heads, row % p.num_q_heads,
                                      (int32_t)warp % KVF_ADDING_WARPS(SIZE));
    }
    return;
  }
  if (kvf_thread_anew() == 0) {
    w.now.unit = blockIdx.x;
  }
  bool more = true;
  while (more) {
    if (kvf_thread_anew() == 0) {
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
