"""Staging memory for pages of a GPU: memory of the host that is pinned and that the GPU reaches, so that
kv_pack writes straight into what an engine sends, and kv_unpack reads what it has received.

The ops run on a stream of the endpoint's own. libcuda is called directly: nothing else is wanted of it
than a stream, events and memory, and pages may be of any library.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import tvm_ffi

_CUDA = 2  # of DLPack
_CODES = {"u": 1, "i": 0, "f": 2}  # of DLPack, by NumPy's kind
_NOT_READY = 600
_NON_BLOCKING, _DISABLE_TIMING, _PORTABLE_AND_MAPPED = 1, 2, 3


class ManagedTensor(ctypes.Structure):
    """DLPack's DLManagedTensor."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", ctypes.c_int32 * 2),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("offset", ctypes.c_uint64),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
    )


new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class _Array:
    """Dense memory as an op takes it. It is kept by `owner`."""

    def __init__(
        self, address: int, shape: tuple[int, ...], dtype: Any, device: tuple[int, int], owner: Any
    ) -> None:
        self._address, self.shape, self.dtype = address, shape, np.dtype(dtype)
        self._device, self._owner = device, owner

    def __getitem__(self, part: slice) -> _Array:
        first, end, _ = part.indices(self.shape[0])
        shape = (max(end - first, 0),)
        address = self._address + first * self.dtype.itemsize
        return _Array(address, shape, self.dtype, self._device, self._owner)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device

    def __dlpack__(self, **_: Any) -> Any:
        """Of this object's memory, which outlives the call that it is made for."""
        sizes = (ctypes.c_int64 * len(self.shape))(*self.shape)
        steps = np.cumprod([1, *self.shape[:0:-1]])[::-1]
        strides = (ctypes.c_int64 * len(self.shape))(*map(int, steps))
        self._managed = ManagedTensor(
            *(self._address, (ctypes.c_int32 * 2)(*self._device), len(self.shape)),
            *(_CODES[self.dtype.kind], 8 * self.dtype.itemsize, 1, sizes, strides, 0),
        )
        return new_capsule(ctypes.addressof(self._managed), b"dltensor", None)


class _Room:
    """Memory of the device, and as much of the host's from which it is filled."""

    def __init__(self, size: int, host: int, device: int) -> None:
        self.size, self.host, self.device = size, host, device
        self.mark: Any = None


