/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/kv_checksum.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_KV_CHECKSUM_H
#define KVFORGE_PARAMS_KV_CHECKSUM_H

#include "kvforge/cache/kernel_types.h"

/*
 * makes the XXH3 digests of a wire buffer, and compares them with those expected.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_kv_checksum_params {
  kvf_view wire;       /* uint8, of stride 1 */
  kvf_view sums;       /* int64; stride[0]: unit */
  kvf_view expected;   /* as sums; data is NULL where nothing is compared */
  kvf_view mismatches; /* int32, one element; data may be NULL without expected */
  int64_t num_bytes;   /* bytes of the wire, a multiple of 1024 */
  int64_t unit_bytes;  /* bytes of a unit, a multiple of 1024 */
} kvf_kv_checksum_params;

#endif
