"""The lock: file systems that have none, holders that stop, and what they are waited for."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import errno
import fcntl
import os
import signal
import time
from pathlib import Path
from typing import Any

import load_support as support
import pytest

import kvforge
from kvforge import _lock, cache
from kvforge.__main__ import main

server = support.server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    path = tmp_path / "cache"
    monkeypatch.setenv("KVFORGE_CACHE", str(path))
    return path


@pytest.mark.parametrize("number", ["ENOLCK", "ENOSYS", "EOPNOTSUPP", "EINVAL", "EBADF"])
def test_a_file_system_without_locks(
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    number: str,
) -> None:
    source = support.write_source(tmp_path)
    kvforge.load("one", source)

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(getattr(errno, number), os.strerror(getattr(errno, number)))

    monkeypatch.setattr(fcntl, "flock", flock)
    message = (
        rf"the file system of {folder} has no locks \(flock: .*\): set KVFORGE_CACHE to a folder"
    )
    with pytest.raises(OSError, match=message) as caught:
        kvforge.load("two", source)
    assert caught.value.errno == getattr(errno, number)
    assert kvforge.load("one", source).answer() == 42  # takes no lock
    assert cache.main(["list"]) == 0
    assert main(["cache", "prune", "--all"]) == 1
    assert f"the file system of {folder} has no locks" in capfd.readouterr().err


def test_a_builder_that_stops(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, in time; when it goes on, so does the next one."""
    begun = tmp_path / "begun"
    program = tmp_path / "slow-cc"
    program.write_text(
        f'#!/bin/sh\ncase " $*" in *" -c "*) touch {begun}; sleep 1;; esac\nexec cc "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("CC", str(program))
    source = support.write_source(tmp_path)
    arguments = (source, folder, str(program), os.getpid)
    process = server.Process(target=support.load_in_process, args=arguments)
    process.start()
    while not begun.exists():
        time.sleep(0.01)
    os.kill(process.pid or 0, signal.SIGSTOP)
    try:
        monkeypatch.setenv("KVFORGE_LOCK_TIMEOUT", "0.3")
        started = time.monotonic()
        with pytest.raises(TimeoutError) as caught:
            kvforge.load("one", source)
        assert 0.3 <= time.monotonic() - started < 20
        for words in (f"process {process.pid} on ", str(folder), "KVFORGE_LOCK_TIMEOUT"):
            assert words in str(caught.value)
        assert cache.main(["prune", "--all"]) == 0  # leaves alone what is being built
    finally:
        os.kill(process.pid or 0, signal.SIGCONT)
    monkeypatch.setenv("KVFORGE_LOCK_TIMEOUT", "60")
    assert kvforge.load("one", source).answer() == 42
    process.join(60)
    assert process.exitcode == 0


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "1e3", " 1", "0x10", "\u0661"])
def test_a_wait_that_is_no_number(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("KVFORGE_LOCK_TIMEOUT", text)
    with pytest.raises(ValueError, match=r"KVFORGE_LOCK_TIMEOUT is .*, want a number of seconds"):
        kvforge.load("one", support.write_source(tmp_path))


@pytest.mark.parametrize("content", [b"", b"\xff" * 1000, b"1 on a\nb", b"-1 on host"])
def test_a_holder_that_says_nothing_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setenv("KVFORGE_LOCK_TIMEOUT", "0")
    lock = tmp_path / "request" / "lock"
    with _lock.locked(lock, None):
        lock.write_bytes(content)
        with (
            pytest.raises(TimeoutError, match=r"by process \(unknown\)"),
            _lock.locked(lock, lambda: None),
        ):
            pass


def test_a_forked_process_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "request" / "lock"
    with _lock.locked(lock, None):
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
    try:
        with _lock.locked(lock, None):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_lock_that_is_removed_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*arguments: Any) -> bool:
        return False

    monkeypatch.setattr(_lock, "is_file", gone)
    with (
        pytest.raises(OSError, match="removed again and again"),
        _lock.locked(tmp_path / "lock", None),
    ):
        pass
