/* Which page holds each part of each sequence: block tables, checked. */
#include <inttypes.h>

#include "core/cuda.h"
#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/index.h"

/* A contiguous int32 vector. */
static const int32_t *check_indices(kvf_check *check, const char *argument, const DLTensor *tensor,
                                    kvf_dim *size) {
  kvf_view view = {.data = NULL};
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT_INT32, 1, (kvf_dim *const[]){size}, &view);
  if (check->status == KVF_OK && size->value > 1 && view.stride[0] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "stride is %" PRId64 ", want 1",
                   view.stride[0]);
  }
  return view.data;
}

/* The table itself; binds num_sequences. */
static void check_entries(kvf_check *check, const DLTensor *block_table, kvf_dim *num_sequences,
                          kvf_block_table *table) {
  kvf_dim width = KVF_DIM("max_blocks_per_sequence");
  kvf_view view = {.data = NULL};
  kvf_check_tensor(check, "block_table", block_table, KVF_ACCEPT_INT32 | KVF_ACCEPT_INT64, 2,
                   (kvf_dim *const[]){num_sequences, &width}, &view);
  if (check->status == KVF_OK && width.value > 1 && view.stride[1] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "block_table",
                   "stride of dimension 1 is %" PRId64 ", want 1", view.stride[1]);
  }
  if (check->status != KVF_OK) {
    return;
  }
  table->entries = view.data;
  table->index_bytes = block_table->dtype.bits / 8;
  table->stride = view.stride[0];
  table->num_sequences = num_sequences->value;
  table->width = width.value;
}

void kvf_check_block_table(kvf_check *check, const DLTensor *block_table,
                           const DLTensor *cu_seq_lens, const DLTensor *seq_starts,
                           kvf_block_table *table) {
  kvf_dim num_sequences = KVF_DIM("num_sequences");
  check_entries(check, block_table, &num_sequences, table);
  kvf_dim num_starts = {"num_sequences + 1", kvf_saturating_sum(num_sequences.value, 1),
                        "block_table"};
  table->starts = check_indices(check, "cu_seq_lens", cu_seq_lens, &num_starts);
  table->offsets =
      seq_starts != NULL ? check_indices(check, "seq_starts", seq_starts, &num_sequences) : NULL;
}

void kvf_check_workspace(kvf_check *check, const DLTensor *block_table,
                         const DLTensor *workspace_starts, const DLTensor *seq_starts,
                         const DLTensor *seq_lens, kvf_block_table *table) {
  kvf_dim num_sequences = KVF_DIM("num_sequences");
  check_entries(check, block_table, &num_sequences, table);
  table->starts = check_indices(check, "workspace_starts", workspace_starts, &num_sequences);
  table->offsets =
      seq_starts != NULL ? check_indices(check, "seq_starts", seq_starts, &num_sequences) : NULL;
  table->lengths =
      seq_lens != NULL ? check_indices(check, "seq_lens", seq_lens, &num_sequences) : NULL;
  table->open_ended = 1;
}

/* The first row in [0, num_rows) whose page is not in the cache is an error. */
static void check_pages(kvf_check *check, const kvf_block_table *table, int64_t num_rows) {
  const char *starts = table->open_ended ? "workspace_starts" : "cu_seq_lens";
  for (int64_t b = 0; b < table->num_sequences; ++b) {
    const bool open = table->open_ended && b + 1 == table->num_sequences;
    const int64_t begin = kvf_read_index(table->starts, 4, b);
    const int64_t next = open ? INT32_MAX : kvf_read_index(table->starts, 4, b + 1);
    const int64_t offset = table->offsets != NULL ? kvf_read_index(table->offsets, 4, b) : 0;
    if (begin < 0 || next < begin) {
      kvf_check_fail(check, KVF_INVALID_VALUE, starts,
                     "elements %" PRId64 " and %" PRId64 " are %" PRId64 " and %" PRId64
                     ", want ascending numbers from 0 on",
                     b, b + 1, begin, next);
      return;
    }
    int64_t end = !open && next < num_rows ? next : num_rows;
    if (table->lengths != NULL) {
      const int64_t behind = begin + kvf_read_index(table->lengths, 4, b);
      end = behind < end ? behind : end;
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
      const int64_t block =
          kvf_read_index(table->entries, table->index_bytes, b * table->stride + page);
      if (block < 0 || block >= table->num_blocks) {
        kvf_check_fail(check, KVF_OUT_OF_RANGE, "block_table",
                       "element [%" PRId64 ", %" PRId64 "] is %" PRId64 ", want 0 to %" PRId64, b,
                       page, block, table->num_blocks - 1);
        return;
      }
    }
  }
}

void kvf_launch_block_table(kvf_check *check, kvf_block_table *table, int64_t num_rows) {
  kvf_launch_at_least(check, "num_sequences", table->num_sequences, 0);
  kvf_launch_at_least(check, "num_blocks", table->num_blocks, 0);
  kvf_launch_at_least(check, "block_size", table->block_size, 1);
  kvf_launch_index_bytes(check, "index_bytes", table->index_bytes);
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
