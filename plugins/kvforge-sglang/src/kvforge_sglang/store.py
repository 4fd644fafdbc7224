"""Keys and values of a step into SGLang's pool, in one launch: conversion, scale and scatter."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from sglang.srt.mem_cache.memory_pool import MHATokenToKVPool, unwrap_write_loc
from torch import Tensor

from kvforge import paged

TARGET = "sglang.srt.mem_cache.memory_pool.MHATokenToKVPool.set_kv_buffer"
FORMATS = {torch.float8_e4m3fn: "fp8_e4m3", torch.float8_e5m2: "fp8_e5m2"}
SCALARS = (torch.float32, torch.float16, torch.bfloat16)


def why_not(pool: Any) -> str | None:
    """What keeps kvforge from a pool of SGLang; None if nothing does."""
    if type(pool) is not MHATokenToKVPool:
        return f"pool: got {type(pool).__name__}, want MHATokenToKVPool"
    if pool.kv_cache_layout not in ("nhd", "hnd"):
        return f"layout: got {pool.kv_cache_layout}, want nhd or hnd"
    if pool.is_quantized_kv_cache:
        return "kv_cache_dtype: got scales of SGLang's own beside the cache, want auto or fp8"
    if pool.dtype not in (*SCALARS, *FORMATS):
        return f"kv_cache_dtype: got {pool.dtype}, want one of {[*SCALARS, *FORMATS]}"
    return None


def pages_of(pool: Any, key: Tensor, value: Tensor) -> paged.Pages:
    """Views of a layer's buffers as pages. NHD buffers are [slots, heads, size], HND [pages, heads,
    page_size, size]; slots behind the last whole page are none of SGLang's."""
    page_size = pool.page_size

    def pages(buffer: Tensor) -> Tensor:
        if pool.kv_cache_layout == "hnd":
            return buffer.transpose(1, 2)
        whole = buffer.shape[0] // page_size
        return buffer[: whole * page_size].view(whole, page_size, *buffer.shape[1:])

    if pool.dtype in FORMATS:
        key, value = key.view(torch.uint8), value.view(torch.uint8)
    return paged.Pages(FORMATS.get(pool.dtype, "auto"), pages(key), pages(value))


@functools.lru_cache(maxsize=4096)
def _constant(scale: float, device: torch.device) -> Tensor:
    """A scale that the host knows, on the device, once."""
    return torch.full((1,), scale, dtype=torch.float32, device=device)


def scale_of(scale: Tensor | float | None, device: torch.device) -> Tensor:
    """What SGLang has as a layer's scale, as the ops take it: f32, one element; 1 for None."""
    if isinstance(scale, Tensor):
        return scale.to(device, torch.float32).reshape(-1)
    return _constant(1.0 if scale is None else float(scale), device)


def set_kv_buffer(
    original: Callable[..., None],
    pool: Any,
    layer: Any,
    loc_info: Any,
    cache_k: Tensor,
    cache_v: Tensor,
    k_scale: Tensor | float | None = None,
    v_scale: Tensor | float | None = None,
    layer_id_override: int | None = None,
    dcp_kv_mask: Tensor | None = None,
) -> None:
    """SGLang's MHATokenToKVPool.set_kv_buffer, by kvforge where it can and else by the original.

    Args:
        original: SGLang's.
        cache_k: [num_tokens, num_kv_heads, head_size], f32, f16 or bf16; it is not changed, where
            SGLang's own divides it in place.
        cache_v: as cache_k, of v_head_dim elements.
        k_scale: what keys are divided by in a cache of fp8; quotients are rounded once, and cut off
            at the largest number of the format.
        v_scale: as k_scale.

    Errors: those of reshape_and_cache_flash, for a slot outside of the pool too.
    """
    arguments = (pool, layer, loc_info, cache_k, cache_v, k_scale, v_scale)
    same = cache_k.dtype == pool.dtype
    if (
        why_not(pool) is not None
        or dcp_kv_mask is not None
        or cache_k.dtype not in SCALARS
        or cache_v.dtype != cache_k.dtype
        or not (same or pool.dtype in FORMATS)
    ):
        original(*arguments, layer_id_override=layer_id_override, dcp_kv_mask=dcp_kv_mask)
        return
    pool._check_physical_write_loc(loc_info, "set_kv_buffer (kvforge)")
    loc, _, _ = unwrap_write_loc(loc_info)
    index = (layer.layer_id if layer_id_override is None else layer_id_override) - pool.start_layer
    pages_of(pool, pool.k_buffer[index], pool.v_buffer[index]).write(
        cache_k, cache_v, loc, scale_of(k_scale, loc.device), scale_of(v_scale, loc.device)
    )
