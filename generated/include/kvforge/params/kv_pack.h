/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/kv_pack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_KV_PACK_H
#define KVFORGE_PARAMS_KV_PACK_H

#include "kvforge/cache/kernel_types.h"

/*
 * gathers tokens of all layers from their pages into a wire buffer, in one launch.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_kv_pack_params {
  kvf_wire_copy copy; /* slots, wire, pages and where rows are in both */
} kvf_kv_pack_params;

#endif
