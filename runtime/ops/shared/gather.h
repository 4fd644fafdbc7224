/* What the entry points of the ops that gather rows from pages share. */
#ifndef KVFORGE_GATHER_RUNTIME_H
#define KVFORGE_GATHER_RUNTIME_H

#include "kvforge/cache/op.h"

/* The members of a params struct that every gather has. */
typedef struct kvf_gather {
  kvf_view *src_cache;
  kvf_view *dst;
  kvf_block_table *table;
  int64_t *num_rows;
  int32_t *rows_per_tile;
  int32_t *tile_vectors;
  int32_t *vector_elements;
  int32_t *streaming;
  int32_t patch; /* rows that a thread moves at a time; 0: one */
} kvf_gather;

#define KVF_GATHER(params)                                                                         \
  {&(params)->src_cache,       &(params)->dst,           &(params)->table,                         \
   &(params)->num_rows,        &(params)->rows_per_tile, &(params)->tile_vectors,                  \
   &(params)->vector_elements, &(params)->streaming,     0}

/*
 * A tensor without what lies behind its first `size` rows, so that arguments may be longer than the
 * call needs. A tensor that is not longer is returned as it is.
 */
typedef struct kvf_shortened {
  DLTensor tensor;
  int64_t shape[2];
} kvf_shortened;
const DLTensor *kvf_shorten(const DLTensor *tensor, int64_t size, kvf_shortened *shortened);

/* Refuses a batch_size below 0. */
void kvf_check_batch_size(kvf_check *check, int64_t batch_size);

/* Elements of a row are neighbours. */
void kvf_check_unit_stride(kvf_check *check, const char *argument, const kvf_view *view,
                           int32_t dimension, const kvf_dim *size);

/*
 * The checks of a raw launch. False when there is nothing to gather, or after a failure.
 * `row_elements` of dst, as the params struct has them.
 */
bool kvf_launch_gather(kvf_check *check, const kvf_gather *gather, int64_t row_elements);

/* Runs a CPU variant over the rows. */
kvf_status kvf_run_gather(const kvf_check *check, const kvf_variant *variant, const void *params,
                          const kvf_gather *gather, int64_t bytes_read, int64_t bytes_written);

/* The grid for rows of this many vectors, by the op's tuned constants; fills what tiles have. */
kvf_grid kvf_gather_grid(const kvf_check *check, const kvf_gather *gather, int64_t vectors);

#endif
