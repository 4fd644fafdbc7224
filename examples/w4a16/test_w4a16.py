"""linear::w4a16, built out of tree, against NumPy: every variant, exactly and within rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

kvforge = pytest.importorskip("kvforge", exc_type=ImportError)

SCALARS = {"f16": np.float16, "bf16": ml_dtypes.bfloat16}
EPSILON = {"f16": 2.0**-11, "bf16": 2.0**-8}  # half a unit in the last place
GROUPS = (32, 64, 128)


@pytest.fixture(scope="session")
def op(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The op, compiled by this very run."""
    cache = tmp_path_factory.mktemp("cache")
    return kvforge.load("w4a16", Path(__file__).parent, build_directory=cache).w4a16


def weights(codes: Any, scales: Any, zeros: Any) -> Any:
    """The matrix in float64, from the definition."""
    halves = np.stack([codes & 15, codes >> 4], -1).reshape(codes.shape[0], -1).astype(np.int64)
    group = halves.shape[1] // scales.shape[1]
    if zeros is None:
        integers = np.where(halves > 7, halves - 16, halves)
    else:
        integers = halves - np.repeat((zeros & 15).astype(np.int64), group, 1)
    return integers * np.repeat(scales.astype(np.float64), group, 1)


def call(
    scalar: str, group: int, zero_point: bool, rows: int, exact: bool = False, outputs: int = 37
) -> dict[str, Any]:
    """Arguments of a call, by name. `exact`: every sum is one that f32 holds, in any order."""
    random = np.random.default_rng([group, rows, outputs, zero_point])
    size, dtype = 5 * group, SCALARS[scalar]
    shape = (outputs, size // group)
    if exact:
        x = random.integers(-2, 3, (rows, size))
        scales = 2.0 ** random.integers(-3, 2, shape)
    else:
        x = random.normal(0, 1, (rows, size))
        scales = random.uniform(0.001, 0.02, shape)
    return {
        "x": x.astype(dtype),
        "codes": random.integers(0, 256, (outputs, size // 2), dtype=np.uint8),
        "scales": scales.astype(dtype),
        "zeros": random.integers(0, 256, shape, dtype=np.uint8) if zero_point else None,
        "y": np.full((rows, outputs), 7, dtype),
    }


def expected(c: dict[str, Any]) -> tuple[Any, Any]:
    """The product in float64, and the sum of the magnitudes that it is made of."""
    matrix, x = weights(c["codes"], c["scales"], c["zeros"]).T, c["x"].astype(np.float64)
    return x @ matrix, np.abs(x) @ np.abs(matrix)


def assert_close(c: dict[str, Any], scalar: str) -> None:
    """Within the rounding of the result and of f32 sums."""
    want, magnitude = expected(c)
    bound = EPSILON[scalar] * np.abs(want) + 2.0**-20 * magnitude
    assert (np.abs(c["y"].astype(np.float64) - want) <= bound).all()


@pytest.mark.parametrize("rows", [1, 2, 4, 7, 8, 9, 16])
@pytest.mark.parametrize("zero_point", [False, True], ids=["signed", "zero point"])
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("scalar", SCALARS)
def test_products(op: Any, scalar: str, group: int, zero_point: bool, rows: int) -> None:
    exact = call(scalar, group, zero_point, rows, exact=True)
    op(**exact)
    assert (exact["y"] == expected(exact)[0].astype(SCALARS[scalar])).all()
    close = call(scalar, group, zero_point, rows)
    op(**close)
    assert_close(close, scalar)


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("scalar", SCALARS)
def test_any_strides(op: Any, scalar: str, rows: int) -> None:
    plain, strided = (call(scalar, 64, True, rows) for _ in range(2))
    for name in ("x", "codes", "scales", "zeros", "y"):
        wide = np.zeros((*strided[name].shape[::-1], 3), strided[name].dtype)
        wide[..., 1] = strided[name].T
        strided[name] = wide[..., 1].T
    op(**plain)
    op(**strided)
    assert (strided["y"] == plain["y"]).all()


def test_all_threads_agree(op: Any) -> None:
    whole = call("f16", 128, False, 3, outputs=4099)
    op(**whole)
    assert_close(whole, "f16")


@pytest.mark.parametrize("change", [{"rows": 0}, {"outputs": 0}], ids=["rows", "outputs"])
def test_nothing_to_do(op: Any, change: dict[str, int]) -> None:
    op(**call("bf16", 32, True, **{"rows": 2, **change}))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"x": np.ones((17, 320), np.float16)}, ValueError, "x: has 17 rows, want 0 to 16"),
        ({"x": np.ones((2, 320), np.float32)}, TypeError, "x: dtype is float32"),
        ({"codes": np.ones((37, 159), np.uint8)}, ValueError, "codes: .*159.*160"),
        (
            {"scales": np.ones((37, 4), np.float16), "zeros": None},
            ValueError,
            "scales: has 4 groups for 320 elements, 80 to a group; want groups of 32, 64 or 128",
        ),
        (
            {"scales": np.ones((37, 0), np.float16), "zeros": None},
            ValueError,
            "scales: has no groups",
        ),
        ({"scales": np.ones((37, 5), ml_dtypes.bfloat16)}, TypeError, "scales: dtype is bfloat16"),
        ({"zeros": np.ones((37, 4), np.uint8)}, ValueError, "zeros: .*4.*5"),
        ({"y": np.ones((2, 36), np.float16)}, ValueError, "y: .*36.*37"),
    ],
    ids=["rows", "dtype", "codes", "group", "no groups", "scales", "zeros", "y"],
)
def test_bad_arguments(op: Any, change: dict[str, Any], error: type[Exception], words: str) -> None:
    bad = {**call("f16", 64, True, 2), **change}
    before = bad["y"].copy()
    with pytest.raises(error, match=words):
        op(**bad)
    assert (bad["y"] == before).all()
