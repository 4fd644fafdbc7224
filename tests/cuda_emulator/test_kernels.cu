// Kernels for the emulator's own test. Unlike generated files this one holds many, so it names the
// section of their __shared__ arrays itself, before each kernel that has some.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <stdint.h>

#include "kvforge/cuda_mma.cuh"
#include "kvforge/params.h"

// As generated kernels write it, for nvcc (see device.h)
#ifndef KVF_DYNAMIC_SHARED
#define KVF_DYNAMIC_SHARED(type, name) extern __shared__ type name[]
#endif

// to[i] = offset for i < count, as 32-bit words
extern "C" __global__ void kvf_cuda_test_fill(const kvf_test_params p) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < p.count)
    static_cast<int32_t *>(p.to)[i] = (int32_t)p.offset;
}

// mode 1: touches memory before it waits for the kernels in front; mode 2: thread 1 never waits
extern "C" __global__ void kvf_cuda_test_waits(const kvf_test_params p) {
  if (p.mode == 2 && threadIdx.x == 1)
    return;
  if (p.mode == 1)
    static_cast<int32_t *>(p.to)[threadIdx.x] = 1;
  KVF_BEGIN_KERNEL(false);
  static_cast<int32_t *>(p.to)[threadIdx.x] = 2;
}

extern "C" __global__ void kvf_cuda_test_nothing(const __grid_constant__ kvf_test_params p) {
  if (threadIdx.x > 4096)
    *p.counter = 1;
}

// Linear index of every thread, over a three-dimensional grid and block
extern "C" __global__ void __launch_bounds__(64) kvf_cuda_test_positions(const kvf_test_params p) {
  unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  unsigned size = blockDim.x * blockDim.y * blockDim.z;
  static_cast<uint32_t *>(p.to)[block * size + thread] = block << 16 | thread;
}

#undef KVF_KERNEL
#define KVF_KERNEL kvf_cuda_test_reverse_block

// Reverses 256 words through shared memory; mode 1 first checks that it starts as garbage
extern "C" __global__ void kvf_cuda_test_reverse_block(const kvf_test_params p) {
  __shared__ int32_t words[256];
  int i = threadIdx.x;
  int base = blockIdx.x * 256;
  if (words[i] != -1)
    atomicAdd(p.counter, 1);
  words[i] = static_cast<const int32_t *>(p.from)[base + i];
  __syncthreads();
  static_cast<int32_t *>(p.to)[base + i] = words[255 - i];
}

#undef KVF_KERNEL
#define KVF_KERNEL kvf_cuda_test_missing_barrier

// The same without the barrier: right for no order of threads, visibly
extern "C" __global__ void kvf_cuda_test_missing_barrier(const kvf_test_params p) {
  __shared__ int32_t words[64];
  int i = threadIdx.x;
  words[i] = i;
  if (i > 0)
    static_cast<int32_t *>(p.to)[i] = words[i - 1];
}

#undef KVF_KERNEL
#define KVF_KERNEL kvf_cuda_test_meet

// Warps 1 and 2 wait for each other and for warp 0, which goes on, to read in reverse what all have
// written. mode 1: no such barrier. mode 2: they differ about its threads. mode 3: parts of warps.
// mode 4: warp 0 stays away
extern "C" __global__ void kvf_cuda_test_meet(const kvf_test_params p) {
  __shared__ uint32_t words[96];
  const unsigned warp = threadIdx.x / 32;
  const unsigned wanted = p.mode == 2 && warp == 1 ? 64 : p.mode == 3 ? 90 : 96;
  for (int round = 0; round < 3; round++) {
    words[threadIdx.x] = threadIdx.x + round;
    if (warp > 0 || p.mode != 4)
      kvf_emulator_meet(p.mode == 1 ? 16 : 15, wanted, warp > 0);
    if (warp > 0)
      static_cast<uint32_t *>(p.to)[threadIdx.x] = words[95 - threadIdx.x];
    __syncthreads();
  }
}

#undef KVF_KERNEL
#define KVF_KERNEL kvf_cuda_test_transpose

