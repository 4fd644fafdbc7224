/*
 * Generated from templates/table/params_op.h.j2 and
 * generator/spec/cp_gather_indexer_k_quant_cache.py. Do not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_CP_GATHER_INDEXER_K_QUANT_CACHE_H
#define KVFORGE_PARAMS_CP_GATHER_INDEXER_K_QUANT_CACHE_H

#include "kvforge/cache/kernel_types.h"

/*
 * gathers the quantised indexer keys of sequences, and their scales, from pages.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_cp_gather_indexer_k_quant_cache_params {
  kvf_view kv_cache;     /* bytes; stride[0]: page */
  kvf_view dst_k;        /* bytes; stride[0]: row */
  kvf_view dst_scale;    /* bytes; stride[0]: row */
  kvf_block_table table; /* which page holds each row */
  int64_t num_rows;      /* rows of the destinations */
  int32_t head_dim;      /* elements of a key */
  int32_t num_scales;    /* scales of a key */

  /* Derived by kvf_launch_cp_gather_indexer_k_quant_cache(); callers leave these alone. */
  int32_t rows_per_block;  /* CUDA: rows of a thread block */
  int32_t vector_elements; /* bytes that one CUDA thread moves at a time */
  int32_t scales_aligned;  /* whether scales can be copied in one piece */
} kvf_cp_gather_indexer_k_quant_cache_params;

#endif
