/*
 * Pages of a sparse-attention indexer (DeepSeek-V3.2), shared by the CPU variants and the CUDA
 * kernels. A page of block_size tokens holds all codes first, then all scales, though its tensor is
 * shaped as if a token's scales were behind its codes:
 *   offset * head_dim + d                                 E4M3 code of element d of a token
 *   block_size * head_dim + 4 * (offset * groups + j)     scale of its group j, 4 bytes
 */
#ifndef KVFORGE_INDEXER_H
#define KVFORGE_INDEXER_H

#include "kvforge/fp8.h"
#include "kvforge/quotient.h"

/* Where the scales of the token at `offset` begin, in bytes from the page. */
KVF_INLINE int64_t kvf_indexer_scales_at(int64_t block_size, int64_t head_dim, int64_t groups,
                                         int64_t offset) {
  return block_size * head_dim + 4 * offset * groups;
}

/*
 * x / 448 where a division takes many instructions, of x from 1e-4 to infinity: a reciprocal and
 * one correction by the remainder, which tests/test_quotient.c tries for each x. Infinity has none.
 */
KVF_INLINE float kvf_by_448(float x) {
  const float inverse = 1.0f / 448.0f;
#if defined(__CUDA_ARCH__)
  const float q = __fmul_rn(x, inverse);
  const float near = __fmaf_rn(__fmaf_rn(-448.0f, q, x), inverse, q);
#else
  const float q = x * inverse;
  const float near = __builtin_fmaf(__builtin_fmaf(-448.0f, q, x), inverse, q);
#endif
  return x <= 0x1.fffffep127f ? near : x;
}

/* The largest magnitude, of which these are the bits, becomes 448, the largest E4M3. */
KVF_INLINE float kvf_fp8_indexer_scale(uint32_t largest) {
  const float magnitude = kvf_float(largest);
  const float least = magnitude > 1e-4f ? magnitude : 1e-4f;
#if defined(__CUDA_ARCH__)
  return kvf_by_448(least);
#else
  return least / 448.0f;
#endif
}

/*
 * The divisor of such a scale, for kvf_near_quotient(): never extreme. Under an infinite one x * 0
 * is the quotient, which a scale of 0 keeps.
 */
KVF_INLINE kvf_divisor kvf_fp8_indexer_divisor(float scale) {
  kvf_divisor by = kvf_divide_by(scale);
  by.scale = scale <= 0x1.fffffep127f ? scale : 0.0f;
  by.quick = true;
  return by;
}

/* The next power of two. Made from bits: log2 and exp2 would round in ways of their own. */
KVF_INLINE float kvf_fp8_indexer_ue8m0_scale(uint32_t largest) {
  return kvf_float((kvf_bits(kvf_fp8_indexer_scale(largest)) + 0x007FFFFFu) & 0xFF800000u);
}

/* The exponent of a power of two, or of infinity, in each of the four bytes. */
KVF_INLINE uint32_t kvf_indexer_exponents(float scale) {
  return (kvf_bits(scale) >> 23) * 0x01010101u;
}

#endif
