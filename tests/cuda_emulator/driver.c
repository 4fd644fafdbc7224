/* The driver as such: initialisation, versions, error texts, devices, finding entry points. */
#include "driver.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"
#include "kvf_emulator.h"
#include "memory.h"

int driver_device_count;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool initialised, forked;

int driver_lock(void) {
  pthread_mutex_lock(&lock);
  return 0;
}

void driver_unlock(int *guard) {
  (void)guard;
  pthread_mutex_unlock(&lock);
}

bool driver_initialised(void) { return initialised && !forked; }

static void after_fork(void) { forked = true; }

/* As in the real driver, never successful in a child of a process where it was. */
CUresult CUDAAPI cuInit(unsigned flags) {
  DRIVER_CALL_EARLY();
  REQUIRE(!forked, CUDA_ERROR_NOT_INITIALIZED);
  if (initialised)
    return CUDA_SUCCESS;
  REQUIRE(flags == 0, CUDA_ERROR_INVALID_VALUE);
  const char *count = getenv("KVF_EMULATED_DEVICES");
  driver_device_count = count ? atoi(count) : 2;
  REQUIRE(driver_device_count > 0, CUDA_ERROR_NO_DEVICE);
  if (driver_device_count > MEMORY_DEVICES_MAX)
    driver_device_count = MEMORY_DEVICES_MAX;
  REQUIRE(pthread_atfork(NULL, NULL, after_fork) == 0, CUDA_ERROR_OUT_OF_MEMORY);
  REQUIRE(memory_init(), CUDA_ERROR_OUT_OF_MEMORY);
  initialised = true;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuDriverGetVersion(int *version) {
  DRIVER_CALL_EARLY();
  REQUIRE(version, CUDA_ERROR_INVALID_VALUE);
  *version = 13000;
  return CUDA_SUCCESS;
}

/* ---- Tests' own control ---- */

const char *kvf_emulator_last_fault(void) { return grid_last_fault(); }

void kvf_emulator_reset(void) {
  DRIVER_LOCK();
  for (CUcontext each = driver_contexts; each; each = each->next)
    context_break(each, CUDA_SUCCESS);
  grid_clear_fault();
}

/* ---- Errors ---- */

static const struct {
  CUresult code;
  const char *name, *text;
} errors[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
#define ERROR(name, text) {name, #name, text}
    ERROR(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    ERROR(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    ERROR(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    ERROR(CUDA_ERROR_NO_DEVICE, "no CUDA-capable device is detected"),
    ERROR(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    ERROR(CUDA_ERROR_INVALID_IMAGE, "device kernel image is invalid"),
    ERROR(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    ERROR(CUDA_ERROR_INVALID_HANDLE, "invalid resource handle"),
    ERROR(CUDA_ERROR_NOT_FOUND, "named symbol not found"),
    ERROR(CUDA_ERROR_NOT_READY, "device not ready"),
    ERROR(CUDA_ERROR_ILLEGAL_ADDRESS, "an illegal memory access was encountered"),
    ERROR(CUDA_ERROR_LAUNCH_TIMEOUT, "the launch timed out and was terminated"),
    ERROR(CUDA_ERROR_CONTEXT_IS_DESTROYED, "context is destroyed"),
    ERROR(CUDA_ERROR_ASSERT, "device-side assert triggered"),
    ERROR(CUDA_ERROR_MISALIGNED_ADDRESS, "misaligned address"),
    ERROR(CUDA_ERROR_LAUNCH_FAILED, "unspecified launch failure"),
    ERROR(CUDA_ERROR_NOT_SUPPORTED, "operation not supported"),
    ERROR(CUDA_ERROR_SYSTEM_NOT_READY, "system not yet initialized"),
    ERROR(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
          "operation not permitted when stream is capturing"),
#undef ERROR
};

CUresult CUDAAPI cuGetErrorName(CUresult error, const char **name) {
  DRIVER_CALL_EARLY();
  REQUIRE(name, CUDA_ERROR_INVALID_VALUE);
  *name = NULL;
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (errors[i].code == error)
      *name = errors[i].name;
  return *name ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult CUDAAPI cuGetErrorString(CUresult error, const char **text) {
  DRIVER_CALL_EARLY();
  REQUIRE(text, CUDA_ERROR_INVALID_VALUE);
  *text = NULL;
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (errors[i].code == error)
      *text = errors[i].text;
  return *text ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

/* ---- Devices ---- */

CUresult CUDAAPI cuDeviceGetCount(int *count) {
  DRIVER_CALL();
  REQUIRE(count, CUDA_ERROR_INVALID_VALUE);
  *count = driver_device_count;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuDeviceGet(CUdevice *device, int ordinal) {
  DRIVER_CALL();
  REQUIRE(device, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(ordinal >= 0 && ordinal < driver_device_count, CUDA_ERROR_INVALID_DEVICE);
  *device = ordinal;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuDeviceGetName(char *name, int size, CUdevice device) {
  DRIVER_CALL();
  REQUIRE(name && size > 0, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(device >= 0 && device < driver_device_count, CUDA_ERROR_INVALID_DEVICE);
  snprintf(name, (size_t)size, "kvforge emulated device %d", device);
  return CUDA_SUCCESS;
}

/* 90, for 9.0, or what $KVF_EMULATED_ARCH says. */
static int capability(void) {
  const char *text = getenv("KVF_EMULATED_ARCH");
  const int given = text != NULL ? atoi(text) : 0;
  return given > 0 ? given : 90;
}

/* Those of an H100 where they matter to a launch; what is not listed is 0. */
CUresult CUDAAPI cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device) {
  DRIVER_CALL();
  REQUIRE(value && attribute > 0 && attribute < CU_DEVICE_ATTRIBUTE_MAX, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(device >= 0 && device < driver_device_count, CUDA_ERROR_INVALID_DEVICE);
  static const int values[CU_DEVICE_ATTRIBUTE_MAX] = {
      [CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT] = 132,
      [CU_DEVICE_ATTRIBUTE_WARP_SIZE] = GRID_WARP,
      [CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK] = GRID_BLOCK_MAX,
      [CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR] = 2048,
      [CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR] = 32,
      [CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X] = 1024,
      [CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y] = 1024,
      [CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z] = 64,
      [CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X] = 2147483647,
      [CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y] = 65535,
      [CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z] = 65535,
      [CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK] = GRID_SHARED_DEFAULT,
      [CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN] = GRID_SHARED_MAX,
      [CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR] = 228 << 10,
      [CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY] = 64 << 10,
      [CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK] = 65536,
      [CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR] = 65536,
      [CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE] = 50 << 20,
      [CU_DEVICE_ATTRIBUTE_CLOCK_RATE] = 1980000,
      [CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE] = 2619000,
      [CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH] = 5120,
      [CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT] = 3,
      [CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS] = 1,
      [CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING] = 1,
      [CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY] = 1,
      [CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED] = 1,
      [CU_DEVICE_ATTRIBUTE_CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM] = 1,
  };
  *value = attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR   ? capability() / 10
           : attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR ? capability() % 10
                                                                       : values[attribute];
  return CUDA_SUCCESS;
}
