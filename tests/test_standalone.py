"""The library's threads in programs that lack memory or threads, close the library, or end early."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("KVFORGE_BUILD", ROOT / "build"))
LIBRARY = BUILD / "libkvforge.so.0"
COMPILER = os.environ.get("CC") or shutil.which("cc") or "gcc"
INCLUDES = ["runtime/include", "generated/include", "third_party/dlpack/include", "runtime"]
TEAM = [ROOT / f"runtime/core/{name}.c" for name in ("team", "parallel", "machine")]


def compile_program(source: str, program: Path, *words: str | Path) -> None:
    """A program of tests/standalone/."""
    includes = [f"-I{ROOT / folder}" for folder in INCLUDES]
    flags = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread", *includes]
    files = [str(word) for word in (ROOT / "tests/standalone" / source, *words)]
    subprocess.run([COMPILER, *flags, *files, "-ldl", "-o", str(program)], check=True)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """threads.c, which opens the library by itself."""
    if not LIBRARY.exists():
        pytest.skip(f"{LIBRARY.name} is not built: ninja lib")
    path = tmp_path_factory.mktemp("threads") / "threads"
    compile_program("threads.c", path)
    return path


@pytest.mark.parametrize(
    "test", ["no-threads", "no-memory", "small-space", "no-processes", "close", "exit", "ends"]
)
def test_a_program(program: Path, test: str) -> None:
    """It goes on to its end, and the library prints nothing."""
    if test == "no-processes":
        # As another user it must reach the library.
        shown = subprocess.run(
            ["find", str(LIBRARY.resolve()), "-perm", "-o+r"], capture_output=True, text=True
        )
        if not shown.stdout:
            pytest.skip("the library is not for all users")
    for _ in range(5):
        command = [str(program), str(LIBRARY), test]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_library_needs_libc_alone() -> None:
    """No runtime of threads or numbers among the libraries it needs."""
    if not LIBRARY.exists() or shutil.which("readelf") is None:
        pytest.skip("libkvforge.so is not built, or there is no readelf")
    command = ["readelf", "-d", str(LIBRARY)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    needed = {name.split(".so")[0] for name in re.findall(r"\(NEEDED\).*\[(.*?)\]", text)}
    loader = {name for name in needed if name.startswith("ld-linux")}
    # Before glibc 2.34 threads and dlopen() were in libraries of their own.
    assert needed - loader <= {"libc", "libdl", "libpthread"}
    assert "NODELETE" in text


def test_each_thread_gets_its_own_chunks_first(tmp_path: Path) -> None:
    program = tmp_path / "ranges"
    compile_program("threads_ranges.c", program, *TEAM)
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "good\n")


def test_no_data_race(tmp_path: Path) -> None:
    """32 callers under ThreadSanitizer."""
    program = tmp_path / "race"
    try:
        compile_program("threads_race.c", program, *TEAM, "-fsanitize=thread")
    except subprocess.CalledProcessError:
        pytest.skip("the compiler has no ThreadSanitizer")
    # Without random addresses, which it does not take everywhere.
    fixed = ["setarch", "-R"] if shutil.which("setarch") else []
    done = subprocess.run([*fixed, str(program), "40"], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "good\n", "")


def test_no_memory_is_lost(tmp_path: Path) -> None:
    """The same under valgrind."""
    if shutil.which("valgrind") is None:
        pytest.skip("no valgrind")
    program = tmp_path / "memory"
    compile_program("threads_race.c", program, *TEAM)
    command = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full"]
    kinds = ["--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]
    done = subprocess.run(
        [*command, *kinds, str(program), "4"], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "good\n", "")
