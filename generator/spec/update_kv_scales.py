"""update_kv_scales: scales of a cache of codes, made while the engine runs."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.tuned import Tuned

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "update_kv_scales(Tensor key, Tensor value, Tensor! k_scale, Tensor! v_scale, "
        "float divisor=240.0) -> ()"
    ),
    summary="raises the scales of keys and values to what new ones need.",
    doc="""\
With amax the largest magnitude of an element, NaNs left out:
  k_scale = max(k_scale, amax of key / divisor)
  v_scale = max(v_scale, amax of value / divisor)
The quotient is that of f32, to nearest even, and infinite for an infinite element; one of 0 changes
nothing. Scales are compared as the signed integers that their bits are: a negative one is less than any,
and a NaN without a sign stays. Start with 0, or with the least that a scale may be. No elements are a
successful no-op. On CUDA a graph can capture the call.

448 as the divisor would let the largest element be the largest code of E4M3; 240, the default, leaves
room for elements that are larger than those seen so far.

Errors: KVF_INVALID_VALUE for a divisor that is no positive, finite, normal f32.
Source of the rule: mistral.rs and attention.rs, whose functions of this name have 240 built in.""",
    arguments={
        "key": "[num_tokens, num_heads, head_size], f32, f16 or bf16, any strides",
        "value": "[num_tokens, num_heads, value_head_size], as key otherwise",
        "k_scale": "f32, one element",
        "v_scale": "as k_scale",
        "divisor": "magnitude of a code that the largest element has; positive, finite and normal as f32",
    },
    elsewhere={"mistral.rs": "update_kv_scales_f32 to update_kv_scales_bf16"},
    params=(
        Field("kvf_view", "key", "stride[0..2]: token, head, element"),
        Field("kvf_view", "value", "as key"),
        Field("kvf_view", "k_scale", "f32, one element"),
        Field("kvf_view", "v_scale", "as k_scale"),
        Field("int64_t", "num_tokens", "tokens"),
        Field("int64_t", "num_heads", "KV heads"),
        Field("int64_t", "head_size", "elements of a head of key"),
        Field("int64_t", "value_head_size", "elements of a head of value"),
        Field("float", "divisor", "what the largest magnitude is divided by"),
        Field("int64_t", "heads[2]", "of key and value; 1 where heads have been joined", True),
        Field("int64_t", "rows[2]", "tokens times heads, or 1 where all are one row", True),
        Field("int64_t", "size[2]", "elements of a row", True),
        Field("kvf_divider", "by_heads[2]", "splits a row number into token and head", True),
        Field("kvf_divider", "by_units[2]", "vectors (CUDA) or pieces (CPU) of a row", True),
        Field("int32_t", "vector_elements", "elements that one CUDA thread reads at a time", True),
    ),
    # The threads of a block, and how many blocks there are at most.
    tuned=(Tuned("cuda", {"threads": (256, 512), "blocks": (264, 132, 528)}, "elements", ()),),
    axes=(dtypes("scalar", "f32", "f16", "bf16"),),
)
