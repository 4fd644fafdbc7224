/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/concat_and_cache_mla_grouped.py.
 * Do not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_CONCAT_AND_CACHE_MLA_GROUPED_H
#define KVFORGE_PARAMS_CONCAT_AND_CACHE_MLA_GROUPED_H

#include "kvforge/cache/kernel_types.h"

/*
 * writes the latent and the rope part of new tokens to the MLA pages of several layers.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_concat_and_cache_mla_grouped_params {
  kvf_view kv_c;              /* stride[0..2]: layer, token, element */
  kvf_view k_pe;              /* as kv_c */
  kvf_view kv_cache_ptrs;     /* int64 addresses; stride[0]: layer */
  kvf_view kv_scales;         /* f32; stride[0]: layer; data may be NULL unless fp8 */
  int64_t num_layers;         /* layers */
  int64_t slots_layer_stride; /* of a layer in slots.mapping, in elements */
  int64_t block_stride;       /* of a page, in cache elements */
  int64_t entry_stride;       /* of a token, in cache elements */
  kvf_slots slots;            /* tokens, pages and where each token goes */
  int32_t kv_lora_rank;       /* elements of a row of kv_c */
  int32_t rope_dim;           /* elements of a row of k_pe */

  /* Derived by kvf_launch_concat_and_cache_mla_grouped(); callers leave these alone. */
  int32_t vector_elements; /* elements that one CUDA thread moves at a time */
  int32_t streaming;       /* CPU: store past the caches */
  int32_t rows_ahead;      /* CPU: how many tokens ahead a row is asked for */
} kvf_concat_and_cache_mla_grouped_params;

#endif
