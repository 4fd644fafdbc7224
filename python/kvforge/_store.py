"""The cache of what kvforge has compiled, keyed by content.

    <cache>/tools/                  what compilers said of their version
    <cache>/<name>-<request>/       one request: sources, flags, compilers and versions
        lock                        held by the process that builds
        <build>/                    one build of it: manifest.json, the shared object, wrappers
        building-<random>/          a build under way, or what a killed one left
        failed/                     the last build that failed

A request's key is a hash of all that is known before compiling. The headers are known only
afterwards, from depfiles: the manifest names each with the hash of its content, and the places where
the compiler looked for them before, and a build is used as long as all of that is what it was. Time
stamps never make a build be used.

A build is made aside and renamed into place, so it is there as a whole or not at all. Whoever builds
holds a lock (_lock.py). What is not right in any way, or not this user's alone (_trust.py), is no
build, and is made anew.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kvforge import _manifest
from kvforge._content import Hashes, stamp_of
from kvforge._lock import locked
from kvforge._manifest import Manifest
from kvforge._trust import discard, is_own_folder, private_folder, remove, write_own

FORMAT = "3"  # of the folders and manifests; part of every key
MAX_NAME = 128  # letters; with a key it has to fit into the name of a folder
REQUEST = re.compile(r"[A-Za-z_][A-Za-z0-9_]*-[0-9a-f]{32}")
BUILD = re.compile(r"[0-9a-f]{32}")
LEFTOVER = re.compile(r"building-[0-9a-f]+")


class Changed(Exception):
    """Files changed while they were compiled: what was made of them is not recorded."""


def default_folder() -> Path:
    """$KVFORGE_CACHE, $XDG_CACHE_HOME/kvforge or ~/.cache/kvforge."""
    if own := os.environ.get("KVFORGE_CACHE"):
        if own.startswith("~/"):
            return home() / own[2:]
        try:
            return Path(own).expanduser().absolute()
        except RuntimeError as error:
            raise RuntimeError(f"kvforge: KVFORGE_CACHE is {own!r}: {error}") from None
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else home() / ".cache").absolute() / "kvforge"


def home() -> Path:
    """This user's folder; RuntimeError if neither $HOME nor the user database names one."""
    found = os.environ.get("HOME", "")
    if not found:
        with contextlib.suppress(KeyError):
            found = pwd.getpwuid(os.geteuid()).pw_dir
    if not found.startswith("/"):
        raise RuntimeError(
            f"kvforge: no place for the cache: HOME is {os.environ.get('HOME')!r}, and the user "
            f"database has no folder of user {os.geteuid()}: set KVFORGE_CACHE to a folder"
        )
    return Path(found)


@dataclass(frozen=True)
class Product:
    """What a build made: files to keep check of, and what it was made of."""

    files: list[str]  # relative to its folder
    inputs: dict[str, str]  # absolute path -> hash of what was compiled
    absent: list[str]  # paths that would have been compiled instead
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
        """Makes the folder, or refuses it, as _trust.py has it."""
        text = str(self.folder)
        if not text.isprintable():
            raise ValueError(f"kvforge: cache folder {text!r}: want a path of printable characters")
        private_folder(self.folder)

    # ---- builds ------------------------------------------------------------------------------

    def find(self, name: str, key: str, hashes: Hashes | None = None) -> Path | None:
        """The folder of a build whose inputs are what they were. Starts no process, takes no lock."""
        hashes = Hashes() if hashes is None else hashes
        for build in builds_of(self._request(name, key)):
            manifest = manifest_of(build)
            if manifest is None or f"{name}.so" not in manifest.files:
                continue
            if manifest.is_current(hashes) and manifest.is_whole(build):
                with contextlib.suppress(OSError):
                    os.utime(build)  # for `prune` only
                return build
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
            for path in list(request.iterdir()):
                manifest = manifest_of(path) if BUILD.fullmatch(path.name) else None
                whole = manifest is not None and manifest.is_whole(path)
                if not whole and path.name not in ("lock", "failed"):
                    discard(path)  # of builders that were killed, or broken
            return self._build(request, make)

    def failed_folder(self, name: str, key: str) -> Path:
        """Where the latest build of a request that failed has its files."""
        return self._request(name, key) / "failed"

    def _request(self, name: str, key: str) -> Path:
        return self.folder / f"{name}-{key[:32]}"

    def _build(self, request: Path, make: Callable[[Path], Product]) -> Path:
        building = request / f"building-{secrets.token_hex(8)}"
        building.mkdir(mode=0o700)
        try:
            product = make(building)
        except Changed:
            remove(building)
            raise
        except BaseException:
            discard(request / "failed")
            building.rename(request / "failed")
            raise
        files = {path: stamp_of(building / path) for path in product.files}
        data = Manifest(product.title, product.inputs, product.absent, files).to_bytes()
        write_own(building / _manifest.NAME, data)
        for path in (*product.files, _manifest.NAME):
            sync(building / path)
        done = request / _manifest.name_of(data)
        discard(done)  # one whose files are broken
        building.rename(done)
        sync(request)
        return done

    # ---- housekeeping ------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Every build, the one used last first."""
        found = []
        for build in (build for request in self._requests() for build in builds_of(request)):
            if manifest := manifest_of(build):
                name = build.parent.name.rpartition("-")[0]
                with contextlib.suppress(FileNotFoundError):  # pruned just now
                    used = build.stat().st_mtime
                    found.append(Entry(name, manifest.title, build, used, size_of(build)))
        return sorted(found, key=lambda entry: -entry.used)

    def _requests(self) -> list[Path]:
        """What has the name of a request."""
        return [path for path in self.folder.iterdir() if REQUEST.fullmatch(path.name)]

    def prune(self, keep: Callable[[Entry], bool]) -> int:
        """Removes the builds not to keep, and what failed, broken and killed ones left; the bytes
        freed.

        Shared objects that a process has loaded stay usable in it. A request that is being built is
        left alone, and so is whatever else lies in the folder.
        """
        before = size_of(self.folder)
        kept = {entry.folder for entry in self.entries() if keep(entry)}
        for path in list(self.folder.iterdir()):
            if LEFTOVER.fullmatch(path.name):
                remove(path)
        for request in self._requests():
            with contextlib.suppress(BlockingIOError), locked(request / "lock", None):
                for path in list(request.iterdir()):
                    if path not in kept and path.name != "lock":
                        discard(path)
                if kept.isdisjoint(request.iterdir()):
                    discard(request)
        return before - size_of(self.folder)


def store_in(build_directory: str | os.PathLike[str] | None) -> Store:
    """The cache in a folder, or the user's own."""
    if build_directory is None:
        return Store()
    if not os.fspath(build_directory):
        raise ValueError("kvforge: build_directory is empty, want a folder, or None for the cache")
    return Store(Path(build_directory).absolute())


def builds_of(request: Path) -> Iterator[Path]:
    """What has the name of a build, in a request of this user alone."""
    if is_own_folder(request):
        with contextlib.suppress(OSError), os.scandir(request) as entries:
            yield from [request / entry.name for entry in entries if BUILD.fullmatch(entry.name)]


def manifest_of(build: Path) -> Manifest | None:
    """The manifest of a build; None without a right one."""
    try:
        return _manifest.read(build)
    except (OSError, ValueError):
        return None


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
