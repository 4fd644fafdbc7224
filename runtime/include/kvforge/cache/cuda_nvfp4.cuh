/*
 * NVFP4 codes for the tensor cores. A code times its block scale is an f16 exactly, a product of 2
 * by 4 bits; so that all of them are, they come 2^7 times smaller than they are.
 */
#ifndef KVFORGE_CUDA_NVFP4_CUH
#define KVFORGE_CUDA_NVFP4_CUH

#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/nvfp4.h"

#define KVF_NVFP4_SMALLER 128.0f

/* Products of two f16 elements each. */
KVF_INLINE uint32_t kvf_f16x2_product(uint32_t a, uint32_t b) {
#if defined(__CUDA_ARCH__)
  uint32_t product;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(product) : "r"(a), "r"(b));
  return product;
#else
  const float2 x = kvf_f32x2_from_f16(a);
  const float2 y = kvf_f32x2_from_f16(b);
  return kvf_f16x2_result(make_float2(x.x * y.x, x.y * y.y));
#endif
}

/* Two block scales, the first in the low byte, times 2^7: what kvf_nvfp4_x2() takes. */
KVF_INLINE uint32_t kvf_nvfp4_scales_x2(uint32_t scales) {
  return kvf_f16x2_product(kvf_f16x2_from_fp8_e4m3(scales), 0x58005800u);
}

/* The elements of the codes in the lowest 4 bits of each half. Exponent and mantissa of a code in
 * the places of an f16's are 2^14 times smaller, subnormal ones, too. */
KVF_INLINE uint32_t kvf_nvfp4_x2(uint32_t codes, uint32_t scales) {
  return kvf_f16x2_product((codes & 0x00070007u) << 9 | (codes & 0x00080008u) << 12, scales);
}

#endif
