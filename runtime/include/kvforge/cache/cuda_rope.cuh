/*
 * Rotation of pairs on CUDA, with the bits of rope.h. The packed instructions round a product or a
 * sum of 16-bit floats once, where rope.h makes it in f32 and rounds that: f32 holds the products
 * exactly, and has digits enough that a sum rounded twice is the sum rounded once. None of them
 * contracts a product and a sum.
 */
#ifndef KVFORGE_CUDA_ROPE_CUH
#define KVFORGE_CUDA_ROPE_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/cache/rope.h"

KVF_INLINE void kvf_rotate_f32(float *x, float *y, float cosine, float sine) {
  const float rotated = __fsub_rn(__fmul_rn(*x, cosine), __fmul_rn(*y, sine));
  *y = __fadd_rn(__fmul_rn(*y, cosine), __fmul_rn(*x, sine));
  *x = rotated;
}

/* Two pairs, each word holding two elements. */
#define KVF_ROTATE_X2(token, type)                                                                 \
  KVF_INLINE type kvf_unpack_##token(uint32_t word) {                                              \
    type##_raw pair;                                                                               \
    pair.x = (unsigned short)word;                                                                 \
    pair.y = (unsigned short)(word >> 16);                                                         \
    return type(pair);                                                                             \
  }                                                                                                \
  KVF_INLINE uint32_t kvf_pack_##token(const type v) {                                             \
    const type##_raw pair = static_cast<type##_raw>(v);                                            \
    return pair.x | (uint32_t)pair.y << 16;                                                        \
  }                                                                                                \
  KVF_INLINE void kvf_rotate_x2_##token(uint32_t *x, uint32_t *y, uint32_t cosines,                \
                                        uint32_t sines) {                                          \
    const type a = kvf_unpack_##token(*x);                                                         \
    const type b = kvf_unpack_##token(*y);                                                         \
    const type c = kvf_unpack_##token(cosines);                                                    \
    const type s = kvf_unpack_##token(sines);                                                      \
    *x = kvf_pack_##token(__hsub2_rn(__hmul2_rn(a, c), __hmul2_rn(b, s)));                         \
    *y = kvf_pack_##token(__hadd2_rn(__hmul2_rn(b, c), __hmul2_rn(a, s)));                         \
  }
KVF_ROTATE_X2(f16, __half2)
KVF_ROTATE_X2(bf16, __nv_bfloat162)
#undef KVF_ROTATE_X2

/* The same where the two of a pair are neighbours: u holds one pair, v the next. */
#define KVF_ROTATE_NEIGHBOURS(token)                                                               \
  KVF_INLINE void kvf_rotate_neighbours_##token(uint32_t *u, uint32_t *v, uint32_t cosines,        \
                                                uint32_t sines) {                                  \
    uint32_t x = (*u & 0xFFFFu) | *v << 16;                                                        \
    uint32_t y = *u >> 16 | (*v & 0xFFFF0000u);                                                    \
    kvf_rotate_x2_##token(&x, &y, cosines, sines);                                                 \
    *u = (x & 0xFFFFu) | y << 16;                                                                  \
    *v = x >> 16 | (y & 0xFFFF0000u);                                                              \
  }
KVF_ROTATE_NEIGHBOURS(f16)
KVF_ROTATE_NEIGHBOURS(bf16)
#undef KVF_ROTATE_NEIGHBOURS

/* Pairs of 16-bit floats by angles in f32, whose end alone is rounded: two, each word holding two
 * elements, and one whose two are neighbours. */
#define KVF_ROTATE_ONCE(token)                                                                     \
  KVF_INLINE void kvf_rotate_once_x2_##token(uint32_t *x, uint32_t *y, float cosine0,              \
                                             float cosine1, float sine0, float sine1) {            \
    float a0 = kvf_f32_from_##token((uint16_t)*x);                                                 \
    float a1 = kvf_f32_from_##token((uint16_t)(*x >> 16));                                         \
    float b0 = kvf_f32_from_##token((uint16_t)*y);                                                 \
    float b1 = kvf_f32_from_##token((uint16_t)(*y >> 16));                                         \
    kvf_rotate_f32(&a0, &b0, cosine0, sine0);                                                      \
    kvf_rotate_f32(&a1, &b1, cosine1, sine1);                                                      \
    *x = kvf_##token##_from_f32(a0) | (uint32_t)kvf_##token##_from_f32(a1) << 16;                  \
    *y = kvf_##token##_from_f32(b0) | (uint32_t)kvf_##token##_from_f32(b1) << 16;                  \
  }                                                                                                \
  KVF_INLINE void kvf_rotate_once_neighbours_##token(uint32_t *u, float cosine, float sine) {      \
    float x = kvf_f32_from_##token((uint16_t)*u);                                                  \
    float y = kvf_f32_from_##token((uint16_t)(*u >> 16));                                          \
    kvf_rotate_f32(&x, &y, cosine, sine);                                                          \
    *u = kvf_##token##_from_f32(x) | (uint32_t)kvf_##token##_from_f32(y) << 16;                    \
  }
KVF_ROTATE_ONCE(f16)
KVF_ROTATE_ONCE(bf16)
#undef KVF_ROTATE_ONCE

#endif
