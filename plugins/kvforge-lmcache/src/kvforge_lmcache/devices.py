"""What LMCache loads: its stock device, with the operations of ops.py in the place of its own."""

from __future__ import annotations

import os

from lmcache.v1.platform.devices.cpu import CpuDeviceSpec
from lmcache.v1.platform.devices.cpu.device_ops import CpuDeviceOps
from lmcache.v1.platform.devices.cuda import CudaDeviceSpec
from lmcache.v1.platform.devices.cuda.device_ops import CudaDeviceOps

from kvforge_lmcache import ops


class KvforgeCpuOps(CpuDeviceOps):
    """The stock operations but those of ops.py."""

    _native_bound: bool

    def ensure_native(self) -> None:
        """As LMCache calls it: once is enough."""
        if not self._native_bound:
            super().ensure_native()
            self._native_bound = True
            self.bind_native(ops)


class KvforgeCudaOps(CudaDeviceOps):
    """The same for a GPU."""

    _native_bound: bool

    def ensure_native(self) -> None:
        """As LMCache calls it: once is enough."""
        if not self._native_bound:
            super().ensure_native()
            self._native_bound = True
            self.bind_native(ops)


class KvforgeCpu(CpuDeviceSpec):
    """Available where it is asked for by name: installing it changes nothing."""

    @property
    def backend_name(self) -> str:
        return "kvforge-cpu"

    @property
    def ops_cls(self) -> type[CpuDeviceOps]:
        return KvforgeCpuOps

    def is_available(self) -> bool:
        """Two that are available for one device make LMCache give up."""
        return os.environ.get("LMCACHE_DEVICE_BACKEND") == self.backend_name


class KvforgeCuda(CudaDeviceSpec):
    """The same for a GPU."""

    @property
    def backend_name(self) -> str:
        return "kvforge-cuda"

    @property
    def ops_cls(self) -> type[CudaDeviceOps]:
        return KvforgeCudaOps

    def is_available(self) -> bool:
        """Two that are available for one device make LMCache give up."""
        return os.environ.get("LMCACHE_DEVICE_BACKEND") == self.backend_name
