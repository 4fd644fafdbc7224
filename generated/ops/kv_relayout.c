/*
 * Generated from templates/table/op.c.j2 and generator/spec/kv_relayout.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/kv_relayout.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_kv_relayout__b8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_kv_relayout__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_kv_relayout__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_kv_relayout__f32);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_kv_relayout, KVF_AXES(KVF_B8), kvf_cpu_kv_relayout__b8),
    KVF_CPU_ROW(kvf_op_kv_relayout, KVF_AXES(KVF_F32), kvf_cpu_kv_relayout__f32),
    KVF_CUDA_ROW(kvf_op_kv_relayout, KVF_AXES(KVF_B8), kvf_cuda_kv_relayout__b8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_kv_relayout, KVF_AXES(KVF_F32), kvf_cuda_kv_relayout__f32, 4, 1),
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
    {.name = "src_pages",
     .type = "Tensor[]",
     .doc = "num_planes * num_layers tensors of [num_blocks, block_size, num_heads, elements], any "
            "dtype of whole bytes, any strides, the same for all layers of a plane; those of plane "
            "0 first. Sizes of elements may differ between planes",
     .kind = KVF_KIND_TENSOR_LIST},
    {.name = "dst_pages",
     .type = "Tensor(a!)[]",
     .doc = "num_planes * num_layers tensors of [dst_num_blocks, dst_block_size, num_heads, "
            "elements], as src_pages, memory of their own, any strides of their own",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "src_slots",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride, on the device of src_pages",
     .kind = KVF_KIND_TENSOR},
    {.name = "dst_slots",
     .type = "Tensor",
     .doc = "as src_slots, as many, of dst_pages",
     .kind = KVF_KIND_TENSOR},
    {.name = "src_dtype",
     .type = "str",
     .doc = "what src_pages hold, for example 'auto' or 'fp8'",
     .kind = KVF_KIND_STRING},
    {.name = "dst_dtype",
     .type = "str",
     .doc = "as src_dtype, what dst_pages are to hold",
     .kind = KVF_KIND_STRING},
    {.name = "src_scales",
     .type = "Tensor[]",
     .doc = "none, but of codes that become floats or were such: for scales that the call knows "
            "one tensor for each plane, f32, one element, [num_layers] or [num_layers, num_heads]; "
            "with a scale per token and head as many as pages, [num_blocks, block_size, "
            "num_heads], f32, any strides, the same for all layers of a plane",
     .kind = KVF_KIND_TENSOR_LIST},
    {.name = "dst_scales",
     .type = "Tensor(b!)[]",
     .doc = "none, but as src_scales, of dst_pages; those per token and head are written",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "num_layers",
     .type = "int",
     .doc = "layers; 0: src_pages are those of one plane",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_kv_relayout(
      exec, values[0].as.tensors.data, values[0].as.tensors.size, values[1].as.tensors.data,
      values[1].as.tensors.size, values[2].as.tensor, values[3].as.tensor, values[4].as.string,
      values[5].as.string, values[6].as.tensors.data, values[6].as.tensors.size,
      values[7].as.tensors.data, values[7].as.tensors.size, values[8].as.integer);
}

const kvf_op kvf_op_kv_relayout = {
    .name = "kv_relayout",
    .ns = "_C_cache_ops",
    .schema = "kv_relayout(Tensor[] src_pages, Tensor(a!)[] dst_pages, Tensor src_slots, Tensor "
              "dst_slots, str src_dtype, str dst_dtype, Tensor[] src_scales, Tensor(b!)[] "
              "dst_scales, int num_layers=0) -> ()",
    .doc = "copies tokens of all layers to pages of another layout or block size, in one launch.\n"
           "\n"
           "For every plane p, layer l, token j, head h and element d, with s = src_slots[j], t = "
           "dst_slots[j], N and\n"
           "M the tokens of a block of src_pages and of dst_pages:\n"
           "  dst_pages[p * num_layers + l][t div M, t mod M, h, d] =\n"
           "      src_pages[p * num_layers + l][s div N, s mod N, h, d]\n"
           "A token with a negative slot on either side is skipped; nothing else in dst_pages is "
           "written. It is what\n"
           "kv_pack and kv_unpack do one behind the other, without the buffer between them. No "
           "tokens are a successful\n"
           "no-op. Two tokens with one slot of dst_pages race.\n"
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
           "\n"
           "On CUDA the addresses of up to 120 pairs of tensors of up to 8 planes travel in the "
           "launch parameters:\n"
           "nothing is allocated or waited for, and the call can be captured in a graph. More are "
           "several launches, and\n"
           "with a scale per token and head half as many fit into one.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a slot beyond its pages (CPU: before anything is written; "
           "CUDA: that token is\n"
           "skipped, and each of its two slots that is out of range counted once, see "
           "kvf_cuda_fault_count).\n"
           "KVF_INVALID_VALUE for tensors that differ in what they share, and for dst_pages in the "
           "memory of src_pages:\n"
           "a block size cannot be changed in place. KVF_CUDA_ERROR when a launch fails; those "
           "before it stay on the\n"
           "stream, and the sentence says so (\"enqueued: 120 of 300 tensors\").\n"
           "Source of the rule: new here.",
    .arguments = arguments,
    .num_arguments = 9,
    .variants = variants,
    .num_variants = 4,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 2,
    .call = call,
};
