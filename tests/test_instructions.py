"""Hot paths do not grow: their instructions are counted and compared with a record."""

from __future__ import annotations

import shutil
from dataclasses import replace

import instructions
import pytest


def test_hot_paths_take_no_more_instructions_than_on_record() -> None:
    if shutil.which("valgrind") is None:
        pytest.skip("no valgrind: python3 configure.py --setup")
    if not (instructions.BUILD / "bench_call").exists():
        pytest.skip("bench_call is not built: ninja build/bench_call")
    before = instructions.recorded()
    if instructions.compiler() != before.compiler:
        pytest.skip(f"the record is of {before.compiler}")
    found = instructions.count()
    assert not instructions.grown(found, before)
    # A call does all that a launch does, and a launch more than a prepared call.
    for backend in {path.partition(" ")[0] for path in found.paths}:
        for cache in ("bf16", "fp8_e4m3"):
            ways = [
                found.paths[f"{backend} {way} {cache}"] for way in ("prepared", "launch", "call")
            ]
            assert 0 < ways[0] < ways[1] < ways[2]


def test_growth_is_told() -> None:
    before = instructions.recorded()
    path = "cuda call bf16"
    more = dict(before.paths, **{path: before.paths[path] * 11 // 10})
    [sentence] = instructions.grown(replace(before, paths=more), before)
    assert sentence.startswith(f"{path}: ")
    assert not instructions.grown(before, before)
