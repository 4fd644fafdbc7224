"""What is recorded was made of exactly what is recorded: files that change while they are compiled,
precompiled headers, and headers that come to stand before others."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import re
import shutil
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import load_support as support
import pytest
from tvm_ffi.libinfo import find_include_path as include_path

import kvforge
from kvforge import _build, _includes, _ninja, _store


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("KVFORGE_CACHE", str(folder))
    return folder


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Makes a compiler that does something before and after each compilation; the file it counts in."""

    def make(before: str, after: str) -> Path:
        log, program = tmp_path / "count", tmp_path / "meddling-cc"
        log.write_text("")
        program.write_text(
            textwrap.dedent(
                f"""\
                #!/bin/bash
                case " $*" in *" -c "*) ;; *) exec cc "$@" ;; esac
                cd {tmp_path}
                echo >>count; count=$(wc -l <count)
                {before}
                cd "$OLDPWD"; cc "$@" || exit; cd {tmp_path}
                {after}
                """
            )
        )
        program.chmod(0o755)
        monkeypatch.setenv("CC", str(program))
        return log

    return make


def answer(tmp_path: Path, include: str = '#include "number.h"', **named: Any) -> int:
    """What a source that includes a number makes of it."""
    source = tmp_path / "answer.c"
    source.write_text(support.source_text(include=include, value="NUMBER"))
    return int(kvforge.load("one", source, **named).answer())


