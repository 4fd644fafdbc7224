/*
 * Generated from templates/table/op.c.j2 and generator/spec/reshape_and_cache.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/reshape_and_cache.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__f32__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__f16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__bf16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache__bf16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__f32__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__f16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache__bf16__int8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_reshape_and_cache__f32__f32),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_reshape_and_cache__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_reshape_and_cache__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F32, KVF_INT8),
                kvf_cpu_reshape_and_cache__f32__int8),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_reshape_and_cache__f16__f16),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_reshape_and_cache__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_reshape_and_cache__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F16, KVF_INT8),
                kvf_cpu_reshape_and_cache__f16__int8),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_reshape_and_cache__bf16__bf16),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_reshape_and_cache__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_reshape_and_cache__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_BF16, KVF_INT8),
                kvf_cpu_reshape_and_cache__bf16__int8),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_reshape_and_cache__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_reshape_and_cache__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_reshape_and_cache__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F32, KVF_INT8),
                 kvf_cuda_reshape_and_cache__f32__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_reshape_and_cache__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_reshape_and_cache__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_reshape_and_cache__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_F16, KVF_INT8),
                 kvf_cuda_reshape_and_cache__f16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_reshape_and_cache__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_reshape_and_cache__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_reshape_and_cache__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache, KVF_AXES(KVF_BF16, KVF_INT8),
                 kvf_cuda_reshape_and_cache__bf16__int8, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 6. */
static const int16_t scalar_offsets[] = {0, 6, 12};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_F32 -> position * 1. */
static const int16_t cache_offsets[] = {0, 1, 2, 3, 4, -1, 5};
static const int64_t cache_values[] = {KVF_F32,      KVF_F16,      KVF_BF16,
                                       KVF_FP8_E4M3, KVF_FP8_E5M2, KVF_INT8};

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
     .span = 7,
     .offsets = cache_offsets,
     .below = -1,
     .above = -1,
     .name = "cache",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the cache dtype",
     .values = cache_values,
     .num_values = 6},
};

/* [backend][scalar][cache] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0,  -1, -1, 1,  2,  3,  /* cpu f32 */
    -1, 4,  -1, 5,  6,  7,  /* cpu f16 */
    -1, -1, 8,  9,  10, 11, /* cpu bf16 */
    12, -1, -1, 13, 14, 15, /* cuda f32 */
    -1, 16, -1, 17, 18, 19, /* cuda f16 */
    -1, -1, 20, 21, 22, 23, /* cuda bf16 */
};

static const kvf_exclusion exclusions[] = {
    {{KVF_AXES(KVF_F32, KVF_F16)}, "a cache next to f32 tensors holds f32 itself or fp8 or int8"},
    {{KVF_AXES(KVF_F32, KVF_BF16)}, "a cache next to f32 tensors holds f32 itself or fp8 or int8"},
    {{KVF_AXES(KVF_F16, KVF_F32)}, "a cache next to f16 tensors holds f16 itself or fp8 or int8"},
    {{KVF_AXES(KVF_F16, KVF_BF16)}, "a cache next to f16 tensors holds f16 itself or fp8 or int8"},
    {{KVF_AXES(KVF_BF16, KVF_F32)},
     "a cache next to bf16 tensors holds bf16 itself or fp8 or int8"},
    {{KVF_AXES(KVF_BF16, KVF_F16)},
     "a cache next to bf16 tensors holds bf16 itself or fp8 or int8"},
};

