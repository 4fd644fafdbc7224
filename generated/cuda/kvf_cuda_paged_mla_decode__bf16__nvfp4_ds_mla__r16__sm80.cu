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
  TILES = ROWS / 16, /* of a matrix product */
  SCORERS = TILES,   /* warps, the first ones */
  ADDERS = WARPS - SCORERS,
  EACH = 4, /* positions that an adder copies */
  CHUNK = EACH * ADDERS,
  ROW_WORDS =
      KVF_DS_MLA_ROW / 2 + 4, /* two elements in a word; 8 rows begin in banks of their own */
  UNITS = KVF_DS_MLA_ROW / 8, /* of 16 bytes, of a row of elements */
  VECTORS = 22,               /* of 16 bytes, of a row in a page */
  STAGES = 2,                 /* chunks of codes, on their way */
  AHEAD = STAGES + 1,         /* and one whose codes become elements while another is scored */
  SLOTS = 3,                  /* chunks of elements: and one that is added */
  QUERY_SLOT = SLOTS - ROWS / CHUNK, /* the query passes through it and those behind */
  PLACES = AHEAD + 2,                /* chunks whose places are known */
  STEPS = KVF_DS_MLA_ROW / 16,       /* of a score, 16 elements each */
  KEPT = 32,            /* steps whose query is in registers: as many as need no spills */
  SCORES = CHUNK / 8,   /* products whose sums are the scores of a chunk */
  STRANDS = 4 / SCORES, /* that add up a score: the next product need not wait for the one before */
  HELD = TILES,         /* of which an adder has sums: all */
  SHARES = TILES / HELD,                           /* adders that have the same columns */
  SUMS = KVF_DS_MLA_LATENT / 8 / (ADDERS / SHARES) /* products of a tile, side by side */
};

/* Blocks of a multiprocessor that the registers are shared out for. */
enum { BLOCKS = 2 };

#define ALL_LANES 0xFFFFFFFFu
#define ALL_THERE (ALL_LANES >> (WARP - CHUNK))
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

/* What a scorer's lane has so far of a row, for which it has no registers left. */
struct online_row {
  float largest; /* score */
  float total;   /* of the weights of its own columns */
};

/* What the threads of a block share. */
struct __align__(16) working_set {
  uint32_t cached[SLOTS][CHUNK][ROW_WORDS];
  uint4 query[STEPS - KEPT][SCORERS * WARP]; /* what a scorer has no registers left for */
  uint4 weights[2][CHUNK / 16][TILES]
               [WARP];                 /* of two chunks in turn, as the matrix product takes them */
  uint4 codes[STAGES][CHUNK][VECTORS]; /* rows as they lie in pages; an adder's own */
  row_of_tile rows[ROWS];
  online_row online[2][SCORERS * WARP]; /* of rows lane div 4 and 8 below */
  const uint4 *places[PLACES][CHUNK];
  int64_t blocks[WARP];   /* that were asked for, of the chunk behind */
  float factors[2][ROWS]; /* what the sums so far are to be multiplied by, of two chunks in turn */
  float largest[ROWS];    /* score, at the end */
  float totals[ROWS];     /* of the weights, at the end */
  uint32_t chunks;
  uint32_t there[PLACES]; /* a bit for each position of a chunk */
  task now;
};
static_assert(sizeof(working_set) <= KVF_LATENT_FEW_BYTES, "a launch asks for more");

/* What a thread keeps: an adder sums, as the matrix product has them, a scorer the bits of its
 * query. */
