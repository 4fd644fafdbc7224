"""What kvforge.transfer does with notes that are not as they should be, over an engine of this test."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import resource
import struct
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from conftest import require

require("python", __file__)

from hypothesis import given
from hypothesis import strategies as st
from transfer_loopback import PATIENCE, Loopback, soon

from kvforge import transfer
from kvforge.transfer import messages, plan
from kvforge.transfer.layout import Plane, Shape, Wire
from kvforge.transfer.ring import Ring

LAYERS, COUNT, SLOTS = 2, 100, 3
LENT = 2  # slots of so many that one who pulls has at a time
FIELDS = {  # of a chunk's note: where, how wide
    "chunks": (20, "I"),
    "group": (24, "B"),
    "layout": (25, "B"),
    "dtype": (26, "B"),
    "first_layer": (28, "H"),
    "layers": (30, "H"),
    "first": (32, "I"),
    "count": (36, "I"),
    "slot": (40, "I"),
    "sums": (44, "I"),  # as many as the bytes ask for
    "generation": (48, "Q"),
    "digest": (56, "Q"),
}


class Pair:
    """A sender and a receiver in this process, in chunks of 32 tokens."""

    def __init__(self, mode: str = "push") -> None:
        self.wire, self.mode = Loopback(), mode
        random = np.random.default_rng(1)
        shape = (2, LAYERS, 10, 16, 2, 8)
        self.source = random.integers(0, 1 << 16, shape, np.uint16)
        self.target = random.integers(0, 1 << 16, shape, np.uint16)
        self.before = self.target.copy()
        self.slots = random.permutation(160)[:COUNT]
        self.landing = random.permutation(160)[:COUNT]
        self.want = self.before.copy()
        flat = (2, LAYERS, 160, 2, 8)
        self.want.reshape(flat)[:, :, self.landing] = self.source.reshape(flat)[:, :, self.slots]
        self.sender = self.endpoint("sender", self.source)
        self.receiver = self.endpoint("receiver", self.target)
        self.address = self.sender.listen()
        self.peer = self.receiver.connect(*self.address)
        self.sender.wait_for_peers(1)

    def endpoint(self, name: str, pages: Any, slots: int = SLOTS) -> transfer.Endpoint:
        views = [pages[plane, layer] for plane in range(2) for layer in range(LAYERS)]
        group = transfer.Group("kv", views, layers=["a", "b"], dtype="float16", wire_block=32)
        options: dict[str, Any] = {"slots": slots, "slot_bytes": 4096, "deadline": PATIENCE}
        return transfer.Endpoint(name, [group], engine=self.wire, **options)

    def run(self, **options: Any) -> transfer.Transfer:
        self.sender.offer("key", self.slots)
        return self.fetch("key", self.landing, **options)

    def fetch(self, key: str, slots: Any, **options: Any) -> transfer.Transfer:
        return self.receiver.fetch(self.peer, key, slots, mode=self.mode, **options)

    def all_free(self) -> bool:
        """Soon: the last notes are on their way."""
        want = {"free": SLOTS, "held": 0, "quarantined": 0}

        def free() -> bool:
            rings = [*self.sender.counts().values(), *self.receiver.counts().values()]
            return all(ring == want for ring in rings)

        return soon(free)


@pytest.fixture(params=messages.MODES)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    found = Pair(request.param)
    yield found
    found.receiver.close()
    found.sender.close()


def test_a_transfer(pair: Pair) -> None:
    stats = pair.run().result()
    np.testing.assert_array_equal(pair.target, pair.want)
    assert (stats.chunks, stats.descriptors, stats.bytes) == (4, 4, 4 * 4096)
    kinds = [pair.wire.kinds.count(kind) for kind in (messages.CHUNK, messages.LENT)]
    assert kinds == ([4, 0] if pair.mode == "push" else [0, 4])
    assert pair.wire.kinds.count(messages.RETURNED) == kinds[1]
    assert pair.all_free()


def test_a_note_that_comes_twice_is_one(pair: Pair) -> None:
    pair.wire.mangle = lambda note: [note, note]
    pair.run().result()
    np.testing.assert_array_equal(pair.target, pair.want)
    assert pair.all_free()


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_is_not_what_was_agreed(pair: Pair, field: str) -> None:
    """The transfer fails with the field's name, and nothing is written."""
    at, kind = FIELDS[field]
    if (pair.mode, field) == ("pull", "generation"):
        pytest.skip("it is the sender's own, and must be later than that of the last chunk")

    def mangle(note: bytes) -> list[bytes]:
        (value,) = struct.unpack_from(f"<{kind}", note, at)
        changed = bytearray(note)
        struct.pack_into(
            f"<{kind}", changed, at, value + {"sums": 16384, "slot": SLOTS}.get(field, 1)
        )
        return [bytes(changed)]

    pair.wire.mangle = mangle
    with pytest.raises(transfer.BadMessage) as caught:
        pair.run().result()
    assert field in caught.value.field
    np.testing.assert_array_equal(pair.target, pair.before)
    assert messages.ACK not in pair.wire.kinds
    assert pair.all_free()


