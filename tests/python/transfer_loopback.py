"""An engine of kvforge.transfer within a process, which tells a test all that travels and lets it change
notes, hold them back and repeat them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from kvforge.transfer import messages
from kvforge.transfer.engine import Link, LinkDown

# What becomes of a note: those that arrive in its place.
Mangle = Callable[[bytes], list[bytes]]


# Seconds after which a test gives up: more than a busy machine stands still for. Where all is well nothing
# waits for them to pass.
PATIENCE = 60.0


def soon(what: Callable[[], Any], seconds: float = PATIENCE) -> bool:
    """Whether it becomes so."""
    until = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < until:
        time.sleep(0.002)
    return bool(found)


class Loopback:
    """The wire between the endpoints of one test. `mangle` sees chunks' notes, after their bytes or
    before they are read. While `slow`, reads have not begun, and what they bring is what is there once
    they may."""

    def __init__(self) -> None:
        self.mangle: Mangle = lambda note: [note]
        self.slow = False
        self.links: dict[bytes, _Link] = {}
        self.kinds: list[int] = []

    def __call__(self, name: str, incoming: Any, outgoing: Any, silence: float) -> _Engine:
        return _Engine(self, incoming, outgoing)


class _Engine:
    name = "loopback"

    def __init__(self, wire: Loopback, incoming: Any, outgoing: Any) -> None:
        self._wire, self._incoming, self._outgoing = wire, incoming, outgoing

    def open(self, first: bool) -> Link:
        return _Link(self._wire, self._incoming, self._outgoing)


class _Link:
    def __init__(self, wire: Loopback, incoming: Any, outgoing: Any) -> None:
        self.wire, self.incoming, self.outgoing = wire, incoming, outgoing
        self.notes: deque[bytes] = deque()
        self.peer = b""
        self.cut = self.slow = False
        self.tickets = 0
        self.reads: dict[int, Callable[[], None]] = {}
        self.key = f"{len(wire.links)}".encode()
        wire.links[self.key] = self

    def address(self) -> bytes:
        return self.key

    def connect(self, address: bytes) -> None:
        self.peer = address

    def _other(self) -> _Link:
        other = self.wire.links[self.peer]
        if other.cut:
            raise LinkDown("it was cut")
        return other

    def post(self, source: int, target: int, count: int, note: bytes) -> int:
        other = self._other()
        other.incoming[target : target + count] = self.outgoing[source : source + count]
        self.wire.kinds.append(messages.CHUNK)
        other.notes += self.wire.mangle(note)
        return 0

    def read(self, source: int, target: int, count: int, note: bytes) -> int:
        other = self._other()

        def run() -> None:
            self.incoming[target : target + count] = other.outgoing[source : source + count]
            self.wire.kinds.append(messages.parse(note).kind)
            other.notes.append(note)

        self.tickets += 1
        self.reads[self.tickets] = run
        return self.tickets

    def done(self, ticket: int) -> bool:
        if ticket in self.reads:
            self._other()
            if self.wire.slow or self.slow:
                return False
            self.reads.pop(ticket)()
        return True

    def notify(self, note: bytes) -> None:
        other = self._other()
        kind = messages.parse(note).kind
        self.wire.kinds.append(kind)
        other.notes += self.wire.mangle(note) if kind == messages.LENT else [note]

    def poll(self) -> list[bytes]:
        if self.peer:
            self._other()
        found = []
        while self.notes:
            found.append(self.notes.popleft())
        return found

    def fence(self) -> None:
        self.cut = True

    def closed(self) -> bool:
        return self.cut
