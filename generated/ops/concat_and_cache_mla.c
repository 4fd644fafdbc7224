/*
 * Generated from templates/table/op.c.j2 and generator/spec/concat_and_cache_mla.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/concat_and_cache_mla.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f32__nvfp4_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f16__fp8_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f16__fp8_ds_mla_f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__f16__nvfp4_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__bf16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__bf16__fp8_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__bf16__fp8_ds_mla_f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla__bf16__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f32__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f16__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f16__fp8_ds_mla_f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__f16__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__bf16__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__bf16__fp8_ds_mla_f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla__bf16__nvfp4_ds_mla);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_concat_and_cache_mla__f32__f32),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_concat_and_cache_mla__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_concat_and_cache_mla__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA),
                kvf_cpu_concat_and_cache_mla__f32__nvfp4_ds_mla),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_concat_and_cache_mla__f16__f16),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_concat_and_cache_mla__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_concat_and_cache_mla__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA),
                kvf_cpu_concat_and_cache_mla__f16__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA_F32),
                kvf_cpu_concat_and_cache_mla__f16__fp8_ds_mla_f32),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA),
                kvf_cpu_concat_and_cache_mla__f16__nvfp4_ds_mla),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_concat_and_cache_mla__bf16__bf16),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_concat_and_cache_mla__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_concat_and_cache_mla__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA),
                kvf_cpu_concat_and_cache_mla__bf16__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA_F32),
                kvf_cpu_concat_and_cache_mla__bf16__fp8_ds_mla_f32),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA),
                kvf_cpu_concat_and_cache_mla__bf16__nvfp4_ds_mla),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_concat_and_cache_mla__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_concat_and_cache_mla__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_concat_and_cache_mla__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA),
                 kvf_cuda_concat_and_cache_mla__f32__nvfp4_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_concat_and_cache_mla__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_concat_and_cache_mla__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_concat_and_cache_mla__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA),
                 kvf_cuda_concat_and_cache_mla__f16__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA_F32),
                 kvf_cuda_concat_and_cache_mla__f16__fp8_ds_mla_f32, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA),
                 kvf_cuda_concat_and_cache_mla__f16__nvfp4_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_concat_and_cache_mla__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_concat_and_cache_mla__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_concat_and_cache_mla__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA),
                 kvf_cuda_concat_and_cache_mla__bf16__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA_F32),
                 kvf_cuda_concat_and_cache_mla__bf16__fp8_ds_mla_f32, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla, KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA),
                 kvf_cuda_concat_and_cache_mla__bf16__nvfp4_ds_mla, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 8. */
static const int16_t scalar_offsets[] = {0, 8, 16};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_F32 -> position * 1. */
static const int16_t cache_offsets[] = {0, 1, 2, 3, 4, -1, -1, -1, 6, 5, 7};
static const int64_t cache_values[] = {
    KVF_F32,      KVF_F16,        KVF_BF16,           KVF_FP8_E4M3,
    KVF_FP8_E5M2, KVF_FP8_DS_MLA, KVF_FP8_DS_MLA_F32, KVF_NVFP4_DS_MLA};

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
     .span = 11,
     .offsets = cache_offsets,
     .below = -1,
     .above = -1,
     .name = "cache",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the cache dtype",
     .values = cache_values,
     .num_values = 8},
};

/* [backend][scalar][cache] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0,  -1, -1, 1,  2,  -1, -1, 3,  /* cpu f32 */
    -1, 4,  -1, 5,  6,  7,  8,  9,  /* cpu f16 */
    -1, -1, 10, 11, 12, 13, 14, 15, /* cpu bf16 */
    16, -1, -1, 17, 18, -1, -1, 19, /* cuda f32 */
    -1, 20, -1, 21, 22, 23, 24, 25, /* cuda f16 */
    -1, -1, 26, 27, 28, 29, 30, 31, /* cuda bf16 */
};

