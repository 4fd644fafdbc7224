"""What an endpoint knows of another one: the hello, the link, and what is under way with it."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kvforge.transfer import messages
from kvforge.transfer.engine import Link
from kvforge.transfer.errors import BadMessage, Incompatible
from kvforge.transfer.layout import Group, Shape
from kvforge.transfer.messages import Slot
from kvforge.transfer.receiver import Receiving, Stream
from kvforge.transfer.sender import Sending


@dataclass(frozen=True)
class Hello:
    """Canonical JSON over the side channel, one each way. `address` is the engine's own."""

    name: str
    engine: str
    address: bytes
    slots: int
    slot_bytes: int
    groups: tuple[Shape, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "magic": messages.MAGIC.decode(),
            "version": messages.VERSION,
            "name": self.name,
            "engine": self.engine,
            "address": base64.b64encode(self.address).decode(),
            "staging": {"slots": self.slots, "slot_bytes": self.slot_bytes},
            "groups": [shape.to_json() for shape in self.groups],
        }

    @staticmethod
    def from_json(values: dict[str, Any]) -> Hello:
        """BadMessage for what is no hello of this version."""
        known = messages.MAGIC.decode(), messages.VERSION
        if (values.get("magic"), values.get("version")) != known:
            got = values.get("magic"), values.get("version")
            raise BadMessage("hello: magic and version", got, known)
        try:
            found = Hello(
                str(values["name"]),
                str(values["engine"]),
                base64.b64decode(values["address"]),
                int(values["staging"]["slots"]),
                int(values["staging"]["slot_bytes"]),
                tuple(Shape.from_json(shape) for shape in values["groups"]),
            )
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise BadMessage("hello", repr(error), "name, engine, address, groups") from None
        if found.slots < 1 or found.slot_bytes < 1024 or found.slot_bytes % 1024:
            size = f"{found.slots} of {found.slot_bytes} bytes"
            raise BadMessage("hello: slots", size, "some, of multiples of 1024 bytes")
        return found

    def check(self, engine: str, groups: Iterable[Shape]) -> None:
        """Incompatible, with all that differs, if nothing can go to and fro."""
        found = []
        if self.engine != engine:
            found.append(f"engine {engine} here and {self.engine} there")
        theirs = {shape.name: shape for shape in self.groups}
        mine = {shape.name: shape for shape in groups}
        for name in mine.keys() & theirs.keys():
            found += mine[name].differences(theirs[name])
        if not mine.keys() & theirs.keys():
            found.append(f"groups {sorted(mine)} here and {sorted(theirs)} there")
        if found:
            raise Incompatible(*found)


@dataclass(eq=False)
class Peer:
    """A peer that has said hello and is not lost. Of the endpoint's thread."""

    hello: Hello
    link: Link
    heard: float = field(default_factory=time.monotonic)
    pinged: float = 0.0
    sendings: dict[int, Sending] = field(default_factory=dict)
    streams: dict[int, tuple[Receiving, Stream]] = field(default_factory=dict)
    # Wants for what is not offered yet: transfer, key, limit, part, mode.
    wants: list[tuple[int, str, int, Any, str]] = field(default_factory=list)
    # Reads of fetches that have ended, by ticket: slots here in quarantine.
    late: dict[int, Slot] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.hello.name

    def group(self, name: str, groups: Mapping[str, Group]) -> Group:
        """The group of this name here, which the peer has too."""
        if name not in groups or not self.has(name):
            raise BadMessage("want: group", name, f"one of {sorted(groups)} on both sides")
        return groups[name]

    def has(self, name: str) -> bool:
        """Whether it has a group of this name."""
        return any(shape.name == name for shape in self.hello.groups)

    def shape(self, name: str) -> Shape:
        """Its own shape of a group that it has."""
        return self.hello.groups[self.index(name)]

    def index(self, name: str) -> int:
        return [shape.name for shape in self.hello.groups].index(name)

    def check_slots(self, slots: list[Slot]) -> None:
        """BadMessage for slots that its ring does not have."""
        for slot in slots:
            if slot.slot >= self.hello.slots:
                raise BadMessage("credit: slot", slot.slot, f"less than {self.hello.slots}")
