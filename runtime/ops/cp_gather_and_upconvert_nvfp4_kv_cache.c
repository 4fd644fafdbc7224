#include "kvforge/cache/ds_mla.h"
#include "ops/shared/upconvert.h"

#define OP (&kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache)

kvf_status kvf_cp_gather_and_upconvert_nvfp4_kv_cache(const kvf_exec *exec,
                                                      const DLTensor *src_cache, DLTensor *dst,
                                                      const DLTensor *block_table,
                                                      const DLTensor *workspace_starts,
                                                      int64_t batch_size) {
  kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params params = {.num_rows = 0};
  const kvf_gather gather = KVF_GATHER(&params);
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_variant *variant = kvf_check_upconvert(
      &check,
      &(kvf_upconvert_arguments){src_cache, dst, block_table, workspace_starts, batch_size, NULL,
                                 NULL},
      KVF_NVFP4_DS_MLA, KVF_ACCEPT(KVF_NVFP4_DS_MLA), KVF_NVFP4_DS_MLA_BYTES, &gather);
  if (variant == NULL) {
    return check.status;
  }
  return kvf_launch_cp_gather_and_upconvert_nvfp4_kv_cache(&check.exec, variant, &params);
}

kvf_status kvf_launch_cp_gather_and_upconvert_nvfp4_kv_cache(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params *given) {
  kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params params;
  const kvf_gather gather = KVF_GATHER(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  const kvf_view no_host = {.data = NULL};
  return kvf_launch_upconvert(&check, &gather)
             ? kvf_run_upconvert(&check, variant, &params, &gather, KVF_NVFP4_DS_MLA_BYTES,
                                 &no_host)
             : check.status;
}