struct progress {
  float kept[KEPT][4];
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

/* Lanes find the places of a chunk's positions, one each, and ask for blocks of the next, which are
 * returned: what is asked for is long on its way. */
KVF_INLINE int64_t locate(const kvf_paged_mla_decode_params &p, working_set &w, uint32_t chunk,
                          int32_t lane) {
  const int64_t position = w.now.tile.begin + (int64_t)chunk * CHUNK + lane;
  const bool has = lane < CHUNK;
  const uint4 *found = has ? find_place(p, w.now, position, w.blocks[lane]) : nothing;
  const uint32_t there = __ballot_sync(ALL_LANES, found != nothing);
  if (has) {
    w.places[chunk % PLACES][lane] = found;
    w.there[chunk % PLACES] = there;
  }
  return has ? ask(p, w.now, position + CHUNK) : 0;
}

/* Where 8 elements of a position of a chunk lie. */
KVF_INLINE uint4 *unit_of(working_set &w, uint32_t chunk, int32_t position, int32_t unit) {
  return reinterpret_cast<uint4 *>(&w.cached[chunk % SLOTS][position][4 * unit]);
}

/* And of a row of the query, until it is kept. */
KVF_INLINE uint4 *query_unit(working_set &w, int32_t row, int32_t unit) {
  return reinterpret_cast<uint4 *>(&w.cached[QUERY_SLOT][0][0] + row * ROW_WORDS + 4 * unit);
}

/* The query, where chunks will lie: by whole units, if it lies so. */
KVF_INLINE void load_query(const kvf_paged_mla_decode_params &p, working_set &w) {
  const uint16_t *query = static_cast<const uint16_t *>(p.query.data);
  const bool whole =
      p.query.stride[2] == 1 &&
      ((uintptr_t)query / 2 | (uint64_t)p.query.stride[0] | (uint64_t)p.query.stride[1]) % 8 == 0;
#pragma unroll 1
  for (int32_t i = (int32_t)threadIdx.x; i < ROWS * UNITS; i += THREADS) {
    const int32_t row = i / UNITS;
    const int32_t unit = i % UNITS;
    const uint16_t *from =
        query + w.rows[row].token * p.query.stride[0] + w.rows[row].head * p.query.stride[1];
    if (whole && row < w.now.tile.rows) {
      kvf_copy_async(query_unit(w, row, unit), from + 8 * unit);
      continue;
    }
    uint32_t words[4] = {};
#pragma unroll
    for (int32_t k = 0; k < 8 && row < w.now.tile.rows; ++k) {
      words[k / 2] |= (uint32_t)from[(8 * unit + k) * p.query.stride[2]] << 16 * (k % 2);
    }
    *query_unit(w, row, unit) = make_uint4(words[0], words[1], words[2], words[3]);
  }
  kvf_wait_for_copies();
}

/* A scorer's rows of it, for as long as the tile takes. */
KVF_INLINE void keep_query(working_set &w, int32_t warp, int32_t lane, progress &now) {
#pragma unroll
  for (int32_t step = 0; step < STEPS; ++step) {
    uint32_t query[4];
    kvf_load_16x16(query, query_unit(w, 16 * warp + lane % 16, 2 * step + lane / 16));
    if (step >= KEPT) {
      w.query[step - KEPT][threadIdx.x] = make_uint4(query[0], query[1], query[2], query[3]);
      continue;
    }
#pragma unroll
    for (int32_t i = 0; i < 4; ++i) {
      now.kept[step][i] = kvf_float(query[i]);
    }
  }
}

/* An adder asks for its positions of a chunk, whatever there is of it. */
KVF_INLINE void ask_for_rows(working_set &w, uint32_t chunk, int32_t adder, int32_t lane) {
  if (chunk < w.chunks) {
#pragma unroll
    for (int32_t position = EACH * adder; position < EACH * adder + EACH; ++position) {
      const uint4 *from = w.places[chunk % PLACES][position];
#pragma unroll
      for (int32_t i = lane; i < VECTORS; i += WARP) {
        kvf_copy_async(&w.codes[chunk % STAGES][position][i], from + i);
      }
    }
  }
  kvf_end_copies();
}

/* Two elements of two codes. */
KVF_INLINE uint32_t decode(uint32_t codes) {
  return kvf_bf16x2_result(kvf_f32x2_from_fp8_e4m3(codes));
}

/* Waits for the adder's positions of the oldest chunk that is on its way, and makes elements of
 * them, 8 by a lane at a time. */
KVF_INLINE void take(working_set &w, uint32_t chunk, int32_t adder, int32_t lane) {
  enum { RUN = 8, LATENT_RUNS = KVF_DS_MLA_LATENT / RUN, TURNS = LATENT_RUNS / WARP };
  kvf_wait_for_earlier_copies();
  __syncwarp();
  if (chunk < w.chunks) {
    uint4(*rows)[VECTORS] = &w.codes[chunk % STAGES][EACH * adder];
#pragma unroll 1
    for (int32_t position = 0; position < EACH; ++position) {
#pragma unroll
      for (int32_t turn = 0; turn < TURNS; ++turn) {
        const int32_t run = turn * WARP + lane;
        const uint32_t codes = reinterpret_cast<const uint32_t *>(rows[position])[run];
        const float scale = kvf_f32_from_fp8_e4m3(
            reinterpret_cast<const uint8_t *>(rows[position])[kvf_nvfp4_ds_mla_scale_at(run / 2)]);
        *unit_of(w, chunk, EACH * adder + position, run) =
            make_uint4(kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(codes), scale)),
                       kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(codes >> 8), scale)),
                       kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(codes >> 16), scale)),
                       kvf_bf16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(codes >> 24), scale)));
      }
    }
    const int32_t position = lane / RUN; /* 8 runs of the rope part */
    uint4 *elements = unit_of(w, chunk, EACH * adder + position, LATENT_RUNS + lane % RUN);
    const uint2 codes =
        reinterpret_cast<const uint2 *>(rows[position])[KVF_NVFP4_DS_MLA_ROPE_AT / 8 + lane % RUN];
    *elements =
        make_uint4(decode(codes.x), decode(codes.x >> 16), decode(codes.y), decode(codes.y >> 16));
  }
  __syncwarp(); /* the codes are read, by all lanes */
}

