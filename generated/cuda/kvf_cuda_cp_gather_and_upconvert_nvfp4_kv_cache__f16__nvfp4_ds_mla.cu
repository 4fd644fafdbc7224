/*
 * Generated from templates/cuda/cp_gather_and_upconvert_nvfp4_kv_cache.cu.j2 and
 * generator/spec/cp_gather_and_upconvert_nvfp4_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/cp_gather_and_upconvert_nvfp4_kv_cache.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/ds_mla.h"

/* What a launch has at most; what it has is chosen in runtime/ops/shared/gather.c. */
constexpr uint32_t MAX_THREADS = 256, MAX_TILE_ROWS = 128;

/* Vectors of a thread, all loaded before the first is stored. */
constexpr int32_t IN_FLIGHT = 4;

/* The place of a row that is skipped. */
#define NOWHERE INT64_MIN

/* The scale of an element of the latent part. */
KVF_INLINE uint32_t scale_of(const uint8_t *row, int32_t element) {
  return row[kvf_nvfp4_ds_mla_scale_at(element / KVF_NVFP4_DS_MLA_GROUP)];
}

/* 8 elements: E2M1 codes and the code of their scale, or E4M3 codes of the rope part. */
struct source_x8 {
  uint32_t v[2];
  uint32_t scale;
};

KVF_INLINE source_x8 load_x8(const uint8_t *row, int32_t element) {
  source_x8 source;
  if (element < KVF_DS_MLA_LATENT) {
    source.v[0] = *reinterpret_cast<const uint32_t *>(row + element / 2);
    source.scale = scale_of(row, element);
  } else {
    const uint8_t *rope = row + KVF_NVFP4_DS_MLA_ROPE_AT + (element - KVF_DS_MLA_LATENT);
    const uint2 codes = *reinterpret_cast<const uint2 *>(rope);
    source.v[0] = codes.x;
    source.v[1] = codes.y;
  }
  return source;
}

KVF_INLINE void store_x8(const source_x8 &source, uint16_t *row, int32_t element) {
  uint16_t *to = row + element;
  if (element < KVF_DS_MLA_LATENT) {
    const float scale = kvf_f32_from_fp8_e4m3((uint8_t)source.scale);
    *reinterpret_cast<uint4 *>(to) =
        make_uint4(kvf_f16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(source.v[0]), scale)),
                   kvf_f16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(source.v[0] >> 8), scale)),
                   kvf_f16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(source.v[0] >> 16), scale)),
                   kvf_f16x2_result(kvf_scaled_x2(kvf_f32x2_from_e2m1(source.v[0] >> 24), scale)));
  } else {
    *reinterpret_cast<uint4 *>(to) =
        make_uint4(kvf_f16x2_result(kvf_f32x2_from_fp8_e4m3(source.v[0])),
                   kvf_f16x2_result(kvf_f32x2_from_fp8_e4m3(source.v[0] >> 16)),
                   kvf_f16x2_result(kvf_f32x2_from_fp8_e4m3(source.v[1])),
                   kvf_f16x2_result(kvf_f32x2_from_fp8_e4m3(source.v[1] >> 16)));
  }
}

/* One element, of a row at any address. */
struct source_x1 {
  uint32_t v;
  uint32_t scale;
};

KVF_INLINE source_x1 load_x1(const uint8_t *row, int32_t element) {
  source_x1 source;
  if (element < KVF_DS_MLA_LATENT) {
    source.v = (uint32_t)row[element / 2] >> (element % 2 * 4);
    source.scale = scale_of(row, element);
  } else {
    source.v = row[KVF_NVFP4_DS_MLA_ROPE_AT + (element - KVF_DS_MLA_LATENT)];
  }
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, uint16_t *row, int32_t element) {
  if (element < KVF_DS_MLA_LATENT) {
    row[element] = kvf_f16_result(
        __fmul_rn(kvf_f32_from_e2m1(source.v), kvf_f32_from_fp8_e4m3((uint8_t)source.scale)));
  } else {
    row[element] = kvf_f16_result(kvf_f32_from_fp8_e4m3((uint8_t)source.v));
  }
}

/* A tile of rows, 8 elements at a time. */
KVF_INLINE void gather_x8(const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params &p,
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
KVF_INLINE void gather_x1(const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params &p,
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
    kvf_cuda_cp_gather_and_upconvert_nvfp4_kv_cache__f16__nvfp4_ds_mla(
        const __grid_constant__ kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params p) {
  kvf_begin_kernel();
  __shared__ int64_t places[MAX_TILE_ROWS];
  const int64_t first_row = (int64_t)blockIdx.x * p.rows_per_tile;
  const int64_t rest = p.num_rows - first_row;
  const uint32_t rows = (uint32_t)(rest < p.rows_per_tile ? rest : p.rows_per_tile);
  if (threadIdx.x < rows) {
    const int64_t row = first_row + threadIdx.x;
    int64_t block;
    int64_t offset;
    const bool found = kvf_locate_row_of(p.table, kvf_find_sequence(p.table, row), row,
                                         blockIdx.y == 0, &block, &offset);
    places[threadIdx.x] =
        found ? block * p.src_cache.stride[0] + offset * p.src_cache.stride[1] : NOWHERE;
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
