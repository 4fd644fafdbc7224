"""rope_and_cache_flash: [norm +] rotary embedding of queries and keys, and the write to K/V pages."""

from generator.axes import dtypes
from generator.dtypes import DType
from generator.model import Field, Op
from generator.spec.shared.formats import (
    FP8_PER_TOKEN_HEAD,
    INT4_PER_TOKEN_HEAD,
    INT8_PER_TOKEN_HEAD,
    INT8_PER_TOKEN_HEAD_EVEN,
    NVFP4,
    NVFP4_4OVER6,
)
from generator.spec.shared.writer import ARGUMENTS, PARAMS, SLOT_REMAP, same_fp8_or_int8
from generator.tuned import Tuned


def excluded(scalar: DType, cache: DType) -> str | None:
    """The cache holds the scalar dtype itself, fp8 or int8 codes, or a format of any scalar dtype."""
    reason = None if cache.kind == "format" else same_fp8_or_int8(scalar, cache)
    return f"{reason}, or has scales of its own" if reason else None


OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "rope_and_cache_flash(Tensor! query, Tensor! key, Tensor value, Tensor! key_cache, "
        "Tensor! value_cache, Tensor positions, Tensor? cos_sin_cache, Tensor slot_mapping, "
        "str kv_cache_dtype, Tensor k_scale, Tensor v_scale, bool is_neox=True, "
        "Tensor? q_weight=None, Tensor? k_weight=None, float eps=1e-6, float weight_bias=0.0, "
        "str norm='auto', str rounding='unfused', Tensor!? q_out=None, Tensor? q_scale=None, "
        "Tensor!? k_out=None, Tensor!? k_scale_cache=None, Tensor!? v_scale_cache=None, "
        "Tensor? slot_remap=None) -> ()"
    ),
    summary="norms and rotates queries and keys and writes keys and values to pages, in one pass.",
    doc="""\
With D = head_size, R = rotary_dim, cos = cos_sin_cache[positions[t], i] and
sin = cos_sin_cache[positions[t], R / 2 + i] for i in [0, R / 2), a head of query or key becomes:
  n[d] = (x[d] * r) * (weight[d] + weight_bias), r = 1 / sqrt(sum of x^2 / D + eps)
  (a, b) are elements i and R / 2 + i of n if is_neox, else 2 i and 2 i + 1, and become
  a' = a * cos - b * sin
  b' = b * cos + a * sin
Elements from R on keep n. Without a norm n is x; without cos_sin_cache, or with R = 0, nothing is
rotated and positions are not looked at. Any D and any even R up to D.

All arithmetic is f32, every operation rounded by itself, none fused, the squares added in the order of
kvforge/cache/norm.h, so that the CPU and CUDA give the same bits. rounding says where a value is
rounded to the dtype of query besides:
  'unfused'  n, and the result: as three ops for norm, rotation and write leave it
  'once'     the result
  'none'     nothing: codes are made of f32, all else is rounded as it is stored
A NaN of a query or key is 0x7FFF, or 0x7FFFFFFF in f32.

All rows of query and key are treated so, whatever their slots are, and are stored in place, or to q_out
and k_out where these are given; with an empty k_out keys go nowhere but to the cache. In a q_out of fp8
codes are Q(query, q_scale), q_scale of the head. Then, for the tokens of slot_mapping, with
s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
  key_cache[block, offset, h, d]   = Q(key as above, k_scale[h])
  value_cache[block, offset, h, d] = Q(value[t, h, d], v_scale[h])
Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by the scale
in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens with a
negative slot, and those behind the end of slot_mapping, are not written. Zero tokens are a successful
no-op. Two tokens with one slot race.

kv_cache_dtype 'nvfp4' or 'nvfp4_4over6' is as for reshape_and_cache_flash: pages are those of
reshape_and_cache_flash_nvfp4 with swizzle_v_scales, of value_head_size for values; R is then a
multiple of 32, and a group of 16 elements is encoded from the values that Q would be given.
kv_cache_dtype 'int8_per_token_head', 'int8_per_token_head_even' or 'fp8_per_token_head' is as for
reshape_and_cache_flash_per_token_head: the scale of a head, made of the values that Q would be given,
goes to k_scale_cache or v_scale_cache, and heads are not empty. 'int4_per_token_head' is so, too: what
Q would be given is rotated by H as that op does it, and then rounded to the dtype of query, but for
keys with rounding 'none', whose codes are made of f32; sizes are even, and byte i of a head of the
cache is of elements 2 i and 2 i + 1.

Layout is told by strides, and K and V have their own: NHD is a contiguous cache, HND one
that is permuted from [num_blocks, num_heads, block_size, head_size]; packed K/V, values of another
size than keys in one tensor, and padded pages work. query, key and value may be slices of one qkv.

Errors: KVF_OUT_OF_RANGE for a position that is no row of cos_sin_cache, whatever its token's slot,
and for a slot beyond num_blocks * block_size (CPU: before anything is written; CUDA: counted, see
kvf_cuda_fault_count: a token with such a position is left alone, one with such a slot is not written
to the cache).
Source of the rule: vLLM's fused_qknorm_rope_cache ('unfused'), fused_muse_spark_qknorm_rope_kv_insert
('once') and fused_minimax_m3_qknorm_rope_kv_insert ('none'), SGLang's fused rope and store, and
FlashInfer's rope_quantize_fp8_append_paged_kv_cache, with scales, bounds, and strides of its own for
every tensor where these have none.""",
    arguments={
        "query": "[num_tokens, num_q_heads, head_size], f32, f16 or bf16, any strides",
        "key": "[num_tokens, num_heads, head_size], the dtype of query, any strides",
        "value": "[num_tokens, num_heads, value_head_size], the dtype of query, any strides",
        "key_cache": (
            "[num_blocks, block_size, num_heads, head_size], the cache dtype (uint8 or float8 for "
            "fp8, int8 or uint8 for int8), any strides; of nvfp4 [num_blocks, block_size, num_heads, "
            "head_size / 2 + head_size / 16] uint8, the last three without gaps, as NHD or HND; of "
            "int4_per_token_head [num_blocks, block_size, num_heads, head_size / 2] uint8, any strides "
            "but 1 in the last dimension"
        ),
        "value_cache": "[num_blocks, block_size, num_heads, value_head_size], else as key_cache",
        "positions": "[num_tokens], int64 or int32, any stride",
        "cos_sin_cache": (
            "[num_positions, rotary_dim], f32 or the dtype of query, any strides; a row is the "
            "cosines of all pairs and behind them the sines; None: nothing is rotated"
        ),
        "slot_mapping": (
            "[at most num_tokens], int64 or int32, any stride; a negative slot writes nothing"
        ),
        "kv_cache_dtype": ARGUMENTS["kv_cache_dtype"].replace("key", "query").replace(" or", ",")
        + ", 'nvfp4', 'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even', "
        "'fp8_per_token_head' or 'int4_per_token_head'",
        "k_scale": (
            "f32, one element or [num_heads]; the cache holds key / k_scale; not read when the "
            "cache holds the scalar dtype, or a scale per token and head"
        ),
        "v_scale": "as k_scale, for value",
        "is_neox": "pairs are halves of rotary_dim (GPT-NeoX), else neighbours (GPT-J)",
        "q_weight": "[head_size], f32 or the dtype of query, any stride; None: as ones",
        "k_weight": "as q_weight, for key",
        "eps": "added to the mean of the squares; finite, 0 or more",
        "weight_bias": "added to every weight, 1 for Gemma; finite",
        "norm": "'auto': query is normed if there is a q_weight, key if a k_weight; 'on': both are",
        "rounding": "'unfused', 'once' or 'none'",
        "q_out": (
            "as query, or fp8 codes (float8_e4m3fn, float8_e5m2; uint8 is the former), with strides "
            "of its own: query stays as it is; None: in place"
        ),
        "q_scale": (
            "f32, one element or [num_q_heads]; q_out holds query / q_scale; not read unless q_out "
            "is fp8; None: 1"
        ),
        "k_out": (
            "as key, with strides of its own: key stays as it is; without elements: keys go to the "
            "cache alone; None: in place"
        ),
        "k_scale_cache": (
            "[num_blocks, block_size, num_heads], f32, any strides: scales per token and head, of "
            "int4_per_token_head its words; None for other formats"
        ),
        "v_scale_cache": "as k_scale_cache, for values",
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={
        "vLLM": "fused_qknorm_rope_cache",
        "SGLang": "apply_rope_inplace_with_kvcache",
        "FlashInfer": "rope_quantize_fp8_append_paged_kv_cache",
    },
    params=(
        *PARAMS,
        Field("int32_t", "value_head_size", "elements of a head of value"),
        Field("int32_t", "num_q_heads", "query heads"),
        Field("int64_t", "num_tokens", "rows of query and key, from slots.num_tokens on"),
        Field("kvf_view", "query", "stride[0..2]: token, head, element"),
        Field("kvf_view", "q_out", "as query; query itself: in place"),
        Field("kvf_view", "k_out", "as key; key itself: in place; data may be NULL: nowhere"),
        Field(
            "kvf_view", "q_scale", "f32; stride[0]: head, 0 for one scale; data may be NULL for 1"
        ),
        Field("kvf_view", "positions", "int64 or int32; stride[0]: token"),
        Field("kvf_view", "cos_sin_cache", "stride[0..1]: position, element"),
        Field("kvf_view", "q_weight", "stride[0]: element; data may be NULL for ones"),
        Field("kvf_view", "k_weight", "as q_weight"),
        Field("int64_t", "num_positions", "rows of cos_sin_cache"),
        Field("int32_t", "rotary_dim", "elements of a head that are rotated; 0: none"),
        Field("int32_t", "position_bytes", "of one element of positions: 8 or 4"),
        Field("int32_t", "angle_bytes", "of one element of cos_sin_cache: 4 or the scalar dtype's"),
        Field("int32_t", "q_weight_bytes", "of one element of q_weight, as angle_bytes"),
        Field("int32_t", "k_weight_bytes", "of one element of k_weight, as angle_bytes"),
        Field("int32_t", "norms_q", "whether query is normed"),
        Field("int32_t", "norms_k", "whether key is normed"),
        Field("float", "eps", "of both norms"),
        Field("float", "weight_bias", "of both norms"),
        Field("int32_t", "is_neox", "whether pairs are halves of rotary_dim, else neighbours"),
        Field("int32_t", "rounding", "KVF_ROUND_UNFUSED, KVF_ROUND_ONCE or KVF_ROUND_NONE"),
        Field("int32_t", "q_becomes", "KVF_QUERY_SCALAR, KVF_QUERY_FP8_E4M3, KVF_QUERY_FP8_E5M2"),
        Field(
            "int32_t", "swizzle_v_scales", "nvfp4: 1 for block scales of values as sm_100 has them"
        ),
        Field(
            "kvf_view", "k_scale_cache", "per token and head: f32; stride[0..2]: page, token, head"
        ),
        Field("kvf_view", "v_scale_cache", "as k_scale_cache"),
        Field("kvf_view", "k_block_scales", "nvfp4: bytes; stride[0..2]: page, token, head", True),
        Field("kvf_view", "v_block_scales", "as k_block_scales", True),
        Field("int32_t", "wide", "CUDA: whether threads move 8 elements at a time", True),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes(
            "cache",
            "f32",
            "f16",
            "bf16",
            "fp8_e4m3",
            "fp8_e5m2",
            "int8",
            NVFP4,
            NVFP4_4OVER6,
            INT8_PER_TOKEN_HEAD,
            INT8_PER_TOKEN_HEAD_EVEN,
            FP8_PER_TOKEN_HEAD,
            INT4_PER_TOKEN_HEAD,
        ),
    ),
    excluded=excluded,
    # The threads of a block, and how many blocks there are before threads get several rows each.
    tuned=(
        Tuned(
            "cuda",
            {"threads": (128, 32, 64), "blocks": (2048, 512, 8192)},
            "num_tokens",
            (16, 256, 4096),
        ),
    ),
)
