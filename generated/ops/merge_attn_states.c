/*
 * Generated from templates/table/op.c.j2 and generator/spec/merge_attn_states.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/merge_attn_states.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_merge_attn_states__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_merge_attn_states__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_merge_attn_states__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_merge_attn_states__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_merge_attn_states__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_merge_attn_states__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_merge_attn_states__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_merge_attn_states__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_merge_attn_states__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_merge_attn_states__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_merge_attn_states__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_merge_attn_states__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_merge_attn_states__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_merge_attn_states__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_merge_attn_states__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_merge_attn_states__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_merge_attn_states__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_merge_attn_states__bf16__fp8_e5m2);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_merge_attn_states__f32__f32),
    KVF_CPU_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_merge_attn_states__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_merge_attn_states__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_merge_attn_states__f16__f16),
    KVF_CPU_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_merge_attn_states__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_merge_attn_states__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_merge_attn_states__bf16__bf16),
    KVF_CPU_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_merge_attn_states__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_merge_attn_states__bf16__fp8_e5m2),
    KVF_CUDA_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_merge_attn_states__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_merge_attn_states__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_merge_attn_states__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_merge_attn_states__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_merge_attn_states__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_merge_attn_states__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_merge_attn_states__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_merge_attn_states__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_merge_attn_states, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_merge_attn_states__bf16__fp8_e5m2, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 5. */
static const int16_t scalar_offsets[] = {0, 5, 10};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the out dtype: value - KVF_F32 -> position * 1. */
static const int16_t out_offsets[] = {0, 1, 2, 3, 4};
static const int64_t out_values[] = {KVF_F32, KVF_F16, KVF_BF16, KVF_FP8_E4M3, KVF_FP8_E5M2};

static const kvf_axis axes[] = {
    {.first = KVF_F32,
     .span = 3,
     .offsets = scalar_offsets,
     .below = -1,
     .above = -1,
     .name = "scalar",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the scalar dtype",
     .values = scalar_values,
     .num_values = 3},
    {.first = KVF_F32,
     .span = 5,
     .offsets = out_offsets,
     .below = -1,
     .above = -1,
     .name = "out",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the out dtype",
     .values = out_values,
     .num_values = 5},
};

/* [backend][scalar][out] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0,  -1, -1, 1,  2,  /* cpu f32 */
    -1, 3,  -1, 4,  5,  /* cpu f16 */
    -1, -1, 6,  7,  8,  /* cpu bf16 */
    9,  -1, -1, 10, 11, /* cuda f32 */
    -1, 12, -1, 13, 14, /* cuda f16 */
    -1, -1, 15, 16, 17, /* cuda bf16 */
};

static const kvf_exclusion exclusions[] = {
    {{KVF_AXES(KVF_F32, KVF_F16)}, "parts of f32 become f32 itself or fp8"},
    {{KVF_AXES(KVF_F32, KVF_BF16)}, "parts of f32 become f32 itself or fp8"},
    {{KVF_AXES(KVF_F16, KVF_F32)}, "parts of f16 become f16 itself or fp8"},
    {{KVF_AXES(KVF_F16, KVF_BF16)}, "parts of f16 become f16 itself or fp8"},
    {{KVF_AXES(KVF_BF16, KVF_F32)}, "parts of bf16 become bf16 itself or fp8"},
    {{KVF_AXES(KVF_BF16, KVF_F16)}, "parts of bf16 become bf16 itself or fp8"},
};

