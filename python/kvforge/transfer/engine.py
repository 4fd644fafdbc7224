"""What kvforge.transfer asks of a library that carries bytes: writes into a peer's staging memory and reads
of it, each followed by a note, and notes alone."""

from __future__ import annotations

from typing import Any, Protocol


class LinkDown(Exception):
    """The connection is of no use any more, with the reason. Transfers are told as PeerLost."""


class Link(Protocol):
    """The connection with one peer. All calls come from one thread, and none waits for the peer."""

    def address(self) -> bytes:
        """What the peer needs to connect; it travels in the hello."""

    def connect(self, address: bytes) -> None:
        """Begins to talk to the peer whose address this is. LinkDown if that cannot be."""

    def post(self, source: int, target: int, count: int, note: bytes) -> int:
        """Begins to write `count` bytes from `source` of the outgoing staging memory to `target` of the
        peer's incoming one, offsets in bytes, and to bring the note once they are there. Returns the
        ticket of the write."""

    def read(self, source: int, target: int, count: int, note: bytes) -> int:
        """Begins to read `count` bytes from `source` of the peer's outgoing staging memory to `target` of
        the incoming one here, and to bring the peer the note once it may overwrite them. Returns the
        ticket of the read."""

    def done(self, ticket: int) -> bool:
        """Whether the source of a write may be overwritten, or the bytes of a read are there; once True
        the ticket is gone. LinkDown as for all."""

    def notify(self, note: bytes) -> None:
        """Brings a note, in the order of notes."""

    def poll(self) -> list[bytes]:
        """The notes that have come since."""

    def fence(self) -> None:
        """Begins to end the connection. Nothing else is called afterwards but closed()."""

    def closed(self) -> bool:
        """Whether, after fence(), no byte of the peer can arrive any more, nor be read from here."""


class Engine(Protocol):
    """A library that carries bytes between staging memories, one engine for an endpoint."""

    name: str

    def open(self, first: bool) -> Link:
        """A link that is not yet connected. Of the two ends of one, the one that asked is the first.
        LinkDown if the library refuses."""


class Maker(Protocol):
    """Makes an engine: for staging memories uint8 [bytes] that live as long as the process."""

    def __call__(self, name: str, incoming: Any, outgoing: Any, silence: float) -> Engine:
        """`name` is the endpoint's, `silence` the seconds after which a peer counts as lost."""
