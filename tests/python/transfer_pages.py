"""Pages for the tests of kvforge.transfer, and what is to be in them, by indexing in NumPy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

DIMENSIONS = "LPBNHD"


@dataclass(frozen=True)
class Side:
    """Pages of one rank: the order of layer, plane, block, token, head and element in memory.

    `layers` and `heads` are first and end among those of the model. Behind each block's innermost run
    there are `pad` elements, and rows start `shift` elements into memory: neither is to change.
    """

    order: str
    block_size: int
    blocks: int
    dtype: str = "float16"
    bits: str = "uint16"
    planes: int = 2
    size: int = 16
    layers: tuple[int, int] = (0, 3)
    heads: tuple[int, int] = (0, 4)
    total_heads: int = 4
    rank: int = 0
    pad: int = 0
    shift: int = 0
    scales: bool = False  # a plane of f32 for each of codes
    wire: dict[str, Any] = field(default_factory=dict)  # of transfer.Group

    @property
    def capacity(self) -> int:
        return self.blocks * self.block_size


@dataclass
class Pages:
    """All memory of a side, its views [layer, plane, block, token, head, element], and of its scales."""

    memory: list[Any]
    views: list[Any]

    def digest(self) -> str:
        found = hashlib.sha256()
        for memory in self.memory:
            found.update(memory.tobytes())
        return found.hexdigest()[:16]

    def put(self, slots: Any, rows: list[Any]) -> None:
        """Rows [layer, plane, token, head, element] of codes, and of scales, into slots."""
        for view, values in zip(self.views, rows, strict=True):
            block = view.shape[3]
            for token, slot in enumerate(slots):
                view[:, :, slot // block, slot % block] = values[:, :, token]

    def rows(self, slots: Any) -> list[Any]:
        block = self.views[0].shape[3]
        return [view[:, :, slots // block, slots % block] for view in self.views]


def _array(side: Side, size: int, bits: str, seed: int) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    sizes = {
        **{"L": side.layers[1] - side.layers[0], "P": side.planes, "B": side.blocks},
        **{"N": side.block_size, "H": side.heads[1] - side.heads[0], "D": size},
    }
    shape = [sizes[axis] for axis in side.order]
    at = side.order.index("B")
    inner = int(np.prod(shape[at + 1 :]))
    outer = int(np.prod(shape[: at + 1]))
    width = np.dtype(bits).itemsize
    count = side.shift + outer * (inner + side.pad)
    memory = np.frombuffer(random.bytes(count * width), bits).copy()
    blocks = memory[side.shift :].reshape(outer, inner + side.pad)[:, :inner]
    strides: list[int] = []
    step = width
    for length in reversed(shape[at + 1 :]):
        strides.insert(0, step)
        step *= length
    step = (inner + side.pad) * width
    for length in reversed(shape[: at + 1]):
        strides.insert(0, step)
        step *= length
    whole = np.lib.stride_tricks.as_strided(blocks, shape, strides)
    return memory, whole.transpose([side.order.index(axis) for axis in DIMENSIONS])


def make(side: Side, seed: int) -> Pages:
    """Pages of random bytes."""
    memory, views = _array(side, side.size, side.bits, seed)
    if not side.scales:
        return Pages([memory], [views])
    scales, scale_views = _array(side, 1, "float32", seed + 1)
    return Pages([memory, scales], [views, scale_views])


def model(side: Side, layers: int, count: int, seed: int) -> list[Any]:
    """What the model computed: rows [layer, plane, token, head, element] of all layers and heads."""
    random = np.random.default_rng(seed)
    shape = (layers, side.planes, count, side.total_heads)
    sizes = [(side.size, side.bits), *([(1, "float32")] if side.scales else [])]
    found = []
    for size, bits in sizes:
        count_bytes = int(np.prod(shape)) * size * np.dtype(bits).itemsize
        found.append(np.frombuffer(random.bytes(count_bytes), bits).reshape(*shape, size))
    return found


def part(side: Side, rows: list[Any]) -> list[Any]:
    """What of the model is with this side."""
    return [
        each[side.layers[0] : side.layers[1], :, :, side.heads[0] : side.heads[1]] for each in rows
    ]


def slots(side: Side, count: int, seed: int) -> Any:
    return np.random.default_rng(seed).permutation(side.capacity)[:count]
