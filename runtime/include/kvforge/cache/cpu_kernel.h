/*
 * What the CPU variants of cache ops share: where tokens and rows lie in pages.
 *
 * An index is bounded where it is used. The launch functions refuse a call with a slot, page,
 * position or length out of range before anything is written, but another thread may change it
 * before the kernel gets there. What is out of range then is treated as CUDA kernels treat it,
 * without the count: a token or a pair of pages is not written, a row is not gathered (dst keeps
 * what it held), attention leaves the position out, and a length is cut to what the table has.
 */
#ifndef KVFORGE_CACHE_CPU_KERNEL_H
#define KVFORGE_CACHE_CPU_KERNEL_H

#include "kvforge/cache/kernel_types.h"
#include "kvforge/cpu_kernel.h"

/* The page and the place in it of a token; false when the token is to be skipped. */
KVF_INLINE bool kvf_locate(const kvf_slots *slots, int64_t token, int64_t *block, int64_t *offset) {
  int64_t slot = kvf_index_at(slots->mapping, slots->index_bytes, token * slots->stride);
  if (slots->remap != NULL && slot >= 0) {
    slot = slot < slots->remap_size
               ? kvf_index_at(slots->remap, slots->remap_bytes, slot * slots->remap_stride)
               : -1;
  }
  if (slot < 0) {
    return false;
  }
  *block = kvf_divide(slot, slots->by_block_size);
  *offset = slot - *block * slots->block_size;
  return *block < slots->num_blocks;
}

/* The sequence that a row belongs to; num_sequences for a row behind the last. */
KVF_INLINE int64_t kvf_find_sequence(const kvf_block_table *table, int64_t row) {
  int64_t low = 0;
  int64_t high = table->num_sequences - table->open_ended;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (kvf_index_at(table->starts, 4, middle + 1) <= row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

#endif
