/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/cp_gather_cache.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_CP_GATHER_CACHE_H
#define KVFORGE_PARAMS_CP_GATHER_CACHE_H

#include "kvforge/cache/kernel_types.h"

/*
 * gathers the rows of sequences from pages, bits as they are.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_cp_gather_cache_params {
  kvf_view src_cache;    /* bytes; stride[0..1]: page, token; a row is dense */
  kvf_view dst;          /* elements; stride[0]: row; a row is dense */
  kvf_block_table table; /* which page holds each row; starts: cu_seq_lens, offsets: seq_starts */
  int64_t num_rows;      /* rows of dst, whether a sequence has them or not */
  int32_t entry_size;    /* bytes of a row */

  /* Derived by kvf_launch_cp_gather_cache(); callers leave these alone. */
  int32_t rows_per_tile;   /* CUDA: rows of a thread block */
  int32_t tile_vectors;    /* CUDA: vectors of a row that a thread block moves */
  int32_t vector_elements; /* elements that one CUDA thread moves at a time */
  int32_t streaming;       /* CPU: store past the caches */
} kvf_cp_gather_cache_params;

#endif
