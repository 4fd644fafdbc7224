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

/* Where the scales of the token at `offset` begin, in bytes from the page. */
KVF_INLINE int64_t kvf_indexer_scales_at(int64_t block_size, int64_t head_dim, int64_t groups,
                                         int64_t offset) {
  return block_size * head_dim + 4 * offset * groups;
}

/* The largest magnitude, of which these are the bits, becomes 448, the largest E4M3. */
KVF_INLINE float kvf_fp8_indexer_scale(uint32_t largest) {
  const float magnitude = kvf_float(largest);
  return (magnitude > 1e-4f ? magnitude : 1e-4f) / 448.0f;
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
