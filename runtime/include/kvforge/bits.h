/* A float and its bits; the inline keyword of code that host compilers and nvcc share. */
#ifndef KVFORGE_BITS_H
#define KVFORGE_BITS_H

#include <stdint.h>

#ifdef __CUDACC__
#define KVF_INLINE static __device__ __forceinline__
#else
#define KVF_INLINE static inline __attribute__((always_inline))
#endif

#if defined(__CUDA_ARCH__)
KVF_INLINE uint32_t kvf_bits(float x) { return __float_as_uint(x); }
KVF_INLINE float kvf_float(uint32_t bits) { return __uint_as_float(bits); }
#else
KVF_INLINE uint32_t kvf_bits(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
KVF_INLINE float kvf_float(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}
#endif

/* The bits of |x|; 0 for a NaN. Magnitudes compare as the integers that they are made of. */
KVF_INLINE uint32_t kvf_magnitude(float x) {
  const uint32_t magnitude = kvf_bits(x) & 0x7FFFFFFFu;
  return magnitude <= 0x7F800000u ? magnitude : 0;
}

#endif
