#include <inttypes.h>

#include "ops/shared/copies.h"
#include "ops/shared/index.h"
#include "ops/shared/moves.h"

#define OP (&kvf_op_swap_blocks_batch)

kvf_status kvf_swap_blocks_batch(const kvf_exec *exec, const DLTensor *src_ptrs,
                                 const DLTensor *dst_ptrs, const DLTensor *sizes,
                                 bool is_src_access_order_any) {
  kvf_swap_blocks_batch_params params = {.is_src_access_order_any = is_src_access_order_any};
  kvf_dim num_copies = KVF_DIM("num_copies");
  const struct {
    const char *argument;
    const DLTensor *tensor;
    kvf_view *view;
  } vectors[] = {{"src_ptrs", src_ptrs, &params.src_ptrs},
                 {"dst_ptrs", dst_ptrs, &params.dst_ptrs},
                 {"sizes", sizes, &params.sizes}};
  kvf_check check = kvf_check_begin(OP, exec);
  for (int i = 0; i < 3; ++i) {
    kvf_check host = kvf_check_begin_host(&check, vectors[i].argument, vectors[i].tensor);
    kvf_check_tensor(&host, vectors[i].argument, vectors[i].tensor, KVF_ACCEPT_INT64, 1,
                     (kvf_dim *const[]){&num_copies}, vectors[i].view);
    kvf_check_end_host(&check, &host);
  }
  params.num_copies = num_copies.value;
  const kvf_variant *variant = kvf_check_bytes_variant(&check);
  return variant != NULL ? kvf_launch_swap_blocks_batch(&check.exec, variant, &params)
                         : check.status;
}

static int64_t at(const kvf_view *vector, int64_t i) {
  return kvf_read_index(vector->data, 8, i * vector->stride[0]);
}

/* Whether a range reaches into another of the same size without being it. */
static bool overlaps(int64_t from, int64_t to, int64_t bytes) {
  const uint64_t forward = (uint64_t)to - (uint64_t)from;
  return forward != 0 && (forward < (uint64_t)bytes || -forward < (uint64_t)bytes);
}

/* Checks every copy; returns the bytes of all. */
static int64_t check_copies(kvf_check *check, const kvf_swap_blocks_batch_params *params) {
  int64_t sum = 0;
  for (int64_t i = 0; check->status == KVF_OK && i < params->num_copies; ++i) {
    const int64_t bytes = at(&params->sizes, i);
    if (bytes < 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "sizes",
                     "element %" PRId64 " is %" PRId64 ", want 0 or more", i, bytes);
    } else if (bytes > 0 && (at(&params->src_ptrs, i) == 0 || at(&params->dst_ptrs, i) == 0)) {
      kvf_check_fail(check, KVF_INVALID_VALUE,
                     at(&params->src_ptrs, i) == 0 ? "src_ptrs" : "dst_ptrs",
                     "element %" PRId64 " is 0, want an address", i);
    } else if (overlaps(at(&params->src_ptrs, i), at(&params->dst_ptrs, i), bytes)) {
      kvf_check_fail(
          check, KVF_INVALID_VALUE, "dst_ptrs",
          "element %" PRId64 " lies %" PRId64 " bytes from that of src_ptrs, want the "
          "same address or %" PRId64 " (its size) or more",
          i, (int64_t)((uint64_t)at(&params->dst_ptrs, i) - (uint64_t)at(&params->src_ptrs, i)),
          bytes);
    } else if (__builtin_add_overflow(sum, bytes, &sum)) {
      sum = INT64_MAX;
    }
  }
  return sum;
}

/* ---- copies within the device, as pages of one size
 * ----------------------------------------- */

/* Addresses of one side, as numbers of pages: how far they are from the lowest one, in steps that
 * all of them are a multiple of apart. */
typedef struct side {
  const kvf_view *addresses;
  uint64_t lowest;
  uint64_t highest;
  uint64_t step;
} side;

