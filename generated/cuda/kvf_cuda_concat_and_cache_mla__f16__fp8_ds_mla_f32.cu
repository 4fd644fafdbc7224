/*
 * Generated from templates/cuda/concat_and_cache_mla.cu.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla.h"
#include "kvforge/cache/ds_mla.h"

/* A warp writes a row. Each lane has a group of 16 elements of kv_c, and 2 of k_pe. */
enum { WARP = 32, GROUP = KVF_DS_MLA_LATENT / WARP, ROPE = KVF_DS_MLA_ROPE / WARP };

KVF_INLINE void widen_x2(uint32_t word, float *v) {
  v[0] = kvf_f32_from_f16((uint16_t)word);
  v[1] = kvf_f32_from_f16((uint16_t)(word >> 16));
}

/* A lane's part of k_pe, the first element in the lower half. */
KVF_INLINE uint32_t load_rope(const uint16_t *from, int64_t stride, bool whole) {
  return whole ? *reinterpret_cast<const uint32_t *>(from) : from[0] | (uint32_t)from[stride] << 16;
}

/* A group as floats; `whole`: in vectors of 16 bytes. */
KVF_INLINE void load_group(const uint16_t *from, int64_t stride, bool whole, float (&v)[GROUP]) {
  if (whole) {
#pragma unroll
    for (int32_t i = 0; i < GROUP; i += 8) {
      const uint4 words = *reinterpret_cast<const uint4 *>(from + i);
      widen_x2(words.x, v + i + 0);
      widen_x2(words.y, v + i + 2);
      widen_x2(words.z, v + i + 4);
      widen_x2(words.w, v + i + 6);
    }
    return;
  }
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    v[i] = kvf_f32_from_f16(from[i * stride]);
  }
}

/* The largest magnitude of a group, NaNs left out. */
KVF_INLINE uint32_t largest_of(const float (&v)[GROUP]) {
  uint32_t largest = 0;
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    largest = max(largest, kvf_magnitude(v[i]));
  }
  return largest;
}

/* Four bytes in one access, or each for itself. */
KVF_INLINE void store_x4(uint8_t *to, uint32_t word, bool whole) {
  if (whole) {
    *reinterpret_cast<uint32_t *>(to) = word;
    return;
  }
#pragma unroll
  for (int32_t i = 0; i < 4; ++i) {
    to[i] = (uint8_t)(word >> 8 * i);
  }
}

/* Four quotients as codes; the first in the lowest byte. */
KVF_INLINE uint32_t divide_x4(const float *x, const kvf_divisor &by) {
  if (!by.quick) {
    return kvf_fp8_e4m3x4_from_f32(x[0] / by.scale, x[1] / by.scale, x[2] / by.scale,
                                   x[3] / by.scale);
  }
  return kvf_fp8_e4m3x4_from_f32(kvf_quotient(x[0], by), kvf_quotient(x[1], by),
                                 kvf_quotient(x[2], by), kvf_quotient(x[3], by));
}

/* One token. Strides in elements; `whole`: in vectors of 16 bytes at both ends. */
KVF_INLINE void write_row(const uint16_t *kv_c, int64_t kv_c_stride, const uint16_t *k_pe,
                          int64_t k_pe_stride, bool has_rope, uint8_t *row, bool whole) {
  enum { LANES_OF_TILE = KVF_FP8_DS_MLA_TILE / GROUP };
  const int32_t lane = (int32_t)threadIdx.x;
  float v[GROUP];
  load_group(kv_c + lane * GROUP * kv_c_stride, kv_c_stride, whole, v);
  const uint32_t rope =
      has_rope ? load_rope(k_pe + lane * ROPE * k_pe_stride, k_pe_stride, whole) : 0;

  uint32_t largest = largest_of(v);
#pragma unroll
  for (int32_t step = LANES_OF_TILE / 2; step > 0; step /= 2) {
    largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, step));
  }
  const float scale = kvf_fp8_ds_mla_f32_scale(largest);
  const kvf_divisor by = kvf_divide_by(scale);

  uint8_t *codes = row + lane * GROUP;
  if (whole) {
    *reinterpret_cast<uint4 *>(codes) = make_uint4(divide_x4(v, by), divide_x4(v + 4, by),
                                                   divide_x4(v + 8, by), divide_x4(v + 12, by));
  } else {
#pragma unroll
    for (int32_t i = 0; i < GROUP; i += 4) {
      store_x4(codes + i, divide_x4(v + i, by), false);
    }
  }
  if (lane % LANES_OF_TILE == 0) {
    store_x4(row + KVF_FP8_DS_MLA_SCALES_AT + lane / LANES_OF_TILE * 4, kvf_bits(scale), whole);
  }
  store_x4(row + KVF_FP8_DS_MLA_ROPE_AT + lane * 4, rope, whole);
}

/* Grid: x tokens. Block: x the lanes of a warp, y tokens. */
extern "C" __global__ void __launch_bounds__(128)
    kvf_cuda_concat_and_cache_mla__f16__fp8_ds_mla_f32(
        const __grid_constant__ kvf_concat_and_cache_mla_params p) {
  const int64_t step = (int64_t)gridDim.x * blockDim.y;
  for (int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y; token < p.slots.num_tokens;
       token += step) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(p.slots, token, threadIdx.x == 0 && blockIdx.y == 0, &block, &offset)) {
      continue;
    }
    const uint16_t *kv_c = static_cast<const uint16_t *>(p.kv_c.data) + token * p.kv_c.stride[0];
    const uint16_t *k_pe = static_cast<const uint16_t *>(p.k_pe.data) + token * p.k_pe.stride[0];
    uint8_t *row = static_cast<uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                   offset * p.kv_cache.stride[1];
    write_row(kv_c, p.kv_c.stride[1], k_pe, p.k_pe.stride[1], p.rope_dim > 0, row,
              p.vector_elements > 1);
  }
}
