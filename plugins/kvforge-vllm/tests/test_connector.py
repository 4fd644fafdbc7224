"""The connector between two engines of this process, as vLLM's scheduler and worker call it.

Pages are compared with indexing in NumPy; that vLLM itself runs so is shown by engine/handed_over.py.
"""

from __future__ import annotations

from conftest import require

require(__name__)

import inspect
import pickle
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from vllm.config import set_current_vllm_config
from vllm.distributed.kv_transfer.kv_connector.factory import KVConnectorFactory
from vllm.distributed.kv_transfer.kv_connector.v1.base import (
    KVConnectorBase_V1,
    KVConnectorRole,
    SupportsHMA,
)
from vllm.v1.kv_cache_interface import (
    FullAttentionSpec,
    MLAAttentionSpec,
    SparseCacheRole,
    UniformTypeKVCacheSpecs,
)
from vllm.v1.metrics.cache_hit_source import CacheHitSource

import kvforge_vllm
from kvforge_vllm.backend import KvforgeImpl
from kvforge_vllm.connector import KvforgeConnector
from kvforge_vllm.groups import specs_of

HEADS, D, LAYERS, BLOCKS = 2, 16, 2, 20
COUNT = 37  # tokens of the prompt


def kvforge(block_size: int, kv_cache_dtype: str, heads: int, window: int | None) -> Any:
    """The spec, what attends, and content of a head's row, of a layer with kvforge's backend."""
    content = {"auto": 2 * D * 4, "int8_per_token_head": 2 * (D + 4), "fp8": 2 * D}
    content |= {"int4_per_token_head": 2 * (D // 2 + 4), "nvfp4": 2 * (D // 2 + D // 16)}
    dtype = torch.float32 if kv_cache_dtype == "auto" else torch.uint8
    sizes = {"block_size": block_size, "num_kv_heads": heads, "head_size": D}
    spec = FullAttentionSpec(
        **sizes,
        head_size_v=D,
        dtype=dtype,
        state_content_bytes=content[kv_cache_dtype],
        sliding_window=window,
    )
    impl = KvforgeImpl(HEADS, D, 1.0, heads, kv_cache_dtype=kv_cache_dtype)
    return spec, SimpleNamespace(impl=impl, _k_scale_float=0.25, _v_scale_float=0.5)


MLA: dict[str, Any] = {"block_size": 4, "num_kv_heads": 1, "head_size": 576, "dtype": torch.uint8}


def latent(block_size: int, cache: str) -> Any:
    """The same of MLA, whatever attends: what the cache is called, or what vLLM's auto is."""
    packed = {"fp8_ds_mla": 656, "nvfp4_ds_mla": 352}.get(cache)
    sizes = {**MLA, "block_size": block_size, "dtype": getattr(torch, cache, torch.uint8)}
    name = "auto" if hasattr(torch, cache) else cache
    spec = MLAAttentionSpec(**sizes, cache_dtype_str=name, state_content_bytes=packed)
    return spec, SimpleNamespace(impl=object(), _k_scale_float=0.25)


def indexer(block_size: int) -> Any:
    """The same of DeepSeek V3.2's indexer."""
    sizes = {**MLA, "block_size": block_size, "head_size": 132}
    spec = MLAAttentionSpec(**sizes, cache_role=SparseCacheRole.INDEXER)
    return spec, SimpleNamespace()


def filled(random: Any, spec: Any) -> torch.Tensor:
    """A layer's memory of finite numbers, with 64 bytes between blocks."""
    shape = (BLOCKS, spec.num_kv_heads, spec.block_size, spec.state_content_size_bytes)
    block = int(np.prod(shape[1:])) + 64
    values = torch.from_numpy(random.standard_normal(BLOCKS * block // spec.dtype.itemsize))
    values = values.to(spec.dtype if spec.dtype.is_floating_point else torch.float32)
    memory = values.view(torch.uint8)[: BLOCKS * block].clone()
    strides = (block, *np.cumprod(shape[:1:-1])[::-1].tolist(), 1)
    return memory.as_strided(shape, strides).view(spec.dtype)


def bytes_of(memory: torch.Tensor) -> Any:
    """All of a layer's memory, blocks one by one."""
    flat = torch.empty(0, dtype=torch.uint8).set_(memory.untyped_storage()).numpy()
    return flat.reshape(BLOCKS, -1)


def places(spec: Any, kv_cache_dtype: str, row: int, head: int) -> list[slice]:
    """Where in a block's bytes a head of the token in this row is."""
    heads, tokens, width = spec.num_kv_heads, spec.block_size, spec.state_content_size_bytes
    at = head * tokens + row
    parts = [(0, width)]
    if getattr(spec, "cache_role", None) == SparseCacheRole.INDEXER:
        parts = [(0, 128), (tokens * 128, 4)]
    elif kv_cache_dtype == "nvfp4":
        codes, scales = heads * tokens * D // 2, heads * tokens * D // 16
        parts = [(0, D // 2), (codes, D // 16)]
        parts += [(codes + scales + first, size) for first, size in parts]
    return [slice(first + at * size, first + (at + 1) * size) for first, size in parts]


# What routers hand on, by the names of vLLM's NIXL connector.
ROUTED = {
    *("do_remote_prefill", "do_remote_decode", "remote_block_ids", "remote_engine_id"),
    *("remote_request_id", "remote_host", "remote_port", "tp_size", "dcp_size", "pp_size"),
    *("remote_num_tokens", "remote_blocks_expiry_time", "remote_registration_generation"),
    "transfer_mode",
}


# A step in which nothing is computed, as the scheduler tells of it.
IDLE = SimpleNamespace(num_scheduled_tokens={}, kv_connector_block_state=SimpleNamespace())


class Engine:
    """A scheduler's and a worker's connector, and a worker's memory [block, head, token, content].

    `mla`: the caches of LAYERS latents, and `indexed` whether each layer has an indexer, too.
    """

    def __init__(
        self,
        block_size: int,
        kv_cache_dtype: str = "auto",
        windows: tuple[int | None, ...] = (None,),
        heads: tuple[int, int] = (0, HEADS),
        mla: str | None = None,
        indexed: bool = False,
        ranks: int | None = None,
        rank: int = 0,
        **extra: Any,
    ) -> None:
        random = np.random.default_rng(block_size)
        first, end = heads
        if ranks is None:
            ranks, rank = HEADS // (end - first), first // (end - first)
        options = {"host": "127.0.0.1", "engine": "gloo", "lease": 10.0, **extra}
        config = SimpleNamespace(
            additional_config={},
            kv_transfer_config=SimpleNamespace(
                is_kv_producer=True,
                engine_id=f"engine of {block_size}",
                kv_connector_extra_config=options,
                get_from_extra_config=options.get,
            ),
            parallel_config=SimpleNamespace(
                decode_context_parallel_size=1,
                tensor_parallel_size=ranks,
                pipeline_parallel_size=1,
                world_size=ranks,
                rank=rank,
            ),
            model_config=SimpleNamespace(
                model="folder/model", get_total_num_kv_heads=lambda: HEADS
            ),
            compilation_config=SimpleNamespace(static_forward_context={}),
        )
        context = config.compilation_config.static_forward_context
        self.memory, self.specs = {}, {}
        groups = []
        for number, window in enumerate(windows):
            specs = {}
            for layer in range(number * LAYERS, (number + 1) * LAYERS):
                name = f"layer.{layer}"
                if mla is not None:
                    specs[name], context[name] = latent(block_size, mla)
                    if indexed:
                        name += ".indexer"
                        specs[name], context[name] = indexer(block_size)
                    continue
                with set_current_vllm_config(config):
                    made = kvforge(block_size, kv_cache_dtype, end - first, window)
                specs[name], context[name] = made
            for name, spec in specs.items():
                self.memory[name] = filled(random, spec)
            self.specs |= specs
            one = next(iter(specs.values()))
            whole = (
                UniformTypeKVCacheSpecs(block_size=block_size, kv_cache_specs=specs)
                if indexed
                else one
            )
            groups.append(SimpleNamespace(layer_names=[*specs], kv_cache_spec=whole))
        self.before = {name: bytes_of(each).copy() for name, each in self.memory.items()}
        self.kv_cache_dtype = kv_cache_dtype
        ids = tuple(range(len(groups)))
        cache = SimpleNamespace(
            transfer_groups=groups,
            kv_cache_groups=groups,
            transfer_group_ids=ids,
            select_transfer_block_ids=lambda blocks: tuple(blocks[i] for i in ids),
        )
        self.block_size, self.names = block_size, [*self.memory]
        self.config, self.cache = config, cache
        self.scheduler = KvforgeConnector(config, KVConnectorRole.SCHEDULER, cache)
        self.open()
        self.sent: set[str] = set()
        self.received: set[str] = set()
        self.failed: set[str] = set()
        self.invalid: set[int] = set()

    def open(self) -> None:
        """The worker's, of what memory and layers are now."""
        self.worker = KvforgeConnector(self.config, KVConnectorRole.WORKER, self.cache)
        self.worker.register_kv_caches(self.memory)
        self.meet()

    def meet(self) -> None:
        """The scheduler is told of the worker, as when an engine has been made or has woken up."""
        metadata = pickle.loads(pickle.dumps(self.worker.get_handshake_metadata()))
        self.scheduler.set_xfer_handshake_metadata_pp_aware({(0, 0): metadata})

    def step(self, scheduled: Any = None, forward: Callable[[], None] = lambda: None) -> None:
        """One of vLLM's, with the metadata on its way between two processes."""
        metadata = self.scheduler.build_connector_meta(scheduled or IDLE)
        metadata = pickle.loads(pickle.dumps(metadata))
        self.worker.handle_preemptions(metadata)
        self.worker.bind_connector_metadata(metadata)
        forward()
        self.worker.start_load_kv(None)
        self.worker.wait_for_save()
        results = self.worker.get_transfer_results(set())
        self.invalid |= self.worker.get_block_ids_with_load_errors()
        self.sent |= results.finished_sending
        self.received |= results.finished_recving
        self.failed |= results.failed_recving
        self.scheduler.update_connector_output(results)

    def finish(self, blocks: list[list[int]], name: str = "p") -> dict[str, Any]:
        """A request that was to be read only, with blocks of each group; what the other is told."""
        ended = request(name, {"do_remote_decode": True})
        kept, params = self.scheduler.request_finished_all_groups(ended, tuple(blocks))
        assert kept and params is not None and self.scheduler.has_pending_push_work()
        assert params.keys() >= ROUTED
        self.step()
        return dict(params)

    def rows(self, name: str, blocks: list[int], first: int = 0) -> Any:
        """[token, head, content] of a layer, by indexing."""
        memory = self.memory[name].numpy()
        at = [divmod(token, self.block_size) for token in range(first, COUNT)]
        return np.stack([memory[blocks[block], :, row] for block, row in at])

    def shutdown(self) -> None:
        self.worker.shutdown()
        self.scheduler.shutdown()


def request(name: str, params: dict[str, Any] | None) -> Any:
    """What the connector reads of a Request."""
    return SimpleNamespace(
        request_id=name,
        kv_transfer_params=params,
        num_prompt_tokens=COUNT,
        num_computed_tokens=COUNT,
        status=SimpleNamespace(name="FINISHED_LENGTH_CAPPED"),
    )


def until(done: Callable[[], bool], *engines: Engine) -> None:
    """Steps of engines until something is so."""
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        for engine in engines:
            engine.step()
        time.sleep(0.005)


def ask(engine: Engine, params: dict[str, Any], blocks: list[list[int]], computed: int) -> Any:
    """A request that comes with these params, of which the first tokens are computed."""
    waits = request("d", params)
    engine.scheduler.on_new_request(waits)
    count, by_itself = engine.scheduler.get_num_new_matched_tokens(waits, computed)
    assert count is not None
    assert (count, by_itself) == ((COUNT - computed, True) if computed < COUNT else (0, False))
    allocated = SimpleNamespace(get_block_ids=lambda: tuple(blocks))
    engine.scheduler.update_state_after_alloc(waits, allocated, count)
    engine.scheduler.update_state_after_alloc(waits, allocated, 0)  # vLLM may call it again
    assert engine.scheduler.get_num_new_matched_tokens(waits, 0) == (0, False)
    return waits


@pytest.fixture
def engines() -> Iterator[Callable[..., Engine]]:
    made: list[Engine] = []

    def make(*arguments: Any, **options: Any) -> Engine:
        made.append(Engine(*arguments, **options))
        return made[-1]

    yield make
    for engine in made:
        engine.shutdown()


P_BLOCKS, D_BLOCKS = [3, 9, 1, 15, 7, 2, 11, 4, 13, 18], [5, 12, 6]


def moved(prefill: Engine, decode: Engine, name: str, computed: int) -> Any:
    """What a layer's memory is to be: tokens behind those that are there, all other bytes as they were,
    but rows behind the last token's are 0."""
    want, source = decode.before[name].copy(), bytes_of(prefill.memory[name])
    for token in range(computed, 48):
        block, row = divmod(token, decode.block_size)
        there, at = divmod(token, prefill.block_size)
        for head in range(decode.specs[name].num_kv_heads):
            mine = places(decode.specs[name], decode.kv_cache_dtype, row, head)
            theirs = places(prefill.specs[name], prefill.kv_cache_dtype, at, head)
            for one, other in zip(mine, theirs, strict=True):
                want[D_BLOCKS[block]][one] = 0
                if token < COUNT:
                    want[D_BLOCKS[block]][one] = source[P_BLOCKS[there]][other]
    return want


MOVED: dict[str, dict[str, Any]] = {
    "auto": {},
    **{
        name: {"kv_cache_dtype": name}
        for name in ("int8_per_token_head", "fp8", "int4_per_token_head", "nvfp4")
    },
    "MLA, f32": {"mla": "float32"},
    "MLA, bf16 and an indexer": {"mla": "bfloat16", "indexed": True},
    "MLA, fp8": {"mla": "fp8"},
    "MLA, fp8_ds_mla and an indexer": {"mla": "fp8_ds_mla", "indexed": True},
    "MLA, nvfp4_ds_mla": {"mla": "nvfp4_ds_mla"},
}


@pytest.mark.parametrize("computed", [0, 32])
@pytest.mark.parametrize("caches", MOVED)
def test_pages_move(engines: Any, caches: str, computed: int) -> None:
    """Blocks of 4 to 16, byte for byte."""
    prefill, decode = engines(4, **MOVED[caches]), engines(16, **MOVED[caches])
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], computed)
    until(lambda: decode.received == {"d"} and prefill.sent == {"p"}, prefill, decode)
    assert not decode.failed and not decode.invalid and not decode.scheduler.has_pending_push_work()
    assert not prefill.scheduler.has_pending_push_work()
    assert len(decode.names) == (LAYERS * 2 if "indexer" in caches else LAYERS)
    for name in decode.names:
        np.testing.assert_array_equal(bytes_of(prefill.memory[name]), prefill.before[name])
        want = moved(prefill, decode, name, computed)
        np.testing.assert_array_equal(bytes_of(decode.memory[name]), want)


def test_a_latent_of_two_ranks_to_three(engines: Any) -> None:
    """All have all of it; who gives it is chosen by the reader's rank."""
    senders = [engines(4, mla="fp8_ds_mla", ranks=2, rank=rank) for rank in range(2)]
    readers = [engines(16, mla="fp8_ds_mla", ranks=3, rank=rank) for rank in range(3)]
    addresses = {(0, i): each.worker.get_handshake_metadata() for i, each in enumerate(senders)}
    senders[0].scheduler.set_xfer_handshake_metadata_pp_aware(addresses)
    params, _ = [each.finish([P_BLOCKS]) for each in senders]
    for reader in readers:
        ask(reader, dict(params), [D_BLOCKS], 0)
    all_of_them = (*senders, *readers)
    until(lambda: all(each.sent or each.received for each in all_of_them), *all_of_them)
    for number, reader in enumerate(readers):
        assert not reader.invalid
        for name in reader.names:
            want = moved(senders[number % 2], reader, name, 0)
            np.testing.assert_array_equal(bytes_of(reader.memory[name]), want)


def test_latents_become_codes(engines: Any) -> None:
    """bf16 to fp8 with the scale of the layer."""
    prefill, decode = engines(4, mla="bfloat16"), engines(16, mla="fp8")
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], 0)
    until(lambda: bool(decode.received), prefill, decode)
    assert not decode.invalid
    for name in decode.names:
        rows = torch.stack([prefill.memory[name][P_BLOCKS[t // 4], 0, t % 4] for t in range(COUNT)])
        codes = torch.stack(
            [decode.memory[name][D_BLOCKS[t // 16], 0, t % 16] for t in range(COUNT)]
        )
        want = (rows.float() / 0.25).to(torch.float8_e4m3fn)
        assert torch.equal(codes.view(torch.uint8), want.view(torch.uint8))


def test_scales_that_differ(engines: Any) -> None:
    """Codes of nvfp4 go as they are, so both sides multiply them by the same."""
    prefill, decode = (engines(size, "nvfp4") for size in (4, 16))
    [(name, layer), *_] = decode.config.compilation_config.static_forward_context.items()
    other = SimpleNamespace(impl=layer.impl, _k_scale_float=0.25, _v_scale_float=0.25)
    decode.config.compilation_config.static_forward_context[name] = other
    decode.worker.shutdown()
    decode.open()
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], 0)
    until(lambda: bool(decode.received), prefill, decode)
    assert decode.invalid == set(D_BLOCKS)


def test_caches_of_vllms_own_attention(engines: Any) -> None:
    """FlashAttention has heads inside of tokens here, and kvforge outside."""

    class FlashAttentionImpl:
        kv_cache_dtype = "auto"

    prefill, decode = engines(4), engines(16)
    prefill.worker.shutdown()
    for name, memory in prefill.memory.items():
        context = prefill.config.compilation_config.static_forward_context
        context[name] = SimpleNamespace(
            impl=FlashAttentionImpl(), _k_scale_float=1.0, _v_scale_float=1.0
        )
        prefill.memory[name] = memory.transpose(1, 2).contiguous().transpose(1, 2)
    prefill.open()
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], 0)
    until(lambda: bool(decode.received), prefill, decode)
    assert not decode.invalid
    for name in prefill.names:
        np.testing.assert_array_equal(decode.rows(name, D_BLOCKS), prefill.rows(name, P_BLOCKS))


def test_floats_become_codes(engines: Any) -> None:
    """f32 to int8 with a scale of each head of each token: the largest element is 127 scales."""
    prefill, decode = engines(4), engines(16, "int8_per_token_head")
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], 0)
    until(lambda: bool(decode.received), prefill, decode)
    assert not decode.invalid
    for name in prefill.names:
        rows = prefill.rows(name, P_BLOCKS)
        codes = decode.rows(name, D_BLOCKS)
        for side in range(2):
            got = codes[..., side * (D + 4) :][..., :D].view(np.int8).astype(np.float32)
            scale = np.ascontiguousarray(codes[..., side * (D + 4) + D :][..., :4]).view(np.float32)
            want = rows[..., side * D :][..., :D]
            np.testing.assert_allclose(scale[..., 0], np.abs(want).max(-1) / 127, rtol=1e-6)
            assert (np.abs(got * scale - want) <= 0.51 * scale).all()


def test_two_ranks_to_one(engines: Any) -> None:
    """Each has a head of two; both keep their pages until the reader is through."""
    ranks = [engines(4, heads=(head, head + 1)) for head in range(HEADS)]
    decode = engines(16)
    addresses = {i: each.worker.get_handshake_metadata() for i, each in enumerate(ranks)}
    ranks[0].scheduler.set_xfer_handshake_metadata(addresses)  # the form without stages
    params, _ = [each.finish([P_BLOCKS]) for each in ranks]
    assert len(params["remote_ranks"]) == params["tp_size"] == 2
    ask(decode, params, [D_BLOCKS], 0)
    until(lambda: bool(decode.received and ranks[0].sent and ranks[1].sent), *ranks, decode)
    for name in decode.names:
        want = np.concatenate([each.rows(name, P_BLOCKS) for each in ranks], 1)
        np.testing.assert_array_equal(decode.rows(name, D_BLOCKS), want)


def test_a_window_and_a_group_without(engines: Any) -> None:
    """Of a window of 9 its 8 tokens before the next one come; blocks in front are null."""
    prefill, decode = engines(4, windows=(None, 9)), engines(16, windows=(None, 9))
    params = prefill.finish([P_BLOCKS, [0] * 7 + [8, 14, 17]])
    ask(decode, params, [D_BLOCKS, [0, 8, 10]], 0)
    until(lambda: bool(decode.received and prefill.sent), prefill, decode)
    assert not decode.failed
    for name in prefill.names[:LAYERS]:
        want = prefill.rows(name, P_BLOCKS)
        np.testing.assert_array_equal(decode.rows(name, D_BLOCKS), want)
    for name in prefill.names[LAYERS:]:
        want = prefill.rows(name, [0] * 7 + [8, 14, 17], COUNT - 8)
        np.testing.assert_array_equal(decode.rows(name, [0, 8, 10], COUNT - 8), want)
        np.testing.assert_array_equal(bytes_of(decode.memory[name])[:8], decode.before[name][:8])


@pytest.mark.parametrize("windows", [(None,), (None, 9)])
def test_a_sender_that_is_gone(engines: Any, windows: Any) -> None:
    """One group: the blocks that were to be filled are invalid. Several: the request has failed."""
    prefill, decode = engines(4, windows=windows), engines(16, windows=windows)
    params = prefill.finish([P_BLOCKS, [0] * 7 + [8, 14, 17]][: len(windows)])
    prefill.shutdown()
    ask(decode, params, [D_BLOCKS, [0, 8, 10]][: len(windows)], 16)
    until(lambda: bool(decode.received), decode)
    assert decode.invalid == (set(D_BLOCKS[1:]) if len(windows) == 1 else set())
    assert decode.failed == (set() if len(windows) == 1 else {"d"})
    for name in decode.names:
        np.testing.assert_array_equal(bytes_of(decode.memory[name]), decode.before[name])


def test_who_needs_nothing_gives_the_pages_up(engines: Any) -> None:
    """All tokens are here already; or the request was aborted before it had blocks, or after."""
    prefill, decode = engines(4), engines(16)
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], COUNT)
    until(lambda: bool(prefill.sent), prefill, decode)
    assert not decode.received
    prefill.sent.clear()
    early = request("d", prefill.finish([P_BLOCKS]))
    decode.scheduler.on_new_request(early)
    early.status.name = "FINISHED_ABORTED"
    assert decode.scheduler.request_finished_all_groups(early, ([],)) == (False, None)
    until(lambda: bool(prefill.sent), prefill, decode)
    prefill.sent.clear()
    late = ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], 0)
    late.status.name = "FINISHED_ABORTED"
    assert decode.scheduler.request_finished_all_groups(late, (D_BLOCKS,)) == (False, None)
    until(lambda: bool(prefill.sent and decode.received), prefill, decode)
    assert not decode.invalid and not decode.failed


