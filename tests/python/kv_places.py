"""Where the tests of kv_pack, kv_unpack, kv_relayout and kv_checksum have their memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kvforge import _library, faults
from kvforge.transfer.cuda_staging import ManagedTensor, new_capsule

HERE = Path(__file__).resolve().parent
_CODES = {"u": 1, "i": 0, "f": 2, "V": 1}
_KEPT: list[ManagedTensor] = []
_ALLOCATIONS = (b"cuMemAlloc_v2", b"cuMemHostAlloc")


class View:
    """An array with the very strides that it has, which NumPy's own DLPack does not promise of sizes of
    1. Void elements of n bytes are n lanes of uint8."""

    def __init__(self, array: Any, device: int) -> None:
        self.array, self.device = array, device

    def __dlpack_device__(self) -> tuple[int, int]:
        return (self.device, 0)

    def __dlpack__(self, **_: Any) -> Any:
        array, kind = self.array, self.array.dtype.kind
        bfloat = array.dtype.name == "bfloat16"
        opaque = kind == "V" and not bfloat
        bits, lanes = (8, array.itemsize) if opaque else (8 * array.itemsize, 1)
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        strides = (ctypes.c_int64 * array.ndim)(*(s // array.itemsize for s in array.strides))
        device = (ctypes.c_int32 * 2)(self.device, 0)
        code = 4 if bfloat else _CODES[kind]
        address = array.__array_interface__["data"][0]
        made = ManagedTensor(address, device, array.ndim, code, bits, lanes, shape, strides, 0)
        _KEPT.append(made)  # until wait(): tensors that are made of it have no deleter
        return new_capsule(ctypes.addressof(made), b"dltensor", None)


class Cpu:
    """The host."""

    refuses = True  # slots out of range; the other counts them

    def memory(self, count: int) -> Any:
        """Bytes from a multiple of 64 on."""
        whole = np.empty(count + 64, np.uint8)
        start = -whole.ctypes.data % 64
        return whole[start : start + count]

    def tensor(self, array: Any) -> View:
        return View(array, 1)

    def wait(self) -> None:
        _KEPT.clear()

    def faults(self) -> int:
        return 0


class Emulated:
    """The GPU of the emulated driver, whose memory NumPy sees with KVF_EMULATOR_HOST_ACCESS=1."""

    refuses = False

    def __init__(self) -> None:
        self._driver = ctypes.CDLL(os.environ["KVFORGE_LIBCUDA"])
        context = ctypes.c_void_p()
        self._call("cuInit", 0)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
        self._call("cuCtxSetCurrent", context)
        self._next = self._end = 0

    def _call(self, name: str, *arguments: Any) -> None:
        assert getattr(self._driver, name)(*arguments) == 0, name

    def memory(self, count: int) -> Any:
        """Zeros, of what the driver gives many at a time: it is never given back."""
        size = -(-count // 64) * 64
        if self._next + size > self._end:
            address = ctypes.c_uint64()
            room = max(size, 16 << 20)
            self._call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(room))
            self._next, self._end = address.value, address.value + room
        found: Any = (ctypes.c_uint8 * count).from_address(self._next)
        self._next += size
        return np.frombuffer(found, np.uint8)

    @contextlib.contextmanager
    def without_memory(self) -> Iterator[None]:
        """Whoever asks the driver for memory here has an error, and the count of these ends the test."""
        for name in _ALLOCATIONS:
            self._driver.kvf_emulator_fail(name, 0, 1 << 30, 2)
        yield
        found = self._driver.kvf_emulator_failures()
        self._driver.kvf_emulator_fail(None, 0, 0, 0)
        assert found == 0, f"the driver was asked for memory {found} times"

    def tensor(self, array: Any) -> View:
        return View(array, 2)

    def wait(self) -> None:
        self._call("cuCtxSynchronize")
        _KEPT.clear()

    def faults(self) -> int:
        return faults()


def run_emulated(file: str) -> str:
    """What a file of tests says that is run as a program, in a process with the emulated driver; why it
    cannot be, if there is none."""
    driver = _library.find().parent / "emulator/libkvf_cuda_emulator.so"
    if not driver.is_file():
        return "no emulated CUDA driver in this build; `ninja test` makes it where nvcc is"
    path = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    settings = {"KVFORGE_LIBCUDA": str(driver), "KVF_EMULATOR_HOST_ACCESS": "1", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, file], env={**os.environ, **settings}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
