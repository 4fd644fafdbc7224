/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/merge_attn_states.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_MERGE_ATTN_STATES_H
#define KVFORGE_PARAMS_MERGE_ATTN_STATES_H

#include "kvforge/cache/kernel_types.h"

/*
 * joins attention over disjoint sets of keys, by the log-sum-exp of each.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_merge_attn_states_params {
  kvf_view output;        /* stride[0..2]: token, head, element */
  kvf_view output_lse;    /* f32; stride[0..1]: head, token; data NULL for none */
  kvf_view prefix_output; /* as output */
  kvf_view prefix_lse;    /* f32; stride[0..1]: head, token */
  kvf_view suffix_output; /* stride[0..3]: suffix, token, head, element */
  kvf_view suffix_lse;    /* f32; stride[0..2]: suffix, head, token */
  kvf_view output_scale;  /* f32, one element; data NULL unless output holds codes */
  int64_t num_suffixes;   /* 0 to 1023 */
  int64_t num_tokens;     /* tokens */
  int64_t num_heads;      /* query heads */
  int64_t head_size;      /* elements of a head */
  int64_t prefill_tokens; /* tokens that have a prefix */
  int32_t lse_base2;      /* 1 or 0 */

  /* Derived by kvf_launch_merge_attn_states(); callers leave these alone. */
  kvf_divider by_num_heads; /* splits a row number into token and head */
  int32_t vector_elements;  /* elements that one CUDA thread has at a time */
  int32_t streaming;        /* CPU: store past the caches */
} kvf_merge_attn_states_params;

#endif
