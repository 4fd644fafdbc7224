"""Builds the library and its bindings with configure.py and ninja, and packs them into the wheel.

pyproject.toml has the rest. KVFORGE_CONFIGURE holds options for configure.py, such as
"--profile=kv.toml:chat --cuda-archs=90"; where these name neither, all archs are built. With KVFORGE_BUILD
nothing is built, but what that build folder holds is packed. An editable install packs nothing: the package
finds the checkout's build folder.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # build backends leave it out

from configuration import cmake_config  # noqa: E402
from configuration.install import HEADERS  # noqa: E402
from configuration.options import for_any_machine  # noqa: E402

FOLDER = "build-wheel"
LIBRARIES = ("libkvforge.so.0", "kvforge_tvm_ffi.so")
TORCH_LIBRARY = "kvforge_torch.so"  # where there was no torch, it is compiled when it is needed
# What kvforge.load(), build_variant() and users of the headers need, at the places of the checkout.
SOURCES = (
    *("runtime/include/**/*.h", "generated/include/**/*.h", "third_party/dlpack/include/**/*.h"),
    *("generated/cpu/*.c", "generated/cuda/*.cu", "runtime/core/cuda_image.S", "python/src/*"),
    *("generator/**/*.py", "generator/**/*.json", "templates/**/*.j2", "templates/**/*.txt"),
    *("requirements/build.txt", ".clang-format", "LICENSE", "third_party/dlpack/LICENSE"),
)


def built() -> Path:
    """The folder with the libraries."""
    if os.environ.get("KVFORGE_BUILD"):
        return Path(os.environ["KVFORGE_BUILD"])
    options = for_any_machine(shlex.split(os.environ.get("KVFORGE_CONFIGURE", "")))
    command = [sys.executable, "configure.py", *options, f"--build-dir={FOLDER}", "all"]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode != 0:
        sys.exit(f"kvforge: {shlex.join(command)} failed: see above")
    return ROOT / FOLDER


class Build(build_py):
    """The Python files, and beside them the libraries and the sources."""

    def run(self) -> None:
        """Packs the package anew: what a build before this one left would be packed with it."""
        if self.editable_mode:
            super().run()
            return
        package = Path(self.build_lib, "kvforge")
        shutil.rmtree(package, ignore_errors=True)
        super().run()
        folder = built()
        for name in LIBRARIES:
            if not (folder / name).is_file():
                sys.exit(f"kvforge: {folder} holds no {name}")
            shutil.copy(folder / name, package)
        if (folder / TORCH_LIBRARY).is_file():
            shutil.copy(folder / TORCH_LIBRARY, package)
        for pattern in SOURCES:
            for path in sorted(ROOT.glob(pattern)):
                target = package / "source" / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        includes = [package / "source" / path for path in HEADERS]
        cmake_config.write(package / "cmake", package, includes)


class Wheel(bdist_wheel):
    """For any Python 3, since no library is linked to Python's, and for one machine."""

    def get_tag(self) -> tuple[str, str, str]:
        """The tag without what is this interpreter's."""
        return "py3", "none", super().get_tag()[2]


class Machine(Distribution):
    """Not the same on every machine."""

    def has_ext_modules(self) -> bool:
        """There are libraries, though not setuptools' own."""
        return True


setup(
    cmdclass={"build_py": Build, "bdist_wheel": Wheel},
    distclass=Machine,
    options={"build": {"build_base": f"{FOLDER}/python"}},  # not into build/, which is ninja's
)
