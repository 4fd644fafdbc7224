"""Puts one fault at a time into a copy of the tree, and expects a suite to find it.

    python3 tests/mutations/run.py [--build-dir=build] [--some=N] [--only=WORDS,WORDS]

The copy lies in the build folder and is kept: what a fault does not touch is not built again. Its
CUDA variants run in the emulated driver, which looks at the magic number of an image only: so the
copy is built with an nvcc that writes nothing else. Standard library only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parent.parent.parent
LEFT_OUT = {"build", "build.ninja", ".venv", ".git", "docs", "corpus"}
# What other suites use, and the ops whose suites are to find a fault.
OPS = {"reshape_and_cache_flash", "copy_blocks", "zero_blocks", "paged_attention"} | {
    suite
    for fault in FAULTS
    for suite in fault.suites
    if (ROOT / f"generator/spec/{suite}.py").is_file()
}
CACHES = (
    "same,fp8_e4m3,int8_per_token_head,int8_per_token_head_even,int4_per_token_head,nvfp4,q8_0,"
    "fp8_ds_mla,fp8_indexer"
)
SELECTION = (
    *("--debug", "--build-dir=build", "--isas=baseline", "--cuda-archs=90"),
    *(f"--ops={','.join(sorted(OPS))}", "--scalars=bf16,f32", f"--caches={CACHES}"),
)
SECONDS = 300  # of one suite; a fault that makes it hang is found, too
BUILD_SECONDS = 1800  # of the copy, on a machine that does other things, too

# Everything but compiling a kernel is the real compiler's.
NVCC = """\
#!/bin/sh
case "$*" in
*generated/cuda/*)
  while [ "$1" != -o ]; do
    [ "$1" = -MF ] && : > "$2"
    shift
  done
  printf '\\120\\355\\125\\272\\001\\0\\020\\0\\0\\0\\0\\0\\0\\0\\0\\0' > "$2"
  ;;
*)
  {real} "$@" 2>&1 | sed 's|TOP=.*|TOP={top}|'
  ;;
esac
"""


def copy_tree(tree: Path) -> None:
    """Makes the copy what the tree is, touching only what differs."""
    wanted = set()
    for folder, folders, files in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        folders[:] = [
            name
            for name in folders
            if not (name in LEFT_OUT or name.startswith(("build-", ".ruff", ".mypy", "__pyc")))
        ]
        if here.parts[:1] == ("build",):
            continue
        for name in files:
            if name not in LEFT_OUT:
                wanted.add(here / name)
    for path in wanted:
        target = tree / path
        data = (ROOT / path).read_bytes()
        if not target.exists() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            shutil.copymode(ROOT / path, target)
    for folder in ("runtime", "generated", "templates", "tests"):
        for path in (tree / folder).rglob("*"):
            if path.is_file() and path.relative_to(tree) not in wanted:
                path.unlink()
    if (ROOT / ".venv").exists() and not (tree / ".venv").exists():
        (tree / ".venv").symlink_to((ROOT / ".venv").resolve())


def fake_nvcc(folder: Path) -> dict[str, str]:
    """The environment in which configure.py finds that nvcc; without CUDA, the one there is."""
    real = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    if not os.access(real, os.X_OK):
        found = sorted(ROOT.glob(".venv/lib/python3*/site-packages/nvidia/cu*/bin/nvcc"))
        if not found:
            return dict(os.environ)
        real = str(found[-1])
    script = folder / "bin/nvcc"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(NVCC.format(real=Path(real).resolve(), top=folder))
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{script.parent}:{os.environ['PATH']}"}


