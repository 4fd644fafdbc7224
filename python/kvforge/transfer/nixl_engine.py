"""Bytes by NIXL's UCX backend: shared memory, TCP, RDMA, as UCX_TLS says.

An agent for each peer, over the same staging memory: destroying it is the one thing that keeps a peer's
late writes out (removing the peer, releasing a handle and deregistering the memory all do not).

Over TCP, UCX answers a READ in software, and ends its process where the reader is gone before it has begun
to: a store that packs for some milliseconds would die with any reader that does. So where TCP may be taken,
a read is a wish, which the other side's link answers by a write, unless the caller knows that it is not.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import struct
from types import ModuleType
from typing import Any

from kvforge.transfer.engine import Link, LinkDown

_PACKAGES = ("nixl", "nixl_cu13", "nixl_cu12")
_OLDEST = (1, 5)
_BASES = struct.Struct("<QQ")  # addresses of the incoming and the outgoing staging memory
# A read's source, target, bytes and ticket; the source's note follows.
_WISH = struct.Struct("<4sQQQQ")
_ASKED, _ANSWERED = b"KVFQ", b"KVFA"


def _import() -> tuple[ModuleType, ModuleType]:
    """NIXL's API and the module with its errors; ImportError says what is missing or too old."""
    for package in _PACKAGES:
        try:
            found = (
                importlib.import_module(f"{package}._api"),
                importlib.import_module(f"{package}._bindings"),
            )
        except ModuleNotFoundError:
            continue
        _check_version(package)
        return found
    raise ImportError(
        "kvforge.transfer: NIXL is not installed (none of " + ", ".join(_PACKAGES) + "): "
        "pip install --no-deps nixl-cu12==1.5.1"
    )