static uint64_t greatest_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    const uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* The one size of all copies that copy something; 0: they differ, or there are fewer than two. */
static int64_t find_size(const kvf_swap_blocks_batch_params *params) {
  int64_t size = 0;
  int64_t copies = 0;
  for (int64_t i = 0; i < params->num_copies; ++i) {
    const int64_t bytes = at(&params->sizes, i);
    if (bytes > 0) {
      if (copies > 0 && bytes != size) {
        return 0;
      }
      size = bytes;
      ++copies;
    }
  }
  return copies > 1 ? size : 0;
}

static void measure(side *of, const kvf_swap_blocks_batch_params *params, int64_t bytes) {
  of->lowest = UINT64_MAX;
  of->highest = 0;
  of->step = 0;
  uint64_t first = 0;
  for (int64_t i = 0; i < params->num_copies; ++i) {
    const uint64_t address = (uint64_t)at(of->addresses, i);
    if (at(&params->sizes, i) <= 0) {
      continue;
    }
    first = of->highest == 0 ? address : first;
    of->lowest = address < of->lowest ? address : of->lowest;
    of->highest = address > of->highest ? address : of->highest;
    const uint64_t apart = address > first ? address - first : first - address;
    if (of->step == 0 || apart % of->step != 0) {
      of->step = greatest_divisor(apart, of->step);
    }
  }
  of->step = of->step == 0 ? (uint64_t)bytes : of->step; /* all have one address */
}

/*
 * Whether all pages of a side lie in memory of exec's device. Their allocations, which are few, are
 * remembered; of more the driver may as well hear itself.
 */
static kvf_status all_near(const kvf_check *check, const kvf_swap_blocks_batch_params *params,
                           const side *of, int64_t bytes, bool *near) {
  enum { ALLOCATIONS = 256 };
  kvf_cuda_range known[ALLOCATIONS];
  int count = 0;
  int last = 0;
  kvf_status status = kvf_cuda_find_near(check, of->lowest, &known[count++], near);
  for (int64_t i = 0; status == KVF_OK && *near && i < params->num_copies; ++i) {
    const uint64_t address = (uint64_t)at(of->addresses, i);
    if (at(&params->sizes, i) <= 0) {
      continue;
    }
    if (address < known[last].begin || address >= known[last].end) {
      last = 0;
      while (last < count && (address < known[last].begin || address >= known[last].end)) {
        ++last;
      }
      if (last == ALLOCATIONS) {
        *near = false;
        break;
      }
      if (last == count) {
        status = kvf_cuda_find_near(check, address, &known[count++], near);
      }
    }
    *near = *near && known[last].end - address >= (uint64_t)bytes;
  }
  return status;
}

/* What a kernel would copy. */
typedef struct page_copies {
  side sides[2];
  kvf_pages pages[2];
  int64_t bytes; /* of a page */
} page_copies;

/* False: not all copies are of as many bytes within the device, or pages have too large numbers. */
static kvf_status find_pages(const kvf_check *check, const kvf_swap_blocks_batch_params *params,
                             page_copies *found, bool *can) {
  int64_t most = 0;
  found->bytes = find_size(params);
  *can = found->bytes > 0;
  if (!*can) {
    return KVF_OK;
  }
  for (int i = 0; i < 2; ++i) {
    side *of = &found->sides[i];
    of->addresses = i == 0 ? &params->src_ptrs : &params->dst_ptrs;
    measure(of, params, found->bytes);
    found->pages[i] = (kvf_pages){(void *)(uintptr_t)of->lowest, (int64_t)of->step};
    const int64_t pages = (int64_t)((of->highest - of->lowest) / of->step / 2 + 1) * 2;
    most = pages > most ? pages : most;
  }
  kvf_status status = kvf_can_move(check, found->pages, most, found->bytes, can);
  for (int i = 0; i < 2 && *can && status == KVF_OK; ++i) {
    status = all_near(check, params, &found->sides[i], found->bytes, can);
  }
  return status;
}

