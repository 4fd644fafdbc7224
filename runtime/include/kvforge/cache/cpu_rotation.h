/* Rotated rows on the CPU; kvforge/cache/rotation.h says what they are. */
#ifndef KVFORGE_CPU_ROTATION_H
#define KVFORGE_CPU_ROTATION_H

#include "kvforge/cache/rotation.h"
#include "kvforge/cpu_floats.h"

enum { KVF_GROUP_PARTS = (int)KVF_ROTATION_GROUP / (int)KVF_WIDTH };

/* The sign bits of registers of a group of 16 elements, given as bits. */
KVF_INLINE void kvf_spread_signs(kvf_float_bits words[KVF_GROUP_PARTS], uint32_t signs) {
#if defined(__AVX512F__)
  words[0] = (kvf_float_bits)_mm512_maskz_set1_epi32((__mmask16)signs, INT32_MIN);
#elif defined(__AVX2__)
  const kvf_float_bits places = {31, 30, 29, 28, 27, 26, 25, 24};
  words[0] = signs << places & 0x80000000u;
  words[1] = signs >> 8 << places & 0x80000000u;
#else
  const kvf_float_bits bits = {1u << 0, 1u << 1, 1u << 2, 1u << 3};
  for (int i = 0; i < KVF_GROUP_PARTS; ++i) {
    words[i] = (kvf_float_bits)((signs >> i * KVF_WIDTH & bits) != 0) & 0x80000000u;
  }
#endif
}

/* a * b + c where a * b is exact, whatever is made of it. */
KVF_INLINE kvf_floats kvf_add_exact_product(kvf_floats a, kvf_floats b, kvf_floats c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__) && defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

/*
 * Sum and difference of two registers. Where a processor has units of their own for sums and for
 * products with sums, both have something to do.
 */
KVF_INLINE void kvf_add_and_subtract(kvf_floats *a, kvf_floats *b) {
  const kvf_floats sum = *a + *b;
  *b = kvf_add_exact_product(*b, (kvf_floats){0} - 1.0f, *a);
  *a = sum;
}

/* Sums at a distance that is within a register; products with 1 and -1 are exact. */
KVF_INLINE kvf_floats kvf_hadamard_at(kvf_floats v, int distance) {
#if defined(__AVX512F__)
  const kvf_floats at_1 = {1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1};
  const kvf_floats at_2 = {1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1};
  const kvf_floats at_4 = {1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1};
  const kvf_floats at_8 = {1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1};
#define KVF_SWAPPED_1 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#define KVF_SWAPPED_2 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13
#define KVF_SWAPPED_4 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11
#define KVF_SWAPPED_8 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7
#elif defined(__AVX2__)
  const kvf_floats at_1 = {1, -1, 1, -1, 1, -1, 1, -1};
  const kvf_floats at_2 = {1, 1, -1, -1, 1, 1, -1, -1};
  const kvf_floats at_4 = {1, 1, 1, 1, -1, -1, -1, -1};
#define KVF_SWAPPED_1 1, 0, 3, 2, 5, 4, 7, 6
#define KVF_SWAPPED_2 2, 3, 0, 1, 6, 7, 4, 5
#define KVF_SWAPPED_4 4, 5, 6, 7, 0, 1, 2, 3
#else
  const kvf_floats at_1 = {1, -1, 1, -1};
  const kvf_floats at_2 = {1, 1, -1, -1};
#define KVF_SWAPPED_1 1, 0, 3, 2
#define KVF_SWAPPED_2 2, 3, 0, 1
#endif
  if (distance == 1) {
    return kvf_add_exact_product(v, at_1, __builtin_shufflevector(v, v, KVF_SWAPPED_1));
  }
  if (distance == 2) {
    return kvf_add_exact_product(v, at_2, __builtin_shufflevector(v, v, KVF_SWAPPED_2));
  }
#if defined(__AVX2__)
  if (distance == 4) {
    return kvf_add_exact_product(v, at_4, __builtin_shufflevector(v, v, KVF_SWAPPED_4));
  }
#endif
#if defined(__AVX512F__)
  return kvf_add_exact_product(v, at_8, __builtin_shufflevector(v, v, KVF_SWAPPED_8));
#else
  return v;
#endif
}

/* Sums at all distances of a block that are within a register. */
KVF_INLINE kvf_floats kvf_hadamard_within(kvf_floats v, int32_t block) {
  v = block > 1 ? kvf_hadamard_at(v, 1) : v;
  v = block > 2 ? kvf_hadamard_at(v, 2) : v;
  v = KVF_WIDTH > 4 && block > 4 ? kvf_hadamard_at(v, 4) : v;
  return KVF_WIDTH > 8 && block > 8 ? kvf_hadamard_at(v, 8) : v;
}

