/*
 * Generated from templates/table/op.c.j2 and generator/spec/concat_mla_q.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/concat_mla_q.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_concat_mla_q__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_concat_mla_q__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_concat_mla_q, KVF_AXES(KVF_B8), kvf_cpu_concat_mla_q__b8),
    KVF_CUDA_ROW(kvf_op_concat_mla_q, KVF_AXES(KVF_B8), kvf_cuda_concat_mla_q__b8, 16, 4, 1),
};

/* the width dtype: value - KVF_B8 -> position * 1. */
static const int16_t width_offsets[] = {0};
static const int64_t width_values[] = {KVF_B8};

static const kvf_axis axes[] = {
    {.first = KVF_B8,
     .span = 1,
     .offsets = width_offsets,
     .below = -1,
     .above = -1,
     .name = "width",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the width dtype",
     .values = width_values,
     .num_values = 1},
};

/* [backend][width] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0, /* cpu */
    1, /* cuda */
};

static const kvf_argument arguments[] = {
    {.name = "ql_nope",
     .type = "Tensor",
     .doc = "[num_tokens, num_heads, nope_dim], f32, f16 or bf16; stride of dimension 2 is 1",
     .kind = KVF_KIND_TENSOR},
    {.name = "q_pe",
     .type = "Tensor",
     .doc = "[num_tokens, num_heads, rope_dim], the dtype of ql_nope; stride of dimension 2 is 1",
     .kind = KVF_KIND_TENSOR},
    {.name = "q_out",
     .type = "Tensor!",
     .doc = "[num_tokens, >= num_heads, nope_dim + rope_dim], the dtype of ql_nope; stride of "
            "dimension 2 is 1",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_concat_mla_q(exec, values[0].as.tensor, values[1].as.tensor,
                          (DLTensor *)values[2].as.tensor);
}

/* Measured by `ninja tune`: threads by arch and num_tokens. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 16, {256}},
    {90, 256, {256}},
    {90, 4096, {64}},
    {90, INT64_MAX, {64}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 1,
    .names = {"threads"},
    .defaults = {256},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_concat_mla_q = {
    .name = "concat_mla_q",
    .ns = "_C_cache_ops",
    .schema = "concat_mla_q(Tensor ql_nope, Tensor q_pe, Tensor! q_out) -> ()",
    .doc =
        "joins the latent and the rope half of MLA queries, head by head.\n"
        "\n"
        "For every token t and head h, with N = nope_dim and R = rope_dim:\n"
        "  q_out[t, h, 0 .. N - 1]     = ql_nope[t, h, :]\n"
        "  q_out[t, h, N .. N + R - 1] = q_pe[t, h, :]\n"
        "Bits are copied, NaN payloads too. Any N and R, either of which may be 0, and any token "
        "and head\n"
        "strides, each tensor with its own (a transposed ql_nope, or a q_pe that is cut out of "
        "longer rows,\n"
        "needs no copy). q_out may have more heads than the other two, as attention kernels want "
        "that are\n"
        "built for a number of heads; those behind are left as they are. q_out must not overlap\n"
        "the others. Zero tokens are a successful no-op.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for elements of a head that are not neighbours.\n"
        "Source of the rule: vLLM's op of the same name, without its limits on N and R (and the "
        "wrong\n"
        "result for N = 1024), on the dtype and on alignment.\n"
        "Elsewhere: vLLM concat_mla_q.",
    .arguments = arguments,
    .num_arguments = 3,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
