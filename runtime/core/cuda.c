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

#include "core/cuda_context.h"
#include "core/error.h"
#include "core/prepared.h"
#include "core/registry.h"
#include "kvforge/op.h"

enum { MAX_DEVICES = 64, CACHE_LINE = 64 };

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(void *) primary_contexts[MAX_DEVICES]; /* retained for the life of the process */
static _Atomic(char *) fault_memory;                  /* MAX_DEVICES counters, a cache line apart */
static _Atomic(uint64_t) cleared_faults[MAX_DEVICES]; /* what the counters had come to */

static __attribute__((noinline)) kvf_status refuse_device(int32_t device, int32_t devices) {
  return kvf_error(KVF_NO_DEVICE, "cuda: device is %d, want 0 to %d", device, devices - 1);
}

static inline kvf_status open_device(int32_t device, const kvf_cuda_driver **driver) {
  const kvf_status status = kvf_cuda_open(driver);
  if (status != KVF_OK) {
    return status;
  }
  const int32_t devices = (*driver)->num_devices;
  const bool there = device >= 0 && device < devices && device < MAX_DEVICES;
  return there ? KVF_OK : refuse_device(device, devices);
}

kvf_status kvf_cuda_open_device(int32_t device, const kvf_cuda_driver **driver) {
  return open_device(device, driver);
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

/* A number of a device that is there; `known` has it from the second time on. */
static kvf_status ask_device(const kvf_cuda_driver *driver, int32_t device, int attribute,
                             const char *what, _Atomic(int) *known, int *answer) {
  int handle = 0;
  kvf_status status = KVF_OK;
  *answer = atomic_load_explicit(known, memory_order_relaxed);
  if (*answer == 0) {
    status = kvf_cuda_check(driver->device_get(&handle, device), "cuDeviceGet", NULL);
    status = status == KVF_OK ? kvf_cuda_check(driver->device_attribute(answer, attribute, handle),
                                               "cuDeviceGetAttribute", what)
                              : status;
    atomic_store_explicit(known, status == KVF_OK ? *answer : 0, memory_order_relaxed);
  }
  return status;
}

/* The bytes of shared memory that a thread block can have. */
static kvf_status shared_limit(const kvf_cuda_driver *driver, int32_t device, int *bytes) {
  static _Atomic(int) known[MAX_DEVICES];
  return ask_device(driver, device, CUDA_MAX_SHARED_BYTES, "the shared memory of a thread block",
                    &known[device], bytes);
}

/* ---- contexts
 * ------------------------------------------------------------------------------------ */

/* Retained once for each device; other threads wait. */
static kvf_status retain_primary(const kvf_cuda_driver *driver, int32_t device, void **context) {
  kvf_status status = KVF_OK;
  int handle = 0;
  (void)pthread_mutex_lock(&loading);
  *context = atomic_load_explicit(&primary_contexts[device], memory_order_relaxed);
  if (*context == NULL) {
    status = kvf_cuda_check(driver->device_get(&handle, device), "cuDeviceGet", NULL);
    if (status == KVF_OK) {
      status =
          kvf_cuda_check(driver->primary_retain(context, handle), "cuDevicePrimaryCtxRetain", NULL);
    }
    if (status == KVF_OK) {
      atomic_store_explicit(&primary_contexts[device], *context, memory_order_release);
    }
  }
  (void)pthread_mutex_unlock(&loading);
  return status;
}

kvf_status kvf_cuda_enter(const kvf_cuda_driver *driver, int32_t device, bool *pushed) {
  void *context = NULL;
  int current = -1;
  *pushed = false;
  kvf_status status = kvf_cuda_check(driver->context_current(&context), "cuCtxGetCurrent", NULL);
  if (status == KVF_OK && context != NULL) {
    status = kvf_cuda_check(driver->context_device(&current), "cuCtxGetDevice", NULL);
  }
  if (status != KVF_OK || current == device) {
    return status;
  }
  context = atomic_load_explicit(&primary_contexts[device], memory_order_acquire);
  if (context == NULL) {
    status = retain_primary(driver, device, &context);
  }
  if (status == KVF_OK) {
    status = kvf_cuda_check(driver->context_push(context), "cuCtxPushCurrent", NULL);
    *pushed = status == KVF_OK;
  }
  return status;
}

kvf_status kvf_cuda_leave(const kvf_cuda_driver *driver, bool pushed, kvf_status status) {
  void *context = NULL;
  if (!pushed || driver->context_pop(&context) == CUDA_OK) {
    return status;
  }
  const int code = driver->context_pop(&context);
  return status == KVF_OK ? kvf_cuda_check(code, "cuCtxPopCurrent", "the caller's context")
                          : status;
}

/* ---- lazily made things
 * -------------------------------------------------------------------------- */

kvf_status kvf_cuda_relax(const kvf_cuda_driver *driver, int *found) {
  *found = CUDA_CAPTURE_RELAXED;
  return kvf_cuda_check(driver->capture_mode(found), "cuThreadExchangeStreamCaptureMode", NULL);
}

kvf_status kvf_cuda_restore(const kvf_cuda_driver *driver, int found, kvf_status status) {
  int mode = found;
  if (driver->capture_mode(&mode) == CUDA_OK) {
    return status;
  }
  mode = found;
  const int code = driver->capture_mode(&mode);
  return status == KVF_OK ? kvf_cuda_check(code, "cuThreadExchangeStreamCaptureMode",
                                           "the caller's capture mode")
                          : status;
}

/* A library whose kernel cannot be had is unloaded. */
static kvf_status load_kernel(const kvf_cuda_driver *driver, kvf_cuda_image *image) {
  int mode = 0;
  void *library = NULL;
  void *kernel = NULL;
  kvf_status status = kvf_cuda_relax(driver, &mode);
  if (status != KVF_OK) {
    return status;
  }
  const unsigned char *fatbin = atomic_load_explicit(&image->fatbin, memory_order_acquire);
  status = kvf_cuda_check(driver->library_load(&library, fatbin, NULL, NULL, 0, NULL, NULL, 0),
                          "cuLibraryLoadData", image->symbol);
  if (status == KVF_OK) {
    status = kvf_cuda_check(driver->library_kernel(&kernel, library, image->symbol),
                            "cuLibraryGetKernel", image->symbol);
    if (status == KVF_OK) {
      atomic_store_explicit(&image->kernel, kernel, memory_order_release);
    } else {
      (void)driver->library_unload(library);
    }
  }
  return kvf_cuda_restore(driver, mode, status);
}

static __attribute__((noinline)) kvf_status get_first(const kvf_cuda_driver *driver,
                                                      kvf_cuda_image *image, void **kernel) {
  kvf_status status = KVF_OK;
  (void)pthread_mutex_lock(&loading);
  if (atomic_load_explicit(&image->kernel, memory_order_relaxed) == NULL) {
    status = load_kernel(driver, image);
  }
  (void)pthread_mutex_unlock(&loading);
  *kernel = atomic_load_explicit(&image->kernel, memory_order_acquire);
  return status;
}

static inline kvf_status get_kernel(const kvf_cuda_driver *driver, kvf_cuda_image *image,
                                    void **kernel) {
  *kernel = atomic_load_explicit(&image->kernel, memory_order_acquire);
  return *kernel != NULL ? KVF_OK : get_first(driver, image, kernel);
}

static kvf_status allocate_faults(const kvf_cuda_driver *driver) {
  int mode = 0;
  void *memory = NULL;
  const size_t bytes = (size_t)MAX_DEVICES * CACHE_LINE;
  kvf_status status = kvf_cuda_relax(driver, &mode);
  if (status != KVF_OK) {
    return status;
  }
  status = kvf_cuda_check(
      driver->host_alloc(&memory, bytes, CUDA_HOST_ALLOC_PORTABLE | CUDA_HOST_ALLOC_DEVICE_MAP),
      "cuMemHostAlloc", "fault counters");
  if (status == KVF_OK) {
    memset(memory, 0, bytes);
    atomic_store_explicit(&fault_memory, (char *)memory, memory_order_release);
  }
  return kvf_cuda_restore(driver, mode, status);
}

/* In a context of the device. */
static kvf_status make_faults(const kvf_cuda_driver *driver, int32_t device) {
  bool pushed = false;
  kvf_status status = kvf_cuda_enter(driver, device, &pushed);
  if (status == KVF_OK) {
    (void)pthread_mutex_lock(&loading);
    if (atomic_load_explicit(&fault_memory, memory_order_relaxed) == NULL) {
      status = allocate_faults(driver);
    }
    (void)pthread_mutex_unlock(&loading);
  }
  return kvf_cuda_leave(driver, pushed, status);
}

kvf_status kvf_cuda_fault_counter(int32_t device, unsigned long long **counter) {
  const kvf_cuda_driver *driver = NULL;
  kvf_status status = open_device(device, &driver);
  if (status == KVF_OK && atomic_load_explicit(&fault_memory, memory_order_acquire) == NULL) {
    status = make_faults(driver, device);
  }
  if (status == KVF_OK) {
    char *const memory = atomic_load_explicit(&fault_memory, memory_order_acquire);
    *counter = (unsigned long long *)(memory + (size_t)device * CACHE_LINE);
  }
  return status;
}

/*
 * The device alone writes to its counter, which only rises, so that nothing it adds can be lost.
 * Clearing remembers what it has come to.
 */
static uint64_t read_counter(const unsigned long long *counter) {
  return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

kvf_status kvf_cuda_fault_count(int32_t device, uint64_t *count) {
  if (count == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_cuda_fault_count: count: got NULL, want an address");
  }
  unsigned long long *counter = NULL;
  const kvf_status status = kvf_cuda_fault_counter(device, &counter);
  if (status == KVF_OK) {
    /* In this order: what was cleared is never more than what is read after it. */
    const uint64_t cleared = atomic_load_explicit(&cleared_faults[device], memory_order_acquire);
    *count = read_counter(counter) - cleared;
  }
  return status;
}

kvf_status kvf_cuda_clear_faults(int32_t device, uint64_t *cleared) {
  unsigned long long *counter = NULL;
  const kvf_status status = kvf_cuda_fault_counter(device, &counter);
  if (status == KVF_OK) {
    uint64_t before = atomic_load_explicit(&cleared_faults[device], memory_order_acquire);
    uint64_t now = read_counter(counter);
    while (!atomic_compare_exchange_weak_explicit(&cleared_faults[device], &before, now,
                                                  memory_order_acq_rel, memory_order_acquire)) {
      now = read_counter(counter);
    }
    if (cleared != NULL) {
      *cleared = now - before;
    }
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

static _Atomic(bool) programmatic;

bool kvf_programmatic(void) { return atomic_load_explicit(&programmatic, memory_order_relaxed); }

void kvf_set_programmatic(bool wanted) {
  atomic_store_explicit(&programmatic, wanted, memory_order_relaxed);
}

/* The errors of a call name its op. */
static kvf_status end_call(const kvf_check *check, kvf_status status) {
  return status == KVF_OK ? status : kvf_error(status, "%s: %s", check->op->name, kvf_last_error());
}

kvf_status kvf_cuda_multiprocessors(const kvf_check *check, int *count) {
  static _Atomic(int) known[MAX_DEVICES];
  const int32_t device = check->exec.device;
  const kvf_cuda_driver *driver = NULL;
  kvf_status status = open_device(device, &driver);
  status = status == KVF_OK ? ask_device(driver, device, CUDA_MULTIPROCESSORS,
                                         "its multiprocessors", &known[device], count)
                            : status;
  return end_call(check, status);
}

kvf_status kvf_cuda_shared_limit(const kvf_check *check, int *bytes) {
  const kvf_cuda_driver *driver = NULL;
  kvf_status status = open_device(check->exec.device, &driver);
  status = status == KVF_OK ? shared_limit(driver, check->exec.device, bytes) : status;
  return end_call(check, status);
}

void kvf_launch_shared_bytes(kvf_check *check, const char *member, int64_t bytes) {
  if (check->status != KVF_OK || check->exec.backend != KVF_CUDA || bytes <= KVF_SHARED_BYTES) {
    return;
  }
  const kvf_cuda_driver *driver = NULL;
  int most = 0;
  kvf_status status = open_device(check->exec.device, &driver);
  status = status == KVF_OK ? shared_limit(driver, check->exec.device, &most) : status;
  if (status != KVF_OK) {
    check->status = end_call(check, status);
  } else if (bytes > most) {
    kvf_check_fail(check, KVF_UNSUPPORTED, member,
                   "needs %lld bytes of shared memory in a thread block, want at most %d, which is "
                   "what CUDA device %d has",
                   (long long)bytes, most, check->exec.device);
  }
}

/*
 * A kernel that has dynamic shared memory alone may be launched with all that there is. Not with
 * what this launch needs: another thread may be about to launch it with more.
 */
static kvf_status allow_shared(const kvf_cuda_driver *driver, const kvf_variant *variant,
                               void *kernel, const kvf_grid *grid, int32_t device) {
  int handle = 0;
  int most = 0;
  if (grid->shared_bytes <= KVF_SHARED_BYTES) {
    return KVF_OK;
  }
  kvf_status status = shared_limit(driver, device, &most);
  status = status == KVF_OK
               ? kvf_cuda_check(driver->device_get(&handle, device), "cuDeviceGet", NULL)
               : status;
  return status == KVF_OK ? kvf_cuda_check(driver->kernel_attribute(CUDA_DYNAMIC_SHARED_BYTES, most,
                                                                    kernel, handle),
                                           "cuKernelSetAttribute", variant->symbol)
                          : status;
}

/* Whether the caller wants it, and driver and device have it. */
static bool may_begin_early(const kvf_check *check, const kvf_cuda_driver *driver) {
  return check->exec.programmatic && driver->launch_ex != NULL && kvf_check_arch(check) >= 90;
}

/* Every kernel begins with kvf_begin_kernel(), which waits for those in front. */
static int launch_early(const kvf_cuda_driver *driver, void *kernel, const kvf_grid *grid,
                        void *stream, void **arguments) {
  kvf_cuda_launch_attribute early = {.id = CUDA_PROGRAMMATIC_SERIALIZATION, .value = {1}};
  const kvf_cuda_launch_config config = {
      .grid = {grid->grid[0], grid->grid[1], grid->grid[2]},
      .block = {grid->block[0], grid->block[1], grid->block[2]},
      .shared_bytes = grid->shared_bytes,
      .stream = stream,
      .attributes = &early,
      .num_attributes = 1,
  };
  return driver->launch_ex(&config, kernel, arguments, NULL);
}

static kvf_status launch(const kvf_check *check, const kvf_cuda_driver *driver,
                         const kvf_variant *variant, void *kernel, const kvf_grid *grid,
                         const void *params) {
  void *arguments[] = {(void *)(uintptr_t)params};
  if (may_begin_early(check, driver)) {
    return kvf_cuda_check(launch_early(driver, kernel, grid, check->exec.stream, arguments),
                          "cuLaunchKernelEx", variant->symbol);
  }
  return kvf_cuda_check(driver->launch(kernel, grid->grid[0], grid->grid[1], grid->grid[2],
                                       grid->block[0], grid->block[1], grid->block[2],
                                       grid->shared_bytes, check->exec.stream, arguments, NULL),
                        "cuLaunchKernel", variant->symbol);
}

kvf_status kvf_cuda_run(const kvf_check *check, const kvf_variant *variant, const void *params,
                        const kvf_grid *grid) {
  if (kvf_preparing != NULL) {
    return kvf_note_cuda(check, variant, params, grid);
  }
  const kvf_cuda_driver *driver = NULL;
  bool pushed = false;
  bool launched = false;
  void *kernel = NULL;
  kvf_status status = open_device(check->exec.device, &driver);
  status = status == KVF_OK ? kvf_cuda_enter(driver, check->exec.device, &pushed) : status;
  status = status == KVF_OK ? get_kernel(driver, variant->image, &kernel) : status;
  status =
      status == KVF_OK ? allow_shared(driver, variant, kernel, grid, check->exec.device) : status;
  if (status == KVF_OK) {
    status = launch(check, driver, variant, kernel, grid, params);
    launched = status == KVF_OK;
  }
  status = kvf_cuda_leave(driver, pushed, status);
  if (launched && status != KVF_OK) {
    status = kvf_error_add(status, "; the kernel was launched all the same");
  }
  return end_call(check, status);
}

void kvf_launch_host_memory(kvf_check *check, const char *member, void **data) {
  if (check->status != KVF_OK || check->exec.backend != KVF_CUDA) {
    return;
  }
  const kvf_cuda_driver *driver = NULL;
  bool pushed = false;
  uint64_t address = 0;
  int code = CUDA_OK;
  kvf_status status = open_device(check->exec.device, &driver);
  status = status == KVF_OK ? kvf_cuda_enter(driver, check->exec.device, &pushed) : status;
  if (status == KVF_OK) {
    code = driver->pointer_attribute(&address, CUDA_DEVICE_POINTER, (uint64_t)(uintptr_t)*data);
    if (code != CUDA_INVALID_VALUE) {
      status = kvf_cuda_check(code, "cuPointerGetAttribute", member);
    }
  }
  status = kvf_cuda_leave(driver, pushed, status);
  if (status != KVF_OK) {
    check->status = end_call(check, status);
  } else if (code == CUDA_INVALID_VALUE) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member,
                   "address %p is of host memory that no kernel can read, want pinned memory",
                   *data);
  } else {
    *data = (void *)(uintptr_t)address;
  }
}

kvf_status kvf_cuda_is_near(const kvf_check *check, uint64_t address, bool *near) {
  return kvf_cuda_find_near(check, address, NULL, near);
}

/* Where the allocation of an address begins and ends; what the driver says. */
static int ask_range(const kvf_cuda_driver *driver, uint64_t address, kvf_cuda_range *range) {
  size_t size = 0;
  int code = driver->pointer_attribute(&range->begin, CUDA_RANGE_START, address);
  if (code == CUDA_OK) {
    code = driver->pointer_attribute(&size, CUDA_RANGE_SIZE, address);
  }
  range->end = range->begin + size;
  return code;
}

kvf_status kvf_cuda_find_near(const kvf_check *check, uint64_t address, kvf_cuda_range *range,
                              bool *near) {
  const kvf_cuda_driver *driver = NULL;
  bool pushed = false;
  unsigned type = 0;
  int ordinal = 0;
  int code = CUDA_OK;
  kvf_status status = open_device(check->exec.device, &driver);
  status = status == KVF_OK ? kvf_cuda_enter(driver, check->exec.device, &pushed) : status;
  if (status == KVF_OK) {
    code = driver->pointer_attribute(&type, CUDA_MEMORY_TYPE, address);
    if (code == CUDA_OK) {
      code = driver->pointer_attribute(&ordinal, CUDA_DEVICE_ORDINAL, address);
    }
    if (code == CUDA_OK && range != NULL) {
      code = ask_range(driver, address, range);
    }
    if (code != CUDA_INVALID_VALUE) { /* which host memory is that the driver has not heard of */
      status = kvf_cuda_check(code, "cuPointerGetAttribute", NULL);
    }
  }
  *near = code == CUDA_OK && type == CUDA_DEVICE_MEMORY && ordinal == check->exec.device;
  status = kvf_cuda_leave(driver, pushed, status);
  return end_call(check, status);
}

kvf_status kvf_cuda_version(const kvf_check *check, int *version) {
  const kvf_cuda_driver *driver = NULL;
  kvf_status status = kvf_cuda_open(&driver);
  status = status == KVF_OK ? kvf_cuda_check(driver->version(version), "cuDriverGetVersion", NULL)
                            : status;
  return end_call(check, status);
}

static kvf_status ask(const kvf_cuda_driver *driver, int attribute, const void *address,
                      void *answer) {
  const int code = driver->pointer_attribute(answer, attribute, (uint64_t)(uintptr_t)address);
  return code != CUDA_INVALID_VALUE
             ? kvf_cuda_check(code, "cuPointerGetAttribute", NULL)
             : kvf_error(KVF_INVALID_VALUE,
                         "kvf_cuda_find_memory: address: %p is not of memory that CUDA allocated",
                         address);
}

kvf_status kvf_cuda_find_memory(const void *address, int32_t *device, int64_t *bytes) {
  if (device == NULL || bytes == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_cuda_find_memory: %s: got NULL, want an address",
                     device == NULL ? "device" : "bytes");
  }
  const kvf_cuda_driver *driver = NULL;
  int ordinal = 0;
  uint64_t start = 0;
  size_t size = 0;
  kvf_status status = kvf_cuda_open(&driver);
  status = status == KVF_OK ? ask(driver, CUDA_DEVICE_ORDINAL, address, &ordinal) : status;
  status = status == KVF_OK ? ask(driver, CUDA_RANGE_START, address, &start) : status;
  status = status == KVF_OK ? ask(driver, CUDA_RANGE_SIZE, address, &size) : status;
  if (status == KVF_OK) {
    *device = ordinal;
    *bytes = (int64_t)(size - ((uint64_t)(uintptr_t)address - start));
  }
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
  *status = kvf_cuda_check(driver->is_capturing(stream, &capturing), "cuStreamIsCapturing", NULL);
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

static kvf_status copy_each(const kvf_cuda_driver *driver, kvf_cuda_copies *copies, void *stream) {
  for (size_t i = 0; i < copies->count; ++i) {
    const int code = driver->copy(copies->to[i], copies->from[i], copies->bytes[i], stream);
    if (code != CUDA_OK) {
      char purpose[96];
      (void)snprintf(purpose, sizeof purpose, "%zu bytes from 0x%llx to 0x%llx", copies->bytes[i],
                     (unsigned long long)copies->from[i], (unsigned long long)copies->to[i]);
      return kvf_cuda_check(code, "cuMemcpyAsync", purpose);
    }
    copies->enqueued = i + 1;
  }
  return KVF_OK;
}

/* In a context of the device. */
static kvf_status copy_all(const kvf_cuda_driver *driver, kvf_cuda_copies *copies, void *stream) {
  kvf_status status = KVF_OK;
  if (copies->count > 1 && can_batch(driver, stream, &status)) {
    const int code = copy_batch(driver, copies, stream);
    if (code != CUDA_NOT_SUPPORTED) {
      copies->enqueued = code == CUDA_OK ? copies->count : 0;
      copies->in_doubt = code == CUDA_OK ? 0 : copies->count;
      char purpose[32];
      (void)snprintf(purpose, sizeof purpose, "%zu copies", copies->count);
      return kvf_cuda_check(code, "cuMemcpyBatchAsync", purpose);
    }
  }
  return status == KVF_OK ? copy_each(driver, copies, stream) : status;
}

kvf_status kvf_cuda_copy(const kvf_check *check, kvf_cuda_copies *copies) {
  const kvf_cuda_driver *driver = NULL;
  bool pushed = false;
  copies->enqueued = 0;
  copies->in_doubt = 0;
  if (kvf_preparing != NULL) {
    return kvf_note_other(check, "a copy by the driver");
  }
  kvf_status status = open_device(check->exec.device, &driver);
  status = status == KVF_OK ? kvf_cuda_enter(driver, check->exec.device, &pushed) : status;
  status = status == KVF_OK ? copy_all(driver, copies, check->exec.stream) : status;
  status = kvf_cuda_leave(driver, pushed, status);
  return end_call(check, status);
}
