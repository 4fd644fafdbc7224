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
enum { THREADS = KVF_ATTENTION_TILE_THREADS, ROWS = 64 };

enum {
  WARP = 32,
  WARPS = THREADS / WARP,
  STEP = 16, /* positions that a warp does at a time */
  STEPS = 2, /* of a chunk, the pages of which are found together */
  CHUNK = STEPS * STEP,
  SIZE = 64,
  QUERY_ROW = SIZE / 2 + 16,         /* words; 8 lanes read from banks of their own */
  VALUE_ROW = SIZE / 2 + 4,          /* likewise */
  VECTORS = SIZE * 1 / 16,           /* of 16 bytes, of a head */
  LOADS = CHUNK * VECTORS / THREADS, /* of a thread */
  HALVES = 2,                        /* rows of a lane's scores */
  SUMS = HALVES * SIZE / 16,         /* products whose sums a lane has */
  COLUMNS = 8                        /* scores of a lane and row */
};

/* Blocks of a multiprocessor that the registers are shared out for: as many as need no spills. */
enum { BLOCKS = 2 };

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

/* What the threads of a block share. */
struct __align__(16) working_set {
  uint32_t query[ROWS][QUERY_ROW]; /* two elements in a word; rows that there are not are 0 */
  uint32_t keys[CHUNK][QUERY_ROW];
  uint32_t values[CHUNK][VALUE_ROW];
  row_of_tile rows[ROWS];
  float factors[ROWS];    /* what the scores of a row are to be multiplied by */
  place places[2][CHUNK]; /* of two chunks in turn */
  bool whole[2];          /* whether all of a chunk are there */
  float2 scales[CHUNK];   /* of keys and values */
  task now;
};

