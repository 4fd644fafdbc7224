/*
 * Generated from templates/cuda/reshape_and_cache_flash_layers.cu.j2 and
 * generator/spec/reshape_and_cache_flash_layers.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/reshape_and_cache_flash_layers.h"

/* 4 elements. */
struct source_x4 {
  uint4 v;
};

KVF_INLINE source_x4 load_x4(const float *from) {
  source_x4 source;
  source.v = *reinterpret_cast<const uint4 *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, float *to) {
  *reinterpret_cast<uint4 *>(to) = source.v;
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

KVF_INLINE void store_x1(const source_x1 &source, float *to) { *to = source.v; }

/* The key of a token, 4 elements at a time. */
KVF_INLINE void write_key_x4(const kvf_reshape_and_cache_flash_layers_params &p, const float *key,
                             float *key_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.head_size / 4;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 4;
    store_x4(load_x4(key + head * p.key.stride[1] + element),
             key_cache + head * p.key_cache.stride[2] + element);
  }
}

/* The value of a token, 4 elements at a time. */
KVF_INLINE void write_value_x4(const kvf_reshape_and_cache_flash_layers_params &p,
                               const float *value, float *value_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.value_head_size / 4;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 4;
    store_x4(load_x4(value + head * p.value.stride[1] + element),
             value_cache + head * p.value_cache.stride[2] + element);
  }
}

/* One token, 4 elements at a time. */
KVF_INLINE void write_token_x4(const kvf_reshape_and_cache_flash_layers_params &p, int64_t layer,
                               int64_t token) {
  const float *key =
      static_cast<const float *>(p.key.data) + layer * p.key_layer_stride + token * p.key.stride[0];
  const float *value = static_cast<const float *>(p.value.data) + layer * p.value_layer_stride +
                       token * p.value.stride[0];
  if (p.value_head_size != p.head_size) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0 && layer == 0 && !p.counted,
                    &block, &offset)) {
      return;
    }
    float *key_cache = static_cast<float *>(p.key_caches[layer]) + block * p.key_cache.stride[0] +
                       offset * p.key_cache.stride[1];
    float *value_cache = static_cast<float *>(p.value_caches[layer]) +
                         block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    write_key_x4(p, key, key_cache);
    write_value_x4(p, value, value_cache);
    return;
  }
  const uint32_t vectors_per_head = (uint32_t)p.head_size / 4;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 4;
    const source_x4 key_vector = load_x4(key + head * p.key.stride[1] + element);
    const source_x4 value_vector = load_x4(value + head * p.value.stride[1] + element);
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, i == 0 && layer == 0 && !p.counted, &block, &offset)) {
      return;
    }
    float *key_cache = static_cast<float *>(p.key_caches[layer]) + block * p.key_cache.stride[0] +
                       offset * p.key_cache.stride[1];
    float *value_cache = static_cast<float *>(p.value_caches[layer]) +
                         block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    store_x4(key_vector, key_cache + head * p.key_cache.stride[2] + element);
    store_x4(value_vector, value_cache + head * p.value_cache.stride[2] + element);
  }
}

/* The key of a token, 1 element at a time. */
KVF_INLINE void write_key_x1(const kvf_reshape_and_cache_flash_layers_params &p, const float *key,
                             float *key_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.head_size;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head);
    store_x1(load_x1(key + head * p.key.stride[1] + element * p.key.stride[2]),
             key_cache + head * p.key_cache.stride[2] + element * p.key_cache.stride[3]);
  }
}

/* The value of a token, 1 element at a time. */
KVF_INLINE void write_value_x1(const kvf_reshape_and_cache_flash_layers_params &p,
                               const float *value, float *value_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.value_head_size;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head);
    store_x1(load_x1(value + head * p.value.stride[1] + element * p.value.stride[2]),
             value_cache + head * p.value_cache.stride[2] + element * p.value_cache.stride[3]);
  }
}

/* One token, 1 element at a time. */
KVF_INLINE void write_token_x1(const kvf_reshape_and_cache_flash_layers_params &p, int64_t layer,
                               int64_t token) {
  const float *key =
      static_cast<const float *>(p.key.data) + layer * p.key_layer_stride + token * p.key.stride[0];
  const float *value = static_cast<const float *>(p.value.data) + layer * p.value_layer_stride +
                       token * p.value.stride[0];
  if (p.value_head_size != p.head_size) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0 && layer == 0 && !p.counted,
                    &block, &offset)) {
      return;
    }
    float *key_cache = static_cast<float *>(p.key_caches[layer]) + block * p.key_cache.stride[0] +
                       offset * p.key_cache.stride[1];
    float *value_cache = static_cast<float *>(p.value_caches[layer]) +
                         block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    write_key_x1(p, key, key_cache);
    write_value_x1(p, value, value_cache);
    return;
  }
  const uint32_t vectors_per_head = (uint32_t)p.head_size;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head);
    const source_x1 key_vector = load_x1(key + head * p.key.stride[1] + element * p.key.stride[2]);
    const source_x1 value_vector =
        load_x1(value + head * p.value.stride[1] + element * p.value.stride[2]);
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, i == 0 && layer == 0 && !p.counted, &block, &offset)) {
      return;
    }
    float *key_cache = static_cast<float *>(p.key_caches[layer]) + block * p.key_cache.stride[0] +
                       offset * p.key_cache.stride[1];
    float *value_cache = static_cast<float *>(p.value_caches[layer]) +
                         block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    store_x1(key_vector,
             key_cache + head * p.key_cache.stride[2] + element * p.key_cache.stride[3]);
    store_x1(value_vector,
             value_cache + head * p.value_cache.stride[2] + element * p.value_cache.stride[3]);
  }
}

/* Grid: x tokens, y parts of a token, z layers. Block: x vectors of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256) kvf_cuda_reshape_and_cache_flash_layers__f32__f32(
    const __grid_constant__ kvf_reshape_and_cache_flash_layers_params p) {
  kvf_begin_kernel();
  const int64_t layer = blockIdx.z;
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  switch (p.vector_elements) {
  case 4:
    write_token_x4(p, layer, token);
    break;
  default:
    write_token_x1(p, layer, token);
    break;
  }
}
