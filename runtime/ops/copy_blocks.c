#include "ops/shared/pages.h"

#define OP (&kvf_op_copy_blocks)

_Static_assert(sizeof(kvf_copy_blocks_params) == sizeof(kvf_page_list), "see kvf_run_page_copy()");

kvf_status kvf_copy_blocks(const kvf_exec *exec, const DLTensor *const *key_caches,
                           int64_t num_key_caches, const DLTensor *const *value_caches,
                           int64_t num_value_caches, const DLTensor *block_mapping) {
  const kvf_cache_list lists[] = {{"key_caches", key_caches, num_key_caches},
                                  {"value_caches", value_caches, num_value_caches}};
  const kvf_page_arguments arguments = {lists, 2, "block_mapping", block_mapping};
  kvf_copy_blocks_params params = {.pages = {.num_caches = 0}};
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_variant *variant = kvf_check_pages(&check, &arguments, 2, &params.pages);
  kvf_page_cursor cursor = {.launched = 0};
  while (check.status == KVF_OK && kvf_next_pages(&cursor, &arguments, &params.pages)) {
    check.status = kvf_launch_copy_blocks(&check.exec, variant, &params);
  }
  return kvf_end_pages(&check, &cursor, &arguments, &params.pages);
}

kvf_status kvf_launch_copy_blocks(const kvf_exec *exec, const kvf_variant *variant,
                                  const kvf_copy_blocks_params *given) {
  kvf_copy_blocks_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  return kvf_run_page_copy(&check, variant, &params.pages);
}
