/*
 * The part of the CUDA driver API that the runtime uses, opened at run time.
 *
 * Declared here and not through cuda.h, so that the library builds where no toolkit is installed.
 * Types and values are interface facts of libcuda; handles are opaque pointers.
 */
#ifndef KVFORGE_CUDA_DRIVER_H
#define KVFORGE_CUDA_DRIVER_H

#include <stdatomic.h>
#include <stddef.h>

#include "kvforge/kvforge.h"

enum {
  CUDA_OK = 0,
  CUDA_INVALID_VALUE = 1,
  CUDA_NOT_INITIALIZED = 3,
  CUDA_HOST_ALLOC_PORTABLE = 1,
  CUDA_HOST_ALLOC_DEVICE_MAP = 2,
  CUDA_CAPTURE_RELAXED = 2,
  CUDA_NOT_CAPTURING = 0,
  CUDA_NOT_SUPPORTED = 801,
  CUDA_MULTIPROCESSORS = 16, /* attributes of a device */
  CUDA_CAPABILITY_MAJOR = 75,
  CUDA_CAPABILITY_MINOR = 76,
  CUDA_MAX_SHARED_BYTES = 97,    /* that a thread block can have if its kernel asks for it */
  CUDA_DYNAMIC_SHARED_BYTES = 8, /* an attribute of a kernel: how many it may be launched with */
  CUDA_MEMORY_TYPE = 2,          /* attributes of an address */
  CUDA_DEVICE_POINTER = 3,
  CUDA_DEVICE_ORDINAL = 9,
  CUDA_RANGE_START = 11,
  CUDA_RANGE_SIZE = 12,
  CUDA_DEVICE_MEMORY = 2, /* a memory type */
  CUDA_SOURCE_IN_STREAM_ORDER = 1,
  CUDA_SOURCE_IN_ANY_ORDER = 3,
  CUDA_PROGRAMMATIC_SERIALIZATION = 6 /* an attribute of a launch: 0 or 1 */
};

/* The legacy default stream by its other name. */
#define CUDA_STREAM_LEGACY ((void *)1)
/* The default stream of the calling thread. */
#define CUDA_STREAM_PER_THREAD ((void *)2)

/* How the copies of a batch are made. All but the order are hints, and 0. */
typedef struct kvf_cuda_copy_attributes {
  int source_order;
  int source_hint[2]; /* kind of memory, ordinal */
  int target_hint[2];
  unsigned flags;
} kvf_cuda_copy_attributes;

/* What a launch is told beside its shape, and the shape. */
typedef struct kvf_cuda_launch_attribute {
  int id;
  _Alignas(8) int value[16];
} kvf_cuda_launch_attribute;

typedef struct kvf_cuda_launch_config {
  unsigned grid[3];
  unsigned block[3];
  unsigned shared_bytes;
  void *stream;
  kvf_cuda_launch_attribute *attributes;
  unsigned num_attributes;
} kvf_cuda_launch_config;

/* X(member, symbol, parameter types): every entry point, by the name libcuda exports. */
#define KVF_CUDA_ENTRY_POINTS(X)                                                                   \
  X(init, cuInit, (unsigned))                                                                      \
  X(error_name, cuGetErrorName, (int, const char **))                                              \
  X(version, cuDriverGetVersion, (int *))                                                          \
  X(device_count, cuDeviceGetCount, (int *))                                                       \
  X(device_get, cuDeviceGet, (int *, int))                                                         \
  X(device_attribute, cuDeviceGetAttribute, (int *, int, int))                                     \
  X(primary_retain, cuDevicePrimaryCtxRetain, (void **, int))                                      \
  X(context_current, cuCtxGetCurrent, (void **))                                                   \
  X(context_device, cuCtxGetDevice, (int *))                                                       \
  X(context_push, cuCtxPushCurrent_v2, (void *))                                                   \
  X(context_pop, cuCtxPopCurrent_v2, (void **))                                                    \
  X(context_id, cuCtxGetId, (void *, unsigned long long *))                                        \
  X(allocate, cuMemAlloc_v2, (uint64_t *, size_t))                                                 \
  X(deallocate, cuMemFree_v2, (uint64_t))                                                          \
  X(host_alloc, cuMemHostAlloc, (void **, size_t, unsigned))                                       \
  X(pointer_attribute, cuPointerGetAttribute, (void *, int, uint64_t))                             \
  X(capture_mode, cuThreadExchangeStreamCaptureMode, (int *))                                      \
  X(library_load, cuLibraryLoadData,                                                               \
    (void **, const void *, int *, void **, unsigned, int *, void **, unsigned))                   \
  X(library_kernel, cuLibraryGetKernel, (void **, void *, const char *))                           \
  X(library_unload, cuLibraryUnload, (void *))                                                     \
  X(kernel_attribute, cuKernelSetAttribute, (int, int, void *, int))                               \
  X(copy, cuMemcpyAsync, (uint64_t, uint64_t, size_t, void *))                                     \
  X(is_capturing, cuStreamIsCapturing, (void *, int *))                                            \
  X(launch, cuLaunchKernel,                                                                        \
    (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,         \
     void **, void **))

/* The same for those that are NULL in drivers that do not have them. */
#define KVF_CUDA_OPTIONAL_ENTRY_POINTS(X)                                                          \
  /* CUDA 11.8 */                                                                                  \
  X(launch_ex, cuLaunchKernelEx, (const kvf_cuda_launch_config *, void *, void **, void **))       \
  /* CUDA 13.0 */                                                                                  \
  X(copy_batch, cuMemcpyBatchAsync_v2,                                                             \
    (uint64_t *, uint64_t *, size_t *, size_t, kvf_cuda_copy_attributes *, size_t *, size_t,       \
     void *))                                                                                      \
  /* CUDA 12.8; the last but one argument receives the position of the copy at fault */            \
  X(copy_batch_v1, cuMemcpyBatchAsync,                                                             \
    (uint64_t *, uint64_t *, size_t *, size_t, kvf_cuda_copy_attributes *, size_t *, size_t,       \
     size_t *, void *))

typedef struct kvf_cuda_driver {
#define MEMBER(member, symbol, parameters) int(*member) parameters;
  KVF_CUDA_ENTRY_POINTS(MEMBER)
  KVF_CUDA_OPTIONAL_ENTRY_POINTS(MEMBER)
#undef MEMBER
  int num_devices;
} kvf_cuda_driver;

/* The driver once it is open, which every call asks for; NULL before, and after fork(). */
extern _Atomic(const kvf_cuda_driver *) kvf_cuda_opened;
kvf_status kvf_cuda_open_first(const kvf_cuda_driver **driver);

/*
 * The driver, opened at the first call. KVF_NO_DEVICE (or KVF_OUT_OF_MEMORY) with the reason when
 * it cannot be opened: the next call tries again. A child of fork() gets no driver that its parent
 * had.
 */
static inline kvf_status kvf_cuda_open(const kvf_cuda_driver **driver) {
  *driver = atomic_load_explicit(&kvf_cuda_opened, memory_order_acquire);
  return *driver != NULL ? KVF_OK : kvf_cuda_open_first(driver);
}

/* KVF_CUDA_ERROR: "cuda: <entry> for <purpose>: <name of the code>". No purpose: NULL. */
kvf_status kvf_cuda_failed(int code, const char *entry, const char *purpose);

/* KVF_OK, or what kvf_cuda_failed() says. */
static inline kvf_status kvf_cuda_check(int code, const char *entry, const char *purpose) {
  return code == CUDA_OK ? KVF_OK : kvf_cuda_failed(code, entry, purpose);
}

#endif
