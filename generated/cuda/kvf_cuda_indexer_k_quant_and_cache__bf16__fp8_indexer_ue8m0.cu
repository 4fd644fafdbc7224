/*
 * Generated from templates/cuda/indexer_k_quant_and_cache.cu.j2 and
 * generator/spec/indexer_k_quant_and_cache.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/indexer_k_quant_and_cache.h"
#include "kvforge/cache/indexer.h"

/* Four elements, quantised; the first in the lowest byte. */
KVF_INLINE uint32_t quantise_x4(const uint2 v, float inverse) {
  return kvf_fp8_e4m3x4_from_f32(kvf_f32_from_bf16((uint16_t)v.x) * inverse,
                                 kvf_f32_from_bf16((uint16_t)(v.x >> 16)) * inverse,
                                 kvf_f32_from_bf16((uint16_t)v.y) * inverse,
                                 kvf_f32_from_bf16((uint16_t)(v.y >> 16)) * inverse);
}

/* 16 elements. */
struct source_x16 {
  uint4 v[2];
};

KVF_INLINE source_x16 load_x16(const uint16_t *from) {
  source_x16 source;
  source.v[0] = reinterpret_cast<const uint4 *>(from)[0];
  source.v[1] = reinterpret_cast<const uint4 *>(from)[1];
  return source;
}

KVF_INLINE void store_x16(const source_x16 &source, uint8_t *to, float inverse) {
  *reinterpret_cast<uint4 *>(to) =
      make_uint4(quantise_x4(make_uint2(source.v[0].x, source.v[0].y), inverse),
                 quantise_x4(make_uint2(source.v[0].z, source.v[0].w), inverse),
                 quantise_x4(make_uint2(source.v[1].x, source.v[1].y), inverse),
                 quantise_x4(make_uint2(source.v[1].z, source.v[1].w), inverse));
}

/* 4 elements. */
struct source_x4 {
  uint2 v;
};

KVF_INLINE source_x4 load_x4(const uint16_t *from) {
  source_x4 source;
  source.v = *reinterpret_cast<const uint2 *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, uint8_t *to, float inverse) {
  *reinterpret_cast<uint32_t *>(to) = quantise_x4(source.v, inverse);
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

KVF_INLINE void store_x1(const source_x1 &source, uint8_t *to, float inverse) {
  *to = kvf_fp8_e4m3_from_f32(kvf_f32_from_bf16(source.v) * inverse);
}

/* The larger of a magnitude and those of a few elements, NaNs left out. */
KVF_INLINE float larger_of(float largest, uint16_t v) {
  return kvf_larger_magnitude(largest, kvf_f32_from_bf16(v));
}
KVF_INLINE float larger_of(float largest, uint32_t v) {
  return larger_of(larger_of(largest, (uint16_t)v), (uint16_t)(v >> 16));
}
KVF_INLINE float larger_of(float largest, const uint2 &v) {
  return larger_of(larger_of(largest, v.x), v.y);
}
KVF_INLINE float larger_of(float largest, const uint4 &v) {
  return larger_of(larger_of(larger_of(larger_of(largest, v.x), v.y), v.z), v.w);
}

KVF_INLINE uint32_t largest_x16(const source_x16 &source) {
  float largest = 0.0f;
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    largest = larger_of(largest, source.v[i]);
  }
  return kvf_bits(largest);
}

KVF_INLINE uint32_t largest_x4(const source_x4 &source) {
  return kvf_bits(larger_of(0.0f, source.v));
}

KVF_INLINE uint32_t largest_x1(const source_x1 &source) {
  return kvf_bits(larger_of(0.0f, source.v));
}

enum { WARP = 32 };

/* The largest of 2^bits neighbouring lanes. All lanes of the warp take part. */
KVF_INLINE uint32_t largest_of_lanes(uint32_t largest, int32_t bits) {
  if (1 << bits == WARP) {
    return __reduce_max_sync(0xFFFFFFFFu, largest);
  }
  for (int32_t distance = 1 << bits >> 1; distance > 0; distance /= 2) {
    largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
  }
  return largest;
}

