/* Opening libcuda. */
#include "core/cuda_driver.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

enum { CLOSED, OPENING, OPENED, FORKED };

static _Atomic(int) state = CLOSED; /* OPENED: kvf_cuda_opened is not NULL */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static void *library; /* libcuda, once it is known to be one */
static kvf_cuda_driver driver;
_Atomic(const kvf_cuda_driver *) kvf_cuda_opened;

/* libcuda works only in the process that initialised it. */
static void after_fork(void) {
  if (atomic_load_explicit(&state, memory_order_relaxed) != CLOSED) {
    atomic_store_explicit(&state, FORKED, memory_order_relaxed);
    atomic_store_explicit(&kvf_cuda_opened, NULL, memory_order_relaxed);
  }
  opening = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER; /* whoever held it is not here */
}

/* Registered once, before there is anything that a child must not use. */
static kvf_status watch_forks(void) {
  static bool watching;
  if (!watching && pthread_atfork(NULL, NULL, after_fork) != 0) {
    return kvf_error(KVF_OUT_OF_MEMORY, "cuda: no memory to open the CUDA driver");
  }
  watching = true;
  return KVF_OK;
}

static kvf_status find_entry_points(void *in) {
#define FIND(member, symbol, parameters)                                                           \
  {                                                                                                \
    void *const found = dlsym(in, #symbol);                                                        \
    if (found == NULL) {                                                                           \
      return kvf_error(KVF_NO_DEVICE,                                                              \
                       "cuda: the CUDA driver has no %s, want a driver for CUDA 12.0 or newer",    \
                       #symbol);                                                                   \
    }                                                                                              \
    memcpy(&driver.member, &found, sizeof found); /* ISO C has no cast to function pointers */     \
  }
  KVF_CUDA_ENTRY_POINTS(FIND)
#undef FIND
#define FIND(member, symbol, parameters)                                                           \
  {                                                                                                \
    void *const found = dlsym(in, #symbol);                                                        \
    memcpy(&driver.member, &found, sizeof found);                                                  \
  }
  KVF_CUDA_OPTIONAL_ENTRY_POINTS(FIND)
#undef FIND
  return KVF_OK;
}

static kvf_status open_library(void) {
  if (library != NULL) {
    return KVF_OK;
  }
  const char *path = getenv("KVFORGE_LIBCUDA");
  if (path == NULL || path[0] == '\0') { /* dlopen("") is the program itself */
    path = "libcuda.so.1";
  }
  errno = 0;
  void *const opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (opened == NULL) {
    const kvf_status status = errno == ENOMEM ? KVF_OUT_OF_MEMORY : KVF_NO_DEVICE;
    return kvf_error(status, "cuda: cannot open the CUDA driver: %s", dlerror());
  }
  const kvf_status status = find_entry_points(opened);
  if (status == KVF_OK) {
    library = opened;
  } else {
    (void)dlclose(opened);
  }
  return status;
}

static const char *name_of(int code) {
  const char *name = NULL;
  (void)driver.error_name(code, &name);
  return name ? name : "unknown error";
}

static kvf_status initialise(void) {
  int code = driver.init(0);
  if (code == CUDA_NOT_INITIALIZED) { /* from cuInit, of all functions */
    return kvf_error(KVF_NO_DEVICE,
                     "cuda: cuInit: %s (%d): this process was forked from one that had initialised "
                     "the CUDA driver, which works only there: fork before the first use of CUDA, "
                     "or start the child with exec (in Python: spawn)",
                     name_of(code), code);
  }
  const char *entry = "cuInit";
  if (code == CUDA_OK) {
    entry = "cuDeviceGetCount";
    code = driver.device_count(&driver.num_devices);
  }
  if (code != CUDA_OK) {
    return kvf_error(KVF_NO_DEVICE, "cuda: the CUDA driver finds no device: %s: %s (%d)", entry,
                     name_of(code), code);
  }
  return driver.num_devices > 0 ? KVF_OK
                                : kvf_error(KVF_NO_DEVICE, "cuda: the CUDA driver finds no device");
}

/* Whatever fails may pass: the next call tries again. */
static kvf_status open_driver(void) {
  kvf_status status = watch_forks();
  if (status == KVF_OK) {
    atomic_store_explicit(&state, OPENING, memory_order_relaxed);
    status = open_library();
    status = status == KVF_OK ? initialise() : status;
    atomic_store_explicit(&state, status == KVF_OK ? OPENED : CLOSED, memory_order_relaxed);
    atomic_store_explicit(&kvf_cuda_opened, status == KVF_OK ? &driver : NULL,
                          memory_order_release);
  }
  return status;
}

kvf_status kvf_cuda_open_first(const kvf_cuda_driver **opened) {
  if (atomic_load_explicit(&state, memory_order_relaxed) == FORKED) {
    return kvf_error(KVF_NO_DEVICE,
                     "cuda: this process was forked from one that had opened the CUDA driver, "
                     "which works only there: fork before the first use of CUDA, or start the "
                     "child with exec (in Python: spawn)");
  }
  kvf_status status = KVF_OK;
  (void)pthread_mutex_lock(&opening);
  if (atomic_load_explicit(&state, memory_order_relaxed) != OPENED) {
    status = open_driver();
  }
  (void)pthread_mutex_unlock(&opening);
  *opened = &driver;
  return status;
}

kvf_status kvf_cuda_failed(int code, const char *entry, const char *purpose) {
  return kvf_error(KVF_CUDA_ERROR, "cuda: %s%s%s: %s (%d)", entry, purpose ? " for " : "",
                   purpose ? purpose : "", name_of(code), code);
}
