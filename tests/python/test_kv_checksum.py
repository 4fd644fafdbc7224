"""kv_checksum against xxHash itself.

KVFORGE_LIBCUDA=... KVF_EMULATOR_HOST_ACCESS=1 python test_kv_checksum.py     in the emulated driver
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from kv_places import Cpu, Emulated, run_emulated

import kvforge

xxhash: Any = pytest.importorskip("xxhash", reason="no xxhash: python3 configure.py --setup")
OPS = kvforge.ops._C_cache_ops
UNIT = 16384


def digests(wire: Any, unit: int) -> Any:
    units = [wire[at : at + unit].tobytes() for at in range(0, len(wire), unit)]
    return np.array([xxhash.xxh3_64_intdigest(each) for each in units], np.uint64).view(np.int64)


def given(place: Any, array: Any) -> Any:
    memory = place.memory(array.nbytes).view(array.dtype)
    memory[:] = array
    return memory


def check(place: Any) -> None:
    """Digests of units and of a last one that is shorter; then which of them a change is seen in."""
    random = np.random.default_rng(1)
    for size, unit in itertools.product((1024, 2048, UNIT, 5 * UNIT + 3072), (1024, 5120, UNIT)):
        wire = given(place, random.integers(0, 256, size, np.uint8))
        want = digests(wire, unit)
        sums, expected = given(place, want * 0), given(place, want)
        count = given(place, np.zeros(1, np.int32))

        def call(
            wire: Any = wire,
            unit: int = unit,
            sums: Any = sums,
            old: Any = expected,
            n: Any = count,
        ) -> int:
            n[:] = 0
            tensors = [place.tensor(each) for each in (wire, sums, old, n)]
            OPS.kv_checksum(tensors[0], unit, *tensors[1:])
            place.wait()
            np.testing.assert_array_equal(sums, digests(wire, unit))
            return int(n[0])

        assert call() == 0
        for bit in (0, 7, 8 * (size // 2) + 3, 8 * size - 1):
            wire[bit // 8] ^= 1 << bit % 8
            assert call() == 1
            wire[bit // 8] ^= 1 << bit % 8
        if size >= 2 * unit:
            wire[: 2 * unit] = np.roll(wire[: 2 * unit], unit)  # two units in each other's place
            assert call() == 2


def test_against_xxhash() -> None:
    check(Cpu())


def test_in_the_emulated_driver() -> None:
    said = run_emulated(__file__)
    if said != "done":
        pytest.skip(said)


if __name__ == "__main__":
    check(Emulated())
    print("done")
