/*
 * Generated from templates/cuda/cp_gather_indexer_k_quant_cache.cu.j2 and
 * generator/spec/cp_gather_indexer_k_quant_cache.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/cp_gather_indexer_k_quant_cache.h"
#include "kvforge/cache/indexer.h"

constexpr uint32_t ALL_LANES = 0xFFFFFFFFu, LANES = 32;

/* What a launch has at most; runtime/ops/cp_gather_indexer_k_quant_cache.c chooses. */
constexpr uint32_t MAX_THREADS = 256;

/* Rows from which on a warp looks for its sequence together: up to 4,096 it takes longer, one row
 * by 7 %. */
constexpr int64_t MANY_ROWS = 16384;

/* Vectors of a lane, all loaded before the first is stored. */
constexpr int32_t IN_FLIGHT = 4;

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

/* A sequence, num_sequences for none, and the row from which on another one may be. */
struct sequence_rows {
  int64_t sequence;
  int32_t end;
};

/*
 * What kvf_find_sequence() finds, of a row for which all lanes ask: they look at 128 sequences side
 * by side, so that hardly any load waits for another one.
 */
KVF_INLINE sequence_rows find_together(const kvf_block_table &table, int64_t row) {
  constexpr int32_t PROBES = 4;
  const int32_t lane = (int32_t)(threadIdx.x % LANES);
  int64_t low = 0;
  int64_t high = table.num_sequences - table.open_ended;
  int32_t end = INT32_MAX;
  while (low < high) {
    const int64_t step = (high - low) / ((int32_t)LANES * PROBES) + 1;
    int32_t last = 0; /* probe of a sequence that begins at the row or before it */
#pragma unroll
    for (int32_t i = 0; i < PROBES; ++i) {
      const int32_t probe = i * (int32_t)LANES + lane;
      if (low + probe * step <= high) {
        const int32_t start = table.starts[low + probe * step];
        last = start <= row ? probe : last;
        end = start > row && start < end ? start : end;
      }
    }
    low += __reduce_max_sync(ALL_LANES, last) * step;
    high = low + step - 1 < high ? low + step - 1 : high;
  }
  return {low, __reduce_min_sync(ALL_LANES, end)};
}

/* The place of a row that `sequence` has by kvf_find_sequence(). */
KVF_INLINE row_place find_row(const kvf_cp_gather_indexer_k_quant_cache_params &p, int64_t sequence,
                              int64_t row) {
  int64_t block;
  int64_t offset;
  if (!kvf_locate_row_of(p.table, sequence, row, true, &block, &offset)) {
    return {nullptr, nullptr};
  }
  const uint8_t *page =
      static_cast<const uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0];
  return {page + offset * p.head_dim,
          page + kvf_indexer_scales_at(p.table.block_size, p.head_dim, p.num_scales, offset)};
}

/*
 * The codes of the warp's rows, 16 bytes at a time: in steps of rows and columns, since
 * the vectors of all rows may be more than 32 bits can count. `own` is that of the lane's row.
 */
KVF_INLINE void copy_codes_x16(const uint8_t *own, uint32_t rows, uint8_t *to, int64_t stride,
                               uint32_t bytes) {
  const uint32_t lane = threadIdx.x % LANES;
  const uint32_t vectors = bytes / 16;
  const uint32_t row_step = LANES / vectors;
  const uint32_t column_step = LANES % vectors;
  uint32_t row = lane / vectors;
  uint32_t column = lane % vectors;
  const uint64_t all = (uint64_t)rows * vectors;
  for (uint64_t begin = 0; begin < all; begin += IN_FLIGHT * LANES) {
    source_x16 vector[IN_FLIGHT];
    uint8_t *target[IN_FLIGHT];
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      target[i] = nullptr;
      if (begin + i * LANES < all) { /* lanes give each other the places of rows, all of them */
        const uintptr_t place =
            __shfl_sync(ALL_LANES, reinterpret_cast<uintptr_t>(own), (int32_t)(row % LANES));
        const uint32_t at = column * 16;
        if (row < rows && place != 0) {
          target[i] = to + row * stride + at;
          vector[i] = load_x16(reinterpret_cast<const uint8_t *>(place) + at);
        }
        row += row_step;
        column += column_step;
        if (column >= vectors) {
          column -= vectors;
          ++row;
        }
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      if (target[i] != nullptr) {
        store_x16(vector[i], target[i]);
      }
    }
  }
}

/*
 * The codes of the warp's rows, 4 bytes at a time: in steps of rows and columns, since
 * the vectors of all rows may be more than 32 bits can count. `own` is that of the lane's row.
 */
