/* Launches that kvforge/cache/narrow.h has a form for. */
#ifndef KVFORGE_OPS_NARROW_H
#define KVFORGE_OPS_NARROW_H

#include "kvforge/cache/op.h"

/*
 * What a call may read of its longer part, in bytes, for each vector of it to have a thread of its
 * own: with more it takes longer than where threads have several.
 */
enum { KVF_NARROW_BYTES = 8 << 20 };

/* A stride in bytes; false if it does not fit. */
static inline bool kvf_narrow_stride(int64_t elements, int32_t bytes, uint32_t *narrow) {
  const uint64_t all = (uint64_t)elements * (uint64_t)bytes;
  *narrow = (uint32_t)all;
  return (uint64_t)elements <= INT32_MAX && all <= INT32_MAX;
}

/* What multiplies numbers below 2^31 that a divider divides; the shift is the divider's. */
static inline uint32_t kvf_narrow_magic(const kvf_divider *divider) {
  /* ceil(2^(31 + shift) / value), of which the divider's is 2^32 times as much, rounded up as well.
   */
  return (uint32_t)(divider->magic >> 32) + ((uint32_t)divider->magic != 0);
}

/* One side of a write. */
typedef struct kvf_narrow_rows {
  const kvf_view *from;
  const kvf_view *to;
  const kvf_view *scale; /* NULL: bits are copied */
  int64_t vectors;
} kvf_narrow_rows;

/* Makes `write` that of these rows, of elements of so many bytes; false if they have none: what it
 * is then does not count. */
bool kvf_narrow_fit(const kvf_variant *variant, const kvf_slots *slots,
                    const kvf_narrow_rows rows[2], int32_t from_bytes, int32_t to_bytes,
                    int32_t vector_elements, kvf_narrow_write *write);

#endif
