/* What the CUDA kernels share that convert rows from one dtype to another, eight elements at a
 * time. */
#ifndef KVFORGE_CUDA_CONVERT_CUH
#define KVFORGE_CUDA_CONVERT_CUH

#include "kvforge/cache/convert.h"
#include "kvforge/cache/cuda_decode.cuh"

/* Vectors that a thread has at once: a dtype is looked at once for all of them. */
enum { KVF_AT_ONCE = 4 };

/* Has memory that is read soon brought into the L2 cache. */
KVF_INLINE void kvf_prefetch(const uint8_t *from, int64_t bytes) {
#if defined(__CUDA_ARCH__)
  enum { LINE = 128 };
  for (int64_t i = 0; i < bytes; i += LINE) {
    asm volatile("prefetch.global.L2 [%0];" ::"l"(from + i));
  }
#else
  (void)from, (void)bytes;
#endif
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

/* Vectors of 8 elements, or of one, as floats. */
typedef float kvf_floats_x8[KVF_AT_ONCE * 8];
typedef float kvf_floats_x1[KVF_AT_ONCE];

KVF_INLINE void kvf_put_x2(float *to, float2 pair) {
  to[0] = pair.x;
  to[1] = pair.y;
}

/* Elements of 2 bytes, and codes. */
#define KVF_WIDEN_X8(token)                                                                        \
  KVF_INLINE void kvf_widen_##token##_x8(const uint4(&words)[KVF_AT_ONCE], kvf_floats_x8 &v) {     \
    _Pragma("unroll") for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {                                  \
      kvf_put_x2(v + 8 * k, kvf_f32x2_from_##token(words[k].x));                                   \
      kvf_put_x2(v + 8 * k + 2, kvf_f32x2_from_##token(words[k].y));                               \
      kvf_put_x2(v + 8 * k + 4, kvf_f32x2_from_##token(words[k].z));                               \
      kvf_put_x2(v + 8 * k + 6, kvf_f32x2_from_##token(words[k].w));                               \
    }                                                                                              \
  }
#define KVF_WIDEN_CODES_X8(token)                                                                  \
  KVF_INLINE void kvf_widen_##token##_x8(const uint2(&words)[KVF_AT_ONCE], kvf_floats_x8 &v) {     \
    _Pragma("unroll") for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {                                  \
      kvf_put_x2(v + 8 * k, kvf_f32x2_from_##token(words[k].x & 0xFFFFu));                         \
      kvf_put_x2(v + 8 * k + 2, kvf_f32x2_from_##token(words[k].x >> 16));                         \
      kvf_put_x2(v + 8 * k + 4, kvf_f32x2_from_##token(words[k].y & 0xFFFFu));                     \
      kvf_put_x2(v + 8 * k + 6, kvf_f32x2_from_##token(words[k].y >> 16));                         \
    }                                                                                              \
  }
KVF_WIDEN_X8(f16)
KVF_WIDEN_X8(bf16)
KVF_WIDEN_CODES_X8(fp8_e4m3)
KVF_WIDEN_CODES_X8(fp8_e5m2)
KVF_WIDEN_CODES_X8(int8)
#undef KVF_WIDEN_X8
#undef KVF_WIDEN_CODES_X8

/* The first `count` of the vectors that begin `step` bytes from each other, `first` behind `from`;
 * others are 0. */
KVF_INLINE void kvf_read_x8(const uint8_t *from, int64_t first, int64_t step, int32_t count,
                            int32_t dtype, kvf_floats_x8 &v) {
  if (dtype == KVF_F32) {
#pragma unroll
    for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {
      const float4 *vector = reinterpret_cast<const float4 *>(from + first + k * step);
      const float4 zeros = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
      const float4 low = k < count ? vector[0] : zeros;
      const float4 high = k < count ? vector[1] : zeros;
      kvf_put_x2(v + 8 * k, make_float2(low.x, low.y));
      kvf_put_x2(v + 8 * k + 2, make_float2(low.z, low.w));
      kvf_put_x2(v + 8 * k + 4, make_float2(high.x, high.y));
      kvf_put_x2(v + 8 * k + 6, make_float2(high.z, high.w));
    }
  } else if (!kvf_has_codes(dtype)) {
    uint4 words[KVF_AT_ONCE];
#pragma unroll
    for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {
      words[k] = k < count ? *reinterpret_cast<const uint4 *>(from + first + k * step)
                           : make_uint4(0, 0, 0, 0);
    }
    if (dtype == KVF_F16) {
      kvf_widen_f16_x8(words, v);
    } else {
      kvf_widen_bf16_x8(words, v);
    }
  } else {
    uint2 words[KVF_AT_ONCE];
#pragma unroll
    for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {
      words[k] =
          k < count ? *reinterpret_cast<const uint2 *>(from + first + k * step) : make_uint2(0, 0);
    }
    if (dtype == KVF_FP8_E5M2) {
      kvf_widen_fp8_e5m2_x8(words, v);
    } else if (dtype == KVF_FP8_E4M3 || dtype == KVF_FP8_PER_TOKEN_HEAD) {
      kvf_widen_fp8_e4m3_x8(words, v);
    } else {
      kvf_widen_int8_x8(words, v);
    }
  }
}

/* And back: the first `count` are stored. */
#define KVF_NARROW_X8(token)                                                                       \
  KVF_INLINE void kvf_store_##token##_x8(const kvf_floats_x8 &v, uint8_t *to, int64_t first,       \
                                         int64_t step, int32_t count) {                            \
    _Pragma("unroll") for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {                                  \
      const uint4 words =                                                                          \
          make_uint4(kvf_##token##x2_result(make_float2(v[8 * k], v[8 * k + 1])),                  \
                     kvf_##token##x2_result(make_float2(v[8 * k + 2], v[8 * k + 3])),              \
                     kvf_##token##x2_result(make_float2(v[8 * k + 4], v[8 * k + 5])),              \
                     kvf_##token##x2_result(make_float2(v[8 * k + 6], v[8 * k + 7])));             \
      if (k < count) {                                                                             \
        *reinterpret_cast<uint4 *>(to + first + k * step) = words;                                 \
      }                                                                                            \
    }                                                                                              \
  }
#define KVF_ENCODE_X8(token)                                                                       \
  KVF_INLINE void kvf_store_##token##_x8(const kvf_floats_x8 &v, uint8_t *to, int64_t first,       \
                                         int64_t step, int32_t count) {                            \
    _Pragma("unroll") for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {                                  \
      const uint2 words = make_uint2(                                                              \
          kvf_##token##x4_from_f32(v[8 * k], v[8 * k + 1], v[8 * k + 2], v[8 * k + 3]),            \
          kvf_##token##x4_from_f32(v[8 * k + 4], v[8 * k + 5], v[8 * k + 6], v[8 * k + 7]));       \
      if (k < count) {                                                                             \
        *reinterpret_cast<uint2 *>(to + first + k * step) = words;                                 \
      }                                                                                            \
    }                                                                                              \
  }
KVF_NARROW_X8(f16)
KVF_NARROW_X8(bf16)
KVF_ENCODE_X8(fp8_e4m3)
KVF_ENCODE_X8(fp8_e5m2)
KVF_ENCODE_X8(int8)
KVF_ENCODE_X8(int8_away)
#undef KVF_NARROW_X8
#undef KVF_ENCODE_X8

KVF_INLINE void kvf_write_x8(const kvf_floats_x8 &v, uint8_t *to, int64_t first, int64_t step,
                             int32_t count, int32_t dtype) {
  switch (dtype) {
  case KVF_F32:
#pragma unroll
    for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {
      if (k < count) {
        float4 *vector = reinterpret_cast<float4 *>(to + first + k * step);
        vector[0] = make_float4(kvf_f32_result(v[8 * k]), kvf_f32_result(v[8 * k + 1]),
                                kvf_f32_result(v[8 * k + 2]), kvf_f32_result(v[8 * k + 3]));
        vector[1] = make_float4(kvf_f32_result(v[8 * k + 4]), kvf_f32_result(v[8 * k + 5]),
                                kvf_f32_result(v[8 * k + 6]), kvf_f32_result(v[8 * k + 7]));
      }
    }
    break;
  case KVF_F16:
    kvf_store_f16_x8(v, to, first, step, count);
    break;
  case KVF_BF16:
    kvf_store_bf16_x8(v, to, first, step, count);
    break;
  case KVF_FP8_E4M3:
  case KVF_FP8_PER_TOKEN_HEAD:
    kvf_store_fp8_e4m3_x8(v, to, first, step, count);
    break;
  case KVF_FP8_E5M2:
    kvf_store_fp8_e5m2_x8(v, to, first, step, count);
    break;
  case KVF_INT8_PER_TOKEN_HEAD:
    kvf_store_int8_away_x8(v, to, first, step, count);
    break;
  default: /* int8, halves rounded to even */
    kvf_store_int8_x8(v, to, first, step, count);
  }
}

/* The same an element at a time. */
KVF_INLINE float kvf_read_element(const uint8_t *from, int32_t dtype) {
  switch (dtype) {
  case KVF_F32:
    return *reinterpret_cast<const float *>(from);
  case KVF_F16:
    return kvf_f32_from_f16(*reinterpret_cast<const uint16_t *>(from));
  case KVF_BF16:
    return kvf_f32_from_bf16(*reinterpret_cast<const uint16_t *>(from));
  case KVF_FP8_E4M3:
  case KVF_FP8_PER_TOKEN_HEAD:
    return kvf_f32_from_fp8_e4m3(*from);
  case KVF_FP8_E5M2:
    return kvf_f32_from_fp8_e5m2(*from);
  default: /* int8, of either kind of scales */
    return kvf_f32_from_int8((int8_t)*from);
  }
}

KVF_INLINE void kvf_write_element(float v, uint8_t *to, int32_t dtype) {
  switch (dtype) {
  case KVF_F32:
    *reinterpret_cast<float *>(to) = kvf_f32_result(v);
    break;
  case KVF_F16:
    *reinterpret_cast<uint16_t *>(to) = kvf_f16_result(v);
    break;
  case KVF_BF16:
    *reinterpret_cast<uint16_t *>(to) = kvf_bf16_result(v);
    break;
  case KVF_FP8_E4M3:
  case KVF_FP8_PER_TOKEN_HEAD:
    *to = kvf_fp8_e4m3_from_f32(v);
    break;
  case KVF_FP8_E5M2:
    *to = kvf_fp8_e5m2_from_f32(v);
    break;
  case KVF_INT8_PER_TOKEN_HEAD:
    *to = (uint8_t)kvf_int8_away_word_from_f32(v);
    break;
  default: /* int8, halves rounded to even */
    *to = (uint8_t)kvf_int8_word_from_f32(v);
  }
}

KVF_INLINE void kvf_read_x1(const uint8_t *from, int64_t first, int64_t step, int32_t count,
                            int32_t dtype, kvf_floats_x1 &v) {
#pragma unroll
  for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {
    v[k] = k < count ? kvf_read_element(from + first + k * step, dtype) : 0.0f;
  }
}

KVF_INLINE void kvf_write_x1(const kvf_floats_x1 &v, uint8_t *to, int64_t first, int64_t step,
                             int32_t count, int32_t dtype) {
#pragma unroll
  for (int32_t k = 0; k < KVF_AT_ONCE; ++k) {
    if (k < count) {
      kvf_write_element(v[k], to + first + k * step, dtype);
    }
  }
}

/* The largest magnitude of some, NaNs left out. */
KVF_INLINE float kvf_largest_of(const float *v, int32_t count) {
  float largest = 0.0f;
#pragma unroll
  for (int32_t i = 0; i < count; ++i) {
    largest = kvf_larger_magnitude(largest, v[i]);
  }
  return largest;
}

/*
 * A divisor of any kind, for kvf_quotient(): numbers are multiplied by `factor` first, a power of
 * two that has the sign of the divisor. What it makes of them is inexact only where the quotient is
 * so small, or so large, that its code is the least or the largest anyhow.
 */
struct kvf_any_divisor {
  kvf_divisor by;
  float factor;
  bool exact; /* to multiply with the inverse is to divide: it is a power of two */
};

KVF_INLINE kvf_any_divisor kvf_divide_by_any(float divisor) {
  const float size = kvf_float(kvf_bits(divisor) & 0x7FFFFFFFu);
  const float factor = size < 0x1p-80f ? 0x1p100f : size > 0x1p126f ? 0x1p-100f : 1.0f;
  kvf_any_divisor found;
  found.by = kvf_divide_by(__fmul_rn(size, factor));
  found.by.scale =
      kvf_bits(size) == 0x7F800000u ? 0.0f : found.by.scale; /* 0 times infinity is no 0 */
  found.factor = kvf_bits(divisor) >> 31 ? -factor : factor;
  found.exact = found.by.quick && (kvf_bits(size) & 0x7FFFFFu) == 0;
  return found;
}

/*
 * Elements of one dtype, as floats, as what codes of another are of. Codes are multiplied with
 * `scale` to become values; values become codes divided by `divisor`, or multiplied with its
 * inverse where each row has a scale.
 */
KVF_INLINE void kvf_rescale(float *v, int32_t count, int32_t from, int32_t to, float scale,
                            const kvf_any_divisor &divisor) {
  if (kvf_has_codes(from)) {
#pragma unroll
    for (int32_t i = 0; i < count; ++i) {
      v[i] = __fmul_rn(v[i], scale);
    }
  }
  if (kvf_has_row_scale(to)) {
#pragma unroll
    for (int32_t i = 0; i < count; ++i) {
      v[i] = __fmul_rn(v[i], divisor.by.inverse);
    }
  } else if (kvf_has_codes(to)) {
    if (divisor.factor != 1.0f) {
#pragma unroll
      for (int32_t i = 0; i < count; ++i) {
        v[i] = __fmul_rn(v[i], divisor.factor);
      }
    }
    if (divisor.exact) {
#pragma unroll
      for (int32_t i = 0; i < count; ++i) {
        v[i] = __fmul_rn(v[i], divisor.by.inverse);
      }
    } else {
#pragma unroll
      for (int32_t i = 0; i < count; ++i) {
        v[i] = kvf_quotient(v[i], divisor.by);
      }
    }
  }
}

#endif
