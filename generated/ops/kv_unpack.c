/*
 * Generated from templates/table/op.c.j2 and generator/spec/kv_unpack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/kv_unpack.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_kv_unpack__b8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_kv_unpack__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_kv_unpack__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_kv_unpack__f32);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_kv_unpack, KVF_AXES(KVF_B8), kvf_cpu_kv_unpack__b8),
    KVF_CPU_ROW(kvf_op_kv_unpack, KVF_AXES(KVF_F32), kvf_cpu_kv_unpack__f32),
    KVF_CUDA_ROW(kvf_op_kv_unpack, KVF_AXES(KVF_B8), kvf_cuda_kv_unpack__b8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_kv_unpack, KVF_AXES(KVF_F32), kvf_cuda_kv_unpack__f32, 4, 1),
};

/* b8 where bits are copied, f32 where elements become those of another dtype: value - KVF_F32 ->
 * position * 1. */
static const int16_t width_offsets[] = {1, -1, -1, -1, -1, 0};
static const int64_t width_values[] = {KVF_B8, KVF_F32};

static const kvf_axis axes[] = {
    {.first = KVF_F32,
     .span = 6,
     .offsets = width_offsets,
     .below = -1,
     .above = -1,
     .name = "width",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "b8 where bits are copied, f32 where elements become those of another dtype",
     .values = width_values,
     .num_values = 2},
};

/* [backend][width] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0, 1, /* cpu */
    2, 3, /* cuda */
};