static const kvf_exclusion exclusions[] = {
    {{KVF_AXES(KVF_F32, KVF_F16)}, "a cache next to f32 tensors holds f32 itself or fp8"},
    {{KVF_AXES(KVF_F32, KVF_BF16)}, "a cache next to f32 tensors holds f32 itself or fp8"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA)},
     "a row of fp8_ds_mla holds k_pe as it is, in 16 bits an element"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA_F32)},
     "a row of fp8_ds_mla_f32 holds k_pe as it is, in 16 bits an element"},
    {{KVF_AXES(KVF_F16, KVF_F32)}, "a cache next to f16 tensors holds f16 itself or fp8"},
    {{KVF_AXES(KVF_F16, KVF_BF16)}, "a cache next to f16 tensors holds f16 itself or fp8"},
    {{KVF_AXES(KVF_BF16, KVF_F32)}, "a cache next to bf16 tensors holds bf16 itself or fp8"},
    {{KVF_AXES(KVF_BF16, KVF_F16)}, "a cache next to bf16 tensors holds bf16 itself or fp8"},
};

static const kvf_argument arguments[] = {
    {.name = "kv_c",
     .type = "Tensor",
     .doc = "[num_rows >= num_tokens, kv_lora_rank], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "k_pe",
     .type = "Tensor",
     .doc = "[num_rows >= num_tokens, rope_dim], the dtype of kv_c, any strides; rope_dim may be "
            "0, but for nvfp4_ds_mla",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, kv_lora_rank + rope_dim], the cache dtype (uint8 or float8 "
            "for fp8), any strides; beside a kpe_cache [num_blocks, block_size, kv_lora_rank]; for "
            "a row format [num_blocks, block_size, 656 or 352], uint8, rows without gaps",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of kv_c), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'fp8_ds_mla', "
            "'fp8_ds_mla_f32' or 'nvfp4_ds_mla'",
     .kind = KVF_KIND_STRING},
    {.name = "scale",
     .type = "Tensor",
     .doc = "f32, one element; the cache holds element / scale, for kv_c and k_pe alike; not read "
            "unless the cache is fp8_e4m3 or fp8_e5m2",
     .kind = KVF_KIND_TENSOR},
    {.name = "skip_scale",
     .type = "bool",
     .doc = "whether elements are stored as they are, not divided; the scale is not read",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = false}}},
    {.name = "kpe_cache",
     .type = "Tensor!?",
     .doc = "[num_blocks, block_size, rope_dim], the dtype of kv_cache, any strides; both may be "
            "slices of one tensor; None: k_pe goes behind kv_c, into kv_cache",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "kpe_scale",
     .type = "Tensor?",
     .doc = "as scale, for kpe_cache; None: scale",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
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
  return kvf_concat_and_cache_mla(
      exec, values[0].as.tensor, values[1].as.tensor, (DLTensor *)values[2].as.tensor,
      values[3].as.tensor, values[4].as.string, values[5].as.tensor, values[6].as.boolean,
      (DLTensor *)values[7].as.tensor, values[8].as.tensor, values[9].as.tensor);
}

static const kvf_tuned cpu_tuned = {
    .num_constants = 1,
    .names = {"rows_ahead"},
    .defaults = {4},
};

