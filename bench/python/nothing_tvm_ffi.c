/*
 * What bench_python.py compares the TVM-FFI binding with: a function that takes the same arguments
 * and does nothing, and the C call itself, timed in a loop without any binding.
 */
#define _POSIX_C_SOURCE 199309L
#include <time.h>

#include <tvm/ffi/c_api.h>

#include "kvforge/kvforge.h"

TVM_FFI_DLL_EXPORT int __tvm_ffi_nothing(void *handle, const TVMFFIAny *arguments, int32_t count,
                                         TVMFFIAny *result);

int __tvm_ffi_nothing(void *handle, const TVMFFIAny *arguments, int32_t count, TVMFFIAny *result) {
  (void)handle;
  (void)arguments;
  (void)count;
  (void)result; /* stays None */
  return 0;
}

static DLTensor *tensor(const TVMFFIAny *argument) {
  return argument->type_index == kTVMFFIDLTensorPtr
             ? argument->v_ptr
             : (DLTensor *)((char *)argument->v_ptr + sizeof(TVMFFIObject));
}

static double seconds(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_bare_call(void *handle, const TVMFFIAny *arguments, int32_t count,
                                           TVMFFIAny *result);

/* Seconds of a number of calls of concat_and_cache_mla_rope_fused: (calls, its arguments). */
int __tvm_ffi_bare_call(void *handle, const TVMFFIAny *arguments, int32_t count,
                        TVMFFIAny *result) {
  (void)handle;
  (void)count;
  const int64_t calls = arguments[0].v_int64;
  const TVMFFIAny *a = arguments + 1;
  const kvf_exec exec = {.backend = KVF_CPU};
  const double begin = seconds();
  for (int64_t i = 0; i < calls; ++i) {
    const kvf_status status = kvf_concat_and_cache_mla_rope_fused(
        &exec, tensor(&a[0]), tensor(&a[1]), tensor(&a[2]), tensor(&a[3]), tensor(&a[4]),
        a[5].v_int64 != 0, tensor(&a[6]), tensor(&a[7]), "auto", tensor(&a[9]), false, NULL);
    if (status != KVF_OK) {
      TVMFFIErrorSetRaisedFromCStr("RuntimeError", kvf_last_error());
      return -1;
    }
  }
  result->type_index = kTVMFFIFloat;
  result->v_float64 = seconds() - begin;
  return 0;
}
