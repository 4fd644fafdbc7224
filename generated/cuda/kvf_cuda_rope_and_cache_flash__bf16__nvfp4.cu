/*
 * Generated from templates/cuda/rope_and_cache_flash.cu.j2 and
 * generator/spec/rope_and_cache_flash.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/rope_and_cache_flash.h"
#include "kvforge/cache/cuda_norm.cuh"
#include "kvforge/cache/cuda_rope.cuh"
#include "kvforge/cache/nvfp4.h"

enum { GROUP = 16 };

KVF_INLINE void widen_x2(uint32_t word, float *v) {
  v[0] = kvf_f32_from_bf16((uint16_t)word);
  v[1] = kvf_f32_from_bf16((uint16_t)(word >> 16));
}

/* A group as floats; `whole`: in vectors of 16 bytes. */
KVF_INLINE void load_group(const uint16_t *from, int64_t stride, bool whole, float (&v)[GROUP]) {
  if (whole) {
#pragma unroll
    for (int32_t i = 0; i < GROUP; i += 8) {
      const uint4 words = *reinterpret_cast<const uint4 *>(from + i);
      widen_x2(words.x, v + i + 0);
      widen_x2(words.y, v + i + 2);
      widen_x2(words.z, v + i + 4);
      widen_x2(words.w, v + i + 6);
    }
    return;
  }
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    v[i] = kvf_f32_from_bf16(from[i * stride]);
  }
}

/* The largest magnitude of a group, NaNs left out. */
KVF_INLINE uint32_t largest_of(const float (&v)[GROUP]) {
  float largest = 0.0f;
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    largest = kvf_larger_magnitude(largest, v[i]);
  }
  return kvf_bits(largest);
}

/* Eight elements as E2M1 codes, the first in the lowest bits. */
KVF_INLINE uint32_t quantise_x8(const float *v, float multiplier) {
  uint32_t codes = 0;
#pragma unroll
  for (int32_t i = 0; i < 8; ++i) {
    codes |= kvf_e2m1_from_f32(v[i] * multiplier) << 4 * i;
  }
  return codes;
}

/* A group as it is stored. */
struct encoded {
  uint32_t low; /* the first eight codes */
  uint32_t high;
  uint32_t block_scale;
};

/* A group whose largest element becomes `top`. */
KVF_INLINE encoded encode(const float (&v)[GROUP], uint32_t largest, float top, float inverse) {
  encoded group;
  group.block_scale = kvf_nvfp4_block_scale(largest, top, inverse);
  const float multiplier = kvf_nvfp4_multiplier(group.block_scale, inverse);
  group.low = quantise_x8(v, multiplier);
  group.high = quantise_x8(v + 8, multiplier);
  return group;
}

/* One group. `whole`: its 8 bytes in one access. */
KVF_INLINE void store_group(const float (&v)[GROUP], uint8_t *codes, uint8_t *scale_at, float scale,
                            bool whole) {
  const float inverse = 1.0f / scale;
  const uint32_t largest = largest_of(v);
  const encoded group = encode(v, largest, 6.0f, inverse);
  *scale_at = (uint8_t)group.block_scale;
  if (whole) {
    *reinterpret_cast<uint2 *>(codes) = make_uint2(group.low, group.high);
    return;
  }
#pragma unroll
  for (int32_t i = 0; i < 4; ++i) {
    codes[i] = (uint8_t)(group.low >> 8 * i);
    codes[4 + i] = (uint8_t)(group.high >> 8 * i);
  }
}

/* Elements that a thread moves at a time where it can: a group of those that share a block scale.
 */
enum { WIDE = GROUP, THREADS = 256 };

/* A chunk of WIDE elements. */
KVF_INLINE void load(const uint16_t *from, float (&v)[WIDE]) { load_group(from, 1, true, v); }

