/*
 * Generated from templates/table/op.c.j2 and generator/spec/concat_and_cache_mla_grouped.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/concat_and_cache_mla_grouped.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_grouped__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_grouped__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_grouped__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_grouped__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_grouped__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_grouped__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_grouped__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_grouped__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_and_cache_mla_grouped__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_grouped__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_grouped__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_grouped__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_grouped__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_grouped__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_grouped__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_grouped__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_grouped__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_and_cache_mla_grouped__bf16__fp8_e5m2);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_concat_and_cache_mla_grouped__f32__f32),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_concat_and_cache_mla_grouped__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_concat_and_cache_mla_grouped__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_concat_and_cache_mla_grouped__f16__f16),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_concat_and_cache_mla_grouped__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_concat_and_cache_mla_grouped__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_concat_and_cache_mla_grouped__bf16__bf16),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_concat_and_cache_mla_grouped__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_concat_and_cache_mla_grouped__bf16__fp8_e5m2),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_concat_and_cache_mla_grouped__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_concat_and_cache_mla_grouped__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_concat_and_cache_mla_grouped__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_concat_and_cache_mla_grouped__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_concat_and_cache_mla_grouped__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_concat_and_cache_mla_grouped__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_concat_and_cache_mla_grouped__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_concat_and_cache_mla_grouped__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_concat_and_cache_mla_grouped, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_concat_and_cache_mla_grouped__bf16__fp8_e5m2, 16, 4, 1),
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
    {.name = "kv_c",
     .type = "Tensor",
     .doc = "[num_layers, num_rows >= num_tokens, kv_lora_rank], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "k_pe",
     .type = "Tensor",
     .doc = "[num_layers, num_rows >= num_tokens, rope_dim], the dtype of kv_c, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache_ptrs",
     .type = "Tensor",
     .doc = "[num_layers], int64, any stride: address of each layer's cache, in the memory that "
            "the other tensors are in",
     .kind = KVF_KIND_TENSOR},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_layers, num_tokens], int64 or int32, any strides (0 for one row that all layers "
            "share); a negative slot skips its token",
     .kind = KVF_KIND_TENSOR},
    {.name = "block_size", .type = "int", .doc = "tokens in a page", .kind = KVF_KIND_INT},
    {.name = "block_stride",
     .type = "int",
     .doc = "distance of two pages, in cache elements; at least kv_lora_rank + rope_dim",
     .kind = KVF_KIND_INT},
    {.name = "entry_stride",
     .type = "int",
     .doc = "distance of two tokens, likewise",
     .kind = KVF_KIND_INT},
    {.name = "kv_scales",
     .type = "Tensor?",
     .doc = "[num_layers], f32, any stride; layer n holds element / kv_scales[n]; required for fp8 "
            "and absent otherwise",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of kv_c), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'",
     .kind = KVF_KIND_STRING,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_STRING, .as = {.string = "auto"}}},
    {.name = "num_blocks",
     .type = "int",
     .doc = "pages in each cache; -1 when slots need no check",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = -1}}},
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
  return kvf_concat_and_cache_mla_grouped(
      exec, values[0].as.tensor, values[1].as.tensor, values[2].as.tensor, values[3].as.tensor,
      values[4].as.integer, values[5].as.integer, values[6].as.integer, values[7].as.tensor,
      values[8].as.string, values[9].as.integer, values[10].as.tensor);
}

static const kvf_tuned cpu_tuned = {
    .num_constants = 1,
    .names = {"rows_ahead"},
    .defaults = {4},
};

/* Measured by `ninja tune`: threads by arch and num_tokens. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 16, {256}},
    {90, 256, {32}},
    {90, 4096, {64}},
    {90, INT64_MAX, {128}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 1,
    .names = {"threads"},
    .defaults = {256},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_concat_and_cache_mla_grouped = {
    .name = "concat_and_cache_mla_grouped",
    .ns = "_C_cache_ops",
    .schema =
        "concat_and_cache_mla_grouped(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, Tensor "
        "slot_mapping, int block_size, int block_stride, int entry_stride, Tensor? kv_scales=None, "
        "str kv_cache_dtype='auto', int num_blocks=-1, Tensor? slot_remap=None) -> ()",
    .doc = "writes the latent and the rope part of new tokens to the MLA pages of several layers.\n"
           "\n"
           "With L = kv_lora_rank, R = rope_dim, s = slot_mapping[n, t], row the address "
           "kv_cache_ptrs[n] plus\n"
           "(s div block_size) * block_stride + (s mod block_size) * entry_stride cache elements:\n"
           "  row[i]     = Q(kv_c[n, t, i], kv_scales[n])  for i in [0, L)\n"
           "  row[L + j] = Q(k_pe[n, t, j], kv_scales[n])  for j in [0, R)\n"
           "Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the "
           "scale in f32,\n"
           "rounds to nearest even and saturates. All layers share block_size and strides, and are "
           "written in\n"
           "one launch. Any L and R, 0 included. Tokens with a negative slot are skipped. The "
           "number of tokens\n"
           "is that of slot_mapping; kv_c and k_pe may have more rows, which are not read. CUDA "
           "kernels may read\n"
           "the rows of skipped tokens. Zero layers or tokens are a successful no-op. Two tokens "
           "of a layer with\n"
           "one slot race.\n"
           "\n"
           "The caches are known by address alone, so only the caller can say how many pages they "
           "have: with\n"
           "num_blocks, slots are checked as in concat_and_cache_mla; with -1 they are trusted.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before "
           "anything is\n"
           "written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count). An "
           "address that is 0 or\n"
           "no multiple of the element size is refused on the CPU; on CUDA each token of that "
           "layer is skipped and\n"
           "counted, unless its slot is negative.\n"
           "Source of the rule: vLLM's op of the same name, with every scalar dtype and num_blocks "
           "added.\n"
           "Elsewhere: vLLM concat_and_cache_mla_grouped.",
    .arguments = arguments,
    .num_arguments = 11,
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
