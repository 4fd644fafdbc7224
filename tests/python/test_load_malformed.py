"""Whatever lies in the cache in place of what was written there is built anew, never an exception or
a wait; `python -m kvforge cache` gets on with it, too."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import contextlib
import json
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import load_support as support
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kvforge
from kvforge import _manifest, _store, _toolchain, cache


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """A test that waits for something that never comes fails."""

    def fail(number: int, frame: Any) -> None:
        raise AssertionError("this waits for ever")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    path = tmp_path / "cache"
    monkeypatch.setenv("KVFORGE_CACHE", str(path))
    return path


def in_place(path: Path) -> Path:
    """A name whose former owner is out of the way."""
    if os.path.lexists(path):
        path.rename(path.with_name(f"former-{len(list(path.parent.iterdir()))}"))
    return path


def huge(path: Path) -> None:
    in_place(path).touch()
    os.truncate(path, 1 << 42)


def listen(path: Path) -> None:
    here = Path.cwd()
    os.chdir(in_place(path).parent)  # names of sockets are short
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as made:
        made.bind(path.name)
    os.chdir(here)


def full_folder(path: Path) -> None:
    (in_place(path) / "inner").mkdir(parents=True)
    (path / "inner/file").touch()
    path.chmod(0)


def truncated(path: Path) -> None:
    data = path.read_bytes() if path.is_file() else b""
    in_place(path).write_bytes(data[: len(data) // 2])


def link_to_the_same(path: Path) -> None:
    before = {*path.parent.iterdir()}
    in_place(path)
    path.symlink_to(next(iter({*path.parent.iterdir()} - before), Path("nowhere")).name)


def with_mode(path: Path, mode: int) -> None:
    if path.exists():
        path.chmod(mode)


KINDS: dict[str, Callable[[Path], Any]] = {
    "nothing": in_place,
    "empty": lambda path: in_place(path).touch(),
    "truncated": truncated,
    "binary": lambda path: in_place(path).write_bytes(bytes(range(256)) * 16),
    "huge": huge,
    "pipe": lambda path: os.mkfifo(in_place(path)),
    "folder": lambda path: in_place(path).mkdir(),
    "full folder": full_folder,
    "socket": listen,
    "dangling link": lambda path: in_place(path).symlink_to("nowhere"),
    "looping link": lambda path: in_place(path).symlink_to(path.name),
    "link to the same": link_to_the_same,
    "device": lambda path: in_place(path).symlink_to("/dev/zero"),
    "unreadable": lambda path: with_mode(path, 0),
    "writable by all": lambda path: with_mode(path, 0o777),
}
PLACES: dict[str, Callable[[Path], Path]] = {
    "manifest": lambda build: build / "manifest.json",
    "shared object": lambda build: build / "one.so",
    "build": lambda build: build,
    "lock": lambda build: build.parent / "lock",
    "failed": lambda build: build.parent / "failed",
    "leftover": lambda build: build.parent / "building-0123456789abcdef",
    "request": lambda build: build.parent,
    "tools": lambda build: build.parent.parent / "tools",
    "version": lambda build: next((build.parent.parent / "tools").iterdir()),
}


KEY = "0" * 32


def make(building: Path) -> _store.Product:
    """A build without a compiler."""
    (building / "one.so").write_bytes(b"good" * 100)
    (building / "one.so").chmod(0o700)
    return _store.Product(["one.so"], {}, [], "title")


def fail(building: Path) -> _store.Product:
    """A build that fails."""
    raise kvforge.BuildError("refused")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_anything_in_place_of_anything(folder: Path, place: str, kind: str) -> None:
    store = _store.Store()
    version = _toolchain.find_cc(store).version
    KINDS[kind](PLACES[place](store.obtain("one", KEY, make)))
    assert [cache.main([command]) for command in ("list", "size")] == [0, 0]
    found = _toolchain.find_cc(store).version
    assert found == version or (place == "version" and isinstance(found, str))
    build = store.obtain("one", KEY, make)
    assert store.find("one", KEY) == build
    path = build / "one.so"
    assert path.read_bytes() == b"good" * 100 and not path.is_symlink()
    for part in (path, build, build.parent):
        assert not part.stat().st_mode & 0o022
    with pytest.raises(kvforge.BuildError):  # puts something aside as failed
        store.obtain("one", KEY[1:] + "1", fail)
    (there := PLACES[place](build)).exists() and KINDS[kind](there)
    with pytest.raises(kvforge.BuildError):
        store.obtain("one", KEY[1:] + "1", fail)
    assert cache.main(["prune", "--all"]) == 0
    assert store.entries() == []
    assert not {path.name for path in folder.iterdir()} & {f"one-{KEY}", f"one-{KEY[1:]}1"}


@pytest.mark.parametrize("kind", ["truncated", "pipe", "folder", "link to the same"])
@pytest.mark.parametrize("place", ["manifest", "shared object", "lock", "request"])
def test_loading(tmp_path: Path, folder: Path, place: str, kind: str) -> None:
    source = support.write_source(tmp_path)
    path = Path(kvforge.load("one", source, is_python_module=False))
    KINDS[kind](PLACES[place](path.parent))
    again = Path(kvforge.load("one", source, is_python_module=False))
    assert again.read_bytes()[:4] == b"\x7fELF"
    assert kvforge.load("one", source).answer() == 42


def test_nothing_else_in_the_folder_is_touched(folder: Path) -> None:
    mine = folder / "my-project" / "inner"
    mine.mkdir(parents=True)
    (mine / "file").touch()
    (folder / "a-file").touch()
    folder.chmod(0o700)
    cache.main(["prune", "--all"])
    assert (mine / "file").is_file() and (folder / "a-file").is_file()


def test_a_source_that_is_a_pipe(tmp_path: Path, folder: Path) -> None:
    os.mkfifo(tmp_path / "pipe.c")
    with pytest.raises(ValueError, match=r"pipe\.c: want a folder or a file"):
        kvforge.load("one", tmp_path / "pipe.c")


def test_a_header_that_becomes_a_pipe(tmp_path: Path, folder: Path) -> None:
    header = tmp_path / "number.h"
    header.write_text("#define NUMBER 1\n")
    source = support.write_source(tmp_path, include='#include "number.h"', value="NUMBER")
    kvforge.load("one", source)
    header.unlink()
    os.mkfifo(header)
    store = _store.Store()
    request = next(folder.glob("one-*"))
    assert store.find("one", request.name.partition("-")[2]) is None


# ---- manifests of any shape ----------------------------------------------------------------------

SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
ALMOST = st.fixed_dictionaries(
    {},
    optional={
        "title": SHAPES | st.text(),
        "inputs": SHAPES | st.dictionaries(st.text(), st.text() | SHAPES),
        "absent": SHAPES | st.lists(st.text() | SHAPES),
        "files": SHAPES | st.dictionaries(st.just("one.so") | st.text(), st.text() | SHAPES),
    },
)
TEXTS = (SHAPES | ALMOST).map(lambda shape: json.dumps(shape).encode())
NESTED = [b"[" * 100_000, b'{"inputs":' * 100_000, b"9" * 10_000, b"\xff\xfe", b'"\\ud800"', b""]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=TEXTS | st.binary() | st.sampled_from(NESTED), right_name=st.booleans())
def test_any_manifest(data: bytes, right_name: bool) -> None:
    with tempfile.TemporaryDirectory() as name, mock.patch.object(_store, "sync"):
        store = _store.Store(Path(name) / "cache")
        build = store.obtain("one", KEY, make)
        (build / "one.so").write_bytes(b"bad")
        (build / "manifest.json").write_bytes(data)
        if right_name:
            build = build.rename(build.with_name(_manifest.name_of(data)))
        assert store.find("one", KEY) is None
        assert len(store.entries()) <= 1
        assert (store.obtain("one", KEY, make) / "one.so").read_bytes() == b"good" * 100
        store.prune(lambda entry: False)
        assert store.entries() == [] and not any(store.folder.iterdir())


@pytest.mark.parametrize("data", [b"[]", b"null", b'{"inputs": null}', *NESTED])
def test_listing_them(folder: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    build = _store.Store().obtain("one", KEY, make)
    (build / "manifest.json").write_bytes(data)
    build.rename(build.with_name(_manifest.name_of(data)))
    assert cache.main(["list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert cache.main(["prune", "--all"]) == 0
    assert not any(folder.iterdir())


@settings(max_examples=50, deadline=None)
@given(data=st.binary())
def test_any_version(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = _store.Store(Path(name) / "cache")
        asked = _toolchain.find_cc(store).version
        memo = next((store.folder / "tools").iterdir())
        memo.write_bytes(data)
        assert isinstance(_toolchain.find_cc(store).version, str)
        memo.unlink()
        assert _toolchain.find_cc(store).version == asked
