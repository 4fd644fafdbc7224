/* kv_cache_dtype: from the caller's string to a cache dtype and a variant. */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "kvforge/cache/op.h"

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
  if (cache == NULL) {
    return kvf_error(KVF_INVALID_VALUE,
                     "kvf_resolve_cache_dtype: cache: got NULL, want an address");
  }

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
        kvf_text_add(&accepted, kvf_dtype_name((kvf_dtype)dtype));
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

const kvf_variant *kvf_check_variant(kvf_check *check, const char *kv_cache_dtype,
                                     kvf_dtype scalar) {
  if (check->status != KVF_OK) {
    return NULL;
  }
  kvf_dtype cache = KVF_DTYPE_NONE;
  if (kvf_resolve_cache_dtype(kv_cache_dtype, scalar, &cache) != KVF_OK) {
    char sentence[2048];
    (void)snprintf(sentence, sizeof sentence, "%s", kvf_last_error());
    check->status = kvf_error(KVF_INVALID_VALUE, "%s: %s", check->op->name, sentence);
    return NULL;
  }
  const kvf_variant *variant = kvf_select(check->op, check->exec.backend, scalar, cache);
  if (variant == NULL) {
    check->status = kvf_select_status(check->op, check->exec.backend, scalar, cache);
  }
  return variant;
}
