/*
 * The tensor cores' matrix product, as functions of a warp: D += A B with A of 16 x 16, B of 16 x 8
 * and D of 16 x 8, f16 or bf16 operands and f32 sums. For sm_80 and newer: a kernel that calls them
 * is a variant of an arch axis. In the emulated driver the same functions are made of shuffles, so
 * that lanes that do not take part are found there.
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

#else

/* The words that the four lanes from `first` on have, as the 16 elements of a row of A or of a
 * column of B. `near` and `far` are the words of columns 2t and 2t + 8. */
KVF_INLINE void kvf_mma_gather(uint32_t near, uint32_t far, int first, uint32_t words[8]) {
  for (int t = 0; t < 4; ++t) {
    words[t] = __shfl_sync(0xFFFFFFFFu, near, first + t);
    words[t + 4] = __shfl_sync(0xFFFFFFFFu, far, first + t);
  }
}

KVF_INLINE void kvf_mma_emulated(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                                 float (*widen)(uint16_t)) {
  const int lane =
      (int)(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % warpSize;
  uint32_t rows[2][8];
  uint32_t columns[2][8];
  for (int i = 0; i < 2; ++i) {
    kvf_mma_gather(a[i], a[i + 2], lane / 4 * 4, rows[i]);
    kvf_mma_gather(b[0], b[1], (2 * (lane % 4) + i) * 4, columns[i]);
  }
  for (int i = 0; i < 4; ++i) {
    for (int k = 0; k < 16; ++k) {
      const int shift = k % 2 * 16;
      d[i] += widen((uint16_t)(rows[i / 2][k / 2] >> shift)) *
              widen((uint16_t)(columns[i % 2][k / 2] >> shift));
    }
  }
}

KVF_INLINE void kvf_transpose_16x16(uint32_t (&words)[4], const void *row) {
  const int lane =
      (int)(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % warpSize;
  for (int i = 0; i < 4; ++i) {
    words[i] = 0;
    for (int k = 0; k < 2; ++k) { /* rows 2t and 2t + 1 of 8, column g */
      const void *from = __shfl_sync(0xFFFFFFFFu, row, 8 * i + 2 * (lane % 4) + k);
      words[i] |= (uint32_t)static_cast<const uint16_t *>(from)[lane / 4] << 16 * k;
    }
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