/* A scorer's part of query by rows: scores[i] is the product of its rows by positions 8 i and on.
 */
KVF_INLINE void score(const working_set &w, uint32_t chunk, int32_t lane, const progress &now,
                      float (&scores)[SCORES][4]) {
  const uint32_t *keys = &w.cached[chunk % SLOTS][lane % 8 + lane / 16 * 8][lane / 8 % 2 * 4];
  float sums[STRANDS][SCORES][4] = {};
#pragma unroll
  for (int32_t step = 0; step < STEPS; ++step) {
    const float *kept = now.kept[step % KEPT];
    const uint4 words = step < KEPT ? make_uint4(kvf_bits(kept[0]), kvf_bits(kept[1]),
                                                 kvf_bits(kept[2]), kvf_bits(kept[3]))
                                    : w.query[step - KEPT][threadIdx.x];
    const uint32_t query[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
    for (int32_t i = 0; i < SCORES; i += 2) {
      uint32_t four[4];
      kvf_load_16x16(four, keys + 8 * i * ROW_WORDS + 8 * step);
      const uint32_t near[2] = {four[0], four[1]};
      const uint32_t far[2] = {four[2], four[3]};
      kvf_mma_bf16(sums[step % STRANDS][i], query, near);
      kvf_mma_bf16(sums[step % STRANDS][i + 1], query, far);
    }
  }
#pragma unroll
  for (int32_t i = 0; i < 4 * SCORES; ++i) {
    scores[i / 4][i % 4] = sums[0][i / 4][i % 4] + sums[1][i / 4][i % 4];
  }
}

/* Turns a scorer's scores into weights. */
KVF_INLINE void weigh(const kvf_paged_mla_decode_params &p, working_set &w, uint32_t chunk,
                      float (&scores)[SCORES][4], int32_t warp, int32_t lane) {
  const float factor = p.scale * LOG2_E;
  const uint32_t first = (uint32_t)w.now.tile.begin + chunk * CHUNK;
  const uint32_t there = w.there[chunk % PLACES];
  const bool plain = there == ALL_THERE &&
                     first + CHUNK <= (uint32_t)w.rows[0].to; /* the first token sees least */
  uint32_t words[CHUNK / 16][4];
#pragma unroll
  for (int32_t half = 0; half < 2; ++half) {
    const int32_t row = 16 * warp + 8 * half + lane / 4;
    const uint32_t to = (uint32_t)w.rows[row].to;
    const uint32_t sees = to <= first          ? 0
                          : to - first < CHUNK ? (1u << (to - first)) - 1
                                               : ALL_LANES;
    const uint32_t seen = (sees & there) >> 2 * (lane % 4); /* of the lane's columns */
    online_row &online = w.online[half][threadIdx.x];
    const float before = online.largest;
    float largest = before;
#pragma unroll
    for (int32_t i = 0; i < 2 * SCORES; ++i) {
      float &score = scores[i / 2][2 * half + i % 2];
      score *= factor;
      if (!plain && (seen >> (i / 2 * 8 + i % 2) & 1) == 0) {
        score = KVF_NO_SCORE;
      }
      largest = fmaxf(largest, score);
    }
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, 2));
    const float base = kvf_score_base(largest);
    const float by = kvf_quick_exp2(before - base);
    float total = online.total * by;
#pragma unroll
    for (int32_t i = 0; i < SCORES; ++i) {
      const float2 two = make_float2(kvf_quick_exp2(scores[i][2 * half] - base),
                                     kvf_quick_exp2(scores[i][2 * half + 1] - base));
      total += two.x + two.y;
      words[i / 2][i % 2 * 2 + half] = kvf_bf16x2_result(two);
    }
    online = {largest, total};
    if (lane % 4 == 0) {
      w.factors[chunk % 2][row] = by;
    }
  }
