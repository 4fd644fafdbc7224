/* Contexts: primary ones, explicit ones, and the calling thread's stack of current ones. */
#include <stdlib.h>

#include "driver.h"
#include "memory.h"

CUcontext driver_contexts;

enum { STACK_DEPTH = 64 };

static PER_THREAD struct {
  CUcontext contexts[STACK_DEPTH];
  int depth;
} current;

static struct CUctx_st primary[MEMORY_DEVICES_MAX];

static CUcontext top(void) {
  return current.depth > 0 ? current.contexts[current.depth - 1] : NULL;
}

CUresult context_get(CUcontext *context) {
  CUcontext found = top();
  REQUIRE(found, CUDA_ERROR_INVALID_CONTEXT);
  REQUIRE(!found->dead, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  *context = found;
  return found->error;
}

static unsigned long long last_id;

static void make_context(CUcontext context, int device, unsigned flags) {
  context->id = ++last_id;
  context->device = device;
  context->flags = flags;
  stream_init(&context->legacy, context, CU_STREAM_DEFAULT);
  context->next = driver_contexts;
  driver_contexts = context;
}

unsigned context_retained(void) {
  unsigned sum = 0;
  for (int i = 0; i < driver_device_count; i++)
    sum += primary[i].retained;
  return sum;
}

unsigned context_depth(void) { return (unsigned)current.depth; }

/* Work that is under way ends first; then everything the context owns is gone. */
static void destroy_context(CUcontext context) {
  context_run_all(context);
  for (CUstream each = context->legacy.next; each; each = each->next)
    each->dead = true;
  memory_free_all(context);
  context->dead = true;
  context->error = CUDA_SUCCESS;
}

void context_run_all(CUcontext context) {
  for (CUstream each = &context->legacy; each; each = each->next)
    stream_run_all(each);
}

void driver_run_all(void) {
  for (CUcontext each = driver_contexts; each; each = each->next)
    context_run_all(each);
}

void context_break(CUcontext context, CUresult error) {
  context->error = error;
  for (CUstream each = &context->legacy; each; each = each->next)
    stream_drop_work(each);
}

static bool is_device(CUdevice device) { return device >= 0 && device < driver_device_count; }

/* ---- Primary contexts ---- */

CUresult CUDAAPI cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
  DRIVER_CALL();
  REQUIRE(context, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(is_device(device), CUDA_ERROR_INVALID_DEVICE);
  CUcontext p = &primary[device];
  if (!p->primary) {
    make_context(p, device, 0);
    p->primary = true;
  }
  if (p->dead)
    p->id = ++last_id;
  p->dead = false;
  p->retained++;
  *context = p;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  DRIVER_CALL();
  REQUIRE(is_device(device), CUDA_ERROR_INVALID_DEVICE);
  CUcontext p = &primary[device];
  REQUIRE(p->retained > 0, CUDA_ERROR_INVALID_CONTEXT);
  if (--p->retained == 0)
    destroy_context(p);
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuDevicePrimaryCtxGetState(CUdevice device, unsigned *flags, int *active) {
  DRIVER_CALL();
  REQUIRE(flags && active, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(is_device(device), CUDA_ERROR_INVALID_DEVICE);
  *flags = primary[device].flags;
  *active = primary[device].retained > 0;
  return CUDA_SUCCESS;
}

/* ---- Explicit contexts ---- */

static CUresult push(CUcontext context) {
  REQUIRE(current.depth < STACK_DEPTH, CUDA_ERROR_OUT_OF_MEMORY);
  current.contexts[current.depth++] = context;
  return CUDA_SUCCESS;
}

static CUresult create(CUcontext *context, unsigned flags, CUdevice device) {
  REQUIRE(context, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(is_device(device), CUDA_ERROR_INVALID_DEVICE);
  CUcontext fresh = calloc(1, sizeof *fresh);
  REQUIRE(fresh, CUDA_ERROR_OUT_OF_MEMORY);
  make_context(fresh, device, flags);
  *context = fresh;
  return push(fresh);
}

CUresult CUDAAPI cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice device);
CUresult CUDAAPI cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice device) {
  DRIVER_CALL();
  return create(context, flags, device);
}

CUresult CUDAAPI cuCtxCreate_v4(CUcontext *context, CUctxCreateParams *params, unsigned flags,
                                CUdevice device) {
  DRIVER_CALL();
  REQUIRE(!params || (params->numExecAffinityParams == 0 && !params->cigParams),
          CUDA_ERROR_NOT_SUPPORTED);
  return create(context, flags, device);
}

CUresult CUDAAPI cuCtxDestroy_v2(CUcontext context) {
  DRIVER_CALL();
  REQUIRE(context && !context->primary && !context->dead, CUDA_ERROR_INVALID_CONTEXT);
  destroy_context(context);
  if (top() == context)
    current.depth--;
  return CUDA_SUCCESS;
}

/* ---- The current context ---- */

CUresult CUDAAPI cuCtxGetCurrent(CUcontext *context) {
  DRIVER_CALL();
  REQUIRE(context, CUDA_ERROR_INVALID_VALUE);
  *context = top();
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuCtxSetCurrent(CUcontext context) {
  DRIVER_CALL();
  REQUIRE(!context || !context->dead, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  if (current.depth > 0)
    current.depth--;
  return context ? push(context) : CUDA_SUCCESS;
}

CUresult CUDAAPI cuCtxPushCurrent_v2(CUcontext context) {
  DRIVER_CALL();
  REQUIRE(context, CUDA_ERROR_INVALID_CONTEXT);
  REQUIRE(!context->dead, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  return push(context);
}

CUresult CUDAAPI cuCtxPopCurrent_v2(CUcontext *context) {
  DRIVER_CALL();
  REQUIRE(current.depth > 0, CUDA_ERROR_INVALID_CONTEXT);
  CUcontext popped = current.contexts[--current.depth];
  if (context)
    *context = popped;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuCtxGetDevice(CUdevice *device) {
  DRIVER_CALL();
  REQUIRE(device, CUDA_ERROR_INVALID_VALUE);
  CUcontext context = top();
  REQUIRE(context, CUDA_ERROR_INVALID_CONTEXT);
  REQUIRE(!context->dead, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  *device = context->device;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuCtxGetId(CUcontext context, unsigned long long *id) {
  DRIVER_CALL();
  REQUIRE(id, CUDA_ERROR_INVALID_VALUE);
  context = context ? context : top();
  REQUIRE(context, CUDA_ERROR_INVALID_CONTEXT);
  REQUIRE(!context->dead, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  *id = context->id;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuCtxSynchronize(void) {
  DRIVER_CALL();
  CUcontext context;
  TRY(context_get(&context));
  context_run_all(context);
  return context->error;
}
