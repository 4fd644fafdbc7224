/*
 * Generated from templates/cuda/reshape_and_cache_flash_per_token_head.cu.j2 and
 * generator/spec/reshape_and_cache_flash_per_token_head.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/reshape_and_cache_flash_per_token_head.h"
#include "kvforge/cache/per_token_head.h"

/* Four elements, quantised; the first in the lowest byte. */
KVF_INLINE uint32_t quantise_x4(const uint2 v, float inverse) {
  return kvf_int8_awayx4_from_f32(kvf_f32_from_bf16((uint16_t)v.x) * inverse,
                                  kvf_f32_from_bf16((uint16_t)(v.x >> 16)) * inverse,
                                  kvf_f32_from_bf16((uint16_t)v.y) * inverse,
                                  kvf_f32_from_bf16((uint16_t)(v.y >> 16)) * inverse);
}

/* 16 elements. */
struct source_x16 {
  uint4 v[2];
};

KVF_INLINE source_x16 load_x16(const uint16_t *from) {
  source_x16 source;
  source.v[0] = reinterpret_cast<const uint4 *>(from)[0];
  source.v[1] = reinterpret_cast<const uint4 *>(from)[1];
  return source;
}

KVF_INLINE void store_x16(const source_x16 &source, int8_t *to, float inverse) {
  *reinterpret_cast<uint4 *>(to) =
      make_uint4(quantise_x4(make_uint2(source.v[0].x, source.v[0].y), inverse),
                 quantise_x4(make_uint2(source.v[0].z, source.v[0].w), inverse),
                 quantise_x4(make_uint2(source.v[1].x, source.v[1].y), inverse),
                 quantise_x4(make_uint2(source.v[1].z, source.v[1].w), inverse));
}

/* 4 elements. */
struct source_x4 {
  uint2 v;
};

KVF_INLINE source_x4 load_x4(const uint16_t *from) {
  source_x4 source;
  source.v = *reinterpret_cast<const uint2 *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, int8_t *to, float inverse) {
  *reinterpret_cast<uint32_t *>(to) = quantise_x4(source.v, inverse);
}

/* 1 element. */
struct source_x1 {
  uint16_t v;
};

KVF_INLINE source_x1 load_x1(const uint16_t *from) {
  source_x1 source;
  source.v = *from;
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, int8_t *to, float inverse) {
  *to = kvf_int8_away_from_f32(kvf_f32_from_bf16(source.v) * inverse);
}

/* The larger of a magnitude and those of a few elements, NaNs left out. */
KVF_INLINE float larger_of(float largest, uint16_t v) {
  return kvf_larger_magnitude(largest, kvf_f32_from_bf16(v));
}
KVF_INLINE float larger_of(float largest, uint32_t v) {
  return larger_of(larger_of(largest, (uint16_t)v), (uint16_t)(v >> 16));
}
KVF_INLINE float larger_of(float largest, const uint2 &v) {
  return larger_of(larger_of(largest, v.x), v.y);
}
KVF_INLINE float larger_of(float largest, const uint4 &v) {
  return larger_of(larger_of(larger_of(larger_of(largest, v.x), v.y), v.z), v.w);
}

KVF_INLINE uint32_t largest_x16(const source_x16 &source) {
  float largest = 0.0f;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    largest = larger_of(largest, source.v[i]);
  }
  return kvf_bits(largest);
}

KVF_INLINE uint32_t largest_x4(const source_x4 &source) {
  return kvf_bits(larger_of(0.0f, source.v));
}

KVF_INLINE uint32_t largest_x1(const source_x1 &source) {
  return kvf_bits(larger_of(0.0f, source.v));
}

/*
 * Heads of a token, 16 elements at a time. All lanes of the warp stay together, those without a
 * head to write too, since they take part in the exchange. A head's first vectors are asked for
 * before its turn, those of the first one beside the slot.
 */
