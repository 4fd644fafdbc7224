"""kv_pack, kv_unpack and kv_relayout between the layouts that engines have, against indexing in NumPy.

A layout is the order in memory of layer, plane, block, token, head and element; pages are views of one
array, and every byte of it is compared.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import kvforge

L, H = 3, 4
# Dimensions of pages: L layers, P planes, B blocks, N tokens, H heads, D elements, in memory's order.
PAGED = {
    "vllm LBHNC": "LBHNPD",
    "vllm LBNHC": "LBNHPD",
    "vllm LHBNC": "LHBNPD",
    "vllm BLHNC": "BLHNPD",
    "vllm BLNHC": "BLNHPD",
    "vllm BHLNC": "BHLNPD",
    "vllm LBHNC, keys and values as heads": "LBPNHD",
    "vllm LBNHC, keys and values as heads": "LBNPHD",
    "vllm BHLNC, keys and values as heads": "BPLNHD",
    "lmcache 0": "BLPNHD",
    "lmcache 1": "LPBNHD",
    "lmcache 4, sglang layer_first": "PLBNHD",
    "lmcache 6": "LPBHND",
    "lmcache 7": "LBPHND",
    "lmcache 8": "BLPHND",
    "sglang page_first": "PBNLHD",
    "sglang page_first_direct": "PBLNHD",
    "sglang page_head": "PBHNLD",
    "old values": "PLBHDN",
}
WIRES = ["LKNHC", "KLNHC", "LKHNC", "HLKNC", "GLKNHC"]
DIMENSIONS = "LPBNHD"


@dataclass
class Cache:
    """Pages in some layout, and all of their memory."""

    memory: Any
    views: Any  # [L, P, B, N, H, D]

    @property
    def pages(self) -> list[Any]:
        layers, planes = self.views.shape[:2]
        return [self.views[layer, plane] for plane in range(planes) for layer in range(layers)]


def make(order: str, sizes: dict[str, int], dtype: Any, seed: int, pad: int = 0) -> Cache:
    """A cache of random bytes; `pad` blocks' worth of elements are behind what is within a block."""
    bits = np.random.default_rng(seed)
    shape = [sizes[axis] for axis in order]
    at = order.index("B")
    inner = int(np.prod(shape[at + 1 :]))
    count = int(np.prod(shape[: at + 1])) * (inner + pad)
    memory = np.frombuffer(bits.bytes(count * np.dtype(dtype).itemsize), dtype).copy()
    rows = memory.reshape(*shape[: at + 1], inner + pad)[..., :inner]
    strides = [*rows.strides[:-1]]
    step = memory.itemsize
    tail: list[int] = []
    for size in reversed(shape[at + 1 :]):
        tail.insert(0, step)
        step *= size
    whole = np.lib.stride_tricks.as_strided(rows, shape, [*strides, *tail])
    return Cache(memory, whole.transpose([order.index(axis) for axis in DIMENSIONS]))


