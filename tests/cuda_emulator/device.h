// What makes a CUDA kernel an ordinary host function: g++ is told to include this header before a
// .cu file. It provides the part of the CUDA C++ language that kvforge kernels use, over the calls
// in collective.h; types, fp16, bf16 and fp8 come from NVIDIA's own headers.
//
// Compile with -DKVF_KERNEL=<symbol of the kernel>, which separates the __shared__ arrays of
// different kernels.
#ifndef KVF_EMULATOR_DEVICE_H
#define KVF_EMULATOR_DEVICE_H

#ifndef KVF_KERNEL
#error "compile kernels with -DKVF_KERNEL=<symbol>"
#endif

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>

#include <cuda_runtime_api.h>
#include <device_launch_parameters.h>
#include <vector_functions.h>
#include <vector_types.h>

#include "collective.h"

// ---- Declaration qualifiers ----

#undef __global__
#undef __device__
#undef __host__
#undef __shared__
#undef __constant__
#undef __launch_bounds__
#undef __grid_constant__

#define __global__
#define __device__
#define __host__
#define __constant__
#define __launch_bounds__(...)
#define __grid_constant__

// Blocks run one after another, so static storage will do. The section lets the emulator fill the
// arrays of one kernel before each of its blocks, and recognise their addresses.
#define KVF_EMULATOR_TEXT_(x) #x
#define KVF_EMULATOR_TEXT(x) KVF_EMULATOR_TEXT_(x)
#define __shared__ static __attribute__((section("kvf_shared_" KVF_EMULATOR_TEXT(KVF_KERNEL))))

// Dynamic shared memory. `extern __shared__` cannot be had with macros; kernels that need it say
//   #ifndef KVF_DYNAMIC_SHARED
//   #define KVF_DYNAMIC_SHARED(type, name) extern __shared__ type name[]
//   #endif
#define KVF_DYNAMIC_SHARED(type, name)                                                             \
  type *const name = static_cast<type *>(kvf_emulator_dynamic_shared())

// The first statement of a kernel; see kvforge/cuda_kernel.cuh.
#define KVF_BEGIN_KERNEL(beside) ((void)(beside), kvf_emulator_begin_kernel())

// ---- memcpy and its family ----
//
// g++ instruments a copy only if it became a plain load and store, as small powers of two do. All
// other copies must be checked: calls that kernels write and those that the compiler invents.
extern "C" {
void *memcpy(void *, const void *, size_t) noexcept __asm__("kvf_emulator_memcpy");
void *memmove(void *, const void *, size_t) noexcept __asm__("kvf_emulator_memmove");
void *memset(void *, int, size_t) noexcept __asm__("kvf_emulator_memset");

#define KVF_EMULATOR_INLINE inline __attribute__((always_inline, gnu_inline))
#define KVF_EMULATOR_IS_PLAIN(size)                                                                \
  (__builtin_constant_p(size) && (size) <= 16 && ((size) & ((size) - 1)) == 0)

extern KVF_EMULATOR_INLINE void *memcpy(void *to, const void *from, size_t size) noexcept {
  return KVF_EMULATOR_IS_PLAIN(size) ? __builtin_memcpy(to, from, size)
                                     : kvf_emulator_memcpy(to, from, size);
}
extern KVF_EMULATOR_INLINE void *memmove(void *to, const void *from, size_t size) noexcept {
  return kvf_emulator_memmove(to, from, size);
}
extern KVF_EMULATOR_INLINE void *memset(void *to, int value, size_t size) noexcept {
  return KVF_EMULATOR_IS_PLAIN(size) ? __builtin_memset(to, value, size)
                                     : kvf_emulator_memset(to, value, size);
}
}

#define KVF_INTRINSIC static inline __attribute__((always_inline, unused))

// ---- Barriers and fences ----

