/*
 * Generated from templates/table/params_op.h.j2 and
 * generator/spec/concat_and_cache_mla_rope_fused.py. Do not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_CONCAT_AND_CACHE_MLA_ROPE_FUSED_H
#define KVFORGE_PARAMS_CONCAT_AND_CACHE_MLA_ROPE_FUSED_H

#include "kvforge/cache/kernel_types.h"

/*
 * rotates queries and keys by their positions and writes the keys to MLA pages.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_concat_and_cache_mla_rope_fused_params {
  kvf_view positions;      /* int64 or int32; stride[0]: token */
  kvf_view q_pe;           /* stride[0..2]: token, head, element */
  kvf_view k_pe;           /* stride[0..1]: token, element */
  kvf_view kv_c;           /* as k_pe */
  kvf_view cos_sin_cache;  /* stride[0..1]: position, element */
  kvf_view kv_cache;       /* stride[0..2]: page, token, element */
  kvf_view kv_cache_scale; /* f32, one element; data may be NULL unless fp8 */
  int64_t num_positions;   /* rows of cos_sin_cache */
  int32_t position_bytes;  /* of one element of positions: 8 or 4 */
  int32_t num_heads;       /* query heads */
  int32_t is_neox;         /* whether pairs are halves of a row, else neighbours */
  int32_t f32_angles;      /* whether cos_sin_cache is f32 next to a 16-bit scalar dtype */
  int32_t rotate_skipped;  /* whether queries of skipped tokens are rotated, too */
  kvf_slots slots;         /* tokens, pages and where each token goes */
  int32_t kv_lora_rank;    /* elements of a row of kv_c */
  int32_t rope_dim;        /* elements of a row of k_pe */

  /* Derived by kvf_launch_concat_and_cache_mla_rope_fused(); callers leave these alone. */
  int32_t vector_elements; /* elements that one CUDA thread moves at a time */
  int32_t streaming;       /* CPU: store past the caches */
  int32_t rows_ahead;      /* CPU: how many tokens ahead a row is asked for */
  int32_t vector_pairs;    /* pairs that one CUDA thread rotates at a time */
} kvf_concat_and_cache_mla_rope_fused_params;

#endif
