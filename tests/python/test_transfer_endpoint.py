"""What an endpoint makes of callers that give up, and of hellos, wants and connections that are none."""

from __future__ import annotations

import asyncio
import errno
import importlib.metadata
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import require

require("python", __file__)

from transfer_loopback import PATIENCE, Loopback, soon
from transfer_party import ENVIRONMENT, engines

from kvforge import transfer
from kvforge.transfer import messages, nixl_engine, side_channel
from kvforge.transfer.peer import Hello


class Pair:
    """Two endpoints of this process that know each other."""

    def __init__(self, **options: Any) -> None:
        self.wire = Loopback()
        self.pages = np.arange(2 * 8 * 4 * 2 * 8, dtype=np.uint16).reshape(2, 8, 4, 2, 8)
        self.landing = np.zeros_like(self.pages)
        self.sender, self.receiver = (
            transfer.Endpoint(
                name,
                [transfer.Group("kv", list(pages), layers=["a", "b"], dtype="float16")],
                engine=self.wire,
                **{"slots": 2, "slot_bytes": 8192, "deadline": PATIENCE, **options},
            )
            for name, pages in (("sender", self.pages), ("receiver", self.landing))
        )
        self.address = self.sender.listen()
        self.peer = self.receiver.connect(*self.address)
        self.sender.wait_for_peers(1)

    def works(self) -> bool:
        """Whether a transfer comes to its end."""
        slots = np.arange(32)
        self.landing[:] = 0
        self.sender.offer("all", slots)
        self.receiver.fetch(self.peer, "all", slots).result(PATIENCE)
        return bool((self.landing == self.pages).all())

    def say(self, note: bytes) -> None:
        """What the sender has from the receiver next."""
        link = self.sender._exchange.peers[self.receiver.name].link
        self.wire.links[link.address()].notes.append(note)

    def close(self) -> None:
        self.receiver.close()
        self.sender.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    found = Pair()
    yield found
    found.close()


# ---- callers ---------------------------------------------------------------------------------------


def test_who_waits_no_longer_ends_nothing(pair: Pair) -> None:
    """asyncio cancels what it awaits: the transfer goes on, as where result() has had its timeout."""
    slots = np.arange(32)
    fetch = pair.receiver.fetch(pair.peer, "later", slots)

    async def impatient() -> None:
        await asyncio.wait_for(fetch, 0.05)

    with pytest.raises((TimeoutError, asyncio.TimeoutError)):
        asyncio.run(impatient())
    with pytest.raises(TimeoutError):
        fetch.result(0.05)
    pair.sender.offer("later", slots)
    fetch.result(PATIENCE)
    assert (pair.landing == pair.pages).all()
    assert pair.works()


def test_a_key_that_is_offered_twice_is_fetched_twice(pair: Pair) -> None:
    """The second fetch is there when the first offer begins, which has its reader in the first fetch."""
    slots = np.arange(32)
    fetches = [pair.receiver.fetch(pair.peer, "key", slots) for _ in range(2)]
    for _ in range(2):
        pair.sender.offer("key", slots).result(PATIENCE)
    for fetch in fetches:
        fetch.result(PATIENCE)


def test_to_abort_what_is_done_is_nothing() -> None:
    pair = Pair()
    slots = np.arange(32)
    offer = pair.sender.offer("all", slots)
    fetch = pair.receiver.fetch(pair.peer, "all", slots)
    fetch.result(PATIENCE)
    pair.close()
    offer.abort()
    fetch.abort()
    assert fetch.result().chunks > 0


ENDS = """
import sys
import numpy as np
from kvforge import transfer
host, port, engine = sys.argv[1:]
group = transfer.Group("kv", [np.zeros((1, 4, 2, 8), np.float16)], layers=["a"], dtype="float16")
endpoint = transfer.Endpoint("ends", [group], engine=engine)
endpoint.connect(host, int(port))
raise SystemExit("with an endpoint open")
"""


@pytest.mark.parametrize("engine", engines())
def test_a_process_that_ends_says_farewell(engine: str) -> None:
    """So its peers need not wait for its silence, and the engine's threads end before the interpreter."""
    group = transfer.Group(
        "kv", [np.zeros((1, 4, 2, 8), np.float16)], layers=["a"], dtype="float16"
    )
    with transfer.Endpoint("stays", [group], engine=engine, silence=60.0) as endpoint:
        address = map(str, endpoint.listen())
        done = subprocess.run(
            [sys.executable, "-c", ENDS, *address, engine],
            capture_output=True,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )
        assert (done.returncode, done.stderr) == (1, "with an endpoint open\n")
        assert soon(lambda: not endpoint.peers())


