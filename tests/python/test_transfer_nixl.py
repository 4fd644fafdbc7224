"""What kvforge.transfer takes for granted of NIXL, and what it must not rely on: why only staging memory is
registered, and why a slot that a late write may hit is nobody's before the agent is destroyed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest
from conftest import forks, require

require("python", __file__)

from transfer_party import engines

if "nixl" not in engines():
    pytest.skip(
        f"{__file__}: no NIXL: pip install --no-deps -r requirements/transfer.txt",
        allow_module_level=True,
    )

MIB = 1 << 20
LARGE = 128 * MIB
PATIENCE = 30.0


class Owner:
    """A process with an agent and memory that it has registered. Calls are those of _Body."""

    def __init__(self, name: str) -> None:
        self._pipe, theirs = forks().Pipe()
        self.process = forks().Process(target=_serve, args=(theirs, name), daemon=True)
        self.process.start()
        theirs.close()
        self.name = name
        self.metadata, self.base = self.answer()

    def __getattr__(self, call: str) -> Any:
        def ask(*arguments: Any) -> Any:
            self.ask(call, *arguments)
            return self.answer()

        return ask

    def ask(self, call: str, *arguments: Any) -> None:
        """A call whose answer is taken later."""
        self._pipe.send((call, arguments))

    def answer(self) -> Any:
        assert self._pipe.poll(PATIENCE), f"{self.name} does not answer"
        failed, answer = self._pipe.recv()
        if failed:
            raise Refused(failed)
        return answer

    def signal(self, number: int) -> None:
        os.kill(self.process.pid or 0, number)

    def bury(self) -> None:
        self.process.kill()
        self.process.join()
        self._pipe.close()


class Refused(Exception):
    """What NIXL raised there."""


class _Body:
    def __init__(self, name: str) -> None:
        from kvforge.transfer.nixl_engine import _import

        self.api, _ = _import()
        self.memory = np.zeros(LARGE, np.uint8)
        self.handles: list[Any] = []
        self.renew(name)

    def renew(self, name: str) -> Any:
        """An agent, in the place of the one before, which is destroyed with its handles."""
        self.handles.clear()
        self.agent: Any = None
        config = self.api.nixl_agent_config(enable_prog_thread=True, capture_telemetry=True)
        self.agent = self.api.nixl_agent(name, config)
        region = [(self.memory.ctypes.data, self.memory.size, 0, "")]
        self.registered = self.agent.register_memory(region, mem_type="DRAM")
        return bytes(self.agent.get_agent_metadata()), self.memory.ctypes.data

    def meet(self, metadata: bytes) -> str:
        return str(self.agent.add_remote_agent(metadata).decode())

    def forget(self, name: str) -> None:
        self.agent.remove_remote_agent(name)

    def known(self, name: str) -> bool:
        return bool(self.agent.check_remote_metadata(name))

    def deregister(self) -> None:
        self.agent.deregister_memory(self.registered)

    def fill(self, value: int) -> None:
        self.memory[:] = value

    def holds(self, value: int, count: int = 0) -> int:
        """Bytes of this value, among the first ones."""
        return int((self.memory[: count or LARGE] == value).sum())

    def touched(self, value: int) -> None:
        """Waits for the first of them."""
        until = time.monotonic() + 10
        while self.memory[4096] != value and time.monotonic() < until:
            time.sleep(1e-4)

    def begin(self, name: str, base: int, pieces: Any, note: bytes, kind: str = "WRITE") -> str:
        """Of pieces (offset here, offset there, bytes)."""
        here = [(self.memory.ctypes.data + at, count, 0) for at, _, count in pieces]
        there = [(base + at, count, 0) for _, at, count in pieces]
        descs = [self.agent.get_xfer_descs(each, mem_type="DRAM") for each in (here, there)]
        handle = self.agent.initialize_xfer(kind, *descs, name, note)
        self.handles.append(handle)
        return str(self.agent.transfer(handle))

    def again(self, note: bytes) -> str:
        return str(self.agent.transfer(self.handles[-1], note))

    def state(self) -> str:
        return str(self.agent.check_xfer_state(self.handles[-1]))

    def end(self, seconds: float = 20.0) -> str:
        """DONE, or how long it is not."""
        until = time.monotonic() + seconds
        while (state := self.state()) == "PROC" and time.monotonic() < until:
            time.sleep(1e-4)
        return state

    def counted(self) -> int:
        """Descriptors of the last transfer."""
        return int(self.agent.get_xfer_telemetry(self.handles[-1]).descCount)

    def release(self) -> None:
        self.agent.release_xfer_handle(self.handles.pop())

    def notify(self, name: str, note: bytes) -> None:
        self.agent.send_notif(name, note)

    def notes(self, count: int, seconds: float = 10.0) -> list[bytes]:
        """So many, or those that have come meanwhile."""
        found: list[bytes] = []
        until = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < until:
            for notes in self.agent.get_new_notifs().values():
                found += notes
            time.sleep(1e-4)
        return found

    def whole(self, value: int, note: bytes) -> bool:
        """Whether all of a write is of this value as soon as the note is seen."""
        return self.notes(1) == [note] and bool((self.memory[: 4 * MIB] == value).all())


def _serve(pipe: Connection, name: str) -> None:
    os.environ.update({"UCX_TLS": "tcp,self", "NIXL_LOG_LEVEL": "FATAL"})
    body = _Body(name)
    pipe.send(("", (bytes(body.agent.get_agent_metadata()), body.memory.ctypes.data)))
    while True:
        try:
            call, arguments = pipe.recv()
        except EOFError:
            os._exit(0)
        try:
            pipe.send(("", getattr(body, call)(*arguments)))
        except Exception as error:
            pipe.send((type(error).__name__ or "Exception", None))


Both = tuple[Owner, Owner]


@pytest.fixture(scope="module")
def owners() -> Iterator[dict[str, Owner]]:
    found: dict[str, Owner] = {}
    yield found
    for owner in found.values():
        owner.bury()


@pytest.fixture
def both(owners: dict[str, Owner]) -> Both:
    """Who writes, and whose memory it is: with agents that know nothing of the last test's."""
    for name in ("writer", "target"):
        if name not in owners or not owners[name].process.is_alive():
            owners[name] = Owner(name)
        else:
            owners[name].metadata, owners[name].base = owners[name].renew(name)
        owners[name].fill(0)
    owners["writer"].meet(owners["target"].metadata)
    return owners["writer"], owners["target"]


