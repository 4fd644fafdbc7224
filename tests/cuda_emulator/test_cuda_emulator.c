/* The emulator's own test: that kernels compute what they should, and above all that every kind of
 * mistake which the emulator exists to find is found. Run with the path of the shared object that
 * holds test_kernels.cu; it is opened as the runtime opens libcuda. */
#include <CUnit/Basic.h>
#include <cuda.h>
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kvf_emulator.h"
#include "kvforge/params.h"

/* ---- The driver under test ---- */

#define EACH_FUNCTION(X)                                                                           \
  X(cuInit)                                                                                        \
  X(cuDriverGetVersion)                                                                            \
  X(cuGetErrorName)                                                                                \
  X(cuGetErrorString)                                                                              \
  X(cuDeviceGetCount)                                                                              \
  X(cuDeviceGet)                                                                                   \
  X(cuDeviceGetName)                                                                               \
  X(cuDeviceGetAttribute)                                                                          \
  X(cuDevicePrimaryCtxRetain)                                                                      \
  X(cuDevicePrimaryCtxRelease)                                                                     \
  X(cuDevicePrimaryCtxGetState)                                                                    \
  X(cuCtxCreate)                                                                                   \
  X(cuCtxDestroy)                                                                                  \
  X(cuCtxGetCurrent)                                                                               \
  X(cuCtxSetCurrent)                                                                               \
  X(cuCtxPushCurrent)                                                                              \
  X(cuCtxPopCurrent)                                                                               \
  X(cuCtxGetDevice)                                                                                \
  X(cuCtxGetId)                                                                                    \
  X(cuCtxSynchronize)                                                                              \
  X(cuMemAlloc)                                                                                    \
  X(cuMemFree)                                                                                     \
  X(cuMemHostAlloc)                                                                                \
  X(cuMemFreeHost)                                                                                 \
  X(cuMemHostGetDevicePointer)                                                                     \
  X(cuPointerGetAttribute)                                                                         \
  X(cuMemcpyHtoD)                                                                                  \
  X(cuMemcpyDtoH)                                                                                  \
  X(cuMemcpyDtoD)                                                                                  \
  X(cuMemcpyAsync)                                                                                 \
  X(cuMemcpyHtoDAsync)                                                                             \
  X(cuMemcpyDtoHAsync)                                                                             \
  X(cuMemcpyDtoDAsync)                                                                             \
  X(cuMemcpyBatchAsync)                                                                            \
  X(cuMemsetD8)                                                                                    \
  X(cuMemsetD8Async)                                                                               \
  X(cuStreamCreate)                                                                                \
  X(cuStreamDestroy)                                                                               \
  X(cuStreamSynchronize)                                                                           \
  X(cuStreamQuery)                                                                                 \
  X(cuStreamWaitEvent)                                                                             \
  X(cuStreamIsCapturing)                                                                           \
  X(cuStreamGetCtx)                                                                                \
  X(cuThreadExchangeStreamCaptureMode)                                                             \
  X(cuEventCreate)                                                                                 \
  X(cuEventRecord)                                                                                 \
  X(cuEventQuery)                                                                                  \
  X(cuEventSynchronize)                                                                            \
  X(cuEventElapsedTime)                                                                            \
  X(cuEventDestroy)                                                                                \
  X(cuLibraryLoadData)                                                                             \
  X(cuLibraryUnload)                                                                               \
  X(cuLibraryGetKernel)                                                                            \
  X(cuKernelGetFunction)                                                                           \
  X(cuKernelSetAttribute)                                                                          \
  X(cuKernelGetAttribute)                                                                          \
  X(cuFuncSetAttribute)                                                                            \
  X(cuFuncGetAttribute)                                                                            \
  X(cuLaunchKernel)                                                                                \
  X(cuLaunchKernelEx)

/* `#name` is the API's name, while __typeof__ sees what cuda.h's macros make of it. */
#define MEMBER(name) __typeof__(name) *p_##name;
static struct {
  EACH_FUNCTION(MEMBER)
} cu;

static const char *(*last_fault)(void);
static void (*reset)(void);
static void (*fail)(const char *function, unsigned skip, unsigned count, int code);
static unsigned (*failures)(void);
static void (*count_all)(kvf_emulator_counts *counts);
static void (*capture)(void *stream, int captured);

static CUcontext contexts[2];
static CUlibrary library;
static CUstream no_stream = NULL;

static const uint32_t image[4] = {0xBA55ED50};

#define OK(call) CU_ASSERT_EQUAL((call), CUDA_SUCCESS)
#define FAILS(call, error) CU_ASSERT_EQUAL((call), error)

static void assert_says(const char *part) {
  bool found = strstr(last_fault(), part) != NULL;
  if (!found)
    fprintf(stderr, "\n    expected \"%s\" in \"%s\"\n", part, last_fault());
  CU_ASSERT(found);
}

/* ---- Helpers ---- */

static CUdeviceptr device_memory(size_t size) {
  CUdeviceptr address = 0;
  OK(cu.p_cuMemAlloc(&address, size));
  return address;
}

static CUdeviceptr device_copy(const void *from, size_t size) {
  CUdeviceptr address = device_memory(size);
  OK(cu.p_cuMemcpyHtoD(address, from, size));
  return address;
}

static CUfunction find(const char *name) {
  char symbol[100];
  CUkernel kernel = NULL;
  snprintf(symbol, sizeof symbol, "kvf_cuda_test_%s", name);
  OK(cu.p_cuLibraryGetKernel(&kernel, library, symbol));
  return (CUfunction)kernel;
}

static CUresult launch_on(CUstream stream, const char *name, unsigned grid, unsigned block,
                          kvf_test_params p) {
  void *params[] = {&p};
  CUresult result =
      cu.p_cuLaunchKernel(find(name), grid, 1, 1, block, 1, 1, 0, stream, params, NULL);
  memset(&p, 0xEE, sizeof p); /* a launch copies its parameters */
  return result;
}

static CUresult run(const char *name, unsigned grid, unsigned block, kvf_test_params p) {
  CUresult result = launch_on(NULL, name, grid, block, p);
  return result != CUDA_SUCCESS ? result : cu.p_cuCtxSynchronize();
}

static void fill_on(CUstream stream, CUdeviceptr to, int count, int value) {
  OK(launch_on(stream, "fill", 1, (unsigned)count,
               (kvf_test_params){.to = (void *)to, .count = count, .offset = value}));
}

static int first_word(CUdeviceptr from) {
  int word = 0;
  OK(cu.p_cuMemcpyDtoH(&word, from, sizeof word));
  return word;
}

/* ---- Results ---- */

static const char *const orders[] = {"forward", "reverse", "random"};

static void each_order(void (*test)(void)) {
  for (int i = 0; i < 3; i++) {
    setenv("KVF_EMULATOR_ORDER", orders[i], 1);
    test();
  }
  unsetenv("KVF_EMULATOR_ORDER");
}

static void check_reverse_block(void) {
  enum { BLOCKS = 3, N = BLOCKS * 256 };
  int from[N], to[N];
  unsigned long long dirty = 0;
  for (int i = 0; i < N; i++)
    from[i] = i * 3;
  CUdeviceptr a = device_copy(from, sizeof from), b = device_memory(sizeof to);
  CUdeviceptr c = device_copy(&dirty, sizeof dirty);
  OK(run("reverse_block", BLOCKS, 256,
         (kvf_test_params){.to = (void *)b, .from = (void *)a, .counter = (void *)c}));
  OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
  OK(cu.p_cuMemcpyDtoH(&dirty, c, sizeof dirty));
  int wrong = 0;
  for (int i = 0; i < N; i++)
    wrong += to[i] != (i / 256 * 256 + 255 - i % 256) * 3;
  CU_ASSERT_EQUAL(wrong, 0);
  CU_ASSERT_EQUAL(dirty, 0); /* shared memory was filled anew before every block */
  OK(cu.p_cuMemFree(a));
  OK(cu.p_cuMemFree(b));
  OK(cu.p_cuMemFree(c));
}

static void test_barrier(void) { each_order(check_reverse_block); }

