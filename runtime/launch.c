/* What raw-pointer launches of both backends share: checks, dividers, slots, vector widths. */
#include <inttypes.h>

#include "cuda.h"
#include "error.h"
#include "kvforge/op.h"

kvf_check kvf_launch_begin(const kvf_op *op, const kvf_exec *exec, const kvf_variant *variant) {
  kvf_check check = kvf_check_begin(op, exec);
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
    check.status = KVF_NOT_BUILT;
    (void)kvf_select(op, variant->backend, variant->scalar, variant->cache);
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

void kvf_launch_slots(kvf_check *check, kvf_slots *slots) {
  kvf_launch_at_least(check, "num_tokens", slots->num_tokens, 0);
  kvf_launch_at_least(check, "num_blocks", slots->num_blocks, 0);
  kvf_launch_at_least(check, "block_size", slots->block_size, 1);
  if (slots->index_bytes != 4 && slots->index_bytes != 8) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "index_bytes", "got %d, want 4 or 8",
                   slots->index_bytes);
  }
  if (slots->num_tokens > 0) {
    kvf_launch_pointer(check, "slot_mapping", slots->mapping);
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
    const int64_t at = token * slots->stride;
    const int64_t slot = slots->index_bytes == 8 ? ((const int64_t *)slots->mapping)[at]
                                                 : ((const int32_t *)slots->mapping)[at];
    if (slot >= capacity) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "slot_mapping",
                     "element %" PRId64 " is %" PRId64 ", want less than %" PRId64 " (%" PRId64
                     " blocks of %" PRId64 " tokens)",
                     token, slot, capacity, slots->num_blocks, slots->block_size);
      return;
    }
  }
}

/* The first row in [0, num_rows) whose page is not in the cache is an error. */
static void check_pages(kvf_check *check, const kvf_block_table *table, int64_t num_rows) {
  const char *starts = table->open_ended ? "workspace_starts" : "cu_seq_lens";
  for (int64_t b = 0; b < table->num_sequences; ++b) {
    const bool open = table->open_ended && b + 1 == table->num_sequences;
    const int64_t begin = table->starts[b];
    const int64_t next = open ? INT32_MAX : table->starts[b + 1];
    const int64_t offset = table->offsets != NULL ? table->offsets[b] : 0;
    if (begin < 0 || next < begin) {
      kvf_check_fail(check, KVF_INVALID_VALUE, starts,
                     "elements %" PRId64 " and %" PRId64 " are %" PRId64 " and %" PRId64
                     ", want ascending numbers from 0 on",
                     b, b + 1, begin, next);
      return;
    }
    int64_t end = !open && next < num_rows ? next : num_rows;
    if (table->lengths != NULL && begin + table->lengths[b] < end) {
      end = begin + table->lengths[b];
    }
    if (begin >= end) {
      continue;
    }
    if (offset < 0) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "seq_starts",
                     "element %" PRId64 " is %" PRId64 ", want 0 or more", b, offset);
      return;
    }
    const int64_t first = offset / table->block_size;
    const int64_t last = (offset + end - begin - 1) / table->block_size;
    if (last >= table->width) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "block_table",
                     "sequence %" PRId64 " needs %" PRId64 " pages, has %" PRId64, b, last + 1,
                     table->width);
      return;
    }
    for (int64_t page = first; page <= last; ++page) {
      const int32_t block = table->entries[b * table->stride + page];
      if (block < 0 || block >= table->num_blocks) {
        kvf_check_fail(check, KVF_OUT_OF_RANGE, "block_table",
                       "element [%" PRId64 ", %" PRId64 "] is %d, want 0 to %" PRId64, b, page,
                       block, table->num_blocks - 1);
        return;
      }
    }
  }
}

void kvf_launch_block_table(kvf_check *check, kvf_block_table *table, int64_t num_rows) {
  kvf_launch_at_least(check, "num_sequences", table->num_sequences, 0);
  kvf_launch_at_least(check, "num_blocks", table->num_blocks, 0);
  kvf_launch_at_least(check, "block_size", table->block_size, 1);
  if (table->num_sequences > 0) {
    kvf_launch_pointer(check, table->open_ended ? "workspace_starts" : "cu_seq_lens",
                       table->starts);
  }
  if (table->num_sequences > 0 && table->width > 0) {
    kvf_launch_pointer(check, "block_table", table->entries);
  }
  if (check->status != KVF_OK) {
    return;
  }
  /* Without sequences there is none to be open. */
  table->open_ended = table->open_ended && table->num_sequences > 0;
  table->by_block_size = kvf_make_divider(table->block_size);
  table->faults = NULL;
  if (check->exec.backend == KVF_CPU) {
    check_pages(check, table, num_rows);
  } else if (num_rows > 0) {
    check->status = kvf_cuda_fault_counter(check->exec.device, &table->faults);
  }
}

/* Vectors are a power of two in bytes: a mask tells multiples without a division for each stride.
 */
static bool fits(const kvf_vector_side *side, int64_t vector_bytes) {
  uint64_t rest = (uint64_t)(uintptr_t)side->view->data;
  for (int32_t i = 0; i < side->rank; ++i) {
    const int64_t stride = side->view->stride[i];
    if (i != side->inner) {
      rest |= (uint64_t)(stride * side->bytes);
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
