"""Builds the library twice, in two folders, and compares the bytes of what comes out.

    python3 tests/reproducible.py [--build-dir=build]

The two copies of the tree have names of different lengths, are built with different numbers of jobs
and without a compiler cache; the selection is small. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = (
    *("build", "build-*", "build.ninja", ".venv", ".git", ".*_cache", "__pycache__"),
    *(".hypothesis", "fixture", "corpus"),
)
SMALL = ("--ops=reshape_and_cache_flash,copy_blocks", "--scalars=bf16", "--caches=same,fp8_e4m3")


def selection(build_dir: str) -> list[str]:
    """What is built: with one arch, where the build folder has CUDA variants, else without any."""
    file = Path(build_dir, "build.ninja")
    text = file.read_text() if file.exists() else ""
    archs = re.search(r"^gencode = .*?compute_(\w+)", text, re.M)
    cuda = [f"--cuda-archs={archs[1]}"] if archs and any(Path(build_dir).glob("cuda/*")) else []
    return [*SMALL, *(cuda or ["--no-cuda"])]


def build(tree: Path, options: list[str]) -> dict[str, bytes]:
    """The files that a build in a copy of the tree yields."""
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
    if (ROOT / ".venv").exists():
        (tree / ".venv").symlink_to((ROOT / ".venv").resolve())
    environment = {**os.environ, "CCACHE_DISABLE": "1", "SCCACHE_RECACHE": "1"}
    command = [sys.executable, "configure.py", *options, "lib"]
    done = subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"no build in {tree}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    built = [tree / "build/libkvforge.so.0", tree / "build/libkvforge.a"]
    built += sorted((tree / "build/cuda").glob("*.fatbin"))
    return {path.name: path.read_bytes() for path in built}


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", default="build", help="whose kind of build is made twice")
    options = selection(parser.parse_args().build_dir)
    with tempfile.TemporaryDirectory() as folder:
        first = build(Path(folder, "a"), [*options, "--jobs=2"])
        second = build(Path(folder, "another tree, with a longer name"), [*options, "--jobs=1"])
    if first.keys() != second.keys():
        print(f"built once only: {sorted(first.keys() ^ second.keys())}")
        return 1
    differ = [name for name, data in first.items() if data != second[name]]
    for name in differ:
        print(f"{name} differs between two builds")
    print(f"{len(first) - len(differ)} passed, {len(differ)} failed")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
