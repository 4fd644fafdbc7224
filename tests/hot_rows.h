/* Cases of hisparse: a pool of rows in host memory, and pages that are to hold some of them. */
#ifndef KVF_TESTS_HOT_ROWS_H
#define KVF_TESTS_HOT_ROWS_H

#include "operands.h"

typedef struct hot_case {
  int64_t host_rows, blocks, block_size, width; /* width: elements of a row */
  int64_t requests, columns;
  kvf_dtype dtype;
  int layout; /* 0 compact, 1 rows and pages apart */
  int offset; /* bytes from a multiple of 16 */
  bool flat;  /* hot_cache of rank 2: pages of one row */
  int entry;
  bool with_exec;
  uint64_t seed;
} hot_case;

/* Begins a call; makes host_cache and hot_cache, as arguments 0 and 1. */
void hot_build(op_call *call, const kvf_op *op, const hot_case *what);

/* An int32 matrix [requests, columns], or a vector with room for more than `size`, of any numbers.
 */
void hot_make_plan(op_call *call, int position, const hot_case *what);
void hot_make_vector(op_call *call, int position, const hot_case *what, int64_t size);

/*
 * Rows of the pool and hot rows for every entry: negative ones, ones beyond the end, and hot rows
 * of which none occurs twice.
 */
void hot_fill(op_call *call, const hot_case *what, int global, int hot);

/* Notes that hot row d becomes row g of the pool. */
void hot_expect(const op_call *call, const hot_case *what, int64_t g, int64_t d);

/* The params' part. */
kvf_hot_rows hot_params(const op_call *call, const hot_case *what);

/* Cases of every size and layout, one call each. */
void hot_test_matrix(void (*run)(const hot_case *what));

/* Rows of the pool that no kernel can read are refused (CUDA). */
void hot_test_pageable(void (*build)(op_call *call, const void *context), const hot_case *what);

#endif