/* Sums at `distance`, whole registers, and at twice that. */
KVF_INLINE void kvf_hadamard_across_4(float *row, int64_t size, int64_t distance) {
  for (int64_t first = 0; first < size; first += 4 * distance) {
    for (int64_t i = first; i < first + distance; i += KVF_WIDTH) {
      kvf_floats v[4];
      for (int k = 0; k < 4; ++k) {
        v[k] = kvf_load_floats(row + i + k * distance);
      }
      const kvf_floats sums[2] = {v[0] + v[1], v[2] + v[3]};
      const kvf_floats differences[2] = {v[0] - v[1], v[2] - v[3]};
      kvf_store_floats(row + i, sums[0] + sums[1]);
      kvf_store_floats(row + i + distance, differences[0] + differences[1]);
      kvf_store_floats(row + i + 2 * distance, sums[0] - sums[1]);
      kvf_store_floats(row + i + 3 * distance, differences[0] - differences[1]);
    }
  }
}

/* Sums at `distance` alone. */
KVF_INLINE void kvf_hadamard_across_2(float *row, int64_t size, int64_t distance) {
  for (int64_t first = 0; first < size; first += 2 * distance) {
    for (int64_t i = first; i < first + distance; i += KVF_WIDTH) {
      const kvf_floats lower = kvf_load_floats(row + i);
      const kvf_floats upper = kvf_load_floats(row + i + distance);
      kvf_store_floats(row + i, lower + upper);
      kvf_store_floats(row + i + distance, lower - upper);
    }
  }
}

KVF_INLINE void kvf_hadamard_of_all_at(kvf_floats *v, int count, int distance) {
  for (int i = 0; i < count; ++i) {
    v[i] = kvf_hadamard_at(v[i], distance);
  }
}

/*
 * H of rows of `length` registers each, `count` in all. Step by step, so that there is always
 * something to do while a processor waits for a sum. Steps within registers are written out, since
 * gcc keeps a loop over them, with a choice in it, where there are many registers.
 */
KVF_INLINE void kvf_hadamard_of_registers(kvf_floats *v, int count, int length) {
  kvf_hadamard_of_all_at(v, count, 1);
  kvf_hadamard_of_all_at(v, count, 2);
  if (KVF_WIDTH > 4) {
    kvf_hadamard_of_all_at(v, count, 4);
  }
  if (KVF_WIDTH > 8) {
    kvf_hadamard_of_all_at(v, count, 8);
  }
  for (int distance = 1; distance < length; distance *= 2) {
    for (int i = 0; i < count; ++i) {
      if ((i & distance) == 0) {
        kvf_add_and_subtract(&v[i], &v[i + distance]);
      }
    }
  }
}

/* The same of a row. */
enum { KVF_REGISTERS_TOGETHER = 8 };
KVF_INLINE void kvf_hadamard_together(float *row) {
  kvf_floats v[KVF_REGISTERS_TOGETHER];
  for (int i = 0; i < KVF_REGISTERS_TOGETHER; ++i) {
    v[i] = kvf_load_floats(row + i * KVF_WIDTH);
  }
  kvf_hadamard_of_registers(v, KVF_REGISTERS_TOGETHER, KVF_REGISTERS_TOGETHER);
  for (int i = 0; i < KVF_REGISTERS_TOGETHER; ++i) {
    kvf_store_floats(row + i * KVF_WIDTH, v[i]);
  }
}

/* H, at distances 1, 2, 4 and so on, in as few walks over the row as registers allow. */
KVF_INLINE void kvf_hadamard(float *row, int64_t size, int32_t block) {
  enum { TOGETHER = (int)KVF_REGISTERS_TOGETHER * (int)KVF_WIDTH };
  int64_t distance = block >= TOGETHER ? (int64_t)TOGETHER : (int64_t)KVF_WIDTH;
  for (int64_t i = 0; i < size; i += distance) {
    if (block >= TOGETHER) {
      kvf_hadamard_together(row + i);
    } else {
      kvf_store_floats(row + i, kvf_hadamard_within(kvf_load_floats(row + i), block));
    }
  }
  for (; 2 * distance < block; distance *= 4) {
    kvf_hadamard_across_4(row, size, distance);
  }
  if (distance < block) {
    kvf_hadamard_across_2(row, size, distance);
  }
}

/* A row whose size and block may be numbers that a compiler knows: signs are constants then. */
KVF_INLINE void kvf_rotate_any(float *row, int64_t size, int32_t block) {
  for (int64_t i = 0; i < size; i += KVF_ROTATION_GROUP) {
    kvf_float_bits signs[KVF_GROUP_PARTS];
    kvf_spread_signs(signs, kvf_rotation_signs_x16((int32_t)i, block));
    for (int k = 0; k < KVF_GROUP_PARTS; ++k) {
      float *at = row + i + k * KVF_WIDTH;
      kvf_store_floats(at, (kvf_floats)((kvf_float_bits)kvf_load_floats(at) ^ signs[k]));
    }
  }
  kvf_hadamard(row, size, block);
}

