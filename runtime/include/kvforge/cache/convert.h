/*
 * Rows that are converted from one dtype to another, both of which the call tells: what the CPU
 * variants and the CUDA kernels share.
 */
#ifndef KVFORGE_CONVERT_H
#define KVFORGE_CONVERT_H

#include <stdbool.h>

#include "kvforge/cache/per_token_head.h"
#include "kvforge/dtypes.h"

/* Bytes of an element of a dtype that can be converted. */
KVF_INLINE int32_t kvf_convertible_bytes(int32_t dtype) {
  return dtype == KVF_F32 ? 4 : dtype == KVF_F16 || dtype == KVF_BF16 ? 2 : 1;
}

/* Whether each row has a scale of its own, which whoever writes the row makes. */
KVF_INLINE bool kvf_has_row_scale(int32_t dtype) {
  return dtype == KVF_FP8_PER_TOKEN_HEAD || dtype == KVF_INT8_PER_TOKEN_HEAD ||
         dtype == KVF_INT8_PER_TOKEN_HEAD_EVEN;
}

/* Whether elements are codes, with any scale. */
KVF_INLINE bool kvf_has_codes(int32_t dtype) { return kvf_convertible_bytes(dtype) == 1; }

/* The scale of a row, from the bits of its largest magnitude. */
KVF_INLINE float kvf_scale_of_row(int32_t dtype, uint32_t largest) {
  return dtype == KVF_FP8_PER_TOKEN_HEAD ? kvf_fp8_per_token_head_scale(largest)
                                         : kvf_int8_per_token_head_scale(largest);
}

#endif
