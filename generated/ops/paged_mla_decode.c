/*
 * Generated from templates/table/op.c.j2 and generator/spec/paged_mla_decode.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/paged_mla_decode.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f32__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f32__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f32__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f32__fp8_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f32__nvfp4_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f16__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f16__fp8_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__f16__nvfp4_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__bf16__bf16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__bf16__fp8_e4m3);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__bf16__fp8_e5m2);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__bf16__fp8_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_paged_mla_decode__bf16__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f32__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f32__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f32__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f32__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f32__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__f16__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__f16__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__f16__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e4m3__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e4m3__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e4m3__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e5m2__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e5m2__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e5m2__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_ds_mla__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_ds_mla__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_ds_mla__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__bf16__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__bf16__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__bf16__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e4m3__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e4m3__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e4m3__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e5m2__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e5m2__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e5m2__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla__r16__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla__r64__sm80);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla__r64__sm90a);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f32__f32),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f32__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f32__nvfp4_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f16__f16),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f16__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__f16__nvfp4_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__bf16__bf16),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__bf16__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, KVF_OTHER, KVF_OTHER),
                kvf_cpu_paged_mla_decode__bf16__nvfp4_ds_mla),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f32__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f32__nvfp4_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_F16, 16, 80),
                 kvf_cuda_paged_mla_decode__f16__f16__r16__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_F16, 64, 80),
                 kvf_cuda_paged_mla_decode__f16__f16__r64__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_F16, 64, 90),
                 kvf_cuda_paged_mla_decode__f16__f16__r64__sm90a, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 16, 80),
                 kvf_cuda_paged_mla_decode__f16__fp8_e4m3__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 80),
                 kvf_cuda_paged_mla_decode__f16__fp8_e4m3__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, 90),
                 kvf_cuda_paged_mla_decode__f16__fp8_e4m3__r64__sm90a, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E5M2, 16, 80),
                 kvf_cuda_paged_mla_decode__f16__fp8_e5m2__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 80),
                 kvf_cuda_paged_mla_decode__f16__fp8_e5m2__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, 90),
                 kvf_cuda_paged_mla_decode__f16__fp8_e5m2__r64__sm90a, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, 16, 80),
                 kvf_cuda_paged_mla_decode__f16__fp8_ds_mla__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, 64, 80),
                 kvf_cuda_paged_mla_decode__f16__fp8_ds_mla__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, 64, 90),
                 kvf_cuda_paged_mla_decode__f16__fp8_ds_mla__r64__sm90a, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f16__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, 16, 80),
                 kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, 64, 80),
                 kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, 64, 90),
                 kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla__r64__sm90a, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_BF16, 16, 80),
                 kvf_cuda_paged_mla_decode__bf16__bf16__r16__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_BF16, 64, 80),
                 kvf_cuda_paged_mla_decode__bf16__bf16__r64__sm80, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_BF16, 64, 90),
                 kvf_cuda_paged_mla_decode__bf16__bf16__r64__sm90a, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 16, 80),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e4m3__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 80),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e4m3__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, 90),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e4m3__r64__sm90a, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 16, 80),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e5m2__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 80),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e5m2__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, 90),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e5m2__r64__sm90a, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, 16, 80),
                 kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, 64, 80),
                 kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, 64, 90),
                 kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla__r64__sm90a, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, 16, 80),
                 kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla__r16__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, 64, 80),
                 kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla__r64__sm80, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, 64, 90),
                 kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla__r64__sm90a, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode,
                 KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, KVF_OTHER, KVF_OTHER),
                 kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 63. */
static const int16_t scalar_offsets[] = {0, 63, 126};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_F32 -> position * 9. */
static const int16_t cache_offsets[] = {0, 9, 18, 27, 36, -1, -1, -1, -1, 45, 54};
static const int64_t cache_values[] = {KVF_F32,      KVF_F16,        KVF_BF16,        KVF_FP8_E4M3,
                                       KVF_FP8_E5M2, KVF_FP8_DS_MLA, KVF_NVFP4_DS_MLA};

/* rows of a tile, where rows of the cache can be read in whole vectors; else 0: value - 16 ->
 * position * 3. */
static const int16_t rows_offsets[] = {0, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
                                       6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6,
                                       6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 3};
