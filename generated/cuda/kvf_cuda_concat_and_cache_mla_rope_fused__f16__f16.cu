/*
 * Generated from templates/cuda/concat_and_cache_mla_rope_fused.cu.j2 and
 * generator/spec/concat_and_cache_mla_rope_fused.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_and_cache_mla_rope_fused.h"
#include "kvforge/cache/cuda_rope.cuh"

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

/* Rotates the pairs of two vectors: first elements and second ones, or both the pairs themselves.
 */
KVF_INLINE void rotate(uint4 &a, uint4 &b, const uint4 cosines, const uint4 sines, bool is_neox) {
  if (is_neox) {
    kvf_rotate_x2_f16(&a.x, &b.x, cosines.x, sines.x);
    kvf_rotate_x2_f16(&a.y, &b.y, cosines.y, sines.y);
    kvf_rotate_x2_f16(&a.z, &b.z, cosines.z, sines.z);
    kvf_rotate_x2_f16(&a.w, &b.w, cosines.w, sines.w);
  } else {
    kvf_rotate_neighbours_f16(&a.x, &a.y, cosines.x, sines.x);
    kvf_rotate_neighbours_f16(&a.z, &a.w, cosines.y, sines.y);
    kvf_rotate_neighbours_f16(&b.x, &b.y, cosines.z, sines.z);
    kvf_rotate_neighbours_f16(&b.z, &b.w, cosines.w, sines.w);
  }
}

/* The same by the angles at `at` of a table of the scalar dtype. */
KVF_INLINE void rotate_by_table(const kvf_concat_and_cache_mla_rope_fused_params &p, uint4 &a,
                                uint4 &b, int64_t at) {
  const uint16_t *cosines = static_cast<const uint16_t *>(p.cos_sin_cache.data) + at;
  rotate(a, b, *reinterpret_cast<const uint4 *>(cosines),
         *reinterpret_cast<const uint4 *>(cosines + p.rope_dim / 2), p.is_neox);
}

/* The same by angles in f32, rounding the end alone. */
KVF_INLINE void rotate_once(uint4 &a, uint4 &b, const float *cosines, const float *sines,
                            bool is_neox) {
  const float4 cosines0 = *reinterpret_cast<const float4 *>(cosines);
  const float4 cosines1 = *reinterpret_cast<const float4 *>(cosines + 4);
  const float4 sines0 = *reinterpret_cast<const float4 *>(sines);
  const float4 sines1 = *reinterpret_cast<const float4 *>(sines + 4);
  if (is_neox) {
    kvf_rotate_once_x2_f16(&a.x, &b.x, cosines0.x, cosines0.y, sines0.x, sines0.y);
    kvf_rotate_once_x2_f16(&a.y, &b.y, cosines0.z, cosines0.w, sines0.z, sines0.w);
    kvf_rotate_once_x2_f16(&a.z, &b.z, cosines1.x, cosines1.y, sines1.x, sines1.y);
    kvf_rotate_once_x2_f16(&a.w, &b.w, cosines1.z, cosines1.w, sines1.z, sines1.w);
  } else {
    kvf_rotate_once_neighbours_f16(&a.x, cosines0.x, sines0.x);
    kvf_rotate_once_neighbours_f16(&a.y, cosines0.y, sines0.y);
    kvf_rotate_once_neighbours_f16(&a.z, cosines0.z, sines0.z);
    kvf_rotate_once_neighbours_f16(&a.w, cosines0.w, sines0.w);
    kvf_rotate_once_neighbours_f16(&b.x, cosines1.x, sines1.x);
    kvf_rotate_once_neighbours_f16(&b.y, cosines1.y, sines1.y);
    kvf_rotate_once_neighbours_f16(&b.z, cosines1.z, sines1.z);
    kvf_rotate_once_neighbours_f16(&b.w, cosines1.w, sines1.w);
  }
}

/* The same by the angles at `at` of the table that there is. */
KVF_INLINE void rotate_by(const kvf_concat_and_cache_mla_rope_fused_params &p, uint4 &a, uint4 &b,
                          int64_t at) {
  if (p.f32_angles) {
    const float *cosines = static_cast<const float *>(p.cos_sin_cache.data) + at;
    rotate_once(a, b, cosines, cosines + p.rope_dim / 2, p.is_neox);
    return;
  }
  rotate_by_table(p, a, b, at);
}

/* A rotated vector to the cache. */
KVF_INLINE void store_cached(const uint4 v, uint16_t *to) { *reinterpret_cast<uint4 *>(to) = v; }

