"""SGLang's pool: kvforge writes what SGLang writes, and where a scale is, what the format says."""

from __future__ import annotations

from conftest import require

require(__name__)

from types import SimpleNamespace
from typing import Any

import ml_dtypes
import oracle
import pytest
import torch
from sglang.kernels import KernelBackend, get_kernel
from sglang.kernels.ops.kvcache import reshape_and_cache_flash as sglangs
from sglang.srt.environ import envs
from sglang.srt.mem_cache.memory_pool import KVWriteLoc, MHATokenToKVPool

from kvforge_sglang import kernels, store

HEADS, D, LAYERS, SIZE = 3, 64, 3, 64
ORIGINAL = MHATokenToKVPool.set_kv_buffer
SLOTS = [16, 17, 3, 40, 64, 20]  # 64 is the last one of pages of one token
DTYPES = [torch.float32, torch.float16, torch.bfloat16]
FP8 = {torch.float8_e4m3fn: ml_dtypes.float8_e4m3fn, torch.float8_e5m2: ml_dtypes.float8_e5m2}


def pool_of(dtype: torch.dtype, device: str, *, page_size: int = 16, v_size: int = D) -> Any:
    """A pool as SGLang makes it, full of ones."""
    pool = MHATokenToKVPool(
        SIZE, page_size, dtype, HEADS, D, LAYERS, device, False, v_head_dim=v_size
    )
    for buffer in (*pool.k_buffer, *pool.v_buffer):
        buffer.fill_(1)
    return pool


def tokens(dtype: torch.dtype, device: str, v_size: int = D) -> list[torch.Tensor]:
    """Keys and values of a step, cut out of a wider projection."""
    draw = torch.Generator().manual_seed(7)
    wide = torch.randn(len(SLOTS), HEADS, D + v_size + 5, generator=draw).to(device, dtype)
    return [wide[..., :D], wide[..., D : D + v_size]]


def bytes_of(pool: Any) -> list[bytes]:
    """All layers' buffers."""
    return [
        buffer.contiguous().view(torch.uint8).cpu().numpy().tobytes()
        for buffer in (*pool.k_buffer, *pool.v_buffer)
    ]


def write(function: Any, pool: Any, key: torch.Tensor, value: torch.Tensor, *scales: Any) -> None:
    """A step of layer 1."""
    loc = torch.tensor(SLOTS, device=key.device)
    layer = SimpleNamespace(layer_id=1)
    function(pool, layer, KVWriteLoc(loc), key.clone(), value.clone(), *scales)


@pytest.fixture(params=[False, True], ids=["nhd", "hnd"])
def hnd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both layouts that SGLang has for pages."""
    monkeypatch.setenv(envs.SGLANG_USE_HND_KVCACHE.name, str(request.param).lower())
    return bool(request.param)


def refused(*arguments: Any, **more: Any) -> None:
    """In place of SGLang's own writer where kvforge must do it."""
    raise AssertionError("left to SGLang")


@pytest.mark.parametrize("v_size", [D, 32])
@pytest.mark.parametrize("dtype", DTYPES)
def test_same(dtype: torch.dtype, v_size: int, device: str, hnd: bool) -> None:
    """A cache of the keys' dtype: every byte of every layer is that of SGLang's own writer."""
    theirs, ours = (pool_of(dtype, device, v_size=v_size) for _ in range(2))
    assert ours.kv_cache_layout == ("hnd" if hnd else "nhd")
    write(ORIGINAL, theirs, *tokens(dtype, device, v_size))
    write(lambda *a: store.set_kv_buffer(refused, *a), ours, *tokens(dtype, device, v_size))
    assert bytes_of(ours) == bytes_of(theirs)


