"""What a build costs before it is made: seconds of the compilers and bytes of the library.

The numbers are those of the last build in a build folder, read from ninja's own log and from what it
left, and where nothing was recorded those of costs.json, which `python3 -m generator --record-costs`
writes. They are means by op, backend and level (an isa of the CPU, one arch of CUDA): the variants of
an op differ little. Needs nothing but the standard library, so configure.py reads it.
"""

from __future__ import annotations

import json
import os
import platform
import re
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from generator import names
from generator.model import Variant
from generator.profile import Profile

TABLE = Path(__file__).with_name("costs.json")
# Machine code for these takes half of what it takes for all, and later GPUs have the PTX of the last.
DEFAULT_ARCHS = ("80", "90")
ALL_ARCHS = (*DEFAULT_ARCHS, "100", "120")  # what a package for any machine has
DEFAULT_ISAS = {"x86_64": ("baseline", "avx2", "avx512"), "aarch64": ("neon",)}
REST = "rest"  # runtime, tables and the link: what every library has
ALLOCATED = 2  # SHF_ALLOC of ELF: sections that are part of a loaded program

Key = tuple[str, str]  # op, level; the level of a CUDA variant is "cuda"


@dataclass(frozen=True)
class Cost:
    """Of one variant at one level, or of a whole selection."""

    seconds: float  # of one compiler at a time
    bytes: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.bytes + other.bytes)


@dataclass(frozen=True)
class Plan:
    """What building a selection is expected to cost."""

    variants: int
    cost: Cost
    measured: float  # share of the seconds that were recorded here

    def describe(self, jobs: int) -> str:
        """One line: the number of variants, the expected time of as many jobs, the bytes."""
        source = "as recorded here" if self.measured > 0.5 else "by generator/costs.json"
        wall = self.cost.seconds / jobs
        return (
            f"{self.variants} compiled variants, about {wall:,.0f} s with {jobs} jobs "
            f"({self.cost.seconds:,.0f} s of compilers, {source}), {self.cost.bytes / 1e6:.1f} MB"
        )


def loaded_bytes(path: Path) -> int:
    """The bytes that an object file brings to a library: its sections that are loaded."""
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return len(data)
    offset = struct.unpack_from("<Q", data, 40)[0]
    size, count = struct.unpack_from("<HH", data, 58)
    total = 0
    for at in range(offset, offset + size * count, size):
        flags = struct.unpack_from("<Q", data, at + 8)[0]
        length = struct.unpack_from("<Q", data, at + 32)[0]
        total += length if flags & ALLOCATED else 0
    return total


def log_of(folder: Path) -> dict[str, float]:
    """Output -> seconds that ninja took for it the last time; of edges with several, of each."""
    log = folder / ".ninja_log"
    found = {}
    for line in log.read_text().splitlines() if log.is_file() else ():
        fields = line.split("\t")
        if len(fields) == 5:
            found[fields[3]] = (int(fields[1]) - int(fields[0])) / 1000
    return found


def archs_of(folder: Path) -> int:
    """The GPU architectures of a configured build, the one for PTX not counted; 1 if it has none."""
    file = folder / "build.ninja"
    text = file.read_text() if file.is_file() else ""
    line = next((line for line in text.splitlines() if line.startswith("gencode =")), "")
    return max(1, len(re.findall("code=sm_", line)))


def recorded(folder: Path) -> dict[Key, Cost]:
    """The mean costs of what a build folder holds. A cache of compilers makes them too small, which
    --record-costs therefore refuses."""
    sums: dict[Key, list[Cost]] = defaultdict(list)
    archs = archs_of(folder)
    rest = Cost(0, 0)
    for output, seconds in log_of(folder).items():
        path = folder.parent / output
        if Path(output).parent == folder / "cpu" or output.startswith(f"{folder.name}/cpu/"):
            symbol, level, _ = Path(output).name.rsplit(".", 2)
            share = 1
        elif output.startswith(f"{folder.name}/cuda/") and output.endswith(".fatbin"):
            symbol, level, share = Path(output).stem, "cuda", archs
        else:
            if output.startswith((f"{folder.name}/obj/runtime", f"{folder.name}/obj/generated")):
                rest += Cost(seconds, loaded_bytes(path) if path.is_file() else 0)
            continue
        if path.is_file():
            _, op, _ = names.parse_symbol(symbol)
            sums[op, level].append(Cost(seconds / share, loaded_bytes(path) / share))
    means = {
        key: Cost(
            sum(c.seconds for c in found) / len(found), sum(c.bytes for c in found) / len(found)
        )
        for key, found in sums.items()
    }
    return means | ({(REST, ""): rest} if rest.seconds else {})