/* A scale in one piece, or byte by byte where a page begins anywhere. */
KVF_INLINE void store_scale(uint8_t *to, uint32_t scale, bool aligned) {
  if (aligned) {
    *reinterpret_cast<uint32_t *>(to) = scale;
    return;
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    to[i] = (uint8_t)(scale >> 8 * i);
  }
}

/*
 * One group, 16 elements at a time. All lanes of the warp come here, those without a group to write
 * too, since they take part in the exchange.
 */
KVF_INLINE void write_group_x16(const kvf_indexer_k_quant_and_cache_params &p) {
  const int64_t thread = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  const int32_t lane = (int32_t)threadIdx.x & ((1 << p.lane_bits) - 1);
  const int64_t number = thread >> p.lane_bits;
  const int64_t token = p.by_groups.value > 1 ? kvf_divide(number, p.by_groups) : number;
  const int64_t group = number - token * p.by_groups.value;
  const bool exists = token < p.slots.num_tokens; /* else no address is made */
  const uint16_t *from = static_cast<const uint16_t *>(p.k.data);
  source_x16 loaded;
  const int32_t first = lane * 16;
  if (exists) {
    from += token * p.k.stride[0] + group * p.group_size * p.k.stride[1];
    loaded = load_x16(from + first);
  }
  int64_t block = 0;
  int64_t offset = 0;
  const bool active =
      exists && kvf_locate(p.slots, token, lane == 0 && group == 0, &block, &offset);
  const int32_t step = 16 << p.lane_bits;
  uint32_t largest = exists ? largest_x16(loaded) : 0;
  /* Groups are rarely longer than one step. */
#pragma unroll 1
  for (int64_t i = first + step; active && i < p.group_size; i += step) {
    largest = max(largest, largest_x16(load_x16(from + i)));
  }
  largest = largest_of_lanes(largest, p.lane_bits);
  if (!active) {
    return;
  }
  uint8_t *page = static_cast<uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0];
  uint8_t *codes = page + offset * p.head_dim + group * p.group_size;
  const float scale = kvf_fp8_indexer_ue8m0_scale(largest);
  const float inverse = 1.0f / scale;
  store_x16(loaded, codes + first, inverse);
  /* What was read before is still in the nearest cache. */
#pragma unroll 1
  for (int64_t i = first + step; i < p.group_size; i += step) {
    store_x16(load_x16(from + i), codes + i, inverse);
  }
  if (lane == 0) {
    uint8_t *scales =
        page + kvf_indexer_scales_at(p.slots.block_size, p.head_dim, p.by_groups.value, offset);
    store_scale(scales + 4 * group, kvf_bits(scale), p.scales_aligned);
  }
}

/*
 * One group, 4 elements at a time. All lanes of the warp come here, those without a group to write
 * too, since they take part in the exchange.
 */
KVF_INLINE void write_group_x4(const kvf_indexer_k_quant_and_cache_params &p) {
  const int64_t thread = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  const int32_t lane = (int32_t)threadIdx.x & ((1 << p.lane_bits) - 1);
  const int64_t number = thread >> p.lane_bits;
  const int64_t token = p.by_groups.value > 1 ? kvf_divide(number, p.by_groups) : number;
  const int64_t group = number - token * p.by_groups.value;
  const bool exists = token < p.slots.num_tokens; /* else no address is made */
  const uint16_t *from = static_cast<const uint16_t *>(p.k.data);
  source_x4 loaded;
  const int32_t first = lane * 4;
  if (exists) {
    from += token * p.k.stride[0] + group * p.group_size * p.k.stride[1];
    loaded = load_x4(from + first);
  }
  int64_t block = 0;
  int64_t offset = 0;
  const bool active =
      exists && kvf_locate(p.slots, token, lane == 0 && group == 0, &block, &offset);
  const int32_t step = 4 << p.lane_bits;
  uint32_t largest = exists ? largest_x4(loaded) : 0;
  /* Groups are rarely longer than one step. */
#pragma unroll 1
  for (int64_t i = first + step; active && i < p.group_size; i += step) {
    largest = max(largest, largest_x4(load_x4(from + i)));
  }
  largest = largest_of_lanes(largest, p.lane_bits);
  if (!active) {
    return;
  }
  uint8_t *page = static_cast<uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0];
  uint8_t *codes = page + offset * p.head_dim + group * p.group_size;
  const float scale = kvf_fp8_indexer_ue8m0_scale(largest);
  const float inverse = 1.0f / scale;
  store_x4(loaded, codes + first, inverse);
  /* What was read before is still in the nearest cache. */
