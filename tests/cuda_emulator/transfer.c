/* Allocation, pointer queries, copies and fills. */
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "memory.h"

static uintptr_t bits(const void *pointer) { return (uintptr_t)pointer; }

/* ---- Allocation ---- */

static CUresult allocate(int space, size_t size, CUcontext owner, uintptr_t *address) {
  REQUIRE(size > 0, CUDA_ERROR_INVALID_VALUE);
  const allocation *fresh = memory_allocate(space, size, owner);
  REQUIRE(fresh, CUDA_ERROR_OUT_OF_MEMORY);
  *address = fresh->begin;
  return CUDA_SUCCESS;
}

/* Queued work may still use the memory, so that all of it runs first. */
static CUresult release(uintptr_t address, bool pinned) {
  allocation *found = memory_find(address, 1);
  REQUIRE(found && found->begin == address && (found->space == MEMORY_PINNED) == pinned,
          CUDA_ERROR_INVALID_VALUE);
  driver_run_all();
  memory_free(found);
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuMemAlloc_v2(CUdeviceptr *address, size_t size) {
  DRIVER_CALL();
  TRY(stream_allows_unsafe());
  CUcontext context;
  TRY(context_get(&context));
  REQUIRE(address, CUDA_ERROR_INVALID_VALUE);
  uintptr_t fresh;
  TRY(allocate(context->device, size, context, &fresh));
  *address = fresh;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuMemFree_v2(CUdeviceptr address) {
  DRIVER_CALL();
  TRY(stream_allows_unsafe());
  CUcontext context;
  TRY(context_get(&context));
  if (address == 0)
    return CUDA_SUCCESS;
  TRY(release(address, false));
  return context->error;
}

CUresult CUDAAPI cuMemHostAlloc(void **pointer, size_t size, unsigned flags) {
  DRIVER_CALL();
  TRY(stream_allows_unsafe());
  CUcontext context;
  TRY(context_get(&context));
  const unsigned known =
      CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED;
  REQUIRE(pointer && (flags & ~known) == 0, CUDA_ERROR_INVALID_VALUE);
  uintptr_t fresh;
  TRY(allocate(MEMORY_PINNED, size, context, &fresh));
  *pointer = (void *)fresh;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuMemFreeHost(void *pointer) {
  DRIVER_CALL();
  TRY(stream_allows_unsafe());
  CUcontext context;
  TRY(context_get(&context));
  TRY(release(bits(pointer), true));
  return context->error;
}

CUresult CUDAAPI cuMemHostGetDevicePointer_v2(CUdeviceptr *address, void *pointer, unsigned flags) {
  DRIVER_CALL();
  CUcontext context;
  TRY(context_get(&context));
  const allocation *found = memory_find(bits(pointer), 1);
  REQUIRE(address && flags == 0 && found && found->space == MEMORY_PINNED,
          CUDA_ERROR_INVALID_VALUE);
  *address = bits(pointer);
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuPointerGetAttribute(void *data, CUpointer_attribute attribute,
                                       CUdeviceptr address) {
  DRIVER_CALL();
  const allocation *found = memory_find(address, 1);
  REQUIRE(data && found, CUDA_ERROR_INVALID_VALUE);
  bool pinned = found->space == MEMORY_PINNED;
  CUcontext owner = found->owner;
  switch (attribute) {
  case CU_POINTER_ATTRIBUTE_CONTEXT:
    *(CUcontext *)data = owner;
    return CUDA_SUCCESS;
  case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
    *(unsigned *)data = pinned ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
    return CUDA_SUCCESS;
  case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
    *(CUdeviceptr *)data = address;
    return CUDA_SUCCESS;
  case CU_POINTER_ATTRIBUTE_HOST_POINTER:
    REQUIRE(pinned, CUDA_ERROR_INVALID_VALUE);
    *(void **)data = (void *)(uintptr_t)address;
    return CUDA_SUCCESS;
  case CU_POINTER_ATTRIBUTE_IS_MANAGED:
    *(unsigned *)data = 0;
    return CUDA_SUCCESS;
  case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
    *(int *)data = owner->device;
    return CUDA_SUCCESS;
  case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
    *(CUdeviceptr *)data = found->begin;
    return CUDA_SUCCESS;
  case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
    *(size_t *)data = found->end - found->begin;
    return CUDA_SUCCESS;
  default:
    return CUDA_ERROR_NOT_SUPPORTED;
  }
}

/* ---- Copies ---- */

typedef struct copy {
  operation base;
  uintptr_t to, from;
  size_t size;
  char staged[]; /* the source, if `from` is 0 */
} copy;

static CUresult run_copy(operation *self) {
  const copy *c = (const copy *)self;
  memory_expose(c->to, c->size);
  memory_expose(c->from, c->size);
  memmove((void *)c->to, c->from ? (void *)c->from : c->staged, c->size);
  memory_hide(c->to, c->size);
  memory_hide(c->from, c->size);
  return CUDA_SUCCESS;
}

/* An end of a copy is memory that the emulator knows, or lies wholly outside and is the host's. */
static bool is_known(uintptr_t address, size_t size) { return memory_find(address, size) != NULL; }

static bool is_valid_end(uintptr_t address, size_t size) {
  uintptr_t offset = address - memory.base;
  return address != 0 && (offset >= memory.span || is_known(address, size));
}

static CUresult enqueue_copy(CUstream stream, uintptr_t to, uintptr_t from, size_t size,
                             bool staged) {
  if (size == 0)
    return CUDA_SUCCESS;
  REQUIRE(is_valid_end(to, size) && is_valid_end(from, size), CUDA_ERROR_INVALID_VALUE);
  copy *c = operation_new(sizeof *c + (staged ? size : 0), run_copy);
  REQUIRE(c, CUDA_ERROR_OUT_OF_MEMORY);
  c->to = to;
  c->from = staged ? 0 : from;
  c->size = size;
  if (staged) {
    memory_expose(from, size);
    memcpy(c->staged, (void *)from, size);
    memory_hide(from, size);
  }
  stream_enqueue(stream, &c->base);
  return CUDA_SUCCESS;
}

/* As documented for pageable host memory: a source may be reused when the call returns, and a
 * destination has arrived by then. Pinned memory is used when the stream gets there. */
static CUresult copy_async(CUstream handle, uintptr_t to, uintptr_t from, size_t size) {
  CUstream stream;
  TRY(stream_get(handle, &stream));
  TRY(enqueue_copy(stream, to, from, size, !is_known(from, size)));
  if (!is_known(to, size))
    stream_run_all(stream);
  return stream->context->error;
}

/* A synchronous copy goes through the NULL stream, and the host waits for that. */
static CUresult copy_and_wait(uintptr_t to, uintptr_t from, size_t size) {
  CUstream stream;
  TRY(stream_get(NULL, &stream));
  TRY(enqueue_copy(stream, to, from, size, false));
  stream_run_all(stream);
  return stream->context->error;
}

CUresult CUDAAPI cuMemcpy(CUdeviceptr to, CUdeviceptr from, size_t size) {
  DRIVER_CALL();
  return copy_and_wait(to, from, size);
}

CUresult CUDAAPI cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t size) {
  DRIVER_CALL();
  REQUIRE(size == 0 || is_known(to, size), CUDA_ERROR_INVALID_VALUE);
  return copy_and_wait(to, bits(from), size);
}

CUresult CUDAAPI cuMemcpyDtoH_v2(void *to, CUdeviceptr from, size_t size) {
  DRIVER_CALL();
  REQUIRE(size == 0 || is_known(from, size), CUDA_ERROR_INVALID_VALUE);
  return copy_and_wait(bits(to), from, size);
}

/* Within devices the host does not wait, not even here. */
CUresult CUDAAPI cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, size_t size) {
  DRIVER_CALL();
  REQUIRE(size == 0 || (is_known(to, size) && is_known(from, size)), CUDA_ERROR_INVALID_VALUE);
  return copy_async(NULL, to, from, size);
}

CUresult CUDAAPI cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, size_t size, CUstream stream) {
  DRIVER_CALL();
  return copy_async(stream, to, from, size);
}

CUresult CUDAAPI cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t size,
                                      CUstream stream) {
  DRIVER_CALL();
  REQUIRE(size == 0 || is_known(to, size), CUDA_ERROR_INVALID_VALUE);
  return copy_async(stream, to, bits(from), size);
}

