/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/swap_blocks_batch.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_SWAP_BLOCKS_BATCH_H
#define KVFORGE_PARAMS_SWAP_BLOCKS_BATCH_H

#include "kvforge/cache/kernel_types.h"

/*
 * copies ranges of bytes between addresses, on devices or the host.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_swap_blocks_batch_params {
  kvf_view src_ptrs;               /* int64 addresses, in host memory on both backends */
  kvf_view dst_ptrs;               /* as src_ptrs */
  kvf_view sizes;                  /* as src_ptrs; bytes */
  int64_t num_copies;              /* elements of each */
  int32_t is_src_access_order_any; /* 0 or 1; CUDA */

  /* Derived by kvf_launch_swap_blocks_batch(); callers leave these alone. */
  int32_t streaming; /* CPU: store past the caches */
} kvf_swap_blocks_batch_params;

#endif