static void check_transpose(void) {
  enum { PLANES = 3, N = PLANES * 1024 };
  static uint16_t from[N], to[N];
  for (int i = 0; i < N; i++)
    from[i] = (uint16_t)(i * 5);
  CUdeviceptr a = device_copy(from, sizeof from), b = device_memory(sizeof to);
  kvf_test_params p = {.to = (void *)b, .from = (void *)a, .count = PLANES};
  void *params[] = {&p};
  OK(cu.p_cuLaunchKernel(find("transpose"), 2, 1, 1, 32, 32, 1, 0, NULL, params, NULL));
  OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
  int wrong = 0;
  for (int i = 0; i < N; i++)
    wrong += to[i] != from[i / 1024 * 1024 + i % 32 * 32 + i / 32 % 32];
  CU_ASSERT_EQUAL(wrong, 0);
  OK(cu.p_cuMemFree(a));
  OK(cu.p_cuMemFree(b));
}

static void test_shared_transposition(void) { each_order(check_transpose); }

static void check_shuffles(void) {
  enum { N = 96 };
  float to[N][6];
  CUdeviceptr b = device_memory(sizeof to);
  OK(run("shuffles", 1, N, (kvf_test_params){.to = (void *)b}));
  OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
  int wrong = 0;
  for (int i = 0; i < N; i++) {
    int lane = i % 32, warp = i - lane;
    int expected[6] = {warp + 5,
                       lane < 2 ? i : i - 2,
                       lane > 28 ? i : i + 3,
                       i ^ 16,
                       (lane ^ 8) < lane ? i ^ 8 : i,
                       lane == 15 || lane == 16 ? i : (lane < 16 ? i + 1 : i - 1)};
    for (int k = 0; k < 6; k++)
      wrong += to[i][k] != 100.0f + (float)expected[k];
  }
  CU_ASSERT_EQUAL(wrong, 0);
  OK(cu.p_cuMemFree(b));
}

static void check_warp_reductions(void) {
  uint32_t to[64][8];
  CUdeviceptr b = device_memory(sizeof to);
  OK(run("warp_reductions", 1, 64, (kvf_test_params){.to = (void *)b}));
  OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
  int wrong = 0;
  for (int i = 0; i < 64; i++) {
    uint32_t expected[8] = {31, 0x49249249,    1,   0,
                            93, (uint32_t)-10, 496, i % 32 < 16 ? 0x0000FFFF : 0xFFFF0000};
    wrong += memcmp(to[i], expected, sizeof expected) != 0;
  }
  CU_ASSERT_EQUAL(wrong, 0);
  OK(cu.p_cuMemFree(b));
}

/* Small integers, which f16 and bf16 hold: the sums are exact. */
static void check_mma(void) {
  for (int mode = 0; mode < 2; mode++) {
    int values[384];
    uint16_t bits[384];
    float to[16][8];
    for (int i = 0; i < 384; i++) {
      const float value = (float)(values[i] = i * 7 % 31 - 15);
      uint32_t word;
      memcpy(&word, &value, sizeof word);
      const uint32_t f16 =
          (word >> 31 << 15) | (((word >> 23 & 255) - 112) << 10) | (word >> 13 & 1023);
      bits[i] = mode == 1 ? word >> 16 : value == 0.0f ? 0 : f16;
    }
    CUdeviceptr from = device_copy(bits, sizeof bits), b = device_memory(sizeof to);
    OK(run("mma", 1, 32, (kvf_test_params){.to = (void *)b, .from = (void *)from, .mode = mode}));
    OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
    int wrong = 0;
    for (int i = 0; i < 16; i++) {
      for (int j = 0; j < 8; j++) {
        int sum = 1;
        for (int k = 0; k < 16; k++)
          sum += values[i * 16 + k] * values[256 + k * 8 + j];
        wrong += to[i][j] != (float)sum;
      }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    OK(cu.p_cuMemFree(from));
    OK(cu.p_cuMemFree(b));
  }
}

static void test_warp_intrinsics(void) {
  each_order(check_shuffles);
  each_order(check_warp_reductions);
  each_order(check_mma);
}

static void test_atomics(void) {
  unsigned words[5] = {0};
  unsigned long long counter = 0;
  CUdeviceptr b = device_copy(words, sizeof words), c = device_copy(&counter, sizeof counter);
  OK(run("atomics", 10, 100, (kvf_test_params){.to = (void *)b, .counter = (void *)c}));
  OK(cu.p_cuMemcpyDtoH(words, b, sizeof words));
  OK(cu.p_cuMemcpyDtoH(&counter, c, sizeof counter));
  float half_sum;
  memcpy(&half_sum, &words[1], sizeof half_sum);
  CU_ASSERT_EQUAL(counter, 1000);
  CU_ASSERT_EQUAL(words[0], 2000);
  CU_ASSERT_EQUAL(half_sum, 500.0f);
  CU_ASSERT_EQUAL(words[2], 99);
  CU_ASSERT_EQUAL((int)words[3], -1000);
  CU_ASSERT_EQUAL(words[4], 3);
  OK(cu.p_cuMemFree(b));
  OK(cu.p_cuMemFree(c));
}

static void check_positions(void) {
  enum { BLOCKS = 2 * 3 * 2, THREADS = 4 * 2 * 3 };
  uint32_t to[BLOCKS * THREADS];
  CUdeviceptr b = device_memory(sizeof to);
  kvf_test_params p = {.to = (void *)b};
  size_t size = sizeof p;
  void *extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &p, CU_LAUNCH_PARAM_BUFFER_SIZE, &size,
                   CU_LAUNCH_PARAM_END};
  OK(cu.p_cuLaunchKernel(find("positions"), 2, 3, 2, 4, 2, 3, 0, NULL, NULL, extra));
  OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
  int wrong = 0;
  for (unsigned i = 0; i < BLOCKS * THREADS; i++)
    wrong += to[i] != (i / THREADS << 16 | i % THREADS);
  CU_ASSERT_EQUAL(wrong, 0);
  OK(cu.p_cuMemFree(b));
}

static void test_positions(void) { each_order(check_positions); }

static void test_early_exit(void) {
  int to[64];
  CUdeviceptr b = device_memory(sizeof to);
  OK(run("exit_early", 1, 64, (kvf_test_params){.to = (void *)b}));
  OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
  CU_ASSERT_EQUAL(to[62], 1);
  CU_ASSERT_EQUAL(to[63], 1 + 4); /* 1, 3, 5 and 7 are below 8 and still there */
  OK(cu.p_cuMemFree(b));
}

static void test_stack_and_constants(void) {
  float to[8];
  CUdeviceptr b = device_memory(sizeof to);
  for (int mode = 0; mode < 2; mode++) {
    OK(run("stack_and_constants", 1, 8, (kvf_test_params){.to = (void *)b, .mode = mode}));
    OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
    CU_ASSERT_EQUAL(to[5], mode == 0 ? 2.0f : 4.0f);
  }
  OK(cu.p_cuMemFree(b));
}

static void test_formats(void) {
  const float from[6] = {1.0f, 0.3f, -500.0f, 1e6f, 1e-7f, -0.0f};
  const float expected[6][4] = {
      {1.0f, 1.0f, 1.0f, 1.0f},
      {0.300048828125f, 0.30078125f, 0.3125f, 0.3125f},
      {-500.0f, -500.0f, -448.0f, -512.0f},
      {HUGE_VALF, 999424.0f, 448.0f, 57344.0f},
      {0x1p-23f, 0x1.aep-24f, 0.0f, 0.0f},
      {-0.0f, -0.0f, -0.0f, -0.0f},
  };
  float to[6][4];
  CUdeviceptr a = device_copy(from, sizeof from), b = device_memory(sizeof to);
  OK(run("formats", 1, 6, (kvf_test_params){.to = (void *)b, .from = (void *)a}));
  OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
  for (int i = 0; i < 6; i++)
    for (int k = 0; k < 4; k++)
      if (to[i][k] != expected[i][k]) {
        fprintf(stderr, "\n    %g as format %d is %a, not %a\n", (double)from[i], k,
                (double)to[i][k], (double)expected[i][k]);
        CU_FAIL("format");
      }
  OK(cu.p_cuMemFree(a));
  OK(cu.p_cuMemFree(b));

  /* NVIDIA's headers are instrumented like kernels: no value may trip the sanitizers in there. */
  enum { ALL = 1 << 16 };
  static uint32_t every[ALL];
  for (uint32_t i = 0; i < ALL; i++)
    every[i] = i << 16 | (i & 0xFF);
  a = device_copy(every, sizeof every);
  b = device_memory(ALL * sizeof to[0]);
  OK(run("formats", ALL / 256, 256, (kvf_test_params){.to = (void *)b, .from = (void *)a}));
  CU_ASSERT_STRING_EQUAL(last_fault(), "");
  OK(cu.p_cuMemFree(a));
  OK(cu.p_cuMemFree(b));
}