/* Not inlined: calls on the CPU would have the moves on their stack, too. */
static __attribute__((noinline)) kvf_status move_all(const kvf_check *check,
                                                     const kvf_variant *mover,
                                                     const kvf_swap_blocks_batch_params *params,
                                                     const page_copies *copies) {
  kvf_moves moves; /* large: only the head is set */
  kvf_moves_begin(&moves, check, mover, "src_ptrs", copies->pages, copies->bytes);
  kvf_status status = KVF_OK;
  for (int64_t i = 0; status == KVF_OK && i < params->num_copies; ++i) {
    int64_t numbers[2];
    bool within = at(&params->sizes, i) == copies->bytes; /* another thread may write to all */
    for (int j = 0; j < 2; ++j) {
      const side *of = &copies->sides[j];
      const uint64_t address = (uint64_t)at(of->addresses, i);
      within = within && address >= of->lowest && address <= of->highest;
      numbers[j] = (int64_t)((address - of->lowest) / of->step);
    }
    if (within) {
      status = kvf_moves_add(&moves, i, numbers[0], numbers[1]);
    }
  }
  return status == KVF_OK ? kvf_moves_submit(&moves) : status;
}

/* ---- the launch
 * ---------------------------------------------------------------------------- */

/*
 * Neighbouring copies stay apart: what looks like one range may be several allocations. Not
 * inlined: calls on the CPU would have the copies on their stack, too.
 */
static __attribute__((noinline)) kvf_status
copy_by_driver(const kvf_check *check, const kvf_swap_blocks_batch_params *params) {
  kvf_copies copies; /* large: only the head is set */
  copies.check = check;
  copies.argument = "src_ptrs";
  copies.any_order = params->is_src_access_order_any != 0;
  copies.next = 0;
  copies.count = 0;
  kvf_status status = KVF_OK;
  for (int64_t i = 0; status == KVF_OK && i < params->num_copies; ++i) {
    const int64_t bytes = at(&params->sizes, i); /* once: another thread may write to it */
    if (bytes > 0) {
      status = kvf_copies_add(&copies, i, (uint64_t)at(&params->dst_ptrs, i),
                              (uint64_t)at(&params->src_ptrs, i), (size_t)bytes);
    }
  }
  return status == KVF_OK ? kvf_copies_submit(&copies) : status;
}

static kvf_status copy_on_cuda(const kvf_check *check, const kvf_swap_blocks_batch_params *params) {
  const kvf_variant *mover = kvf_select(&kvf_op_swap_blocks, KVF_CUDA, KVF_B8);
  page_copies copies;
  bool can = false;
  const kvf_status status = mover != NULL ? find_pages(check, params, &copies, &can) : KVF_OK;
  if (status != KVF_OK) {
    return status;
  }
  return can ? move_all(check, mover, params, &copies) : copy_by_driver(check, params);
}

kvf_status kvf_launch_swap_blocks_batch(const kvf_exec *exec, const kvf_variant *variant,
                                        const kvf_swap_blocks_batch_params *given) {
  kvf_swap_blocks_batch_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_copies", params.num_copies, 0);
  if (check.status != KVF_OK || params.num_copies == 0) {
    return check.status;
  }
  kvf_launch_pointer(&check, "src_ptrs", params.src_ptrs.data);
  kvf_launch_pointer(&check, "dst_ptrs", params.dst_ptrs.data);
  kvf_launch_pointer(&check, "sizes", params.sizes.data);
  const int64_t bytes = check.status == KVF_OK ? check_copies(&check, &params) : 0;
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (check.exec.backend == KVF_CUDA) {
    return copy_on_cuda(&check, &params);
  }
  params.streaming = kvf_cpu_streams(bytes);
  const int64_t each = bytes / params.num_copies + 1;
  return kvf_cpu_run(&check, variant, &params, params.num_copies,
                     2 * (each < INT64_MAX / 2 ? each : 0));
}
