"""Reads what ptxas said of each kernel; fails on any spill, stack frame or local memory.

The arguments are the reports, build/cuda/*.resources.txt. Standard library only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_KERNEL = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\w+)'")
_LOCAL = re.compile(r"(\d+) bytes (stack frame|spill stores|spill loads|lmem|cumulative stack)")
_REGISTERS = re.compile(r"Used (\d+) registers")


@dataclass
class Usage:
    """The resources of one kernel on one arch."""

    kernel: str
    arch: str
    registers: int | None = None
    local: tuple[str, ...] = ()  # every non-zero use of local memory, in ptxas's words


def parse(text: str) -> list[Usage]:
    """The kernels of one report, in its order."""
    found: list[Usage] = []
    for line in text.splitlines():
        if match := _KERNEL.search(line):
            found.append(Usage(kernel=match[1], arch=match[2]))
        elif found:
            uses = [f"{size} bytes {what}" for size, what in _LOCAL.findall(line) if int(size)]
            found[-1].local += tuple(uses)
            if match := _REGISTERS.search(line):
                found[-1].registers = int(match[1])
    return found


def table(usages: Sequence[Usage]) -> list[str]:
    """Registers by kernel and arch, one line per kernel."""
    archs = list(dict.fromkeys(usage.arch for usage in usages))
    registers = {(usage.kernel, usage.arch): usage.registers for usage in usages}
    kernels = list(dict.fromkeys(usage.kernel for usage in usages))
    width = max(map(len, ["registers of", *kernels]))
    lines = ["registers of".ljust(width) + "".join(f"  {'sm_' + arch:>7}" for arch in archs)]
    for kernel in kernels:
        cells = (registers.get((kernel, arch)) for arch in archs)
        lines.append(kernel.ljust(width) + "".join(f"  {cell or '-':>7}" for cell in cells))
    return lines


def problems(path: str, usages: Sequence[Usage]) -> list[str]:
    """One line for each thing that is wrong in one report."""
    if not usages:
        return [f"{path}: reports no kernel"]
    found = []
    for usage in usages:
        where = f"{usage.kernel} on sm_{usage.arch}"
        found += [f"{where}: {use}" for use in usage.local]
        if usage.registers is None:
            found.append(f"{where}: no line on registers in {path}")
    return found


def main(paths: Sequence[str]) -> int:
    """Entry point; ends with the line of counts, one test per report."""
    reports = {path: parse(Path(path).read_text()) for path in paths}
    wrong = {path: problems(path, usages) for path, usages in reports.items()}
    print("\n".join(table([usage for usages in reports.values() for usage in usages])))
    for line in (line for lines in wrong.values() for line in lines):
        print(f"wrong: {line}")
    failed = sum(bool(lines) for lines in wrong.values())
    print(f"{len(paths) - failed} passed, {failed} failed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
