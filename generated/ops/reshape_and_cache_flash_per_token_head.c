/*
 * Generated from templates/table/op.c.j2 and
 * generator/spec/reshape_and_cache_flash_per_token_head.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/ops/reshape_and_cache_flash_per_token_head.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_per_token_head__f32__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_per_token_head__f32__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_per_token_head__f32__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(
    kvf_cpu_reshape_and_cache_flash_per_token_head__f32__int8_per_token_head_even);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_per_token_head__f16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_per_token_head__f16__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(
    kvf_cpu_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head_even);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_per_token_head__bf16__int8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_per_token_head__bf16__fp8_per_token_head);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_per_token_head__bf16__int4_per_token_head);
KVF_DECLARE_CPU_VARIANT(
    kvf_cpu_reshape_and_cache_flash_per_token_head__bf16__int8_per_token_head_even);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_per_token_head__f32__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_per_token_head__f32__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_per_token_head__f32__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(
    kvf_cuda_reshape_and_cache_flash_per_token_head__f32__int8_per_token_head_even);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_per_token_head__f16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_per_token_head__f16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(
    kvf_cuda_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head_even);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__int8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__fp8_per_token_head);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__int4_per_token_head);
KVF_DECLARE_CUDA_IMAGE(
    kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__int8_per_token_head_even);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_reshape_and_cache_flash_per_token_head__f32__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_reshape_and_cache_flash_per_token_head__f32__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_reshape_and_cache_flash_per_token_head__f32__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                kvf_cpu_reshape_and_cache_flash_per_token_head__f32__int8_per_token_head_even),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_reshape_and_cache_flash_per_token_head__f16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_reshape_and_cache_flash_per_token_head__f16__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                kvf_cpu_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head_even),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD),
                kvf_cpu_reshape_and_cache_flash_per_token_head__bf16__int8_per_token_head),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD),
                kvf_cpu_reshape_and_cache_flash_per_token_head__bf16__fp8_per_token_head),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD),
                kvf_cpu_reshape_and_cache_flash_per_token_head__bf16__int4_per_token_head),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                kvf_cpu_reshape_and_cache_flash_per_token_head__bf16__int8_per_token_head_even),
    KVF_CUDA_ROW(
        kvf_op_reshape_and_cache_flash_per_token_head, KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD),
        kvf_cuda_reshape_and_cache_flash_per_token_head__f32__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(
        kvf_op_reshape_and_cache_flash_per_token_head, KVF_AXES(KVF_F32, KVF_FP8_PER_TOKEN_HEAD),
        kvf_cuda_reshape_and_cache_flash_per_token_head__f32__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(
        kvf_op_reshape_and_cache_flash_per_token_head, KVF_AXES(KVF_F32, KVF_INT4_PER_TOKEN_HEAD),
        kvf_cuda_reshape_and_cache_flash_per_token_head__f32__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                 KVF_AXES(KVF_F32, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                 kvf_cuda_reshape_and_cache_flash_per_token_head__f32__int8_per_token_head_even, 16,
                 4, 1),
    KVF_CUDA_ROW(
        kvf_op_reshape_and_cache_flash_per_token_head, KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD),
        kvf_cuda_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(
        kvf_op_reshape_and_cache_flash_per_token_head, KVF_AXES(KVF_F16, KVF_FP8_PER_TOKEN_HEAD),
        kvf_cuda_reshape_and_cache_flash_per_token_head__f16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(
        kvf_op_reshape_and_cache_flash_per_token_head, KVF_AXES(KVF_F16, KVF_INT4_PER_TOKEN_HEAD),
        kvf_cuda_reshape_and_cache_flash_per_token_head__f16__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                 KVF_AXES(KVF_F16, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                 kvf_cuda_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head_even, 16,
                 4, 1),
    KVF_CUDA_ROW(
        kvf_op_reshape_and_cache_flash_per_token_head, KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD),
        kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__int8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(
        kvf_op_reshape_and_cache_flash_per_token_head, KVF_AXES(KVF_BF16, KVF_FP8_PER_TOKEN_HEAD),
        kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__fp8_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(
        kvf_op_reshape_and_cache_flash_per_token_head, KVF_AXES(KVF_BF16, KVF_INT4_PER_TOKEN_HEAD),
        kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__int4_per_token_head, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_per_token_head,
                 KVF_AXES(KVF_BF16, KVF_INT8_PER_TOKEN_HEAD_EVEN),
                 kvf_cuda_reshape_and_cache_flash_per_token_head__bf16__int8_per_token_head_even,
                 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 4. */
