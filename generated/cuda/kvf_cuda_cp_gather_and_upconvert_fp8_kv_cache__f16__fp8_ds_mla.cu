/*
 * Generated from templates/cuda/cp_gather_and_upconvert_fp8_kv_cache.cu.j2 and
 * generator/spec/cp_gather_and_upconvert_fp8_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/cp_gather_and_upconvert_fp8_kv_cache.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/ds_mla.h"

/* What a launch has at most; what it has is chosen in runtime/ops/shared/gather.c. */
constexpr uint32_t MAX_THREADS = 256, MAX_TILE_ROWS = 128;

/* Vectors of a thread, all loaded before the first is stored. */
constexpr int32_t IN_FLIGHT = 4;

/* The place of a row that is skipped. */
#define NOWHERE INT64_MIN

/* 8 elements: codes and their scale, or 16-bit rope elements. */
struct source_x8 {
  uint32_t v[4];
  float scale;
};

KVF_INLINE source_x8 load_x8(const uint8_t *row, int32_t element) {
  source_x8 source;
  if (element < KVF_DS_MLA_LATENT) {
    const uint2 codes = *reinterpret_cast<const uint2 *>(row + element);
    source.v[0] = codes.x;
    source.v[1] = codes.y;
    source.scale = *reinterpret_cast<const float *>(row + KVF_FP8_DS_MLA_SCALES_AT +
                                                    element / KVF_FP8_DS_MLA_TILE * 4);
  } else {
    const uint4 rope = *reinterpret_cast<const uint4 *>(row + KVF_FP8_DS_MLA_ROPE_AT +
                                                        (element - KVF_DS_MLA_LATENT) * 2);
    source.v[0] = rope.x;
    source.v[1] = rope.y;
    source.v[2] = rope.z;
    source.v[3] = rope.w;
  }
  return source;
}

KVF_INLINE void store_x8(const source_x8 &source, uint16_t *row, int32_t element) {
  uint16_t *to = row + element;
  if (element >= KVF_DS_MLA_LATENT) {
    *reinterpret_cast<uint4 *>(to) = make_uint4(source.v[0], source.v[1], source.v[2], source.v[3]);
    return;
  }
  *reinterpret_cast<uint4 *>(to) = make_uint4(
      kvf_f16x2_result(kvf_scaled_x2(kvf_f32x2_from_fp8_e4m3(source.v[0]), source.scale)),
      kvf_f16x2_result(kvf_scaled_x2(kvf_f32x2_from_fp8_e4m3(source.v[0] >> 16), source.scale)),
      kvf_f16x2_result(kvf_scaled_x2(kvf_f32x2_from_fp8_e4m3(source.v[1]), source.scale)),
      kvf_f16x2_result(kvf_scaled_x2(kvf_f32x2_from_fp8_e4m3(source.v[1] >> 16), source.scale)));
}

/* One element, of a row at any address. */
struct source_x1 {
  uint32_t v;
  float scale;
};

KVF_INLINE source_x1 load_x1(const uint8_t *row, int32_t element) {
  source_x1 source;
  if (element < KVF_DS_MLA_LATENT) {
    const uint8_t *scale = row + KVF_FP8_DS_MLA_SCALES_AT + element / KVF_FP8_DS_MLA_TILE * 4;
    source.v = row[element];
    source.scale = kvf_float((uint32_t)scale[0] | (uint32_t)scale[1] << 8 |
                             (uint32_t)scale[2] << 16 | (uint32_t)scale[3] << 24);
  } else {
    const uint8_t *rope = row + KVF_FP8_DS_MLA_ROPE_AT + (element - KVF_DS_MLA_LATENT) * 2;
    source.v = (uint32_t)rope[0] | (uint32_t)rope[1] << 8;
  }
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, uint16_t *row, int32_t element) {
  if (element < KVF_DS_MLA_LATENT) {
    row[element] =
        kvf_f16_result(__fmul_rn(kvf_f32_from_fp8_e4m3((uint8_t)source.v), source.scale));
  } else {
    row[element] = (uint16_t)source.v;
  }
}

