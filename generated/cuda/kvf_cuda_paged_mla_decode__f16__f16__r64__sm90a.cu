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
#include "kvforge/cuda_wgmma.cuh"

/* As runtime/ops/paged_mla_decode.c launches it. */
enum { THREADS = KVF_LATENT_MANY_THREADS, ROWS = KVF_LATENT_MANY_ROWS };

enum {
  WARP = 32,
  GROUP = 4 * WARP, /* threads that multiply as one */
  CHUNK = 64,
  UNITS = KVF_DS_MLA_ROW / 8,       /* of 16 bytes, of a row of elements */
  HALF = KVF_DS_MLA_LATENT / 8 / 2, /* units of a half of the values, which is a group's */
  VECTORS = UNITS,                  /* of 16 bytes, of a row in a page */
  STEPS = KVF_DS_MLA_ROW / 16,      /* of a score, 16 elements each */
  SCORES = CHUNK / 8,               /* products whose sums are the scores of a chunk */
  SUMS = HALF                       /* products of a group, side by side */
};

/* Registers of a thread: what a launch gives all, and then of one that multiplies and of one that
 * fills. */
enum { REGISTERS = 168, MULTIPLY_REGISTERS = 208, FILL_REGISTERS = 88 };

/* Barriers, of slots and halves, and who they are for. */
enum {
  FULL = 1,      /* of 2 slots, of 2 halves: fillers and the leader */
  EMPTY = 5,     /* the same: the half's group and fillers */
  WEIGHTS = 9,   /* of 2 slots: leader and follower */
  GROUPS = 11,   /* both */
  STORED = 12,   /* of 2 groups: one */
  FILLERS = WARP /* threads that fill a half of a slot */
};

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
struct __align__(1024) working_set {
  uint4 cached[2][UNITS / 8][CHUNK][8]; /* as the matrix product takes it: see unit_of() */
  uint4 query[UNITS / 8][ROWS][8];      /* the same */
  uint4 weights[CHUNK / 16][GROUP];     /* as the matrix product takes them */
  row_of_tile rows[ROWS];
  float factors[ROWS];  /* what the sums so far are to be multiplied by */
  float largest[ROWS];  /* score so far */
  float totals[ROWS];   /* of the weights, at the end */
  uint32_t there[2][2]; /* a bit for each position of a chunk */
  task now;
};
static_assert(sizeof(working_set) <= KVF_LATENT_WIDE_BYTES, "a launch asks for more");

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
  static_cast<uint16_t *>(p.out.data)[at] = kvf_f16_result(result);
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
                                   int64_t position, int64_t block, bool counts) {
  if (position >= t.tile.end) {
    return nothing;
  }
  const int64_t offset = offset_of(p, position);
  if (block >= 0 && block < p.num_blocks) {
    return reinterpret_cast<const uint4 *>(static_cast<const uint16_t *>(p.kv_cache.data) +
                                           block * p.kv_cache.stride[0] +
                                           offset * p.kv_cache.stride[1]);
  }
  if (counts) {
    count_fault(p, t, position, offset);
  }
  return nothing;
}

/* The place that a lane has found. */
KVF_INLINE const uint4 *place_of(const uint4 *place, int32_t lane) {
  return reinterpret_cast<const uint4 *>(__shfl_sync(ALL_LANES, (unsigned long long)place, lane));
}

/* Where 8 elements of a position in a slot lie. */
KVF_INLINE uint4 *unit_of(working_set &w, uint32_t slot, int32_t position, int32_t unit) {
  return &w.cached[slot][unit / 8][position][kvf_place_of_unit(position, unit % 8)];
}

/* And of a row of the query. */
KVF_INLINE uint4 *query_unit(working_set &w, int32_t row, int32_t unit) {
  return &w.query[unit / 8][row][kvf_place_of_unit(row, unit % 8)];
}

