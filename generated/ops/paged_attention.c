/*
 * Generated from templates/table/op.c.j2 and generator/spec/paged_attention.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/paged_attention.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f32__q4_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__f16__q4_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__int8);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_attention__bf16__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f32__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d64__r128__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d128__r128__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d256__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16__d256__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e4m3__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e4m3__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e4m3__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e4m3__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e4m3__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e4m3__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e4m3__d256__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e4m3__d256__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e5m2__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e5m2__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e5m2__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e5m2__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e5m2__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e5m2__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__nvfp4__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__nvfp4__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8_per_token_head__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8_per_token_head__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8_per_token_head__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8_per_token_head__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8_per_token_head__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8_per_token_head__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_per_token_head__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_per_token_head__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_per_token_head__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_per_token_head__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_per_token_head__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_per_token_head__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__f16__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d64__r128__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d128__r128__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d256__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16__d256__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e4m3__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e4m3__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e4m3__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e4m3__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e4m3__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e4m3__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e4m3__d256__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e4m3__d256__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e5m2__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e5m2__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e5m2__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e5m2__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e5m2__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e5m2__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__nvfp4__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__nvfp4__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8_per_token_head__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8_per_token_head__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8_per_token_head__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8_per_token_head__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8_per_token_head__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8_per_token_head__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_per_token_head__d64__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_per_token_head__d64__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_per_token_head__d64__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_per_token_head__d128__r8__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_per_token_head__d128__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_per_token_head__d128__r128__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_attention__bf16__q4_0);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__f32),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__int8),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__nvfp4),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__q8_0),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f32__q4_0),
    KVF_CPU_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__f16),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__int8),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__nvfp4),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__q8_0),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__f16__q4_0),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__bf16),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__int8),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__nvfp4),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__q8_0),
    KVF_CPU_ROW(kvf_op_paged_attention,
                KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_attention__bf16__q4_0),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f32__q4_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 64, 8, 80),
                 kvf_cuda_paged_attention__f16__f16__d64__r8__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 64, 16, 80),
                 kvf_cuda_paged_attention__f16__f16__d64__r16__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 64, 128, 80),
                 kvf_cuda_paged_attention__f16__f16__d64__r128__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 64, 128, 90),
                 kvf_cuda_paged_attention__f16__f16__d64__r128__sm90a, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 128, 8, 80),
                 kvf_cuda_paged_attention__f16__f16__d128__r8__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 128, 16, 80),
                 kvf_cuda_paged_attention__f16__f16__d128__r16__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 128, 128, 80),
                 kvf_cuda_paged_attention__f16__f16__d128__r128__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 128, 128, 90),
                 kvf_cuda_paged_attention__f16__f16__d128__r128__sm90a, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 256, 8, 80),
                 kvf_cuda_paged_attention__f16__f16__d256__r8__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_F16, 256, 64, 80),
                 kvf_cuda_paged_attention__f16__f16__d256__r64__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 8, 80),
                 kvf_cuda_paged_attention__f16__fp8_e4m3__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 16, 80),
                 kvf_cuda_paged_attention__f16__fp8_e4m3__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 128, 80),
                 kvf_cuda_paged_attention__f16__fp8_e4m3__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 8, 80),
                 kvf_cuda_paged_attention__f16__fp8_e4m3__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 16, 80),
                 kvf_cuda_paged_attention__f16__fp8_e4m3__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 128, 80),
                 kvf_cuda_paged_attention__f16__fp8_e4m3__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 8, 80),
                 kvf_cuda_paged_attention__f16__fp8_e4m3__d256__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 64, 80),
                 kvf_cuda_paged_attention__f16__fp8_e4m3__d256__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 8, 80),
                 kvf_cuda_paged_attention__f16__fp8_e5m2__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 16, 80),
                 kvf_cuda_paged_attention__f16__fp8_e5m2__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 128, 80),
                 kvf_cuda_paged_attention__f16__fp8_e5m2__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 8, 80),
                 kvf_cuda_paged_attention__f16__fp8_e5m2__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 16, 80),
                 kvf_cuda_paged_attention__f16__fp8_e5m2__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 128, 80),
                 kvf_cuda_paged_attention__f16__fp8_e5m2__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8, 64, 8, 80),
                 kvf_cuda_paged_attention__f16__int8__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8, 64, 16, 80),
                 kvf_cuda_paged_attention__f16__int8__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8, 64, 128, 80),
                 kvf_cuda_paged_attention__f16__int8__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8, 128, 8, 80),
                 kvf_cuda_paged_attention__f16__int8__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8, 128, 16, 80),
                 kvf_cuda_paged_attention__f16__int8__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8, 128, 128, 80),
                 kvf_cuda_paged_attention__f16__int8__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_NVFP4, 128, 8, 80),
                 kvf_cuda_paged_attention__f16__nvfp4__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_NVFP4, 128, 16, 80),
                 kvf_cuda_paged_attention__f16__nvfp4__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 8, 80),
                 kvf_cuda_paged_attention__f16__int8_per_token_head__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 16, 80),
                 kvf_cuda_paged_attention__f16__int8_per_token_head__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 128, 80),
                 kvf_cuda_paged_attention__f16__int8_per_token_head__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 8, 80),
                 kvf_cuda_paged_attention__f16__int8_per_token_head__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 16, 80),
                 kvf_cuda_paged_attention__f16__int8_per_token_head__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 128, 80),
                 kvf_cuda_paged_attention__f16__int8_per_token_head__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 8, 80),
                 kvf_cuda_paged_attention__f16__fp8_per_token_head__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 16, 80),
                 kvf_cuda_paged_attention__f16__fp8_per_token_head__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 128, 80),
                 kvf_cuda_paged_attention__f16__fp8_per_token_head__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 8, 80),
                 kvf_cuda_paged_attention__f16__fp8_per_token_head__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 16, 80),
                 kvf_cuda_paged_attention__f16__fp8_per_token_head__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 128, 80),
                 kvf_cuda_paged_attention__f16__fp8_per_token_head__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__f16__q4_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 64, 8, 80),
                 kvf_cuda_paged_attention__bf16__bf16__d64__r8__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 64, 16, 80),
                 kvf_cuda_paged_attention__bf16__bf16__d64__r16__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 64, 128, 80),
                 kvf_cuda_paged_attention__bf16__bf16__d64__r128__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 64, 128, 90),
                 kvf_cuda_paged_attention__bf16__bf16__d64__r128__sm90a, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 128, 8, 80),
                 kvf_cuda_paged_attention__bf16__bf16__d128__r8__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 128, 16, 80),
                 kvf_cuda_paged_attention__bf16__bf16__d128__r16__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 128, 128, 80),
                 kvf_cuda_paged_attention__bf16__bf16__d128__r128__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 128, 128, 90),
                 kvf_cuda_paged_attention__bf16__bf16__d128__r128__sm90a, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 256, 8, 80),
                 kvf_cuda_paged_attention__bf16__bf16__d256__r8__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_BF16, 256, 64, 80),
                 kvf_cuda_paged_attention__bf16__bf16__d256__r64__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 8, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e4m3__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 16, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e4m3__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 128, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e4m3__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 8, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e4m3__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 16, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e4m3__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 128, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e4m3__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 8, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e4m3__d256__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 64, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e4m3__d256__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 8, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e5m2__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 16, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e5m2__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 128, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e5m2__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 8, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e5m2__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 16, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e5m2__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 128, 80),
                 kvf_cuda_paged_attention__bf16__fp8_e5m2__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8, 64, 8, 80),
                 kvf_cuda_paged_attention__bf16__int8__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8, 64, 16, 80),
                 kvf_cuda_paged_attention__bf16__int8__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8, 64, 128, 80),
                 kvf_cuda_paged_attention__bf16__int8__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8, 128, 8, 80),
                 kvf_cuda_paged_attention__bf16__int8__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8, 128, 16, 80),
                 kvf_cuda_paged_attention__bf16__int8__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8, 128, 128, 80),
                 kvf_cuda_paged_attention__bf16__int8__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__int8, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 8, 80),
                 kvf_cuda_paged_attention__bf16__nvfp4__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 16, 80),
                 kvf_cuda_paged_attention__bf16__nvfp4__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 8, 80),
                 kvf_cuda_paged_attention__bf16__int8_per_token_head__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 16, 80),
                 kvf_cuda_paged_attention__bf16__int8_per_token_head__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 128, 80),
                 kvf_cuda_paged_attention__bf16__int8_per_token_head__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 8, 80),
                 kvf_cuda_paged_attention__bf16__int8_per_token_head__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 16, 80),
                 kvf_cuda_paged_attention__bf16__int8_per_token_head__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 128, 80),
                 kvf_cuda_paged_attention__bf16__int8_per_token_head__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 8, 80),
                 kvf_cuda_paged_attention__bf16__fp8_per_token_head__d64__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 16, 80),
                 kvf_cuda_paged_attention__bf16__fp8_per_token_head__d64__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 128, 80),
                 kvf_cuda_paged_attention__bf16__fp8_per_token_head__d64__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 8, 80),
                 kvf_cuda_paged_attention__bf16__fp8_per_token_head__d128__r8__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 16, 80),
                 kvf_cuda_paged_attention__bf16__fp8_per_token_head__d128__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 128, 80),
                 kvf_cuda_paged_attention__bf16__fp8_per_token_head__d128__r128__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_attention,
                 KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_attention__bf16__q4_0, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 720. */
static const int16_t scalar_offsets[] = {0, 720, 1440};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_F32 -> position * 60. */
static const int16_t cache_offsets[] = {0,  60, 120, 180, 240, -1, 300, 360, -1,  -1,
                                        -1, -1, -1,  420, 480, -1, -1,  540, 600, 660};
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

/* head_size, where a head can be read in whole vectors; else 0: value - 64 -> position * 15. */
static const int16_t head_size_offsets[] = {
    0,  45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45,
    45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45,
    45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 15, 45,
    45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45,
    45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45,
    45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45,
    45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45,
    45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45,
    45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 45, 30};
static const int64_t head_size_values[] = {64, 128, 256};

/* rows of a tile, where there is a head_size; else 0: value - 8 -> position * 3. */
static const int16_t rows_offsets[] = {
    0,  12, 12, 12, 12, 12, 12, 12, 3,  12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
    12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
    12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 6,  12, 12, 12, 12, 12, 12,
    12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
    12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12,
    12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 9};
static const int64_t rows_values[] = {8, 16, 64, 128};

/* the compute capability of the device: value - 80 -> position * 1. */
static const int16_t arch_offsets[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const int64_t arch_values[] = {80, 90};

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
    {.first = 64,
     .span = 193,
     .offsets = head_size_offsets,
     .below = 45,
     .above = 45,
     .name = "head_size",
     .kind = KVF_AXIS_INTEGER,
     .meaning = "head_size, where a head can be read in whole vectors; else 0",
     .values = head_size_values,
     .num_values = 3,
     .generic = true},
    {.first = 8,
     .span = 121,
     .offsets = rows_offsets,
     .below = 12,
     .above = 12,
     .name = "rows",
     .kind = KVF_AXIS_INTEGER,
     .meaning = "rows of a tile, where there is a head_size; else 0",
     .values = rows_values,
     .num_values = 4,
     .generic = true},
    {.first = 80,
     .span = 11,
     .offsets = arch_offsets,
     .below = 2,
     .above = 0,
     .name = "arch",
     .kind = KVF_AXIS_ARCH,
     .meaning = "the compute capability of the device",
     .values = arch_values,
     .num_values = 2,
     .generic = true},
};

/* [backend][scalar][cache][head_size][rows][arch] -> the row that is most special for a call; -1:
 * none serves it. */
