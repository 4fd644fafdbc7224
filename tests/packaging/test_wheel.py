"""The wheel and the sdist, installed into new environments and used from an empty folder."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from packages import BUILD, BYTES, EXAMPLE, ROOT, copy_tree, run

NARROW = ["--ops=reshape_and_cache_flash", "--scalars=f32", "--caches=fp8", "--no-cuda"]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
OFFLINE = ["--no-deps", "--no-index", "--no-build-isolation"]
CALL = """
import kvforge, numpy as np
key = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
caches = np.zeros((2, 2, 4, 2, 4), np.uint8)
slot, scale = np.array([5]), np.array([0.5], np.float32)
kvforge.ops._C_cache_ops.reshape_and_cache_flash(key, -key, *caches, slot, "fp8", scale, scale)
rows = caches.reshape(2, 8, 8)
pairs = zip(rows[0, 5].tolist(), rows[1, 5].tolist())
print("".join(f"{k:02x}{v:02x} " for k, v in pairs) + str(np.count_nonzero(rows[:, np.arange(8) != 5])))
"""


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    for name in ("setuptools", "pip", "auditwheel", "tvm_ffi"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"no {name}: python3 configure.py --setup")
    if not (BUILD / "kvforge_tvm_ffi.so").exists():
        pytest.skip("kvforge_tvm_ffi.so is not built: ninja python")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `ninja wheel` makes of the build folder."""
    dist = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "configuration.wheel", "--output", str(dist)]
    said = run(tree, *command, "--build-dir", str(BUILD))
    [path] = dist.glob("*.whl")
    assert re.match(rf"{re.escape(str(path))}: \d+\.\d MB \(.*libkvforge.so.0 \d", said)
    return path


