"""One real call of every op, small, with padded tokens and what must come of it.

A case is made for any kind of array: `put` says how NumPy arrays become arrays of a library.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import oracle
from oracle import BF16, E4M3, Array

import kvforge


class Put(Protocol):
    """Makes arrays of one library, on one device."""

    def device(self, array: Array) -> Any:
        """A copy of the array on the device."""

    def host(self, array: Array) -> Any:
        """A copy of the array in host memory."""

    def address(self, array: Any) -> int:
        """Where the memory of one of these arrays is."""

    def bytes(self, array: Any) -> Array:
        """The bytes of one of these arrays, as a flat NumPy array of uint8."""


@dataclass
class Case:
    """Arguments in the schema's order, and (array, wanted NumPy array) for what is written."""

    arguments: dict[str, Any]
    outputs: list[tuple[Any, Array]]
    close: bool = False  # f32 results that are defined up to rounding
    keep: list[Any] = field(default_factory=list)  # memory that is known by address
    scratch: list[Any] = field(default_factory=list)  # written, but no result

    def check(self, put: Put) -> None:
        """AssertionError unless every output is what it must be, to the bit."""
        for got, want in self.outputs:
            have = put.bytes(got)
            if self.close:
                found = have.view(np.float32).reshape(want.shape)
                np.testing.assert_allclose(found, want, rtol=2e-5, atol=1e-6)
            else:
                wanted = np.ascontiguousarray(want).reshape(-1).view(np.uint8)
                np.testing.assert_array_equal(have, wanted)


Maker = Callable[[Put], Case]
M = TypeVar("M", bound=Maker)
CASES: dict[str, Maker] = {}


@functools.cache
def namespace(op: str) -> str:
    """Of an op; each kvforge.variants() reads the whole table."""
    return next(row.namespace for row in kvforge.variants() if row.op == op)


def function(root: Any, op: str) -> Any:
    """An op of kvforge.ops or torch.ops, in the namespace that it has."""
    return getattr(getattr(root, namespace(op)), op)


def case(maker: M) -> M:
    CASES[maker.__name__] = maker
    return maker


def normal(*shape: int, dtype: Any = BF16, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).integers(0, 256, shape, dtype=np.uint8)


SLOTS = np.array([5, -1, 0, 11, 7], np.int64)  # 3 pages of 4
POOL_SLOTS = np.array([2, 6, 4, -3, 0], np.int64)  # of another pool
REMAP = np.array([7, 99, 5, 99, 0, 99, -1], np.int32)  # its slots in these pages; 6 is in none
REMAPPED = np.array([5, -1, 0, -1, 7], np.int64)
ONE = np.float32(1)


@case
def reshape_and_cache_flash(put: Put, fp8: Any = E4M3, dtype: Any = BF16) -> Case:
    key, value = normal(6, 3, 20, dtype=dtype), normal(6, 3, 20, dtype=dtype, seed=1)
    pages = [noise(3, 4, 3, 20, seed=i) for i in (0, 1)]
    scales: list[Array] = [np.array([0.25, 0.5, 2], np.float32), np.float32(0.125)]
    caches = [put.device(p) for p in pages]
    wants = [
        oracle.scatter(pages[0], SLOTS, oracle.encode(key, scales[0][:, None], fp8)),
        oracle.scatter(pages[1], SLOTS, oracle.encode(value, scales[1], fp8)),
    ]
    return Case(
        {
            "key": put.device(key),
            "value": put.device(value),
            "key_cache": caches[0],
            "value_cache": caches[1],
            "slot_mapping": put.device(SLOTS),
            "kv_cache_dtype": "fp8_e4m3" if fp8 == E4M3 else "fp8_e5m2",
            "k_scale": put.device(scales[0]),
            "v_scale": put.device(np.asarray(scales[1])),
        },
        list(zip(caches, wants, strict=True)),
    )


@case
def reshape_and_cache(put: Put) -> Case:
    key, value = normal(5, 2, 16), normal(5, 2, 16, seed=1)
    key_pages, value_pages = noise(3, 2, 2, 4, 8), noise(3, 2, 16, 4)
    scale = np.float32(0.03125)
    # As [block, token, head, element], the order of the oracle.
    keys = oracle.scatter(
        key_pages.transpose(0, 3, 1, 2, 4).reshape(3, 4, 2, 16),
        SLOTS,
        oracle.encode_int8(key, scale).view(np.uint8),
    )
    values = oracle.scatter(
        value_pages.transpose(0, 3, 1, 2), SLOTS, oracle.encode_int8(value, scale).view(np.uint8)
    )
    key_cache, value_cache = put.device(key_pages), put.device(value_pages)
    return Case(
        {
            "key": put.device(key),
            "value": put.device(value),
            "key_cache": key_cache,
            "value_cache": value_cache,
            "slot_mapping": put.device(SLOTS.astype(np.int32)),
            "kv_cache_dtype": "int8",
            "k_scale": put.device(np.asarray(scale)),
            "v_scale": put.device(np.asarray(scale)),
        },
        [
            (key_cache, keys.reshape(3, 4, 2, 2, 8).transpose(0, 2, 3, 1, 4)),
            (value_cache, values.transpose(0, 2, 3, 1)),
        ],
    )