@pytest.mark.parametrize(
    ("mangle", "field"),
    [
        (lambda note: [note[:10]], "bytes"),
        (lambda note: [note[:50]], "bytes"),
        (lambda note: [note[:-3]], "bytes of sums"),
        (lambda note: [note[:-8]], "sums"),
        (lambda note: [b"KVFX" + note[4:]], "magic"),
        (lambda note: [note[:4] + b"\x01" + note[5:]], "version"),
        (lambda note: [note[:6] + b"\x63" + note[7:]], "kind"),
        (lambda note: [note[:-1] + bytes([note[-1] ^ 1])], "digest"),
    ],
)
def test_a_note_that_is_none(pair: Pair, mangle: Any, field: str) -> None:
    """Who sends such a thing is cut off."""
    pair.wire.mangle = mangle
    with pytest.raises(transfer.BadMessage, match=field):
        pair.run().result()
    np.testing.assert_array_equal(pair.target, pair.before)
    assert pair.receiver.peers() == []
    assert pair.all_free()


@pytest.mark.parametrize("chunk", range(4))
def test_bytes_that_are_not_those_that_were_sent(pair: Pair, chunk: int) -> None:
    """A late write to staging: the chunks before have come, this one and those behind have not."""
    ring = pair.receiver._incoming if pair.mode == "push" else pair.sender._exchange.outgoing

    def mangle(note: bytes) -> list[bytes]:
        header, _ = messages.parse_chunk(messages.parse(note))
        if header.chunk == chunk:
            ring.memory[header.slot * 4096 + 3000] ^= 4
        return [note]

    pair.wire.mangle = mangle
    with pytest.raises(transfer.BadMessage, match="units with another sum"):
        pair.run().result()
    flat = (2, LAYERS, 160, 2, 8)
    want = pair.before.copy().reshape(flat)
    came, slots = pair.landing[: 32 * chunk], pair.slots[: 32 * chunk]
    want[:, :, came] = pair.source.reshape(flat)[:, :, slots]
    np.testing.assert_array_equal(pair.target.reshape(flat), want)
    assert pair.all_free()


def test_a_chunk_of_a_transfer_that_was_given_up(pair: Pair) -> None:
    """Its slot is nobody's until its note has come, and its bytes go nowhere."""
    held: list[bytes] = []

    def hold(note: bytes) -> list[bytes]:
        held.append(note)
        return []

    pair.wire.mangle = hold
    fetch = pair.run()
    assert soon(lambda: len(held) == (SLOTS if pair.mode == "push" else LENT))
    fetch.abort()
    with pytest.raises(transfer.Aborted):
        fetch.result()
    assert pair.all_free(), "the sender says that its writes are over"
    link = pair.wire.links[pair.receiver._exchange.peers[pair.peer].link.address()]
    link.notes += held
    time.sleep(0.05)
    np.testing.assert_array_equal(pair.target, pair.before)
    pair.wire.mangle = lambda note: [note]
    pair.run().result()
    np.testing.assert_array_equal(pair.target, pair.want)