def _check_version(package: str) -> None:
    """ImportError for an older one than this has been written for; who has built it himself knows."""
    try:
        version = importlib.metadata.version(package.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < _OLDEST:
        raise ImportError(f"kvforge.transfer: NIXL is {version}, want 1.5.0 or newer")


def _one_sided() -> bool:
    """Whether UCX_TLS keeps UCX from taking TCP."""
    names = os.environ.get("UCX_TLS", "all")
    if names.startswith("^"):
        return "tcp" in names[1:].split(",")
    return not {"all", "tcp"} & set(names.split(","))


class NixlEngine:
    """See engine.Engine. Agents are of the thread that calls. `one_sided`: whether no peer is read over
    TCP, as on one host with shared memory; None: whether UCX_TLS keeps UCX from taking it."""

    name = "nixl"

    def __init__(
        self,
        name: str,
        incoming: Any,
        outgoing: Any,
        silence: float,
        one_sided: bool | None = None,
    ) -> None:
        self._api, bindings = _import()
        self._errors = tuple(
            value
            for value in vars(bindings).values()
            if isinstance(value, type) and issubclass(value, Exception)
        )
        self._name, self._incoming, self._outgoing = name, incoming, outgoing
        self._one_sided = _one_sided() if one_sided is None else one_sided
        self._links = 0

    def open(self, first: bool) -> Link:
        self._links += 1
        name = f"{self._name}/{self._links}"
        try:
            memories = self._incoming, self._outgoing
            return NixlLink(self._api, self._errors, name, *memories, self._one_sided)
        except self._errors as error:
            raise LinkDown(f"NIXL makes no agent: {_text(error)}") from None


class NixlLink:
    """See engine.Link."""

    def __init__(
        self,
        api: ModuleType,
        errors: tuple[type[Exception], ...],
        name: str,
        incoming: Any,
        outgoing: Any,
        one_sided: bool,
    ) -> None:
        self._errors = errors
        # A thread of NIXL's for each agent would take the cores from those that compute: the endpoint's
        # own looks at the links often enough.
        config = api.nixl_agent_config(enable_prog_thread=False)
        self._agent: Any = api.nixl_agent(name, config)
        self._bases = (incoming.ctypes.data, outgoing.ctypes.data)
        self._size = outgoing.size
        self._one_sided = one_sided
        for memory in (incoming, outgoing):
            region = [(memory.ctypes.data, memory.size, 0, "")]
            self._agent.register_memory(region, mem_type="DRAM", backends=["UCX"])
        self._peer = ""
        self._theirs = (0, 0)
        self._flights: dict[int, Any] = {}
        self._tickets = 0
        # By ticket: reads that were asked for, and whether they came; writes that answer one, and the
        # notes behind them.
        self._wishes: dict[int, bool] = {}
        self._answers: dict[int, bytes] = {}

    def address(self) -> bytes:
        return _BASES.pack(*self._bases) + bytes(self._agent.get_agent_metadata())

    def connect(self, address: bytes) -> None:
        try:
            self._theirs = _BASES.unpack_from(address)
            self._peer = self._agent.add_remote_agent(address[_BASES.size :]).decode()
            self._agent.make_connection(self._peer)
        except struct.error as error:
            raise LinkDown(f"NIXL does not connect: {error}") from None
        except self._errors as error:
            raise LinkDown(f"NIXL does not connect: {_text(error)}") from None

    def post(self, source: int, target: int, count: int, note: bytes) -> int:
        return self._begin("WRITE", self._bases[1] + source, self._theirs[0] + target, count, note)

    def read(self, source: int, target: int, count: int, note: bytes) -> int:
        if self._one_sided:
            place, origin = self._bases[0] + target, self._theirs[1] + source
            return self._begin("READ", place, origin, count, note)
        self._tickets += 1
        self._wishes[self._tickets] = False
        self.notify(_WISH.pack(_ASKED, source, target, count, self._tickets) + note)
        return self._tickets

    def _answer(self, wish: bytes) -> None:
        try:
            _, source, target, count, ticket = _WISH.unpack_from(wish)
        except struct.error as error:
            raise LinkDown(f"a wish for bytes: {error}") from None
        if source + count > self._size:
            raise LinkDown(f"a wish for {count} bytes at {source} of {self._size}")
        done = _ANSWERED + ticket.to_bytes(8, "little")
        answer = self.post(source, target, count, done)
        self._answers[answer] = wish[_WISH.size :]

    def _begin(self, kind: str, mine: int, theirs: int, count: int, note: bytes) -> int:
        try:
            local, remote = (
                self._agent.get_xfer_descs([(address, count, 0)], mem_type="DRAM")
                for address in (mine, theirs)
            )
            handle = self._agent.initialize_xfer(kind, local, remote, self._peer, note)
            self._tickets += 1
            self._flights[self._tickets] = handle
            if self._agent.transfer(handle) == "ERR":
                raise LinkDown(f"NIXL does not begin a {kind}")
        except self._errors as error:
            raise LinkDown(f"NIXL does not begin a {kind}: {_text(error)}") from None
        return self._tickets

    def done(self, ticket: int) -> bool:
        if ticket in self._wishes:
            return self._wishes[ticket] and self._wishes.pop(ticket)
        handle = self._flights[ticket]
        try:
            state = self._agent.check_xfer_state(handle)
            if state == "PROC":
                return False
            del self._flights[ticket]
            self._agent.release_xfer_handle(handle)
        except self._errors as error:
            raise LinkDown(f"a READ or WRITE of NIXL: {_text(error)}") from None
        if state != "DONE":
            raise LinkDown(f"a READ or WRITE of NIXL: {state}")
        return True

    def notify(self, note: bytes) -> None:
        try:
            self._agent.send_notif(self._peer, note)
        except self._errors as error:
            raise LinkDown(f"NIXL does not notify: {_text(error)}") from None

    def poll(self) -> list[bytes]:
        try:
            texts = self._agent.get_new_notifs().get(self._peer, ())
        except self._errors as error:
            raise LinkDown(f"notes of NIXL: {_text(error)}") from None
        found = []
        for text in texts:
            if text.startswith(_ASKED):
                self._answer(text)
            elif text.startswith(_ANSWERED):
                ticket = int.from_bytes(text[len(_ANSWERED) :], "little")
                if ticket in self._wishes:
                    self._wishes[ticket] = True
            else:
                found.append(text)
        for ticket in list(self._answers):
            if self.done(ticket):
                found.append(self._answers.pop(ticket))
        return found

    def fence(self) -> None:
        """Handles go first: each keeps the agent alive."""
        self._flights.clear()
        self._agent = None

    def closed(self) -> bool:
        return self._agent is None


def _text(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()
