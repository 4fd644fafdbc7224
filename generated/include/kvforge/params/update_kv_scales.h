/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/update_kv_scales.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_UPDATE_KV_SCALES_H
#define KVFORGE_PARAMS_UPDATE_KV_SCALES_H

#include "kvforge/cache/kernel_types.h"

/*
 * raises the scales of keys and values to what new ones need.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_update_kv_scales_params {
  kvf_view key;            /* stride[0..2]: token, head, element */
  kvf_view value;          /* as key */
  kvf_view k_scale;        /* f32, one element */
  kvf_view v_scale;        /* as k_scale */
  int64_t num_tokens;      /* tokens */
  int64_t num_heads;       /* KV heads */
  int64_t head_size;       /* elements of a head of key */
  int64_t value_head_size; /* elements of a head of value */
  float divisor;           /* what the largest magnitude is divided by */

  /* Derived by kvf_launch_update_kv_scales(); callers leave these alone. */
  int64_t heads[2];        /* of key and value; 1 where heads have been joined */
  int64_t rows[2];         /* tokens times heads, or 1 where all are one row */
  int64_t size[2];         /* elements of a row */
  kvf_divider by_heads[2]; /* splits a row number into token and head */
  kvf_divider by_units[2]; /* vectors (CUDA) or pieces (CPU) of a row */
  int32_t vector_elements; /* elements that one CUDA thread reads at a time */
} kvf_update_kv_scales_params;

#endif