@pytest.fixture
def puller() -> Iterator[Pair]:
    found = Pair("pull")
    yield found
    found.receiver.close()
    found.sender.close()


def test_a_read_that_is_late(puller: Pair) -> None:
    """The slot that it goes to is nobody's until it is over, whatever it brings: the sender's slots went
    round at once, and hold chunks of somebody else by then."""
    puller.wire.slow = True
    fetch = puller.run()
    link = puller.wire.links[puller.receiver._exchange.peers[puller.peer].link.address()]
    assert soon(lambda: len(link.reads) == LENT)
    fetch.abort()
    with pytest.raises(transfer.Aborted):
        fetch.result()
    want = {"free": SLOTS, "held": 0, "quarantined": 0}
    assert soon(lambda: puller.sender.counts()["outgoing"] == want)
    late = {"free": SLOTS - LENT, "held": 0, "quarantined": LENT}
    assert puller.receiver.counts()["incoming"] == late
    again = puller.run()
    time.sleep(0.05)
    assert puller.receiver.counts()["incoming"]["quarantined"] == LENT and not again.done()
    puller.wire.slow = False
    again.result()
    np.testing.assert_array_equal(puller.target, puller.want)
    assert puller.all_free()


def test_a_read_that_never_ends(puller: Pair) -> None:
    """The deadline is over, and after another one the link is cut: all slots are back."""
    puller.wire.slow = True
    fetch = puller.run(deadline=0.2)
    with pytest.raises(transfer.DeadlineExceeded):
        fetch.result()
    np.testing.assert_array_equal(puller.target, puller.before)
    puller.receiver._exchange.deadline = 0.5
    assert soon(lambda: not puller.receiver.peers())
    assert puller.all_free()


@pytest.mark.parametrize("older", [0, 1])
def test_a_stale_note_of_what_is_lent(puller: Pair, older: int) -> None:
    """One of an earlier life of its slot is refused before anything is read."""

    def mangle(note: bytes) -> list[bytes]:
        header, sums = messages.parse_chunk(messages.parse(note))
        if header.chunk != 2:
            return [note]
        stale = dataclasses.replace(header, generation=header.generation - 1 - older)
        return [messages.chunk(stale, sums, messages.LENT)]

    puller.wire.mangle = mangle
    with pytest.raises(transfer.BadMessage, match="generation"):
        puller.run().result()
    assert puller.all_free()


def test_bytes_of_another_chunk_that_are_read(puller: Pair) -> None:
    """As where a slot has gone round before it was read: the sums are others."""

    def mangle(note: bytes) -> list[bytes]:
        header, sums = messages.parse_chunk(messages.parse(note))
        other = dataclasses.replace(header, slot=(header.slot + 1) % SLOTS)
        return [messages.chunk(other, sums, messages.LENT)]

    puller.wire.mangle = mangle
    with pytest.raises(transfer.BadMessage, match="units with another sum"):
        puller.run().result()
    np.testing.assert_array_equal(puller.target, puller.before)
    assert puller.all_free()


def test_who_pushes_does_not_lend(pair: Pair) -> None:
    """Each of the two modes refuses the other's note."""
    other = {"push": messages.LENT, "pull": messages.CHUNK}[pair.mode]
    pair.wire.mangle = lambda note: [note[:6] + struct.pack("<H", other) + note[8:]]
    with pytest.raises(transfer.BadMessage, match="lent"):
        pair.run().result()
    np.testing.assert_array_equal(pair.target, pair.before)


def test_a_note_frees_no_slot_that_a_read_still_goes_to(puller: Pair) -> None:
    """Both rings count slots and generations, and the same may be in quarantine here; and a credit that
    comes back unused may be of a slot that has been read into in the place of another."""
    puller.wire.slow = True
    fetch = puller.run()
    link = puller.receiver._exchange.peers[puller.peer].link
    assert soon(lambda: len(puller.wire.links[link.address()].reads) == LENT)
    [receiving] = [each.receiving for each in puller.receiver._exchange.fetches]
    [stream] = receiving.streams
    slots = [read.slot for read in stream.reading.values()]
    fetch.abort()
    header = messages.Header(7, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1024, 0, 0)
    sums = np.zeros(1, np.int64)
    header = dataclasses.replace(header, digest=messages.digest(sums))
    for slot in slots:
        same = dataclasses.replace(header, slot=slot.slot, generation=slot.generation)
        puller.wire.links[link.address()].notes += [
            messages.chunk(same, sums, messages.LENT),
            messages.chunk(same, sums),
            messages.with_slots(messages.RETURNED, stream.number, [slot]),
            messages.with_slots(messages.DRAINED, stream.number, [slot]),
        ]
    time.sleep(0.05)
    assert puller.receiver.counts()["incoming"]["quarantined"] == LENT
    puller.wire.slow = False
    assert puller.all_free()


