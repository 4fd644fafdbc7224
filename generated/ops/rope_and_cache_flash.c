/*
 * Generated from templates/table/op.c.j2 and generator/spec/rope_and_cache_flash.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/rope_and_cache_flash.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__nvfp4_4over6);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__int8_per_token_head_even);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f32__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__nvfp4_4over6);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__int8_per_token_head_even);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__f16__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__nvfp4_4over6);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__int8_per_token_head_even);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_rope_and_cache_flash__bf16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__nvfp4_4over6);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__int8_per_token_head_even);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f32__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__nvfp4_4over6);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__int8_per_token_head_even);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__f16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__nvfp4_4over6);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__int8_per_token_head_even);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_rope_and_cache_flash__bf16__int4_per_token_head);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_rope_and_cache_flash__f32__f32),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_rope_and_cache_flash__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_rope_and_cache_flash__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_INT8),
                kvf_cpu_rope_and_cache_flash__f32__int8),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_NVFP4),
                kvf_cpu_rope_and_cache_flash__f32__nvfp4),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_NVFP4_4OVER6),
                kvf_cpu_rope_and_cache_flash__f32__nvfp4_4over6),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_rope_and_cache_flash__f32__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                kvf_cpu_rope_and_cache_flash__f32__int8_per_token_head_even),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_rope_and_cache_flash__f32__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_rope_and_cache_flash__f32__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_rope_and_cache_flash__f16__f16),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_rope_and_cache_flash__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_rope_and_cache_flash__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_INT8),
                kvf_cpu_rope_and_cache_flash__f16__int8),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_NVFP4),
                kvf_cpu_rope_and_cache_flash__f16__nvfp4),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_NVFP4_4OVER6),
                kvf_cpu_rope_and_cache_flash__f16__nvfp4_4over6),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_rope_and_cache_flash__f16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                kvf_cpu_rope_and_cache_flash__f16__int8_per_token_head_even),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_rope_and_cache_flash__f16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_rope_and_cache_flash__f16__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_rope_and_cache_flash__bf16__bf16),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_rope_and_cache_flash__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_rope_and_cache_flash__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_INT8),
                kvf_cpu_rope_and_cache_flash__bf16__int8),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_NVFP4),
                kvf_cpu_rope_and_cache_flash__bf16__nvfp4),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_NVFP4_4OVER6),
                kvf_cpu_rope_and_cache_flash__bf16__nvfp4_4over6),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_rope_and_cache_flash__bf16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                kvf_cpu_rope_and_cache_flash__bf16__int8_per_token_head_even),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_rope_and_cache_flash__bf16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_rope_and_cache_flash__bf16__int4_per_token_head),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_rope_and_cache_flash__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_rope_and_cache_flash__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_rope_and_cache_flash__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_INT8),
                 kvf_cuda_rope_and_cache_flash__f32__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_NVFP4),
                 kvf_cuda_rope_and_cache_flash__f32__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_NVFP4_4OVER6),
                 kvf_cuda_rope_and_cache_flash__f32__nvfp4_4over6, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD),
                 kvf_cuda_rope_and_cache_flash__f32__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                 kvf_cuda_rope_and_cache_flash__f32__int8_per_token_head_even, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD),
                 kvf_cuda_rope_and_cache_flash__f32__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD),
                 kvf_cuda_rope_and_cache_flash__f32__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_rope_and_cache_flash__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_rope_and_cache_flash__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_rope_and_cache_flash__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_INT8),
                 kvf_cuda_rope_and_cache_flash__f16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_NVFP4),
                 kvf_cuda_rope_and_cache_flash__f16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_NVFP4_4OVER6),
                 kvf_cuda_rope_and_cache_flash__f16__nvfp4_4over6, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD),
                 kvf_cuda_rope_and_cache_flash__f16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                 kvf_cuda_rope_and_cache_flash__f16__int8_per_token_head_even, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD),
                 kvf_cuda_rope_and_cache_flash__f16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD),
                 kvf_cuda_rope_and_cache_flash__f16__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_rope_and_cache_flash__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_rope_and_cache_flash__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_rope_and_cache_flash__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_INT8),
                 kvf_cuda_rope_and_cache_flash__bf16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_NVFP4),
                 kvf_cuda_rope_and_cache_flash__bf16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_NVFP4_4OVER6),
                 kvf_cuda_rope_and_cache_flash__bf16__nvfp4_4over6, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD),
                 kvf_cuda_rope_and_cache_flash__bf16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                 kvf_cuda_rope_and_cache_flash__bf16__int8_per_token_head_even, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD),
                 kvf_cuda_rope_and_cache_flash__bf16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_rope_and_cache_flash, KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD),
                 kvf_cuda_rope_and_cache_flash__bf16__int4_per_token_head, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 12. */
