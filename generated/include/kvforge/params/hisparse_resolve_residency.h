/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/hisparse_resolve_residency.py.
 * Do not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_HISPARSE_RESOLVE_RESIDENCY_H
#define KVFORGE_PARAMS_HISPARSE_RESOLVE_RESIDENCY_H

#include "kvforge/cache/kernel_types.h"

/*
 * finds rows of a host pool among a request's hot slots, and slots for those that are not.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_hisparse_resolve_residency_params {
  kvf_references references;          /* what is referred to, by whom */
  kvf_view hot_indices;               /* int32; stride[0..1]: row, column */
  kvf_view device_global_indices;     /* int32; stride[0..1]: state, slot */
  kvf_view lru_slots;                 /* int16; stride[0..1]: state, place in the order */
  kvf_view miss_mask;                 /* as hot_indices; data NULL for none */
  kvf_view stats;                     /* uint64; stride[0]: hits, misses; data NULL for none */
  kvf_view attention_indices;         /* as hot_indices; data NULL for none */
  kvf_view resolved_global_indices;   /* as hot_indices; data NULL for none */
  kvf_view valid_counts;              /* int32; stride[0]: row; data NULL for none */
  kvf_view swap_host_physical_rows;   /* as hot_indices; data NULL for none */
  kvf_view swap_device_physical_rows; /* as hot_indices; data NULL for none */
  kvf_view swap_counts;               /* int32; stride[0]: row; data NULL for none */
  int64_t attention_block_stride;     /* rows from a page to the next */
  int64_t max_union_rows;             /* distinct rows of the pool in a run */

  /* Derived by kvf_launch_hisparse_resolve_residency(); callers leave these alone. */
  kvf_divider by_num_columns; /* splits an entry of the list */
  int32_t cells;              /* of the table of the union */
  unsigned long long *faults; /* CUDA: counts references without a place */
} kvf_hisparse_resolve_residency_params;

#endif