def test_a_listener_that_fails_once_goes_on(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the process has no descriptor left for a while."""
    accept, failures = socket.socket.accept, [errno.EMFILE, errno.ECONNABORTED]

    def fails(self: socket.socket) -> Any:
        if failures:
            raise OSError(failures.pop(), "not now")
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", fails)
    address = pair.sender.listen()
    assert soon(lambda: not failures)
    name = pair.receiver.connect(*address)
    assert name == pair.sender.name


def test_all_listeners_are_closed() -> None:
    pair = Pair()
    addresses = [pair.sender.listen() for _ in range(2)]
    pair.close()
    for address in [pair.address, *addresses]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 1.0)


def test_what_is_remembered_of_lost_peers_has_an_end(pair: Pair) -> None:
    def lose(number: int) -> None:
        lost = transfer.PeerLost(f"peer {number}", "it left")
        pair.sender._call(lambda: pair.sender._exchange.remember(lost.name, lost))

    for number in range(300):
        lose(number)
    assert len(pair.sender._exchange._lost) <= 256


# ---- peers -----------------------------------------------------------------------------------------

PART = {
    **{"group": "kv", "layers": ["a"], "heads": [0, 1], "first": 0, "count": 1},
    **{"layout": "LKNHC", "block": 16, "heads_per_group": 0},
}


@pytest.mark.parametrize(
    "body",
    [
        '["key", 8192, 5]',
        json.dumps(["key", 8192, {**PART, "layers": [["a"]]}]),
        json.dumps(["key", 8192, {**PART, "layers": 5}]),
        json.dumps(["key", 8192, PART]).replace("[0, 1]", "[0, 1e999]"),
        json.dumps(["key", 8192, {**PART, "layout": ["LKNHC"]}]),
        "[" * 100_000,
    ],
)
def test_a_want_that_is_none(pair: Pair, body: str) -> None:
    """Who sends such a thing is cut off, and the endpoint serves others."""
    offer = pair.sender.offer("key", np.arange(4))
    pair.say(messages.note(messages.WANT, 1, body.encode()))
    assert soon(lambda: not pair.sender.peers())
    assert not offer.done()
    pair.peer = pair.receiver.connect(*pair.address)
    assert pair.works()


def hello(pair: Pair) -> dict[str, Any]:
    shapes = tuple(group.shape for group in pair.receiver._groups.values())
    return Hello("somebody", "loopback", b"0", 2, 8192, shapes).to_json()


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("scales", [[[1.0]], []]),
        ("scales", 5),
        ("planes", [{"size": "8", "itemsize": 2}]),
        ("block_size", 0),
        ("rank", "first"),
        ("heads", [0, 1e999]),
        ("heads", [1, 0]),
        ("dtype", ["float16"]),
        ("wire_block", None),
    ],
)
def test_a_hello_that_is_none(pair: Pair, where: str, value: Any) -> None:
    said = hello(pair)
    said["groups"][0][where] = value
    with pytest.raises(transfer.BadMessage, match="hello"):
        Hello.from_json(json.loads(json.dumps(said)))


def test_slots_of_a_hello_are_some(pair: Pair) -> None:
    for slots, size in ((0, 8192), (2, 0), (2, 1e999), (2, 1000)):
        said = hello(pair)
        said["staging"] = {"slots": slots, "slot_bytes": size}
        with pytest.raises(transfer.BadMessage, match="hello"):
            Hello.from_json(json.loads(json.dumps(said)))


def test_a_hello_that_drips_has_a_deadline() -> None:
    """Its bytes come one by one, each in time."""
    here, there = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        there.sendall(struct.pack("<I", 1000))
        while not stop.wait(0.05):
            there.sendall(b" ")

    thread = threading.Thread(target=drip)
    thread.start()
    started = time.monotonic()
    with pytest.raises(transfer.DeadlineExceeded, match="a hello"):
        side_channel.exchange(here, {}, 0.4)
    assert time.monotonic() - started < 30  # and not until the last byte
    stop.set()
    thread.join()
    here.close()
    there.close()


# ---- NIXL ------------------------------------------------------------------------------------------


def test_an_older_nixl_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("nixl", "nixl_cu13", "nixl_cu12"):
        for name in (package, f"{package}._api", f"{package}._bindings"):
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.4.2")
    with pytest.raises(ImportError, match=r"NIXL is 1\.4\.2, want 1\.5\.0 or newer"):
        nixl_engine._import()


def test_timeout_is_pythons_own() -> None:
    """Before Python 3.11 that of futures is another one."""
    found = transfer.Transfer("key")
    with pytest.raises(TimeoutError) as caught:
        found.result(0.0)
    assert type(caught.value) is TimeoutError
    with pytest.raises(TimeoutError):
        found.exception(0.0)
