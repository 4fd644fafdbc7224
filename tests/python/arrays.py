"""How a case's arrays become those of a library: see cases.Put."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from oracle import Array

if TYPE_CHECKING:
    import torch


class Numpy:
    """NumPy arrays, bf16 and fp8 as ml_dtypes has them."""

    def device(self, array: Array) -> Any:
        return np.array(array)

    host = device

    def address(self, array: Any) -> int:
        return int(array.ctypes.data)

    def bytes(self, array: Any) -> Array:
        return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


class Torch:
    """torch tensors on one device."""

    def __init__(self, device: str = "cpu") -> None:
        import torch

        self.torch, self.place = torch, device

    def host(self, array: Array) -> torch.Tensor:
        array = np.array(array)
        if array.dtype.kind != "V" and array.dtype.name not in ("bfloat16", "float8_e4m3fn"):
            return self.torch.from_numpy(array)
        words = array.view({1: np.uint8, 2: np.int16}[array.dtype.itemsize])
        return self.torch.from_numpy(words).view(getattr(self.torch, array.dtype.name))

    def device(self, array: Array) -> torch.Tensor:
        return self.host(array).to(self.place)

    def address(self, array: Any) -> int:
        return int(array.data_ptr())

    def bytes(self, array: Any) -> Array:
        flat = array.detach().cpu().contiguous().reshape(-1).view(self.torch.uint8)
        return np.asarray(flat.numpy())
