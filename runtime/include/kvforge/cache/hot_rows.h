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

/*
 * References of requests to rows of a pool, and the slots that each request has for the rows that
 * it needs often. A state is what is known of a request's slots; requests of a batch have any of
 * them.
 */
typedef struct kvf_references {
  kvf_view global_indices;        /* int32; stride[0..1]: row, column */
  kvf_view request_ids;           /* int32; stride[0]: row. data NULL: row r is of request r */
  kvf_view request_state_indices; /* int32; stride[0]: request */
  kvf_view hot_block_table;       /* int32; stride[0..1]: request, page of its slots */
  kvf_view source_block_table;    /* int32; stride[0..1]: request, page of its positions */
  kvf_view resident_block_table;  /* int32; stride[0..1]: state, page of its positions */
  int64_t num_rows;
  int64_t num_columns;
  int64_t num_requests;        /* elements of request_state_indices; -1: a request is its state */
  int64_t num_states;          /* states */
  int64_t hot_size;            /* slots of a request */
  int64_t num_host_rows;       /* rows of the pool */
  int64_t num_blocks;          /* pages of the device */
  int64_t block_size;          /* rows in a page of the device */
  int64_t num_hot_tables;      /* requests that hot_block_table has */
  int64_t hot_width;           /* pages of one of them: hot_size rows or more */
  int64_t num_sources;         /* requests that source_block_table has */
  int64_t source_width;        /* pages of one of them */
  int64_t source_block_size;   /* rows in a page of the pool; 0: global_indices are rows of it */
  int64_t num_residents;       /* states that resident_block_table has; 0: there is none */
  int64_t resident_width;      /* pages of one of them */
  int64_t resident_null_block; /* a page that is none */
  /* Derived by the launch functions; callers leave these alone. */
  kvf_divider by_block_size;
  kvf_divider by_source_block_size;
} kvf_references;

#endif