KVF_INLINE void copy_codes_x4(const uint8_t *own, uint32_t rows, uint8_t *to, int64_t stride,
                              uint32_t bytes) {
  const uint32_t lane = threadIdx.x % LANES;
  const uint32_t vectors = bytes / 4;
  const uint32_t row_step = LANES / vectors;
  const uint32_t column_step = LANES % vectors;
  uint32_t row = lane / vectors;
  uint32_t column = lane % vectors;
  const uint64_t all = (uint64_t)rows * vectors;
  for (uint64_t begin = 0; begin < all; begin += IN_FLIGHT * LANES) {
    source_x4 vector[IN_FLIGHT];
    uint8_t *target[IN_FLIGHT];
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      target[i] = nullptr;
      if (begin + i * LANES < all) { /* lanes give each other the places of rows, all of them */
        const uintptr_t place =
            __shfl_sync(ALL_LANES, reinterpret_cast<uintptr_t>(own), (int32_t)(row % LANES));
        const uint32_t at = column * 4;
        if (row < rows && place != 0) {
          target[i] = to + row * stride + at;
          vector[i] = load_x4(reinterpret_cast<const uint8_t *>(place) + at);
        }
        row += row_step;
        column += column_step;
        if (column >= vectors) {
          column -= vectors;
          ++row;
        }
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      if (target[i] != nullptr) {
        store_x4(vector[i], target[i]);
      }
    }
  }
}

/*
 * The codes of the warp's rows, 1 byte at a time: in steps of rows and columns, since
 * the vectors of all rows may be more than 32 bits can count. `own` is that of the lane's row.
 */
KVF_INLINE void copy_codes_x1(const uint8_t *own, uint32_t rows, uint8_t *to, int64_t stride,
                              uint32_t bytes) {
  const uint32_t lane = threadIdx.x % LANES;
  const uint32_t vectors = bytes;
  const uint32_t row_step = LANES / vectors;
  const uint32_t column_step = LANES % vectors;
  uint32_t row = lane / vectors;
  uint32_t column = lane % vectors;
  const uint64_t all = (uint64_t)rows * vectors;
  for (uint64_t begin = 0; begin < all; begin += IN_FLIGHT * LANES) {
    source_x1 vector[IN_FLIGHT];
    uint8_t *target[IN_FLIGHT];
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      target[i] = nullptr;
      if (begin + i * LANES < all) { /* lanes give each other the places of rows, all of them */
        const uintptr_t place =
            __shfl_sync(ALL_LANES, reinterpret_cast<uintptr_t>(own), (int32_t)(row % LANES));
        const uint32_t at = column;
        if (row < rows && place != 0) {
          target[i] = to + row * stride + at;
          vector[i] = load_x1(reinterpret_cast<const uint8_t *>(place) + at);
        }
        row += row_step;
        column += column_step;
        if (column >= vectors) {
          column -= vectors;
          ++row;
        }
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      if (target[i] != nullptr) {
        store_x1(vector[i], target[i]);
      }
    }
  }
}

/*
 * The scales of the warp's rows, 4 bytes at a time: in steps of rows and columns, since
 * the vectors of all rows may be more than 32 bits can count. `own` is that of the lane's row.
 */
KVF_INLINE void copy_scales_x4(const uint8_t *own, uint32_t rows, uint8_t *to, int64_t stride,
                               uint32_t bytes) {
  const uint32_t lane = threadIdx.x % LANES;
  const uint32_t vectors = bytes / 4;
  const uint32_t row_step = LANES / vectors;
  const uint32_t column_step = LANES % vectors;
  uint32_t row = lane / vectors;
  uint32_t column = lane % vectors;
  const uint64_t all = (uint64_t)rows * vectors;
  for (uint64_t begin = 0; begin < all; begin += IN_FLIGHT * LANES) {
    source_x4 vector[IN_FLIGHT];
    uint8_t *target[IN_FLIGHT];
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      target[i] = nullptr;
      if (begin + i * LANES < all) { /* lanes give each other the places of rows, all of them */
        const uintptr_t place =
            __shfl_sync(ALL_LANES, reinterpret_cast<uintptr_t>(own), (int32_t)(row % LANES));
        const uint32_t at = column * 4;
        if (row < rows && place != 0) {
          target[i] = to + row * stride + at;
          vector[i] = load_x4(reinterpret_cast<const uint8_t *>(place) + at);
        }
        row += row_step;
        column += column_step;
        if (column >= vectors) {
          column -= vectors;
          ++row;
        }
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      if (target[i] != nullptr) {
        store_x4(vector[i], target[i]);
      }
    }
  }
}

