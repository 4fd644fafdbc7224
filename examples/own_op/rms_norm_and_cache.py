"""rms_norm_and_cache: normalises keys head by head, then writes keys and values to the paged cache."""

from generator.axes import dtypes
from generator.model import Field, Op, same_or_fp8

OP = Op(
    namespace="my_namespace",
    headers="kvforge/cache",
    schema_text=(
        "rms_norm_and_cache(Tensor key, Tensor value, Tensor weight, Tensor! key_cache, "
        "Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, "
        "Tensor v_scale, float epsilon=1e-06) -> ()"
    ),
    summary="normalises the keys of new tokens and writes keys and values to a paged cache.",
    doc="""\
With s = slot_mapping[t], block = s div block_size, offset = s mod block_size:
  n[d] = key[t, h, d] * (1 / sqrt(mean over d of key[t, h, d]^2 + epsilon)) * weight[d]
  key_cache[block, offset, h, d]   = Q(n[d], k_scale[h])
  value_cache[block, offset, h, d] = Q(value[t, h, d], v_scale[h])
The arithmetic is f32; n is rounded to the dtype of key, so that the result is that of an RMS norm
followed by reshape_and_cache_flash. Q copies the bits when the cache holds the dtype of key; for fp8
it divides by the scale in f32, rounds to nearest even and saturates. Tokens with a negative slot are
skipped; rows of key and value behind the last slot are not read. Two tokens with one slot race.

Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count).""",
    arguments={
        "key": "[num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides",
        "value": "as key, with strides of its own",
        "weight": "[head_size], the dtype of key, any stride; the same for every head",
        "key_cache": (
            "[num_blocks, block_size, num_heads, head_size], the cache dtype (uint8 or float8 for "
            "fp8), any strides"
        ),
        "value_cache": "as key_cache, with strides of its own",
        "slot_mapping": "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
        "kv_cache_dtype": "'auto' (the dtype of key), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'",
        "k_scale": (
            "f32, one element or [num_heads]; not read when the cache holds the dtype of key"
        ),
        "v_scale": "as k_scale, for value",
        "epsilon": "added to the mean of squares; 0 or more",
    },
    params=(
        Field("kvf_view", "key", "stride[0..2]: token, head, element"),
        Field("kvf_view", "value", "as key"),
        Field("kvf_view", "weight", "stride[0]: element"),
        Field("kvf_view", "key_cache", "stride[0..3]: block, token, head, element"),
        Field("kvf_view", "value_cache", "as key_cache"),
        Field("kvf_view", "k_scale", "f32; stride[0]: head, 0 for one scale"),
        Field("kvf_view", "v_scale", "as k_scale"),
        Field("kvf_slots", "slots", "tokens, pages and where each token goes"),
        Field("int32_t", "num_heads", "KV heads"),
        Field("int32_t", "head_size", "elements of a head"),
        Field("float", "epsilon", "added to the mean of squares"),
        Field("int32_t", "vector_elements", "elements that one CUDA thread moves at a time", True),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2"),
    ),
    excluded=same_or_fp8,
)
