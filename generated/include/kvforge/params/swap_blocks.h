/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/swap_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_SWAP_BLOCKS_H
#define KVFORGE_PARAMS_SWAP_BLOCKS_H

#include "kvforge/cache/kernel_types.h"

/*
 * copies pages between two caches, on devices or the host.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_swap_blocks_params {
  kvf_pages src;          /* stride: bytes from one page to the next, those of a page or more */
  kvf_pages dst;          /* as src */
  int64_t num_src_blocks; /* pages in src */
  int64_t num_dst_blocks; /* pages in dst */
  int64_t block_size_in_bytes;  /* bytes of a page */
  kvf_block_list block_mapping; /* pairs, in host memory on both backends */

  /* Derived by kvf_launch_swap_blocks(); callers leave these alone. */
  int32_t streaming; /* CPU: store past the caches */
} kvf_swap_blocks_params;

#ifdef __cplusplus
/* What the CUDA kernels take: declared to be asked for its type. */
kvf_moves_launch kvf_taken_by_kernel(const kvf_swap_blocks_params *);
#endif

#endif
