/*
 * Generated from templates/cuda/paged_attention_decode.cu.j2 and
 * generator/spec/paged_attention_decode.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/paged_attention_decode.h"
#include "kvforge/cache/attention.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/cuda_ggml.cuh"

/* As runtime/ops/paged_attention_decode.c launches it. */
enum { THREADS = 256, KEY_VECTOR = 8, VALUE_VECTOR = 4 };

enum {
  WARP = 32,
  TILE = 128, /* positions */
  LANES = 8,  /* threads that share a position when scores are computed; as many as heads */
  GROUPS = THREADS / LANES,
  HEADS = KVF_ATTENTION_HEADS,
  SIZE = KVF_ATTENTION_HEAD_SIZE,
  ALIGNED = KEY_VECTOR,
  SCORE_DEPTH = 2,  /* positions whose keys a thread has in flight */
  ADD_DEPTH = 4,    /* positions whose values a thread has in flight */
  STORED_HEADS = 4, /* heads that are added up together */
  ROOM = HEADS * SIZE / STORED_HEADS
};

/* The place of a position that is left out. */
#define NOWHERE INT64_MIN

/* What a split of a sequence attends to: positions [begin, end). */
struct span {
  int64_t length; /* of the sequence */
  int64_t begin;
  int64_t end;
  int64_t first;  /* begin, rounded down where values are read along tokens */
  int64_t splits; /* that the sequence has; the result of an only one goes to out at once */
};

/* What a thread block does. */
struct task {
  int64_t unit; /* that comes next */
  int64_t sequence;
  int64_t split;
  int64_t kv_head;
  int64_t first_head; /* query head */
  int32_t heads;
  bool counts; /* faults: one block of each split does */
  span positions;
};

/* What the threads of a block share. */
struct __align__(16) working_set {
  float query[HEADS * SIZE];  /* scaled, in vectors; at the end partial outputs */
  float weights[TILE][HEADS]; /* scores, then weights */
  int64_t keys_at[2][TILE];   /* offsets in the caches, of two tiles in turn */
  int64_t values_at[2][TILE];
  task now;
  float slopes[HEADS];  /* of the bias */
  float largest[HEADS]; /* score so far */
  float totals[HEADS];  /* of the weights so far */
  float factors[HEADS]; /* what the outputs so far are to be multiplied by */
};

