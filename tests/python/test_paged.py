"""kvforge.paged: bytes of an engine's memory as the layouts' documents have them, and attention to them."""

from __future__ import annotations

from conftest import ROOT, require

require("torch", __name__)

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import oracle
import processes
import pytest
import torch

from kvforge import paged

BLOCKS, SIZE, HEADS, D = 5, 4, 2, 32  # pages of 4 tokens
TABLE = [[3, 0, 2], [4, 1, 1]]
LENGTHS = [10, 6]  # tokens of each sequence
K_SCALE, V_SCALE = 0.035, 0.04
FRESH = 0xA5  # what the engine's memory holds before
# How far attention to the cache may be from that to the keys and values themselves.
TOLERANCE = {
    "fp8": 0.11,
    "fp8_e5m2": 0.35,
    "nvfp4": 0.3,
    "nvfp4_4over6": 0.3,
    "int4_per_token_head": 0.35,
    "q4_0": 0.3,
}
LAYOUTS = {  # memory of two layers, as axes of [layer, block, head, token]
    "LBHNC": (0, 1, 2, 3),
    "LBNHC": (0, 1, 3, 2),
    "LHBNC": (0, 2, 1, 3),
    "BLHNC": (1, 0, 2, 3),
    "BLNHC": (1, 0, 3, 2),
    "BHLNC": (1, 2, 0, 3),
}


