/* Libraries, kernels and launches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "grid.h"
#include "kernels.h"
#include "memory.h"

#define FATBIN_MAGIC 0xBA55ED50u

struct CUkern_st {
  const kernel_row *row;
  CUlibrary library;
  int dynamic_shared_max; /* as the caller has asked for */
  CUkernel next;
};

/* Of a real image only the magic number is looked at; the kernels are those linked into here. */
struct CUlib_st {
  bool dead;
  CUkernel kernels; /* that were asked for */
  CUlibrary next;
};

static CUlibrary libraries; /* keeps dead ones reachable, for leak checkers */

/* ---- Libraries ---- */

unsigned library_count(void) {
  unsigned count = 0;
  for (CUlibrary each = libraries; each; each = each->next)
    count += !each->dead;
  return count;
}

CUresult CUDAAPI cuLibraryLoadData(CUlibrary *library, const void *image, CUjit_option *jit_options,
                                   void **jit_values, unsigned jit_count, CUlibraryOption *options,
                                   void **values, unsigned count) {
  (void)jit_options, (void)jit_values, (void)jit_count;
  (void)options, (void)values, (void)count;
  DRIVER_CALL();
  TRY(stream_allows_unsafe());
  REQUIRE(library && image, CUDA_ERROR_INVALID_VALUE);
  uint32_t magic;
  memcpy(&magic, image, sizeof magic);
  REQUIRE(magic == FATBIN_MAGIC, CUDA_ERROR_INVALID_IMAGE);
  CUlibrary fresh = calloc(1, sizeof *fresh);
  REQUIRE(fresh, CUDA_ERROR_OUT_OF_MEMORY);
  fresh->next = libraries;
  libraries = fresh;
  *library = fresh;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuLibraryUnload(CUlibrary library) {
  DRIVER_CALL();
  TRY(stream_allows_unsafe());
  REQUIRE(library && !library->dead, CUDA_ERROR_INVALID_HANDLE);
  driver_run_all();
  library->dead = true;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuLibraryGetKernel(CUkernel *kernel, CUlibrary library, const char *name) {
  DRIVER_CALL();
  REQUIRE(kernel && name, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(library && !library->dead, CUDA_ERROR_INVALID_HANDLE);
  const kernel_row *row = kernel_find(name);
  REQUIRE(row, CUDA_ERROR_NOT_FOUND);
  CUkernel found = library->kernels;
  while (found && found->row != row)
    found = found->next;
  if (!found) {
    found = calloc(1, sizeof *found);
    REQUIRE(found, CUDA_ERROR_OUT_OF_MEMORY);
    found->row = row;
    found->library = library;
    found->next = library->kernels;
    library->kernels = found;
  }
  *kernel = found;
  return CUDA_SUCCESS;
}

/* ---- Kernels ----
 *
 * A CUfunction is the CUkernel itself: the driver accepts one for the other in launches, and here
 * they are the same everywhere. */

static bool is_kernel(CUkernel kernel) { return kernel && !kernel->library->dead; }

static int static_shared(const kernel_row *row) {
  return (int)(row->shared_end - row->shared_begin);
}

CUresult CUDAAPI cuKernelGetFunction(CUfunction *function, CUkernel kernel) {
  DRIVER_CALL();
  CUcontext context;
  TRY(context_get(&context));
  REQUIRE(function, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(is_kernel(kernel), CUDA_ERROR_INVALID_HANDLE);
  *function = (CUfunction)kernel;
  return CUDA_SUCCESS;
}

static CUresult set_attribute(CUkernel kernel, CUfunction_attribute attribute, int value) {
  REQUIRE(is_kernel(kernel), CUDA_ERROR_INVALID_HANDLE);
  switch (attribute) {
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
    REQUIRE(value >= 0 && value <= GRID_SHARED_MAX - static_shared(kernel->row),
            CUDA_ERROR_INVALID_VALUE);
    kernel->dynamic_shared_max = value;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    return CUDA_SUCCESS;
  default:
    return CUDA_ERROR_INVALID_VALUE;
  }
}

static CUresult get_attribute(CUkernel kernel, CUfunction_attribute attribute, int *value) {
  REQUIRE(value, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(is_kernel(kernel), CUDA_ERROR_INVALID_HANDLE);
  switch (attribute) {
  case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    *value = GRID_BLOCK_MAX;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
    *value = static_shared(kernel->row);
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_NUM_REGS:
    *value = 32;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_PTX_VERSION:
  case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
    *value = 90;
    return CUDA_SUCCESS;
  case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: {
    int free = GRID_SHARED_DEFAULT - static_shared(kernel->row);
    *value = kernel->dynamic_shared_max > free ? kernel->dynamic_shared_max : free;
    return CUDA_SUCCESS;
  }
  default:
    REQUIRE(attribute >= 0 && attribute < CU_FUNC_ATTRIBUTE_MAX, CUDA_ERROR_INVALID_VALUE);
    *value = 0;
    return CUDA_SUCCESS;
  }
}

CUresult CUDAAPI cuKernelSetAttribute(CUfunction_attribute attribute, int value, CUkernel kernel,
                                      CUdevice device) {
  DRIVER_CALL();
  REQUIRE(device >= 0 && device < driver_device_count, CUDA_ERROR_INVALID_DEVICE);
  return set_attribute(kernel, attribute, value);
}

CUresult CUDAAPI cuKernelGetAttribute(int *value, CUfunction_attribute attribute, CUkernel kernel,
                                      CUdevice device) {
  DRIVER_CALL();
  REQUIRE(device >= 0 && device < driver_device_count, CUDA_ERROR_INVALID_DEVICE);
  return get_attribute(kernel, attribute, value);
}

CUresult CUDAAPI cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute,
                                    int value) {
  DRIVER_CALL();
  return set_attribute((CUkernel)function, attribute, value);
}

CUresult CUDAAPI cuFuncGetAttribute(int *value, CUfunction_attribute attribute,
                                    CUfunction function) {
  DRIVER_CALL();
  return get_attribute((CUkernel)function, attribute, value);
}

/* ---- Launches ---- */

typedef struct launch_operation {
  operation base;
  launch launch;
  _Alignas(16) char params[];
} launch_operation;

static CUresult run_launch(operation *self) {
  launch_operation *l = (launch_operation *)self;
  if (getenv("KVF_EMULATOR_TRACE"))
    fprintf(stderr, "kvf_emulator: run %s\n", l->launch.kernel->name);
  memory_expose_device(l->launch.device);
  CUresult result = grid_run(&l->launch);
  memory_hide_device(l->launch.device);
  return result;
}

static unsigned long long programmatic_launches;

unsigned long long launch_programmatic(void) { return programmatic_launches; }

/* Whether a launch may begin before the one in front of it has ended; by the environment, each. */
static bool is_programmatic(const CUlaunchConfig *config) {
  for (unsigned i = 0; i < config->numAttrs; i++)
    if (config->attrs[i].id == CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION &&
        config->attrs[i].value.programmaticStreamSerializationAllowed)
      return true;
  return getenv("KVF_EMULATOR_PROGRAMMATIC") != NULL;
}

/* Hints are accepted; what would change the meaning of a launch is not. */
static CUresult check_attributes(const CUlaunchConfig *config) {
  REQUIRE(config->numAttrs == 0 || config->attrs, CUDA_ERROR_INVALID_VALUE);
  for (unsigned i = 0; i < config->numAttrs; i++) {
    const CUlaunchAttribute *a = &config->attrs[i];
    switch (a->id) {
    case CU_LAUNCH_ATTRIBUTE_IGNORE:
    case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY:
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
      break;
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
      REQUIRE(a->value.cooperative == 0, CUDA_ERROR_NOT_SUPPORTED);
      break;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
      REQUIRE(a->value.clusterDim.x == 1 && a->value.clusterDim.y == 1 &&
                  a->value.clusterDim.z == 1,
              CUDA_ERROR_NOT_SUPPORTED);
      break;
    default:
      return CUDA_ERROR_NOT_SUPPORTED;
    }
  }
  return CUDA_SUCCESS;
}

static CUresult check_shape(const CUlaunchConfig *c, CUkernel kernel) {
  REQUIRE(c->gridDimX > 0 && c->gridDimX <= 0x7FFFFFFF && c->gridDimY > 0 && c->gridDimY <= 65535 &&
              c->gridDimZ > 0 && c->gridDimZ <= 65535,
          CUDA_ERROR_INVALID_VALUE);
  REQUIRE(c->blockDimX > 0 && c->blockDimX <= 1024 && c->blockDimY > 0 && c->blockDimY <= 1024 &&
              c->blockDimZ > 0 && c->blockDimZ <= 64 &&
              c->blockDimX * c->blockDimY * c->blockDimZ <= GRID_BLOCK_MAX,
          CUDA_ERROR_INVALID_VALUE);
  int dynamic_max;
  TRY(get_attribute(kernel, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, &dynamic_max));
  REQUIRE(dynamic_max >= 0 && c->sharedMemBytes <= (unsigned)dynamic_max, CUDA_ERROR_INVALID_VALUE);
  return CUDA_SUCCESS;
}

/* The kernel's one parameter, from either of the two ways to pass it; NULL if there is none. */
static const void *find_params(const kernel_row *row, void **params, void **extra) {
  if (params)
    return extra ? NULL : params[0];
  const void *buffer = NULL;
  size_t size = 0;
  for (; extra && extra[0] != CU_LAUNCH_PARAM_END; extra += 2) {
    if (extra[0] == CU_LAUNCH_PARAM_BUFFER_POINTER)
      buffer = extra[1];
    else if (extra[0] == CU_LAUNCH_PARAM_BUFFER_SIZE)
      size = *(const size_t *)extra[1];
    else
      return NULL;
  }
  return size == row->params_size ? buffer : NULL;
}

static void trace(const launch *l, const void *stream) {
  if (getenv("KVF_EMULATOR_TRACE"))
    fprintf(stderr,
            "kvf_emulator: launch %s grid (%u,%u,%u) block (%u,%u,%u) shared %u device %d "
            "stream %p\n",
            l->kernel->name, l->grid.x, l->grid.y, l->grid.z, l->block.x, l->block.y, l->block.z,
            l->dynamic_shared, l->device, stream);
}

static CUresult enqueue_launch(const CUlaunchConfig *c, CUkernel kernel, void **params,
                               void **extra) {
  CUcontext context;
  TRY(context_get(&context));
  CUstream stream;
  TRY(stream_get(c->hStream, &stream));
  REQUIRE(is_kernel(kernel) && stream->context == context, CUDA_ERROR_INVALID_HANDLE);
  TRY(check_shape(c, kernel));
  TRY(check_attributes(c));
  const void *source = find_params(kernel->row, params, extra);
  REQUIRE(source, CUDA_ERROR_INVALID_VALUE);

  size_t size = kernel->row->params_size;
  launch_operation *l = operation_new(sizeof *l + size, run_launch);
  REQUIRE(l, CUDA_ERROR_OUT_OF_MEMORY);
  memcpy(l->params, source, size);
  l->launch = (launch){.kernel = kernel->row,
                       .grid = {c->gridDimX, c->gridDimY, c->gridDimZ},
                       .block = {c->blockDimX, c->blockDimY, c->blockDimZ},
                       .dynamic_shared = c->sharedMemBytes,
                       .programmatic = is_programmatic(c),
                       .device = context->device,
                       .params = l->params};
  programmatic_launches += l->launch.programmatic;
  trace(&l->launch, c->hStream);
  stream_enqueue(stream, &l->base);
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y,
                                unsigned grid_z, unsigned block_x, unsigned block_y,
                                unsigned block_z, unsigned shared, CUstream stream, void **params,
                                void **extra) {
  DRIVER_CALL();
  CUlaunchConfig config = {.gridDimX = grid_x,
                           .gridDimY = grid_y,
                           .gridDimZ = grid_z,
                           .blockDimX = block_x,
                           .blockDimY = block_y,
                           .blockDimZ = block_z,
                           .sharedMemBytes = shared,
                           .hStream = stream};
  return enqueue_launch(&config, (CUkernel)function, params, extra);
}

CUresult CUDAAPI cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction function, void **params,
                                  void **extra) {
  DRIVER_CALL();
  REQUIRE(config, CUDA_ERROR_INVALID_VALUE);
  return enqueue_launch(config, (CUkernel)function, params, extra);
}
