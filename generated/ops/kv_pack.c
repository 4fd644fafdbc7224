/*
 * Generated from templates/table/op.c.j2 and generator/spec/kv_pack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/kv_pack.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_kv_pack__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_kv_pack__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_kv_pack, KVF_AXES(KVF_B8), kvf_cpu_kv_pack__b8),
    KVF_CUDA_ROW(kvf_op_kv_pack, KVF_AXES(KVF_B8), kvf_cuda_kv_pack__b8, 16, 4, 1),
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
    {.name = "pages",
     .type = "Tensor[]",
     .doc = "num_planes * num_layers tensors of [num_blocks, block_size, num_heads, elements], any "
            "dtype of whole bytes, any strides, the same for all layers of a plane; those of plane "
            "0 first. Sizes of elements may differ between planes",
     .kind = KVF_KIND_TENSOR_LIST},
    {.name = "wire",
     .type = "Tensor!",
     .doc = "[wire_bytes] or more, uint8, stride 1, its address a multiple of 16",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride, on the device of pages: token j lies in "
            "block slot_mapping[j] div block_size, at slot_mapping[j] mod block_size; a negative "
            "one is of no token",
     .kind = KVF_KIND_TENSOR},
    {.name = "wire_layout",
     .type = "str",
     .doc = "'LKNHC', 'KLNHC', 'LKHNC', 'HLKNC' or 'GLKNHC'",
     .kind = KVF_KIND_STRING},
    {.name = "wire_block_size",
     .type = "int",
     .doc = "tokens of a wire block, 1 or more",
     .kind = KVF_KIND_INT},
    {.name = "page_dtype",
     .type = "str",
     .doc = "what pages hold, for example 'auto' or 'fp8'",
     .kind = KVF_KIND_STRING},
    {.name = "wire_dtype",
     .type = "str",
     .doc = "as page_dtype, what the wire is to hold: the same word",
     .kind = KVF_KIND_STRING},
    {.name = "page_scales",
     .type = "Tensor[]",
     .doc = "none: bits are copied",
     .kind = KVF_KIND_TENSOR_LIST},
    {.name = "wire_scales",
     .type = "Tensor?",
     .doc = "none: bits are copied",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "num_layers",
     .type = "int",
     .doc = "layers; 0: pages are those of one plane",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
    {.name = "heads_per_group",
     .type = "int",
     .doc = "of 'GLKNHC', which alone reads it: heads of a group; divides num_heads; 0: all",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_kv_pack(exec, values[0].as.tensors.data, values[0].as.tensors.size,
                     (DLTensor *)values[1].as.tensor, values[2].as.tensor, values[3].as.string,
                     values[4].as.integer, values[5].as.string, values[6].as.string,
                     values[7].as.tensors.data, values[7].as.tensors.size, values[8].as.tensor,
                     values[9].as.integer, values[10].as.integer);
}

const kvf_op kvf_op_kv_pack = {
    .name = "kv_pack",
    .ns = "_C_cache_ops",
    .schema = "kv_pack(Tensor[] pages, Tensor! wire, Tensor slot_mapping, str wire_layout, int "
              "wire_block_size, str page_dtype, str wire_dtype, Tensor[] page_scales, Tensor? "
              "wire_scales=None, int num_layers=0, int heads_per_group=0) -> ()",
    .doc = "gathers tokens of all layers from their pages into a wire buffer, in one launch.\n"
           "\n"
           "For every plane p, layer l, token j, head h and element d, with s = slot_mapping[j]:\n"
           "  wire(l, p, j, h, d) = pages[p * num_layers + l][s div block_size, s mod block_size, "
           "h, d]\n"
           "A token with a negative slot is zeros, and so is what a wire has of no token: the rest "
           "of the last\n"
           "block, and what is behind rows. So the bytes, and their digests (kv_checksum), are "
           "functions of the\n"
           "tokens alone. What the tensor has behind the wire's bytes stays. No tokens are a "
           "successful no-op, which\n"
           "leaves the wire as it is.\n"
           "\n"
           "Bit copies: page_dtype and wire_dtype are the same word, whichever it is, and there "
           "are no scales; the\n"
           "planes may have elements of any size, so that codes and their scales go along as two "
           "planes. Other pairs\n"
           "of words are KVF_UNSUPPORTED.\n"
           "\n"
           "The wire is made of blocks of W = wire_block_size tokens: wire block w holds tokens [w "
           "* W, (w + 1) * W)\n"
           "of slot_mapping. Within a block the axes lie without gaps in the order of wire_layout, "
           "outermost first,\n"
           "of layer L, plane K, token N, head H, element C and, in 'GLKNHC', group G of "
           "heads_per_group heads:\n"
           "  'LKNHC' layer by layer; any range of layers is one run\n"
           "  'KLNHC' what LMCache's objects have, [2, layers, tokens, heads * elements]\n"
           "  'LKHNC' pages with their heads outside\n"
           "  'HLKNC' head by head: a part of the heads is one run, whatever number of ranks reads "
           "it\n"
           "  'GLKNHC' the same for groups of heads: SGLang's page_unified\n"
           "Planes may differ in the size of a row; each has its rows together. A block takes as "
           "many bytes as its\n"
           "rows, rounded up to a multiple of 64; the wire of T tokens ceil(T / W) blocks, rounded "
           "up to one of\n"
           "1024. \n"
           "\n"
           "Layouts of pages are told by strides: [block, head, token, element] in memory is a "
           "permuted view, a part\n"
           "of the heads a slice, keys and values in one row two slices, layers within blocks "
           "views with the stride\n"
           "of a block.\n"
           "\n"
           "On CUDA the addresses of up to 240 tensors of up to 8 planes travel in the launch "
           "parameters: nothing is\n"
           "allocated or waited for, and the call can be captured in a graph. More tensors are "
           "several launches.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before "
           "anything is\n"
           "written; CUDA: that token is zeros and counted once, see kvf_cuda_fault_count). "
           "KVF_INVALID_VALUE for\n"
           "tensors that differ in what they share, a wire that is too small, or one in the memory "
           "of pages.\n"
           "KVF_CUDA_ERROR when a launch fails; those before it stay on the stream, and the "
           "sentence says so\n"
           "(\"enqueued: 240 of 300 tensors\").\n"
           "Source of the rule: new here; the layouts are those of the systems named.\n"
           "Elsewhere: LMCache multi_layer_kv_transfer (D2H); dynamo universal_from_block.",
    .arguments = arguments,
    .num_arguments = 11,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
};
