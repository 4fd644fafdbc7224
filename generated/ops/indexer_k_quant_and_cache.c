/*
 * Generated from templates/table/op.c.j2 and generator/spec/indexer_k_quant_and_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/indexer_k_quant_and_cache.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_indexer_k_quant_and_cache__f32__fp8_indexer);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_indexer_k_quant_and_cache__f32__fp8_indexer_ue8m0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_indexer_k_quant_and_cache__f32__fp8_indexer_mxfp8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_indexer_k_quant_and_cache__f16__fp8_indexer);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_indexer_k_quant_and_cache__f16__fp8_indexer_ue8m0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_indexer_k_quant_and_cache__f16__fp8_indexer_mxfp8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_indexer_k_quant_and_cache__bf16__fp8_indexer);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_indexer_k_quant_and_cache__bf16__fp8_indexer_ue8m0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_indexer_k_quant_and_cache__bf16__fp8_indexer_mxfp8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_indexer_k_quant_and_cache__f32__fp8_indexer);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_indexer_k_quant_and_cache__f32__fp8_indexer_ue8m0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_indexer_k_quant_and_cache__f32__fp8_indexer_mxfp8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_indexer_k_quant_and_cache__f16__fp8_indexer);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_indexer_k_quant_and_cache__f16__fp8_indexer_ue8m0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_indexer_k_quant_and_cache__f16__fp8_indexer_mxfp8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_indexer_k_quant_and_cache__bf16__fp8_indexer);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_indexer_k_quant_and_cache__bf16__fp8_indexer_ue8m0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_indexer_k_quant_and_cache__bf16__fp8_indexer_mxfp8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F32, KVF_FP8_INDEXER),
                kvf_cpu_indexer_k_quant_and_cache__f32__fp8_indexer),
    KVF_CPU_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F32, KVF_FP8_INDEXER_UE8M0),
                kvf_cpu_indexer_k_quant_and_cache__f32__fp8_indexer_ue8m0),
    KVF_CPU_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F32, KVF_FP8_INDEXER_MXFP8),
                kvf_cpu_indexer_k_quant_and_cache__f32__fp8_indexer_mxfp8),
    KVF_CPU_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F16, KVF_FP8_INDEXER),
                kvf_cpu_indexer_k_quant_and_cache__f16__fp8_indexer),
    KVF_CPU_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F16, KVF_FP8_INDEXER_UE8M0),
                kvf_cpu_indexer_k_quant_and_cache__f16__fp8_indexer_ue8m0),
    KVF_CPU_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F16, KVF_FP8_INDEXER_MXFP8),
                kvf_cpu_indexer_k_quant_and_cache__f16__fp8_indexer_mxfp8),
    KVF_CPU_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_INDEXER),
                kvf_cpu_indexer_k_quant_and_cache__bf16__fp8_indexer),
    KVF_CPU_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_INDEXER_UE8M0),
                kvf_cpu_indexer_k_quant_and_cache__bf16__fp8_indexer_ue8m0),
    KVF_CPU_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_INDEXER_MXFP8),
                kvf_cpu_indexer_k_quant_and_cache__bf16__fp8_indexer_mxfp8),
    KVF_CUDA_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F32, KVF_FP8_INDEXER),
                 kvf_cuda_indexer_k_quant_and_cache__f32__fp8_indexer, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F32, KVF_FP8_INDEXER_UE8M0),
                 kvf_cuda_indexer_k_quant_and_cache__f32__fp8_indexer_ue8m0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F32, KVF_FP8_INDEXER_MXFP8),
                 kvf_cuda_indexer_k_quant_and_cache__f32__fp8_indexer_mxfp8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F16, KVF_FP8_INDEXER),
                 kvf_cuda_indexer_k_quant_and_cache__f16__fp8_indexer, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F16, KVF_FP8_INDEXER_UE8M0),
                 kvf_cuda_indexer_k_quant_and_cache__f16__fp8_indexer_ue8m0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_F16, KVF_FP8_INDEXER_MXFP8),
                 kvf_cuda_indexer_k_quant_and_cache__f16__fp8_indexer_mxfp8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_INDEXER),
                 kvf_cuda_indexer_k_quant_and_cache__bf16__fp8_indexer, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_INDEXER_UE8M0),
                 kvf_cuda_indexer_k_quant_and_cache__bf16__fp8_indexer_ue8m0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_indexer_k_quant_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_INDEXER_MXFP8),
                 kvf_cuda_indexer_k_quant_and_cache__bf16__fp8_indexer_mxfp8, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 3. */
static const int16_t scalar_offsets[] = {0, 3, 6};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_FP8_INDEXER -> position * 1. */
static const int16_t cache_offsets[] = {0, 1, -1, -1, -1, 2};
static const int64_t cache_values[] = {KVF_FP8_INDEXER, KVF_FP8_INDEXER_UE8M0,
                                       KVF_FP8_INDEXER_MXFP8};

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
    {.first = KVF_FP8_INDEXER,
     .span = 6,
     .offsets = cache_offsets,
     .below = -1,
     .above = -1,
     .name = "cache",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the cache dtype",
     .values = cache_values,
     .num_values = 3},
};

