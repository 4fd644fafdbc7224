/*
 * Generated from templates/table/params_op.h.j2 and
 * generator/spec/reshape_and_cache_flash_per_token_head.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#ifndef KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_PER_TOKEN_HEAD_H
#define KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_PER_TOKEN_HEAD_H

#include "kvforge/cache/kernel_types.h"

/*
 * scatters keys and values, quantised with a scale for each head of each token.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_reshape_and_cache_flash_per_token_head_params {
  kvf_view key;         /* stride[0..2]: token, head, element */
  kvf_view value;       /* as key */
  kvf_view key_cache;   /* strides in the order of the argument's dimensions; int4: bytes, the last
                           stride is 1 */
  kvf_view value_cache; /* as key_cache */
  kvf_view k_scale_cache;  /* f32; stride[0..2]: block, token, head */
  kvf_view v_scale_cache;  /* as k_scale_cache */
  kvf_slots slots;         /* tokens, pages and where each token goes */
  int32_t num_heads;       /* KV heads */
  int32_t head_size;       /* elements of a head of key */
  int32_t value_head_size; /* elements of a head of value */

  /* Derived by kvf_launch_reshape_and_cache_flash_per_token_head(); callers leave these alone. */
  int32_t vector_elements; /* elements that one CUDA thread moves at a time; int4: 32, 16 or 1 */
} kvf_reshape_and_cache_flash_per_token_head_params;

#endif
