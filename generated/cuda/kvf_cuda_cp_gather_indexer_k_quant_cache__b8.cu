/*
 * Generated from templates/cuda/cp_gather_indexer_k_quant_cache.cu.j2 and
 * generator/spec/cp_gather_indexer_k_quant_cache.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/cp_gather_indexer_k_quant_cache.h"
#include "kvforge/cache/indexer.h"

/* As runtime/ops/cp_gather_indexer_k_quant_cache.c launches it. */
enum { THREADS = 256, ROWS = 64 };

/* Where a row is in its page; NULL for a row that is skipped. */
struct row_place {
  const uint8_t *codes;
  const uint8_t *scales;
};

/* 16 elements. */
struct source_x16 {
  uint4 v;
};

KVF_INLINE source_x16 load_x16(const uint8_t *from) {
  source_x16 source;
  source.v = *reinterpret_cast<const uint4 *>(from);
  return source;
}

KVF_INLINE void store_x16(const source_x16 &source, uint8_t *to) {
  *reinterpret_cast<uint4 *>(to) = source.v;
}

/* 4 elements. */
struct source_x4 {
  uint32_t v;
};

KVF_INLINE source_x4 load_x4(const uint8_t *from) {
  source_x4 source;
  source.v = *reinterpret_cast<const uint32_t *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, uint8_t *to) {
  *reinterpret_cast<uint32_t *>(to) = source.v;
}

/* 1 element. */
struct source_x1 {
  uint8_t v;
};

KVF_INLINE source_x1 load_x1(const uint8_t *from) {
  source_x1 source;
  source.v = *from;
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, uint8_t *to) { *to = source.v; }

KVF_INLINE row_place find_row(const kvf_cp_gather_indexer_k_quant_cache_params &p, int64_t row) {
  int64_t block;
  int64_t offset;
  if (row >= p.num_rows || !kvf_locate_row(p.table, row, true, &block, &offset)) {
    return {nullptr, nullptr};
  }
  const uint8_t *page =
      static_cast<const uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0];
  return {page + offset * p.head_dim,
          page + kvf_indexer_scales_at(p.table.block_size, p.head_dim, p.num_scales, offset)};
}

/* The codes of the block's rows, 16 bytes at a time. */
KVF_INLINE void copy_codes_x16(const row_place *places, uint8_t *to, int64_t stride,
                               uint32_t bytes) {
  const uint32_t vectors = bytes / 16;
  for (uint32_t i = threadIdx.x; i < ROWS * vectors; i += THREADS) {
    const uint32_t row = i / vectors;
    const uint32_t at = (i - row * vectors) * 16;
    if (places[row].codes != nullptr) {
      store_x16(load_x16(places[row].codes + at), to + row * stride + at);
    }
  }
}

/* The codes of the block's rows, 4 bytes at a time. */
KVF_INLINE void copy_codes_x4(const row_place *places, uint8_t *to, int64_t stride,
                              uint32_t bytes) {
  const uint32_t vectors = bytes / 4;
  for (uint32_t i = threadIdx.x; i < ROWS * vectors; i += THREADS) {
    const uint32_t row = i / vectors;
    const uint32_t at = (i - row * vectors) * 4;
    if (places[row].codes != nullptr) {
      store_x4(load_x4(places[row].codes + at), to + row * stride + at);
    }
  }
}

/* The codes of the block's rows, 1 byte at a time. */
KVF_INLINE void copy_codes_x1(const row_place *places, uint8_t *to, int64_t stride,
                              uint32_t bytes) {
  const uint32_t vectors = bytes;
  for (uint32_t i = threadIdx.x; i < ROWS * vectors; i += THREADS) {
    const uint32_t row = i / vectors;
    const uint32_t at = (i - row * vectors);
    if (places[row].codes != nullptr) {
      store_x1(load_x1(places[row].codes + at), to + row * stride + at);
    }
  }
}

/* The scales of the block's rows, 4 bytes at a time. */
KVF_INLINE void copy_scales_x4(const row_place *places, uint8_t *to, int64_t stride,
                               uint32_t bytes) {
  const uint32_t vectors = bytes / 4;
  for (uint32_t i = threadIdx.x; i < ROWS * vectors; i += THREADS) {
    const uint32_t row = i / vectors;
    const uint32_t at = (i - row * vectors) * 4;
    if (places[row].scales != nullptr) {
      store_x4(load_x4(places[row].scales + at), to + row * stride + at);
    }
  }
}

/* The scales of the block's rows, 1 byte at a time. */
KVF_INLINE void copy_scales_x1(const row_place *places, uint8_t *to, int64_t stride,
                               uint32_t bytes) {
  const uint32_t vectors = bytes;
  for (uint32_t i = threadIdx.x; i < ROWS * vectors; i += THREADS) {
    const uint32_t row = i / vectors;
    const uint32_t at = (i - row * vectors);
    if (places[row].scales != nullptr) {
      store_x1(load_x1(places[row].scales + at), to + row * stride + at);
    }
  }
}

/* Grid: x rows, ROWS to a thread block. */
extern "C" __global__ void __launch_bounds__(THREADS) kvf_cuda_cp_gather_indexer_k_quant_cache__b8(
    const __grid_constant__ kvf_cp_gather_indexer_k_quant_cache_params p) {
  __shared__ row_place places[ROWS];
  const int64_t first = (int64_t)blockIdx.x * ROWS;
  if (threadIdx.x < ROWS) {
    places[threadIdx.x] = find_row(p, first + threadIdx.x);
  }
  __syncthreads();
  uint8_t *dst_k = static_cast<uint8_t *>(p.dst_k.data) + first * p.dst_k.stride[0];
  uint8_t *dst_scale = static_cast<uint8_t *>(p.dst_scale.data) + first * p.dst_scale.stride[0];
  switch (p.vector_elements) {
  case 16:
    copy_codes_x16(places, dst_k, p.dst_k.stride[0], (uint32_t)p.head_dim);
    break;
  case 4:
    copy_codes_x4(places, dst_k, p.dst_k.stride[0], (uint32_t)p.head_dim);
    break;
  default:
    copy_codes_x1(places, dst_k, p.dst_k.stride[0], (uint32_t)p.head_dim);
    break;
  }
  if (p.scales_aligned) {
    copy_scales_x4(places, dst_scale, p.dst_scale.stride[0], 4 * (uint32_t)p.num_scales);
  } else {
    copy_scales_x1(places, dst_scale, p.dst_scale.stride[0], 4 * (uint32_t)p.num_scales);
  }
}
