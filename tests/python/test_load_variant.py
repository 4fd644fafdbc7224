"""kvforge.build_variant and KVFORGE_JIT=1, on a library that has one variant."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import load_support as support
import pytest

from kvforge import _library

BUILD = _library.find().parent
CALL = """
    import numpy, kvforge

    def call():
        key = numpy.arange(64, dtype=numpy.float32).reshape(1, 2, 32)
        cache = numpy.zeros((1, 2, 2, 32), numpy.float32)
        one = numpy.ones((), numpy.float32)
        slots = numpy.array([1])
        kvforge.ops._C_cache_ops.reshape_and_cache_flash(
            key, key, cache, cache.copy(), slots, "auto", one, one
        )
        assert (cache[0, 1] == key[0]).all() and not cache[0, 0].any()
"""
SYMBOL = "kvf_cpu_reshape_and_cache_flash__f32__f32"


@pytest.fixture(scope="module")
def hollow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder whose library has been linked without all but one of its variants."""
    isa = _library.machine().isa
    objects = [*(BUILD / "obj/runtime").rglob("*.o"), *(BUILD / "obj/generated").rglob("*.o")]
    objects.append(BUILD / f"cpu/kvf_cpu_copy_blocks__b8.{isa}.o")
    if not all(path.is_file() for path in objects) or len(objects) < 2:
        pytest.skip(f"no objects in {BUILD}; `ninja` makes them")
    folder = tmp_path_factory.mktemp("hollow")
    library = folder / "libkvforge.so.0"
    command = ["cc", "-shared", "-Wl,-soname,libkvforge.so.0", "-o", str(library)]
    subprocess.run([*command, *map(str, objects), "-pthread", "-ldl", "-lm"], check=True)
    shutil.copy(BUILD / _library.LIBRARY, folder)
    return folder


@pytest.fixture
def environment(hollow: Path, tmp_path: Path) -> dict[str, str]:
    """What makes a process use that library, and a cache and compiler of its own."""
    program, _ = support.counted_compiler(tmp_path)
    return {
        "KVFORGE_BUILD": str(hollow),
        "KVFORGE_CACHE": str(tmp_path / "cache"),
        "CC": str(program),
    }


def compiled(environment: dict[str, str]) -> int:
    """How often the compiler has run."""
    return len(Path(environment["CC"]).with_name("compiled.txt").read_text().splitlines())


def test_a_call_says_what_would_help(environment: dict[str, str]) -> None:
    code = """
    try:
        call()
    except NotImplementedError as error:
        print(error)
    """
    message = support.python(CALL + code, environment).stdout
    for words in (SYMBOL, "kvforge.build_variant()", "KVFORGE_JIT=1"):
        assert words in message
    assert compiled(environment) == 0


@pytest.mark.parametrize(
    "arguments",
    [f"{SYMBOL!r}", "op='reshape_and_cache_flash', scalar='f32', cache='f32', backend='cpu'"],
    ids=["symbol", "parts"],
)
def test_build_variant(environment: dict[str, str], arguments: str) -> None:
    code = f"""
    row = kvforge.build_variant({arguments})
    assert row.symbol == {SYMBOL!r} and row.built, row
    assert [v for v in kvforge.variants() if v.symbol == row.symbol] == [row]
    call()
    assert kvforge.build_variant({arguments}) == row  # it is there already
    print(kvforge.build_variant("kvf_cpu_copy_blocks__b8").built)
    """
    for _ in range(2):  # the second process finds it in the cache
        assert support.python(CALL + code, environment).stdout == "True\n"
        assert compiled(environment) == 3  # the variant, what installs it, and the link


def test_jit(environment: dict[str, str]) -> None:
    for _ in range(2):
        done = support.python(CALL + "\n    call()\n    call()", environment, KVFORGE_JIT="1")
        lines = [line for line in done.stderr.splitlines() if "kvforge" in line]
        assert len(lines) == 1 and "KVFORGE_JIT=1" in lines[0] and SYMBOL in lines[0], done.stderr
        assert compiled(environment) == 3


def test_jit_through_torch(environment: dict[str, str]) -> None:
    torch_libraries = [*BUILD.glob("kvforge_torch*.so")]
    if importlib.util.find_spec("torch") is None or not torch_libraries:
        pytest.skip("no torch binding; `ninja torch` builds it where torch is")
    for path in torch_libraries:
        shutil.copy(path, environment["KVFORGE_BUILD"])
    code = """
    import torch, kvforge.torch
    kvforge.torch.register(own_namespace=False)
    key, cache, one = torch.ones(1, 2, 32), torch.zeros(1, 2, 2, 32), torch.ones(())
    arguments = key, key, cache, cache.clone(), torch.tensor([1]), "auto", one, one
    op = torch.ops._C_cache_ops.reshape_and_cache_flash
    try:
        op(*arguments)
        print(bool((cache[0, 1] == 1).all()))
    except RuntimeError as error:
        print(error)
    """
    assert "KVFORGE_JIT=1" in support.python(code, environment, torch=True).stdout
    done = support.python(code, environment, torch=True, KVFORGE_JIT="1")
    assert done.stdout == "True\n" and SYMBOL in done.stderr
    assert compiled(environment) == 3


