/*
 * Generated from templates/cuda/reshape_and_cache_flash_per_token_head.cu.j2 and
 * generator/spec/reshape_and_cache_flash_per_token_head.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/reshape_and_cache_flash_per_token_head.h"
#include "kvforge/cache/per_token_head.h"

/* Four elements, quantised; the first in the lowest byte. */
KVF_INLINE uint32_t quantise_x4(const float4 v, float inverse) {
  return kvf_int8x4_from_f32(v.x * inverse, v.y * inverse, v.z * inverse, v.w * inverse);
}

/* 16 elements. */
struct source_x16 {
  float4 v[4];
};

KVF_INLINE source_x16 load_x16(const float *from) {
  source_x16 source;
  source.v[0] = reinterpret_cast<const float4 *>(from)[0];
  source.v[1] = reinterpret_cast<const float4 *>(from)[1];
  source.v[2] = reinterpret_cast<const float4 *>(from)[2];
  source.v[3] = reinterpret_cast<const float4 *>(from)[3];
  return source;
}

KVF_INLINE void store_x16(const source_x16 &source, int8_t *to, float inverse) {
  *reinterpret_cast<uint4 *>(to) =
      make_uint4(quantise_x4(source.v[0], inverse), quantise_x4(source.v[1], inverse),
                 quantise_x4(source.v[2], inverse), quantise_x4(source.v[3], inverse));
}

/* 4 elements. */
struct source_x4 {
  float4 v;
};

KVF_INLINE source_x4 load_x4(const float *from) {
  source_x4 source;
  source.v = *reinterpret_cast<const float4 *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, int8_t *to, float inverse) {
  *reinterpret_cast<uint32_t *>(to) = quantise_x4(source.v, inverse);
}

/* 1 element. */
struct source_x1 {
  float v;
};

KVF_INLINE source_x1 load_x1(const float *from) {
  source_x1 source;
  source.v = *from;
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, int8_t *to, float inverse) {
  *to = kvf_int8_from_f32(kvf_f32_from_f32(source.v) * inverse);
}

/* The largest magnitude of a vector, NaNs left out. */
KVF_INLINE uint32_t largest_of(float v) { return kvf_magnitude(kvf_f32_from_f32(v)); }

KVF_INLINE uint32_t largest_of(const float4 &v) {
  return max(max(largest_of(v.x), largest_of(v.y)), max(largest_of(v.z), largest_of(v.w)));
}

KVF_INLINE uint32_t largest_x16(const source_x16 &source) {
  uint32_t largest = 0;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    largest = max(largest, largest_of(source.v[i]));
  }
  return largest;
}

KVF_INLINE uint32_t largest_x4(const source_x4 &source) { return largest_of(source.v); }

KVF_INLINE uint32_t largest_x1(const source_x1 &source) { return largest_of(source.v); }

/*
 * One head, 16 elements at a time. All lanes of the warp come here, those without a head to write
 * too, since they take part in the exchange; `size` is 0 for them. Returns the scale.
 */
KVF_INLINE float write_head_x16(const float *from, int8_t *to, int64_t size) {
  const int64_t first = (int64_t)threadIdx.x * 16;
  const int64_t step = (int64_t)blockDim.x * 16;
  source_x16 source = {};
  uint32_t largest = 0;
  if (first < size) {
    source = load_x16(from + first);
    largest = largest_x16(source);
  }
  for (int64_t i = first + step; i < size; i += step) {
    largest = max(largest, largest_x16(load_x16(from + i)));
  }
  for (int32_t distance = (int32_t)blockDim.x / 2; distance > 0; distance /= 2) {
    largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
  }
  const float scale = kvf_int8_per_token_head_even_scale(largest);
  const float inverse = 1.0f / scale;
  if (first < size) {
    store_x16(source, to + first, inverse);
  }
  for (int64_t i = first + step; i < size; i += step) {
    store_x16(load_x16(from + i), to + i, inverse);
  }
  return scale;
}

/*
 * One head, 4 elements at a time. All lanes of the warp come here, those without a head to write
 * too, since they take part in the exchange; `size` is 0 for them. Returns the scale.
 */
