"""Kills and stops of processes in the middle of transfers, seeded.

    python3 tests/python/transfer_faults.py --build-dir=build --seeds=200

One of two or four processes is killed or stopped at an event of its choice. What is left must have its
error within the deadline, each chunk's rows new or as they were, or where it is atomic all of a
transfer's, all slots back, and no byte in its staging memory after the link was cut; then a new peer's
transfer must succeed.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

sys.dont_write_bytecode = True

import transfer_pages
import transfer_party
from transfer_pages import Side
from transfer_party import Died, Failed, Party, expected

LAYERS, COUNT, BLOCK = 3, 640, 64  # ten chunks of 64 tokens
_LANDED = ["landed", "checked", "half-unpacked", "unpacked", "ack"]
# What happens where. Events that are half are soon after those beside them.
EVENTS = {
    ("push", "sender"): ["hello", "credit", "pack", "posted", "half-sent"],
    ("push", "receiver"): ["hello", "want", *_LANDED],
    ("pull", "sender"): ["hello", "credit", "pack", "lent", "half-lent"],
    ("pull", "receiver"): ["hello", "want", "read", "half-read", *_LANDED],
}
_HALF = {
    **{"half-sent": "posted", "half-lent": "lent"},
    **{"half-read": "read", "half-unpacked": "checked"},
}
ACTIONS = ["kill", "stop", "pause"]
_SILENCE, _DEADLINE = 3.0, 5.0
_TYPED = {"PeerLost", "DeadlineExceeded", "PeerRefused"}


@dataclass(frozen=True)
class Case:
    """Who is hit, when and how."""

    seed: int
    engine: str
    mode: str
    ranks: int  # of senders, and of receivers
    role: str
    event: str
    number: int
    action: str
    by_layer: bool
    atomic: bool

    @staticmethod
    def of(seed: int, engines: list[str]) -> Case:
        """All events and actions in turn, and the rest by chance."""
        random = np.random.default_rng(seed)
        events = [(mode, role, event) for mode, role in EVENTS for event in EVENTS[mode, role]]
        round_, turn = divmod(seed, len(events))
        mode, role, event = events[turn]
        action = ACTIONS[(round_ + turn) % len(ACTIONS)]
        once = event in ("hello", "want", "credit")
        number = 1 if once else int(random.integers(1, 9))
        engine = engines[int(random.integers(len(engines)))]
        ranks, by_layer = int(random.integers(1, 3)), bool(random.integers(2))
        atomic = not by_layer and bool(random.integers(2))
        return Case(seed, engine, mode, ranks, role, event, number, action, by_layer, atomic)

    @property
    def fault(self) -> tuple[str, int, int, float]:
        event = _HALF.get(self.event, self.event)
        delay = np.random.default_rng(self.seed).uniform(1e-4, 3e-3) if event != self.event else 0.0
        return (
            event,
            self.number,
            signal.SIGKILL if self.action == "kill" else signal.SIGSTOP,
            delay,
        )


class Run:
    """One case: parties, and what is to be true of those that are left."""

    def __init__(self, case: Case, pool: list[Party]) -> None:
        self.case, self.pool = case, pool
        heads = 4
        self.sides = []
        for role in range(2):
            for rank in range(case.ranks):
                share = heads // case.ranks
                own = (0, heads) if role else (rank * share, (rank + 1) * share)
                order, block, blocks = (("LPBNHD", 16, 42), ("BLPHND", 48, 15))[role]
                self.sides.append(
                    Side(
                        *(order, block, blocks),
                        heads=own,
                        total_heads=heads,
                        rank=rank,
                        wire={"wire_block": BLOCK},
                    )
                )
        while len(pool) < len(self.sides):
            pool.append(Party())
        self.victim = (0 if case.role == "sender" else case.ranks) + case.seed % case.ranks
        # Who only pauses is to be waited for, on a machine with other work too.
        self.silence = _SILENCE * (4 if case.action == "pause" else 1)
        self.share = heads // case.ranks
        # Room for one wire block of what one sender has for one receiver, and not for two.
        self.slot_bytes = BLOCK * LAYERS * 2 * self.share * 16 * 2
        self.ring = COUNT // BLOCK * case.ranks if case.atomic else 4

    def open(self, number: int, faulty: bool) -> Any:
        self.pool[number].open(
            {"kv": (self.sides[number], number)},
            fault=self.case.fault if faulty else None,
            engine=self.case.engine,
            slots=self.ring,
            slot_bytes=self.slot_bytes,
            deadline=_DEADLINE,
            ping=self.silence / 8,
            silence=self.silence,
        )

    def slots(self, number: int) -> Any:
        return transfer_pages.slots(self.sides[number], COUNT, 100 + number)

    def __call__(self) -> str:
        """What became of the transfer: "whole", or the error's type."""
        ranks = self.case.ranks
        everybody = range(2 * ranks)
        for number in everybody:
            self.open(number, number == self.victim)
        for number in range(ranks):
            self.pool[number].put("kv", LAYERS, self.slots(number), self.case.seed)
        outcomes = self.transfer(faulty=True)
        found = "whole"
        for number in everybody:
            kind = outcomes.get(number, "whole")
            assert kind == "whole" or kind in _TYPED or number == self.victim, (number, kind)
            if number != self.victim:
                found = kind if kind != "whole" else found
        if self.case.action == "pause":
            assert found == "whole", outcomes
        for number in everybody:
            if number != self.victim:
                self.check_pages(number, outcomes.get(number, "whole"))
        self.check_slots([number for number in everybody if number != self.victim])
        self.recover()
        return found

    def transfer(self, faulty: bool) -> dict[int, str]:
        """Everybody's part of it; the error's type for those that had one."""
        ranks, outcomes = self.case.ranks, {}
        deadline = _DEADLINE if faulty and self.case.action != "pause" else 60.0
        started = time.monotonic()

        def attempt(number: int, call: str, *arguments: Any, **options: Any) -> Any:
            if number in outcomes:
                return None
            try:
                self.pool[number].begin(call, *arguments, **options)
                return self.answer(number)
            except Failed as failed:
                outcomes[number] = failed.kind
            except Died:
                outcomes[number] = "died"
            return None

        addresses = []
        for number in range(ranks):
            options: dict[str, Any] = {
                "readers": ranks,
                "deadline": deadline,
                "by_layer": self.case.by_layer,
            }
            attempt(number, "offer", "key", self.slots(number), **options)
            addresses.append(attempt(number, "listen"))
        for number in range(ranks, 2 * ranks):
            peers = []
            for address in addresses:
                peers.append(attempt(number, "connect", address))
            options = {"deadline": deadline, "by_layer": self.case.by_layer, "mode": self.case.mode}
            options["atomic"] = self.case.atomic
            attempt(number, "fetch", peers, "key", self.slots(number), **options)
        for layer in range(LAYERS) if self.case.by_layer else ():
            for number in range(ranks):
                attempt(number, "ready", "key", f"layer.{layer}")
        for number in range(ranks, 2 * ranks):
            attempt(number, "result", "key", deadline + 5)
        for number in range(ranks):
            attempt(number, "result", "key", deadline + 5)
        took = time.monotonic() - started
        assert took < 3 * deadline + 10, f"{took:.1f} s, {outcomes}"
        assert faulty or not outcomes, outcomes
        return outcomes

    def answer(self, number: int) -> Any:
        """Of a call; meanwhile a process that is to pause goes on after a while."""
        until, stopped = time.monotonic() + 90.0, 0.0
        while time.monotonic() < until:
            try:
                return self.pool[number].end(0.02)
            except Died as died:
                if "no answer after" not in str(died):
                    raise
            victim = self.pool[self.victim]
            if victim.process.is_alive() and victim.stopped:
                stopped = stopped or time.monotonic()
                if self.case.action == "pause" and time.monotonic() - stopped > _SILENCE / 4:
                    os.kill(victim.pid, signal.SIGCONT)
                elif self.case.action == "stop" and number == self.victim:
                    raise Died("stopped")
        raise AssertionError(f"{self.case}: process {number} does not come back")

    def check_pages(self, number: int, kind: str) -> None:
        """Rows of a chunk are all new or all old, and what is in no chunk is as it was."""
        side, ranks = self.sides[number], self.case.ranks
        if number < ranks:
            rows = transfer_pages.model(side, LAYERS, COUNT, self.case.seed)
            assert self.pool[number].digest("kv") == expected(
                side, number, self.slots(number), rows
            )
            return
        rows = transfer_pages.part(side, transfer_pages.model(side, LAYERS, COUNT, self.case.seed))[
            0
        ]
        got, slots = self.pool[number].rows("kv", self.slots(number))[0], self.slots(number)
        old = transfer_pages.make(side, number)
        before = old.rows(slots)[0]
        if self.case.atomic:
            assert (got == rows).all() or (got == before).all(), (self.case, "half of it")
        # A slot has room for a wire block of all layers, or for as many of one as there are layers.
        tokens, layers = (LAYERS * BLOCK, 1) if self.case.by_layer else (BLOCK, LAYERS)
        for first, layer, head in itertools.product(
            range(0, COUNT, tokens), range(0, LAYERS, layers), range(0, 4, self.share)
        ):
            heads = slice(head, head + self.share)
            which = np.s_[layer : layer + layers, :, first : first + tokens, heads]
            new = (got[which] == rows[which]).all()
            assert new or (got[which] == before[which]).all(), (self.case, first)
            assert new or kind != "whole", (self.case, first)
        old.put(slots, [got])
        assert self.pool[number].digest("kv") == old.digest(), f"{self.case}: other rows changed"

    def check_slots(self, left: list[int]) -> None:
        """All are free again, once links are cut."""
        until = time.monotonic() + 3 * self.silence + _DEADLINE
        want = {"free": self.ring, "held": 0, "quarantined": 0}
        for number in left:
            while any(ring != want for ring in self.pool[number].counts().values()):
                assert time.monotonic() < until, (self.case, self.pool[number].counts())
                time.sleep(0.02)

    def recover(self) -> None:
        """A victim that was stopped goes on, and its late bytes reach nobody; a new process takes its
        place, and all arrives."""
        victim = self.pool[self.victim]
        left = [number for number in range(2 * self.case.ranks) if number != self.victim]
        before = [self.pool[number].staging() for number in left]
        if victim.process.is_alive():
            with contextlib.suppress(ProcessLookupError):  # it may be on its way out
                os.kill(victim.pid, signal.SIGCONT)
            time.sleep(0.2)
        if self.case.action != "pause":
            assert before == [self.pool[number].staging() for number in left], "late bytes"
        victim.kill()
        self.pool[self.victim] = Party()
        self.open(self.victim, False)
        for number in range(self.case.ranks):
            self.pool[number].put("kv", LAYERS, self.slots(number), self.case.seed)
        self.transfer(faulty=False)
        for number in range(self.case.ranks, 2 * self.case.ranks):
            rows = transfer_pages.model(self.sides[number], LAYERS, COUNT, self.case.seed)
            want = expected(self.sides[number], number, self.slots(number), rows)
            assert self.pool[number].digest("kv") == want, self.case
        for number in range(2 * self.case.ranks):
            self.pool[number].close()


def run(seeds: range, engines: list[str], say: Any) -> Counter[str]:
    """How often each event was hit; AssertionError with the case where something is not as it must be."""
    pool: list[Party] = []
    hit: Counter[str] = Counter()
    try:
        for seed in seeds:
            case = Case.of(seed, engines)
            started = time.monotonic()
            outcome = Run(case, pool)()
            hit[f"{case.mode} {case.role} {case.event} {case.action}"] += 1
            say(f"{case}: {outcome}, {time.monotonic() - started:.1f} s")
    finally:
        for party in pool:
            party.kill()
    return hit


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--build-dir", default="build")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    os.environ["KVFORGE_BUILD"] = os.path.abspath(arguments.build_dir)  # noqa: PTH100
    engines = transfer_party.engines()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    hit = run(seeds, engines, lambda line: print(line, flush=True))
    for name in sorted(hit):
        print(f"{hit[name]:4} {name}")
    print(f"{arguments.seeds} passed, 0 failed, 0 skipped")


if __name__ == "__main__":
    main()