/* The query, by whole units, if it lies so. */
KVF_INLINE void load_query(const kvf_paged_mla_decode_params &p, working_set &w) {
  const uint16_t *query = static_cast<const uint16_t *>(p.query.data);
  const bool whole =
      p.query.stride[2] == 1 &&
      ((uintptr_t)query / 2 | (uint64_t)p.query.stride[0] | (uint64_t)p.query.stride[1]) % 8 == 0;
#pragma unroll 1
  for (int32_t i = (int32_t)threadIdx.x; i < ROWS * UNITS; i += 2 * GROUP) {
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
  kvf_show_to_wgmma();
}

/* What a warp does that fills a half of a slot. */
KVF_INLINE void fill(const kvf_paged_mla_decode_params &p, working_set &w, uint32_t chunks,
                     uint32_t slot, uint32_t half, int32_t lane) {
  const task &t = w.now;
  int64_t blocks[2];
#pragma unroll
  for (int32_t i = 0; i < 2; ++i) {
    blocks[i] = ask(p, t, t.tile.begin + (int64_t)slot * CHUNK + i * WARP + lane);
  }
#pragma unroll 1
  for (uint32_t chunk = slot; chunk < chunks; chunk += 2) {
    const uint4 *places[2];
#pragma unroll
    for (int32_t i = 0; i < 2; ++i) {
      const int64_t position = t.tile.begin + (int64_t)chunk * CHUNK + i * WARP + lane;
      places[i] = find_place(p, t, position, blocks[i], half == 0);
      blocks[i] = ask(p, t, position + 2 * CHUNK);
    }
    if (chunk >= 2) {
      kvf_meet(EMPTY + 2 * slot + half, FILLERS + GROUP);
    }
#pragma unroll
    for (int32_t i = 0; i < 2; ++i) {
      const uint32_t there = __ballot_sync(ALL_LANES, places[i] != nothing);
      if (half == 0 && lane == 0) {
        w.there[slot][i] = there;
      }
#pragma unroll
      for (int32_t four = 0; four < WARP; four += 4) { /* positions, of 8 units each at a time */
        const int32_t position = four + lane / 8;
        const uint4 *from = place_of(places[i], position) + half * HALF + lane % 8;
        uint4 *to = unit_of(w, slot, i * WARP + position, (int32_t)half * HALF + lane % 8);
#pragma unroll
        for (int32_t part = 0; part < HALF / 8; ++part) {
          kvf_copy_async(to + part * (CHUNK * 8), from + part * 8);
        }
        if (half == 1) { /* and the rope part */
          kvf_copy_async(to + HALF / 8 * (CHUNK * 8), from + HALF);
        }
      }
    }
    kvf_wait_for_copies();
    kvf_show_to_wgmma();
    kvf_arrive(FULL + 2 * slot + half, FILLERS + GROUP);
  }
}

/* Query by rows of the chunk in a slot: scores[i] is the product of the group's rows by positions 8
 * i and on. */
KVF_INLINE void score(const working_set &w, uint32_t slot, float (&scores)[SCORES][4]) {
  kvf_begin_wgmma();
#pragma unroll
  for (int32_t step = 0; step < STEPS; ++step) {
    kvf_wgmma_64_rows_f16(scores, w.query, w.cached[slot],
                          step / 4 * sizeof w.query[0] + step % 4 * 2 * sizeof(uint4));
  }
  kvf_commit_wgmma();
  kvf_end_wgmma(scores, CHUNK);
}

/* Turns scores into weights, as the matrix product takes them: `by` is what the sums so far are to
 * be multiplied by, of rows lane div 4 and 8 below. */
KVF_INLINE void weigh(const kvf_paged_mla_decode_params &p, working_set &w, uint32_t chunk,
                      float (&scores)[SCORES][4], int32_t warp, int32_t lane,
                      uint32_t (&words)[CHUNK / 16][4], float (&by)[2], float (&totals)[2]) {
  const float factor = p.scale * LOG2_E;
  const uint32_t first = (uint32_t)w.now.tile.begin + chunk * CHUNK;
  const uint64_t there = (uint64_t)w.there[chunk % 2][1] << 32 | w.there[chunk % 2][0];
  const bool plain =
      there == ~0ULL && first + CHUNK <= (uint32_t)w.rows[0].to; /* the first token sees least */
#pragma unroll
  for (int32_t half = 0; half < 2; ++half) {
    const int32_t row = 16 * warp + 8 * half + lane / 4;
    const float before = w.largest[row];
    float largest = before;
    if (!plain) {
      const uint32_t to = (uint32_t)w.rows[row].to;
      const uint64_t sees = to <= first          ? 0
                            : to - first < CHUNK ? (1ULL << (to - first)) - 1
                                                 : ~0ULL;
      const uint64_t seen = (sees & there) >> 2 * (lane % 4); /* of the lane's columns */
#pragma unroll
      for (int32_t i = 0; i < 2 * SCORES; ++i) {
        if ((seen >> (i / 2 * 8 + i % 2) & 1) == 0) {
          scores[i / 2][2 * half + i % 2] = KVF_NO_SCORE; /* the factor is positive */
        }
      }
    }
#pragma unroll
    for (int32_t i = 0; i < 2 * SCORES; ++i) {
      float &score = scores[i / 2][2 * half + i % 2];
      score *= factor;
      largest = fmaxf(largest, score);
    }
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, 2));
    const float base = kvf_score_base(largest);
    by[half] = kvf_quick_exp2(before - base);
    float total = totals[half] * by[half];
#pragma unroll
    for (int32_t i = 0; i < SCORES; ++i) {
      const float2 two = make_float2(kvf_quick_exp2(scores[i][2 * half] - base),
                                     kvf_quick_exp2(scores[i][2 * half + 1] - base));
      total += two.x + two.y;
      words[i / 2][i % 2 * 2 + half] = kvf_f16x2_result(two);
    }
    totals[half] = total;
    if (lane % 4 == 0) {
      w.largest[row] = largest;
      w.factors[row] = by[half];
    }
  }
}

