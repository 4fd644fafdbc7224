"""The ABI: what callers were compiled with stays as it is until KVF_ABI_VERSION is raised."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "abi"))

import layout
import record

BUILD = Path(os.environ.get("KVFORGE_BUILD", layout.ROOT / "build"))
CC = os.environ.get("CC", "cc").split()


def test_structs_constants_and_functions_are_those_of_the_record() -> None:
    version, recorded = record.read()
    found = layout.compiled(CC)
    assert len(found) > 400
    assert not record.verdict(version, recorded, layout.abi_version(), found)


@pytest.mark.parametrize("name", ["libkvforge.so.0", "libkvforge.a"])
def test_exactly_the_listed_symbols_are_exported(name: str) -> None:
    """A sanitizer's runtime adds its own."""
    if not (BUILD / name).exists():
        pytest.skip(f"{name} is not built")
    found = [symbol for symbol in record.exported(BUILD / name) if "asan" not in symbol]
    assert found == record.SYMBOLS.read_text().splitlines()


def test_every_declared_function_is_exported() -> None:
    listed = set(record.SYMBOLS.read_text().splitlines())
    assert set(layout.functions()) <= listed


def test_a_change_without_a_new_version_is_refused() -> None:
    before = ["constant KVF_OK = 0", "struct kvf_a: 8 bytes", "member kvf_a.x: int at 0"]
    wider = [before[0], "struct kvf_a: 16 bytes", before[2], "member kvf_a.y: int at 8"]
    assert not record.verdict(2, before, 2, before)
    why = record.verdict(2, before, 2, wider)
    assert why.startswith("the ABI differs from that of version 2 in 2 places: raise KVF_ABI_V")
    assert "was 'struct kvf_a: 8 bytes', is 'struct kvf_a: 16 bytes'" in why
    assert "was 'constant KVF_OK = 0', is 'gone'" in record.verdict(2, before, 2, before[1:])
    assert "raise" in record.verdict(2, before, 2, ["constant KVF_OK = 1", *before[1:]])


def test_what_is_new_is_recorded_without_a_new_version() -> None:
    before = ["function kvf_a: void (void)"]
    after = [*before, "function kvf_b: void (void)", "struct kvf_c: 4 bytes"]
    assert record.changes(before, after) == []
    assert "lacks what has come since" in record.verdict(2, before, 2, after)
    assert "lacks what has come since" in record.verdict(2, before, 3, before)
