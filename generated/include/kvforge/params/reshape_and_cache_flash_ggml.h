/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/reshape_and_cache_flash_ggml.py.
 * Do not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_GGML_H
#define KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_GGML_H

#include "kvforge/cache/kernel_types.h"

/*
 * scatters keys and values into pages of ggml's q8_0 or q4_0 rows.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_reshape_and_cache_flash_ggml_params {
  kvf_view key;            /* stride[0..2]: token, head, element */
  kvf_view value;          /* as key */
  kvf_view key_cache;      /* bytes; stride[0..2]: page, token, head */
  kvf_view value_cache;    /* as key_cache */
  kvf_slots slots;         /* tokens, pages and where each token goes */
  int32_t num_heads;       /* KV heads */
  int32_t head_size;       /* elements of a head of key, a multiple of 32 */
  int32_t value_head_size; /* elements of a head of value, likewise */

  /* Derived by kvf_launch_reshape_and_cache_flash_ggml(); callers leave these alone. */
  int32_t vector_elements; /* CUDA: 32 where blocks are moved in words, or 1 */
} kvf_reshape_and_cache_flash_ggml_params;

#endif
