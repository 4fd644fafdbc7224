/* Zeroed memory of many gigabytes, for tensors whose elements lie more than 2^31 apart. */
#ifndef KVF_TESTS_REGION_H
#define KVF_TESTS_REGION_H

#include "memory.h"

typedef struct region {
  kvf_backend backend;
  size_t size;
  uint8_t *place;
} region;

/* On the CPU only what is touched takes room. False when there is none; the emulated CUDA driver
 * never has, since its memory is real. */
bool region_make(region *made, kvf_backend backend, size_t size);
void region_free(region *made);

void region_put(const region *to, int64_t at, const void *bytes, size_t count);
void region_get(const region *from, int64_t at, void *bytes, size_t count);

#endif
