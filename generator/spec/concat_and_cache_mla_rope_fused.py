"""concat_and_cache_mla_rope_fused: rotary embedding of queries and keys, and the MLA cache write."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.generations import GENERATIONS, generations
from generator.spec.shared.mla import SIZES, SLOT_MAPPING, TUNED
from generator.spec.shared.writer import SLOT_REMAP, same_or_fp8

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "concat_and_cache_mla_rope_fused(Tensor positions, Tensor! q_pe, Tensor! k_pe, "
        "Tensor kv_c, Tensor cos_sin_cache, bool is_neox, Tensor slot_mapping, Tensor! kv_cache, "
        "str kv_cache_dtype, Tensor kv_cache_scale, bool rotate_skipped=False, "
        "Tensor? slot_remap=None) -> ()"
    ),
    summary="rotates queries and keys by their positions and writes the keys to MLA pages.",
    doc="""\
With L = kv_lora_rank, R = rope_dim, cos = cos_sin_cache[positions[t], i] and
sin = cos_sin_cache[positions[t], R / 2 + i], for i in [0, R / 2):
  (x, y) are elements i and R / 2 + i of a row if is_neox, else 2 i and 2 i + 1, and become
  x' = x * cos - y * sin
  y' = y * cos + x * sin
Products, sums and differences are made in f32, none of them fused, so the CPU and CUDA give the
same bits. With cos_sin_cache of the scalar dtype each is rounded to it (three roundings for an
element of f16 or bf16); with one of f32 next to f16 or bf16 the end alone is. A NaN is 0x7FFF, or
0x7FFFFFFF in f32.

q_pe and k_pe are rotated in place, and k_pe is written behind kv_c, with s = slot_mapping[t],
block = s div block_size and offset = s mod block_size:
  kv_cache[block, offset, i]     = Q(kv_c[t, i], kv_cache_scale)  for i in [0, L)
  kv_cache[block, offset, L + j] = Q(k_pe[t, j], kv_cache_scale)  for j in [0, R), rotated
Q copies the bits when the cache holds the scalar dtype; for fp8 it divides by the scale in f32,
rounds to nearest even and saturates. A token with a negative slot is left alone, and its position
is not looked at (graph padding); with rotate_skipped its queries are rotated all the same, as a
rank needs that keeps the keys of some tokens alone. The number of tokens is the length of
slot_mapping; the other tensors may have more rows, which are left alone. CUDA kernels may read the
rows of skipped tokens. Any L, any even R, any number of heads, 0 included. Zero tokens are a
successful no-op. Two tokens with one slot race.

Errors: KVF_OUT_OF_RANGE for a position that is looked at and no row of cos_sin_cache, and for a
slot beyond num_blocks * block_size (CPU: before anything is written; CUDA: counted, see
kvf_cuda_fault_count, and the token is treated as one with a negative slot, or left alone for its
position).
Source of the rule: vLLM's op of the same name, with its 32-bit strides and its empty-input and
bounds defects corrected. Before 0.33 it rotated the queries of all tokens.""",
    arguments={
        "positions": "[>= num_tokens], int64 or int32, any stride",
        "q_pe": "[num_rows >= num_tokens, num_heads, rope_dim], f32, f16 or bf16, any strides",
        "k_pe": "[num_rows, rope_dim], the dtype of q_pe, any strides",
        "kv_c": "[num_rows, kv_lora_rank], the dtype of q_pe, any strides",
        "cos_sin_cache": (
            "[num_positions, rope_dim], the dtype of q_pe or f32, any strides; a row is the cosines of "
            "all pairs and behind them the sines"
        ),
        "is_neox": "pairs are halves of a row (GPT-NeoX), else neighbours (GPT-J)",
        "slot_mapping": SLOT_MAPPING,
        "kv_cache": (
            "[num_blocks, block_size, kv_lora_rank + rope_dim], the cache dtype (uint8 or float8 "
            "for fp8), any strides"
        ),
        "kv_cache_dtype": "'auto' (the dtype of q_pe), 'fp8', 'fp8_e4m3' or 'fp8_e5m2'",
        "kv_cache_scale": (
            "f32, one element; the cache holds element / scale, for kv_c and k_pe alike; not read "
            "when the cache holds the scalar dtype"
        ),
        "rotate_skipped": "whether queries of tokens with a negative slot are rotated, too",
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={"vLLM": "concat_and_cache_mla_rope_fused"},
    params=(
        Field("kvf_view", "positions", "int64 or int32; stride[0]: token"),
        Field("kvf_view", "q_pe", "stride[0..2]: token, head, element"),
        Field("kvf_view", "k_pe", "stride[0..1]: token, element"),
        Field("kvf_view", "kv_c", "as k_pe"),
        Field("kvf_view", "cos_sin_cache", "stride[0..1]: position, element"),
        Field("kvf_view", "kv_cache", "stride[0..2]: page, token, element"),
        Field("kvf_view", "kv_cache_scale", "f32, one element; data may be NULL unless fp8"),
        Field("int64_t", "num_positions", "rows of cos_sin_cache"),
        Field("int32_t", "position_bytes", "of one element of positions: 8 or 4"),
        Field("int32_t", "num_heads", "query heads"),
        Field("int32_t", "is_neox", "whether pairs are halves of a row, else neighbours"),
        Field(
            "int32_t", "f32_angles", "whether cos_sin_cache is f32 next to a 16-bit scalar dtype"
        ),
        Field("int32_t", "rotate_skipped", "whether queries of skipped tokens are rotated, too"),
        *SIZES,
        Field("int32_t", "vector_pairs", "pairs that one CUDA thread rotates at a time", True),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2"),
    ),
    excluded=same_or_fp8,
    tuned=TUNED,
    upstream_schemas=dict.fromkeys(
        GENERATIONS,
        "concat_and_cache_mla_rope_fused(Tensor positions, Tensor! q_pe, Tensor! k_pe, Tensor kv_c, "
        "Tensor cos_sin_cache, bool is_neox, Tensor slot_mapping, Tensor! kv_cache, "
        "str kv_cache_dtype, Tensor kv_cache_scale) -> ()",
    ),
    upstream_flags=dict.fromkeys(generations(before="vllm-0.33"), ("rotate_skipped",)),
)
