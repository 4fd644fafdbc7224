/* What the CUDA kernels share that convert rows from one dtype to another, eight elements at a
 * time. */
#ifndef KVFORGE_CUDA_CONVERT_CUH
#define KVFORGE_CUDA_CONVERT_CUH

#include "kvforge/cache/convert.h"
#include "kvforge/cache/cuda_decode.cuh"

/* Elements of a vector, of whichever size, in the words that they take in memory. */
struct kvf_raw {
  uint32_t word[8];
};

KVF_INLINE kvf_raw kvf_load_x8(const uint8_t *from, int32_t bytes) {
  kvf_raw raw = {};
  if (bytes == 1) {
    const uint2 words = *reinterpret_cast<const uint2 *>(from);
    raw.word[0] = words.x;
    raw.word[1] = words.y;
    return raw;
  }
  const uint4 first = *reinterpret_cast<const uint4 *>(from);
  raw.word[0] = first.x;
  raw.word[1] = first.y;
  raw.word[2] = first.z;
  raw.word[3] = first.w;
  if (bytes == 4) {
    const uint4 second = reinterpret_cast<const uint4 *>(from)[1];
    raw.word[4] = second.x;
    raw.word[5] = second.y;
    raw.word[6] = second.z;
    raw.word[7] = second.w;
  }
  return raw;
}

KVF_INLINE void kvf_store_x8(const kvf_raw &raw, uint8_t *to, int32_t bytes) {
  const uint32_t *word = raw.word;
  if (bytes == 1) {
    *reinterpret_cast<uint2 *>(to) = make_uint2(word[0], word[1]);
    return;
  }
  *reinterpret_cast<uint4 *>(to) = make_uint4(word[0], word[1], word[2], word[3]);
  if (bytes == 4) {
    reinterpret_cast<uint4 *>(to)[1] = make_uint4(word[4], word[5], word[6], word[7]);
  }
}

/* A vector of which only the first element is there. */
KVF_INLINE kvf_raw kvf_load_x1(const uint8_t *from, int32_t bytes) {
  kvf_raw raw = {};
  raw.word[0] = bytes == 1   ? *from
                : bytes == 2 ? *reinterpret_cast<const uint16_t *>(from)
                             : *reinterpret_cast<const uint32_t *>(from);
  return raw;
}

KVF_INLINE void kvf_store_x1(const kvf_raw &raw, uint8_t *to, int32_t bytes) {
  if (bytes == 1) {
    *to = (uint8_t)raw.word[0];
  } else if (bytes == 2) {
    *reinterpret_cast<uint16_t *>(to) = (uint16_t)raw.word[0];
  } else {
    *reinterpret_cast<uint32_t *>(to) = raw.word[0];
  }
}