def test_pages_are_kept_while_a_request_waits(engines: Any) -> None:
    """A lease of a second, renewed by the engine whose request has no blocks yet; then it is over."""
    prefill, decode = engines(4, lease=1.0), engines(16, lease=1.0)
    params = prefill.finish([P_BLOCKS])
    waits = request("d", params)
    decode.scheduler.on_new_request(waits)
    end = time.monotonic() + 2.5
    until(lambda: time.monotonic() > end, prefill, decode)
    assert not prefill.sent
    decode.scheduler.request_finished(request("d", None), [])
    until(lambda: bool(prefill.sent), prefill)


def test_what_is_no_hand_over(engines: Any) -> None:
    decode = engines(16)
    for params in (None, {}, {"do_remote_prefill": True, "remote_host": "h"}):
        other = request("d", params)
        assert decode.scheduler.get_num_new_matched_tokens(other, 0) == (0, False)
        assert decode.scheduler.request_finished_all_groups(other, (D_BLOCKS,)) == (False, None)
    aborted = request("d", {"do_remote_decode": True})
    aborted.status.name = "FINISHED_ABORTED"
    assert decode.scheduler.request_finished_all_groups(aborted, (D_BLOCKS,)) == (False, None)
    decode.step()
    assert not decode.scheduler.has_pending_push_work()


