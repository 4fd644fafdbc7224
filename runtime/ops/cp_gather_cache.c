#include <inttypes.h>

#include "ops/shared/arithmetic.h"
#include "ops/shared/gather.h"

#define OP (&kvf_op_cp_gather_cache)

/* A tensor as bytes: the first `leading` dimensions, and one of all the bytes behind them. */
typedef struct byte_tensor {
  DLTensor tensor;
  int64_t shape[3];
  int64_t strides[3];
} byte_tensor;

/*
 * Restates a tensor as bytes. One that is not there, or that has too few dimensions, is returned as
 * it is, for kvf_check_tensor() to refuse.
 */
static const DLTensor *as_bytes(kvf_check *check, const char *argument, const DLTensor *tensor,
                                int32_t leading, byte_tensor *bytes) {
  if (!kvf_check_present(check, argument, tensor) || tensor->ndim < leading) {
    return tensor;
  }
  const int64_t bits = (int64_t)tensor->dtype.bits * tensor->dtype.lanes;
  if (bits == 0 || bits % 8 != 0) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument,
                   "has elements of %" PRId64 " bits, want whole bytes", bits);
    return tensor;
  }
  int64_t size = bits / 8;
  int64_t elements = 1; /* of a row */
  for (int32_t i = tensor->ndim - 1; i >= leading; --i) {
    const int64_t stride = tensor->strides != NULL ? tensor->strides[i] : elements;
    if (tensor->shape[i] > 1 && stride != elements) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "stride of dimension %d is %" PRId64 ", want %" PRId64 " (contiguous from "
                     "dimension %d on)",
                     i, stride, elements, leading);
    }
    if (tensor->shape[i] < 0 || __builtin_mul_overflow(elements, tensor->shape[i], &elements) ||
        elements > INT32_MAX / size) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "size of dimension %d is %" PRId64 ", want rows of less than 2^31 bytes", i,
                     tensor->shape[i]);
      return tensor;
    }
  }
  int64_t compact = elements;
  for (int32_t i = leading - 1; i >= 0; --i) {
    bytes->shape[i] = tensor->shape[i];
    const int64_t stride = tensor->strides != NULL ? tensor->strides[i] : compact;
    bytes->strides[i] = kvf_wrapping_product(stride, size);
    compact = kvf_wrapping_product(compact, tensor->shape[i]);
  }
  bytes->shape[leading] = elements * size;
  bytes->strides[leading] = 1;
  bytes->tensor = *tensor;
  bytes->tensor.dtype = (DLDataType){kDLUInt, 8, 1};
  bytes->tensor.ndim = leading + 1;
  bytes->tensor.shape = bytes->shape;
  bytes->tensor.strides = bytes->strides;
  return &bytes->tensor;
}

static void check_same_dtype(kvf_check *check, const DLTensor *src, const DLTensor *dst) {
  if (check->status != KVF_OK || src == NULL || dst == NULL) {
    return;
  }
  const DLDataType want = src->dtype;
  const DLDataType got = dst->dtype;
  if (want.code != got.code || want.bits != got.bits || want.lanes != got.lanes) {
    kvf_check_fail(check, KVF_INVALID_TYPE, "dst",
                   "dtype is DLPack code %d of %d bits with %d lanes, want code %d of %d bits with "
                   "%d lanes as src_cache has",
                   got.code, got.bits, got.lanes, want.code, want.bits, want.lanes);
  }
}

kvf_status kvf_cp_gather_cache(const kvf_exec *exec, const DLTensor *src_cache, DLTensor *dst,
                               const DLTensor *block_table, const DLTensor *cu_seq_lens,
                               int64_t batch_size, const DLTensor *seq_starts) {
  kvf_cp_gather_cache_params params = {.num_rows = 0};
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim num_rows = KVF_DIM("num_rows");
  kvf_dim row_bytes = KVF_DIM("bytes of a row");
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_batch_size(&check, batch_size);
  check_same_dtype(&check, src_cache, dst);
  byte_tensor source;
  byte_tensor destination;
  kvf_check_tensor(&check, "src_cache", as_bytes(&check, "src_cache", src_cache, 2, &source),
                   KVF_ACCEPT(KVF_B8), 3, (kvf_dim *const[]){&num_blocks, &block_size, &row_bytes},
                   &params.src_cache);
  kvf_check_tensor(&check, "dst", as_bytes(&check, "dst", dst, 1, &destination), KVF_ACCEPT(KVF_B8),
                   2, (kvf_dim *const[]){&num_rows, &row_bytes}, &params.dst);
  kvf_shortened table;
  kvf_shortened ends;
  kvf_shortened starts;
  kvf_check_block_table(&check, kvf_shorten(block_table, batch_size, &table),
                        kvf_shorten(cu_seq_lens, kvf_saturating_sum(batch_size, 1), &ends),
                        kvf_shorten(seq_starts, batch_size, &starts), &params.table);
  if (check.status == KVF_OK && params.table.num_sequences < batch_size) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "block_table",
                   "has %" PRId64 " rows, want at least %" PRId64 " (batch_size)",
                   params.table.num_sequences, batch_size);
  }
  kvf_check_apart(&check, (const kvf_named[]){{"dst", dst}}, 1,
                  (const kvf_named[]){{"src_cache", src_cache}}, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.num_rows = num_rows.value;
  params.entry_size = (int32_t)row_bytes.value;
  params.table.num_blocks = num_blocks.value;
  params.table.block_size = block_size.value;
  const kvf_variant *variant = kvf_select(OP, check.exec.backend, KVF_B8);
  if (variant == NULL) {
    return kvf_select_status(OP, check.exec.backend, KVF_B8);
  }
  return kvf_launch_cp_gather_cache(&check.exec, variant, &params);
}

kvf_status kvf_launch_cp_gather_cache(const kvf_exec *exec, const kvf_variant *variant,
                                      const kvf_cp_gather_cache_params *given) {
  kvf_cp_gather_cache_params params;
  const kvf_gather gather = KVF_GATHER(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (!kvf_launch_gather(&check, &gather, params.entry_size)) {
    return check.status;
  }
  if (check.exec.backend == KVF_CPU) {
    return kvf_run_gather(&check, variant, &params, &gather, params.entry_size, params.entry_size);
  }
  params.src_cache.stride[2] = 1;
  params.dst.stride[1] = 1;
  const kvf_vector_side sides[] = {{&params.src_cache, 1, 2, 3}, {&params.dst, 1, 1, 2}};
  params.vector_elements = kvf_vector_elements(variant->vectors, params.entry_size, sides, 2);
  const kvf_grid grid = kvf_gather_grid(&gather, params.entry_size / params.vector_elements);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
