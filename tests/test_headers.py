"""Every public header stands alone, in C and C++, for gcc and clang, without a warning."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from generator.spec import OPS

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = tuple(
    ROOT / folder
    for folder in ("runtime/include", "generated/include", "third_party/dlpack/include")
)
HEADERS = sorted(
    str(file.relative_to(folder)) for folder in FOLDERS[:2] for file in folder.rglob("*.h")
)
# CPU kernels ask for vectors with `#pragma omp simd`.
FLAGS = (
    *("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-fopenmp-simd"),
    *(f"-I{folder}" for folder in FOLDERS),
)
C = [("gcc", "c", "gnu11"), ("clang", "c", "gnu11")]
CXX = [
    (compiler, "c++", standard)
    for compiler in ("g++", "clang++")
    for standard in ("c++17", "c++20", "c++2b")
]

# What op.h declares is the library's C, and its atomics are laid out as in C.
OP = """\
#include "kvforge/cache/op.h"
static_assert(sizeof(kvf_cuda_image) == 3 * sizeof(void *), "");
static_assert(sizeof(kvf_cpu_late) == KVF_ISA_COUNT * sizeof(void *), "");
kvf_status refuse(const kvf_op *op) {
  kvf_check check = kvf_check_begin(op, nullptr);
  kvf_launch_slots(&check, "slots", nullptr);
  return kvf_check_fail(&check, KVF_INVALID_VALUE, "argument", "got %d", 1);
}
"""


def compile_text(text: str, language: tuple[str, str, str], *flags: str) -> str:
    """What the compiler says of a text; nothing when it is content."""
    compiler, name, standard = language
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    command = [compiler, f"-std={standard}", "-x", name, *FLAGS, *flags, "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def preprocessed(text: str, *flags: str) -> str:
    """What gcc reads of a text; nothing without gcc."""
    if shutil.which("gcc") is None:
        return ""
    command = ["gcc", "-E", "-x", "c", *FLAGS, *flags, "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def include(*headers: str) -> str:
    return "".join(f'#include "{header}"\n' for header in headers)


def test_each_argument_has_lines_of_its_own() -> None:
    """clang-format runs the end of a long line of a comment into the next one."""
    for op in OPS:
        text = (FOLDERS[1] / f"kvforge/ops/{op.name}.h").read_text()
        comment = text.partition(f" * {op.namespace}::{op.name}: ")[2].partition(" */")[0]
        _, *arguments = re.split(r"\n \*   (?=\w+ \(\S+\): )", comment)
        wanted = [
            f"{argument.name} ({argument.type}): {op.arguments[argument.name]}"
            for argument in op.schema.arguments
        ]
        said = [" ".join(text.replace("\n *", " ").split()) for text in arguments]
        assert said == [" ".join(text.split()) for text in wanted], op.name


@pytest.mark.skipif(platform.machine() != "x86_64", reason="intrinsics of x86")
def test_intrinsics_are_those_of_the_level() -> None:
    """What gcc 12 reads of them; more where it is told of more, or where they are asked for in front."""
    if "__GNUC__ 12" not in preprocessed("", "-dM"):
        pytest.skip("no gcc 12")
    intrinsics = ("_mm256_add_ps", "_mm512_add_ps", "_mm256_mask_add_ps", "_mm512_add_ph")
    header = include("kvforge/cpu_kernel.h")
    for arch, before, count in (
        ("x86-64", "", 0),
        ("x86-64-v3", "", 1),
        ("x86-64-v4", "", 3),
        ("sapphirerapids", "", 4),
        ("x86-64-v3", "#include <immintrin.h>\n", 4),
    ):
        text = preprocessed(before + header, f"-march={arch}")
        found = [name for name in intrinsics if f"{name} (" in text]
        assert found == [*intrinsics[:count]], (arch, before)


# What a header lacks, it lacks for one compiler of a language as for the other.
@pytest.mark.parametrize("language", [C[0], CXX[3]], ids="-".join)
def test_each_header_alone(language: tuple[str, str, str]) -> None:
    said = {header: compile_text(include(header), language, "-fsyntax-only") for header in HEADERS}
    assert not {header: text for header, text in said.items() if text}


@pytest.mark.parametrize("language", C + CXX, ids="-".join)
def test_all_headers_twice(language: tuple[str, str, str]) -> None:
    assert compile_text(include(*HEADERS, *HEADERS), language, "-fsyntax-only") == ""


# -O1: without it intrinsics are macros, whose warnings are the compiler's own.
@pytest.mark.parametrize("flags", ["-O1 -march=x86-64-v3", "-O1 -march=x86-64-v4"])
@pytest.mark.parametrize("language", [*C, CXX[0], CXX[3]], ids="-".join)
def test_kernel_headers_at_each_level(language: tuple[str, str, str], flags: str) -> None:
    kernels = [header for header in HEADERS if "cpu_" in header]
    if platform.machine() != "x86_64":
        pytest.skip("levels of x86-64")
    assert compile_text(include(*kernels), language, "-fsyntax-only", *flags.split()) == ""


@pytest.mark.parametrize("language", CXX, ids="-".join)
def test_op_h_declares_c(language: tuple[str, str, str], tmp_path: Path) -> None:
    made = tmp_path / "op.o"
    assert compile_text(OP, language, "-c", "-o", str(made)) == ""
    symbols = subprocess.run(["nm", "-u", made], capture_output=True, text=True, check=True).stdout
    for function in ("kvf_check_begin", "kvf_check_fail", "kvf_launch_slots"):
        assert f" {function}\n" in symbols
