#include <inttypes.h>

#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/mla.h"
#include "ops/shared/narrow.h"

#define OP (&kvf_op_concat_mla_q)

/* One tensor of the call: [num_tokens, num_heads, size], turned into bytes. */
static void check_heads(kvf_check *check, const char *argument, const DLTensor *tensor,
                        kvf_dtype scalar, kvf_dim *const *dims, kvf_view *view) {
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(scalar), 3, dims, view);
  if (check->status != KVF_OK) {
    return;
  }
  if (dims[2]->value > 1 && view->stride[2] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension 2 (%s) is %" PRId64 ", want 1", dims[2]->name,
                   view->stride[2]);
  }
  const int64_t bytes = kvf_dtype_bits(scalar) / 8;
  view->stride[0] = kvf_wrapping_product(view->stride[0], bytes);
  view->stride[1] = kvf_wrapping_product(view->stride[1], bytes);
  view->stride[2] = 1;
}

kvf_status kvf_concat_mla_q(const kvf_exec *exec, const DLTensor *ql_nope, const DLTensor *q_pe,
                            DLTensor *q_out) {
  kvf_concat_mla_q_params params = {.num_tokens = 0};
  kvf_dim num_tokens = KVF_DIM("num_tokens");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim nope_dim = KVF_DIM("nope_dim");
  kvf_dim rope_dim = KVF_DIM("rope_dim");
  kvf_dim out_heads = KVF_DIM("num_heads");
  kvf_dim row = {"nope_dim + rope_dim", 0, "ql_nope and q_pe"};
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "ql_nope", ql_nope, KVF_ACCEPT_FLOATS);
  check_heads(&check, "ql_nope", ql_nope, scalar,
              (kvf_dim *const[]){&num_tokens, &num_heads, &nope_dim}, &params.ql_nope);
  check_heads(&check, "q_pe", q_pe, scalar, (kvf_dim *const[]){&num_tokens, &num_heads, &rope_dim},
              &params.q_pe);
  row.value = kvf_saturating_sum(nope_dim.value, rope_dim.value);
  check_heads(&check, "q_out", q_out, scalar, (kvf_dim *const[]){&num_tokens, &out_heads, &row},
              &params.q_out);
  if (check.status == KVF_OK && out_heads.value < num_heads.value) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "q_out",
                   "has %" PRId64 " heads, want at least %" PRId64 " (the heads of ql_nope)",
                   out_heads.value, num_heads.value);
  }
  kvf_check_apart(&check, (const kvf_named[]){{"q_out", q_out}}, 1,
                  (const kvf_named[]){{"ql_nope", ql_nope}, {"q_pe", q_pe}}, 2);
  if (check.status != KVF_OK) {
    return check.status;
  }
  const kvf_variant *variant = kvf_select(OP, check.exec.backend, KVF_B8);
  if (variant == NULL) {
    return kvf_select_status(OP, check.exec.backend, KVF_B8);
  }
  params.num_tokens = num_tokens.value;
  params.num_heads = num_heads.value;
  params.nope_bytes = kvf_saturating_product(nope_dim.value, kvf_dtype_bits(scalar) / 8);
  params.rope_bytes = kvf_saturating_product(rope_dim.value, kvf_dtype_bits(scalar) / 8);
  return kvf_launch_concat_mla_q(&check.exec, variant, &params);
}

