"""What offer() and fetch() return, and what is counted of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout  # another one before Python 3.11
from dataclasses import dataclass, field


@dataclass
class Stats:
    """Of one transfer: bytes on the wire, chunks, writes or reads that the engine was given, and seconds.

    `pack` is the sender's, from kv_pack to the sums; `post` is in the engine's call, and `wire` from the
    call to the end of the write or read, which overlap: the sender's, or the receiver's of a pull.
    `check` and `unpack` are the receiver's.
    """

    bytes: int = 0
    chunks: int = 0
    descriptors: int = 0
    pack: float = 0.0
    post: float = 0.0
    wire: float = 0.0
    check: float = 0.0
    unpack: float = 0.0


@dataclass
class Transfer:
    """A transfer under way. For any thread; `await transfer` is result() for asyncio, and who is
    cancelled there ends nothing either."""

    key: str
    stats: Stats = field(default_factory=Stats)
    _future: Future[Stats] = field(default_factory=Future)
    _abort: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        # Who awaits it and is cancelled would cancel the future, which the endpoint has yet to settle.
        self._future.set_running_or_notify_cancel()

    def done(self) -> bool:
        """Whether result() returns or raises at once."""
        return self._future.done()

    def result(self, timeout: float | None = None) -> Stats:
        """Waits for the end; raises the TransferError of a transfer that failed.

        TimeoutError after `timeout` seconds, which ends nothing: see abort().
        """
        try:
            return self._future.result(timeout)
        except FutureTimeout:
            raise self._late(timeout) from None

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """As result(), but returns the error, or None."""
        try:
            return self._future.exception(timeout)
        except FutureTimeout:
            raise self._late(timeout) from None

    def _late(self, timeout: float | None) -> TimeoutError:
        return TimeoutError(f"kvforge.transfer: {self.key} is not done after {timeout} s")

    def abort(self) -> None:
        """Ends the transfer with Aborted, unless it is done before."""
        self._abort()

    def __await__(self) -> Generator[object, None, Stats]:
        return asyncio.wrap_future(self._future).__await__()