KVF_INLINE void write_heads_x16(const kvf_reshape_and_cache_flash_per_token_head_params &p) {
  const bool keys = blockIdx.z == 0;
  const kvf_view &source = keys ? p.key : p.value;
  const kvf_view &cache = keys ? p.key_cache : p.value_cache;
  const int64_t number = (int64_t)blockIdx.x * blockDim.z + threadIdx.z;
  const bool exists = number < p.slots.num_tokens;
  const int64_t token = exists ? number : 0;
  const int64_t slot = kvf_slot_of(p.slots, token);
  const uint16_t *from = static_cast<const uint16_t *>(source.data) + token * source.stride[0];
  const int64_t stride = (int64_t)gridDim.y * blockDim.y;
  int64_t begin = (int64_t)blockIdx.y * blockDim.y;
  const int32_t head_size = keys ? p.head_size : p.value_head_size;
  const int64_t first = (int64_t)threadIdx.x * 16;
  const int64_t step = (int64_t)blockDim.x * 16;
  const bool reads = exists && first < head_size;
  int64_t head = begin + threadIdx.y;
  source_x16 ahead = {};
  if (reads && head < p.num_heads) {
    ahead = load_x16(from + head * source.stride[1] + first);
  }
  const bool counts = keys && blockIdx.y == 0 && threadIdx.x == 0 && threadIdx.y == 0;
  int64_t block = 0;
  int64_t offset = 0;
  const bool writes = exists && kvf_place(p.slots, slot, counts, &block, &offset);
  if (!writes) {
    block = 0;
    offset = 0;
  }
  int8_t *to =
      static_cast<int8_t *>(cache.data) + block * cache.stride[0] + offset * cache.stride[1];
  const kvf_view &scales = keys ? p.k_scale_cache : p.v_scale_cache;
  float *scale_at =
      static_cast<float *>(scales.data) + block * scales.stride[0] + offset * scales.stride[1];
  for (; begin < p.num_heads; begin += stride, head += stride) {
    const source_x16 vector = ahead;
    if (reads && head + stride < p.num_heads) {
      ahead = load_x16(from + (head + stride) * source.stride[1] + first);
    }
    const bool active = writes && head < p.num_heads;
    const int64_t size = active ? head_size : 0;
    const uint16_t *head_from = from + (active ? head : 0) * source.stride[1];
    uint32_t largest = largest_x16(vector);
    for (int64_t i = first + step; i < size; i += step) {
      largest = max(largest, largest_x16(load_x16(head_from + i)));
    }
    for (int32_t distance = (int32_t)blockDim.x / 2; distance > 0; distance /= 2) {
      largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
    }
    if (first >= size) {
      continue;
    }
    const float scale = kvf_int8_per_token_head_scale(largest);
    const float inverse = 1.0f / scale;
    int8_t *head_to = to + head * cache.stride[2];
    store_x16(vector, head_to + first, inverse);
    for (int64_t i = first + step; i < size; i += step) {
      store_x16(load_x16(head_from + i), head_to + i, inverse);
    }
    if (threadIdx.x == 0) {
      scale_at[head * scales.stride[2]] = scale;
    }
  }
}

/*
 * Heads of a token, 4 elements at a time. All lanes of the warp stay together, those without a head
 * to write too, since they take part in the exchange. A head's first vectors are asked for before
 * its turn, those of the first one beside the slot.
 */
KVF_INLINE void write_heads_x4(const kvf_reshape_and_cache_flash_per_token_head_params &p) {
  const bool keys = blockIdx.z == 0;
  const kvf_view &source = keys ? p.key : p.value;
  const kvf_view &cache = keys ? p.key_cache : p.value_cache;
  const int64_t number = (int64_t)blockIdx.x * blockDim.z + threadIdx.z;
  const bool exists = number < p.slots.num_tokens;
  const int64_t token = exists ? number : 0;
  const int64_t slot = kvf_slot_of(p.slots, token);
  const uint16_t *from = static_cast<const uint16_t *>(source.data) + token * source.stride[0];
  const int64_t stride = (int64_t)gridDim.y * blockDim.y;
  int64_t begin = (int64_t)blockIdx.y * blockDim.y;
  const int32_t head_size = keys ? p.head_size : p.value_head_size;
  const int64_t first = (int64_t)threadIdx.x * 4;
  const int64_t step = (int64_t)blockDim.x * 4;
  const bool reads = exists && first < head_size;
  int64_t head = begin + threadIdx.y;
  source_x4 ahead = {};
  if (reads && head < p.num_heads) {
    ahead = load_x4(from + head * source.stride[1] + first);
  }
  const bool counts = keys && blockIdx.y == 0 && threadIdx.x == 0 && threadIdx.y == 0;
  int64_t block = 0;
  int64_t offset = 0;
  const bool writes = exists && kvf_place(p.slots, slot, counts, &block, &offset);
  if (!writes) {
    block = 0;
    offset = 0;
  }
  int8_t *to =
      static_cast<int8_t *>(cache.data) + block * cache.stride[0] + offset * cache.stride[1];
  const kvf_view &scales = keys ? p.k_scale_cache : p.v_scale_cache;
  float *scale_at =
      static_cast<float *>(scales.data) + block * scales.stride[0] + offset * scales.stride[1];
  for (; begin < p.num_heads; begin += stride, head += stride) {
    const source_x4 vector = ahead;
    if (reads && head + stride < p.num_heads) {
      ahead = load_x4(from + (head + stride) * source.stride[1] + first);
    }
    const bool active = writes && head < p.num_heads;
    const int64_t size = active ? head_size : 0;
    const uint16_t *head_from = from + (active ? head : 0) * source.stride[1];
    uint32_t largest = largest_x4(vector);
    for (int64_t i = first + step; i < size; i += step) {
      largest = max(largest, largest_x4(load_x4(head_from + i)));
    }
    for (int32_t distance = (int32_t)blockDim.x / 2; distance > 0; distance /= 2) {
      largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
    }
    if (first >= size) {
      continue;
    }
    const float scale = kvf_int8_per_token_head_scale(largest);
    const float inverse = 1.0f / scale;
    int8_t *head_to = to + head * cache.stride[2];
    store_x4(vector, head_to + first, inverse);
    for (int64_t i = first + step; i < size; i += step) {
      store_x4(load_x4(head_from + i), head_to + i, inverse);
    }
    if (threadIdx.x == 0) {
      scale_at[head * scales.stride[2]] = scale;
    }
  }
}