static const int16_t cells[] = {
    0,   0,   0,   /* cpu f32 f32 64 8 */
    0,   0,   0,   /* cpu f32 f32 64 16 */
    0,   0,   0,   /* cpu f32 f32 64 64 */
    0,   0,   0,   /* cpu f32 f32 64 128 */
    0,   0,   0,   /* cpu f32 f32 64 other */
    0,   0,   0,   /* cpu f32 f32 128 8 */
    0,   0,   0,   /* cpu f32 f32 128 16 */
    0,   0,   0,   /* cpu f32 f32 128 64 */
    0,   0,   0,   /* cpu f32 f32 128 128 */
    0,   0,   0,   /* cpu f32 f32 128 other */
    0,   0,   0,   /* cpu f32 f32 256 8 */
    0,   0,   0,   /* cpu f32 f32 256 16 */
    0,   0,   0,   /* cpu f32 f32 256 64 */
    0,   0,   0,   /* cpu f32 f32 256 128 */
    0,   0,   0,   /* cpu f32 f32 256 other */
    0,   0,   0,   /* cpu f32 f32 other 8 */
    0,   0,   0,   /* cpu f32 f32 other 16 */
    0,   0,   0,   /* cpu f32 f32 other 64 */
    0,   0,   0,   /* cpu f32 f32 other 128 */
    0,   0,   0,   /* cpu f32 f32 other other */
    -1,  -1,  -1,  /* cpu f32 f16 64 8 */
    -1,  -1,  -1,  /* cpu f32 f16 64 16 */
    -1,  -1,  -1,  /* cpu f32 f16 64 64 */
    -1,  -1,  -1,  /* cpu f32 f16 64 128 */
    -1,  -1,  -1,  /* cpu f32 f16 64 other */
    -1,  -1,  -1,  /* cpu f32 f16 128 8 */
    -1,  -1,  -1,  /* cpu f32 f16 128 16 */
    -1,  -1,  -1,  /* cpu f32 f16 128 64 */
    -1,  -1,  -1,  /* cpu f32 f16 128 128 */
    -1,  -1,  -1,  /* cpu f32 f16 128 other */
    -1,  -1,  -1,  /* cpu f32 f16 256 8 */
    -1,  -1,  -1,  /* cpu f32 f16 256 16 */
    -1,  -1,  -1,  /* cpu f32 f16 256 64 */
    -1,  -1,  -1,  /* cpu f32 f16 256 128 */
    -1,  -1,  -1,  /* cpu f32 f16 256 other */
    -1,  -1,  -1,  /* cpu f32 f16 other 8 */
    -1,  -1,  -1,  /* cpu f32 f16 other 16 */
    -1,  -1,  -1,  /* cpu f32 f16 other 64 */
    -1,  -1,  -1,  /* cpu f32 f16 other 128 */
    -1,  -1,  -1,  /* cpu f32 f16 other other */
    -1,  -1,  -1,  /* cpu f32 bf16 64 8 */
    -1,  -1,  -1,  /* cpu f32 bf16 64 16 */
    -1,  -1,  -1,  /* cpu f32 bf16 64 64 */
    -1,  -1,  -1,  /* cpu f32 bf16 64 128 */
    -1,  -1,  -1,  /* cpu f32 bf16 64 other */
    -1,  -1,  -1,  /* cpu f32 bf16 128 8 */
    -1,  -1,  -1,  /* cpu f32 bf16 128 16 */
    -1,  -1,  -1,  /* cpu f32 bf16 128 64 */
    -1,  -1,  -1,  /* cpu f32 bf16 128 128 */
    -1,  -1,  -1,  /* cpu f32 bf16 128 other */
    -1,  -1,  -1,  /* cpu f32 bf16 256 8 */
    -1,  -1,  -1,  /* cpu f32 bf16 256 16 */
    -1,  -1,  -1,  /* cpu f32 bf16 256 64 */
    -1,  -1,  -1,  /* cpu f32 bf16 256 128 */
    -1,  -1,  -1,  /* cpu f32 bf16 256 other */
    -1,  -1,  -1,  /* cpu f32 bf16 other 8 */
    -1,  -1,  -1,  /* cpu f32 bf16 other 16 */
    -1,  -1,  -1,  /* cpu f32 bf16 other 64 */
    -1,  -1,  -1,  /* cpu f32 bf16 other 128 */
    -1,  -1,  -1,  /* cpu f32 bf16 other other */
    1,   1,   1,   /* cpu f32 fp8_e4m3 64 8 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 64 16 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 64 64 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 64 128 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 64 other */
    1,   1,   1,   /* cpu f32 fp8_e4m3 128 8 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 128 16 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 128 64 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 128 128 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 128 other */
    1,   1,   1,   /* cpu f32 fp8_e4m3 256 8 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 256 16 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 256 64 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 256 128 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 256 other */
    1,   1,   1,   /* cpu f32 fp8_e4m3 other 8 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 other 16 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 other 64 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 other 128 */
    1,   1,   1,   /* cpu f32 fp8_e4m3 other other */
    2,   2,   2,   /* cpu f32 fp8_e5m2 64 8 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 64 16 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 64 64 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 64 128 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 64 other */
    2,   2,   2,   /* cpu f32 fp8_e5m2 128 8 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 128 16 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 128 64 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 128 128 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 128 other */
    2,   2,   2,   /* cpu f32 fp8_e5m2 256 8 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 256 16 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 256 64 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 256 128 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 256 other */
    2,   2,   2,   /* cpu f32 fp8_e5m2 other 8 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 other 16 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 other 64 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 other 128 */
    2,   2,   2,   /* cpu f32 fp8_e5m2 other other */
    3,   3,   3,   /* cpu f32 int8 64 8 */
    3,   3,   3,   /* cpu f32 int8 64 16 */
    3,   3,   3,   /* cpu f32 int8 64 64 */
    3,   3,   3,   /* cpu f32 int8 64 128 */
    3,   3,   3,   /* cpu f32 int8 64 other */
    3,   3,   3,   /* cpu f32 int8 128 8 */
    3,   3,   3,   /* cpu f32 int8 128 16 */
    3,   3,   3,   /* cpu f32 int8 128 64 */
    3,   3,   3,   /* cpu f32 int8 128 128 */
    3,   3,   3,   /* cpu f32 int8 128 other */
    3,   3,   3,   /* cpu f32 int8 256 8 */
    3,   3,   3,   /* cpu f32 int8 256 16 */
    3,   3,   3,   /* cpu f32 int8 256 64 */
    3,   3,   3,   /* cpu f32 int8 256 128 */
    3,   3,   3,   /* cpu f32 int8 256 other */
    3,   3,   3,   /* cpu f32 int8 other 8 */
    3,   3,   3,   /* cpu f32 int8 other 16 */
    3,   3,   3,   /* cpu f32 int8 other 64 */
    3,   3,   3,   /* cpu f32 int8 other 128 */
    3,   3,   3,   /* cpu f32 int8 other other */
    4,   4,   4,   /* cpu f32 nvfp4 64 8 */
    4,   4,   4,   /* cpu f32 nvfp4 64 16 */
    4,   4,   4,   /* cpu f32 nvfp4 64 64 */
    4,   4,   4,   /* cpu f32 nvfp4 64 128 */
    4,   4,   4,   /* cpu f32 nvfp4 64 other */
    4,   4,   4,   /* cpu f32 nvfp4 128 8 */
    4,   4,   4,   /* cpu f32 nvfp4 128 16 */
    4,   4,   4,   /* cpu f32 nvfp4 128 64 */
    4,   4,   4,   /* cpu f32 nvfp4 128 128 */
    4,   4,   4,   /* cpu f32 nvfp4 128 other */
    4,   4,   4,   /* cpu f32 nvfp4 256 8 */
    4,   4,   4,   /* cpu f32 nvfp4 256 16 */
    4,   4,   4,   /* cpu f32 nvfp4 256 64 */
    4,   4,   4,   /* cpu f32 nvfp4 256 128 */
    4,   4,   4,   /* cpu f32 nvfp4 256 other */
    4,   4,   4,   /* cpu f32 nvfp4 other 8 */
    4,   4,   4,   /* cpu f32 nvfp4 other 16 */
    4,   4,   4,   /* cpu f32 nvfp4 other 64 */
    4,   4,   4,   /* cpu f32 nvfp4 other 128 */
    4,   4,   4,   /* cpu f32 nvfp4 other other */
    5,   5,   5,   /* cpu f32 int8_per_token_head 64 8 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 64 16 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 64 64 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 64 128 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 64 other */
    5,   5,   5,   /* cpu f32 int8_per_token_head 128 8 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 128 16 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 128 64 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 128 128 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 128 other */
    5,   5,   5,   /* cpu f32 int8_per_token_head 256 8 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 256 16 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 256 64 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 256 128 */
    5,   5,   5,   /* cpu f32 int8_per_token_head 256 other */
    5,   5,   5,   /* cpu f32 int8_per_token_head other 8 */
    5,   5,   5,   /* cpu f32 int8_per_token_head other 16 */
    5,   5,   5,   /* cpu f32 int8_per_token_head other 64 */
    5,   5,   5,   /* cpu f32 int8_per_token_head other 128 */
    5,   5,   5,   /* cpu f32 int8_per_token_head other other */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 64 8 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 64 16 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 64 64 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 64 128 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 64 other */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 128 8 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 128 16 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 128 64 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 128 128 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 128 other */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 256 8 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 256 16 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 256 64 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 256 128 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head 256 other */
    6,   6,   6,   /* cpu f32 fp8_per_token_head other 8 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head other 16 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head other 64 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head other 128 */
    6,   6,   6,   /* cpu f32 fp8_per_token_head other other */
    7,   7,   7,   /* cpu f32 int4_per_token_head 64 8 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 64 16 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 64 64 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 64 128 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 64 other */
    7,   7,   7,   /* cpu f32 int4_per_token_head 128 8 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 128 16 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 128 64 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 128 128 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 128 other */
    7,   7,   7,   /* cpu f32 int4_per_token_head 256 8 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 256 16 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 256 64 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 256 128 */
    7,   7,   7,   /* cpu f32 int4_per_token_head 256 other */
    7,   7,   7,   /* cpu f32 int4_per_token_head other 8 */
    7,   7,   7,   /* cpu f32 int4_per_token_head other 16 */
    7,   7,   7,   /* cpu f32 int4_per_token_head other 64 */
    7,   7,   7,   /* cpu f32 int4_per_token_head other 128 */
    7,   7,   7,   /* cpu f32 int4_per_token_head other other */
    8,   8,   8,   /* cpu f32 q8_0 64 8 */
    8,   8,   8,   /* cpu f32 q8_0 64 16 */
    8,   8,   8,   /* cpu f32 q8_0 64 64 */
    8,   8,   8,   /* cpu f32 q8_0 64 128 */
    8,   8,   8,   /* cpu f32 q8_0 64 other */
    8,   8,   8,   /* cpu f32 q8_0 128 8 */
    8,   8,   8,   /* cpu f32 q8_0 128 16 */
    8,   8,   8,   /* cpu f32 q8_0 128 64 */
    8,   8,   8,   /* cpu f32 q8_0 128 128 */
    8,   8,   8,   /* cpu f32 q8_0 128 other */
    8,   8,   8,   /* cpu f32 q8_0 256 8 */
    8,   8,   8,   /* cpu f32 q8_0 256 16 */
    8,   8,   8,   /* cpu f32 q8_0 256 64 */
    8,   8,   8,   /* cpu f32 q8_0 256 128 */
    8,   8,   8,   /* cpu f32 q8_0 256 other */
    8,   8,   8,   /* cpu f32 q8_0 other 8 */
    8,   8,   8,   /* cpu f32 q8_0 other 16 */
    8,   8,   8,   /* cpu f32 q8_0 other 64 */
    8,   8,   8,   /* cpu f32 q8_0 other 128 */
    8,   8,   8,   /* cpu f32 q8_0 other other */
    9,   9,   9,   /* cpu f32 q4_0 64 8 */
    9,   9,   9,   /* cpu f32 q4_0 64 16 */
    9,   9,   9,   /* cpu f32 q4_0 64 64 */
    9,   9,   9,   /* cpu f32 q4_0 64 128 */
    9,   9,   9,   /* cpu f32 q4_0 64 other */
    9,   9,   9,   /* cpu f32 q4_0 128 8 */
    9,   9,   9,   /* cpu f32 q4_0 128 16 */
    9,   9,   9,   /* cpu f32 q4_0 128 64 */
    9,   9,   9,   /* cpu f32 q4_0 128 128 */
    9,   9,   9,   /* cpu f32 q4_0 128 other */
    9,   9,   9,   /* cpu f32 q4_0 256 8 */
    9,   9,   9,   /* cpu f32 q4_0 256 16 */
    9,   9,   9,   /* cpu f32 q4_0 256 64 */
    9,   9,   9,   /* cpu f32 q4_0 256 128 */
    9,   9,   9,   /* cpu f32 q4_0 256 other */
    9,   9,   9,   /* cpu f32 q4_0 other 8 */
    9,   9,   9,   /* cpu f32 q4_0 other 16 */
    9,   9,   9,   /* cpu f32 q4_0 other 64 */
    9,   9,   9,   /* cpu f32 q4_0 other 128 */
    9,   9,   9,   /* cpu f32 q4_0 other other */
    -1,  -1,  -1,  /* cpu f16 f32 64 8 */
    -1,  -1,  -1,  /* cpu f16 f32 64 16 */
    -1,  -1,  -1,  /* cpu f16 f32 64 64 */
    -1,  -1,  -1,  /* cpu f16 f32 64 128 */
    -1,  -1,  -1,  /* cpu f16 f32 64 other */
    -1,  -1,  -1,  /* cpu f16 f32 128 8 */
    -1,  -1,  -1,  /* cpu f16 f32 128 16 */
    -1,  -1,  -1,  /* cpu f16 f32 128 64 */
    -1,  -1,  -1,  /* cpu f16 f32 128 128 */
    -1,  -1,  -1,  /* cpu f16 f32 128 other */
    -1,  -1,  -1,  /* cpu f16 f32 256 8 */
    -1,  -1,  -1,  /* cpu f16 f32 256 16 */
    -1,  -1,  -1,  /* cpu f16 f32 256 64 */
    -1,  -1,  -1,  /* cpu f16 f32 256 128 */
    -1,  -1,  -1,  /* cpu f16 f32 256 other */
    -1,  -1,  -1,  /* cpu f16 f32 other 8 */
    -1,  -1,  -1,  /* cpu f16 f32 other 16 */
    -1,  -1,  -1,  /* cpu f16 f32 other 64 */
    -1,  -1,  -1,  /* cpu f16 f32 other 128 */
    -1,  -1,  -1,  /* cpu f16 f32 other other */
    10,  10,  10,  /* cpu f16 f16 64 8 */
    10,  10,  10,  /* cpu f16 f16 64 16 */
    10,  10,  10,  /* cpu f16 f16 64 64 */
    10,  10,  10,  /* cpu f16 f16 64 128 */
    10,  10,  10,  /* cpu f16 f16 64 other */
    10,  10,  10,  /* cpu f16 f16 128 8 */
    10,  10,  10,  /* cpu f16 f16 128 16 */
    10,  10,  10,  /* cpu f16 f16 128 64 */
    10,  10,  10,  /* cpu f16 f16 128 128 */
    10,  10,  10,  /* cpu f16 f16 128 other */
    10,  10,  10,  /* cpu f16 f16 256 8 */
    10,  10,  10,  /* cpu f16 f16 256 16 */
    10,  10,  10,  /* cpu f16 f16 256 64 */
    10,  10,  10,  /* cpu f16 f16 256 128 */
    10,  10,  10,  /* cpu f16 f16 256 other */
    10,  10,  10,  /* cpu f16 f16 other 8 */
    10,  10,  10,  /* cpu f16 f16 other 16 */
    10,  10,  10,  /* cpu f16 f16 other 64 */
    10,  10,  10,  /* cpu f16 f16 other 128 */
    10,  10,  10,  /* cpu f16 f16 other other */
    -1,  -1,  -1,  /* cpu f16 bf16 64 8 */
    -1,  -1,  -1,  /* cpu f16 bf16 64 16 */
    -1,  -1,  -1,  /* cpu f16 bf16 64 64 */
    -1,  -1,  -1,  /* cpu f16 bf16 64 128 */
    -1,  -1,  -1,  /* cpu f16 bf16 64 other */
    -1,  -1,  -1,  /* cpu f16 bf16 128 8 */
    -1,  -1,  -1,  /* cpu f16 bf16 128 16 */
    -1,  -1,  -1,  /* cpu f16 bf16 128 64 */
    -1,  -1,  -1,  /* cpu f16 bf16 128 128 */
    -1,  -1,  -1,  /* cpu f16 bf16 128 other */
    -1,  -1,  -1,  /* cpu f16 bf16 256 8 */
    -1,  -1,  -1,  /* cpu f16 bf16 256 16 */
    -1,  -1,  -1,  /* cpu f16 bf16 256 64 */
    -1,  -1,  -1,  /* cpu f16 bf16 256 128 */
    -1,  -1,  -1,  /* cpu f16 bf16 256 other */
    -1,  -1,  -1,  /* cpu f16 bf16 other 8 */
    -1,  -1,  -1,  /* cpu f16 bf16 other 16 */
    -1,  -1,  -1,  /* cpu f16 bf16 other 64 */
    -1,  -1,  -1,  /* cpu f16 bf16 other 128 */
    -1,  -1,  -1,  /* cpu f16 bf16 other other */
    11,  11,  11,  /* cpu f16 fp8_e4m3 64 8 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 64 16 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 64 64 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 64 128 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 64 other */
    11,  11,  11,  /* cpu f16 fp8_e4m3 128 8 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 128 16 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 128 64 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 128 128 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 128 other */
    11,  11,  11,  /* cpu f16 fp8_e4m3 256 8 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 256 16 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 256 64 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 256 128 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 256 other */
    11,  11,  11,  /* cpu f16 fp8_e4m3 other 8 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 other 16 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 other 64 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 other 128 */
    11,  11,  11,  /* cpu f16 fp8_e4m3 other other */
    12,  12,  12,  /* cpu f16 fp8_e5m2 64 8 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 64 16 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 64 64 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 64 128 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 64 other */
    12,  12,  12,  /* cpu f16 fp8_e5m2 128 8 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 128 16 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 128 64 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 128 128 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 128 other */
    12,  12,  12,  /* cpu f16 fp8_e5m2 256 8 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 256 16 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 256 64 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 256 128 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 256 other */
    12,  12,  12,  /* cpu f16 fp8_e5m2 other 8 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 other 16 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 other 64 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 other 128 */
    12,  12,  12,  /* cpu f16 fp8_e5m2 other other */
    13,  13,  13,  /* cpu f16 int8 64 8 */
    13,  13,  13,  /* cpu f16 int8 64 16 */
    13,  13,  13,  /* cpu f16 int8 64 64 */
    13,  13,  13,  /* cpu f16 int8 64 128 */
    13,  13,  13,  /* cpu f16 int8 64 other */
    13,  13,  13,  /* cpu f16 int8 128 8 */
    13,  13,  13,  /* cpu f16 int8 128 16 */
    13,  13,  13,  /* cpu f16 int8 128 64 */
    13,  13,  13,  /* cpu f16 int8 128 128 */
    13,  13,  13,  /* cpu f16 int8 128 other */
    13,  13,  13,  /* cpu f16 int8 256 8 */
    13,  13,  13,  /* cpu f16 int8 256 16 */
    13,  13,  13,  /* cpu f16 int8 256 64 */
    13,  13,  13,  /* cpu f16 int8 256 128 */
    13,  13,  13,  /* cpu f16 int8 256 other */
    13,  13,  13,  /* cpu f16 int8 other 8 */
    13,  13,  13,  /* cpu f16 int8 other 16 */
    13,  13,  13,  /* cpu f16 int8 other 64 */
    13,  13,  13,  /* cpu f16 int8 other 128 */
    13,  13,  13,  /* cpu f16 int8 other other */
    14,  14,  14,  /* cpu f16 nvfp4 64 8 */
    14,  14,  14,  /* cpu f16 nvfp4 64 16 */
    14,  14,  14,  /* cpu f16 nvfp4 64 64 */
    14,  14,  14,  /* cpu f16 nvfp4 64 128 */
    14,  14,  14,  /* cpu f16 nvfp4 64 other */
    14,  14,  14,  /* cpu f16 nvfp4 128 8 */
    14,  14,  14,  /* cpu f16 nvfp4 128 16 */
    14,  14,  14,  /* cpu f16 nvfp4 128 64 */
    14,  14,  14,  /* cpu f16 nvfp4 128 128 */
    14,  14,  14,  /* cpu f16 nvfp4 128 other */
    14,  14,  14,  /* cpu f16 nvfp4 256 8 */
    14,  14,  14,  /* cpu f16 nvfp4 256 16 */
    14,  14,  14,  /* cpu f16 nvfp4 256 64 */
    14,  14,  14,  /* cpu f16 nvfp4 256 128 */
    14,  14,  14,  /* cpu f16 nvfp4 256 other */
    14,  14,  14,  /* cpu f16 nvfp4 other 8 */
    14,  14,  14,  /* cpu f16 nvfp4 other 16 */
    14,  14,  14,  /* cpu f16 nvfp4 other 64 */
    14,  14,  14,  /* cpu f16 nvfp4 other 128 */
    14,  14,  14,  /* cpu f16 nvfp4 other other */
    15,  15,  15,  /* cpu f16 int8_per_token_head 64 8 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 64 16 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 64 64 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 64 128 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 64 other */
    15,  15,  15,  /* cpu f16 int8_per_token_head 128 8 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 128 16 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 128 64 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 128 128 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 128 other */
    15,  15,  15,  /* cpu f16 int8_per_token_head 256 8 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 256 16 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 256 64 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 256 128 */
    15,  15,  15,  /* cpu f16 int8_per_token_head 256 other */
    15,  15,  15,  /* cpu f16 int8_per_token_head other 8 */
    15,  15,  15,  /* cpu f16 int8_per_token_head other 16 */
    15,  15,  15,  /* cpu f16 int8_per_token_head other 64 */
    15,  15,  15,  /* cpu f16 int8_per_token_head other 128 */
    15,  15,  15,  /* cpu f16 int8_per_token_head other other */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 64 8 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 64 16 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 64 64 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 64 128 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 64 other */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 128 8 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 128 16 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 128 64 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 128 128 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 128 other */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 256 8 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 256 16 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 256 64 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 256 128 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head 256 other */
    16,  16,  16,  /* cpu f16 fp8_per_token_head other 8 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head other 16 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head other 64 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head other 128 */
    16,  16,  16,  /* cpu f16 fp8_per_token_head other other */
    17,  17,  17,  /* cpu f16 int4_per_token_head 64 8 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 64 16 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 64 64 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 64 128 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 64 other */
    17,  17,  17,  /* cpu f16 int4_per_token_head 128 8 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 128 16 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 128 64 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 128 128 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 128 other */
    17,  17,  17,  /* cpu f16 int4_per_token_head 256 8 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 256 16 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 256 64 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 256 128 */
    17,  17,  17,  /* cpu f16 int4_per_token_head 256 other */
    17,  17,  17,  /* cpu f16 int4_per_token_head other 8 */
    17,  17,  17,  /* cpu f16 int4_per_token_head other 16 */
    17,  17,  17,  /* cpu f16 int4_per_token_head other 64 */
    17,  17,  17,  /* cpu f16 int4_per_token_head other 128 */
    17,  17,  17,  /* cpu f16 int4_per_token_head other other */
    18,  18,  18,  /* cpu f16 q8_0 64 8 */
    18,  18,  18,  /* cpu f16 q8_0 64 16 */
    18,  18,  18,  /* cpu f16 q8_0 64 64 */
    18,  18,  18,  /* cpu f16 q8_0 64 128 */
    18,  18,  18,  /* cpu f16 q8_0 64 other */
    18,  18,  18,  /* cpu f16 q8_0 128 8 */
    18,  18,  18,  /* cpu f16 q8_0 128 16 */
    18,  18,  18,  /* cpu f16 q8_0 128 64 */
    18,  18,  18,  /* cpu f16 q8_0 128 128 */
    18,  18,  18,  /* cpu f16 q8_0 128 other */
    18,  18,  18,  /* cpu f16 q8_0 256 8 */
    18,  18,  18,  /* cpu f16 q8_0 256 16 */
    18,  18,  18,  /* cpu f16 q8_0 256 64 */
    18,  18,  18,  /* cpu f16 q8_0 256 128 */
    18,  18,  18,  /* cpu f16 q8_0 256 other */
    18,  18,  18,  /* cpu f16 q8_0 other 8 */
    18,  18,  18,  /* cpu f16 q8_0 other 16 */
    18,  18,  18,  /* cpu f16 q8_0 other 64 */
    18,  18,  18,  /* cpu f16 q8_0 other 128 */
    18,  18,  18,  /* cpu f16 q8_0 other other */
    19,  19,  19,  /* cpu f16 q4_0 64 8 */
    19,  19,  19,  /* cpu f16 q4_0 64 16 */
    19,  19,  19,  /* cpu f16 q4_0 64 64 */
    19,  19,  19,  /* cpu f16 q4_0 64 128 */
    19,  19,  19,  /* cpu f16 q4_0 64 other */
    19,  19,  19,  /* cpu f16 q4_0 128 8 */
    19,  19,  19,  /* cpu f16 q4_0 128 16 */
    19,  19,  19,  /* cpu f16 q4_0 128 64 */
    19,  19,  19,  /* cpu f16 q4_0 128 128 */
    19,  19,  19,  /* cpu f16 q4_0 128 other */
    19,  19,  19,  /* cpu f16 q4_0 256 8 */
    19,  19,  19,  /* cpu f16 q4_0 256 16 */
    19,  19,  19,  /* cpu f16 q4_0 256 64 */
    19,  19,  19,  /* cpu f16 q4_0 256 128 */
    19,  19,  19,  /* cpu f16 q4_0 256 other */
    19,  19,  19,  /* cpu f16 q4_0 other 8 */
    19,  19,  19,  /* cpu f16 q4_0 other 16 */
    19,  19,  19,  /* cpu f16 q4_0 other 64 */
    19,  19,  19,  /* cpu f16 q4_0 other 128 */
    19,  19,  19,  /* cpu f16 q4_0 other other */
    -1,  -1,  -1,  /* cpu bf16 f32 64 8 */
    -1,  -1,  -1,  /* cpu bf16 f32 64 16 */
    -1,  -1,  -1,  /* cpu bf16 f32 64 64 */
    -1,  -1,  -1,  /* cpu bf16 f32 64 128 */
    -1,  -1,  -1,  /* cpu bf16 f32 64 other */
    -1,  -1,  -1,  /* cpu bf16 f32 128 8 */
    -1,  -1,  -1,  /* cpu bf16 f32 128 16 */
    -1,  -1,  -1,  /* cpu bf16 f32 128 64 */
    -1,  -1,  -1,  /* cpu bf16 f32 128 128 */
    -1,  -1,  -1,  /* cpu bf16 f32 128 other */
    -1,  -1,  -1,  /* cpu bf16 f32 256 8 */
    -1,  -1,  -1,  /* cpu bf16 f32 256 16 */
    -1,  -1,  -1,  /* cpu bf16 f32 256 64 */
    -1,  -1,  -1,  /* cpu bf16 f32 256 128 */
    -1,  -1,  -1,  /* cpu bf16 f32 256 other */
    -1,  -1,  -1,  /* cpu bf16 f32 other 8 */
    -1,  -1,  -1,  /* cpu bf16 f32 other 16 */
    -1,  -1,  -1,  /* cpu bf16 f32 other 64 */
    -1,  -1,  -1,  /* cpu bf16 f32 other 128 */
    -1,  -1,  -1,  /* cpu bf16 f32 other other */
    -1,  -1,  -1,  /* cpu bf16 f16 64 8 */
    -1,  -1,  -1,  /* cpu bf16 f16 64 16 */
    -1,  -1,  -1,  /* cpu bf16 f16 64 64 */
    -1,  -1,  -1,  /* cpu bf16 f16 64 128 */
    -1,  -1,  -1,  /* cpu bf16 f16 64 other */
    -1,  -1,  -1,  /* cpu bf16 f16 128 8 */
    -1,  -1,  -1,  /* cpu bf16 f16 128 16 */
    -1,  -1,  -1,  /* cpu bf16 f16 128 64 */
    -1,  -1,  -1,  /* cpu bf16 f16 128 128 */
    -1,  -1,  -1,  /* cpu bf16 f16 128 other */
    -1,  -1,  -1,  /* cpu bf16 f16 256 8 */
    -1,  -1,  -1,  /* cpu bf16 f16 256 16 */
    -1,  -1,  -1,  /* cpu bf16 f16 256 64 */
    -1,  -1,  -1,  /* cpu bf16 f16 256 128 */
    -1,  -1,  -1,  /* cpu bf16 f16 256 other */
    -1,  -1,  -1,  /* cpu bf16 f16 other 8 */
    -1,  -1,  -1,  /* cpu bf16 f16 other 16 */
    -1,  -1,  -1,  /* cpu bf16 f16 other 64 */
    -1,  -1,  -1,  /* cpu bf16 f16 other 128 */
    -1,  -1,  -1,  /* cpu bf16 f16 other other */
    20,  20,  20,  /* cpu bf16 bf16 64 8 */
    20,  20,  20,  /* cpu bf16 bf16 64 16 */
    20,  20,  20,  /* cpu bf16 bf16 64 64 */
    20,  20,  20,  /* cpu bf16 bf16 64 128 */
    20,  20,  20,  /* cpu bf16 bf16 64 other */
    20,  20,  20,  /* cpu bf16 bf16 128 8 */
    20,  20,  20,  /* cpu bf16 bf16 128 16 */
    20,  20,  20,  /* cpu bf16 bf16 128 64 */
    20,  20,  20,  /* cpu bf16 bf16 128 128 */
    20,  20,  20,  /* cpu bf16 bf16 128 other */
    20,  20,  20,  /* cpu bf16 bf16 256 8 */
    20,  20,  20,  /* cpu bf16 bf16 256 16 */
    20,  20,  20,  /* cpu bf16 bf16 256 64 */
    20,  20,  20,  /* cpu bf16 bf16 256 128 */
    20,  20,  20,  /* cpu bf16 bf16 256 other */
    20,  20,  20,  /* cpu bf16 bf16 other 8 */
    20,  20,  20,  /* cpu bf16 bf16 other 16 */
    20,  20,  20,  /* cpu bf16 bf16 other 64 */
    20,  20,  20,  /* cpu bf16 bf16 other 128 */
    20,  20,  20,  /* cpu bf16 bf16 other other */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 64 8 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 64 16 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 64 64 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 64 128 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 64 other */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 128 8 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 128 16 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 128 64 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 128 128 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 128 other */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 256 8 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 256 16 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 256 64 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 256 128 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 256 other */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 other 8 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 other 16 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 other 64 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 other 128 */
    21,  21,  21,  /* cpu bf16 fp8_e4m3 other other */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 64 8 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 64 16 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 64 64 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 64 128 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 64 other */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 128 8 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 128 16 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 128 64 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 128 128 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 128 other */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 256 8 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 256 16 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 256 64 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 256 128 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 256 other */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 other 8 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 other 16 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 other 64 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 other 128 */
    22,  22,  22,  /* cpu bf16 fp8_e5m2 other other */
    23,  23,  23,  /* cpu bf16 int8 64 8 */
    23,  23,  23,  /* cpu bf16 int8 64 16 */
    23,  23,  23,  /* cpu bf16 int8 64 64 */
    23,  23,  23,  /* cpu bf16 int8 64 128 */
    23,  23,  23,  /* cpu bf16 int8 64 other */
    23,  23,  23,  /* cpu bf16 int8 128 8 */
    23,  23,  23,  /* cpu bf16 int8 128 16 */
    23,  23,  23,  /* cpu bf16 int8 128 64 */
    23,  23,  23,  /* cpu bf16 int8 128 128 */
    23,  23,  23,  /* cpu bf16 int8 128 other */
    23,  23,  23,  /* cpu bf16 int8 256 8 */
    23,  23,  23,  /* cpu bf16 int8 256 16 */
    23,  23,  23,  /* cpu bf16 int8 256 64 */
    23,  23,  23,  /* cpu bf16 int8 256 128 */
    23,  23,  23,  /* cpu bf16 int8 256 other */
    23,  23,  23,  /* cpu bf16 int8 other 8 */
    23,  23,  23,  /* cpu bf16 int8 other 16 */
    23,  23,  23,  /* cpu bf16 int8 other 64 */
    23,  23,  23,  /* cpu bf16 int8 other 128 */
    23,  23,  23,  /* cpu bf16 int8 other other */
    24,  24,  24,  /* cpu bf16 nvfp4 64 8 */
    24,  24,  24,  /* cpu bf16 nvfp4 64 16 */
    24,  24,  24,  /* cpu bf16 nvfp4 64 64 */
    24,  24,  24,  /* cpu bf16 nvfp4 64 128 */
    24,  24,  24,  /* cpu bf16 nvfp4 64 other */
    24,  24,  24,  /* cpu bf16 nvfp4 128 8 */
    24,  24,  24,  /* cpu bf16 nvfp4 128 16 */
    24,  24,  24,  /* cpu bf16 nvfp4 128 64 */
    24,  24,  24,  /* cpu bf16 nvfp4 128 128 */
    24,  24,  24,  /* cpu bf16 nvfp4 128 other */
    24,  24,  24,  /* cpu bf16 nvfp4 256 8 */
    24,  24,  24,  /* cpu bf16 nvfp4 256 16 */
    24,  24,  24,  /* cpu bf16 nvfp4 256 64 */
    24,  24,  24,  /* cpu bf16 nvfp4 256 128 */
    24,  24,  24,  /* cpu bf16 nvfp4 256 other */
    24,  24,  24,  /* cpu bf16 nvfp4 other 8 */
    24,  24,  24,  /* cpu bf16 nvfp4 other 16 */
    24,  24,  24,  /* cpu bf16 nvfp4 other 64 */
    24,  24,  24,  /* cpu bf16 nvfp4 other 128 */
    24,  24,  24,  /* cpu bf16 nvfp4 other other */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 64 8 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 64 16 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 64 64 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 64 128 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 64 other */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 128 8 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 128 16 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 128 64 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 128 128 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 128 other */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 256 8 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 256 16 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 256 64 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 256 128 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head 256 other */
    25,  25,  25,  /* cpu bf16 int8_per_token_head other 8 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head other 16 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head other 64 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head other 128 */
    25,  25,  25,  /* cpu bf16 int8_per_token_head other other */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 64 8 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 64 16 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 64 64 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 64 128 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 64 other */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 128 8 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 128 16 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 128 64 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 128 128 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 128 other */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 256 8 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 256 16 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 256 64 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 256 128 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head 256 other */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head other 8 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head other 16 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head other 64 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head other 128 */
    26,  26,  26,  /* cpu bf16 fp8_per_token_head other other */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 64 8 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 64 16 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 64 64 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 64 128 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 64 other */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 128 8 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 128 16 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 128 64 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 128 128 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 128 other */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 256 8 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 256 16 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 256 64 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 256 128 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head 256 other */
    27,  27,  27,  /* cpu bf16 int4_per_token_head other 8 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head other 16 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head other 64 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head other 128 */
    27,  27,  27,  /* cpu bf16 int4_per_token_head other other */
    28,  28,  28,  /* cpu bf16 q8_0 64 8 */
    28,  28,  28,  /* cpu bf16 q8_0 64 16 */
    28,  28,  28,  /* cpu bf16 q8_0 64 64 */
    28,  28,  28,  /* cpu bf16 q8_0 64 128 */
    28,  28,  28,  /* cpu bf16 q8_0 64 other */
    28,  28,  28,  /* cpu bf16 q8_0 128 8 */
    28,  28,  28,  /* cpu bf16 q8_0 128 16 */
    28,  28,  28,  /* cpu bf16 q8_0 128 64 */
    28,  28,  28,  /* cpu bf16 q8_0 128 128 */
    28,  28,  28,  /* cpu bf16 q8_0 128 other */
    28,  28,  28,  /* cpu bf16 q8_0 256 8 */
    28,  28,  28,  /* cpu bf16 q8_0 256 16 */
    28,  28,  28,  /* cpu bf16 q8_0 256 64 */
    28,  28,  28,  /* cpu bf16 q8_0 256 128 */
    28,  28,  28,  /* cpu bf16 q8_0 256 other */
    28,  28,  28,  /* cpu bf16 q8_0 other 8 */
    28,  28,  28,  /* cpu bf16 q8_0 other 16 */
    28,  28,  28,  /* cpu bf16 q8_0 other 64 */
    28,  28,  28,  /* cpu bf16 q8_0 other 128 */
    28,  28,  28,  /* cpu bf16 q8_0 other other */
    29,  29,  29,  /* cpu bf16 q4_0 64 8 */
    29,  29,  29,  /* cpu bf16 q4_0 64 16 */
    29,  29,  29,  /* cpu bf16 q4_0 64 64 */
    29,  29,  29,  /* cpu bf16 q4_0 64 128 */
    29,  29,  29,  /* cpu bf16 q4_0 64 other */
    29,  29,  29,  /* cpu bf16 q4_0 128 8 */
    29,  29,  29,  /* cpu bf16 q4_0 128 16 */
    29,  29,  29,  /* cpu bf16 q4_0 128 64 */
    29,  29,  29,  /* cpu bf16 q4_0 128 128 */
    29,  29,  29,  /* cpu bf16 q4_0 128 other */
    29,  29,  29,  /* cpu bf16 q4_0 256 8 */
    29,  29,  29,  /* cpu bf16 q4_0 256 16 */
    29,  29,  29,  /* cpu bf16 q4_0 256 64 */
    29,  29,  29,  /* cpu bf16 q4_0 256 128 */
    29,  29,  29,  /* cpu bf16 q4_0 256 other */
    29,  29,  29,  /* cpu bf16 q4_0 other 8 */
    29,  29,  29,  /* cpu bf16 q4_0 other 16 */
    29,  29,  29,  /* cpu bf16 q4_0 other 64 */
    29,  29,  29,  /* cpu bf16 q4_0 other 128 */
    29,  29,  29,  /* cpu bf16 q4_0 other other */
    30,  30,  30,  /* cuda f32 f32 64 8 */
    30,  30,  30,  /* cuda f32 f32 64 16 */
    30,  30,  30,  /* cuda f32 f32 64 64 */
    30,  30,  30,  /* cuda f32 f32 64 128 */
    30,  30,  30,  /* cuda f32 f32 64 other */
    30,  30,  30,  /* cuda f32 f32 128 8 */
    30,  30,  30,  /* cuda f32 f32 128 16 */
    30,  30,  30,  /* cuda f32 f32 128 64 */
    30,  30,  30,  /* cuda f32 f32 128 128 */
    30,  30,  30,  /* cuda f32 f32 128 other */
    30,  30,  30,  /* cuda f32 f32 256 8 */
    30,  30,  30,  /* cuda f32 f32 256 16 */
    30,  30,  30,  /* cuda f32 f32 256 64 */
    30,  30,  30,  /* cuda f32 f32 256 128 */
    30,  30,  30,  /* cuda f32 f32 256 other */
    30,  30,  30,  /* cuda f32 f32 other 8 */
    30,  30,  30,  /* cuda f32 f32 other 16 */
    30,  30,  30,  /* cuda f32 f32 other 64 */
    30,  30,  30,  /* cuda f32 f32 other 128 */
    30,  30,  30,  /* cuda f32 f32 other other */
    -1,  -1,  -1,  /* cuda f32 f16 64 8 */
    -1,  -1,  -1,  /* cuda f32 f16 64 16 */
    -1,  -1,  -1,  /* cuda f32 f16 64 64 */
    -1,  -1,  -1,  /* cuda f32 f16 64 128 */
    -1,  -1,  -1,  /* cuda f32 f16 64 other */
    -1,  -1,  -1,  /* cuda f32 f16 128 8 */
    -1,  -1,  -1,  /* cuda f32 f16 128 16 */
    -1,  -1,  -1,  /* cuda f32 f16 128 64 */
    -1,  -1,  -1,  /* cuda f32 f16 128 128 */
    -1,  -1,  -1,  /* cuda f32 f16 128 other */
    -1,  -1,  -1,  /* cuda f32 f16 256 8 */
    -1,  -1,  -1,  /* cuda f32 f16 256 16 */
    -1,  -1,  -1,  /* cuda f32 f16 256 64 */
    -1,  -1,  -1,  /* cuda f32 f16 256 128 */
    -1,  -1,  -1,  /* cuda f32 f16 256 other */
    -1,  -1,  -1,  /* cuda f32 f16 other 8 */
    -1,  -1,  -1,  /* cuda f32 f16 other 16 */
    -1,  -1,  -1,  /* cuda f32 f16 other 64 */
    -1,  -1,  -1,  /* cuda f32 f16 other 128 */
    -1,  -1,  -1,  /* cuda f32 f16 other other */
    -1,  -1,  -1,  /* cuda f32 bf16 64 8 */
    -1,  -1,  -1,  /* cuda f32 bf16 64 16 */
    -1,  -1,  -1,  /* cuda f32 bf16 64 64 */
    -1,  -1,  -1,  /* cuda f32 bf16 64 128 */
    -1,  -1,  -1,  /* cuda f32 bf16 64 other */
    -1,  -1,  -1,  /* cuda f32 bf16 128 8 */
    -1,  -1,  -1,  /* cuda f32 bf16 128 16 */
    -1,  -1,  -1,  /* cuda f32 bf16 128 64 */
    -1,  -1,  -1,  /* cuda f32 bf16 128 128 */
    -1,  -1,  -1,  /* cuda f32 bf16 128 other */
    -1,  -1,  -1,  /* cuda f32 bf16 256 8 */
    -1,  -1,  -1,  /* cuda f32 bf16 256 16 */
    -1,  -1,  -1,  /* cuda f32 bf16 256 64 */
    -1,  -1,  -1,  /* cuda f32 bf16 256 128 */
    -1,  -1,  -1,  /* cuda f32 bf16 256 other */
    -1,  -1,  -1,  /* cuda f32 bf16 other 8 */
    -1,  -1,  -1,  /* cuda f32 bf16 other 16 */
    -1,  -1,  -1,  /* cuda f32 bf16 other 64 */
    -1,  -1,  -1,  /* cuda f32 bf16 other 128 */
    -1,  -1,  -1,  /* cuda f32 bf16 other other */
    31,  31,  31,  /* cuda f32 fp8_e4m3 64 8 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 64 16 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 64 64 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 64 128 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 64 other */
    31,  31,  31,  /* cuda f32 fp8_e4m3 128 8 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 128 16 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 128 64 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 128 128 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 128 other */
    31,  31,  31,  /* cuda f32 fp8_e4m3 256 8 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 256 16 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 256 64 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 256 128 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 256 other */
    31,  31,  31,  /* cuda f32 fp8_e4m3 other 8 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 other 16 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 other 64 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 other 128 */
    31,  31,  31,  /* cuda f32 fp8_e4m3 other other */
    32,  32,  32,  /* cuda f32 fp8_e5m2 64 8 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 64 16 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 64 64 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 64 128 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 64 other */
    32,  32,  32,  /* cuda f32 fp8_e5m2 128 8 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 128 16 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 128 64 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 128 128 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 128 other */
    32,  32,  32,  /* cuda f32 fp8_e5m2 256 8 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 256 16 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 256 64 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 256 128 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 256 other */
    32,  32,  32,  /* cuda f32 fp8_e5m2 other 8 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 other 16 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 other 64 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 other 128 */
    32,  32,  32,  /* cuda f32 fp8_e5m2 other other */
    33,  33,  33,  /* cuda f32 int8 64 8 */
    33,  33,  33,  /* cuda f32 int8 64 16 */
    33,  33,  33,  /* cuda f32 int8 64 64 */
    33,  33,  33,  /* cuda f32 int8 64 128 */
    33,  33,  33,  /* cuda f32 int8 64 other */
    33,  33,  33,  /* cuda f32 int8 128 8 */
    33,  33,  33,  /* cuda f32 int8 128 16 */
    33,  33,  33,  /* cuda f32 int8 128 64 */
    33,  33,  33,  /* cuda f32 int8 128 128 */
    33,  33,  33,  /* cuda f32 int8 128 other */
    33,  33,  33,  /* cuda f32 int8 256 8 */
    33,  33,  33,  /* cuda f32 int8 256 16 */
    33,  33,  33,  /* cuda f32 int8 256 64 */
    33,  33,  33,  /* cuda f32 int8 256 128 */
    33,  33,  33,  /* cuda f32 int8 256 other */
    33,  33,  33,  /* cuda f32 int8 other 8 */
    33,  33,  33,  /* cuda f32 int8 other 16 */
    33,  33,  33,  /* cuda f32 int8 other 64 */
    33,  33,  33,  /* cuda f32 int8 other 128 */
    33,  33,  33,  /* cuda f32 int8 other other */
    34,  34,  34,  /* cuda f32 nvfp4 64 8 */
    34,  34,  34,  /* cuda f32 nvfp4 64 16 */
    34,  34,  34,  /* cuda f32 nvfp4 64 64 */
    34,  34,  34,  /* cuda f32 nvfp4 64 128 */
    34,  34,  34,  /* cuda f32 nvfp4 64 other */
    34,  34,  34,  /* cuda f32 nvfp4 128 8 */
    34,  34,  34,  /* cuda f32 nvfp4 128 16 */
    34,  34,  34,  /* cuda f32 nvfp4 128 64 */
    34,  34,  34,  /* cuda f32 nvfp4 128 128 */
    34,  34,  34,  /* cuda f32 nvfp4 128 other */
    34,  34,  34,  /* cuda f32 nvfp4 256 8 */
    34,  34,  34,  /* cuda f32 nvfp4 256 16 */
    34,  34,  34,  /* cuda f32 nvfp4 256 64 */
    34,  34,  34,  /* cuda f32 nvfp4 256 128 */
    34,  34,  34,  /* cuda f32 nvfp4 256 other */
    34,  34,  34,  /* cuda f32 nvfp4 other 8 */
    34,  34,  34,  /* cuda f32 nvfp4 other 16 */
    34,  34,  34,  /* cuda f32 nvfp4 other 64 */
    34,  34,  34,  /* cuda f32 nvfp4 other 128 */
    34,  34,  34,  /* cuda f32 nvfp4 other other */
    35,  35,  35,  /* cuda f32 int8_per_token_head 64 8 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 64 16 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 64 64 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 64 128 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 64 other */
    35,  35,  35,  /* cuda f32 int8_per_token_head 128 8 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 128 16 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 128 64 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 128 128 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 128 other */
    35,  35,  35,  /* cuda f32 int8_per_token_head 256 8 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 256 16 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 256 64 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 256 128 */
    35,  35,  35,  /* cuda f32 int8_per_token_head 256 other */
    35,  35,  35,  /* cuda f32 int8_per_token_head other 8 */
    35,  35,  35,  /* cuda f32 int8_per_token_head other 16 */
    35,  35,  35,  /* cuda f32 int8_per_token_head other 64 */
    35,  35,  35,  /* cuda f32 int8_per_token_head other 128 */
    35,  35,  35,  /* cuda f32 int8_per_token_head other other */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 64 8 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 64 16 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 64 64 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 64 128 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 64 other */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 128 8 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 128 16 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 128 64 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 128 128 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 128 other */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 256 8 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 256 16 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 256 64 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 256 128 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head 256 other */
    36,  36,  36,  /* cuda f32 fp8_per_token_head other 8 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head other 16 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head other 64 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head other 128 */
    36,  36,  36,  /* cuda f32 fp8_per_token_head other other */
    37,  37,  37,  /* cuda f32 int4_per_token_head 64 8 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 64 16 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 64 64 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 64 128 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 64 other */
    37,  37,  37,  /* cuda f32 int4_per_token_head 128 8 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 128 16 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 128 64 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 128 128 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 128 other */
    37,  37,  37,  /* cuda f32 int4_per_token_head 256 8 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 256 16 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 256 64 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 256 128 */
    37,  37,  37,  /* cuda f32 int4_per_token_head 256 other */
    37,  37,  37,  /* cuda f32 int4_per_token_head other 8 */
    37,  37,  37,  /* cuda f32 int4_per_token_head other 16 */
    37,  37,  37,  /* cuda f32 int4_per_token_head other 64 */
    37,  37,  37,  /* cuda f32 int4_per_token_head other 128 */
    37,  37,  37,  /* cuda f32 int4_per_token_head other other */
    38,  38,  38,  /* cuda f32 q8_0 64 8 */
    38,  38,  38,  /* cuda f32 q8_0 64 16 */
    38,  38,  38,  /* cuda f32 q8_0 64 64 */
    38,  38,  38,  /* cuda f32 q8_0 64 128 */
    38,  38,  38,  /* cuda f32 q8_0 64 other */
    38,  38,  38,  /* cuda f32 q8_0 128 8 */
    38,  38,  38,  /* cuda f32 q8_0 128 16 */
    38,  38,  38,  /* cuda f32 q8_0 128 64 */
    38,  38,  38,  /* cuda f32 q8_0 128 128 */
    38,  38,  38,  /* cuda f32 q8_0 128 other */
    38,  38,  38,  /* cuda f32 q8_0 256 8 */
    38,  38,  38,  /* cuda f32 q8_0 256 16 */
    38,  38,  38,  /* cuda f32 q8_0 256 64 */
    38,  38,  38,  /* cuda f32 q8_0 256 128 */
    38,  38,  38,  /* cuda f32 q8_0 256 other */
    38,  38,  38,  /* cuda f32 q8_0 other 8 */
    38,  38,  38,  /* cuda f32 q8_0 other 16 */
    38,  38,  38,  /* cuda f32 q8_0 other 64 */
    38,  38,  38,  /* cuda f32 q8_0 other 128 */
    38,  38,  38,  /* cuda f32 q8_0 other other */
    39,  39,  39,  /* cuda f32 q4_0 64 8 */
    39,  39,  39,  /* cuda f32 q4_0 64 16 */
    39,  39,  39,  /* cuda f32 q4_0 64 64 */
    39,  39,  39,  /* cuda f32 q4_0 64 128 */
    39,  39,  39,  /* cuda f32 q4_0 64 other */
    39,  39,  39,  /* cuda f32 q4_0 128 8 */
    39,  39,  39,  /* cuda f32 q4_0 128 16 */
    39,  39,  39,  /* cuda f32 q4_0 128 64 */
    39,  39,  39,  /* cuda f32 q4_0 128 128 */
    39,  39,  39,  /* cuda f32 q4_0 128 other */
    39,  39,  39,  /* cuda f32 q4_0 256 8 */
    39,  39,  39,  /* cuda f32 q4_0 256 16 */
    39,  39,  39,  /* cuda f32 q4_0 256 64 */
    39,  39,  39,  /* cuda f32 q4_0 256 128 */
    39,  39,  39,  /* cuda f32 q4_0 256 other */
    39,  39,  39,  /* cuda f32 q4_0 other 8 */
    39,  39,  39,  /* cuda f32 q4_0 other 16 */
    39,  39,  39,  /* cuda f32 q4_0 other 64 */
    39,  39,  39,  /* cuda f32 q4_0 other 128 */
    39,  39,  39,  /* cuda f32 q4_0 other other */
    -1,  -1,  -1,  /* cuda f16 f32 64 8 */
    -1,  -1,  -1,  /* cuda f16 f32 64 16 */
    -1,  -1,  -1,  /* cuda f16 f32 64 64 */
    -1,  -1,  -1,  /* cuda f16 f32 64 128 */
    -1,  -1,  -1,  /* cuda f16 f32 64 other */
    -1,  -1,  -1,  /* cuda f16 f32 128 8 */
    -1,  -1,  -1,  /* cuda f16 f32 128 16 */
    -1,  -1,  -1,  /* cuda f16 f32 128 64 */
    -1,  -1,  -1,  /* cuda f16 f32 128 128 */
    -1,  -1,  -1,  /* cuda f16 f32 128 other */
    -1,  -1,  -1,  /* cuda f16 f32 256 8 */
    -1,  -1,  -1,  /* cuda f16 f32 256 16 */
    -1,  -1,  -1,  /* cuda f16 f32 256 64 */
    -1,  -1,  -1,  /* cuda f16 f32 256 128 */
    -1,  -1,  -1,  /* cuda f16 f32 256 other */
    -1,  -1,  -1,  /* cuda f16 f32 other 8 */
    -1,  -1,  -1,  /* cuda f16 f32 other 16 */
    -1,  -1,  -1,  /* cuda f16 f32 other 64 */
    -1,  -1,  -1,  /* cuda f16 f32 other 128 */
    -1,  -1,  -1,  /* cuda f16 f32 other other */
    40,  40,  50,  /* cuda f16 f16 64 8 */
    41,  41,  50,  /* cuda f16 f16 64 16 */
    50,  50,  50,  /* cuda f16 f16 64 64 */
    42,  43,  50,  /* cuda f16 f16 64 128 */
    50,  50,  50,  /* cuda f16 f16 64 other */
    44,  44,  50,  /* cuda f16 f16 128 8 */
    45,  45,  50,  /* cuda f16 f16 128 16 */
    50,  50,  50,  /* cuda f16 f16 128 64 */
    46,  47,  50,  /* cuda f16 f16 128 128 */
    50,  50,  50,  /* cuda f16 f16 128 other */
    48,  48,  50,  /* cuda f16 f16 256 8 */
    50,  50,  50,  /* cuda f16 f16 256 16 */
    49,  49,  50,  /* cuda f16 f16 256 64 */
    50,  50,  50,  /* cuda f16 f16 256 128 */
    50,  50,  50,  /* cuda f16 f16 256 other */
    50,  50,  50,  /* cuda f16 f16 other 8 */
    50,  50,  50,  /* cuda f16 f16 other 16 */
    50,  50,  50,  /* cuda f16 f16 other 64 */
    50,  50,  50,  /* cuda f16 f16 other 128 */
    50,  50,  50,  /* cuda f16 f16 other other */
    -1,  -1,  -1,  /* cuda f16 bf16 64 8 */
    -1,  -1,  -1,  /* cuda f16 bf16 64 16 */
    -1,  -1,  -1,  /* cuda f16 bf16 64 64 */
    -1,  -1,  -1,  /* cuda f16 bf16 64 128 */
    -1,  -1,  -1,  /* cuda f16 bf16 64 other */
    -1,  -1,  -1,  /* cuda f16 bf16 128 8 */
    -1,  -1,  -1,  /* cuda f16 bf16 128 16 */
    -1,  -1,  -1,  /* cuda f16 bf16 128 64 */
    -1,  -1,  -1,  /* cuda f16 bf16 128 128 */
    -1,  -1,  -1,  /* cuda f16 bf16 128 other */
    -1,  -1,  -1,  /* cuda f16 bf16 256 8 */
    -1,  -1,  -1,  /* cuda f16 bf16 256 16 */
    -1,  -1,  -1,  /* cuda f16 bf16 256 64 */
    -1,  -1,  -1,  /* cuda f16 bf16 256 128 */
    -1,  -1,  -1,  /* cuda f16 bf16 256 other */
    -1,  -1,  -1,  /* cuda f16 bf16 other 8 */
    -1,  -1,  -1,  /* cuda f16 bf16 other 16 */
    -1,  -1,  -1,  /* cuda f16 bf16 other 64 */
    -1,  -1,  -1,  /* cuda f16 bf16 other 128 */
    -1,  -1,  -1,  /* cuda f16 bf16 other other */
    51,  51,  59,  /* cuda f16 fp8_e4m3 64 8 */
    52,  52,  59,  /* cuda f16 fp8_e4m3 64 16 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 64 64 */
    53,  53,  59,  /* cuda f16 fp8_e4m3 64 128 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 64 other */
    54,  54,  59,  /* cuda f16 fp8_e4m3 128 8 */
    55,  55,  59,  /* cuda f16 fp8_e4m3 128 16 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 128 64 */
    56,  56,  59,  /* cuda f16 fp8_e4m3 128 128 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 128 other */
    57,  57,  59,  /* cuda f16 fp8_e4m3 256 8 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 256 16 */
    58,  58,  59,  /* cuda f16 fp8_e4m3 256 64 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 256 128 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 256 other */
    59,  59,  59,  /* cuda f16 fp8_e4m3 other 8 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 other 16 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 other 64 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 other 128 */
    59,  59,  59,  /* cuda f16 fp8_e4m3 other other */
    60,  60,  66,  /* cuda f16 fp8_e5m2 64 8 */
    61,  61,  66,  /* cuda f16 fp8_e5m2 64 16 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 64 64 */
    62,  62,  66,  /* cuda f16 fp8_e5m2 64 128 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 64 other */
    63,  63,  66,  /* cuda f16 fp8_e5m2 128 8 */
    64,  64,  66,  /* cuda f16 fp8_e5m2 128 16 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 128 64 */
    65,  65,  66,  /* cuda f16 fp8_e5m2 128 128 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 128 other */
    66,  66,  66,  /* cuda f16 fp8_e5m2 256 8 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 256 16 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 256 64 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 256 128 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 256 other */
    66,  66,  66,  /* cuda f16 fp8_e5m2 other 8 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 other 16 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 other 64 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 other 128 */
    66,  66,  66,  /* cuda f16 fp8_e5m2 other other */
    67,  67,  73,  /* cuda f16 int8 64 8 */
    68,  68,  73,  /* cuda f16 int8 64 16 */
    73,  73,  73,  /* cuda f16 int8 64 64 */
    69,  69,  73,  /* cuda f16 int8 64 128 */
    73,  73,  73,  /* cuda f16 int8 64 other */
    70,  70,  73,  /* cuda f16 int8 128 8 */
    71,  71,  73,  /* cuda f16 int8 128 16 */
    73,  73,  73,  /* cuda f16 int8 128 64 */
    72,  72,  73,  /* cuda f16 int8 128 128 */
    73,  73,  73,  /* cuda f16 int8 128 other */
    73,  73,  73,  /* cuda f16 int8 256 8 */
    73,  73,  73,  /* cuda f16 int8 256 16 */
    73,  73,  73,  /* cuda f16 int8 256 64 */
    73,  73,  73,  /* cuda f16 int8 256 128 */
    73,  73,  73,  /* cuda f16 int8 256 other */
    73,  73,  73,  /* cuda f16 int8 other 8 */
    73,  73,  73,  /* cuda f16 int8 other 16 */
    73,  73,  73,  /* cuda f16 int8 other 64 */
    73,  73,  73,  /* cuda f16 int8 other 128 */
    73,  73,  73,  /* cuda f16 int8 other other */
    76,  76,  76,  /* cuda f16 nvfp4 64 8 */
    76,  76,  76,  /* cuda f16 nvfp4 64 16 */
    76,  76,  76,  /* cuda f16 nvfp4 64 64 */
    76,  76,  76,  /* cuda f16 nvfp4 64 128 */
    76,  76,  76,  /* cuda f16 nvfp4 64 other */
    74,  74,  76,  /* cuda f16 nvfp4 128 8 */
    75,  75,  76,  /* cuda f16 nvfp4 128 16 */
    76,  76,  76,  /* cuda f16 nvfp4 128 64 */
    76,  76,  76,  /* cuda f16 nvfp4 128 128 */
    76,  76,  76,  /* cuda f16 nvfp4 128 other */
    76,  76,  76,  /* cuda f16 nvfp4 256 8 */
    76,  76,  76,  /* cuda f16 nvfp4 256 16 */
    76,  76,  76,  /* cuda f16 nvfp4 256 64 */
    76,  76,  76,  /* cuda f16 nvfp4 256 128 */
    76,  76,  76,  /* cuda f16 nvfp4 256 other */
    76,  76,  76,  /* cuda f16 nvfp4 other 8 */
    76,  76,  76,  /* cuda f16 nvfp4 other 16 */
    76,  76,  76,  /* cuda f16 nvfp4 other 64 */
    76,  76,  76,  /* cuda f16 nvfp4 other 128 */
    76,  76,  76,  /* cuda f16 nvfp4 other other */
    77,  77,  83,  /* cuda f16 int8_per_token_head 64 8 */
    78,  78,  83,  /* cuda f16 int8_per_token_head 64 16 */
    83,  83,  83,  /* cuda f16 int8_per_token_head 64 64 */
    79,  79,  83,  /* cuda f16 int8_per_token_head 64 128 */
    83,  83,  83,  /* cuda f16 int8_per_token_head 64 other */
    80,  80,  83,  /* cuda f16 int8_per_token_head 128 8 */
    81,  81,  83,  /* cuda f16 int8_per_token_head 128 16 */
    83,  83,  83,  /* cuda f16 int8_per_token_head 128 64 */
    82,  82,  83,  /* cuda f16 int8_per_token_head 128 128 */
    83,  83,  83,  /* cuda f16 int8_per_token_head 128 other */
    83,  83,  83,  /* cuda f16 int8_per_token_head 256 8 */
    83,  83,  83,  /* cuda f16 int8_per_token_head 256 16 */
    83,  83,  83,  /* cuda f16 int8_per_token_head 256 64 */
    83,  83,  83,  /* cuda f16 int8_per_token_head 256 128 */
    83,  83,  83,  /* cuda f16 int8_per_token_head 256 other */
    83,  83,  83,  /* cuda f16 int8_per_token_head other 8 */
    83,  83,  83,  /* cuda f16 int8_per_token_head other 16 */
    83,  83,  83,  /* cuda f16 int8_per_token_head other 64 */
    83,  83,  83,  /* cuda f16 int8_per_token_head other 128 */
    83,  83,  83,  /* cuda f16 int8_per_token_head other other */
    84,  84,  90,  /* cuda f16 fp8_per_token_head 64 8 */
    85,  85,  90,  /* cuda f16 fp8_per_token_head 64 16 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head 64 64 */
    86,  86,  90,  /* cuda f16 fp8_per_token_head 64 128 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head 64 other */
    87,  87,  90,  /* cuda f16 fp8_per_token_head 128 8 */
    88,  88,  90,  /* cuda f16 fp8_per_token_head 128 16 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head 128 64 */
    89,  89,  90,  /* cuda f16 fp8_per_token_head 128 128 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head 128 other */
    90,  90,  90,  /* cuda f16 fp8_per_token_head 256 8 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head 256 16 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head 256 64 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head 256 128 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head 256 other */
    90,  90,  90,  /* cuda f16 fp8_per_token_head other 8 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head other 16 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head other 64 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head other 128 */
    90,  90,  90,  /* cuda f16 fp8_per_token_head other other */
    91,  91,  91,  /* cuda f16 int4_per_token_head 64 8 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 64 16 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 64 64 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 64 128 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 64 other */
    91,  91,  91,  /* cuda f16 int4_per_token_head 128 8 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 128 16 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 128 64 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 128 128 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 128 other */
    91,  91,  91,  /* cuda f16 int4_per_token_head 256 8 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 256 16 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 256 64 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 256 128 */
    91,  91,  91,  /* cuda f16 int4_per_token_head 256 other */
    91,  91,  91,  /* cuda f16 int4_per_token_head other 8 */
    91,  91,  91,  /* cuda f16 int4_per_token_head other 16 */
    91,  91,  91,  /* cuda f16 int4_per_token_head other 64 */
    91,  91,  91,  /* cuda f16 int4_per_token_head other 128 */
    91,  91,  91,  /* cuda f16 int4_per_token_head other other */
    92,  92,  92,  /* cuda f16 q8_0 64 8 */
    92,  92,  92,  /* cuda f16 q8_0 64 16 */
    92,  92,  92,  /* cuda f16 q8_0 64 64 */
    92,  92,  92,  /* cuda f16 q8_0 64 128 */
    92,  92,  92,  /* cuda f16 q8_0 64 other */
    92,  92,  92,  /* cuda f16 q8_0 128 8 */
    92,  92,  92,  /* cuda f16 q8_0 128 16 */
    92,  92,  92,  /* cuda f16 q8_0 128 64 */
    92,  92,  92,  /* cuda f16 q8_0 128 128 */
    92,  92,  92,  /* cuda f16 q8_0 128 other */
    92,  92,  92,  /* cuda f16 q8_0 256 8 */
    92,  92,  92,  /* cuda f16 q8_0 256 16 */
    92,  92,  92,  /* cuda f16 q8_0 256 64 */
    92,  92,  92,  /* cuda f16 q8_0 256 128 */
    92,  92,  92,  /* cuda f16 q8_0 256 other */
    92,  92,  92,  /* cuda f16 q8_0 other 8 */
    92,  92,  92,  /* cuda f16 q8_0 other 16 */
    92,  92,  92,  /* cuda f16 q8_0 other 64 */
    92,  92,  92,  /* cuda f16 q8_0 other 128 */
    92,  92,  92,  /* cuda f16 q8_0 other other */
    93,  93,  93,  /* cuda f16 q4_0 64 8 */
    93,  93,  93,  /* cuda f16 q4_0 64 16 */
    93,  93,  93,  /* cuda f16 q4_0 64 64 */
    93,  93,  93,  /* cuda f16 q4_0 64 128 */
    93,  93,  93,  /* cuda f16 q4_0 64 other */
    93,  93,  93,  /* cuda f16 q4_0 128 8 */
    93,  93,  93,  /* cuda f16 q4_0 128 16 */
    93,  93,  93,  /* cuda f16 q4_0 128 64 */
    93,  93,  93,  /* cuda f16 q4_0 128 128 */
    93,  93,  93,  /* cuda f16 q4_0 128 other */
    93,  93,  93,  /* cuda f16 q4_0 256 8 */
    93,  93,  93,  /* cuda f16 q4_0 256 16 */
    93,  93,  93,  /* cuda f16 q4_0 256 64 */
    93,  93,  93,  /* cuda f16 q4_0 256 128 */
    93,  93,  93,  /* cuda f16 q4_0 256 other */
    93,  93,  93,  /* cuda f16 q4_0 other 8 */
    93,  93,  93,  /* cuda f16 q4_0 other 16 */
    93,  93,  93,  /* cuda f16 q4_0 other 64 */
    93,  93,  93,  /* cuda f16 q4_0 other 128 */
    93,  93,  93,  /* cuda f16 q4_0 other other */
    -1,  -1,  -1,  /* cuda bf16 f32 64 8 */
    -1,  -1,  -1,  /* cuda bf16 f32 64 16 */
    -1,  -1,  -1,  /* cuda bf16 f32 64 64 */
    -1,  -1,  -1,  /* cuda bf16 f32 64 128 */
    -1,  -1,  -1,  /* cuda bf16 f32 64 other */
    -1,  -1,  -1,  /* cuda bf16 f32 128 8 */
    -1,  -1,  -1,  /* cuda bf16 f32 128 16 */
    -1,  -1,  -1,  /* cuda bf16 f32 128 64 */
    -1,  -1,  -1,  /* cuda bf16 f32 128 128 */
    -1,  -1,  -1,  /* cuda bf16 f32 128 other */
    -1,  -1,  -1,  /* cuda bf16 f32 256 8 */
    -1,  -1,  -1,  /* cuda bf16 f32 256 16 */
    -1,  -1,  -1,  /* cuda bf16 f32 256 64 */
    -1,  -1,  -1,  /* cuda bf16 f32 256 128 */
    -1,  -1,  -1,  /* cuda bf16 f32 256 other */
    -1,  -1,  -1,  /* cuda bf16 f32 other 8 */
    -1,  -1,  -1,  /* cuda bf16 f32 other 16 */
    -1,  -1,  -1,  /* cuda bf16 f32 other 64 */
    -1,  -1,  -1,  /* cuda bf16 f32 other 128 */
    -1,  -1,  -1,  /* cuda bf16 f32 other other */
    -1,  -1,  -1,  /* cuda bf16 f16 64 8 */
    -1,  -1,  -1,  /* cuda bf16 f16 64 16 */
    -1,  -1,  -1,  /* cuda bf16 f16 64 64 */
    -1,  -1,  -1,  /* cuda bf16 f16 64 128 */
    -1,  -1,  -1,  /* cuda bf16 f16 64 other */
    -1,  -1,  -1,  /* cuda bf16 f16 128 8 */
    -1,  -1,  -1,  /* cuda bf16 f16 128 16 */
    -1,  -1,  -1,  /* cuda bf16 f16 128 64 */
    -1,  -1,  -1,  /* cuda bf16 f16 128 128 */
    -1,  -1,  -1,  /* cuda bf16 f16 128 other */
    -1,  -1,  -1,  /* cuda bf16 f16 256 8 */
    -1,  -1,  -1,  /* cuda bf16 f16 256 16 */
    -1,  -1,  -1,  /* cuda bf16 f16 256 64 */
    -1,  -1,  -1,  /* cuda bf16 f16 256 128 */
    -1,  -1,  -1,  /* cuda bf16 f16 256 other */
    -1,  -1,  -1,  /* cuda bf16 f16 other 8 */
    -1,  -1,  -1,  /* cuda bf16 f16 other 16 */
    -1,  -1,  -1,  /* cuda bf16 f16 other 64 */
    -1,  -1,  -1,  /* cuda bf16 f16 other 128 */
    -1,  -1,  -1,  /* cuda bf16 f16 other other */
    94,  94,  104, /* cuda bf16 bf16 64 8 */
    95,  95,  104, /* cuda bf16 bf16 64 16 */
    104, 104, 104, /* cuda bf16 bf16 64 64 */
    96,  97,  104, /* cuda bf16 bf16 64 128 */
    104, 104, 104, /* cuda bf16 bf16 64 other */
    98,  98,  104, /* cuda bf16 bf16 128 8 */
    99,  99,  104, /* cuda bf16 bf16 128 16 */
    104, 104, 104, /* cuda bf16 bf16 128 64 */
    100, 101, 104, /* cuda bf16 bf16 128 128 */
    104, 104, 104, /* cuda bf16 bf16 128 other */
    102, 102, 104, /* cuda bf16 bf16 256 8 */
    104, 104, 104, /* cuda bf16 bf16 256 16 */
    103, 103, 104, /* cuda bf16 bf16 256 64 */
    104, 104, 104, /* cuda bf16 bf16 256 128 */
    104, 104, 104, /* cuda bf16 bf16 256 other */
    104, 104, 104, /* cuda bf16 bf16 other 8 */
    104, 104, 104, /* cuda bf16 bf16 other 16 */
    104, 104, 104, /* cuda bf16 bf16 other 64 */
    104, 104, 104, /* cuda bf16 bf16 other 128 */
    104, 104, 104, /* cuda bf16 bf16 other other */
    105, 105, 113, /* cuda bf16 fp8_e4m3 64 8 */
    106, 106, 113, /* cuda bf16 fp8_e4m3 64 16 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 64 64 */
    107, 107, 113, /* cuda bf16 fp8_e4m3 64 128 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 64 other */
    108, 108, 113, /* cuda bf16 fp8_e4m3 128 8 */
    109, 109, 113, /* cuda bf16 fp8_e4m3 128 16 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 128 64 */
    110, 110, 113, /* cuda bf16 fp8_e4m3 128 128 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 128 other */
    111, 111, 113, /* cuda bf16 fp8_e4m3 256 8 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 256 16 */
    112, 112, 113, /* cuda bf16 fp8_e4m3 256 64 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 256 128 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 256 other */
    113, 113, 113, /* cuda bf16 fp8_e4m3 other 8 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 other 16 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 other 64 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 other 128 */
    113, 113, 113, /* cuda bf16 fp8_e4m3 other other */
    114, 114, 120, /* cuda bf16 fp8_e5m2 64 8 */
    115, 115, 120, /* cuda bf16 fp8_e5m2 64 16 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 64 64 */
    116, 116, 120, /* cuda bf16 fp8_e5m2 64 128 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 64 other */
    117, 117, 120, /* cuda bf16 fp8_e5m2 128 8 */
    118, 118, 120, /* cuda bf16 fp8_e5m2 128 16 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 128 64 */
    119, 119, 120, /* cuda bf16 fp8_e5m2 128 128 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 128 other */
    120, 120, 120, /* cuda bf16 fp8_e5m2 256 8 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 256 16 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 256 64 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 256 128 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 256 other */
    120, 120, 120, /* cuda bf16 fp8_e5m2 other 8 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 other 16 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 other 64 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 other 128 */
    120, 120, 120, /* cuda bf16 fp8_e5m2 other other */
    121, 121, 127, /* cuda bf16 int8 64 8 */
    122, 122, 127, /* cuda bf16 int8 64 16 */
    127, 127, 127, /* cuda bf16 int8 64 64 */
    123, 123, 127, /* cuda bf16 int8 64 128 */
    127, 127, 127, /* cuda bf16 int8 64 other */
    124, 124, 127, /* cuda bf16 int8 128 8 */
    125, 125, 127, /* cuda bf16 int8 128 16 */
    127, 127, 127, /* cuda bf16 int8 128 64 */
    126, 126, 127, /* cuda bf16 int8 128 128 */
    127, 127, 127, /* cuda bf16 int8 128 other */
    127, 127, 127, /* cuda bf16 int8 256 8 */
    127, 127, 127, /* cuda bf16 int8 256 16 */
    127, 127, 127, /* cuda bf16 int8 256 64 */
    127, 127, 127, /* cuda bf16 int8 256 128 */
    127, 127, 127, /* cuda bf16 int8 256 other */
    127, 127, 127, /* cuda bf16 int8 other 8 */
    127, 127, 127, /* cuda bf16 int8 other 16 */
    127, 127, 127, /* cuda bf16 int8 other 64 */
    127, 127, 127, /* cuda bf16 int8 other 128 */
    127, 127, 127, /* cuda bf16 int8 other other */
    130, 130, 130, /* cuda bf16 nvfp4 64 8 */
    130, 130, 130, /* cuda bf16 nvfp4 64 16 */
    130, 130, 130, /* cuda bf16 nvfp4 64 64 */
    130, 130, 130, /* cuda bf16 nvfp4 64 128 */
    130, 130, 130, /* cuda bf16 nvfp4 64 other */
    128, 128, 130, /* cuda bf16 nvfp4 128 8 */
    129, 129, 130, /* cuda bf16 nvfp4 128 16 */
    130, 130, 130, /* cuda bf16 nvfp4 128 64 */
    130, 130, 130, /* cuda bf16 nvfp4 128 128 */
    130, 130, 130, /* cuda bf16 nvfp4 128 other */
    130, 130, 130, /* cuda bf16 nvfp4 256 8 */
    130, 130, 130, /* cuda bf16 nvfp4 256 16 */
    130, 130, 130, /* cuda bf16 nvfp4 256 64 */
    130, 130, 130, /* cuda bf16 nvfp4 256 128 */
    130, 130, 130, /* cuda bf16 nvfp4 256 other */
    130, 130, 130, /* cuda bf16 nvfp4 other 8 */
    130, 130, 130, /* cuda bf16 nvfp4 other 16 */
    130, 130, 130, /* cuda bf16 nvfp4 other 64 */
    130, 130, 130, /* cuda bf16 nvfp4 other 128 */
    130, 130, 130, /* cuda bf16 nvfp4 other other */
    131, 131, 137, /* cuda bf16 int8_per_token_head 64 8 */
    132, 132, 137, /* cuda bf16 int8_per_token_head 64 16 */
    137, 137, 137, /* cuda bf16 int8_per_token_head 64 64 */
    133, 133, 137, /* cuda bf16 int8_per_token_head 64 128 */
    137, 137, 137, /* cuda bf16 int8_per_token_head 64 other */
    134, 134, 137, /* cuda bf16 int8_per_token_head 128 8 */
    135, 135, 137, /* cuda bf16 int8_per_token_head 128 16 */
    137, 137, 137, /* cuda bf16 int8_per_token_head 128 64 */
    136, 136, 137, /* cuda bf16 int8_per_token_head 128 128 */
    137, 137, 137, /* cuda bf16 int8_per_token_head 128 other */
    137, 137, 137, /* cuda bf16 int8_per_token_head 256 8 */
    137, 137, 137, /* cuda bf16 int8_per_token_head 256 16 */
    137, 137, 137, /* cuda bf16 int8_per_token_head 256 64 */
    137, 137, 137, /* cuda bf16 int8_per_token_head 256 128 */
    137, 137, 137, /* cuda bf16 int8_per_token_head 256 other */
    137, 137, 137, /* cuda bf16 int8_per_token_head other 8 */
    137, 137, 137, /* cuda bf16 int8_per_token_head other 16 */
    137, 137, 137, /* cuda bf16 int8_per_token_head other 64 */
    137, 137, 137, /* cuda bf16 int8_per_token_head other 128 */
    137, 137, 137, /* cuda bf16 int8_per_token_head other other */
    138, 138, 144, /* cuda bf16 fp8_per_token_head 64 8 */
    139, 139, 144, /* cuda bf16 fp8_per_token_head 64 16 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head 64 64 */
    140, 140, 144, /* cuda bf16 fp8_per_token_head 64 128 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head 64 other */
    141, 141, 144, /* cuda bf16 fp8_per_token_head 128 8 */
    142, 142, 144, /* cuda bf16 fp8_per_token_head 128 16 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head 128 64 */
    143, 143, 144, /* cuda bf16 fp8_per_token_head 128 128 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head 128 other */
    144, 144, 144, /* cuda bf16 fp8_per_token_head 256 8 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head 256 16 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head 256 64 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head 256 128 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head 256 other */
    144, 144, 144, /* cuda bf16 fp8_per_token_head other 8 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head other 16 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head other 64 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head other 128 */
    144, 144, 144, /* cuda bf16 fp8_per_token_head other other */
    145, 145, 145, /* cuda bf16 int4_per_token_head 64 8 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 64 16 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 64 64 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 64 128 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 64 other */
    145, 145, 145, /* cuda bf16 int4_per_token_head 128 8 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 128 16 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 128 64 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 128 128 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 128 other */
    145, 145, 145, /* cuda bf16 int4_per_token_head 256 8 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 256 16 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 256 64 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 256 128 */
    145, 145, 145, /* cuda bf16 int4_per_token_head 256 other */
    145, 145, 145, /* cuda bf16 int4_per_token_head other 8 */
    145, 145, 145, /* cuda bf16 int4_per_token_head other 16 */
    145, 145, 145, /* cuda bf16 int4_per_token_head other 64 */
    145, 145, 145, /* cuda bf16 int4_per_token_head other 128 */
    145, 145, 145, /* cuda bf16 int4_per_token_head other other */
    146, 146, 146, /* cuda bf16 q8_0 64 8 */
    146, 146, 146, /* cuda bf16 q8_0 64 16 */
    146, 146, 146, /* cuda bf16 q8_0 64 64 */
    146, 146, 146, /* cuda bf16 q8_0 64 128 */
    146, 146, 146, /* cuda bf16 q8_0 64 other */
    146, 146, 146, /* cuda bf16 q8_0 128 8 */
    146, 146, 146, /* cuda bf16 q8_0 128 16 */
    146, 146, 146, /* cuda bf16 q8_0 128 64 */
    146, 146, 146, /* cuda bf16 q8_0 128 128 */
    146, 146, 146, /* cuda bf16 q8_0 128 other */
    146, 146, 146, /* cuda bf16 q8_0 256 8 */
    146, 146, 146, /* cuda bf16 q8_0 256 16 */
    146, 146, 146, /* cuda bf16 q8_0 256 64 */
    146, 146, 146, /* cuda bf16 q8_0 256 128 */
    146, 146, 146, /* cuda bf16 q8_0 256 other */
    146, 146, 146, /* cuda bf16 q8_0 other 8 */
    146, 146, 146, /* cuda bf16 q8_0 other 16 */
    146, 146, 146, /* cuda bf16 q8_0 other 64 */
    146, 146, 146, /* cuda bf16 q8_0 other 128 */
    146, 146, 146, /* cuda bf16 q8_0 other other */
    147, 147, 147, /* cuda bf16 q4_0 64 8 */
    147, 147, 147, /* cuda bf16 q4_0 64 16 */
    147, 147, 147, /* cuda bf16 q4_0 64 64 */
    147, 147, 147, /* cuda bf16 q4_0 64 128 */
    147, 147, 147, /* cuda bf16 q4_0 64 other */
    147, 147, 147, /* cuda bf16 q4_0 128 8 */
    147, 147, 147, /* cuda bf16 q4_0 128 16 */
    147, 147, 147, /* cuda bf16 q4_0 128 64 */
    147, 147, 147, /* cuda bf16 q4_0 128 128 */
    147, 147, 147, /* cuda bf16 q4_0 128 other */
    147, 147, 147, /* cuda bf16 q4_0 256 8 */
    147, 147, 147, /* cuda bf16 q4_0 256 16 */
    147, 147, 147, /* cuda bf16 q4_0 256 64 */
    147, 147, 147, /* cuda bf16 q4_0 256 128 */
    147, 147, 147, /* cuda bf16 q4_0 256 other */
    147, 147, 147, /* cuda bf16 q4_0 other 8 */
    147, 147, 147, /* cuda bf16 q4_0 other 16 */
    147, 147, 147, /* cuda bf16 q4_0 other 64 */
    147, 147, 147, /* cuda bf16 q4_0 other 128 */
    147, 147, 147, /* cuda bf16 q4_0 other other */
};

