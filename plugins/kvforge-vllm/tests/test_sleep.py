"""Engines that sleep: caches go away and come back, and what is under way ends."""

from __future__ import annotations

from conftest import require

require(__name__)

import threading
import time
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from test_connector import (
    D_BLOCKS,
    LAYERS,
    P_BLOCKS,
    Engine,
    ask,
    bytes_of,
    engines,
    moved,
    until,
)

__all__ = ["engines"]


def hand_over(prefill: Engine, decode: Engine, name: str = "p") -> dict[str, Any]:
    """A request's pages, byte for byte; what the engine that has read it says."""
    decode.before = {name: bytes_of(each).copy() for name, each in decode.memory.items()}
    decode.received.clear()
    prefill.sent.clear()
    params = prefill.finish([P_BLOCKS], name)
    ask(decode, dict(params), [D_BLOCKS], 0)
    until(lambda: decode.received == {"d"} and prefill.sent == {name}, prefill, decode)
    assert not decode.invalid
    for layer in decode.names:
        want = moved(prefill, decode, layer, 0)
        np.testing.assert_array_equal(bytes_of(decode.memory[layer]), want)
    return params


def elsewhere(engine: Engine) -> list[weakref.ref[Any]]:
    """Its caches in other memory, each of an array that is as old as the memory."""
    found = []
    for name, memory in engine.memory.items():
        array = bytes_of(memory).reshape(-1).copy()
        found.append(weakref.ref(array))
        flat = torch.from_numpy(array).view(memory.dtype)
        engine.memory[name] = flat.as_strided(memory.shape, memory.stride())
    return found


def test_caches_that_stay_where_they_are(engines: Any) -> None:
    """As vLLM has it: the same tensors, of memory that has been away, with other content. Nobody says hello
    anew."""
    prefill, decode = engines(4, "fp8"), engines(16, "fp8")
    before = hand_over(prefill, decode)
    peers = decode.worker._carrier._endpoint._exchange.peers
    met = dict(peers)
    for engine in (prefill, decode):
        for _ in range(2):  # to discard and then to sleep is to do it twice
            engine.worker.unregister_kv_caches()
        for memory in engine.memory.values():
            bytes_of(memory)[:] ^= 0x55
        for _ in range(2):
            engine.worker.restore_kv_caches()
        engine.meet()
    after = hand_over(prefill, decode)
    assert peers == met and len(met) == 1
    generation = "remote_registration_generation"
    assert (before.pop(generation), after.pop(generation)) == (1, 2)
    assert before == after


def test_nothing_is_left_of_caches(engines: Any) -> None:
    """An engine that makes other ones registers them."""
    prefill, decode = engines(4, "int8_per_token_head"), engines(16)
    gone = [ref for engine in (prefill, decode) for ref in elsewhere(engine)]
    for engine in (prefill, decode):
        engine.worker.register_kv_caches(engine.memory)
        engine.meet()
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], 0)
    until(lambda: bool(decode.received and prefill.sent), prefill, decode)
    assert not decode.invalid
    for engine in (prefill, decode):
        elsewhere(engine)
    assert all(ref() is not None for ref in gone)
    for engine in (prefill, decode):
        engine.worker.unregister_kv_caches()
    assert [ref() for ref in gone] == [None] * 2 * LAYERS
    for engine in (prefill, decode):
        with pytest.raises(
            RuntimeError, match=r"caches that .* are gone: \['layer.0', 'layer.1'\]"
        ):
            engine.worker.restore_kv_caches()
        engine.worker.register_kv_caches(engine.memory)
        engine.meet()
    decode.received.clear()
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], 0)
    until(lambda: bool(decode.received), prefill, decode)
    assert not decode.invalid


def test_other_caches_are_refused(engines: Any) -> None:
    """The peers were told of blocks of 4."""
    engine = engines(4)
    engine.worker.unregister_kv_caches()
    other = {name: torch.cat([each, each], 2) for name, each in engine.memory.items()}
    with pytest.raises(ValueError, match="block_size was 4 and is 8"):
        engine.worker.register_kv_caches(other)
    engine.worker.restore_kv_caches()


