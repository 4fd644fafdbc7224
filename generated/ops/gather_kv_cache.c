/*
 * Generated from templates/table/op.c.j2 and generator/spec/gather_kv_cache.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/gather_kv_cache.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f32__q4_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__f16__q4_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_gather_kv_cache__bf16__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f32__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__f16__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_gather_kv_cache__bf16__q4_0);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_gather_kv_cache__f32__f32),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_gather_kv_cache__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_gather_kv_cache__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_INT8),
                kvf_cpu_gather_kv_cache__f32__int8),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_NVFP4),
                kvf_cpu_gather_kv_cache__f32__nvfp4),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_gather_kv_cache__f32__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_gather_kv_cache__f32__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_gather_kv_cache__f32__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_Q8_0),
                kvf_cpu_gather_kv_cache__f32__q8_0),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_Q4_0),
                kvf_cpu_gather_kv_cache__f32__q4_0),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_gather_kv_cache__f16__f16),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_gather_kv_cache__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_gather_kv_cache__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_INT8),
                kvf_cpu_gather_kv_cache__f16__int8),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_NVFP4),
                kvf_cpu_gather_kv_cache__f16__nvfp4),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_gather_kv_cache__f16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_gather_kv_cache__f16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_gather_kv_cache__f16__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_Q8_0),
                kvf_cpu_gather_kv_cache__f16__q8_0),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_Q4_0),
                kvf_cpu_gather_kv_cache__f16__q4_0),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_gather_kv_cache__bf16__bf16),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_gather_kv_cache__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_gather_kv_cache__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_INT8),
                kvf_cpu_gather_kv_cache__bf16__int8),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_NVFP4),
                kvf_cpu_gather_kv_cache__bf16__nvfp4),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_gather_kv_cache__bf16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_gather_kv_cache__bf16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_gather_kv_cache__bf16__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_Q8_0),
                kvf_cpu_gather_kv_cache__bf16__q8_0),
    KVF_CPU_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_Q4_0),
                kvf_cpu_gather_kv_cache__bf16__q4_0),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_gather_kv_cache__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_gather_kv_cache__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_gather_kv_cache__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_INT8),
                 kvf_cuda_gather_kv_cache__f32__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_NVFP4),
                 kvf_cuda_gather_kv_cache__f32__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD),
                 kvf_cuda_gather_kv_cache__f32__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD),
                 kvf_cuda_gather_kv_cache__f32__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD),
                 kvf_cuda_gather_kv_cache__f32__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_Q8_0),
                 kvf_cuda_gather_kv_cache__f32__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F32, KVF_Q4_0),
                 kvf_cuda_gather_kv_cache__f32__q4_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_gather_kv_cache__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_gather_kv_cache__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_gather_kv_cache__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_INT8),
                 kvf_cuda_gather_kv_cache__f16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_NVFP4),
                 kvf_cuda_gather_kv_cache__f16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD),
                 kvf_cuda_gather_kv_cache__f16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD),
                 kvf_cuda_gather_kv_cache__f16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD),
                 kvf_cuda_gather_kv_cache__f16__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_Q8_0),
                 kvf_cuda_gather_kv_cache__f16__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_F16, KVF_Q4_0),
                 kvf_cuda_gather_kv_cache__f16__q4_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_gather_kv_cache__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_gather_kv_cache__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_gather_kv_cache__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_INT8),
                 kvf_cuda_gather_kv_cache__bf16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_NVFP4),
                 kvf_cuda_gather_kv_cache__bf16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD),
                 kvf_cuda_gather_kv_cache__bf16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD),
                 kvf_cuda_gather_kv_cache__bf16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD),
                 kvf_cuda_gather_kv_cache__bf16__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_Q8_0),
                 kvf_cuda_gather_kv_cache__bf16__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_gather_kv_cache, KVF_AXES(KVF_BF16, KVF_Q4_0),
                 kvf_cuda_gather_kv_cache__bf16__q4_0, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 12. */
static const int16_t scalar_offsets[] = {0, 12, 24};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_F32 -> position * 1. */
static const int16_t cache_offsets[] = {0,  1,  2,  3, 4, -1, 5,  6, -1, -1,
                                        -1, -1, -1, 7, 8, -1, -1, 9, 10, 11};
