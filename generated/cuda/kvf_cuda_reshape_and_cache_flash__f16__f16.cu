/*
 * Generated from templates/cuda/reshape_and_cache_flash.cu.j2 and
 * generator/spec/reshape_and_cache_flash.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/reshape_and_cache_flash.h"

/* 8 elements. */
struct source_x8 {
  uint4 v;
};

KVF_INLINE source_x8 load_x8(const uint16_t *from) {
  source_x8 source;
  source.v = *reinterpret_cast<const uint4 *>(from);
  return source;
}

KVF_INLINE void store_x8(const source_x8 &source, uint16_t *to) {
  *reinterpret_cast<uint4 *>(to) = source.v;
}

/* 2 elements. */
struct source_x2 {
  uint32_t v;
};

KVF_INLINE source_x2 load_x2(const uint16_t *from) {
  source_x2 source;
  source.v = *reinterpret_cast<const uint32_t *>(from);
  return source;
}

KVF_INLINE void store_x2(const source_x2 &source, uint16_t *to) {
  *reinterpret_cast<uint32_t *>(to) = source.v;
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

KVF_INLINE void store_x1(const source_x1 &source, uint16_t *to) { *to = source.v; }

/* The key of a token, 8 elements at a time. */
KVF_INLINE void write_key_x8(const kvf_reshape_and_cache_flash_params &p, const uint16_t *key,
                             uint16_t *key_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.head_size / 8;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 8;
    store_x8(load_x8(key + head * p.key.stride[1] + element),
             key_cache + head * p.key_cache.stride[2] + element);
  }
}

/* The value of a token, 8 elements at a time. */
KVF_INLINE void write_value_x8(const kvf_reshape_and_cache_flash_params &p, const uint16_t *value,
                               uint16_t *value_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.value_head_size / 8;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 8;
    store_x8(load_x8(value + head * p.value.stride[1] + element),
             value_cache + head * p.value_cache.stride[2] + element);
  }
}

/* One token, 8 elements at a time. */
KVF_INLINE void write_token_x8(const kvf_reshape_and_cache_flash_params &p, int64_t token) {
  const uint16_t *key = static_cast<const uint16_t *>(p.key.data) + token * p.key.stride[0];
  const uint16_t *value = static_cast<const uint16_t *>(p.value.data) + token * p.value.stride[0];
  if (p.value_head_size != p.head_size) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
      return;
    }
    uint16_t *key_cache = static_cast<uint16_t *>(p.key_cache.data) +
                          block * p.key_cache.stride[0] + offset * p.key_cache.stride[1];
    uint16_t *value_cache = static_cast<uint16_t *>(p.value_cache.data) +
                            block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    write_key_x8(p, key, key_cache);
    write_value_x8(p, value, value_cache);
    return;
  }
  const uint32_t vectors_per_head = (uint32_t)p.head_size / 8;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 8;
    const source_x8 key_vector = load_x8(key + head * p.key.stride[1] + element);
    const source_x8 value_vector = load_x8(value + head * p.value.stride[1] + element);
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, i == 0, &block, &offset)) {
      return;
    }
    uint16_t *key_cache = static_cast<uint16_t *>(p.key_cache.data) +
                          block * p.key_cache.stride[0] + offset * p.key_cache.stride[1];
    uint16_t *value_cache = static_cast<uint16_t *>(p.value_cache.data) +
                            block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    store_x8(key_vector, key_cache + head * p.key_cache.stride[2] + element);
    store_x8(value_vector, value_cache + head * p.value_cache.stride[2] + element);
  }
}

/* The key of a token, 2 elements at a time. */
KVF_INLINE void write_key_x2(const kvf_reshape_and_cache_flash_params &p, const uint16_t *key,
                             uint16_t *key_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.head_size / 2;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 2;
    store_x2(load_x2(key + head * p.key.stride[1] + element),
             key_cache + head * p.key_cache.stride[2] + element);
  }
}

/* The value of a token, 2 elements at a time. */
KVF_INLINE void write_value_x2(const kvf_reshape_and_cache_flash_params &p, const uint16_t *value,
                               uint16_t *value_cache) {
  const uint32_t vectors_per_head = (uint32_t)p.value_head_size / 2;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 2;
    store_x2(load_x2(value + head * p.value.stride[1] + element),
             value_cache + head * p.value_cache.stride[2] + element);
  }
}

