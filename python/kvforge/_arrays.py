"""NumPy arrays of dtypes that NumPy cannot export: bf16 and fp8 from ml_dtypes."""

from __future__ import annotations

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


def _export(value: Any) -> Any:
    """The array as a tensor of its real dtype, sharing memory; other values as they are."""
    if isinstance(value, list | tuple):
        return [_export(item) for item in value]
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray) or value.dtype.name not in _DTYPES:
        return value
    integer, code = _DTYPES[value.dtype.name]
    tensor = tvm_ffi.from_dlpack(value.view(integer))
    _retag(tensor, code)
    return tensor


def retry(function: Any, error: BufferError, *arguments: Any) -> None:
    """Calls again with every array exported by hand that its own library refused to export."""
    exported = [_export(argument) for argument in arguments]
    if all(new is old for new, old in zip(exported, arguments, strict=True)):
        raise error
    function(*exported)
