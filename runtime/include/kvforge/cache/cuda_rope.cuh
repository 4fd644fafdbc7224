/*
 * Rotation of pairs on CUDA, with the bits of rope.h. The packed instructions round a product or a
 * sum of 16-bit floats once, where rope.h makes it in f32 and rounds that: f32 holds the products
 * exactly, and has digits enough that a sum rounded twice is the sum rounded once. None of them
 * contracts a product and a sum.
 */
#ifndef KVFORGE_CUDA_ROPE_CUH
#define KVFORGE_CUDA_ROPE_CUH

#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/cache/rope.h"

KVF_INLINE void kvf_rotate_f32(float *x, float *y, float cosine, float sine) {
  const float rotated = __fsub_rn(__fmul_rn(*x, cosine), __fmul_rn(*y, sine));
  *y = __fadd_rn(__fmul_rn(*y, cosine), __fmul_rn(*x, sine));
  *x = rotated;
}

/* Two operations in a word of two elements each. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#define KVF_PACKED(name, instruction)                                                              \
  KVF_INLINE uint32_t kvf_##name(uint32_t a, uint32_t b) {                                         \
    uint32_t result;                                                                               \
    asm(instruction : "=r"(result) : "r"(a), "r"(b));                                              \
    return result;                                                                                 \
  }
KVF_PACKED(multiply_f16x2, "mul.rn.f16x2 %0, %1, %2;")
KVF_PACKED(add_f16x2, "add.rn.f16x2 %0, %1, %2;")
KVF_PACKED(subtract_f16x2, "sub.rn.f16x2 %0, %1, %2;")
#if __CUDA_ARCH__ >= 900
KVF_PACKED(multiply_bf16x2, "mul.rn.bf16x2 %0, %1, %2;")
KVF_PACKED(add_bf16x2, "add.rn.bf16x2 %0, %1, %2;")
KVF_PACKED(subtract_bf16x2, "sub.rn.bf16x2 %0, %1, %2;")
#else /* by fma with -0, 1 and -1 */
KVF_PACKED(multiply_bf16x2, "{.reg .b32 c; mov.b32 c, 0x80008000U; fma.rn.bf16x2 %0, %1, %2, c;}")
KVF_PACKED(add_bf16x2, "{.reg .b32 c; mov.b32 c, 0x3F803F80U; fma.rn.bf16x2 %0, %1, c, %2;}")
KVF_PACKED(subtract_bf16x2, "{.reg .b32 c; mov.b32 c, 0xBF80BF80U; fma.rn.bf16x2 %0, %2, c, %1;}")
#endif
#else
#define KVF_PACKED(name, token, sign)                                                              \
  KVF_INLINE uint32_t kvf_##name##_##token##x2(uint32_t a, uint32_t b) {                           \
    const float low = kvf_f32_from_##token((uint16_t)a) sign kvf_f32_from_##token((uint16_t)b);    \
    const float high =                                                                             \
        kvf_f32_from_##token((uint16_t)(a >> 16)) sign kvf_f32_from_##token((uint16_t)(b >> 16));  \
    return kvf_##token##_from_f32(low) | (uint32_t)kvf_##token##_from_f32(high) << 16;             \
  }
KVF_PACKED(multiply, f16, *)
KVF_PACKED(add, f16, +)
KVF_PACKED(subtract, f16, -)
KVF_PACKED(multiply, bf16, *)
KVF_PACKED(add, bf16, +)
KVF_PACKED(subtract, bf16, -)
#endif
#undef KVF_PACKED

/* Two pairs, each word holding two elements. */
#define KVF_ROTATE_X2(token)                                                                       \
  KVF_INLINE void kvf_rotate_x2_##token(uint32_t *x, uint32_t *y, uint32_t cosines,                \
                                        uint32_t sines) {                                          \
    const uint32_t a = *x;                                                                         \
    const uint32_t b = *y;                                                                         \
    *x = kvf_subtract_##token##x2(kvf_multiply_##token##x2(a, cosines),                            \
                                  kvf_multiply_##token##x2(b, sines));                             \
    *y = kvf_add_##token##x2(kvf_multiply_##token##x2(b, cosines),                                 \
                             kvf_multiply_##token##x2(a, sines));                                  \
  }
KVF_ROTATE_X2(f16)
KVF_ROTATE_X2(bf16)
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
