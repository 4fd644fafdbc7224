/*
 * Generated from templates/cuda/paged_mla_decode.cu.j2 and generator/spec/paged_mla_decode.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/paged_mla_decode.h"
#define KVF_ATTENTION_PARAMS kvf_paged_mla_decode_params
#include "kvforge/cache/attention_tiles.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/ds_mla.h"
#include "kvforge/cache/latent.h"
#include "kvforge/cuda_memory.cuh"
#include "kvforge/cuda_mma.cuh"

/* As runtime/ops/paged_mla_decode.c launches it. */
enum { THREADS = KVF_LATENT_FEW_THREADS, ROWS = KVF_LATENT_FEW_ROWS };

enum {
  WARP = 32,
  WARPS = THREADS / WARP,
  CHUNK = 32, /* positions */
  ROW_WORDS =
      KVF_DS_MLA_ROW / 2 + 4, /* two elements in a word; 8 rows begin in banks of their own */
  VECTORS = 22,               /* of 16 bytes, of a row in a page */
  LOADS = (CHUNK * VECTORS + THREADS - 1) / THREADS, /* of a thread */
  TILES = ROWS / 16,                                 /* of a matrix product */
  PARTS = 4,                              /* that the elements of a score are shared out in */
  SCORES = CHUNK * TILES * PARTS / WARPS, /* positions whose scores a warp has */
  STEPS = KVF_DS_MLA_ROW / 16 / PARTS,    /* of a score, 16 elements each */
  SCORE_ROW = CHUNK + 8,                  /* likewise */
  WEIGHT_ROW = CHUNK / 2 + 4,             /* words; likewise */
  SHARE = THREADS / ROWS,                 /* threads that share a row's softmax */
  COLUMNS = CHUNK / SHARE,                /* positions of such a thread */
  SUMS = KVF_DS_MLA_LATENT / 8 / WARPS    /* products of a warp, side by side */
};

/* Blocks of a multiprocessor that the registers are shared out for. */
enum { BLOCKS = 2 };

#define ALL_LANES 0xFFFFFFFFu
#define LOG2_E 1.44269504f

/* What a thread block does. */
struct task {
  int64_t unit; /* that comes next */
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
};

/* The row of a position that is left out. */
static __device__ const uint4 nothing[VECTORS] = {};

/* What the threads of a block share. */
struct __align__(16) working_set {
  uint32_t query[ROWS][ROW_WORDS]; /* rows that there are not are 0 */
  uint32_t cached[CHUNK][ROW_WORDS];
  float scores[PARTS][ROWS][SCORE_ROW];
  uint32_t weights[ROWS][WEIGHT_ROW];
  row_of_tile rows[ROWS];
  const uint4 *places[2][CHUNK]; /* of two chunks in turn */
  int64_t blocks[CHUNK];         /* that were asked for, of the chunk behind */
  float factors[ROWS];           /* what the sums so far are to be multiplied by */
  float largest[ROWS];           /* score, at the end */
  float totals[ROWS];            /* of the weights, at the end */
  bool whole[2];                 /* whether all of a chunk are there */
  task now;
};
static_assert(sizeof(working_set) <= KVF_LATENT_FEW_BYTES, "a launch asks for more");

/* What a warp has so far. */
struct progress {
  float sums[TILES][SUMS][4]; /* as the matrix product has them */
  float largest;              /* score of the row that the thread shares */
  float total;                /* of the weights of its own positions */
};

/* Counts what is wrong with the numbers of a sequence. */
KVF_INLINE void check_sequence(const kvf_paged_mla_decode_params &p, int64_t sequence) {
  const int64_t given = kvf_given_length(&p, sequence);
  const bool fits = kvf_length_of(&p, given) == given;
  const bool tokens =
      kvf_are_queries(&p, kvf_query_start(&p, sequence), kvf_query_start(&p, sequence + 1));
  if (!fits || !tokens) {
    atomicAdd(p.faults, (fits ? 0ULL : 1ULL) + (tokens ? 0ULL : 1ULL));
  }
}

