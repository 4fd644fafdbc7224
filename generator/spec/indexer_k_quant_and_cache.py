"""indexer_k_quant_and_cache: the writer of the sparse-attention indexer's key pages."""

from dataclasses import replace

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.formats import (
    FP8_INDEXER,
    FP8_INDEXER_MXFP8,
    FP8_INDEXER_UE8M0,
)
from generator.spec.shared.generations import generations
from generator.spec.shared.mla import CPU_TUNED, CUDA_TUNED
from generator.spec.shared.writer import SLOT_REMAP

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "indexer_k_quant_and_cache(Tensor k, Tensor! kv_cache, Tensor slot_mapping, "
        "int quant_block_size, str kv_cache_dtype, Tensor? slot_remap=None) -> ()"
    ),
    summary="quantises the indexer keys of new tokens in groups and scatters them into pages.",
    doc="""\
With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, D = head_dim,
g = quant_block_size, and P the bytes of page `block`, all codes first and all scales behind them:
  P[offset * D + d]                                        = Q(k[t, d], scale of group d div g)
  P[block_size * D + 4 * (offset * (D / g) + j)], 4 bytes  = scale of group j, f32
  scale = max(largest magnitude of the group, 1e-4) / 448
With kv_cache_dtype "ue8m0" the scale is rounded up to a power of two; it is stored as f32 all
the same. With "mxfp8" it is rounded so, too, and each of the 4 bytes holds its biased exponent (E8M0:
2^(byte - 127) is the value; 255 is that of an infinite scale, and reads as NaN). Q divides by the
scale in f32, rounds to nearest even and saturates to E4M3. NaNs do not count for the scale and get
the code 0x7F; a group with an infinity has an infinite scale.
Tokens with a negative slot are skipped. The number of tokens is the length of slot_mapping; k may
have more rows (graph padding), which are not read. Zero tokens are a successful no-op. Two
tokens with one slot race.

Any head_dim, and any power of two that divides it as the group size (usual: 32, 64, 128).

Errors: KVF_INVALID_VALUE for a group size that is not a power of two or does not divide head_dim,
for a kv_cache_dtype that is not one of those named, or for a page whose bytes are not neighbours;
KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is written; CUDA:
that token is skipped and counted, see kvf_cuda_fault_count).
Source of the rule: vLLM's op of the same name, with its group size of 128 whatever the argument
says, its wrong f16 and f32 results, its ignored strides, and its plain scales for a string that it
does not know corrected. The power of two is found exactly, from the exponent bits. vLLM takes f32
log2 and exp2, and so keeps the power below where a quotient is a few units in the last place above
it; the largest element then saturates.""",
    arguments={
        "k": "[num_rows >= num_tokens, head_dim], f32, f16 or bf16, any strides",
        "kv_cache": (
            "[num_blocks, block_size, head_dim + 4 * head_dim / quant_block_size], uint8 or "
            "float8_e4m3fn; any page stride, the bytes of a page dense"
        ),
        "slot_mapping": (
            "[num_tokens], int64 or int32, any stride; a negative slot skips its token"
        ),
        "quant_block_size": "elements of a group, a power of two that divides head_dim",
        "kv_cache_dtype": (
            "the format of the scales: 'fp8_indexer', which 'auto', 'fp8' and 'fp8_e4m3' name too, for "
            "plain ones; 'ue8m0' (or 'fp8_indexer_ue8m0') for powers of two; 'mxfp8' (or "
            "'fp8_indexer_mxfp8') for their exponents"
        ),
        "slot_remap": SLOT_REMAP,
    },
    elsewhere={"vLLM": "indexer_k_quant_and_cache"},
    params=(
        Field("kvf_view", "k", "stride[0..1]: token, element"),
        Field("kvf_view", "kv_cache", "bytes; stride[0]: page"),
        Field("kvf_slots", "slots", "tokens, pages and where each token goes"),
        Field("int32_t", "head_dim", "elements of a key"),
        Field("int32_t", "group_size", "elements of a group, a power of two"),
        Field("kvf_divider", "by_groups", "splits a group number into token and group", True),
        Field("int32_t", "lane_bits", "2^lane_bits CUDA threads share a group", True),
        Field("int32_t", "vector_elements", "elements that one CUDA thread moves at a time", True),
        Field("int32_t", "scales_aligned", "whether scales can be stored in one piece", True),
        Field("int32_t", "rows_ahead", "CPU: how many tokens ahead a row is asked for", True),
    ),
    # The threads of a block, and from how many threads on each has a vector of 16 elements.
    tuned=(
        CPU_TUNED,
        replace(CUDA_TUNED, constants={**CUDA_TUNED.constants, "wide_from": (16384, 1, 131072)}),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("cache", FP8_INDEXER, FP8_INDEXER_UE8M0, FP8_INDEXER_MXFP8),
    ),
    upstream_schemas=dict.fromkeys(
        generations(),
        "indexer_k_quant_and_cache(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int "
        "quant_block_size, str kv_cache_dtype) -> ()",
    ),
)