/* Adds weights by a half of a chunk's values to sums that are brought to their base. */
KVF_INLINE void add(const working_set &w, uint32_t slot, uint32_t half,
                    const uint32_t (&weights)[CHUNK / 16][4], const float (&by)[2],
                    float (&sums)[SUMS][4]) {
  if (__any_sync(ALL_LANES, by[0] != 1.0f || by[1] != 1.0f)) {
#pragma unroll
    for (int32_t i = 0; i < SUMS * 4; ++i) {
      sums[i / 4][i % 4] *= by[i % 4 / 2];
    }
  }
  kvf_begin_wgmma();
#pragma unroll
  for (int32_t step = 0; step < CHUNK / 16; ++step) {
    kvf_wgmma_f16(sums, weights[step], w.cached[slot][half * HALF / 8][16 * step],
                  sizeof w.cached[0][0]);
  }
  kvf_commit_wgmma();
  kvf_end_wgmma(sums, 8 * SUMS);
}

/* A group's turn: it scores a chunk, leaves the weights to the other group, and adds its half. */
template <uint32_t GROUP_OF>
KVF_INLINE void lead(const kvf_paged_mla_decode_params &p, working_set &w, uint32_t chunk,
                     bool last, int32_t warp, int32_t lane, float (&totals)[2],
                     float (&sums)[SUMS][4]) {
  float scores[SCORES][4] = {};
  kvf_meet(FULL + 2 * GROUP_OF, FILLERS + GROUP);
  kvf_meet(FULL + 2 * GROUP_OF + 1, FILLERS + GROUP);
  score(w, GROUP_OF, scores);
  uint32_t weights[CHUNK / 16][4];
  float by[2];
  weigh(p, w, chunk, scores, warp, lane, weights, by, totals);
#pragma unroll
  for (int32_t step = 0; step < CHUNK / 16; ++step) {
    w.weights[step][warp * WARP + lane] =
        make_uint4(weights[step][0], weights[step][1], weights[step][2], weights[step][3]);
  }
  kvf_arrive(WEIGHTS + GROUP_OF, 2 * GROUP);
  add(w, GROUP_OF, GROUP_OF, weights, by, sums);
  if (!last) {
    kvf_arrive(EMPTY + 2 * GROUP_OF + GROUP_OF, FILLERS + GROUP);
  }
}

/* The other's turn: with the weights it adds its half. */
template <uint32_t GROUP_OF>
KVF_INLINE void follow(working_set &w, bool last, int32_t warp, int32_t lane, float (&totals)[2],
                       float (&sums)[SUMS][4]) {
  enum { SLOT = 1 - GROUP_OF };
  uint32_t weights[CHUNK / 16][4];
  float by[2];
  kvf_meet(WEIGHTS + SLOT, 2 * GROUP);
#pragma unroll
  for (int32_t step = 0; step < CHUNK / 16; ++step) {
    const uint4 words = w.weights[step][warp * WARP + lane];
    weights[step][0] = words.x;
    weights[step][1] = words.y;
    weights[step][2] = words.z;
    weights[step][3] = words.w;
  }
#pragma unroll
  for (int32_t half = 0; half < 2; ++half) {
    by[half] = w.factors[16 * warp + 8 * half + lane / 4];
    totals[half] *= by[half];
  }
  add(w, SLOT, GROUP_OF, weights, by, sums);
  if (!last) {
    kvf_arrive(EMPTY + 2 * SLOT + GROUP_OF, FILLERS + GROUP);
  }
}

/* Stores what a group has of all rows: its warps put them side by side, where nothing is cached any
 * more, and take turns with them. */
