/* Opening libcuda. */
#include "core/cuda_driver.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

static kvf_cuda_driver driver;
static char why_not[256]; /* empty: the driver is there */

static bool find_entry_points(void *library) {
#define FIND(member, symbol, parameters)                                                           \
  {                                                                                                \
    void *const found = dlsym(library, #symbol);                                                   \
    if (found == NULL) {                                                                           \
      (void)snprintf(why_not, sizeof why_not,                                                      \
                     "the CUDA driver has no %s, want a driver for CUDA 12.0 or newer", #symbol);  \
      return false;                                                                                \
    }                                                                                              \
    memcpy(&driver.member, &found, sizeof found); /* ISO C has no cast to function pointers */     \
  }
  KVF_CUDA_ENTRY_POINTS(FIND)
#undef FIND
#define FIND(member, symbol, parameters)                                                           \
  {                                                                                                \
    void *const found = dlsym(library, #symbol);                                                   \
    memcpy(&driver.member, &found, sizeof found);                                                  \
  }
  KVF_CUDA_OPTIONAL_ENTRY_POINTS(FIND)
#undef FIND
  return true;
}

static void open_driver(void) {
  const char *path = getenv("KVFORGE_LIBCUDA");
  if (path == NULL || path[0] == '\0') { /* dlopen("") is the program itself */
    path = "libcuda.so.1";
  }
  void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    (void)snprintf(why_not, sizeof why_not, "cannot open the CUDA driver: %s", dlerror());
    return;
  }
  if (!find_entry_points(library)) {
    return;
  }
  int code = driver.init(0);
  code = code == CUDA_OK ? driver.device_count(&driver.num_devices) : code;
  if (code != CUDA_OK) {
    const char *name = NULL;
    (void)driver.error_name(code, &name);
    (void)snprintf(why_not, sizeof why_not, "the CUDA driver finds no device: %s",
                   name ? name : "unknown error");
  } else if (driver.num_devices == 0) {
    (void)snprintf(why_not, sizeof why_not, "the CUDA driver finds no device");
  }
}

kvf_status kvf_cuda_open(const kvf_cuda_driver **opened) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, open_driver);
  if (why_not[0] != '\0') {
    return kvf_error(KVF_NO_DEVICE, "cuda: %s", why_not);
  }
  *opened = &driver;
  return KVF_OK;
}

kvf_status kvf_cuda_check(const kvf_cuda_driver *opened, int code, const char *doing) {
  if (code == CUDA_OK) {
    return KVF_OK;
  }
  const char *name = NULL;
  (void)opened->error_name(code, &name);
  return kvf_error(KVF_CUDA_ERROR, "cuda: %s: %s (%d)", doing, name ? name : "unknown error", code);
}