@pytest.mark.parametrize("page_size", [1, 16])
@pytest.mark.parametrize("scales", [(), (0.5, 3.0), "tensor"])
@pytest.mark.parametrize("cache", FP8)
def test_fp8(cache: torch.dtype, scales: Any, page_size: int, device: str) -> None:
    """fp8: the quotient in f32, rounded once, as the oracle has it; nothing else is touched, the
    keys neither."""
    pool = pool_of(cache, device, page_size=page_size)
    before = bytes_of(pool)
    key, value = tokens(torch.bfloat16, device)
    if scales == "tensor":
        scales = (torch.tensor([0.5], device=device), torch.tensor(3.0, device=device))
    store.set_kv_buffer(
        refused,
        pool,
        SimpleNamespace(layer_id=1),
        KVWriteLoc(torch.tensor(SLOTS, device=device)),
        key,
        value,
        *scales,
    )
    numbers = [float(scale) for scale in scales] or [1.0, 1.0]
    for source, buffer, number in zip(
        (key, value), (pool.k_buffer, pool.v_buffer), numbers, strict=True
    ):
        want = torch.ones_like(buffer[1])
        codes = oracle.encode(source.float().cpu().numpy(), number, FP8[cache])
        want[SLOTS] = torch.from_numpy(codes).to(device)
        assert torch.equal(buffer[1], want)
    again = tokens(torch.bfloat16, device)
    assert all(torch.equal(a, b) for a, b in zip((key, value), again, strict=True))
    after = bytes_of(pool)
    assert [after[i] for i in (0, 2, 3, 5)] == [before[i] for i in (0, 2, 3, 5)]


def test_left_to_sglang(device: str) -> None:
    """What kvforge does not write is SGLang's, with all that was given."""
    seen: list[Any] = []

    def original(*arguments: Any, **more: Any) -> None:
        seen.append((len(arguments), more))

    class Other(MHATokenToKVPool):
        """A pool of another kind, of which kvforge knows nothing."""

    key, value = tokens(torch.float32, device)
    pool = pool_of(torch.float32, device)
    mask = torch.ones(len(SLOTS), dtype=torch.bool, device=device)
    loc = KVWriteLoc(torch.tensor(SLOTS, device=device))
    layer = SimpleNamespace(layer_id=1)
    store.set_kv_buffer(original, pool, layer, loc, key, value, dcp_kv_mask=mask)
    store.set_kv_buffer(original, pool, layer, loc, key.half(), value.half())
    pool.__class__ = Other
    store.set_kv_buffer(original, pool, layer, loc, key, value)
    assert [count for count, _ in seen] == [7, 7, 7]
    assert seen[0][1]["dcp_kv_mask"] is mask
    assert bytes_of(pool) == bytes_of(pool_of(torch.float32, device))


def test_slot_outside() -> None:
    """A slot that is none of the pool's is told, and nothing is written."""
    pool = pool_of(torch.float32, "cpu")
    key, value = tokens(torch.float32, "cpu")
    loc = torch.tensor([*SLOTS[:-1], 80])
    with pytest.raises(Exception, match="slot_mapping"):
        store.set_kv_buffer(refused, pool, SimpleNamespace(layer_id=0), KVWriteLoc(loc), key, value)
    assert bytes_of(pool) == bytes_of(pool_of(torch.float32, "cpu"))


@pytest.mark.parametrize("remapped", [False, True])
@pytest.mark.parametrize("cache", [None, *FP8])
@pytest.mark.parametrize("dtype", DTYPES)
def test_kernel(dtype: torch.dtype, cache: torch.dtype | None, remapped: bool, device: str) -> None:
    """In SGLang's list of kernels, with its signature: HND pages, a second pool's slots, scales."""
    kernels.register()
    kernels.register()
    function = get_kernel("kvcache.reshape_and_cache_flash", KernelBackend.PLUGIN)
    key, value = tokens(dtype, device)
    shape = (5, HEADS, 16, D)
    caches = [torch.zeros(shape, dtype=cache or dtype, device=device) for _ in range(2)]
    views = [each.permute(0, 2, 1, 3) for each in caches]
    slots = torch.tensor([*SLOTS[:-1], -1], device=device)
    remap = torch.arange(80, device=device).flip(0) if remapped else None
    scales = [torch.tensor([number], device=device) for number in (0.5, 3.0)]
    function(key, value, *views, slots, remap, *(scales if cache else (None, None)))
    for source, view, number in zip((key, value), views, (0.5, 3.0), strict=True):
        want = torch.zeros_like(view.contiguous().view(torch.uint8 if cache else dtype))
        rows = want.view(80, HEADS, D)
        if cache:
            codes = oracle.encode(source.float().cpu().numpy(), number, FP8[cache])
            source = torch.from_numpy(codes).to(device)
        for token, slot in enumerate(SLOTS[:-1]):
            rows[79 - slot if remapped else slot] = source[token]
        assert torch.equal(view.contiguous().view(want.dtype), want)


def test_signature() -> None:
    """SGLang's facade and kvforge's function take the same arguments."""
    import inspect

    ours, theirs = (
        inspect.signature(f).parameters for f in (kernels.reshape_and_cache_flash, sglangs)
    )
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]
