/* Scales of a tensor or of its heads, checked. */
#include <float.h>
#include <inttypes.h>

#include "core/plain.h"
#include "kvforge/cache/op.h"

void kvf_check_scale(kvf_check *check, const char *argument, const DLTensor *tensor,
                     const kvf_dim *num_heads, kvf_view *view) {
  *view = (kvf_view){.data = kvf_plain_element(check, tensor, KVF_F32)};
  if (view->data != NULL || !kvf_check_present(check, argument, tensor)) {
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
                   "has %" PRId64 " elements, want 1 or %" PRId64 " (%s)", size.value,
                   num_heads->value, num_heads->name);
  }
}

static bool is_scale(double value) { return value >= FLT_MIN && value <= FLT_MAX; }

void kvf_check_scale_value(kvf_check *check, const char *argument, double value) {
  if (!is_scale(value)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "got %g, want a finite number of 2^-126 or more", value);
  }
}

void kvf_launch_scales(kvf_check *check, const char *member, const kvf_view *scales,
                       int64_t count) {
  kvf_launch_pointer(check, member, scales->data);
  if (check->status != KVF_OK || check->exec.backend != KVF_CPU) {
    return;
  }
  const int64_t stride = scales->stride[0];
  for (int64_t i = 0; i < (stride == 0 ? 1 : count); ++i) {
    const double value = (double)((const float *)scales->data)[i * stride];
    if (!is_scale(value)) {
      kvf_check_fail(check, KVF_INVALID_VALUE, member,
                     "element %" PRId64 " is %g, want a finite number of 2^-126 or more", i, value);
      return;
    }
  }
}

void kvf_launch_scales_or_value(kvf_check *check, const char *member, kvf_view *scales,
                                float *value, int64_t count) {
  if (scales->data != NULL || *value == 0.0f) {
    kvf_launch_scales(check, member, scales, count);
    return;
  }
  kvf_check_scale_value(check, member, (double)*value);
  scales->stride[0] = 0;
  if (check->exec.backend == KVF_CPU) {
    scales->data = value;
  }
}