static const int16_t scalar_offsets[] = {0, 12, 24};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_F32 -> position * 1. */
static const int16_t cache_offsets[] = {0,  1,  2, 3,  4, -1, 5,  6,  -1, -1, -1,
                                        -1, -1, 8, 10, 7, -1, 11, -1, -1, 9};
static const int64_t cache_values[] = {KVF_F32,
                                       KVF_F16,
                                       KVF_BF16,
                                       KVF_FP8_E4M3,
                                       KVF_FP8_E5M2,
                                       KVF_INT8,
                                       KVF_NVFP4,
                                       KVF_NVFP4_4OVER6,
                                       KVF_INT8_PER_TOKEN_HEAD,
                                       KVF_INT8_PER_TOKEN_HEAD_EVEN,
                                       KVF_FP8_PER_TOKEN_HEAD,
                                       KVF_INT4_PER_TOKEN_HEAD};

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
     .span = 21,
     .offsets = cache_offsets,
     .below = -1,
     .above = -1,
     .name = "cache",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the cache dtype",
     .values = cache_values,
     .num_values = 12},
};

/* [backend][scalar][cache] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0,  -1, -1, 1,  2,  3,  4,  5,  6,  7,  8,  9,  /* cpu f32 */
    -1, 10, -1, 11, 12, 13, 14, 15, 16, 17, 18, 19, /* cpu f16 */
    -1, -1, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, /* cpu bf16 */
    30, -1, -1, 31, 32, 33, 34, 35, 36, 37, 38, 39, /* cuda f32 */
    -1, 40, -1, 41, 42, 43, 44, 45, 46, 47, 48, 49, /* cuda f16 */
    -1, -1, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, /* cuda bf16 */
};

static const kvf_exclusion exclusions[] = {
    {{KVF_AXES(KVF_F32, KVF_F16)},
     "a cache next to f32 tensors holds f32 itself or fp8 or int8, or has scales of its own"},
    {{KVF_AXES(KVF_F32, KVF_BF16)},
     "a cache next to f32 tensors holds f32 itself or fp8 or int8, or has scales of its own"},
    {{KVF_AXES(KVF_F16, KVF_F32)},
     "a cache next to f16 tensors holds f16 itself or fp8 or int8, or has scales of its own"},
    {{KVF_AXES(KVF_F16, KVF_BF16)},
     "a cache next to f16 tensors holds f16 itself or fp8 or int8, or has scales of its own"},
    {{KVF_AXES(KVF_BF16, KVF_F32)},
     "a cache next to bf16 tensors holds bf16 itself or fp8 or int8, or has scales of its own"},
    {{KVF_AXES(KVF_BF16, KVF_F16)},
     "a cache next to bf16 tensors holds bf16 itself or fp8 or int8, or has scales of its own"},
};

