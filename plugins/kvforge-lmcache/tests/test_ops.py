"""LMCache's operations, byte for byte, against indexing by the formulas of its formats, and against LMCache's
own where it is installed."""

from __future__ import annotations

from conftest import require

require(__name__)

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from kvforge_lmcache import formats, ops

TO_PAGES, TO_OBJECT = 0, 1
BLOCKS, TOKENS, LAYERS, SIZE = 7, 4, 3, 6
IDS = [5, 0, 6, 2, 3]  # of an engine's blocks, in order
CHUNK = 8  # tokens of an object: three, the last half full

# format: addresses, and how [layer, plane, block, token, head] lies in them: index of the address, and
# element of it. S: elements of a block of one plane, with its gap; N, H, D: tokens, heads, size.
Place = Callable[[int, int, int, int, int, int, int], tuple[int, int]]
N, D, L, B = TOKENS, SIZE, LAYERS, BLOCKS
WHERE: dict[int, tuple[int, Place]] = {
    0: (1, lambda i, c, b, n, h, H, S: (0, b * 2 * L * S + i * 2 * S + c * S + (n * H + h) * D)),
    1: (L, lambda i, c, b, n, h, H, S: (i, c * B * S + b * S + (n * H + h) * D)),
    2: (L, lambda i, c, b, n, h, H, S: (i, b * 2 * S + c * S + (n * H + h) * D)),
    3: (L, lambda i, c, b, n, h, H, S: (i, b * S + n * D)),
    4: (2 * L, lambda i, c, b, n, h, H, S: (c * L + i, b * S + (n * H + h) * D)),
    5: (L, lambda i, c, b, n, h, H, S: (i, b * S + n * D)),
    6: (L, lambda i, c, b, n, h, H, S: (i, c * B * S + b * S + (h * N + n) * D)),
    7: (L, lambda i, c, b, n, h, H, S: (i, b * 2 * S + c * S + (h * N + n) * D)),
    8: (1, lambda i, c, b, n, h, H, S: (0, b * 2 * L * S + i * 2 * S + c * S + (h * N + n) * D)),
    9: (2 * L, lambda i, c, b, n, h, H, S: (c * L + i, b * S + (n * H + h) * D)),
    10: (L, lambda i, c, b, n, h, H, S: (i, b * S + (h * N + n) * D)),
    11: (L, lambda i, c, b, n, h, H, S: (i, b * S + (n * H + h) * D)),
    12: (L, lambda i, c, b, n, h, H, S: (i, b * S + (h * N + n) * D)),
    13: (L, lambda i, c, b, n, h, H, S: (i, b * S + (n * H + h) * D)),
    15: (L, lambda i, c, b, n, h, H, S: (i, c * B * S + b * S + (h * N + n) * D)),
    16: (2 * L, lambda i, c, b, n, h, H, S: (2 * i + c, b * S + (n * H + h) * D)),
    18: (L, lambda i, c, b, n, h, H, S: (i, b * S + (n * H + h) * D)),
}
PACKED = (10, 11, 12, 13)
ONE_PLANE = (3, 5, 18, *PACKED)
ONE_HEAD = (3, 5)
GAPS = (0, 1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 15)  # formats whose blocks may have some


class Cache:
    """Memory of a format, one array of uint16 for each address, and its rows by the formulas above."""

    def __init__(self, format: int, gap: int = 0, heads: int = 2) -> None:
        self.format, self.planes = format, 1 if format in ONE_PLANE else 2
        self.heads = 1 if format in ONE_HEAD else heads
        self.pitch = N * self.heads * D + gap
        count, self.place = WHERE[format]
        random = np.random.default_rng(format)
        size = B * self.pitch * self.planes * L // count
        self.memory = [random.integers(0, 1 << 16, size, np.uint16) for _ in range(count)]
        self.addresses = torch.tensor([each.ctypes.data for each in self.memory])

    def desc(self) -> Any:
        return SimpleNamespace(
            kv_size=self.planes,
            nl=L,
            nb=B,
            bs=N,
            nh=self.heads,
            hs=D,
            element_size=2,
            block_stride_elems=self.pitch if self.format in GAPS else 0,
            dtype=torch.float16,
        )

    def cell(self, plane: int, layer: int, slot: int, head: int) -> Any:
        block, token = divmod(slot, N)
        where, first = self.place(layer, plane, block, token, head, self.heads, self.pitch)
        return self.memory[where][first : first + D]

    def rows(self, slots: list[int]) -> Any:
        """[plane, layer, token, head * element]."""
        return np.array(
            [
                [
                    [
                        np.concatenate([self.cell(c, layer, slot, h) for h in range(self.heads)])
                        for slot in slots
                    ]
                    for layer in range(L)
                ]
                for c in range(self.planes)
            ]
        )

    def put(self, slots: list[int], rows: Any) -> None:
        for c, layer, j, h in np.ndindex(self.planes, L, len(slots), self.heads):
            self.cell(c, layer, slots[j], h)[:] = rows[c, layer, j, h * D : (h + 1) * D]


