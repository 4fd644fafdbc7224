"""linear::w4a16, built out of tree, against NumPy: every variant, exactly and within rounding."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

kvforge = pytest.importorskip("kvforge", exc_type=ImportError)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCALARS = {"f16": np.float16, "bf16": ml_dtypes.bfloat16}
EPSILON = {"f16": 2.0**-11, "bf16": 2.0**-8}  # half a unit in the last place
GROUPS = (32, 64, 128)


@pytest.fixture(scope="session")
def op(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The op, compiled by this very run."""
    cache = tmp_path_factory.mktemp("cache")
    return kvforge.load("w4a16", HERE, build_directory=cache).w4a16


def weights(codes: Any, scales: Any, zeros: Any) -> Any:
    """The matrix in float64, from the definition."""
    halves: Any = (
        np.stack([codes & 15, codes >> 4], -1).reshape(codes.shape[0], -1).astype(np.int64)
    )
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
    x: Any
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
    op(**call("bf16", 32, True, change.get("rows", 2), outputs=change.get("outputs", 37)))


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


# ---- CUDA: on a GPU, and in the emulated driver through the C example ----------------------------


def on_gpu(torch: Any, array: Any) -> Any:
    """A copy of a NumPy array as a CUDA tensor, bit for bit."""
    if array is None:
        return None
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).cuda().view(torch.bfloat16)
    return torch.from_numpy(array).cuda()


@pytest.mark.parametrize("rows", [1, 4, 9, 16])
@pytest.mark.parametrize("zero_point", [False, True], ids=["signed", "zero point"])
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("scalar", SCALARS)
def test_on_a_gpu(op: Any, scalar: str, group: int, zero_point: bool, rows: int) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    for exact in (True, False):
        for transposed in (False, True):
            here = call(scalar, group, zero_point, rows, exact, outputs=1037)
            there = {name: on_gpu(torch, array) for name, array in here.items()}
            if transposed:
                there["codes"] = there["codes"].T.contiguous().T
            op(**there)
            y = there["y"].view(torch.int16).cpu().numpy().view(SCALARS[scalar])
            if exact:
                assert (y == expected(here)[0].astype(SCALARS[scalar])).all()
            else:
                assert_close({**here, "y": y}, scalar)


class Module:
    """The op as a C user builds it: the generator's files, a compiler, and example.c."""

    def __init__(self, folder: Path, library: Path, isa: str) -> None:
        self.folder = folder
        words = ["-m", "generator", "--op-folder", str(HERE), "--output", str(folder)]
        subprocess.run([sys.executable, "-B", *words], cwd=ROOT, check=True)
        trees = ("runtime/include", "generated/include", "third_party/dlpack/include")
        includes = [f"-I{folder}/include", *(f"-I{ROOT / tree}" for tree in trees)]
        cc = ["cc", "-O2", "-fPIC", "-fopenmp-simd", "-ffp-contract=off", *includes]
        link = [f"-L{library.parent}", f"-l:{library.name}", f"-Wl,-rpath,{library.parent}", "-lm"]
        objects = []
        for source in [*sorted(folder.glob("cpu/*.c")), *sorted(folder.glob("cuda/*.cu"))]:
            made = folder / f"{source.stem}.o"
            if source.suffix == ".cu":  # the emulated driver knows a kernel by its name alone
                stand_in = folder / f"{source.stem}.fatbin.c"
                name = source.stem
                stand_in.write_text(
                    f"extern const unsigned char {name}[16];\n__attribute__((aligned(16))) "
                    f"const unsigned char {name}[16] = {{0x50, 0xED, 0x55, 0xBA}};\n"
                )
                source = stand_in
            subprocess.run([*cc, f"-DKVF_ISA={isa}", "-c", source, "-o", made], check=True)
            objects.append(made)
        self.module = folder / "w4a16.so"
        code: list[Any] = [folder / "module.c", folder / "ops/w4a16.c", HERE / "w4a16.c"]
        subprocess.run([*cc, "-shared", "-o", self.module, *code, *objects, *link], check=True)
        self.program = folder / "example"
        example: list[Any] = [HERE / "example.c", *link, "-ldl"]
        subprocess.run([*cc, "-o", self.program, *example], check=True)

    def run(self, c: dict[str, Any], backend: str, **environment: str) -> Any:
        """y of a call, by example.c."""
        rows, size = c["x"].shape
        outputs, groups = c["scales"].shape
        code = 4 if c["x"].dtype == ml_dtypes.bfloat16 else 2
        header = np.array([code, rows, size, outputs, groups, c["zeros"] is not None, 0], np.int64)
        arrays = [c[name] for name in ("x", "codes", "scales", "zeros") if c[name] is not None]
        done = subprocess.run(
            [self.program, self.module, backend],
            input=header.tobytes() + b"".join(array.tobytes() for array in arrays),
            env={**os.environ, **environment},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return np.frombuffer(done.stdout, c["y"].dtype).reshape(c["y"].shape)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Module:
    """Compiled for the baseline, which serves where nothing better is there."""
    from kvforge import _library

    library = _library.find().parent / "libkvforge.so.0"
    return Module(tmp_path_factory.mktemp("module"), library, "baseline")


@pytest.fixture(scope="module")
def driver(module: Module, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an emulated CUDA driver that has the op's kernels."""
    sys.path.insert(0, str(ROOT / "tests/python"))
    import emulated

    path = emulated.driver(tmp_path_factory.mktemp("driver"), module.folder, "w4a16")
    return {"KVFORGE_LIBCUDA": str(path)}


CALLS = [
    (scalar, group, zero_point, rows)
    for scalar in SCALARS
    for group in GROUPS
    for zero_point in (False, True)
    for rows in (1, 4, 11)
]


@pytest.mark.parametrize("backend", ["cpu", "cuda"])
def test_from_c(module: Module, backend: str, request: pytest.FixtureRequest) -> None:
    environment = request.getfixturevalue("driver") if backend == "cuda" else {}
    for scalar, group, zero_point, rows in CALLS:
        exact = call(scalar, group, zero_point, rows, exact=True)
        y = module.run(exact, backend, **environment)
        assert (y == expected(exact)[0].astype(SCALARS[scalar])).all(), (scalar, group, rows)
    close = call("f16", 128, True, 3)
    assert_close({**close, "y": module.run(close, backend, **environment)}, "f16")
