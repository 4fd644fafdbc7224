#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/hot_rows.h"

#define OP (&kvf_op_hisparse_gather_plan)

kvf_status kvf_hisparse_gather_plan(const kvf_exec *exec, const DLTensor *host_cache,
                                    DLTensor *hot_cache, const DLTensor *global_indices,
                                    const DLTensor *hot_indices, const DLTensor *miss_mask,
                                    const DLTensor *request_state_indices,
                                    DLTensor *attention_indices, int64_t attention_block_stride) {
  kvf_hisparse_gather_plan_params params = {.attention_block_stride = attention_block_stride};
  kvf_dim num_requests = KVF_DIM("num_requests");
  kvf_dim num_columns = KVF_DIM("num_columns");
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_hot_rows(&check, host_cache, hot_cache, true, &params.rows);
  kvf_check_plan(&check, "global_indices", global_indices, &num_requests, &num_columns,
                 &params.global_indices);
  kvf_check_plan(&check, "hot_indices", hot_indices, &num_requests, &num_columns,
                 &params.hot_indices);
  kvf_check_plan(&check, "miss_mask", miss_mask, &num_requests, &num_columns, &params.miss_mask);
  if (request_state_indices != NULL) {
    kvf_check_first(&check, "request_state_indices", request_state_indices, &num_requests,
                    &params.request_state_indices);
  }
  if (attention_indices != NULL) {
    kvf_check_plan(&check, "attention_indices", attention_indices, &num_requests, &num_columns,
                   &params.attention_indices);
  }
  kvf_check_attention(&check, &params.attention_indices, params.attention_block_stride,
                      params.rows.num_blocks, params.rows.block_size);
  kvf_check_apart(
      &check,
      (const kvf_named[]){{"hot_cache", hot_cache}, {"attention_indices", attention_indices}}, 2,
      (const kvf_named[]){{"host_cache", host_cache},
                          {"global_indices", global_indices},
                          {"hot_indices", hot_indices},
                          {"miss_mask", miss_mask},
                          {"request_state_indices", request_state_indices}},
      5);
  kvf_check_apart(&check, (const kvf_named[]){{"attention_indices", attention_indices}}, 1,
                  (const kvf_named[]){{"hot_cache", hot_cache}}, 1);
  const kvf_variant *variant = kvf_check_bytes_variant(&check);
  if (variant == NULL) {
    return check.status;
  }
  params.num_requests = num_requests.value;
  params.num_columns = num_columns.value;
  return kvf_launch_hisparse_gather_plan(&check.exec, variant, &params);
}

kvf_status kvf_launch_hisparse_gather_plan(const kvf_exec *exec, const kvf_variant *variant,
                                           const kvf_hisparse_gather_plan_params *given) {
  kvf_hisparse_gather_plan_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_requests", params.num_requests, 0);
  kvf_launch_at_least(&check, "num_columns", params.num_columns, 0);
  const int64_t entries = kvf_saturating_product(params.num_requests, params.num_columns);
  if (check.status != KVF_OK || entries == 0) {
    return check.status;
  }
  kvf_launch_hot_rows(&check, variant, &params.rows);
  kvf_check_attention(&check, &params.attention_indices, params.attention_block_stride,
                      params.rows.num_blocks, params.rows.block_size);
  kvf_launch_pointer(&check, "global_indices", params.global_indices.data);
  kvf_launch_pointer(&check, "hot_indices", params.hot_indices.data);
  kvf_launch_pointer(&check, "miss_mask", params.miss_mask.data);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.by_num_columns = kvf_make_divider(params.num_columns);
  return kvf_run_plan(&check, variant, &params, entries, params.rows.row_bytes);
}
