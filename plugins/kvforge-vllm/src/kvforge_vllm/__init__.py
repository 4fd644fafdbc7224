"""vLLM plugin: a KV cache that kvforge writes and reads.

    LLM(model, attention_backend="CUSTOM", kv_cache_dtype="int8_per_token_head")
    vllm serve MODEL --attention-backend CUSTOM --kv-cache-dtype fp8

register() is the entry point, which vLLM calls once in each of its processes.
"""

from __future__ import annotations


def register() -> None:
    """Makes CUSTOM, the name that vLLM keeps for backends from elsewhere, kvforge's.

    vLLM's CPU platform takes CPU_ATTN whatever is asked for, so that name leads to a module which
    looks at what was asked for.
    """
    from vllm.v1.attention.backends.registry import AttentionBackendEnum, register_backend

    register_backend(AttentionBackendEnum.CUSTOM, "kvforge_vllm.backend.KvforgeBackend")
    register_backend(AttentionBackendEnum.CPU_ATTN, "kvforge_vllm.cpu.Backend")
    register_connector()


def register_connector() -> None:
    """Makes KvforgeConnector a name of --kv-transfer-config. Once: vLLM refuses a name that it has."""
    from vllm.distributed.kv_transfer.kv_connector.factory import KVConnectorFactory

    if "KvforgeConnector" not in KVConnectorFactory._registry:
        KVConnectorFactory.register_connector(
            "KvforgeConnector", "kvforge_vllm.connector", "KvforgeConnector"
        )
