"""The compilers that kvforge runs, what identifies them, and the flags that every build has."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from kvforge import _checkout
from kvforge._content import key_of
from kvforge._gpus import visible_archs
from kvforge._store import Store
from kvforge._trust import discard, is_own_folder, make_own_folder, read_own, write_own

# isa level -> compiler flags, as configure.py has them for the library itself.
ISA_FLAGS: dict[str, tuple[str, ...]] = {
    "baseline": (),
    "avx2": ("-march=x86-64-v3",),
    "avx512": ("-march=x86-64-v4", "-mprefer-vector-width=512"),
    "neon": (),
}

# Variables that compilers read by themselves.
ENVIRONMENT = (
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "LIBRARY_PATH",
    "NVCC_PREPEND_FLAGS",
    "NVCC_APPEND_FLAGS",
    "NVCC_CCBIN",
)

MAX_VERSION = 1 << 16  # bytes of what a compiler says of its version


@dataclass(frozen=True)
class Tool:
    """A compiler: its command, and what it says of its version."""

    command: tuple[str, ...]
    version: str

    @property
    def identity(self) -> str:
        """What builds with different compilers differ in."""
        return shlex.join(self.command) + "\n" + self.version


def find_compiler(store: Store, variable: str, *names: str) -> Tool:
    """The command in an environment variable, or the first of these programs on PATH."""
    words = shlex.split(os.environ.get(variable, ""))
    program = shutil.which(words[0]) if words else next(filter(None, map(shutil.which, names)), "")
    if not program:
        wanted = f"{variable}={words[0]}" if words else f"{' or '.join(names)} (or ${variable})"
        raise RuntimeError(f"kvforge: no compiler: {wanted} is not on PATH")
    return Tool((program, *words[1:]), version_of(store, program))


def find_cc(store: Store) -> Tool:
    """The C compiler."""
    return find_compiler(store, "CC", "cc", "gcc", "clang")


def find_cxx(store: Store) -> Tool:
    """The C++ compiler."""
    return find_compiler(store, "CXX", "c++", "g++", "clang++")


def find_nvcc(store: Store) -> Tool | None:
    """nvcc from PATH, CUDA_HOME, the default prefix, or NVIDIA's wheels; None without one."""
    homes = [*filter(None, [os.environ.get("CUDA_HOME")]), "/usr/local/cuda"]
    wheels = [home for path in sys.path for home in sorted(Path(path).glob("nvidia/cu*"))]
    candidates = [shutil.which("nvcc"), *(f"{home}/bin/nvcc" for home in (*homes, *wheels))]
    for program in filter(None, candidates):
        if os.access(program, os.X_OK):
            return Tool((program,), version_of(store, program))
    return None


def version_of(store: Store, program: str) -> str:
    """What `program --version` prints, asked once for each state of the file."""
    found = Path(program).stat()
    state = key_of([program, str(found.st_size), str(found.st_mtime_ns), str(found.st_ino)])
    memo = store.folder / "tools" / state[:32]
    try:
        if is_own_folder(memo.parent):
            return read_own(memo, MAX_VERSION).decode()
    except (OSError, ValueError):
        pass  # not asked yet, or not what was written
    command = [program, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    text = done.stdout + done.stderr
    if done.returncode == 0:
        with contextlib.suppress(OSError):  # a cache that cannot be written to
            make_own_folder(memo.parent)
            aside = memo.with_suffix(f".{secrets.token_hex(8)}")
            write_own(aside, text.encode())
            if not memo.is_file():
                discard(memo)
            aside.replace(memo)
    return text


def find_ninja() -> str:
    """ninja from PATH, beside this Python, or in the checkout's .venv."""
    beside = [Path(sys.executable).parent / "ninja", _checkout.root() / ".venv/bin/ninja"]
    for program in (shutil.which("ninja"), shutil.which("ninja-build"), *map(str, beside)):
        if program and os.access(program, os.X_OK):
            return program
    raise RuntimeError("kvforge: no ninja on PATH: install ninja-build, or `pip install ninja`")


# ---- CUDA ---------------------------------------------------------------------------------------


def cuda_archs() -> list[str]:
    """$KVFORGE_CUDA_ARCHS ("90,100"), else the architectures of the GPUs that are visible."""
    if given := os.environ.get("KVFORGE_CUDA_ARCHS"):
        if not re.fullmatch(r"\d+[af]?(,\d+[af]?)*", given):
            raise ValueError(f'KVFORGE_CUDA_ARCHS is {given!r}, want for example "90" or "90,100a"')
        return sorted(set(given.split(",")), key=lambda arch: int(arch.rstrip("af")))
    return list(visible_archs())


def cuda_libraries(nvcc: Tool) -> list[str]:
    """The linker's options for the folders of the libraries that belong to an nvcc."""
    command = [*nvcc.command, "--dryrun", "-x", "cu", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"^#\$ LIBRARIES=(.*)$", done.stderr, re.M)
    return shlex.split(found[1]) if found else []


def archs_of(symbol: str, archs: list[str]) -> list[str]:
    """Those of the archs that a CUDA variant's body runs on: "__sm90" stands for 9.0 and newer,
    "__sm90a" for 9.0 alone."""
    found = re.search(r"__sm(\d+)(a?)(?=__|$)", symbol)
    least = int(found[1]) if found else 0
    numbers = [int(arch.rstrip("af")) for arch in archs]
    if found and found[2]:
        return [f"{least}a"] if least in numbers else []
    return [arch for arch, number in zip(archs, numbers, strict=True) if number >= least]


def gencode(archs: list[str]) -> list[str]:
    """nvcc's options for machine code of every arch, and PTX of the last for those to come."""
    words = []
    for arch in archs:
        kinds = f"[sm_{arch},compute_{arch}]" if arch == archs[-1] else f"sm_{arch}"
        words += ["-gencode", f"arch=compute_{arch},code={kinds}"]
    return words
