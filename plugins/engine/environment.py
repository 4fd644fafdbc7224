"""An environment with an engine for the CPU, and in it kvforge, a plugin and a model, as a user has them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent


class Missing(Exception):
    """Why there is no engine here."""


def run(*command: str | Path, **environment: str) -> None:
    """Runs a command to its end; Missing with the last line of what it said if it fails."""
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()] or ["no output"]
        raise Missing(f"{' '.join(map(str, command[:4]))} ...: {lines[-1]}")


def python_of(folder: Path, requirements: Path, probe: str, about: str) -> Path:
    """The interpreter of the environment in a folder, which is made unless it is there already.

    requirements: complete, since they are installed without what they ask for.
    probe: Python that fails where a wheel is for another machine.
    about: what is said of a new one: name and size.
    """
    if sys.version_info < (3, 11):
        raise Missing(f"its pins want Python 3.11 or newer, this is {sys.version.split()[0]}")
    python = folder / "bin/python"
    if not python.is_file():
        print(f"{folder}: installing {about}", flush=True)
        run(sys.executable, "-m", "venv", folder)
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps")
    run(*pip, "-r", requirements)
    run(python, "-c", probe)
    return python


def install(python: Path, build: Path, package: Path) -> None:
    """Wheels of what is in the build folder and of a plugin, through pip."""
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps")
    flags = ("--force-reinstall", "--no-build-isolation")
    with tempfile.TemporaryDirectory() as folder:  # setuptools builds beside the sources
        plugin = Path(folder, "plugin")
        plugin.mkdir()
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(package / name, plugin)
        shutil.copytree(package / "src", plugin / "src")
        run(*pip, *flags, ROOT, plugin, KVFORGE_BUILD=str(build.resolve()))


def model_of(python: Path, folder: Path) -> Path:
    """SmolLM2 in the form that engines load, written once."""
    model = folder / "smollm2"
    if not (model / "config.json").is_file():
        run(python, FOLDER / "model.py", model)
    return model
