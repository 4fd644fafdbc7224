"""kvforge.free_workspaces: what attention on the emulated GPU took for itself is given back, once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import require

require("python", __file__)

from kvforge import _library

HERE = Path(__file__).resolve().parent
# The driver refuses to free memory, which only tells where there is some to free.
SCRIPT = """
import numpy as np
from transfer_emulated import View, _driver, begin, on_device

import kvforge

def free():
    _driver.kvf_emulator_fail(b"cuMemFree_v2", 0, 1, 700)
    try:
        kvforge.free_workspaces()
        print("nothing")
    except RuntimeError as error:
        print("cuMemFree" in str(error))
    _driver.kvf_emulator_fail(None, 0, 0, 0)
    kvforge.free_workspaces()

begin()
try:
    kvforge.free_workspaces(1000)
except RuntimeError as error:
    print("device is 1000" in str(error))
free()
for _ in range(2):
    query = on_device(np.ones((1, 2, 64), np.float32))
    cache = on_device(np.ones((64, 16, 2, 64), np.float32))
    numbers = [np.array([0, 1]), np.array([1024]), np.arange(64).reshape(1, 64)]
    starts, lengths, table = (View(on_device(array.astype(np.int32))) for array in numbers)
    scale = View(on_device(np.ones(1, np.float32)))
    out = on_device(np.zeros_like(query))
    kvforge.ops._C_cache_ops.paged_attention(
        View(out), View(query), View(cache), View(cache), starts, lengths, table, 0.125, "auto", scale, scale
    )
    assert _driver.cuCtxSynchronize() == 0
    print(out.min(), out.max())
    free()
    free()
"""


def test_memory_of_calls_is_given_back() -> None:
    driver = _library.find().parent / "emulator/libkvf_cuda_emulator.so"
    if not driver.is_file():
        pytest.skip("no emulated CUDA driver in this build; `ninja test` makes it where nvcc is")
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    settings = {"KVFORGE_LIBCUDA": str(driver), "KVF_EMULATOR_HOST_ACCESS": "1", "PYTHONPATH": path}
    command, environment = [sys.executable, "-c", SCRIPT], {**os.environ, **settings}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    once = ["1.0", "1.0", "True", "nothing"]
    assert done.stdout.split() == ["True", "nothing", *once, *once], done.stderr
