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

/* As templates/shared/gather_cuda.j2 has it. */
enum { MAX_TILE_ROWS = 128 };

enum { MAX_COLUMNS = 65535 };

/*
 * A tile is as many rows as its threads have vectors for, but rows are rather split up until there
 * are a few thread blocks for each multiprocessor of a large GPU.
 */
kvf_grid kvf_gather_grid(const kvf_check *check, const kvf_gather *gather, int64_t vectors) {
  enum { THREADS, VECTORS, BLOCKS }; /* positions of tuned constants */
  const int64_t rows = *gather->num_rows;
  const int32_t *tuned = kvf_tuned_values(check, rows);
  const int64_t tile_vectors = (int64_t)tuned[THREADS] * tuned[VECTORS];
  const int64_t parts = (vectors + tile_vectors - 1) / tile_vectors;
  const int64_t patch = gather->patch > 0 ? gather->patch : 1;
  const int64_t least = patch > 1 ? 4 * patch : 1; /* a warp has four behind each other */
  int64_t tile = tile_vectors / vectors * patch;
  tile = tile < rows / tuned[BLOCKS] ? tile : rows / tuned[BLOCKS];
  tile = tile < MAX_TILE_ROWS ? tile : MAX_TILE_ROWS;
  tile = tile < tuned[THREADS] ? tile : tuned[THREADS]; /* a thread finds a row */
  tile = tile > least ? tile / least * least : least;
  *gather->rows_per_tile = (int32_t)tile;
  *gather->tile_vectors = (int32_t)tile_vectors;
  return (kvf_grid){
      .grid = {(uint32_t)((rows + tile - 1) / tile),
               (uint32_t)(parts < MAX_COLUMNS ? parts : MAX_COLUMNS), 1},
      .block = {(uint32_t)tuned[THREADS], 1, 1},
  };
}
