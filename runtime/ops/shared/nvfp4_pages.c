#include "ops/shared/nvfp4_pages.h"

#include <inttypes.h>

#include "core/error.h"
#include "kvforge/cache/nvfp4.h"
#include "ops/shared/arithmetic.h"

bool kvf_names_nvfp4_pages(const char *kv_cache_dtype) {
  return kv_cache_dtype != NULL &&
         (kvf_same_name(kv_cache_dtype, kvf_dtype_name(KVF_NVFP4)) ||
          kvf_same_name(kv_cache_dtype, kvf_dtype_name(KVF_NVFP4_4OVER6)));
}

static void check_multiple(kvf_check *check, const char *argument, const char *name, int64_t value,
                           int64_t of, const char *why) {
  if (check->status == KVF_OK && value % of != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "%s is %" PRId64 ", want a multiple of %" PRId64 " (%s)", name, value, of, why);
  }
}

void kvf_check_nvfp4_sizes(kvf_check *check, const char *argument, int64_t head_size,
                           int64_t block_size, bool swizzle) {
  check_multiple(check, argument, "head_size", head_size, KVF_NVFP4_GROUP,
                 "elements of a block scale");
  if (swizzle) {
    check_multiple(check, "swizzle_v_scales", "head_size", head_size, 4 * KVF_NVFP4_GROUP,
                   "four block scales");
    check_multiple(check, "swizzle_v_scales", "block_size", block_size, 4, "tokens");
  }
}

void kvf_check_nvfp4_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                           kvf_dim *num_blocks, kvf_dim *block_size, kvf_dim *num_heads,
                           const kvf_dim *head_size, kvf_view *view) {
  const int64_t bytes = head_size->value / 2 + head_size->value / KVF_NVFP4_GROUP;
  kvf_dim width = {"head_size / 2 + head_size / 16", bytes, head_size->bound_by};
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(KVF_NVFP4), 4,
                   (kvf_dim *const[]){num_blocks, block_size, num_heads, &width}, view);
  if (check->status != KVF_OK) {
    return;
  }
  const int64_t tokens = block_size->value;
  const int64_t heads = num_heads->value;
  const int64_t row = kvf_saturating_product(heads, bytes);    /* of all heads of a token */
  const int64_t plane = kvf_saturating_product(tokens, bytes); /* of all tokens of a head */
  const int64_t *stride = view->stride;
  const bool one_token = tokens <= 1;
  const bool one_head = heads <= 1;
  const bool dense = bytes <= 1 || stride[3] == 1;
  const bool nhd = (one_head || stride[2] == bytes) && (one_token || stride[1] == row);
  const bool hnd = (one_token || stride[1] == bytes) && (one_head || stride[2] == plane);
  if (!dense || (!nhd && !hnd)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "strides of dimensions 1 to 3 are %" PRId64 ", %" PRId64 ", %" PRId64
                   ", want %" PRId64 ", %" PRId64 ", 1 (NHD) or %" PRId64 ", %" PRId64
                   ", 1 (HND), pages without gaps",
                   stride[1], stride[2], stride[3], row, bytes, bytes, plane);
    return;
  }
  const int64_t page = kvf_saturating_product(tokens, row);
  if (num_blocks->value > 1 && stride[0] < page && stride[0] > -page) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension 0 (num_blocks) is %" PRId64 ", want %" PRId64
                   " or more, pages that do not overlap",
                   stride[0], page);
    return;
  }
  const int64_t codes = head_size->value / 2;
  view->stride[1] = nhd ? kvf_saturating_product(heads, codes) : codes;
  view->stride[2] = nhd ? codes : kvf_saturating_product(tokens, codes);
  view->stride[3] = 1;
}

kvf_view kvf_nvfp4_block_scales(const kvf_view *codes, int64_t block_size, int64_t num_heads,
                                int64_t head_size) {
  const int64_t rows = kvf_saturating_product(block_size, num_heads);
  const int64_t bytes = kvf_saturating_product(rows, head_size / 2);
  return (kvf_view){codes->data != NULL ? (char *)codes->data + bytes : NULL,
                    {codes->stride[0], codes->stride[1] / 8, codes->stride[2] / 8}};
}