/*
 * Heads of a token, 1 element at a time. All lanes of the warp stay together, those without a head
 * to write too, since they take part in the exchange. A head's first vectors are asked for before
 * its turn, those of the first one beside the slot.
 */
KVF_INLINE void write_heads_x1(const kvf_reshape_and_cache_flash_per_token_head_params &p) {
  const bool keys = blockIdx.z == 0;
  const kvf_view &source = keys ? p.key : p.value;
  const kvf_view &cache = keys ? p.key_cache : p.value_cache;
  const int64_t number = (int64_t)blockIdx.x * blockDim.z + threadIdx.z;
  const bool exists = number < p.slots.num_tokens;
  const int64_t token = exists ? number : 0;
  const int64_t slot = kvf_slot_of(p.slots, token);
  const uint16_t *from = static_cast<const uint16_t *>(source.data) + token * source.stride[0];
  const int64_t stride = (int64_t)gridDim.y * blockDim.y;
  int64_t begin = (int64_t)blockIdx.y * blockDim.y;
  const int32_t head_size = keys ? p.head_size : p.value_head_size;
  const int64_t first = (int64_t)threadIdx.x;
  const int64_t step = (int64_t)blockDim.x;
  const bool reads = exists && first < head_size;
  int64_t head = begin + threadIdx.y;
  source_x1 ahead = {};
  if (reads && head < p.num_heads) {
    ahead = load_x1(from + head * source.stride[1] + first * source.stride[2]);
  }
  const bool counts = keys && blockIdx.y == 0 && threadIdx.x == 0 && threadIdx.y == 0;
  int64_t block = 0;
  int64_t offset = 0;
  const bool writes = exists && kvf_place(p.slots, slot, counts, &block, &offset);
  if (!writes) {
    block = 0;
    offset = 0;
  }
  int8_t *to =
      static_cast<int8_t *>(cache.data) + block * cache.stride[0] + offset * cache.stride[1];
  const kvf_view &scales = keys ? p.k_scale_cache : p.v_scale_cache;
  float *scale_at =
      static_cast<float *>(scales.data) + block * scales.stride[0] + offset * scales.stride[1];
  for (; begin < p.num_heads; begin += stride, head += stride) {
    const source_x1 vector = ahead;
    if (reads && head + stride < p.num_heads) {
      ahead = load_x1(from + (head + stride) * source.stride[1] + first * source.stride[2]);
    }
    const bool active = writes && head < p.num_heads;
    const int64_t size = active ? head_size : 0;
    const uint16_t *head_from = from + (active ? head : 0) * source.stride[1];
    uint32_t largest = largest_x1(vector);
    for (int64_t i = first + step; i < size; i += step) {
      largest = max(largest, largest_x1(load_x1(head_from + i * source.stride[2])));
    }
    for (int32_t distance = (int32_t)blockDim.x / 2; distance > 0; distance /= 2) {
      largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
    }
    if (first >= size) {
      continue;
    }
    const float scale = kvf_int8_per_token_head_scale(largest);
    const float inverse = 1.0f / scale;
    int8_t *head_to = to + head * cache.stride[2];
    store_x1(vector, head_to + first * cache.stride[3], inverse);
    for (int64_t i = first + step; i < size; i += step) {
      store_x1(load_x1(head_from + i * source.stride[2]), head_to + i * cache.stride[3], inverse);
    }
    if (threadIdx.x == 0) {
      scale_at[head * scales.stride[2]] = scale;
    }
  }
}

/*
 * Grid: x tokens, y parts of a token, z keys and values. Block: x lanes that share a head, a power
 * of two up to a warp, y heads, z tokens; whole warps.
 */
extern "C" __global__ void __launch_bounds__(256)
    kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__int8_per_token_head(
        const __grid_constant__ kvf_reshape_and_cache_flash_per_token_head_params p) {
  kvf_begin_kernel();
  switch (p.vector_elements) {
  case 16:
    write_heads_x16(p);
    break;
  case 4:
    write_heads_x4(p);
    break;
  default:
    write_heads_x1(p);
    break;
  }
}