static const kvf_argument arguments[] = {
    {.name = "query",
     .type = "Tensor!",
     .doc = "[num_tokens, num_q_heads, head_size], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "key",
     .type = "Tensor!",
     .doc = "[num_tokens, num_heads, head_size], the dtype of query, any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "value",
     .type = "Tensor",
     .doc = "[num_tokens, num_heads, value_head_size], the dtype of query, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "key_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, num_heads, head_size], the cache dtype (uint8 or float8 for "
            "fp8, int8 or uint8 for int8), any strides; of nvfp4 [num_blocks, block_size, "
            "num_heads, head_size / 2 + head_size / 16] uint8, the last three without gaps, as NHD "
            "or HND; of int4_per_token_head [num_blocks, block_size, num_heads, head_size / 2] "
            "uint8, any strides but 1 in the last dimension",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "value_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, num_heads, value_head_size], else as key_cache",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "positions",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride",
     .kind = KVF_KIND_TENSOR},
    {.name = "cos_sin_cache",
     .type = "Tensor?",
     .doc = "[num_positions, rotary_dim], f32 or the dtype of query, any strides; a row is the "
            "cosines of all pairs and behind them the sines; None: nothing is rotated",
     .kind = KVF_KIND_TENSOR,
     .optional = true},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[at most num_tokens], int64 or int32, any stride; a negative slot writes nothing",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8', 'nvfp4', "
            "'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even', "
            "'fp8_per_token_head' or 'int4_per_token_head'",
     .kind = KVF_KIND_STRING},
    {.name = "k_scale",
     .type = "Tensor",
     .doc = "f32, one element or [num_heads]; the cache holds key / k_scale; not read when the "
            "cache holds the scalar dtype, or a scale per token and head",
     .kind = KVF_KIND_TENSOR},
    {.name = "v_scale", .type = "Tensor", .doc = "as k_scale, for value", .kind = KVF_KIND_TENSOR},
    {.name = "is_neox",
     .type = "bool",
     .doc = "pairs are halves of rotary_dim (GPT-NeoX), else neighbours (GPT-J)",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = true}}},
    {.name = "q_weight",
     .type = "Tensor?",
     .doc = "[head_size], f32 or the dtype of query, any stride; None: as ones",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "k_weight",
     .type = "Tensor?",
     .doc = "as q_weight, for key",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "eps",
     .type = "float",
     .doc = "added to the mean of the squares; finite, 0 or more",
     .kind = KVF_KIND_FLOAT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_FLOAT, .as = {.number = 1e-6}}},
    {.name = "weight_bias",
     .type = "float",
     .doc = "added to every weight, 1 for Gemma; finite",
     .kind = KVF_KIND_FLOAT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_FLOAT, .as = {.number = 0.0}}},
    {.name = "norm",
     .type = "str",
     .doc = "'auto': query is normed if there is a q_weight, key if a k_weight; 'on': both are",
     .kind = KVF_KIND_STRING,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_STRING, .as = {.string = "auto"}}},
    {.name = "rounding",
     .type = "str",
     .doc = "'unfused', 'once' or 'none'",
     .kind = KVF_KIND_STRING,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_STRING, .as = {.string = "unfused"}}},
    {.name = "q_out",
     .type = "Tensor!?",
     .doc = "as query, or fp8 codes (float8_e4m3fn, float8_e5m2; uint8 is the former), with "
            "strides of its own: query stays as it is; None: in place",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "q_scale",
     .type = "Tensor?",
     .doc = "f32, one element or [num_q_heads]; q_out holds query / q_scale; not read unless q_out "
            "is fp8; None: 1",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "k_out",
     .type = "Tensor!?",
     .doc = "as key, with strides of its own: key stays as it is; without elements: keys go to the "
            "cache alone; None: in place",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "k_scale_cache",
     .type = "Tensor!?",
     .doc = "[num_blocks, block_size, num_heads], f32, any strides: scales per token and head, of "
            "int4_per_token_head its words; None for other formats",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "v_scale_cache",
     .type = "Tensor!?",
     .doc = "as k_scale_cache, for values",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
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
  return kvf_rope_and_cache_flash(
      exec, (DLTensor *)values[0].as.tensor, (DLTensor *)values[1].as.tensor, values[2].as.tensor,
      (DLTensor *)values[3].as.tensor, (DLTensor *)values[4].as.tensor, values[5].as.tensor,
      values[6].as.tensor, values[7].as.tensor, values[8].as.string, values[9].as.tensor,
      values[10].as.tensor, values[11].as.boolean, values[12].as.tensor, values[13].as.tensor,
      values[14].as.number, values[15].as.number, values[16].as.string, values[17].as.string,
      (DLTensor *)values[18].as.tensor, values[19].as.tensor, (DLTensor *)values[20].as.tensor,
      (DLTensor *)values[21].as.tensor, (DLTensor *)values[22].as.tensor, values[23].as.tensor);
}