static const kvf_argument arguments[] = {
    {.name = "wire",
     .type = "Tensor",
     .doc = "[wire_bytes] or more, uint8, stride 1, its address a multiple of 16",
     .kind = KVF_KIND_TENSOR},
    {.name = "pages",
     .type = "Tensor(a!)[]",
     .doc = "num_planes * num_layers tensors of [num_blocks, block_size, num_heads, elements], any "
            "dtype of whole bytes, any strides, the same for all layers of a plane; those of plane "
            "0 first. Sizes of elements may differ between planes",
     .kind = KVF_KIND_TENSOR_LIST,
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
    {.name = "wire_dtype",
     .type = "str",
     .doc = "what the wire holds, for example 'auto' or 'fp8'",
     .kind = KVF_KIND_STRING},
    {.name = "page_dtype",
     .type = "str",
     .doc = "as wire_dtype, what pages are to hold",
     .kind = KVF_KIND_STRING},
    {.name = "wire_scales",
     .type = "Tensor?",
     .doc = "none, but of fp8 or int8 codes on the wire that become floats or were such: f32, "
            "[num_planes], [num_planes, num_layers] or [num_planes, num_layers, num_heads], on the "
            "device of pages",
     .kind = KVF_KIND_TENSOR,
     .optional = true},
    {.name = "page_scales",
     .type = "Tensor(b!)[]",
     .doc =
         "none, but of codes that become floats or were such: for scales that the call knows one "
         "tensor for each plane, f32, one element, [num_layers] or [num_layers, num_heads]; with a "
         "scale per token and head as many as pages, [num_blocks, block_size, num_heads], f32, any "
         "strides, the same for all layers of a plane; those per token and head are written",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "gate",
     .type = "Tensor?",
     .doc = "[1], int32, on the device of pages: not 0 keeps pages as they are",
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
  return kvf_kv_unpack(exec, values[0].as.tensor, values[1].as.tensors.data,
                       values[1].as.tensors.size, values[2].as.tensor, values[3].as.string,
                       values[4].as.integer, values[5].as.string, values[6].as.string,
                       values[7].as.tensor, values[8].as.tensors.data, values[8].as.tensors.size,
                       values[9].as.tensor, values[10].as.integer, values[11].as.integer);
}

const kvf_op kvf_op_kv_unpack = {
    .name = "kv_unpack",
    .ns = "_C_cache_ops",
    .schema =
        "kv_unpack(Tensor wire, Tensor(a!)[] pages, Tensor slot_mapping, str wire_layout, int "
        "wire_block_size, str wire_dtype, str page_dtype, Tensor? wire_scales, Tensor(b!)[] "
        "page_scales, Tensor? gate=None, int num_layers=0, int heads_per_group=0) -> ()",
    .doc = "scatters the tokens of a wire buffer into the pages of all layers, in one launch.\n"
           "\n"
           "For every plane p, layer l, token j, head h and element d, with s = slot_mapping[j]:\n"
           "  pages[p * num_layers + l][s div block_size, s mod block_size, h, d] = wire(l, p, j, "
           "h, d)\n"
           "as it is or converted. A token with a negative slot is skipped; nothing else in pages "
           "is written. Block\n"
           "size, layout and, by views of fewer heads, number of ranks need not be those of the "
           "sender: wire_layout\n"
           "and wire_block_size are what the two agree on. With a gate that is not 0 nothing is "
           "written: on the\n"
           "device of pages, it may be the mismatches of kv_checksum, so that a buffer is checked "
           "and unpacked\n"
           "without the host looking on. No tokens are a successful no-op. Two tokens with one "
           "slot race.\n"
           "\n"
           "What becomes of elements is said by the words of the two sides:\n"
           "  same dtype              bits are copied; elements may have any size, planes may "
           "differ in it\n"
           "  float to float          rounded to nearest even, overflow to infinity\n"
           "  float to codes          code = Q(x / scale), with scales that the call is given\n"
           "  codes to float          x = code * scale\n"
           "  float to codes of rows  S = max(amax / QMAX, 1e-6), code = Q(x * (1 / S)), with S "
           "beside them\n"
           "  codes of rows to float  x = code * S\n"
           "  fp8 to fp8              code = Q(code * scale / scale of the other side)\n"
           "Floats are float32, float16 and bfloat16, codes fp8 (fp8_e4m3), fp8_e5m2 and int8, "
           "codes of rows, with a\n"
           "scale per token and head, fp8_per_token_head, int8_per_token_head and "
           "int8_per_token_head_even.\n"
           "'auto' is the dtype of pages of floats. All arithmetic is f32; Q saturates and rounds "
           "as the op does that\n"
           "writes caches of these words, and the only NaN of a float is 0x7FFFFFFF or 0x7FFF. So "
           "codes are those that\n"
           "the writers would have made of the same values, and floats those that gather_kv_cache "
           "reads, on every\n"
           "backend. Where both words are one with a scale per token and head, int4_per_token_head "
           "too, and scales are\n"
           "given, these are copied along with the codes; without scales the codes are copied "
           "alone. Any other pair is\n"
           "KVF_UNSUPPORTED.\n"
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
           "Planes may differ in the size of a row; each has its rows together. Where wire_dtype "
           "has a scale per token\n"
           "and head, each plane is followed by one of its scales, of rows of one f32. A block "
           "takes as many bytes as its\n"
           "rows, rounded up to a multiple of 64; the wire of T tokens ceil(T / W) blocks, rounded "
           "up to one of\n"
           "1024. \n"
           "\n"
           "On CUDA the addresses of up to 240 tensors of up to 8 planes travel in the launch "
           "parameters: nothing is\n"
           "allocated or waited for, and the call can be captured in a graph. More tensors are "
           "several launches, and\n"
           "with a scale per token and head half as many fit into one.\n"
           "gate is read by the kernel there, on the CPU by the call.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before "
           "anything is\n"
           "written; CUDA: that token is skipped and counted once, see kvf_cuda_fault_count; a "
           "gate that is shut\n"
           "counts none). KVF_INVALID_VALUE for tensors that differ in what they share, a wire "
           "that is too small, or\n"
           "one in the memory of pages. KVF_CUDA_ERROR when a launch fails; those before it stay "
           "on the stream, and\n"
           "the sentence says so (\"enqueued: 240 of 300 tensors\").\n"
           "Source of the rule: new here; the layouts are those of the systems named.\n"
           "Elsewhere: LMCache multi_layer_kv_transfer (H2D); dynamo block_from_universal.",
    .arguments = arguments,
    .num_arguments = 12,
    .variants = variants,
    .num_variants = 4,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 2,
    .call = call,
};
