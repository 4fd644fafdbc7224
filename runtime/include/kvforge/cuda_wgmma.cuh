/*
 * The matrix product of four warps, as functions of them: D += A B with A of 64 x 16 and B of 16 x
 * 32, 64, 128 or 256, f16 or bf16 operands and f32 sums. For sm_90a and no other: a kernel that
 * calls them is a variant of that arch. The warps are a multiple of four and the three behind it.
 *
 * Warp w of the four has rows 16 w and on of A and D, as kvf_mma_f16() has those of its tile; d[i]
 * is columns 8 i and on of D. B lies in shared memory in rows of 64 elements, 8 units of 16 bytes,
 * that start at a multiple of 1,024 bytes: unit u of row r is at place u ^ r % 8, which
 * kvf_place_of_unit() tells. An address is that of the first unit of a row, as if they lay in
 * order.
 *
 * The tensor cores work on while the warps go on: between kvf_begin_wgmma() and kvf_end_wgmma()
 * registers and shared memory of a product are left alone. They read shared memory past what orders
 * a thread's own accesses: whoever wrote there calls kvf_show_to_wgmma() before the barrier behind
 * which it is read. The host form multiplies at once.
 * Source of the layouts: PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions".
 */
#ifndef KVFORGE_CUDA_WGMMA_CUH
#define KVFORGE_CUDA_WGMMA_CUH

#include "kvforge/cuda_mma.cuh"

KVF_INLINE int32_t kvf_place_of_unit(int32_t row, int32_t unit) { return unit ^ row % 8; }

#if defined(__CUDACC__)

/* Waits at one of the barriers 1 to 15 for others, `threads` in all, whole warps, some of which may
 * only say that they have come so far. */
KVF_INLINE void kvf_meet(uint32_t barrier, uint32_t threads) {
  __syncwarp();
  asm volatile("barrier.cta.sync.aligned %0, %1;" : : "r"(barrier), "r"(threads) : "memory");
}
KVF_INLINE void kvf_arrive(uint32_t barrier, uint32_t threads) {
  __syncwarp();
  asm volatile("barrier.cta.arrive.aligned %0, %1;" : : "r"(barrier), "r"(threads) : "memory");
}

/* Four warps get so many registers for a thread of what others of the block have left, or leave
 * them all but so many. */
template <uint32_t COUNT> KVF_INLINE void kvf_more_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" : : "n"(COUNT));
}
template <uint32_t COUNT> KVF_INLINE void kvf_fewer_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" : : "n"(COUNT));
}

KVF_INLINE void kvf_show_to_wgmma() {
  asm volatile("fence.proxy.async.shared::cta;" : : : "memory");
}

KVF_INLINE void kvf_begin_wgmma() { asm volatile("wgmma.fence.sync.aligned;" : : : "memory"); }

/* Behind the last product. */
KVF_INLINE void kvf_commit_wgmma() {
  asm volatile("wgmma.commit_group.sync.aligned;" : : : "memory");
}

/* Numbers as they are here: what they are computed from is read before what follows, which is done
 * with them. */
KVF_INLINE void kvf_settle(float (*d)[4], int32_t columns) {
#pragma unroll
  for (int32_t i = 0; i < columns / 2; ++i) {
    asm volatile("" : "+f"(d[i / 4][i % 4]) : : "memory");
  }
}

/* Waits for all; the sums are not touched before. Compilers make one of two at the ends of a branch
 * unless they have another PLACE. */
template <int32_t PLACE = 0> KVF_INLINE void kvf_end_wgmma(float (*d)[4], int32_t columns) {
  asm volatile("wgmma.wait_group.sync.aligned 0; // %0" : : "n"(PLACE) : "memory");
  kvf_settle(d, columns);
}

/* Waits for all but what the last kvf_commit_wgmma() ended; the sums are of what is over. */
KVF_INLINE void kvf_end_earlier_wgmma(float (*d)[4], int32_t columns) {
  asm volatile("wgmma.wait_group.sync.aligned 1;" : : : "memory");
  kvf_settle(d, columns);
}