// 32x32 transposition of bf16, several barriers per thread
extern "C" __global__ void kvf_cuda_test_transpose(const kvf_test_params p) {
  __shared__ __nv_bfloat16 tile[32][33];
  auto from = static_cast<const __nv_bfloat16 *>(p.from);
  auto to = static_cast<__nv_bfloat16 *>(p.to);
  for (int plane = 0; plane < p.count; plane++) {
    tile[threadIdx.y][threadIdx.x] = from[plane * 1024 + threadIdx.y * 32 + threadIdx.x];
    __syncthreads();
    to[plane * 1024 + threadIdx.y * 32 + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
    __syncthreads();
  }
}

// Per lane: idx, up, down, xor with width 32, then xor with width 8
extern "C" __global__ void kvf_cuda_test_shuffles(const kvf_test_params p) {
  int lane = threadIdx.x % 32;
  float *to = static_cast<float *>(p.to) + 6 * (blockIdx.x * blockDim.x + threadIdx.x);
  float value = 100.0f + threadIdx.x;
  to[0] = __shfl_sync(0xFFFFFFFF, value, 5);
  to[1] = __shfl_up_sync(0xFFFFFFFF, value, 2);
  to[2] = __shfl_down_sync(0xFFFFFFFF, value, 3);
  to[3] = __shfl_xor_sync(0xFFFFFFFF, value, 16);
  to[4] = __shfl_xor_sync(0xFFFFFFFF, value, 8, 8);
  // Half warps in different branches
  if (lane < 16)
    to[5] = __shfl_down_sync(0x0000FFFF, value, 1, 16);
  else
    to[5] = __shfl_up_sync(0xFFFF0000, value, 1, 16);
}

extern "C" __global__ void kvf_cuda_test_warp_reductions(const kvf_test_params p) {
  unsigned lane = threadIdx.x % 32;
  auto to = static_cast<uint32_t *>(p.to) + 8 * threadIdx.x;
  float largest = (float)((lane * 7) % 32);
  for (int step = 16; step > 0; step /= 2)
    largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFF, largest, step));
  to[0] = (uint32_t)largest;
  to[1] = __ballot_sync(0xFFFFFFFF, lane % 3 == 0);
  to[2] = (uint32_t)__any_sync(0xFFFFFFFF, lane == 9);
  to[3] = (uint32_t)__all_sync(0xFFFFFFFF, lane < 31);
  to[4] = __reduce_max_sync(0xFFFFFFFF, lane * 3);
  to[5] = (uint32_t)__reduce_min_sync(0xFFFFFFFF, (int)lane - 10);
  __syncwarp();
  to[6] = __reduce_add_sync(0xFFFFFFFF, lane);
  to[7] = __match_any_sync(0xFFFFFFFF, lane / 16);
}

