"""LMCache's five operations on tokens. The names, arguments and their order are LMCache's.

LMCache takes every public name of this module, so what is not an operation has an underscore.
"""

from __future__ import annotations

import functools as _functools
from collections.abc import Sequence as _Sequence
from typing import Any as _Any

import torch as _torch

import kvforge.torch as _kvforge
from kvforge_lmcache import formats as _formats

_TO_PAGES, _TO_OBJECT = 0, 1


def __dir__() -> list[str]:
    return [name for name in globals() if "transfer" in name and not name.startswith("_")]


@_functools.cache
def _ops() -> _Any:
    _kvforge.register(own_namespace="only")
    return _torch.ops.kvforge


def _move(
    pages: list[list[_torch.Tensor]],
    object_: list[list[_torch.Tensor]],
    slots: _torch.Tensor,
    direction: _Any,
    first: int = 0,
) -> None:
    """Tokens first, first + 1, ... of an object from or to these slots of the pages; slots below 0 are
    left out. IndexError, and nothing is written, for a slot that there is not (on the CPU; a GPU leaves it
    out, too). On a GPU it is done on its current stream."""
    if int(direction) not in (_TO_PAGES, _TO_OBJECT):
        raise ValueError(f"kvforge: direction: got {direction}, want 0 or 1")
    here = slots.to(pages[0][0].device, _torch.int64)
    there = _torch.arange(first, first + len(here), device=here.device)
    sides = [([view for plane in pages for view in plane], here)]
    sides.append(([view for plane in object_ for view in plane], there))
    (source, sources), (target, targets) = sides[:: 1 if int(direction) == _TO_OBJECT else -1]
    _ops().kv_relayout(source, target, sources, targets, "b8", "b8", [], [], len(pages[0]))


def _addresses(given: _Any) -> list[int]:
    """Of a tensor of addresses, of tensors, or of lists of such."""
    if isinstance(given, _torch.Tensor):
        if given.dtype in (_torch.int64, _torch.uint64) and given.ndim == 1:
            return [int(each) for each in given.tolist()]
        return [given.data_ptr()]
    found: list[int] = []
    for each in given:
        found += [each.data_ptr()] if isinstance(each, _torch.Tensor) else _addresses(each)
    return found


def _block_slots(block_ids: _Any, tokens: int) -> _torch.Tensor:
    blocks = _torch.as_tensor(block_ids, dtype=_torch.int64)
    return (blocks[:, None] * tokens + _torch.arange(tokens, device=blocks.device)).reshape(-1)


def multi_layer_block_kv_transfer(  # type: ignore[no-untyped-def]
    paged_buffer_ptrs_tensor: _Any,
    lmcache_objects_ptrs,  # LMCache looks at its annotation: none says that addresses will do
    block_ids: _Any,
    device: _Any,
    direction: _Any,
    shape_desc: _Any,
    lmcache_chunk_size: int,
    engine_kv_format: _Any,
    skip_prefix_n_blocks: int,
) -> None:
    """Blocks of an engine's cache from or to objects of lmcache_chunk_size tokens, in order; the first
    skip_prefix_n_blocks are left out."""
    tokens = int(shape_desc.bs)
    if tokens < 1 or lmcache_chunk_size < 1 or lmcache_chunk_size % tokens:
        raise ValueError(
            f"kvforge: lmcache_chunk_size: got {lmcache_chunk_size}, want a multiple of {tokens}"
        )
    if skip_prefix_n_blocks < 0:
        raise ValueError(
            f"kvforge: skip_prefix_n_blocks: got {skip_prefix_n_blocks}, want 0 or more"
        )
    if int(engine_kv_format) == _formats.PLANE_TUPLES:
        pages = _formats.plane_tuples(paged_buffer_ptrs_tensor)
        heads = 1
    else:
        shape = _shape(engine_kv_format, shape_desc)
        addresses = _addresses(paged_buffer_ptrs_tensor)
        pages, heads = _formats.pages_at(addresses, shape, _torch.device(device)), shape.heads
    widths = [plane[0].shape[3] for plane in pages]
    layers, each = len(pages[0]), lmcache_chunk_size // tokens
    count = layers * lmcache_chunk_size * heads * sum(widths)
    for number, object_ in enumerate(lmcache_objects_ptrs):
        first = max(number * each, skip_prefix_n_blocks)
        blocks = block_ids[first : (number + 1) * each]
        if not len(blocks):
            continue
        if isinstance(object_, _torch.Tensor):
            flat = _formats.as_bytes(_formats.seen_by(pages[0][0].device, object_))
        else:
            flat = _formats.bytes_at(int(object_), count, pages[0][0].device)
        if flat.numel() != count:
            raise ValueError(f"kvforge: object: got {flat.numel()} bytes, want {count}")
        rows = _formats.object_rows(flat, widths, layers, heads)
        slots = _block_slots(blocks, tokens)
        _move(pages, rows, slots, direction, (first - number * each) * tokens)


def _shape(engine_kv_format: _Any, desc: _Any) -> _formats.Shape:
    format = int(engine_kv_format)
    one = format in (*_formats.LATENT, _formats.SINGLE, _formats.CODES_THEN_SCALES)
    packed = format in _formats.PACKED
    return _formats.Shape(
        format,
        1 if one or (packed and int(desc.kv_size) == 1) else 2,
        int(desc.nl),
        int(desc.nb),
        int(desc.bs),
        1 if format in (*_formats.LATENT, _formats.CODES_THEN_SCALES) else int(desc.nh),
        int(desc.hs) * int(desc.element_size),
        int(getattr(desc, "block_stride_elems", 0) or 0) * int(desc.element_size),
    )


