/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/concat_and_cache_mla.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_CONCAT_AND_CACHE_MLA_H
#define KVFORGE_PARAMS_CONCAT_AND_CACHE_MLA_H

#include "kvforge/cache/kernel_types.h"

/*
 * writes the latent and the rope part of new tokens, one behind the other, to MLA pages.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_concat_and_cache_mla_params {
  kvf_narrow_write narrow; /* the same in 32 bits, where it fits; derived as those at the end */
  kvf_view kv_c;           /* stride[0..1]: token, element */
  kvf_view k_pe;           /* as kv_c */
  kvf_view kv_cache;       /* stride[0..2]: page, token, element */
  kvf_view scale;          /* f32, one element; data may be NULL unless fp8 */
  kvf_view kpe_cache;      /* as kv_cache; data NULL: behind kv_c in kv_cache */
  kvf_view kpe_scale;      /* as scale; data NULL: scale */
  kvf_slots slots;         /* tokens, pages and where each token goes */
  int32_t kv_lora_rank;    /* elements of a row of kv_c */
  int32_t rope_dim;        /* elements of a row of k_pe */
  int32_t skip_scale;      /* not 0: 1 in place of the scale, whose data may be NULL */

  /* Derived by kvf_launch_concat_and_cache_mla(); callers leave these alone. */
  int32_t vector_elements; /* elements that one CUDA thread moves at a time */
  int32_t streaming;       /* CPU: store past the caches */
  int32_t rows_ahead;      /* CPU: how many tokens ahead a row is asked for */
} kvf_concat_and_cache_mla_params;

#endif
