"""The short forms of targets test-transfer-faults, processes that die or stop in the middle of transfers, and
test-transfer-soak."""

from __future__ import annotations

import importlib.util

import pytest
from conftest import require

require("python", __file__)
if importlib.util.find_spec("torch") is None:
    pytest.skip(f"{__file__}: no torch, for gloo", allow_module_level=True)

import transfer_faults
import transfer_soak
from transfer_party import engines


def test_every_event_has_its_turn() -> None:
    """Of two rounds each of all events; each comes with every action in three."""
    total = sum(len(events) for events in transfer_faults.EVENTS.values())
    cases = [transfer_faults.Case.of(seed, ["nixl", "gloo"]) for seed in range(3 * total)]
    met = {(case.mode, case.role, case.event, case.action) for case in cases}
    assert len(met) == 3 * total


def test_what_is_left_has_its_error_and_whole_chunks() -> None:
    hit = transfer_faults.run(range(1, 26, 2), engines(), print)
    assert hit.total() == 13


@pytest.mark.parametrize("engine", engines())
def test_many_transfers_keep_nothing(engine: str) -> None:
    transfer_soak.run(engine, 200, print)