KVF_INLINE void store(const kvf_paged_mla_decode_params &p, working_set &w, int32_t group,
                      int32_t warp, int32_t lane, const float (&sums)[SUMS][4]) {
  enum { RUN = 8 * SUMS, PADDED = RUN + 8 /* rows begin in banks of their own */ };
  static_assert(ROWS * PADDED * sizeof(float) <= sizeof w.cached[0],
                "a slot has room for a group's sums");
  const task &t = w.now;
  const bool whole = t.tile.splits == 1;
  float *rows = reinterpret_cast<float *>(w.cached[group]);
#pragma unroll
  for (int32_t i = 0; i < 2 * SUMS; ++i) {
    float *to = rows + (16 * warp + i % 2 * 8 + lane / 4) * PADDED + i / 2 * 8 + 2 * (lane % 4);
    *reinterpret_cast<float2 *>(to) =
        make_float2(sums[i / 2][i % 2 * 2], sums[i / 2][i % 2 * 2 + 1]);
  }
  kvf_meet(STORED + (uint32_t)group, GROUP);
  const kvf_view &to = whole ? p.out : p.workspace;
  const int64_t step = to.stride[whole ? 2 : 3];
#pragma unroll 1
  for (int32_t number = warp; number < t.tile.rows; number += GROUP / WARP) {
    const row_of_tile &row = w.rows[number];
    const kvf_row_end end = end_row(w.largest[number], w.totals[number]);
    if (group == 0 && lane == 0) {
      if (whole) {
        put_lse(p, row.token, row.head, end);
      } else {
        put_split(p, row, t.split, w.largest[number], w.totals[number]);
      }
    }
    const int64_t at = row.token * to.stride[0] + row.head * to.stride[1] +
                       (whole ? 0 : t.split * to.stride[2]) + (int64_t)(group * RUN + lane) * step;
#pragma unroll
    for (int32_t k = 0; k < RUN / WARP; ++k) {
      const float sum = rows[number * PADDED + k * WARP + lane];
      if (whole) {
        put_at(p, at + k * WARP * step, kvf_attention_result(sum, 1.0f, end));
      } else {
        static_cast<float *>(p.workspace.data)[at + k * WARP * step] = sum;
      }
    }
  }
}

/* What a group does for one unit of work. */
template <uint32_t GROUP_OF>
KVF_INLINE void multiply(const kvf_paged_mla_decode_params &p, working_set &w, uint32_t chunks,
                         int32_t warp, int32_t lane) {
  float sums[SUMS][4] = {};
  float totals[2] = {};
  if (GROUP_OF == 1 && chunks > 0) {
    follow<GROUP_OF>(w, chunks <= 2, warp, lane, totals, sums);
  }
#pragma unroll 1
  for (uint32_t chunk = GROUP_OF; chunk < chunks; chunk += 2) {
    lead<GROUP_OF>(p, w, chunk, chunk + 2 >= chunks, warp, lane, totals, sums);
    if (chunk + 1 < chunks) {
      follow<GROUP_OF>(w, chunk + 3 >= chunks, warp, lane, totals, sums);
    }
  }
#pragma unroll
  for (int32_t half = 0; half < 2; ++half) {
    totals[half] += __shfl_xor_sync(ALL_LANES, totals[half], 1);
    totals[half] += __shfl_xor_sync(ALL_LANES, totals[half], 2);
  }
  const int32_t row = 16 * warp + lane / 4;
  if (GROUP_OF == 1 && lane % 4 == 0) {
    w.totals[row] = totals[0];
    w.totals[row + 8] = totals[1];
  }
  kvf_meet(GROUPS, 2 * GROUP);
  if (GROUP_OF == 0 && lane % 4 == 0) {
    w.totals[row] += totals[0];
    w.totals[row + 8] += totals[1];
  }
  kvf_meet(GROUPS, 2 * GROUP);
  store(p, w, (int32_t)GROUP_OF, warp, lane, sums);
}

/* One unit of work. */
KVF_INLINE void attend(const kvf_paged_mla_decode_params &p, working_set &w) {
  const task &t = w.now;
  const int32_t lane = (int32_t)(kvf_thread_anew() % WARP);
  const int32_t warp = __shfl_sync(ALL_LANES, (int32_t)threadIdx.x / WARP,
                                   0); /* the same in all lanes, as the compiler sees */
  find_rows(p, t, w.rows);
  if (threadIdx.x < ROWS) {
    w.largest[threadIdx.x] = KVF_NO_SCORE;
  }
  __syncthreads();
  const uint32_t chunks =
      (uint32_t)((t.tile.end - t.tile.begin + CHUNK - 1) / CHUNK); /* lengths are int32 */
  if (warp >= 8) {
    kvf_fewer_registers<FILL_REGISTERS>();
    fill(p, w, chunks, (uint32_t)warp / 2 % 2, (uint32_t)warp % 2, lane);
    __syncthreads(); /* the others have had those registers, and left them */
    kvf_more_registers<REGISTERS>();
    return;
  }
  load_query(p, w);
  kvf_meet(GROUPS, 2 * GROUP);
  kvf_more_registers<MULTIPLY_REGISTERS>();
  if (warp < 4) {
    multiply<0>(p, w, chunks, warp, lane);
  } else {
    multiply<1>(p, w, chunks, warp - 4, lane);
  }
  kvf_fewer_registers<REGISTERS>();
  __syncthreads();
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
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    kvf_cuda_paged_mla_decode__f16__f16__r64__sm90a(
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