@case
def reshape_and_cache_flash_layers(put: Put) -> Case:
    keys, values = normal(2, 5, 2, 8), normal(2, 5, 2, 8, seed=1)
    pages = [[normal(3, 4, 2, 8, seed=10 * side + n) for n in (0, 1)] for side in (1, 2)]
    caches = [[put.device(p) for p in side] for side in pages]
    wants = [
        oracle.scatter(pages[side][n], SLOTS, rows[n])
        for side, rows in enumerate((keys, values))
        for n in (0, 1)
    ]
    return Case(
        {
            "keys": put.device(keys),
            "values": put.device(values),
            "key_caches": caches[0],
            "value_caches": caches[1],
            "slot_mapping": put.device(SLOTS),
            "kv_cache_dtype": "auto",
            "k_scales": put.device(np.asarray(ONE)),
            "v_scales": put.device(np.asarray(ONE)),
        },
        list(zip([*caches[0], *caches[1]], wants, strict=True)),
    )


@case
def reshape_and_cache_flash_nvfp4(put: Put) -> Case:
    sides = [normal(5, 2, 32), normal(5, 2, 32, seed=1)]
    scales = [0.01, 1.0]
    pages = [noise(3, 4 * 2 * 18, seed=i) for i in (0, 1)]
    caches, outputs = [], []
    for rows, scale, page in zip(sides, scales, pages, strict=True):
        codes, stored = oracle.encode_nvfp4(rows, scale)
        parts = [page[:, :128].reshape(3, 4, 2, 16), page[:, 128:].reshape(3, 4, 2, 2)]
        want = [oracle.scatter(p, SLOTS, r) for p, r in zip(parts, (codes, stored), strict=True)]
        caches.append(put.device(page.reshape(3, 4, 2, 18)))
        outputs.append((caches[-1], np.concatenate([w.reshape(3, -1) for w in want], axis=1)))
    return Case(
        {
            "key": put.device(sides[0]),
            "value": put.device(sides[1]),
            "key_cache": caches[0],
            "value_cache": caches[1],
            "slot_mapping": put.device(SLOTS),
            "kv_cache_dtype": "nvfp4",
            "k_scale": put.device(np.float32(scales[0]).reshape(1)),
            "v_scale": put.device(np.float32(scales[1]).reshape(1)),
            "swizzle_v_scales": False,
        },
        outputs,
    )


@case
def reshape_and_cache_flash_per_token_head(put: Put) -> Case:
    sides = [normal(5, 2, 8), normal(5, 2, 12, seed=1)]
    arguments: dict[str, Any] = {"key": put.device(sides[0]), "value": put.device(sides[1])}
    outputs, scale_caches = [], {}
    for side, rows in zip(("k", "v"), sides, strict=True):
        amax = np.abs(rows.astype(np.float32)).max(-1)
        scale = np.maximum(amax / np.float32(448), np.float32(1e-6))
        codes = oracle.encode(rows.astype(np.float32) * (ONE / scale)[..., None], ONE)
        pages, scales = noise(3, 4, *codes.shape[1:]), normal(3, 4, 2, dtype=np.float32)
        name = "key_cache" if side == "k" else "value_cache"
        arguments[name] = put.device(pages)
        scale_caches[f"{side}_scale_cache"] = put.device(scales)
        outputs.append((arguments[name], oracle.scatter(pages, REMAPPED, codes)))
        wanted = oracle.scatter(scales, REMAPPED, scale)
        outputs.append((scale_caches[f"{side}_scale_cache"], wanted))
    arguments |= scale_caches
    arguments |= {"slot_mapping": put.device(POOL_SLOTS), "kv_cache_dtype": "fp8_per_token_head"}
    return Case(arguments | {"slot_remap": put.device(REMAP)}, outputs)


@case
def reshape_and_cache_flash_ggml(put: Put) -> Case:
    arguments: dict[str, Any] = {}
    outputs = []
    for side, size in (("key", 64), ("value", 32)):
        rows = normal(5, 2, size, seed=size)
        arguments[side] = put.device(rows)
        codes = oracle.encode_q8_0(rows)
        pages = noise(3, 4, 2, codes.shape[-1])
        outputs.append((put.device(pages), oracle.scatter(pages, SLOTS, codes)))
        arguments[f"{side}_cache"] = outputs[-1][0]
    arguments = {name: arguments[name] for name in ("key", "value", "key_cache", "value_cache")}
    arguments |= {"slot_mapping": put.device(SLOTS), "kv_cache_dtype": "q8_0"}
    return Case(arguments, outputs)


@case
def concat_and_cache_mla(put: Put) -> Case:
    latent, rope, pages = normal(6, 12), normal(6, 4, seed=1), noise(3, 4, 16)
    scale = np.float32(0.5)
    rows = oracle.encode(np.concatenate([latent, rope], axis=1), scale)
    cache = put.device(pages)
    return Case(
        {
            "kv_c": put.device(latent),
            "k_pe": put.device(rope),
            "kv_cache": cache,
            "slot_mapping": put.device(SLOTS),
            "kv_cache_dtype": "fp8",
            "scale": put.device(np.asarray(scale)),
        },
        [(cache, oracle.scatter(pages, SLOTS, rows))],
    )


