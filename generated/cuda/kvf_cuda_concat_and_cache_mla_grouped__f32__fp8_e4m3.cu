/*
 * Generated from templates/cuda/concat_and_cache_mla_grouped.cu.j2 and
 * generator/spec/concat_and_cache_mla_grouped.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla_grouped.h"

/* Four quotients as codes; the first in the lowest byte. */
KVF_INLINE uint32_t divide_x4(const float *x, const kvf_divisor &by) {
  if (!by.quick) {
    return kvf_fp8_e4m3x4_from_f32(x[0] / by.scale, x[1] / by.scale, x[2] / by.scale,
                                   x[3] / by.scale);
  }
  return kvf_fp8_e4m3x4_from_f32(kvf_quotient(x[0], by), kvf_quotient(x[1], by),
                                 kvf_quotient(x[2], by), kvf_quotient(x[3], by));
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

KVF_INLINE void store_x16(const source_x16 &source, uint8_t *to, float scale) {
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

KVF_INLINE void store_x4(const source_x4 &source, uint8_t *to, float scale) {
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

KVF_INLINE void store_x1(const source_x1 &source, uint8_t *to, float scale) {
  *to = kvf_fp8_e4m3_from_f32(kvf_f32_from_f32(source.v) / scale);
}

/* One token, 16 elements at a time: kv_c, and behind it k_pe. False if its page cannot be written
 * so. */
KVF_INLINE bool write_token_x16(const kvf_concat_and_cache_mla_grouped_params &p,
                                const kvf_slots &slots, int64_t layer, int64_t base,
                                int64_t token) {
  const float *kv_c =
      static_cast<const float *>(p.kv_c.data) + layer * p.kv_c.stride[0] + token * p.kv_c.stride[1];
  const float *k_pe =
      static_cast<const float *>(p.k_pe.data) + layer * p.k_pe.stride[0] + token * p.k_pe.stride[1];
  const float scale = static_cast<const float *>(p.kv_scales.data)[layer * p.kv_scales.stride[0]];
  enum { AHEAD = KVF_VECTORS_AHEAD(sizeof(source_x16)) };
  const uint32_t latent = (uint32_t)p.kv_lora_rank / 16;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim / 16;
  const uint32_t step = gridDim.y * blockDim.x;
  for (uint32_t first = blockIdx.y * blockDim.x + threadIdx.x; first < vectors;
       first += AHEAD * step) {
    const int64_t slot = kvf_slot_of(slots, token);
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
    if (!kvf_place(slots, slot, first == 0, &block, &offset)) {
      return true;
    }
    if (base == 0 || base % 16 != 0) {
      return false;
    }
    uint8_t *row =
        reinterpret_cast<uint8_t *>(base) + block * p.block_stride + offset * p.entry_stride;
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        store_x16(ahead[k], row + (int64_t)i * 16, scale);
      }
    }
  }
  return true;
}

/* One token, 4 elements at a time: kv_c, and behind it k_pe. False if its page cannot be written
 * so. */
KVF_INLINE bool write_token_x4(const kvf_concat_and_cache_mla_grouped_params &p,
                               const kvf_slots &slots, int64_t layer, int64_t base, int64_t token) {
  const float *kv_c =
      static_cast<const float *>(p.kv_c.data) + layer * p.kv_c.stride[0] + token * p.kv_c.stride[1];
  const float *k_pe =
      static_cast<const float *>(p.k_pe.data) + layer * p.k_pe.stride[0] + token * p.k_pe.stride[1];
  const float scale = static_cast<const float *>(p.kv_scales.data)[layer * p.kv_scales.stride[0]];
  enum { AHEAD = KVF_VECTORS_AHEAD(sizeof(source_x4)) };
  const uint32_t latent = (uint32_t)p.kv_lora_rank / 4;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim / 4;
  const uint32_t step = gridDim.y * blockDim.x;
  for (uint32_t first = blockIdx.y * blockDim.x + threadIdx.x; first < vectors;
       first += AHEAD * step) {
    const int64_t slot = kvf_slot_of(slots, token);
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
    if (!kvf_place(slots, slot, first == 0, &block, &offset)) {
      return true;
    }
    if (base == 0 || base % 4 != 0) {
      return false;
    }
    uint8_t *row =
        reinterpret_cast<uint8_t *>(base) + block * p.block_stride + offset * p.entry_stride;
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        store_x4(ahead[k], row + (int64_t)i * 4, scale);
      }
    }
  }
  return true;
}

