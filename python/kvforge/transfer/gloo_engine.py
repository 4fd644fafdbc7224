"""Bytes by torch.distributed's gloo: for where there is no NIXL, over TCP.

A process group of two for each peer, so that a peer that fails breaks nothing else. Its waits cannot be
polled, so a thread receives and another one sends. A wait that is not over after `silence` seconds closes
the connection: pings come more often.
"""

from __future__ import annotations

import queue
import threading
from datetime import timedelta
from typing import Any

from kvforge.transfer.engine import Link, LinkDown

# Kinds of frames: a note and maybe bytes, the wish for bytes, those, and the end.
_NOTE, _ASK, _ANSWER, _END = range(4)
_Frame = tuple[int, bytes, int, int, int, int]  # kind, note, source, target, bytes, ticket


class GlooEngine:
    """See engine.Engine."""

    name = "gloo"

    def __init__(
        self, name: str, incoming: Any, outgoing: Any, silence: float, host: str = "127.0.0.1"
    ) -> None:
        import torch
        import torch.distributed

        if not torch.distributed.is_gloo_available():
            raise ImportError("kvforge.transfer: this torch has no gloo")
        self._incoming, self._outgoing = torch.from_numpy(incoming), torch.from_numpy(outgoing)
        self._silence, self._host = timedelta(seconds=silence), host

    def open(self, first: bool) -> Link:
        return GlooLink(self._incoming, self._outgoing, self._silence, self._host, int(not first))


class GlooLink:
    """See engine.Link. A frame on the connection is five numbers (kind, bytes of the note, where the payload
    goes or is wanted from, how many bytes it has, ticket), the note and the payload. A read is a wish,
    with the note that is the other side's once it has answered."""

    def __init__(
        self, incoming: Any, outgoing: Any, silence: timedelta, host: str, rank: int
    ) -> None:
        import torch.distributed as distributed

        self._incoming, self._outgoing, self._silence = incoming, outgoing, silence
        self._rank, self._peer = rank, 1 - rank
        self._out: queue.SimpleQueue[_Frame | None] = queue.SimpleQueue()
        self._in: queue.SimpleQueue[bytes | LinkDown] = queue.SimpleQueue()
        self._done: set[int] = set()
        self._reads: dict[int, tuple[int, int]] = {}  # by ticket: where to, and how many bytes
        self._tickets = 0
        self._down: LinkDown | None = None
        # Where gloo puts its address and waits for the other's: ours go by way of the hello.
        self._store: Any = distributed.HashStore()
        self._connected = False
        self._threads: list[threading.Thread] = []
        self._start(self._run, host)

    def address(self) -> bytes:
        return bytes(self._store.get(f"0/{self._rank}"))

    def connect(self, address: bytes) -> None:
        self._connected = True
        self._store.set(f"0/{self._peer}", address)

    def _start(self, call: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=call, args=arguments, name="kvforge-gloo", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, host: str) -> None:
        """Connects, has a thread send, and receives."""
        import torch.distributed as distributed

        try:
            options = distributed.ProcessGroupGloo._Options()
            options._devices = [distributed.ProcessGroupGloo.create_device(hostname=host)]
            options._timeout = self._silence
            group = distributed.ProcessGroupGloo(self._store, self._rank, 2, options)
            self._start(self._send, group)
            self._receive(group)
        except RuntimeError as error:
            self._in.put(LinkDown(f"gloo: {str(error).splitlines()[0]}"))
        finally:
            self._out.put(None)

    def _receive(self, group: Any) -> None:
        import torch

        head = torch.zeros(5, dtype=torch.int64)
        while True:
            group.recv([head], self._peer, 0).wait(self._silence)
            kind, length, at, count, ticket = head.tolist()
            if kind == _END:
                return
            if kind == _ANSWER and self._reads.get(ticket, (0, -1))[1] == count:
                at, _ = self._reads.pop(ticket)
            memory = self._outgoing if kind == _ASK else self._incoming
            known = _NOTE <= kind <= _ANSWER and (length > 0) == (kind != _ANSWER)
            if not (known and length < 1 << 26 and 0 <= at <= at + count <= len(memory)):
                raise RuntimeError(f"a frame {kind} of {length} + {count} bytes at {at}")
            note = torch.empty(length, dtype=torch.uint8)
            if length:
                group.recv([note], self._peer, 0).wait(self._silence)
            if kind == _ASK:
                self._out.put((_ANSWER, note.numpy().tobytes(), at, 0, count, ticket))
                continue
            if count:
                payload = self._incoming[at : at + count]
                group.recv([payload], self._peer, 0).wait(self._silence)
            if kind == _NOTE:
                self._in.put(note.numpy().tobytes())
            else:
                self._done.add(ticket)

    def _send(self, group: Any) -> None:
        import torch

        def send(tensor: Any) -> None:
            group.send([tensor], self._peer, 0).wait(self._silence)

        try:
            while frame := self._out.get():
                kind, note, source, target, count, ticket = frame
                length = 0 if kind == _ANSWER else len(note)
                at = source if kind == _ASK else target
                send(torch.tensor([kind, length, at, count, ticket]))
                if length:
                    send(torch.frombuffer(bytearray(note), dtype=torch.uint8))
                if count and kind != _ASK:
                    send(self._outgoing[source : source + count])
                if kind == _ANSWER:
                    self._in.put(note)
                elif kind == _NOTE and count:
                    self._done.add(ticket)
            send(torch.tensor([_END, 0, 0, 0, 0]))
        except RuntimeError as error:
            self._in.put(LinkDown(f"gloo: {str(error).splitlines()[0]}"))

    def post(self, source: int, target: int, count: int, note: bytes) -> int:
        self._check()
        self._tickets += 1
        self._out.put((_NOTE, note, source, target, count, self._tickets))
        return self._tickets

    def read(self, source: int, target: int, count: int, note: bytes) -> int:
        self._check()
        self._tickets += 1
        self._reads[self._tickets] = (target, count)
        self._out.put((_ASK, note, source, target, count, self._tickets))
        return self._tickets

    def done(self, ticket: int) -> bool:
        self._check()
        if ticket not in self._done:
            return False
        self._done.remove(ticket)
        return True

    def notify(self, note: bytes) -> None:
        self._check()
        self._out.put((_NOTE, note, 0, 0, 0, 0))

    def poll(self) -> list[bytes]:
        found: list[bytes] = []
        while self._down is None and not self._in.empty():
            item = self._in.get()
            if isinstance(item, LinkDown):
                self._down = item
            else:
                found.append(item)
        if not found:
            self._check()
        return found

    def _check(self) -> None:
        if self._down is not None:
            raise self._down

    def fence(self) -> None:
        """The end goes out behind what is queued; a peer that is there answers with its own."""
        self._out.put(None)

    def closed(self) -> bool:
        return not (self._connected and any(thread.is_alive() for thread in self._threads))
