"""kvforge.load on source files: what is compiled when, what comes back, and what is refused."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import load_support as support
import numpy as np
import pytest
import tvm_ffi

import kvforge
from configuration.probe import ISA_FLAGS
from kvforge import _gpus, _library, _toolchain


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("KVFORGE_CACHE", str(folder))
    return folder


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Says how often the compiler has run since it was asked last."""
    program, log = support.counted_compiler(tmp_path)
    monkeypatch.setenv("CC", str(program))

    def count() -> int:
        lines = len(log.read_text().splitlines())
        log.write_text("")
        return lines

    yield count


def forbid_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on a process that is started is an error."""

    def refuse(*arguments: Any, **named: Any) -> None:
        raise AssertionError(f"a process was started: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr(os, "posix_spawn", refuse)
    monkeypatch.setattr(os, "system", refuse)


# ---- what comes back -----------------------------------------------------------------------------


def test_a_c_file(tmp_path: Path) -> None:
    assert kvforge.load("one", support.write_source(tmp_path)).answer() == 42


def test_the_example_of_a_file() -> None:
    own = kvforge.load("own", support.ROOT / "examples/own_file/amax.c")
    array = np.arange(-7, 5, dtype=np.float32).reshape(3, 4)
    assert own.amax(array) == 7
    assert own.amax(array[1:, :]) == 4
    assert own.amax(tvm_ffi.from_dlpack(array)) == 7
    assert own.amax(array[:0]) == 0
    with pytest.raises(ValueError, match="amax: array: want it contiguous"):
        own.amax(array.T)
    for wrong in ((), (1,), (array, array), (array.astype(np.float64),)):
        with pytest.raises(TypeError, match="amax: "):
            own.amax(*wrong)


def test_a_file_that_exports_nothing(tmp_path: Path) -> None:
    source = tmp_path / "plain.c"
    source.write_text("int plain(void) { return 44; }\n")
    message = (
        "plain: no source exports a function for Python, as __tvm_ffi_<name>; examples/own_file"
    )
    for _ in range(2):  # compiled, and found
        with pytest.raises(ValueError, match=f"kvforge.load: {message}"):
            kvforge.load("plain", source)


def test_without_jinja2(tmp_path: Path) -> None:
    """A sentence, and no traceback: of the generator alone, and where load() calls it."""
    (tmp_path / "jinja2.py").write_text("raise ModuleNotFoundError('no jinja2', name='jinja2')\n")
    code = f"""
        import kvforge
        try:
            kvforge.load("own_op", {str(support.OWN_OP)!r})
        except kvforge.BuildError as error:
            print(error)
    """
    path = f"{tmp_path}:{support.ROOT / 'python'}"
    said = support.python(code, PYTHONPATH=path).stdout
    assert "templates are expanded by Jinja2, which " in said and "-m pip install Jinja2`" in said
    assert "Traceback" not in said


def test_a_cpp_file(tmp_path: Path) -> None:
    source = support.write_source(tmp_path, "answer.cpp", include="#include <vector>")
    assert kvforge.load("one", [source]).answer() == 42


def test_files_are_linked_together(tmp_path: Path) -> None:
    first = support.write_source(tmp_path, include="int other(void);", value="other()")
    second = tmp_path / "other.cpp"
    second.write_text('extern "C" int other(void) { return 43; }\n')
    assert kvforge.load("two", [first, str(second)]).answer() == 43


def test_a_file_may_call_kvforge(tmp_path: Path) -> None:
    source = support.write_source(
        tmp_path,
        include="#include <kvforge/kvforge.h>",
        value="kvf_abi_version() == KVF_ABI_VERSION ? 44 : 0",
    )
    assert kvforge.load("calls", source).answer() == 44


def test_no_python_module(tmp_path: Path) -> None:
    source = tmp_path / "plain.c"
    source.write_text("int plain(void) { return 44; }\n")
    path = kvforge.load("plain", source, is_python_module=False)
    assert ctypes.CDLL(path).plain() == 44


@pytest.mark.skipif(not support.has_nvcc, reason=support.NO_NVCC)
def test_a_cu_file_with_host_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU the kernel gives the answer, without one CUDA's runtime says that there is none."""
    if not _gpus.visible_archs():
        monkeypatch.setenv("KVFORGE_CUDA_ARCHS", "90")
    include = "#include <cuda_runtime.h>\n__global__ void kernel(int *p) { *p = PART; }\n"
    answer = """[] {
      int value = 0, *there = nullptr;
      if (cudaMalloc(&there, sizeof value) != cudaSuccess) return -1;
      kernel<<<1, 1>>>(there);
      const cudaError_t copied = cudaMemcpy(&value, there, sizeof value, cudaMemcpyDeviceToHost);
      return cudaFree(there) == cudaSuccess && copied == cudaSuccess ? value : -2;
    }()"""
    source = support.write_source(tmp_path, "answer.cu", include=include, value=answer)
    module = kvforge.load("cuda", source, extra_cuda_cflags=["-DPART=7"])
    assert module.answer() == (7 if _gpus.visible_archs() else -1)


