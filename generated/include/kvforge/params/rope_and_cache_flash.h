/*
 * Generated from templates/table/params_op.h.j2 and generator/spec/rope_and_cache_flash.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_ROPE_AND_CACHE_FLASH_H
#define KVFORGE_PARAMS_ROPE_AND_CACHE_FLASH_H

#include "kvforge/cache/kernel_types.h"

/*
 * norms and rotates queries and keys and writes keys and values to pages, in one pass.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_rope_and_cache_flash_params {
  kvf_view key;         /* stride[0..2]: token, head, element */
  kvf_view value;       /* as key */
  kvf_view key_cache;   /* strides in the order of the argument's dimensions */
  kvf_view value_cache; /* as key_cache */
  kvf_view
      k_scale; /* f32; stride[0]: head, 0 for one scale; data may be NULL when bits are copied */
  kvf_view v_scale;         /* as k_scale */
  kvf_slots slots;          /* tokens, pages and where each token goes */
  int32_t num_heads;        /* KV heads */
  int32_t head_size;        /* elements of a head */
  int32_t value_head_size;  /* elements of a head of value */
  int32_t num_q_heads;      /* query heads */
  int64_t num_tokens;       /* rows of query and key, from slots.num_tokens on */
  kvf_view query;           /* stride[0..2]: token, head, element */
  kvf_view q_out;           /* as query; query itself: in place */
  kvf_view k_out;           /* as key; key itself: in place; data may be NULL: nowhere */
  kvf_view q_scale;         /* f32; stride[0]: head, 0 for one scale; data may be NULL for 1 */
  kvf_view positions;       /* int64 or int32; stride[0]: token */
  kvf_view cos_sin_cache;   /* stride[0..1]: position, element */
  kvf_view q_weight;        /* stride[0]: element; data may be NULL for ones */
  kvf_view k_weight;        /* as q_weight */
  int64_t num_positions;    /* rows of cos_sin_cache */
  int32_t rotary_dim;       /* elements of a head that are rotated; 0: none */
  int32_t position_bytes;   /* of one element of positions: 8 or 4 */
  int32_t angle_bytes;      /* of one element of cos_sin_cache: 4 or the scalar dtype's */
  int32_t q_weight_bytes;   /* of one element of q_weight, as angle_bytes */
  int32_t k_weight_bytes;   /* of one element of k_weight, as angle_bytes */
  int32_t norms_q;          /* whether query is normed */
  int32_t norms_k;          /* whether key is normed */
  float eps;                /* of both norms */
  float weight_bias;        /* of both norms */
  int32_t is_neox;          /* whether pairs are halves of rotary_dim, else neighbours */
  int32_t rounding;         /* KVF_ROUND_UNFUSED, KVF_ROUND_ONCE or KVF_ROUND_NONE */
  int32_t q_becomes;        /* KVF_QUERY_SCALAR, KVF_QUERY_FP8_E4M3, KVF_QUERY_FP8_E5M2 */
  int32_t swizzle_v_scales; /* nvfp4: 1 for block scales of values as sm_100 has them */
  kvf_view k_scale_cache;   /* per token and head: f32; stride[0..2]: page, token, head */
  kvf_view v_scale_cache;   /* as k_scale_cache */

  /* Derived by kvf_launch_rope_and_cache_flash(); callers leave these alone. */
  int32_t streaming;       /* CPU: store past the caches */
  kvf_view k_block_scales; /* nvfp4: bytes; stride[0..2]: page, token, head */
  kvf_view v_block_scales; /* as k_block_scales */
  int32_t wide;            /* CUDA: whether threads move 8 elements at a time */
} kvf_rope_and_cache_flash_params;

#endif
