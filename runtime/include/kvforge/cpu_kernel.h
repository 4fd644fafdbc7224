/*
 * What the CPU variants share. A variant's file is compiled once per isa level, with KVF_ISA set to
 * the level's name, and defines one function, KVF_CPU_SYMBOL(symbol).
 */
#ifndef KVFORGE_CPU_KERNEL_H
#define KVFORGE_CPU_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kvforge/fp8.h"
#include "kvforge/kernel_types.h"

#ifndef KVF_ISA
#define KVF_ISA baseline
#endif

#define KVF_PASTE(symbol, isa) symbol##__##isa
#define KVF_PASTE_EXPANDED(symbol, isa) KVF_PASTE(symbol, isa)
#define KVF_CPU_SYMBOL(symbol) KVF_PASTE_EXPANDED(symbol, KVF_ISA)

/* Widening to f32 is exact. */
KVF_INLINE float kvf_f32_from_f32(float x) { return x; }
KVF_INLINE float kvf_f32_from_bf16(uint16_t bits) { return kvf_float((uint32_t)bits << 16); }
KVF_INLINE float kvf_f32_from_f16(uint16_t bits) {
  const uint32_t sign = ((uint32_t)bits & 0x8000u) << 16;
  const uint32_t magnitude = bits & 0x7FFFu;
  /* Subnormals by way of an integer conversion, so that no subnormal float is ever an operand. */
  const uint32_t small = kvf_bits((float)(int32_t)magnitude * 0x1p-24f);
  const uint32_t normal = (magnitude << 13) + (112u << 23);
  const uint32_t special = (magnitude << 13) | 0x7F800000u;
  const uint32_t value = magnitude < 0x0400u ? small : magnitude < 0x7C00u ? normal : special;
  return kvf_float(value | sign);
}

/* n / divider.value, for n in [0, 2^63). */
KVF_INLINE int64_t kvf_divide(int64_t n, kvf_divider divider) {
  const unsigned __int128 product = (unsigned __int128)((uint64_t)n << 1) * divider.magic;
  return (int64_t)((uint64_t)(product >> 64) >> divider.shift);
}

/* Element i of an index array of 4- or 8-byte integers. */
KVF_INLINE int64_t kvf_index_at(const void *array, int32_t index_bytes, int64_t i) {
  return index_bytes == 8 ? ((const int64_t *)array)[i] : ((const int32_t *)array)[i];
}

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

#endif
