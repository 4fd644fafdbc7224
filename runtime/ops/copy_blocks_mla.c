#include "ops/shared/pages.h"

#define OP (&kvf_op_copy_blocks_mla)

_Static_assert(sizeof(kvf_copy_blocks_mla_params) == sizeof(kvf_page_list),
               "see kvf_run_page_copy()");

kvf_status kvf_copy_blocks_mla(const kvf_exec *exec, const DLTensor *const *kv_caches,
                               int64_t num_kv_caches, const DLTensor *block_mapping) {
  const kvf_cache_list list = {"kv_caches", kv_caches, num_kv_caches};
  const kvf_page_arguments arguments = {&list, 1, "block_mapping", block_mapping};
  kvf_copy_blocks_mla_params params = {.pages = {.num_caches = 0}};
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_variant *variant = kvf_check_pages(&check, &arguments, 2, &params.pages);
  kvf_page_cursor cursor = {.launched = 0};
  while (check.status == KVF_OK && kvf_next_pages(&cursor, &arguments, &params.pages)) {
    check.status = kvf_launch_copy_blocks_mla(&check.exec, variant, &params);
  }
  return kvf_end_pages(&check, &cursor, &arguments, &params.pages);
}

kvf_status kvf_launch_copy_blocks_mla(const kvf_exec *exec, const kvf_variant *variant,
                                      const kvf_copy_blocks_mla_params *given) {
  kvf_copy_blocks_mla_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  return kvf_run_page_copy(&check, variant, &params.pages);
}
