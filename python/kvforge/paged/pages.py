"""Pages as the ops take them, and the op for what they hold."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import kvforge.torch
from kvforge.paged.formats import GGML, NVFP4


@functools.cache
def _ops() -> Any:
    """kvforge's ops in torch's dispatcher, under no other library's names."""
    kvforge.torch.register(own_namespace="only")
    return torch.ops.kvforge


@dataclass(frozen=True)
class Pages:
    """The cache of one layer: views of an engine's memory, which stays the engine's.

    Of key and value every shape and stride that reshape_and_cache_flash and its kin take: rank 4,
    [num_blocks, block_size, num_kv_heads, elements or bytes]; or rank 5 and 4, as reshape_and_cache
    has it. Pages of nvfp4 have the block scales of values in order, not swizzled.
    """

    kv_cache_dtype: str
    key: Tensor
    value: Tensor
    k_scale: Tensor | None = None  # [num_blocks, block_size, num_kv_heads], f32: of each token
    v_scale: Tensor | None = None

    def write(
        self,
        key: Tensor,
        value: Tensor,
        slot_mapping: Tensor,
        k_scale: Tensor,
        v_scale: Tensor,
        *,
        slot_remap: Tensor | None = None,
    ) -> None:
        """Puts keys and values into their slots.

        Args:
            key: [num_rows >= num_tokens, num_kv_heads, head_size], f32, f16 or bf16, any strides.
            value: as key.
            slot_mapping: [num_tokens], int64 or int32: block * block_size + offset; a negative one
                skips its row.
            k_scale: f32, one element or [num_kv_heads]; not read where the cache holds the dtype of
                key, or scales of its own for each token or block of elements but nvfp4's.
            v_scale: as k_scale.
            slot_remap: [num_slots], int64 or int32: what slots are looked up in before they are used,
                as by an engine with a second pool for windows.

        Errors: those of the op.
        """
        pages, scales = (self.key, self.value), (k_scale, v_scale)
        if self.k_scale is not None and self.v_scale is not None:
            _ops().reshape_and_cache_flash_per_token_head(
                key,
                value,
                *pages,
                self.k_scale,
                self.v_scale,
                slot_mapping,
                self.kv_cache_dtype,
                slot_remap=slot_remap,
            )
            return
        tokens = (key, value, *pages, slot_mapping, self.kv_cache_dtype)
        if self.kv_cache_dtype in NVFP4:
            _ops().reshape_and_cache_flash_nvfp4(
                *tokens, *scales, swizzle_v_scales=False, slot_remap=slot_remap
            )
        elif self.kv_cache_dtype in GGML:
            _ops().reshape_and_cache_flash_ggml(*tokens, slot_remap=slot_remap)
        elif self.key.dim() == 5:
            _ops().reshape_and_cache(*tokens, *scales, slot_remap=slot_remap)
        else:
            _ops().reshape_and_cache_flash(*tokens, *scales, slot_remap=slot_remap)

    def attend(
        self,
        out: Tensor,
        query: Tensor,
        block_table: Tensor,
        seq_lens: Tensor,
        scale: float,
        k_scale: Tensor,
        v_scale: Tensor,
        *,
        alibi_slopes: Tensor | None = None,
        sliding_window: int = 0,
        workspace: Tensor | None = None,
    ) -> None:
        """Attention of each row of query to the tokens of its sequence up to its own.

        Args:
            out: [num_rows, num_q_heads, head_size], the dtype of query, any strides; written.
            query: [num_rows, num_q_heads, head_size].
            block_table: [num_rows, width], int32 or int64: the pages of each row's sequence.
            seq_lens: [num_rows], int32: the tokens that a row sees, its own included; 0: out is 0.
            scale: what query . key is multiplied by.
            k_scale: as write() has been given.
            v_scale: as k_scale.
            alibi_slopes: [num_q_heads], f32.
            sliding_window: positions that are attended to, the row's own included; 0: all.
            workspace: what make_workspace() gives.

        query_rows() makes block_table and seq_lens of an engine's batch. Errors: those of
        paged_attention_decode.
        """
        own = self.k_scale is not None
        _ops().paged_attention_decode(
            out,
            query,
            self.key,
            self.value,
            block_table,
            seq_lens,
            scale,
            self.kv_cache_dtype,
            self.k_scale if own else k_scale,
            self.v_scale if own else v_scale,
            alibi_slopes,
            sliding_window,
            swizzle_v_scales=False,
            workspace=workspace,
        )
