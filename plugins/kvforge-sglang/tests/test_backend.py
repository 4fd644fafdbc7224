"""SGLang's steps through the backend, beside SGLang's attention in torch on the same pool.

Prompts in parts beside sequences that decode, a prefix that two sequences share, padding, windows, a
captured graph's memory, and what is refused.
"""

from __future__ import annotations

from conftest import require

require(__name__)

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from sglang.srt.layers.attention.attention_registry import ATTENTION_BACKENDS
from sglang.srt.layers.attention.torch_native_backend import TorchNativeAttnBackend
from sglang.srt.layers.radix_attention import AttentionType
from sglang.srt.mem_cache.memory_pool import MHATokenToKVPool
from sglang.srt.model_executor.forward_batch_info import ForwardMode
from sglang.srt.runtime_context import get_parallel

import kvforge_sglang
from kvforge_sglang.backend import KvforgeBackend

HEADS, KV_HEADS, D, LAYERS = 6, 2, 64, 2
MAX_LEN, REQUESTS, POOL = 96, 4, 512
PAGES = [[5, 2, 9, 1, 7, 3], [5, 11, 4, 8, 6, 13], [17, 20, 12, 15, 14, 16]]  # two share the first
# (request, first token, end) of each step; sequences 0 and 1 have the first 16 tokens in common.
STEPS = [
    [(0, 0, 30)],
    [(0, 30, 31), (1, 16, 20)],
    [(0, 31, 69), (2, 0, 37), (1, 20, 21)],
    [(2, 37, 38), (0, 69, 70), (1, 21, 22)],
]
DECODES = {3}  # steps in which every sequence has one token


class Engine:
    """What SGLang has around a backend: pool, slots of requests, and steps."""

    def __init__(self, device: str, dtype: torch.dtype, page_size: int, cache: Any = None) -> None:
        self.device, self.dtype = torch.device(device), dtype
        pool = MHATokenToKVPool(POOL, page_size, cache or dtype, KV_HEADS, D, LAYERS, device, False)
        slots = torch.zeros(REQUESTS, MAX_LEN, dtype=torch.int32, device=device)
        for request, pages in enumerate(PAGES):
            rows = [16 * page + token for page in pages for token in range(16)]
            slots[request] = torch.tensor(rows, dtype=torch.int32)
        self.runner = SimpleNamespace(
            token_to_kv_pool=pool,
            req_to_token_pool=SimpleNamespace(req_to_token=slots),
            page_size=page_size,
            device=device,
            model_config=SimpleNamespace(num_attention_heads=HEADS),
        )
        self.slots, self.pool = slots, pool
        self.draw = torch.Generator().manual_seed(3)

    def batch(self, step: list[tuple[int, int, int]], *, decode: bool, padding: int = 0) -> Any:
        """SGLang's ForwardBatch, as far as backends read it."""
        loc = torch.cat([self.slots[request, first:end] for request, first, end in step])
        loc = torch.cat([loc, loc.new_zeros(padding)]).long()
        lens = torch.tensor([end for _, _, end in step], device=self.device)
        firsts = torch.tensor([first for _, first, _ in step], device=self.device)
        return SimpleNamespace(
            forward_mode=ForwardMode.DECODE if decode else ForwardMode.EXTEND,
            batch_size=len(step),
            req_pool_indices=torch.tensor([r for r, _, _ in step], device=self.device),
            seq_lens=lens,
            seq_lens_cpu=lens.cpu(),
            extend_prefix_lens=firsts,
            extend_seq_lens=lens - firsts,
            out_cache_loc=loc,
            out_cache_loc_is_physical=True,
            encoder_lens=None,
            spec_info=None,
        )

    def layer(self, index: int, **more: Any) -> Any:
        """SGLang's RadixAttention, as far as backends read it."""
        known = {
            "layer_id": index,
            "tp_q_head_num": HEADS,
            "tp_k_head_num": KV_HEADS,
            "tp_v_head_num": KV_HEADS,
            "qk_head_dim": D,
            "v_head_dim": D,
            "head_dim": D,
            "scaling": D**-0.5,
            "k_scale": None,
            "v_scale": None,
            "sliding_window_size": -1,
            "is_cross_attention": False,
            "attn_type": AttentionType.DECODER,
            "logit_cap": 0.0,
        }
        return SimpleNamespace(**{**known, **more})

    def tokens(self, count: int) -> list[torch.Tensor]:
        """Queries, keys and values of a step, as RadixAttention hands them over."""
        return [
            torch.randn(count, *shape, generator=self.draw).to(self.device, self.dtype)
            for shape in ((HEADS * D,), (KV_HEADS, D), (KV_HEADS, D))
        ]


