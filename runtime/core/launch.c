/* What raw-pointer launches of both backends share: checks, dividers, vector widths. */
#include <inttypes.h>
#include <string.h>

#include "core/cuda.h"
#include "core/divider.h"
#include "core/error.h"
#include "core/prepared.h"
#include "core/registry.h"
#include "kvforge/op.h"

/* Why a launch cannot begin. */
static __attribute__((noinline)) kvf_check refuse_launch(const kvf_op *op, const kvf_exec *exec,
                                                         const kvf_variant *variant,
                                                         const void *given) {
  kvf_check check = kvf_check_begin(op, exec);
  if (given == NULL) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "params", "got NULL, want the op's params struct");
  } else if (variant == NULL || variant->op != op) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "variant", "got %s, want a variant of this op",
                   variant ? variant->symbol : "NULL");
  } else if (exec != NULL && variant->backend != exec->backend) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "variant",
                   "got %s, want one of the backend that exec names", variant->symbol);
  } else {
    check.status = kvf_not_built(variant);
  }
  return check;
}

kvf_check kvf_launch_begin(const kvf_op *op, const kvf_exec *exec, const kvf_variant *variant,
                           const void *given, void *params, size_t size) {
  if (given != NULL) {
    memcpy(params, given, size);
  } else {
    memset(params, 0, size);
  }
  if (kvf_preparing != NULL) {
    kvf_note_params(params, size);
  }
  if (given == NULL || variant == NULL || variant->op != op ||
      (exec != NULL && variant->backend != exec->backend) || !kvf_variant_built(variant)) {
    return refuse_launch(op, exec, variant, given);
  }
  if (exec == NULL) {
    return (kvf_check){.op = op,
                       .exec = {.backend = variant->backend, .programmatic = kvf_programmatic()},
                       .placed = true};
  }
  return (kvf_check){.op = op, .exec = *exec, .placed = true};
}

void kvf_begin_params(void *params, size_t size) {
  memset(params, 0, size);
  if (kvf_preparing != NULL) {
    kvf_note_params(params, size);
  }
}

void kvf_launch_pointer(kvf_check *check, const char *member, const void *pointer) {
  if (pointer == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member, "got NULL, want an address");
  }
}

void kvf_launch_at_least(kvf_check *check, const char *member, int64_t value, int64_t least) {
  if (value < least) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member, "got %" PRId64 ", want %" PRId64 " or more",
                   value, least);
  }
}

kvf_divider kvf_make_divider(int64_t value) { return kvf_divider_of(value); }

/* The largest power of two that a number is a multiple of. */
static uint64_t lowest_bit(uint64_t number) { return number & -number; }

/*
 * The most elements of a vector that address and strides of a view are multiples of. One access
 * moves at most 16 bytes: longer vectors are several, and need be aligned no better.
 */
static uint64_t longest_vector(const kvf_vector_side *side) {
  enum { ACCESS = 16 };
  const int64_t *const stride = side->view->stride;
  uint64_t strides = 0;
  for (int32_t i = 0; i < side->inner; ++i) {
    strides |= (uint64_t)stride[i];
  }
  for (int32_t i = side->inner + 1; i < side->rank; ++i) {
    strides |= (uint64_t)stride[i];
  }
  if (stride[side->inner] != 1) {
    return 1;
  }
  const uint64_t bytes =
      lowest_bit((uint64_t)(uintptr_t)side->view->data | strides * (uint64_t)side->bytes | ACCESS);
  return bytes == ACCESS ? UINT64_MAX : bytes / (uint64_t)side->bytes;
}

int32_t kvf_vector_elements(const int32_t *choices, int64_t run, const kvf_vector_side *sides,
                            int32_t count) {
  uint64_t most = run != 0 ? lowest_bit((uint64_t)run) : UINT64_MAX;
  for (int32_t i = 0; i < count; ++i) {
    const uint64_t longest = longest_vector(&sides[i]);
    most = longest < most ? longest : most;
  }
  for (; *choices > 1; ++choices) {
    if ((uint64_t)*choices <= most) {
      return *choices;
    }
  }
  return 1;
}
