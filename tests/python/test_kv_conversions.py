"""kv_pack, kv_unpack and kv_relayout between dtypes, against NumPy and ml_dtypes.

Rows are taken out of pages by plain indexing, converted as the ops' documents say, and laid out by
counting; every byte of pages, scales and wires is compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import oracle
import pytest

import kvforge

OPS = kvforge.ops._C_cache_ops
WIRES = ["LKNHC", "KLNHC", "LKHNC", "HLKNC", "GLKNHC"]
FLOATS = {"float32": np.dtype(np.float32), "float16": np.dtype(np.float16), "bfloat16": oracle.BF16}
FP8 = {"fp8": oracle.E4M3, "fp8_e5m2": oracle.E5M2}
ROWS = ["fp8_per_token_head", "int8_per_token_head", "int8_per_token_head_even"]
CODES = [*FP8, "int8", *ROWS]
NARROWING = [
    ("float32", "float16"),
    ("float32", "bfloat16"),
    ("float16", "bfloat16"),
    ("bfloat16", "float16"),
    *itertools.product(FLOATS, CODES),
]
PAIRS = [
    *NARROWING,
    *((to, source) for source, to in NARROWING if source != "float16" or to != "bfloat16"),
]
PAIRS = [*dict.fromkeys(PAIRS), *itertools.product(FP8, FP8)]


def values(rows: Any, word: str, scale: Any) -> Any:
    """f32 of elements; scale: [...] without the axis of elements."""
    if word in FLOATS:
        return rows.astype(np.float32)
    held = rows.view(FP8.get(word, oracle.E4M3)) if "fp8" in word else rows.view(np.int8)
    return held.astype(np.float32) * scale[..., None]


def as_bits(rows: Any, dtype: Any) -> Any:
    """Floats as a dtype, the only NaN of which has every bit set but the sign."""
    made = rows.astype(dtype)
    bits = made.view(np.uint16 if made.itemsize == 2 else np.uint32).copy()
    bits[np.isnan(rows)] = 0x7FFF if made.itemsize == 2 else 0x7FFFFFFF
    return bits.view(dtype)


def encode_int8(rows: Any, scale: Any) -> Any:
    return np.where(np.isnan(rows), 0, oracle.encode_int8(rows, scale)).astype(np.int8)


def row_scales(rows: Any, word: str) -> Any:
    largest = np.abs(np.where(np.isnan(rows), np.float32(0), rows)).max(-1).astype(np.float32)
    most = np.float32(448 if "fp8" in word else 127)
    return np.maximum(largest / most, np.float32(1e-6))


def stored(rows: Any, word: str, scale: Any) -> tuple[Any, Any]:
    """Elements of a dtype, and scales that were made of the rows."""
    if word in FLOATS:
        return as_bits(rows, FLOATS[word]), None
    if word not in ROWS:
        scale = np.broadcast_to(scale, rows.shape[:-1])[..., None]
        return (
            encode_int8(rows, scale) if word == "int8" else oracle.encode(rows, scale, FP8[word])
        ), None
    made = row_scales(rows, word)
    product = rows * (np.float32(1) / made)[..., None]
    one = np.float32(1)
    if "fp8" in word:
        return oracle.encode(product, one), made
    if word.endswith("even"):
        return np.where(np.isnan(product), 0, oracle.encode_int8(product, one)).astype(
            np.int8
        ), made
    away = np.trunc((product + np.copysign(np.float32(0.5), product)).astype(np.float32))
    return np.where(np.isnan(product), 0, np.clip(away, -128, 127)).astype(np.int8), made


def bytes_of(word: str) -> int:
    return FLOATS[word].itemsize if word in FLOATS else 1


def dtype_of(word: str) -> Any:
    return FLOATS.get(word, np.dtype(np.int8 if "int8" in word else np.uint8))


def laid(axes: str, sizes: dict[str, int], at: dict[str, int]) -> Iterator[dict[str, int]]:
    """What each row of a wire block is of, one after another."""
    if axes == "C":
        yield at
        return
    for number in range(sizes[axes[0]]):
        yield from laid(axes[1:], sizes, {**at, axes[0]: number})


def wire_of(planes: list[Any], layout: str, block: int, group: int) -> Any:
    """The wire of planes of bytes [L, T, H, row]."""
    layers, count, heads, _ = planes[0].shape
    group = group if "G" in layout else 1
    sizes = {"L": layers, "K": len(planes), "N": block, "G": heads // group, "H": group}
    if "G" not in layout:
        sizes["H"] = heads
    blocks = []
    for first in range(0, count, block):
        parts = []
        for at in laid(layout, sizes, {}):
            token, head = first + at["N"], at.get("G", 0) * group + at["H"]
            rows = planes[at["K"]]
            parts.append(rows[at["L"], token, head] if token < count else rows[0, 0, 0] * 0)
        whole = np.concatenate(parts)
        blocks.append(np.pad(whole, (0, -len(whole) % 64)))
    flat = np.concatenate(blocks)
    return np.pad(flat, (0, -len(flat) % 1024))


def raw(rows: Any) -> Any:
    return np.ascontiguousarray(rows).view(np.uint8)


@dataclass
class Side:
    """Pages of one dtype [L, P, B, N, H, D], with the scales that go with them."""

    word: str
    views: Any
    memory: Any
    known: Any  # [P, L, H] or fewer; None
    scales: Any  # [L, P, B, N, H], of each row; None

    @property
    def pages(self) -> list[Any]:
        layers, planes = self.views.shape[:2]
        return [self.views[layer, plane] for plane in range(planes) for layer in range(layers)]

    @property
    def arguments(self) -> list[Any]:
        """page_scales."""
        if self.scales is not None:
            layers, planes = self.views.shape[:2]
            return [self.scales[layer, plane] for plane in range(planes) for layer in range(layers)]
        if self.known is None:
            return []
        return [one if one.ndim else one.reshape(1) for one in map(np.asarray, self.known)]

    def scale_of(self, slots: Any) -> Any:
        """[L, P, T, H]."""
        layers, planes, _, block, heads, _ = self.views.shape
        if self.scales is not None:
            return self.scales[:, :, slots // block, slots % block]
        return spread(self.known, layers, planes, heads)

    def rows(self, slots: Any) -> Any:
        """f32 [L, P, T, H, D]."""
        block = self.views.shape[3]
        held = np.ascontiguousarray(self.views[:, :, slots // block, slots % block])
        return values(held, self.word, self.scale_of(slots) if self.word not in FLOATS else None)

    def put(self, slots: Any, rows: Any) -> None:
        """What is written to pages that are a copy of these."""
        layers, planes, _, block, heads, _ = self.views.shape
        known = None if self.known is None else spread(self.known, layers, planes, heads)
        made, scales = stored(rows, self.word, known)
        for token, slot in enumerate(slots):
            if slot >= 0:
                self.views[:, :, slot // block, slot % block] = made[:, :, token].view(
                    self.views.dtype
                )
                if scales is not None:
                    self.scales[:, :, slot // block, slot % block] = scales[:, :, token]

    def copy(self) -> Side:
        """With memory of its own."""
        memory = self.memory.copy()
        shift = self.views.__array_interface__["data"][0] - self.memory.ctypes.data
        views = np.ndarray(self.views.shape, self.views.dtype, memory, shift, self.views.strides)
        scales = None if self.scales is None else self.scales.copy()
        return Side(self.word, views, memory, self.known, scales)


def spread(known: Any, layers: int, planes: int, heads: int) -> Any:
    """Known scales as [L, P, 1, H]."""
    shape = [*known.shape, *[1] * (3 - known.ndim)]
    whole = np.broadcast_to(known.reshape(shape), (planes, layers, heads))
    return whole.transpose(1, 0, 2)[:, :, None]


def side(word: str, order: str, sizes: dict[str, int], seed: int) -> Side:
    """Pages in an order of axes, of any bits, and of every one of 8 or 16 where there are enough."""
    random = np.random.default_rng(seed)
    shape = [sizes[axis] for axis in order]
    count = int(np.prod(shape))
    if bytes_of(word) == 4:
        numbers = random.integers(0, 1 << 32, count, np.uint32)
        some = random.normal(size=count).astype(
            np.float32
        )  # most of any bits are out of all ranges
        numbers = np.where(random.random(count) < 0.8, some.view(np.uint32), numbers)
    else:
        numbers = np.arange(count).astype(np.uint16 if bytes_of(word) == 2 else np.uint8)
        random.shuffle(numbers)
        if bytes_of(word) == 2 and count % 2:
            some = random.normal(size=count).astype(FLOATS[word]).view(np.uint16)
            numbers = np.where(random.random(count) < 0.8, some, numbers)
    memory = np.ascontiguousarray(numbers).view(dtype_of(word))
    views = memory.reshape(shape).transpose([order.index(axis) for axis in "LPBNHD"])
    known = None
    if word in FP8 or word == "int8":
        whole = random.uniform(0.01, 2.0, (sizes["P"], sizes["L"], sizes["H"])).astype(np.float32)
        known = [whole, whole[:, :, 0], whole[:, 0, 0], np.ones(sizes["P"], np.float32)][seed % 4]
    scales = None
    if word in ROWS:
        places = [sizes[axis] for axis in "LPBNH"]
        scales = random.uniform(0.001, 1.0, places).astype(np.float32)
    return Side(word, views, memory, known, scales)


def slots_of(count: int, capacity: int, seed: int) -> Any:
    slots = np.random.default_rng(seed).permutation(capacity)[:count]
    slots[3::7] = -1
    return slots


def aligned(count: int) -> Any:
    memory = np.full(count + 64, 0xA5, np.uint8)
    start = -memory.ctypes.data % 16
    return memory[start : start + count]


def same(got: Side, want: Side) -> None:
    np.testing.assert_array_equal(raw(got.memory), raw(want.memory))
    if got.scales is not None:
        np.testing.assert_array_equal(got.scales.view(np.uint32), want.scales.view(np.uint32))


def wire_scales(word: str, layers: int, planes: int, heads: int, seed: int) -> Any:
    if word not in FP8 and word != "int8":
        return None
    whole = np.random.default_rng(seed).uniform(0.01, 2.0, (planes, layers, heads))
    return [whole, whole[:, :, 0], whole[:, 0, 0]][seed % 3].astype(np.float32)


def sizes_of(size: int, big: bool) -> dict[str, int]:
    """Of all bit patterns of 16 bits, or few enough for a loop in Python."""
    return {"L": 2, "P": 2, "B": 8, "N": 16 if big else 4, "H": 4, "D": 64 if big else size}


def all_values(word: str, order: str) -> Any:
    """Every code, or every half and for f32 what lies between two, as [T, H, D]: those of a size together,
    as a row has a scale, or mixed."""
    if bytes_of(word) == 1:
        numbers = np.tile(np.arange(256, dtype=np.uint8), 16)
    elif word == "float32":
        halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
        between = (halves[:-1] + halves[1:]) / np.float32(2)
        numbers = np.concatenate([halves, between, halves[:1]])
    else:
        numbers = np.arange(1 << 16, dtype=np.uint16)
    if order == "mixed":
        np.random.default_rng(1).shuffle(numbers)
    return numbers.view(dtype_of(word)).reshape(-1, 4, 64)


@pytest.mark.parametrize("order", ["in order", "mixed"])
@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_every_half_and_code(source: str, to: str, order: str) -> None:
    """All three ops, each of all 65536 halves or 256 codes, whose token has a slot for certain."""
    with np.errstate(all="ignore"):
        rows = all_values(source, order)
        count = len(rows)
        sizes = {"L": 1, "P": 1, "B": count // 16, "N": 16, "H": 4, "D": 64}
        pages, others = side(source, "LPBNHD", sizes, 4), side(to, "LPBNHD", sizes, 5)
        pages.views.reshape(rows.shape)[...] = rows
        slots = np.arange(count)
        landing = np.random.default_rng(2).permutation(count)
        values_of = pages.rows(slots)
        want, before = others.copy(), others.copy()
        want.put(landing, values_of)
        OPS.kv_relayout(
            pages.pages, others.pages, slots, landing, source, to,
            pages.arguments, others.arguments, 1,
        )  # fmt: skip
        same(others, want)

        known = None if others.known is None else others.scale_of(slots)
        made, scales = stored(values_of, to, known)
        planes = [raw(made[:, 0])]
        planes += [] if scales is None else [raw(scales[:, 0, :, :, None])]
        wire = wire_of(planes, "LKNHC", 16, 1)
        sent = aligned(len(wire))
        wire_scales = None if others.known is None else others.known
        how = ("LKNHC", 16)
        OPS.kv_pack(pages.pages, sent, slots, *how, source, to, pages.arguments, wire_scales, 1)
        np.testing.assert_array_equal(sent, wire)

        planes = [raw(pages.views[0].reshape(1, *rows.shape))]
        if pages.scales is not None:
            planes.append(raw(pages.scales.reshape(1, count, 4, 1)))
        wire = wire_of(planes, *how, 1)
        sent = aligned(len(wire))
        sent[:] = wire
        OPS.kv_unpack(
            sent, before.pages, landing, *how, source, to, pages.known, before.arguments, None, 1
        )
        same(before, want)


@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_relayout(source: str, to: str) -> None:
    """Every pair of dtypes, and any layouts."""
    with np.errstate(all="ignore"):
        for number, (big, size) in enumerate([(True, 64), (False, 24), (False, 7), (False, 576)]):
            sizes = sizes_of(size, big)
            other = {**sizes, "N": sizes["N"] * 2}
            orders = [("LPBNHD", "BLPHND"), ("LBNHPD", "PLBHDN"), ("PLBHDN", "LPBNHD")]
            for orders_of, seed in zip(orders, range(number, number + 3), strict=True):
                pages = side(source, orders_of[0], sizes, seed)
                others = side(to, orders_of[1], other, seed + 1)
                count = sizes["B"] * sizes["N"] - 3
                slots = slots_of(count, sizes["B"] * sizes["N"], seed)
                landing = slots_of(count, other["B"] * other["N"], seed + 1)
                landing[5] = -1
                want = others.copy()
                before = pages.copy()
                want.put(np.where(slots < 0, -1, landing), pages.rows(slots))
                OPS.kv_relayout(
                    pages.pages, others.pages, slots, landing, source, to,
                    pages.arguments, others.arguments, 2,
                )  # fmt: skip
                same(others, want)
                same(pages, before)


@pytest.mark.parametrize("layout", WIRES)
@pytest.mark.parametrize(("source", "to"), PAIRS)
def test_pack_and_unpack(source: str, to: str, layout: str) -> None:
    """Both ways of a pair by way of a wire, whose bytes are counted out."""
    with np.errstate(all="ignore"):
        for seed, size in enumerate([16, 5, 40]):
            sizes = sizes_of(size, False)
            pages = side(source, ("LPBNHD", "BLPHND", "PLBHDN")[seed], sizes, seed)
            count, block = 19, (4, 16, 5)[seed]
            slots = slots_of(count, sizes["B"] * sizes["N"], seed)
            known = wire_scales(to, 2, 2, 4, seed)
            spreads = None if known is None else spread(known, 2, 2, 4)
            made, scales = stored(pages.rows(slots), to, spreads)
            made = raw(made.copy())
            made[:, :, slots < 0] = 0
            planes = []
            for plane in range(2):
                planes.append(made[:, plane])
                if scales is not None:
                    scales[:, :, slots < 0] = 0
                    planes.append(raw(scales[:, plane, :, :, None]))
            want = wire_of(planes, layout, block, 2)
            sent = aligned(len(want) + 40)
            OPS.kv_pack(
                pages.pages, sent, slots, layout, block, source, to, pages.arguments, known, 2, 2
            )
            np.testing.assert_array_equal(sent[: len(want)], want)
            assert (sent[len(want) :] == 0xA5).all()

            back = source  # what the wire holds becomes the first dtype again
            others = side(back, ("BLPHND", "PLBHDN", "LPBNHD")[seed], sizes, seed + 9)
            landing = slots_of(count, sizes["B"] * sizes["N"], seed + 1)
            expected = others.copy()
            held = made.view(dtype_of(to)) if to in FLOATS else made
            scale = scales if scales is not None else spreads
            expected.put(landing, values(held, to, scale))
            gate = np.array([0], np.int32)
            OPS.kv_unpack(
                sent, others.pages, landing, layout, block, to, back, known, others.arguments,
                gate, 2, 2,
            )  # fmt: skip
            same(others, expected)


@pytest.mark.parametrize("word", [*ROWS, "int4_per_token_head"])
@pytest.mark.parametrize("layout", WIRES)
def test_scales_of_rows_go_along(word: str, layout: str) -> None:
    sizes = sizes_of(24, False)
    pages = side(word, "LPBNHD", sizes, 1)
    others = side(word, "BLPHND", sizes, 2)
    if word == "int4_per_token_head":
        for one in (pages, others):
            places = [sizes[axis] for axis in "LPBNH"]
            one.scales = np.random.default_rng(3).random(places).astype(np.float32)
    slots, landing = slots_of(19, 32, 1), slots_of(19, 32, 2)
    found = pages.views[:, :, slots // 4, slots % 4].copy()
    scales = pages.scales[:, :, slots // 4, slots % 4].copy()
    found[:, :, slots < 0] = 0
    scales[:, :, slots < 0] = 0
    planes = []
    for plane in range(2):
        planes += [raw(found[:, plane]), raw(scales[:, plane, :, :, None])]
    want = wire_of(planes, layout, 4, 2)
    sent = aligned(len(want))
    OPS.kv_pack(pages.pages, sent, slots, layout, 4, word, word, pages.arguments, None, 2, 2)
    np.testing.assert_array_equal(sent, want)
    for relays in (False, True):
        expected = others.copy()
        for token, slot in enumerate(landing):
            if slot >= 0 and not (relays and slots[token] < 0):
                expected.views[:, :, slot // 4, slot % 4] = found[:, :, token]
                expected.scales[:, :, slot // 4, slot % 4] = scales[:, :, token]
        if relays:
            OPS.kv_relayout(
                pages.pages, others.pages, slots, landing, word, word,
                pages.arguments, others.arguments, 2,
            )  # fmt: skip
        else:
            OPS.kv_unpack(
                sent, others.pages, landing, layout, 4, word, word, None, others.arguments,
                None, 2, 2,
            )  # fmt: skip
        same(others, expected)


def test_more_layers_than_a_launch_has() -> None:
    """Where rows have scales a launch has half as many cells."""
    sizes = {"L": 131, "P": 5, "B": 2, "N": 2, "H": 1, "D": 8}
    for source, to in [
        ("float16", "fp8_per_token_head"),
        ("fp8", "bfloat16"),
        ("int8_per_token_head", "float32"),
    ]:
        pages, others = side(source, "LPBNHD", sizes, 1), side(to, "BLPHND", sizes, 2)
        slots, landing = np.array([1, 3, 2]), np.array([2, 0, 3])
        want = others.copy()
        with np.errstate(all="ignore"):
            want.put(landing, pages.rows(slots))
        OPS.kv_relayout(
            pages.pages, others.pages, slots, landing, source, to, pages.arguments,
            others.arguments, 131,
        )  # fmt: skip
        same(others, want)


@pytest.mark.parametrize(
    ("page", "wire", "kind", "known", "sentence"),
    [
        ("auto", "nvfp4", np.float16, None, "wire_dtype: got 'nvfp4', want 'auto'"),
        ("fp8", "int8", np.uint8, [1.0], "wire_dtype: got 'int8', want 'fp8'"),
        ("auto", "fp8", np.float16, None, "wire_scales: got NULL"),
        ("auto", "fp8", np.float16, [1.0] * 3, r"wire_scales: .*\(num_planes\) is 3, want 1"),
        ("auto", "fp8", np.float16, [0.0], "wire_scales: element 0 is 0, want a finite number"),
        ("auto", "bfloat16", np.float16, [1.0], "wire_scales: got a tensor, want none: floats"),
        ("auto", ROWS[0], np.float16, [1.0], "wire_scales: got a tensor, want none: each row"),
        ("float32", "fp8", np.float16, [1.0], "pages: dtype is float16, want float32"),
        (
            "fp8",
            "float16",
            np.uint8,
            None,
            "page_scales: has 0 tensors, want one for each plane, 1",
        ),
        (ROWS[1], "float16", np.int8, None, "page_scales: has 0 tensors, want one for each of its"),
    ],
)
def test_refused(page: str, wire: str, kind: Any, known: Any, sentence: str) -> None:
    pages = np.ones((2, 4, 2, 8), kind)
    scales = None if known is None else np.array(known, np.float32)
    sent = aligned(4096)
    with pytest.raises(Exception, match=sentence):
        OPS.kv_pack([pages], sent, np.arange(3), "LKNHC", 4, page, wire, [], scales)
    assert (sent == 0xA5).all()
