/*
 * Generated from templates/cuda/paged_attention.cu.j2 and generator/spec/paged_attention.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/paged_attention.h"
#include "kvforge/cache/attention_tiles.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cuda_memory.cuh"
#include "kvforge/cuda_wgmma.cuh"

/* As runtime/ops/paged_attention.c launches it. */
enum { THREADS = KVF_ATTENTION_WIDE_THREADS, ROWS = 128 };

enum {
  WARP = 32,
  GROUP = 4 * WARP, /* threads that multiply as one */
  GROUP_ROWS = ROWS / 2,
  CHUNK = 128,
  SIZE = 128,
  UNITS = SIZE / 8,      /* of 16 bytes, of a head */
  PARTS = SIZE / 64,     /* of a head, as the matrix product takes them */
  SCORES = CHUNK / 8,    /* products side by side whose sums are the scores of a chunk */
  SUMS = SIZE / 8,       /* likewise, of the values */
  COLUMNS = CHUNK / 4,   /* scores of a lane and row */
  PLACES = CHUNK / WARP, /* that a lane finds */
  CHAINS = 4,            /* of the maxima of a row's scores */
  ADJUSTED = 16,         /* scores of a lane that are adjusted at a time */
  SLACK = 8              /* a weight is 2^SLACK at most */
};

/* Registers of a thread: what a launch gives all, and then of one that multiplies and of one that
 * fills. */
enum { REGISTERS = 168, MULTIPLY_REGISTERS = 216, FILL_REGISTERS = 72 };

/* Barriers, of slots and groups, and who they are for. */
enum {
  FULL = 1,   /* keys of 2 slots, then values, of each for 2 groups: who fills it and the group */
  EMPTY = 9,  /* keys of 2 slots, then values: both groups and who fills it */
  TURN = 13,  /* of 2 groups: both */
  GROUPS = 15 /* both */
};

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
static __device__ const uint4 nothing[UNITS] = {};

/* What the threads of a block share. */
struct __align__(1024) working_set {
  uint4 query[PARTS][ROWS][8]; /* as the matrix product takes it; rows that there are not are 0 */
  uint4 cached[2][2][PARTS][CHUNK][8]; /* keys and values, each in two slots, likewise */
  float adjusted[ADJUSTED][2 * GROUP];
  row_of_tile rows[ROWS];
  float factors[ROWS];             /* what the sums of a row are multiplied by at the end */
  uint32_t there[4][CHUNK / WARP]; /* a bit for each position of a chunk: who fills is two chunks
                                      ahead at most */
  task now;
};
static_assert(sizeof(working_set) <= KVF_ATTENTION_WIDE_BYTES, "a launch asks for more");

/* What a lane has of the two rows lane div 4 and 8 below in its warp. */
struct progress {
  float sums[SUMS][4]; /* as the matrix product has them */
  float bases[2];      /* scores that weights are measured from, not multiplied yet, unless they are
                          adjusted */
  float totals[2];     /* of the weights of its own columns */
};

