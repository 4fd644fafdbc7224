"""What one side holds: layers, planes, heads, dtype and block size, and its pages as kv_pack takes them.

Nothing here moves bytes. `Shape` is what a hello says of a group of layers, `Group` has the pages too,
and `Wire` is what two shapes agree on: the narrower dtype travels, and at most one side converts.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tvm_ffi

from kvforge.transfer.errors import Incompatible

LAYOUTS = ("LKNHC", "KLNHC", "LKHNC", "HLKNC", "GLKNHC")
# Bytes of an element. A dtype of any other name is opaque: it travels to the same name only.
_WIDTHS = {
    **{"float32": 4, "float16": 2, "bfloat16": 2},
    **{"fp8_e4m3": 1, "fp8_e5m2": 1, "int8": 1},
    **{"fp8_per_token_head": 1, "int8_per_token_head": 1},
}
_FLOATS = {"float32", "float16", "bfloat16"}
_STATIC = ("fp8_e4m3", "fp8_e5m2", "int8")
_DYNAMIC = ("fp8_per_token_head", "int8_per_token_head")

_CPU, _CUDA, _PINNED = 1, 2, 3  # of DLPack

_KEPT = 4096  # views, of selections of layers and heads, that a group keeps

Scales = tuple[tuple[tuple[float, ...], ...], ...]  # [planes][layers][heads]


def slots(
    block_ids: Sequence[int], block_size: int, first: int = 0, count: int | None = None
) -> Any:
    """int64 `[count]`: the slots of tokens first, first + 1, ... of a request whose blocks these are.

    Token t is in block `block_ids[t // block_size]`, row t % block_size. Without a count: all that the
    blocks hold. ValueError where they hold fewer.
    """
    held = len(block_ids) * block_size
    count = held - first if count is None else count
    if first < 0 or count < 0 or first + count > held:
        raise ValueError(
            f"slots: tokens {first} to {first + count} of {len(block_ids)} blocks of {block_size}"
        )
    tokens = np.arange(first, first + count)
    ids = np.asarray(block_ids, np.int64)
    return ids[tokens // block_size] * block_size + tokens % block_size


@dataclass(frozen=True)
class Plane:
    """Rows of one kind, for instance the keys: elements of a head's row, and bytes of an element."""

    size: int
    itemsize: int


@dataclass(frozen=True)
class Shape:
    """A group of layers as its owner tells others of it.

    `heads` are those of this rank among `total_heads`, first and end. `wire_layout`, `wire_block`
    (tokens) and `heads_per_group` (of GLKNHC) are how this side likes to receive. `scales` are those
    of codes with static scales, and what an opaque dtype has of such: they must agree.
    """

    name: str
    model: str
    layers: tuple[str, ...]
    planes: tuple[Plane, ...]
    dtype: str
    block_size: int
    total_heads: int
    heads: tuple[int, int]
    rank: int = 0
    scales: Scales | None = None
    wire_layout: str = "LKNHC"
    wire_block: int = 64
    heads_per_group: int = 0

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> Shape:
        """The shape of a hello. KeyError, TypeError, ValueError or OverflowError for what is none."""
        scales = values["scales"]
        found = Shape(
            **{
                **values,
                "layers": tuple(map(str, values["layers"])),
                "planes": tuple(Plane(**plane) for plane in values["planes"]),
                "heads": (int(values["heads"][0]), int(values["heads"][1])),
                "scales": scales
                and tuple(tuple(tuple(map(float, row)) for row in plane) for plane in scales),
            }
        )
        texts = (found.name, found.model, found.dtype, found.wire_layout)
        sizes = [size for plane in found.planes for size in (plane.size, plane.itemsize)]
        numbers = [
            found.rank,
            found.heads_per_group,
            found.heads[0],
            found.total_heads - found.heads[1],
        ]
        positive = [found.block_size, found.wire_block, found.heads[1] - found.heads[0]]
        if any(type(text) is not str for text in texts):
            raise TypeError(f"texts: {texts}")
        if any(type(number) is not int or number < 0 for number in [*sizes, *numbers, *positive]):
            raise ValueError(f"numbers: {[*sizes, *numbers, *positive]}")
        if not found.layers or not found.planes or not all(positive):
            raise ValueError("no layers, planes, heads or tokens")
        of_layers = [plane for plane in found.scales or () if len(plane) != len(found.layers)]
        if of_layers or any(
            len(row) != positive[2] for plane in found.scales or () for row in plane
        ):
            raise ValueError("scales: want one for each layer and head")
        return found

    def differences(self, other: Shape) -> list[str]:
        """Why these two cannot exchange tokens: a sentence each, none if they can. Stages of a pipeline
        may have no layer in common: fetch() finds who has which.
        """
        found = []
        for what in ("model", "total_heads"):
            mine, theirs = getattr(self, what), getattr(other, what)
            if mine != theirs:
                found.append(f"group {self.name}: {what} is {mine} here and {theirs} there")
        mine, theirs = ([plane.size for plane in side.planes] for side in (self, other))
        if mine != theirs:
            found.append(f"group {self.name}: elements of rows are {mine} here and {theirs} there")
        if self.dtype != other.dtype and not _converts({self.dtype, other.dtype}):
            found.append(
                f"group {self.name}: {self.dtype} here and {other.dtype} there, which the ops do not "
                "convert"
            )
        elif self.dtype == other.dtype and self.planes != other.planes:
            found.append(f"group {self.name}: elements of {self.dtype} have two sizes in bytes")
        elif self.dtype not in _WIDTHS and _scales_differ(self, other):
            found.append(
                f"group {self.name}: scales of {self.dtype} are others here than there, and the ops do not "
                "convert"
            )
        return found