/*
 * The scales of the warp's rows, 1 byte at a time: in steps of rows and columns, since
 * the vectors of all rows may be more than 32 bits can count. `own` is that of the lane's row.
 */
KVF_INLINE void copy_scales_x1(const uint8_t *own, uint32_t rows, uint8_t *to, int64_t stride,
                               uint32_t bytes) {
  const uint32_t lane = threadIdx.x % LANES;
  const uint32_t vectors = bytes;
  const uint32_t row_step = LANES / vectors;
  const uint32_t column_step = LANES % vectors;
  uint32_t row = lane / vectors;
  uint32_t column = lane % vectors;
  const uint64_t all = (uint64_t)rows * vectors;
  for (uint64_t begin = 0; begin < all; begin += IN_FLIGHT * LANES) {
    source_x1 vector[IN_FLIGHT];
    uint8_t *target[IN_FLIGHT];
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      target[i] = nullptr;
      if (begin + i * LANES < all) { /* lanes give each other the places of rows, all of them */
        const uintptr_t place =
            __shfl_sync(ALL_LANES, reinterpret_cast<uintptr_t>(own), (int32_t)(row % LANES));
        const uint32_t at = column;
        if (row < rows && place != 0) {
          target[i] = to + row * stride + at;
          vector[i] = load_x1(reinterpret_cast<const uint8_t *>(place) + at);
        }
        row += row_step;
        column += column_step;
        if (column >= vectors) {
          column -= vectors;
          ++row;
        }
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      if (target[i] != nullptr) {
        store_x1(vector[i], target[i]);
      }
    }
  }
}

/* The warp's rows from `first` on. */
KVF_INLINE void copy_rows(const kvf_cp_gather_indexer_k_quant_cache_params &p, int64_t first,
                          uint32_t rows, bool many) {
  const uint32_t lane = threadIdx.x % LANES;
  const bool one_scale = p.num_scales == 1 && p.scales_aligned; /* whoever finds a row copies it */
  row_place own = {nullptr, nullptr};
  source_x4 scale;
  const sequence_rows found = many ? find_together(p.table, first) : sequence_rows{0, INT32_MIN};
  if (lane < rows) {
    const int64_t row = first + lane;
    own = find_row(p, many && row < found.end ? found.sequence : kvf_find_sequence(p.table, row),
                   row);
    if (one_scale && own.scales != nullptr) {
      scale = load_x4(own.scales);
    }
  }
  uint8_t *dst_k = static_cast<uint8_t *>(p.dst_k.data) + first * p.dst_k.stride[0];
  uint8_t *dst_scale = static_cast<uint8_t *>(p.dst_scale.data) + first * p.dst_scale.stride[0];
  switch (p.vector_elements) {
  case 16:
    copy_codes_x16(own.codes, rows, dst_k, p.dst_k.stride[0], (uint32_t)p.head_dim);
    break;
  case 4:
    copy_codes_x4(own.codes, rows, dst_k, p.dst_k.stride[0], (uint32_t)p.head_dim);
    break;
  default:
    copy_codes_x1(own.codes, rows, dst_k, p.dst_k.stride[0], (uint32_t)p.head_dim);
    break;
  }
  if (one_scale) {
    if (own.scales != nullptr) {
      store_x4(scale, dst_scale + lane * p.dst_scale.stride[0]);
    }
    return;
  }
  if (p.num_scales == 0) {
    return;
  }
  if (p.scales_aligned) {
    copy_scales_x4(own.scales, rows, dst_scale, p.dst_scale.stride[0], 4 * (uint32_t)p.num_scales);
  } else {
    copy_scales_x1(own.scales, rows, dst_scale, p.dst_scale.stride[0], 4 * (uint32_t)p.num_scales);
  }
}

/* Grid: x rows, rows_per_block to a thread block, whose warps share them. What is done for many
 * rows lies behind what is done for fewer, which would take longer with that in between. */
extern "C" __global__ void __launch_bounds__(MAX_THREADS)
    kvf_cuda_cp_gather_indexer_k_quant_cache__b8(
        const __grid_constant__ kvf_cp_gather_indexer_k_quant_cache_params p) {
  kvf_begin_kernel();
  const uint32_t share = (uint32_t)p.rows_per_block / (blockDim.x / LANES);
  const int64_t first = (int64_t)blockIdx.x * p.rows_per_block + threadIdx.x / LANES * share;
  const int64_t rest = p.num_rows - first;
  if (rest <= 0) {
    return;
  }
  const uint32_t rows = (uint32_t)(rest < share ? rest : share);
  if (__builtin_expect(p.num_rows >= MANY_ROWS, 0)) {
    copy_rows(p, first, rows, true);
  } else {
    copy_rows(p, first, rows, false);
  }
}
