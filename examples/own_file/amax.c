/*
 * amax(array) -> float: the largest magnitude in a contiguous f32 array on the CPU, from which the
 * scale of an fp8 cache is made. One C file, which kvforge.load() compiles:
 *
 *     import kvforge
 *     own = kvforge.load("own", "examples/own_file/amax.c")
 *     k_scale = own.amax(keys) / 448
 *
 * A function that Python is to see is exported as __tvm_ffi_<name> with TVM-FFI's one signature:
 * the arguments come as tagged values, so does the result, and -1 says that an exception is set.
 * Others of the file stay out of sight, and may call all of kvforge/kvforge.h. In C++,
 * TVM_FFI_DLL_EXPORT_TYPED_FUNC (tvm/ffi/function.h) does this for a function of any signature.
 */
#include <math.h>
#include <tvm/ffi/c_api.h>

static const DLTensor *as_tensor(const TVMFFIAny *any) {
  switch (any->type_index) {
  case kTVMFFIDLTensorPtr: /* an array of torch, NumPy, JAX, CuPy: valid during the call */
    return any->v_ptr;
  case kTVMFFITensor: /* a tvm_ffi.Tensor, behind the head of an object */
    return (const DLTensor *)((const char *)any->v_ptr + sizeof(TVMFFIObject));
  default:
    return NULL;
  }
}

static int raise(const char *kind, const char *message) {
  TVMFFIErrorSetRaisedFromCStr(kind, message);
  return -1;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_amax(void *self, const TVMFFIAny *arguments, int32_t count,
                                      TVMFFIAny *result) {
  (void)self;
  const DLTensor *array = count == 1 ? as_tensor(&arguments[0]) : NULL;
  if (array == NULL) {
    return raise("TypeError", "amax: want one array");
  }
  if (array->device.device_type != kDLCPU || array->dtype.code != kDLFloat ||
      array->dtype.bits != 32) {
    return raise("TypeError", "amax: array: want f32 on the CPU");
  }
  int64_t elements = 1;
  for (int32_t i = array->ndim - 1; i >= 0; --i) { /* the innermost dimension first */
    if (array->strides != NULL && array->shape[i] != 1 && array->strides[i] != elements) {
      return raise("ValueError", "amax: array: want it contiguous");
    }
    elements *= array->shape[i];
  }
  const float *numbers = (const float *)((const char *)array->data + array->byte_offset);
  float largest = 0;
  for (int64_t i = 0; i < elements; ++i) {
    largest = fmaxf(largest, fabsf(numbers[i]));
  }
  result->type_index = kTVMFFIFloat;
  result->v_float64 = (double)largest;
  return 0;
}
