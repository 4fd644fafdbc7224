/*
 * Generated from templates/cuda/hisparse_gather_compact.cu.j2 and
 * generator/spec/hisparse_gather_compact.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/hisparse_gather_compact.h"

/* A thread block has so many rows at a time; a thread so many vectors in flight, since the link is
 * slow to answer. */
enum { WARP = 32, WARPS = 8, IN_FLIGHT = 4 };

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

/* 16 bytes at a time; `from` is NULL for zeros. */
KVF_INLINE void load_row_x16(const uint8_t *from, uint8_t *to, int64_t bytes) {
  for (int64_t first = (int64_t)threadIdx.x * 16; first < bytes;
       first += (int64_t)WARP * IN_FLIGHT * 16) {
    source_x16 loaded[IN_FLIGHT] = {};
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      const int64_t at = first + (int64_t)i * WARP * 16;
      if (from != nullptr && at < bytes) {
        loaded[i] = load_x16(from + at);
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      const int64_t at = first + (int64_t)i * WARP * 16;
      if (at < bytes) {
        store_x16(loaded[i], to + at);
      }
    }
  }
}

/* 4 bytes at a time; `from` is NULL for zeros. */
KVF_INLINE void load_row_x4(const uint8_t *from, uint8_t *to, int64_t bytes) {
  for (int64_t first = (int64_t)threadIdx.x * 4; first < bytes;
       first += (int64_t)WARP * IN_FLIGHT * 4) {
    source_x4 loaded[IN_FLIGHT] = {};
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      const int64_t at = first + (int64_t)i * WARP * 4;
      if (from != nullptr && at < bytes) {
        loaded[i] = load_x4(from + at);
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      const int64_t at = first + (int64_t)i * WARP * 4;
      if (at < bytes) {
        store_x4(loaded[i], to + at);
      }
    }
  }
}

/* 1 byte at a time; `from` is NULL for zeros. */
KVF_INLINE void load_row_x1(const uint8_t *from, uint8_t *to, int64_t bytes) {
  for (int64_t first = (int64_t)threadIdx.x * 1; first < bytes;
       first += (int64_t)WARP * IN_FLIGHT * 1) {
    source_x1 loaded[IN_FLIGHT] = {};
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      const int64_t at = first + (int64_t)i * WARP * 1;
      if (from != nullptr && at < bytes) {
        loaded[i] = load_x1(from + at);
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      const int64_t at = first + (int64_t)i * WARP * 1;
      if (at < bytes) {
        store_x1(loaded[i], to + at);
      }
    }
  }
}

/* Hot row d becomes host row g, or zeros where the pool has no such row. */
KVF_INLINE void load_row(const kvf_hot_rows &rows, int64_t g, int64_t d) {
  if (g < 0 || d < 0) {
    return;
  }
  const int64_t block = kvf_divide(d, rows.by_block_size);
  if (block >= rows.num_blocks) {
    return;
  }
  const uint8_t *from = g < rows.num_host_rows
                            ? static_cast<const uint8_t *>(rows.host.data) + g * rows.host.stride[0]
                            : nullptr;
  uint8_t *to = static_cast<uint8_t *>(rows.hot.data) + block * rows.hot.stride[0] +
                (d - block * rows.block_size) * rows.hot.stride[1];
  switch (rows.vector_bytes) {
  case 16:
    load_row_x16(from, to, rows.row_bytes);
    break;
  case 4:
    load_row_x4(from, to, rows.row_bytes);
    break;
  default:
    load_row_x1(from, to, rows.row_bytes);
    break;
  }
}

/* Grid: x groups of entries. Block: x lanes of an entry, y entries. */
extern "C" __global__ void __launch_bounds__(WARP *WARPS) kvf_cuda_hisparse_gather_compact__b8(
    const __grid_constant__ kvf_hisparse_gather_compact_params p) {
  kvf_begin_kernel();
  const int64_t entries = p.num_requests * p.num_columns;
  for (int64_t entry = (int64_t)blockIdx.x * WARPS + threadIdx.y; entry < entries;
       entry += (int64_t)gridDim.x * WARPS) {
    const int64_t row = kvf_divide(entry, p.by_num_columns);
    const int64_t column = entry - row * p.num_columns;
    if (column < kvf_index_at(p.miss_counts.data, 4, row * p.miss_counts.stride[0])) {
      const int64_t *global = p.miss_global_indices.stride;
      const int64_t *hot = p.miss_hot_indices.stride;
      load_row(p.rows,
               kvf_index_at(p.miss_global_indices.data, 4, row * global[0] + column * global[1]),
               kvf_index_at(p.miss_hot_indices.data, 4, row * hot[0] + column * hot[1]));
    }
  }
}
