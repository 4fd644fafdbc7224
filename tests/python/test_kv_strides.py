"""kv_pack, kv_unpack and kv_relayout on pages of any strides, against indexing in NumPy.

Axes of pages lie in any order, forwards or backwards, with any gaps, at any address; elements are of any
size, and a source may have the same memory at several places. All memory is compared, what is in gaps and
around the pages too.

    python test_kv_strides.py 10000                                              so many examples of each
    KVFORGE_LIBCUDA=... KVF_EMULATOR_HOST_ACCESS=1 python test_kv_strides.py     in the emulated driver
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kv_places import Cpu, Emulated, run_emulated
from test_kv_conversions import CODES, FLOATS, PAIRS, ROWS, Side, dtype_of, stored, values
from test_kv_transfer import WIRES, room, wire_of

import kvforge

OPS = kvforge.ops._C_cache_ops
AXES = "LPBNHD"


@dataclass(frozen=True)
class Strides:
    """How axes lie: the innermost first, and gaps in elements behind what is within each."""

    order: tuple[str, ...]
    gaps: tuple[int, ...]
    backwards: frozenset[str]
    repeated: frozenset[str]
    shift: int  # bytes, or elements of what is converted

    def view(self, place: Any, sizes: dict[str, int], dtype: Any, seed: int) -> tuple[Any, Any]:
        """Random memory, and [L, P, B, N, H, D] in it."""
        bytes_ = np.dtype(dtype).itemsize
        steps, extent, first = {}, 1, 0
        for axis, gap in zip(self.order, self.gaps, strict=True):
            step, last = extent + gap, max(sizes[axis] - 1, 0)
            if axis in self.repeated:
                step = 0
            steps[axis] = -step if axis in self.backwards else step
            first += last * step if axis in self.backwards else 0
            extent += last * step
        memory = place.memory(self.shift + extent * bytes_ + 32)
        memory[:] = np.random.default_rng(seed).integers(0, 256, memory.size, np.uint8)
        shape = [sizes[axis] for axis in AXES]
        strides = [steps[axis] * bytes_ for axis in AXES]
        at = self.shift + first * bytes_
        return memory, np.ndarray(shape, dtype, memory, at, strides)


@st.composite
def strides(draw: st.DrawFn, repeats: bool = False, unit: int = 1) -> Strides:
    none: st.SearchStrategy[frozenset[str]] = st.just(frozenset())
    axes = st.one_of(none, st.frozensets(st.sampled_from(AXES), max_size=3))
    order = draw(st.one_of(st.just(tuple("DHNBPL")), st.permutations(AXES)))
    any_gaps = st.lists(st.sampled_from([0, 0, 1, 3, 8]), min_size=6, max_size=6)
    gaps = draw(st.one_of(st.just([0] * 6), any_gaps))
    repeated = draw(axes) if repeats else frozenset()
    shift = draw(st.sampled_from([0, 0, 1, 2, 6, 16])) * unit
    return Strides(tuple(order), tuple(gaps), draw(axes), repeated, shift)


@st.composite
def tokens(draw: st.DrawFn) -> tuple[dict[str, int], dict[str, int], Any, Any]:
    """Sizes of both sides but for planes and elements, and slots, of which those of the target differ."""
    both = {"L": draw(st.integers(1, 3)), "H": draw(st.integers(1, 4))}
    source, target = (
        {**both, "B": draw(st.integers(1, 4)), "N": draw(st.sampled_from([1, 2, 3, 4, 7, 16]))}
        for _ in range(2)
    )
    room = [side["B"] * side["N"] for side in (source, target)]
    count = draw(st.integers(0, min(room[1], 20)))
    first = draw(st.integers(0, room[0] - 1))
    slots = draw(
        st.one_of(
            st.lists(st.integers(-2, room[0] - 1), min_size=count, max_size=count),
            st.just([(first + i) % room[0] for i in range(count)]),
        )
    )
    start = draw(st.integers(0, room[1] - count))
    landing = draw(
        st.one_of(st.permutations(range(room[1])), st.just(range(start, start + count)))
    )[:count]
    gone = draw(st.frozensets(st.integers(0, 19), max_size=4))
    return source, target, slots, [-1 if i in gone else slot for i, slot in enumerate(landing)]


def indices(place: Any, draw: Any, numbers: list[int]) -> tuple[Any, Any]:
    """A tensor of slots, of either dtype and with any stride; and their array."""
    step, dtype = draw(st.sampled_from([1, 1, 2, -1])), draw(st.sampled_from(["i8", "i8", "i4"]))
    memory = place.memory(max(2 * len(numbers), 1) * np.dtype(dtype).itemsize).view(dtype)
    memory[:] = 1 << 30
    found = memory[: len(numbers) * abs(step)][::step]
    found[:] = numbers
    return place.tensor(found), np.array(numbers, np.int64)


def cells(place: Any, views: Any) -> list[Any]:
    """[L, P, ...] as the ops take it."""
    return [place.tensor(views[i, p]) for p in range(views.shape[1]) for i in range(len(views))]


def rows_in(views: Any, slots: Any) -> Any:
    """[L, P, T, H, ...]: zeros for a negative slot."""
    block, there = views.shape[3], np.maximum(slots, 0)
    found = views[:, :, there // block, there % block].copy()
    found.view(np.uint8)[:, :, slots < 0] = 0
    return found


def put(views: Any, slots: Any, rows: Any) -> None:
    here, block = slots >= 0, views.shape[3]
    views[:, :, slots[here] // block, slots[here] % block] = rows[:, :, here]


def written(memories: list[Any], write: Callable[[], None]) -> list[Any]:
    """What memories are to be, which stay as they are."""
    before = [memory.copy() for memory in memories]
    write()
    found = [memory.copy() for memory in memories]
    for memory, old in zip(memories, before, strict=True):
        memory[:] = old
    return found


def same(memories: list[Any], want: list[Any]) -> None:
    for memory, right in zip(memories, want, strict=True):
        np.testing.assert_array_equal(memory, right)


@dataclass
class Wire:
    layout: str
    block: int
    group: int


def wires(draw: Any, heads: int) -> Wire:
    groups = [n for n in range(1, heads + 1) if heads % n == 0]
    layout, block = draw(st.sampled_from(WIRES)), draw(st.sampled_from([1, 3, 8, 16]))
    return Wire(layout, block, draw(st.sampled_from(groups)))


def wanted(planes: list[Any], wire: Wire) -> Any:
    """No bytes at all where there are no tokens."""
    if not planes[0].shape[1]:
        return np.zeros(0, np.uint8)
    return wire_of(planes, wire.layout, wire.block, wire.group)


def check_bits(place: Any, data: st.DataObject) -> None:
    """Planes of different elements and strides, copied as they are."""
    draw = data.draw
    source, target, slots, landing = draw(tokens())
    memories: list[list[Any]] = [[], []]
    views: list[list[Any]] = [[], []]
    for seed in range(draw(st.integers(1, 2))):
        size = {"P": draw(st.integers(1, 2)), "D": draw(st.sampled_from([1, 2, 3, 5, 8, 16, 40]))}
        dtype = draw(st.sampled_from(["u1", "u2", "V3", "u4", "u8", "V16"]))
        for which, mine in enumerate((source, target)):
            lies = draw(strides(repeats=which == 0))
            memory, view = lies.view(place, {**mine, **size}, dtype, 2 * seed + which)
            memories[which].append(memory)
            views[which].append(view)
    pages, others = ([cell for view in side for cell in cells(place, view)] for side in views)
    old, slots = indices(place, draw, slots)
    new, landing = indices(place, draw, landing)
    rows = [rows_in(view, slots) for view in views[0]]
    wire, layers = wires(draw, source["H"]), source["L"]
    want = wanted([each[:, p] for each in rows for p in range(each.shape[1])], wire)
    before = [memory.copy() for memory in memories[0]]

    def all_rows(to: Any) -> None:
        for view, each in zip(views[1], rows, strict=True):
            put(view, to, each)

    unpacked = written(memories[1], lambda: all_rows(landing))
    laid = written(memories[1], lambda: all_rows(np.where(slots < 0, -1, landing)))

    def compare(call: Callable[[], object], after: list[Any]) -> None:
        start = [memory.copy() for memory in memories[1]]
        call()
        place.wait()
        same(memories[1], after)
        same(memories[0], before)
        for memory, was in zip(memories[1], start, strict=True):
            memory[:] = was

    sent = room(place, want.size)
    sums = place.tensor(sent)
    how = (wire.layout, wire.block, "x", "x")
    OPS.kv_pack(pages, sums, old, *how, [], None, layers, wire.group)
    place.wait()
    np.testing.assert_array_equal(sent, np.append(want, np.full(40, 0xA5, np.uint8)))
    compare(
        lambda: OPS.kv_unpack(sums, others, new, *how, None, [], None, layers, wire.group), unpacked
    )
    compare(lambda: OPS.kv_relayout(pages, others, old, new, "x", "x", [], [], layers), laid)


def check_conversions(place: Any, data: st.DataObject) -> None:
    """Elements, and scales of rows, of any strides, between dtypes."""
    draw = data.draw
    word, to = draw(st.sampled_from(PAIRS))
    source, target, slots, landing = draw(tokens())
    size = {"P": draw(st.integers(1, 2)), "D": draw(st.sampled_from([1, 3, 8, 16, 24]))}
    sides, memories = [], []
    for which, (name, mine) in enumerate(((word, source), (to, target))):
        dtype = dtype_of(name)
        unit = dtype.itemsize
        lies = draw(strides(repeats=which == 0, unit=unit))
        memory, view = lies.view(place, {**mine, **size}, dtype, which)
        normal = np.random.default_rng(which).normal(size=view.shape)
        if name in FLOATS and not lies.repeated:
            view[...] = np.where(normal < 1, normal, view.astype(float)).astype(dtype)
        known = scales = None
        held = [memory]
        if name in ROWS:
            lies = draw(strides(repeats=which == 0, unit=4))
            memory, scales = lies.view(place, {**mine, **size, "D": 1}, np.float32, which)
            scales = scales[..., 0]
            scales[...] = np.random.default_rng(which).uniform(0.001, 1, scales.shape)
            held.append(memory)
        elif name in CODES:
            shape = (size["P"], mine["L"], mine["H"])
            known = place.memory(4 * int(np.prod(shape))).view(np.float32).reshape(shape)
            known[...] = np.random.default_rng(which).uniform(0.01, 2, shape)
        sides.append(Side(name, view, None, known, scales))
        memories.append(held)
    ours, theirs = sides
    layers, heads = source["L"], source["H"]
    old, slots = indices(place, draw, slots)
    new, landing = indices(place, draw, landing)
    pages, others = (cells(place, side.views) for side in sides)
    mine_scales, their_scales = ([place.tensor(each) for each in side.arguments] for side in sides)
    before = [memory.copy() for memory in memories[0]]
    start = [memory.copy() for memory in memories[1]]
    here = np.where(slots < 0, -1, landing)
    laid = written(memories[1], lambda: theirs.put(here, ours.rows(np.maximum(slots, 0))))
    OPS.kv_relayout(
        pages, others, old, new, word, to, mine_scales, their_scales, layers,
    )  # fmt: skip
    place.wait()
    same(memories[1], laid)
    same(memories[0], before)

    wire = wires(draw, heads)
    how = (wire.layout, wire.block)
    known = [None if each.known is None else each.scale_of(np.maximum(slots, 0)) for each in sides]
    planes = on_wire(*stored(ours.rows(np.maximum(slots, 0)), to, known[1]), slots)
    want = wanted(planes, wire)
    sent = room(place, want.size)
    sums = place.tensor(sent)
    given = [None if each.known is None else place.tensor(each.known) for each in sides]
    OPS.kv_pack(pages, sums, old, *how, word, to, mine_scales, given[1], layers, wire.group)
    place.wait()
    np.testing.assert_array_equal(sent, np.append(want, np.full(40, 0xA5, np.uint8)))

    for memory, was in zip(memories[1], start, strict=True):
        memory[:] = was
    held = rows_in(ours.views, slots)
    scales = None if ours.scales is None else rows_in(ours.scales, slots)
    planes = on_wire(held, scales, slots)
    want = wanted(planes, wire)
    sent = room(place, want.size)
    sent[: want.size] = want
    rows = values(held, word, known[0] if scales is None else scales)
    unpacked = written(memories[1], lambda: theirs.put(landing, rows))
    OPS.kv_unpack(
        place.tensor(sent), others, new, *how, word, to, given[0], their_scales, None, layers,
        wire.group,
    )  # fmt: skip
    place.wait()
    same(memories[1], unpacked)
    same(memories[0], before)


def on_wire(rows: Any, scales: Any, slots: Any) -> list[Any]:
    """Planes of rows [L, P, T, H, D], and of their scales: zeros for a negative slot."""
    found = []
    for plane in range(rows.shape[1]):
        for each in (rows, None if scales is None else scales[..., None]):
            if each is not None:
                mine = np.ascontiguousarray(each[:, plane])
                mine.view(np.uint8)[:, slots < 0] = 0
                found.append(mine)
    return found


def check_refused(place: Any, data: st.DataObject) -> None:
    """Elements of a target on one another, and a layer that lies otherwise, before anything is written."""
    draw = data.draw
    sizes = {axis: draw(st.integers(2, 4)) for axis in AXES}
    axis = draw(st.sampled_from("BNHD"))
    source, target = (draw(strides()) for _ in range(2))
    _, views = source.view(place, sizes, "u2", 0)
    pages = cells(place, views)
    memory, views = replace(target, repeated=frozenset(axis)).view(place, sizes, "u2", 1)
    on_one_another = cells(place, views)
    other, views = replace(target, repeated=frozenset()).view(place, sizes, "u2", 1)
    otherwise = cells(place, views)
    otherwise[1] = place.tensor(views[1, 0][tuple(slice(None, None, -1) for _ in "BNHD")])
    sent = room(place, 1 << 15)
    slots = place.memory(16).view(np.int64)
    slots[:] = [1, 0]
    before = memory.copy(), other.copy(), sent.copy()
    how = (place.tensor(slots), "LKNHC", 4, "x", "x")
    for bad, why in (
        (on_one_another, "is 0, want elements that do not"),
        (otherwise, "as in the first"),
    ):
        with pytest.raises(ValueError, match=why):
            OPS.kv_unpack(place.tensor(sent), bad, *how, None, [], None, sizes["L"])
        both = how[0], how[0]
        with pytest.raises(ValueError, match=why):
            OPS.kv_relayout(pages, bad, *both, "x", "x", [], [], sizes["L"])
    with pytest.raises(ValueError, match="as in the first"):
        OPS.kv_pack(otherwise, place.tensor(sent), *how, [], None, sizes["L"])
    place.wait()
    same([memory, other, sent], list(before))


CHECKS: dict[Callable[[Any, st.DataObject], None], int] = {
    check_bits: 60,
    check_conversions: 60,
    check_refused: 10,
}


def any_strides(place: Any, check: Callable[[Any, st.DataObject], None], examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def run(data: st.DataObject) -> None:
        with np.errstate(all="ignore"):  # of any bits as numbers
            check(place, data)

    run()


@pytest.mark.parametrize("check", CHECKS)
def test_any_strides(check: Callable[[Any, st.DataObject], None]) -> None:
    any_strides(Cpu(), check, CHECKS[check])


def test_in_the_emulated_driver() -> None:
    said = run_emulated(__file__)
    if said != "done":
        pytest.skip(said)


if __name__ == "__main__":
    here = Emulated() if "KVFORGE_LIBCUDA" in os.environ else Cpu()
    for each, few in CHECKS.items():
        any_strides(here, each, int(sys.argv[1]) if len(sys.argv) > 1 else few // 2)
    print("done")
