"""reshape_and_cache_flash_per_token_head: reshape_and_cache_flash with scales of its own making."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.formats import (
    FP8_PER_TOKEN_HEAD,
    INT4_PER_TOKEN_HEAD,
    INT8_PER_TOKEN_HEAD,
    INT8_PER_TOKEN_HEAD_EVEN,
)
from generator.spec.shared.writer import ARGUMENTS, SLOT_REMAP
from generator.tuned import Tuned

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "reshape_and_cache_flash_per_token_head(Tensor key, Tensor value, Tensor! key_cache, "
        "Tensor! value_cache, Tensor! k_scale_cache, Tensor! v_scale_cache, "
        "Tensor slot_mapping, str kv_cache_dtype, Tensor? slot_remap=None) -> ()"
    ),
    summary="scatters keys and values, quantised with a scale for each head of each token.",
    doc="""\
With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, for keys
  k_scale_cache[block, offset, h] = S = max(amax / QMAX, 1e-6), amax = max_d |key[t, h, d]|
  key_cache[block, offset, h, d]  = Q(key[t, h, d] * (1 / S))
and the same for values; the size of a value's head may differ from that of a key's. A reader
multiplies: key = code * S. QMAX is 127 for int8 and 448 for fp8. Q saturates and rounds to nearest,
halves to even in fp8_per_token_head and int8_per_token_head_even; in int8_per_token_head away from 0,
by adding one half in f32 and truncating, so that the largest float below one half becomes 1. Readers
take both for int8_per_token_head. All arithmetic is f32, division and reciprocal are IEEE, so
scales and codes have the same bits on every backend. Tokens with a negative slot are skipped. The
number of tokens is the length of slot_mapping; key and value may have more rows (graph padding),
which are not read. Zero tokens are a successful no-op. Two tokens with one slot race.

NaNs do not count for amax; their code is 0x7F (NaN) in fp8 and 0 in int8. An infinite element
makes its scale infinite, and finite elements beside it become 0.

int4_per_token_head rotates the head first, which spreads what is large in one element:
  y = rn(H (sign * key[t, h])), rounded to the dtype of key
with H the Walsh-Hadamard matrix in natural order, not normalised, for each block of b elements, b
the largest power of two that divides the head's size, and b fixed signs (kvforge/cache/rotation.h).
Its sums are f32, at distance 1 first, then 2, 4, ...: (a + b, a - b). With lo = min(0, min y) and
hi = max(0, max y)
  S = max((hi - lo) / 15, 1e-6), zero = C(-lo / S), code = C(y * (1 / S) + zero)
where C rounds to the nearest of 0 to 15, halves up. Byte i of a head is code[2 i] | code[2 i + 1]
<< 4. The word in k_scale_cache is S, whose last four bits are replaced by zero. A reader takes
  y = (code - zero) * (the word without these bits), key = sign * (H y) / b
so that the attention over a cache may rotate the query in its place. A NaN in a block makes all of
it NaN, which has no share in lo and hi and is stored as 0; a block with an infinity is read as NaN.

Layout is told by strides, as for reshape_and_cache_flash; the scale caches have any strides, so a
scale may also lie behind its head's codes, as in vLLM's pages of [K codes | K scale | V codes |
V scale] per token and head.

Errors: KVF_INVALID_VALUE for int4 heads of an odd size, or of one that a power of two above 512
divides; KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
Source of the rule: vLLM's Triton writers of the same formats, in 0.33. Older ones store int8 by
truncation towards zero, which biases every element towards zero and doubles the error. For int4 it
takes lo and hi from the elements alone, so that a head of elements far from 0 is lost; where 0 is
between them, as it is after nearly every rotation, the bytes are the same. Its rotation rounds to bf16
on the way.""",
    arguments={
        "key": ARGUMENTS["key"],
        "value": "[num_rows >= num_tokens, num_heads, value_head_size], as key otherwise",
        "key_cache": (
            "[num_blocks, block_size, num_heads, head_size], int8 (or uint8) for "
            "int8, float8 (or uint8) for fp8, any strides; for "
            "int4_per_token_head [num_blocks, block_size, num_heads, head_size / 2], uint8, any "
            "strides but 1 in the last dimension"
        ),
        "value_cache": "[num_blocks, block_size, num_heads, value_head_size], else as key_cache",
        "k_scale_cache": "[num_blocks, block_size, num_heads], f32, any strides",
        "v_scale_cache": "as k_scale_cache, with strides of its own",
        "slot_mapping": ARGUMENTS["slot_mapping"],
        "kv_cache_dtype": (
            "'int8_per_token_head', 'int8_per_token_head_even', 'fp8_per_token_head' or "
            "'int4_per_token_head'"
        ),
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={"vLLM": "triton_reshape_and_cache_flash_per_token_head_quant"},
    params=(
        Field("kvf_view", "key", "stride[0..2]: token, head, element"),
        Field("kvf_view", "value", "as key"),
        Field(
            "kvf_view",
            "key_cache",
            "strides in the order of the argument's dimensions; int4: bytes, the last stride is 1",
        ),
        Field("kvf_view", "value_cache", "as key_cache"),
        Field("kvf_view", "k_scale_cache", "f32; stride[0..2]: block, token, head"),
        Field("kvf_view", "v_scale_cache", "as k_scale_cache"),
        Field("kvf_slots", "slots", "tokens, pages and where each token goes"),
        Field("int32_t", "num_heads", "KV heads"),
        Field("int32_t", "head_size", "elements of a head of key"),
        Field("int32_t", "value_head_size", "elements of a head of value"),
        Field(
            "int32_t",
            "vector_elements",
            "elements that one CUDA thread moves at a time; int4: 32, 16 or 1",
            True,
        ),
    ),
    # The threads of a block.
    # The threads of a block, up to how many heads a thread has one after the other, and from how many
    # blocks on.
    tuned=(
        Tuned(
            "cuda",
            {"threads": (256, 128, 64), "heads": (4, 1, 2, 8), "blocks": (1024, 256, 1)},
            "num_tokens",
            (16, 256, 4096),
        ),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes(
            "cache",
            INT8_PER_TOKEN_HEAD,
            FP8_PER_TOKEN_HEAD,
            INT4_PER_TOKEN_HEAD,
            INT8_PER_TOKEN_HEAD_EVEN,
        ),
    ),
)