/* Where rows are, `offset` bytes from the first, and how: their swizzle, 1,024 bytes from 8 of them
 * to the next, and `next` from 64 of their elements to those behind. The offset is added to what
 * has been made of the first: a product waits for one addition. */
KVF_INLINE uint64_t kvf_wgmma_rows(const void *first, uint32_t offset, uint32_t next) {
  const uint32_t at = (uint32_t)__cvta_generic_to_shared(first);
  const uint32_t low = (at / 16 | next / 16 << 16) + offset / 16;
  return 0x40000040ULL << 32 | low;
}

/* The registers of sums of 32 columns and more, and their numbers in the instruction. */
#define KVF_WGMMA_4(d) "+f"((d)[0]), "+f"((d)[1]), "+f"((d)[2]), "+f"((d)[3])
#define KVF_WGMMA_32_COLUMNS(d)                                                                    \
  KVF_WGMMA_4((d)[0]), KVF_WGMMA_4((d)[1]), KVF_WGMMA_4((d)[2]), KVF_WGMMA_4((d)[3])
#define KVF_WGMMA_64_COLUMNS(d) KVF_WGMMA_32_COLUMNS(d), KVF_WGMMA_32_COLUMNS(d + 4)
#define KVF_WGMMA_128_COLUMNS(d) KVF_WGMMA_64_COLUMNS(d), KVF_WGMMA_64_COLUMNS(d + 8)
#define KVF_WGMMA_TEN(n)                                                                           \
  "%" #n "0, %" #n "1, %" #n "2, %" #n "3, %" #n "4, %" #n "5, %" #n "6, %" #n "7, %" #n "8, %" #n \
  "9, "