def define(path: Path, number: int) -> None:
    """A header that defines a number."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#define NUMBER {number}\n")


# ---- changes during the build --------------------------------------------------------------------

CHANGE = 'echo "#define NUMBER 52" >number.h; '
OLD = "touch -d 2001-01-01 number.h; "
SWITCH = "ln -sfn second link; "


@pytest.mark.parametrize(
    "after", [CHANGE, CHANGE + OLD, CHANGE + "cp -p number.h n; mv n number.h; "]
)
def test_a_header_that_changes_is_compiled_again(
    tmp_path: Path, compiler: Any, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    define(tmp_path / "number.h", 51)
    log = compiler("", f"[ $count -gt 1 ] || {{ {after} true; }}")
    assert answer(tmp_path) == 52
    assert len(log.read_text()) == 2
    monkeypatch.setattr(subprocess, "Popen", None)  # found, and what was found is right
    assert answer(tmp_path) == 52
    assert len(_store.Store().entries()) == 1


def test_a_header_that_changes_and_changes_back(tmp_path: Path, compiler: Any) -> None:
    """Its content is the same before and after, what was compiled is not."""
    define(tmp_path / "number.h", 51)
    once = "[ $count -gt 1 ] || "
    keep = "touch -r number.h stamp; "
    log = compiler(
        f"{once} {{ {keep} {CHANGE} }}",
        f'{once} {{ echo "#define NUMBER 51" >number.h; touch -r stamp number.h; }}',
    )
    assert answer(tmp_path) == 51
    assert len(log.read_text()) == 2


def test_a_folder_that_is_switched(tmp_path: Path, compiler: Any) -> None:
    define(tmp_path / "first/number.h", 51)
    define(tmp_path / "second/number.h", 52)
    (tmp_path / "link").symlink_to("first")
    log = compiler("", "[ $count -gt 1 ] || " + SWITCH)
    assert answer(tmp_path, extra_include_paths=[tmp_path / "link"]) == 52
    assert len(log.read_text()) == 2


def test_a_source_that_changes(tmp_path: Path, compiler: Any) -> None:
    define(tmp_path / "number.h", 51)
    edit = "sed -i s/NUMBER/NUMBER+1/ answer.c"
    log = compiler("", f"[ $count -gt 1 ] || {edit}")
    assert answer(tmp_path) == 52
    assert len(log.read_text()) == 2


def test_a_header_that_never_rests(tmp_path: Path, compiler: Any) -> None:
    define(tmp_path / "number.h", 0)
    compiler("", 'echo "#define NUMBER $count" >number.h')
    with pytest.raises(kvforge.BuildError, match=r"files changed, .*number\.h"):
        answer(tmp_path)
    assert _store.Store().entries() == []


def test_a_header_that_only_a_macro_names(tmp_path: Path, compiler: Any) -> None:
    """It is known after the first time; the second time it is watched."""
    define(tmp_path / "number.h", 51)
    log = compiler("", f"[ $count -ne 2 ] || {{ {CHANGE} }}")
    include = '#define HEADER "number.h"\n#include HEADER'
    assert answer(tmp_path, include) == 52
    assert len(log.read_text()) == 3


# ---- precompiled headers -------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".c", ".cpp"])
@pytest.mark.parametrize("flags", [[], ["-include", "number.h"]])
def test_a_precompiled_header_is_not_taken(tmp_path: Path, suffix: str, flags: list[str]) -> None:
    """gcc would take the one beside number.h, which was made of something else."""
    source, header = tmp_path / f"answer{suffix}", tmp_path / "number.h"
    include = "" if flags else '#include "number.h"\n'
    source.write_text(include + support.source_text(value="NUMBER"))
    define(header, 51)
    language, compiler = ("c", "gcc") if suffix == ".c" else ("c++", "g++")
    standard = _build.STANDARD.get(suffix, ("-std=c++17",))
    command = [compiler, *standard, *_build.COMMON, "-O2", "-I.", f"-I{include_path()}"]
    made = ["-x", f"{language}-header", "number.h", "-o", "number.h.gch"]
    subprocess.run([*command, *made], cwd=tmp_path, check=True)
    define(header, 52)
    alone = [*command, *flags, "-H", "-c", source.name, "-o", "answer.o"]
    said = subprocess.run(alone, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert re.search(r"^! .*number\.h\.gch$", said.stderr, re.M)  # it is one that gcc takes
    assert kvforge.load("one", source, extra_cflags=[*flags, f"-I{tmp_path}"]).answer() == 52
    assert (tmp_path / "number.h.gch").is_file()


# ---- headers that come to stand before others ----------------------------------------------------


@pytest.mark.parametrize("compiler_name", ["gcc", "clang"])
@pytest.mark.parametrize(
    ("include", "appears"),
    [
        ("#include <number.h>", "a/number.h"),
        ("#include <number.h>", "later/number.h"),
        ('#include "number.h"', "number.h"),
        ('#include "number.h"', "a/number.h"),
        ("#include <outer.h>", "b/inner/number.h"),
        ("#include <outer.h>", "a/inner/number.h"),
        ('#define HEADER "number.h"\n#include HEADER', "a/number.h"),
        ('#if __has_include("extra.h")\n#include "extra.h"\n#else\n#include "number.h"\n#endif', "a/extra.h"),
    ],
)  # fmt: skip
def test_a_header_before_another_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    compiler_name: str,
    include: str,
    appears: str,
) -> None:
    if shutil.which(compiler_name) is None:
        pytest.skip(f"no {compiler_name}")
    monkeypatch.setenv("CC", compiler_name)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    define(tmp_path / "c/number.h", 1)
    define(tmp_path / "c/inner/number.h", 1)
    (tmp_path / "b/outer.h").write_text('#include "inner/number.h"\n')
    paths = [tmp_path / name for name in ("later", "a", "b", "c")]
    assert answer(tmp_path, include, extra_include_paths=paths) == 1
    define(tmp_path / appears, 2)
    assert answer(tmp_path, include, extra_include_paths=paths) == 2
    (tmp_path / appears).unlink()
    assert answer(tmp_path, include, extra_include_paths=paths) == 1


def test_a_header_that_appears_during_the_build(tmp_path: Path, compiler: Any) -> None:
    (tmp_path / "a").mkdir()
    define(tmp_path / "b/number.h", 51)
    paths = [tmp_path / "a", tmp_path / "b"]
    log = compiler("", '[ $count -gt 1 ] || echo "#define NUMBER 52" >a/number.h')
    assert answer(tmp_path, "#include <number.h>", extra_include_paths=paths) == 52
    assert len(log.read_text()) == 2


def test_headers_are_compiled_once(tmp_path: Path, compiler: Any) -> None:
    """All that usual sources include is known before they are compiled."""
    log = compiler("", "")
    define(tmp_path / "number.h", 51)
    include = '#include <kvforge/kvforge.h>\n#include <math.h>\n#include "number.h"'
    assert answer(tmp_path, include) == 51
    assert len(log.read_text()) == 1


@pytest.mark.skipif(not support.has_nvcc, reason=support.NO_NVCC)
def test_the_headers_of_cuda_are_foreseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KVFORGE_CUDA_ARCHS", "90")
    changes = []
    changed = _includes.Scan.changed

    def note(scan: _includes.Scan, inputs: set[str]) -> dict[str, Any]:
        changes.append(changed(scan, inputs))
        return changes[-1]

    monkeypatch.setattr(_includes.Scan, "changed", note)
    source = support.write_source(tmp_path, "answer.cu", include="#include <cuda_fp16.h>")
    assert kvforge.load("cuda", source).answer() == 42
    assert changes == [{}]


def test_a_depfile(tmp_path: Path) -> None:
    depfile = tmp_path / "x.d"
    depfile.write_text("o/x.o: /a\\ b/x.c /d$$e/y\\#.h \\\n /f:g/z.h /h\\:i.h /j\\k.h\n")
    assert _ninja.read_depfile(depfile) == [
        "/a b/x.c", "/d$e/y#.h", "/f:g/z.h", "/h:i.h", "/j\\k.h"
    ]  # fmt: skip
