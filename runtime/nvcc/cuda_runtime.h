/*
 * What nvcc reads in front of every kernel of generated/, in place of CUDA's header of this name.
 * Of that one's 36,000 lines, the runtime's API and the C++ library, the kernels use none, and they
 * took nvcc longer than most kernels do. Here are the built-in variables, vector types, intrinsics
 * and atomics, from where CUDA's own takes them, and functions of C that nvcc knows: one that a
 * kernel lacks belongs into the list. Without this folder the same machine code comes out, later.
 */
#ifndef KVFORGE_NVCC_CUDA_RUNTIME_H
#define KVFORGE_NVCC_CUDA_RUNTIME_H

#define __CUDA_INCLUDE_COMPILER_INTERNAL_HEADERS__ /* those of crt/ ask for it */

#include <stddef.h>
#include <stdint.h>

#include "crt/host_defines.h"
#include "vector_functions.h"

#define KVF_BUILT_IN __device__ __device_builtin__ __cudart_builtin__

extern "C" {
KVF_BUILT_IN void *memcpy(void *, const void *, size_t) noexcept;
KVF_BUILT_IN void *memset(void *, int, size_t) noexcept;

KVF_BUILT_IN float ceilf(float) noexcept;
KVF_BUILT_IN float copysignf(float, float) noexcept;
KVF_BUILT_IN float cosf(float) noexcept;
KVF_BUILT_IN float erff(float) noexcept;
KVF_BUILT_IN float exp2f(float) noexcept;
KVF_BUILT_IN float expf(float) noexcept;
KVF_BUILT_IN float fabsf(float) noexcept;
KVF_BUILT_IN float floorf(float) noexcept;
KVF_BUILT_IN float fmaf(float, float, float) noexcept;
KVF_BUILT_IN float fmaxf(float, float) noexcept;
KVF_BUILT_IN float fminf(float, float) noexcept;
KVF_BUILT_IN float fmodf(float, float) noexcept;
KVF_BUILT_IN float ldexpf(float, int) noexcept;
KVF_BUILT_IN float log2f(float) noexcept;
KVF_BUILT_IN float logf(float) noexcept;
KVF_BUILT_IN float nearbyintf(float) noexcept;
KVF_BUILT_IN float powf(float, float) noexcept;
KVF_BUILT_IN float rintf(float) noexcept;
KVF_BUILT_IN float roundf(float) noexcept;
KVF_BUILT_IN float rsqrtf(float);
KVF_BUILT_IN float sinf(float) noexcept;
KVF_BUILT_IN float sqrtf(float) noexcept;
KVF_BUILT_IN float tanhf(float) noexcept;
KVF_BUILT_IN float truncf(float) noexcept;

KVF_BUILT_IN int abs(int) noexcept;
KVF_BUILT_IN int min(int, int);
KVF_BUILT_IN int max(int, int);
KVF_BUILT_IN unsigned umin(unsigned, unsigned);
KVF_BUILT_IN unsigned umax(unsigned, unsigned);
KVF_BUILT_IN long long llmin(long long, long long);
KVF_BUILT_IN long long llmax(long long, long long);
KVF_BUILT_IN unsigned long long ullmin(unsigned long long, unsigned long long);
KVF_BUILT_IN unsigned long long ullmax(unsigned long long, unsigned long long);
}

/* Of the other types, each of which is one of the same size above. */
#define KVF_LEAST_AND_LARGEST(type, of, least, largest)                                            \
  static __device__ __forceinline__ type min(type a, type b) { return (type)least((of)a, (of)b); } \
  static __device__ __forceinline__ type max(type a, type b) { return (type)largest((of)a, (of)b); }
KVF_LEAST_AND_LARGEST(unsigned, unsigned, umin, umax)
KVF_LEAST_AND_LARGEST(long, long long, llmin, llmax)
KVF_LEAST_AND_LARGEST(unsigned long, unsigned long long, ullmin, ullmax)
KVF_LEAST_AND_LARGEST(long long, long long, llmin, llmax)
KVF_LEAST_AND_LARGEST(unsigned long long, unsigned long long, ullmin, ullmax)
KVF_LEAST_AND_LARGEST(float, float, fminf, fmaxf)
#undef KVF_LEAST_AND_LARGEST
#undef KVF_BUILT_IN

/* They use the functions above. */
#include "crt/device_functions.h"
#include "device_launch_parameters.h"

#endif
