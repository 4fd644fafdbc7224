"""reshape_and_cache_flash_nvfp4: reshape_and_cache_flash for pages of E2M1 with block scales."""

from dataclasses import replace

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.formats import NVFP4, NVFP4_4OVER6
from generator.spec.shared.writer import ARGUMENTS, CUDA_TUNED, SLOT_REMAP

PAGES = (
    "[num_blocks, block_size, num_heads, head_size / 2 + head_size / 16], uint8; the last three "
    "dimensions without gaps, as NHD or HND, any block stride; with block scales elsewhere "
    "[num_blocks, block_size, num_heads, head_size / 2], any strides, that of the last dimension 1"
)

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "reshape_and_cache_flash_nvfp4(Tensor key, Tensor value, Tensor! key_cache, "
        "Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, "
        "Tensor v_scale, bool swizzle_v_scales=True, Tensor!? k_block_scales=None, "
        "Tensor!? v_block_scales=None, Tensor? slot_remap=None) -> ()"
    ),
    summary="scatters keys and values into pages of nvfp4: E2M1 codes and E4M3 block scales.",
    doc="""\
With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, and D = head_size,
or value_head_size for values, each side of a page holds the codes of all its tokens and heads first
and their block scales behind:
  NHD  codes at (offset * num_heads + h) * D / 2,  scales at the same * 1 / 8, behind the codes
  HND  codes at (h * block_size + offset) * D / 2,  scales likewise
Which of the two it is, strides 1 and 2 of the cache tell, whose last dimension counts bytes only.
A packed page [K codes | K scales | V codes | V scales] is two views with the same block stride.
With k_block_scales and v_block_scales, which FlashInfer's pages have, block scales go there, in the
same order of groups, and the caches hold codes alone.

For every 16 neighbouring elements v of a head, with g = 1 / k_scale and amax = max |v|:
  block scale S = E4M3(g * (amax / 6)), code = E2M1(v * m), m = 1 / (S / g), or 0 if S is 0
and the same for values. A reader multiplies: v = code * S * k_scale. Two codes share a byte, the
even element in the low half. Both formats round to nearest even and saturate.

With 'nvfp4_4over6' every group is encoded a second time, with amax / 4 in place of amax / 6, and
what is stored is the one of the two with the smaller sum of (v - code * (S / g))^2, the first if
they are equal. Squares are added in pairs of neighbours, those sums in pairs, and so on. Readers
need not know which it was.

All arithmetic is f32 with IEEE quotients, so bytes are the same on every backend; kernels with the
approximate reciprocals of the hardware differ in a code now and then, at ties. NaNs do not count for
amax, their code is 6.

swizzle_v_scales stores the block scales of values as the attention kernels for sm_100 want them:
with S = D / 16, the scale of group i of the token at `offset` lies where that of group
4 * (i mod (S / 4)) + offset mod 4 of the token at 4 * (offset div 4) + i div (S / 4) would.
Scales of keys are always in order. Readers take the same default; FlashInfer's want none swizzled.

Tokens with a negative slot are skipped. The number of tokens is the length of slot_mapping; key
and value may have more rows (graph padding), which are not read. Zero tokens are a successful
no-op. Two tokens with one slot race.

Errors: KVF_INVALID_VALUE for heads whose size is no multiple of 16, and with swizzle_v_scales for
heads of value whose size is no multiple of 64 or a block_size that is no multiple of 4;
KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is written; CUDA:
that token is skipped and counted, see kvf_cuda_fault_count).
Source of the rule: vLLM's reshape_and_cache_flash with an nvfp4 cache, on any architecture, and
with the layout taken from strides that are checked.""",
    arguments={
        **ARGUMENTS,
        "key": "[num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides",
        "value": "[num_rows >= num_tokens, num_heads, value_head_size], as key otherwise",
        "key_cache": PAGES,
        "value_cache": "as key_cache of value_head_size, with a block stride and an order of its own",
        "kv_cache_dtype": "'nvfp4' or 'nvfp4_4over6'",
        "k_scale": (
            "f32, one element or [num_heads]; amax / 2688 of the whole tensor uses the range of "
            "both formats, engines take amax / 448 or 1"
        ),
        "v_scale": "as k_scale, for value",
        "swizzle_v_scales": "whether block scales of values are stored for sm_100",
        "k_block_scales": (
            "[num_blocks, block_size, num_heads, head_size / 16], uint8 or float8_e4m3fn, any strides, "
            "that of the last dimension 1; None: behind the codes of a page"
        ),
        "v_block_scales": "as k_block_scales, and given if that is",
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={
        "vLLM": "reshape_and_cache_flash",
        "FlashInfer": "nvfp4_quantize_append_paged_kv_cache_with_slot_mapping",
    },
    params=(
        Field("kvf_view", "key", "stride[0..2]: token, head, element"),
        Field("kvf_view", "value", "as key"),
        Field(
            "kvf_view",
            "key_cache",
            "bytes of codes; stride[0..2]: page, token, head",
        ),
        Field("kvf_view", "value_cache", "as key_cache"),
        Field("kvf_view", "k_block_scales", "bytes; stride[0..2]: page, token, head"),
        Field("kvf_view", "v_block_scales", "as k_block_scales"),
        Field("kvf_view", "k_scale", "f32; stride[0]: head, 0 for one scale"),
        Field("kvf_view", "v_scale", "as k_scale"),
        Field("kvf_slots", "slots", "tokens, pages and where each token goes"),
        Field("int32_t", "num_heads", "KV heads"),
        Field("int32_t", "head_size", "elements of a head of key, a multiple of 16"),
        Field("int32_t", "value_head_size", "elements of a head of value, a multiple of 16"),
        Field("int32_t", "swizzle_v_scales", "1 or 0"),
        Field(
            "int32_t",
            "value_groups",
            "CPU: block scales of a head of value, however heads are joined",
            True,
        ),
        Field("int32_t", "vector_elements", "CUDA: 16 where groups are moved in whole, or 1", True),
    ),
    axes=(dtypes("scalar", "f32", "f16", "bf16"), dtypes("cache", NVFP4, NVFP4_4OVER6)),
    # The threads of a block, and the groups that each of them has.
    tuned=(
        replace(
            CUDA_TUNED,
            constants={**CUDA_TUNED.constants, "groups": (1, 2, 4)},
            classes=(16, 256, 2048, 16384),
        ),
    ),
)
