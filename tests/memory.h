/*
 * Where the tensors of tests live: host memory or a CUDA device. A buffer keeps an image of what
 * its memory is expected to hold, every byte of it, and compares.
 */
#ifndef KVF_TESTS_MEMORY_H
#define KVF_TESTS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvforge/kvforge.h"

/* X(member, symbol, parameter types): the part of the CUDA driver that tests use. */
#define CUDA_FUNCTIONS(X)                                                                          \
  X(init, cuInit, (unsigned))                                                                      \
  X(error_name, cuGetErrorName, (int, const char **))                                              \
  X(device_count, cuDeviceGetCount, (int *))                                                       \
  X(device_get, cuDeviceGet, (int *, int))                                                         \
  X(device_attribute, cuDeviceGetAttribute, (int *, int, int))                                     \
  X(primary_retain, cuDevicePrimaryCtxRetain, (void **, int))                                      \
  X(context_create, cuCtxCreate_v2, (void **, unsigned, int))                                      \
  X(context_destroy, cuCtxDestroy_v2, (void *))                                                    \
  X(context_current, cuCtxGetCurrent, (void **))                                                   \
  X(context_set, cuCtxSetCurrent, (void *))                                                        \
  X(synchronize, cuCtxSynchronize, (void))                                                         \
  X(alloc, cuMemAlloc_v2, (uint64_t *, size_t))                                                    \
  X(free, cuMemFree_v2, (uint64_t))                                                                \
  X(host_alloc, cuMemHostAlloc, (void **, size_t, unsigned))                                       \
  X(host_free, cuMemFreeHost, (void *))                                                            \
  X(upload, cuMemcpyHtoD_v2, (uint64_t, const void *, size_t))                                     \
  X(download, cuMemcpyDtoH_v2, (void *, uint64_t, size_t))                                         \
  X(upload_async, cuMemcpyHtoDAsync_v2, (uint64_t, const void *, size_t, void *))                  \
  X(download_async, cuMemcpyDtoHAsync_v2, (void *, uint64_t, size_t, void *))                      \
  X(set_async, cuMemsetD8Async, (uint64_t, unsigned char, size_t, void *))                         \
  X(stream_create, cuStreamCreate, (void **, unsigned))                                            \
  X(stream_synchronize, cuStreamSynchronize, (void *))                                             \
  X(stream_destroy, cuStreamDestroy_v2, (void *))

typedef struct cuda_functions {
#define MEMBER(member, symbol, parameters) int(*member) parameters;
  CUDA_FUNCTIONS(MEMBER)
#undef MEMBER
  /* Of the emulated driver; NULL on a real one. */
  const char *(*last_fault)(void);
  void (*reset)(void);
  int num_devices;
  int arch; /* of the first one: 90 for compute capability 9.0 */
} cuda_functions;

extern cuda_functions cuda;

/* A status of the driver in words. */
const char *cuda_error(int code);

/* Opens the memory of a backend; for CUDA makes the primary context of device 0 current. Returns
 * NULL, or the reason why there is none. Main thread first. */
const char *memory_open(kvf_backend backend);

/* Waits for everything on the current context. Returns NULL, or what went wrong. */
const char *memory_synchronize(kvf_backend backend);

typedef struct buffer {
  kvf_backend backend;
  size_t size;
  uint8_t *expected; /* host image; callers fill it and note in it what calls should write */
  void *place;       /* the memory itself, aligned to 64 bytes or placed at the end of a page */
  void *arena;
  bool pinned;
} buffer;

/*
 * New memory, its image filled with random bytes. On the CPU it ends (up to alignment to 64 bytes)
 * where unmapped memory begins, so that reading far past the end is found too.
 */
buffer buffer_make(kvf_backend backend, size_t size, uint64_t seed);
void buffer_free(buffer *memory);

/* The same of host memory that every device can read; `backend` is that of the host. */
buffer buffer_make_pinned(size_t size, uint64_t seed);

/* Memory becomes what the image says. */
void buffer_upload(const buffer *memory);

/* What memory holds now, to be freed; and the same as what it is expected to hold from now on. */
uint8_t *buffer_contents(const buffer *memory);
void buffer_take(const buffer *memory);

/* Offset of the first byte that is not as the image says; -1 if there is none. `got` is its value.
 */
int64_t buffer_difference(const buffer *memory, uint8_t *got);

/* A view of a buffer. */
typedef struct tensor {
  const buffer *memory;
  int64_t start; /* byte offset of element 0 in the buffer */
  DLDataType dtype;
  int32_t rank;
  int64_t shape[5];
  int64_t stride[5]; /* in elements */
  DLTensor dl;       /* filled by tensor_dl() */
} tensor;

/* The DLPack form; it points into `view`, which must stay where it is. */
DLTensor *tensor_dl(tensor *view);

DLDataType dl_dtype(kvf_dtype dtype);

#endif