/* Rows of few vectors, of the first part no fewer than of the second, may have a narrow form. */
static bool fit_narrow(kvf_concat_mla_q_params *params, int64_t rows, int32_t widest,
                       int64_t threads) {
  kvf_narrow_join *narrow = &params->narrow;
  const kvf_view *parts[] = {&params->ql_nope, &params->q_pe};
  const int64_t vectors[] = {params->nope_bytes / widest, params->rope_bytes / widest};
  bool fits = params->vector_elements == widest && vectors[0] >= vectors[1] &&
              vectors[0] <= threads && params->nope_bytes <= KVF_NARROW_BYTES / rows &&
              kvf_narrow_stride(params->q_out.stride[0], 1, &narrow->to_token) &&
              kvf_narrow_stride(params->q_out.stride[1], 1, &narrow->to_head);
  for (int i = 0; i < 2; ++i) {
    fits = fits && kvf_narrow_stride(parts[i]->stride[0], 1, &narrow->from_token[i]) &&
           kvf_narrow_stride(parts[i]->stride[1], 1, &narrow->from_head[i]);
    narrow->from[i] = parts[i]->data;
    narrow->vectors[i] = (uint32_t)vectors[i];
  }
  if (!fits) {
    *narrow = (kvf_narrow_join){.num_rows = 0};
    return false;
  }
  narrow->to = params->q_out.data;
  narrow->num_rows = (uint32_t)rows;
  narrow->num_heads = (uint32_t)params->num_heads;
  narrow->magic = kvf_narrow_magic(&params->by_num_heads);
  narrow->shift = (uint8_t)params->by_num_heads.shift;
  return true;
}

/* Rows share a thread block as far as they fit. */
static kvf_grid grid_of(const kvf_check *check, const kvf_variant *variant,
                        kvf_concat_mla_q_params *params, int64_t rows) {
  const int64_t threads = *kvf_tuned_values(check, params->num_tokens);
  const int64_t bytes = params->nope_bytes + params->rope_bytes;
  const bool fits = fit_narrow(params, rows, variant->vectors[0], threads);
  const int64_t lanes =
      fits ? params->narrow.vectors[0] : kvf_lanes(bytes, params->vector_elements, 1);
  const int64_t x = lanes < threads ? lanes : threads;
  const int64_t y = threads / x < rows ? threads / x : rows;
  return (kvf_grid){.grid = {(uint32_t)((rows + y - 1) / y), 1, 1},
                    .block = {(uint32_t)x, (uint32_t)y, 1}};
}

kvf_status kvf_launch_concat_mla_q(const kvf_exec *exec, const kvf_variant *variant,
                                   const kvf_concat_mla_q_params *given) {
  kvf_concat_mla_q_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_tokens", params.num_tokens, 0);
  kvf_launch_at_least(&check, "num_heads", params.num_heads, 0);
  kvf_launch_at_least(&check, "nope_bytes", params.nope_bytes, 0);
  kvf_launch_at_least(&check, "rope_bytes", params.rope_bytes, 0);
  const int64_t bytes = kvf_saturating_sum(params.nope_bytes, params.rope_bytes);
  if (check.status != KVF_OK || params.num_tokens == 0 || params.num_heads == 0 || bytes == 0) {
    return check.status;
  }
  /* A half without elements is never read; its address may be NULL. */
  if (params.nope_bytes == 0) {
    params.ql_nope = params.q_pe;
  } else if (params.rope_bytes == 0) {
    params.q_pe = params.ql_nope;
  }
  kvf_launch_pointer(&check, "ql_nope", params.ql_nope.data);
  kvf_launch_pointer(&check, "q_pe", params.q_pe.data);
  kvf_launch_pointer(&check, "q_out", params.q_out.data);
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int64_t rows = params.num_tokens * params.num_heads;
  params.by_num_heads = kvf_make_divider(params.num_heads);
  params.streaming = kvf_cpu_streams(rows * bytes);
  if (check.exec.backend == KVF_CPU) {
    return kvf_cpu_run(&check, variant, &params, rows, 2 * bytes);
  }
  const kvf_vector_side sides[] = {
      {&params.ql_nope, 1, 2, 3}, {&params.q_pe, 1, 2, 3}, {&params.q_out, 1, 2, 3}};
  /* Vectors are powers of two, so one that divides both halves divides their bits joined. */
  params.vector_elements =
      kvf_vector_elements(variant->vectors, params.nope_bytes | params.rope_bytes, sides, 3);
  const kvf_grid grid = grid_of(&check, variant, &params, rows);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