static const kvf_argument arguments[] = {
    {.name = "key",
     .type = "Tensor",
     .doc = "[num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "value",
     .type = "Tensor",
     .doc = "[num_rows >= num_tokens, num_heads, value_head_size], as key otherwise",
     .kind = KVF_KIND_TENSOR},
    {.name = "key_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, num_heads, ceil(head_size / x), block_size, x], the cache dtype (uint8 "
            "or float8 for fp8, int8 or uint8 for int8), any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "value_cache",
     .type = "Tensor!",
     .doc =
         "[num_blocks, num_heads, value_head_size, block_size], the dtype of key_cache, any "
         "strides; with interleaved_v [num_blocks, num_heads, block_size / x, value_head_size, x]",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of key), 'fp8', 'fp8_e4m3', 'fp8_e5m2' or 'int8'",
     .kind = KVF_KIND_STRING},
    {.name = "k_scale",
     .type = "Tensor",
     .doc = "f32, one element or [num_heads]; the cache holds key / k_scale; not read when the "
            "cache holds the scalar dtype",
     .kind = KVF_KIND_TENSOR},
    {.name = "v_scale", .type = "Tensor", .doc = "as k_scale, for value", .kind = KVF_KIND_TENSOR},
    {.name = "interleaved_v",
     .type = "bool",
     .doc = "whether values lie in groups of x tokens",
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
  return kvf_reshape_and_cache(exec, values[0].as.tensor, values[1].as.tensor,
                               (DLTensor *)values[2].as.tensor, (DLTensor *)values[3].as.tensor,
                               values[4].as.tensor, values[5].as.string, values[6].as.tensor,
                               values[7].as.tensor, values[8].as.boolean, values[9].as.tensor);
}

/* Measured by `ninja tune`: threads, elements, tokens by arch and tokens of 1,024 elements. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 64, {256, 32, 8}},
    {90, 512, {256, 64, 32}},
    {90, 2048, {128, 64, 32}},
    {90, INT64_MAX, {128, 128, 32}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "elements", "tokens"},
    .defaults = {128, 64, 32},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_reshape_and_cache = {
    .name = "reshape_and_cache",
    .ns = "_C_cache_ops",
    .schema = "reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, "
              "Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale, bool "
              "interleaved_v=False, Tensor? slot_remap=None) -> ()",
    .doc =
        "scatters the keys and values of new tokens into 5-D key pages and 4-D value pages.\n"
        "\n"
        "With s = slot_mapping[t], block = s div block_size, offset = s mod block_size:\n"
        "  key_cache[block, h, d div x, offset, d mod x] = Q(key[t, h, d],   k_scale)\n"
        "  value_cache[block, h, d, offset]              = Q(value[t, h, d], v_scale)\n"
        "Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by "
        "the scale\n"
        "in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens "
        "with a\n"
        "negative slot are skipped. The number of tokens is the length of slot_mapping; key and "
        "value may\n"
        "have more rows (graph padding), which are not read. Zero tokens are a successful no-op. "
        "Two\n"
        "tokens with one slot race.\n"
        "\n"
        "The size of a value's head may differ from that of a key's. Any x >= 1. When x does not "
        "divide\n"
        "head_size, dimension 2 of key_cache is head_size / x rounded up, and the surplus elements "
        "of the\n"
        "last group are not written.\n"
        "\n"
        "With interleaved_v values lie in groups of x tokens, which is what ROCm's attention "
        "reads:\n"
        "  value_cache[block, h, offset div x, d, offset mod x] = Q(value[t, h, d], v_scale)\n"
        "It may also be given as [num_blocks, num_heads, value_head_size, block_size] without gaps "
        "within a head,\n"
        "whose memory is then taken for this.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for interleaved_v with a block_size that is no multiple of x;\n"
        "KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is "
        "written; CUDA: that\n"
        "token is skipped and counted, see kvf_cuda_fault_count).\n"
        "Source of the rule: vLLM's op of the same name, with its dropped heads, dropped tail "
        "elements,\n"
        "alignment, stride, empty-input and bounds defects corrected.\n"
        "Elsewhere: vLLM reshape_and_cache; mistral.rs reshape_and_cache.",
    .arguments = arguments,
    .num_arguments = 10,
    .variants = variants,
    .num_variants = 24,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 18,
    .exclusions = exclusions,
    .num_exclusions = 6,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
