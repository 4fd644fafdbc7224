"""Tuned tables: launch constants that were found by measuring, as checked-in data.

A spec, or generator/engine.py for what is no op's, declares the constants, the numbers that are worth a
try, and the sizes that are told apart; <name>.tuned.json beside it holds what was measured to be best, a
row for each arch and size class. `ninja tune` measures and writes it (bench/tune.py); the library embeds
it, and kvf_tuned_values() finds the row of a call. Needs nothing but the standard library.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CPU = 0  # the arch of CPU constants
MAX_CONSTANTS = 4  # KVF_MAX_TUNED of kvforge.h
INDIFFERENT = 0.02  # a candidate must be so much faster than the default to be taken


@dataclass(frozen=True)
class Tuned:
    """What of an op is tuned on one backend."""

    backend: str
    constants: dict[str, tuple[int, ...]]  # name -> candidates; the first is the default
    size: str  # which number of a call is its size
    classes: tuple[int, ...]  # sizes up to each of these are told apart; those above are one more

    def __post_init__(self) -> None:
        if not 1 <= len(self.constants) <= MAX_CONSTANTS:
            raise ValueError(f"tuned {list(self.constants)}: want 1 to {MAX_CONSTANTS} constants")
        if list(self.classes) != sorted(set(self.classes)) or not all(c > 0 for c in self.classes):
            raise ValueError(f"tuned: classes {self.classes}: want ascending sizes above 0")
        for name, candidates in self.constants.items():
            if not candidates or len(set(candidates)) != len(candidates):
                raise ValueError(f"tuned {name}: candidates {candidates}: want some, each once")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.constants)

    @property
    def default(self) -> tuple[int, ...]:
        """The constants where nothing was measured."""
        return tuple(candidates[0] for candidates in self.constants.values())

    @property
    def candidates(self) -> Iterator[tuple[int, ...]]:
        """All combinations, the default first."""
        return itertools.product(*self.constants.values())

    @property
    def bounds(self) -> tuple[int | None, ...]:
        """The upper end of each size class; None: no end."""
        return (*self.classes, None)


@dataclass(frozen=True)
class Row:
    """The constants of an arch (90 for compute capability 9.0, 0 for the CPU) and a size class."""

    arch: int
    up_to: int | None
    values: tuple[int, ...]


Tables = dict[str, tuple[Row, ...]]  # backend -> rows, by arch and size


def table_path(spec: Path) -> Path:
    """The tables of the op that a spec file declares."""
    return spec.with_suffix(".tuned.json")


def read(path: Path, declared: Sequence[Tuned]) -> Tables:
    """The tables of an op; without rows where nothing was measured. ValueError when they are not what
    the spec declares."""
    tables: Tables = {tuned.backend: () for tuned in declared}
    if not path.is_file():
        return tables
    try:
        found = json.loads(path.read_text())
        for tuned in declared:
            tables[tuned.backend] = tuple(
                Row(row["arch"], row["up_to"], tuple(row[name] for name in tuned.names))
                for row in found.get(tuned.backend, ())
            )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error!r}: want what ninja tune writes") from None
    for tuned in declared:
        check(path, tuned, tables[tuned.backend])
    return tables


def check(path: Path, tuned: Tuned, rows: Sequence[Row]) -> None:
    """ValueError unless the rows are of the size classes and candidates that the spec has today."""
    archs = sorted({row.arch for row in rows})
    if [(row.arch, row.up_to) for row in rows] != [(a, b) for a in archs for b in tuned.bounds]:
        raise ValueError(
            f"{path}: {tuned.backend}: want a row for each arch and size class, up to {tuned.bounds}"
        )
    if any((row.arch == CPU) != (tuned.backend == "cpu") for row in rows):
        raise ValueError(f"{path}: {tuned.backend}: archs are {archs}")
    possible = set(tuned.candidates)
    if strange := next((row.values for row in rows if row.values not in possible), None):
        raise ValueError(f"{path}: {tuned.backend}: {strange} is none of the spec's candidates")


def choose(tuned: Tuned, measured: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The best constants for each arch and size class.

    `measured` has records {"arch", "size", "case", "values", "us"}. Of a size class every case of
    every size counts the same: a candidate's mark is the geometric mean of its times over the
    default's. The default stays unless another is faster by more than the noise; of equal marks the
    first candidate wins, so the same measurements give the same table.
    """
    times: dict[tuple[int, int | None], dict[tuple[int, ...], dict[tuple[int, str], float]]] = {}
    for record in measured:
        bound = next((b for b in tuned.classes if record["size"] <= b), None)
        of = times.setdefault((record["arch"], bound), {}).setdefault(tuple(record["values"]), {})
        of[record["size"], record["case"]] = record["us"]
    rows = []
    for arch in sorted({arch for arch, _ in times}):
        for bound in tuned.bounds:
            found = times.get((arch, bound), {})
            base = found.get(tuned.default, {})
            best, best_mark = tuned.default, 1.0 - INDIFFERENT
            for values in tuned.candidates:
                shared = found.get(values, {}).keys() & base.keys()
                if not shared or len(shared) < len(base):
                    continue
                product = 1.0
                for case in sorted(shared):
                    product *= (found[values][case] / base[case]) ** (1 / len(shared))
                if product < best_mark:
                    best, best_mark = values, product
            rows.append(Row(arch, bound, best))
    return rows


def write(path: Path, declared: Sequence[Tuned], new: Tables) -> None:
    """Writes an op's tables; rows of archs that are not among the new ones stay."""
    tables = read(path, declared)
    for backend, rows in new.items():
        old = [row for row in tables[backend] if row.arch not in {row.arch for row in rows}]
        tables[backend] = tuple(
            sorted((*old, *rows), key=lambda row: (row.arch, row.up_to is None, row.up_to or 0))
        )
    texts = []
    for tuned in declared:
        lines = [
            json.dumps(
                {"arch": row.arch, "up_to": row.up_to}
                | dict(zip(tuned.names, row.values, strict=True))
            )
            for row in tables[tuned.backend]
        ]
        if lines:
            texts.append(f'  "{tuned.backend}": [\n    ' + ",\n    ".join(lines) + "\n  ]")
    path.write_text("{\n" + ",\n".join(texts) + "\n}\n")
