"""paged_attention: any mixture of sequences against attention in f64, and parts of positions put together."""

from __future__ import annotations

from typing import Any

import numpy as np
import oracle
import pytest

from kvforge.ops import _C, _C_cache_ops

Array = np.ndarray[Any, Any]
BLOCK, D = 8, 16


class Batch:
    """Sequences of any length, with any number of tokens each, over pages in no order."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.rng = rng
        self.kv_heads, group = int(rng.integers(1, 4)), int(rng.integers(1, 7))
        self.heads = self.kv_heads * group
        count = int(rng.integers(1, 7))
        self.lengths = rng.choice([0, 1, 2, 7, 8, 33, 130, 300], count).astype(np.int32)
        new = [int(rng.choice([0, 1, 1, min(int(n), 3), int(n), 5])) for n in self.lengths]
        lead = int(rng.integers(0, 3))
        self.starts = (lead + np.cumsum([0, *new])).astype(np.int32)
        self.tokens = int(self.starts[-1] + rng.integers(0, 3))
        width = int(self.lengths.max()) // BLOCK + 1
        self.table = rng.permutation(count * width).astype(np.int32).reshape(count, width)
        self.query = self.normal(self.tokens, self.heads, D)
        self.values = int(rng.choice([D, D, 8, 40]))  # elements of a head of them
        self.caches = [
            self.normal(count * width, BLOCK, self.kv_heads, size) for size in (D, self.values)
        ]
        self.options: dict[str, Any] = {
            "causal": bool(rng.integers(0, 2)),
            "window_left": int(rng.choice([-1, -1, 0, 5, 200])),
            "window_right": int(rng.choice([-1, -1, 0, 5])),
            "softcap": float(rng.choice([0, 0, 3])),
            "alibi_slopes": self.normal(self.heads) / 10 if rng.integers(0, 2) else None,
            "sinks": self.normal(self.heads) if rng.integers(0, 2) else None,
        }

    def normal(self, *shape: int) -> Array:
        return self.rng.standard_normal(shape).astype(np.float32)

    def rows(self, s: int) -> list[Array]:
        """Keys and values of a sequence."""
        return [
            c[self.table[s]].reshape(-1, self.kv_heads, c.shape[-1])[: self.lengths[s]]
            for c in self.caches
        ]

    def run(self, **named: Any) -> tuple[Array, Array]:
        out = np.full((self.tokens, self.heads, self.values), 7, np.float32)
        lse = np.full((self.heads, self.tokens), 7, np.float32)
        one = np.ones(1, np.float32)
        keys, values = self.caches
        batch = (self.starts, self.lengths, self.table)
        _C_cache_ops.paged_attention(
            out, self.query, keys, values, *batch, 0.25, "auto", one, one, lse=lse, **named
        )
        return out, lse


@pytest.mark.parametrize("seed", range(40))
def test_mixtures(seed: int) -> None:
    batch = Batch(seed)
    options = batch.options
    want = np.full((batch.tokens, batch.heads, batch.values), 7, np.float32)
    sums = np.full((batch.heads, batch.tokens), 7, np.float32)
    for s, length in enumerate(batch.lengths):
        keys, values = batch.rows(s)
        for t in range(batch.starts[s], batch.starts[s + 1]):
            want[t], sums[:, t] = oracle.attend_from(
                length - batch.starts[s + 1] + t,
                batch.query[t],
                keys,
                values,
                0.25,
                left=options["window_left"],
                right=0 if options["causal"] else options["window_right"],
                softcap=options["softcap"],
                slopes=options["alibi_slopes"],
                sinks=options["sinks"],
            )
    longest = int(np.diff(batch.starts).max())
    room = np.full((batch.tokens, batch.heads, 3, batch.values + 2), np.nan, np.float32)
    for named in ({}, {"max_query_len": longest}, {"workspace": room}):
        out, lse = batch.run(**options, **named)
        np.testing.assert_allclose(out, want, atol=2e-5)
        np.testing.assert_allclose(lse, sums, atol=2e-5, rtol=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_halves_of_positions_are_put_together(seed: int) -> None:
    """A prefix of pages, which all tokens see, and what is behind it."""
    batch = Batch(seed + 100)
    batch.lengths[:] = 40 + 8 * batch.rng.integers(0, 9, len(batch.lengths))
    batch.table = np.resize(batch.table, (len(batch.lengths), 16)) % len(batch.caches[0])
    batch.starts = np.arange(0, 3 * len(batch.lengths) + 1, 3, dtype=np.int32)
    batch.tokens = int(batch.starts[-1])
    batch.query = batch.normal(batch.tokens, batch.heads, D)
    sinks = batch.normal(batch.heads)
    whole, sums = batch.run(sinks=sinks)
    table, lengths = batch.table, batch.lengths
    batch.table, batch.lengths = table[:, :3], np.full_like(lengths, 24)
    prefix = batch.run(causal=False)
    batch.table, batch.lengths = table[:, 3:], lengths - 24
    suffix = batch.run(sinks=sinks)
    merged, lse = np.zeros_like(whole), np.zeros_like(sums)
    _C.merge_attn_states(merged, lse, *prefix, *suffix)
    np.testing.assert_allclose(merged, whole, atol=1e-5)
    np.testing.assert_allclose(lse, sums, atol=1e-5, rtol=1e-6)