/* Measured by `ninja tune`: threads, warps by arch and num_tokens. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 16, {128, 4}},
    {90, 256, {256, 1}},
    {90, 4096, {256, 4}},
    {90, INT64_MAX, {256, 4}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 2,
    .names = {"threads", "warps"},
    .defaults = {256, 4},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_concat_and_cache_mla = {
    .name = "concat_and_cache_mla",
    .ns = "_C_cache_ops",
    .schema = "concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor "
              "slot_mapping, str kv_cache_dtype, Tensor scale, bool skip_scale=False, Tensor!? "
              "kpe_cache=None, Tensor? kpe_scale=None, Tensor? slot_remap=None) -> ()",
    .doc =
        "writes the latent and the rope part of new tokens, one behind the other, to MLA pages.\n"
        "\n"
        "With L = kv_lora_rank, R = rope_dim, s = slot_mapping[t], block = s div block_size and\n"
        "offset = s mod block_size:\n"
        "  kv_cache[block, offset, i]     = Q(kv_c[t, i], scale)  for i in [0, L)\n"
        "  kv_cache[block, offset, L + j] = Q(k_pe[t, j], scale)  for j in [0, R)\n"
        "Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale "
        "in f32,\n"
        "rounds to nearest even and saturates. With skip_scale it divides by 1, and the scale is "
        "not read:\n"
        "elements that were divided by it elsewhere. With a kpe_cache, k_pe goes to a cache of its "
        "own:\n"
        "  kv_cache[block, offset, i]  = Q(kv_c[t, i], scale)      for i in [0, L)\n"
        "  kpe_cache[block, offset, j] = Q(k_pe[t, j], kpe_scale)  for j in [0, R)\n"
        "gather_and_maybe_dequant_cache reads each of the two, into slices of one tensor if that "
        "is wanted.\n"
        "\n"
        "Any L and R, 0 included. Tokens with a negative slot are skipped. The number of tokens is "
        "the length\n"
        "of slot_mapping; kv_c and k_pe may have more rows (graph padding), which are not read. "
        "CUDA kernels\n"
        "may read the rows of skipped tokens. Zero tokens are a successful no-op. Two tokens with "
        "one slot\n"
        "race.\n"
        "\n"
        "Three cache dtypes are row formats of their own, with L = 512, R = 64 and no kpe_cache. "
        "They make their scales\n"
        "from the elements; `scale` is not read, and skip_scale is without effect. amax is the "
        "largest\n"
        "magnitude of a group; NaNs do not count for it. All divisions are IEEE f32, so the CPU "
        "and CUDA give\n"
        "the same bits.\n"
        "\n"
        "fp8_ds_mla, 656 bytes, from f16 or bf16:\n"
        "  bytes 0 to 511    E4M3 codes of kv_c, element / scale of its tile of 128\n"
        "  bytes 512 to 527  the 4 tile scales, f32, little-endian: max(amax / 448, 1e-4), "
        "rounded\n"
        "                    up to a power of two, so that readers may narrow them to bf16, or to "
        "an\n"
        "                    exponent\n"
        "  bytes 528 to 655  k_pe as it is, 16 bits an element; zeros for a k_pe of [num_rows, 0]\n"
        "fp8_ds_mla_f32: the same layout with max(amax / 448, 2^-126) for scales, as vLLM had it "
        "before.\n"
        "The power of two is found by the bits of the quotient. (log2 and exp2 in f32, as upstream "
        "has it,\n"
        "give the lower power for quotients a few ulp above one.)\n"
        "nvfp4_ds_mla, 352 bytes, from f32, f16 or bf16:\n"
        "  bytes 0 to 255    E2M1 codes of kv_c, the even element in the low half: element *\n"
        "                    (1 / scale), an IEEE division where upstream has the hardware's "
        "estimate;\n"
        "                    to nearest even, saturated at 6, NaN as 6\n"
        "  bytes 256 to 319  E4M3 codes of k_pe, without a scale\n"
        "  bytes 320 to 351  the scales of groups of 16, E4M3: a = max(amax / 6, 2^-9), to nearest "
        "even,\n"
        "                    one code up if that is below a; at most 448. Group g is byte\n"
        "                    8 (g mod 4) + g div 4.\n"
        "\n"
        "Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything "
        "is\n"
        "written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).\n"
        "Source of the rule: vLLM's op of the same name, with its 32-bit strides, its amax over "
        "the raw bits\n"
        "of f16, and its alignment, empty-input and bounds defects corrected.\n"
        "Elsewhere: vLLM concat_and_cache_mla; mistral.rs concat_and_cache_mla; FlashInfer "
        "append_paged_mla_kv_cache.",
    .arguments = arguments,
    .num_arguments = 10,
    .variants = variants,
    .num_variants = 32,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 24,
    .exclusions = exclusions,
    .num_exclusions = 8,
    .call = call,
    .tuned = {[KVF_CPU] = &cpu_tuned, [KVF_CUDA] = &cuda_tuned},
};
