"""Nothing that another user owns or can write to is loaded, and nothing on a path that another user
can turn elsewhere. Other users are played with chown, which takes root."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import load_support as support
import pytest

import kvforge
from kvforge import _store, _toolchain, cache
from kvforge.__main__ import main

OTHER, THIRD = 54321, 54322  # users
KEY = "0" * 32
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of other users")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    path = tmp_path / "parent" / "cache"
    path.parent.mkdir(mode=0o755)
    monkeypatch.setenv("KVFORGE_CACHE", str(path))
    return path


def builder(content: bytes) -> Callable[[Path], _store.Product]:
    """What makes a build without a compiler."""

    def make(building: Path) -> _store.Product:
        (building / "python").mkdir(mode=0o700)
        for name in ("one.so", "python/space.py"):
            (building / name).write_bytes(content)
            (building / name).chmod(0o600)
        return _store.Product(["one.so", "python/space.py"], {}, [], "title")

    return make


good, evil = builder(b"good"), builder(b"evil")
PLACES = ["", "..", "manifest.json", "one.so", "python", "python/space.py"]


def obtain_after(folder: Path, spoil: Callable[[Path], None], place: str) -> None:
    """Another user's build, in order in all but one thing, is not found but made anew."""
    store = _store.Store()
    build = store.obtain("one", KEY, evil)
    spoil(build / place)
    assert store.find("one", KEY) is None
    made = store.obtain("one", KEY, good)
    assert (made / "one.so").read_bytes() == (made / "python/space.py").read_bytes() == b"good"
    assert cache.main(["prune", "--all"]) == 0
    assert not any(folder.iterdir())


@as_root
@pytest.mark.parametrize("place", PLACES)
def test_a_build_of_another_user(folder: Path, place: str) -> None:
    obtain_after(folder, lambda path: os.chown(path, OTHER, OTHER), place)


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
@pytest.mark.parametrize("place", PLACES)
def test_a_build_that_others_can_write_to(folder: Path, place: str, mode: int) -> None:
    obtain_after(folder, lambda path: path.chmod(mode), place)


@pytest.mark.parametrize("place", PLACES)
def test_a_link_in_a_build(folder: Path, place: str) -> None:
    """To what another user may own."""

    def replace(path: Path) -> None:
        path = Path(os.path.normpath(path))
        path.rename(folder.parent / "elsewhere")
        path.symlink_to(folder.parent / "elsewhere")

    obtain_after(folder, replace, place)


