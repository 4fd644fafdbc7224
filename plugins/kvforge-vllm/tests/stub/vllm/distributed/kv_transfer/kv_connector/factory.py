"""Names of connectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class KVConnectorFactory:
    """Those that have been registered."""

    _registry: dict[str, Callable[[], Any]] = {}  # noqa: RUF012

    @classmethod
    def register_connector(cls, name: str, module_path: str, class_name: str) -> None:
        """As vLLM's."""
        import importlib

        if name in cls._registry:
            raise ValueError(f"Connector '{name}' is already registered.")
        cls._registry[name] = lambda: getattr(importlib.import_module(module_path), class_name)