KVF_INLINE float write_head_x4(const float *from, int8_t *to, int64_t size) {
  const int64_t first = (int64_t)threadIdx.x * 4;
  const int64_t step = (int64_t)blockDim.x * 4;
  source_x4 source = {};
  uint32_t largest = 0;
  if (first < size) {
    source = load_x4(from + first);
    largest = largest_x4(source);
  }
  for (int64_t i = first + step; i < size; i += step) {
    largest = max(largest, largest_x4(load_x4(from + i)));
  }
  for (int32_t distance = (int32_t)blockDim.x / 2; distance > 0; distance /= 2) {
    largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
  }
  const float scale = kvf_int8_per_token_head_even_scale(largest);
  const float inverse = 1.0f / scale;
  if (first < size) {
    store_x4(source, to + first, inverse);
  }
  for (int64_t i = first + step; i < size; i += step) {
    store_x4(load_x4(from + i), to + i, inverse);
  }
  return scale;
}

/*
 * One head, 1 element at a time. All lanes of the warp come here, those without a head to write
 * too, since they take part in the exchange; `size` is 0 for them. Returns the scale.
 */
KVF_INLINE float write_head_x1(const float *from, int8_t *to, int64_t size, int64_t from_stride,
                               int64_t to_stride) {
  const int64_t first = (int64_t)threadIdx.x;
  const int64_t step = (int64_t)blockDim.x;
  source_x1 source = {};
  uint32_t largest = 0;
  if (first < size) {
    source = load_x1(from + first * from_stride);
    largest = largest_x1(source);
  }
  for (int64_t i = first + step; i < size; i += step) {
    largest = max(largest, largest_x1(load_x1(from + i * from_stride)));
  }
  for (int32_t distance = (int32_t)blockDim.x / 2; distance > 0; distance /= 2) {
    largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
  }
  const float scale = kvf_int8_per_token_head_even_scale(largest);
  const float inverse = 1.0f / scale;
  if (first < size) {
    store_x1(source, to + first * to_stride, inverse);
  }
  for (int64_t i = first + step; i < size; i += step) {
    store_x1(load_x1(from + i * from_stride), to + i * to_stride, inverse);
  }
  return scale;
}

/*
 * Grid: x tokens, y parts of a token, z keys and values. Block: x lanes that share a head, a power
 * of two up to a warp, y heads, z tokens; whole warps.
 */
extern "C" __global__ void __launch_bounds__(256)
    kvf_cuda_reshape_and_cache_flash_per_token_head__f32__int8_per_token_head_even(
        const __grid_constant__ kvf_reshape_and_cache_flash_per_token_head_params p) {
  kvf_begin_kernel();
  const bool keys = blockIdx.z == 0;
  const kvf_view &source = keys ? p.key : p.value;
  const kvf_view &cache = keys ? p.key_cache : p.value_cache;
  int64_t token = (int64_t)blockIdx.x * blockDim.z + threadIdx.z;
  const bool counts = keys && blockIdx.y == 0 && threadIdx.x == 0 && threadIdx.y == 0;
  int64_t block = 0;
  int64_t offset = 0;
  const bool writes =
      token < p.slots.num_tokens && kvf_locate(p.slots, token, counts, &block, &offset);
  if (!writes) {
    token = 0;
    block = 0;
    offset = 0;
  }
  const float *from = static_cast<const float *>(source.data) + token * source.stride[0];
  int8_t *to =
      static_cast<int8_t *>(cache.data) + block * cache.stride[0] + offset * cache.stride[1];
  const kvf_view &scales = keys ? p.k_scale_cache : p.v_scale_cache;
  const int32_t head_size = keys ? p.head_size : p.value_head_size;
  float *scale_at =
      static_cast<float *>(scales.data) + block * scales.stride[0] + offset * scales.stride[1];

  for (int64_t first = (int64_t)blockIdx.y * blockDim.y; first < p.num_heads;
       first += (int64_t)gridDim.y * blockDim.y) {
    const bool active = writes && first + threadIdx.y < p.num_heads;
    const int64_t head = active ? first + threadIdx.y : 0;
    const int64_t size = active ? head_size : 0;
    const float *head_from = from + head * source.stride[1];
    int8_t *head_to = to + head * cache.stride[2];
    float scale;
    switch (p.vector_elements) {
    case 16:
      scale = write_head_x16(head_from, head_to, size);
      break;
    case 4:
      scale = write_head_x4(head_from, head_to, size);
      break;
    default:
      scale = write_head_x1(head_from, head_to, size, source.stride[2], cache.stride[3]);
      break;
    }
    if (active && threadIdx.x == 0) {
      scale_at[head * scales.stride[2]] = scale;
    }
  }
}
