/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/kv_unpack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_KV_UNPACK_H
#define KVFORGE_PARAMS_KV_UNPACK_H

#include "kvforge/cache/kernel_types.h"

/*
 * scatters the tokens of a wire buffer into the pages of all layers, in one launch.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_kv_unpack_params {
  kvf_wire_copy copy; /* slots, wire, pages and where rows are in both */
} kvf_kv_unpack_params;

#endif
