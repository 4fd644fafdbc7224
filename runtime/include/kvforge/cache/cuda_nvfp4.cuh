/*
 * NVFP4 codes for the tensor cores. A code times its block scale is an f16 exactly, a product of 2
 * by 4 bits that is a multiple of 2^-10; they come 2^14 times smaller than they are, as exponent
 * and mantissa of a code in the places of an f16's are, subnormal ones, too.
 */
#ifndef KVFORGE_CUDA_NVFP4_CUH
#define KVFORGE_CUDA_NVFP4_CUH

#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/nvfp4.h"

#define KVF_NVFP4_SMALLER 16384.0f

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

/* Eight codes times scales: pair i is the i-th and the (i + 4)-th. */
struct kvf_nvfp4_pairs {
  uint32_t v[4];
};

/* Bits of `ones` where the mask has some, else of `zeros`. The compiler would make two instructions
 * of it for each of the results that want some of the bits. */
KVF_INLINE uint32_t kvf_choose_bits(uint32_t mask, uint32_t ones, uint32_t zeros) {
#if defined(__CUDA_ARCH__)
  uint32_t chosen;
  asm("lop3.b32 %0, %1, %2, %3, 0xE4;" : "=r"(chosen) : "r"(ones), "r"(zeros), "r"(mask));
  return chosen;
#else
  return (ones & mask) | (zeros & ~mask);
#endif
}

/* Scales of both codes of a pair. Codes become the upper byte of an f16, all bytes of a word
 * together: the sign at its top, exponent and mantissa in bits 1 to 3, and whatever in the others.
 */
KVF_INLINE kvf_nvfp4_pairs kvf_nvfp4_x8(uint32_t codes, uint32_t scales) {
  const uint32_t odd = kvf_choose_bits(0x80808080u, codes, codes >> 3);
  const uint32_t even = kvf_choose_bits(0x80808080u, codes << 4, codes << 1);
  const uint32_t kept = 0x8E008E00u;
  return {{kvf_f16x2_product(even << 8 & kept, scales), kvf_f16x2_product(odd << 8 & kept, scales),
           kvf_f16x2_product(even & kept, scales), kvf_f16x2_product(odd & kept, scales)}};
}

#endif
