/*
 * Generated from templates/cuda/rope_and_cache_flash.cu.j2 and
 * generator/spec/rope_and_cache_flash.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/rope_and_cache_flash.h"
#include "kvforge/cache/cuda_norm.cuh"
#include "kvforge/cache/cuda_rope.cuh"
#include "kvforge/cuda_memory.cuh"

/* Elements that a thread moves at a time where it can. */
enum { WIDE = KVF_SUM_PART, THREADS = 128 };

/* As they lie in memory. */
struct chunk {
  uint4 words[WIDE * 4 / 16];
};

KVF_INLINE chunk load(const float *from) {
  chunk found;
#pragma unroll
  for (int i = 0; i < WIDE * 4 / 16; ++i) {
    found.words[i] = reinterpret_cast<const uint4 *>(from)[i];
  }
  return found;
}

KVF_INLINE void widen(const chunk &from, float (&v)[WIDE]) {
#pragma unroll
  for (int i = 0; i < WIDE; i += 4) {
    const uint4 words = from.words[i / 4];
    v[i + 0] = kvf_float(words.x);
    v[i + 1] = kvf_float(words.y);
    v[i + 2] = kvf_float(words.z);
    v[i + 3] = kvf_float(words.w);
  }
}

KVF_INLINE void store(const float (&v)[WIDE], float *to) {
#pragma unroll
  for (int i = 0; i < WIDE; i += 4) {
    *reinterpret_cast<float4 *>(to + i) =
        make_float4(kvf_rotated_f32(v[i + 0]), kvf_rotated_f32(v[i + 1]), kvf_rotated_f32(v[i + 2]),
                    kvf_rotated_f32(v[i + 3]));
  }
}

/* Four quotients as codes; the first in the lowest byte. */
KVF_INLINE uint32_t divide_x4_fp8_e4m3(const float *x, const kvf_divisor &by) {
  if (!by.quick) {
    return kvf_fp8_e4m3x4_from_f32(x[0] / by.scale, x[1] / by.scale, x[2] / by.scale,
                                   x[3] / by.scale);
  }
  return kvf_fp8_e4m3x4_from_f32(kvf_quotient(x[0], by), kvf_quotient(x[1], by),
                                 kvf_quotient(x[2], by), kvf_quotient(x[3], by));
}

KVF_INLINE void store_fp8_e4m3(const float (&v)[WIDE], uint8_t *to, float scale) {
  const kvf_divisor by = kvf_divide_by(scale);
#pragma unroll
  for (int i = 0; i < WIDE; i += 8) {
    *reinterpret_cast<uint2 *>(to + i) =
        make_uint2(divide_x4_fp8_e4m3(v + i, by), divide_x4_fp8_e4m3(v + i + 4, by));
  }
}

/* Four quotients as codes; the first in the lowest byte. */
KVF_INLINE uint32_t divide_x4_fp8_e5m2(const float *x, const kvf_divisor &by) {
  if (!by.quick) {
    return kvf_fp8_e5m2x4_from_f32(x[0] / by.scale, x[1] / by.scale, x[2] / by.scale,
                                   x[3] / by.scale);
  }
  return kvf_fp8_e5m2x4_from_f32(kvf_quotient(x[0], by), kvf_quotient(x[1], by),
                                 kvf_quotient(x[2], by), kvf_quotient(x[3], by));
}

KVF_INLINE void store_fp8_e5m2(const float (&v)[WIDE], uint8_t *to, float scale) {
  const kvf_divisor by = kvf_divide_by(scale);
#pragma unroll
  for (int i = 0; i < WIDE; i += 8) {
    *reinterpret_cast<uint2 *>(to + i) =
        make_uint2(divide_x4_fp8_e5m2(v + i, by), divide_x4_fp8_e5m2(v + i + 4, by));
  }
}

/* What f32 can hold of a float. */
KVF_INLINE float rounded(float x) { return x; }

/* Element i of a vector of floats or of f32. */
KVF_INLINE float number_at(const void *vector, int32_t, int64_t i) {
  return static_cast<const float *>(vector)[i];
}

