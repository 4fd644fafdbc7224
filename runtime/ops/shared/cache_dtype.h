/* What entry points know of cache dtypes beside kvf_check_variant(). */
#ifndef KVFORGE_CACHE_DTYPE_H
#define KVFORGE_CACHE_DTYPE_H

#include "kvforge/kvforge.h"

/* The dtype that a string names next to tensors of a scalar dtype, or KVF_DTYPE_NONE. */
kvf_dtype kvf_find_cache_dtype(const char *string, kvf_dtype scalar);

/* What a reader takes a kv_cache_dtype for: it need not know how block scales were chosen, nor how
 * codes were rounded. */
const char *kvf_name_to_read(const char *kv_cache_dtype);

/*
 * The vector widths that a CUDA launch of so many elements may have. What a thread of few takes is
 * the time to encode its vector, so that they have shorter ones.
 */
const int32_t *kvf_vector_widths(const kvf_variant *variant, int64_t elements);

#endif