#define KVF_DEFINE_WGMMA(type)                                                                     \
  /* Columns of B are 32 rows. */                                                                  \
  KVF_INLINE void kvf_wgmma_rows_##type(float (*d)[4], const uint32_t (&a)[4], const void *rows) { \
    asm volatile("{.reg .pred add;\n\tsetp.eq.u32 add, 0, 0;\n\t"                                  \
                 "wgmma.mma_async.sync.aligned.m64n32k16.f32." #type "." #type                     \
                 " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, {%16, " \
                 "%17, %18, %19}, %20, add, 1, 1, 0;}"                                             \
                 : KVF_WGMMA_32_COLUMNS(d)                                                         \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(kvf_wgmma_rows(rows, 0, 0)));   \
  }                                                                                                \
  /* A is 64 rows, too. */                                                                         \
  KVF_INLINE void kvf_wgmma_rows_##type(float (*d)[4], const void *a, const void *rows) {          \
    asm volatile("{.reg .pred add;\n\tsetp.eq.u32 add, 0, 0;\n\t"                                  \
                 "wgmma.mma_async.sync.aligned.m64n32k16.f32." #type "." #type                     \
                 " {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, %16, "  \
                 "%17, add, 1, 1, 0, 0;}"                                                          \
                 : KVF_WGMMA_32_COLUMNS(d)                                                         \
                 : "l"(kvf_wgmma_rows(a, 0, 0)), "l"(kvf_wgmma_rows(rows, 0, 0)));                 \
  }                                                                                                \
  /* Columns of B are 64 rows; so many bytes behind those that A and B begin with. */              \
  KVF_INLINE void kvf_wgmma_64_rows_##type(float (*d)[4], const void *a, const void *rows,         \
                                           uint32_t offset) {                                      \
    asm volatile("{.reg .pred add;\n\tsetp.eq.u32 add, 0, 0;\n\t"                                  \
                 "wgmma.mma_async.sync.aligned.m64n64k16.f32." #type "." #type                     \
                 " {" KVF_WGMMA_TEN() KVF_WGMMA_TEN(1)                                             \
                     KVF_WGMMA_TEN(2) "%30, %31}, %32, %33, add, 1, 1, 0, 0;}"                     \
                 : KVF_WGMMA_64_COLUMNS(d)                                                         \
                 : "l"(kvf_wgmma_rows(a, offset, 0)), "l"(kvf_wgmma_rows(rows, offset, 0)));       \
  }                                                                                                \
  /* The same of 128 rows; unless it `adds`, D = A B. */                                           \
  KVF_INLINE void kvf_wgmma_128_rows_##type(float (*d)[4], const void *a, const void *rows,        \
                                            uint32_t offset, bool adds) {                          \
    asm volatile("{.reg .pred add;\n\tsetp.ne.b32 add, %66, 0;\n\t"                                \
                 "wgmma.mma_async.sync.aligned.m64n128k16.f32." #type "." #type                    \
                 " {" KVF_WGMMA_TEN() KVF_WGMMA_TEN(1) KVF_WGMMA_TEN(2) KVF_WGMMA_TEN(3)           \
                     KVF_WGMMA_TEN(4)                                                              \
                         KVF_WGMMA_TEN(5) "%60, %61, %62, %63}, %64, %65, add, 1, 1, 0, 0;}"       \
                 : KVF_WGMMA_128_COLUMNS(d)                                                        \
                 : "l"(kvf_wgmma_rows(a, offset, 0)), "l"(kvf_wgmma_rows(rows, offset, 0)),        \
                   "r"((int32_t)adds));                                                            \
  }                                                                                                \
  /* B is 16 rows of 64 columns, so many bytes behind. */                                          \
  KVF_INLINE void kvf_wgmma_64_##type(float (*d)[4], const uint32_t (&a)[4], const void *rows,     \
                                      uint32_t offset) {                                           \
    asm volatile("{.reg .pred add;\n\tsetp.eq.u32 add, 0, 0;\n\t"                                  \
                 "wgmma.mma_async.sync.aligned.m64n64k16.f32." #type "." #type                     \
                 " {" KVF_WGMMA_TEN() KVF_WGMMA_TEN(1)                                             \
                     KVF_WGMMA_TEN(2) "%30, %31}, {%32, %33, %34, %35}, %36, add, 1, 1, 1;}"       \
                 : KVF_WGMMA_64_COLUMNS(d)                                                         \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]),                                     \
                   "l"(kvf_wgmma_rows(rows, offset, 0)));                                          \
  }                                                                                                \
  /* Of 128 columns: 64, and behind `next` bytes 64 more. */                                       \
  KVF_INLINE void kvf_wgmma_128_##type(float (*d)[4], const uint32_t (&a)[4], const void *rows,    \
                                       uint32_t offset, uint32_t next) {                           \
    asm volatile(                                                                                  \
        "{.reg .pred add;\n\tsetp.eq.u32 add, 0, 0;\n\t"                                           \
        "wgmma.mma_async.sync.aligned.m64n128k16.f32." #type "." #type " {" KVF_WGMMA_TEN()        \
            KVF_WGMMA_TEN(1) KVF_WGMMA_TEN(2) KVF_WGMMA_TEN(3) KVF_WGMMA_TEN(4)                    \
                KVF_WGMMA_TEN(5) "%60, %61, %62, %63}, {%64, %65, %66, %67}, %68, add, 1, 1, 1;}"  \
        : KVF_WGMMA_128_COLUMNS(d)                                                                 \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(kvf_wgmma_rows(rows, offset, next)));    \
  }                                                                                                \
  /* Of 256: four times 64. */                                                                     \
  KVF_INLINE void kvf_wgmma_##type(float (*d)[4], const uint32_t (&a)[4], const void *rows,        \
                                   uint32_t next) {                                                \
    asm volatile(                                                                                  \
        "{.reg .pred add;\n\tsetp.eq.u32 add, 0, 0;\n\t"                                           \
        "wgmma.mma_async.sync.aligned.m64n256k16.f32." #type "." #type                             \
        " {" KVF_WGMMA_TEN() KVF_WGMMA_TEN(1) KVF_WGMMA_TEN(2) KVF_WGMMA_TEN(3) KVF_WGMMA_TEN(     \
            4) KVF_WGMMA_TEN(5) KVF_WGMMA_TEN(6) KVF_WGMMA_TEN(7) KVF_WGMMA_TEN(8)                 \
            KVF_WGMMA_TEN(9) KVF_WGMMA_TEN(10) KVF_WGMMA_TEN(                                      \
                11) "%120, %121, %122, %123, %124, %125, %126, %127}, {%128, %129, %130, %131}, "  \
                    "%132, add, 1, 1, 1;}"                                                         \
        : KVF_WGMMA_64_COLUMNS(d), KVF_WGMMA_64_COLUMNS(d + 8), KVF_WGMMA_64_COLUMNS(d + 16),      \
          KVF_WGMMA_64_COLUMNS(d + 24)                                                             \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(kvf_wgmma_rows(rows, 0, next)));         \
  }

