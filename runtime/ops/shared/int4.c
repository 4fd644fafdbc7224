#include "ops/shared/int4.h"

#include <inttypes.h>

#include "kvforge/cache/rotation.h"

void kvf_check_int4_head(kvf_check *check, const char *argument, int64_t head_size) {
  if (check->status != KVF_OK || head_size <= 0) {
    return;
  }
  if (head_size % 2 != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "a head has %" PRId64 " elements, want an even number (two codes in a byte)",
                   head_size);
  } else if (head_size % (2 * KVF_ROTATION_BLOCK) == 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "a head has %" PRId64 " elements, want no multiple of %d (of rotated blocks)",
                   head_size, 2 * KVF_ROTATION_BLOCK);
  }
}

void kvf_check_int4_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                          kvf_dim *const *places, const kvf_dim *head_size, kvf_view *view) {
  kvf_check_int4_head(check, head_size->bound_by ? head_size->bound_by : argument,
                      head_size->value);
  kvf_dim bytes = {"head_size / 2", head_size->value / 2, head_size->bound_by};
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(KVF_INT4_PER_TOKEN_HEAD), 4,
                   (kvf_dim *const[]){places[0], places[1], places[2], &bytes}, view);
  if (check->status == KVF_OK && bytes.value > 1 && view->stride[3] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension 3 (head_size / 2) is %" PRId64 ", want 1", view->stride[3]);
  }
}
