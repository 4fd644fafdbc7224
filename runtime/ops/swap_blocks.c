#include <inttypes.h>
#include <string.h>

#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/index.h"
#include "ops/shared/pages.h"

#define OP (&kvf_op_swap_blocks)

/* ---- the typed call
 * ------------------------------------------------------------------------------ */

/* Bytes from the first element of a tensor to behind its last. */
static int64_t span_of(kvf_check *check, const char *argument, const DLTensor *tensor) {
  const int bits = tensor->dtype.bits * tensor->dtype.lanes;
  if (bits == 0 || bits % 8 != 0) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument, "an element has %d bits, want whole bytes",
                   bits);
    return 0;
  }
  if (tensor->ndim < 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "rank is %d, want 0 or more", tensor->ndim);
    return 0;
  }
  int64_t span = 1;
  int64_t compact = 1;
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    const int64_t size = tensor->shape[i];
    const int64_t stride = tensor->strides != NULL ? tensor->strides[i] : compact;
    if (size < 0 || (size > 1 && stride < 0)) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "dimension %d has size %" PRId64 " and stride %" PRId64 ", want 0 or more", i,
                     size, stride);
      return 0;
    }
    compact = kvf_saturating_product(compact, size);
    const int64_t steps = size > 1 ? kvf_saturating_product(size - 1, stride) : 0;
    span = steps < KVF_TOO_LARGE - span ? span + steps : KVF_TOO_LARGE;
  }
  return compact == 0 ? 0 : kvf_saturating_product(span, bits / 8);
}

static int64_t check_cache(kvf_check *check, const char *argument, const DLTensor *tensor,
                           int64_t block_size, kvf_pages *pages) {
  if (check->status != KVF_OK) {
    return 0;
  }
  if (!(kvf_is_on_host(tensor) && check->placed && check->exec.backend == KVF_CUDA)) {
    kvf_check_place(check, argument, tensor);
  }
  const int64_t span = span_of(check, argument, tensor);
  if (check->status == KVF_OK && span > 0 && tensor->data == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "data is NULL, want an address");
  }
  *pages = (kvf_pages){.data = tensor->data ? (char *)tensor->data + tensor->byte_offset : NULL,
                       .stride = block_size};
  return check->status == KVF_OK ? span / block_size : 0;
}

kvf_status kvf_swap_blocks(const kvf_exec *exec, const DLTensor *src, DLTensor *dst,
                           int64_t block_size_in_bytes, const DLTensor *block_mapping) {
  kvf_swap_blocks_params params = {.block_size_in_bytes = block_size_in_bytes};
  kvf_check check = kvf_check_begin(OP, exec);
  (void)kvf_check_present(&check, "src", src);
  (void)kvf_check_present(&check, "dst", dst);
  if (block_size_in_bytes < 1) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "block_size_in_bytes",
                   "got %" PRId64 ", want 1 or more", block_size_in_bytes);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  /* The one on a device says where the call runs, so it comes first. */
  const bool dst_first = kvf_is_on_host(src) && !kvf_is_on_host(dst);
  for (int i = 0; i < 2; ++i) {
    if ((i == 0) == dst_first) {
      params.num_dst_blocks = check_cache(&check, "dst", dst, block_size_in_bytes, &params.dst);
    } else {
      params.num_src_blocks = check_cache(&check, "src", src, block_size_in_bytes, &params.src);
    }
  }
  kvf_check host = kvf_check_begin_host(&check, "block_mapping", block_mapping);
  kvf_check_blocks(&host, "block_mapping", block_mapping, 2, &params.block_mapping);
  kvf_check_end_host(&check, &host);
  const kvf_variant *variant = kvf_check_bytes_variant(&check);
  return variant != NULL ? kvf_launch_swap_blocks(&check.exec, variant, &params) : check.status;
}

/* ---- the launch
 * ---------------------------------------------------------------------------------- */

static bool is_same_memory(const kvf_swap_blocks_params *params) {
  return params->src.data == params->dst.data;
}

static void check_overlap(kvf_check *check, const kvf_swap_blocks_params *params) {
  const uintptr_t src = (uintptr_t)params->src.data;
  const uintptr_t dst = (uintptr_t)params->dst.data;
  const uintptr_t src_end = src + (uintptr_t)(params->num_src_blocks * params->block_size_in_bytes);
  const uintptr_t dst_end = dst + (uintptr_t)(params->num_dst_blocks * params->block_size_in_bytes);
  if (src != dst && src < dst_end && dst < src_end) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "dst",
                   "its pages overlap those of src, which begin %" PRId64
                   " bytes further on, want the same pages or others",
                   (int64_t)(src - dst));
  }
}

