/* Rotated rows on CUDA; kvforge/cache/rotation.h says what they are. */
#ifndef KVFORGE_CUDA_ROTATION_CUH
#define KVFORGE_CUDA_ROTATION_CUH

#include "kvforge/cache/rotation.h"
#include "kvforge/cuda_kernel.cuh"

/* Changes the signs of those elements whose bit is 1. */
KVF_INLINE void kvf_put_signs_x16(float (&v)[KVF_ROTATION_GROUP], uint32_t signs) {
#pragma unroll
  for (int32_t i = 0; i < KVF_ROTATION_GROUP; ++i) {
    v[i] = kvf_float(kvf_bits(v[i]) ^ (signs >> i << 31));
  }
}

/* Sums and differences of elements that are so far from each other in the group. */
KVF_INLINE void kvf_butterfly_x16(float (&v)[KVF_ROTATION_GROUP], int32_t distance) {
#pragma unroll
  for (int32_t i = 0; i < KVF_ROTATION_GROUP; ++i) {
    if ((i & distance) == 0) {
      const float sum = v[i] + v[i + distance];
      v[i + distance] = v[i] - v[i + distance];
      v[i] = sum;
    }
  }
}

/* The sums within a group. */
KVF_INLINE void kvf_hadamard_within_x16(float (&v)[KVF_ROTATION_GROUP], int32_t block) {
  if (block >= KVF_ROTATION_GROUP) { /* all stages, without a branch between two */
#pragma unroll
    for (int32_t distance = 1; distance < KVF_ROTATION_GROUP; distance *= 2) {
      kvf_butterfly_x16(v, distance);
    }
  } else {
#pragma unroll
    for (int32_t distance = 1; distance < KVF_ROTATION_GROUP; distance *= 2) {
      if (distance < block) {
        kvf_butterfly_x16(v, distance);
      }
    }
  }
}

/* The sums with the group of another lane, so far away; the whole warp calls it. */
KVF_INLINE void kvf_hadamard_across_x16(float (&v)[KVF_ROTATION_GROUP], int32_t lane,
                                        int32_t distance) {
  const float sign = lane & distance ? -1.0f : 1.0f; /* its product is exact: one rounding */
#pragma unroll
  for (int32_t i = 0; i < KVF_ROTATION_GROUP; ++i) {
    v[i] = __fmaf_rn(v[i], sign, __shfl_xor_sync(0xFFFFFFFFu, v[i], distance));
  }
}

/*
 * Multiplies blocks by H. Neighbouring lanes, as many as a block has groups of 16 or a multiple of
 * that, have neighbouring groups; the whole warp calls it, and `lane` counts from a block's begin.
 */
KVF_INLINE void kvf_hadamard_x16(float (&v)[KVF_ROTATION_GROUP], int32_t block, int32_t lane) {
  kvf_hadamard_within_x16(v, block);
#pragma unroll 1
  for (int32_t distance = 1; distance * KVF_ROTATION_GROUP < block; distance *= 2) {
    kvf_hadamard_across_x16(v, lane, distance);
  }
}

enum { KVF_LANE_VECTORS = KVF_LANE_PART / 8 };

/* Sums and differences of elements that are so far from each other in what a lane has. */
KVF_INLINE void kvf_butterfly_vectors(float (&v)[KVF_LANE_PART], int32_t distance) {
#pragma unroll
  for (int32_t i = 0; i < KVF_LANE_PART; ++i) {
    if ((i & distance) == 0) {
      const float sum = v[i] + v[i + distance];
      v[i + distance] = v[i] - v[i + distance];
      v[i] = sum;
    }
  }
}

/*
 * Multiplies a block by H of which `lanes` neighbouring lanes, a power of two, have all vectors:
 * one each, then the next one each and so on. The whole warp calls it.
 */
KVF_INLINE void kvf_hadamard_vectors(float (&v)[KVF_LANE_PART], int32_t lanes, int32_t lane) {
#pragma unroll
  for (int32_t distance = 1; distance < 8; distance *= 2) {
    kvf_butterfly_vectors(v, distance);
  }
#pragma unroll 1
  for (int32_t distance = 1; distance < lanes; distance *= 2) {
    const float sign = lane & distance ? -1.0f : 1.0f; /* its product is exact: one rounding */
#pragma unroll
    for (int32_t i = 0; i < KVF_LANE_PART; ++i) {
      v[i] = __fmaf_rn(v[i], sign, __shfl_xor_sync(0xFFFFFFFFu, v[i], distance));
    }
  }
#pragma unroll
  for (int32_t distance = 8; distance < KVF_LANE_PART; distance *= 2) {
    kvf_butterfly_vectors(v, distance);
  }
}

#endif
