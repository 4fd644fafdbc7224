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
            value: [..., value_head_size], as key otherwise.
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
        query_start_loc: Tensor,
        seq_lens: Tensor,
        block_table: Tensor,
        scale: float,
        k_scale: Tensor,
        v_scale: Tensor,
        *,
        causal: bool = True,
        window_left: int = -1,
        window_right: int = -1,
        softcap: float = 0.0,
        alibi_slopes: Tensor | None = None,
        sinks: Tensor | None = None,
        max_query_len: int = 0,
        lse: Tensor | None = None,
        workspace: Tensor | None = None,
    ) -> None:
        """Attention of each token to its sequence: of prompts, parts of them, and tokens that decode.

        Args:
            out: [num_tokens, num_q_heads, value_head_size], f32 or the dtype of query, any strides;
                written, but for tokens that no sequence has.
            query: [num_tokens, num_q_heads, head_size].
            query_start_loc: [num_seqs + 1], int32: the first token of each sequence, and the end.
            seq_lens: [num_seqs], int32: tokens in the cache, those of this step included.
            block_table: [num_seqs, width], int32 or int64: the pages of each sequence.
            scale: what query . key is multiplied by.
            k_scale: as write() has been given.
            v_scale: as k_scale.
            causal: whether a token sees none behind it.
            window_left: tokens before it that a token sees; below 0: all.
            window_right: tokens behind it that a token sees; below 0: all.
            softcap: what scores are kept within; 0: as they are.
            alibi_slopes: [num_q_heads], f32.
            sinks: [num_q_heads], f32 or the dtype of query.
            max_query_len: tokens that a sequence has in this step at most; 0: not known.
            lse: [num_q_heads, num_tokens], f32: written.
            workspace: what make_workspace() gives.

        Errors: those of paged_attention.
        """
        own = self.k_scale is not None
        _ops().paged_attention(
            out,
            query,
            self.key,
            self.value,
            query_start_loc,
            seq_lens,
            block_table,
            scale,
            self.kv_cache_dtype,
            self.k_scale if own else k_scale,
            self.v_scale if own else v_scale,
            causal,
            window_left,
            window_right,
            softcap,
            alibi_slopes,
            sinks,
            swizzle_v_scales=False,
            max_query_len=max_query_len,
            lse=lse,
            workspace=workspace,
        )
