/*
 * Generated from templates/table/params_op.h.j2 and
 * generator/spec/reshape_and_cache_flash_nvfp4.py. Do not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_NVFP4_H
#define KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_NVFP4_H

#include "kvforge/cache/kernel_types.h"

/*
 * scatters keys and values into pages of nvfp4: E2M1 codes and E4M3 block scales.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_reshape_and_cache_flash_nvfp4_params {
  kvf_view key;             /* stride[0..2]: token, head, element */
  kvf_view value;           /* as key */
  kvf_view key_cache;       /* bytes of codes; stride[0..2]: page, token, head */
  kvf_view value_cache;     /* as key_cache */
  kvf_view k_block_scales;  /* bytes; stride[0..2]: page, token, head */
  kvf_view v_block_scales;  /* as k_block_scales */
  kvf_view k_scale;         /* f32; stride[0]: head, 0 for one scale */
  kvf_view v_scale;         /* as k_scale */
  kvf_slots slots;          /* tokens, pages and where each token goes */
  int32_t num_heads;        /* KV heads */
  int32_t head_size;        /* elements of a head of key, a multiple of 16 */
  int32_t value_head_size;  /* elements of a head of value, a multiple of 16 */
  int32_t swizzle_v_scales; /* 1 or 0 */

  /* Derived by kvf_launch_reshape_and_cache_flash_nvfp4(); callers leave these alone. */
  int32_t value_groups;    /* CPU: block scales of a head of value, however heads are joined */
  int32_t vector_elements; /* CUDA: 16 where groups are moved in whole, or 1 */
} kvf_reshape_and_cache_flash_nvfp4_params;

#endif
