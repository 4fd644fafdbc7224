"""`python3 -m generator --new-op NAME`: the files of an op to start from, in the tree or in a folder.

They build at once and are listed; the test fails with what is to be written. In the tree and outside
it spec, checks and templates are the same files, so an op may move.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from generator import names
from generator.model import BACKENDS
from generator.plan import ROOT
from generator.spec import OPS

SKELETON = ROOT / "templates/new_op"
CPU_RUN = """\
  if (check.exec.backend == KVF_CPU) {
    const int64_t bytes = 2 * params->num_columns * kvf_dtype_bits((kvf_dtype)variant->values[0]) / 8;
    return kvf_cpu_run(&check, variant, params, params->num_rows, bytes);
  }
"""
ONLY_CPU_RUN = """\
  const int64_t bytes = 2 * params->num_columns * kvf_dtype_bits((kvf_dtype)variant->values[0]) / 8;
  return kvf_cpu_run(&check, variant, params, params->num_rows, bytes);
"""
CUDA_RUN = """\
  const int64_t blocks = params->num_rows < INT32_MAX ? params->num_rows : INT32_MAX;
  const kvf_grid grid = {.grid = {(uint32_t)blocks, 1, 1}, .block = {256, 1, 1}};
  return kvf_cuda_run(&check, variant, params, &grid);
"""


def targets(name: str, folder: Path | None, backends: tuple[str, ...]) -> dict[Path, str]:
    """File -> the skeleton it is made from."""
    if folder is None:
        files = {
            ROOT / names.spec(name): "spec.py",
            ROOT / f"runtime/ops/{name}.c": "op.c",
            ROOT / f"tests/test_{name}.c": "test.c",
            ROOT / f"tests/python/case_{name}.py": "case.py",
        }
        templates = ROOT / "templates"
    else:
        files = {
            folder / f"{name}.py": "spec.py",
            folder / f"{name}.c": "op.c",
            folder / f"test_{name}.py": "test.py",
        }
        templates = folder
    for backend in backends:
        suffix = names.SUFFIX[backend]
        files[templates / names.template(backend, name)] = f"{backend}{suffix}"
    return files


def write(
    name: str,
    folder: Path | None,
    backends: tuple[str, ...] = BACKENDS,
    namespace: str | None = None,
) -> list[Path]:
    """Writes the files; ValueError for a name that will not do, or a file that is there."""
    namespace = namespace or (OPS[0].namespace if folder is None else "my_namespace")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", namespace) or keyword.iskeyword(namespace):
        raise ValueError(f"--namespace: {namespace!r}: want an identifier of C and Python")
    if not re.fullmatch(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", name):
        raise ValueError(f"--new-op: {name!r}: want lower-case words with underscores between them")
    if not backends:
        raise ValueError(f"--new-op: no backend: want some of {', '.join(BACKENDS)}")
    if taken := next((op for op in OPS if op.name == name), None):
        raise ValueError(f"--new-op: {taken.namespace}::{name} has this name; want another one")
    files = targets(name, folder, backends)
    if there := [path for path in files if path.exists()]:
        raise ValueError(f"--new-op: {there[0]} is there already")
    cpu = CPU_RUN if len(backends) > 1 else ONLY_CPU_RUN
    words = {
        "@NAME@": name,
        "@NAMESPACE@": namespace,
        "@BACKENDS@": "(" + "".join(f'"{backend}", ' for backend in backends).rstrip() + ")",
        "@CPU_RUN@": cpu if "cpu" in backends else "",
        "@CUDA_RUN@": CUDA_RUN if "cuda" in backends else "",
    }
    for path, skeleton in files.items():
        text = (SKELETON / f"{skeleton}.txt").read_text()
        for word, instead in words.items():
            text = text.replace(word, instead)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return sorted(files)


def next_steps(name: str, folder: Path | None) -> str:
    """What to do with the files."""
    if folder is not None:
        return f"next: PYTHONPATH=python python -m pytest {folder}, and write what it asks for"
    return (
        f"next: ninja, then build/kvf_tests --suite {name}, and write what it asks for;\n"
        "without a GPU, CUDA runs with KVFORGE_LIBCUDA=build/emulator/libkvf_cuda_emulator.so and\n"
        "--backend cuda behind it\n"
        "(bench/shared/ describes the calls that are timed; an op that is not there is passed over)"
    )
