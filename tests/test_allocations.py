"""Calls of a process that gets no memory, or no threads, at one request or from one on."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("KVFORGE_BUILD", ROOT / "build"))
LIBRARY = BUILD / "libkvforge.so.0"
EMULATOR = BUILD / "emulator/libkvf_cuda_emulator.so"
COMPILER = os.environ.get("CC") or shutil.which("cc") or "gcc"
INCLUDES = ["runtime/include", "generated/include", "third_party/dlpack/include"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tests/standalone/allocations.c, which opens the library by itself."""
    if not LIBRARY.exists():
        pytest.skip(f"{LIBRARY.name} is not built: ninja lib")
    path = tmp_path_factory.mktemp("allocations") / "allocations"
    flags = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"]
    flags += [f"-I{ROOT / folder}" for folder in INCLUDES]
    source = ROOT / "tests/standalone/allocations.c"
    subprocess.run([COMPILER, *flags, str(source), "-ldl", "-o", str(path)], check=True)
    return path


@pytest.mark.parametrize(
    ("calls", "least"), [("refused", 1), ("small", 0), ("large", 0), ("prepared", 5), ("cuda", 5)]
)
def test_every_request_fails(program: Path, calls: str, least: int) -> None:
    """A status tells each lack, no process ends, and the next call goes well."""
    environment = dict(os.environ)
    if calls == "cuda":
        if not EMULATOR.exists():
            pytest.skip(f"{EMULATOR.name} is not built")
        environment["KVFORGE_LIBCUDA"] = str(EMULATOR)
    command = [str(program), str(LIBRARY), calls]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout.split()[0]) >= least
