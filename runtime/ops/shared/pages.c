#include "ops/shared/pages.h"

#include <inttypes.h>
#include <stdio.h>

#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/index.h"
#include "core/error.h"
#include "core/extent.h"

_Static_assert(sizeof(kvf_page_list) <= 4096, "a kernel has 4 KB of parameters");

/* ---- tensors
 * ------------------------------------------------------------------------------------- */

/* The tensor at a position of all lists, one behind another. */
static const DLTensor *tensor_at(const kvf_page_arguments *arguments, int64_t i) {
  const kvf_cache_list *list = arguments->lists;
  while (i >= list->size) {
    i -= list->size;
    ++list;
  }
  return list->tensors[i];
}

static int64_t num_tensors(const kvf_page_arguments *arguments) {
  int64_t sum = 0;
  for (int32_t i = 0; i < arguments->num_lists; ++i) {
    sum += arguments->lists[i].size;
  }
  return sum;
}

int64_t kvf_elements_of_page(const DLTensor *tensor) {
  int64_t elements = 1;
  for (int32_t i = 1; i < tensor->ndim; ++i) {
    elements = kvf_saturating_product(elements, tensor->shape[i]);
  }
  return elements;
}

static int64_t bytes_of(const DLTensor *tensor, int64_t elements) {
  return kvf_wrapping_product(elements, tensor->dtype.bits * tensor->dtype.lanes / 8);
}

/* Elements from one page to the next, 0 where there is no next. NULL strides mean compact
 * row-major. */
static int64_t page_stride(const DLTensor *tensor) {
  if (tensor->shape[0] <= 1) {
    return 0;
  }
  return tensor->strides != NULL ? tensor->strides[0] : kvf_elements_of_page(tensor);
}

/* Each step finds the dimension whose neighbours are as far apart as the elements found so far are
 * long. */
bool kvf_is_dense_page(const DLTensor *tensor) {
  const int64_t elements = kvf_elements_of_page(tensor);
  if (tensor->strides == NULL || elements == 0) {
    return true;
  }
  int64_t run = 1;
  for (int64_t before = 0; before != run;) {
    before = run;
    for (int32_t i = tensor->ndim - 1; i > 0; --i) {
      if (tensor->shape[i] > 1 && tensor->strides[i] == run) {
        run = kvf_saturating_product(run, tensor->shape[i]);
      }
    }
  }
  return run == elements;
}

static void check_cache(kvf_check *check, const char *argument, const DLTensor *tensor,
                        kvf_dim *num_blocks) {
  if (!kvf_check_present(check, argument, tensor)) {
    return;
  }
  if (tensor->ndim < 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "rank is %d, want 1 or more", tensor->ndim);
    return;
  }
  const int bits = tensor->dtype.bits * tensor->dtype.lanes;
  if (bits == 0 || bits % 8 != 0) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument, "an element has %d bits, want whole bytes",
                   bits);
  }
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    if (tensor->shape[i] < 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "size of dimension %d is %" PRId64 ", want 0 or more", i, tensor->shape[i]);
    }
  }
  kvf_check_place(check, argument, tensor);
  if (check->status != KVF_OK) {
    return;
  }
  if (num_blocks->value < 0) {
    num_blocks->value = tensor->shape[0];
    num_blocks->bound_by = argument;
  } else if (num_blocks->value != tensor->shape[0]) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "size of dimension 0 (num_blocks) is %" PRId64 ", want %" PRId64 " as in %s",
                   tensor->shape[0], num_blocks->value, num_blocks->bound_by);
  }
  const int64_t elements = kvf_elements_of_page(tensor);
  if (elements == 0 || tensor->shape[0] == 0) {
    return;
  }
  if (tensor->data == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "data is NULL, want an address");
  }
  if (!kvf_is_dense_page(tensor)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "a page has gaps between its elements, want pages without (of a tensor that "
                   "interleaves keys and values pass the whole, not a slice)");
  }
  const int64_t stride = page_stride(tensor);
  if (tensor->shape[0] > 1 && stride < elements && stride > -elements) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension 0 (num_blocks) is %" PRId64 ", want %" PRId64
                   " or more, pages that do not overlap",
                   stride, elements);
  }
  /* A launch would refuse it too, but launches of other page sizes may have come before. */
  int64_t span = 0;
  if (tensor->shape[0] > 1 && (__builtin_mul_overflow(stride, bits / 8, &span) ||
                               __builtin_mul_overflow(span, tensor->shape[0], &span))) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "has %" PRId64 " pages %" PRId64 " elements apart, want less than 2^63 bytes",
                   tensor->shape[0], stride);
  }
}

