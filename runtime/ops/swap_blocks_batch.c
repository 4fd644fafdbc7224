#include <inttypes.h>

#include "ops/shared/copies.h"
#include "ops/shared/index.h"

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

/*
 * Neighbouring copies stay apart: what looks like one range may be several allocations. Not
 * inlined: calls on the CPU would have the copies on their stack, too.
 */
static __attribute__((noinline)) kvf_status
copy_on_cuda(const kvf_check *check, const kvf_swap_blocks_batch_params *params) {
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
