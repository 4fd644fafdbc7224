"""A lock of the kernel (flock) on a file: it dies with its process, kill -9 included."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from kvforge._trust import discard, is_own, make_own_folder

PATIENCE = "KVFORGE_LOCK_TIMEOUT"
DEFAULT_PATIENCE = 1800.0  # seconds
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF}
ATTEMPTS = 100  # at a lock file that others remove


def patience() -> float:
    """For how many seconds another process may hold a lock: $KVFORGE_LOCK_TIMEOUT."""
    text = os.environ.get(PATIENCE) or str(DEFAULT_PATIENCE)
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        raise ValueError(f"{PATIENCE} is {text!r}, want a number of seconds such as 600")
    return float(text)


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] | None) -> Iterator[None]:
    """Holds a lock file, made with its folder if need be.

    `waiting` is called before waiting for another holder; None: BlockingIOError instead.
    TimeoutError, with the holder's process, after `patience()`; OSError, with a sentence, on a file
    system without locks.
    """
    for _ in range(ATTEMPTS):
        if (descriptor := open_lock(path)) is None:
            continue
        try:
            acquire(descriptor, path, waiting)
            if not is_file(descriptor, path):  # pruned while we waited: a lock on nothing
                continue
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()} on {socket.gethostname()}\n".encode(), 0)
            try:
                yield
            finally:
                # Not by closing alone: a process that was forked meanwhile has it open, too.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            return
        finally:
            os.close(descriptor)
    raise OSError(f"kvforge: lock file {path} cannot be made or is removed again and again")


def open_lock(path: Path) -> int | None:
    """An open lock file; None when it has gone, or was something else and has been thrown away."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        make_own_folder(path.parent)
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:  # the folder was pruned just now
        return None
    except OSError as error:
        if not os.path.lexists(path):
            raise type(error)(f"kvforge: nothing can be built in the cache: {error}") from None
        discard(path)  # a folder, a link, a socket, a file that is not ours
        return None
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and is_own(found):
        return descriptor
    os.close(descriptor)
    discard(path)
    return None


def acquire(descriptor: int, path: Path, waiting: Callable[[], None] | None) -> None:
    """Takes the lock, waiting for another holder if `waiting` is something to call."""
    limit = patience()
    started, pause = time.monotonic(), 0.01
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if waiting is None:
                raise
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            raise OSError(
                error.errno,
                f"kvforge: the file system of {path.parent.parent} has no locks (flock: "
                f"{error.strerror}): set KVFORGE_CACHE to a folder on another one",
            ) from None
        waited = time.monotonic() - started
        if waited >= limit:
            raise TimeoutError(
                f"kvforge: {path} has been held for {waited:.0f} s by process {holder(descriptor)}; "
                f"if it is stuck, end it; {PATIENCE} is how many seconds to wait"
            )
        if pause == 0.01:
            waiting()
        time.sleep(min(pause, limit - waited))
        pause = min(2 * pause, 0.25)


def holder(descriptor: int) -> str:
    """Who holds a lock, as its file says."""
    text = os.pread(descriptor, 300, 0).decode(errors="replace").strip()
    return text if re.fullmatch(r"\d+ on [\w.-]+", text) else "(unknown)"


def is_file(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False