def wire_of(tokens: Any, layout: str, block: int, group: int) -> Any:
    """The wire of rows [L, P, T, H, D], by shapes and transposes."""
    layers, planes, count, heads, size = tokens.shape
    blocks = -(-count // block)
    padded = np.zeros((layers, planes, blocks * block, heads, size), tokens.dtype)
    padded[:, :, :count] = tokens
    group = {"G": group, "H": 1}.get(layout[0], heads)
    parts = padded.reshape(layers, planes, blocks, block, heads // group, group, size)
    names = "LKwNGHC"
    wanted = layout if "G" in layout else layout.replace("H", "GH" if layout[0] != "H" else "G")
    order = ["w", *wanted, *(name for name in "GH" if name not in wanted)]
    if "H" not in wanted:  # groups of one head each
        order = ["w", *wanted.replace("C", "HC")]
    moved = parts.transpose([names.index(axis) for axis in order])
    rows = np.ascontiguousarray(moved).reshape(blocks, -1).view(np.uint8)
    whole = np.zeros((blocks, -(-rows.shape[1] // 64) * 64), np.uint8)
    whole[:, : rows.shape[1]] = rows
    flat = np.zeros(-(-whole.size // 1024) * 1024, np.uint8)
    flat[: whole.size] = whole.reshape(-1)
    return flat


def aligned(count: int) -> Any:
    memory = np.full(count + 64, 0xA5, np.uint8)
    start = -memory.ctypes.data % 16
    return memory[start : start + count]


def rows_of(cache: Cache, slots: Any) -> Any:
    """[L, P, T, H, D]: zeros for a negative slot."""
    block = cache.views.shape[3]
    found = cache.views[:, :, slots // block, slots % block].copy()
    found[:, :, slots < 0] = 0
    return found


def put_rows(cache: Cache, slots: Any, rows: Any) -> None:
    block = cache.views.shape[3]
    for token, slot in enumerate(slots):
        if slot >= 0:
            cache.views[:, :, slot // block, slot % block] = rows[:, :, token]


def slots_of(count: int, capacity: int, seed: int) -> Any:
    slots = np.random.default_rng(seed).permutation(capacity)[:count]
    slots[3::7] = -1
    return slots


def check(source: Cache, target: Cache, wire: str, block: int, group: int, seed: int) -> None:
    count = 41
    layers, _, blocks, size = source.views.shape[:4]
    slots = slots_of(count, blocks * size, seed)
    rows = rows_of(source, slots)
    want = wire_of(rows, wire, block, group)
    sent = aligned(want.size)
    before = source.memory.copy()
    kvforge.ops._C_cache_ops.kv_pack(
        source.pages, sent, slots, wire, block, "x", "x", [], None, layers, group
    )
    np.testing.assert_array_equal(sent, want)
    assert (source.memory.view(np.uint8) == before.view(np.uint8)).all()
    blocks, size = target.views.shape[2:4]
    landing = slots_of(count, blocks * size, seed + 1)
    expected = Cache(target.memory.copy(), None)
    expected.views = np.lib.stride_tricks.as_strided(
        expected.memory, target.views.shape, target.views.strides
    )
    shift = target.views.__array_interface__["data"][0] - target.memory.ctypes.data
    assert shift == 0
    put_rows(expected, landing, rows)
    kvforge.ops._C_cache_ops.kv_unpack(
        sent, target.pages, landing, wire, block, "x", "x", None, [], None, layers, group
    )
    np.testing.assert_array_equal(target.memory.view(np.uint8), expected.memory.view(np.uint8))


@pytest.mark.parametrize("source", PAGED)
def test_every_ordered_pair_without_a_wire(source: str) -> None:
    """As by way of a wire, but for tokens that the source does not have: those stay."""
    for number, target in enumerate(PAGED):
        sizes = {"L": L, "P": 2, "B": 9, "N": (1, 7, 16)[number % 3] * 6, "H": H, "D": 16}
        other = {**sizes, "N": (48, 16, 64)[number % 3], "B": 4}
        pages = make(PAGED[source], sizes, np.float16, number, number % 2 * 5)
        others = make(PAGED[target], other, np.float16, number + 50, number % 2 * 5)
        slots = slots_of(41, sizes["B"] * sizes["N"], number)
        landing = slots_of(41, other["B"] * other["N"], number + 1)
        landing[5] = -1
        want = Cache(others.memory.copy(), None)
        want.views = np.lib.stride_tricks.as_strided(
            want.memory, others.views.shape, others.views.strides
        )
        put_rows(want, np.where(slots < 0, -1, landing), rows_of(pages, slots))
        kvforge.ops._C_cache_ops.kv_relayout(
            pages.pages, others.pages, slots, landing, "x", "x", [], [], L
        )
        np.testing.assert_array_equal(others.memory.view(np.uint8), want.memory.view(np.uint8))


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("source", PAGED)
def test_every_ordered_pair(source: str, wire: str) -> None:
    for number, target in enumerate(PAGED):
        sizes = {"L": L, "P": 2, "B": 9, "N": (1, 7, 16)[number % 3] * 6, "H": H, "D": 16}
        other = {**sizes, "N": (48, 16, 64)[number % 3], "B": 4}
        pad = number % 2 * 5
        check(
            make(PAGED[source], sizes, np.float16, 3 * number, pad),
            make(PAGED[target], other, np.float16, 3 * number + 1, pad),
            wire,
            (16, 64, 256, 5)[number % 4],
            (1, 2, 4)[number % 3],
            number,
        )


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(("width", "dtype"), [(576, np.float16), (656, np.uint8), (132, np.uint8)])
def test_one_plane_of_one_head(width: int, dtype: Any, wire: str) -> None:
    """What MLA and the indexer keep of a token; the latter's padded pages too."""
    orders = ["LPBNHD", "BLPNHD", "BNLPHD", "BHLNPD"]
    for number, (source, target) in enumerate(itertools.product(orders, orders)):
        sizes = {"L": L, "P": 1, "B": 9, "N": 6, "H": 1, "D": width}
        check(
            make(source, sizes, dtype, number, number % 3),
            make(target, {**sizes, "N": 16, "B": 4}, dtype, number + 1),
            wire,
            16,
            1,
            number,
        )


@pytest.mark.parametrize("wire", WIRES)
def test_codes_with_their_scales(wire: str) -> None:
    """Planes of two kinds in one row, as Triton's caches have it: codes, f32, codes, f32."""
    size, blocks, block, count = 32, 5, 8, 19
    memories = [
        np.random.default_rng(seed).integers(0, 256, (L, blocks, H, block, 2 * size + 8), np.uint8)
        for seed in range(2)
    ]
    both = []
    for memory in memories:
        turned = memory.transpose(0, 1, 3, 2, 4)
        pages = []
        for first in (0, size + 4):
            pages += [turned[layer][..., first : first + size] for layer in range(L)]
            scales = turned[..., first + size : first + size + 4].view(np.float32)
            pages += [scales[layer] for layer in range(L)]
        both.append(pages)
    slots = slots_of(count, blocks * block, 1)
    landing = slots_of(count, blocks * block, 2)
    row = 2 * size + 8
    wire_bytes = -(-(-(-count // 4) * -(-4 * L * H * row // 64) * 64) // 1024) * 1024
    sent = aligned(wire_bytes)
    want = memories[1].copy()
    kvforge.ops._C_cache_ops.kv_pack(both[0], sent, slots, wire, 4, "x", "x", [], None, L, 2)
    kvforge.ops._C_cache_ops.kv_unpack(
        sent, both[1], landing, wire, 4, "x", "x", None, [], None, L, 2
    )
    for old, new in zip(slots, landing, strict=True):
        if new >= 0:
            held = memories[0][:, old // block, :, old % block] if old >= 0 else 0
            want[:, new // block, :, new % block] = held
    np.testing.assert_array_equal(memories[1], want)


def test_heads_for_other_ranks() -> None:
    """Two senders with half of the heads each, three receivers with a third."""
    heads, size, blocks, block, count = 6, 8, 6, 4, 20
    sizes = {"L": L, "P": 2, "B": blocks, "N": block, "D": size}
    whole = make("LPBNHD", {**sizes, "H": heads}, np.float16, 1)
    receivers = [
        make("BLPHND", {**sizes, "H": 2, "B": 3, "N": 16}, np.float16, 5 + i) for i in range(3)
    ]
    slots, landing = slots_of(count, blocks * block, 1), slots_of(count, 48, 2)
    wants = [receiver.views.copy() for receiver in receivers]
    rows = rows_of(whole, slots)
    for first in range(0, heads, 1):  # head by head: what any two numbers of ranks have in common
        sender, receiver = whole.views[..., first : first + 1, :], receivers[first // 2]
        sent = aligned(4096)
        kvforge.ops._C_cache_ops.kv_pack(
            Cache(None, sender).pages, sent, slots, "LKNHC", 4, "x", "x", [], None, L
        )
        kvforge.ops._C_cache_ops.kv_unpack(
            sent,
            Cache(None, receiver.views[..., first % 2 : first % 2 + 1, :]).pages,
            landing,
            "LKNHC",
            4,
            "x",
            "x",
            None,
            [],
            None,
            L,
        )
        for token, slot in enumerate(landing):
            if slot >= 0:
                wants[first // 2][:, :, slot // 16, slot % 16, first % 2] = rows[:, :, token, first]
    for receiver, want in zip(receivers, wants, strict=True):
        np.testing.assert_array_equal(receiver.views.view(np.uint16), want.view(np.uint16))


def test_old_keys_are_heads_of_a_few_elements() -> None:
    """[blocks, heads, D / x, tokens, x] is a view of heads * D / x heads of x elements."""
    size, x, blocks, block, count = 32, 8, 6, 4, 20
    keys = np.random.default_rng(1).normal(size=(blocks, H, size // x, block, x)).astype(np.float16)
    view = keys.reshape(blocks, H * size // x, block, x).transpose(0, 2, 1, 3)
    target = np.zeros((blocks, block, H, size), np.float16)
    slots = slots_of(count, blocks * block, 3)
    sent = aligned(5 * 1024)
    kvforge.ops._C_cache_ops.kv_pack([view], sent, slots, "LKNHC", 4, "x", "x", [])
    kvforge.ops._C_cache_ops.kv_unpack(
        sent,
        [target.reshape(blocks, block, H * size // x, x)],
        slots,
        "LKNHC",
        4,
        "x",
        "x",
        None,
        [],
    )
    want = np.zeros_like(target)
    for slot in slots[slots >= 0]:
        want[slot // block, slot % block] = keys[slot // block, :, :, slot % block].reshape(H, size)
    np.testing.assert_array_equal(target, want)


def packed(pages: list[Any], slots: Any, layout: str, block: int, group: int = 0) -> Any:
    """The wire, without what rounds it up."""
    layers = len(pages) // 2
    sent = aligned(1 << 18)
    kvforge.ops._C_cache_ops.kv_pack(
        pages, sent, slots, layout, block, "x", "x", [], None, layers, group
    )
    return sent


def test_the_wires_that_others_have() -> None:
    """Blocks of 16 tokens: dynamo's universal block, LMCache's object, SGLang's page of groups of heads."""
    blocks, block, size = 6, 16, 32
    pages = np.random.default_rng(1).normal(size=(2, L, blocks, block, H, size)).astype(np.float16)
    views = [pages[plane, layer] for plane in range(2) for layer in range(L)]
    ids = np.array([4, 0, 3])
    slots = (ids[:, None] * block + np.arange(block)).reshape(-1)
    held = pages[:, :, ids]  # [K, L, B, N, H, D]

    universal = held.transpose(2, 4, 1, 0, 3, 5)  # dynamo: [nh, nl, no, nt, hd] of each block
    sent = packed(views, slots, "HLKNC", block)
    want = np.ascontiguousarray(universal).reshape(-1).view(np.uint8)
    np.testing.assert_array_equal(sent[: want.size], want)

    count = len(slots)
    object_ = held.reshape(2, L, count, H * size)  # LMCache: [2, L, T, heads * size]
    sent = packed(views, slots, "KLNHC", count)
    want = np.ascontiguousarray(object_).reshape(-1).view(np.uint8)
    np.testing.assert_array_equal(sent[: want.size], want)

    groups = 2  # SGLang's page_unified: (pages, G, L, 2, N, H / G, D)
    unified = held.reshape(2, L, len(ids), block, groups, H // groups, size)
    unified = unified.transpose(2, 4, 1, 0, 3, 5, 6)
    sent = packed(views, slots, "GLKNHC", block, H // groups)
    want = np.ascontiguousarray(unified).reshape(-1).view(np.uint8)
    np.testing.assert_array_equal(sent[: want.size], want)


def test_pages_whose_heads_are_in_groups() -> None:
    """SGLang's page_unified as pages: a call for each group of heads, which is a view."""
    pages, groups, block, size, count = 5, 2, 8, 16, 23
    shape = (pages, groups, L, 2, block, H // groups, size)
    source = np.random.default_rng(1).normal(size=shape).astype(np.float16)
    target = np.zeros((2, L, 3, 16, H, size), np.float16)
    slots, landing = slots_of(count, pages * block, 1), slots_of(count, 48, 2)
    want = target.copy()
    for group in range(groups):
        heads = slice(group * H // groups, (group + 1) * H // groups)
        mine = [source[:, group, layer, plane] for plane in range(2) for layer in range(L)]
        theirs = [target[plane, layer][:, :, heads] for plane in range(2) for layer in range(L)]
        kvforge.ops._C_cache_ops.kv_relayout(mine, theirs, slots, landing, "x", "x", [], [], L)
        for old, new in zip(slots, landing, strict=True):
            if old >= 0 and new >= 0:
                rows = source[old // block, group, :, :, old % block]  # [L, K, heads, D]
                want[:, :, new // 16, new % 16, heads] = rows.transpose(1, 0, 2, 3)
    np.testing.assert_array_equal(target.view(np.uint16), want.view(np.uint16))


def test_blocks_that_lie_anywhere() -> None:
    """Dynamo's stack: an address for each block, layer and plane, which is pages of one block each."""
    block, size, count = 8, 16, 3
    stack = [
        [np.random.default_rng(9 * b + c).normal(size=(H, block, size)) for c in range(2 * L)]
        for b in range(count)
    ]
    target = np.zeros((2, L, count, block, H, size))
    for number, cells in enumerate(stack):
        views = [cell.transpose(1, 0, 2)[None] for cell in cells]
        pages = [target[plane, layer] for plane in range(2) for layer in range(L)]
        own = np.arange(block)
        kvforge.ops._C_cache_ops.kv_relayout(
            views, pages, own, number * block + own, "x", "x", [], [], L
        )
    for number, cells in enumerate(stack):
        for cell, rows in enumerate(cells):
            got = target[cell // L, cell % L, number]
            np.testing.assert_array_equal(got, rows.transpose(1, 0, 2))
