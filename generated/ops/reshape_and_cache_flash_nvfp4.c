/*
 * Generated from templates/table/op.c.j2 and generator/spec/reshape_and_cache_flash_nvfp4.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/reshape_and_cache_flash_nvfp4.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_nvfp4__f32__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_nvfp4__f32__nvfp4_4over6);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_nvfp4__f16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_nvfp4__f16__nvfp4_4over6);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_nvfp4__bf16__nvfp4);
KVF_DECLARE_CPU_VARIANT(kvf_cpu_reshape_and_cache_flash_nvfp4__bf16__nvfp4_4over6);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_nvfp4__f32__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_nvfp4__f32__nvfp4_4over6);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_nvfp4__f16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_nvfp4__f16__nvfp4_4over6);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_nvfp4__bf16__nvfp4);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_reshape_and_cache_flash_nvfp4__bf16__nvfp4_4over6);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_F32, KVF_NVFP4),
                kvf_cpu_reshape_and_cache_flash_nvfp4__f32__nvfp4),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_F32, KVF_NVFP4_4OVER6),
                kvf_cpu_reshape_and_cache_flash_nvfp4__f32__nvfp4_4over6),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_F16, KVF_NVFP4),
                kvf_cpu_reshape_and_cache_flash_nvfp4__f16__nvfp4),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_F16, KVF_NVFP4_4OVER6),
                kvf_cpu_reshape_and_cache_flash_nvfp4__f16__nvfp4_4over6),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_BF16, KVF_NVFP4),
                kvf_cpu_reshape_and_cache_flash_nvfp4__bf16__nvfp4),
    KVF_CPU_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_BF16, KVF_NVFP4_4OVER6),
                kvf_cpu_reshape_and_cache_flash_nvfp4__bf16__nvfp4_4over6),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_F32, KVF_NVFP4),
                 kvf_cuda_reshape_and_cache_flash_nvfp4__f32__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_F32, KVF_NVFP4_4OVER6),
                 kvf_cuda_reshape_and_cache_flash_nvfp4__f32__nvfp4_4over6, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_F16, KVF_NVFP4),
                 kvf_cuda_reshape_and_cache_flash_nvfp4__f16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_F16, KVF_NVFP4_4OVER6),
                 kvf_cuda_reshape_and_cache_flash_nvfp4__f16__nvfp4_4over6, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_BF16, KVF_NVFP4),
                 kvf_cuda_reshape_and_cache_flash_nvfp4__bf16__nvfp4, 16, 4, 1),
    KVF_CUDA_ROW(kvf_op_reshape_and_cache_flash_nvfp4, KVF_AXES(KVF_BF16, KVF_NVFP4_4OVER6),
                 kvf_cuda_reshape_and_cache_flash_nvfp4__bf16__nvfp4_4over6, 16, 4, 1),
};

/* the scalar dtype: value - KVF_F32 -> position * 2. */
static const int16_t scalar_offsets[] = {0, 2, 4};
static const int64_t scalar_values[] = {KVF_F32, KVF_F16, KVF_BF16};

/* the cache dtype: value - KVF_NVFP4 -> position * 1. */
static const int16_t cache_offsets[] = {0, -1, -1, -1, -1, -1, -1, -1, 1};
static const int64_t cache_values[] = {KVF_NVFP4, KVF_NVFP4_4OVER6};

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
    {.first = KVF_NVFP4,
     .span = 9,
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
     .doc = "[num_blocks, block_size, num_heads, head_size / 2 + head_size / 16], uint8; the last "
            "three dimensions without gaps, as NHD or HND, any block stride; with block scales "
            "elsewhere [num_blocks, block_size, num_heads, head_size / 2], any strides, that of "
            "the last dimension 1",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "value_cache",
     .type = "Tensor!",
     .doc = "as key_cache of value_head_size, with a block stride and an order of its own",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "slot_mapping",
     .type = "Tensor",
     .doc = "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
     .kind = KVF_KIND_TENSOR},
    {.name = "kv_cache_dtype",
     .type = "str",
     .doc = "'nvfp4' or 'nvfp4_4over6'",
     .kind = KVF_KIND_STRING},
    {.name = "k_scale",
     .type = "Tensor",
     .doc = "f32, one element or [num_heads]; amax / 2688 of the whole tensor uses the range of "
            "both formats, engines take amax / 448 or 1",
     .kind = KVF_KIND_TENSOR},
    {.name = "v_scale", .type = "Tensor", .doc = "as k_scale, for value", .kind = KVF_KIND_TENSOR},
    {.name = "swizzle_v_scales",
     .type = "bool",
     .doc = "whether block scales of values are stored for sm_100",
     .kind = KVF_KIND_BOOL,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_BOOL, .as = {.boolean = true}}},
    {.name = "k_block_scales",
     .type = "Tensor!?",
     .doc = "[num_blocks, block_size, num_heads, head_size / 16], uint8 or float8_e4m3fn, any "
            "strides, that of the last dimension 1; None: behind the codes of a page",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "v_block_scales",
     .type = "Tensor!?",
     .doc = "as k_block_scales, and given if that is",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
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
  return kvf_reshape_and_cache_flash_nvfp4(
      exec, values[0].as.tensor, values[1].as.tensor, (DLTensor *)values[2].as.tensor,
      (DLTensor *)values[3].as.tensor, values[4].as.tensor, values[5].as.string,
      values[6].as.tensor, values[7].as.tensor, values[8].as.boolean,
      (DLTensor *)values[9].as.tensor, (DLTensor *)values[10].as.tensor, values[11].as.tensor);
}

