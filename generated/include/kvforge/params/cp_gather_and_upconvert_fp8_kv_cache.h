/*
 * Generated from templates/table/params_op.h.j2 and
 * generator/spec/cp_gather_and_upconvert_fp8_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#ifndef KVFORGE_PARAMS_CP_GATHER_AND_UPCONVERT_FP8_KV_CACHE_H
#define KVFORGE_PARAMS_CP_GATHER_AND_UPCONVERT_FP8_KV_CACHE_H

#include "kvforge/cache/kernel_types.h"

/*
 * gathers fp8_ds_mla rows of sequences from pages and turns them into floats.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_cp_gather_and_upconvert_fp8_kv_cache_params {
  kvf_view src_cache;            /* bytes; stride[0..1]: page, token; a row is dense */
  kvf_view dst;                  /* elements; stride[0]: row; a row is dense */
  kvf_block_table table;         /* which page holds each row; starts: workspace_starts, open-ended,
                                    offsets: seq_starts */
  int64_t num_rows;              /* rows of dst, whether a sequence has them or not */
  kvf_view host_cache;           /* bytes; stride[0]: row; a row is dense */
  const int32_t *host_row_ids;   /* [num_virtual_rows], rows of host_cache */
  const int32_t *device_row_ids; /* [num_virtual_rows], rows of src_cache or negative */
  int64_t num_virtual_rows;      /* elements of host_row_ids and device_row_ids */
  int64_t num_host_rows;         /* rows of host_cache */
  int32_t mapped;                /* whether rows are found by the two maps */

  /* Derived by kvf_launch_cp_gather_and_upconvert_fp8_kv_cache(); callers leave these alone. */
  int32_t rows_per_tile;   /* CUDA: rows of a thread block */
  int32_t tile_vectors;    /* CUDA: vectors of a row that a thread block moves */
  int32_t vector_elements; /* elements that one CUDA thread moves at a time */
  int32_t streaming;       /* CPU: store past the caches */
  int64_t num_pages;       /* of src_cache; table has the virtual ones */
} kvf_cp_gather_and_upconvert_fp8_kv_cache_params;

#endif
