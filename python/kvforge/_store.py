"""The cache of what kvforge has compiled, keyed by content.

    <cache>/tools/                  what compilers said of their version
    <cache>/<name>-<request>/       one request: sources, flags, compilers and versions
        lock                        held by the process that builds
        <build>/                    one build of it: manifest.json, the shared object, sources
        building-<random>/          a build under way, or what a killed one left
        failed/                     the last build that failed

A request's key is a hash of all that is known before compiling. The headers are known only
afterwards, from depfiles: the manifest names each with the hash of its content, and a build is used
as long as all of them are what they were. Time stamps decide nothing.

A build is made aside and renamed into place, so it is there as a whole or not at all. Whoever builds
holds a lock of the kernel (flock), which dies with its process, kill -9 included.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

FORMAT = "1"  # of the folders and manifests; part of every key


def default_folder() -> Path:
    """$KVFORGE_CACHE, $XDG_CACHE_HOME/kvforge or ~/.cache/kvforge."""
    if own := os.environ.get("KVFORGE_CACHE"):
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").absolute() / "kvforge"


def key_of(parts: Iterable[str | bytes]) -> str:
    """A hash of all parts, in their order and with their borders."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "little") + data)
    return whole.hexdigest()


def hash_of(path: str | Path) -> str:
    """A hash of a file's content; "" when it cannot be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (half the time of Path's)
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


class Hashes(dict[str, str]):
    """Hashes of files by their paths, each file being read once."""

    def __missing__(self, path: str) -> str:
        self[path] = hash_of(path)
        return self[path]


@dataclass(frozen=True)
class Product:
    """What a build made: files to keep check of, and what it was made of."""

    files: list[str]  # relative to its folder
    inputs: set[str]  # absolute paths
    title: str  # for people


@dataclass(frozen=True)
class Entry:
    """One build, as the cache command shows it."""

    name: str
    title: str
    folder: Path
    used: float  # when it was last loaded or built
    size: int  # bytes


@dataclass
class Store:
    """A cache folder that belongs to this user alone."""

    folder: Path = field(default_factory=default_folder)

    def __post_init__(self) -> None:
        """Makes the folder, or shuts one that is there to others: mode 0700. Refuses one that is not
        this user's, or that others could have put code into."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self.folder.stat()
        if found.st_uid != os.geteuid():
            raise PermissionError(
                f"kvforge: cache folder {self.folder} belongs to user {found.st_uid}, want "
                f"{os.geteuid()}: set KVFORGE_CACHE to a folder of your own"
            )
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionError(
                f"kvforge: cache folder {self.folder} has mode {stat.S_IMODE(found.st_mode):04o}, "
                f"so others can put code into it: chmod go-w {self.folder}"
            )
        if found.st_mode & 0o077:
            with contextlib.suppress(OSError):  # where nothing can be written, others cannot either
                self.folder.chmod(0o700)

    # ---- builds ------------------------------------------------------------------------------

    def find(self, name: str, key: str, hashes: Hashes | None = None) -> Path | None:
        """The folder of a build whose inputs are what they were. Starts no process, takes no lock."""
        hashes = Hashes() if hashes is None else hashes
        request = self._request(name, key)
        try:
            builds = [entry.name for entry in os.scandir(request) if is_build(entry.name)]
        except FileNotFoundError:
            return None
        for build in builds:
            if self._valid(request / build, hashes):
                with contextlib.suppress(OSError):
                    os.utime(request / build)  # for `prune` only
                return request / build
        return None

    def obtain(
        self,
        name: str,
        key: str,
        make: Callable[[Path], Product],
        hashes: Hashes | None = None,
        waiting: Callable[[], None] = lambda: None,
    ) -> Path:
        """The folder of a build; `make` fills a new one if there is none, in one process at a time.

        `waiting` is called when another process builds it. When `make` raises, its folder stays, as
        `failed_folder`.
        """
        if found := self.find(name, key, hashes):
            return found
        request = self._request(name, key)
        with locked(request / "lock", waiting):
            if found := self.find(name, key, hashes):
                return found
            for leftover in request.glob("building-*"):  # of builders that were killed
                shutil.rmtree(leftover, ignore_errors=True)
            return self._build(request, make)

    def failed_folder(self, name: str, key: str) -> Path:
        """Where the latest build of a request that failed has its files."""
        return self._request(name, key) / "failed"

    def _request(self, name: str, key: str) -> Path:
        return self.folder / f"{name}-{key[:32]}"

    def _valid(self, build: Path, hashes: Hashes) -> bool:
        try:
            manifest = json.loads((build / "manifest.json").read_bytes())
            inputs, files = manifest["inputs"], manifest["files"]
            return all(hashes[path] == content for path, content in inputs.items()) and all(
                hash_of(build / path) == content for path, content in files.items()
            )
        except (OSError, ValueError, KeyError):
            return False

    def _build(self, request: Path, make: Callable[[Path], Product]) -> Path:
        building = request / f"building-{secrets.token_hex(8)}"
        for attempt in range(2):
            building.mkdir(mode=0o700)
            started = time.time()
            try:
                product = make(building)
            except BaseException:
                failed = request / "failed"
                shutil.rmtree(failed, ignore_errors=True)
                building.rename(failed)
                raise
            if attempt or not any(changed_since(started, path) for path in product.inputs):
                break
            shutil.rmtree(building)  # an input changed under the compiler's eyes: once more
        inputs = {path: hash_of(path) for path in sorted(product.inputs)}
        manifest = {
            "title": product.title,
            "inputs": inputs,
            "files": {path: hash_of(building / path) for path in product.files},
        }
        (building / "manifest.json").write_text(json.dumps(manifest, indent=1))
        for path in (*product.files, "manifest.json"):
            sync(building / path)
        done = request / key_of(f"{path}={content}" for path, content in inputs.items())[:32]
        shutil.rmtree(done, ignore_errors=True)  # one whose files are broken
        building.rename(done)
        sync(request)
        return done

    # ---- housekeeping ------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Every build, the one used last first."""
        found = []
        for manifest in self.folder.glob("*-*/*/manifest.json"):
            build = manifest.parent
            if not is_build(build.name):
                continue
            with contextlib.suppress(OSError, ValueError, KeyError):
                title = json.loads(manifest.read_bytes())["title"]
                name = build.parent.name.rpartition("-")[0]
                found.append(Entry(name, title, build, build.stat().st_mtime, size_of(build)))
        return sorted(found, key=lambda entry: -entry.used)

    def prune(self, keep: Callable[[Entry], bool]) -> int:
        """Removes the builds not to keep, and what failed and killed ones left; the bytes freed.

        Shared objects that a process has loaded stay usable in it. A request that is being built is
        left alone.
        """
        before = size_of(self.folder)
        gone = {entry.folder for entry in self.entries() if not keep(entry)}
        for request in self.folder.glob("*-*/"):
            with contextlib.suppress(BlockingIOError), locked(request / "lock", None):
                for build in request.iterdir():
                    if build in gone or (build.is_dir() and not is_build(build.name)):
                        shutil.rmtree(build, ignore_errors=True)
                if not any(request.glob("*/")):
                    shutil.rmtree(request, ignore_errors=True)
        return before - size_of(self.folder)


def is_build(name: str) -> bool:
    """Whether a folder of a request is a finished build."""
    return len(name) == 32 and "-" not in name


def changed_since(moment: float, path: str) -> bool:
    """Whether a file was written after a moment."""
    try:
        return Path(path).stat().st_mtime > moment
    except OSError:
        return True


def sync(path: Path) -> None:
    """Puts a file or folder on the disk, so that a crash of the machine leaves no half of it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for top, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):
                total += Path(top, name).lstat().st_size
    return total


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] | None) -> Iterator[None]:
    """Holds a lock file, made with its folder if need be.

    `waiting` is called before waiting for another holder; None: BlockingIOError instead.
    """
    while True:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # the folder was pruned just now
            continue
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting is None:
                    raise
                waiting()
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not is_file(descriptor, path):  # pruned while we waited: a lock on nothing
                continue
            yield
            return
        finally:
            os.close(descriptor)


def is_file(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one at this path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
