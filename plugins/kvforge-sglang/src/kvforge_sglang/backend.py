"""The attention backend: SGLang's pool is written and read by kvforge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from sglang.srt.layers.attention.base_attn_backend import AttentionBackend
from sglang.srt.layers.radix_attention import AttentionType
from sglang.srt.mem_cache.memory_pool import KVWriteLoc, MHATokenToKVPool
from sglang.srt.runtime_context import get_parallel
from torch import Tensor

from kvforge import paged
from kvforge_sglang import store


@dataclass
class Metadata:
    """A step as kvforge's reader takes it."""

    query_start_loc: Tensor
    seq_lens: Tensor
    block_table: Tensor
    num_tokens: int  # without padding; 0: the host does not know
    workspace: Tensor | None


class KvforgeBackend(AttentionBackend):
    """One for each model runner; steps in which every sequence decodes can be captured.

    Errors: ValueError for a pool that kvforge does not write, NotImplementedError for what it cannot
    compute: sinks, cross attention, encoders, and speculative decoding.
    """

    needs_cpu_seq_lens = True

    def __init__(self, runner: Any) -> None:
        super().__init__()
        self.pool = runner.token_to_kv_pool
        reason = store.why_not(self.pool)
        if reason is not None:
            raise ValueError(f"kvforge: {reason}")
        if self.pool.head_dim != self.pool.v_head_dim:
            raise ValueError("kvforge: heads of values of another size than those of keys")
        self.req_to_token = runner.req_to_token_pool.req_to_token
        self.page_size = runner.page_size
        self.device = torch.device(runner.device)
        self.max_len = self.req_to_token.shape[1]
        self.num_kv_heads, self.head_size = self.pool.head_num, self.pool.head_dim
        config = runner.model_config
        self.num_heads = config.num_attention_heads // get_parallel().attn_tp_size
        self.forward_metadata: Metadata | None = None
        self.captured: Metadata | None = None  # of the most sequences

    def support_triton(self) -> bool:
        return bool(self.device.type == "cuda")

    # A step, outside of graphs

    def init_forward_metadata(self, forward_batch: Any) -> None:
        """Called once a step; the layers share what it makes."""
        mode = forward_batch.forward_mode
        if mode.is_idle():
            self.forward_metadata = None
            return
        lens = forward_batch.seq_lens.to(torch.int32)
        table = self._table(forward_batch.req_pool_indices, self._longest(forward_batch))
        if mode.is_decode():
            rows = tokens = len(lens)
            starts = torch.arange(rows + 1, dtype=torch.int32, device=self.device)
        elif mode.is_extend() and forward_batch.spec_info is None:
            counts = forward_batch.extend_seq_lens.to(torch.int32)
            starts = torch.nn.functional.pad(counts.cumsum(0, dtype=torch.int32), (1, 0))
            rows, tokens = len(forward_batch.out_cache_loc), 0
        else:
            raise NotImplementedError(f"kvforge: steps of speculative decoding, {mode.name}")
        workspace = self._workspace(rows, table.shape[1])
        self.forward_metadata = Metadata(starts, lens, table, tokens, workspace)

    def _longest(self, forward_batch: Any) -> int:
        """Tokens of the longest sequence, as far as the host knows."""
        lens = forward_batch.seq_lens_cpu
        return self.max_len if lens is None or len(lens) == 0 else max(1, int(lens.max()))

    def _table(self, requests: Tensor, longest: int) -> Tensor:
        """The pages of sequences, [num_seqs, pages of the longest]: SGLang keeps slots of tokens."""
        slots = self.req_to_token[requests, : longest : self.page_size]
        return slots if self.page_size == 1 else slots // self.page_size

    def _workspace(self, rows: int, width: int) -> Tensor | None:
        splits = paged.choose_splits(
            rows, self.num_heads, self.num_kv_heads, width * self.page_size, self.device
        )
        return paged.make_workspace(rows, self.num_heads, self.head_size, splits, self.device)

    # Steps of a captured graph: memory stays where it is, and is filled before each replay

    def init_cuda_graph_state(self, max_bs: int, max_num_tokens: int) -> None:
        """Memory for graphs of up to max_bs sequences that decode."""
        pages = -(-self.max_len // self.page_size)
        self.captured = Metadata(
            torch.arange(max_bs + 1, dtype=torch.int32, device=self.device),
            torch.zeros(max_bs, dtype=torch.int32, device=self.device),
            torch.zeros(max_bs, pages, dtype=self.req_to_token.dtype, device=self.device),
            max_bs,
            None,
        )
        self.graphs: dict[int, Metadata] = {}

    def get_cuda_graph_seq_len_fill_value(self) -> int:
        return 1

    def init_forward_metadata_out_graph(self, forward_batch: Any, in_capture: bool = False) -> None:
        """Fills the memory of the graph for this many sequences."""
        if not forward_batch.forward_mode.is_decode():
            raise NotImplementedError(
                f"kvforge: graphs of {forward_batch.forward_mode.name}, want decode"
            )
        assert self.captured is not None, "init_cuda_graph_state() comes first"
        rows = forward_batch.batch_size
        if rows not in self.graphs:
            table, lens = self.captured.block_table[:rows], self.captured.seq_lens[:rows]
            starts, workspace = (
                self.captured.query_start_loc[: rows + 1],
                self._workspace(rows, table.shape[1]),
            )
            self.graphs[rows] = Metadata(starts, lens, table, rows, workspace)
        graph = self.graphs[rows]
        longest = self._longest(forward_batch)
        table = self._table(forward_batch.req_pool_indices[:rows], longest)
        graph.block_table[:, : table.shape[1]].copy_(table)
        graph.seq_lens.copy_(forward_batch.seq_lens[:rows])
        self.forward_metadata = graph

    # A layer

    def forward_extend(self, *arguments: Any, **more: Any) -> Tensor:
        return self._forward(*arguments, **more)

    def forward_decode(self, *arguments: Any, **more: Any) -> Tensor:
        return self._forward(*arguments, **more)

    def _forward(
        self,
        q: Tensor,
        k: Tensor | None,
        v: Tensor | None,
        layer: Any,
        forward_batch: Any,
        save_kv_cache: bool = True,
        **more: Any,
    ) -> Tensor:
        """Writes a step's keys and values, and attends with its queries to the cache.

        Returns: [num_tokens, num_heads * head_size], the dtype of q.
        """
        self._check(layer, more)
        heads, size = layer.tp_q_head_num, layer.qk_head_dim
        if save_kv_cache and k is not None and v is not None:
            store.set_kv_buffer(
                MHATokenToKVPool.set_kv_buffer,
                self.pool,
                layer,
                KVWriteLoc.for_batch(forward_batch),
                k.view(-1, layer.tp_k_head_num, size),
                v.view(-1, layer.tp_v_head_num, size),
                layer.k_scale,
                layer.v_scale,
            )
        step = self.forward_metadata
        assert step is not None, "init_forward_metadata() comes first"
        query = q.view(-1, heads, size)
        padded = step.num_tokens != len(query)  # behind the last sequence; or it may be
        out = torch.zeros_like(query) if padded else torch.empty_like(query)
        window = -1 if layer.sliding_window_size is None else layer.sliding_window_size
        key, value = self.pool.get_kv_buffer(layer.layer_id)
        store.pages_of(self.pool, key, value).attend(
            out,
            query,
            step.query_start_loc,
            step.seq_lens,
            step.block_table,
            layer.scaling,
            store.scale_of(layer.k_scale, q.device),
            store.scale_of(layer.v_scale, q.device),
            window_left=window,  # SGLang counts the tokens before the query's own, too
            softcap=float(layer.logit_cap or 0),
            max_query_len=1 if step.num_tokens > 0 else 0,
            workspace=step.workspace,
        )
        return out.view(-1, heads * size)

    @staticmethod
    def _check(layer: Any, more: dict[str, Any]) -> None:
        given = [name for name, value in more.items() if value is not None]
        if given:
            raise NotImplementedError(f"kvforge: attention with {', '.join(given)}")
        if layer.is_cross_attention or layer.attn_type != AttentionType.DECODER:
            raise NotImplementedError("kvforge: attention of an encoder, or to one")
