/* What the CUDA kernels that read caches share. */
#ifndef KVFORGE_CUDA_DECODE_CUH
#define KVFORGE_CUDA_DECODE_CUH

#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/cache/decode.h"
#include "kvforge/fp4.h"
#include "kvforge/int8.h"

KVF_INLINE float2 kvf_f32x2_from_f16(uint32_t bits) {
  return make_float2(kvf_f32_from_f16((uint16_t)bits), kvf_f32_from_f16((uint16_t)(bits >> 16)));
}
KVF_INLINE float2 kvf_f32x2_from_bf16(uint32_t bits) {
  return make_float2(kvf_float(bits << 16), kvf_float(bits & 0xFFFF0000u));
}

/* Two codes, the first in the low byte. From sm_89 on by hardware, exactly as the portable codec:
 * every code is an f16. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
#define KVF_DECODE_X2(token)                                                                       \
  KVF_INLINE uint32_t kvf_f16x2_from_fp8_##token(uint32_t codes) {                                 \
    uint32_t pair;                                                                                 \
    asm("cvt.rn.f16x2." #token "x2 %0, %1;" : "=r"(pair) : "h"((uint16_t)codes));                  \
    return pair;                                                                                   \
  }                                                                                                \
  KVF_INLINE float2 kvf_f32x2_from_fp8_##token(uint32_t codes) {                                   \
    const uint32_t pair = kvf_f16x2_from_fp8_##token(codes);                                       \
    float2 v;                                                                                      \
    asm("{.reg .f16 a, b; mov.b32 {a, b}, %1; cvt.f32.f16 %0, a;}" : "=f"(v.x) : "r"(pair));       \
    asm("{.reg .f16 a, b; mov.b32 {a, b}, %1; cvt.f32.f16 %0, b;}" : "=f"(v.y) : "r"(pair));       \
    return v;                                                                                      \
  }
KVF_DECODE_X2(e4m3)
KVF_DECODE_X2(e5m2)
#undef KVF_DECODE_X2
#else
KVF_INLINE float2 kvf_f32x2_from_fp8_e4m3(uint32_t codes) {
  return make_float2(kvf_f32_from_fp8_e4m3((uint8_t)codes),
                     kvf_f32_from_fp8_e4m3((uint8_t)(codes >> 8)));
}
KVF_INLINE float2 kvf_f32x2_from_fp8_e5m2(uint32_t codes) {
  return make_float2(kvf_f32_from_fp8_e5m2((uint8_t)codes),
                     kvf_f32_from_fp8_e5m2((uint8_t)(codes >> 8)));
}
#endif

KVF_INLINE float2 kvf_f32x2_from_int8(uint32_t codes) {
  return make_float2(kvf_f32_from_int8((int8_t)codes), kvf_f32_from_int8((int8_t)(codes >> 8)));
}

/* Two E2M1 codes of a byte, the low half first. */
KVF_INLINE float2 kvf_f32x2_from_e2m1(uint32_t codes) {
  return make_float2(kvf_f32_from_e2m1(codes), kvf_f32_from_e2m1(codes >> 4));
}

/* Two int4 codes of a byte, the low half first, less the code of 0. */
KVF_INLINE float2 kvf_f32x2_from_int4(uint32_t codes, float zero) {
  const float base = 8388608.0f + zero; /* the last bit of 2^23 weighs 1 */
  return make_float2(kvf_float(0x4B000000u | (codes & 15u)) - base,
                     kvf_float(0x4B000000u | (codes >> 4 & 15u)) - base);
}

/* Two results in a word, the first in the low half; as one, since compilers take halves apart
 * again. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
KVF_INLINE uint32_t kvf_f16x2_result(float2 v) {
  uint32_t pair;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(v.y), "f"(v.x));
  return pair;
}
KVF_INLINE uint32_t kvf_bf16x2_result(float2 v) {
  uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(v.y), "f"(v.x));
  return pair;
}
#else
KVF_INLINE uint32_t kvf_f16x2_result(float2 v) {
  return (uint32_t)kvf_f16_result(v.x) | (uint32_t)kvf_f16_result(v.y) << 16;
}
KVF_INLINE uint32_t kvf_bf16x2_result(float2 v) {
  return (uint32_t)kvf_bf16_result(v.x) | (uint32_t)kvf_bf16_result(v.y) << 16;
}
#endif

/* Of two words of two elements the larger ones, a NaN if one is one; the smaller ones, NaNs left
 * out where the other is a number. */
