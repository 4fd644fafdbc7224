"""`Backend`: on the CPU, kvforge's backend where CUSTOM was asked for, else vLLM's own."""

from __future__ import annotations


def __getattr__(name: str) -> type:
    if name != "Backend":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vllm.config import get_current_vllm_config_or_none
    from vllm.v1.attention.backends.registry import AttentionBackendEnum

    config = get_current_vllm_config_or_none()
    if config is not None and config.attention_config.backend is AttentionBackendEnum.CUSTOM:
        from kvforge_vllm.backend import KvforgeBackend

        return KvforgeBackend
    from vllm.v1.attention.backends.cpu_attn import CPUAttentionBackend

    return CPUAttentionBackend
