/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/indexer_k_quant_and_cache.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_INDEXER_K_QUANT_AND_CACHE_H
#define KVFORGE_PARAMS_INDEXER_K_QUANT_AND_CACHE_H

#include "kvforge/cache/kernel_types.h"

/*
 * quantises the indexer keys of new tokens in groups and scatters them into pages.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_indexer_k_quant_and_cache_params {
  kvf_view k;         /* stride[0..1]: token, element */
  kvf_view kv_cache;  /* bytes; stride[0]: page */
  kvf_slots slots;    /* tokens, pages and where each token goes */
  int32_t head_dim;   /* elements of a key */
  int32_t group_size; /* elements of a group, a power of two */

  /* Derived by kvf_launch_indexer_k_quant_and_cache(); callers leave these alone. */
  kvf_divider by_groups;   /* splits a group number into token and group */
  int32_t lane_bits;       /* 2^lane_bits CUDA threads share a group */
  int32_t vector_elements; /* elements that one CUDA thread moves at a time */
  int32_t scales_aligned;  /* whether scales can be stored in one piece */
  int32_t rows_ahead;      /* CPU: how many tokens ahead a row is asked for */
} kvf_indexer_k_quant_and_cache_params;

#endif
