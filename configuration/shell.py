"""Running programs, and ending this one."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent  # main() goes there; paths are relative to it


def fail(message: str, status: int = 1) -> NoReturn:
    """Ends the program with one message."""
    print(f"configure.py: {message}", file=sys.stderr)
    raise SystemExit(status)


def output(*command: str, stdin: str = "") -> str | None:
    """What a command prints, or None if it cannot be run or fails."""
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError:
        return None
    return done.stdout + done.stderr if done.returncode == 0 else None


def compiles(cc: Sequence[str], *flags: str, code: str = "int x;\n", link: bool = False) -> bool:
    """Whether a C compiler takes these flags for this piece of C."""
    with tempfile.TemporaryDirectory() as folder:
        target = ["-o", f"{folder}/out", *([] if link else ["-c"])]
        return output(*cc, *target, "-x", "c", "-", *flags, stdin=code) is not None


def canonical(path: str) -> str:
    """One spelling for a tool, relative to the root if it is inside.

    The last part stays: clang++ and ccache's gcc are links that look at their own name.
    """
    real = Path(path).parent.resolve() / Path(path).name
    return str(real.relative_to(ROOT) if real.is_relative_to(ROOT) else real)


def find_tool(variable: str, *names: str) -> list[str] | None:
    """The command in an environment variable, or the first of these programs on PATH."""
    if variable and os.environ.get(variable):
        command = shlex.split(os.environ[variable])
        path = shutil.which(command[0])
        if path is None:
            fail(f"{variable}={os.environ[variable]}: no such program")
        return [canonical(path), *command[1:]]
    found = next((path for path in map(shutil.which, names) if path), None)
    return [canonical(found)] if found else None


def first_line(*command: str) -> str:
    """The first line that a command prints, usually its name and version."""
    return (output(*command) or "").partition("\n")[0].strip()


def show(command: Sequence[str]) -> bool:
    """Runs a command in full view; whether it succeeded."""
    print(f"+ {shlex.join(command)}", flush=True)
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0
    except OSError as error:
        print(f"{command[0]}: {error.strerror}")
        return False