static const int64_t cache_values[] = {KVF_F32,
                                       KVF_F16,
                                       KVF_BF16,
                                       KVF_FP8_E4M3,
                                       KVF_FP8_E5M2,
                                       KVF_INT8,
                                       KVF_NVFP4,
                                       KVF_INT8_PER_TOKEN_HEAD,
                                       KVF_FP8_PER_TOKEN_HEAD,
                                       KVF_INT4_PER_TOKEN_HEAD,
                                       KVF_Q8_0,
                                       KVF_Q4_0};

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
     .span = 20,
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
    {.name = "key_cache",
     .type = "Tensor",
     .doc =
         "[num_blocks, block_size, num_heads, head_size], or [num_blocks, num_heads, "
         "ceil(head_size / x), block_size, x]; the cache dtype (uint8 or float8 for fp8, int8 or "
         "uint8 for int8), any strides; int4: head_size / 2 bytes, without gaps in the last "
         "dimension; q8_0 and q4_0: head_size / 32 * 34 or 18 bytes, likewise; nvfp4: [num_blocks, "
         "block_size, num_heads, head_size / 2 + head_size / 16], uint8, pages without gaps",
     .kind = KVF_KIND_TENSOR},
    {.name = "value_cache",
     .type = "Tensor",
     .doc = "as key_cache of rank 4, with strides and a head size of its own; next to one of rank "
            "5 [num_blocks, num_heads, value_head_size, block_size], or [num_blocks, num_heads, "
            "block_size / x, value_head_size, x] with interleaved_v",
     .kind = KVF_KIND_TENSOR},
    {.name = "key_out",
     .type = "Tensor!",
     .doc = "[num_rows, num_heads, head_size], f32, f16 or bf16; stride of dimension 2 is 1; less "
            "than 2^31 rows",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "value_out",
     .type = "Tensor!",
     .doc = "[num_rows, num_heads, value_head_size], else as key_out",
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
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of key_out), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8', 'nvfp4', "
            "'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even', "
            "'fp8_per_token_head', 'int4_per_token_head', 'q8_0' or 'q4_0'",
     .kind = KVF_KIND_STRING},
    {.name = "k_scale",
     .type = "Tensor",
     .doc = "f32, one element or [num_heads]; not read when the cache holds the dtype of key_out "
            "or has a scale per token and head, or one in each block of ggml",
     .kind = KVF_KIND_TENSOR},
    {.name = "v_scale", .type = "Tensor", .doc = "as k_scale, for values", .kind = KVF_KIND_TENSOR},
    {.name = "seq_starts",
     .type = "Tensor?",
     .doc = "[>= num_sequences], int32, contiguous: position of a sequence's first row, in tokens, "
            "any number of them; None for 0",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "interleaved_v",
     .type = "bool",
     .doc = "whether value_cache is in groups of tokens; needs a key_cache of rank 5",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = false}}},
    {.name = "swizzle_v_scales",
     .type = "bool",
     .doc = "nvfp4: whether block scales of values are stored for sm_100",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = true}}},
    {.name = "k_scale_cache",
     .type = "Tensor?",
     .doc = "[num_blocks, block_size, num_heads], f32, any strides: scales per token and head; "
            "None for other formats",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "v_scale_cache",
     .type = "Tensor?",
     .doc = "as k_scale_cache, for values",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "inverse_rht",
     .type = "bool",
     .doc = "int4: whether heads are rotated back",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = true}}},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_gather_kv_cache(exec, values[0].as.tensor, values[1].as.tensor,
                             (DLTensor *)values[2].as.tensor, (DLTensor *)values[3].as.tensor,
                             values[4].as.tensor, values[5].as.tensor, values[6].as.string,
                             values[7].as.tensor, values[8].as.tensor, values[9].as.tensor,
                             values[10].as.boolean, values[11].as.boolean, values[12].as.tensor,
                             values[13].as.tensor, values[14].as.boolean);
}

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "vectors", "blocks"},
    .defaults = {256, 4, 512},
};

const kvf_op kvf_op_gather_kv_cache = {
    .name = "gather_kv_cache",
    .ns = "_C_cache_ops",
    .schema =
        "gather_kv_cache(Tensor key_cache, Tensor value_cache, Tensor! key_out, Tensor! value_out, "
        "Tensor block_table, Tensor cu_seq_lens, str kv_cache_dtype, Tensor k_scale, Tensor "
        "v_scale, Tensor? seq_starts=None, bool interleaved_v=False, bool swizzle_v_scales=True, "
        "Tensor? k_scale_cache=None, Tensor? v_scale_cache=None, bool inverse_rht=True) -> ()",
    .doc = "gathers keys and values of sequences from pages and decodes them.\n"
           "\n"
           "For row j of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with\n"
           "p = j - cu_seq_lens[b] + seq_starts[b], page = block_table[b, p div block_size], t = p "
           "mod block_size:\n"
           "  key_out[j, h, :] = DQ(key of token t and head h of that page), value_out[j, h, :] "
           "likewise\n"
           "DQ copies the bits where the cache holds the dtype of key_out. Codes are widened and "
           "multiplied in f32\n"
           "and rounded to nearest even once, overflow to infinity, and have one NaN per dtype, "
           "0x7FFFFFFF or 0x7FFF:\n"
           "  fp8, int8             code * scale, k_scale or v_scale, one or one for each head\n"
           "  ... per token, head   code * the scale of that token and head, in the scale cache\n"
           "  int4_per_token_head   (code - zero) * scale of the word in k_scale_cache, rotated "
           "back unless\n"
           "                        inverse_rht is False: sign * (H y) / b, as\n"
           "                        reshape_and_cache_flash_per_token_head has it, whose zeros are "
           "+0\n"
           "  nvfp4                 (code * block scale) * scale, the first product exact\n"
           "  q8_0, q4_0            code * d or (code - 8) * d, as reshape_and_cache_flash_ggml "
           "has it\n"
           "Rows that no sequence has, in front of cu_seq_lens[0] or from the last element of "
           "cu_seq_lens on, are\n"
           "left as they are. Zero rows are a successful no-op. Keys and values may have heads of "
           "different sizes;\n"
           "both may be views of one tensor. Formats with scales of their own have heads of at "
           "most 576 elements.\n"
           "\n"
           "The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its "
           "kin write (NHD, or\n"
           "HND by strides), 5 what reshape_and_cache writes; with interleaved_v values are then "
           "in groups of x\n"
           "tokens, [num_blocks, num_heads, block_size / x, value_head_size, x].\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: "
           "before anything\n"
           "is written; CUDA: that row becomes 0 and is counted, see kvf_cuda_fault_count).\n"
           "Source of the rule: this project; the ops of this purpose in other engines know one "
           "layout and one or two\n"
           "formats each.\n"
           "Elsewhere: vLLM cp_mha_gather_cache; mistral.rs gather_kv_cache and "
           "gather_kv_cache_flashinfer; FlashInfer nvfp4_kv_dequantize_paged; LMDeploy "
           "flatten_kv_cache.",
    .arguments = arguments,
    .num_arguments = 15,
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