#pragma unroll
  for (int32_t step = 0; step < CHUNK / 16;
       ++step) { /* sums of a product are placed as what another takes */
    w.weights[chunk % 2][step][warp][lane] =
        make_uint4(words[step][0], words[step][1], words[step][2], words[step][3]);
  }
}

/* Brings an adder's sums to the base of a chunk's weights. */
KVF_INLINE void rebase(const working_set &w, uint32_t chunk, int32_t adder, int32_t lane,
                       progress &now) {
  const float *factors = &w.factors[chunk % 2][16 * (adder % SHARES) + lane / 4];
  float by[HELD][2];
  bool moved = false;
#pragma unroll
  for (int32_t tile = 0; tile < HELD; ++tile) {
    by[tile][0] = factors[16 * tile];
    by[tile][1] = factors[16 * tile + 8];
    moved |= by[tile][0] != 1.0f || by[tile][1] != 1.0f;
  }
  if (__any_sync(ALL_LANES, moved)) {
#pragma unroll
    for (int32_t i = 0; i < HELD * SUMS * 4; ++i) {
      now.kept[i / 4][i % 4] *= by[i / 4 / SUMS][i % 4 / 2];
    }
  }
}

/* Adds the weights by the values, which are the first elements of the rows. */
KVF_INLINE void add(const working_set &w, uint32_t chunk, int32_t adder, int32_t lane,
                    progress &now) {
#pragma unroll 1
  for (int32_t step = 0; step < CHUNK / 16;
       ++step) { /* two side by side want more registers than there are */
    uint32_t weights[TILES][4];
#pragma unroll
    for (int32_t tile = 0; tile < TILES; ++tile) {
      const uint4 words = w.weights[chunk % 2][step][tile][lane];
      weights[tile][0] = words.x;
      weights[tile][1] = words.y;
      weights[tile][2] = words.z;
      weights[tile][3] = words.w;
    }
#pragma unroll
    for (int32_t column = 0; column < SUMS; column += 2) {
      uint32_t four[4];
      kvf_transpose_16x16(four, &w.cached[chunk % SLOTS][16 * step + lane % 16]
                                         [4 * (adder * SUMS + column) + lane / 16 * 4]);
      const uint32_t left[2] = {four[0], four[1]};
      const uint32_t right[2] = {four[2], four[3]};
#pragma unroll
      for (int32_t tile = 0; tile < TILES; ++tile) {
        kvf_mma_bf16(now.kept[tile * SUMS + column], weights[tile], left);
        kvf_mma_bf16(now.kept[tile * SUMS + column + 1], weights[tile], right);
      }
    }
  }
}