def test_pages_that_wait_are_given_up(engines: Any) -> None:
    """Who asks for them later has no answer up to its deadline, and those of afterwards are there."""
    prefill, decode = engines(4), engines(16, lease=0.5)
    params = prefill.finish([P_BLOCKS])
    prefill.worker.unregister_kv_caches()
    began = time.monotonic()
    until(lambda: prefill.sent == {"p"}, prefill)
    assert time.monotonic() - began < 9  # and not its lease
    late = prefill.finish([P_BLOCKS], "late")  # which its scheduler has decided on before
    until(lambda: not prefill.scheduler.has_pending_push_work(), prefill)
    for each in (params, late):
        ask(decode, each, [D_BLOCKS], 0)
        until(lambda: bool(decode.received), prefill, decode)
        assert decode.invalid == set(D_BLOCKS)
        decode.received.clear()
        decode.invalid.clear()
    prefill.worker.restore_kv_caches()
    hand_over(prefill, decode, "new")


def test_what_was_to_come_fails(engines: Any) -> None:
    """Before the other engine has answered: its blocks are not what they were to be."""
    prefill, decode = engines(4), engines(16)
    params = prefill.finish([P_BLOCKS])
    prefill.worker.unregister_kv_caches()
    ask(decode, params, [D_BLOCKS], 0)
    decode.step()
    decode.worker.unregister_kv_caches()
    until(lambda: decode.received == {"d"}, prefill, decode)
    assert decode.invalid == set(D_BLOCKS)
    for name in decode.names:
        np.testing.assert_array_equal(bytes_of(decode.memory[name]), decode.before[name])


def test_a_hello_that_takes_longer_than_the_sleep(engines: Any) -> None:
    """What comes of it is not for the pages of afterwards."""
    prefill, decode = engines(4), engines(16)
    carrier, awake = decode.worker._carrier, threading.Event()
    names = carrier._names

    def slow(source: Any) -> list[str]:
        assert awake.wait(10)
        return list(names(source))

    carrier._names = slow
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], 0)
    decode.step()
    decode.worker.unregister_kv_caches()
    decode.worker.restore_kv_caches()
    awake.set()
    until(lambda: decode.received == {"d"}, prefill, decode)
    assert decode.invalid == set(D_BLOCKS)
    for name in decode.names:
        np.testing.assert_array_equal(bytes_of(decode.memory[name]), decode.before[name])


def test_a_cache_that_is_reset_is_not_handed_over(engines: Any) -> None:
    """At once, and not after its lease; to reset it twice is no harm."""
    prefill = engines(4)
    prefill.finish([P_BLOCKS])
    assert not prefill.sent
    assert prefill.scheduler.reset_cache() is True
    began = time.monotonic()
    until(lambda: prefill.sent == {"p"}, prefill)
    assert time.monotonic() - began < 9
    assert not prefill.scheduler.has_pending_push_work()
    assert prefill.scheduler.reset_cache() is True
    prefill.step()


def test_aborts_come_in_front_of_a_step(engines: Any) -> None:
    """vLLM begins what is to be loaded behind the forward pass, which may take long."""
    prefill, decode = engines(4), engines(16)
    params = prefill.finish([P_BLOCKS])
    prefill.worker.unregister_kv_caches()
    waits = ask(decode, params, [D_BLOCKS], 0)
    decode.step()
    waits.status = SimpleNamespace(name="FINISHED_ABORTED")
    decode.scheduler.request_finished_all_groups(waits, (D_BLOCKS,))
    metadata = decode.scheduler.build_connector_meta(None)

    def come() -> bool:
        decode.worker.handle_preemptions(metadata)
        return bool(decode.worker.get_transfer_results(set()).finished_recving)

    until(come)
    assert not decode.worker.get_block_ids_with_load_errors()


def test_the_older_form_of_results(engines: Any) -> None:
    """Which has no names of requests that failed: of several groups all blocks say so."""
    prefill, decode = (engines(size, windows=(None, 9)) for size in (4, 16))
    params = prefill.finish([P_BLOCKS, [0] * 7 + [8, 14, 17]])
    assert prefill.worker.get_finished(set()) == (set(), set())
    prefill.shutdown()
    ask(decode, params, [D_BLOCKS, [0, 8, 10]], 16)
    metadata = decode.scheduler.build_connector_meta(None)
    decode.worker.bind_connector_metadata(metadata)
    decode.worker.start_load_kv(None)
    until(lambda: decode.worker.get_finished(set()) == (set(), {"d"}))
    assert decode.worker.get_block_ids_with_load_errors() == {*D_BLOCKS[1:], 8, 10}
