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
enum { THREADS = KVF_ATTENTION_TILE_THREADS, ROWS = 128 };

enum {
  WARP = 32,
  WARPS = THREADS / WARP,
  STEP = 16, /* positions that a warp does at a time */
  /* Positions whose pages are found together. */
  CHUNK = KVF_ATTENTION_CHUNK(128),
  STEPS = CHUNK / STEP,
  SIZE = 128,
  ROW = SIZE / 2 + 4,                /* words; 8 lanes read 16 bytes each from banks of their own */
  VECTORS = SIZE * 2 / 16,           /* of 16 bytes, of a head */
  LOADS = CHUNK * VECTORS / THREADS, /* of a thread */
  PRODUCTS = ROWS / WARPS / 16,      /* that a warp's rows are */
  SLACK = 8,                         /* a weight is 2^SLACK at most */
  HALVES = 2 * PRODUCTS,             /* rows of a lane's scores */
  SUMS = HALVES * SIZE / 16,         /* products whose sums a lane has */
  COLUMNS = CHUNK / 4                /* scores of a lane and row */
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
static __device__ const uint4 nothing[SIZE * 2 / 16] = {};

/* Where the head of a position is. */
struct place {
  const uint16_t *key;
  const uint16_t *value;
};

/* The KV head in the first page of keys or values, and how far pages and positions are apart. */
struct side {
  const uint16_t *head;
  int64_t page;
  int64_t position;
};

/* The place that a thread finds next: in the first half of the block one of a key, else of a value.
 */
struct search {
  int64_t block; /* asked for; in its lower half if the numbers have 4 bytes */
  int32_t page;
  int32_t offset; /* in the page */
};

/* Positions that the rows of a warp see: [from, to) one of them, [all_from, all_to) all. */
struct seen_by_warp {
  int32_t from;
  int32_t to;
  int32_t all_from;
  int32_t all_to;
};

/* What the threads of a block share. */
struct __align__(16) working_set {
  uint32_t query[ROWS][ROW]; /* two elements in a word; rows that there are not are 0 */
  uint32_t keys[CHUNK][ROW];
  uint32_t values[CHUNK][ROW];
  /* Of a lane's rows, for which it has no registers left: the scores that weights are measured
   * from, not multiplied yet, unless `apart`, and what the weights of its own columns add up to. */
  float __align__(16) bases[THREADS][HALVES];
  float __align__(16) totals[THREADS][HALVES];
  row_of_tile rows[ROWS];
  seen_by_warp seen[WARPS];
  float factors[ROWS]; /* what the scores of a row are to be multiplied by */
  bool apart; /* scores want more than a factor above 0, and are multiplied before they are compared
               */
  side sides[2];
  search searches[THREADS];
  int32_t pages; /* of a chunk, and what is left of it */
  int32_t positions;
  place places[2][CHUNK];          /* of two chunks in turn */
  uint32_t there[2][CHUNK / WARP]; /* a bit for each */
  task now;
};

/* What a lane has so far, of the rows g and g + 8 of each 16 of its warp. */
struct progress {
  float sums[SUMS][4]; /* as the matrix product has them */
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

/* Of a position: how far it is into its page. */
KVF_INLINE int64_t offset_of(const kvf_paged_attention_params &p, int64_t position) {
  return position - kvf_divide(position, p.by_block_size) * p.block_size;
}

KVF_INLINE const uint16_t *query_of(const kvf_paged_attention_params &p, const row_of_tile &row) {
  return static_cast<const uint16_t *>(p.query.data) + row.token * p.query.stride[0] +
         row.head * p.query.stride[1];
}

KVF_INLINE void load_query(const kvf_paged_attention_params &p, working_set &w, float factor) {
  const uint32_t thread = kvf_thread_anew();
  const task &t = w.now;
  const uint32_t at = thread % (SIZE / 8) * 8;
#pragma unroll 4
  for (uint32_t row = thread / (SIZE / 8); row < ROWS; row += THREADS / (SIZE / 8)) {
    uint4 *to = reinterpret_cast<uint4 *>(&w.query[row][at / 2]);
    if ((int32_t)row < t.tile.rows) {
      kvf_copy_async(to, query_of(p, w.rows[row]) + at);
    } else {
      *to = make_uint4(0, 0, 0, 0);
    }
  }
  if (thread < ROWS) {
    w.factors[thread] = factor;
  }
}

/* What a thread copies of a chunk: a vector of 16 bytes of every so many positions. */
struct share {
  uint32_t position;
  uint32_t vector;
};

KVF_INLINE share share_of(int32_t load) {
  return {load * (THREADS / VECTORS) + threadIdx.x / VECTORS, threadIdx.x % VECTORS};
}

/* Asks for the thread's share of the keys of a chunk. */
KVF_INLINE void ask_for_keys(working_set &w, const place (&places)[CHUNK]) {
  const uint16_t *from[LOADS]; /* all before the first copy, which no read may overtake */
#pragma unroll
  for (int32_t i = 0; i < LOADS; ++i) {
    from[i] = places[share_of(i).position].key;
  }
#pragma unroll
  for (int32_t i = 0; i < LOADS; ++i) {
    const share at = share_of(i);
    kvf_copy_async(&w.keys[at.position][4 * at.vector],
                   reinterpret_cast<const uint4 *>(from[i]) + at.vector);
  }
}

/* Asks for the thread's share of the values of a chunk. */
KVF_INLINE void ask_for_values(working_set &w, const place (&places)[CHUNK]) {
  const uint16_t *from[LOADS]; /* all before the first copy, which no read may overtake */
#pragma unroll
  for (int32_t i = 0; i < LOADS; ++i) {
    from[i] = places[share_of(i).position].value;
  }
#pragma unroll
  for (int32_t i = 0; i < LOADS; ++i) {
    const share at = share_of(i);
    kvf_copy_async(&w.values[at.position][4 * at.vector],
                   reinterpret_cast<const uint4 *>(from[i]) + at.vector);
  }
}

/* Waits for the thread's share of what was asked for last. */
KVF_INLINE void take() { kvf_wait_for_copies(); }
/* The query of the warp's rows by the keys: scores[m][i] is the product of its 16 rows from 16 m on
 * by positions 8 i and on. */
KVF_INLINE void score(const working_set &w, int32_t lane,
                      float (&scores)[PRODUCTS][COLUMNS / 2][4]) {
  const uint32_t *query =
      &w.query[(int32_t)threadIdx.x / WARP * 16 * PRODUCTS + lane % 16][lane / 16 * 4];
  const uint32_t *key = &w.keys[lane % 8 + lane / 16 * 8][lane / 8 % 2 * 4];
#pragma unroll
  for (int32_t i = 0; i < PRODUCTS * COLUMNS * 2; ++i) {
    scores[i / (COLUMNS * 2)][i / 4 % (COLUMNS / 2)][i % 4] = 0.0f;
  }
#pragma unroll
  for (int32_t part = 0; part < SIZE / 16; ++part) {
    uint32_t rows[PRODUCTS][4];
#pragma unroll
    for (int32_t m = 0; m < PRODUCTS; ++m) {
      kvf_load_16x16(rows[m], query + 16 * m * ROW + 8 * part);
    }
#pragma unroll
    for (int32_t i = 0; i < COLUMNS / 2; i += 2) {
      uint32_t four[4];
      kvf_load_16x16(four, key + 8 * i * ROW + 8 * part);
      const uint32_t near[2] = {four[0], four[1]};
      const uint32_t far[2] = {four[2], four[3]};
#pragma unroll
      for (int32_t m = 0; m < PRODUCTS; ++m) {
        kvf_mma_f16(scores[m][i], rows[m], near);
        kvf_mma_f16(scores[m][i + 1], rows[m], far);
      }
    }
  }
}

/* What the scores of a row are multiplied by when they are measured. */
KVF_INLINE float factor_of(const working_set &w, int32_t number) {
  return w.apart ? 1.0f : w.factors[number];
}

/*
 * Turns the scores of a lane into weights, and adds these by the values: while some are multiplied
 * others become powers. They are measured from a base that moves when a weight would be above
 * 2^SLACK: so sums are seldom brought to another. `first` is the first position of the chunk;
 * unless `plain` some are not there, or some rows do not see some.
 */
KVF_INLINE void weigh_and_add(const kvf_paged_attention_params &p, working_set &w, int32_t turn,
                              int32_t first, int32_t lane, bool plain,
                              float (&scores)[PRODUCTS][COLUMNS / 2][4], progress &now) {
  const int32_t mine =
      (int32_t)threadIdx.x / WARP * 16 * PRODUCTS + lane / 4; /* the first of the lane's rows */
  const int32_t shift = 2 * (lane % 4);
#define SCORE(row, i)                                                                              \
  scores[(row) / 2][(i) / 2][(row) % 2 * 2 + (i) % 2] /* of position COLUMN(i) + shift */
#define COLUMN(i) ((i) / 2 * 8 + (i) % 2)
  if (w.apart) {
#pragma unroll
    for (int32_t i = 0; i < HALVES * COLUMNS; ++i) {
      const int32_t number = mine + 8 * (i / COLUMNS);
      float &score = SCORE(i / COLUMNS, i % COLUMNS);
      score =
          adjust(p, w.rows[number], first + COLUMN(i % COLUMNS) + shift, score * w.factors[number]);
    }
  }
  if (!plain) {
#pragma unroll
    for (int32_t row = 0; row < HALVES; ++row) {
      const int32_t from = w.rows[mine + 8 * row].from - first - shift;
      const int32_t to = w.rows[mine + 8 * row].to - first - shift;
#pragma unroll
      for (int32_t i = 0; i < COLUMNS; ++i) {
        const bool there = (w.there[turn][COLUMN(i) / WARP] >> shift >> COLUMN(i) % WARP & 1) != 0;
        SCORE(row, i) =
            there & (COLUMN(i) >= from) & (COLUMN(i) < to) ? SCORE(row, i) : KVF_NO_SCORE;
      }
    }
  }
  float largest[HALVES];
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    largest[row] = SCORE(row, 0);
  }
#pragma unroll
  for (int32_t i = 1; i < COLUMNS; ++i) {
#pragma unroll
    for (int32_t row = 0; row < HALVES; ++row) {
      largest[row] = fmaxf(largest[row], SCORE(row, i));
    }
  }
#pragma unroll
  for (int32_t distance = 1; distance < 4; distance *= 2) {
#pragma unroll
    for (int32_t row = 0; row < HALVES; ++row) {
      largest[row] = fmaxf(largest[row], __shfl_xor_sync(ALL_LANES, largest[row], distance));
    }
  }
  float by[HALVES];
  float bases[HALVES];
  float totals[HALVES];
  bool moves[HALVES];
  bool moved = false;
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    by[row] = factor_of(w, mine + 8 * row);
    bases[row] = w.bases[threadIdx.x][row];
    totals[row] = w.totals[threadIdx.x][row];
    moves[row] = bases[row] == KVF_NO_SCORE ? largest[row] != KVF_NO_SCORE
                                            : (largest[row] - bases[row]) * by[row] > SLACK;
    moved |= moves[row];
  }
  if (__any_sync(ALL_LANES, moved)) {
#pragma unroll
    for (int32_t row = 0; row < HALVES; ++row) { /* what another row does is nothing to this one */
      const float factor =
          moves[row] ? kvf_quick_exp2((bases[row] - largest[row]) * by[row]) : 1.0f;
      bases[row] = moves[row] ? largest[row] : bases[row];
      w.bases[threadIdx.x][row] = bases[row];
      totals[row] *= factor;
#pragma unroll
      for (int32_t i = 0; i < SIZE / 4; ++i) {
        now.sums[row / 2 * (SIZE / 8) + i / 2][row % 2 * 2 + i % 2] *= factor;
      }
    }
  }
  const uint32_t *value = &w.values[lane % 16][lane / 16 * 4];
#pragma unroll
  for (int32_t step = 0; step < STEPS; ++step) {
#pragma unroll
    for (int32_t i = 4 * step; i < 4 * step + 4; ++i) {
#pragma unroll
      for (int32_t row = 0; row < HALVES; ++row) {
        const float weight = kvf_quick_exp2((SCORE(row, i) - kvf_score_base(bases[row])) * by[row]);
        totals[row] += weight;
        SCORE(row, i) = weight;
      }
    }
    uint32_t words[PRODUCTS][4];
#pragma unroll
    for (int32_t i = 0; i < 4 * PRODUCTS; ++i) {
      const float *two = &scores[i / 4][2 * step + i % 4 / 2][i % 2 * 2];
      words[i / 4][i % 4] = kvf_f16x2_result(make_float2(two[0], two[1]));
    }
#pragma unroll
    for (int32_t column = 0; column < SIZE / 8; column += 2) {
      uint32_t four[4];
      kvf_transpose_16x16(four, value + STEP * step * ROW + 4 * column);
      const uint32_t left[2] = {four[0], four[1]};
      const uint32_t right[2] = {four[2], four[3]};
#pragma unroll
      for (int32_t m = 0; m < PRODUCTS; ++m) {
        kvf_mma_f16(now.sums[m * (SIZE / 8) + column], words[m], left);
        kvf_mma_f16(now.sums[m * (SIZE / 8) + column + 1], words[m], right);
      }
    }
  }
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    w.totals[threadIdx.x][row] = totals[row];
  }
}

