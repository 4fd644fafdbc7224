/* Operations on bits that CUDA has an instruction for and C no word, with a host form for the
 * emulated driver. */
#ifndef KVFORGE_CUDA_BITS_CUH
#define KVFORGE_CUDA_BITS_CUH

#include <stdint.h>

#include "kvforge/bits.h"

/* The upper halves of two floats, that of the first in the lower half. */
KVF_INLINE uint32_t kvf_upper_halves(float first, float second) {
#if defined(__CUDA_ARCH__)
  return __byte_perm(kvf_bits(first), kvf_bits(second), 0x7632);
#else
  return kvf_bits(first) >> 16 | (kvf_bits(second) & 0xFFFF0000u);
#endif
}

#endif
