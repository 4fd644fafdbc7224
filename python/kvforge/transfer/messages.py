"""The notes that peers send each other, little-endian, and the hello before them.

Every note begins with magic, version, kind and the transfer's number. A chunk's note is 64 bytes and the
XXH3-64 sums of its units of UNIT bytes; its digest is that of the sums, padded with zeros to UNIT / 16.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from kvforge.ops import _C_cache_ops as ops
from kvforge.transfer.errors import BadMessage

MAGIC, VERSION = b"KVFT", 3
UNIT = 16384
MODES = ("push", "pull")  # the sender writes, or the receiver reads
PING, WANT, READY, CREDIT, CHUNK, ACK, FAIL, DRAINED, BYE, RELEASE, RENEW = range(1, 12)
# Of a pull: a chunk's note without its bytes, and that they were read.
LENT, RETURNED = range(12, 14)

_HEAD = struct.Struct("<4sHHQ")
_READY = struct.Struct("<I")
_SLOT = struct.Struct("<IIQ")  # a number or 0, slot, generation
_CHUNK = struct.Struct("<4sHHQIIBBBxHHIIIIQQ")
_TEXT = 4000  # bytes of what is said about a failure


@dataclass(frozen=True)
class Note:
    """A note whose body is not yet read."""

    kind: int
    transfer: int
    body: bytes


@dataclass(frozen=True)
class Slot:
    """A slot of a ring in one of its lives, of the receiver's but for what is lent and returned; `chunk`
    counts in notes of kind ACK and RETURNED alone."""

    slot: int
    generation: int
    chunk: int = 0


@dataclass(frozen=True)
class Header:
    """What a chunk's note says of the bytes that it follows: all but slot, generation and digest is what
    both sides have computed of the part."""

    transfer: int
    chunk: int
    chunks: int
    group: int
    layout: int
    dtype: int
    first_layer: int
    layers: int
    first: int
    count: int
    slot: int
    bytes: int
    generation: int
    digest: int


def note(kind: int, transfer: int = 0, body: bytes = b"") -> bytes:
    """A note of any kind. PING and BYE have no body."""
    return _HEAD.pack(MAGIC, VERSION, kind, transfer) + body


def parse(data: bytes) -> Note:
    """BadMessage for what this version does not know."""
    if len(data) < _HEAD.size:
        raise BadMessage("note: bytes", len(data), f"at least {_HEAD.size}")
    magic, version, kind, transfer = _HEAD.unpack_from(data)
    if magic != MAGIC:
        raise BadMessage("note: magic", magic, MAGIC)
    if version != VERSION:
        raise BadMessage("note: version", version, VERSION)
    if not PING <= kind <= RETURNED:
        raise BadMessage("note: kind", kind, f"{PING} to {RETURNED}")
    return Note(kind, transfer, data[_HEAD.size :])


def want(transfer: int, key: str, part: dict[str, Any], limit: int, mode: str) -> bytes:
    """`limit`: bytes of a chunk at most. `mode`: one of MODES."""
    return note(WANT, transfer, json.dumps([key, limit, part, mode], sort_keys=True).encode())


def parse_want(body: bytes) -> tuple[str, int, Any, str]:
    """The key, the limit, what plan.Part.from_json() reads and the mode; BadMessage for what is none."""
    try:
        key, limit, part, mode = json.loads(body)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadMessage("want", error, "a key, a limit, a part and a mode") from None
    if type(key) is not str or type(limit) is not int or limit < 1024:
        raise BadMessage("want", (key, limit), "a key and at least 1024 bytes")
    if type(part) is not dict:
        raise BadMessage("want", type(part).__name__, "a part of a group")
    if mode not in MODES:
        raise BadMessage("want: mode", mode, f"one of {MODES}")
    return key, limit, part, mode


def ready(transfer: int, chunks: int) -> bytes:
    """So many chunks of what is wanted are there, the first ones: grant slots."""
    return note(READY, transfer, _READY.pack(chunks))


def parse_ready(body: bytes, chunks: int) -> int:
    """The chunks that are there, of so many; BadMessage for what is no such number."""
    if len(body) != _READY.size:
        raise BadMessage("ready: bytes", len(body), _READY.size)
    (found,) = _READY.unpack(body)
    if found > chunks:
        raise BadMessage("ready: chunks", found, f"at most {chunks}")
    return int(found)


def with_slots(kind: int, transfer: int, slots: list[Slot]) -> bytes:
    """A note of kind CREDIT, ACK, DRAINED or RETURNED."""
    body = b"".join(_SLOT.pack(slot.chunk, slot.slot, slot.generation) for slot in slots)
    return note(kind, transfer, body)


def parse_slots(body: bytes) -> list[Slot]:
    """The slots of a note of with_slots(); BadMessage for half of one."""
    if len(body) % _SLOT.size:
        raise BadMessage("slots: bytes", len(body), f"a multiple of {_SLOT.size}")
    return [Slot(slot, generation, chunk) for chunk, slot, generation in _SLOT.iter_unpack(body)]


def release(key: str, readers: int) -> bytes:
    """The sender of it reads no more of an offer, which ends when so many have said so."""
    return note(RELEASE, 0, json.dumps([key, readers]).encode())


def renew(key: str) -> bytes:
    """The sender of it will still read an offer."""
    return note(RENEW, 0, json.dumps([key, 0]).encode())


def parse_key(body: bytes) -> tuple[str, int]:
    """The key of a note of kind RELEASE or RENEW, and the readers; BadMessage for what is none."""
    try:
        key, readers = json.loads(body)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadMessage("release", error, "a key and a number") from None
    if type(key) is not str or type(readers) is not int or readers < 0:
        raise BadMessage("release", (key, readers), "a key and a number of readers")
    return key, readers


def fail(transfer: int, reason: str) -> bytes:
    """The end of a transfer, with the reason; either side says so."""
    return note(FAIL, transfer, reason.encode()[:_TEXT])


def chunk(header: Header, sums: Any, kind: int = CHUNK) -> bytes:
    """A chunk's note: the header, and the sums as int64. Of kind LENT it names a slot of the sender's
    ring, from which the receiver is to read; the two kinds are all that tells the rings apart."""
    packed = _CHUNK.pack(MAGIC, VERSION, kind, *dataclasses.astuple(header))
    return packed + bytes(sums.astype("<i8").tobytes())


def parse_chunk(data: Note) -> tuple[Header, Any]:
    """The header and the sums, int64; BadMessage if they do not belong together."""
    size = _CHUNK.size - _HEAD.size
    if len(data.body) < size:
        raise BadMessage("chunk: bytes", len(data.body), f"at least {size}")
    whole = _HEAD.pack(MAGIC, VERSION, data.kind, data.transfer) + data.body[:size]
    header = Header(*_CHUNK.unpack(whole)[3:])
    if (len(data.body) - size) % 8:
        raise BadMessage("chunk: bytes of sums", len(data.body) - size, "a multiple of 8")
    sums = np.frombuffer(data.body, "<i8", offset=size).astype(np.int64)
    if len(sums) != -(-header.bytes // UNIT):
        raise BadMessage("chunk: sums", len(sums), -(-header.bytes // UNIT))
    if digest(sums) != header.digest:
        raise BadMessage("chunk: digest", f"{header.digest:016x}", f"{digest(sums):016x}")
    return header, sums


def sums_of(wire: Any) -> Any:
    """int64: XXH3-64 of each unit of a wire buffer."""
    found = np.empty(-(-wire.size // UNIT), np.int64)
    ops.kv_checksum(wire, UNIT, found)
    return found


def digest(sums: Any) -> int:
    """Of a chunk's sums, as an unsigned number."""
    padded = np.zeros(max(1024, -(-8 * sums.size // 1024) * 1024) + 16, np.uint8)
    start = -padded.ctypes.data % 16
    padded = padded[start : start + padded.size - 16]
    padded[: 8 * sums.size] = sums.astype("<i8").view(np.uint8)
    found = np.empty(1, np.int64)
    ops.kv_checksum(padded, padded.size, found)
    return int(found.view(np.uint64)[0])
