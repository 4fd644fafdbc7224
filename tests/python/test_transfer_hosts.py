"""kvforge.transfer between network namespaces, which stand for hosts: two and four on one switch, and a
link that goes down in the middle of a transfer."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import require

require("python", __file__)
if importlib.util.find_spec("torch") is None:
    pytest.skip(f"{__file__}: no torch, for gloo", allow_module_level=True)

import transfer_pages
from transfer_pages import Side
from transfer_party import Failed, Party, engines, expected

COUNT, LAYERS = 160, 3
SOURCE, TARGET = Side("LPBNHD", 16, 12), Side("BLPHND", 48, 5)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Hosts:
    """Four namespaces, each with one interface on a switch in a fifth."""

    def __init__(self) -> None:
        self.switch = f"kvf{os.getpid()}s"
        self.names = [f"kvf{os.getpid()}h{number}" for number in range(4)]
        ip("netns", "add", self.switch)
        ip("-n", self.switch, "link", "add", "switch", "type", "bridge")
        ip("-n", self.switch, "link", "set", "switch", "up")
        for number, name in enumerate(self.names):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            peer = ["peer", "name", f"port{number}", "netns", self.switch]
            ip("-n", name, "link", "add", f"host{number}", "type", "veth", *peer)
            ip("-n", name, "addr", "add", f"{self.address(number)}/24", "dev", f"host{number}")
            ip("-n", name, "link", "set", f"host{number}", "up")
            ip("-n", self.switch, "link", "set", f"port{number}", "master", "switch", "up")

    @staticmethod
    def address(number: int) -> str:
        return f"10.209.77.{number + 1}"

    def party(self, number: int) -> Party:
        environment = {
            **{
                "UCX_TLS": "tcp,self",
                "UCX_NET_DEVICES": f"host{number}",
                "NIXL_LOG_LEVEL": "FATAL",
            },
            **{"GLOO_SOCKET_IFNAME": f"host{number}"},
        }
        return Party(environment, self.names[number])

    def cable(self, number: int, state: str) -> None:
        ip("-n", self.switch, "link", "set", f"port{number}", state)

    def remove(self) -> None:
        for name in [*self.names, self.switch]:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    try:
        found = Hosts()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespaces here: {error}")
    yield found
    found.remove()


@pytest.fixture(params=["nixl", "gloo"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param not in engines():
        pytest.skip("no NIXL: pip install --no-deps -r requirements/transfer.txt")
    return str(request.param)


def open_all(hosts: Hosts, sides: list[Side], engine: str, fault: Any = None) -> list[Party]:
    """The fault is the first one's."""
    parties = [hosts.party(number) for number in range(len(sides))]
    options: dict[str, Any] = {"slots": 4, "slot_bytes": 1 << 15, "ping": 0.3, "silence": 3.0}
    for number, (party, side) in enumerate(zip(parties, sides, strict=True)):
        options |= {"engine": engine, "host": hosts.address(number)}
        party.open({"kv": (side, number)}, fault=None if number else fault, **options)
    return parties