ALL = [(0, 0, 4 * MIB)]


def test_a_note_comes_after_its_bytes(both: Both) -> None:
    """Each time, and a handle may be posted anew with another note."""
    writer, target = both
    assert len(target.metadata) < 1024
    for number in range(1, 21):
        writer.fill(number)
        note = f"note {number}".encode()
        if number == 1:
            writer.begin("target", target.base, ALL, note)
        else:
            writer.again(note)
        writer.ask("end")  # meanwhile
        assert target.whole(number, note)
        assert writer.answer() == "DONE"
    writer.meet(target.metadata)  # the same metadata again
    writer.notify("target", b"n" * MIB)
    assert target.notes(1) == [b"n" * MIB]


def test_who_is_read_has_a_note_once_it_is_over(both: Both) -> None:
    """So that it may overwrite what was read."""
    reader, source = both
    source.fill(7)
    for number in range(1, 6):
        note = f"read {number}".encode()
        reader.fill(0)
        if number == 1:
            reader.begin("target", source.base, ALL, note, "READ")
        else:
            reader.again(note)
        source.ask("notes", 1)  # it answers no read but while it looks at its agent
        assert reader.end() == "DONE"
        assert source.answer() == [note]
        assert reader.holds(7, 4 * MIB) == 4 * MIB


def test_a_read_of_a_peer_that_is_killed(both: Both) -> None:
    """Who reads is told, with a part of the bytes in its own memory: no read goes to pages."""
    reader, source = both
    source.fill(7)
    reader.begin("target", source.base, [(0, 0, 64)], b"", "READ")
    assert reader.end() == "DONE"
    source.signal(signal.SIGSTOP)
    reader.fill(0)
    reader.begin("target", source.base, [(0, 0, LARGE)], b"", "READ")
    assert reader.end(1.0) == "PROC"
    source.signal(signal.SIGKILL)
    with pytest.raises(Refused, match="RemoteDisconnect"):
        reader.end()
    assert reader.holds(7) < LARGE


def test_a_reader_that_is_killed_ends_the_process_that_is_read(both: Both) -> None:
    """Where it has not begun to answer, over TCP: so the engine has bytes written where it might be taken.
    UCX is to be tried anew if this fails."""
    reader, source = both
    for _ in range(5):
        reader.begin("target", source.base, [(0, 0, 64)], b"", "READ")
        assert reader.end() == "DONE"
        source.signal(signal.SIGSTOP)
        reader.begin("target", source.base, ALL, b"", "READ")
        reader.bury()
        time.sleep(0.05)
        source.signal(signal.SIGCONT)
        source.ask("notes", 1, 0.5)
        try:
            source.answer()
        except (EOFError, OSError):
            break
        reader = Owner("reader")
        reader.meet(source.metadata)
    else:
        reader.bury()
        pytest.fail("the process that was read lives")
    source.process.join()
    assert source.process.exitcode == -signal.SIGABRT


@pytest.mark.parametrize("fence", ["release", "agent"])
def test_only_the_end_of_the_agent_ends_a_read(both: Both, fence: str) -> None:
    """The source stops, the reader gives up and uses its memory again, and the source goes on."""
    reader, source = both
    source.fill(7)
    reader.begin("target", source.base, [(0, 0, 64)], b"", "READ")
    assert reader.end() == "DONE"
    source.signal(signal.SIGSTOP)
    reader.begin("target", source.base, [(0, 0, LARGE)], b"", "READ")
    assert reader.end(1.0) == "PROC"
    if fence == "release":
        reader.release()
    else:
        reader.renew("another name")
    reader.fill(0)
    source.signal(signal.SIGCONT)
    source.ask("notes", 1, 1.0)
    reader.notes(1, 1.0)
    with contextlib.suppress(EOFError, OSError):  # see above
        source.answer()
    source.bury()
    came = reader.holds(7)
    assert came > 0 if fence == "release" else came == 0


