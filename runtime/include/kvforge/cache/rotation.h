/*
 * The rotation that int4_per_token_head stores heads with, shared by the CPU variants and the CUDA
 * kernels.
 *
 *   stored = H (sign * head), head = sign * (H stored) / block
 *
 * H is the Walsh-Hadamard matrix in natural (Sylvester) order, not normalised, applied to each
 * block of a head: `block` neighbouring elements, the largest power of two that divides the head's
 * size. It spreads what is large in one element over all of them, so that 16 codes are enough. Its
 * sums are of f32, of neighbours at distance 1 first, then 2, 4 and so on: (a + b, a - b).
 *
 * Signs are the same for every block: those of torch.rand(512) < 0.5 with a generator whose seed is
 * 0x9E3779B9, 1 for a minus.
 */
#ifndef KVFORGE_ROTATION_H
#define KVFORGE_ROTATION_H

#include "kvforge/bits.h"

enum {
  KVF_ROTATION_BLOCK = 512, /* elements of a block at most, as many as there are signs */
  KVF_ROTATION_GROUP = 16,  /* elements that are rotated in registers */
  KVF_LANE_PART = 32        /* elements that a lane has of a block on CUDA where blocks are heads */
};

/* The elements of a block of heads of a size, 1 or more. */
KVF_INLINE int32_t kvf_rotation_block(int32_t head_size) { return head_size & -head_size; }

#if defined(__CUDACC__)
__constant__
#endif
    static const uint32_t kvf_rotation_words[KVF_ROTATION_BLOCK / 32] = {
        0x9A8CA6F2, 0x7F7FCA4E, 0x59BBC293, 0x9480ABC7, 0xB55B747E, 0x54503BBE,
        0xCDF467B7, 0x05DFBC5F, 0xB291E3CC, 0x57563834, 0xE46AE225, 0x67FC4CA6,
        0xCFC78691, 0x32D9DFF1, 0x365FDB89, 0x75625346};

/* The sign bit of the float at an index of a head; `block` is a power of two. */
KVF_INLINE uint32_t kvf_rotation_sign(int32_t index, int32_t block) {
  const uint32_t at = (uint32_t)index & (uint32_t)(block - 1);
  return kvf_rotation_words[at / 32] >> at % 32 << 31;
}

/* Sign and divisor of an element that H has been applied to. Both are exact; a zero becomes +0. */
KVF_INLINE float kvf_rotation_undo(float x, int32_t index, int32_t block) {
  const float inverse = 1.0f / (float)block;
  const float undone = x * kvf_float(kvf_bits(inverse) ^ kvf_rotation_sign(index, block));
  return undone == 0.0f ? 0.0f : undone; /* + 0.0f would become one operation with the product */
}

/* Those of a group of 16 that begins at an index, a multiple of 16: bit i is 1 for a minus. */
KVF_INLINE uint32_t kvf_rotation_signs_x16(int32_t index, int32_t block) {
  const uint32_t at = (uint32_t)index & (uint32_t)(block - 1);
  uint32_t signs = kvf_rotation_words[at / 32] >> at % 32;
  for (int32_t known = block; known < KVF_ROTATION_GROUP; known *= 2) {
    const uint32_t first = signs & ((1u << known) - 1);
    signs = first | first << known;
  }
  return signs;
}

#endif
