/* What the CUDA kernels share that convert rows from one dtype to another, eight elements at a
 * time. */
#ifndef KVFORGE_CUDA_CONVERT_CUH
#define KVFORGE_CUDA_CONVERT_CUH

#include "kvforge/cache/convert.h"
#include "kvforge/cache/cuda_decode.cuh"

/* Vectors that a thread has at once, by their form (see below): of f32 as many bytes as of f16. */
enum { KVF_AT_ONCE_b4 = 2, KVF_AT_ONCE_b2 = 4, KVF_AT_ONCE_b1 = 4, KVF_AT_ONCE_x1 = 4 };

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

/*
 * Eight elements as they lie in memory, by the bytes of one, or a single one of any dtype: what a
 * thread keeps of a row until their turn comes. kvf_hold_*() reads them, kvf_widen_*() makes floats
 * of them, and kvf_store_*() makes elements of floats.
 */
struct kvf_held_b4 {
  float4 low;
  float4 high;
};
typedef uint4 kvf_held_b2;
typedef uint2 kvf_held_b1;
typedef float kvf_held_x1;

#define KVF_HOLD_WORDS(form)                                                                       \
  KVF_INLINE kvf_held_##form kvf_hold_##form(const uint8_t *from, int32_t) {                       \
    return *reinterpret_cast<const kvf_held_##form *>(from);                                       \
  }
KVF_HOLD_WORDS(b4)
KVF_HOLD_WORDS(b2)
KVF_HOLD_WORDS(b1)
#undef KVF_HOLD_WORDS

KVF_INLINE void kvf_widen_b4(const kvf_held_b4 &held, int32_t, float *v) {
  kvf_put_x2(v, make_float2(held.low.x, held.low.y));
  kvf_put_x2(v + 2, make_float2(held.low.z, held.low.w));
  kvf_put_x2(v + 4, make_float2(held.high.x, held.high.y));
  kvf_put_x2(v + 6, make_float2(held.high.z, held.high.w));
}

