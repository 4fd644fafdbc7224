"""Axes of every kind: which variants serve a call, in the generator and in the tables that C reads."""

from __future__ import annotations

import re

import pytest

from generator import __main__ as command
from generator import axes, outside
from generator.model import Op
from generator.plan import ROOT

FOLDER = ROOT / "tests/axes_op"


@pytest.fixture(scope="module")
def op() -> Op:
    """An op with an axis of each kind but a dtype."""
    return outside.load_op(FOLDER, "turn")


def test_a_device_runs_the_newest_body_that_it_can() -> None:
    axis = axes.arch(80, 90, 100, generic=True)
    assert axis.positions == axis.of_backend("cuda") == (80, 90, 100, None)
    assert axis.of_backend("cpu") == (None,)
    assert [axis.rank(own, 90) for own in axis.positions] == [1, 0, None, 3]
    assert [axis.rank(own, None) for own in axis.positions] == [None, None, None, 0]
    numbers = (80, 89, 90, 99, 100)
    assert [axis.positions[axis.lookup[n - 80]] for n in numbers] == [80, 80, 90, 90, 100]
    assert (axis.positions[axis.below], axis.positions[axis.above]) == (None, 100)
    assert [axis.find(text) for text in ("75", "80", "86", "120")] == [None, 80, 80, 100]
    with pytest.raises(ValueError, match="arch is 'sm_90': want a compute capability, for example"):
        axis.find("sm_90")


def test_a_body_of_one_arch_is_for_no_newer_one() -> None:
    axis = axes.arch(80, "90a", generic=True)
    assert axis.positions == (80, "90a", None)
    assert [axis.rank(own, "90a") for own in axis.positions] == [1, 0, 2]
    assert [axis.positions[axis.lookup[n - 80]] for n in (80, 89, 90)] == [80, 80, "90a"]
    assert (axis.positions[axis.below], axis.positions[axis.above]) == (None, 80)
    assert [axis.find(text) for text in ("75", "86", "90", "90a", "100")] == [
        None,
        80,
        "90a",
        "90a",
        80,
    ]
    assert axes.arch("90a", 100).above == 1 and axes.arch("90a").positions[-1] is None
    with pytest.raises(ValueError, match="want them ascending"):
        axes.arch(100, "90a")


def test_without_a_generic_body_older_devices_have_none() -> None:
    axis = axes.arch(90)
    assert axis.of_backend("cuda") == (90,) and axis.positions == (90, None)
    assert axis.find("80") is None and axis.rank(90, None) is None


@pytest.mark.parametrize(
    ("axis", "found", "refused"),
    [
        ("tile", {"4": 4, "8": 8, "77": None}, {"-1": "4, 8 or any other", "x": "4, 8 or any"}),
        ("step", {"2": 2}, {"3": "step is '3': want 1, 2"}),
        ("order", {"reversed": "reversed"}, {"other": "want forward, reversed"}),
        ("negate", {"true": True, "false": None}, {"1": "want true or false"}),
    ],
)
def test_texts_of_values(
    op: Op, axis: str, found: dict[str, axes.Value], refused: dict[str, str]
) -> None:
    one = next(each for each in op.axes if each.name == axis)
    assert {text: one.find(text) for text in found} == found
    for text, message in refused.items():
        with pytest.raises(ValueError, match=re.escape(message)):
            one.find(text)


def test_a_chain_ends_with_the_most_general(op: Op) -> None:
    """A newer device may run what an older one does, a tile of 4 is one of any size."""
    found = [variant.values for variant in op.chain("cuda", (4, 1, "forward", None, 90))]
    assert found[0] == (4, 1, "forward", None, 90) and found[-1][0] is None
    assert found.index((4, 1, "forward", None, None)) < len(found) - 1
    assert op.chain("cuda", (4, 1, "forward", None, 90))[0].min_arch == 90
    assert all(variant.min_arch == 0 for variant in op.chain("cpu", (4, 1, "forward", None, None)))


def test_tables_have_the_chains(op: Op) -> None:
    """Row by row: the row of each cell, and where the others begin in the list of chains."""
    text = outside.render_folders([FOLDER])["ops/turn.c"]

    def numbers(name: str) -> list[int]:
        found = re.search(rf"\b{name}\[[^]]*\] = {{([^}}]*)}}", text)
        assert found is not None, name
        return [int(number) for number in re.findall(r"-?\d+", re.sub(r"/\*.*?\*/", "", found[1]))]

    cells, rest, chains = (numbers(name) for name in ("cells", "rest", "chains"))
    rows = {variant.symbol: position for position, variant in enumerate(op.variants)}
    assert len(cells) == len(rest) == len(op.cells)
    assert any(start >= 0 for start in rest) and "KVF_OTHER" in text
    for (backend, wanted), first, start in zip(op.cells, cells, rest, strict=True):
        got = [] if first < 0 else [first]
        if start >= 0:
            got += chains[start : chains.index(-1, start)]
        assert got == [rows[variant.symbol] for variant in op.chain(backend, wanted)]


def test_why_of_an_op_outside_the_tree(capsys: pytest.CaptureFixture[str]) -> None:
    call = ["tile=8", "step=1", "order=reversed", "negate=false", "arch=120"]
    assert command.main(["--why", "axes_test::turn", *call, "--op-folder", str(FOLDER)]) == 0
    shown = capsys.readouterr().out
    assert "a tile of 8 is not turned round" in shown
    assert command.main(["--why", "turn", *call]) == 1
    assert "no op 'turn'; ops: " in capsys.readouterr().err


def test_usual_values_have_a_generic_variant_beside_them() -> None:
    assert axes.integer("n", 8, 16, token="n", meaning="n", generic=True, usual=(8,)).usual == (8,)
    for generic, usual in ((False, (8,)), (True, (8, 9))):
        with pytest.raises(ValueError, match=r"want some of .*, and a generic variant"):
            axes.integer("n", 8, 16, token="n", meaning="n", generic=generic, usual=usual)
