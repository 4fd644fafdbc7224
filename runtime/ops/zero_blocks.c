#include "ops/shared/pages.h"

#define OP (&kvf_op_zero_blocks)

kvf_status kvf_zero_blocks(const kvf_exec *exec, const DLTensor *const *caches, int64_t num_caches,
                           const DLTensor *block_ids) {
  const kvf_cache_list list = {"caches", caches, num_caches};
  const kvf_page_arguments arguments = {&list, 1, "block_ids", block_ids};
  kvf_zero_blocks_params params = {.pages = {.num_caches = 0}};
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_variant *variant = kvf_check_pages(&check, &arguments, 1, &params.pages);
  kvf_page_cursor cursor = {.launched = 0};
  while (check.status == KVF_OK && kvf_next_pages(&cursor, &arguments, &params.pages)) {
    check.status = kvf_launch_zero_blocks(&check.exec, variant, &params);
  }
  return kvf_end_pages(&check, &cursor, &arguments, &params.pages);
}

/*
 * x of a thread block runs over a page's vectors, y over blocks, so that small pages are packed and
 * large ones split, as the tuned constants have it.
 */
static kvf_grid grid_of(const kvf_check *check, const kvf_page_list *pages) {
  enum { THREADS, VECTORS }; /* positions of tuned constants */
  const int32_t *tuned = kvf_tuned_values(check, pages->blocks.size);
  const uint32_t threads = (uint32_t)tuned[THREADS];
  const int64_t vectors = pages->page_bytes / pages->vector_bytes;
  uint32_t x = 1;
  while (x < threads && x < vectors) {
    x *= 2;
  }
  const uint32_t y = threads / x;
  const int64_t parts = (vectors - 1) / ((int64_t)x * tuned[VECTORS]) + 1;
  return (kvf_grid){
      .grid = {(uint32_t)((pages->blocks.size + y - 1) / y),
               (uint32_t)(parts < 65535 ? parts : 65535), (uint32_t)pages->num_caches},
      .block = {x, y, 1},
  };
}

kvf_status kvf_launch_zero_blocks(const kvf_exec *exec, const kvf_variant *variant,
                                  const kvf_zero_blocks_params *given) {
  kvf_zero_blocks_params params;
  kvf_page_list *pages = &params.pages;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (pages->addresses != NULL) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "addresses", "got an address, want NULL: caches");
  }
  if (!kvf_launch_pages(&check, variant, "block_ids", 1, pages)) {
    return check.status;
  }
  if (check.exec.backend == KVF_CPU) {
    return kvf_cpu_run(&check, variant, &params, pages->num_caches * pages->blocks.size,
                       pages->page_bytes);
  }
  const kvf_grid grid = grid_of(&check, pages);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
