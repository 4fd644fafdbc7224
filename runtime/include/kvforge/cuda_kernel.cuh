/* What the CUDA kernels share. Device code only; C++ templates are not used. */
#ifndef KVFORGE_CUDA_KERNEL_CUH
#define KVFORGE_CUDA_KERNEL_CUH

#include <stdint.h>

#include "kvforge/fp8.h"
#include "kvforge/int8.h"
#include "kvforge/kernel_types.h"
#include "kvforge/quotient.h"

/* Shared memory of the size that the launch gives, as an array. The emulated driver has its own. */
#ifndef KVF_DYNAMIC_SHARED
#define KVF_DYNAMIC_SHARED(type, name) extern __shared__ type name[]
#endif

/*
 * The first statement of every kernel, by all threads: the generator refuses a kernel without it.
 * With kvf_exec.programmatic a kernel begins while the one in front of it on the stream still runs;
 * this waits until that has ended and what it wrote can be seen, and nothing is read or written
 * before. Then the kernel behind may begin, which waits here for this one's end: where few blocks
 * of this one are left that have yet to start, since the instruction costs a grid of many blocks
 * more than that gains (161 us in place of 135 on an H200). In a launch without the attribute there
 * is nothing to wait for. The emulated driver has its own.
 *
 * `beside`: the launch is of the same call as the one in front of it and has nothing to do with it.
 * It works while that one still runs, and its last statement, kvf_end_kernel() with the same, waits
 * for that one's end, by all threads: whoever waits for the last launch waits for all of them.
 */
enum { KVF_BLOCKS_TO_FOLLOW = 2048 }; /* two waves of a large GPU, about */
#ifndef KVF_BEGIN_KERNEL
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
#define KVF_BEGIN_KERNEL(beside)                                                                   \
  do {                                                                                             \
    if (!(beside)) {                                                                               \
      asm volatile("griddepcontrol.wait;" ::: "memory");                                           \
    }                                                                                              \
    if (gridDim.x * gridDim.y * gridDim.z <= KVF_BLOCKS_TO_FOLLOW) {                               \
      asm volatile("griddepcontrol.launch_dependents;" ::: "memory");                              \
    }                                                                                              \
  } while (0)
#else
#define KVF_BEGIN_KERNEL(beside) ((void)(beside))
#endif
#endif
KVF_INLINE void kvf_begin_kernel(bool beside = false) { KVF_BEGIN_KERNEL(beside); }
KVF_INLINE void kvf_end_kernel(bool beside) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  if (beside) {
    asm volatile("griddepcontrol.wait;" ::: "memory");
  }
#else
  (void)beside;
#endif
}

/*
 * The same behind what makes an address, or several that are joined by or: below 2^63, as all are.
 * The compiler would have that wait, too.
 */
KVF_INLINE void kvf_begin_kernel_knowing(uint64_t addresses) {
  if (addresses >> 63 == 0) {
    kvf_begin_kernel();
  }
}

/*
 * The end of a short way through a kernel, in place of `return`, which as the assembler sees it
 * goes on to what is behind. A way that returns lies behind all others in the code, whatever
 * __builtin_expect() says, and few threads wait for instructions as long as for memory.
 */
#if defined(__CUDA_ARCH__)
#define KVF_LEAVE_KERNEL() asm volatile("exit;")
#else
#define KVF_LEAVE_KERNEL() return
#endif

/* Four codes, the first in the lowest byte. From sm_89 on the hardware's own rounding, which gives
 * the same bits as the portable codec. */
KVF_INLINE uint32_t kvf_fp8_e4m3x4_from_f32(float a, float b, float c, float d) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
  uint16_t low, high;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(low) : "f"(b), "f"(a));
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(high) : "f"(d), "f"(c));
  return low | (uint32_t)high << 16;
#else
  return (uint32_t)kvf_fp8_e4m3_from_f32(a) | (uint32_t)kvf_fp8_e4m3_from_f32(b) << 8 |
         (uint32_t)kvf_fp8_e4m3_from_f32(c) << 16 | (uint32_t)kvf_fp8_e4m3_from_f32(d) << 24;
