"""Files by their content: hashes, and what a file was at one moment."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from kvforge._trust import own_file

CHUNK = 1 << 20


def key_of(parts: Iterable[str | bytes]) -> str:
    """A hash of all parts, in their order and with their borders."""
    whole = hashlib.sha256()
    for part in parts:
        data = os.fsencode(part)
        whole.update(len(data).to_bytes(8, "little") + data)
    return whole.hexdigest()


class State(NamedTuple):
    """What a file was: its content, and marks that change with whatever is done to it."""

    content: str  # a hash; "" when it cannot be read
    marks: tuple[int, ...]


NOTHING = State("", ())


def state_of(path: str) -> State:
    """What a file is now. A pipe is not waited for: that it is one is all its content."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return NOTHING
    try:
        found = os.fstat(descriptor)
        marks = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        if not stat.S_ISREG(found.st_mode):
            return State(f"no file: {found.st_mode:o}", (found.st_dev, found.st_ino))
        return State(digest_of(descriptor, found.st_size), marks)
    except OSError:
        return NOTHING
    finally:
        os.close(descriptor)


def digest_of(descriptor: int, size: int) -> str:
    """A hash of an open file."""
    if size < CHUNK:
        data = os.read(descriptor, CHUNK)
        if len(data) == size:
            return hashlib.sha256(data).hexdigest()
        os.lseek(descriptor, 0, os.SEEK_SET)
    whole = hashlib.sha256()
    while data := os.read(descriptor, CHUNK):
        whole.update(data)
    return whole.hexdigest()


def stamp_of(path: str | Path) -> str:
    """Size and hash of a file of this user alone; OSError for anything else."""
    with own_file(path) as (descriptor, size):
        return f"{size} {digest_of(descriptor, size)}"


def has_stamp(path: str | Path, stamp: str) -> bool:
    """Whether a file is this user's alone, and what it was. One of another size is not read."""
    try:
        with own_file(path) as (descriptor, size):
            same_size = stamp.startswith(f"{size} ")
            return same_size and stamp == f"{size} {digest_of(descriptor, size)}"
    except (OSError, ValueError):
        return False


class Hashes(dict[str, str]):
    """Hashes of files by their paths, each file being read once."""

    def __missing__(self, path: str) -> str:
        self[path] = state_of(path).content
        return self[path]
