"""Tuned tables: what measurements become, and what a table must be."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generator import engine, tuned
from generator.model import Op
from generator.spec import OPS

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("KVFORGE_BUILD", ROOT / "build"))
CUDA = tuned.Tuned("cuda", {"threads": (256, 128, 64), "rows": (1, 2)}, "tokens", (16, 256))
CPU = tuned.Tuned("cpu", {"kib": (4096, 512)}, "tokens", ())


def record(size: int, values: tuple[int, ...], us: float, case: str = "a") -> dict[str, Any]:
    """One measurement."""
    return {"arch": 90, "size": size, "case": case, "values": list(values), "us": us}


def test_the_fastest_of_a_class_wins() -> None:
    measured = [
        *(record(4, (256, 1), 10.0), record(4, (128, 2), 8.0), record(4, (64, 1), 9.0)),
        *(record(16, (256, 1), 10.0), record(16, (128, 2), 11.0), record(16, (64, 1), 9.0)),
        *(record(100, (256, 1), 10.0), record(100, (64, 1), 9.9)),
    ]
    assert tuned.choose(CUDA, measured) == [
        tuned.Row(90, 16, (64, 1)),  # 0.9 in both, against 0.94 of (128, 2)
        tuned.Row(90, 256, (256, 1)),  # 1 % is noise
        tuned.Row(90, None, (256, 1)),  # nothing measured
    ]


def test_a_candidate_without_all_cases_is_passed_over() -> None:
    measured = [record(4, (256, 1), 10.0), record(4, (256, 1), 10.0, "b"), record(4, (64, 1), 1.0)]
    assert tuned.choose(CUDA, measured)[0].values == (256, 1)


def test_equal_marks_give_the_first_candidate_in_any_order() -> None:
    measured = [record(4, (256, 1), 10.0), record(4, (128, 1), 5.0), record(4, (64, 1), 5.0)]
    first = tuned.choose(CUDA, measured)
    assert first[0].values == (128, 1) and tuned.choose(CUDA, measured[::-1]) == first


def test_tables_are_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "op.tuned.json"
    assert tuned.read(path, (CPU, CUDA)) == {"cpu": (), "cuda": ()}
    rows = tuple(tuned.Row(90, bound, (128, 2)) for bound in CUDA.bounds)
    tuned.write(path, (CPU, CUDA), {"cuda": rows})
    older = tuple(tuned.Row(80, bound, (64, 1)) for bound in CUDA.bounds)
    tuned.write(path, (CPU, CUDA), {"cuda": older, "cpu": (tuned.Row(0, None, (512,)),)})
    assert tuned.read(path, (CPU, CUDA)) == {
        "cpu": (tuned.Row(0, None, (512,)),),
        "cuda": (*older, *rows),  # rows of another arch stay
    }
    before = path.read_bytes()
    tuned.write(path, (CPU, CUDA), {"cuda": rows})
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "want what ninja tune writes"),
        ("{", "want what ninja tune writes"),
        ('{"cuda": [{"arch": 90, "up_to": 16, "threads": 64}]}', "want what ninja tune writes"),
        ('{"cuda": [{"arch": 90, "up_to": 16, "threads": 64, "rows": 1}]}', "want a row for each"),
        ('{"cpu": [{"arch": 90, "up_to": null, "kib": 512}]}', "archs are"),
        ('{"cpu": [{"arch": 0, "up_to": null, "kib": 5}]}', "none of the spec's candidates"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "op.tuned.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        tuned.read(path, (CPU, CUDA))


@pytest.mark.parametrize(
    ("constants", "classes", "words"),
    [
        ({}, (), "want 1 to 4"),
        ({"a": ()}, (), "candidates"),
        ({"a": (1, 1)}, (), "candidates"),
        ({"a": (1,)}, (2, 1), "ascending"),
        ({"a": (1,)}, (0,), "above 0"),
    ],
)
def test_a_declaration_is_checked(
    constants: dict[str, tuple[int, ...]], classes: tuple[int, ...], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        tuned.Tuned("cpu", constants, "tokens", classes)


def test_the_limit_is_that_of_the_header() -> None:
    text = (ROOT / "runtime/include/kvforge/kvforge.h").read_text()
    found = re.search(r"KVF_MAX_TUNED = (\d+)", text)
    assert found and int(found[1]) == tuned.MAX_CONSTANTS


def test_records_become_tables(tmp_path: Path) -> None:
    """bench/tune.py writes the same table from the same records."""
    op = next(op for op in OPS if op.name == "reshape_and_cache_flash")
    path = tuned.table_path(ROOT / "generator/spec" / f"{op.name}.py")
    before = path.read_bytes() if path.is_file() else None
    declared = next(d for d in op.tuned if d.backend == "cuda")
    records = [
        {"table": op.name, "backend": "cuda", **record(size, values, 1.0 / values[0])}
        for size in (4, 64, 1024, 9999)
        for values in declared.candidates
    ]
    kept = tmp_path / "records"
    kept.write_text("".join(json.dumps(r | {"arch": 12345}) + "\n" for r in records))
    try:
        command = ["python3", "bench/tune.py", "--tables", op.name, "--from", str(kept)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        rows = [row for row in tuned.read(path, op.tuned)["cuda"] if row.arch == 12345]
        assert rows == [tuned.Row(12345, bound, (256,)) for bound in declared.bounds]
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)


def test_every_table_of_the_engine_is_measured() -> None:
    """`ninja tune` has calls for each, and the header names their constants in the same order."""
    sys.path.insert(0, str(ROOT / "bench"))
    tune = importlib.import_module("tune")
    assert tune.ENGINE_CALLS.keys() == {table.name for table in engine.TABLES}
    header = (ROOT / "runtime/core/tuned.h").read_text()
    for table in engine.TABLES:
        words = ", ".join(f"KVF_{name.upper()}" for name in table.declared.names)
        pattern = rf"enum {{ {words} }};\nextern const kvf_tuned kvf_{table.name}_tuned;"
        assert re.search(pattern, header)


# One op of each kernel that calculates with its constants; elsewhere they only make the grid.
CALCULATES = (
    "concat_and_cache_mla",
    "convert_fp8",
    "copy_blocks",
    "cp_gather_cache",
    "cp_gather_indexer_k_quant_cache",
    "reshape_and_cache",
    "reshape_and_cache_flash_per_token_head",
    "zero_blocks",
)


@pytest.mark.parametrize("op", [op for op in OPS if op.name in CALCULATES], ids=lambda op: op.name)
def test_candidates_give_the_same_bytes(op: Op) -> None:
    """The last ones, the farthest from the default: the op's own suite with them, in the emulator."""
    tests, emulator = BUILD / "kvf_tests", BUILD / "emulator/libkvf_cuda_emulator.so"
    if not tests.exists() or not emulator.exists():
        pytest.skip("not built: kvf_tests and the emulated driver")
    for declared in op.tuned:
        last = ",".join(str(candidates[-1]) for candidates in declared.constants.values())
        command = [str(tests), "--backend", declared.backend, "--suite", op.name]
        command += ["--sample", "8", "--try"]
        environment = {**os.environ, "KVFORGE_LIBCUDA": str(emulator)}
        done = subprocess.run(
            [*command, last], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        refused = subprocess.run([*command, "1;2"], capture_output=True, check=False)
        assert refused.returncode == 2


def test_no_constant_is_both_data_and_code() -> None:
    """What a table serves has no twin among the enumerators of runtime and templates."""
    gone = r"\b(STREAM_BYTES|MIN_BYTES_PER_THREAD|BYTES_PER_CHUNK|KVF_ROWS_AHEAD|TILE_VECTORS)\b"
    files = [*ROOT.glob("runtime/**/*.[ch]"), *ROOT.glob("templates/**/*.j2")]
    assert not [path for path in files if re.search(gone, path.read_text())]


def test_which_row_a_call_got_is_told_on_request() -> None:
    """KVFORGE_SHOW_TUNED: of the ops that suite tuned makes up, and of the engine's own tables."""
    suite = BUILD / "kvf_tests"
    if not suite.exists():
        pytest.skip("kvf_tests is not built")

    def told(wanted: str) -> list[str]:
        done = subprocess.run(
            [suite, "--backend", "cpu", "--suite", "tuned"],
            env={**os.environ, "KVFORGE_SHOW_TUNED": wanted},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stderr.splitlines()

    lines = told("1")
    for line in (
        "made_up: size 16: arch 0, up to 16: a 1 b 10",
        "made_up: size 257: arch 0, any size above: a 3 b 30",
        "made_up: size 1: no row, so a 5",
        "streaming: size 1024: tried: stream_kib 1",
    ):
        assert f"kvforge: {line}" in lines
    assert told("0") == told("") == []
