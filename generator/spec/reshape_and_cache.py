"""reshape_and_cache: the writer of the 5-D key, 4-D value "PagedAttention" layout."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.generations import generations
from generator.spec.shared.writer import ARGUMENTS, PARAMS, SLOT_REMAP, same_fp8_or_int8
from generator.tuned import Tuned

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, "
        "Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale, "
        "bool interleaved_v=False, Tensor? slot_remap=None) -> ()"
    ),
    summary="scatters the keys and values of new tokens into 5-D key pages and 4-D value pages.",
    doc="""\
With s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
  key_cache[block, h, d div x, offset, d mod x] = Q(key[t, h, d],   k_scale)
  value_cache[block, h, d, offset]              = Q(value[t, h, d], v_scale)
Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by the scale
in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens with a
negative slot are skipped. The number of tokens is the length of slot_mapping; key and value may
have more rows (graph padding), which are not read. Zero tokens are a successful no-op. Two
tokens with one slot race.

The size of a value's head may differ from that of a key's. Any x >= 1. When x does not divide
head_size, dimension 2 of key_cache is head_size / x rounded up, and the surplus elements of the
last group are not written.

With interleaved_v values lie in groups of x tokens, which is what ROCm's attention reads:
  value_cache[block, h, offset div x, d, offset mod x] = Q(value[t, h, d], v_scale)
It may also be given as [num_blocks, num_heads, value_head_size, block_size] without gaps within a head,
whose memory is then taken for this.

Errors: KVF_INVALID_VALUE for interleaved_v with a block_size that is no multiple of x;
KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is written; CUDA: that
token is skipped and counted, see kvf_cuda_fault_count).
Source of the rule: vLLM's op of the same name, with its dropped heads, dropped tail elements,
alignment, stride, empty-input and bounds defects corrected.""",
    arguments={
        **ARGUMENTS,
        "value": "[num_rows >= num_tokens, num_heads, value_head_size], as key otherwise",
        "key_cache": (
            "[num_blocks, num_heads, ceil(head_size / x), block_size, x], the cache dtype (uint8 "
            "or float8 for fp8, int8 or uint8 for int8), any strides"
        ),
        "value_cache": (
            "[num_blocks, num_heads, value_head_size, block_size], the dtype of key_cache, any "
            "strides; with interleaved_v [num_blocks, num_heads, block_size / x, value_head_size, x]"
        ),
        "k_scale": (
            "f32, one element or [num_heads]; the cache holds key / k_scale; not read when the "
            "cache holds the scalar dtype"
        ),
        "v_scale": "as k_scale, for value",
        "interleaved_v": "whether values lie in groups of x tokens",
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={"vLLM": "reshape_and_cache", "mistral.rs": "reshape_and_cache"},
    params=(
        *PARAMS[:3],
        Field(
            "kvf_view",
            "value_cache",
            "stride[0..3]: page, head, element, token; with interleaved_v token of a group, and "
            "stride[4]: group of x tokens",
        ),
        *PARAMS[4:],
        Field("int32_t", "value_head_size", "elements of a head of value"),
        Field("int32_t", "x", "elements of one inner vector of key_cache"),
        Field("int32_t", "interleaved_v", "1 or 0"),
        Field("kvf_divider", "by_value_group", "tokens of a group: x, or all of a page", True),
        Field("int32_t", "vector_elements", "elements that one CUDA thread reads at a time", True),
        Field(
            "int32_t",
            "key_vector_elements",
            "key elements that one CUDA thread writes at a time",
            True,
        ),
        Field("int32_t", "tile_shift", "CUDA: log2 of the elements of a tile", True),
        Field("int32_t", "token_shift", "CUDA: log2 of its tokens", True),
        Field("int32_t", "value_vectors", "CUDA: 16-byte vectors of tokens can be aligned", True),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2", "int8"),
    ),
    excluded=same_fp8_or_int8,
    # The threads of a block, and the elements of a head and the tokens that its tile has.
    tuned=(
        Tuned(
            "cuda",
            {"threads": (128, 256), "elements": (64, 128, 32), "tokens": (32, 16, 8)},
            "tokens of 1,024 elements",
            (64, 512, 2048),
        ),
    ),
    upstream_schemas={
        **dict.fromkeys(
            generations(before="vllm-0.33"),
            "reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, "
            "Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()",
        ),
        **dict.fromkeys(
            generations(since="vllm-0.33"),
            "reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, "
            "Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale, "
            "bool interleaved_v=False) -> ()",
        ),
    },
)
