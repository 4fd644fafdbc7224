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
SINCE_0_16 = {
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
    "cp_gather_and_upconvert_fp8_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor seq_lens, "
        "Tensor workspace_starts, int batch_size) -> ()"
    ),
    "indexer_k_quant_and_cache": (
        "(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int quant_block_size, "
        "str kv_cache_dtype) -> ()"
    ),
    "cp_gather_indexer_k_quant_cache": (
        "(Tensor kv_cache, Tensor! dst_k, Tensor! dst_scale, Tensor block_table, "
        "Tensor cu_seq_lens) -> ()"
    ),
    # From 0.18 and 0.20.
    "concat_mla_q": "(Tensor ql_nope, Tensor q_pe, Tensor! q_out) -> ()",
    "swap_blocks_batch": "(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes) -> ()",
}
SINCE_0_21 = {
    **SINCE_0_16,
    "swap_blocks_batch": (
        "(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes, bool is_src_access_order_any=False) -> ()"
    ),
}
SINCE_0_26 = {
    **SINCE_0_21,
    "cp_gather_and_upconvert_fp8_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, "
        "int batch_size, Tensor? seq_starts) -> ()"
    ),
    # From 0.27.
    "concat_and_cache_mla_grouped": (
        "(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, Tensor slot_mapping, int block_size, "
        "int block_stride, int entry_stride) -> ()"
    ),
}
SINCE_0_31 = {
    **SINCE_0_26,
    "concat_and_cache_mla_grouped": (
        "(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, Tensor slot_mapping, int block_size, "
        "int block_stride, int entry_stride, Tensor? kv_scales=None, str kv_cache_dtype='auto') "
        "-> ()"
    ),
    "cp_gather_and_upconvert_fp8_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, "
        "int batch_size, Tensor? seq_starts, Tensor? host_cache=None, Tensor? host_row_ids=None, "
        "Tensor? device_row_ids=None) -> ()"
    ),
    "cp_gather_and_upconvert_nvfp4_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, "
        "int batch_size) -> ()"
    ),
    "hisparse_resolve_residency": (
        "(Tensor host_cache, Tensor! hot_cache, Tensor hot_block_table, Tensor global_indices, "
        "Tensor! hot_indices, Tensor! device_global_indices, Tensor! lru_slots, "
        "Tensor? request_state_indices, int region_stride, int max_union_rows, "
        "Tensor(a!)? miss_mask=None, Tensor(b!)? stats=None, Tensor(c!)? attention_indices=None, "
        "int attention_block_stride=0, Tensor? request_ids=None, Tensor? source_block_table=None, "
        "int source_block_size=0, Tensor(d!)? resolved_global_indices=None, "
        "Tensor(e!)? valid_counts=None, Tensor(f!)? swap_host_physical_rows=None, "
        "Tensor(g!)? swap_device_physical_rows=None, Tensor(h!)? swap_counts=None, "
        "Tensor? resident_block_table=None, int resident_block_size=0, "
        "int resident_null_block=0) -> ()"
    ),
    "hisparse_invalidate_written_slots": (
        "(Tensor! device_global_indices, Tensor request_state_indices, Tensor req_id_per_token, "
        "Tensor written_slots) -> ()"
    ),
    "hisparse_gather_plan": (
        "(Tensor host_cache, Tensor! hot_cache, Tensor global_indices, Tensor hot_indices, "
        "Tensor miss_mask, Tensor? request_state_indices, Tensor(a!)? attention_indices=None, "
        "int attention_block_stride=0) -> ()"
    ),
    "hisparse_gather_compact": (
        "(Tensor host_cache, Tensor! hot_cache, Tensor miss_global_indices, "
        "Tensor miss_hot_indices, Tensor miss_counts) -> ()"
    ),
}
SINCE_0_33 = {
    **SINCE_0_31,
    "reshape_and_cache": WRITER.replace(") ->", ", bool interleaved_v=False) ->"),
    "concat_and_cache_mla": (
        "(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, str kv_cache_dtype, "
        "Tensor scale, bool skip_scale=False) -> ()"
    ),
}
UPSTREAM = {
    "vllm-0.16": SINCE_0_16,
    "vllm-0.21": SINCE_0_21,
    "vllm-0.26": SINCE_0_26,
    "vllm-0.31": SINCE_0_31,
    "vllm-0.33": SINCE_0_33,
}
# What kvforge's ops do not serve yet.
MISSING_SINCE_0_31 = {"hisparse_resolve_residency"}
MISSING = {
    "vllm-0.31": MISSING_SINCE_0_31,
    "vllm-0.33": MISSING_SINCE_0_31,
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
from cases import function
kvforge.torch.register(generation={generation!r}, own_namespace=False)
names = {{row.op for row in kvforge.variants()}}
print(json.dumps({{op: str(function(torch.ops, op).default._schema) for op in names}}))
"""


def printed(op: str, signature: str) -> str:
    """A signature as torch prints it."""
    return str(torch._C.parse_schema(f"{SPACE}::{op}{signature}"))


@pytest.mark.parametrize("generation", UPSTREAM)
def test_every_schema_of_a_generation(generation: str) -> None:
    have: dict[str, str] = json.loads(processes.run(SCRIPT.format(generation=generation)))
    wanted = {op: printed(op, text) for op, text in {**HISTORIC, **UPSTREAM[generation]}.items()}
    others = {op for op in wanted if have.get(op) != wanted[op]}
    assert others == MISSING.get(generation, set())


@pytest.mark.parametrize("generation", UPSTREAM)
def test_override_in_a_process_of_that_release(generation: str) -> None:
    """All that can be served is taken over; each of the others is named with the reason."""
    schemas = [f"{op}{text}" for op, text in UPSTREAM[generation].items()]
    text = processes.run(f"""
import json
import warnings
import torch
theirs = torch.library.Library({SPACE!r}, "FRAGMENT")
for schema in {schemas!r}:
    theirs.define(schema)
import kvforge.torch
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    done = kvforge.torch.register("override", generation={generation!r})
print(json.dumps([done, [str(warning.message) for warning in told]]))
""")
    done, told = json.loads(text)
    missing = MISSING.get(generation, set())
    assert {op for op in UPSTREAM[generation] if f"{SPACE}::{op}" in done} == (
        UPSTREAM[generation].keys() - missing
    )
    ours = {row.op for row in kvforge.variants()}
    assert len(told) == len(missing & ours)
    for op in missing & ours:
        left = f"kvforge.torch.register: {SPACE}::{op} keeps the other library's kernels: "
        assert [True for message in told if message.startswith(left)] == [True]


def test_kvforges_own_schemas_take_every_call_of_the_latest_generation() -> None:
    """The same arguments in the same places; what is added stands at the end and has a default."""
    kvforge.torch.register()

    def described(arguments: list[Any]) -> list[tuple[str, str, bool]]:
        return [
            (a.name, str(a.type), bool(a.alias_info and a.alias_info.is_write)) for a in arguments
        ]

    for op, signature in {**HISTORIC, **UPSTREAM["vllm-0.33"]}.items():
        if op in MISSING["vllm-0.33"]:
            continue
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
kvforge.torch.register(generation="vllm-0.21")
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
    assert "registered with the schema of vllm-0.21 already" in text


@pytest.mark.parametrize(("generation", "rotated"), [("vllm-0.31", True), ("vllm-0.33", False)])
def test_what_a_generation_does_with_queries_of_skipped_tokens(
    generation: str, rotated: bool
) -> None:
    """Its schema has no argument for it."""
    processes.run(f"""
import torch
import kvforge.torch
from arrays import Torch
from cases import CASES
kvforge.torch.register(generation={generation!r})
a = CASES["concat_and_cache_mla_rope_fused"](Torch()).arguments
want = a["q_pe"].clone()
kvforge.ops._C_cache_ops.concat_and_cache_mla_rope_fused(
    **a | {{"q_pe": want, "k_pe": a["k_pe"].clone(), "rotate_skipped": {rotated}}})
before = a["q_pe"].clone()
torch.ops._C_cache_ops.concat_and_cache_mla_rope_fused(*a.values())
assert torch.equal(a["q_pe"], want)
skipped = a["slot_mapping"] < 0
assert skipped.any() and torch.equal(a["q_pe"][skipped], before[skipped]) != {rotated}
""")


def test_a_text_is_no_list_of_ops() -> None:
    with pytest.raises(TypeError, match=r"ops: got the str '_C_cache_ops::copy_blocks', want a li"):
        kvforge.torch.register(ops="_C_cache_ops::copy_blocks")


def test_an_unknown_generation_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"generation: got '2019', want None or one of \['vllm-0"):
        kvforge.torch.register(generation="2019")  # type: ignore[arg-type]


def test_merge_attn_states_takes_none_as_upstreams_callers_pass_it() -> None:
    """Upstream's optional number, which stands in the middle, is the op's own default."""
    text = processes.run("""
import torch
import kvforge.torch
from arrays import Torch
from cases import CASES
kvforge.torch.register(generation="vllm-0.33")
merge = torch.ops._C.merge_attn_states
print(merge.default._schema)
for tokens in (None, 2):
    case = CASES["merge_attn_states"](Torch())
    a = case.arguments
    merge(*list(a.values())[:6], tokens, None)
    if tokens:
        case.check(Torch())
    else:
        half = (a["prefix_output"] + a["suffix_output"]) / 2
        assert torch.equal(a["output"], half)
    case = CASES["merge_attn_states"](Torch())
    case.arguments["output_lse"] = None
    before = case.outputs[1][0].clone()
    merge(*list(case.arguments.values())[:6], tokens)
    assert torch.equal(case.outputs[1][0], before)
""")
    assert text.strip() == (
        "_C::merge_attn_states(Tensor($0! -> ) output, Tensor($1! -> )? output_lse, "
        "Tensor prefix_output, Tensor prefix_lse, Tensor suffix_output, Tensor suffix_lse, "
        "int($2! -> )? prefill_tokens_with_context, Tensor? output_scale=None) -> ()"
    )
