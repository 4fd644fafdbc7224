#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/hot_rows.h"

#define OP (&kvf_op_hisparse_gather_compact)

kvf_status kvf_hisparse_gather_compact(const kvf_exec *exec, const DLTensor *host_cache,
                                       DLTensor *hot_cache, const DLTensor *miss_global_indices,
                                       const DLTensor *miss_hot_indices,
                                       const DLTensor *miss_counts) {
  kvf_hisparse_gather_compact_params params = {.num_requests = 0};
  kvf_dim num_requests = KVF_DIM("num_requests");
  kvf_dim num_columns = KVF_DIM("num_columns");
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_hot_rows(&check, host_cache, hot_cache, false, &params.rows);
  kvf_check_plan(&check, "miss_global_indices", miss_global_indices, &num_requests, &num_columns,
                 &params.miss_global_indices);
  kvf_check_plan(&check, "miss_hot_indices", miss_hot_indices, &num_requests, &num_columns,
                 &params.miss_hot_indices);
  kvf_check_first(&check, "miss_counts", miss_counts, &num_requests, &params.miss_counts);
  kvf_check_apart(&check, (const kvf_named[]){{"hot_cache", hot_cache}}, 1,
                  (const kvf_named[]){{"host_cache", host_cache},
                                      {"miss_global_indices", miss_global_indices},
                                      {"miss_hot_indices", miss_hot_indices},
                                      {"miss_counts", miss_counts}},
                  4);
  const kvf_variant *variant = kvf_check_bytes_variant(&check);
  if (variant == NULL) {
    return check.status;
  }
  params.num_requests = num_requests.value;
  params.num_columns = num_columns.value;
  return kvf_launch_hisparse_gather_compact(&check.exec, variant, &params);
}

kvf_status kvf_launch_hisparse_gather_compact(const kvf_exec *exec, const kvf_variant *variant,
                                              const kvf_hisparse_gather_compact_params *given) {
  kvf_hisparse_gather_compact_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_requests", params.num_requests, 0);
  kvf_launch_at_least(&check, "num_columns", params.num_columns, 0);
  const int64_t entries = kvf_saturating_product(params.num_requests, params.num_columns);
  if (check.status != KVF_OK || entries == 0) {
    return check.status;
  }
  kvf_launch_hot_rows(&check, variant, &params.rows);
  kvf_launch_pointer(&check, "miss_global_indices", params.miss_global_indices.data);
  kvf_launch_pointer(&check, "miss_hot_indices", params.miss_hot_indices.data);
  kvf_launch_pointer(&check, "miss_counts", params.miss_counts.data);
  if (check.status != KVF_OK || params.rows.num_blocks == 0 || params.rows.row_bytes == 0) {
    return check.status;
  }
  params.by_num_columns = kvf_make_divider(params.num_columns);
  return kvf_run_plan(&check, variant, &params, entries, params.rows.row_bytes);
}
