/*
 * Rotary position embedding in the arithmetic of a scalar dtype: every product, sum and difference
 * is made in f32, never fused, and rounded to the scalar dtype. A NaN is 0x7FFF, or 0x7FFFFFFF in
 * f32. The CPU variants do just that; cuda_rope.cuh gets the same bits from the GPU's own
 * instructions.
 */
#ifndef KVFORGE_ROPE_H
#define KVFORGE_ROPE_H

#include "kvforge/float16.h"

/* The end of a rotation, as it is stored. */
KVF_INLINE float kvf_rotated_f32(float x) { return x == x ? x : kvf_float(0x7FFFFFFFu); }
KVF_INLINE uint16_t kvf_rotated_bf16(float x) { return kvf_bf16_from_f32(x); }

#endif
