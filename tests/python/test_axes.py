"""An op with axes of every kind, tests/axes_op: which body a call runs, and what it says when none does.

Its module is linked of a selection of its variants, which is how a build leaves some out.
"""

from __future__ import annotations

from conftest import require

require("python", __name__)

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import emulated
import load_support as support
import pytest

sys.path.insert(0, str(support.ROOT))

from configuration.options import runs_on
from generator import __main__ as command
from generator import names, outside
from generator.axes import Value
from generator.model import Variant
from kvforge import _toolchain

FOLDER = support.ROOT / "tests/axes_op"
OP = outside.load_op(FOLDER, "turn")
CPU = [variant for variant in OP.variants if variant.backend == "cpu"]
CUDA = [variant for variant in OP.variants if variant.backend == "cuda"]
INCLUDES = ["runtime/include", "generated/include", "third_party/dlpack/include"]
FATBIN = "0x50, 0xED, 0x55, 0xBA"  # the emulated driver looks at these bytes alone


def cc(*words: str | Path) -> None:
    includes = [f"-I{support.ROOT / folder}" for folder in INCLUDES]
    subprocess.run(["cc", "-std=gnu11", "-O1", "-fPIC", *includes, *map(str, words)], check=True)


class Built:
    """What the generator wrote for the op, compiled piece by piece."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.include = f"-I{folder / 'include'}"
        words = ["-m", "generator", "--op-folder", str(FOLDER), "--output", str(folder)]
        subprocess.run([sys.executable, "-B", *words], cwd=support.ROOT, check=True)
        self.library = [
            "-L",
            str(emulated.BUILD),
            "-l:libkvforge.so.0",
            f"-Wl,-rpath,{emulated.BUILD}",
        ]
        cc("-o", folder / "call", FOLDER / "call.c", *self.library, "-ldl")
        self.isa = self.run(folder / "call").strip()
        for path in (FOLDER / "turn.c", folder / "module.c"):
            cc(self.include, "-c", "-o", self.object(path.stem), path)
        cc(self.include, "-c", "-o", self.object("op"), folder / "ops/turn.c")

    def object(self, name: str) -> Path:
        return self.folder / f"{name}.o"

    def code(self, variant: Variant) -> Path:
        """The object of a variant: its CPU code, or a fatbin by name."""
        target = self.object(variant.symbol)
        if target.exists():
            return target
        source = self.folder / variant.source.removeprefix("generated/")
        if variant.backend == "cuda":
            source = self.folder / f"{variant.symbol}.c"
            array = f"const unsigned char {variant.symbol}[16]"
            source.write_text(
                f"extern {array};\n__attribute__((aligned(16))) {array} = {{{FATBIN}}};\n"
            )
        flags = [*_toolchain.ISA_FLAGS[self.isa], f"-DKVF_ISA={self.isa}"]
        cc(self.include, *flags, "-c", "-o", target, source)
        return target

    def run(self, *words: str | Path, **environment: str) -> str:
        done = subprocess.run(
            list(map(str, words)),
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def calls(
        self,
        name: str,
        variants: Iterable[Variant],
        install: Variant | None = None,
        environment: dict[str, str] | None = None,
    ) -> list[dict[tuple[str, ...], str]]:
        """What every call came to with these variants alone; with `install`, before it and after."""
        variants = list(variants)
        module = self.folder / f"{name}.so"
        objects = [self.object(part) for part in ("turn", "module", "op")]
        cc("-shared", "-o", module, *objects, *map(self.code, variants), *self.library)
        program, backend = self.folder / "call", variants[0].backend
        words: list[str | Path] = [backend, module]
        if install is not None:
            program = self.folder / f"{name}-install"
            own = [str(FOLDER / "call.c"), str(self.code(install)), "-rdynamic"]
            cc("-o", program, *own, *self.library, "-ldl")
            words.append(install.symbol)
        rounds = self.run(program, *words, **(environment or {})).split("installed\n")
        pairs = [[line.split(": ", 1) for line in text.splitlines()] for text in rounds]
        return [{tuple(call.split()): came for call, came in lines} for lines in pairs]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("axes"))


@pytest.fixture(scope="module")
def driver(built: Built, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the emulated driver that has the op's kernels."""
    if not support.has_nvcc:
        pytest.skip(support.NO_NVCC)
    library = emulated.driver(tmp_path_factory.mktemp("driver"), built.folder, "turn")
    return {"KVFORGE_LIBCUDA": str(library), "KVF_EMULATOR_HOST_ACCESS": "1"}


