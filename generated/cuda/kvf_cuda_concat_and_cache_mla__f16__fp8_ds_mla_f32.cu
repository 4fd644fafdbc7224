/*
 * Generated from templates/cuda/concat_and_cache_mla.cu.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla.h"
#include "kvforge/cache/ds_mla.h"

/* A warp writes a row. Each lane has a group of 16 elements of kv_c, and 2 of k_pe. */
enum { WARP = 32, GROUP = KVF_DS_MLA_LATENT / WARP, ROPE = KVF_DS_MLA_ROPE / WARP };

/* What a lane reads of a row: pairs of elements, the first in the lower half. Not widened, so that
 * nothing waits for it yet. */
struct source_row {
  uint32_t latent[GROUP / 2];
  uint32_t rope;
};

KVF_INLINE void widen_x2(uint32_t word, float *v) {
  v[0] = kvf_f32_from_f16((uint16_t)word);
  v[1] = kvf_f32_from_f16((uint16_t)(word >> 16));
}

KVF_INLINE uint32_t load_pair(const uint16_t *from, int64_t stride) {
  return from[0] | (uint32_t)from[stride] << 16;
}

/* Strides in elements; `whole`: in vectors of 16 bytes at both ends. */
KVF_INLINE source_row load_row(const uint16_t *kv_c, int64_t kv_c_stride, const uint16_t *k_pe,
                               int64_t k_pe_stride, bool has_rope, bool whole) {
  const int32_t lane = (int32_t)threadIdx.x;
  kv_c += lane * GROUP * kv_c_stride;
  k_pe += lane * ROPE * k_pe_stride;
  source_row source;
  source.rope = 0;
  if (whole) {
    const uint4 low = reinterpret_cast<const uint4 *>(kv_c)[0];
    const uint4 high = reinterpret_cast<const uint4 *>(kv_c)[1];
    if (has_rope) {
      source.rope = *reinterpret_cast<const uint32_t *>(k_pe);
    }
    source.latent[0] = low.x;
    source.latent[4] = high.x;
    source.latent[1] = low.y;
    source.latent[5] = high.y;
    source.latent[2] = low.z;
    source.latent[6] = high.z;
    source.latent[3] = low.w;
    source.latent[7] = high.w;
    return source;
  }
#pragma unroll
  for (int32_t i = 0; i < GROUP / 2; ++i) {
    source.latent[i] = load_pair(kv_c + 2 * i * kv_c_stride, kv_c_stride);
  }
  if (has_rope) {
    source.rope = load_pair(k_pe, k_pe_stride);
  }
  return source;
}

KVF_INLINE void widen(const source_row &source, float (&v)[GROUP]) {
#pragma unroll
  for (int32_t i = 0; i < GROUP / 2; ++i) {
    widen_x2(source.latent[i], v + 2 * i);
  }
}

/* The largest magnitude of a group, NaNs left out. */
KVF_INLINE uint32_t largest_of(const float (&v)[GROUP]) {
  float largest = 0.0f;
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    largest = kvf_larger_magnitude(largest, v[i]);
  }
  return kvf_bits(largest);
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
  return kvf_fp8_e4m3x4_from_f32(kvf_near_quotient(x[0], by), kvf_near_quotient(x[1], by),
                                 kvf_near_quotient(x[2], by), kvf_near_quotient(x[3], by));
}

/* `whole`: in whole words. */
KVF_INLINE void write_row(const source_row &source, uint8_t *row, bool whole) {
  enum { LANES_OF_TILE = KVF_FP8_DS_MLA_TILE / GROUP };
  const int32_t lane = (int32_t)threadIdx.x;
  float v[GROUP];
  widen(source, v);

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
  store_x4(row + KVF_FP8_DS_MLA_ROPE_AT + lane * 4, source.rope, whole);
}

/* Grid: x tokens. Block: x the lanes of a warp, y tokens. */
extern "C" __global__ void __launch_bounds__(128)
    kvf_cuda_concat_and_cache_mla__f16__fp8_ds_mla_f32(
        const __grid_constant__ kvf_concat_and_cache_mla_params p) {
  kvf_begin_kernel();
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  /* All that is read is asked for at once: no load waits for the slot. */
  const int64_t slot = kvf_slot_of(p.slots, token);
  const source_row source = load_row(
      static_cast<const uint16_t *>(p.kv_c.data) + token * p.kv_c.stride[0], p.kv_c.stride[1],
      static_cast<const uint16_t *>(p.k_pe.data) + token * p.k_pe.stride[0], p.k_pe.stride[1],
      p.rope_dim > 0, p.vector_elements > 1);
  int64_t block;
  int64_t offset;
  if (!kvf_place(p.slots, slot, threadIdx.x == 0, &block, &offset)) {
    return;
  }
  write_row(source,
            static_cast<uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                offset * p.kv_cache.stride[1],
            p.vector_elements > 1);
}
