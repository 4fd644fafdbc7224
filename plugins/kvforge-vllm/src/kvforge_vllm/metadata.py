"""vLLM's batch as rows of kvforge's reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from vllm.v1.attention.backend import AttentionCGSupport, AttentionMetadataBuilder

from kvforge import paged


@dataclass
class KvforgeMetadata:
    """One row for each query token: the pages of its sequence and the tokens that it sees."""

    num_rows: int
    block_table: Tensor
    seq_lens: Tensor
    workspace: Tensor | None


class KvforgeMetadataBuilder(AttentionMetadataBuilder[KvforgeMetadata]):
    """Steps in which every sequence decodes can be captured: their rows are vLLM's own buffers, and
    the workspace is this builder's for as long as it lives."""

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
        if step.causal is not True:
            raise NotImplementedError("kvforge: attention that is not causal")
        rows = step.num_actual_tokens
        table, lens = step.block_table_tensor[: step.num_reqs], step.seq_lens[: step.num_reqs]
        if step.max_query_len > 1 or rows != step.num_reqs:
            starts = step.query_start_loc[: step.num_reqs + 1]
            table, lens = paged.query_rows(starts, lens, table, rows)
        return KvforgeMetadata(rows, table, lens, self._workspace(rows))
