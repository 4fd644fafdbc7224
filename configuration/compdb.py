"""compile_commands.json for editors, from what `ninja -t compdb` says.

A CUDA variant is there as the C++ that the emulated driver compiles: clang understands that without
knowing the CUDA release. What only gcc understands is left out.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from typing import Any

GCC_ONLY = ("-fsanitize", "-Wno-maybe-uninitialized")


def for_clang(words: Sequence[str]) -> list[str]:
    """A command of the emulated driver's kernels, for clang."""
    kept: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if "--param" not in (before, word) and not word.startswith(GCC_ONLY):
            kept.append(word)
    return kept


def entries(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same entries, those of .cu files in clang's words."""
    made = []
    for entry in found:
        command = entry["command"].partition(" || ")[0]  # then comes what is said if it fails
        if entry["file"].endswith(".cu"):
            command = shlex.join(for_clang(shlex.split(command)))
        entry = {**entry, "command": command}
        made.append(entry)
    return made


if __name__ == "__main__":
    json.dump(entries(json.load(sys.stdin)), sys.stdout, indent=2)
