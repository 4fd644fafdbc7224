/*
 * Generated from templates/table/op.c.j2 and generator/spec/hisparse_invalidate_written_slots.py.
 * Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/hisparse_invalidate_written_slots.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_hisparse_invalidate_written_slots__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_hisparse_invalidate_written_slots__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_hisparse_invalidate_written_slots, KVF_AXES(KVF_B8),
                kvf_cpu_hisparse_invalidate_written_slots__b8),
    KVF_CUDA_ROW(kvf_op_hisparse_invalidate_written_slots, KVF_AXES(KVF_B8),
                 kvf_cuda_hisparse_invalidate_written_slots__b8, 16, 4, 1),
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
    {.name = "device_global_indices",
     .type = "Tensor!",
     .doc = "[num_states, hot_size], int32, any strides: the host row that each hot slot holds, -1 "
            "none",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "request_state_indices",
     .type = "Tensor",
     .doc = "[num_requests], int32, any stride: the state of each request",
     .kind = KVF_KIND_TENSOR},
    {.name = "req_id_per_token",
     .type = "Tensor",
     .doc = "[num_tokens], int32, any stride: the request of each token",
     .kind = KVF_KIND_TENSOR},
    {.name = "written_slots",
     .type = "Tensor",
     .doc = "[num_tokens], int64, any stride: the host row that each token was written to",
     .kind = KVF_KIND_TENSOR},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_hisparse_invalidate_written_slots(exec, (DLTensor *)values[0].as.tensor,
                                               values[1].as.tensor, values[2].as.tensor,
                                               values[3].as.tensor);
}

const kvf_op kvf_op_hisparse_invalidate_written_slots = {
    .name = "hisparse_invalidate_written_slots",
    .ns = "_C_cache_ops",
    .schema = "hisparse_invalidate_written_slots(Tensor! device_global_indices, Tensor "
              "request_state_indices, Tensor req_id_per_token, Tensor written_slots) -> ()",
    .doc = "marks hot slots empty whose host row has been written.\n"
           "\n"
           "For every token t, with q = req_id_per_token[t], s = request_state_indices[q] and w =\n"
           "written_slots[t]: every element of device_global_indices[s, :] that is w becomes -1. A "
           "token with a q\n"
           "outside [0, num_requests), an s outside [0, num_states) or a negative w is skipped. "
           "Tokens may repeat.\n"
           "No tokens, states or slots are a successful no-op.\n"
           "\n"
           "Errors: those of wrong shapes and dtypes.\n"
           "Source of the rule: vLLM's op of the same name (0.31 and newer).\n"
           "Elsewhere: vLLM hisparse_invalidate_written_slots.",
    .arguments = arguments,
    .num_arguments = 4,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
};
