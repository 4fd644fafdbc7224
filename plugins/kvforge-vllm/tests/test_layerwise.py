"""The connector with layerwise: a prompt's layers go while it is computed."""

from __future__ import annotations

from conftest import require

require(__name__)

import functools
import socket
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from test_connector import COUNT, D_BLOCKS, P_BLOCKS, Engine, bytes_of, moved, until
from test_connector import engines as engines  # a fixture
from test_connector import request as plain

from kvforge_vllm.connector import KvforgeConnector

HALF = 20  # tokens of the first of two steps


def request(name: str, params: dict[str, Any] | None, computed: int = 0, token: int = 7) -> Any:
    """What the connector reads of a Request that is under way."""
    found = plain(name, params)
    found.num_computed_tokens, found.num_preemptions, found.max_tokens = computed, 0, 1
    found.prompt_token_ids = [token] * COUNT
    return found


def read(engine: Engine, name: str = "cmpl-1-0-0123abcd") -> Any:
    """A prompt that another engine will want."""
    found = request(name, {"do_remote_decode": True, "do_remote_prefill": False})
    engine.scheduler.on_new_request(found)
    return found


def scheduled(of: Any, tokens: int, *blocks: list[int]) -> Any:
    """The scheduler's output of a step with so many tokens of a request."""
    return SimpleNamespace(
        num_scheduled_tokens={of.request_id: tokens, "another": 1},
        kv_connector_block_state=SimpleNamespace(
            resolve_block_ids=lambda name: {of.request_id: blocks or (P_BLOCKS,)}[name]
        ),
    )


def wait(engine: Engine, *blocks: list[int], token: int = 7, **params: Any) -> Any:
    """A request that the router sends at the same time as the other engine's, as for NIXL's push mode."""
    address = {"remote_host": "127.0.0.1", "remote_port": 1, **params}
    found = request(
        "cmpl-1-0-FFFF0000", {"do_remote_prefill": True, "remote_request_id": "1", **address}
    )
    found.prompt_token_ids = [token] * COUNT
    engine.scheduler.on_new_request(found)
    assert engine.scheduler.get_num_new_matched_tokens(found, 0) == (COUNT, True)
    allocated = SimpleNamespace(get_block_ids=lambda: blocks or (D_BLOCKS,))
    engine.scheduler.update_state_after_alloc(found, allocated, COUNT)
    return found


def at(engine: Engine) -> dict[str, Any]:
    """What a router knows of an engine."""
    address = engine.worker._carrier.address
    assert address is not None
    return {"remote_host": address.host, "remote_port": address.port}


def write(engine: Engine, name: str) -> None:
    """The layer's rows, as the model computes them."""
    bytes_of(engine.memory[name])[:, :-64] ^= 0x11


def came(engine: Engine, other: Engine, name: str) -> bool:
    return bool((bytes_of(engine.memory[name]) == moved(other, engine, name, 0)).all())


def finish(engine: Engine, of: Any) -> dict[str, Any]:
    """What the router is told."""
    kept, params = engine.scheduler.request_finished_all_groups(of, (P_BLOCKS,))
    assert kept and params is not None and engine.scheduler.has_pending_push_work()
    return dict(params)


@pytest.mark.parametrize(
    "caches",
    [{}, {"kv_cache_dtype": "int8_per_token_head"}, {"mla": "bfloat16", "indexed": True}],
    ids=str,
)
def test_layers_go_while_the_next_are_computed(engines: Any, caches: Any) -> None:
    """Of a prompt in two parts, to an engine that has asked before. Of the last layer nothing is told."""
    prefill, decode = (engines(size, layerwise=True, **caches) for size in (4, 16))
    wait(decode, **at(prefill))
    until(lambda: bool(decode.worker._carrier._arrivals), decode)
    prompt = read(prefill)

    def nothing() -> None:
        for name in prefill.names:
            prefill.worker.wait_for_layer_load(name)
            prefill.worker.save_kv_layer(name, prefill.memory[name], None)

    prefill.step(scheduled(prompt, HALF), nothing)
    prompt.num_computed_tokens = HALF
    assert not prefill.worker._carrier._prefills

    def forward() -> None:
        for number, name in enumerate(prefill.names[:-1]):
            write(prefill, name)
            prefill.worker.save_kv_layer(name, prefill.memory[name], None)
            prefill.worker.save_kv_layer("a layer of others", prefill.memory[name], None)
            until(functools.partial(came, decode, prefill, name), decode)
            for later in decode.names[number + 1 :]:
                assert (bytes_of(decode.memory[later]) == decode.before[later]).all()
        write(prefill, prefill.names[-1])
        assert not decode.received

    prefill.step(scheduled(prompt, COUNT - HALF), forward)
    until(lambda: bool(decode.received), decode)
    for _ in range(3):  # the scheduler takes it that what is sent has finished
        prefill.step(scheduled(prompt, 0))
    assert not prefill.sent
    prompt.num_computed_tokens = COUNT
    params = finish(prefill, prompt)
    assert params["remote_num_tokens"] == COUNT
    until(lambda: bool(prefill.sent), prefill)
    assert prefill.sent == {prompt.request_id} and not decode.invalid and not decode.failed
    for name in decode.names:
        assert came(decode, prefill, name), name
    assert not prefill.scheduler.has_pending_push_work()
    assert not prefill.scheduler._handover._prefills and not prefill.scheduler._handover._early


