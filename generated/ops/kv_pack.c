/*
 * Generated from templates/table/op.c.j2 and generator/spec/kv_pack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/kv_pack.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_kv_pack__b8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_kv_pack__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_kv_pack__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_kv_pack__f32);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_kv_pack, KVF_AXES(KVF_B8), kvf_cpu_kv_pack__b8),
    KVF_CPU_ROW(kvf_op_kv_pack, KVF_AXES(KVF_F32), kvf_cpu_kv_pack__f32),
    KVF_CUDA_ROW(kvf_op_kv_pack, KVF_AXES(KVF_B8), kvf_cuda_kv_pack__b8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_kv_pack, KVF_AXES(KVF_F32), kvf_cuda_kv_pack__f32, 4, 1),
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
     .doc = "as page_dtype, what the wire is to hold",
     .kind = KVF_KIND_STRING},
    {.name = "page_scales",
     .type = "Tensor[]",
     .doc = "none, but of codes that become floats or were such: for scales that the call knows "
            "one tensor for each plane, f32, one element, [num_layers] or [num_layers, num_heads]; "
            "with a scale per token and head as many as pages, [num_blocks, block_size, "
            "num_heads], f32, any strides, the same for all layers of a plane",
     .kind = KVF_KIND_TENSOR_LIST},
    {.name = "wire_scales",
     .type = "Tensor?",
     .doc = "none, but of fp8 or int8 codes on the wire that become floats or were such: f32, "
            "[num_planes], [num_planes, num_layers] or [num_planes, num_layers, num_heads], on the "
            "device of pages",
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
           "as it is or converted. A token with a negative slot is zeros, and so is what a wire "
           "has of no token: the\n"
           "rest of the last block, and what is behind rows. So the bytes, and their digests "
           "(kv_checksum), are\n"
           "functions of the tokens alone. What the tensor has behind the wire's bytes stays. No "
           "tokens are a\n"
           "successful no-op, which leaves the wire as it is.\n"
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
           "Layouts of pages are told by strides: [block, head, token, element] in memory is a "
           "permuted view, a part\n"
           "of the heads a slice, keys and values in one row two slices, layers within blocks "
           "views with the stride\n"
           "of a block.\n"
           "\n"
           "On CUDA the addresses of up to 240 tensors of up to 8 planes travel in the launch "
           "parameters: nothing is\n"
           "allocated or waited for, and the call can be captured in a graph. More tensors are "
           "several launches, and\n"
           "with a scale per token and head half as many fit into one.\n"
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
    .num_variants = 4,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 2,
    .call = call,
};