/* A head of a token's queries, keys or values. */
struct row {
  bool there; /* else it takes part in exchanges only */
  bool is_query;
  bool is_value;
  bool norms;
  int32_t head;
  const float *from;
  int64_t stride;  /* of its elements */
  uint8_t *cached; /* null: it is not written to the cache */
  float scale;     /* of the cache */
};

enum { QUERY, KEY, VALUE };

/* A row of a kind, of which nothing else is known yet. */
KVF_INLINE row row_of(const kvf_rope_and_cache_flash_params &p, int kind) {
  row found = {};
  found.is_query = kind == QUERY;
  found.is_value = kind == VALUE;
  found.norms = kind == QUERY ? p.norms_q : kind == KEY && p.norms_k;
  return found;
}

/* Where a token goes. */
struct place {
  bool writes; /* to the cache */
  int64_t block;
  int64_t offset;
};

/* What is read of a token to know that; negative where there is none. */
struct indices {
  int64_t position;
  int64_t slot;
};

KVF_INLINE indices read_indices(const kvf_rope_and_cache_flash_params &p, int64_t token) {
  indices found = {0, -1};
  if (p.rotary_dim > 0) {
    found.position =
        kvf_index_at(p.positions.data, p.position_bytes, token * p.positions.stride[0]);
  }
  if (token < p.slots.num_tokens) {
    found.slot = kvf_slot_of(p.slots, token);
  }
  return found;
}

/* Whether the position of a token is in range. */
KVF_INLINE bool is_placed(const kvf_rope_and_cache_flash_params &p, const indices &token) {
  return p.rotary_dim == 0 || (token.position >= 0 && token.position < p.num_positions);
}

/* The row of its position. */
KVF_INLINE const void *angles_of(const kvf_rope_and_cache_flash_params &p, const indices &token) {
  return static_cast<const char *>(p.cos_sin_cache.data) +
         token.position * p.cos_sin_cache.stride[0] * p.angle_bytes;
}

/* The one thread with `counts` counts a position or a slot that is out of range. */
KVF_INLINE place find_place(const kvf_rope_and_cache_flash_params &p, const indices &token,
                            bool counts) {
  const bool placed = is_placed(p, token);
  place to = {};
  to.writes = kvf_place(p.slots, token.slot, counts && placed, &to.block, &to.offset);
  if (!placed && counts) {
    atomicAdd(p.slots.faults, 1ULL);
  }
  return to;
}

/* Where a row goes in the cache. */
KVF_INLINE void find_cached(const kvf_rope_and_cache_flash_params &p, const place &to, row &what) {
  if (what.is_query || !to.writes) {
    return;
  }
  const kvf_view &cache = what.is_value ? p.value_cache : p.key_cache;
  what.cached = static_cast<uint8_t *>(cache.data) + to.block * cache.stride[0] +
                to.offset * cache.stride[1] + what.head * cache.stride[2];
  const kvf_view &scales = what.is_value ? p.v_scale : p.k_scale;
  what.scale = static_cast<const float *>(scales.data)[what.head * scales.stride[0]];
}

/* Where a query or key goes beside the cache: element 0 of the row, in elements of its view. */
/* Of a head, which need not be there: nobody goes to its place then, which is computed ahead of
 * whether it is. */
KVF_INLINE int64_t offset_of(const kvf_view &view, int64_t token, uint32_t head) {
  return (int64_t)((uint64_t)token * (uint64_t)view.stride[0] + head * (uint64_t)view.stride[1]);
}

KVF_INLINE int64_t out_at(const kvf_rope_and_cache_flash_params &p, const row &what,
                          int64_t token) {
  return offset_of(what.is_query ? p.q_out : p.k_out, token, (uint32_t)what.head);
}

KVF_INLINE float query_scale(const kvf_rope_and_cache_flash_params &p, const row &what) {
  return p.q_scale.data != nullptr
             ? static_cast<const float *>(p.q_scale.data)[what.head * p.q_scale.stride[0]]
             : 1.0f;
}

/* ---- a chunk at a time ---- */

/* What a lane has of every query and key: two chunks, partners where pairs are halves. */
struct lane_part {
  uint32_t first;
  uint32_t second;
  bool turns_first;
  bool turns_second;
};

