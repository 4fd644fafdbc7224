/*
 * Generated from templates/cuda/concat_and_cache_mla.cu.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla.h"

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

/* One token, 8 elements at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_row_x8(const kvf_concat_and_cache_mla_params &p, const uint16_t *kv_c,
                             const uint16_t *k_pe, uint16_t *row, uint16_t *kpe_row) {
  const uint32_t latent = (uint32_t)p.kv_lora_rank / 8;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim / 8;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint16_t *from = i < latent ? kv_c + (int64_t)i * 8 : k_pe + (int64_t)(i - latent) * 8;
    uint16_t *to = i < latent ? row + (int64_t)i * 8 : kpe_row + (int64_t)(i - latent) * 8;
    store_x8(load_x8(from), to);
  }
}

/* One token, 2 elements at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_row_x2(const kvf_concat_and_cache_mla_params &p, const uint16_t *kv_c,
                             const uint16_t *k_pe, uint16_t *row, uint16_t *kpe_row) {
  const uint32_t latent = (uint32_t)p.kv_lora_rank / 2;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim / 2;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint16_t *from = i < latent ? kv_c + (int64_t)i * 2 : k_pe + (int64_t)(i - latent) * 2;
    uint16_t *to = i < latent ? row + (int64_t)i * 2 : kpe_row + (int64_t)(i - latent) * 2;
    store_x2(load_x2(from), to);
  }
}

/* One token, 1 element at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_row_x1(const kvf_concat_and_cache_mla_params &p, const uint16_t *kv_c,
                             const uint16_t *k_pe, uint16_t *row, uint16_t *kpe_row) {
  const uint32_t latent = (uint32_t)p.kv_lora_rank;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const uint16_t *from = i < latent ? kv_c + (int64_t)i * p.kv_c.stride[1]
                                      : k_pe + (int64_t)(i - latent) * p.k_pe.stride[1];
    uint16_t *to = i < latent ? row + (int64_t)i * p.kv_cache.stride[2]
                              : kpe_row + (int64_t)(i - latent) * p.kpe_cache.stride[2];
    store_x1(load_x1(from), to);
  }
}

/* Grid: x tokens, y parts of a token. Block: x vectors of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256) kvf_cuda_concat_and_cache_mla__bf16__bf16(
    const __grid_constant__ kvf_concat_and_cache_mla_params p) {
  const int64_t step = (int64_t)gridDim.x * blockDim.y;
  for (int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y; token < p.slots.num_tokens;
       token += step) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
      continue;
    }
    const uint16_t *kv_c = static_cast<const uint16_t *>(p.kv_c.data) + token * p.kv_c.stride[0];
    const uint16_t *k_pe = static_cast<const uint16_t *>(p.k_pe.data) + token * p.k_pe.stride[0];
    uint16_t *row = static_cast<uint16_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                    offset * p.kv_cache.stride[1];
    uint16_t *kpe_row = static_cast<uint16_t *>(p.kpe_cache.data) + block * p.kpe_cache.stride[0] +
                        offset * p.kpe_cache.stride[1];
    switch (p.vector_elements) {
    case 8:
      write_row_x8(p, kv_c, k_pe, row, kpe_row);
      break;
    case 2:
      write_row_x2(p, kv_c, k_pe, row, kpe_row);
      break;
    default:
      write_row_x1(p, kv_c, k_pe, row, kpe_row);
      break;
    }
  }
}