@case
def concat_and_cache_mla_grouped(put: Put) -> Case:
    latent, rope = normal(2, 5, 12), normal(2, 5, 4, seed=1)
    pages = [noise(3, 4, 16, seed=n) for n in (0, 1)]
    scales = np.array([0.5, 0.25], np.float32)
    caches = [put.device(p) for p in pages]
    slots = np.stack([SLOTS, SLOTS[::-1]])
    rows = oracle.encode(np.concatenate([latent, rope], axis=2), scales[:, None, None])
    return Case(
        {
            "kv_c": put.device(latent),
            "k_pe": put.device(rope),
            "kv_cache_ptrs": put.device(np.array([put.address(c) for c in caches], np.int64)),
            "slot_mapping": put.device(slots),
            "block_size": 4,
            "block_stride": 64,
            "entry_stride": 16,
            "kv_scales": put.device(scales),
            "kv_cache_dtype": "fp8",
            "num_blocks": 3,
        },
        [(caches[n], oracle.scatter(pages[n], slots[n], rows[n])) for n in (0, 1)],
        keep=caches,
    )


@case
def concat_and_cache_mla_rope_fused(put: Put) -> Case:
    queries, keys = normal(5, 2, 8), normal(5, 8, seed=1)
    latent, table = normal(5, 12, seed=2), normal(9, 8, seed=3)
    positions, pages = np.array([3, 8, 0, 1, 8], np.int64), normal(3, 4, 20, seed=4)
    turned = oracle.rotate(keys, table, positions, neox=True)
    turned[SLOTS < 0] = keys[SLOTS < 0]
    asked = oracle.rotate(queries, table, positions, neox=True)
    asked[SLOTS < 0] = queries[SLOTS < 0]
    rows = np.concatenate([latent, turned], axis=1)
    q_pe, k_pe, cache = put.device(queries), put.device(keys), put.device(pages)
    return Case(
        {
            "positions": put.device(positions),
            "q_pe": q_pe,
            "k_pe": k_pe,
            "kv_c": put.device(latent),
            "cos_sin_cache": put.device(table),
            "is_neox": True,
            "slot_mapping": put.device(SLOTS),
            "kv_cache": cache,
            "kv_cache_dtype": "auto",
            "kv_cache_scale": put.device(np.asarray(ONE)),
        },
        [
            (q_pe, asked),
            (k_pe, turned),
            (cache, oracle.scatter(pages, SLOTS, rows)),
        ],
    )


@case
def rope_and_cache_flash(put: Put) -> Case:
    query, key = normal(6, 3, 24), normal(6, 2, 24, seed=1)
    value, table = normal(6, 2, 16, seed=2), normal(9, 16, seed=3, dtype=np.float32)
    weights = [normal(24, seed=4), normal(24, seed=5)]
    positions = np.array([3, 8, 0, 1, 8, 2], np.int32)
    scales: list[Array] = [np.array([0.25, 0.5], np.float32), np.float32(0.125), np.float32(0.5)]
    pages = [noise(3, 4, 2, size, seed=size) for size in (24, 16)]
    turned = [
        oracle.turn(oracle.norm(rows, weight, 1e-5), table, positions, neox=False)
        for rows, weight in zip((query, key), weights, strict=True)
    ]
    caches, keys = [put.device(p) for p in pages], put.device(key)
    codes, queries = put.device(noise(6, 3, 24, seed=6)), put.device(query)
    return Case(
        {
            "query": queries,
            "key": keys,
            "value": put.device(value),
            "key_cache": caches[0],
            "value_cache": caches[1],
            "positions": put.device(positions),
            "cos_sin_cache": put.device(table),
            "slot_mapping": put.device(SLOTS),
            "kv_cache_dtype": "fp8",
            "k_scale": put.device(scales[0]),
            "v_scale": put.device(np.asarray(scales[1])),
            "is_neox": False,
            "q_weight": put.device(weights[0]),
            "k_weight": put.device(weights[1]),
            "eps": 1e-5,
            "weight_bias": 0.0,
            "norm": "auto",
            "rounding": "unfused",
            "q_out": codes,
            "q_scale": put.device(np.asarray(scales[2])),
            "k_out": None,
        },
        [
            (keys, turned[1]),
            (codes, oracle.encode(turned[0], scales[2])),
            (
                caches[0],
                oracle.scatter(pages[0], SLOTS, oracle.encode(turned[1], scales[0][:, None])),
            ),
            (caches[1], oracle.scatter(pages[1], SLOTS, oracle.encode(value, scales[1]))),
            (queries, query),  # may be written, but q_out is
        ],
    )


@case
def concat_mla_q(put: Put) -> Case:
    latent, rope = normal(5, 2, 12), normal(5, 2, 4, seed=1)
    want = normal(5, 3, 16, seed=2)  # of which the last head is left as it is
    out = put.device(want)
    want[:, :2] = np.concatenate([latent, rope], axis=2)
    return Case(
        {"ql_nope": put.device(latent), "q_pe": put.device(rope), "q_out": out}, [(out, want)]
    )


