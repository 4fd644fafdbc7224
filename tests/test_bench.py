"""What the benchmark's programs make of its rows: the comparison of two runs, and the plot."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("KVFORGE_BUILD", ROOT / "build"))


def row(form: str, ratio: float, **others: object) -> dict[str, object]:
    """A row as bench_cpu --json writes it."""
    call = {"op": "zero_blocks", "scalar": "b8", "cache": "b8", "form": form, "tokens": 16}
    return {**call, "threads": 1, "isa": "avx2", "ratio": ratio, "aim": 0.8, **others}


def write(path: Path, *rows: dict[str, object]) -> Path:
    """A run of these rows."""
    path.write_text("".join(json.dumps(line) + "\n" for line in rows))
    return path


def compare(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What bench/compare.py says."""
    command = [sys.executable, str(ROOT / "bench/compare.py"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_runs_are_compared(tmp_path: Path) -> None:
    old = write(tmp_path / "old", row("a", 0.5), row("b", 1.0), row("gone", 1.0))
    new = write(
        tmp_path / "new", row("a", 0.25), row("b", 2.0), row("c", 9.0), row("b", 9, isa="x")
    )
    done = compare(old, new)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        " 0.50   50% to  25%  zero_blocks b8 b8 a 16 1 avx2",
        " 2.00  100% to 200%  zero_blocks b8 b8 b 16 1 avx2",
        "2 calls, 1.000 times as fast on average; 1 slower by more than 15%",
    ]
    same = compare(old, new, "--tolerance=1.5")
    assert same.returncode == 0
    assert same.stdout.startswith("2 calls, 1.000")


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    run = write(tmp_path / "run", row("a", 0.5))
    broken = write(tmp_path / "broken", row("a", 0.5), {"op": "zero_blocks"})
    assert f"{broken}:2: no row" in compare(run, broken).stderr
    assert "no call in common" in compare(run, write(tmp_path / "other", row("b", 0.5))).stderr


def test_rows_of_the_benchmark_can_be_compared_and_plotted(tmp_path: Path) -> None:
    program = BUILD / "bench_cpu"
    if not program.exists():
        pytest.skip("bench_cpu is not built: ninja build/bench_cpu")
    rows = tmp_path / "rows.json"
    words = ["--ops", "zero_blocks", "--rounds", "1", "--rotation", "1", "--json", str(rows), "16"]
    done = subprocess.run([str(program), *words], capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    assert {line["op"] for line in found} == {"zero_blocks"}
    assert all(line["gb_per_s"] > 0 and line["memcpy_gb_per_s"] > 0 for line in found)
    printed = [int(number) for number in re.findall(r"(\d+) %$", done.stdout, re.MULTILINE)]
    assert len(printed) == len(found)
    assert all(abs(p - 100 * line["ratio"]) < 0.6 for p, line in zip(printed, found, strict=True))
    assert "1.000 times as fast" in compare(rows, rows).stdout
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("no matplotlib: python3 configure.py --setup")
    plot = tmp_path / "plot.png"
    subprocess.run([sys.executable, ROOT / "bench/roofline.py", rows, plot], check=True)
    assert plot.read_bytes().startswith(b"\x89PNG")
