/*
 * Generated from templates/cuda/concat_and_cache_mla_rope_fused.cu.j2 and
 * generator/spec/concat_and_cache_mla_rope_fused.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla_rope_fused.h"
#include "kvforge/rope.h"

/* 8 elements. */
struct source_x8 {
  uint4 v;
};

KVF_INLINE source_x8 load_x8(const uint16_t *from) {
  source_x8 source;
  source.v = *reinterpret_cast<const uint4 *>(from);
  return source;
}

KVF_INLINE void store_x8(const source_x8 &source, uint16_t *to) {
  *reinterpret_cast<uint4 *>(to) = source.v;
}

/* 2 elements. */
struct source_x2 {
  uint32_t v;
};

KVF_INLINE source_x2 load_x2(const uint16_t *from) {
  source_x2 source;
  source.v = *reinterpret_cast<const uint32_t *>(from);
  return source;
}

KVF_INLINE void store_x2(const source_x2 &source, uint16_t *to) {
  *reinterpret_cast<uint32_t *>(to) = source.v;
}

/* 1 element. */
struct source_x1 {
  uint16_t v;
};

KVF_INLINE source_x1 load_x1(const uint16_t *from) {
  source_x1 source;
  source.v = *from;
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, uint16_t *to) { *to = source.v; }

/* Elements in 16 bytes of a row, as many as the pairs that a thread rotates at a time. */
enum { WIDE = 8 };

KVF_INLINE void load_floats(const uint16_t *from, float (&v)[WIDE]) {
  const uint4 words = *reinterpret_cast<const uint4 *>(from);
  v[0] = kvf_f32_from_bf16((uint16_t)words.x);
  v[1] = kvf_f32_from_bf16((uint16_t)(words.x >> 16));
  v[2] = kvf_f32_from_bf16((uint16_t)words.y);
  v[3] = kvf_f32_from_bf16((uint16_t)(words.y >> 16));
  v[4] = kvf_f32_from_bf16((uint16_t)words.z);
  v[5] = kvf_f32_from_bf16((uint16_t)(words.z >> 16));
  v[6] = kvf_f32_from_bf16((uint16_t)words.w);
  v[7] = kvf_f32_from_bf16((uint16_t)(words.w >> 16));
}

KVF_INLINE void store_floats(const float (&v)[WIDE], uint16_t *to) {
  *reinterpret_cast<uint4 *>(to) =
      make_uint4(kvf_rotated_bf16x2(v[0], v[1]), kvf_rotated_bf16x2(v[2], v[3]),
                 kvf_rotated_bf16x2(v[4], v[5]), kvf_rotated_bf16x2(v[6], v[7]));
}

/* The same elements to the cache. */
KVF_INLINE void store_cached(const float (&v)[WIDE], uint16_t *to) { store_floats(v, to); }

KVF_INLINE void rotate(float &x, float &y, float cosine, float sine) {
  float x_cos = kvf_product(x, cosine);
  float y_sin = kvf_product(y, sine);
  float y_cos = kvf_product(y, cosine);
  float x_sin = kvf_product(x, sine);
  kvf_round_pair_bf16(&x_cos, &y_sin);
  kvf_round_pair_bf16(&y_cos, &x_sin);
  x = kvf_sum(x_cos, -y_sin);
  y = kvf_sum(y_cos, x_sin);
  kvf_round_pair_bf16(&x, &y);
}

/* Pairs [first, first + WIDE) of a row in place, and to the cache unless `cached` is null. */
KVF_INLINE void rotate_wide(const kvf_concat_and_cache_mla_rope_fused_params &p,
                            const uint16_t *angles, uint16_t *row, int32_t first,
                            uint16_t *cached) {
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
    store_cached(a, cached + low);
    store_cached(b, cached + high);
  }
}

