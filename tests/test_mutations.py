"""The list of faults follows the code: a fault whose text is gone would never be put in."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/mutations"))
from faults import FAULTS, Fault  # noqa: E402


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_text_stands_once(fault: Fault) -> None:
    assert (ROOT / fault.file).read_text().count(fault.old) == 1
    assert fault.new != fault.old


def test_names_differ() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_docs_say_how_many() -> None:
    counts = re.findall(r"(\d+) faults", (ROOT / "docs/reliability.md").read_text())
    assert counts
    assert {int(count) for count in counts} == {len(FAULTS)}
