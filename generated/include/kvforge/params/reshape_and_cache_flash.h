/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/reshape_and_cache_flash.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_H
#define KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_H

#include "kvforge/cache/kernel_types.h"

/*
 * scatters keys and values of new tokens into a paged cache of [block, token, head].
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_reshape_and_cache_flash_params {
  kvf_narrow_write narrow; /* the same in 32 bits, where it fits; derived as those at the end */
  kvf_view key;            /* stride[0..2]: token, head, element */
  kvf_view value;          /* as key */
  kvf_view key_cache;      /* strides in the order of the argument's dimensions */
  kvf_view value_cache;    /* as key_cache */
  kvf_view
      k_scale; /* f32; stride[0]: head, 0 for one scale; data may be NULL when bits are copied */
  kvf_view v_scale;        /* as k_scale */
  kvf_slots slots;         /* tokens, pages and where each token goes */
  int32_t num_heads;       /* KV heads */
  int32_t head_size;       /* elements of a head */
  float k_scale_value;     /* the scale where k_scale has no address; 0: it has one */
  float v_scale_value;     /* as k_scale_value */
  int32_t value_head_size; /* elements of a head of value */

  /* Derived by kvf_launch_reshape_and_cache_flash(); callers leave these alone. */
  int32_t streaming;       /* CPU: store past the caches */
  int32_t vector_elements; /* elements that one CUDA thread moves at a time */
} kvf_reshape_and_cache_flash_params;

#endif