#else

KVF_INLINE void kvf_meet(uint32_t barrier, uint32_t threads) {
  kvf_emulator_meet(barrier, threads, true);
}
KVF_INLINE void kvf_arrive(uint32_t barrier, uint32_t threads) {
  kvf_emulator_meet(barrier, threads, false);
}
template <uint32_t COUNT> KVF_INLINE void kvf_more_registers() {}
template <uint32_t COUNT> KVF_INLINE void kvf_fewer_registers() {}

KVF_INLINE void kvf_show_to_wgmma() {}
KVF_INLINE void kvf_begin_wgmma() {}
KVF_INLINE void kvf_commit_wgmma() {}
KVF_INLINE void kvf_settle(float (*)[4], int32_t) {}
template <int32_t PLACE = 0> KVF_INLINE void kvf_end_wgmma(float (*)[4], int32_t) {}
KVF_INLINE void kvf_end_earlier_wgmma(float (*)[4], int32_t) {}

/* Element `k` of a row behind the one that is given; the hardware swizzles by bits of addresses. */
KVF_INLINE uint16_t kvf_wgmma_element(const void *rows, int32_t row, int32_t k) {
  const uintptr_t at = (uintptr_t)rows + 128 * row + 2 * k;
  return *(const uint16_t *)(at ^ (at >> 7) % 8 * 16);
}

/* A of the caller's warp, from those of its lanes. */
struct kvf_wgmma_a {
  unsigned long long rows[2][32]; /* words of columns 2t and 2t + 8, of rows g and of rows g + 8 */
  uint16_t at(int32_t half, int32_t lane, int32_t k) const {
    return (uint16_t)(rows[half][lane / 4 * 4 + k % 8 / 2] >> (k / 8 * 32 + k % 2 * 16));
  }
};
KVF_INLINE void kvf_wgmma_gather(kvf_wgmma_a &all, const uint32_t (&a)[4]) {
  kvf_emulator_gather(0xFFFFFFFFu, (unsigned long long)a[2] << 32 | a[0], all.rows[0]);
  kvf_emulator_gather(0xFFFFFFFFu, (unsigned long long)a[3] << 32 | a[1], all.rows[1]);
}

/* `by_rows`: columns of B are rows. */
KVF_INLINE void kvf_wgmma_emulated(float (*d)[4], const uint32_t (&a)[4], const void *rows,
                                   uint32_t next, int32_t columns, bool by_rows,
                                   float (*widen)(uint16_t)) {
  const int lane = kvf_mma_lane();
  kvf_wgmma_a all;
  kvf_wgmma_gather(all, a);
  for (int32_t i = 0; i < columns / 2; ++i) {
    const int32_t column = i / 4 * 8 + 2 * (lane % 4) + i % 2;
    const char *part = static_cast<const char *>(rows) + (by_rows ? 0 : column / 64 * next);
    for (int32_t k = 0; k < 16; ++k) {
      const uint16_t b =
          by_rows ? kvf_wgmma_element(part, column, k) : kvf_wgmma_element(part, k, column % 64);
      d[i / 4][i % 4] += widen(all.at(i % 4 / 2, lane, k)) * widen(b);
    }
  }
}