def shell(
    command: list[str], tree: Path, environment: dict[str, str], seconds: int = SECONDS
) -> tuple[int, str]:
    """The status of a command and what it said; 124 when it took too long."""
    try:
        done = subprocess.run(
            command,
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, "took too long"
    return done.returncode, done.stdout.decode(errors="replace")


class Copy:
    """The copy of the tree, built."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        tree.mkdir(parents=True, exist_ok=True)
        copy_tree(tree)
        self.environment = fake_nvcc(tree.parent / "toolkit")
        library = tree / "build/emulator/libkvf_cuda_emulator.so"
        self.emulated = {**self.environment, "KVFORGE_LIBCUDA": str(library)}
        launcher = ["--compiler-launcher=ccache"] if shutil.which("ccache") else []
        command = [sys.executable, "configure.py", *SELECTION, *launcher]
        status, text = shell(command, tree, self.environment)
        if status:
            sys.exit(f"the copy cannot be configured:\n{text[-3000:]}")
        self.cuda = "none:" not in text.partition("CUDA compiler")[2].partition("\n")[0]
        self.targets = ["build/kvf_tests"]

    def build(self) -> tuple[int, str]:
        """Builds what the suites need."""
        ninja = shutil.which("ninja") or shutil.which("ninja-build") or ".venv/bin/ninja"
        jobs = len(os.sched_getaffinity(0))
        command = [ninja, f"-j{jobs}", *self.targets]
        return shell(command, self.tree, self.environment, BUILD_SECONDS)

    def run(self, suite: str, backend: str) -> tuple[int, str]:
        """Runs one suite."""
        environment = self.emulated if backend == "cuda" else self.environment
        if suite == "module":
            environment = {**environment, "KVFORGE_TEST_CHILD": "0"}
        command = ["build/kvf_tests", "--backend", backend, "--suite", suite]
        return shell(command, self.tree, environment)


def judge(copy: Copy, fault: Fault) -> str:
    """Empty when a suite has found the fault, else what happened instead."""
    path = copy.tree / fault.file
    text = path.read_text() if path.exists() else ""
    if text.count(fault.old) != 1:
        return f"no longer applies: {fault.file} has these lines {text.count(fault.old)} times"
    path.write_text(text.replace(fault.old, fault.new))
    try:
        status, said = copy.build()
        if status:
            return f"does not compile:\n{said[-2000:]}"
        if not any(copy.run(suite, fault.backend)[0] for suite in fault.suites):
            return f"not found by {', '.join(fault.suites)} on {fault.backend}"
    finally:
        path.write_text(text)
    return ""


def select(some: int, words: str, cuda: bool) -> list[Fault]:
    """All of them, those that are named, or so many that change from day to day."""
    named = [f for f in FAULTS if any(part in f.name for part in words.split(","))]
    chosen = [f for f in named if cuda or f.backend == "cpu"]
    if some and some < len(chosen):
        first = int(time.time() // 86400) * some
        chosen = [chosen[(first + i) % len(chosen)] for i in range(some)]
    return chosen


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", default="build", help="the copy lies in it")
    parser.add_argument("--some", type=int, default=0, metavar="N", help="of all, today's N")
    parser.add_argument(
        "--only", default="", metavar="A,B", help="those with one of these in their name"
    )
    options = parser.parse_args()
    copy = Copy(Path(options.build_dir).resolve() / "mutations/tree")
    chosen = select(options.some, options.only, copy.cuda)
    if any(fault.backend == "cuda" for fault in chosen):
        copy.targets.append("build/emulator/libkvf_cuda_emulator.so")
    status, text = copy.build()
    if status:
        print(f"the copy cannot be built:\n{text[-3000:]}")
        return 1
    for suite, backend in sorted({(s, fault.backend) for fault in chosen for s in fault.suites}):
        status, said = copy.run(suite, backend)
        if status or said.rstrip().rpartition("\n")[2].startswith("0 passed,"):
            what = "fails" if status else "tests nothing"
            print(f"{suite} on {backend} {what} without a fault:\n{said[-2000:]}")
            return 1
    survivors = 0
    for fault in chosen:
        start = time.monotonic()
        why = judge(copy, fault)
        survivors += bool(why)
        took = f"{time.monotonic() - start:.0f} s"
        print(f"{'SURVIVED' if why else 'found':<9}{took:>6}  {fault.name}", flush=True)
        if why:
            print(why, flush=True)
    print(f"{len(chosen) - survivors} passed, {survivors} failed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
