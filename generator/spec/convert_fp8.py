"""convert_fp8: whole tensors to fp8, from fp8, and between float dtypes."""

from generator.axes import dtypes
from generator.dtypes import DType
from generator.model import Field, Op
from generator.spec.shared.generations import GENERATIONS
from generator.tuned import Tuned


def excluded(source: DType, destination: DType) -> str | None:
    """One side holds floats, and the sides differ."""
    if source is destination:
        return "both sides are of one dtype: there is nothing to convert"
    if not source.is_float and not destination.is_float:
        return "one side must hold floats: codes become codes of another format through them"
    return None


OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "convert_fp8(Tensor! dst_cache, Tensor src_cache, float scale=1.0, "
        "str kv_cache_dtype='fp8') -> ()"
    ),
    summary="converts a tensor of any shape to fp8, from fp8, or from one float dtype to another.",
    doc="""\
For every i, with the elements of both tensors numbered from the last dimension on:
  floats to fp8:    dst[i] = Q(src[i] / scale)
  fp8 to floats:    dst[i] = float(src[i]) * scale
  floats to floats: dst[i] = src[i] in the other dtype
Q rounds to nearest even and saturates, and every NaN becomes 0x7F. Everything else rounds to nearest
even once, from f32, overflows to infinity, and has one NaN per dtype: 0x7FFFFFFF, 0x7FFF. Division
and product are those of f32, so the scale is narrowed to f32 first. In the dispatch table the scalar
dtype is the source's, the cache dtype the destination's.

kv_cache_dtype names the format of the side that holds codes: 'fp8' and 'fp8_e4m3' E4M3,
'fp8_e5m2' E5M2; a side whose dtype is float8 must agree with it. 'auto' names none and is refused.
Between float dtypes there are no codes: kv_cache_dtype is 'auto' or names the destination's dtype,
and scale must be 1.

The shapes may differ, with equally many elements: both are cut into pieces that they have in common,
which there always are if one of them has no gaps. Any strides, of up to 5 such pieces that neither are
of size 1 nor can be joined with another one, in both tensors alike; permuted tensors are as fast as
contiguous ones. Empty tensors are a successful no-op. The tensors must not overlap.

Errors: KVF_INVALID_TYPE when neither side holds floats, KVF_UNSUPPORTED for too many pieces, or none in
common.
Source of the rule: vLLM's op of the same name, with 'auto' refused, E5M2 added, numbers of elements
compared and strides honoured.""",
    arguments={
        "dst_cache": (
            "as many elements as src_cache; f32, f16, bf16, or codes as uint8 or float8; any strides"
        ),
        "src_cache": "any shape; f32, f16, bf16, or codes as uint8 or float8; any strides",
        "scale": (
            "what codes are multiplied with to become values; positive, finite and normal as f32 "
            "(2^-126 to 3.4e38)"
        ),
        "kv_cache_dtype": (
            "'fp8', 'fp8_e4m3' or 'fp8_e5m2'; between floats 'auto' or the name of the dtype of "
            "dst_cache"
        ),
    },
    elsewhere={"vLLM": "convert_fp8"},
    params=(
        Field("kvf_view", "dst_cache", "stride[0..4] go with size[0..4]"),
        Field("kvf_view", "src_cache", "as dst_cache"),
        Field("int64_t", "size[KVF_MAX_RANK]", "elements of each dimension; 1 where there is none"),
        Field("float", "scale", "1 between float dtypes"),
        Field("int64_t", "rows", "runs of elements along dimension 4", True),
        Field(
            "kvf_divider", "by_size[KVF_MAX_RANK]", "take the number of a row apart; 1 to 3", True
        ),
        Field("kvf_divider", "by_units", "vectors (CUDA) or pieces (CPU) of a row", True),
        Field("int32_t", "in_flight", "CUDA: vectors that a thread loads before it stores", True),
        Field("int32_t", "vector_elements", "elements that one CUDA thread moves at a time", True),
        Field("int32_t", "streaming", "CPU: store past the caches", True),
    ),
    # The threads of a block, how many vectors each has in flight if its registers have room, and up to
    # how many blocks work is rather split up than given to a thread.
    tuned=(
        Tuned(
            "cuda",
            {"threads": (256, 128), "vectors": (4, 2, 1), "blocks": (264, 1056)},
            "elements",
            (),
        ),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2"),
        dtypes("cache", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2"),
    ),
    excluded=excluded,
    upstream_schemas=dict.fromkeys(
        GENERATIONS,
        "convert_fp8(Tensor! dst_cache, Tensor src_cache, float scale, str kv_cache_dtype) -> ()",
    ),
)
