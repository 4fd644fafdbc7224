"""Schemas in torch against upstream's, generation by generation."""

from __future__ import annotations

from conftest import require

require("torch", __name__)

import json
from typing import Any

import processes
import pytest
import torch
from upstream import HISTORIC, UPSTREAM

import kvforge.torch

SPACE = "_C_cache_ops"

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
    assert {op for op in wanted if have.get(op) != wanted[op]} == set()


@pytest.mark.parametrize("generation", UPSTREAM)
def test_override_in_a_process_of_that_release(generation: str) -> None:
    """All of them are taken over."""
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
    assert {f"{SPACE}::{op}" for op in UPSTREAM[generation]} <= set(done)
    assert told == []


def test_kvforges_own_schemas_take_every_call_of_the_latest_generation() -> None:
    """The same arguments in the same places; what is added stands at the end and has a default."""
    kvforge.torch.register()

    def described(arguments: list[Any]) -> list[tuple[str, str, bool]]:
        return [
            (a.name, str(a.type), bool(a.alias_info and a.alias_info.is_write)) for a in arguments
        ]

    for op, signature in {**HISTORIC, **UPSTREAM["vllm-0.33"]}.items():
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
