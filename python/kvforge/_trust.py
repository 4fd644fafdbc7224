"""Whose files are loaded: this user's alone, on a path that no other user can turn elsewhere.

Every folder from / to the cache belongs to root (or to whoever owns /, who can replace anything) or
to this user, and is not writable by others, or is sticky as /tmp is. The cache and all in it belong
to this user, and no other can write there. With that rule no one can change a file between the check
and the use of its path.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

OTHERS = stat.S_IWGRP | stat.S_IWOTH
MAX_LINKS = 40  # symbolic links on a path, as the kernel has it


def private_folder(folder: Path) -> None:
    """Makes a folder, and its parents, or shuts one that is there to others: mode 0700.

    PermissionError for one that is not this user's, or that others could put code into; OSError,
    with a sentence, for one that cannot be made.
    """
    try:
        real = walk(folder)
        found = real.lstat()
    except PermissionError as error:
        if error.errno is None:
            raise
        raise PermissionError(f"kvforge: cache folder {folder}: {error}") from None
    except OSError as error:
        raise type(error)(f"kvforge: cache folder {folder}: {error}") from None
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"kvforge: cache folder {folder} is there, and is not a folder")
    if found.st_uid != os.geteuid():
        raise PermissionError(
            f"kvforge: cache folder {folder} belongs to user {found.st_uid}, want "
            f"{os.geteuid()}: set KVFORGE_CACHE to a folder of your own"
        )
    if found.st_mode & OTHERS:
        raise PermissionError(
            f"kvforge: cache folder {folder} has mode {stat.S_IMODE(found.st_mode):04o}, "
            f"so others can put code into it: chmod go-w {folder}"
        )
    if found.st_mode & 0o077:
        with contextlib.suppress(OSError):  # where nothing can be written, others cannot either
            real.chmod(0o700)


def walk(folder: Path) -> Path:
    """A folder without symbolic links, all that leads to it being checked; makes what is missing."""
    trusted = {0, os.geteuid(), Path("/").stat().st_uid}
    at, rest, links = Path("/"), list(reversed(folder.absolute().parts[1:])), 0
    check_parent(at, at.lstat(), trusted)
    while rest:
        name = rest.pop()
        if name == "..":
            at = at.parent
            continue
        path = at / name
        try:
            found = path.lstat()
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):  # another process was faster
                path.mkdir(mode=0o700)
            found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            check_owner(path, found, trusted)
            links += 1
            if links > MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            target = path.readlink()
            rest.extend(reversed(target.parts[1:] if target.is_absolute() else target.parts))
            at = Path("/") if target.is_absolute() else at
            continue
        if rest:
            check_parent(path, found, trusted)
        at = path
    return at


def check_owner(path: Path, found: os.stat_result, trusted: set[int]) -> None:
    """PermissionError if someone else could put another thing in this one's place."""
    if found.st_uid not in trusted:
        raise PermissionError(
            f"kvforge: {path}, which leads to the cache, belongs to user {found.st_uid}, want root "
            f"or {os.geteuid()}: set KVFORGE_CACHE to a folder of your own elsewhere"
        )


def check_parent(path: Path, found: os.stat_result, trusted: set[int]) -> None:
    """PermissionError if someone else could rename what is in this folder."""
    check_owner(path, found, trusted)
    if found.st_mode & OTHERS and not found.st_mode & stat.S_ISVTX:
        raise PermissionError(
            f"kvforge: {path}, which leads to the cache, has mode "
            f"{stat.S_IMODE(found.st_mode):04o}, so others can put another folder in the cache's "
            f"place: chmod go-w {path}, or set KVFORGE_CACHE to a folder elsewhere"
        )


# ---- what is in the cache ------------------------------------------------------------------------


def is_own(found: os.stat_result) -> bool:
    """Whether something belongs to this user, and no other can write to it."""
    return found.st_uid == os.geteuid() and not found.st_mode & OTHERS


def is_own_folder(path: str | Path) -> bool:
    """Whether a folder, and not a link to one, belongs to this user alone."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(found.st_mode) and is_own(found)


@contextlib.contextmanager
def own_file(path: str | Path) -> Iterator[tuple[int, int]]:
    """A file of this user alone, open to be read: its descriptor and size. Anything else, a pipe
    without a writer too, is an OSError at once."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        found = os.fstat(descriptor)
        if not (stat.S_ISREG(found.st_mode) and is_own(found)):
            raise PermissionError(errno.EPERM, "not a file of this user alone", str(path))
        yield descriptor, found.st_size
    finally:
        os.close(descriptor)


def read_own(path: str | Path, limit: int) -> bytes:
    """The content of a file of this user alone; OSError for one of more bytes than the limit."""
    with own_file(path) as (descriptor, size):
        if size > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit)


def write_own(path: Path, data: bytes) -> None:
    """Writes a new file of this user alone."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)


def make_own_folder(path: Path) -> None:
    """Makes a folder of this user alone; anything else that is in its place is thrown away."""
    if os.path.lexists(path) and not is_own_folder(path):
        discard(path)
    path.mkdir(mode=0o700, exist_ok=True)


def discard(path: Path) -> None:
    """Takes a thing of any kind away from its name, and removes it as far as it can be: what
    another user has filled stays, under a name that is never looked for."""
    aside = path.with_name(f"building-{secrets.token_hex(8)}")
    with contextlib.suppress(OSError):
        path.rename(aside)
        remove(aside)


def remove(path: Path) -> None:
    """Removes a file, a link or a folder with all in it, as far as that can be done."""
    if path.is_symlink() or not path.is_dir():
        with contextlib.suppress(OSError):
            path.unlink()
        return
    with contextlib.suppress(OSError):
        path.chmod(0o700)
    for top, folders, _ in os.walk(path):
        for name in folders:
            with contextlib.suppress(OSError):
                if not (inner := Path(top, name)).is_symlink():
                    inner.chmod(0o700)
    shutil.rmtree(path, ignore_errors=True)