def environment(folder: Path, wheel: Path) -> Path:
    """A new environment's interpreter, with the wheel; what it depends on is this environment's."""
    run(folder, sys.executable, "-m", "venv", "--without-pip", "env")
    python = folder / "env/bin/python"
    run(folder, *PIP, "--python", python, "install", "--no-deps", "--no-index", wheel)
    [packages] = (folder / "env").glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with that wheel."""
    return environment(tmp_path_factory.mktemp("wheel"), wheel)


def test_the_tag_says_what_the_wheel_asks_for(wheel: Path) -> None:
    """Any Python 3, and a glibc: nothing else that a machine could lack."""
    assert re.fullmatch(r"kvforge-[\d.]+-py3-none-manylinux_2_\d+_\w+\.whl", wheel.name)
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    assert not {name for name in names if ".libs/" in name}  # what auditwheel would have copied
    info = f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
    source = "kvforge/source"
    for name in (
        *("kvforge/libkvforge.so.0", "kvforge/kvforge_tvm_ffi.so", "kvforge/py.typed"),
        *("kvforge/ops/_C_cache_ops.pyi", "kvforge/paged/__init__.py"),
        "kvforge/transfer/__init__.py",
        f"{info}/licenses/LICENSE",
        *(f"{source}/runtime/include/kvforge/kvforge.h", f"{source}/generator/__main__.py"),
        *(f"{source}/templates/cpu/zero_blocks.c.j2", f"{source}/templates/new_op/op.c.txt"),
    ):
        assert name in names
    assert ("kvforge/kvforge_torch.so" in names) == (BUILD / "kvforge_torch.so").exists()


def test_an_op_from_an_empty_folder(python: Path, tmp_path: Path) -> None:
    assert run(tmp_path, python, "-c", CALL) == BYTES
    about = run(tmp_path, python, "-m", "kvforge")
    assert f"{python.parent.parent}/lib/" in about.partition("library ")[2].partition("\n")[0]


def test_the_torch_binding_is_there(python: Path, tmp_path: Path) -> None:
    """Nothing is compiled: the cache stays empty."""
    if not (BUILD / "kvforge_torch.so").exists():
        pytest.skip("kvforge_torch.so is not built: ninja torch")
    code = (
        "import torch, kvforge.torch; kvforge.torch.register()\n"
        "key, one = torch.ones(1, 2, 4), torch.ones(1)\n"
        "caches = torch.zeros(2, 2, 4, 2, 4, dtype=torch.uint8)\n"
        "op = torch.ops._C_cache_ops.reshape_and_cache_flash\n"
        "op(key, key, *caches, torch.tensor([5]), 'fp8', one, one / 2)\n"
        "print(*[sorted(set(cache.flatten(0, 1)[5].flatten().tolist())) for cache in caches])\n"
    )
    said = run(tmp_path, python, "-c", code, KVFORGE_CACHE=str(tmp_path / "cache"))
    assert said == "[56] [64]\n"  # 0x38 is 1.0, 0x40 is 2.0
    assert not (tmp_path / "cache").exists()


def test_a_program_in_c(python: Path, tmp_path: Path) -> None:
    """Compiled and linked with what the package says of itself."""
    if shutil.which("cc") is None:
        pytest.skip("no cc")
    shutil.copy(EXAMPLE, tmp_path)
    words = run(tmp_path, python, "-m", "kvforge", "--cflags", "--libs").split()
    run(tmp_path, "cc", "-Wall", "-Werror", "example.c", "-o", "example", *words)
    assert run(tmp_path, "./example") == BYTES


def test_a_cmake_project(python: Path, tmp_path: Path) -> None:
    """find_package with the folder that the package names."""
    if shutil.which("cmake") is None or shutil.which("cc") is None:
        pytest.skip("no cmake, or no cc")
    shutil.copy(EXAMPLE, tmp_path)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(app LANGUAGES C)\n"
        "find_package(kvforge REQUIRED)\nadd_executable(example example.c)\n"
        "target_link_libraries(example PRIVATE kvforge::kvforge)\n"
    )
    folder = run(tmp_path, python, "-m", "kvforge", "--cmake-dir").strip()
    run(tmp_path, "cmake", "-S", ".", "-B", "out", f"-Dkvforge_DIR={folder}")
    run(tmp_path, "cmake", "--build", "out")
    assert run(tmp_path, "out/example") == BYTES


def test_ops_and_variants_are_built_from_the_wheel_of_the_sdist(tree: Path, tmp_path: Path) -> None:
    """The sdist builds, and its wheel holds all that load() and build_variant() compile with."""
    code = "import setuptools.build_meta as b; print(b.build_sdist('dist'))"
    name = run(tree, sys.executable, "-c", code).split()[-1]
    launcher = ["--compiler-launcher=ccache"] if shutil.which("ccache") else []
    options = " ".join([*NARROW, *launcher])
    words = ["wheel", *OFFLINE, "--wheel-dir", str(tmp_path), f"dist/{name}"]
    run(tree, *PIP, *words, KVFORGE_CONFIGURE=options, TMPDIR=str(tmp_path))
    [wheel] = tmp_path.glob("*.whl")
    assert re.fullmatch(r"kvforge-[\d.]+-py3-none-linux_\w+\.whl", wheel.name)
    python = environment(tmp_path, wheel)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(empty, python, "-c", CALL) == BYTES
    shutil.copytree(ROOT / "examples/own_op", tmp_path / "own_op")
    code = (
        "import kvforge, numpy as np\n"
        "row = kvforge.build_variant('kvf_cpu_zero_blocks__b8')\n"
        "pages = np.ones((3, 4), np.uint8)\n"
        "kvforge.ops._C_cache_ops.zero_blocks([pages], np.array([1]))\n"
        "print(row.built, pages.tolist())\n"
        f"own = kvforge.load('own_op', {str(tmp_path / 'own_op')!r})\n"
        "print(own.rms_norm_and_cache.__name__)\n"
    )
    said = run(empty, python, "-c", code, KVFORGE_CACHE=str(tmp_path / "cache"))
    zeroed = [[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]]
    assert said == f"True {zeroed}\nrms_norm_and_cache\n"
