/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/zero_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_ZERO_BLOCKS_H
#define KVFORGE_PARAMS_ZERO_BLOCKS_H

#include "kvforge/cache/kernel_types.h"

/*
 * clears the given pages of all layers, in one launch.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_zero_blocks_params {
  kvf_page_list pages; /* the tensors of one launch, whose pages have one size, and the blocks that
                          are meant */
} kvf_zero_blocks_params;

#endif
