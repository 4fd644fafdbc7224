"""Processes with endpoints of kvforge.transfer, which do what the test tells them, one call at a time."""

from __future__ import annotations

import concurrent.futures
import contextlib
import ctypes
import functools
import hashlib
import importlib.util
import os
import signal
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import transfer_pages
from conftest import forks
from transfer_pages import Side

ENVIRONMENT = {"UCX_TLS": "tcp,self", "NIXL_LOG_LEVEL": "FATAL"}


def engines() -> list[str]:
    """Those that there are here."""
    nixl = any(importlib.util.find_spec(name) for name in ("nixl", "nixl_cu12", "nixl_cu13"))
    return ["nixl"] * nixl + ["gloo"]


class Died(Exception):
    """The process is gone, or does not answer."""


class Failed(Exception):
    """What a call raised there: the type's name, and the text."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        super().__init__(f"{kind}: {text}")


class Party:
    """A process of a test. `party.offer(...)` calls `_Body.offer` there and returns what it returns."""

    def __init__(self, environment: Mapping[str, str] = ENVIRONMENT, namespace: str = "") -> None:
        self._pipe, theirs = forks().Pipe()
        self.process = forks().Process(
            target=_serve, args=(theirs, dict(environment), namespace), daemon=True
        )
        self.process.start()
        theirs.close()
        self.pid = self.process.pid or 0

    def __getattr__(self, call: str) -> Any:
        return lambda *arguments, **options: self.call(call, arguments, options)

    def call(
        self, call: str, arguments: tuple[Any, ...], options: dict[str, Any], patience: float = 60.0
    ) -> Any:
        self.begin(call, *arguments, **options)
        return self.end(patience)

    def begin(self, call: str, *arguments: Any, **options: Any) -> None:
        """A call whose answer is taken later."""
        try:
            self._pipe.send((call, arguments, options))
        except OSError:
            raise Died(call) from None

    def end(self, patience: float = 60.0) -> Any:
        try:
            if not self._pipe.poll(patience):
                raise Died(f"no answer after {patience} s")
            kind, value = self._pipe.recv()
        except (EOFError, OSError):
            raise Died("no answer") from None
        if kind:
            raise Failed(kind, value)
        return value

    @property
    def stopped(self) -> bool:
        """Whether SIGSTOP has reached it."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return False  # dead
        return stat.rpartition(")")[2].split()[0] == "T"

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self._pipe.close()