/* One pair, any strides. */
KVF_INLINE void rotate_one(const kvf_concat_and_cache_mla_rope_fused_params &p,
                           const uint16_t *angles, uint16_t *row, int64_t stride, int32_t pair,
                           uint16_t *cached) {
  const int64_t step = p.cos_sin_cache.stride[1];
  const int64_t low = p.is_neox ? pair : 2 * pair;
  const int64_t high = p.is_neox ? pair + p.rope_dim / 2 : 2 * pair + 1;
  float x = kvf_f32_from_bf16(row[low * stride]);
  float y = kvf_f32_from_bf16(row[high * stride]);
  rotate(x, y, kvf_f32_from_bf16(angles[pair * step]),
         kvf_f32_from_bf16(angles[(pair + p.rope_dim / 2) * step]));
  row[low * stride] = kvf_rotated_bf16(x);
  row[high * stride] = kvf_rotated_bf16(y);
  if (cached != nullptr) {
    cached[low * p.kv_cache.stride[2]] = kvf_rotated_bf16(x);
    cached[high * p.kv_cache.stride[2]] = kvf_rotated_bf16(y);
  }
}

/* Pairs of a row: vector `i` of them. */
KVF_INLINE void rotate_pairs(const kvf_concat_and_cache_mla_rope_fused_params &p,
                             const uint16_t *angles, uint16_t *row, int64_t stride, uint32_t i,
                             uint16_t *cached) {
  if (p.vector_pairs == WIDE) {
    rotate_wide(p, angles, row, (int32_t)i * WIDE, cached);
  } else {
    rotate_one(p, angles, row, stride, (int32_t)i, cached);
  }
}

/* Vector `i` of kv_c. */
KVF_INLINE void write_latent(const kvf_concat_and_cache_mla_rope_fused_params &p,
                             const uint16_t *kv_c, uint16_t *row, uint32_t i) {
  switch (p.vector_elements) {
  case 8:
    store_x8(load_x8(kv_c + (int64_t)i * 8), row + (int64_t)i * 8);
    break;
  case 2:
    store_x2(load_x2(kv_c + (int64_t)i * 2), row + (int64_t)i * 2);
    break;
  default:
    store_x1(load_x1(kv_c + i * p.kv_c.stride[1]), row + i * p.kv_cache.stride[2]);
    break;
  }
}

/*
 * Grid: x tokens, y parts of a token. Block: x vectors of a token, y tokens. Three blocks share a
 * multiprocessor: the registers that four would leave are too few for the divisions on some archs.
 */
extern "C" __global__ void __launch_bounds__(256, 3)
    kvf_cuda_concat_and_cache_mla_rope_fused__bf16__bf16(
        const __grid_constant__ kvf_concat_and_cache_mla_rope_fused_params p) {
  const uint32_t pair_vectors = (uint32_t)(p.rope_dim / 2 / p.vector_pairs);
  const uint32_t queries = (uint32_t)p.num_heads * pair_vectors;
  const uint32_t rotations = queries + pair_vectors;
  const uint32_t all = rotations + (uint32_t)(p.kv_lora_rank / p.vector_elements);
  const bool counts = threadIdx.x == 0 && blockIdx.y == 0;
  const int64_t step = (int64_t)gridDim.x * blockDim.y;
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
    const uint16_t *angles =
        static_cast<const uint16_t *>(p.cos_sin_cache.data) + position * p.cos_sin_cache.stride[0];
    uint16_t *q_pe = static_cast<uint16_t *>(p.q_pe.data) + token * p.q_pe.stride[0];
    uint16_t *k_pe = static_cast<uint16_t *>(p.k_pe.data) + token * p.k_pe.stride[0];
    const uint16_t *kv_c = static_cast<const uint16_t *>(p.kv_c.data) + token * p.kv_c.stride[0];
    uint16_t *row = nullptr;
    if (writes) {
      row = static_cast<uint16_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
            offset * p.kv_cache.stride[1];
    }
    for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < all; i += gridDim.y * blockDim.x) {
      if (i >= queries && !writes) {
        break; /* k_pe and the cache are left alone */
      }
      if (i >= rotations) {
        write_latent(p, kv_c, row, i - rotations);
        continue;
      }
      const bool is_query = i < queries;
      const uint32_t head = is_query ? i / pair_vectors : 0;
      uint16_t *pairs = is_query ? q_pe + head * p.q_pe.stride[1] : k_pe;
      uint16_t *cached = is_query ? nullptr : row + p.kv_lora_rank * p.kv_cache.stride[2];
      rotate_pairs(p, angles, pairs, is_query ? p.q_pe.stride[2] : p.k_pe.stride[1],
                   is_query ? i - head * pair_vectors : i - queries, cached);
    }
  }
}
