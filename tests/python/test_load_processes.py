"""kvforge.load in many processes at once, and in processes that are killed."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import load_support as support
import pytest

import kvforge
from kvforge import _store

fork = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("KVFORGE_CACHE", str(folder))
    return folder


def load_at_once(barrier: Any, source: Path) -> None:
    """What each of the processes does; its exit status tells."""
    barrier.wait()
    os._exit(0 if kvforge.load("once", source).answer() == 42 else 1)


def test_ten_processes_build_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, log = support.counted_compiler(tmp_path)
    monkeypatch.setenv("CC", str(program))
    source = support.write_source(tmp_path)
    barrier = fork.Barrier(10)
    processes = [fork.Process(target=load_at_once, args=(barrier, source)) for _ in range(10)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 10
    lines = log.read_text().splitlines()
    assert len(lines) == 2, lines  # one compilation and one link


def load_quietly(source: Path) -> None:
    """What a process does that is killed."""
    kvforge.load("killed", source)
    os._exit(0)


def test_fifty_kills_leave_no_broken_cache(tmp_path: Path, cache: Path) -> None:
    started = time.monotonic()
    source = support.write_source(tmp_path, value="-1")
    assert kvforge.load("killed", source).answer() == -1
    usual = time.monotonic() - started  # of a build
    chance = random.Random(1)
    died = 0
    for number in range(50):
        support.write_source(tmp_path, value=str(number))
        process = fork.Process(target=load_quietly, args=(source,))
        process.start()
        process.join(chance.uniform(0, 1.2 * usual))
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)  # its ninja and compiler go on
            died += 1
        process.join()
        assert kvforge.load("killed", source).answer() == number
    assert died >= 10, f"{died} of 50 processes were killed in time"
    _store.Store().prune(lambda entry: True)  # what a compiler wrote after its builder had died
    for request in cache.glob("killed-*"):
        names = sorted(path.name for path in request.iterdir())
        assert len(names) == 2 and names[-1] == "lock", names


def hold(path: Path, ready: Any) -> None:
    """Takes a lock and never lets go."""
    with _store.locked(path, None):
        ready.set()
        time.sleep(600)


def test_a_lock_dies_with_its_owner(tmp_path: Path) -> None:
    lock = tmp_path / "request" / "lock"
    ready = fork.Event()
    process = fork.Process(target=hold, args=(lock, ready))
    process.start()
    assert ready.wait(10)
    with pytest.raises(BlockingIOError), _store.locked(lock, None):
        pass
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    with _store.locked(lock, None):
        pass
