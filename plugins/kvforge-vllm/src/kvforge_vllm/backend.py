"""The attention backend: the layer's cache is written and read by kvforge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from vllm.config import get_current_vllm_config
from vllm.v1.attention.backend import AttentionBackend, AttentionImpl, AttentionType, MultipleOf
from vllm.v1.kv_cache_interface import KVCacheLayout

from kvforge import paged
from kvforge_vllm.metadata import KvforgeMetadata, KvforgeMetadataBuilder
from kvforge_vllm.settings import FP8, settings_of

PER_TOKEN_HEAD = ("int8_per_token_head", "fp8_per_token_head", "int4_per_token_head")
NVFP4 = ("nvfp4", "nvfp4_4over6")


class KvforgeBackend(AttentionBackend):
    """What kvforge can do, as vLLM asks for it."""

    forward_includes_kv_cache_update = False
    supported_dtypes = [torch.float32, torch.float16, torch.bfloat16]  # noqa: RUF012
    supported_kv_cache_dtypes = [  # noqa: RUF012
        *("auto", "float16", "bfloat16"),
        *FP8,
        *PER_TOKEN_HEAD,
        *NVFP4,
    ]

    @staticmethod
    def get_name() -> str:
        return "CUSTOM"

    @staticmethod
    def get_impl_cls() -> type[KvforgeImpl]:
        return KvforgeImpl

    @staticmethod
    def get_builder_cls() -> type[KvforgeMetadataBuilder]:
        return KvforgeMetadataBuilder

    @staticmethod
    def get_supported_kernel_block_sizes(kv_cache_spec: Any = None) -> list[int | MultipleOf]:
        return [MultipleOf(1)]

    @classmethod
    def supports_head_size(cls, head_size: int) -> bool:
        return head_size <= 576

    @classmethod
    def supports_sliding_window(cls) -> bool:
        return True

    @classmethod
    def supports_sink(cls) -> bool:
        return True

    @classmethod
    def supports_per_head_quant_scales(cls) -> bool:
        return True

    @classmethod
    def supported_kv_cache_layouts(cls) -> tuple[KVCacheLayout, ...]:
        """Those in which a block is one run of bytes, which nvfp4 needs; best with heads outside of
        tokens, so that what a head reads lies together."""
        layouts = KVCacheLayout
        return (layouts.LBHNC, layouts.BLHNC, layouts.LBNHC, layouts.BLNHC)

    @classmethod
    def customize_spec(cls, spec: Any) -> Any:
        """The bytes of a token and head, where vLLM does not know them."""
        if spec.head_size_v != spec.head_size:
            raise NotImplementedError("kvforge: heads of values of another size than those of keys")
        mode = spec.kv_quant_mode
        if not (mode.is_per_token_head or mode.is_nvfp4):
            return spec
        size = paged.state_bytes(mode.name.lower(), spec.head_size, spec.dtype)
        return replace(spec, state_content_bytes=size)


class KvforgeImpl(AttentionImpl[KvforgeMetadata]):
    """One layer."""

    def __init__(
        self,
        num_heads: int,
        head_size: int,
        scale: float,
        num_kv_heads: int | None = None,
        alibi_slopes: list[float] | None = None,
        sliding_window: int | None = None,
        kv_cache_dtype: str = "auto",
        logits_soft_cap: float | None = None,
        attn_type: str = AttentionType.DECODER,
        kv_sharing_target_layer_name: str | None = None,
        sinks: Tensor | None = None,
    ) -> None:
        if attn_type != AttentionType.DECODER:
            raise NotImplementedError("kvforge: attention of an encoder")
        self.num_heads, self.head_size, self.scale = num_heads, head_size, float(scale)
        self.num_kv_heads = num_kv_heads or num_heads
        self.alibi_slopes = None if alibi_slopes is None else torch.tensor(alibi_slopes)
        self.window = (sliding_window or 0) - 1  # positions before a token's own; -1: all
        self.softcap, self.sinks = float(logits_soft_cap or 0), sinks
        self.kv_cache_dtype = kv_cache_dtype
        settings = settings_of(get_current_vllm_config().additional_config)
        self.format = settings.format(kv_cache_dtype)
        self.first_step = settings.first_step(self.format)
        if self.first_step and kv_sharing_target_layer_name is not None:
            raise NotImplementedError("kvforge: scales of the first step in a cache of two layers")
        self.scales: paged.FirstStepScales | None = None
        self.seen: tuple[Tensor, paged.Pages] | None = None

    def _pages(self, kv_cache: Tensor) -> paged.Pages:
        """Views of the layer's memory; made anew when vLLM has allocated anew."""
        if self.seen is None or self.seen[0] is not kv_cache:
            self.seen = kv_cache, paged.interleaved(kv_cache, self.format, self.head_size)
        return self.seen[1]

    def _scales(self, layer: Any) -> tuple[Tensor, Tensor]:
        if self.scales is not None:
            return self.scales.key, self.scales.value
        return layer._k_scale, layer._v_scale

    def do_kv_cache_update(
        self, layer: Any, key: Tensor, value: Tensor, kv_cache: Tensor, slot_mapping: Tensor
    ) -> None:
        """Puts the keys and values of a step into the cache."""
        if self.first_step:
            if self.scales is None:
                self.scales = paged.FirstStepScales(self.format, self.num_kv_heads, key.device)
            self.scales.see(key, value, slot_mapping)
        self._pages(kv_cache).write(key, value, slot_mapping, *self._scales(layer))

    def forward(
        self,
        layer: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        kv_cache: Tensor,
        attn_metadata: KvforgeMetadata | None,
        output: Tensor,
        output_scale: Tensor | None = None,
        output_block_scale: Tensor | None = None,
    ) -> Tensor:
        """Attention of a step's queries to the cache, which has their keys and values already.

        None for attn_metadata, as in vLLM's profiling run: output is left as it is.
        """
        if output_scale is not None or output_block_scale is not None:
            raise NotImplementedError("kvforge: output that is quantised")
        if attn_metadata is None:
            return output
        tokens = attn_metadata.num_tokens
        if self.alibi_slopes is not None:
            self.alibi_slopes = self.alibi_slopes.to(query.device)
        self._pages(kv_cache).attend(
            output[:tokens],
            query[:tokens],
            attn_metadata.query_start_loc,
            attn_metadata.seq_lens,
            attn_metadata.block_table,
            self.scale,
            *self._scales(layer),
            causal=attn_metadata.causal,
            window_left=self.window,
            window_right=self.window,
            softcap=self.softcap,
            alibi_slopes=self.alibi_slopes,
            sinks=self.sinks,
            max_query_len=attn_metadata.max_query_len,
            workspace=attn_metadata.workspace,
        )
        return output
