"""concat_and_cache_mla_grouped: the MLA writer for several layers at once."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.generations import generations
from generator.spec.shared.mla import SIZES, TUNED
from generator.spec.shared.writer import SLOT_REMAP, same_or_fp8

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "concat_and_cache_mla_grouped(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, "
        "Tensor slot_mapping, int block_size, int block_stride, int entry_stride, "
        "Tensor? kv_scales=None, str kv_cache_dtype='auto', int num_blocks=-1, "
        "Tensor? slot_remap=None) -> ()"
    ),
    summary="writes the latent and the rope part of new tokens to the MLA pages of several layers.",
    doc="""\
With L = kv_lora_rank, R = rope_dim, s = slot_mapping[n, t], row the address kv_cache_ptrs[n] plus
(s div block_size) * block_stride + (s mod block_size) * entry_stride cache elements:
  row[i]     = Q(kv_c[n, t, i], kv_scales[n])  for i in [0, L)
  row[L + j] = Q(k_pe[n, t, j], kv_scales[n])  for j in [0, R)
Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale in f32,
rounds to nearest even and saturates. All layers share block_size and strides, and are written in
one launch. Any L and R, 0 included. Tokens with a negative slot are skipped. The number of tokens
is that of slot_mapping; kv_c and k_pe may have more rows, which are not read. CUDA kernels may read
the rows of skipped tokens. Zero layers or tokens are a successful no-op. Two tokens of a layer with
one slot race.

The caches are known by address alone, so only the caller can say how many pages they have: with
num_blocks, slots are checked as in concat_and_cache_mla; with -1 they are trusted.

Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
written; CUDA: that token is skipped and counted, see kvf_cuda_fault_count). An address that is 0 or
no multiple of the element size is refused on the CPU; on CUDA each token of that layer is skipped and
counted, unless its slot is negative.
Source of the rule: vLLM's op of the same name, with every scalar dtype and num_blocks added.""",
    arguments={
        "kv_c": "[num_layers, num_rows >= num_tokens, kv_lora_rank], f32, f16 or bf16, any strides",
        "k_pe": "[num_layers, num_rows >= num_tokens, rope_dim], the dtype of kv_c, any strides",
        "kv_cache_ptrs": (
            "[num_layers], int64, any stride: address of each layer's cache, in the memory that "
            "the other tensors are in"
        ),
        "slot_mapping": (
            "[num_layers, num_tokens], int64 or int32, any strides (0 for one row that all layers "
            "share); a negative slot skips its token"
        ),
        "block_size": "tokens in a page",
        "block_stride": "distance of two pages, in cache elements; at least kv_lora_rank + rope_dim",
        "entry_stride": "distance of two tokens, likewise",
        "kv_scales": (
            "[num_layers], f32, any stride; layer n holds element / kv_scales[n]; required for fp8 "
            "and absent otherwise"
        ),
        "kv_cache_dtype": "'auto' (the dtype of kv_c), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'",
        "num_blocks": "pages in each cache; -1 when slots need no check",
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={"vLLM": "concat_and_cache_mla_grouped"},
    params=(
        Field("kvf_view", "kv_c", "stride[0..2]: layer, token, element"),
        Field("kvf_view", "k_pe", "as kv_c"),
        Field("kvf_view", "kv_cache_ptrs", "int64 addresses; stride[0]: layer"),
        Field("kvf_view", "kv_scales", "f32; stride[0]: layer; data may be NULL unless fp8"),
        Field("int64_t", "num_layers", "layers"),
        Field("int64_t", "slots_layer_stride", "of a layer in slots.mapping, in elements"),
        Field("int64_t", "block_stride", "of a page, in cache elements"),
        Field("int64_t", "entry_stride", "of a token, in cache elements"),
        *SIZES,
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2"),
    ),
    excluded=same_or_fp8,
    upstream_schemas={
        **dict.fromkeys(
            generations(since="vllm-0.26", before="vllm-0.31"),
            "concat_and_cache_mla_grouped(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, "
            "Tensor slot_mapping, int block_size, int block_stride, int entry_stride) -> ()",
        ),
        **dict.fromkeys(
            generations(since="vllm-0.31"),
            "concat_and_cache_mla_grouped(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, "
            "Tensor slot_mapping, int block_size, int block_stride, int entry_stride, "
            "Tensor? kv_scales=None, str kv_cache_dtype='auto') -> ()",
        ),
    },
    tuned=TUNED,
)
