"""One transfer at its sender: credits come, chunks are packed, summed and posted or lent, acknowledgements
come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kvforge.ops import _C_cache_ops as ops
from kvforge.transfer import messages
from kvforge.transfer.engine import Link
from kvforge.transfer.errors import BadMessage, TransferError
from kvforge.transfer.layers import Layers
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
    tokens, and `layers` those that are yet to come, if not all are there. The receiver is told how many
    chunks can be sent, in order. What it granted and will not be written to is told it as drained.
    To who pulls, a chunk is lent: its note names the slot here, which goes round once it has been read.
    Credits then say how many chunks the receiver has room for, so that no slot here is lent before it
    can be read.
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
    layers: Layers | None = None
    pull: bool = False
    failed: TransferError | None = None

    def __post_init__(self) -> None:
        self._credits: list[Slot] = []
        self._packing: list[_Packing] = []
        self._flights: list[_Flight] = []
        self._posted = 0
        self._there = 0  # chunks that the receiver knows of
        self.slots = self.ring.staging.numbers(self.slots)
        self._written: dict[int, Slot] = {}  # by chunk: writes that are over, and not acknowledged
        self._acknowledged: set[int] = set()
        self._lent: dict[int, Slot] = {}  # by chunk: slots here

    @property
    def complete(self) -> bool:
        return len(self._acknowledged) == len(self.chunks)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way: what has failed can then be forgotten."""
        return not self._flights

    def announce(self) -> bool:
        """Tells the receiver of chunks whose layers have come since. Whether there were any."""
        known = self._there
        while self._there < len(self.chunks):
            names = self.part.names(self.chunks[self._there])
            if self.layers is not None and not self.layers.there(names):
                break
            self._there += 1
        if self._there == known:
            return False
        self.link.notify(messages.ready(self.number, self._there))
        return True

    def credit(self, slots: list[Slot]) -> None:
        """Slots of the receiver that may be written to once. What there is no chunk for yet others may
        need meanwhile."""
        if self.failed is not None:
            self._drained(slots)
            return
        self._credits += slots
        self.event("credit")
        wanted = self._there - self._posted
        self._drained(self._credits[wanted:])
        del self._credits[wanted:]

    def acknowledge(self, slots: list[Slot]) -> None:
        """Chunks that the receiver has unpacked."""
        for slot in slots:
            if slot.chunk >= self._posted:
                raise BadMessage("ack: chunk", slot.chunk, f"less than {self._posted}")
            self._acknowledged.add(slot.chunk)
            self._written.pop(slot.chunk, None)
            if slot.chunk in self._lent:  # the engine is yet to tell that it has been read
                self.ring.give_back(self._lent.pop(slot.chunk))

    def returned(self, slots: list[Slot]) -> None:
        """Slots here that the receiver has read."""
        for slot in slots:
            local = self._lent.get(slot.chunk)
            if local is not None and local.generation == slot.generation:
                self.ring.give_back(self._lent.pop(slot.chunk))

    def fail(self, error: TransferError) -> None:
        """Posts nothing more. Writes under way come to their end, or to that of the link."""
        self.failed = error
        self._stop_packing()
        self._take_back()
        self._drained([*self._credits, *self._written.values()])
        self._credits.clear()

    def cut(self) -> None:
        """Of a link that is lost: what it still reads stays in quarantine until it is closed."""
        self._stop_packing()
        self._take_back()
        for flight in self._flights:
            self.ring.quarantine(flight.local, self.link)
        self._flights.clear()

    def _stop_packing(self) -> None:
        """Who takes these slots packs into them later."""
        for packing in self._packing:
            self.ring.staging.forget(packing.mark)
            self.ring.give_back(packing.local)
        self._packing.clear()

    def _take_back(self) -> None:
        """What is lent goes round at once, though a late read may still see it, and the bytes of another
        chunk in it: a read changes nothing here, and who reads late has ended this transfer, or hears
        of its end, and has the bytes in a slot that is in quarantine; else their sums are others."""
        for local in self._lent.values():
            self.ring.give_back(local)
        self._lent.clear()

    def step(self, share: int) -> bool:
        """Ends writes that are done, packs a chunk and writes or lends one, of these no more than a share
        of the ring. Whether there was anything to do."""
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
        if self.failed is None:
            busy |= self.announce()
        begun = self._posted + len(self._packing)
        if (
            self.failed is None
            and len(self._credits) > len(self._packing)
            and begun < self._there
            and (not self.pull or len(self._lent) + len(self._packing) < share)
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
        if self.failed is not None:  # it was ended there
            self.ring.give_back(local)
            return
        remote = self._credits.pop()  # the latest, whose bytes the receiver's caches still hold
        named = local if self.pull else remote
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
            named.slot,
            chunk.bytes,
            named.generation,
            messages.digest(sums),
        )
        if self.pull:
            self._lent[chunk.number] = local
            self.link.notify(messages.chunk(header, sums, messages.LENT))
        else:
            self._post(chunk, local, remote, messages.chunk(header, sums))
        self._posted += 1
        self.stats.pack += packed - packing.started
        self.stats.bytes += chunk.bytes
        self.stats.chunks += 1
        self.event("lent" if self.pull else "posted")

    def _post(self, chunk: Chunk, local: Slot, remote: Slot, note: bytes) -> None:
        started, source = time.monotonic(), local.slot * self.ring.slot_bytes
        try:
            ticket = self.link.post(source, remote.slot * self.pitch, chunk.bytes, note)
        except BaseException:
            self.ring.quarantine(local, self.link)
            raise
        posted = time.monotonic()
        self._flights.append(_Flight(chunk, local, remote, ticket, posted))
        self.stats.post += posted - started
        self.stats.descriptors += 1

    def _pack(self, chunk: Chunk, buffer: Any) -> None:
        part, wire, layers = self.part, self.wire, self.part.names(chunk)
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
