"""Templates do not repeat each other: what two of them have in common is a macro that both call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("templates", "examples")
RUN = 6  # so many equal lines are a repetition
# What counts for nothing: comments, the same for the two backends of an op, and imports.
IGNORED = re.compile(r"\{#.*?#\}|\{% import .*? %\}", re.S)


def lines(text: str) -> list[tuple[int, str]]:
    """The lines that are left, without their indentation, and their numbers."""
    text = IGNORED.sub(lambda match: "\n" * match[0].count("\n"), text)
    return [(i, line.strip()) for i, line in enumerate(text.split("\n"), 1) if line.strip()]


def repetitions(texts: Mapping[str, str]) -> list[str]:
    """Where two of the texts have RUN equal lines in a row: both places, once for each two texts."""
    first: dict[tuple[str, ...], tuple[str, int]] = {}
    found: dict[tuple[str, str], str] = {}
    for name, text in texts.items():
        kept = lines(text)
        for start in range(len(kept) - RUN + 1):
            run = tuple(line for _, line in kept[start : start + RUN])
            other, number = first.setdefault(run, (name, kept[start][0]))
            if other != name:
                place = f"{other}:{number} and {name}:{kept[start][0]}"
                found.setdefault((other, name), place)
    return list(found.values())


def test_a_run_of_equal_lines_is_found() -> None:
    run = [f"line {i};" for i in range(RUN)]
    indented = ["other", *(f"  {line}" for line in run)]
    apart = [f'{{# of\n b #}}\n\n{{% import "{i}" as i %}}\n{line}' for i, line in enumerate(run)]
    assert repetitions({"a": "\n".join(run), "b": "\n".join(indented)}) == ["a:1 and b:2"]
    assert repetitions({"a": "\n".join(run), "b": "\n".join(apart)}) == ["a:1 and b:5"]
    assert repetitions({"a": "\n".join(run), "b": "\n".join(run[1:])}) == []
    assert repetitions({"a": "\n".join(run + run)}) == []


def test_no_template_repeats_another() -> None:
    """A run that is found here asks for the macro that is missing."""
    paths = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.j2"))
    assert len({path.relative_to(ROOT).parts[0] for path in paths}) == len(FOLDERS)
    texts = {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}
    assert repetitions(texts) == []
