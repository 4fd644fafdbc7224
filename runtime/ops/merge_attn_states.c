#include <inttypes.h>

#include "kvforge/cache/merge.h"
#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"

#define OP (&kvf_op_merge_attn_states)

/* The sizes that the arguments have in common. */
typedef struct sizes {
  kvf_dim num_suffixes;
  kvf_dim num_tokens;
  kvf_dim num_heads;
  kvf_dim head_size;
} sizes;

/* One suffix or several, as a view of several. */
static void check_suffixes(kvf_check *check, const DLTensor *output, const DLTensor *lse,
                           kvf_dtype scalar, sizes *of, kvf_merge_attn_states_params *params) {
  if (!kvf_check_present(check, "suffix_output", output)) {
    return;
  }
  const bool several = output->ndim == 4;
  kvf_dim *const heads[] = {&of->num_suffixes, &of->num_tokens, &of->num_heads, &of->head_size};
  kvf_dim *const lses[] = {&of->num_suffixes, &of->num_heads, &of->num_tokens};
  kvf_view *view = &params->suffix_output;
  kvf_view *lse_view = &params->suffix_lse;
  kvf_check_tensor(check, "suffix_output", output, KVF_ACCEPT(scalar), several ? 4 : 3,
                   several ? heads : heads + 1, view);
  kvf_check_tensor(check, "suffix_lse", lse, KVF_ACCEPT(KVF_F32), several ? 3 : 2,
                   several ? lses : lses + 1, lse_view);
  if (!several) {
    of->num_suffixes.value = 1;
    *view = (kvf_view){view->data, {0, view->stride[0], view->stride[1], view->stride[2]}};
    *lse_view = (kvf_view){lse_view->data, {0, lse_view->stride[0], lse_view->stride[1]}};
  }
}

/* What raw launches check too. */
static void check_sizes(kvf_check *check, int64_t num_suffixes, int64_t num_tokens,
                        int64_t prefill_tokens) {
  if (check->status == KVF_OK && num_suffixes >= KVF_MERGE_PARTS) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "suffix_output",
                   "has %" PRId64 " suffixes, want at most %d", num_suffixes, KVF_MERGE_PARTS - 1);
  }
  if (check->status == KVF_OK && prefill_tokens > num_tokens) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "prefill_tokens_with_context",
                   "got %" PRId64 ", want at most %" PRId64 " (num_tokens)", prefill_tokens,
                   num_tokens);
  }
}

/* Whether two tensors of one shape have the same elements at the same places: reading an element
 * before the same one is written is no overlap. */
static bool is_same(const DLTensor *a, const DLTensor *b) {
  if (a == NULL || b == NULL || a->ndim != b->ndim || a->dtype.bits != b->dtype.bits ||
      (uintptr_t)a->data + a->byte_offset != (uintptr_t)b->data + b->byte_offset) {
    return false;
  }
  int64_t compact = 1;
  for (int32_t i = a->ndim - 1; i >= 0; --i) {
    const int64_t stride_a = a->strides != NULL ? a->strides[i] : compact;
    const int64_t stride_b = b->strides != NULL ? b->strides[i] : compact;
    if (a->shape[i] > 1 && stride_a != stride_b) {
      return false;
    }
    compact = kvf_wrapping_product(compact, a->shape[i]);
  }
  return true;
}

static void check_apart(kvf_check *check, const kvf_named *written, const kvf_named *prefix,
                        const kvf_named *suffix, const kvf_named *others, int32_t num_others) {
  if (check->status != KVF_OK) {
    return; /* a tensor may have no shape */
  }
  const kvf_named own[] = {
      is_same(written->tensor, prefix->tensor) ? (kvf_named){NULL, NULL} : *prefix,
      is_same(written->tensor, suffix->tensor) ? (kvf_named){NULL, NULL} : *suffix};
  kvf_check_apart(check, written, 1, own, 2);
  kvf_check_apart(check, written, 1, others, num_others);
}

