/* kv_cache_dtype: from the caller's string to a cache dtype and a variant. */
#include "ops/shared/cache_dtype.h"

#include <string.h>

#include "core/error.h"
#include "kvforge/cache/op.h"

static bool is_scalar(kvf_dtype dtype) {
  return dtype == KVF_F32 || dtype == KVF_F16 || dtype == KVF_BF16;
}

/* Strings that are not a dtype's own name. */
static const struct {
  const char *string;
  kvf_dtype dtype; /* KVF_DTYPE_NONE: the scalar dtype, whatever it is */
} aliases[] = {
    {"auto", KVF_DTYPE_NONE}, {"float32", KVF_F32},  {"float16", KVF_F16},
    {"bfloat16", KVF_BF16},   {"fp8", KVF_FP8_E4M3},
};
enum { NUM_ALIASES = sizeof aliases / sizeof *aliases };

static kvf_dtype alias_dtype(size_t i, kvf_dtype scalar) {
  return aliases[i].dtype == KVF_DTYPE_NONE ? scalar : aliases[i].dtype;
}

kvf_dtype kvf_find_cache_dtype(const char *string, kvf_dtype scalar) {
  for (size_t i = 0; string != NULL && i < NUM_ALIASES; ++i) {
    if (kvf_same_name(string, aliases[i].string)) {
      return alias_dtype(i, scalar);
    }
  }
  const kvf_dtype dtype = kvf_find_dtype(string);
  return dtype == KVF_B8 ? KVF_DTYPE_NONE : dtype;
}

/* The values of the generic variant of two dtypes, whatever axes an op has besides. */
typedef struct generic_values {
  int64_t of[KVF_MAX_AXES];
} generic_values;

static inline generic_values generic(kvf_dtype scalar, kvf_dtype cache) {
  return (generic_values){{scalar, cache, KVF_OTHER, KVF_OTHER, KVF_OTHER, KVF_OTHER}};
}

static kvf_status select_status(const kvf_check *check, kvf_dtype scalar, kvf_dtype cache) {
  const generic_values values = generic(scalar, cache);
  return kvf_select_values_status(check->op, check->exec.backend, values.of, check->op->num_axes);
}

/* Whether a call of the op may name a cache dtype; without an op, any does. */
static bool is_wanted(const kvf_check *check, kvf_dtype scalar, kvf_dtype dtype) {
  return check == NULL || select_status(check, scalar, dtype) != KVF_UNSUPPORTED;
}

static kvf_status refuse_name(const kvf_check *check, const char *string, kvf_dtype scalar) {
  kvf_text wanted = {.length = 0};
  for (size_t i = 0; i < NUM_ALIASES; ++i) {
    if (is_wanted(check, scalar, alias_dtype(i, scalar))) {
      kvf_text_add(&wanted, aliases[i].string);
    }
  }
  for (int dtype = KVF_BF16 + 1; dtype < KVF_DTYPE_COUNT; ++dtype) {
    if (dtype != KVF_B8 && is_wanted(check, scalar, (kvf_dtype)dtype)) {
      kvf_text_add(&wanted, kvf_dtype_name((kvf_dtype)dtype));
    }
  }
  return kvf_error(KVF_INVALID_VALUE, "%s%skv_cache_dtype: got %s%.200s%s, want one of %s",
                   check ? check->op->name : "", check ? ": " : "", string ? "'" : "",
                   string ? string : "NULL", string ? "'" : "", wanted.data);
}

/* The cache dtype of a call; in the words of an op, unless `check` is NULL. */
static kvf_status resolve(const kvf_check *check, const char *string, kvf_dtype scalar,
                          kvf_dtype *cache) {
  const kvf_dtype found = kvf_find_cache_dtype(string, scalar);
  if (found == KVF_DTYPE_NONE) {
    return refuse_name(check, string, scalar);
  }
  if (is_scalar(found) && found != scalar) {
    return kvf_error(
        KVF_INVALID_VALUE,
        "%s%skv_cache_dtype: got '%s' for %s tensors, want 'auto' or a dtype of codes (a cache "
        "of floats holds the dtype of its tensors)",
        check ? check->op->name : "", check ? ": " : "", string, kvf_dtype_name(scalar));
  }
  *cache = found;
  return KVF_OK;
}

kvf_status kvf_resolve_cache_dtype(const char *kv_cache_dtype, kvf_dtype scalar, kvf_dtype *cache) {
  if (cache == NULL) {
    return kvf_error(KVF_INVALID_VALUE,
                     "kvf_resolve_cache_dtype: cache: got NULL, want an address");
  }
  return resolve(NULL, kv_cache_dtype, scalar, cache);
}

const kvf_variant *kvf_check_variant(kvf_check *check, const char *kv_cache_dtype,
                                     kvf_dtype scalar) {
  if (check->status != KVF_OK) {
    return NULL;
  }
  kvf_dtype cache = KVF_DTYPE_NONE;
  check->status = resolve(check, kv_cache_dtype, scalar, &cache);
  if (check->status != KVF_OK) {
    return NULL;
  }
  const generic_values values = generic(scalar, cache);
  const kvf_variant *variant =
      kvf_select_values(check->op, check->exec.backend, values.of, check->op->num_axes);
  if (variant == NULL) {
    check->status = select_status(check, scalar, cache);
  }
  return variant;
}

const char *kvf_name_to_read(const char *kv_cache_dtype) {
  static const kvf_dtype same[][2] = {{KVF_NVFP4_4OVER6, KVF_NVFP4},
                                      {KVF_INT8_PER_TOKEN_HEAD_EVEN, KVF_INT8_PER_TOKEN_HEAD},
                                      {KVF_FP8_DS_MLA_F32, KVF_FP8_DS_MLA}};
  for (size_t i = 0; kv_cache_dtype != NULL && i < sizeof same / sizeof *same; ++i) {
    if (strcmp(kv_cache_dtype, kvf_dtype_name(same[i][0])) == 0) {
      return kvf_dtype_name(same[i][1]);
    }
  }
  return kv_cache_dtype;
}

const int32_t *kvf_vector_widths(const kvf_variant *variant, int64_t elements) {
  enum { FEW = 1 << 19 };
  const bool encodes = kvf_scalar_of(variant) != kvf_cache_of(variant);
  return variant->vectors + (encodes && variant->vectors[0] > 4 && elements <= FEW);
}
