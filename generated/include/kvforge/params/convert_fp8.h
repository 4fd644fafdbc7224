/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/convert_fp8.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_CONVERT_FP8_H
#define KVFORGE_PARAMS_CONVERT_FP8_H

#include "kvforge/cache/kernel_types.h"

/*
 * converts a tensor of any shape to fp8, from fp8, or from one float dtype to another.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_convert_fp8_params {
  kvf_view dst_cache;         /* stride[0..4] go with size[0..4] */
  kvf_view src_cache;         /* as dst_cache */
  int64_t size[KVF_MAX_RANK]; /* elements of each dimension; 1 where there is none */
  float scale;                /* 1 between float dtypes */

  /* Derived by kvf_launch_convert_fp8(); callers leave these alone. */
  int64_t rows;                      /* runs of elements along dimension 4 */
  kvf_divider by_size[KVF_MAX_RANK]; /* take the number of a row apart; 1 to 3 */
  kvf_divider by_units;              /* vectors (CUDA) or pieces (CPU) of a row */
  int32_t in_flight;                 /* CUDA: vectors that a thread loads before it stores */
  int32_t vector_elements;           /* elements that one CUDA thread moves at a time */
  int32_t streaming;                 /* CPU: store past the caches */
} kvf_convert_fp8_params;

#endif
