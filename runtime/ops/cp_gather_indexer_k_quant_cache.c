#include <inttypes.h>

#include "ops/shared/arithmetic.h"
#include "ops/shared/indexer.h"
#include "kvforge/cache/op.h"

#define OP (&kvf_op_cp_gather_indexer_k_quant_cache)

static void check_dense(kvf_check *check, const char *argument, const kvf_dim *size,
                        const kvf_view *view) {
  if (check->status == KVF_OK && size->value > 1 && view->stride[1] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension 1 is %" PRId64 ", want 1", view->stride[1]);
  }
}

/* dst_scale: floats, or their bytes. Returns the number of scales in a row. */
static int64_t check_scales(kvf_check *check, const DLTensor *tensor, kvf_dim *num_rows,
                            const kvf_dim *head_dim, kvf_view *view) {
  kvf_dim size = KVF_DIM("scales");
  const uint32_t accepted = KVF_ACCEPT(KVF_F32) | KVF_ACCEPT(KVF_B8);
  const kvf_dtype dtype = kvf_check_dtype(check, "dst_scale", tensor, accepted);
  kvf_check_tensor(check, "dst_scale", tensor, accepted, 2, (kvf_dim *const[]){num_rows, &size},
                   view);
  check_dense(check, "dst_scale", &size, view);
  if (check->status != KVF_OK) {
    return 0;
  }
  const int64_t bytes = dtype == KVF_F32 ? kvf_saturating_product(4, size.value) : size.value;
  const int64_t scales = bytes / 4;
  if (bytes % 4 != 0 || (scales == 0 ? head_dim->value != 0 : head_dim->value % scales != 0)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "dst_scale",
                   "a row has %" PRId64
                   " bytes, want 4 for each of a number of scales that divides %" PRId64
                   " (head_dim)",
                   bytes, head_dim->value);
  }
  view->stride[0] = kvf_wrapping_product(view->stride[0], dtype == KVF_F32 ? 4 : 1);
  view->stride[1] = 1;
  return scales;
}

kvf_status kvf_cp_gather_indexer_k_quant_cache(const kvf_exec *exec, const DLTensor *kv_cache,
                                               DLTensor *dst_k, DLTensor *dst_scale,
                                               const DLTensor *block_table,
                                               const DLTensor *cu_seq_lens) {
  kvf_cp_gather_indexer_k_quant_cache_params params = {.num_rows = 0};
  kvf_dim num_rows = KVF_DIM("num_rows");
  kvf_dim head_dim = KVF_DIM("head_dim");
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_tensor(&check, "dst_k", dst_k, KVF_ACCEPT(KVF_FP8_E4M3), 2,
                   (kvf_dim *const[]){&num_rows, &head_dim}, &params.dst_k);
  check_dense(&check, "dst_k", &head_dim, &params.dst_k);
  const int64_t scales = check_scales(&check, dst_scale, &num_rows, &head_dim, &params.dst_scale);
  if (check.status == KVF_OK && head_dim.value > INT32_MAX / 4) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "dst_k",
                   "a row has %" PRId64 " elements, want less than 2^29", head_dim.value);
  }
  kvf_check_indexer_pages(&check, kv_cache, head_dim.value, scales, &num_blocks, &block_size,
                          &params.kv_cache);
  kvf_check_block_table(&check, block_table, cu_seq_lens, NULL, &params.table);
  kvf_check_apart(&check, (const kvf_named[]){{"dst_k", dst_k}, {"dst_scale", dst_scale}}, 2,
                  (const kvf_named[]){{"kv_cache", kv_cache}}, 1);
  kvf_check_apart(&check, (const kvf_named[]){{"dst_scale", dst_scale}}, 1,
                  (const kvf_named[]){{"dst_k", dst_k}}, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  const kvf_variant *variant = kvf_select(OP, check.exec.backend, KVF_B8);
  if (variant == NULL) {
    return kvf_select_status(OP, check.exec.backend, KVF_B8);
  }
  params.table.num_blocks = num_blocks.value;
  params.table.block_size = block_size.value;
  params.num_rows = num_rows.value;
  params.head_dim = (int32_t)head_dim.value;
  params.num_scales = (int32_t)scales;
  return kvf_launch_cp_gather_indexer_k_quant_cache(&check.exec, variant, &params);
}

static bool divides_by_4(const kvf_view *view) {
  return (uintptr_t)view->data % 4 == 0 && view->stride[0] % 4 == 0;
}

kvf_status kvf_launch_cp_gather_indexer_k_quant_cache(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_cp_gather_indexer_k_quant_cache_params *given) {
  kvf_cp_gather_indexer_k_quant_cache_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_rows", params.num_rows, 0);
  kvf_launch_at_least(&check, "head_dim", params.head_dim, 0);
  kvf_launch_at_least(&check, "num_scales", params.num_scales, 0);
  if (check.status != KVF_OK || params.num_rows == 0 || params.head_dim == 0) {
    return check.status;
  }
  kvf_launch_pointer(&check, "dst_k", params.dst_k.data);
  kvf_launch_pointer(&check, "dst_scale", params.dst_scale.data);
  if (params.table.num_blocks > 0) {
    kvf_launch_pointer(&check, "kv_cache", params.kv_cache.data);
  }
  kvf_launch_block_table(&check, &params.table, params.num_rows);
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (check.exec.backend == KVF_CPU) {
    return kvf_cpu_run(&check, variant, &params, params.num_rows,
                       2 * (params.head_dim + 4 * (int64_t)params.num_scales));
  }
  const kvf_view page = kvf_indexer_page_row(&params.kv_cache);
  const kvf_view row = kvf_indexer_page_row(&params.dst_k);
  const kvf_vector_side sides[] = {{&page, 1, 1, 2}, {&row, 1, 1, 2}};
  params.vector_elements = kvf_vector_elements(variant->vectors, params.head_dim, sides, 2);
  params.scales_aligned =
      kvf_indexer_scales_aligned(&params.kv_cache, params.table.block_size, params.head_dim) &&
      divides_by_4(&params.dst_scale);
  enum { THREADS, ROWS, WARP = 32 }; /* positions of tuned constants; threads of a warp */
  const int32_t *tuned = kvf_tuned_values(&check, params.num_rows);
  params.rows_per_block = tuned[ROWS] * (tuned[THREADS] / WARP);
  const int64_t blocks = (params.num_rows + params.rows_per_block - 1) / params.rows_per_block;
  const kvf_grid grid = {.grid = {(uint32_t)blocks, 1, 1},
                         .block = {(uint32_t)tuned[THREADS], 1, 1}};
  return kvf_cuda_run(&check, variant, &params, &grid);
}