def test_a_credit_that_comes_back_is_as_any_other(puller: Pair) -> None:
    """Where the slot that it names has been read into, another one goes back."""
    puller.wire.slow = True
    fetch = puller.run()
    link = puller.receiver._exchange.peers[puller.peer].link
    assert soon(lambda: len(puller.wire.links[link.address()].reads) == LENT)
    [stream] = puller.receiver._exchange.fetches[0].receiving.streams
    [left] = stream.granted.values()
    read = next(iter(stream.reading.values())).slot
    note = messages.with_slots(messages.DRAINED, stream.number, [read])
    puller.wire.links[link.address()].notes.append(note)
    want = {"free": SLOTS - LENT, "held": LENT, "quarantined": 0}
    assert soon(lambda: puller.receiver.counts()["incoming"] == want), left
    fetch.abort()
    puller.wire.slow = False
    assert puller.all_free()


def test_all_at_once_from_a_smaller_ring(puller: Pair) -> None:
    """What has been read goes round at the sender, though nothing is unpacked before all is there."""
    small = puller.endpoint("small", puller.source, slots=1)
    large = puller.endpoint("large", puller.target, slots=4)
    with small, large:
        peer = large.connect(*small.listen())
        small.offer("key", puller.slots)
        large.fetch(peer, "key", puller.landing, atomic=True, mode="pull").result()
    np.testing.assert_array_equal(puller.target, puller.want)


@pytest.fixture
def readers(puller: Pair) -> Iterator[list[tuple[transfer.Endpoint, str, Any]]]:
    """Three more endpoints that know the sender, its name, and their pages."""
    found = []
    for number in range(3):
        pages = puller.before.copy()
        endpoint = puller.endpoint(f"reader {number}", pages)
        found.append((endpoint, endpoint.connect(*puller.address), pages))
    yield found
    for endpoint, _, _ in found:
        endpoint.close()


def test_a_store_with_many_readers(puller: Pair, readers: Any) -> None:
    """All have it, in turns, of a ring that has fewer slots than there are readers; it is the store's to
    keep until they have said that they are through."""
    store = puller.endpoint("store", puller.source, slots=2)
    with store:
        address = store.listen()
        found = store.offer("key", puller.slots, readers=None)
        for _ in range(3):
            lent: list[int] = []

            def mangle(note: bytes, lent: list[int] = lent) -> list[bytes]:
                lent.append(messages.parse(note).transfer)
                return [note]

            puller.wire.mangle = mangle
            peers = [endpoint.connect(*address) for endpoint, _, _ in readers]
            fetches = []
            for (endpoint, _, pages), peer in zip(readers, peers, strict=True):
                pages[:] = puller.before
                fetches.append(endpoint.fetch(peer, "key", puller.landing, mode="pull"))
            for fetch, (_, _, pages) in zip(fetches, readers, strict=True):
                assert fetch.result().chunks == 4
                np.testing.assert_array_equal(pages, puller.want)
            assert len(lent) == 12
        assert not found.done()
        for (endpoint, _, _), peer in zip(readers, peers, strict=True):
            endpoint.release(peer, "key", 3)
        assert found.result(PATIENCE).chunks == 36


