#include <inttypes.h>
#include <string.h>

#include "core/extent.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/index.h"
#include "ops/shared/moves.h"
#include "ops/shared/pages.h"

#define OP (&kvf_op_swap_blocks)

/* ---- the typed call
 * ------------------------------------------------------------------------------ */

/* The pages of one side. */
typedef struct side {
  kvf_pages pages;
  int64_t num_blocks;
  int64_t bytes; /* of a page */
} side;

/* Refuses what is no memory of whole bytes, one element after another in ascending order. */
static void check_layout(kvf_check *check, const char *argument, const DLTensor *tensor) {
  const int bits = tensor->dtype.bits * tensor->dtype.lanes;
  if (bits == 0 || bits % 8 != 0) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument, "an element has %d bits, want whole bytes",
                   bits);
    return;
  }
  if (tensor->ndim < 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "rank is %d, want 0 or more", tensor->ndim);
    return;
  }
  int64_t elements = 1;
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    const int64_t size = tensor->shape[i];
    const int64_t stride = tensor->strides != NULL ? tensor->strides[i] : 0;
    if (size < 0 || (size > 1 && stride < 0)) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "dimension %d has size %" PRId64 " and stride %" PRId64 ", want 0 or more", i,
                     size, stride);
      return;
    }
    elements = kvf_saturating_product(elements, size);
  }
  if (elements > 0 && !kvf_is_dense_page(tensor)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "what an index of dimension 0 selects has gaps, want pages in one piece");
  }
}

/*
 * A tensor without gaps is flat memory, whatever its dimensions are. One with gaps between the
 * indices of dimension 0, such as a layer's slice of a pool, has its pages there.
 */
static void find_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                       int64_t block_size, side *found) {
  const int64_t item = tensor->dtype.bits * tensor->dtype.lanes / 8;
  const int64_t pages = tensor->ndim > 0 ? tensor->shape[0] : 1;
  const int64_t elements = kvf_elements_of_page(tensor);
  const int64_t stride = pages > 1 && tensor->strides != NULL ? tensor->strides[0] : elements;
  const int64_t page = kvf_saturating_product(elements, item);
  found->pages.stride = found->bytes = block_size;
  found->num_blocks = kvf_saturating_product(pages, page) / block_size;
  if (found->num_blocks == 0 || stride == elements) {
    return;
  }
  found->pages.stride = kvf_saturating_product(stride, item);
  found->bytes = page;
  found->num_blocks = pages;
  if (stride < elements) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension 0 is %" PRId64 ", want %" PRId64
                   " or more, pages that do not overlap",
                   stride, elements);
  } else if (block_size != page && block_size != found->pages.stride) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "block_size_in_bytes",
                   "got %" PRId64 ", want %" PRId64 ", the bytes of a page of %s, or %" PRId64
                   ", those from one to the next",
                   block_size, page, argument, found->pages.stride);
  }
}

static void check_cache(kvf_check *check, const char *argument, const DLTensor *tensor,
                        int64_t block_size, side *found) {
  if (check->status != KVF_OK) {
    return;
  }
  if (!(kvf_is_on_host(tensor) && check->placed && check->exec.backend == KVF_CUDA)) {
    kvf_check_place(check, argument, tensor);
  }
  check_layout(check, argument, tensor);
  if (check->status != KVF_OK) {
    return;
  }
  find_pages(check, argument, tensor, block_size, found);
  if (found->num_blocks > 0 && tensor->data == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "data is NULL, want an address");
  }
  found->pages.data = kvf_first_element(tensor);
}

