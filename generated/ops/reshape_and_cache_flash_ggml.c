/*
 * Generated from templates/table/op.c.j2 and generator/spec/reshape_and_cache_flash_ggml.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/reshape_and_cache_flash_ggml.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_ggml__f32__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_ggml__f32__q4_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_ggml__f16__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_ggml__f16__q4_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_ggml__bf16__q8_0);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_ggml__bf16__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_ggml__f32__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_ggml__f32__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_ggml__f16__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_ggml__f16__q4_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_ggml__bf16__q8_0);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_ggml__bf16__q4_0);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_F32, KVF_Q8_0),
                kvf_cpu_reshape_and_cache_flash_ggml__f32__q8_0),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_F32, KVF_Q4_0),
                kvf_cpu_reshape_and_cache_flash_ggml__f32__q4_0),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_F16, KVF_Q8_0),
                kvf_cpu_reshape_and_cache_flash_ggml__f16__q8_0),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_F16, KVF_Q4_0),
                kvf_cpu_reshape_and_cache_flash_ggml__f16__q4_0),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_BF16, KVF_Q8_0),
                kvf_cpu_reshape_and_cache_flash_ggml__bf16__q8_0),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_BF16, KVF_Q4_0),
                kvf_cpu_reshape_and_cache_flash_ggml__bf16__q4_0),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_F32, KVF_Q8_0),
                 kvf_cuda_reshape_and_cache_flash_ggml__f32__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_F32, KVF_Q4_0),
                 kvf_cuda_reshape_and_cache_flash_ggml__f32__q4_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_F16, KVF_Q8_0),
                 kvf_cuda_reshape_and_cache_flash_ggml__f16__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_F16, KVF_Q4_0),
                 kvf_cuda_reshape_and_cache_flash_ggml__f16__q4_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_BF16, KVF_Q8_0),
                 kvf_cuda_reshape_and_cache_flash_ggml__bf16__q8_0, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_ggml, KVF_AXES(KVF_BF16, KVF_Q4_0),
                 kvf_cuda_reshape_and_cache_flash_ggml__bf16__q4_0, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 2. */
static const int16_t scalar_offsets[] = {0, 2, 4};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_Q8_0 -> position * 1. */
static const int16_t cache_offsets[] = {0, 1};
static const int64_t cache_values[] = {KVF_Q8_0, KVF_Q4_0};

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
    {.first = KVF_Q8_0,
     .span = 2,
     .offsets = cache_offsets,
     .below = -1,
     .above = -1,
     .name = "cache",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the cache dtype",
     .values = cache_values,
     .num_values = 2},
};

/* [backend][scalar][cache] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0,  1,  /* cpu f32 */
    2,  3,  /* cpu f16 */
    4,  5,  /* cpu bf16 */
    6,  7,  /* cuda f32 */
    8,  9,  /* cuda f16 */
    10, 11, /* cuda bf16 */
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
     .doc = "[num_blocks, block_size, num_heads, head_size / 32 * 34] for q8_0, * 18 for q4_0, "
            "uint8, any strides but 1 in the last dimension",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "value_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, num_heads, value_head_size / 32 * 34] for q8_0, * 18 for "
            "q4_0, uint8, any strides but 1 in the last dimension",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache_dtype", .type = "str", .doc = "'q8_0' or 'q4_0'", .kind = KVF_KIND_STRING},
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
  return kvf_reshape_and_cache_flash_ggml(exec, values[0].as.tensor, values[1].as.tensor,
                                          (DLTensor *)values[2].as.tensor,
                                          (DLTensor *)values[3].as.tensor, values[4].as.tensor,
                                          values[5].as.string, values[6].as.tensor);
}

static const kvf_tuned cuda_tuned = {
    .num_constants = 1,
    .names = {"threads"},
    .defaults = {256},
};

const kvf_op kvf_op_reshape_and_cache_flash_ggml = {
    .name = "reshape_and_cache_flash_ggml",
    .ns = "_C_cache_ops",
    .schema =
        "reshape_and_cache_flash_ggml(Tensor key, Tensor value, Tensor! key_cache, Tensor! "
        "value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor? slot_remap=None) -> ()",
    .doc =
        "scatters keys and values into pages of ggml's q8_0 or q4_0 rows.\n"
        "\n"
        "With s = slot_mapping[t], block = s div block_size, offset = s mod block_size,\n"
        "  key_cache[block, offset, h, :] = row(key[t, h, :])\n"
        "and the same for values. A row has a block for every 32 elements: a scale d of f16, and "
        "codes. With\n"
        "amax = max |v| and m the first v of that magnitude, all arithmetic f32, id = 1 / df, or 0 "
        "if df is 0:\n"
        "  q8_0  df = amax / 127, code = v * id rounded, halves away from 0; 32 bytes of codes\n"
        "  q4_0  df = m / -8, code = min(15, floor(v * id + 8.5)); byte i is code[i] | code[i + "
        "16] << 4\n"
        "Codes are made with df, d is df rounded to f16, infinite where f16 has no such number. A "
        "reader takes\n"
        "code * d, or (code - 8) * d. NaNs do not count for amax and m; their code is that of 0.\n"
        "\n"
        "Where the heads of a token lie one behind another, a token is a row of ggml's K cache, "
        "and of its V\n"
        "cache with flash attention. Tokens with a negative slot are skipped. The number of tokens "
        "is the length\n"
        "of slot_mapping; key and value may have more rows (graph padding), which are not read. "
        "Zero tokens are a\n"
        "successful no-op. Two tokens with one slot race.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for a head size that is no multiple of 32; KVF_OUT_OF_RANGE for "
        "a slot beyond\n"
        "num_blocks * block_size (CPU: before anything is written; CUDA: that token is skipped and "
        "counted, see\n"
        "kvf_cuda_fault_count).\n"
        "Source of the rule: quantize_row_q8_0_ref and quantize_row_q4_0_ref of llama.cpp. Its "
        "vector code rounds\n"
        "halves of q8_0 to even.\n"
        "Elsewhere: llama.cpp quantize_row_q8_0 and quantize_row_q4_0.",
    .arguments = arguments,
    .num_arguments = 7,
    .variants = variants,
    .num_variants = 12,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 6,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
