"""Where staging memory is, and how the ops are called that read and write it: on the CPU. cuda_staging.py
is the same for pages of a GPU."""

from __future__ import annotations

import contextlib
import mmap
from typing import Any, Protocol

import numpy as np

# Staging stays mapped as long as the process lives: an engine may write to what was deregistered.
_MAPPED: list[Any] = []


class Staging(Protocol):
    """Of one endpoint. What the ops are given is done in order, if not at once: a mark is a point in it.

    All but ready() is called by the endpoint's thread. `slots` of `slot_bytes` bytes are as many as an
    endpoint has that is not told.
    """

    slots: int
    slot_bytes: int

    def map(self, count: int) -> Any:
        """uint8 [count] of new memory, as the engine and the CPU see it."""

    def wire(self, buffer: Any) -> Any:
        """A part of that memory as the ops see it."""

    def numbers(self, values: Any) -> Any:
        """An array of NumPy as the ops see it, of which a slice is a part; others are seen as they are."""

    def zeros(self, count: int) -> Any:
        """uint8 [count] of zeros, for the ops to read."""

    def ready(self) -> Any:
        """A mark behind all that the caller's thread has begun with pages, for after()."""

    def after(self, mark: Any) -> None:
        """What the ops are given from now on comes after this."""

    def calls(self) -> contextlib.AbstractContextManager[object]:
        """Where ops are called."""

    def mark(self) -> Any:
        """Behind all that the ops were given."""

    def passed(self, mark: Any) -> bool:
        """Whether all in front of a mark is done."""

    def forget(self, mark: Any) -> None:
        """Nobody asks for a mark any more."""

    def wait(self) -> None:
        """Until all that the ops were given is done."""


class HostStaging:
    """See Staging. Ops are done when they return, and small slots stay in the processor's caches."""

    slots, slot_bytes = 32, 2 << 20

    def map(self, count: int) -> Any:
        memory = mmap.mmap(-1, count)
        _MAPPED.append(memory)
        return np.frombuffer(memory, np.uint8)

    def wire(self, buffer: Any) -> Any:
        return buffer

    def numbers(self, values: Any) -> Any:
        return values

    def zeros(self, count: int) -> Any:
        return np.zeros(count, np.uint8)

    def ready(self) -> Any:
        return None

    def after(self, mark: Any) -> None:
        pass

    def calls(self) -> contextlib.AbstractContextManager[object]:
        return contextlib.nullcontext()

    def mark(self) -> Any:
        return None

    def passed(self, mark: Any) -> bool:
        return True

    def forget(self, mark: Any) -> None:
        pass

    def wait(self) -> None:
        pass
