/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/concat_mla_q.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_CONCAT_MLA_Q_H
#define KVFORGE_PARAMS_CONCAT_MLA_Q_H

#include "kvforge/cache/kernel_types.h"

/*
 * joins the latent and the rope half of MLA queries, head by head.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_concat_mla_q_params {
  kvf_narrow_join narrow; /* the same in 32 bits, where it fits; derived as those at the end */
  kvf_view ql_nope;       /* bytes; stride[0..2]: token, head, byte, the last of them 1 */
  kvf_view q_pe;          /* as ql_nope */
  kvf_view q_out;         /* as ql_nope */
  int64_t num_tokens;     /* tokens */
  int64_t num_heads;      /* query heads */
  int64_t nope_bytes;     /* bytes of a head in ql_nope */
  int64_t rope_bytes;     /* bytes of a head in q_pe */

  /* Derived by kvf_launch_concat_mla_q(); callers leave these alone. */
  kvf_divider by_num_heads; /* splits a row number into token and head */
  int32_t vector_elements;  /* bytes that one CUDA thread moves at a time */
  int32_t streaming;        /* CPU: store past the caches */
} kvf_concat_mla_q_params;

#endif