def test_what_it_cannot_do_is_said(engines: Any) -> None:
    with pytest.raises(ValueError, match=r"extra_config: got \['slot'\], want some of \('engine"):
        Engine(4, slot=3)
    engine = engines(4)
    engine.config.compilation_config.static_forward_context["layer.0"].impl = object()
    with pytest.raises(
        NotImplementedError, match=r"cache of object .* want --attention-backend CUSTOM"
    ):
        engine.worker.register_kv_caches(engine.memory)
    engine = engines(4, mla="float32", indexed=True)
    layer = SimpleNamespace(uses_shuffled_layout=True)
    engine.config.compilation_config.static_forward_context["layer.0.indexer"] = layer
    with pytest.raises(NotImplementedError, match="indexer's cache in shuffled order"):
        engine.worker.register_kv_caches(engine.memory)
    for spec in (
        MLAAttentionSpec(**MLA, model_version="deepseek_v4"),
        MLAAttentionSpec(**MLA, tokens_per_state=4),
        SimpleNamespace(),
    ):
        group = SimpleNamespace(layer_names=["layer.0"], kv_cache_spec=spec)
        with pytest.raises(NotImplementedError, match=f"cache of {type(spec).__name__}, model_ver"):
            specs_of(group)


OF_0_33 = {"supports_sleep_mode", "unregister_kv_caches", "restore_kv_caches"}