/* One token, 1 element at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_token_x1(const kvf_concat_and_cache_mla_grouped_params &p,
                               const kvf_slots &slots, int64_t layer, int64_t base, int64_t token) {
  const float *kv_c =
      static_cast<const float *>(p.kv_c.data) + layer * p.kv_c.stride[0] + token * p.kv_c.stride[1];
  const float *k_pe =
      static_cast<const float *>(p.k_pe.data) + layer * p.k_pe.stride[0] + token * p.k_pe.stride[1];
  const float scale = static_cast<const float *>(p.kv_scales.data)[layer * p.kv_scales.stride[0]];
  enum { AHEAD = KVF_VECTORS_AHEAD(sizeof(source_x1)) };
  const uint32_t latent = (uint32_t)p.kv_lora_rank;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim;
  const uint32_t step = gridDim.y * blockDim.x;
  for (uint32_t first = blockIdx.y * blockDim.x + threadIdx.x; first < vectors;
       first += AHEAD * step) {
    const int64_t slot = kvf_slot_of(slots, token);
    source_x1 ahead[AHEAD];
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        const bool is_latent = i < latent;
        const int64_t at = is_latent ? i : i - latent;
        ahead[k] =
            load_x1((is_latent ? kv_c : k_pe) + at * (is_latent ? p.kv_c : p.k_pe).stride[2]);
      }
    }
    int64_t block;
    int64_t offset;
    if (!kvf_place(slots, slot, first == 0, &block, &offset)) {
      return;
    }
    if (base == 0) {
      if (first == 0) {
        atomicAdd(slots.faults, 1ULL);
      }
      return;
    }
    uint8_t *row =
        reinterpret_cast<uint8_t *>(base) + block * p.block_stride + offset * p.entry_stride;
#pragma unroll
    for (uint32_t k = 0; k < AHEAD; ++k) {
      const uint32_t i = first + k * step;
      if (i < vectors) {
        store_x1(ahead[k], row + (int64_t)i, scale);
      }
    }
  }
}

/* Grid: x tokens, y parts of a token, z layers. Block: x vectors of a token, y tokens. Two blocks
 * share a multiprocessor: with three, registers would spill. */
extern "C" __global__ void __launch_bounds__(256, 2)
    kvf_cuda_concat_and_cache_mla_grouped__f32__fp8_e4m3(
        const __grid_constant__ kvf_concat_and_cache_mla_grouped_params p) {
  kvf_begin_kernel();
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  for (int64_t layer = blockIdx.z; layer < p.num_layers; layer += gridDim.z) {
    const int64_t base =
        static_cast<const int64_t *>(p.kv_cache_ptrs.data)[layer * p.kv_cache_ptrs.stride[0]];
    kvf_slots slots = p.slots;
    slots.mapping =
        static_cast<const char *>(slots.mapping) + layer * p.slots_layer_stride * slots.index_bytes;
    /* The host, which cannot read the addresses, chose vectors by everything else. */
    switch (p.vector_elements) {
    case 16:
      if (write_token_x16(p, slots, layer, base, token)) {
        break;
      }
      [[fallthrough]];
    case 4:
      if (write_token_x4(p, slots, layer, base, token)) {
        break;
      }
      [[fallthrough]];
    default:
      write_token_x1(p, slots, layer, base, token);
    }
  }
}