KVF_INLINE void store(const float (&v)[WIDE], uint16_t *to) {
#pragma unroll
  for (int i = 0; i < WIDE; i += 8) {
    *reinterpret_cast<uint4 *>(to + i) =
        make_uint4(kvf_bf16_from_f32(v[i + 0]) | (uint32_t)kvf_bf16_from_f32(v[i + 1]) << 16,
                   kvf_bf16_from_f32(v[i + 2]) | (uint32_t)kvf_bf16_from_f32(v[i + 3]) << 16,
                   kvf_bf16_from_f32(v[i + 4]) | (uint32_t)kvf_bf16_from_f32(v[i + 5]) << 16,
                   kvf_bf16_from_f32(v[i + 6]) | (uint32_t)kvf_bf16_from_f32(v[i + 7]) << 16);
  }
}

KVF_INLINE void store_fp8_e4m3(const float (&v)[WIDE], uint8_t *to, float scale) {
#pragma unroll
  for (int i = 0; i < WIDE; i += 8) {
    *reinterpret_cast<uint2 *>(to + i) =
        make_uint2(kvf_fp8_e4m3x4_from_f32(v[i + 0] / scale, v[i + 1] / scale, v[i + 2] / scale,
                                           v[i + 3] / scale),
                   kvf_fp8_e4m3x4_from_f32(v[i + 4] / scale, v[i + 5] / scale, v[i + 6] / scale,
                                           v[i + 7] / scale));
  }
}

KVF_INLINE void store_fp8_e5m2(const float (&v)[WIDE], uint8_t *to, float scale) {
#pragma unroll
  for (int i = 0; i < WIDE; i += 8) {
    *reinterpret_cast<uint2 *>(to + i) =
        make_uint2(kvf_fp8_e5m2x4_from_f32(v[i + 0] / scale, v[i + 1] / scale, v[i + 2] / scale,
                                           v[i + 3] / scale),
                   kvf_fp8_e5m2x4_from_f32(v[i + 4] / scale, v[i + 5] / scale, v[i + 6] / scale,
                                           v[i + 7] / scale));
  }
}

/* What bf16 can hold of a float. */
KVF_INLINE float rounded(float x) { return kvf_f32_from_bf16(kvf_bf16_from_f32(x)); }

/* Element i of a vector of floats or of bf16. */
KVF_INLINE float number_at(const void *vector, int32_t bytes, int64_t i) {
  return bytes == 4 ? static_cast<const float *>(vector)[i]
                    : kvf_f32_from_bf16(static_cast<const uint16_t *>(vector)[i]);
}

/* Elements [i, i + 4) of such a vector, i being a multiple of 4. */
KVF_INLINE void load_quad(const void *vector, int32_t bytes, int64_t i, float (&v)[4]) {
  if (bytes != 4) {
    const uint2 words = *reinterpret_cast<const uint2 *>(static_cast<const uint16_t *>(vector) + i);
    v[0] = kvf_f32_from_bf16((uint16_t)words.x);
    v[1] = kvf_f32_from_bf16((uint16_t)(words.x >> 16));
    v[2] = kvf_f32_from_bf16((uint16_t)words.y);
    v[3] = kvf_f32_from_bf16((uint16_t)(words.y >> 16));
    return;
  }
  const float4 words = *reinterpret_cast<const float4 *>(static_cast<const float *>(vector) + i);
  v[0] = words.x;
  v[1] = words.y;
  v[2] = words.z;
  v[3] = words.w;
}

/* A head of a token's queries, keys or values. */
struct row {
  bool there; /* else it takes part in exchanges only */
  bool is_query;
  bool is_value;
  bool norms;
  int32_t head;
  const uint16_t *from;
  int64_t stride;        /* of its elements */
  uint8_t *cached;       /* null: it is not written to the cache */
  float scale;           /* of the cache */
  uint8_t *block_scales; /* of this head of the first token of the page */
  int64_t offset;        /* of the token in it */
};