/* Measured by `ninja tune`: threads, groups by arch and num_tokens. */
static const kvf_tuned_row cuda_rows[] = {
    {90, 16, {128, 1}},    {90, 256, {64, 1}},       {90, 2048, {128, 1}},
    {90, 16384, {256, 2}}, {90, INT64_MAX, {64, 4}},
};

static const kvf_tuned cuda_tuned = {
    .num_constants = 2,
    .names = {"threads", "groups"},
    .defaults = {256, 1},
    .rows = cuda_rows,
    .num_rows = 5,
};

const kvf_op kvf_op_reshape_and_cache_flash_nvfp4 = {
    .name = "reshape_and_cache_flash_nvfp4",
    .ns = "_C_cache_ops",
    .schema = "reshape_and_cache_flash_nvfp4(Tensor key, Tensor value, Tensor! key_cache, Tensor! "
              "value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor "
              "v_scale, bool swizzle_v_scales=True, Tensor!? k_block_scales=None, Tensor!? "
              "v_block_scales=None, Tensor? slot_remap=None) -> ()",
    .doc =
        "scatters keys and values into pages of nvfp4: E2M1 codes and E4M3 block scales.\n"
        "\n"
        "With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, and D = "
        "head_size,\n"
        "or value_head_size for values, each side of a page holds the codes of all its tokens and "
        "heads first\n"
        "and their block scales behind:\n"
        "  NHD  codes at (offset * num_heads + h) * D / 2,  scales at the same * 1 / 8, behind the "
        "codes\n"
        "  HND  codes at (h * block_size + offset) * D / 2,  scales likewise\n"
        "Which of the two it is, strides 1 and 2 of the cache tell, whose last dimension counts "
        "bytes only.\n"
        "A packed page [K codes | K scales | V codes | V scales] is two views with the same block "
        "stride.\n"
        "With k_block_scales and v_block_scales, which FlashInfer's pages have, block scales go "
        "there, in the\n"
        "same order of groups, and the caches hold codes alone.\n"
        "\n"
        "For every 16 neighbouring elements v of a head, with g = 1 / k_scale and amax = max |v|:\n"
        "  block scale S = E4M3(g * (amax / 6)), code = E2M1(v * m), m = 1 / (S / g), or 0 if S is "
        "0\n"
        "and the same for values. A reader multiplies: v = code * S * k_scale. Two codes share a "
        "byte, the\n"
        "even element in the low half. Both formats round to nearest even and saturate.\n"
        "\n"
        "With 'nvfp4_4over6' every group is encoded a second time, with amax / 4 in place of amax "
        "/ 6, and\n"
        "what is stored is the one of the two with the smaller sum of (v - code * (S / g))^2, the "
        "first if\n"
        "they are equal. Squares are added in pairs of neighbours, those sums in pairs, and so on. "
        "Readers\n"
        "need not know which it was.\n"
        "\n"
        "All arithmetic is f32 with IEEE quotients, so bytes are the same on every backend; "
        "kernels with the\n"
        "approximate reciprocals of the hardware differ in a code now and then, at ties. NaNs do "
        "not count for\n"
        "amax, their code is 6.\n"
        "\n"
        "swizzle_v_scales stores the block scales of values as the attention kernels for sm_100 "
        "want them:\n"
        "with S = D / 16, the scale of group i of the token at `offset` lies where that of group\n"
        "4 * (i mod (S / 4)) + offset mod 4 of the token at 4 * (offset div 4) + i div (S / 4) "
        "would.\n"
        "Scales of keys are always in order. Readers take the same default; FlashInfer's want none "
        "swizzled.\n"
        "\n"
        "Tokens with a negative slot are skipped. The number of tokens is the length of "
        "slot_mapping; key\n"
        "and value may have more rows (graph padding), which are not read. Zero tokens are a "
        "successful\n"
        "no-op. Two tokens with one slot race.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for heads whose size is no multiple of 16, and with "
        "swizzle_v_scales for\n"
        "heads of value whose size is no multiple of 64 or a block_size that is no multiple of 4;\n"
        "KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is "
        "written; CUDA:\n"
        "that token is skipped and counted, see kvf_cuda_fault_count).\n"
        "Source of the rule: vLLM's reshape_and_cache_flash with an nvfp4 cache, on any "
        "architecture, and\n"
        "with the layout taken from strides that are checked.\n"
        "Elsewhere: vLLM reshape_and_cache_flash; FlashInfer "
        "nvfp4_quantize_append_paged_kv_cache_with_slot_mapping.",
    .arguments = arguments,
    .num_arguments = 12,
    .variants = variants,
    .num_variants = 12,
    .axes = axes,
    .num_axes = 2,
    .cells = cells,
    .num_cells = 6,
    .call = call,
    .tuned = {[KVF_CUDA] = &cuda_tuned},
};
