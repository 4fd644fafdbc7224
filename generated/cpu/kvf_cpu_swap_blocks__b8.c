/*
 * Generated from templates/cpu/swap_blocks.c.j2 and generator/spec/swap_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_pages.h"
#include "kvforge/params/swap_blocks.h"

void KVF_CPU_SYMBOL(kvf_cpu_swap_blocks__b8)(const void *params, int64_t begin, int64_t end);

/* Parts [begin, end) of every page. */
void KVF_CPU_SYMBOL(kvf_cpu_swap_blocks__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_swap_blocks_params *p = params;
  kvf_copy_pairs(&p->block_mapping, &p->src, p->num_src_blocks, &p->dst, p->num_dst_blocks,
                 kvf_page_part(begin, p->block_size_in_bytes),
                 kvf_page_part(end, p->block_size_in_bytes), p->streaming);
  if (p->streaming) {
    kvf_stream_fence();
  }
}
