"""Schemas in torch against upstream's, generation by generation, spelt out here once more."""

from __future__ import annotations

from conftest import require

require("torch", __name__)

import json
from typing import Any

import processes
import pytest
import torch

import kvforge.torch

SPACE = "_C_cache_ops"
WRITER = (
    "(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, "
    "str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
)
SINCE_2025 = {
    "swap_blocks": "(Tensor src, Tensor! dst, int block_size_in_bytes, Tensor block_mapping) -> ()",
    "reshape_and_cache": WRITER,
    "reshape_and_cache_flash": WRITER,
    "concat_and_cache_mla": (
        "(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, str kv_cache_dtype, "
        "Tensor scale) -> ()"
    ),
    "concat_and_cache_mla_rope_fused": (
        "(Tensor positions, Tensor! q_pe, Tensor! k_pe, Tensor kv_c, Tensor cos_sin_cache, "
        "bool is_neox, Tensor slot_mapping, Tensor! kv_cache, str kv_cache_dtype, "
        "Tensor kv_cache_scale) -> ()"
    ),
    "convert_fp8": ("(Tensor! dst_cache, Tensor src_cache, float scale, str kv_cache_dtype) -> ()"),
    "gather_and_maybe_dequant_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, "
        "Tensor token_to_seq, int num_tokens, str kv_cache_dtype, Tensor scale, "
        "Tensor? seq_starts) -> ()"
    ),
    "cp_gather_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, int batch_size, "
        "Tensor? seq_starts) -> ()"
    ),
    "indexer_k_quant_and_cache": (
        "(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int quant_block_size, "
        "str kv_cache_dtype) -> ()"
    ),
    "cp_gather_indexer_k_quant_cache": (
        "(Tensor kv_cache, Tensor! dst_k, Tensor! dst_scale, Tensor block_table, "
        "Tensor cu_seq_lens) -> ()"
    ),
}
BEFORE_LATE_2026 = {
    "cp_gather_and_upconvert_fp8_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor seq_lens, "
        "Tensor workspace_starts, int batch_size) -> ()"
    )
}
SINCE_EARLY_2026 = {
    "concat_mla_q": "(Tensor ql_nope, Tensor q_pe, Tensor! q_out) -> ()",
    "swap_blocks_batch": (
        "(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes, bool is_src_access_order_any=False) -> ()"
    ),
}
LATE_2026 = {
    "cp_gather_and_upconvert_fp8_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, "
        "int batch_size, Tensor? seq_starts) -> ()"
    ),
    "cp_gather_and_upconvert_nvfp4_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, "
        "int batch_size) -> ()"
    ),
    "concat_and_cache_mla_grouped": (
        "(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, Tensor slot_mapping, int block_size, "
        "int block_stride, int entry_stride, Tensor? kv_scales=None, str kv_cache_dtype='auto') "
        "-> ()"
    ),
}
UPSTREAM = {
    "late-2025": {**SINCE_2025, **BEFORE_LATE_2026},
    "early-2026": {**SINCE_2025, **BEFORE_LATE_2026, **SINCE_EARLY_2026},
    "late-2026": {**SINCE_2025, **SINCE_EARLY_2026, **LATE_2026},
}
# Upstream removed these before late 2025; kvforge's schema is the last that they had.
HISTORIC = {
    "copy_blocks": (
        "(Tensor(a!)[] key_caches, Tensor[](b!) value_caches, Tensor block_mapping) -> ()"
    ),
    "copy_blocks_mla": "(Tensor(a!)[] kv_caches, Tensor block_mapping) -> ()",
}

SCRIPT = """
import json
import torch
import kvforge.torch
kvforge.torch.register(generation={generation!r}, own_namespace=False)
names = {{row.op for row in kvforge.variants()}}
print(json.dumps({{op: str(getattr(torch.ops._C_cache_ops, op).default._schema) for op in names}}))
"""


def printed(op: str, signature: str) -> str:
    """A signature as torch prints it."""
    return str(torch._C.parse_schema(f"{SPACE}::{op}{signature}"))


@pytest.mark.parametrize("generation", UPSTREAM)
def test_every_schema_of_a_generation(generation: str) -> None:
    have: dict[str, str] = json.loads(processes.run(SCRIPT.format(generation=generation)))
    wanted = {op: printed(op, text) for op, text in {**HISTORIC, **UPSTREAM[generation]}.items()}
    assert {op: have[op] for op in wanted} == wanted


def test_kvforges_own_schemas_take_every_call_of_the_latest_generation() -> None:
    """The same arguments in the same places; what is added stands at the end and has a default."""
    kvforge.torch.register()

    def described(arguments: list[Any]) -> list[tuple[str, str, bool]]:
        return [
            (a.name, str(a.type), bool(a.alias_info and a.alias_info.is_write)) for a in arguments
        ]

    for op, signature in {**HISTORIC, **UPSTREAM["late-2026"]}.items():
        ours = getattr(torch.ops._C_cache_ops, op).default._schema.arguments
        theirs = torch._C.parse_schema(f"{SPACE}::{op}{signature}").arguments
        assert described(ours[: len(theirs)]) == described(theirs)
        assert all(argument.has_default_value() for argument in ours[len(theirs) :])


def test_an_older_generation_puts_arguments_in_its_own_order() -> None:
    """seq_lens stands in front of workspace_starts, and is no optional tensor."""
    text = processes.run("""
import torch
import kvforge.torch
from arrays import Torch
from cases import CASES
kvforge.torch.register(generation="early-2026")
case = CASES["cp_gather_and_upconvert_fp8_kv_cache"](Torch())
a = case.arguments
a["seq_starts"].zero_()
kvforge.ops._C_cache_ops.cp_gather_and_upconvert_fp8_kv_cache(**a)
want = a["dst"].clone()
a["dst"].zero_()
torch.ops._C_cache_ops.cp_gather_and_upconvert_fp8_kv_cache(
    a["src_cache"], a["dst"], a["block_table"], a["seq_lens"], a["workspace_starts"], 2)
kept = torch.ones(9, dtype=torch.bool)
kept[4] = False  # beyond the first sequence's length
assert torch.equal(a["dst"][kept], want[kept]) and not a["dst"][4].any()
torch.ops.kvforge.cp_gather_and_upconvert_fp8_kv_cache(**a)  # kvforge's own order
try:
    kvforge.torch.register()
except RuntimeError as error:
    print(error)
""")
    assert "registered with the schema of early-2026 already" in text


def test_a_text_is_no_list_of_ops() -> None:
    with pytest.raises(TypeError, match=r"ops: got the str '_C_cache_ops::copy_blocks', want a li"):
        kvforge.torch.register(ops="_C_cache_ops::copy_blocks")


def test_an_unknown_generation_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"generation: got '2019', want None or one of \['late-20"):
        kvforge.torch.register(generation="2019")  # type: ignore[arg-type]