CUresult CUDAAPI cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t size, CUstream stream) {
  DRIVER_CALL();
  REQUIRE(size == 0 || is_known(from, size), CUDA_ERROR_INVALID_VALUE);
  return copy_async(stream, bits(to), from, size);
}

CUresult CUDAAPI cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t size,
                                      CUstream stream) {
  DRIVER_CALL();
  REQUIRE(size == 0 || (is_known(to, size) && is_known(from, size)), CUDA_ERROR_INVALID_VALUE);
  return copy_async(stream, to, from, size);
}

/* ---- Batches ---- */

static CUresult check_batch(const CUdeviceptr *to, const CUdeviceptr *from, const size_t *sizes,
                            size_t count, const CUmemcpyAttributes *attributes, const size_t *first,
                            size_t kinds, size_t *failed) {
  REQUIRE(to && from && sizes && count > 0 && attributes && first && kinds > 0 && kinds <= count,
          CUDA_ERROR_INVALID_VALUE);
  for (size_t k = 0; k < kinds; k++) {
    bool rising = k == 0 ? first[k] == 0 : first[k] > first[k - 1];
    REQUIRE(rising && first[k] < count, CUDA_ERROR_INVALID_VALUE);
    REQUIRE(attributes[k].srcAccessOrder >= CU_MEMCPY_SRC_ACCESS_ORDER_STREAM &&
                attributes[k].srcAccessOrder <= CU_MEMCPY_SRC_ACCESS_ORDER_ANY,
            CUDA_ERROR_INVALID_VALUE);
  }
  for (size_t i = 0; i < count; i++) {
    *failed = i;
    REQUIRE(sizes[i] > 0 && is_valid_end(to[i], sizes[i]) && is_valid_end(from[i], sizes[i]),
            CUDA_ERROR_INVALID_VALUE);
  }
  return CUDA_SUCCESS;
}

