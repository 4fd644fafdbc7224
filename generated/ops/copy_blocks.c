/*
 * Generated from templates/table/op.c.j2 and generator/spec/copy_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/copy_blocks.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_copy_blocks__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_copy_blocks__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_copy_blocks, KVF_AXES(KVF_B8), kvf_cpu_copy_blocks__b8),
    KVF_CUDA_ROW(kvf_op_copy_blocks, KVF_AXES(KVF_B8), kvf_cuda_copy_blocks__b8, 16, 4, 1),
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
    {.name = "key_caches",
     .type = "Tensor(a!)[]",
     .doc = "one per layer, [num_blocks, ...] each, any dtype of whole bytes; num_blocks is the "
            "same in all; a page has no gaps, but its dimensions may be in any order and pages any "
            "distance apart; no page of a tensor overlaps one of another",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "value_caches",
     .type = "Tensor[](b!)",
     .doc = "as key_caches, as many; pages may have another size than those of keys",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "block_mapping",
     .type = "Tensor",
     .doc = "[num_pairs, 2], int64 or int32, any strides, on the device of the caches; source and "
            "target of each pair",
     .kind = KVF_KIND_TENSOR},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_copy_blocks(exec, values[0].as.tensors.data, values[0].as.tensors.size,
                         values[1].as.tensors.data, values[1].as.tensors.size, values[2].as.tensor);
}

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "vectors", "blocks"},
    .defaults = {256, 4, 256},
};

const kvf_op kvf_op_copy_blocks = {
    .name = "copy_blocks",
    .ns = "_C_cache_ops",
    .schema = "copy_blocks(Tensor(a!)[] key_caches, Tensor[](b!) value_caches, Tensor "
              "block_mapping) -> ()",
    .doc = "copies pages within the key and value caches of all layers, in one launch.\n"
           "\n"
           "For every pair (source, target) = block_mapping[i] and every layer:\n"
           "  key_caches[layer][target]   = key_caches[layer][source]\n"
           "  value_caches[layer][target] = value_caches[layer][source]\n"
           "Pairs take effect in the order of the list, on both backends: with (0, 1), (1, 2) "
           "block 2 gets what\n"
           "block 0 held, with (1, 2), (0, 1) what block 1 held, and of two pairs with one target "
           "the last one\n"
           "wins. Pairs that have nothing to do with each other are copied side by side. A pair "
           "with a negative\n"
           "block is skipped, so that a captured list can be padded. No pairs or no layers are a "
           "successful\n"
           "no-op.\n"
           "\n"
           "On CUDA the addresses of up to 240 tensors travel in the launch parameters: nothing is "
           "allocated or\n"
           "waited for, block_mapping is read on the device, and the call can be captured in a "
           "CUDA graph. More\n"
           "tensors, pages of several sizes, or more than 16,384 pairs are several launches: 1,024 "
           "pairs where\n"
           "there are more than 131,072 blocks, or an address, stride or page is no multiple of 16 "
           "bytes.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is "
           "written; CUDA: that\n"
           "pair is skipped and counted once, see kvf_cuda_fault_count), whatever the pair's other "
           "block is.\n"
           "KVF_CUDA_ERROR when a launch fails; those before it stay on the stream, and the "
           "sentence says so\n"
           "(\"enqueued: 240 of 300 tensors\").\n"
           "Source of the rule: vLLM's op of the same name (until 2025), with its host "
           "synchronisation, its\n"
           "race between chained pairs, its 32-bit sizes and its missing bounds checks corrected.\n"
           "Elsewhere: vLLM to 0.13 copy_blocks; mistral.rs copy_blocks_bf16 to copy_blocks_u8.",
    .arguments = arguments,
    .num_arguments = 3,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
