#include "ops/shared/indexer.h"

#include <inttypes.h>

#include "ops/shared/arithmetic.h"

void kvf_check_indexer_pages(kvf_check *check, const DLTensor *kv_cache, int64_t head_dim,
                             int64_t num_scales, kvf_dim *num_blocks, kvf_dim *block_size,
                             kvf_view *view) {
  if (check->status != KVF_OK) {
    return;
  }
  kvf_dim row = {"head_dim + 4 * scales", head_dim + 4 * num_scales, NULL};
  kvf_check_tensor(check, "kv_cache", kv_cache, KVF_ACCEPT(KVF_FP8_E4M3), 3,
                   (kvf_dim *const[]){num_blocks, block_size, &row}, view);
  if (check->status != KVF_OK || num_blocks->value == 0 || block_size->value == 0) {
    return;
  }
  const int64_t want[] = {0, row.value, 1};
  for (int32_t i = 1; i < 3; ++i) {
    if (kv_cache->shape[i] > 1 && view->stride[i] != want[i]) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "kv_cache",
                     "stride of dimension %d is %" PRId64 ", want %" PRId64
                     " (the bytes of a page lie one behind another)",
                     i, view->stride[i], want[i]);
    }
  }
}

bool kvf_indexer_scales_aligned(const kvf_view *kv_cache, int64_t block_size, int64_t head_dim) {
  return (uintptr_t)kv_cache->data % 4 == 0 && kv_cache->stride[0] % 4 == 0 &&
         kvf_wrapping_product(block_size, head_dim) % 4 == 0;
}

kvf_view kvf_indexer_page_row(const kvf_view *kv_cache) {
  return (kvf_view){.data = kv_cache->data, .stride = {kv_cache->stride[0], 1}};
}
