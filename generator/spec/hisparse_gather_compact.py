"""hisparse_gather_compact: loads listed rows of a host pool into the pages of a device."""

from generator.model import Field, Op
from generator.spec.shared.hot_rows import AXES, HOST_CACHE, HOT_CACHE, ROWS

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "hisparse_gather_compact(Tensor host_cache, Tensor! hot_cache, Tensor miss_global_indices, "
        "Tensor miss_hot_indices, Tensor miss_counts) -> ()"
    ),
    summary="loads rows of a host pool into a device's hot buffer, by a list for each request.",
    doc="""\
For every request r and every column c below miss_counts[r] (at most num_columns):
  g, d = miss_global_indices[r, c], miss_hot_indices[r, c]
  hot_cache[d div block_size, d mod block_size] = host_cache[g], or zeros for a
                                                  g >= num_host_rows
A pair with a negative g or d, or with a d beyond the last row of hot_cache, is skipped. Where two pairs
have the same d, either may come last. Bits are copied. No requests, or no columns, are a successful
no-op.

On CUDA the kernel reads host_cache across the link, 16 bytes at a time where rows and strides allow it;
nothing is waited for, and the call can be captured in a CUDA graph.

Errors: KVF_INVALID_VALUE for a host_cache that is not pinned (CUDA), or rows with gaps.
Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and strides.""",
    arguments={
        "host_cache": HOST_CACHE,
        "hot_cache": HOT_CACHE,
        "miss_global_indices": "[num_requests, num_columns], int32, any strides: rows of the pool",
        "miss_hot_indices": "[num_requests, num_columns], int32, any strides: rows of hot_cache",
        "miss_counts": "[at least num_requests], int32, any stride: how many pairs a request has",
    },
    elsewhere={
        "vLLM": "hisparse_gather_compact",
    },
    params=(
        ROWS,
        Field("kvf_view", "miss_global_indices", "int32; stride[0..1]: request, column"),
        Field("kvf_view", "miss_hot_indices", "as miss_global_indices"),
        Field("kvf_view", "miss_counts", "int32; stride[0]: request"),
        Field("int64_t", "num_requests", "requests"),
        Field("int64_t", "num_columns", "pairs that a request has at most"),
        Field("kvf_divider", "by_num_columns", "splits an entry into request and column", True),
    ),
    axes=AXES,
)