/* Eight results, from an element on; what has these tiles has out in vectors of 16 bytes. */
KVF_INLINE void put_results(const kvf_paged_attention_params &p, const row_of_tile &row,
                            int32_t element, const float (&results)[8]) {
  const int64_t at = row.token * p.out.stride[0] + row.head * p.out.stride[1] + element;
  if (p.out_bytes == 4) {
    float4 *to = reinterpret_cast<float4 *>(static_cast<float *>(p.out.data) + at);
    to[0] = make_float4(kvf_f32_result(results[0]), kvf_f32_result(results[1]),
                        kvf_f32_result(results[2]), kvf_f32_result(results[3]));
    to[1] = make_float4(kvf_f32_result(results[4]), kvf_f32_result(results[5]),
                        kvf_f32_result(results[6]), kvf_f32_result(results[7]));
    return;
  }
  uint32_t words[4];
#pragma unroll
  for (int32_t i = 0; i < 4; ++i) {
    words[i] = (uint32_t)kvf_f16_result(results[2 * i]) |
               (uint32_t)kvf_f16_result(results[2 * i + 1]) << 16;
  }
  *reinterpret_cast<uint4 *>(static_cast<uint16_t *>(p.out.data) + at) =
      make_uint4(words[0], words[1], words[2], words[3]);
}

