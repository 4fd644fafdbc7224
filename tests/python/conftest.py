"""What the tests of the Python package share: where it is, and what may be missing."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import sys
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.setdefault("KVFORGE_BUILD", str(ROOT / "build")))
sys.path.insert(0, str(ROOT / "python"))
# Of the processes that tests start.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT / "python"), str(Path(__file__).parent), *os.environ.get("PYTHONPATH", "").split(":")]
).rstrip(":")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

# What files of tests need: a package, the command that installs it, a binding and its target.
NEEDS = {
    "python": ("tvm_ffi", "no apache-tvm-ffi: python3 configure.py --setup", "tvm_ffi", "python"),
    "torch": ("torch", "no torch: python3 configure.py --setup --with-torch", "torch", "torch"),
    "cupy": ("cupy", "no CuPy: pip install cupy-cuda13x, for a GPU", "tvm_ffi", "python"),
    "jax": ("jax", "no JAX: python3 configure.py --setup --with-jax", "tvm_ffi", "python"),
}


def forks() -> ForkServerContext:
    """Processes forked from one that has imported what takes seconds, and has no threads. Importing
    TVM-FFI looks for a GPU, after which a forked process cannot use CUDA."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "kvforge.torch"])
    return context


def require(name: str, file: str) -> None:
    """Skips the file of tests that calls this, with the way out, if it cannot run here."""
    package, reason, binding, target = NEEDS[name]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{file}: {reason}", allow_module_level=True)
    if not (BUILD / f"kvforge_{binding}.so").is_file():
        reason = f"no kvforge_{binding}.so in {BUILD}: ninja {target}"
        pytest.skip(f"{file}: {reason}", allow_module_level=True)


@pytest.fixture(autouse=True)
def _settled() -> Iterator[None]:
    """What a test began on a GPU ends with it, so that an error is that test's own."""
    yield
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.synchronize()


def pytest_generate_tests(metafunc: Any) -> None:
    """Tests that take a `device` run on the CPU, and on the GPU if there is one."""
    if "device" in metafunc.fixturenames:
        import torch

        metafunc.parametrize("device", ["cpu"] + ["cuda"] * torch.cuda.is_available())
