/*
 * Generated from templates/cuda/reshape_and_cache_flash.cu.j2 and
 * generator/spec/reshape_and_cache_flash.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/reshape_and_cache_flash.h"

/* Four quotients as codes; the first in the lowest byte. */
KVF_INLINE uint32_t divide_x4(const float *x, const kvf_divisor &by) {
  if (!by.quick) {
    return kvf_int8x4_from_f32(x[0] / by.scale, x[1] / by.scale, x[2] / by.scale, x[3] / by.scale);
  }
  return kvf_int8x4_from_f32(kvf_quotient(x[0], by), kvf_quotient(x[1], by), kvf_quotient(x[2], by),
                             kvf_quotient(x[3], by));
}

/* Four elements, quantised; the first in the lowest byte. */
KVF_INLINE uint32_t quantise_x4(const float4 v, const kvf_divisor &by) {
  const float x[4] = {v.x, v.y, v.z, v.w};
  return divide_x4(x, by);
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

KVF_INLINE void store_x16(const source_x16 &source, int8_t *to, float scale) {
  const kvf_divisor by = kvf_divide_by(scale);
  *reinterpret_cast<uint4 *>(to) =
      make_uint4(quantise_x4(source.v[0], by), quantise_x4(source.v[1], by),
                 quantise_x4(source.v[2], by), quantise_x4(source.v[3], by));
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

KVF_INLINE void store_x4(const source_x4 &source, int8_t *to, float scale) {
  *reinterpret_cast<uint32_t *>(to) = quantise_x4(source.v, kvf_divide_by(scale));
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

KVF_INLINE void store_x1(const source_x1 &source, int8_t *to, float scale) {
  *to = kvf_int8_from_f32(kvf_f32_from_f32(source.v) / scale);
}

/* The key of a token, 16 elements at a time. */
KVF_INLINE void write_key_x16(const kvf_reshape_and_cache_flash_params &p, const float *key,
                              int8_t *key_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.head_size / 16;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 16;
    const float k_scale = kvf_scale_of(p.k_scale, p.k_scale_value, head);
    store_x16(load_x16(key + head * p.key.stride[1] + element),
              key_cache + head * p.key_cache.stride[2] + element, k_scale);
  }
}

/* The value of a token, 16 elements at a time. */
KVF_INLINE void write_value_x16(const kvf_reshape_and_cache_flash_params &p, const float *value,
                                int8_t *value_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.value_head_size / 16;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 16;
    const float v_scale = kvf_scale_of(p.v_scale, p.v_scale_value, head);
    store_x16(load_x16(value + head * p.value.stride[1] + element),
              value_cache + head * p.value_cache.stride[2] + element, v_scale);
  }
}

/* One token, 16 elements at a time. */
KVF_INLINE void write_token_x16(const kvf_reshape_and_cache_flash_params &p, int64_t token) {
  const float *key = static_cast<const float *>(p.key.data) + token * p.key.stride[0];
  const float *value = static_cast<const float *>(p.value.data) + token * p.value.stride[0];
  if (p.value_head_size != p.head_size) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
      return;
    }
    int8_t *key_cache = static_cast<int8_t *>(p.key_cache.data) + block * p.key_cache.stride[0] +
                        offset * p.key_cache.stride[1];
    int8_t *value_cache = static_cast<int8_t *>(p.value_cache.data) +
                          block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    write_key_x16(p, key, key_cache);
    write_value_x16(p, value, value_cache);
    return;
  }
  const uint32_t vectors_per_head = (uint32_t)p.head_size / 16;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 16;
    const source_x16 key_vector = load_x16(key + head * p.key.stride[1] + element);
    const source_x16 value_vector = load_x16(value + head * p.value.stride[1] + element);
    const float k_scale = kvf_scale_of(p.k_scale, p.k_scale_value, head);
    const float v_scale = kvf_scale_of(p.v_scale, p.v_scale_value, head);
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, i == 0, &block, &offset)) {
      return;
    }
    int8_t *key_cache = static_cast<int8_t *>(p.key_cache.data) + block * p.key_cache.stride[0] +
                        offset * p.key_cache.stride[1];
    int8_t *value_cache = static_cast<int8_t *>(p.value_cache.data) +
                          block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    store_x16(key_vector, key_cache + head * p.key_cache.stride[2] + element, k_scale);
    store_x16(value_vector, value_cache + head * p.value_cache.stride[2] + element, v_scale);
  }
}

