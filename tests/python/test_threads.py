"""Other threads run on while an op runs, and calls from many threads do not disturb each other."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import multiprocessing
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import load_support as support
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


def convert(size: int) -> bool:
    """A call that is large enough for a team; whether it is right."""
    source = np.full((size, 1024), 3.0, np.float32)
    target = np.zeros_like(source, np.uint8)
    ops.convert_fp8(target, source)
    return bool((target == 0x44).all())


def test_a_forked_process_computes() -> None:
    """With multiprocessing's fork, after large calls and while other threads are in some."""
    assert convert(4096)
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            assert convert(512)

    context = multiprocessing.get_context("fork")
    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(call) for _ in range(2)]
        try:
            for _ in range(5):
                with context.Pool(2) as pool:
                    sizes = pool.map_async(convert, [256, 1024, 4096, 512])
                    assert sizes.get(60) == [True] * 4
        finally:
            done.set()
        for future in running:
            future.result()
    assert convert(4096)


def test_the_number_of_threads() -> None:
    most = kvforge.get_num_threads()
    try:
        kvforge.set_num_threads(1)
        assert kvforge.get_num_threads() == 1 and convert(1024)
        kvforge.set_num_threads(10**30)
        assert kvforge.get_num_threads() >= most and convert(1024)
        with pytest.raises(ValueError, match=r"count: got -1, want 0 or more"):
            kvforge.set_num_threads(-1)
        with pytest.raises(TypeError):
            kvforge.set_num_threads(1.5)  # type: ignore[arg-type]
    finally:
        kvforge.set_num_threads(0)
    assert 1 <= kvforge.get_num_threads() <= len(os.sched_getaffinity(0))


def test_programmatic_launches_are_off_unless_asked_for() -> None:
    assert kvforge.get_programmatic() is False
    try:
        kvforge.set_programmatic(True)
        assert kvforge.get_programmatic() is True
    finally:
        kvforge.set_programmatic(False)
    assert kvforge.get_programmatic() is False


@pytest.mark.parametrize(("value", "number"), [("1", 1), ("-4", 0), ("many", 0), ("9" * 30, 0)])
def test_the_number_of_threads_in_the_environment(value: str, number: int) -> None:
    """0: as without the variable."""
    kvforge.set_num_threads(0)
    script = "import kvforge; print(kvforge.get_num_threads())"
    printed = support.python(script, KVFORGE_NUM_THREADS=value).stdout
    assert int(printed) == (number or kvforge.get_num_threads())


def test_threads_end_nothing_when_they_cannot_be_had() -> None:
    """Address space for what is there and no more: the calling thread computes."""
    script = """
import resource
import numpy as np
import kvforge
source = np.full((4096, 1024), 3.0, np.float32)
target = np.zeros_like(source, np.uint8)
pages = int(open("/proc/self/statm").read().split()[0])
space = pages * resource.getpagesize() + (256 << 10)
resource.setrlimit(resource.RLIMIT_AS, (space, space))
for _ in range(3):
    kvforge.ops._C_cache_ops.convert_fp8(target, source)
print(target.min() == target.max() == 0x44)
"""
    done = support.python(script, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


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
