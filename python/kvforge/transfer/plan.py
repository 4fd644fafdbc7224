"""Who sends what to whom, and in which chunks. Both sides compute it, so a header has no freedom."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kvforge.transfer.errors import BadMessage, Incompatible
from kvforge.transfer.layout import LAYOUTS, Shape


@dataclass(frozen=True)
class Part:
    """What one sender gives one receiver: whole heads of some layers, of tokens first, first + 1, ...

    Heads are numbered as in the model, and tokens as in the request.
    """

    group: str
    layers: tuple[str, ...]
    heads: tuple[int, int]
    first: int
    count: int
    layout: str
    block: int
    heads_per_group: int
    by_layer: int = 0  # all tokens of so many layers before the next ones; 0: of all

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def names(self, chunk: Chunk) -> tuple[str, ...]:
        """The layers of a chunk of it."""
        return self.layers[chunk.first_layer : chunk.first_layer + chunk.layers]

    @staticmethod
    def from_json(values: Any, sender: Shape) -> Part:
        """A part that the sender of this shape has; BadMessage for any other."""
        try:
            part = Part(
                **{
                    **values,
                    "layers": tuple(map(str, values["layers"])),
                    "heads": (int(values["heads"][0]), int(values["heads"][1])),
                }
            )
            numbers = (part.first, part.count, part.block, part.heads_per_group, part.by_layer)
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise BadMessage("want", error, "a part of a group") from None
        if any(type(number) is not int or not 0 <= number < 1 << 31 for number in numbers):
            raise BadMessage("want: numbers", numbers, "0 and more")
        if not part.layers or not set(part.layers) <= set(sender.layers):
            raise BadMessage("want: layers", part.layers, sender.layers)
        if not sender.heads[0] <= part.heads[0] < part.heads[1] <= sender.heads[1]:
            raise BadMessage("want: heads", part.heads, f"some of {sender.heads}")
        if part.layout not in LAYOUTS or part.block < 1:
            raise BadMessage("want: wire", (part.layout, part.block), f"one of {LAYOUTS}")
        return part


@dataclass(frozen=True)
class Chunk:
    """What fills one slot: some of a part's layers, of some of its tokens, counted from its first."""

    number: int
    first_layer: int
    layers: int
    first: int
    count: int
    bytes: int


def chunks(part: Part, row_bytes: int, limit: int) -> list[Chunk]:
    """The part in chunks of at most `limit` bytes, each of whole wire blocks.

    Chunks have all layers if a wire block of all fits, else as many layers as fit, and the first tokens
    come first; by layer they have no more than so many, and the first layers come first. Incompatible
    where a wire block of one layer does not fit.
    """
    heads = part.heads[1] - part.heads[0]

    def block_bytes(layers: int) -> int:
        return -(-layers * part.block * heads * row_bytes // 64) * 64

    layers = min(part.by_layer or len(part.layers), len(part.layers))
    while layers and -(-block_bytes(layers) // 1024) * 1024 > limit:
        layers -= 1
    if not layers:
        raise Incompatible(
            f"group {part.group}: {part.block} tokens of one layer are {block_bytes(1)} bytes, and "
            f"slots have {limit}; take larger slots or a smaller wire_block"
        )
    blocks = limit // 1024 * 1024 // block_bytes(layers)
    tokens = range(0, part.count, blocks * part.block)
    ranges = range(0, len(part.layers), layers)
    cut = [(first, layer) for first in tokens for layer in ranges]
    if part.by_layer:
        cut = [(first, layer) for layer in ranges for first in tokens]
    found: list[Chunk] = []
    for first, layer in cut:
        count = min(blocks * part.block, part.count - first)
        mine = min(layers, len(part.layers) - layer)
        size = -(-count // part.block) * block_bytes(mine)
        found.append(Chunk(len(found), layer, mine, first, count, -(-size // 1024) * 1024))
    return found


def sources(
    receiver: Shape, senders: Mapping[str, Shape], layers: Sequence[str] | None = None
) -> list[tuple[str, tuple[str, ...], tuple[int, int]]]:
    """Which sender gives which layers and heads: (name, layers, heads), each head of each layer once.

    Of senders that hold the same heads of the same layers, the receiver's rank chooses one. Incompatible
    where heads of a layer are with nobody, or with two that do not hold the same.
    """
    wanted = [layer for layer in receiver.layers if layers is None or layer in layers]
    unknown = set(layers or ()) - set(receiver.layers)
    if unknown:
        raise Incompatible(f"group {receiver.name}: no layers {sorted(unknown)} here")
    replicas: dict[tuple[tuple[str, ...], tuple[int, int]], list[str]] = {}
    for name in sorted(senders, key=lambda name: (senders[name].rank, name)):
        replicas.setdefault((senders[name].layers, senders[name].heads), []).append(name)
    found = []
    have = {layer: [0] * receiver.total_heads for layer in wanted}
    for (theirs, (first, end)), names in replicas.items():
        heads = max(first, receiver.heads[0]), min(end, receiver.heads[1])
        mine = tuple(layer for layer in wanted if layer in theirs)
        if heads[0] < heads[1] and mine:
            found.append((names[receiver.rank % len(names)], mine, heads))
        for layer in mine:
            for head in range(*heads):
                have[layer][head] += 1
    for layer, counts in have.items():
        for head in range(*receiver.heads):
            if counts[head] != 1:
                how = "several peers that hold different heads" if counts[head] else "no peer"
                raise Incompatible(f"group {receiver.name}: head {head} of {layer} is with {how}")
    return found