static const int16_t scalar_offsets[] = {0, 4, 8};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_INT8_PER_TOKEN_HEAD -> position * 1. */
static const int16_t cache_offsets[] = {0, 1, -1, -1, 2, -1, -1, 3};
static const int64_t cache_values[] = {KVF_INT8_PER_TOKEN_HEAD, KVF_FP8_PER_TOKEN_HEAD,
                                       KVF_INT4_PER_TOKEN_HEAD, KVF_INT8_PER_TOKEN_HEAD_EVEN};

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
    {.first = KVF_INT8_PER_TOKEN_HEAD,
     .span = 8,
     .offsets = cache_offsets,
     .below = -1,
     .above = -1,
     .name = "cache",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the cache dtype",
     .values = cache_values,
     .num_values = 4},
};

/* [backend][scalar][cache] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0,  1,  2,  3,  /* cpu f32 */
    4,  5,  6,  7,  /* cpu f16 */
    8,  9,  10, 11, /* cpu bf16 */
    12, 13, 14, 15, /* cuda f32 */
    16, 17, 18, 19, /* cuda f16 */
    20, 21, 22, 23, /* cuda bf16 */
};

static const kvf_argument arguments[] = {
    {.name = "key",
     .type = "Tensor",
     .doc = "[num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "value",
     .type = "Tensor",
     .doc = "[num_rows >= num_tokens, num_heads, value_head_size], as key otherwise",
     .kind = KVF_KIND_TENSOR},
    {.name = "key_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, num_heads, head_size], int8 (or uint8) for int8, float8 (or "
            "uint8) for fp8, any strides; for int4_per_token_head [num_blocks, block_size, "
            "num_heads, head_size / 2], uint8, any strides but 1 in the last dimension",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "value_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, num_heads, value_head_size], else as key_cache",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "k_scale_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, num_heads], f32, any strides",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "v_scale_cache",
     .type = "Tensor!",
     .doc = "as k_scale_cache, with strides of its own",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'int8_per_token_head', 'int8_per_token_head_even', 'fp8_per_token_head' or "
            "'int4_per_token_head'",
     .kind = KVF_KIND_STRING},
    {.name = "slot_remap",
     .type = "Tensor?",
     .doc = "[size], int64 or int32, any stride; a slot s of slot_mapping is one of another pool, "
            "of `size` slots, and the page slot is slot_remap[s], a negative one of which writes "
            "nothing either; one from `size` on is out of range; None: slots are page slots",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_reshape_and_cache_flash_per_token_head(
      exec, values[0].as.tensor, values[1].as.tensor, (DLTensor *)values[2].as.tensor,
      (DLTensor *)values[3].as.tensor, (DLTensor *)values[4].as.tensor,
      (DLTensor *)values[5].as.tensor, values[6].as.tensor, values[7].as.string,
      values[8].as.tensor);
}

/* Measured by `ninja tune`: threads, heads, blocks by arch and num_tokens. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 16, {128, 4, 1024}},
    {90, 256, {256, 4, 1024}},
    {90, 4096, {128, 4, 1024}},
    {90, INT64_MAX, {64, 4, 1024}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 3,
    .names = {"threads", "heads", "blocks"},
    .defaults = {256, 4, 1024},
    .rows = cuda_rows,
    .num_rows = 4,
};

const kvf_op kvf_op_reshape_and_cache_flash_per_token_head = {
    .name = "reshape_and_cache_flash_per_token_head",
    .ns = "_C_cache_ops",
    .schema = "reshape_and_cache_flash_per_token_head(Tensor key, Tensor value, Tensor! key_cache, "
              "Tensor! value_cache, Tensor! k_scale_cache, Tensor! v_scale_cache, Tensor "
              "slot_mapping, str kv_cache_dtype, Tensor? slot_remap=None) -> ()",
    .doc =
        "scatters keys and values, quantised with a scale for each head of each token.\n"
        "\n"
        "With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, for keys\n"
        "  k_scale_cache[block, offset, h] = S = max(amax / QMAX, 1e-6), amax = max_d |key[t, h, "
        "d]|\n"
        "  key_cache[block, offset, h, d]  = Q(key[t, h, d] * (1 / S))\n"
        "and the same for values; the size of a value's head may differ from that of a key's. A "
        "reader\n"
        "multiplies: key = code * S. QMAX is 127 for int8 and 448 for fp8. Q saturates and rounds "
        "to nearest,\n"
        "halves to even in fp8_per_token_head and int8_per_token_head_even; in int8_per_token_head "
        "away from 0,\n"
        "by adding one half in f32 and truncating, so that the largest float below one half "
        "becomes 1. Readers\n"
        "take both for int8_per_token_head. All arithmetic is f32, division and reciprocal are "
        "IEEE, so\n"
        "scales and codes have the same bits on every backend. Tokens with a negative slot are "
        "skipped. The\n"
        "number of tokens is the length of slot_mapping; key and value may have more rows (graph "
        "padding),\n"
        "which are not read. Zero tokens are a successful no-op. Two tokens with one slot race.\n"
        "\n"
        "NaNs do not count for amax; their code is 0x7F (NaN) in fp8 and 0 in int8. An infinite "
        "element\n"
        "makes its scale infinite, and finite elements beside it become 0.\n"
        "\n"
        "int4_per_token_head rotates the head first, which spreads what is large in one element:\n"
        "  y = rn(H (sign * key[t, h])), rounded to the dtype of key\n"
        "with H the Walsh-Hadamard matrix in natural order, not normalised, for each block of b "
        "elements, b\n"
        "the largest power of two that divides the head's size, and b fixed signs "
        "(kvforge/cache/rotation.h).\n"
        "Its sums are f32, at distance 1 first, then 2, 4, ...: (a + b, a - b). With lo = min(0, "
        "min y) and\n"
        "hi = max(0, max y)\n"
        "  S = max((hi - lo) / 15, 1e-6), zero = C(-lo / S), code = C(y * (1 / S) + zero)\n"
        "where C rounds to the nearest of 0 to 15, halves up. Byte i of a head is code[2 i] | "
        "code[2 i + 1]\n"
        "<< 4. The word in k_scale_cache is S, whose last four bits are replaced by zero. A reader "
        "takes\n"
        "  y = (code - zero) * (the word without these bits), key = sign * (H y) / b\n"
        "so that the attention over a cache may rotate the query in its place. A NaN in a block "
        "makes all of\n"
        "it NaN, which has no share in lo and hi and is stored as 0; a block with an infinity is "
        "read as NaN.\n"
        "\n"
        "Layout is told by strides, as for reshape_and_cache_flash; the scale caches have any "
        "strides, so a\n"
        "scale may also lie behind its head's codes, as in vLLM's pages of [K codes | K scale | V "
        "codes |\n"
        "V scale] per token and head.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for int4 heads of an odd size, or of one that a power of two "
        "above 512\n"
        "divides; KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything "
        "is\n"
        "written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).\n"
        "Source of the rule: vLLM's Triton writers of the same formats, in 0.33. Older ones store "
        "int8 by\n"
        "truncation towards zero, which biases every element towards zero and doubles the error. "
        "For int4 it\n"
        "takes lo and hi from the elements alone, so that a head of elements far from 0 is lost; "
        "where 0 is\n"
        "between them, as it is after nearly every rotation, the bytes are the same. Its rotation "
        "rounds to bf16\n"
        "on the way.\n"
        "Elsewhere: vLLM triton_reshape_and_cache_flash_per_token_head_quant.",
    .arguments = arguments,
    .num_arguments = 9,
    .variants = variants,
    .num_variants = 24,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 12,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
