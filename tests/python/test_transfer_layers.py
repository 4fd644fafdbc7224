"""Transfers by layer: what is computed goes while the rest is, and is there before the rest has come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from conftest import require

require("python", __file__)

from transfer_loopback import PATIENCE, Loopback, soon

from kvforge import transfer
from kvforge.transfer import messages

NAMES = ["a", "b", "c"]
COUNT, SLOTS = 100, 3
FREE = {"free": SLOTS, "held": 0, "quarantined": 0}


class Pair:
    """Two endpoints of this process, and pages [plane, layer, block, token, head, element] of each.

    A slot has room for 64 tokens of a layer, or 16 of all. The receiver's pages are of other blocks and
    other order.
    """

    mode = "push"

    def __init__(self, **options: Any) -> None:
        self.wire = Loopback()
        random = np.random.default_rng(1)
        self.source = random.integers(0, 1 << 16, (2, len(NAMES), 10, 16, 2, 8), np.uint16)
        self.target = random.integers(0, 1 << 16, (2, len(NAMES), 4, 2, 48, 8), np.uint16)
        self.before = self.target.copy()
        self.slots, self.landing = random.permutation(160)[:COUNT], random.permutation(192)[:COUNT]
        self.sender = self.endpoint("sender", self.source, options)
        self.receiver = self.endpoint("receiver", self.target.swapaxes(3, 4), options)
        self.peer = self.receiver.connect(*self.sender.listen())
        self.sender.wait_for_peers(1)

    def endpoint(self, name: str, pages: Any, options: dict[str, Any]) -> transfer.Endpoint:
        views = [pages[plane, layer] for plane in range(2) for layer in range(len(NAMES))]
        group = transfer.Group("kv", views, layers=NAMES, dtype="float16", wire_block=16)
        options = {"slots": SLOTS, "slot_bytes": 4096, "deadline": PATIENCE, **options}
        return transfer.Endpoint(name, [group], engine=self.wire, **options)

    def write(self, layer: int, seed: int = 0) -> None:
        """The sender's rows of a layer, which the model has just computed."""
        shape = self.source[:, layer].shape
        self.source[:, layer] = np.random.default_rng(layer + 7 * seed).integers(
            0, 1 << 16, shape, np.uint16
        )

    def moved(self, *layers: int) -> bool:
        """Whether the receiver's pages have the sender's rows of these layers, and are else as they
        were."""
        want = self.before.copy()
        for layer in layers:
            rows = self.source[:, layer].reshape(2, 160, 2, 8)[:, self.slots]
            want[:, layer, self.landing // 48, :, self.landing % 48] = rows.swapaxes(0, 1)
        return bool((self.target == want).all())

    def offer(self, **options: Any) -> transfer.Transfer:
        return self.sender.offer("key", self.slots, **options)

    def fetch(self, **options: Any) -> transfer.Transfer:
        return self.receiver.fetch(self.peer, "key", self.landing, mode=self.mode, **options)

    def all_free(self) -> bool:
        """Soon: the last notes are on their way."""
        ends = self.sender, self.receiver
        return soon(lambda: all(ring == FREE for end in ends for ring in end.counts().values()))

    def close(self) -> None:
        self.receiver.close()
        self.sender.close()


@pytest.fixture(params=["push", "pull"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    found = Pair()
    found.mode = str(request.param)
    yield found
    found.close()


@pytest.mark.parametrize("first", ["offer", "fetch"])
def test_a_layer_is_there_before_the_next_is_written(pair: Pair, first: str) -> None:
    fetch = pair.fetch(by_layer=True) if first == "fetch" else None
    offer = pair.offer(by_layer=True)
    fetch = fetch or pair.fetch(by_layer=True)
    for layer, name in enumerate(NAMES):
        assert not fetch.done() and not offer.done()
        with pytest.raises(TimeoutError, match=f"layer {name} of key is not done after 0.0 s"):
            fetch.wait_for_layer(name, 0.0)
        assert pair.moved(*range(layer))
        pair.write(layer)
        offer.ready(name)
        fetch.wait_for_layer(name, 5)
        assert pair.moved(*range(layer + 1))
    assert fetch.result(PATIENCE).chunks == offer.result(PATIENCE).chunks == 2 * len(NAMES)
    for name in NAMES:
        fetch.wait_for_layer(name)  # again, and at once
    assert pair.all_free()


def test_layers_that_are_ready_out_of_turn(pair: Pair) -> None:
    """They go in the group's order; of what is said twice the first counts."""
    offer, fetch = pair.offer(by_layer=True), pair.fetch(by_layer=True)
    offer.ready("c")
    offer.ready("b")
    with pytest.raises(TimeoutError):
        fetch.wait_for_layer("c", 0.05)
    assert pair.moved()
    offer.ready("a")
    offer.ready("a")
    fetch.result(PATIENCE)
    offer.ready("a")  # behind the end
    assert pair.moved(0, 1, 2)
    assert pair.all_free()


def test_either_side_alone(pair: Pair) -> None:
    """An offer by layer for who takes all layers at once waits for the last; a fetch by layer of what
    is there already has layer by layer."""
    offer, fetch = pair.offer(by_layer=True), pair.fetch()
    offer.ready("a")
    offer.ready("b")
    assert soon(lambda: pair.receiver.counts()["incoming"] == FREE)  # others may have the slots
    assert pair.moved()
    offer.ready("c")
    fetch.result(PATIENCE)
    assert pair.moved(0, 1, 2)
    pair.target[:] = pair.before
    pair.offer()
    fetch = pair.fetch(by_layer=True)
    fetch.wait_for_layer("a", 5)
    fetch.result(PATIENCE)
    assert pair.moved(0, 1, 2)
    assert pair.all_free()


def test_layers_that_are_late_keep_no_slots(pair: Pair) -> None:
    """All transfers of a receiver have the ring's slots together: another one comes through meanwhile."""
    offer, fetch = pair.offer(by_layer=True), pair.fetch(by_layer=True)
    offer.ready("a")
    fetch.wait_for_layer("a", 5)
    pair.sender.offer("other", pair.slots)
    pair.receiver.fetch(pair.peer, "other", pair.landing).result(PATIENCE)
    assert soon(lambda: pair.receiver.counts()["incoming"] == FREE)
    offer.ready("b")
    offer.ready("c")
    fetch.result(PATIENCE)
    assert pair.moved(0, 1, 2)
    assert pair.all_free()


def test_layers_by_twos(pair: Pair) -> None:
    """A chunk has two of them, and goes when both are there; the last one has what is left."""
    offer, fetch = pair.offer(by_layer=True), pair.fetch(by_layer=2)
    offer.ready("a")
    with pytest.raises(TimeoutError):
        fetch.wait_for_layer("a", 0.05)
    assert pair.moved()
    offer.ready("b")
    for name in "ab":
        fetch.wait_for_layer(name, 5)
    assert pair.moved(0, 1)
    offer.ready("c")
    assert fetch.result(PATIENCE).chunks == 2 * 4  # of 32 tokens
    assert pair.moved(0, 1, 2)
    assert pair.all_free()


def test_several_readers_and_some_layers(pair: Pair) -> None:
    offer = pair.offer(by_layer=True, readers=2)
    some = pair.fetch(by_layer=True, layers=["c", "a"])
    whole = pair.fetch(by_layer=True, layers=["b"])
    for name in NAMES:
        offer.ready(name)
    for name in ("a", "c"):
        some.wait_for_layer(name, 5)
    some.result(PATIENCE)
    whole.result(PATIENCE)
    offer.result(PATIENCE)
    with pytest.raises(ValueError, match=r"fetch by layer of \['a', 'c'\], not of b"):
        some.wait_for_layer("b")
    assert pair.moved(0, 1, 2)


def test_a_clean_tail_of_each_layer(pair: Pair) -> None:
    """Rows of the last token's page behind it are 0 when its layer is there, and not before."""
    pair.landing = np.arange(COUNT)
    offer, fetch = pair.offer(by_layer=True), pair.fetch(by_layer=True, zero_tail=True)
    offer.ready("a")
    fetch.wait_for_layer("a", 5)
    block, row = divmod(COUNT, 48)
    assert not pair.target[:, 0, block, :, row:].any()
    assert (pair.target[:, 1:] == pair.before[:, 1:]).all()
    offer.ready("b")
    offer.ready("c")
    fetch.result(PATIENCE)
    pair.before[:, :, block, :, row:] = 0
    assert pair.moved(0, 1, 2)


def test_no_tokens(pair: Pair) -> None:
    offer = pair.sender.offer("none", [], by_layer=True)
    fetch = pair.receiver.fetch(pair.peer, "none", [], by_layer=True)
    fetch.wait_for_layer("c", 5)
    fetch.result(PATIENCE)
    offer.result(PATIENCE)


# ---- ends ------------------------------------------------------------------------------------------


def test_a_layer_that_never_comes(pair: Pair) -> None:
    """The sender names it, and so the receiver has it from there; what came is there."""
    offer, fetch = pair.offer(by_layer=True, deadline=0.3), pair.fetch(by_layer=True)
    offer.ready("a")
    sentence = (
        r"offer key, whose layers \['b', 'c'\] were never ready, was not complete after 0.3 s"
    )
    with pytest.raises(transfer.DeadlineExceeded, match=sentence):
        offer.result(PATIENCE)
    with pytest.raises(transfer.PeerRefused, match=sentence):
        fetch.wait_for_layer("b", 5)
    with pytest.raises(transfer.PeerRefused, match=sentence):
        fetch.result(PATIENCE)
    fetch.wait_for_layer("a", 5)
    offer.ready("b")  # too late
    assert pair.moved(0)
    assert pair.all_free()


def test_a_receiver_that_waits_too_long(pair: Pair) -> None:
    offer, fetch = pair.offer(by_layer=True), pair.fetch(by_layer=True, deadline=0.3)
    offer.ready("a")
    sentence = (
        r"fetch of key, of which layers \['b', 'c'\] have not come, was not complete after 0.3 s"
    )
    with pytest.raises(transfer.DeadlineExceeded, match=sentence):
        fetch.result(PATIENCE)
    with pytest.raises(transfer.PeerRefused, match=sentence):
        offer.result(PATIENCE)
    assert pair.moved(0)
    assert pair.all_free()


@pytest.mark.parametrize("side", ["offer", "fetch", "both"])
def test_who_gives_up_in_the_middle(pair: Pair, side: str) -> None:
    offer, fetch = pair.offer(by_layer=True), pair.fetch(by_layer=True)
    offer.ready("a")
    fetch.wait_for_layer("a", 5)
    for each in {"offer": [offer], "fetch": [fetch], "both": [offer, fetch]}[side]:
        each.abort()
    for each in (offer, fetch):
        with pytest.raises(transfer.TransferError, match="was aborted"):
            each.result(PATIENCE)
    with pytest.raises(transfer.TransferError, match="was aborted"):
        fetch.wait_for_layer("b", 5)
    pair.write(1)
    offer.ready("b")
    assert pair.moved(0)
    assert pair.all_free()


def test_a_sender_that_is_lost_in_the_middle(pair: Pair) -> None:
    """Who waits for a layer has the reason."""
    offer, fetch = pair.offer(by_layer=True), pair.fetch(by_layer=True)
    found: list[BaseException] = []

    def wait() -> None:
        try:
            fetch.wait_for_layer("c", 30)
        except transfer.TransferError as error:
            found.append(error)

    waits = threading.Thread(target=wait)
    waits.start()
    offer.ready("a")
    fetch.wait_for_layer("a", 5)
    pair.sender.close()
    waits.join(5)
    assert isinstance(found[0], transfer.PeerLost | transfer.PeerRefused)
    offer.ready("b")  # of an endpoint that is closed
    assert pair.moved(0)


def test_readers_that_say_when_they_are_through(pair: Pair) -> None:
    """Before the last layer is ready, and before there is an offer at all."""
    offer = pair.offer(by_layer=True, readers=None)
    fetch = pair.fetch(by_layer=True, layers=["a"])
    offer.ready("a")
    fetch.result(PATIENCE)
    pair.receiver.release(pair.peer, "key")
    assert offer.result(PATIENCE).chunks == 2
    pair.receiver.release(pair.peer, "next")
    assert soon(lambda: "next" in pair.sender._exchange._released)
    offer = pair.sender.offer("next", pair.slots, by_layer=True, readers=None)
    offer.ready("a")
    assert offer.result(PATIENCE).chunks == 0


# ---- what cannot be --------------------------------------------------------------------------------


def test_what_is_not_by_layer(pair: Pair) -> None:
    with pytest.raises(ValueError, match="atomic: no layer comes before all"):
        pair.fetch(by_layer=True, atomic=True)
    offer, fetch = pair.offer(), pair.fetch()
    with pytest.raises(
        ValueError, match=r"ready: key is no offer by layer: offer\(\.\.\., by_layer=T"
    ):
        offer.ready("a")
    with pytest.raises(ValueError, match="key is no fetch by layer"):
        fetch.wait_for_layer("a")
    fetch.result(PATIENCE)
    offer = pair.offer(by_layer=True)
    with pytest.raises(ValueError, match=r"ready: group kv has no layer d, but \('a', 'b', 'c'\)"):
        offer.ready("d")
    offer.abort()


@pytest.mark.parametrize("body", [b"", b"\0" * 3, b"\0" * 8, b"\xff" * 4])
def test_a_note_of_chunks_that_cannot_be(pair: Pair, body: bytes) -> None:
    """Who sends it is cut off."""
    fetch = pair.fetch()
    [peer] = pair.receiver._exchange.peers.values()
    assert soon(lambda: peer.streams)
    [number] = peer.streams
    pair.wire.links[peer.link.address()].notes.append(messages.note(messages.READY, number, body))
    with pytest.raises(transfer.BadMessage, match=r"ready: (bytes|chunks)"):
        fetch.result(PATIENCE)