kvf_status kvf_merge_attn_states(const kvf_exec *exec, DLTensor *output, DLTensor *output_lse,
                                 const DLTensor *prefix_output, const DLTensor *prefix_lse,
                                 const DLTensor *suffix_output, const DLTensor *suffix_lse,
                                 int64_t prefill_tokens_with_context, const DLTensor *output_scale,
                                 bool lse_base2) {
  kvf_merge_attn_states_params params = {.lse_base2 = lse_base2};
  sizes of = {KVF_DIM("num_suffixes"), KVF_DIM("num_tokens"), KVF_DIM("num_heads"),
              KVF_DIM("head_size")};
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar =
      kvf_check_dtype(&check, "prefix_output", prefix_output, KVF_ACCEPT_FLOATS);
  kvf_dim *const heads[] = {&of.num_tokens, &of.num_heads, &of.head_size};
  kvf_dim *const lses[] = {&of.num_heads, &of.num_tokens};
  kvf_check_tensor(&check, "prefix_output", prefix_output, KVF_ACCEPT(scalar), 3, heads,
                   &params.prefix_output);
  kvf_check_tensor(&check, "prefix_lse", prefix_lse, KVF_ACCEPT(KVF_F32), 2, lses,
                   &params.prefix_lse);
  check_suffixes(&check, suffix_output, suffix_lse, scalar, &of, &params);
  uint32_t accepted = KVF_ACCEPT(scalar);
  if (output_scale != NULL) {
    accepted = KVF_ACCEPT(KVF_FP8_E4M3) | KVF_ACCEPT(KVF_FP8_E5M2);
    const kvf_dim one = {"elements", 1, NULL};
    kvf_check_scale(&check, "output_scale", output_scale, &one, &params.output_scale);
  }
  kvf_dtype out = kvf_check_dtype(&check, "output", output, accepted);
  if (out == KVF_DTYPE_NONE) { /* bytes */
    out = KVF_FP8_E4M3;
  }
  kvf_check_tensor(&check, "output", output, accepted, 3, heads, &params.output);
  if (output_lse != NULL) {
    kvf_check_tensor(&check, "output_lse", output_lse, KVF_ACCEPT(KVF_F32), 2, lses,
                     &params.output_lse);
  }
  check_sizes(&check, of.num_suffixes.value, of.num_tokens.value, prefill_tokens_with_context);
  const kvf_named named[] = {{"output", output},
                             {"output_lse", output_lse},
                             {"prefix_output", prefix_output},
                             {"prefix_lse", prefix_lse},
                             {"suffix_output", suffix_output},
                             {"suffix_lse", suffix_lse},
                             {"output_scale", output_scale}};
  check_apart(&check, &named[0], &named[2], &named[4],
              (const kvf_named[]){named[1], named[3], named[5], named[6]}, 4);
  check_apart(&check, &named[1], &named[3], &named[5],
              (const kvf_named[]){named[2], named[4], named[6]}, 3);
  if (check.status != KVF_OK) {
    return check.status;
  }
  const kvf_variant *variant = kvf_select(OP, check.exec.backend, scalar, out);
  if (variant == NULL) {
    return kvf_select_status(OP, check.exec.backend, scalar, out);
  }
  params.num_suffixes = of.num_suffixes.value;
  params.num_tokens = of.num_tokens.value;
  params.num_heads = of.num_heads.value;
  params.head_size = of.head_size.value;
  params.prefill_tokens =
      prefill_tokens_with_context < 0 ? params.num_tokens : prefill_tokens_with_context;
  return kvf_launch_merge_attn_states(&check.exec, variant, &params);
}

enum { THREADS = 256, WARP = 32 };

/* At most a warp for a row, and as many rows as have room for their weights. */
static kvf_grid grid_of(const kvf_merge_attn_states_params *params, int64_t rows) {
  const int64_t vectors = params->head_size / params->vector_elements;
  uint32_t x = 1;
  while (x < WARP && x < vectors) {
    x *= 2;
  }
  uint32_t y = THREADS / x;
  while (y * (params->num_suffixes + 1) > KVF_MERGE_WEIGHTS) {
    y /= 2;
  }
  return (kvf_grid){.grid = {(uint32_t)((rows + y - 1) / y), 1, 1}, .block = {x, y, 1}};
}

static bool holds_codes(const kvf_variant *variant) {
  return variant != NULL &&
         (variant->values[1] == KVF_FP8_E4M3 || variant->values[1] == KVF_FP8_E5M2);
}

kvf_status kvf_launch_merge_attn_states(const kvf_exec *exec, const kvf_variant *variant,
                                        const kvf_merge_attn_states_params *given) {
  kvf_merge_attn_states_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_suffixes", params.num_suffixes, 0);
  kvf_launch_at_least(&check, "num_tokens", params.num_tokens, 0);
  kvf_launch_at_least(&check, "num_heads", params.num_heads, 0);
  kvf_launch_at_least(&check, "head_size", params.head_size, 0);
  kvf_launch_at_least(&check, "prefill_tokens", params.prefill_tokens, 0);
  check_sizes(&check, params.num_suffixes, params.num_tokens, params.prefill_tokens);
  const int64_t rows = kvf_saturating_product(params.num_tokens, params.num_heads);
  if (check.status != KVF_OK || rows == 0) {
    return check.status;
  }
  if (params.prefill_tokens > 0) {
    kvf_launch_pointer(&check, "prefix_lse", params.prefix_lse.data);
  }
  if (params.num_suffixes > 0) {
    kvf_launch_pointer(&check, "suffix_lse", params.suffix_lse.data);
  }
  if (params.head_size > 0) {
    kvf_launch_pointer(&check, "output", params.output.data);
    if (params.prefill_tokens > 0) {
      kvf_launch_pointer(&check, "prefix_output", params.prefix_output.data);
    }
    if (params.num_suffixes > 0) {
      kvf_launch_pointer(&check, "suffix_output", params.suffix_output.data);
    }
  }
  if (holds_codes(variant)) {
    kvf_launch_scales(&check, "output_scale", &params.output_scale, 1);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int32_t from = kvf_dtype_bits((kvf_dtype)variant->values[0]) / 8;
  const int32_t to = kvf_dtype_bits((kvf_dtype)variant->values[1]) / 8;
  params.by_num_heads = kvf_make_divider(params.num_heads);
  params.streaming =
      kvf_cpu_streams(kvf_saturating_product(rows, kvf_saturating_product(params.head_size, to)));
  if (check.exec.backend == KVF_CPU) {
    return kvf_cpu_run(
        &check, variant, &params, rows,
        kvf_saturating_product(params.head_size, (params.num_suffixes + 1) * from + to));
  }
  const kvf_vector_side sides[] = {{&params.output, to, 2, 3},
                                   {&params.prefix_output, from, 2, 3},
                                   {&params.suffix_output, from, 3, 4}};
  const int32_t choices[] = {16 / from, 1, 1};
  params.vector_elements = kvf_vector_elements(choices, params.head_size, sides, 3);
  const kvf_grid grid = grid_of(&params, rows);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
