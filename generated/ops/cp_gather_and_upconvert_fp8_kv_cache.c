/*
 * Generated from templates/table/op.c.j2 and
 * generator/spec/cp_gather_and_upconvert_fp8_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/ops/cp_gather_and_upconvert_fp8_kv_cache.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_cp_gather_and_upconvert_fp8_kv_cache__f32__fp8_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_cp_gather_and_upconvert_fp8_kv_cache__f16__fp8_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_cp_gather_and_upconvert_fp8_kv_cache__bf16__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_cp_gather_and_upconvert_fp8_kv_cache__f32__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_cp_gather_and_upconvert_fp8_kv_cache__f16__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_cp_gather_and_upconvert_fp8_kv_cache__bf16__fp8_ds_mla);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_cp_gather_and_upconvert_fp8_kv_cache, KVF_AXES(KVF_F32, KVF_FP8_DS_MLA),
                kvf_cpu_cp_gather_and_upconvert_fp8_kv_cache__f32__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_cp_gather_and_upconvert_fp8_kv_cache, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA),
                kvf_cpu_cp_gather_and_upconvert_fp8_kv_cache__f16__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_cp_gather_and_upconvert_fp8_kv_cache, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA),
                kvf_cpu_cp_gather_and_upconvert_fp8_kv_cache__bf16__fp8_ds_mla),
    KVF_CUDA_ROW(kvf_op_cp_gather_and_upconvert_fp8_kv_cache, KVF_AXES(KVF_F32, KVF_FP8_DS_MLA),
                 kvf_cuda_cp_gather_and_upconvert_fp8_kv_cache__f32__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_cp_gather_and_upconvert_fp8_kv_cache, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA),
                 kvf_cuda_cp_gather_and_upconvert_fp8_kv_cache__f16__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_cp_gather_and_upconvert_fp8_kv_cache, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA),
                 kvf_cuda_cp_gather_and_upconvert_fp8_kv_cache__bf16__fp8_ds_mla, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 1. */
static const int16_t scalar_offsets[] = {0, 1, 2};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_FP8_DS_MLA -> position * 1. */
static const int16_t cache_offsets[] = {0};
static const int64_t cache_values[] = {KVF_FP8_DS_MLA};

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
    {.first = KVF_FP8_DS_MLA,
     .span = 1,
     .offsets = cache_offsets,
     .below = -1,
     .above = -1,
     .name = "cache",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the cache dtype",
     .values = cache_values,
     .num_values = 1},
};

/* [backend][scalar][cache] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0, /* cpu f32 */
    1, /* cpu f16 */
    2, /* cpu bf16 */
    3, /* cuda f32 */
    4, /* cuda f16 */
    5, /* cuda bf16 */
};

