"""An engine's steps through the backend: vLLM's metadata to calls, and attention as it must be.

Prompts in parts beside sequences that decode, a prefix that two sequences share, padding, and steps
that an engine only tries, in every format, layout and device.
"""

from __future__ import annotations

from conftest import require

require(__name__)

from types import SimpleNamespace
from typing import Any

import numpy as np
import oracle
import pytest
import torch
from vllm.config import set_current_vllm_config
from vllm.v1.attention.backend import CommonAttentionMetadata
from vllm.v1.kv_cache_interface import FullAttentionSpec, KVCacheLayout, get_kv_quant_mode

from kvforge_vllm.backend import KvforgeBackend, KvforgeImpl

LAYERS, BLOCKS, SIZE, HEADS, KV_HEADS, D = 2, 12, 16, 6, 2, 64
SCALE = D**-0.5
SEQS = 3
LENGTHS = [70, 21, 37]
TABLE = [
    [5, 2, 9, 0, 7],
    [5, 3, 1, 0, 0],
    [11, 4, 8, 0, 0],
]  # the first 16 tokens of two are the same
# (sequence, first token, end) of each step; the prefix of sequence 1 is there when it begins.
STEPS = [
    [(0, 0, 30)],
    [(0, 30, 31), (1, 16, 20)],
    [(1, 20, 21), (0, 31, 69), (2, 0, 37)],
    [(0, 69, 70)],
]
# How far attention to the cache may be from that to the keys and values themselves: the mean of a row,
# whose elements are near 1 where few tokens are seen.
TOLERANCE = {
    "auto": 1e-6,
    "fp8": 0.04,
    "int8": 0.015,
    "int8_per_token_head": 0.013,
    "fp8_per_token_head": 0.03,
    "int4_per_token_head": 0.1,
    "nvfp4": 0.12,
    "nvfp4_4over6": 0.12,
}
LAYOUTS = KvforgeBackend.supported_kv_cache_layouts()


def config(**additional: str) -> Any:
    """What the plugin reads of a VllmConfig."""
    return SimpleNamespace(
        additional_config={"kvforge": additional} if additional else {},
        attention_config=SimpleNamespace(backend=None),
        model_config=SimpleNamespace(
            get_num_attention_heads=lambda parallel: HEADS, max_model_len=1024
        ),
        parallel_config=SimpleNamespace(decode_context_parallel_size=1),
        scheduler_config=SimpleNamespace(max_num_seqs=4),
    )


