#include "ops/shared/packed_heads.h"

#include <inttypes.h>

#include "kvforge/cache/ggml.h"
#include "kvforge/cache/rotation.h"

bool kvf_packs_ggml(kvf_dtype cache) { return cache == KVF_Q8_0 || cache == KVF_Q4_0; }

bool kvf_packs_heads(kvf_dtype cache) {
  return cache == KVF_INT4_PER_TOKEN_HEAD || kvf_packs_ggml(cache);
}

void kvf_check_packed_size(kvf_check *check, const char *argument, kvf_dtype cache,
                           int64_t head_size) {
  if (check->status != KVF_OK || head_size <= 0) {
    return;
  }
  if (kvf_packs_ggml(cache)) {
    if (head_size % KVF_GGML_BLOCK != 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "a head has %" PRId64 " elements, want a multiple of %d (a block of %s)",
                     head_size, KVF_GGML_BLOCK, kvf_dtype_name(cache));
    }
  } else if (head_size % 2 != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "a head has %" PRId64 " elements, want an even number (two codes in a byte)",
                   head_size);
  } else if (head_size % (2 * KVF_ROTATION_BLOCK) == 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "a head has %" PRId64 " elements, want no multiple of %d (of rotated blocks)",
                   head_size, 2 * KVF_ROTATION_BLOCK);
  }
}

/* The bytes of a head, and what sentences call them. */
static kvf_dim bytes_of(kvf_dtype cache, const kvf_dim *head_size) {
  const int64_t blocks = head_size->value / KVF_GGML_BLOCK;
  switch (cache) {
  case KVF_Q8_0:
    return (kvf_dim){"head_size / 32 * 34", blocks * KVF_Q8_0_BYTES, head_size->bound_by};
  case KVF_Q4_0:
    return (kvf_dim){"head_size / 32 * 18", blocks * KVF_Q4_0_BYTES, head_size->bound_by};
  default:
    return (kvf_dim){"head_size / 2", head_size->value / 2, head_size->bound_by};
  }
}

void kvf_check_packed_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                            kvf_dtype cache, kvf_dim *const *places, const kvf_dim *head_size,
                            kvf_view *view) {
  kvf_check_packed_size(check, head_size->bound_by ? head_size->bound_by : argument, cache,
                        head_size->value);
  if (check->status != KVF_OK) {
    return;
  }
  kvf_dim bytes = bytes_of(cache, head_size);
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(cache), 4,
                   (kvf_dim *const[]){places[0], places[1], places[2], &bytes}, view);
  if (check->status == KVF_OK && bytes.value > 1 && view->stride[3] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension 3 (%s) is %" PRId64 ", want 1", bytes.name,
                   view->stride[3]);
  }
  view->stride[3] = 1;
}