static void check_range(kvf_check *check, const kvf_swap_blocks_params *params) {
  for (int64_t i = 0; check->status == KVF_OK && i < params->block_mapping.size; ++i) {
    for (int32_t column = 0; column < 2; ++column) {
      const int64_t block = kvf_block_number(&params->block_mapping, i, column);
      const int64_t limit = column == 0 ? params->num_src_blocks : params->num_dst_blocks;
      if (block < 0 || block >= limit) {
        kvf_check_fail(check, KVF_OUT_OF_RANGE, "block_mapping",
                       "element [%" PRId64 ", %d] is %" PRId64 ", want 0 to %" PRId64
                       " (pages of %" PRId64 " bytes in %s)",
                       i, column, block, limit - 1, params->block_size_in_bytes,
                       column == 0 ? "src" : "dst");
      }
    }
  }
}

/*
 * Pages that copies which are not yet submitted read or write. A page has one bit, shared with
 * every 65536th page after it: to take a page for touched that is not costs a submission and
 * nothing else.
 */
enum { TOUCHED_BITS = 1 << 16 };
typedef uint64_t touched_pages[TOUCHED_BITS / 64];

static bool is_touched(const touched_pages pages, int64_t page) {
  return pages[page % TOUCHED_BITS / 64] >> (page % 64) & 1;
}

static void touch(touched_pages pages, int64_t page) {
  pages[page % TOUCHED_BITS / 64] |= UINT64_C(1) << (page % 64);
}

/*
 * Copies of one submission may be made in any order, so none of them may need another one. Pairs
 * are bounded once more: another thread may have changed them since check_range().
 */
static kvf_status copy_on_cuda(const kvf_check *check, const kvf_swap_blocks_params *params) {
  const bool same = is_same_memory(params);
  const int64_t bytes = params->block_size_in_bytes;
  kvf_copies copies; /* large: only the head is set */
  copies.check = check;
  copies.argument = "block_mapping";
  copies.any_order = false;
  copies.next = 0;
  copies.count = 0;
  touched_pages written = {0};
  touched_pages read = {0};
  kvf_status status = KVF_OK;
  for (int64_t i = 0; status == KVF_OK && i < params->block_mapping.size; ++i) {
    const int64_t source = kvf_block_number(&params->block_mapping, i, 0);
    const int64_t target = kvf_block_number(&params->block_mapping, i, 1);
    if (source < 0 || source >= params->num_src_blocks || target < 0 ||
        target >= params->num_dst_blocks || (same && source == target)) {
      continue;
    }
    if (is_touched(written, target) ||
        (same && (is_touched(read, target) || is_touched(written, source)))) {
      status = kvf_copies_submit(&copies);
      memset(written, 0, sizeof written);
      memset(read, 0, sizeof read);
    }
    touch(written, target);
    touch(read, source);
    if (status == KVF_OK) {
      status = kvf_copies_add_adjacent(
          &copies, i, (uintptr_t)params->dst.data + (uint64_t)(target * bytes),
          (uintptr_t)params->src.data + (uint64_t)(source * bytes), (size_t)bytes);
    }
  }
  return status == KVF_OK ? kvf_copies_submit(&copies) : status;
}

static void check_extent(kvf_check *check, const char *member, int64_t blocks, int64_t bytes) {
  int64_t product = 0;
  kvf_launch_at_least(check, member, blocks, 0);
  if (check->status == KVF_OK && __builtin_mul_overflow(blocks, bytes, &product)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member,
                   "got %" PRId64 " pages of %" PRId64 " bytes, want a product below 2^63", blocks,
                   bytes);
  }
}

kvf_status kvf_launch_swap_blocks(const kvf_exec *exec, const kvf_variant *variant,
                                  const kvf_swap_blocks_params *given) {
  kvf_swap_blocks_params params;
  const kvf_block_list *mapping = &params.block_mapping;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "block_mapping.size", mapping->size, 0);
  kvf_launch_at_least(&check, "block_size_in_bytes", params.block_size_in_bytes, 1);
  check_extent(&check, "num_src_blocks", params.num_src_blocks, params.block_size_in_bytes);
  check_extent(&check, "num_dst_blocks", params.num_dst_blocks, params.block_size_in_bytes);
  kvf_launch_index_bytes(&check, "block_mapping.index_bytes", mapping->index_bytes);
  if (check.status != KVF_OK || mapping->size == 0) {
    return check.status;
  }
  kvf_launch_pointer(&check, "block_mapping", mapping->data);
  if (params.num_src_blocks > 0 && params.num_dst_blocks > 0) {
    kvf_launch_pointer(&check, "src", params.src.data);
    kvf_launch_pointer(&check, "dst", params.dst.data);
  }
  if (check.status == KVF_OK) {
    check_overlap(&check, &params);
    check_range(&check, &params);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.src.stride = params.dst.stride = params.block_size_in_bytes;
  if (check.exec.backend == KVF_CUDA) {
    return copy_on_cuda(&check, &params);
  }
  const int64_t parts = kvf_page_parts(params.block_size_in_bytes);
  params.streaming =
      kvf_cpu_streams(kvf_saturating_product(mapping->size, params.block_size_in_bytes));
  return kvf_cpu_run(&check, variant, &params, parts,
                     2 * kvf_saturating_product(mapping->size, params.block_size_in_bytes / parts));
}
