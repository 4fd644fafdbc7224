"""The configuration that is current while layers are made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_current: list[Any] = []


@contextmanager
def set_current_vllm_config(config: Any) -> Iterator[None]:
    """As vLLM's."""
    _current.append(config)
    try:
        yield
    finally:
        _current.pop()


def get_current_vllm_config() -> Any:
    """As vLLM's."""
    return _current[-1]


def get_current_vllm_config_or_none() -> Any:
    """As vLLM's."""
    return _current[-1] if _current else None