def slots() -> list[int]:
    """Of all tokens, sequence after sequence."""
    return [TABLE[s][p // SIZE] * SIZE + p % SIZE for s, n in enumerate(LENGTHS) for p in range(n)]


def tokens(seed: int, size: int = D) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((sum(LENGTHS), HEADS, size)).astype(np.float32)


KEYS, VALUES, LONG_VALUES = tokens(1), tokens(2), tokens(4, 3 * D)


def rows_with_scales(rows: Any, largest: float, codes: Callable[[Any], Any]) -> Any:
    """Codes of each head, and behind them its scale."""
    scale = np.maximum(np.abs(rows).max(-1, keepdims=True) / np.float32(largest), np.float32(1e-6))
    scaled = rows * (np.float32(1) / scale)
    return np.concatenate([codes(scaled).view(np.uint8), scale.view(np.uint8)], axis=-1)


def half_away(scaled: Any) -> Any:
    return np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int8)


# Bytes of heads [..., D], by kv_cache_dtype.
EXACT: dict[str, Callable[[Any, float], Any]] = {
    "auto": lambda rows, scale: np.ascontiguousarray(rows).view(np.uint8),
    "fp8": oracle.encode,
    "fp8_e5m2": lambda rows, scale: oracle.encode(rows, scale, oracle.E5M2),
    "int8": lambda rows, scale: oracle.encode_int8(rows, scale).view(np.uint8),
    "int8_per_token_head": lambda rows, scale: rows_with_scales(rows, 127, half_away),
    "int8_per_token_head_even": lambda rows, scale: rows_with_scales(
        rows, 127, lambda scaled: np.rint(scaled).astype(np.int8)
    ),
    "fp8_per_token_head": lambda rows, scale: rows_with_scales(
        rows, 448, lambda scaled: oracle.encode(scaled, 1.0)
    ),
    "q8_0": lambda rows, scale: oracle.encode_q8_0(rows),
}
ALL = [*EXACT, "int4_per_token_head", "q4_0", "nvfp4", "nvfp4_4over6"]


def scales(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor([K_SCALE], device=device), torch.tensor([V_SCALE], device=device)


def write(pages: paged.Pages, device: str, values: Any = VALUES) -> None:
    """All tokens, in two calls, the second with a row of padding."""
    key, value = (torch.from_numpy(x).to(device) for x in (KEYS, values))
    where = torch.tensor(slots(), device=device)
    pages.write(key, value, where[:7], *scales(device))
    rest = torch.cat((where[7:], torch.tensor([-1], device=device)))
    key, value = (torch.cat((x[7:], x[:1])) for x in (key, value))
    pages.write(key, value, rest, *scales(device))


def memory(layout: str, content: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Bytes of two layers, and the second as [block, head, token, content]."""
    sizes = (2, BLOCKS, HEADS, SIZE)
    order = LAYOUTS[layout]
    shape = [*(sizes[axis] for axis in order), content]
    raw = torch.full(shape, FRESH, dtype=torch.uint8, device=device)
    inverse = [order.index(axis) for axis in range(4)]
    return raw, raw.permute(*inverse, 4)[1]


def check_attention(pages: paged.Pages, device: str, values: Any = VALUES) -> None:
    """Of the last three tokens of each sequence, in one batch, with and without parts."""
    heads = 2 * HEADS
    query = np.random.default_rng(3).standard_normal((6, heads, D)).astype(np.float32)
    start = torch.tensor([0, 3, 6], dtype=torch.int32, device=device)
    lengths = torch.tensor(LENGTHS, dtype=torch.int32, device=device)
    table = torch.tensor(TABLE, dtype=torch.int32, device=device)
    size = values.shape[-1]
    out = torch.full((6, heads, size), torch.nan, device=device)
    workspace = paged.make_workspace(6, heads, size, 2, torch.device(device))
    pages.attend(
        out,
        torch.from_numpy(query).to(device),
        start,
        lengths,
        table,
        D**-0.5,
        *scales(device),
        workspace=workspace,
    )
    first = np.cumsum([0, *LENGTHS])
    for i in range(6):
        s, seen = i // 3, LENGTHS[i // 3] - 2 + i % 3
        sides = [x[first[s] : first[s] + seen] for x in (KEYS, values)]
        want = oracle.attend(query[i], sides[0], sides[1], D**-0.5)
        tolerance = (
            1e-5 if pages.kv_cache_dtype == "auto" else TOLERANCE.get(pages.kv_cache_dtype, 0.1)
        )
        np.testing.assert_allclose(out[i].cpu().numpy(), want, atol=tolerance)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", ALL)
def test_interleaved(name: str, layout: str, device: str) -> None:
    content = paged.state_bytes(name, D, torch.float32)
    raw, view = memory(layout, content, device)
    if name.startswith("nvfp4") and layout in ("LHBNC", "BHLNC"):
        with pytest.raises(
            ValueError, match=r"^interleaved: kv_cache: got strides .* without gaps"
        ):
            paged.interleaved(view, name, D)
        return
    cache = view.view(torch.float32) if name == "auto" else view
    pages = paged.interleaved(cache, name, D)
    write(pages, device)
    if name in EXACT:
        want = np.full((BLOCKS, HEADS, SIZE, content), FRESH, np.uint8)
        both = [EXACT[name](KEYS, K_SCALE), EXACT[name](VALUES, V_SCALE)]
        for slot, heads in zip(slots(), np.concatenate(both, axis=-1), strict=True):
            want[slot // SIZE, :, slot % SIZE] = heads
        np.testing.assert_array_equal(view.cpu().numpy(), want)
    other = raw.movedim(LAYOUTS[layout].index(0), 0)[0]  # the layer beside it
    assert bool((other == FRESH).all())
    check_attention(pages, device)


@pytest.mark.parametrize("layout", ["LBHNC", "BLNHC"])
@pytest.mark.parametrize("name", ALL)
def test_values_of_another_size(name: str, layout: str, device: str) -> None:
    size = LONG_VALUES.shape[-1]
    content = paged.state_bytes(name, D, torch.float32, value_head_size=size)
    raw, view = memory(layout, content, device)
    cache = view.view(torch.float32) if name == "auto" else view
    pages = paged.interleaved(cache, name, D, value_head_size=size)
    write(pages, device, LONG_VALUES)
    if name in EXACT:
        both = [EXACT[name](KEYS, K_SCALE), EXACT[name](LONG_VALUES, V_SCALE)]
        got = view.cpu().numpy()
        for slot, heads in zip(slots(), np.concatenate(both, axis=-1), strict=True):
            np.testing.assert_array_equal(got[slot // SIZE, :, slot % SIZE], heads)
    other = raw.movedim(LAYOUTS[layout].index(0), 0)[0]  # the layer beside it
    assert bool((other == FRESH).all())
    check_attention(pages, device, LONG_VALUES)


def test_a_block_of_nvfp4(device: str) -> None:
    """Keys' codes, their block scales, then the same of values; heads outside of tokens."""
    _, view = memory("BLNHC", paged.state_bytes("nvfp4", D, torch.float32), device)
    write(paged.interleaved(view, "nvfp4", D), device)
    run = HEADS * SIZE * D
    got = view.transpose(1, 2).flatten(1).cpu().numpy()  # bytes of blocks, as they lie
    for side, (rows, scale) in enumerate([(KEYS, K_SCALE), (VALUES, V_SCALE)]):
        codes, block_scales = oracle.encode_nvfp4(rows, scale)
        at = side * (run // 2 + run // 16)
        for t, slot in enumerate(slots()):
            for h in range(HEADS):
                i = h * SIZE + slot % SIZE
                page = got[slot // SIZE, at:]
                assert bytes(page[i * D // 2 :][: D // 2]) == bytes(codes[t, h])
                assert bytes(page[run // 2 + i * D // 16 :][: D // 16]) == bytes(
                    block_scales[t, h].view(np.uint8)
                )


@pytest.mark.parametrize("heads_outside", [False, True])
def test_parts_of_nvfp4(heads_outside: bool, device: str) -> None:
    """Rows of codes and of block scales, of keys and of values, through views."""
    shape = (BLOCKS, 2, *((HEADS, SIZE) if heads_outside else (SIZE, HEADS)), D // 2 + D // 16)
    both = torch.full(shape, FRESH, dtype=torch.uint8, device=device)
    view = both.transpose(2, 3) if heads_outside else both
    pages = paged.separate(view, "nvfp4", D, dim=1)
    write(pages, device)
    where = np.array(slots())
    sides = ((pages.key, KEYS, K_SCALE), (pages.value, VALUES, V_SCALE))
    for side, rows, scale in sides:
        for part, want in zip(
            paged.codes_and_block_scales(side), oracle.encode_nvfp4(rows, scale), strict=True
        ):
            got = part.cpu().numpy()[where // SIZE, where % SIZE]
            np.testing.assert_array_equal(got, want.view(np.uint8))


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("heads_first", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_separate(name: str, heads_first: bool, dim: int, device: str) -> None:
    side = paged.state_bytes(name, D, torch.float32) // 2
    inner = (HEADS, SIZE) if heads_first else (SIZE, HEADS)
    outer = (2, BLOCKS) if dim == 0 else (BLOCKS, 2)
    raw = torch.full((*outer, *inner, side), FRESH, dtype=torch.uint8, device=device)
    view = raw.transpose(2, 3) if heads_first else raw
    cache = view.view(torch.float32) if name == "auto" else view
    pages = paged.separate(cache, name, D, dim=dim)
    write(pages, device)
    if name in EXACT:
        got = view.movedim(dim, 0).cpu().numpy()
        for n, (rows, scale) in enumerate([(KEYS, K_SCALE), (VALUES, V_SCALE)]):
            fresh = np.full(got.shape[1:], FRESH, np.uint8)
            want = oracle.scatter(fresh, np.array(slots()), EXACT[name](rows, scale))
            np.testing.assert_array_equal(got[n], want)
    check_attention(pages, device)


@pytest.mark.parametrize("name", ["auto", "fp8", "int8"])
def test_grouped(name: str, device: str) -> None:
    dtype = torch.float32 if name == "auto" else torch.uint8
    cache = torch.zeros(2, BLOCKS, HEADS * D * SIZE, dtype=dtype, device=device)
    pages = paged.grouped(cache, name, D, num_kv_heads=HEADS, block_size=SIZE)
    write(pages, device)
    x = 4 if name == "auto" else 16
    got = cache.cpu().view(torch.uint8).numpy()
    bytes_of = 16 // x
    wants = [EXACT[name](rows, scale) for rows, scale in ((KEYS, K_SCALE), (VALUES, V_SCALE))]
    for t, slot in enumerate(slots()):
        block, offset = divmod(slot, SIZE)
        key = got[0, block].reshape(HEADS, D // x, SIZE, 16)[:, :, offset]
        np.testing.assert_array_equal(key.reshape(HEADS, -1), wants[0][t])
        value = got[1, block].reshape(HEADS, D, SIZE, bytes_of)[:, :, offset]
        np.testing.assert_array_equal(value.reshape(HEADS, -1), wants[1][t])
    check_attention(pages, device)


def test_bytes_of_a_state() -> None:
    """Head size 64: what the formats' documents say, for a key and a value."""
    wanted = {
        "float16": 256, "fp8": 128, "int8": 128, "int8_per_token_head": 136, "fp8_per_token_head": 136,
        "int4_per_token_head": 72, "nvfp4": 72, "nvfp4_4over6": 72, "q8_0": 136, "q4_0": 72,
    }  # fmt: skip
    assert {name: paged.state_bytes(name, 64, torch.float16) for name in wanted} == wanted
    assert paged.state_bytes("auto", 64, torch.float32) == 512
    assert paged.state_bytes("q4_0", 64, torch.float16, value_head_size=32) == 54
    assert paged.state_bytes("auto", 192, torch.float16, value_head_size=128) == 640


WRONG: list[tuple[Callable[[torch.Tensor], Any], str]] = [  # of [5, 2, 4, 64], uint8
    (lambda c: paged.state_bytes("fp7", 64, c.dtype), r"kv_cache_dtype: got 'fp7', want one of"),
    (lambda c: paged.state_bytes("bfloat16", 64, c.dtype), r"got 'bfloat16' for keys of torch.u"),
    (
        lambda c: paged.state_bytes("nvfp4", 24, c.dtype),
        r"head_size: got 24, want a multiple of 16",
    ),
    (
        lambda c: paged.interleaved(c, "fp8", 16),
        r"interleaved: kv_cache: got shape \[5, 2, 4, 64\], want \[any, any, any, 32\]",
    ),
    (
        lambda c: paged.interleaved(c, "fp8", 16, value_head_size=32),
        r"interleaved: kv_cache: got shape \[5, 2, 4, 64\], want \[any, any, any, 48\]",
    ),
    (
        lambda c: paged.interleaved(c.float(), "fp8", 32),
        r"kv_cache: got torch.float32, want a type of one byte",
    ),
    (lambda c: paged.interleaved(c[..., ::2], "fp8", 16), r"got stride 2 in the last dimension"),
    (lambda c: paged.separate(c[None], "fp8", 64, dim=2), r"separate: dim: got 2, want 0 or 1"),
    (lambda c: paged.separate(c[None], "fp8", 64), r"separate: kv_cache: got shape \[1, 5, 2, 4"),
    (
        lambda c: paged.grouped(c, "nvfp4", 64, num_kv_heads=2, block_size=4),
        r"grouped: kv_cache_dtype: got 'nvfp4'",
    ),
    (
        lambda c: paged.grouped(c, "fp8", 24, num_kv_heads=2, block_size=4),
        r"grouped: head_size: got 24, want a multiple of 16",
    ),
    (lambda c: paged.calibrate(c, c, "q8_0"), r"calibrate: kv_cache_dtype: got 'q8_0'"),
]


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_what_is_wrong_is_said(call: Callable[[torch.Tensor], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(torch.zeros(5, 2, 4, 64, dtype=torch.uint8))


def test_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 24)
    assert paged.choose_splits(1, 9, 3, 4096, cpu) == 8  # three KV heads of three
    assert (
        paged.choose_splits(1, 32, 2, 4096, cpu) == 6
    )  # 16 query heads of a KV head are two pieces
    assert paged.choose_splits(1, 9, 3, 300, cpu) == 3
    assert paged.choose_splits(8, 9, 3, 4096, cpu) == 1
    assert paged.choose_splits(0, 9, 3, 0, cpu) == 1
    assert paged.make_workspace(4, 9, 64, 1, cpu) is None
    header = (ROOT / "runtime/include/kvforge/cache/attention.h").read_text()
    numbers = dict(re.findall(r"(KVF_\w+) = (\d+)", header))
    assert int(numbers["KVF_SPLIT_POSITIONS"]) == paged.batch.PART
    assert int(numbers["KVF_ATTENTION_ROWS"]) == paged.batch.ROWS


@pytest.mark.parametrize(
    ("name", "largest"), [("fp8", 448), ("fp8_e5m2", 57344), ("int8", 127), ("nvfp4", 448)]
)
def test_calibration(name: str, largest: float, device: str) -> None:
    key, value = KEYS.copy(), 3 * VALUES
    key[0, 0, :2] = np.nan, np.inf
    key[-1] = 1e9  # without a slot
    value[:, 1] = 0
    where = torch.tensor([*range(len(key) - 2), -1], device=device)
    k, v = paged.calibrate(
        torch.from_numpy(key).to(device), torch.from_numpy(value).to(device), name, where
    )
    key[0, 0, :2] = 0
    for got, rows in ((k, key), (v, value)):
        want = np.abs(rows[:-2]).max((0, 2)) / np.float32(largest)
        np.testing.assert_array_equal(got.cpu().numpy(), np.maximum(want, np.float32(2.0**-20)))


def test_scales_of_the_first_step(device: str) -> None:
    found = paged.FirstStepScales("int8", HEADS, torch.device(device))
    at = found.key.data_ptr()
    key = torch.from_numpy(KEYS).to(device)
    found.see(key, key, torch.full((4,), -1, device=device))  # an engine's dry run
    assert not found.done and found.key.tolist() == [1.0] * HEADS
    found.see(key, 2 * key, torch.arange(len(KEYS), device=device))
    found.see(100 * key, key, torch.arange(len(KEYS), device=device))
    want = np.abs(KEYS).max((0, 2)) / np.float32(127)
    np.testing.assert_array_equal(found.key.cpu().numpy(), want)
    np.testing.assert_array_equal(found.value.cpu().numpy(), 2 * want)
    assert found.key.data_ptr() == at


def test_names_of_others_stay_free() -> None:
    processes.run("""
import torch
import kvforge.torch
done = kvforge.torch.register(own_namespace="only")
assert "kvforge::copy_blocks" in done and all(name.startswith("kvforge::") for name in done)
torch.library.Library("_C_cache_ops", "FRAGMENT").define("copy_blocks(Tensor x) -> ()")
""")