/* Lanes behind the end of a row have the part of its first lane, of which they write nothing. */
KVF_INLINE lane_part find_part(const kvf_rope_and_cache_flash_params &p, uint32_t lane) {
  const uint32_t half = (uint32_t)p.head_size / (2 * WIDE);
  lane = lane < half ? lane : 0;
  const uint32_t turning = (uint32_t)p.rotary_dim / (2 * WIDE);
  if (p.is_neox && turning > 0) {
    const bool turns = lane < turning;
    return {turns ? lane : 2 * lane, turns ? lane + turning : 2 * lane + 1, turns, turns};
  }
  return {lane, lane + half, lane < 2 * turning, lane + half < 2 * turning};
}

/* Two chunks of a row, as they lie in memory. */
struct chunks {
  chunk first;
  chunk second;
};

/*
 * What threads keep in shared memory: in registers it would be half of those that they have. At its
 * beginning are the weights of keys and of queries with their bias, if there is a norm; behind them
 * is what each warp has of its own, for which no warp waits for another: rows that were asked for,
 * and the angles of a token, the cosines of all pairs and then the sines. The host knows these
 * sizes.
 */
enum {
  AHEAD = 2,            /* rows of a thread that are asked for before they are worked on */
  WORDS = WIDE * 4 / 16 /* of a chunk */
};
/* Asks for two chunks, one from an address on, the other so many elements behind it. */
KVF_INLINE void ask(const float *from, uint32_t apart, uint4 *to) {
#pragma unroll
  for (int i = 0; i < WORDS; ++i) {
    kvf_copy_half_sector_async(to + 32 * i, reinterpret_cast<const uint4 *>(from) + i);
    kvf_copy_half_sector_async(to + 32 * (WORDS + i),
                               reinterpret_cast<const uint4 *>(from + apart) + i);
  }
}

/* What has come. */
KVF_INLINE chunks take(const uint4 *from) {
  chunks found;
#pragma unroll
  for (int i = 0; i < WORDS; ++i) {
    found.first.words[i] = from[32 * i];
    found.second.words[i] = from[32 * (WORDS + i)];
  }
  return found;
}

/* Elements 4 i to 4 i + 3 of a vector of floats or of f32. */
KVF_INLINE float4 four_numbers_at(const void *vector, int32_t, uint32_t i) {
  return static_cast<const float4 *>(vector)[i];
}

/*
 * Where vector `i` of so many lies in shared memory: those with an even number first, so that
 * lanes, which have two neighbours each, read places side by side, of different banks.
 */
KVF_INLINE uint32_t parted(uint32_t i, uint32_t count) { return i % 2 * (count / 2) + i / 2; }

/* All threads of the block write the weights, 1 without any; they are there behind the next
 * barrier. */
KVF_INLINE void share_weights(const kvf_rope_and_cache_flash_params &p, uint32_t thread,
                              float4 *shared) {
  const uint32_t each = (uint32_t)p.head_size / 4;
  for (uint32_t i = thread; i < 2 * each; i += blockDim.x * blockDim.y) {
    const bool of_query = i >= each;
    const uint32_t at = of_query ? i - each : i;
    const void *weights = of_query ? p.q_weight.data : p.k_weight.data;
    float4 four = make_float4(1.0f, 1.0f, 1.0f, 1.0f);
    if (weights != nullptr && (of_query ? p.norms_q : p.norms_k)) {
      four = four_numbers_at(weights, of_query ? p.q_weight_bytes : p.k_weight_bytes, at);
    }
    shared[i - at + parted(at, each)] =
        make_float4(__fadd_rn(four.x, p.weight_bias), __fadd_rn(four.y, p.weight_bias),
                    __fadd_rn(four.z, p.weight_bias), __fadd_rn(four.w, p.weight_bias));
  }
}

/* All lanes of a warp write its token's angles. Of pairs of neighbours a lane has one vector of a
 * chunk. */
KVF_INLINE void share_angles(const kvf_rope_and_cache_flash_params &p, const void *angles,
                             uint32_t lane, float4 *shared) {
  const uint32_t each = (uint32_t)p.rotary_dim / 8;
  for (uint32_t i = lane; i < 2 * each; i += 32) {
    const uint32_t before = i < each ? 0 : each;
    shared[p.is_neox ? before + parted(i - before, each) : i] =
        four_numbers_at(angles, p.angle_bytes, i);
  }
}

