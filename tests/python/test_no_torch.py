"""KVFORGE_NO_TORCH=1: torch is not imported with the package, and can be used when it is imported later."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CALL = """
import sys
import kvforge
import numpy as np

assert "torch" not in sys.modules
key = np.ones((2, 8, 128), np.float32)
cache = np.zeros((2, 4, 16, 8, 128), np.uint8)
slots, scale = np.array([37, -1]), np.array([0.5], np.float32)


def write(*arrays):
    cache[:] = 0
    write_to = kvforge.ops._C_cache_ops.reshape_and_cache_flash
    write_to(*arrays[:5], "fp8", arrays[5], arrays[5])
    assert (cache[:, 2, 5] == 0x40).all() and np.count_nonzero(cache) == 2 * 8 * 128


arrays = [key, key, *cache, slots, scale]
write(*arrays)
"""
LATER = """
import torch

tensors = [torch.from_numpy(array) for array in arrays]
write(*tensors)
version = tensors[2]._version
write(torch.nn.Parameter(tensors[0]), *tensors[1:])  # is read by TVM-FFI
assert tensors[2]._version == version + 1
try:
    write(tensors[0][:1], *tensors[1:])
except ValueError as error:
    assert "key: has 1 rows, want at least 2" in str(error)
else:
    raise AssertionError("was not refused")
"""
BEFORE = """
import torch
import kvforge

assert sys.modules["torch"] is torch
"""


def run(text: str) -> None:
    environment = {**os.environ, "KVFORGE_NO_TORCH": "1"}
    done = subprocess.run(
        [sys.executable, "-c", text], env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_torch_is_not_imported() -> None:
    run(CALL)


def test_torch_is_imported_later() -> None:
    pytest.importorskip("torch")
    run(CALL + LATER)


def test_torch_is_there_before() -> None:
    pytest.importorskip("torch")
    run("import sys\n" + BEFORE)
