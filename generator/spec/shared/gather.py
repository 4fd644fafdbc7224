"""What the spec files of the ops that gather rows from pages share."""

from generator.model import Field
from generator.tuned import Tuned

BLOCK_TABLE = (
    "[>= {0}, width], int32 or int64, stride of dimension 1 is 1: the page of each part of a "
    "sequence"
)
SEQ_STARTS = (
    "[>= {0}], int32, contiguous: position of a sequence's first row, in tokens, any number of "
    "them; None for 0"
)
ERRORS = """\
Errors: KVF_OUT_OF_RANGE for a page that is not in the cache or not in the table (CPU: before anything
is written; CUDA: that row is skipped and counted, see kvf_cuda_fault_count)."""


def params(unit: str, table: str, *own: Field) -> tuple[Field, ...]:
    """The params struct: views in `unit`, rows found as `table` says, then an op's own members."""
    return (
        Field("kvf_view", "src_cache", f"{unit}; stride[0..1]: page, token; a row is dense"),
        Field("kvf_view", "dst", "elements; stride[0]: row; a row is dense"),
        Field("kvf_block_table", "table", table),
        Field("int64_t", "num_rows", "rows of dst, whether a sequence has them or not"),
        *own,
        Field("int32_t", "rows_per_tile", "CUDA: rows of a thread block", True),
        Field("int32_t", "tile_vectors", "CUDA: vectors of a row that a thread block moves", True),
        Field("int32_t", "vector_elements", "elements that one CUDA thread moves at a time", True),
        Field("int32_t", "streaming", "CPU: store past the caches", True),
    )


# The threads of a block, how many vectors a tile has for each of them, and up to how many blocks rows
# are rather split up than packed.
TUNED = (
    Tuned(
        "cuda",
        {"threads": (256, 128), "vectors": (4, 2, 8), "blocks": (512, 128, 2048)},
        "num_rows",
        (256, 4096, 65536),
    ),
)


def upconvert(source: str) -> dict[str, str]:
    """The arguments that the ops on rows of a format share, in the order of their schemas."""
    return {
        "src_cache": source,
        "dst": "[num_rows, 576], f32, f16 or bf16; stride of dimension 1 is 1; less than 2^31 rows",
        "block_table": BLOCK_TABLE.format("batch_size"),
        "workspace_starts": (
            "[>= batch_size], int32, contiguous, ascending: first row of each sequence"
        ),
        "batch_size": "sequences to gather",
    }


UPCONVERT_PARAMS = params(
    "bytes",
    "which page holds each row; starts: workspace_starts, open-ended, offsets: seq_starts",
)