@pytest.mark.parametrize("ranks", [1, 2])
def test_from_host_to_host(hosts: Hosts, engine: str, ranks: int) -> None:
    sides = []
    for role in (SOURCE, TARGET):
        for rank in range(ranks):
            heads = (0, 4) if role is TARGET else (rank * 4 // ranks, (rank + 1) * 4 // ranks)
            sides.append(Side(role.order, role.block_size, role.blocks, heads=heads, rank=rank))
    parties = open_all(hosts, sides, engine)
    for number in range(ranks):
        slots = transfer_pages.slots(sides[number], COUNT, 7)
        parties[number].put("kv", LAYERS, slots, 3)
        parties[number].offer("key", slots, readers=ranks)
    addresses = [parties[number].listen(hosts.address(number)) for number in range(ranks)]
    for number in range(ranks, 2 * ranks):
        peers = [parties[number].connect(address) for address in addresses]
        landing = transfer_pages.slots(sides[number], COUNT, 8)
        parties[number].fetch(peers, "key", landing)
    rows = transfer_pages.model(SOURCE, LAYERS, COUNT, 3)
    for number in range(ranks, 2 * ranks):
        parties[number].result("key")
        landing = transfer_pages.slots(sides[number], COUNT, 8)
        assert parties[number].digest("kv") == expected(sides[number], number, landing, rows)
    for party in parties:
        party.close()
        party.kill()


@pytest.mark.parametrize("mode", ["push", "pull"])
def test_a_cable_that_is_pulled(hosts: Hosts, engine: str, mode: str) -> None:
    """Both sides have PeerLost once the other was silent for long enough; who has connected says hello
    anew until the cable is back, and by the name of then all arrives."""
    sender, receiver = open_all(hosts, [SOURCE, TARGET], engine)
    slots = transfer_pages.slots(SOURCE, COUNT, 7)
    landing = transfer_pages.slots(TARGET, COUNT, 8)
    sender.put("kv", LAYERS, slots, 3)
    address = sender.listen(hosts.address(0))
    peer = receiver.connect(address)
    try:
        hosts.cable(0, "down")
        started = time.monotonic()
        sender.offer("key", slots)
        with pytest.raises(Failed, match="PeerLost"):
            receiver.fetch([peer], "key", landing, mode=mode)
            receiver.result("key")
        assert time.monotonic() - started < 25  # and not the deadline
        digest = transfer_pages.make(TARGET, 1).digest()
        assert receiver.digest("kv") == digest
    finally:
        hosts.cable(0, "up")
    until = time.monotonic() + 20
    while any(ring["free"] != 4 for ring in receiver.counts().values()):
        assert time.monotonic() < until
        time.sleep(0.05)
    # The switch learns where everybody is; until then a link that has come may fail again.
    until = time.monotonic() + 30
    while True:
        try:
            assert receiver.wait_for_peers(1, 30.0) == [peer]
            sender.offer("again", slots)
            receiver.fetch([peer], "again", landing, mode=mode)
            receiver.result("again")
            break
        except Failed as failed:
            assert failed.kind in ("PeerLost", "DeadlineExceeded"), failed
            assert time.monotonic() < until, failed
    rows = transfer_pages.model(SOURCE, LAYERS, COUNT, 3)
    assert receiver.digest("kv") == expected(TARGET, 1, landing, rows)
    for party in (receiver, sender):
        party.close()
        party.kill()


@pytest.mark.parametrize("mode", ["push", "pull"])
def test_a_cable_that_is_pulled_in_between(hosts: Hosts, engine: str, mode: str) -> None:
    """The sender stops behind its third chunk of six, and has no cable when it goes on: both sides have
    PeerLost, and chunks are whole or as they were."""
    event = {"push": "posted", "pull": "lent"}[mode]
    fault = (event, 3, signal.SIGSTOP, 0.0)
    sender, receiver = open_all(hosts, [SOURCE, TARGET], engine, fault)
    slots = transfer_pages.slots(SOURCE, COUNT, 7)
    landing = transfer_pages.slots(TARGET, COUNT, 8)
    sender.put("kv", LAYERS, slots, 3)
    sender.offer("key", slots)
    peer = receiver.connect(sender.listen(hosts.address(0)))
    receiver.fetch([peer], "key", landing, mode=mode)
    try:
        until = time.monotonic() + 20
        while not sender.stopped:
            assert time.monotonic() < until
            time.sleep(0.001)
        hosts.cable(0, "down")
        os.kill(sender.pid, signal.SIGCONT)
        started = time.monotonic()
        for party in (receiver, sender):
            with pytest.raises(Failed, match="PeerLost"):
                party.result("key")
        assert time.monotonic() - started < 25
    finally:
        hosts.cable(0, "up")
    pages = transfer_pages.make(TARGET, 1)
    old = pages.rows(landing)[0]
    rows = transfer_pages.model(SOURCE, LAYERS, COUNT, 3)[0]
    got = receiver.rows("kv", landing)[0]
    came = 0
    for first in range(0, COUNT, 64):
        for layers in (slice(0, 2), slice(2, 3)):  # of a chunk
            which = (layers, slice(None), slice(first, first + 64))
            new = bool((got[which] == rows[which]).all())
            assert new or (got[which] == old[which]).all(), (first, layers)
            came += new
    assert came < 6
    pages.put(landing, [got])
    assert receiver.digest("kv") == pages.digest()
    for party in (sender, receiver):
        party.kill()
