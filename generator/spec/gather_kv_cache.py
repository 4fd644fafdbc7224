"""gather_kv_cache: keys and values of sequences from the pages that the cache writers fill."""

from generator.axes import dtypes
from generator.dtypes import DType
from generator.model import Field, Op
from generator.spec.shared import gather
from generator.spec.shared.formats import (
    FP8_PER_TOKEN_HEAD,
    INT4_PER_TOKEN_HEAD,
    INT8_PER_TOKEN_HEAD,
    NVFP4,
    Q4_0,
    Q8_0,
)
from generator.spec.shared.writer import (
    SCALE_VALUES,
    same_fp8_or_int8,
)


def excluded(scalar: DType, cache: DType) -> str | None:
    """The cache holds the scalar dtype itself, fp8 or int8 codes, or a format of any scalar."""
    return None if cache.kind == "format" else same_fp8_or_int8(scalar, cache)


OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "gather_kv_cache(Tensor key_cache, Tensor value_cache, Tensor! key_out, Tensor! value_out, "
        "Tensor block_table, Tensor cu_seq_lens, str kv_cache_dtype, Tensor k_scale, "
        "Tensor v_scale, Tensor? seq_starts=None, bool interleaved_v=False, "
        "bool swizzle_v_scales=True, Tensor? k_scale_cache=None, Tensor? v_scale_cache=None, "
        "bool inverse_rht=True) -> ()"
    ),
    summary="gathers keys and values of sequences from pages and decodes them.",
    doc="""\
For row j of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with
p = j - cu_seq_lens[b] + seq_starts[b], page = block_table[b, p div block_size], t = p mod block_size:
  key_out[j, h, :] = DQ(key of token t and head h of that page), value_out[j, h, :] likewise
DQ copies the bits where the cache holds the dtype of key_out. Codes are widened and multiplied in f32
and rounded to nearest even once, overflow to infinity, and have one NaN per dtype, 0x7FFFFFFF or 0x7FFF:
  fp8, int8             code * scale, k_scale or v_scale, one or one for each head
  ... per token, head   code * the scale of that token and head, in the scale cache
  int4_per_token_head   (code - zero) * scale of the word in k_scale_cache, rotated back unless
                        inverse_rht is False: sign * (H y) / b, as
                        reshape_and_cache_flash_per_token_head has it, whose zeros are +0
  nvfp4                 (code * block scale) * scale, the first product exact
  q8_0, q4_0            code * d or (code - 8) * d, as reshape_and_cache_flash_ggml has it
Rows that no sequence has, in front of cu_seq_lens[0] or from the last element of cu_seq_lens on, are
left as they are. Zero rows are a successful no-op. Keys and values may have heads of different sizes;
both may be views of one tensor. Formats with scales of their own have heads of at most 576 elements.

The layout is told by the rank of key_cache: 4 is what reshape_and_cache_flash and its kin write (NHD, or
HND by strides), 5 what reshape_and_cache writes; with interleaved_v values are then in groups of x
tokens, [num_blocks, num_heads, block_size / x, value_head_size, x].

Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before anything
is written; CUDA: that row becomes 0 and is counted, see kvf_cuda_fault_count).
Source of the rule: this project; the ops of this purpose in other engines know one layout and one or two
formats each.""",
    arguments={
        "key_cache": (
            "[num_blocks, block_size, num_heads, head_size], or [num_blocks, num_heads, "
            "ceil(head_size / x), block_size, x]; the cache dtype (uint8 or float8 for fp8, int8 or "
            "uint8 for int8), any strides; int4: head_size / 2 bytes, without gaps in the last "
            "dimension; q8_0 and q4_0: head_size / 32 * 34 or 18 bytes, likewise; nvfp4: "
            "[num_blocks, block_size, num_heads, head_size / 2 + head_size / 16], "
            "uint8, pages without gaps"
        ),
        "value_cache": (
            "as key_cache of rank 4, with strides and a head size of its own; next to one of rank 5 "
            "[num_blocks, num_heads, value_head_size, block_size], or [num_blocks, num_heads, "
            "block_size / x, value_head_size, x] with interleaved_v"
        ),
        "key_out": (
            "[num_rows, num_heads, head_size], f32, f16 or bf16; stride of dimension 2 is 1; less "
            "than 2^31 rows"
        ),
        "value_out": "[num_rows, num_heads, value_head_size], else as key_out",
        "block_table": gather.BLOCK_TABLE.format("num_sequences"),
        "cu_seq_lens": "[num_sequences + 1], int32, contiguous, ascending: first row of each sequence",
        "kv_cache_dtype": (
            "'auto' (the dtype of key_out), 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'int8', 'nvfp4', "
            "'nvfp4_4over6', 'int8_per_token_head', 'int8_per_token_head_even', "
            "'fp8_per_token_head', 'int4_per_token_head', 'q8_0' or 'q4_0'"
        ),
        "k_scale": (
            "f32, one element or [num_heads]; not read when the cache holds the dtype of key_out or "
            "has a scale per token and head, or one in each block of ggml"
        ),
        "v_scale": "as k_scale, for values",
        "seq_starts": gather.SEQ_STARTS.format("num_sequences"),
        "interleaved_v": "whether value_cache is in groups of tokens; needs a key_cache of rank 5",
        "swizzle_v_scales": "nvfp4: whether block scales of values are stored for sm_100",
        "k_scale_cache": (
            "[num_blocks, block_size, num_heads], f32, any strides: scales per token and head; None "
            "for other formats"
        ),
        "v_scale_cache": "as k_scale_cache, for values",
        "inverse_rht": "int4: whether heads are rotated back",
    },
    elsewhere={
        "vLLM": "cp_mha_gather_cache",
        "mistral.rs": "gather_kv_cache and gather_kv_cache_flashinfer",
        "FlashInfer": "nvfp4_kv_dequantize_paged",
        "LMDeploy": "flatten_kv_cache",
    },
    params=(
        Field(
            "kvf_view",
            "key_cache",
            "stride[0..4]: page, token, head, group of x elements, element of a group; int4, q8_0, "
            "q4_0: bytes; nvfp4: bytes of codes, as reshape_and_cache_flash_nvfp4 has them",
        ),
        Field(
            "kvf_view", "value_cache", "stride[0..3]: page, token, head, element; else as key_cache"
        ),
        Field("kvf_view", "key_out", "stride[0..1]: row, head; a head is dense"),
        Field("kvf_view", "value_out", "as key_out"),
        Field(
            "kvf_view",
            "k_scale",
            "f32; stride[0]: head, 0 for one scale; with a scale per token and head stride[0..2]: "
            "page, token, head; data may be NULL when bits are copied",
        ),
        Field("kvf_view", "v_scale", "as k_scale"),
        *SCALE_VALUES,
        Field(
            "kvf_block_table",
            "table",
            "which page holds each row; starts: cu_seq_lens, offsets: seq_starts",
        ),
        Field("int64_t", "num_rows", "rows of key_out and value_out"),
        Field(
            "int64_t", "value_tokens", "tokens of a group of value_cache; 0 where there are none"
        ),
        Field("int64_t", "value_tokens_stride", "from one such group to the next, in elements"),
        Field("int32_t", "num_kv_heads", "KV heads"),
        Field("int32_t", "head_size", "elements of a head of keys"),
        Field("int32_t", "value_head_size", "elements of a head of values"),
        Field("int32_t", "x", "elements of a group of key_cache; head_size where there are none"),
        Field("int32_t", "swizzle_v_scales", "nvfp4: 1 or 0"),
        Field("int32_t", "inverse_rht", "int4: 1 or 0"),
        Field("int32_t", "key_heads", "num_kv_heads, or 1 where heads have been joined", True),
        Field("int32_t", "value_heads", "likewise", True),
        Field("int32_t", "rows_per_tile", "CUDA: rows of a thread block", True),
        Field("int32_t", "tile_vectors", "CUDA: vectors of a row that a thread block moves", True),
        Field("int32_t", "key_vector", "CUDA: elements that a thread moves at a time", True),
        Field("int32_t", "value_vector", "likewise", True),
        Field(
            "int32_t",
            "patches",
            "CUDA: 1 where threads move a few elements of a few tokens at a time, since neighbours "
            "in value_cache are tokens; else 0",
            True,
        ),
        Field("int32_t", "streaming", "CPU: store past the caches", True),
    ),
    tuned=gather.TUNED,
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
    ),
    excluded=excluded,
)