class Group:
    """A group of layers with its pages: views `[blocks, block_size, heads, size]`, any strides.

    `pages[plane * len(layers) + layer]` is of NumPy, torch or what else DLPack has, on the CPU or all on
    one CUDA device; blocks and block size are those of all. The group keeps the views until drop(), and
    the caller keeps them valid. `page_scales`: one array
    for each plane (f32: one element, `[layers]` or `[layers, heads]`) for codes with static scales,
    views `[blocks, block_size, heads]` in the order of `pages` for `*_per_token_head`. An opaque dtype may
    have arrays as of codes, any number: peers with other ones are refused.
    """

    def __init__(
        self,
        name: str,
        pages: Sequence[Any],
        *,
        layers: Sequence[str],
        dtype: str,
        model: str = "",
        total_heads: int | None = None,
        first_head: int = 0,
        rank: int = 0,
        page_scales: Sequence[Any] = (),
        wire_layout: str = "LKNHC",
        wire_block: int = 64,
        heads_per_group: int = 0,
    ) -> None:
        count = len(layers)
        if not count or not pages or len(pages) % count:
            raise ValueError(f"Group {name}: {len(pages)} pages for {count} layers")
        if len(set(layers)) != count:
            raise ValueError(f"Group {name}: two layers of one name")
        if wire_layout not in LAYOUTS or wire_block < 1:
            raise ValueError(
                f"Group {name}: wire_layout {wire_layout} of {LAYOUTS}, wire_block {wire_block}"
            )
        if dtype in _STATIC + _DYNAMIC and not page_scales:
            raise ValueError(f"Group {name}: {dtype} has page_scales")
        devices = sorted({_device(page) for page in pages})
        if len(devices) > 1 or devices[0][0] not in (_CPU, _CUDA):
            raise NotImplementedError(
                f"Group {name}: pages on DLPack devices {devices}, want the CPU or one CUDA device"
            )
        self.device = devices[0][1] if devices[0][0] == _CUDA else None
        shape = tuple(pages[0].shape)
        if any(tuple(page.shape)[:3] != shape[:3] for page in pages):
            raise ValueError(f"Group {name}: pages of several shapes")
        self.pages = list(pages)
        self.page_scales = list(page_scales)
        heads = shape[2]
        total = heads if total_heads is None else total_heads
        if first_head < 0 or first_head + heads > total:
            raise ValueError(
                f"Group {name}: heads {first_head} to {first_head + heads} of {total} heads"
            )
        self.blocks = int(shape[0])
        self._arrays: dict[tuple[tuple[str, ...], tuple[int, int], bool], list[Any]] = {}
        self._layers = {layer: number for number, layer in enumerate(layers)}
        self.shape = Shape(
            name,
            model,
            tuple(layers),
            tuple(Plane(int(page.shape[3]), int(_itemsize(page))) for page in self.pages[::count]),
            dtype,
            int(shape[1]),
            total,
            (first_head, first_head + heads),
            rank,
            self._static(dtype, count, heads),
            wire_layout,
            wire_block,
            heads_per_group,
        )

    def _static(self, dtype: str, layers: int, heads: int) -> Scales | None:
        if dtype not in _STATIC and (dtype in _WIDTHS or not self.page_scales):
            return None
        planes = []
        for scale in self.page_scales:
            values = np.asarray(scale, np.float32)
            values = values[:, None] if values.ndim == 1 and values.size > 1 else values
            whole = np.broadcast_to(values, (layers, heads))
            planes.append(tuple(tuple(map(float, row)) for row in whole))
        return tuple(planes)

    def drop(self) -> None:
        """Lets go of the views, for good; what it is called and shaped is still known. Of a group that
        an endpoint has, Endpoint.detach() does it."""
        self.pages, self.page_scales = [], []
        self._arrays.clear()

    def changes(self, other: Group) -> list[tuple[str, Any, Any]]:
        """What another group in this one's place must have the same and has not: name, here and there."""
        pairs = [("device", self.device, other.device)]
        for field in dataclasses.fields(Shape):
            pairs.append((field.name, *(getattr(each.shape, field.name) for each in (self, other))))
        return [pair for pair in pairs if pair[1] != pair[2]]

    def check_slots(self, call: str, tokens: Any, least: int) -> None:
        """IndexError for a slot below the least or behind the last block."""
        end = self.blocks * self.shape.block_size
        if tokens.size and not least <= tokens.min() <= tokens.max() < end:
            raise IndexError(
                f"{call}: slots: want {least} to {end - 1}, got {tokens.min()} to {tokens.max()}"
            )

    @property
    def row_bytes(self) -> int:
        """Of a head in all planes, with what scales are stored."""
        scales = 4 if self.shape.dtype in _DYNAMIC else 0
        return sum(plane.size * plane.itemsize + scales for plane in self.shape.planes)

    def arrays(self, layers: Sequence[str], heads: tuple[int, int], scales: bool) -> list[Any]:
        """with_scales() or pages_of() for a call of an op, kept for the next one: many views of torch
        take a call longer than the bytes of a small chunk."""
        key = (tuple(layers), heads, scales)
        if key not in self._arrays:
            views = self.with_scales(layers, heads) if scales else self.pages_of(layers, heads)
            if len(views) + sum(map(len, self._arrays.values())) > _KEPT:
                self._arrays.clear()
            export = _exported if self.device is None else tvm_ffi.from_dlpack
            self._arrays[key] = [export(view) for view in views]
        return self._arrays[key]

    def pages_of(self, layers: Sequence[str], heads: tuple[int, int]) -> list[Any]:
        """The views of these layers and of these heads of the model, plane by plane."""
        return self._select(self.pages, layers, heads)

    def with_scales(self, layers: Sequence[str], heads: tuple[int, int]) -> list[Any]:
        """The same with a plane of scales behind each plane of codes, if scales are stored."""
        pages = self.pages_of(layers, heads)
        if self.shape.dtype not in _DYNAMIC:
            return pages
        scales = self._select(self.page_scales, layers, heads)
        count = len(layers)
        found = []
        for first in range(0, len(pages), count):
            found += pages[first : first + count]
            found += [scale[..., None] for scale in scales[first : first + count]]
        return found

    def scales_of(self, layers: Sequence[str], heads: tuple[int, int]) -> list[Any]:
        """What the op calls page_scales, for a side that converts."""
        if self.shape.dtype in _DYNAMIC:
            found = self._select(self.page_scales, layers, heads)
            return found if self.device is None else [tvm_ffi.from_dlpack(each) for each in found]
        if self.shape.dtype in _STATIC:
            return list(_cut(self.shape, layers, heads))
        return []

    def _select(
        self, views: Sequence[Any], layers: Sequence[str], heads: tuple[int, int]
    ) -> list[Any]:
        count = len(self._layers)
        first, end = (head - self.shape.heads[0] for head in heads)
        return [
            views[plane * count + self._layers[layer]][:, :, first:end]
            for plane in range(len(views) // count)
            for layer in layers
        ]


def _converts(dtypes: set[str]) -> bool:
    """Whether kv_pack or kv_unpack make one of two dtypes of the other."""
    known = dtypes <= _WIDTHS.keys()
    return known and (bool(dtypes & _FLOATS) or dtypes == {"fp8_e4m3", "fp8_e5m2"})


def _exported(view: Any) -> Any:
    """A plain tensor of torch as TVM-FFI has it; what an op is to look at itself as it is."""
    torch = sys.modules.get("torch")
    if torch is None or type(view) is not torch.Tensor or view.requires_grad or view.is_neg():
        return view
    try:
        return tvm_ffi.from_dlpack(view)
    except (BufferError, RuntimeError):
        return view


def _device(page: Any) -> tuple[int, int]:
    kind, number = page.__dlpack_device__()
    return (_CPU, 0) if kind in (_CPU, _PINNED) else (int(kind), int(number))


def _itemsize(page: Any) -> int:
    size = getattr(page, "itemsize", None)
    return int(size) if size is not None else int(page.element_size())


def _cut(shape: Shape, layers: Sequence[str], heads: tuple[int, int]) -> Any:
    """f32 [planes, layers, heads] of a shape with static scales."""
    index = [shape.layers.index(layer) for layer in layers]
    whole = np.array(shape.scales, np.float32)[:, index]
    return np.ascontiguousarray(whole[:, :, heads[0] - shape.heads[0] : heads[1] - shape.heads[0]])


@dataclass(frozen=True)
class Wire:
    """What travels from one shape to another: the narrower dtype, or the sender's of two as wide."""

    dtype: str
    row_bytes: int  # of a head in all planes
    sender_converts: bool
    receiver_converts: bool
    _owner: Shape  # whose static scales the codes have

    @staticmethod
    def between(sender: Shape, receiver: Shape) -> Wire:
        """Incompatible, with the reasons, where there is no such thing."""
        reasons = sender.differences(receiver)
        if reasons:
            raise Incompatible(*reasons)
        narrower = _WIDTHS.get(receiver.dtype, 0) < _WIDTHS.get(sender.dtype, 0)
        owner = receiver if narrower else sender
        size = sum(plane.size * plane.itemsize for plane in owner.planes)
        if owner.dtype in _DYNAMIC:
            size += 4 * len(owner.planes)
        same = sender.dtype == receiver.dtype
        rescaled = same and sender.scales != receiver.scales and _scales_differ(sender, receiver)
        return Wire(owner.dtype, size, narrower, not narrower and (not same or rescaled), owner)

    @property
    def code(self) -> int:
        """The dtype as a number of 8 bits; 255 is opaque."""
        return list(_WIDTHS).index(self.dtype) if self.dtype in _WIDTHS else 255

    def scales(self, layers: Sequence[str], heads: tuple[int, int]) -> Any:
        """What the op calls wire_scales, f32 [planes, layers, heads]; None for other dtypes."""
        return None if self._owner.scales is None else _cut(self._owner, layers, heads)


def _scales_differ(sender: Shape, receiver: Shape) -> bool:
    """Whether what both hold of the model has two scales anywhere, or one of them has none."""
    heads = max(sender.heads[0], receiver.heads[0]), min(sender.heads[1], receiver.heads[1])
    layers = [layer for layer in sender.layers if layer in receiver.layers]
    if sender.scales is None or receiver.scales is None:
        return sender.scales is not receiver.scales
    if len(sender.scales) != len(receiver.scales):
        return True
    if heads[0] >= heads[1]:
        return False
    return bool((_cut(sender, layers, heads) != _cut(receiver, layers, heads)).any())
