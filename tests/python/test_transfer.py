"""kvforge.transfer between processes: pairs of layouts, block sizes and dtypes, and ranks that differ in
number. What arrives is compared with indexing in NumPy, every byte of all pages."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import require

require("python", __file__)
if importlib.util.find_spec("torch") is None:
    pytest.skip(f"{__file__}: no torch, for gloo", allow_module_level=True)

import transfer_pages
from transfer_pages import Side
from transfer_party import ENVIRONMENT, Failed, Party, engines, expected, tokens

OPTIONS: dict[str, Any] = {"slots": 4, "slot_bytes": 1 << 17, "deadline": 30.0}

# name: (sender, receiver). Blocks hold what the test needs, and some more.
BYTES: dict[str, Any] = {"dtype": "bytes", "bits": "uint8"}
MLA: dict[str, Any] = {"planes": 1, "size": 576, "heads": (0, 1), "total_heads": 1}
PAIRS = {
    "NHD 16 to HND 48": (Side("LPBNHD", 16, 12), Side("LPBHND", 48, 5, pad=3)),
    "vLLM's LBNHC 7 to BHLNC 16": (Side("LBNHPD", 7, 30, shift=1), Side("BHLNPD", 16, 12)),
    "vLLM's LHBNC 64 to BLHNC 1": (Side("LHBNPD", 64, 4), Side("BLHNPD", 1, 170)),
    "LMCache's 0 to SGLang's page_first": (
        Side("BLPNHD", 16, 12, pad=8),
        Side("PBNLHD", 1, 190),
    ),
    "bfloat16, SGLang's page_head to LMCache's 7": (
        Side("PBHNLD", 48, 5, dtype="bfloat16", wire={"wire_block": 16}),
        Side("LBPHND", 16, 12, dtype="bfloat16", wire={"wire_layout": "HLKNC"}),
    ),
    "float32 by way of GLKNHC": (
        Side("LPBNHD", 256, 1, dtype="float32", bits="uint32"),
        Side(
            *("LBPNHD", 7, 30, "float32", "uint32"),
            wire={"wire_layout": "GLKNHC", "heads_per_group": 2, "wire_block": 5},
        ),
    ),
    "fp8 with scales of tokens and heads": (
        Side("LPBNHD", 16, 12, dtype="fp8_per_token_head", bits="uint8", scales=True),
        Side("LBPHND", 48, 5, dtype="fp8_per_token_head", bits="uint8", scales=True),
    ),
    "MLA": (Side("LPBNHD", 64, 4, **MLA), Side("BLPNHD", 16, 12, **MLA)),
    "opaque rows of 656 bytes": (
        Side("LPBNHD", 64, 4, **{**MLA, **BYTES, "size": 656}),
        Side("BNLPHD", 16, 12, **{**MLA, **BYTES, "size": 656}),
    ),
}
COUNT = 163
LAYERS = 3


@pytest.fixture(scope="module")
def parties() -> Iterator[list[Party]]:
    found = [Party() for _ in range(5)]
    yield found
    for party in found:
        party.kill()


@pytest.fixture(params=["nixl", "gloo"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param not in engines():
        pytest.skip("no NIXL: pip install --no-deps -r requirements/transfer.txt")
    return str(request.param)


@pytest.fixture(params=["push", "pull"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_pairs(parties: list[Party], engine: str, mode: str, capsys: Any) -> None:
    check_pairs(parties, engine, mode, f"{engine}, {mode}", capsys)


def check_pairs(parties: list[Party], engine: str, mode: str, title: str, capsys: Any) -> None:
    sender, receiver = parties[:2]
    sender.open({name: (pair[0], 1) for name, pair in PAIRS.items()}, engine=engine, **OPTIONS)
    receiver.open({name: (pair[1], 2) for name, pair in PAIRS.items()}, engine=engine, **OPTIONS)
    peer = receiver.connect(sender.listen())
    for number, (name, (source, target)) in enumerate(PAIRS.items()):
        rows = transfer_pages.model(source, LAYERS, COUNT, number)
        slots = transfer_pages.slots(source, COUNT, number)
        sender.put(name, LAYERS, slots, number)
        before = sender.digest(name)
        landing = transfer_pages.slots(target, COUNT, number + 1)
        sender.offer(name, slots, group=name)
        receiver.fetch([peer], name, landing, group=name, mode=mode)
        stats = receiver.result(name)
        sent = sender.result(name)
        assert sent["bytes"] == stats["bytes"]
        assert sent["descriptors"] == (stats["chunks"] if mode == "push" else 0)
        digest = receiver.digest(name)
        assert digest == expected(target, 2, landing, rows), name
        assert sender.digest(name) == before, name
        with capsys.disabled():
            print(f"\n{title}: {name}: {stats['chunks']} chunks, {digest}", end="")
    for party in (sender, receiver):
        for ring in party.counts().values():
            assert ring == {"free": 4, "held": 0, "quarantined": 0}
    receiver.close()
    sender.close()


@pytest.mark.parametrize("mode", ["push", "pull", "READ"])
def test_pairs_in_shared_memory(mode: str, capsys: Any) -> None:
    """As above, by UCX's shared memory; where all are there, a pull may be a READ of NIXL's."""
    if "nixl" not in engines():
        pytest.skip("no NIXL: pip install --no-deps -r requirements/transfer.txt")
    environment = {**ENVIRONMENT, "UCX_TLS": "sm,self,tcp"}
    engine, mode = ("nixl READ", "pull") if mode == "READ" else ("nixl", mode)
    two = [Party(environment) for _ in range(2)]
    try:
        check_pairs(two, engine, mode, f"{engine}, shared memory, {mode}", capsys)
    finally:
        for party in two:
            party.kill()


def ranks(number: int, heads: int, **options: Any) -> list[Side]:
    """As many sides as ranks: each has its heads, or one that others have too."""
    found = []
    for rank in range(number):
        first = rank * heads // number
        end = max(first + 1, (rank + 1) * heads // number)
        sizes = {"heads": (first, end), "total_heads": heads, "rank": rank}
        found.append(Side(**{**options, **sizes}))
    return found


NHD: dict[str, Any] = {"order": "LPBNHD", "block_size": 16, "blocks": 12}
HND: dict[str, Any] = {"order": "BLPHND", "block_size": 48, "blocks": 5}
RANKS = {
    "2 senders, 2 receivers": (ranks(2, 4, **NHD), ranks(2, 4, **HND)),
    "4 senders, 1 receiver": (ranks(4, 4, **HND), ranks(1, 4, **NHD)),
    "1 sender, 3 receivers": (ranks(1, 6, **NHD), ranks(3, 6, **HND)),
    "1 sender, 3 receivers, 12 heads": (ranks(1, 12, **HND), ranks(3, 12, **NHD)),
    "2 senders, 3 receivers": (ranks(2, 6, **NHD), ranks(3, 6, **HND)),
    "4 senders of 2 heads, 1 receiver": (ranks(4, 2, **NHD), ranks(1, 2, **HND)),
    "MLA, 2 senders, 2 receivers": (
        ranks(2, 1, **{**NHD, "planes": 1, "size": 64}),
        ranks(2, 1, **{**HND, "planes": 1, "size": 64}),
    ),
    "layers on 2 senders, heads on 2 receivers": (
        [Side(**NHD, layers=(0, 2)), Side(**NHD, layers=(2, 3), rank=1)],
        ranks(2, 4, **HND),
    ),
    "layers on 2 senders, others on 2 receivers": (
        [Side(**NHD, layers=(0, 2)), Side(**NHD, layers=(2, 3), rank=1)],
        [Side(**HND, layers=(0, 1)), Side(**HND, layers=(1, 3), rank=1)],
    ),
}


@pytest.mark.parametrize("case", RANKS)
def test_ranks(parties: list[Party], engine: str, mode: str, case: str) -> None:
    senders, receivers = RANKS[case]
    seed = len(case)
    open_parties = parties[: len(senders) + len(receivers)]
    for number, (party, side) in enumerate(zip(open_parties, senders + receivers, strict=True)):
        party.open({"kv": (side, number)}, engine=engine, **OPTIONS)
    sending, receiving = open_parties[: len(senders)], open_parties[len(senders) :]
    for party, side in zip(sending, senders, strict=True):
        slots = transfer_pages.slots(side, COUNT, seed)
        party.put("kv", LAYERS, slots, seed)
        party.offer("key", slots, readers=len(receivers), deadline=20)
    addresses = [party.listen() for party in sending]
    for party, side in zip(receiving, receivers, strict=True):
        peers = [party.connect(address) for address in addresses]
        party.fetch(peers, "key", transfer_pages.slots(side, COUNT, seed + 1), mode=mode)
    for number, (party, side) in enumerate(zip(receiving, receivers, strict=True)):
        party.result("key")
        rows = transfer_pages.model(side, LAYERS, COUNT, seed)
        landing = transfer_pages.slots(side, COUNT, seed + 1)
        assert party.digest("kv") == expected(side, len(senders) + number, landing, rows)
    for party in open_parties:
        party.close()


@pytest.mark.parametrize(
    "case",
    [
        *("NHD 16 to HND 48", "vLLM's LHBNC 64 to BLHNC 1", "float32 by way of GLKNHC"),
        *("fp8 with scales of tokens and heads", "MLA", "2 senders, 3 receivers"),
        "layers on 2 senders, heads on 2 receivers",
        "layers on 2 senders, others on 2 receivers",
    ],
)
def test_layer_by_layer(parties: list[Party], engine: str, mode: str, case: str) -> None:
    """Each is in the receivers' pages before the next one is written by those who have it."""
    senders, receivers = RANKS.get(case) or ([PAIRS[case][0]], [PAIRS[case][1]])
    seed = len(case)
    open_parties = parties[: len(senders) + len(receivers)]
    for number, (party, side) in enumerate(zip(open_parties, senders + receivers, strict=True)):
        party.open({"kv": (side, number)}, engine=engine, **OPTIONS)
    sending, receiving = open_parties[: len(senders)], open_parties[len(senders) :]
    addresses = [party.listen() for party in sending]
    pages = []
    for number, (party, side) in enumerate(zip(receiving, receivers, strict=True)):
        peers = [party.connect(address) for address in addresses]
        landing = transfer_pages.slots(side, COUNT, seed + 1)
        party.fetch(peers, "key", landing, by_layer=True, mode=mode)
        pages.append(transfer_pages.make(side, len(senders) + number))
    for party, side in zip(sending, senders, strict=True):
        slots = transfer_pages.slots(side, COUNT, seed)
        party.offer("key", slots, readers=len(receivers), by_layer=True)
    for layer in range(LAYERS):
        for party, side in zip(sending, senders, strict=True):
            party.put_layer("kv", LAYERS, transfer_pages.slots(side, COUNT, seed), seed, layer)
            if side.layers[0] <= layer < side.layers[1]:
                party.ready("key", f"layer.{layer}")
        for party, side, want in zip(receiving, receivers, pages, strict=True):
            first, end = side.layers
            if first <= layer < end:
                party.wait_for_layer("key", f"layer.{layer}")
                rows = transfer_pages.part(side, transfer_pages.model(side, LAYERS, COUNT, seed))
                which = slice(layer - first, layer - first + 1)
                landing = transfer_pages.slots(side, COUNT, seed + 1)
                for view, values in zip(want.views, rows, strict=True):
                    transfer_pages.Pages([], [view[which]]).put(landing, [values[which]])
            assert party.digest("kv") == want.digest(), layer
    for party in receiving:
        party.result("key")
    for party in open_parties:
        party.close()