def test_signatures() -> None:
    """As vLLM's, argument for argument; nothing abstract is left."""
    for name, ours in vars(KvforgeConnector).items():
        theirs = getattr(KVConnectorBase_V1, name, None) or getattr(SupportsHMA, name, None)
        if name.startswith("_") or not callable(getattr(KvforgeConnector, name)):
            continue
        if theirs is None and name in OF_0_33:
            continue
        assert theirs is not None, name
        mine = inspect.signature(getattr(ours, "__func__", ours)).parameters
        base = inspect.signature(getattr(theirs, "__func__", theirs)).parameters
        assert [*mine] == [*base], name
        assert [each.kind for each in mine.values()] == [each.kind for each in base.values()], name
    assert not KvforgeConnector.__abstractmethods__


def test_what_is_left_to_vllm(engines: Any) -> None:
    """Any layout, as many ranks as there are, no events; a prefill engine's pages are to arrive."""
    engine = engines(4)
    assert KvforgeConnector.supports_sleep_mode(engine.config.kv_transfer_config)
    assert KvforgeConnector.get_required_kvcache_layout(engine.config) is None
    assert engine.scheduler.requires_kv_delivery
    assert engine.scheduler.get_finished_count() is None
    assert engine.worker.get_finished_count() is None
    assert [*engine.scheduler.take_events()] == []
    hits = engine.scheduler.get_external_cache_hit_sources(request("d", None), 5)
    assert hits == {CacheHitSource.P2P: 5}


def test_the_name_of_the_connector() -> None:
    for _ in range(2):  # in each of vLLM's processes, and twice is once
        kvforge_vllm.register_connector()
    assert KVConnectorFactory._registry["KvforgeConnector"]() is KvforgeConnector
