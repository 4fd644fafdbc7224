/*
 * Generated from templates/cpu/zero_blocks.c.j2 and generator/spec/zero_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_pages.h"
#include "kvforge/params/zero_blocks.h"

void KVF_CPU_SYMBOL(kvf_cpu_zero_blocks__b8)(const void *params, int64_t begin, int64_t end);

/* Pages [begin, end), those of the first tensor first. */
void KVF_CPU_SYMBOL(kvf_cpu_zero_blocks__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_zero_blocks_params *p = params;
  const kvf_page_list *pages = &p->pages;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t cache = i / pages->blocks.size;
    const int64_t block = kvf_block_at(&pages->blocks, i - cache * pages->blocks.size, 0);
    if (block >= 0 && block < pages->num_blocks) {
      kvf_clear_row((char *)pages->caches[cache].data + block * pages->caches[cache].stride,
                    pages->page_bytes, pages->streaming);
    }
  }
  if (pages->streaming) {
    kvf_stream_fence();
  }
}