static void test_dynamic_shared(void) {
  uint32_t to[64];
  CUdeviceptr b = device_memory(sizeof to);
  kvf_test_params p = {.to = (void *)b};
  void *params[] = {&p};
  CUfunction f = find("dynamic_shared");
  OK(cu.p_cuLaunchKernel(f, 1, 1, 1, 64, 1, 1, sizeof to, NULL, params, NULL));
  OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
  CU_ASSERT_EQUAL(to[0], 63);
  /* more needs permission */
  FAILS(cu.p_cuLaunchKernel(f, 1, 1, 1, 64, 1, 1, 50000, NULL, params, NULL),
        CUDA_ERROR_INVALID_VALUE);
  OK(cu.p_cuFuncSetAttribute(f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 50000));
  OK(cu.p_cuLaunchKernel(f, 1, 1, 1, 64, 1, 1, 50000, NULL, params, NULL));
  OK(cu.p_cuCtxSynchronize());
  /* one word too few */
  OK(cu.p_cuLaunchKernel(f, 1, 1, 1, 64, 1, 1, sizeof to - 4, NULL, params, NULL));
  FAILS(cu.p_cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  assert_says("thread (63,0,0)");
  reset();
  OK(cu.p_cuMemFree(b));
}

/* ---- Faults ---- */

static void test_out_of_bounds(void) {
  enum { SIZE = 1000 };
  CUdeviceptr a = device_memory(SIZE), c = device_memory(8);
  const struct {
    int mode;
    int64_t offset;
    const char *sentence;
  } cases[] = {
      {0, SIZE, "read of 1 byte(s) at"},
      {0, SIZE, "0 byte(s) behind the end of the allocation of 1000 bytes"},
      {0, -1, "1 byte(s) before the allocation of 1000 bytes"},
      {1, SIZE, "write of 1 byte(s) at"},
      {1, -1, "in memory of device 0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    kvf_test_params p = {.to = (void *)a,
                         .from = (void *)a,
                         .counter = (void *)c,
                         .mode = cases[i].mode,
                         .offset = cases[i].offset};
    FAILS(run("touch", 2, 8, p), CUDA_ERROR_ILLEGAL_ADDRESS);
    assert_says("kvf_cuda_test_touch: thread (3,0,0) of block (1,0,0) on device 0");
    assert_says(cases[i].sentence);
    reset();
    CU_ASSERT_STRING_EQUAL(last_fault(), "");
    p.offset = cases[i].offset < 0 ? 0 : SIZE - 1;
    OK(run("touch", 2, 8, p));
  }
  OK(cu.p_cuMemFree(a));
  /* stale pointer */
  kvf_test_params p = {.from = (void *)a, .counter = (void *)c};
  FAILS(run("touch", 2, 8, p), CUDA_ERROR_ILLEGAL_ADDRESS);
  assert_says("freed allocation");
  reset();
  OK(cu.p_cuMemFree(c));
}

static void test_copies_are_checked(void) {
  CUdeviceptr a = device_memory(32), b = device_memory(20);
  kvf_test_params p = {.to = (void *)b, .from = (void *)a};
  OK(run("copy_bytes", 1, 1, p));
  p.to = (char *)p.to + 18;
  FAILS(run("copy_bytes", 1, 1, p), CUDA_ERROR_ILLEGAL_ADDRESS);
  assert_says("write of 3 byte(s)");
  assert_says("at offset 18, 1 byte(s) too long for the allocation of 20 bytes");
  reset();
  p = (kvf_test_params){.to = (void *)b, .from = (void *)a, .count = 20, .mode = 1};
  OK(run("copy_bytes", 1, 1, p));
  p.count = 21;
  FAILS(run("copy_bytes", 1, 1, p), CUDA_ERROR_ILLEGAL_ADDRESS);
  reset();
  p.mode = 2;
  FAILS(run("copy_bytes", 1, 1, p), CUDA_ERROR_ILLEGAL_ADDRESS);
  reset();
  OK(cu.p_cuMemFree(a));
  OK(cu.p_cuMemFree(b));
}

static void test_host_pointer(void) {
  static char ordinary[64];
  CUdeviceptr c = device_memory(8);
  kvf_test_params p = {.from = ordinary, .counter = (void *)c};
  FAILS(run("touch", 2, 8, p), CUDA_ERROR_ILLEGAL_ADDRESS);
  assert_says("ordinary host memory");
  reset();
  p.from = NULL;
  p.offset = 4;
  FAILS(run("touch", 2, 8, p), CUDA_ERROR_ILLEGAL_ADDRESS);
  assert_says("null pointer");
  reset();

  void *pinned = NULL;
  OK(cu.p_cuMemHostAlloc(&pinned, 64, CU_MEMHOSTALLOC_PORTABLE));
  memset(pinned, 5, 64);
  CUdeviceptr seen = 0;
  OK(cu.p_cuMemHostGetDevicePointer(&seen, pinned, 0));
  OK(run("touch", 2, 8, (kvf_test_params){.from = (void *)seen, .counter = (void *)c}));
  CU_ASSERT_EQUAL(first_word(c), 5);
  OK(cu.p_cuMemFreeHost(pinned));
  OK(cu.p_cuMemFree(c));
}

static void test_other_device(void) {
  CUdeviceptr c = device_memory(8), word = device_memory(4);
  OK(cu.p_cuCtxPushCurrent(contexts[1]));
  CUdeviceptr other = device_memory(64);
  OK(cu.p_cuMemsetD8(other, 9, 64));
  OK(cu.p_cuCtxPopCurrent(NULL));

  /* The context that owns the memory goes on, the one whose kernel faulted does not. */
  FAILS(run("touch", 2, 8, (kvf_test_params){.from = (void *)other, .counter = (void *)c}),
        CUDA_ERROR_ILLEGAL_ADDRESS);
  assert_says("on device 0");
  assert_says("in memory of device 1");
  FAILS(cu.p_cuMemcpyDtoH(&(int){0}, c, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
  OK(cu.p_cuCtxPushCurrent(contexts[1]));
  CU_ASSERT_EQUAL(first_word(other), 0x09090909);
  OK(cu.p_cuCtxPopCurrent(NULL));
  reset();

  /* Copies between devices are fine. */
  OK(cu.p_cuMemcpyDtoD(word, other, 4));
  OK(cu.p_cuCtxPushCurrent(contexts[1]));
  OK(cu.p_cuMemFree(other));
  OK(cu.p_cuCtxPopCurrent(NULL));
  CU_ASSERT_EQUAL(first_word(word), 0x09090909);
  OK(cu.p_cuMemFree(c));
  OK(cu.p_cuMemFree(word));
}

static void test_misaligned(void) {
  CUdeviceptr a = device_memory(256), b = device_memory(256);
  for (int mode = 0; mode < 2; mode++) {
    kvf_test_params p = {.to = (void *)b, .from = (void *)a, .mode = mode, .offset = 16};
    OK(run("copy16", 1, 8, p));
    p.offset = 8;
    FAILS(run("copy16", 1, 8, p), CUDA_ERROR_MISALIGNED_ADDRESS);
    assert_says("which needs 16 bytes alignment");
    reset();
  }
  OK(cu.p_cuMemFree(a));
  OK(cu.p_cuMemFree(b));
}

static void test_undefined_behaviour(void) {
  CUdeviceptr b = device_memory(64);
  const struct {
    int mode, count;
    CUresult result;
    const char *sentence;
  } cases[] = {
      {0, INT32_MAX, CUDA_ERROR_LAUNCH_FAILED, "signed integer overflow in an addition"},
      {1, 32, CUDA_ERROR_LAUNCH_FAILED, "shift amount"},
      {2, INT32_MAX, CUDA_ERROR_LAUNCH_FAILED, "division by zero"},
      {3, 8, CUDA_ERROR_LAUNCH_FAILED, "array index out of bounds"},
      {4, 0, CUDA_ERROR_ILLEGAL_ADDRESS, "null pointer"},
      {5, 1, CUDA_ERROR_ASSERT, "assertion `p.count == 0`"},
      {6, 0, CUDA_ERROR_LAUNCH_FAILED, "__trap()"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    kvf_test_params p = {.to = (void *)b, .mode = cases[i].mode, .count = cases[i].count};
    FAILS(run("undefined", 1, 1, p), cases[i].result);
    assert_says(cases[i].sentence);
    if (cases[i].mode < 6)
      assert_says("test_kernels.cu:");
    reset();
  }
  OK(cu.p_cuMemFree(b));
}

static void test_missing_barrier(void) {
  int to[64];
  CUdeviceptr b = device_memory(sizeof to);
  kvf_test_params p = {.to = (void *)b};
  for (int i = 0; i < 2; i++) {
    setenv("KVF_EMULATOR_ORDER", orders[i], 1);
    OK(run("missing_barrier", 1, 64, p));
    OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
    CU_ASSERT_EQUAL(to[10], i == 0 ? 9 : -1); /* reverse order shows the mistake */
  }
  unsetenv("KVF_EMULATOR_ORDER");
  OK(cu.p_cuMemFree(b));
}

static void test_deadlock(void) {
  FAILS(run("deadlock", 1, 64, (kvf_test_params){.mode = 0}), CUDA_ERROR_LAUNCH_TIMEOUT);
  assert_says("deadlock");
  assert_says("thread (0,0,0)");
  assert_says("__syncwarp");
  reset();
  FAILS(run("deadlock", 1, 2, (kvf_test_params){.mode = 1}), CUDA_ERROR_LAUNCH_FAILED);
  assert_says("cannot meet lane");
  reset();
}

static void check_meeting(void) {
  uint32_t to[96];
  CUdeviceptr b = device_memory(sizeof to);
  OK(run("meet", 1, 96, (kvf_test_params){.to = (void *)b}));
  OK(cu.p_cuMemcpyDtoH(to, b, sizeof to));
  for (uint32_t i = 32; i < 96; i++)
    CU_ASSERT_EQUAL(to[i], 95 - i + 2);
  static const struct {
    CUresult result;
    const char *says;
  } faults[] = {{CUDA_ERROR_LAUNCH_FAILED, "barrier 16 of 96 threads: want one of 1 to 15"},
                {CUDA_ERROR_LAUNCH_FAILED, "barrier 15"},
                {CUDA_ERROR_LAUNCH_FAILED, "barrier 15 of 90 threads"},
                {CUDA_ERROR_LAUNCH_TIMEOUT, "waits at barrier 15, where 64 of 96 threads are"}};
  for (int i = 0; i < 4; i++) {
    FAILS(run("meet", 1, 96, (kvf_test_params){.mode = i + 1, .to = (void *)b}), faults[i].result);
    assert_says(faults[i].says);
    reset();
  }
  OK(cu.p_cuMemFree(b));
}

static void test_meeting(void) { each_order(check_meeting); }

static void check_exited_lane(void) {
  CUdeviceptr c = device_memory(8);
  for (int lane = 0; lane < 32; lane += 31) {
    FAILS(run("exited_lane", 1, 32, (kvf_test_params){.mode = lane, .counter = (void *)c}),
          CUDA_ERROR_LAUNCH_FAILED);
    assert_says("which has exited");
    reset();
  }
  CUdeviceptr operands = device_memory(768);
  FAILS(run("mma", 1, 32, (kvf_test_params){.mode = 2, .from = (void *)operands}),
        CUDA_ERROR_LAUNCH_FAILED);
  assert_says("which has exited");
  reset();
  OK(cu.p_cuMemFree(operands));
  OK(run("exited_lane", 1, 32, (kvf_test_params){.mode = -1, .counter = (void *)c}));
  FAILS(run("exited_lane", 1, 16, (kvf_test_params){.mode = -1, .counter = (void *)c}),
        CUDA_ERROR_LAUNCH_FAILED);
  assert_says("which does not exist");
  reset();
  OK(cu.p_cuMemFree(c));
}

static void test_exited_lane(void) { each_order(check_exited_lane); }

static void test_fault_is_sticky(void) {
  CUdeviceptr a = device_memory(16), other = 0;
  CUstream stream;
  CUevent event;
  OK(cu.p_cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  OK(cu.p_cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
  OK(cu.p_cuMemsetD8(a, 0, 16));
  OK(cu.p_cuCtxSynchronize());
  OK(launch_on(stream, "touch", 2, 8, (kvf_test_params){.from = (void *)8}));
  fill_on(stream, a, 4, 1); /* still accepted, but it will never run */
  OK(cu.p_cuEventRecord(event, stream));
  FAILS(cu.p_cuEventSynchronize(event), CUDA_ERROR_ILLEGAL_ADDRESS);
  FAILS(cu.p_cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  FAILS(cu.p_cuStreamQuery(stream), CUDA_ERROR_ILLEGAL_ADDRESS);
  FAILS(cu.p_cuMemAlloc(&other, 8), CUDA_ERROR_ILLEGAL_ADDRESS);
  FAILS(launch_on(NULL, "nothing", 1, 1, (kvf_test_params){0}), CUDA_ERROR_ILLEGAL_ADDRESS);
  reset();
  CU_ASSERT_EQUAL(first_word(a), 0);
  OK(cu.p_cuEventDestroy(event));
  OK(cu.p_cuStreamDestroy(stream));
  OK(cu.p_cuMemFree(a));
}

/* ---- Order of work ---- */

static void test_asynchrony(void) {
  CUdeviceptr a = device_memory(64);
  CUstream stream;
  OK(cu.p_cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  OK(cu.p_cuMemsetD8(a, 0, 64));
  OK(cu.p_cuCtxSynchronize());

  /* The NULL stream's copy does not wait for a non-blocking stream. */
  fill_on(stream, a, 16, 77);
  CU_ASSERT_EQUAL(first_word(a), 0);
  FAILS(cu.p_cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
  OK(cu.p_cuStreamQuery(stream)); /* polling makes progress */
  CU_ASSERT_EQUAL(first_word(a), 77);

  /* Pinned memory is read and written late, other host memory now. */
  int *pinned = NULL, ordinary = 1;
  OK(cu.p_cuMemHostAlloc((void **)&pinned, 8, 0));
  pinned[0] = 1;
  pinned[1] = 1;
  OK(cu.p_cuMemcpyHtoDAsync(a, &pinned[0], 4, stream));
  OK(cu.p_cuMemcpyHtoDAsync(a + 4, &ordinary, 4, stream));
  pinned[0] = ordinary = 2;
  OK(cu.p_cuMemcpyDtoHAsync(&pinned[1], a + 4, 4, stream));
  CU_ASSERT_EQUAL(pinned[1], 1);
  fill_on(stream, a + 8, 1, 3);
  OK(cu.p_cuMemcpyDtoHAsync(&ordinary, a + 8, 4, stream));
  CU_ASSERT_EQUAL(ordinary, 3);
  CU_ASSERT_EQUAL(first_word(a), 2);
  CU_ASSERT_EQUAL(first_word(a + 4), 1);
  CU_ASSERT_EQUAL(pinned[1], 1);

  /* Freeing memory waits for the work that uses it. */
  fill_on(stream, a, 16, 5);
  OK(cu.p_cuMemFree(a));
  OK(cu.p_cuStreamSynchronize(stream));
  OK(cu.p_cuMemFreeHost(pinned));
  OK(cu.p_cuStreamDestroy(stream));
}

static void test_legacy_stream(void) {
  CUdeviceptr a = device_memory(4);
  CUstream blocking, other, free_running;
  OK(cu.p_cuStreamCreate(&blocking, CU_STREAM_DEFAULT));
  OK(cu.p_cuStreamCreate(&other, CU_STREAM_DEFAULT));
  OK(cu.p_cuStreamCreate(&free_running, CU_STREAM_NON_BLOCKING));

  /* The NULL stream waits for blocking streams ... */
  fill_on(blocking, a, 1, 1);
  CU_ASSERT_EQUAL(first_word(a), 1);

  /* ... and they for it, even through it for each other. */
  fill_on(blocking, a, 1, 2);
  fill_on(NULL, a, 1, 3);
  fill_on(other, a, 1, 4);
  fill_on(blocking, a, 1, 5);
  OK(cu.p_cuStreamSynchronize(other));
  int word = 0;
  OK(cu.p_cuMemcpyDtoHAsync(&word, a, 4, free_running));
  CU_ASSERT_EQUAL(word, 4);
  CU_ASSERT_EQUAL(first_word(a), 5);

  /* Not so a non-blocking stream. */
  fill_on(NULL, a, 1, 6);
  OK(cu.p_cuMemcpyDtoHAsync(&word, a, 4, free_running));
  CU_ASSERT_EQUAL(word, 5);
  CU_ASSERT_EQUAL(first_word(a), 6);

  /* A copy within the device does not make the host wait. */
  OK(cu.p_cuMemcpyDtoD(a, a, 4));
  OK(cu.p_cuMemsetD8(a, 0, 4));
  OK(cu.p_cuMemcpyDtoHAsync(&word, a, 4, free_running));
  CU_ASSERT_EQUAL(word, 6);
  FAILS(cu.p_cuStreamQuery(CU_STREAM_LEGACY), CUDA_ERROR_NOT_READY);
  CU_ASSERT_EQUAL(first_word(a), 0);

  OK(cu.p_cuStreamDestroy(blocking));
  OK(cu.p_cuStreamDestroy(other));
  OK(cu.p_cuStreamDestroy(free_running));
  OK(cu.p_cuMemFree(a));
}

static void test_events(void) {
  CUdeviceptr a = device_memory(4), b = device_memory(4);
  CUstream first, second;
  CUevent event, end;
  OK(cu.p_cuStreamCreate(&first, CU_STREAM_NON_BLOCKING));
  OK(cu.p_cuStreamCreate(&second, CU_STREAM_NON_BLOCKING));
  OK(cu.p_cuEventCreate(&event, CU_EVENT_DEFAULT));
  OK(cu.p_cuEventCreate(&end, CU_EVENT_DEFAULT));
  OK(cu.p_cuEventQuery(event));
  OK(cu.p_cuEventSynchronize(event));

  /* Without an event the streams do not wait for each other. */
  OK(cu.p_cuMemsetD8(a, 0, 4));
  OK(cu.p_cuCtxSynchronize());
  fill_on(first, a, 1, 1);
  OK(cu.p_cuMemcpyDtoDAsync(b, a, 4, second));
  OK(cu.p_cuStreamSynchronize(second));
  CU_ASSERT_EQUAL(first_word(b), 0);

  /* The wait covers what was recorded, not what came later. */
  fill_on(first, a, 1, 2);
  OK(cu.p_cuEventRecord(event, first));
  fill_on(first, a, 1, 3);
  OK(cu.p_cuStreamWaitEvent(second, event, 0));
  OK(cu.p_cuEventRecord(event, first)); /* recorded anew: the wait keeps the old point */
  OK(cu.p_cuMemcpyDtoDAsync(b, a, 4, second));
  OK(cu.p_cuStreamSynchronize(second));
  CU_ASSERT_EQUAL(first_word(b), 2);
  FAILS(cu.p_cuEventQuery(event), CUDA_ERROR_NOT_READY);
  OK(cu.p_cuEventSynchronize(event));
  OK(cu.p_cuEventQuery(event));
  CU_ASSERT_EQUAL(first_word(a), 3);

  float milliseconds = -1.0f;
  OK(cu.p_cuEventRecord(end, first));
  FAILS(cu.p_cuEventElapsedTime(&milliseconds, event, end), CUDA_ERROR_NOT_READY);
  OK(cu.p_cuEventSynchronize(end));
  OK(cu.p_cuEventElapsedTime(&milliseconds, event, end));
  CU_ASSERT(milliseconds >= 0.0f);

  /* Events outlive the stream they were recorded in, and order contexts, too. */
  OK(cu.p_cuEventRecord(event, first));
  OK(cu.p_cuStreamDestroy(first));
  FAILS(cu.p_cuStreamSynchronize(first), CUDA_ERROR_INVALID_HANDLE);
  OK(cu.p_cuEventQuery(event));
  OK(cu.p_cuStreamWaitEvent(second, event, 0));
  fill_on(second, a, 1, 8);
  OK(cu.p_cuEventRecord(event, second));
  OK(cu.p_cuCtxPushCurrent(contexts[1]));
  OK(cu.p_cuStreamWaitEvent(NULL, event, 0));
  FAILS(cu.p_cuEventRecord(event, NULL), CUDA_ERROR_INVALID_HANDLE);
  OK(cu.p_cuCtxSynchronize());
  OK(cu.p_cuCtxPopCurrent(NULL));
  OK(cu.p_cuStreamQuery(second));

  OK(cu.p_cuEventDestroy(event));
  OK(cu.p_cuEventDestroy(end));
  FAILS(cu.p_cuEventQuery(end), CUDA_ERROR_INVALID_HANDLE);
  OK(cu.p_cuStreamDestroy(second));
  OK(cu.p_cuMemFree(a));
  OK(cu.p_cuMemFree(b));
}

static void test_batch_copies(void) {
  int *pinned = NULL, word = 7;
  CUdeviceptr a = device_memory(8);
  CUstream stream;
  OK(cu.p_cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  OK(cu.p_cuMemHostAlloc((void **)&pinned, 4, 0));
  *pinned = 5;
  CUdeviceptr to[2] = {a, a + 4}, from[2] = {(CUdeviceptr)pinned, (CUdeviceptr)&word};
  size_t sizes[2] = {4, 4}, first[2] = {0, 1};
  CUmemcpyAttributes kinds[2] = {{.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_STREAM},
                                 {.srcAccessOrder = CU_MEMCPY_SRC_ACCESS_ORDER_DURING_API_CALL}};
  OK(cu.p_cuMemcpyBatchAsync(to, from, sizes, 2, kinds, first, 2, stream));
  *pinned = word = 6;
  OK(cu.p_cuStreamSynchronize(stream));
  CU_ASSERT_EQUAL(first_word(a), 6);
  CU_ASSERT_EQUAL(first_word(a + 4), 7);
  FAILS(cu.p_cuMemcpyBatchAsync(to, from, sizes, 2, kinds, first, 2, NULL),
        CUDA_ERROR_INVALID_VALUE);
  to[1] = a + 5;
  FAILS(cu.p_cuMemcpyBatchAsync(to, from, sizes, 2, kinds, first, 2, stream),
        CUDA_ERROR_INVALID_VALUE);
  OK(cu.p_cuStreamDestroy(stream));
  OK(cu.p_cuMemFreeHost(pinned));
  OK(cu.p_cuMemFree(a));
}

/* ---- Errors ---- */

static CUresult shaped(unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                       unsigned shared) {
  kvf_test_params p = {0};
  void *params[] = {&p};
  return cu.p_cuLaunchKernel(find("nothing"), gx, gy, gz, bx, by, bz, shared, NULL, params, NULL);
}

static void test_bad_launches(void) {
  const CUresult invalid = CUDA_ERROR_INVALID_VALUE;
  FAILS(shaped(0, 1, 1, 1, 1, 1, 0), invalid);
  FAILS(shaped(1, 1, 1, 1, 0, 1, 0), invalid);
  FAILS(shaped(1, 1, 1, 1025, 1, 1, 0), invalid);
  FAILS(shaped(1, 1, 1, 32, 33, 1, 0), invalid);
  FAILS(shaped(1, 1, 1, 1, 1, 65, 0), invalid);
  FAILS(shaped(0x80000000u, 1, 1, 1, 1, 1, 0), invalid);
  FAILS(shaped(1, 65536, 1, 1, 1, 1, 0), invalid);
  FAILS(shaped(1, 1, 65536, 1, 1, 1, 0), invalid);
  FAILS(shaped(1, 1, 1, 1, 1, 1, (48 << 10) + 1), invalid);
  OK(shaped(1, 1, 1, 1, 1, 1, 48 << 10));
  FAILS(cu.p_cuLaunchKernel(find("nothing"), 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL), invalid);

  /* streams and contexts */
  CUstream other;
  OK(cu.p_cuCtxPushCurrent(contexts[1]));
  OK(cu.p_cuStreamCreate(&other, 0));
  OK(cu.p_cuCtxPopCurrent(NULL));
  FAILS(launch_on(other, "nothing", 1, 1, (kvf_test_params){0}), CUDA_ERROR_INVALID_HANDLE);
  OK(cu.p_cuStreamDestroy(other));
  OK(cu.p_cuCtxSetCurrent(NULL));
  FAILS(shaped(1, 1, 1, 1, 1, 1, 0), CUDA_ERROR_INVALID_CONTEXT);
  FAILS(cu.p_cuCtxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
  OK(cu.p_cuCtxSetCurrent(contexts[0]));

  /* the extended form */
  kvf_test_params p = {0};
  void *params[] = {&p};
  CUlaunchAttribute attribute = {.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE, .value.cooperative = 1};
  CUlaunchConfig config = {1, 1, 1, 1, 1, 1, 0, no_stream, &attribute, 1};
  FAILS(cu.p_cuLaunchKernelEx(&config, find("nothing"), params, NULL), CUDA_ERROR_NOT_SUPPORTED);
  OK(cu.p_cuCtxSynchronize());
}

/* The kernel of `mode`, launched as one that may begin early; what becomes of it. */
static CUresult run_early(int mode, CUdeviceptr to) {
  kvf_test_params p = {.to = (void *)to, .mode = mode};
  void *params[] = {&p};
  CUlaunchAttribute attribute = {.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION,
                                 .value.programmaticStreamSerializationAllowed = 1};
  CUlaunchConfig config = {1, 1, 1, 4, 1, 1, 0, no_stream, &attribute, 1};
  OK(cu.p_cuLaunchKernelEx(&config, find("waits"), params, NULL));
  return cu.p_cuCtxSynchronize();
}

/* A kernel that may begin before the one in front has ended has to wait for that one's end. */
static void test_programmatic_launches(void) {
  CUdeviceptr to = device_memory(16);
  kvf_emulator_counts before, after;
  count_all(&before);
  OK(run_early(0, to));
  count_all(&after);
  CU_ASSERT_EQUAL(after.programmatic - before.programmatic, 1);
  CU_ASSERT_EQUAL(first_word(to), 2);
  for (int mode = 1; mode <= 2; mode++) {
    OK(run("waits", 1, 4, (kvf_test_params){.to = (void *)to, .mode = mode}));
    FAILS(run_early(mode, to), CUDA_ERROR_LAUNCH_FAILED);
    assert_says(mode == 1 ? "write of 4 byte(s)" : "thread (1,0,0)");
    assert_says(mode == 1 ? "before the kernels in front have ended" : "without having waited");
    reset();
  }
  setenv("KVF_EMULATOR_PROGRAMMATIC", "1", 1);
  FAILS(run("waits", 1, 4, (kvf_test_params){.to = (void *)to, .mode = 1}),
        CUDA_ERROR_LAUNCH_FAILED);
  unsetenv("KVF_EMULATOR_PROGRAMMATIC");
  reset();
  OK(cu.p_cuMemFree(to));
}

static void test_libraries(void) {
  CUlibrary fresh;
  CUkernel kernel;
  CUfunction function;
  const uint32_t wrong[4] = {0x464C457F};
  FAILS(cu.p_cuLibraryLoadData(&fresh, wrong, NULL, NULL, 0, NULL, NULL, 0),
        CUDA_ERROR_INVALID_IMAGE);
  OK(cu.p_cuLibraryLoadData(&fresh, image, NULL, NULL, 0, NULL, NULL, 0));
  FAILS(cu.p_cuLibraryGetKernel(&kernel, fresh, "kvf_cuda_test_not_compiled"),
        CUDA_ERROR_NOT_FOUND);
  FAILS(cu.p_cuLibraryGetKernel(&kernel, fresh, "kvf_cpu_test_fill"), CUDA_ERROR_NOT_FOUND);
  OK(cu.p_cuLibraryGetKernel(&kernel, fresh, "kvf_cuda_test_reverse_block"));
  OK(cu.p_cuKernelGetFunction(&function, kernel));
  int value = 0;
  OK(cu.p_cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, function));
  CU_ASSERT_EQUAL(value, 1024);
  OK(cu.p_cuKernelGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, kernel, 0));
  CU_ASSERT_EQUAL(value, 1024);
  OK(cu.p_cuKernelSetAttribute(CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 50, kernel, 0));
  OK(cu.p_cuLibraryUnload(fresh));
  FAILS(cu.p_cuKernelGetFunction(&function, kernel), CUDA_ERROR_INVALID_HANDLE);
  FAILS(cu.p_cuLibraryUnload(fresh), CUDA_ERROR_INVALID_HANDLE);
}

/* The calls after the first two fail, two of them; another entry point after one, for good. */
static void test_injected_errors(void) {
  int value = 0;
  CUcontext context;
  fail("cuDeviceGetCount", 2, 2, CUDA_ERROR_SYSTEM_NOT_READY);
  fail("cuCtxPopCurrent_v2", 1, 1000, CUDA_ERROR_NOT_FOUND);
  for (int i = 0; i < 5; i++)
    FAILS(cu.p_cuDeviceGetCount(&value),
          i == 2 || i == 3 ? CUDA_ERROR_SYSTEM_NOT_READY : CUDA_SUCCESS);
  for (int i = 0; i < 3; i++) {
    OK(cu.p_cuCtxPushCurrent(contexts[0]));
    FAILS(cu.p_cuCtxPopCurrent(&context), i == 0 ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND);
  }
  CU_ASSERT_EQUAL(failures(), 4);
  fail("cuCtxPopCurrent_v2", 0, 0, 0);
  OK(cu.p_cuCtxPopCurrent(&context));
  OK(cu.p_cuCtxPopCurrent(&context));
  fail(NULL, 0, 0, 0);
  CU_ASSERT_EQUAL(failures(), 0);
}

static void test_counts(void) {
  kvf_emulator_counts before, now;
  CUlibrary fresh;
  CUcontext context;
  void *pinned;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
  CUdeviceptr memory = device_memory(8);
  count_all(&before);
  OK(cu.p_cuLibraryLoadData(&fresh, image, NULL, NULL, 0, NULL, NULL, 0));
  OK(cu.p_cuDevicePrimaryCtxRetain(&context, 1));
  OK(cu.p_cuMemHostAlloc(&pinned, 8, 0));
  OK(cu.p_cuCtxPushCurrent(context));
  OK(cu.p_cuThreadExchangeStreamCaptureMode(&mode));
  OK(cu.p_cuCtxPopCurrent(NULL));
  OK(cu.p_cuMemsetD8(memory, 0, 8));
  OK(cu.p_cuCtxPushCurrent(context));
  count_all(&now);
  CU_ASSERT_EQUAL(now.libraries, before.libraries + 1);
  CU_ASSERT_EQUAL(now.retained, before.retained + 1);
  CU_ASSERT_EQUAL(now.pinned, before.pinned + 1);
  CU_ASSERT_EQUAL(now.depth, before.depth + 1);
  CU_ASSERT_EQUAL(now.capture_mode, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
  CU_ASSERT_EQUAL(now.work, before.work + 1);
  OK(cu.p_cuLibraryUnload(fresh));
  OK(cu.p_cuDevicePrimaryCtxRelease(1));
  OK(cu.p_cuMemFreeHost(pinned));
  OK(cu.p_cuCtxPopCurrent(NULL));
  OK(cu.p_cuThreadExchangeStreamCaptureMode(&mode));
  OK(cu.p_cuMemFree(memory));
  count_all(&now);
  CU_ASSERT_EQUAL(now.libraries, before.libraries);
  CU_ASSERT_EQUAL(now.retained, before.retained);
  CU_ASSERT_EQUAL(now.pinned, before.pinned);
  CU_ASSERT_EQUAL(now.depth, before.depth);
  CU_ASSERT_EQUAL(now.capture_mode, before.capture_mode);
}

/* While a stream is captured, its work does not run, and what may wait needs the relaxed mode. */
static void test_captures(void) {
  CUstream stream;
  CUstreamCaptureStatus status;
  CUdeviceptr memory = device_memory(8);
  unsigned char byte = 7;
  void *pinned;
  OK(cu.p_cuMemsetD8(memory, 1, 8));
  OK(cu.p_cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  capture(stream, 1);
  OK(cu.p_cuStreamIsCapturing(stream, &status));
  CU_ASSERT_EQUAL(status, CU_STREAM_CAPTURE_STATUS_ACTIVE);
  OK(cu.p_cuMemsetD8Async(memory, 2, 8, stream));
  FAILS(cu.p_cuMemHostAlloc(&pinned, 8, 0), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CUlibrary fresh;
  FAILS(cu.p_cuLibraryLoadData(&fresh, image, NULL, NULL, 0, NULL, NULL, 0),
        CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  OK(cu.p_cuThreadExchangeStreamCaptureMode(&mode));
  OK(cu.p_cuMemHostAlloc(&pinned, 8, 0));
  OK(cu.p_cuMemFreeHost(pinned));
  OK(cu.p_cuThreadExchangeStreamCaptureMode(&mode));
  capture(stream, 0);
  OK(cu.p_cuStreamSynchronize(stream));
  OK(cu.p_cuMemcpyDtoH(&byte, memory, 1));
  CU_ASSERT_EQUAL(byte, 1);
  OK(cu.p_cuStreamIsCapturing(stream, &status));
  CU_ASSERT_EQUAL(status, CU_STREAM_CAPTURE_STATUS_NONE);
  OK(cu.p_cuStreamDestroy(stream));
  OK(cu.p_cuMemFree(memory));
}

static void test_fork(void) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    int value;
    _exit(cu.p_cuInit(0) == CUDA_ERROR_NOT_INITIALIZED &&
                  cu.p_cuDeviceGetCount(&value) == CUDA_ERROR_NOT_INITIALIZED
              ? 0
              : 1);
  }
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT_EQUAL(status, 0);
}

static void test_devices_and_contexts(void) {
  int value = 0, active = 0;
  unsigned flags = 0;
  char name[64];
  const char *text = NULL;
  OK(cu.p_cuDriverGetVersion(&value));
  CU_ASSERT_EQUAL(value, 13000);
  OK(cu.p_cuDeviceGetCount(&value));
  CU_ASSERT_EQUAL(value, 2);
  CUdevice device;
  OK(cu.p_cuDeviceGet(&device, 1));
  FAILS(cu.p_cuDeviceGet(&device, 2), CUDA_ERROR_INVALID_DEVICE);
  OK(cu.p_cuDeviceGetName(name, sizeof name, 1));
  CU_ASSERT_STRING_EQUAL(name, "kvforge emulated device 1");
  OK(cu.p_cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0));
  CU_ASSERT_EQUAL(value, 9);
  OK(cu.p_cuGetErrorName(CUDA_ERROR_MISALIGNED_ADDRESS, &text));
  CU_ASSERT_STRING_EQUAL(text, "CUDA_ERROR_MISALIGNED_ADDRESS");
  OK(cu.p_cuGetErrorString(CUDA_ERROR_ILLEGAL_ADDRESS, &text));
  CU_ASSERT_STRING_EQUAL(text, "an illegal memory access was encountered");

  OK(cu.p_cuDevicePrimaryCtxGetState(1, &flags, &active));
  CU_ASSERT_EQUAL(active, 1);
  CUcontext found, fresh;
  OK(cu.p_cuCtxGetCurrent(&found));
  CU_ASSERT_PTR_EQUAL(found, contexts[0]);
  OK(cu.p_cuCtxCreate(&fresh, NULL, 0, 1));
  OK(cu.p_cuCtxGetDevice(&device));
  CU_ASSERT_EQUAL(device, 1);
  unsigned long long id[2];
  OK(cu.p_cuCtxGetId(NULL, &id[0]));
  OK(cu.p_cuCtxGetId(contexts[0], &id[1]));
  CU_ASSERT_NOT_EQUAL(id[0], id[1]);
  CUdeviceptr a = device_memory(100);
  OK(cu.p_cuPointerGetAttribute(&found, CU_POINTER_ATTRIBUTE_CONTEXT, a + 99));
  CU_ASSERT_PTR_EQUAL(found, fresh);
  OK(cu.p_cuPointerGetAttribute(&value, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, a));
  CU_ASSERT_EQUAL(value, 1);
  OK(cu.p_cuPointerGetAttribute(&flags, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, a));
  CU_ASSERT_EQUAL(flags, CU_MEMORYTYPE_DEVICE);
  FAILS(cu.p_cuPointerGetAttribute(&value, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, (CUdeviceptr)&value),
        CUDA_ERROR_INVALID_VALUE);
  FAILS(cu.p_cuPointerGetAttribute(&value, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, a + 100),
        CUDA_ERROR_INVALID_VALUE);
  OK(cu.p_cuCtxDestroy(fresh)); /* with all its memory */
  FAILS(cu.p_cuPointerGetAttribute(&value, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, a),
        CUDA_ERROR_INVALID_VALUE);
  OK(cu.p_cuCtxGetCurrent(&found));
  CU_ASSERT_PTR_EQUAL(found, contexts[0]);
  FAILS(cu.p_cuCtxSetCurrent(fresh), CUDA_ERROR_CONTEXT_IS_DESTROYED);

  CUstreamCaptureStatus status;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
  OK(cu.p_cuStreamIsCapturing(NULL, &status));
  CU_ASSERT_EQUAL(status, CU_STREAM_CAPTURE_STATUS_NONE);
  OK(cu.p_cuThreadExchangeStreamCaptureMode(&mode));
  CU_ASSERT_EQUAL(mode, CU_STREAM_CAPTURE_MODE_GLOBAL);
  OK(cu.p_cuThreadExchangeStreamCaptureMode(&mode));
  OK(cu.p_cuStreamGetCtx(NULL, &found));
  CU_ASSERT_PTR_EQUAL(found, contexts[0]);
}

static void test_bad_copies(void) {
  char host[16] = {0};
  CUdeviceptr a = device_memory(8);
  FAILS(cu.p_cuMemcpyHtoD(a, host, 9), CUDA_ERROR_INVALID_VALUE);
  FAILS(cu.p_cuMemcpyDtoH(host, a + 1, 8), CUDA_ERROR_INVALID_VALUE);
  FAILS(cu.p_cuMemcpyDtoD(a, (CUdeviceptr)host, 8), CUDA_ERROR_INVALID_VALUE);
  FAILS(cu.p_cuMemsetD8(a, 0, 9), CUDA_ERROR_INVALID_VALUE);
  FAILS(cu.p_cuMemsetD8Async((CUdeviceptr)host, 0, 9, NULL), CUDA_ERROR_INVALID_VALUE);
  OK(cu.p_cuMemcpyAsync(a, (CUdeviceptr)host, 8, NULL));
  OK(cu.p_cuMemFree(a));
  FAILS(cu.p_cuMemFree(a), CUDA_ERROR_INVALID_VALUE);
  FAILS(cu.p_cuMemFree(0x1234), CUDA_ERROR_INVALID_VALUE);
  FAILS(cu.p_cuMemAlloc(&a, 0), CUDA_ERROR_INVALID_VALUE);
  FAILS(cu.p_cuMemAlloc(&a, (size_t)1 << 50), CUDA_ERROR_OUT_OF_MEMORY);
}

/* The host dies of a device pointer, as it would with a real device. */
static void test_host_cannot_read_device_memory(void) {
  if (getenv("KVF_EMULATOR_HOST_ACCESS"))
    return;
  CUdeviceptr a = device_memory(64);
  OK(cu.p_cuMemsetD8(a, 0, 64));
  OK(cu.p_cuCtxSynchronize());
  pid_t child = fork();
  if (child == 0) {
    close(STDERR_FILENO); /* a sanitizer would report the crash */
    _exit(*(volatile char *)a);
  }
  int status = 0;
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
  OK(cu.p_cuMemFree(a));
}

/* Many allocations of all sizes, so that address ranges are used again. */
static void test_address_reuse(void) {
  enum { SLOTS = 16 };
  CUdeviceptr slots[SLOTS] = {0};
  size_t sizes[SLOTS] = {0};
  unsigned random = 1;
  int wrong = 0;
  for (int round = 0; round < 2000; round++) {
    random = random * 1664525u + 1013904223u;
    int k = (int)(random >> 16) % SLOTS;
    if (slots[k]) {
      unsigned char last = 0;
      OK(cu.p_cuMemcpyDtoH(&last, slots[k] + sizes[k] - 1, 1));
      wrong += last != k;
      OK(cu.p_cuMemFree(slots[k]));
    }
    sizes[k] = 1 + (random >> 8) % (round % 10 == 0 ? 8u << 20 : 10000u);
    slots[k] = device_memory(sizes[k]);
    OK(cu.p_cuMemsetD8(slots[k], (unsigned char)k, sizes[k]));
  }
  CU_ASSERT_EQUAL(wrong, 0);
  for (int k = 0; k < SLOTS; k++)
    OK(cu.p_cuMemFree(slots[k]));
}

static void *worker(void *argument) {
  CUresult *result = argument;
  CUdeviceptr a = 0;
  int words[64];
  *result = cu.p_cuCtxSetCurrent(contexts[0]);
  for (int i = 0; i < 50 && *result == CUDA_SUCCESS; i++) {
    *result = cu.p_cuMemAlloc(&a, sizeof words);
    fill_on(NULL, a, 64, i);
    OK(cu.p_cuMemcpyDtoH(words, a, sizeof words));
    if (words[63] != i)
      *result = CUDA_ERROR_UNKNOWN;
    OK(cu.p_cuMemFree(a));
  }
  check_transpose();
  return NULL;
}

static void test_threads(void) {
  pthread_t threads[4];
  CUresult results[4];
  for (int i = 0; i < 4; i++)
    pthread_create(&threads[i], NULL, worker, &results[i]);
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    OK(results[i]);
  }
}

/* ---- Speed ---- */

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void measure(const char *name, unsigned grid, unsigned block, kvf_test_params p) {
  double start = seconds();
  OK(run(name, grid, block, p));
  printf("\n    %-16s %5.1f ns per thread (%u blocks of %u)", name,
         (seconds() - start) / ((double)grid * block) * 1e9, grid, block);
}

static void measure_launch(const char *text) {
  double start = seconds();
  for (int i = 0; i < 1000; i++)
    OK(run("nothing", 1, 1, (kvf_test_params){0}));
  printf("\n    launch and wait  %5.1f us %s", (seconds() - start) * 1e3, text);
}

static void test_speed(void) {
  measure_launch("with little device memory in use");
  CUdeviceptr a = device_memory(1 << 22), b = device_memory(1 << 22), c = device_memory(8);
  kvf_test_params p = {.to = (void *)b, .from = (void *)a, .counter = (void *)c, .count = 1 << 20};
  measure_launch("with 8 MiB in use");
  measure("nothing", 20000, 256, p);
  measure("fill", 4096, 256, p);
  measure("reverse_block", 4096, 256, p);
  measure("warp_reductions", 2000, 32, p);
  printf("\n  ...");
  OK(cu.p_cuMemFree(a));
  OK(cu.p_cuMemFree(b));
  OK(cu.p_cuMemFree(c));
}

/* ---- main ---- */

static bool open_driver(const char *path) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    fprintf(stderr, "%s\n", dlerror());
    return false;
  }
  __typeof__(cuGetProcAddress) *get_address;
  *(void **)&get_address = dlsym(handle, "cuGetProcAddress_v2");
  *(void **)&last_fault = dlsym(handle, "kvf_emulator_last_fault");
  *(void **)&reset = dlsym(handle, "kvf_emulator_reset");
  *(void **)&fail = dlsym(handle, "kvf_emulator_fail");
  *(void **)&failures = dlsym(handle, "kvf_emulator_failures");
  *(void **)&count_all = dlsym(handle, "kvf_emulator_count");
  *(void **)&capture = dlsym(handle, "kvf_emulator_capture");
  CUdriverProcAddressQueryResult status;
#define FIND(name)                                                                                 \
  if (get_address(#name, (void **)&cu.p_##name, 13000, 0, &status) != CUDA_SUCCESS) {              \
    fprintf(stderr, "%s is missing\n", #name);                                                     \
    return false;                                                                                  \
  }
  EACH_FUNCTION(FIND)

  int count;
  void *function;
  return cu.p_cuDeviceGetCount(&count) == CUDA_ERROR_NOT_INITIALIZED &&
         get_address("cuNoSuchThing", &function, 13000, 0, &status) == CUDA_ERROR_NOT_FOUND &&
         get_address("cuLaunchKernelEx", &function, 11000, 0, &status) == CUDA_ERROR_NOT_FOUND &&
         status == CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT && cu.p_cuInit(0) == CUDA_SUCCESS &&
         cu.p_cuDevicePrimaryCtxRetain(&contexts[0], 0) == CUDA_SUCCESS &&
         cu.p_cuDevicePrimaryCtxRetain(&contexts[1], 1) == CUDA_SUCCESS &&
         cu.p_cuCtxSetCurrent(contexts[0]) == CUDA_SUCCESS &&
         cu.p_cuLibraryLoadData(&library, image, NULL, NULL, 0, NULL, NULL, 0) == CUDA_SUCCESS;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s LIBCUDA\n", argv[0]);
    return 2;
  }
  unsetenv("KVF_EMULATOR_ORDER");
  setenv("KVF_EMULATED_DEVICES", "2", 1);
  if (!open_driver(argv[1]) || CU_initialize_registry() != CUE_SUCCESS)
    return 2;

  CU_pSuite results = CU_add_suite("results", NULL, NULL);
  CU_ADD_TEST(results, test_positions);
  CU_ADD_TEST(results, test_barrier);
  CU_ADD_TEST(results, test_shared_transposition);
  CU_ADD_TEST(results, test_warp_intrinsics);
  CU_ADD_TEST(results, test_atomics);
  CU_ADD_TEST(results, test_early_exit);
  CU_ADD_TEST(results, test_stack_and_constants);
  CU_ADD_TEST(results, test_formats);
  CU_ADD_TEST(results, test_dynamic_shared);

  CU_pSuite faults = CU_add_suite("faults", NULL, NULL);
  CU_ADD_TEST(faults, test_out_of_bounds);
  CU_ADD_TEST(faults, test_copies_are_checked);
  CU_ADD_TEST(faults, test_host_pointer);
  CU_ADD_TEST(faults, test_host_cannot_read_device_memory);
  CU_ADD_TEST(faults, test_other_device);
  CU_ADD_TEST(faults, test_misaligned);
  CU_ADD_TEST(faults, test_undefined_behaviour);
  CU_ADD_TEST(faults, test_missing_barrier);
  CU_ADD_TEST(faults, test_deadlock);
  CU_ADD_TEST(faults, test_meeting);
  CU_ADD_TEST(faults, test_exited_lane);
  CU_ADD_TEST(faults, test_fault_is_sticky);

  CU_pSuite order = CU_add_suite("order of work", NULL, NULL);
  CU_ADD_TEST(order, test_asynchrony);
  CU_ADD_TEST(order, test_legacy_stream);
  CU_ADD_TEST(order, test_events);
  CU_ADD_TEST(order, test_batch_copies);

  CU_pSuite errors = CU_add_suite("errors", NULL, NULL);
  CU_ADD_TEST(errors, test_bad_launches);
  CU_ADD_TEST(errors, test_programmatic_launches);
  CU_ADD_TEST(errors, test_libraries);
  CU_ADD_TEST(errors, test_devices_and_contexts);
  CU_ADD_TEST(errors, test_bad_copies);
  CU_ADD_TEST(errors, test_address_reuse);
  CU_ADD_TEST(errors, test_injected_errors);
  CU_ADD_TEST(errors, test_counts);
  CU_ADD_TEST(errors, test_captures);
  CU_ADD_TEST(errors, test_fork);
  CU_ADD_TEST(errors, test_threads);
  CU_ADD_TEST(errors, test_speed);

  CU_basic_set_mode(CU_BRM_VERBOSE);
  CU_basic_run_tests();
  unsigned failures = CU_get_number_of_failures();
  CU_cleanup_registry();
  return failures != 0;
}
