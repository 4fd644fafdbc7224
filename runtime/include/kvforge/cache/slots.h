/* Where the tokens of a call lie in pages. Included by host C, by the CPU variants and by the CUDA
 * kernels. */
#ifndef KVFORGE_SLOTS_H
#define KVFORGE_SLOTS_H

#include "kvforge/kernel_types.h"

/*
 * Where the tokens of a call go: slot = mapping[t * stride], page = slot div block_size, place in
 * the page = slot mod block_size; a negative slot skips its token.
 *
 * With `remap` that slot is one of another pool, such as that of all layers where these pages are
 * of the layers with a window: it is replaced by remap[slot * remap_stride], of which a negative
 * one skips the token too.
 */
typedef struct kvf_slots {
  const void *mapping; /* [num_tokens] int64 or int32 */
  int64_t stride;      /* of mapping, in elements */
  int32_t index_bytes; /* of one element of mapping: 8 or 4 */
  int64_t num_tokens;  /* tokens to write */
  int64_t num_blocks;  /* pages in the cache */
  int64_t block_size;  /* tokens in a page */
  const void *remap;   /* [remap_size] int64 or int32; NULL: slots are those of these pages */
  int64_t remap_stride;
  int64_t remap_size;  /* slots of the other pool */
  int32_t remap_bytes; /* of one element of remap: 8 or 4 */
  /* Derived by the launch functions; callers leave these alone. */
  kvf_divider by_block_size;
  unsigned long long *faults; /* CUDA: counts slots out of range */
} kvf_slots;

#endif
