/*
 * Generated from templates/cuda/convert_fp8.cu.j2 and generator/spec/convert_fp8.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/convert_fp8.h"
#include "kvforge/cache/cuda_decode.cuh"

/* Vectors that a thread loads before it stores the first, at most: 64 bytes, what the registers
 * have room for. runtime/ops/convert_fp8.c chooses. */
enum { MAX_THREADS = 256, IN_FLIGHT = 1 };

/* Four quotients as codes; the first in the lowest byte. */
KVF_INLINE uint32_t divide_x4(const float *x, const kvf_divisor &by) {
  if (!by.quick) {
    return kvf_fp8_e4m3x4_from_f32(x[0] / by.scale, x[1] / by.scale, x[2] / by.scale,
                                   x[3] / by.scale);
  }
  return kvf_fp8_e4m3x4_from_f32(kvf_quotient(x[0], by), kvf_quotient(x[1], by),
                                 kvf_quotient(x[2], by), kvf_quotient(x[3], by));
}

/* Four elements, quantised; the first in the lowest byte. */
KVF_INLINE uint32_t quantise_x4(const float4 v, const kvf_divisor &by) {
  const float x[4] = {v.x, v.y, v.z, v.w};
  return divide_x4(x, by);
}

/* 16 elements. */
struct source_x16 {
  float4 v[4];
};

KVF_INLINE source_x16 load_x16(const float *from) {
  source_x16 source;
  source.v[0] = reinterpret_cast<const float4 *>(from)[0];
  source.v[1] = reinterpret_cast<const float4 *>(from)[1];
  source.v[2] = reinterpret_cast<const float4 *>(from)[2];
  source.v[3] = reinterpret_cast<const float4 *>(from)[3];
  return source;
}

KVF_INLINE void store_x16(const source_x16 &source, uint8_t *to, const kvf_divisor &by) {
  *reinterpret_cast<uint4 *>(to) =
      make_uint4(quantise_x4(source.v[0], by), quantise_x4(source.v[1], by),
                 quantise_x4(source.v[2], by), quantise_x4(source.v[3], by));
}

/* 4 elements. */
struct source_x4 {
  float4 v;
};

KVF_INLINE source_x4 load_x4(const float *from) {
  source_x4 source;
  source.v = *reinterpret_cast<const float4 *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, uint8_t *to, const kvf_divisor &by) {
  *reinterpret_cast<uint32_t *>(to) = quantise_x4(source.v, by);
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

KVF_INLINE void store_x1(const source_x1 &source, uint8_t *to, const kvf_divisor &by) {
  *to = kvf_fp8_e4m3_from_f32(kvf_f32_from_f32(source.v) / by.scale);
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

/* All elements, 16 at a time. */
KVF_INLINE void convert_x16(const kvf_convert_fp8_params &p) {
  const float *from = static_cast<const float *>(p.src_cache.data);
  uint8_t *to = static_cast<uint8_t *>(p.dst_cache.data);
  const int64_t vectors = p.rows * p.by_units.value;
  const int32_t in_flight = p.in_flight < IN_FLIGHT ? p.in_flight : IN_FLIGHT;
  const int64_t part = (int64_t)blockDim.x * in_flight;
  const kvf_divisor by = kvf_divide_by(p.scale);
  for (int64_t first = blockIdx.x * part + threadIdx.x; first < vectors;
       first += gridDim.x * part) {
    source_x16 loaded[IN_FLIGHT];
    int64_t target[IN_FLIGHT];
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      const int64_t vector = first + i * (int64_t)blockDim.x;
      if (i < in_flight && vector < vectors) {
        int64_t place;
        locate(p, vector, 16, &place, &target[i]);
        loaded[i] = load_x16(from + place);
      }
    }
#pragma unroll
    for (int32_t i = 0; i < IN_FLIGHT; ++i) {
      if (i < in_flight && first + i * (int64_t)blockDim.x < vectors) {
        store_x16(loaded[i], to + target[i], by);
      }
    }
  }
}

/* All elements, 4 at a time. */
KVF_INLINE void convert_x4(const kvf_convert_fp8_params &p) {
  const float *from = static_cast<const float *>(p.src_cache.data);
  uint8_t *to = static_cast<uint8_t *>(p.dst_cache.data);
  const int64_t vectors = p.rows * p.by_units.value;
  const int32_t in_flight = p.in_flight < IN_FLIGHT ? p.in_flight : IN_FLIGHT;
  const int64_t part = (int64_t)blockDim.x * in_flight;
  const kvf_divisor by = kvf_divide_by(p.scale);
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
        store_x4(loaded[i], to + target[i], by);
      }
    }
  }
}