/* One thread sets down what the block is to do. */
KVF_INLINE void begin(const kvf_paged_mla_decode_params &p, task &t) {
  const kvf_attention_unit unit = kvf_find_unit(&p, t.unit, ROWS);
  t.split = unit.split;
  t.tile = kvf_find_tile(&p, unit.sequence, unit.number, unit.split, ROWS);
  t.counts = t.tile.last;    /* it sees what those before it see */
  if (t.unit < p.num_seqs) { /* there are as many units, or more */
    check_sequence(p, t.unit);
  }
  t.unit += gridDim.x;
}

/* Counts a position whose page is out of range: the first of its page that a unit meets. */
KVF_INLINE void count_fault(const kvf_paged_mla_decode_params &p, const task &t, int64_t position,
                            int64_t offset) {
  if (t.counts && (offset == 0 || (t.split == 0 && position == t.tile.first))) {
    atomicAdd(p.faults, 1ULL);
  }
}

/* One thread for each row sets down what it is. */
KVF_INLINE void find_rows(const kvf_paged_mla_decode_params &p, const task &t,
                          row_of_tile (&rows)[ROWS]) {
  const int32_t number = (int32_t)threadIdx.x;
  if (number >= ROWS) {
    return;
  }
  row_of_tile row = {};
  if (number < t.tile.rows) {
    const kvf_attention_row found = kvf_find_row(&p, &t.tile, 0, number);
    row.token = found.token;
    row.head = found.head;
    row.position = (int32_t)found.position; /* lengths are int32 */
    row.from = (int32_t)kvf_seen_from(&p, found.position);
    row.to = (int32_t)kvf_seen_to(&p, found.position, t.tile.length);
  }
  rows[number] = row;
}

/* A result, at an offset in out. */
KVF_INLINE void put_at(const kvf_paged_mla_decode_params &p, int64_t at, float result) {
  if (p.out_bytes == 4) {
    static_cast<float *>(p.out.data)[at] = kvf_f32_result(result);
    return;
  }
  static_cast<uint16_t *>(p.out.data)[at] = kvf_bf16_result(result);
}

KVF_INLINE void put_result(const kvf_paged_mla_decode_params &p, int64_t token, int64_t head,
                           int32_t element, float result) {
  put_at(p, token * p.out.stride[0] + head * p.out.stride[1] + element * p.out.stride[2], result);
}

/* A row of the tensor `workspace`: what a split of a row comes to. */
KVF_INLINE float *split_row(const kvf_paged_mla_decode_params &p, int64_t token, int64_t head,
                            int64_t split) {
  const int64_t *stride = p.workspace.stride;
  return static_cast<float *>(p.workspace.data) + token * stride[0] + head * stride[1] +
         split * stride[2];
}

/* What the workspace has of a split of a row beside its sums. */
KVF_INLINE void put_split(const kvf_paged_mla_decode_params &p, const row_of_tile &row,
                          int64_t split, float largest, float total) {
  float *to = split_row(p, row.token, row.head, split) + KVF_DS_MLA_LATENT * p.workspace.stride[3];
  to[KVF_SPLIT_LARGEST * p.workspace.stride[3]] = largest;
  to[KVF_SPLIT_TOTAL * p.workspace.stride[3]] = total;
}

/* The end of a row that is whole, and its lse. */
KVF_INLINE kvf_row_end end_row(float largest, float total) {
  kvf_row_end end;
  end.base = kvf_score_base(largest);
  end.factor = 1.0f;
  end.total = total;
  return end;
}

KVF_INLINE void put_lse(const kvf_paged_mla_decode_params &p, int64_t token, int64_t head,
                        const kvf_row_end &end) {
  if (p.lse.data != nullptr) {
    static_cast<float *>(p.lse.data)[head * p.lse.stride[0] + token * p.lse.stride[1]] =
        (end.base + log2f(end.total)) * 0.693147182f;
  }
}

/* Asks for the block of a position, for a place that is wanted later. */
KVF_INLINE int64_t ask(const kvf_paged_mla_decode_params &p, const task &t, int64_t position) {
  return position < t.tile.end
             ? kvf_index_at(p.block_table.data, p.index_bytes,
                            t.tile.sequence * p.block_table.stride[0] +
                                kvf_divide(position, p.by_block_size) * p.block_table.stride[1])
             : 0;
}

