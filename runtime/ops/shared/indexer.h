/* What the entry points of the indexer's cache ops share. */
#ifndef KVFORGE_INDEXER_RUNTIME_H
#define KVFORGE_INDEXER_RUNTIME_H

#include "kvforge/cache/op.h"

/*
 * kv_cache: [num_blocks, block_size, head_dim + 4 * num_scales] bytes, of which a page's are dense.
 * Binds num_blocks and block_size.
 */
void kvf_check_indexer_pages(kvf_check *check, const DLTensor *kv_cache, int64_t head_dim,
                             int64_t num_scales, kvf_dim *num_blocks, kvf_dim *block_size,
                             kvf_view *view);

/* Whether the f32 scales of every page begin at a multiple of 4. */
bool kvf_indexer_scales_aligned(const kvf_view *kv_cache, int64_t block_size, int64_t head_dim);

/* A page as a row of bytes, for kvf_vector_elements(). */
kvf_view kvf_indexer_page_row(const kvf_view *kv_cache);

#endif
