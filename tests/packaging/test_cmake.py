"""CMake's ways in, each from an empty folder: a package that was installed, one in a wheel's place, and
the source tree, which needs no Python."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packages import BUILD, BYTES, EXAMPLE, ROOT, copy_tree, run

from generator import profile

PROFILE = """\
[others]
ops = ["zero_blocks"]   # no more

[chat]
ops = ["reshape_and_cache_flash",
       "copy_blocks"]
axes = { scalar = ["f32"], cache = [
    "fp8",  # as callers have it
    "same",
] }
isas = ["baseline"]
archs = [90]

[table]
backends = ["cpu"]
[table.axes]
scalar = ["bfloat16"]
cache = ["same", "int8"]
"""
PROGRAMS = """
add_executable(shared example.c)
target_link_libraries(shared PRIVATE kvforge::kvforge)
add_executable(static example.c)
target_link_libraries(static PRIVATE kvforge::static)
"""


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    for name in ("cmake", "cc", "ninja"):
        if shutil.which(name) is None:
            pytest.skip(f"no {name}")
    version = run(ROOT, "cmake", "--version").split()[2]
    if tuple(map(int, version.split(".")[:2])) < (3, 21):
        pytest.skip(f"CMake {version} is older than 3.21")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("tree"))


def project(folder: Path, text: str) -> Path:
    """A folder with a project of two programs, and nothing else."""
    folder.mkdir()
    shutil.copy(EXAMPLE, folder)
    (folder / "kv.toml").write_text(PROFILE)
    head = "cmake_minimum_required(VERSION 3.21)\nproject(app LANGUAGES C)\n"
    (folder / "CMakeLists.txt").write_text(head + text + PROGRAMS)
    return folder


def build(folder: Path, *options: str, path: str = "", targets: tuple[str, ...] = ()) -> str:
    """Configures and builds it; what configuring said."""
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    environment = {"PATH": path} if path else {}
    words = ["-S", ".", "-B", "out", "-G", "Ninja", *launcher, *options]
    said = run(folder, "cmake", *words, **environment)
    run(folder, "ninja", "-C", "out", *targets, **environment)
    return said


def check(folder: Path) -> None:
    """Both programs write the bytes, and one needs the shared library."""
    for program in ("shared", "static"):
        assert run(folder, f"out/{program}") == BYTES
        needed = run(folder, "readelf", "-d", f"out/{program}")
        assert ("libkvforge.so.0" in needed) == (program == "shared")


def test_the_source_tree_without_python(tree: Path, tmp_path: Path) -> None:
    """add_subdirectory, with a PATH of a compiler's programs and CMake's own."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in (
        "cmake",
        "cc",
        "ninja",
        "ld",
        "as",
        "ar",
        "ranlib",
        "objcopy",
        "readelf",
        "ccache",
    ):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    app = project(
        tmp_path / "app", f"set(KVFORGE_PROFILE kv.toml:chat)\nadd_subdirectory({tree} kvforge)\n"
    )
    said = build(app, "-DKVFORGE_CUDA=OFF", path=str(tools))
    assert "kvforge: 3 CPU variants for baseline; no CUDA" in said
    check(app)
    built = {path.name for path in (app / "out/kvforge/CMakeFiles").rglob("kvf_cpu_*.o")}
    symbols = (
        "reshape_and_cache_flash__f32__f32",
        "reshape_and_cache_flash__f32__fp8_e4m3",
        "copy_blocks__b8",
    )
    assert built == {f"kvf_cpu_{symbol}.c.o" for symbol in symbols}


