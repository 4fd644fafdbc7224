"""What TVM-FFI does not do for arrays by itself: outputs that must not be written, what torch knows of
a tensor beside its memory, NumPy arrays that NumPy does not export, CUDA streams that it is not told,
and sentences about what it cannot read."""

from __future__ import annotations

import contextlib
import operator
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
# Name of a dtype in NumPy and torch -> what kv_cache_dtype calls it.
_TOKENS = {
    "float32": "float32",
    "float16": "float16",
    "bfloat16": "bfloat16",
    "float8_e4m3fn": "fp8_e4m3",
    "float8_e5m2": "fp8_e5m2",
    "int8": "int8",
}
_retag = function("kvforge__retag")

Call = Callable[..., None]

# Types of lists that TVM-FFI reads; check_list() adds to them.
LISTS: set[type] = {list, tuple}

# The type of torch's own tensors, once torch is there and tells what a call must know of them. Arrays
# of this type alone go to the binding by their handles: see python/src/torch_tensors.h.
TENSOR: type | None = None


def handles(items: Any) -> list[int] | bool | None:
    """torch's handles of a list of its own tensors; None for None, False for what is no such list."""
    if items is None:
        return None
    if type(items) not in LISTS or any(type(item) is not TENSOR for item in items):
        return False
    return [item._cdata for item in items]


def _meet(torch: Any) -> None:
    """Begins to treat torch's tensors so, if this torch can be asked."""
    global TENSOR
    if function("kvforge__torch")():
        TENSOR = torch.Tensor


def met() -> Any:
    """torch, if it has been imported; C knows its tensors then, if it can."""
    torch = sys.modules.get("torch")
    if torch is not None and TENSOR is None and hasattr(torch, "Tensor"):
        _meet(torch)
    return torch


def adapt(
    op: Call,
    call: Call,
    outputs: tuple[str, ...],
    tells: tuple[str, ...],
    arguments: tuple[Any, ...],
    device: int | None = None,
) -> None:
    """Calls an op with arrays of any library.

    `op` is the function of kvforge.ops, `call` what it calls, `outputs` names the arguments that the op
    writes to, `tells` those whose arrays tell the stream. A `device` is the one to run on.
    """
    torch = met()
    written: list[Any] = []
    adapted = []
    for name, value in zip(op.__code__.co_varnames, arguments, strict=False):
        what, into = f"{op.__name__}: {name}", written if name in outputs else None
        if isinstance(value, list | tuple | tvm_ffi.Array | tvm_ffi.List):
            items = [adapt_one(what, item, into) for item in value]
            same = all(map(operator.is_, items, value))
            adapted.append(value if same else items)
        else:
            adapted.append(adapt_one(what, value, into))
        if name in tells:
            for item in value if type(value) in LISTS else (value,):
                call = on_its_stream(call, item)
    if written and torch is not None:
        torch.autograd.graph.increment_version(written)
    if device is not None:
        with_device(op, call, device, tuple(adapted))
        return
    try:
        call(*adapted)
    except (BufferError, RuntimeError) as error:
        retry(op, call, error, tuple(adapted))


def adapt_one(what: str, value: Any, written: list[Any] | None) -> Any:
    """The array that goes to TVM-FFI in place of this one. An output that autograd is to know of joins
    `written`; for an input that is None. Raises for what no op can use."""
    numpy, torch, jax = map(sys.modules.get, ("numpy", "torch", "jax"))
    if numpy is not None and isinstance(value, numpy.ndarray):
        if type(value) is not numpy.ndarray and hasattr(value, "mask"):
            raise TypeError(
                f"{what}: got a masked array of NumPy, whose mask no op would heed, want a plain one"
            )
        if written is not None and not value.flags.writeable:
            raise ValueError(f"{what}: got a read-only NumPy array, want one that can be written")
    elif torch is not None and isinstance(value, torch.Tensor):
        return _adapt_tensor(torch, what, value, written)
    elif written is not None and jax is not None and isinstance(value, jax.Array):
        raise TypeError(
            f"{what}: got a JAX array, which is immutable, want an array that can be written: "
            "of torch, NumPy or CuPy"
        )
    return value


def _adapt_tensor(torch: Any, what: str, tensor: Any, written: list[Any] | None) -> Any:
    """The same for a tensor of torch, in the words of kvforge.torch."""
    if reason := refusal(tensor):
        raise TypeError(f"{what}: got {reason}")
    shape = zip(tensor.shape, tensor.stride(), strict=True)
    want = (1 + sum((n - 1) * step for n, step in shape)) * tensor.itemsize if tensor.numel() else 0
    room = tensor.untyped_storage().nbytes() - tensor.storage_offset() * tensor.itemsize
    if room < want:
        raise ValueError(
            f"{what}: got a torch tensor whose storage has {room} bytes for it, want {want} for its "
            "shape and strides"
        )
    if written is None:
        return tensor.resolve_neg()
    if tensor.is_neg():
        raise TypeError(f"{what}: got {NEGATED}")
    if tensor.requires_grad and torch.is_grad_enabled():
        raise RuntimeError(
            f"{what}: got a torch tensor that requires grad, want one that does not: the op writes in "
            "place and has no gradient; torch.no_grad() allows it"
        )
    if tensor.is_inference() and not torch.is_inference_mode_enabled():
        raise RuntimeError(
            f"{what}: got a torch tensor that was made in inference mode, want a clone of it, or a call "
            "in inference mode"
        )
    written.append(tensor)
    return tensor