def test_jit_in_threads(environment: dict[str, str]) -> None:
    code = """
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(8) as pool:
        for answer in [pool.submit(call) for _ in range(8)]:
            answer.result()
    """
    support.python(CALL + code, environment, KVFORGE_JIT="1")
    assert compiled(environment) == 3


def test_jit_that_fails(environment: dict[str, str]) -> None:
    code = """
    for _ in range(2):
        try:
            call()
        except NotImplementedError as error:
            print(error)
    """
    environment["CC"] = "/nonexistent/cc"
    done = support.python(CALL + code, environment, KVFORGE_JIT="1")
    assert done.stdout.count(f"{SYMBOL} is not built into this library") == 2
    assert done.stderr.count("/nonexistent/cc is not on PATH") == 1  # not tried again


ATTENTION = """
    import numpy as np
    from transfer_emulated import View, _driver, begin, on_device
    import kvforge

    begin()
    rng = np.random.default_rng(1)
    query, keys, values = (
        on_device(rng.standard_normal(shape).astype(np.float16))
        for shape in ((3, 4, 128), (4, 16, 2, 128), (4, 16, 2, 128))
    )
    numbers = [np.array([0, 1, 3]), np.array([40, 21]), np.array([[2, 0, 3], [1, 3, 0]])]
    starts, lengths, table = (View(on_device(array.astype(np.int32))) for array in numbers)
    scale = View(on_device(np.ones(1, np.float32)))
    out = on_device(np.zeros_like(query))
    arguments = View(query), View(keys), View(values), starts, lengths, table, 0.1, "auto", scale, scale
    for _ in range(2):
        kvforge.ops._C_cache_ops.paged_attention(View(out), *arguments)
    assert _driver.cuCtxSynchronize() == 0
    print(out.tobytes().hex())
"""


@pytest.mark.skipif(not support.has_nvcc, reason=support.NO_NVCC)
def test_jit_of_a_special_variant(environment: dict[str, str]) -> None:
    """That for the head size is built beside the generic one, once each, and makes the bits of the one
    that is in the library."""
    emulator = BUILD / "emulator/libkvf_cuda_emulator.so"
    tile = "kvf_cuda_paged_attention__f16__f16__d128__r8__sm80"
    rows = {row.symbol: row.built for row in _library.variants()}
    if not emulator.is_file() or not rows[tile]:
        pytest.skip(f"no emulated CUDA driver, or no {tile}; `ninja test` makes them where nvcc is")
    emulated = {
        "KVFORGE_LIBCUDA": str(emulator),
        "KVF_EMULATOR_HOST_ACCESS": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ["PYTHONPATH"]]),
    }
    built = support.python(ATTENTION, {"KVFORGE_BUILD": str(BUILD), **emulated})
    without = {**environment, **emulated}
    done = support.python(ATTENTION, without, KVFORGE_JIT="1", KVFORGE_CUDA_ARCHS="80")
    asked = [line.split()[2] for line in done.stderr.splitlines() if "KVFORGE_JIT" in line]
    assert asked == ["kvf_cuda_paged_attention__f16__f16", tile], done.stderr
    assert done.stdout == built.stdout
    assert "0000" not in {done.stdout[i : i + 4] for i in range(0, len(done.stdout) - 1, 4)}


@pytest.mark.skipif(not support.has_nvcc, reason=support.NO_NVCC)
def test_build_a_cuda_variant(environment: dict[str, str]) -> None:
    code = """
    import kvforge
    row = kvforge.build_variant(op="zero_blocks", width="b8", backend="cuda")
    print(row.symbol, row.built, [v.built for v in kvforge.variants() if v.symbol == row.symbol])
    """
    done = support.python(code, environment, KVFORGE_CUDA_ARCHS="90")
    assert done.stdout == "kvf_cuda_zero_blocks__b8 True [True]\n"


def test_no_such_variant(environment: dict[str, str]) -> None:
    code = """
    import kvforge
    for arguments in (
        {"symbol": "kvf_cpu_copy_blocks__f32"},
        {"symbol": "nonsense"},
        {"op": "reshape_and_cache_flash", "scalar": "f16", "cache": "bf16"},
        {},
        {"op": "copy_blocks"},
    ):
        try:
            kvforge.build_variant(**arguments)
        except ValueError as error:
            print(error)
    """
    if not os.environ.get("KVFORGE_CUDA_ARCHS"):
        code += """
    try:
        kvforge.build_variant("kvf_cuda_zero_blocks__b8")
    except RuntimeError as error:
        print(error)
        """
    lines = support.python(code, environment, KVFORGE_LIBCUDA="/nonexistent").stdout.splitlines()
    assert "want one of kvf_cpu_copy_blocks__b8, kvf_cuda_copy_blocks__b8" in lines[0]
    assert "want one of concat_and_cache_mla, " in lines[1]
    assert "scalar=f16 cache=bf16 on cpu; want one of kvf_cpu_reshape_and_cache_flash__" in lines[2]
    want = "want symbol, or op and a value of each of its axes"
    assert lines[3] == f"kvforge.build_variant: got no arguments, {want}"
    assert lines[4] == f"kvforge.build_variant: got op='copy_blocks', {want}"
    assert "KVFORGE_CUDA_ARCHS is not set" in lines[5]
    assert compiled(environment) == 0
