"""kv_pack, kv_unpack and kv_relayout between the layouts that engines have, against indexing in NumPy.

All caches of a kind hold the same tokens, in blocks of any size and slots in no order, some as heads of a
larger cache, some at odd addresses; some tokens have no slot. So every layout has one right memory after
an unpack or a relayout, whatever the source, and one right wire; all bytes of both are compared.

    KVFORGE_LIBCUDA=... KVF_EMULATOR_HOST_ACCESS=1 python test_kv_transfer.py     in the emulated driver
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from typing import Any

import numpy as np
import pytest
from kv_layouts import KINDS, LAYERS, LAYOUTS, Cache, Kind, Layout
from kv_places import Cpu, Emulated, run_emulated

import kvforge

OPS = kvforge.ops._C_cache_ops
WIRES = ["LKNHC", "KLNHC", "LKHNC", "HLKNC", "GLKNHC"]
WIRE_BLOCKS = (16, 64, 256)
BLOCK_SIZES = (1, 7, 16, 48, 64, 256)
COUNT = 83
CPU = Cpu()


def wire_of(planes: list[Any], layout: str, block: int, group: int) -> Any:
    """The wire of rows [L, T, H, D] of each plane, by transposes, and planes one behind another."""
    outer, inner = layout.split("K")
    parts = []
    for rows in planes:
        layers, count, heads, _ = rows.shape
        inside = group if "G" in layout else heads
        whole = np.ascontiguousarray(rows).view(np.uint8)
        whole = np.pad(whole, [(0, 0), (0, -count % block), (0, 0), (0, 0)])
        whole = whole.reshape(layers, -1, block, heads // inside, inside, whole.shape[3])
        order = ["w", *("" if "G" in layout else "G"), *outer, *inner]
        moved = whole.transpose(["LwNGHC".index(axis) for axis in order])
        outside = int(np.prod([dict(zip("LwNGHC", whole.shape, strict=True))[a] for a in outer]))
        parts.append(moved.reshape(whole.shape[1], outside, -1))
    blocks = np.concatenate(parts, 2).reshape(parts[0].shape[0], -1)
    blocks = np.pad(blocks, [(0, 0), (0, -blocks.shape[1] % 64)])
    return np.pad(blocks.reshape(-1), (0, -blocks.size % 1024))


@functools.cache
def tokens(kind: Kind, count: int) -> list[Any]:
    """Rows of each plane [L, T, H, D], any bits."""
    random = np.random.default_rng(count)
    return [
        np.frombuffer(
            random.bytes(LAYERS * count * kind.heads * size * np.dtype(dtype).itemsize), dtype
        ).reshape(LAYERS, count, kind.heads, size)
        for size, dtype in kind.planes
    ]


def heads_of(rows: list[Any], heads: tuple[int, int]) -> list[Any]:
    return [plane[:, :, slice(*heads)] for plane in rows]


@functools.cache
def wanted_wire(kind: Kind, count: int, layout: str, block: int, heads: tuple[int, int]) -> Any:
    rows = [plane.copy() for plane in heads_of(tokens(kind, count), heads)]
    for plane in rows:
        plane[:, absent(count)] = 0
    return wire_of(rows, layout, block, group_of(heads))


def group_of(heads: tuple[int, int]) -> int:
    return max((heads[1] - heads[0]) // 2, 1)


def absent(count: int) -> Any:
    """Tokens that no source has."""
    return np.arange(3, count, 7)


def unwanted(count: int) -> Any:
    """Tokens that no target takes."""
    return np.arange(5, count, 9)


def slots_of(count: int, capacity: int, seed: int) -> Any:
    """The last slot among them."""
    slots = np.random.default_rng(seed).permutation(capacity)
    slots[slots == capacity - 1] = slots[0]
    slots[0] = capacity - 1
    return slots[:count].copy()


class Source:
    """A cache that has the tokens."""

    def __init__(self, place: Any, cache: Cache, count: int, seed: int) -> None:
        self.cache = cache
        slots = slots_of(count, cache.capacity, seed)
        slots[absent(count)] = -1 - seed
        cache.put(slots, tokens(cache.kind, count))
        self.before = cache.memory.copy()
        self.slots = place.memory(8 * count).view(np.int64)
        self.slots[:] = slots


class Target:
    """A cache that takes them: what it is before, after an unpack, and after a relayout, which leaves
    slots of tokens that the source has not as they are."""

    def __init__(self, place: Any, cache: Cache, count: int, seed: int) -> None:
        self.cache, self.count = cache, count
        self.before = cache.memory.copy()
        slots = slots_of(count, cache.capacity, seed + 100)
        slots[unwanted(count)] = -1
        self.slots = place.memory(8 * count).view(np.int64)
        self.slots[:] = slots
        self.unpacked, self.laid = self.after([]), self.after(absent(count))

    def after(self, left_out: Any) -> Any:
        """All memory once tokens have come, but for these."""
        rows = [plane.copy() for plane in tokens(self.cache.kind, self.count)]
        for plane in rows:
            plane[:, absent(self.count)] = 0
        slots = self.slots.copy()
        slots[np.asarray(left_out, int)] = -1
        self.cache.put(slots, rows)
        found = self.cache.memory.copy()
        self.cache.memory[:] = self.before
        return found


@functools.cache
def side(
    place: Any, role: Any, layout: Layout, kind: Kind, block: int, count: int, seed: int
) -> Any:
    """Each at an address of its own; odd seeds are some heads of more."""
    blocks = -(-count // block) + 1
    shift = (0, 6, 1, 16, 3)[seed % 5]
    first = 2 if seed % 2 and kind.heads > 1 and layout.groups == 1 else 0
    total = kind.heads + first + first // 2
    cache = Cache(layout, kind, block, blocks, place.memory, seed, shift, first, total)
    return role(place, cache, count, seed)


def calls(source: Cache, target: Cache) -> list[tuple[int, int]]:
    """Heads of each call: those that lie in groups are moved a group at a time."""
    return max(source.parts, target.parts, key=len)


def room(place: Any, size: int) -> Any:
    """A wire, and guard bytes behind it."""
    memory = place.memory(size + 40)
    memory[:] = 0xA5
    return memory


def pack(place: Any, source: Source, heads: Any, layout: str, block: int, count: int) -> Any:
    """The wire, once it is what it is to be."""
    want = wanted_wire(source.cache.kind, count, layout, block, heads)
    sent = room(place, want.size)
    pages = [place.tensor(page) for page in source.cache.pages(heads)]
    OPS.kv_pack(
        pages, place.tensor(sent), place.tensor(source.slots), layout, block, "x", "x", [], None,
        LAYERS, group_of(heads),
    )  # fmt: skip
    place.wait()
    np.testing.assert_array_equal(sent[: want.size], want)
    assert (sent[want.size :] == 0xA5).all()
    return sent


def unpack(place: Any, sent: Any, target: Target, heads: Any, layout: str, block: int) -> None:
    pages = [place.tensor(page) for page in target.cache.pages(heads)]
    OPS.kv_unpack(
        place.tensor(sent), pages, place.tensor(target.slots), layout, block, "x", "x", None, [],
        None, LAYERS, group_of(heads),
    )  # fmt: skip


def relayout(place: Any, source: Source, target: Target) -> None:
    for heads in calls(source.cache, target.cache):
        OPS.kv_relayout(
            [place.tensor(page) for page in source.cache.pages(heads)],
            [place.tensor(page) for page in target.cache.pages(heads)],
            *(place.tensor(source.slots), place.tensor(target.slots), "x", "x", [], [], LAYERS),
        )
    place.wait()


def same(target: Target, want: Any, what: object) -> None:
    if not np.array_equal(target.cache.memory, want):
        at = np.flatnonzero(target.cache.memory != want)
        raise AssertionError(f"{what}: {at.size} bytes differ, the first one is byte {at[0]}")
    target.cache.memory[:] = target.before


def check_pairs(place: Any, kind_name: str, source_name: str, targets: Any) -> None:
    """A source to the targets of these positions by way of every wire, and without one."""
    kind, layouts = KINDS[kind_name], LAYOUTS[kind_name]
    i = list(layouts).index(source_name)

    def source_of(at: int) -> Source:
        found = side(place, Source, layouts[source_name], kind, BLOCK_SIZES[at % 6], COUNT, i)
        assert isinstance(found, Source)
        return found

    named = [(j, *list(layouts.items())[j]) for j in targets]
    for w, wire in enumerate(WIRES):
        block, source = WIRE_BLOCKS[(i + w) % 3], source_of(i + w)
        sent: dict[Any, Any] = {}
        for j, name, layout in named:
            target = side(place, Target, layout, kind, BLOCK_SIZES[(j + 2 * i + w) % 6], COUNT, j)
            for heads in calls(source.cache, target.cache):
                if heads not in sent:
                    sent[heads] = pack(place, source, heads, wire, block, COUNT)
                unpack(place, sent[heads], target, heads, wire, block)
            place.wait()
            same(target, target.unpacked, (source_name, name, wire))
        assert np.array_equal(source.cache.memory, source.before)
    for j, name, layout in named:
        source = source_of(i + j // 6)
        target = side(place, Target, layout, kind, BLOCK_SIZES[(j + 2 * i) % 6], COUNT, j)
        relayout(place, source, target)
        same(target, target.laid, (source_name, name))
        assert np.array_equal(source.cache.memory, source.before)


@pytest.mark.parametrize(
    ("kind", "source"), [(kind, source) for kind in KINDS for source in LAYOUTS[kind]]
)
def test_every_ordered_pair(kind: str, source: str) -> None:
    check_pairs(CPU, kind, source, range(len(LAYOUTS[kind])))


def check_sizes(place: Any, most: int) -> None:
    """Elements of a row, tokens, and those of a wire block, in any two layouts."""
    layouts = [layout for layout in LAYOUTS["keys and values"].values() if layout.groups == 1]
    number = 0
    for size, block in itertools.product((1, 16, 64, 96, 128, 576), WIRE_BLOCKS):
        for count in (0, 1, block - 1, block, block + 1, 4097):
            number += 1
            heads = 1 if size * count > 1 << 16 else 4
            if size * count * heads > most:
                continue
            kind = Kind(((size, "u2"),) * 2, heads)
            one, other = (layouts[number * step % len(layouts)] for step in (1, 5))
            sizes = BLOCK_SIZES[number % 6], BLOCK_SIZES[number // 6 % 6]
            source = side.__wrapped__(place, Source, one, kind, sizes[0], count, number)
            target = side.__wrapped__(place, Target, other, kind, sizes[1], count, number + 1)
            what = (size, block, count, sizes)
            wire = WIRES[number % 5]
            if count == 0:
                sent = room(place, 1024)
                unpack(place, sent, target, (0, heads), wire, block)
            else:
                sent = pack(place, source, (0, heads), wire, block, count)
                unpack(place, sent, target, (0, heads), wire, block)
            place.wait()
            same(target, target.unpacked, what)
            relayout(place, source, target)
            same(target, target.laid, what)
            assert np.array_equal(source.cache.memory, source.before)
        wanted_wire.cache_clear()
        tokens.cache_clear()


def test_rows_tokens_and_wire_blocks() -> None:
    check_sizes(CPU, 1 << 40)


def one_too_far(place: Any, slots: Any, at: int, capacity: int, call: Any) -> None:
    """The call with one slot behind the last: refused, or that token is left out and counted once."""
    kept, before = int(slots[at]), place.faults()
    slots[at] = capacity
    if place.refuses:
        with pytest.raises(IndexError, match=f"element {at} is {capacity}"):
            call()
    else:
        call()
    place.wait()
    assert place.faults() - before == (0 if place.refuses else 1)
    slots[at] = kept


def check_out_of_range(place: Any) -> None:
    """The CPU has written nothing then; of what CUDA leaves out the wire has zeros, and pages keep theirs."""
    layout, kind = LAYOUTS["keys and values"]["vllm BLHNC"], KINDS["keys and values"]
    whole = (0, kind.heads)
    source = Source(place, Cache(layout, kind, 16, 7, place.memory, 1), COUNT, 1)
    target = Target(place, Cache(layout, kind, 48, 3, place.memory, 2), COUNT, 2)
    for at in (0, 40, COUNT - 1):
        rows = [plane.copy() for plane in tokens(kind, COUNT)]
        for plane in rows:
            plane[:, [*absent(COUNT), at]] = 0
        want = wire_of(rows, "LKNHC", 16, 1)
        sent = room(place, want.size)

        def packs(sent: Any = sent) -> None:
            pages = [place.tensor(page) for page in source.cache.pages(whole)]
            wire, slots = place.tensor(sent), place.tensor(source.slots)
            OPS.kv_pack(pages, wire, slots, "LKNHC", 16, "x", "x", [], None, LAYERS)

        one_too_far(place, source.slots, at, source.cache.capacity, packs)
        assert (sent[: want.size] == (0xA5 if place.refuses else want)).all()
        assert (sent[want.size :] == 0xA5).all()
        sent[: want.size] = wanted_wire(kind, COUNT, "LKNHC", 16, whole)
        left_out = [*absent(COUNT), at]
        after = (
            [target.before] * 2 if place.refuses else [target.after([at]), target.after(left_out)]
        )
        one_too_far(
            *(place, target.slots, at, target.cache.capacity),
            lambda sent=sent: unpack(place, sent, target, whole, "LKNHC", 16),
        )
        same(target, after[0], at)
        for side in (source, target):
            one_too_far(
                *(place, side.slots, at, side.cache.capacity),
                lambda: relayout(place, source, target),
            )
            same(target, after[1], at)
        assert np.array_equal(source.cache.memory, source.before)


def test_a_slot_out_of_range() -> None:
    check_out_of_range(CPU)


def check_memory(place: Emulated) -> None:
    """More cells than a launch has room for, of which some launches are made: without any memory."""
    layout, kind = LAYOUTS["keys and values"]["vllm BHLNC"], KINDS["keys and values"]
    source = Source(place, Cache(layout, kind, 16, 7, place.memory, 1), COUNT, 1)
    target = Target(place, Cache(layout, kind, 48, 3, place.memory, 2), COUNT, 2)
    whole = (0, kind.heads)
    pages, others = ([place.tensor(p) for p in c.cache.pages(whole)] * 70 for c in (source, target))
    sent = room(place, 1 << 22)
    wire, old, new = (place.tensor(each) for each in (sent, source.slots, target.slots))
    sums = place.tensor(place.memory(8 << 8).view(np.int64))
    how = ("LKNHC", 16, "x", "x")
    for step in (
        contextlib.nullcontext,
        place.without_memory,
    ):  # kernels are loaded by the first calls
        with step():
            OPS.kv_pack(pages, wire, old, *how, [], None, len(pages) // 2)
            OPS.kv_checksum(place.tensor(sent[: 1 << 22]), 16384, sums)
            OPS.kv_unpack(wire, others, new, *how, None, [], None, len(pages) // 2)
            OPS.kv_relayout(pages, others, old, new, "x", "x", [], [], len(pages) // 2)
            place.wait()


def main() -> None:
    """In the emulated driver."""
    place = Emulated()
    check_memory(place)
    for kind, layouts in LAYOUTS.items():
        for i, source in enumerate(layouts):
            check_pairs(place, kind, source, [(i + 5) % len(layouts)])
    check_sizes(place, 1 << 14)
    check_out_of_range(place)
    print("done")


def test_in_the_emulated_driver() -> None:
    said = run_emulated(__file__)
    if said != "done":
        pytest.skip(said)


if __name__ == "__main__":
    main()