NEGATED = (
    "a torch tensor that is negated when it is read, want one that can be written as it lies: "
    "tensor.resolve_neg()"
)


def text(what: str, value: Any) -> str:
    """What is given for a string: a string, or a dtype of torch, NumPy, ml_dtypes or JAX."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if isinstance(value, str):
        return str.__str__(value)  # of a type derived from it, such as an enum
    name = None
    if torch is not None and isinstance(value, torch.dtype):
        name = str(value).removeprefix("torch.")
    elif numpy is not None and isinstance(value, numpy.dtype | type):
        with contextlib.suppress(TypeError):
            name = numpy.dtype(value).name
    if name is None:
        got = "None" if value is None else type(value).__name__
        raise TypeError(f"{what}: got {got}, want str")
    if name not in _TOKENS:
        raise ValueError(
            f"{what}: got the dtype {name}, want a string or one of the dtypes {', '.join(_TOKENS)}"
        )
    return _TOKENS[name]


def on_its_stream(call: Call, value: Any) -> Call:
    """The call, on CuPy's current stream if the array is CuPy's.

    Of torch TVM-FFI learns the stream by itself, of CuPy it does not. It asks later than this, so
    torch's stream is taken when the call has CUDA tensors of torch, too.
    """
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(value, cupy.ndarray):
        return call if type(call) is partial else partial(_on_cupys, call, value.device.id)
    return call


def _on_cupys(call: Callable[..., Any], device: int, *arguments: Any) -> Any:
    """A call on the stream that is CuPy's current one on a device."""
    stream = sys.modules["cupy"].cuda.get_current_stream(device)
    with tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", device), stream.ptr):
        return call(*arguments)


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


def hold(what: str, value: Any, written: bool) -> Any:
    """An array that outlasts a call: torch's handle, whose tensor the caller keeps, or a tensor of
    TVM-FFI. Raises for what no op can use, and for an input that an op would have made real."""
    torch = met()
    if adapt_one(what, value, [] if written else None) is not value:
        raise TypeError(f"{what}: got {NEGATED}")
    if torch is not None and isinstance(value, torch.Tensor):
        if TENSOR is None:
            raise NotImplementedError(
                f"{what}: got a torch tensor of a torch that tells C nothing of them, want another "
                "library's array"
            )
        return value._cdata
    if reason := refusal(value):
        raise TypeError(f"{what}: got {reason}")
    if not hasattr(value, "__dlpack__"):
        raise TypeError(f"{what}: got {type(value).__name__}, want an array")
    exported = _export(value)
    return exported if isinstance(exported, tvm_ffi.Tensor) else tvm_ffi.from_dlpack(exported)


def refusal(value: Any) -> str:
    """What about an array cannot be used in any op, as "got, want"; or ""."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and isinstance(value, numpy.ndarray):
        dtype = value.dtype
        if not dtype.isnative:
            return f"a NumPy array of dtype {dtype.str}, want one in this machine's byte order"
        if dtype.name not in _DTYPES and (dtype.kind not in "biufc" or dtype.char in "gG"):
            return f"a NumPy array of dtype {dtype}, want one that DLPack has"
    elif torch is not None and isinstance(value, torch.Tensor):
        if type(value).__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:
            return f"a {type(value).__name__}, whose memory is not a tensor's, want a torch.Tensor"
        if value.is_nested:
            return "a nested torch tensor, want a dense one (torch.strided)"
        if value.layout != torch.strided:
            return f"a torch tensor of layout {value.layout}, want a dense one (torch.strided)"
        if value.is_meta:
            return "a torch tensor on device meta, which has no memory, want one on a CPU or GPU"
        if value.is_quantized:
            return f"a torch tensor of dtype {value.dtype}, want one that DLPack has"
    return ""


def retry(
    op: Call, call: Call, error: BufferError | RuntimeError, arguments: tuple[Any, ...]
) -> None:
    """What `op`, a function of kvforge.ops, does about an error of its call.

    TypeError for an array that no op can use, in place of its library's own words. Else, when its
    library refused to export an array, calls again with every such array exported by hand; writable
    arrays alone are outputs then: adapt_one() has been before. Else the error itself.
    """
    for name, value in zip(op.__code__.co_varnames, arguments, strict=False):
        for item in value if isinstance(value, list | tuple) else (value,):
            if reason := refusal(item):
                raise TypeError(f"{op.__name__}: {name}: got {reason}") from None
    if not isinstance(error, BufferError):
        raise error
    exported = [_export(argument) for argument in arguments]
    if all(new is old for new, old in zip(exported, arguments, strict=True)):
        raise error
    call(*exported)


def with_device(op: Call, call: Call, device: int, arguments: tuple[Any, ...]) -> None:
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
            retry(op, call, error, (*arguments, device))
