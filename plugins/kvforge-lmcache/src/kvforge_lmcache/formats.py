"""LMCache's 19 formats of an engine's cache as views [blocks, tokens, heads, bytes], and its objects as the
same: a page of as many tokens as the object has.

Formats are LMCache's EngineKVFormat as numbers. `hs` is the size of a head's row in one plane, but for the
formats with keys and values in one row, where it is all of the row if kv_size is 1.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

CROSS_LAYER = (0, 8)
TWO_OUTSIDE = (1, 6, 15)  # keys of all blocks, then values
TWO_IN_BLOCK = (2, 7)
PLANE_TENSORS = (4, 9)  # keys of all layers, then values: a tensor each
PACKED = (10, 11, 12, 13)  # keys and values in one row
LATENT = (3, 5)  # one head
CODES_THEN_SCALES, PAIRS, PLANE_TUPLES, SINGLE = 14, 16, 17, 18
HEADS_OUTSIDE = (6, 7, 8, 10, 12, 15)


@dataclass(frozen=True)
class Shape:
    """Of an engine's cache: LMCache's PageBufferShapeDesc in bytes. `planes`: widths of PLANE_TUPLES."""

    format: int
    planes: int
    layers: int
    blocks: int
    tokens: int  # of a block
    heads: int
    row: int
    pitch: int = 0  # from one block of a plane to the next; 0: dense

    @property
    def block_bytes(self) -> int:
        """Of one plane, with the gap behind it."""
        return self.pitch or self.tokens * self.heads * self.row


class _Memory:
    """Bytes at an address, as torch takes them without a copy."""

    def __init__(self, address: int, count: int) -> None:
        self.__cuda_array_interface__ = {
            **{"data": (address, False), "shape": (count,), "typestr": "|u1", "version": 3}
        }


def bytes_at(address: int, count: int, device: torch.device) -> Tensor:
    """uint8 [count] of memory that is there already, and stays the caller's. For a CUDA device its own, or
    pinned memory of the host."""
    if not count:
        return torch.empty(0, dtype=torch.uint8, device=device)
    if device.type == "cuda":
        return torch.as_tensor(_Memory(address, count), device=device)
    if device.type != "cpu":
        raise NotImplementedError(f"kvforge: raw addresses on {device}")
    return torch.frombuffer((ctypes.c_uint8 * count).from_address(address), dtype=torch.uint8)


def pages_at(addresses: Sequence[int], shape: Shape, device: torch.device) -> list[list[Tensor]]:
    """[plane][layer]: views of a cache whose tensors begin at these addresses. ValueError for a format
    that this number of addresses is not of."""
    blk, blocks, layers, planes = shape.block_bytes, shape.blocks, shape.layers, shape.planes
    wanted = {**dict.fromkeys(CROSS_LAYER, 1), **dict.fromkeys(PLANE_TENSORS, planes * layers)}
    wanted[PAIRS] = planes * layers
    if len(addresses) != wanted.get(shape.format, layers):
        raise ValueError(
            f"kvforge: format {shape.format}: got {len(addresses)} addresses, want "
            f"{wanted.get(shape.format, layers)}"
        )
    if shape.format == CODES_THEN_SCALES:
        codes = shape.row - 4
        return [
            [_rows(at + skip, shape, blk, width, 0, width, device) for at in addresses]
            for skip, width in ((0, codes), (shape.tokens * codes, 4))
        ]
    # Where the first plane's block 0 of each layer is, from one plane to the next, and from block to block.
    starts, plane, block = list(addresses), 0, blk
    if shape.format in CROSS_LAYER:
        starts = [addresses[0] + layer * planes * blk for layer in range(layers)]
        plane, block = blk, layers * planes * blk
    elif shape.format in TWO_OUTSIDE:
        plane = blocks * blk
    elif shape.format in TWO_IN_BLOCK:
        plane, block = blk, planes * blk
    elif shape.format in PACKED and planes == 2:
        plane, block = shape.row, shape.pitch or 2 * blk
    row = shape.row * (planes if shape.format in PACKED else 1)  # from one head's row to the next
    token, head = shape.heads * row, row
    if shape.format in HEADS_OUTSIDE:
        token, head = row, shape.tokens * row

    def start(index: int, layer: int) -> int:
        if shape.format in PLANE_TENSORS:
            return addresses[index * layers + layer]
        if shape.format == PAIRS:
            return addresses[planes * layer + index]
        return starts[layer] + index * plane

    return [
        [
            _rows(start(index, layer), shape, block, token, head, shape.row, device)
            for layer in range(layers)
        ]
        for index in range(planes)
    ]


def _rows(
    address: int, shape: Shape, block: int, token: int, head: int, row: int, device: torch.device
) -> Tensor:
    """uint8 [blocks, tokens, heads, row] with these distances in bytes."""
    sizes = (shape.blocks, shape.tokens, shape.heads, row)
    strides = (block, token, head, 1)
    last = sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    count = last + 1 if all(sizes) else 0
    return bytes_at(address, count, device).as_strided(sizes, strides)


def plane_tuples(layers: Sequence[Sequence[Tensor]]) -> list[list[Tensor]]:
    """[plane][layer]: views of PLANE_TUPLES, whose planes have widths and dtypes of their own."""
    return [
        [plane.view(torch.uint8).flatten(2)[:, :, None] for plane in planes]
        for planes in zip(*layers, strict=True)
    ]


def object_rows(
    object_: Tensor, widths: Sequence[int], layers: int, heads: int
) -> list[list[Tensor]]:
    """[plane][layer]: views [1, tokens, heads, width] of an object in bytes.

    It is [planes, layers, tokens, heads * width]; where planes have widths that differ it is [layers,
    tokens, all widths].
    """
    flat = object_.reshape(-1)
    if len(set(widths)) == 1:
        each = flat.view(len(widths), layers, 1, -1, heads, widths[0])
        return [[each[plane, layer] for layer in range(layers)] for plane in range(len(widths))]
    each = flat.view(layers, 1, -1, 1, sum(widths))
    found, first = [], 0
    for width in widths:
        found.append([each[layer, ..., first : first + width] for layer in range(layers)])
        first += width
    return found


def seen_by(device: torch.device, tensor: Tensor) -> Tensor:
    """The same memory as a device has it that is to read or write it. ValueError if it cannot."""
    if tensor.device.type == device.type:
        return tensor
    if device.type != "cuda" or not tensor.is_pinned():
        raise ValueError(
            f"kvforge: object: got memory on {tensor.device}, want it on {device}, or pinned for a GPU"
        )
    last = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    count = (last + 1) * tensor.element_size() if tensor.numel() else 0
    memory = bytes_at(tensor.data_ptr(), count, device).view(tensor.dtype)
    return memory.as_strided(tensor.shape, tensor.stride())


def as_bytes(tensor: Tensor) -> Any:
    """A dense tensor's bytes, one-dimensional."""
    return tensor.view(-1).view(torch.uint8)
