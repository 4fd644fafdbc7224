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
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__f16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__bf16);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e4m3);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_e5m2);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_F32),
                kvf_cpu_paged_mla_decode__f32__f32),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                kvf_cpu_paged_mla_decode__f32__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                kvf_cpu_paged_mla_decode__f32__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_DS_MLA),
                kvf_cpu_paged_mla_decode__f32__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA),
                kvf_cpu_paged_mla_decode__f32__nvfp4_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_F16),
                kvf_cpu_paged_mla_decode__f16__f16),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                kvf_cpu_paged_mla_decode__f16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                kvf_cpu_paged_mla_decode__f16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA),
                kvf_cpu_paged_mla_decode__f16__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA),
                kvf_cpu_paged_mla_decode__f16__nvfp4_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_BF16),
                kvf_cpu_paged_mla_decode__bf16__bf16),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                kvf_cpu_paged_mla_decode__bf16__fp8_e4m3),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                kvf_cpu_paged_mla_decode__bf16__fp8_e5m2),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA),
                kvf_cpu_paged_mla_decode__bf16__fp8_ds_mla),
    KVF_CPU_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA),
                kvf_cpu_paged_mla_decode__bf16__nvfp4_ds_mla),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_F32),
                 kvf_cuda_paged_mla_decode__f32__f32, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_E4M3),
                 kvf_cuda_paged_mla_decode__f32__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_E5M2),
                 kvf_cuda_paged_mla_decode__f32__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_FP8_DS_MLA),
                 kvf_cuda_paged_mla_decode__f32__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F32, KVF_NVFP4_DS_MLA),
                 kvf_cuda_paged_mla_decode__f32__nvfp4_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_F16),
                 kvf_cuda_paged_mla_decode__f16__f16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E4M3),
                 kvf_cuda_paged_mla_decode__f16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_E5M2),
                 kvf_cuda_paged_mla_decode__f16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_FP8_DS_MLA),
                 kvf_cuda_paged_mla_decode__f16__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_F16, KVF_NVFP4_DS_MLA),
                 kvf_cuda_paged_mla_decode__f16__nvfp4_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_BF16),
                 kvf_cuda_paged_mla_decode__bf16__bf16, 8, 2, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E4M3),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e4m3, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_E5M2),
                 kvf_cuda_paged_mla_decode__bf16__fp8_e5m2, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_FP8_DS_MLA),
                 kvf_cuda_paged_mla_decode__bf16__fp8_ds_mla, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_paged_mla_decode, KVF_AXES(KVF_BF16, KVF_NVFP4_DS_MLA),
                 kvf_cuda_paged_mla_decode__bf16__nvfp4_ds_mla, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 7. */
static const int16_t scalar_offsets[] = {0, 7, 14};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_F32 -> position * 1. */
static const int16_t cache_offsets[] = {0, 1, 2, 3, 4, -1, -1, -1, -1, 5, 6};
static const int64_t cache_values[] = {KVF_F32,      KVF_F16,        KVF_BF16,        KVF_FP8_E4M3,
                                       KVF_FP8_E5M2, KVF_FP8_DS_MLA, KVF_NVFP4_DS_MLA};

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
};

/* [backend][scalar][cache] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0,  -1, -1, 1,  2,  3,  4,  /* cpu f32 */
    -1, 5,  -1, 6,  7,  8,  9,  /* cpu f16 */
    -1, -1, 10, 11, 12, 13, 14, /* cpu bf16 */
    15, -1, -1, 16, 17, 18, 19, /* cuda f32 */
    -1, 20, -1, 21, 22, 23, 24, /* cuda f16 */
    -1, -1, 25, 26, 27, 28, 29, /* cuda bf16 */
};

static const kvf_exclusion exclusions[] = {
    {{KVF_AXES(KVF_F32, KVF_F16)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F32, KVF_BF16)},
     "a cache next to f32 tensors holds f32 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_F32)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_F16, KVF_BF16)},
     "a cache next to f16 tensors holds f16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F32)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
    {{KVF_AXES(KVF_BF16, KVF_F16)},
     "a cache next to bf16 tensors holds bf16 itself or fp8, fp8_ds_mla or nvfp4_ds_mla"},
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
           "A row of a tile is one head of one token. A tile is up to 8 rows, and on the\n"
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
    .num_variants = 30,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 21,
    .exclusions = exclusions,
    .num_exclusions = 6,
    .call = call,
};
