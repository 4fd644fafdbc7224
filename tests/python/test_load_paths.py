"""Paths and names of any kind: they work, or are refused in a sentence."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import os
import pwd
import shutil
from pathlib import Path

import load_support as support
import pytest

import kvforge
from kvforge import _store, cache
from kvforge.__main__ import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    path = tmp_path / "cache"
    monkeypatch.setenv("KVFORGE_CACHE", str(path))
    return path


# ---- where the cache is --------------------------------------------------------------------------


@pytest.mark.parametrize("variable", [None, ""])
@pytest.mark.parametrize("own", [None, "~/own"])
def test_no_home(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    variable: str | None,
    own: str | None,
) -> None:
    """The user database names one; or else it is a sentence, and never /.cache or /own."""
    for name, value in {"KVFORGE_CACHE": own, "HOME": variable, "XDG_CACHE_HOME": ""}.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    home = pwd.getpwuid(os.geteuid()).pw_dir
    assert _store.default_folder() == Path(home, "own" if own else ".cache/kvforge")

    def unknown(user: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {user}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    message = f"no place for the cache: HOME is {variable!r}, and the user database has no folder"
    with pytest.raises(RuntimeError, match=message):
        kvforge.load("one", support.write_source(tmp_path))
    assert main(["cache", "list"]) == 1
    assert "set KVFORGE_CACHE to a folder" in capfd.readouterr().err
    assert not Path("/.cache/kvforge").exists() and not Path("/own").exists()


def test_a_home_that_is_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KVFORGE_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "here")
    with pytest.raises(RuntimeError, match="HOME is 'here'"):
        _store.default_folder()


def test_a_user_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KVFORGE_CACHE", "~no_such_user_of_kvforge/cache")
    with pytest.raises(RuntimeError, match=r"KVFORGE_CACHE is '~no_such_user_of_kvforge/cache'"):
        _store.default_folder()


def test_an_empty_build_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not the current folder, which would be shut to others."""
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    with pytest.raises(ValueError, match="build_directory is empty"):
        kvforge.load("one", support.write_source(tmp_path), build_directory="")
    assert tmp_path.stat().st_mode & 0o777 == 0o755


# ---- names ---------------------------------------------------------------------------------------


def test_long_names(tmp_path: Path, folder: Path) -> None:
    source = support.write_source(tmp_path)
    assert kvforge.load("n" * 128, source).answer() == 42
    with pytest.raises(ValueError, match=r"nnn\.\.\. has 300 letters, want 128 at most"):
        kvforge.load("n" * 300, source)
    assert len(list(folder.glob("n*"))) == 1


@pytest.mark.parametrize("suffix", [".c", ".cpp"])
def test_long_names_of_sources(tmp_path: Path, suffix: str) -> None:
    source = support.write_source(tmp_path, "n" * (255 - len(suffix)) + suffix)
    assert kvforge.load("one", source).answer() == 42


def test_long_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KVFORGE_CACHE", str(tmp_path / ("n" * 300)))
    with pytest.raises(OSError, match=r"kvforge: cache folder .*File name too long"):
        _store.Store()


# ---- letters -------------------------------------------------------------------------------------

WORDS = {
    "borders": ["a b", "a  b", "#a", "a#b", "a:b", "a: b", "a;b", "a&b", "a|b", "a,b", "a=b"],
    "signs": ["$HOME", "a$b", "$$", "~a", "%a", "(a)", "a*?", "{a}", "-a"],
    "quotes": ["a'b", 'a"b', "a\\b", "`a`"],
    "others": ["\xe9", "\u65e5\u672c", "a\u0301"],
}
CONTROL = ["a\nb", "a\tb", "a\rb", "a\x1b[0mb", "a\x7fb", "\n", "a\u2028b", "a\u00a0b", "a\udcffb"]


def load_below(folder: Path) -> None:
    """Loads a source that includes a header twice, by both ways, all in one folder."""
    include = '#include "inner.h"\n#include <number.h>'
    source = support.write_source(folder, include=include, value="NUMBER + INNER")
    for number in (1, 2):
        (folder / "number.h").write_text(f"#define NUMBER {number}\n")
        (folder / "inner.h").write_text(f"#define INNER {10 * number}\n")
        for _ in range(2):  # the second time it is found
            loaded = kvforge.load("one", source, extra_include_paths=[folder])
            assert loaded.answer() == 11 * number
    assert len(_store.Store().entries()) == 2


@pytest.mark.parametrize("kind", WORDS)
def test_paths_that_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    words = WORDS[kind]
    below = tmp_path.joinpath(*words)
    below.mkdir(parents=True)
    monkeypatch.setenv("KVFORGE_CACHE", str(tmp_path.joinpath("cache", *words)))
    load_below(below)
    sources = [support.write_source(below)]
    for number, word in enumerate(words):
        sources.append(below / f"{word}.c")
        sources[-1].write_text(f"int value_{number}(void) {{ return 42; }}\n")
    assert kvforge.load("named", sources).answer() == 42
    assert cache.main(["list"]) == 0
    assert f"{words[0]}.c, {words[1]}.c" in capsys.readouterr().out


@pytest.mark.parametrize("word", CONTROL)
def test_paths_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    below = tmp_path / word
    below.mkdir()
    source = support.write_source(tmp_path)
    message = "want (a path of )?printable characters"
    for arguments in (
        {"sources": support.write_source(below)},
        {"sources": support.write_source(tmp_path, f"{word}.c")},
        {"sources": source, "extra_include_paths": [below]},
        {"sources": source, "build_directory": below},
    ):
        with pytest.raises(ValueError, match=message):
            kvforge.load("one", **arguments)
    monkeypatch.setenv("KVFORGE_CACHE", str(below))
    with pytest.raises(ValueError, match=message):
        kvforge.load("one", source)
    assert list(below.iterdir()) == [below / "answer.c"]


def test_an_op_folder_with_such_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "own_op"
    shutil.copytree(support.OWN_OP, folder)
    (folder / "more\n.h").touch()
    with pytest.raises(ValueError, match="want printable characters"):
        kvforge.load("own", folder)


@pytest.mark.skipif(not support.has_nvcc, reason=support.NO_NVCC)
def test_paths_for_nvcc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KVFORGE_CUDA_ARCHS", "90")
    below = tmp_path / "a b/\xe9/a:b/a#b/(a)"
    below.mkdir(parents=True)
    source = support.write_source(below, "answer.cu", include='#include "number.h"', value="NUMBER")
    for number in (1, 2):
        (below / "number.h").write_text(f"#define NUMBER {number}\n")
        assert kvforge.load("cuda", source).answer() == number


@pytest.mark.parametrize("word", ["$HOME", "`a`", 'a"b', "a\\b", "a,b"])
@pytest.mark.skipif(not support.has_nvcc, reason=support.NO_NVCC)
def test_paths_that_nvcc_cannot_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("KVFORGE_CUDA_ARCHS", "90")
    (tmp_path / word).mkdir()
    source = support.write_source(tmp_path / word, "answer.cu")
    with pytest.raises(ValueError, match="nvcc cannot have"):
        kvforge.load("cuda", source)
