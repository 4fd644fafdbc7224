"""vLLM's log."""

from __future__ import annotations

import logging


def init_logger(name: str) -> logging.Logger:
    """As vLLM's."""
    return logging.getLogger(name)
