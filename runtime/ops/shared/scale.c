/* Scales of a tensor or of its heads, checked. */
#include <inttypes.h>

#include "kvforge/cache/op.h"

void kvf_check_scale(kvf_check *check, const char *argument, const DLTensor *tensor,
                     const kvf_dim *num_heads, kvf_view *view) {
  if (!kvf_check_present(check, argument, tensor)) {
    return;
  }
  if (tensor->ndim < 0 || tensor->ndim > 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "rank is %d, want 0 or 1", tensor->ndim);
    return;
  }
  kvf_dim size = {"num_heads", -1, NULL};
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(KVF_F32), tensor->ndim,
                   (kvf_dim *const[]){&size}, view);
  if (check->status != KVF_OK) {
    return;
  }
  if (tensor->ndim == 0 || size.value == 1) {
    view->stride[0] = 0;
  } else if (size.value != num_heads->value) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "has %" PRId64 " elements, want 1 or %" PRId64 " (num_heads)", size.value,
                   num_heads->value);
  }
}
