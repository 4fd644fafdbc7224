/*
 * Generated from templates/table/op.c.j2 and generator/spec/convert_fp8.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/convert_fp8.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__f32__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__f32__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__f16__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__f16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__bf16__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__bf16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__bf16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__fp8_e4m3__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__fp8_e4m3__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__fp8_e4m3__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__fp8_e5m2__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__fp8_e5m2__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_convert_fp8__fp8_e5m2__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__f32__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__f32__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__f16__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__f16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__bf16__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__bf16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__fp8_e4m3__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__fp8_e4m3__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__fp8_e4m3__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__fp8_e5m2__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__fp8_e5m2__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_convert_fp8__fp8_e5m2__bf16);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F32, KVF_F16), kvf_cpu_convert_fp8__f32__f16),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F32, KVF_BF16), kvf_cpu_convert_fp8__f32__bf16),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_convert_fp8__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_convert_fp8__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F16, KVF_F32), kvf_cpu_convert_fp8__f16__f32),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F16, KVF_BF16), kvf_cpu_convert_fp8__f16__bf16),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_convert_fp8__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_convert_fp8__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_BF16, KVF_F32), kvf_cpu_convert_fp8__bf16__f32),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_BF16, KVF_F16), kvf_cpu_convert_fp8__bf16__f16),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_convert_fp8__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_convert_fp8__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E4M3, KVF_F32),
                kvf_cpu_convert_fp8__fp8_e4m3__f32),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E4M3, KVF_F16),
                kvf_cpu_convert_fp8__fp8_e4m3__f16),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E4M3, KVF_BF16),
                kvf_cpu_convert_fp8__fp8_e4m3__bf16),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E5M2, KVF_F32),
                kvf_cpu_convert_fp8__fp8_e5m2__f32),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E5M2, KVF_F16),
                kvf_cpu_convert_fp8__fp8_e5m2__f16),
    KVF_CPU_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E5M2, KVF_BF16),
                kvf_cpu_convert_fp8__fp8_e5m2__bf16),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F32, KVF_F16), kvf_cuda_convert_fp8__f32__f16, 8,
                 2, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F32, KVF_BF16), kvf_cuda_convert_fp8__f32__bf16,
                 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_convert_fp8__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_convert_fp8__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F16, KVF_F32), kvf_cuda_convert_fp8__f16__f32, 4,
                 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F16, KVF_BF16), kvf_cuda_convert_fp8__f16__bf16,
                 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_convert_fp8__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_convert_fp8__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_BF16, KVF_F32), kvf_cuda_convert_fp8__bf16__f32,
                 4, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_BF16, KVF_F16), kvf_cuda_convert_fp8__bf16__f16,
                 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_convert_fp8__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_convert_fp8__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E4M3, KVF_F32),
                 kvf_cuda_convert_fp8__fp8_e4m3__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E4M3, KVF_F16),
                 kvf_cuda_convert_fp8__fp8_e4m3__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E4M3, KVF_BF16),
                 kvf_cuda_convert_fp8__fp8_e4m3__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E5M2, KVF_F32),
                 kvf_cuda_convert_fp8__fp8_e5m2__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E5M2, KVF_F16),
                 kvf_cuda_convert_fp8__fp8_e5m2__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_convert_fp8, KVF_AXES(KVF_FP8_E5M2, KVF_BF16),
                 kvf_cuda_convert_fp8__fp8_e5m2__bf16, 8, 2, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 5. */
static const int16_t scalar_offsets[] = {0, 5, 10, 15, 20};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16, KVF_FP8_E4M3, KVF_FP8_E5M2};

/* the cache dtype: value - KVF_F32 -> position * 1. */
static const int16_t cache_offsets[] = {0, 1, 2, 3, 4};
static const int64_t cache_values[] = {KVF_F32, KVF_F16, KVF_BF16, KVF_FP8_E4M3, KVF_FP8_E5M2};

static const kvf_axis axes[] = {
    {.first = KVF_F32,
     .span = 5,
     .offsets = scalar_offsets,
     .below = -1,
     .above = -1,
     .name = "scalar",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the scalar dtype",
     .values = scalar_values,
     .num_values = 5},
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
    -1, 0,  1,  2,  3,  /* cpu f32 */
    4,  -1, 5,  6,  7,  /* cpu f16 */
    8,  9,  -1, 10, 11, /* cpu bf16 */
    12, 13, 14, -1, -1, /* cpu fp8_e4m3 */
    15, 16, 17, -1, -1, /* cpu fp8_e5m2 */
    -1, 18, 19, 20, 21, /* cuda f32 */
    22, -1, 23, 24, 25, /* cuda f16 */
    26, 27, -1, 28, 29, /* cuda bf16 */
    30, 31, 32, -1, -1, /* cuda fp8_e4m3 */
    33, 34, 35, -1, -1, /* cuda fp8_e5m2 */
};

