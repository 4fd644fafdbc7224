#include <inttypes.h>

#include "ops/shared/gather.h"
#include "ops/shared/mla.h"

#define OP (&kvf_op_gather_and_maybe_dequant_cache)

/* Rows of dst and the hints of token_to_seq are there for every token. */
static void check_tokens(kvf_check *check, int64_t num_tokens, const kvf_dim *rows,
                         const kvf_dim *hints) {
  if (check->status != KVF_OK) {
    return;
  }
  if (num_tokens < 0 || num_tokens > INT32_MAX) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_tokens", "got %" PRId64 ", want 0 to 2^31 - 1",
                   num_tokens);
  }
  const bool dst = rows->value < num_tokens;
  if (dst || hints->value < num_tokens) {
    kvf_check_fail(check, KVF_INVALID_VALUE, dst ? "dst" : "token_to_seq",
                   "has %" PRId64 " rows, want at least %" PRId64 " (num_tokens)",
                   dst ? rows->value : hints->value, num_tokens);
  }
}

kvf_status kvf_gather_and_maybe_dequant_cache(const kvf_exec *exec, const DLTensor *src_cache,
                                              DLTensor *dst, const DLTensor *block_table,
                                              const DLTensor *cu_seq_lens,
                                              const DLTensor *token_to_seq, int64_t num_tokens,
                                              const char *kv_cache_dtype, const DLTensor *scale,
                                              const DLTensor *seq_starts) {
  kvf_gather_and_maybe_dequant_cache_params params = {.num_rows = num_tokens};
  kvf_dim rows = KVF_DIM("num_rows");
  kvf_dim hints = KVF_DIM("num_rows");
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim entry_size = KVF_DIM("entry_size");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "dst", dst, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(&check, "dst", dst, KVF_ACCEPT(scalar), 2,
                   (kvf_dim *const[]){&rows, &entry_size}, &params.dst);
  const kvf_variant *variant = kvf_check_variant(&check, kv_cache_dtype, scalar);
  if (variant == NULL) {
    return check.status;
  }
  kvf_check_tensor(&check, "src_cache", src_cache, KVF_ACCEPT(kvf_cache_of(variant)), 3,
                   (kvf_dim *const[]){&num_blocks, &block_size, &entry_size}, &params.src_cache);
  kvf_check_unit_stride(&check, "dst", &params.dst, 1, &entry_size);
  kvf_check_unit_stride(&check, "src_cache", &params.src_cache, 2, &entry_size);

  kvf_shortened table;
  kvf_shortened starts;
  const bool counted = cu_seq_lens != NULL && cu_seq_lens->ndim == 1 &&
                       cu_seq_lens->shape != NULL && cu_seq_lens->shape[0] > 0;
  const int64_t num_sequences = counted ? cu_seq_lens->shape[0] - 1 : INT64_MAX;
  kvf_check_block_table(&check, kvf_shorten(block_table, num_sequences, &table), cu_seq_lens,
                        kvf_shorten(seq_starts, num_sequences, &starts), &params.table);
  kvf_view view = {.data = NULL};
  kvf_check_tensor(&check, "token_to_seq", token_to_seq, KVF_ACCEPT_INT32, 1,
                   (kvf_dim *const[]){&hints}, &view);
  kvf_check_unit_stride(&check, "token_to_seq", &view, 0, &hints);
  check_tokens(&check, num_tokens, &rows, &hints);
  kvf_check_one_scale(&check, "scale", scale, &params.scale);
  if (check.status == KVF_OK && entry_size.value > INT32_MAX) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "src_cache",
                   "a row has %" PRId64 " elements, want less than 2^31", entry_size.value);
  }
  kvf_check_apart(&check, (const kvf_named[]){{"dst", dst}}, 1,
                  (const kvf_named[]){{"src_cache", src_cache}}, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.table.num_blocks = num_blocks.value;
  params.table.block_size = block_size.value;
  params.token_to_seq = view.data;
  params.entry_size = (int32_t)entry_size.value;
  return kvf_launch_gather_and_maybe_dequant_cache(&check.exec, variant, &params);
}

kvf_status
kvf_launch_gather_and_maybe_dequant_cache(const kvf_exec *exec, const kvf_variant *variant,
                                          const kvf_gather_and_maybe_dequant_cache_params *given) {
  kvf_gather_and_maybe_dequant_cache_params params;
  const kvf_gather gather = KVF_GATHER(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (!kvf_launch_gather(&check, &gather, params.entry_size)) {
    return check.status;
  }
  if (kvf_scalar_of(variant) != kvf_cache_of(variant)) {
    kvf_launch_scales(&check, "scale", &(kvf_view){.data = params.scale.data}, 1);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  if (check.exec.backend == KVF_CPU) {
    return kvf_run_gather(&check, variant, &params, &gather, (int64_t)params.entry_size * cache,
                          (int64_t)params.entry_size * scalar);
  }
  const int32_t choices[] = {16 / scalar, 4 / scalar, 1};
  params.src_cache.stride[2] = 1;
  params.dst.stride[1] = 1;
  const kvf_vector_side sides[] = {{&params.src_cache, cache, 2, 3}, {&params.dst, scalar, 1, 2}};
  params.vector_elements = kvf_vector_elements(choices, params.entry_size, sides, 2);
  const kvf_grid grid =
      kvf_gather_grid(&check, &gather, params.entry_size / params.vector_elements);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