/*
 * Stores what the warp has of its rows, half of their elements at a time, by way of its rows of the
 * query, which no other warp reads: so neighbouring lanes have neighbouring elements, and the code
 * stays short.
 */
KVF_INLINE void store(const kvf_paged_attention_params &p, working_set &w, const progress &now,
                      float scale) {
  const uint32_t thread = kvf_thread_anew();
  const task &t = w.now;
  const int32_t lane = (int32_t)thread % WARP;
  const int32_t mine = (int32_t)thread / WARP * 16 * PRODUCTS;
  const bool whole = t.tile.splits == 1;
#pragma unroll
  for (int32_t half = 0; half < HALVES; ++half) {
    const int32_t number = mine + lane / 4 + 8 * half;
    float total = w.totals[thread][half];
    total += __shfl_xor_sync(ALL_LANES, total, 1);
    total += __shfl_xor_sync(ALL_LANES, total, 2);
    if (lane % 4 == 0 && number < t.tile.rows) {
      const row_of_tile &row = w.rows[number];
      const float base = w.bases[thread][half];
      const float largest = base == KVF_NO_SCORE ? base : base * factor_of(w, number);
      w.factors[number] = 1.0f;
      if (whole) {
        const kvf_row_end end = end_row(p, row.head, largest, total);
        put_lse(p, row.token, row.head, end);
        w.factors[number] = kvf_attention_result(1.0f, scale, end);
      } else {
        put_split(p, t.tile, row, t.split, largest, total);
      }
    }
  }
#pragma unroll
  for (int32_t part = 0; part < 2; ++part) {
    __syncwarp(); /* what was there is read */
#pragma unroll
    for (int32_t half = 0; half < HALVES; ++half) {
      float *row = reinterpret_cast<float *>(w.query[mine + lane / 4 + 8 * half]) + 2 * (lane % 4);
#pragma unroll
      for (int32_t i = 0; i < SIZE / 16; ++i) {
        const float (&sums)[4] = now.sums[half / 2 * (SIZE / 8) + part * (SIZE / 16) + i];
        *reinterpret_cast<float2 *>(row + 8 * i) =
            make_float2(sums[half % 2 * 2], sums[half % 2 * 2 + 1]);
      }
    }
    __syncwarp();
    const int32_t rows = min(16 * PRODUCTS, t.tile.rows - mine);
#pragma unroll 1
    for (int32_t i = lane; i < rows * (SIZE / 16); i += WARP) {
      const int32_t number = mine + i / (SIZE / 16);
      const int32_t element = i % (SIZE / 16) * 8;
      const row_of_tile &row = w.rows[number];
      const float *sums = reinterpret_cast<const float *>(w.query[number]) + element;
      float results[8];
#pragma unroll
      for (int32_t k = 0; k < 8; ++k) {
        results[k] = sums[k] * w.factors[number];
      }
      if (whole) {
        put_results(p, row, part * (SIZE / 2) + element, results);
      } else {
        float *to = split_row(p, t.tile, row.token, row.head, t.split) +
                    (part * (SIZE / 2) + element) * p.workspace.stride[3];
#pragma unroll
        for (int32_t k = 0; k < 8; ++k) {
          to[k * p.workspace.stride[3]] = results[k];
        }
      }
    }
  }
}

