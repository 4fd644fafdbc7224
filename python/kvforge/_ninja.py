"""Runs commands with ninja, in parallel, and turns what fails into one exception."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kvforge import _toolchain


class BuildError(RuntimeError):
    """A compiler or linker refused something: its text, the command, and where the files are."""


@dataclass(frozen=True)
class Step:
    """One command, run in the build folder; its paths are relative to that or absolute."""

    what: str  # for people
    output: str
    inputs: list[str]
    command: list[str]
    search: tuple[str, ...] = ()  # a command that says where the compiler looks for headers


def say(text: str, end: str = "\n") -> None:
    """A line for a person at a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[Kkvforge: {text}", end=end, file=sys.stderr, flush=True)


def run(folder: Path, steps: Sequence[Step], title: str, verbose: bool) -> None:
    """Runs the steps in their order of need; BuildError with all that failed."""
    (folder / "build.ninja").write_bytes(os.fsencode(text_of(steps)))
    for step in steps:
        (folder / step.output).parent.mkdir(parents=True, exist_ok=True)
    command = [_toolchain.find_ninja(), *(["-v"] if verbose else [])]
    if jobs := os.environ.get("MAX_JOBS"):
        command.append(f"-j{jobs}")
    seen: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "NINJA_STATUS": "[%f/%t] "},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        umask=0o077,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            progress = re.match(r"\[\d+/\d+\] ", line)
            if verbose:
                print(line, end="", file=sys.stderr, flush=True)
            elif progress:
                say(f"{title} {line.rstrip()}", end="")
            if not progress and not line.startswith("ninja: build stopped"):
                seen.append(line)
    if process.returncode != 0:
        say(f"{title}: failed")
        raise BuildError("".join(seen).strip() or f"ninja: exit status {process.returncode}")
    say(f"{title}: built")


def text_of(steps: Sequence[Step]) -> str:
    """The build.ninja of some steps."""
    lines = ["rule run", "  command = $command", "  description = $what"]
    outputs = {step.output for step in steps}
    for step in steps:
        # Only what is made here is waited for. Paths of users are in commands alone: those of ninja
        # cannot have every letter.
        inputs = " ".join(path for path in step.inputs if path in outputs)
        lines += [
            f"build {step.output}: run {inputs}",
            f"  command = {shlex.join(step.command).replace('$', '$$')}",
            f"  what = {step.what.replace('$', '$$')}",
        ]
    return "\n".join(lines) + "\n"


def read_depfile(path: Path) -> list[str]:
    """The files that a depfile (a rule of Make) says an object was made of."""
    text = os.fsdecode(path.read_bytes()).replace("\\\n", " ")
    inputs = text.partition(": ")[2]
    words = re.findall(r"(?:\\[ #:]|\S)+", inputs)
    return [re.sub(r"\\([ #:])", r"\1", word).replace("$$", "$") for word in words]
