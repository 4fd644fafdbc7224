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

enum { GROUP = KVF_ROTATION_GROUP };

/* A NaN is no maximum. */
KVF_INLINE void stretch(const float (&v)[GROUP], float &lowest, float &highest) {
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    highest = fmaxf(highest, v[i]);
    lowest = fmaxf(lowest, -v[i]);
  }
}

/* The range of a head whose lanes, as many as blocks have columns, know its ends together. */
KVF_INLINE kvf_int4_range find_range(float lowest, float highest) {
  for (int32_t distance = (int32_t)blockDim.x / 2; distance > 0; distance /= 2) {
    lowest = fmaxf(lowest, __shfl_xor_sync(0xFFFFFFFFu, lowest, distance));
    highest = fmaxf(highest, __shfl_xor_sync(0xFFFFFFFFu, highest, distance));
  }
  return kvf_make_int4_range(kvf_bits(lowest), kvf_bits(highest));
}

KVF_INLINE void store_codes(const float (&v)[GROUP], uint8_t *to, int64_t count, bool whole,
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
  for (int32_t i = 0; i < GROUP / 2; ++i) {
    if (2 * i < count) {
      to[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    }
  }
}

/* A lane has two groups of a head, one behind the other. */
enum { OF_LANE = 2 * GROUP };

/* A group as floats; `whole`: in vectors of 16 bytes. */
KVF_INLINE void load_group(const float *from, int64_t stride, bool whole, int64_t count,
                           float (&v)[GROUP]) {
  if (whole) {
#pragma unroll
    for (int32_t i = 0; i < GROUP; i += 4) {
      const float4 words = *reinterpret_cast<const float4 *>(from + i);
      v[i + 0] = words.x;
      v[i + 1] = words.y;
      v[i + 2] = words.z;
      v[i + 3] = words.w;
    }
    return;
  }
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    if (i < count) {
      v[i] = kvf_f32_from_f32(from[i * stride]);
    }
  }
}

/* A group as it is read, with its signs; 0 beyond the end of the head. */
KVF_INLINE void load_signed(const float *from, int64_t stride, int64_t first, int64_t size,
                            bool whole, uint32_t signs, float (&v)[GROUP]) {
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    v[i] = 0.0f;
  }
  if (first < size) {
    load_group(from + first * stride, stride, whole, size - first, v);
  }
  kvf_put_signs_x16(v, signs);
}

/* The lane's part of a head from `first` on as it is stored, but for the codes; 0 beyond its end.
 */
KVF_INLINE void load_rotated(const float *from, int64_t stride, int64_t first, int64_t size,
                             bool whole, int32_t block, uint32_t signs, float (&a)[GROUP],
                             float (&b)[GROUP]) {
  load_signed(from, stride, first, size, whole, signs, a);
  load_signed(from, stride, first + GROUP, size, whole, signs >> GROUP, b);
  kvf_hadamard_x32(a, b, block, (int32_t)threadIdx.x);
}

/*
 * One head of `head_size` elements. All lanes of the warp come here, those without a head to write
 * too, since they take part in the exchange; `size` is 0 for them. A head longer than what lanes
 * have is read a second time, from the L1 cache. Returns the word.
 */
KVF_INLINE uint32_t write_int4(const float *from, int64_t stride, uint8_t *to, int64_t size,
                               int32_t head_size, bool whole) {
  const int32_t block = kvf_rotation_block(head_size);
  const int64_t first = (int64_t)threadIdx.x * OF_LANE;
  const int64_t step = (int64_t)blockDim.x * OF_LANE; /* whole blocks */
  const uint32_t signs = (kvf_rotation_signs_x16((int32_t)first, block) & 0xFFFFu) |
                         kvf_rotation_signs_x16((int32_t)first + GROUP, block) << GROUP;
  float lowest = 0.0f;
  float highest = 0.0f;
  float a[GROUP];
  float b[GROUP];
#pragma unroll 1
  for (int64_t at = first; at - first < head_size; at += step) {
    load_rotated(from, stride, at, size, whole, block, signs, a, b);
    stretch(a, lowest, highest);
    stretch(b, lowest, highest);
  }
  const kvf_int4_range range = find_range(lowest, highest);
#pragma unroll 1
  for (int64_t at = first; at - first < head_size; at += step) {
    if (step < head_size) {
      load_rotated(from, stride, at, size, whole, block, signs, a, b);
    }
    if (at < size) {
      store_codes(a, to + at / 2, size - at, whole, range);
    }
    if (at + GROUP < size) {
      store_codes(b, to + at / 2 + GROUP / 2, size - at - GROUP, whole, range);
    }
  }
  return range.word;
}

/*
 * Grid: x tokens, y parts of a token, z keys and values. Block: x lanes that share a head, a power
 * of two up to a warp, y heads, z tokens; whole warps.
 */
extern "C" __global__ void __launch_bounds__(256, 2)
    kvf_cuda_reshape_and_cache_flash_per_token_head__f32__int4_per_token_head(
        const __grid_constant__ kvf_reshape_and_cache_flash_per_token_head_params p) {
  kvf_begin_kernel();
  const bool keys = blockIdx.z == 0;
  const kvf_view &source = keys ? p.key : p.value;
  const kvf_view &cache = keys ? p.key_cache : p.value_cache;
  const int64_t number = (int64_t)blockIdx.x * blockDim.z + threadIdx.z;
  const bool exists = number < p.slots.num_tokens;
  const int64_t token = exists ? number : 0;
  const int64_t slot = kvf_slot_of(p.slots, token);
  const float *from = static_cast<const float *>(source.data) + token * source.stride[0];
  const kvf_view &scales = keys ? p.k_scale_cache : p.v_scale_cache;
  const int32_t head_size = keys ? p.head_size : p.value_head_size;
  const int64_t stride = (int64_t)gridDim.y * blockDim.y;
  int64_t begin = (int64_t)blockIdx.y * blockDim.y;
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
  uint32_t *scale_at =
      static_cast<uint32_t *>(scales.data) + block * scales.stride[0] + offset * scales.stride[1];
  for (; begin < p.num_heads; begin += stride) {
    const bool active = writes && begin + threadIdx.y < p.num_heads;
    const int64_t head = active ? begin + threadIdx.y : 0;
    const uint32_t scale =
        write_int4(from + head * source.stride[1], source.stride[2], to + head * cache.stride[2],
                   active ? head_size : 0, head_size, p.vector_elements == GROUP);
    if (active && threadIdx.x == 0) {
      scale_at[head * scales.stride[2]] = scale;
    }
  }
}