static const kvf_argument arguments[] = {
    {.name = "src_cache",
     .type = "Tensor",
     .doc = "[num_blocks, block_size, 656], uint8 or float8_e4m3fn; stride of dimension 2 is 1",
     .kind = KVF_KIND_TENSOR},
    {.name = "dst",
     .type = "Tensor!",
     .doc = "[num_rows, 576], f32, f16 or bf16; stride of dimension 1 is 1; less than 2^31 rows",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "block_table",
     .type = "Tensor",
     .doc = "[>= batch_size, width], int32 or int64, stride of dimension 1 is 1: the page of each "
            "part of a sequence",
     .kind = KVF_KIND_TENSOR},
    {.name = "workspace_starts",
     .type = "Tensor",
     .doc = "[>= batch_size], int32, contiguous, ascending: first row of each sequence",
     .kind = KVF_KIND_TENSOR},
    {.name = "batch_size", .type = "int", .doc = "sequences to gather", .kind = KVF_KIND_INT},
    {.name = "seq_starts",
     .type = "Tensor?",
     .doc = "[>= batch_size], int32, contiguous: position of a sequence's first row, in tokens, "
            "any number of them; None for 0",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "host_cache",
     .type = "Tensor?",
     .doc = "[num_host_rows, 656], uint8 or float8_e4m3fn, in host memory, pinned for CUDA; stride "
            "of dimension 1 is 1; None: all rows are in src_cache",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "host_row_ids",
     .type = "Tensor?",
     .doc = "[num_virtual_rows], of rank 1 or 2, int32, contiguous: row of host_cache; looked at "
            "where device_row_ids is negative",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "device_row_ids",
     .type = "Tensor?",
     .doc = "as host_row_ids: row of src_cache, or a negative number for none",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "seq_lens",
     .type = "Tensor?",
     .doc = "[>= batch_size], int32, contiguous: rows of a sequence at most; None for all",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_cp_gather_and_upconvert_fp8_kv_cache(
      exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor, values[2].as.tensor,
      values[3].as.tensor, values[4].as.integer, values[5].as.tensor, values[6].as.tensor,
      values[7].as.tensor, values[8].as.tensor, values[9].as.tensor);
}

/* Measured by `ninja tune`: threads, vectors, blocks by arch and num_rows. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 256, {256, 4, 512}},
    {90, 4096, {256, 4, 128}},
    {90, 65536, {128, 8, 128}},
    {90, INT64_MAX, {128, 8, 512}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "vectors", "blocks"},
    .defaults = {256, 4, 512},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_cp_gather_and_upconvert_fp8_kv_cache = {
    .name = "cp_gather_and_upconvert_fp8_kv_cache",
    .ns = "_C_cache_ops",
    .schema = "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, Tensor "
              "block_table, Tensor workspace_starts, int batch_size, Tensor? seq_starts=None, "
              "Tensor? host_cache=None, Tensor? host_row_ids=None, Tensor? device_row_ids=None, "
              "Tensor? seq_lens=None) -> ()",
    .doc =
        "gathers fp8_ds_mla rows of sequences from pages and turns them into floats.\n"
        "\n"
        "Sequence b < batch_size has the rows from workspace_starts[b] up to workspace_starts[b + "
        "1], the last one\n"
        "up to the end of dst; no more than seq_lens[b] of them, if there is a seq_lens. For row j "
        "of it, with\n"
        "p = j - workspace_starts[b] + seq_starts[b] and r = row p mod block_size of page\n"
        "block_table[b, p div block_size]:\n"
        "  dst[j, i] = E4M3(r[i]) * scale(r, i div 128)       0 <= i < 512, scales: 4 f32 at byte "
        "512\n"
        "  dst[j, i] = 16 bits at byte 528 + 2 * (i - 512)    512 <= i < 576\n"
        "The product is one of f32, rounded to nearest even once, overflows to infinity, and has "
        "one NaN per\n"
        "dtype: 0x7FFFFFFF, 0x7FFF. The 16 bits of the rope part are copied into f16 and bf16, so "
        "the cache must\n"
        "have been filled from that dtype; for f32 they are taken as bf16 and widened. Scales may "
        "be any f32, so\n"
        "caches of either scale contract (fp8_ds_mla, fp8_ds_mla_f32) are read. Other rows, in "
        "front of\n"
        "workspace_starts[0] and between sequences, are left as they are. Zero rows are a "
        "successful no-op.\n"
        "\n"
        "With a host_cache, pages of block_table are virtual: with v = block_table[b, p div "
        "block_size] *\n"
        "block_size + p mod block_size, the row r is that of src_cache at d = device_row_ids[v], "
        "which is row\n"
        "d mod block_size of page d div block_size, or where d is negative row host_row_ids[v] of "
        "host_cache.\n"
        "On CUDA the kernel reads host_cache where it is, over the bus; so it must be pinned.\n"
        "\n"
        "Upstream's schema has no seq_lens since late 2026; before, it had seq_lens in front of\n"
        "workspace_starts, and no seq_starts. Here they are one op, and a binding to torch can "
        "register the\n"
        "one signature or the other.\n"
        "\n"
        "Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: "
        "before anything\n"
        "is written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).\n"
        "The same for a v, d or row of the host that is not there (CUDA: the row of dst is "
        "cleared, as it is\n"
        "with a host_cache for a page that is not in the table or beyond the maps). "
        "KVF_INVALID_VALUE for\n"
        "some of host_cache, host_row_ids and device_row_ids without the others.\n"
        "Source of the rule: vLLM's op of the same name, with E5M2 tensors refused and its "
        "destinations, its\n"
        "32-bit offsets, its alignment and its bounds defects corrected.\n"
        "Elsewhere: vLLM cp_gather_and_upconvert_fp8_kv_cache.",
    .arguments = arguments,
    .num_arguments = 10,
    .variants = variants,
    .num_variants = 6,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 3,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
