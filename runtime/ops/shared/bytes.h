/* What the entry points share that move the elements of tensors of any dtype as bytes. */
#ifndef KVFORGE_BYTES_H
#define KVFORGE_BYTES_H

#include "kvforge/cache/op.h"

/* A tensor as bytes: the first `leading` dimensions, and one of all the bytes behind them. */
typedef struct kvf_byte_tensor {
  DLTensor tensor;
  int64_t shape[3];
  int64_t strides[3];
} kvf_byte_tensor;

/* Restates a tensor as bytes. One that is refused is returned as it is. */
const DLTensor *kvf_as_bytes(kvf_check *check, const char *argument, const DLTensor *tensor,
                             int32_t leading, kvf_byte_tensor *bytes);

/* Refuses `tensor` unless its dtype is that of `like`. */
void kvf_check_same_dtype(kvf_check *check, kvf_named like, kvf_named tensor);

#endif