/* Of a position: how far it is into its page. */
KVF_INLINE int64_t offset_of(const kvf_paged_mla_decode_params &p, int64_t position) {
  return position - kvf_divide(position, p.by_block_size) * p.block_size;
}

KVF_INLINE const uint4 *find_place(const kvf_paged_mla_decode_params &p, const task &t,
                                   int64_t position, int64_t block) {
  if (position >= t.tile.end) {
    return nothing;
  }
  const int64_t offset = offset_of(p, position);
  if (block >= 0 && block < p.num_blocks) {
    return reinterpret_cast<const uint4 *>(static_cast<const uint8_t *>(p.kv_cache.data) +
                                           block * p.kv_cache.stride[0] +
                                           offset * p.kv_cache.stride[1]);
  }
  count_fault(p, t, position, offset);
  return nothing;
}

/* What a thread has of the rows of a chunk, as they lie in pages. */
struct loaded {
  uint4 words[LOADS];
  uint32_t scales[LOADS]; /* two codes */
};

KVF_INLINE loaded fetch(const uint4 *const (&places)[CHUNK]) {
  loaded rows = {};
#pragma unroll
  for (int32_t i = 0; i < LOADS; ++i) {
    const int32_t number = i * THREADS + (int32_t)threadIdx.x;
    if (number >= CHUNK * VECTORS) {
      break;
    }
    const uint4 *row = places[number / VECTORS];
    const int32_t vector = number % VECTORS;
    rows.words[i] = kvf_read_once(row + vector);
    if (vector < KVF_DS_MLA_LATENT / 32) {
      const uint8_t *bytes = reinterpret_cast<const uint8_t *>(row);
      rows.scales[i] = (uint32_t)bytes[kvf_nvfp4_ds_mla_scale_at(2 * vector)] |
                       (uint32_t)bytes[kvf_nvfp4_ds_mla_scale_at(2 * vector + 1)] << 8;
    }
  }
  return rows;
}

/* Two elements of two codes. */
KVF_INLINE uint32_t decode(uint32_t codes) {
  return kvf_bf16x2_result(kvf_f32x2_from_fp8_e4m3(codes));
}

/* The elements of 16 codes. */
KVF_INLINE void put_codes(const uint4 &codes, uint32_t *to) {
  *reinterpret_cast<uint4 *>(to + 0) =
      make_uint4(decode(codes.x), decode(codes.x >> 16), decode(codes.y), decode(codes.y >> 16));
  *reinterpret_cast<uint4 *>(to + 4) =
      make_uint4(decode(codes.z), decode(codes.z >> 16), decode(codes.w), decode(codes.w >> 16));
}

/* The elements of 16 codes of 4 bits, times their scale. */
KVF_INLINE void put_group(uint32_t low, uint32_t high, uint32_t scale, uint32_t *to) {
  const float factor = kvf_f32_from_fp8_e4m3((uint8_t)scale);
  *reinterpret_cast<uint4 *>(to + 0) =
      make_uint4(kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(low), factor)),
                 kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(low >> 8), factor)),
                 kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(low >> 16), factor)),
                 kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(low >> 24), factor)));
  *reinterpret_cast<uint4 *>(to + 4) =
      make_uint4(kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(high), factor)),
                 kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(high >> 8), factor)),
                 kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(high >> 16), factor)),
                 kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(high >> 24), factor)));
}

/* Puts a chunk where all warps read it. */
KVF_INLINE void put(working_set &w, const loaded &rows) {
#pragma unroll
  for (int32_t i = 0; i < LOADS; ++i) {
    const int32_t number = i * THREADS + (int32_t)threadIdx.x;
    if (number >= CHUNK * VECTORS) {
      break;
    }
    uint32_t *row = w.cached[number / VECTORS];
    const int32_t vector = number % VECTORS;
    if (vector < KVF_NVFP4_DS_MLA_ROPE_AT / 16) {
      put_group(rows.words[i].x, rows.words[i].y, rows.scales[i], row + 16 * vector);
      put_group(rows.words[i].z, rows.words[i].w, rows.scales[i] >> 8, row + 16 * vector + 8);
    } else if (vector < KVF_NVFP4_DS_MLA_SCALES_AT / 16) {
      put_codes(rows.words[i],
                row + KVF_DS_MLA_LATENT / 2 + 8 * (vector - KVF_NVFP4_DS_MLA_ROPE_AT / 16));
    }
  }
}