KVF_INTRINSIC void __syncthreads() { kvf_emulator_barrier(0); }
KVF_INTRINSIC int __syncthreads_count(int p) { return (int)kvf_emulator_barrier(p != 0); }
KVF_INTRINSIC int __syncthreads_or(int p) { return kvf_emulator_barrier(p != 0) != 0; }
KVF_INTRINSIC int __syncthreads_and(int p) { return kvf_emulator_barrier(p == 0) == 0; }
KVF_INTRINSIC void __syncwarp(unsigned mask = 0xFFFFFFFF) {
  kvf_emulator_collective(KVF_SYNCWARP, mask, 0, 0, warpSize);
}
KVF_INTRINSIC void __threadfence() {}
KVF_INTRINSIC void __threadfence_block() {}
KVF_INTRINSIC void __threadfence_system() {}
KVF_INTRINSIC void __nanosleep(unsigned) {}
KVF_INTRINSIC void __trap() { kvf_emulator_trap(); }

// ---- Warp intrinsics ----

template <class T> KVF_INTRINSIC unsigned long long kvf_emulator_to_bits(T value) {
  static_assert(sizeof(T) <= 8, "warp intrinsics move at most 8 bytes");
  unsigned long long bits = 0;
  __builtin_memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T> KVF_INTRINSIC T kvf_emulator_from_bits(unsigned long long bits) {
  T value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

#define KVF_SHUFFLE(name, kind, type)                                                              \
  template <class T>                                                                               \
  KVF_INTRINSIC T name(unsigned mask, T value, type operand, int width = warpSize) {               \
    return kvf_emulator_from_bits<T>(kvf_emulator_collective(                                      \
        kind, mask, kvf_emulator_to_bits(value), (unsigned)operand, width));                       \
  }
KVF_SHUFFLE(__shfl_sync, KVF_SHFL, int)
KVF_SHUFFLE(__shfl_up_sync, KVF_SHFL_UP, unsigned)
KVF_SHUFFLE(__shfl_down_sync, KVF_SHFL_DOWN, unsigned)
KVF_SHUFFLE(__shfl_xor_sync, KVF_SHFL_XOR, int)

KVF_INTRINSIC unsigned __ballot_sync(unsigned mask, int p) {
  return (unsigned)kvf_emulator_collective(KVF_BALLOT, mask, p != 0, 0, warpSize);
}
KVF_INTRINSIC int __any_sync(unsigned mask, int p) {
  return (int)kvf_emulator_collective(KVF_ANY, mask, p != 0, 0, warpSize);
}
KVF_INTRINSIC int __all_sync(unsigned mask, int p) {
  return (int)kvf_emulator_collective(KVF_ALL, mask, p != 0, 0, warpSize);
}
template <class T> KVF_INTRINSIC unsigned __match_any_sync(unsigned mask, T value) {
  return (unsigned)kvf_emulator_collective(KVF_MATCH_ANY, mask, kvf_emulator_to_bits(value), 0,
                                           warpSize);
}

#define KVF_REDUCTION(name, kind, type)                                                            \
  KVF_INTRINSIC type name(unsigned mask, type value) {                                             \
    return (type)kvf_emulator_collective(kind, mask, (unsigned)value, 0, warpSize);                \
  }
KVF_REDUCTION(__reduce_add_sync, KVF_REDUCE_ADD, unsigned)
KVF_REDUCTION(__reduce_add_sync, KVF_REDUCE_ADD, int)
KVF_REDUCTION(__reduce_min_sync, KVF_REDUCE_MIN_U32, unsigned)
KVF_REDUCTION(__reduce_min_sync, KVF_REDUCE_MIN_S32, int)
KVF_REDUCTION(__reduce_max_sync, KVF_REDUCE_MAX_U32, unsigned)
KVF_REDUCTION(__reduce_max_sync, KVF_REDUCE_MAX_S32, int)
KVF_REDUCTION(__reduce_and_sync, KVF_REDUCE_AND, unsigned)
KVF_REDUCTION(__reduce_or_sync, KVF_REDUCE_OR, unsigned)
KVF_REDUCTION(__reduce_xor_sync, KVF_REDUCE_XOR, unsigned)

// Lanes run one at a time, and a lane may truthfully say that it is the only active one.
KVF_INTRINSIC unsigned __activemask() {
  unsigned linear = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  return 1u << (linear % 32);
}

// ---- Memory ----
//
// Cache hints are plain accesses, checked like any other. So are atomics: one thread runs
// at a time.

#define KVF_LOAD(name)                                                                             \
  template <class T> KVF_INTRINSIC T name(const T *from) { return *from; }
#define KVF_STORE(name)                                                                            \
  template <class T> KVF_INTRINSIC void name(T *to, T value) { *to = value; }
KVF_LOAD(__ldg)
KVF_LOAD(__ldca)
KVF_LOAD(__ldcg)
KVF_LOAD(__ldcs)
KVF_LOAD(__ldcv)
KVF_LOAD(__ldlu)
KVF_STORE(__stwb)
KVF_STORE(__stcg)
KVF_STORE(__stcs)
KVF_STORE(__stwt)

// The value's type is not deduced, so that atomicAdd(&count_u64, 1) converts as on the device.
template <class T> struct kvf_emulator_identity {
  using type = T;
};

#define KVF_ATOMIC(name, expression)                                                               \
  template <class T>                                                                               \
  KVF_INTRINSIC T name(T *address, typename kvf_emulator_identity<T>::type value) {                \
    T old = *address;                                                                              \
    *address = expression;                                                                         \
    return old;                                                                                    \
  }                                                                                                \
  template <class T>                                                                               \
  KVF_INTRINSIC T name##_block(T *address, typename kvf_emulator_identity<T>::type value) {        \
    return name(address, value);                                                                   \
  }
KVF_ATOMIC(atomicSub, old - value)
KVF_ATOMIC(atomicExch, value)
KVF_ATOMIC(atomicMin, value < old ? value : old)
KVF_ATOMIC(atomicMax, old < value ? value : old)
KVF_ATOMIC(atomicAnd, old &value)
KVF_ATOMIC(atomicOr, old | value)
KVF_ATOMIC(atomicXor, old ^ value)

// Signed atomics wrap on the device, which is overflow in C++.
template <class T> KVF_INTRINSIC T kvf_emulator_wrapping_add(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return (T)((std::make_unsigned_t<T>)a + (std::make_unsigned_t<T>)b);
  else
    return a + b;
}
KVF_ATOMIC(atomicAdd, kvf_emulator_wrapping_add(old, value))

template <class T>
KVF_INTRINSIC T atomicCAS(T *address, typename kvf_emulator_identity<T>::type expected,
                          typename kvf_emulator_identity<T>::type value) {
  T old = *address;
  if (old == expected)
    *address = value;
  return old;
}

// ---- Integers and bits ----

KVF_INTRINSIC unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
KVF_INTRINSIC long long __mul64hi(long long a, long long b) {
  return (long long)(((__int128)a * b) >> 64);
}
KVF_INTRINSIC unsigned __umulhi(unsigned a, unsigned b) {
  return (unsigned)(((unsigned long long)a * b) >> 32);
}
KVF_INTRINSIC int __mulhi(int a, int b) { return (int)(((long long)a * b) >> 32); }
KVF_INTRINSIC int __popc(unsigned x) { return __builtin_popcount(x); }
KVF_INTRINSIC int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
KVF_INTRINSIC int __clz(int x) { return x == 0 ? 32 : __builtin_clz((unsigned)x); }
KVF_INTRINSIC int __clzll(long long x) {
  return x == 0 ? 64 : __builtin_clzll((unsigned long long)x);
}
KVF_INTRINSIC int __ffs(int x) { return __builtin_ffs(x); }
KVF_INTRINSIC int __ffsll(long long x) { return __builtin_ffsll(x); }
KVF_INTRINSIC unsigned __brev(unsigned x) {
  unsigned reversed = 0;
  for (int bit = 0; bit < 32; bit++)
    reversed |= (x >> bit & 1u) << (31 - bit);
  return reversed;
}
KVF_INTRINSIC unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)(((unsigned long long)high << 32 | low) << (shift & 31) >> 32);
}
KVF_INTRINSIC unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return (unsigned)(((unsigned long long)high << 32 | low) >> (shift & 31));
}
KVF_INTRINSIC unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  unsigned long long bytes = (unsigned long long)b << 32 | a;
  unsigned result = 0;
  for (int i = 0; i < 4; i++) {
    unsigned pick = selector >> (4 * i) & 15;
    unsigned byte = bytes >> (8 * (pick & 7)) & 255;
    if (pick & 8)
      byte = byte & 128 ? 255 : 0; // the sign bit, spread
    result |= byte << (8 * i);
  }
  return result;
}