def multi_layer_kv_transfer(
    key_value: _torch.Tensor,
    key_value_ptrs: _Any,
    slot_mapping: _torch.Tensor,
    paged_memory_device: _Any,
    page_buffer_size: int,
    direction: _Any,
    engine_kv_format: _Any,
    block_size: int = 0,
    head_size: int = 0,
    skip_prefix_n_tokens: int = 0,
    block_stride_elems: int = 0,
) -> None:
    """Tokens of key_value [planes, layers, tokens, heads * head_size] from or to slots of all layers; the
    first skip_prefix_n_tokens are left out. Without a block_size the slots of a layer lie in one run."""
    format, size = int(engine_kv_format), key_value.element_size()
    planes, layers, _, hidden = key_value.shape
    if format in _formats.HEADS_OUTSIDE and not head_size:
        raise ValueError(f"kvforge: head_size: got 0 for format {format}, want the size of a head")
    tokens, row = block_size or page_buffer_size, head_size or hidden
    if not tokens or page_buffer_size % tokens or hidden % row:
        raise ValueError(
            f"kvforge: got {page_buffer_size} slots in blocks of {block_size}, and rows of {hidden} in "
            f"heads of {head_size}"
        )
    if format == _formats.CODES_THEN_SCALES:
        row = hidden
    shape = _formats.Shape(
        *(format, planes, layers, page_buffer_size // tokens, tokens, hidden // row, row * size),
        block_stride_elems * size,
    )
    device = _torch.device(paged_memory_device)
    pages = _formats.pages_at(_addresses(key_value_ptrs), shape, device)
    key_value = _formats.seen_by(device, key_value)
    widths = [plane[0].shape[3] for plane in pages]
    rows = _formats.object_rows(_formats.as_bytes(key_value), widths, layers, shape.heads)
    slots = slot_mapping.to(_torch.int64, copy=True)
    slots[:skip_prefix_n_tokens] = -1
    _move(pages, rows, slots, direction)


def multi_layer_kv_transfer_unilateral(
    key_value: _torch.Tensor,
    key_value_ptrs: _Any,
    slot_mapping: _torch.Tensor,
    paged_memory_device: _Any,
    page_buffer_size: int,
    direction: _Any,
    engine_kv_format: _Any,
) -> None:
    """The same for a tensor of keys and one of values in each layer, keys of all layers first."""
    one = int(engine_kv_format) in _formats.LATENT
    format = engine_kv_format if one else _formats.PLANE_TENSORS[0]
    multi_layer_kv_transfer(
        key_value,
        key_value_ptrs,
        slot_mapping,
        paged_memory_device,
        page_buffer_size,
        direction,
        format,
    )


def single_layer_kv_transfer(
    lmc_key_value_cache: _torch.Tensor,
    vllm_key_value_cache: _torch.Tensor,
    slot_mapping: _torch.Tensor,
    direction: _Any,
    engine_kv_format: _Any,
    token_major: bool = False,
) -> None:
    """Tokens of one layer from or to [2, tokens, heads * size], or with token_major [tokens, 2, ...]; of
    a latent [tokens, size]."""
    cache = vllm_key_value_cache
    if int(engine_kv_format) in _formats.LATENT:
        _single([cache.unsqueeze(2)], lmc_key_value_cache[None], slot_mapping, direction)
        return
    dim = 0 if int(engine_kv_format) in _formats.TWO_OUTSIDE else 1
    planes = [
        each.transpose(1, 2) if _outside(engine_kv_format) else each for each in cache.unbind(dim)
    ]
    _single(planes, _plane_major(lmc_key_value_cache, token_major), slot_mapping, direction)


def single_layer_kv_transfer_sgl(
    lmc_key_value_cache: _torch.Tensor,
    sgl_key_cache: _torch.Tensor,
    sgl_value_cache: _torch.Tensor,
    slot_mapping: _torch.Tensor,
    direction: _Any,
    token_major: bool = False,
) -> None:
    """The same for keys and values [blocks, tokens, heads, size] of their own."""
    planes = [sgl_key_cache, sgl_value_cache]
    _single(planes, _plane_major(lmc_key_value_cache, token_major), slot_mapping, direction)


def _outside(engine_kv_format: _Any) -> bool:
    return int(engine_kv_format) in _formats.HEADS_OUTSIDE


def _plane_major(object_: _torch.Tensor, token_major: bool) -> _torch.Tensor:
    return object_.transpose(0, 1) if token_major else object_


def _single(
    planes: _Sequence[_torch.Tensor],
    object_: _torch.Tensor,
    slots: _torch.Tensor,
    direction: _Any,
) -> None:
    """Planes [blocks, tokens, heads, size], any strides, and an object [planes, tokens, heads * size]."""
    object_ = _formats.seen_by(planes[0].device, object_)
    heads, size = planes[0].shape[2:]
    rows = [[plane.unflatten(-1, (heads, size))[None]] for plane in object_]
    _move([[plane] for plane in planes], rows, slots, direction)
