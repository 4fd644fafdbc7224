/* What the entry points share that know formats whose heads are bytes: int4_per_token_head, and
 * ggml's q8_0 and q4_0. */
#ifndef KVFORGE_PACKED_HEADS_H
#define KVFORGE_PACKED_HEADS_H

#include "kvforge/cache/op.h"

bool kvf_packs_heads(kvf_dtype cache);
bool kvf_packs_ggml(kvf_dtype cache);

/* Refuses head sizes that such a format does not have. `argument` is what sentences call the size.
 */
void kvf_check_packed_size(kvf_check *check, const char *argument, kvf_dtype cache,
                           int64_t head_size);

/*
 * Checks a cache of [num_blocks, block_size, num_heads, bytes of a head]; `places` are its first
 * three sizes. The last dimension has no gaps; its stride becomes 1.
 */
void kvf_check_packed_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                            kvf_dtype cache, kvf_dim *const *places, const kvf_dim *head_size,
                            kvf_view *view);

#endif
