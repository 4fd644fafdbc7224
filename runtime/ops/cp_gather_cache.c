#include <inttypes.h>

#include "ops/shared/arithmetic.h"
#include "ops/shared/bytes.h"
#include "ops/shared/gather.h"

#define OP (&kvf_op_cp_gather_cache)

kvf_status kvf_cp_gather_cache(const kvf_exec *exec, const DLTensor *src_cache, DLTensor *dst,
                               const DLTensor *block_table, const DLTensor *cu_seq_lens,
                               int64_t batch_size, const DLTensor *seq_starts) {
  kvf_cp_gather_cache_params params = {.num_rows = 0};
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim num_rows = KVF_DIM("num_rows");
  kvf_dim row_bytes = KVF_DIM("bytes of a row");
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_batch_size(&check, batch_size);
  kvf_check_same_dtype(&check, (kvf_named){"src_cache", src_cache}, (kvf_named){"dst", dst});
  kvf_byte_tensor source;
  kvf_byte_tensor destination;
  kvf_check_tensor(&check, "src_cache", kvf_as_bytes(&check, "src_cache", src_cache, 2, &source),
                   KVF_ACCEPT(KVF_B8), 3, (kvf_dim *const[]){&num_blocks, &block_size, &row_bytes},
                   &params.src_cache);
  kvf_check_tensor(&check, "dst", kvf_as_bytes(&check, "dst", dst, 1, &destination),
                   KVF_ACCEPT(KVF_B8), 2, (kvf_dim *const[]){&num_rows, &row_bytes}, &params.dst);
  kvf_shortened table;
  kvf_shortened ends;
  kvf_shortened starts;
  kvf_check_block_table(&check, kvf_shorten(block_table, batch_size, &table),
                        kvf_shorten(cu_seq_lens, kvf_saturating_sum(batch_size, 1), &ends),
                        kvf_shorten(seq_starts, batch_size, &starts), &params.table);
  if (check.status == KVF_OK && params.table.num_sequences < batch_size) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "block_table",
                   "has %" PRId64 " rows, want at least %" PRId64 " (batch_size)",
                   params.table.num_sequences, batch_size);
  }
  kvf_check_apart(&check, (const kvf_named[]){{"dst", dst}}, 1,
                  (const kvf_named[]){{"src_cache", src_cache}}, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.num_rows = num_rows.value;
  params.entry_size = (int32_t)row_bytes.value;
  params.table.num_blocks = num_blocks.value;
  params.table.block_size = block_size.value;
  const kvf_variant *variant = kvf_select(OP, check.exec.backend, KVF_B8);
  if (variant == NULL) {
    return kvf_select_status(OP, check.exec.backend, KVF_B8);
  }
  return kvf_launch_cp_gather_cache(&check.exec, variant, &params);
}

kvf_status kvf_launch_cp_gather_cache(const kvf_exec *exec, const kvf_variant *variant,
                                      const kvf_cp_gather_cache_params *given) {
  kvf_cp_gather_cache_params params;
  const kvf_gather gather = KVF_GATHER(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (!kvf_launch_gather(&check, &gather, params.entry_size)) {
    return check.status;
  }
  if (check.exec.backend == KVF_CPU) {
    return kvf_run_gather(&check, variant, &params, &gather, params.entry_size, params.entry_size);
  }
  params.src_cache.stride[2] = 1;
  params.dst.stride[1] = 1;
  const kvf_vector_side sides[] = {{&params.src_cache, 1, 2, 3}, {&params.dst, 1, 1, 2}};
  params.vector_elements = kvf_vector_elements(variant->vectors, params.entry_size, sides, 2);
  const kvf_grid grid =
      kvf_gather_grid(&check, &gather, params.entry_size / params.vector_elements);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
