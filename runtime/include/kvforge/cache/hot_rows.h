/* A pool of rows in host memory, and pages of a device that hold some of them (hisparse). */
#ifndef KVFORGE_HOT_ROWS_H
#define KVFORGE_HOT_ROWS_H

#include "kvforge/kernel_types.h"

/* Hot row d is row d mod block_size of page d div block_size. */
typedef struct kvf_hot_rows {
  kvf_view host;         /* bytes; stride[0]: row. On CUDA pinned, at the host's address */
  kvf_view hot;          /* bytes; stride[0..1]: page, row of it */
  int64_t num_host_rows; /* rows of the pool */
  int64_t num_blocks;    /* pages */
  int64_t block_size;    /* rows in a page */
  int64_t row_bytes;     /* of both */
  /* Derived by the launch functions; callers leave these alone. */
  kvf_divider by_block_size;
  int32_t vector_bytes; /* that a CUDA thread moves at a time */
} kvf_hot_rows;

#endif
