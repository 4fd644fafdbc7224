"""What the tests of the Python package share: where it is, and what may be missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.setdefault("KVFORGE_BUILD", str(ROOT / "build")))
sys.path.insert(0, str(ROOT / "python"))
# Of the processes that tests start.
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "python"), str(Path(__file__).parent)])
os.environ.setdefault("JAX_PLATFORMS", "cpu")

NEEDS = {
    "python": ("kvforge_tvm_ffi.so", "tvm_ffi", "no apache-tvm-ffi: python3 configure.py --setup"),
    "torch": (
        "kvforge_torch.so",
        "torch",
        "no torch: python3 configure.py --setup --with-torch",
    ),
    "jax": ("kvforge_tvm_ffi.so", "jax", "no JAX: python3 configure.py --setup --with-jax"),
}


def lacking(name: str) -> str:
    """Why tests that need this cannot run here, with the way out; "" if they can."""
    from importlib.util import find_spec

    file, package, reason = NEEDS[name]
    if find_spec(package) is None:
        return reason
    return "" if (BUILD / file).is_file() else f"no {file} in {BUILD}: ninja {name}"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Test files import what they need at once: one that cannot is left to test_skips.py."""
    return True if skip_reason(collection_path) else None


def skip_reason(path: Path) -> str:
    """Why a test file cannot run here: by what it imports."""
    if path.suffix != ".py" or not path.name.startswith("test_") or path.name == "test_skips.py":
        return ""
    text = path.read_text()
    for name, line in {"torch": "\nimport torch\n", "jax": "\nimport jax\n"}.items():
        if line in text and lacking(name):
            return lacking(name)
    return lacking("python")


def pytest_generate_tests(metafunc: Any) -> None:
    """Tests that take a `device` run on the CPU, and on the GPU if there is one."""
    if "device" in metafunc.fixturenames:
        import torch

        metafunc.parametrize("device", ["cpu"] + ["cuda"] * torch.cuda.is_available())
