"""The layouts of paged caches that engines have, as addresses of rows.

A kind is what a token is: its planes, of rows of so many elements, and heads. Layouts of a kind hold the
same. Axes are L layers, P planes, B blocks, N tokens, H heads, D elements; G groups of heads.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

LAYERS = 2


@dataclass(frozen=True)
class Kind:
    """Elements of a row, and their dtype, of each plane."""

    planes: tuple[tuple[int, str], ...]
    heads: int

    def rows(self, count: int) -> int:
        """Bytes of a row of each of the first planes."""
        return sum(size * np.dtype(dtype).itemsize for size, dtype in self.planes[:count])


KINDS = {
    "keys and values": Kind(((4, "u2"), (4, "u2")), 4),
    "latents": Kind(((24, "u2"),), 1),
    "whole rows": Kind(((20, "u1"),), 4),
    "codes and scales of rows": Kind(((8, "u1"), (1, "u4"), (8, "u1"), (1, "u4")), 4),
    "indexer": Kind(((16, "u1"), (1, "u4")), 1),
    "planes of three widths": Kind(((24, "u2"), (10, "u1"), (3, "u4")), 1),
}

Steps = dict[str, int]  # bytes from one to the next along an axis
Cells = Callable[
    [int], tuple[int, Steps]
]  # of a plane: its first byte, and steps; all but D may be 0


@dataclass(frozen=True)
class Layout:
    """`places(kind, sizes of axes)`: the cells, and all bytes. `lists` are axes whose elements are tensors
    of their own, in any order in memory; heads in groups are calls of their own."""

    places: Callable[[Kind, dict[str, int]], tuple[Cells, int]]
    lists: str = ""
    groups: int = 1


def dense(order: str, sizes: dict[str, int], row: int, pad: int) -> tuple[Steps, int]:
    """Steps of axes in an order, the outermost first, of rows of so many bytes; behind the inner one of
    layers and blocks there are `pad` bytes. And all bytes."""
    steps = {}
    padded = max(order.find("L"), order.find("B"))
    for at in range(len(order) - 1, -1, -1):
        row += pad if at == padded else 0
        steps[order[at]] = row
        row *= sizes[order[at]]
    return steps, row


def axes(order: str, lists: str = "", pad: int = 0, groups: int = 1) -> Layout:
    """Planes of one width, which are an axis; elements are the innermost one, or where D says."""

    def places(kind: Kind, sizes: dict[str, int]) -> tuple[Cells, int]:
        element = np.dtype(kind.planes[0][1]).itemsize
        row = element if "D" in order else kind.rows(1)
        mine = {**sizes, "H": sizes["H"] // groups, "G": groups}
        steps, whole = dense(order, mine, row, pad * element)
        return lambda plane: (plane * steps.get("P", 0), steps), whole

    return Layout(places, lists, groups)


def content(order: str, lists: str = "", pad: int = 0) -> Layout:
    """All planes of a token and head in one row."""

    def places(kind: Kind, sizes: dict[str, int]) -> tuple[Cells, int]:
        steps, whole = dense(order, sizes, kind.rows(len(kind.planes)), 4 * pad)
        return lambda plane: (kind.rows(plane), steps), whole

    return Layout(places, lists)


def sections(order: str, lists: str = "", pad: int = 0) -> Layout:
    """Of one head: a page, or if there are no blocks in the order a tensor, has all rows of a plane and
    then those of the next one."""

    def places(kind: Kind, sizes: dict[str, int]) -> tuple[Cells, int]:
        tokens = sizes["N"] * (1 if "B" in order else sizes["B"])
        outer, whole = dense(order, sizes, kind.rows(len(kind.planes)) * tokens, 4 * pad)

        def cells(plane: int) -> tuple[int, Steps]:
            row = kind.rows(plane + 1) - kind.rows(plane)
            return kind.rows(plane) * tokens, {"B": row * sizes["N"], "N": row, **outer}

        return cells, whole

    return Layout(places, lists)


ORDERS = [
    "LBHNC",
    "LBNHC",
    "LHBNC",
    "BLHNC",
    "BLNHC",
    "BHLNC",
]  # vLLM's; C is all of a token and head


def _table() -> dict[str, dict[str, Layout]]:
    found: dict[str, dict[str, Layout]] = {kind: {} for kind in KINDS}
    for order in ORDERS:
        outer = order[:-1]
        page = outer.replace("H", "").replace("N", "")
        found["keys and values"][f"vllm {order}, two slots"] = axes(outer.replace("H", "P") + "H")
        pads = {"": 0}
        if set(order[:2]) == {"L", "B"}:  # others have no room for it
            pads[", padded"] = 5
        for name, pad in pads.items():
            name = f"vllm {order}{name}"
            found["keys and values"][name] = content(outer, pad=pad)
            found["latents"][name] = axes(outer, pad=pad)
            found["codes and scales of rows"][name] = content(outer, pad=pad)
            found["indexer"][name] = sections(page, pad=pad)
    found["keys and values"] |= {
        "lmcache 0": axes("BLPNH"),
        "lmcache 1": axes("LPBNH", "L"),
        "lmcache 2": axes("LBPNH", "L"),
        "lmcache 4": axes("PLBNH", "PL"),
        "lmcache 6": axes("LPBHN", "L"),
        "lmcache 7": axes("LBPHN", "L"),
        "lmcache 8": axes("BLPHN"),
        "lmcache 9": axes("PLBNH", "PL", pad=1),
        "lmcache 10": content("LBHN", "L"),
        "lmcache 11": content("LBNH", "L"),
        "lmcache 15": axes("LPBHN", "L", pad=1),
        "lmcache 16": axes("LPBNH", "LP"),
        "sglang layer_first": axes("PLBNH"),
        "sglang page_first": axes("PBNLH"),
        "sglang page_first_direct": axes("PBLNH"),
        "sglang page_head": axes("PBHNL"),
        "sglang page_unified": axes("BGLPNH", groups=2),
        "old keys": axes("PLBHDN"),
    }
    found["latents"] |= {
        "lmcache 3": axes("LBN", "L", pad=3),
        "lmcache 5": axes("LBN", "L"),
        "sglang (L, size, 1, D)": axes("LBNH"),
        "sglang (size, L, 1, D)": axes("BNLH"),
        "sglang (pages, L, N, 1, D)": axes("BLNH"),
        "sglang (pages, L, N, D)": axes("BLN"),
    }
    found["whole rows"] |= {
        "lmcache 12": axes("LBHN", "L"),
        "lmcache 13": axes("LBNH", "L"),
        "lmcache 18": axes("LBNH", "L", pad=1),
    }
    found["indexer"]["lmcache 14"] = sections("LB", "L")
    found["planes of three widths"]["lmcache 17"] = sections("L", "L")
    return found


LAYOUTS = _table()


class Cache:
    """Pages of a layout: heads first, first + 1, ... of `total`, in memory of which `shift` bytes come
    before the pages, and some behind them."""

    def __init__(
        self,
        layout: Layout,
        kind: Kind,
        block_size: int,
        blocks: int,
        memory: Callable[[int], Any],
        seed: int,
        shift: int = 0,
        first: int = 0,
        total: int = 0,
    ) -> None:
        self.kind, self.block_size, self.blocks = kind, block_size, blocks
        self.capacity = block_size * blocks
        sizes = {"L": LAYERS, "P": len(kind.planes), "B": blocks, "N": block_size}
        sizes |= {"H": total or kind.heads, "D": kind.planes[0][0]}
        cells, whole = layout.places(kind, sizes)
        random = np.random.default_rng(seed)
        self.memory = memory(shift + whole + 64)
        self.memory[:] = random.integers(0, 256, self.memory.size, np.uint8)
        lists = [sizes[axis] for axis in layout.lists]
        entries = random.permutation(math.prod(lists))
        share = kind.heads // layout.groups
        self.parts = [(at, at + share) for at in range(0, kind.heads, share)]
        self.views: list[list[list[Any]]] = [[] for _ in self.parts]  # part, plane, layer
        for (part, views), plane in itertools.product(enumerate(self.views), range(sizes["P"])):
            views.append([])
            for layer in range(LAYERS):
                at = {"L": layer, "P": plane}
                if lists:
                    entry = entries[np.ravel_multi_index([at[a] for a in layout.lists], lists)]
                    moved = np.unravel_index(entry, lists)
                    at |= dict(zip(layout.lists, map(int, moved), strict=True))
                place, steps = cells(at["P"])
                place += shift + at["L"] * steps.get("L", 0)
                place += first * steps.get("H", 0) + part * steps.get("G", 0)
                size, dtype = kind.planes[plane]
                element = steps.get("D", np.dtype(dtype).itemsize)
                strides = (steps["B"], steps["N"], steps.get("H", 0), element)
                shape = (blocks, block_size, share, size)
                views[-1].append(np.ndarray(shape, dtype, self.memory, place, strides))

    def pages(self, heads: tuple[int, int]) -> list[Any]:
        """All planes' layers of some heads of a part."""
        for part, views in zip(self.parts, self.views, strict=True):
            if part[0] <= heads[0] and heads[1] <= part[1]:
                mine = slice(heads[0] - part[0], heads[1] - part[0])
                return [view[:, :, mine] for plane in views for view in plane]
        raise ValueError(f"no part has heads {heads}")

    def put(self, slots: Any, rows: list[Any]) -> None:
        """Rows of each plane [L, T, H, D], of tokens that have a slot."""
        here = slots >= 0
        block, offset = slots[here] // self.block_size, slots[here] % self.block_size
        for part, views in zip(self.parts, self.views, strict=True):
            for plane, layers in enumerate(views):
                for layer, view in enumerate(layers):
                    view[block, offset] = rows[plane][layer, here, slice(*part)]
