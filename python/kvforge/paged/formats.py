"""Bytes of a head of one token in each format of a cache."""

from __future__ import annotations

import torch

ROUNDED = ("fp8", "fp8_e4m3", "fp8_e5m2", "int8")  # a byte an element, with static scales
PER_TOKEN_HEAD = (
    "int8_per_token_head",
    "int8_per_token_head_even",
    "fp8_per_token_head",
    "int4_per_token_head",
)
NVFP4 = ("nvfp4", "nvfp4_4over6")
GGML = {"q8_0": 34, "q4_0": 18}  # bytes of a block of 32
SAME = {
    "auto": None,
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
FORMATS = (*SAME, *ROUNDED, *PER_TOKEN_HEAD, *NVFP4, *GGML)

SCALE_BYTES = 4  # of a head of a token, float32
# Elements that the format packs together, or that come to a whole number of scales' bytes.
_GROUPS = {
    **dict.fromkeys(PER_TOKEN_HEAD, 4),
    "int4_per_token_head": 8,
    **dict.fromkeys(NVFP4, 16),
    **dict.fromkeys(GGML, 32),
}


def _code_bytes(kv_cache_dtype: str, head_size: int, dtype: torch.dtype) -> int:
    """Bytes of a head of keys, or of values, without the scales of PER_TOKEN_HEAD.

    Block scales of nvfp4, q8_0 and q4_0 are among them. Errors: as state_bytes().
    """
    if kv_cache_dtype not in FORMATS:
        raise ValueError(f"kv_cache_dtype: got {kv_cache_dtype!r}, want one of {FORMATS}")
    group = _GROUPS.get(kv_cache_dtype, 1)
    if head_size < 1 or head_size % group:
        raise ValueError(
            f"head_size: got {head_size}, want a multiple of {group} for {kv_cache_dtype}"
        )
    if kv_cache_dtype in SAME:
        if SAME[kv_cache_dtype] not in (None, dtype):
            raise ValueError(f"kv_cache_dtype: got {kv_cache_dtype!r} for keys of {dtype}")
        return head_size * int(dtype.itemsize)
    if kv_cache_dtype == "int4_per_token_head":
        return head_size // 2
    if kv_cache_dtype in NVFP4:
        return head_size // 2 + head_size // 16
    if kv_cache_dtype in GGML:
        return head_size // 32 * GGML[kv_cache_dtype]
    return head_size


def side_bytes(kv_cache_dtype: str, head_size: int, dtype: torch.dtype) -> int:
    """Bytes of a head of keys, or of values, of one token, with its scale. Errors: as state_bytes()."""
    scale = SCALE_BYTES if kv_cache_dtype in PER_TOKEN_HEAD else 0
    return _code_bytes(kv_cache_dtype, head_size, dtype) + scale


def state_bytes(
    kv_cache_dtype: str, head_size: int, dtype: torch.dtype, *, value_head_size: int | None = None
) -> int:
    """Bytes that one token takes in a cache for one KV head: its key, its value, and their scales.

    Args:
        kv_cache_dtype: one of FORMATS, as the ops have it.
        head_size: elements of a head of keys.
        dtype: that of keys and values; counts where the cache holds the same.
        value_head_size: elements of a head of values; None: as many.

    Errors: ValueError for another kv_cache_dtype, for one that names a dtype which is not `dtype`,
    and for a head_size that the format's groups do not divide (nvfp4 16, q8_0 and q4_0 32) or behind
    which a scale would not be aligned (4 per token and head, 8 of int4).
    """
    sizes = (head_size, head_size if value_head_size is None else value_head_size)
    return sum(side_bytes(kv_cache_dtype, size, dtype) for size in sizes)