/* What a thread has of the outputs. */
struct outputs {
  float v[HEADS][VALUE_VECTOR];
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
KVF_INLINE key_words fetch_key(const kvf_paged_attention_decode_params &p, const uint8_t *key,
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
KVF_INLINE value_words fetch_value(const kvf_paged_attention_decode_params &p, const uint8_t *value,
                                   int32_t first) {
  const bool whole = p.whole_values == KVF_VALUES_BY_ELEMENT;
  value_words words;
  words.v[0] = kvf_fetch_q8_0(value, first, whole);
  words.scale = kvf_fetch_q8_0_scale(value, first, whole);
  return words;
}

KVF_INLINE int64_t given_length(const kvf_paged_attention_decode_params &p, int64_t sequence) {
  return static_cast<const int32_t *>(p.seq_lens.data)[sequence * p.seq_lens.stride[0]];
}

KVF_INLINE span find_span(const kvf_paged_attention_decode_params &p, int64_t sequence,
                          int64_t split) {
  const int64_t given = given_length(p, sequence);
  const bool fits = given <= 0 || kvf_divide(given - 1, p.by_block_size) < p.width;
  const int64_t length = !fits ? p.width * p.block_size : given > 0 ? given : 0;
  const int64_t begin =
      p.sliding_window > 0 && p.sliding_window < length ? length - p.sliding_window : 0;
  const int64_t first = p.whole_values == KVF_VALUES_BY_TOKEN ? begin / ALIGNED * ALIGNED : begin;
  const int64_t each = kvf_split_positions(length - begin, p.splits);
  span found;
  found.length = length;
  found.splits = length - begin > each ? (length - begin + each - 1) / each : 1;
  found.first = first + split * each;
  found.begin = split == 0 ? begin : found.first;
  found.end = split + 1 < found.splits ? found.first + each : length;
  return found;
}

/* One thread sets down what the block is to do. */
KVF_INLINE void begin(const kvf_paged_attention_decode_params &p, task &t) {
  const int64_t unit = t.unit;
  const int64_t part = unit % p.parts;
  const int64_t nth_split = unit / p.parts / p.num_kv_heads;
  t.kv_head = unit / p.parts % p.num_kv_heads;
  t.split = nth_split % p.splits;
  t.sequence = nth_split / p.splits;
  t.first_head = t.kv_head * p.group + part * HEADS;
  t.heads = min(p.group - (int32_t)part * HEADS, (int32_t)HEADS);
  t.counts = t.kv_head == 0 && part == 0;
  t.positions = find_span(p, t.sequence, t.split);
  t.unit += gridDim.x;
  if (t.counts && t.split == 0 && t.positions.length != given_length(p, t.sequence)) {
    atomicAdd(p.faults, 1ULL);
  }
}

/* Counts a position whose page is out of range: the first of its page that a unit meets. */
KVF_INLINE void count_fault(const kvf_paged_attention_decode_params &p, const task &t,
                            int64_t position, int64_t offset) {
  if (t.counts && (offset == 0 || (t.split == 0 && position == t.positions.first))) {
    atomicAdd(p.faults, 1ULL);
  }
}

/* Where the positions of the tile from `first` on are. */
KVF_INLINE void locate(const kvf_paged_attention_decode_params &p, working_set &w, int64_t first,
                       int32_t turn) {
  if (threadIdx.x >= TILE) {
    return;
  }
  const task &t = w.now;
  const int64_t position = first + threadIdx.x;
  int64_t key_at = NOWHERE;
  int64_t value_at = NOWHERE;
  if (position < t.positions.end) {
    const int64_t page = kvf_divide(position, p.by_block_size);
    const int64_t offset = position - page * p.block_size;
    const int64_t block =
        kvf_index_at(p.block_tables.data, p.index_bytes,
                     t.sequence * p.block_tables.stride[0] + page * p.block_tables.stride[1]);
    if (block >= 0 && block < p.num_blocks) {
      value_at = block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
      if (position >= t.positions.begin) {
        key_at = block * p.key_cache.stride[0] + offset * p.key_cache.stride[1];
      }
    } else {
      count_fault(p, t, position, offset);
    }
  }
  w.keys_at[turn][threadIdx.x] = key_at;
  w.values_at[turn][threadIdx.x] = value_at;
}

/* The query, times `factor`, in the order in which score() reads it: [head][half][vector][4]. */
KVF_INLINE void load_query(const kvf_paged_attention_decode_params &p, working_set &w,
                           float factor) {
  const task &t = w.now;
  const int32_t vectors = (p.head_size + KEY_VECTOR - 1) / KEY_VECTOR;
  const uint16_t *query = static_cast<const uint16_t *>(p.query.data) +
                          t.sequence * p.query.stride[0] + t.first_head * p.query.stride[1];
  for (int32_t i = (int32_t)threadIdx.x; i < vectors * KEY_VECTOR; i += THREADS) {
    const int32_t half = i / 4 % 2;
    for (int32_t h = 0; h < t.heads; ++h) {
      w.query[((2 * h + half) * vectors + i / KEY_VECTOR) * 4 + i % 4] =
          i < p.head_size
              ? kvf_f32_from_bf16(query[h * p.query.stride[1] + i * p.query.stride[2]]) * factor
              : 0.0f;
    }
  }
}

/*
 * Adds up the scores of all heads over 8 lanes, of which each ends with that of one head: in every
 * round a lane gives away the half of the heads that it will not have.
 */
KVF_INLINE float add_up_scores(const float (&scores)[HEADS], int32_t lane) {
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
KVF_INLINE void score(const kvf_paged_attention_decode_params &p, working_set &w,
                      const uint8_t *keys, int32_t count, int32_t turn) {
  const int32_t vectors = (p.head_size + KEY_VECTOR - 1) / KEY_VECTOR;
  const int32_t lane = (int32_t)threadIdx.x % LANES;
  const int32_t heads = w.now.heads;
  const float4 *query = reinterpret_cast<const float4 *>(w.query);
  for (int32_t first = (int32_t)threadIdx.x / LANES; first < TILE; first += SCORE_DEPTH * GROUPS) {
    if (first / (SCORE_DEPTH * GROUPS) * (SCORE_DEPTH * GROUPS) >= count) {
      break; /* all threads at once */
    }
    float scores[SCORE_DEPTH][HEADS] = {};
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
      for (int32_t h = 0; h < HEADS; ++h) {
        if (h < heads) {
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
      const float sum = add_up_scores(scores[d], lane);
      w.weights[first + d * GROUPS][lane] = at[d] != NOWHERE ? sum : KVF_NO_SCORE;
    }
  }
}

/* A warp turns the scores of its head into weights. */
KVF_INLINE void weigh(working_set &w, int32_t count, int32_t to_end) {
  const int32_t head = (int32_t)threadIdx.x / WARP;
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  if (head >= w.now.heads) {
    return;
  }
  const float before = w.largest[head];
  const float slope = w.slopes[head];
  float scores[TILE / WARP];
  float largest = before;
#pragma unroll
  for (int32_t i = 0; i < TILE / WARP; ++i) {
    const int32_t position = i * WARP + lane;
    scores[i] = position < count ? w.weights[position][head] + slope * (float)(position - to_end)
                                 : KVF_NO_SCORE;
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
    w.weights[i * WARP + lane][head] = weight;
    sum += weight;
  }
#pragma unroll
  for (int32_t distance = WARP / 2; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(0xFFFFFFFFu, sum, distance);
  }
  if (lane == 0) {
    const float factor = exp2f(before - base);
    w.largest[head] = largest;
    w.factors[head] = factor;
    w.totals[head] = w.totals[head] * factor + sum;
  }
}

/* Adds weighted values, 4 elements of each position. Of `subsets` threads each takes its share. */
KVF_INLINE void add_elements(const kvf_paged_attention_decode_params &p, const working_set &w,
                             const uint8_t *values, int32_t element, int32_t subset,
                             int32_t subsets, int32_t count, int32_t turn, outputs &sums) {
  const int32_t heads = w.now.heads;
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
      for (int32_t h = 0; h < HEADS; ++h) {
        if (h < heads) {
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

KVF_INLINE void put_result(const kvf_paged_attention_decode_params &p, int64_t sequence,
                           int64_t head, int32_t element, float result) {
  static_cast<uint16_t *>(
      p.out.data)[sequence * p.out.stride[0] + head * p.out.stride[1] + element * p.out.stride[2]] =
      kvf_bf16_result(result);
}

/* A row of the tensor `workspace`: what a head of a split comes to. */
KVF_INLINE float *split_row(const kvf_paged_attention_decode_params &p, int64_t sequence,
                            int64_t head, int64_t split) {
  const int64_t *stride = p.workspace.stride;
  return static_cast<float *>(p.workspace.data) + sequence * stride[0] + head * stride[1] +
         split * stride[2];
}

/* Adds up what the threads have, a few heads at a time, and stores it. */
KVF_INLINE void store(const kvf_paged_attention_decode_params &p, working_set &w, int32_t element,
                      int32_t elements, int32_t subset, int32_t subsets, float scale,
                      const outputs &sums) {
  const task &t = w.now;
  const bool whole = t.positions.splits == 1;
#pragma unroll
  for (int32_t first = 0; first < HEADS; first += STORED_HEADS) {
    if (first >= t.heads) {
      break;
    }
    __syncthreads();
    if (subset < subsets) {
#pragma unroll
      for (int32_t i = 0; i < VALUE_VECTOR; ++i) {
        const int32_t at = element + i;
#pragma unroll
        for (int32_t h = 0; h < STORED_HEADS; ++h) {
          if (i < elements && at < p.head_size) {
            w.query[h * ROOM + subset * p.head_size + at] = sums.v[first + h][i];
          }
        }
      }
    }
    __syncthreads();
    const int32_t heads = min(t.heads - first, (int32_t)STORED_HEADS);
    for (int32_t i = (int32_t)threadIdx.x; i < heads * p.head_size; i += THREADS) {
      const int32_t h = i / p.head_size;
      const int32_t at = i - h * p.head_size;
      float sum = 0.0f;
      for (int32_t s = 0; s < subsets; ++s) {
        sum += w.query[h * ROOM + s * p.head_size + at];
      }
      if (whole) {
        put_result(p, t.sequence, t.first_head + first + h, at,
                   kvf_attention_result(sum, scale, w.totals[first + h]));
      } else {
        split_row(p, t.sequence, t.first_head + first + h, t.split)[at * p.workspace.stride[3]] =
            sum;
      }
    }
  }
  if (!whole && (int32_t)threadIdx.x < t.heads) {
    float *row = split_row(p, t.sequence, t.first_head + threadIdx.x, t.split);
    row[(p.head_size + KVF_SPLIT_LARGEST) * p.workspace.stride[3]] = w.largest[threadIdx.x];
    row[(p.head_size + KVF_SPLIT_TOTAL) * p.workspace.stride[3]] = w.totals[threadIdx.x];
  }
}

/* One unit of work. */
KVF_INLINE void attend(const kvf_paged_attention_decode_params &p, working_set &w) {
  const task &t = w.now;
  const bool by_token = false;
  /* Threads that have the same elements and take different positions are subsets. */
  const int32_t columns = by_token ? p.head_size : (p.head_size + VALUE_VECTOR - 1) / VALUE_VECTOR;
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
  const float log2_e = 1.44269504f;
  outputs sums = {};
  load_query(p, w, p.scale * k_scale * log2_e);
  if (threadIdx.x < HEADS) {
    const bool biased = p.alibi_slopes.data != nullptr && (int32_t)threadIdx.x < t.heads;
    w.slopes[threadIdx.x] =
        biased ? static_cast<const float *>(
                     p.alibi_slopes.data)[(t.first_head + threadIdx.x) * p.alibi_slopes.stride[0]] *
                     log2_e
               : 0.0f;
    w.largest[threadIdx.x] = KVF_NO_SCORE;
    w.totals[threadIdx.x] = 0.0f;
  }
  locate(p, w, t.positions.first, 0);
  __syncthreads();
  int32_t turn = 0;
#pragma unroll 1
  for (int64_t first = t.positions.first; first < t.positions.end; first += TILE) {
    const int32_t count =
        t.positions.end - first < TILE ? (int32_t)(t.positions.end - first) : (int32_t)TILE;
    score(p, w, keys, count, turn);
    __syncthreads();
    weigh(w, count, (int32_t)(t.positions.length - 1 - first));
    locate(p, w, first + TILE, turn ^ 1);
    __syncthreads();
#pragma unroll
    for (int32_t h = 0; h < HEADS; ++h) {
      const float factor = h < t.heads ? w.factors[h] : 0.0f;
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
  store(p, w, element, elements, subset, subsets, v_scale, sums);
}

/* Adds up the splits of a head, brought to the same base. */
KVF_INLINE void combine(const kvf_paged_attention_decode_params &p, int64_t sequence,
                        int64_t head) {
  const int64_t splits = find_span(p, sequence, 0).splits;
  if (splits == 1) {
    return;
  }
  const int64_t stride = p.workspace.stride[2];
  const float *sums = split_row(p, sequence, head, 0);
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
    put_result(p, sequence, head, i, kvf_attention_result(sum, v_scale, total));
  }
}

/*
 * Grid: x units: sequences, of each its splits, of each the KV heads, of each the parts of its
 * group. When splits are combined: sequences, of each the query heads.
 */
extern "C" __global__ void __launch_bounds__(THREADS) kvf_cuda_paged_attention_decode__bf16__q8_0(
    const __grid_constant__ kvf_paged_attention_decode_params p) {
  kvf_begin_kernel();
  __shared__ working_set w;
  if (p.combines) {
    for (int64_t unit = blockIdx.x; unit < p.num_seqs * p.num_q_heads; unit += gridDim.x) {
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
    if (w.now.split < w.now.positions.splits) {
      attend(p, w);
    }
    more = w.now.unit < p.num_seqs * p.splits * p.num_kv_heads * p.parts;
    __syncthreads();
  }
}
