/*
 * Generated from templates/cuda/paged_mla_decode.cu.j2 and generator/spec/paged_mla_decode.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/paged_mla_decode.h"
#define KVF_ATTENTION_PARAMS kvf_paged_mla_decode_params
#include "kvforge/cache/attention_tiles.h"
#include "kvforge/cache/cuda_ds_mla.cuh"
#include "kvforge/cache/latent.h"

/* As runtime/ops/paged_mla_decode.c launches it. */
enum { THREADS = 256, ROWS = KVF_ATTENTION_ROWS };

enum {
  WARP = 32,
  CHUNK = THREADS / WARP,            /* positions; as many as there are rows in a tile */
  EACH = KVF_DS_MLA_LATENT / THREADS /* elements of the output of a thread */
};

/* Blocks of a multiprocessor that the registers are shared out for: with fewer registers some
 * spill. */
enum { BLOCKS = 3 };

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

/* What the threads of a block share. */
struct working_set {
  float query[ROWS][KVF_DS_MLA_ROW]; /* scaled */
  float cached[CHUNK][KVF_DS_MLA_ROW];
  float weights[CHUNK][ROWS];
  float factors[ROWS]; /* what the outputs so far are to be multiplied by */
  float largest[ROWS]; /* score so far */
  float totals[ROWS];  /* of the weights so far */
  bool there[CHUNK];   /* whether a position is to be seen at all */
  row_of_tile rows[ROWS];
  task now;
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

/* A warp decodes the row of a position. */
KVF_INLINE void load(const kvf_paged_mla_decode_params &p, working_set &w, int64_t position) {
  const task &t = w.now;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  const int32_t warp = (int32_t)threadIdx.x / WARP;
  int64_t block = -1;
  int64_t offset = 0;
  if (position < t.tile.end) {
    const int64_t page = kvf_divide(position, p.by_block_size);
    offset = position - page * p.block_size;
    block =
        kvf_index_at(p.block_table.data, p.index_bytes,
                     t.tile.sequence * p.block_table.stride[0] + page * p.block_table.stride[1]);
  }
  const bool there = block >= 0 && block < p.num_blocks;
  if (lane == 0) {
    w.there[warp] = there;
    if (!there && position < t.tile.end) {
      count_fault(p, t, position, offset);
    }
  }
  const uint8_t *row = static_cast<const uint8_t *>(p.kv_cache.data) +
                       (there ? block * p.kv_cache.stride[0] + offset * p.kv_cache.stride[1] : 0);
#pragma unroll 6
  for (int32_t i = lane; i < KVF_DS_MLA_ROW; i += WARP) {
    w.cached[warp][i] = there ? kvf_nvfp4_ds_mla_element(row, i) : 0.0f;
  }
}

/* Adds up what the lanes have of CHUNK sums; a lane gets that of number lane div 4. */
KVF_INLINE float add_up(float (&sums)[CHUNK], int32_t lane) {
#pragma unroll
  for (int32_t left = CHUNK / 2; left > 0;
       left /= 2) { /* half of them to the other half of the lanes */
    const int32_t distance = 4 * left;
    const bool upper = (lane & distance) != 0;
#pragma unroll
    for (int32_t i = 0; i < left; ++i) {
      const float given = upper ? sums[i] : sums[i + left];
      sums[i] = (upper ? sums[i + left] : sums[i]) + __shfl_xor_sync(ALL_LANES, given, distance);
    }
  }
  float sum = sums[0];
  sum += __shfl_xor_sync(ALL_LANES, sum, 2);
  return sum + __shfl_xor_sync(ALL_LANES, sum, 1);
}

/* The scores of a row, and their weights: four lanes have a position. */
KVF_INLINE void score(working_set &w, int32_t first) {
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  const int32_t number = (int32_t)threadIdx.x / WARP;
  const int32_t at = lane / 4;
  float sums[CHUNK] = {};
#pragma unroll 6
  for (int32_t i = lane; i < KVF_DS_MLA_ROW; i += WARP) {
    const float query = w.query[number][i];
#pragma unroll
    for (int32_t k = 0; k < CHUNK; ++k) {
      sums[k] += query * w.cached[k][i];
    }
  }
  const float product = add_up(sums, lane);
  const float score = w.there[at] && first + at < w.rows[number].to ? product : KVF_NO_SCORE;
  const float before = w.largest[number];
  float largest = fmaxf(before, score);
#pragma unroll
  for (int32_t distance = WARP / 2; distance >= 4; distance /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, distance));
  }
  const float base = kvf_score_base(largest);
  const float weight = exp2f(score - base);
  float total = weight;
