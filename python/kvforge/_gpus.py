"""The GPUs of this machine, by the driver alone. Run as a program, it prints their architectures."""

from __future__ import annotations

import ctypes
import os
from functools import cache

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR


@cache
def visible_archs() -> tuple[str, ...]:
    """The architectures of the GPUs that this process sees; () without a driver."""
    try:
        driver = ctypes.CDLL(os.environ.get("KVFORGE_LIBCUDA") or "libcuda.so.1")
    except OSError:
        return ()
    count, value = ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return ()
    found = set()
    for device in range(count.value):
        numbers = []
        for attribute in (_MAJOR, _MINOR):
            if driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device) == 0:
                numbers.append(value.value)
        if len(numbers) == 2:
            found.add(numbers[0] * 10 + numbers[1])
    return tuple(map(str, sorted(found)))


if __name__ == "__main__":
    print(*visible_archs())
