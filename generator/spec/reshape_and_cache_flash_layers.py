"""reshape_and_cache_flash_layers: reshape_and_cache_flash for all layers of a model at once."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.writer import ARGUMENTS, CUDA_TUNED, SLOT_REMAP, same_fp8_or_int8

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "reshape_and_cache_flash_layers(Tensor keys, Tensor values, Tensor(a!)[] key_caches, "
        "Tensor(b!)[] value_caches, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scales, "
        "Tensor v_scales, Tensor? slot_remap=None) -> ()"
    ),
    summary="scatters the keys and values of all layers into their paged caches, in one launch.",
    doc="""\
With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, for every layer l:
  key_caches[l][block, offset, h, d]   = Q(keys[l, t, h, d],   k_scales[l, h])
  value_caches[l][block, offset, h, d] = Q(values[l, t, h, d], v_scales[l, h])
which is what reshape_and_cache_flash does for each layer by itself, with the same Q, the same
layouts told by strides and the same bits; the size of a value's head may differ from that of a
key's. All layers share slot_mapping, and the caches of all layers have the same sizes and strides,
those of keys and of values each for themselves. Tokens
with a negative slot are skipped. The number of tokens is the length of slot_mapping; keys and
values may have more rows (graph padding), which are not read. Zero tokens and zero layers are a
successful no-op. Two tokens with one slot race.

CUDA: the addresses of the caches travel in the launch parameters, so nothing is allocated and the
call can be captured in a graph; a launch has up to 128 layers, and a call with more is several
launches. It pays where a launch costs more than its work, when speculative or draft layers are
written together, and when a prefill of all layers moves in from elsewhere.

Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
written; CUDA: that token is skipped in all layers and counted once, see kvf_cuda_fault_count).
KVF_CUDA_ERROR when a launch fails; those before it stay on the stream, and the sentence says so
("enqueued: 128 of 300 layers").
Source of the rule: vLLM's reshape_and_cache_flash and the grouped form of its MLA writer.""",
    arguments={
        "keys": (
            "[num_layers, num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any "
            "strides"
        ),
        "values": "[num_layers, num_rows >= num_tokens, num_heads, value_head_size], as keys otherwise",
        "key_caches": (
            "num_layers tensors of [num_blocks, block_size, num_heads, head_size], the cache dtype "
            "(uint8 or float8 for fp8, int8 or uint8 for int8), any strides, the same for all "
            "layers"
        ),
        "value_caches": (
            "num_layers tensors of [num_blocks, block_size, num_heads, value_head_size], as key_caches, "
            "with strides of their own"
        ),
        "slot_mapping": ARGUMENTS["slot_mapping"],
        "kv_cache_dtype": "'auto' (the dtype of keys), 'fp8', 'fp8_e4m3', 'fp8_e5m2' or 'int8'",
        "k_scales": (
            "f32, one element, [num_layers] or [num_layers, num_heads]; the cache holds key / "
            "scale; not read when the cache holds the scalar dtype"
        ),
        "v_scales": "as k_scales, for values",
        "slot_remap": SLOT_REMAP,
    },
    params=(
        Field("kvf_view", "key", "of the first layer; stride[0..2]: token, head, element"),
        Field("kvf_view", "value", "as key"),
        Field(
            "kvf_view",
            "key_cache",
            "what all layers share, stride[0..3]: block, token, head, element; data is not read",
        ),
        Field("kvf_view", "value_cache", "as key_cache"),
        Field(
            "kvf_view",
            "k_scale",
            "f32, of the first layer; stride[0]: head, 0 for one scale; data may be NULL when bits "
            "are copied",
        ),
        Field("kvf_view", "v_scale", "as k_scale"),
        Field("int64_t", "key_layer_stride", "elements from a layer's key to the next one's"),
        Field("int64_t", "value_layer_stride", "as key_layer_stride"),
        Field("int64_t", "k_scale_layer_stride", "the same for scales; 0 for one scale"),
        Field("int64_t", "v_scale_layer_stride", "as k_scale_layer_stride"),
        Field("kvf_slots", "slots", "tokens, pages and where each token goes"),
        Field("int32_t", "num_heads", "KV heads"),
        Field("int32_t", "head_size", "elements of a head of keys"),
        Field("int32_t", "value_head_size", "elements of a head of values"),
        Field("int32_t", "num_layers", "layers, at most KVF_MAX_LAYERS"),
        Field(
            "int32_t",
            "counted",
            "CUDA: 1 if a launch before counted the slots that are out of range",
        ),
        Field("void *", "key_caches[KVF_MAX_LAYERS]", "element 0 of each layer's cache"),
        Field("void *", "value_caches[KVF_MAX_LAYERS]", "as key_caches"),
        Field("int32_t", "vector_elements", "elements that one CUDA thread moves at a time", True),
        Field("int32_t", "streaming", "CPU: store past the caches", True),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2", "int8"),
    ),
    excluded=same_fp8_or_int8,
    tuned=(CUDA_TUNED,),
)