/* A scorer sets down how its rows end. */
KVF_INLINE void end_rows(working_set &w, int32_t warp, int32_t lane) {
#pragma unroll
  for (int32_t half = 0; half < 2; ++half) {
    const online_row &online = w.online[half][threadIdx.x];
    float total = online.total;
    total += __shfl_xor_sync(ALL_LANES, total, 1);
    total += __shfl_xor_sync(ALL_LANES, total, 2);
    if (lane % 4 == 0) {
      w.largest[16 * warp + 8 * half + lane / 4] = online.largest;
      w.totals[16 * warp + 8 * half + lane / 4] = total;
    }
  }
}

/* Stores what an adder has of all rows. */
KVF_INLINE void store(const kvf_paged_mla_decode_params &p, const working_set &w, int32_t adder,
                      int32_t lane, const progress &now, float scale) {
  const task &t = w.now;
  const bool whole = t.tile.splits == 1;
#pragma unroll
  for (int32_t half = 0; half < 2 * HELD; ++half) {
    const int32_t number = 16 * (adder % SHARES) + 8 * half + lane / 4;
    if (number >= t.tile.rows) {
      continue;
    }
    const row_of_tile &row = w.rows[number];
    const kvf_row_end end = end_row(w.largest[number], w.totals[number]);
    if (adder < SHARES && lane % 4 == 0) {
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
                 (int64_t)(adder / SHARES * SUMS * 8 + 2 * (lane % 4)) * step;
#pragma unroll
    for (int32_t column = 0; column < SUMS; ++column) {
#pragma unroll
      for (int32_t i = 0; i < 2; ++i) {
        const float sum = now.kept[half / 2 * SUMS + column][half % 2 * 2 + i];
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

/* What a warp does between two barriers. */
KVF_INLINE void step(const kvf_paged_mla_decode_params &p, working_set &w, uint32_t chunk,
                     progress &now) {
  const int32_t lane = (int32_t)(kvf_thread_anew() % WARP);
  const int32_t warp = __shfl_sync(ALL_LANES, (int32_t)threadIdx.x / WARP,
                                   0); /* the same in all lanes, as the compiler sees */
  const int32_t adder = warp - SCORERS;
  if (adder < 0) {
    if (chunk < w.chunks) {
      float scores[SCORES][4];
      score(w, chunk, lane, now, scores);
      weigh(p, w, chunk, scores, warp, lane);
    }
    return;
  }
  const int64_t block = adder == 0 ? locate(p, w, chunk + AHEAD + 1, lane) : 0;
  if (chunk > 0) {
    rebase(w, chunk - 1, adder, lane, now);
    add(w, chunk - 1, adder, lane, now);
  }
  if (adder == 0) {
    w.blocks[lane] = block;
  }
  take(w, chunk + 1, adder, lane);
  ask_for_rows(w, chunk + AHEAD, adder, lane);
}

/* One unit of work. */
KVF_INLINE void attend(const kvf_paged_mla_decode_params &p, working_set &w) {
  const task &t = w.now;
  const int32_t lane = (int32_t)(kvf_thread_anew() % WARP);
  const int32_t warp = __shfl_sync(ALL_LANES, (int32_t)threadIdx.x / WARP,
                                   0);  /* the same in all lanes, as the compiler sees */
  const int32_t adder = warp - SCORERS; /* below 0: it is none */
  find_rows(p, t, w.rows);
  if (threadIdx.x == 0) {
    w.chunks = (uint32_t)((t.tile.end - t.tile.begin + CHUNK - 1) / CHUNK); /* lengths are int32 */
  }
  if (adder == 0) {
    w.blocks[lane] = ask(p, t, t.tile.begin + lane);
#pragma unroll
    for (uint32_t chunk = 0; chunk <= AHEAD; ++chunk) {
      w.blocks[lane] = locate(p, w, chunk, lane);
    }
  }
  __syncthreads();
  if (adder >= 0) {
#pragma unroll
    for (uint32_t chunk = 0; chunk < STAGES; ++chunk) {
      ask_for_rows(w, chunk, adder, lane);
    }
  }
  load_query(p, w);
  __syncthreads();
  progress now = {};
  if (adder < 0) {
    w.online[0][threadIdx.x] = w.online[1][threadIdx.x] = {KVF_NO_SCORE, 0.0f};
    keep_query(w, warp, lane, now);
  } else {
    take(w, 0, adder, lane);
    ask_for_rows(w, STAGES, adder, lane);
  }
#pragma unroll 1
  for (uint32_t chunk = 0; chunk <= w.chunks; ++chunk) {
    __syncthreads(); /* the chunk is there, and the weights of the one before; the one before that
                        is added */
    step(p, w, chunk, now);
  }
  if (adder < 0) {
    end_rows(w, warp, lane);
  }
  __syncthreads();
  if (adder >= 0) {
    store(p, w, adder, lane, now, 1.0f);
  }
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

/* A warp adds up its elements of the splits of a row, brought to the same base. */
template <int32_t ROW_WARPS>
KVF_INLINE void combine(const kvf_paged_mla_decode_params &p, int64_t row, int32_t part) {
  enum {
    EACH = KVF_DS_MLA_LATENT / ROW_WARPS / WARP, /* elements of a lane */
    TOGETHER = 64 / EACH                         /* splits that are asked for at a time */
  };
  const int64_t token = kvf_divide(row, p.by_group);
  const int64_t head = row - token * p.group;
  const int64_t sequence = kvf_sequence_of_token(&p, token);
  const int64_t within = token - kvf_query_start(&p, sequence);
  if (within < 0) {
    return;
  }
  const kvf_attention_tile tile =
      kvf_find_tile(&p, sequence, (within * p.group + head) / ROWS, 0, ROWS);
  const int32_t splits = (int32_t)tile.splits;
  if (within >= tile.num_tokens || splits == 1) {
    return;
  }
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  const int32_t first = part * EACH * WARP + lane;
  const int64_t stride = p.workspace.stride[2];
  const int64_t step = WARP * p.workspace.stride[3];
  const float *from = split_row(p, token, head, 0);
  const float *scores = from + (KVF_DS_MLA_LATENT + KVF_SPLIT_LARGEST) * p.workspace.stride[3];
  const float *totals = from + (KVF_DS_MLA_LATENT + KVF_SPLIT_TOTAL) * p.workspace.stride[3];
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
  const kvf_row_end end = end_row(largest, total);
  if (first == 0) {
    put_lse(p, token, head, end);
  }
#pragma unroll
  for (int32_t i = 0; i < EACH; ++i) {
    put_result(p, token, head, first + i * WARP, kvf_attention_result(sums[i], 1.0f, end));
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
    const int32_t row_warps = kvf_latent_row_warps(p.splits);
    const int64_t warps = blockDim.x / WARP;
    for (int64_t unit = blockIdx.x * warps + threadIdx.x / WARP;
         unit < p.split_tokens * p.num_q_heads * row_warps; unit += gridDim.x * warps) {
      if (row_warps == KVF_LATENT_ROW_WARPS) {
        combine<KVF_LATENT_ROW_WARPS>(p, unit / KVF_LATENT_ROW_WARPS,
                                      (int32_t)(unit % KVF_LATENT_ROW_WARPS));
      } else {
        combine<KVF_LATENT_MANY_ROW_WARPS>(p, unit / KVF_LATENT_MANY_ROW_WARPS,
                                           (int32_t)(unit % KVF_LATENT_MANY_ROW_WARPS));
      }
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
