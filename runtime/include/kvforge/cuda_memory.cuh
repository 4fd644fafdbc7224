/* Memory accesses that CUDA has an instruction for and C no word, with a host form for the emulated
 * driver. */
#ifndef KVFORGE_CUDA_MEMORY_CUH
#define KVFORGE_CUDA_MEMORY_CUH

#include <stdint.h>

#include "kvforge/bits.h"

/*
 * 16 or 8 bytes of device memory that nothing writes to while the kernel runs. Of an address that
 * came out of shared memory the compiler does not know what memory it is of, and a load that finds
 * out takes longer; what is read once is not worth a place in the first cache.
 */
KVF_INLINE uint4 kvf_read_once(const uint4 *from) {
#if defined(__CUDACC__)
  uint4 words;
  asm("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
      : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w)
      : "l"(from));
  return words;
#else
  return *from;
#endif
}
KVF_INLINE uint2 kvf_read_once(const uint2 *from) {
#if defined(__CUDACC__)
  uint2 words;
  asm("ld.global.nc.L1::no_allocate.v2.u32 {%0, %1}, [%2];"
      : "=r"(words.x), "=r"(words.y)
      : "l"(from));
  return words;
#else
  return *from;
#endif
}

/*
 * Copies 16 bytes of device memory to shared memory, which are there for the thread itself when it
 * has waited for what it asked for, and for others after a barrier behind that. For sm_80 and
 * newer. The host form copies at once.
 */
KVF_INLINE void kvf_copy_async(void *to, const void *from) {
#if defined(__CUDACC__)
  const uint32_t at = (uint32_t)__cvta_generic_to_shared(to);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" : : "r"(at), "l"(from) : "memory");
#else
  *static_cast<uint4 *>(to) = *static_cast<const uint4 *>(from);
#endif
}
/* The same by way of the L1, for pieces whose sector of 32 bytes the thread's next copy wants. */
KVF_INLINE void kvf_copy_half_sector_async(void *to, const void *from) {
#if defined(__CUDACC__)
  const uint32_t at = (uint32_t)__cvta_generic_to_shared(to);
  asm volatile("cp.async.ca.shared.global [%0], [%1], 16;" : : "r"(at), "l"(from) : "memory");
#else
  *static_cast<uint4 *>(to) = *static_cast<const uint4 *>(from);
#endif
}
/* The same of an index of 4 or 8 bytes, which come to lie in the lower part of `to`. */
KVF_INLINE void kvf_copy_index_async(int64_t *to, const void *array, int32_t index_bytes,
                                     int64_t i) {
#if defined(__CUDACC__)
  const uint32_t at = (uint32_t)__cvta_generic_to_shared(to);
  if (index_bytes == 8) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8;"
                 :
                 : "r"(at), "l"(static_cast<const int64_t *>(array) + i)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;"
                 :
                 : "r"(at), "l"(static_cast<const int32_t *>(array) + i)
                 : "memory");
  }
#else
  *to = index_bytes == 8 ? static_cast<const int64_t *>(array)[i]
                         : static_cast<const int32_t *>(array)[i];
#endif
}
KVF_INLINE void kvf_wait_for_copies() {
#if defined(__CUDACC__)
  asm volatile("cp.async.wait_all;" : : : "memory");
#endif
}

/*
 * threadIdx.x, read anew: in a kernel that is short of registers what is made of it does not stay
 * in one from one function to the next, nor from one round of a loop to the next.
 */
KVF_INLINE uint32_t kvf_thread_anew() {
#if defined(__CUDACC__)
  uint32_t thread;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
  return thread;
#else
  return threadIdx.x;
#endif
}

/* Ends a group of copies, which may be none, and waits for all groups but the last. */
KVF_INLINE void kvf_end_copies() {
#if defined(__CUDACC__)
  asm volatile("cp.async.commit_group;" : : : "memory");
#endif
}
KVF_INLINE void kvf_wait_for_earlier_copies() {
#if defined(__CUDACC__)
  asm volatile("cp.async.wait_group 1;" : : : "memory");
#endif
}

/* 2^x, within 2 units of the last place; what is subnormal is 0. */
KVF_INLINE float kvf_quick_exp2(float x) {
#if defined(__CUDACC__)
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
#else
  const float result = exp2f(x);
  return result < 0x1p-126f ? 0.0f : result;
#endif
}

#endif
