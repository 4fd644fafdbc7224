/*
 * Device memory of the library's own, for what launches of one call leave for each other: one piece
 * for each context and stream, which keeps calls in order. It is made when a call first wants it
 * and stays: a graph that was captured with it reads and writes it whenever it is launched.
 */
#include <pthread.h>

#include "core/cuda.h"
#include "core/cuda_context.h"
#include "core/error.h"
#include "core/prepared.h"

enum {
  MAX_WORKSPACES = 64,
  TRIES = 1024 /* one of so many calls asks again for what it has not got */
};

typedef struct workspace {
  unsigned long long context; /* its number: another one may be made where it was */
  uint64_t thread;            /* whose default stream it is; 0 for any other stream */
  void *stream;
  _Atomic(uint64_t) memory; /* 0: none */
  uint32_t refused;         /* calls since it could not be had, that one too */
} workspace;

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
static workspace workspaces[MAX_WORKSPACES];
static _Atomic(int32_t) num_workspaces;

static workspace *find(unsigned long long context, void *stream, uint64_t thread) {
  const int32_t count = atomic_load_explicit(&num_workspaces, memory_order_acquire);
  for (int32_t i = 0; i < count; ++i) {
    workspace *const each = &workspaces[i];
    if (each->context == context && each->stream == stream && each->thread == thread) {
      return each;
    }
  }
  return NULL;
}

/* The place of a stream, made if there is room. */
static workspace *place_of(unsigned long long context, void *stream, uint64_t thread) {
  workspace *found = find(context, stream, thread);
  const int32_t count = atomic_load_explicit(&num_workspaces, memory_order_relaxed);
  if (found == NULL && count < MAX_WORKSPACES) {
    found = &workspaces[count];
    found->context = context;
    found->stream = stream;
    found->thread = thread;
    atomic_store_explicit(&num_workspaces, count + 1, memory_order_release);
  }
  return found;
}

/* While nobody else does. That there is no memory is no error: the call goes without. */
static kvf_status allocate(const kvf_cuda_driver *driver, workspace *of) {
  int mode = 0;
  uint64_t memory = 0;
  const kvf_status status = kvf_cuda_relax(driver, &mode);
  if (status != KVF_OK) {
    return status;
  }
  if (driver->allocate(&memory, KVF_CUDA_WORKSPACE) == CUDA_OK) {
    atomic_store_explicit(&of->memory, memory, memory_order_release);
  } else {
    of->refused = 1;
  }
  return kvf_cuda_restore(driver, mode, KVF_OK);
}

/* In the context of the stream. */
static kvf_status get(const kvf_cuda_driver *driver, void *stream, void **memory) {
  unsigned long long context = 0;
  const uint64_t thread =
      stream == CUDA_STREAM_PER_THREAD ? (uint64_t)(uintptr_t)pthread_self() : 0;
  stream = stream == CUDA_STREAM_LEGACY ? NULL : stream;
  kvf_status status =
      kvf_cuda_check(driver->context_id(NULL, &context), "cuCtxGetId", "a workspace");
  if (status != KVF_OK) {
    return status;
  }
  workspace *found = find(context, stream, thread);
  if (found == NULL || atomic_load_explicit(&found->memory, memory_order_acquire) == 0) {
    (void)pthread_mutex_lock(&making);
    found = place_of(context, stream, thread);
    if (found != NULL && atomic_load_explicit(&found->memory, memory_order_relaxed) == 0) {
      if (found->refused % TRIES == 0) {
        status = allocate(driver, found);
      } else {
        ++found->refused;
      }
    }
    (void)pthread_mutex_unlock(&making);
  }
  if (found != NULL) {
    *memory = (void *)(uintptr_t)atomic_load_explicit(&found->memory, memory_order_acquire);
  }
  return status;
}

kvf_status kvf_cuda_workspace(const kvf_check *check, void **memory) {
  const kvf_cuda_driver *driver = NULL;
  bool pushed = false;
  *memory = NULL;
  if (kvf_preparing != NULL) { /* on which stream the call will run is not known */
    return KVF_OK;
  }
  kvf_status status = kvf_cuda_open_device(check->exec.device, &driver);
  if (status == KVF_OK) {
    status = kvf_cuda_enter(driver, check->exec.device, &pushed);
    status = status == KVF_OK ? get(driver, check->exec.stream, memory) : status;
    status = kvf_cuda_leave(driver, pushed, status);
  }
  return status == KVF_OK ? status : kvf_error(status, "%s: %s", check->op->name, kvf_last_error());
}

/* In a context: gives back the memory of all its streams. */
static kvf_status free_all(const kvf_cuda_driver *driver) {
  unsigned long long context = 0;
  kvf_status status =
      kvf_cuda_check(driver->context_id(NULL, &context), "cuCtxGetId", "its workspaces");
  (void)pthread_mutex_lock(&making);
  const int32_t count = atomic_load_explicit(&num_workspaces, memory_order_relaxed);
  for (int32_t i = 0; status == KVF_OK && i < count; ++i) {
    workspace *const each = &workspaces[i];
    const uint64_t memory = atomic_load_explicit(&each->memory, memory_order_relaxed);
    if (each->context == context && memory != 0) {
      status = kvf_cuda_check(driver->deallocate(memory), "cuMemFree", "a workspace");
      atomic_store_explicit(&each->memory, status == KVF_OK ? 0 : memory, memory_order_relaxed);
    }
    if (each->context == context) {
      each->refused = 0;
    }
  }
  (void)pthread_mutex_unlock(&making);
  return status;
}

kvf_status kvf_cuda_free_workspaces(int32_t device) {
  const kvf_cuda_driver *driver = NULL;
  bool pushed = false;
  kvf_status status = kvf_cuda_open_device(device, &driver);
  if (status != KVF_OK) {
    return status;
  }
  status = kvf_cuda_enter(driver, device, &pushed);
  status = status == KVF_OK ? free_all(driver) : status;
  return kvf_cuda_leave(driver, pushed, status);
}