static void check_list(kvf_check *check, const kvf_cache_list *list, kvf_dim *num_blocks) {
  if (list->size < 0 || (list->size > 0 && list->tensors == NULL)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, list->argument,
                   "got %s of %" PRId64 " tensors, want an array of 0 or more",
                   list->tensors ? "an array" : "NULL", list->size);
  }
  for (int64_t i = 0; check->status == KVF_OK && i < list->size; ++i) {
    check_cache(check, list->argument, list->tensors[i], num_blocks);
    if (check->status != KVF_OK) {
      /* Once more, for a sentence that names the tensor: naming all of them in time would be slow.
       */
      char name[96];
      (void)snprintf(name, sizeof name, "%s[%" PRId64 "]", list->argument, i);
      check->status = KVF_OK;
      check_cache(check, name, list->tensors[i], num_blocks);
    }
  }
}

/* ---- blocks
 * -------------------------------------------------------------------------------------- */

void kvf_check_blocks(kvf_check *check, const char *argument, const DLTensor *tensor, int32_t rank,
                      kvf_block_list *blocks) {
  kvf_dim size = KVF_DIM(rank == 2 ? "num_pairs" : "num_ids");
  kvf_dim two = {"source and target", 2, NULL};
  kvf_view view = {.data = NULL};
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT_INT32 | KVF_ACCEPT_INT64, rank,
                   (kvf_dim *const[]){&size, &two}, &view);
  if (check->status == KVF_OK) {
    *blocks = (kvf_block_list){
        .data = view.data,
        .stride = {view.stride[0], rank == 2 ? view.stride[1] : 0},
        .size = size.value,
        .index_bytes = tensor->dtype.bits / 8,
    };
  }
}

int64_t kvf_block_number(const kvf_block_list *blocks, int64_t i, int32_t column) {
  const int64_t at = i * blocks->stride[0] + column * blocks->stride[1];
  return kvf_read_index(blocks->data, blocks->index_bytes, at);
}

static void check_range(kvf_check *check, const char *argument, int32_t rank,
                        const kvf_page_list *pages) {
  for (int64_t i = 0; i < pages->blocks.size; ++i) {
    for (int32_t column = 0; column < rank; ++column) {
      const int64_t block = kvf_block_number(&pages->blocks, i, column);
      if (block >= pages->num_blocks) {
        char place[64];
        (void)snprintf(place, sizeof place, rank == 2 ? "[%" PRId64 ", %d]" : "%" PRId64, i,
                       column);
        kvf_check_fail(check, KVF_OUT_OF_RANGE, argument,
                       "element %s is %" PRId64 ", want less than %" PRId64 " (num_blocks)", place,
                       block, pages->num_blocks);
        return;
      }
    }
  }
}

/* ---- typed calls
 * --------------------------------------------------------------------------------- */

const kvf_variant *kvf_check_pages(kvf_check *check, const kvf_page_arguments *arguments,
                                   int32_t blocks_rank, kvf_page_list *pages) {
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  for (int32_t i = 0; i < arguments->num_lists; ++i) {
    check_list(check, &arguments->lists[i], &num_blocks);
    if (check->status == KVF_OK && arguments->lists[i].size != arguments->lists[0].size) {
      kvf_check_fail(check, KVF_INVALID_VALUE, arguments->lists[i].argument,
                     "has %" PRId64 " tensors, want %" PRId64 " as in %s", arguments->lists[i].size,
                     arguments->lists[0].size, arguments->lists[0].argument);
    }
  }
  kvf_check_blocks(check, arguments->blocks_argument, arguments->blocks, blocks_rank,
                   &pages->blocks);
  pages->num_blocks = num_blocks.value;
  return kvf_check_bytes_variant(check);
}

