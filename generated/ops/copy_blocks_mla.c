/*
 * Generated from templates/table/op.c.j2 and generator/spec/copy_blocks_mla.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/copy_blocks_mla.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_copy_blocks_mla__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_copy_blocks_mla__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_copy_blocks_mla, KVF_AXES(KVF_B8), kvf_cpu_copy_blocks_mla__b8),
    KVF_CUDA_ROW(kvf_op_copy_blocks_mla, KVF_AXES(KVF_B8), kvf_cuda_copy_blocks_mla__b8, 16, 4, 1),
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
    {.name = "kv_caches",
     .type = "Tensor(a!)[]",
     .doc = "one per layer, [num_blocks, ...] each, any dtype of whole bytes; num_blocks is the "
            "same in all; a page has no gaps, but its dimensions may be in any order and pages any "
            "distance apart; no page of a tensor overlaps one of another",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "block_mapping",
     .type = "Tensor",
     .doc = "[num_pairs, 2], int64 or int32, any strides, on the device of the caches; source and "
            "target of each pair",
     .kind = KVF_KIND_TENSOR},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_copy_blocks_mla(exec, values[0].as.tensors.data, values[0].as.tensors.size,
                             values[1].as.tensor);
}

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "vectors", "blocks"},
    .defaults = {256, 4, 256},
};

const kvf_op kvf_op_copy_blocks_mla = {
    .name = "copy_blocks_mla",
    .ns = "_C_cache_ops",
    .schema = "copy_blocks_mla(Tensor(a!)[] kv_caches, Tensor block_mapping) -> ()",
    .doc = "copies pages within the joint caches of all layers, in one launch.\n"
           "\n"
           "For every pair (source, target) = block_mapping[i] and every layer:\n"
           "  kv_caches[layer][target] = kv_caches[layer][source]\n"
           "Everything else is as in copy_blocks: pairs take effect in the order of the list, a "
           "pair with a\n"
           "negative block is skipped, and the call can be captured in a CUDA graph.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is "
           "written; CUDA: that\n"
           "pair is skipped and counted once, see kvf_cuda_fault_count). KVF_CUDA_ERROR as in\n"
           "copy_blocks.\n"
           "Source of the rule: vLLM's op of the same name (until 2025), with the defects of "
           "copy_blocks\n"
           "corrected.\n"
           "Elsewhere: vLLM to 0.13 copy_blocks_mla.",
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
