"""The engine stands apart from the family that is written with it: one direction, from it to the engine.

What the engine is: the runtime's core and its headers, the generator without its specs, the templates
of tables and bindings and those that every op can share, the emulated driver and the tests' harness.
`kvforge.h` alone opens the family's door for callers: it ends with cache.h and ops.h.
"""

from __future__ import annotations

import ast
import re

import pytest

from generator import plan
from generator.dtypes import BY_TOKEN
from generator.spec import DTYPES, OPS

ROOT = plan.ROOT
HARNESS = "harness covering report memory region transfer operands main"
ENGINE = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in (
        "runtime/core/*",
        "runtime/include/kvforge/*",
        "generator/*.py",
        "templates/table/*.j2",
        "templates/python/*.j2",
        "templates/rust/*.j2",
        "templates/shared/prototypes.j2",
        "templates/shared/cpu.j2",
        "templates/shared/cuda.j2",
        "tests/cuda_emulator/*.[ch]",
        "tests/cuda_emulator/kernels.*",
        *(f"tests/{stem}.[ch]" for stem in HARNESS.split()),
    )
    for path in set(ROOT.glob(pattern))
    if path.is_file() and path.name != "cache.h"
)
UMBRELLA = "runtime/include/kvforge/kvforge.h"
DOOR = ('#include "kvforge/cache.h"', '#include "kvforge/ops.h"')

DOOR_OF_SPECS = {"DTYPES", "GENERATIONS", "OPS", "SpecError", "with_tables"}
FORMATS = [dtype.token for dtype in DTYPES if dtype.token not in BY_TOKEN]
WORDS = ["kv_cache_dtype", "kv_cache", "block_tables?", "slot_mapping", "kv cache"]
FAMILY = re.compile(
    rf"(?<![a-z0-9])({'|'.join([*(op.name for op in OPS), *FORMATS, *WORDS])})(?![a-z0-9])", re.I
)
FOLDERS = re.compile(r"kvforge/cache/|\bops/shared/|generator[./]spec[./]\w|\bkvf_op_\w+")


def named(text: str) -> list[str]:
    """What of the family a text names, with its line."""
    lines = enumerate(text.splitlines(), 1)
    return [
        f"{number}: {found[0]}"
        for number, line in lines
        if (found := FAMILY.search(line) or FOLDERS.search(line))
    ]


def test_the_list_is_the_engine() -> None:
    for wanted in ("runtime/core/dispatch.c", UMBRELLA, "generator/model.py", "tests/harness.c",
                   "templates/table/op.c.j2", "templates/shared/cpu.j2", "templates/shared/cuda.j2",
                   "tests/cuda_emulator/launch.c"):  # fmt: skip
        assert wanted in ENGINE


@pytest.mark.parametrize("path", ENGINE)
def test_nothing_of_the_engine_names_the_family(path: str) -> None:
    text = (ROOT / path).read_text()
    if path == UMBRELLA:
        for include in DOOR:
            assert include in text
            text = text.replace(include, "")
    assert named(text) == []


@pytest.mark.parametrize(
    "text",
    [
        '#include "kvforge/cache/op.h"',
        "variant of reshape_and_cache_flash",
        "KVF_NVFP4_DS_MLA",
        "the caller's kv_cache_dtype",
        "p->slot_mapping",
        "kvf_op_copy_blocks.variants",
        "from generator.spec.shared.pages import PARAMS",
    ],
)
def test_what_would_be_found(text: str) -> None:
    assert named(f"first line\n{text}")[0].startswith("2: ")


def test_the_generator_takes_from_the_specs_by_one_door() -> None:
    """Its modules import what generator.spec exports, and nothing below it."""
    for path in sorted((ROOT / "generator").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "generator.spec"
            ):
                assert node.module == "generator.spec", path
                assert {name.name for name in node.names} <= DOOR_OF_SPECS, path