static int64_t page_bytes_at(const kvf_page_arguments *arguments, int64_t i) {
  const DLTensor *tensor = tensor_at(arguments, i);
  return bytes_of(tensor, kvf_elements_of_page(tensor));
}

/* Whether no tensor before this one has its page size. */
static bool is_first_of_size(const kvf_page_arguments *arguments, int64_t i) {
  const int64_t bytes = page_bytes_at(arguments, i);
  int64_t other = 0;
  while (other < i && page_bytes_at(arguments, other) != bytes) {
    ++other;
  }
  return other == i;
}

bool kvf_next_pages(kvf_page_cursor *cursor, const kvf_page_arguments *arguments,
                    kvf_page_list *pages) {
  const int64_t count = num_tensors(arguments);
  pages->counted = cursor->launched > 0;
  pages->num_caches = 0;
  while (cursor->launched < count) {
    pages->page_bytes = page_bytes_at(arguments, cursor->group);
    for (; cursor->next < count && pages->num_caches < KVF_MAX_CACHES; ++cursor->next) {
      const DLTensor *tensor = tensor_at(arguments, cursor->next);
      if (page_bytes_at(arguments, cursor->next) == pages->page_bytes) {
        pages->caches[pages->num_caches++] = (kvf_pages){
            .data = kvf_first_element(tensor),
            .stride = bytes_of(tensor, page_stride(tensor)),
        };
      }
    }
    if (pages->num_caches > 0) {
      cursor->launched += pages->num_caches;
      return true;
    }
    do {
      ++cursor->group;
    } while (!is_first_of_size(arguments, cursor->group));
    cursor->next = cursor->group;
  }
  return false;
}

kvf_status kvf_end_pages(const kvf_check *check, const kvf_page_cursor *cursor,
                         const kvf_page_arguments *arguments, const kvf_page_list *pages) {
  const int64_t before = cursor->launched - pages->num_caches;
  if (check->status == KVF_OK || before <= 0) {
    return check->status;
  }
  return kvf_error_add(check->status, "; enqueued: %" PRId64 " of %" PRId64 " tensors", before,
                       num_tensors(arguments));
}

/* ---- launches
 * ------------------------------------------------------------------------------------ */

/* Of addresses in device memory the host knows nothing. */
static void check_addresses(kvf_check *check, const kvf_page_list *pages) {
  int64_t span = 0;
  if (__builtin_mul_overflow(pages->num_blocks, pages->page_bytes, &span)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "addresses",
                   "a tensor has %" PRId64 " pages of %" PRId64 " bytes, want a product below 2^63",
                   pages->num_blocks, pages->page_bytes);
  }
  for (int32_t i = 0; check->exec.backend == KVF_CPU && i < pages->num_caches; ++i) {
    kvf_launch_pointer(check, "addresses", pages->addresses[i]);
  }
}

static void check_caches(kvf_check *check, const kvf_page_list *pages) {
  for (int32_t i = 0; check->status == KVF_OK && i < pages->num_caches; ++i) {
    const int64_t stride = pages->caches[i].stride;
    int64_t span = 0;
    kvf_launch_pointer(check, "caches", pages->caches[i].data);
    if (pages->num_blocks > 1 && stride < pages->page_bytes && stride > -pages->page_bytes) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "caches",
                     "stride of tensor %d is %" PRId64 " bytes, want %" PRId64
                     " (page_bytes) or more",
                     i, stride, pages->page_bytes);
    } else if (__builtin_mul_overflow(pages->num_blocks, stride, &span)) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "caches",
                     "tensor %d has %" PRId64 " pages %" PRId64
                     " bytes apart, want a product below 2^63",
                     i, pages->num_blocks, stride);
    }
  }
}

