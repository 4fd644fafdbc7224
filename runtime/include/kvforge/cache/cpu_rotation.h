/* Rotated rows on the CPU; kvforge/cache/rotation.h says what they are. */
#ifndef KVFORGE_CPU_ROTATION_H
#define KVFORGE_CPU_ROTATION_H

#include "kvforge/cache/rotation.h"
#include "kvforge/cpu_kernel.h"

/* Puts the signs of a block to a row. */
KVF_INLINE void kvf_put_signs(float *row, int64_t size, int32_t block) {
  for (int64_t first = 0; first < size; first += block) {
    for (int32_t i = 0; i < block; ++i) {
      row[first + i] = kvf_float(kvf_bits(row[first + i]) ^ kvf_rotation_sign(i, block));
    }
  }
}

typedef float kvf_quad __attribute__((vector_size(16)));

/* Sums at distances 1 and 2, of four elements. */
KVF_INLINE kvf_quad kvf_hadamard_of_4(kvf_quad v, int32_t block) {
  const kvf_quad odd = {1.0f, -1.0f, 1.0f, -1.0f};
  const kvf_quad upper = {1.0f, 1.0f, -1.0f, -1.0f};
  if (block > 1) {
    v = __builtin_shufflevector(v, v, 1, 0, 3, 2) + v * odd;
  }
  if (block > 2) {
    v = __builtin_shufflevector(v, v, 2, 3, 0, 1) + v * upper;
  }
  return v;
}

/*
 * Multiplies the blocks of a row by H, in place. The row has room, and numbers, up to a multiple of
 * KVF_ROTATION_GROUP; what is behind `size` afterwards is not defined.
 */
KVF_INLINE void kvf_hadamard(float *row, int64_t size, int32_t block) {
  for (int64_t i = 0; i < size; i += KVF_ROTATION_GROUP) {
    kvf_quad v[4];
    memcpy(v, row + i, sizeof v);
    for (int k = 0; k < 4; ++k) {
      v[k] = kvf_hadamard_of_4(v[k], block);
    }
    if (block > 4) {
      const kvf_quad w[4] = {v[0] + v[1], v[0] - v[1], v[2] + v[3], v[2] - v[3]};
      memcpy(v, w, sizeof v);
    }
    if (block > 8) {
      const kvf_quad w[4] = {v[0] + v[2], v[1] + v[3], v[0] - v[2], v[1] - v[3]};
      memcpy(v, w, sizeof v);
    }
    memcpy(row + i, v, sizeof v);
  }
  for (int64_t distance = KVF_ROTATION_GROUP; distance < block; distance *= 2) {
    for (int64_t first = 0; first < size; first += 2 * distance) {
      float *__restrict lower = row + first;
      float *__restrict upper = row + first + distance;
      for (int64_t i = 0; i < distance; ++i) {
        const float sum = lower[i] + upper[i];
        const float difference = lower[i] - upper[i];
        lower[i] = sum;
        upper[i] = difference;
      }
    }
  }
}

/* From a head, a query or a key, to what is stored for it. */
KVF_INLINE void kvf_rotate(float *row, int64_t size, int32_t block) {
  kvf_put_signs(row, size, block);
  kvf_hadamard(row, size, block);
}

/* And back. Zeros are +0. */
KVF_INLINE void kvf_rotate_back(float *row, int64_t size, int32_t block) {
  kvf_hadamard(row, size, block);
  for (int64_t first = 0; first < size; first += block) {
    for (int32_t i = 0; i < block; ++i) {
      row[first + i] = kvf_rotation_undo(row[first + i], i, block);
    }
  }
}

#endif