/* Asks for the block of the place that the thread finds next, in the chunk at `first`. */
KVF_INLINE void ask_for_block(const kvf_paged_attention_params &p, working_set &w, int64_t first) {
  const uint32_t thread = kvf_thread_anew();
  search &own = w.searches[thread];
  if (first + thread % CHUNK < w.now.tile.end) {
    const int64_t at =
        w.now.tile.sequence * p.block_table.stride[0] + own.page * p.block_table.stride[1];
    kvf_copy_index_async(&own.block, p.block_table.data, p.index_bytes, at);
  }
}

/* The same of the place behind that one, a chunk further. */
KVF_INLINE void ask_for_next(const kvf_paged_attention_params &p, working_set &w, int64_t first) {
  const uint32_t thread = kvf_thread_anew();
  search &own = w.searches[thread];
  own.page += w.pages;
  own.offset += w.positions;
  if (own.offset >= p.block_size) {
    own.offset -= (int32_t)p.block_size;
    ++own.page;
  }
  ask_for_block(p, w, first);
}

/* Puts places of the chunk at `first` where all see them. */
KVF_INLINE void locate(const kvf_paged_attention_params &p, working_set &w, int64_t first,
                       int32_t turn) {
  const uint32_t thread = kvf_thread_anew();
  static_assert(THREADS >= 2 * CHUNK, "a thread has one place");
  const int32_t number = (int32_t)thread % CHUNK;
  const bool of_key = thread < CHUNK;
  const uint16_t *found = reinterpret_cast<const uint16_t *>(nothing);
  bool there = false;
  if (first + number < w.now.tile.end) {
    const search &at = w.searches[thread];
    const int64_t block = p.index_bytes == 8 ? at.block : (int32_t)at.block;
    const side &of = w.sides[of_key ? 0 : 1];
    there = block >= 0 && block < p.num_blocks;
    if (there) {
      found = of.head + block * of.page + at.offset * of.position;
    } else if (of_key) {
      count_fault(p, w.now, first + number, at.offset);
    }
  }
  place &put = w.places[turn][number];
  (of_key ? put.key : put.value) = found;
  const uint32_t bits = __ballot_sync(ALL_LANES, there);
  if (thread % WARP == 0 && of_key) {
    w.there[turn][number / WARP] = bits;
  }
}

