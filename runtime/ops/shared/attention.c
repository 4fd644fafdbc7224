#include "ops/shared/attention.h"

#include <float.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "kvforge/cache/attention.h"
#include "ops/shared/arithmetic.h"

void kvf_check_factor(kvf_check *check, double scale) {
  const double magnitude = scale < 0 ? -scale : scale;
  if (scale != 0 && !(magnitude >= FLT_MIN && magnitude <= FLT_MAX)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "scale",
                   "got %g, want 0 or a number from 2^-126 to the largest float32, of any sign",
                   scale);
  }
}

void kvf_check_either(kvf_check *check, const char *argument, const DLTensor *tensor,
                      kvf_dtype scalar, int32_t rank, kvf_dim *const *shape, kvf_view *view,
                      int32_t *bytes) {
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(scalar) | KVF_ACCEPT(KVF_F32), rank, shape,
                   view);
  *bytes = check->status == KVF_OK ? tensor->dtype.bits / 8 : 4;
}

void kvf_check_split_room(kvf_check *check, const DLTensor *workspace, kvf_dim *num_q_heads,
                          kvf_dim *row, kvf_view *view, int64_t *splits, int64_t *split_tokens) {
  kvf_dim tokens = KVF_DIM("split_tokens");
  kvf_dim parts = KVF_DIM("splits");
  kvf_check_tensor(check, "workspace", workspace, KVF_ACCEPT(KVF_F32), 4,
                   (kvf_dim *const[]){&tokens, num_q_heads, &parts, row}, view);
  if (check->status == KVF_OK && parts.value < 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "workspace",
                   "size of dimension 2 (splits) is %" PRId64 ", want 1 or more", parts.value);
  }
  *splits = parts.value;
  *split_tokens = tokens.value;
}

void kvf_launch_element_bytes(kvf_check *check, const char *member, const kvf_variant *variant,
                              int32_t bytes) {
  const int32_t own = variant != NULL ? kvf_dtype_bits(kvf_scalar_of(variant)) / 8 : 4;
  if (bytes != 4 && bytes != own) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member, "got %d, want 4 or %d", bytes, own);
  }
}

bool kvf_has_vectors(const kvf_view *view, int32_t bytes, int32_t inner, int32_t rank, int64_t run,
                     int32_t elements) {
  const int32_t choices[] = {elements, 1};
  const kvf_vector_side side = {view, bytes, inner, rank};
  return kvf_vector_elements(choices, run, &side, 1) == elements;
}

bool kvf_is_batch_invariant(void) {
  const char *wanted = getenv("KVFORGE_BATCH_INVARIANT");
  return wanted != NULL && strcmp(wanted, "1") == 0;
}

static float own_floats[KVF_OWN_FLOATS];
static atomic_flag own_are_taken = ATOMIC_FLAG_INIT;

float *kvf_take_own_floats(void) {
  return atomic_flag_test_and_set_explicit(&own_are_taken, memory_order_acquire) ? NULL
                                                                                 : own_floats;
}

void kvf_give_own_floats(void) { atomic_flag_clear_explicit(&own_are_taken, memory_order_release); }
