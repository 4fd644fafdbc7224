/*
 * Generated from templates/table/op.c.j2 and generator/spec/cp_gather_cache.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/cp_gather_cache.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_cp_gather_cache__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_cp_gather_cache__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_cp_gather_cache, KVF_AXES(KVF_B8), kvf_cpu_cp_gather_cache__b8),
    KVF_CUDA_ROW(kvf_op_cp_gather_cache, KVF_AXES(KVF_B8), kvf_cuda_cp_gather_cache__b8, 16, 4, 1),
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
    {.name = "src_cache",
     .type = "Tensor",
     .doc = "[num_blocks, block_size, ...], any dtype; dimensions from 2 on are contiguous",
     .kind = KVF_KIND_TENSOR},
    {.name = "dst",
     .type = "Tensor!",
     .doc = "[num_rows, ...], dtype and bytes of a row as src_cache; dimensions from 1 on are "
            "contiguous; less than 2^31 rows",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "block_table",
     .type = "Tensor",
     .doc = "[>= batch_size, width], int32 or int64, stride of dimension 1 is 1: the page of each "
            "part of a sequence",
     .kind = KVF_KIND_TENSOR},
    {.name = "cu_seq_lens",
     .type = "Tensor",
     .doc = "[>= batch_size + 1], int32, contiguous, ascending: first row of each sequence",
     .kind = KVF_KIND_TENSOR},
    {.name = "batch_size", .type = "int", .doc = "sequences to gather", .kind = KVF_KIND_INT},
    {.name = "seq_starts",
     .type = "Tensor?",
     .doc = "[>= batch_size], int32, contiguous: position of a sequence's first row, in tokens, "
            "any number of them; None for 0",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_cp_gather_cache(exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor,
                             values[2].as.tensor, values[3].as.tensor, values[4].as.integer,
                             values[5].as.tensor);
}

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "vectors", "blocks"},
    .defaults = {256, 4, 512},
};

const kvf_op kvf_op_cp_gather_cache = {
    .name = "cp_gather_cache",
    .ns = "_C_cache_ops",
    .schema = "cp_gather_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor "
              "cu_seq_lens, int batch_size, Tensor? seq_starts=None) -> ()",
    .doc = "gathers the rows of sequences from pages, bits as they are.\n"
           "\n"
           "For row j of sequence b < batch_size, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with\n"
           "p = j - cu_seq_lens[b] + seq_starts[b]:\n"
           "  dst[j, ...] = src_cache[block_table[b, p div block_size], p mod block_size, ...]\n"
           "The number of rows is dst's size; numbers of cu_seq_lens beyond it mean the same as "
           "it. Rows that no\n"
           "sequence has, in front of cu_seq_lens[0] or from cu_seq_lens[batch_size] on, are left "
           "as they are. Zero\n"
           "rows are a successful no-op. Any dtype of whole bytes and any entry size: bytes are "
           "moved, 16 at a time\n"
           "where alignment allows, whole pages at once on the CPU where both sides are dense.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: "
           "before anything\n"
           "is written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).\n"
           "Source of the rule: vLLM's op of the same name, with its 32-bit offsets, its element "
           "widths, its\n"
           "alignment and its bounds defects corrected.\n"
           "Elsewhere: vLLM cp_gather_cache.",
    .arguments = arguments,
    .num_arguments = 6,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
