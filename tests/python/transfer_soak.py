"""Many transfers between two processes, over which memory and open descriptors stay what they were.

    python3 tests/python/transfer_soak.py --build-dir=build --count=10000

For each engine: transfers of 163 tokens in two or more chunks, one after the other, each 100th aborted; the
rows of the last one are compared, and all slots must be back.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

import numpy as np

sys.dont_write_bytecode = True

import transfer_pages
import transfer_party
from transfer_pages import Side
from transfer_party import Party, expected

LAYERS, COUNT, ABORT = 3, 163, 100
SOURCE, TARGET = Side("LPBNHD", 16, 12), Side("LPBHND", 48, 5)
ALL_FREE = {"free": 4, "held": 0, "quarantined": 0}
GROWTH = (
    4096  # KiB that a process may grow by: an allocator's arenas fill up in the first thousands
)


def run(engine: str, count: int, say: Callable[[str], None]) -> None:
    """AssertionError where something was kept."""
    parties = sender, receiver = Party(), Party()
    options = {"engine": engine, "slots": 4, "slot_bytes": 1 << 16, "deadline": 30.0}
    try:
        sender.open({"kv": (SOURCE, 1)}, **options)
        receiver.open({"kv": (TARGET, 2)}, **options)
        peer = receiver.connect(sender.listen())
        sender.wait_for_peers(1)
        slots = np.random.default_rng(3).permutation(SOURCE.capacity)[:COUNT]
        landing = np.random.default_rng(4).permutation(TARGET.capacity)[:COUNT]
        sender.put("kv", LAYERS, slots, 5)

        def some(number: int) -> None:
            sender.begin("many_offers", number, slots, ABORT)
            receiver.begin("many_fetches", peer, number, landing, ABORT)
            for party in parties:
                party.end(60.0 + number)

        some(max(50, count // 5))
        before = [(party.resident(), party.descriptors()) for party in parties]
        some(count)
        after = [(party.resident(), party.descriptors()) for party in parties]
        for name, old, new in zip(("sender", "receiver"), before, after, strict=True):
            say(
                f"{engine}: {name} after {count} transfers: {new[0] - old[0]:+} KiB of {new[0]}, "
                f"{new[1] - old[1]:+} descriptors of {new[1]}"
            )
            assert new[0] - old[0] <= GROWTH and new[1] <= old[1]
        rows = transfer_pages.model(SOURCE, LAYERS, COUNT, 5)
        assert receiver.digest("kv") == expected(TARGET, 2, landing, rows)
        for party in parties:
            until = time.monotonic() + 10  # writes of what was aborted last may still be under way
            while any(ring != ALL_FREE for ring in party.counts().values()):
                assert time.monotonic() < until, party.counts()
                time.sleep(0.01)
    finally:
        for party in parties:
            party.kill()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--build-dir", default="build")
    parser.add_argument("--count", type=int, default=10000)
    arguments = parser.parse_args()
    os.environ["KVFORGE_BUILD"] = os.path.abspath(arguments.build_dir)  # noqa: PTH100
    found = transfer_party.engines()
    for engine in found:
        run(engine, arguments.count, lambda line: print(line, flush=True))
    print(f"{len(found)} passed, 0 failed, 0 skipped")


if __name__ == "__main__":
    main()
