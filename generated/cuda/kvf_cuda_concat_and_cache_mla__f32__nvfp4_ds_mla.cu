/*
 * Generated from templates/cuda/concat_and_cache_mla.cu.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla.h"
#include "kvforge/cache/ds_mla.h"
#include "kvforge/cuda_fp4.cuh"

/* A warp writes a row. Each lane has a group of 16 elements of kv_c, and 2 of k_pe. */
enum { WARP = 32, GROUP = KVF_DS_MLA_LATENT / WARP, ROPE = KVF_DS_MLA_ROPE / WARP };

/* What a lane reads of a row. */
struct source_row {
  float latent[GROUP];
  float rope[ROPE];
};

/* A group as floats; `whole`: in vectors of 16 bytes. */
KVF_INLINE void load_group(const float *from, int64_t stride, bool whole, float (&v)[GROUP]) {
  if (whole) {
#pragma unroll
    for (int32_t i = 0; i < GROUP; i += 4) {
      const float4 words = *reinterpret_cast<const float4 *>(from + i);
      v[i + 0] = words.x;
      v[i + 1] = words.y;
      v[i + 2] = words.z;
      v[i + 3] = words.w;
    }
    return;
  }
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    v[i] = kvf_f32_from_f32(from[i * stride]);
  }
}

/* Strides in elements; `whole`: in vectors of 16 bytes at both ends. */
KVF_INLINE source_row load_row(const float *kv_c, int64_t kv_c_stride, const float *k_pe,
                               int64_t k_pe_stride, bool whole) {
  const int32_t lane = (int32_t)threadIdx.x;
  source_row source;
  load_group(kv_c + lane * GROUP * kv_c_stride, kv_c_stride, whole, source.latent);
  source.rope[0] = k_pe[lane * ROPE * k_pe_stride];
  source.rope[1] = k_pe[(lane * ROPE + 1) * k_pe_stride];
  return source;
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

/* The largest magnitude of a group; a NaN if there is one. */
KVF_INLINE float largest_or_nan(const float (&v)[GROUP]) {
  float largest = 0.0f;
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    largest = kvf_larger_or_nan(largest, v[i]);
  }
  return largest;
}

/* Signs of eight floats, where their codes have them. */
KVF_INLINE uint32_t signs_x8(const float *v) {
  const uint32_t pairs[4] = {kvf_upper_halves(v[0], v[1]), kvf_upper_halves(v[2], v[3]),
                             kvf_upper_halves(v[4], v[5]), kvf_upper_halves(v[6], v[7])};
  return kvf_e2m1_signs_x8(pairs);
}

/* Eight elements as E2M1 codes, the first in the lowest bits, with their signs. `quick`: by
 * kvf_e2m1_is_quick(). */
KVF_INLINE uint32_t quantise_x8(const float *v, uint32_t signs, float multiplier, bool quick) {
  if (quick) {
    return kvf_e2m1_x8(v, signs, multiplier);
  }
  uint32_t codes = 0;
#pragma unroll
  for (int32_t i = 0; i < 8; ++i) {
    codes |= kvf_e2m1_from_f32(v[i] * multiplier) << 4 * i;
  }
  return codes;
}

/* `whole`: in whole words. */
KVF_INLINE void write_row(const source_row &source, uint8_t *row, bool whole) {
  const int32_t lane = (int32_t)threadIdx.x;
  const float (&v)[GROUP] = source.latent;
  const float (&rope)[ROPE] = source.rope;
  uint32_t largest = kvf_bits(largest_or_nan(v));
  const bool numbers = largest <= 0x7F800000u;
  if (!numbers) {
    largest = largest_of(v);
  }
  const uint8_t scale = (uint8_t)kvf_nvfp4_ds_mla_scale(largest);
  const float inverse = 1.0f / kvf_f32_from_fp8_e4m3(scale);
  const uint32_t low = quantise_x8(v, signs_x8(v), inverse, numbers);
  const uint32_t high = quantise_x8(v + 8, signs_x8(v + 8), inverse, numbers);
  uint8_t *codes = row + lane * (GROUP / 2);
  if (whole) {
    *reinterpret_cast<uint2 *>(codes) = make_uint2(low, high);
  } else {
    store_x4(codes, low, false);
    store_x4(codes + 4, high, false);
  }
  const uint32_t rope_codes = kvf_fp8_e4m3x4_from_f32(rope[0], rope[1], 0.0f, 0.0f);
  uint8_t *to = row + KVF_NVFP4_DS_MLA_ROPE_AT + lane * ROPE;
  if (whole) {
    *reinterpret_cast<uint16_t *>(to) = (uint16_t)rope_codes;
  } else {
    to[0] = (uint8_t)rope_codes;
    to[1] = (uint8_t)(rope_codes >> 8);
  }
  row[kvf_nvfp4_ds_mla_scale_at(lane)] = scale;
}

/* Grid: x tokens. Block: x the lanes of a warp, y tokens. */
extern "C" __global__ void __launch_bounds__(128) kvf_cuda_concat_and_cache_mla__f32__nvfp4_ds_mla(
    const __grid_constant__ kvf_concat_and_cache_mla_params p) {
  kvf_begin_kernel();
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  /* All that is read is asked for at once: no load waits for the slot. */
  const int64_t slot = kvf_slot_of(p.slots, token);
  const source_row source =
      load_row(static_cast<const float *>(p.kv_c.data) + token * p.kv_c.stride[0], p.kv_c.stride[1],
               static_cast<const float *>(p.k_pe.data) + token * p.k_pe.stride[0], p.k_pe.stride[1],
               p.vector_elements > 1);
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
