/* What entry points know of cache dtypes beside kvf_check_variant(). */
#ifndef KVFORGE_CACHE_DTYPE_H
#define KVFORGE_CACHE_DTYPE_H

#include "kvforge/dtypes.h"

/* The dtype that a string names next to tensors of a scalar dtype, or KVF_DTYPE_NONE. */
kvf_dtype kvf_find_cache_dtype(const char *string, kvf_dtype scalar);

/* What a reader takes a kv_cache_dtype for: it need not know how block scales were chosen, nor how
 * codes were rounded. */
const char *kvf_name_to_read(const char *kv_cache_dtype);

#endif
