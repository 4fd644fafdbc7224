/*
 * Generated from templates/cuda/reshape_and_cache_flash_nvfp4.cu.j2 and
 * generator/spec/reshape_and_cache_flash_nvfp4.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/reshape_and_cache_flash_nvfp4.h"
#include "kvforge/cache/nvfp4.h"
#include "kvforge/cuda_fp4.cuh"

enum { GROUP = 16 };

KVF_INLINE void widen_x2(uint32_t word, float *v) {
  v[0] = kvf_f32_from_bf16((uint16_t)word);
  v[1] = kvf_float(word & 0xFFFF0000u);
}

/* Pairs of elements, the first in the lower half. */
struct group_words {
  uint32_t pairs[GROUP / 2];
};

KVF_INLINE uint32_t load_pair(const uint16_t *from, int64_t stride) {
  return from[0] | (uint32_t)from[stride] << 16;
}

/* `whole`: in vectors of 16 bytes. */
KVF_INLINE group_words load_words(const uint16_t *from, int64_t stride, bool whole) {
  group_words group;
  if (whole) {
#pragma unroll
    for (int32_t i = 0; i < GROUP / 8; ++i) {
      const uint4 words = reinterpret_cast<const uint4 *>(from)[i];
      group.pairs[4 * i + 0] = words.x;
      group.pairs[4 * i + 1] = words.y;
      group.pairs[4 * i + 2] = words.z;
      group.pairs[4 * i + 3] = words.w;
    }
    return group;
  }
#pragma unroll
  for (int32_t i = 0; i < GROUP / 2; ++i) {
    group.pairs[i] = load_pair(from + 2 * i * stride, stride);
  }
  return group;
}