@case
def update_kv_scales(put: Put) -> Case:
    key, value = normal(5, 2, 12), normal(5, 2, 8, seed=1)
    scales = [np.zeros(1, np.float32), np.full(1, 7, np.float32)]  # of which the second is enough
    held = [put.device(scale) for scale in scales]
    raised = np.abs(key).max().astype(np.float32) / np.float32(448)
    return Case(
        {
            "key": put.device(key),
            "value": put.device(value),
            "k_scale": held[0],
            "v_scale": held[1],
            "divisor": 448.0,
        },
        [(held[0], np.full(1, raised, np.float32)), (held[1], scales[1])],
    )


@case
def hisparse_gather_compact(put: Put) -> Case:
    pool, pages = normal(6, 8), normal(2, 3, 8, seed=1)
    hot = put.device(pages)
    want = pages.copy()
    want[1, 2], want[0, 0] = pool[3], 0  # what the pool does not have is zeros
    return Case(
        {
            "host_cache": put.host(pool),
            "hot_cache": hot,
            "miss_global_indices": put.device(np.array([[3, 1], [6, 2]], np.int32)),
            "miss_hot_indices": put.device(np.array([[5, 4], [0, -1]], np.int32)),
            "miss_counts": put.device(np.array([1, 9], np.int32)),
        },
        [(hot, want)],
    )


@case
def hisparse_gather_plan(put: Put) -> Case:
    pool, pages = normal(6, 8), normal(2, 3, 8, seed=1)
    hot, attention = put.device(pages), put.device(np.full((2, 2), 7, np.int32))
    want = pages.copy()
    want[1, 2] = pool[3]
    return Case(
        {
            "host_cache": put.host(pool),
            "hot_cache": hot,
            "global_indices": put.device(np.array([[3, 1], [4, 2]], np.int32)),
            "hot_indices": put.device(np.array([[5, 4], [0, 1]], np.int32)),
            "miss_mask": put.device(np.array([[1, 0], [1, 1]], np.int32)),
            "request_state_indices": put.device(np.array([0, -1], np.int32)),
            "attention_indices": attention,
            "attention_block_stride": 16,
        },
        [(hot, want), (attention, np.array([[18, 17], [-1, -1]], np.int32))],
    )


@case
def hisparse_invalidate_written_slots(put: Put) -> Case:
    held = np.array([[4, 7, 4], [9, 4, -1]], np.int32)
    state = put.device(held)
    return Case(
        {
            "device_global_indices": state,
            "request_state_indices": put.device(np.array([1, 0, -1], np.int32)),
            "req_id_per_token": put.device(np.array([1, 0, 2, 5], np.int32)),
            "written_slots": put.device(np.array([4, 9, 7, 7], np.int64)),
        },
        [(state, np.array([[-1, 7, -1], [-1, 4, -1]], np.int32))],
    )


@case
def hisparse_resolve_residency(put: Put) -> Case:
    """Two rows of a request in state 1: a miss, a hit, and a page that the device has whole."""
    outputs = {
        "hot_indices": (2, 3),
        "miss_mask": (2, 3),
        "attention_indices": (2, 3),
        "resolved_global_indices": (2, 3),
        "valid_counts": (2,),
        "swap_host_physical_rows": (2, 3),
        "swap_device_physical_rows": (2, 3),
        "swap_counts": (2,),
    }
    made = {name: put.device(np.full(shape, 7, np.int32)) for name, shape in outputs.items()}
    want = {
        "hot_indices": [[5, 4, -1], [4, 4, -1]],
        "miss_mask": [[1, 0, 0], [0, 0, 0]],
        "attention_indices": [[18, 17, -1], [17, 17, -1]],
        "resolved_global_indices": [[4, 2, -1], [5, 2, -1]],
        "valid_counts": [2, 2],
        "swap_host_physical_rows": [[4, 7, 7], [7, 7, 7]],
        "swap_device_physical_rows": [[5, 7, 7], [7, 7, 7]],
        "swap_counts": [1, 0],
    }
    held = put.device(np.array([[3, 2, 1, 0], [-1, 5, -1, -1]], np.int32))
    order = put.device(np.array([[0, 1, 2, 3], [2, 0, 1, 3]], np.int16))
    stats = put.device(np.array([10, 20], np.uint64))
    pages = normal(2, 3, 8, seed=1)
    hot = put.device(pages)
    return Case(
        {
            "host_cache": put.host(normal(6, 8)),
            "hot_cache": hot,
            "hot_block_table": put.device(np.array([[1, 0]], np.int32)),
            "global_indices": put.device(np.array([[0, 4, 2], [1, 4, -1]], np.int32)),
            "hot_indices": made["hot_indices"],
            "device_global_indices": held,
            "lru_slots": order,
            "request_state_indices": put.device(np.array([1], np.int32)),
            "region_stride": 4,
            "max_union_rows": 4,
            "miss_mask": made["miss_mask"],
            "stats": stats,
            "attention_indices": made["attention_indices"],
            "attention_block_stride": 16,
            "request_ids": put.device(np.array([0, 0], np.int32)),
            "source_block_table": put.device(np.array([[2, 0, 1]], np.int32)),
            "source_block_size": 2,
            "resolved_global_indices": made["resolved_global_indices"],
            "valid_counts": made["valid_counts"],
            "swap_host_physical_rows": made["swap_host_physical_rows"],
            "swap_device_physical_rows": made["swap_device_physical_rows"],
            "swap_counts": made["swap_counts"],
            "resident_block_table": put.device(np.array([[1, 1], [0, 1]], np.int32)),
            "resident_block_size": 3,
            "resident_null_block": 0,
        },
        [
            *((made[name], np.array(values, np.int32)) for name, values in want.items()),
            (held, np.array([[3, 2, 1, 0], [-1, 5, 4, -1]], np.int32)),
            (order, np.array([[0, 1, 2, 3], [0, 3, 2, 1]], np.int16)),
            (stats, np.array([11, 21], np.uint64)),
            (hot, pages),  # is written by the ops that load
        ],
    )


