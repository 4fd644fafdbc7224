/* What the CPU variants that move or clear whole pages share. */
#ifndef KVFORGE_CPU_PAGES_H
#define KVFORGE_CPU_PAGES_H

#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/cache/pages.h"

/* Number `column` of item i; a negative one skips the item. */
KVF_INLINE int64_t kvf_block_at(const kvf_block_list *blocks, int64_t i, int32_t column) {
  return kvf_index_at(blocks->data, blocks->index_bytes,
                      i * blocks->stride[0] + column * blocks->stride[1]);
}

/* The tensor at a position. */
KVF_INLINE kvf_pages kvf_pages_at(const kvf_page_list *pages, int64_t i) {
  return pages->addresses != NULL ? (kvf_pages){pages->addresses[i], pages->page_bytes}
                                  : pages->caches[i];
}

/* Where a part of a page begins, or where the one before it ends, which is the page's end at most.
 */
KVF_INLINE int64_t kvf_page_part(int64_t part, int64_t page_bytes) {
  return part <= page_bytes / KVF_PAGE_PART ? part * KVF_PAGE_PART : page_bytes;
}

/*
 * Copies bytes [begin, end) of the pages of every pair, in the order of the list: a pair reads what
 * pairs before it have written. Different ranges have nothing to do with each other, so each may
 * have a thread of its own.
 */
KVF_INLINE void kvf_copy_pairs(const kvf_block_list *pairs, const kvf_pages *from, int64_t num_from,
                               const kvf_pages *to, int64_t num_to, int64_t begin, int64_t end,
                               int32_t streaming) {
  for (int64_t i = 0; i < pairs->size; ++i) {
    const int64_t source = kvf_block_at(pairs, i, 0);
    const int64_t target = kvf_block_at(pairs, i, 1);
    if (source < 0 || source >= num_from || target < 0 || target >= num_to) {
      continue;
    }
    const char *in = (const char *)from->data + source * from->stride + begin;
    char *out = (char *)to->data + target * to->stride + begin;
    if (in != out) {
      kvf_store_row(out, in, end - begin, streaming);
    }
  }
}

/* Clears a row, past the caches if the launch asks for it. */
KVF_INLINE void kvf_clear_row(void *row, int64_t bytes, int32_t streaming) {
  static const char zeros[KVF_PAGE_PART] = {0};
  if (!streaming) {
    memset(row, 0, (size_t)bytes);
    return;
  }
  for (int64_t i = 0; i < bytes; i += KVF_PAGE_PART) {
    kvf_stream_row((char *)row + i, zeros, bytes - i < KVF_PAGE_PART ? bytes - i : KVF_PAGE_PART);
  }
}

#endif
