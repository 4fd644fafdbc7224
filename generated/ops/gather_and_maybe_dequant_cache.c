/*
 * Generated from templates/table/op.c.j2 and generator/spec/gather_and_maybe_dequant_cache.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/gather_and_maybe_dequant_cache.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_and_maybe_dequant_cache__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_and_maybe_dequant_cache__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_and_maybe_dequant_cache__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_and_maybe_dequant_cache__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_and_maybe_dequant_cache__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_and_maybe_dequant_cache__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_and_maybe_dequant_cache__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_and_maybe_dequant_cache__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_and_maybe_dequant_cache__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_and_maybe_dequant_cache__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_and_maybe_dequant_cache__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_and_maybe_dequant_cache__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_and_maybe_dequant_cache__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_and_maybe_dequant_cache__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_and_maybe_dequant_cache__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_and_maybe_dequant_cache__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_and_maybe_dequant_cache__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_and_maybe_dequant_cache__bf16__fp8_e5m2);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_gather_and_maybe_dequant_cache__f32__f32),
    KVF_CPU_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_gather_and_maybe_dequant_cache__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_gather_and_maybe_dequant_cache__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_gather_and_maybe_dequant_cache__f16__f16),
    KVF_CPU_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_gather_and_maybe_dequant_cache__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_gather_and_maybe_dequant_cache__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_gather_and_maybe_dequant_cache__bf16__bf16),
    KVF_CPU_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_gather_and_maybe_dequant_cache__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_gather_and_maybe_dequant_cache__bf16__fp8_e5m2),
    KVF_CUDA_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_gather_and_maybe_dequant_cache__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_gather_and_maybe_dequant_cache__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_gather_and_maybe_dequant_cache__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_gather_and_maybe_dequant_cache__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_gather_and_maybe_dequant_cache__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_gather_and_maybe_dequant_cache__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_gather_and_maybe_dequant_cache__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_gather_and_maybe_dequant_cache__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_and_maybe_dequant_cache, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_gather_and_maybe_dequant_cache__bf16__fp8_e5m2, 16, 4, 1),
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
    {.name = "src_cache",
     .type = "Tensor",
     .doc = "[num_blocks, block_size, entry_size], the cache dtype (uint8 or float8 for fp8); "
            "stride of dimension 2 is 1",
     .kind = KVF_KIND_TENSOR},
    {.name = "dst",
     .type = "Tensor!",
     .doc = "[>= num_tokens, entry_size], f32, f16 or bf16; stride of dimension 1 is 1",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "block_table",
     .type = "Tensor",
     .doc = "[>= num_sequences, width], int32 or int64, stride of dimension 1 is 1: the page of "
            "each part of a sequence",
     .kind = KVF_KIND_TENSOR},
    {.name = "cu_seq_lens",
     .type = "Tensor",
     .doc = "[num_sequences + 1], int32, contiguous, ascending: first row of each sequence",
     .kind = KVF_KIND_TENSOR},
    {.name = "token_to_seq",
     .type = "Tensor",
     .doc = "[>= num_tokens], int32, contiguous: sequence of each row",
     .kind = KVF_KIND_TENSOR},
    {.name = "num_tokens",
     .type = "int",
     .doc = "rows to write, less than 2^31",
     .kind = KVF_KIND_INT},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of dst), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'",
     .kind = KVF_KIND_STRING},
    {.name = "scale",
     .type = "Tensor",
     .doc = "f32, one element; not read when the cache holds the dtype of dst",
     .kind = KVF_KIND_TENSOR},
    {.name = "seq_starts",
     .type = "Tensor?",
     .doc = "[>= num_sequences], int32, contiguous: position of a sequence's first row, in tokens, "
            "any number of them; None for 0",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_gather_and_maybe_dequant_cache(
      exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor, values[2].as.tensor,
      values[3].as.tensor, values[4].as.tensor, values[5].as.integer, values[6].as.string,
      values[7].as.tensor, values[8].as.tensor);
}

/* Measured by `ninja tune`: threads, vectors, blocks by arch and num_rows. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 256, {256, 4, 512}},
    {90, 4096, {256, 4, 512}},
    {90, 65536, {256, 8, 128}},
    {90, INT64_MAX, {256, 4, 512}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "vectors", "blocks"},
    .defaults = {256, 4, 512},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_gather_and_maybe_dequant_cache = {
    .name = "gather_and_maybe_dequant_cache",
    .ns = "_C_cache_ops",
    .schema = "gather_and_maybe_dequant_cache(Tensor src_cache, Tensor! dst, Tensor block_table, "
              "Tensor cu_seq_lens, Tensor token_to_seq, int num_tokens, str kv_cache_dtype, Tensor "
              "scale, Tensor? seq_starts=None) -> ()",
    .doc =
        "gathers the rows of sequences from pages and turns fp8 codes back into floats.\n"
        "\n"
        "For row j < num_tokens of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with\n"
        "p = j - cu_seq_lens[b] + seq_starts[b]:\n"
        "  dst[j, :] = DQ(src_cache[block_table[b, p div block_size], p mod block_size, :], "
        "scale)\n"
        "DQ copies the bits when the cache holds the dtype of dst; fp8 is multiplied by the scale "
        "in f32 and\n"
        "rounded to nearest even once, overflows to infinity, and has one NaN per dtype: "
        "0x7FFFFFFF, 0x7FFF.\n"
        "Rows that no sequence has, in front of cu_seq_lens[0] or from the last element of "
        "cu_seq_lens on, are\n"
        "left as they are. Zero tokens are a successful no-op. Any entry_size and any alignment.\n"
        "\n"
        "token_to_seq saves the search for a row's sequence and is no more than a hint: where it "
        "does not name\n"
        "the sequence that cu_seq_lens gives, the search is done.\n"
        "\n"
        "Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: "
        "before anything\n"
        "is written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).\n"
        "Source of the rule: vLLM's op of the same name, with its limits on the entry size, its "
        "alignment, its\n"
        "bounds and its empty-input defects corrected.\n"
        "Elsewhere: vLLM gather_and_maybe_dequant_cache; mistral.rs gather_mla_cache.",
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
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
