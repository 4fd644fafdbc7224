"""Tuned tables of the engine itself: what no op has alone, since it is the machine's.

<name>.tuned.json beside this file holds what was measured, as <op>.tuned.json does for an op.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from generator import tuned
from generator.tuned import Row, Tuned


@dataclass(frozen=True)
class Engine:
    """One of its tables."""

    name: str
    declared: Tuned

    @property
    def path(self) -> Path:
        """Where its rows are kept."""
        return tuned.table_path(Path(__file__).with_name(f"{self.name}.py"))

    @property
    def rows(self) -> tuple[Row, ...]:
        """What was measured."""
        return tuned.read(self.path, (self.declared,))[self.declared.backend]


TABLES = (
    # How much work is worth another thread, and in which chunks threads share it: KiB that are moved,
    # and chunks of a thread at most.
    Engine(
        "threads",
        Tuned(
            "cpu",
            {"thread_kib": (64, 32, 128), "chunk_kib": (256, 128, 512), "chunks": (8, 4, 16)},
            "bytes",
            (),
        ),
    ),
    # From how many KiB on copies store past the caches.
    Engine("streaming", Tuned("cpu", {"stream_kib": (4096, 512, 32768)}, "bytes", ())),
)
