/*
 * The tensor cores' matrix product, as functions of a warp: D += A B with A of 16 x 16, B of 16 x 8
 * and D of 16 x 8, f16 or bf16 operands and f32 sums. For sm_80 and newer: a kernel that calls them
 * is a variant of an arch axis. In the emulated driver lanes show each other what they have, so
 * that those that do not take part are found there.
 *
 * All 32 lanes call with the same function. With g = lane div 4 and t = lane mod 4 a lane has, two
 * elements in a word, the one with the lower column (A) or row (B) in the lower half:
 *   a[0]  A[g][2t], A[g][2t + 1]            b[0]  B[2t][g], B[2t + 1][g]
 *   a[1]  A[g + 8][2t], A[g + 8][2t + 1]    b[1]  B[2t + 8][g], B[2t + 9][g]
 *   a[2]  A[g][2t + 8], A[g][2t + 9]
 *   a[3]  A[g + 8][2t + 8], A[g + 8][2t + 9]
 *   d[0], d[1]  D[g][2t], D[g][2t + 1]      d[2], d[3]  D[g + 8][2t], D[g + 8][2t + 1]
 *
 * Products are exact. The hardware adds the sixteen of an element in an order and with a rounding
 * of its own; the host form adds them in f32, one after another.
 * Source of the layout: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".
 */
#ifndef KVFORGE_CUDA_MMA_CUH
#define KVFORGE_CUDA_MMA_CUH

#include <stdint.h>

#include "kvforge/float16.h"

#if defined(__CUDACC__)

KVF_INLINE void kvf_mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
KVF_INLINE void kvf_mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/*
 * B of two products, of 16 rows of 16 elements that lie in shared memory: lane l gives the address
 * of elements 8 (l div 16) and on of row l mod 16, a multiple of 16 bytes. words[0..1] are b[0..1]
 * of the first 8 columns, words[2..3] of the others.
 */
KVF_INLINE void kvf_transpose_16x16(uint32_t (&words)[4], const void *row) {
  const uint32_t at = (uint32_t)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(at)
               : "memory");
}

/*
 * The same rows as they lie, which are A of a product, or B of two whose columns they are: words[0]
 * and words[2] are then b[0..1] of the first 8 columns, words[1] and words[3] of the others.
 */
KVF_INLINE void kvf_load_16x16(uint32_t (&words)[4], const void *row) {
  const uint32_t at = (uint32_t)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(at)
               : "memory");
}

#else

KVF_INLINE int kvf_mma_lane() {
  return (int)(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % warpSize;
}

KVF_INLINE void kvf_mma_emulated(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                 float (*widen)(uint16_t)) {
  const int lane = kvf_mma_lane();
  unsigned long long rows[2][32]; /* words of columns 2t and 2t + 8, of rows g and of rows g + 8 */
  unsigned long long columns[32];
  kvf_emulator_gather(0xFFFFFFFFu, (unsigned long long)a[2] << 32 | a[0], rows[0]);
  kvf_emulator_gather(0xFFFFFFFFu, (unsigned long long)a[3] << 32 | a[1], rows[1]);
  kvf_emulator_gather(0xFFFFFFFFu, (unsigned long long)b[1] << 32 | b[0], columns);
  for (int i = 0; i < 4; ++i) {
    const unsigned long long *row = &rows[i / 2][lane / 4 * 4];
    const unsigned long long *column = &columns[(2 * (lane % 4) + i % 2) * 4];
    for (int k = 0; k < 16; ++k) {
      const int shift = k / 8 * 32 + k % 2 * 16;
      d[i] += widen((uint16_t)(row[k % 8 / 2] >> shift)) *
              widen((uint16_t)(column[k % 8 / 2] >> shift));
    }
  }
}

KVF_INLINE void kvf_transpose_16x16(uint32_t (&words)[4], const void *row) {
  const int lane = kvf_mma_lane();
  unsigned long long rows[32];
  kvf_emulator_gather(0xFFFFFFFFu, (unsigned long long)(uintptr_t)row, rows);
  for (int i = 0; i < 4; ++i) {
    words[i] = 0;
    for (int k = 0; k < 2; ++k) { /* rows 2t and 2t + 1 of 8, column g */
      const uint16_t *from = (const uint16_t *)(uintptr_t)rows[8 * i + 2 * (lane % 4) + k];
      words[i] |= (uint32_t)from[lane / 4] << 16 * k;
    }
  }
}

KVF_INLINE void kvf_load_16x16(uint32_t (&words)[4], const void *row) {
  const int lane = kvf_mma_lane();
  unsigned long long rows[32];
  kvf_emulator_gather(0xFFFFFFFFu, (unsigned long long)(uintptr_t)row, rows);
  for (int i = 0; i < 4; ++i) {
    words[i] = ((const uint32_t *)(uintptr_t)rows[8 * i + lane / 4])[lane % 4];
  }
}

KVF_INLINE void kvf_mma_f16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  kvf_mma_emulated(d, a, b, kvf_f32_from_f16);
}
KVF_INLINE void kvf_mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  kvf_mma_emulated(d, a, b, kvf_f32_from_bf16);
}

#endif

#endif
