"""Installs what is missing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection

from configuration.needs import (
    OPTIONAL,
    VENV_PIP,
    as_root,
    packages_for,
    pip_installs,
    requirements_for,
)
from configuration.probe import probe
from configuration.shell import show


def setup(want_cuda: bool, asked: Collection[str]) -> None:
    """Installs what is missing: compilers first, since the rest is probed with them.

    Of what is optional only the packages that are asked for.
    """

    def missing() -> list[str]:
        return [name for name in probe(want_cuda).missing if name in asked or name not in OPTIONAL]

    if packages := packages_for(missing()):
        apt = [*as_root("-n"), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        apt += ["-o", "DPkg::Lock::Timeout=300"]
        if shutil.which("apt-get") is None:
            print(f"no apt-get: install by hand what Debian calls {', '.join(packages)}")
        elif show([*apt, "update"]):
            show([*apt, "install", "--yes", "--no-install-recommends", *packages])
    lacking = missing()
    files = requirements_for(lacking)
    if "ninja" in lacking:  # apt-get was of no use
        files = sorted({*files, "build"})
    if files and (VENV_PIP.exists() or show([sys.executable, "-m", "venv", ".venv"])):
        for command in pip_installs(files):
            show(command)