template <class A, class B> KVF_INTRINSIC std::common_type_t<A, B> min(A a, B b) {
  std::common_type_t<A, B> x = a, y = b;
  return y < x ? y : x;
}
template <class A, class B> KVF_INTRINSIC std::common_type_t<A, B> max(A a, B b) {
  std::common_type_t<A, B> x = a, y = b;
  return x < y ? y : x;
}

// ---- Floating point ----
//
// Compile kernels with -ffp-contract=off; nvcc contracts to fma unless told --fmad=false.

KVF_INTRINSIC int __float_as_int(float x) {
  return kvf_emulator_from_bits<int>(kvf_emulator_to_bits(x));
}
KVF_INTRINSIC unsigned __float_as_uint(float x) { return (unsigned)kvf_emulator_to_bits(x); }
KVF_INTRINSIC float __int_as_float(int x) { return kvf_emulator_from_bits<float>((unsigned)x); }
KVF_INTRINSIC float __uint_as_float(unsigned x) { return kvf_emulator_from_bits<float>(x); }
KVF_INTRINSIC long long __double_as_longlong(double x) {
  return (long long)kvf_emulator_to_bits(x);
}
KVF_INTRINSIC double __longlong_as_double(long long x) {
  return kvf_emulator_from_bits<double>((unsigned long long)x);
}
KVF_INTRINSIC float __fadd_rn(float a, float b) { return a + b; }
KVF_INTRINSIC float __fsub_rn(float a, float b) { return a - b; }
KVF_INTRINSIC float __fmul_rn(float a, float b) { return a * b; }
KVF_INTRINSIC float __fdiv_rn(float a, float b) { return a / b; }
KVF_INTRINSIC float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
KVF_INTRINSIC float __frcp_rn(float a) { return 1.0f / a; }
KVF_INTRINSIC float __fsqrt_rn(float a) { return sqrtf(a); }
KVF_INTRINSIC float __fdividef(float a, float b) { return a / b; }
// Macros, because glibc has taken these names for itself.
#define __expf(x) expf(x)
#define __logf(x) logf(x)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
KVF_INTRINSIC float rsqrtf(float a) { return 1.0f / sqrtf(a); }
KVF_INTRINSIC float __frsqrt_rn(float a) { return 1.0f / sqrtf(a); }
KVF_INTRINSIC float __saturatef(float a) { return a > 0.0f ? (a < 1.0f ? a : 1.0f) : 0.0f; }

// Device conversions saturate, and turn NaN into 0, where C++ has undefined behaviour.
KVF_INTRINSIC int kvf_emulator_to_int(float x) {
  return x != x ? 0 : x >= 0x1p31f ? INT32_MAX : x < -0x1p31f ? INT32_MIN : (int)x;
}
KVF_INTRINSIC int __float2int_rn(float x) { return kvf_emulator_to_int(rintf(x)); }
KVF_INTRINSIC int __float2int_rz(float x) { return kvf_emulator_to_int(truncf(x)); }
KVF_INTRINSIC int __float2int_rd(float x) { return kvf_emulator_to_int(floorf(x)); }
KVF_INTRINSIC int __float2int_ru(float x) { return kvf_emulator_to_int(ceilf(x)); }
KVF_INTRINSIC float __int2float_rn(int x) { return (float)x; }
KVF_INTRINSIC float __uint2float_rn(unsigned x) { return (float)x; }

#endif