static const kvf_argument arguments[] = {
    {.name = "output",
     .type = "Tensor!",
     .doc = "[num_tokens, num_heads, head_size], the dtype of prefix_output; with output_scale "
            "float8, or uint8 for E4M3; any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "output_lse",
     .type = "Tensor!?",
     .doc = "[num_heads, num_tokens], f32, any strides; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true},
    {.name = "prefix_output",
     .type = "Tensor",
     .doc = "[num_tokens, num_heads, head_size], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "prefix_lse",
     .type = "Tensor",
     .doc = "[num_heads, num_tokens], f32, any strides; a [num_tokens, num_heads] tensor "
            "transposed needs no copy",
     .kind = KVF_KIND_TENSOR},
    {.name = "suffix_output",
     .type = "Tensor",
     .doc = "[num_tokens, num_heads, head_size], or [num_suffixes, num_tokens, num_heads, "
            "head_size]; the dtype of prefix_output, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "suffix_lse",
     .type = "Tensor",
     .doc = "as prefix_lse, or [num_suffixes, num_heads, num_tokens]; any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "prefill_tokens_with_context",
     .type = "int",
     .doc = "tokens that have a prefix, the first; negative: all have one",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = -1}}},
    {.name = "output_scale",
     .type = "Tensor?",
     .doc = "f32, one element: codes * output_scale are values; None: no codes",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "lse_base2",
     .type = "bool",
     .doc = "whether the log-sum-exps are to base 2, as FlashInfer's are, and not to base e",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = false}}},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_merge_attn_states(exec, (DLTensor *)values[0].as.tensor,
                               (DLTensor *)values[1].as.tensor, values[2].as.tensor,
                               values[3].as.tensor, values[4].as.tensor, values[5].as.tensor,
                               values[6].as.integer, values[7].as.tensor, values[8].as.boolean);
}

const kvf_op kvf_op_merge_attn_states = {
    .name = "merge_attn_states",
    .ns = "_C",
    .schema =
        "merge_attn_states(Tensor! output, Tensor!? output_lse, Tensor prefix_output, Tensor "
        "prefix_lse, Tensor suffix_output, Tensor suffix_lse, int prefill_tokens_with_context=-1, "
        "Tensor? output_scale=None, bool lse_base2=False) -> ()",
    .doc = "joins attention over disjoint sets of keys, by the log-sum-exp of each.\n"
           "\n"
           "For every token t and head h, over the parts i (the prefix, then the suffix or "
           "suffixes):\n"
           "  m                = the largest lse[i]\n"
           "  w[i]             = e^(lse[i] - m), or 2^(lse[i] - m) with lse_base2\n"
           "  output[t, h, :]  = sum of w[i] * part[i][t, h, :] / sum of w[i]\n"
           "  output_lse[h, t] = m + log(sum of w[i]), to the same base\n"
           "A suffix of rank 4 is several parts, which are joined at once: the splits of a decode, "
           "say. A part whose\n"
           "lse is -inf or +inf is empty: it adds nothing, whatever it holds, NaN included. The "
           "prefix is empty for\n"
           "tokens from prefill_tokens_with_context on. Where all parts are empty, output is +0 "
           "and output_lse -inf;\n"
           "where one is not, output is that part, bit for bit but for NaN. A NaN among the lse "
           "makes output and\n"
           "output_lse NaN.\n"
           "\n"
           "Weights are computed in double and rounded to f32 once, products and their sum are "
           "f32, in the order of the\n"
           "parts: off by at most 2 ulp of the sum of |w[i] * part[i]| / sum of w[i] for two "
           "parts. Then\n"
           "one rounding, to nearest even, to the dtype of output; NaN is 0x7FFFFFFF or 0x7FFF. "
           "With an output_scale\n"
           "output holds fp8 codes Q(result / output_scale), from the f32 result: a saturating "
           "division, and every\n"
           "NaN becomes 0x7F.\n"
           "\n"
           "output may be prefix_output, or suffix_output of rank 3, itself (the same elements at "
           "the same\n"
           "strides), and output_lse the lse of either; other overlaps are refused. Zero tokens "
           "are a successful no-op.\n"
           "\n"
           "Errors: KVF_INVALID_VALUE for more than 1024 parts, or for prefill_tokens_with_context "
           "beyond num_tokens.\n"
           "Source of the rule: vLLM's op of the same name, with strides honoured, several "
           "suffixes, both bases,\n"
           "NaN kept by fp8, and empty parts that may hold anything.\n"
           "Elsewhere: vLLM merge_attn_states; FlashInfer merge_state and merge_states; SGLang "
           "merge_state_v2.",
    .arguments = arguments,
    .num_arguments = 9,
    .variants = variants,
    .num_variants = 18,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 15,
    .exclusions = exclusions,
    .num_exclusions = 6,
    .call = call,
};
