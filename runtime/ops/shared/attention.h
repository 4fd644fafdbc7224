/* What the checks of the ops that attend over pages share. */
#ifndef KVFORGE_SHARED_ATTENTION_H
#define KVFORGE_SHARED_ATTENTION_H

#include "kvforge/cache/op.h"

/* The factor of the scores: any number that f32 holds, so that none becomes 0 or infinite. */
void kvf_check_factor(kvf_check *check, double scale);

/* f32, or the dtype of query: the bytes of an element say which. */
void kvf_check_either(kvf_check *check, const char *argument, const DLTensor *tensor,
                      kvf_dtype scalar, int32_t rank, kvf_dim *const *shape, kvf_view *view,
                      int32_t *bytes);

/* Room for splits; `row`: what it has of one of them, and how that is called. */
void kvf_check_split_room(kvf_check *check, const DLTensor *workspace, kvf_dim *num_q_heads,
                          kvf_dim *row, kvf_view *view, int64_t *splits, int64_t *split_tokens);

/* f32, or the scalar dtype of the variant. */
void kvf_launch_element_bytes(kvf_check *check, const char *member, const kvf_variant *variant,
                              int32_t bytes);

/* Whether vectors of `elements` can be read along a dimension. */
bool kvf_has_vectors(const kvf_view *view, int32_t bytes, int32_t inner, int32_t rank, int64_t run,
                     int32_t elements);

/* Whether results are to be the same bits in any batch, on any number of threads. */
bool kvf_is_batch_invariant(void);

/*
 * Where the caller has no workspace and there are fewer units than threads: memory of the library's
 * own for the parts of sequences. One call has it at a time; others get NULL and do not split. (So
 * does the child of a process that forks during such a call.)
 */
enum { KVF_OWN_FLOATS = 1 << 18 };
float *kvf_take_own_floats(void);
void kvf_give_own_floats(void);

#endif
