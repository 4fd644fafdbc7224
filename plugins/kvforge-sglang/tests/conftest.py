"""Where the plugin, kvforge and SGLang are. Without SGLang there is nothing to test: target test-sglang
has it."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent.parent
BUILD = Path(os.environ.setdefault("KVFORGE_BUILD", str(ROOT / "build")))
sys.path[:0] = [str(FOLDER.parent / "src"), str(ROOT / "python"), str(ROOT / "tests/python")]


def require(file: str) -> None:
    """Skips the file of tests that calls this, with the way out, if it cannot run here."""
    if importlib.util.find_spec("sglang") is None:
        pytest.skip(f"{file}: no sglang: ninja test-sglang", allow_module_level=True)


def pytest_generate_tests(metafunc: Any) -> None:
    """Tests that take a `device` run on the CPU, and on the GPU if there is one."""
    if "device" in metafunc.fixturenames:
        import torch

        metafunc.parametrize("device", ["cpu"] + ["cuda"] * torch.cuda.is_available())
