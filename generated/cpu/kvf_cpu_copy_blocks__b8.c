/*
 * Generated from templates/cpu/copy_blocks.c.j2 and generator/spec/copy_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_pages.h"
#include "kvforge/params/copy_blocks.h"

void KVF_CPU_SYMBOL(kvf_cpu_copy_blocks__b8)(const void *params, int64_t begin, int64_t end);

/* Parts [begin, end) of the pages, those of the first tensor first. */
void KVF_CPU_SYMBOL(kvf_cpu_copy_blocks__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_copy_blocks_params *p = params;
  const kvf_page_list *pages = &p->pages;
  const int64_t parts = kvf_page_parts(pages->page_bytes);
  for (int64_t part = begin, next = begin; part < end; part = next) {
    const int64_t cache = part / parts;
    const int64_t whole = (cache + 1) * parts;
    next = whole < end ? whole : end;
    const int64_t first = kvf_page_part(part - cache * parts, pages->page_bytes);
    const int64_t last = kvf_page_part(next - cache * parts, pages->page_bytes);
    const kvf_pages tensor = kvf_pages_at(pages, cache);
    kvf_copy_pairs(&pages->blocks, &tensor, pages->num_blocks, &tensor, pages->num_blocks, first,
                   last, pages->streaming);
  }
  if (pages->streaming) {
    kvf_stream_fence();
  }
}
