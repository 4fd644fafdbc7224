"""Writes what find_package(kvforge) reads, for the libraries and headers of some folders.

    python3 -m configuration.cmake_config OUTPUT LIBRARIES INCLUDE ...

cmake/ has the files, whose slots are filled here or, where CMake itself installs, by CMake. Paths in them
are relative, so that everything can be moved together.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("kvforgeConfig.cmake", "kvforgeConfigVersion.cmake")


def version() -> str:
    """The library's, as its header has it."""
    text = (ROOT / "runtime/include/kvforge/kvforge.h").read_text()
    found = re.search(r'^#define KVF_VERSION "(.*)"', text, re.M)
    assert found is not None
    return found[1]


def write(output: Path, libraries: Path, includes: Sequence[Path]) -> list[Path]:
    """Writes the files into a folder, made if need be; their paths."""
    slots = {
        "VERSION": version(),
        "LIBRARIES": os.path.relpath(libraries, output),
        "INCLUDES": " ".join(f'"{os.path.relpath(path, output)}"' for path in includes),
    }
    output.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        text = (ROOT / f"cmake/{name}.in").read_text()
        filled = re.sub(r"@([A-Z]+)@", lambda slot: slots[slot[1]], text)
        (output / name).write_text(filled)
        (output / name).chmod(0o644)
    return [output / name for name in NAMES]


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), [*map(Path, sys.argv[3:])])