/* What a lane has so far, of the rows g and g + 8 of the 16 of its warp. */
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
  /* What a tile before the last one sees, that one does too, unless there is a window. */
  t.counts = unit.kv_head == 0 && (t.tile.last || p.window_left >= 0);
  if (t.unit < p.num_seqs) { /* there are as many units, or more */
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
KVF_INLINE float *split_row(const kvf_paged_attention_params &p, int64_t token, int64_t head,
                            int64_t split) {
  const int64_t *stride = p.workspace.stride;
  return static_cast<float *>(p.workspace.data) + token * stride[0] + head * stride[1] +
         split * stride[2];
}

/* What the workspace has of a split of a row beside its sums. */
KVF_INLINE void put_split(const kvf_paged_attention_params &p, const row_of_tile &row,
                          int64_t split, float largest, float total) {
  float *to = split_row(p, row.token, row.head, split) + p.head_size * p.workspace.stride[3];
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

/* Asks for the block of a position, for a place that is wanted later. */
KVF_INLINE int64_t ask(const kvf_paged_attention_params &p, const task &t, int64_t position) {
  return position < t.tile.end
             ? kvf_index_at(p.block_table.data, p.index_bytes,
                            t.tile.sequence * p.block_table.stride[0] +
                                kvf_divide(position, p.by_block_size) * p.block_table.stride[1])
             : 0;
}

/* Of a position: how far it is into its page. */
KVF_INLINE int64_t offset_of(const kvf_paged_attention_params &p, int64_t position) {
  return position - kvf_divide(position, p.by_block_size) * p.block_size;
}

KVF_INLINE place find_place(const kvf_paged_attention_params &p, const task &t, int64_t position,
                            int64_t block) {
  place found = {reinterpret_cast<const int8_t *>(nothing),
                 reinterpret_cast<const int8_t *>(nothing)};
  if (position < t.tile.end) {
    const int64_t offset = offset_of(p, position);
    if (block >= 0 && block < p.num_blocks) {
      found.key = static_cast<const int8_t *>(p.key_cache.data) + block * p.key_cache.stride[0] +
                  offset * p.key_cache.stride[1] + t.kv_head * p.key_cache.stride[2];
      found.value = static_cast<const int8_t *>(p.value_cache.data) +
                    block * p.value_cache.stride[0] + offset * p.value_cache.stride[1] +
                    t.kv_head * p.value_cache.stride[2];
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
KVF_INLINE float2 find_scales(const kvf_paged_attention_params &p, const task &t, int64_t position,
                              int64_t block) {
  const int64_t offset = offset_of(p, position);
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

/*
 * Turns the scores of a lane into weights, by row, and brings what was summed so far to the same
 * base. `first` is the first position of the step; unless `plain` some are not there, some rows do
 * not see some, or scores want more than their factor.
 */
KVF_INLINE void weigh(const kvf_paged_attention_params &p, const working_set &w,
                      const place *places, const float2 *scales,
                      const float (&scores)[COLUMNS / 2][4], int32_t first, int32_t lane,
                      bool plain, progress &now, float (&weights)[HALVES][COLUMNS]) {
  const int32_t mine = (int32_t)threadIdx.x / WARP * 16 + lane / 4; /* the first of its rows */
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

KVF_INLINE void load_query(const kvf_paged_attention_params &p, working_set &w, float factor) {
  const task &t = w.now;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
#pragma unroll 4
  for (int32_t row = (int32_t)threadIdx.x / WARP; row < ROWS; row += WARPS) {
    const uint16_t *from = static_cast<const uint16_t *>(p.query.data) +
                           w.rows[row].token * p.query.stride[0] +
                           w.rows[row].head * p.query.stride[1];
#pragma unroll
    for (int32_t i = 0; i < SIZE / 2 / WARP; ++i) {
      const int64_t at = 2 * (i * WARP + lane) * p.query.stride[2];
      w.query[row][i * WARP + lane] =
          row < t.tile.rows ? (uint32_t)from[at] | (uint32_t)from[at + p.query.stride[2]] << 16 : 0;
    }
  }
  if (threadIdx.x < ROWS) {
    w.factors[threadIdx.x] = factor;
  }
}

/* What a thread has of the keys and values of a chunk, as they lie in pages. */
struct loaded {
  uint4 keys[LOADS];
  uint4 values[LOADS];
};

KVF_INLINE loaded fetch(const place (&places)[CHUNK]) {
  loaded words;
#pragma unroll
  for (int32_t i = 0; i < LOADS; ++i) {
    const int32_t number = i * THREADS + (int32_t)threadIdx.x;
    const place &at = places[number / VECTORS];
    words.keys[i] = kvf_read_once(reinterpret_cast<const uint4 *>(at.key) + number % VECTORS);
    words.values[i] = kvf_read_once(reinterpret_cast<const uint4 *>(at.value) + number % VECTORS);
  }
  return words;
}

/* The elements that 16 codes stand for. */
KVF_INLINE void put_f16(const uint4 &codes, uint4 *to) {
  to[0] = make_uint4(kvf_f16x2_from_int8(codes.x), kvf_f16x2_from_int8(codes.x >> 16),
                     kvf_f16x2_from_int8(codes.y), kvf_f16x2_from_int8(codes.y >> 16));
  to[1] = make_uint4(kvf_f16x2_from_int8(codes.z), kvf_f16x2_from_int8(codes.z >> 16),
                     kvf_f16x2_from_int8(codes.w), kvf_f16x2_from_int8(codes.w >> 16));
}

/* The elements that 16 codes stand for. */
KVF_INLINE void put_bf16(const uint4 &codes, uint4 *to) {
  to[0] = make_uint4(kvf_bf16x2_from_int8(codes.x), kvf_bf16x2_from_int8(codes.x >> 16),
                     kvf_bf16x2_from_int8(codes.y), kvf_bf16x2_from_int8(codes.y >> 16));
  to[1] = make_uint4(kvf_bf16x2_from_int8(codes.z), kvf_bf16x2_from_int8(codes.z >> 16),
                     kvf_bf16x2_from_int8(codes.w), kvf_bf16x2_from_int8(codes.w >> 16));
}

/* Puts a chunk where all warps read it. */
KVF_INLINE void put(working_set &w, const loaded &words) {
#pragma unroll
  for (int32_t i = 0; i < LOADS; ++i) {
    const int32_t number = i * THREADS + (int32_t)threadIdx.x;
    const int32_t position = number / VECTORS;
    const int32_t word = number % VECTORS * 8;
    put_f16(words.keys[i], reinterpret_cast<uint4 *>(&w.keys[position][word]));
    put_bf16(words.values[i], reinterpret_cast<uint4 *>(&w.values[position][word]));
  }
}

/* The query of the warp's rows by the keys: scores[i] is the product of the positions 8 i and on.
 */
KVF_INLINE void score(const working_set &w, int32_t lane, float (&scores)[COLUMNS / 2][4]) {
  const int32_t mine = (int32_t)threadIdx.x / WARP * 16 + lane / 4;
#pragma unroll
  for (int32_t load = 0; load < SIZE / 32; ++load) {
    const int32_t word = (4 * load + lane % 4) * 4;
    const uint4 upper = *reinterpret_cast<const uint4 *>(&w.query[mine][word]);
    const uint4 lower = *reinterpret_cast<const uint4 *>(&w.query[mine + 8][word]);
    const uint32_t near[4] = {upper.x, lower.x, upper.y, lower.y};
    const uint32_t far[4] = {upper.z, lower.z, upper.w, lower.w};
#pragma unroll
    for (int32_t i = 0; i < COLUMNS / 2; ++i) {
      const uint4 key = *reinterpret_cast<const uint4 *>(&w.keys[8 * i + lane / 4][word]);
      const uint32_t first[2] = {key.x, key.y};
      const uint32_t second[2] = {key.z, key.w};
      kvf_mma_f16(scores[i], near, first);
      kvf_mma_f16(scores[i], far, second);
    }
  }
}

/* Adds the weights of 16 positions, from `first` of the chunk on, by their values. */
KVF_INLINE void add(const working_set &w, const weight_words &weights, int32_t first, int32_t lane,
                    progress &now) {
  const uint32_t *row = &w.values[first + lane % 16][lane / 16 * 4];
#pragma unroll
  for (int32_t column = 0; column < SUMS; column += 2) {
    uint32_t four[4];
    kvf_transpose_16x16(four, row + 4 * column);
    const uint32_t left[2] = {four[0], four[1]};
    const uint32_t right[2] = {four[2], four[3]};
    kvf_mma_bf16(now.sums[column], weights.rounded, left);
    kvf_mma_bf16(now.sums[column], weights.rest, left);
    kvf_mma_bf16(now.sums[column + 1], weights.rounded, right);
    kvf_mma_bf16(now.sums[column + 1], weights.rest, right);
  }
}

/* Stores what the warp has of its rows. */
KVF_INLINE void store(const kvf_paged_attention_params &p, const working_set &w,
                      const progress &now, float scale) {
  const task &t = w.now;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
#pragma unroll
  for (int32_t half = 0; half < HALVES; ++half) {
    const int32_t number = (int32_t)threadIdx.x / WARP * 16 + lane / 4 + 8 * half;
    const float largest = now.largest[half];
    float total = now.totals[half];
    total += __shfl_xor_sync(ALL_LANES, total, 1);
    total += __shfl_xor_sync(ALL_LANES, total, 2);
    if (number >= t.tile.rows) {
      continue;
    }
    const row_of_tile &row = w.rows[number];
    const bool whole = t.tile.splits == 1;
    const kvf_row_end end = end_row(p, row.head, largest, total);
    if (lane % 4 == 0 && whole) {
      put_lse(p, row.token, row.head, end);
    } else if (lane % 4 == 0) {
      put_split(p, row, t.split, largest, total);
    }
#pragma unroll
    for (int32_t i = 0; i < 2 * SUMS; ++i) {
      const int32_t element = i / 2 * 8 + 2 * (lane % 4) + i % 2;
      const float sum = now.sums[i / 2][2 * half + i % 2];
      if (whole) {
        put_result(p, row.token, row.head, element, kvf_attention_result(sum, scale, end));
      } else {
        split_row(p, row.token, row.head, t.split)[element * p.workspace.stride[3]] = sum;
      }
    }
  }
}

/* One unit of work. The first warp finds the places of positions, a lane each. */
KVF_INLINE void attend(const kvf_paged_attention_params &p, working_set &w) {
  const task &t = w.now;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  const int32_t warp = (int32_t)threadIdx.x / WARP;
  uint32_t first = (uint32_t)t.tile.begin;
  int64_t block = 0;
  float2 scales = make_float2(0.0f, 0.0f);
  find_rows(p, t, w.rows);
  if (warp == 0) {
    block = ask(p, t, (int64_t)first + lane);
    const place found = find_place(p, t, (int64_t)first + lane, block);
    scales = is_there(found) ? find_scales(p, t, (int64_t)first + lane, block) : scales;
    w.places[0][lane] = found;
    w.whole[0] = __all_sync(ALL_LANES, is_there(found)) != 0;
    block = ask(p, t, (int64_t)first + CHUNK + lane);
  }
  __syncthreads();
  load_query(p, w, p.scale * LOG2_E);
  loaded ahead = fetch(w.places[0]);
  /* What the warp's rows see: some what is from here to there, all what is in between. */
  const int32_t last = min(16 * warp + 15, t.tile.rows - 1);
  const int32_t from = w.rows[min(16 * warp, last)].from;
  const int32_t all_from = w.rows[last].from;
  const int32_t all_to = p.adjusts ? 0 : w.rows[min(16 * warp, last)].to;
  const int32_t to = 16 * warp <= last ? w.rows[last].to : 0;
  progress now = {};
  now.largest[0] = now.largest[1] = KVF_NO_SCORE;
  int32_t turn = 0;
#pragma unroll 1
  while (first < (uint32_t)t.tile.end) { /* lengths are int32 */
    const uint32_t following = first + CHUNK;
    __syncthreads(); /* what was there is used */
    put(w, ahead);
    if (warp == 0) {
      w.scales[lane] = scales;
      const place found = find_place(p, t, (int64_t)following + lane, block);
      scales = is_there(found) ? find_scales(p, t, (int64_t)following + lane, block)
                               : make_float2(0.0f, 0.0f);
      w.places[turn ^ 1][lane] = found;
      w.whole[turn ^ 1] = __all_sync(ALL_LANES, is_there(found)) != 0;
      block = ask(p, t, (int64_t)following + CHUNK + lane);
    }
    __syncthreads();
    ahead = fetch(w.places[turn ^ 1]);
    if ((int32_t)first < to && (int64_t)following > from) {
      const bool plain =
          w.whole[turn] && (int32_t)first >= all_from && (int64_t)following <= all_to;
      float scores[COLUMNS / 2][4] = {};
      score(w, lane, scores);
      float weights[HALVES][COLUMNS];
      weigh(p, w, w.places[turn], w.scales, scores, (int32_t)first, lane, plain, now, weights);
#pragma unroll
      for (int32_t step = 0; step < STEPS; ++step) {
        add(w, pack(weights, 4 * step), STEP * step, lane, now);
      }
    }
    first = following;
    turn ^= 1;
  }
  store(p, w, now, 1.0f);
}

/* Adds up the splits of a row, brought to the same base. */
KVF_INLINE void combine(const kvf_paged_attention_params &p, int64_t token, int64_t head) {
  const int64_t kv_head = head / p.group;
  const int64_t sequence = kvf_sequence_of_token(&p, token);
  const int64_t within = token - kvf_query_start(&p, sequence);
  if (within < 0) {
    return;
  }
  const int64_t row = within * p.group + head - kv_head * p.group;
  const kvf_attention_tile tile = kvf_find_tile(&p, sequence, row / ROWS, 0, ROWS);
  const int64_t splits = tile.splits;
  if (within >= tile.num_tokens || splits == 1) {
    return;
  }
  const int64_t stride = p.workspace.stride[2];
  const float *sums = split_row(p, token, head, 0);
  const float *scores = sums + (p.head_size + KVF_SPLIT_LARGEST) * p.workspace.stride[3];
  const float *totals = sums + (p.head_size + KVF_SPLIT_TOTAL) * p.workspace.stride[3];
  float largest = KVF_NO_SCORE;
#pragma unroll 8
  for (int64_t split = 0; split < splits; ++split) {
    largest = fmaxf(largest, scores[split * stride]);
  }
  const float base = kvf_score_base(largest);
  const float v_scale = 1.0f;
  for (int32_t i = (int32_t)threadIdx.x; i < p.head_size; i += THREADS) {
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
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    kvf_cuda_paged_attention__f16__int8_per_token_head__d64__r64__sm80(
        const __grid_constant__ kvf_paged_attention_params p) {
  kvf_begin_kernel();
  __shared__ working_set w;
  if (p.combines) {
    for (int64_t unit = blockIdx.x; unit < p.split_tokens * p.num_q_heads; unit += gridDim.x) {
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