/* [backend][scalar][cache] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0,  1,  2,  /* cpu f32 */
    3,  4,  5,  /* cpu f16 */
    6,  7,  8,  /* cpu bf16 */
    9,  10, 11, /* cuda f32 */
    12, 13, 14, /* cuda f16 */
    15, 16, 17, /* cuda bf16 */
};

static const kvf_argument arguments[] = {
    {.name = "k",
     .type = "Tensor",
     .doc = "[num_rows >= num_tokens, head_dim], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, head_dim + 4 * head_dim / quant_block_size], uint8 or "
            "float8_e4m3fn; any page stride, the bytes of a page dense",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
     .kind = KVF_KIND_TENSOR},
    {.name = "quant_block_size",
     .type = "int",
     .doc = "elements of a group, a power of two that divides head_dim",
     .kind = KVF_KIND_INT},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "the format of the scales: 'fp8_indexer', which 'auto', 'fp8' and 'fp8_e4m3' name too, "
            "for plain ones; 'ue8m0' (or 'fp8_indexer_ue8m0') for powers of two; 'mxfp8' (or "
            "'fp8_indexer_mxfp8') for their exponents",
     .kind = KVF_KIND_STRING},
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
  return kvf_indexer_k_quant_and_cache(exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor,
                                       values[2].as.tensor, values[3].as.integer,
                                       values[4].as.string, values[5].as.tensor);
}

static const kvf_tuned cpu_tuned = {
    .num_constants = 1,
    .names = {"rows_ahead"},
    .defaults = {4},
};

/* Measured by `ninja tune`: threads, wide_from by arch and num_tokens. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 16, {128, 131072}},
    {90, 256, {128, 131072}},
    {90, 4096, {128, 131072}},
    {90, INT64_MAX, {64, 1}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 2,
    .names = {"threads", "wide_from"},
    .defaults = {256, 16384},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_indexer_k_quant_and_cache = {
    .name = "indexer_k_quant_and_cache",
    .ns = "_C_cache_ops",
    .schema = "indexer_k_quant_and_cache(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int "
              "quant_block_size, str kv_cache_dtype, Tensor? slot_remap=None) -> ()",
    .doc = "quantises the indexer keys of new tokens in groups and scatters them into pages.\n"
           "\n"
           "With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, D = "
           "head_dim,\n"
           "g = quant_block_size, and P the bytes of page `block`, all codes first and all scales "
           "behind them:\n"
           "  P[offset * D + d]                                        = Q(k[t, d], scale of group "
           "d div g)\n"
           "  P[block_size * D + 4 * (offset * (D / g) + j)], 4 bytes  = scale of group j, f32\n"
           "  scale = max(largest magnitude of the group, 1e-4) / 448\n"
           "With kv_cache_dtype \"ue8m0\" the scale is rounded up to a power of two; it is stored "
           "as f32 all\n"
           "the same. With \"mxfp8\" it is rounded so, too, and each of the 4 bytes holds its "
           "biased exponent (E8M0:\n"
           "2^(byte - 127) is the value; 255 is that of an infinite scale, and reads as NaN). Q "
           "divides by the\n"
           "scale in f32, rounds to nearest even and saturates to E4M3. NaNs do not count for the "
           "scale and get\n"
           "the code 0x7F; a group with an infinity has an infinite scale.\n"
           "Tokens with a negative slot are skipped. The number of tokens is the length of "
           "slot_mapping; k may\n"
           "have more rows (graph padding), which are not read. Zero tokens are a successful "
           "no-op. Two\n"
           "tokens with one slot race.\n"
           "\n"
           "Any head_dim, and any power of two that divides it as the group size (usual: 32, 64, "
           "128).\n"
           "\n"
           "Errors: KVF_INVALID_VALUE for a group size that is not a power of two or does not "
           "divide head_dim,\n"
           "for a kv_cache_dtype that is not one of those named, or for a page whose bytes are not "
           "neighbours;\n"
           "KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is "
           "written; CUDA:\n"
           "that token is skipped and counted, see kvf_cuda_fault_count).\n"
           "Source of the rule: vLLM's op of the same name, with its group size of 128 whatever "
           "the argument\n"
           "says, its wrong f16 and f32 results, its ignored strides, and its plain scales for a "
           "string that it\n"
           "does not know corrected. The power of two is found exactly, from the exponent bits. "
           "vLLM takes f32\n"
           "log2 and exp2, and so keeps the power below where a quotient is a few units in the "
           "last place above\n"
           "it; the largest element then saturates.\n"
           "Elsewhere: vLLM indexer_k_quant_and_cache.",
    .arguments = arguments,
    .num_arguments = 6,
    .variants = variants,
    .num_variants = 18,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 9,
    .call = call,
    .tuned = {[KVF_CPU] = &cpu_tuned, [KVF_CUDA] = &cuda_tuned},
};