def test_two_groups_one_with_a_window(parties: list[Party], engine: str, mode: str) -> None:
    """Of layers that look at the last 40 tokens only those are sent, by their numbers."""
    sender, receiver = parties[:2]
    source, target = Side(**NHD), Side(**HND)
    for party, side in ((sender, source), (receiver, target)):
        party.open({"full": (side, 5), "window": (side, 6)}, engine=engine, **OPTIONS)
    peer = receiver.connect(sender.listen())
    window = 40
    for group, first in (("full", 0), ("window", COUNT - window)):
        slots = transfer_pages.slots(source, COUNT, 1)
        sender.put(group, LAYERS, slots, first)
        sender.offer(group, slots, group=group)
        landing = transfer_pages.slots(target, COUNT - first, 2)
        receiver.fetch([peer], group, landing, group=group, first=first, mode=mode)
        receiver.result(group)
        rows = tokens(transfer_pages.model(source, LAYERS, COUNT, first), first, COUNT - first)
        seed = 5 if group == "full" else 6
        assert receiver.digest(group) == expected(target, seed, landing, rows)
    receiver.close()
    sender.close()


def test_one_whole_or_nothing_and_a_clean_tail(
    parties: list[Party], engine: str, mode: str
) -> None:
    sender, receiver = parties[:2]
    source, target = Side(**NHD), Side(**HND)
    sender.open({"kv": (source, 1)}, engine=engine, **OPTIONS)
    receiver.open({"kv": (target, 2)}, engine=engine, **{**OPTIONS, "slot_bytes": 1 << 15})
    peer = receiver.connect(sender.listen())
    slots = transfer_pages.slots(source, COUNT, 1)
    sender.put("kv", LAYERS, slots, 3)
    landing = transfer_pages.slots(target, COUNT, 2)
    with pytest.raises(Failed, match=r"Incompatible.* chunks at once, and 4 slots"):
        receiver.fetch([peer], "all", landing, atomic=True, mode=mode)
    count = 64
    sender.offer("some", slots[:count])
    landing = list(range(48 + count))[48:]
    receiver.fetch([peer], "some", landing, atomic=True, zero_tail=True, mode=mode)
    receiver.result("some")
    pages = transfer_pages.make(target, 2)
    rows = tokens(transfer_pages.model(source, LAYERS, COUNT, 3), 0, count)
    pages.put(landing, rows)
    pages.views[0][:, :, 2, 16:] = 0  # the last token is in row 15 of block 2
    assert receiver.digest("kv") == pages.digest()
    receiver.close()
    sender.close()