@case
def kv_checksum(put: Put) -> Case:
    """Digests that xxHash gives, of which one is expected to be another."""
    wire = np.concatenate([(131 * np.arange(n) + 7) % 256 for n in (2048, 1024)]).astype(np.uint8)
    digests = np.array([0x8B46CAA67DAB3A30, 0x70BD377D9574F4BB], np.uint64).view(np.int64)
    sums, mismatches = put.device(np.zeros(2, np.int64)), put.device(np.array([3], np.int32))
    return Case(
        {
            "wire": put.device(wire),
            "unit_bytes": 2048,
            "sums": sums,
            "expected": put.device(digests ^ np.array([0, 1])),
            "mismatches": mismatches,
        },
        [(sums, digests), (mismatches, np.array([4], np.int32))],
    )


@case
def kv_pack(put: Put) -> Case:
    """Two layers of keys and of values, three tokens of which one is padding, in blocks of two."""
    pages = [normal(3, 4, 2, 8, seed=seed) for seed in range(4)]
    tokens = np.stack([page.reshape(12, 2, 8)[[5, 0, 10]] for page in pages])
    tokens[:, 1] = 0
    blocks = np.zeros((2, 4, 2, 2, 8), BF16)
    blocks[0], blocks[1, :, 0] = tokens[:, :2], tokens[:, 2]
    want = np.full(1024 + 64, 0xA5, np.uint8)
    want[:1024] = 0
    want[:512] = blocks.reshape(-1).view(np.uint8)
    wire = put.device(np.full(want.size, 0xA5, np.uint8))
    return Case(
        {
            "pages": [put.device(page) for page in pages],
            "wire": wire,
            "slot_mapping": put.device(np.array([5, -1, 10])),
            "wire_layout": "KLNHC",
            "wire_block_size": 2,
            "page_dtype": "auto",
            "wire_dtype": "auto",
            "page_scales": [],
            "wire_scales": None,
            "num_layers": 2,
            "heads_per_group": 0,
        },
        [(wire, want)],
    )


@case
def kv_unpack(put: Put) -> Case:
    """The same wire, to pages of other blocks, through a gate that is open."""
    tokens = np.stack([normal(4, 2, 8, seed=seed) for seed in range(4)])
    blocks = np.concatenate([tokens[:, :2].reshape(-1), tokens[:, 2:].reshape(-1)])
    wire = np.append(blocks.view(np.uint8), np.zeros(512, np.uint8))
    pages = [normal(4, 3, 2, 8, seed=9 + seed) for seed in range(4)]
    held = [put.device(page) for page in pages]
    wants = [page.copy() for page in pages]
    for want, rows in zip(wants, tokens, strict=True):
        want[3, 2], want[0, 1] = rows[0], rows[2]
    return Case(
        {
            "wire": put.device(wire),
            "pages": held,
            "slot_mapping": put.device(np.array([11, -1, 1])),
            "wire_layout": "KLNHC",
            "wire_block_size": 2,
            "wire_dtype": "auto",
            "page_dtype": "auto",
            "wire_scales": None,
            "page_scales": [],
            "gate": put.device(np.zeros(1, np.int32)),
            "num_layers": 2,
            "heads_per_group": 0,
        },
        list(zip(held, wants, strict=True)),
    )


@case
def kv_relayout(put: Put) -> Case:
    """Pages of four tokens to pages of three, of two layers."""
    pages = [normal(3, 4, 2, 8, seed=seed) for seed in range(2)]
    others = [normal(4, 3, 2, 8, seed=9 + seed) for seed in range(2)]
    held = [put.device(other) for other in others]
    for page, other in zip(pages, others, strict=True):
        other[3, 2], other[0, 1] = page[1, 1], page[2, 2]
    return Case(
        {
            "src_pages": [put.device(page) for page in pages],
            "dst_pages": held,
            "src_slots": put.device(np.array([5, 0, 10, -1])),
            "dst_slots": put.device(np.array([11, -1, 1, 3])),
            "src_dtype": "auto",
            "dst_dtype": "auto",
            "src_scales": [],
            "dst_scales": [],
            "num_layers": 0,
        },
        list(zip(held, others, strict=True)),
    )


