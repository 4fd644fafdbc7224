/*
 * Generated from templates/table/op.c.j2 and generator/spec/concat_and_cache_mla_rope_fused.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/concat_and_cache_mla_rope_fused.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_rope_fused__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_rope_fused__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_rope_fused__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_rope_fused__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_rope_fused__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_rope_fused__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_rope_fused__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_rope_fused__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_rope_fused__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_rope_fused__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_rope_fused__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_rope_fused__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_rope_fused__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_rope_fused__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_rope_fused__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_rope_fused__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_rope_fused__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_rope_fused__bf16__fp8_e5m2);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_concat_and_cache_mla_rope_fused__f32__f32),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_concat_and_cache_mla_rope_fused__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_concat_and_cache_mla_rope_fused__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_concat_and_cache_mla_rope_fused__f16__f16),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_concat_and_cache_mla_rope_fused__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_concat_and_cache_mla_rope_fused__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_concat_and_cache_mla_rope_fused__bf16__bf16),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_concat_and_cache_mla_rope_fused__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_concat_and_cache_mla_rope_fused__bf16__fp8_e5m2),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_concat_and_cache_mla_rope_fused__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_concat_and_cache_mla_rope_fused__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_concat_and_cache_mla_rope_fused__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_concat_and_cache_mla_rope_fused__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_concat_and_cache_mla_rope_fused__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_concat_and_cache_mla_rope_fused__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_concat_and_cache_mla_rope_fused__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_concat_and_cache_mla_rope_fused__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_rope_fused, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_concat_and_cache_mla_rope_fused__bf16__fp8_e5m2, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 5. */
static const int16_t scalar_offsets[] = {0, 5, 10};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_F32 -> position * 1. */
static const int16_t cache_offsets[] = {0, 1, 2, 3, 4};
static const int64_t cache_values[] = {KVF_F32, KVF_F16, KVF_BF16, KVF_FP8_E4M3, KVF_FP8_E5M2};

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
     .offsets = cache_offsets,
     .below = -1,
     .above = -1,
     .name = "cache",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the cache dtype",
     .values = cache_values,
     .num_values = 5},
};

/* [backend][scalar][cache] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0,  -1, -1, 1,  2,  /* cpu f32 */
    -1, 3,  -1, 4,  5,  /* cpu f16 */
    -1, -1, 6,  7,  8,  /* cpu bf16 */
    9,  -1, -1, 10, 11, /* cuda f32 */
    -1, 12, -1, 13, 14, /* cuda f16 */
    -1, -1, 15, 16, 17, /* cuda bf16 */
};

static const kvf_exclusion exclusions[] = {
    {{KVF_AXES(KVF_F32, KVF_F16)}, "a cache next to f32 tensors holds f32 itself or fp8"},
    {{KVF_AXES(KVF_F32, KVF_BF16)}, "a cache next to f32 tensors holds f32 itself or fp8"},
    {{KVF_AXES(KVF_F16, KVF_F32)}, "a cache next to f16 tensors holds f16 itself or fp8"},
    {{KVF_AXES(KVF_F16, KVF_BF16)}, "a cache next to f16 tensors holds f16 itself or fp8"},
    {{KVF_AXES(KVF_BF16, KVF_F32)}, "a cache next to bf16 tensors holds bf16 itself or fp8"},
    {{KVF_AXES(KVF_BF16, KVF_F16)}, "a cache next to bf16 tensors holds bf16 itself or fp8"},
};

static const kvf_argument arguments[] = {
    {.name = "positions",
     .type = "Tensor",
     .doc = "[>= num_tokens], int64 or int32, any stride",
     .kind = KVF_KIND_TENSOR},
    {.name = "q_pe",
     .type = "Tensor!",
     .doc = "[num_rows >= num_tokens, num_heads, rope_dim], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "k_pe",
     .type = "Tensor!",
     .doc = "[num_rows, rope_dim], the dtype of q_pe, any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "kv_c",
     .type = "Tensor",
     .doc = "[num_rows, kv_lora_rank], the dtype of q_pe, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "cos_sin_cache",
     .type = "Tensor",
     .doc = "[num_positions, rope_dim], the dtype of q_pe or f32, any strides; a row is the "
            "cosines of all pairs and behind them the sines",
     .kind = KVF_KIND_TENSOR},
    {.name = "is_neox",
     .type = "bool",
     .doc = "pairs are halves of a row (GPT-NeoX), else neighbours (GPT-J)",
     .kind = KVF_KIND_BOOL},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, kv_lora_rank + rope_dim], the cache dtype (uint8 or float8 "
            "for fp8), any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of q_pe), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'",
     .kind = KVF_KIND_STRING},
    {.name = "kv_cache_scale",
     .type = "Tensor",
     .doc = "f32, one element; the cache holds element / scale, for kv_c and k_pe alike; not read "
            "when the cache holds the scalar dtype",
     .kind = KVF_KIND_TENSOR},
    {.name = "rotate_skipped",
     .type = "bool",
     .doc = "whether queries of tokens with a negative slot are rotated, too",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = false}}},
    {.name = "slot_remap",
     .type = "Tensor?",
     .doc = "[size], int64 or int32, any stride; a slot s of slot_mapping is one of another pool, "
            "of `size` slots, and the page slot is slot_remap[s], a negative one of which writes "
            "nothing either; one from `size` on is out of range; None: slots are page slots",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_concat_and_cache_mla_rope_fused(
      exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor, (DLTensor *)values[2].as.tensor,
      values[3].as.tensor, values[4].as.tensor, values[5].as.boolean, values[6].as.tensor,
      (DLTensor *)values[7].as.tensor, values[8].as.string, values[9].as.tensor,
      values[10].as.boolean, values[11].as.tensor);
}

