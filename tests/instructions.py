"""How many instructions the hot paths take, counted by valgrind: unlike times they do not depend on what
else a machine does, so that a few more are seen.

    python3 tests/instructions.py            # the counts beside those of instructions.json
    python3 tests/instructions.py --write    # after a change that is meant

A path is one call of bench/bench_call.c, on the CPU at level avx2, which valgrind knows, or on CUDA with a
driver that does nothing, if the library has such variants. Counts are those of one compiler, which is
recorded with them. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORD = HERE / "instructions.json"
BUILD = Path(os.environ.get("KVFORGE_BUILD", HERE.parent / "build"))
PATHS = [
    f"{backend} {way} {cache}"
    for backend in ("cpu", "cuda")
    for way in ("call", "launch", "prepared")
    for cache in ("bf16", "fp8_e4m3")
]
TOLERANCE = 0.05  # that a path may grow by
FEW, MANY = 100, 600  # calls: what starting takes is in both


@dataclass(frozen=True)
class Counts:
    """Instructions of each path, as a compiler makes them."""

    compiler: str
    paths: dict[str, int]


def compiler() -> str:
    """The C compiler of the build, without its path."""
    first = (BUILD / "toolchain.txt").read_text().partition("\n")[0]
    return first.partition(", ")[2]


def take(path: str, calls: int, *tool: str) -> subprocess.CompletedProcess[str]:
    """A process that takes a path so many times, run by a tool."""
    command = [*tool, str(BUILD / "bench_call"), *path.split(), str(calls)]
    environment = {
        **os.environ,
        "KVFORGE_ISA": "avx2",
        "KVFORGE_NUM_THREADS": "1",
        "KVFORGE_LIBCUDA": str(BUILD / "libkvf_nothing_driver.so"),
    }
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def instructions(path: str, calls: int) -> int:
    """Of such a process."""
    done = take(path, calls, "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert done.returncode == 0 and found is not None, done.stderr
    return int(found[1])


def count() -> Counts:
    """What the library that is built takes."""
    paths = [path for path in PATHS if "cuda" not in path or take(path, 1).returncode == 0]
    per_call = {
        path: (instructions(path, MANY) - instructions(path, FEW)) // (MANY - FEW) for path in paths
    }
    return Counts(compiler(), per_call)


def recorded() -> Counts:
    """What is on record."""
    return Counts(**json.loads(RECORD.read_text()))


def grown(found: Counts, before: Counts) -> list[str]:
    """A sentence for each path that takes more than it may."""
    return [
        f"{path}: {found.paths[path]} instructions, {before.paths[path]} are on record"
        for path in found.paths
        if found.paths[path] > before.paths[path] * (1 + TOLERANCE)
    ]


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="put these counts on record")
    write = parser.parse_args().write
    found = count()
    if write:
        text = {"compiler": found.compiler, "paths": found.paths}
        RECORD.write_text(json.dumps(text, indent=2) + "\n")
    before = recorded()
    for path, taken in found.paths.items():
        print(f"{path:<24} {taken:>7} {before.paths[path]:>7}")


if __name__ == "__main__":
    main()