def table() -> dict[Key, Cost]:
    """The checked-in costs."""
    rows = json.loads(TABLE.read_text())
    return {(op, level): Cost(*pair) for op, of in rows.items() for level, pair in of.items()}


def write_table(costs: Mapping[Key, Cost]) -> None:
    """Writes the checked-in costs, sorted, with numbers that a person can compare."""
    rows: dict[str, dict[str, list[float]]] = {}
    for (op, level), cost in sorted(costs.items()):
        rows.setdefault(op, {})[level] = [round(cost.seconds, 2), round(cost.bytes)]
    lines = [f'  "{op}": {json.dumps(of)}' for op, of in rows.items()]
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def mean(costs: Iterable[Cost]) -> Cost:
    """Of several; nothing of none."""
    found = list(costs)
    count = max(1, len(found))
    return Cost(sum(c.seconds for c in found) / count, sum(c.bytes for c in found) / count)


def estimate(
    variants: Sequence[Variant],
    isas: Sequence[str],
    archs: Sequence[str],
    folder: Path,
    rest: bool = True,
) -> Plan:
    """What building these variants for these levels costs. Of an op of which nothing is known, which
    lies outside the tree, the mean of all others. `rest`: with what every library has."""
    here, known = recorded(folder), table()
    whole = here.get((REST, "")) or known.get((REST, ""))
    total = whole if whole and rest else Cost(0, 0)
    seconds_here = 0.0
    for variant in variants:
        levels = isas if variant.backend == "cpu" else ["cuda"]
        for level in levels:
            key = variant.op.name, level
            cost = here.get(key) or known.get(key)
            if cost is None:
                cost = mean(c for (_, other), c in known.items() if other == level)
            times = len(archs) if level == "cuda" else 1
            cost = Cost(cost.seconds * times, cost.bytes * times)
            total += cost
            seconds_here += cost.seconds if key in here else 0
    return Plan(len(variants), total, seconds_here / max(total.seconds, 1e-9))


def report(wanted: Profile, folder: Path) -> str:
    """What building a selection costs, by op and in all."""
    isas = wanted.isas or DEFAULT_ISAS.get(platform.machine(), ("baseline",))
    archs = wanted.archs or DEFAULT_ARCHS
    variants = wanted.variants()
    rows = [("op", "variants", "seconds", "KB")]
    for name in sorted({variant.op.name for variant in variants}):
        own = [variant for variant in variants if variant.op.name == name]
        of = estimate(own, isas, archs, folder, rest=False)
        rows.append((name, str(len(own)), f"{of.cost.seconds:.0f}", f"{of.cost.bytes / 1e3:,.0f}"))
    width = max(len(row[0]) for row in rows)
    lines = [f"{row[0]:<{width}}{row[1]:>10}{row[2]:>10}{row[3]:>10}" for row in rows]
    lines.append(f"isa levels {', '.join(isas)}; CUDA archs {', '.join(archs)}")
    jobs = len(os.sched_getaffinity(0))
    return "\n".join([*lines, estimate(variants, isas, archs, folder).describe(jobs)])


def record(folder: Path) -> str:
    """Takes what a build folder holds into costs.json; ValueError if it was not made by compilers."""
    file = folder / "build.ninja"
    if file.is_file() and re.search(r"^launcher = .", file.read_text(), re.M):
        raise ValueError(f"{folder} was built through a cache of compilers: its times tell nothing")
    found = recorded(folder)
    if not found:
        raise ValueError(f"{folder} holds no build")
    write_table(table() | found)
    return f"{TABLE.name}: {len(found)} rows from {folder}"