static const int64_t rows_values[] = {16, 64};

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
     .span = 11,
     .offsets = cache_offsets,
     .below = -1,
     .above = -1,
     .name = "cache",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the cache dtype",
     .values = cache_values,
     .num_values = 7},
    {.first = 16,
     .span = 49,
     .offsets = rows_offsets,
     .below = 6,
     .above = 6,
     .name = "rows",
     .kind = KVF_AXIS_INTEGER,
     .meaning = "rows of a tile, where rows of the cache can be read in whole vectors; else 0",
     .values = rows_values,
     .num_values = 2,
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

/* [backend][scalar][cache][rows][arch] -> the row that is most special for a call; -1: none serves
 * it. */
static const int16_t cells[] = {
    0,  0,  0,  /* cpu f32 f32 16 */
    0,  0,  0,  /* cpu f32 f32 64 */
    0,  0,  0,  /* cpu f32 f32 other */
    -1, -1, -1, /* cpu f32 f16 16 */
    -1, -1, -1, /* cpu f32 f16 64 */
    -1, -1, -1, /* cpu f32 f16 other */
    -1, -1, -1, /* cpu f32 bf16 16 */
    -1, -1, -1, /* cpu f32 bf16 64 */
    -1, -1, -1, /* cpu f32 bf16 other */
    1,  1,  1,  /* cpu f32 fp8_e4m3 16 */
    1,  1,  1,  /* cpu f32 fp8_e4m3 64 */
    1,  1,  1,  /* cpu f32 fp8_e4m3 other */
    2,  2,  2,  /* cpu f32 fp8_e5m2 16 */
    2,  2,  2,  /* cpu f32 fp8_e5m2 64 */
    2,  2,  2,  /* cpu f32 fp8_e5m2 other */
    3,  3,  3,  /* cpu f32 fp8_ds_mla 16 */
    3,  3,  3,  /* cpu f32 fp8_ds_mla 64 */
    3,  3,  3,  /* cpu f32 fp8_ds_mla other */
    4,  4,  4,  /* cpu f32 nvfp4_ds_mla 16 */
    4,  4,  4,  /* cpu f32 nvfp4_ds_mla 64 */
    4,  4,  4,  /* cpu f32 nvfp4_ds_mla other */
    -1, -1, -1, /* cpu f16 f32 16 */
    -1, -1, -1, /* cpu f16 f32 64 */
    -1, -1, -1, /* cpu f16 f32 other */
    5,  5,  5,  /* cpu f16 f16 16 */
    5,  5,  5,  /* cpu f16 f16 64 */
    5,  5,  5,  /* cpu f16 f16 other */
    -1, -1, -1, /* cpu f16 bf16 16 */
    -1, -1, -1, /* cpu f16 bf16 64 */
    -1, -1, -1, /* cpu f16 bf16 other */
    6,  6,  6,  /* cpu f16 fp8_e4m3 16 */
    6,  6,  6,  /* cpu f16 fp8_e4m3 64 */
    6,  6,  6,  /* cpu f16 fp8_e4m3 other */
    7,  7,  7,  /* cpu f16 fp8_e5m2 16 */
    7,  7,  7,  /* cpu f16 fp8_e5m2 64 */
    7,  7,  7,  /* cpu f16 fp8_e5m2 other */
    8,  8,  8,  /* cpu f16 fp8_ds_mla 16 */
    8,  8,  8,  /* cpu f16 fp8_ds_mla 64 */
    8,  8,  8,  /* cpu f16 fp8_ds_mla other */
    9,  9,  9,  /* cpu f16 nvfp4_ds_mla 16 */
    9,  9,  9,  /* cpu f16 nvfp4_ds_mla 64 */
    9,  9,  9,  /* cpu f16 nvfp4_ds_mla other */
    -1, -1, -1, /* cpu bf16 f32 16 */
    -1, -1, -1, /* cpu bf16 f32 64 */
    -1, -1, -1, /* cpu bf16 f32 other */
    -1, -1, -1, /* cpu bf16 f16 16 */
    -1, -1, -1, /* cpu bf16 f16 64 */
    -1, -1, -1, /* cpu bf16 f16 other */
    10, 10, 10, /* cpu bf16 bf16 16 */
    10, 10, 10, /* cpu bf16 bf16 64 */
    10, 10, 10, /* cpu bf16 bf16 other */
    11, 11, 11, /* cpu bf16 fp8_e4m3 16 */
    11, 11, 11, /* cpu bf16 fp8_e4m3 64 */
    11, 11, 11, /* cpu bf16 fp8_e4m3 other */
    12, 12, 12, /* cpu bf16 fp8_e5m2 16 */
    12, 12, 12, /* cpu bf16 fp8_e5m2 64 */
    12, 12, 12, /* cpu bf16 fp8_e5m2 other */
    13, 13, 13, /* cpu bf16 fp8_ds_mla 16 */
    13, 13, 13, /* cpu bf16 fp8_ds_mla 64 */
    13, 13, 13, /* cpu bf16 fp8_ds_mla other */
    14, 14, 14, /* cpu bf16 nvfp4_ds_mla 16 */
    14, 14, 14, /* cpu bf16 nvfp4_ds_mla 64 */
    14, 14, 14, /* cpu bf16 nvfp4_ds_mla other */
    15, 15, 15, /* cuda f32 f32 16 */
    15, 15, 15, /* cuda f32 f32 64 */
    15, 15, 15, /* cuda f32 f32 other */
    -1, -1, -1, /* cuda f32 f16 16 */
    -1, -1, -1, /* cuda f32 f16 64 */
    -1, -1, -1, /* cuda f32 f16 other */
    -1, -1, -1, /* cuda f32 bf16 16 */
    -1, -1, -1, /* cuda f32 bf16 64 */
    -1, -1, -1, /* cuda f32 bf16 other */
    16, 16, 16, /* cuda f32 fp8_e4m3 16 */
    16, 16, 16, /* cuda f32 fp8_e4m3 64 */
    16, 16, 16, /* cuda f32 fp8_e4m3 other */
    17, 17, 17, /* cuda f32 fp8_e5m2 16 */
    17, 17, 17, /* cuda f32 fp8_e5m2 64 */
    17, 17, 17, /* cuda f32 fp8_e5m2 other */
    18, 18, 18, /* cuda f32 fp8_ds_mla 16 */
    18, 18, 18, /* cuda f32 fp8_ds_mla 64 */
    18, 18, 18, /* cuda f32 fp8_ds_mla other */
    19, 19, 19, /* cuda f32 nvfp4_ds_mla 16 */
    19, 19, 19, /* cuda f32 nvfp4_ds_mla 64 */
    19, 19, 19, /* cuda f32 nvfp4_ds_mla other */
    -1, -1, -1, /* cuda f16 f32 16 */
    -1, -1, -1, /* cuda f16 f32 64 */
    -1, -1, -1, /* cuda f16 f32 other */
    20, 20, 23, /* cuda f16 f16 16 */
    21, 22, 23, /* cuda f16 f16 64 */
    23, 23, 23, /* cuda f16 f16 other */
    -1, -1, -1, /* cuda f16 bf16 16 */
    -1, -1, -1, /* cuda f16 bf16 64 */
    -1, -1, -1, /* cuda f16 bf16 other */
    24, 24, 27, /* cuda f16 fp8_e4m3 16 */
    25, 26, 27, /* cuda f16 fp8_e4m3 64 */
    27, 27, 27, /* cuda f16 fp8_e4m3 other */
    28, 28, 31, /* cuda f16 fp8_e5m2 16 */
    29, 30, 31, /* cuda f16 fp8_e5m2 64 */
    31, 31, 31, /* cuda f16 fp8_e5m2 other */
    32, 32, 35, /* cuda f16 fp8_ds_mla 16 */
    33, 34, 35, /* cuda f16 fp8_ds_mla 64 */
    35, 35, 35, /* cuda f16 fp8_ds_mla other */
    36, 36, 39, /* cuda f16 nvfp4_ds_mla 16 */
    37, 38, 39, /* cuda f16 nvfp4_ds_mla 64 */
    39, 39, 39, /* cuda f16 nvfp4_ds_mla other */
    -1, -1, -1, /* cuda bf16 f32 16 */
    -1, -1, -1, /* cuda bf16 f32 64 */
    -1, -1, -1, /* cuda bf16 f32 other */
    -1, -1, -1, /* cuda bf16 f16 16 */
    -1, -1, -1, /* cuda bf16 f16 64 */
    -1, -1, -1, /* cuda bf16 f16 other */
    40, 40, 43, /* cuda bf16 bf16 16 */
    41, 42, 43, /* cuda bf16 bf16 64 */
    43, 43, 43, /* cuda bf16 bf16 other */
    44, 44, 47, /* cuda bf16 fp8_e4m3 16 */
    45, 46, 47, /* cuda bf16 fp8_e4m3 64 */
    47, 47, 47, /* cuda bf16 fp8_e4m3 other */
    48, 48, 51, /* cuda bf16 fp8_e5m2 16 */
    49, 50, 51, /* cuda bf16 fp8_e5m2 64 */
    51, 51, 51, /* cuda bf16 fp8_e5m2 other */
    52, 52, 55, /* cuda bf16 fp8_ds_mla 16 */
    53, 54, 55, /* cuda bf16 fp8_ds_mla 64 */
    55, 55, 55, /* cuda bf16 fp8_ds_mla other */
    56, 56, 59, /* cuda bf16 nvfp4_ds_mla 16 */
    57, 58, 59, /* cuda bf16 nvfp4_ds_mla 64 */
    59, 59, 59, /* cuda bf16 nvfp4_ds_mla other */
};

/* Rows that serve a call where a more special one is not built; -1 behind each list. */
static const int16_t chains[] = {
    23, -1,     /* 0: kvf_cuda_paged_mla_decode__f16__f16 */
    21, 23, -1, /* 2: kvf_cuda_paged_mla_decode__f16__f16__r64__sm80, ... */
    27, -1,     /* 5: kvf_cuda_paged_mla_decode__f16__fp8_e4m3 */
    25, 27, -1, /* 7: kvf_cuda_paged_mla_decode__f16__fp8_e4m3__r64__sm80, ... */
    31, -1,     /* 10: kvf_cuda_paged_mla_decode__f16__fp8_e5m2 */
    29, 31, -1, /* 12: kvf_cuda_paged_mla_decode__f16__fp8_e5m2__r64__sm80, ... */
    35, -1,     /* 15: kvf_cuda_paged_mla_decode__f16__fp8_ds_mla */
    33, 35, -1, /* 17: kvf_cuda_paged_mla_decode__f16__fp8_ds_mla__r64__sm80, ... */
    39, -1,     /* 20: kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla */
    37, 39, -1, /* 22: kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla__r64__sm80, ... */
    43, -1,     /* 25: kvf_cuda_paged_mla_decode__bf16__bf16 */
    41, 43, -1, /* 27: kvf_cuda_paged_mla_decode__bf16__bf16__r64__sm80, ... */
    47, -1,     /* 30: kvf_cuda_paged_mla_decode__bf16__fp8_e4m3 */
    45, 47, -1, /* 32: kvf_cuda_paged_mla_decode__bf16__fp8_e4m3__r64__sm80, ... */
    51, -1,     /* 35: kvf_cuda_paged_mla_decode__bf16__fp8_e5m2 */
    49, 51, -1, /* 37: kvf_cuda_paged_mla_decode__bf16__fp8_e5m2__r64__sm80, ... */
    55, -1,     /* 40: kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla */
    53, 55, -1, /* 42: kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla__r64__sm80, ... */
    59, -1,     /* 45: kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla */
    57, 59, -1, /* 47: kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla__r64__sm80, ... */
};

/* [backend][scalar][cache][rows][arch] -> where these begin; -1: there is none. */
static const int16_t rest[] = {
    -1, -1, -1, /* cpu f32 f32 16 */
    -1, -1, -1, /* cpu f32 f32 64 */
    -1, -1, -1, /* cpu f32 f32 other */
    -1, -1, -1, /* cpu f32 f16 16 */
    -1, -1, -1, /* cpu f32 f16 64 */
    -1, -1, -1, /* cpu f32 f16 other */
    -1, -1, -1, /* cpu f32 bf16 16 */
    -1, -1, -1, /* cpu f32 bf16 64 */
    -1, -1, -1, /* cpu f32 bf16 other */
    -1, -1, -1, /* cpu f32 fp8_e4m3 16 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 64 */
    -1, -1, -1, /* cpu f32 fp8_e4m3 other */
    -1, -1, -1, /* cpu f32 fp8_e5m2 16 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 64 */
    -1, -1, -1, /* cpu f32 fp8_e5m2 other */
    -1, -1, -1, /* cpu f32 fp8_ds_mla 16 */
    -1, -1, -1, /* cpu f32 fp8_ds_mla 64 */
    -1, -1, -1, /* cpu f32 fp8_ds_mla other */
    -1, -1, -1, /* cpu f32 nvfp4_ds_mla 16 */
    -1, -1, -1, /* cpu f32 nvfp4_ds_mla 64 */
    -1, -1, -1, /* cpu f32 nvfp4_ds_mla other */
    -1, -1, -1, /* cpu f16 f32 16 */
    -1, -1, -1, /* cpu f16 f32 64 */
    -1, -1, -1, /* cpu f16 f32 other */
    -1, -1, -1, /* cpu f16 f16 16 */
    -1, -1, -1, /* cpu f16 f16 64 */
    -1, -1, -1, /* cpu f16 f16 other */
    -1, -1, -1, /* cpu f16 bf16 16 */
    -1, -1, -1, /* cpu f16 bf16 64 */
    -1, -1, -1, /* cpu f16 bf16 other */
    -1, -1, -1, /* cpu f16 fp8_e4m3 16 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 64 */
    -1, -1, -1, /* cpu f16 fp8_e4m3 other */
    -1, -1, -1, /* cpu f16 fp8_e5m2 16 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 64 */
    -1, -1, -1, /* cpu f16 fp8_e5m2 other */
    -1, -1, -1, /* cpu f16 fp8_ds_mla 16 */
    -1, -1, -1, /* cpu f16 fp8_ds_mla 64 */
    -1, -1, -1, /* cpu f16 fp8_ds_mla other */
    -1, -1, -1, /* cpu f16 nvfp4_ds_mla 16 */
    -1, -1, -1, /* cpu f16 nvfp4_ds_mla 64 */
    -1, -1, -1, /* cpu f16 nvfp4_ds_mla other */
    -1, -1, -1, /* cpu bf16 f32 16 */
    -1, -1, -1, /* cpu bf16 f32 64 */
    -1, -1, -1, /* cpu bf16 f32 other */
    -1, -1, -1, /* cpu bf16 f16 16 */
    -1, -1, -1, /* cpu bf16 f16 64 */
    -1, -1, -1, /* cpu bf16 f16 other */
    -1, -1, -1, /* cpu bf16 bf16 16 */
    -1, -1, -1, /* cpu bf16 bf16 64 */
    -1, -1, -1, /* cpu bf16 bf16 other */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 16 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 64 */
    -1, -1, -1, /* cpu bf16 fp8_e4m3 other */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 16 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 64 */
    -1, -1, -1, /* cpu bf16 fp8_e5m2 other */
    -1, -1, -1, /* cpu bf16 fp8_ds_mla 16 */
    -1, -1, -1, /* cpu bf16 fp8_ds_mla 64 */
    -1, -1, -1, /* cpu bf16 fp8_ds_mla other */
    -1, -1, -1, /* cpu bf16 nvfp4_ds_mla 16 */
    -1, -1, -1, /* cpu bf16 nvfp4_ds_mla 64 */
    -1, -1, -1, /* cpu bf16 nvfp4_ds_mla other */
    -1, -1, -1, /* cuda f32 f32 16 */
    -1, -1, -1, /* cuda f32 f32 64 */
    -1, -1, -1, /* cuda f32 f32 other */
    -1, -1, -1, /* cuda f32 f16 16 */
    -1, -1, -1, /* cuda f32 f16 64 */
    -1, -1, -1, /* cuda f32 f16 other */
    -1, -1, -1, /* cuda f32 bf16 16 */
    -1, -1, -1, /* cuda f32 bf16 64 */
    -1, -1, -1, /* cuda f32 bf16 other */
    -1, -1, -1, /* cuda f32 fp8_e4m3 16 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 64 */
    -1, -1, -1, /* cuda f32 fp8_e4m3 other */
    -1, -1, -1, /* cuda f32 fp8_e5m2 16 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 64 */
    -1, -1, -1, /* cuda f32 fp8_e5m2 other */
    -1, -1, -1, /* cuda f32 fp8_ds_mla 16 */
    -1, -1, -1, /* cuda f32 fp8_ds_mla 64 */
    -1, -1, -1, /* cuda f32 fp8_ds_mla other */
    -1, -1, -1, /* cuda f32 nvfp4_ds_mla 16 */
    -1, -1, -1, /* cuda f32 nvfp4_ds_mla 64 */
    -1, -1, -1, /* cuda f32 nvfp4_ds_mla other */
    -1, -1, -1, /* cuda f16 f32 16 */
    -1, -1, -1, /* cuda f16 f32 64 */
    -1, -1, -1, /* cuda f16 f32 other */
    0,  0,  -1, /* cuda f16 f16 16 */
    0,  2,  -1, /* cuda f16 f16 64 */
    -1, -1, -1, /* cuda f16 f16 other */
    -1, -1, -1, /* cuda f16 bf16 16 */
    -1, -1, -1, /* cuda f16 bf16 64 */
    -1, -1, -1, /* cuda f16 bf16 other */
    5,  5,  -1, /* cuda f16 fp8_e4m3 16 */
    5,  7,  -1, /* cuda f16 fp8_e4m3 64 */
    -1, -1, -1, /* cuda f16 fp8_e4m3 other */
    10, 10, -1, /* cuda f16 fp8_e5m2 16 */
    10, 12, -1, /* cuda f16 fp8_e5m2 64 */
    -1, -1, -1, /* cuda f16 fp8_e5m2 other */
    15, 15, -1, /* cuda f16 fp8_ds_mla 16 */
    15, 17, -1, /* cuda f16 fp8_ds_mla 64 */
    -1, -1, -1, /* cuda f16 fp8_ds_mla other */
    20, 20, -1, /* cuda f16 nvfp4_ds_mla 16 */
    20, 22, -1, /* cuda f16 nvfp4_ds_mla 64 */
    -1, -1, -1, /* cuda f16 nvfp4_ds_mla other */
    -1, -1, -1, /* cuda bf16 f32 16 */
    -1, -1, -1, /* cuda bf16 f32 64 */
    -1, -1, -1, /* cuda bf16 f32 other */
    -1, -1, -1, /* cuda bf16 f16 16 */
    -1, -1, -1, /* cuda bf16 f16 64 */
    -1, -1, -1, /* cuda bf16 f16 other */
    25, 25, -1, /* cuda bf16 bf16 16 */
    25, 27, -1, /* cuda bf16 bf16 64 */
    -1, -1, -1, /* cuda bf16 bf16 other */
    30, 30, -1, /* cuda bf16 fp8_e4m3 16 */
    30, 32, -1, /* cuda bf16 fp8_e4m3 64 */
    -1, -1, -1, /* cuda bf16 fp8_e4m3 other */
    35, 35, -1, /* cuda bf16 fp8_e5m2 16 */
    35, 37, -1, /* cuda bf16 fp8_e5m2 64 */
    -1, -1, -1, /* cuda bf16 fp8_e5m2 other */
    40, 40, -1, /* cuda bf16 fp8_ds_mla 16 */
    40, 42, -1, /* cuda bf16 fp8_ds_mla 64 */
    -1, -1, -1, /* cuda bf16 fp8_ds_mla other */
    45, 45, -1, /* cuda bf16 nvfp4_ds_mla 16 */
    45, 47, -1, /* cuda bf16 nvfp4_ds_mla 64 */
    -1, -1, -1, /* cuda bf16 nvfp4_ds_mla other */
};

static const kvf_exclusion exclusions[] = {
    {{KVF_AXES(KVF_F32, KVF_F32, 16, KVF_OTHER)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, KVF_OTHER)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_F16, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 16, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, KVF_OTHER)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_F32, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F16, 16, KVF_OTHER)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, 64, KVF_OTHER)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 16, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, KVF_OTHER)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 16, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, KVF_OTHER)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 16, KVF_OTHER)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 64, KVF_OTHER)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, 16, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, 64, KVF_OTHER)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 16, 80)}, "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_F32, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 80)}, "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_F32, 64, 90)}, "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 80)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_F32, KVF_OTHER, 90)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_F16, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_F16, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_F16, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_F16, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 16, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 16, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16, 64, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 80)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16, KVF_OTHER, 90)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 16, 80)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 80)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, 64, 90)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E4M3, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 16, 80)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 80)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, 64, 90)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_E5M2, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, 16, 80)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, 64, 80)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, 64, 90)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_FP8_DS_MLA, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, 16, 80)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, 64, 80)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, 64, 90)},
     "the tensor cores' variants have queries of 16 bits"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_F32, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F32, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F32, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F32, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F16, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 80)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_F16, KVF_OTHER, 90)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 16, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 16, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_BF16, 64, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 80)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_BF16, KVF_OTHER, 90)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E4M3, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_E5M2, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_FP8_DS_MLA, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F32, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F32, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 16, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 16, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16, 64, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 80)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16, KVF_OTHER, 90)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 80)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_BF16, KVF_OTHER, 90)}, "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E4M3, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_E5M2, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, 16, 90)}, "four warps multiply 64 rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, KVF_OTHER, 80)},
     "the tensor cores' variants are those of rows"},
    {{KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA, KVF_OTHER, 90)},
     "the tensor cores' variants are those of rows"},
};

