"""The documents say what the files say: links lead somewhere, and excerpts occur in their files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#\s]+)[^)]*\)")
# The word behind the language names a file; the block is an excerpt of it.
BLOCK = re.compile(r"^```(\S+) (\S+)\n(.*?)^```$", re.M | re.S)


def excerpts(text: str) -> list[tuple[str, list[str]]]:
    """(file, pieces) of each excerpt; lines of `...` stand between the pieces."""
    return [
        (file, [piece.strip("\n") for piece in re.split(r"^\.\.\.$", body, flags=re.M)])
        for _, file, body in BLOCK.findall(text)
    ]


def missing(pieces: list[str], lines: str) -> list[str]:
    """The pieces that do not occur in the file as whole lines, behind the piece before."""
    at = 0
    lost = []
    for piece in pieces:
        found = f"\n{lines}\n".find(f"\n{piece}\n", at)
        if found < 0:
            lost.append(piece)
        else:
            at = found + len(piece) + 1
    return lost


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_links_lead_to_files(doc: Path) -> None:
    """And a link that is named for a symbol, to a file that has that symbol."""
    for name, target in LINK.findall(doc.read_text()):
        path = doc.parent / target
        assert path.exists(), f"{doc.name}: [{name}]({target})"
        symbol = re.fullmatch(r"`(\w+)`", name)
        if symbol:
            words = re.findall(r"\w+", path.read_text())
            assert symbol[1] in words, f"{doc.name}: no {symbol[1]} in {target}"


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_excerpts_are_real(doc: Path) -> None:
    for file, pieces in excerpts(doc.read_text()):
        lost = missing(pieces, (ROOT / file).read_text())
        assert not lost, f"{doc.name}: not in {file}, or not in this order: {lost[0]!r}"


def test_the_walk_through_has_code_of_every_step() -> None:
    text = (ROOT / "docs/how-a-cu-file-becomes-an-op.md").read_text()
    steps = re.split(r"^## \d+\. ", text, flags=re.M)[1:]
    assert len(steps) == 12
    assert all(excerpts(step) for step in steps)
    assert len(LINK.findall(text)) > 20


def test_a_false_excerpt_is_found() -> None:
    [(file, pieces)] = excerpts("```c a.c\none\n...\nthree\nfour\n```\n")
    assert file == "a.c"
    assert missing(pieces, "one\ntwo\nthree\nfour") == []
    assert missing(pieces, "three\nfour\none") == ["three\nfour"]
    assert missing(pieces, "one\nthree\n\nfour") == ["three\nfour"]
    assert missing(["tw"], "one\ntwo") == ["tw"]
