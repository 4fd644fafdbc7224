/*
 * Generated from templates/table/op.c.j2 and generator/spec/hisparse_gather_compact.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/hisparse_gather_compact.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_hisparse_gather_compact__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_hisparse_gather_compact__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_hisparse_gather_compact, KVF_AXES(KVF_B8),
                kvf_cpu_hisparse_gather_compact__b8),
    KVF_CUDA_ROW(kvf_op_hisparse_gather_compact, KVF_AXES(KVF_B8),
                 kvf_cuda_hisparse_gather_compact__b8, 16, 4, 1),
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
            "gaps, any page and row strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "miss_global_indices",
     .type = "Tensor",
     .doc = "[num_requests, num_columns], int32, any strides: rows of the pool",
     .kind = KVF_KIND_TENSOR},
    {.name = "miss_hot_indices",
     .type = "Tensor",
     .doc = "[num_requests, num_columns], int32, any strides: rows of hot_cache",
     .kind = KVF_KIND_TENSOR},
    {.name = "miss_counts",
     .type = "Tensor",
     .doc = "[at least num_requests], int32, any stride: how many pairs a request has",
     .kind = KVF_KIND_TENSOR},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_hisparse_gather_compact(exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor,
                                     values[2].as.tensor, values[3].as.tensor, values[4].as.tensor);
}

const kvf_op kvf_op_hisparse_gather_compact = {
    .name = "hisparse_gather_compact",
    .ns = "_C_cache_ops",
    .schema = "hisparse_gather_compact(Tensor host_cache, Tensor! hot_cache, Tensor "
              "miss_global_indices, Tensor miss_hot_indices, Tensor miss_counts) -> ()",
    .doc =
        "loads rows of a host pool into a device's hot buffer, by a list for each request.\n"
        "\n"
        "For every request r and every column c below miss_counts[r] (at most num_columns):\n"
        "  g, d = miss_global_indices[r, c], miss_hot_indices[r, c]\n"
        "  hot_cache[d div block_size, d mod block_size] = host_cache[g], or zeros for a\n"
        "                                                  g >= num_host_rows\n"
        "A pair with a negative g or d, or with a d beyond the last row of hot_cache, is skipped. "
        "Where two pairs\n"
        "have the same d, either may come last. Bits are copied. No requests, or no columns, are a "
        "successful\n"
        "no-op.\n"
        "\n"
        "On CUDA the kernel reads host_cache across the link, 16 bytes at a time where rows and "
        "strides allow it;\n"
        "nothing is waited for, and the call can be captured in a CUDA graph.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for a host_cache that is not pinned (CUDA), or rows with gaps.\n"
        "Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and "
        "strides.\n"
        "Elsewhere: vLLM hisparse_gather_compact.",
    .arguments = arguments,
    .num_arguments = 5,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
};
