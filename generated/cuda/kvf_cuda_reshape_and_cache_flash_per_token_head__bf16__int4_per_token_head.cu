/*
 * Generated from templates/cuda/reshape_and_cache_flash_per_token_head.cu.j2 and
 * generator/spec/reshape_and_cache_flash_per_token_head.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/reshape_and_cache_flash_per_token_head.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/cuda_rotation.cuh"
#include "kvforge/cache/int4.h"

KVF_INLINE void widen_x2(uint32_t word, float *v) {
  v[0] = kvf_f32_from_bf16((uint16_t)word);
  v[1] = kvf_float(word & 0xFFFF0000u);
}

enum { GROUP = KVF_ROTATION_GROUP };

/* What bf16 holds of numbers. */
KVF_INLINE void round_to_bf16(float (&v)[GROUP]) {
#pragma unroll
  for (int32_t i = 0; i < GROUP; i += 2) {
    widen_x2(kvf_bf16x2_result(make_float2(v[i], v[i + 1])), v + i);
  }
}

/* A NaN is no maximum. */
KVF_INLINE void stretch(const float (&v)[GROUP], float &lowest, float &highest) {
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    highest = fmaxf(highest, v[i]);
    lowest = fmaxf(lowest, -v[i]);
  }
}

/* The range of a head whose lanes, as many as blocks have columns, know its ends together, and then
 * each. */
KVF_INLINE kvf_int4_range find_range(float &lowest, float &highest) {
  for (int32_t distance = (int32_t)blockDim.x / 2; distance > 0; distance /= 2) {
    lowest = fmaxf(lowest, __shfl_xor_sync(0xFFFFFFFFu, lowest, distance));
    highest = fmaxf(highest, __shfl_xor_sync(0xFFFFFFFFu, highest, distance));
  }
  return kvf_make_int4_range(kvf_bits(lowest), kvf_bits(highest));
}

KVF_INLINE void store_codes(const float (&v)[GROUP], uint8_t *to, uint32_t count, bool whole,
                            const kvf_int4_range &range) {
  uint32_t words[2] = {};
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    words[i / 8] += kvf_int4_from_f32(v[i], range) << 4 * (i % 8);
  }
  if (whole) { /* a scale of 4 bytes may lie between heads, which are no further aligned then */
    reinterpret_cast<uint32_t *>(to)[0] = words[0];
    reinterpret_cast<uint32_t *>(to)[1] = words[1];
    return;
  }
#pragma unroll
  for (uint32_t i = 0; i < GROUP / 2; ++i) {
    if (2 * i < count) {
      to[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    }
  }
}

/* A group as floats; `whole`: in vectors of 16 bytes. */
KVF_INLINE void load_group(const uint16_t *from, int64_t stride, bool whole, uint32_t count,
                           float (&v)[GROUP]) {
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
  for (uint32_t i = 0; i < GROUP; ++i) {
    if (i < count) {
      v[i] = kvf_f32_from_bf16(from[i * stride]);
    }
  }
}

/* The lane's group of a head as it is stored, but for the codes; 0 beyond the end of the head. */
KVF_INLINE void load_rotated(const uint16_t *from, int64_t stride, uint32_t first, uint32_t size,
                             bool whole, int32_t block, float (&v)[GROUP]) {
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    v[i] = 0.0f;
  }
  if (first < size) {
    load_group(from + first * stride, stride, whole, size - first, v);
  }
  kvf_put_signs_x16(v, kvf_rotation_signs_x16((int32_t)first, block));
  kvf_hadamard_x16(v, block, (int32_t)threadIdx.x);
  round_to_bf16(v);
}

/*
 * One head of `head_size` elements. All lanes of the warp come here, those without a head to write
 * too, since they take part in the exchange; `size` is 0 for them. A head longer than what lanes
 * have is read a second time, from the L1 cache. Returns the word.
 */
KVF_INLINE uint32_t write_int4(const uint16_t *from, int64_t stride, uint8_t *to, uint32_t size,
                               uint32_t head_size, bool whole) {
  const int32_t block = kvf_rotation_block((int32_t)head_size);
  const uint32_t first = threadIdx.x * GROUP;
  const uint32_t step = blockDim.x * GROUP; /* whole blocks */
  float lowest = 0.0f;
  float highest = 0.0f;
  float v[GROUP];
#pragma unroll 1
  for (uint32_t at = first; at - first < head_size; at += step) {
    load_rotated(from, stride, at, size, whole, block, v);
    stretch(v, lowest, highest);
  }
  const kvf_int4_range range = find_range(lowest, highest);
#pragma unroll 1
  for (uint32_t at = first; at - first < head_size; at += step) {
    if (step < head_size) {
      load_rotated(from, stride, at, size, whole, block, v);
    }
    if (at < size) {
      store_codes(v, to + at / 2, size - at, whole, range);
    }
  }
  return range.word;
}

/* What a lane has of a head, as it lies in memory. */
struct part {
  uint4 words[KVF_LANE_PART * 2 / 16];
};