# ---- when something is compiled ------------------------------------------------------------------


def test_the_second_time_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = support.write_source(tmp_path)
    kvforge.load("warm", source)
    forbid_processes(monkeypatch)
    assert kvforge.load("warm", source).answer() == 42


def test_time_stamps_do_not_count(tmp_path: Path, compiled: Any) -> None:
    source = support.write_source(tmp_path)
    kvforge.load("touched", source)
    assert compiled() == 2  # one compilation and one link
    os.utime(source, (time.time() + 5, time.time() + 5))
    source.write_text(source.read_text())
    kvforge.load("touched", source)
    assert compiled() == 0


def test_an_edit_of_the_same_age_and_size_counts(tmp_path: Path, compiled: Any) -> None:
    source = support.write_source(tmp_path, value="42")
    stamp = source.stat()
    assert kvforge.load("edited", source).answer() == 42
    support.write_source(tmp_path, value="24")
    os.utime(source, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert kvforge.load("edited", source).answer() == 24
    assert compiled() == 4
    support.write_source(tmp_path, value="42")
    assert kvforge.load("edited", source).answer() == 42
    assert compiled() == 0  # both are kept


def test_headers_count(tmp_path: Path, compiled: Any) -> None:
    header = tmp_path / "headers" / "number.h"
    header.parent.mkdir()
    inner = header.with_name("inner.h")
    header.write_text('#include "inner.h"\n')
    inner.write_text("#define NUMBER 1\n")
    source = support.write_source(tmp_path, include="#include <number.h>", value="NUMBER")

    def load() -> int:
        return int(kvforge.load("h", source, extra_include_paths=[header.parent]).answer())

    assert load() == 1
    inner.write_text("#define NUMBER 2\n")
    compiled()
    assert load() == 2
    assert compiled() == 2
    inner.write_text("#define NUMBER 1\n")
    assert load() == 1
    assert compiled() == 0
    inner.unlink()
    with pytest.raises(kvforge.BuildError, match=r"inner\.h"):
        load()


@pytest.mark.parametrize(
    "change",
    [
        {"extra_cflags": ["-DANYTHING"]},
        {"extra_ldflags": ["-Wl,-z,now"]},
        {"extra_cuda_cflags": ["-DANYTHING"]},
        {"extra_include_paths": ["/usr/include"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_flags_count(tmp_path: Path, compiled: Any, change: dict[str, Any]) -> None:
    source = support.write_source(tmp_path)
    kvforge.load("flags", source)
    compiled()
    kvforge.load("flags", source, **change)
    assert compiled() == 2
    kvforge.load("flags", source, **change)
    kvforge.load("flags", source)
    assert compiled() == 0


def test_the_compiler_counts(tmp_path: Path, compiled: Any) -> None:
    source = support.write_source(tmp_path)
    kvforge.load("compiler", source)
    compiled()
    program = Path(os.environ["CC"])
    program.write_text(
        program.read_text().replace("case", '[ "$1" = --version ] && echo 2.0\ncase', 1)
    )
    kvforge.load("compiler", source)
    assert compiled() == 2


def test_variables_that_compilers_read_count(
    tmp_path: Path, compiled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "found.h").write_text("#define FOUND 5\n")
    source = support.write_source(tmp_path, include="#include <found.h>", value="FOUND")
    with pytest.raises(kvforge.BuildError, match="found"):
        kvforge.load("variables", source, extra_include_paths=[])
    monkeypatch.setenv("CPATH", str(tmp_path))
    assert kvforge.load("variables", source).answer() == 5


def test_a_broken_file_of_the_cache_is_made_anew(tmp_path: Path, cache: Path) -> None:
    source = support.write_source(tmp_path)
    path = Path(kvforge.load("broken", source, is_python_module=False))
    good = path.read_bytes()
    # In place of the file: this process has loaded the old one.
    path.unlink()
    path.write_bytes(good[: len(good) // 2])
    assert kvforge.load("broken", source).answer() == 42
    (path.parent / "manifest.json").write_text("{")
    assert kvforge.load("broken", source).answer() == 42


def test_variants_are_compiled_as_those_of_the_library() -> None:
    for levels in ISA_FLAGS.values():
        assert levels.items() <= _toolchain.ISA_FLAGS.items()


# ---- refusals ------------------------------------------------------------------------------------


def test_a_compiler_error(tmp_path: Path, cache: Path) -> None:
    source = support.write_source(tmp_path, value="no_such_name")
    with pytest.raises(kvforge.BuildError) as caught:
        kvforge.load("wrong", source, extra_cflags=["-DGIVEN"])
    message = str(caught.value)
    assert "error: " in message and "no_such_name" in message  # the compiler's text
    assert "-DGIVEN" in message and " -c " in message  # the command
    assert f"{source}:" in message  # the file
    failed = Path(message.rpartition("commands ran in: ")[2])
    assert (failed / "build.ninja").is_file() and failed.is_relative_to(cache)
    support.write_source(tmp_path, value="45")
    assert kvforge.load("wrong", source).answer() == 45


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_function_that_nobody_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str
) -> None:
    """C would take it for one that returns an int, and loading would fail, or worse succeed."""
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler}")
    monkeypatch.setenv("CC", compiler)
    source = support.write_source(tmp_path, value="no_such_function(1)")
    with pytest.raises(kvforge.BuildError, match=r"(?i)error: (call to undeclared|implicit)"):
        kvforge.load("wrong", source)


def test_a_linker_error(tmp_path: Path) -> None:
    source = support.write_source(tmp_path)
    with pytest.raises(kvforge.BuildError, match="no_such_library"):
        kvforge.load("wrong", source, extra_ldflags=["-lno_such_library"])


@pytest.mark.parametrize("name", ["", "a b", "../up", "1st", "a-b"])
def test_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="want an identifier"):
        kvforge.load(name, support.write_source(tmp_path))


def test_sources(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty"):
        kvforge.load("none", [])
    with pytest.raises(FileNotFoundError, match=r"absent\.c"):
        kvforge.load("none", tmp_path / "absent.c")
    (tmp_path / "text.txt").touch()
    with pytest.raises(ValueError, match=r"text\.txt: want a folder or a file: one of \.c"):
        kvforge.load("none", tmp_path / "text.txt")


@pytest.mark.parametrize(
    "argument", ["extra_cflags", "extra_cuda_cflags", "extra_ldflags", "extra_include_paths"]
)
def test_lists_of_words(tmp_path: Path, argument: str) -> None:
    """A text is a sequence of texts, too: of its letters."""
    message = rf"kvforge.load: {argument}: got str '-DX=1', want a list such as \['-DX=1'\]"
    words: dict[str, Any] = {argument: "-DX=1"}
    with pytest.raises(TypeError, match=message):
        kvforge.load("one", support.write_source(tmp_path), **words)


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/nonexistent/cc")
    with pytest.raises(RuntimeError, match="/nonexistent/cc is not on PATH"):
        kvforge.load("none", support.write_source(tmp_path))


def test_a_package_without_its_sources(tmp_path: Path) -> None:
    shutil.copytree(support.ROOT / "python/kvforge", tmp_path / "lib/kvforge")
    code = f"""
        import kvforge
        try:
            kvforge.load("none", {str(support.write_source(tmp_path))!r})
        except RuntimeError as error:
            print(error)
    """
    built = str(_library.find().parent)
    done = support.python(code, PYTHONPATH=str(tmp_path / "lib"), KVFORGE_BUILD=built)
    assert "compiling needs kvforge's sources" in done.stdout
    assert f"{tmp_path} has no runtime/include, " in done.stdout


def test_archs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KVFORGE_CUDA_ARCHS", "100a,90")
    assert _toolchain.cuda_archs() == ["90", "100a"]
    assert _toolchain.gencode(["90", "100a"])[1::2] == [
        "arch=compute_90,code=sm_90",
        "arch=compute_100a,code=[sm_100a,compute_100a]",
    ]
    monkeypatch.setenv("KVFORGE_CUDA_ARCHS", "sm_90")
    with pytest.raises(ValueError, match="KVFORGE_CUDA_ARCHS is 'sm_90', want"):
        kvforge.load("none", support.write_source(tmp_path))


def test_without_torch(tmp_path: Path) -> None:
    source = support.write_source(tmp_path)
    code = f"""
        import sys
        assert sys.modules["torch"] is None  # importing it is an error
        import kvforge
        assert kvforge.load("free", {str(source)!r}).answer() == 42
    """
    support.python(code)
