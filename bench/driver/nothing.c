/*
 * A CUDA driver that does nothing and says that it went well: what a call on CUDA takes with it is
 * what the library takes. It has one device, of 9.0, whose context is always current.
 */
#include <stddef.h>
#include <stdint.h>

#include "core/cuda_driver.h"

#pragma GCC visibility push(default)

static _Alignas(64) char something[64 * 64]; /* host memory, and what handles point to */

/* Whatever it is called with, it does not look at it. */
#define NOTHING(name)                                                                              \
  int name(void);                                                                                  \
  int name(void) { return CUDA_OK; }
NOTHING(cuInit)
NOTHING(cuGetErrorName)
NOTHING(cuCtxPushCurrent_v2)
NOTHING(cuCtxGetId)
NOTHING(cuMemFree_v2)
NOTHING(cuPointerGetAttribute)
NOTHING(cuThreadExchangeStreamCaptureMode)
NOTHING(cuLibraryUnload)
NOTHING(cuKernelSetAttribute)
NOTHING(cuMemcpyAsync)
NOTHING(cuLaunchKernel)
NOTHING(cuLaunchKernelEx)

/* Whose first argument receives something. */
#define GIVES(name, type, value)                                                                   \
  int name(type *answer);                                                                          \
  int name(type *answer) {                                                                         \
    *answer = (value);                                                                             \
    return CUDA_OK;                                                                                \
  }
GIVES(cuDriverGetVersion, int, 13000)
GIVES(cuDeviceGetCount, int, 1)
GIVES(cuDeviceGet, int, 0)
GIVES(cuCtxGetCurrent, void *, something)
GIVES(cuCtxGetDevice, int, 0)
GIVES(cuDevicePrimaryCtxRetain, void *, something)
GIVES(cuCtxPopCurrent_v2, void *, something)
GIVES(cuMemAlloc_v2, uint64_t, (uint64_t)(uintptr_t)something)
GIVES(cuMemHostAlloc, void *, something)
GIVES(cuLibraryLoadData, void *, something)
GIVES(cuLibraryGetKernel, void *, something)

int cuStreamIsCapturing(void *stream, int *answer);
int cuStreamIsCapturing(void *stream, int *answer) {
  (void)stream;
  *answer = CUDA_NOT_CAPTURING;
  return CUDA_OK;
}

int cuDeviceGetAttribute(int *answer, int attribute, int device);
int cuDeviceGetAttribute(int *answer, int attribute, int device) {
  (void)device;
  switch (attribute) {
  case CUDA_CAPABILITY_MAJOR:
    *answer = 9;
    break;
  case CUDA_CAPABILITY_MINOR:
    *answer = 0;
    break;
  case CUDA_MULTIPROCESSORS:
    *answer = 132;
    break;
  default: /* of what is asked for, the shared memory of a block */
    *answer = 227 * 1024;
  }
  return CUDA_OK;
}