KVF_INLINE void load_query(const kvf_paged_mla_decode_params &p, working_set &w) {
  const task &t = w.now;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
#pragma unroll 2
  for (int32_t row = (int32_t)threadIdx.x / WARP; row < ROWS; row += WARPS) {
    const uint16_t *from = static_cast<const uint16_t *>(p.query.data) +
                           w.rows[row].token * p.query.stride[0] +
                           w.rows[row].head * p.query.stride[1];
#pragma unroll
    for (int32_t i = lane; i < KVF_DS_MLA_ROW / 2; i += WARP) {
      const int64_t at = 2 * i * p.query.stride[2];
      w.query[row][i] =
          row < t.tile.rows ? (uint32_t)from[at] | (uint32_t)from[at + p.query.stride[2]] << 16 : 0;
    }
  }
}

/* The warp's part of query by rows. */
KVF_INLINE void score(working_set &w, int32_t warp, int32_t lane) {
  const int32_t tile = warp % TILES * 16;
  const int32_t first = warp / TILES * SCORES % CHUNK;
  const int32_t part = warp / TILES * SCORES / CHUNK;
  float sums[SCORES / 8][4] = {};
#pragma unroll 6
  for (int32_t step = 0; step < STEPS; ++step) {
    const int32_t word = (part * STEPS + step) * 8 + lane / 16 * 4;
    uint32_t query[4];
    kvf_load_16x16(query, &w.query[tile + lane % 16][word]);
#pragma unroll
    for (int32_t i = 0; i < SCORES / 16; ++i) {
      uint32_t keys[4];
      kvf_load_16x16(keys, &w.cached[first + 16 * i + lane % 16][word]);
      const uint32_t near[2] = {keys[0], keys[2]};
      const uint32_t far[2] = {keys[1], keys[3]};
      kvf_mma_bf16(sums[2 * i], query, near);
      kvf_mma_bf16(sums[2 * i + 1], query, far);
    }
  }
#pragma unroll
  for (int32_t i = 0; i < SCORES / 8; ++i) {
    float *to = &w.scores[part][tile + lane / 4][first + 8 * i + 2 * (lane % 4)];
    *reinterpret_cast<float2 *>(to) = make_float2(sums[i][0], sums[i][1]);
    *reinterpret_cast<float2 *>(to + 8 * SCORE_ROW) = make_float2(sums[i][2], sums[i][3]);
  }
}

/*
 * Turns the scores of a row into weights. `first` is the first position of the chunk; unless
 * `plain` some are not there, or some rows do not see some.
 */
KVF_INLINE void weigh(working_set &w, const uint4 *const (&places)[CHUNK], int32_t first,
                      float factor, bool plain, progress &now) {
  const int32_t row = (int32_t)threadIdx.x / SHARE;
  const int32_t from = (int32_t)threadIdx.x % SHARE * COLUMNS;
  float weights[COLUMNS];
  float largest = now.largest;
#pragma unroll
  for (int32_t i = 0; i < COLUMNS; ++i) {
    float sum = w.scores[0][row][from + i];
#pragma unroll
    for (int32_t part = 1; part < PARTS; ++part) {
      sum += w.scores[part][row][from + i];
    }
    weights[i] = sum * factor;
    if (!plain && (first + from + i >= w.rows[row].to || places[from + i] == nothing)) {
      weights[i] = KVF_NO_SCORE;
    }
    largest = fmaxf(largest, weights[i]);
  }
#pragma unroll
  for (int32_t distance = SHARE / 2; distance > 0; distance /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, distance));
  }
  const float base = kvf_score_base(largest);
  const float by = kvf_quick_exp2(now.largest - base);
  now.largest = largest;
  now.total *= by;
#pragma unroll
  for (int32_t i = 0; i < COLUMNS; ++i) {
    weights[i] = kvf_quick_exp2(weights[i] - base);
    now.total += weights[i];
  }
#pragma unroll
  for (int32_t i = 0; i < COLUMNS / 2; ++i) {
    w.weights[row][from / 2 + i] =
        kvf_bf16x2_result(make_float2(weights[2 * i], weights[2 * i + 1]));
  }
  if (threadIdx.x % SHARE == 0) {
    w.factors[row] = by;
  }
}

