"""python3 -m generator --where: from a line of a generated file to the line of its template."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator import __main__ as command
from generator import plan
from generator import where as subject
from generator.plan import ROOT
from generator.where import bare, where

OWN_OP = ROOT / "examples/own_op"
TEMPLATES = ROOT / "templates"


def lines_of(path: Path) -> list[str]:
    return path.read_text().split("\n")


ONE_OF_EACH = {output.template: output for output in plan.outputs()}.values()


@pytest.mark.parametrize("output", ONE_OF_EACH, ids=lambda output: str(output.path))
def test_every_kind_of_file(output: plan.Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that is named has the words of the line that was asked about, unless an expression
    made them."""
    monkeypatch.setattr(subject, "outputs", lambda: [output])
    path = ROOT / output.path
    lines = lines_of(path)
    asked = [n for n, line in enumerate(lines, 1) if n > 5 and len(bare(line)) > 3][::40]
    matches = 0
    for number in asked:
        place, line, text = where(f"{path}:{number}:7: error: x").split(":", 2)
        source = lines_of(ROOT / place)
        assert source[int(line) - 1].strip() == text.strip()
        literal = set(re.findall(r"\w{3,}", re.sub(r"{[{%].*?[%}]}", "", text)))
        matches += bool(literal & set(re.findall(r"\w{3,}", lines[number - 1])))
    assert matches >= len(asked) // 5  # tables and docs are expressions for the most part


def test_a_line_of_a_shared_template(capsys: pytest.CaptureFixture[str]) -> None:
    path = ROOT / "generated/cuda/kvf_cuda_copy_blocks__b8.cu"
    number = next((n for n, line in enumerate(lines_of(path), 1) if "__syncthreads" in line))
    assert command.main(["--where", f"{path}({number}): error: what nvcc writes"]) == 0
    told = capsys.readouterr().out
    assert re.fullmatch(r"templates/shared/pages\.j2:\d+: __syncthreads\(\);.*\n", told)


def test_outside_the_tree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--op-folder", str(OWN_OP), "--output", str(tmp_path)]) == 0
    path = next(tmp_path.glob("cpu/*.c"))
    number = next(n for n, line in enumerate(lines_of(path), 1) if "for (" in line)
    capsys.readouterr()
    assert command.main(["--where", f"{path}:{number}", "--op-folder", str(OWN_OP)]) == 0
    told = capsys.readouterr().out
    assert told.startswith(("examples/own_op/cpu/rms_norm_and_cache.c.j2:", "templates/shared/"))
    assert command.main(["--where", f"{path}:{number}"]) == 1
    assert "is no generated file; of ops outside the tree, --op-folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("generated/registry.c", "want FILE:LINE"),
        ("generated/none.c:3", "want FILE:LINE of a generated file that is there"),
        ("runtime/core/cpu.c:3", "is no generated file"),
        ("generated/registry.c:2", "line 2 of generated/registry.c is the generator's own"),
        ("generated/registry.c:100000", "has nothing in line 100000"),
    ],
)
def test_what_is_no_place(
    place: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert command.main(["--where", place]) == 1
    assert words in capsys.readouterr().err


def test_an_edited_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "generated/registry.c"
    path.parent.mkdir()
    path.write_text((ROOT / "generated/registry.c").read_text() + "int more;\n")
    monkeypatch.setattr(subject, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="is not what its template gives now: generate it again"):
        where(f"{path}:9")