#endif
}
KVF_INLINE uint32_t kvf_fp8_e5m2x4_from_f32(float a, float b, float c, float d) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
  uint16_t low, high;
  asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(low) : "f"(b), "f"(a));
  asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(high) : "f"(d), "f"(c));
  return low | (uint32_t)high << 16;
#else
  return (uint32_t)kvf_fp8_e5m2_from_f32(a) | (uint32_t)kvf_fp8_e5m2_from_f32(b) << 8 |
         (uint32_t)kvf_fp8_e5m2_from_f32(c) << 16 | (uint32_t)kvf_fp8_e5m2_from_f32(d) << 24;
#endif
}
/* Four integers as codes of int8, cut off, the first in the lowest byte. */
#if defined(__CUDA_ARCH__)
KVF_INLINE uint32_t kvf_int8x4_pack(int32_t a, int32_t b, int32_t c, int32_t d) {
  uint32_t codes;
  asm("cvt.pack.sat.s8.s32.b32 %0, %1, %2, 0;" : "=r"(codes) : "r"(d), "r"(c));
  asm("cvt.pack.sat.s8.s32.b32 %0, %1, %2, %0;" : "+r"(codes) : "r"(b), "r"(a));
  return codes;
}
#endif

/* The hardware's conversion makes 0 of a NaN, as the portable codec does. */
KVF_INLINE uint32_t kvf_int8x4_from_f32(float a, float b, float c, float d) {
#if defined(__CUDA_ARCH__)
  return kvf_int8x4_pack(__float2int_rn(a), __float2int_rn(b), __float2int_rn(c),
                         __float2int_rn(d));
#else
  return (kvf_int8_word_from_f32(a) & 0xFFu) | (kvf_int8_word_from_f32(b) & 0xFFu) << 8 |
         (kvf_int8_word_from_f32(c) & 0xFFu) << 16 | kvf_int8_word_from_f32(d) << 24;
#endif
}

#if defined(__CUDA_ARCH__)
KVF_INLINE int32_t kvf_round_away(float x) {
  return __float2int_rz(x + kvf_float(0x3F000000u | (kvf_bits(x) & 0x80000000u)));
}
#endif

KVF_INLINE uint32_t kvf_int8_awayx4_from_f32(float a, float b, float c, float d) {
#if defined(__CUDA_ARCH__)
  return kvf_int8x4_pack(kvf_round_away(a), kvf_round_away(b), kvf_round_away(c),
                         kvf_round_away(d));
#else
  return (kvf_int8_away_word_from_f32(a) & 0xFFu) | (kvf_int8_away_word_from_f32(b) & 0xFFu) << 8 |
         (kvf_int8_away_word_from_f32(c) & 0xFFu) << 16 | kvf_int8_away_word_from_f32(d) << 24;
#endif
}

/* The larger of a magnitude and that of x, NaNs left out. */
KVF_INLINE float kvf_larger_magnitude(float largest, float x) {
#if defined(__CUDACC__)
  return fmaxf(largest, fabsf(x));
#else /* the host's fmaxf() makes a NaN of one that signals */
  const uint32_t magnitude = kvf_magnitude(x);
  return magnitude > kvf_bits(largest) ? kvf_float(magnitude) : largest;
#endif
}

/*
 * Loads in front of it are made there: else the compiler moves one to where its value is used,
 * behind a branch that waits for another.
 */
KVF_INLINE void kvf_loads_are_made() {
#if defined(__CUDA_ARCH__)
  asm volatile("" ::: "memory");
#endif
}

/* n / divider.value, for n in [0, 2^63). */
KVF_INLINE int64_t kvf_divide(int64_t n, const kvf_divider &divider) {
  return (int64_t)(__umul64hi((uint64_t)n << 1, divider.magic) >> divider.shift);
}

/* Element i of an index array of 4- or 8-byte integers. */
KVF_INLINE int64_t kvf_index_at(const void *array, int32_t index_bytes, int64_t i) {
  return index_bytes == 8 ? static_cast<const int64_t *>(array)[i]
                          : static_cast<const int32_t *>(array)[i];
}

#endif
