"""reshape_and_cache_flash_ggml: reshape_and_cache_flash for rows of ggml's blocks."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.formats import Q4_0, Q8_0
from generator.spec.shared.writer import ARGUMENTS, CUDA_TUNED, SLOT_REMAP

PAGES = (
    "[num_blocks, block_size, num_heads, {0} / 32 * 34] for q8_0, * 18 for q4_0, uint8, any strides "
    "but 1 in the last dimension"
)

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "reshape_and_cache_flash_ggml(Tensor key, Tensor value, Tensor! key_cache, "
        "Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, "
        "Tensor? slot_remap=None) -> ()"
    ),
    summary="scatters keys and values into pages of ggml's q8_0 or q4_0 rows.",
    doc="""\
With s = slot_mapping[t], block = s div block_size, offset = s mod block_size,
  key_cache[block, offset, h, :] = row(key[t, h, :])
and the same for values. A row has a block for every 32 elements: a scale d of f16, and codes. With
amax = max |v| and m the first v of that magnitude, all arithmetic f32, id = 1 / df, or 0 if df is 0:
  q8_0  df = amax / 127, code = v * id rounded, halves away from 0; 32 bytes of codes
  q4_0  df = m / -8, code = min(15, floor(v * id + 8.5)); byte i is code[i] | code[i + 16] << 4
Codes are made with df, d is df rounded to f16, infinite where f16 has no such number. A reader takes
code * d, or (code - 8) * d. NaNs do not count for amax and m; their code is that of 0.

Where the heads of a token lie one behind another, a token is a row of ggml's K cache, and of its V
cache with flash attention. Tokens with a negative slot are skipped. The number of tokens is the length
of slot_mapping; key and value may have more rows (graph padding), which are not read. Zero tokens are a
successful no-op. Two tokens with one slot race.

Errors: KVF_INVALID_VALUE for a head size that is no multiple of 32; KVF_OUT_OF_RANGE for a slot beyond
num_blocks * block_size (CPU: before anything is written; CUDA: that token is skipped and counted, see
kvf_cuda_fault_count).
Source of the rule: quantize_row_q8_0_ref and quantize_row_q4_0_ref of llama.cpp. Its vector code rounds
halves of q8_0 to even.""",
    arguments={
        "key": ARGUMENTS["key"],
        "value": "[num_rows >= num_tokens, num_heads, value_head_size], as key otherwise",
        "key_cache": PAGES.format("head_size"),
        "value_cache": PAGES.format("value_head_size"),
        "slot_mapping": ARGUMENTS["slot_mapping"],
        "kv_cache_dtype": "'q8_0' or 'q4_0'",
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={
        "llama.cpp": "quantize_row_q8_0 and quantize_row_q4_0",
    },
    params=(
        Field("kvf_view", "key", "stride[0..2]: token, head, element"),
        Field("kvf_view", "value", "as key"),
        Field("kvf_view", "key_cache", "bytes; stride[0..2]: page, token, head"),
        Field("kvf_view", "value_cache", "as key_cache"),
        Field("kvf_slots", "slots", "tokens, pages and where each token goes"),
        Field("int32_t", "num_heads", "KV heads"),
        Field("int32_t", "head_size", "elements of a head of key, a multiple of 32"),
        Field("int32_t", "value_head_size", "elements of a head of value, likewise"),
        Field("int32_t", "vector_elements", "CUDA: 32 where blocks are moved in words, or 1", True),
    ),
    axes=(dtypes("scalar", "f32", "f16", "bf16"), dtypes("cache", Q8_0, Q4_0)),
    tuned=(CUDA_TUNED,),
)