/* Row `index` of a token. */
KVF_INLINE row find_row(const kvf_rope_and_cache_flash_params &p, int64_t token, int64_t block,
                        int64_t offset, bool writes, int64_t index) {
  row found = {};
  found.there = index < (int64_t)p.num_q_heads + 2 * (int64_t)p.num_heads;
  if (!found.there) {
    return found;
  }
  found.is_query = index < p.num_q_heads;
  found.is_value = index >= (int64_t)p.num_q_heads + p.num_heads;
  found.head =
      (int32_t)(found.is_query ? index
                               : index - p.num_q_heads - (found.is_value ? p.num_heads : 0));
  const kvf_view &source = found.is_query ? p.query : found.is_value ? p.value : p.key;
  found.norms = found.is_query ? p.norms_q : !found.is_value && p.norms_k;
  found.from = static_cast<const uint16_t *>(source.data) + token * source.stride[0] +
               found.head * source.stride[1];
  found.stride = source.stride[2];
  if (!found.is_query && writes) {
    const kvf_view &cache = found.is_value ? p.value_cache : p.key_cache;
    found.cached = static_cast<uint8_t *>(cache.data) + block * cache.stride[0] +
                   offset * cache.stride[1] + found.head * cache.stride[2];
    const kvf_view &scales = found.is_value ? p.v_scale : p.k_scale;
    found.scale = static_cast<const float *>(scales.data)[found.head * scales.stride[0]];
    const kvf_view &block_scales = found.is_value ? p.v_block_scales : p.k_block_scales;
    found.block_scales = static_cast<uint8_t *>(block_scales.data) +
                         block * block_scales.stride[0] + found.head * block_scales.stride[2];
    found.offset = offset;
  }
  return found;
}

/* Where a query or key goes beside the cache: element 0 of the row, in elements of its view. */
KVF_INLINE int64_t out_at(const kvf_rope_and_cache_flash_params &p, const row &what,
                          int64_t token) {
  const kvf_view &out = what.is_query ? p.q_out : p.k_out;
  return token * out.stride[0] + what.head * out.stride[1];
}

KVF_INLINE float query_scale(const kvf_rope_and_cache_flash_params &p, const row &what) {
  return p.q_scale.data != nullptr
             ? static_cast<const float *>(p.q_scale.data)[what.head * p.q_scale.stride[0]]
             : 1.0f;
}

/* A group of a key or value to the cache. `whole`: its 8 bytes in one access. */
KVF_INLINE void put_group(const kvf_rope_and_cache_flash_params &p, const row &what, int32_t group,
                          const float (&v)[GROUP], bool whole) {
  int64_t token_place = what.offset;
  int64_t group_place = group;
  if (what.is_value && p.swizzle_v_scales) {
    kvf_nvfp4_swizzle(&token_place, &group_place, p.value_head_size / GROUP);
  }
  const int64_t token_stride =
      what.is_value ? p.v_block_scales.stride[1] : p.k_block_scales.stride[1];
  store_group(v, what.cached + group * (GROUP / 2),
              what.block_scales + token_place * token_stride + group_place, what.scale, whole);
}

/* ---- a chunk at a time ---- */

/* What a lane has of every row: two chunks, partners where pairs are halves. */
struct lane_part {
  int32_t first;
  int32_t second;
  bool turns_first;
  bool turns_second;
};

KVF_INLINE lane_part find_part(const kvf_rope_and_cache_flash_params &p, int32_t lane) {
  const int32_t half = p.head_size / (2 * WIDE);
  const int32_t turning = p.rotary_dim / (2 * WIDE);
  if (p.is_neox && turning > 0) {
    const bool turns = lane < turning;
    return {turns ? lane : 2 * lane, turns ? lane + turning : 2 * lane + 1, turns, turns};
  }
  return {lane, lane + half, lane < 2 * turning, lane + half < 2 * turning};
}

/* A chunk, normed: the first of its elements is `at`. */
KVF_INLINE void norm(const kvf_rope_and_cache_flash_params &p, const row &what, float factor,
                     int32_t at, float (&v)[WIDE]) {
  const void *weight = what.is_query ? p.q_weight.data : p.k_weight.data;
  const int32_t bytes = what.is_query ? p.q_weight_bytes : p.k_weight_bytes;
#pragma unroll
  for (int first = 0; first < WIDE; first += 4) {
    float weights[4] = {1, 1, 1, 1};
    if (weight != nullptr) {
      load_quad(weight, bytes, at + first, weights);
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      float &x = v[first + i];
      x = __fmul_rn(__fmul_rn(x, factor), __fadd_rn(weights[i], p.weight_bias));
      x = p.rounding == KVF_ROUND_UNFUSED ? rounded(x) : x;
    }
  }
}