class _Body:
    """What runs in the process."""

    def __init__(self) -> None:
        self.transfers: dict[str, Any] = {}

    def open(
        self, sides: dict[str, tuple[Side, int]], fault: Any = None, host: str = "", **options: Any
    ) -> None:
        """An endpoint with a group for each side; pages are random, by the seed beside it."""
        from kvforge import transfer

        self.sides = {name: side for name, (side, _) in sides.items()}
        self.pages = {name: transfer_pages.make(*values) for name, values in sides.items()}
        groups = []
        for name, side in self.sides.items():
            layers = range(side.layers[1] - side.layers[0])
            views = [
                [view[layer, plane] for plane in range(side.planes) for layer in layers]
                for view in self.pages[name].views
            ]
            groups.append(
                transfer.Group(
                    name,
                    views[0],
                    layers=[f"layer.{side.layers[0] + layer}" for layer in layers],
                    dtype=side.dtype,
                    model="m",
                    total_heads=side.total_heads,
                    first_head=side.heads[0],
                    rank=side.rank,
                    page_scales=[view[..., 0] for view in views[1]] if side.scales else (),
                    **side.wire,
                )
            )
        self.seen: dict[str, int] = {}
        self.fault = fault
        self.address: tuple[str, int] | None = None
        if host and options["engine"] == "gloo":
            from kvforge.transfer.gloo_engine import GlooEngine

            options["engine"] = functools.partial(GlooEngine, host=host)
        if options["engine"] == "nixl READ":
            from kvforge.transfer.nixl_engine import NixlEngine

            options["engine"] = functools.partial(NixlEngine, one_sided=True)
        self.endpoint = transfer.Endpoint("test", groups, on_event=self._event, **options)

    def _event(self, event: str) -> None:
        """Dies or stops where the test wants it: at the n-th event of its kind, or shortly after."""
        self.seen[event] = self.seen.get(event, 0) + 1
        if self.fault is None:
            return
        wanted, number, signal_number, delay = self.fault
        if event == wanted and self.seen[event] == number:
            if delay:
                threading.Thread(target=self._later, args=(delay, signal_number)).start()
            else:
                os.kill(os.getpid(), signal_number)

    @staticmethod
    def _later(delay: float, signal_number: int) -> None:
        time.sleep(delay)
        os.kill(os.getpid(), signal_number)

    def events(self) -> dict[str, int]:
        return self.seen

    def name(self) -> str:
        return str(self.endpoint.name)

    def listen(self, host: str = "127.0.0.1") -> tuple[str, int]:
        self.address = self.address or self.endpoint.listen(host)
        return self.address

    def connect(self, address: tuple[str, int]) -> str:
        return self.endpoint.connect(*address)

    def wait_for_peers(self, count: int, timeout: float | None = None) -> list[str]:
        return self.endpoint.wait_for_peers(count, timeout)

    def put(self, group: str, layers: int, slots: Any, seed: int) -> None:
        """Of the model with this seed, its own part, as tokens 0, 1, ... in these slots."""
        side = self.sides[group]
        rows = transfer_pages.model(side, layers, len(slots), seed)
        self.pages[group].put(slots, transfer_pages.part(side, rows))

    def put_layer(self, group: str, layers: int, slots: Any, seed: int, layer: int) -> None:
        """The same, of one of the model's layers, if it is here."""
        side = self.sides[group]
        first, end = side.layers
        if first <= layer < end:
            rows = transfer_pages.part(side, transfer_pages.model(side, layers, len(slots), seed))
            for view, values in zip(self.pages[group].views, rows, strict=True):
                only = view[layer - first : layer - first + 1]
                transfer_pages.Pages([], [only]).put(
                    slots, [values[layer - first : layer - first + 1]]
                )

    def ready(self, key: str, layer: str) -> None:
        self.transfers[key].ready(layer)

    def wait_for_layer(self, key: str, layer: str, timeout: float = 30.0) -> None:
        self.transfers[key].wait_for_layer(layer, timeout)

    def offer(self, key: str, slots: Any, **options: Any) -> None:
        self.transfers[key] = self.endpoint.offer(key, slots, **options)

    def fetch(self, peers: list[str], key: str, slots: Any, **options: Any) -> None:
        self.transfers[key] = self.endpoint.fetch(peers, key, slots, **options)

    def result(self, key: str, timeout: float = 30.0) -> dict[str, float]:
        return dict(vars(self.transfers[key].result(timeout)))

    def abort(self, key: str) -> None:
        self.transfers[key].abort()

    def digest(self, group: str) -> str:
        return self.pages[group].digest()

    def rows(self, group: str, slots: Any) -> list[Any]:
        return self.pages[group].rows(slots)

    def memory(self, group: str) -> list[Any]:
        return self.pages[group].memory

    def staging(self) -> str:
        return hashlib.sha256(self.endpoint._incoming.memory).hexdigest()

    def spoil(self, slot: int) -> None:
        """A byte of a slot of the incoming ring."""
        self.endpoint._incoming.memory[slot * self.endpoint._incoming.slot_bytes] ^= 1

    def counts(self) -> dict[str, dict[str, int]]:
        return self.endpoint.counts()

    def close(self) -> None:
        self.endpoint.close()

    def resident(self) -> int:
        """KiB of memory that this process has."""
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4

    def descriptors(self) -> int:
        """Files, sockets and pipes that this process has open."""
        return len(list(Path("/proc/self/fd").iterdir()))

    def many_offers(self, count: int, slots: Any, abort: int) -> None:
        """One after the other; each `abort`-th may have lost its reader before it came."""
        for number in range(count):
            transfer = self.endpoint.offer(f"key {number}", slots)
            if number % abort == abort - 1:
                with contextlib.suppress(concurrent.futures.TimeoutError):
                    transfer.exception(0.2)
                transfer.abort()
            else:
                transfer.result(60.0)

    def many_fetches(self, peer: str, count: int, slots: Any, abort: int) -> None:
        """Those of the other side, by push and pull in turns; each `abort`-th is aborted, wherever it is
        by then."""
        for number in range(count):
            mode = "pull" if (number // abort + number) % 2 else "push"
            transfer = self.endpoint.fetch(peer, f"key {number}", slots, mode=mode)
            if number % abort == abort - 1:
                transfer.abort()
                transfer.exception(60.0)
            else:
                transfer.result(60.0)


def _enter(namespace: str) -> None:
    """Makes a network namespace this process's, and /sys tell of its interfaces, as ip netns exec does."""
    libc = ctypes.CDLL(None, use_errno=True)
    net, mounts, slave_all, detach = 0x40000000, 0x20000, 0x4000 | 0x80000, 2

    def check(result: int, what: str) -> None:
        if result:
            raise OSError(ctypes.get_errno(), f"{what} {namespace}")

    with Path(f"/run/netns/{namespace}").open() as handle:
        check(libc.setns(handle.fileno(), net), "setns")
    check(libc.unshare(mounts), "unshare")
    check(libc.mount(b"", b"/", b"none", slave_all, None), "mount /")
    libc.umount2(b"/sys", detach)
    check(libc.mount(namespace.encode(), b"/sys", b"sysfs", 0, None), "mount /sys")


def _serve(pipe: Connection, environment: dict[str, str], namespace: str) -> None:
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if namespace:
        _enter(namespace)
    body = _Body()
    while True:
        try:
            call, arguments, options = pipe.recv()
        except EOFError:
            os._exit(0)
        try:
            answer: tuple[str, Any] = ("", getattr(body, call)(*arguments, **options))
        except Exception as error:
            answer = (type(error).__name__, str(error))
        pipe.send(answer)


def expected(side: Side, seed: int, slots: Any, rows: list[Any]) -> str:
    """The digest of pages of this seed that got the model's rows, by indexing."""
    pages = transfer_pages.make(side, seed)
    pages.put(slots, transfer_pages.part(side, rows))
    return pages.digest()


def tokens(rows: list[Any], first: int, count: int) -> list[Any]:
    """Some tokens of rows."""
    return [np.asarray(each[:, :, first : first + count]) for each in rows]
