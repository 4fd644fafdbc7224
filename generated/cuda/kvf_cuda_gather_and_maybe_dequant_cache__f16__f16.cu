/*
 * Generated from templates/cuda/gather_and_maybe_dequant_cache.cu.j2 and
 * generator/spec/gather_and_maybe_dequant_cache.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/gather_and_maybe_dequant_cache.h"
#include "kvforge/cache/cuda_decode.cuh"

/* What a launch has at most; what it has is chosen in runtime/ops/shared/gather.c. */
constexpr uint32_t MAX_THREADS = 256, MAX_TILE_ROWS = 128;

/* Vectors of a thread, all loaded before the first is stored. */
constexpr int32_t IN_FLIGHT = 4;

/* The place of a row that is skipped. */
#define NOWHERE INT64_MIN

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

/* A tile of rows, 8 elements at a time. */
KVF_INLINE void gather_x8(const kvf_gather_and_maybe_dequant_cache_params &p, const int64_t *places,
                          int64_t first_row, uint32_t rows) {
  const uint16_t *pages = static_cast<const uint16_t *>(p.src_cache.data);
  uint16_t *to = static_cast<uint16_t *>(p.dst.data) + first_row * p.dst.stride[0];
  const uint32_t vectors = (uint32_t)p.entry_size / 8;
  const uint32_t tile = (uint32_t)p.tile_vectors;
  for (uint32_t first = blockIdx.y * tile; first < vectors; first += gridDim.y * tile) {
    const uint32_t count = vectors - first < tile ? vectors - first : tile;
    const uint32_t row_step = blockDim.x / count;
    const uint32_t column_step = blockDim.x % count;
    uint32_t at_row = threadIdx.x / count;
    uint32_t at_column = threadIdx.x % count;
    while (at_row < rows) {
      source_x8 vector[IN_FLIGHT];
      uint32_t row_of[IN_FLIGHT];
      uint32_t column_of[IN_FLIGHT];
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        const int64_t place = at_row < rows ? places[at_row] : NOWHERE;
        const uint32_t column = first + at_column;
        row_of[i] = place != NOWHERE ? at_row : MAX_TILE_ROWS;
        column_of[i] = column;
        if (place != NOWHERE) {
          const uint16_t *row = pages + place;
          vector[i] = load_x8(row + column * 8);
        }
        at_row += row_step;
        at_column += column_step;
        if (at_column >= count) {
          at_column -= count;
          ++at_row;
        }
      }
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        if (row_of[i] < MAX_TILE_ROWS) {
          const source_x8 &loaded = vector[i];
          const uint32_t column = column_of[i];
          uint16_t *row = to + (int64_t)row_of[i] * p.dst.stride[0];
          store_x8(loaded, row + column * 8);
        }
      }
    }
  }
}

/* A tile of rows, 2 elements at a time. */
KVF_INLINE void gather_x2(const kvf_gather_and_maybe_dequant_cache_params &p, const int64_t *places,
                          int64_t first_row, uint32_t rows) {
  const uint16_t *pages = static_cast<const uint16_t *>(p.src_cache.data);
  uint16_t *to = static_cast<uint16_t *>(p.dst.data) + first_row * p.dst.stride[0];
  const uint32_t vectors = (uint32_t)p.entry_size / 2;
  const uint32_t tile = (uint32_t)p.tile_vectors;
  for (uint32_t first = blockIdx.y * tile; first < vectors; first += gridDim.y * tile) {
    const uint32_t count = vectors - first < tile ? vectors - first : tile;
    const uint32_t row_step = blockDim.x / count;
    const uint32_t column_step = blockDim.x % count;
    uint32_t at_row = threadIdx.x / count;
    uint32_t at_column = threadIdx.x % count;
    while (at_row < rows) {
      source_x2 vector[IN_FLIGHT];
      uint32_t row_of[IN_FLIGHT];
      uint32_t column_of[IN_FLIGHT];
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        const int64_t place = at_row < rows ? places[at_row] : NOWHERE;
        const uint32_t column = first + at_column;
        row_of[i] = place != NOWHERE ? at_row : MAX_TILE_ROWS;
        column_of[i] = column;
        if (place != NOWHERE) {
          const uint16_t *row = pages + place;
          vector[i] = load_x2(row + column * 2);
        }
        at_row += row_step;
        at_column += column_step;
        if (at_column >= count) {
          at_column -= count;
          ++at_row;
        }
      }
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        if (row_of[i] < MAX_TILE_ROWS) {
          const source_x2 &loaded = vector[i];
          const uint32_t column = column_of[i];
          uint16_t *row = to + (int64_t)row_of[i] * p.dst.stride[0];
          store_x2(loaded, row + column * 2);
        }
      }
    }
  }
}