/* Rotates two chunks whose elements are partners: pairs from `pair` on. */
KVF_INLINE void rotate_halves(const kvf_rope_and_cache_flash_params &p, const void *angles,
                              int32_t pair, float (&a)[WIDE], float (&b)[WIDE]) {
#pragma unroll
  for (int first = 0; first < WIDE; first += 4) {
    float cosines[4];
    float sines[4];
    load_quad(angles, p.angle_bytes, pair + first, cosines);
    load_quad(angles, p.angle_bytes, p.rotary_dim / 2 + pair + first, sines);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      kvf_rotate_f32(&a[first + i], &b[first + i], cosines[i], sines[i]);
    }
  }
}

/* Rotates a chunk of neighbours: pairs from `pair` on. */
KVF_INLINE void rotate_neighbours(const kvf_rope_and_cache_flash_params &p, const void *angles,
                                  int32_t pair, float (&v)[WIDE]) {
#pragma unroll
  for (int first = 0; first < WIDE / 2; first += 4) {
    float cosines[4];
    float sines[4];
    load_quad(angles, p.angle_bytes, pair + first, cosines);
    load_quad(angles, p.angle_bytes, p.rotary_dim / 2 + pair + first, sines);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      kvf_rotate_f32(&v[2 * (first + i)], &v[2 * (first + i) + 1], cosines[i], sines[i]);
    }
  }
}

/* Rotates what a lane has of a row. */
KVF_INLINE void rotate(const kvf_rope_and_cache_flash_params &p, const lane_part &part,
                       const void *angles, float (&a)[WIDE], float (&b)[WIDE]) {
  if (p.is_neox && part.turns_first) {
    rotate_halves(p, angles, part.first * WIDE, a, b);
    return;
  }
  if (part.turns_first) {
    rotate_neighbours(p, angles, part.first * (WIDE / 2), a);
  }
  if (part.turns_second) {
    rotate_neighbours(p, angles, part.second * (WIDE / 2), b);
  }
}

/* A chunk of a query or key, done, to where it goes. */
KVF_INLINE void put(const kvf_rope_and_cache_flash_params &p, const row &what, int64_t token,
                    int32_t at, const float (&v)[WIDE]) {
  if (what.is_query && p.q_becomes != KVF_QUERY_SCALAR) {
    uint8_t *to = static_cast<uint8_t *>(p.q_out.data) + out_at(p, what, token) + at;
    if (p.q_becomes == KVF_QUERY_FP8_E4M3) {
      store_fp8_e4m3(v, to, query_scale(p, what));
    } else {
      store_fp8_e5m2(v, to, query_scale(p, what));
    }
    return;
  }
  void *out = what.is_query ? p.q_out.data : p.k_out.data;
  if (out != nullptr) {
    store(v, static_cast<uint16_t *>(out) + out_at(p, what, token) + at);
  }
  if (what.cached != nullptr) {
    put_group(p, what, at / GROUP, v, true);
  }
}

/* A chunk of a value to the cache. */
KVF_INLINE void put_value(const kvf_rope_and_cache_flash_params &p, const row &what, int32_t at) {
  float v[WIDE];
  load(what.from + at, v);
  put_group(p, what, at / GROUP, v, true);
}

/* The sums of the squares of two chunks, one half on the other. */
KVF_INLINE void sum_chunks(const float (&low)[WIDE], const float (&high)[WIDE],
                           float (&sums)[WIDE / KVF_SUM_PART]) {
#pragma unroll
  for (int i = 0; i < WIDE / KVF_SUM_PART; ++i) {
    sums[i] = kvf_sum_part(low + i * KVF_SUM_PART, high + i * KVF_SUM_PART);
  }
}

