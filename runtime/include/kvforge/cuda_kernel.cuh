/* What the CUDA kernels share. Device code only; C++ templates are not used. */
#ifndef KVFORGE_CUDA_KERNEL_CUH
#define KVFORGE_CUDA_KERNEL_CUH

#include <cuda_fp8.h>
#include <stdint.h>

#include "kvforge/fp8.h"
#include "kvforge/int8.h"
#include "kvforge/kernel_types.h"

/* Four codes, the first in the lowest byte. From sm_89 on the hardware's own rounding, which gives
 * the same bits as the portable codec. */
KVF_INLINE uint32_t kvf_fp8_e4m3x4_from_f32(float a, float b, float c, float d) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
  const uint32_t low = __nv_cvt_float2_to_fp8x2(make_float2(a, b), __NV_SATFINITE, __NV_E4M3);
  const uint32_t high = __nv_cvt_float2_to_fp8x2(make_float2(c, d), __NV_SATFINITE, __NV_E4M3);
  return low | high << 16;
#else
  return (uint32_t)kvf_fp8_e4m3_from_f32(a) | (uint32_t)kvf_fp8_e4m3_from_f32(b) << 8 |
         (uint32_t)kvf_fp8_e4m3_from_f32(c) << 16 | (uint32_t)kvf_fp8_e4m3_from_f32(d) << 24;
#endif
}
KVF_INLINE uint32_t kvf_fp8_e5m2x4_from_f32(float a, float b, float c, float d) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
  const uint32_t low = __nv_cvt_float2_to_fp8x2(make_float2(a, b), __NV_SATFINITE, __NV_E5M2);
  const uint32_t high = __nv_cvt_float2_to_fp8x2(make_float2(c, d), __NV_SATFINITE, __NV_E5M2);
  return low | high << 16;
#else
  return (uint32_t)kvf_fp8_e5m2_from_f32(a) | (uint32_t)kvf_fp8_e5m2_from_f32(b) << 8 |
         (uint32_t)kvf_fp8_e5m2_from_f32(c) << 16 | (uint32_t)kvf_fp8_e5m2_from_f32(d) << 24;
#endif
}
KVF_INLINE uint32_t kvf_int8x4_from_f32(float a, float b, float c, float d) {
  return (kvf_int8_word_from_f32(a) & 0xFFu) | (kvf_int8_word_from_f32(b) & 0xFFu) << 8 |
         (kvf_int8_word_from_f32(c) & 0xFFu) << 16 | kvf_int8_word_from_f32(d) << 24;
}

/* n / divider.value, for n in [0, 2^63). */
KVF_INLINE int64_t kvf_divide(int64_t n, const kvf_divider &divider) {
  return (int64_t)(__umul64hi((uint64_t)n << 1, divider.magic) >> divider.shift);
}

/* Element i of an index array of 4- or 8-byte integers. */
KVF_INLINE int64_t kvf_index_at(const void *array, int32_t index_bytes, int64_t i) {
  return index_bytes == 8 ? static_cast<const int64_t *>(array)[i]
                          : static_cast<const int32_t *>(array)[i];
}

/*
 * The page and the place in it of a token; false when the token is to be skipped: its slot is
 * negative, or lies outside the cache, which the one thread with `counts` adds to the fault
 * counter.
 */
KVF_INLINE bool kvf_locate(const kvf_slots &slots, int64_t token, bool counts, int64_t *block,
                           int64_t *offset) {
  const int64_t slot = kvf_index_at(slots.mapping, slots.index_bytes, token * slots.stride);
  if (slot < 0) {
    return false;
  }
  *block = kvf_divide(slot, slots.by_block_size);
  *offset = slot - *block * slots.block_size;
  if (*block >= slots.num_blocks) {
    if (counts) {
      atomicAdd(slots.faults, 1ULL);
    }
    return false;
  }
  return true;
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

/*
 * The page and the place in it of a row that `sequence` has by kvf_find_sequence(); false for a row
 * that no sequence has, and for one whose page is out of range, which the one thread with `counts`
 * adds to the fault counter.
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
  *block = page < table.width ? table.entries[sequence * table.stride + page] : -1;
  if (*block < 0 || *block >= table.num_blocks) {
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
