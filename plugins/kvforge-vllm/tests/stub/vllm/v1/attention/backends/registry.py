"""Names of backends, and where their classes are."""

from __future__ import annotations

from enum import Enum


class AttentionBackendEnum(Enum):
    """Those that the plugin takes."""

    CPU_ATTN = "vllm.v1.attention.backends.cpu_attn.CPUAttentionBackend"
    CUSTOM = ""

    def get_path(self) -> str:
        """The class's name, of the one that was registered last."""
        return _overrides.get(self, self.value)


_overrides: dict[AttentionBackendEnum, str] = {}


def register_backend(backend: AttentionBackendEnum, class_path: str) -> None:
    """As vLLM's, without the decorator."""
    _overrides[backend] = class_path
