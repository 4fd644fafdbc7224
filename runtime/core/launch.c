/* What raw-pointer launches of both backends share: checks, dividers, vector widths. */
#include <inttypes.h>
#include <string.h>

#include "core/cuda.h"
#include "core/error.h"
#include "core/prepared.h"
#include "core/registry.h"
#include "kvforge/op.h"

kvf_check kvf_launch_begin(const kvf_op *op, const kvf_exec *exec, const kvf_variant *variant,
                           const void *given, void *params, size_t size) {
  kvf_check check = kvf_check_begin(op, exec);
  if (given == NULL) {
    memset(params, 0, size);
    kvf_check_fail(&check, KVF_INVALID_VALUE, "params", "got NULL, want the op's params struct");
  } else {
    memcpy(params, given, size);
  }
  if (kvf_preparing != NULL) {
    kvf_note_params(params, size);
  }
  if (check.status != KVF_OK) {
    return check;
  }
  if (variant == NULL || variant->op != op) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "variant", "got %s, want a variant of this op",
                   variant ? variant->symbol : "NULL");
    return check;
  }
  if (exec == NULL) {
    check.exec.backend = variant->backend;
    check.placed = true;
  }
  if (variant->backend != check.exec.backend) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "variant",
                   "got %s, want one of the backend that exec names", variant->symbol);
  } else if (!kvf_variant_built(variant)) {
    check.status = kvf_not_built(variant);
  }
  return check;
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

kvf_divider kvf_make_divider(int64_t value) {
  /* The least power of two that is not below the value. */
  const int32_t shift = value > 1 ? 64 - __builtin_clzll((uint64_t)value - 1) : 0;
  if ((value & (value - 1)) == 0) { /* most are, and 128-bit divisions are slow */
    return (kvf_divider){.value = value, .magic = UINT64_C(1) << 63, .shift = shift};
  }
  /* ceil(2^(63 + shift) / value), below 2^64 because value > 2^(shift - 1). */
  const unsigned __int128 power = (unsigned __int128)1 << (63 + shift);
  const uint64_t magic = (uint64_t)((power + (uint64_t)value - 1) / (uint64_t)value);
  return (kvf_divider){.value = value, .magic = magic, .shift = shift};
}

/* Vectors are a power of two in bytes: a mask tells multiples without a division for each stride.
 */
static bool fits(const kvf_vector_side *side, int64_t vector_bytes) {
  uint64_t rest = (uint64_t)(uintptr_t)side->view->data;
  for (int32_t i = 0; i < side->rank; ++i) {
    const int64_t stride = side->view->stride[i];
    if (i != side->inner) {
      rest |= (uint64_t)stride * (uint64_t)side->bytes;
    } else if (stride != 1) {
      return false;
    }
  }
  return (rest & (uint64_t)(vector_bytes - 1)) == 0;
}

int32_t kvf_vector_elements(const int32_t *choices, int64_t run, const kvf_vector_side *sides,
                            int32_t count) {
  for (; *choices > 1; ++choices) {
    bool usable = run % *choices == 0;
    for (int32_t i = 0; usable && i < count; ++i) {
      /* One access moves at most 16 bytes; longer vectors are several accesses. */
      const int64_t bytes = (int64_t)*choices * sides[i].bytes;
      usable = fits(&sides[i], bytes < 16 ? bytes : 16);
    }
    if (usable) {
      return *choices;
    }
  }
  return 1;
}
