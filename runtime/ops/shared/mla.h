/* What the entry points of the MLA cache writers share. */
#ifndef KVFORGE_MLA_H
#define KVFORGE_MLA_H

#include "kvforge/cache/op.h"

/* The two parts of a row, whose sizes together must stay below 2^31 elements. */
void kvf_check_mla_sizes(kvf_check *check, const kvf_dim *kv_lora_rank, const kvf_dim *rope_dim,
                         int32_t *params_kv_lora_rank, int32_t *params_rope_dim);

/* The same for a raw launch, and that CUDA has blocks for its tokens. */
void kvf_launch_mla_sizes(kvf_check *check, int64_t num_tokens, int32_t kv_lora_rank,
                          int32_t rope_dim);

/* A part without elements is never read; the other's address keeps the arithmetic on it defined. */
void kvf_mla_fill_empty(int32_t kv_lora_rank, kvf_view *kv_c, int32_t rope_dim, kvf_view *k_pe);

/* A scale of the whole cache: f32, rank 0, or rank 1 with one element. */
void kvf_check_one_scale(kvf_check *check, const char *argument, const DLTensor *tensor,
                         kvf_view *view);

/* Threads for a row that is moved in vectors, one or more: each takes KVF_VECTORS_AHEAD() of them.
 * `bytes`: of an element that is read. */
int64_t kvf_lanes(int64_t elements, int32_t vector, int32_t bytes);

/* Launches of thread blocks of at most 256 threads, x over the lanes of a token and y over tokens:
 * rows that are shorter share a block, longer ones are split along y of the grid. */
kvf_grid kvf_token_grid(const kvf_check *check, int64_t lanes, int64_t tokens);

#endif