/* The key of a token, 4 elements at a time. */
KVF_INLINE void write_key_x4(const kvf_reshape_and_cache_flash_params &p, const float *key,
                             int8_t *key_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.head_size / 4;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 4;
    const float k_scale = kvf_scale_of(p.k_scale, p.k_scale_value, head);
    store_x4(load_x4(key + head * p.key.stride[1] + element),
             key_cache + head * p.key_cache.stride[2] + element, k_scale);
  }
}

/* The value of a token, 4 elements at a time. */
KVF_INLINE void write_value_x4(const kvf_reshape_and_cache_flash_params &p, const float *value,
                               int8_t *value_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.value_head_size / 4;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 4;
    const float v_scale = kvf_scale_of(p.v_scale, p.v_scale_value, head);
    store_x4(load_x4(value + head * p.value.stride[1] + element),
             value_cache + head * p.value_cache.stride[2] + element, v_scale);
  }
}

/* One token, 4 elements at a time. */
KVF_INLINE void write_token_x4(const kvf_reshape_and_cache_flash_params &p, int64_t token) {
  const float *key = static_cast<const float *>(p.key.data) + token * p.key.stride[0];
  const float *value = static_cast<const float *>(p.value.data) + token * p.value.stride[0];
  if (p.value_head_size != p.head_size) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
      return;
    }
    int8_t *key_cache = static_cast<int8_t *>(p.key_cache.data) + block * p.key_cache.stride[0] +
                        offset * p.key_cache.stride[1];
    int8_t *value_cache = static_cast<int8_t *>(p.value_cache.data) +
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
    const float k_scale = kvf_scale_of(p.k_scale, p.k_scale_value, head);
    const float v_scale = kvf_scale_of(p.v_scale, p.v_scale_value, head);
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, i == 0, &block, &offset)) {
      return;
    }
    int8_t *key_cache = static_cast<int8_t *>(p.key_cache.data) + block * p.key_cache.stride[0] +
                        offset * p.key_cache.stride[1];
    int8_t *value_cache = static_cast<int8_t *>(p.value_cache.data) +
                          block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    store_x4(key_vector, key_cache + head * p.key_cache.stride[2] + element, k_scale);
    store_x4(value_vector, value_cache + head * p.value_cache.stride[2] + element, v_scale);
  }
}

/* The key of a token, 1 element at a time. */
KVF_INLINE void write_key_x1(const kvf_reshape_and_cache_flash_params &p, const float *key,
                             int8_t *key_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.head_size;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head);
    const float k_scale = kvf_scale_of(p.k_scale, p.k_scale_value, head);
    store_x1(load_x1(key + head * p.key.stride[1] + element * p.key.stride[2]),
             key_cache + head * p.key_cache.stride[2] + element * p.key_cache.stride[3], k_scale);
  }
}

/* The value of a token, 1 element at a time. */
KVF_INLINE void write_value_x1(const kvf_reshape_and_cache_flash_params &p, const float *value,
                               int8_t *value_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.value_head_size;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head);
    const float v_scale = kvf_scale_of(p.v_scale, p.v_scale_value, head);
    store_x1(load_x1(value + head * p.value.stride[1] + element * p.value.stride[2]),
             value_cache + head * p.value_cache.stride[2] + element * p.value_cache.stride[3],
             v_scale);
  }
}

/* One token, 1 element at a time. */
KVF_INLINE void write_token_x1(const kvf_reshape_and_cache_flash_params &p, int64_t token) {
  const float *key = static_cast<const float *>(p.key.data) + token * p.key.stride[0];
  const float *value = static_cast<const float *>(p.value.data) + token * p.value.stride[0];
  if (p.value_head_size != p.head_size) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
      return;
    }
    int8_t *key_cache = static_cast<int8_t *>(p.key_cache.data) + block * p.key_cache.stride[0] +
                        offset * p.key_cache.stride[1];
    int8_t *value_cache = static_cast<int8_t *>(p.value_cache.data) +
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
    const float k_scale = kvf_scale_of(p.k_scale, p.k_scale_value, head);
    const float v_scale = kvf_scale_of(p.v_scale, p.v_scale_value, head);
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, i == 0, &block, &offset)) {
      return;
    }
    int8_t *key_cache = static_cast<int8_t *>(p.key_cache.data) + block * p.key_cache.stride[0] +
                        offset * p.key_cache.stride[1];
    int8_t *value_cache = static_cast<int8_t *>(p.value_cache.data) +
                          block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    store_x1(key_vector, key_cache + head * p.key_cache.stride[2] + element * p.key_cache.stride[3],
             k_scale);
    store_x1(value_vector,
             value_cache + head * p.value_cache.stride[2] + element * p.value_cache.stride[3],
             v_scale);
  }
}

