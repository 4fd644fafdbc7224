"""reshape_and_cache_flash: the writer of FlashAttention, FlashInfer and Triton page layouts."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.generations import GENERATIONS
from generator.spec.shared.writer import (
    ARGUMENTS,
    CUDA_TUNED,
    NARROW,
    PARAMS,
    SCALE_VALUES,
    SLOT_REMAP,
    same_fp8_or_int8,
)

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "reshape_and_cache_flash(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, "
        "Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale, "
        "Tensor? slot_remap=None) -> ()"
    ),
    summary="scatters keys and values of new tokens into a paged cache of [block, token, head].",
    doc="""\
With s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
  key_cache[block, offset, h, d]   = Q(key[t, h, d],   k_scale[h])
  value_cache[block, offset, h, d] = Q(value[t, h, d], v_scale[h])
Q copies the bits when the cache holds the scalar dtype; for fp8 and int8 it divides by the scale
in f32, rounds to nearest even and saturates; a NaN is 0x7F in fp8 and 0 in int8. Tokens with a
negative slot are skipped. The number of tokens is the length of slot_mapping; key and value may
have more rows (graph padding), which are not read. Zero tokens are a successful no-op. Two
tokens with one slot race.

Layout is told by strides, and K and V have their own: NHD is a contiguous cache, HND one that
is permuted from [num_blocks, num_heads, block_size, head_size]; packed K/V and padded pages work. Heads
of values may have another size than those of keys, also behind them in one tensor, as two views of it
(diff-KV).

kv_cache_dtype 'nvfp4' or 'nvfp4_4over6' is reshape_and_cache_flash_nvfp4 with its default,
swizzle_v_scales, by upstream's name, which is the readers' default too: the caches are then uint8,
[num_blocks, block_size, num_heads, head_size / 2 + head_size / 16].

Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
Source of the rule: vLLM's op of the same name, with its K/V stride, alignment, empty-input and
bounds defects corrected.""",
    arguments={
        **ARGUMENTS,
        "value": "[num_rows >= num_tokens, num_heads, value_head_size], as key otherwise",
        "kv_cache_dtype": ARGUMENTS["kv_cache_dtype"].replace(" or", ",")
        + ", 'nvfp4' or 'nvfp4_4over6'",
        "key_cache": (
            "[num_blocks, block_size, num_heads, head_size], the cache dtype (uint8 or float8 for "
            "fp8, int8 or uint8 for int8), any strides"
        ),
        "value_cache": (
            "[num_blocks, block_size, num_heads, value_head_size], as key_cache, with strides of its own"
        ),
        "k_scale": (
            "f32, one element or [num_heads]; the cache holds key / k_scale; not read when the "
            "cache holds the scalar dtype"
        ),
        "v_scale": "as k_scale, for value",
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={
        "vLLM": "reshape_and_cache_flash",
        "mistral.rs": "reshape_and_cache_flashinfer",
        "FlashInfer": "append_paged_kv_cache",
    },
    params=(
        NARROW,
        *PARAMS,
        *SCALE_VALUES,
        Field("int32_t", "value_head_size", "elements of a head of value"),
        Field("int32_t", "vector_elements", "elements that one CUDA thread moves at a time", True),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2", "int8"),
    ),
    excluded=same_fp8_or_int8,
    tuned=(CUDA_TUNED,),
    upstream_schemas=dict.fromkeys(
        GENERATIONS,
        "reshape_and_cache_flash(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, "
        "Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()",
    ),
)
