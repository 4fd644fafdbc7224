"""Hellos that an endpoint says anew by itself after a loss, and where it does not."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from conftest import require

require("python", __file__)

from transfer_loopback import PATIENCE, Loopback, soon

from kvforge import transfer
from kvforge.transfer import redial

SLOTS = np.arange(32)


class Side:
    """An endpoint, how many hellos it has said or heard, and pages of its own."""

    def __init__(self, wire: Loopback, model: str = "m", **options: Any) -> None:
        self.pages = np.zeros((2, 8, 4, 2, 8), np.uint16)
        self.hellos = 0
        self.endpoint = transfer.Endpoint(
            "side",
            [
                transfer.Group(
                    "kv", list(self.pages), layers=["a", "b"], dtype="float16", model=model
                )
            ],
            engine=wire,
            on_event=self.event,
            **{"slots": 4, "slot_bytes": 8192, "deadline": PATIENCE, **options},
        )
        self.wire = wire

    def event(self, event: str) -> None:
        self.hellos += event == "hello"

    @property
    def name(self) -> str:
        return str(self.endpoint.name)

    def sees(self, other: Side) -> bool:
        return other.name in self.endpoint.peers()

    def cut(self) -> None:
        """All its links, as a network does that is gone."""

        def fail() -> None:
            for peer in self.endpoint._exchange.peers.values():
                self.wire.links[peer.link.address()].cut = True

        self.endpoint._call(fail)

    def die(self) -> None:
        """As a process that is killed: no farewell, and nobody listens any more."""
        self.endpoint._exchange.notify = lambda *_: None  # type: ignore[method-assign]
        self.cut()
        self.endpoint.close()


Make = Callable[..., Side]


@pytest.fixture
def make() -> Iterator[Make]:
    found: list[Side] = []
    wire = Loopback()

    def side(**options: Any) -> Side:
        found.append(Side(wire, **options))
        return found[-1]

    yield side
    for each in found:
        each.endpoint.close()


def works(source: Side, target: Side, mode: str = "push") -> bool:
    """Whether a transfer comes to its end, by the name that the peer has always had."""
    source.pages[:] = np.random.default_rng(source.hellos).integers(0, 9, source.pages.shape)
    target.pages[:] = 0
    key = f"key {time.monotonic()}"
    source.endpoint.offer(key, SLOTS)
    target.endpoint.fetch(source.name, key, SLOTS, mode=mode).result(PATIENCE)
    return bool((source.pages == target.pages).all())


def test_who_has_called_is_there_again(make: Make) -> None:
    """What was under way has failed; the names stay, and no caller has done anything."""
    sender, receiver = make(), make()
    name = receiver.endpoint.connect(*sender.endpoint.listen())
    for _ in range(3):
        fetch = receiver.endpoint.fetch(name, "never", SLOTS)
        sender.cut()
        with pytest.raises(transfer.PeerLost):
            fetch.result()  # it has been noticed
        assert soon(lambda: receiver.sees(sender) and sender.sees(receiver))
        assert works(sender, receiver) and works(sender, receiver, "pull")
        assert works(receiver, sender)


def test_a_process_that_was_started_anew(make: Make) -> None:
    """The old name tells who is in its place; the address has the new one."""
    old, receiver = make(), make()
    address = old.endpoint.listen()
    receiver.endpoint.connect(*address)
    assert receiver.endpoint.peer_at(*address) == old.name
    old.die()
    assert soon(lambda: receiver.endpoint.peer_at(*address) is None)
    with pytest.raises(transfer.PeerLost, match=r"it was cut|silent for"):  # on a busy machine
        receiver.endpoint.fetch(old.name, "key", SLOTS)
    new = make()
    new.endpoint.listen(*address)
    assert soon(lambda: receiver.endpoint.peer_at(*address) == new.name)
    assert soon(lambda: new.sees(receiver))
    with pytest.raises(transfer.PeerLost, match=f"{new.name} is in its place"):
        receiver.endpoint.fetch(old.name, "key", SLOTS)
    assert works(new, receiver)
    new.cut()
    assert soon(lambda: not receiver.endpoint.peers())
    assert soon(lambda: receiver.endpoint.peer_at(*address) == new.name)


def test_who_has_left_is_left_alone(make: Make) -> None:
    sender, receiver = make(), make()
    address = sender.endpoint.listen()
    receiver.endpoint.connect(*address)
    assert soon(lambda: sender.sees(receiver))
    sender.endpoint.close()
    assert soon(lambda: not receiver.endpoint.peers())
    make().endpoint.listen(*address)
    time.sleep(0.5)
    assert receiver.hellos == 1


@pytest.mark.parametrize("options", [{"again": 0.0}, {"again": 0.3}])
def test_there_is_an_end(make: Make, options: dict[str, float], caplog: Any) -> None:
    """None at all, or after so many seconds."""
    sender, receiver = make(), make(**options)
    address = sender.endpoint.listen()
    receiver.endpoint.connect(*address)
    with caplog.at_level(logging.WARNING, "kvforge.transfer"):
        sender.die()
        assert soon(lambda: not receiver.endpoint.peers())
        time.sleep(1.5)
    assert ("no hello is said anew" in caplog.text) == (options["again"] > 0)
    make().endpoint.listen(*address)
    time.sleep(1.0)
    assert receiver.hellos == 1


def test_who_cannot_be_met_is_not_asked_twice(make: Make, caplog: Any) -> None:
    sender, receiver = make(), make()
    address = sender.endpoint.listen()
    receiver.endpoint.connect(*address)
    sender.die()
    other = make(model="another")
    with caplog.at_level(logging.WARNING, "kvforge.transfer"):
        other.endpoint.listen(*address)
        assert soon(lambda: "no hello is said anew" in caplog.text)
    hellos = receiver.hellos
    time.sleep(0.5)
    assert receiver.hellos == hellos == 2


def test_two_that_have_called_each_other(make: Make) -> None:
    """Both say hello anew; one link is left, which works both ways."""
    one, two = make(), make()
    one.endpoint.connect(*two.endpoint.listen())
    two.endpoint.connect(*one.endpoint.listen())
    for _ in range(5):
        assert soon(lambda: one.sees(two) and two.sees(one))
        one.cut()
        two.cut()
        assert soon(lambda: not one.sees(two) and not two.sees(one))

    def both() -> bool:
        try:
            return works(one, two) and works(two, one)
        except transfer.TransferError:
            return False

    assert soon(both)
    hellos = one.hellos + two.hellos
    time.sleep(2 * redial._MOST)
    assert one.hellos + two.hellos == hellos


def test_a_link_that_fails_at_once_is_tried_less_and_less(make: Make) -> None:
    sender, receiver = make(), make()
    receiver.endpoint.connect(*sender.endpoint.listen())
    until, cuts = time.monotonic() + 4.0, 0
    while time.monotonic() < until:
        if receiver.endpoint.peers():
            receiver.cut()
            cuts += 1
            assert soon(lambda: not receiver.endpoint.peers())
    assert cuts <= 8, cuts  # at 0.2, 0.6, 1.4, 3.0 s, more or less
    assert soon(lambda: receiver.endpoint.peers())


def test_a_call_waits_for_no_hello(make: Make) -> None:
    """An address at which somebody listens who never answers: the endpoint's thread serves others."""
    sender, receiver, third = make(), make(), make()
    address = sender.endpoint.listen()
    receiver.endpoint.connect(*address)
    receiver.endpoint.connect(*third.endpoint.listen())
    sender.die()
    with socket.create_server(address):
        time.sleep(0.5)
        assert works(third, receiver)
        started = time.monotonic()
        receiver.endpoint.close()
        assert time.monotonic() - started < PATIENCE / 2


@pytest.mark.parametrize("first", [False, True])
def test_hellos_end_with_their_endpoint(make: Make, first: bool) -> None:
    """Those that nobody answers: an own one, and somebody else's."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        side = make(deadline=10 * PATIENCE)
        errors: list[Exception] = []

        def connect() -> None:
            try:
                side.endpoint.connect(*mute.getsockname())
            except transfer.TransferError as error:
                errors.append(error)

        def hellos() -> list[str]:
            names = [thread.name for thread in threading.enumerate()]
            return [name for name in names if name in ("hello", "kvforge-hello")]

        if first:
            threading.Thread(target=connect, name="hello").start()
            other, _ = mute.accept()
        else:
            other = socket.create_connection(side.endpoint.listen())
        assert soon(lambda: side.hellos == 1)
        assert len(hellos()) == (1 if first else 2)
        side.endpoint.close()
        assert soon(lambda: not hellos())
        assert len(errors) == first
        other.close()
