"""paged_attention_decode: attention of one new token of each sequence over its pages."""

from generator.axes import arch, dtypes, integer
from generator.dtypes import DType
from generator.model import Field, Op
from generator.spec.shared.formats import (
    FP8_PER_TOKEN_HEAD,
    INT4_PER_TOKEN_HEAD,
    INT8_PER_TOKEN_HEAD,
    NVFP4,
    Q4_0,
    Q8_0,
)
from generator.spec.shared.writer import same_or_fp8

# What the variants for the tensor cores read: elements of 16 bits, or codes of 8.
TILED = ("f16", "bf16", "fp8_e4m3", "fp8_e5m2", "int8", "int8_per_token_head", "fp8_per_token_head")


def excluded(scalar: DType, cache: DType, head_size: int | None, arch: int | None) -> str | None:
    """The cache holds the scalar dtype itself, fp8 or int8 codes, or a format of any scalar."""
    reason = None if cache.kind == "format" else same_or_fp8(scalar, cache)
    if reason:
        return f"{reason}, int8, nvfp4 or codes with a scale per token and head"
    if (head_size is None) != (arch is None):
        return "the tensor cores' variants are those of a head size"
    if head_size is not None and (scalar.token == "f32" or cache.token not in TILED):
        return "the tensor cores' variants have elements of 16 bits, or codes of 8"
    return None


OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "paged_attention_decode(Tensor! out, Tensor query, Tensor key_cache, Tensor value_cache, "
        "Tensor block_tables, Tensor seq_lens, float scale, str kv_cache_dtype, Tensor k_scale, "
        "Tensor v_scale, Tensor? alibi_slopes=None, int sliding_window=0, "
        "bool swizzle_v_scales=True, Tensor!? workspace=None) -> ()"
    ),
    summary="reads the pages that the cache writers fill: attention of one token per sequence.",
    doc="""\
For every sequence s, query head h and the KV head g = h div (num_q_heads / num_kv_heads), over
positions p from max(0, n - sliding_window) (from 0 without a window) to n - 1, n = seq_lens[s]:
  K, V   = DQ(key_cache, k_scale), DQ(value_cache, v_scale) at head g of position p,
           which is in page block_tables[s, p div block_size], at p mod block_size
  a[p]   = scale * (query[s, h] . K[p]) + alibi_slopes[h] * (p - (n - 1))
  out[s, h] = sum over p of softmax(a)[p] * V[p]
DQ widens to f32 and multiplies codes by their scale: that of head g for fp8 and int8, that of
head g of the very token for the formats per token and head, and for nvfp4 that of head g and the
block scale of every 16 elements. Heads of int4_per_token_head are stored rotated; the query is rotated
in their place, and the sum rotated back. The query is the token at position n - 1, which is in the cache
already. A sequence with n = 0 gets zeros. Zero sequences are a successful no-op. Only the pages of
the positions above are read, and of the last page only the tokens that are there, so fresh pages
may hold anything. out and workspace must not overlap each other or the other tensors.

The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its kin write
(NHD, or HND by strides), 5 what reshape_and_cache writes. K and V have strides of their own. nvfp4
pages are those of reshape_and_cache_flash_nvfp4, with the same swizzle_v_scales.

Arithmetic is f32: products are summed in parts, and the softmax is rescaled as it goes (online), so
results are not those of a fixed order. On CUDA from compute capability 8.0 on, heads of 64 or 128
f16 or bf16 elements, or codes of 8 bits for queries of those, go by tiles on the tensor cores where
elements of a head lie side by side and 16 bytes can be read at once: products are exact, sums are
f32, and a weight is two numbers of 16 bits, of which the second is what rounding the first leaves.
With one position out is exactly DQ(V), rounded to the dtype of out (zeros are +0). Scores may use
exp2 of scores times log2(e). Scales of a head are applied to the query and to the sum, those of a
token to its score and its weight, which gives the same but for rounding.

head_size is at most 576. One thread block (CUDA), or one thread (CPU), does up to 8 query heads of
one KV head of one part of a sequence, on the tensor cores up to 16. Without a workspace a sequence
is one part, so that a few long ones leave most of a GPU idle. With one, the positions above are cut
into at most `splits` parts, of ceil(positions / splits) positions rounded up to a multiple of 128.
What the parts come to is put into workspace, and added up in a second launch (CUDA) or a second
pass of the threads (CPU). The only part of a short sequence goes straight to out: splits = 1 is as
no workspace. As many splits as keep a GPU busy will do: two thread blocks for each of its SMs.
workspace needs no initial value, and what it holds afterwards is not defined.

Errors: KVF_INVALID_VALUE for a head_size above 576, num_q_heads that is no multiple of
num_kv_heads, an int4 head_size that is odd or one that 1024 divides, a q8_0 or q4_0 head_size that
is no multiple of 32, or an nvfp4 head_size that is no multiple of 16, and with swizzle_v_scales for
one that is no multiple of 64 or a block_size that is no multiple of 4; KVF_OUT_OF_RANGE for a
length below 0 or beyond width * block_size, or a page that is not in the cache (CPU: before
anything is written; CUDA: that length is cut off, the tokens of that page are left out, and each is
counted once, see kvf_cuda_fault_count). KVF_CUDA_ERROR at the second of two launches leaves
workspace written and out untouched. A launch of raw params wants a variant that fits them:
KVF_INVALID_VALUE where the heads of a tensor cores' variant have another size or cannot be read so.
Source of the rule: this project; arguments as in vLLM's paged_attention_v1.""",
    arguments={
        "out": "[num_seqs, num_q_heads, head_size], the dtype of query, any strides",
        "query": "[num_seqs, num_q_heads, head_size], f32, f16 or bf16, any strides",
        "key_cache": (
            "[num_blocks, block_size, num_kv_heads, head_size], or [num_blocks, num_kv_heads, "
            "ceil(head_size / x), block_size, x]; the cache dtype (uint8 or float8 for fp8, int8 or "
            "uint8 for int8), any strides; for nvfp4 [num_blocks, block_size, num_kv_heads, "
            "head_size / 2 + head_size / 16], uint8, pages without gaps; for int4_per_token_head "
            "[num_blocks, block_size, num_kv_heads, head_size / 2], uint8, any strides but 1 in the "
            "last dimension; for q8_0 and q4_0 head_size / 32 * 34 or 18 bytes, likewise"
        ),
        "value_cache": (
            "as key_cache of rank 4; next to one of rank 5 [num_blocks, num_kv_heads, head_size, "
            "block_size]; any strides"
        ),
        "block_tables": "[num_seqs, width], int32 or int64, any strides: the pages of each sequence",
        "seq_lens": "[num_seqs], int32, any stride: tokens of each sequence, the query's included",
        "scale": (
            "what query . key is multiplied by, usually 1 / sqrt(head_size); any number that f32 "
            "holds: 0, or a finite one of 2^-126 or more, of any sign"
        ),
        "kv_cache_dtype": (
            "'auto' (the dtype of query), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8', 'nvfp4', "
            "'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even', "
            "'fp8_per_token_head', 'int4_per_token_head', 'q8_0' or 'q4_0'"
        ),
        "k_scale": (
            "f32, one element or [num_kv_heads]; keys are code * k_scale; not read when the cache "
            "holds the scalar dtype, q8_0 or q4_0; for formats per token and head the k_scale_cache, "
            "[num_blocks, block_size, num_kv_heads], any strides"
        ),
        "v_scale": "as k_scale, for values",
        "alibi_slopes": "[num_q_heads], f32, any stride; None: no bias",
        "sliding_window": "positions that are attended to, the query's own included; 0 or less: all",
        "swizzle_v_scales": "nvfp4: whether block scales of values are stored for sm_100",
        "workspace": (
            "[num_seqs, num_q_heads, splits, head_size + 2], f32, any strides, splits 1 or more: "
            "room for the parts of long sequences; None: they are not split"
        ),
    },
    elsewhere={"vLLM to 0.24": "paged_attention_v1 and _v2"},
    params=(
        Field("kvf_view", "out", "stride[0..2]: sequence, query head, element"),
        Field("kvf_view", "query", "as out"),
        Field(
            "kvf_view",
            "key_cache",
            "stride[0..4]: page, token, KV head, group of x elements, element of a group; nvfp4: "
            "bytes of codes, as reshape_and_cache_flash_nvfp4 has them; int4, q8_0, q4_0: bytes",
        ),
        Field("kvf_view", "value_cache", "stride[0..3]: page, token, KV head, element"),
        Field(
            "kvf_view",
            "k_scale",
            "f32; stride[0]: KV head, 0 for one scale; with a scale per token and head "
            "stride[0..2]: page, token, KV head; data may be NULL when the cache holds the scalar dtype",
        ),
        Field("kvf_view", "v_scale", "as k_scale"),
        Field("kvf_view", "alibi_slopes", "f32; stride[0]: query head; data NULL for none"),
        Field(
            "kvf_view",
            "workspace",
            "f32; stride[0..3]: sequence, query head, part, element; data NULL for none",
        ),
        Field("kvf_view", "block_tables", "int32 or int64; stride[0..1]: sequence, page of it"),
        Field("kvf_view", "seq_lens", "int32; stride[0]: sequence"),
        Field("int64_t", "num_seqs", "sequences"),
        Field("int64_t", "width", "pages that a sequence has at most"),
        Field("int64_t", "num_blocks", "pages in the caches"),
        Field("int64_t", "block_size", "tokens in a page"),
        Field("int64_t", "sliding_window", "positions attended to; 0 or less for all"),
        Field("int64_t", "splits", "parts that a sequence has at most; without a workspace 1"),
        Field("int32_t", "swizzle_v_scales", "nvfp4: 1 or 0"),
        Field("int32_t", "num_q_heads", "query heads, a multiple of num_kv_heads"),
        Field("int32_t", "num_kv_heads", "KV heads"),
        Field("int32_t", "head_size", "elements of a head, at most 576"),
        Field("int32_t", "index_bytes", "of one element of block_tables: 8 or 4"),
        Field("int32_t", "x", "elements of a group of key_cache; head_size where there are none"),
        Field("float", "scale", "what query . key is multiplied by"),
        Field("kvf_divider", "by_block_size", "splits a position into page and offset", True),
        Field(
            "unsigned long long *", "faults", "CUDA: counts lengths and pages out of range", True
        ),
        Field("int32_t", "group", "query heads of a KV head", True),
        Field("int32_t", "parts", "units of work that the heads of a group are split into", True),
        Field("int32_t", "combines", "0; 1 when parts of sequences are to be added up", True),
        Field("int32_t", "whole_keys", "CUDA: 1 if keys can be read in vectors", True),
        Field(
            "int32_t",
            "whole_values",
            "CUDA: 1 if values can be read in vectors of elements, 2 of tokens, else 0",
            True,
        ),
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
            INT8_PER_TOKEN_HEAD,
            FP8_PER_TOKEN_HEAD,
            INT4_PER_TOKEN_HEAD,
            Q8_0,
            Q4_0,
        ),
        integer(
            "head_size",
            64,
            128,
            token="d",
            meaning="head_size, where a head can be read in whole vectors; else 0",
            generic=True,
        ),
        arch(80, generic=True),
    ),
    excluded=excluded,
)