@case
def merge_attn_states(put: Put) -> Case:
    """Parts that weigh the same, and a token without a prefix."""
    parts: list[Array] = [np.round(normal(3, 2, 16, dtype=np.float32, seed=n)) for n in (0, 1)]
    prefix, suffix = parts
    lse = normal(2, 3, dtype=np.float32, seed=2)
    output = put.device(normal(3, 2, 16, dtype=np.float32, seed=3))
    output_lse = put.device(normal(2, 3, dtype=np.float32, seed=4))
    want = np.concatenate([(prefix[:2] + suffix[:2]) / 2, suffix[2:]])
    want_lse = (lse + np.log(2.0)).astype(np.float32)
    want_lse[:, 2] = lse[:, 2]
    return Case(
        {
            "output": output,
            "output_lse": output_lse,
            "prefix_output": put.device(prefix),
            "prefix_lse": put.device(lse),
            "suffix_output": put.device(suffix),
            "suffix_lse": put.device(lse),
            "prefill_tokens_with_context": 2,
            "output_scale": None,
            "lse_base2": False,
        },
        [(output, want), (output_lse, want_lse)],
    )


@case
def convert_fp8(put: Put) -> Case:
    source = normal(7, 9)
    target = put.device(noise(7, 9))
    return Case(
        {
            "dst_cache": target,
            "src_cache": put.device(source),
            "scale": 0.25,
            "kv_cache_dtype": "fp8",
        },
        [(target, oracle.encode(source, 0.25))],
    )


PAIRS = np.array([[0, 2], [-1, -1], [2, 4], [1, 0]], np.int64)


@case
def copy_blocks(put: Put) -> Case:
    keys = [normal(5, 4, 2, 8, seed=n) for n in (0, 1)]
    values = [noise(5, 24, seed=n) for n in (2, 3)]
    caches = [[put.device(a) for a in side] for side in (keys, values)]
    return Case(
        {
            "key_caches": caches[0],
            "value_caches": caches[1],
            "block_mapping": put.device(PAIRS),
        },
        [
            (cache, oracle.copy_pages(pages, PAIRS))
            for cache, pages in zip([*caches[0], *caches[1]], [*keys, *values], strict=True)
        ],
    )


@case
def copy_blocks_mla(put: Put) -> Case:
    pages = [normal(5, 4, 16, seed=n) for n in (0, 1)]
    caches = [put.device(p) for p in pages]
    return Case(
        {"kv_caches": caches, "block_mapping": put.device(PAIRS)},
        [(c, oracle.copy_pages(p, PAIRS)) for c, p in zip(caches, pages, strict=True)],
    )


@case
def zero_blocks(put: Put) -> Case:
    pages = [normal(5, 4, 16, seed=n) for n in (0, 1)]
    caches, ids = [put.device(p) for p in pages], np.array([3, -1, 0, 3], np.int64)
    wants = [p.copy() for p in pages]
    for want in wants:
        want[[3, 0]] = 0
    return Case(
        {"caches": caches, "block_ids": put.device(ids)}, list(zip(caches, wants, strict=True))
    )


@case
def swap_blocks(put: Put) -> Case:
    source, target = normal(4, 24, dtype=np.float32), normal(6, 24, dtype=np.float32, seed=1)
    pairs = np.array([[3, 0], [1, 5], [0, 2]], np.int64)
    want = target.copy()
    want[pairs[:, 1]] = source[pairs[:, 0]]
    dst = put.device(target)
    return Case(
        {
            "src": put.device(source),
            "dst": dst,
            "block_size_in_bytes": 96,
            "block_mapping": put.host(pairs),
        },
        [(dst, want)],
    )


@case
def swap_blocks_batch(put: Put) -> Case:
    source, target = noise(4, 64), noise(4, 64, seed=1)
    src, dst = put.device(source), put.device(target)
    pairs, sizes = [(3, 0), (0, 2), (1, 1)], [64, 64, 0]
    want = target.copy()
    want[0], want[2] = source[3], source[0]
    ends = [(put.address(src) + 64 * s, put.address(dst) + 64 * d) for s, d in pairs]
    return Case(
        {
            "src_ptrs": put.host(np.array([s for s, _ in ends], np.int64)),
            "dst_ptrs": put.host(np.array([d for _, d in ends], np.int64)),
            "sizes": put.host(np.array(sizes, np.int64)),
            "is_src_access_order_any": False,
        },
        [(dst, want)],
        keep=[src, dst],
    )


TABLE = np.array([[2, 0, 1], [1, 3, 0]], np.int32)
STARTS = np.array([0, 5, 9], np.int32)
FIRST = np.array([3, 1], np.int32)


@case
def cp_gather_cache(put: Put) -> Case:
    pages, rows = normal(4, 4, 12), normal(10, 12, seed=1)
    out = put.device(rows)
    return Case(
        {
            "src_cache": put.device(pages),
            "dst": out,
            "block_table": put.device(TABLE.astype(np.int64)),
            "cu_seq_lens": put.device(STARTS),
            "batch_size": 2,
            "seq_starts": put.device(FIRST),
        },
        [(out, oracle.gather(pages, TABLE, STARTS, FIRST, rows))],
    )