/* Rows that serve a call where a more special one is not built; -1 behind each list. */
static const int16_t chains[] = {
    50,  -1,      /* 0: kvf_cuda_paged_attention__f16__f16 */
    42,  50,  -1, /* 2: kvf_cuda_paged_attention__f16__f16__d64__r128__sm80, ... */
    46,  50,  -1, /* 5: kvf_cuda_paged_attention__f16__f16__d128__r128__sm80, ... */
    59,  -1,      /* 8: kvf_cuda_paged_attention__f16__fp8_e4m3 */
    66,  -1,      /* 10: kvf_cuda_paged_attention__f16__fp8_e5m2 */
    73,  -1,      /* 12: kvf_cuda_paged_attention__f16__int8 */
    76,  -1,      /* 14: kvf_cuda_paged_attention__f16__nvfp4 */
    83,  -1,      /* 16: kvf_cuda_paged_attention__f16__int8_per_token_head */
    90,  -1,      /* 18: kvf_cuda_paged_attention__f16__fp8_per_token_head */
    104, -1,      /* 20: kvf_cuda_paged_attention__bf16__bf16 */
    96,  104, -1, /* 22: kvf_cuda_paged_attention__bf16__bf16__d64__r128__sm80, ... */
    100, 104, -1, /* 25: kvf_cuda_paged_attention__bf16__bf16__d128__r128__sm80, ... */
    113, -1,      /* 28: kvf_cuda_paged_attention__bf16__fp8_e4m3 */
    120, -1,      /* 30: kvf_cuda_paged_attention__bf16__fp8_e5m2 */
    127, -1,      /* 32: kvf_cuda_paged_attention__bf16__int8 */
    130, -1,      /* 34: kvf_cuda_paged_attention__bf16__nvfp4 */
    137, -1,      /* 36: kvf_cuda_paged_attention__bf16__int8_per_token_head */
    144, -1,      /* 38: kvf_cuda_paged_attention__bf16__fp8_per_token_head */
};