KVF_INLINE void widen_words(const group_words &group, float (&v)[GROUP]) {
#pragma unroll
  for (int32_t i = 0; i < GROUP / 2; ++i) {
    widen_x2(group.pairs[i], v + 2 * i);
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

/* Signs of half a group, where their codes have them. */
KVF_INLINE uint32_t signs_of(const group_words &group, int32_t half) {
  return kvf_e2m1_signs_x8(group.pairs + GROUP / 4 * half);
}

/* The largest magnitude; a NaN if there is one. */
KVF_INLINE uint32_t largest_or_nan_of(const group_words &group) {
  uint32_t largest = 0;
#pragma unroll
  for (int32_t i = 0; i < GROUP / 2; ++i) {
    largest = kvf_larger_or_nan_x2_bf16(largest, group.pairs[i]);
  }
  float both[2];
  widen_x2(largest, both);
  return kvf_bits(kvf_larger_or_nan(both[0], both[1]));
}

/* A group as it is stored. */
struct encoded {
  uint32_t low; /* the first eight codes */
  uint32_t high;
  uint32_t block_scale;
};

/* A group whose largest element becomes `top`; `numbers`: without a NaN. */
KVF_INLINE encoded encode(const float (&v)[GROUP], const uint32_t (&signs)[2], uint32_t largest,
                          bool numbers, float top, float inverse) {
  encoded group;
  group.block_scale = kvf_nvfp4_block_scale(largest, top, inverse);
  const float multiplier = kvf_nvfp4_multiplier(group.block_scale, inverse);
  const bool quick = numbers && kvf_e2m1_is_quick(multiplier);
  group.low = quantise_x8(v, signs[0], multiplier, quick);
  group.high = quantise_x8(v + 8, signs[1], multiplier, quick);
  return group;
}

/*
 * One group, of whose halves the signs are known, and the bits of the largest magnitude, or of a
 * NaN if there is one. `inverse`: of the scale beside block scales. `whole`: its 8 bytes in one
 * access.
 */
KVF_INLINE void store_group(const float (&v)[GROUP], const uint32_t (&signs)[2], uint32_t largest,
                            uint8_t *codes, uint8_t *scale_at, float inverse, bool whole) {
  const bool numbers = largest <= 0x7F800000u;
  if (!numbers) {
    largest = largest_of(v);
  }
  const encoded group = encode(v, signs, largest, numbers, 6.0f, inverse);
  *scale_at = (uint8_t)group.block_scale;
  if (whole) {
    *reinterpret_cast<uint2 *>(codes) = make_uint2(group.low, group.high);
    return;
  }
#pragma unroll
  for (int32_t i = 0; i < 4; ++i) {
    codes[i] = (uint8_t)(group.low >> 8 * i);
    codes[4 + i] = (uint8_t)(group.high >> 8 * i);
  }
}

/* Where groups of a head lie, in what a thread has of a token. */
struct group_place {
  uint32_t head;
  uint32_t group;
};

KVF_INLINE group_place find_group(uint32_t i, uint32_t groups_per_head) {
  const uint32_t head = i / groups_per_head;
  return {head, i - head * groups_per_head};
}

/* A group of K and the one of V beside it; zeros where a head is shorter. */
struct loaded {
  group_words key;
  group_words value;
};

KVF_INLINE loaded load_both(const kvf_reshape_and_cache_flash_nvfp4_params &p, const uint16_t *key,
                            const uint16_t *value, const group_place &at) {
  const bool whole = p.vector_elements == GROUP;
  loaded words = {};
  if (at.group < (uint32_t)p.head_size / GROUP) {
    words.key = load_words(key + at.head * p.key.stride[1] + at.group * GROUP * p.key.stride[2],
                           p.key.stride[2], whole);
  }
  if (at.group < (uint32_t)p.value_head_size / GROUP) {
    words.value =
        load_words(value + at.head * p.value.stride[1] + at.group * GROUP * p.value.stride[2],
                   p.value.stride[2], whole);
  }
  return words;
}

/* Grid: x tokens, y parts of a token. Block: x groups of a token, y tokens. */
extern "C" __global__ void __launch_bounds__(256)
    kvf_cuda_reshape_and_cache_flash_nvfp4__bf16__nvfp4(
        const __grid_constant__ kvf_reshape_and_cache_flash_nvfp4_params p) {
  kvf_begin_kernel();
  const int64_t token = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (token >= p.slots.num_tokens) {
    return;
  }
  const uint16_t *key = static_cast<const uint16_t *>(p.key.data) + token * p.key.stride[0];
  const uint16_t *value = static_cast<const uint16_t *>(p.value.data) + token * p.value.stride[0];
  const bool whole = p.vector_elements == GROUP;
  const uint32_t key_groups = (uint32_t)p.head_size / GROUP;
  const uint32_t value_groups = (uint32_t)p.value_head_size / GROUP;
  const uint32_t groups_per_head = max(key_groups, value_groups);
  const uint32_t groups = (uint32_t)p.num_heads * groups_per_head;
  uint32_t i = blockIdx.y * blockDim.x + threadIdx.x;
  if (i >= groups) {
    return;
  }
  const int64_t slot = kvf_slot_of(p.slots, token);
  group_place at = find_group(i, groups_per_head);
  loaded words = load_both(p, key, value, at);
  int64_t block;
  int64_t offset;
  if (!kvf_place(p.slots, slot, i == 0, &block, &offset)) {
    return;
  }
  uint8_t *key_cache = static_cast<uint8_t *>(p.key_cache.data) + block * p.key_cache.stride[0] +
                       offset * p.key_cache.stride[1];
  uint8_t *value_cache = static_cast<uint8_t *>(p.value_cache.data) +
                         block * p.value_cache.stride[0] + offset * p.value_cache.stride[1];
  uint8_t *k_scales =
      static_cast<uint8_t *>(p.k_block_scales.data) + block * p.k_block_scales.stride[0];
  uint8_t *v_scales =
      static_cast<uint8_t *>(p.v_block_scales.data) + block * p.v_block_scales.stride[0];
#pragma unroll 1
  for (;;) {
    i += gridDim.y * blockDim.x;
    const bool last = i >= groups;
    const group_place next = last ? at : find_group(i, groups_per_head);
    const int64_t head = at.head;
    const int64_t group = at.group;
    if (group < key_groups) {
      const float k_scale = static_cast<const float *>(p.k_scale.data)[head * p.k_scale.stride[0]];
      float key_group[GROUP];
      widen_words(words.key, key_group);
      const uint32_t key_signs[2] = {signs_of(words.key, 0), signs_of(words.key, 1)};
      store_group(key_group, key_signs, largest_or_nan_of(words.key),
                  key_cache + head * p.key_cache.stride[2] + group * (GROUP / 2),
                  k_scales + offset * p.k_block_scales.stride[1] +
                      head * p.k_block_scales.stride[2] + group,
                  1.0f / k_scale, whole);
    }
    if (group < value_groups) {
      const float v_scale = static_cast<const float *>(p.v_scale.data)[head * p.v_scale.stride[0]];
      int64_t token_place = offset;
      int64_t group_place = group;
      if (p.swizzle_v_scales) {
        kvf_nvfp4_swizzle(&token_place, &group_place, value_groups);
      }
      float value_group[GROUP];
      widen_words(words.value, value_group);
      const uint32_t value_signs[2] = {signs_of(words.value, 0), signs_of(words.value, 1)};
      store_group(value_group, value_signs, largest_or_nan_of(words.value),
                  value_cache + head * p.value_cache.stride[2] + group * (GROUP / 2),
                  v_scales + token_place * p.v_block_scales.stride[1] +
                      head * p.v_block_scales.stride[2] + group_place,
                  1.0f / v_scale, whole);
    }
    if (last) {
      return;
    }
    at = next;
    words =
        load_both(p, key, value, at); /* not before: registers leave room for fewer warps then */
  }
}