static const kvf_argument arguments[] = {
    {.name = "out",
     .type = "Tensor!",
     .doc = "[num_tokens, num_heads, 512], f32 or the dtype of query, any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "query",
     .type = "Tensor",
     .doc = "[num_tokens, num_heads, 576], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache",
     .type = "Tensor",
     .doc =
         "[num_blocks, block_size, 576], the cache dtype (uint8 or float8 for fp8), any strides; "
         "for a row format [num_blocks, block_size, 656 or 352], uint8, rows without gaps",
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
     .doc = "what query . row is multiplied by, usually 1 / sqrt(192); any number that f32 holds: "
            "0, or a finite one of 2^-126 or more, of any sign",
     .kind = KVF_KIND_FLOAT},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'fp8_ds_mla', "
            "'fp8_ds_mla_f32' or 'nvfp4_ds_mla'",
     .kind = KVF_KIND_STRING},
    {.name = "kv_scale",
     .type = "Tensor",
     .doc = "f32, one element; elements are code * kv_scale; not read unless the cache is fp8",
     .kind = KVF_KIND_TENSOR},
    {.name = "max_query_len",
     .type = "int",
     .doc = "tokens that a sequence has at most; 0 or less: not known",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
    {.name = "lse",
     .type = "Tensor!?",
     .doc = "[num_heads, num_tokens], f32, any strides: natural logarithms of what weights were "
            "divided by; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "workspace",
     .type = "Tensor!?",
     .doc = "[split_tokens, num_heads, splits, 514], f32, any strides, splits 1 or more: room for "
            "the parts of long sequences whose tokens are all below split_tokens, any number; "
            "None: room of the library's own",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_paged_mla_decode(exec, (DLTensor *)values[0].as.tensor, values[1].as.tensor,
                              values[2].as.tensor, values[3].as.tensor, values[4].as.tensor,
                              values[5].as.tensor, values[6].as.number, values[7].as.string,
                              values[8].as.tensor, values[9].as.integer,
                              (DLTensor *)values[10].as.tensor, (DLTensor *)values[11].as.tensor);
}

const kvf_op kvf_op_paged_mla_decode = {
    .name = "paged_mla_decode",
    .ns = "_C_cache_ops",
    .schema =
        "paged_mla_decode(Tensor! out, Tensor query, Tensor kv_cache, Tensor query_start_loc, "
        "Tensor seq_lens, Tensor block_table, float scale, str kv_cache_dtype, Tensor kv_scale, "
        "int max_query_len=0, Tensor!? lse=None, Tensor!? workspace=None) -> ()",
    .doc = "attends over the MLA pages that concat_and_cache_mla fills: all heads share a row.\n"
           "\n"
           "Sequence s has the tokens t from query_start_loc[s] to query_start_loc[s + 1] - 1, q "
           "of them, which\n"
           "are the last of its n = seq_lens[s] positions, all in the cache already: token t is at "
           "position\n"
           "  i = n - q + (t - query_start_loc[s])\n"
           "and sees the positions p <= i. For query head h:\n"
           "  R[p]      = DQ(kv_cache) at position p,\n"
           "              which is in page block_table[s, p div block_size], at p mod block_size\n"
           "  a[p]      = scale * (query[t, h] . R[p]), over all 576 elements\n"
           "  total     = sum over p of e^a[p]\n"
           "  out[t, h] = sum over p of e^a[p] / total * R[p], the first 512 elements of it\n"
           "  lse[h, t] = log(total)\n"
           "A row is 512 latent elements and behind them 64 rope elements; queries are those that "
           "were brought to the\n"
           "latent space (\"absorbed\"), with their rope part behind, as concat_mla_q puts them. "
           "DQ widens to f32; fp8\n"
           "codes are multiplied by kv_scale, elements of fp8_ds_mla and nvfp4_ds_mla by the "
           "scales of their row. The\n"
           "rope part of fp8_ds_mla is of the dtype of query, next to queries in f32 bf16. A token "
           "that sees nothing,\n"
           "as every one of a sequence with n = 0 does, gets zeros, and an lse of -infinity. "
           "Sequences of any q, of\n"
           "0 too, may be mixed; it is made for 1 to 8, and 16 to 128 heads. Tokens of query and "
           "out that no sequence\n"
           "has (graph padding) are left as they are. No tokens are a successful no-op. Only the "
           "pages of the\n"
           "positions that a sequence's tokens see are read, and of the last page only the tokens "
           "that are there.\n"
           "Positions that a token does not see but one close to it does are read along with it: "
           "an infinite or NaN\n"
           "element there may make NaN of its output. out, lse and workspace must not overlap each "
           "other or the\n"
           "other tensors. Two results over different positions are put together by "
           "merge_attn_states.\n"
           "\n"
           "Arithmetic is f32 and the softmax is rescaled as it goes (online), as that of "
           "paged_attention, with the\n"
           "same bounds: on the CPU sums of every 32 positions are added up with compensation. A "
           "sequence has the same\n"
           "bits in every batch, on any number of threads, if it is split the same: with "
           "KVFORGE_BATCH_INVARIANT=1 in\n"
           "the environment and without a workspace, or with one of always as many splits that has "
           "room for all\n"
           "tokens; on CUDA max_query_len has to be the same too.\n"
           "\n"
           "On CUDA from compute capability 8.0 on, f16 and bf16 queries go by tiles on the tensor "
           "cores where rows of\n"
           "the cache are whole vectors of 16 bytes: elements are rounded to the dtype of query, "
           "which changes none but\n"
           "those of fp8_ds_mla_f32 (and of fp8_ds_mla beyond the range of f16); products are "
           "exact, sums are f32, and\n"
           "so are the weights that are added up, but each is rounded to the dtype of query before "
           "it is multiplied by\n"
           "its values. With one position out is exactly DQ, rounded to the dtype of out (zeros "
           "are +0).\n"
           "\n"
           "A row of a tile is one head of one token. A tile is up to 8 rows, 16 or 64 on the "
           "tensor cores, and on the\n"
           "CPU as many as 32 KiB of stack have room for. A row of the cache is read once for a "
           "tile, and its values\n"
           "are the keys' first elements. With a workspace the positions of the tiles of sequences "
           "whose tokens are all\n"
           "below split_tokens are cut into at most `splits` parts, of ceil(positions / splits) "
           "positions rounded up to\n"
           "a multiple of 128; what they come to is put into workspace, and added up in a second "
           "launch (CUDA) or a\n"
           "second pass of the threads (CPU). workspace needs no initial value, and what it holds "
           "afterwards is not\n"
           "defined. Without one,\n"
           "and unless KVFORGE_BATCH_INVARIANT is 1, a call splits by itself, as paged_attention "
           "does: on CUDA in\n"
           "memory of the library's own (kvf_cuda_free_workspaces() says which, and what that asks "
           "of graphs). A call\n"
           "that is prepared has none: give it a workspace.\n"
           "\n"
           "max_query_len is a promise that lets the host launch fewer thread blocks. What is "
           "launched depends on\n"
           "shapes and on it alone: a captured graph stays right when query_start_loc, seq_lens "
           "and block_table change\n"
           "under it.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a query_start_loc that descends, leaves query, or has a "
           "sequence of more than\n"
           "max_query_len tokens, a length below 0 or beyond width * block_size, or a page that is "
           "not in the cache\n"
           "(CPU: before anything is written; CUDA: tokens of that sequence are left as they are, "
           "that length is cut\n"
           "off, the tokens of that page are left out, and each is counted once, see "
           "kvf_cuda_fault_count).\n"
           "KVF_CUDA_ERROR at the second of two launches leaves workspace written and out of the "
           "tokens that were split\n"
           "untouched.\n"
           "Source of the rule: what FlashMLA and vLLM's MLA backends compute, for rows of "
           "DeepSeek's sizes.\n"
           "Elsewhere: FlashMLA flash_mla_with_kvcache; SGLang cutlass_mla_decode.",
    .arguments = arguments,
    .num_arguments = 12,
    .variants = variants,
    .num_variants = 60,
    .axes = axes,
    .num_axes = 4,
    .cells = cells,
    .rest = rest,
    .chains = chains,
    .num_cells = 189,
    .exclusions = exclusions,
    .num_exclusions = 144,
    .call = call,
};