/* A tile of rows, 1 element at a time. */
KVF_INLINE void gather_x1(const kvf_gather_and_maybe_dequant_cache_params &p, const int64_t *places,
                          int64_t first_row, uint32_t rows) {
  const uint16_t *pages = static_cast<const uint16_t *>(p.src_cache.data);
  uint16_t *to = static_cast<uint16_t *>(p.dst.data) + first_row * p.dst.stride[0];
  const uint32_t vectors = (uint32_t)p.entry_size;
  const uint32_t tile = (uint32_t)p.tile_vectors;
  for (uint32_t first = blockIdx.y * tile; first < vectors; first += gridDim.y * tile) {
    const uint32_t count = vectors - first < tile ? vectors - first : tile;
    const uint32_t row_step = blockDim.x / count;
    const uint32_t column_step = blockDim.x % count;
    uint32_t at_row = threadIdx.x / count;
    uint32_t at_column = threadIdx.x % count;
    while (at_row < rows) {
      source_x1 vector[IN_FLIGHT];
      uint32_t row_of[IN_FLIGHT];
      uint32_t column_of[IN_FLIGHT];
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        const int64_t place = at_row < rows ? places[at_row] : NOWHERE;
        const uint32_t column = first + at_column;
        row_of[i] = place != NOWHERE ? at_row : MAX_TILE_ROWS;
        column_of[i] = column;
        if (place != NOWHERE) {
          const uint16_t *row = pages + place;
          vector[i] = load_x1(row + column);
        }
        at_row += row_step;
        at_column += column_step;
        if (at_column >= count) {
          at_column -= count;
          ++at_row;
        }
      }
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        if (row_of[i] < MAX_TILE_ROWS) {
          const source_x1 &loaded = vector[i];
          const uint32_t column = column_of[i];
          uint16_t *row = to + (int64_t)row_of[i] * p.dst.stride[0];
          store_x1(loaded, row + column);
        }
      }
    }
  }
}

/* The sequence of a row: as the hint says, if it is right. */
KVF_INLINE int64_t sequence_of(const kvf_gather_and_maybe_dequant_cache_params &p, int64_t row) {
  if (p.token_to_seq != nullptr) {
    const int64_t hint = p.token_to_seq[row];
    if (hint >= 0 && hint < p.table.num_sequences && p.table.starts[hint] <= row &&
        row < p.table.starts[hint + 1]) {
      return hint;
    }
  }
  return kvf_find_sequence(p.table, row);
}

/* Grid: x tiles of rows, y parts of long rows. */
extern "C" __global__ void __launch_bounds__(MAX_THREADS)
    kvf_cuda_gather_and_maybe_dequant_cache__f16__f16(
        const __grid_constant__ kvf_gather_and_maybe_dequant_cache_params p) {
  kvf_begin_kernel();
  __shared__ int64_t places[MAX_TILE_ROWS];
  const int64_t first_row = (int64_t)blockIdx.x * p.rows_per_tile;
  const int64_t rest = p.num_rows - first_row;
  const uint32_t rows = (uint32_t)(rest < p.rows_per_tile ? rest : p.rows_per_tile);
  if (threadIdx.x < rows) {
    const int64_t row = first_row + threadIdx.x;
    int64_t block;
    int64_t offset;
    const bool found =
        kvf_locate_row_of(p.table, sequence_of(p, row), row, blockIdx.y == 0, &block, &offset);
    places[threadIdx.x] =
        found ? block * p.src_cache.stride[0] + offset * p.src_cache.stride[1] : NOWHERE;
  }
  __syncthreads();
  switch (p.vector_elements) {
  case 8:
    gather_x8(p, places, first_row, rows);
    break;
  case 2:
    gather_x2(p, places, first_row, rows);
    break;
  default:
    gather_x1(p, places, first_row, rows);
    break;
  }
}