def body(values: Sequence[Value]) -> str:
    """What a body says of itself."""
    return " ".join(
        str(0 if value is None else axis.number(value))
        for axis, value in zip(OP.axes, values, strict=True)
    )


def best(variants: list[Variant], arch: int) -> Callable[[tuple[str, ...]], str]:
    """What a call comes to by the words of the design: the most special variant that serves it."""

    def of(call: tuple[str, ...]) -> str:
        tile, step, order, negate = int(call[0]), int(call[1]), call[2], call[3] == "1"
        fits = [
            variant
            for variant in variants
            if variant.tile in (None, tile)
            and variant.step == step
            and variant.order == order
            and variant.negate in (None, negate)
            and (variant.arch or 0) <= arch
        ]
        if not fits:
            return ""

        def special(variant: Variant) -> tuple[int, list[bool]]:
            own = [value is not None for value in variant.values]
            return sum(own), own

        return body(max(fits, key=special).values)

    return of


def check(came: dict[tuple[str, ...], str], variants: list[Variant], arch: int = 0) -> None:
    assert len(came) == 8 * 4 * 4
    want = best(variants, arch)
    for call, text in came.items():
        expected = want(call)
        assert text == expected if expected else text.startswith("KVF_"), (call, text, expected)


def test_symbols() -> None:
    tokens = ["/".join(variant.tokens) for variant in CUDA]
    assert tokens == [
        "t4/s1/forward/negate",
        "t4/s1/forward/sm90",
        "t4/s1/forward",
        "t4/s1/reversed/negate",
        "t4/s1/reversed/sm90",
        "t4/s1/reversed",
        "t8/s1/forward",
        "s1/forward",
        "s1/reversed",
        "s2/forward",
        "s2/reversed",
    ]
    assert [v.tokens for v in CPU] == [v.tokens for v in CUDA if v.arch is None]
    for variant in OP.variants:
        assert names.parse_tokens(OP.axes, variant.tokens) == variant.values


def test_every_call_on_the_cpu(built: Built) -> None:
    (came,) = built.calls("all", CPU)
    check(came, CPU)
    assert came["4", "1", "forward", "1"] == "4 1 0 1 0"  # made for it
    assert came["4", "1", "forward", "0"] == "4 1 0 0 0"
    assert came["8", "1", "reversed", "0"] == "0 1 1 0 0"  # the special one is excluded
    assert came["7", "1", "reversed", "1"] == "0 1 1 0 0"  # any other tile
    assert came["4", "2", "forward", "1"] == "0 2 0 0 0"


def test_what_is_not_built_falls_back(built: Built) -> None:
    rest = [variant for variant in CPU if variant.tile is None]
    (came,) = built.calls("generic", rest)
    check(came, rest)
    assert came["4", "1", "forward", "1"] == came["8", "1", "forward", "0"] == "0 1 0 0 0"


def test_nothing_serves(built: Built) -> None:
    (came,) = built.calls("steps", [variant for variant in CPU if variant.step == 2])
    text = came["4", "1", "forward", "1"]
    for words in (
        "KVF_NOT_BUILT: turn: kvf_cpu_turn__t4__s1__forward__negate is not built into this library",
        ", nor is what would serve instead, kvf_cpu_turn__t4__s1__forward, kvf_cpu_turn__s1__forward; ",
        "on cpu it has (tile/step/order/negate/arch) other/2/forward/other/other, other/2/reversed/",
    ):
        assert words in text, text
    for way in ("configure.py", "kvforge.build_variant()", "KVFORGE_JIT=1"):
        assert way in text
    assert came["4", "2", "forward", "1"] == "0 2 0 0 0"
    text = came["4", "3", "forward", "1"]
    assert text.startswith(
        "KVF_UNSUPPORTED: turn: no variant for tile 4 with step 3, order forward, negate true, arch 0 "
        "on cpu; built ones (tile/"
    )