/* A row, by as many lanes as blocks have columns. */
KVF_INLINE void write_wide(const kvf_rope_and_cache_flash_params &p, const row &what,
                           const lane_part &part, const void *angles, int64_t token) {
  const int32_t lane = (int32_t)threadIdx.x;
  const int32_t half = p.head_size / (2 * WIDE);
  const bool works = what.there && !what.is_value && lane < half;
  float a[WIDE] = {};
  float b[WIDE] = {};
  if (works) {
    load(what.from + part.first * WIDE, a);
    load(what.from + part.second * WIDE, b);
  }
  if (p.norms_q || p.norms_k) {
    float sums[WIDE / KVF_SUM_PART] = {};
    if (works && what.norms) {
      if (part.first == lane && part.second == lane + half) {
        sum_chunks(a, b, sums);
      } else {
        float low[WIDE];
        float high[WIDE];
        load(what.from + lane * WIDE, low);
        load(what.from + (lane + half) * WIDE, high);
        sum_chunks(low, high, sums);
      }
    }
    float sum = kvf_fold_lanes(sums[0], blockDim.x);
    sum = __fadd_rn(sum, kvf_fold_lanes(sums[1], blockDim.x)); /* neighbours are folded last */
    const float factor = kvf_norm_factor(sum, p.head_size, p.eps);
    if (works && what.norms) {
      norm(p, what, factor, part.first * WIDE, a);
      norm(p, what, factor, part.second * WIDE, b);
    }
  }
  if (works) {
    rotate(p, part, angles, a, b);
    if (p.rounding != KVF_ROUND_NONE) {
#pragma unroll
      for (int i = 0; i < WIDE; ++i) {
        a[i] = rounded(a[i]);
        b[i] = rounded(b[i]);
      }
    }
    put(p, what, token, part.first * WIDE, a);
    put(p, what, token, part.second * WIDE, b);
  } else if (what.is_value && what.cached != nullptr && lane < p.value_head_size / (2 * WIDE)) {
    put_value(p, what, lane * WIDE);
    put_value(p, what, lane * WIDE + p.value_head_size / 2);
  }
}

/* ---- one element at a time ---- */

/* Element `at` of a query or key, as it is when it is read; `factor` is of its norm. */
KVF_INLINE float element(const kvf_rope_and_cache_flash_params &p, const row &what, float factor,
                         int64_t at) {
  const float x = kvf_f32_from_bf16(what.from[at * what.stride]);
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

/* Element `at` of a query or key, done, to where it goes beside the cache. */
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
    static_cast<uint16_t *>(out.data)[out_at(p, what, token) + at * out.stride[2]] =
        kvf_bf16_from_f32(v);
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
        low[i] = at + i < p.head_size ? kvf_f32_from_bf16(what.from[(at + i) * what.stride]) : 0.0f;
        high[i] = half + at + i < p.head_size
                      ? kvf_f32_from_bf16(what.from[(half + at + i) * what.stride])
                      : 0.0f;
      }
    }
    sum = __fadd_rn(sum, kvf_fold_lanes(kvf_sum_part(low, high), KVF_SUM_GROUP));
  }
  return sum;
}

/* Element `at` of a row as it goes to the cache. */
KVF_INLINE float finished(const kvf_rope_and_cache_flash_params &p, const row &what,
                          const void *angles, float factor, int64_t at) {
  if (what.is_value) {
    return kvf_f32_from_bf16(what.from[at * what.stride]);
  }
  const int64_t pairs = p.rotary_dim / 2;
  float x = element(p, what, factor, at);
  if (at < 2 * pairs) {
    const bool is_second = p.is_neox ? at >= pairs : at % 2 != 0;
    const int64_t distance = p.is_neox ? pairs : 1;
    const int64_t pair = p.is_neox ? at % pairs : at / 2;
    const float y = element(p, what, factor, is_second ? at - distance : at + distance);
    float a = is_second ? y : x;
    float b = is_second ? x : y;
    kvf_rotate_f32(&a, &b, number_at(angles, p.angle_bytes, pair * p.cos_sin_cache.stride[1]),
                   number_at(angles, p.angle_bytes, (pairs + pair) * p.cos_sin_cache.stride[1]));
    x = is_second ? b : a;
  }
  return p.rounding != KVF_ROUND_NONE ? rounded(x) : x;
}

