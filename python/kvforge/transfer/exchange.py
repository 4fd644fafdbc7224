"""What goes to and fro on an endpoint's links: notes are taken, transfers moved on, and those ended whose
peer or deadline is over. All of it is of the endpoint's thread."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kvforge.transfer import messages, plan
from kvforge.transfer.engine import Link, LinkDown
from kvforge.transfer.errors import (
    Aborted,
    BadMessage,
    DeadlineExceeded,
    Incompatible,
    PeerLost,
    PeerRefused,
    TransferError,
)
from kvforge.transfer.layers import Layers
from kvforge.transfer.layout import Group, Wire
from kvforge.transfer.messages import Note, Slot
from kvforge.transfer.peer import Peer
from kvforge.transfer.receiver import Receiving, Stream
from kvforge.transfer.ring import Ring
from kvforge.transfer.sender import Sending
from kvforge.transfer.transfer import Transfer

_LOG = logging.getLogger("kvforge.transfer")
_REMEMBERED = 256  # lost peers


@dataclass(eq=False)
class Fetch:
    """A fetch of this side."""

    transfer: Transfer
    receiving: Receiving
    until: float
    seconds: float


@dataclass(eq=False)
class Offer:
    """An offer of this side, and how many of its readers are through. Without a number of readers it
    is they who say so. `layers` of an offer by layer are those whose pages are yet to be written."""

    transfer: Transfer
    group: Group
    slots: Any
    first: int
    readers: int | None
    until: float
    seconds: float
    release: Callable[[Transfer], None] | None
    ready: Any  # a mark: the pages are written, if they are not written layer by layer
    layers: Layers | None = None
    sendings: list[tuple[Peer, Sending]] = field(default_factory=list)
    ended: int = 0
    through: set[str] = field(default_factory=set)  # peers that have said so
    error: TransferError | None = None

    def takes(self, key: str, group: Any) -> bool:
        """Whether it is what a peer wants, and not for as many as it has begun to send to: who comes
        behind them may want what is offered under the same key next."""
        if self.transfer.key != key or self.group.shape.name != group:
            return False
        return self.readers is None or self.ended + len(self.sendings) < self.readers


@dataclass(eq=False)
class Exchange:
    """The peers, transfers and slots of an endpoint. `silence` and `ping` are seconds, and so is
    `deadline`, which a slot has to get out of quarantine."""

    groups: Mapping[str, Group]
    incoming: Ring
    outgoing: Ring
    deadline: float
    ping: float
    silence: float
    event: Callable[[str], None]
    dropped: Callable[[str], None]  # told of peers whose link has failed
    peers: dict[str, Peer] = field(default_factory=dict)
    fetches: list[Fetch] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    leaving: bool = False

    def __post_init__(self) -> None:
        self._lost: dict[str, TransferError] = {}
        self._fenced: list[Link] = []
        # Of offers that are yet to come, by key: peers that will not read them, of how many, and since when.
        self._released: dict[str, tuple[set[str], int, float]] = {}

    def meet(self, peer: Peer) -> None:
        try:
            peer.link.connect(peer.hello.address)
        except LinkDown as error:
            raise PeerLost(peer.name, str(error)) from None
        if peer.name in self.peers:
            self.lose(self.peers[peer.name], PeerLost(peer.name, "it said hello anew"))
        self.peers[peer.name] = peer

    def offer(self, offer: Offer) -> None:
        """Lets peers fetch it."""
        if offer.layers is None:
            self.outgoing.staging.after(offer.ready)
        self._check_there(offer.group)
        self.offers.append(offer)
        through, readers, _ = self._released.get(offer.transfer.key, (set(), 1, 0.0))
        self._count(offer, through, readers)

    def _check_there(self, group: Group) -> None:
        """Aborted for a group whose pages were taken away, if only after the caller had asked for it."""
        if not group.pages:
            raise Aborted(f"kvforge.transfer: group {group.shape.name} has no pages: see attach()")

    def layer_ready(self, offer: Offer, layer: str, mark: Any) -> None:
        """A layer of an offer by layer is written once the mark is passed."""
        if offer.layers is not None and offer in self.offers:
            offer.layers.come(layer, mark)
        else:
            self.outgoing.staging.forget(mark)

    def _count(self, offer: Offer, through: set[str], readers: int) -> None:
        """Ends an offer whose readers say when they are through, once so many have."""
        if offer.readers is None:
            offer.through |= through
            if len(offer.through) >= readers:
                self.end_offer(offer, offer.error)

    def _release(self, peer: Peer, key: str, readers: int) -> None:
        offers = [offer for offer in self.offers if offer.transfer.key == key]
        for offer in offers:
            self._count(offer, {peer.name}, readers)
        if not offers:
            through, _, since = self._released.get(key, (set(), 0, time.monotonic()))
            self._released[key] = (through | {peer.name}, readers, since)

    def tell(self, name: str, text: bytes) -> None:
        """A note to a peer, if it is there."""
        if name in self.peers:
            self.notify(self.peers[name], text)

    def fetch(
        self,
        names: Sequence[str],
        group: Group,
        transfer: Transfer,
        tokens: Any,
        seconds: float,
        first: int,
        layers: Sequence[str] | None,
        by_layer: int,
        atomic: bool,
        zero_tail: bool,
        ready: Any,
        mode: str,
    ) -> Fetch:
        """Begins a fetch, as Endpoint.fetch() says."""
        self.incoming.staging.after(ready)
        self._check_there(group)
        for name in names:
            if name not in self.peers:
                raise self._lost.get(name) or PeerLost(name, "it never said hello")
        there = {name: self.peers[name] for name in names}
        mine = group.shape
        # Who has no layer of the group, as a stage of a pipeline may, has none of it to give.
        shapes = {
            name: peer.shape(mine.name) for name, peer in there.items() if peer.has(mine.name)
        }
        limit = {
            name: min(self.incoming.slot_bytes, peer.hello.slot_bytes)
            for name, peer in there.items()
        }
        grouped = mine.heads_per_group if mine.wire_layout == "GLKNHC" else 0
        streams = []
        for name, theirs, heads in plan.sources(mine, shapes, layers):
            wire = Wire.between(shapes[name], mine)
            part = plan.Part(
                *(mine.name, theirs, heads, first, len(tokens)),
                *(mine.wire_layout, mine.wire_block, grouped, by_layer),
            )
            cut = plan.chunks(part, wire.row_bytes, limit[name])
            link, index = there[name].link, there[name].index(mine.name)
            lends = there[name].hello.slots, there[name].hello.slot_bytes
            streams.append(Stream(secrets.randbits(63), name, link, index, wire, part, cut, lends))
        receiving = Receiving(
            *(group, tokens, streams, self.incoming, transfer.stats, self.event),
            *(atomic, zero_tail, mode == "pull", transfer._came if by_layer else None),
        )
        fetch = Fetch(transfer, receiving, time.monotonic() + seconds, seconds)
        self.fetches.append(fetch)
        for stream in streams:
            there[stream.peer].streams[stream.number] = (receiving, stream)
        for stream in streams:
            part_json = stream.part.to_json()
            text = messages.want(stream.number, transfer.key, part_json, limit[stream.peer], mode)
            self.notify(there[stream.peer], text)
        self.event("want")
        if fetch in self.fetches:  # it may have been ended there
            receiving.grant_early()
        if receiving.complete:
            self.end_fetch(fetch, None)
        return fetch

    @property
    def sending(self) -> bool:
        """Whether a peer is being sent something."""
        return any(peer.sendings for peer in self.peers.values())

    def under_way(self) -> list[Transfer]:
        """The transfers that have not ended."""
        fetches = [fetch.transfer for fetch in self.fetches]
        return fetches + [offer.transfer for offer in self.offers]

    def excuse(self, until: float) -> None:
        """This process did not run: what peers said up to then has yet to come in."""
        for peer in self.peers.values():
            peer.heard = max(peer.heard, until)

    def step(self, now: float) -> bool:
        """Looks at all links once. Whether anything moved."""
        busy = False
        for peer in list(self.peers.values()):
            busy |= self._of(peer, partial(self._look, now=now))
        # Who was served is last in the next turn: slots that have come back are not always the same
        # reader's, and of those that pull nobody has all, who may stand still with them.
        there = list(self.peers.values())
        pulls = sum(sending.pull for peer in there for sending in peer.sendings.values())
        share = -(-self.outgoing.slots // (1 + pulls))
        for peer in there:
            if self._of(peer, partial(self._serve, share=share)):
                busy = True
                if self.peers.get(peer.name) is peer:
                    self.peers[peer.name] = self.peers.pop(peer.name)
        for fetch in list(self.fetches):
            try:
                busy |= fetch.receiving.settle() | fetch.receiving.grant()
            except LinkDown:
                continue  # the peer's own turn tells
            except Exception as error:  # of kv_unpack
                self.end_fetch(fetch, error)
            if fetch.receiving.complete:
                self.end_fetch(fetch, None)
            if now > fetch.until:
                late = fetch.transfer._late_layers()
                what = f"fetch of {fetch.transfer.key}"
                what += f", of which layers {late} have not come," if late else ""
                self.end_fetch(fetch, DeadlineExceeded(what, fetch.seconds))
        for offer in list(self.offers):
            if now > offer.until:
                late = [*offer.layers.missing] if offer.layers is not None else []
                what = f"offer {offer.transfer.key}"
                what += f", whose layers {late} were never ready," if late else ""
                self.end_offer(offer, DeadlineExceeded(what, offer.seconds))
        for key, (_, _, since) in list(self._released.items()):
            if now - since > self.deadline:
                del self._released[key]
        for link in [link for link in self._fenced if link.closed()]:
            self._fenced.remove(link)
            self.incoming.closed(link)
            self.outgoing.closed(link)
        return busy

    def _of(self, peer: Peer, call: Callable[[Peer], bool]) -> bool:
        """What is to be done with a peer, which is lost where that goes wrong."""
        if self.peers.get(peer.name) is not peer:
            return False
        try:
            return call(peer)
        except LinkDown as error:
            self.lose(peer, PeerLost(peer.name, str(error)))
            self.dropped(peer.name)
        except BadMessage as error:
            self.lose(peer, error)
        except Exception as error:  # what it sent is no note that anybody thought of
            _LOG.exception("peer %s", peer.name)
            self.lose(peer, TransferError(f"kvforge.transfer: peer {peer.name}: {error!r}"))
        return True

    def _look(self, peer: Peer, now: float) -> bool:
        """Takes a peer's notes, and what was read of it."""
        notes = peer.link.poll()
        if notes:
            peer.heard = now
        for text in notes:
            self._take(peer, messages.parse(text))
            if peer.name not in self.peers:
                return True
        self._answer_wants(peer)
        busy = bool(notes)
        for number, (receiving, stream) in list(peer.streams.items()):
            if stream.reading and number in peer.streams:
                busy |= self._advance(receiving, partial(receiving.end_reads, stream))
        for ticket, slot in list(peer.late.items()):
            if peer.link.done(ticket):
                del peer.late[ticket]
                self.incoming.drained(slot, peer.link)
        if now - peer.pinged > self.ping:
            peer.pinged = now
            peer.link.notify(messages.note(messages.PING))
        if now - peer.heard > self.silence:
            raise LinkDown(f"silent for {now - peer.heard:.1f} s")
        since = self.incoming.oldest(peer.link)
        if since is not None and now - since > self.deadline:
            raise LinkDown(f"slots are not drained after {self.deadline:g} s")
        return busy

    def _serve(self, peer: Peer, share: int) -> bool:
        """Moves on what is sent to a peer. Who pulls has at most so many slots of the ring."""
        busy = False
        for sending in list(peer.sendings.values()):
            try:
                busy |= sending.step(share)
            except (LinkDown, BadMessage):
                raise
            except Exception as error:  # of kv_pack
                self._end_sending(peer, sending, error)
            if sending.complete and sending.idle:
                self._end_sending(peer, sending, None)
            elif sending.failed is not None and sending.idle:
                del peer.sendings[sending.number]
        return busy

    def _take(self, peer: Peer, note: Note) -> None:
        if note.kind == messages.WANT:
            peer.wants.append((note.transfer, *messages.parse_want(note.body)))
            self._answer_wants(peer)  # credits may be right behind it
        elif note.kind == messages.CREDIT:
            slots = messages.parse_slots(note.body)
            peer.check_slots(slots)
            if note.transfer in peer.sendings:
                peer.sendings[note.transfer].credit(slots)
            else:
                text = messages.with_slots(messages.DRAINED, note.transfer, slots)
                peer.link.notify(text)
        elif note.kind == messages.READY and note.transfer in peer.streams:
            known = peer.streams[note.transfer][1]
            known.ready = messages.parse_ready(note.body, len(known.chunks))
        elif note.kind == messages.ACK and note.transfer in peer.sendings:
            peer.sendings[note.transfer].acknowledge(messages.parse_slots(note.body))
        elif note.kind in (messages.CHUNK, messages.LENT):
            self._take_chunk(peer, note)
        elif note.kind == messages.RETURNED and note.transfer in peer.sendings:
            peer.sendings[note.transfer].returned(messages.parse_slots(note.body))
        elif note.kind == messages.DRAINED:
            receiving, stream = peer.streams.get(note.transfer, (None, None))
            for slot in messages.parse_slots(note.body):
                if receiving is not None and stream is not None:
                    receiving.take_back(stream, slot)
                self._drained(peer, slot)
        elif note.kind == messages.FAIL:
            error = PeerRefused(peer.name, note.body.decode(errors="replace"))
            peer.wants = [want for want in peer.wants if want[0] != note.transfer]
            if note.transfer in peer.sendings:
                self._end_sending(peer, peer.sendings[note.transfer], error)
            elif note.transfer in peer.streams:
                self.end_fetch(self._fetch_of(peer.streams[note.transfer][0]), error)
        elif note.kind == messages.RELEASE:
            self._release(peer, *messages.parse_key(note.body))
        elif note.kind == messages.RENEW:
            key, _ = messages.parse_key(note.body)
            for offer in self.offers:
                if offer.transfer.key == key:
                    offer.until = max(offer.until, time.monotonic() + offer.seconds)
        elif note.kind == messages.BYE:
            if not self.leaving:
                self.notify(peer, messages.note(messages.BYE))
            self.lose(peer, PeerLost(peer.name, "it left"))

    def _take_chunk(self, peer: Peer, note: Note) -> None:
        header, sums = messages.parse_chunk(note)
        lent = note.kind == messages.LENT
        if note.transfer in peer.streams:
            receiving, stream = peer.streams[note.transfer]
            self._advance(receiving, partial(receiving.take, stream, header, sums, lent))
        if not lent:  # one that came late, or was refused: the slot is the better for it
            self._drained(peer, Slot(header.slot, header.generation))

    def _drained(self, peer: Peer, slot: Slot) -> None:
        """A peer writes to a slot no more. Where an own read still goes is not the peer's to say: to who
        pulls, a credit that was not used does not name the slot that was not read into."""
        if all(slot.slot != late.slot for late in peer.late.values()):
            self.incoming.drained(slot, peer.link)

    def _advance(self, receiving: Receiving, call: Callable[[], object]) -> bool:
        """Moves a fetch on. What goes wrong is its end, but where that is of the link."""
        fetch = self._fetch_of(receiving)
        try:
            found = bool(call())
        except LinkDown:
            raise
        except Exception as error:  # of the header, the sums or kv_unpack
            self.end_fetch(fetch, error)
            return True
        if receiving.complete:
            self.end_fetch(fetch, None)
        return found

    def _fetch_of(self, receiving: Receiving) -> Fetch:
        return next(fetch for fetch in self.fetches if fetch.receiving is receiving)

    def _answer_wants(self, peer: Peer) -> None:
        """Begins to send what a peer wants and somebody here has offered."""
        for want in list(peer.wants):
            number, key, limit, values, mode = want
            for offer in self.offers:
                if offer.takes(key, values.get("group")):
                    peer.wants.remove(want)
                    try:
                        self._begin(peer, offer, number, limit, values, mode)
                    except Incompatible as error:
                        self.notify(peer, messages.fail(number, str(error)))
                    break

    def _begin(
        self, peer: Peer, offer: Offer, number: int, limit: int, values: Any, mode: str
    ) -> None:
        shape = offer.group.shape
        part = plan.Part.from_json(values, shape)
        wire = Wire.between(shape, peer.shape(shape.name))
        start = part.first - offer.first
        if start < 0 or start + part.count > len(offer.slots):
            first, end = offer.first, offer.first + len(offer.slots)
            wanted = f"tokens {part.first} to {part.first + part.count} of {offer.transfer.key}"
            raise Incompatible(f"{wanted}, which has {first} to {end}")
        sending = Sending(
            number,
            peer.link,
            self.outgoing,
            peer.hello.slot_bytes,
            offer.group,
            list(self.groups).index(shape.name),
            wire,
            part,
            plan.chunks(part, wire.row_bytes, min(limit, self.outgoing.slot_bytes)),
            offer.slots[start : start + part.count],
            offer.transfer.stats,
            self.event,
            offer.layers,
            mode == "pull",
        )
        peer.sendings[number] = sending
        offer.sendings.append((peer, sending))
        sending.announce()

    # ---- ends --------------------------------------------------------------------------------------

    def leave(self, error: TransferError) -> None:
        """Ends all that is under way, and says farewell."""
        self._end_all(error)
        for peer in self.peers.values():
            self.notify(peer, messages.note(messages.BYE))
        self.leaving = True

    def detach(self, error: TransferError) -> None:
        """Ends all that is under way, and lets go of the pages, which the ops then no longer touch."""
        self._end_all(error)
        with contextlib.suppress(RuntimeError):  # a device that has failed touches nothing any more
            self.outgoing.staging.wait()
        for group in self.groups.values():
            group.drop()

    def lose_all(self, error: TransferError) -> None:
        """Cuts all links."""
        for peer in list(self.peers.values()):
            self.lose(peer, error)

    def _end_all(self, error: TransferError) -> None:
        for fetch in list(self.fetches):
            self.end_fetch(fetch, error)
        for offer in list(self.offers):
            self.end_offer(offer, error)

    def closed(self) -> bool:
        """Whether all links that were cut are closed."""
        return all(link.closed() for link in self._fenced)

    def notify(self, peer: Peer, text: bytes) -> None:
        """For what the peer need not hear if it is lost, which comes out at the next look at it."""
        with contextlib.suppress(LinkDown):
            peer.link.notify(text)

    def end_fetch(self, fetch: Fetch, error: Exception | None) -> None:
        if fetch not in self.fetches:
            return
        self.fetches.remove(fetch)
        fetch.receiving.give_up()
        for stream in fetch.receiving.streams:
            peer = self.peers.get(stream.peer)
            if peer is None or peer.streams.pop(stream.number, None) is None:
                continue
            peer.late.update({read.ticket: read.slot for read in stream.reading.values()})
            if error is not None and not stream.complete:
                self.notify(peer, messages.fail(stream.number, str(error)))
        settle(fetch.transfer, error)

    def _end_sending(self, peer: Peer, sending: Sending, error: Exception | None) -> None:
        """One reader of an offer is through. A failed one stays known until its writes are over."""
        if error is None:
            del peer.sendings[sending.number]
        elif sending.failed is None:
            known = error if isinstance(error, TransferError) else TransferError(str(error))
            known.__cause__ = None if known is error else error
            if not isinstance(error, PeerRefused | PeerLost):
                self.notify(peer, messages.fail(sending.number, str(error)))
            with contextlib.suppress(LinkDown):
                sending.fail(known)
        else:
            return
        for offer in list(self.offers):
            if (peer, sending) in offer.sendings:
                offer.sendings.remove((peer, sending))
                offer.ended += 1
                offer.error = offer.error or sending.failed
                if offer.readers is not None and offer.ended >= offer.readers:
                    self.end_offer(offer, offer.error)

    def end_offer(self, offer: Offer, error: TransferError | None) -> None:
        if offer not in self.offers:
            return
        self.offers.remove(offer)
        if offer.layers is not None:
            offer.layers.forget()
        for peer, sending in list(offer.sendings):
            self._end_sending(peer, sending, error or Aborted("the offer has had its readers"))
        if offer.release is not None:
            try:
                offer.release(offer.transfer)
            except Exception:
                _LOG.exception("release of offer %s", offer.transfer.key)
        settle(offer.transfer, error)

    def lose(self, peer: Peer, error: TransferError) -> None:
        """Ends all with this peer, and cuts the link: its slots return once no byte can come."""
        if self.peers.get(peer.name) is not peer:
            return
        del self.peers[peer.name]
        self.remember(peer.name, error)
        for sending in list(peer.sendings.values()):
            sending.cut()
            self._end_sending(peer, sending, None if sending.complete else error)
        for receiving, _ in list(peer.streams.values()):
            for fetch in [fetch for fetch in self.fetches if fetch.receiving is receiving]:
                self.end_fetch(fetch, error)
        self.fence(peer.link)

    def remember(self, name: str, error: TransferError) -> None:
        """Why a peer is lost, for whoever asks it for something: of the last ones."""
        self._lost[name] = error
        while len(self._lost) > _REMEMBERED:
            del self._lost[next(iter(self._lost))]

    def fence(self, link: Link) -> None:
        link.fence()
        self._fenced.append(link)


def settle(transfer: Transfer, error: Exception | None) -> None:
    """Ends a transfer."""
    for name in transfer._late_layers():
        transfer._came(name, error)
    if error is None:
        transfer._future.set_result(transfer.stats)
    else:
        transfer._future.set_exception(error)