/* A chunk, normed, but for the rounding; its vectors of weights are so many apart. */
KVF_INLINE void norm(float factor, const float4 *weights, uint32_t apart, float (&v)[WIDE]) {
#pragma unroll
  for (int i = 0; i < WIDE; i += 4) {
    const float4 weight = weights[i / 4 * apart];
    v[i + 0] = __fmul_rn(__fmul_rn(v[i + 0], factor), weight.x);
    v[i + 1] = __fmul_rn(__fmul_rn(v[i + 1], factor), weight.y);
    v[i + 2] = __fmul_rn(__fmul_rn(v[i + 2], factor), weight.z);
    v[i + 3] = __fmul_rn(__fmul_rn(v[i + 3], factor), weight.w);
  }
}

/* Rotates pairs whose halves are in two chunks, whose vectors of angles are so many apart. */
KVF_INLINE void rotate_halves(const float4 *cosines, const float4 *sines, uint32_t apart,
                              float (&a)[WIDE], float (&b)[WIDE]) {
#pragma unroll
  for (int i = 0; i < WIDE; i += 4) {
    const float4 c = cosines[i / 4 * apart];
    const float4 s = sines[i / 4 * apart];
    kvf_rotate_f32(&a[i + 0], &b[i + 0], c.x, s.x);
    kvf_rotate_f32(&a[i + 1], &b[i + 1], c.y, s.y);
    kvf_rotate_f32(&a[i + 2], &b[i + 2], c.z, s.z);
    kvf_rotate_f32(&a[i + 3], &b[i + 3], c.w, s.w);
  }
}

/* Rotates pairs of neighbours. */
KVF_INLINE void rotate_neighbours(const float4 *cosines, const float4 *sines, float (&v)[WIDE]) {
#pragma unroll
  for (int i = 0; i < WIDE; i += 8) {
    const float4 c = cosines[i / 8];
    const float4 s = sines[i / 8];
    kvf_rotate_f32(&v[i + 0], &v[i + 1], c.x, s.x);
    kvf_rotate_f32(&v[i + 2], &v[i + 3], c.y, s.y);
    kvf_rotate_f32(&v[i + 4], &v[i + 5], c.z, s.z);
    kvf_rotate_f32(&v[i + 6], &v[i + 7], c.w, s.w);
  }
}

/* Rotates what a lane has of a row. */
KVF_INLINE void rotate(const kvf_rope_and_cache_flash_params &p, const lane_part &part,
                       const float4 *angles, float (&a)[WIDE], float (&b)[WIDE]) {
  const float4 *sines = angles + p.rotary_dim / 8;
  if (p.is_neox) {
    if (part.turns_first) {
      rotate_halves(angles + part.first, sines + part.first, (uint32_t)p.rotary_dim / 16, a, b);
    }
    return;
  }
  if (part.turns_first) {
    rotate_neighbours(angles + part.first * (WIDE / 8), sines + part.first * (WIDE / 8), a);
  }
  if (part.turns_second) {
    rotate_neighbours(angles + part.second * (WIDE / 8), sines + part.second * (WIDE / 8), b);
  }
}

/* Chunks of a query or key, done, to where they go; `at_out`: of the row's element 0, beside the
 * cache. */
KVF_INLINE void put(const kvf_rope_and_cache_flash_params &p, const row &what,
                    const lane_part &part, int64_t at_out, const float (&a)[WIDE],
                    const float (&b)[WIDE]) {
  const uint32_t first = part.first * WIDE;
  const uint32_t second = part.second * WIDE;
  if (what.is_query && p.q_becomes != KVF_QUERY_SCALAR) {
    uint8_t *to = static_cast<uint8_t *>(p.q_out.data) + at_out;
    const float scale = query_scale(p, what);
    if (p.q_becomes == KVF_QUERY_FP8_E4M3) {
      store_fp8_e4m3(a, to + first, scale);
      store_fp8_e4m3(b, to + second, scale);
    } else {
      store_fp8_e5m2(a, to + first, scale);
      store_fp8_e5m2(b, to + second, scale);
    }
    return;
  }
  float *out = static_cast<float *>(what.is_query ? p.q_out.data : p.k_out.data);
  if (out != nullptr) {
    out += at_out + first;
    store(a, out);
    store(b, out + (second - first));
  }
  if (what.cached != nullptr) {
    store_fp8_e4m3(a, what.cached + first, what.scale);
    store_fp8_e4m3(b, what.cached + second, what.scale);
  }
}

