"""One transfer at its receiver: slots are granted, chunks land or are read, are checked, unpacked and
acknowledged."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kvforge.ops import _C_cache_ops as ops
from kvforge.transfer import messages
from kvforge.transfer.engine import Link, LinkDown
from kvforge.transfer.errors import BadMessage, Incompatible
from kvforge.transfer.layout import LAYOUTS, Group, Wire
from kvforge.transfer.messages import Header, Slot
from kvforge.transfer.plan import Chunk, Part
from kvforge.transfer.ring import Ring
from kvforge.transfer.transfer import Stats


@dataclass
class Read:
    """A read that the engine has, of a slot there into one here."""

    chunk: Chunk
    slot: Slot
    sums: Any
    ticket: int
    begun: float


@dataclass
class Stream:
    """What one peer sends for a transfer. Not for several threads."""

    number: int
    peer: str
    link: Link
    index: int  # of the group in the peer's hello
    wire: Wire
    part: Part
    chunks: list[Chunk]
    lends: tuple[int, int]  # slots of the peer's outgoing ring, and bytes of each

    def __post_init__(self) -> None:
        self.ready = 0  # chunks that the peer has, the first ones
        self.granted: dict[int, Slot] = {}
        self.reading: dict[int, Read] = {}
        self.generation = 0  # of the slot that was lent last
        self.landed: dict[int, Slot] = {}
        self.unpacked: set[int] = set()

    @property
    def complete(self) -> bool:
        return len(self.unpacked) == len(self.chunks)

    @property
    def wanting(self) -> int:
        """Chunks that the peer has and for which no slot is granted yet."""
        return self.ready - self.used

    @property
    def used(self) -> int:
        """Chunks for which a slot is, or was."""
        under_way = len(self.granted) + len(self.reading) + len(self.landed)
        return under_way + len(self.unpacked)

    def known(self, number: int) -> bool:
        """Whether a chunk has come, or is being read."""
        return number in self.reading or number in self.landed or number in self.unpacked


@dataclass
class Receiving:
    """Tokens of a request on their way into pages here, by one stream from each peer that has some.

    `slots` are those of tokens first, first + 1, ... of the streams' parts. With `atomic` nothing is
    unpacked before all has landed and is checked, so all of it must fit into the ring. With `pull` the
    peers' notes name slots of theirs, which are read into those granted, and which are which is this
    side's to choose. `came` is told of each layer of which all is unpacked.
    """

    group: Group
    slots: Any
    streams: list[Stream]
    ring: Ring
    stats: Stats
    event: Callable[[str], None]
    atomic: bool = False
    zero_tail: bool = False
    pull: bool = False
    came: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        self._last = int(self.slots[-1]) if len(self.slots) else -1
        self.slots = self.ring.staging.numbers(self.slots)
        # Chunks of each layer that are not unpacked.
        self._left = Counter(
            layer
            for stream in self.streams
            for chunk in stream.chunks
            for layer in stream.part.names(chunk)
        )
        self._unpacking: deque[tuple[Stream, Chunk, Any, float]] = deque()
        chunks = sum(len(stream.chunks) for stream in self.streams)
        if self.atomic and chunks > self.ring.slots:
            raise Incompatible(
                f"group {self.group.shape.name}: {chunks} chunks at once, and {self.ring.slots} slots"
            )

    @property
    def complete(self) -> bool:
        return all(stream.complete for stream in self.streams)

    def grant(self) -> bool:
        """Takes slots for what is to come, and tells the peers. Whether it had any."""
        wanting = [stream for stream in self.streams if stream.wanting > 0]
        needed = sum(stream.wanting for stream in wanting)
        if self.atomic and not self._all_fit(needed):
            return False
        found: dict[int, list[Slot]] = {}
        while wanting:
            for stream in list(wanting):
                slot = self.ring.take()
                if slot is None:
                    wanting.clear()
                    break
                stream.granted[slot.slot] = slot
                found.setdefault(stream.number, []).append(slot)
                if not stream.wanting:
                    wanting.remove(stream)
        for stream in self.streams:
            if slots := found.get(stream.number):
                stream.link.notify(messages.with_slots(messages.CREDIT, stream.number, slots))
        return bool(found)

    def grant_early(self) -> None:
        """Before the peers say that they have it: the way there and back is saved where they have, and
        who has not gives the slots back. Not where all slots are needed at once."""
        if not self.atomic:
            for stream in self.streams:
                stream.ready = len(stream.chunks)
            with contextlib.suppress(LinkDown):  # the next look at the peer tells
                self.grant()

    def take_back(self, stream: Stream, slot: Slot) -> None:
        """A slot that the peer has no use for before it is ready."""
        if self.pull:
            # One credit is as another: this slot may have been read into in another's place.
            slot = next(reversed(stream.granted.values()), slot)
        granted = stream.granted.get(slot.slot)
        if granted is not None and granted.generation == slot.generation:
            del stream.granted[slot.slot]
            self.ring.give_back(granted)
            stream.ready = min(stream.ready, stream.used)

    def _all_fit(self, needed: int) -> bool:
        ready = all(stream.ready == len(stream.chunks) for stream in self.streams)
        return ready and needed <= self.ring.counts["free"]

    def take(self, stream: Stream, header: Header, sums: Any, lent: bool) -> None:
        """A chunk that has landed, or is lent. BadMessage for what was not to come, or came with other
        bytes."""
        if lent != self.pull:
            raise BadMessage("chunk: lent", lent, self.pull)
        if stream.known(header.chunk):
            return
        chunk = self._expected(stream, header)
        if not self.pull:
            self._land(stream, chunk, stream.granted.pop(header.slot), sums)
            return
        stream.generation = header.generation
        started = time.monotonic()
        _, slot = stream.granted.popitem()
        done = Slot(header.slot, header.generation, chunk.number)
        note = messages.with_slots(messages.RETURNED, stream.number, [done])
        where = header.slot * stream.lends[1], slot.slot * self.ring.slot_bytes
        try:
            ticket = stream.link.read(*where, chunk.bytes, note)
        except BaseException:
            self.ring.quarantine(slot, stream.link)
            raise
        begun = time.monotonic()
        stream.reading[chunk.number] = Read(chunk, slot, sums, ticket, begun)
        self.stats.post += begun - started
        self.event("read")

    def end_reads(self, stream: Stream) -> bool:
        """Takes what has been read. Whether there was any; BadMessage as for take()."""
        busy = False
        for number, read in list(stream.reading.items()):
            if stream.link.done(read.ticket):
                del stream.reading[number]
                self.stats.wire += time.monotonic() - read.begun
                self._land(stream, read.chunk, read.slot, read.sums)
                busy = True
        return busy

    def _land(self, stream: Stream, chunk: Chunk, slot: Slot, sums: Any) -> None:
        """Checks a chunk whose bytes are in a slot here, which nobody writes to any more."""
        stream.landed[chunk.number] = slot
        self.event("landed")
        buffer = self.ring.bytes_of(slot, chunk.bytes)
        started = time.monotonic()
        wrong = np.zeros(1, np.int32)
        found = np.empty_like(sums)
        ops.kv_checksum(buffer, messages.UNIT, found, sums, wrong)
        self.stats.check += time.monotonic() - started
        if wrong[0]:
            raise BadMessage("chunk: units with another sum", int(wrong[0]), 0)
        self.event("checked")
        self.stats.bytes += chunk.bytes
        self.stats.chunks += 1
        self.stats.descriptors += 1
        if not self.atomic:
            self._unpack(stream, chunk, wrong)
        elif all(len(each.landed) == len(each.chunks) for each in self.streams):
            for each in self.streams:
                for one in each.chunks:
                    self._unpack(each, one, wrong)
        self.settle()

    def _expected(self, stream: Stream, header: Header) -> Chunk:
        """The chunk that a header speaks of, if all that it says is so."""
        if header.chunk >= len(stream.chunks):
            raise BadMessage("chunk: number", header.chunk, f"less than {len(stream.chunks)}")
        chunk = stream.chunks[header.chunk]
        wanted = {
            "chunks": len(stream.chunks),
            "group": stream.index,
            "layout": LAYOUTS.index(stream.part.layout),
            "dtype": stream.wire.code,
            "first_layer": chunk.first_layer,
            "layers": chunk.layers,
            "first": stream.part.first + chunk.first,
            "count": chunk.count,
            "bytes": chunk.bytes,
        }
        for field, want in wanted.items():
            if getattr(header, field) != want:
                raise BadMessage(f"chunk: {field}", getattr(header, field), want)
        if self.pull:
            # Slots are taken, filled and lent in one order there, so an older one is of a stale note.
            if header.slot >= stream.lends[0] or not stream.granted:
                room = f"less than {stream.lends[0]}, and {len(stream.granted)} at a time"
                raise BadMessage("chunk: slot", header.slot, room)
            if header.generation <= stream.generation:
                later = f"more than {stream.generation}"
                raise BadMessage("chunk: generation", header.generation, later)
            return chunk
        slot = stream.granted.get(header.slot)
        if slot is None:
            raise BadMessage("chunk: slot", header.slot, f"one of {sorted(stream.granted)}")
        if slot.generation != header.generation:
            raise BadMessage("chunk: generation", header.generation, slot.generation)
        return chunk

    def _unpack(self, stream: Stream, chunk: Chunk, gate: Any) -> None:
        """Begins to; settle() ends it."""
        staging, started = self.ring.staging, time.monotonic()
        buffer = self.ring.bytes_of(stream.landed[chunk.number], chunk.bytes)
        part, wire, layers = stream.part, stream.wire, stream.part.names(chunk)
        slots = self.slots[chunk.first : chunk.first + chunk.count]
        if wire.receiver_converts:
            pages, page_dtype = self.group.arrays(layers, part.heads, False), self.group.shape.dtype
            wire_scales = wire.scales(layers, part.heads)
            page_scales = self.group.scales_of(layers, part.heads)
        else:
            pages, page_dtype = self.group.arrays(layers, part.heads, True), wire.dtype
            wire_scales, page_scales = None, []
        with staging.calls():
            ops.kv_unpack(
                staging.wire(buffer),
                pages,
                slots,
                part.layout,
                part.block,
                wire.dtype,
                page_dtype,
                staging.numbers(wire_scales),
                [staging.numbers(each) for each in page_scales],
                gate if self.group.device is None else None,  # it has been read
                len(layers),
                part.heads_per_group,
            )
        if self.zero_tail and chunk.first + chunk.count == part.count:
            self._zero_tail(layers, part.heads)
        self._unpacking.append((stream, chunk, staging.mark(), started))

    def settle(self) -> bool:
        """Acknowledges what is unpacked. Whether there was any."""
        busy = False
        while self._unpacking and self.ring.staging.passed(self._unpacking[0][2]):
            stream, chunk, _, started = self._unpacking.popleft()
            self.stats.unpack += time.monotonic() - started
            slot = stream.landed.pop(chunk.number)
            stream.unpacked.add(chunk.number)
            for layer in stream.part.names(chunk):
                self._left[layer] -= 1
                if self.came is not None and not self._left[layer]:
                    self.came(layer)
            self.ring.give_back(slot)
            self.event("unpacked")
            done = Slot(slot.slot, slot.generation, chunk.number)
            stream.link.notify(messages.with_slots(messages.ACK, stream.number, [done]))
            self.event("ack")
            busy = True
        return busy

    def _zero_tail(self, layers: tuple[str, ...], heads: tuple[int, int]) -> None:
        """Rows of the last token's page behind it become 0, where the last token came."""
        size = self.group.shape.block_size
        behind = np.arange(self._last + 1, (self._last // size + 1) * size)
        if self._last < 0 or not behind.size:
            return
        staging, row = self.ring.staging, self.group.row_bytes
        bytes_ = -(-len(layers) * behind.size * (heads[1] - heads[0]) * row // 1024) * 1024
        with staging.calls():
            ops.kv_unpack(
                staging.zeros(bytes_),
                self.group.arrays(layers, heads, True),
                staging.numbers(behind),
                "LKNHC",
                behind.size,
                self.group.shape.dtype,
                self.group.shape.dtype,
                None,
                [],
                None,
                len(layers),
                0,
            )

    def give_up(self) -> None:
        """Returns its slots: those that a peer may still write to, or a read, by way of quarantine."""
        if self._unpacking:
            with contextlib.suppress(
                RuntimeError
            ):  # a device that has failed writes nothing any more
                self.ring.staging.wait()
            for _, _, mark, _ in self._unpacking:
                self.ring.staging.forget(mark)
            self._unpacking.clear()
        for stream in self.streams:
            stream.ready = 0  # nothing is granted any more
            for slot in stream.granted.values():
                if self.pull:
                    self.ring.give_back(slot)
                else:
                    self.ring.quarantine(slot, stream.link)
            for read in stream.reading.values():
                self.ring.quarantine(read.slot, stream.link)
            for slot in stream.landed.values():
                self.ring.give_back(slot)
            stream.granted.clear()
            stream.landed.clear()
