"""The hello's way: one JSON text each way over a TCP connection, each preceded by its length."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

from kvforge.transfer.errors import BadMessage, DeadlineExceeded, PeerLost

_LENGTH = struct.Struct("<I")
_LONGEST = 16 << 20  # bytes


def exchange(connection: socket.socket, mine: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Sends one hello and returns the other, within `deadline` seconds. DeadlineExceeded, PeerLost or
    BadMessage."""
    until = time.monotonic() + deadline
    connection.settimeout(deadline)
    text = json.dumps(mine, sort_keys=True, separators=(",", ":")).encode()
    try:
        connection.sendall(_LENGTH.pack(len(text)) + text)
        (length,) = _LENGTH.unpack(_receive(connection, _LENGTH.size, until))
        if length > _LONGEST:
            raise BadMessage("hello: bytes", length, f"at most {_LONGEST}")
        found = json.loads(_receive(connection, length, until))
    except TimeoutError:
        raise DeadlineExceeded("a hello", deadline) from None
    except OSError as error:
        raise PeerLost("(no hello)", str(error)) from None
    except (ValueError, RecursionError) as error:
        raise BadMessage("hello", error, "JSON") from None
    if not isinstance(found, dict):
        raise BadMessage("hello", type(found).__name__, "an object")
    return found


def _receive(connection: socket.socket, count: int, until: float) -> bytes:
    """So many bytes. TimeoutError at `until` on time.monotonic()'s clock, however they drip."""
    parts = bytearray()
    while len(parts) < count:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(count - len(parts))
        if not part:
            raise ConnectionError("the connection ended in the hello")
        parts += part
    return bytes(parts)