/* Adds the weights by the values, which are the first elements of the rows. */
KVF_INLINE void add(const working_set &w, int32_t warp, int32_t lane, progress &now) {
  float by[TILES][2];
  bool moved = false;
#pragma unroll
  for (int32_t tile = 0; tile < TILES; ++tile) {
    by[tile][0] = w.factors[16 * tile + lane / 4];
    by[tile][1] = w.factors[16 * tile + lane / 4 + 8];
    moved |= by[tile][0] != 1.0f || by[tile][1] != 1.0f;
  }
  if (__any_sync(ALL_LANES, moved)) {
#pragma unroll
    for (int32_t tile = 0; tile < TILES; ++tile) {
#pragma unroll
      for (int32_t column = 0; column < SUMS; ++column) {
#pragma unroll
        for (int32_t i = 0; i < 4; ++i) {
          now.sums[tile][column][i] *= by[tile][i / 2];
        }
      }
    }
  }
#pragma unroll
  for (int32_t step = 0; step < CHUNK / 16; ++step) {
    uint32_t weights[TILES][4];
#pragma unroll
    for (int32_t tile = 0; tile < TILES; ++tile) {
      kvf_load_16x16(weights[tile], &w.weights[16 * tile + lane % 16][8 * step + lane / 16 * 4]);
    }
#pragma unroll
    for (int32_t column = 0; column < SUMS; column += 2) {
      uint32_t four[4];
      kvf_transpose_16x16(
          four, &w.cached[16 * step + lane % 16][4 * (warp * SUMS + column) + lane / 16 * 4]);
      const uint32_t left[2] = {four[0], four[1]};
      const uint32_t right[2] = {four[2], four[3]};
#pragma unroll
      for (int32_t tile = 0; tile < TILES; ++tile) {
        kvf_mma_bf16(now.sums[tile][column], weights[tile], left);
        kvf_mma_bf16(now.sums[tile][column + 1], weights[tile], right);
      }
    }
  }
}

/* Stores what the warp has of all rows. */
KVF_INLINE void store(const kvf_paged_mla_decode_params &p, const working_set &w, int32_t warp,
                      int32_t lane, const progress &now, float scale) {
  const task &t = w.now;
  const bool whole = t.tile.splits == 1;
#pragma unroll
  for (int32_t half = 0; half < 2 * TILES; ++half) {
    const int32_t number = 8 * half + lane / 4;
    if (number >= t.tile.rows) {
      continue;
    }
    const row_of_tile &row = w.rows[number];
    const kvf_row_end end = end_row(w.largest[number], w.totals[number]);
    if (warp == 0 && lane % 4 == 0) {
      if (whole) {
        put_lse(p, row.token, row.head, end);
      } else {
        put_split(p, row, t.split, w.largest[number], w.totals[number]);
      }
    }
    /* One address that moves: 16 of them would take the registers that the sums are in. */
    const kvf_view &to = whole ? p.out : p.workspace;
    const int64_t step = to.stride[whole ? 2 : 3];
    int64_t at = row.token * to.stride[0] + row.head * to.stride[1] +
                 (whole ? 0 : t.split * to.stride[2]) +
                 (int64_t)(warp * SUMS * 8 + 2 * (lane % 4)) * step;
#pragma unroll
    for (int32_t column = 0; column < SUMS; ++column) {
#pragma unroll
      for (int32_t i = 0; i < 2; ++i) {
        const float sum = now.sums[half / 2][column][half % 2 * 2 + i];
        if (whole) {
          put_at(p, at + i * step, kvf_attention_result(sum, scale, end));
        } else {
          static_cast<float *>(p.workspace.data)[at + i * step] = sum;
        }
      }
      at += 8 * step;
    }
  }
}