/* Element 0 of a head of a token. */
KVF_INLINE const float *find_from(const kvf_view &view, int64_t token, uint32_t head) {
  return static_cast<const float *>(view.data) + offset_of(view, token, head);
}

/* What the elements of a row are multiplied by in its norm. All lanes of the warp come here, those
 * without a row too. */
KVF_INLINE float find_factor(const kvf_rope_and_cache_flash_params &p, const row &what,
                             const lane_part &part, int64_t token, const float (&a)[WIDE],
                             const float (&b)[WIDE]) {
  const uint32_t lane = threadIdx.x;
  const uint32_t half = (uint32_t)p.head_size / (2 * WIDE);
  float sum = 0;
  if (what.there) {
    if (part.first == lane && part.second == lane + half) {
      sum = kvf_sum_part(a, b);
    } else {
      float low[WIDE];
      float high[WIDE];
      const float *from = find_from(what.is_query ? p.query : p.key, token, (uint32_t)what.head);
      widen(load(from + lane * WIDE), low);
      widen(load(from + (lane + half) * WIDE), high);
      sum = kvf_sum_part(low, high);
    }
  }
  return kvf_norm_factor(kvf_fold_lanes(sum, blockDim.x), p.head_size, p.eps);
}

/* A query or key, by as many lanes as blocks have columns. */
KVF_INLINE void write_turned(const kvf_rope_and_cache_flash_params &p, const row &what,
                             const chunks &held, const lane_part &part, int64_t token,
                             const float4 *weights, const float4 *angles, int64_t at_out) {
  float a[WIDE];
  float b[WIDE];
  widen(held.first, a);
  widen(held.second, b);
  if (what.norms) {
    const float factor = find_factor(p, what, part, token, a, b);
    norm(factor, weights + part.first, (uint32_t)p.head_size / 8, a);
    norm(factor, weights + part.second, (uint32_t)p.head_size / 8, b);
  }
  rotate(p, part, angles, a, b);
  if (what.there) {
    put(p, what, part, at_out, a, b);
  }
}

/* A value, by as many lanes. */
KVF_INLINE void write_value(const row &what, const chunks &held, uint32_t apart) {
  const uint32_t at = threadIdx.x * WIDE;
  float a[WIDE];
  float b[WIDE];
  widen(held.first, a);
  widen(held.second, b);
  if (what.cached != nullptr) {
    store_fp8_e4m3(a, what.cached + at, what.scale);
    store_fp8_e4m3(b, what.cached + at + apart, what.scale);
  }
}

/* Where a lane's part of the rows of a token begins, and how it lies there. */
struct lane_rows {
  lane_part part;
  uint32_t apart;
  bool has_part;
  bool has_value;
};

KVF_INLINE lane_rows find_lane(const kvf_rope_and_cache_flash_params &p, int64_t token) {
  const uint32_t lane = threadIdx.x;
  lane_rows found;
  found.part = find_part(p, lane);
  found.apart = (found.part.second - found.part.first) * WIDE;
  found.has_part = lane < (uint32_t)p.head_size / (2 * WIDE);
  found.has_value = lane < (uint32_t)p.value_head_size / (2 * WIDE) && token < p.slots.num_tokens;
  return found;
}

/* How the rows of a token are numbered: values, keys, queries, each kind from a warp's first row
 * on. */
struct row_numbers {
  uint32_t keys; /* of the first key, and so on */
  uint32_t queries;
  uint32_t end;
};