#pragma unroll 1
  for (int64_t i = first + step; i < p.group_size; i += step) {
    store_x4(load_x4(from + i), codes + i, inverse);
  }
  if (lane == 0) {
    uint8_t *scales =
        page + kvf_indexer_scales_at(p.slots.block_size, p.head_dim, p.by_groups.value, offset);
    store_scale(scales + 4 * group, kvf_bits(scale), p.scales_aligned);
  }
}

/*
 * One group, 1 element at a time. All lanes of the warp come here, those without a group to write
 * too, since they take part in the exchange.
 */
KVF_INLINE void write_group_x1(const kvf_indexer_k_quant_and_cache_params &p) {
  const int64_t thread = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  const int32_t lane = (int32_t)threadIdx.x & ((1 << p.lane_bits) - 1);
  const int64_t number = thread >> p.lane_bits;
  const int64_t token = p.by_groups.value > 1 ? kvf_divide(number, p.by_groups) : number;
  const int64_t group = number - token * p.by_groups.value;
  const bool exists = token < p.slots.num_tokens; /* else no address is made */
  const uint16_t *from = static_cast<const uint16_t *>(p.k.data);
  source_x1 loaded;
  const int32_t first = lane * 1;
  if (exists) {
    from += token * p.k.stride[0] + group * p.group_size * p.k.stride[1];
    loaded = load_x1(from + first * p.k.stride[1]);
  }
  int64_t block = 0;
  int64_t offset = 0;
  const bool active =
      exists && kvf_locate(p.slots, token, lane == 0 && group == 0, &block, &offset);
  const int32_t step = 1 << p.lane_bits;
  uint32_t largest = exists ? largest_x1(loaded) : 0;
  /* Groups are rarely longer than one step. */
#pragma unroll 1
  for (int64_t i = first + step; active && i < p.group_size; i += step) {
    largest = max(largest, largest_x1(load_x1(from + i * p.k.stride[1])));
  }
  largest = largest_of_lanes(largest, p.lane_bits);
  if (!active) {
    return;
  }
  uint8_t *page = static_cast<uint8_t *>(p.kv_cache.data) + block * p.kv_cache.stride[0];
  uint8_t *codes = page + offset * p.head_dim + group * p.group_size;
  const float scale = kvf_fp8_indexer_ue8m0_scale(largest);
  const float inverse = 1.0f / scale;
  store_x1(loaded, codes + first, inverse);
  /* What was read before is still in the nearest cache. */
#pragma unroll 1
  for (int64_t i = first + step; i < p.group_size; i += step) {
    store_x1(load_x1(from + i * p.k.stride[1]), codes + i, inverse);
  }
  if (lane == 0) {
    uint8_t *scales =
        page + kvf_indexer_scales_at(p.slots.block_size, p.head_dim, p.by_groups.value, offset);
    store_scale(scales + 4 * group, kvf_bits(scale), p.scales_aligned);
  }
}

/*
 * The same where a token is one group, a lane has 16 elements of it, and numbers are small: few
 * threads wait for instructions as long as for memory. Lanes without a token read the first one's.
 */
