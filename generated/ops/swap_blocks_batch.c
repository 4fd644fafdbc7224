/*
 * Generated from templates/table/op.c.j2 and generator/spec/swap_blocks_batch.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/swap_blocks_batch.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_swap_blocks_batch__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_swap_blocks_batch, KVF_AXES(KVF_B8), kvf_cpu_swap_blocks_batch__b8),
    KVF_DRIVER_ROW(kvf_op_swap_blocks_batch, KVF_AXES(KVF_B8), kvf_cuda_swap_blocks_batch__b8),
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
    {.name = "src_ptrs",
     .type = "Tensor",
     .doc = "[num_copies], int64, on the CPU, any stride; addresses",
     .kind = KVF_KIND_TENSOR},
    {.name = "dst_ptrs", .type = "Tensor", .doc = "as src_ptrs", .kind = KVF_KIND_TENSOR},
    {.name = "sizes",
     .type = "Tensor",
     .doc = "as src_ptrs; bytes, 0 or more",
     .kind = KVF_KIND_TENSOR},
    {.name = "is_src_access_order_any",
     .type = "bool",
     .doc = "whether sources may be read before the stream gets to the call",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = false}}},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_swap_blocks_batch(exec, values[0].as.tensor, values[1].as.tensor, values[2].as.tensor,
                               values[3].as.boolean);
}

const kvf_op kvf_op_swap_blocks_batch = {
    .name = "swap_blocks_batch",
    .ns = "_C_cache_ops",
    .schema = "swap_blocks_batch(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes, bool "
              "is_src_access_order_any=False) -> ()",
    .doc = "copies ranges of bytes between addresses, on devices or the host.\n"
           "\n"
           "For every i: copies sizes[i] bytes from address src_ptrs[i] to address dst_ptrs[i]. "
           "The copies may\n"
           "be made in any order, so what one writes must not be read or written by another. A "
           "size of 0 is\n"
           "skipped. No copies are a successful no-op.\n"
           "\n"
           "The tensors are on the CPU, so exec says where the call runs: without it on the CPU, "
           "where every\n"
           "address is the host's. On CUDA the driver copies on exec's stream and finds out itself "
           "what memory\n"
           "an address belongs to. It gets up to 2048 copies at a time as one batch where it has "
           "that (CUDA\n"
           "12.8) and the stream is neither the legacy default stream nor captured, else one by "
           "one. Where all\n"
           "copies are of one size and lie in memory of exec's device, as the driver knows its "
           "allocations, the\n"
           "kernel of swap_blocks makes them if it is built in, up to 4,096 in a launch. Host "
           "memory must stay\n"
           "as it is until the stream has come past the call, and should be pinned; copies of "
           "pageable memory\n"
           "may wait. The three vectors are no longer needed when the call returns.\n"
           "\n"
           "is_src_access_order_any lets a batch read its sources ahead of work that is on the "
           "stream already;\n"
           "only for sources that no such work writes.\n"
           "\n"
           "Errors: KVF_INVALID_VALUE for a negative size or an address of 0, before anything is "
           "copied. No\n"
           "other mistake in an address can be found but by the driver. KVF_CUDA_ERROR when that "
           "refuses a copy:\n"
           "those before it may be on the stream already, and the sentence says which (\"enqueued: "
           "elements 0 to\n"
           "41 of src_ptrs\"). Those are made, none after them is, but for a batch that fails as a "
           "whole, of\n"
           "which the driver does not say what it has taken; the sentence then names its elements "
           "too.\n"
           "Source of the rule: vLLM's op of the same name, with its unchecked sizes and return "
           "codes\n"
           "corrected.\n"
           "Elsewhere: vLLM swap_blocks_batch.",
    .arguments = arguments,
    .num_arguments = 4,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
    .host_arguments = true,
};
