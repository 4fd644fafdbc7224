/*
 * Generated from templates/cuda/concat_and_cache_mla_rope_fused.cu.j2 and
 * generator/spec/concat_and_cache_mla_rope_fused.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla_rope_fused.h"
#include "kvforge/rope.h"

/* Four elements, quantised; the first in the lowest byte. */
KVF_INLINE uint32_t quantise_x4(const float4 v, float scale) {
  return kvf_fp8_e5m2x4_from_f32(v.x / scale, v.y / scale, v.z / scale, v.w / scale);
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

KVF_INLINE void store_x16(const source_x16 &source, uint8_t *to, float scale) {
  *reinterpret_cast<uint4 *>(to) =
      make_uint4(quantise_x4(source.v[0], scale), quantise_x4(source.v[1], scale),
                 quantise_x4(source.v[2], scale), quantise_x4(source.v[3], scale));
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

KVF_INLINE void store_x4(const source_x4 &source, uint8_t *to, float scale) {
  *reinterpret_cast<uint32_t *>(to) = quantise_x4(source.v, scale);
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

KVF_INLINE void store_x1(const source_x1 &source, uint8_t *to, float scale) {
  *to = kvf_fp8_e5m2_from_f32(kvf_f32_from_f32(source.v) / scale);
}

/* Elements in 16 bytes of a row, as many as the pairs that a thread rotates at a time. */
enum { WIDE = 4 };

KVF_INLINE void load_floats(const float *from, float (&v)[WIDE]) {
  const float4 words = *reinterpret_cast<const float4 *>(from);
  v[0] = words.x;
  v[1] = words.y;
  v[2] = words.z;
  v[3] = words.w;
}

KVF_INLINE void store_floats(const float (&v)[WIDE], float *to) {
  *reinterpret_cast<float4 *>(to) = make_float4(kvf_rotated_f32(v[0]), kvf_rotated_f32(v[1]),
                                                kvf_rotated_f32(v[2]), kvf_rotated_f32(v[3]));
}

KVF_INLINE uint32_t quantise_floats(const float *v, float scale) {
  return kvf_fp8_e5m2x4_from_f32(v[0] / scale, v[1] / scale, v[2] / scale, v[3] / scale);
}

/* The same elements to the cache. */
KVF_INLINE void store_cached(const float (&v)[WIDE], uint8_t *to, float scale) {
  *reinterpret_cast<uint32_t *>(to) = quantise_floats(v, scale);
}

KVF_INLINE void rotate(float &x, float &y, float cosine, float sine) {
  float x_cos = kvf_product(x, cosine);
  float y_sin = kvf_product(y, sine);
  float y_cos = kvf_product(y, cosine);
  float x_sin = kvf_product(x, sine);
  kvf_round_pair_f32(&x_cos, &y_sin);
  kvf_round_pair_f32(&y_cos, &x_sin);
  x = kvf_sum(x_cos, -y_sin);
  y = kvf_sum(y_cos, x_sin);
  kvf_round_pair_f32(&x, &y);
}

/* Pairs [first, first + WIDE) of a row in place, and to the cache unless `cached` is null. */
KVF_INLINE void rotate_wide(const kvf_concat_and_cache_mla_rope_fused_params &p,
                            const float *angles, float *row, int32_t first, uint8_t *cached,
                            float scale) {
  /* Two vectors of the row: the halves of the pairs, or the pairs themselves. */
  const int32_t low = p.is_neox ? first : 2 * first;
  const int32_t high = p.is_neox ? first + p.rope_dim / 2 : 2 * first + WIDE;
  float cosines[WIDE];
  float sines[WIDE];
  float a[WIDE];
  float b[WIDE];
  load_floats(row + low, a);
  load_floats(row + high, b);
  load_floats(angles + first, cosines);
  load_floats(angles + p.rope_dim / 2 + first, sines);
  if (p.is_neox) {
#pragma unroll
    for (int32_t i = 0; i < WIDE; ++i) {
      rotate(a[i], b[i], cosines[i], sines[i]);
    }
  } else {
#pragma unroll
    for (int32_t i = 0; i < WIDE / 2; ++i) {
      rotate(a[2 * i], a[2 * i + 1], cosines[i], sines[i]);
      rotate(b[2 * i], b[2 * i + 1], cosines[WIDE / 2 + i], sines[WIDE / 2 + i]);
    }
  }
  store_floats(a, row + low);
  store_floats(b, row + high);
  if (cached != nullptr) {
    store_cached(a, cached + low, scale);
    store_cached(b, cached + high, scale);
  }
}

/* One pair, any strides. */
KVF_INLINE void rotate_one(const kvf_concat_and_cache_mla_rope_fused_params &p, const float *angles,
                           float *row, int64_t stride, int32_t pair, uint8_t *cached, float scale) {
  const int64_t step = p.cos_sin_cache.stride[1];
  const int64_t low = p.is_neox ? pair : 2 * pair;
  const int64_t high = p.is_neox ? pair + p.rope_dim / 2 : 2 * pair + 1;
  float x = kvf_f32_from_f32(row[low * stride]);
  float y = kvf_f32_from_f32(row[high * stride]);
  rotate(x, y, kvf_f32_from_f32(angles[pair * step]),
         kvf_f32_from_f32(angles[(pair + p.rope_dim / 2) * step]));
  row[low * stride] = kvf_rotated_f32(x);
  row[high * stride] = kvf_rotated_f32(y);
  if (cached != nullptr) {
    cached[low * p.kv_cache.stride[2]] = kvf_fp8_e5m2_from_f32(x / scale);
    cached[high * p.kv_cache.stride[2]] = kvf_fp8_e5m2_from_f32(y / scale);
  }
}

/* Pairs of a row: vector `i` of them. */
KVF_INLINE void rotate_pairs(const kvf_concat_and_cache_mla_rope_fused_params &p,
                             const float *angles, float *row, int64_t stride, uint32_t i,
                             uint8_t *cached, float scale) {
  if (p.vector_pairs == WIDE) {
    rotate_wide(p, angles, row, (int32_t)i * WIDE, cached, scale);
  } else {
    rotate_one(p, angles, row, stride, (int32_t)i, cached, scale);
  }
}

/* Vector `i` of kv_c. */
KVF_INLINE void write_latent(const kvf_concat_and_cache_mla_rope_fused_params &p, const float *kv_c,
                             uint8_t *row, uint32_t i, float scale) {
  switch (p.vector_elements) {
  case 16:
    store_x16(load_x16(kv_c + (int64_t)i * 16), row + (int64_t)i * 16, scale);
    break;
  case 4:
    store_x4(load_x4(kv_c + (int64_t)i * 4), row + (int64_t)i * 4, scale);
    break;
  default:
    store_x1(load_x1(kv_c + i * p.kv_c.stride[1]), row + i * p.kv_cache.stride[2], scale);
    break;
  }
}

/*
 * Grid: x tokens, y parts of a token. Block: x vectors of a token, y tokens. Three blocks share a
 * multiprocessor: the registers that four would leave are too few for the divisions on some archs.
 */
extern "C" __global__ void __launch_bounds__(256, 3)
    kvf_cuda_concat_and_cache_mla_rope_fused__f32__fp8_e5m2(
        const __grid_constant__ kvf_concat_and_cache_mla_rope_fused_params p) {
  const uint32_t pair_vectors = (uint32_t)(p.rope_dim / 2 / p.vector_pairs);
  const uint32_t queries = (uint32_t)p.num_heads * pair_vectors;
  const uint32_t rotations = queries + pair_vectors;
  const uint32_t all = rotations + (uint32_t)(p.kv_lora_rank / p.vector_elements);
  const bool counts = threadIdx.x == 0 && blockIdx.y == 0;
  const int64_t step = (int64_t)gridDim.x * blockDim.y;
  const float scale = *static_cast<const float *>(p.kv_cache_scale.data);
  for (int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y; token < p.slots.num_tokens;
       token += step) {
    const int64_t position =
        kvf_index_at(p.positions.data, p.position_bytes, token * p.positions.stride[0]);
    const bool rotates = position >= 0 && position < p.num_positions;
    int64_t block;
    int64_t offset;
    /* Here, so that the slot is read beside the position: the wait for them is most of a token's
     * time. */
    const bool writes = kvf_locate(p.slots, token, counts && rotates, &block, &offset);
    if (!rotates) {
      if (counts) {
        atomicAdd(p.slots.faults, 1ULL);
      }
      continue;
    }
    const float *angles =
        static_cast<const float *>(p.cos_sin_cache.data) + position * p.cos_sin_cache.stride[0];
    float *q_pe = static_cast<float *>(p.q_pe.data) + token * p.q_pe.stride[0];
    float *k_pe = static_cast<float *>(p.k_pe.data) + token * p.k_pe.stride[0];
    const float *kv_c = static_cast<const float *>(p.kv_c.data) + token * p.kv_c.stride[0];
    uint8_t *row = nullptr;
    if (writes) {
      row = static_cast<uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
            offset * p.kv_cache.stride[1];
    }
    for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < all; i += gridDim.y * blockDim.x) {
      if (i >= queries && !writes) {
        break; /* k_pe and the cache are left alone */
      }
      if (i >= rotations) {
        write_latent(p, kv_c, row, i - rotations, scale);
        continue;
      }
      const bool is_query = i < queries;
      const uint32_t head = is_query ? i / pair_vectors : 0;
      float *pairs = is_query ? q_pe + head * p.q_pe.stride[1] : k_pe;
      uint8_t *cached = is_query ? nullptr : row + p.kv_lora_rank * p.kv_cache.stride[2];
      rotate_pairs(p, angles, pairs, is_query ? p.q_pe.stride[2] : p.k_pe.stride[1],
                   is_query ? i - head * pair_vectors : i - queries, cached, scale);
    }
  }
}
