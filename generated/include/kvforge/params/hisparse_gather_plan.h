/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/hisparse_gather_plan.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_HISPARSE_GATHER_PLAN_H
#define KVFORGE_PARAMS_HISPARSE_GATHER_PLAN_H

#include "kvforge/cache/kernel_types.h"

/*
 * loads the rows of a host pool that a plan marks as missing, and tells where they lie.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_hisparse_gather_plan_params {
  kvf_hot_rows rows;              /* the pool and the pages */
  kvf_view global_indices;        /* int32; stride[0..1]: row of the plan, column */
  kvf_view hot_indices;           /* as global_indices */
  kvf_view miss_mask;             /* as global_indices */
  kvf_view request_state_indices; /* int32; stride[0]: row; data NULL for none */
  kvf_view attention_indices;     /* as global_indices; data NULL for none */
  int64_t attention_block_stride; /* rows from a page to the next */
  int64_t num_requests;           /* rows of the plan */
  int64_t num_columns;            /* columns of the plan */

  /* Derived by kvf_launch_hisparse_gather_plan(); callers leave these alone. */
  kvf_divider by_num_columns; /* splits an entry into row and column */
} kvf_hisparse_gather_plan_params;

#endif
