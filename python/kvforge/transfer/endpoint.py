"""An endpoint: the one thread that owns a process's links, and what goes to and fro on them.

The public calls are for any thread; each hands its work to the endpoint's own, which also looks at all
links, takes notes, moves transfers on and ends those whose peer or deadline is over.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
import os
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from kvforge.transfer import messages, plan, side_channel
from kvforge.transfer.engine import Link, LinkDown, Maker
from kvforge.transfer.errors import (
    Aborted,
    BadMessage,
    DeadlineExceeded,
    Incompatible,
    PeerLost,
    PeerRefused,
    TransferError,
)
from kvforge.transfer.gloo_engine import GlooEngine
from kvforge.transfer.layout import Group, Wire
from kvforge.transfer.messages import Note, Slot
from kvforge.transfer.nixl_engine import NixlEngine
from kvforge.transfer.peer import Hello, Peer
from kvforge.transfer.receiver import Receiving, Stream
from kvforge.transfer.ring import Ring
from kvforge.transfer.sender import Sending
from kvforge.transfer.transfer import Transfer

_ENGINES: dict[str, Maker] = {"nixl": NixlEngine, "gloo": GlooEngine}
_LOG = logging.getLogger("kvforge.transfer")
# Seconds between two looks at the links, which need the core themselves, when nothing has moved: at
# first, and at most.
_SHORT, _LONG = 20e-6, 1e-3

_T = TypeVar("_T")


@dataclass(eq=False)
class _Fetch:
    """A fetch of this side."""

    transfer: Transfer
    receiving: Receiving
    until: float
    seconds: float


@dataclass(eq=False)
class _Offer:
    """An offer of this side, and how many of its readers are through."""

    transfer: Transfer
    group: Group
    slots: Any
    first: int
    readers: int
    until: float
    seconds: float
    release: Callable[[Transfer], None] | None
    sendings: list[tuple[Peer, Sending]] = field(default_factory=list)
    ended: int = 0
    error: TransferError | None = None


class Endpoint:
    """One process's end of all its transfers, as sender and as receiver.

    `name` is for people; `.name` is unique. `groups` are what it can send from and receive into.
    `engine`: "nixl", "gloo" or what makes an engine.Engine. Staging memory is two rings, one for each
    direction, of `slots` slots of `slot_bytes` bytes, mapped for the life of the process. `deadline`:
    seconds for a transfer, an offer or a hello that has none of its own. A peer that is silent for
    `silence` seconds is lost; each pings every `ping` seconds. `on_event` is called on the endpoint's
    thread with "hello", "want", "credit", "pack", "posted", "landed", "checked", "unpacked" or "ack".

    Errors come as types of kvforge.transfer.errors; an op that refuses what a group holds raises its
    own error from result(). Close it, or use it as a context manager.
    """

    def __init__(
        self,
        name: str,
        groups: Sequence[Group],
        *,
        engine: str | Maker = "nixl",
        slots: int = 8,
        slot_bytes: int = 8 << 20,
        deadline: float = 30.0,
        ping: float = 1.0,
        silence: float = 5.0,
        on_event: Callable[[str], None] | None = None,
    ) -> None:
        self.name = f"{getpass.getuser()}/{socket.gethostname()}/{os.getpid()}/{name}/"
        self.name += secrets.token_hex(4)
        self._groups = {group.shape.name: group for group in groups}
        if len(self._groups) != len(groups):
            raise ValueError("Endpoint: two groups of one name")
        self._incoming, self._outgoing = Ring(slots, slot_bytes), Ring(slots, slot_bytes)
        self._deadline, self._ping, self._silence = deadline, ping, silence
        self._event = on_event or (lambda _: None)
        self._peers: dict[str, Peer] = {}
        self._lost: dict[str, TransferError] = {}
        self._fenced: list[Link] = []
        self._fetches: list[_Fetch] = []
        self._offers: list[_Offer] = []
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._leaving = self._stopping = False
        self._listener: socket.socket | None = None
        make = _ENGINES[engine] if isinstance(engine, str) else engine
        self._engine = make(self.name, self._incoming.memory, self._outgoing.memory, silence)
        self._thread = threading.Thread(target=self._run, name="kvforge-transfer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- peers -------------------------------------------------------------------------------------

    def listen(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Takes hellos at this address from now on; returns the address, with the port that it has."""
        self._listener = socket.create_server((host, port))
        threading.Thread(
            target=self._accept, args=(self._listener,), name="kvforge-hello", daemon=True
        ).start()
        address = self._listener.getsockname()
        return str(address[0]), int(address[1])

    def connect(self, host: str, port: int) -> str:
        """Says hello to an endpoint that listens there; returns its name. Incompatible, PeerLost,
        DeadlineExceeded or BadMessage if nothing comes of it."""
        try:
            connection = socket.create_connection((host, port), self._deadline)
        except TimeoutError:
            raise DeadlineExceeded("a hello", self._deadline) from None
        except OSError as error:
            raise PeerLost(f"{host}:{port}", str(error)) from None
        with connection:
            return self._greet(connection, first=True)

    def peers(self) -> list[str]:
        """The names of all peers that are there, in order."""
        return self._call(lambda: sorted(self._peers))

    def wait_for_peers(self, count: int, timeout: float | None = None) -> list[str]:
        """The names of all peers, once there are so many. DeadlineExceeded after `timeout` seconds."""
        timeout = self._deadline if timeout is None else timeout
        until = time.monotonic() + timeout
        while len(found := self.peers()) < count:
            if time.monotonic() > until:
                raise DeadlineExceeded(f"the wait for {count} peers ({len(found)} came)", timeout)
            time.sleep(0.005)
        return found

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed
            threading.Thread(
                target=self._answer, args=(connection,), name="kvforge-hello", daemon=True
            ).start()

    def _answer(self, connection: socket.socket) -> None:
        """A hello of somebody else, who may take his time."""
        with connection:
            try:
                self._greet(connection, first=False)
            except TransferError as error:
                _LOG.warning("%s", error)

    def _greet(self, connection: socket.socket, first: bool) -> str:
        try:
            link = self._call(lambda: self._engine.open(first))
        except LinkDown as error:
            raise PeerLost("(no hello)", str(error)) from None
        try:
            hello = Hello(
                self.name,
                self._engine.name,
                self._call(link.address),
                self._incoming.slots,
                self._incoming.slot_bytes,
                tuple(group.shape for group in self._groups.values()),
            )
            self._event("hello")
            other = Hello.from_json(
                side_channel.exchange(connection, hello.to_json(), self._deadline)
            )
            other.check(hello.engine, hello.groups)
            self._call(lambda: self._meet(Peer(other, link)))
        except BaseException:
            self._call(lambda: self._fence(link))
            raise
        return other.name

    def _meet(self, peer: Peer) -> None:
        try:
            peer.link.connect(peer.hello.address)
        except LinkDown as error:
            raise PeerLost(peer.name, str(error)) from None
        if peer.name in self._peers:
            self._lose(self._peers[peer.name], PeerLost(peer.name, "it said hello anew"))
        self._peers[peer.name] = peer

    # ---- transfers ---------------------------------------------------------------------------------

    def offer(
        self,
        key: str,
        slots: Any,
        *,
        group: str | None = None,
        first: int = 0,
        readers: int = 1,
        deadline: float | None = None,
        release: Callable[[Transfer], None] | None = None,
    ) -> Transfer:
        """Lets peers fetch tokens first, first + 1, ... of `key`, which lie in these slots (int64).

        The pages must stay as they are until `readers` transfers have ended, well or not, or the
        deadline (seconds) is over; then `release` is called on the endpoint's thread, and result() has
        the sum of what was sent or the first error. `group` may be left out where there is one.
        """
        found = self._group(group)
        seconds = self._deadline if deadline is None else deadline
        transfer = Transfer(key)
        until = time.monotonic() + seconds
        tokens = np.array(slots, np.int64)
        offer = _Offer(transfer, found, tokens, first, readers, until, seconds, release)
        error = Aborted(f"kvforge.transfer: offer {key} was aborted")
        transfer._abort = lambda: self._call(lambda: self._end_offer(offer, error))
        self._call(lambda: self._offers.append(offer))
        return transfer

    def fetch(
        self,
        peers: str | Sequence[str],
        key: str,
        slots: Any,
        *,
        group: str | None = None,
        first: int = 0,
        layers: Sequence[str] | None = None,
        atomic: bool = False,
        zero_tail: bool = False,
        deadline: float | None = None,
    ) -> Transfer:
        """Brings tokens first, first + 1, ... of `key` into these slots (int64, 0 and more, each once).

        Which of the peers gives which heads and layers follows from what they said of themselves.
        `layers`: some of the group's. `atomic`: no page changes before all has come and is checked.
        `zero_tail`: the rows of the last token's page behind it become 0. Incompatible at once where
        the peers do not have it all; else see result().
        """
        names = [peers] if isinstance(peers, str) else list(peers)
        found = self._group(group)
        seconds = self._deadline if deadline is None else deadline
        transfer = Transfer(key)
        tokens = np.array(slots, np.int64)
        capacity = found.blocks * found.shape.block_size
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < capacity:
            raise IndexError(
                f"fetch: slots: want 0 to {capacity - 1}, got {tokens.min()} to {tokens.max()}"
            )
        if np.unique(tokens).size != tokens.size:
            raise ValueError("fetch: slots: two tokens in one slot")

        def begin() -> None:
            for name in names:
                if name not in self._peers:
                    raise self._lost.get(name) or PeerLost(name, "it never said hello")
            there = {name: self._peers[name] for name in names}
            shapes = {name: peer.shape(found.shape.name) for name, peer in there.items()}
            streams = []
            limit = {
                name: min(self._incoming.slot_bytes, peer.hello.slot_bytes)
                for name, peer in there.items()
            }
            for name, mine, heads in plan.sources(found.shape, shapes, layers):
                wire = Wire.between(shapes[name], found.shape)
                likes = found.shape
                grouped = likes.heads_per_group if likes.wire_layout == "GLKNHC" else 0
                part = plan.Part(
                    likes.name,
                    mine,
                    heads,
                    first,
                    len(tokens),
                    likes.wire_layout,
                    likes.wire_block,
                    grouped,
                )
                cut = plan.chunks(part, wire.row_bytes, limit[name])
                number = secrets.randbits(63)
                link, index = there[name].link, there[name].index(likes.name)
                streams.append(Stream(number, name, link, index, wire, part, cut))
            receiving = Receiving(
                *(found, tokens, streams, self._incoming, transfer.stats, self._event),
                *(atomic, zero_tail),
            )
            fetch = _Fetch(transfer, receiving, time.monotonic() + seconds, seconds)
            error = Aborted(f"kvforge.transfer: fetch of {key} was aborted")
            transfer._abort = lambda: self._call(lambda: self._end_fetch(fetch, error))
            self._fetches.append(fetch)
            for stream in streams:
                there[stream.peer].streams[stream.number] = (receiving, stream)
            for stream in streams:
                text = messages.want(stream.number, key, stream.part.to_json(), limit[stream.peer])
                self._notify(there[stream.peer], text)
            self._event("want")
            if receiving.complete:
                self._end_fetch(fetch, None)

        self._call(begin)
        return transfer

    def counts(self) -> dict[str, dict[str, int]]:
        """Slots of both rings: free, held, and in quarantine."""
        return self._call(
            lambda: {"incoming": self._incoming.counts, "outgoing": self._outgoing.counts}
        )

    def close(self) -> None:
        """Ends all that is under way with Aborted, says farewell, and cuts all links."""
        if self._leaving:
            return
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

        def end() -> None:
            error = Aborted(f"kvforge.transfer: endpoint {self.name} was closed")
            for fetch in list(self._fetches):
                self._end_fetch(fetch, error)
            for offer in list(self._offers):
                self._end_offer(offer, error)
            for peer in self._peers.values():
                self._notify(peer, messages.note(messages.BYE))
            self._leaving = True

        def cut() -> None:
            for peer in list(self._peers.values()):
                self._lose(peer, Aborted(f"kvforge.transfer: endpoint {self.name} was closed"))
            self._stopping = True

        self._call(end)
        # An answer says that the last notes have come over; a link that is cut takes them along.
        until = time.monotonic() + self._ping
        while self.peers() and time.monotonic() < until:
            time.sleep(0.001)
        self._call(cut)
        self._thread.join()
        until = time.monotonic() + self._silence
        while not all(link.closed() for link in self._fenced) and time.monotonic() < until:
            time.sleep(0.001)

    def _group(self, name: str | None) -> Group:
        if name is None and len(self._groups) == 1:
            return next(iter(self._groups.values()))
        if name not in self._groups:
            raise ValueError(f"group {name}: this endpoint has {sorted(self._groups)}")
        return self._groups[name]

    # ---- the endpoint's thread ---------------------------------------------------------------------

    def _call(self, action: Callable[[], _T]) -> _T:
        """Runs it on the endpoint's thread."""
        if threading.current_thread() is self._thread:
            return action()
        future: Future[_T] = Future()

        def run() -> None:
            try:
                future.set_result(action())
            except BaseException as error:
                future.set_exception(error)

        self._calls.put(run)
        self._wake.set()
        while not future.done() and self._thread.is_alive():
            with contextlib.suppress(TimeoutError):
                return future.result(0.1)
        if not future.done():
            raise Aborted(f"kvforge.transfer: endpoint {self.name} is closed")
        return future.result()

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException as error:  # nobody may wait for a thread that is gone
            under_way = [fetch.transfer for fetch in self._fetches]
            under_way += [offer.transfer for offer in self._offers]
            for transfer in under_way:
                if not transfer.done():
                    _settle(transfer, TransferError(f"kvforge.transfer: {error!r}"))
            raise

    def _loop(self) -> None:
        pause, last = _SHORT, time.monotonic()
        while not self._stopping:
            now = time.monotonic()
            if now - last > self._silence / 2:
                # This process did not run: what peers said meanwhile has yet to come in.
                for peer in self._peers.values():
                    peer.heard = max(peer.heard, now - self._silence / 2)
            last = now
            if self._step(now):
                pause = _SHORT
                continue
            pause = min(2 * pause, _LONG)
            if self._wake.wait(pause):
                self._wake.clear()

    def _step(self, now: float) -> bool:
        busy = False
        while not self._calls.empty():
            self._calls.get()()
            busy = True
        for peer in list(self._peers.values()):
            try:
                busy |= self._look(peer, now)
            except LinkDown as error:
                self._lose(peer, PeerLost(peer.name, str(error)))
            except BadMessage as error:
                self._lose(peer, error)
        for fetch in list(self._fetches):
            with contextlib.suppress(LinkDown):  # the peer's own turn tells
                busy |= fetch.receiving.grant()
            if now > fetch.until:
                what = f"fetch of {fetch.transfer.key}"
                self._end_fetch(fetch, DeadlineExceeded(what, fetch.seconds))
        for offer in list(self._offers):
            if now > offer.until:
                what = f"offer {offer.transfer.key}"
                self._end_offer(offer, DeadlineExceeded(what, offer.seconds))
        for link in [link for link in self._fenced if link.closed()]:
            self._fenced.remove(link)
            self._incoming.closed(link)
            self._outgoing.closed(link)
        return busy

    def _look(self, peer: Peer, now: float) -> bool:
        """Takes a peer's notes and moves on what is sent to it."""
        notes = peer.link.poll()
        if notes:
            peer.heard = now
        for text in notes:
            self._take(peer, messages.parse(text))
            if peer.name not in self._peers:
                return True
        self._answer_wants(peer)
        busy = bool(notes)
        for sending in list(peer.sendings.values()):
            try:
                busy |= sending.step()
            except (LinkDown, BadMessage):
                raise
            except Exception as error:  # of kv_pack
                self._end_sending(peer, sending, error)
            if sending.complete and sending.idle:
                self._end_sending(peer, sending, None)
            elif sending.failed is not None and sending.idle:
                del peer.sendings[sending.number]
        if now - peer.pinged > self._ping:
            peer.pinged = now
            peer.link.notify(messages.note(messages.PING))
        if now - peer.heard > self._silence:
            raise LinkDown(f"silent for {now - peer.heard:.1f} s")
        since = self._incoming.oldest(peer.link)
        if since is not None and now - since > self._deadline:
            raise LinkDown(f"slots are not drained after {self._deadline:g} s")
        return busy

    def _take(self, peer: Peer, note: Note) -> None:
        if note.kind == messages.WANT:
            peer.wants.append((note.transfer, *messages.parse_want(note.body)))
        elif note.kind == messages.CREDIT:
            slots = messages.parse_slots(note.body)
            peer.check_slots(slots)
            if note.transfer in peer.sendings:
                peer.sendings[note.transfer].credit(slots)
            else:
                text = messages.with_slots(messages.DRAINED, note.transfer, slots)
                peer.link.notify(text)
        elif note.kind == messages.READY and note.transfer in peer.streams:
            peer.streams[note.transfer][1].ready = True
        elif note.kind == messages.ACK and note.transfer in peer.sendings:
            peer.sendings[note.transfer].acknowledge(messages.parse_slots(note.body))
        elif note.kind == messages.CHUNK:
            self._take_chunk(peer, note)
        elif note.kind == messages.DRAINED:
            for slot in messages.parse_slots(note.body):
                self._incoming.drained(slot, peer.link)
        elif note.kind == messages.FAIL:
            error = PeerRefused(peer.name, note.body.decode(errors="replace"))
            peer.wants = [want for want in peer.wants if want[0] != note.transfer]
            if note.transfer in peer.sendings:
                self._end_sending(peer, peer.sendings[note.transfer], error)
            elif note.transfer in peer.streams:
                self._end_fetch(self._fetch_of(peer.streams[note.transfer][0]), error)
        elif note.kind == messages.BYE:
            if not self._leaving:
                self._notify(peer, messages.note(messages.BYE))
            self._lose(peer, PeerLost(peer.name, "it left"))

    def _take_chunk(self, peer: Peer, note: Note) -> None:
        header, sums = messages.parse_chunk(note)
        if note.transfer not in peer.streams:  # late: the slot is the better for it
            self._incoming.drained(Slot(header.slot, header.generation), peer.link)
            return
        receiving, stream = peer.streams[note.transfer]
        fetch = self._fetch_of(receiving)
        try:
            receiving.take(stream, header, sums)
        except LinkDown:
            raise
        except Exception as error:  # of the header, the sums or kv_unpack
            landed = Slot(header.slot, header.generation)
            self._end_fetch(fetch, error)
            self._incoming.drained(landed, peer.link)
            return
        if receiving.complete:
            self._end_fetch(fetch, None)

    def _fetch_of(self, receiving: Receiving) -> _Fetch:
        return next(fetch for fetch in self._fetches if fetch.receiving is receiving)

    def _answer_wants(self, peer: Peer) -> None:
        """Begins to send what a peer wants and somebody here has offered."""
        for want in list(peer.wants):
            number, key, limit, values = want
            for offer in self._offers:
                if offer.transfer.key == key and offer.group.shape.name == values.get("group"):
                    peer.wants.remove(want)
                    try:
                        self._begin(peer, offer, number, limit, values)
                    except Incompatible as error:
                        self._notify(peer, messages.fail(number, str(error)))
                    break

    def _begin(self, peer: Peer, offer: _Offer, number: int, limit: int, values: Any) -> None:
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
            self._outgoing,
            peer.hello.slot_bytes,
            offer.group,
            list(self._groups).index(shape.name),
            wire,
            part,
            plan.chunks(part, wire.row_bytes, min(limit, self._outgoing.slot_bytes)),
            offer.slots[start : start + part.count],
            offer.transfer.stats,
            self._event,
        )
        peer.sendings[number] = sending
        offer.sendings.append((peer, sending))
        peer.link.notify(messages.note(messages.READY, number))

    # ---- ends --------------------------------------------------------------------------------------

    def _notify(self, peer: Peer, text: bytes) -> None:
        """For what the peer need not hear if it is lost, which comes out at the next look at it."""
        with contextlib.suppress(LinkDown):
            peer.link.notify(text)

    def _end_fetch(self, fetch: _Fetch, error: Exception | None) -> None:
        if fetch not in self._fetches:
            return
        self._fetches.remove(fetch)
        fetch.receiving.give_up()
        for stream in fetch.receiving.streams:
            peer = self._peers.get(stream.peer)
            if peer is None or peer.streams.pop(stream.number, None) is None:
                continue
            if error is not None and not stream.complete:
                self._notify(peer, messages.fail(stream.number, str(error)))
        _settle(fetch.transfer, error)

    def _end_sending(self, peer: Peer, sending: Sending, error: Exception | None) -> None:
        """One reader of an offer is through. A failed one stays known until its writes are over."""
        if error is None:
            del peer.sendings[sending.number]
        elif sending.failed is None:
            known = error if isinstance(error, TransferError) else TransferError(str(error))
            known.__cause__ = None if known is error else error
            if not isinstance(error, PeerRefused | PeerLost):
                self._notify(peer, messages.fail(sending.number, str(error)))
            with contextlib.suppress(LinkDown):
                sending.fail(known)
        else:
            return
        for offer in list(self._offers):
            if (peer, sending) in offer.sendings:
                offer.sendings.remove((peer, sending))
                offer.ended += 1
                offer.error = offer.error or sending.failed
                if offer.ended >= offer.readers:
                    self._end_offer(offer, offer.error)

    def _end_offer(self, offer: _Offer, error: TransferError | None) -> None:
        if offer not in self._offers:
            return
        self._offers.remove(offer)
        for peer, sending in list(offer.sendings):
            self._end_sending(peer, sending, error or Aborted("the offer has had its readers"))
        if offer.release is not None:
            try:
                offer.release(offer.transfer)
            except Exception:
                _LOG.exception("release of offer %s", offer.transfer.key)
        _settle(offer.transfer, error)

    def _lose(self, peer: Peer, error: TransferError) -> None:
        """Ends all with this peer, and cuts the link: its slots return once no byte can come."""
        if self._peers.get(peer.name) is not peer:
            return
        del self._peers[peer.name]
        self._lost[peer.name] = error
        for sending in list(peer.sendings.values()):
            sending.cut()
            self._end_sending(peer, sending, None if sending.complete else error)
        for receiving, _ in list(peer.streams.values()):
            for fetch in [fetch for fetch in self._fetches if fetch.receiving is receiving]:
                self._end_fetch(fetch, error)
        self._fence(peer.link)

    def _fence(self, link: Link) -> None:
        link.fence()
        self._fenced.append(link)


def _settle(transfer: Transfer, error: Exception | None) -> None:
    if error is None:
        transfer._future.set_result(transfer.stats)
    else:
        transfer._future.set_exception(error)
