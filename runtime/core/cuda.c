/*
 * The CUDA backend: contexts, lazily loaded kernels, launches, fault counters.
 *
 * Kernels are loaded as context-independent libraries, so one handle serves every device and every
 * context, whoever made it. After a variant's first call nothing here allocates, locks or waits.
 */
#include "core/cuda.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/cuda_driver.h"
#include "core/error.h"
#include "core/registry.h"
#include "kvforge/op.h"

enum { MAX_DEVICES = 64, CACHE_LINE = 64 };

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(void *) primary_contexts[MAX_DEVICES]; /* retained for the life of the process */
static _Atomic(char *) fault_memory;                  /* MAX_DEVICES counters, a cache line apart */

/* The driver, if it has this device. */
static kvf_status open_device(int32_t device, const kvf_cuda_driver **driver) {
  const kvf_status status = kvf_cuda_open(driver);
  if (status != KVF_OK) {
    return status;
  }
  const int32_t devices = (*driver)->num_devices;
  if (device < 0 || device >= devices || device >= MAX_DEVICES) {
    return kvf_error(KVF_NO_DEVICE, "cuda: device is %d, want 0 to %d", device, devices - 1);
  }
  return KVF_OK;
}

kvf_status kvf_cuda_device_count(int32_t *count) {
  if (count == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_cuda_device_count: count: got NULL, want an address");
  }
  const kvf_cuda_driver *driver = NULL;
  const kvf_status status = kvf_cuda_open(&driver);
  if (status == KVF_OK) {
    *count = driver->num_devices;
  }
  return status;
}

int64_t kvf_check_arch(const kvf_check *check) {
  static _Atomic(int64_t) known[MAX_DEVICES]; /* 0: not asked yet */
  const kvf_cuda_driver *driver = NULL;
  const int32_t device = check->exec.device;
  if (check->exec.backend != KVF_CUDA || open_device(device, &driver) != KVF_OK) {
    return 0;
  }
  int64_t arch = atomic_load_explicit(&known[device], memory_order_relaxed);
  int handle = 0;
  int major = 0;
  int minor = 0;
  if (arch == 0 && driver->device_get(&handle, device) == CUDA_OK &&
      driver->device_attribute(&major, CUDA_CAPABILITY_MAJOR, handle) == CUDA_OK &&
      driver->device_attribute(&minor, CUDA_CAPABILITY_MINOR, handle) == CUDA_OK) {
    arch = 10 * (int64_t)major + minor;
    atomic_store_explicit(&known[device], arch, memory_order_relaxed);
  }
  return arch;
}

/* ---- contexts
 * ------------------------------------------------------------------------------------ */

static kvf_status retain_primary(const kvf_cuda_driver *driver, int32_t device, void **context) {
  *context = atomic_load_explicit(&primary_contexts[device], memory_order_acquire);
  if (*context != NULL) {
    return KVF_OK;
  }
  int handle = 0;
  kvf_status status = kvf_cuda_check(driver, driver->device_get(&handle, device), "cuDeviceGet");
  if (status == KVF_OK) {
    status =
        kvf_cuda_check(driver, driver->primary_retain(context, handle), "cuDevicePrimaryCtxRetain");
  }
  if (status == KVF_OK) {
    /* Two threads may retain twice; the context is never released, so a count too many is harmless.
     */
    atomic_store_explicit(&primary_contexts[device], *context, memory_order_release);
  }
  return status;
}

/* Makes a context of the device current, unless one is; *pushed tells whether leave() must pop. */
static kvf_status enter(const kvf_cuda_driver *driver, int32_t device, bool *pushed) {
  void *context = NULL;
  int current = -1;
  *pushed = false;
  if (driver->context_current(&context) == CUDA_OK && context != NULL &&
      driver->context_device(&current) == CUDA_OK && current == device) {
    return KVF_OK;
  }
  kvf_status status = retain_primary(driver, device, &context);
  if (status == KVF_OK) {
    status = kvf_cuda_check(driver, driver->context_push(context), "cuCtxPushCurrent");
    *pushed = status == KVF_OK;
  }
  return status;
}

static void leave(const kvf_cuda_driver *driver, bool pushed) {
  void *context = NULL;
  if (pushed) {
    (void)driver->context_pop(&context);
  }
}

/* ---- lazily made things
 * -------------------------------------------------------------------------- */

