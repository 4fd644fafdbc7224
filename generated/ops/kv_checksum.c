/*
 * Generated from templates/table/op.c.j2 and generator/spec/kv_checksum.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/kv_checksum.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_kv_checksum__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_kv_checksum__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_kv_checksum, KVF_AXES(KVF_B8), kvf_cpu_kv_checksum__b8),
    KVF_CUDA_ROW(kvf_op_kv_checksum, KVF_AXES(KVF_B8), kvf_cuda_kv_checksum__b8, 16, 4, 1),
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
    {.name = "wire",
     .type = "Tensor",
     .doc = "[1024 * num_kibibytes], uint8, stride 1, its address a multiple of 16",
     .kind = KVF_KIND_TENSOR},
    {.name = "unit_bytes",
     .type = "int",
     .doc = "bytes of a unit, a multiple of 1024; 16384 is usual: 8 bytes for 16 KiB",
     .kind = KVF_KIND_INT},
    {.name = "sums",
     .type = "Tensor!",
     .doc = "[ceil(1024 * num_kibibytes / unit_bytes)], int64, any stride",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "expected",
     .type = "Tensor?",
     .doc = "as sums, not the same memory",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "mismatches",
     .type = "Tensor!?",
     .doc = "[1], int32; goes with expected",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_kv_checksum(exec, values[0].as.tensor, values[1].as.integer,
                         (DLTensor *)values[2].as.tensor, values[3].as.tensor,
                         (DLTensor *)values[4].as.tensor);
}

const kvf_op kvf_op_kv_checksum = {
    .name = "kv_checksum",
    .ns = "_C_cache_ops",
    .schema = "kv_checksum(Tensor wire, int unit_bytes, Tensor! sums, Tensor? expected=None, "
              "Tensor!? mismatches=None) -> ()",
    .doc = "makes the XXH3 digests of a wire buffer, and compares them with those expected.\n"
           "\n"
           "Unit u is bytes [u * unit_bytes, (u + 1) * unit_bytes) of wire, the last one what is "
           "left:\n"
           "  sums[u] = XXH3_64bits(unit u), with seed 0 and the default secret, as the 64 bits of "
           "an int64\n"
           "With expected and mismatches, mismatches[0] grows by the number of units with sums[u] "
           "!= expected[u],\n"
           "so the caller sets it to 0 before: what it then counts is not what its sender made. An "
           "empty wire is a\n"
           "successful no-op.\n"
           "\n"
           "On CUDA nothing is allocated or waited for, and the call can be captured in a graph.\n"
           "\n"
           "Errors: KVF_INVALID_VALUE for sizes that are no multiple of 1024, for a wire whose "
           "address is not one\n"
           "of 16 or whose bytes do not lie one behind another, and for expected without "
           "mismatches or the other\n"
           "way round.\n"
           "Source of the rule: XXH3 of xxHash, whose output is fixed since its version 0.8.0; of "
           "its paths the one\n"
           "for more than 240 bytes, since a unit is a multiple of 1024.\n"
           "Elsewhere: xxHash XXH3_64bits.",
    .arguments = arguments,
    .num_arguments = 5,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
};