def test_a_reader_that_stands_still_leaves_slots_to_others(puller: Pair, readers: Any) -> None:
    slow, peer, _ = readers[0]
    puller.sender.offer("key", puller.slots, readers=None)
    puller.wire.links[slow._exchange.peers[peer].link.address()].slow = True
    late = slow.fetch(peer, "key", puller.landing, mode="pull")
    assert soon(lambda: puller.sender.counts()["outgoing"]["held"] == LENT)
    for endpoint, peer, pages in readers[1:]:
        endpoint.fetch(peer, "key", puller.landing, mode="pull").result(PATIENCE)
        np.testing.assert_array_equal(pages, puller.want)
    assert not late.done()
    late.abort()


def test_slots_that_come_back_are_not_always_the_same_readers(puller: Pair, readers: Any) -> None:
    """One slot, and two that are ready for it: who had it last waits for the other."""
    store = puller.endpoint("store", puller.source, slots=1)
    lent: list[int] = []

    def mangle(note: bytes) -> list[bytes]:
        lent.append(messages.parse(note).transfer)
        return [note]

    with store:
        address = store.listen()
        puller.wire.mangle = mangle
        two = [(endpoint, endpoint.connect(*address)) for endpoint, _, _ in readers[:2]]
        fetches = [
            endpoint.fetch(peer, "key", puller.landing, mode="pull") for endpoint, peer in two
        ]
        puller.wire.slow = True
        store.offer("key", puller.slots, readers=2)

        def ready() -> bool:
            peers = store._exchange.peers.values()
            waiting = [
                sending._credits for peer in list(peers) for sending in peer.sendings.values()
            ]
            return len(lent) == 1 and len(waiting) == 2 and all(waiting)

        assert soon(ready)
        puller.wire.slow = False
        for fetch in fetches:
            fetch.result()
    assert len(lent) == 8
    assert lent[0] != lent[1]


def test_a_mode_is_one_of_two(pair: Pair) -> None:
    with pytest.raises(ValueError, match=r"mode: got fetch, want one of \('push', 'pull'\)"):
        pair.receiver.fetch(pair.peer, "key", [], mode="fetch")
    body = json.dumps(["key", 4096, {}, "fetch"]).encode()
    with pytest.raises(transfer.BadMessage, match="want: mode"):
        messages.parse_want(body)


def test_all_or_nothing(pair: Pair) -> None:
    """A chunk that fails leaves what came before it as it was, too."""
    seen: list[int] = []

    def mangle(note: bytes) -> list[bytes]:
        seen.append(1)
        return [note[:-1] + bytes([note[-1] ^ 1])] if len(seen) == 3 else [note]

    pair.wire.mangle = mangle
    pair.sender.offer("key", pair.slots)
    fetch = pair.fetch("key", pair.landing[:96], atomic=True)
    with pytest.raises(transfer.BadMessage):
        fetch.result()
    np.testing.assert_array_equal(pair.target, pair.before)


def test_release_is_called_once_the_pages_are_free(pair: Pair) -> None:
    released: list[transfer.Transfer] = []
    offer = pair.sender.offer("key", pair.slots, readers=2, release=released.append)
    for _ in range(2):
        assert not released
        pair.fetch("key", pair.landing).result()
    offer.result()
    assert released == [offer]


def test_an_empty_transfer(pair: Pair) -> None:
    assert pair.fetch("key", []).result().chunks == 0


def test_awaited(pair: Pair) -> None:
    import asyncio

    async def both() -> None:
        await pair.run()

    asyncio.run(both())
    np.testing.assert_array_equal(pair.target, pair.want)


def test_many_transfers_keep_nothing(pair: Pair) -> None:
    def some(count: int) -> int:
        for _ in range(count):
            offer = pair.sender.offer("key", pair.slots[:40])
            pair.fetch("key", pair.landing[:40]).result()
            offer.result()
        gc.collect()
        return len(gc.get_objects())

    before, peak = some(50), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    after = some(500)
    assert after < before + 200
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < peak + 8192
    assert pair.all_free()


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_note_or_refused(data: bytes, known: bool) -> None:
    if known:
        data = messages.MAGIC + struct.pack("<H", messages.VERSION) + data
    try:
        note = messages.parse(data)
    except transfer.BadMessage:
        return
    for parse in (messages.parse_want, messages.parse_slots):
        with contextlib.suppress(transfer.BadMessage):
            parse(note.body)
    with contextlib.suppress(transfer.BadMessage):
        messages.parse_chunk(note)