class Engine:
    """What vLLM does around a backend: memory of all layers, and steps."""

    def __init__(
        self, kv_cache_dtype: str, layout: KVCacheLayout, device: str, **additional: str
    ) -> None:
        self.device = torch.device(device)
        quantised = kv_cache_dtype != "auto"
        spec = FullAttentionSpec(
            block_size=SIZE,
            num_kv_heads=KV_HEADS,
            head_size=D,
            head_size_v=D,
            dtype=torch.uint8 if quantised else torch.float32,
            kv_quant_mode=get_kv_quant_mode(kv_cache_dtype),
        )
        self.config = config(**additional)
        self.spec = KvforgeBackend.customize_spec(spec)
        content = self.spec.state_content_size_bytes
        sizes = (LAYERS, BLOCKS, KV_HEADS, SIZE, content)
        raw = torch.full([sizes[i] for i in layout.value], 0xFF, dtype=torch.uint8, device=device)
        views = raw.permute(*(layout.value.index(i) for i in range(5)))
        self.kv_caches = [views[i].view(spec.dtype) for i in range(LAYERS)]
        with set_current_vllm_config(self.config):
            make = KvforgeBackend.get_impl_cls()
            self.impls: list[KvforgeImpl] = [
                make(HEADS, D, SCALE, KV_HEADS, kv_cache_dtype=kv_cache_dtype)
                for _ in range(LAYERS)
            ]
        builder = KvforgeBackend.get_builder_cls()
        self.builder = builder(self.spec, [], self.config, self.device)
        scale = torch.tensor(1.0 if not quantised else 0.01, device=device)
        self.layer = SimpleNamespace(_k_scale=scale, _v_scale=scale)

    def metadata(self, step: list[tuple[int, int, int]], pad: int = 0) -> CommonAttentionMetadata:
        new = [end - first for _, first, end in step]
        start = torch.tensor([0, *np.cumsum(new)], dtype=torch.int32)
        slots = [TABLE[s][p // SIZE] * SIZE + p % SIZE for s, b, e in step for p in range(b, e)]
        return CommonAttentionMetadata(
            query_start_loc=start.to(self.device),
            query_start_loc_cpu=start,
            seq_lens=torch.tensor([e for _, _, e in step], dtype=torch.int32, device=self.device),
            num_reqs=len(step),
            num_actual_tokens=sum(new) + pad,
            max_query_len=max(new),
            max_seq_len=max(e for _, _, e in step),
            block_table_tensor=torch.tensor(
                [TABLE[s] for s, _, _ in step], dtype=torch.int32, device=self.device
            ),
            slot_mapping=torch.tensor([*slots, *[-1] * pad], device=self.device),
        )

    def run(self, layer: int, step: Any, metadata: Any, rows: list[torch.Tensor]) -> torch.Tensor:
        """One layer of a step; rows are query, key and value."""
        query, key, value = rows
        impl, cache = self.impls[layer], self.kv_caches[layer]
        impl.do_kv_cache_update(self.layer, key, value, cache, step.slot_mapping)
        output = torch.full_like(query, torch.nan)
        return impl.forward(self.layer, query, key, value, cache, metadata, output)


def tokens(layer: int) -> list[Any]:
    """Query, key and value of all tokens of all sequences; a shared prefix has the same."""
    rng = np.random.default_rng(layer)
    made = [
        rng.standard_normal((SEQS, max(LENGTHS), heads, D)).astype(np.float32)
        for heads in (HEADS, KV_HEADS, KV_HEADS)
    ]
    for rows in made:
        rows[0, 0, :, 0] = 5  # no later one is larger
        rows[1, :SIZE] = rows[0, :SIZE]
    return made


def check(engine: Engine, tolerance: float, pad: int) -> None:
    """All steps of all layers, with rows of padding behind."""
    for step in STEPS:
        metadata = engine.metadata(step, pad)
        built = engine.builder.build(0, metadata)
        for layer in range(LAYERS):
            query, key, value = tokens(layer)
            rows = [
                np.concatenate([x[s, b:e] for s, b, e in step] + [x[0, :1]] * pad)
                for x in (query, key, value)
            ]
            put = [torch.from_numpy(x).to(engine.device) for x in rows]
            out = engine.run(layer, metadata, built, put).cpu().numpy()
            places = [(s, p) for s, b, e in step for p in range(b, e)]
            for row, (s, p) in zip(out, places, strict=False):
                want = oracle.attend(query[s, p], key[s, : p + 1], value[s, : p + 1], SCALE)
                assert np.abs(row - want).mean() < tolerance
            assert len(out) == len(places) + pad
            assert np.isnan(out[len(places) :]).all()  # left as they are, as in vLLM's own


@pytest.mark.parametrize("pad", [0, 3])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("name", TOLERANCE)
def test_steps(name: str, layout: KVCacheLayout, pad: int, device: str) -> None:
    settings = {"fp8_as": "int8"} if name == "int8" else {}
    engine = Engine("fp8" if name == "int8" else name, layout, device, **settings)
    if name == "int8":  # vLLM tries a step with no token before the first
        for layer in range(LAYERS):
            key = torch.ones(4, KV_HEADS, D, device=device)
            empty = torch.full((4,), -1, device=device)
            cache = engine.kv_caches[layer]
            engine.impls[layer].do_kv_cache_update(engine.layer, key, key, cache, empty)
    check(engine, TOLERANCE[name], pad)


@pytest.mark.parametrize("name", ["fp8", "fp8_e5m2", "nvfp4"])
def test_scales_of_the_first_step(name: str) -> None:
    """They are the layer's, and what is written later is read with them."""
    engine = Engine(name, LAYOUTS[0], "cpu", scales="first_step")
    check(engine, 0.12, 0)
    first = STEPS[0][0]
    for layer, impl in enumerate(engine.impls):
        assert impl.scales is not None
        largest = 57344 if name == "fp8_e5m2" else 448
        for scale, rows in zip(
            (impl.scales.key, impl.scales.value), tokens(layer)[1:], strict=True
        ):
            want = np.abs(rows[0, : first[2]]).max((0, 2)) / np.float32(largest)
            np.testing.assert_array_equal(scale.numpy(), want)


def test_what_is_captured_stays_where_it_is(device: str) -> None:
    """Of steps that decode: vLLM's buffers, and one workspace, whatever the lengths."""
    engine = Engine("auto", LAYOUTS[0], device)
    seen = []
    for length in (17, 70):
        step = engine.metadata([(0, length - 1, length)])
        built = engine.builder.build(0, step)
        assert built.block_table.data_ptr() == step.block_table_tensor.data_ptr()
        assert built.seq_lens.data_ptr() == step.seq_lens.data_ptr()
        seen.append(None if built.workspace is None else built.workspace.data_ptr())
    assert seen[0] == seen[1]
    if device == "cuda":
        assert seen[0] is not None


def test_a_workspace_for_every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for as many parts as 24 threads want: 12 for one sequence, cut down by its length."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 24)
    engine = Engine("auto", LAYOUTS[0], "cpu")
    shapes = {}
    for count in range(1, 6):
        built = engine.builder.build(0, engine.metadata([(0, 69, 70)] * count))
        shapes[count] = None if built.workspace is None else list(built.workspace.shape)
    assert shapes == {
        1: [1, HEADS, 8, D + 2],
        2: [2, HEADS, 6, D + 2],
        3: [3, HEADS, 4, D + 2],
        4: [4, HEADS, 3, D + 2],
        5: None,  # more than max_num_seqs
    }
    check(engine, 1e-6, 0)


def test_a_window_and_slopes(device: str) -> None:
    engine = Engine("auto", LAYOUTS[0], device)
    slopes = [2.0**-i for i in range(HEADS)]
    with set_current_vllm_config(engine.config):
        impl = KvforgeImpl(HEADS, D, SCALE, KV_HEADS, slopes, 5)
    query, key, value = (x[0, :30] for x in tokens(0))
    engine.impls[0] = impl
    step = engine.metadata([(0, 0, 30)])
    put = [torch.from_numpy(x).to(device) for x in (query, key, value)]
    out = engine.run(0, step, engine.builder.build(0, step), put).cpu().numpy()
    for p in range(30):
        b = max(0, p - 4)
        keys, values = (np.repeat(x[b : p + 1], 3, axis=1).astype(np.float64) for x in (key, value))
        scores = SCALE * np.einsum("hd,phd->hp", query[p], keys)
        scores += np.array(slopes)[:, None] * (np.arange(b, p + 1) - p)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        np.testing.assert_allclose(out[p], np.einsum("hp,phd->hd", weights, values), atol=1e-5)


def test_a_profiling_run_has_no_metadata() -> None:
    engine = Engine("auto", LAYOUTS[0], "cpu")
    rows = torch.zeros(2, HEADS, D)
    output = torch.ones(2, HEADS, D)
    cache = torch.tensor([])
    got = engine.impls[0].forward(engine.layer, rows, rows, rows, cache, None, output)
    assert got is output and bool((output == 1).all())


def test_what_it_cannot_do_is_said() -> None:
    engine = Engine("auto", LAYOUTS[0], "cpu")
    step = engine.metadata([(0, 0, 4)])
    step.causal = torch.ones(1, dtype=torch.bool)
    with pytest.raises(NotImplementedError, match=r"that is causal for some sequences only$"):
        engine.builder.build(0, step)
    with (
        set_current_vllm_config(config()),
        pytest.raises(NotImplementedError, match=r"^kvforge: attention of an encoder$"),
    ):
        KvforgeImpl(HEADS, D, SCALE, KV_HEADS, attn_type="encoder")
    spec = FullAttentionSpec(
        block_size=SIZE, num_kv_heads=2, head_size=64, head_size_v=32, dtype=torch.float32
    )
    with pytest.raises(NotImplementedError, match=r"^kvforge: heads of values of another size"):
        KvforgeBackend.customize_spec(spec)
    with (
        set_current_vllm_config(config(scales="first_step")),
        pytest.raises(NotImplementedError, match=r"^kvforge: scales of the first step in a cache"),
    ):
        KvforgeImpl(
            HEADS, D, SCALE, KV_HEADS, kv_cache_dtype="fp8", kv_sharing_target_layer_name="x"
        )