@case
def gather_and_maybe_dequant_cache(put: Put) -> Case:
    pages, rows = oracle.encode(normal(4, 4, 12), 0.25), normal(10, 12, seed=1)
    scale = np.float32(0.375)
    out = put.device(rows)
    return Case(
        {
            "src_cache": put.device(pages),
            "dst": out,
            "block_table": put.device(TABLE),
            "cu_seq_lens": put.device(STARTS),
            "token_to_seq": put.device(np.array([0] * 5 + [1] * 4, np.int32)),
            "num_tokens": 9,
            "kv_cache_dtype": "fp8",
            "scale": put.device(np.asarray(scale)),
            "seq_starts": None,
        },
        [(out, oracle.gather(oracle.decode(pages, scale), TABLE, STARTS, None, rows))],
    )


@case
def gather_kv_cache(put: Put) -> Case:
    sides = [(normal(4, 4, 2, 12), 0.25), (normal(4, 4, 2, 8, seed=1), 0.375)]
    arguments: dict[str, Any] = {}
    outputs = []
    for side, (heads, scale) in zip(("key", "value"), sides, strict=True):
        pages, rows = oracle.encode(heads, scale), normal(10, *heads.shape[2:], seed=2)
        arguments[f"{side}_cache"] = put.device(pages)
        wanted = oracle.gather(oracle.decode(pages, scale), TABLE, STARTS, FIRST, rows)
        outputs.append((put.device(rows), wanted))
    arguments |= {
        "key_out": outputs[0][0],
        "value_out": outputs[1][0],
        "block_table": put.device(TABLE),
        "cu_seq_lens": put.device(STARTS),
        "kv_cache_dtype": "fp8",
        "k_scale": put.device(np.asarray(sides[0][1], np.float32)),
        "v_scale": put.device(np.asarray(sides[1][1], np.float32)),
        "seq_starts": put.device(FIRST),
        "interleaved_v": False,
        "swizzle_v_scales": False,
        "k_scale_cache": None,
        "v_scale_cache": None,
        "inverse_rht": True,
    }
    return Case(arguments, outputs)


@case
def cp_gather_and_upconvert_fp8_kv_cache(put: Put) -> Case:
    codes, scales = oracle.encode(normal(4, 4, 512), 0.5), np.abs(normal(4, 4, 4, dtype=np.float32))
    rope = normal(4, 4, 64, seed=2)
    pages = np.concatenate([codes, scales.view(np.uint8), rope.view(np.uint8)], axis=2)
    latent = oracle.decode(codes, np.repeat(scales, 128, axis=2)).astype(BF16)
    rows = normal(9, 576, seed=3)
    out = put.device(rows)
    lengths = np.array([4, 9], np.int32)
    wide = oracle.gather(np.concatenate([latent, rope], axis=2), TABLE, STARTS, FIRST, rows)
    wide[4] = rows[4]  # beyond the length of the first sequence
    return Case(
        {
            "src_cache": put.device(pages),
            "dst": out,
            "block_table": put.device(TABLE),
            "workspace_starts": put.device(STARTS[:2].copy()),
            "batch_size": 2,
            "seq_starts": put.device(FIRST),
            "host_cache": None,
            "host_row_ids": None,
            "device_row_ids": None,
            "seq_lens": put.device(lengths),
        },
        [(out, wide)],
    )