/* All copies or none. Unlike those of single copies, host ends are used in stream order, unless the
 * attributes promise that the source may go away. A batch has no order of its own: the last copy
 * comes first unless KVF_EMULATOR_ORDER is forward. */
static CUresult copy_batch(const CUdeviceptr *to, const CUdeviceptr *from, const size_t *sizes,
                           size_t count, const CUmemcpyAttributes *attributes, const size_t *first,
                           size_t kinds, size_t *failed, CUstream handle) {
  REQUIRE(handle != NULL && handle != CU_STREAM_LEGACY, CUDA_ERROR_INVALID_VALUE);
  CUstream stream;
  TRY(stream_get(handle, &stream));
  REQUIRE(!stream->captured, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  TRY(check_batch(to, from, sizes, count, attributes, first, kinds, failed));
  const char *order = getenv("KVF_EMULATOR_ORDER");
  bool backwards = order && strcmp(order, "forward") != 0;
  for (size_t n = 0; n < count; n++) {
    size_t i = backwards ? count - 1 - n : n, k = kinds - 1;
    while (first[k] > i)
      k--;
    bool staged = attributes[k].srcAccessOrder == CU_MEMCPY_SRC_ACCESS_ORDER_DURING_API_CALL;
    TRY(enqueue_copy(stream, to[i], from[i], sizes[i], staged));
  }
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuMemcpyBatchAsync_v2(CUdeviceptr *to, CUdeviceptr *from, size_t *sizes,
                                       size_t count, CUmemcpyAttributes *attributes, size_t *first,
                                       size_t kinds, CUstream stream) {
  DRIVER_CALL();
  size_t failed;
  return copy_batch(to, from, sizes, count, attributes, first, kinds, &failed, stream);
}

#undef cuMemcpyBatchAsync
CUresult CUDAAPI cuMemcpyBatchAsync(CUdeviceptr *to, CUdeviceptr *from, size_t *sizes, size_t count,
                                    CUmemcpyAttributes *attributes, size_t *first, size_t kinds,
                                    size_t *failed, CUstream stream);
CUresult CUDAAPI cuMemcpyBatchAsync(CUdeviceptr *to, CUdeviceptr *from, size_t *sizes, size_t count,
                                    CUmemcpyAttributes *attributes, size_t *first, size_t kinds,
                                    size_t *failed, CUstream stream) {
  DRIVER_CALL();
  REQUIRE(failed, CUDA_ERROR_INVALID_VALUE);
  *failed = SIZE_MAX; /* an error that belongs to no single copy */
  return copy_batch(to, from, sizes, count, attributes, first, kinds, failed, stream);
}

/* ---- Fills ---- */

typedef struct fill {
  operation base;
  uintptr_t to;
  size_t size;
  unsigned char value;
} fill;

static CUresult run_fill(operation *self) {
  const fill *f = (const fill *)self;
  memory_expose(f->to, f->size);
  memset((void *)f->to, f->value, f->size);
  memory_hide(f->to, f->size);
  return CUDA_SUCCESS;
}

static CUresult fill_async(CUstream handle, uintptr_t to, unsigned char value, size_t size) {
  CUstream stream;
  TRY(stream_get(handle, &stream));
  if (size == 0)
    return CUDA_SUCCESS;
  REQUIRE(is_known(to, size), CUDA_ERROR_INVALID_VALUE);
  fill *f = operation_new(sizeof *f, run_fill);
  REQUIRE(f, CUDA_ERROR_OUT_OF_MEMORY);
  f->to = to;
  f->size = size;
  f->value = value;
  stream_enqueue(stream, &f->base);
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuMemsetD8_v2(CUdeviceptr to, unsigned char value, size_t size) {
  DRIVER_CALL();
  return fill_async(NULL, to, value, size);
}

CUresult CUDAAPI cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t size,
                                 CUstream stream) {
  DRIVER_CALL();
  return fill_async(stream, to, value, size);
}