/* [backend][scalar][cache][head_size][rows][arch] -> where these begin; -1: there is none. */
static const int16_t rest[] = {
    -1, -1, -1, /* cpu f32 f32 64 8 */
    -1, -1, -1, /* cpu f32 f32 64 16 */
    -1, -1, -1, /* cpu f32 f32 64 64 */
    -1, -1, -1, /* cpu f32 f32 64 128 */
    -1, -1, -1, /* cpu f32 f32 64 other */
    -1, -1, -1, /* cpu f32 f32 128 8 */
    -1, -1, -1, /* cpu f32 f32 128 16 */
    -1, -1, -1, /* cpu f32 f32 128 64 */
    -1, -1, -1, /* cpu f32 f32 128 128 */
    -1, -1, -1, /* cpu f32 f32 128 other */
    -1, -1, -1, /* cpu f32 f32 256 8 */
    -1, -1, -1, /* cpu f32 f32 256 16 */
    -1, -1, -1, /* cpu f32 f32 256 64 */
    -1, -1, -1, /* cpu f32 f32 256 128 */
    -1, -1, -1, /* cpu f32 f32 256 other */
    -1, -1, -1, /* cpu f32 f32 other 8 */
    -1, -1, -1, /* cpu f32 f32 other 16 */
    -1, -1, -1, /* cpu f32 f32 other 64 */
    -1, -1, -1, /* cpu f32 f32 other 128 */
    -1, -1, -1, /* cpu f32 f32 other other */
    -1, -1, -1, /* cpu f32 f16 64 8 */
    -1, -1, -1, /* cpu f32 f16 64 16 */
    -1, -1, -1, /* cpu f32 f16 64 64 */
    -1, -1, -1, /* cpu f32 f16 64 128 */
    -1, -1, -1, /* cpu f32 f16 64 other */
    -1, -1, -1, /* cpu f32 f16 128 8 */
    -1, -1, -1, /* cpu f32 f16 128 16 */
    -1, -1, -1, /* cpu f32 f16 128 64 */
    -1, -1, -1, /* cpu f32 f16 128 128 */
    -1, -1, -1, /* cpu f32 f16 128 other */
    -1, -1, -1, /* cpu f32 f16 256 8 */
    -1, -1, -1, /* cpu f32 f16 256 16 */
    -1, -1, -1, /* cpu f32 f16 256 64 */
    -1, -1, -1, /* cpu f32 f16 256 128 */
    -1, -1, -1, /* cpu f32 f16 256 other */
    -1, -1, -1, /* cpu f32 f16 other 8 */
    -1, -1, -1, /* cpu f32 f16 other 16 */
    -1, -1, -1, /* cpu f32 f16 other 64 */
    -1, -1, -1, /* cpu f32 f16 other 128 */
    -1, -1, -1, /* cpu f32 f16 other other */
    -1, -1, -1, /* cpu f32 bf16 64 8 */
    -1, -1, -1, /* cpu f32 bf16 64 16 */
    -1, -1, -1, /* cpu f32 bf16 64 64 */
    -1, -1, -1, /* cpu f32 bf16 64 128 */
    -1, -1, -1, /* cpu f32 bf16 64 other */
    -1, -1, -1, /* cpu f32 bf16 128 8 */
    -1, -1, -1, /* cpu f32 bf16 128 16 */
    -1, -1, -1, /* cpu f32 bf16 128 64 */
    -1, -1, -1, /* cpu f32 bf16 128 128 */
    -1, -1, -1, /* cpu f32 bf16 128 other */
    -1, -1, -1, /* cpu f32 bf16 256 8 */
    -1, -1, -1, /* cpu f32 bf16 256 16 */
    -1, -1, -1, /* cpu f32 bf16 256 64 */
    -1, -1, -1, /* cpu f32 bf16 256 128 */
    -1, -1, -1, /* cpu f32 bf16 256 other */
    -1, -1, -1, /* cpu f32 bf16 other 8 */
    -1, -1, -1, /* cpu f32 bf16 other 16 */
    -1, -1, -1, /* cpu f32 bf16 other 64 */
    -1, -1, -1, /* cpu f32 bf16 other 128 */
    -1, -1, -1, /* cpu f32 bf16 other other */
    -1, -1, -1, /* cpu f32 fp8_e4m3 64 8 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 64 16 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 64 64 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 64 128 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 64 other */
    -1, -1, -1, /* cpu f32 fp8_e4m3 128 8 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 128 16 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 128 64 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 128 128 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 128 other */
    -1, -1, -1, /* cpu f32 fp8_e4m3 256 8 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 256 16 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 256 64 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 256 128 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 256 other */
    -1, -1, -1, /* cpu f32 fp8_e4m3 other 8 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 other 16 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 other 64 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 other 128 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 other other */
    -1, -1, -1, /* cpu f32 fp8_e5m2 64 8 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 64 16 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 64 64 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 64 128 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 64 other */
    -1, -1, -1, /* cpu f32 fp8_e5m2 128 8 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 128 16 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 128 64 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 128 128 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 128 other */
    -1, -1, -1, /* cpu f32 fp8_e5m2 256 8 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 256 16 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 256 64 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 256 128 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 256 other */
    -1, -1, -1, /* cpu f32 fp8_e5m2 other 8 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 other 16 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 other 64 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 other 128 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 other other */
    -1, -1, -1, /* cpu f32 int8 64 8 */
    -1, -1, -1, /* cpu f32 int8 64 16 */
    -1, -1, -1, /* cpu f32 int8 64 64 */
    -1, -1, -1, /* cpu f32 int8 64 128 */
    -1, -1, -1, /* cpu f32 int8 64 other */
    -1, -1, -1, /* cpu f32 int8 128 8 */
    -1, -1, -1, /* cpu f32 int8 128 16 */
    -1, -1, -1, /* cpu f32 int8 128 64 */
    -1, -1, -1, /* cpu f32 int8 128 128 */
    -1, -1, -1, /* cpu f32 int8 128 other */
    -1, -1, -1, /* cpu f32 int8 256 8 */
    -1, -1, -1, /* cpu f32 int8 256 16 */
    -1, -1, -1, /* cpu f32 int8 256 64 */
    -1, -1, -1, /* cpu f32 int8 256 128 */
    -1, -1, -1, /* cpu f32 int8 256 other */
    -1, -1, -1, /* cpu f32 int8 other 8 */
    -1, -1, -1, /* cpu f32 int8 other 16 */
    -1, -1, -1, /* cpu f32 int8 other 64 */
    -1, -1, -1, /* cpu f32 int8 other 128 */
    -1, -1, -1, /* cpu f32 int8 other other */
    -1, -1, -1, /* cpu f32 nvfp4 64 8 */
    -1, -1, -1, /* cpu f32 nvfp4 64 16 */
    -1, -1, -1, /* cpu f32 nvfp4 64 64 */
    -1, -1, -1, /* cpu f32 nvfp4 64 128 */
    -1, -1, -1, /* cpu f32 nvfp4 64 other */
    -1, -1, -1, /* cpu f32 nvfp4 128 8 */
    -1, -1, -1, /* cpu f32 nvfp4 128 16 */
    -1, -1, -1, /* cpu f32 nvfp4 128 64 */
    -1, -1, -1, /* cpu f32 nvfp4 128 128 */
    -1, -1, -1, /* cpu f32 nvfp4 128 other */
    -1, -1, -1, /* cpu f32 nvfp4 256 8 */
    -1, -1, -1, /* cpu f32 nvfp4 256 16 */
    -1, -1, -1, /* cpu f32 nvfp4 256 64 */
    -1, -1, -1, /* cpu f32 nvfp4 256 128 */
    -1, -1, -1, /* cpu f32 nvfp4 256 other */
    -1, -1, -1, /* cpu f32 nvfp4 other 8 */
    -1, -1, -1, /* cpu f32 nvfp4 other 16 */
    -1, -1, -1, /* cpu f32 nvfp4 other 64 */
    -1, -1, -1, /* cpu f32 nvfp4 other 128 */
    -1, -1, -1, /* cpu f32 nvfp4 other other */
    -1, -1, -1, /* cpu f32 int8_per_token_head 64 8 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 64 16 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 64 64 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 64 128 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 64 other */
    -1, -1, -1, /* cpu f32 int8_per_token_head 128 8 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 128 16 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 128 64 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 128 128 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 128 other */
    -1, -1, -1, /* cpu f32 int8_per_token_head 256 8 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 256 16 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 256 64 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 256 128 */
    -1, -1, -1, /* cpu f32 int8_per_token_head 256 other */
    -1, -1, -1, /* cpu f32 int8_per_token_head other 8 */
    -1, -1, -1, /* cpu f32 int8_per_token_head other 16 */
    -1, -1, -1, /* cpu f32 int8_per_token_head other 64 */
    -1, -1, -1, /* cpu f32 int8_per_token_head other 128 */
    -1, -1, -1, /* cpu f32 int8_per_token_head other other */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 64 8 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 64 16 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 64 64 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 64 128 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 64 other */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 128 8 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 128 16 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 128 64 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 128 128 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 128 other */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 256 8 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 256 16 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 256 64 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 256 128 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head 256 other */
    -1, -1, -1, /* cpu f32 fp8_per_token_head other 8 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head other 16 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head other 64 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head other 128 */
    -1, -1, -1, /* cpu f32 fp8_per_token_head other other */
    -1, -1, -1, /* cpu f32 int4_per_token_head 64 8 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 64 16 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 64 64 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 64 128 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 64 other */
    -1, -1, -1, /* cpu f32 int4_per_token_head 128 8 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 128 16 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 128 64 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 128 128 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 128 other */
    -1, -1, -1, /* cpu f32 int4_per_token_head 256 8 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 256 16 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 256 64 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 256 128 */
    -1, -1, -1, /* cpu f32 int4_per_token_head 256 other */
    -1, -1, -1, /* cpu f32 int4_per_token_head other 8 */
    -1, -1, -1, /* cpu f32 int4_per_token_head other 16 */
    -1, -1, -1, /* cpu f32 int4_per_token_head other 64 */
    -1, -1, -1, /* cpu f32 int4_per_token_head other 128 */
    -1, -1, -1, /* cpu f32 int4_per_token_head other other */
    -1, -1, -1, /* cpu f32 q8_0 64 8 */
    -1, -1, -1, /* cpu f32 q8_0 64 16 */
    -1, -1, -1, /* cpu f32 q8_0 64 64 */
    -1, -1, -1, /* cpu f32 q8_0 64 128 */
    -1, -1, -1, /* cpu f32 q8_0 64 other */
    -1, -1, -1, /* cpu f32 q8_0 128 8 */
    -1, -1, -1, /* cpu f32 q8_0 128 16 */
    -1, -1, -1, /* cpu f32 q8_0 128 64 */
    -1, -1, -1, /* cpu f32 q8_0 128 128 */
    -1, -1, -1, /* cpu f32 q8_0 128 other */
    -1, -1, -1, /* cpu f32 q8_0 256 8 */
    -1, -1, -1, /* cpu f32 q8_0 256 16 */
    -1, -1, -1, /* cpu f32 q8_0 256 64 */
    -1, -1, -1, /* cpu f32 q8_0 256 128 */
    -1, -1, -1, /* cpu f32 q8_0 256 other */
    -1, -1, -1, /* cpu f32 q8_0 other 8 */
    -1, -1, -1, /* cpu f32 q8_0 other 16 */
    -1, -1, -1, /* cpu f32 q8_0 other 64 */
    -1, -1, -1, /* cpu f32 q8_0 other 128 */
    -1, -1, -1, /* cpu f32 q8_0 other other */
    -1, -1, -1, /* cpu f32 q4_0 64 8 */
    -1, -1, -1, /* cpu f32 q4_0 64 16 */
    -1, -1, -1, /* cpu f32 q4_0 64 64 */
    -1, -1, -1, /* cpu f32 q4_0 64 128 */
    -1, -1, -1, /* cpu f32 q4_0 64 other */
    -1, -1, -1, /* cpu f32 q4_0 128 8 */
    -1, -1, -1, /* cpu f32 q4_0 128 16 */
    -1, -1, -1, /* cpu f32 q4_0 128 64 */
    -1, -1, -1, /* cpu f32 q4_0 128 128 */
    -1, -1, -1, /* cpu f32 q4_0 128 other */
    -1, -1, -1, /* cpu f32 q4_0 256 8 */
    -1, -1, -1, /* cpu f32 q4_0 256 16 */
    -1, -1, -1, /* cpu f32 q4_0 256 64 */
    -1, -1, -1, /* cpu f32 q4_0 256 128 */
    -1, -1, -1, /* cpu f32 q4_0 256 other */
    -1, -1, -1, /* cpu f32 q4_0 other 8 */
    -1, -1, -1, /* cpu f32 q4_0 other 16 */
    -1, -1, -1, /* cpu f32 q4_0 other 64 */
    -1, -1, -1, /* cpu f32 q4_0 other 128 */
    -1, -1, -1, /* cpu f32 q4_0 other other */
    -1, -1, -1, /* cpu f16 f32 64 8 */
    -1, -1, -1, /* cpu f16 f32 64 16 */
    -1, -1, -1, /* cpu f16 f32 64 64 */
    -1, -1, -1, /* cpu f16 f32 64 128 */
    -1, -1, -1, /* cpu f16 f32 64 other */
    -1, -1, -1, /* cpu f16 f32 128 8 */
    -1, -1, -1, /* cpu f16 f32 128 16 */
    -1, -1, -1, /* cpu f16 f32 128 64 */
    -1, -1, -1, /* cpu f16 f32 128 128 */
    -1, -1, -1, /* cpu f16 f32 128 other */
    -1, -1, -1, /* cpu f16 f32 256 8 */
    -1, -1, -1, /* cpu f16 f32 256 16 */
    -1, -1, -1, /* cpu f16 f32 256 64 */
    -1, -1, -1, /* cpu f16 f32 256 128 */
    -1, -1, -1, /* cpu f16 f32 256 other */
    -1, -1, -1, /* cpu f16 f32 other 8 */
    -1, -1, -1, /* cpu f16 f32 other 16 */
    -1, -1, -1, /* cpu f16 f32 other 64 */
    -1, -1, -1, /* cpu f16 f32 other 128 */
    -1, -1, -1, /* cpu f16 f32 other other */
    -1, -1, -1, /* cpu f16 f16 64 8 */
    -1, -1, -1, /* cpu f16 f16 64 16 */
    -1, -1, -1, /* cpu f16 f16 64 64 */
    -1, -1, -1, /* cpu f16 f16 64 128 */
    -1, -1, -1, /* cpu f16 f16 64 other */
    -1, -1, -1, /* cpu f16 f16 128 8 */
    -1, -1, -1, /* cpu f16 f16 128 16 */
    -1, -1, -1, /* cpu f16 f16 128 64 */
    -1, -1, -1, /* cpu f16 f16 128 128 */
    -1, -1, -1, /* cpu f16 f16 128 other */
    -1, -1, -1, /* cpu f16 f16 256 8 */
    -1, -1, -1, /* cpu f16 f16 256 16 */
    -1, -1, -1, /* cpu f16 f16 256 64 */
    -1, -1, -1, /* cpu f16 f16 256 128 */
    -1, -1, -1, /* cpu f16 f16 256 other */
    -1, -1, -1, /* cpu f16 f16 other 8 */
    -1, -1, -1, /* cpu f16 f16 other 16 */
    -1, -1, -1, /* cpu f16 f16 other 64 */
    -1, -1, -1, /* cpu f16 f16 other 128 */
    -1, -1, -1, /* cpu f16 f16 other other */
    -1, -1, -1, /* cpu f16 bf16 64 8 */
    -1, -1, -1, /* cpu f16 bf16 64 16 */
    -1, -1, -1, /* cpu f16 bf16 64 64 */
    -1, -1, -1, /* cpu f16 bf16 64 128 */
    -1, -1, -1, /* cpu f16 bf16 64 other */
    -1, -1, -1, /* cpu f16 bf16 128 8 */
    -1, -1, -1, /* cpu f16 bf16 128 16 */
    -1, -1, -1, /* cpu f16 bf16 128 64 */
    -1, -1, -1, /* cpu f16 bf16 128 128 */
    -1, -1, -1, /* cpu f16 bf16 128 other */
    -1, -1, -1, /* cpu f16 bf16 256 8 */
    -1, -1, -1, /* cpu f16 bf16 256 16 */
    -1, -1, -1, /* cpu f16 bf16 256 64 */
    -1, -1, -1, /* cpu f16 bf16 256 128 */
    -1, -1, -1, /* cpu f16 bf16 256 other */
    -1, -1, -1, /* cpu f16 bf16 other 8 */
    -1, -1, -1, /* cpu f16 bf16 other 16 */
    -1, -1, -1, /* cpu f16 bf16 other 64 */
    -1, -1, -1, /* cpu f16 bf16 other 128 */
    -1, -1, -1, /* cpu f16 bf16 other other */
    -1, -1, -1, /* cpu f16 fp8_e4m3 64 8 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 64 16 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 64 64 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 64 128 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 64 other */
    -1, -1, -1, /* cpu f16 fp8_e4m3 128 8 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 128 16 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 128 64 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 128 128 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 128 other */
    -1, -1, -1, /* cpu f16 fp8_e4m3 256 8 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 256 16 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 256 64 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 256 128 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 256 other */
    -1, -1, -1, /* cpu f16 fp8_e4m3 other 8 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 other 16 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 other 64 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 other 128 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 other other */
    -1, -1, -1, /* cpu f16 fp8_e5m2 64 8 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 64 16 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 64 64 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 64 128 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 64 other */
    -1, -1, -1, /* cpu f16 fp8_e5m2 128 8 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 128 16 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 128 64 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 128 128 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 128 other */
    -1, -1, -1, /* cpu f16 fp8_e5m2 256 8 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 256 16 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 256 64 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 256 128 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 256 other */
    -1, -1, -1, /* cpu f16 fp8_e5m2 other 8 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 other 16 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 other 64 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 other 128 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 other other */
    -1, -1, -1, /* cpu f16 int8 64 8 */
    -1, -1, -1, /* cpu f16 int8 64 16 */
    -1, -1, -1, /* cpu f16 int8 64 64 */
    -1, -1, -1, /* cpu f16 int8 64 128 */
    -1, -1, -1, /* cpu f16 int8 64 other */
    -1, -1, -1, /* cpu f16 int8 128 8 */
    -1, -1, -1, /* cpu f16 int8 128 16 */
    -1, -1, -1, /* cpu f16 int8 128 64 */
    -1, -1, -1, /* cpu f16 int8 128 128 */
    -1, -1, -1, /* cpu f16 int8 128 other */
    -1, -1, -1, /* cpu f16 int8 256 8 */
    -1, -1, -1, /* cpu f16 int8 256 16 */
    -1, -1, -1, /* cpu f16 int8 256 64 */
    -1, -1, -1, /* cpu f16 int8 256 128 */
    -1, -1, -1, /* cpu f16 int8 256 other */
    -1, -1, -1, /* cpu f16 int8 other 8 */
    -1, -1, -1, /* cpu f16 int8 other 16 */
    -1, -1, -1, /* cpu f16 int8 other 64 */
    -1, -1, -1, /* cpu f16 int8 other 128 */
    -1, -1, -1, /* cpu f16 int8 other other */
    -1, -1, -1, /* cpu f16 nvfp4 64 8 */
    -1, -1, -1, /* cpu f16 nvfp4 64 16 */
    -1, -1, -1, /* cpu f16 nvfp4 64 64 */
    -1, -1, -1, /* cpu f16 nvfp4 64 128 */
    -1, -1, -1, /* cpu f16 nvfp4 64 other */
    -1, -1, -1, /* cpu f16 nvfp4 128 8 */
    -1, -1, -1, /* cpu f16 nvfp4 128 16 */
    -1, -1, -1, /* cpu f16 nvfp4 128 64 */
    -1, -1, -1, /* cpu f16 nvfp4 128 128 */
    -1, -1, -1, /* cpu f16 nvfp4 128 other */
    -1, -1, -1, /* cpu f16 nvfp4 256 8 */
    -1, -1, -1, /* cpu f16 nvfp4 256 16 */
    -1, -1, -1, /* cpu f16 nvfp4 256 64 */
    -1, -1, -1, /* cpu f16 nvfp4 256 128 */
    -1, -1, -1, /* cpu f16 nvfp4 256 other */
    -1, -1, -1, /* cpu f16 nvfp4 other 8 */
    -1, -1, -1, /* cpu f16 nvfp4 other 16 */
    -1, -1, -1, /* cpu f16 nvfp4 other 64 */
    -1, -1, -1, /* cpu f16 nvfp4 other 128 */
    -1, -1, -1, /* cpu f16 nvfp4 other other */
    -1, -1, -1, /* cpu f16 int8_per_token_head 64 8 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 64 16 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 64 64 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 64 128 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 64 other */
    -1, -1, -1, /* cpu f16 int8_per_token_head 128 8 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 128 16 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 128 64 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 128 128 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 128 other */
    -1, -1, -1, /* cpu f16 int8_per_token_head 256 8 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 256 16 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 256 64 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 256 128 */
    -1, -1, -1, /* cpu f16 int8_per_token_head 256 other */
    -1, -1, -1, /* cpu f16 int8_per_token_head other 8 */
    -1, -1, -1, /* cpu f16 int8_per_token_head other 16 */
    -1, -1, -1, /* cpu f16 int8_per_token_head other 64 */
    -1, -1, -1, /* cpu f16 int8_per_token_head other 128 */
    -1, -1, -1, /* cpu f16 int8_per_token_head other other */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 64 8 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 64 16 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 64 64 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 64 128 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 64 other */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 128 8 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 128 16 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 128 64 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 128 128 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 128 other */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 256 8 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 256 16 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 256 64 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 256 128 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head 256 other */
    -1, -1, -1, /* cpu f16 fp8_per_token_head other 8 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head other 16 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head other 64 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head other 128 */
    -1, -1, -1, /* cpu f16 fp8_per_token_head other other */
    -1, -1, -1, /* cpu f16 int4_per_token_head 64 8 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 64 16 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 64 64 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 64 128 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 64 other */
    -1, -1, -1, /* cpu f16 int4_per_token_head 128 8 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 128 16 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 128 64 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 128 128 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 128 other */
    -1, -1, -1, /* cpu f16 int4_per_token_head 256 8 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 256 16 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 256 64 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 256 128 */
    -1, -1, -1, /* cpu f16 int4_per_token_head 256 other */
    -1, -1, -1, /* cpu f16 int4_per_token_head other 8 */
    -1, -1, -1, /* cpu f16 int4_per_token_head other 16 */
    -1, -1, -1, /* cpu f16 int4_per_token_head other 64 */
    -1, -1, -1, /* cpu f16 int4_per_token_head other 128 */
    -1, -1, -1, /* cpu f16 int4_per_token_head other other */
    -1, -1, -1, /* cpu f16 q8_0 64 8 */
    -1, -1, -1, /* cpu f16 q8_0 64 16 */
    -1, -1, -1, /* cpu f16 q8_0 64 64 */
    -1, -1, -1, /* cpu f16 q8_0 64 128 */
    -1, -1, -1, /* cpu f16 q8_0 64 other */
    -1, -1, -1, /* cpu f16 q8_0 128 8 */
    -1, -1, -1, /* cpu f16 q8_0 128 16 */
    -1, -1, -1, /* cpu f16 q8_0 128 64 */
    -1, -1, -1, /* cpu f16 q8_0 128 128 */
    -1, -1, -1, /* cpu f16 q8_0 128 other */
    -1, -1, -1, /* cpu f16 q8_0 256 8 */
    -1, -1, -1, /* cpu f16 q8_0 256 16 */
    -1, -1, -1, /* cpu f16 q8_0 256 64 */
    -1, -1, -1, /* cpu f16 q8_0 256 128 */
    -1, -1, -1, /* cpu f16 q8_0 256 other */
    -1, -1, -1, /* cpu f16 q8_0 other 8 */
    -1, -1, -1, /* cpu f16 q8_0 other 16 */
    -1, -1, -1, /* cpu f16 q8_0 other 64 */
    -1, -1, -1, /* cpu f16 q8_0 other 128 */
    -1, -1, -1, /* cpu f16 q8_0 other other */
    -1, -1, -1, /* cpu f16 q4_0 64 8 */
    -1, -1, -1, /* cpu f16 q4_0 64 16 */
    -1, -1, -1, /* cpu f16 q4_0 64 64 */
    -1, -1, -1, /* cpu f16 q4_0 64 128 */
    -1, -1, -1, /* cpu f16 q4_0 64 other */
    -1, -1, -1, /* cpu f16 q4_0 128 8 */
    -1, -1, -1, /* cpu f16 q4_0 128 16 */
    -1, -1, -1, /* cpu f16 q4_0 128 64 */
    -1, -1, -1, /* cpu f16 q4_0 128 128 */
    -1, -1, -1, /* cpu f16 q4_0 128 other */
    -1, -1, -1, /* cpu f16 q4_0 256 8 */
    -1, -1, -1, /* cpu f16 q4_0 256 16 */
    -1, -1, -1, /* cpu f16 q4_0 256 64 */
    -1, -1, -1, /* cpu f16 q4_0 256 128 */
    -1, -1, -1, /* cpu f16 q4_0 256 other */
    -1, -1, -1, /* cpu f16 q4_0 other 8 */
    -1, -1, -1, /* cpu f16 q4_0 other 16 */
    -1, -1, -1, /* cpu f16 q4_0 other 64 */
    -1, -1, -1, /* cpu f16 q4_0 other 128 */
    -1, -1, -1, /* cpu f16 q4_0 other other */
    -1, -1, -1, /* cpu bf16 f32 64 8 */
    -1, -1, -1, /* cpu bf16 f32 64 16 */
    -1, -1, -1, /* cpu bf16 f32 64 64 */
    -1, -1, -1, /* cpu bf16 f32 64 128 */
    -1, -1, -1, /* cpu bf16 f32 64 other */
    -1, -1, -1, /* cpu bf16 f32 128 8 */
    -1, -1, -1, /* cpu bf16 f32 128 16 */
    -1, -1, -1, /* cpu bf16 f32 128 64 */
    -1, -1, -1, /* cpu bf16 f32 128 128 */
    -1, -1, -1, /* cpu bf16 f32 128 other */
    -1, -1, -1, /* cpu bf16 f32 256 8 */
    -1, -1, -1, /* cpu bf16 f32 256 16 */
    -1, -1, -1, /* cpu bf16 f32 256 64 */
    -1, -1, -1, /* cpu bf16 f32 256 128 */
    -1, -1, -1, /* cpu bf16 f32 256 other */
    -1, -1, -1, /* cpu bf16 f32 other 8 */
    -1, -1, -1, /* cpu bf16 f32 other 16 */
    -1, -1, -1, /* cpu bf16 f32 other 64 */
    -1, -1, -1, /* cpu bf16 f32 other 128 */
    -1, -1, -1, /* cpu bf16 f32 other other */
    -1, -1, -1, /* cpu bf16 f16 64 8 */
    -1, -1, -1, /* cpu bf16 f16 64 16 */
    -1, -1, -1, /* cpu bf16 f16 64 64 */
    -1, -1, -1, /* cpu bf16 f16 64 128 */
    -1, -1, -1, /* cpu bf16 f16 64 other */
    -1, -1, -1, /* cpu bf16 f16 128 8 */
    -1, -1, -1, /* cpu bf16 f16 128 16 */
    -1, -1, -1, /* cpu bf16 f16 128 64 */
    -1, -1, -1, /* cpu bf16 f16 128 128 */
    -1, -1, -1, /* cpu bf16 f16 128 other */
    -1, -1, -1, /* cpu bf16 f16 256 8 */
    -1, -1, -1, /* cpu bf16 f16 256 16 */
    -1, -1, -1, /* cpu bf16 f16 256 64 */
    -1, -1, -1, /* cpu bf16 f16 256 128 */
    -1, -1, -1, /* cpu bf16 f16 256 other */
    -1, -1, -1, /* cpu bf16 f16 other 8 */
    -1, -1, -1, /* cpu bf16 f16 other 16 */
    -1, -1, -1, /* cpu bf16 f16 other 64 */
    -1, -1, -1, /* cpu bf16 f16 other 128 */
    -1, -1, -1, /* cpu bf16 f16 other other */
    -1, -1, -1, /* cpu bf16 bf16 64 8 */
    -1, -1, -1, /* cpu bf16 bf16 64 16 */
    -1, -1, -1, /* cpu bf16 bf16 64 64 */
    -1, -1, -1, /* cpu bf16 bf16 64 128 */
    -1, -1, -1, /* cpu bf16 bf16 64 other */
    -1, -1, -1, /* cpu bf16 bf16 128 8 */
    -1, -1, -1, /* cpu bf16 bf16 128 16 */
    -1, -1, -1, /* cpu bf16 bf16 128 64 */
    -1, -1, -1, /* cpu bf16 bf16 128 128 */
    -1, -1, -1, /* cpu bf16 bf16 128 other */
    -1, -1, -1, /* cpu bf16 bf16 256 8 */
    -1, -1, -1, /* cpu bf16 bf16 256 16 */
    -1, -1, -1, /* cpu bf16 bf16 256 64 */
    -1, -1, -1, /* cpu bf16 bf16 256 128 */
    -1, -1, -1, /* cpu bf16 bf16 256 other */
    -1, -1, -1, /* cpu bf16 bf16 other 8 */
    -1, -1, -1, /* cpu bf16 bf16 other 16 */
    -1, -1, -1, /* cpu bf16 bf16 other 64 */
    -1, -1, -1, /* cpu bf16 bf16 other 128 */
    -1, -1, -1, /* cpu bf16 bf16 other other */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 64 8 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 64 16 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 64 64 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 64 128 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 64 other */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 128 8 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 128 16 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 128 64 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 128 128 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 128 other */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 256 8 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 256 16 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 256 64 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 256 128 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 256 other */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 other 8 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 other 16 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 other 64 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 other 128 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 other other */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 64 8 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 64 16 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 64 64 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 64 128 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 64 other */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 128 8 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 128 16 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 128 64 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 128 128 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 128 other */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 256 8 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 256 16 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 256 64 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 256 128 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 256 other */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 other 8 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 other 16 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 other 64 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 other 128 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 other other */
    -1, -1, -1, /* cpu bf16 int8 64 8 */
    -1, -1, -1, /* cpu bf16 int8 64 16 */
    -1, -1, -1, /* cpu bf16 int8 64 64 */
    -1, -1, -1, /* cpu bf16 int8 64 128 */
    -1, -1, -1, /* cpu bf16 int8 64 other */
    -1, -1, -1, /* cpu bf16 int8 128 8 */
    -1, -1, -1, /* cpu bf16 int8 128 16 */
    -1, -1, -1, /* cpu bf16 int8 128 64 */
    -1, -1, -1, /* cpu bf16 int8 128 128 */
    -1, -1, -1, /* cpu bf16 int8 128 other */
    -1, -1, -1, /* cpu bf16 int8 256 8 */
    -1, -1, -1, /* cpu bf16 int8 256 16 */
    -1, -1, -1, /* cpu bf16 int8 256 64 */
    -1, -1, -1, /* cpu bf16 int8 256 128 */
    -1, -1, -1, /* cpu bf16 int8 256 other */
    -1, -1, -1, /* cpu bf16 int8 other 8 */
    -1, -1, -1, /* cpu bf16 int8 other 16 */
    -1, -1, -1, /* cpu bf16 int8 other 64 */
    -1, -1, -1, /* cpu bf16 int8 other 128 */
    -1, -1, -1, /* cpu bf16 int8 other other */
    -1, -1, -1, /* cpu bf16 nvfp4 64 8 */
    -1, -1, -1, /* cpu bf16 nvfp4 64 16 */
    -1, -1, -1, /* cpu bf16 nvfp4 64 64 */
    -1, -1, -1, /* cpu bf16 nvfp4 64 128 */
    -1, -1, -1, /* cpu bf16 nvfp4 64 other */
    -1, -1, -1, /* cpu bf16 nvfp4 128 8 */
    -1, -1, -1, /* cpu bf16 nvfp4 128 16 */
    -1, -1, -1, /* cpu bf16 nvfp4 128 64 */
    -1, -1, -1, /* cpu bf16 nvfp4 128 128 */
    -1, -1, -1, /* cpu bf16 nvfp4 128 other */
    -1, -1, -1, /* cpu bf16 nvfp4 256 8 */
    -1, -1, -1, /* cpu bf16 nvfp4 256 16 */
    -1, -1, -1, /* cpu bf16 nvfp4 256 64 */
    -1, -1, -1, /* cpu bf16 nvfp4 256 128 */
    -1, -1, -1, /* cpu bf16 nvfp4 256 other */
    -1, -1, -1, /* cpu bf16 nvfp4 other 8 */
    -1, -1, -1, /* cpu bf16 nvfp4 other 16 */
    -1, -1, -1, /* cpu bf16 nvfp4 other 64 */
    -1, -1, -1, /* cpu bf16 nvfp4 other 128 */
    -1, -1, -1, /* cpu bf16 nvfp4 other other */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 64 8 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 64 16 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 64 64 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 64 128 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 64 other */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 128 8 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 128 16 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 128 64 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 128 128 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 128 other */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 256 8 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 256 16 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 256 64 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 256 128 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head 256 other */
    -1, -1, -1, /* cpu bf16 int8_per_token_head other 8 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head other 16 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head other 64 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head other 128 */
    -1, -1, -1, /* cpu bf16 int8_per_token_head other other */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 64 8 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 64 16 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 64 64 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 64 128 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 64 other */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 128 8 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 128 16 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 128 64 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 128 128 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 128 other */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 256 8 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 256 16 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 256 64 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 256 128 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head 256 other */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head other 8 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head other 16 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head other 64 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head other 128 */
    -1, -1, -1, /* cpu bf16 fp8_per_token_head other other */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 64 8 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 64 16 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 64 64 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 64 128 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 64 other */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 128 8 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 128 16 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 128 64 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 128 128 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 128 other */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 256 8 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 256 16 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 256 64 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 256 128 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head 256 other */
    -1, -1, -1, /* cpu bf16 int4_per_token_head other 8 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head other 16 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head other 64 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head other 128 */
    -1, -1, -1, /* cpu bf16 int4_per_token_head other other */
    -1, -1, -1, /* cpu bf16 q8_0 64 8 */
    -1, -1, -1, /* cpu bf16 q8_0 64 16 */
    -1, -1, -1, /* cpu bf16 q8_0 64 64 */
    -1, -1, -1, /* cpu bf16 q8_0 64 128 */
    -1, -1, -1, /* cpu bf16 q8_0 64 other */
    -1, -1, -1, /* cpu bf16 q8_0 128 8 */
    -1, -1, -1, /* cpu bf16 q8_0 128 16 */
    -1, -1, -1, /* cpu bf16 q8_0 128 64 */
    -1, -1, -1, /* cpu bf16 q8_0 128 128 */
    -1, -1, -1, /* cpu bf16 q8_0 128 other */
    -1, -1, -1, /* cpu bf16 q8_0 256 8 */
    -1, -1, -1, /* cpu bf16 q8_0 256 16 */
    -1, -1, -1, /* cpu bf16 q8_0 256 64 */
    -1, -1, -1, /* cpu bf16 q8_0 256 128 */
    -1, -1, -1, /* cpu bf16 q8_0 256 other */
    -1, -1, -1, /* cpu bf16 q8_0 other 8 */
    -1, -1, -1, /* cpu bf16 q8_0 other 16 */
    -1, -1, -1, /* cpu bf16 q8_0 other 64 */
    -1, -1, -1, /* cpu bf16 q8_0 other 128 */
    -1, -1, -1, /* cpu bf16 q8_0 other other */
    -1, -1, -1, /* cpu bf16 q4_0 64 8 */
    -1, -1, -1, /* cpu bf16 q4_0 64 16 */
    -1, -1, -1, /* cpu bf16 q4_0 64 64 */
    -1, -1, -1, /* cpu bf16 q4_0 64 128 */
    -1, -1, -1, /* cpu bf16 q4_0 64 other */
    -1, -1, -1, /* cpu bf16 q4_0 128 8 */
    -1, -1, -1, /* cpu bf16 q4_0 128 16 */
    -1, -1, -1, /* cpu bf16 q4_0 128 64 */
    -1, -1, -1, /* cpu bf16 q4_0 128 128 */
    -1, -1, -1, /* cpu bf16 q4_0 128 other */
    -1, -1, -1, /* cpu bf16 q4_0 256 8 */
    -1, -1, -1, /* cpu bf16 q4_0 256 16 */
    -1, -1, -1, /* cpu bf16 q4_0 256 64 */
    -1, -1, -1, /* cpu bf16 q4_0 256 128 */
    -1, -1, -1, /* cpu bf16 q4_0 256 other */
    -1, -1, -1, /* cpu bf16 q4_0 other 8 */
    -1, -1, -1, /* cpu bf16 q4_0 other 16 */
    -1, -1, -1, /* cpu bf16 q4_0 other 64 */
    -1, -1, -1, /* cpu bf16 q4_0 other 128 */
    -1, -1, -1, /* cpu bf16 q4_0 other other */
    -1, -1, -1, /* cuda f32 f32 64 8 */
    -1, -1, -1, /* cuda f32 f32 64 16 */
    -1, -1, -1, /* cuda f32 f32 64 64 */
    -1, -1, -1, /* cuda f32 f32 64 128 */
    -1, -1, -1, /* cuda f32 f32 64 other */
    -1, -1, -1, /* cuda f32 f32 128 8 */
    -1, -1, -1, /* cuda f32 f32 128 16 */
    -1, -1, -1, /* cuda f32 f32 128 64 */
    -1, -1, -1, /* cuda f32 f32 128 128 */
    -1, -1, -1, /* cuda f32 f32 128 other */
    -1, -1, -1, /* cuda f32 f32 256 8 */
    -1, -1, -1, /* cuda f32 f32 256 16 */
    -1, -1, -1, /* cuda f32 f32 256 64 */
    -1, -1, -1, /* cuda f32 f32 256 128 */
    -1, -1, -1, /* cuda f32 f32 256 other */
    -1, -1, -1, /* cuda f32 f32 other 8 */
    -1, -1, -1, /* cuda f32 f32 other 16 */
    -1, -1, -1, /* cuda f32 f32 other 64 */
    -1, -1, -1, /* cuda f32 f32 other 128 */
    -1, -1, -1, /* cuda f32 f32 other other */
    -1, -1, -1, /* cuda f32 f16 64 8 */
    -1, -1, -1, /* cuda f32 f16 64 16 */
    -1, -1, -1, /* cuda f32 f16 64 64 */
    -1, -1, -1, /* cuda f32 f16 64 128 */
    -1, -1, -1, /* cuda f32 f16 64 other */
    -1, -1, -1, /* cuda f32 f16 128 8 */
    -1, -1, -1, /* cuda f32 f16 128 16 */
    -1, -1, -1, /* cuda f32 f16 128 64 */
    -1, -1, -1, /* cuda f32 f16 128 128 */
    -1, -1, -1, /* cuda f32 f16 128 other */
    -1, -1, -1, /* cuda f32 f16 256 8 */
    -1, -1, -1, /* cuda f32 f16 256 16 */
    -1, -1, -1, /* cuda f32 f16 256 64 */
    -1, -1, -1, /* cuda f32 f16 256 128 */
    -1, -1, -1, /* cuda f32 f16 256 other */
    -1, -1, -1, /* cuda f32 f16 other 8 */
    -1, -1, -1, /* cuda f32 f16 other 16 */
    -1, -1, -1, /* cuda f32 f16 other 64 */
    -1, -1, -1, /* cuda f32 f16 other 128 */
    -1, -1, -1, /* cuda f32 f16 other other */
    -1, -1, -1, /* cuda f32 bf16 64 8 */
    -1, -1, -1, /* cuda f32 bf16 64 16 */
    -1, -1, -1, /* cuda f32 bf16 64 64 */
    -1, -1, -1, /* cuda f32 bf16 64 128 */
    -1, -1, -1, /* cuda f32 bf16 64 other */
    -1, -1, -1, /* cuda f32 bf16 128 8 */
    -1, -1, -1, /* cuda f32 bf16 128 16 */
    -1, -1, -1, /* cuda f32 bf16 128 64 */
    -1, -1, -1, /* cuda f32 bf16 128 128 */
    -1, -1, -1, /* cuda f32 bf16 128 other */
    -1, -1, -1, /* cuda f32 bf16 256 8 */
    -1, -1, -1, /* cuda f32 bf16 256 16 */
    -1, -1, -1, /* cuda f32 bf16 256 64 */
    -1, -1, -1, /* cuda f32 bf16 256 128 */
    -1, -1, -1, /* cuda f32 bf16 256 other */
    -1, -1, -1, /* cuda f32 bf16 other 8 */
    -1, -1, -1, /* cuda f32 bf16 other 16 */
    -1, -1, -1, /* cuda f32 bf16 other 64 */
    -1, -1, -1, /* cuda f32 bf16 other 128 */
    -1, -1, -1, /* cuda f32 bf16 other other */
    -1, -1, -1, /* cuda f32 fp8_e4m3 64 8 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 64 16 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 64 64 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 64 128 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 64 other */
    -1, -1, -1, /* cuda f32 fp8_e4m3 128 8 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 128 16 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 128 64 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 128 128 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 128 other */
    -1, -1, -1, /* cuda f32 fp8_e4m3 256 8 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 256 16 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 256 64 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 256 128 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 256 other */
    -1, -1, -1, /* cuda f32 fp8_e4m3 other 8 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 other 16 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 other 64 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 other 128 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 other other */
    -1, -1, -1, /* cuda f32 fp8_e5m2 64 8 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 64 16 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 64 64 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 64 128 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 64 other */
    -1, -1, -1, /* cuda f32 fp8_e5m2 128 8 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 128 16 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 128 64 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 128 128 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 128 other */
    -1, -1, -1, /* cuda f32 fp8_e5m2 256 8 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 256 16 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 256 64 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 256 128 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 256 other */
    -1, -1, -1, /* cuda f32 fp8_e5m2 other 8 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 other 16 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 other 64 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 other 128 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 other other */
    -1, -1, -1, /* cuda f32 int8 64 8 */
    -1, -1, -1, /* cuda f32 int8 64 16 */
    -1, -1, -1, /* cuda f32 int8 64 64 */
    -1, -1, -1, /* cuda f32 int8 64 128 */
    -1, -1, -1, /* cuda f32 int8 64 other */
    -1, -1, -1, /* cuda f32 int8 128 8 */
    -1, -1, -1, /* cuda f32 int8 128 16 */
    -1, -1, -1, /* cuda f32 int8 128 64 */
    -1, -1, -1, /* cuda f32 int8 128 128 */
    -1, -1, -1, /* cuda f32 int8 128 other */
    -1, -1, -1, /* cuda f32 int8 256 8 */
    -1, -1, -1, /* cuda f32 int8 256 16 */
    -1, -1, -1, /* cuda f32 int8 256 64 */
    -1, -1, -1, /* cuda f32 int8 256 128 */
    -1, -1, -1, /* cuda f32 int8 256 other */
    -1, -1, -1, /* cuda f32 int8 other 8 */
    -1, -1, -1, /* cuda f32 int8 other 16 */
    -1, -1, -1, /* cuda f32 int8 other 64 */
    -1, -1, -1, /* cuda f32 int8 other 128 */
    -1, -1, -1, /* cuda f32 int8 other other */
    -1, -1, -1, /* cuda f32 nvfp4 64 8 */
    -1, -1, -1, /* cuda f32 nvfp4 64 16 */
    -1, -1, -1, /* cuda f32 nvfp4 64 64 */
    -1, -1, -1, /* cuda f32 nvfp4 64 128 */
    -1, -1, -1, /* cuda f32 nvfp4 64 other */
    -1, -1, -1, /* cuda f32 nvfp4 128 8 */
    -1, -1, -1, /* cuda f32 nvfp4 128 16 */
    -1, -1, -1, /* cuda f32 nvfp4 128 64 */
    -1, -1, -1, /* cuda f32 nvfp4 128 128 */
    -1, -1, -1, /* cuda f32 nvfp4 128 other */
    -1, -1, -1, /* cuda f32 nvfp4 256 8 */
    -1, -1, -1, /* cuda f32 nvfp4 256 16 */
    -1, -1, -1, /* cuda f32 nvfp4 256 64 */
    -1, -1, -1, /* cuda f32 nvfp4 256 128 */
    -1, -1, -1, /* cuda f32 nvfp4 256 other */
    -1, -1, -1, /* cuda f32 nvfp4 other 8 */
    -1, -1, -1, /* cuda f32 nvfp4 other 16 */
    -1, -1, -1, /* cuda f32 nvfp4 other 64 */
    -1, -1, -1, /* cuda f32 nvfp4 other 128 */
    -1, -1, -1, /* cuda f32 nvfp4 other other */
    -1, -1, -1, /* cuda f32 int8_per_token_head 64 8 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 64 16 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 64 64 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 64 128 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 64 other */
    -1, -1, -1, /* cuda f32 int8_per_token_head 128 8 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 128 16 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 128 64 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 128 128 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 128 other */
    -1, -1, -1, /* cuda f32 int8_per_token_head 256 8 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 256 16 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 256 64 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 256 128 */
    -1, -1, -1, /* cuda f32 int8_per_token_head 256 other */
    -1, -1, -1, /* cuda f32 int8_per_token_head other 8 */
    -1, -1, -1, /* cuda f32 int8_per_token_head other 16 */
    -1, -1, -1, /* cuda f32 int8_per_token_head other 64 */
    -1, -1, -1, /* cuda f32 int8_per_token_head other 128 */
    -1, -1, -1, /* cuda f32 int8_per_token_head other other */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 64 8 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 64 16 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 64 64 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 64 128 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 64 other */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 128 8 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 128 16 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 128 64 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 128 128 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 128 other */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 256 8 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 256 16 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 256 64 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 256 128 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head 256 other */
    -1, -1, -1, /* cuda f32 fp8_per_token_head other 8 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head other 16 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head other 64 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head other 128 */
    -1, -1, -1, /* cuda f32 fp8_per_token_head other other */
    -1, -1, -1, /* cuda f32 int4_per_token_head 64 8 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 64 16 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 64 64 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 64 128 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 64 other */
    -1, -1, -1, /* cuda f32 int4_per_token_head 128 8 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 128 16 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 128 64 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 128 128 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 128 other */
    -1, -1, -1, /* cuda f32 int4_per_token_head 256 8 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 256 16 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 256 64 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 256 128 */
    -1, -1, -1, /* cuda f32 int4_per_token_head 256 other */
    -1, -1, -1, /* cuda f32 int4_per_token_head other 8 */
    -1, -1, -1, /* cuda f32 int4_per_token_head other 16 */
    -1, -1, -1, /* cuda f32 int4_per_token_head other 64 */
    -1, -1, -1, /* cuda f32 int4_per_token_head other 128 */
    -1, -1, -1, /* cuda f32 int4_per_token_head other other */
    -1, -1, -1, /* cuda f32 q8_0 64 8 */
    -1, -1, -1, /* cuda f32 q8_0 64 16 */
    -1, -1, -1, /* cuda f32 q8_0 64 64 */
    -1, -1, -1, /* cuda f32 q8_0 64 128 */
    -1, -1, -1, /* cuda f32 q8_0 64 other */
    -1, -1, -1, /* cuda f32 q8_0 128 8 */
    -1, -1, -1, /* cuda f32 q8_0 128 16 */
    -1, -1, -1, /* cuda f32 q8_0 128 64 */
    -1, -1, -1, /* cuda f32 q8_0 128 128 */
    -1, -1, -1, /* cuda f32 q8_0 128 other */
    -1, -1, -1, /* cuda f32 q8_0 256 8 */
    -1, -1, -1, /* cuda f32 q8_0 256 16 */
    -1, -1, -1, /* cuda f32 q8_0 256 64 */
    -1, -1, -1, /* cuda f32 q8_0 256 128 */
    -1, -1, -1, /* cuda f32 q8_0 256 other */
    -1, -1, -1, /* cuda f32 q8_0 other 8 */
    -1, -1, -1, /* cuda f32 q8_0 other 16 */
    -1, -1, -1, /* cuda f32 q8_0 other 64 */
    -1, -1, -1, /* cuda f32 q8_0 other 128 */
    -1, -1, -1, /* cuda f32 q8_0 other other */
    -1, -1, -1, /* cuda f32 q4_0 64 8 */
    -1, -1, -1, /* cuda f32 q4_0 64 16 */
    -1, -1, -1, /* cuda f32 q4_0 64 64 */
    -1, -1, -1, /* cuda f32 q4_0 64 128 */
    -1, -1, -1, /* cuda f32 q4_0 64 other */
    -1, -1, -1, /* cuda f32 q4_0 128 8 */
    -1, -1, -1, /* cuda f32 q4_0 128 16 */
    -1, -1, -1, /* cuda f32 q4_0 128 64 */
    -1, -1, -1, /* cuda f32 q4_0 128 128 */
    -1, -1, -1, /* cuda f32 q4_0 128 other */
    -1, -1, -1, /* cuda f32 q4_0 256 8 */
    -1, -1, -1, /* cuda f32 q4_0 256 16 */
    -1, -1, -1, /* cuda f32 q4_0 256 64 */
    -1, -1, -1, /* cuda f32 q4_0 256 128 */
    -1, -1, -1, /* cuda f32 q4_0 256 other */
    -1, -1, -1, /* cuda f32 q4_0 other 8 */
    -1, -1, -1, /* cuda f32 q4_0 other 16 */
    -1, -1, -1, /* cuda f32 q4_0 other 64 */
    -1, -1, -1, /* cuda f32 q4_0 other 128 */
    -1, -1, -1, /* cuda f32 q4_0 other other */
    -1, -1, -1, /* cuda f16 f32 64 8 */
    -1, -1, -1, /* cuda f16 f32 64 16 */
    -1, -1, -1, /* cuda f16 f32 64 64 */
    -1, -1, -1, /* cuda f16 f32 64 128 */
    -1, -1, -1, /* cuda f16 f32 64 other */
    -1, -1, -1, /* cuda f16 f32 128 8 */
    -1, -1, -1, /* cuda f16 f32 128 16 */
    -1, -1, -1, /* cuda f16 f32 128 64 */
    -1, -1, -1, /* cuda f16 f32 128 128 */
    -1, -1, -1, /* cuda f16 f32 128 other */
    -1, -1, -1, /* cuda f16 f32 256 8 */
    -1, -1, -1, /* cuda f16 f32 256 16 */
    -1, -1, -1, /* cuda f16 f32 256 64 */
    -1, -1, -1, /* cuda f16 f32 256 128 */
    -1, -1, -1, /* cuda f16 f32 256 other */
    -1, -1, -1, /* cuda f16 f32 other 8 */
    -1, -1, -1, /* cuda f16 f32 other 16 */
    -1, -1, -1, /* cuda f16 f32 other 64 */
    -1, -1, -1, /* cuda f16 f32 other 128 */
    -1, -1, -1, /* cuda f16 f32 other other */
    0,  0,  -1, /* cuda f16 f16 64 8 */
    0,  0,  -1, /* cuda f16 f16 64 16 */
    -1, -1, -1, /* cuda f16 f16 64 64 */
    0,  2,  -1, /* cuda f16 f16 64 128 */
    -1, -1, -1, /* cuda f16 f16 64 other */
    0,  0,  -1, /* cuda f16 f16 128 8 */
    0,  0,  -1, /* cuda f16 f16 128 16 */
    -1, -1, -1, /* cuda f16 f16 128 64 */
    0,  5,  -1, /* cuda f16 f16 128 128 */
    -1, -1, -1, /* cuda f16 f16 128 other */
    0,  0,  -1, /* cuda f16 f16 256 8 */
    -1, -1, -1, /* cuda f16 f16 256 16 */
    0,  0,  -1, /* cuda f16 f16 256 64 */
    -1, -1, -1, /* cuda f16 f16 256 128 */
    -1, -1, -1, /* cuda f16 f16 256 other */
    -1, -1, -1, /* cuda f16 f16 other 8 */
    -1, -1, -1, /* cuda f16 f16 other 16 */
    -1, -1, -1, /* cuda f16 f16 other 64 */
    -1, -1, -1, /* cuda f16 f16 other 128 */
    -1, -1, -1, /* cuda f16 f16 other other */
    -1, -1, -1, /* cuda f16 bf16 64 8 */
    -1, -1, -1, /* cuda f16 bf16 64 16 */
    -1, -1, -1, /* cuda f16 bf16 64 64 */
    -1, -1, -1, /* cuda f16 bf16 64 128 */
    -1, -1, -1, /* cuda f16 bf16 64 other */
    -1, -1, -1, /* cuda f16 bf16 128 8 */
    -1, -1, -1, /* cuda f16 bf16 128 16 */
    -1, -1, -1, /* cuda f16 bf16 128 64 */
    -1, -1, -1, /* cuda f16 bf16 128 128 */
    -1, -1, -1, /* cuda f16 bf16 128 other */
    -1, -1, -1, /* cuda f16 bf16 256 8 */
    -1, -1, -1, /* cuda f16 bf16 256 16 */
    -1, -1, -1, /* cuda f16 bf16 256 64 */
    -1, -1, -1, /* cuda f16 bf16 256 128 */
    -1, -1, -1, /* cuda f16 bf16 256 other */
    -1, -1, -1, /* cuda f16 bf16 other 8 */
    -1, -1, -1, /* cuda f16 bf16 other 16 */
    -1, -1, -1, /* cuda f16 bf16 other 64 */
    -1, -1, -1, /* cuda f16 bf16 other 128 */
    -1, -1, -1, /* cuda f16 bf16 other other */
    8,  8,  -1, /* cuda f16 fp8_e4m3 64 8 */
    8,  8,  -1, /* cuda f16 fp8_e4m3 64 16 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 64 64 */
    8,  8,  -1, /* cuda f16 fp8_e4m3 64 128 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 64 other */
    8,  8,  -1, /* cuda f16 fp8_e4m3 128 8 */
    8,  8,  -1, /* cuda f16 fp8_e4m3 128 16 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 128 64 */
    8,  8,  -1, /* cuda f16 fp8_e4m3 128 128 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 128 other */
    8,  8,  -1, /* cuda f16 fp8_e4m3 256 8 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 256 16 */
    8,  8,  -1, /* cuda f16 fp8_e4m3 256 64 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 256 128 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 256 other */
    -1, -1, -1, /* cuda f16 fp8_e4m3 other 8 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 other 16 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 other 64 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 other 128 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 other other */
    10, 10, -1, /* cuda f16 fp8_e5m2 64 8 */
    10, 10, -1, /* cuda f16 fp8_e5m2 64 16 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 64 64 */
    10, 10, -1, /* cuda f16 fp8_e5m2 64 128 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 64 other */
    10, 10, -1, /* cuda f16 fp8_e5m2 128 8 */
    10, 10, -1, /* cuda f16 fp8_e5m2 128 16 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 128 64 */
    10, 10, -1, /* cuda f16 fp8_e5m2 128 128 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 128 other */
    -1, -1, -1, /* cuda f16 fp8_e5m2 256 8 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 256 16 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 256 64 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 256 128 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 256 other */
    -1, -1, -1, /* cuda f16 fp8_e5m2 other 8 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 other 16 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 other 64 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 other 128 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 other other */
    12, 12, -1, /* cuda f16 int8 64 8 */
    12, 12, -1, /* cuda f16 int8 64 16 */
    -1, -1, -1, /* cuda f16 int8 64 64 */
    12, 12, -1, /* cuda f16 int8 64 128 */
    -1, -1, -1, /* cuda f16 int8 64 other */
    12, 12, -1, /* cuda f16 int8 128 8 */
    12, 12, -1, /* cuda f16 int8 128 16 */
    -1, -1, -1, /* cuda f16 int8 128 64 */
    12, 12, -1, /* cuda f16 int8 128 128 */
    -1, -1, -1, /* cuda f16 int8 128 other */
    -1, -1, -1, /* cuda f16 int8 256 8 */
    -1, -1, -1, /* cuda f16 int8 256 16 */
    -1, -1, -1, /* cuda f16 int8 256 64 */
    -1, -1, -1, /* cuda f16 int8 256 128 */
    -1, -1, -1, /* cuda f16 int8 256 other */
    -1, -1, -1, /* cuda f16 int8 other 8 */
    -1, -1, -1, /* cuda f16 int8 other 16 */
    -1, -1, -1, /* cuda f16 int8 other 64 */
    -1, -1, -1, /* cuda f16 int8 other 128 */
    -1, -1, -1, /* cuda f16 int8 other other */
    -1, -1, -1, /* cuda f16 nvfp4 64 8 */
    -1, -1, -1, /* cuda f16 nvfp4 64 16 */
    -1, -1, -1, /* cuda f16 nvfp4 64 64 */
    -1, -1, -1, /* cuda f16 nvfp4 64 128 */
    -1, -1, -1, /* cuda f16 nvfp4 64 other */
    14, 14, -1, /* cuda f16 nvfp4 128 8 */
    14, 14, -1, /* cuda f16 nvfp4 128 16 */
    -1, -1, -1, /* cuda f16 nvfp4 128 64 */
    -1, -1, -1, /* cuda f16 nvfp4 128 128 */
    -1, -1, -1, /* cuda f16 nvfp4 128 other */
    -1, -1, -1, /* cuda f16 nvfp4 256 8 */
    -1, -1, -1, /* cuda f16 nvfp4 256 16 */
    -1, -1, -1, /* cuda f16 nvfp4 256 64 */
    -1, -1, -1, /* cuda f16 nvfp4 256 128 */
    -1, -1, -1, /* cuda f16 nvfp4 256 other */
    -1, -1, -1, /* cuda f16 nvfp4 other 8 */
    -1, -1, -1, /* cuda f16 nvfp4 other 16 */
    -1, -1, -1, /* cuda f16 nvfp4 other 64 */
    -1, -1, -1, /* cuda f16 nvfp4 other 128 */
    -1, -1, -1, /* cuda f16 nvfp4 other other */
    16, 16, -1, /* cuda f16 int8_per_token_head 64 8 */
    16, 16, -1, /* cuda f16 int8_per_token_head 64 16 */
    -1, -1, -1, /* cuda f16 int8_per_token_head 64 64 */
    16, 16, -1, /* cuda f16 int8_per_token_head 64 128 */
    -1, -1, -1, /* cuda f16 int8_per_token_head 64 other */
    16, 16, -1, /* cuda f16 int8_per_token_head 128 8 */
    16, 16, -1, /* cuda f16 int8_per_token_head 128 16 */
    -1, -1, -1, /* cuda f16 int8_per_token_head 128 64 */
    16, 16, -1, /* cuda f16 int8_per_token_head 128 128 */
    -1, -1, -1, /* cuda f16 int8_per_token_head 128 other */
    -1, -1, -1, /* cuda f16 int8_per_token_head 256 8 */
    -1, -1, -1, /* cuda f16 int8_per_token_head 256 16 */
    -1, -1, -1, /* cuda f16 int8_per_token_head 256 64 */
    -1, -1, -1, /* cuda f16 int8_per_token_head 256 128 */
    -1, -1, -1, /* cuda f16 int8_per_token_head 256 other */
    -1, -1, -1, /* cuda f16 int8_per_token_head other 8 */
    -1, -1, -1, /* cuda f16 int8_per_token_head other 16 */
    -1, -1, -1, /* cuda f16 int8_per_token_head other 64 */
    -1, -1, -1, /* cuda f16 int8_per_token_head other 128 */
    -1, -1, -1, /* cuda f16 int8_per_token_head other other */
    18, 18, -1, /* cuda f16 fp8_per_token_head 64 8 */
    18, 18, -1, /* cuda f16 fp8_per_token_head 64 16 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head 64 64 */
    18, 18, -1, /* cuda f16 fp8_per_token_head 64 128 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head 64 other */
    18, 18, -1, /* cuda f16 fp8_per_token_head 128 8 */
    18, 18, -1, /* cuda f16 fp8_per_token_head 128 16 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head 128 64 */
    18, 18, -1, /* cuda f16 fp8_per_token_head 128 128 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head 128 other */
    -1, -1, -1, /* cuda f16 fp8_per_token_head 256 8 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head 256 16 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head 256 64 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head 256 128 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head 256 other */
    -1, -1, -1, /* cuda f16 fp8_per_token_head other 8 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head other 16 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head other 64 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head other 128 */
    -1, -1, -1, /* cuda f16 fp8_per_token_head other other */
    -1, -1, -1, /* cuda f16 int4_per_token_head 64 8 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 64 16 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 64 64 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 64 128 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 64 other */
    -1, -1, -1, /* cuda f16 int4_per_token_head 128 8 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 128 16 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 128 64 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 128 128 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 128 other */
    -1, -1, -1, /* cuda f16 int4_per_token_head 256 8 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 256 16 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 256 64 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 256 128 */
    -1, -1, -1, /* cuda f16 int4_per_token_head 256 other */
    -1, -1, -1, /* cuda f16 int4_per_token_head other 8 */
    -1, -1, -1, /* cuda f16 int4_per_token_head other 16 */
    -1, -1, -1, /* cuda f16 int4_per_token_head other 64 */
    -1, -1, -1, /* cuda f16 int4_per_token_head other 128 */
    -1, -1, -1, /* cuda f16 int4_per_token_head other other */
    -1, -1, -1, /* cuda f16 q8_0 64 8 */
    -1, -1, -1, /* cuda f16 q8_0 64 16 */
    -1, -1, -1, /* cuda f16 q8_0 64 64 */
    -1, -1, -1, /* cuda f16 q8_0 64 128 */
    -1, -1, -1, /* cuda f16 q8_0 64 other */
    -1, -1, -1, /* cuda f16 q8_0 128 8 */
    -1, -1, -1, /* cuda f16 q8_0 128 16 */
    -1, -1, -1, /* cuda f16 q8_0 128 64 */
    -1, -1, -1, /* cuda f16 q8_0 128 128 */
    -1, -1, -1, /* cuda f16 q8_0 128 other */
    -1, -1, -1, /* cuda f16 q8_0 256 8 */
    -1, -1, -1, /* cuda f16 q8_0 256 16 */
    -1, -1, -1, /* cuda f16 q8_0 256 64 */
    -1, -1, -1, /* cuda f16 q8_0 256 128 */
    -1, -1, -1, /* cuda f16 q8_0 256 other */
    -1, -1, -1, /* cuda f16 q8_0 other 8 */
    -1, -1, -1, /* cuda f16 q8_0 other 16 */
    -1, -1, -1, /* cuda f16 q8_0 other 64 */
    -1, -1, -1, /* cuda f16 q8_0 other 128 */
    -1, -1, -1, /* cuda f16 q8_0 other other */
    -1, -1, -1, /* cuda f16 q4_0 64 8 */
    -1, -1, -1, /* cuda f16 q4_0 64 16 */
    -1, -1, -1, /* cuda f16 q4_0 64 64 */
    -1, -1, -1, /* cuda f16 q4_0 64 128 */
    -1, -1, -1, /* cuda f16 q4_0 64 other */
    -1, -1, -1, /* cuda f16 q4_0 128 8 */
    -1, -1, -1, /* cuda f16 q4_0 128 16 */
    -1, -1, -1, /* cuda f16 q4_0 128 64 */
    -1, -1, -1, /* cuda f16 q4_0 128 128 */
    -1, -1, -1, /* cuda f16 q4_0 128 other */
    -1, -1, -1, /* cuda f16 q4_0 256 8 */
    -1, -1, -1, /* cuda f16 q4_0 256 16 */
    -1, -1, -1, /* cuda f16 q4_0 256 64 */
    -1, -1, -1, /* cuda f16 q4_0 256 128 */
    -1, -1, -1, /* cuda f16 q4_0 256 other */
    -1, -1, -1, /* cuda f16 q4_0 other 8 */
    -1, -1, -1, /* cuda f16 q4_0 other 16 */
    -1, -1, -1, /* cuda f16 q4_0 other 64 */
    -1, -1, -1, /* cuda f16 q4_0 other 128 */
    -1, -1, -1, /* cuda f16 q4_0 other other */
    -1, -1, -1, /* cuda bf16 f32 64 8 */
    -1, -1, -1, /* cuda bf16 f32 64 16 */
    -1, -1, -1, /* cuda bf16 f32 64 64 */
    -1, -1, -1, /* cuda bf16 f32 64 128 */
    -1, -1, -1, /* cuda bf16 f32 64 other */
    -1, -1, -1, /* cuda bf16 f32 128 8 */
    -1, -1, -1, /* cuda bf16 f32 128 16 */
    -1, -1, -1, /* cuda bf16 f32 128 64 */
    -1, -1, -1, /* cuda bf16 f32 128 128 */
    -1, -1, -1, /* cuda bf16 f32 128 other */
    -1, -1, -1, /* cuda bf16 f32 256 8 */
    -1, -1, -1, /* cuda bf16 f32 256 16 */
    -1, -1, -1, /* cuda bf16 f32 256 64 */
    -1, -1, -1, /* cuda bf16 f32 256 128 */
    -1, -1, -1, /* cuda bf16 f32 256 other */
    -1, -1, -1, /* cuda bf16 f32 other 8 */
    -1, -1, -1, /* cuda bf16 f32 other 16 */
    -1, -1, -1, /* cuda bf16 f32 other 64 */
    -1, -1, -1, /* cuda bf16 f32 other 128 */
    -1, -1, -1, /* cuda bf16 f32 other other */
    -1, -1, -1, /* cuda bf16 f16 64 8 */
    -1, -1, -1, /* cuda bf16 f16 64 16 */
    -1, -1, -1, /* cuda bf16 f16 64 64 */
    -1, -1, -1, /* cuda bf16 f16 64 128 */
    -1, -1, -1, /* cuda bf16 f16 64 other */
    -1, -1, -1, /* cuda bf16 f16 128 8 */
    -1, -1, -1, /* cuda bf16 f16 128 16 */
    -1, -1, -1, /* cuda bf16 f16 128 64 */
    -1, -1, -1, /* cuda bf16 f16 128 128 */
    -1, -1, -1, /* cuda bf16 f16 128 other */
    -1, -1, -1, /* cuda bf16 f16 256 8 */
    -1, -1, -1, /* cuda bf16 f16 256 16 */
    -1, -1, -1, /* cuda bf16 f16 256 64 */
    -1, -1, -1, /* cuda bf16 f16 256 128 */
    -1, -1, -1, /* cuda bf16 f16 256 other */
    -1, -1, -1, /* cuda bf16 f16 other 8 */
    -1, -1, -1, /* cuda bf16 f16 other 16 */
    -1, -1, -1, /* cuda bf16 f16 other 64 */
    -1, -1, -1, /* cuda bf16 f16 other 128 */
    -1, -1, -1, /* cuda bf16 f16 other other */
    20, 20, -1, /* cuda bf16 bf16 64 8 */
    20, 20, -1, /* cuda bf16 bf16 64 16 */
    -1, -1, -1, /* cuda bf16 bf16 64 64 */
    20, 22, -1, /* cuda bf16 bf16 64 128 */
    -1, -1, -1, /* cuda bf16 bf16 64 other */
    20, 20, -1, /* cuda bf16 bf16 128 8 */
    20, 20, -1, /* cuda bf16 bf16 128 16 */
    -1, -1, -1, /* cuda bf16 bf16 128 64 */
    20, 25, -1, /* cuda bf16 bf16 128 128 */
    -1, -1, -1, /* cuda bf16 bf16 128 other */
    20, 20, -1, /* cuda bf16 bf16 256 8 */
    -1, -1, -1, /* cuda bf16 bf16 256 16 */
    20, 20, -1, /* cuda bf16 bf16 256 64 */
    -1, -1, -1, /* cuda bf16 bf16 256 128 */
    -1, -1, -1, /* cuda bf16 bf16 256 other */
    -1, -1, -1, /* cuda bf16 bf16 other 8 */
    -1, -1, -1, /* cuda bf16 bf16 other 16 */
    -1, -1, -1, /* cuda bf16 bf16 other 64 */
    -1, -1, -1, /* cuda bf16 bf16 other 128 */
    -1, -1, -1, /* cuda bf16 bf16 other other */
    28, 28, -1, /* cuda bf16 fp8_e4m3 64 8 */
    28, 28, -1, /* cuda bf16 fp8_e4m3 64 16 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 64 64 */
    28, 28, -1, /* cuda bf16 fp8_e4m3 64 128 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 64 other */
    28, 28, -1, /* cuda bf16 fp8_e4m3 128 8 */
    28, 28, -1, /* cuda bf16 fp8_e4m3 128 16 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 128 64 */
    28, 28, -1, /* cuda bf16 fp8_e4m3 128 128 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 128 other */
    28, 28, -1, /* cuda bf16 fp8_e4m3 256 8 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 256 16 */
    28, 28, -1, /* cuda bf16 fp8_e4m3 256 64 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 256 128 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 256 other */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 other 8 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 other 16 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 other 64 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 other 128 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 other other */
    30, 30, -1, /* cuda bf16 fp8_e5m2 64 8 */
    30, 30, -1, /* cuda bf16 fp8_e5m2 64 16 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 64 64 */
    30, 30, -1, /* cuda bf16 fp8_e5m2 64 128 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 64 other */
    30, 30, -1, /* cuda bf16 fp8_e5m2 128 8 */
    30, 30, -1, /* cuda bf16 fp8_e5m2 128 16 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 128 64 */
    30, 30, -1, /* cuda bf16 fp8_e5m2 128 128 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 128 other */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 256 8 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 256 16 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 256 64 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 256 128 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 256 other */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 other 8 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 other 16 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 other 64 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 other 128 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 other other */
    32, 32, -1, /* cuda bf16 int8 64 8 */
    32, 32, -1, /* cuda bf16 int8 64 16 */
    -1, -1, -1, /* cuda bf16 int8 64 64 */
    32, 32, -1, /* cuda bf16 int8 64 128 */
    -1, -1, -1, /* cuda bf16 int8 64 other */
    32, 32, -1, /* cuda bf16 int8 128 8 */
    32, 32, -1, /* cuda bf16 int8 128 16 */
    -1, -1, -1, /* cuda bf16 int8 128 64 */
    32, 32, -1, /* cuda bf16 int8 128 128 */
    -1, -1, -1, /* cuda bf16 int8 128 other */
    -1, -1, -1, /* cuda bf16 int8 256 8 */
    -1, -1, -1, /* cuda bf16 int8 256 16 */
    -1, -1, -1, /* cuda bf16 int8 256 64 */
    -1, -1, -1, /* cuda bf16 int8 256 128 */
    -1, -1, -1, /* cuda bf16 int8 256 other */
    -1, -1, -1, /* cuda bf16 int8 other 8 */
    -1, -1, -1, /* cuda bf16 int8 other 16 */
    -1, -1, -1, /* cuda bf16 int8 other 64 */
    -1, -1, -1, /* cuda bf16 int8 other 128 */
    -1, -1, -1, /* cuda bf16 int8 other other */
    -1, -1, -1, /* cuda bf16 nvfp4 64 8 */
    -1, -1, -1, /* cuda bf16 nvfp4 64 16 */
    -1, -1, -1, /* cuda bf16 nvfp4 64 64 */
    -1, -1, -1, /* cuda bf16 nvfp4 64 128 */
    -1, -1, -1, /* cuda bf16 nvfp4 64 other */
    34, 34, -1, /* cuda bf16 nvfp4 128 8 */
    34, 34, -1, /* cuda bf16 nvfp4 128 16 */
    -1, -1, -1, /* cuda bf16 nvfp4 128 64 */
    -1, -1, -1, /* cuda bf16 nvfp4 128 128 */
    -1, -1, -1, /* cuda bf16 nvfp4 128 other */
    -1, -1, -1, /* cuda bf16 nvfp4 256 8 */
    -1, -1, -1, /* cuda bf16 nvfp4 256 16 */
    -1, -1, -1, /* cuda bf16 nvfp4 256 64 */
    -1, -1, -1, /* cuda bf16 nvfp4 256 128 */
    -1, -1, -1, /* cuda bf16 nvfp4 256 other */
    -1, -1, -1, /* cuda bf16 nvfp4 other 8 */
    -1, -1, -1, /* cuda bf16 nvfp4 other 16 */
    -1, -1, -1, /* cuda bf16 nvfp4 other 64 */
    -1, -1, -1, /* cuda bf16 nvfp4 other 128 */
    -1, -1, -1, /* cuda bf16 nvfp4 other other */
    36, 36, -1, /* cuda bf16 int8_per_token_head 64 8 */
    36, 36, -1, /* cuda bf16 int8_per_token_head 64 16 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head 64 64 */
    36, 36, -1, /* cuda bf16 int8_per_token_head 64 128 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head 64 other */
    36, 36, -1, /* cuda bf16 int8_per_token_head 128 8 */
    36, 36, -1, /* cuda bf16 int8_per_token_head 128 16 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head 128 64 */
    36, 36, -1, /* cuda bf16 int8_per_token_head 128 128 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head 128 other */
    -1, -1, -1, /* cuda bf16 int8_per_token_head 256 8 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head 256 16 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head 256 64 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head 256 128 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head 256 other */
    -1, -1, -1, /* cuda bf16 int8_per_token_head other 8 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head other 16 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head other 64 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head other 128 */
    -1, -1, -1, /* cuda bf16 int8_per_token_head other other */
    38, 38, -1, /* cuda bf16 fp8_per_token_head 64 8 */
    38, 38, -1, /* cuda bf16 fp8_per_token_head 64 16 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head 64 64 */
    38, 38, -1, /* cuda bf16 fp8_per_token_head 64 128 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head 64 other */
    38, 38, -1, /* cuda bf16 fp8_per_token_head 128 8 */
    38, 38, -1, /* cuda bf16 fp8_per_token_head 128 16 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head 128 64 */
    38, 38, -1, /* cuda bf16 fp8_per_token_head 128 128 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head 128 other */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head 256 8 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head 256 16 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head 256 64 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head 256 128 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head 256 other */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head other 8 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head other 16 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head other 64 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head other 128 */
    -1, -1, -1, /* cuda bf16 fp8_per_token_head other other */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 64 8 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 64 16 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 64 64 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 64 128 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 64 other */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 128 8 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 128 16 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 128 64 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 128 128 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 128 other */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 256 8 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 256 16 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 256 64 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 256 128 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head 256 other */
    -1, -1, -1, /* cuda bf16 int4_per_token_head other 8 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head other 16 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head other 64 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head other 128 */
    -1, -1, -1, /* cuda bf16 int4_per_token_head other other */
    -1, -1, -1, /* cuda bf16 q8_0 64 8 */
    -1, -1, -1, /* cuda bf16 q8_0 64 16 */
    -1, -1, -1, /* cuda bf16 q8_0 64 64 */
    -1, -1, -1, /* cuda bf16 q8_0 64 128 */
    -1, -1, -1, /* cuda bf16 q8_0 64 other */
    -1, -1, -1, /* cuda bf16 q8_0 128 8 */
    -1, -1, -1, /* cuda bf16 q8_0 128 16 */
    -1, -1, -1, /* cuda bf16 q8_0 128 64 */
    -1, -1, -1, /* cuda bf16 q8_0 128 128 */
    -1, -1, -1, /* cuda bf16 q8_0 128 other */
    -1, -1, -1, /* cuda bf16 q8_0 256 8 */
    -1, -1, -1, /* cuda bf16 q8_0 256 16 */
    -1, -1, -1, /* cuda bf16 q8_0 256 64 */
    -1, -1, -1, /* cuda bf16 q8_0 256 128 */
    -1, -1, -1, /* cuda bf16 q8_0 256 other */
    -1, -1, -1, /* cuda bf16 q8_0 other 8 */
    -1, -1, -1, /* cuda bf16 q8_0 other 16 */
    -1, -1, -1, /* cuda bf16 q8_0 other 64 */
    -1, -1, -1, /* cuda bf16 q8_0 other 128 */
    -1, -1, -1, /* cuda bf16 q8_0 other other */
    -1, -1, -1, /* cuda bf16 q4_0 64 8 */
    -1, -1, -1, /* cuda bf16 q4_0 64 16 */
    -1, -1, -1, /* cuda bf16 q4_0 64 64 */
    -1, -1, -1, /* cuda bf16 q4_0 64 128 */
    -1, -1, -1, /* cuda bf16 q4_0 64 other */
    -1, -1, -1, /* cuda bf16 q4_0 128 8 */
    -1, -1, -1, /* cuda bf16 q4_0 128 16 */
    -1, -1, -1, /* cuda bf16 q4_0 128 64 */
    -1, -1, -1, /* cuda bf16 q4_0 128 128 */
    -1, -1, -1, /* cuda bf16 q4_0 128 other */
    -1, -1, -1, /* cuda bf16 q4_0 256 8 */
    -1, -1, -1, /* cuda bf16 q4_0 256 16 */
    -1, -1, -1, /* cuda bf16 q4_0 256 64 */
    -1, -1, -1, /* cuda bf16 q4_0 256 128 */
    -1, -1, -1, /* cuda bf16 q4_0 256 other */
    -1, -1, -1, /* cuda bf16 q4_0 other 8 */
    -1, -1, -1, /* cuda bf16 q4_0 other 16 */
    -1, -1, -1, /* cuda bf16 q4_0 other 64 */
    -1, -1, -1, /* cuda bf16 q4_0 other 128 */
    -1, -1, -1, /* cuda bf16 q4_0 other other */
};

