/* Norms of heads on CUDA. */
#ifndef KVFORGE_CUDA_NORM_CUH
#define KVFORGE_CUDA_NORM_CUH

#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/cache/norm.h"

/* The sum of the squares of 8 neighbours of the lower half and their partners. */
KVF_INLINE float kvf_sum_part(const float *low, const float *high) {
  float t[KVF_SUM_PART];
#pragma unroll
  for (int k = 0; k < KVF_SUM_PART; ++k) {
    t[k] = __fadd_rn(__fmul_rn(low[k], low[k]), __fmul_rn(high[k], high[k]));
  }
  return __fadd_rn(__fadd_rn(__fadd_rn(t[0], t[4]), __fadd_rn(t[2], t[6])),
                   __fadd_rn(__fadd_rn(t[1], t[5]), __fadd_rn(t[3], t[7])));
}

/*
 * The fold of what neighbouring lanes have, a power of two up to KVF_SUM_GROUP of them; all get it.
 * Every lane of the warp comes here.
 */
KVF_INLINE float kvf_fold_lanes(float sum, uint32_t lanes) {
  if (lanes == 8) { /* of heads of 128: without the loop */
    sum = __fadd_rn(sum, __shfl_xor_sync(0xFFFFFFFFu, sum, 4));
    sum = __fadd_rn(sum, __shfl_xor_sync(0xFFFFFFFFu, sum, 2));
    return __fadd_rn(sum, __shfl_xor_sync(0xFFFFFFFFu, sum, 1));
  }
  for (int32_t distance = (int32_t)lanes / 2; distance > 0; distance /= 2) {
    sum = __fadd_rn(sum, __shfl_xor_sync(0xFFFFFFFFu, sum, distance));
  }
  return sum;
}

/* What elements are multiplied by: 1 / sqrt(sum / size + eps). To divide by a power of two is to
 * multiply by what it is the inverse of, which is exact. */
KVF_INLINE float kvf_norm_factor(float sum, int32_t size, float eps) {
  const uint32_t bits = kvf_bits((float)size);
  const float mean = (bits & 0x7FFFFFu) == 0 ? __fmul_rn(sum, kvf_float(0x7F000000u - bits))
                                             : __fdiv_rn(sum, (float)size);
  return __frcp_rn(__fsqrt_rn(__fadd_rn(mean, eps)));
}

#endif