/* Loading may allocate, which a stream capture of the calling thread would forbid: relax it. */
static kvf_status load_kernel(const kvf_cuda_driver *driver, kvf_cuda_image *image) {
  int mode = CUDA_CAPTURE_RELAXED;
  void *library = NULL;
  void *kernel = NULL;
  char doing[192];
  (void)driver->capture_mode(&mode);
  (void)snprintf(doing, sizeof doing, "loading %s", image->symbol);
  const unsigned char *fatbin = atomic_load_explicit(&image->fatbin, memory_order_acquire);
  kvf_status status = kvf_cuda_check(
      driver, driver->library_load(&library, fatbin, NULL, NULL, 0, NULL, NULL, 0), doing);
  if (status == KVF_OK) {
    status = kvf_cuda_check(driver, driver->library_kernel(&kernel, library, image->symbol), doing);
  }
  if (status == KVF_OK) {
    atomic_store_explicit(&image->kernel, kernel, memory_order_release);
  }
  (void)driver->capture_mode(&mode);
  return status;
}

static kvf_status get_kernel(const kvf_cuda_driver *driver, kvf_cuda_image *image, void **kernel) {
  *kernel = atomic_load_explicit(&image->kernel, memory_order_acquire);
  if (*kernel != NULL) {
    return KVF_OK;
  }
  kvf_status status = KVF_OK;
  (void)pthread_mutex_lock(&loading);
  if (atomic_load_explicit(&image->kernel, memory_order_relaxed) == NULL) {
    status = load_kernel(driver, image);
  }
  (void)pthread_mutex_unlock(&loading);
  *kernel = atomic_load_explicit(&image->kernel, memory_order_acquire);
  return status;
}

static kvf_status allocate_faults(const kvf_cuda_driver *driver, int32_t device) {
  bool pushed = false;
  kvf_status status = enter(driver, device, &pushed);
  if (status != KVF_OK) {
    return status;
  }
  int mode = CUDA_CAPTURE_RELAXED;
  void *memory = NULL;
  const size_t bytes = (size_t)MAX_DEVICES * CACHE_LINE;
  (void)driver->capture_mode(&mode);
  status = kvf_cuda_check(
      driver,
      driver->host_alloc(&memory, bytes, CUDA_HOST_ALLOC_PORTABLE | CUDA_HOST_ALLOC_DEVICE_MAP),
      "allocating fault counters");
  (void)driver->capture_mode(&mode);
  if (status == KVF_OK) {
    memset(memory, 0, bytes);
    atomic_store_explicit(&fault_memory, (char *)memory, memory_order_release);
  }
  leave(driver, pushed);
  return status;
}

kvf_status kvf_cuda_fault_counter(int32_t device, unsigned long long **counter) {
  const kvf_cuda_driver *driver = NULL;
  kvf_status status = open_device(device, &driver);
  if (status != KVF_OK) {
    return status;
  }
  char *memory = atomic_load_explicit(&fault_memory, memory_order_acquire);
  if (memory == NULL) {
    (void)pthread_mutex_lock(&loading);
    if (atomic_load_explicit(&fault_memory, memory_order_relaxed) == NULL) {
      status = allocate_faults(driver, device);
    }
    (void)pthread_mutex_unlock(&loading);
    memory = atomic_load_explicit(&fault_memory, memory_order_acquire);
  }
  if (status == KVF_OK) {
    *counter = (unsigned long long *)(memory + (size_t)device * CACHE_LINE);
  }
  return status;
}

kvf_status kvf_cuda_fault_count(int32_t device, uint64_t *count) {
  if (count == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_cuda_fault_count: count: got NULL, want an address");
  }
  unsigned long long *counter = NULL;
  const kvf_status status = kvf_cuda_fault_counter(device, &counter);
  if (status == KVF_OK) {
    *count = *(volatile unsigned long long *)counter;
  }
  return status;
}

kvf_status kvf_cuda_clear_faults(int32_t device) {
  unsigned long long *counter = NULL;
  const kvf_status status = kvf_cuda_fault_counter(device, &counter);
  if (status == KVF_OK) {
    *(volatile unsigned long long *)counter = 0;
  }
  return status;
}

/* ---- launch
 * -------------------------------------------------------------------------------------- */

