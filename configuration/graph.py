"""The edges of build.ninja as text: spelling and the order in which they are added."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def escape(text: str, also: str = " :") -> str:
    """A path as ninja reads it in an edge; in the value of a variable only `$` is special."""
    return re.sub(f"[${also}]", r"$\g<0>", text)


def shell(words: Iterable[str]) -> str:
    """Words of a shell command, in the value of a variable."""
    return escape(shlex.join(words), also="")


# From this arch on nvcc makes the same PTX for all, but for a line that names its arch.
ALIKE = 100


def gencode(archs: Sequence[str], each: bool = False) -> list[str]:
    """nvcc's options for machine code of every arch, and PTX of the last for those to come. `each`
    has PTX of its own, in place of that of the oldest with the same."""
    alike = [arch for arch in archs if arch.isdigit() and int(arch) >= ALIKE]
    made = [alike[0] if arch in alike and not each else arch for arch in archs]
    codes = [(ptx, f"sm_{arch}") for ptx, arch in zip(made, archs, strict=True)]
    codes += [(ptx, f"compute_{ptx}") for ptx in made[-1:]]
    return [w for ptx, code in codes for w in ("-gencode", f"arch=compute_{ptx},code={code}")]


def sources(*patterns: str) -> list[str]:
    """The files that match, sorted. Their folders are inputs of build.ninja: see watched()."""
    return sorted(str(path) for pattern in patterns for path in Path().glob(pattern))


class Graph:
    """The computed edges of build.ninja, in the order in which they are added."""

    def __init__(self, build: str, refused: Mapping[str, str]) -> None:
        self.build = build
        self.refused = refused  # target -> why it is not there
        self.lines: list[str] = []

    def title(self, text: str) -> None:
        """A comment above the edges that follow."""
        self.lines += ["", f"# {text}"]

    def edge(
        self,
        rule: str,
        outputs: str | Sequence[str],
        inputs: Iterable[str] = (),
        implicit: Iterable[str] = (),
        order_only: Iterable[str] = (),
        **variables: str,
    ) -> str:
        """Adds one edge; returns its first output, the others being implicit."""

        def part(mark: str, paths: Iterable[str]) -> str:
            text = " ".join(map(escape, paths))
            return mark + text if text else ""

        first, *others = [outputs] if isinstance(outputs, str) else outputs
        line = f"build {escape(first)}{part(' | ', others)}: {rule}{part(' ', inputs)}"
        line += part(" | ", implicit) + part(" || ", order_only)
        self.lines += [line, *(f"  {name} = {value}" for name, value in variables.items())]
        return first

    def compile(self, rule: str, source: str, output: str = "", **variables: str) -> str:
        """Adds the edge of one object file, which is rebuilt when the compiler changes."""
        return self.edge(
            rule,
            output or f"{self.build}/obj/{source}.o",
            [source],
            [f"{self.build}/toolchain.txt"],
            ["generated-files"],
            **variables,
        )

    def target(self, name: str, rule: str, inputs: Iterable[str] = (), **settings: Any) -> None:
        """Adds a target that always runs a command, or says why it cannot."""
        if name in self.refused:
            rule, inputs, settings = "refuse", (), {"reason": escape(self.refused[name], also="")}
        self.edge("phony", name, [self.edge(rule, f"{self.build}/run/{name}", inputs, **settings)])