/* What is the same for all chunks of a warp. */
struct outlook {
  int32_t first;    /* of the warp's rows */
  int32_t all_from; /* positions [all_from, all_to) that they all see */
  int32_t all_to;
  bool apart; /* scores want more than a factor above 0, and are multiplied before they are compared
               */
  float factor; /* what scores are multiplied by */
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
  static_cast<uint16_t *>(p.out.data)[at] = kvf_bf16_result(result);
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
                         : kvf_f32_from_bf16(static_cast<const uint16_t *>(
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
    words[i] = (uint32_t)kvf_bf16_result(results[2 * i]) |
               (uint32_t)kvf_bf16_result(results[2 * i + 1]) << 16;
  }
  *reinterpret_cast<uint4 *>(static_cast<uint16_t *>(p.out.data) + at) =
      make_uint4(words[0], words[1], words[2], words[3]);
}

/* A position that a lane looks for. */
struct search {
  uint32_t page;
  uint32_t offset; /* in it */
  int64_t block;   /* asked for */
};

/* Asks for the block of a position, for a place that is wanted later. */
KVF_INLINE void ask(const kvf_paged_attention_params &p, const task &t, int64_t position,
                    search &at) {
  if (position < t.tile.end) {
    at.block =
        kvf_index_at(p.block_table.data, p.index_bytes,
                     t.tile.sequence * p.block_table.stride[0] + at.page * p.block_table.stride[1]);
  }
}

/* Where the keys or values of a position are. */
KVF_INLINE const uint4 *find_place(const kvf_paged_attention_params &p, const task &t,
                                   const uint16_t *head, const kvf_view &cache, int64_t position,
                                   const search &at, bool counts) {
  if (position >= t.tile.end) {
    return nothing;
  }
  if (at.block >= 0 && at.block < p.num_blocks) {
    return reinterpret_cast<const uint4 *>(head + at.block * cache.stride[0] +
                                           at.offset * cache.stride[1]);
  }
  if (counts) {
    count_fault(p, t, position, at.offset);
  }
  return nothing;
}

/* The place that a lane has found. */
KVF_INLINE const uint4 *place_of(const uint4 *place, int32_t lane) {
  return reinterpret_cast<const uint4 *>(__shfl_sync(ALL_LANES, (unsigned long long)place, lane));
}

/* What a warp does that fills a slot of keys, or of values. */
KVF_INLINE void fill(const kvf_paged_attention_params &p, working_set &w, uint32_t chunks,
                     uint32_t slot, uint32_t values, int32_t lane) {
  enum { AT_ONCE = WARP / UNITS /* positions */ };
  const task &t = w.now;
  const kvf_view &cache = values != 0 ? p.value_cache : p.key_cache;
  const int32_t unit = lane % UNITS;
  const uint16_t *head = static_cast<const uint16_t *>(cache.data) + t.kv_head * cache.stride[2];
  const uint32_t pages = (uint32_t)kvf_divide(
      2 * CHUNK, p.by_block_size); /* of two chunks, and what is left of them */
  const uint32_t rest = 2 * CHUNK - pages * (uint32_t)p.block_size;
  search at[PLACES];
#pragma unroll
  for (int32_t i = 0; i < PLACES; ++i) {
    const int64_t position = t.tile.begin + (int64_t)slot * CHUNK + i * WARP + lane;
    const int64_t page = kvf_divide(position, p.by_block_size);
    at[i] = {(uint32_t)page, (uint32_t)(position - page * p.block_size), 0};
    ask(p, t, position, at[i]);
  }
#pragma unroll 1
  for (uint32_t chunk = slot; chunk < chunks; chunk += 2) {
    const uint4 *places[PLACES];
#pragma unroll
    for (int32_t i = 0; i < PLACES; ++i) {
      const int64_t position = t.tile.begin + (int64_t)chunk * CHUNK + i * WARP + lane;
      places[i] = find_place(p, t, head, cache, position, at[i], values == 0);
      at[i].page += pages;
      at[i].offset += rest;
      if (at[i].offset >= p.block_size) {
        at[i].offset -= (uint32_t)p.block_size;
        ++at[i].page;
      }
      ask(p, t, position + 2 * CHUNK, at[i]);
    }
    if (chunk >= 2) {
      kvf_meet(EMPTY + 2 * values + slot, WARP + 2 * GROUP);
    }
#pragma unroll
    for (int32_t i = 0; i < PLACES; ++i) {
      const uint32_t there = __ballot_sync(ALL_LANES, places[i] != nothing);
      if (values == 0 && lane == 0) {
        w.there[chunk % 4][i] = there;
      }
#pragma unroll
      for (int32_t k = 0; k < WARP; k += AT_ONCE) {
        const int32_t position = k + lane / UNITS;
        const uint4 *from = place_of(places[i], position) + unit;
        kvf_copy_async(&w.cached[values][slot][unit / 8][i * WARP + position]
                                [kvf_place_of_unit(position, unit % 8)],
                       from);
      }
    }
    kvf_wait_for_copies();
    kvf_show_to_wgmma();
    kvf_arrive(FULL + 4 * values + 2 * slot, WARP + GROUP);
    kvf_arrive(FULL + 4 * values + 2 * slot + 1, WARP + GROUP);
  }
}

/* The query, by both groups. */
KVF_INLINE void load_query(const kvf_paged_attention_params &p, working_set &w) {
  const int32_t thread = (int32_t)kvf_thread_anew();
  const int32_t unit = thread % UNITS;
#pragma unroll 4
  for (int32_t row = thread / UNITS; row < ROWS; row += 2 * GROUP / UNITS) {
    uint4 *to = &w.query[unit / 8][row][kvf_place_of_unit(row, unit % 8)];
    if (row < w.now.tile.rows) {
      const row_of_tile &of = w.rows[row];
      kvf_copy_async(to, static_cast<const uint16_t *>(p.query.data) +
                             of.token * p.query.stride[0] + of.head * p.query.stride[1] + 8 * unit);
    } else {
      *to = make_uint4(0, 0, 0, 0);
    }
  }
  kvf_wait_for_copies();
  kvf_show_to_wgmma();
}

/* Asks for the scores of a group's rows: scores[i] is their product by positions 8 i and on of the
 * chunk in a slot. */
KVF_INLINE void score(const working_set &w, uint32_t group, uint32_t slot,
                      float (&scores)[SCORES][4]) {
  kvf_begin_wgmma();
#pragma unroll
  for (int32_t step = 0; step < SIZE / 16; ++step) {
    static_assert(sizeof w.query == sizeof w.cached[0][0], "parts of both are as far apart");
    kvf_wgmma_128_rows_bf16(scores, w.query[0][group * GROUP_ROWS], w.cached[0][slot],
                            step / 4 * sizeof w.query[0] + step % 4 * 2 * sizeof(uint4), step > 0);
  }
  kvf_commit_wgmma();
}

/* Asks for weights by the values in a slot to be added. */
KVF_INLINE void add(const working_set &w, uint32_t slot, const uint32_t (&weights)[CHUNK / 16][4],
                    float (&sums)[SUMS][4]) {
  kvf_begin_wgmma();
#pragma unroll
  for (int32_t step = 0; step < CHUNK / 16; ++step) {
    kvf_wgmma_128_bf16(sums, weights[step], w.cached[1][slot],
                       step * 16 * sizeof w.cached[0][0][0][0], sizeof w.cached[0][0][0]);
  }
  kvf_commit_wgmma();
}

/* The lower `count` bits. */
KVF_INLINE uint32_t bits_below(int32_t count) {
  return count <= 0 ? 0 : count < WARP ? (1u << count) - 1 : ALL_LANES;
}

/* Multiplies and adjusts scores; by way of shared memory, so that the code is short. */
KVF_INLINE void adjust_all(const kvf_paged_attention_params &p, working_set &w, const outlook &view,
                           int32_t first, int32_t lane, float (&scores)[SCORES][4]) {
  const uint32_t thread = kvf_thread_anew();
#pragma unroll
  for (int32_t part = 0; part < SCORES * 4; part += ADJUSTED) {
#pragma unroll
    for (int32_t i = 0; i < ADJUSTED; ++i) {
      w.adjusted[i][thread] = scores[(part + i) / 4][i % 4];
    }
#pragma unroll 1
    for (int32_t i = 0; i < ADJUSTED; ++i) {
      const row_of_tile &row = w.rows[view.first + lane / 4 + i % 4 / 2 * 8];
      const int32_t position = first + (part + i) / 4 * 8 + 2 * (lane % 4) + i % 2;
      w.adjusted[i][thread] = adjust(p, row, position, w.adjusted[i][thread] * view.factor);
    }
#pragma unroll
    for (int32_t i = 0; i < ADJUSTED; ++i) {
      scores[(part + i) / 4][i % 4] = w.adjusted[i][thread];
    }
  }
}

/*
 * Turns the scores of a lane into weights. They are measured from a base that moves when a weight
 * would be above 2^SLACK: so sums are seldom brought to another, by `moves`, which the caller does.
 * True: it has to.
 */
KVF_INLINE bool weigh(const kvf_paged_attention_params &p, working_set &w, const outlook &view,
                      uint32_t chunk, int32_t lane, float (&scores)[SCORES][4], progress &now,
                      float (&moves)[2]) {
#define SCORE(row, i) scores[(i) / 2][2 * (row) + (i) % 2] /* of position COLUMN(i) + shift */
#define COLUMN(i) ((i) / 2 * 8 + (i) % 2)
  const int32_t shift = 2 * (lane % 4);
  const int32_t mine = view.first + lane / 4;
  const uint32_t first = (uint32_t)w.now.tile.begin + chunk * CHUNK; /* lengths are int32 */
  const uint32_t (&there)[CHUNK / WARP] = w.there[chunk % 4];
  if (view.apart) {
    adjust_all(p, w, view, (int32_t)first, lane, scores);
  }
  uint32_t all = ALL_LANES;
#pragma unroll
  for (int32_t i = 0; i < CHUNK / WARP; ++i) {
    all &= there[i];
  }
  if (all != ALL_LANES || (int32_t)first < view.all_from || (int64_t)first + CHUNK > view.all_to) {
#pragma unroll
    for (int32_t row = 0; row < 2; ++row) {
      const int32_t from = w.rows[mine + 8 * row].from - (int32_t)first;
      const int32_t to = w.rows[mine + 8 * row].to - (int32_t)first;
#pragma unroll
      for (int32_t part = 0; part < CHUNK / WARP; ++part) {
        const uint32_t seen =
            (there[part] & bits_below(to - part * WARP) & ~bits_below(from - part * WARP)) >> shift;
#pragma unroll
        for (int32_t i = part * (WARP / 4); i < (part + 1) * (WARP / 4); ++i) {
          SCORE(row, i) = (seen >> COLUMN(i) % WARP & 1) != 0 ? SCORE(row, i) : KVF_NO_SCORE;
        }
      }
    }
  }
  const float by = view.apart ? 1.0f : view.factor;
  float most[2][CHAINS]; /* few that wait for each other */
#pragma unroll
  for (int32_t i = 0; i < COLUMNS; ++i) {
#pragma unroll
    for (int32_t row = 0; row < 2; ++row) {
      most[row][i % CHAINS] =
          i < CHAINS ? SCORE(row, i) : fmaxf(most[row][i % CHAINS], SCORE(row, i));
    }
  }
  float largest[2];
#pragma unroll
  for (int32_t row = 0; row < 2; ++row) {
    largest[row] = fmaxf(fmaxf(most[row][0], most[row][1]), fmaxf(most[row][2], most[row][3]));
  }
#pragma unroll
  for (int32_t distance = 1; distance < 4; distance *= 2) {
#pragma unroll
    for (int32_t row = 0; row < 2; ++row) {
      largest[row] = fmaxf(largest[row], __shfl_xor_sync(ALL_LANES, largest[row], distance));
    }
  }
  bool moved = false;
#pragma unroll
  for (int32_t row = 0; row < 2; ++row) {
    const float base = now.bases[row];
    const bool moves_here = (largest[row] - base) * by > SLACK; /* not where both are of no score */
    const float power = kvf_quick_exp2((base - largest[row]) * by);
    moves[row] = moves_here ? power : 1.0f;
    now.bases[row] = moves_here ? largest[row] : base;
    now.totals[row] *= moves[row];
    moved |= moves_here;
  }
  const float bases[2] = {kvf_score_base(now.bases[0]), kvf_score_base(now.bases[1])};
#pragma unroll
  for (int32_t i = 0; i < COLUMNS; ++i) {
#pragma unroll
    for (int32_t row = 0; row < 2; ++row) {
      const float weight = kvf_quick_exp2((SCORE(row, i) - bases[row]) * by);
      now.totals[row] += weight;
      SCORE(row, i) = weight;
    }
  }
  kvf_settle(scores, CHUNK); /* not behind the wait for the sums */
  return __any_sync(ALL_LANES, moved) != 0;
#undef SCORE
#undef COLUMN
}

/* Weights as the matrix product takes them. */
KVF_INLINE void pack(const float (&scores)[SCORES][4], uint32_t (&weights)[CHUNK / 16][4]) {
#pragma unroll
  for (int32_t i = 0; i < SCORES * 2; ++i) {
    weights[i / 4][i % 4] =
        kvf_bf16x2_result(make_float2(scores[i / 2][i % 2 * 2], scores[i / 2][i % 2 * 2 + 1]));
  }
}

/* Brings the sums to another base; what another row does is nothing to this one. */
KVF_INLINE void move(const float (&moves)[2], float (&sums)[SUMS][4]) {
#pragma unroll
  for (int32_t i = 0; i < SUMS * 4; ++i) {
    sums[i / 4][i % 4] *= moves[i % 4 / 2];
  }
}

/* Stores what a warp has of its rows, by way of where keys and values were: so neighbouring lanes
 * have neighbouring elements. */
KVF_INLINE void store(const kvf_paged_attention_params &p, working_set &w, const outlook &view,
                      int32_t lane, const progress &now) {
  enum { PADDED = SIZE + 8 /* rows begin in banks of their own */, WARP_ROWS = 16 };
  static_assert(ROWS * PADDED * sizeof(float) <= sizeof w.cached, "there is room for the sums");
  const task &t = w.now;
  const bool whole = t.tile.splits == 1;
  float *rows = reinterpret_cast<float *>(w.cached) + view.first * PADDED;
#pragma unroll
  for (int32_t half = 0; half < 2; ++half) {
    const int32_t number = view.first + lane / 4 + 8 * half;
    float total = now.totals[half];
    total += __shfl_xor_sync(ALL_LANES, total, 1);
    total += __shfl_xor_sync(ALL_LANES, total, 2);
    if (lane % 4 == 0 && number < t.tile.rows) {
      const row_of_tile &row = w.rows[number];
      const float base = now.bases[half];
      const float largest = base == KVF_NO_SCORE || view.apart ? base : base * view.factor;
      w.factors[number] = 1.0f;
      if (whole) {
        const kvf_row_end end = end_row(p, row.head, largest, total);
        put_lse(p, row.token, row.head, end);
        w.factors[number] = kvf_attention_result(1.0f, 1.0f, end);
      } else {
        put_split(p, t.tile, row, t.split, largest, total);
      }
    }
    float *to = rows + (lane / 4 + 8 * half) * PADDED + 2 * (lane % 4);
#pragma unroll
    for (int32_t i = 0; i < SUMS; ++i) {
      *reinterpret_cast<float2 *>(to + 8 * i) =
          make_float2(now.sums[i][2 * half], now.sums[i][2 * half + 1]);
    }
  }
  __syncwarp();
  const int32_t count = min((int32_t)WARP_ROWS, t.tile.rows - view.first);
#pragma unroll 1
  for (int32_t i = lane; i < count * UNITS; i += WARP) {
    const int32_t number = view.first + i / UNITS;
    const int32_t element = i % UNITS * 8;
    const row_of_tile &row = w.rows[number];
    const float *sums = rows + i / UNITS * PADDED + element;
    float results[8];
#pragma unroll
    for (int32_t k = 0; k < 8; ++k) {
      results[k] = sums[k] * w.factors[number];
    }
    if (whole) {
      put_results(p, row, element, results);
    } else {
      float *to =
          split_row(p, t.tile, row.token, row.head, t.split) + (element)*p.workspace.stride[3];
#pragma unroll
      for (int32_t k = 0; k < 8; ++k) {
        to[k * p.workspace.stride[3]] = results[k];
      }
    }
  }
}

/* What a group does for one unit of work. */
KVF_INLINE void multiply(const kvf_paged_attention_params &p, working_set &w, uint32_t chunks,
                         uint32_t group, int32_t warp, int32_t lane) {
  const task &t = w.now;
  outlook view;
  view.first = 16 * warp;
  view.all_from = w.rows[min(view.first + 16, t.tile.rows) - 1].from;
  view.all_to = w.rows[min(view.first, t.tile.rows - 1)].to;
  view.factor = p.scale * LOG2_E;
  view.apart = p.adjusts || !(view.factor > 0.0f);
  progress now = {};
  now.bases[0] = now.bases[1] = KVF_NO_SCORE;
  if (chunks > 0) {
    float scores[SCORES][4] = {};
    uint32_t weights[CHUNK / 16][4];
    float moves[2];
    kvf_meet(FULL + group, WARP + GROUP);
    score(w, group, 0, scores);
    kvf_end_wgmma(scores, CHUNK);
    if (chunks > 2) {
      kvf_arrive(EMPTY, WARP + 2 * GROUP);
    }
    weigh(p, w, view, 0, lane, scores, now, moves);
    pack(scores, weights);
    if (group == 1 && chunks > 1) {
      kvf_arrive(TURN, 2 * GROUP);
    }
#pragma unroll 1
    for (uint32_t chunk = 1; chunk < chunks; ++chunk) {
      const uint32_t slot = chunk % 2;
      kvf_meet(FULL + 2 * slot + group, WARP + GROUP);
      kvf_meet(TURN + group, 2 * GROUP);
      score(w, group, slot, scores);
      kvf_meet(FULL + 4 + 2 * (1 - slot) + group, WARP + GROUP);
      add(w, 1 - slot, weights, now.sums);
      if (group == 0 || chunk + 1 < chunks) {
        kvf_arrive(TURN + 1 - group, 2 * GROUP);
      }
      kvf_end_earlier_wgmma(scores, CHUNK);
      if (chunk + 2 < chunks) {
        kvf_arrive(EMPTY + slot, WARP + 2 * GROUP);
      }
      const bool moved = weigh(p, w, view, chunk, lane, scores, now, moves);
      if (moved) { /* each with a wait of its own: ptxas would put one of both ahead of the powers
                    */
        kvf_end_wgmma<1>(now.sums, SIZE);
        move(moves, now.sums);
      } else {
        kvf_end_wgmma<2>(now.sums, SIZE);
      }
      if (chunk + 1 < chunks) {
        kvf_arrive(EMPTY + 2 + 1 - slot, WARP + 2 * GROUP);
      }
      pack(scores, weights);
    }
    const uint32_t last = (chunks - 1) % 2;
    kvf_meet(FULL + 4 + 2 * last + group, WARP + GROUP);
    add(w, last, weights, now.sums);
    kvf_end_wgmma(now.sums, SIZE);
  }
  kvf_meet(GROUPS, 2 * GROUP);
  store(p, w, view, lane, now);
}

/* One unit of work. */
KVF_INLINE void attend(const kvf_paged_attention_params &p, working_set &w) {
  const task &t = w.now;
  const uint32_t chunks =
      (uint32_t)((t.tile.end - t.tile.begin + CHUNK - 1) / CHUNK); /* lengths are int32 */
  const int32_t lane = (int32_t)(kvf_thread_anew() % WARP);
  const int32_t warp = __shfl_sync(ALL_LANES, (int32_t)threadIdx.x / WARP,
                                   0); /* the same in all lanes, as the compiler sees */
  if (warp >= 8) {
    kvf_fewer_registers<FILL_REGISTERS>();
    fill(p, w, chunks, (uint32_t)warp % 2, (uint32_t)warp / 2 % 2, lane);
    __syncthreads(); /* the others have had those registers, and left them */
    kvf_more_registers<REGISTERS>();
    return;
  }
  find_rows(p, t, w.rows);
  kvf_meet(GROUPS, 2 * GROUP);
  load_query(p, w);
  kvf_meet(GROUPS, 2 * GROUP);
  kvf_more_registers<MULTIPLY_REGISTERS>();
  multiply(p, w, chunks, (uint32_t)warp / 4, warp, lane);
  kvf_fewer_registers<REGISTERS>();
  __syncthreads();
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
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    kvf_cuda_paged_attention__bf16__bf16__d128__r128__sm90a(
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
