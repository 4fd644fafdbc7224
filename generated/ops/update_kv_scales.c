/*
 * Generated from templates/table/op.c.j2 and generator/spec/update_kv_scales.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/update_kv_scales.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_update_kv_scales__f32);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_update_kv_scales__f16);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_update_kv_scales__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_update_kv_scales__f32);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_update_kv_scales__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_update_kv_scales__bf16);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_update_kv_scales, KVF_AXES(KVF_F32), kvf_cpu_update_kv_scales__f32),
    KVF_CPU_ROW(kvf_op_update_kv_scales, KVF_AXES(KVF_F16), kvf_cpu_update_kv_scales__f16),
    KVF_CPU_ROW(kvf_op_update_kv_scales, KVF_AXES(KVF_BF16), kvf_cpu_update_kv_scales__bf16),
    KVF_CUDA_ROW(kvf_op_update_kv_scales, KVF_AXES(KVF_F32), kvf_cuda_update_kv_scales__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_update_kv_scales, KVF_AXES(KVF_F16), kvf_cuda_update_kv_scales__f16, 8, 2,
                 1),
    KVF_CUDA_ROW(kvf_op_update_kv_scales, KVF_AXES(KVF_BF16), kvf_cuda_update_kv_scales__bf16, 8, 2,
                 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 1. */
static const int16_t scalar_offsets[] = {0, 1, 2};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

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
};

/* [backend][scalar] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0, 1, 2, /* cpu */
    3, 4, 5, /* cuda */
};

static const kvf_argument arguments[] = {
    {.name = "key",
     .type = "Tensor",
     .doc = "[num_tokens, num_heads, head_size], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "value",
     .type = "Tensor",
     .doc = "[num_tokens, num_heads, value_head_size], as key otherwise",
     .kind = KVF_KIND_TENSOR},
    {.name = "k_scale",
     .type = "Tensor!",
     .doc = "f32, one element",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "v_scale",
     .type = "Tensor!",
     .doc = "as k_scale",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "divisor",
     .type = "float",
     .doc = "magnitude of a code that the largest element has; positive, finite and normal as f32",
     .kind = KVF_KIND_FLOAT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_FLOAT, .as = {.number = 240.0}}},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_update_kv_scales(exec, values[0].as.tensor, values[1].as.tensor,
                              (DLTensor *)values[2].as.tensor, (DLTensor *)values[3].as.tensor,
                              values[4].as.number);
}

static const kvf_tuned cuda_tuned = {
    .num_constants = 2,
    .names = {"threads", "blocks"},
    .defaults = {256, 264},
};

const kvf_op kvf_op_update_kv_scales = {
    .name = "update_kv_scales",
    .ns = "_C_cache_ops",
    .schema = "update_kv_scales(Tensor key, Tensor value, Tensor! k_scale, Tensor! v_scale, float "
              "divisor=240.0) -> ()",
    .doc = "raises the scales of keys and values to what new ones need.\n"
           "\n"
           "With amax the largest magnitude of an element, NaNs left out:\n"
           "  k_scale = max(k_scale, amax of key / divisor)\n"
           "  v_scale = max(v_scale, amax of value / divisor)\n"
           "The quotient is that of f32, to nearest even, and infinite for an infinite element; "
           "one of 0 changes\n"
           "nothing. Scales are compared as the signed integers that their bits are: a negative "
           "one is less than any,\n"
           "and a NaN without a sign stays. Start with 0, or with the least that a scale may be. "
           "No elements are a\n"
           "successful no-op. On CUDA a graph can capture the call.\n"
           "\n"
           "448 as the divisor would let the largest element be the largest code of E4M3; 240, the "
           "default, leaves\n"
           "room for elements that are larger than those seen so far.\n"
           "\n"
           "Errors: KVF_INVALID_VALUE for a divisor that is no positive, finite, normal f32.\n"
           "Source of the rule: mistral.rs and attention.rs, whose functions of this name have 240 "
           "built in.\n"
           "Elsewhere: mistral.rs update_kv_scales_f32 to update_kv_scales_bf16.",
    .arguments = arguments,
    .num_arguments = 5,
    .variants = variants,
    .num_variants = 6,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 3,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