/* One token, 2 elements at a time. */
KVF_INLINE void write_token_x2(const kvf_reshape_and_cache_flash_params &p, int64_t token) {
  const uint16_t *key = static_cast<const uint16_t *>(p.key.data) + token * p.key.stride[0];
  const uint16_t *value = static_cast<const uint16_t *>(p.value.data) + token * p.value.stride[0];
  if (p.value_head_size != p.head_size) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
      return;
    }
    uint16_t *key_cache = static_cast<uint16_t *>(p.key_cache.data) +
                          block * p.key_cache.stride[0] + offset * p.key_cache.stride[1];
    uint16_t *value_cache = static_cast<uint16_t *>(p.value_cache.data) +
                            block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    write_key_x2(p, key, key_cache);
    write_value_x2(p, value, value_cache);
    return;
  }
  const uint32_t vectors_per_head = (uint32_t)p.head_size / 2;
  const uint32_t vectors = (uint32_t)p.num_heads * vectors_per_head;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint32_t head =
        p.num_heads == 1 ? 0 : i / vectors_per_head; /* heads are joined where they can be */
    const int64_t element = (i - head * vectors_per_head) * 2;
    const source_x2 key_vector = load_x2(key + head * p.key.stride[1] + element);
    const source_x2 value_vector = load_x2(value + head * p.value.stride[1] + element);
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, i == 0, &block, &offset)) {
      return;
    }
    uint16_t *key_cache = static_cast<uint16_t *>(p.key_cache.data) +
                          block * p.key_cache.stride[0] + offset * p.key_cache.stride[1];
    uint16_t *value_cache = static_cast<uint16_t *>(p.value_cache.data) +
                            block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    store_x2(key_vector, key_cache + head * p.key_cache.stride[2] + element);
    store_x2(value_vector, value_cache + head * p.value_cache.stride[2] + element);
  }
}

/* The key of a token, 1 element at a time. */
KVF_INLINE void write_key_x1(const kvf_reshape_and_cache_flash_params &p, const uint16_t *key,
                             uint16_t *key_cache) {
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
KVF_INLINE void write_value_x1(const kvf_reshape_and_cache_flash_params &p, const uint16_t *value,
                               uint16_t *value_cache) {
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
KVF_INLINE void write_token_x1(const kvf_reshape_and_cache_flash_params &p, int64_t token) {
  const uint16_t *key = static_cast<const uint16_t *>(p.key.data) + token * p.key.stride[0];
  const uint16_t *value = static_cast<const uint16_t *>(p.value.data) + token * p.value.stride[0];
  if (p.value_head_size != p.head_size) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
      return;
    }
    uint16_t *key_cache = static_cast<uint16_t *>(p.key_cache.data) +
                          block * p.key_cache.stride[0] + offset * p.key_cache.stride[1];
    uint16_t *value_cache = static_cast<uint16_t *>(p.value_cache.data) +
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
    if (!kvf_locate(p.slots, token, i == 0, &block, &offset)) {
      return;
    }
    uint16_t *key_cache = static_cast<uint16_t *>(p.key_cache.data) +
                          block * p.key_cache.stride[0] + offset * p.key_cache.stride[1];
    uint16_t *value_cache = static_cast<uint16_t *>(p.value_cache.data) +
                            block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
    store_x1(key_vector,
             key_cache + head * p.key_cache.stride[2] + element * p.key_cache.stride[3]);
    store_x1(value_vector,
             value_cache + head * p.value_cache.stride[2] + element * p.value_cache.stride[3]);
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
  const uint64_t behind = (uint64_t)at.vector * 16;
  narrow_sources from;
  from.first = kvf_narrow_from(p.narrow.first, at.row, behind);
  from.second = kvf_narrow_from(p.narrow.second, at.row, behind);
  from.slot = kvf_narrow_slot_at(p.narrow, at.row);
  return from;
}

KVF_INLINE void write_narrow_x8(const kvf_reshape_and_cache_flash_params &p, const narrow_place &at,
                                const narrow_sources &from) {
  const kvf_narrow_side &one = p.narrow.first;
  const kvf_narrow_side &two = p.narrow.second;
  const source_x8 first = load_x8(reinterpret_cast<const uint16_t *>(from.first));
  const source_x8 second = load_x8(reinterpret_cast<const uint16_t *>(from.second));
  const kvf_narrow_slot slot = kvf_narrow_read_slot(p.narrow, from.slot);
  kvf_loads_are_made();
  uint32_t page;
  if (!kvf_narrow_place(p.narrow, slot, at.vector == 0, p.slots.faults, &page)) {
    return;
  }
  store_x8(first,
           reinterpret_cast<uint16_t *>(kvf_narrow_to(one, slot, page, (uint64_t)at.vector * 16)));
  store_x8(second,
           reinterpret_cast<uint16_t *>(kvf_narrow_to(two, slot, page, (uint64_t)at.vector * 16)));
}

/* Grid: x tokens, y parts of a token. Block: x vectors of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256) kvf_cuda_reshape_and_cache_flash__f16__f16(
    const __grid_constant__ kvf_reshape_and_cache_flash_params p) {
  const narrow_place at = find_narrow(p);
  if (__builtin_expect(at.exists, 1)) {
    kvf_begin_kernel();
    const narrow_sources from = find_sources(p, at);
    write_narrow_x8(p, at, from);
    return;
  }
  kvf_begin_kernel();
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  switch (p.vector_elements) {
  case 8:
    write_token_x8(p, token);
    break;
  case 2:
    write_token_x2(p, token);
    break;
  default:
    write_token_x1(p, token);
    break;
  }
}