def test_what_is_refused(both: Both) -> None:
    writer, target = both
    with pytest.raises(Refused, match="NotFound"):
        writer.begin("target", target.base + 2 * LARGE, [(0, 0, 64)], b"")
    with pytest.raises(Refused, match="NotFound"):
        writer.begin("nobody", target.base, [(0, 0, 64)], b"")
    with pytest.raises(Refused, match="Mismatch"):
        writer.meet(b"no metadata")
    other, _ = target.renew("target")
    with pytest.raises(Refused, match="NotAllowed"):
        writer.meet(other)
    writer.forget("target")
    assert writer.meet(other) == "target"


def test_memory_that_is_no_longer_registered_is_written_to(both: Both) -> None:
    """So staging memory stays mapped, and generations and sums keep a slot honest."""
    writer, target = both
    writer.begin("target", target.base, [(0, 0, 64)], b"")
    assert writer.end() == "DONE"
    target.deregister()
    writer.fill(9)
    writer.begin("target", target.base, ALL, b"late")
    assert writer.end() == "DONE"
    assert target.holds(9, 4 * MIB) == 4 * MIB


def test_each_descriptor_is_posted(both: Both) -> None:
    """Neighbours too: the number of chunks is that of the writes."""
    writer, target = both
    writer.begin("target", target.base, [(at, at, 4096) for at in range(0, 64 * 4096, 4096)], b"")
    assert writer.end() == "DONE"
    assert writer.counted() == 64


def test_a_peer_that_is_killed(both: Both) -> None:
    """Who writes to it is told, but not by its metadata; one of the same name may take its place."""
    writer, target = both
    writer.begin("target", target.base, ALL, b"first")
    assert writer.end() == "DONE"
    target.bury()
    with pytest.raises(Refused, match="RemoteDisconnect"):
        writer.begin("target", target.base, ALL, b"")
        writer.end()
    assert writer.known("target")
    with pytest.raises(Refused):
        writer.notify("target", b"note")
    writer.release()
    writer.forget("target")
    heir = Owner("target")
    try:
        writer.fill(5)
        until = time.monotonic() + PATIENCE
        while True:  # right behind the removal it may be refused
            try:
                writer.meet(heir.metadata)
                writer.begin("target", heir.base, ALL, b"again")
                assert writer.end() == "DONE"
                break
            except Refused:
                assert time.monotonic() < until
                time.sleep(0.1)
        assert heir.holds(5, 4 * MIB) == 4 * MIB
    finally:
        heir.bury()


def test_the_passive_side_is_told_nothing(both: Both) -> None:
    writer, target = both
    writer.fill(3)
    writer.begin("target", target.base, [(0, 0, LARGE)], b"all")
    target.touched(3)
    writer.process.kill()
    writer.process.join()
    assert target.notes(1, 1.0) == []
    assert target.holds(3) > 0


@pytest.mark.parametrize("fence", ["nothing", "removal", "agent"])
def test_only_the_end_of_the_agent_keeps_late_bytes_out(both: Both, fence: str) -> None:
    """A writer stops in the middle, the target takes its memory back, and the writer goes on."""
    writer, target = both
    target.meet(writer.metadata)
    writer.fill(3)
    writer.begin("target", target.base, [(0, 0, LARGE)], b"all")
    target.touched(3)
    writer.signal(signal.SIGSTOP)
    time.sleep(0.3)  # what was on its way is there
    came = target.holds(3)
    if came == LARGE:
        pytest.skip("all had come before the writer stopped")
    if fence == "removal":
        target.forget("writer")
    elif fence == "agent":
        target.renew("another name")
    target.fill(0)
    writer.signal(signal.SIGCONT)
    if fence == "agent":
        with pytest.raises(Refused, match="RemoteDisconnect"):
            writer.end()
        time.sleep(0.3)
        assert target.holds(3) == 0
    else:
        assert writer.end() == "DONE"
        assert target.holds(3) > 0


def test_a_peer_that_stops_is_not_told_of(both: Both) -> None:
    """The write stays under way, for as long as one waits, and giving up its handle cancels nothing:
    deadlines are kvforge's own, and a slot that was given up is in quarantine."""
    writer, target = both
    writer.begin("target", target.base, [(0, 0, 64)], b"")
    assert writer.end() == "DONE"
    target.signal(signal.SIGSTOP)
    writer.fill(3)
    writer.begin("target", target.base, [(0, 0, LARGE)], b"all")
    assert writer.end(2.0) == "PROC"
    writer.release()
    target.signal(signal.SIGCONT)
    came, until = target.holds(3), time.monotonic() + 10
    while came < 2 * MIB and time.monotonic() < until:
        time.sleep(0.05)
        came = target.holds(3)
    assert came >= 2 * MIB
