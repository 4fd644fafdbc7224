/* What the CUDA kernels of cache ops share: where tokens and rows lie in pages. */
#ifndef KVFORGE_CACHE_CUDA_KERNEL_CUH
#define KVFORGE_CACHE_CUDA_KERNEL_CUH

#include "kvforge/cache/kernel_types.h"
#include "kvforge/cuda_kernel.cuh"

/* The slot of a token as the mapping has it; whoever asks for it early need not wait for it. */
KVF_INLINE int64_t kvf_slot_of(const kvf_slots &slots, int64_t token) {
  return kvf_index_at(slots.mapping, slots.index_bytes, token * slots.stride);
}

/*
 * The page of a slot and the place in it; false when its token is to be skipped: the slot is
 * negative, or lies outside the cache or the remap, which the one thread with `counts` adds to the
 * fault counter.
 */
KVF_INLINE bool kvf_place(const kvf_slots &slots, int64_t slot, bool counts, int64_t *block,
                          int64_t *offset) {
  bool there = true;
  if (slots.remap != nullptr && slot >= 0) {
    there = slot < slots.remap_size;
    slot = there ? kvf_index_at(slots.remap, slots.remap_bytes, slot * slots.remap_stride) : 0;
  }
  if (slot < 0) {
    return false;
  }
  *block = kvf_divide(slot, slots.by_block_size);
  *offset = slot - *block * slots.block_size;
  there = there && *block < slots.num_blocks;
  if (!there && counts) {
    atomicAdd(slots.faults, 1ULL);
  }
  return there;
}

/* The same of a token's slot. */
KVF_INLINE bool kvf_locate(const kvf_slots &slots, int64_t token, bool counts, int64_t *block,
                           int64_t *offset) {
  return kvf_place(slots, kvf_slot_of(slots, token), counts, block, offset);
}

/* n div the number that `magic` and `shift` were made of, for n below 2^31. */
KVF_INLINE uint32_t kvf_narrow_divide(uint32_t n, uint32_t magic, uint32_t shift) {
  return __umulhi(n << 1, magic) >> shift;
}

/* A slot as its words, of which none is waited for: 4 bytes have but one. */
typedef struct kvf_narrow_slot {
  uint32_t low;
  uint32_t high;
} kvf_narrow_slot;

/* Where that of a row is, and what is there. */
KVF_INLINE const uint32_t *kvf_narrow_slot_at(const kvf_narrow_write &write, uint32_t row) {
  return reinterpret_cast<const uint32_t *>(write.mapping + (uint64_t)row * write.mapping_stride);
}
KVF_INLINE kvf_narrow_slot kvf_narrow_read_slot(const kvf_narrow_write &write,
                                                const uint32_t *words) {
  return {words[0], write.index_bytes == 8 ? words[1] : 0};
}

/* The page of a slot; false if its row is to be skipped, as kvf_place() has it. */
KVF_INLINE bool kvf_narrow_place(const kvf_narrow_write &write, const kvf_narrow_slot &slot,
                                 bool counts, unsigned long long *faults, uint32_t *page) {
  if (slot.low >= write.num_slots || slot.high != 0) {
    if (counts && (int32_t)(write.index_bytes == 8 ? slot.high : slot.low) >= 0) {
      atomicAdd(faults, 1ULL);
    }
    return false;
  }
  *page = kvf_narrow_divide(slot.low, write.magic, write.shift);
  return true;
}

/* Where byte `at` of a row is, and of a slot. */
KVF_INLINE const char *kvf_narrow_from(const kvf_narrow_side &side, uint32_t row, uint64_t at) {
  return side.from + (uint64_t)row * side.from_stride + at;
}
KVF_INLINE char *kvf_narrow_to(const kvf_narrow_side &side, const kvf_narrow_slot &slot,
                               uint32_t page, uint64_t at) {
  return side.to + (uint64_t)slot.low * side.to_stride + (uint64_t)page * side.page_gap + at;
}

/* The scale of a head: an element of `scales`, or the value where they have no address. */
KVF_INLINE float kvf_scale_of(const kvf_view &scales, float value, int64_t head) {
  return scales.data != nullptr ? static_cast<const float *>(scales.data)[head * scales.stride[0]]
                                : value;
}

/* The sequence that a row belongs to; num_sequences for a row behind the last. */
KVF_INLINE int64_t kvf_find_sequence(const kvf_block_table &table, int64_t row) {
  int64_t low = 0;
  int64_t high = table.num_sequences - table.open_ended;
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (table.starts[middle + 1] <= row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Whether `sequence`, of kvf_find_sequence(), has a row, wherever its page is. */
KVF_INLINE bool kvf_has_row(const kvf_block_table &table, int64_t sequence, int64_t row) {
  return sequence < table.num_sequences && row >= table.starts[0] &&
         (table.lengths == nullptr || row - table.starts[sequence] < table.lengths[sequence]);
}

/*
 * The page and the place in it of a row that `sequence` has by kvf_find_sequence(); false for a row
 * that no sequence has, and for one whose page is out of range, which the one thread with `counts`
 * adds to the fault counter; *block is -1 then.
 */
KVF_INLINE bool kvf_locate_row_of(const kvf_block_table &table, int64_t sequence, int64_t row,
                                  bool counts, int64_t *block, int64_t *offset) {
  if (sequence == table.num_sequences || row < table.starts[0]) {
    return false;
  }
  const int64_t place = row - table.starts[sequence];
  if (table.lengths != nullptr && place >= table.lengths[sequence]) {
    return false;
  }
  const int64_t position = place + (table.offsets != nullptr ? table.offsets[sequence] : 0);
  const int64_t page = position < 0 ? table.width : kvf_divide(position, table.by_block_size);
  *block = page < table.width
               ? kvf_index_at(table.entries, table.index_bytes, sequence * table.stride + page)
               : -1;
  if (*block < 0 || *block >= table.num_blocks) {
    *block = -1;
    if (counts) {
      atomicAdd(table.faults, 1ULL);
    }
    return false;
  }
  *offset = position - page * table.block_size;
  return true;
}

/* The same for a row whose sequence is yet to be found. */
KVF_INLINE bool kvf_locate_row(const kvf_block_table &table, int64_t row, bool counts,
                               int64_t *block, int64_t *offset) {
  return kvf_locate_row_of(table, kvf_find_sequence(table, row), row, counts, block, offset);
}

#endif
