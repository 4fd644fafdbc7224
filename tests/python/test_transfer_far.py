"""Pages whose addresses lie more than 2^31 and 2^32 bytes apart, in memory that is not there but where it is
written to: between blocks, tokens, heads, layers or planes."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from conftest import require

require("python", __file__)

from transfer_loopback import Loopback

import kvforge
from kvforge import transfer

LAYERS, PLANES, BLOCKS, TOKENS, HEADS, SIZE, COUNT = 2, 2, 3, 4, 2, 16, 9
SIZES = {
    "layer": LAYERS,
    "plane": PLANES,
    "block": BLOCKS,
    "token": TOKENS,
    "head": HEADS,
}
FAR = (1 << 32) + 64 * 1024  # bytes; 2^31 elements of two bytes and more
ROW = SIZE * 2
NORESERVE = 0x4000  # of Linux; mmap has a name for it from Python 3.12 on


class Far:
    """Pages [layer, plane][block, token, head, element] of which one dimension has a stride of FAR."""

    def __init__(self, dimension: str) -> None:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NORESERVE
        self.memory = mmap.mmap(-1, SIZES[dimension] * FAR, flags=flags)
        stride, strides = ROW, {}
        for name in reversed(SIZES):
            strides[name] = FAR if name == dimension else stride
            stride *= 1 if name == dimension else SIZES[name]
        bits = np.frombuffer(self.memory, np.uint16)
        self.strides = [strides[name] for name in SIZES]
        shape = (*SIZES.values(), SIZE)
        self.views: Any = np.lib.stride_tricks.as_strided(bits, shape, (*self.strides, 2))
        self.bytes: Any = np.frombuffer(self.memory, np.uint8)

    @property
    def pages(self) -> list[Any]:
        return [self.views[layer, plane] for plane in range(PLANES) for layer in range(LAYERS)]

    def strays(self) -> Iterator[Any]:
        """Where a row would lie if its distance from the first one had 31 or 32 bits."""
        indices = np.ndindex(*SIZES.values())
        rows = {sum(i * s for i, s in zip(index, self.strides, strict=True)) for index in indices}
        for at in rows:
            for bits in (31, 32):
                wrapped = at % (1 << bits)
                if not any(abs(wrapped - row) < ROW for row in rows):
                    yield self.bytes[wrapped : wrapped + ROW]


def fill(views: Any) -> None:
    for number, index in enumerate(np.ndindex(*SIZES.values())):
        views[index] = np.arange(SIZE) + SIZE * number + 1


def rows(views: Any, slots: Any) -> Any:
    """[layer, plane, token, head, element]."""
    return np.stack([views[:, :, slot // TOKENS, slot % TOKENS] for slot in slots], 2)


@pytest.mark.parametrize("dimension", SIZES)
def test_ops_on_pages_far_apart(dimension: str) -> None:
    far, near = Far(dimension), np.zeros((*SIZES.values(), SIZE), np.uint16)
    fill(far.views)
    slots = np.random.default_rng(1).permutation(BLOCKS * TOKENS)[:COUNT]
    landing = np.random.default_rng(2).permutation(BLOCKS * TOKENS)[:COUNT]
    pages = [near[layer, plane] for plane in range(PLANES) for layer in range(LAYERS)]
    ops = kvforge.ops._C_cache_ops
    wire = np.zeros(16384 + 16, np.uint8)
    wire = wire[-wire.ctypes.data % 16 :][:16384]
    ops.kv_pack(far.pages, wire, slots, "LKNHC", 4, "x", "x", [], None, LAYERS)
    ops.kv_unpack(wire, pages, landing, "LKNHC", 4, "x", "x", None, [], None, LAYERS)
    np.testing.assert_array_equal(rows(near, landing), rows(far.views, slots))
    back = Far(dimension)
    ops.kv_relayout(pages, back.pages, landing, slots, "x", "x", [], [], LAYERS)
    np.testing.assert_array_equal(rows(back.views, slots), rows(near, landing))
    rest = sorted({*range(BLOCKS * TOKENS)} - {*slots.tolist()})
    assert not rows(back.views, rest).any()
    strays = list(back.strays())
    assert strays and not any(stray.any() for stray in strays)


@pytest.mark.parametrize("dimension", ["layer", "block", "head"])
def test_a_transfer_of_pages_far_apart(dimension: str) -> None:
    source, target, wire = Far(dimension), Far(dimension), Loopback()
    fill(source.views)
    slots = np.random.default_rng(1).permutation(BLOCKS * TOKENS)[:COUNT]
    landing = np.random.default_rng(2).permutation(BLOCKS * TOKENS)[:COUNT]
    names = [f"layer.{layer}" for layer in range(LAYERS)]
    ends = [
        transfer.Endpoint(
            name,
            [transfer.Group("kv", each.pages, layers=names, dtype="float16", wire_block=4)],
            engine=wire,
            slots=2,
            slot_bytes=4096,
        )
        for name, each in (("source", source), ("target", target))
    ]
    with ends[0], ends[1]:
        peer = ends[1].connect(*ends[0].listen())
        ends[0].offer("key", slots)
        ends[1].fetch(peer, "key", landing).result(30)
    np.testing.assert_array_equal(rows(target.views, landing), rows(source.views, slots))
    assert not any(stray.any() for stray in target.strays())
