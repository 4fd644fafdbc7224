/* What callers of cache ops share beside the ops themselves. */
#ifndef KVFORGE_CACHE_H
#define KVFORGE_CACHE_H

#include "kvforge/kvforge.h"

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
