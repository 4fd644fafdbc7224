"""What TVM-FFI does not do for arrays by itself: outputs that must not be written, NumPy arrays that
NumPy does not export, CUDA streams that it is not told, and sentences about what it cannot read."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from functools import partial
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

Call = Callable[..., None]

# Types whose arrays can always be written, and tell TVM-FFI their stream; check_writable() and
# on_its_stream() add torch's. Not CuPy's, which do not tell.
WRITABLE: set[type] = {tvm_ffi.Tensor}

# Types of lists that TVM-FFI reads; check_list() adds to them.
LISTS: set[type] = {list, tuple}


def check_writable(call: Call, what: str, value: Any) -> Call:
    """The call of an op that writes to this array, on the array's stream; see on_its_stream().

    Refuses an array that an op must not write to. JAX arrays are immutable, on every device.
    """
    jax, numpy = sys.modules.get("jax"), sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        if not value.flags.writeable:
            raise ValueError(f"{what}: got a read-only NumPy array, want one that can be written")
        return call
    if jax is not None and isinstance(value, jax.Array):
        raise TypeError(
            f"{what}: got a JAX array, which is immutable, want an array that can be written: "
            "of torch, NumPy or CuPy"
        )
    return on_its_stream(call, value)


def on_its_stream(call: Call, value: Any) -> Call:
    """The call, on CuPy's current stream if the array is CuPy's.

    Of torch TVM-FFI learns the stream by itself, of CuPy it does not. It asks later than this, so
    torch's stream is taken when the call has CUDA tensors of torch, too.
    """
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(value, cupy.ndarray):
        return call if type(call) is partial else partial(_on_cupys, call, value.device.id)
    if type(value).__module__.partition(".")[0] == "torch":
        WRITABLE.add(type(value))
    return call


def _on_cupys(call: Call, device: int, *arguments: Any) -> None:
    """A call on the stream that is CuPy's current one on a device."""
    stream = sys.modules["cupy"].cuda.get_current_stream(device)
    with tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", device), stream.ptr):
        call(*arguments)


def check_list(what: str, value: Any) -> None:
    """Refuses what is no list of arrays. A generator, which could be read only once, is none."""
    if not isinstance(value, list | tuple | tvm_ffi.Array | tvm_ffi.List):
        raise TypeError(f"{what}: got {type(value).__name__}, want a list of arrays")
    LISTS.add(type(value))


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


def _refusal(value: Any) -> str:
    """What about an array cannot be used in any op, as "got, want"; or ""."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and isinstance(value, numpy.ndarray):
        dtype = value.dtype
        if not dtype.isnative:
            return f"a NumPy array of dtype {dtype.str}, want one in this machine's byte order"
        if dtype.name not in _DTYPES and (dtype.kind not in "biufc" or dtype.char in "gG"):
            return f"a NumPy array of dtype {dtype}, want one that DLPack has"
    elif torch is not None and isinstance(value, torch.Tensor):
        if value.layout != torch.strided:
            return f"a torch tensor of layout {value.layout}, want a dense one (torch.strided)"
        if value.is_meta:
            return "a torch tensor on device meta, which has no memory, want one on a CPU or GPU"
        if value.is_quantized:
            return f"a torch tensor of dtype {value.dtype}, want one that DLPack has"
    return ""


def retry(
    op: Callable[..., None], call: Call, error: BufferError | RuntimeError, *arguments: Any
) -> None:
    """What `op`, a function of kvforge.ops, does about an error of its call.

    TypeError for an array that no op can use, in place of its library's own words. Else, when its
    library refused to export an array, calls again with every such array exported by hand; writable
    arrays alone are outputs then: check_writable() has been before. Else the error itself.
    """
    for name, value in zip(op.__code__.co_varnames, arguments, strict=False):
        for item in value if isinstance(value, list | tuple) else (value,):
            if refusal := _refusal(item):
                raise TypeError(f"{op.__name__}: {name}: got {refusal}") from None
    if not isinstance(error, BufferError):
        raise error
    exported = [_export(argument) for argument in arguments]
    if all(new is old for new, old in zip(exported, arguments, strict=True)):
        raise error
    call(*exported)


def with_device(op: Callable[..., None], call: Call, device: int, *arguments: Any) -> None:
    """Calls an op whose tensors are all the host's on a CUDA device, on its current stream: torch's
    if torch uses CUDA, else the one that tvm_ffi.use_raw_stream() has set, else CuPy's."""
    torch, cupy = sys.modules.get("torch"), sys.modules.get("cupy")
    stream: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if torch is not None and torch.cuda.is_initialized() and device < torch.cuda.device_count():
        raw = torch.cuda.current_stream(device).cuda_stream
        stream = tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", device), raw)
    elif (
        cupy is not None
        and not tvm_ffi.get_raw_stream(tvm_ffi.device("cuda", device))
        and device < cupy.cuda.runtime.getDeviceCount()
    ):
        call = partial(_on_cupys, call, device)
    with stream:
        try:
            call(*arguments, device)
        except (BufferError, RuntimeError) as error:
            retry(op, call, error, *arguments, device)
