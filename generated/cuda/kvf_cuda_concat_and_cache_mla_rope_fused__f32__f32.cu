/*
 * Generated from templates/cuda/concat_and_cache_mla_rope_fused.cu.j2 and
 * generator/spec/concat_and_cache_mla_rope_fused.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla_rope_fused.h"
#include "kvforge/cache/cuda_rope.cuh"

/* 4 elements. */
struct source_x4 {
  uint4 v;
};

KVF_INLINE source_x4 load_x4(const float *from) {
  source_x4 source;
  source.v = *reinterpret_cast<const uint4 *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, float *to) {
  *reinterpret_cast<uint4 *>(to) = source.v;
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

KVF_INLINE void store_x1(const source_x1 &source, float *to) { *to = source.v; }

/* Elements in 16 bytes of a row, as many as the pairs that a thread rotates at a time. */
enum { WIDE = 4 };

/* Rotates the pairs of two vectors: first elements and second ones, or both the pairs themselves.
 */
KVF_INLINE void rotate(float4 &a, float4 &b, const float4 cosines, const float4 sines,
                       bool is_neox) {
  if (is_neox) {
    kvf_rotate_f32(&a.x, &b.x, cosines.x, sines.x);
    kvf_rotate_f32(&a.y, &b.y, cosines.y, sines.y);
    kvf_rotate_f32(&a.z, &b.z, cosines.z, sines.z);
    kvf_rotate_f32(&a.w, &b.w, cosines.w, sines.w);
  } else {
    kvf_rotate_f32(&a.x, &a.y, cosines.x, sines.x);
    kvf_rotate_f32(&a.z, &a.w, cosines.y, sines.y);
    kvf_rotate_f32(&b.x, &b.y, cosines.z, sines.z);
    kvf_rotate_f32(&b.z, &b.w, cosines.w, sines.w);
  }
  a = make_float4(kvf_rotated_f32(a.x), kvf_rotated_f32(a.y), kvf_rotated_f32(a.z),
                  kvf_rotated_f32(a.w));
  b = make_float4(kvf_rotated_f32(b.x), kvf_rotated_f32(b.y), kvf_rotated_f32(b.z),
                  kvf_rotated_f32(b.w));
}

/* The same by the angles at `at` of a table of the scalar dtype. */
KVF_INLINE void rotate_by_table(const kvf_concat_and_cache_mla_rope_fused_params &p, float4 &a,
                                float4 &b, int64_t at) {
  const float *cosines = static_cast<const float *>(p.cos_sin_cache.data) + at;
  rotate(a, b, *reinterpret_cast<const float4 *>(cosines),
         *reinterpret_cast<const float4 *>(cosines + p.rope_dim / 2), p.is_neox);
}

/* The same by the angles at `at` of the table that there is. */
KVF_INLINE void rotate_by(const kvf_concat_and_cache_mla_rope_fused_params &p, float4 &a, float4 &b,
                          int64_t at) {
  rotate_by_table(p, a, b, at);
}

/* A rotated vector to the cache. */
KVF_INLINE void store_cached(const float4 v, float *to) { *reinterpret_cast<float4 *>(to) = v; }

/* One pair, any strides. */
KVF_INLINE void rotate_one(const kvf_concat_and_cache_mla_rope_fused_params &p, int64_t angles,
                           float *row, int64_t stride, int32_t pair, float *cached) {
  const int64_t step = p.cos_sin_cache.stride[1];
  const int64_t low = p.is_neox ? pair : 2 * pair;
  const int64_t high = p.is_neox ? pair + p.rope_dim / 2 : 2 * pair + 1;
  const int64_t cosine_at = angles + pair * step;
  const int64_t sine_at = cosine_at + p.rope_dim / 2 * step;
  const float *table = static_cast<const float *>(p.cos_sin_cache.data);
  float x = row[low * stride];
  float y = row[high * stride];
  kvf_rotate_f32(&x, &y, table[cosine_at], table[sine_at]);
  x = kvf_rotated_f32(x);
  y = kvf_rotated_f32(y);
  row[low * stride] = x;
  row[high * stride] = y;
  if (cached != nullptr) {
    cached[low * p.kv_cache.stride[2]] = x;
    cached[high * p.kv_cache.stride[2]] = y;
  }
}

/* Vector `i` of kv_c. */
KVF_INLINE void write_latent(const kvf_concat_and_cache_mla_rope_fused_params &p, const float *kv_c,
                             float *row, uint32_t i) {
  switch (p.vector_elements) {
  case 4:
    store_x4(load_x4(kv_c + (int64_t)i * 4), row + (int64_t)i * 4);
    break;
  default:
    store_x1(load_x1(kv_c + i * p.kv_c.stride[1]), row + i * p.kv_cache.stride[2]);
    break;
  }
}

/* Where the parts of a token are. */
struct token_rows {
  float *q_pe;
  float *k_pe;
  const float *kv_c;
};

KVF_INLINE token_rows find_rows(const kvf_concat_and_cache_mla_rope_fused_params &p,
                                int64_t token) {
  return {static_cast<float *>(p.q_pe.data) + token * p.q_pe.stride[0],
          static_cast<float *>(p.k_pe.data) + token * p.k_pe.stride[0],
          static_cast<const float *>(p.kv_c.data) + token * p.kv_c.stride[0]};
}

/* A position that the table of angles lacks is counted, by the one thread with `counts`. */
KVF_INLINE bool has_angles(const kvf_concat_and_cache_mla_rope_fused_params &p, int64_t position,
                           bool counts) {
  const bool there = position >= 0 && position < p.num_positions;
  if (!there && counts) {
    atomicAdd(p.slots.faults, 1ULL);
  }
  return there;
}

/* Two vectors that a thread moves together. */
struct vector_pair {
  float *at;
  int32_t
      apart; /* the other one, from the first; 0: it is the first again, since there is but one */
  int32_t pairs; /* the first that they hold */
  int32_t low;   /* where they go, in the row of the cache */
};

/* Number `i` of a token: of its queries, of its key, of kv_c. */
KVF_INLINE vector_pair find_pair(const kvf_concat_and_cache_mla_rope_fused_params &p, int64_t token,
                                 uint32_t i, uint32_t per_row, uint32_t queries) {
  if (i >= queries + per_row) {
    const int32_t low = (int32_t)(i - queries - per_row) * 2 * WIDE;
    return {static_cast<float *>(p.kv_c.data) + token * p.kv_c.stride[0] + low,
            low + WIDE < p.kv_lora_rank ? WIDE : 0, 0, low};
  }
  const bool of_key = i >= queries;
  const uint32_t head = of_key                           ? 0
                        : (per_row & (per_row - 1)) == 0 ? i >> (__ffs((int32_t)per_row) - 1)
                                                         : i / per_row;
  const int32_t first = (int32_t)(i - (of_key ? queries : head * per_row)) * WIDE;
  const int32_t low = p.is_neox ? first : 2 * first;
  const kvf_view &source = of_key ? p.k_pe : p.q_pe;
  return {static_cast<float *>(source.data) + token * source.stride[0] + head * p.q_pe.stride[1] +
              low,
          p.is_neox ? p.rope_dim / 2 : WIDE, first, p.kv_lora_rank + low};
}

/*
 * One token in vectors. A thread asks for 1 pair of them, the position and the slot before it waits
 * for one of them, and then for the angles; a token that turns out to be skipped has been read for
 * nothing.
 */
KVF_INLINE void write_pairs_x1(const kvf_concat_and_cache_mla_rope_fused_params &p, int64_t token) {
  enum { TOGETHER = 1 };
  const uint32_t per_row = (uint32_t)p.rope_dim / (2 * WIDE);
  const uint32_t queries = (uint32_t)p.num_heads * per_row;
  const uint32_t rotations = queries + per_row;
  const uint32_t all = rotations + ((uint32_t)p.kv_lora_rank / WIDE + 1) / 2;
  const uint32_t step = gridDim.y * blockDim.x;
  for (uint32_t first = blockIdx.y * blockDim.x + threadIdx.x; first < all;
       first += TOGETHER * step) {
    const int64_t position =
        kvf_index_at(p.positions.data, p.position_bytes, token * p.positions.stride[0]);
    const int64_t slot = kvf_slot_of(p.slots, token);
    vector_pair pairs[TOGETHER];
    float4 low[TOGETHER];
    float4 high[TOGETHER];
#pragma unroll
    for (uint32_t k = 0; k < TOGETHER; ++k) {
      if (k == 0 || first + k * step < all) {
        pairs[k] = find_pair(p, token, first + k * step, per_row, queries);
        low[k] = *reinterpret_cast<const float4 *>(pairs[k].at);
        high[k] = *reinterpret_cast<const float4 *>(pairs[k].at + pairs[k].apart);
      }
    }
    kvf_loads_are_made();
    int64_t block;
    int64_t offset;
    const bool writes = kvf_place(p.slots, slot, first == 0, &block, &offset);
    if ((!writes && !p.rotate_skipped) || !has_angles(p, position, first == 0)) {
      return;
    }
#pragma unroll
    for (uint32_t k = 0; k < TOGETHER; ++k) {
      const uint32_t i = first + k * step;
      if ((k > 0 && i >= all) || (i >= queries && !writes)) {
        return; /* k_pe and the cache are left alone, and i only grows */
      }
      if (i < rotations) {
        rotate_by(p, low[k], high[k], position * p.cos_sin_cache.stride[0] + pairs[k].pairs);
        *reinterpret_cast<float4 *>(pairs[k].at) = low[k];
        *reinterpret_cast<float4 *>(pairs[k].at + pairs[k].apart) = high[k];
      }
      if (i >= queries) {
        float *cached = static_cast<float *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                        offset * p.kv_cache.stride[1] + pairs[k].low;
        store_cached(low[k], cached);
        store_cached(high[k], cached + pairs[k].apart);
      }
    }
  }
}

/*
 * One token in vectors. A thread asks for 2 pairs of them, the position and the slot before it
 * waits for one of them, and then for the angles; a token that turns out to be skipped has been
 * read for nothing.
 */
KVF_INLINE void write_pairs_x2(const kvf_concat_and_cache_mla_rope_fused_params &p, int64_t token) {
  enum { TOGETHER = 2 };
  const uint32_t per_row = (uint32_t)p.rope_dim / (2 * WIDE);
  const uint32_t queries = (uint32_t)p.num_heads * per_row;
  const uint32_t rotations = queries + per_row;
  const uint32_t all = rotations + ((uint32_t)p.kv_lora_rank / WIDE + 1) / 2;
  const uint32_t step = gridDim.y * blockDim.x;
  for (uint32_t first = blockIdx.y * blockDim.x + threadIdx.x; first < all;
       first += TOGETHER * step) {
    const int64_t position =
        kvf_index_at(p.positions.data, p.position_bytes, token * p.positions.stride[0]);
    const int64_t slot = kvf_slot_of(p.slots, token);
    vector_pair pairs[TOGETHER];
    float4 low[TOGETHER];
    float4 high[TOGETHER];
#pragma unroll
    for (uint32_t k = 0; k < TOGETHER; ++k) {
      if (k == 0 || first + k * step < all) {
        pairs[k] = find_pair(p, token, first + k * step, per_row, queries);
        low[k] = *reinterpret_cast<const float4 *>(pairs[k].at);
        high[k] = *reinterpret_cast<const float4 *>(pairs[k].at + pairs[k].apart);
      }
    }
    kvf_loads_are_made();
    int64_t block;
    int64_t offset;
    const bool writes = kvf_place(p.slots, slot, first == 0, &block, &offset);
    if ((!writes && !p.rotate_skipped) || !has_angles(p, position, first == 0)) {
      return;
    }
#pragma unroll
    for (uint32_t k = 0; k < TOGETHER; ++k) {
      const uint32_t i = first + k * step;
      if ((k > 0 && i >= all) || (i >= queries && !writes)) {
        return; /* k_pe and the cache are left alone, and i only grows */
      }
      if (i < rotations) {
        rotate_by(p, low[k], high[k], position * p.cos_sin_cache.stride[0] + pairs[k].pairs);
        *reinterpret_cast<float4 *>(pairs[k].at) = low[k];
        *reinterpret_cast<float4 *>(pairs[k].at + pairs[k].apart) = high[k];
      }
      if (i >= queries) {
        float *cached = static_cast<float *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
                        offset * p.kv_cache.stride[1] + pairs[k].low;
        store_cached(low[k], cached);
        store_cached(high[k], cached + pairs[k].apart);
      }
    }
  }
}

/* The same by the launch: with less than a thread for each pair of vectors, threads have two at a
 * time. */
KVF_INLINE void write_wide(const kvf_concat_and_cache_mla_rope_fused_params &p, int64_t token) {
  const uint32_t rotations = ((uint32_t)p.num_heads + 1) * ((uint32_t)p.rope_dim / (2 * WIDE));
  if (gridDim.y * blockDim.x >= rotations + ((uint32_t)p.kv_lora_rank / WIDE + 1) / 2) {
    write_pairs_x1(p, token);
  } else {
    write_pairs_x2(p, token);
  }
}

/* One token, any strides: pair by pair, and vectors of kv_c. */
KVF_INLINE void write_narrow(const kvf_concat_and_cache_mla_rope_fused_params &p, int64_t token) {
  const uint32_t per_row = (uint32_t)p.rope_dim / 2;
  const uint32_t queries = (uint32_t)p.num_heads * per_row;
  const uint32_t all = queries + per_row + (uint32_t)(p.kv_lora_rank / p.vector_elements);
  const token_rows rows = find_rows(p, token);
  const bool counts = threadIdx.x == 0 && blockIdx.y == 0;
  const int64_t position =
      kvf_index_at(p.positions.data, p.position_bytes, token * p.positions.stride[0]);
  int64_t block;
  int64_t offset;
  const bool writes = kvf_locate(p.slots, token, counts, &block, &offset);
  if ((!writes && !p.rotate_skipped) || !has_angles(p, position, counts)) {
    return;
  }
  const int64_t angles = position * p.cos_sin_cache.stride[0];
  float *row = nullptr;
  if (writes) {
    row = static_cast<float *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
          offset * p.kv_cache.stride[1];
  }
  for (uint32_t i = blockIdx.y * blockDim.x + threadIdx.x; i < all; i += gridDim.y * blockDim.x) {
    if (i >= queries && !writes) {
      break; /* k_pe and the cache are left alone */
    }
    if (i >= queries + per_row) {
      write_latent(p, rows.kv_c, row, i - queries - per_row);
    } else if (i >= queries) {
      rotate_one(p, angles, rows.k_pe, p.k_pe.stride[1], (int32_t)(i - queries),
                 row + p.kv_lora_rank * p.kv_cache.stride[2]);
    } else {
      const uint32_t head = i / per_row;
      rotate_one(p, angles, rows.q_pe + head * p.q_pe.stride[1], p.q_pe.stride[2],
                 (int32_t)(i - head * per_row), nullptr);
    }
  }
}

/* Blocks that share a multiprocessor at least: with more, registers would spill. */
enum { BLOCKS = 4 };

/* Grid: x tokens, y parts of a token. Block: x pairs of vectors of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256, BLOCKS)
    kvf_cuda_concat_and_cache_mla_rope_fused__f32__f32(
        const __grid_constant__ kvf_concat_and_cache_mla_rope_fused_params p) {
  kvf_begin_kernel();
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  if (p.vector_pairs == WIDE) {
    write_wide(p, token);
  } else {
    write_narrow(p, token);
  }
}