KVF_INLINE part load_part(const uint16_t *from) {
  part found;
#pragma unroll
  for (int32_t i = 0; i < KVF_LANE_VECTORS; ++i) {
    found.words[i] = *reinterpret_cast<const uint4 *>(from + 8 * (i * blockDim.x + threadIdx.x));
  }
  return found;
}

/* Signs of a lane's elements, bit i is 1 for a minus. */
KVF_INLINE uint32_t find_signs() {
  uint32_t signs = 0;
#pragma unroll
  for (int32_t i = 0; i < KVF_LANE_VECTORS; ++i) {
    const uint32_t number = i * blockDim.x + threadIdx.x;
    signs |= (kvf_rotation_words[number / 4] >> 8 * (number % 4) & 0xFFu) << 8 * i;
  }
  return signs;
}

/* The lane's part of a head as it is stored, but for the codes. */
KVF_INLINE void rotate_part(const part &from, uint32_t signs, float (&v)[KVF_LANE_PART]) {
  const uint32_t even = signs & 0x55555555u; /* of what is in lower halves of words */
  const uint32_t odd = signs & 0xAAAAAAAAu;
  const uint32_t spread[2] = {(even & 0xFFFFu) | odd << 15, even >> 16 | (odd >> 1 & 0x7FFF0000u)};
#pragma unroll
  for (int32_t i = 0; i < KVF_LANE_PART; i += 8) {
    const uint4 words = from.words[i / 8];
    widen_x2(words.x ^ (spread[i / 16] << (15 - i % 16) & 0x80008000u), v + i + 0);
    widen_x2(words.y ^ (spread[i / 16] << (15 - i % 16 - 2) & 0x80008000u), v + i + 2);
    widen_x2(words.z ^ (spread[i / 16] << (15 - i % 16 - 4) & 0x80008000u), v + i + 4);
    widen_x2(words.w ^ (spread[i / 16] << (15 - i % 16 - 6) & 0x80008000u), v + i + 6);
  }
  kvf_hadamard_vectors(v, (int32_t)blockDim.x, (int32_t)threadIdx.x);
}

/* 0 in place of a NaN, which has the code of 0. */
KVF_INLINE uint32_t without_nans(uint32_t pair) {
  float v[2];
  widen_x2(pair, v);
  return (v[0] == v[0] ? pair & 0xFFFFu : 0) | (v[1] == v[1] ? pair & 0xFFFF0000u : 0);
}

/* Rounds a part to what bf16 can hold, and finds its ends. */
KVF_INLINE void finish_part(float (&v)[KVF_LANE_PART], float &lowest, float &highest) {
  uint32_t pairs[KVF_LANE_PART / 2];
  uint32_t largest = 0;
  uint32_t smallest = 0;
#pragma unroll
  for (int32_t i = 0; i < KVF_LANE_PART / 2; ++i) {
    pairs[i] = kvf_bf16x2_result(make_float2(v[2 * i], v[2 * i + 1]));
    largest = kvf_bf16x2_larger_or_nan(largest, pairs[i]);
    smallest = kvf_bf16x2_smaller(smallest, pairs[i]);
  }
  if (without_nans(largest) != largest) {
    largest = 0;
#pragma unroll
    for (int32_t i = 0; i < KVF_LANE_PART / 2; ++i) {
      pairs[i] = without_nans(pairs[i]);
      largest = kvf_bf16x2_larger_or_nan(largest, pairs[i]);
    }
  }
#pragma unroll
  for (int32_t i = 0; i < KVF_LANE_PART / 2; ++i) {
    widen_x2(pairs[i], v + 2 * i);
  }
  float ends[2];
  widen_x2(largest, ends);
  highest = fmaxf(ends[0], ends[1]);
  widen_x2(smallest, ends);
  lowest = fmaxf(-ends[0], -ends[1]);
}

/* The codes of a vector without a NaN, the first in the lowest bits. `fits`: by kvf_int4_fits(). */
KVF_INLINE uint32_t encode_vector(const float *v, const kvf_int4_range &range, bool fits) {
  uint32_t codes = 0;
  if (fits) {
#pragma unroll
    for (int32_t i = 0; i < 8; ++i) {
      codes += kvf_cut_off(kvf_int4_place(v[i], range) + 0.5f) << 4 * i;
    }
    return codes - KVF_CUT_OFF_0 * 0x11u; /* nothing is left of what is shifted further */
  }
#pragma unroll
  for (int32_t i = 0; i < 8; ++i) {
    codes |= kvf_int4_from_f32(v[i], range) << 4 * i;
  }
  return codes;
}