SHAPE = Shape("kv", "m", ("a", "b", "c"), (Plane(16, 2),) * 2, "float16", 16, 8, (0, 8))


@given(
    *(st.integers(1, 9), st.integers(1, 8), st.integers(0, 500), st.integers(1, 300)),
    st.integers(0, 10),
)
def test_chunks_are_all_of_it_once(
    layers: int, heads: int, count: int, block: int, by_layer: int
) -> None:
    names = tuple(map(str, range(layers)))
    part = plan.Part("kv", names, (0, heads), 0, count, "LKNHC", block, 0, by_layer)
    limit = -(-block * heads * 64 // 1024) * 1024 * 2
    seen = np.zeros((layers, count), int)
    found = plan.chunks(part, 64, limit)
    order = [(c.first_layer, c.first) if by_layer else (c.first, c.first_layer) for c in found]
    assert order == sorted(order)
    assert not by_layer or all(chunk.layers <= by_layer for chunk in found)
    for number, chunk in enumerate(found):
        assert chunk.number == number
        assert chunk.bytes <= limit
        assert chunk.bytes % 1024 == 0
        end = chunk.first_layer + chunk.layers
        seen[chunk.first_layer : end, chunk.first : chunk.first + chunk.count] += 1
    assert (seen == 1).all()


def test_the_narrower_dtype_travels() -> None:
    from dataclasses import replace

    scales = (((1.0,) * 8,) * 3,) * 2
    one = (Plane(16, 1),) * 2
    static = replace(SHAPE, dtype="fp8_e4m3", planes=one, scales=scales)
    dynamic = replace(SHAPE, dtype="fp8_per_token_head", planes=one)
    wide = replace(SHAPE, dtype="float32", planes=(Plane(16, 4),) * 2)
    other = replace(static, scales=(((2.0,) * 8,) * 3,) * 2)
    found = {
        (sender.dtype, receiver.dtype, number): Wire.between(sender, receiver)
        for number, (sender, receiver) in enumerate(
            [
                *((SHAPE, static), (static, SHAPE), (wide, SHAPE), (SHAPE, dynamic)),
                *((dynamic, wide), (static, static), (static, other)),
                (SHAPE, replace(SHAPE, dtype="bfloat16")),
            ]
        )
    }
    assert [
        (wire.dtype, wire.row_bytes, wire.sender_converts, wire.receiver_converts)
        for wire in found.values()
    ] == [
        ("fp8_e4m3", 32, True, False),
        ("fp8_e4m3", 32, False, True),
        ("float16", 64, True, False),
        ("fp8_per_token_head", 40, True, False),
        ("fp8_per_token_head", 40, False, True),
        ("fp8_e4m3", 32, False, False),
        ("fp8_e4m3", 32, False, True),
        ("float16", 64, False, True),
    ]
    heads = replace(static, heads=(2, 4), scales=(((1.0, 3.0),) * 3,) * 2)
    cut = Wire.between(SHAPE, heads).scales(("c", "a"), (3, 4))
    np.testing.assert_array_equal(cut, np.full((2, 2, 1), 3, np.float32))


def test_slots_of_blocks() -> None:
    np.testing.assert_array_equal(transfer.slots([5, 2, 9], 4, 3, 6), [23, 8, 9, 10, 11, 36])
    assert transfer.slots([1], 4).tolist() == [4, 5, 6, 7]
    with pytest.raises(ValueError, match="tokens 3 to 9 of 2 blocks of 4"):
        transfer.slots([1, 2], 4, 3, 6)


def test_a_ring_has_generations_and_quarantine() -> None:
    ring, owner = Ring(2, 1024), object()
    first, second = ring.take(), ring.take()
    assert first and second and ring.take() is None
    ring.quarantine(first, owner)
    ring.give_back(first)  # it is not held any more
    assert ring.counts == {"free": 0, "held": 1, "quarantined": 1}
    ring.drained(first, object())
    ring.drained(messages.Slot(first.slot, first.generation + 1), owner)
    assert ring.counts["quarantined"] == 1
    ring.drained(first, owner)
    again = ring.take()
    assert again and again.slot == first.slot and again.generation > first.generation
    ring.quarantine(again, owner)
    ring.closed(owner)
    ring.give_back(second)
    assert ring.counts == {"free": 2, "held": 0, "quarantined": 0}
    latest = ring.take()
    assert latest and latest.slot == second.slot


def offer(pair: Pair, **options: Any) -> tuple[transfer.Transfer, list[str]]:
    """An offer whose readers say when they are through, and what it releases."""
    released: list[str] = []
    found = pair.sender.offer(
        *("key", pair.slots),
        readers=None,
        release=lambda each: released.append(each.key),
        **options,
    )
    return found, released


def test_readers_say_when_they_are_through(pair: Pair) -> None:
    """An offer outlives any number of fetches, and ends when each of its readers has said so."""
    second = pair.endpoint("second", pair.target)
    try:
        second_peer = second.connect(*pair.sender.listen())
        found, released = offer(pair)
        for _ in range(2):
            pair.fetch("key", pair.landing).result()
        for _ in range(2):  # the same reader twice is one
            pair.receiver.release(pair.peer, "key", 2)
        time.sleep(0.05)
        assert not found.done() and not released
        second.release(second_peer, "key", 2)
        assert found.result(PATIENCE).chunks == 8
        assert released == ["key"]
        np.testing.assert_array_equal(pair.target, pair.want)
    finally:
        second.close()


def test_who_is_through_before_the_offer_came(pair: Pair) -> None:
    pair.receiver.release(pair.peer, "key", 1)
    pair.receiver.release(pair.peer, "another", 1)
    time.sleep(0.05)
    found, released = offer(pair)
    assert found.result(PATIENCE).bytes == 0 and released == ["key"]
    pair.receiver.release("nobody", "key")  # a peer that is not there is none the wiser


def test_an_offer_lives_as_long_as_it_is_renewed(pair: Pair) -> None:
    """Its deadline counts anew each time; without that it is over."""
    found, released = offer(pair, deadline=0.4)
    for _ in range(10):
        pair.receiver.renew(pair.peer, "key")
        time.sleep(0.1)
    assert not found.done()
    with pytest.raises(transfer.DeadlineExceeded):
        found.result(PATIENCE)
    assert released == ["key"]


@pytest.mark.parametrize("body", [b"", b'["key"]', b"[1, 1]", b'["key", -1]', b'["key", true]'])
def test_a_release_that_is_none(pair: Pair, body: bytes) -> None:
    """Who sends such a thing is cut off."""
    for kind in (messages.RELEASE, messages.RENEW):
        with pytest.raises(transfer.BadMessage, match="release"):
            messages.parse_key(messages.parse(messages.note(kind, 0, body)).body)
    pair.wire.links[pair.sender._exchange.peers[pair.receiver.name].link.address()].notes.append(
        messages.note(messages.RELEASE, 0, body)
    )
    assert soon(lambda: not pair.sender.peers())


def test_slots_for_what_is_not_offered_yet_come_back(pair: Pair) -> None:
    """Others have them meanwhile; once it is offered they are granted anew."""
    early = pair.fetch("later", pair.landing)
    assert pair.all_free()
    assert pair.wire.kinds.count(messages.DRAINED) == 1
    pair.run().result()
    assert not early.done()
    pair.target[:] = pair.before
    pair.sender.offer("later", pair.slots)
    early.result()
    np.testing.assert_array_equal(pair.target, pair.want)
    assert pair.all_free()


def test_what_is_offered_is_sent_without_being_asked_twice(pair: Pair) -> None:
    """Want and credit go together, and the next note is the first chunk or that it is there."""
    pair.sender.offer("key", pair.slots)
    pair.wire.kinds.clear()
    pair.fetch("key", pair.landing).result()
    kinds = [kind for kind in pair.wire.kinds if kind != messages.PING]
    assert kinds[:2] == [messages.WANT, messages.CREDIT]
    assert messages.DRAINED not in kinds