/* The groups of a row to the cache, by a warp; nothing of the row is written in place yet. */
KVF_INLINE void put_groups(const kvf_rope_and_cache_flash_params &p, const row &what,
                           const void *angles, float factor) {
  __shared__ float staged[GROUP][THREADS];
  const uint32_t thread = threadIdx.y * blockDim.x + threadIdx.x;
  const int32_t size = what.is_value ? p.value_head_size : p.head_size;
  for (int32_t group = (int32_t)threadIdx.x; what.cached != nullptr && group < size / GROUP;
       group += warpSize) {
#pragma unroll 1
    for (int i = 0; i < GROUP; ++i) {
      staged[i][thread] = finished(p, what, angles, factor, (int64_t)group * GROUP + i);
    }
    float v[GROUP];
#pragma unroll
    for (int i = 0; i < GROUP; ++i) {
      v[i] = staged[i][thread];
    }
    put_group(p, what, group, v, false);
  }
  __syncwarp();
}

/* A row, by a warp. */
KVF_INLINE void write_narrow(const kvf_rope_and_cache_flash_params &p, const row &what,
                             const void *angles, int64_t token) {
  float factor = 1;
  if (p.norms_q || p.norms_k) {
    factor = kvf_norm_factor(sum_of_squares(p, what), p.head_size, p.eps);
  }
  put_groups(p, what, angles, factor);
  if (what.there && !what.is_value) {
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

/*
 * Grid: x tokens, y parts of a token's rows. Block: x lanes that share a row, a power of two up to
 * a warp, y rows; whole warps. One block of 256 fits a multiprocessor at least: asked for more,
 * compilers spill.
 */
extern "C" __global__ void __launch_bounds__(THREADS, 1) kvf_cuda_rope_and_cache_flash__bf16__nvfp4(
    const __grid_constant__ kvf_rope_and_cache_flash_params p) {
  const bool counts = threadIdx.x == 0 && threadIdx.y == 0 && blockIdx.y == 0;
  const int64_t rows = (int64_t)p.num_q_heads + 2 * (int64_t)p.num_heads;
  const int64_t step = (int64_t)gridDim.y * blockDim.y;
  for (int64_t token = blockIdx.x; token < p.num_tokens; token += gridDim.x) {
    int64_t position = 0;
    if (p.rotary_dim > 0) {
      position = kvf_index_at(p.positions.data, p.position_bytes, token * p.positions.stride[0]);
    }
    const bool placed = p.rotary_dim == 0 || (position >= 0 && position < p.num_positions);
    int64_t block;
    int64_t offset;
    /* Here, so that the slot is read beside the position: the wait for them is most of a token's
     * time. */
    const bool writes =
        token < p.slots.num_tokens && kvf_locate(p.slots, token, counts && placed, &block, &offset);
    if (!placed) {
      if (counts) {
        atomicAdd(p.slots.faults, 1ULL);
      }
      continue;
    }
    const void *angles = static_cast<const char *>(p.cos_sin_cache.data) +
                         position * p.cos_sin_cache.stride[0] * p.angle_bytes;
    if (p.wide) {
      const lane_part part = find_part(p, (int32_t)threadIdx.x);
      for (int64_t first = (int64_t)blockIdx.y * blockDim.y; first < rows; first += step) {
        write_wide(p, find_row(p, token, block, offset, writes, first + threadIdx.y), part, angles,
                   token);
      }
    } else {
      for (int64_t first = (int64_t)blockIdx.y * blockDim.y; first < rows; first += step) {
        write_narrow(p, find_row(p, token, block, offset, writes, first + threadIdx.y), angles,
                     token);
      }
    }
  }
}
