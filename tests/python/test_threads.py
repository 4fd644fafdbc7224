"""Other threads run on while an op runs, and calls from many threads do not disturb each other."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from arrays import Numpy
from cases import reshape_and_cache_flash

import kvforge

ops = kvforge.ops._C_cache_ops


def test_the_gil_is_released() -> None:
    """A thread counts on during one long call; with the GIL held it could not count at all."""
    source = np.zeros((256, 1 << 20), np.float32)
    target = np.zeros_like(source, np.uint8)
    counts: list[float] = []
    started, done = threading.Event(), threading.Event()

    def count() -> None:
        started.set()
        while not done.is_set():
            counts.append(time.perf_counter())
            time.sleep(0)

    thread = threading.Thread(target=count)
    thread.start()
    started.wait()
    begin = time.perf_counter()
    ops.convert_fp8(target, source)
    end = time.perf_counter()
    done.set()
    thread.join()
    inside = [moment for moment in counts if begin + (end - begin) / 4 < moment < end]
    assert len(inside) > 10


def test_calls_from_many_threads() -> None:
    def call(_: int) -> None:
        case = reshape_and_cache_flash(Numpy())
        ops.reshape_and_cache_flash(**case.arguments)
        case.check(Numpy())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(200)))


def test_errors_belong_to_their_thread() -> None:
    """Each thread sees the sentence of its own refused call."""
    barrier = threading.Barrier(4)

    def call(slot: int) -> None:
        case = reshape_and_cache_flash(Numpy())
        case.arguments["slot_mapping"] = np.array([slot])
        for _ in range(50):
            barrier.wait()
            with pytest.raises(IndexError, match=f"element 0 is {slot}, want less than 12"):
                ops.reshape_and_cache_flash(**case.arguments)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, (100, 200, 300, 400)))
