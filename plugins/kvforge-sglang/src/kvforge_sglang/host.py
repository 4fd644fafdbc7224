"""Where SGLang asks by a backend's name whether there is Triton: without a GPU there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def support_triton(original: Callable[..., bool], backend: str) -> bool:
    """SGLang's support_triton: whether its allocators may launch Triton kernels."""
    if backend == "kvforge" and not torch.cuda.is_available():
        return False
    return original(backend)


def get_last_loc(
    original: Callable[..., Tensor], req_to_token: Tensor, *arguments: Any, **more: Any
) -> Tensor:
    """SGLang's get_last_loc, which takes every name but its own two for one with Triton."""
    if req_to_token.device.type == "cpu":
        from sglang.srt.mem_cache.allocation import get_last_loc_torch

        found: Tensor = get_last_loc_torch(req_to_token, *arguments, **more)
        return found
    return original(req_to_token, *arguments, **more)


HOOKS: dict[str, Callable[..., Any]] = {
    "sglang.srt.utils.common.support_triton": support_triton,
    "sglang.srt.mem_cache.allocation.get_last_loc": get_last_loc,
}
