"""What the spec files of the cache writers share: arguments and params of the same meaning."""

from generator.dtypes import DType
from generator.model import Field
from generator.tuned import Tuned

# In schema order; a spec overrides the texts that differ.
ARGUMENTS = {
    "key": "[num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides",
    "value": "as key, with strides of its own",
    "key_cache": "",
    "value_cache": "",
    "slot_mapping": "[num_tokens], int64 or int32, any stride; a negative slot skips its token",
    "kv_cache_dtype": "'auto' (the dtype of key), 'fp8', 'fp8_e4m3', 'fp8_e5m2' or 'int8'",
    "k_scale": "",
    "v_scale": "",
}

SLOT_REMAP = (
    "[size], int64 or int32, any stride; a slot s of slot_mapping is one of another pool, of `size` "
    "slots, and the page slot is slot_remap[s], a negative one of which writes nothing either; "
    "one from `size` on is out of range; None: slots are page slots"
)

PARAMS = (
    Field("kvf_view", "key", "stride[0..2]: token, head, element"),
    Field("kvf_view", "value", "as key"),
    Field("kvf_view", "key_cache", "strides in the order of the argument's dimensions"),
    Field("kvf_view", "value_cache", "as key_cache"),
    Field(
        "kvf_view",
        "k_scale",
        "f32; stride[0]: head, 0 for one scale; data may be NULL when bits are copied",
    ),
    Field("kvf_view", "v_scale", "as k_scale"),
    Field("kvf_slots", "slots", "tokens, pages and where each token goes"),
    Field("int32_t", "num_heads", "KV heads"),
    Field("int32_t", "head_size", "elements of a head"),
    Field("int32_t", "streaming", "CPU: store past the caches", True),
)

# Of ops with kernels for what fits into 32 bits.
NARROW = Field("kvf_narrow_write", "narrow", "the same in 32 bits, where it fits", True, True)

# Of ops whose raw launches can have scales by value.
SCALE_VALUES = (
    Field("float", "k_scale_value", "the scale where k_scale has no address; 0: it has one"),
    Field("float", "v_scale_value", "as k_scale_value"),
)


def same_or_fp8(scalar: DType, cache: DType) -> str | None:
    """The rule of the plain writers: the cache holds the scalar dtype itself or fp8 codes."""
    if cache.is_fp8 or cache is scalar:
        return None
    return f"a cache next to {scalar.token} tensors holds {scalar.token} itself or fp8"


def same_fp8_or_int8(scalar: DType, cache: DType) -> str | None:
    """The rule of the K/V writers: the cache holds the scalar dtype itself, fp8 or int8 codes."""
    reason = None if cache.token == "int8" else same_or_fp8(scalar, cache)
    return f"{reason} or int8" if reason else None


# The threads of a block.
CUDA_TUNED = Tuned("cuda", {"threads": (256, 128, 64)}, "num_tokens", (16, 256, 4096))