def slots_of(ids: list[int]) -> list[int]:
    return [block * N + token for block in ids for token in range(N)]


def objects(cache: Cache) -> list[Any]:
    random = np.random.default_rng(1)
    shape = (cache.planes, L, CHUNK, cache.heads * D)
    return [random.integers(0, 1 << 16, shape, np.uint16) for _ in range(3)]


@pytest.mark.parametrize("by", ["address", "tensor"])
@pytest.mark.parametrize("skip", [0, 1, 3])
@pytest.mark.parametrize(
    ("format", "gap"), [*((each, 0) for each in WHERE), *((each, 10) for each in GAPS)]
)
def test_blocks(format: int, gap: int, skip: int, by: str) -> None:
    """Both ways; what is in no named block, and in no token of an object, stays as it is."""
    cache, chunks = Cache(format, gap), objects(Cache(format))
    given = [torch.from_numpy(each) if by == "tensor" else each.ctypes.data for each in chunks]
    options = (torch.device("cpu"), TO_OBJECT, cache.desc(), CHUNK, format, skip)
    want = [each.copy() for each in chunks]
    rows = cache.rows(slots_of(IDS))
    for token in range(skip * N, len(IDS) * N):
        want[token // CHUNK][:, :, token % CHUNK] = rows[:, :, token]
    memory = [each.copy() for each in cache.memory]
    ops.multi_layer_block_kv_transfer(cache.addresses, given, torch.tensor(IDS), *options)
    for got, expected in zip(chunks, want, strict=True):
        np.testing.assert_array_equal(got, expected)
    for got, expected in zip(cache.memory, memory, strict=True):
        np.testing.assert_array_equal(got, expected)
    back = [np.random.default_rng(2).permuted(each) for each in chunks]
    given = [torch.from_numpy(each) if by == "tensor" else each.ctypes.data for each in back]
    expected = Cache(format, gap)
    tokens = np.concatenate(back, axis=2)[:, :, skip * N : len(IDS) * N]
    expected.put(slots_of(IDS)[skip * N :], tokens)
    options = (torch.device("cpu"), TO_PAGES, cache.desc(), CHUNK, format, skip)
    ops.multi_layer_block_kv_transfer(cache.addresses, given, IDS, *options)
    for got, want_memory in zip(cache.memory, expected.memory, strict=True):
        np.testing.assert_array_equal(got, want_memory)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch has no GPU")
@pytest.mark.parametrize("by", ["address", "pinned", "device"])
@pytest.mark.parametrize("format", WHERE)
def test_blocks_of_a_gpu(format: int, by: str) -> None:
    """Both ways: the bytes that pages on the CPU give and take."""
    device = torch.device("cuda", 0)
    for direction in (TO_OBJECT, TO_PAGES):
        cache, chunks = Cache(format), objects(Cache(format))
        there = [torch.from_numpy(each).to(device) for each in cache.memory]
        held = [torch.from_numpy(each.copy()) for each in chunks]
        held = [each.to(device) if by == "device" else each.pin_memory() for each in held]
        given = [each.data_ptr() for each in held] if by == "address" else held
        addresses = torch.tensor([each.data_ptr() for each in there], device=device)
        options = (direction, cache.desc(), CHUNK, format, 1)
        ids = torch.tensor(IDS, device=device)
        ops.multi_layer_block_kv_transfer(addresses, given, ids, device, *options)
        torch.cuda.synchronize()
        on_host = [torch.from_numpy(each) for each in chunks]
        cpu = torch.device("cpu")
        ops.multi_layer_block_kv_transfer(cache.addresses, on_host, IDS, cpu, *options)
        for got, want in zip([*held, *there], [*chunks, *cache.memory], strict=True):
            np.testing.assert_array_equal(got.cpu().numpy(), want)


def test_an_object_that_a_gpu_does_not_see() -> None:
    with pytest.raises(ValueError, match="want it on cuda:0, or pinned"):
        formats.seen_by(torch.device("cuda", 0), torch.zeros(3))


def test_codes_and_scales_apart_in_a_block() -> None:
    """Format 14: rows of codes, then the scales of a block; in an object a scale is behind its codes."""
    hs = 12
    pages = [np.random.default_rng(i).integers(0, 256, B * N * hs, np.uint8) for i in range(L)]
    desc = SimpleNamespace(
        kv_size=1, nl=L, nb=B, bs=N, nh=1, hs=hs, element_size=1, block_stride_elems=0
    )
    object_ = np.zeros((L, CHUNK, hs), np.uint8)
    addresses = torch.tensor([each.ctypes.data for each in pages])
    call = (torch.device("cpu"), TO_OBJECT, desc, CHUNK, 14, 0)
    ops.multi_layer_block_kv_transfer(addresses, [object_.ctypes.data], [5, 2], *call)
    for layer in range(L):
        blocks = pages[layer].reshape(B, N * hs)[[5, 2]]
        codes = blocks[:, : N * (hs - 4)].reshape(CHUNK, hs - 4)
        scales = blocks[:, N * (hs - 4) :].reshape(CHUNK, 4)
        np.testing.assert_array_equal(object_[layer], np.concatenate([codes, scales], 1))
    before = [each.copy() for each in pages]
    for each in pages:
        each.reshape(B, -1)[[5, 2]] = 0
    call = (torch.device("cpu"), TO_PAGES, desc, CHUNK, 14, 0)
    ops.multi_layer_block_kv_transfer(addresses, [object_.ctypes.data], [5, 2], *call)
    for got, want in zip(pages, before, strict=True):
        np.testing.assert_array_equal(got, want)


def test_planes_of_several_widths_and_dtypes() -> None:
    """Format 17: a row of an object has a token's row of each plane, one behind the other."""
    random = torch.Generator().manual_seed(1)
    kinds = [(5, torch.float16), (3, torch.uint8), (2, torch.float32)]
    layers = [
        tuple(
            torch.randint(0, 100, (B, N, 1, width), generator=random).to(dtype)
            for width, dtype in kinds
        )
        for _ in range(L)
    ]
    width = 10 + 3 + 8
    object_ = torch.zeros((L, CHUNK, width), dtype=torch.uint8)
    desc = SimpleNamespace(bs=N)
    call = (torch.device("cpu"), TO_OBJECT, desc, CHUNK, 17, 0)
    ops.multi_layer_block_kv_transfer(layers, [object_], [5, 2], *call)
    for layer, planes in enumerate(layers):
        rows = [plane[[5, 2]].reshape(CHUNK, -1).numpy().view(np.uint8) for plane in planes]
        np.testing.assert_array_equal(object_[layer].numpy(), np.concatenate(rows, 1))


@pytest.mark.parametrize("direction", [TO_PAGES, TO_OBJECT])
@pytest.mark.parametrize("format", [each for each in WHERE if each not in (0, 8)])
def test_tokens(format: int, direction: int) -> None:
    """In any order, some left out by their slot and some by the prefix."""
    cache = Cache(format)
    slots = [9, -1, 3, 27, 0, 14, 22, 8]
    shape = (cache.planes, L, len(slots), cache.heads * D)
    tokens = np.random.default_rng(3).integers(0, 1 << 16, shape, np.uint16)
    expected, want = Cache(format), tokens.copy()
    moved = [j for j, slot in enumerate(slots) if slot >= 0 and j >= 3]
    if direction == TO_PAGES:
        expected.put([slots[j] for j in moved], tokens[:, :, moved])
    else:
        want[:, :, moved] = cache.rows([slots[j] for j in moved])
    ops.multi_layer_kv_transfer(
        torch.from_numpy(tokens.view(np.int16)),
        cache.addresses,
        torch.tensor(slots),
        torch.device("cpu"),
        B * N,
        direction,
        format,
        N,
        D,
        3,
    )
    np.testing.assert_array_equal(tokens, want)
    for got, memory in zip(cache.memory, expected.memory, strict=True):
        np.testing.assert_array_equal(got, memory)


@pytest.mark.parametrize("direction", [TO_PAGES, TO_OBJECT])
@pytest.mark.parametrize("format", [4, 5])
def test_tensors_of_keys_and_of_values(format: int, direction: int) -> None:
    cache = Cache(format)
    slots = [9, -1, 3, 27]
    shape = (cache.planes, L, len(slots), cache.heads * D)
    tokens = np.random.default_rng(3).integers(0, 1 << 16, shape, np.uint16)
    expected, want = Cache(format), tokens.copy()
    if direction == TO_PAGES:
        expected.put([9, 3, 27], tokens[:, :, [0, 2, 3]])
    else:
        want[:, :, [0, 2, 3]] = cache.rows([9, 3, 27])
    ops.multi_layer_kv_transfer_unilateral(
        torch.from_numpy(tokens.view(np.int16)),
        [torch.from_numpy(each) for each in cache.memory],
        torch.tensor(slots),
        torch.device("cpu"),
        B * N,
        direction,
        format,
    )
    np.testing.assert_array_equal(tokens, want)
    for got, memory in zip(cache.memory, expected.memory, strict=True):
        np.testing.assert_array_equal(got, memory)


@pytest.mark.parametrize("token_major", [False, True])
@pytest.mark.parametrize("direction", [TO_PAGES, TO_OBJECT])
@pytest.mark.parametrize("form", ["1", "2", "3", "6", "7", "sglang"])
def test_one_layer(form: str, direction: int, token_major: bool) -> None:
    shapes = {
        "1": (2, B, N, 2, D),
        "2": (B, 2, N, 2, D),
        "3": (B, N, 2 * D),
        "sglang": (2, B, N, 2, D),
    }
    shapes |= {"6": (2, B, 2, N, D), "7": (B, 2, 2, N, D)}
    random = np.random.default_rng(4)
    pages = random.standard_normal(shapes[form]).astype(np.float32)
    planes = {
        "1": pages,
        "2": pages.swapaxes(0, 1) if form == "2" else pages,
        "3": pages[None],
        "6": pages.swapaxes(-3, -2) if form == "6" else pages,
        "7": pages.swapaxes(0, 1).swapaxes(-3, -2) if form == "7" else pages,
        "sglang": pages,
    }[form]
    slots = [9, -1, 3, 27]
    count = planes.shape[0]
    tokens = random.standard_normal((count, len(slots), 2 * D)).astype(np.float32)
    want_pages, want = planes.copy(), tokens.copy()
    for j, slot in enumerate(slots):
        block, row = divmod(slot, N)
        for c in range(count if slot >= 0 else 0):
            if direction == TO_PAGES:
                want_pages[c, block, row] = tokens[c, j].reshape(want_pages[c, block, row].shape)
            else:
                want[c, j] = planes[c, block, row].reshape(-1)
    given = torch.from_numpy(tokens)
    if form == "3":
        given = given[0]
    elif token_major:
        given = given.transpose(0, 1).contiguous()
    if form == "sglang":
        key, value = torch.from_numpy(pages).unbind(0)
        where = torch.tensor(slots)
        ops.single_layer_kv_transfer_sgl(given, key, value, where, direction, token_major)
    else:
        ops.single_layer_kv_transfer(
            *(
                given,
                torch.from_numpy(pages),
                torch.tensor(slots),
                direction,
                int(form),
                token_major,
            )
        )
    np.testing.assert_array_equal(planes, want_pages)
    got = given[None] if form == "3" else given.transpose(0, 1) if token_major else given
    np.testing.assert_array_equal(got.numpy(), want)


def test_what_is_refused() -> None:
    """A block that there is not, and all else, before anything is written."""
    cache = Cache(1)
    [chunk, *_] = objects(cache)
    before = [each.copy() for each in cache.memory]

    def call(**changes: Any) -> None:
        call = {
            "paged_buffer_ptrs_tensor": cache.addresses,
            "lmcache_objects_ptrs": [torch.from_numpy(chunk)],
            "block_ids": [0, 1],
            "device": "cpu",
            "direction": TO_PAGES,
            "shape_desc": cache.desc(),
            "lmcache_chunk_size": CHUNK,
            "engine_kv_format": 1,
            "skip_prefix_n_blocks": 0,
        }
        ops.multi_layer_block_kv_transfer(**{**call, **changes})

    with pytest.raises(IndexError):
        call(block_ids=[0, B])
    with pytest.raises(ValueError, match="direction: got 2, want 0 or 1"):
        call(direction=2)
    with pytest.raises(ValueError, match="lmcache_chunk_size: got 6, want a multiple of 4"):
        call(lmcache_chunk_size=6)
    with pytest.raises(ValueError, match="skip_prefix_n_blocks: got -1"):
        call(skip_prefix_n_blocks=-1)
    with pytest.raises(ValueError, match="object: got 72 bytes, want 1152"):
        call(lmcache_objects_ptrs=[torch.zeros(36, dtype=torch.float16)])
    with pytest.raises(ValueError, match="format 1: got 2 addresses, want 3"):
        call(paged_buffer_ptrs_tensor=cache.addresses[:2])
    with pytest.raises(NotImplementedError, match="raw addresses on meta"):
        call(device="meta")
    with pytest.raises(ValueError, match="head_size: got 0 for format 6"):
        ops.multi_layer_kv_transfer(
            *(torch.zeros(2, L, 1, 12), cache.addresses, torch.tensor([0]), "cpu", B * N, 1, 6, N)
        )
    for got, want in zip(cache.memory, before, strict=True):
        np.testing.assert_array_equal(got, want)