static const kvf_exclusion exclusions[] = {
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 8, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 128, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 8, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 128, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 8, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 128, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 8, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 128, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 8, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 128, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 8, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 128, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 8, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 128, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 8, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 128, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 8, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 128, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 8, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 128, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 8, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 128, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 8, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 128, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 8, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 128, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 8, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 128, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 8, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 128, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 8, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 128, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 8, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 128, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 8, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 128, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 8, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 128, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 8, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 128, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 8, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 128, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 8, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 128, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 8, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 128, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 8, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 128, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, KVF_OTHER, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 8, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 16, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 64, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 128, KVF_OTHER)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 8, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 8, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 128, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 128, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 8, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 8, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 128, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, 128, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 128, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 8, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 8, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 128, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, 128, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, 256, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 8, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 8, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 128, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 128, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 8, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 8, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 128, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 128, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 8, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 8, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 128, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, 128, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 128, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 8, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 8, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 128, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, 128, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 256, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 8, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 8, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 128, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 128, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q8_0, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F32, KVF_Q4_0, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 8, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 8, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 128, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 128, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 8, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 8, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 128, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, 128, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 128, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 8, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 8, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 128, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, 128, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, 256, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 8, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 8, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 128, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 128, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 64, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 128, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, 128, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 8, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 8, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 128, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 128, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 8, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 8, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 128, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, 128, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 128, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 8, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 8, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 128, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, 128, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 256, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 8, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 8, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 128, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 128, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 64, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 128, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, 128, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 8, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 8, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 64, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 64, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 128, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, 128, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 8, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 8, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 64, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 64, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 128, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, 128, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 8, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 8, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 16, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 16, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 64, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 64, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 128, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, 128, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 64, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 64, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 128, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, 128, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 8, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 8, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 16, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 16, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 64, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 64, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 128, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, 128, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 8, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 8, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 64, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 64, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 128, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, 128, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 8, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 8, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 64, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 64, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 128, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, 128, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q8_0, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_F16, KVF_Q4_0, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 8, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 8, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 128, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 128, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 8, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 8, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 128, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, 128, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 128, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 8, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 8, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 128, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, 128, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 256, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 8, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 8, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 128, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 128, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 8, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 8, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 128, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 128, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 8, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 8, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 128, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, 128, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 128, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 8, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 8, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 128, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, 128, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 256, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 8, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 8, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 128, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 128, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, int8, nvfp4 or codes with a scale per "
     "token and head"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 64, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 128, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, 128, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 64, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 128, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, 128, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 8, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 8, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 64, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 64, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 128, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, 128, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 8, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 8, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 64, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 64, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 128, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, 128, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 8, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 8, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 16, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 16, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 64, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 64, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 128, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, 128, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 64, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 64, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 128, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, 128, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 8, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 8, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 16, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 16, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 64, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 64, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 128, 80)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, 128, 90)},
     "nvfp4 has tiles of 8 and 16 rows, of heads of 128"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 8, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 8, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 64, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 64, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 128, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, 128, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 8, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 16, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 64, 80)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 64, 90)},
     "heads of 64 and 128 have tiles of 128 rows, those of 256 tiles of 64"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, 128, 90)},
     "four warps multiply tiles of 128 rows, of the scalar dtype"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 8, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 8, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 16, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 16, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 64, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 64, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 128, 80)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, 128, 90)},
     "heads of 256 have tiles of 8 and 64 rows, of the scalar dtype and fp8_e4m3"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q8_0, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 64, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 128, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 8, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 8, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 16, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 16, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 64, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 64, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 128, 80)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, 128, 90)},
     "the tensor cores' variants have elements of 16 bits, codes of 8, or nvfp4"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, 256, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 8, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 8, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 16, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 16, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 64, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 64, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 128, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, 128, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, KVF_OTHER, 80)},
     "the tensor cores' variants are those of a head size and of rows"},
    {{KVF_AXES(KVF_BF16, KVF_Q4_0, KVF_OTHER, KVF_OTHER, 90)},
     "the tensor cores' variants are those of a head size and of rows"},
};

