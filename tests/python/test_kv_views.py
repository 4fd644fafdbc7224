"""Views of pages that callers of kv_pack, kv_unpack and kv_relayout make, and wires that others have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_kv_transfer import WIRES, wire_of

import kvforge

OPS = kvforge.ops._C_cache_ops
L, H = 3, 4


def aligned(count: int) -> Any:
    memory = np.full(count + 64, 0xA5, np.uint8)
    start = -memory.ctypes.data % 16
    return memory[start : start + count]


def slots_of(count: int, capacity: int, seed: int) -> Any:
    slots = np.random.default_rng(seed).permutation(capacity)[:count]
    slots[3::7] = -1
    return slots


def test_heads_for_other_ranks() -> None:
    """Two senders with half of the heads each, three receivers with a third."""
    heads, size, count = 6, 8, 20
    senders = np.random.default_rng(1).integers(0, 1 << 16, (2, L, 2, 6, 4, 3, size), np.uint16)
    receivers = np.random.default_rng(2).integers(0, 1 << 16, (3, L, 2, 3, 2, 16, size), np.uint16)
    want = receivers.copy()
    slots, landing = slots_of(count, 24, 1), slots_of(count, 48, 2)
    for head in range(heads):  # what any two numbers of ranks have in common
        sender = senders[head // 3][..., head % 3 : head % 3 + 1, :]
        receiver = receivers[head // 2].transpose(0, 1, 2, 4, 3, 5)[..., head % 2 : head % 2 + 1, :]
        sent = aligned(4096)
        pages, target = ([one[i % L, i // L] for i in range(2 * L)] for one in (sender, receiver))
        OPS.kv_pack(pages, sent, slots, "LKNHC", 4, "x", "x", [], None, L)
        OPS.kv_unpack(sent, target, landing, "LKNHC", 4, "x", "x", None, [], None, L)
        for old, new in zip(slots, landing, strict=True):
            if new >= 0:
                rows = senders[head // 3][:, :, old // 4, old % 4, head % 3] if old >= 0 else 0
                want[head // 2][:, :, new // 16, head % 2, new % 16] = rows
    np.testing.assert_array_equal(receivers, want)


def test_old_keys_are_heads_of_a_few_elements() -> None:
    """[blocks, heads, D / x, tokens, x] is a view of heads * D / x heads of x elements."""
    size, x, blocks, block, count = 32, 8, 6, 4, 20
    keys = np.random.default_rng(1).normal(size=(blocks, H, size // x, block, x)).astype(np.float16)
    view = keys.reshape(blocks, H * size // x, block, x).transpose(0, 2, 1, 3)
    target = np.zeros((blocks, block, H, size), np.float16)
    slots = slots_of(count, blocks * block, 3)
    sent = aligned(5 * 1024)
    OPS.kv_pack([view], sent, slots, "LKNHC", 4, "x", "x", [])
    OPS.kv_unpack(
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
    OPS.kv_pack(pages, sent, slots, layout, block, "x", "x", [], None, layers, group)
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


@pytest.mark.parametrize("axes", ["nt, nh, hd", "nh, nt, hd"])
def test_blocks_that_lie_anywhere(axes: str) -> None:
    """Dynamo's stack: an address for each block, layer and plane, which is pages of one block each. As a
    source and a target of pages, and its universal block by way of a wire."""
    block, size, count, cells = 8, 16, 3, 2 * L
    random = np.random.default_rng(1)
    turn = (0, 1, 2) if axes.startswith("nt") else (1, 0, 2)
    shape = [(block, H, size)[axis] for axis in turn]

    def stack() -> list[list[Any]]:
        return [[random.normal(size=shape) for _ in range(cells)] for _ in range(count)]

    def views(one: list[Any]) -> list[Any]:
        return [cell.transpose(turn)[None] for cell in one]

    source, other = stack(), stack()
    target = np.zeros((2, L, count, block, H, size))
    pages = [target[plane, layer] for plane in range(2) for layer in range(L)]
    own = np.arange(block)
    for number, one in enumerate(source):
        OPS.kv_relayout(views(one), pages, own, number * block + own, "x", "x", [], [], L)
    for number, one in enumerate(source):
        for cell, rows in enumerate(one):
            got = target[cell // L, cell % L, number]
            np.testing.assert_array_equal(got, rows.transpose(turn))
    for number, one in enumerate(other):
        OPS.kv_relayout(pages, views(one), number * block + own, own, "x", "x", [], [], L)
    for one, theirs in zip(source, other, strict=True):
        for mine, got in zip(one, theirs, strict=True):
            np.testing.assert_array_equal(got, mine)
    for layout in WIRES:
        for one, into in zip(source, stack(), strict=True):
            planes = [
                np.stack([cell.transpose(turn) for cell in one[p * L : p * L + L]])
                for p in range(2)
            ]
            want = wire_of(planes, layout, block, 2)
            sent = aligned(want.size)
            OPS.kv_pack(views(one), sent, own, layout, block, "x", "x", [], None, L, 2)
            np.testing.assert_array_equal(sent, want)
            OPS.kv_unpack(sent, views(into), own, layout, block, "x", "x", None, [], None, L, 2)
            for mine, got in zip(one, into, strict=True):
                np.testing.assert_array_equal(got, mine)


@pytest.mark.parametrize("dense", [0, 1, 2])
def test_blocks_of_one_plane_follow_each_other(dense: int) -> None:
    """Tokens in slots behind each other are a run from block to block in one plane of three alone."""
    blocks, block, size = 4, 4, 8

    def cache(seed: int) -> tuple[list[Any], list[Any]]:
        random = np.random.default_rng(seed)
        memories = [
            random.integers(0, 256, (blocks, block + (p != dense), H, size), np.uint8)
            for p in range(3)
        ]
        return memories, [memory[:, :block] for memory in memories]

    _, source = cache(1)
    slots, landing = np.arange(1, 14), np.arange(2, 15)
    rows = [pages.reshape(-1, H, size)[slots] for pages in source]
    for wire in WIRES:
        want = wire_of([plane[None] for plane in rows], wire, 16, 2)
        sent = aligned(want.size)
        OPS.kv_pack(source, sent, slots, wire, 16, "x", "x", [], None, 1, 2)
        np.testing.assert_array_equal(sent, want)
        memories, target = cache(2)
        after, expected = cache(2)
        for pages, plane in zip(expected, rows, strict=True):
            pages[landing // block, landing % block] = plane
        OPS.kv_unpack(sent, target, landing, wire, 16, "x", "x", None, [], None, 1, 2)
        np.testing.assert_array_equal(np.concatenate(memories, 1), np.concatenate(after, 1))
    memories, target = cache(2)
    OPS.kv_relayout(source, target, slots, landing, "x", "x", [], [], 1)
    np.testing.assert_array_equal(np.concatenate(memories, 1), np.concatenate(after, 1))