/* The largest vector that addresses, strides and sizes are multiples of. */
static int32_t vector_bytes(const kvf_variant *variant, const kvf_page_list *pages) {
  uint64_t bits = (uint64_t)pages->page_bytes;
  for (int32_t i = 0; pages->addresses == NULL && i < pages->num_caches; ++i) {
    bits |= (uintptr_t)pages->caches[i].data | (uint64_t)pages->caches[i].stride;
  }
  const int32_t *width = variant->vectors;
  while (bits % (uint64_t)*width != 0) {
    ++width;
  }
  return *width;
}

bool kvf_launch_pages(kvf_check *check, const kvf_variant *variant, const char *blocks_argument,
                      int32_t blocks_rank, kvf_page_list *pages) {
  const kvf_block_list *blocks = &pages->blocks;
  kvf_launch_at_least(check, "blocks.size", blocks->size, 0);
  kvf_launch_at_least(check, "num_blocks", pages->num_blocks, 0);
  kvf_launch_at_least(check, "page_bytes", pages->page_bytes, 0);
  const int32_t most = pages->addresses != NULL ? KVF_MAX_ADDRESSES : KVF_MAX_CACHES;
  if (pages->num_caches < 0 || pages->num_caches > most) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_caches", "got %d, want 0 to %d",
                   pages->num_caches, most);
  }
  kvf_launch_index_bytes(check, "blocks.index_bytes", blocks->index_bytes);
  if (check->status != KVF_OK || blocks->size == 0 || pages->num_caches == 0) {
    return false;
  }
  kvf_launch_pointer(check, blocks_argument, blocks->data);
  if (pages->num_blocks > 0 && pages->page_bytes > 0) {
    (pages->addresses != NULL ? check_addresses : check_caches)(check, pages);
  }
  if (check->status != KVF_OK) {
    return false;
  }
  pages->faults = NULL;
  if (check->exec.backend == KVF_CPU) {
    check_range(check, blocks_argument, blocks_rank, pages);
    pages->streaming = kvf_cpu_streams(kvf_saturating_product(
        kvf_saturating_product(pages->num_caches, blocks->size), pages->page_bytes));
  } else {
    if (!pages->counted) {
      check->status = kvf_cuda_fault_counter(check->exec.device, &pages->faults);
    }
    pages->vector_bytes = vector_bytes(variant, pages);
  }
  return check->status == KVF_OK && pages->page_bytes > 0;
}

enum { THREADS, VECTORS, BLOCKS }; /* positions of the copies' tuned constants */

static int64_t num_parts(int64_t vectors, int32_t shift) { return ((vectors - 1) >> shift) + 1; }

int32_t kvf_page_part_shift(int64_t vectors, int64_t most) {
  int32_t shift = 0;
  while (INT64_C(1) << shift < vectors && INT64_C(2) << shift <= most) {
    ++shift;
  }
  /* The last part of a page has idle threads. */
  while (shift > KVF_PAGE_LINE_SHIFT &&
         (num_parts(vectors, shift) << shift) - vectors > vectors / 8) {
    --shift;
  }
  return shift;
}

/*
 * What a thread block copies: a part of every page of a tensor, of a few of the pairs. Together
 * that is enough to give every thread all its loads at once. For little work it is less, down to a
 * vector of each thread, until there are enough blocks; for much it is more, since every block
 * looks at all pairs. Fills the part; returns how many blocks share the pairs.
 */
static int64_t share_out(kvf_page_list *pages, int64_t vectors, const int32_t *tuned) {
  enum { MOST = 1 << 16, MANY = 32, LOOKS = 1 << 20 /* of all thread blocks at a pair */ };
  const int64_t pairs = pages->blocks.size;
  const int64_t few = LOOKS / pairs;
  const int64_t many = MANY * (int64_t)tuned[BLOCKS];
  const int64_t all = kvf_saturating_product(vectors, pages->num_caches * pairs);
  int64_t own = (int64_t)tuned[THREADS] * tuned[VECTORS];
  while (own > tuned[THREADS] && all / own < tuned[BLOCKS]) {
    own /= 2;
  }
  while (own < MOST && all / own > (few < many ? few : many)) {
    own *= 2;
  }
  pages->part_shift = kvf_page_part_shift(vectors, own);
  const int64_t share = own >> pages->part_shift;
  return (pairs - 1) / share + 1;
}