/* All elements, 1 at a time. */
KVF_INLINE void convert_x1(const kvf_convert_fp8_params &p) {
  const float *from = static_cast<const float *>(p.src_cache.data);
  uint8_t *to = static_cast<uint8_t *>(p.dst_cache.data);
  const int64_t vectors = p.rows * p.by_units.value;
  const int32_t in_flight = p.in_flight < IN_FLIGHT ? p.in_flight : IN_FLIGHT;
  const int64_t part = (int64_t)blockDim.x * in_flight;
  const kvf_divisor by = kvf_divide_by(p.scale);
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
        store_x1(loaded[i], to + target[i], by);
      }
    }
  }
}

/* What a row ends in that is less than a vector. */
KVF_INLINE void convert_rest(const kvf_narrow_conversion &row) {
  if (row.rest != 0 && blockIdx.x == 0 && threadIdx.x < row.rest) {
    const uint64_t element = (uint64_t)row.vectors * row.vector_elements + threadIdx.x;
    store_x1(load_x1(static_cast<const float *>(row.from) + element),
             static_cast<uint8_t *>(row.to) + element, kvf_divide_by(row.scale));
  }
}

/* The same of one row without gaps, which the grid covers: few threads wait for instructions as
 * long as for memory. */
KVF_INLINE void convert_row_x16(const kvf_narrow_conversion &row) {
  const uint32_t first = blockIdx.x * row.part + threadIdx.x;
  const float *from = static_cast<const float *>(row.from) + (uint64_t)first * 16;
  uint8_t *to = static_cast<uint8_t *>(row.to) + (uint64_t)first * 16;
  const kvf_divisor by = {row.scale, row.inverse, true};
  source_x16 loaded[IN_FLIGHT];
#pragma unroll
  for (uint32_t i = 0; i < IN_FLIGHT; ++i) {
    if ((i == 0 || i < row.in_flight) && first + i * blockDim.x < row.vectors) {
      loaded[i] = load_x16(from + i * blockDim.x * 16);
    }
  }
#pragma unroll
  for (uint32_t i = 0; i < IN_FLIGHT; ++i) {
    if ((i == 0 || i < row.in_flight) && first + i * blockDim.x < row.vectors) {
      store_x16(loaded[i], to + i * blockDim.x * 16, by);
    }
  }
  convert_rest(row);
}

/* The same of one row without gaps, which the grid covers: few threads wait for instructions as
 * long as for memory. */
KVF_INLINE void convert_row_x4(const kvf_narrow_conversion &row) {
  const uint32_t first = blockIdx.x * row.part + threadIdx.x;
  const float *from = static_cast<const float *>(row.from) + (uint64_t)first * 4;
  uint8_t *to = static_cast<uint8_t *>(row.to) + (uint64_t)first * 4;
  const kvf_divisor by = {row.scale, row.inverse, true};
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
      store_x4(loaded[i], to + i * blockDim.x * 4, by);
    }
  }
  convert_rest(row);
}

/* Grid: x parts of all vectors. */
extern "C" __global__ void __launch_bounds__(MAX_THREADS, 1)
    kvf_cuda_convert_fp8__f32__fp8_e4m3(const __grid_constant__ kvf_convert_fp8_params p) {
  kvf_begin_kernel();
  const kvf_narrow_conversion &row = reinterpret_cast<const kvf_narrow_conversion &>(p.dst_cache);
  if (__builtin_expect(row.mark == KVF_NARROW_CONVERSION, 1)) {
    if (__builtin_expect(row.vector_elements == 16, 0)) {
      convert_row_x16(row);
      KVF_LEAVE_KERNEL();
    }
    convert_row_x4(row); /* few elements */
    KVF_LEAVE_KERNEL();
  }
  switch (p.vector_elements) {
  case 16:
    convert_x16(p);
    break;
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
        load_x1(static_cast<const float *>(p.src_cache.data) + element * p.src_cache.stride[4]),
        static_cast<uint8_t *>(p.dst_cache.data) + element * p.dst_cache.stride[4],
        kvf_divide_by(p.scale));
  }
}