@as_root
def test_what_was_planted_before_the_advice_was_followed(
    tmp_path: Path, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A folder that all could write to: its entries stay another's after chmod go-w."""
    folder.mkdir()
    folder.chmod(0o777)
    source = support.write_source(tmp_path)
    with pytest.raises(PermissionError, match=f"chmod go-w {folder}"):
        kvforge.load("one", source)
    assert main(["cache", "list"]) == 1
    assert f"chmod go-w {folder}" in capfd.readouterr().err
    folder.chmod(0o755)
    path = Path(kvforge.load("one", source, is_python_module=False))
    planted = path.parent.parent
    for part in (planted, *planted.rglob("*")):
        os.chown(part, OTHER, OTHER)
    again = Path(kvforge.load("one", source, is_python_module=False))
    for part in (again, again.parent, again.parent / "manifest.json", again.parent.parent):
        assert part.stat().st_uid == 0


@as_root
def test_another_users_word_on_a_compiler_is_not_taken(folder: Path) -> None:
    store = _store.Store()
    version = _toolchain.find_cc(store).version
    memo = next((folder / "tools").iterdir())
    memo.write_text("another")
    os.chown(memo, OTHER, OTHER)
    assert _toolchain.find_cc(store).version == version
    memo.write_text("another")
    os.chown(memo.parent, OTHER, OTHER)
    assert _toolchain.find_cc(store).version == version


# ---- what leads to the cache ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("made", [False, True])
def test_a_parent_that_others_can_write_to(
    tmp_path: Path, folder: Path, mode: int, depth: int, made: bool
) -> None:
    if made:
        _store.Store()
    parent = [folder.parent, tmp_path][depth]
    parent.chmod(mode)
    message = (
        f"{parent}, which leads to the cache, has mode {mode:04o}, .*chmod go-w {parent}, or set"
    )
    with pytest.raises(PermissionError, match=message):
        _store.Store()
    with pytest.raises(PermissionError, match=message):
        kvforge.load("one", support.write_source(tmp_path))
    assert folder.exists() == made
    parent.chmod(0o755)
    _store.Store()


@as_root
def test_a_parent_of_another_user(folder: Path) -> None:
    os.chown(folder.parent, OTHER, OTHER)
    message = f"{folder.parent}, which leads to the cache, belongs to user {OTHER}, want root or 0"
    with pytest.raises(PermissionError, match=message):
        _store.Store()
    folder.parent.chmod(0o1777)  # its owner may rename what is in it, sticky or not
    with pytest.raises(PermissionError, match=message):
        _store.Store()


def test_a_sticky_parent(folder: Path) -> None:
    folder.parent.chmod(0o1777)
    assert _store.Store().folder == folder
    assert folder.stat().st_mode & 0o7777 == 0o700


@as_root
def test_a_folder_of_another_user_in_a_sticky_one(folder: Path) -> None:
    folder.parent.chmod(0o1777)
    folder.mkdir(mode=0o700)
    os.chown(folder, OTHER, OTHER)
    with pytest.raises(PermissionError, match=f"belongs to user {OTHER}, want 0"):
        _store.Store()


def test_a_link_of_ours(tmp_path: Path, folder: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    folder.symlink_to("../real")
    _store.Store().obtain("one", KEY, good)
    assert any(real.iterdir())
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match=f"{tmp_path}, which leads to the cache, has mode"):
        _store.Store()


@as_root
def test_a_link_of_another_user_in_a_sticky_folder(tmp_path: Path, folder: Path) -> None:
    """It can be made to lead to an older cache of ours."""
    (tmp_path / "real").mkdir(mode=0o700)
    folder.symlink_to("../real")
    os.chown(folder, OTHER, OTHER, follow_symlinks=False)
    folder.parent.chmod(0o1777)
    with pytest.raises(PermissionError, match=f"{folder}, which leads .* user {OTHER}"):
        _store.Store()


def test_links_in_a_loop(folder: Path) -> None:
    folder.symlink_to("cache")
    with pytest.raises(OSError, match=r"kvforge: cache folder .*[Ss]ymbolic links"):
        _store.Store()


@pytest.mark.parametrize("make", [Path.touch, os.mkfifo], ids=["file", "pipe"])
def test_no_folder(folder: Path, make: Callable[[Path], None]) -> None:
    make(folder)
    with pytest.raises(NotADirectoryError, match="kvforge: cache folder"):
        _store.Store()
    folder.unlink()
    folder.parent.rmdir()
    make(folder.parent)
    with pytest.raises(NotADirectoryError, match="kvforge: cache folder"):
        _store.Store()


def test_no_parent_that_others_can_write_to_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KVFORGE_CACHE", str(tmp_path / "a/b/cache"))
    mask = os.umask(0)
    try:
        kvforge.load("one", support.write_source(tmp_path))
    finally:
        os.umask(mask)
    for name in ("a", "a/b", "a/b/cache"):
        assert (tmp_path / name).stat().st_mode & 0o7777 == 0o700
    used = [path for path in (tmp_path / "a").rglob("*") if path.suffix in (".so", ".json")]
    assert len(used) == 2 and not any(path.stat().st_mode & 0o022 for path in used)
    assert len(_store.Store().entries()) == 1


# ---- without root's rights -----------------------------------------------------------------------


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of a user without rights, as whom the test then runs."""
    path = Path(tempfile.mkdtemp())
    os.chown(path, THIRD, THIRD)
    os.setegid(THIRD)
    os.seteuid(THIRD)
    try:
        yield path
    finally:
        os.seteuid(0)
        os.setegid(0)
        shutil.rmtree(path)


@contextlib.contextmanager
def root() -> Iterator[None]:
    """Root again for a while."""
    os.seteuid(0)
    try:
        yield
    finally:
        os.seteuid(THIRD)


@as_root
@pytest.mark.parametrize("place", PLACES)
def test_what_cannot_be_removed_is_put_aside(unprivileged: Path, place: str) -> None:
    store = _store.Store(unprivileged / "cache")
    build = store.obtain("one", KEY, evil)
    with root():
        os.chown(build / place, OTHER, OTHER)
        (build / place).chmod(0o700)
    assert store.find("one", KEY) is None
    assert (store.obtain("one", KEY, good) / "one.so").read_bytes() == b"good"
    assert store.entries()[0].title == "title"
    store.prune(lambda entry: False)
    assert store.entries() == []


@as_root
def test_a_cache_that_cannot_be_written_to(unprivileged: Path) -> None:
    store = _store.Store(unprivileged / "cache")
    store.obtain("one", KEY, good)
    (unprivileged / "cache").chmod(0o500)
    again = _store.Store(unprivileged / "cache")
    assert again.find("one", KEY)
    with pytest.raises(PermissionError, match="kvforge: nothing can be built in the cache"):
        again.obtain("other", KEY, good)
    (unprivileged / "cache").chmod(0o700)


@as_root
def test_a_place_where_no_folder_can_be_made(unprivileged: Path) -> None:
    with pytest.raises(PermissionError, match=r"kvforge: cache folder /none/here: .*ermission"):
        _store.Store(Path("/none/here"))
