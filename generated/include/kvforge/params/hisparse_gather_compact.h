/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/hisparse_gather_compact.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_HISPARSE_GATHER_COMPACT_H
#define KVFORGE_PARAMS_HISPARSE_GATHER_COMPACT_H

#include "kvforge/cache/kernel_types.h"

/*
 * loads rows of a host pool into a device's hot buffer, by a list for each request.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_hisparse_gather_compact_params {
  kvf_hot_rows rows;            /* the pool and the pages */
  kvf_view miss_global_indices; /* int32; stride[0..1]: request, column */
  kvf_view miss_hot_indices;    /* as miss_global_indices */
  kvf_view miss_counts;         /* int32; stride[0]: request */
  int64_t num_requests;         /* requests */
  int64_t num_columns;          /* pairs that a request has at most */

  /* Derived by kvf_launch_hisparse_gather_compact(); callers leave these alone. */
  kvf_divider by_num_columns; /* splits an entry into request and column */
} kvf_hisparse_gather_compact_params;

#endif
