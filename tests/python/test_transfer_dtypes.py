"""Two sides of different dtypes: the narrower one travels, and what arrives is what NumPy makes of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from conftest import require

require("python", __file__)

from transfer_loopback import Loopback

from kvforge import transfer

LAYERS, HEADS, SIZE, COUNT = 2, 4, 16, 90
FLOATS: dict[str, Any] = {
    "float32": np.float32,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
}
CODES: dict[str, Any] = {"fp8_e4m3": ml_dtypes.float8_e4m3fn, "fp8_e5m2": ml_dtypes.float8_e5m2}
ROWS: dict[str, Any] = {"fp8_per_token_head": ml_dtypes.float8_e4m3fn}
STORED = {**FLOATS, **CODES, **ROWS}
PAIRS = [
    pair
    for pair in itertools.permutations(STORED, 2)
    if set(pair) & FLOATS.keys() or set(pair) <= CODES.keys()
]


class Side:
    """Pages of one dtype: memory, [plane, layer, slot, head, element] of it, and scales. `place` puts
    both where they are to be, and `show` is how a group sees parts of them."""

    def __init__(
        self,
        dtype: str,
        block: int,
        blocks: int,
        hnd: bool,
        seed: int,
        place: Callable[[Any], Any] = lambda array: array,
        show: Callable[[Any], Any] = lambda array: array,
    ) -> None:
        self.dtype, random = dtype, np.random.default_rng(seed)
        shape = (2, LAYERS, blocks, block, HEADS, SIZE)
        values = random.normal(size=shape).astype(np.float32)
        memory = values.astype(STORED[dtype])
        if hnd:
            memory = np.ascontiguousarray(memory.swapaxes(3, 4)).swapaxes(3, 4)
        self.pages = memory = place(memory)
        self.scales: list[Any] = []
        if dtype in CODES:
            self.scales = [random.uniform(0.1, 2, (LAYERS, HEADS)).astype(np.float32) for _ in "kv"]
        if dtype in ROWS:
            scales = place(random.uniform(0.1, 2, shape[:-1]).astype(np.float32))
            cells = [(plane, layer) for plane in range(2) for layer in range(LAYERS)]
            self.scales = [show(scales[cell]) for cell in cells]
        bits = memory if dtype in FLOATS else memory.view(np.uint8)
        views = [show(bits[plane, layer]) for plane in range(2) for layer in range(LAYERS)]
        names = ["a", "b"]
        self.group = transfer.Group(
            "kv", views, layers=names, dtype=dtype, page_scales=self.scales, wire_block=32
        )

    def rows(self, slots: Any) -> tuple[Any, Any]:
        """Values as they are stored, and f32 scales of them."""
        block = self.pages.shape[3]
        found = self.pages[:, :, slots // block, slots % block]
        if self.dtype in CODES:
            return found, np.stack(self.scales)[:, :, None, :, None]
        if self.dtype in ROWS:
            whole = np.stack(self.scales).reshape(2, LAYERS, *self.scales[0].shape)
            return found, whole[:, :, slots // block, slots % block, :, None]
        return found, np.float32(1)


def largest(dtype: str) -> Any:
    return np.float32(57344 if dtype == "fp8_e5m2" else 448)


@pytest.mark.parametrize("by_layer", [False, True])
@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_what_arrives(source: str, target: str, by_layer: bool) -> None:
    one, two = Side(source, 16, 9, False, 1), Side(target, 48, 4, True, 2)
    slots = np.random.default_rng(3).permutation(144)[:COUNT]
    landing = np.random.default_rng(4).permutation(192)[:COUNT]
    others = np.setdiff1d(np.arange(192), landing)
    stored, scale = one.rows(slots)
    untouched = two.rows(others)[0].tobytes()
    wire = Loopback()
    with (
        transfer.Endpoint("one", [one.group], engine=wire, slot_bytes=16384) as sender,
        transfer.Endpoint("two", [two.group], engine=wire, slot_bytes=16384) as receiver,
    ):
        peer = receiver.connect(*sender.listen())
        offer = sender.offer("key", slots, by_layer=by_layer)
        fetch = receiver.fetch(peer, "key", landing, by_layer=by_layer)
        for layer in "ab" if by_layer else "":
            offer.ready(layer)
            fetch.wait_for_layer(layer, 20)
        stats = fetch.result()
    got, own = two.rows(landing)
    values = stored.astype(np.float32) * scale
    if target in FLOATS:
        want = values.astype(STORED[target])
    elif target in CODES:
        top = largest(target)
        want = np.clip(values / own, -top, top).astype(STORED[target])
    else:
        top = largest(target)
        made = np.maximum(np.abs(values).max(-1, keepdims=True) / top, np.float32(1e-6))
        np.testing.assert_array_equal(own, made)
        want = np.clip(values * (np.float32(1) / made), -top, top).astype(STORED[target])
    np.testing.assert_array_equal(got.astype(np.float32), want.astype(np.float32))
    assert two.rows(others)[0].tobytes() == untouched
    width = min(np.dtype(STORED[dtype]).itemsize for dtype in (source, target))
    scales = 4 * (target in ROWS or source in ROWS)
    assert stats.bytes == 3 * 32 * LAYERS * 2 * HEADS * (SIZE * width + scales)


def test_scales_of_one_format_that_differ_are_converted() -> None:
    """And equal ones are not: then bits are copied, NaNs too."""
    for seed in (1, 2):
        one, two = Side("fp8_e4m3", 16, 9, False, 1), Side("fp8_e4m3", 48, 4, True, seed)
        slots = np.arange(COUNT)
        one.pages[0, 0, 0, 0, 0, 0] = np.nan
        stored, scale = one.rows(slots)
        wire = Loopback()
        with (
            transfer.Endpoint("one", [one.group], engine=wire) as sender,
            transfer.Endpoint("two", [two.group], engine=wire) as receiver,
        ):
            peer = receiver.connect(*sender.listen())
            sender.offer("key", slots)
            receiver.fetch(peer, "key", slots).result()
        got, own = two.rows(slots)
        if (scale == own).all():
            assert got.tobytes() == stored.tobytes()
        else:
            want = np.clip(stored.astype(np.float32) * scale / own, -448, 448)
            want = want.astype(ml_dtypes.float8_e4m3fn).astype(np.float32)
            np.testing.assert_array_equal(got.astype(np.float32), want)


@pytest.mark.parametrize(
    ("source", "target"), [("fp8_e4m3", "fp8_per_token_head"), ("fp8_per_token_head", "fp8_e5m2")]
)
def test_codes_that_do_not_become_others(source: str, target: str) -> None:
    """It is said when they meet."""
    one, two = Side(source, 16, 9, False, 1), Side(target, 48, 4, True, 2)
    wire = Loopback()
    with (
        transfer.Endpoint("one", [one.group], engine=wire) as sender,
        transfer.Endpoint("two", [two.group], engine=wire) as receiver,
        pytest.raises(transfer.Incompatible, match="which the ops do not convert"),
    ):
        receiver.connect(*sender.listen())


def opaque(name: str, scale: float | None, layers: str = "ab") -> transfer.Group:
    """Rows of bytes, with a scale of the layers, or none."""
    pages = [np.zeros((4, 16, HEADS, 9), np.uint8) for _ in layers]
    scales = [] if scale is None else [[scale] * len(layers)]
    return transfer.Group(name, pages, layers=list(layers), dtype="packed", page_scales=scales)


@pytest.mark.parametrize("other", [0.5, None])
def test_scales_of_opaque_rows_agree(other: float | None) -> None:
    wire, kept = Loopback(), opaque("kv", 0.25)
    with transfer.Endpoint("one", [kept], engine=wire) as sender:
        address = sender.listen()
        with (
            transfer.Endpoint("two", [opaque("kv", other)], engine=wire) as two,
            pytest.raises(transfer.Incompatible, match="scales of packed are others"),
        ):
            two.connect(*address)
        with transfer.Endpoint("three", [opaque("kv", 0.25)], engine=wire) as three:
            kept.pages[1][0, 1, :] = np.arange(HEADS * 9).reshape(HEADS, 9)
            sender.offer("key", [1])
            three.fetch(three.connect(*address), "key", [17]).result()
            found = three._groups["kv"].pages
            assert found[1][1, 1].tobytes() == bytes(range(HEADS * 9)) and not found[0].any()


def test_a_peer_without_the_group_gives_nothing_of_it() -> None:
    """As a stage of a pipeline that has no layer of it."""
    wire = Loopback()
    with (
        transfer.Endpoint(
            "a", [opaque("kv", None, "a"), opaque("window", 1.0, "c")], engine=wire
        ) as a,
        transfer.Endpoint("b", [opaque("kv", None, "b")], engine=wire) as b,
        transfer.Endpoint(
            "all", [opaque("kv", None), opaque("window", 1.0, "c")], engine=wire
        ) as reader,
    ):
        peers = [reader.connect(*each.listen()) for each in (a, b)]
        for sender, group in ((a, "kv"), (b, "kv"), (a, "window")):
            for page in sender._groups[group].pages:
                page[...] = 7
            sender.offer("key", [0], group=group)
        for group in ("kv", "window"):
            reader.fetch(peers, "key", [5], group=group).result()
            for page in reader._groups[group].pages:
                assert (page[0, 5] == 7).all() and page.sum() == 7 * HEADS * 9
        with pytest.raises(transfer.Incompatible, match="head 0 of c is with no peer"):
            reader.fetch(peers[1:], "key", [5], group="window")


def test_more_than_the_ring_of_an_endpoint_that_is_not_told() -> None:
    """64 MiB for each direction, in slots of 2 MiB: one write each, and slots are used again."""
    tokens, wire = 70 << 10, Loopback()
    random = np.random.default_rng(0)
    memory = [random.integers(0, 256, (tokens // 64, 64, 1, 1024), np.uint8) for _ in range(2)]
    groups = [transfer.Group("kv", [each], layers=["a"], dtype="packed") for each in memory]
    with (
        transfer.Endpoint("one", groups[:1], engine=wire) as sender,
        transfer.Endpoint("two", groups[1:], engine=wire) as receiver,
    ):
        whole = {"free": 32, "held": 0, "quarantined": 0}
        assert sender.counts() == receiver.counts() == {"incoming": whole, "outgoing": whole}
        assert receiver._incoming.memory.nbytes == 64 << 20
        order = random.permutation(tokens)
        sender.offer("key", order)
        peer = receiver.connect(*sender.listen())
        stats = receiver.fetch(peer, "key", np.arange(tokens)).result()
    assert (stats.bytes, stats.descriptors) == (70 << 20, 35)
    there, here = (each.reshape(tokens, 1024) for each in memory)
    assert (here == there[order]).all()
