/*
 * Generated from templates/cuda/gather_kv_cache.cu.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/cuda_ggml.cuh"

/* Keys or values. */
struct side {
  const kvf_view &cache;
  const kvf_view &out;
  uint32_t heads;
  uint32_t size; /* of a head */
  int32_t vector;
  int32_t tile_vectors;
};

KVF_INLINE side find_side(const kvf_gather_kv_cache_params &p) {
  const bool keys = blockIdx.z == 0;
  return {keys ? p.key_cache : p.value_cache,
          keys ? p.key_out : p.value_out,
          (uint32_t)(keys ? p.key_heads : p.value_heads),
          (uint32_t)(keys ? p.head_size : p.value_head_size),
          keys ? p.key_vector : p.value_vector,
          p.tile_vectors};
}

/* What a launch has at most; what it has is chosen in runtime/ops/shared/gather.c. */
constexpr uint32_t MAX_THREADS = 256, MAX_TILE_ROWS = 128;

/* Vectors of a thread, all loaded before the first is stored. */
constexpr int32_t IN_FLIGHT = 4;

/* The place of a row that is skipped. */
#define NOWHERE INT64_MIN

/* The place of a row whose page is out of range. */
#define ZEROS (INT64_MIN + 1)

/* Codes and their scale. */
struct source_x4 {
  uint32_t v[1];
  uint32_t scale;
};

KVF_INLINE source_x4 load_x4(const side &s, const uint8_t *row, uint32_t element) {
  const uint32_t head = element / s.size;
  const int32_t rest = (int32_t)(element - head * s.size);
  const uint8_t *from = row + head * s.cache.stride[2];
  source_x4 source;
  source.v[0] = kvf_fetch_q4_0(from, rest, true);
  source.scale = kvf_fetch_q4_0_scale(from, rest, true);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, float *to) {
  const float scale = kvf_f32_from_f16((uint16_t)source.scale);
  const float2 low = kvf_scaled_x2(kvf_f32x2_from_q4_0(source.v[0]), scale);
  const float2 high = kvf_scaled_x2(kvf_f32x2_from_q4_0(source.v[0] >> 16), scale);
  *reinterpret_cast<float4 *>(to) = make_float4(kvf_f32_result(low.x), kvf_f32_result(low.y),
                                                kvf_f32_result(high.x), kvf_f32_result(high.y));
}

/* Codes and their scale. */
struct source_x1 {
  uint32_t v[1];
  uint32_t scale;
};

KVF_INLINE source_x1 load_x1(const side &s, const uint8_t *row, uint32_t element) {
  const uint32_t head = element / s.size;
  const int32_t rest = (int32_t)(element - head * s.size);
  const uint8_t *from = row + head * s.cache.stride[2];
  source_x1 source;
  source.v[0] = kvf_fetch_q4_0_code(from, rest);
  source.scale = kvf_fetch_q4_0_scale(from, rest, false);
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, float *to) {
  const float scale = kvf_f32_from_f16((uint16_t)source.scale);
  *to = kvf_f32_result(kvf_scaled_x2(kvf_f32x2_from_q4_0(source.v[0]), scale).x);
}

KVF_INLINE int64_t out_at(const side &s, uint32_t element) {
  const uint32_t head = element / s.size;
  return head * s.out.stride[1] + (element - head * s.size);
}

/* A tile of rows, 4 elements at a time. */
KVF_INLINE void gather_x4(const side &s, const int64_t *places, int64_t first_row, uint32_t rows) {
  const uint8_t *pages = static_cast<const uint8_t *>(s.cache.data);
  float *to = static_cast<float *>(s.out.data) + first_row * s.out.stride[0];
  const uint32_t vectors = s.heads * s.size / 4;
  const uint32_t tile = (uint32_t)s.tile_vectors;
  for (uint32_t first = blockIdx.y * tile; first < vectors; first += gridDim.y * tile) {
    const uint32_t count = vectors - first < tile ? vectors - first : tile;
    const uint32_t row_step = blockDim.x / count;
    const uint32_t column_step = blockDim.x % count;
    uint32_t at_row = threadIdx.x / count;
    uint32_t at_column = threadIdx.x % count;
    while (at_row < rows) {
      source_x4 vector[IN_FLIGHT];
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
          vector[i] = load_x4(s, row, column * 4);
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
          const source_x4 &loaded = vector[i];
          const uint32_t column = column_of[i];
          float *row = to + (int64_t)row_of[i] * s.out.stride[0];
          store_x4(loaded, row + out_at(s, column * 4));
        }
      }
    }
  }
}

/* A tile of rows, 1 element at a time. */
KVF_INLINE void gather_x1(const side &s, const int64_t *places, int64_t first_row, uint32_t rows) {
  const uint8_t *pages = static_cast<const uint8_t *>(s.cache.data);
  float *to = static_cast<float *>(s.out.data) + first_row * s.out.stride[0];
  const uint32_t vectors = s.heads * s.size;
  const uint32_t tile = (uint32_t)s.tile_vectors;
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
          vector[i] = load_x1(s, row, column);
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
          float *row = to + (int64_t)row_of[i] * s.out.stride[0];
          store_x1(loaded, row + out_at(s, column));
        }
      }
    }
  }
}

/* Rows whose page is out of range become 0. */
KVF_INLINE void clear_rows(const side &s, const int64_t *places, int64_t first_row, uint32_t rows) {
  for (uint32_t row = 0; row < rows; ++row) {
    float *to = static_cast<float *>(s.out.data) + (first_row + row) * s.out.stride[0];
    for (uint32_t i = threadIdx.x; places[row] == ZEROS && i < s.heads * s.size; i += blockDim.x) {
      to[out_at(s, i)] = 0;
    }
  }
}

/* Grid: x tiles of rows, y parts of long rows, z keys and values. */
extern "C" __global__ void __launch_bounds__(MAX_THREADS)
    kvf_cuda_gather_kv_cache__f32__q4_0(const __grid_constant__ kvf_gather_kv_cache_params p) {
  kvf_begin_kernel();
  __shared__ int64_t places[MAX_TILE_ROWS];
  __shared__ int32_t missing;
  const side s = find_side(p);
  const uint32_t thread = threadIdx.x;
  const int64_t first_row = (int64_t)blockIdx.x * p.rows_per_tile;
  const int64_t rest = p.num_rows - first_row;
  const uint32_t rows = (uint32_t)(rest < p.rows_per_tile ? rest : p.rows_per_tile);
  if (thread == 0) {
    missing = 0;
  }
  __syncthreads();
  if (thread < rows) {
    const int64_t row = first_row + thread;
    const int64_t sequence = kvf_find_sequence(p.table, row);
    int64_t place = NOWHERE;
    if (kvf_has_row(p.table, sequence, row)) {
      int64_t block;
      int64_t offset;
      if (kvf_locate_row_of(p.table, sequence, row, blockIdx.y == 0 && blockIdx.z == 0, &block,
                            &offset)) {
        place = block * s.cache.stride[0] + offset * s.cache.stride[1];
      } else {
        place = ZEROS;
        missing = 1;
      }
    }
    places[thread] = place;
  }
  __syncthreads();
  if (missing) {
    if (blockIdx.y == 0) {
      clear_rows(s, places, first_row, rows);
    }
    __syncthreads();
    if (thread < rows && places[thread] == ZEROS) {
      places[thread] = NOWHERE;
    }
    __syncthreads();
  }
  switch (s.vector) {
  case 4:
    gather_x4(s, places, first_row, rows);
    break;
  default:
    gather_x1(s, places, first_row, rows);
    break;
  }
}