static const kvf_argument arguments[] = {
    {.name = "out",
     .type = "Tensor!",
     .doc = "[num_tokens, num_q_heads, value_head_size], f32 or the dtype of query, any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "query",
     .type = "Tensor",
     .doc = "[num_tokens, num_q_heads, head_size], f32, f16 or bf16, any strides",
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
     .doc = "as key_cache of rank 4, with heads of value_head_size elements; next to one of rank 5 "
            "[num_blocks, num_kv_heads, value_head_size, block_size]; any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "query_start_loc",
     .type = "Tensor",
     .doc = "[num_seqs + 1], int32, any stride, ascending: the first token of each sequence, and "
            "the end",
     .kind = KVF_KIND_TENSOR},
    {.name = "seq_lens",
     .type = "Tensor",
     .doc =
         "[num_seqs], int32, any stride: positions of each sequence, those of its tokens included",
     .kind = KVF_KIND_TENSOR},
    {.name = "block_table",
     .type = "Tensor",
     .doc = "[num_seqs, width], int32 or int64, any strides: the pages of each sequence",
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
    {.name = "causal",
     .type = "bool",
     .doc = "whether a token sees no position behind its own",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = true}}},
    {.name = "window_left",
     .type = "int",
     .doc = "positions before its own that a token sees; below 0: all",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = -1}}},
    {.name = "window_right",
     .type = "int",
     .doc = "positions behind its own that a token sees; below 0: all",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = -1}}},
    {.name = "softcap",
     .type = "float",
     .doc = "what scores are kept within, 2^-126 or more; 0: as they are",
     .kind = KVF_KIND_FLOAT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_FLOAT, .as = {.number = 0.0}}},
    {.name = "alibi_slopes",
     .type = "Tensor?",
     .doc = "[num_q_heads], f32, any stride; None: no bias",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "sinks",
     .type = "Tensor?",
     .doc =
         "[num_q_heads], f32 or the dtype of query, any stride: a score of no position; None: none",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "swizzle_v_scales",
     .type = "bool",
     .doc = "nvfp4: whether block scales of values are stored for sm_100",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = true}}},
    {.name = "max_query_len",
     .type = "int",
     .doc = "tokens that a sequence has at most; 0 or less: not known",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
    {.name = "lse",
     .type = "Tensor!?",
     .doc = "[num_q_heads, num_tokens], f32, any strides: natural logarithms of what weights were "
            "divided by; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "workspace",
     .type = "Tensor!?",
     .doc = "[split_tokens, num_q_heads, splits, value_head_size + 2], f32, any strides, splits 1 "
            "or more: room for the parts of long sequences whose tokens are all below "
            "split_tokens, any number; None: room of the library's own",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_paged_attention(
      exec, (DLTensor *)values[0].as.tensor, values[1].as.tensor, values[2].as.tensor,
      values[3].as.tensor, values[4].as.tensor, values[5].as.tensor, values[6].as.tensor,
      values[7].as.number, values[8].as.string, values[9].as.tensor, values[10].as.tensor,
      values[11].as.boolean, values[12].as.integer, values[13].as.integer, values[14].as.number,
      values[15].as.tensor, values[16].as.tensor, values[17].as.boolean, values[18].as.integer,
      (DLTensor *)values[19].as.tensor, (DLTensor *)values[20].as.tensor);
}

const kvf_op kvf_op_paged_attention = {
    .name = "paged_attention",
    .ns = "_C_cache_ops",
    .schema = "paged_attention(Tensor! out, Tensor query, Tensor key_cache, Tensor value_cache, "
              "Tensor query_start_loc, Tensor seq_lens, Tensor block_table, float scale, str "
              "kv_cache_dtype, Tensor k_scale, Tensor v_scale, bool causal=True, int "
              "window_left=-1, int window_right=-1, float softcap=0.0, Tensor? alibi_slopes=None, "
              "Tensor? sinks=None, bool swizzle_v_scales=True, int max_query_len=0, Tensor!? "
              "lse=None, Tensor!? workspace=None) -> ()",
    .doc =
        "attends over the pages that the cache writers fill: prefill, decode and what is between.\n"
        "\n"
        "Sequence s has the tokens t from query_start_loc[s] to query_start_loc[s + 1] - 1, q of "
        "them, which\n"
        "are the last of its n = seq_lens[s] positions, all in the cache already: token t is at "
        "position\n"
        "  i = n - q + (t - query_start_loc[s])\n"
        "and sees the positions p of 0 to n - 1 with p >= i - window_left and p <= i + "
        "window_right, a window\n"
        "below 0 being none, and with causal p <= i. For query head h, and the KV head\n"
        "g = h div (num_q_heads / num_kv_heads):\n"
        "  K, V   = DQ(key_cache, k_scale), DQ(value_cache, v_scale) at head g of position p,\n"
        "           which is in page block_table[s, p div block_size], at p mod block_size\n"
        "  a[p]   = scale * (query[t, h] . K[p]); with softcap above 0, softcap * tanh(a[p] / "
        "softcap)\n"
        "  a[p]   = a[p] + alibi_slopes[h] * (p - i)\n"
        "  total  = sum over p of e^a[p], and e^sinks[h] once more\n"
        "  out[t, h] = sum over p of e^a[p] / total * V[p]\n"
        "  lse[h, t] = log(total)\n"
        "DQ widens to f32 and multiplies codes by their scale: that of head g for fp8 and int8, "
        "that of\n"
        "head g of the very token for the formats per token and head, and for nvfp4 that of head g "
        "and the\n"
        "block scale of every 16 elements. Heads of int4_per_token_head are stored rotated; the "
        "query is rotated\n"
        "in their place, and the sum rotated back. A token that sees nothing, as every one of a "
        "sequence with\n"
        "n = 0 does, gets zeros, and an lse of sinks[h], or -infinity without sinks. Decode is q = "
        "1; sequences\n"
        "of any q, of 0 too, may be mixed. Tokens of query and out that no sequence has (graph "
        "padding) are left\n"
        "as they are. No tokens are a successful no-op. Only the pages of the positions that a "
        "sequence's tokens\n"
        "see are read, and of the last page only the tokens that are there, so fresh pages may "
        "hold anything.\n"
        "Positions that a token does not see but one close to it does are read along with it: an "
        "infinite or\n"
        "NaN value there may make NaN of its output. out, lse and workspace must not overlap each "
        "other or the\n"
        "other tensors.\n"
        "\n"
        "The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its "
        "kin write\n"
        "(NHD, or HND by strides), 5 what reshape_and_cache writes. K and V have strides of their "
        "own. nvfp4\n"
        "pages are those of reshape_and_cache_flash_nvfp4, with the same swizzle_v_scales.\n"
        "\n"
        "Two results over different positions of the same tokens are put together by "
        "merge_attn_states, which\n"
        "takes out and lse as they are here; sinks are to be given to one of the two.\n"
        "\n"
        "Arithmetic is f32: products are summed in parts, and the softmax is rescaled as it goes "
        "(online), so\n"
        "results are not those of a fixed order. On the CPU the sums of every 32 positions are "
        "added up with\n"
        "compensation (Kahan), and weights in f64, so that the error does not grow with the "
        "positions: equal\n"
        "weights over 10,485,760 are within 10^-6 of the largest value. A sequence has the same "
        "bits in every\n"
        "batch, on any number of threads, if it is split the same: with KVFORGE_BATCH_INVARIANT=1 "
        "in the\n"
        "environment and without a workspace, or with one of always as many splits that has room "
        "for all tokens.\n"
        "On CUDA max_query_len has to be the same\n"
        "too: how many rows a tile has depends on it. Cut into other splits it differs by less "
        "than 2^-18 of its\n"
        "largest value (CPU). On the CPU, and not split, a token has the same bits whatever other "
        "tokens of its\n"
        "sequence are in the call, by a matrix unit with KVFORGE_BATCH_INVARIANT=1 alone.\n"
        "\n"
        "On a CPU with AMX heads of 32, 64, 96 or 128 bf16 elements, or codes of 8 bits for "
        "queries of bf16, go by its\n"
        "matrix unit where elements of a head lie side by side and a sequence has more than 8 rows "
        "in the call for a KV\n"
        "head, with KVFORGE_BATCH_INVARIANT=1 however few: products are exact and sums are f32, "
        "which are put aside\n"
        "every 2,048 positions, but that the unit takes numbers below 2^-126 for 0, and for an out "
        "of f32 a weight is\n"
        "two bf16, whose sum is off by 2^-17 of it at most. For an out of bf16 it is one, as in "
        "FlashAttention: out is\n"
        "then off by up to 2^-8 of the sum over p of e^a[p] / total * |V[p]|, besides. The first "
        "such call asks Linux\n"
        "for the unit, for the whole process: from then on a stack for signal handlers needs room "
        "for another 8 KiB.\n"
        "While it is at work a thread has 128 to 576 KiB of memory from aligned_alloc() besides; "
        "one that gets none\n"
        "goes without the unit. KVFORGE_ISA=avx512 leaves the unit out.\n"
        "\n"
        "On CUDA from compute capability 8.0 on, heads of 64, 128 or 256 f16 or bf16\n"
        "elements, or codes of 8 bits for queries of those (of 256: fp8_e4m3), or nvfp4 of 128 in "
        "tiles of 8 or 16\n"
        "rows, go by tiles on the tensor cores where elements of a head lie side by side and 16 "
        "bytes can be read at\n"
        "once, of many rows where those of query and out can, too: products are exact, sums are "
        "f32, and a weight is\n"
        "two numbers of 16 bits, of which the second is what rounding the first leaves. With tiles "
        "of many rows, and no\n"
        "scale per token and head, it is the first alone, as in FlashAttention: out is then off by "
        "up to 2^-8 (caches\n"
        "of bf16) or 2^-11 (others, whose weights are f16) of the sum over p of e^a[p] / total * "
        "|V[p]|, besides. With\n"
        "one position out is exactly DQ(V), rounded to the dtype of out (zeros are +0). Scores may "
        "use exp2 of scores\n"
        "times log2(e). Scales of a head are applied to the query and to the sum, those of a token "
        "to its score and its\n"
        "weight, which gives the same but for rounding.\n"
        "\n"
        "Heads of keys and heads of values have at most 576 elements each, and need not have as "
        "many as each other\n"
        "(MLA before its latent rows has 192 and 128); where they do not, CUDA goes without tiles, "
        "and the CPU\n"
        "without its matrix unit. No elements of either are a successful no-op. A row is one query "
        "head of one token.\n"
        "One thread block (CUDA), or one thread (CPU), does a tile of up to 8 rows of one sequence "
        "and KV head, token\n"
        "by token, on the tensor cores 8, 16 or 128, of heads of 256 8 or 64, by a CPU's matrix "
        "unit 16 to 256, and\n"
        "reads keys and values once for all of them. What a thread of the CPU keeps is on its "
        "stack, which a call\n"
        "takes 32 KiB of at most: rows of more than 128 elements are fewer. With a workspace the "
        "positions of the\n"
        "tiles of sequences whose tokens are all below split_tokens are cut into at most `splits` "
        "parts, of\n"
        "ceil(positions / splits) positions rounded up to a multiple of 128. (Give room for the "
        "tokens that decode,\n"
        "and have them first.) What the parts come to is put into workspace, and added up in a "
        "second launch (CUDA)\n"
        "or a second pass of the threads (CPU). The only part of a short tile goes straight to "
        "out: with splits = 1\n"
        "nothing is split. workspace needs no initial value, and what it holds afterwards is not "
        "defined.\n"
        "\n"
        "Without a workspace, and unless KVFORGE_BATCH_INVARIANT is 1, a call splits by itself. On "
        "CUDA it takes a\n"
        "workspace of the library's own (kvf_cuda_free_workspaces() says which, and what that asks "
        "of graphs), and as\n"
        "many splits as the device runs at once, by what the host knows: the tiles that there can "
        "be and the width of\n"
        "block_table. A call that is prepared has none, as its stream is not known yet: give it a "
        "workspace. On the\n"
        "CPU, where threads are left, a call that finds the library's own memory free splits "
        "sequences of 1,024\n"
        "positions and more.\n"
        "\n"
        "On CUDA what is summed up is put aside after some thousand positions, so that no weight "
        "is added to a sum\n"
        "that is very much larger; but not, without the tensor cores, where the heads of a tile's "
        "rows together have\n"
        "more than 3,584 elements, and not in tiles of many rows, which are not chosen where "
        "block_table has room for\n"
        "more than 2^20 positions.\n"
        "\n"
        "Where tiles of many rows are taken and some sequences may have few tokens, as where "
        "prompts and decodes are\n"
        "mixed, these go by tiles of few rows, in a launch of their own before that of the others: "
        "they are read and\n"
        "split as where all decode, wherever in the batch they are.\n"
        "\n"
        "max_query_len is a promise that lets the host launch fewer thread blocks, as for q = 1 "
        "everywhere. What\n"
        "is launched depends on shapes and on it alone: a captured graph stays right when "
        "query_start_loc,\n"
        "seq_lens and block_table change under it.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for a head_size or value_head_size above 576, num_q_heads that "
        "is no multiple of\n"
        "num_kv_heads, an int4 head_size that is odd or one that 1024 divides, a q8_0 or q4_0 "
        "head_size that\n"
        "is no multiple of 32, or an nvfp4 head_size that is no multiple of 16, a value_head_size "
        "likewise, and with\n"
        "swizzle_v_scales for a value_head_size that is no multiple of 64 or a block_size that is "
        "no multiple of 4;\n"
        "KVF_OUT_OF_RANGE for a query_start_loc that descends, leaves query, or has a sequence of "
        "more than\n"
        "max_query_len tokens, a length below 0 or beyond width * block_size, or a page that is "
        "not in the cache\n"
        "(CPU: before anything is written; CUDA: tokens of that sequence are left as they are, "
        "that length is cut\n"
        "off, the tokens of that page are left out, and each is counted once, that page with "
        "window_left by every\n"
        "tile that meets it, see kvf_cuda_fault_count). KVF_CUDA_ERROR at a launch behind the "
        "first leaves what those\n"
        "before it did: workspace written, and out of tokens that were split untouched. A launch "
        "of raw params wants\n"
        "a variant that fits them: KVF_INVALID_VALUE where the heads of a tensor cores' variant "
        "have another size or\n"
        "cannot be read so.\n"
        "Source of the rule: what vLLM's cpu_attention_with_kv_cache does, and windows as in "
        "FlashAttention.\n"
        "Elsewhere: vLLM to 0.24 paged_attention_v1 and _v2.",
    .arguments = arguments,
    .num_arguments = 21,
    .variants = variants,
    .num_variants = 148,
    .axes = axes,
    .num_axes = 5,
    .cells = cells,
    .rest = rest,
    .chains = chains,
    .num_cells = 2160,
    .exclusions = exclusions,
    .num_exclusions = 2042,
    .call = call,
};
