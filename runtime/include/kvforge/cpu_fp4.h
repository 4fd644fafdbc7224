/* Rows of E2M1 codes on the CPU, two codes in a byte, the low half first, in groups of 16. */
#ifndef KVFORGE_CPU_FP4_H
#define KVFORGE_CPU_FP4_H

#include "kvforge/cpu_kernel.h"
#include "kvforge/fp4.h"

/*
 * Widens a row of codes; `count` is a multiple of 512. Both
 * codes of a byte become f16 side by side in a word: f16 holds all eight magnitudes.
 */
KVF_INLINE void kvf_widen_e2m1(float *restrict to, const uint8_t *restrict codes, int64_t count) {
  enum { WORDS = 256 };
  for (int64_t first = 0; first < count; first += 2 * WORDS) {
    uint32_t words[WORDS];
    uint16_t half[2 * WORDS];
    for (int64_t i = 0; i < WORDS; ++i) {
      const uint32_t pair = codes[first / 2 + i];
      const uint32_t code = (pair | pair << 12) & 0x000F000Fu;
      const uint32_t magnitude = code & 0x00070007u;
      const uint32_t odd = magnitude & 0x00010001u;
      const uint32_t small = (odd << 14) - (odd << 11); /* 0 or 0.5, which is 0x3800 */
      const uint32_t normal = (magnitude << 9) + 0x38003800u;
      const uint32_t large = (magnitude + 0x00060006u) >> 3 & 0x00010001u; /* 1 or more */
      const uint32_t mask = (large << 16) - large;                         /* 0xFFFF in that half */
      words[i] = (normal & mask) | (small & ~mask) | (code & 0x00080008u) << 12;
    }
    memcpy(half, words, sizeof half); /* little-endian, as DLPack is */
    kvf_widen_f16(to + first, half, 2 * WORDS);
  }
}

/* Multiplies a row by the scales of its groups of 16. */
KVF_INLINE void kvf_scale_groups_of_16(float *values, const float *scales, int64_t num_groups) {
  /* A vector by name: left to itself, gcc interleaves groups at great length. */
  typedef float group __attribute__((vector_size(64)));
  for (int64_t i = 0; i < num_groups; ++i) {
    group lanes;
    memcpy(&lanes, values + 16 * i, sizeof lanes);
    lanes *= scales[i];
    memcpy(values + 16 * i, &lanes, sizeof lanes);
  }
}

/* to[i] is the larger one of from[2 i] and from[2 i + 1]. */
KVF_INLINE void kvf_larger_of_pairs(uint32_t *restrict to, const uint32_t *restrict from,
                                    int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t even = from[2 * i];
    const uint32_t odd = from[2 * i + 1];
    to[i] = even > odd ? even : odd;
  }
}

/*
 * The largest magnitude of each group, NaNs left out, as the bits of a float. All groups at once,
 * by halves: of a maximum within 16 elements little vector code can be made. At most 32 groups.
 */
KVF_INLINE void kvf_largest_of_16(uint32_t *largest, const float *values, int64_t num_groups) {
  enum { GROUPS = 32 };
  uint32_t of_1[16 * GROUPS];
  uint32_t of_2[8 * GROUPS];
  uint32_t of_4[4 * GROUPS];
  uint32_t of_8[2 * GROUPS];
  for (int64_t i = 0; i < 16 * num_groups; ++i) {
    of_1[i] = kvf_magnitude(values[i]);
  }
  kvf_larger_of_pairs(of_2, of_1, 8 * num_groups);
  kvf_larger_of_pairs(of_4, of_2, 4 * num_groups);
  kvf_larger_of_pairs(of_8, of_4, 2 * num_groups);
  kvf_larger_of_pairs(largest, of_8, num_groups);
}

/* Narrows groups to codes, at most 32 of them, 8 bytes each. */
KVF_INLINE void kvf_narrow_e2m1(uint8_t *restrict codes, const float *restrict values,
                                int64_t num_groups) {
  enum { ELEMENTS = 16 * 32 };
  uint32_t words[ELEMENTS];
  for (int64_t i = 0; i < 16 * num_groups; ++i) {
    words[i] = kvf_e2m1_from_f32(values[i]);
  }
  for (int64_t i = 0; i < 8 * num_groups; ++i) {
    codes[i] = (uint8_t)(words[2 * i] | words[2 * i + 1] << 4);
  }
}

#endif
