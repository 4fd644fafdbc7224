"""An endpoint: hellos, and the one thread that owns a process's links.

The public calls are for any thread; each hands its work to the endpoint's own, which also has its
exchange.Exchange take notes and move transfers on.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import getpass
import logging
import os
import queue
import secrets
import socket
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout  # another one before Python 3.11
from typing import Any, TypeVar

import numpy as np

from kvforge.transfer import messages, side_channel
from kvforge.transfer.engine import LinkDown, Maker
from kvforge.transfer.errors import Aborted, DeadlineExceeded, PeerLost, TransferError
from kvforge.transfer.exchange import Exchange, Offer, settle
from kvforge.transfer.gloo_engine import GlooEngine
from kvforge.transfer.layers import Layers
from kvforge.transfer.layout import Group
from kvforge.transfer.nixl_engine import NixlEngine
from kvforge.transfer.peer import Hello, Peer
from kvforge.transfer.redial import Redial
from kvforge.transfer.ring import Ring
from kvforge.transfer.staging import HostStaging, Staging
from kvforge.transfer.transfer import Transfer

_ENGINES: dict[str, Maker] = {"nixl": NixlEngine, "gloo": GlooEngine}
_LOG = logging.getLogger("kvforge.transfer")
# Seconds between two looks at the links when nothing has moved: at first, and at most while a transfer is
# under way and while none is.
_SHORT, _BUSY, _IDLE = 20e-6, 1e-4, 1e-3
_AGAIN = 0.05  # seconds after which a listener that has failed listens again

_T = TypeVar("_T")


def _staging_for(groups: Sequence[Group]) -> Staging:
    """That of their pages. ValueError where these are in two places."""
    devices = {group.device for group in groups}
    if len(devices) > 1:
        raise ValueError(f"Endpoint: groups on devices {devices} (None: the CPU), want one")
    device = devices.pop() if devices else None
    if device is None:
        return HostStaging()
    from kvforge.transfer.cuda_staging import CudaStaging

    return CudaStaging(device)


# Those that are open. A process that ends tells its peers, who would wait for `silence` otherwise, and
# ends its engines' threads in order: gloo's are C++ threads, which may not outlive the interpreter.
_OPEN: weakref.WeakSet[Endpoint] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for endpoint in list(_OPEN):
        # A child of fork() has its parent's, whose sockets it shares.
        if endpoint.pid == os.getpid():
            with contextlib.suppress(TransferError):
                endpoint.close()


class Endpoint:
    """One process's end of all its transfers, as sender and as receiver.

    `name` is for people; `.name` is unique. `groups` are what it can send from and receive into.
    `engine`: "nixl", "gloo" or what makes an engine.Engine. Staging memory is two rings, one for each
    direction, of `slots` slots of `slot_bytes` bytes (32 of 2 MiB, on a GPU 8 of 8 MiB), mapped for the
    life of the process. `deadline`:
    seconds for a transfer, an offer or a hello that has none of its own. A peer that is silent for
    `silence` seconds is lost; each pings every `ping` seconds. To a peer that this side has connected to
    and lost, but that has not left, it says hello anew by itself, for `again` seconds (0: not at all).
    `on_event` is called on the endpoint's thread with "hello", "want", "credit", "pack", "posted" or
    "lent", "read", "landed", "checked", "unpacked" or "ack".

    Errors come as types of kvforge.transfer.errors; an op that refuses what a group holds raises its
    own error from result(). Close it, or use it as a context manager; what is open when the process
    ends is closed then.
    """

    def __init__(
        self,
        name: str,
        groups: Sequence[Group],
        *,
        engine: str | Maker = "nixl",
        slots: int | None = None,
        slot_bytes: int | None = None,
        deadline: float = 30.0,
        ping: float = 1.0,
        silence: float = 5.0,
        again: float = 300.0,
        on_event: Callable[[str], None] | None = None,
    ) -> None:
        self.pid = os.getpid()
        self.name = f"{getpass.getuser()}/{socket.gethostname()}/{self.pid}/{name}/"
        self.name += secrets.token_hex(4)
        self._groups = {group.shape.name: group for group in groups}
        if len(self._groups) != len(groups):
            raise ValueError("Endpoint: two groups of one name")
        self._staging = _staging_for(groups)
        slots = self._staging.slots if slots is None else slots
        slot_bytes = self._staging.slot_bytes if slot_bytes is None else slot_bytes
        self._incoming = Ring(slots, slot_bytes, self._staging)
        outgoing = Ring(slots, slot_bytes, self._staging)
        self._deadline, self._ping, self._silence = deadline, ping, silence
        self._event = on_event or (lambda _: None)
        self._redial = Redial(self._dial, self._there, self._replaced, again)
        self._exchange = Exchange(
            *(self._groups, self._incoming, outgoing, deadline, ping, silence, self._event),
            self._redial.lost,
        )
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = threading.Event()
        self._stopping = False
        self._closing = False
        self._listeners: list[socket.socket] = []
        self._hellos: set[socket.socket] = set()  # those under way, of any thread
        make = _ENGINES[engine] if isinstance(engine, str) else engine
        self._engine = make(self.name, self._incoming.memory, outgoing.memory, silence)
        self._thread = threading.Thread(target=self._run, name="kvforge-transfer", daemon=True)
        self._thread.start()
        _OPEN.add(self)

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- peers -------------------------------------------------------------------------------------

    def listen(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Takes hellos at this address, too, until the endpoint is closed; returns the address, with the
        port that it has."""
        listener = socket.create_server((host, port))
        self._listeners.append(listener)
        threading.Thread(
            target=self._accept, args=(listener,), name="kvforge-hello", daemon=True
        ).start()
        address = listener.getsockname()
        return str(address[0]), int(address[1])

    def connect(self, host: str, port: int) -> str:
        """Says hello to an endpoint that listens there; returns its name. Incompatible, PeerLost,
        DeadlineExceeded or BadMessage if nothing comes of it.

        The name is the endpoint's as long as it lives: after a loss it is good again once a hello has
        come through. Where another endpoint answers then, as of a process that was started anew, the
        old name is lost for good, and peer_at() has the new one."""
        return self._redial.call((host, port), self._deadline)

    def peer_at(self, host: str, port: int) -> str | None:
        """The name of the peer that answered at this address last, as it was given to connect(), if it
        is there."""
        return self._redial.name_at((host, port))

    def _dial(self, address: tuple[str, int], patience: float) -> str:
        try:
            connection = socket.create_connection(address, patience)
        except TimeoutError:
            raise DeadlineExceeded("a hello", patience) from None
        except OSError as error:
            raise PeerLost("{}:{}".format(*address), str(error)) from None
        with connection:
            return self._greet(connection, first=True)

    def _there(self, name: str) -> bool:
        return self._call(lambda: name in self._exchange.peers)

    def _replaced(self, old: str, new: str) -> None:
        error = PeerLost(old, f"{new} is in its place")
        self._call(lambda: self._exchange.remember(old, error))

    def peers(self) -> list[str]:
        """The names of all peers that are there, in order."""
        return self._call(lambda: sorted(self._exchange.peers))

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
            except OSError as error:
                if self._closing:
                    return  # closed
                _LOG.warning("no hello is taken for a while: %s", error)
                time.sleep(_AGAIN)
                continue
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
        self._hellos.add(connection)
        try:
            if self._closing:  # and has not seen it
                raise Aborted(f"kvforge.transfer: endpoint {self.name} is closed")
            return self._exchange_hellos(connection, first)
        finally:
            self._hellos.discard(connection)

    def _exchange_hellos(self, connection: socket.socket, first: bool) -> str:
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
            self._call(lambda: self._exchange.meet(Peer(other, link)))
        except BaseException:
            self._call(lambda: self._exchange.fence(link))
            raise
        return other.name

    # ---- transfers ---------------------------------------------------------------------------------

    def offer(
        self,
        key: str,
        slots: Any,
        *,
        group: str | None = None,
        first: int = 0,
        readers: int | None = 1,
        by_layer: bool = False,
        deadline: float | None = None,
        release: Callable[[Transfer], None] | None = None,
    ) -> Transfer:
        """Lets peers fetch tokens first, first + 1, ... of `key`, which lie in these slots (int64).

        On a GPU they are read after what the caller's stream has been given. The pages must stay as
        they are until `readers` transfers have ended, well or not, or the deadline (seconds) is over;
        then `release` is called on the endpoint's thread, and result() has the sum of what was sent or
        the first error. `group` may be left out where there is one. A fetch more than there are to be
        readers waits for the next offer of the key.
        Without a number of readers the peers say by release() when they are through.
        `by_layer`: nothing of a layer is read before Transfer.ready() was called with its name.
        """
        found = self._group(group)
        seconds = self._deadline if deadline is None else deadline
        transfer = Transfer(key)
        until = time.monotonic() + seconds
        tokens = np.array(slots, np.int64)
        if found.device is not None:  # the op refuses it on the CPU, and counts it there
            found.check_slots("offer", tokens, -1)
        layers = Layers(found.shape.layers, self._staging) if by_layer else None
        offer = Offer(
            *(transfer, found, tokens, first, readers, until, seconds, release),
            None if by_layer else self.ready(),
            layers,
        )
        if by_layer:
            transfer._ready = functools.partial(self._layer_ready, offer)
        error = Aborted(f"kvforge.transfer: offer {key} was aborted")
        transfer._abort = lambda: self._call(lambda: self._exchange.end_offer(offer, error))
        self._call(lambda: self._exchange.offer(offer))
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
        by_layer: int = 0,
        atomic: bool = False,
        zero_tail: bool = False,
        deadline: float | None = None,
        ready: Any = None,
        mode: str = "push",
    ) -> Transfer:
        """Brings tokens first, first + 1, ... of `key` into these slots (int64, 0 and more, each once).

        Which of the peers gives which heads and layers follows from what they said of themselves.
        `layers`: some of the group's. `by_layer`: all tokens of so many layers (True: of one) come before the
        next ones, and Transfer.wait_for_layer() tells when. `atomic`: no page changes before all has come
        and is checked.
        `zero_tail`: the rows of the last token's page behind it become 0. On a GPU pages are written
        after what the caller's stream has been given, or what it had been at `ready`. `mode`: "push"
        where the peers' engines write into this side's slots, "pull" where this side's reads theirs.
        Incompatible at once where the peers do not have it all; else see result().
        """
        if mode not in messages.MODES:
            raise ValueError(f"fetch: mode: got {mode}, want one of {messages.MODES}")
        found = self._group(group)
        seconds = self._deadline if deadline is None else deadline
        transfer = Transfer(key)
        tokens = np.array(slots, np.int64)
        found.check_slots("fetch", tokens, 0)
        if np.unique(tokens).size != tokens.size:
            raise ValueError("fetch: slots: two tokens in one slot")

        if by_layer:
            if atomic:
                raise ValueError("fetch: atomic: no layer comes before all, so want not by_layer")
            wanted = [each for each in found.shape.layers if layers is None or each in layers]
            transfer._layers = {each: Future() for each in wanted}
        names = [peers] if isinstance(peers, str) else list(peers)
        ready = self.ready() if ready is None else ready
        fetch = self._call(
            lambda: self._exchange.fetch(
                *(names, found, transfer, tokens, seconds, first, layers),
                *(int(by_layer), atomic, zero_tail, ready, mode),
            )
        )
        error = Aborted(f"kvforge.transfer: fetch of {key} was aborted")
        transfer._abort = lambda: self._call(lambda: self._exchange.end_fetch(fetch, error))
        return transfer

    def _layer_ready(self, offer: Offer, layer: str) -> None:
        if layer not in offer.group.shape.layers:
            name, known = offer.group.shape.name, offer.group.shape.layers
            raise ValueError(f"ready: group {name} has no layer {layer}, but {known}")
        mark = self._staging.ready()
        self._calls.put(lambda: self._exchange.layer_ready(offer, layer, mark))
        self._wake.set()

    def ready(self) -> Any:
        """Behind what the caller's CUDA stream has been given: for one fetch() by another thread."""
        return self._staging.ready()

    def release(self, peer: str, key: str, readers: int = 1) -> None:
        """Says that this side reads no more of what the peer offers as `key` to no number of readers,
        whatever the group. It ends once `readers` endpoints have said so. A peer that is lost, or has
        no such offer, is none the wiser."""
        self._call(lambda: self._exchange.tell(peer, messages.release(key, readers)))

    def renew(self, peer: str, key: str) -> None:
        """Gives what the peer offers as `key` its whole deadline anew: a fetch will come."""
        self._call(lambda: self._exchange.tell(peer, messages.renew(key)))

    # ---- pages that go and come --------------------------------------------------------------------

    def detach(self) -> None:
        """Lets go of all pages, for an engine that gives their memory up for a while: when it returns,
        nothing here refers to them, or will read or write them.

        All that is under way ends with Aborted, and the other sides are told; offer() and fetch() raise
        it until attach(). Peers stay, and so do staging memory and the addresses of listen(): hellos are
        taken, and what peers want waits, up to their deadlines, for an offer after attach(). To detach
        twice is to do it once.
        """
        error = Aborted(f"kvforge.transfer: endpoint {self.name} was detached from its pages")
        self._call(lambda: self._exchange.detach(error))

    def attach(self, groups: Sequence[Group]) -> None:
        """Gives the endpoint pages again, those of other memory or of the same; detaches first where
        that has not been done.

        Peers know the groups from the hello: there must be the same, in any order, and each as it was
        said to be; only the number of blocks may be another. ValueError tells all that differs, and
        changes nothing.
        """
        found = {group.shape.name: group for group in groups}
        known = self._groups
        different = [
            f"group {name}: {what} was {before} and is {now}"
            for name in known.keys() & found.keys()
            for what, before, now in known[name].changes(found[name])
        ]
        for name, group in found.items():
            if not group.pages or group is known.get(name):
                different.append(f"group {name}: want one that no endpoint has had")
        if found.keys() != known.keys() or len(found) != len(groups):
            names = sorted(group.shape.name for group in groups)
            different.insert(0, f"groups were {sorted(known)} and are {names}")
        if different:
            raise ValueError("attach: " + "; ".join(different))

        def swap() -> None:
            self.detach()
            for name in known:  # in their order, which notes count by
                known[name] = found[name]

        self._call(swap)

    def counts(self) -> dict[str, dict[str, int]]:
        """Slots of both rings: free, held, and in quarantine."""
        return self._call(
            lambda: {
                "incoming": self._exchange.incoming.counts,
                "outgoing": self._exchange.outgoing.counts,
            }
        )

    def close(self) -> None:
        """Ends all that is under way with Aborted, says farewell, and cuts all links."""
        if self._closing:
            return
        self._closing = True
        _OPEN.discard(self)
        self._redial.close()
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in list(self._hellos):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

        error = Aborted(f"kvforge.transfer: endpoint {self.name} was closed")
        self._call(lambda: self._exchange.leave(error))
        # An answer says that the last notes have come over; a link that is cut takes them along.
        until = time.monotonic() + self._ping
        while self.peers() and time.monotonic() < until:
            time.sleep(0.001)

        def stop() -> None:
            self._exchange.lose_all(error)
            self._stopping = True

        self._call(stop)
        self._thread.join()
        until = time.monotonic() + self._silence
        while not self._exchange.closed() and time.monotonic() < until:
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
            with contextlib.suppress(FutureTimeout):
                return future.result(0.1)
        if not future.done():
            raise Aborted(f"kvforge.transfer: endpoint {self.name} is closed")
        return future.result()

    def _run_calls(self) -> bool:
        """Does what other threads want done. Whether there was anything."""
        busy = False
        while not self._calls.empty():
            self._calls.get()()
            busy = True
        return busy

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException as error:  # nobody may wait for a thread that is gone
            for transfer in self._exchange.under_way():
                if not transfer.done():
                    settle(transfer, TransferError(f"kvforge.transfer: {error!r}"))
            raise

    def _loop(self) -> None:
        pause, last = _SHORT, time.monotonic()
        while not self._stopping:
            now = time.monotonic()
            if now - last > self._silence / 2:
                # This process did not run: what peers said meanwhile has yet to come in.
                self._exchange.excuse(now - self._silence / 2)
            last = now
            busy = self._run_calls()
            if self._exchange.step(now) or busy:
                pause = _SHORT
                continue
            if self._exchange.fetches or self._exchange.sending:
                pause = min(2 * pause, _BUSY)
                time.sleep(pause)  # a fifth of what a wait for an event costs
                continue
            pause = min(2 * pause, _IDLE)
            if self._wake.wait(pause):
                self._wake.clear()
