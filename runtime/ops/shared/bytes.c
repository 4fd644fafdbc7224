#include "ops/shared/bytes.h"

#include <inttypes.h>

#include "ops/shared/arithmetic.h"

const DLTensor *kvf_as_bytes(kvf_check *check, const char *argument, const DLTensor *tensor,
                             int32_t leading, kvf_byte_tensor *bytes) {
  if (!kvf_check_present(check, argument, tensor)) {
    return tensor;
  }
  if (tensor->ndim < leading) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "rank is %d, want at least %d", tensor->ndim,
                   leading);
    return tensor;
  }
  const int64_t bits = (int64_t)tensor->dtype.bits * tensor->dtype.lanes;
  if (bits == 0 || bits % 8 != 0) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument,
                   "has elements of %" PRId64 " bits, want whole bytes", bits);
    return tensor;
  }
  int64_t size = bits / 8;
  int64_t elements = 1; /* of a row */
  for (int32_t i = tensor->ndim - 1; i >= leading; --i) {
    const int64_t stride = tensor->strides != NULL ? tensor->strides[i] : elements;
    if (tensor->shape[i] > 1 && stride != elements) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "stride of dimension %d is %" PRId64 ", want %" PRId64 " (contiguous from "
                     "dimension %d on)",
                     i, stride, elements, leading);
    }
    if (tensor->shape[i] < 0 || __builtin_mul_overflow(elements, tensor->shape[i], &elements) ||
        elements > INT32_MAX / size) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "size of dimension %d is %" PRId64 ", want rows of less than 2^31 bytes", i,
                     tensor->shape[i]);
      return tensor;
    }
  }
  int64_t compact = elements;
  for (int32_t i = leading - 1; i >= 0; --i) {
    bytes->shape[i] = tensor->shape[i];
    const int64_t stride = tensor->strides != NULL ? tensor->strides[i] : compact;
    bytes->strides[i] = kvf_wrapping_product(stride, size);
    compact = kvf_wrapping_product(compact, tensor->shape[i]);
  }
  bytes->shape[leading] = elements * size;
  bytes->strides[leading] = 1;
  bytes->tensor = *tensor;
  bytes->tensor.dtype = (DLDataType){kDLUInt, 8, 1};
  bytes->tensor.ndim = leading + 1;
  bytes->tensor.shape = bytes->shape;
  bytes->tensor.strides = bytes->strides;
  return &bytes->tensor;
}

void kvf_check_same_dtype(kvf_check *check, kvf_named like, kvf_named tensor) {
  if (check->status != KVF_OK || like.tensor == NULL || tensor.tensor == NULL) {
    return;
  }
  const DLDataType want = like.tensor->dtype;
  const DLDataType got = tensor.tensor->dtype;
  if (want.code != got.code || want.bits != got.bits || want.lanes != got.lanes) {
    kvf_check_fail(check, KVF_INVALID_TYPE, tensor.argument,
                   "dtype is DLPack code %d of %d bits with %d lanes, want code %d of %d bits with "
                   "%d lanes as %s has",
                   got.code, got.bits, got.lanes, want.code, want.bits, want.lanes, like.argument);
  }
}
