"""reshape_and_cache_flash_per_token_head: reshape_and_cache_flash with scales of its own making."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.writer import ARGUMENTS

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "reshape_and_cache_flash_per_token_head(Tensor key, Tensor value, Tensor! key_cache, "
        "Tensor! value_cache, Tensor! k_scale_cache, Tensor! v_scale_cache, "
        "Tensor slot_mapping, str kv_cache_dtype) -> ()"
    ),
    summary="scatters keys and values, quantised with a scale for each head of each token.",
    doc="""\
With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, for keys
  k_scale_cache[block, offset, h] = S = max(amax / QMAX, 1e-6), amax = max_d |key[t, h, d]|
  key_cache[block, offset, h, d]  = Q(key[t, h, d] * (1 / S))
and the same for values; the size of a value's head may differ from that of a key's. A reader
multiplies: key = code * S. QMAX is 127 for int8_per_token_head and 448 for fp8_per_token_head. Q
rounds to nearest even and saturates. All arithmetic is f32, division and reciprocal are IEEE, so
scales and codes have the same bits on every backend. Tokens with a negative slot are skipped. The
number of tokens is the length of slot_mapping; key and value may have more rows (graph padding),
which are not read. Zero tokens are a successful no-op. Two tokens with one slot race.

NaNs do not count for amax; their code is 0x7F (NaN) in fp8 and 0 in int8. An infinite element
makes its scale infinite, and finite elements beside it become 0.

Layout is told by strides, as for reshape_and_cache_flash; the scale caches have any strides, so a
scale may also lie behind its head's codes.

Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
Source of the rule: vLLM's Triton writer of the same formats. It stores int8 by truncation towards
zero, which biases every element towards zero and doubles the error; its own reference rounds, as
here. Readers see no difference in kind: scales have the same meaning.""",
    arguments={
        "key": ARGUMENTS["key"],
        "value": "[num_rows >= num_tokens, num_heads, value_head_size], as key otherwise",
        "key_cache": (
            "[num_blocks, block_size, num_heads, head_size], int8 (or uint8) for "
            "int8_per_token_head, float8 (or uint8) for fp8_per_token_head, any strides"
        ),
        "value_cache": "[num_blocks, block_size, num_heads, value_head_size], else as key_cache",
        "k_scale_cache": "[num_blocks, block_size, num_heads], f32, any strides",
        "v_scale_cache": "as k_scale_cache, with strides of its own",
        "slot_mapping": ARGUMENTS["slot_mapping"],
        "kv_cache_dtype": "'int8_per_token_head' or 'fp8_per_token_head'",
    },
    params=(
        Field("kvf_view", "key", "stride[0..2]: token, head, element"),
        Field("kvf_view", "value", "as key"),
        Field("kvf_view", "key_cache", "strides in the order of the argument's dimensions"),
        Field("kvf_view", "value_cache", "as key_cache"),
        Field("kvf_view", "k_scale_cache", "f32; stride[0..2]: block, token, head"),
        Field("kvf_view", "v_scale_cache", "as k_scale_cache"),
        Field("kvf_slots", "slots", "tokens, pages and where each token goes"),
        Field("int32_t", "num_heads", "KV heads"),
        Field("int32_t", "head_size", "elements of a head of key"),
        Field("int32_t", "value_head_size", "elements of a head of value"),
        Field("int32_t", "vector_elements", "elements that one CUDA thread moves at a time", True),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", "int8_per_token_head", "fp8_per_token_head"),
    ),
)