def test_cuda_where_there_is_nvcc(tree: Path, tmp_path: Path) -> None:
    """The static program embeds the kernel, for the archs that are asked for, and no CUDA library."""
    if not (shutil.which("nvcc") or Path("/usr/local/cuda/bin/nvcc").exists()):
        pytest.skip("no nvcc")
    select = "set(KVFORGE_VARIANTS __f32__fp8_e4m3$)\nset(KVFORGE_OPS reshape_and_cache_flash)\n"
    app = project(tmp_path / "app", f"{select}add_subdirectory({tree} kvforge)\n")
    said = build(app, "-DKVFORGE_CUDA_ARCHS=90", "-DKVFORGE_ISAS=baseline", targets=("static",))
    assert "kvforge: 1 CPU variants for baseline, 1 CUDA variants for 90" in said
    assert run(app, "out/static") == BYTES
    [fatbin] = (app / "out/kvforge/cuda").glob("*.fatbin")
    assert fatbin.name == "kvf_cuda_reshape_and_cache_flash__f32__fp8_e4m3.fatbin"
    assert fatbin.read_bytes() in (app / "out/static").read_bytes()
    assert "cuda" not in run(app, "readelf", "-d", "out/static")
    assert not list((app / "out").rglob("libkvforge.so*"))  # what nobody links is not built


def test_the_drop_in(tree: Path, tmp_path: Path) -> None:
    """What is linked is built, and told apart from what the engine has by the same names."""
    app = project(
        tmp_path / "app",
        "set(KVFORGE_VARIANTS cpu_reshape_and_cache_flash__f32__fp8_e4m3)\n"
        f"add_subdirectory({tree} kvforge)\n"
        "add_executable(drop_in drop_in.c)\ntarget_link_libraries(drop_in PRIVATE kvforge::compat)\n",
    )
    (app / "drop_in.c").write_text(
        "#include <kvforge/compat.h>\n#include <stdio.h>\n"
        "int main(void) {\n"
        "  concat_and_cache_mla(0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 7);\n"
        '  return printf("%s: %s\\n", kvf_status_name(kvf_compat_status()), kvf_last_error()) < 0;\n'
        "}\n"
    )
    build(app, "-DKVFORGE_CUDA=OFF", "-DKVFORGE_ISAS=baseline", targets=("drop_in",))
    assert run(app, "out/drop_in") == (
        "KVF_INVALID_TYPE: concat_and_cache_mla: dtype: got 7, want 0 (f16), 1 (bf16) or 2 (f32)\n"
    )


def test_fetch_content(tree: Path, tmp_path: Path) -> None:
    app = project(
        tmp_path / "app",
        "set(KVFORGE_VARIANTS cpu_reshape_and_cache_flash__f32__fp8_e4m3)\n"
        f"include(FetchContent)\nFetchContent_Declare(kvforge URL {tree})\n"
        "FetchContent_MakeAvailable(kvforge)\n",
    )
    build(app, "-DKVFORGE_ISAS=baseline")
    check(app)


