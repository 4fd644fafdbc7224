"""The cache folder: where it is, whose it is, and `python -m kvforge cache`."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import os
import time
from pathlib import Path

import load_support as support
import pytest

import kvforge
from kvforge import _lock, _store, cache
from kvforge.__main__ import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    path = tmp_path / "cache"
    monkeypatch.setenv("KVFORGE_CACHE", str(path))
    return path


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KVFORGE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert _store.default_folder() == Path("/somewhere/kvforge")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert _store.default_folder() == Path("/home/me/.cache/kvforge")
    monkeypatch.setenv("KVFORGE_CACHE", "~/own")
    assert _store.default_folder() == Path("/home/me/own")


def test_it_is_mine_alone(tmp_path: Path, folder: Path) -> None:
    mask = os.umask(0)
    try:
        kvforge.load("mine", support.write_source(tmp_path))
    finally:
        os.umask(mask)
    folders = [folder, *folder.glob("*"), *folder.glob("mine-*/*/")]
    assert len(folders) == 4  # of tools, of the request and of the build
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_one_that_others_can_write_to_is_refused(tmp_path: Path, folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(PermissionError, match="others can put code into it: chmod go-w"):
        kvforge.load("refused", support.write_source(tmp_path))
    with pytest.raises(PermissionError, match="others"):
        cache.main(["list"])
    assert not any(folder.iterdir())


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o744])
def test_one_that_others_can_read_is_shut(tmp_path: Path, folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    kvforge.load("shut", support.write_source(tmp_path))
    assert folder.stat().st_mode & 0o7777 == 0o700


def test_one_without_a_right_of_ours_is_left_as_it_is(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o500)
    assert _store.Store().folder.stat().st_mode & 0o7777 == 0o500


def test_one_of_another_user_is_refused(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="belongs to user"):
        kvforge.load("refused", support.write_source(tmp_path))


def test_a_build_directory_takes_its_place(tmp_path: Path, folder: Path) -> None:
    own = tmp_path / "own"
    path = kvforge.load(
        "own", support.write_source(tmp_path), build_directory=own, is_python_module=False
    )
    assert Path(path).is_relative_to(own) and not folder.exists()


def fill(tmp_path: Path, *names: str) -> None:
    """One build for each name, the last one used last."""
    for age, name in enumerate(reversed(names)):
        path = Path(kvforge.load(name, support.write_source(tmp_path), is_python_module=False))
        moment = time.time() - age * 86400
        os.utime(path.parent, (moment, moment))


def names_of() -> list[str]:
    """The builds, the one used last first."""
    return [entry.name for entry in _store.Store().entries()]


def test_list_and_size(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, "older", "newer")
    assert cache.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "sources", "size", "used", "folder"]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["newer", "answer.c"],
        ["older", "answer.c"],
    ]
    assert str(folder) in lines[1]
    assert main(["cache", "size"]) == 0
    size, unit, *rest = capsys.readouterr().out.split()
    assert 0.01 < float(size) < 1 and [unit, *rest] == ["MB", "in", str(folder)]


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ([], ["newest", "newer", "older"]),
        (["--older-than", "1.5"], ["newest", "newer"]),
        (["--older-than", "0"], []),
        (["--max-size", "1000"], ["newest", "newer", "older"]),
        (["--max-size", "0.00001"], []),
        (["--all"], []),
    ],
)
def test_prune(tmp_path: Path, folder: Path, arguments: list[str], left: list[str]) -> None:
    fill(tmp_path, "older", "newer", "newest")
    (folder / next(folder.glob("newest-*")) / "building-0123").mkdir()  # of one that was killed
    assert cache.main(["prune", *arguments]) == 0
    assert names_of() == left
    assert not [*folder.glob("*-*/building-*")]
    assert {path.name.partition("-")[0] for path in folder.glob("*-*")} == set(left)
    assert kvforge.load("older", support.write_source(tmp_path)).answer() == 42


def test_prune_to_a_size(tmp_path: Path, folder: Path) -> None:
    fill(tmp_path, "older", "newer")
    size = _store.Store().entries()[0].size
    cache.main(["prune", "--max-size", str(1.5 * size / 1e6)])
    assert names_of() == ["newer"]


def test_prune_leaves_alone_what_is_being_built(tmp_path: Path, folder: Path) -> None:
    fill(tmp_path, "busy")
    with _lock.locked(next(folder.glob("busy-*")) / "lock", None):
        cache.main(["prune", "--all"])
    assert names_of() == ["busy"]