/* One pair, any strides. */
KVF_INLINE void rotate_one(const kvf_concat_and_cache_mla_rope_fused_params &p, int64_t angles,
                           uint16_t *row, int64_t stride, int32_t pair, uint16_t *cached) {
  const int64_t step = p.cos_sin_cache.stride[1];
  const int64_t low = p.is_neox ? pair : 2 * pair;
  const int64_t high = p.is_neox ? pair + p.rope_dim / 2 : 2 * pair + 1;
  const int64_t cosine_at = angles + pair * step;
  const int64_t sine_at = cosine_at + p.rope_dim / 2 * step;
  uint32_t x = row[low * stride]; /* the upper halves are pairs of zeros */
  uint32_t y = row[high * stride];
  if (p.f32_angles) {
    const float *table = static_cast<const float *>(p.cos_sin_cache.data);
    kvf_rotate_once_x2_f16(&x, &y, table[cosine_at], 0.0f, table[sine_at], 0.0f);
  } else {
    const uint16_t *table = static_cast<const uint16_t *>(p.cos_sin_cache.data);
    kvf_rotate_x2_f16(&x, &y, table[cosine_at], table[sine_at]);
  }
  row[low * stride] = (uint16_t)x;
  row[high * stride] = (uint16_t)y;
  if (cached != nullptr) {
    cached[low * p.kv_cache.stride[2]] = (uint16_t)x;
    cached[high * p.kv_cache.stride[2]] = (uint16_t)y;
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

/* Where the parts of a token are. */
struct token_rows {
  uint16_t *q_pe;
  uint16_t *k_pe;
  const uint16_t *kv_c;
};

KVF_INLINE token_rows find_rows(const kvf_concat_and_cache_mla_rope_fused_params &p,
                                int64_t token) {
  return {static_cast<uint16_t *>(p.q_pe.data) + token * p.q_pe.stride[0],
          static_cast<uint16_t *>(p.k_pe.data) + token * p.k_pe.stride[0],
          static_cast<const uint16_t *>(p.kv_c.data) + token * p.kv_c.stride[0]};
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
  uint16_t *at;
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
    return {static_cast<uint16_t *>(p.kv_c.data) + token * p.kv_c.stride[0] + low,
            low + WIDE < p.kv_lora_rank ? WIDE : 0, 0, low};
  }
  const bool of_key = i >= queries;
  const uint32_t head = of_key                           ? 0
                        : (per_row & (per_row - 1)) == 0 ? i >> (__ffs((int32_t)per_row) - 1)
                                                         : i / per_row;
  const int32_t first = (int32_t)(i - (of_key ? queries : head * per_row)) * WIDE;
  const int32_t low = p.is_neox ? first : 2 * first;
  const kvf_view &source = of_key ? p.k_pe : p.q_pe;
  return {static_cast<uint16_t *>(source.data) + token * source.stride[0] +
              head * p.q_pe.stride[1] + low,
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
    uint4 low[TOGETHER];
    uint4 high[TOGETHER];
#pragma unroll
    for (uint32_t k = 0; k < TOGETHER; ++k) {
      if (k == 0 || first + k * step < all) {
        pairs[k] = find_pair(p, token, first + k * step, per_row, queries);
        low[k] = *reinterpret_cast<const uint4 *>(pairs[k].at);
        high[k] = *reinterpret_cast<const uint4 *>(pairs[k].at + pairs[k].apart);
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
        *reinterpret_cast<uint4 *>(pairs[k].at) = low[k];
        *reinterpret_cast<uint4 *>(pairs[k].at + pairs[k].apart) = high[k];
      }
      if (i >= queries) {
        uint16_t *cached = static_cast<uint16_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
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
    uint4 low[TOGETHER];
    uint4 high[TOGETHER];
#pragma unroll
    for (uint32_t k = 0; k < TOGETHER; ++k) {
      if (k == 0 || first + k * step < all) {
        pairs[k] = find_pair(p, token, first + k * step, per_row, queries);
        low[k] = *reinterpret_cast<const uint4 *>(pairs[k].at);
        high[k] = *reinterpret_cast<const uint4 *>(pairs[k].at + pairs[k].apart);
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
        *reinterpret_cast<uint4 *>(pairs[k].at) = low[k];
        *reinterpret_cast<uint4 *>(pairs[k].at + pairs[k].apart) = high[k];
      }
      if (i >= queries) {
        uint16_t *cached = static_cast<uint16_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
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
  uint16_t *row = nullptr;
  if (writes) {
    row = static_cast<uint16_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0] +
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
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
enum { BLOCKS = 3 };
#else
enum { BLOCKS = 4 };
#endif

/* Grid: x tokens, y parts of a token. Block: x pairs of vectors of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256, BLOCKS)
    kvf_cuda_concat_and_cache_mla_rope_fused__f16__f16(
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
