"""Pages of the emulated GPU through kvforge.transfer: all memory must be as it is with pages of the CPU.

    KVFORGE_LIBCUDA=... KVF_EMULATOR_HOST_ACCESS=1 python transfer_emulated.py
    ... python transfer_emulated.py nixl      or gloo: between two processes

Work on a stream of that driver runs when somebody waits for it, so what is read too early is old.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import tvm_ffi
from test_transfer_dtypes import COUNT, Side
from transfer_loopback import Loopback

from kvforge import transfer
from kvforge.transfer.cuda_staging import CudaStaging, ManagedTensor, new_capsule

_driver = ctypes.CDLL(os.environ["KVFORGE_LIBCUDA"])
_CODES = {"u": 1, "i": 0, "f": 2}


def _check(name: str, *arguments: Any) -> None:
    assert getattr(_driver, name)(*arguments) == 0, name


def begin() -> None:
    """Makes the device's primary context this thread's."""
    context = ctypes.c_void_p()
    _check("cuInit", 0)
    _check("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
    _check("cuCtxSetCurrent", context)


def on_device(array: Any) -> Any:
    """A copy in the device's memory, which this driver lets NumPy see."""
    address = ctypes.c_uint64()
    _check("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(array.nbytes))
    memory = (ctypes.c_uint8 * array.nbytes).from_address(address.value)
    # In the order in which the array lies in memory, as it may be a permuted view.
    order = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
    dense = np.frombuffer(memory, array.dtype).reshape([array.shape[axis] for axis in order])
    found = dense.transpose(np.argsort(order))
    found[...] = array
    return found


def _bytes(array: Any) -> Any:
    """All memory of an array, in its own order."""
    memory = (ctypes.c_uint8 * array.nbytes).from_address(array.ctypes.data)
    return np.frombuffer(memory, np.uint8)


class View:
    """Part of such a copy, as a library for GPUs would show it."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.itemsize = array, array.shape, array.itemsize

    def __getitem__(self, key: Any) -> View:
        return View(self.array[key])

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)

    def __dlpack__(self, **_: Any) -> Any:
        array = self.array
        bits = 8 * array.itemsize
        shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        strides = (ctypes.c_int64 * array.ndim)(*(s // array.itemsize for s in array.strides))
        code = 4 if array.dtype.name == "bfloat16" else _CODES[array.dtype.kind]
        self.kept = ManagedTensor(
            *(array.ctypes.data, (2, 0), array.ndim, code, bits, 1, shape, strides, 0)
        )
        # For ever: at the end of the process modules may go before the tensor that is made of it.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.kept))
        return new_capsule(ctypes.addressof(self.kept), b"dltensor", None)


def bring(
    source: Side,
    target: Side,
    offers: int | None = None,
    fetches: int | None = None,
    told: int | None = None,
    **options: Any,
) -> transfer.Stats:
    """COUNT tokens from one to the other, in a ring of two slots. Streams of the calls, if they are not
    this thread's, and the one that ready() is asked on."""
    wire = Loopback()
    slots = np.random.default_rng(3).permutation(144)[:COUNT]
    landing = np.random.default_rng(4).permutation(192)[:COUNT]
    with (
        transfer.Endpoint("one", [source.group], engine=wire, slots=2, slot_bytes=16384) as sender,
        transfer.Endpoint("two", [target.group], engine=wire, slots=2, slot_bytes=16384) as other,
    ):
        peer = other.connect(*sender.listen())
        with _on(offers) if offers is not None else contextlib.nullcontext():
            offer = sender.offer("key", slots)
        if told is not None:
            with _on(told):
                options["ready"] = other.ready()
        with _on(fetches) if fetches is not None else contextlib.nullcontext():
            found = other.fetch(peer, "key", landing, **options).result(20)
        offer.result(20)
        want = {"free": 2, "held": 0, "quarantined": 0}
        until = time.monotonic() + 5
        while time.monotonic() < until and other.counts()["incoming"] != want:
            time.sleep(0.001)
        assert other.counts()["incoming"] == want and sender.counts()["outgoing"] == want
    return found


def sides(source: str, target: str, places: tuple[bool, bool]) -> tuple[Side, Side]:
    def made(dtype: str, which: int, *rest: Any) -> Side:
        return Side(dtype, *rest, *((on_device, View) if places[which] else ()))

    return made(source, 0, 16, 9, False, 1), made(target, 1, 48, 4, True, 2)


def pairs() -> None:
    """Either side on the GPU, dtypes that are copied, narrowed, widened, and with scales of rows."""
    for source, target in (
        ("float16", "float16"),
        ("float16", "fp8_e4m3"),
        ("fp8_e4m3", "float32"),
        ("bfloat16", "fp8_per_token_head"),
        ("fp8_per_token_head", "fp8_per_token_head"),
        ("fp8_per_token_head", "float16"),
    ):
        for tail in (False, True):
            here = sides(source, target, (False, False))
            bring(*here, zero_tail=tail)
            all_places = ((True, False), (False, True), (True, True))
            for places, mode in itertools.product(all_places, ("push", "pull")):
                there = sides(source, target, places)
                stats = bring(*there, zero_tail=tail, mode=mode)
                assert stats.chunks > 1
                for one, other in zip(here, there, strict=True):
                    assert one.pages.tobytes() == other.pages.tobytes(), (
                        source,
                        target,
                        places,
                        mode,
                    )
                    for mine, theirs in zip(one.scales, other.scales, strict=True):
                        theirs = getattr(theirs, "array", theirs)
                        assert mine.tobytes() == theirs.tobytes(), (source, target, places)


def order() -> None:
    """Pages that the caller's stream has yet to write are sent as they will be, and pages that it has
    yet to read are not written before: by this thread's stream, or as ready() says."""
    here = sides("float16", "float16", (False, False))
    bring(*here)
    for told in (False, True):
        there = sides("float16", "float16", (True, True))
        written, overwritten = (_bytes(side.pages) for side in there)
        late = on_device(written)
        written[...] = 0
        with _stream() as stream:
            _copy(written, late, stream)
            bring(*there)
        assert there[1].pages.tobytes() == here[1].pages.tobytes()
        overwritten[...] = 1
        old, read = overwritten.copy(), on_device(np.zeros_like(overwritten))
        with _stream() as stream:
            _copy(read, overwritten, stream)
            if not told:
                bring(*there, offers=0)
            else:
                bring(*there, offers=0, fetches=0, told=stream.value or 0)
        _check("cuStreamSynchronize", stream)
        assert read.tobytes() == old.tobytes(), told


def by_layer() -> None:
    """A layer is sent as its stream will have written it when ready() was called, and the next one is not
    waited for."""
    here = sides("float16", "fp8_e4m3", (False, False))
    bring(*here)
    one, two = sides("float16", "fp8_e4m3", (True, True))
    late = on_device(one.pages)
    layers = [[one.pages[plane, layer] for plane in range(2)] for layer in range(2)]
    written = [[late[plane, layer] for plane in range(2)] for layer in range(2)]
    one.pages[...] = 0
    wire = Loopback()
    slots = np.random.default_rng(3).permutation(144)[:COUNT]
    landing = np.random.default_rng(4).permutation(192)[:COUNT]
    with (
        transfer.Endpoint("one", [one.group], engine=wire, slots=2, slot_bytes=16384) as sender,
        transfer.Endpoint("two", [two.group], engine=wire, slots=2, slot_bytes=16384) as other,
        _stream() as stream,
    ):
        peer = other.connect(*sender.listen())
        offer = sender.offer("key", slots, by_layer=True)
        fetch = other.fetch(peer, "key", landing, by_layer=True)
        for number, name in enumerate("ab"):
            for plane in range(2):
                _copy(layers[number][plane], written[number][plane], stream)
            offer.ready(name)
            fetch.wait_for_layer(name, 20)
            for plane in range(2):
                got, want = (side.pages[plane, : number + 1] for side in (two, here[1]))
                assert got.tobytes() == want.tobytes(), (name, plane)
        fetch.result(20)
        offer.result(20)
    assert two.pages.tobytes() == here[1].pages.tobytes()


def _copy(to: Any, source: Any, stream: Any) -> None:
    places = ctypes.c_uint64(to.ctypes.data), ctypes.c_uint64(source.ctypes.data)
    _check("cuMemcpyAsync", *places, ctypes.c_size_t(to.nbytes), stream)


def _on(stream: int) -> Any:
    return tvm_ffi.use_raw_stream(tvm_ffi.device("cuda", 0), stream)


@contextlib.contextmanager
def _stream() -> Iterator[Any]:
    """A stream that is this thread's."""
    stream = ctypes.c_void_p()
    _check("cuStreamCreate", ctypes.byref(stream), 1)
    with _on(stream.value or 0):
        yield stream


def aborted() -> None:
    """Events of transfers that end early are used again: some 40 are made for 160, else more than 200."""
    made = 0
    check = CudaStaging._check

    def counting(self: CudaStaging, name: str, *arguments: Any) -> None:
        nonlocal made
        made += name == "cuEventCreate"
        check(self, name, *arguments)

    CudaStaging._check = counting  # type: ignore[method-assign]
    one, two = sides("float16", "fp8_e4m3", (True, True))
    wire, random = Loopback(), np.random.default_rng(5)
    with (
        transfer.Endpoint("one", [one.group], engine=wire, slots=2, slot_bytes=16384) as sender,
        transfer.Endpoint("two", [two.group], engine=wire, slots=2, slot_bytes=16384) as other,
    ):
        peer = other.connect(*sender.listen())
        for number in range(160):
            layered = number % 2 == 1
            offer = sender.offer(str(number), np.arange(COUNT), by_layer=layered)
            mode = "pull" if number % 4 > 1 else "push"
            fetch = other.fetch(peer, str(number), np.arange(COUNT), by_layer=layered, mode=mode)
            for layer in ("a", "b", "a") if layered else ():
                offer.ready(layer)
            time.sleep(random.random() * 0.01)
            fetch.abort()
            offer.abort()
    CudaStaging._check = check  # type: ignore[method-assign]
    assert made < 100, made


def detached() -> None:
    """Of pages that an endpoint lets go of nothing is left, and what its stream still had to do with them
    is done; in other pages the same arrives."""
    wait, waits = CudaStaging.wait, 0

    def counting(self: CudaStaging) -> None:
        nonlocal waits
        waits += 1
        wait(self)

    slots, wire = np.arange(COUNT), Loopback()
    (one, two), others = (sides("float16", "fp8_per_token_head", (True, True)) for _ in range(2))
    views = [weakref.ref(view) for view in [*one.group.pages, *two.group.page_scales]]
    with (
        transfer.Endpoint("one", [one.group], engine=wire, slots=2, slot_bytes=16384) as sender,
        transfer.Endpoint("two", [two.group], engine=wire, slots=2, slot_bytes=16384) as other,
    ):
        peer = other.connect(*sender.listen())
        sender.offer("before", slots)
        other.fetch(peer, "before", slots).result(20)
        want = digest(two)
        del one, two
        CudaStaging.wait = counting  # type: ignore[method-assign]
        sender.detach()
        other.detach()
        CudaStaging.wait = wait  # type: ignore[method-assign]
        assert waits == 2
        assert not any(view() for view in views)
        sender.attach([others[0].group])
        other.attach([others[1].group])
        sender.offer("after", slots)
        other.fetch(peer, "after", slots).result(20)
        assert digest(others[1]) == want


def refused() -> None:
    """Slots that the op would leave out are refused before, and pages in two places."""
    one, two = sides("float16", "float16", (True, False))
    with transfer.Endpoint("one", [one.group], engine=Loopback()) as endpoint:
        try:
            endpoint.offer("key", [144])
        except IndexError as error:
            assert str(error) == "offer: slots: want -1 to 143, got 144 to 144"
        else:
            raise AssertionError("a slot that there is not")
    two.group.shape = two.group.shape.__class__(**{**vars(two.group.shape), "name": "other"})
    try:
        transfer.Endpoint("both", [one.group, two.group], engine=Loopback())
    except ValueError as error:
        assert "want one" in str(error)
    else:
        raise AssertionError("pages in two places")


CASES = [
    (*dtypes, places)
    for dtypes in (
        ("float16", "float16"),
        ("float16", "fp8_e4m3"),
        ("fp8_per_token_head", "bfloat16"),
    )
    for places in ((True, True), (True, False), (False, True))
]
RING: dict[str, Any] = {"slots": 2, "slot_bytes": 16384}


def send(engine: str) -> None:
    """Each case to another process, whose memory is to be what it is within one, on the CPU."""
    command = [sys.executable, __file__, engine, "receive"]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdin is not None and other.stdout is not None
        for source, target, places in CASES:
            here = sides(source, target, (False, False))
            bring(*here, zero_tail=True)
            one = sides(source, target, places)[0]
            with transfer.Endpoint("one", [one.group], engine=engine, **RING) as endpoint:
                offer = endpoint.offer("key", np.random.default_rng(3).permutation(144)[:COUNT])
                print(json.dumps(endpoint.listen()), file=other.stdin, flush=True)
                offer.result(20)
                found = other.stdout.readline().strip()
            assert found == digest(here[1]), (source, target, places)
        other.stdin.close()
        assert other.wait(20) == 0


def receive(engine: str) -> None:
    """The other process."""
    landing = np.random.default_rng(4).permutation(192)[:COUNT]
    for (source, target, places), line in zip(CASES, sys.stdin, strict=True):
        two = sides(source, target, places)[1]
        with transfer.Endpoint("two", [two.group], engine=engine, **RING) as endpoint:
            peer = endpoint.connect(*json.loads(line))
            stats = endpoint.fetch(peer, "key", landing, zero_tail=True).result(20)
            assert stats.chunks > 1
        print(digest(two), flush=True)


def digest(side: Side) -> str:
    """Of all memory."""
    found = hashlib.sha256(side.pages.tobytes())
    for each in side.scales:
        found.update(getattr(each, "array", each).tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    begin()
    if len(sys.argv) > 2:
        receive(sys.argv[1])
    elif len(sys.argv) > 1:
        send(sys.argv[1])
        print("done")
    else:
        pairs()
        order()
        by_layer()
        aborted()
        detached()
        refused()
        print("done")
