"""Measures tuned constants and writes their tables: <op>.tuned.json beside the specs, and those of
the engine beside generator/engine.py.

    python bench/tune.py [--build-dir build] [--tables A,B] [--backend cuda]
                         [--records FILE]
    python bench/tune.py --from FILE        the tables from records that were kept

`ninja tune` calls this. Constants of CUDA are measured on the GPU that is there, in captured graphs
with cold caches (bench/bench_cuda.c); those of the CPU on one thread, unless they are of threads
(bench/bench_cpu.c). The same
records give the same tables. Generate and build afterwards: the library embeds them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from generator import names, tuned  # noqa: E402
from generator.engine import TABLES  # noqa: E402
from generator.spec import OPS  # noqa: E402

WITHOUT_CLASSES = (512, 4096, 16384)  # sizes of an op that tells none apart
# The calls that stand for all when a table of the engine is measured.
ENGINE_CALLS = {
    "threads": [
        "--ops",
        "reshape_and_cache_flash,concat_and_cache_mla,gather_and_maybe_dequant_cache",
    ],
    "streaming": [
        *(
            "--ops",
            "reshape_and_cache_flash,concat_and_cache_mla,cp_gather_cache,copy_blocks,zero_blocks",
        ),
        *("--caches", "bf16,any"),
    ],
}


@dataclass(frozen=True)
class Table:
    """One table to be measured: of an op, or of the engine."""

    name: str
    declared: tuple[tuned.Tuned, ...]  # all of its file
    path: Path
    engine: bool

    @property
    def calls(self) -> list[str]:
        """The options that select what is timed."""
        if self.engine:
            return [*ENGINE_CALLS[self.name], "--engine", self.name]
        return ["--ops", self.name]


def tables() -> list[Table]:
    """All that there are."""
    of_ops = [
        Table(op.name, op.tuned, tuned.table_path(ROOT / names.spec(op.name)), False)
        for op in OPS
        if op.tuned
    ]
    return of_ops + [Table(t.name, (t.declared,), t.path, True) for t in TABLES]


def sizes(declared: tuned.Tuned) -> list[int]:
    """Sizes that stand for the classes: their upper ends, and something below and above."""
    if not declared.classes:
        return list(WITHOUT_CLASSES)
    found = {size for bound in declared.classes for size in (max(1, bound // 4), bound)}
    return sorted({*found, 4 * declared.classes[-1]})


def measure(build: str, table: Table, declared: tuned.Tuned) -> Iterator[dict[str, Any]]:
    """What the program of a backend measures of a table."""
    tries = ";".join(",".join(map(str, values)) for values in declared.candidates)
    program = f"{build}/bench_{declared.backend}"
    command = [program, *table.calls, "--scalars", "bf16,any", "--rounds", "9", "--try", tries]
    command += map(str, sizes(declared))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
    if process.returncode:
        sys.exit(f"tune: {program} ended with status {process.returncode}")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", default="build")
    parser.add_argument("--tables", help="these only, with commas: ops, threads, streaming")
    parser.add_argument("--backend", choices=("cpu", "cuda"), help="of this backend only [both]")
    parser.add_argument("--records", type=Path, help="keep what was measured here")
    parser.add_argument("--from", type=Path, dest="kept", help="take what was kept")
    options = parser.parse_args()
    os.chdir(ROOT)
    wanted = [t for t in tables() if t.name in (options.tables or t.name).split(",")]
    records: list[dict[str, Any]] = []
    if options.kept:
        records = [json.loads(line) for line in options.kept.read_text().splitlines()]
    else:
        for table in wanted:
            for declared in table.declared:
                if options.backend not in (None, declared.backend):
                    continue
                print(f"{table.name} on {declared.backend}", flush=True)
                records += measure(options.build_dir, table, declared)
    if options.records:
        options.records.write_text("".join(json.dumps(record) + "\n" for record in records))
    for table in wanted:
        found = {}
        for declared in table.declared:
            mine = [
                r for r in records if (r["table"], r["backend"]) == (table.name, declared.backend)
            ]
            if mine:
                found[declared.backend] = tuple(tuned.choose(declared, mine))
        if found:
            tuned.write(table.path, table.declared, found)
            print(f"wrote {table.path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