/* One unit of work. */
KVF_INLINE void attend(const kvf_paged_attention_params &p, working_set &w) {
  static_assert(sizeof(working_set) <= KVF_ATTENTION_SHARED_BYTES(SIZE, 2),
                "what a launch has is less");
  const task &t = w.now;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  const int32_t mine =
      (int32_t)threadIdx.x / WARP * 16 * PRODUCTS; /* the first of the warp's rows */
  const float factor = p.scale * LOG2_E;
  uint32_t first = (uint32_t)t.tile.begin;
  const int64_t position = (int64_t)first + threadIdx.x % CHUNK;
  w.searches[threadIdx.x] = {0, (int32_t)kvf_divide(position, p.by_block_size),
                             (int32_t)offset_of(p, position)};
  ask_for_block(p, w, first);
  find_rows(p, t, w.rows);
  if (threadIdx.x == 0) {
    w.sides[0] = {static_cast<const uint16_t *>(p.key_cache.data) +
                      t.kv_head * p.key_cache.stride[2],
                  p.key_cache.stride[0], p.key_cache.stride[1]};
    w.sides[1] = {static_cast<const uint16_t *>(p.value_cache.data) +
                      t.kv_head * p.value_cache.stride[2],
                  p.value_cache.stride[0], p.value_cache.stride[1]};
    w.pages = (int32_t)kvf_divide(CHUNK, p.by_block_size);
    w.positions = (int32_t)offset_of(p, CHUNK);
    w.apart = p.adjusts || !(factor > 0.0f);
  }
  kvf_wait_for_copies();
  __syncthreads();
  locate(p, w, first, 0);
  __syncthreads();
  ask_for_keys(w, w.places[0]);
  ask_for_next(p, w, (int64_t)first + CHUNK);
  load_query(p, w, factor);
  seen_by_warp &seen = w.seen[(int32_t)threadIdx.x / WARP];
  if (lane == 0) {
    const row_of_tile &upper = w.rows[min(mine, t.tile.rows - 1)];
    const row_of_tile &lower = w.rows[min(mine + 16 * PRODUCTS, t.tile.rows) - 1];
    seen = {upper.from, mine < t.tile.rows ? lower.to : 0, lower.from, upper.to};
  }
  __syncwarp();
  progress now = {};
#pragma unroll
  for (int32_t row = 0; row < HALVES; ++row) {
    w.bases[threadIdx.x][row] = KVF_NO_SCORE;
    w.totals[threadIdx.x][row] = 0.0f;
  }
  int32_t turn = 0;
#pragma unroll 1
  while (first < (uint32_t)t.tile.end) { /* lengths are int32 */
    const uint32_t following = first + CHUNK;
    const bool some = (int32_t)first < seen.to && (int64_t)following > seen.from;
    float scores[PRODUCTS][COLUMNS / 2][4];
    take();
    __syncthreads(); /* all of the keys are there, the values before are used */
    ask_for_values(w, w.places[turn]);
    locate(p, w, following, turn ^ 1);
    ask_for_next(p, w, (int64_t)following + CHUNK);
    if (some) {
      score(w, lane, scores);
    }
    take();
    __syncthreads(); /* all of the values are there, the keys are used */
    if (following < (uint32_t)t.tile.end) {
      ask_for_keys(w, w.places[turn ^ 1]);
    }
    if (some) {
      bool whole = true;
#pragma unroll
      for (int32_t i = 0; i < CHUNK / WARP; ++i) {
        whole &= w.there[turn][i] == ALL_LANES;
      }
      const bool plain =
          whole && (int32_t)first >= seen.all_from && (int64_t)following <= seen.all_to;
      weigh_and_add(p, w, turn, (int32_t)first, lane, plain, scores, now);
    }
    first = following;
    turn ^= 1;
  }
  store(p, w, now, 1.0f);
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
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    kvf_cuda_paged_attention__f16__f16__d128__r128__sm80(
        const __grid_constant__ kvf_paged_attention_params p) {
  kvf_begin_kernel();
  KVF_DYNAMIC_SHARED(uint4, shared);
  working_set &w = *reinterpret_cast<working_set *>(shared);
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
