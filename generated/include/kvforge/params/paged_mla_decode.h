/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/paged_mla_decode.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_PAGED_MLA_DECODE_H
#define KVFORGE_PARAMS_PAGED_MLA_DECODE_H

#include "kvforge/cache/kernel_types.h"

/*
 * attends over the MLA pages that concat_and_cache_mla fills: all heads share a row.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_paged_mla_decode_params {
  kvf_view out;             /* stride[0..2]: token, head, element */
  kvf_view query;           /* as out */
  kvf_view kv_cache;        /* stride[0..2]: page, token, element; row formats: bytes */
  kvf_view kv_scale;        /* f32, one element; data may be NULL unless fp8 */
  kvf_view lse;             /* f32; stride[0..1]: head, token; data NULL for none */
  kvf_view workspace;       /* f32; stride[0..3]: token, head, part, element; data NULL for none */
  kvf_view query_start_loc; /* int32; stride[0]: sequence */
  kvf_view seq_lens;        /* int32; stride[0]: sequence */
  kvf_view block_table;     /* int32 or int64; stride[0..1]: sequence, page of it */
  int64_t num_tokens;       /* rows of query and out */
  int64_t num_seqs;         /* sequences */
  int64_t width;            /* pages that a sequence has at most */
  int64_t num_blocks;       /* pages in the cache */
  int64_t block_size;       /* tokens in a page */
  int64_t max_query_len;    /* tokens of a sequence at most; 0 or less: not known */
  int64_t splits;           /* parts that a tile has at most, if there is a workspace */
  int64_t split_tokens;     /* tokens that workspace has room for */
  int32_t num_q_heads;      /* heads of query */
  int32_t index_bytes;      /* of one element of block_table: 8 or 4 */
  int32_t out_bytes;        /* of one element of out: 4 for f32, 2 for f16 and bf16 as query */
  float scale;              /* what query . row is multiplied by */

  /* Derived by kvf_launch_paged_mla_decode(); callers leave these alone. */
  kvf_divider by_block_size;  /* splits a position into page and offset */
  kvf_divider by_group;       /* splits a row of a tile into token and head */
  unsigned long long *faults; /* CUDA: counts what is out of range */
  int64_t tiles_each;         /* of a sequence; 0: as query_start_loc has them */
  int64_t num_tiles;          /* of all sequences */
  int64_t num_units;          /* of work: tiles and their splits */
  int64_t window_left;        /* -1: a token sees all positions before its own */
  int64_t window_right;       /* 0: and none behind it */
  int32_t group;              /* heads that share a row of the cache: all */
  int32_t num_kv_heads;       /* 1 */
  int32_t combines;           /* 0; 1 when parts are to be added up */
  int32_t whole_values;       /* 0: values are read by element */
} kvf_paged_mla_decode_params;

#endif
