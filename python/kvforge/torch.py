"""kvforge's ops in torch's dispatcher: `torch.ops._C_cache_ops.<op>` and `torch.ops.kvforge.<op>`.

    import kvforge.torch
    kvforge.torch.register()
    torch.ops._C_cache_ops.reshape_and_cache_flash(key, value, ...)

Registered for the CPU and CUDA keys, with fake kernels, through libtorch's stable ABI, so one build
serves every torch from 2.10 on. Works in torch.compile(fullgraph=True), in inference mode and under
CUDA graph capture. A refused call raises RuntimeError with kvforge's sentence, as torch's own ops do.
"""

from __future__ import annotations

import ctypes
from typing import Any, Literal

import torch

from kvforge import _library

OnConflict = Literal["refuse", "add", "override"]
KEYS = ("CPU", "CUDA")
_registered: set[tuple[str, str]] = set()


def _native() -> ctypes.CDLL:
    """The registration functions, beside the other binding."""
    path = _library.find().parent / "kvforge_torch.so"
    if not path.is_file():
        raise ImportError(
            f"kvforge.torch: no {path.name} in {path.parent}; `ninja torch` builds it"
        )
    native = ctypes.CDLL(str(path))
    native.kvforge_torch_define.argtypes = [ctypes.c_char_p] * 2
    native.kvforge_torch_implement.argtypes = [ctypes.c_char_p] * 3
    return native


def _nothing(*_arguments: Any, **_named: Any) -> None:
    """The fake kernel of an op that writes to its arguments and returns nothing."""


def register(on_conflict: OnConflict = "refuse", *, own_namespace: bool = True) -> list[str]:
    """Registers every op under its namespace and, unless told otherwise, under `kvforge` too.

    Args:
        on_conflict: what to do about an op that another library has registered under its name:
            "refuse" raises RuntimeError before anything is registered, "add" leaves it and
            registers the rest, "override" keeps its schema and takes over its CPU and CUDA kernels.
        own_namespace: also register under `kvforge::`, where no other library is.

    Returns:
        The qualified names whose kernels are kvforge's now. Calling again is harmless.
    """
    if on_conflict not in ("refuse", "add", "override"):
        raise ValueError(f"on_conflict: got {on_conflict!r}, want 'refuse', 'add' or 'override'")
    names = {(variant.namespace, variant.op) for variant in _library.variants()}
    wanted = names | ({("kvforge", op) for _, op in names} if own_namespace else set())
    taken = {
        (space, op) for space, op in wanted - _registered if hasattr(getattr(torch.ops, space), op)
    }
    if taken and on_conflict == "refuse":
        listed = ", ".join(f"{space}::{op}" for space, op in sorted(taken))
        raise RuntimeError(
            f"kvforge.torch.register: another library has registered {listed}; pass "
            "on_conflict='add' to keep its ops or 'override' to replace their kernels"
        )
    native = _native()
    done = []
    for space, op in sorted(wanted):
        if (space, op) not in _registered:
            if (space, op) in taken and on_conflict == "add":
                continue
            _register_one(native, space, op, define=(space, op) not in taken)
            _registered.add((space, op))
        done.append(f"{space}::{op}")
    return done


def _register_one(native: ctypes.CDLL, space: str, op: str, *, define: bool) -> None:
    """Schema, kernels and fake kernel of one op."""
    if define and native.kvforge_torch_define(op.encode(), space.encode()) != 0:
        raise RuntimeError(f"kvforge.torch.register: torch refused the schema of {space}::{op}")
    for key in KEYS:
        if native.kvforge_torch_implement(op.encode(), space.encode(), key.encode()) != 0:
            raise RuntimeError(f"kvforge.torch.register: torch refused {space}::{op} for {key}")
    if define:
        torch.library.register_fake(f"{space}::{op}", _nothing)
