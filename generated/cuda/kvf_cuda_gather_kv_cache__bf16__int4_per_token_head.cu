/*
 * Generated from templates/cuda/gather_kv_cache.cu.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/cuda_rotation.cuh"
#include "kvforge/cache/int4.h"

/* Keys or values. */
struct side {
  const kvf_view &cache;
  const kvf_view &out;
  const kvf_view &scale;
  uint32_t heads;
  uint32_t size; /* of a head */
  int32_t vector;
};

KVF_INLINE side find_side(const kvf_gather_kv_cache_params &p) {
  const bool keys = blockIdx.z == 0;
  return {keys ? p.key_cache : p.value_cache,
          keys ? p.key_out : p.value_out,
          keys ? p.k_scale : p.v_scale,
          (uint32_t)(keys ? p.key_heads : p.value_heads),
          (uint32_t)(keys ? p.head_size : p.value_head_size),
          keys ? p.key_vector : p.value_vector};
}

enum { GROUP = KVF_ROTATION_GROUP };

/* A group of codes, less that of 0, times the scale. */
KVF_INLINE void load_group(const uint8_t *from, int64_t count, bool whole, float word,
                           float (&v)[GROUP]) {
  const float scale = kvf_int4_scale(word);
  const float zero = kvf_int4_zero(word);
  uint32_t words[2] = {};
  if (whole) { /* a scale of 4 bytes may lie between heads, which are no further aligned then */
    words[0] = reinterpret_cast<const uint32_t *>(from)[0];
    words[1] = reinterpret_cast<const uint32_t *>(from)[1];
  } else {
#pragma unroll
    for (int32_t i = 0; i < GROUP / 2; ++i) {
      if (2 * i < count) {
        words[i / 4] |= (uint32_t)from[i] << 8 * (i % 4);
      }
    }
  }
#pragma unroll
  for (int32_t i = 0; i < GROUP; i += 2) {
    const float2 pair =
        kvf_scaled_x2(kvf_f32x2_from_int4(words[i / 8] >> 4 * (i % 8), zero), scale);
    v[i] = pair.x;
    v[i + 1] = pair.y;
  }
}

KVF_INLINE void store_group(const float (&v)[GROUP], uint16_t *to, int64_t count, bool whole) {
  if (whole) {
#pragma unroll
    for (int32_t i = 0; i < GROUP; i += 8) {
      *reinterpret_cast<uint4 *>(to + i) =
          make_uint4(kvf_bf16x2_result(make_float2(v[i], v[i + 1])),
                     kvf_bf16x2_result(make_float2(v[i + 2], v[i + 3])),
                     kvf_bf16x2_result(make_float2(v[i + 4], v[i + 5])),
                     kvf_bf16x2_result(make_float2(v[i + 6], v[i + 7])));
    }
    return;
  }
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    if (i < count) {
      to[i] = kvf_bf16_result(v[i]);
    }
  }
}

/*
 * Grid: x heads of rows, z keys and values. Block: x lanes that share a head, a power of two up to
 * a warp, y heads; whole warps, whose lanes stay together.
 */
extern "C" __global__ void __launch_bounds__(256, 2)
    kvf_cuda_gather_kv_cache__bf16__int4_per_token_head(
        const __grid_constant__ kvf_gather_kv_cache_params p) {
  const side s = find_side(p);
  const int32_t block_elements = kvf_rotation_block((int32_t)s.size);
  const int64_t step = (int64_t)blockDim.x * GROUP; /* whole blocks */
  const int64_t lane_first = (int64_t)threadIdx.x * GROUP;
  const uint32_t signs =
      s.size == 0 ? 0 : kvf_rotation_signs_x16((int32_t)lane_first, block_elements);
  const float inverse = 1.0f / (float)block_elements;
  const int64_t units = p.num_rows * s.heads;
  for (int64_t first = (int64_t)blockIdx.x * blockDim.y; first < units;
       first += (int64_t)gridDim.x * blockDim.y) {
    const int64_t unit = first + threadIdx.y;
    const int64_t row = unit < units ? unit / s.heads : 0;
    const int64_t head = unit < units ? unit - row * s.heads : 0;
    const int64_t sequence = kvf_find_sequence(p.table, row);
    const bool exists = unit < units && kvf_has_row(p.table, sequence, row);
    int64_t block = 0;
    int64_t offset = 0;
    const bool counts = blockIdx.z == 0 && head == 0 && threadIdx.x == 0;
    const bool found = exists && kvf_locate_row_of(p.table, sequence, row, counts, &block, &offset);
    const uint8_t *from = nullptr;
    float word = 0.0f;
    if (found) {
      from = static_cast<const uint8_t *>(s.cache.data) + block * s.cache.stride[0] +
             offset * s.cache.stride[1] + head * s.cache.stride[2];
      word = static_cast<const float *>(
          s.scale.data)[block * s.scale.stride[0] + offset * s.scale.stride[1] +
                        head * s.scale.stride[2]];
    }
    uint16_t *to =
        static_cast<uint16_t *>(s.out.data) + row * s.out.stride[0] + head * s.out.stride[1];
#pragma unroll 1
    for (int64_t base = 0; base < s.size; base += step) {
      const int64_t at = base + lane_first;
      float v[GROUP] = {};
      if (found && at < s.size) {
        load_group(from + at / 2, s.size - at, s.vector, word, v);
      }
      if (p.inverse_rht) {
        kvf_hadamard_x16(v, block_elements, (int32_t)threadIdx.x);
        kvf_put_signs_x16(v, signs);
#pragma unroll
        for (int32_t i = 0; i < GROUP; ++i) {
          const float product = __fmul_rn(v[i], inverse);
          v[i] = product == 0.0f ? 0.0f
                                 : product; /* + 0.0f would be joined with the product, and lost */
        }
      }
      if (exists && at < s.size) {
        store_group(v, to + at, s.size - at, s.vector);
      }
    }
  }
}
