/*
 * Generated from templates/cuda/concat_and_cache_mla.cu.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla.h"

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

/* One token, 4 elements at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_token_x4(const kvf_concat_and_cache_mla_params &p, int64_t token) {
  const float *kv_c = static_cast<const float *>(p.kv_c.data) + token * p.kv_c.stride[0];
  const float *k_pe = static_cast<const float *>(p.k_pe.data) + token * p.k_pe.stride[0];
  enum { AHEAD = KVF_VECTORS_AHEAD(sizeof(source_x4)) };
  const uint32_t latent = (uint32_t)p.kv_lora_rank / 4;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim / 4;
  const uint32_t step = gridDim.y * blockDim.x;
  for (uint32_t first = blockIdx.y * blockDim.x + threadIdx.x; first < vectors;
       first += AHEAD * step) {
    const int64_t slot = kvf_slot_of(p.slots, token);
    source_x4 ahead[AHEAD];
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        const bool is_latent = i < latent;
        const int64_t at = is_latent ? i : i - latent;
        ahead[k] = load_x4((is_latent ? kv_c : k_pe) + at * 4);
      }
    }
    int64_t block;
    int64_t offset;
    if (!kvf_place(p.slots, slot, first == 0, &block, &offset)) {
      return;
    }
    float *row = static_cast<float *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                 offset * p.kv_cache.stride[1];
    float *kpe_row = static_cast<float *>(p.kpe_cache.data) + block * p.kpe_cache.stride[0] +
                     offset * p.kpe_cache.stride[1];
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        const bool is_latent = i < latent;
        const int64_t at = is_latent ? i : i - latent;
        store_x4(ahead[k], (is_latent ? row : kpe_row) + at * 4);
      }
    }
  }
}

/* One token, 1 element at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_token_x1(const kvf_concat_and_cache_mla_params &p, int64_t token) {
  const float *kv_c = static_cast<const float *>(p.kv_c.data) + token * p.kv_c.stride[0];
  const float *k_pe = static_cast<const float *>(p.k_pe.data) + token * p.k_pe.stride[0];
  enum { AHEAD = KVF_VECTORS_AHEAD(sizeof(source_x1)) };
  const uint32_t latent = (uint32_t)p.kv_lora_rank;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim;
  const uint32_t step = gridDim.y * blockDim.x;
  for (uint32_t first = blockIdx.y * blockDim.x + threadIdx.x; first < vectors;
       first += AHEAD * step) {
    const int64_t slot = kvf_slot_of(p.slots, token);
    source_x1 ahead[AHEAD];
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        const bool is_latent = i < latent;
        const int64_t at = is_latent ? i : i - latent;
        ahead[k] =
            load_x1((is_latent ? kv_c : k_pe) + at * (is_latent ? p.kv_c : p.k_pe).stride[1]);
      }
    }
    int64_t block;
    int64_t offset;
    if (!kvf_place(p.slots, slot, first == 0, &block, &offset)) {
      return;
    }
    float *row = static_cast<float *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                 offset * p.kv_cache.stride[1];
    float *kpe_row = static_cast<float *>(p.kpe_cache.data) + block * p.kpe_cache.stride[0] +
                     offset * p.kpe_cache.stride[1];
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        const bool is_latent = i < latent;
        const int64_t at = is_latent ? i : i - latent;
        store_x1(ahead[k], (is_latent ? row : kpe_row) +
                               at * (is_latent ? p.kv_cache : p.kpe_cache).stride[2]);
      }
    }
  }
}

/* The vectors of a thread, if there are some for it: those of this number of a row. */
struct narrow_place {
  bool exists;
  uint32_t row;
  uint32_t vector;
};

KVF_INLINE narrow_place find_narrow(const kvf_concat_and_cache_mla_params &p) {
  narrow_place at;
  at.row = blockIdx.x * blockDim.y + threadIdx.y;
  at.vector = blockIdx.y * blockDim.x + threadIdx.x;
  at.exists = at.row < p.narrow.num_rows && at.vector < p.narrow.first.vectors;
  return at;
}

/* What these vectors are made of. */
struct narrow_sources {
  const char *first;
  const char *second; /* NULL: that side has none of this number */
  const uint32_t *slot;
};

KVF_INLINE narrow_sources find_sources(const kvf_concat_and_cache_mla_params &p,
                                       const narrow_place &at) {
  const uint64_t behind = (uint64_t)at.vector * 16;
  narrow_sources from;
  from.first = kvf_narrow_from(p.narrow.first, at.row, behind);
  from.second = at.vector >= p.narrow.second.vectors
                    ? nullptr
                    : kvf_narrow_from(p.narrow.second, at.row, behind);
  from.slot = kvf_narrow_slot_at(p.narrow, at.row);
  return from;
}

KVF_INLINE void write_narrow_x4(const kvf_concat_and_cache_mla_params &p, const narrow_place &at,
                                const narrow_sources &from) {
  const kvf_narrow_side &one = p.narrow.first;
  const kvf_narrow_side &two = p.narrow.second;
  const source_x4 first = load_x4(reinterpret_cast<const float *>(from.first));
  source_x4 second = {};
  if (from.second != nullptr) {
    second = load_x4(reinterpret_cast<const float *>(from.second));
  }
  const kvf_narrow_slot slot = kvf_narrow_read_slot(p.narrow, from.slot);
  kvf_loads_are_made();
  uint32_t page;
  if (!kvf_narrow_place(p.narrow, slot, at.vector == 0, p.slots.faults, &page)) {
    return;
  }
  store_x4(first,
           reinterpret_cast<float *>(kvf_narrow_to(one, slot, page, (uint64_t)at.vector * 16)));
  if (from.second != nullptr) {
    store_x4(second,
             reinterpret_cast<float *>(kvf_narrow_to(two, slot, page, (uint64_t)at.vector * 16)));
  }
}

/* Grid: x tokens, y parts of a token. Block: x vectors of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256) kvf_cuda_concat_and_cache_mla__f32__f32(
    const __grid_constant__ kvf_concat_and_cache_mla_params p) {
  const narrow_place at = find_narrow(p);
  if (__builtin_expect(at.exists, 1)) {
    const narrow_sources from = find_sources(p, at);
    kvf_begin_kernel_knowing((uint64_t)from.first | (uint64_t)from.second | (uint64_t)from.slot);
    write_narrow_x4(p, at, from);
    return;
  }
  kvf_begin_kernel();
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  switch (p.vector_elements) {
  case 4:
    write_token_x4(p, token);
    break;
  default:
    write_token_x1(p, token);
    break;
  }
}
