"""An emulated CUDA driver of a test's own, with the kernels of an op folder."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from kvforge import _library

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = _library.find().parent


def build_commands(rule: str) -> list[list[str]]:
    """The commands of this build for a rule, in words; none if it is not configured so. Without a
    cache of compilers before them, and what is said where they fail."""
    ninja = ["ninja", "-f", str(BUILD / "build.ninja"), "-t"]
    listed = subprocess.run(
        [*ninja, "targets", "rule", rule], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    mine = os.path.relpath(BUILD, ROOT)
    found = []
    for target in listed:
        if target.startswith(f"{mine}/emulator/"):
            command = [*ninja, "commands", "-s", target]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            words = shlex.split(done.stdout.partition(" || ")[0])
            found.append(words[words[0] in ("ccache", "sccache") :])
    return found


def with_output(command: list[str], output: Path, source: str) -> list[str]:
    """The same command for another file; it is relative to the root."""
    words = [word for word in command if not word.startswith(("-DKVF_KERNEL=", "@"))]
    words[words.index("-o") + 1] = str(output)
    if "-MF" in words:
        words[words.index("-MF") + 1] = f"{output}.d"
        words[-1] = source
    return words


def driver(tmp_path: Path, generated: Path, op: str) -> Path:
    """An emulated CUDA driver that has the kernels of a folder that the generator wrote."""
    drivers = build_commands("emulator_cc")
    objects = [Path(words[words.index("-o") + 1]) for words in drivers]
    objects = [path for path in objects if not path.name.startswith("test_")]
    if not objects or not all((ROOT / path).is_file() for path in objects):
        pytest.skip("no emulated CUDA driver in this build; `ninja test` makes it where nvcc is")
    own = tmp_path / "emulator"
    (own / "kvforge").mkdir(parents=True)
    kernels = sorted(generated.glob("cuda/*.cu"))
    lines = []
    for path in kernels:
        lines.append(f'KVF_VARIANT(cuda, {op}, "", {path.stem})\n')
    (own / "kvf_kernels.inc").write_text("".join(lines))
    (own / "kvforge/params.h").write_text(f'#include "kvforge/params/{op}.h"\n')
    includes = [f"-I{own}", f"-I{generated}/include"]

    def compile_as(command: list[str], name: str, source: str, *flags: str) -> str:
        target = own / f"{name}.o"
        words = with_output(command, target, source)
        flag = next(i for i, word in enumerate(words) if word.startswith("-"))
        words[flag:flag] = [*includes, *flags]  # behind the compiler and what is put before it
        subprocess.run(words, cwd=ROOT, check=True)
        return str(target)

    table = next(
        words for words in build_commands("emulator_table") if "selftest" not in " ".join(words)
    )
    made = [compile_as(table, "kernels", table[-1])]
    kernel = next(
        words for words in build_commands("emulator_kernel") if "selftest" not in " ".join(words)
    )
    for path in kernels:
        made.append(compile_as(kernel, path.stem, str(path), f"-DKVF_KERNEL={path.stem}"))
    library = own / "libown_emulator.so"
    link = with_output(build_commands("link_emulator")[0], library, "")
    subprocess.run([*link, *map(str, objects), *made], cwd=ROOT, check=True)
    return library
