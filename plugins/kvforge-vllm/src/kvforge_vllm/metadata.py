"""vLLM's batch as kvforge's reader takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from vllm.v1.attention.backend import AttentionCGSupport, AttentionMetadataBuilder

from kvforge import paged


@dataclass
class KvforgeMetadata:
    """A step: vLLM's own buffers, of the sequences that there are."""

    num_tokens: int
    max_query_len: int
    query_start_loc: Tensor
    seq_lens: Tensor
    block_table: Tensor
    causal: bool
    workspace: Tensor | None


class KvforgeMetadataBuilder(AttentionMetadataBuilder[KvforgeMetadata]):
    """Steps in which every sequence decodes can be captured: what they read are vLLM's own buffers,
    and the workspace is this builder's for as long as it lives."""

    _cudagraph_support = AttentionCGSupport.UNIFORM_SINGLE_TOKEN_DECODE

    def __init__(
        self, kv_cache_spec: Any, layer_names: list[str], vllm_config: Any, device: torch.device
    ) -> None:
        super().__init__(kv_cache_spec, layer_names, vllm_config, device)
        model = vllm_config.model_config
        self.num_heads = model.get_num_attention_heads(vllm_config.parallel_config)
        self.num_kv_heads, self.head_size = kv_cache_spec.num_kv_heads, kv_cache_spec.head_size
        self.max_rows = vllm_config.scheduler_config.max_num_seqs
        self.max_model_len = model.max_model_len
        parts = max(
            (rows * splits if (splits := self._splits(rows)) > 1 else 0)
            for rows in range(1, self.max_rows + 1)
        )
        self.room = torch.empty(parts * self.num_heads * (self.head_size + 2), device=device)

    def _splits(self, rows: int) -> int:
        """Of a step with so many rows, whatever their lengths: what is captured fits all of them."""
        return paged.choose_splits(
            rows, self.num_heads, self.num_kv_heads, self.max_model_len, self.device
        )

    def _workspace(self, rows: int) -> Tensor | None:
        splits = self._splits(rows) if rows <= self.max_rows else 1
        if splits == 1:
            return None
        shape = (rows, self.num_heads, splits, self.head_size + 2)
        return self.room[: torch.Size(shape).numel()].view(shape)

    def build(
        self, common_prefix_len: int, common_attn_metadata: Any, fast_build: bool = False
    ) -> KvforgeMetadata:
        """Called once a step; the layers share what it returns."""
        step = common_attn_metadata
        if not isinstance(step.causal, bool):
            raise NotImplementedError("kvforge: attention that is causal for some sequences only")
        tokens, seqs = step.num_actual_tokens, step.num_reqs
        return KvforgeMetadata(
            tokens,
            step.max_query_len,
            step.query_start_loc[: seqs + 1],
            step.seq_lens[:seqs],
            step.block_table_tensor[:seqs],
            step.causal,
            self._workspace(tokens),
        )