/* Asks for what a lane has of row `index`, if it has any. */
KVF_INLINE void ask_row(const kvf_rope_and_cache_flash_params &p, int64_t token,
                        const row_numbers &rows, uint32_t index, const lane_rows &own, uint4 *to) {
  if (index < rows.keys) {
    if (own.has_value && index < (uint32_t)p.num_heads) {
      ask(find_from(p.value, token, index) + threadIdx.x * WIDE, (uint32_t)p.value_head_size / 2,
          to);
    }
  } else if (index < rows.queries) {
    if (own.has_part && index - rows.keys < (uint32_t)p.num_heads) {
      ask(find_from(p.key, token, index - rows.keys) + own.part.first * WIDE, own.apart, to);
    }
  } else if (own.has_part && index < rows.end) {
    ask(find_from(p.query, token, index - rows.queries) + own.part.first * WIDE, own.apart, to);
  }
  kvf_end_copies();
}

/* A row of a kind, of which the lane has a part or not. */
KVF_INLINE row find_row(const kvf_rope_and_cache_flash_params &p, int kind, uint32_t head,
                        bool there) {
  row found = row_of(p, kind);
  found.there = there;
  found.head = (int32_t)head;
  return found;
}

/*
 * Rows of a token, a chunk at a time. A thread's first rows are asked for before it is known where
 * the token goes, the others while those before them are worked on: else it would wait most of its
 * time. What turns out to be skipped has been read for nothing. The rows of a warp are of one kind.
 * `begins`: no token of this block was before.
 */
KVF_INLINE void write_token_wide(const kvf_rope_and_cache_flash_params &p, int64_t token,
                                 bool counts, bool begins, float4 *shared) {
  const uint32_t thread = threadIdx.y * blockDim.x + threadIdx.x;
  const uint32_t step = gridDim.y * blockDim.y;
  const uint32_t own = blockIdx.y * blockDim.y + threadIdx.y;
  const indices told = read_indices(p, token);
  const uint32_t least = __shfl_sync(0xFFFFFFFFu, own, 0); /* of the warp */
  const uint32_t last = __shfl_sync(0xFFFFFFFFu, own, 31) - least;
  row_numbers rows;
  rows.keys = ((uint32_t)p.num_heads + last) & ~last; /* a warp has a power of two of them */
  rows.queries = 2 * rows.keys;
  rows.end = rows.queries + (uint32_t)p.num_q_heads;
  const bool norms = p.norms_q || p.norms_k;
  float4 *const of_warps = shared + (norms ? (uint32_t)p.head_size / 2 : 0);
  const uint32_t of_warp = AHEAD * 2 * WORDS * 32 + (uint32_t)p.rotary_dim / 4;
  float4 *const of_own = of_warps + thread / 32 * of_warp;
  uint4 *const asked = reinterpret_cast<uint4 *>(of_own) + thread % 32;
  float4 *const angles = of_own + AHEAD * 2 * WORDS * 32;
  const lane_rows lane = find_lane(p, token);
#pragma unroll
  for (uint32_t i = 0; i < AHEAD; ++i) {
    ask_row(p, token, rows, own + i * step, lane, asked + i * 2 * WORDS * 32);
  }
  if (begins && norms) {
    share_weights(p, thread, shared);
    __syncthreads();
  }
  place to = {};
  if (least < rows.queries || blockIdx.y == 0) {
    to = find_place(p, told, counts);
  }
  if (is_placed(p, told)) {
    share_angles(p, angles_of(p, told), thread % 32, angles);
    __syncwarp();
    uint32_t base = least;
    uint32_t turn = 0;
    for (; base < rows.queries; base += step) {
      const uint32_t index = base + own - least;
      kvf_wait_for_earlier_copies();
      const chunks held = take(asked + turn);
      ask_row(p, token, rows, index + AHEAD * step, lane, asked + turn);
      turn ^= 2 * WORDS * 32;
      if (base < rows.keys) {
        row what = find_row(p, VALUE, index, index < (uint32_t)p.num_heads && lane.has_value);
        if (what.there) {
          find_cached(p, to, what);
        }
        write_value(what, held, (uint32_t)p.value_head_size / 2);
      } else {
        const uint32_t head = index - rows.keys;
        row what = find_row(p, KEY, head, head < (uint32_t)p.num_heads && lane.has_part);
        if (what.there) {
          find_cached(p, to, what);
        }
        write_turned(p, what, held, lane.part, token, shared, angles, out_at(p, what, token));
      }
    }
    uint32_t head = base + own - least - rows.queries;
    const float *from = find_from(p.query, token, head + AHEAD * step) + lane.part.first * WIDE;
    uint64_t at_out = (uint64_t)offset_of(p.q_out, token, head);
    for (; base < rows.end; base += step) {
      kvf_wait_for_earlier_copies();
      const chunks held = take(asked + turn);
      if (lane.has_part && head + AHEAD * step < (uint32_t)p.num_q_heads) {
        ask(from, lane.apart, asked + turn);
      }
      kvf_end_copies();
      turn ^= 2 * WORDS * 32;
      const bool there = lane.has_part && head < (uint32_t)p.num_q_heads;
      const row what = find_row(p, QUERY, head, there);
      write_turned(p, what, held, lane.part, token, shared + p.head_size / 4, angles,
                   (int64_t)at_out);
      head += step;
      from += (int64_t)(step * (uint64_t)p.query.stride[1]);
      at_out += step * (uint64_t)p.q_out.stride[1];
    }
    __syncwarp(); /* until all have read the angles */
  }
  kvf_wait_for_copies();
}

