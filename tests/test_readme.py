"""The README's C example compiles, runs and prints what the README says."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("KVFORGE_BUILD", ROOT / "build"))
README = (ROOT / "README.md").read_text()
INCLUDES = ["runtime/include", "generated/include", "third_party/dlpack/include"]


@pytest.mark.parametrize("linkage", ["shared", "static"])
def test_c_example(tmp_path: Path, linkage: str) -> None:
    """The block after "From C", linked both ways."""
    library = BUILD / ("libkvforge.so" if linkage == "shared" else "libkvforge.a")
    if not library.exists():
        pytest.skip(f"{library.name} is not built: ninja lib")
    found = re.search(r"```c\n(.*?)```", README, re.S)
    assert found is not None
    (tmp_path / "example.c").write_text(found[1])
    command = [
        os.environ.get("CC") or shutil.which("cc") or "gcc",
        *(f"-I{ROOT / folder}" for folder in INCLUDES),
        "-Wall",
        "-Werror",
        str(tmp_path / "example.c"),
        str(library),
        f"-Wl,-rpath,{BUILD}",
        *(["-pthread", "-ldl", "-lm"] if linkage == "static" else []),
        "-o",
        str(tmp_path / "example"),
    ]
    subprocess.run(command, check=True)
    printed = subprocess.run([tmp_path / "example"], check=True, capture_output=True, text=True)
    assert f"It prints `{printed.stdout.strip()}`" in README


@pytest.mark.parametrize("binding", ["kvforge_tvm_ffi.so", "kvforge_torch.so"])
def test_python_examples(binding: str) -> None:
    """The two blocks after "From Python", each with what it prints."""
    if not (BUILD / binding).exists():
        pytest.skip(f"{binding} is not built: ninja {'torch' if 'torch' in binding else 'python'}")
    blocks = re.findall(r"```python\n(.*?)```\n\n[^`]*`([^`]*)`", README, re.S)
    code, wanted = blocks[binding == "kvforge_torch.so"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "KVFORGE_BUILD": str(BUILD)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == wanted


@pytest.mark.parametrize("document", ["README.md", "docs/how-a-cu-file-becomes-an-op.md"])
def test_python_commands_find_the_packages(document: str) -> None:
    """Followed from the line that enters the environment, with an interpreter that has nothing."""
    if not (ROOT / ".venv/bin/activate").is_file() or not (BUILD / "kvforge_tvm_ffi.so").exists():
        pytest.skip("no .venv, or no kvforge_tvm_ffi.so: python3 configure.py --setup python")
    text = (ROOT / document).read_text()
    lines = [line.strip().removeprefix("$ ") for line in text.split("\n")]
    first = next(n for n, line in enumerate(lines) if line.startswith(". .venv/bin/activate"))
    script = [lines[first], "export PYTHONPATH=python", "python3 -m kvforge"]
    assert "PYTHONPATH=python" in "\n".join(lines[first : first + 5])
    path = "/usr/bin:/bin"
    done = subprocess.run(
        ["sh", "-ec", "\n".join(script)],
        cwd=ROOT,
        env={"PATH": path, "KVFORGE_BUILD": str(BUILD)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "kvforge       " in done.stdout


def test_the_package_can_be_installed_in_place(tmp_path: Path) -> None:
    """pip install -e, without a network, of a copy of the checkout."""
    if importlib.util.find_spec("setuptools") is None or importlib.util.find_spec("pip") is None:
        pytest.skip("no setuptools, which pip would download")
    if int(importlib.metadata.version("setuptools").partition(".")[0]) < 77:
        pytest.skip("setuptools is older than 77: pip install -r requirements/test.txt")
    if not (BUILD / "kvforge_tvm_ffi.so").exists():
        pytest.skip("kvforge_tvm_ffi.so is not built: ninja python")
    copy = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("configuration", "generator", "python"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    (copy / "build").symlink_to(BUILD)
    words = ["--no-deps", "--no-index", "--no-build-isolation", "--prefix", str(tmp_path / "env")]
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-q", *words]
    subprocess.run([*pip, "-e", str(copy)], check=True)
    [packages] = (tmp_path / "env").rglob("site-packages")
    code = (
        f"import site; site.addsitedir({str(packages)!r})\n"
        "import importlib.metadata, kvforge\n"
        "distribution = importlib.metadata.distribution('kvforge')\n"
        "print(kvforge.__file__, kvforge.__version__ == distribution.version)\n"
        "print(*distribution.requires)\n"
    )
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "KVFORGE_BUILD")
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        f"{copy}/python/kvforge/__init__.py True",
        "apache-tvm-ffi<0.2,>=0.1.15 Jinja2>=3.1 ninja>=1.10 "
        'nixl-cu12<1.6,>=1.5.1; extra == "transfer" numpy; extra == "transfer"',
    ], done.stderr


def test_header_compiles_as_cpp(tmp_path: Path) -> None:
    """kvforge.h is usable from C++ and from C99, on its own."""
    for name, language in [("a.cpp", "-std=c++17"), ("a.c", "-std=c99")]:
        (tmp_path / name).write_text(
            "#include <kvforge/kvforge.h>\nint main(void) { return KVF_OK; }\n"
        )
        compiler = "c++" if name.endswith("cpp") else "cc"
        if shutil.which(compiler) is None:
            pytest.skip(f"no {compiler}")
        includes = [f"-I{ROOT / folder}" for folder in INCLUDES]
        command = [compiler, language, "-Wall", "-Wextra", "-Werror", "-pedantic", *includes]
        subprocess.run([*command, "-fsyntax-only", str(tmp_path / name)], check=True)
