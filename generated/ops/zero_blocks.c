/*
 * Generated from templates/table/op.c.j2 and generator/spec/zero_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/zero_blocks.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_zero_blocks__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_zero_blocks__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_zero_blocks, KVF_AXES(KVF_B8), kvf_cpu_zero_blocks__b8),
    KVF_CUDA_ROW(kvf_op_zero_blocks, KVF_AXES(KVF_B8), kvf_cuda_zero_blocks__b8, 16, 4, 1),
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
    {.name = "caches",
     .type = "Tensor(a!)[]",
     .doc = "one per layer, [num_blocks, ...] each, any dtype of whole bytes; num_blocks is the "
            "same in all; a page has no gaps, but its dimensions may be in any order and pages any "
            "distance apart; no page of a tensor overlaps one of another",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "block_ids",
     .type = "Tensor",
     .doc = "[num_ids], int64 or int32, any stride, on the device of the caches",
     .kind = KVF_KIND_TENSOR},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_zero_blocks(exec, values[0].as.tensors.data, values[0].as.tensors.size,
                         values[1].as.tensor);
}

static const kvf_tuned cuda_tuned = {
    .num_constants = 2,
    .names = {"threads", "vectors"},
    .defaults = {256, 4},
};

const kvf_op kvf_op_zero_blocks = {
    .name = "zero_blocks",
    .ns = "_C_cache_ops",
    .schema = "zero_blocks(Tensor(a!)[] caches, Tensor block_ids) -> ()",
    .doc = "clears the given pages of all layers, in one launch.\n"
           "\n"
           "For every block = block_ids[i] and every tensor: all bytes of caches[layer][block] "
           "become 0.\n"
           "A negative block is skipped; a block may occur more than once. No blocks or no tensors "
           "are a\n"
           "successful no-op.\n"
           "\n"
           "Fresh memory may hold NaN, and 0 * NaN is NaN: an attention kernel that masks the "
           "unused tail of a\n"
           "page by multiplying needs pages that were cleared once.\n"
           "\n"
           "On CUDA the addresses of up to 240 tensors travel in the launch parameters: nothing is "
           "allocated or\n"
           "waited for, block_ids is read on the device, and the call can be captured in a CUDA "
           "graph. More\n"
           "tensors, or pages of several sizes, are several launches.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is "
           "written; CUDA: that\n"
           "block is skipped and counted once, see kvf_cuda_fault_count). KVF_CUDA_ERROR when a\n"
           "launch fails; those before it stay on the stream, and the sentence says so "
           "(\"enqueued: 240 of 300\n"
           "tensors\").\n"
           "Source of the rule: new here.\n"
           "Elsewhere: vLLM _zero_kv_blocks_kernel.",
    .arguments = arguments,
    .num_arguments = 2,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