/* Measured by `ninja tune`: threads, blocks by arch and num_tokens. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 16, {128, 2048}},
    {90, 256, {128, 512}},
    {90, 4096, {64, 512}},
    {90, INT64_MAX, {32, 8192}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 2,
    .names = {"threads", "blocks"},
    .defaults = {128, 2048},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_rope_and_cache_flash = {
    .name = "rope_and_cache_flash",
    .ns = "_C_cache_ops",
    .schema =
        "rope_and_cache_flash(Tensor! query, Tensor! key, Tensor value, Tensor! key_cache, Tensor! "
        "value_cache, Tensor positions, Tensor? cos_sin_cache, Tensor slot_mapping, str "
        "kv_cache_dtype, Tensor k_scale, Tensor v_scale, bool is_neox=True, Tensor? q_weight=None, "
        "Tensor? k_weight=None, float eps=1e-6, float weight_bias=0.0, str norm='auto', str "
        "rounding='unfused', Tensor!? q_out=None, Tensor? q_scale=None, Tensor!? k_out=None, "
        "Tensor!? k_scale_cache=None, Tensor!? v_scale_cache=None, Tensor? slot_remap=None) -> ()",
    .doc =
        "norms and rotates queries and keys and writes keys and values to pages, in one pass.\n"
        "\n"
        "With D = head_size, R = rotary_dim, cos = cos_sin_cache[positions[t], i] and\n"
        "sin = cos_sin_cache[positions[t], R / 2 + i] for i in [0, R / 2), a head of query or key "
        "becomes:\n"
        "  n[d] = (x[d] * r) * (weight[d] + weight_bias), r = 1 / sqrt(sum of x^2 / D + eps)\n"
        "  (a, b) are elements i and R / 2 + i of n if is_neox, else 2 i and 2 i + 1, and become\n"
        "  a' = a * cos - b * sin\n"
        "  b' = b * cos + a * sin\n"
        "Elements from R on keep n. Without a norm n is x; without cos_sin_cache, or with R = 0, "
        "nothing is\n"
        "rotated and positions are not looked at. Any D and any even R up to D.\n"
        "\n"
        "All arithmetic is f32, every operation rounded by itself, none fused, the squares added "
        "in the order of\n"
        "kvforge/cache/norm.h, so that the CPU and CUDA give the same bits. rounding says where a "
        "value is\n"
        "rounded to the dtype of query besides:\n"
        "  'unfused'  n, and the result: as three ops for norm, rotation and write leave it\n"
        "  'once'     the result\n"
        "  'none'     nothing: codes are made of f32, all else is rounded as it is stored\n"
        "A NaN of a query or key is 0x7FFF, or 0x7FFFFFFF in f32.\n"
        "\n"
        "All rows of query and key are treated so, whatever their slots are, and are stored in "
        "place, or to q_out\n"
        "and k_out where these are given; with an empty k_out keys go nowhere but to the cache. In "
        "a q_out of fp8\n"
        "codes are Q(query, q_scale), q_scale of the head. Then, for the tokens of slot_mapping, "
        "with\n"
        "s = slot_mapping[t], block = s div block_size, offset = s mod block_size:\n"
        "  key_cache[block, offset, h, d]   = Q(key as above, k_scale[h])\n"
        "  value_cache[block, offset, h, d] = Q(value[t, h, d], v_scale[h])\n"
        "Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by "
        "the scale\n"
        "in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens "
        "with a\n"
        "negative slot, and those behind the end of slot_mapping, are not written. Zero tokens are "
        "a successful\n"
        "no-op. Two tokens with one slot race.\n"
        "\n"
        "kv_cache_dtype 'nvfp4' or 'nvfp4_4over6' is as for reshape_and_cache_flash: pages are "
        "those of\n"
        "reshape_and_cache_flash_nvfp4 with swizzle_v_scales, of value_head_size for values; R is "
        "then a\n"
        "multiple of 32, and a group of 16 elements is encoded from the values that Q would be "
        "given.\n"
        "kv_cache_dtype 'int8_per_token_head', 'int8_per_token_head_even' or 'fp8_per_token_head' "
        "is as for\n"
        "reshape_and_cache_flash_per_token_head: the scale of a head, made of the values that Q "
        "would be given,\n"
        "goes to k_scale_cache or v_scale_cache, and heads are not empty. 'int4_per_token_head' is "
        "so, too: what\n"
        "Q would be given is rotated by H as that op does it, and then rounded to the dtype of "
        "query, but for\n"
        "keys with rounding 'none', whose codes are made of f32; sizes are even, and byte i of a "
        "head of the\n"
        "cache is of elements 2 i and 2 i + 1.\n"
        "\n"
        "Layout is told by strides, and K and V have their own: NHD is a contiguous cache, HND "
        "one\n"
        "that is permuted from [num_blocks, num_heads, block_size, head_size]; packed K/V, values "
        "of another\n"
        "size than keys in one tensor, and padded pages work. query, key and value may be slices "
        "of one qkv.\n"
        "\n"
        "Errors: KVF_OUT_OF_RANGE for a position that is no row of cos_sin_cache, whatever its "
        "token's slot,\n"
        "and for a slot beyond num_blocks * block_size (CPU: before anything is written; CUDA: "
        "counted, see\n"
        "kvf_cuda_fault_count: a token with such a position is left alone, one with such a slot is "
        "not written\n"
        "to the cache).\n"
        "Source of the rule: vLLM's fused_qknorm_rope_cache ('unfused'), "
        "fused_muse_spark_qknorm_rope_kv_insert\n"
        "('once') and fused_minimax_m3_qknorm_rope_kv_insert ('none'), SGLang's fused rope and "
        "store, and\n"
        "FlashInfer's rope_quantize_fp8_append_paged_kv_cache, with scales, bounds, and strides of "
        "its own for\n"
        "every tensor where these have none.\n"
        "Elsewhere: vLLM fused_qknorm_rope_cache; SGLang apply_rope_inplace_with_kvcache; "
        "FlashInfer rope_quantize_fp8_append_paged_kv_cache.",
    .arguments = arguments,
    .num_arguments = 24,
    .variants = variants,
    .num_variants = 60,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 36,
    .exclusions = exclusions,
    .num_exclusions = 6,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