@pytest.mark.parametrize("layerwise", [False, True])
def test_a_router_that_asks_one_after_the_other(engines: Any, layerwise: bool) -> None:
    """What the first engine says is enough for the second, whatever its own option."""
    prefill, decode = engines(4, layerwise=True), engines(16, layerwise=layerwise)
    prompt = read(prefill)
    prefill.step(scheduled(prompt, COUNT))
    waits = wait(decode, **finish(prefill, prompt))
    assert waits.kv_transfer_params["remote_request_id"].startswith("cmpl-1-0/")
    until(lambda: bool(decode.received and prefill.sent), prefill, decode)
    for name in decode.names:
        assert came(decode, prefill, name)


@pytest.mark.parametrize("how", ["aborted", "preempted"])
def test_a_prompt_whose_blocks_are_gone(engines: Any, how: str) -> None:
    """In front of the step in which others may have them nothing of it goes any more. One that is computed
    again goes again."""
    prefill, decode = engines(4, layerwise=True), engines(16, layerwise=True, lease=1.0)
    prompt = read(prefill)
    prefill.step(scheduled(prompt, COUNT))
    assert prefill.worker._carrier._prefills
    prompt.num_computed_tokens = COUNT
    if how == "aborted":
        prompt.status.name = "FINISHED_ABORTED"
        kept = prefill.scheduler.request_finished_all_groups(prompt, (P_BLOCKS,))
        assert kept == (False, None)
    else:
        prompt.num_preemptions, prompt.num_computed_tokens = 1, 0

    def others() -> None:
        assert not prefill.worker._carrier._prefills
        assert not prefill.worker._carrier._endpoint._exchange.offers

    prefill.step(scheduled(prompt, 0), others)
    assert not prefill.sent and not prefill.scheduler.has_pending_push_work()
    wait(decode, **at(prefill))
    if how == "preempted":
        prefill.step(scheduled(prompt, COUNT))
        finish(prefill, prompt)
    until(lambda: bool(decode.received), decode, prefill)
    assert decode.invalid == (set(D_BLOCKS) if how == "aborted" else set())
    for name in decode.names:
        assert came(decode, prefill, name) == (how == "preempted")
    until(lambda: prefill.sent == ({prompt.request_id} if how == "preempted" else set()), prefill)


@pytest.mark.parametrize(("layers", "chunks"), [(True, 2), (1, 2), (2, 1), (5, 1)])
def test_chunks_of_several_layers(engines: Any, layers: int, chunks: int) -> None:
    """Where those of one would be small."""
    prefill, decode = engines(4, layerwise=True), engines(16, layerwise=layers)
    prompt = read(prefill)
    wait(decode, **at(prefill))
    prefill.step(scheduled(prompt, COUNT))
    until(lambda: bool(decode.received), decode)
    stats = decode.worker.get_kv_connector_stats()
    assert stats is not None and stats.data["received_chunks"] == [chunks]
    for name in decode.names:
        assert came(decode, prefill, name)


def test_a_window(engines: Any) -> None:
    """Of its group what the last tokens look at goes; blocks in front are null."""
    options: dict[str, Any] = {"windows": (None, 9), "layerwise": True}
    prefill, decode = engines(4, **options), engines(16, **options)
    prompt, theirs, mine = read(prefill), [0] * 5 + [7, 2, 8, 14, 17], [0, 8, 10]
    wait(decode, D_BLOCKS, mine, **at(prefill))

    def forward() -> None:
        for name in prefill.names[2:]:  # groups' layers take turns in a model
            write(prefill, name)
            prefill.worker.save_kv_layer(name, prefill.memory[name], None)
            want = prefill.rows(name, theirs, COUNT - 8)
            until(lambda: (decode.rows(name, mine, COUNT - 8) == want).all(), decode)  # noqa: B023
        assert not decode.received

    prefill.step(scheduled(prompt, COUNT, P_BLOCKS, theirs), forward)
    until(lambda: bool(decode.received), decode)
    assert not decode.failed
    for name in prefill.names[:2]:
        np.testing.assert_array_equal(decode.rows(name, D_BLOCKS), prefill.rows(name, P_BLOCKS))


