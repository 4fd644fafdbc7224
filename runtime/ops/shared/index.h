/* The indices of a call, which another thread may write to while they are read. */
#ifndef KVFORGE_INDEX_H
#define KVFORGE_INDEX_H

#include "kvforge/op.h"

/* Refuses a size of an index that is not 4 or 8 bytes. */
void kvf_launch_index_bytes(kvf_check *check, const char *member, int32_t index_bytes);

/* Element i of an array of 4- or 8-byte integers, read once. */
static inline int64_t kvf_read_index(const void *array, int32_t index_bytes, int64_t i) {
  return index_bytes == 8 ? __atomic_load_n((const int64_t *)array + i, __ATOMIC_RELAXED)
                          : __atomic_load_n((const int32_t *)array + i, __ATOMIC_RELAXED);
}

#endif
