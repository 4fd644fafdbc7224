/* Where the tokens of a call go: slot mappings, checked. */
#include <inttypes.h>

#include "core/cuda.h"
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

void kvf_check_rows(kvf_check *check, const char *argument, const kvf_dim *rows,
                    const char *slots_argument, const kvf_slots *slots) {
  if (check->status == KVF_OK && rows->value < slots->num_tokens) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "has %" PRId64 " rows, want at least %" PRId64 " (the length of %s)",
                   rows->value, slots->num_tokens, slots_argument);
  }
}

void kvf_launch_slots(kvf_check *check, const char *argument, kvf_slots *slots) {
  kvf_launch_at_least(check, "num_tokens", slots->num_tokens, 0);
  kvf_launch_at_least(check, "num_blocks", slots->num_blocks, 0);
  kvf_launch_at_least(check, "block_size", slots->block_size, 1);
  kvf_launch_index_bytes(check, "index_bytes", slots->index_bytes);
  if (slots->num_tokens > 0) {
    kvf_launch_pointer(check, argument, slots->mapping);
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
  slots->by_block_size = kvf_make_divider(slots->block_size);
  slots->faults = NULL;
  if (check->exec.backend == KVF_CUDA) {
    if (slots->num_tokens > 0) {
      check->status = kvf_cuda_fault_counter(check->exec.device, &slots->faults);
    }
    return;
  }
  for (int64_t token = 0; token < slots->num_tokens; ++token) {
    const int64_t slot = kvf_read_index(slots->mapping, slots->index_bytes, token * slots->stride);
    if (slot >= capacity) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, argument,
                     "element %" PRId64 " is %" PRId64 ", want less than %" PRId64 " (%" PRId64
                     " blocks of %" PRId64 " tokens)",
                     token, slot, capacity, slots->num_blocks, slots->block_size);
      return;
    }
  }
}
