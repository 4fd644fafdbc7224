/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/reshape_and_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_RESHAPE_AND_CACHE_H
#define KVFORGE_PARAMS_RESHAPE_AND_CACHE_H

#include "kvforge/cache/kernel_types.h"

/*
 * scatters the keys and values of new tokens into 5-D key pages and 4-D value pages.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_reshape_and_cache_params {
  kvf_view key;         /* stride[0..2]: token, head, element */
  kvf_view value;       /* as key */
  kvf_view key_cache;   /* strides in the order of the argument's dimensions */
  kvf_view value_cache; /* stride[0..3]: page, head, element, token; with interleaved_v token of a
                           group, and stride[4]: group of x tokens */
  kvf_view
      k_scale; /* f32; stride[0]: head, 0 for one scale; data may be NULL when bits are copied */
  kvf_view v_scale;        /* as k_scale */
  kvf_slots slots;         /* tokens, pages and where each token goes */
  int32_t num_heads;       /* KV heads */
  int32_t head_size;       /* elements of a head */
  int32_t value_head_size; /* elements of a head of value */
  int32_t x;               /* elements of one inner vector of key_cache */
  int32_t interleaved_v;   /* 1 or 0 */

  /* Derived by kvf_launch_reshape_and_cache(); callers leave these alone. */
  int32_t streaming;           /* CPU: store past the caches */
  kvf_divider by_value_group;  /* tokens of a group: x, or all of a page */
  int32_t vector_elements;     /* elements that one CUDA thread reads at a time */
  int32_t key_vector_elements; /* key elements that one CUDA thread writes at a time */
  int32_t tile_shift;          /* CUDA: log2 of the elements of a tile */
  int32_t token_shift;         /* CUDA: log2 of its tokens */
  int32_t value_vectors;       /* CUDA: 16-byte vectors of tokens can be aligned */
} kvf_reshape_and_cache_params;

#endif
