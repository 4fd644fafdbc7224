/* The strides of pages of keys and values, as each of the layouts has them, in elements. */
#ifndef KVFORGE_COMPAT_LAYOUT_H
#define KVFORGE_COMPAT_LAYOUT_H

#include "shim.h"

/* Keys [head, group of x elements, token, element of a group], values [head, element, token]. */
typedef struct kvf_shim_grouped {
  int64_t key[5];   /* page, head, group, token, element */
  int64_t value[4]; /* page, head, element, token */
} kvf_shim_grouped;

static inline kvf_shim_grouped kvf_shim_group(int64_t num_heads, int64_t head_size,
                                              int64_t block_size, int64_t x) {
  kvf_shim_grouped strides;
  const int64_t groups = x > 0 ? kvf_quotient_up(head_size, x) : 0;
  kvf_shim_strides((const int64_t[]){num_heads, groups, block_size, x}, 4, strides.key);
  kvf_shim_strides((const int64_t[]){num_heads, head_size, block_size}, 3, strides.value);
  return strides;
}

/* Pages of [token, head, element], or of [head, token, element]. */
typedef struct kvf_shim_flat {
  int64_t page, token, head;
} kvf_shim_flat;

static inline kvf_shim_flat kvf_shim_flatten(kvf_shim *shim, int64_t num_heads, int64_t head_size,
                                             int64_t block_size) {
  int64_t stride[4];
  if (kvf_shim_heads_first(shim)) {
    kvf_shim_strides((const int64_t[]){num_heads, block_size, head_size}, 3, stride);
    return (kvf_shim_flat){.page = stride[0], .head = stride[1], .token = stride[2]};
  }
  kvf_shim_strides((const int64_t[]){block_size, num_heads, head_size}, 3, stride);
  return (kvf_shim_flat){.page = stride[0], .token = stride[1], .head = stride[2]};
}

#endif
