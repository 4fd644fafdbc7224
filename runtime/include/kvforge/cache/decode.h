/* What readers of caches share on both backends. */
#ifndef KVFORGE_DECODE_H
#define KVFORGE_DECODE_H

#include "kvforge/fp8.h"

/*
 * A result of f32 as it is stored: the only NaN is 0x7FFFFFFF, which CUDA's arithmetic gives too.
 * With that, and 0x7FFF for the 16-bit dtypes, results are the same bits on every machine.
 */
KVF_INLINE float kvf_f32_result(float x) {
  return (kvf_bits(x) & 0x7FFFFFFFu) > 0x7F800000u ? kvf_float(0x7FFFFFFFu) : x;
}
KVF_INLINE uint16_t kvf_f16_result(float x) { return kvf_f16_from_f32(x); }
KVF_INLINE uint16_t kvf_bf16_result(float x) { return kvf_bf16_from_f32(x); }

#endif
