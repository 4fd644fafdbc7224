/*
 * Generated from templates/cuda/convert_fp8.cu.j2 and generator/spec/convert_fp8.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/convert_fp8.h"
#include "kvforge/cache/cuda_decode.cuh"

/* Vectors that a thread loads before it stores the first, at most: 64 bytes, what the registers
 * have room for. runtime/ops/convert_fp8.c chooses. */
enum { MAX_THREADS = 256, IN_FLIGHT = 4 };

/* 4 elements. */
struct source_x4 {
  uint32_t v[1];
};

KVF_INLINE source_x4 load_x4(const uint8_t *from) {
  source_x4 source;
  source.v[0] = *reinterpret_cast<const uint32_t *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, float *to, float scale) {
  const float2 low = kvf_scaled_x2(kvf_f32x2_from_fp8_e5m2(source.v[0]), scale);
  const float2 high = kvf_scaled_x2(kvf_f32x2_from_fp8_e5m2(source.v[0] >> 16), scale);
  *reinterpret_cast<float4 *>(to) = make_float4(kvf_f32_result(low.x), kvf_f32_result(low.y),
                                                kvf_f32_result(high.x), kvf_f32_result(high.y));
}

/* 1 element. */
struct source_x1 {
  uint32_t v[1];
};

KVF_INLINE source_x1 load_x1(const uint8_t *from) {
  source_x1 source;
  source.v[0] = *from;
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, float *to, float scale) {
  *to = kvf_f32_result(__fmul_rn(kvf_f32_from_fp8_e5m2((uint8_t)source.v[0]), scale));
}

/* Where a vector begins in both tensors, in elements. */
KVF_INLINE void locate(const kvf_convert_fp8_params &p, int64_t vector, int64_t width,
                       int64_t *from, int64_t *to) {
  int64_t row = p.rows > 1 ? kvf_divide(vector, p.by_units) : 0;
  const int64_t element = (vector - row * p.by_units.value) * width;
  *from = element * p.src_cache.stride[4];
  *to = element * p.dst_cache.stride[4];
  if (p.rows == 1) {
    return;
  }
#pragma unroll
  for (int32_t i = 3; i >= 0; --i) {
    const int64_t outer = i > 0 ? kvf_divide(row, p.by_size[i]) : 0;
    const int64_t place = row - outer * p.size[i];
    *from += place * p.src_cache.stride[i];
    *to += place * p.dst_cache.stride[i];
    row = outer;
  }
}

/* All elements, 4 at a time. */
KVF_INLINE void convert_x4(const kvf_convert_fp8_params &p) {
  const uint8_t *from = static_cast<const uint8_t *>(p.src_cache.data);
  float *to = static_cast<float *>(p.dst_cache.data);
  const int64_t vectors = p.rows * p.by_units.value;
  const int32_t in_flight = p.in_flight < IN_FLIGHT ? p.in_flight : IN_FLIGHT;
  const int64_t part = (int64_t)blockDim.x * in_flight;
  for (int64_t first = blockIdx.x * part + threadIdx.x; first < vectors;
       first += gridDim.x * part) {
    source_x4 loaded[IN_FLIGHT];
    int64_t target[IN_FLIGHT];
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      const int64_t vector = first + i * (int64_t)blockDim.x;
      if (i < in_flight && vector < vectors) {
        int64_t place;
        locate(p, vector, 4, &place, &target[i]);
        loaded[i] = load_x4(from + place);
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      if (i < in_flight && first + i * (int64_t)blockDim.x < vectors) {
        store_x4(loaded[i], to + target[i], p.scale);
      }
    }
  }
}

/* All elements, 1 at a time. */
KVF_INLINE void convert_x1(const kvf_convert_fp8_params &p) {
  const uint8_t *from = static_cast<const uint8_t *>(p.src_cache.data);
  float *to = static_cast<float *>(p.dst_cache.data);
  const int64_t vectors = p.rows * p.by_units.value;
  const int32_t in_flight = p.in_flight < IN_FLIGHT ? p.in_flight : IN_FLIGHT;
  const int64_t part = (int64_t)blockDim.x * in_flight;
  for (int64_t first = blockIdx.x * part + threadIdx.x; first < vectors;
       first += gridDim.x * part) {
    source_x1 loaded[IN_FLIGHT];
    int64_t target[IN_FLIGHT];
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      const int64_t vector = first + i * (int64_t)blockDim.x;
      if (i < in_flight && vector < vectors) {
        int64_t place;
        locate(p, vector, 1, &place, &target[i]);
        loaded[i] = load_x1(from + place);
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      if (i < in_flight && first + i * (int64_t)blockDim.x < vectors) {
        store_x1(loaded[i], to + target[i], p.scale);
      }
    }
  }
}

/* What a row ends in that is less than a vector. */
KVF_INLINE void convert_rest(const kvf_narrow_conversion &row) {
  if (row.rest != 0 && blockIdx.x == 0 && threadIdx.x < row.rest) {
    const uint64_t element = (uint64_t)row.vectors * row.vector_elements + threadIdx.x;
    store_x1(load_x1(static_cast<const uint8_t *>(row.from) + element),
             static_cast<float *>(row.to) + element, row.scale);
  }
}

/* The same of one row without gaps, which the grid covers: few threads wait for instructions as
 * long as for memory. */
KVF_INLINE void convert_row_x4(const kvf_narrow_conversion &row) {
  const uint32_t first = blockIdx.x * row.part + threadIdx.x;
  const uint8_t *from = static_cast<const uint8_t *>(row.from) + (uint64_t)first * 4;
  float *to = static_cast<float *>(row.to) + (uint64_t)first * 4;
  source_x4 loaded[IN_FLIGHT];
#pragma unroll
  for (uint32_t i = 0; i < IN_FLIGHT; ++i) {
    if ((i == 0 || i < row.in_flight) && first + i * blockDim.x < row.vectors) {
      loaded[i] = load_x4(from + i * blockDim.x * 4);
    }
  }
#pragma unroll
  for (uint32_t i = 0; i < IN_FLIGHT; ++i) {
    if ((i == 0 || i < row.in_flight) && first + i * blockDim.x < row.vectors) {
      store_x4(loaded[i], to + i * blockDim.x * 4, row.scale);
    }
  }
  convert_rest(row);
}

/* Grid: x parts of all vectors. */
extern "C" __global__ void __launch_bounds__(MAX_THREADS, 1)
    kvf_cuda_convert_fp8__fp8_e5m2__f32(const __grid_constant__ kvf_convert_fp8_params p) {
  kvf_begin_kernel();
  const kvf_narrow_conversion &row = reinterpret_cast<const kvf_narrow_conversion &>(p.dst_cache);
  if (__builtin_expect(row.mark == KVF_NARROW_CONVERSION, 1)) {
    convert_row_x4(row); /* few elements */
    KVF_LEAVE_KERNEL();
  }
  switch (p.vector_elements) {
  case 4:
    convert_x4(p);
    break;
  default:
    convert_x1(p);
    break;
  }
  /* One long row may end in less than a vector. */
  const int64_t rest = p.size[4] - p.by_units.value * p.vector_elements;
  if (blockIdx.x == 0 && threadIdx.x < rest) {
    const int64_t element = p.size[4] - rest + threadIdx.x;
    store_x1(
        load_x1(static_cast<const uint8_t *>(p.src_cache.data) + element * p.src_cache.stride[4]),
        static_cast<float *>(p.dst_cache.data) + element * p.dst_cache.stride[4], p.scale);
  }
}