#define KVF_WIDEN_X8(token, a, b, c, d)                                                            \
  do {                                                                                             \
    kvf_put_x2(v, kvf_f32x2_from_##token(a));                                                      \
    kvf_put_x2(v + 2, kvf_f32x2_from_##token(b));                                                  \
    kvf_put_x2(v + 4, kvf_f32x2_from_##token(c));                                                  \
    kvf_put_x2(v + 6, kvf_f32x2_from_##token(d));                                                  \
  } while (0)
#define KVF_WIDEN_CODES_X8(token)                                                                  \
  KVF_WIDEN_X8(token, held.x & 0xFFFFu, held.x >> 16, held.y & 0xFFFFu, held.y >> 16)

KVF_INLINE void kvf_widen_b2(const kvf_held_b2 &held, int32_t dtype, float *v) {
  if (dtype == KVF_F16) {
    KVF_WIDEN_X8(f16, held.x, held.y, held.z, held.w);
  } else {
    KVF_WIDEN_X8(bf16, held.x, held.y, held.z, held.w);
  }
}

KVF_INLINE void kvf_widen_b1(const kvf_held_b1 &held, int32_t dtype, float *v) {
  if (dtype == KVF_FP8_E4M3 || dtype == KVF_FP8_PER_TOKEN_HEAD) {
    KVF_WIDEN_CODES_X8(fp8_e4m3);
  } else if (dtype == KVF_FP8_E5M2) {
    KVF_WIDEN_CODES_X8(fp8_e5m2);
  } else { /* int8, of either kind of scales */
    KVF_WIDEN_CODES_X8(int8);
  }
}
#undef KVF_WIDEN_X8
#undef KVF_WIDEN_CODES_X8

KVF_INLINE void kvf_store_b4(const float *v, uint8_t *to, int32_t) {
  float4 *vector = reinterpret_cast<float4 *>(to);
  vector[0] = make_float4(kvf_f32_result(v[0]), kvf_f32_result(v[1]), kvf_f32_result(v[2]),
                          kvf_f32_result(v[3]));
  vector[1] = make_float4(kvf_f32_result(v[4]), kvf_f32_result(v[5]), kvf_f32_result(v[6]),
                          kvf_f32_result(v[7]));
}

#define KVF_NARROWED_X8(token)                                                                     \
  make_uint4(kvf_##token##x2_result(make_float2(v[0], v[1])),                                      \
             kvf_##token##x2_result(make_float2(v[2], v[3])),                                      \
             kvf_##token##x2_result(make_float2(v[4], v[5])),                                      \
             kvf_##token##x2_result(make_float2(v[6], v[7])))
#define KVF_ENCODED_X8(token)                                                                      \
  make_uint2(kvf_##token##x4_from_f32(v[0], v[1], v[2], v[3]),                                     \
             kvf_##token##x4_from_f32(v[4], v[5], v[6], v[7]))

KVF_INLINE void kvf_store_b2(const float *v, uint8_t *to, int32_t dtype) {
  *reinterpret_cast<uint4 *>(to) = dtype == KVF_F16 ? KVF_NARROWED_X8(f16) : KVF_NARROWED_X8(bf16);
}

KVF_INLINE void kvf_store_b1(const float *v, uint8_t *to, int32_t dtype) {
  uint2 codes;
  if (dtype == KVF_FP8_E4M3 || dtype == KVF_FP8_PER_TOKEN_HEAD) {
    codes = KVF_ENCODED_X8(fp8_e4m3);
  } else if (dtype == KVF_FP8_E5M2) {
    codes = KVF_ENCODED_X8(fp8_e5m2);
  } else if (dtype == KVF_INT8_PER_TOKEN_HEAD) {
    codes = KVF_ENCODED_X8(int8_away);
  } else { /* int8, halves rounded to even */
    codes = KVF_ENCODED_X8(int8);
  }
  *reinterpret_cast<uint2 *>(to) = codes;
}
#undef KVF_NARROWED_X8
#undef KVF_ENCODED_X8

KVF_INLINE kvf_held_x1 kvf_hold_x1(const uint8_t *from, int32_t dtype) {
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

KVF_INLINE void kvf_widen_x1(kvf_held_x1 held, int32_t, float *v) { *v = held; }

KVF_INLINE void kvf_store_x1(const float *v, uint8_t *to, int32_t dtype) {
  switch (dtype) {
  case KVF_F32:
    *reinterpret_cast<float *>(to) = kvf_f32_result(*v);
    break;
  case KVF_F16:
    *reinterpret_cast<uint16_t *>(to) = kvf_f16_result(*v);
    break;
  case KVF_BF16:
    *reinterpret_cast<uint16_t *>(to) = kvf_bf16_result(*v);
    break;
  case KVF_FP8_E4M3:
  case KVF_FP8_PER_TOKEN_HEAD:
    *to = kvf_fp8_e4m3_from_f32(*v);
    break;
  case KVF_FP8_E5M2:
    *to = kvf_fp8_e5m2_from_f32(*v);
    break;
  case KVF_INT8_PER_TOKEN_HEAD:
    *to = (uint8_t)kvf_int8_away_word_from_f32(*v);
    break;
  default: /* int8, halves rounded to even */
    *to = (uint8_t)kvf_int8_word_from_f32(*v);
  }
}

/* The first `count` of the vectors that begin `step` bytes from each other; others are 0. */
#define KVF_HOLD_SOME(form)                                                                        \
  KVF_INLINE void kvf_hold_some_##form(const uint8_t *from, int64_t step, int32_t count,           \
                                       int32_t dtype,                                              \
                                       kvf_held_##form(&held)[KVF_AT_ONCE_##form]) {               \
    _Pragma("unroll") for (int32_t k = 0; k < KVF_AT_ONCE_##form; ++k) {                           \
      held[k] = {};                                                                                \
      if (k < count) {                                                                             \
        held[k] = kvf_hold_##form(from + k * step, dtype);                                         \
      }                                                                                            \
    }                                                                                              \
  }
KVF_HOLD_SOME(b4)
KVF_HOLD_SOME(b2)
KVF_HOLD_SOME(b1)
KVF_HOLD_SOME(x1)
#undef KVF_HOLD_SOME

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
  bool multiplies; /* with the inverse alone */
};

/* For numbers that become codes of a dtype. The rule of rows with scales is to multiply, and where
 * the divisor is a power of two that is to divide. */
KVF_INLINE kvf_any_divisor kvf_divide_by_any(float divisor, int32_t dtype) {
  const float size = kvf_float(kvf_bits(divisor) & 0x7FFFFFFFu);
  const float factor = size < 0x1p-80f ? 0x1p100f : size > 0x1p126f ? 0x1p-100f : 1.0f;
  kvf_any_divisor found;
  found.by = kvf_divide_by(__fmul_rn(size, factor));
  found.by.scale =
      kvf_bits(size) == 0x7F800000u ? 0.0f : found.by.scale; /* 0 times infinity is no 0 */
  found.factor = kvf_bits(divisor) >> 31 ? -factor : factor;
  found.multiplies = found.factor == 1.0f && found.by.quick && (kvf_bits(size) & 0x7FFFFFu) == 0;
  if (kvf_has_row_scale(dtype)) {
    found.multiplies = true;
  }
  return found;
}

/* What codes are, with their scale. */
KVF_INLINE void kvf_multiply_all(float *v, int32_t count, float scale) {
#pragma unroll
  for (int32_t i = 0; i < count; ++i) {
    v[i] = __fmul_rn(v[i], scale);
  }
}

/* Numbers, as what codes of a divisor are of. */
KVF_INLINE void kvf_divide_all(float *v, int32_t count, const kvf_any_divisor &divisor) {
  if (divisor.multiplies) {
#pragma unroll
    for (int32_t i = 0; i < count; ++i) {
      v[i] = __fmul_rn(v[i], divisor.by.inverse);
    }
    return;
  }
  if (divisor.factor != 1.0f) {
#pragma unroll
    for (int32_t i = 0; i < count; ++i) {
      v[i] = __fmul_rn(v[i], divisor.factor);
    }
  }
#pragma unroll
  for (int32_t i = 0; i < count; ++i) {
    v[i] = kvf_quotient(v[i], divisor.by);
  }
}

#endif