/* ---- one element at a time ---- */

/* Element `at` of a query or key, as it is when it is read; `factor` is of its norm. */
KVF_INLINE float element(const kvf_rope_and_cache_flash_params &p, const row &what, float factor,
                         int64_t at) {
  const float x = kvf_f32_from_f32(what.from[at * what.stride]);
  if (!what.norms) {
    return x;
  }
  const kvf_view &weight = what.is_query ? p.q_weight : p.k_weight;
  const int32_t bytes = what.is_query ? p.q_weight_bytes : p.k_weight_bytes;
  const float held =
      weight.data != nullptr ? number_at(weight.data, bytes, at * weight.stride[0]) : 1.0f;
  const float normed = __fmul_rn(__fmul_rn(x, factor), __fadd_rn(held, p.weight_bias));
  return p.rounding == KVF_ROUND_UNFUSED ? rounded(normed) : normed;
}

/* Element `at` of a query or key, done, to where it goes. */
KVF_INLINE void put_element(const kvf_rope_and_cache_flash_params &p, const row &what,
                            int64_t token, int64_t at, float v) {
  if (p.rounding != KVF_ROUND_NONE) {
    v = rounded(v);
  }
  if (what.is_query && p.q_becomes != KVF_QUERY_SCALAR) {
    const float code = v / query_scale(p, what);
    static_cast<uint8_t *>(p.q_out.data)[out_at(p, what, token) + at * p.q_out.stride[2]] =
        p.q_becomes == KVF_QUERY_FP8_E4M3 ? kvf_fp8_e4m3_from_f32(code)
                                          : kvf_fp8_e5m2_from_f32(code);
    return;
  }
  const kvf_view &out = what.is_query ? p.q_out : p.k_out;
  if (out.data != nullptr) {
    static_cast<float *>(out.data)[out_at(p, what, token) + at * out.stride[2]] =
        kvf_rotated_f32(v);
  }
  if (what.cached != nullptr) {
    what.cached[at * p.key_cache.stride[3]] = kvf_fp8_e4m3_from_f32(v / what.scale);
  }
}

/* The sum of the squares of a row. All lanes of a warp come here; those of other rows get nothing
 * useful. */
KVF_INLINE float sum_of_squares(const kvf_rope_and_cache_flash_params &p, const row &what) {
  const int64_t half = kvf_lower_half(p.head_size);
  float sum = 0;
  for (int64_t first = 0; first < half; first += KVF_SUM_HALF) {
    const int64_t at = first + (int64_t)threadIdx.x * KVF_SUM_PART;
    float low[KVF_SUM_PART] = {};
    float high[KVF_SUM_PART] = {};
    if (what.norms && at < half) {
#pragma unroll
      for (int i = 0; i < KVF_SUM_PART; ++i) {
        low[i] = at + i < p.head_size ? kvf_f32_from_f32(what.from[(at + i) * what.stride]) : 0.0f;
        high[i] = half + at + i < p.head_size
                      ? kvf_f32_from_f32(what.from[(half + at + i) * what.stride])
                      : 0.0f;
      }
    }
    sum = __fadd_rn(sum, kvf_fold_lanes(kvf_sum_part(low, high), KVF_SUM_GROUP));
  }
  return sum;
}

