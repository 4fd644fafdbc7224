/*
 * Generated from templates/table/op.c.j2 and
 * generator/spec/cp_gather_and_upconvert_nvfp4_kv_cache.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/ops/cp_gather_and_upconvert_nvfp4_kv_cache.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__f32__nvfp4_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__f16__nvfp4_ds_mla);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__bf16__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_cp_gather_and_upconvert_nvfp4_kv_cache__f32__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_cp_gather_and_upconvert_nvfp4_kv_cache__f16__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_cp_gather_and_upconvert_nvfp4_kv_cache__bf16__nvfp4_ds_mla);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache, KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA),
                kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__f32__nvfp4_ds_mla),
    KVF_CPU_ROW(kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA),
                kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__f16__nvfp4_ds_mla),
    KVF_CPU_ROW(kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache, KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA),
                kvf_cpu_cp_gather_and_upconvert_nvfp4_kv_cache__bf16__nvfp4_ds_mla),
    KVF_CUDA_ROW(kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache, KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA),
                 kvf_cuda_cp_gather_and_upconvert_nvfp4_kv_cache__f32__nvfp4_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA),
                 kvf_cuda_cp_gather_and_upconvert_nvfp4_kv_cache__f16__nvfp4_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache,
                 KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA),
                 kvf_cuda_cp_gather_and_upconvert_nvfp4_kv_cache__bf16__nvfp4_ds_mla, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 1. */
static const int16_t scalar_offsets[] = {0, 1, 2};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_NVFP4_DS_MLA -> position * 1. */
static const int16_t cache_offsets[] = {0};
static const int64_t cache_values[] = {KVF_NVFP4_DS_MLA};

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
    {.first = KVF_NVFP4_DS_MLA,
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
     .doc = "[num_blocks, block_size, 352], uint8; stride of dimension 2 is 1",
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
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_cp_gather_and_upconvert_nvfp4_kv_cache(
      exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor, values[2].as.tensor,
      values[3].as.tensor, values[4].as.integer);
}

/* Measured by `ninja tune`: threads, vectors, blocks by arch and num_rows. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 256, {256, 4, 512}},
    {90, 4096, {256, 4, 512}},
    {90, 65536, {128, 8, 512}},
    {90, INT64_MAX, {128, 8, 2048}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "vectors", "blocks"},
    .defaults = {256, 4, 512},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache = {
    .name = "cp_gather_and_upconvert_nvfp4_kv_cache",
    .ns = "_C_cache_ops",
    .schema = "cp_gather_and_upconvert_nvfp4_kv_cache(Tensor src_cache, Tensor! dst, Tensor "
              "block_table, Tensor workspace_starts, int batch_size) -> ()",
    .doc = "gathers nvfp4_ds_mla rows of sequences from pages and turns them into floats.\n"
           "\n"
           "Sequence b < batch_size has the rows from workspace_starts[b] up to workspace_starts[b "
           "+ 1], the last one\n"
           "up to the end of dst. For row j of it, with p = j - workspace_starts[b] and r = row p "
           "mod block_size of\n"
           "page block_table[b, p div block_size]:\n"
           "  dst[j, i] = E2M1(r, i) * E4M3(r[320 + 8 * (g mod 4) + g div 4])    0 <= i < 512, g = "
           "i div 16\n"
           "  dst[j, i] = E4M3(r[256 + i - 512])                                 512 <= i < 576\n"
           "Code i < 512 is the low half of byte i div 2 for even i, else the high half. No result "
           "needs rounding in\n"
           "any of the three dtypes; a NaN is 0x7FFFFFFF or 0x7FFF. Rows in front of "
           "workspace_starts[0] are left as\n"
           "they are. Zero rows are a successful no-op.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: "
           "before anything\n"
           "is written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).\n"
           "Source of the rule: vLLM's op of the same name, on every GPU and the CPU, with its "
           "destinations, its\n"
           "alignment and its bounds defects corrected.\n"
           "Elsewhere: vLLM cp_gather_and_upconvert_nvfp4_kv_cache.",
    .arguments = arguments,
    .num_arguments = 5,
    .variants = variants,
    .num_variants = 6,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 3,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
