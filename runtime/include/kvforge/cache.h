/* What callers of cache ops share beside the ops themselves. */
#ifndef KVFORGE_CACHE_H
#define KVFORGE_CACHE_H

#include "kvforge/kvforge.h"

/*
 * Scales. One that a cache is written or read with (k_scale, v_scale, kv_scales, convert_fp8's
 * scale, ...) is a positive, finite, normal f32 number: 2^-126 to 3.4e38. Where the host can read
 * it
 * - on the CPU, and a number on both backends - any other is refused with KVF_INVALID_VALUE before
 * anything is written. A scale that a call does not read, because the cache holds the scalar dtype,
 * may be anything.
 *
 * On CUDA scales are in device memory, which the host never reads. A kernel calculates with what it
 * finds, as IEEE 754 has it: with a scale of 0 an element becomes the largest code, 0 a NaN (in
 * nvfp4 a block scale that is NaN), with a NaN every element NaN, with a negative one the sign
 * changes. No scale makes it fault or touch another token. The same holds on the CPU for a scale
 * that another thread changes during the call. Scales of each token, and block scales, are part of
 * a cache as codes are, and nobody looks at their values.
 */

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Resolves a caller's kv_cache_dtype string against the scalar dtype of the tensors that go with
 * it. "auto" is the scalar dtype itself; "float32", "float16" and "bfloat16" are the same but must
 * name that dtype; "fp8" is fp8_e4m3; a cache dtype's own name is itself. Returns KVF_INVALID_VALUE
 * (with the list of what is accepted) otherwise, *cache then unchanged.
 */
KVF_API kvf_status kvf_resolve_cache_dtype(const char *kv_cache_dtype, kvf_dtype scalar,
                                           kvf_dtype *cache);

/* Of the family's variants: the scalar dtype, and what the cache holds. Of byte movers both are the
 * width. */
static inline kvf_dtype kvf_scalar_of(const kvf_variant *variant) {
  return (kvf_dtype)variant->values[0];
}

static inline kvf_dtype kvf_cache_of(const kvf_variant *variant) {
  return (kvf_dtype)variant->values[variant->op->num_axes > 1];
}

#ifdef __cplusplus
}
#endif

#endif
