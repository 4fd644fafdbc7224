"""A namespace that another library has registered first: each case in a process of its own."""

from __future__ import annotations

from conftest import require

require("torch", __name__)

import re
import shutil
from pathlib import Path

import processes
import pytest
from conftest import BUILD

FIRST = """
import torch
SCHEMA = {schema!r}
theirs = torch.library.Library("_C_cache_ops", "FRAGMENT")
theirs.define(SCHEMA)
calls = []
theirs.impl("copy_blocks_mla", lambda *arguments: calls.append(arguments), "CPU")
import kvforge.torch
from arrays import Torch
from cases import CASES, function
case = CASES["copy_blocks_mla"](Torch())
run = lambda: torch.ops._C_cache_ops.copy_blocks_mla(*case.arguments.values())
"""
SCHEMA = "copy_blocks_mla(Tensor(a!)[] kv_caches, Tensor block_mapping) -> ()"


def run(script: str, schema: str = SCHEMA, **environment: str) -> str:
    """Runs a script after another library's; what it prints."""
    return processes.run(FIRST.format(schema=schema) + script, **environment)


def test_refuse_registers_nothing() -> None:
    text = run("""
try:
    kvforge.torch.register()
except RuntimeError as error:
    print(error)
assert not hasattr(torch.ops._C_cache_ops, "copy_blocks")
assert not hasattr(torch.ops.kvforge, "copy_blocks_mla")
""")
    assert "another library has registered _C_cache_ops::copy_blocks_mla; pass on_conflict=" in text


def test_add_keeps_the_others_op() -> None:
    run("""
done = kvforge.torch.register("add")
assert "_C_cache_ops::copy_blocks" in done and "_C_cache_ops::copy_blocks_mla" not in done
assert "kvforge::copy_blocks_mla" in done
run()
assert len(calls) == 1
torch.ops.kvforge.copy_blocks_mla(*case.arguments.values())
case.check(Torch())
assert kvforge.torch.register("add") == done
""")


def test_override_takes_the_kernels_over() -> None:
    run("""
assert "_C_cache_ops::copy_blocks_mla" in kvforge.torch.register("override")
run()
assert not calls
case.check(Torch())
torch.library.opcheck(torch.ops._C_cache_ops.copy_blocks_mla.default,
                      tuple(CASES["copy_blocks_mla"](Torch()).arguments.values()))
""")


def test_override_follows_the_others_order_and_refuses_what_it_cannot_serve() -> None:
    """The order of arguments is theirs; a schema with arguments of other types is left alone, and
    hinders none of the others."""
    run(
        """
kvforge.torch.register("override")
torch.ops._C_cache_ops.copy_blocks_mla(case.arguments["block_mapping"], case.arguments["kv_caches"])
case.check(Torch())
""",
        "copy_blocks_mla(Tensor block_mapping, Tensor(a!)[] kv_caches) -> ()",
    )
    for signature, reason in {
        "(Tensor(a!)[] kv_caches, int block_mapping) -> ()": (
            "block_mapping is int there and Tensor here"
        ),
        "(Tensor(a!)[] kv_caches) -> ()": "no block_mapping there",
        "(Tensor(a!)[] kv_caches, Tensor block_mapping, int more=0) -> ()": "no more here",
        "(Tensor(a!)[] kv_caches, Tensor block_mapping) -> Tensor": "it returns something",
    }.items():
        text = run(
            """
import warnings
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    done = kvforge.torch.register("override")
assert "_C_cache_ops::copy_blocks_mla" not in done
assert "_C_cache_ops::copy_blocks" in done and "kvforge::copy_blocks_mla" in done
assert len(told) == 1 and told[0].category is RuntimeWarning
print(told[0].message)
""",
            f"copy_blocks_mla{signature}",
        )
        left = "kvforge.torch.register: _C_cache_ops::copy_blocks_mla keeps the other library's"
        assert text.startswith(left)
        assert "cannot be served by _C_cache_ops::copy_blocks_mla(" in text
        assert text.rstrip().endswith(f": {reason}")