def test_what_cannot_be(parties: list[Party], engine: str) -> None:
    """Each with a sentence, and nothing written."""
    sender, receiver = parties[:2]
    target = Side(**HND)
    receiver.open({"kv": (target, 2)}, engine=engine, **{**OPTIONS, "deadline": 4.0})
    before = receiver.digest("kv")
    others = {
        "elements of rows are": Side(**NHD, size=32),
        "total_heads is 4 here and 8 there": Side(**NHD, total_heads=8),
        "float16 here and bytes there": Side(**NHD, **BYTES),
    }
    for sentence, side in others.items():
        sender.open({"kv": (side, 1)}, engine=engine, **OPTIONS)
        with pytest.raises(Failed, match=f"Incompatible.*{sentence}"):
            receiver.connect(sender.listen())
        sender.close()
    sender.open({"kv": (Side(**NHD, layers=(3, 6)), 1)}, engine=engine, **OPTIONS)
    peer = receiver.connect(sender.listen())
    with pytest.raises(Failed, match=r"Incompatible.*head 0 of layer.0 is with no peer"):
        receiver.fetch([peer], "key", [0])
    sender.close()
    sender.open({"kv": (Side(**NHD, heads=(1, 4)), 1)}, engine=engine, **OPTIONS)
    peer = receiver.connect(sender.listen())
    with pytest.raises(Failed, match=r"Incompatible.*head 0 of layer.0 is with no peer"):
        receiver.fetch([peer], "key", [0])
    with pytest.raises(Failed, match=r"PeerLost.*it never said hello"):
        receiver.fetch(["nobody"], "key", [0])
    with pytest.raises(Failed, match=r"IndexError.*slots: want 0 to 239, got 3 to 240"):
        receiver.fetch([peer], "key", [240, 3])
    with pytest.raises(Failed, match=r"ValueError.*two tokens in one slot"):
        receiver.fetch([peer], "key", [7, 3, 7])
    sender.close()
    sender.open({"kv": (Side(**NHD), 1)}, engine=engine, **OPTIONS)
    peer = receiver.connect(sender.listen())
    receiver.fetch([peer], "nothing", [1, 2, 3])
    with pytest.raises(Failed, match=r"DeadlineExceeded.*fetch of nothing"):
        receiver.result("nothing")
    sender.offer("few", [1, 2])
    receiver.fetch([peer], "few", [1, 2, 3])
    with pytest.raises(Failed, match=r"PeerRefused.*tokens 0 to 3 of few, which has 0 to 2"):
        receiver.result("few")
    sender.offer("far", [1, 1 << 40])
    receiver.fetch([peer], "far", [1, 2])
    with pytest.raises(Failed, match=r"PeerRefused.*slot_mapping"):
        receiver.result("far")
    with pytest.raises(Failed, match=r"slot_mapping"):
        sender.result("far")
    sender.offer("late", [1], deadline=0.2)
    with pytest.raises(Failed, match=r"DeadlineExceeded.*offer late"):
        sender.result("late")
    receiver.fetch([peer], "given up", [1])
    receiver.abort("given up")
    with pytest.raises(Failed, match=r"Aborted"):
        receiver.result("given up")
    assert receiver.digest("kv") == before
    until = time.monotonic() + 10  # the sender says that it has not written to the slot
    while (counts := receiver.counts()["incoming"]) != {"free": 4, "held": 0, "quarantined": 0}:
        assert time.monotonic() < until, counts
        time.sleep(0.01)
    receiver.close()
    sender.close()
