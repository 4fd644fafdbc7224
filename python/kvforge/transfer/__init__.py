"""Tokens of a paged KV cache to another process or host, whatever the two sides differ in.

    from kvforge import transfer
    group = transfer.Group("kv", pages, layers=names, dtype="float16", total_heads=8, first_head=0)
    with transfer.Endpoint("decode", [group]) as endpoint:
        peer = endpoint.connect(host, port)
        endpoint.fetch(peer, "request 7", transfer.slots(blocks, 16, 0, 1000)).result()

The two sides may differ in layout, block size, dtype, block count and number of ranks; kv_pack and
kv_unpack do the work, and NIXL (or torch.distributed's gloo) carries the bytes, in chunks of staging
memory that is all the engine ever sees. A chunk's rows are either all unpacked, after its bytes have been
checked, or as they were. Pages are on the CPU or a GPU. docs/moving-caches.md is the guide.
"""

from __future__ import annotations

from kvforge.transfer.endpoint import Endpoint
from kvforge.transfer.errors import (
    Aborted,
    BadMessage,
    DeadlineExceeded,
    Incompatible,
    PeerLost,
    PeerRefused,
    TransferError,
)
from kvforge.transfer.layout import Group, Plane, Shape, slots
from kvforge.transfer.transfer import Stats, Transfer

__all__ = [
    "Aborted",
    "BadMessage",
    "DeadlineExceeded",
    "Endpoint",
    "Group",
    "Incompatible",
    "PeerLost",
    "PeerRefused",
    "Plane",
    "Shape",
    "Stats",
    "Transfer",
    "TransferError",
    "slots",
]
