#include "ops/shared/hot_rows.h"

#include <inttypes.h>

#include "core/cuda.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/bytes.h"
#include "ops/shared/copies.h"

void kvf_check_hot_rows(kvf_check *check, const DLTensor *host_cache, const DLTensor *hot_cache,
                        bool flat, kvf_hot_rows *rows) {
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim num_host_rows = KVF_DIM("num_host_rows");
  kvf_dim row_bytes = KVF_DIM("bytes of a row");
  kvf_byte_tensor bytes;
  const bool is_flat = flat && hot_cache != NULL && hot_cache->ndim == 2;
  if (is_flat) {
    kvf_check_tensor(check, "hot_cache", kvf_as_bytes(check, "hot_cache", hot_cache, 1, &bytes),
                     KVF_ACCEPT(KVF_B8), 2, (kvf_dim *const[]){&num_blocks, &row_bytes},
                     &rows->hot);
    rows->hot.stride[1] = 0;
    block_size.value = 1;
  } else {
    kvf_check_tensor(check, "hot_cache", kvf_as_bytes(check, "hot_cache", hot_cache, 2, &bytes),
                     KVF_ACCEPT(KVF_B8), 3,
                     (kvf_dim *const[]){&num_blocks, &block_size, &row_bytes}, &rows->hot);
  }
  kvf_check host = kvf_check_begin_host(check, "host_cache", host_cache);
  kvf_check_tensor(&host, "host_cache", kvf_as_bytes(&host, "host_cache", host_cache, 1, &bytes),
                   KVF_ACCEPT(KVF_B8), 2, (kvf_dim *const[]){&num_host_rows, &row_bytes},
                   &rows->host);
  kvf_check_same_dtype(&host, (kvf_named){"hot_cache", hot_cache},
                       (kvf_named){"host_cache", host_cache});
  kvf_check_end_host(check, &host);
  rows->num_host_rows = num_host_rows.value;
  rows->num_blocks = num_blocks.value;
  rows->block_size = block_size.value;
  rows->row_bytes = row_bytes.value;
}

void kvf_check_plan(kvf_check *check, const char *argument, const DLTensor *tensor,
                    kvf_dim *num_rows, kvf_dim *num_columns, kvf_view *view) {
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT_INT32, 2,
                   (kvf_dim *const[]){num_rows, num_columns}, view);
}

void kvf_check_first(kvf_check *check, const char *argument, const DLTensor *tensor,
                     const kvf_dim *size, kvf_view *view) {
  kvf_dim have = {size->name, -1, NULL};
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT_INT32, 1, (kvf_dim *const[]){&have}, view);
  if (check->status == KVF_OK && have.value < size->value) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "has %" PRId64 " elements, want at least %" PRId64 " (%s)", have.value,
                   size->value, size->name);
  }
}

void kvf_check_attention(kvf_check *check, const kvf_view *attention_indices, int64_t block_stride,
                         int64_t num_blocks, int64_t block_size) {
  if (check->status != KVF_OK || attention_indices->data == NULL) {
    return;
  }
  if (block_stride < block_size) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "attention_block_stride",
                   "got %" PRId64 ", want at least %" PRId64 " (block_size)", block_stride,
                   block_size);
  } else if (kvf_saturating_product(num_blocks, block_stride) > INT32_MAX) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "attention_block_stride",
                   "got %" PRId64 ", want indices of %" PRId64 " pages that int32 holds",
                   block_stride, num_blocks);
  }
}

void kvf_launch_hot_rows(kvf_check *check, const kvf_variant *variant, kvf_hot_rows *rows) {
  kvf_launch_at_least(check, "rows.num_host_rows", rows->num_host_rows, 0);
  kvf_launch_at_least(check, "rows.num_blocks", rows->num_blocks, 0);
  kvf_launch_at_least(check, "rows.block_size", rows->block_size, 0);
  kvf_launch_at_least(check, "rows.row_bytes", rows->row_bytes, 0);
  if (check->status != KVF_OK) {
    return;
  }
  if (rows->block_size == 0) { /* pages without rows hold nothing */
    rows->num_blocks = 0;
    rows->block_size = 1;
  }
  rows->by_block_size = kvf_make_divider(rows->block_size);
  if (rows->num_blocks > 0 && rows->row_bytes > 0) {
    kvf_launch_pointer(check, "rows.hot", rows->hot.data);
    if (rows->num_host_rows > 0) {
      kvf_launch_pointer(check, "rows.host", rows->host.data);
      kvf_launch_host_memory(check, "host_cache", &rows->host.data);
    }
  }
  rows->host.stride[1] = 1;
  rows->hot.stride[2] = 1;
  const kvf_vector_side sides[] = {{&rows->host, 1, 1, 2}, {&rows->hot, 1, 2, 3}};
  rows->vector_bytes = check->status == KVF_OK
                           ? kvf_vector_elements(variant->vectors, rows->row_bytes, sides, 2)
                           : 1;
}

/* As templates/shared/hot_rows_cuda.j2 has them. */
enum { WARP = 32, WARPS = 8 };

kvf_status kvf_run_plan(const kvf_check *check, const kvf_variant *variant, const void *params,
                        int64_t entries, int64_t row_bytes) {
  if (check->exec.backend == KVF_CPU) {
    return kvf_cpu_run(check, variant, params, entries, row_bytes);
  }
  const int64_t blocks = (entries + WARPS - 1) / WARPS;
  const kvf_grid grid = {.grid = {(uint32_t)(blocks < INT32_MAX ? blocks : INT32_MAX), 1, 1},
                         .block = {WARP, WARPS, 1}};
  return kvf_cuda_run(check, variant, params, &grid);
}
