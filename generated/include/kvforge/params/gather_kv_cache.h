/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/gather_kv_cache.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_GATHER_KV_CACHE_H
#define KVFORGE_PARAMS_GATHER_KV_CACHE_H

#include "kvforge/cache/kernel_types.h"

/*
 * gathers keys and values of sequences from pages and decodes them.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_gather_kv_cache_params {
  kvf_view key_cache;   /* stride[0..4]: page, token, head, group of x elements, element of a group;
                           int4, q8_0, q4_0: bytes; nvfp4: bytes of codes, as
                           reshape_and_cache_flash_nvfp4 has them */
  kvf_view value_cache; /* stride[0..3]: page, token, head, element; else as key_cache */
  kvf_view key_out;     /* stride[0..1]: row, head; a head is dense */
  kvf_view value_out;   /* as key_out */
  kvf_view k_scale;     /* f32; stride[0]: head, 0 for one scale; with a scale per token and head
                           stride[0..2]: page, token, head; data may be NULL when bits are copied */
  kvf_view v_scale;     /* as k_scale */
  float k_scale_value;  /* the scale where k_scale has no address; 0: it has one */
  float v_scale_value;  /* as k_scale_value */
  kvf_block_table table; /* which page holds each row; starts: cu_seq_lens, offsets: seq_starts */
  int64_t num_rows;      /* rows of key_out and value_out */
  int64_t value_tokens;  /* tokens of a group of value_cache; 0 where there are none */
  int64_t value_tokens_stride; /* from one such group to the next, in elements */
  int32_t num_kv_heads;        /* KV heads */
  int32_t head_size;           /* elements of a head of keys */
  int32_t value_head_size;     /* elements of a head of values */
  int32_t x;                /* elements of a group of key_cache; head_size where there are none */
  int32_t swizzle_v_scales; /* nvfp4: 1 or 0 */
  int32_t inverse_rht;      /* int4: 1 or 0 */

  /* Derived by kvf_launch_gather_kv_cache(); callers leave these alone. */
  int32_t key_heads;     /* num_kv_heads, or 1 where heads have been joined */
  int32_t value_heads;   /* likewise */
  int32_t rows_per_tile; /* CUDA: rows of a thread block */
  int32_t tile_vectors;  /* CUDA: vectors of a row that a thread block moves */
  int32_t key_vector;    /* CUDA: elements that a thread moves at a time */
  int32_t value_vector;  /* likewise */
  int32_t patches;   /* CUDA: 1 where threads move a few elements of a few tokens at a time, since
                        neighbours in value_cache are tokens; else 0 */
  int32_t streaming; /* CPU: store past the caches */
} kvf_gather_kv_cache_params;

#endif