/* For many pairs: as many blocks as the device has multiprocessors, or so many times as many that
 * each still copies WORTH vectors for a pair that it looks at. Fills the part as above. */
static int64_t share_out_many(kvf_page_list *pages, int64_t vectors, int64_t multiprocessors) {
  enum { LARGEST = 1 << 12, WORTH = 16 };
  const int64_t of_pair = kvf_saturating_product(vectors, pages->num_caches);
  const int64_t times = of_pair / WORTH / multiprocessors;
  const int64_t blocks = (times > 1 ? times : 1) * multiprocessors;
  pages->part_shift = kvf_page_part_shift(vectors, LARGEST);
  const int64_t shares = blocks / (num_parts(vectors, pages->part_shift) * pages->num_caches);
  const int64_t fewest = (pages->blocks.size - 1) / KVF_PAGE_PAIRS + 1; /* a list has so many */
  return shares > fewest ? shares : fewest;
}

/* One launch, for as many pairs as it takes. */
static kvf_status launch_copy(const kvf_check *check, const kvf_variant *variant,
                              const int32_t *tuned, kvf_page_list *pages) {
  const int64_t vectors = pages->page_bytes / pages->vector_bytes;
  const bool many = pages->blocks.size > KVF_PAGE_PAIRS; /* kvf_run_page_copy() says when */
  int multiprocessors = 1;
  const kvf_status status = many ? kvf_cuda_multiprocessors(check, &multiprocessors) : KVF_OK;
  if (status != KVF_OK) {
    return status;
  }
  const int64_t shares =
      many ? share_out_many(pages, vectors, multiprocessors) : share_out(pages, vectors, tuned);
  const kvf_grid grid = {.grid = {(uint32_t)num_parts(vectors, pages->part_shift),
                                  (uint32_t)pages->num_caches, (uint32_t)shares},
                         .block = {many ? KVF_PAGE_MANY_THREADS : (uint32_t)tuned[THREADS], 1, 1}};
  return kvf_cuda_run(check, variant, pages, &grid);
}

kvf_status kvf_run_page_copy(kvf_check *check, const kvf_variant *variant, kvf_page_list *pages) {
  if (!kvf_launch_pages(check, variant, "block_mapping", 2, pages)) {
    return check->status;
  }
  if (check->exec.backend == KVF_CPU) {
    const int64_t parts = kvf_page_parts(pages->page_bytes);
    return kvf_cpu_run(check, variant, pages, pages->num_caches * parts,
                       2 * kvf_saturating_product(pages->blocks.size, pages->page_bytes / parts));
  }
  if (num_parts(pages->page_bytes / pages->vector_bytes, KVF_PAGE_LINE_SHIFT) > INT32_MAX) {
    return kvf_check_fail(check, KVF_INVALID_VALUE, "page_bytes",
                          "got %" PRId64 ", too large for vectors of %d bytes", pages->page_bytes,
                          pages->vector_bytes);
  }
  /* Pairs of a launch find those that a launch before it has copied. */
  kvf_block_list *blocks = &pages->blocks;
  const kvf_block_list all = *blocks;
  const bool wide = pages->addresses == NULL && pages->vector_bytes == variant->vectors[0];
  const int64_t most = wide && pages->num_blocks <= KVF_PAGE_BITS ? KVF_PAGE_MOST : KVF_PAGE_PAIRS;
  for (int64_t start = 0; check->status == KVF_OK && start < all.size; start += most) {
    const int64_t rest = all.size - start;
    blocks->data = (const char *)all.data + start * all.stride[0] * all.index_bytes;
    blocks->size = rest < most ? rest : most;
    const int32_t *tuned = kvf_tuned_values(check, blocks->size);
    check->status = launch_copy(check, variant, tuned, pages);
  }
  return check->status;
}
