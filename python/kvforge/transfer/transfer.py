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
    _ready: Callable[[str], None] | None = None
    _layers: dict[str, Future[None]] = field(default_factory=dict)

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

    def ready(self, layer: str) -> None:
        """Of an offer by layer: all its tokens have their rows of this layer, on a GPU behind what the
        caller's stream has been given. Waits for nothing; what is said twice is said once.

        ValueError for a layer that the group does not have, or an offer of all layers at once.
        """
        if self._ready is None:
            raise ValueError(f"ready: {self.key} is no offer by layer: offer(..., by_layer=True)")
        self._ready(layer)

    def wait_for_layer(self, layer: str, timeout: float | None = None) -> None:
        """Of a fetch by layer: until all of this layer is in its pages. Else as result().

        ValueError for a layer that is not fetched, or a fetch of all layers at once.
        """
        if layer not in self._layers:
            raise ValueError(
                f"wait_for_layer: {self.key} is a fetch by layer of {sorted(self._layers)}, not of "
                f"{layer}"
                if self._layers
                else f"wait_for_layer: {self.key} is no fetch by layer: fetch(..., by_layer=True)"
            )
        try:
            self._layers[layer].result(timeout)
        except FutureTimeout:
            raise self._late(timeout, f"layer {layer} of ") from None

    def _came(self, layer: str, error: Exception | None = None) -> None:
        """All of a layer is unpacked, or never will be."""
        if error is None:
            self._layers[layer].set_result(None)
        else:
            self._layers[layer].set_exception(error)

    def _late_layers(self) -> list[str]:
        """Those of a fetch by layer that have not come."""
        return [name for name, layer in self._layers.items() if not layer.done()]

    def _late(self, timeout: float | None, what: str = "") -> TimeoutError:
        return TimeoutError(f"kvforge.transfer: {what}{self.key} is not done after {timeout} s")

    def abort(self) -> None:
        """Ends the transfer with Aborted, unless it is done before."""
        if not self.done():
            self._abort()

    def __await__(self) -> Generator[object, None, Stats]:
        return asyncio.wrap_future(self._future).__await__()
