/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/copy_blocks_mla.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_COPY_BLOCKS_MLA_H
#define KVFORGE_PARAMS_COPY_BLOCKS_MLA_H

#include "kvforge/cache/kernel_types.h"

/*
 * copies pages within the joint caches of all layers, in one launch.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_copy_blocks_mla_params {
  kvf_page_list pages; /* the tensors of one launch, whose pages have one size, and the blocks that
                          are meant */
} kvf_copy_blocks_mla_params;

#endif
