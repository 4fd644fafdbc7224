"""cp_gather_indexer_k_quant_cache: reads what indexer_k_quant_and_cache wrote, page by page."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.tuned import Tuned

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "cp_gather_indexer_k_quant_cache(Tensor kv_cache, Tensor! dst_k, Tensor! dst_scale, "
        "Tensor block_table, Tensor cu_seq_lens) -> ()"
    ),
    summary="gathers the quantised indexer keys of sequences, and their scales, from pages.",
    doc="""\
For row j of sequence b, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with p = j - cu_seq_lens[b],
offset = p mod block_size, D = head_dim, n = scales of a token, and P the bytes of page
block_table[b, p div block_size]:
  dst_k[j, :]     = P[offset * D .. offset * D + D - 1]
  dst_scale[j, :] = P[block_size * D + 4 * offset * n ..], 4 * n bytes
Bytes are copied. Rows that no sequence has, in front of cu_seq_lens[0] or from the last element
of cu_seq_lens on, are left as they are. Zero rows are a successful no-op: no index is looked at then.

The group size is not an argument: dst_scale tells n, and head_dim must be a multiple of it.

Errors: KVF_INVALID_VALUE for destination rows or pages whose bytes are not neighbours;
KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before anything is
written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count).
Source of the rule: vLLM's op of the same name, with its contiguous destinations, its groups of 128
and more, its alignment and its bounds defects corrected.""",
    arguments={
        "kv_cache": (
            "[num_blocks, block_size, head_dim + 4 * n], uint8 or float8_e4m3fn; any page stride, "
            "the bytes of a page dense"
        ),
        "dst_k": "[num_rows, head_dim], uint8 or float8_e4m3fn; any row stride, rows dense",
        "dst_scale": "[num_rows, 4 * n], uint8, or [num_rows, n], f32; any row stride, rows dense",
        "block_table": "[num_sequences, width], int32 or int64; any stride of sequences",
        "cu_seq_lens": "[num_sequences + 1], int32, ascending: the first row of each sequence",
    },
    elsewhere={"vLLM": "cp_gather_indexer_k_quant_cache"},
    params=(
        Field("kvf_view", "kv_cache", "bytes; stride[0]: page"),
        Field("kvf_view", "dst_k", "bytes; stride[0]: row"),
        Field("kvf_view", "dst_scale", "bytes; stride[0]: row"),
        Field("kvf_block_table", "table", "which page holds each row"),
        Field("int64_t", "num_rows", "rows of the destinations"),
        Field("int32_t", "head_dim", "elements of a key"),
        Field("int32_t", "num_scales", "scales of a key"),
        Field("int32_t", "rows_per_block", "CUDA: rows of a thread block", True),
        Field("int32_t", "vector_elements", "bytes that one CUDA thread moves at a time", True),
        Field("int32_t", "scales_aligned", "whether scales can be copied in one piece", True),
    ),
    # The threads of a block, and the rows that each of its warps has, at most 32.
    tuned=(
        Tuned(
            "cuda", {"threads": (128, 256), "rows": (4, 8, 16, 32)}, "num_rows", (256, 4096, 65536)
        ),
    ),
    axes=(dtypes("width", "b8"),),
    moved="fp8_e4m3",
)
