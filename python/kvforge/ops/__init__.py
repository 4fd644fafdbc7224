# Generated from templates/python/ops.py.j2 and generator/spec/. Do not edit.
# Regenerate: python3 -m generator
"""The ops, by namespace."""

from kvforge.ops import _C
from kvforge.ops import _C_cache_ops

__all__ = ["_C", "_C_cache_ops"]
