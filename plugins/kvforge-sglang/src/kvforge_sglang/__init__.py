"""SGLang plugin: a KV cache that kvforge writes and reads.

    sglang serve MODEL --attention-backend kvforge --kv-cache-dtype fp8_e4m3
    KVFORGE_SGLANG_STORE=1 sglang serve MODEL     # SGLang's attention, kvforge's writes

register() is the entry point, which SGLang calls once in each of its processes.
"""

from __future__ import annotations

import os
from typing import Any


def register() -> None:
    """Adds the attention backend "kvforge" and kvforge's kernels to SGLang's lists.

    Nothing of SGLang changes for who asks for neither, but on a device without Triton, where a backend
    that SGLang does not know would be taken for one that has it.
    """
    from sglang.srt.arg_groups.choices import add_attention_backend_choices
    from sglang.srt.layers.attention.attention_registry import register_attention_backend
    from sglang.srt.plugins.hook_registry import HookRegistry, HookType

    from kvforge_sglang import host, kernels, store

    kernels.register()
    add_attention_backend_choices(["kvforge"])
    register_attention_backend("kvforge")(_backend)
    for target, hook in host.HOOKS.items():
        HookRegistry.register(target, hook, HookType.AROUND)
    if os.environ.get("KVFORGE_SGLANG_STORE", "0") not in ("", "0"):
        HookRegistry.register(store.TARGET, store.set_kv_buffer, HookType.AROUND)


def _backend(runner: Any) -> Any:
    """The backend of a model runner. ValueError if it is not for its model or pool."""
    from kvforge_sglang.backend import KvforgeBackend

    return KvforgeBackend(runner)
