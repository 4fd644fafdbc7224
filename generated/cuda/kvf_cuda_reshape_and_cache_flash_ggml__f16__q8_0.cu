/*
 * Generated from templates/cuda/reshape_and_cache_flash_ggml.cu.j2 and
 * generator/spec/reshape_and_cache_flash_ggml.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/reshape_and_cache_flash_ggml.h"
#include "kvforge/cache/ggml.h"

enum { GROUP = KVF_GGML_BLOCK, BYTES = KVF_Q8_0_BYTES };

KVF_INLINE void widen_x2(uint32_t word, float *v) {
  v[0] = kvf_f32_from_f16((uint16_t)word);
  v[1] = kvf_f32_from_f16((uint16_t)(word >> 16));
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
    v[i] = kvf_f32_from_f16(from[i * stride]);
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

/* One block. `whole`: at an even address. */
KVF_INLINE void store_block(const float (&v)[GROUP], uint8_t *to, bool whole) {
  uint16_t words[BYTES / 2];
  const float scale = kvf_q8_0_scale(largest_of(v));
  const float inverse = kvf_ggml_inverse(scale);
#pragma unroll
  for (int32_t i = 0; i < GROUP / 2; ++i) {
    words[1 + i] = (uint16_t)((uint32_t)(uint8_t)kvf_q8_0_from_f32(v[2 * i], inverse) |
                              (uint32_t)(uint8_t)kvf_q8_0_from_f32(v[2 * i + 1], inverse) << 8);
  }
  words[0] = kvf_f16_from_f32(scale);
#pragma unroll
  for (int32_t i = 0; i < BYTES / 2; ++i) {
    if (whole) {
      reinterpret_cast<uint16_t *>(to)[i] = words[i];
    } else {
      to[2 * i] = (uint8_t)words[i];
      to[2 * i + 1] = (uint8_t)(words[i] >> 8);
    }
  }
}

/* Grid: x tokens, y parts of a token. Block: x blocks of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256) kvf_cuda_reshape_and_cache_flash_ggml__f16__q8_0(
    const __grid_constant__ kvf_reshape_and_cache_flash_ggml_params p) {
  kvf_begin_kernel();
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  int64_t block;
  int64_t offset;
  if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
    return;
  }
  const uint16_t *key = static_cast<const uint16_t *>(p.key.data) + token * p.key.stride[0];
  const uint16_t *value = static_cast<const uint16_t *>(p.value.data) + token * p.value.stride[0];
  uint8_t *key_cache = static_cast<uint8_t *>(p.key_cache.data) + block * p.key_cache.stride[0] +
                       offset * p.key_cache.stride[1];
  uint8_t *value_cache = static_cast<uint8_t *>(p.value_cache.data) +
                         block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
  const bool whole = p.vector_elements == GROUP;
  const uint32_t key_blocks = (uint32_t)p.head_size / GROUP; /* of a head */
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < (uint32_t)p.num_heads * key_blocks;
       i += gridDim.y * blockDim.x) {
    const int64_t head = i / key_blocks;
    const int64_t number = i - (uint32_t)head * key_blocks;
    float v[GROUP];
    load_group(key + head * p.key.stride[1] + number * GROUP * p.key.stride[2], p.key.stride[2],
               whole, v);
    store_block(v, key_cache + head * p.key_cache.stride[2] + number * BYTES, whole);
  }
  const uint32_t value_blocks = (uint32_t)p.value_head_size / GROUP; /* of a head */
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < (uint32_t)p.num_heads * value_blocks;
       i += gridDim.y * blockDim.x) {
    const int64_t head = i / value_blocks;
    const int64_t number = i - (uint32_t)head * value_blocks;
    float v[GROUP];
    load_group(value + head * p.value.stride[1] + number * GROUP * p.value.stride[2],
               p.value.stride[2], whole, v);
    store_block(v, value_cache + head * p.value_cache.stride[2] + number * BYTES, whole);
  }
}
