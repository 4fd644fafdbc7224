"""One transfer at its sender: credits come, chunks are packed, summed and posted, acknowledgements come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kvforge.ops import _C_cache_ops as ops
from kvforge.transfer import messages
from kvforge.transfer.engine import Link
from kvforge.transfer.errors import BadMessage, TransferError
from kvforge.transfer.layout import LAYOUTS, Group, Wire
from kvforge.transfer.messages import Header, Slot
from kvforge.transfer.plan import Chunk, Part
from kvforge.transfer.ring import Ring
from kvforge.transfer.transfer import Stats


@dataclass
class _Packing:
    """A chunk that is being packed into a slot here."""

    chunk: Chunk
    local: Slot
    mark: Any
    started: float


@dataclass
class _Flight:
    """A write that the engine has, of a slot here to a slot there."""

    chunk: Chunk
    local: Slot
    remote: Slot
    ticket: int
    posted: float


@dataclass
class Sending:
    """Tokens of an offer on their way to one peer. Not for several threads.

    Pages are read from step() on, until it has posted the last chunk; `slots` are those of the part's
    tokens. What a receiver granted and will not be written to is told it as drained.
    """

    number: int
    link: Link
    ring: Ring
    pitch: int  # bytes from one slot of the receiver to the next
    group: Group
    index: int  # of the group in our hello
    wire: Wire
    part: Part
    chunks: list[Chunk]
    slots: Any
    stats: Stats
    event: Callable[[str], None]
    failed: TransferError | None = None

    def __post_init__(self) -> None:
        self._credits: list[Slot] = []
        self._packing: list[_Packing] = []
        self._flights: list[_Flight] = []
        self._posted = 0
        self.slots = self.ring.staging.numbers(self.slots)
        self._written: dict[int, Slot] = {}  # by chunk: writes that are over, and not acknowledged
        self._acknowledged: set[int] = set()

    @property
    def complete(self) -> bool:
        return len(self._acknowledged) == len(self.chunks)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way: what has failed can then be forgotten."""
        return not self._flights

    def credit(self, slots: list[Slot]) -> None:
        """Slots of the receiver that may be written to once."""
        if self.failed is not None:
            self._drained(slots)
            return
        self._credits += slots
        self.event("credit")

    def acknowledge(self, slots: list[Slot]) -> None:
        """Chunks that the receiver has unpacked."""
        for slot in slots:
            if slot.chunk >= self._posted:
                raise BadMessage("ack: chunk", slot.chunk, f"less than {self._posted}")
            self._acknowledged.add(slot.chunk)
            self._written.pop(slot.chunk, None)

    def fail(self, error: TransferError) -> None:
        """Posts nothing more. Writes under way come to their end, or to that of the link."""
        self.failed = error
        self._stop_packing()
        self._drained([*self._credits, *self._written.values()])
        self._credits.clear()

    def cut(self) -> None:
        """Of a link that is lost: what it still reads stays in quarantine until it is closed."""
        self._stop_packing()
        for flight in self._flights:
            self.ring.quarantine(flight.local, self.link)
        self._flights.clear()

    def _stop_packing(self) -> None:
        """Who takes these slots packs into them later."""
        for packing in self._packing:
            self.ring.staging.forget(packing.mark)
            self.ring.give_back(packing.local)
        self._packing.clear()

    def step(self) -> bool:
        """Ends writes that are done, packs a chunk and writes one. Whether there was anything to do."""
        flying = len(self._flights)
        for flight in list(self._flights):
            if self.link.done(flight.ticket):
                self._flights.remove(flight)
                self.ring.give_back(flight.local)
                self.stats.wire += time.monotonic() - flight.posted
                if self.failed is not None:
                    self._drained([flight.remote])
                elif flight.chunk.number not in self._acknowledged:
                    self._written[flight.chunk.number] = flight.remote
        busy = len(self._flights) != flying
        begun = self._posted + len(self._packing)
        if (
            self.failed is None
            and len(self._credits) > len(self._packing)
            and begun < len(self.chunks)
        ):
            local = self.ring.take()
            if local is not None:
                self._begin(self.chunks[begun], local)
                busy = True
        if self._packing and self.ring.staging.passed(self._packing[0].mark):
            self._send(self._packing.pop(0))
            busy = True
        return busy

    def _begin(self, chunk: Chunk, local: Slot) -> None:
        started = time.monotonic()
        try:
            self._pack(chunk, self.ring.staging.wire(self.ring.bytes_of(local, chunk.bytes)))
            mark = self.ring.staging.mark()
        except BaseException:
            self.ring.give_back(local)
            raise
        self._packing.append(_Packing(chunk, local, mark, started))

    def _send(self, packing: _Packing) -> None:
        chunk, local = packing.chunk, packing.local
        sums = messages.sums_of(self.ring.bytes_of(local, chunk.bytes))
        packed = time.monotonic()
        self.event("pack")
        remote = self._credits.pop()  # the latest, whose bytes the receiver's caches still hold
        header = Header(
            self.number,
            chunk.number,
            len(self.chunks),
            self.index,
            LAYOUTS.index(self.part.layout),
            self.wire.code,
            chunk.first_layer,
            chunk.layers,
            self.part.first + chunk.first,
            chunk.count,
            remote.slot,
            chunk.bytes,
            remote.generation,
            messages.digest(sums),
        )
        note = messages.chunk(header, sums)
        source = local.slot * self.ring.slot_bytes
        try:
            ticket = self.link.post(source, remote.slot * self.pitch, chunk.bytes, note)
        except BaseException:
            self.ring.quarantine(local, self.link)
            raise
        posted = time.monotonic()
        self._posted += 1
        self._flights.append(_Flight(chunk, local, remote, ticket, posted))
        self.stats.pack += packed - packing.started
        self.stats.post += posted - packed
        self.stats.bytes += chunk.bytes
        self.stats.chunks += 1
        self.stats.descriptors += 1
        self.event("posted")

    def _pack(self, chunk: Chunk, buffer: Any) -> None:
        part, wire = self.part, self.wire
        layers = part.layers[chunk.first_layer : chunk.first_layer + chunk.layers]
        slots = self.slots[chunk.first : chunk.first + chunk.count]
        if wire.sender_converts:
            pages, page_dtype = self.group.arrays(layers, part.heads, False), self.group.shape.dtype
            scales = wire.scales(layers, part.heads)
        else:
            pages, page_dtype = self.group.arrays(layers, part.heads, True), wire.dtype
            scales = None
        staging = self.ring.staging
        with staging.calls():
            ops.kv_pack(
                pages,
                buffer,
                slots,
                part.layout,
                part.block,
                page_dtype,
                wire.dtype,
                [],
                staging.numbers(scales),
                len(layers),
                part.heads_per_group,
            )

    def _drained(self, slots: list[Slot]) -> None:
        if slots:
            self.link.notify(messages.with_slots(messages.DRAINED, self.number, slots))