static const kvf_tuned cpu_tuned = {
    .num_constants = 1,
    .names = {"rows_ahead"},
    .defaults = {4},
};

/* Measured by `ninja tune`: threads by arch and num_tokens. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 16, {128}},
    {90, 256, {128}},
    {90, 4096, {128}},
    {90, INT64_MAX, {64}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 1,
    .names = {"threads"},
    .defaults = {256},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_concat_and_cache_mla_rope_fused = {
    .name = "concat_and_cache_mla_rope_fused",
    .ns = "_C_cache_ops",
    .schema = "concat_and_cache_mla_rope_fused(Tensor positions, Tensor! q_pe, Tensor! k_pe, "
              "Tensor kv_c, Tensor cos_sin_cache, bool is_neox, Tensor slot_mapping, Tensor! "
              "kv_cache, str kv_cache_dtype, Tensor kv_cache_scale, bool rotate_skipped=False, "
              "Tensor? slot_remap=None) -> ()",
    .doc =
        "rotates queries and keys by their positions and writes the keys to MLA pages.\n"
        "\n"
        "With L = kv_lora_rank, R = rope_dim, cos = cos_sin_cache[positions[t], i] and\n"
        "sin = cos_sin_cache[positions[t], R / 2 + i], for i in [0, R / 2):\n"
        "  (x, y) are elements i and R / 2 + i of a row if is_neox, else 2 i and 2 i + 1, and "
        "become\n"
        "  x' = x * cos - y * sin\n"
        "  y' = y * cos + x * sin\n"
        "Products, sums and differences are made in f32, none of them fused, so the CPU and CUDA "
        "give the\n"
        "same bits. With cos_sin_cache of the scalar dtype each is rounded to it (three roundings "
        "for an\n"
        "element of f16 or bf16); with one of f32 next to f16 or bf16 the end alone is. A NaN is "
        "0x7FFF, or\n"
        "0x7FFFFFFF in f32.\n"
        "\n"
        "q_pe and k_pe are rotated in place, and k_pe is written behind kv_c, with s = "
        "slot_mapping[t],\n"
        "block = s div block_size and offset = s mod block_size:\n"
        "  kv_cache[block, offset, i]     = Q(kv_c[t, i], kv_cache_scale)  for i in [0, L)\n"
        "  kv_cache[block, offset, L + j] = Q(k_pe[t, j], kv_cache_scale)  for j in [0, R), "
        "rotated\n"
        "Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale "
        "in f32,\n"
        "rounds to nearest even and saturates. A token with a negative slot is left alone, and its "
        "position\n"
        "is not looked at (graph padding); with rotate_skipped its queries are rotated all the "
        "same, as a\n"
        "rank needs that keeps the keys of some tokens alone. The number of tokens is the length "
        "of\n"
        "slot_mapping; the other tensors may have more rows, which are left alone. CUDA kernels "
        "may read the\n"
        "rows of skipped tokens. Any L, any even R, any number of heads, 0 included. Zero tokens "
        "are a\n"
        "successful no-op. Two tokens with one slot race.\n"
        "\n"
        "Errors: KVF_OUT_OF_RANGE for a position that is looked at and no row of cos_sin_cache, "
        "and for a\n"
        "slot beyond num_blocks * block_size (CPU: before anything is written; CUDA: counted, see\n"
        "kvf_cuda_fault_count, and the token is treated as one with a negative slot, or left alone "
        "for its\n"
        "position).\n"
        "Source of the rule: vLLM's op of the same name, with its 32-bit strides and its "
        "empty-input and\n"
        "bounds defects corrected. Before 0.33 it rotated the queries of all tokens.\n"
        "Elsewhere: vLLM concat_and_cache_mla_rope_fused.",
    .arguments = arguments,
    .num_arguments = 12,
    .variants = variants,
    .num_variants = 18,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 15,
    .exclusions = exclusions,
    .num_exclusions = 6,
    .call = call,
    .tuned = {[KVF_CPU] = &cpu_tuned, [KVF_CUDA] = &cuda_tuned},
};
