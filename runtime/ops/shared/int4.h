/* What the entry points of the ops on int4_per_token_head share. */
#ifndef KVFORGE_INT4_PAGES_H
#define KVFORGE_INT4_PAGES_H

#include "kvforge/cache/op.h"

/* Refuses head sizes that the format does not have. `argument` is what sentences call the size. */
void kvf_check_int4_head(kvf_check *check, const char *argument, int64_t head_size);

/*
 * Checks a cache of [num_blocks, block_size, num_heads, head_size / 2] bytes; `places` are its
 * first three sizes. The last dimension has no gaps.
 */
void kvf_check_int4_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                          kvf_dim *const *places, const kvf_dim *head_size, kvf_view *view);

#endif