/* Heads of a token. A head is asked for before its turn, the first one beside the slot. */
KVF_INLINE void write_heads(const kvf_reshape_and_cache_flash_per_token_head_params &p) {
  const bool keys = blockIdx.z == 0;
  const kvf_view &source = keys ? p.key : p.value;
  const kvf_view &cache = keys ? p.key_cache : p.value_cache;
  const int64_t number = (int64_t)blockIdx.x * blockDim.z + threadIdx.z;
  const bool exists = number < p.slots.num_tokens;
  const int64_t token = exists ? number : 0;
  const int64_t slot = kvf_slot_of(p.slots, token);
  const uint16_t *from = static_cast<const uint16_t *>(source.data) + token * source.stride[0];
  const int32_t step = (int32_t)(gridDim.y * blockDim.y);
  int32_t head = (int32_t)(blockIdx.y * blockDim.y + threadIdx.y);
  uint32_t signs = find_signs();
  part ahead = load_part(from + (head < p.num_heads ? head : 0) * source.stride[1]);
  const bool counts = keys && blockIdx.y == 0 && threadIdx.x == 0 && threadIdx.y == 0;
  int64_t block = 0;
  int64_t offset = 0;
  const bool writes = exists && kvf_place(p.slots, slot, counts, &block, &offset);
  if (!writes) {
    block = 0;
    offset = 0;
  }
  uint8_t *to =
      static_cast<uint8_t *>(cache.data) + block * cache.stride[0] + offset * cache.stride[1];
  const kvf_view &scales = keys ? p.k_scale_cache : p.v_scale_cache;
  uint32_t *scale_at =
      static_cast<uint32_t *>(scales.data) + block * scales.stride[0] + offset * scales.stride[1];
  for (; head - (int32_t)threadIdx.y < p.num_heads; head += step) {
    const part now = ahead;
    if (head + step < p.num_heads) {
      ahead = load_part(from + (head + step) * source.stride[1]);
    }
    float v[KVF_LANE_PART];
    float lowest;
    float highest;
    asm volatile("" : "+r"(signs)); /* what is made of it is not kept for the next head */
    rotate_part(now, signs, v);
    finish_part(v, lowest, highest);
    const kvf_int4_range range = find_range(lowest, highest);
    if (!writes || head >= p.num_heads) {
      continue;
    }
    const bool fits = kvf_int4_fits(lowest, highest, range);
    uint8_t *codes = to + head * cache.stride[2];
#pragma unroll
    for (int32_t i = 0; i < KVF_LANE_VECTORS; ++i) {
      reinterpret_cast<uint32_t *>(codes)[i * blockDim.x + threadIdx.x] =
          encode_vector(v + 8 * i, range, fits);
    }
    if (threadIdx.x == 0) {
      scale_at[head * scales.stride[2]] = range.word;
    }
  }
}
/*
 * Grid: x tokens, y parts of a token, z keys and values. Block: x lanes that share a head, a power
 * of two up to a warp, y heads, z tokens; whole warps.
 */
extern "C" __global__ void __launch_bounds__(256, 3)
    kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__int4_per_token_head(
        const __grid_constant__ kvf_reshape_and_cache_flash_per_token_head_params p) {
  kvf_begin_kernel();
  if (p.vector_elements == KVF_LANE_PART) {
    write_heads(p);
    return;
  }
  const bool keys = blockIdx.z == 0;
  const kvf_view &source = keys ? p.key : p.value;
  const kvf_view &cache = keys ? p.key_cache : p.value_cache;
  const int64_t number = (int64_t)blockIdx.x * blockDim.z + threadIdx.z;
  const bool exists = number < p.slots.num_tokens;
  const int64_t token = exists ? number : 0;
  const int64_t slot = kvf_slot_of(p.slots, token);
  const uint16_t *from = static_cast<const uint16_t *>(source.data) + token * source.stride[0];
  const int32_t step = (int32_t)(gridDim.y * blockDim.y);
  int32_t head = (int32_t)(blockIdx.y * blockDim.y + threadIdx.y);
  const bool counts = keys && blockIdx.y == 0 && threadIdx.x == 0 && threadIdx.y == 0;
  int64_t block = 0;
  int64_t offset = 0;
  const bool writes = exists && kvf_place(p.slots, slot, counts, &block, &offset);
  if (!writes) {
    block = 0;
    offset = 0;
  }
  uint8_t *to =
      static_cast<uint8_t *>(cache.data) + block * cache.stride[0] + offset * cache.stride[1];
  const kvf_view &scales = keys ? p.k_scale_cache : p.v_scale_cache;
  uint32_t *scale_at =
      static_cast<uint32_t *>(scales.data) + block * scales.stride[0] + offset * scales.stride[1];
  const uint32_t head_size = (uint32_t)(keys ? p.head_size : p.value_head_size);
  for (; head - (int32_t)threadIdx.y < p.num_heads; head += step) {
    const bool active = writes && head < p.num_heads;
    const int64_t at = active ? head : 0;
    const uint32_t scale =
        write_int4(from + at * source.stride[1], source.stride[2], to + at * cache.stride[2],
                   active ? head_size : 0, head_size, p.vector_elements == GROUP);
    if (active && threadIdx.x == 0) {
      scale_at[at * scales.stride[2]] = scale;
    }
  }
}
