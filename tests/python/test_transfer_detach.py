"""An endpoint whose pages are taken away and given back, as those of an engine that sleeps."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from conftest import require

require("python", __file__)

from test_transfer_endpoint import Pair
from transfer_loopback import PATIENCE, soon

from kvforge import transfer

SLOTS = np.arange(32)
FREE = {"free": 2, "held": 0, "quarantined": 0}


@pytest.fixture
def pair() -> Iterator[Pair]:
    found = Pair()
    yield found
    found.close()


def group(pages: Any, **changed: Any) -> transfer.Group:
    return transfer.Group(
        "kv", list(pages), **{"layers": ["a", "b"], "dtype": "float16", **changed}
    )


def hold(pair: Pair) -> list[bytes]:
    """Notes of chunks that do not arrive."""
    notes: list[bytes] = []

    def keep(note: bytes) -> list[bytes]:
        notes.append(note)
        return []

    pair.wire.mangle = keep
    return notes


def test_nothing_refers_to_pages_of_before(pair: Pair) -> None:
    """Neither does a transfer that its caller still has."""
    offer = pair.sender.offer("all", SLOTS)
    fetch = pair.receiver.fetch(pair.peer, "all", SLOTS)
    fetch.result(PATIENCE)
    offer.result(PATIENCE)
    waits = pair.receiver.fetch(pair.peer, "nobody's", SLOTS)
    # All views of an array have the one that owns the memory as their base.
    memory = [weakref.ref(each) for each in (pair.pages.base, pair.landing)]
    del pair.pages, pair.landing
    assert all(pages() is not None for pages in memory)
    for _ in range(2):
        pair.sender.detach()
        pair.receiver.detach()
    assert [pages() for pages in memory] == [None, None]
    assert waits.done()


def test_pages_come_back_elsewhere(pair: Pair) -> None:
    """Peers, hellos and staging are as before; of blocks there may be another number."""
    assert pair.works()
    before = pair.sender.counts()
    pair.sender.detach()
    assert pair.receiver.connect(*pair.address) == pair.sender.name
    assert soon(lambda: pair.sender.peers() == [pair.receiver.name])
    pair.pages = np.concatenate([pair.pages, pair.pages], 1)[:, ::-1][:, :9].copy()
    pair.sender.attach([group(pair.pages)])
    pair.receiver.attach([group(pair.landing)])  # which detaches it, too
    pair.sender.offer("new", SLOTS + 4)
    pair.receiver.fetch(pair.peer, "new", SLOTS).result(PATIENCE)
    np.testing.assert_array_equal(pair.landing, pair.pages[:, 1:])
    assert soon(lambda: pair.sender.counts() == before)


def test_what_is_wanted_meanwhile_waits(pair: Pair) -> None:
    """For an offer after attach(), or for its deadline."""
    pair.sender.detach()
    late = pair.receiver.fetch(pair.peer, "late", SLOTS, deadline=0.2)
    waits = pair.receiver.fetch(pair.peer, "waits", SLOTS)
    with pytest.raises(transfer.DeadlineExceeded):
        late.result(PATIENCE)
    assert not waits.done()
    pair.sender.attach([group(pair.pages)])
    pair.sender.offer("waits", SLOTS)
    waits.result(PATIENCE)
    np.testing.assert_array_equal(pair.landing, pair.pages)


def test_what_is_under_way_ends(pair: Pair) -> None:
    """At a chunk that has been posted: the other side is told, and all slots come back."""
    notes = hold(pair)
    released: list[transfer.Transfer] = []
    offer = pair.sender.offer("all", SLOTS, release=released.append)
    fetch = pair.receiver.fetch(pair.peer, "all", SLOTS)
    assert soon(lambda: bool(notes))
    pair.sender.detach()
    assert offer.done() and released == [offer]
    with pytest.raises(transfer.Aborted, match="was detached from its pages"):
        offer.result(0)
    with pytest.raises(transfer.PeerRefused, match="was detached from its pages"):
        fetch.result(PATIENCE)
    assert soon(lambda: pair.receiver.counts()["incoming"] == FREE)
    assert soon(lambda: pair.sender.counts()["outgoing"] == FREE)
    with pytest.raises(transfer.Aborted, match="group kv has no pages"):
        pair.sender.offer("all", SLOTS)
    with pytest.raises(transfer.Aborted, match="group kv has no pages"):
        pair.sender.fetch(pair.receiver.name, "all", SLOTS)
    pair.wire.mangle = lambda note: [note]
    pair.sender.attach([group(pair.pages)])
    assert pair.works()


def test_late_bytes_do_not_reach_new_pages(pair: Pair) -> None:
    """What was on its way when the receiver detached is not for what it has then."""
    notes = hold(pair)
    pair.sender.offer("all", SLOTS)
    fetch = pair.receiver.fetch(pair.peer, "all", SLOTS)
    assert soon(lambda: bool(notes))
    pair.receiver.detach()
    with pytest.raises(transfer.Aborted):
        fetch.result(0)
    pair.landing = np.zeros_like(pair.landing)
    pair.receiver.attach([group(pair.landing)])
    pair.wire.mangle = lambda note: [note]
    link = pair.receiver._exchange.peers[pair.sender.name].link
    pair.wire.links[link.address()].notes.extend(notes)
    assert soon(lambda: pair.receiver.counts()["incoming"] == FREE)
    time.sleep(0.05)
    assert not pair.landing.any()
    assert pair.works()


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda pages: [group(pages.reshape(2, 4, 8, 2, 8))],
            "group kv: block_size was 4 and is 8",
        ),
        (lambda pages: [group(pages, dtype="bfloat16")], "dtype was float16 and is bfloat16"),
        (
            lambda pages: [group(pages, layers=["a", "c"], rank=1)],
            r"layers was \('a', 'b'\) and is \('a', 'c'\); group kv: rank was 0 and is 1",
        ),
        (lambda pages: [], r"groups were \['kv'\] and are \[\]"),
        (lambda pages: [group(pages)] * 2, r"groups were \['kv'\] and are \['kv', 'kv'\]"),
    ],
)
def test_other_groups_are_refused(pair: Pair, made: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^attach: .*{message}"):
        pair.sender.attach(made(pair.pages))
    assert pair.works()


def test_a_group_is_attached_once(pair: Pair) -> None:
    again = group(pair.pages)
    pair.sender.attach([again])
    with pytest.raises(ValueError, match="group kv: want one that no endpoint has had"):
        pair.sender.attach([again])
    assert pair.works()
    pair.sender.detach()
    with pytest.raises(ValueError, match="group kv: want one that no endpoint has had"):
        pair.sender.attach([again])