#pragma unroll
  for (int32_t distance = WARP / 2; distance >= 4; distance /= 2) {
    total += __shfl_xor_sync(ALL_LANES, total, distance);
  }
  if (lane % 4 == 0) {
    w.weights[at][number] = weight;
  }
  if (lane == 0) { /* all lanes have read what was there */
    const float factor = exp2f(before - base);
    w.factors[number] = factor;
    w.largest[number] = largest;
    w.totals[number] = w.totals[number] * factor + total;
  }
}

/* What a thread has of the outputs. */
struct outputs {
  float v[ROWS][EACH];
};

KVF_INLINE void add(const working_set &w, outputs &sums) {
#pragma unroll
  for (int32_t row = 0; row < ROWS; ++row) {
#pragma unroll
    for (int32_t i = 0; i < EACH; ++i) {
      sums.v[row][i] *= w.factors[row];
    }
  }
#pragma unroll
  for (int32_t at = 0; at < CHUNK; ++at) {
    float values[EACH];
#pragma unroll
    for (int32_t i = 0; i < EACH; ++i) {
      values[i] = w.cached[at][i * THREADS + (int32_t)threadIdx.x];
    }
#pragma unroll
    for (int32_t row = 0; row < ROWS; ++row) {
#pragma unroll
      for (int32_t i = 0; i < EACH; ++i) {
        sums.v[row][i] += w.weights[at][row] * values[i];
      }
    }
  }
}

KVF_INLINE void store(const kvf_paged_mla_decode_params &p, const working_set &w,
                      const outputs &sums, float scale) {
  const task &t = w.now;
#pragma unroll
  for (int32_t number = 0; number < ROWS; ++number) {
    if (number >= t.tile.rows) {
      break;
    }
    const row_of_tile &row = w.rows[number];
    const float largest = w.largest[number];
    const float total = w.totals[number];
    const kvf_row_end end = end_row(largest, total);
    const bool whole = t.tile.splits == 1;
    if (threadIdx.x == 0 && whole) {
      put_lse(p, row.token, row.head, end);
    } else if (threadIdx.x == 0) {
      put_split(p, row, t.split, largest, total);
    }
#pragma unroll
    for (int32_t i = 0; i < EACH; ++i) {
      const int32_t element = i * THREADS + (int32_t)threadIdx.x;
      if (whole) {
        put_result(p, row.token, row.head, element,
                   kvf_attention_result(sums.v[number][i], scale, end));
      } else {
        split_row(p, row.token, row.head, t.split)[element * p.workspace.stride[3]] =
            sums.v[number][i];
      }
    }
  }
}

/* One unit of work. */
KVF_INLINE void attend(const kvf_paged_mla_decode_params &p, working_set &w) {
  const task &t = w.now;
  const float factor = p.scale * LOG2_E;
  find_rows(p, t, w.rows);
  __syncthreads();
  for (int32_t number = 0; number < ROWS; ++number) {
    const row_of_tile &row = w.rows[number];
    const uint16_t *query = static_cast<const uint16_t *>(p.query.data) +
                            row.token * p.query.stride[0] + row.head * p.query.stride[1];
    for (int32_t i = (int32_t)threadIdx.x; i < KVF_DS_MLA_ROW; i += THREADS) {
      w.query[number][i] =
          number < t.tile.rows ? kvf_f32_from_bf16(query[i * p.query.stride[2]]) * factor : 0.0f;
    }
  }
  if (threadIdx.x < ROWS) {
    w.largest[threadIdx.x] = KVF_NO_SCORE;
    w.totals[threadIdx.x] = 0.0f;
  }
  __syncthreads();
  outputs sums = {};
#pragma unroll 1
  for (int64_t first = t.tile.begin; first < t.tile.end; first += CHUNK) {
    load(p, w, first + (int32_t)threadIdx.x / WARP);
    __syncthreads();
    score(w, (int32_t)first);
    __syncthreads();
    add(w, sums);
    __syncthreads();
  }
  store(p, w, sums, 1.0f);
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
    TOGETHER = 16 / EACH                         /* splits that are asked for at a time */
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
    kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla(
        const __grid_constant__ kvf_paged_mla_decode_params p) {
  kvf_begin_kernel();
  __shared__ working_set w;
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
