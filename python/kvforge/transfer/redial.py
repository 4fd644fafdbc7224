"""Hellos that an endpoint says anew by itself, to peers that it has called and that were cut off."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kvforge.transfer.errors import DeadlineExceeded, PeerLost, TransferError

_LOG = logging.getLogger("kvforge.transfer")
# Seconds before the first hello anew, and at most before a later one: the wait doubles, and goes on doubling
# where a link that came of it did not live for as long.
_FIRST, _MOST = 0.1, 2.0
_PATIENCE = 2.0  # seconds for the connection of a hello that nobody waits for

Address = tuple[str, int]


@dataclass
class _Called:
    """An address, and who answered there last. One hello at a time is said to it, so that none takes the
    place of another one's link."""

    name: str = ""
    since: float = 0.0
    wait: float = _FIRST
    lock: threading.Lock = field(default_factory=threading.Lock)


class Redial:
    """The addresses that an endpoint has called. For any thread.

    `greet` says hello, with so many seconds to connect, and returns the peer's name; `there` knows
    whether a peer of this name is there; `replaced` is told the names of a peer and of the one that now
    answers at its address. Hellos are said for `limit` seconds after a loss, on a thread for each peer.
    """

    def __init__(
        self,
        greet: Callable[[Address, float], str],
        there: Callable[[str], bool],
        replaced: Callable[[str, str], None],
        limit: float,
    ) -> None:
        self._greet, self._there, self._replaced = greet, there, replaced
        self._limit = limit
        self._called: dict[Address, _Called] = {}
        self._closed = threading.Event()

    def call(self, address: Address, patience: float) -> str:
        """Says hello for a caller, with its errors."""
        called = self._called.setdefault(address, _Called())
        with called.lock:
            return self._say(address, called, patience)

    def name_at(self, address: Address) -> str | None:
        """Who answered there last, if he is there."""
        called = self._called.get(address)
        return called.name if called and called.name and self._there(called.name) else None

    def lost(self, name: str) -> None:
        """A peer's link has failed; who was not called from here calls himself. Does not wait."""
        for address, called in list(self._called.items()):
            if called.name == name and self._limit > 0:
                lived = time.monotonic() - called.since
                called.wait = _FIRST if lived > _MOST else min(2 * called.wait, _MOST)
                threading.Thread(
                    target=self._again,
                    args=(name, address, called),
                    name="kvforge-hello-again",
                    daemon=True,
                ).start()

    def close(self) -> None:
        """Ends all waits."""
        self._closed.set()

    def _say(self, address: Address, called: _Called, patience: float) -> str:
        name = self._greet(address, patience)
        called.name, called.since = name, time.monotonic()
        return name

    def _again(self, name: str, address: Address, called: _Called) -> None:
        until = time.monotonic() + self._limit
        # Two that have called each other do not go on doing so at the same time.
        while not self._closed.wait(called.wait * random.uniform(0.5, 1.5)):
            try:
                with called.lock:
                    if called.name != name or self._there(name):
                        return
                    found = self._say(address, called, _PATIENCE)
                if found != name:
                    self._replaced(name, found)
                return
            except (PeerLost, DeadlineExceeded) as error:
                called.wait = min(2 * called.wait, _MOST)
                if time.monotonic() > until:
                    _LOG.warning("no hello is said anew to %s: %s", name, error)
                    return
            except TransferError as error:  # a later one would have the same answer
                if not self._closed.is_set():
                    _LOG.warning("no hello is said anew to %s: %s", name, error)
                return
