"""Views of an engine's memory as pages.

Which one it is depends on the engine: vLLM from 0.32 on has `interleaved`, before that `separate`
(dim 0 for FlashAttention, 1 for FlashInfer and Triton), mistral.rs and vLLM's paged_attention_v1
`grouped`. Order and distance of blocks, tokens, heads and layers in memory are told by strides, so a
layout such as [block, token, head] or [block, layer, head, token] needs a permuted view and nothing
else.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kvforge.paged.formats import NVFP4, PER_TOKEN_HEAD, SAME, SCALE_BYTES, side_bytes
from kvforge.paged.pages import Pages


def interleaved(
    kv_cache: Tensor, kv_cache_dtype: str, head_size: int, *, value_head_size: int | None = None
) -> Pages:
    """Pages of a cache that holds, for each head of each token, its key and behind it its value.

    Args:
        kv_cache: [num_blocks, num_kv_heads, block_size, content], any strides but 1 in the last
            dimension. content is head_size + value_head_size elements of the scalar dtype, or
            state_bytes() of a type of one byte: codes of the key, its scale where there is one, and
            the same of the value. nvfp4 has another order, and bytes of a block must lie in one run:
            the page of keys, then that of values, each as reshape_and_cache_flash_nvfp4 has it, heads
            outside.
        kv_cache_dtype: one of FORMATS.
        head_size: elements of a head of keys.
        value_head_size: elements of a head of values, as where vLLM's spec of a layer has a
            head_size_v; None: as many.

    Errors: ValueError for another shape, or a block of nvfp4 with gaps.
    """
    sizes = (head_size, head_size if value_head_size is None else value_head_size)
    sides = [_side(kv_cache, kv_cache_dtype, size) for size in sizes]
    _check("interleaved", kv_cache, (None, None, None, sum(sides)))
    if kv_cache_dtype in NVFP4:
        return _block_runs(kv_cache, kv_cache_dtype, sides)
    key, value = kv_cache.transpose(1, 2).split(sides, -1)
    return _pages(kv_cache_dtype, key, value)


def separate(kv_cache: Tensor, kv_cache_dtype: str, head_size: int, *, dim: int = 0) -> Pages:
    """Pages of a cache in which keys and values are apart.

    Args:
        kv_cache: [2, num_blocks, block_size, num_kv_heads, side] with dim 0, [num_blocks, 2,
            block_size, num_kv_heads, side] with dim 1; any strides but 1 in the last dimension, so
            that the order of heads and tokens is the caller's, by a transposed view. side is
            head_size elements of the scalar dtype, or half of state_bytes() of a type of one byte:
            codes, and the scale behind them where there is one.
        kv_cache_dtype: one of FORMATS; for nvfp4 blocks of a side have no gaps.
        head_size: elements of a head.
        dim: 0 or 1, where the 2 is.

    Errors: ValueError for another shape or dim.
    """
    if dim not in (0, 1):
        raise ValueError(f"separate: dim: got {dim}, want 0 or 1")
    side = _side(kv_cache, kv_cache_dtype, head_size)
    two = (2, None) if dim == 0 else (None, 2)
    _check("separate", kv_cache, (*two, None, None, side))
    key, value = kv_cache.unbind(dim)
    return _pages(kv_cache_dtype, key, value)


def grouped(
    kv_cache: Tensor, kv_cache_dtype: str, head_size: int, *, num_kv_heads: int, block_size: int
) -> Pages:
    """Pages as reshape_and_cache has them: x neighbouring elements of a key lie together, and a value's
    elements apart.

    Args:
        kv_cache: [2, num_blocks, num_kv_heads * head_size * block_size], without gaps in a block:
            keys as [num_kv_heads, head_size / x, block_size, x] with x elements of 16 bytes in all,
            values as [num_kv_heads, head_size, block_size].
        kv_cache_dtype: the dtype of keys, fp8 or int8.
        head_size: elements of a head, a multiple of x.
        num_kv_heads: heads of keys and values.
        block_size: tokens of a page.

    Errors: ValueError for another shape, format or head_size.
    """
    side = _side(kv_cache, kv_cache_dtype, head_size)
    if side != head_size or kv_cache_dtype in PER_TOKEN_HEAD:
        raise ValueError(f"grouped: kv_cache_dtype: got {kv_cache_dtype!r}, want fp8 or int8 codes")
    x = 16 // kv_cache.element_size()
    if head_size % x:
        raise ValueError(f"grouped: head_size: got {head_size}, want a multiple of {x}")
    _check("grouped", kv_cache, (2, None, num_kv_heads * head_size * block_size))
    key = kv_cache[0].view(-1, num_kv_heads, head_size // x, block_size, x)
    value = kv_cache[1].view(-1, num_kv_heads, head_size, block_size)
    return Pages(kv_cache_dtype, key, value)


def codes_and_block_scales(side: Tensor) -> tuple[Tensor, Tensor]:
    """Views of what a side of pages of nvfp4 is made of, `Pages.key` or `Pages.value`.

    Args:
        side: [num_blocks, block_size, num_kv_heads, D / 2 + D / 16], uint8; the last three dimensions
            without gaps, heads outside of tokens or tokens outside.

    Returns: codes [num_blocks, block_size, num_kv_heads, D / 2] and scales [..., D / 16], uint8.
    """
    blocks, tokens, heads, width = side.shape
    found, first = [], side.storage_offset()
    for part in (width * 8 // 9, width // 9):  # of 9 bytes 8 are codes
        steps = [step * part // width for step in side.stride()[1:3]]
        shape = (blocks, tokens, heads, part)
        found.append(side.as_strided(shape, (side.stride(0), *steps, 1), first))
        first += tokens * heads * part
    return found[0], found[1]


def _side(kv_cache: Tensor, kv_cache_dtype: str, head_size: int) -> int:
    """Elements of kv_cache that a head of this size takes."""
    size = side_bytes(kv_cache_dtype, head_size, kv_cache.dtype)
    if kv_cache_dtype in SAME:
        return head_size
    if kv_cache.element_size() != 1:
        raise ValueError(f"kv_cache: got {kv_cache.dtype}, want a type of one byte")
    return size


def _check(function: str, kv_cache: Tensor, wanted: tuple[int | None, ...]) -> None:
    """ValueError unless kv_cache has this shape, in which None is any size, and elements of a head lie
    together."""
    shape = tuple(kv_cache.shape)
    fits = len(shape) == len(wanted) and all(
        want in (None, size) for size, want in zip(shape, wanted, strict=True)
    )
    if not fits:
        text = ", ".join("any" if want is None else str(want) for want in wanted)
        raise ValueError(f"{function}: kv_cache: got shape {list(shape)}, want [{text}]")
    if kv_cache.stride(-1) != 1:
        raise ValueError(
            f"{function}: kv_cache: got stride {kv_cache.stride(-1)} in the last dimension, want 1"
        )


def _pages(kv_cache_dtype: str, key: Tensor, value: Tensor) -> Pages:
    """Pages of two sides, [num_blocks, block_size, num_kv_heads, side], each with its scale at the end
    where there is one."""
    if kv_cache_dtype in SAME:
        return Pages(kv_cache_dtype, key, value)
    key, value = key.view(torch.uint8), value.view(torch.uint8)
    if kv_cache_dtype not in PER_TOKEN_HEAD:
        return Pages(kv_cache_dtype, key, value)
    codes = [side[..., :-SCALE_BYTES] for side in (key, value)]
    scales = [side[..., -SCALE_BYTES:].view(torch.float32)[..., 0] for side in (key, value)]
    return Pages(kv_cache_dtype, *codes, *scales)


def _block_runs(kv_cache: Tensor, kv_cache_dtype: str, sides: list[int]) -> Pages:
    """Pages of nvfp4: the bytes of a block, whatever the order of heads and tokens was."""
    num_blocks, num_heads, block_size, _ = kv_cache.shape
    run = 1
    for stride, size in sorted((kv_cache.stride(d), kv_cache.shape[d]) for d in (1, 2, 3)):
        if size != 1 and stride != run:
            raise ValueError(
                f"interleaved: kv_cache: got strides {list(kv_cache.stride())}, want blocks of "
                f"{kv_cache_dtype} without gaps"
            )
        run *= size
    found, first = [], kv_cache.storage_offset()
    for side in sides:
        shape = (num_blocks, block_size, num_heads, side)
        strides = (kv_cache.stride(0), side, block_size * side, 1)
        found.append(kv_cache.view(torch.uint8).as_strided(shape, strides, first))
        first += block_size * num_heads * side
    return Pages(kv_cache_dtype, *found)
