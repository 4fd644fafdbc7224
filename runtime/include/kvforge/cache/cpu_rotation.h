/* Rotated rows on the CPU; kvforge/cache/rotation.h says what they are. */
#ifndef KVFORGE_CPU_ROTATION_H
#define KVFORGE_CPU_ROTATION_H

#include "kvforge/cache/rotation.h"
#include "kvforge/cpu_kernel.h"

/* A group of a row in registers, as many as a level needs for it. */
typedef float kvf_group __attribute__((vector_size(4 * KVF_ROTATION_GROUP)));
typedef uint32_t kvf_group_bits __attribute__((vector_size(4 * KVF_ROTATION_GROUP)));

/* The sign bits of a group that begins at an index, a multiple of 16. */
KVF_INLINE void kvf_signs_of_group(kvf_group_bits *signs, int32_t index, int32_t block) {
  const kvf_group_bits bits = {1u << 0,  1u << 1,  1u << 2,  1u << 3, 1u << 4,  1u << 5,
                               1u << 6,  1u << 7,  1u << 8,  1u << 9, 1u << 10, 1u << 11,
                               1u << 12, 1u << 13, 1u << 14, 1u << 15};
  const kvf_group_bits found = kvf_rotation_signs_x16(index, block) & bits;
  *signs = (kvf_group_bits)(found != 0) & 0x80000000u;
}

/* Sums at distances 1, 2, 4 and 8; products with 1 and -1 are exact. */
KVF_INLINE void kvf_hadamard_of_group(kvf_group *group, int32_t block) {
  const kvf_group at_1 = {1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1};
  const kvf_group at_2 = {1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1};
  const kvf_group at_4 = {1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1};
  const kvf_group at_8 = {1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1};
  kvf_group v = *group;
  if (block > 1) {
    v = v * at_1 +
        __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  }
  if (block > 2) {
    v = v * at_2 +
        __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  }
  if (block > 4) {
    v = v * at_4 +
        __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  }
  if (block > 8) {
    v = v * at_8 +
        __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  }
  *group = v;
}

/* Sums and differences of groups that are so far from each other, a multiple of 16. */
KVF_INLINE void kvf_hadamard_across(float *row, int64_t size, int64_t distance) {
  for (int64_t first = 0; first < size; first += 2 * distance) {
    for (int64_t i = first; i < first + distance; i += KVF_ROTATION_GROUP) {
      kvf_group lower;
      kvf_group upper;
      memcpy(&lower, row + i, sizeof lower);
      memcpy(&upper, row + i + distance, sizeof upper);
      const kvf_group sum = lower + upper;
      const kvf_group difference = lower - upper;
      memcpy(row + i, &sum, sizeof sum);
      memcpy(row + i + distance, &difference, sizeof difference);
    }
  }
}

/*
 * From a head, a query or a key, to what is stored for it, in place. The row has room, and numbers,
 * up to a multiple of KVF_ROTATION_GROUP; what is behind `size` afterwards is not defined.
 */
KVF_INLINE void kvf_rotate(float *row, int64_t size, int32_t block) {
  for (int64_t i = 0; i < size; i += KVF_ROTATION_GROUP) {
    kvf_group_bits signs;
    kvf_group group;
    kvf_signs_of_group(&signs, (int32_t)i, block);
    memcpy(&group, row + i, sizeof group);
    group = (kvf_group)((kvf_group_bits)group ^ signs);
    kvf_hadamard_of_group(&group, block);
    memcpy(row + i, &group, sizeof group);
  }
  for (int64_t distance = KVF_ROTATION_GROUP; distance < block; distance *= 2) {
    kvf_hadamard_across(row, size, distance);
  }
}

/* And back, with the same room. Zeros are +0. */
KVF_INLINE void kvf_rotate_back(float *row, int64_t size, int32_t block) {
  const kvf_group inverse = (kvf_group){0} + 1.0f / (float)block;
  for (int64_t i = 0; i < size; i += KVF_ROTATION_GROUP) {
    kvf_group group;
    memcpy(&group, row + i, sizeof group);
    kvf_hadamard_of_group(&group, block);
    memcpy(row + i, &group, sizeof group);
  }
  for (int64_t distance = KVF_ROTATION_GROUP; distance < block; distance *= 2) {
    kvf_hadamard_across(row, size, distance);
  }
  for (int64_t i = 0; i < size; i += KVF_ROTATION_GROUP) {
    kvf_group_bits signs;
    kvf_group group;
    kvf_signs_of_group(&signs, (int32_t)i, block);
    memcpy(&group, row + i, sizeof group);
    group *= (kvf_group)((kvf_group_bits)inverse ^ signs);
    const kvf_group_bits bits = (kvf_group_bits)group & (kvf_group_bits)(group != 0.0f);
    memcpy(row + i, &bits, sizeof bits);
  }
}

#endif
