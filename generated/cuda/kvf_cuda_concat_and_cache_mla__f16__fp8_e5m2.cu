/*
 * Generated from templates/cuda/concat_and_cache_mla.cu.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla.h"

/* Four quotients as codes; the first in the lowest byte. */
KVF_INLINE uint32_t divide_x4(const float *x, const kvf_divisor &by) {
  if (!by.quick) {
    return kvf_fp8_e5m2x4_from_f32(x[0] / by.scale, x[1] / by.scale, x[2] / by.scale,
                                   x[3] / by.scale);
  }
  return kvf_fp8_e5m2x4_from_f32(kvf_quotient(x[0], by), kvf_quotient(x[1], by),
                                 kvf_quotient(x[2], by), kvf_quotient(x[3], by));
}

/* Four elements, quantised; the first in the lowest byte. */
KVF_INLINE uint32_t quantise_x4(const uint2 v, const kvf_divisor &by) {
  const float x[4] = {kvf_f32_from_f16((uint16_t)v.x), kvf_f32_from_f16((uint16_t)(v.x >> 16)),
                      kvf_f32_from_f16((uint16_t)v.y), kvf_f32_from_f16((uint16_t)(v.y >> 16))};
  return divide_x4(x, by);
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

KVF_INLINE void store_x16(const source_x16 &source, uint8_t *to, float scale) {
  const kvf_divisor by = kvf_divide_by(scale);
  *reinterpret_cast<uint4 *>(to) =
      make_uint4(quantise_x4(make_uint2(source.v[0].x, source.v[0].y), by),
                 quantise_x4(make_uint2(source.v[0].z, source.v[0].w), by),
                 quantise_x4(make_uint2(source.v[1].x, source.v[1].y), by),
                 quantise_x4(make_uint2(source.v[1].z, source.v[1].w), by));
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

KVF_INLINE void store_x4(const source_x4 &source, uint8_t *to, float scale) {
  *reinterpret_cast<uint32_t *>(to) = quantise_x4(source.v, kvf_divide_by(scale));
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

KVF_INLINE void store_x1(const source_x1 &source, uint8_t *to, float scale) {
  *to = kvf_fp8_e5m2_from_f32(kvf_f32_from_f16(source.v) / scale);
}

/* One token, 16 elements at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_token_x16(const kvf_concat_and_cache_mla_params &p, int64_t token) {
  const uint16_t *kv_c = static_cast<const uint16_t *>(p.kv_c.data) + token * p.kv_c.stride[0];
  const uint16_t *k_pe = static_cast<const uint16_t *>(p.k_pe.data) + token * p.k_pe.stride[0];
  const float scale = p.skip_scale ? 1.0f : *static_cast<const float *>(p.scale.data);
  const float kpe_scale = p.skip_scale ? 1.0f : *static_cast<const float *>(p.kpe_scale.data);
  enum { AHEAD = KVF_VECTORS_AHEAD(sizeof(source_x16)) };
  const uint32_t latent = (uint32_t)p.kv_lora_rank / 16;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim / 16;
  const uint32_t step = gridDim.y * blockDim.x;
  for (uint32_t first = blockIdx.y * blockDim.x + threadIdx.x; first < vectors;
       first += AHEAD * step) {
    const int64_t slot = kvf_slot_of(p.slots, token);
    source_x16 ahead[AHEAD];
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        const bool is_latent = i < latent;
        const int64_t at = is_latent ? i : i - latent;
        ahead[k] = load_x16((is_latent ? kv_c : k_pe) + at * 16);
      }
    }
    int64_t block;
    int64_t offset;
    if (!kvf_place(p.slots, slot, first == 0, &block, &offset)) {
      return;
    }
    uint8_t *row = static_cast<uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                   offset * p.kv_cache.stride[1];
    uint8_t *kpe_row = static_cast<uint8_t *>(p.kpe_cache.data) + block * p.kpe_cache.stride[0] +
                       offset * p.kpe_cache.stride[1];
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        const bool is_latent = i < latent;
        const int64_t at = is_latent ? i : i - latent;
        store_x16(ahead[k], (is_latent ? row : kpe_row) + at * 16, is_latent ? scale : kpe_scale);
      }
    }
  }
}

/* One token, 4 elements at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_token_x4(const kvf_concat_and_cache_mla_params &p, int64_t token) {
  const uint16_t *kv_c = static_cast<const uint16_t *>(p.kv_c.data) + token * p.kv_c.stride[0];
  const uint16_t *k_pe = static_cast<const uint16_t *>(p.k_pe.data) + token * p.k_pe.stride[0];
  const float scale = p.skip_scale ? 1.0f : *static_cast<const float *>(p.scale.data);
  const float kpe_scale = p.skip_scale ? 1.0f : *static_cast<const float *>(p.kpe_scale.data);
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
    uint8_t *row = static_cast<uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                   offset * p.kv_cache.stride[1];
    uint8_t *kpe_row = static_cast<uint8_t *>(p.kpe_cache.data) + block * p.kpe_cache.stride[0] +
                       offset * p.kpe_cache.stride[1];
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        const bool is_latent = i < latent;
        const int64_t at = is_latent ? i : i - latent;
        store_x4(ahead[k], (is_latent ? row : kpe_row) + at * 4, is_latent ? scale : kpe_scale);
      }
    }
  }
}

/* One token, 1 element at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_token_x1(const kvf_concat_and_cache_mla_params &p, int64_t token) {
  const uint16_t *kv_c = static_cast<const uint16_t *>(p.kv_c.data) + token * p.kv_c.stride[0];
  const uint16_t *k_pe = static_cast<const uint16_t *>(p.k_pe.data) + token * p.k_pe.stride[0];
  const float scale = p.skip_scale ? 1.0f : *static_cast<const float *>(p.scale.data);
  const float kpe_scale = p.skip_scale ? 1.0f : *static_cast<const float *>(p.kpe_scale.data);
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
    uint8_t *row = static_cast<uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                   offset * p.kv_cache.stride[1];
    uint8_t *kpe_row = static_cast<uint8_t *>(p.kpe_cache.data) + block * p.kpe_cache.stride[0] +
                       offset * p.kpe_cache.stride[1];
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        const bool is_latent = i < latent;
        const int64_t at = is_latent ? i : i - latent;
        store_x1(ahead[k],
                 (is_latent ? row : kpe_row) +
                     at * (is_latent ? p.kv_cache : p.kpe_cache).stride[2],
                 is_latent ? scale : kpe_scale);
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
  const uint64_t behind = (uint64_t)at.vector * (p.narrow.vector_elements * 2);
  narrow_sources from;
  from.first = kvf_narrow_from(p.narrow.first, at.row, behind);
  from.second = at.vector >= p.narrow.second.vectors
                    ? nullptr
                    : kvf_narrow_from(p.narrow.second, at.row, behind);
  from.slot = kvf_narrow_slot_at(p.narrow, at.row);
  return from;
}

KVF_INLINE void write_narrow_x16(const kvf_concat_and_cache_mla_params &p, const narrow_place &at,
                                 const narrow_sources &from) {
  const kvf_narrow_side &one = p.narrow.first;
  const kvf_narrow_side &two = p.narrow.second;
  const source_x16 first = load_x16(reinterpret_cast<const uint16_t *>(from.first));
  source_x16 second = {};
  if (from.second != nullptr) {
    second = load_x16(reinterpret_cast<const uint16_t *>(from.second));
  }
  const float first_scale = *one.scale;
  const float second_scale = *two.scale;
  const kvf_narrow_slot slot = kvf_narrow_read_slot(p.narrow, from.slot);
  kvf_loads_are_made();
  uint32_t page;
  if (!kvf_narrow_place(p.narrow, slot, at.vector == 0, p.slots.faults, &page)) {
    return;
  }
  store_x16(first,
            reinterpret_cast<uint8_t *>(kvf_narrow_to(one, slot, page, (uint64_t)at.vector * 16)),
            first_scale);
  if (from.second != nullptr) {
    store_x16(second,
              reinterpret_cast<uint8_t *>(kvf_narrow_to(two, slot, page, (uint64_t)at.vector * 16)),
              second_scale);
  }
}

KVF_INLINE void write_narrow_x4(const kvf_concat_and_cache_mla_params &p, const narrow_place &at,
                                const narrow_sources &from) {
  const kvf_narrow_side &one = p.narrow.first;
  const kvf_narrow_side &two = p.narrow.second;
  const source_x4 first = load_x4(reinterpret_cast<const uint16_t *>(from.first));
  source_x4 second = {};
  if (from.second != nullptr) {
    second = load_x4(reinterpret_cast<const uint16_t *>(from.second));
  }
  const float first_scale = *one.scale;
  const float second_scale = *two.scale;
  const kvf_narrow_slot slot = kvf_narrow_read_slot(p.narrow, from.slot);
  kvf_loads_are_made();
  uint32_t page;
  if (!kvf_narrow_place(p.narrow, slot, at.vector == 0, p.slots.faults, &page)) {
    return;
  }
  store_x4(first,
           reinterpret_cast<uint8_t *>(kvf_narrow_to(one, slot, page, (uint64_t)at.vector * 4)),
           first_scale);
  if (from.second != nullptr) {
    store_x4(second,
             reinterpret_cast<uint8_t *>(kvf_narrow_to(two, slot, page, (uint64_t)at.vector * 4)),
             second_scale);
  }
}

/* Grid: x tokens, y parts of a token. Block: x vectors of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256) kvf_cuda_concat_and_cache_mla__f16__fp8_e5m2(
    const __grid_constant__ kvf_concat_and_cache_mla_params p) {
  const narrow_place at = find_narrow(p);
  if (__builtin_expect(at.exists, 1)) {
    const narrow_sources from = find_sources(p, at);
    kvf_begin_kernel_knowing((uint64_t)from.first | (uint64_t)from.second | (uint64_t)from.slot);
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
