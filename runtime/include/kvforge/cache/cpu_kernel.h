/* What the CPU variants of cache ops share: where tokens and rows lie in pages. */
#ifndef KVFORGE_CACHE_CPU_KERNEL_H
#define KVFORGE_CACHE_CPU_KERNEL_H

#include "kvforge/cache/kernel_types.h"
#include "kvforge/cpu_kernel.h"

/* The page and the place in it of a token; false when the token is to be skipped. */
KVF_INLINE bool kvf_locate(const kvf_slots *slots, int64_t token, int64_t *block, int64_t *offset) {
  const int64_t slot = kvf_index_at(slots->mapping, slots->index_bytes, token * slots->stride);
  if (slot < 0) {
    return false;
  }
  *block = kvf_divide(slot, slots->by_block_size);
  *offset = slot - *block * slots->block_size;
  return true;
}

/* The sequence that a row belongs to; num_sequences for a row behind the last. */
KVF_INLINE int64_t kvf_find_sequence(const kvf_block_table *table, int64_t row) {
  int64_t low = 0;
  int64_t high = table->num_sequences - table->open_ended;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (table->starts[middle + 1] <= row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* The page and the place in it of a row; false for a row that no sequence has. */
KVF_INLINE bool kvf_locate_row(const kvf_block_table *table, int64_t row, int64_t *block,
                               int64_t *offset) {
  const int64_t sequence = kvf_find_sequence(table, row);
  if (sequence == table->num_sequences || row < table->starts[0]) {
    return false;
  }
  const int64_t place = row - table->starts[sequence];
  if (table->lengths != NULL && place >= table->lengths[sequence]) {
    return false;
  }
  const int64_t position = place + (table->offsets != NULL ? table->offsets[sequence] : 0);
  const int64_t page = kvf_divide(position, table->by_block_size);
  *block = table->entries[sequence * table->stride + page];
  *offset = position - page * table->block_size;
  return true;
}

#endif