class CudaStaging:
    """See Staging. Memory is never freed: an endpoint is as old as its process, or nearly. Slots are large:
    a call of an op takes 0.2 ms, whatever it moves."""

    slots, slot_bytes = 8, 8 << 20

    def __init__(self, device: int) -> None:
        self._cuda = ctypes.CDLL(os.environ.get("KVFORGE_LIBCUDA") or "libcuda.so.1")
        self._device = device
        self._lock = threading.Lock()
        self._context, self._stream = ctypes.c_void_p(), ctypes.c_void_p()
        self._spare: list[int] = []  # events
        self._rooms: list[_Room] = []
        self._zeros: _Array | None = None
        self._check("cuInit", 0)
        self._check("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), device)
        with self._current():
            self._check("cuStreamCreate", ctypes.byref(self._stream), _NON_BLOCKING)

    def _check(self, name: str, *arguments: Any) -> None:
        result = getattr(self._cuda, name)(*arguments)
        if result:
            raise RuntimeError(f"kvforge.transfer: {name} on device {self._device}: error {result}")

    @contextlib.contextmanager
    def _current(self) -> Iterator[None]:
        """The device's context is the thread's."""
        self._check("cuCtxPushCurrent_v2", self._context)
        try:
            yield
        finally:
            self._check("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))

    def _allocate(self, name: str, count: int, *flags: Any) -> int:
        address = ctypes.c_uint64()
        with self._current():
            size = ctypes.c_size_t(max(count, 1))
            self._check(name, ctypes.byref(address), size, *flags)
        return address.value

    def _pinned(self, count: int) -> int:
        return self._allocate("cuMemHostAlloc", count, _PORTABLE_AND_MAPPED)

    # ---- memory ------------------------------------------------------------------------------------

    def map(self, count: int) -> Any:
        memory: Any = (ctypes.c_uint8 * count).from_address(self._pinned(count))
        return np.frombuffer(memory, np.uint8)

    def wire(self, buffer: Any) -> Any:
        """Pinned memory has one address for both sides."""
        device = (_CUDA, self._device)
        return _Array(buffer.ctypes.data, buffer.shape, buffer.dtype, device, buffer)

    def numbers(self, values: Any) -> Any:
        """A copy on the device, whose memory is used again once nobody has it any more."""
        if not isinstance(values, np.ndarray):
            return values
        values = np.ascontiguousarray(values)
        room = self._room(values.nbytes)
        ctypes.memmove(room.host, values.ctypes.data, values.nbytes)
        with self._current():
            self._check(
                "cuMemcpyHtoDAsync_v2",
                ctypes.c_uint64(room.device),
                ctypes.c_void_p(room.host),
                ctypes.c_size_t(values.nbytes),
                self._stream,
            )
        owner = _Owner(self, room)
        return _Array(room.device, values.shape, values.dtype, (_CUDA, self._device), owner)

    def _room(self, count: int) -> _Room:
        for room in self._rooms:
            if room.size >= count and self.passed(room.mark):
                self._rooms.remove(room)
                return room
        size = 1 << max(count - 1, 1023).bit_length()
        return _Room(size, self._pinned(size), self._allocate("cuMemAlloc_v2", size))

    def give_back(self, room: _Room) -> None:
        """Of numbers() that nobody has any more, but what the ops were given may still read."""
        room.mark = self.mark()
        self._rooms.append(room)

    def zeros(self, count: int) -> Any:
        if self._zeros is None or self._zeros.shape[0] < count:
            address = self._allocate("cuMemAlloc_v2", count)
            with self._current():
                place, size = ctypes.c_uint64(address), ctypes.c_size_t(count)
                self._check("cuMemsetD8Async", place, ctypes.c_uint8(0), size, self._stream)
            self._zeros = _Array(address, (count,), np.uint8, (_CUDA, self._device), self)
        return self._zeros[:count]

    # ---- order -------------------------------------------------------------------------------------

    def _record(self, stream: Any) -> int:
        event = ctypes.c_void_p()
        with self._current():
            with self._lock:
                event.value = self._spare.pop() if self._spare else None
            if not event.value:
                self._check("cuEventCreate", ctypes.byref(event), _DISABLE_TIMING)
            self._check("cuEventRecord", event, stream)
        return int(event.value or 0)

    def ready(self) -> Any:
        return self._record(ctypes.c_void_p(_callers_stream(self._device)))

    def after(self, mark: Any) -> None:
        with self._current():
            self._check("cuStreamWaitEvent", self._stream, ctypes.c_void_p(mark), 0)
        self.forget(mark)  # the stream waits for what was recorded

    @contextlib.contextmanager
    def calls(self) -> Iterator[None]:
        with tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", self._device), self._stream.value or 0):
            yield

    def mark(self) -> Any:
        return self._record(self._stream)

    def passed(self, mark: Any) -> bool:
        """A mark that has been passed may not be asked for again."""
        result = self._cuda.cuEventQuery(ctypes.c_void_p(mark))
        if result == _NOT_READY:
            return False
        if result:
            raise RuntimeError(
                f"kvforge.transfer: a kernel on device {self._device}: error {result}"
            )
        self.forget(mark)
        return True

    def forget(self, mark: Any) -> None:
        with self._lock:
            self._spare.append(mark)

    def wait(self) -> None:
        with self._current():
            self._check("cuStreamSynchronize", self._stream)


class _Owner:
    """Gives memory back with the last array in it."""

    def __init__(self, staging: CudaStaging, room: _Room) -> None:
        self._staging, self._room = staging, room

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # the driver may be gone with the process
            self._staging.give_back(self._room)


def _callers_stream(device: int) -> int:
    """The stream on which this thread has work done: torch's, else what tvm_ffi.use_raw_stream() has
    set, else CuPy's, else the default one."""
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    if torch is not None and torch.cuda.is_initialized():
        return int(torch.cuda.current_stream(device).cuda_stream)
    raw = int(tvm_ffi.get_raw_stream(tvm_ffi.device("cuda", device)))
    if not raw and cupy is not None:
        return int(cupy.cuda.get_current_stream(device).ptr)
    return raw