KVF_INLINE void write_key_x16(const kvf_narrow_keys &keys) {
  const uint32_t thread = blockIdx.x * blockDim.x + threadIdx.x;
  const uint32_t lane = thread & ((1u << keys.lane_bits) - 1);
  const uint32_t number = thread >> keys.lane_bits;
  const bool exists = number < keys.num_rows;
  const uint32_t row = exists ? number : 0;
  const source_x16 loaded = load_x16(
      reinterpret_cast<const uint16_t *>(keys.from + (uint64_t)row * keys.from_stride + lane * 32));
  const uint32_t *words =
      reinterpret_cast<const uint32_t *>(keys.mapping + (uint64_t)row * keys.mapping_stride);
  const uint32_t slot = words[0];
  const uint32_t high = keys.index_bytes == 8 ? words[1] : 0;
  kvf_loads_are_made();
  const uint32_t largest = largest_of_lanes(largest_x16(loaded), keys.lane_bits);
  if (!exists || slot >= keys.num_slots || high != 0) {
    if (exists && lane == 0 && (int32_t)(keys.index_bytes == 8 ? high : slot) >= 0) {
      atomicAdd(keys.faults, 1ULL);
    }
    return;
  }
  const uint32_t offset = slot & keys.within;
  uint8_t *page = reinterpret_cast<uint8_t *>(keys.to) + (slot >> keys.shift) * keys.page_stride;
  const float scale = kvf_fp8_indexer_ue8m0_scale(largest);
  store_x16(loaded, page + (offset * keys.head_dim + lane * 16), 1.0f / scale);
  if (lane == 0) {
    store_scale(page + (keys.scales_at + 4 * offset), kvf_bits(scale), true);
  }
}

/*
 * The same where a token is one group, a lane has 4 elements of it, a warp all, and numbers are
 * small: few threads wait for instructions as long as for memory. Lanes without a token read the
 * first one's.
 */
KVF_INLINE void write_key_x4(const kvf_narrow_keys &keys) {
  const uint32_t thread = blockIdx.x * blockDim.x + threadIdx.x;
  const uint32_t lane = thread & ((1u << 5) - 1);
  const uint32_t number = thread >> 5;
  const bool exists = number < keys.num_rows;
  const uint32_t row = exists ? number : 0;
  const source_x4 loaded = load_x4(
      reinterpret_cast<const uint16_t *>(keys.from + (uint64_t)row * keys.from_stride + lane * 8));
  const uint32_t *words =
      reinterpret_cast<const uint32_t *>(keys.mapping + (uint64_t)row * keys.mapping_stride);
  const uint32_t slot = words[0];
  const uint32_t high = keys.index_bytes == 8 ? words[1] : 0;
  kvf_loads_are_made();
  const uint32_t largest = largest_of_lanes(largest_x4(loaded), 5);
  if (!exists || slot >= keys.num_slots || high != 0) {
    if (exists && lane == 0 && (int32_t)(keys.index_bytes == 8 ? high : slot) >= 0) {
      atomicAdd(keys.faults, 1ULL);
    }
    return;
  }
  const uint32_t offset = slot & keys.within;
  uint8_t *page = reinterpret_cast<uint8_t *>(keys.to) + (slot >> keys.shift) * keys.page_stride;
  const float scale = kvf_fp8_indexer_ue8m0_scale(largest);
  store_x4(loaded, page + (offset * keys.head_dim + lane * 4), 1.0f / scale);
  if (lane == 0) {
    store_scale(page + (keys.scales_at + 4 * offset), kvf_bits(scale), true);
  }
}

/* Grid: x threads, 2^lane_bits neighbours for each group of each token. */
extern "C" __global__ void __launch_bounds__(256, 5)
    kvf_cuda_indexer_k_quant_and_cache__bf16__fp8_indexer_ue8m0(
        const __grid_constant__ kvf_indexer_k_quant_and_cache_params p) {
  kvf_begin_kernel();
  const kvf_narrow_keys &keys = reinterpret_cast<const kvf_narrow_keys &>(p.k);
  if (__builtin_expect(keys.mark == KVF_NARROW_KEYS, 1)) {
    if (__builtin_expect(keys.vector_elements == 16, 0)) {
      write_key_x16(keys);
      KVF_LEAVE_KERNEL();
    }
    write_key_x4(keys); /* few rows */
    KVF_LEAVE_KERNEL();
  }
  switch (p.vector_elements) {
  case 16:
    write_group_x16(p);
    break;
  case 4:
    write_group_x4(p);
    break;
  default:
    write_group_x1(p);
    break;
  }
}
