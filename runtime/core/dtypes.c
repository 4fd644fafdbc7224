#include <string.h>

#include "core/error.h"
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
    if (kvf_same_name(name, dtype_names[dtype])) {
      return (kvf_dtype)dtype;
    }
  }
  return KVF_DTYPE_NONE;
}
