/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/kv_relayout.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_KV_RELAYOUT_H
#define KVFORGE_PARAMS_KV_RELAYOUT_H

#include "kvforge/cache/kernel_types.h"

/*
 * copies tokens of all layers to pages of another layout or block size, in one launch.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_kv_relayout_params {
  kvf_page_copy copy; /* slots, and where rows are on both sides */
} kvf_kv_relayout_params;

#endif
