/* What the entry points of ops on nvfp4 pages share. */
#ifndef KVFORGE_NVFP4_PAGES_H
#define KVFORGE_NVFP4_PAGES_H

#include "kvforge/cache/op.h"

/* Whether a kv_cache_dtype names such pages, whichever way their scales are chosen. */
bool kvf_names_nvfp4_pages(const char *kv_cache_dtype);

/* head_size, which `argument` has, must be a multiple of 16, and with swizzled scales of 64, with a
 * block_size of 4. */
void kvf_check_nvfp4_sizes(kvf_check *check, const char *argument, int64_t head_size,
                           int64_t block_size, bool swizzle);

/*
 * A side of the pages: NHD or HND, without gaps, since the scales are behind the codes of the whole
 * page and the strides of the tensor say nothing of them. Binds or compares the sizes; head_size
 * must be bound. Leaves the strides of codes in `view`, in bytes.
 */
void kvf_check_nvfp4_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                           kvf_dim *num_blocks, kvf_dim *block_size, kvf_dim *num_heads,
                           const kvf_dim *head_size, kvf_view *view);

/* The block scales behind the codes of a page, whose view is one of kvf_check_nvfp4_pages. */
kvf_view kvf_nvfp4_block_scales(const kvf_view *codes, int64_t block_size, int64_t num_heads,
                                int64_t head_size);

#endif
