"""Compares two runs of bench_cpu: python3 bench/compare.py OLD NEW [--tolerance 0.15]

OLD and NEW are what `bench_cpu --json FILE` has written. Compared are parts of memcpy's speed, which was
measured in turns with each call, so that the runs may be of different days. Prints the rows that differ by
more than the tolerance, the geometric mean of all, and ends with status 1 when a row is slower by more.
Standard library only.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

KEY = ("op", "scalar", "cache", "form", "tokens", "threads", "isa")


@dataclass(frozen=True)
class Change:
    """One row of both runs."""

    name: str
    before: float  # part of memcpy's speed
    after: float

    @property
    def times(self) -> float:
        """How many times as fast."""
        return self.after / self.before


def rows(path: Path) -> dict[tuple[str, ...], float]:
    """The parts of memcpy's speed of a run, by call."""
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            row = json.loads(line)
            found[tuple(str(row[key]) for key in KEY)] = float(row["ratio"])
        except (ValueError, KeyError, TypeError):
            sys.exit(f"{path}:{number}: no row that bench_cpu --json has written")
    return found


def changes(before: Path, after: Path) -> list[Change]:
    """What both runs have, the slowed first."""
    old, new = rows(before), rows(after)
    both = [Change(" ".join(key), old[key], new[key]) for key in old if key in new]
    if not both:
        sys.exit(f"{before} and {after} have no call in common")
    return sorted(both, key=lambda change: change.times)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--tolerance", type=float, default=0.15, help="that times differ by [0.15]")
    options = parser.parse_args(arguments)
    found = changes(options.old, options.new)
    bound = 1 + options.tolerance
    for change in found:
        if not 1 / bound <= change.times <= bound:
            print(
                f"{change.times:5.2f}  {change.before:4.0%} to {change.after:4.0%}  {change.name}"
            )
    slower = sum(change.times < 1 / bound for change in found)
    mean = math.exp(sum(math.log(change.times) for change in found) / len(found))
    print(
        f"{len(found)} calls, {mean:.3f} times as fast on average; {slower} slower by more than "
        f"{options.tolerance:.0%}"
    )
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
