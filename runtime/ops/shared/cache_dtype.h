/* What the entry points of readers know of cache dtypes. */
#ifndef KVFORGE_CACHE_DTYPE_H
#define KVFORGE_CACHE_DTYPE_H

/* What a reader takes a kv_cache_dtype for: it need not know how block scales were chosen, nor how
 * codes were rounded. */
const char *kvf_name_to_read(const char *kv_cache_dtype);

#endif
