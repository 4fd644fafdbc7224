"""hisparse_gather_plan: loads the rows that a plan marks, for one more layer."""

from generator.model import Field, Op
from generator.spec.shared.hot_rows import AXES, HOST_CACHE, HOT_CACHE, ROWS

PLAN = "[num_requests, num_columns], int32, any strides"

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "hisparse_gather_plan(Tensor host_cache, Tensor! hot_cache, Tensor global_indices, "
        "Tensor hot_indices, Tensor miss_mask, Tensor? request_state_indices, "
        "Tensor(a!)? attention_indices=None, int attention_block_stride=0) -> ()"
    ),
    summary="loads the rows of a host pool that a plan marks as missing, and tells where they lie.",
    doc="""\
For every row r of the plan and every column c, unless the row is padding:
  g, d = global_indices[r, c], hot_indices[r, c]
  where miss_mask[r, c] != 0:
    hot_cache[d div block_size, d mod block_size] = host_cache[g], or zeros for a
                                                    g >= num_host_rows
  attention_indices[r, c] = (d div block_size) * attention_block_stride + d mod block_size,
                            or -1 where d < 0
Row r is padding where request_state_indices[r] < 0: nothing is loaded, and its attention_indices are
-1. A marked pair with a negative g or d, or with a d beyond the last row of hot_cache, loads nothing;
attention_indices are -1 for such a d too. Where two pairs have the same d, either may come last. Bits
are copied. No rows, or no columns, are a successful no-op.

The plan is what hisparse_resolve_residency made for the first layer; this replays it for another. On
CUDA the kernel reads host_cache across the link; nothing is waited for, and the call can be captured in
a CUDA graph.

Errors: KVF_INVALID_VALUE for a host_cache that is not pinned (CUDA), rows with gaps, or an
attention_block_stride that is less than block_size or gives an index beyond int32.
Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and strides.""",
    arguments={
        "host_cache": HOST_CACHE,
        "hot_cache": f"{HOT_CACHE}; or [num_rows, ...] of rank 2, pages of one row",
        "global_indices": f"{PLAN}: rows of the pool",
        "hot_indices": f"{PLAN}: rows of hot_cache",
        "miss_mask": f"{PLAN}: 1 where the row is to be loaded",
        "request_state_indices": (
            "[at least num_requests], int32, any stride: negative for padding; None: no padding"
        ),
        "attention_indices": f"{PLAN}; None: not wanted",
        "attention_block_stride": "rows from a page to the next, as attention counts them",
    },
    elsewhere={
        "vLLM": "hisparse_gather_plan",
    },
    params=(
        ROWS,
        Field("kvf_view", "global_indices", "int32; stride[0..1]: row of the plan, column"),
        Field("kvf_view", "hot_indices", "as global_indices"),
        Field("kvf_view", "miss_mask", "as global_indices"),
        Field("kvf_view", "request_state_indices", "int32; stride[0]: row; data NULL for none"),
        Field("kvf_view", "attention_indices", "as global_indices; data NULL for none"),
        Field("int64_t", "attention_block_stride", "rows from a page to the next"),
        Field("int64_t", "num_requests", "rows of the plan"),
        Field("int64_t", "num_columns", "columns of the plan"),
        Field("kvf_divider", "by_num_columns", "splits an entry into row and column", True),
    ),
    axes=AXES,
)
