/* Operations on bits that CUDA has an instruction for and C no word, with a host form for the
 * emulated driver. */
#ifndef KVFORGE_CUDA_BITS_CUH
#define KVFORGE_CUDA_BITS_CUH

#include <stdint.h>

#include "kvforge/bits.h"

/* (a & mask) ^ bits in one instruction. With two constants the compiler makes two of it, since an
 * instruction has room for one; here the other stays in a register. */
KVF_INLINE uint32_t kvf_and_xor(uint32_t a, uint32_t mask, uint32_t bits) {
#if defined(__CUDACC__)
  uint32_t result;
  asm("lop3.b32 %0, %1, %2, %3, 0x6a;" : "=r"(result) : "r"(a), "r"(mask), "r"(bits));
  return result;
#else
  return (a & mask) ^ bits;
#endif
}

#endif
