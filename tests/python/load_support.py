"""What the tests of kvforge.load share: small sources, fresh interpreters, a compiler that is counted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

from conftest import forks

ROOT = Path(__file__).resolve().parent.parent.parent
OWN_OP = ROOT / "examples/own_op"
has_nvcc = shutil.which("nvcc") is not None or Path("/usr/local/cuda/bin/nvcc").exists()
NO_NVCC = "no nvcc; python3 configure.py --setup installs it"


def source_text(value: str = "42", include: str = "") -> str:
    """A C file with one function, answer(), that returns a number."""
    return textwrap.dedent(
        f"""\
        #include <tvm/ffi/c_api.h>
        {include}
        #ifdef __cplusplus
        extern "C"
        #endif
        TVM_FFI_DLL_EXPORT int __tvm_ffi_answer(void *handle, const TVMFFIAny *arguments,
                                                int32_t count, TVMFFIAny *result);
        int __tvm_ffi_answer(void *handle, const TVMFFIAny *arguments, int32_t count,
                             TVMFFIAny *result) {{
          (void)handle, (void)arguments, (void)count;
          result->type_index = kTVMFFIInt;
          result->v_int64 = {value};
          return 0;
        }}
        """
    )


def write_source(folder: Path, name: str = "answer.c", **parts: str) -> Path:
    """The same in a file."""
    path = folder / name
    path.write_text(source_text(**parts))
    return path


def counted_compiler(folder: Path) -> tuple[Path, Path]:
    """A C compiler that writes a line into a file for each thing that it makes; program and file."""
    log, program = folder / "compiled.txt", folder / "counted-cc"
    log.touch()
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *" -o "*) echo "$*" >>{log} ;; esac\nexec cc "$@"\n'
    )
    program.chmod(0o755)
    return program, log


server = forks()


def load_in_process(source: Path, cache: Path, compiler: str, begin: Any) -> None:
    """What a process does that loads a source; its exit status is 0 if that returns 42."""
    import kvforge

    os.environ["CC"] = compiler
    begin()
    os._exit(0 if kvforge.load("one", source, build_directory=cache).answer() == 42 else 1)


def hold_lock(path: Path, ready: Any) -> None:
    """What a process does that takes a lock and never lets go."""
    from kvforge import _lock

    with _lock.locked(path, None):
        ready.set()
        time.sleep(600)


def python(
    code: str,
    environment: dict[str, str] | None = None,
    *,
    check: bool = True,
    torch: bool = False,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """Runs code in a fresh interpreter, without torch unless told otherwise: it loads slowly."""
    without = "" if torch else "import sys; sys.modules['torch'] = None\n"
    done = subprocess.run(
        [sys.executable, "-B", "-c", without + textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "python"), **(environment or {}), **more},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done
