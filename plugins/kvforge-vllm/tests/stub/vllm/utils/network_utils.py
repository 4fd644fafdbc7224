"""This host, as others see it."""

from __future__ import annotations


def get_ip() -> str:
    """As vLLM's, for tests that stay on this host."""
    return "127.0.0.1"