def test_a_step_that_fails(engines: Any) -> None:
    """Layers that it has not written do not go, though vLLM ends the step as ever."""
    prefill, decode = engines(4, layerwise=True), engines(16, layerwise=True, lease=1.5)
    prompt = read(prefill)
    first, last = prefill.names

    def forward() -> None:
        wait(decode, **at(prefill))
        prefill.worker.save_kv_layer(first, prefill.memory[first], None)
        until(lambda: came(decode, prefill, first), decode)
        raise RuntimeError("of the model")

    try:
        prefill.step(scheduled(prompt, COUNT), forward)
    except RuntimeError:
        prefill.worker.wait_for_save()
    until(lambda: bool(decode.received), decode)
    assert decode.invalid == set(D_BLOCKS)
    assert (bytes_of(decode.memory[last]) == decode.before[last]).all()


def test_what_is_no_prompt_of_both(engines: Any) -> None:
    """An id that comes again with other tokens names another prompt. A request that goes on behind its
    prompt, and one that has no tokens to name it by, go when they have finished."""
    prefill, decode = engines(4, layerwise=True), engines(16, layerwise=True, lease=1.0)
    prompt = read(prefill)
    wait(decode, token=8, **at(prefill))
    prefill.step(scheduled(prompt, COUNT))
    until(lambda: bool(decode.received), decode)
    assert decode.invalid == set(D_BLOCKS)
    for change in ({"max_tokens": 2}, {"prompt_token_ids": None}):
        other = request("p", {"do_remote_decode": True})
        vars(other).update(change)
        prefill.scheduler.on_new_request(other)
        prefill.step(scheduled(other, COUNT))
        assert "p" not in prefill.worker._carrier._prefills
        other.num_computed_tokens = COUNT
        params = finish(prefill, other)
        assert params["remote_request_id"] == "p"
        decode.received.clear()
        wait(decode, **params)
        until(lambda: bool(decode.received and "p" in prefill.sent), decode, prefill)
        assert all(came(decode, prefill, name) for name in decode.names)
        prefill.sent.clear()
    nameless = request("d", {"do_remote_prefill": True, **at(prefill)})
    nameless.prompt_token_ids = None
    assert decode.scheduler.get_num_new_matched_tokens(nameless, 0) == (0, False)


def test_ranks_at_ports_that_routers_know(engines: Any) -> None:
    """The first one's, and those behind it; an engine beside this one has those behind its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options: dict[str, Any] = {"layerwise": True, "port": port}
    ranks = [engines(4, heads=(head, head + 1), **options) for head in range(2)]
    assert [at(each)["remote_port"] for each in ranks] == [port, port + 1]
    ranks[0].config.parallel_config.data_parallel_index = 1
    assert ranks[0].worker._carrier._port() == port + 2
    decode = engines(16, layerwise=True)
    prompts = [read(each) for each in ranks]
    wait(decode, remote_port=port, tp_size=2, pp_size=1)
    for engine, prompt in zip(ranks, prompts, strict=True):
        engine.step(scheduled(prompt, COUNT))
    until(lambda: bool(decode.received), decode)
    assert not decode.invalid
    for name in decode.names:
        want = np.concatenate([each.rows(name, P_BLOCKS) for each in ranks], 1)
        np.testing.assert_array_equal(decode.rows(name, D_BLOCKS), want)


def test_what_vllm_is_told(engines: Any) -> None:
    assert KvforgeConnector.requires_piecewise_for_cudagraph({"layerwise": True})
    assert not KvforgeConnector.requires_piecewise_for_cudagraph({})
    engine = engines(4, layerwise=True)
    prompt = read(engine)
    with pytest.raises(NotImplementedError, match=r"layerwise, of a vLLM before 0\.33"):
        engine.scheduler.build_connector_meta(SimpleNamespace(num_scheduled_tokens={}))
    engine.scheduler.request_finished(prompt, [])
    engine.config.parallel_config.use_ubatching = True
    with pytest.raises(NotImplementedError, match="layerwise with steps in several microbatches"):
        KvforgeConnector(engine.config, engine.scheduler.role, engine.cache)
