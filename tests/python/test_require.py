"""A file of tests that cannot run here is skipped, with the command that enables it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import conftest
import pytest


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("python", "no apache-tvm-ffi: python3 configure.py --setup"),
        ("torch", "no torch: python3 configure.py --setup --with-torch"),
        ("jax", "no JAX: python3 configure.py --setup --with-jax"),
    ],
)
def test_a_missing_package(monkeypatch: pytest.MonkeyPatch, name: str, reason: str) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(pytest.skip.Exception, match=f"^{reason}$"):
        conftest.require(name)


def test_a_missing_binding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(conftest, "BUILD", tmp_path)
    with pytest.raises(pytest.skip.Exception, match=r"^no kvforge_torch\.so in .*: ninja torch$"):
        conftest.require("torch")
