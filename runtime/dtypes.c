#include <string.h>

#include "error.h"
#include "kvforge/kvforge.h"

#define NAME(enumerator, name, bits, code) [enumerator] = name,
static const char *const dtype_names[KVF_DTYPE_COUNT] = {KVF_DTYPES(NAME)};
#undef NAME

const char *kvf_dtype_name(kvf_dtype dtype) {
  const size_t position = (size_t)dtype;
  return position > KVF_DTYPE_NONE && position < KVF_DTYPE_COUNT ? dtype_names[position] : "?";
}

int32_t kvf_dtype_bits(kvf_dtype dtype) {
#define BITS(enumerator, name, bits, code) [enumerator] = bits,
  static const int32_t dtype_bits[KVF_DTYPE_COUNT] = {KVF_DTYPES(BITS)};
#undef BITS
  const size_t position = (size_t)dtype;
  return position < KVF_DTYPE_COUNT ? dtype_bits[position] : 0;
}

kvf_dtype kvf_find_dtype(const char *name) {
  for (int dtype = KVF_DTYPE_NONE + 1; name != NULL && dtype < KVF_DTYPE_COUNT; ++dtype) {
    if (strcmp(name, dtype_names[dtype]) == 0) {
      return (kvf_dtype)dtype;
    }
  }
  return KVF_DTYPE_NONE;
}

static bool is_scalar(kvf_dtype dtype) {
  return dtype == KVF_F32 || dtype == KVF_F16 || dtype == KVF_BF16;
}

kvf_status kvf_resolve_cache_dtype(const char *kv_cache_dtype, kvf_dtype scalar, kvf_dtype *cache) {
#define ALIAS(string, enumerator) {string, enumerator},
  static const struct {
    const char *string;
    kvf_dtype dtype;
  } aliases[] = {KVF_CACHE_ALIASES(ALIAS)};
#undef ALIAS
  const size_t count = sizeof aliases / sizeof *aliases;

  kvf_dtype found = KVF_DTYPE_NONE;
  for (size_t i = 0; kv_cache_dtype != NULL && found == KVF_DTYPE_NONE && i < count; ++i) {
    if (strcmp(kv_cache_dtype, aliases[i].string) == 0) {
      found = aliases[i].dtype == KVF_DTYPE_NONE ? scalar : aliases[i].dtype;
    }
  }
  if (found == KVF_DTYPE_NONE) {
    found = kvf_find_dtype(kv_cache_dtype);
    found = found == KVF_B8 ? KVF_DTYPE_NONE : found;
  }
  if (found == KVF_DTYPE_NONE) {
    kvf_text accepted = {.length = 0};
    for (size_t i = 0; i < count; ++i) {
      kvf_text_add(&accepted, aliases[i].string);
    }
    for (int dtype = KVF_BF16 + 1; dtype < KVF_DTYPE_COUNT; ++dtype) {
      if (dtype != KVF_B8) {
        kvf_text_add(&accepted, dtype_names[dtype]);
      }
    }
    return kvf_error(KVF_INVALID_VALUE, "kv_cache_dtype: got %s%s%s, want one of %s",
                     kv_cache_dtype ? "'" : "", kv_cache_dtype ? kv_cache_dtype : "NULL",
                     kv_cache_dtype ? "'" : "", accepted.data);
  }
  if (is_scalar(found) && found != scalar) {
    return kvf_error(
        KVF_INVALID_VALUE,
        "kv_cache_dtype: got '%s' for %s tensors, want 'auto' or a dtype of codes (a cache "
        "of floats holds the dtype of its tensors)",
        kv_cache_dtype, kvf_dtype_name(scalar));
  }
  *cache = found;
  return KVF_OK;
}
