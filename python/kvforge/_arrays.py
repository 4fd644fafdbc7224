"""What TVM-FFI does not do for arrays by itself: outputs that must not be written, NumPy arrays that
NumPy does not export, and CUDA streams that no array tells."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import tvm_ffi

from kvforge._library import function

# ml_dtypes name -> (unsigned integer of the same size, DLPack type code)
_DTYPES = {
    "bfloat16": ("uint16", 4),
    "float8_e4m3fn": ("uint8", 10),
    "float8_e5m2": ("uint8", 12),
}
_retag = function("kvforge__retag")

# Types whose arrays can always be written; check_writable() adds to them.
WRITABLE: set[type] = {tvm_ffi.Tensor}


def check_writable(what: str, value: Any) -> None:
    """Refuses an array that an op must not write to. JAX arrays are immutable, on every device."""
    jax, numpy = sys.modules.get("jax"), sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        if not value.flags.writeable:
            raise ValueError(f"{what}: got a read-only NumPy array, want one that can be written")
    elif jax is not None and isinstance(value, jax.Array):
        raise TypeError(
            f"{what}: got a JAX array, which is immutable, want an array that can be written: "
            "of torch, NumPy or CuPy"
        )
    elif type(value).__module__.partition(".")[0] in ("torch", "cupy"):
        WRITABLE.add(type(value))


def _writable_alias(array: Any) -> Any:
    """The same memory as an array that NumPy agrees to export. For inputs."""

    class Alias:
        def __init__(self) -> None:
            self.owner = array
            self.__array_interface__ = {
                **array.__array_interface__,
                "data": (array.ctypes.data, False),
            }

    return sys.modules["numpy"].asarray(Alias())


def _export(value: Any) -> Any:
    """The array as a tensor of its real dtype, sharing memory; other values as they are."""
    if isinstance(value, list | tuple):
        return [_export(item) for item in value]
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray):
        return value
    integer, code = _DTYPES.get(value.dtype.name, ("", -1))
    if code < 0 and value.flags.writeable:
        return value
    array = value.view(integer) if integer else value
    tensor = tvm_ffi.from_dlpack(array if array.flags.writeable else _writable_alias(array))
    if integer:
        _retag(tensor, code)
    return tensor


def retry(function: Any, error: BufferError, *arguments: Any) -> None:
    """Calls again with every array exported by hand that its own library refused to export.

    Writable arrays alone are outputs then: check_writable() has been before.
    """
    exported = [_export(argument) for argument in arguments]
    if all(new is old for new, old in zip(exported, arguments, strict=True)):
        raise error
    function(*exported)


def with_device(function: Any, device: int, *arguments: Any) -> None:
    """Calls an op whose tensors are all the host's on a CUDA device, on its current stream: torch's
    if torch uses CUDA, else the one that tvm_ffi.use_raw_stream() has set."""
    torch = sys.modules.get("torch")
    stream: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if torch is not None and torch.cuda.is_initialized() and device < torch.cuda.device_count():
        raw = torch.cuda.current_stream(device).cuda_stream
        stream = tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", device), raw)
    with stream:
        try:
            function(*arguments, device)
        except BufferError as error:
            retry(function, error, *arguments, device)