def test_a_special_variant_that_comes_later(built: Built) -> None:
    special = next(variant for variant in CPU if variant.tile == 8)
    rest = [variant for variant in CPU if variant is not special]
    before, after = built.calls("late", rest, special)
    check(before, rest)
    check(after, CPU)
    assert before["8", "1", "forward", "0"] == "0 1 0 0 0"
    assert after["8", "1", "forward", "0"] == "8 1 0 0 0"


@pytest.mark.parametrize("arch", [80, 90, 100])
def test_every_call_in_the_emulated_driver(built: Built, driver: dict[str, str], arch: int) -> None:
    (came,) = built.calls("cuda", CUDA, None, {**driver, "KVF_EMULATED_ARCH": str(arch)})
    check(came, CUDA, arch)
    newest = "90" if arch >= 90 else "0"
    assert came["4", "1", "forward", "0"] == f"4 1 0 0 {newest}"
    assert (
        came["4", "1", "forward", "1"] == "4 1 0 1 0"
    )  # of two that fit, the earlier axis decides


def test_kernels_that_come_later(built: Built, driver: dict[str, str]) -> None:
    special = next(variant for variant in CUDA if variant.arch == 90)
    rest = [variant for variant in CUDA if variant is not special]
    before, after = built.calls("late-cuda", rest, special, driver)
    check(before, rest, 90)
    check(after, CUDA, 90)
    assert before["4", "1", "forward", "0"] == "4 1 0 0 0"
    assert after["4", "1", "forward", "0"] == "4 1 0 0 90"


def test_archs_that_a_kernel_is_compiled_for() -> None:
    archs = ["80", "90a", "100"]
    assert _toolchain.archs_of("kvf_cuda_turn__t4__s1__forward__sm90", archs) == ["90a", "100"]
    assert _toolchain.archs_of("kvf_cuda_turn__s1__forward", archs) == archs
    assert _toolchain.archs_of("kvf_cuda_turn__sm90a", ["80", "90", "100"]) == ["90a"]
    assert _toolchain.archs_of("kvf_cuda_turn__sm90a", ["80", "100"]) == []
    for variant in CUDA:
        assert runs_on(variant, archs) == _toolchain.archs_of(variant.symbol, archs)


# ---- the generator's own answers -----------------------------------------------------------------


def why(**wanted: str) -> dict[str, dict[str, str]]:
    return {backend: dict(command.reasons(OP, backend, wanted)) for backend in ("cpu", "cuda")}


def test_why() -> None:
    told = why(tile="8", step="1", order="reversed", negate="false", arch="100")
    assert told["cpu"]["kvf_cpu_turn__s1__reversed"] == "taken"
    assert told["cpu"]["cpu turn t8__s1__reversed"] == "excluded: a tile of 8 is not turned round"
    assert told["cpu"]["kvf_cpu_turn__t8__s1__forward"] == (
        "no: for order forward, the call has reversed"
    )
    told = why(tile="4", step="1", order="forward", negate="true", arch="80")
    assert list(told["cuda"].items())[:3] == [
        ("kvf_cuda_turn__t4__s1__forward__negate", "taken"),
        (
            "kvf_cuda_turn__t4__s1__forward",
            "taken if kvf_cuda_turn__t4__s1__forward__negate is not built",
        ),
        ("kvf_cuda_turn__s1__forward", "taken if kvf_cuda_turn__t4__s1__forward is not built"),
    ]
    assert told["cuda"]["kvf_cuda_turn__t4__s1__forward__sm90"] == (
        "no: for arch 90 or newer, the call has 80"
    )
    for backend, variants in (("cpu", CPU), ("cuda", CUDA)):
        assert {variant.symbol for variant in variants} <= told[backend].keys()


def test_every_answer_is_the_tables() -> None:
    """Of all calls: the model's chain is what the generated table leads to."""
    for backend in ("cpu", "cuda"):
        for values in itertools.product(*(axis.positions for axis in OP.axes)):
            rows = OP.cells[backend, values]
            assert [OP.variants[row] for row in rows] == list(OP.chain(backend, values))
