"""cp_gather_cache: rows of sequences from pages, as bytes."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared import gather
from generator.spec.shared.generations import GENERATIONS

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "cp_gather_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, "
        "int batch_size, Tensor? seq_starts=None) -> ()"
    ),
    summary="gathers the rows of sequences from pages, bits as they are.",
    doc="""\
For row j of sequence b < batch_size, cu_seq_lens[b] <= j < cu_seq_lens[b + 1], with
p = j - cu_seq_lens[b] + seq_starts[b]:
  dst[j, ...] = src_cache[block_table[b, p div block_size], p mod block_size, ...]
The number of rows is dst's size; numbers of cu_seq_lens beyond it mean the same as it. Rows that no
sequence has, in front of cu_seq_lens[0] or from cu_seq_lens[batch_size] on, are left as they are. Zero
rows are a successful no-op. Any dtype of whole bytes and any entry size: bytes are moved, 16 at a time
where alignment allows, whole pages at once on the CPU where both sides are dense.

"""
    + gather.ERRORS
    + """
Source of the rule: vLLM's op of the same name, with its 32-bit offsets, its element widths, its
alignment and its bounds defects corrected.""",
    arguments={
        "src_cache": (
            "[num_blocks, block_size, ...], any dtype; dimensions from 2 on are contiguous"
        ),
        "dst": (
            "[num_rows, ...], dtype and bytes of a row as src_cache; dimensions from 1 on are "
            "contiguous; less than 2^31 rows"
        ),
        "block_table": gather.BLOCK_TABLE.format("batch_size"),
        "cu_seq_lens": "[>= batch_size + 1], int32, contiguous, ascending: first row of each sequence",
        "batch_size": "sequences to gather",
        "seq_starts": gather.SEQ_STARTS.format("batch_size"),
    },
    elsewhere={"vLLM": "cp_gather_cache"},
    params=gather.params(
        "bytes",
        "which page holds each row; starts: cu_seq_lens, offsets: seq_starts",
        Field("int32_t", "entry_size", "bytes of a row"),
    ),
    tuned=gather.TUNED,
    axes=(dtypes("width", "b8"),),
    upstream_schemas=dict.fromkeys(
        GENERATIONS,
        "cp_gather_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, "
        "int batch_size, Tensor? seq_starts) -> ()",
    ),
)
