"""What the specs of hisparse share: rows of a pool in host memory, some of which a device holds."""

from __future__ import annotations

from generator.axes import dtypes
from generator.model import Field

HOST_CACHE = (
    "[num_host_rows, ...], any dtype, rows without gaps, any row stride; in host memory, which a "
    "call on CUDA wants pinned"
)
HOT_CACHE = (
    "[num_blocks, block_size, ...], the dtype and row size of host_cache, rows without gaps, any "
    "page and row strides"
)
ROWS = Field("kvf_hot_rows", "rows", "the pool and the pages")
AXES = (dtypes("width", "b8"),)