#if defined(__CUDA_ARCH__)
KVF_INLINE uint32_t kvf_f16x2_larger_or_nan(uint32_t a, uint32_t b) {
  asm("max.NaN.f16x2 %0, %0, %1;" : "+r"(a) : "r"(b));
  return a;
}
KVF_INLINE uint32_t kvf_bf16x2_larger_or_nan(uint32_t a, uint32_t b) {
  asm("max.NaN.bf16x2 %0, %0, %1;" : "+r"(a) : "r"(b));
  return a;
}
KVF_INLINE uint32_t kvf_f16x2_smaller(uint32_t a, uint32_t b) {
  asm("min.f16x2 %0, %0, %1;" : "+r"(a) : "r"(b));
  return a;
}
KVF_INLINE uint32_t kvf_bf16x2_smaller(uint32_t a, uint32_t b) {
  asm("min.bf16x2 %0, %0, %1;" : "+r"(a) : "r"(b));
  return a;
}
#else
KVF_INLINE float kvf_larger_number_or_nan(float a, float b) { return a > b || a != a ? a : b; }
KVF_INLINE float kvf_smaller_number(float a, float b) { return a < b || b != b ? a : b; }
KVF_INLINE uint32_t kvf_f16x2_larger_or_nan(uint32_t a, uint32_t b) {
  const float2 x = kvf_f32x2_from_f16(a);
  const float2 y = kvf_f32x2_from_f16(b);
  return kvf_f16x2_result(
      make_float2(kvf_larger_number_or_nan(x.x, y.x), kvf_larger_number_or_nan(x.y, y.y)));
}
KVF_INLINE uint32_t kvf_bf16x2_larger_or_nan(uint32_t a, uint32_t b) {
  const float2 x = kvf_f32x2_from_bf16(a);
  const float2 y = kvf_f32x2_from_bf16(b);
  return kvf_bf16x2_result(
      make_float2(kvf_larger_number_or_nan(x.x, y.x), kvf_larger_number_or_nan(x.y, y.y)));
}
KVF_INLINE uint32_t kvf_f16x2_smaller(uint32_t a, uint32_t b) {
  const float2 x = kvf_f32x2_from_f16(a);
  const float2 y = kvf_f32x2_from_f16(b);
  return kvf_f16x2_result(make_float2(kvf_smaller_number(x.x, y.x), kvf_smaller_number(x.y, y.y)));
}
KVF_INLINE uint32_t kvf_bf16x2_smaller(uint32_t a, uint32_t b) {
  const float2 x = kvf_f32x2_from_bf16(a);
  const float2 y = kvf_f32x2_from_bf16(b);
  return kvf_bf16x2_result(make_float2(kvf_smaller_number(x.x, y.x), kvf_smaller_number(x.y, y.y)));
}
#endif

/* Two codes of 8 bits, the first in the low byte, as a word of two elements; every code is one. */
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ < 890
KVF_INLINE uint32_t kvf_f16x2_from_fp8_e4m3(uint32_t codes) {
  return kvf_f16x2_result(kvf_f32x2_from_fp8_e4m3(codes));
}
KVF_INLINE uint32_t kvf_f16x2_from_fp8_e5m2(uint32_t codes) {
  return kvf_f16x2_result(kvf_f32x2_from_fp8_e5m2(codes));
}
#endif
KVF_INLINE uint32_t kvf_f16x2_from_int8(uint32_t codes) {
#if defined(__CUDA_ARCH__)
  /* As 1024 + 128 + code: the last bit of 1024 weighs 1. */
  const uint32_t biased = __byte_perm(codes ^ 0x8080u, 0x64646464u, 0x4140);
  uint32_t pair;
  asm("sub.f16x2 %0, %1, %2;" : "=r"(pair) : "r"(biased), "r"(0x64806480u)); /* 1152 */
  return pair;
#else
  return kvf_f16x2_result(kvf_f32x2_from_int8(codes));
#endif
}
KVF_INLINE uint32_t kvf_bf16x2_from_fp8_e4m3(uint32_t codes) {
  return kvf_bf16x2_result(kvf_f32x2_from_fp8_e4m3(codes));
}
KVF_INLINE uint32_t kvf_bf16x2_from_int8(uint32_t codes) {
  return kvf_bf16x2_result(kvf_f32x2_from_int8(codes));
}

/* Both elements times a scale, without contraction. */
KVF_INLINE float2 kvf_scaled_x2(float2 v, float scale) {
  return make_float2(__fmul_rn(v.x, scale), __fmul_rn(v.y, scale));
}

#endif
