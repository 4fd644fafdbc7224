#include "ops/shared/upconvert.h"

#include <inttypes.h>

#include "kvforge/cache/ds_mla.h"

enum { ROW_ELEMENTS = KVF_DS_MLA_LATENT + KVF_DS_MLA_ROPE };

const kvf_variant *kvf_check_upconvert(kvf_check *check, const kvf_upconvert_arguments *arguments,
                                       kvf_dtype format, uint32_t accepted, int64_t row_bytes,
                                       const kvf_gather *gather) {
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim bytes = {"bytes of a row", row_bytes, NULL};
  kvf_dim num_rows = KVF_DIM("num_rows");
  kvf_dim elements = {"elements of a row", ROW_ELEMENTS, NULL};
  const int64_t batch_size = arguments->batch_size;
  kvf_check_batch_size(check, batch_size);
  const kvf_dtype scalar = kvf_check_dtype(check, "dst", arguments->dst, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(check, "src_cache", arguments->src_cache, accepted, 3,
                   (kvf_dim *const[]){&num_blocks, &block_size, &bytes}, gather->src_cache);
  kvf_check_tensor(check, "dst", arguments->dst, KVF_ACCEPT(scalar), 2,
                   (kvf_dim *const[]){&num_rows, &elements}, gather->dst);
  kvf_check_unit_stride(check, "src_cache", gather->src_cache, 2, &bytes);
  kvf_check_unit_stride(check, "dst", gather->dst, 1, &elements);
  kvf_shortened table;
  kvf_shortened workspace;
  kvf_shortened starts;
  kvf_shortened lengths;
  kvf_check_workspace(check, kvf_shorten(arguments->block_table, batch_size, &table),
                      kvf_shorten(arguments->workspace_starts, batch_size, &workspace),
                      kvf_shorten(arguments->seq_starts, batch_size, &starts),
                      kvf_shorten(arguments->seq_lens, batch_size, &lengths), gather->table);
  if (check->status == KVF_OK && gather->table->num_sequences < batch_size) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "block_table",
                   "has %" PRId64 " rows, want at least %" PRId64 " (batch_size)",
                   gather->table->num_sequences, batch_size);
  }
  kvf_check_apart(check, (const kvf_named[]){{"dst", arguments->dst}}, 1,
                  (const kvf_named[]){{"src_cache", arguments->src_cache}}, 1);
  if (check->status != KVF_OK) {
    return NULL;
  }
  *gather->num_rows = num_rows.value;
  gather->table->num_blocks = num_blocks.value;
  gather->table->block_size = block_size.value;
  const kvf_variant *variant = kvf_select(check->op, check->exec.backend, scalar, format);
  if (variant == NULL) {
    check->status = kvf_select_status(check->op, check->exec.backend, scalar, format);
  }
  return variant;
}

bool kvf_launch_upconvert(kvf_check *check, const kvf_gather *gather) {
  gather->table->open_ended = 1;
  return kvf_launch_gather(check, gather, ROW_ELEMENTS);
}

kvf_status kvf_run_upconvert(const kvf_check *check, const kvf_variant *variant, const void *params,
                             const kvf_gather *gather, int64_t row_bytes, const kvf_view *host) {
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  if (check->exec.backend == KVF_CPU) {
    return kvf_run_gather(check, variant, params, gather, row_bytes, ROW_ELEMENTS * scalar);
  }
  /* Vectors of a row are of different lengths, but all begin at multiples of 16 bytes or less. */
  gather->src_cache->stride[2] = 1;
  gather->dst->stride[1] = 1;
  const int32_t row[] = {16, 1};
  const int32_t elements[] = {16 / scalar, 1};
  const kvf_view rows = {.data = host->data, .stride = {host->stride[0], 1}};
  const kvf_vector_side sources[] = {{gather->src_cache, 1, 2, 3}, {&rows, 1, 1, 2}};
  const kvf_vector_side destination = {gather->dst, scalar, 1, 2};
  *gather->vector_elements = kvf_vector_elements(row, row_bytes, sources, 2) == 16
                                 ? kvf_vector_elements(elements, ROW_ELEMENTS, &destination, 1)
                                 : 1;
  const kvf_grid grid = kvf_gather_grid(check, gather, ROW_ELEMENTS / *gather->vector_elements);
  return kvf_cuda_run(check, variant, params, &grid);
}