/* What a lane has of A that is 64 rows. */
KVF_INLINE void kvf_wgmma_words(uint32_t (&words)[4], const void *a) {
  const int lane = kvf_mma_lane();
  const int warp = (int)threadIdx.x / warpSize % 4;
  for (int i = 0; i < 4; ++i) {
    const int32_t row = 16 * warp + i % 2 * 8 + lane / 4;
    const int32_t k = i / 2 * 8 + 2 * (lane % 4);
    words[i] = kvf_wgmma_element(a, row, k) | (uint32_t)kvf_wgmma_element(a, row, k + 1) << 16;
  }
}

#define KVF_DEFINE_WGMMA(type)                                                                     \
  KVF_INLINE void kvf_wgmma_rows_##type(float (*d)[4], const uint32_t (&a)[4], const void *rows) { \
    kvf_wgmma_emulated(d, a, rows, 0, 32, true, kvf_f32_from_##type);                              \
  }                                                                                                \
  KVF_INLINE void kvf_wgmma_rows_##type(float (*d)[4], const void *a, const void *rows) {          \
    uint32_t words[4];                                                                             \
    kvf_wgmma_words(words, a);                                                                     \
    kvf_wgmma_emulated(d, words, rows, 0, 32, true, kvf_f32_from_##type);                          \
  }                                                                                                \
  KVF_INLINE void kvf_wgmma_64_rows_##type(float (*d)[4], const void *a, const void *rows,         \
                                           uint32_t offset) {                                      \
    uint32_t words[4];                                                                             \
    kvf_wgmma_words(words, static_cast<const char *>(a) + offset);                                 \
    kvf_wgmma_emulated(d, words, static_cast<const char *>(rows) + offset, 0, 64, true,            \
                       kvf_f32_from_##type);                                                       \
  }                                                                                                \
  KVF_INLINE void kvf_wgmma_128_rows_##type(float (*d)[4], const void *a, const void *rows,        \
                                            uint32_t offset, bool adds) {                          \
    uint32_t words[4];                                                                             \
    kvf_wgmma_words(words, static_cast<const char *>(a) + offset);                                 \
    for (int32_t i = 0; i < 64 && !adds; ++i) {                                                    \
      d[i / 4][i % 4] = 0.0f;                                                                      \
    }                                                                                              \
    kvf_wgmma_emulated(d, words, static_cast<const char *>(rows) + offset, 0, 128, true,           \
                       kvf_f32_from_##type);                                                       \
  }                                                                                                \
  KVF_INLINE void kvf_wgmma_64_##type(float (*d)[4], const uint32_t (&a)[4], const void *rows,     \
                                      uint32_t offset) {                                           \
    kvf_wgmma_emulated(d, a, static_cast<const char *>(rows) + offset, 0, 64, false,               \
                       kvf_f32_from_##type);                                                       \
  }                                                                                                \
  KVF_INLINE void kvf_wgmma_128_##type(float (*d)[4], const uint32_t (&a)[4], const void *rows,    \
                                       uint32_t offset, uint32_t next) {                           \
    kvf_wgmma_emulated(d, a, static_cast<const char *>(rows) + offset, next, 128, false,           \
                       kvf_f32_from_##type);                                                       \
  }                                                                                                \
  KVF_INLINE void kvf_wgmma_##type(float (*d)[4], const uint32_t (&a)[4], const void *rows,        \
                                   uint32_t next) {                                                \
    kvf_wgmma_emulated(d, a, rows, next, 256, false, kvf_f32_from_##type);                         \
  }

#endif

KVF_DEFINE_WGMMA(f16)
KVF_DEFINE_WGMMA(bf16)

#endif