KVF_INLINE void kvf_rotate_any_back(float *row, int64_t size, int32_t block) {
  const kvf_floats inverse = (kvf_floats){0} + 1.0f / (float)block;
  kvf_hadamard(row, size, block);
  for (int64_t i = 0; i < size; i += KVF_ROTATION_GROUP) {
    kvf_float_bits signs[KVF_GROUP_PARTS];
    kvf_spread_signs(signs, kvf_rotation_signs_x16((int32_t)i, block));
    for (int k = 0; k < KVF_GROUP_PARTS; ++k) {
      float *at = row + i + k * KVF_WIDTH;
      const kvf_floats factor = (kvf_floats)((kvf_float_bits)inverse ^ signs[k]);
      kvf_store_floats(at, kvf_load_floats(at) * factor + 0.0f); /* of both zeros +0 */
    }
  }
}

/*
 * Heads of the usual size in registers: the even elements of each, and behind them its odd ones; as
 * many heads as there are registers for.
 */
enum {
  KVF_USUAL_HEAD = 128,
  KVF_HEAD_PARTS = (int)KVF_USUAL_HEAD / (int)KVF_WIDTH,
  KVF_HEAD_HALF = KVF_HEAD_PARTS / 2,
  KVF_HEADS_TOGETHER = KVF_HEAD_PARTS < 16 ? 2 : 1
};

/* The signs, as 1 and -1, of register `i` of such a head. */
KVF_INLINE kvf_floats kvf_head_signs(int i) {
#if defined(__AVX512F__)
  const kvf_float_bits places = {31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1};
#elif defined(__AVX2__)
  const kvf_float_bits places = {31, 29, 27, 25, 23, 21, 19, 17};
#else
  const kvf_float_bits places = {31, 29, 27, 25};
#endif
  const int first = 2 * KVF_WIDTH * (i % KVF_HEAD_HALF) + i / KVF_HEAD_HALF % 2;
  const uint32_t signs = kvf_rotation_words[first / 32] >> first % 32;
  return (kvf_floats)((signs << places & 0x80000000u) ^ kvf_bits(1.0f));
}

/* H of heads. Behind the sums of neighbours, halves are rows of their own. */
KVF_INLINE void kvf_hadamard_of_heads(kvf_floats *heads, int count) {
  enum { HALF = KVF_HEAD_HALF };
  const int all = count * KVF_HEAD_PARTS;
  for (int i = 0; i < all; ++i) {
    if (i % KVF_HEAD_PARTS < HALF) {
      kvf_add_and_subtract(&heads[i], &heads[i + HALF]);
    }
  }
  const int together = HALF < (int)KVF_REGISTERS_TOGETHER ? all : HALF;
  for (int i = 0; i < all; i += together) {
    kvf_hadamard_of_registers(heads + i, together, HALF);
  }
}

/* From a head to what is stored for it. */
KVF_INLINE void kvf_rotate_head(kvf_floats head[KVF_HEAD_PARTS]) {
  for (int i = 0; i < KVF_HEAD_PARTS; ++i) {
    head[i] *= kvf_head_signs(i);
  }
  kvf_hadamard_of_heads(head, 1);
}

/*
 * Rotates heads back, as far as signs and sums go: they are divided by KVF_USUAL_HEAD already.
 * Zeros are +0.
 */
KVF_INLINE void kvf_rotate_heads_back(kvf_floats *heads, int count) {
  kvf_hadamard_of_heads(heads, count);
  for (int i = 0; i < count * KVF_HEAD_PARTS; ++i) {
    heads[i] = kvf_add_exact_product(heads[i], kvf_head_signs(i % KVF_HEAD_PARTS), (kvf_floats){0});
  }
}

/*
 * From a head, a query or a key, to what is stored for it, in place. The row has room, and numbers,
 * up to a multiple of KVF_ROTATION_GROUP; what is behind `size` afterwards is not defined.
 */
KVF_INLINE void kvf_rotate(float *row, int64_t size, int32_t block) {
  if (size == KVF_USUAL_HEAD) {
    kvf_rotate_any(row, KVF_USUAL_HEAD, KVF_USUAL_HEAD);
  } else {
    kvf_rotate_any(row, size, block);
  }
}

/* And back, with the same room. Zeros are +0. */
KVF_INLINE void kvf_rotate_back(float *row, int64_t size, int32_t block) {
  if (size == KVF_USUAL_HEAD) {
    kvf_rotate_any_back(row, KVF_USUAL_HEAD, KVF_USUAL_HEAD);
  } else {
    kvf_rotate_any_back(row, size, block);
  }
}

#endif
