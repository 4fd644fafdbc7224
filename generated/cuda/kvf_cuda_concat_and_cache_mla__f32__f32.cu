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
KVF_INLINE void write_row_x4(const kvf_concat_and_cache_mla_params &p, const float *kv_c,
                             const float *k_pe, float *row, float *kpe_row) {
  const uint32_t latent = (uint32_t)p.kv_lora_rank / 4;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim / 4;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const float *from = i < latent ? kv_c + (int64_t)i * 4 : k_pe + (int64_t)(i - latent) * 4;
    float *to = i < latent ? row + (int64_t)i * 4 : kpe_row + (int64_t)(i - latent) * 4;
    store_x4(load_x4(from), to);
  }
}

/* One token, 1 element at a time: kv_c, and behind it k_pe. */
KVF_INLINE void write_row_x1(const kvf_concat_and_cache_mla_params &p, const float *kv_c,
                             const float *k_pe, float *row, float *kpe_row) {
  const uint32_t latent = (uint32_t)p.kv_lora_rank;
  const uint32_t vectors = latent + (uint32_t)p.rope_dim;
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < vectors;
       i += gridDim.y * blockDim.x) {
    const float *from = i < latent ? kv_c + (int64_t)i * p.kv_c.stride[1]
                                   : k_pe + (int64_t)(i - latent) * p.k_pe.stride[1];
    float *to = i < latent ? row + (int64_t)i * p.kv_cache.stride[2]
                           : kpe_row + (int64_t)(i - latent) * p.kpe_cache.stride[2];
    store_x1(load_x1(from), to);
  }
}

/* Grid: x tokens, y parts of a token. Block: x vectors of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256) kvf_cuda_concat_and_cache_mla__f32__f32(
    const __grid_constant__ kvf_concat_and_cache_mla_params p) {
  const int64_t step = (int64_t)gridDim.x * blockDim.y;
  for (int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y; token < p.slots.num_tokens;
       token += step) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
      continue;
    }
    const float *kv_c = static_cast<const float *>(p.kv_c.data) + token * p.kv_c.stride[0];
    const float *k_pe = static_cast<const float *>(p.k_pe.data) + token * p.k_pe.stride[0];
    float *row = static_cast<float *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                 offset * p.kv_cache.stride[1];
    float *kpe_row = static_cast<float *>(p.kpe_cache.data) + block * p.kpe_cache.stride[0] +
                     offset * p.kpe_cache.stride[1];
    switch (p.vector_elements) {
    case 4:
      write_row_x4(p, kv_c, k_pe, row, kpe_row);
      break;
    default:
      write_row_x1(p, kv_c, k_pe, row, kpe_row);
      break;
    }
  }
}