kvf_status kvf_swap_blocks(const kvf_exec *exec, const DLTensor *src, DLTensor *dst,
                           int64_t block_size_in_bytes, const DLTensor *block_mapping) {
  kvf_swap_blocks_params params = {.block_size_in_bytes = block_size_in_bytes};
  side src_side = {.num_blocks = 0};
  side dst_side = {.num_blocks = 0};
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
      check_cache(&check, "dst", dst, block_size_in_bytes, &dst_side);
    } else {
      check_cache(&check, "src", src, block_size_in_bytes, &src_side);
    }
  }
  if (check.status == KVF_OK && src_side.bytes != dst_side.bytes) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "dst",
                   "has pages of %" PRId64 " bytes, want %" PRId64 " as in src", dst_side.bytes,
                   src_side.bytes);
  }
  params.src = src_side.pages;
  params.dst = dst_side.pages;
  params.num_src_blocks = src_side.num_blocks;
  params.num_dst_blocks = dst_side.num_blocks;
  params.block_size_in_bytes = src_side.bytes;
  kvf_check host = kvf_check_begin_host(&check, "block_mapping", block_mapping);
  kvf_check_blocks(&host, "block_mapping", block_mapping, 2, &params.block_mapping);
  kvf_check_end_host(&check, &host);
  const kvf_variant *variant = kvf_check_bytes_variant(&check);
  return variant != NULL ? kvf_launch_swap_blocks(&check.exec, variant, &params) : check.status;
}

/* ---- the launch
 * ---------------------------------------------------------------------------------- */

static bool is_same_memory(const kvf_swap_blocks_params *params) {
  return params->src.data == params->dst.data && params->src.stride == params->dst.stride;
}

/* Where the last page ends. */
static uintptr_t end_of(const kvf_pages *pages, int64_t count, int64_t bytes) {
  const int64_t length = count > 0 ? (count - 1) * pages->stride + bytes : 0;
  return (uintptr_t)pages->data + (uintptr_t)length;
}

/* Whether pages of one side lie in the gaps of the other, as those of two layers of a pool do. */
static bool alternate(const kvf_swap_blocks_params *params) {
  const uintptr_t src = (uintptr_t)params->src.data;
  const uintptr_t dst = (uintptr_t)params->dst.data;
  const uint64_t period = (uint64_t)params->src.stride;
  const uint64_t bytes = (uint64_t)params->block_size_in_bytes;
  const uint64_t apart = (src < dst ? dst - src : src - dst) % period;
  return params->src.stride == params->dst.stride && apart >= bytes && period - apart >= bytes;
}