/* The vectors of a thread, if there are some for it: those of this number of a row. */
struct narrow_place {
  bool exists;
  uint32_t row;
  uint32_t vector;
};

KVF_INLINE narrow_place find_narrow(const kvf_reshape_and_cache_flash_params &p) {
  narrow_place at;
  at.row = blockIdx.x * blockDim.y + threadIdx.y;
  at.vector = blockIdx.y * blockDim.x + threadIdx.x;
  at.exists = at.row < p.narrow.num_rows && at.vector < p.narrow.first.vectors;
  return at;
}

/* What these vectors are made of. */
struct narrow_sources {
  const char *first;
  const char *second;
  const uint32_t *slot;
};

KVF_INLINE narrow_sources find_sources(const kvf_reshape_and_cache_flash_params &p,
                                       const narrow_place &at) {
  const uint64_t behind = (uint64_t)at.vector * (p.narrow.vector_elements * 4);
  narrow_sources from;
  from.first = kvf_narrow_from(p.narrow.first, at.row, behind);
  from.second = kvf_narrow_from(p.narrow.second, at.row, behind);
  from.slot = kvf_narrow_slot_at(p.narrow, at.row);
  return from;
}

KVF_INLINE void write_narrow_x16(const kvf_reshape_and_cache_flash_params &p,
                                 const narrow_place &at, const narrow_sources &from) {
  const kvf_narrow_side &one = p.narrow.first;
  const kvf_narrow_side &two = p.narrow.second;
  const source_x16 first = load_x16(reinterpret_cast<const float *>(from.first));
  const source_x16 second = load_x16(reinterpret_cast<const float *>(from.second));
  const float first_scale = *one.scale;
  const float second_scale = *two.scale;
  const kvf_narrow_slot slot = kvf_narrow_read_slot(p.narrow, from.slot);
  kvf_loads_are_made();
  uint32_t page;
  if (!kvf_narrow_place(p.narrow, slot, at.vector == 0, p.slots.faults, &page)) {
    return;
  }
  store_x16(first,
            reinterpret_cast<int8_t *>(kvf_narrow_to(one, slot, page, (uint64_t)at.vector * 16)),
            first_scale);
  store_x16(second,
            reinterpret_cast<int8_t *>(kvf_narrow_to(two, slot, page, (uint64_t)at.vector * 16)),
            second_scale);
}

KVF_INLINE void write_narrow_x4(const kvf_reshape_and_cache_flash_params &p, const narrow_place &at,
                                const narrow_sources &from) {
  const kvf_narrow_side &one = p.narrow.first;
  const kvf_narrow_side &two = p.narrow.second;
  const source_x4 first = load_x4(reinterpret_cast<const float *>(from.first));
  const source_x4 second = load_x4(reinterpret_cast<const float *>(from.second));
  const float first_scale = *one.scale;
  const float second_scale = *two.scale;
  const kvf_narrow_slot slot = kvf_narrow_read_slot(p.narrow, from.slot);
  kvf_loads_are_made();
  uint32_t page;
  if (!kvf_narrow_place(p.narrow, slot, at.vector == 0, p.slots.faults, &page)) {
    return;
  }
  store_x4(first,
           reinterpret_cast<int8_t *>(kvf_narrow_to(one, slot, page, (uint64_t)at.vector * 4)),
           first_scale);
  store_x4(second,
           reinterpret_cast<int8_t *>(kvf_narrow_to(two, slot, page, (uint64_t)at.vector * 4)),
           second_scale);
}

/* Grid: x tokens, y parts of a token. Block: x vectors of a token, y tokens. 3 blocks leave 80
 * registers: left alone, ptxas wants 64 on sm_80 and sm_90, and spills. */
extern "C" __global__ void __launch_bounds__(256, 3) kvf_cuda_reshape_and_cache_flash__f32__int8(
    const __grid_constant__ kvf_reshape_and_cache_flash_params p) {
  const narrow_place at = find_narrow(p);
  if (__builtin_expect(at.exists, 1)) {
    kvf_begin_kernel();
    const narrow_sources from = find_sources(p, at);
    if (__builtin_expect(p.narrow.vector_elements == 4, 1)) { /* few rows */
      write_narrow_x4(p, at, from);
    } else {
      write_narrow_x16(p, at, from);
    }
    return;
  }
  kvf_begin_kernel();
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  switch (p.vector_elements) {
  case 16:
    write_token_x16(p, token);
    break;
  case 4:
    write_token_x4(p, token);
    break;
  default:
    write_token_x1(p, token);
    break;
  }
}