static const kvf_exclusion exclusions[] = {
    {{KVF_AXES(KVF_F32, KVF_F32)}, "both sides are of one dtype: there is nothing to convert"},
    {{KVF_AXES(KVF_F16, KVF_F16)}, "both sides are of one dtype: there is nothing to convert"},
    {{KVF_AXES(KVF_BF16, KVF_BF16)}, "both sides are of one dtype: there is nothing to convert"},
    {{KVF_AXES(KVF_FP8_E4M3, KVF_FP8_E4M3)},
     "both sides are of one dtype: there is nothing to convert"},
    {{KVF_AXES(KVF_FP8_E4M3, KVF_FP8_E5M2)},
     "one side must hold floats: codes become codes of another format through them"},
    {{KVF_AXES(KVF_FP8_E5M2, KVF_FP8_E4M3)},
     "one side must hold floats: codes become codes of another format through them"},
    {{KVF_AXES(KVF_FP8_E5M2, KVF_FP8_E5M2)},
     "both sides are of one dtype: there is nothing to convert"},
};

static const kvf_argument arguments[] = {
    {.name = "dst_cache",
     .type = "Tensor!",
     .doc =
         "as many elements as src_cache; f32, f16, bf16, or codes as uint8 or float8; any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "src_cache",
     .type = "Tensor",
     .doc = "any shape; f32, f16, bf16, or codes as uint8 or float8; any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "scale",
     .type = "float",
     .doc = "what codes are multiplied with to become values; positive, finite and normal as f32 "
            "(2^-126 to 3.4e38)",
     .kind = KVF_KIND_FLOAT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_FLOAT, .as = {.number = 1.0}}},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'fp8', 'fp8_e4m3' or 'fp8_e5m2'; between floats 'auto' or the name of the dtype of "
            "dst_cache",
     .kind = KVF_KIND_STRING,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_STRING, .as = {.string = "fp8"}}},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_convert_fp8(exec, (DLTensor *)values[0].as.tensor, values[1].as.tensor,
                         values[2].as.number, values[3].as.string);
}

/* Measured by `ninja tune`: threads, vectors, blocks by arch and elements. */
static const kvf_tuned_row cuda_rows[] = {
    {90, INT64_MAX, {256, 4, 264}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "vectors", "blocks"},
    .defaults = {256, 4, 264},
    .rows = cuda_rows,
    .num_rows = 1,
};

const kvf_op kvf_op_convert_fp8 = {
    .name = "convert_fp8",
    .ns = "_C_cache_ops",
    .schema = "convert_fp8(Tensor! dst_cache, Tensor src_cache, float scale=1.0, str "
              "kv_cache_dtype='fp8') -> ()",
    .doc =
        "converts a tensor of any shape to fp8, from fp8, or from one float dtype to another.\n"
        "\n"
        "For every i, with the elements of both tensors numbered from the last dimension on:\n"
        "  floats to fp8:    dst[i] = Q(src[i] / scale)\n"
        "  fp8 to floats:    dst[i] = float(src[i]) * scale\n"
        "  floats to floats: dst[i] = src[i] in the other dtype\n"
        "Q rounds to nearest even and saturates, and every NaN becomes 0x7F. Everything else "
        "rounds to nearest\n"
        "even once, from f32, overflows to infinity, and has one NaN per dtype: 0x7FFFFFFF, "
        "0x7FFF. Division\n"
        "and product are those of f32, so the scale is narrowed to f32 first. In the dispatch "
        "table the scalar\n"
        "dtype is the source's, the cache dtype the destination's.\n"
        "\n"
        "kv_cache_dtype names the format of the side that holds codes: 'fp8' and 'fp8_e4m3' E4M3,\n"
        "'fp8_e5m2' E5M2; a side whose dtype is float8 must agree with it. 'auto' names none and "
        "is refused.\n"
        "Between float dtypes there are no codes: kv_cache_dtype is 'auto' or names the "
        "destination's dtype,\n"
        "and scale must be 1.\n"
        "\n"
        "The shapes may differ, with equally many elements: both are cut into pieces that they "
        "have in common,\n"
        "which there always are if one of them has no gaps. Any strides, of up to 5 such pieces "
        "that neither are\n"
        "of size 1 nor can be joined with another one, in both tensors alike; permuted tensors are "
        "as fast as\n"
        "contiguous ones. Empty tensors are a successful no-op. The tensors must not overlap.\n"
        "\n"
        "Errors: KVF_INVALID_TYPE when neither side holds floats, KVF_UNSUPPORTED for too many "
        "pieces, or none in\n"
        "common.\n"
        "Source of the rule: vLLM's op of the same name, with 'auto' refused, E5M2 added, numbers "
        "of elements\n"
        "compared and strides honoured.\n"
        "Elsewhere: vLLM convert_fp8.",
    .arguments = arguments,
    .num_arguments = 4,
    .variants = variants,
    .num_variants = 36,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 25,
    .exclusions = exclusions,
    .num_exclusions = 7,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