static void check_overlap(kvf_check *check, const kvf_swap_blocks_params *params) {
  const uintptr_t src = (uintptr_t)params->src.data;
  const uintptr_t dst = (uintptr_t)params->dst.data;
  const int64_t bytes = params->block_size_in_bytes;
  const bool meet = src < end_of(&params->dst, params->num_dst_blocks, bytes) &&
                    dst < end_of(&params->src, params->num_src_blocks, bytes);
  if (meet && !is_same_memory(params) && !alternate(params)) {
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

/* Whether all pairs continue the pair before them, in memory without gaps: one copy. */
static bool is_one_copy(const kvf_swap_blocks_params *params) {
  const kvf_block_list *mapping = &params->block_mapping;
  const int64_t source = kvf_block_number(mapping, 0, 0);
  const int64_t target = kvf_block_number(mapping, 0, 1);
  const bool gaps = params->src.stride != params->block_size_in_bytes ||
                    params->dst.stride != params->block_size_in_bytes;
  int64_t i = 1;
  while (i < mapping->size && !gaps && kvf_block_number(mapping, i, 0) == source + i &&
         kvf_block_number(mapping, i, 1) == target + i) {
    ++i;
  }
  return i == mapping->size;
}

/* Pairs on their way to a kernel, or to the driver. */
typedef struct submission {
  const kvf_swap_blocks_params *params;
  bool by_kernel;
  union {
    kvf_moves moves;
    kvf_copies copies;
  } pairs; /* large: only the head is set */
} submission;

_Static_assert(sizeof(submission) + 2 * sizeof(touched_pages) <= 46 << 10,
               "calls on CUDA have both on the stack of their thread");

static kvf_status begin(submission *work, const kvf_check *check, const kvf_variant *variant,
                        const kvf_swap_blocks_params *params) {
  const kvf_pages sides[] = {params->src, params->dst};
  const int64_t pages = params->num_src_blocks > params->num_dst_blocks ? params->num_src_blocks
                                                                        : params->num_dst_blocks;
  const bool one = is_one_copy(params);
  work->params = params;
  work->by_kernel = false;
  const kvf_status status =
      one ? KVF_OK
          : kvf_can_move(check, sides, pages, params->block_size_in_bytes, &work->by_kernel);
  if (work->by_kernel) {
    kvf_moves_begin(&work->pairs.moves, check, variant, "block_mapping", sides,
                    params->block_size_in_bytes);
    return status;
  }
  kvf_copies *copies = &work->pairs.copies;
  copies->check = check;
  copies->argument = "block_mapping";
  copies->any_order = false;
  copies->next = 0;
  copies->count = 0;
  return status;
}

static kvf_status add(submission *work, int64_t i, int64_t source, int64_t target) {
  const kvf_swap_blocks_params *params = work->params;
  return work->by_kernel
             ? kvf_moves_add(&work->pairs.moves, i, source, target)
             : kvf_copies_add_adjacent(
                   &work->pairs.copies, i,
                   (uintptr_t)params->dst.data + (uint64_t)(target * params->dst.stride),
                   (uintptr_t)params->src.data + (uint64_t)(source * params->src.stride),
                   (size_t)params->block_size_in_bytes);
}

static kvf_status submit(submission *work) {
  return work->by_kernel ? kvf_moves_submit(&work->pairs.moves)
                         : kvf_copies_submit(&work->pairs.copies);
}

/*
 * Copies of one submission may be made in any order, so none of them may need another one. Pairs
 * are bounded once more: another thread may have changed them since check_range(). Not inlined:
 * calls on the CPU would have the copies on their stack, too.
 */
static __attribute__((noinline)) kvf_status copy_on_cuda(const kvf_check *check,
                                                         const kvf_variant *variant,
                                                         const kvf_swap_blocks_params *params) {
  const bool same = is_same_memory(params);
  submission work;
  touched_pages written = {0};
  touched_pages read = {0};
  kvf_status status = begin(&work, check, variant, params);
  for (int64_t i = 0; status == KVF_OK && i < params->block_mapping.size; ++i) {
    const int64_t source = kvf_block_number(&params->block_mapping, i, 0);
    const int64_t target = kvf_block_number(&params->block_mapping, i, 1);
    if (source < 0 || source >= params->num_src_blocks || target < 0 ||
        target >= params->num_dst_blocks || (same && source == target)) {
      continue;
    }
    if (is_touched(written, target) ||
        (same && (is_touched(read, target) || is_touched(written, source)))) {
      status = submit(&work);
      memset(written, 0, sizeof written);
      memset(read, 0, sizeof read);
    }
    touch(written, target);
    touch(read, source);
    if (status == KVF_OK) {
      status = add(&work, i, source, target);
    }
  }
  return status == KVF_OK ? submit(&work) : status;
}

static void check_extent(kvf_check *check, const char *count, int64_t blocks, const char *stride,
                         const kvf_pages *pages, int64_t bytes) {
  int64_t product = 0;
  kvf_launch_at_least(check, count, blocks, 0);
  kvf_launch_at_least(check, stride, pages->stride, bytes);
  if (check->status == KVF_OK && __builtin_mul_overflow(blocks, pages->stride, &product)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, count,
                   "got %" PRId64 " pages %" PRId64 " bytes apart, want a product below 2^63",
                   blocks, pages->stride);
  }
}

kvf_status kvf_launch_swap_blocks(const kvf_exec *exec, const kvf_variant *variant,
                                  const kvf_swap_blocks_params *given) {
  kvf_swap_blocks_params params;
  const kvf_block_list *mapping = &params.block_mapping;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "block_mapping.size", mapping->size, 0);
  kvf_launch_at_least(&check, "block_size_in_bytes", params.block_size_in_bytes, 1);
  check_extent(&check, "num_src_blocks", params.num_src_blocks, "src.stride", &params.src,
               params.block_size_in_bytes);
  check_extent(&check, "num_dst_blocks", params.num_dst_blocks, "dst.stride", &params.dst,
               params.block_size_in_bytes);
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
  if (check.exec.backend == KVF_CUDA) {
    return copy_on_cuda(&check, variant, &params);
  }
  const int64_t parts = kvf_page_parts(params.block_size_in_bytes);
  params.streaming =
      kvf_cpu_streams(kvf_saturating_product(mapping->size, params.block_size_in_bytes));
  return kvf_cpu_run(&check, variant, &params, parts,
                     2 * kvf_saturating_product(mapping->size, params.block_size_in_bytes / parts));
}
