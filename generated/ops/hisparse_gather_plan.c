/*
 * Generated from templates/table/op.c.j2 and generator/spec/hisparse_gather_plan.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/hisparse_gather_plan.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_hisparse_gather_plan__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_hisparse_gather_plan__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_hisparse_gather_plan, KVF_AXES(KVF_B8), kvf_cpu_hisparse_gather_plan__b8),
    KVF_CUDA_ROW(kvf_op_hisparse_gather_plan, KVF_AXES(KVF_B8), kvf_cuda_hisparse_gather_plan__b8,
                 16, 4, 1),
};

/* the width dtype: value - KVF_B8 -> position * 1. */
static const int16_t width_offsets[] = {0};
static const int64_t width_values[] = {KVF_B8};

static const kvf_axis axes[] = {
    {.first = KVF_B8,
     .span = 1,
     .offsets = width_offsets,
     .below = -1,
     .above = -1,
     .name = "width",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the width dtype",
     .values = width_values,
     .num_values = 1},
};

/* [backend][width] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0, /* cpu */
    1, /* cuda */
};

static const kvf_argument arguments[] = {
    {.name = "host_cache",
     .type = "Tensor",
     .doc = "[num_host_rows, ...], any dtype, rows without gaps, any row stride; in host memory, "
            "which a call on CUDA wants pinned",
     .kind = KVF_KIND_TENSOR},
    {.name = "hot_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, ...], the dtype and row size of host_cache, rows without "
            "gaps, any page and row strides; or [num_rows, ...] of rank 2, pages of one row",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "global_indices",
     .type = "Tensor",
     .doc = "[num_requests, num_columns], int32, any strides: rows of the pool",
     .kind = KVF_KIND_TENSOR},
    {.name = "hot_indices",
     .type = "Tensor",
     .doc = "[num_requests, num_columns], int32, any strides: rows of hot_cache",
     .kind = KVF_KIND_TENSOR},
    {.name = "miss_mask",
     .type = "Tensor",
     .doc = "[num_requests, num_columns], int32, any strides: 1 where the row is to be loaded",
     .kind = KVF_KIND_TENSOR},
    {.name = "request_state_indices",
     .type = "Tensor?",
     .doc = "[at least num_requests], int32, any stride: negative for padding; None: no padding",
     .kind = KVF_KIND_TENSOR,
     .optional = true},
    {.name = "attention_indices",
     .type = "Tensor(a!)?",
     .doc = "[num_requests, num_columns], int32, any strides; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "attention_block_stride",
     .type = "int",
     .doc = "rows from a page to the next, as attention counts them",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_hisparse_gather_plan(exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor,
                                  values[2].as.tensor, values[3].as.tensor, values[4].as.tensor,
                                  values[5].as.tensor, (DLTensor *)values[6].as.tensor,
                                  values[7].as.integer);
}

const kvf_op kvf_op_hisparse_gather_plan = {
    .name = "hisparse_gather_plan",
    .ns = "_C_cache_ops",
    .schema = "hisparse_gather_plan(Tensor host_cache, Tensor! hot_cache, Tensor global_indices, "
              "Tensor hot_indices, Tensor miss_mask, Tensor? request_state_indices, Tensor(a!)? "
              "attention_indices=None, int attention_block_stride=0) -> ()",
    .doc = "loads the rows of a host pool that a plan marks as missing, and tells where they lie.\n"
           "\n"
           "For every row r of the plan and every column c, unless the row is padding:\n"
           "  g, d = global_indices[r, c], hot_indices[r, c]\n"
           "  where miss_mask[r, c] != 0:\n"
           "    hot_cache[d div block_size, d mod block_size] = host_cache[g], or zeros for a\n"
           "                                                    g >= num_host_rows\n"
           "  attention_indices[r, c] = (d div block_size) * attention_block_stride + d mod "
           "block_size,\n"
           "                            or -1 where d < 0\n"
           "Row r is padding where request_state_indices[r] < 0: nothing is loaded, and its "
           "attention_indices are\n"
           "-1. A marked pair with a negative g or d, or with a d beyond the last row of "
           "hot_cache, loads nothing;\n"
           "attention_indices are -1 for such a d too. Where two pairs have the same d, either may "
           "come last. Bits\n"
           "are copied. No rows, or no columns, are a successful no-op.\n"
           "\n"
           "The plan is what hisparse_resolve_residency made for the first layer; this replays it "
           "for another. On\n"
           "CUDA the kernel reads host_cache across the link; nothing is waited for, and the call "
           "can be captured in\n"
           "a CUDA graph.\n"
           "\n"
           "Errors: KVF_INVALID_VALUE for a host_cache that is not pinned (CUDA), rows with gaps, "
           "or an\n"
           "attention_block_stride that is less than block_size or gives an index beyond int32.\n"
           "Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and "
           "strides.\n"
           "Elsewhere: vLLM hisparse_gather_plan.",
    .arguments = arguments,
    .num_arguments = 8,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
};