def test_some_ops_only() -> None:
    run("""
done = kvforge.torch.register(ops=["_C_cache_ops::swap_blocks"], own_namespace=False)
assert done == ["_C_cache_ops::swap_blocks"]
assert not hasattr(torch.ops._C_cache_ops, "copy_blocks")
try:
    kvforge.torch.register(ops=["_C_cache_ops::nonsense"])
except ValueError as error:
    assert "no op _C_cache_ops::nonsense; want some of _C::merge_attn_states, _C" in str(error)
else:
    raise SystemExit("an unknown op was accepted")
""")


def test_another_librarys_definition_afterwards_is_torchs_error() -> None:
    run("""
kvforge.torch.register("override")
try:
    theirs.define("swap_blocks(Tensor a) -> ()")
except RuntimeError as error:
    assert "swap_blocks" in str(error)
else:
    raise SystemExit("a second definition was accepted")
""")


def test_the_binding_says_why_it_cannot() -> None:
    """An unknown op, an argument that the op does not have, one that it needs, and too many ops."""
    text = run("""
binding = kvforge.torch._Binding()
def implement(op, space, arguments):
    try:
        binding._call("implement", op, space, arguments, "CPU")
    except RuntimeError as error:
        print(error)
implement("_C_cache_ops::nobody", "a", "caches")
implement("_C_cache_ops::zero_blocks", "a", "caches,nobody")
implement("_C_cache_ops::zero_blocks", "a", "caches")
for number in range(300):
    implement("_C_cache_ops::zero_blocks", f"space_{number}", "caches,block_ids")
""").splitlines()
    assert "got '_C_cache_ops::nobody', which is no op; the nearest are _C_cache_ops::" in text[0]
    assert "zero_blocks has no argument 'nobody'; want zero_blocks(Tensor(a!)[] caches" in text[1]
    assert "the schema lacks 'block_ids', which has no default" in text[2]
    assert "this process has registered 256 ops with torch already" in text[3]
    assert len(text) == 3 + 300 - 256


def test_the_binding_for_a_torch_without_the_stable_abi(tmp_path: Path) -> None:
    """The same ops, built through TORCH_LIBRARY: every one runs, and conflicts are told."""
    if not (BUILD / "kvforge_torch.library.so").is_file():
        pytest.skip(f"no kvforge_torch.library.so in {BUILD}: `ninja test` builds it")
    for file in BUILD.glob("*.so*"):
        (tmp_path / file.name).symlink_to(file.resolve())
    (tmp_path / "kvforge_torch.so").unlink()
    shutil.copy(BUILD / "kvforge_torch.library.so", tmp_path / "kvforge_torch.so")
    text = run(
        """
try:
    kvforge.torch.register()
except RuntimeError as error:
    print(error)
kvforge.torch.register("override")
for op, make in CASES.items():
    case = make(Torch())
    function(torch.ops, op)(*case.arguments.values())
    case.check(Torch())
case = CASES["reshape_and_cache_flash"](Torch())
case.arguments["slot_mapping"][0] = 99
try:
    torch.ops.kvforge.reshape_and_cache_flash(**case.arguments)
except IndexError as error:
    print(error)
from bad_calls import differences
print("bad calls:", differences(exact=True, every=5))  # all for the other: test_same_errors.py
print([line.split()[-1] for line in open("/proc/self/maps") if "kvforge_torch" in line][0])
""",
        KVFORGE_BUILD=str(tmp_path),
    )
    assert "another library has registered _C_cache_ops::copy_blocks_mla" in text
    assert "slot_mapping: element 0 is 99, want less than 12" in text
    answers = re.search(r"bad calls: \((\d+), (.*)\)", text)
    assert answers and int(answers[1]) > 300 and answers[2] == "[]", answers
    assert str(tmp_path / "kvforge_torch.so") in text