/* A scale, at any address: on a wire it lies behind codes, however many these are. */
KVF_INLINE float kvf_load_scale(const uint8_t *from) {
  if (reinterpret_cast<uintptr_t>(from) % sizeof(float) == 0) {
    return *reinterpret_cast<const float *>(from);
  }
  return kvf_float((uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
                   (uint32_t)from[3] << 24);
}

KVF_INLINE void kvf_store_scale(uint8_t *to, float scale) {
  if (reinterpret_cast<uintptr_t>(to) % sizeof(float) == 0) {
    *reinterpret_cast<float *>(to) = scale;
    return;
  }
#pragma unroll
  for (int32_t i = 0; i < 4; ++i) {
    to[i] = (uint8_t)(kvf_bits(scale) >> 8 * i);
  }
}

/* One that the call knows, of a layer and head. */
KVF_INLINE uint8_t *kvf_known_scale(const kvf_plane_scales &scales, int64_t layer, int64_t head) {
  const float *found = scales.data + layer * scales.layer + head * scales.head;
  return reinterpret_cast<uint8_t *>(const_cast<float *>(found));
}

KVF_INLINE void kvf_put_x2(float *to, float2 pair) {
  to[0] = pair.x;
  to[1] = pair.y;
}

/* A vector as floats. */
KVF_INLINE void kvf_widen_x8(const kvf_raw &raw, int32_t dtype, float (&v)[8]) {
  const uint32_t *word = raw.word;
  switch (dtype) {
  case KVF_F32:
#pragma unroll
    for (int32_t i = 0; i < 8; ++i) {
      v[i] = kvf_float(word[i]);
    }
    break;
  case KVF_F16:
#pragma unroll
    for (int32_t i = 0; i < 4; ++i) {
      kvf_put_x2(v + 2 * i, kvf_f32x2_from_f16(word[i]));
    }
    break;
  case KVF_BF16:
#pragma unroll
    for (int32_t i = 0; i < 4; ++i) {
      kvf_put_x2(v + 2 * i, kvf_f32x2_from_bf16(word[i]));
    }
    break;
  case KVF_FP8_E4M3:
  case KVF_FP8_PER_TOKEN_HEAD:
#pragma unroll
    for (int32_t i = 0; i < 4; ++i) {
      kvf_put_x2(v + 2 * i, kvf_f32x2_from_fp8_e4m3(word[i / 2] >> 16 * (i % 2) & 0xFFFFu));
    }
    break;
  case KVF_FP8_E5M2:
#pragma unroll
    for (int32_t i = 0; i < 4; ++i) {
      kvf_put_x2(v + 2 * i, kvf_f32x2_from_fp8_e5m2(word[i / 2] >> 16 * (i % 2) & 0xFFFFu));
    }
    break;
  default: /* int8, of either kind of scales */
#pragma unroll
    for (int32_t i = 0; i < 4; ++i) {
      kvf_put_x2(v + 2 * i, kvf_f32x2_from_int8(word[i / 2] >> 16 * (i % 2)));
    }
  }
}

/* Floats as elements of a dtype. */
KVF_INLINE kvf_raw kvf_narrow_x8(const float (&v)[8], int32_t dtype) {
  kvf_raw raw = {};
  uint32_t *word = raw.word;
  switch (dtype) {
  case KVF_F32:
#pragma unroll
    for (int32_t i = 0; i < 8; ++i) {
      word[i] = kvf_bits(kvf_f32_result(v[i]));
    }
    break;
  case KVF_F16:
#pragma unroll
    for (int32_t i = 0; i < 4; ++i) {
      word[i] = kvf_f16x2_result(make_float2(v[2 * i], v[2 * i + 1]));
    }
    break;
  case KVF_BF16:
#pragma unroll
    for (int32_t i = 0; i < 4; ++i) {
      word[i] = kvf_bf16x2_result(make_float2(v[2 * i], v[2 * i + 1]));
    }
    break;
  case KVF_FP8_E4M3:
  case KVF_FP8_PER_TOKEN_HEAD:
    word[0] = kvf_fp8_e4m3x4_from_f32(v[0], v[1], v[2], v[3]);
    word[1] = kvf_fp8_e4m3x4_from_f32(v[4], v[5], v[6], v[7]);
    break;
  case KVF_FP8_E5M2:
    word[0] = kvf_fp8_e5m2x4_from_f32(v[0], v[1], v[2], v[3]);
    word[1] = kvf_fp8_e5m2x4_from_f32(v[4], v[5], v[6], v[7]);
    break;
  case KVF_INT8_PER_TOKEN_HEAD:
    word[0] = kvf_int8_awayx4_from_f32(v[0], v[1], v[2], v[3]);
    word[1] = kvf_int8_awayx4_from_f32(v[4], v[5], v[6], v[7]);
    break;
  default: /* int8, halves rounded to even */
    word[0] = kvf_int8x4_from_f32(v[0], v[1], v[2], v[3]);
    word[1] = kvf_int8x4_from_f32(v[4], v[5], v[6], v[7]);
  }
  return raw;
}

/* The larger of a row's magnitude so far, as bits, and those of a vector. */
KVF_INLINE uint32_t kvf_largest_x8(uint32_t largest, const kvf_raw &raw, int32_t dtype) {
  float v[8];
  kvf_widen_x8(raw, dtype, v);
#pragma unroll
  for (int32_t i = 0; i < 8; ++i) {
    largest = max(largest, kvf_magnitude(v[i]));
  }
  return largest;
}

/*
 * A vector of one dtype as one of another. Codes are multiplied with `scale` to become values;
 * values become codes divided by that of `by`, or multiplied with its inverse where each row has a
 * scale.
 */
KVF_INLINE kvf_raw kvf_convert_x8(const kvf_raw &raw, int32_t from, int32_t to, float scale,
                                  const kvf_divisor &by) {
  float v[8];
  kvf_widen_x8(raw, from, v);
  if (kvf_has_codes(from)) {
#pragma unroll
    for (int32_t i = 0; i < 8; ++i) {
      v[i] = __fmul_rn(v[i], scale);
    }
  }
  if (kvf_has_row_scale(to)) {
#pragma unroll
    for (int32_t i = 0; i < 8; ++i) {
      v[i] = __fmul_rn(v[i], by.inverse);
    }
  } else if (kvf_has_codes(to)) {
    if (by.quick) {
#pragma unroll
      for (int32_t i = 0; i < 8; ++i) {
        v[i] = kvf_quotient(v[i], by);
      }
    } else {
#pragma unroll
      for (int32_t i = 0; i < 8; ++i) {
        v[i] = v[i] / by.scale;
      }
    }
  }
  return kvf_narrow_x8(v, to);
}

#endif
