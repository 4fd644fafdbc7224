"""cp_gather_and_upconvert_nvfp4_kv_cache: 352-byte MLA rows from pages, as 576 floats each."""

from generator.axes import dtypes
from generator.model import Op
from generator.spec.shared import gather
from generator.spec.shared.formats import NVFP4_DS_MLA

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "cp_gather_and_upconvert_nvfp4_kv_cache(Tensor src_cache, Tensor! dst, "
        "Tensor block_table, Tensor workspace_starts, int batch_size) -> ()"
    ),
    summary="gathers nvfp4_ds_mla rows of sequences from pages and turns them into floats.",
    doc="""\
Sequence b < batch_size has the rows from workspace_starts[b] up to workspace_starts[b + 1], the last one
up to the end of dst. For row j of it, with p = j - workspace_starts[b] and r = row p mod block_size of
page block_table[b, p div block_size]:
  dst[j, i] = E2M1(r, i) * E4M3(r[320 + 8 * (g mod 4) + g div 4])    0 <= i < 512, g = i div 16
  dst[j, i] = E4M3(r[256 + i - 512])                                 512 <= i < 576
Code i < 512 is the low half of byte i div 2 for even i, else the high half. No result needs rounding in
any of the three dtypes; a NaN is 0x7FFFFFFF or 0x7FFF. Rows in front of workspace_starts[0] are left as
they are. Zero rows are a successful no-op.

"""
    + gather.ERRORS
    + """
Source of the rule: vLLM's op of the same name, on every GPU and the CPU, with its destinations, its
alignment and its bounds defects corrected.""",
    arguments=gather.upconvert(
        "[num_blocks, block_size, 352], uint8; stride of dimension 2 is 1",
    ),
    elsewhere={"vLLM": "cp_gather_and_upconvert_nvfp4_kv_cache"},
    params=gather.UPCONVERT_PARAMS,
    tuned=gather.TUNED,
    axes=(dtypes("scalar", "f32", "f16", "bf16"), dtypes("cache", NVFP4_DS_MLA)),
)
