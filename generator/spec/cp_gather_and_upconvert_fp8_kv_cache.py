"""cp_gather_and_upconvert_fp8_kv_cache: 656-byte MLA rows from pages, as 576 floats each."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared import gather
from generator.spec.shared.formats import FP8_DS_MLA
from generator.spec.shared.generations import generations

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, Tensor block_table, "
        "Tensor workspace_starts, int batch_size, Tensor? seq_starts=None, "
        "Tensor? host_cache=None, Tensor? host_row_ids=None, Tensor? device_row_ids=None, "
        "Tensor? seq_lens=None) -> ()"
    ),
    summary="gathers fp8_ds_mla rows of sequences from pages and turns them into floats.",
    doc="""\
Sequence b < batch_size has the rows from workspace_starts[b] up to workspace_starts[b + 1], the last one
up to the end of dst; no more than seq_lens[b] of them, if there is a seq_lens. For row j of it, with
p = j - workspace_starts[b] + seq_starts[b] and r = row p mod block_size of page
block_table[b, p div block_size]:
  dst[j, i] = E4M3(r[i]) * scale(r, i div 128)       0 <= i < 512, scales: 4 f32 at byte 512
  dst[j, i] = 16 bits at byte 528 + 2 * (i - 512)    512 <= i < 576
The product is one of f32, rounded to nearest even once, overflows to infinity, and has one NaN per
dtype: 0x7FFFFFFF, 0x7FFF. The 16 bits of the rope part are copied into f16 and bf16, so the cache must
have been filled from that dtype; for f32 they are taken as bf16 and widened. Scales may be any f32, so
caches of either scale contract (fp8_ds_mla, fp8_ds_mla_f32) are read. Other rows, in front of
workspace_starts[0] and between sequences, are left as they are. Zero rows are a successful no-op.

With a host_cache, pages of block_table are virtual: with v = block_table[b, p div block_size] *
block_size + p mod block_size, the row r is that of src_cache at d = device_row_ids[v], which is row
d mod block_size of page d div block_size, or where d is negative row host_row_ids[v] of host_cache.
On CUDA the kernel reads host_cache where it is, over the bus; so it must be pinned.

Upstream's schema has no seq_lens since late 2026; before, it had seq_lens in front of
workspace_starts, and no seq_starts. Here they are one op, and a binding to torch can register the
one signature or the other.

"""
    + gather.ERRORS
    + """
The same for a v, d or row of the host that is not there (CUDA: the row of dst is cleared, as it is
with a host_cache for a page that is not in the table or beyond the maps). KVF_INVALID_VALUE for
some of host_cache, host_row_ids and device_row_ids without the others.
Source of the rule: vLLM's op of the same name, with E5M2 tensors refused and its destinations, its
32-bit offsets, its alignment and its bounds defects corrected.""",
    arguments={
        **gather.upconvert(
            "[num_blocks, block_size, 656], uint8 or float8_e4m3fn; stride of dimension 2 is 1"
        ),
        "seq_starts": gather.SEQ_STARTS.format("batch_size"),
        "host_cache": (
            "[num_host_rows, 656], uint8 or float8_e4m3fn, in host memory, pinned for CUDA; stride of "
            "dimension 1 is 1; None: all rows are in src_cache"
        ),
        "host_row_ids": (
            "[num_virtual_rows], of rank 1 or 2, int32, contiguous: row of host_cache; looked at where "
            "device_row_ids is negative"
        ),
        "device_row_ids": "as host_row_ids: row of src_cache, or a negative number for none",
        "seq_lens": "[>= batch_size], int32, contiguous: rows of a sequence at most; None for all",
    },
    elsewhere={"vLLM": "cp_gather_and_upconvert_fp8_kv_cache"},
    params=(
        *gather.UPCONVERT_PARAMS,
        Field("kvf_view", "host_cache", "bytes; stride[0]: row; a row is dense"),
        Field("const int32_t *", "host_row_ids", "[num_virtual_rows], rows of host_cache"),
        Field(
            "const int32_t *", "device_row_ids", "[num_virtual_rows], rows of src_cache or negative"
        ),
        Field("int64_t", "num_virtual_rows", "elements of host_row_ids and device_row_ids"),
        Field("int64_t", "num_host_rows", "rows of host_cache"),
        Field("int32_t", "mapped", "whether rows are found by the two maps"),
        Field("int64_t", "num_pages", "of src_cache; table has the virtual ones", True),
    ),
    tuned=gather.TUNED,
    axes=(dtypes("scalar", "f32", "f16", "bf16"), dtypes("cache", FP8_DS_MLA)),
    upstream_schemas={
        **dict.fromkeys(
            generations(before="vllm-0.26"),
            "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, "
            "Tensor block_table, Tensor seq_lens, Tensor workspace_starts, int batch_size) -> ()",
        ),
        **dict.fromkeys(
            generations(since="vllm-0.26", before="vllm-0.31"),
            "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, "
            "Tensor block_table, Tensor workspace_starts, int batch_size, Tensor? seq_starts) -> ()",
        ),
        **dict.fromkeys(
            generations(since="vllm-0.31"),
            "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, "
            "Tensor block_table, Tensor workspace_starts, int batch_size, Tensor? seq_starts, "
            "Tensor? host_cache=None, Tensor? host_row_ids=None, Tensor? device_row_ids=None) -> ()",
        ),
    },
)