@pytest.fixture(autouse=True)
def one_rank() -> Any:
    """A model that is on one device."""
    with get_parallel().override(attn_tp_size=1):
        yield


def run(backend: Any, engine: Engine, batch: Any, layer: Any, q: Any, k: Any, v: Any) -> Any:
    """A layer's attention, as AttentionBackend.forward does it."""
    decode = batch.forward_mode.is_decode()
    function = backend.forward_decode if decode else backend.forward_extend
    return function(q, k, v, layer, batch)


@pytest.mark.parametrize("window", [-1, 0, 9])
@pytest.mark.parametrize("page_size", [1, 16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_steps(dtype: torch.dtype, page_size: int, window: int, device: str) -> None:
    """The same attention as SGLang's in torch, step after step, and the same bytes in the pool."""
    ours, theirs = (Engine(device, dtype, page_size) for _ in range(2))
    backend, reference = KvforgeBackend(ours.runner), TorchNativeAttnBackend(theirs.runner)
    for number, step in enumerate(STEPS):
        batch = ours.batch(step, decode=number in DECODES)
        backend.init_forward_metadata(batch)
        reference.init_forward_metadata(batch)
        for index in range(LAYERS):
            layer = ours.layer(index, sliding_window_size=window)
            rows = ours.tokens(len(batch.out_cache_loc))
            got = run(backend, ours, batch, layer, *rows)
            want = run(reference, theirs, batch, layer, *(each.clone() for each in rows))
            assert got.shape == want.shape
            tolerance = 2e-6 if dtype == torch.float32 else 2e-2
            torch.testing.assert_close(got, want, rtol=0, atol=tolerance)
    for a, b in zip(ours.pool.k_buffer + ours.pool.v_buffer,
                    theirs.pool.k_buffer + theirs.pool.v_buffer, strict=True):  # fmt: skip
        assert torch.equal(a, b)


@pytest.mark.parametrize("cache", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_fp8(cache: torch.dtype, device: str) -> None:
    """A cache of fp8 with scales: attention is that to the keys and values, as near as codes are."""
    ours, theirs = Engine(device, torch.float32, 16, cache), Engine(device, torch.float32, 16)
    backend, reference = KvforgeBackend(ours.runner), TorchNativeAttnBackend(theirs.runner)
    worst = 0.0
    for number, step in enumerate(STEPS):
        batch = ours.batch(step, decode=number in DECODES)
        backend.init_forward_metadata(batch)
        rows = ours.tokens(len(batch.out_cache_loc))
        scale = torch.tensor(0.25, device=device)
        got = run(backend, ours, batch, ours.layer(1, k_scale=scale, v_scale=scale), *rows)
        want = run(reference, theirs, batch, ours.layer(1), *rows)
        worst = max(worst, float((got - want).abs().mean()))
    assert 1e-4 < worst < (0.02 if cache == torch.float8_e4m3fn else 0.04)


def test_padding(device: str) -> None:
    """Rows behind the last sequence are zeros, whatever was there."""
    engine = Engine(device, torch.float32, 16)
    backend = KvforgeBackend(engine.runner)
    batch = engine.batch(STEPS[1], decode=False, padding=3)
    backend.init_forward_metadata(batch)
    got = run(backend, engine, batch, engine.layer(0), *engine.tokens(len(batch.out_cache_loc)))
    assert not got[-3:].any() and got[:-3].any(-1).all()


def test_captured(device: str) -> None:
    """Memory of a graph stays where it is; filled anew, it serves other sequences."""
    engine, plain = (Engine(device, torch.float32, 16) for _ in range(2))
    backend, reference = KvforgeBackend(engine.runner), KvforgeBackend(plain.runner)
    backend.init_cuda_graph_state(8, 8)
    assert backend.get_cuda_graph_seq_len_fill_value() == 1
    for step in STEPS[:3]:
        batch = engine.batch(step, decode=False)
        rows = engine.tokens(len(batch.out_cache_loc))
        for each, own in ((backend, engine), (reference, plain)):
            each.init_forward_metadata(batch)
            run(each, own, batch, own.layer(0), *rows)
    backend.init_forward_metadata_out_graph(engine.batch(STEPS[3], decode=True), in_capture=True)
    seen = backend.forward_metadata
    for step in (STEPS[3], [(1, 22, 23), (2, 38, 39), (0, 70, 71)]):
        batch = engine.batch(step, decode=True)
        backend.init_forward_metadata_out_graph(batch)
        assert backend.forward_metadata is seen
        reference.init_forward_metadata(batch)
        rows = engine.tokens(3)
        got = run(backend, engine, batch, engine.layer(0), *rows)
        want = run(reference, plain, batch, plain.layer(0), *rows)
        torch.testing.assert_close(got, want, rtol=0, atol=2e-6)
    with pytest.raises(NotImplementedError, match="graphs of EXTEND"):
        backend.init_forward_metadata_out_graph(engine.batch(STEPS[2], decode=False))


def test_refused(device: str) -> None:
    """What it cannot compute is said before anything is written."""
    engine = Engine(device, torch.float32, 16)
    backend = KvforgeBackend(engine.runner)
    batch = engine.batch(STEPS[0], decode=False)
    backend.init_forward_metadata(batch)
    rows = engine.tokens(30)
    for layer, more, words in (
        (engine.layer(0, is_cross_attention=True), {}, "encoder"),
        (engine.layer(0, attn_type=AttentionType.ENCODER_ONLY), {}, "encoder"),
        (engine.layer(0), {"sinks": torch.zeros(HEADS)}, "attention with sinks"),
    ):
        with pytest.raises(NotImplementedError, match=words):
            backend.forward_extend(*rows, layer, batch, **more)
    assert not any(buffer.any() for buffer in engine.pool.k_buffer + engine.pool.v_buffer)
    batch.forward_mode = ForwardMode.TARGET_VERIFY
    batch.spec_info = object()
    with pytest.raises(NotImplementedError, match="TARGET_VERIFY"):
        backend.init_forward_metadata(batch)
    engine.runner.token_to_kv_pool = SimpleNamespace()
    with pytest.raises(ValueError, match="pool: got SimpleNamespace, want MHATokenToKVPool"):
        KvforgeBackend(engine.runner)


def test_register(device: str) -> None:
    """The entry point adds the backend; on a device without Triton SGLang is told so."""
    from sglang.srt.arg_groups.choices import ATTENTION_BACKEND_CHOICES
    from sglang.srt.mem_cache import allocation
    from sglang.srt.plugins.hook_registry import HookRegistry
    from sglang.srt.utils import common

    HookRegistry.reset()
    kvforge_sglang.register()
    HookRegistry.apply_hooks()
    assert "kvforge" in ATTENTION_BACKEND_CHOICES
    engine = Engine(device, torch.float32, 16)
    assert isinstance(ATTENTION_BACKENDS["kvforge"](engine.runner), KvforgeBackend)
    assert common.support_triton("kvforge") == torch.cuda.is_available()
    assert not common.support_triton("torch_native")
    last = allocation.get_last_loc(
        engine.slots, torch.tensor([0, 2], device=device), torch.tensor([17, 0], device=device)
    )
    assert last.tolist() == [16 * PAGES[0][1], -1]
