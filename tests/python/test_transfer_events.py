"""Transfers that whoever is told of their events ends there, on the endpoint's own thread."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from conftest import require

require("python", __file__)

from test_transfer_layers import NAMES, Pair
from transfer_loopback import soon

from kvforge import transfer

SENDER = {"push": ["credit", "pack", "posted"], "pull": ["credit", "pack", "lent"]}
RECEIVER = {"push": ["landed", "checked", "unpacked", "ack"]}
RECEIVER["pull"] = ["read", *RECEIVER["push"]]
EVENTS = [
    (mode, side, event, how)
    for side, events in (("sender", SENDER), ("receiver", RECEIVER))
    for mode in ("push", "pull")
    for event in events[mode]
    for how in ("abort", "detach")
]
# There is nothing yet that could be aborted.
EVENTS += [(mode, "receiver", "want", "detach") for mode in ("push", "pull")]


@pytest.fixture
def pair() -> Iterator[Pair]:
    found = Pair()
    yield found
    found.close()


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("by_layer", [False, True])
@pytest.mark.parametrize(("mode", "side", "event", "how"), EVENTS)
def test_no_slot_is_lost(
    pair: Pair, mode: str, side: str, event: str, how: str, by_layer: bool, later: bool
) -> None:
    """At the second event of a kind. With `later`, ops end only after their call has, as on a GPU."""
    pair.mode = mode
    end = pair.sender if side == "sender" else pair.receiver
    mine: list[transfer.Transfer] = []
    count = itertools.count(1)

    def told(name: str) -> None:
        if name == event and next(count) == (1 if event == "want" else 2):
            end.detach() if how == "detach" else mine[0].abort()

    if later:
        for each in (pair.sender, pair.receiver):
            passed = itertools.cycle([False, True])
            each._staging.passed = lambda _, passed=passed: next(passed)  # type: ignore
    offer = pair.offer(by_layer=by_layer)
    for name in NAMES if by_layer else []:
        offer.ready(name)
    mine += [offer] if side == "sender" else []
    end._exchange.event = told

    def begin() -> transfer.Transfer:
        fetch = pair.fetch(by_layer=by_layer)
        mine.extend([fetch] if side == "receiver" else [])
        return fetch

    fetch = pair.receiver._call(begin)  # so that no event comes before it is known
    assert soon(fetch.done)
    offer.abort()
    assert isinstance(fetch.exception(), transfer.TransferError)
    assert pair.all_free()
