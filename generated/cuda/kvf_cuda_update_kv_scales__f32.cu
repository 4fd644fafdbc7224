/*
 * Generated from templates/cuda/update_kv_scales.cu.j2 and generator/spec/update_kv_scales.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/update_kv_scales.h"

enum { MAX_THREADS = 512, WARP = 32 };

/* The largest magnitude in a word, NaNs left out, as the bits of a float. */
KVF_INLINE uint32_t largest_of(uint32_t word) { return kvf_magnitude(kvf_float(word)); }
KVF_INLINE uint32_t largest_of(const uint4 &v) {
  return max(max(largest_of(v.x), largest_of(v.y)), max(largest_of(v.z), largest_of(v.w)));
}

/* What this thread sees of a side, 4 elements at a time. */
KVF_INLINE uint32_t find_x4(const kvf_update_kv_scales_params &p, int32_t side) {
  const kvf_view &source = side == 0 ? p.key : p.value;
  const int64_t units = p.rows[side] * p.by_units[side].value;
  uint32_t largest = 0;
#pragma unroll 4
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < units;
       i += (int64_t)gridDim.x * blockDim.x) {
    const int64_t row = kvf_divide(i, p.by_units[side]);
    const int64_t token = kvf_divide(row, p.by_heads[side]);
    const int64_t element = (i - row * p.by_units[side].value) * 4;
    const float *from = static_cast<const float *>(source.data) + token * source.stride[0] +
                        (row - token * p.heads[side]) * source.stride[1] + element;
    largest = max(largest, largest_of(*reinterpret_cast<const uint4 *>(from)));
  }
  return largest;
}

/* What this thread sees of a side, 1 element at a time. */
KVF_INLINE uint32_t find_x1(const kvf_update_kv_scales_params &p, int32_t side) {
  const kvf_view &source = side == 0 ? p.key : p.value;
  const int64_t units = p.rows[side] * p.by_units[side].value;
  uint32_t largest = 0;
#pragma unroll 4
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < units;
       i += (int64_t)gridDim.x * blockDim.x) {
    const int64_t row = kvf_divide(i, p.by_units[side]);
    const int64_t token = kvf_divide(row, p.by_heads[side]);
    const int64_t element = (i - row * p.by_units[side].value) * source.stride[2];
    const float *from = static_cast<const float *>(source.data) + token * source.stride[0] +
                        (row - token * p.heads[side]) * source.stride[1] + element;
    largest = max(largest, largest_of(*reinterpret_cast<const uint32_t *>(from)));
  }
  return largest;
}

/* Grid: x parts of all vectors, z keys and values. Whole warps. */
extern "C" __global__ void __launch_bounds__(MAX_THREADS)
    kvf_cuda_update_kv_scales__f32(const __grid_constant__ kvf_update_kv_scales_params p) {
  kvf_begin_kernel();
  __shared__ uint32_t of_warps[MAX_THREADS / WARP];
  const int32_t side = (int32_t)blockIdx.z;
  uint32_t largest = 0;
  switch (p.vector_elements) {
  case 4:
    largest = find_x4(p, side);
    break;
  default:
    largest = find_x1(p, side);
    break;
  }
  for (int32_t distance = WARP / 2; distance > 0; distance /= 2) {
    largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
  }
  if (threadIdx.x % WARP == 0) {
    of_warps[threadIdx.x / WARP] = largest;
  }
  __syncthreads();
  if (threadIdx.x > 0) {
    return;
  }
  for (int32_t warp = 1; warp < (int32_t)blockDim.x / WARP; ++warp) {
    largest = max(largest, of_warps[warp]);
  }
  /* Signed integers are in the order of the floats from 0 on. */
  const int32_t bits = (int32_t)kvf_bits(kvf_float(largest) / p.divisor);
  if (bits > 0) {
    atomicMax(static_cast<int32_t *>((side == 0 ? p.k_scale : p.v_scale).data), bits);
  }
}
