"""Where the plugin, kvforge and LMCache are. Without LMCache its operations are tested all the same."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent.parent
BUILD = Path(os.environ.setdefault("KVFORGE_BUILD", str(ROOT / "build")))
sys.path[:0] = [str(FOLDER.parent / "src"), str(ROOT / "python")]


def require(file: str) -> None:
    """Skips the file of tests that calls this, with the way out, if it cannot run here."""
    if importlib.util.find_spec("torch") is None:
        reason = "no torch: python3 configure.py --setup --with-torch"
    elif not (BUILD / "kvforge_torch.so").is_file():
        reason = f"no kvforge_torch.so in {BUILD}: ninja torch"
    else:
        return
    pytest.skip(f"{file}: {reason}", allow_module_level=True)