@case
def cp_gather_and_upconvert_nvfp4_kv_cache(put: Put) -> Case:
    import ml_dtypes

    codes = noise(4, 4, 256)
    rope, scales = oracle.encode(normal(4, 4, 64), 1), oracle.encode(normal(4, 4, 32, seed=1), 1)
    pages = np.concatenate([codes, rope, scales], axis=2)
    halves = np.stack([codes & 15, codes >> 4], axis=3).reshape(4, 4, 512)
    values = halves.view(ml_dtypes.float4_e2m1fn).astype(np.float32)
    group = np.arange(512) // 16
    factor = oracle.decode(scales, 1)[..., 8 * (group % 4) + group // 4]
    wide = np.concatenate([values * factor, oracle.decode(rope, 1)], axis=2).astype(BF16)
    rows = normal(9, 576, seed=3)
    out = put.device(rows)
    return Case(
        {
            "src_cache": put.device(pages),
            "dst": out,
            "block_table": put.device(TABLE),
            "workspace_starts": put.device(STARTS[:2].copy()),
            "batch_size": 2,
        },
        [(out, oracle.gather(wide, TABLE, STARTS, None, rows))],
    )


@case
def indexer_k_quant_and_cache(put: Put) -> Case:
    keys, pages = normal(5, 64), noise(3, 4 * (64 + 8))
    groups = keys.astype(np.float32).reshape(5, 2, 32)
    scale = np.maximum(np.abs(groups).max(-1), np.float32(1e-4)) / np.float32(448)
    codes = oracle.encode(groups, scale[..., None]).reshape(5, 64)
    want = [
        oracle.scatter(pages[:, :256].reshape(3, 4, 64), SLOTS, codes),
        oracle.scatter(pages[:, 256:].reshape(3, 4, 8), SLOTS, scale.view(np.uint8)),
    ]
    cache = put.device(pages.reshape(3, 4, 72))
    return Case(
        {
            "k": put.device(keys),
            "kv_cache": cache,
            "slot_mapping": put.device(SLOTS),
            "quant_block_size": 32,
            "kv_cache_dtype": "fp8",
        },
        [(cache, np.concatenate([w.reshape(3, -1) for w in want], axis=1))],
    )


@case
def cp_gather_indexer_k_quant_cache(put: Put) -> Case:
    pages, codes, scales = noise(4, 4 * 72), noise(10, 64, seed=1), noise(10, 8, seed=2)
    out_codes, out_scales = put.device(codes), put.device(scales)
    parts = pages[:, :256].reshape(4, 4, 64), pages[:, 256:].reshape(4, 4, 8)
    return Case(
        {
            "kv_cache": put.device(pages.reshape(4, 4, 72)),
            "dst_k": out_codes,
            "dst_scale": out_scales,
            "block_table": put.device(TABLE),
            "cu_seq_lens": put.device(STARTS),
        },
        [
            (out_codes, oracle.gather(parts[0], TABLE, STARTS, None, codes)),
            (out_scales, oracle.gather(parts[1], TABLE, STARTS, None, scales)),
        ],
    )


@case
def paged_attention(put: Put) -> Case:
    query = normal(4, 4, 16, dtype=np.float32)  # the last is padding
    codes = [oracle.encode(normal(4, 64, 2, 16, seed=n), 0.5) for n in (1, 2)]
    lengths, scale = np.array([150, 2], np.int32), 0.25  # the first is split
    tokens = np.array([0, 1, 3], np.int32)
    out, lse = normal(4, 4, 16, dtype=np.float32, seed=3), normal(4, 4, dtype=np.float32, seed=4)
    sinks = normal(4, dtype=np.float32, seed=5)
    wants, sums = out.copy(), lse.copy()
    for s in (0, 1):
        starts = np.array([0, lengths[s]])
        rows = np.zeros((lengths[s], 2, 16), np.float32)
        sides = [
            oracle.gather(oracle.decode(c, 0.5), TABLE[[s]], starts, None, rows) for c in codes
        ]
        for t in range(tokens[s], tokens[s + 1]):
            position = lengths[s] - tokens[s + 1] + t
            wants[t], sums[:, t] = oracle.attend_from(
                position, query[t], sides[0], sides[1], scale, right=0, softcap=5.0, sinks=sinks
            )
    out, lse = put.device(out), put.device(lse)
    workspace = put.device(np.full((4, 4, 2, 18), np.nan, np.float32))
    return Case(
        {
            "out": out,
            "query": put.device(query),
            "key_cache": put.device(codes[0]),
            "value_cache": put.device(codes[1]),
            "query_start_loc": put.device(tokens),
            "seq_lens": put.device(lengths),
            "block_table": put.device(TABLE),
            "scale": scale,
            "kv_cache_dtype": "fp8",
            "k_scale": put.device(np.float32(0.5).reshape(1)),
            "v_scale": put.device(np.float32(0.5).reshape(1)),
            "causal": True,
            "window_left": -1,
            "window_right": -1,
            "softcap": 5.0,
            "alibi_slopes": None,
            "sinks": put.device(sinks),
            "swizzle_v_scales": False,
            "max_query_len": 2,
            "lse": lse,
            "workspace": workspace,
        },
        [(out, wants), (lse, sums)],
        close=True,
        scratch=[workspace],
    )


@case
def paged_mla_decode(put: Put) -> Case:
    query = normal(4, 2, 576, dtype=np.float32)  # the last is padding
    codes = oracle.encode(normal(4, 64, 576, seed=1), 0.5)
    lengths, scale = np.array([150, 2], np.int32), 0.072  # the first is split
    tokens = np.array([0, 1, 3], np.int32)
    out, lse = normal(4, 2, 512, dtype=np.float32, seed=3), normal(2, 4, dtype=np.float32, seed=4)
    wants, sums = out.copy(), lse.copy()
    for s in (0, 1):
        starts, rows = np.array([0, lengths[s]]), np.zeros((lengths[s], 576), np.float32)
        keys = oracle.gather(oracle.decode(codes, 0.5), TABLE[[s]], starts, None, rows)[:, None]
        for t in range(tokens[s], tokens[s + 1]):
            position = lengths[s] - tokens[s + 1] + t
            wants[t], sums[:, t] = oracle.attend_from(
                position, query[t], keys, keys[..., :512], scale, right=0
            )
    out, lse = put.device(out), put.device(lse)
    workspace = put.device(np.full((4, 2, 2, 514), np.nan, np.float32))
    return Case(
        {
            "out": out,
            "query": put.device(query),
            "kv_cache": put.device(codes),
            "query_start_loc": put.device(tokens),
            "seq_lens": put.device(lengths),
            "block_table": put.device(TABLE),
            "scale": scale,
            "kv_cache_dtype": "fp8",
            "kv_scale": put.device(np.float32(0.5).reshape(1)),
            "max_query_len": 2,
            "lse": lse,
            "workspace": workspace,
        },
        [(out, wants), (lse, sums)],
        close=True,
        scratch=[workspace],
    )


# Ops in files of their own: case_<op>.py beside this one.
for path in sorted(Path(__file__).parent.glob("case_*.py")):
    importlib.import_module(path.stem)
