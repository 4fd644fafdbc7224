"""`python3 -m generator --where FILE:LINE`: the line of a template that a line of a generated file is from.

The file is rendered once more with marks in it: an extension of Jinja2 puts one before every line of a
template's own text. Layout changes spaces and little else, so what stands between the spaces leads
from the line that was asked about to the mark before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import jinja2
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from generator.outside import COMMAND as OUTSIDE
from generator.outside import load_ops, outputs_of
from generator.plan import ROOT, Output, outputs
from generator.render import COMMAND, environment, render

MARK = re.compile("\x01([^\x01:]*):([0-9]+)\x01")
LAYOUT = re.compile(r'[\s*/\\"]+')  # what clang-format adds or takes, if only when it breaks lines


class Marks(Extension):
    """Puts the file and the number before every line that a template has itself."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The tokens, with marks in those that are text; a comma between numbers is none."""
        for token in stream:
            if token.type == "data" and re.search(r"[A-Za-z{}();]", token.value):
                text = ""
                for number, line in enumerate(token.value.split("\n"), token.lineno):
                    mark = f"\x01{stream.filename}:{number}\x01"
                    text += ("\n" if text else "") + re.sub(r"(?=\S)", mark, line, count=1)
                token = Token(token.lineno, "data", text)
            yield token


def bare(text: str) -> str:
    """A text without what layout changes."""
    return LAYOUT.sub("", text)


def marked(path: Path, folders: Sequence[Path]) -> str:
    """The text of a generated file with marks, not laid out; ValueError for another file."""
    for folder in folders:
        for output in (output for op in load_ops(folder) for output in outputs_of(op)):
            if path.resolve().as_posix().endswith("/" + output.path.removeprefix("generated/")):
                return rendered(output, environment(folder.resolve()), OUTSIDE)
    for output in outputs():
        if path.resolve() == (ROOT / output.path).resolve():
            return rendered(output, environment(), COMMAND)
    more = "" if folders else "; of ops outside the tree, --op-folder says where they are"
    raise ValueError(f"--where: {path} is no generated file{more}")


def rendered(output: Output, env: jinja2.Environment, command: str) -> str:
    """A planned file with marks."""
    env.add_extension(Marks)
    return render(output, env, command, checked=False)


def where(place: str, folders: Sequence[Path] = ()) -> str:
    """`template:line: the line there`; ValueError with a sentence where that cannot be said.

    `place` is FILE:LINE or, as nvcc has it, FILE(LINE); what follows there may stay.
    """
    found = re.match(r"(.+?)[:(](\d+)(?:[:)]|$)", place)
    if not found or not Path(found[1]).is_file():
        raise ValueError(f"--where: {place!r}: want FILE:LINE of a generated file that is there")
    path, number = Path(found[1]), int(found[2])
    lines = path.read_text().split("\n")
    if not 1 <= number <= len(lines) or not bare(lines[number - 1]):
        raise ValueError(f"--where: {path} has nothing in line {number}")
    banner, *parts = MARK.split(
        marked(path, folders)
    )  # then file, line, text, file, line, text ...
    if bare(banner + "".join(parts[2::3])) != bare("\n".join(lines)):
        raise ValueError(f"--where: {path} is not what its template gives now: generate it again")
    left = len(bare("\n".join(lines[: number - 1]))) - len(bare(banner))
    if left < 0:
        raise ValueError(f"--where: line {number} of {path} is the generator's own")
    at = 0
    while (left := left - len(bare(parts[at + 2]))) >= 0:
        at += 3
    source, line = Path(parts[at]), int(parts[at + 1])
    shown = source.relative_to(ROOT) if source.is_relative_to(ROOT) else source
    return f"{shown}:{line}: {source.read_text().splitlines()[line - 1].strip()}"
