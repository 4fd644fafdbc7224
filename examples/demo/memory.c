/* Memory of the backend. kvforge takes pointers and allocates nothing, so that part is the
 * caller's. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

/* X(member, symbol, parameter types): what the demo needs of libcuda. */
#define ENTRY_POINTS(X)                                                                            \
  X(init, cuInit, (unsigned))                                                                      \
  X(error_name, cuGetErrorName, (int, const char **))                                              \
  X(device_get, cuDeviceGet, (int *, int))                                                         \
  X(device_name, cuDeviceGetName, (char *, int, int))                                              \
  X(primary_retain, cuDevicePrimaryCtxRetain, (void **, int))                                      \
  X(context_set, cuCtxSetCurrent, (void *))                                                        \
  X(context_wait, cuCtxSynchronize, (void))                                                        \
  X(allocate, cuMemAlloc_v2, (unsigned long long *, size_t))                                       \
  X(release, cuMemFree_v2, (unsigned long long))                                                   \
  X(upload, cuMemcpyHtoD_v2, (unsigned long long, const void *, size_t))                           \
  X(download, cuMemcpyDtoH_v2, (void *, unsigned long long, size_t))

static struct {
#define MEMBER(member, symbol, parameters) int(*member) parameters;
  ENTRY_POINTS(MEMBER)
#undef MEMBER
} cuda;

static kvf_backend where;
static char device_name[128] = "unnamed processor";

static void check(int code, const char *doing) {
  if (code != 0) {
    const char *name = NULL;
    (void)cuda.error_name(code, &name);
    fail("%s: %s (%d)", doing, name ? name : "unknown CUDA error", code);
  }
}

static void open_cuda(void) {
  const char *const path = getenv("KVFORGE_LIBCUDA");
  void *const library = dlopen(path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    fail("cannot open the CUDA driver: %s", dlerror());
  }
#define FIND(member, symbol, parameters)                                                           \
  {                                                                                                \
    void *const found = dlsym(library, #symbol);                                                   \
    if (found == NULL) {                                                                           \
      fail("the CUDA driver has no %s", #symbol);                                                  \
    }                                                                                              \
    memcpy(&cuda.member, &found, sizeof found); /* ISO C has no cast to function pointers */       \
  }
  ENTRY_POINTS(FIND)
#undef FIND
  int device = 0;
  void *context = NULL;
  check(cuda.init(0), "cuInit");
  check(cuda.device_get(&device, 0), "cuDeviceGet");
  check(cuda.device_name(device_name, (int)sizeof device_name, device), "cuDeviceGetName");
  check(cuda.primary_retain(&context, device), "cuDevicePrimaryCtxRetain");
  check(cuda.context_set(context), "cuCtxSetCurrent");
}

/* Linux tells the processor's name on most architectures. */
static void find_processor_name(void) {
  FILE *const file = fopen("/proc/cpuinfo", "r");
  char line[512];
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "model name : %127[^\n]", device_name) == 1) {
      break;
    }
  }
  if (file != NULL) {
    (void)fclose(file);
  }
}

void memory_open(kvf_backend backend) {
  where = backend;
  if (where == KVF_CUDA) {
    open_cuda();
  } else {
    find_processor_name();
  }
}

const char *memory_device(void) { return device_name; }

DLDevice memory_dldevice(void) { return (DLDevice){where == KVF_CUDA ? kDLCUDA : kDLCPU, 0}; }

static unsigned long long address_of(const void *memory) {
  return (unsigned long long)(uintptr_t)memory;
}

void *memory_allocate(size_t bytes) {
  if (where == KVF_CPU) {
    void *const memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (memory == NULL) {
      fail("cannot allocate %zu bytes", bytes);
    }
    return memory;
  }
  unsigned long long address = 0;
  check(cuda.allocate(&address, bytes), "cuMemAlloc");
  return (void *)(uintptr_t)address;
}

void memory_release(void *memory) {
  if (where == KVF_CPU) {
    free(memory);
  } else {
    check(cuda.release(address_of(memory)), "cuMemFree");
  }
}

void memory_upload(void *to, const void *from, size_t bytes) {
  if (where == KVF_CPU) {
    memcpy(to, from, bytes);
  } else {
    check(cuda.upload(address_of(to), from, bytes), "cuMemcpyHtoD");
  }
}

void memory_download(void *to, const void *from, size_t bytes) {
  if (where == KVF_CPU) {
    memcpy(to, from, bytes);
  } else {
    check(cuda.download(to, address_of(from), bytes), "cuMemcpyDtoH");
  }
}

void memory_wait(void) {
  if (where == KVF_CUDA) {
    check(cuda.context_wait(), "cuCtxSynchronize");
  }
}
