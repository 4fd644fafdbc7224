/*
 * Generated from templates/table/op.c.j2 and generator/spec/paged_attention_decode.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/paged_attention_decode.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f32__q4_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__f16__q4_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention_decode__bf16__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f32__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__f16__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention_decode__bf16__q4_0);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_paged_attention_decode__f32__f32),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_paged_attention_decode__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_paged_attention_decode__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_INT8),
                kvf_cpu_paged_attention_decode__f32__int8),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_NVFP4),
                kvf_cpu_paged_attention_decode__f32__nvfp4),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_paged_attention_decode__f32__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_paged_attention_decode__f32__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_paged_attention_decode__f32__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_Q8_0),
                kvf_cpu_paged_attention_decode__f32__q8_0),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_Q4_0),
                kvf_cpu_paged_attention_decode__f32__q4_0),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_paged_attention_decode__f16__f16),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_paged_attention_decode__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_paged_attention_decode__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_INT8),
                kvf_cpu_paged_attention_decode__f16__int8),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_NVFP4),
                kvf_cpu_paged_attention_decode__f16__nvfp4),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_paged_attention_decode__f16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_paged_attention_decode__f16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_paged_attention_decode__f16__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_Q8_0),
                kvf_cpu_paged_attention_decode__f16__q8_0),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_Q4_0),
                kvf_cpu_paged_attention_decode__f16__q4_0),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_paged_attention_decode__bf16__bf16),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_paged_attention_decode__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_paged_attention_decode__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_INT8),
                kvf_cpu_paged_attention_decode__bf16__int8),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_NVFP4),
                kvf_cpu_paged_attention_decode__bf16__nvfp4),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_paged_attention_decode__bf16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_paged_attention_decode__bf16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_paged_attention_decode__bf16__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_Q8_0),
                kvf_cpu_paged_attention_decode__bf16__q8_0),
    KVF_CPU_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_Q4_0),
                kvf_cpu_paged_attention_decode__bf16__q4_0),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_paged_attention_decode__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_paged_attention_decode__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_paged_attention_decode__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_INT8),
                 kvf_cuda_paged_attention_decode__f32__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_NVFP4),
                 kvf_cuda_paged_attention_decode__f32__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD),
                 kvf_cuda_paged_attention_decode__f32__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD),
                 kvf_cuda_paged_attention_decode__f32__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD),
                 kvf_cuda_paged_attention_decode__f32__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_Q8_0),
                 kvf_cuda_paged_attention_decode__f32__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F32, KVF_Q4_0),
                 kvf_cuda_paged_attention_decode__f32__q4_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_paged_attention_decode__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_paged_attention_decode__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_paged_attention_decode__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_INT8),
                 kvf_cuda_paged_attention_decode__f16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_NVFP4),
                 kvf_cuda_paged_attention_decode__f16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD),
                 kvf_cuda_paged_attention_decode__f16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD),
                 kvf_cuda_paged_attention_decode__f16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD),
                 kvf_cuda_paged_attention_decode__f16__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_Q8_0),
                 kvf_cuda_paged_attention_decode__f16__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_F16, KVF_Q4_0),
                 kvf_cuda_paged_attention_decode__f16__q4_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_paged_attention_decode__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_paged_attention_decode__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_paged_attention_decode__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_INT8),
                 kvf_cuda_paged_attention_decode__bf16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_NVFP4),
                 kvf_cuda_paged_attention_decode__bf16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD),
                 kvf_cuda_paged_attention_decode__bf16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD),
                 kvf_cuda_paged_attention_decode__bf16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD),
                 kvf_cuda_paged_attention_decode__bf16__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_Q8_0),
                 kvf_cuda_paged_attention_decode__bf16__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention_decode, KVF_AXES(KVF_BF16, KVF_Q4_0),
                 kvf_cuda_paged_attention_decode__bf16__q4_0, 16, 4, 1),
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
    {{KVF_AXES(KVF_F32, KVF_F16)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
};

static const kvf_argument arguments[] = {
    {.name = "out",
     .type = "Tensor!",
     .doc = "[num_seqs, num_q_heads, head_size], the dtype of query, any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "query",
     .type = "Tensor",
     .doc = "[num_seqs, num_q_heads, head_size], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "key_cache",
     .type = "Tensor",
     .doc = "[num_blocks, block_size, num_kv_heads, head_size], or [num_blocks, num_kv_heads, "
            "ceil(head_size / x), block_size, x]; the cache dtype (uint8 or float8 for fp8, int8 "
            "or uint8 for int8), any strides; for nvfp4 [num_blocks, block_size, num_kv_heads, "
            "head_size / 2 + head_size / 16], uint8, pages without gaps; for int4_per_token_head "
            "[num_blocks, block_size, num_kv_heads, head_size / 2], uint8, any strides but 1 in "
            "the last dimension; for q8_0 and q4_0 head_size / 32 * 34 or 18 bytes, likewise",
     .kind = KVF_KIND_TENSOR},
    {.name = "value_cache",
     .type = "Tensor",
     .doc = "as key_cache of rank 4; next to one of rank 5 [num_blocks, num_kv_heads, head_size, "
            "block_size]; any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "block_tables",
     .type = "Tensor",
     .doc = "[num_seqs, width], int32 or int64, any strides: the pages of each sequence",
     .kind = KVF_KIND_TENSOR},
    {.name = "seq_lens",
     .type = "Tensor",
     .doc = "[num_seqs], int32, any stride: tokens of each sequence, the query's included",
     .kind = KVF_KIND_TENSOR},
    {.name = "scale",
     .type = "float",
     .doc = "what query . key is multiplied by, usually 1 / sqrt(head_size); any number that f32 "
            "holds: 0, or a finite one of 2^-126 or more, of any sign",
     .kind = KVF_KIND_FLOAT},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8', 'nvfp4', "
            "'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even', "
            "'fp8_per_token_head', 'int4_per_token_head', 'q8_0' or 'q4_0'",
     .kind = KVF_KIND_STRING},
    {.name = "k_scale",
     .type = "Tensor",
     .doc = "f32, one element or [num_kv_heads]; keys are code * k_scale; not read when the cache "
            "holds the scalar dtype, q8_0 or q4_0; for formats per token and head the "
            "k_scale_cache, [num_blocks, block_size, num_kv_heads], any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "v_scale", .type = "Tensor", .doc = "as k_scale, for values", .kind = KVF_KIND_TENSOR},
    {.name = "alibi_slopes",
     .type = "Tensor?",
     .doc = "[num_q_heads], f32, any stride; None: no bias",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "sliding_window",
     .type = "int",
     .doc = "positions that are attended to, the query's own included; 0 or less: all",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
    {.name = "swizzle_v_scales",
     .type = "bool",
     .doc = "nvfp4: whether block scales of values are stored for sm_100",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = true}}},
    {.name = "workspace",
     .type = "Tensor!?",
     .doc = "[num_seqs, num_q_heads, splits, head_size + 2], f32, any strides, splits 1 or more: "
            "room for the parts of long sequences; None: they are not split",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_paged_attention_decode(
      exec, (DLTensor *)values[0].as.tensor, values[1].as.tensor, values[2].as.tensor,
      values[3].as.tensor, values[4].as.tensor, values[5].as.tensor, values[6].as.number,
      values[7].as.string, values[8].as.tensor, values[9].as.tensor, values[10].as.tensor,
      values[11].as.integer, values[12].as.boolean, (DLTensor *)values[13].as.tensor);
}

const kvf_op kvf_op_paged_attention_decode = {
    .name = "paged_attention_decode",
    .ns = "_C_cache_ops",
    .schema = "paged_attention_decode(Tensor! out, Tensor query, Tensor key_cache, Tensor "
              "value_cache, Tensor block_tables, Tensor seq_lens, float scale, str kv_cache_dtype, "
              "Tensor k_scale, Tensor v_scale, Tensor? alibi_slopes=None, int sliding_window=0, "
              "bool swizzle_v_scales=True, Tensor!? workspace=None) -> ()",
    .doc =
        "reads the pages that the cache writers fill: attention of one token per sequence.\n"
        "\n"
        "For every sequence s, query head h and the KV head g = h div (num_q_heads / "
        "num_kv_heads), over\n"
        "positions p from max(0, n - sliding_window) (from 0 without a window) to n - 1, n = "
        "seq_lens[s]:\n"
        "  K, V   = DQ(key_cache, k_scale), DQ(value_cache, v_scale) at head g of position p,\n"
        "           which is in page block_tables[s, p div block_size], at p mod block_size\n"
        "  a[p]   = scale * (query[s, h] . K[p]) + alibi_slopes[h] * (p - (n - 1))\n"
        "  out[s, h] = sum over p of softmax(a)[p] * V[p]\n"
        "DQ widens to f32 and multiplies codes by their scale: that of head g for fp8 and int8, "
        "that of\n"
        "head g of the very token for the formats per token and head, and for nvfp4 that of head g "
        "and the\n"
        "block scale of every 16 elements. Heads of int4_per_token_head are stored rotated; the "
        "query is rotated\n"
        "in their place, and the sum rotated back. The query is the token at position n - 1, which "
        "is in the cache\n"
        "already. A sequence with n = 0 gets zeros. Zero sequences are a successful no-op. Only "
        "the pages of\n"
        "the positions above are read, and of the last page only the tokens that are there, so "
        "fresh pages\n"
        "may hold anything. out and workspace must not overlap each other or the other tensors.\n"
        "\n"
        "The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its "
        "kin write\n"
        "(NHD, or HND by strides), 5 what reshape_and_cache writes. K and V have strides of their "
        "own. nvfp4\n"
        "pages are those of reshape_and_cache_flash_nvfp4, with the same swizzle_v_scales.\n"
        "\n"
        "Arithmetic is f32: products are summed in parts, and the softmax is rescaled as it goes "
        "(online), so\n"
        "results are not those of a fixed order. With one position out is exactly DQ(V), rounded "
        "to the\n"
        "dtype of out (zeros are +0). Scores may use exp2 of scores times log2(e). Scales of a "
        "head are\n"
        "applied to the query and to the sum, those of a token to its score and its weight, which "
        "gives the\n"
        "same but for rounding.\n"
        "\n"
        "head_size is at most 576. One thread block (CUDA), or one thread (CPU), does up to 8 "
        "query heads of\n"
        "one KV head of one part of a sequence. Without a workspace a sequence is one part, so "
        "that a few long\n"
        "ones leave most of a GPU idle. With one, the positions above are cut into at most "
        "`splits` parts, of\n"
        "ceil(positions / splits) positions rounded up to a multiple of 128. What the parts come "
        "to is put\n"
        "into workspace, and added up in a second launch (CUDA) or a second pass of the threads "
        "(CPU). The\n"
        "only part of a short sequence goes straight to out: splits = 1 is as no workspace. As "
        "many splits as\n"
        "keep a GPU busy will do: two thread blocks for each of its SMs. workspace needs no "
        "initial value, and\n"
        "what it holds afterwards is not defined.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for a head_size above 576, num_q_heads that is no multiple of\n"
        "num_kv_heads, an int4 head_size that is odd or one that 1024 divides, a q8_0 or q4_0 "
        "head_size that is\n"
        "no multiple of 32, or an nvfp4 head_size that is no multiple of 16, and with "
        "swizzle_v_scales for one\n"
        "that is no multiple of 64 or a block_size that is no multiple of 4; KVF_OUT_OF_RANGE for "
        "a length\n"
        "below 0 or beyond width * block_size, or a page that is not in the cache (CPU: before "
        "anything is\n"
        "written; CUDA: that length is cut off, the tokens of that page are left out, and each is "
        "counted\n"
        "once, see kvf_cuda_fault_count). KVF_CUDA_ERROR at the second of two launches leaves "
        "workspace written\n"
        "and out untouched.\n"
        "Source of the rule: this project; arguments as in vLLM's paged_attention_v1.\n"
        "Elsewhere: vLLM to 0.24 paged_attention_v1 and _v2.",
    .arguments = arguments,
    .num_arguments = 14,
    .variants = variants,
    .num_variants = 60,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 36,
    .exclusions = exclusions,
    .num_exclusions = 6,
    .call = call,
};