/* A row, by a warp. */
KVF_INLINE void write_narrow(const kvf_rope_and_cache_flash_params &p, const row &what,
                             const void *angles, int64_t token) {
  float factor = 1;
  if (p.norms_q || p.norms_k) {
    factor = kvf_norm_factor(sum_of_squares(p, what), p.head_size, p.eps);
  }
  if (what.is_value) {
    for (int64_t i = threadIdx.x; i < p.value_head_size && what.cached != nullptr; i += warpSize) {
      what.cached[i * p.value_cache.stride[3]] =
          kvf_fp8_e4m3_from_f32(kvf_f32_from_f32(what.from[i * what.stride]) / what.scale);
    }
  } else if (what.there) {
    const int64_t pairs = p.rotary_dim / 2;
    for (int64_t i = threadIdx.x; i < pairs; i += warpSize) {
      const int64_t first = p.is_neox ? i : 2 * i;
      const int64_t second = p.is_neox ? i + pairs : 2 * i + 1;
      float a = element(p, what, factor, first);
      float b = element(p, what, factor, second);
      kvf_rotate_f32(&a, &b, number_at(angles, p.angle_bytes, i * p.cos_sin_cache.stride[1]),
                     number_at(angles, p.angle_bytes, (pairs + i) * p.cos_sin_cache.stride[1]));
      put_element(p, what, token, first, a);
      put_element(p, what, token, second, b);
    }
    for (int64_t i = 2 * pairs + threadIdx.x; i < p.head_size; i += warpSize) {
      put_element(p, what, token, i, element(p, what, factor, i));
    }
  }
}

/* Rows of a token, an element at a time. */
KVF_INLINE void write_token_narrow(const kvf_rope_and_cache_flash_params &p, int64_t token,
                                   bool counts) {
  const int64_t rows = (int64_t)p.num_q_heads + 2 * (int64_t)p.num_heads;
  const indices told = read_indices(p, token);
  const place to = find_place(p, told, counts);
  if (!is_placed(p, told)) {
    return;
  }
  for (int64_t first = (int64_t)blockIdx.y * blockDim.y; first < rows;
       first += (int64_t)gridDim.y * blockDim.y) {
    const int64_t index = first + threadIdx.y;
    row what = {};
    if (index < rows) {
      const int kind = index < p.num_q_heads                          ? QUERY
                       : index < (int64_t)p.num_q_heads + p.num_heads ? KEY
                                                                      : VALUE;
      const kvf_view &source = kind == QUERY ? p.query : kind == KEY ? p.key : p.value;
      const int64_t head =
          index - (kind == QUERY ? 0 : p.num_q_heads) - (kind == VALUE ? p.num_heads : 0);
      what = row_of(p, kind);
      what.there = true;
      what.head = (int32_t)head;
      what.from = static_cast<const float *>(source.data) + token * source.stride[0] +
                  head * source.stride[1];
      what.stride = source.stride[2];
      find_cached(p, to, what);
    }
    write_narrow(p, what, angles_of(p, told), token);
  }
}

/* Blocks that share a multiprocessor at least: asked for more, compilers spill. */
enum { BLOCKS = 4 };

/*
 * Grid: x tokens, y parts of a token's rows. Block: x lanes that share a row, a power of two up to
 * a warp, y rows; whole warps.
 */
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    kvf_cuda_rope_and_cache_flash__f32__fp8_e4m3(
        const __grid_constant__ kvf_rope_and_cache_flash_params p) {
  kvf_begin_kernel();
  KVF_DYNAMIC_SHARED(float4, shared);
  const bool counts = threadIdx.x == 0 && threadIdx.y == 0 && blockIdx.y == 0;
  for (int64_t token = blockIdx.x; token < p.num_tokens; token += gridDim.x) {
    if (p.wide) {
      write_token_wide(p, token, counts, token == blockIdx.x, shared);
    } else {
      write_token_narrow(p, token, counts);
    }
  }
}
