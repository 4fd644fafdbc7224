/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/paged_attention.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_PAGED_ATTENTION_H
#define KVFORGE_PARAMS_PAGED_ATTENTION_H

#include "kvforge/cache/kernel_types.h"

/*
 * attends over the pages that the cache writers fill: prefill, decode and what is between.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_paged_attention_params {
  kvf_view out;         /* stride[0..2]: token, query head, element */
  kvf_view query;       /* as out */
  kvf_view key_cache;   /* stride[0..4]: page, token, KV head, group of x elements, element of a
                           group; nvfp4: bytes of codes, as reshape_and_cache_flash_nvfp4 has them;
                           int4, q8_0, q4_0: bytes */
  kvf_view value_cache; /* stride[0..3]: page, token, KV head, element */
  kvf_view k_scale;     /* f32; stride[0]: KV head, 0 for one scale; with a scale per token and head
                           stride[0..2]: page, token, KV head; data may be NULL when the cache holds the
                           scalar dtype */
  kvf_view v_scale;     /* as k_scale */
  kvf_view alibi_slopes; /* f32; stride[0]: query head; data NULL for none */
  kvf_view sinks;        /* stride[0]: query head; data NULL for none */
  kvf_view lse;          /* f32; stride[0..1]: query head, token; data NULL for none */
  kvf_view workspace; /* f32; stride[0..3]: token, query head, part, element; data NULL for none */
  kvf_view query_start_loc; /* int32; stride[0]: sequence */
  kvf_view seq_lens;        /* int32; stride[0]: sequence */
  kvf_view block_table;     /* int32 or int64; stride[0..1]: sequence, page of it */
  int64_t num_tokens;       /* rows of query and out */
  int64_t num_seqs;         /* sequences */
  int64_t width;            /* pages that a sequence has at most */
  int64_t num_blocks;       /* pages in the caches */
  int64_t block_size;       /* tokens in a page */
  int64_t max_query_len;    /* tokens of a sequence at most; 0 or less: not known */
  int64_t window_left;      /* positions before its own that a token sees; below 0 for all */
  int64_t window_right;     /* positions behind its own, 0 if causal; below 0 for all */
  int64_t splits;           /* parts that a tile has at most, if there is a workspace */
  int64_t split_tokens;     /* tokens that workspace has room for */
  int32_t swizzle_v_scales; /* nvfp4: 1 or 0 */
  int32_t num_q_heads;      /* query heads, a multiple of num_kv_heads */
  int32_t num_kv_heads;     /* KV heads */
  int32_t head_size;        /* elements of a head of query and keys, at most 576 */
  int32_t value_head_size;  /* elements of a head of values and out, at most 576 */
  int32_t index_bytes;      /* of one element of block_table: 8 or 4 */
  int32_t out_bytes;        /* of one element of out: 4 for f32, 2 for f16 and bf16 as query */
  int32_t sink_bytes;       /* of one element of sinks, likewise */
  int32_t x;                /* elements of a group of key_cache; head_size where there are none */
  float scale;              /* what query . key is multiplied by */
  float softcap;            /* what scores are kept within; 0 for none */

  /* Derived by kvf_launch_paged_attention(); callers leave these alone. */
  kvf_divider by_block_size;  /* splits a position into page and offset */
  kvf_divider by_group;       /* splits a row into token and head of its group */
  unsigned long long *faults; /* CUDA: counts what is out of range */
  int64_t tiles_each;         /* of a sequence; 0: as query_start_loc has them */
  int64_t num_tiles;          /* of all sequences */
  int64_t num_units;          /* of work: tiles, their splits, KV heads */
  int32_t group;              /* query heads of a KV head */
  int32_t adjusts;            /* CUDA: 1 if there is a softcap or a bias */
  int32_t combines;           /* 0; 1 when parts are to be added up */
  int32_t
      whole_keys; /* CUDA: 1 if keys can be read in vectors; CPU: what multiplies tiles, else 0 */
  int32_t
      whole_values; /* CUDA: 1 if values can be read in vectors of elements, 2 of tokens, else 0 */
  int32_t few; /* CUDA: 0; n where a launch is for the sequences of at most n tokens, and -n in the
                  one for the others */
} kvf_paged_attention_params;

#endif
