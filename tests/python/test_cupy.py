"""CuPy arrays on a GPU: used where they lie, on CuPy's current stream."""

from __future__ import annotations

from conftest import require

require("cupy", __name__)

import cupy
import numpy as np
import pytest

import kvforge

ops = kvforge.ops._C_cache_ops

try:
    DEVICES = cupy.cuda.runtime.getDeviceCount()
except cupy.cuda.runtime.CUDARuntimeError:
    DEVICES = 0
pytestmark = pytest.mark.skipif(DEVICES == 0, reason="no CUDA device")


def operands() -> dict[str, np.ndarray]:
    random = np.random.default_rng(1)
    return {
        "key": random.standard_normal((7, 3, 32)).astype(np.float16),
        "value": random.standard_normal((7, 3, 32)).astype(np.float16),
        "key_cache": np.full((4, 5, 3, 32), 0x55, np.uint8),
        "value_cache": np.full((4, 5, 3, 32), 0x55, np.uint8),
        "slot_mapping": np.array([3, 19, -1, 0, 7, 12, 11], np.int64),
        "k_scale": np.array([0.5], np.float32),
        "v_scale": np.array([0.25, 0.5, 2.0], np.float32),
    }


def on_gpu(arrays: dict[str, np.ndarray]) -> dict[str, cupy.ndarray]:
    return {name: cupy.asarray(array) for name, array in arrays.items()}


@pytest.mark.parametrize("cache", ["fp8_e4m3", "fp8_e5m2"])
def test_the_bits_are_those_of_numpy_arrays(cache: str) -> None:
    here, there = operands(), on_gpu(operands())
    address = there["key_cache"].data.ptr
    ops.reshape_and_cache_flash(**here, kv_cache_dtype=cache)
    ops.reshape_and_cache_flash(**there, kv_cache_dtype=cache)
    for name in ("key_cache", "value_cache"):
        np.testing.assert_array_equal(cupy.asnumpy(there[name]), here[name])
    assert there["key_cache"].data.ptr == address


def test_the_call_is_on_the_current_stream() -> None:
    """Behind a long copy on that stream; the cache is read on the stream, too."""
    here, there = operands(), on_gpu(operands())
    ops.reshape_and_cache_flash(**here, kv_cache_dtype="fp8")
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        much = cupy.ones(1 << 26, cupy.float32)
        much += 1
        there["key"] += much[0] - 2  # what is written depends on what the stream does before
        ops.reshape_and_cache_flash(**there, kv_cache_dtype="fp8")
        result = there["key_cache"].get(stream=stream)
    stream.synchronize()
    np.testing.assert_array_equal(result, here["key_cache"])


def test_a_list_is_written_on_the_current_stream() -> None:
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        caches = [cupy.ones((2, 1 << 24), cupy.float32) for _ in range(2)]
        for _ in range(20):
            caches[1] += 1
        ops.zero_blocks(caches, cupy.array([1]))
        caches[1] += 1
        result = caches[1][:, -1].get(stream=stream)
    stream.synchronize()
    np.testing.assert_array_equal(result, [22, 1])


def test_torch_tells_the_stream_of_a_mixed_call() -> None:
    """Here its tensors are inputs that its stream has yet to make."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no torch for CUDA")
    here, there = operands(), on_gpu(operands())
    ops.reshape_and_cache_flash(**here, kv_cache_dtype="fp8")
    cupy.cuda.Device().synchronize()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream), cupy.cuda.Stream(non_blocking=True):
        much = torch.ones(1 << 26, device="cuda")
        much += 1
        mixed = {**there, "key": torch.from_numpy(here["key"]).cuda() + (much[0] - 2).half()}
        ops.reshape_and_cache_flash(**mixed, kv_cache_dtype="fp8")
    stream.synchronize()
    np.testing.assert_array_equal(cupy.asnumpy(there["key_cache"]), here["key_cache"])


def test_host_and_device_arrays_do_not_mix() -> None:
    mixed = {**on_gpu(operands()), "slot_mapping": operands()["slot_mapping"]}
    with pytest.raises(TypeError, match="slot_mapping"):
        ops.reshape_and_cache_flash(**mixed, kv_cache_dtype="fp8")
