/*
 * Generated from templates/table/op.c.j2 and generator/spec/cp_gather_indexer_k_quant_cache.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/cp_gather_indexer_k_quant_cache.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_cp_gather_indexer_k_quant_cache__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_cp_gather_indexer_k_quant_cache__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_cp_gather_indexer_k_quant_cache, KVF_AXES(KVF_B8),
                kvf_cpu_cp_gather_indexer_k_quant_cache__b8),
    KVF_CUDA_ROW(kvf_op_cp_gather_indexer_k_quant_cache, KVF_AXES(KVF_B8),
                 kvf_cuda_cp_gather_indexer_k_quant_cache__b8, 16, 4, 1),
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
    {.name = "kv_cache",
     .type = "Tensor",
     .doc = "[num_blocks, block_size, head_dim + 4 * n], uint8 or float8_e4m3fn; any page stride, "
            "the bytes of a page dense",
     .kind = KVF_KIND_TENSOR},
    {.name = "dst_k",
     .type = "Tensor!",
     .doc = "[num_rows, head_dim], uint8 or float8_e4m3fn; any row stride, rows dense",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "dst_scale",
     .type = "Tensor!",
     .doc = "[num_rows, 4 * n], uint8, or [num_rows, n], f32; any row stride, rows dense",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "block_table",
     .type = "Tensor",
     .doc = "[num_sequences, width], int32 or int64; any stride of sequences",
     .kind = KVF_KIND_TENSOR},
    {.name = "cu_seq_lens",
     .type = "Tensor",
     .doc = "[num_sequences + 1], int32, ascending: the first row of each sequence",
     .kind = KVF_KIND_TENSOR},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_cp_gather_indexer_k_quant_cache(
      exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor, (DLTensor *)values[2].as.tensor,
      values[3].as.tensor, values[4].as.tensor);
}

/* Measured by `ninja tune`: threads, rows by arch and num_rows. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 256, {128, 4}},
    {90, 4096, {128, 4}},
    {90, 65536, {128, 16}},
    {90, INT64_MAX, {128, 16}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 2,
    .names = {"threads", "rows"},
    .defaults = {128, 4},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_cp_gather_indexer_k_quant_cache = {
    .name = "cp_gather_indexer_k_quant_cache",
    .ns = "_C_cache_ops",
    .schema = "cp_gather_indexer_k_quant_cache(Tensor kv_cache, Tensor! dst_k, Tensor! dst_scale, "
              "Tensor block_table, Tensor cu_seq_lens) -> ()",
    .doc =
        "gathers the quantised indexer keys of sequences, and their scales, from pages.\n"
        "\n"
        "For row j of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with p = j - "
        "cu_seq_lens[b],\n"
        "offset = p mod block_size, D = head_dim, n = scales of a token, and P the bytes of page\n"
        "block_table[b, p div block_size]:\n"
        "  dst_k[j, :]     = P[offset * D .. offset * D + D - 1]\n"
        "  dst_scale[j, :] = P[block_size * D + 4 * offset * n ..], 4 * n bytes\n"
        "Bytes are copied. Rows that no sequence has, in front of cu_seq_lens[0] or from the last "
        "element\n"
        "of cu_seq_lens on, are left as they are. Zero rows are a successful no-op: no index is "
        "looked at then.\n"
        "\n"
        "The group size is not an argument: dst_scale tells n, and head_dim must be a multiple of "
        "it.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for destination rows or pages whose bytes are not neighbours;\n"
        "KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before "
        "anything is\n"
        "written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).\n"
        "Source of the rule: vLLM's op of the same name, with its contiguous destinations, its "
        "groups of 128\n"
        "and more, its alignment and its bounds defects corrected.\n"
        "Elsewhere: vLLM cp_gather_indexer_k_quant_cache.",
    .arguments = arguments,
    .num_arguments = 5,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
