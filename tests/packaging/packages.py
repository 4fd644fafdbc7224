"""What the tests of packages share: a copy of the tree, commands without this environment's settings,
and what example.c prints."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("KVFORGE_BUILD", ROOT / "build")).resolve()
EXAMPLE = Path(__file__).with_name("example.c")
LEFT_OUT = (
    *("build", "build-*", "build.ninja", "dist", ".venv", ".git", ".*_cache", "__pycache__"),
    *("*.egg-info", ".hypothesis", "fixture", "corpus", "target"),
)
OURS = ("PYTHONPATH", "KVFORGE_", "CFLAGS", "LDFLAGS", "PKG_CONFIG_PATH", "LD_LIBRARY_PATH")

# 0, 2, 4 ... 14, which are the numbers of example.c divided by 0.5, by the table of E4M3; each with its
# negative, and no byte elsewhere.
CODES = {0: 0x00, 2: 0x40, 4: 0x48, 6: 0x4C, 8: 0x50, 10: 0x52, 12: 0x54, 14: 0x56}
BYTES = "".join(f"{code:02x}{code | 0x80:02x} " for code in CODES.values()) + "0\n"


def copy_tree(folder: Path) -> Path:
    """The tree as a release has it, without what was built."""
    copy = folder / "kvforge"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return copy


def run(folder: Path, *command: str | Path, **environment: str) -> str:
    """Runs a command without this environment's settings; what it prints. It has to succeed."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**plain, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
    return done.stdout