/* Where the row of a virtual number is, in a page or on the host; null when it is nowhere. */
KVF_INLINE const uint8_t *find_row(const kvf_cp_gather_and_upconvert_fp8_kv_cache_params &p,
                                   int64_t number) {
  if (number >= p.num_virtual_rows) {
    return nullptr;
  }
  const int64_t row = p.device_row_ids[number];
  if (row >= 0) {
    const int64_t page = kvf_divide(row, p.table.by_block_size);
    const int64_t offset = row - page * p.table.block_size;
    return page < p.num_pages ? static_cast<const uint8_t *>(p.src_cache.data) +
                                    page * p.src_cache.stride[0] + offset * p.src_cache.stride[1]
                              : nullptr;
  }
  const int64_t other = p.host_row_ids[number];
  return other >= 0 && other < p.num_host_rows
             ? static_cast<const uint8_t *>(p.host_cache.data) + other * p.host_cache.stride[0]
             : nullptr;
}

/*
 * The place of a row. With maps it is told by addresses, of which the host's are some too, and a
 * row that is nowhere is cleared: by the one thread with `counts`, since that is rare.
 */
KVF_INLINE int64_t find_place(const kvf_cp_gather_and_upconvert_fp8_kv_cache_params &p, int64_t row,
                              bool counts) {
  int64_t block = 0;
  int64_t offset = 0;
  const bool found = kvf_locate_row(p.table, row, counts, &block, &offset);
  if (!p.mapped) {
    return found ? block * p.src_cache.stride[0] + offset * p.src_cache.stride[1] : NOWHERE;
  }
  const uint8_t *source = found ? find_row(p, block * p.table.block_size + offset) : nullptr;
  if (source != nullptr) {
    return (int64_t)(reinterpret_cast<uintptr_t>(source) -
                     reinterpret_cast<uintptr_t>(p.src_cache.data));
  }
  if (counts && (found || block < 0)) {
    if (found) {
      atomicAdd(p.table.faults, 1ULL);
    }
    uint16_t *to = static_cast<uint16_t *>(p.dst.data) + row * p.dst.stride[0];
    for (int32_t i = 0; i < KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE; ++i) {
      to[i] = 0;
    }
  }
  return NOWHERE;
}

/* A tile of rows, 8 elements at a time. */
KVF_INLINE void gather_x8(const kvf_cp_gather_and_upconvert_fp8_kv_cache_params &p,
                          const int64_t *places, int64_t first_row, uint32_t rows) {
  const uint8_t *pages = static_cast<const uint8_t *>(p.src_cache.data);
  uint16_t *to = static_cast<uint16_t *>(p.dst.data) + first_row * p.dst.stride[0];
  const uint32_t vectors = (KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE) / 8;
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
          const uint8_t *row = pages + place;
          vector[i] = load_x8(row, (int32_t)column * 8);
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
          store_x8(loaded, row, (int32_t)column * 8);
        }
      }
    }
  }
}

/* A tile of rows, 1 element at a time. */
KVF_INLINE void gather_x1(const kvf_cp_gather_and_upconvert_fp8_kv_cache_params &p,
                          const int64_t *places, int64_t first_row, uint32_t rows) {
  const uint8_t *pages = static_cast<const uint8_t *>(p.src_cache.data);
  uint16_t *to = static_cast<uint16_t *>(p.dst.data) + first_row * p.dst.stride[0];
  const uint32_t vectors = (KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE);
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
          const uint8_t *row = pages + place;
          vector[i] = load_x1(row, (int32_t)column);
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
          store_x1(loaded, row, (int32_t)column);
        }
      }
    }
  }
}

/* Grid: x tiles of rows, y parts of long rows. */
extern "C" __global__ void __launch_bounds__(MAX_THREADS)
    kvf_cuda_cp_gather_and_upconvert_fp8_kv_cache__f16__fp8_ds_mla(
        const __grid_constant__ kvf_cp_gather_and_upconvert_fp8_kv_cache_params p) {
  kvf_begin_kernel();
  __shared__ int64_t places[MAX_TILE_ROWS];
  const int64_t first_row = (int64_t)blockIdx.x * p.rows_per_tile;
  const int64_t rest = p.num_rows - first_row;
  const uint32_t rows = (uint32_t)(rest < p.rows_per_tile ? rest : p.rows_per_tile);
  if (threadIdx.x < rows) {
    const int64_t row = first_row + threadIdx.x;
    places[threadIdx.x] = find_place(p, row, blockIdx.y == 0);
  }
  __syncthreads();
  switch (p.vector_elements) {
  case 8:
    gather_x8(p, places, first_row, rows);
    break;
  default:
    gather_x1(p, places, first_row, rows);
    break;
  }
}