kvf_status kvf_prepare(const kvf_variant *variant, int32_t device) {
  if (variant == NULL) {
    return kvf_error(KVF_NOT_BUILT, "kvf_prepare: variant: got NULL, want one of an op");
  }
  if (!kvf_variant_built(variant)) {
    return kvf_not_built(variant);
  }
  if (variant->backend == KVF_CPU) {
    return KVF_OK;
  }
  const kvf_cuda_driver *driver = NULL;
  kvf_status status = open_device(device, &driver);
  unsigned long long *counter = NULL;
  status = status == KVF_OK ? kvf_cuda_fault_counter(device, &counter) : status;
  void *kernel = NULL;
  return status == KVF_OK && variant->image != NULL ? get_kernel(driver, variant->image, &kernel)
                                                    : status;
}

kvf_status kvf_cuda_run(const kvf_check *check, const kvf_variant *variant, const void *params,
                        const kvf_grid *grid) {
  const kvf_cuda_driver *driver = NULL;
  kvf_status status = open_device(check->exec.device, &driver);
  bool pushed = false;
  status = status == KVF_OK ? enter(driver, check->exec.device, &pushed) : status;
  if (status != KVF_OK) {
    return status;
  }
  void *kernel = NULL;
  status = get_kernel(driver, variant->image, &kernel);
  if (status == KVF_OK) {
    void *arguments[] = {(void *)(uintptr_t)params};
    status = kvf_cuda_check(driver,
                            driver->launch(kernel, grid->grid[0], grid->grid[1], grid->grid[2],
                                           grid->block[0], grid->block[1], grid->block[2],
                                           grid->shared_bytes, check->exec.stream, arguments, NULL),
                            variant->symbol);
  }
  leave(driver, pushed);
  return status;
}

/* ---- copies
 * -------------------------------------------------------------------------------------- */

/* The driver has batches, but not on the legacy default stream and not into a graph. */
static bool can_batch(const kvf_cuda_driver *driver, void *stream, kvf_status *status) {
  int capturing = CUDA_NOT_CAPTURING;
  if ((driver->copy_batch == NULL && driver->copy_batch_v1 == NULL) || stream == NULL ||
      stream == CUDA_STREAM_LEGACY) {
    return false;
  }
  *status = kvf_cuda_check(driver, driver->is_capturing(stream, &capturing), "cuStreamIsCapturing");
  return *status == KVF_OK && capturing == CUDA_NOT_CAPTURING;
}

static int copy_batch(const kvf_cuda_driver *driver, const kvf_cuda_copies *copies, void *stream) {
  kvf_cuda_copy_attributes attributes = {
      .source_order = copies->any_order ? CUDA_SOURCE_IN_ANY_ORDER : CUDA_SOURCE_IN_STREAM_ORDER};
  size_t first = 0; /* the attributes are those of copies from here on */
  size_t at_fault = 0;
  return driver->copy_batch != NULL
             ? driver->copy_batch(copies->to, copies->from, copies->bytes, copies->count,
                                  &attributes, &first, 1, stream)
             : driver->copy_batch_v1(copies->to, copies->from, copies->bytes, copies->count,
                                     &attributes, &first, 1, &at_fault, stream);
}

static kvf_status copy_each(const kvf_cuda_driver *driver, const kvf_cuda_copies *copies,
                            void *stream) {
  for (size_t i = 0; i < copies->count; ++i) {
    const int code = driver->copy(copies->to[i], copies->from[i], copies->bytes[i], stream);
    if (code != CUDA_OK) {
      char doing[96];
      (void)snprintf(doing, sizeof doing, "copying %zu bytes from 0x%llx to 0x%llx",
                     copies->bytes[i], (unsigned long long)copies->from[i],
                     (unsigned long long)copies->to[i]);
      return kvf_cuda_check(driver, code, doing);
    }
  }
  return KVF_OK;
}

kvf_status kvf_cuda_copy(const kvf_check *check, const kvf_cuda_copies *copies) {
  const kvf_cuda_driver *driver = NULL;
  kvf_status status = open_device(check->exec.device, &driver);
  bool pushed = false;
  status = status == KVF_OK ? enter(driver, check->exec.device, &pushed) : status;
  if (status != KVF_OK) {
    return status;
  }
  int code = CUDA_NOT_SUPPORTED;
  if (copies->count > 1 && can_batch(driver, check->exec.stream, &status)) {
    code = copy_batch(driver, copies, check->exec.stream);
    if (code != CUDA_NOT_SUPPORTED) {
      status = kvf_cuda_check(driver, code, "copying in one batch");
    }
  }
  if (status == KVF_OK && code == CUDA_NOT_SUPPORTED) {
    status = copy_each(driver, copies, check->exec.stream);
  }
  leave(driver, pushed);
  return status;
}
