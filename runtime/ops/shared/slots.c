/* Where the tokens of a call go: slot mappings, checked. */
#include <inttypes.h>
#include <stdio.h>

#include "core/cuda.h"
#include "core/divider.h"
#include "kvforge/cache/op.h"
#include "ops/shared/index.h"

void kvf_check_slots(kvf_check *check, const char *argument, const DLTensor *tensor,
                     kvf_slots *slots) {
  kvf_dim num_tokens = KVF_DIM("num_tokens");
  kvf_view view;
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT_INT32 | KVF_ACCEPT_INT64, 1,
                   (kvf_dim *const[]){&num_tokens}, &view);
  if (check->status == KVF_OK) {
    slots->mapping = view.data;
    slots->stride = view.stride[0];
    slots->index_bytes = tensor->dtype.bits / 8;
    slots->num_tokens = num_tokens.value;
  }
}

void kvf_check_remap(kvf_check *check, const DLTensor *tensor, kvf_slots *slots) {
  kvf_dim size = KVF_DIM("size");
  kvf_view view;
  slots->remap = NULL;
  if (tensor == NULL) {
    return;
  }
  kvf_check_tensor(check, "slot_remap", tensor, KVF_ACCEPT_INT32 | KVF_ACCEPT_INT64, 1,
                   (kvf_dim *const[]){&size}, &view);
  if (check->status == KVF_OK) {
    static const int64_t nothing = -1; /* of an empty one no element is read */
    slots->remap = size.value > 0 ? view.data : &nothing;
    slots->remap_stride = view.stride[0];
    slots->remap_size = size.value;
    slots->remap_bytes = tensor->dtype.bits / 8;
  }
}

void kvf_check_rows(kvf_check *check, const char *argument, const kvf_dim *rows,
                    const char *slots_argument, const kvf_slots *slots) {
  if (check->status == KVF_OK && rows->value < slots->num_tokens) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "has %" PRId64 " rows, want at least %" PRId64 " (the length of %s)",
                   rows->value, slots->num_tokens, slots_argument);
  }
}

/* A slot that is in no page: which one, and of what. */
static void refuse(kvf_check *check, const char *argument, const char *at, int64_t slot,
                   const kvf_slots *slots) {
  kvf_check_fail(check, KVF_OUT_OF_RANGE, argument,
                 "element %s is %" PRId64 ", want less than %" PRId64 " (%" PRId64
                 " blocks of %" PRId64 " tokens)",
                 at, slot, slots->num_blocks * slots->block_size, slots->num_blocks,
                 slots->block_size);
}

void kvf_launch_slot(kvf_check *check, const char *argument, const kvf_slots *slots, int64_t layer,
                     int64_t token, int64_t slot) {
  const int64_t capacity = slots->num_blocks * slots->block_size;
  char at[64];
  if (slot < 0 || (slots->remap == NULL && slot < capacity)) {
    return;
  }
  if (slots->remap != NULL && slot < slots->remap_size) {
    const int64_t found =
        kvf_read_index(slots->remap, slots->remap_bytes, slot * slots->remap_stride);
    if (found >= capacity) {
      (void)snprintf(at, sizeof at, "%" PRId64, slot);
      refuse(check, "slot_remap", at, found, slots);
    }
    return;
  }
  if (layer < 0) {
    (void)snprintf(at, sizeof at, "%" PRId64, token);
  } else {
    (void)snprintf(at, sizeof at, "[%" PRId64 ", %" PRId64 "]", layer, token);
  }
  if (slots->remap == NULL) {
    refuse(check, argument, at, slot, slots);
  } else {
    kvf_check_fail(check, KVF_OUT_OF_RANGE, argument,
                   "element %s is %" PRId64 ", want less than %" PRId64 " (slots of slot_remap)",
                   at, slot, slots->remap_size);
  }
}

/* Nearly always, and all that has to be asked then. */
static bool are_plain(const kvf_slots *slots) {
  return slots->num_tokens > 0 && slots->num_blocks >= 0 && slots->block_size > 0 &&
         slots->index_bytes == sizeof(int64_t) && slots->mapping != NULL && slots->remap == NULL;
}

/* What slots that are not plain lack, if anything. */
static void check_closely(kvf_check *check, const char *argument, const kvf_slots *slots) {
  kvf_launch_at_least(check, "num_tokens", slots->num_tokens, 0);
  kvf_launch_at_least(check, "num_blocks", slots->num_blocks, 0);
  kvf_launch_at_least(check, "block_size", slots->block_size, 1);
  kvf_launch_index_bytes(check, "index_bytes", slots->index_bytes);
  if (slots->num_tokens > 0) {
    kvf_launch_pointer(check, argument, slots->mapping);
  }
  if (slots->remap != NULL) {
    kvf_launch_at_least(check, "remap_size", slots->remap_size, 0);
    if (slots->remap_bytes != 4 && slots->remap_bytes != 8) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "remap_bytes", "got %d, want 4 or 8",
                     slots->remap_bytes);
    }
  }
}

void kvf_launch_slots(kvf_check *check, const char *argument, kvf_slots *slots) {
  if (!are_plain(slots)) {
    check_closely(check, argument, slots);
  }
  int64_t capacity = 0;
  if (check->status == KVF_OK &&
      __builtin_mul_overflow(slots->num_blocks, slots->block_size, &capacity)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_blocks",
                   "got %" PRId64 " blocks of %" PRId64 " tokens, want a product below 2^63",
                   slots->num_blocks, slots->block_size);
  }
  if (check->status != KVF_OK) {
    return;
  }
  slots->by_block_size = kvf_divider_of(slots->block_size);
  slots->faults = NULL;
  if (check->exec.backend == KVF_CUDA) {
    if (slots->num_tokens > 0) {
      check->status = kvf_cuda_fault_counter(check->exec.device, &slots->faults);
    }
    return;
  }
  for (int64_t token = 0; token < slots->num_tokens && check->status == KVF_OK; ++token) {
    const int64_t slot = kvf_read_index(slots->mapping, slots->index_bytes, token * slots->stride);
    kvf_launch_slot(check, argument, slots, -1, token, slot);
  }
}
