"""What vLLM allocates for a layer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

import torch


class KVCacheLayout(Enum):
    """Order of [layer, block, head, token, content] in memory."""

    LBHNC = (0, 1, 2, 3, 4)
    LBNHC = (0, 1, 3, 2, 4)
    LHBNC = (0, 2, 1, 3, 4)
    BLHNC = (1, 0, 2, 3, 4)
    BLNHC = (1, 0, 3, 2, 4)
    BHLNC = (1, 2, 0, 3, 4)


class KVQuantMode(IntEnum):
    """By the name of the format."""

    NONE = 0
    FP8_PER_TENSOR = 1
    INT8_PER_TOKEN_HEAD = 2
    FP8_PER_TOKEN_HEAD = 3
    INT4_PER_TOKEN_HEAD = 4
    NVFP4 = 5

    @property
    def is_per_token_head(self) -> bool:
        """A scale for each head of each token."""
        return self.name.endswith("PER_TOKEN_HEAD")

    @property
    def is_nvfp4(self) -> bool:
        """E2M1 pairs."""
        return self == KVQuantMode.NVFP4


def get_kv_quant_mode(kv_cache_dtype: str) -> KVQuantMode:
    """As vLLM's, of the formats above."""
    if kv_cache_dtype.endswith("per_token_head"):
        return KVQuantMode[kv_cache_dtype.upper()]
    if kv_cache_dtype.startswith("nvfp4"):
        return KVQuantMode.NVFP4
    return KVQuantMode.FP8_PER_TENSOR if kv_cache_dtype.startswith("fp8") else KVQuantMode.NONE


@dataclass(frozen=True, kw_only=True)
class FullAttentionSpec:
    """A layer's cache."""

    block_size: int
    num_kv_heads: int
    head_size: int
    dtype: torch.dtype
    head_size_v: int = 0
    kv_quant_mode: KVQuantMode = KVQuantMode.NONE
    num_head_slots: int | None = None
    state_content_bytes: int | None = None
    tokens_per_state: int = 1
    sliding_window: int | None = None

    @property
    def state_content_size_bytes(self) -> int:
        """Of a head of a token."""
        if self.state_content_bytes is not None:
            return self.state_content_bytes
        return (self.head_size + self.head_size_v) * int(self.dtype.itemsize)


class SparseCacheRole(str, Enum):
    """What a cache without keys and values is for."""

    SPARSE = "sparse"
    INDEXER = "indexer"


@dataclass(frozen=True, kw_only=True)
class MLAAttentionSpec(FullAttentionSpec):
    """Of a latent, which all heads share."""

    cache_dtype_str: str | None = None
    model_version: str | None = None
    cache_role: SparseCacheRole = SparseCacheRole.SPARSE


@dataclass(frozen=True, kw_only=True)
class UniformTypeKVCacheSpecs:
    """Of layers with the same number of slots for each token."""

    block_size: int
    kv_cache_specs: dict[str, FullAttentionSpec]