/* One unit of work. The first warp finds the places of positions, a lane each. */
KVF_INLINE void attend(const kvf_paged_mla_decode_params &p, working_set &w) {
  const task &t = w.now;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  const int32_t warp = (int32_t)threadIdx.x / WARP;
  const float factor = p.scale * LOG2_E;
  uint32_t first = (uint32_t)t.tile.begin;
  find_rows(p, t, w.rows);
  if (warp == 0) {
    const uint4 *found = find_place(p, t, (int64_t)first + lane, ask(p, t, (int64_t)first + lane));
    w.places[0][lane] = found;
    w.whole[0] = __all_sync(ALL_LANES, found != nothing) != 0;
    w.blocks[lane] = ask(p, t, (int64_t)first + CHUNK + lane);
  }
  __syncthreads();
  load_query(p, w);
  loaded ahead = fetch(w.places[0]);
  const uint32_t all_to = (uint32_t)w.rows[0].to; /* the first token sees least */
  progress now = {};
  now.largest = KVF_NO_SCORE;
  int32_t turn = 0;
#pragma unroll 1
  while (first < (uint32_t)t.tile.end) { /* lengths are int32 */
    const uint32_t following = first + CHUNK;
    __syncthreads(); /* what was there is used */
    put(w, ahead);
    if (warp == 0) {
      const uint4 *found = find_place(p, t, (int64_t)following + lane, w.blocks[lane]);
      w.places[turn ^ 1][lane] = found;
      w.whole[turn ^ 1] = __all_sync(ALL_LANES, found != nothing) != 0;
      w.blocks[lane] = ask(p, t, (int64_t)following + CHUNK + lane); /* its own alone */
    }
    __syncthreads();
    ahead = fetch(w.places[turn ^ 1]);
    score(w, warp, lane);
    __syncthreads();
    weigh(w, w.places[turn], (int32_t)first, factor, w.whole[turn] && following <= all_to, now);
    __syncthreads();
    add(w, warp, lane, now);
    first = following;
    turn ^= 1;
  }
  float total = now.total;
#pragma unroll
  for (int32_t distance = SHARE / 2; distance > 0; distance /= 2) {
    total += __shfl_xor_sync(ALL_LANES, total, distance);
  }
  if (threadIdx.x % SHARE == 0) {
    w.largest[threadIdx.x / SHARE] = now.largest;
    w.totals[threadIdx.x / SHARE] = total;
  }
  __syncthreads();
  store(p, w, warp, lane, now, 1.0f);
}

/* Adds up the splits of a row, brought to the same base. */
KVF_INLINE void combine(const kvf_paged_mla_decode_params &p, int64_t token, int64_t head) {
  const int64_t sequence = kvf_sequence_of_token(&p, token);
  const int64_t within = token - kvf_query_start(&p, sequence);
  if (within < 0) {
    return;
  }
  const int64_t row = within * p.group + head;
  const kvf_attention_tile tile = kvf_find_tile(&p, sequence, row / ROWS, 0, ROWS);
  const int64_t splits = tile.splits;
  if (within >= tile.num_tokens || splits == 1) {
    return;
  }
  const int64_t stride = p.workspace.stride[2];
  const float *sums = split_row(p, token, head, 0);
  const float *scores = sums + (KVF_DS_MLA_LATENT + KVF_SPLIT_LARGEST) * p.workspace.stride[3];
  const float *totals = sums + (KVF_DS_MLA_LATENT + KVF_SPLIT_TOTAL) * p.workspace.stride[3];
  float largest = KVF_NO_SCORE;
#pragma unroll 8
  for (int64_t split = 0; split < splits; ++split) {
    largest = fmaxf(largest, scores[split * stride]);
  }
  const float base = kvf_score_base(largest);
  const float v_scale = 1.0f;
  for (int32_t i = (int32_t)threadIdx.x; i < KVF_DS_MLA_LATENT; i += THREADS) {
    float sum = 0.0f;
    float total = 0.0f;
#pragma unroll 8
    for (int64_t split = 0; split < splits; ++split) {
      const float factor = exp2f(scores[split * stride] - base);
      sum += factor * sums[split * stride + i * p.workspace.stride[3]];
      total += factor * totals[split * stride];
    }
    const kvf_row_end end = end_row(largest, total);
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
    kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla__r16__sm80(
        const __grid_constant__ kvf_paged_mla_decode_params p) {
  kvf_begin_kernel();
  KVF_DYNAMIC_SHARED(uint4, shared);
  working_set &w = *reinterpret_cast<working_set *>(shared);
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
