#include "ops/shared/wire.h"

#include <inttypes.h>

enum { ALIGNMENT = 16 };

void kvf_check_wire(kvf_check *check, const DLTensor *tensor, kvf_view *view, int64_t *num_bytes) {
  kvf_dim bytes = KVF_DIM("bytes");
  kvf_check_tensor(check, "wire", tensor, KVF_ACCEPT(KVF_B8), 1, (kvf_dim *const[]){&bytes}, view);
  if (check->status != KVF_OK) {
    return;
  }
  *num_bytes = bytes.value;
  if (bytes.value > 1 && view->stride[0] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "wire",
                   "stride of dimension 0 (bytes) is %" PRId64 ", want 1", view->stride[0]);
  }
  if (bytes.value > 0) {
    kvf_launch_wire(check, view->data);
  }
}

void kvf_launch_wire(kvf_check *check, const void *address) {
  if ((uintptr_t)address % ALIGNMENT != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "wire", "address %p is not a multiple of %d", address,
                   ALIGNMENT);
  }
}
