"""kvforge.load in many processes at once, and in processes that are killed."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import os
import random
import signal
import time
from pathlib import Path

import load_support as support
import pytest

import kvforge
from kvforge import _lock, _store

server = support.server


def test_ten_processes_build_once(tmp_path: Path) -> None:
    program, log = support.counted_compiler(tmp_path)
    source = support.write_source(tmp_path)
    barrier = server.Barrier(10)
    arguments = (source, tmp_path / "cache", str(program), barrier.wait)
    processes = [server.Process(target=support.load_in_process, args=arguments) for _ in range(10)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 10
    lines = log.read_text().splitlines()
    assert len(lines) == 2, lines  # one compilation and one link


def test_kills_leave_no_broken_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "cc")  # here as in the processes
    cache = tmp_path / "cache"
    source = support.write_source(tmp_path, value="-1")
    kvforge.load("one", source, build_directory=cache)
    support.write_source(tmp_path, value="-2")
    started = time.monotonic()
    kvforge.load("one", source, build_directory=cache)
    usual = time.monotonic() - started  # of a build
    chance = random.Random(1)
    killed = 0
    for number in range(20):
        support.write_source(tmp_path, value=str(number))
        begun = server.Event()
        arguments = (source, cache, "cc", begun.set)
        process = server.Process(target=support.load_in_process, args=arguments)
        process.start()
        assert begun.wait(60)
        process.join(chance.uniform(0, 1.2 * usual))
        if process.is_alive():
            process.kill()  # its ninja and compiler go on
            killed += 1
        process.join()
        assert kvforge.load("one", source, build_directory=cache).answer() == number
    assert killed >= 4, f"{killed} of 20 processes were killed in time"
    store = _store.Store(cache)
    store.prune(lambda entry: True)  # what a compiler wrote after its builder had died
    for request in cache.glob("one-*"):
        names = sorted(path.name for path in request.iterdir())
        assert len(names) == 2 and names[-1] == "lock", names
    assert len(store.entries()) == 22


def test_a_lock_dies_with_its_owner(tmp_path: Path) -> None:
    lock = tmp_path / "request" / "lock"
    ready = server.Event()
    process = server.Process(target=support.hold_lock, args=(lock, ready))
    process.start()
    assert ready.wait(60)
    with pytest.raises(BlockingIOError), _lock.locked(lock, None):
        pass
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    with _lock.locked(lock, None):
        pass