// D = A B on a warp, A [16][16] and behind it B [16][8], f16 or (mode 1) bf16; mode 2: a lane is
// gone
extern "C" __global__ void kvf_cuda_test_mma(const kvf_test_params p) {
  auto A = static_cast<const uint16_t *>(p.from), B = A + 256;
  int g = threadIdx.x / 4, t = threadIdx.x % 4;
  uint32_t a[4], b[2];
  for (int i = 0; i < 4; i++) {
    const uint16_t *two = &A[(g + i % 2 * 8) * 16 + 2 * t + i / 2 * 8];
    a[i] = two[0] | (uint32_t)two[1] << 16;
  }
  for (int i = 0; i < 2; i++)
    b[i] = B[(2 * t + 8 * i) * 8 + g] | (uint32_t)B[(2 * t + 8 * i + 1) * 8 + g] << 16;
  float d[4] = {1.0f, 1.0f, 1.0f, 1.0f};
  if (p.mode == 2 && threadIdx.x == 7)
    return;
  if (p.mode == 1)
    kvf_mma_bf16(d, a, b);
  else
    kvf_mma_f16(d, a, b);
  for (int i = 0; i < 4; i++)
    static_cast<float *>(p.to)[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
}

extern "C" __global__ void kvf_cuda_test_atomics(const kvf_test_params p) {
  auto words = static_cast<unsigned *>(p.to);
  atomicAdd(p.counter, 1);
  atomicAdd(&words[0], 2u);
  atomicAdd(reinterpret_cast<float *>(&words[1]), 0.5f);
  atomicMax(&words[2], threadIdx.x);
  atomicAdd(reinterpret_cast<int *>(&words[3]), -1);
  if (threadIdx.x == 0)
    words[4] = (unsigned)__umul64hi(1ull << 63, 6);
}

// Thread 3 of block 1 reads (mode 0) or writes (mode 1) the byte at from/to + offset
extern "C" __global__ void kvf_cuda_test_touch(const kvf_test_params p) {
  if (blockIdx.x == 1 && threadIdx.x == 3) {
    if (p.mode == 0)
      *p.counter = static_cast<const unsigned char *>(p.from)[p.offset];
    else
      static_cast<unsigned char *>(p.to)[p.offset] = 1;
  }
}

// A 16-byte load and store; mode 1 with cache hints
extern "C" __global__ void kvf_cuda_test_copy16(const kvf_test_params p) {
  auto from = reinterpret_cast<const uint4 *>(static_cast<const char *>(p.from) + p.offset);
  auto to = static_cast<uint4 *>(p.to);
  if (p.mode == 0)
    to[threadIdx.x] = from[threadIdx.x];
  else
    __stcs(&to[threadIdx.x], __ldg(&from[threadIdx.x]));
}

// memcpy of a size the compiler knows (mode 0), does not (mode 1), memset (mode 2)
extern "C" __global__ void kvf_cuda_test_copy_bytes(const kvf_test_params p) {
  if (p.mode == 0)
    memcpy(p.to, p.from, 3);
  else if (p.mode == 1)
    memcpy(p.to, p.from, (size_t)p.count);
  else
    memset(p.to, 7, (size_t)p.count);
}

// mode 0: a lane waits for one that waits at the barrier. mode 1: intrinsics that never match.
extern "C" __global__ void kvf_cuda_test_deadlock(const kvf_test_params p) {
  if (threadIdx.x == 0)
    __syncwarp(0x3);
  else if (p.mode == 0)
    __syncthreads();
  else
    __any_sync(0x3, 1);
}

extern "C" __global__ void kvf_cuda_test_exited_lane(const kvf_test_params p) {
  if ((int)threadIdx.x == p.mode)
    return;
  *p.counter = __ballot_sync(0xFFFFFFFF, 1);
}

// Half of the threads leave before the barrier
extern "C" __global__ void kvf_cuda_test_exit_early(const kvf_test_params p) {
  auto to = static_cast<int32_t *>(p.to);
  if (threadIdx.x % 2 == 0) {
    to[threadIdx.x] = 1;
    return;
  }
  __syncthreads();
  to[threadIdx.x] = to[threadIdx.x - 1] + __syncthreads_count(threadIdx.x < 8);
}

static __constant__ const float table[4] = {1.0f, 2.0f, 4.0f, 8.0f};

static __device__ __forceinline__ float pick(const float *from, int i) { return from[i]; }

extern "C" __global__ void kvf_cuda_test_stack_and_constants(const kvf_test_params p) {
  float local[4];
  const float *source = p.mode == 0 ? table : local;
#pragma unroll
  for (int i = 0; i < 4; i++)
    local[i] = table[3 - i];
  static_cast<float *>(p.to)[threadIdx.x] = pick(source, threadIdx.x % 4);
}

extern "C" __global__ void kvf_cuda_test_dynamic_shared(const kvf_test_params p) {
  KVF_DYNAMIC_SHARED(uint32_t, words);
  words[threadIdx.x] = threadIdx.x;
  __syncthreads();
  static_cast<uint32_t *>(p.to)[threadIdx.x] = words[blockDim.x - 1 - threadIdx.x];
}

#undef KVF_KERNEL
#define KVF_KERNEL kvf_cuda_test_undefined

// Undefined behaviour of the kind `mode`
extern "C" __global__ void kvf_cuda_test_undefined(const kvf_test_params p) {
  __shared__ int32_t words[8];
  auto to = static_cast<int32_t *>(p.to);
  switch (p.mode) {
  case 0:
    to[0] = p.count + 1;
    break;
  case 1:
    to[0] = 1 << p.count;
    break;
  case 2:
    to[0] = 1 / (p.count - INT32_MAX);
    break;
  case 3:
    to[0] = words[p.count];
    break;
  case 4:
    to = reinterpret_cast<int32_t *>(p.offset);
    *to = 1;
    break;
  case 5:
    assert(p.count == 0);
    break;
  default:
    __trap();
  }
}

// f32 -> f16, bf16, e4m3, e5m2 and back, with NVIDIA's own headers
extern "C" __global__ void kvf_cuda_test_formats(const kvf_test_params p) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float x = static_cast<const float *>(p.from)[i];
  auto to = static_cast<float4 *>(p.to);
  float4 result;
  result.x = __half2float(__float2half_rn(x));
  result.y = __bfloat162float(__float2bfloat16_rn(x));
  result.z = float(__nv_fp8_e4m3(x));
  __half_raw raw =
      __nv_cvt_fp8_to_halfraw(__nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E5M2), __NV_E5M2);
  result.w = __half2float(__half(raw));
  to[i] = result;
}
