"""Which CUDA stream a call gets when its arrays are CuPy's, with a module in CuPy's place: neither CuPy
nor a GPU is needed. tests/python/test_cupy.py is the same on a GPU."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import sys
import types
from typing import Any

import numpy as np
import pytest
import tvm_ffi
from arrays import Numpy
from cases import CASES, function

import kvforge

ops = kvforge.ops._C_cache_ops
STREAM, DEVICE = 0x1230, 3


class Array:
    """What an op and the package look at in a cupy.ndarray; the memory is a NumPy array's."""

    device = types.SimpleNamespace(id=DEVICE)

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **named: Any) -> Any:
        return self.array.__dlpack__(**named)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


Array.__module__ = "cupy"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A module cupy; the devices whose current stream it was asked for."""
    devices: list[int] = []

    def get_current_stream(device: int) -> Any:
        devices.append(device)
        return types.SimpleNamespace(ptr=STREAM)

    cuda = types.SimpleNamespace(
        get_current_stream=get_current_stream,
        runtime=types.SimpleNamespace(getDeviceCount=lambda: DEVICE + 1),
    )
    fake: Any = types.ModuleType("cupy")
    fake.ndarray, fake.cuda = Array, cuda
    monkeypatch.setitem(sys.modules, "cupy", fake)
    return devices


def stream() -> int:
    return int(tvm_ffi.get_raw_stream(tvm_ffi.device("cuda", DEVICE)))


def watch(monkeypatch: pytest.MonkeyPatch, op: str) -> list[int]:
    """The streams on which an op's own function is called."""
    seen: list[int] = []
    module = sys.modules[function(kvforge.ops, op).__module__]
    monkeypatch.setattr(module, f"_{op}", lambda *_arguments: seen.append(stream()))
    return seen


def cast(value: Any) -> Any:
    if isinstance(value, list):
        return [cast(item) for item in value]
    return Array(value) if isinstance(value, np.ndarray) else value


# Of swap_blocks_batch every array is the host's.
@pytest.mark.parametrize("op", [op for op in CASES if op != "swap_blocks_batch"])
def test_every_op_is_called_on_cupys_stream(
    op: str, monkeypatch: pytest.MonkeyPatch, asked: list[int]
) -> None:
    arguments = CASES[op](Numpy()).arguments
    seen = watch(monkeypatch, op)
    function(kvforge.ops, op)(**{name: cast(value) for name, value in arguments.items()})
    assert seen == [STREAM] and asked == [DEVICE]
    assert stream() == 0  # as before


def test_the_op_itself_writes_to_the_arrays() -> None:
    key, value = (np.arange(6, dtype=np.float32).reshape(3, 2) for _ in range(2))
    ops.copy_blocks([Array(key)], [Array(value)], Array(np.array([[2, 0]])))
    for cache in (key, value):
        np.testing.assert_array_equal(cache, [[4, 5], [2, 3], [4, 5]])


@pytest.mark.parametrize("position", [0, 1])
def test_one_output_of_a_list_is_enough(position: int, monkeypatch: pytest.MonkeyPatch) -> None:
    caches: list[Any] = [np.zeros((2, 4), np.float32) for _ in range(2)]
    caches[position] = Array(caches[position])
    seen = watch(monkeypatch, "zero_blocks")
    ops.zero_blocks(tuple(caches), np.array([0]))
    assert seen == [STREAM]


def test_other_arrays_leave_the_stream_alone(
    monkeypatch: pytest.MonkeyPatch, asked: list[int]
) -> None:
    """And inputs do: who writes to NumPy's memory needs no stream."""
    arguments = CASES["reshape_and_cache_flash"](Numpy()).arguments
    seen = watch(monkeypatch, "reshape_and_cache_flash")
    ops.reshape_and_cache_flash(**arguments)
    ops.reshape_and_cache_flash(**{**arguments, "key": Array(arguments["key"])})
    with tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", DEVICE), 77):
        ops.reshape_and_cache_flash(**arguments)
    assert seen == [0, 0, 77] and not asked


def test_cupys_stream_replaces_a_raw_one_for_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(monkeypatch, "zero_blocks")
    with tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", DEVICE), 77):
        ops.zero_blocks([Array(np.zeros((2, 4)))], np.array([0]))
        assert stream() == 77
    assert seen == [STREAM]


def test_a_refused_call_restores_the_stream() -> None:
    with pytest.raises(IndexError, match="zero_blocks"):
        ops.zero_blocks([Array(np.zeros((2, 4), np.float32))], np.array([2]))
    assert stream() == 0


def test_an_array_is_refused_after_one_of_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watch(monkeypatch, "zero_blocks")
    frozen = np.zeros((2, 4))
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="zero_blocks: caches: got a read-only NumPy array"):
        ops.zero_blocks([Array(np.zeros((2, 4))), frozen], np.array([0]))
    assert not seen


@pytest.mark.parametrize(("raw", "wanted"), [(0, STREAM), (77, 77)])
def test_host_arrays_with_a_device(
    raw: int, wanted: int, monkeypatch: pytest.MonkeyPatch, asked: list[int]
) -> None:
    """No array tells that CuPy is used, so a stream that was set is taken."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    arguments = CASES["swap_blocks_batch"](Numpy()).arguments
    seen = watch(monkeypatch, "swap_blocks_batch")
    with tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", DEVICE), raw):
        ops.swap_blocks_batch(**arguments, device=DEVICE)
    ops.swap_blocks_batch(**arguments)
    assert seen == [wanted, 0] and asked == [DEVICE] * (raw == 0)
