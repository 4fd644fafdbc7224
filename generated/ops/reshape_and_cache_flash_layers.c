/*
 * Generated from templates/table/op.c.j2 and generator/spec/reshape_and_cache_flash_layers.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/reshape_and_cache_flash_layers.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__f32__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__f16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__bf16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_layers__bf16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__f32__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__f16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_layers__bf16__int8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_reshape_and_cache_flash_layers__f32__f32),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_reshape_and_cache_flash_layers__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_reshape_and_cache_flash_layers__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F32, KVF_INT8),
                kvf_cpu_reshape_and_cache_flash_layers__f32__int8),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_reshape_and_cache_flash_layers__f16__f16),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_reshape_and_cache_flash_layers__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_reshape_and_cache_flash_layers__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F16, KVF_INT8),
                kvf_cpu_reshape_and_cache_flash_layers__f16__int8),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_reshape_and_cache_flash_layers__bf16__bf16),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_reshape_and_cache_flash_layers__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_reshape_and_cache_flash_layers__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_BF16, KVF_INT8),
                kvf_cpu_reshape_and_cache_flash_layers__bf16__int8),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_reshape_and_cache_flash_layers__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_reshape_and_cache_flash_layers__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_reshape_and_cache_flash_layers__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F32, KVF_INT8),
                 kvf_cuda_reshape_and_cache_flash_layers__f32__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_reshape_and_cache_flash_layers__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_reshape_and_cache_flash_layers__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_reshape_and_cache_flash_layers__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_F16, KVF_INT8),
                 kvf_cuda_reshape_and_cache_flash_layers__f16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_reshape_and_cache_flash_layers__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_reshape_and_cache_flash_layers__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_reshape_and_cache_flash_layers__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_layers, KVF_AXES(KVF_BF16, KVF_INT8),
                 kvf_cuda_reshape_and_cache_flash_layers__bf16__int8, 16, 4, 1),
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
    {.name = "keys",
     .type = "Tensor",
     .doc = "[num_layers, num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any "
            "strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "values",
     .type = "Tensor",
     .doc = "[num_layers, num_rows >= num_tokens, num_heads, value_head_size], as keys otherwise",
     .kind = KVF_KIND_TENSOR},
    {.name = "key_caches",
     .type = "Tensor(a!)[]",
     .doc =
         "num_layers tensors of [num_blocks, block_size, num_heads, head_size], the cache dtype "
         "(uint8 or float8 for fp8, int8 or uint8 for int8), any strides, the same for all layers",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "value_caches",
     .type = "Tensor(b!)[]",
     .doc = "num_layers tensors of [num_blocks, block_size, num_heads, value_head_size], as "
            "key_caches, with strides of their own",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of keys), 'fp8', 'fp8_e4m3', 'fp8_e5m2' or 'int8'",
     .kind = KVF_KIND_STRING},
    {.name = "k_scales",
     .type = "Tensor",
     .doc = "f32, one element, [num_layers] or [num_layers, num_heads]; the cache holds key / "
            "scale; not read when the cache holds the scalar dtype",
     .kind = KVF_KIND_TENSOR},
    {.name = "v_scales",
     .type = "Tensor",
     .doc = "as k_scales, for values",
     .kind = KVF_KIND_TENSOR},
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
  return kvf_reshape_and_cache_flash_layers(
      exec, values[0].as.tensor, values[1].as.tensor, values[2].as.tensors.data,
      values[2].as.tensors.size, values[3].as.tensors.data, values[3].as.tensors.size,
      values[4].as.tensor, values[5].as.string, values[6].as.tensor, values[7].as.tensor,
      values[8].as.tensor);
}

/* Measured by `ninja tune`: threads by arch and num_tokens. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 16, {64}},
    {90, 256, {256}},
    {90, 4096, {256}},
    {90, INT64_MAX, {64}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 1,
    .names = {"threads"},
    .defaults = {256},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_reshape_and_cache_flash_layers = {
    .name = "reshape_and_cache_flash_layers",
    .ns = "_C_cache_ops",
    .schema = "reshape_and_cache_flash_layers(Tensor keys, Tensor values, Tensor(a!)[] key_caches, "
              "Tensor(b!)[] value_caches, Tensor slot_mapping, str kv_cache_dtype, Tensor "
              "k_scales, Tensor v_scales, Tensor? slot_remap=None) -> ()",
    .doc = "scatters the keys and values of all layers into their paged caches, in one launch.\n"
           "\n"
           "With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, for "
           "every layer l:\n"
           "  key_caches[l][block, offset, h, d]   = Q(keys[l, t, h, d],   k_scales[l, h])\n"
           "  value_caches[l][block, offset, h, d] = Q(values[l, t, h, d], v_scales[l, h])\n"
           "which is what reshape_and_cache_flash does for each layer by itself, with the same Q, "
           "the same\n"
           "layouts told by strides and the same bits; the size of a value's head may differ from "
           "that of a\n"
           "key's. All layers share slot_mapping, and the caches of all layers have the same sizes "
           "and strides,\n"
           "those of keys and of values each for themselves. Tokens\n"
           "with a negative slot are skipped. The number of tokens is the length of slot_mapping; "
           "keys and\n"
           "values may have more rows (graph padding), which are not read. Zero tokens and zero "
           "layers are a\n"
           "successful no-op. Two tokens with one slot race.\n"
           "\n"
           "CUDA: the addresses of the caches travel in the launch parameters, so nothing is "
           "allocated and the\n"
           "call can be captured in a graph; a launch has up to 128 layers, and a call with more "
           "is several\n"
           "launches. It pays where a launch costs more than its work, when speculative or draft "
           "layers are\n"
           "written together, and when a prefill of all layers moves in from elsewhere.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before "
           "anything is\n"
           "written; CUDA: that token is skipped in all layers and counted once, see "
           "kvf_cuda_fault_count).\n"
           "KVF_CUDA_ERROR when a launch fails; those before it stay on the stream, and the "
           "sentence says so\n"
           "(\"enqueued: 128 of 300 layers\").\n"
           "Source of the rule: vLLM's reshape_and_cache_flash and the grouped form of its MLA "
           "writer.",
    .arguments = arguments,
    .num_arguments = 9,
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
