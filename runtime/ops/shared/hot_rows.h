/* What the entry points of hisparse share: rows of a host pool, some of which are in pages. */
#ifndef KVFORGE_HOT_ROWS_RUNTIME_H
#define KVFORGE_HOT_ROWS_RUNTIME_H

#include "kvforge/cache/op.h"

/*
 * Checks host_cache, which the host owns wherever the call runs, and hot_cache of rank 3, or 2 if
 * `flat` allows it; places the call.
 */
void kvf_check_hot_rows(kvf_check *check, const DLTensor *host_cache, const DLTensor *hot_cache,
                        bool flat, kvf_hot_rows *rows);

/* A matrix of int32, or a vector whose first `*size` elements are used. */
void kvf_check_plan(kvf_check *check, const char *argument, const DLTensor *tensor,
                    kvf_dim *num_rows, kvf_dim *num_columns, kvf_view *view);
void kvf_check_first(kvf_check *check, const char *argument, const DLTensor *tensor,
                     const kvf_dim *size, kvf_view *view);

/* Refuses a stride that lets pages overlap, or gives attention an index that int32 does not hold.
 * Nothing where there are none to be written. */
void kvf_check_attention(kvf_check *check, const kvf_view *attention_indices, int64_t block_stride,
                         int64_t num_blocks, int64_t block_size);

/* The checks of a raw launch, which fills the derived members. */
void kvf_launch_hot_rows(kvf_check *check, const kvf_variant *variant, kvf_hot_rows *rows);

/* Runs a variant over the entries of a plan. */
kvf_status kvf_run_plan(const kvf_check *check, const kvf_variant *variant, const void *params,
                        int64_t entries, int64_t row_bytes);

#endif
