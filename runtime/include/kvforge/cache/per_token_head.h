/*
 * The scale of one head of one token, shared by the CPU variants and the CUDA kernels: the largest
 * magnitude, of which these are the bits, becomes the largest code, and no scale is below 1e-6.
 */
#ifndef KVFORGE_PER_TOKEN_HEAD_H
#define KVFORGE_PER_TOKEN_HEAD_H

#include "kvforge/bits.h"

KVF_INLINE float kvf_int8_per_token_head_scale(uint32_t largest) {
  const float scale = kvf_float(largest) / 127.0f;
  return scale > 1e-6f ? scale : 1e-6f;
}

KVF_INLINE float kvf_int8_per_token_head_even_scale(uint32_t largest) {
  return kvf_int8_per_token_head_scale(largest);
}

KVF_INLINE float kvf_fp8_per_token_head_scale(uint32_t largest) {
  const float scale = kvf_float(largest) / 448.0f;
  return scale > 1e-6f ? scale : 1e-6f;
}

#endif
