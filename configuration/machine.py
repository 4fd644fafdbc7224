"""What this machine itself runs: what `native` stands for among isa levels and architectures."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from configuration.shell import ROOT, first_line

NATIVE = "native"

# What Linux calls the features that an isa level needs (the compiler's x86-64-v3 and -v4).
AVX2 = frozenset({"abm", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"})
LEVEL_FEATURES = {
    "avx2": AVX2,
    "avx512": AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
}


def runs(isa: str) -> bool:
    """Whether this machine has the instructions of an isa level."""
    needed = LEVEL_FEATURES.get(isa, frozenset())
    try:
        features = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        features = None
    return not needed or (features is not None and needed <= set(features[1].split()))


def native_isa(levels: Iterable[str]) -> str:
    """The highest of some levels, in ascending order, that this machine runs."""
    return [level for level in levels if runs(level)][-1]


@cache
def native_archs() -> tuple[str, ...]:
    """The architectures of the GPUs that are visible here; in a process of its own, since a driver
    that has been started does not survive a fork."""
    return tuple(first_line(sys.executable, "-B", str(ROOT / "python/kvforge/_gpus.py")).split())