@pytest.mark.parametrize("name", ["chat", "others", "table"])
def test_profiles_select_what_they_do_in_python(tmp_path: Path, name: str) -> None:
    (tmp_path / "kv.toml").write_text(PROFILE)
    script = tmp_path / "select.cmake"
    script.write_text(
        "cmake_policy(VERSION 3.21)\n"
        f"set(kvforge_root {ROOT})\nset(KVFORGE_PROFILE {tmp_path}/kv.toml:{name})\n"
        f"include({ROOT}/cmake/selection.cmake)\n"
        "function(set_property)\nendfunction()\n"  # a script has no directory
        'kvforge_select(found)\nmessage("${found}")\n'
    )
    done = subprocess.run(["cmake", "-P", script], capture_output=True, text=True, check=True)
    wanted = profile.load(f"{tmp_path}/kv.toml:{name}").variants()
    copies = {f"kvf_cuda_{op}" for op in ("swap_blocks", "swap_blocks_batch")}
    found = {s for s in done.stderr.strip().split(";") if s.split("__")[0] not in copies}
    assert found == {variant.symbol for variant in wanted}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("set(KVFORGE_OPS no_such_op)", "unknown op no_such_op: want some of concat_and_cache_mla"),
        (
            "set(KVFORGE_PROFILE kv.toml)",
            "holds others;chat;table; want KVFORGE_PROFILE=.*kv.toml:NAME",
        ),
        ("set(KVFORGE_PROFILE kv.toml:chess)", "has no 'chess', want one of others;chat"),
        ("set(KVFORGE_PROFILE none.toml)", "want FILE or FILE:NAME: no .*none.toml"),
        ("set(KVFORGE_PROFILE typo.toml)", "unknown value of scalar f61: want some of f32"),
        ("set(KVFORGE_VARIANTS ^nothing$)", "no variant is in the selection"),
        ("set(KVFORGE_ISAS mmx)", "unknown isa mmx: want some of "),
    ],
)
def test_mistakes_are_sentences(tree: Path, tmp_path: Path, settings: str, message: str) -> None:
    app = project(tmp_path / "app", f"{settings}\nadd_subdirectory({tree} kvforge)\n")
    (app / "typo.toml").write_text('[a]\naxes = { scalar = ["f61"] }\n')
    command = ["cmake", "-S", ".", "-B", "out", "-G", "Ninja"]
    done = subprocess.run(command, cwd=app, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert re.search(message, " ".join(done.stderr.split())), done.stderr


def test_an_installed_package(tree: Path, tmp_path: Path) -> None:
    """What `ninja install` put somewhere; moved, and found there with either library."""
    if not (BUILD / "libkvforge.a").exists():
        pytest.skip("libkvforge.a is not built: ninja lib")
    prefix = tmp_path / "prefix"
    words = ["--build-dir", str(BUILD), "--prefix", str(prefix), "--libdir", "lib"]
    run(tree, sys.executable, "-m", "configuration.install", *words)
    prefix.rename(tmp_path / "elsewhere")
    app = project(tmp_path / "app", "find_package(kvforge 0.2 REQUIRED)\n")
    build(app, f"-DCMAKE_PREFIX_PATH={tmp_path}/elsewhere")
    check(app)
    newer = project(tmp_path / "newer", "find_package(kvforge 0.3 REQUIRED)\n")
    command = ["cmake", "-S", ".", "-B", "out", f"-DCMAKE_PREFIX_PATH={tmp_path}/elsewhere"]
    done = subprocess.run(command, cwd=newer, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "kvforgeConfig.cmake, version: 0.2" in done.stderr


def test_the_place_that_python_names(tmp_path: Path) -> None:
    """Of the build folder here; test_wheel.py has that of a wheel."""
    if not (BUILD / "kvforge_tvm_ffi.so").exists():
        pytest.skip("kvforge_tvm_ffi.so is not built: ninja python")
    environment = {"PYTHONPATH": str(ROOT / "python"), "KVFORGE_BUILD": str(BUILD)}
    folder = run(tmp_path, sys.executable, "-m", "kvforge", "--cmake-dir", **environment).strip()
    app = project(tmp_path / "app", "find_package(kvforge REQUIRED)\n")
    build(app, f"-Dkvforge_DIR={folder}")
    check(app)
    assert Path(folder).samefile(BUILD / "cmake")


def test_cmake_installs_the_same(tree: Path, tmp_path: Path) -> None:
    """The tree as a project of its own: cmake --install, and the package that it leaves."""
    select = [
        "-DKVFORGE_VARIANTS=cpu_reshape_and_cache_flash__f32__fp8_e4m3",
        "-DKVFORGE_ISAS=baseline",
    ]
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    run(tmp_path, "cmake", "-S", tree, "-B", "out", "-G", "Ninja", *select, *launcher)
    run(tmp_path, "ninja", "-C", "out")
    run(tmp_path, "cmake", "--install", "out", "--prefix", tmp_path / "prefix")
    assert (tmp_path / "prefix/share/licenses/kvforge/LICENSE").is_file()
    app = project(tmp_path / "app", "find_package(kvforge REQUIRED)\n")
    build(app, f"-DCMAKE_PREFIX_PATH={tmp_path}/prefix")
    check(app)
