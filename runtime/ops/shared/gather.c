#include "ops/shared/gather.h"

#include <inttypes.h>

const DLTensor *kvf_shorten(const DLTensor *tensor, int64_t size, kvf_shortened *shortened) {
  if (tensor == NULL || tensor->ndim < 1 || tensor->ndim > 2 || tensor->shape == NULL ||
      tensor->shape[0] <= size) {
    return tensor;
  }
  shortened->tensor = *tensor;
  shortened->tensor.shape = shortened->shape;
  shortened->shape[0] = size;
  shortened->shape[1] = tensor->ndim > 1 ? tensor->shape[1] : 1;
  return &shortened->tensor;
}

void kvf_check_batch_size(kvf_check *check, int64_t batch_size) {
  if (batch_size < 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "batch_size", "got %" PRId64 ", want 0 or more",
                   batch_size);
  }
}

void kvf_check_unit_stride(kvf_check *check, const char *argument, const kvf_view *view,
                           int32_t dimension, const kvf_dim *size) {
  if (check->status == KVF_OK && size->value > 1 && view->stride[dimension] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension %d (%s) is %" PRId64 ", want 1", dimension, size->name,
                   view->stride[dimension]);
  }
}

bool kvf_launch_gather(kvf_check *check, const kvf_gather *gather, int64_t row_elements) {
  const int64_t rows = *gather->num_rows;
  kvf_launch_at_least(check, "num_rows", rows, 0);
  kvf_launch_at_least(check, "entry_size", row_elements, 0);
  if (check->status != KVF_OK || rows == 0 || row_elements == 0) {
    return false;
  }
  if (rows > INT32_MAX || row_elements > INT32_MAX) {
    kvf_check_fail(check, KVF_INVALID_VALUE, rows > INT32_MAX ? "num_rows" : "entry_size",
                   "got %" PRId64 ", want less than 2^31", rows > INT32_MAX ? rows : row_elements);
  }
  kvf_launch_pointer(check, "dst", gather->dst->data);
  if (gather->table->num_blocks > 0) {
    kvf_launch_pointer(check, "src_cache", gather->src_cache->data);
  }
  kvf_launch_block_table(check, gather->table, rows);
  return check->status == KVF_OK && gather->table->num_sequences > 0;
}

kvf_status kvf_run_gather(const kvf_check *check, const kvf_variant *variant, const void *params,
                          const kvf_gather *gather, int64_t bytes_read, int64_t bytes_written) {
  *gather->streaming = kvf_cpu_streams(*gather->num_rows * bytes_written);
  return kvf_cpu_run(check, variant, params, *gather->num_rows, bytes_read + bytes_written);
}

/* As templates/shared/gather_cuda.j2 has them. */
enum { THREADS = 256, TILE_VECTORS = 1024, MAX_TILE_ROWS = 128 };

/* Rows are split up until there are a few thread blocks for each multiprocessor of a large GPU. */
enum { WANTED_BLOCKS = 512, MAX_COLUMNS = 65535 };

kvf_grid kvf_gather_grid(const kvf_gather *gather, int64_t vectors) {
  const int64_t rows = *gather->num_rows;
  const int64_t parts = (vectors + TILE_VECTORS - 1) / TILE_VECTORS;
  int64_t tile = TILE_VECTORS / vectors;
  tile = tile < rows / WANTED_BLOCKS ? tile : rows / WANTED_BLOCKS;
  tile = tile < MAX_TILE_ROWS ? tile : MAX_TILE_ROWS;
  tile = tile > 1 ? tile : 1;
  *gather->rows_per_tile = (int32_t)tile;
  return (kvf_grid){
      .grid = {(uint32_t)((rows + tile - 1) / tile),
               (uint32_t)(parts < MAX_COLUMNS ? parts : MAX_COLUMNS), 1},
      .block = {THREADS, 1, 1},
  };
}
