"""Staging memory in slots. A slot is free, held, or in quarantine: held by nobody, but a late write may
still hit it."""

from __future__ import annotations

import time
from typing import Any

from kvforge.transfer.messages import Slot
from kvforge.transfer.staging import HostStaging, Staging


class Ring:
    """Slots of `slot_bytes` bytes. Each time that a slot is taken it has a new generation, so that what
    was meant for an earlier life of it is recognised. Not for several threads."""

    def __init__(self, slots: int, slot_bytes: int, staging: Staging | None = None) -> None:
        if slots < 1 or slot_bytes < 1024 or slot_bytes % 1024:
            raise ValueError(f"slots: {slots} of {slot_bytes} bytes, want multiples of 1024")
        self.slots, self.slot_bytes = slots, slot_bytes
        self.staging = staging or HostStaging()
        self.memory: Any = self.staging.map(slots * slot_bytes)
        self._free = list(range(slots))
        self._generation = 0
        self._held: dict[int, int] = {}
        self._quarantined: dict[int, tuple[int, object, float]] = {}

    def take(self) -> Slot | None:
        """A free slot, or None: the one that was given back last, whose bytes caches still hold."""
        if not self._free:
            return None
        slot = self._free.pop()
        self._generation += 1
        self._held[slot] = self._generation
        return Slot(slot, self._generation)

    def bytes_of(self, slot: Slot, count: int) -> Any:
        """The first bytes of a slot."""
        start = slot.slot * self.slot_bytes
        return self.memory[start : start + count]

    def give_back(self, slot: Slot) -> None:
        """Of what is held: nothing can write to it any more."""
        if self._held.get(slot.slot) == slot.generation:
            del self._held[slot.slot]
            self._free.append(slot.slot)

    def quarantine(self, slot: Slot, owner: object) -> None:
        """Of what is held, but where the owner, a link, may still write."""
        if self._held.get(slot.slot) == slot.generation:
            del self._held[slot.slot]
            self._quarantined[slot.slot] = (slot.generation, owner, time.monotonic())

    def drained(self, slot: Slot, owner: object) -> None:
        """The owner has written to this slot for the last time."""
        generation, held_by, _ = self._quarantined.get(slot.slot, (0, None, 0.0))
        if generation == slot.generation and held_by is owner:
            del self._quarantined[slot.slot]
            self._free.append(slot.slot)

    def closed(self, owner: object) -> None:
        """The owner cannot write any more at all."""
        for slot, (generation, held_by, _) in list(self._quarantined.items()):
            if held_by is owner:
                self.drained(Slot(slot, generation), owner)

    def oldest(self, owner: object) -> float | None:
        """Since when, on time.monotonic()'s clock, the owner has kept a slot in quarantine."""
        since = [at for _, held_by, at in self._quarantined.values() if held_by is owner]
        return min(since, default=None)

    @property
    def counts(self) -> dict[str, int]:
        """How many slots are free, held and in quarantine."""
        return {
            "free": len(self._free),
            "held": len(self._held),
            "quarantined": len(self._quarantined),
        }
